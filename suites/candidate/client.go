package candidate

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/go-jose/go-jose/v4"

	"github.com/etalon-sante/etalon/sandbox/record"
)

// The ways in which a client authenticates (OpenID Connect Core §9, RFC 8705 §2).
const (
	ClientSecretBasic   = "client_secret_basic"
	ClientSecretPost    = "client_secret_post"
	PrivateKeyJWT       = "private_key_jwt"
	TLSClientAuth       = "tls_client_auth"
	SelfSignedTLSClient = "self_signed_tls_client_auth"
)

// maxClientFile bounds a key, a certificate or a key set, in bytes.
const maxClientFile = 64 << 10

// client checks what the method of the client needs, and reads it: the fields
// then hold the JSON or the PEM itself.
func (c *checker) client() {
	s := &c.m.Candidate.Sandbox
	fields := []struct {
		name    string
		value   *string
		methods []string
		read    func(string) (string, error)
	}{
		{"clientJwks", &s.ClientJWKS, []string{PrivateKeyJWT}, publicKeys},
		{"clientCertificate", &s.ClientCertificate, []string{SelfSignedTLSClient, TLSClientAuth}, certificates},
		{"clientAuthority", &s.ClientAuthority, []string{TLSClientAuth}, certificates},
		{"clientSubject", &s.ClientSubject, []string{TLSClientAuth}, nil},
		{"clientKey", &s.ClientKey, []string{PrivateKeyJWT, SelfSignedTLSClient, TLSClientAuth}, nil},
	}
	for _, f := range fields {
		if *f.value == "" {
			continue
		}
		path := []string{"sandbox", f.name}
		fits := false
		for _, m := range f.methods {
			fits = fits || s.ClientAuth == m
		}
		if !fits {
			only := strings.Join(f.methods, ", ")
			c.add(path,
				Text{EN: "this field with clientAuth: " + only + " only", FR: "ce champ seulement avec clientAuth: " + only},
				Text{EN: "clientAuth: " + s.ClientAuth, FR: "clientAuth: " + s.ClientAuth}, Text{})
			continue
		}
		if f.read == nil {
			continue
		}
		text := *f.value
		if !strings.HasPrefix(text, "{") && !strings.HasPrefix(text, "-----BEGIN ") {
			if !filepath.IsLocal(text) {
				c.add(path, Text{EN: "a path in the folder of the manifest or below", FR: "un chemin dans le dossier du manifeste ou au-dessous"}, quoted(text), Text{})
				continue
			}
			raw, err := readFile(c.absolute(path, text), maxClientFile)
			if err != nil {
				c.add(path, Text{}, Text{EN: "a file that cannot be read (" + plain(err) + ")", FR: "un fichier illisible (" + plain(err) + ")"}, Text{})
				continue
			}
			text = string(raw)
		}
		read, err := f.read(text)
		if err != nil {
			// What stands there is not repeated: it may be a private key.
			c.add(path, Text{}, same(err.Error()), Text{})
			continue
		}
		*f.value = read
	}
	if s.ClientKey != "" && len(c.problems) == 0 {
		c.clientKey(s)
	}
	if (s.ClientAuthority == "") != (s.ClientSubject == "" && s.ClientCertificate == "") && s.ClientAuth == TLSClientAuth && len(c.problems) == 0 {
		c.add([]string{"sandbox", "clientAuth"},
			Text{EN: "clientAuthority together with clientSubject or clientCertificate", FR: "clientAuthority avec clientSubject ou clientCertificate"},
			Text{EN: "one without the other", FR: "l'un sans l'autre"}, Text{})
	}
}

