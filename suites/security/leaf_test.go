package security

import (
	"encoding/json"
	"flag"
	"io"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/ginkgo/v2/extensions/globals"
	"github.com/onsi/ginkgo/v2/formatter"

	"github.com/etalon-sante/etalon/sandbox/record"
	"github.com/etalon-sante/etalon/suites/candidate"
	"github.com/etalon-sante/etalon/suites/lab"
)

func TestMain(m *testing.M) {
	flag.Parse()
	flag.Visit(func(f *flag.Flag) {
		// Under the ginkgo command, which always gives a seed, only the suite
		// runs: a process builds one tree.
		if f.Name == "ginkgo.seed" {
			_ = flag.Set("test.run", "Suite$")
		}
	})
	formatter.ColorableStdOut, formatter.ColorableStdErr = io.Discard, io.Discard
	os.Exit(m.Run())
}

var today = time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)

// ended is a trace made by hand: one probe of a scenario that went to its end.
func ended(t *testing.T, slug string, probe record.Probe) []record.Record {
	t.Helper()
	end, err := json.Marshal(lab.Ending{Outcome: lab.Completed})
	if err != nil {
		t.Fatal(err)
	}
	return []record.Record{
		{Seq: 1, At: today, Kind: record.KindProbe, Scenario: slug, Probe: &probe},
		{Seq: 2, At: today, Kind: record.KindMark, Scenario: slug, Mark: &record.Mark{Kind: "end", Data: end}},
	}
}

func looked(t *testing.T, slug, kind string, data any) []record.Record {
	t.Helper()
	raw, err := json.Marshal(data)
	if err != nil {
		t.Fatal(err)
	}
	return ended(t, slug, record.Probe{Kind: kind, Target: "test", Data: raw})
}

// judge runs every leaf of the suite over a trace.
func judge(t *testing.T, records []record.Record) map[string]lab.Result {
	t.Helper()
	return judgeAs(t, candidate.Candidate{}, records)
}

// judgeAs does so for a candidate.
func judgeAs(t *testing.T, c candidate.Candidate, records []record.Record) map[string]lab.Result {
	t.Helper()
	l := lab.New()
	globals.Reset()
	Specs(l)
	if err := l.Load(records, lab.Oracle{Candidate: c}); err != nil {
		t.Fatal(err)
	}
	l.Judging(func(string) bool { return true }, func(check string) lab.Text {
		return lab.Text{FR: "faire " + check, EN: "do " + check}
	})
	suite, reporter := ginkgo.GinkgoConfiguration()
	ginkgo.RunSpecs(failing{}, "security", suite, reporter, ginkgo.AroundNode(l.AroundLeaf))
	return l.Results()
}

// failing is the testing.T that RunSpecs wants; leaves that find something fail.
type failing struct{}

func (failing) Fail() {}

// expect compares the states of the checks named; the others must be met,
// where the trace is theirs at all.
func expect(t *testing.T, got map[string]lab.Result, ours []string, want map[string]lab.State) {
	t.Helper()
	for _, id := range ours {
		state, ok := want[id]
		if !ok {
			state = lab.Met
		}
		res, ran := got[id]
		if !ran || res.State != state {
			t.Errorf("%s is %q, want %q: %+v", id, res.State, state, res)
		}
		for _, f := range res.Findings {
			if f.Key == "" || f.Message.FR == "" || f.Message.EN == "" || f.Expected == "" || f.Actual == "" || f.Pointer == "" || f.Seq == 0 {
				t.Errorf("%s: a finding that does not say enough: %+v", id, f)
			}
		}
	}
}

func TestWhatWasNotLookedAtIsUntested(t *testing.T) {
	for name, records := range map[string][]record.Record{
		"nothing at all": nil,
		"looks that came to none": slices.Concat(
			ended(t, "tls-addresses", record.Probe{Kind: "tls", Error: "cannot reach it"}),
			ended(t, "tls-survey", record.Probe{Kind: "tls-depth", Error: "cannot reach it"}),
			ended(t, "web-pages", record.Probe{Kind: "web", Error: "cannot reach it"}),
			ended(t, "pilot-guard", record.Probe{Kind: "pilot", Error: "x"}),
		),
	} {
		got := judge(t, records)
		if len(got) < 41 {
			t.Errorf("%s: %d checks", name, len(got))
		}
		for id, r := range got {
			if r.State != lab.Untested || r.Reason.FR == "" || r.Reason.EN == "" {
				t.Errorf("%s: %s is %s: %+v", name, id, r.State, r.Reason)
			}
		}
	}
}

func TestDataThatCannotBeReadBreaksTheCheckOff(t *testing.T) {
	got := judge(t, ended(t, "tls-addresses", record.Probe{Kind: "tls", Data: json.RawMessage(`{"versions":3}`)}))
	for _, id := range tlsChecks() {
		if got[id].State != lab.Broken {
			t.Errorf("%s is %s", id, got[id].State)
		}
	}
}
