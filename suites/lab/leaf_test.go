package lab_test

import (
	"encoding/json"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/ginkgo/v2/extensions/globals"
	"github.com/onsi/ginkgo/v2/formatter"

	"github.com/etalon-sante/etalon/sandbox/record"
	"github.com/etalon-sante/etalon/suites/candidate"
	"github.com/etalon-sante/etalon/suites/lab"
)

// journal numbers records, a second apart.
func journal(records ...record.Record) []record.Record {
	at := time.Date(2026, 11, 22, 8, 30, 0, 0, time.UTC)
	for i := range records {
		records[i].Seq, records[i].At = i+1, at.Add(time.Duration(i)*time.Second)
	}
	return records
}

func request(scenario string, route record.Route, status int, issues ...record.Issue) record.Record {
	return record.Record{Kind: record.KindExchange, Scenario: scenario, Patient: "p-1", Exchange: &record.Exchange{
		ID: "x-" + string(route), From: record.Candidate, To: record.Sandbox, Route: route,
		Response: record.Response{Status: status}, Facts: &record.Facts{Issues: issues},
	}}
}

func ended(t testing.TB, scenario string, e lab.Ending) record.Record {
	t.Helper()
	data, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	return record.Record{Kind: record.KindMark, Scenario: scenario, Mark: &record.Mark{Kind: "end", Data: data}}
}

// judge runs a tree of leaves on what was recorded.
func judge(t *testing.T, records []record.Record, declare func(*lab.Lab)) map[string]lab.Result {
	t.Helper()
	formatter.ColorableStdOut, formatter.ColorableStdErr = io.Discard, io.Discard
	globals.Reset()
	l := lab.New()
	declare(l)
	if err := l.Load(records, lab.Oracle{}); err != nil {
		t.Fatal(err)
	}
	l.Judging(func(string) bool { return true }, func(check string) lab.Text {
		return lab.Text{FR: "faites " + check, EN: "do " + check}
	})
	suite, reporter := ginkgo.GinkgoConfiguration()
	suite.ParallelProcess, suite.ParallelTotal = 1, 1
	reporter.Succinct, reporter.NoColor = true, true
	ginkgo.RunSpecs(failing{}, "lab", suite, reporter, ginkgo.AroundNode(l.AroundLeaf))
	return l.Results()
}

// failing is what RunSpecs tells that leaves failed: the results say it here.
type failing struct{}

func (failing) Fail() {}

func scenarioOf(l *lab.Lab) *lab.Scenario {
	return l.Scenario("feeding", "a measure is fed", nil)
}

func TestHowAScenarioEndedSettlesItsLeaves(t *testing.T) {
	fed := request("feeding", record.RouteFeedMeasure, 201)
	for name, c := range map[string]struct {
		ending *lab.Ending
		seen   bool
		labels []any
		state  lab.State
		reason string
	}{
		"done, and nothing wrong":                     {&lab.Ending{Outcome: lab.Completed}, true, nil, lab.Met, ""},
		"done, without the occasion":                  {&lab.Ending{Outcome: lab.Completed}, false, nil, lab.Untested, "do INT-20.2"},
		"never played":                                {nil, false, nil, lab.Untested, "was not run"},
		"the harness failed":                          {&lab.Ending{Outcome: lab.HarnessFailed, Reason: "no sandbox"}, true, nil, lab.Broken, "no sandbox"},
		"the harness failed, and the claim is judged": {&lab.Ending{Outcome: lab.HarnessFailed}, true, []any{lab.Claims(candidate.SendMeasure)}, lab.Broken, "harness failed"},
		"unsupported names the action":                {&lab.Ending{Outcome: lab.Unsupported, Action: candidate.SendMeasure}, true, nil, lab.Untested, "send-measure"},
		"failed names the action":                     {&lab.Ending{Outcome: lab.CandidateFailed, Action: candidate.Pair, Reason: "no link"}, true, nil, lab.Untested, "action pair did not succeed (no link)"},
		"unsupported, and the claim is judged":        {&lab.Ending{Outcome: lab.Unsupported, Action: candidate.SendMeasure}, true, []any{lab.Claims(candidate.SendMeasure)}, lab.NotMet, ""},
		"failed, and the claim is judged":             {&lab.Ending{Outcome: lab.CandidateFailed, Action: candidate.SendMeasure}, true, []any{lab.Claims(candidate.SendMeasure)}, lab.NotMet, ""},
		"not run, and there is no claim to judge":     {&lab.Ending{Outcome: lab.NotRun}, true, []any{lab.Claims(candidate.SendMeasure)}, lab.Untested, "was not run"},
		"failed, judged all the same, nothing found":  {&lab.Ending{Outcome: lab.CandidateFailed, Action: candidate.Pair}, true, []any{lab.EvenIfEnded()}, lab.Untested, "action pair"},
	} {
		t.Run(name, func(t *testing.T) {
			var records []record.Record
			if c.seen {
				records = append(records, fed)
			}
			if c.ending != nil {
				records = append(records, ended(t, "feeding", *c.ending))
			}
			got := judge(t, journal(records...), func(l *lab.Lab) {
				s := scenarioOf(l)
				args := append([]any{lab.Check("INT-20.2"), lab.Reads(s)}, c.labels...)
				ginkgo.It("is fed", append(args, func() {
					lab.Expect(s.Trace().Requests(record.RouteFeedMeasure).Occasion()).NotTo(lab.HaveIssue("feed.profile"))
				})...)
			})["INT-20.2"]
			if got.State != c.state || !strings.Contains(got.Reason.EN, c.reason) {
				t.Errorf("%s: %s", got.State, got.Reason.EN)
			}
			if c.reason != "" && got.Reason.FR == "" {
				t.Error("no reason in French")
			}
		})
	}
}

