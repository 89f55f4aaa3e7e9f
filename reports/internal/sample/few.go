package sample

import (
	"slices"

	"github.com/etalon-sante/etalon/reports"
)

// Few is a report short enough to be read whole: a requirement of each verdict,
// an error of ours among them, and the exchanges and settings that they name.
func Few() reports.Report {
	r := Report()
	var kept []reports.Result
	for _, v := range reports.Verdicts() {
		i := slices.IndexFunc(r.Results, func(x reports.Result) bool { return x.Verdict == v })
		if i >= 0 {
			kept = append(kept, r.Results[i])
		}
	}
	broken := r.Results[0]
	broken.Requirement, broken.Verdict = "INT-99", reports.Error
	broken.Title = reports.Text{FR: "Être jugée malgré une panne", EN: "Be judged in spite of a failure"}
	broken.Checks = []reports.Check{{
		ID: "INT-99.1", Title: broken.Title, Verdict: reports.Error, Witness: "harness",
		Reason: reports.Text{FR: "la vérification n'a pas pu être menée : plus de mémoire", EN: "the check could not be carried out: out of memory"},
	}}
	r.Results = append(kept, broken)
	used := map[string]reports.Exchange{}
	for _, res := range r.Results {
		for _, c := range res.Checks {
			for _, f := range c.Findings {
				if x, ok := r.Exchanges[f.Exchange]; ok {
					used[f.Exchange] = x
				}
			}
		}
	}
	r.Exchanges = used
	r.Conclude()
	return r
}
