package reports_test

import (
	"fmt"
	"testing"

	"github.com/etalon-sante/etalon/reports"
)

func TestTheWorstVerdictWins(t *testing.T) {
	type v = []reports.Verdict
	cases := []struct {
		parts v
		want  reports.Verdict
	}{
		{nil, reports.Untested},
		{v{reports.Conformant}, reports.Conformant},
		{v{"green"}, reports.Error},
		{v{reports.Conformant, ""}, reports.Error},
		{v{reports.NotApplicable, reports.Conformant}, reports.Conformant},
		{v{reports.NotInForce, reports.Attested}, reports.Attested},
		{v{reports.Excluded, reports.Conformant}, reports.Conformant},
		{v{reports.NotApplicable, reports.NotApplicable}, reports.NotApplicable},
		{v{reports.Excluded, reports.NotInForce}, reports.NotInForce},
	}
	// Each verdict beats all those after it in the table, in either order.
	ladder := v{
		reports.Error, reports.Nonconformant, reports.Untested, reports.Deviation, reports.ToReview,
		reports.Attested, reports.Conformant, reports.NotApplicable, reports.NotInForce, reports.Excluded,
	}
	if len(ladder) != len(reports.Verdicts()) {
		t.Fatalf("the test knows %d verdicts, the package %d", len(ladder), len(reports.Verdicts()))
	}
	for i, worse := range ladder {
		for _, better := range ladder[i:] {
			cases = append(cases, struct {
				parts v
				want  reports.Verdict
			}{v{worse, better}, worse}, struct {
				parts v
				want  reports.Verdict
			}{v{better, worse}, worse})
		}
	}
	for _, c := range cases {
		if got := reports.Worst(c.parts...); got != c.want {
			t.Errorf("Worst(%v) = %s, want %s", c.parts, got, c.want)
		}
	}
}

// one is a requirement whose only check has the same verdict.
func one(v reports.Verdict, blocking bool) reports.Result {
	return reports.Result{Requirement: "R", Verdict: v, Blocking: blocking, Checks: []reports.Check{{ID: "R.1", Verdict: v}}}
}

func TestTheRunIsDecidedByTheFirstRowThatHolds(t *testing.T) {
	const blocking, other = true, false
	type rs = []reports.Result
	good := one(reports.Conformant, blocking)
	attestedOnly := reports.Result{Requirement: "D", Verdict: reports.Attested, Blocking: true}
	cases := []struct {
		name                         string
		results                      rs
		strict, interrupted, partial bool
		verdict                      reports.RunVerdict
		exit                         int
	}{
		{name: "nothing was planned", verdict: reports.RunError, exit: 5},
		{name: "nothing was planned and the run is partial", partial: true, verdict: reports.RunPartial, exit: 5},
		{name: "all is met", results: rs{good}, verdict: reports.RunConformant, exit: 0},
		{name: "an error beats a blocking nonconformance", results: rs{one(reports.Nonconformant, blocking), one(reports.Error, other)}, verdict: reports.RunError, exit: 5},
		{name: "an error of a check counts even where the requirement hides it", results: rs{{Verdict: reports.Conformant, Checks: []reports.Check{{Verdict: reports.Error}}}}, verdict: reports.RunError, exit: 5},
		{name: "a verdict that does not exist is our error", results: rs{good, one("green", other)}, verdict: reports.RunError, exit: 5},
		{name: "a missing verdict is our error", results: rs{good, one("", other)}, verdict: reports.RunError, exit: 5},
		{name: "a blocking nonconformance", results: rs{good, one(reports.Nonconformant, blocking)}, verdict: reports.RunNonconformant, exit: 1},
		{name: "a blocking nonconformance beats an interruption", results: rs{one(reports.Nonconformant, blocking)}, interrupted: true, verdict: reports.RunNonconformant, exit: 1},
		{name: "a blocking nonconformance beats a blocking untested", results: rs{one(reports.Untested, blocking), one(reports.Nonconformant, blocking)}, verdict: reports.RunNonconformant, exit: 1},
		{name: "a nonconformance that does not block", results: rs{good, one(reports.Nonconformant, other)}, verdict: reports.RunConformant, exit: 0},
		{name: "strict makes it block", results: rs{good, one(reports.Nonconformant, other)}, strict: true, verdict: reports.RunNonconformant, exit: 1},
		{name: "a blocking deviation", results: rs{good, one(reports.Deviation, blocking)}, verdict: reports.RunConformant, exit: 0},
		{name: "strict counts a deviation as nonconformant", results: rs{good, one(reports.Deviation, other)}, strict: true, verdict: reports.RunNonconformant, exit: 1},
		{name: "a blocking untested", results: rs{good, one(reports.Untested, blocking)}, verdict: reports.RunInconclusive, exit: 4},
		{name: "an untested that does not block", results: rs{good, one(reports.Untested, other)}, verdict: reports.RunConformant, exit: 0},
		{name: "strict makes an untested block", results: rs{good, one(reports.Untested, other)}, strict: true, verdict: reports.RunInconclusive, exit: 4},
		{name: "an interrupted run", results: rs{good}, interrupted: true, verdict: reports.RunInconclusive, exit: 4},
		{name: "to review", results: rs{good, one(reports.ToReview, blocking)}, verdict: reports.RunConformant, exit: 0},
		{name: "strict leaves what is to review undecided", results: rs{good, one(reports.ToReview, other)}, strict: true, verdict: reports.RunInconclusive, exit: 4},
		{name: "attested beside something observed", results: rs{good, attestedOnly}, strict: true, verdict: reports.RunConformant, exit: 0},
		{name: "nothing but declarations", results: rs{attestedOnly}, verdict: reports.RunInconclusive, exit: 4},
		{name: "nothing concerns the candidate", results: rs{one(reports.NotApplicable, blocking), one(reports.Excluded, other)}, verdict: reports.RunInconclusive, exit: 4},
		{name: "nothing but untested that does not block", results: rs{one(reports.Untested, other)}, verdict: reports.RunInconclusive, exit: 4},
		{name: "strict leaves aside what is not in force", results: rs{good, one(reports.NotInForce, other), one(reports.NotApplicable, other), one(reports.Excluded, other)}, strict: true, verdict: reports.RunConformant, exit: 0},
		{name: "a partial run keeps its exit code", results: rs{one(reports.Nonconformant, blocking)}, partial: true, verdict: reports.RunPartial, exit: 1},
		{name: "a partial run that is met", results: rs{good}, partial: true, verdict: reports.RunPartial, exit: 0},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			verdict, exit := reports.Decide(c.results, c.strict, c.interrupted, c.partial)
			if verdict != c.verdict || exit != c.exit {
				t.Errorf("%s %d, want %s %d", verdict, exit, c.verdict, c.exit)
			}
		})
	}
}

