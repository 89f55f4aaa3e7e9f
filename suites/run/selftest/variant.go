package selftest

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/etalon-sante/etalon/fixtures/flaws"
	"github.com/etalon-sante/etalon/fixtures/reference"
	"github.com/etalon-sante/etalon/reports"
	"github.com/etalon-sante/etalon/suites/candidate"
	"github.com/etalon-sante/etalon/suites/lab"
	"github.com/etalon-sante/etalon/suites/run"
	"github.com/etalon-sante/etalon/suites/run/demo"
)

// clientChapter holds the scenarios that only a variant is concerned by: what
// they are about is how its client authenticates.
const clientChapter = "client"

// certificateChapter holds the scenarios in which the sandbox shows another
// certificate: to everyone, so that they need a sandbox of their own.
const certificateChapter = "certificate"

// appReturn is the address of return of the reference's application.
const appReturn = "fr.exemple.carnet-clair:/retour"

// varied is how a variation of the reference is started.
func varied(parts reference.Parts, variant string) demo.Options {
	if variant == flaws.Application {
		return demo.Options{Parts: parts, App: appReturn}
	}
	return demo.Options{Parts: parts, ClientAuth: variant}
}

// vary tries the reference as it is in each variant that a flaw is to be tried
// on: there too, nothing may alarm.
func (t *tester) vary(ctx context.Context, all []flaws.Flaw, out *Result) error {
	t.variants = map[string]trial{}
	for _, f := range all {
		if _, done := t.variants[f.Variant]; done || f.Variant == "" {
			continue
		}
		var chapters []string
		for _, other := range all {
			if other.Variant == f.Variant {
				chapters = append(chapters, other.Chapters...)
			}
		}
		scenarios := slices.DeleteFunc(t.concerned(f.Variant), func(s *lab.Scenario) bool {
			return !t.opts.Full && !slices.Contains(chapters, s.Chapter)
		})
		tr, err := t.reference(ctx, f.Variant, reference.Parts{}, scenarios, trial{records: t.clean.records})
		if err != nil {
			return fmt.Errorf("the reference service as it is, with %s: %w", f.Variant, err)
		}
		t.variants[f.Variant] = tr
		out.FalseAlarms = append(out.FalseAlarms, t.alarms(f.Variant)...)
		t.tell(0, 0, "reference, "+f.Variant)
	}
	return nil
}

// planFor is what is judged of a candidate: all that concerns it.
func (t *tester) planFor(c candidate.Candidate) ([]run.Planned, error) {
	var out []run.Planned
	for _, r := range t.cat.Requirements {
		applies, _, err := t.applies.Applies(r, c)
		if err != nil {
			return nil, err
		}
		if len(r.Checks) > 0 && applies {
			out = append(out, run.Planned{Requirement: r.ID, Decision: "judge"})
		}
	}
	return out, nil
}

// concerned are the scenarios that a variant is observed in.
func (t *tester) concerned(variant string) []*lab.Scenario {
	return slices.DeleteFunc(slices.Clone(t.scenarios), func(s *lab.Scenario) bool {
		return (variant == "" || variant == flaws.Application) && s.Chapter == clientChapter
	})
}

// withoutBrowser leaves out the scenarios that show pages: what is tried there is
// a pilot.
func (t *tester) withoutBrowser() []*lab.Scenario {
	return slices.DeleteFunc(t.concerned(""), func(s *lab.Scenario) bool { return strings.HasPrefix(s.Chapter, "browser") })
}

func (t *tester) cleanOf(variant string) trial {
	if variant == "" {
		return t.clean
	}
	return t.variants[variant]
}

// alarms are the checks that the reference, as it is, does not meet, and those
// that no variant has judged.
func (t *tester) alarms(variant string) []string {
	name := "reference"
	if variant != "" {
		name += ", " + variant
	}
	clean := t.cleanOf(variant)
	tried := map[string]bool{}
	for _, f := range flaws.All() {
		tried[f.Check] = tried[f.Check] || f.Variant == variant
	}
	var out []string
	for _, k := range t.cat.Checks() {
		switch v, judged := clean.verdicts[k.ID]; {
		case !judged && tried[k.ID]:
			out = append(out, fmt.Sprintf("%s: %s was not judged", name, k.ID))
		case v == reports.Untested && t.lacks(k.ID) != "": // told as not run
		case v == reports.Untested && variant == flaws.Application: // a phone has no second browser, and shows no page of a site
		case judged && v != reports.Conformant && v != reports.ToReview:
			out = append(out, fmt.Sprintf("%s: %s is %s: %s", name, k.ID, v, clean.why(k.ID)))
		}
	}
	return out
}
