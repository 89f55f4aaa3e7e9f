package run_test

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	ref "github.com/etalon-sante/etalon/fixtures/reference"
	"github.com/etalon-sante/etalon/suites/candidate"
	"github.com/etalon-sante/etalon/suites/run"
	"github.com/etalon-sante/etalon/suites/run/demo"
)

// transport changes each request of the service to the sandbox.
type transport struct {
	next   http.RoundTripper
	change func(*http.Request)
}

func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	t.change(r)
	return t.next.RoundTrip(r)
}

func examine(t *testing.T, m *candidate.Manifest, roots *x509.CertPool, change func(*run.Options)) run.Examination {
	t.Helper()
	o := run.Options{Manifest: m, Seed: 1, Phase: "pilot", Roots: roots}
	if change != nil {
		change(&o)
	}
	e, err := run.Examine(t.Context(), o, nil)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// without is the pilot of the service with something taken out of its answers.
func without(t *testing.T, s *demo.Service, old, now string) *candidate.Manifest {
	t.Helper()
	m := *s.Manifest
	to, err := url.Parse(m.Candidate.Pilot.URL)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, old) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write([]byte(now))
			return
		}
		req := r.Clone(r.Context())
		req.URL.Scheme, req.URL.Host, req.RequestURI = to.Scheme, to.Host, ""
		res, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		defer res.Body.Close()
		w.WriteHeader(res.StatusCode)
		b := make([]byte, 1<<20)
		for {
			n, err := res.Body.Read(b)
			_, _ = w.Write(b[:n])
			if err != nil {
				return
			}
		}
	}))
	t.Cleanup(proxy.Close)
	m.Candidate.Pilot.URL = proxy.URL + to.Path
	return &m
}

