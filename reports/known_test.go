package reports_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/etalon-sante/etalon/reports"
	"github.com/etalon-sante/etalon/reports/internal/sample"
)

// day is the day of the runs of these tests.
func day() time.Time { return time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC) }

// with is a run over one blocking requirement whose checks have these verdicts,
// "v:key,key", beside one that is conformant.
func with(verdicts ...string) reports.Report {
	r := reports.Report{Run: reports.Run{ID: "r1", Started: day(), Sandbox: reports.Sandbox{Form: "embedded"}}}
	res := reports.Result{Requirement: "INT-01", Blocking: true, Formerly: []string{"INT-90"}}
	var all []reports.Verdict
	for i, s := range verdicts {
		v, keys, _ := strings.Cut(s, ":")
		c := reports.Check{ID: "INT-01." + string(rune('1'+i)), Verdict: reports.Verdict(v)}
		for _, k := range strings.FieldsFunc(keys, func(r rune) bool { return r == ',' }) {
			c.Findings = append(c.Findings, reports.Finding{Key: k})
		}
		res.Checks, all = append(res.Checks, c), append(all, c.Verdict)
	}
	res.Verdict = reports.Worst(all...)
	r.Results = []reports.Result{res, {Requirement: "INT-02", Blocking: true, Verdict: reports.Conformant, Checks: []reports.Check{{ID: "INT-02.1", Verdict: reports.Conformant}}}}
	r.Conclude()
	return r
}

func entry(id, kind, finding, deadline string) reports.Known {
	k := reports.Known{ID: id, Kind: kind, Finding: finding, Reason: "raison", Owner: "équipe", Deadline: deadline}
	if kind == reports.KnownFlaky {
		k.Seen = "2/10"
	}
	return k
}

const (
	later = "2026-11-23" // the day itself is still in time
	past  = "2026-11-22"
)

func TestAnEntryIsWeighedByWhatTheRunSaw(t *testing.T) {
	for name, tc := range map[string]struct {
		run     reports.Report
		entries []reports.Known
		state   reports.KnownState
		gate    int
		command int // exit code of a command that judges the run
	}{
		"seen and in time":                      {with("nonconformant:a"), []reports.Known{entry("INT-01.1", "failing", "", later)}, reports.KnownHolds, 0, 1},
		"seen, by its finding":                  {with("nonconformant:a"), []reports.Known{entry("INT-01.1", "failing", "a", later)}, reports.KnownHolds, 0, 1},
		"the requirement as a whole":            {with("nonconformant:a", "nonconformant:b"), []reports.Known{entry("INT-01", "failing", "", later)}, reports.KnownHolds, 0, 1},
		"under its former id":                   {with("nonconformant:a"), []reports.Known{entry("INT-90.1", "failing", "", later)}, reports.KnownHolds, 0, 1},
		"two entries for two findings":          {with("nonconformant:a,b"), []reports.Known{entry("INT-01.1", "failing", "a", later), entry("INT-01.1", "failing", "b", later)}, reports.KnownHolds, 0, 1},
		"one entry does not hide another thing": {with("nonconformant:a,b"), []reports.Known{entry("INT-01.1", "failing", "a", later)}, reports.KnownHolds, 1, 1},
		"one check does not hide another":       {with("nonconformant:a", "nonconformant:a"), []reports.Known{entry("INT-01.1", "failing", "", later)}, reports.KnownHolds, 1, 1},
		"what fails is not known as untested":   {with("nonconformant:a", "untested"), []reports.Known{entry("INT-01.1", "failing", "", later)}, reports.KnownHolds, 4, 1},
		"mended":                                {with("conformant"), []reports.Known{entry("INT-01.1", "failing", "", later)}, reports.KnownStale, 1, 1},
		"mended and late":                       {with("conformant"), []reports.Known{entry("INT-01.1", "failing", "", past)}, reports.KnownStale, 1, 1},
		"no such id":                            {with("conformant"), []reports.Known{entry("INT-77.1", "failing", "", later)}, reports.KnownUnmatched, 1, 1},
		"no such check":                         {with("conformant"), []reports.Known{entry("INT-01.9", "failing", "", later)}, reports.KnownUnmatched, 1, 1},
		"fails otherwise":                       {with("nonconformant:b"), []reports.Known{entry("INT-01.1", "failing", "a", later)}, reports.KnownUnmatched, 1, 1},
		"does not concern the service":          {with("not-applicable"), []reports.Known{entry("INT-01.1", "failing", "", later)}, reports.KnownUnmatched, 1, 1},
		"late":                                  {with("nonconformant:a"), []reports.Known{entry("INT-01.1", "failing", "", past)}, reports.KnownOverdue, 1, 1},
		"late, and nothing seen":                {with("untested"), []reports.Known{entry("INT-01.1", "failing", "", past)}, reports.KnownOverdue, 1, 1},
		"untested":                              {with("untested"), []reports.Known{entry("INT-01.1", "failing", "", later)}, reports.KnownNotSeen, 4, 4},
		"flaky, seen":                           {with("nonconformant:a"), []reports.Known{entry("INT-01.1", "flaky", "", later)}, reports.KnownHolds, 0, 1},
		"flaky, untested":                       {with("untested"), []reports.Known{entry("INT-01.1", "flaky", "", later)}, reports.KnownHolds, 0, 4},
		"flaky, not this time":                  {with("conformant"), []reports.Known{entry("INT-01.1", "flaky", "", later)}, reports.KnownNotSeen, 0, 0},
		"flaky and late":                        {with("conformant"), []reports.Known{entry("INT-01.1", "flaky", "", past)}, reports.KnownOverdue, 1, 1},
		"our own error is never known":          {with("error"), []reports.Known{entry("INT-01.1", "flaky", "", later)}, reports.KnownNotSeen, 5, 5},
	} {
		t.Run(name, func(t *testing.T) {
			r := tc.run
			verdict, code := r.Verdict, r.ExitCode
			r.Weigh(tc.entries, "", func(string) bool { return false })
			if r.Verdict != verdict || r.ExitCode != code {
				t.Errorf("the verdict moved: %s %d, was %s %d", r.Verdict, r.ExitCode, verdict, code)
			}
			got := r.Known.Entries[0]
			if got.State != tc.state || got.Sentence.FR == "" || got.Sentence.EN == "" {
				t.Errorf("it is %q (%s), not %q", got.State, got.Sentence.EN, tc.state)
			}
			if r.Known.Gate.ExitCode != tc.gate || r.Known.Gate.Passes != (tc.gate == 0) {
				t.Errorf("the gate is %+v, not %d", r.Known.Gate, tc.gate)
			}
			if n := r.CommandCode(); n != tc.command {
				t.Errorf("the command ends in %d, not %d", n, tc.command)
			}
		})
	}
}

