package candidate_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"errors"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/etalon-sante/etalon/suites/candidate"
)

// pair is a key with its certificate, in PEM, and its public key set.
func pair(t *testing.T) (key, certificate, set string) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "service"}, NotAfter: time.Now().Add(time.Hour)}
	raw, err := x509.CreateCertificate(rand.Reader, c, c, k.Public(), k)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: k.Public(), KeyID: "k"}}})
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})), string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: raw})), string(keys)
}

func TestWhatAClientAuthenticatesWithIsReadAndChecked(t *testing.T) {
	key, certificate, set := pair(t)
	other, _, _ := pair(t)
	private := strings.Replace(set, `"kty"`, `"d":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE","kty"`, 1)
	folder := t.TempDir()
	for name, text := range map[string]string{"jwks.json": set, "private.json": private, "client.crt": certificate, "client.key": key, "not.pem": "nothing"} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	env := func(name string) (string, bool) {
		v, ok := map[string]string{"ETALON_PILOT_TOKEN": "jeton-du-pilote-des-essais", "MES_CLIENT_SECRET": "secret-du-client-des-essais", "KEY": key, "OTHER": other, "PROSE": "no key at all"}[name]
		return v, ok
	}
	base, err := os.ReadFile("../../docs/examples/minimal/candidate.yaml")
	if err != nil {
		t.Fatal(err)
	}
	read := func(lines string) (*candidate.Manifest, error) {
		return candidate.Parse([]byte(strings.Replace(string(base), "sandbox:\n", "sandbox:\n"+lines, 1)), "candidate.yaml", folder, env)
	}
	for name, x := range map[string]struct {
		lines string
		wrong string // "": nothing
	}{
		"public keys in a file":        {"  clientAuth: private_key_jwt\n  clientJwks: jwks.json\n", ""},
		"public keys in place":         {"  clientAuth: private_key_jwt\n  clientJwks: '" + set + "'\n", ""},
		"a key to hand over":           {"  clientAuth: private_key_jwt\n  clientKey: env:KEY\n", ""},
		"nothing, to be made":          {"  clientAuth: tls_client_auth\n", ""},
		"a certificate with its key":   {"  clientAuth: self_signed_tls_client_auth\n  clientCertificate: client.crt\n  clientKey: file:client.key\n", ""},
		"an authority and a subject":   {"  clientAuth: tls_client_auth\n  clientAuthority: client.crt\n  clientSubject: CN=service\n", ""},
		"private keys":                 {"  clientAuth: private_key_jwt\n  clientJwks: private.json\n", "private"},
		"keys with a secret":           {"  clientAuth: client_secret_basic\n  clientJwks: jwks.json\n", "private_key_jwt only"},
		"no set of keys":               {"  clientAuth: private_key_jwt\n  clientJwks: not.pem\n", "JSON Web Key Set"},
		"a file that is not there":     {"  clientAuth: private_key_jwt\n  clientJwks: nowhere.json\n", "cannot be read"},
		"a file elsewhere":             {"  clientAuth: private_key_jwt\n  clientJwks: ../jwks.json\n", "in the folder"},
		"a key for a certificate":      {"  clientAuth: self_signed_tls_client_auth\n  clientCertificate: client.key\n", "give certificates alone"},
		"the key of another":           {"  clientAuth: self_signed_tls_client_auth\n  clientCertificate: client.crt\n  clientKey: env:OTHER\n", "another certificate"},
		"prose for a key":              {"  clientAuth: private_key_jwt\n  clientKey: env:PROSE\n", "private key in PEM"},
		"a key in clear":               {"  clientAuth: private_key_jwt\n  clientKey: '-----BEGIN PRIVATE KEY-----'\n", "reference"},
		"an authority without subject": {"  clientAuth: tls_client_auth\n  clientAuthority: client.crt\n", "one without the other"},
	} {
		m, err := read(x.lines)
		var bad *candidate.ManifestError
		switch {
		case x.wrong == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case x.wrong == "":
			for _, line := range candidate.SecretLines(m.Candidate.Sandbox.ClientKey) {
				found := false
				for _, v := range m.Secrets {
					found = found || v == line
				}
				if !found {
					t.Errorf("%s: a line of the key is no secret", name)
				}
			}
		case !errors.As(err, &bad) || !strings.Contains(err.Error(), x.wrong):
			t.Errorf("%s: %v", name, err)
		case strings.Contains(err.Error(), "AAAAAAA"):
			t.Errorf("%s: the error repeats a private key: %v", name, err)
		}
	}
}

func FuzzClientCredentials(f *testing.F) {
	f.Add("{\"keys\":[]}")
	f.Add("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
	f.Add("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")
	f.Add("-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n")
	f.Fuzz(func(t *testing.T, text string) {
		if key, err := candidate.PrivateKey(text); err == nil && key.Public() == nil {
			t.Errorf("a key without a public part in %q", text)
		}
		for _, line := range candidate.SecretLines(text) {
			if !strings.Contains(text, line) {
				t.Errorf("%q is no line of %q", line, text)
			}
		}
	})
}
