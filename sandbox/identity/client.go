package identity

import (
	"crypto/sha256"
	"crypto/subtle"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4"

	"github.com/etalon-sante/etalon/sandbox/control"
	"github.com/etalon-sante/etalon/sandbox/exchange"
	"github.com/etalon-sante/etalon/sandbox/record"
)

// The ways in which a client authenticates (OpenID Connect Core §9, RFC 8705
// §2). Which of them the real service asks for is not public: the setting
// client.auth says which one a space begins with.
const (
	basic         = "client_secret_basic"
	post          = "client_secret_post"
	privateKeyJWT = "private_key_jwt"
	tlsClientAuth = "tls_client_auth"
	selfSignedTLS = "self_signed_tls_client_auth"
	none          = "none"
)

// Methods lists the ways in which a client may authenticate.
func Methods() []string {
	return []string{basic, post, privateKeyJWT, tlsClientAuth, selfSignedTLS}
}

// usesTLS says whether a method rests on the certificate of the connection.
func usesTLS(method string) bool { return method == tlsClientAuth || method == selfSignedTLS }

// credentials are what a client is recognised by, read once.
type credentials struct {
	keys    jose.JSONWebKeySet // private_key_jwt
	pinned  []string           // self_signed_tls_client_auth: thumbprints
	roots   *x509.CertPool     // tls_client_auth
	subject string             // tls_client_auth
}

// readCredentials reads what the method of a client needs.
func readCredentials(c control.Client) (credentials, error) {
	var out credentials
	switch c.Auth {
	case basic, post:
	case privateKeyJWT:
		set, err := readKeys(c.JWKS)
		if err != nil {
			return out, fmt.Errorf("client.jwks: %w", err)
		}
		out.keys = set
	case selfSignedTLS:
		certs, err := readCertificates(c.Certificate)
		if err != nil {
			return out, fmt.Errorf("client.certificate: %w", err)
		}
		for _, cert := range certs {
			out.pinned = append(out.pinned, Thumbprint(cert))
		}
	case tlsClientAuth:
		certs, err := readCertificates(c.Authority)
		if err != nil {
			return out, fmt.Errorf("client.authority: %w", err)
		}
		out.roots = x509.NewCertPool()
		for _, cert := range certs {
			out.roots.AddCert(cert)
		}
		if out.subject = c.Subject; out.subject == "" {
			return out, errors.New("client.subject is missing: tls_client_auth recognises a client by the subject of its certificate, written as in RFC 4514 (CN=service,O=Editor,C=FR)")
		}
	default:
		return out, fmt.Errorf("the client authentication %q is none of %s", c.Auth, strings.Join(Methods(), ", "))
	}
	return out, nil
}

// readKeys reads the public keys of a client. A private one is refused: whoever
// holds it could pass for the client.
func readKeys(raw []byte) (jose.JSONWebKeySet, error) {
	var set jose.JSONWebKeySet
	if len(raw) == 0 {
		return set, errors.New("it is missing: private_key_jwt needs the public keys of the client, as a JSON Web Key Set")
	}
	if err := strictJSON(raw, &set); err != nil {
		return set, fmt.Errorf("it is not a JSON Web Key Set: %w", err)
	}
	if len(set.Keys) == 0 || len(set.Keys) > maxClientKeys {
		return set, fmt.Errorf("it holds %d keys, 1 to %d are expected", len(set.Keys), maxClientKeys)
	}
	for i, k := range set.Keys {
		switch {
		case !k.IsPublic():
			return set, fmt.Errorf("its key %d is not a public key: give the public part alone, and change a private key that was given away", i+1)
		case !k.Valid():
			return set, fmt.Errorf("its key %d cannot be used", i+1)
		}
	}
	return set, nil
}

// maxClientKeys bounds what is tried for one assertion.
const maxClientKeys = 10

func readCertificates(text string) ([]*x509.Certificate, error) {
	var out []*x509.Certificate
	for rest := []byte(text); len(out) < maxClientKeys; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			return nil, fmt.Errorf("it holds a %s: give the certificate alone", block.Type)
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("its certificate %d cannot be read: %w", len(out)+1, err)
		}
		out = append(out, cert)
	}
	if len(out) == 0 {
		return nil, errors.New("it holds no certificate in PEM")
	}
	return out, nil
}