func TestTheDoctorNamesTheCauseAndTheCure(t *testing.T) {
	for name, c := range map[string]struct {
		parts    func(*ref.Parts)
		manifest func(*testing.T, *demo.Service) *candidate.Manifest
		options  func(*run.Options)
		step     string
		fr, en   []string // in the text
		cure     string   // in both cures
	}{
		"it does not trust the sandbox": {
			parts: func(p *ref.Parts) {
				p.Transport = func(http.RoundTripper) http.RoundTripper {
					return &http.Transport{TLSClientConfig: &tls.Config{RootCAs: x509.NewCertPool(), MinVersion: tls.VersionTLS12}}
				}
			},
			step: "trust", fr: []string{"il ne se fie pas à son certificat", "remote error: tls: "}, en: []string{"it does not trust its certificate", "remote error: tls: "}, cure: "sandbox-ca.crt",
		},
		"its redirect address is not registered": {
			parts: func(p *ref.Parts) {
				p.Authorize = func(v url.Values) { v.Set("redirect_uri", "https://carnet.example.fr/autre") }
			},
			step: "redirect", fr: []string{"https://carnet.example.fr/autre", "/retour"}, en: []string{"not registered"}, cure: "sandbox.redirectUris",
		},
		"its client_id is unknown": {
			parts: func(p *ref.Parts) { p.Authorize = func(v url.Values) { v.Set("client_id", "autre") } },
			step:  "client", fr: []string{"client_id"}, en: []string{"unknown client_id"}, cure: "sandbox.clientId",
		},
		"its client secret is wrong": {
			parts: func(p *ref.Parts) {
				p.Transport = func(next http.RoundTripper) http.RoundTripper {
					return transport{next, func(r *http.Request) {
						if id, _, ok := r.BasicAuth(); ok {
							r.SetBasicAuth(id, "un-autre-secret")
						}
					}}
				}
			},
			step: "client", fr: []string{"le secret du client n'est pas le bon", "401"}, en: []string{"client's id or secret is wrong"}, cure: "sandbox.clientSecret",
		},
		"it authenticates by another method": {
			parts: func(p *ref.Parts) { p.ClientAuth = func(string) string { return "client_secret_post" } },
			step:  "client", fr: []string{"client_secret_post", "client_secret_basic"}, en: []string{"the agreed method"}, cure: "sandbox.clientAuth",
		},
		"its verifier is not that of the challenge": {
			parts: func(p *ref.Parts) {
				p.Challenge = func(string) (string, string) { return strings.Repeat("a", 43), "S256" }
			},
			step: "pkce", fr: []string{"PKCE"}, en: []string{"PKCE"}, cure: "code_challenge",
		},
		"its pilot gives no link": {
			manifest: func(t *testing.T, s *demo.Service) *candidate.Manifest {
				return without(t, s, "/pair", `{"status":"done"}`)
			},
			step: "pairing", fr: []string{"sans lien"}, en: []string{"without a link"}, cure: "open",
		},
		"its pilot refuses to pair": {
			manifest: func(t *testing.T, s *demo.Service) *candidate.Manifest {
				return without(t, s, "/pair", `{"status":"unsupported"}`)
			},
			step: "pairing", fr: []string{"« unsupported »", "sans dire pourquoi"}, en: []string{`"unsupported"`}, cure: "claims.pairing",
		},
		"its link leads elsewhere": {
			manifest: func(t *testing.T, s *demo.Service) *candidate.Manifest {
				return without(t, s, "/pair", `{"status":"done","open":"https://ailleurs.example.fr/lien"}`)
			},
			step: "pairing", fr: []string{"ailleurs.example.fr"}, en: []string{"ailleurs.example.fr"}, cure: "web.production",
		},
		"its link leads nowhere": {
			manifest: func(t *testing.T, s *demo.Service) *candidate.Manifest {
				return without(t, s, "/pair", `{"status":"done","open":"`+s.Reference.Addresses().Site+`/rien"}`)
			},
			step: "pairing", fr: []string{"statut 404"}, en: []string{"status 404"}, cure: "/oauth2/authorize",
		},
		"its pilot has another token": {
			manifest: func(_ *testing.T, s *demo.Service) *candidate.Manifest {
				m := *s.Manifest
				m.Candidate.Pilot.Token = "un-autre-jeton-de-pilote"
				return &m
			},
			step: "pilot", fr: []string{"401"}, en: []string{"401"}, cure: "pilot.token",
		},
		"its pilot is down": {
			manifest: func(_ *testing.T, s *demo.Service) *candidate.Manifest {
				m := *s.Manifest
				s.Close()
				return &m
			},
			step: "pilot", fr: []string{"aucune connexion au pilote"}, en: []string{"no connection to the pilot"}, cure: "pilot.url",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			parts := ref.Parts{}
			if c.parts != nil {
				c.parts(&parts)
			}
			s := started(t, demo.Options{Parts: parts})
			m := *s.Manifest
			if c.manifest != nil {
				m = *c.manifest(t, s)
			}
			m.Candidate.Timing.Effect = 500 * time.Millisecond
			state := t.TempDir()
			e := examine(t, &m, s.Roots, func(o *run.Options) { o.Sandbox.StateDir = state })
			if e.Healthy() {
				t.Error("found healthy")
			}
			var last run.Step
			for _, step := range e.Steps {
				if step.State == run.StepFailed {
					last = step
				}
			}
			if last.Name != c.step {
				t.Fatalf("the step is %+v", last)
			}
			for _, want := range c.fr {
				if !strings.Contains(last.Text.FR, want) {
					t.Errorf("no %q in %q", want, last.Text.FR)
				}
			}
			for _, want := range c.en {
				if !strings.Contains(last.Text.EN, want) {
					t.Errorf("no %q in %q", want, last.Text.EN)
				}
			}
			if !strings.Contains(last.Cure.FR, c.cure) || !strings.Contains(last.Cure.EN, c.cure) {
				t.Errorf("no %q in %q, %q", c.cure, last.Cure.FR, last.Cure.EN)
			}
			t.Log("\n  ✗ " + last.Text.FR + "\n  → " + last.Cure.FR + "\n  ✗ " + last.Text.EN + "\n  → " + last.Cure.EN)
		})
	}
}

func TestAServiceConfiguredByHandIsToldWhatToEnter(t *testing.T) {
	s := started(t, demo.Options{DisableConfigure: true})
	m := *s.Manifest
	m.Candidate.Claims.Pairing = false
	state := t.TempDir()
	e := examine(t, &m, s.Roots, func(o *run.Options) { o.Sandbox.StateDir = state })
	for _, step := range e.Steps {
		if step.Name != "configure" {
			continue
		}
		path := filepath.Join(state, "sandbox-ca.crt")
		for _, want := range []string{"/oauth2/token", "client_id", path} {
			if !strings.Contains(step.Text.FR, want) || !strings.Contains(step.Text.EN, want) {
				t.Errorf("no %q in %q", want, step.Text.FR)
			}
		}
		if step.State != run.StepDoubt || !strings.Contains(step.Cure.EN, "sandbox.listen") {
			t.Errorf("%+v", step)
		}
		if raw, err := os.ReadFile(path); err != nil || strings.Contains(string(raw), "KEY") {
			t.Errorf("%s: %v", path, err)
		}
		t.Log("\n  ? " + step.Text.FR + "\n  → " + step.Cure.FR + "\n  ? " + step.Text.EN + "\n  → " + step.Cure.EN)
		return
	}
	t.Errorf("no step configure: %+v", e.Steps)
}

func TestASoundServiceIsFoundHealthy(t *testing.T) {
	s := started(t, demo.Options{})
	for _, step := range examine(t, s.Manifest, s.Roots, nil).Steps {
		if step.State != run.StepOK && step.Name != "browser" && step.Name != "pdf" { // left aside here
			t.Errorf("%+v", step)
		}
	}
}
