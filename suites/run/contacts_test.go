package run_test

import (
	"strings"
	"testing"

	"github.com/etalon-sante/etalon/suites/candidate"
	"github.com/etalon-sante/etalon/suites/probe/browser"
	"github.com/etalon-sante/etalon/suites/run"
)

func TestContactsAreSaidBeforehand(t *testing.T) {
	t.Parallel()
	web := candidate.Web{Site: "https://carnet.example.fr", Production: "https://carnet.example.fr", Plain: "http://carnet.example.fr/", Domain: "carnet.example.fr"}
	own := web
	own.Own = true
	pilot := candidate.PilotConfig{Kind: "http", URL: "https://carnet.example.fr/etalon"}
	for name, c := range map[string]struct {
		candidate candidate.Candidate
		options   run.Options
		says      []string
		never     []string
	}{
		"nothing":          {candidate.Candidate{}, run.Options{}, []string{"contacts no address by itself"}, nil},
		"pilot":            {candidate.Candidate{Pilot: pilot}, run.Options{}, []string{"pilot https://carnet.example.fr/etalon."}, []string{"pages", "web.own"}},
		"pages":            {candidate.Candidate{Web: web}, run.Options{}, []string{"of https://carnet.example.fr, http://carnet.example.fr/ (10 requests and 20 TLS handshakes a second", "nothing of what an intruder"}, []string{"resolver", "from elsewhere"}},
		"own":              {candidate.Candidate{Web: own}, run.Options{}, []string{"what an intruder would ask for, too"}, []string{"nothing of"}},
		"resolver":         {candidate.Candidate{Web: web}, run.Options{Resolver: "192.0.2.53"}, []string{"resolver 192.0.2.53, for carnet.example.fr"}, nil},
		"this machine":     {candidate.Candidate{Web: candidate.Web{Site: "https://127.0.0.1:8443"}}, run.Options{}, []string{"this machine: no limit of rate"}, []string{"10 requests"}},
		"no browser there": {candidate.Candidate{Web: web}, run.Options{Browser: browser.Options{Program: "/nowhere/chromium"}}, nil, []string{"from elsewhere"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := run.Contacts(c.candidate, c.options)
			for _, part := range c.says {
				if !strings.Contains(got.EN, part) {
					t.Errorf("%q does not say %q", got.EN, part)
				}
			}
			for _, part := range c.never {
				if strings.Contains(got.EN, part) {
					t.Errorf("%q says %q", got.EN, part)
				}
			}
			if got.FR == "" || got.FR == got.EN {
				t.Errorf("in French: %q", got.FR)
			}
		})
	}
}
