package run

import (
	"fmt"

	"github.com/etalon-sante/etalon/suites/lab"
	"github.com/etalon-sante/etalon/suites/requirement"
)

// Vary judges a recording and every variation of it, on one tree. For each
// check that reads what a variation changes, came is told what the check came
// to before and then. It returns the results on the recording itself.
func Vary(rec Recorded, register func(*lab.Lab), variations []lab.Variation, came func(i int, was, now lab.Result)) (map[string]lab.Result, error) {
	cat, err := requirement.Load()
	if err != nil {
		return nil, fmt.Errorf("load the catalogue: %w", err)
	}
	planned := plannedChecks(rec.Info.Plan, cat)
	load := func(l *lab.Lab) error {
		l.Vary(variations, came)
		return l.Load(rec.Records, lab.Oracle{Candidate: rec.Candidate})
	}
	got, err := judge(register, load, func(id string) bool { return planned[id] }, nil, rec.Info.Seed)
	if err != nil {
		return nil, err
	}
	// What Ginkgo says of the leaves is of no use here: one that is run more than
	// once is a panic to it, though only after all is done.
	for id := range planned {
		if r, ok := got.results[id]; !ok || r.State == lab.Broken {
			return nil, fmt.Errorf("judge the recording: check %s broke off: %s", id, r.Reason.EN)
		}
	}
	return got.results, nil
}

// plannedChecks are the checks of the requirements that a plan has judged.
func plannedChecks(list []Planned, cat *requirement.Catalogue) map[string]bool {
	out := map[string]bool{}
	for _, p := range list {
		if r, ok := cat.Requirement(p.Requirement); ok && p.Decision == judged {
			for _, k := range r.Checks {
				out[k.ID] = true
			}
		}
	}
	return out
}