func TestTheGateNeverOpensOnARunThatShowsNothing(t *testing.T) {
	known := []reports.Known{entry("INT-01", "flaky", "", later), entry("INT-02", "flaky", "", later)}
	cut := with("nonconformant:a")
	cut.Run.Interrupted = true
	cut.Conclude()
	free := with("nonconformant:a")
	free.Run.FreeUse, free.Run.Partial = true, true
	free.Conclude()
	blank := with("untested")
	blank.Results[1].Verdict, blank.Results[1].Checks[0].Verdict = reports.Untested, reports.Untested
	blank.Conclude()
	failed := with("nonconformant:a")
	failed.Verdict, failed.ExitCode = reports.RunError, reports.ExitError
	for name, r := range map[string]reports.Report{"interrupted": cut, "free use": free, "nothing observed": blank, "failed": failed, "empty": {Verdict: reports.RunError, ExitCode: 5}} {
		r.Weigh(known, "", func(string) bool { return true })
		if r.Known.Gate.Passes {
			t.Errorf("%s: it passes: %+v", name, r.Known)
		}
	}
}

func TestOutsideASelectionAnEntryIsNotWrong(t *testing.T) {
	r := with("conformant")
	r.Run.Partial = true
	r.Conclude()
	r.Weigh([]reports.Known{entry("SEC-01.1", "failing", "", past)}, "", func(id string) bool { return id == "SEC-01.1" })
	if e := r.Known.Entries[0]; e.State != reports.KnownNotSeen || !r.Known.Holds || r.Known.Gate.ExitCode != 0 {
		t.Errorf("%+v", r.Known)
	}
	r.Weigh([]reports.Known{entry("SEC-01.7", "failing", "", later)}, "", func(id string) bool { return id == "SEC-01.1" })
	if e := r.Known.Entries[0]; e.State != reports.KnownUnmatched {
		t.Errorf("an id that the catalogue lacks is %q", e.State)
	}
}

func TestStrictCountsWhatIsKnownToo(t *testing.T) {
	r := with("deviation:a")
	r.Run.Strict = true
	r.Conclude()
	r.Weigh([]reports.Known{entry("INT-01.1", "failing", "a", later)}, "", func(string) bool { return false })
	if r.ExitCode != 1 || r.Known.Gate.ExitCode != 0 {
		t.Errorf("%d, gate %+v", r.ExitCode, r.Known.Gate)
	}
}

func TestAReportWithKnownNonconformitiesIsReadBack(t *testing.T) {
	r := sample.Known()
	var b bytes.Buffer
	if err := reports.Write(&b, r); err != nil {
		t.Fatal(err)
	}
	back, err := reports.Read(b.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	var states []reports.KnownState
	for _, e := range back.Known.Entries {
		states = append(states, e.State)
	}
	want := []reports.KnownState{reports.KnownHolds, reports.KnownHolds, reports.KnownHolds, reports.KnownNotSeen, reports.KnownStale, reports.KnownUnmatched, reports.KnownOverdue}
	if !slices.Equal(states, want) || back.Known.Holds || back.Known.Gate.Passes {
		t.Errorf("%v %+v", states, back.Known)
	}
	if as := back.KnownAs("INT-34.1"); as != nil {
		t.Errorf("one of two findings is known, and it is said to be explained: %v", as)
	}
	if as := back.KnownAs("INT-04.1"); len(as) != 1 {
		t.Errorf("INT-04.1 is known as %v", as)
	}
}
