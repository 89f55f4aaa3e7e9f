package security

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/onsi/ginkgo/v2/extensions/globals"

	"github.com/etalon-sante/etalon/sandbox/control"
	"github.com/etalon-sante/etalon/sandbox/record"
	"github.com/etalon-sante/etalon/suites/candidate"
	"github.com/etalon-sante/etalon/suites/lab"
)

// emptySandbox is a control API under which nothing ever happens: the scenarios
// of this suite do not need a sandbox, the lab that plays them does.
func emptySandbox(t *testing.T) control.API {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/spaces/{space}/secrets", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("[]")) })
	mux.HandleFunc("GET /v1/spaces/{space}/journal", func(w http.ResponseWriter, r *http.Request) {
		if wait := r.URL.Query().Get("wait"); wait != "" && wait != "0" {
			select {
			case <-r.Context().Done():
			case <-time.After(100 * time.Millisecond):
			}
		}
		_, _ = w.Write([]byte(`{"records":[],"next":0}`))
	})
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return control.API{Base: s.URL, Token: "x", HTTP: s.Client()}
}

// The scenarios, played for real against a small service, then judged: what the
// probes write down is what the checks read, and no secret is in it.
func TestTheScenariosOfTheSuiteAgainstASmallService(t *testing.T) {
	const session, token = "0f1e2d3c4b5a69788796a5b4c3d2e1f0", "the-token-of-the-pilot"
	others := "https://cdn.example/a.js"
	site := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Strict-Transport-Security", "max-age=31536000")
		h.Set("Content-Security-Policy", "default-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cache-Control", "no-store")
		switch {
		case r.Method != http.MethodGet || (r.URL.Path != "/" && r.URL.Path != "/connexion" && r.URL.Path != "/.well-known/security.txt"):
			http.NotFound(w, r)
		case r.URL.Path == "/.well-known/security.txt":
			h.Set("Content-Type", "text/plain")
			_, _ = w.Write([]byte("Contact: mailto:securite@service.example\nExpires: 2027-06-30T00:00:00Z\n"))
		default:
			http.SetCookie(w, &http.Cookie{Name: "__Host-session", Value: session, Path: "/", Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode})
			h.Set("Content-Type", "text/html; charset=utf-8")
			_, _ = w.Write([]byte(`<!doctype html><p data-s="` + session + `"><script src="` + others + `" integrity="sha256-` + strings.Repeat("A", 43) + `=" crossorigin></script>`))
		}
	}))
	site.TLS = &tls.Config{CipherSuites: []uint16{tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256}}
	site.Config.ErrorLog = log.New(io.Discard, "", 0) // of the hellos that end in no handshake
	site.StartTLS()
	defer site.Close()
	plain := httptest.NewServer(http.RedirectHandler(site.URL+"/", http.StatusMovedPermanently))
	defer plain.Close()
	pilot := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if r.Header.Get("Authorization") != "Bearer "+token {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		_, _ = w.Write([]byte(`{"status":"done","data":{"paired":false}}`))
	}))
	defer pilot.Close()

	roots := x509.NewCertPool()
	roots.AddCert(site.Certificate())
	var c candidate.Candidate
	c.Web = candidate.Web{Production: site.URL, Site: site.URL, Plain: plain.URL, Own: true, Pages: []candidate.Page{{Path: "/connexion", Role: "login"}}}
	c.Pilot = candidate.PilotConfig{Kind: "http", URL: pilot.URL + "/pilot", Token: token}
	c.Timing.Action, c.Concurrency = 2*time.Second, 4

	l := lab.New()
	globals.Reset()
	Specs(l)
	var journal []record.Record
	err := l.Observe(t.Context(), lab.Env{
		Candidate: c, Sandbox: emptySandbox(t), Space: control.Space{ID: "s"}, Roots: roots, Redactor: record.NewRedactor(), Run: "r",
		Now: func() time.Time { return today }, Sink: func(r []record.Record) error { journal = append(journal, r...); return nil },
	}, l.Scenarios())
	if err != nil {
		t.Fatal(err)
	}
	all, err := json.Marshal(journal)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{session, token} {
		if strings.Contains(string(all), secret) {
			t.Errorf("%s is in the journal", secret)
		}
	}
	if !strings.Contains(string(all), "«cookie-1»") || !strings.Contains(string(all), "«pilot-token-1»") {
		t.Error("the secrets have no name in the journal")
	}
	ids := map[string]bool{}
	for _, r := range journal {
		if x := r.Exchange; x != nil {
			if ids[x.ID] || !strings.HasPrefix(x.ID, "h") {
				t.Errorf("exchange id %q", x.ID)
			}
			ids[x.ID] = true
		}
	}
	browsed := slices.Concat(JourneyChecks(), WindowChecks())
	for id, res := range judge(t, journal) {
		switch {
		case id == "SEC-51.1" || id == "SEC-51.2" || id == "SEC-52.1" || strings.HasPrefix(id, "SEC-53") || strings.HasPrefix(id, "SEC-54"), strings.HasPrefix(id, "SEC-6"), slices.Contains(browsed, id):
			if res.State != lab.Untested { // it has no name, no application, and nobody shows it
				t.Errorf("%s is %s: %+v", id, res.State, res)
			}
		case slices.Contains(BrowserChecks(), id):
			if res.State != lab.Untested { // there is no browser
				t.Errorf("%s is %s: %+v", id, res.State, res)
			}
		case id == "SEC-03.1" || id == "SEC-03.3" || id == "SEC-03.4" || id == "SEC-03.2" || id == "SEC-37.2" || id == "SEC-38.1":
			// The certificate of httptest is of its own kind.
		case res.State != lab.Met:
			t.Errorf("%s is %s: %+v", id, res.State, res)
		}
	}
}
