package run

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/etalon-sante/etalon/suites/candidate"
	"github.com/etalon-sante/etalon/suites/lab"
	"github.com/etalon-sante/etalon/suites/requirement"
)

// Decisions of a plan about a requirement.
const (
	judged        = "judge"
	declared      = "declared"
	asked         = "asked" // of a person
	notApplicable = "not-applicable"
	notInForce    = "not-in-force"
	excluded      = "excluded"
	broken        = "error"
)

// Selection narrows a run; an empty one is the whole catalogue.
type Selection struct {
	Themes []string
	Only   []string // requirement ids
}

// Empty says whether nothing is narrowed.
func (s Selection) Empty() bool { return len(s.Themes) == 0 && len(s.Only) == 0 }

// ErrSelection says that a selection names something unknown, or nothing.
var ErrSelection = errors.New("selection")

// plan decides on each requirement of the catalogue, and lists the scenarios
// that the planned checks read.
func plan(cat *requirement.Catalogue, sel Selection, c candidate.Candidate, day time.Time, phase string, leaves map[string]lab.LeafLabels, l *lab.Lab) ([]Planned, []*lab.Scenario, error) {
	for _, id := range sel.Only {
		if _, ok := cat.Requirement(id); !ok {
			return nil, nil, fmt.Errorf("%w: requirement %q is not in the catalogue; `etalon requirements list` shows those that are", ErrSelection, id)
		}
	}
	for _, t := range sel.Themes {
		if !slices.Contains([]string{"interop", "security", "ethics", "governance"}, t) {
			return nil, nil, fmt.Errorf("%w: theme %q is none of interop, security, ethics, governance", ErrSelection, t)
		}
	}
	apply, err := requirement.NewApplicability(cat)
	if err != nil {
		return nil, nil, fmt.Errorf("compile the catalogue's conditions: %w", err)
	}
	var out []Planned
	slugs := map[string]bool{}
	for _, r := range cat.Requirements {
		if !sel.holds(r) {
			continue
		}
		p := Planned{Requirement: r.ID, Decision: judged}
		applies, expr, err := apply.Applies(r, c)
		force, why := requirement.InForce(r, day, phase)
		switch {
		case r.Verification == "excluded":
			p.Decision, p.Reason = excluded, RunText(r.Excluded)
		case err != nil:
			p.Decision = broken
			p.Reason = RunText{FR: "la condition « " + expr + " » n'a pas pu être évaluée : " + err.Error(), EN: "condition \"" + expr + "\" could not be evaluated: " + err.Error()}
		case !applies:
			p.Decision = notApplicable
			p.Reason = RunText{FR: "ne concerne pas ce service : la condition « " + expr + " » n'est pas remplie", EN: "does not concern this service: condition \"" + expr + "\" is not met"}
		case !force:
			p.Decision, p.Reason = notInForce, RunText(why)
		case r.Verification == "assisted" && len(r.Checks) == 0:
			p.Decision = asked
		case len(r.Checks) == 0:
			p.Decision = declared
		}
		if p.Decision == judged {
			for _, k := range r.Checks {
				leaf, ok := leaves[k.ID]
				if !ok {
					return nil, nil, fmt.Errorf("check %s of the catalogue is carried out by no leaf", k.ID)
				}
				for _, s := range leaf.Reads {
					slugs[s] = true
				}
				if leaf.All {
					// A rule over all traffic needs some: with a selection that
					// brings none, the nominal scenarios are played.
					for _, s := range nominal() {
						slugs[s] = true
					}
				}
			}
		}
		out = append(out, p)
	}
	if len(out) == 0 {
		return nil, nil, fmt.Errorf("%w: nothing is selected: an empty plan judges nothing", ErrSelection)
	}
	var scenarios []*lab.Scenario
	for _, s := range l.Scenarios() {
		if slugs[s.Slug] && s.Claimed(c) {
			scenarios = append(scenarios, s)
		}
	}
	return out, scenarios, nil
}

// Concerned are the checks of the requirements that concern a candidate.
func Concerned(c candidate.Candidate) (map[string]bool, error) {
	cat, err := requirement.Load()
	if err != nil {
		return nil, fmt.Errorf("load the catalogue: %w", err)
	}
	apply, err := requirement.NewApplicability(cat)
	if err != nil {
		return nil, fmt.Errorf("compile the catalogue's conditions: %w", err)
	}
	out := map[string]bool{}
	for _, r := range cat.Requirements {
		applies, _, err := apply.Applies(r, c)
		if err != nil {
			return nil, err
		}
		for _, k := range r.Checks {
			out[k.ID] = applies
		}
	}
	return out, nil
}

func nominal() []string {
	return []string{"pairing-nominal", "feed-nominal", "search-range", "document-feed", "document-read"}
}

func (s Selection) holds(r requirement.Requirement) bool {
	if len(s.Only) > 0 && !slices.Contains(s.Only, r.ID) {
		return false
	}
	return len(s.Themes) == 0 || slices.Contains(s.Themes, r.Theme)
}

// ParseList reads "a,b" as given to --only and --theme, blanks dropped.
func ParseList(s string) []string {
	var out []string
	for _, part := range strings.Split(s, ",") {
		if part = strings.TrimSpace(part); part != "" {
			out = append(out, part)
		}
	}
	return out
}
