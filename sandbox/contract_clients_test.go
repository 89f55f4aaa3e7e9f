package sandbox_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"net/http"
	"net/url"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/go-jose/go-jose/v4"

	"github.com/etalon-sante/etalon/sandbox/control"
	"github.com/etalon-sante/etalon/sandbox/record"
)

// clients are the specs of how a client is recognised.
func (c *contract) clients() {
	Describe("client authentication", func() {
		It("recognises a client by a signed assertion, and tells what it says", func() {
			k := newKey()
			s := c.open(control.SpaceRequest{Client: control.Client{Auth: "private_key_jwt", JWKS: k.set()}})
			r := s.request()
			code := s.authorize(r, s.patient("jane"))
			answer, t := s.asserted(r, code, k.assertion(s, nil))
			Expect(answer.status).To(Equal(http.StatusOK), t.Error)
			f := onRoute(s.journal(), record.RouteToken)[0].Exchange.Facts
			Expect(f.Issues).To(BeEmpty())
			Expect(f.Token.ClientAuth).To(Equal("private_key_jwt"))
			Expect(f.Token.ClientOK).To(BeTrue())
			Expect(*f.Token.Assertion).To(Equal(record.AssertionFacts{
				Algorithm: "ES256", KeyID: "k1", Issuer: s.space.Client.ID, Subject: s.space.Client.ID,
				Audience: []string{s.space.Endpoints.Token}, AudienceOK: true, Signed: true,
				LifeSeconds: f.Token.Assertion.LifeSeconds, ID: "«assertion-id-1»", IDUses: 1,
			}))
			Expect(f.Token.Assertion.LifeSeconds).To(BeNumerically("~", 60, 2))
			// Business calls need no more than the token.
			Expect(s.weigh(t).status).To(Equal(http.StatusOK))
		})

		DescribeTable("refuses an assertion that is not right", func(change func(s *service, claims map[string]any), why string) {
			k := newKey()
			s := c.open(control.SpaceRequest{Client: control.Client{Auth: "private_key_jwt", JWKS: k.set()}})
			r := s.request()
			code := s.authorize(r, s.patient("kim"))
			answer, t := s.asserted(r, code, k.assertion(s, change))
			Expect(answer.status).To(Equal(http.StatusUnauthorized))
			Expect(t.Error).To(Equal("invalid_client"))
			Expect(string(answer.body)).To(ContainSubstring(why))
			// Nothing was spent: what is right is taken afterwards.
			answer, t = s.asserted(r, code, k.assertion(s, nil))
			Expect(answer.status).To(Equal(http.StatusOK), t.Error)
		},
			Entry("of another issuer", func(_ *service, m map[string]any) { m["iss"] = "someone-else" }, "iss and sub"),
			Entry("about another subject", func(_ *service, m map[string]any) { m["sub"] = "someone-else" }, "iss and sub"),
			Entry("for another server", func(_ *service, m map[string]any) { m["aud"] = "https://other.example.test/token" }, "/oauth2/token"),
			Entry("for two servers", func(s *service, m map[string]any) {
				m["aud"] = []string{s.space.Endpoints.Token, "https://other.example.test/token"}
			}, "other.example.test"),
			Entry("that has expired", func(_ *service, m map[string]any) { m["exp"] = time.Now().Add(-time.Minute).Unix() }, "has expired"),
			Entry("that lives too long", func(_ *service, m map[string]any) { m["exp"] = time.Now().Add(time.Hour).Unix() }, "within 5m"),
			Entry("that never expires", func(_ *service, m map[string]any) { delete(m, "exp") }, "exp of the assertion is missing"),
			Entry("without an identifier", func(_ *service, m map[string]any) { delete(m, "jti") }, "identifier (jti)"),
		)

		It("refuses an assertion that comes twice, one of another key, and one without a signature", func() {
			k, other := newKey(), newKey()
			s := c.open(control.SpaceRequest{Client: control.Client{Auth: "private_key_jwt", JWKS: k.set()}})
			r := s.request()
			code := s.authorize(r, s.patient("lou"))
			for _, bad := range []string{other.assertion(s, nil), "e30.e30.", "eyJhbGciOiJub25lIn0.e30.", "x", ""} {
				answer, _ := s.asserted(r, code, bad)
				Expect(answer.status).To(Equal(http.StatusUnauthorized))
			}
			once := k.assertion(s, nil)
			_, t := s.asserted(r, code, once)
			Expect(t.Refresh).NotTo(BeEmpty())
			again, _ := s.bySignature(url.Values{"grant_type": {"refresh_token"}, "refresh_token": {t.Refresh}}, once)
			Expect(again.status).To(Equal(http.StatusUnauthorized))
			Expect(string(again.body)).To(ContainSubstring("its use number 2"))
			tokens := onRoute(s.journal(), record.RouteToken)
			Expect(tokens[len(tokens)-1].Exchange.Facts.Issues).To(ContainElement(HaveField("Rule", "token.assertion-used")))
			Expect(string(s.bytes())).NotTo(ContainSubstring(once))
		})

		It("notes a weaker method, and takes it from a tolerant record only", func() {
			k := newKey()
			s := c.open(control.SpaceRequest{Client: control.Client{Auth: "private_key_jwt", JWKS: k.set()}})
			for handle, status := range map[string]int{"strict": http.StatusUnauthorized, "tolerant": http.StatusOK} {
				r := s.request()
				code := s.authorize(r, s.patient(handle, func(p *control.PatientRequest) { p.Record = handle }))
				answer, _ := s.exchange(code, r) // by secret
				Expect(answer.status).To(Equal(status), handle)
			}
			for _, rec := range onRoute(s.journal(), record.RouteToken) {
				Expect(rec.Exchange.Facts.Issues).To(ContainElement(And(HaveField("Rule", "token.client-auth"), HaveField("Setting", "client.auth"))))
			}
		})

		DescribeTable("recognises a client by its certificate, and binds its tokens to it", func(method string) {
			k := newKey()
			client := control.Client{Auth: method, Certificate: k.pem}
			if method == "tls_client_auth" {
				client = control.Client{Auth: method, Authority: k.authority, Subject: k.cert.Subject.String()}
			}
			s := c.open(control.SpaceRequest{Client: client})
			bare := s.http
			r := s.request()
			code := s.authorize(r, s.patient("mia"))
			form := url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {callback}, "code_verifier": {r.verifier}, "client_id": {s.space.Client.ID}}
			refused, _ := s.plain(form)
			Expect(refused.status).To(Equal(http.StatusUnauthorized), "without a certificate")
			s.http = newKey().client(s)
			refused, _ = s.plain(form)
			Expect(refused.status).To(Equal(http.StatusUnauthorized), "with the certificate of someone else")
			s.http = k.client(s)
			answer, t := s.plain(form)
			Expect(answer.status).To(Equal(http.StatusOK), t.Error)
			Expect(s.weigh(t).status).To(Equal(http.StatusOK))
			s.http = bare
			Expect(s.weigh(t).status).To(Equal(http.StatusUnauthorized))
			s.http = newKey().client(s)
			Expect(s.weigh(t).status).To(Equal(http.StatusUnauthorized))

			j := s.journal()
			issued := onRoute(j, record.RouteToken)[2].Exchange.Facts
			Expect(issued.Token.ClientAuth).To(Equal(method))
			Expect(issued.Token.Bound).To(And(HaveLen(43), Equal(issued.Token.Certificate)))
			feeds := onRoute(j, record.RouteFeedMeasure)
			Expect(feeds[0].Exchange.Facts.Call.Bound).To(Equal(issued.Token.Bound))
			Expect(feeds[0].Exchange.Facts.Call.Certificate).To(Equal(issued.Token.Bound))
			Expect(feeds[1].Exchange.Facts.Call.Certificate).To(BeEmpty())
			for _, f := range feeds[1:] {
				Expect(f.Exchange.Facts.Issues).To(ContainElement(And(HaveField("Rule", "call.certificate"), HaveField("HTTP", 401), HaveField("Setting", "client.certificate-bound"))))
			}
		},
			Entry("registered as it is", "self_signed_tls_client_auth"),
			Entry("by its subject and authority", "tls_client_auth"),
		)

		DescribeTable("sends a patient back to an application on his phone", func(registered, asked string) {
			s := c.open(control.SpaceRequest{Client: control.Client{RedirectURIs: []string{callback, registered}}})
			r := s.request()
			r.params.Set("redirect_uri", asked)
			b := s.browser()
			answer := b.consent(b.signIn(r, s.patient("noa")), "accept", s.all()...)
			Expect(answer.status).To(Equal(http.StatusSeeOther))
			Expect(answer.header.Get("Location")).To(HavePrefix(asked + "?"))
			u, err := url.Parse(answer.header.Get("Location"))
			Expect(err).NotTo(HaveOccurred())
			got, t := s.token(url.Values{"grant_type": {"authorization_code"}, "code": {u.Query().Get("code")}, "redirect_uri": {asked}, "code_verifier": {r.verifier}})
			Expect(got.status).To(Equal(http.StatusOK), t.Error)
		},
			Entry("by a private-use scheme", "com.example.app:/cb", "com.example.app:/cb"),
			Entry("on a port of the moment", "http://127.0.0.1/cb", "http://127.0.0.1:51234/cb"),
		)

		DescribeTable("refuses a client that it could not recognise", func(client control.Client, why string) {
			_, err := c.api.CreateSpace(context.Background(), control.SpaceRequest{Client: client})
			Expect(err).To(MatchError(ContainSubstring(why)))
		},
			Entry("another method", control.Client{Auth: "client_secret_jwt"}, "is none of"),
			Entry("no keys", control.Client{Auth: "private_key_jwt"}, "client.jwks: it is missing"),
			Entry("a private key", control.Client{Auth: "private_key_jwt", JWKS: newKey().private()}, "not a public key"),
			Entry("a secret key", control.Client{Auth: "private_key_jwt", JWKS: json.RawMessage(`{"keys":[{"kty":"oct","k":"AAECAwQFBgcICQoLDA0ODw"}]}`)}, "not a public key"),
			Entry("no certificate", control.Client{Auth: "self_signed_tls_client_auth"}, "no certificate in PEM"),
			Entry("a key for a certificate", control.Client{Auth: "self_signed_tls_client_auth", Certificate: "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"}, "give the certificate alone"),
			Entry("no subject", control.Client{Auth: "tls_client_auth", Authority: newKey().authority}, "client.subject is missing"),
		)
	})
}

