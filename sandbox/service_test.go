package sandbox_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"time"

	. "github.com/onsi/gomega"

	"github.com/etalon-sante/etalon/sandbox/control"
	"github.com/etalon-sante/etalon/sandbox/record"
)

const callback = "https://service.example.test/callback"

// service is a hand-written candidate: it does what a service does, and no more.
type service struct {
	api   control.API
	space control.Space
	http  *http.Client
}

// tokens are what a service holds of a paired patient.
type tokens struct {
	Access  string `json:"access_token"`
	Type    string `json:"token_type"`
	Expires int    `json:"expires_in"`
	Refresh string `json:"refresh_token"`
	ID      string `json:"id_token"`
	Scope   string `json:"scope"`
	Error   string `json:"error"`
}

// reply is a whole HTTP answer.
type reply struct {
	status int
	header http.Header
	body   []byte
}

func newService(api control.API, req control.SpaceRequest) *service {
	if req.Client.RedirectURIs == nil {
		req.Client.RedirectURIs = []string{callback}
	}
	space, err := api.CreateSpace(context.Background(), req)
	Expect(err).NotTo(HaveOccurred())
	pool := x509.NewCertPool()
	Expect(pool.AppendCertsFromPEM([]byte(space.CA))).To(BeTrue())
	return &service{api: api, space: space, http: &http.Client{
		Transport:     &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, ForceAttemptHTTP2: true},
		Timeout:       10 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

func (s *service) close() { s.http.CloseIdleConnections() }

// person makes a synthetic person whose traits derive from a number.
func person(n int) control.Person {
	root := "2790351215" + string([]byte{'0' + byte(n/100%10), '0' + byte(n/10%10), '0' + byte(n%10)})
	return control.Person{
		FamilyName: "PAT-TEST", GivenName: "DOMINIQUE", BirthDate: "1979-03-28", Sex: "F",
		INS: root + insKey(root), INSOID: "1.2.250.1.213.1.4.10",
		Email: "canary-mail-" + root + "@example.test", Phone: "0199" + root[7:13],
	}
}

func insKey(root string) string {
	n := 0
	for _, c := range root {
		n = (n*10 + int(c-'0')) % 97
	}
	k := 97 - n
	return string([]byte{'0' + byte(k/10), '0' + byte(k%10)})
}

func (s *service) patient(handle string, change ...func(*control.PatientRequest)) control.Patient {
	req := control.PatientRequest{Handle: handle, Scenario: "scenario-of-" + handle, Person: person(len(handle))}
	for _, c := range change {
		c(&req)
	}
	p, err := s.api.AddPatient(context.Background(), s.space.ID, req)
	Expect(err).NotTo(HaveOccurred())
	return p
}

func random() string {
	b := make([]byte, 32)
	_, _ = rand.Read(b)
	return base64.RawURLEncoding.EncodeToString(b)
}

// request is an authorization request with what must be remembered of it.
type request struct {
	params   url.Values
	verifier string
}

func (s *service) request() request {
	verifier := random()
	sum := sha256.Sum256([]byte(verifier))
	return request{verifier: verifier, params: url.Values{
		"response_type": {"code"}, "client_id": {s.space.Client.ID}, "redirect_uri": {callback}, "scope": {"openid"},
		"state": {random()}, "nonce": {random()},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])}, "code_challenge_method": {"S256"},
	}}
}

// browser is a patient's browser: a cookie jar, and forms filled in.
type browser struct {
	s    *service
	http *http.Client
}

func (s *service) browser() *browser {
	jar, err := cookiejar.New(nil)
	Expect(err).NotTo(HaveOccurred())
	c := *s.http
	c.Jar = jar
	return &browser{s: s, http: &c}
}

func send(c *http.Client, req *http.Request) reply {
	resp, err := c.Do(req)
	Expect(err).NotTo(HaveOccurred())
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	Expect(err).NotTo(HaveOccurred())
	return reply{resp.StatusCode, resp.Header, b}
}

func (b *browser) get(address string) reply {
	req, err := http.NewRequest(http.MethodGet, address, nil)
	Expect(err).NotTo(HaveOccurred())
	return send(b.http, req)
}

func (b *browser) post(address string, form url.Values) reply {
	return send(b.http, formRequest(address, form))
}

func formRequest(address string, form url.Values) *http.Request {
	req, err := http.NewRequest(http.MethodPost, address, strings.NewReader(form.Encode()))
	Expect(err).NotTo(HaveOccurred())
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return req
}

// interaction reads the hidden field of a page.
func interaction(page []byte) string {
	m := regexp.MustCompile(`name="interaction" value="([^"]+)"`).FindSubmatch(page)
	Expect(m).NotTo(BeNil(), "the page has no interaction: %s", page)
	return string(m[1])
}