// clientKey reads the private key, which only a service that is configured by
// its pilot needs to be given.
func (c *checker) clientKey(s *SandboxConfig) {
	path := []string{"sandbox", "clientKey"}
	expected := Text{EN: "a private key in PEM (PKCS #8, SEC 1 or PKCS #1), behind " + s.ClientKey, FR: "une clé privée en PEM (PKCS #8, SEC 1 ou PKCS #1), derrière " + s.ClientKey}
	wrong := func(found Text) { c.add(path, expected, found, Text{}) }
	reference := s.ClientKey
	s.ClientKey = ""
	var text string
	if name, ok := strings.CutPrefix(reference, "env:"); ok {
		if text, ok = c.env(name); !ok || text == "" {
			wrong(Text{EN: "no environment variable " + name, FR: "aucune variable d'environnement " + name})
			return
		}
	} else {
		raw, err := readFile(c.absolute(path, strings.TrimPrefix(reference, "file:")), maxClientFile)
		if err != nil {
			wrong(Text{EN: "a file that cannot be read (" + plain(err) + ")", FR: "un fichier illisible (" + plain(err) + ")"})
			return
		}
		text = string(raw)
	}
	key, err := PrivateKey(text)
	if err != nil {
		wrong(Text{EN: "something else (not shown: it may be a secret)", FR: "autre chose (non affiché : ce peut être un secret)"})
		return
	}
	if s.ClientCertificate != "" && !holds(s.ClientCertificate, key) {
		wrong(Text{EN: "the key of another certificate than clientCertificate", FR: "la clé d'un autre certificat que clientCertificate"})
		return
	}
	s.ClientKey = text
	for i, line := range SecretLines(text) {
		c.m.Secrets["client-key-"+strconv.Itoa(i+1)] = line
	}
}

// SecretLines are the lines of a PEM text that must not survive in a report.
func SecretLines(text string) []string {
	var out []string
	for _, line := range strings.Fields(text) {
		if len(line) >= 4*record.MinSecret && !strings.Contains(line, "-") {
			out = append(out, line)
		}
	}
	return out
}

// PrivateKey reads a private key in PEM.
func PrivateKey(text string) (crypto.Signer, error) {
	for rest := []byte(text); ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			return nil, errors.New("it is no private key in PEM")
		}
		if block.Type == "EC PARAMETERS" {
			continue
		}
		var key any
		var err error
		switch block.Type {
		case "EC PRIVATE KEY":
			key, err = x509.ParseECPrivateKey(block.Bytes)
		case "RSA PRIVATE KEY":
			key, err = x509.ParsePKCS1PrivateKey(block.Bytes)
		default:
			key, err = x509.ParsePKCS8PrivateKey(block.Bytes)
		}
		if err != nil {
			return nil, err
		}
		if signer, ok := key.(crypto.Signer); ok {
			return signer, nil
		}
		return nil, errors.New("its key cannot sign")
	}
}

// holds says whether the first certificate of a PEM text is that of a key.
func holds(text string, key crypto.Signer) bool {
	block, _ := pem.Decode([]byte(text))
	cert, err := x509.ParseCertificate(block.Bytes)
	public, ok := key.Public().(interface{ Equal(crypto.PublicKey) bool })
	return err == nil && ok && public.Equal(cert.PublicKey)
}

// publicKeys reads a JSON Web Key Set of public keys.
func publicKeys(text string) (string, error) {
	var set jose.JSONWebKeySet
	if err := json.Unmarshal([]byte(text), &set); err != nil || len(set.Keys) == 0 {
		return "", errors.New("no JSON Web Key Set ({\"keys\": […]})")
	}
	for _, k := range set.Keys {
		if !k.IsPublic() {
			return "", errors.New("a private key: give the public part alone, and change the private one")
		}
	}
	return text, nil
}

// certificates reads certificates in PEM.
func certificates(text string) (string, error) {
	rest := bytes.TrimSpace([]byte(text))
	for n := 0; ; n++ {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			if n == 0 {
				return "", errors.New("no certificate in PEM")
			}
			return text, nil
		}
		if block.Type != "CERTIFICATE" {
			return "", errors.New("a " + block.Type + ": give certificates alone")
		}
		if _, err := x509.ParseCertificate(block.Bytes); err != nil {
			return "", errors.New("a certificate that cannot be read")
		}
	}
}