// clientKey is the key of a client, with a certificate of its own authority.
type clientKey struct {
	key            *ecdsa.PrivateKey
	cert           *x509.Certificate
	pem, authority string
}

func newKey() clientKey {
	fail := func(err error) {
		if err != nil {
			panic(err)
		}
	}
	key := func() *ecdsa.PrivateKey {
		k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		fail(err)
		return k
	}
	sign := func(t, parent *x509.Certificate, public crypto.PublicKey, by *ecdsa.PrivateKey) (*x509.Certificate, string) {
		t.NotBefore, t.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
		t.SerialNumber = big.NewInt(time.Now().UnixNano())
		der, err := x509.CreateCertificate(rand.Reader, t, parent, public, by)
		fail(err)
		cert, err := x509.ParseCertificate(der)
		fail(err)
		return cert, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	}
	caKey := key()
	ca := &x509.Certificate{Subject: pkix.Name{CommonName: "authority of clients"}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	root, rootPEM := sign(ca, ca, caKey.Public(), caKey)
	out := clientKey{key: key(), authority: rootPEM}
	out.cert, out.pem = sign(&x509.Certificate{
		Subject: pkix.Name{CommonName: "service", Organization: []string{"Editor"}}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}, root, out.key.Public(), caKey)
	return out
}

func (k clientKey) jwk() jose.JSONWebKey {
	return jose.JSONWebKey{Key: k.key, KeyID: "k1", Algorithm: "ES256", Use: "sig"}
}

func (k clientKey) private() json.RawMessage {
	b, _ := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{k.jwk()}})
	return b
}

