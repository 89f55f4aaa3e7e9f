package run_test

import (
	"bytes"
	"crypto/x509"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/etalon-sante/etalon/reports"
	"github.com/etalon-sante/etalon/reports/html"
	"github.com/etalon-sante/etalon/sandbox/record"
	"github.com/etalon-sante/etalon/suites/lab"
	"github.com/etalon-sante/etalon/suites/probe/web"
	"github.com/etalon-sante/etalon/suites/run"
	"github.com/etalon-sante/etalon/suites/security"
)

// Our own pages are held to the rules for pages of others, by the same probe and
// the same specs: their policy, and what they load.
func TestOurPagesKeepTheRulesThatWeAskOfOthers(t *testing.T) {
	r := reports.Report{
		Candidate: reports.Candidate{Service: reports.Service{Name: "Carnet", Version: "1"}, Web: reports.Web{Site: "https://carnet.example/"}},
		Results: []reports.Result{{
			Requirement: "SEC-01", Theme: "security", Verdict: reports.ToReview, Title: reports.Text{FR: "Un titre", EN: "A title"},
			Sources: []reports.Source{{Key: "rfc", Document: "RFC 6749", Link: "https://www.rfc-editor.org/rfc/rfc6749", Basis: "stated"}},
			Checks: []reports.Check{{ID: "SEC-01.1", Verdict: reports.ToReview, Pictures: []reports.Picture{{
				Of: "page", File: "artifacts/0123456789abcdef-page.webp", SHA256: strings.Repeat("0", 64), Width: 10, Height: 10, Alt: reports.Text{FR: "Une page.", EN: "A page."},
			}}}},
		}},
	}
	r.Conclude()
	write := map[string]func(io.Writer) error{
		"/":              func(w io.Writer) error { return html.Write(w, r, "fr") },
		"/index.en.html": func(w io.Writer) error { return html.Write(w, r, "en") },
		"/public.html":   func(w io.Writer) error { return html.WritePublic(w, r, "fr") },
		"/overview": func(w io.Writer) error {
			return html.WriteOverview(w, []html.Judged{{Report: &r, Folder: "un"}}, time.Now(), "fr")
		},
	}
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		page, ok := write[q.URL.Path]
		if !ok {
			http.NotFound(w, q)
			return
		}
		var b bytes.Buffer
		if err := page(&b); err != nil {
			t.Error(err)
		}
		// Who may frame a page is heard from its server alone (CSP 3, 6.4.2): a page
		// that says so itself gets a complaint of the browser.
		w.Header().Set("Content-Security-Policy", "frame-ancestors 'none'")
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write(b.Bytes())
	}))
	t.Cleanup(server.Close)
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	seen, err := web.Look(t.Context(), web.Options{
		Site: server.URL, Plain: server.URL, Roots: roots, Interval: -1,
		Pages: []web.Target{{Path: "/index.en.html", Role: "account"}, {Path: "/public.html", Role: "legal"}, {Path: "/overview", Role: "privacy"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	read := 0
	for _, p := range seen.Pages {
		if p.HTML && p.Status == http.StatusOK {
			read++
		}
	}
	if read != len(write) {
		t.Fatalf("%d pages of %d were read: %+v", read, len(write), seen.Pages)
	}
	data, err := json.Marshal(seen)
	if err != nil {
		t.Fatal(err)
	}
	end, err := json.Marshal(lab.Ending{Outcome: lab.Completed})
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	rec := run.Recorded{Records: []record.Record{
		{Seq: 1, At: now, Kind: record.KindProbe, Scenario: "web-pages", Probe: &record.Probe{Kind: "web", Target: server.URL, Data: data}},
		{Seq: 2, At: now, Kind: record.KindMark, Scenario: "web-pages", Mark: &record.Mark{Kind: "end", Data: end}},
	}}
	asked := []string{"SEC-06", "SEC-40", "SEC-41"}
	for _, id := range asked {
		rec.Info.Plan = append(rec.Info.Plan, run.Planned{Requirement: id, Decision: "judge"})
	}
	rec.Info.Started, rec.Info.State = now, "observed"
	got, err := run.Judge(rec, security.Specs)
	if err != nil {
		t.Fatal(err)
	}
	checks := 0
	for _, x := range got.Results {
		for _, c := range x.Checks {
			checks++
			if c.Verdict != reports.Conformant {
				t.Errorf("%s is %s: %s %+v", c.ID, c.Verdict, c.Reason.EN, c.Findings)
			}
		}
	}
	if len(got.Results) != len(asked) || checks < 8 {
		t.Errorf("%d requirements, %d checks were judged", len(got.Results), checks)
	}
}
