package examples_test

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// least is about the least service that a run can say something of: it answers
// configure, pair, send-measure (a weight) and status. It pairs with state,
// nonce and PKCE; it neither verifies signatures nor renews tokens nor reads.
type least struct {
	here  string // its address, without a slash at the end
	token string // of its pilot

	mu       sync.Mutex
	mes      leastMES
	http     *http.Client
	patients map[string]*leastPatient // by handle
	links    map[string]*leastPatient // by one-time token
	sessions map[string]*leastPatient // by cookie
}

type leastMES struct {
	Endpoints  struct{ Issuer, Authorization, Token, FHIR, IDTokenHeader string }
	Client     struct{ ID, Secret string }
	OID, CA    string
	ClientAuth string
}

type leastPatient struct {
	state, nonce, verifier string
	access, id             string
	idpe, assignAuth       string
	paired                 bool
	lastError              string
}

func newLeast(here, token string) *least {
	return &least{here: here, token: token, patients: map[string]*leastPatient{}, links: map[string]*leastPatient{}, sessions: map[string]*leastPatient{}}
}

func (l *least) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	switch action, pilot := strings.CutPrefix(r.URL.Path, "/etalon/actions/"); {
	case pilot && r.Method == http.MethodPost:
		l.pilot(w, r, action)
	case r.URL.Path == "/pair":
		l.begin(w, r)
	case r.URL.Path == "/mes/callback":
		l.end(w, r)
	case r.URL.Path == "/":
		fmt.Fprintln(w, "Carnet de mesures")
	default:
		http.NotFound(w, r)
	}
}

type leastAnswer struct {
	Status  string `json:"status"`
	Open    string `json:"open,omitempty"`
	Data    any    `json:"data,omitempty"`
	Message string `json:"message,omitempty"`
}