func (k clientKey) set() json.RawMessage {
	public := k.jwk()
	b, _ := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{public.Public()}})
	return b
}

// assertion signs an assertion that is right, unless changed.
func (k clientKey) assertion(s *service, change func(s *service, claims map[string]any)) string {
	GinkgoHelper()
	m := map[string]any{
		"iss": s.space.Client.ID, "sub": s.space.Client.ID, "aud": s.space.Endpoints.Token,
		"jti": random(), "iat": time.Now().Unix(), "exp": time.Now().Add(time.Minute).Unix(),
	}
	if change != nil {
		change(s, m)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: k.jwk()}, nil)
	Expect(err).NotTo(HaveOccurred())
	b, err := json.Marshal(m)
	Expect(err).NotTo(HaveOccurred())
	jws, err := signer.Sign(b)
	Expect(err).NotTo(HaveOccurred())
	out, err := jws.CompactSerialize()
	Expect(err).NotTo(HaveOccurred())
	return out
}

// client is an HTTP client that presents the certificate.
func (k clientKey) client(s *service) *http.Client {
	conf := s.http.Transport.(*http.Transport).TLSClientConfig.Clone()
	conf.Certificates = []tls.Certificate{{Certificate: [][]byte{k.cert.Raw}, PrivateKey: k.key}}
	t := &http.Transport{TLSClientConfig: conf, ForceAttemptHTTP2: true}
	DeferCleanup(t.CloseIdleConnections)
	return &http.Client{Transport: t, Timeout: 10 * time.Second}
}

func (s *service) asserted(r request, code, assertion string) (reply, tokens) {
	return s.bySignature(url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {callback}, "code_verifier": {r.verifier}}, assertion)
}

// bySignature calls the token endpoint with an assertion.
func (s *service) bySignature(form url.Values, assertion string) (reply, tokens) {
	form.Set("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
	form.Set("client_assertion", assertion)
	return s.plain(form)
}

// plain calls the token endpoint with nothing but a form.
func (s *service) plain(form url.Values) (reply, tokens) {
	r := send(s.http, formRequest(s.space.Endpoints.Token, form))
	var t tokens
	Expect(json.Unmarshal(r.body, &t)).To(Succeed(), "%s", r.body)
	return r, t
}
