package run_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/onsi/ginkgo/v2"

	"github.com/etalon-sante/etalon/reports"
	"github.com/etalon-sante/etalon/sandbox/record"
	"github.com/etalon-sante/etalon/suites/lab"
	"github.com/etalon-sante/etalon/suites/run"
)

// judgeWith judges requirements on a journal with one scenario in it, with
// leaves of the test for their checks.
func judgeWith(t *testing.T, plan []string, leaf func(l *lab.Lab)) reports.Report {
	t.Helper()
	info := run.Info{Started: time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC), State: "observed", Seed: 1}
	for _, id := range plan {
		info.Plan = append(info.Plan, run.Planned{Requirement: id, Decision: "judge"})
		info.Profile.Blocking = append(info.Profile.Blocking, id)
	}
	at := info.Started
	records := []record.Record{
		{Seq: 1, At: at, Scenario: "manifest", Kind: record.KindMark, Mark: &record.Mark{Kind: "start"}},
		{Seq: 2, At: at, Scenario: "manifest", Kind: record.KindMark, Mark: &record.Mark{Kind: "end", Data: json.RawMessage(`{"outcome":"done"}`)}},
	}
	r, err := run.Judge(run.Recorded{Info: info, Records: records}, leaf)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func verdictOf(t *testing.T, r reports.Report, check string) reports.Check {
	t.Helper()
	for _, res := range r.Results {
		for _, c := range res.Checks {
			if c.ID == check {
				return c
			}
		}
	}
	t.Fatalf("check %s is not in the report", check)
	return reports.Check{}
}

func TestWhatBreaksInOneCheckSpoilsThatCheckOnly(t *testing.T) {
	// GOV-01.1 and GOV-02.1 are the checks of two requirements; what stands in
	// their leaves here is the test's.
	for name, broken := range map[string]func(lab.Trace){
		"a panic":         func(t lab.Trace) { t.Occasion(); panic("boom") },
		"a nil map":       func(t lab.Trace) { t.Occasion(); var m map[string]int; m["x"] = 1 }, //nolint:staticcheck // the point of the test
		"a plain failure": func(t lab.Trace) { t.Occasion(); ginkgo.Fail("boom") },
		"a skip":          func(t lab.Trace) { t.Occasion(); ginkgo.Skip("boom") },
		"no occasion":     func(lab.Trace) {},
	} {
		r := judgeWith(t, []string{"GOV-01", "GOV-02"}, func(l *lab.Lab) {
			s := l.Scenario("manifest", "what the manifest says", nil)
			ginkgo.It("breaks", lab.Check("GOV-01.1"), lab.Reads(s), func() { broken(s.Trace()) })
			ginkgo.It("is met", lab.Check("GOV-02.1"), lab.Reads(s), func() { s.Trace().Occasion() })
		})
		if c := verdictOf(t, r, "GOV-01.1"); c.Verdict != reports.Error || c.Reason.EN == "" || c.Reason.FR == "" {
			t.Errorf("%s: the check is %s (%s), not an error that says why", name, c.Verdict, c.Reason.EN)
		}
		if c := verdictOf(t, r, "GOV-02.1"); c.Verdict != reports.Conformant {
			t.Errorf("%s: the other check is %s (%s), not conformant", name, c.Verdict, c.Reason.EN)
		}
		if r.Verdict != reports.RunError || r.ExitCode != reports.ExitError {
			t.Errorf("%s: the run is %s, exit %d", name, r.Verdict, r.ExitCode)
		}
	}
}

func TestACheckWithoutALeafIsAnError(t *testing.T) {
	r := judgeWith(t, []string{"GOV-01"}, func(*lab.Lab) {})
	c := verdictOf(t, r, "GOV-01.1")
	if c.Verdict != reports.Error || !strings.Contains(c.Reason.EN, "did not run") || r.ExitCode != reports.ExitError {
		t.Errorf("%+v, exit %d", c, r.ExitCode)
	}
}

func TestAnEmptyPlanIsNeverGreen(t *testing.T) {
	if r := judgeWith(t, nil, run.Register); r.ExitCode == reports.ExitConformant {
		t.Errorf("a plan without requirements ends with %d", r.ExitCode)
	}
	if r := judgeWith(t, []string{"NO-01"}, run.Register); r.ExitCode != reports.ExitError {
		t.Errorf("a requirement that no one knows ends with %d", r.ExitCode)
	}
}
