package run_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/etalon-sante/etalon/reports"
	"github.com/etalon-sante/etalon/suites/candidate"
	"github.com/etalon-sante/etalon/suites/run"
	"github.com/etalon-sante/etalon/suites/run/demo"
)

// hangs is a server that tells when it is asked and never answers.
func hangs(t *testing.T) (*httptest.Server, <-chan struct{}) {
	t.Helper()
	asked := make(chan struct{}, 64)
	over := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		asked <- struct{}{}
		select {
		case <-r.Context().Done():
		case <-over:
		}
	}))
	t.Cleanup(func() { close(over); s.Close() })
	return s, asked
}

// told is the pilot of a service, which tells when an action was answered.
func told(t *testing.T, s *demo.Service, action string, answered chan<- struct{}) string {
	t.Helper()
	to, err := url.Parse(s.Manifest.Candidate.Pilot.URL)
	if err != nil {
		t.Fatal(err)
	}
	forward := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: to.Scheme, Host: to.Host})
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		forward.ServeHTTP(w, r)
		if strings.HasSuffix(r.URL.Path, action) {
			answered <- struct{}{}
		}
	}))
	t.Cleanup(proxy.Close)
	return proxy.URL + to.Path
}

func TestAnInterruptionEndsWhateverIsWaitedFor(t *testing.T) {
	for name, c := range map[string]struct {
		manifest func(*testing.T, *demo.Service) (*candidate.Manifest, <-chan struct{})
		only     string
	}{
		"an action that is not answered": {func(t *testing.T, s *demo.Service) (*candidate.Manifest, <-chan struct{}) {
			m := *s.Manifest
			server, asked := hangs(t)
			m.Candidate.Pilot.URL = server.URL
			return &m, asked
		}, "INT-20"},
		"a page of the service that does not load": {func(t *testing.T, s *demo.Service) (*candidate.Manifest, <-chan struct{}) {
			server, asked := hangs(t)
			m := without(t, s, "/pair", `{"status":"done","open":"`+server.URL+`/lien"}`)
			m.Candidate.Web.Plain = server.URL
			return m, asked
		}, "INT-20"},
		"a quiet window": {func(t *testing.T, s *demo.Service) (*candidate.Manifest, <-chan struct{}) {
			// status is what the scenario asks for before it listens.
			m := *s.Manifest
			asked := make(chan struct{}, 64)
			m.Candidate.Pilot.URL = told(t, s, "/status", asked)
			return &m, asked
		}, "INT-12"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := started(t, demo.Options{})
			m, asked := c.manifest(t, s)
			m.Candidate.Timing = candidate.Timing{Action: time.Minute, Effect: time.Minute, Quiet: time.Minute}
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			type end struct {
				out run.Outcome
				err error
			}
			ended := make(chan end, 1)
			folder := filepath.Join(t.TempDir(), "report")
			go func() {
				out, err := run.Run(ctx, run.Options{Manifest: m, Out: folder, Lang: "fr", Seed: 1, Phase: "pilot", Roots: s.Roots, Selection: run.Selection{Only: []string{c.only}}})
				ended <- end{out, err}
			}()
			<-asked
			stop()
			select {
			case e := <-ended:
				if e.err != nil {
					t.Fatal(e.err)
				}
				if !e.out.Report.Run.Interrupted || e.out.Report.ExitCode != reports.ExitInconclusive {
					t.Errorf("interrupted %t, exit code %d", e.out.Report.Run.Interrupted, e.out.Report.ExitCode)
				}
			case <-time.After(20 * time.Second):
				t.Fatal("the run goes on")
			}
		})
	}
}