func TestWhatIsFoundStandsAlthoughTheScenarioEndedEarly(t *testing.T) {
	wrong := request("feeding", record.RouteFeedMeasure, 422, record.Issue{Rule: "feed.profile", Pointer: "/meta"})
	records := journal(wrong, ended(t, "feeding", lab.Ending{Outcome: lab.CandidateFailed, Action: candidate.SendMeasure}))
	got := judge(t, records, func(l *lab.Lab) {
		s := scenarioOf(l)
		body := func() {
			lab.Expect(s.Trace().Requests(record.RouteFeedMeasure).Occasion()).NotTo(lab.HaveIssue("feed.profile"))
		}
		ginkgo.It("anyway", lab.Check("A"), lab.Reads(s), lab.EvenIfEnded(), body)
		ginkgo.It("not anyway", lab.Check("B"), lab.Reads(s), body)
	})
	if got["A"].State != lab.NotMet || len(got["A"].Findings) != 1 || got["A"].Findings[0].Pointer != "/meta" {
		t.Errorf("anyway: %+v", got["A"])
	}
	if got["B"].State != lab.Untested {
		t.Errorf("not anyway: %+v", got["B"])
	}
}

func TestALeafCollectsAllItsFindingsAndSpoilsNoOther(t *testing.T) {
	two := request("feeding", record.RouteFeedMeasure, 201, record.Issue{Rule: "feed.profile"}, record.Issue{Rule: "feed.profile"})
	records := journal(two, request("feeding", record.RouteToken, 200), ended(t, "feeding", lab.Ending{Outcome: lab.Completed}))
	got := judge(t, records, func(l *lab.Lab) {
		s := scenarioOf(l)
		leaf := func(check string, body func()) { ginkgo.It(check, lab.Check(check), lab.Reads(s), body) }
		leaf("finds three", func() {
			lab.Expect(s.Trace().Occasion()).NotTo(lab.HaveIssue("feed.profile"))
			lab.Expect(s.Trace()).NotTo(lab.HaveRequested(record.RouteToken))
		})
		leaf("panics", func() {
			s.Trace().Occasion()
			panic("oh")
		})
		leaf("names no occasion", func() { lab.Expect(s.Trace()).To(lab.HaveRequested(record.RouteToken)) })
		leaf("is met", func() { lab.Expect(s.Trace().Occasion()).To(lab.HaveRequested(record.RouteToken)) })
		leaf("a person decides", func() { s.Trace().Occasion().Review(lab.Text{FR: "à voir", EN: "look"}) })
	})
	for check, want := range map[string]lab.State{
		"finds three": lab.NotMet, "panics": lab.Broken, "names no occasion": lab.Broken, "is met": lab.Met, "a person decides": lab.ToReview,
	} {
		if got[check].State != want {
			t.Errorf("%s: %s %+v", check, got[check].State, got[check].Reason)
		}
	}
	if n := len(got["finds three"].Findings); n != 3 {
		t.Errorf("%d findings", n)
	}
	if f := got["finds three"].Findings; len(f) == 3 && (f[2].Exchange != "x-token" || f[2].Seq != 2) {
		t.Errorf("the finding cites %+v", f[2])
	}
	if !strings.Contains(got["panics"].Reason.EN, "oh") || !strings.Contains(got["panics"].Reason.FR, "oh") {
		t.Errorf("%+v", got["panics"].Reason)
	}
}

