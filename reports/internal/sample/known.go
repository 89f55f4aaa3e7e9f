package sample

import (
	"strings"

	"github.com/etalon-sante/etalon/reports"
)

// Known is the sample under a list of known nonconformities with an entry of each
// state.
func Known() reports.Report {
	r := Report()
	known := func(id, kind, finding, deadline, seen string) reports.Known {
		return reports.Known{ID: id, Kind: kind, Finding: finding, Reason: "Correction prévue dans la version 4.3.", Owner: "équipe Intégration", Deadline: deadline, Seen: seen}
	}
	r.Weigh([]reports.Known{
		known("INT-04", reports.KnownFailing, "", "2027-01-31", ""),
		known("INT-34.1", reports.KnownFailing, "feed.unit", "2027-01-31", ""),
		known("INT-46.1", reports.KnownFlaky, "", "2027-01-31", "3/10"),
		known("INT-02.1", reports.KnownFlaky, "", "2027-01-31", "1/10"),
		known("INT-01.1", reports.KnownFailing, "", "2027-01-31", ""),
		known("INT-999", reports.KnownFailing, "", "2027-01-31", ""),
		known("INT-23.1", reports.KnownFailing, "feed.subject", "2026-11-01", ""),
	}, strings.Repeat("4b", 32), func(string) bool { return false })
	return r
}
