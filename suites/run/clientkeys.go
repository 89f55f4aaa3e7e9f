package run

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/etalon-sante/etalon/sandbox/control"
	"github.com/etalon-sante/etalon/suites/candidate"
)

// held is what a client authenticates with besides its secret, in PEM: the
// manifest's, or made for one run. Only configure hands it on.
type held struct {
	key, kid, certificate string
}

// credentialOf names what a client of some method is known by, and says whether
// the manifest fixes it.
func credentialOf(c candidate.SandboxConfig) (key string, here bool) {
	switch c.ClientAuth {
	case candidate.PrivateKeyJWT:
		return "sandbox.clientJwks", c.ClientJWKS != "" || c.ClientKey != ""
	case candidate.SelfSignedTLSClient:
		return "sandbox.clientCertificate", c.ClientCertificate != ""
	case candidate.TLSClientAuth:
		return "sandbox.clientAuthority", c.ClientAuthority != ""
	}
	return "sandbox.clientSecret", c.ClientSecret != ""
}

// clientPayload is what configure tells of the client.
func (s *Session) clientPayload() map[string]string {
	out := map[string]string{"id": s.Space.Client.ID}
	secret := s.Space.Client.Secret
	if key, _ := credentialOf(s.Candidate.Sandbox); key != "sandbox.clientSecret" {
		secret = "" // what is not used is not handed out
	}
	for name, value := range map[string]string{"secret": secret, "key": s.held.key, "keyId": s.held.kid, "certificate": s.held.certificate} {
		if value != "" {
			out[name] = value
		}
	}
	return out
}

// client is the client that the space is asked for. What its method needs and
// the manifest does not give is made here.
func (s *Session) client(c candidate.SandboxConfig) (control.Client, error) {
	out := control.Client{
		ID: c.ClientID, Secret: c.ClientSecret, Auth: c.ClientAuth, RedirectURIs: c.RedirectURIs,
		Certificate: c.ClientCertificate, Authority: c.ClientAuthority, Subject: c.ClientSubject,
	}
	s.held = held{key: c.ClientKey, certificate: c.ClientCertificate}
	if _, given := credentialOf(c); !given {
		if err := s.makeCredential(c.ClientAuth, &out); err != nil {
			return out, fmt.Errorf("make the key of the client: %w", err)
		}
	}
	for _, line := range candidate.SecretLines(s.held.key) {
		s.Redactor.Name("client-key", line)
	}
	switch c.ClientAuth {
	case candidate.PrivateKeyJWT:
		set, kid, err := publicSet(c.ClientJWKS, s.held.key)
		if err != nil {
			return out, err
		}
		out.JWKS, s.held.kid = set, kid
	case candidate.TLSClientAuth:
		if out.Subject == "" {
			block, _ := pem.Decode([]byte(s.held.certificate))
			if block == nil {
				return out, errors.New("the certificate of the client is not PEM")
			}
			cert, err := x509.ParseCertificate(block.Bytes)
			if err != nil {
				return out, fmt.Errorf("read the certificate of the client: %w", err)
			}
			out.Subject = cert.Subject.String()
		}
		out.Certificate = ""
	}
	return out, nil
}

// publicSet is the key set that the manifest gives, or the public part of a key.
func publicSet(given, key string) (json.RawMessage, string, error) {
	kid := ""
	var public crypto.PublicKey
	if key != "" {
		signer, err := candidate.PrivateKey(key)
		if err != nil {
			return nil, "", fmt.Errorf("read the key of the client: %w", err)
		}
		public = signer.Public()
		der, err := x509.MarshalPKIXPublicKey(public)
		if err != nil {
			return nil, "", fmt.Errorf("read the key of the client: %w", err)
		}
		sum := sha256.Sum256(der)
		kid = base64.RawURLEncoding.EncodeToString(sum[:12])
	}
	if given != "" {
		var set jose.JSONWebKeySet
		if err := json.Unmarshal([]byte(given), &set); err == nil && public != nil {
			for _, k := range set.Keys {
				if same, ok := k.Key.(interface{ Equal(crypto.PublicKey) bool }); ok && same.Equal(public) {
					return json.RawMessage(given), k.KeyID, nil
				}
			}
			return nil, "", errors.New("sandbox.clientKey is not the key of any entry of sandbox.clientJwks")
		}
		return json.RawMessage(given), "", nil
	}
	set, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: public, KeyID: kid, Use: "sig"}}})
	return set, kid, err
}

// makeCredential makes a key and, for the TLS methods, its certificate: signed by
// itself, or by an authority that lives as long as the run.
func (s *Session) makeCredential(method string, out *control.Client) error {
	if method != candidate.PrivateKeyJWT && method != candidate.SelfSignedTLSClient && method != candidate.TLSClientAuth {
		return nil // a secret: the sandbox makes it
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	s.held.key = string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	if method == candidate.PrivateKeyJWT {
		return nil
	}
	now := s.now()
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "service", Organization: []string{"Etalon, test only"}},
		NotBefore: now.Add(-time.Hour), NotAfter: now.AddDate(0, 0, 30), KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	parent, signer := leaf, key
	if method == candidate.TLSClientAuth {
		if signer, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
			return err
		}
		parent = &x509.Certificate{
			SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Etalon authority of clients", Organization: []string{"Etalon, test only"}},
			NotBefore: leaf.NotBefore, NotAfter: leaf.NotAfter, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
		}
		root, err := certify(parent, parent, signer.Public(), signer)
		if err != nil {
			return err
		}
		out.Authority = root
	}
	s.held.certificate, err = certify(leaf, parent, key.Public(), signer)
	out.Certificate = s.held.certificate
	return err
}

func certify(t, parent *x509.Certificate, public crypto.PublicKey, by *ecdsa.PrivateKey) (string, error) {
	der, err := x509.CreateCertificate(rand.Reader, t, parent, public, by)
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), err
}