func (l *least) pilot(w http.ResponseWriter, r *http.Request, action string) {
	if r.Header.Get("Authorization") != "Bearer "+l.token {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	var c struct {
		Patient string
		Payload struct {
			MES     leastMES
			Measure struct {
				Kind  string
				Value json.Number
				At    string
			}
		}
	}
	if err := json.NewDecoder(io.LimitReader(r.Body, 1<<20)).Decode(&c); err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	var a leastAnswer
	switch action {
	case "configure":
		l.configure(c.Payload.MES)
		a = leastAnswer{Status: "done", Data: map[string]any{"redirectUris": []string{l.here + "/mes/callback"}}}
	case "pair":
		a = leastAnswer{Status: "done", Open: l.offer(l.patient(c.Patient))}
	case "send-measure":
		m := c.Payload.Measure
		a = l.send(l.patient(c.Patient), m.Kind, m.Value, m.At)
	case "status":
		p := l.patient(c.Patient)
		l.mu.Lock()
		a = leastAnswer{Status: "done", Data: map[string]any{"paired": p.paired, "offersPairing": !p.paired, "lastError": p.lastError}}
		l.mu.Unlock()
	default:
		a = leastAnswer{Status: "unsupported", Message: "this service does not know " + action}
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(a)
}

func (l *least) configure(m leastMES) {
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM([]byte(m.CA))
	l.mu.Lock()
	defer l.mu.Unlock()
	l.mes = m
	l.http = &http.Client{
		Timeout: 5 * time.Second,
		// Tokens go nowhere else.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport:     &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}},
	}
}

func (l *least) patient(handle string) *leastPatient {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.patients[handle] == nil {
		l.patients[handle] = &leastPatient{}
	}
	return l.patients[handle]
}

func random() string {
	b := make([]byte, 32)
	_, _ = rand.Read(b)
	return base64.RawURLEncoding.EncodeToString(b)
}

func (l *least) offer(p *leastPatient) string {
	once := random()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.links[once] = p
	return l.here + "/pair?once=" + once
}

func (l *least) begin(w http.ResponseWriter, r *http.Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	once := r.URL.Query().Get("once")
	p := l.links[once]
	if p == nil {
		http.NotFound(w, r)
		return
	}
	delete(l.links, once)
	session := random()
	l.sessions[session] = p
	p.state, p.nonce, p.verifier = random(), random(), random()
	challenge := sha256.Sum256([]byte(p.verifier))
	http.SetCookie(w, &http.Cookie{Name: "session", Value: session, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode})
	http.Redirect(w, r, l.mes.Endpoints.Authorization+"?"+url.Values{
		"response_type": {"code"}, "client_id": {l.mes.Client.ID}, "redirect_uri": {l.here + "/mes/callback"}, "scope": {"openid"},
		"state": {p.state}, "nonce": {p.nonce}, "code_challenge": {base64.RawURLEncoding.EncodeToString(challenge[:])}, "code_challenge_method": {"S256"},
	}.Encode(), http.StatusSeeOther)
}

func (l *least) end(w http.ResponseWriter, r *http.Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	cookie, err := r.Cookie("session")
	if err != nil || l.sessions[cookie.Value] == nil {
		http.Error(w, "this return belongs to no request of this browser", http.StatusBadRequest)
		return
	}
	p, q := l.sessions[cookie.Value], r.URL.Query()
	if p.state == "" || q.Get("state") != p.state {
		http.Error(w, "this return belongs to no request of this browser", http.StatusBadRequest)
		return
	}
	p.state = "" // one return only
	if err := l.exchange(p, q); err != nil {
		p.lastError = err.Error()
	}
	fmt.Fprintln(w, "Carnet de mesures")
}

// exchange is called with the lock held: this service does one thing at a time.
func (l *least) exchange(p *leastPatient, q url.Values) error {
	if q.Has("error") {
		return errors.New("you did not agree")
	}
	form := url.Values{"grant_type": {"authorization_code"}, "code": {q.Get("code")}, "redirect_uri": {l.here + "/mes/callback"}, "code_verifier": {p.verifier}}
	req, err := http.NewRequest(http.MethodPost, l.mes.Endpoints.Token, strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.SetBasicAuth(url.QueryEscape(l.mes.Client.ID), url.QueryEscape(l.mes.Client.Secret))
	var tokens struct {
		Access string `json:"access_token"`
		ID     string `json:"id_token"`
	}
	if err := l.ask(req, &tokens); err != nil {
		return err
	}
	parts := strings.Split(tokens.ID, ".")
	if len(parts) != 3 {
		return errors.New("no id_token")
	}
	raw, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return err
	}
	var claims struct{ Nonce, IDPe, AssignAuth string }
	if err := json.Unmarshal(raw, &claims); err != nil || claims.Nonce != p.nonce {
		return errors.New("the id_token is of another request")
	}
	p.access, p.id, p.idpe, p.assignAuth, p.paired, p.lastError = tokens.Access, tokens.ID, claims.IDPe, claims.AssignAuth, true, ""
	return nil
}

func (l *least) ask(req *http.Request, into any) error {
	res, err := l.http.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err != nil {
		return err
	}
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("Mon espace santé answers %d", res.StatusCode)
	}
	return json.Unmarshal(raw, into)
}

func (l *least) send(p *leastPatient, kind string, value json.Number, at string) leastAnswer {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case kind != "weight":
		return leastAnswer{Status: "unsupported", Message: "this service sends weights only"}
	case !p.paired:
		return leastAnswer{Status: "refused", Message: "not paired"}
	}
	uuid := make([]byte, 16)
	_, _ = rand.Read(uuid)
	h := hex.EncodeToString(uuid)
	type m = map[string]any
	coded := func(system, code string) m { return m{"coding": []any{m{"system": system, "code": code}}} }
	body, err := json.Marshal(m{"resourceType": "Bundle", "type": "transaction", "entry": []any{m{
		"fullUrl": "urn:uuid:" + h[:8] + "-" + h[8:12] + "-4" + h[13:16] + "-8" + h[17:20] + "-" + h[20:],
		"request": m{"method": "POST", "url": "Observation"},
		"resource": m{
			"resourceType": "Observation", "status": "final",
			"meta":              m{"profile": []any{"https://fhir.monespacesante.fr/ref/mesure/StructureDefinition/mes-observation-bodyweight"}},
			"category":          []any{coded("http://terminology.hl7.org/CodeSystem/observation-category", "vital-signs")},
			"code":              coded("http://loinc.org", "29463-7"),
			"subject":           m{"identifier": m{"system": p.assignAuth, "value": p.idpe}},
			"effectiveDateTime": at,
			"valueQuantity":     m{"value": value, "unit": "kg", "system": "http://unitsofmeasure.org", "code": "kg"},
		},
	}}})
	if err != nil {
		return leastAnswer{Status: "failed", Message: err.Error()}
	}
	req, err := http.NewRequest(http.MethodPost, l.mes.Endpoints.FHIR, bytes.NewReader(body))
	if err != nil {
		return leastAnswer{Status: "failed", Message: err.Error()}
	}
	req.Header.Set("Content-Type", "application/fhir+json")
	req.Header.Set("Authorization", "Bearer "+p.access)
	req.Header.Set(l.mes.Endpoints.IDTokenHeader, p.id)
	var answer m
	if err := l.ask(req, &answer); err != nil {
		p.lastError = err.Error()
		return leastAnswer{Status: "failed", Message: err.Error()}
	}
	p.lastError = ""
	return leastAnswer{Status: "done"}
}