func TestNoCombinationOfVerdictsIsGreenUnlessNothingBlockingIsBad(t *testing.T) {
	for _, a := range reports.Verdicts() {
		for _, b := range reports.Verdicts() {
			for mask := range 16 {
				results := []reports.Result{one(a, mask&1 > 0), one(b, mask&2 > 0)}
				strict, interrupted := mask&4 > 0, mask&8 > 0
				_, exit := reports.Decide(results, strict, interrupted, false)
				if exit != 0 {
					continue
				}
				for _, r := range results {
					bad := r.Verdict == reports.Error || (r.Verdict == reports.Nonconformant || r.Verdict == reports.Untested) && (r.Blocking || strict) ||
						strict && (r.Verdict == reports.Deviation || r.Verdict == reports.ToReview)
					if bad || interrupted {
						t.Errorf("exit 0 with %s", fmt.Sprint(a, b, mask))
					}
				}
				if !a.Observed() && !b.Observed() {
					t.Errorf("exit 0 with nothing observed: %s %s", a, b)
				}
			}
		}
	}
}

func TestTheSummaryHasEveryVerdictAndAddsUp(t *testing.T) {
	results := []reports.Result{one(reports.Conformant, true), one(reports.Conformant, false), one(reports.Untested, false), one("green", false)}
	got := reports.Summarise(results)
	sum := 0
	for _, v := range reports.Verdicts() {
		n, ok := got[v]
		if !ok {
			t.Errorf("no count for %s", v)
		}
		sum += n
	}
	if sum != len(results) || len(got) != len(reports.Verdicts()) || got[reports.Conformant] != 2 || got[reports.Error] != 1 {
		t.Errorf("summary %v", got)
	}
}

func TestEveryVerdictHasWordsInBothLanguagesAndAShapeOfItsOwn(t *testing.T) {
	shapes := map[string]reports.Verdict{}
	for _, v := range reports.Verdicts() {
		l := v.Label()
		for what, s := range map[string]string{"word fr": l.Word.FR, "word en": l.Word.EN, "meaning fr": l.Meaning.FR, "meaning en": l.Meaning.EN, "shape": l.Shape} {
			if s == "" {
				t.Errorf("%s: no %s", v, what)
			}
		}
		if other, twice := shapes[l.Shape]; twice {
			t.Errorf("%s and %s have the same shape", v, other)
		}
		shapes[l.Shape] = v
	}
}