// signIn goes from the authorization request to what answers the sign-in form.
func (b *browser) signIn(r request, p control.Patient) reply {
	first := b.get(b.s.space.Endpoints.Authorization + "?" + r.params.Encode())
	Expect(first.status).To(Equal(http.StatusSeeOther), "%s", first.body)
	page := b.get(first.header.Get("Location"))
	Expect(page.status).To(Equal(http.StatusOK))
	address, _, _ := strings.Cut(first.header.Get("Location"), "?")
	return b.post(address, url.Values{"interaction": {interaction(page.body)}, "login": {p.Login}, "password": {p.Password}})
}

// consent answers the consent page that a sign-in led to.
func (b *browser) consent(in reply, decision string, finalites ...string) reply {
	Expect(in.status).To(Equal(http.StatusSeeOther), "%s", in.body)
	page := b.get(in.header.Get("Location"))
	Expect(page.status).To(Equal(http.StatusOK), "%s", page.body)
	address, _, _ := strings.Cut(in.header.Get("Location"), "?")
	return b.post(address, url.Values{"interaction": {interaction(page.body)}, "decision": {decision}, "finalite": finalites})
}

// back reads the redirect that leads back to the service.
func back(r reply) url.Values {
	Expect(r.status).To(Equal(http.StatusSeeOther), "%s", r.body)
	Expect(r.header.Get("Location")).To(HavePrefix(callback + "?"))
	u, err := url.Parse(r.header.Get("Location"))
	Expect(err).NotTo(HaveOccurred())
	return u.Query()
}

func (s *service) all() []string {
	var out []string
	for _, f := range s.space.Finalites {
		out = append(out, f.Code)
	}
	return out
}

// authorize signs a patient in and accepts; it returns the code.
func (s *service) authorize(r request, p control.Patient, finalites ...string) string {
	if finalites == nil {
		finalites = s.all()
	}
	b := s.browser()
	q := back(b.consent(b.signIn(r, p), "accept", finalites...))
	Expect(q.Get("error")).To(BeEmpty())
	Expect(q.Get("state")).To(Equal(r.params.Get("state")))
	Expect(q.Get("iss")).To(Equal(s.space.Endpoints.Issuer))
	return q.Get("code")
}

// token calls the token endpoint, authenticated as agreed.
func (s *service) token(form url.Values) (reply, tokens) {
	req := formRequest(s.space.Endpoints.Token, form)
	req.SetBasicAuth(url.QueryEscape(s.space.Client.ID), url.QueryEscape(s.space.Client.Secret))
	r := send(s.http, req)
	var t tokens
	Expect(json.Unmarshal(r.body, &t)).To(Succeed(), "%s", r.body)
	return r, t
}

func (s *service) exchange(code string, r request) (reply, tokens) {
	return s.token(url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {callback}, "code_verifier": {r.verifier}})
}

func (s *service) refresh(token string) (reply, tokens) {
	return s.token(url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}})
}

func (s *service) revoke(token string) reply {
	req := formRequest(s.space.Endpoints.Revocation, url.Values{"token": {token}})
	req.SetBasicAuth(s.space.Client.ID, s.space.Client.Secret)
	return send(s.http, req)
}

// pair does the whole pairing.
func (s *service) pair(p control.Patient, finalites ...string) tokens {
	r := s.request()
	answer, t := s.exchange(s.authorize(r, p, finalites...), r)
	Expect(answer.status).To(Equal(http.StatusOK), "%s", answer.body)
	return t
}

// call makes a business call.
func (s *service) call(t tokens, method, path string, body []byte) reply {
	return send(s.http, s.business(t, method, path, body))
}

func (s *service) business(t tokens, method, path string, body []byte) *http.Request {
	req, err := http.NewRequest(method, s.space.Endpoints.FHIR+path, bytes.NewReader(body))
	Expect(err).NotTo(HaveOccurred())
	if t.Access != "" {
		req.Header.Set("Authorization", "Bearer "+t.Access)
	}
	if t.ID != "" {
		req.Header.Set(s.space.Endpoints.IDTokenHeader, t.ID)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/fhir+json")
	}
	return req
}

// claims reads an id_token without checking it.
func claims(token string) map[string]any {
	parts := strings.Split(token, ".")
	Expect(parts).To(HaveLen(3))
	b, err := base64.RawURLEncoding.DecodeString(parts[1])
	Expect(err).NotTo(HaveOccurred())
	out := map[string]any{}
	Expect(json.Unmarshal(b, &out)).To(Succeed())
	return out
}

// journal reads the whole journal.
func (s *service) journal() []record.Record {
	var out []record.Record
	for after := 0; ; {
		e, err := s.api.Flush(context.Background(), s.space.ID, after)
		Expect(err).NotTo(HaveOccurred())
		if len(e.Records) == 0 {
			return out
		}
		out, after = append(out, e.Records...), e.Next
	}
}

// onRoute filters records.
func onRoute(records []record.Record, route record.Route) []record.Record {
	var out []record.Record
	for _, r := range records {
		if r.Exchange != nil && r.Exchange.Route == route {
			out = append(out, r)
		}
	}
	return out
}
