package run_test

import (
	"context"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/etalon-sante/etalon/fixtures/reference"
	"github.com/etalon-sante/etalon/reports"
	"github.com/etalon-sante/etalon/sandbox/record"
	"github.com/etalon-sante/etalon/suites/candidate"
	"github.com/etalon-sante/etalon/suites/candidate/pilot"
	"github.com/etalon-sante/etalon/suites/lab"
	"github.com/etalon-sante/etalon/suites/probe/browser"
	"github.com/etalon-sante/etalon/suites/requirement"
	"github.com/etalon-sante/etalon/suites/run"
	"github.com/etalon-sante/etalon/suites/run/demo"
)

// handed configures the service by its endpoint, as an editor would by hand, and
// leaves all else to another pilot.
type handed struct{ endpoint, rest candidate.Pilot }

func (h handed) Do(ctx context.Context, call candidate.Call) (candidate.Answer, error) {
	if call.Action == candidate.Configure {
		return h.endpoint.Do(ctx, call)
	}
	return h.rest.Do(ctx, call)
}

// judged observes some scenarios on the reference service and gives the verdicts of
// the checks that read nothing else.
func judged(t *testing.T, h *browser.Host, recorded bool, slugs ...string) map[string]reports.Verdict {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	s, err := demo.Start(ctx, demo.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	bench, err := run.OpenBench(ctx, run.SandboxOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer bench.Close()
	endpoint, release, err := pilot.New(s.Manifest, pilot.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	attendant, redactor := lab.NewAttendant(), record.NewRedactor()
	c, thePilot := s.Manifest.Candidate, endpoint
	if recorded {
		c.Pilot = candidate.PilotConfig{Kind: "browser", Recordings: reference.Recordings()}
		c.Timing.Action = time.Minute
		played := pilot.NewBrowser(c, pilot.BrowserOptions{
			Host: h, Sandbox: bench.Health.Public, Now: time.Now, Tell: func(kind, value string) { redactor.Name(kind, value) },
			Patient: func(handle string) (pilot.Account, bool) {
				login, password, ok := attendant.Account(handle)
				return pilot.Account{Login: login, Password: password}, ok
			},
		})
		defer played.Close()
		thePilot = handed{endpoint, played}
	}
	leaves, l, err := run.Leaves(run.Register)
	if err != nil {
		t.Fatal(err)
	}
	session, err := run.OpenSession(ctx, run.SessionOptions{
		Bench: bench, Candidate: c, Secrets: s.Manifest.Secrets, Pilot: thePilot, Roots: s.Roots, Run: "browser-pilot", Seed: 1, Now: time.Now,
		Redactor: redactor, Attendant: attendant,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close(context.WithoutCancel(ctx))
	var scenarios []*lab.Scenario
	for _, slug := range slugs {
		scenarios = append(scenarios, l.Lookup(slug))
	}
	var mu sync.Mutex
	var records []record.Record
	err = session.Observe(ctx, l, scenarios, 1, nil, func(rs []record.Record) error {
		mu.Lock()
		defer mu.Unlock()
		records = append(records, rs...)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for i := range records {
		records[i].Seq = i + 1
	}
	report, err := run.Judge(run.Recorded{Info: run.Info{Started: time.Now(), State: "observed", Seed: 1, Plan: everything(t, c)}, Candidate: c, Records: records}, run.Register)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]reports.Verdict{}
	for _, r := range report.Results {
		for _, k := range r.Checks {
			reads := leaves[k.ID].Reads
			if len(reads) > 0 && !slices.ContainsFunc(reads, func(s string) bool { return !slices.Contains(slugs, s) }) {
				out[k.ID] = k.Verdict
				if recorded && k.Verdict != reports.Conformant {
					t.Logf("%s is %s: %s", k.ID, k.Verdict, k.Reason.EN)
				}
			}
		}
	}
	return out
}

// An editor who writes no code, and records what is done in a browser instead, is
// judged as one whose service has an endpoint.
func TestRecordingsJudgeAsAnEndpointDoes(t *testing.T) {
	o := browser.Options{Program: browser.Auto, Loopback: true}
	if why := browser.Missing(o); why != (browser.Text{}) {
		if os.Getenv("CI") != "" {
			t.Fatal(why.EN)
		}
		t.Skip("NOT TRIED: " + why.EN)
	}
	h := browser.Open(o)
	defer h.Close()
	slugs := []string{"pairing-nominal", "feed-dates"}
	byEndpoint, byRecordings := judged(t, h, false, slugs...), judged(t, h, true, slugs...)
	if len(byEndpoint) < 5 {
		t.Fatalf("%d checks only: %v", len(byEndpoint), byEndpoint)
	}
	for _, id := range slices.Sorted(maps.Keys(byEndpoint)) {
		if byEndpoint[id] != byRecordings[id] {
			t.Errorf("%s is %s by an endpoint and %s by recordings", id, byEndpoint[id], byRecordings[id])
		}
	}
	t.Logf("%d checks: %s", len(byEndpoint), strings.Join(slices.Sorted(maps.Keys(byEndpoint)), " "))
}

// everything plans all that concerns a candidate.
func everything(t *testing.T, c candidate.Candidate) []run.Planned {
	t.Helper()
	cat, err := requirement.Load()
	if err != nil {
		t.Fatal(err)
	}
	rule, err := requirement.NewApplicability(cat)
	if err != nil {
		t.Fatal(err)
	}
	var out []run.Planned
	for _, r := range cat.Requirements {
		applies, _, err := rule.Applies(r, c)
		if err != nil {
			t.Fatal(err)
		}
		if len(r.Checks) > 0 && applies {
			out = append(out, run.Planned{Requirement: r.ID, Decision: "judge"})
		}
	}
	return out
}