// Thumbprint is the x5t#S256 of a certificate (RFC 8705 §3.1).
func Thumbprint(c *x509.Certificate) string {
	sum := sha256.Sum256(c.Raw)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// Presented is the certificate that the client showed on a connection, nil when
// none. The handshake has proved that the client holds its key.
func Presented(r *http.Request) *x509.Certificate {
	if r.TLS == nil || len(r.TLS.PeerCertificates) == 0 {
		return nil
	}
	return r.TLS.PeerCertificates[0]
}

// client finds out how the client authenticates and whether it is right, and
// notes it. What is wrong in an assertion that is the client's own (its
// audience, its times, its identifier) is an issue: a tolerant record goes on.
func (a *Authority) client(x *exchange.Exchange, form url.Values, f *record.TokenFacts) {
	cert := Presented(x.HTTP)
	if cert != nil {
		f.Certificate = Thumbprint(cert)
	}
	var ways []string
	if x.HTTP.Header.Get("Authorization") != "" {
		ways = append(ways, basic)
	}
	if form.Has("client_secret") {
		ways = append(ways, post)
	}
	if form.Has("client_assertion") || form.Has("client_assertion_type") {
		ways = append(ways, privateKeyJWT)
	}
	if len(ways) == 0 && cert != nil && usesTLS(a.cfg.Client.Auth) {
		ways = append(ways, a.cfg.Client.Auth)
	}
	f.ClientAuth = none
	if len(ways) > 0 {
		f.ClientAuth = ways[0]
	}
	// Of several, the one agreed on is looked at (RFC 6749 §2.3: one at a time).
	if len(ways) > 1 || len(ways) == 1 && usesTLS(a.cfg.Client.Auth) && !usesTLS(ways[0]) {
		f.ClientBeside = ways
		if slices.Contains(ways, a.cfg.Client.Auth) {
			f.ClientAuth = a.cfg.Client.Auth
		}
	}
	switch f.ClientAuth {
	case basic:
		f.ClientWhy = a.basicDoubt(x)
	case post:
		f.ClientWhy = a.postDoubt(form)
	case privateKeyJWT:
		f.ClientWhy = a.assertionDoubt(x, form, f)
	case tlsClientAuth, selfSignedTLS:
		f.ClientWhy = a.certificateDoubt(cert, form)
	default:
		f.ClientWhy = "the request carries neither secret nor assertion"
		if usesTLS(a.cfg.Client.Auth) {
			f.ClientWhy = "the connection carries no client certificate"
		}
	}
	f.ClientOK = f.ClientWhy == ""
	if len(f.ClientBeside) > 0 {
		x.Issue(record.Issue{Rule: "token.client-several", Severity: "error", Code: "invalid", HTTP: http.StatusBadRequest, Expected: a.cfg.Client.Auth + " alone", Actual: strings.Join(f.ClientBeside, ", ")})
	}
}

// basicDoubt reads Basic credentials, which are form-encoded inside (RFC 6749
// §2.3.1); clients that leave that out are understood where it makes no
// difference.
func (a *Authority) basicDoubt(x *exchange.Exchange) string {
	user, password, isBasic := x.HTTP.BasicAuth()
	if !isBasic {
		return "the header Authorization is not of the scheme Basic"
	}
	if id, err := url.QueryUnescape(user); err == nil {
		user = id
	}
	right := a.secretIs(password)
	if s, err := url.QueryUnescape(password); err == nil {
		right = right || a.secretIs(s)
		x.Name("client-secret", s)
	}
	x.Name("client-secret", password)
	return secretDoubt(user == a.cfg.Client.ID, right)
}

func (a *Authority) postDoubt(form url.Values) string {
	return secretDoubt(form.Get("client_id") == a.cfg.Client.ID, a.secretIs(form.Get("client_secret")))
}

func secretDoubt(known, right bool) string {
	switch {
	case !known:
		return "client_id is not that of the service"
	case !right:
		return "the secret is not that of the service"
	}
	return ""
}

func (a *Authority) secretIs(s string) bool {
	return subtle.ConstantTimeCompare([]byte(s), []byte(a.cfg.Client.Secret)) == 1
}

// certificateDoubt says what is wrong with the certificate of a connection
// (RFC 8705 §2): client_id is always needed, since the certificate names nobody
// to the server by itself.
func (a *Authority) certificateDoubt(cert *x509.Certificate, form url.Values) string {
	if form.Get("client_id") != a.cfg.Client.ID {
		return "client_id is not that of the service"
	}
	now := a.cfg.Clock()
	switch {
	case now.Before(cert.NotBefore) || now.After(cert.NotAfter):
		return "the certificate is not valid at this date"
	case a.cfg.Client.Auth == selfSignedTLS && !slices.Contains(a.credentials.pinned, Thumbprint(cert)):
		return "the certificate is not the one registered"
	case a.cfg.Client.Auth == selfSignedTLS:
		return ""
	case cert.Subject.String() != a.credentials.subject:
		return "the subject of the certificate is not the one registered"
	}
	_, err := cert.Verify(x509.VerifyOptions{Roots: a.credentials.roots, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
	if err != nil {
		return "the certificate does not come from the authority registered"
	}
	return ""
}

// clientRefusal answers to a client that is not recognised, nil when it is. With
// another method than the agreed one only a strict record refuses.
func (a *Authority) clientRefusal(x *exchange.Exchange, f *record.TokenFacts, strict bool) *exchange.Answer {
	agreed := a.cfg.Client.Auth
	refusal := func(description string) *exchange.Answer {
		out := refuse(http.StatusUnauthorized, "invalid_client", description)
		return &out
	}
	if !f.ClientOK {
		x.Issue(record.Issue{Rule: "token.client", Severity: "error", Code: "login", HTTP: 401, Expected: agreed, Actual: f.ClientAuth + ": " + f.ClientWhy})
		return refusal("the client is not recognised: " + f.ClientWhy)
	}
	if f.ClientAuth != agreed {
		x.Issue(record.Issue{Rule: "token.client-auth", Severity: "error", Code: "login", HTTP: 401, Expected: agreed, Actual: f.ClientAuth, Setting: a.cfg.Settings.Assumed("client.auth")})
		if strict {
			return refusal("the client authenticates by " + agreed)
		}
	}
	if !strict {
		return nil
	}
	for _, i := range x.Facts.Issues {
		if strings.HasPrefix(i.Rule, "token.assertion-") {
			return refusal(i.Expected + " is expected, not " + i.Actual)
		}
	}
	return nil
}