func TestMatchersFindWhatContradictsThem(t *testing.T) {
	why := lab.Text{FR: "non", EN: "no"}
	none := lab.Trace{}
	fed := lab.Trace{Records: journal(
		request("f", record.RouteFeedMeasure, 422, record.Issue{Rule: "feed.code", Pointer: "/code", Expected: "a", Actual: "b", Setting: "measure.codes"}),
		request("f", record.RouteFeedMeasure, 201),
	)}
	for name, c := range map[string]struct {
		finder  lab.Finder
		trace   lab.Trace
		negated bool
		want    []string // keys
	}{
		"requested":              {lab.HaveRequested(record.RouteFeedMeasure), fed, false, nil},
		"requested nothing":      {lab.HaveRequested(record.RouteFeedMeasure), none, false, []string{"no-request"}},
		"requested another":      {lab.HaveRequested(record.RouteToken), fed, false, []string{"no-request"}},
		"not to have requested":  {lab.HaveRequested(record.RouteFeedMeasure), fed, true, []string{"unexpected-request", "unexpected-request"}},
		"not requested at all":   {lab.HaveRequested(record.RouteToken), fed, true, nil},
		"an issue":               {lab.HaveIssue("feed.code"), fed, false, nil},
		"no such issue":          {lab.HaveIssue("feed.profile"), fed, false, []string{"no-issue"}},
		"not to have the issue":  {lab.HaveIssue("feed.profile", "feed.code"), fed, true, []string{"feed.code"}},
		"not to have another":    {lab.HaveIssue("feed.profile"), fed, true, nil},
		"at most two":            {lab.HaveAtMost(2, "k", why), fed, false, nil},
		"at most one":            {lab.HaveAtMost(1, "k", why), fed, false, []string{"k"}},
		"at most none":           {lab.HaveAtMost(0, "k", why), fed, false, []string{"k", "k"}},
		"empty":                  {lab.BeEmpty("k", why), none, false, nil},
		"not empty":              {lab.BeEmpty("k", why), fed, false, []string{"k", "k"}},
		"not to be empty":        {lab.BeEmpty("k", why), none, true, []string{"k"}},
		"not empty, as expected": {lab.BeEmpty("k", why), fed, true, nil},
	} {
		t.Run(name, func(t *testing.T) {
			var keys []string
			for _, f := range c.finder.Findings(c.trace, c.negated) {
				keys = append(keys, f.Key)
				if f.Message.FR == "" || f.Message.EN == "" {
					t.Errorf("%s lacks a language", f.Key)
				}
			}
			if !slices.Equal(keys, c.want) {
				t.Errorf("got %q", keys)
			}
		})
	}
	f := lab.HaveIssue("feed.code").Findings(fed, true)[0]
	if f.Pointer != "/code" || f.Expected != "a" || f.Actual != "b" || f.Setting != "measure.codes" || f.Seq != 1 {
		t.Errorf("%+v", f)
	}
	if f := lab.HaveAtMost(1, "k", why).Findings(fed, false)[0]; f.Seq != 2 || f.Expected != "≤ 1" || f.Actual != "2" {
		t.Errorf("%+v", f)
	}
}

func TestAnEndingThatCannotBeReadIsRefused(t *testing.T) {
	for name, data := range map[string]string{"no JSON": "{", "a list": "[]", "an unknown outcome": `{"outcome":"fine"}`, "no outcome": `{}`, "nothing": ""} {
		t.Run(name, func(t *testing.T) {
			records := journal(record.Record{Kind: record.KindMark, Scenario: "feeding", Mark: &record.Mark{Kind: "end", Data: json.RawMessage(data)}})
			err := lab.New().Load(records, lab.Oracle{})
			if err == nil || !strings.Contains(err.Error(), "journal record 1") || !strings.Contains(err.Error(), "feeding") {
				t.Errorf("got %v", err)
			}
		})
	}
}
