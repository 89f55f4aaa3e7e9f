// Package compare says what changed from one report to another: requirement by
// requirement and check by check, by their ids, renames followed, never by sums.
// It believes what the two reports say; whether they say the truth is asked of
// `etalon judge` and `etalon verify`.
package compare

import (
	"slices"

	"github.com/etalon-sante/etalon/reports"
)

// SchemaID names the form of a comparison as JSON.
const SchemaID = "https://etalon-sante.github.io/etalon/schema/comparison-1.json"

// Outcome is what a comparison comes to.
type Outcome string

// The outcomes, with the exit codes that they end in.
const (
	NotWorse      Outcome = "not-worse"      // 0
	Worse         Outcome = "worse"          // 1
	NotComparable Outcome = "not-comparable" // 4
)

// Exit codes of a comparison; 2 (a report that cannot be read) leaves none.
const (
	ExitNotWorse      = 0
	ExitWorse         = 1
	ExitNotComparable = 4
)

// Kind is the way in which something changed.
type Kind string

// The kinds, in the order in which they are shown.
const (
	NewFailure      Kind = "new-failure"      // fails, and did not before
	Degraded        Kind = "degraded"         // does not fail, but says less well than before
	Lost            Kind = "lost"             // was judged and is no longer
	StillFailing    Kind = "still-failing"    // fails, as before
	NotShown        Kind = "not-shown"        // failed before, and nothing shows that it is mended
	Mended          Kind = "mended"           // failed before, and is now seen to be right
	Improved        Kind = "improved"         // says better than before
	Appeared        Kind = "new"              // was not there before
	Disappeared     Kind = "removed"          // is there no longer
	ChangedFindings Kind = "changed-findings" // the verdict stays, what was found is something else
)

// Kinds lists the kinds in the order in which they are shown.
func Kinds() []Kind {
	return []Kind{NewFailure, Degraded, Lost, StillFailing, NotShown, Mended, Improved, Appeared, Disappeared, ChangedFindings}
}

// Comparison is what changed from the report Before to the report After.
type Comparison struct {
	Schema   string  `json:"schema"` // SchemaID
	Outcome  Outcome `json:"outcome"`
	ExitCode int     `json:"exitCode"`
	Before   Side    `json:"before"`
	After    Side    `json:"after"`
	// Obstacles say why the two cannot be compared; empty when they can.
	Obstacles []reports.Text `json:"obstacles"`
	// Circumstances are what differs around the service: each may explain a change
	// that the service has no part in.
	Circumstances []Circumstance `json:"circumstances"`
	Compared      int            `json:"compared"` // requirements that both reports judged
	Counts        map[Kind]int   `json:"counts"`   // changes per kind, every kind present
	Changes       []Change       `json:"changes"`  // by kind, blocking ones first, in the order of After
}

// Side is one of the two reports.
type Side struct {
	Run      string             `json:"run"`
	Started  string             `json:"started"` // RFC 3339, UTC
	Service  string             `json:"service"`
	Version  string             `json:"version"`
	Verdict  reports.RunVerdict `json:"verdict"`
	ExitCode int                `json:"exitCode"`
}

// Circumstance is one thing that differs between the two runs beside the service.
type Circumstance struct {
	Key    string       `json:"key"` // catalogue, profile, harness, settings, sandbox, seed, claims, strict, …
	Name   reports.Text `json:"name"`
	Before string       `json:"before"`
	After  string       `json:"after"`
}

// Change is what became of one check, or of a requirement that has none.
type Change struct {
	Kind        Kind         `json:"kind"`
	Worse       bool         `json:"worse"` // counts for the exit code
	Requirement string       `json:"requirement"`
	Check       string       `json:"check"` // "": the requirement as a whole
	Title       reports.Text `json:"title"`
	Blocking    bool         `json:"blocking"`
	// Formerly is the id that it has in the other report, when that is another.
	Formerly string          `json:"formerly"`
	Before   reports.Verdict `json:"before"` // "": was not there
	After    reports.Verdict `json:"after"`  // "": is not there
	// Appeared and Gone are keys of findings that only After, only Before has.
	Appeared []string     `json:"appeared"`
	Gone     []string     `json:"gone"`
	Message  reports.Text `json:"message"` // what was seen, or why nothing was
}

// Compare says what changed from before to after. It is pure; both reports are
// left as they are.
func Compare(before, after reports.Report) Comparison {
	c := Comparison{
		Schema: SchemaID, Before: side(before), After: side(after), Circumstances: circumstances(before, after),
		Obstacles: []reports.Text{}, Changes: []Change{}, Counts: map[Kind]int{},
	}
	for _, k := range Kinds() {
		c.Counts[k] = 0
	}
	c.Obstacles = append(c.Obstacles, strangers(before, after)...)
	if len(c.Obstacles) == 0 {
		m := matcher{before: before, after: after}
		c.Changes, c.Compared = m.changes()
		if c.Compared == 0 {
			c.Obstacles = append(c.Obstacles, reports.Text{
				FR: "aucune exigence n'a été jugée dans les deux campagnes : comparez deux campagnes de la même sélection",
				EN: "no requirement was judged in both runs: compare two runs of the same selection",
			})
		}
	}
	for _, ch := range c.Changes {
		c.Counts[ch.Kind]++
	}
	c.Outcome, c.ExitCode = conclude(c, after)
	return c
}

// conclude is the one table from changes to outcome and exit code: the first row
// that holds decides. What an interrupted run did not play shows nothing; a
// failure that it did see stands.
func conclude(c Comparison, after reports.Report) (Outcome, int) {
	worse := func(kinds ...Kind) bool {
		return slices.ContainsFunc(c.Changes, func(ch Change) bool {
			return ch.Worse && (len(kinds) == 0 || slices.Contains(kinds, ch.Kind))
		})
	}
	switch {
	case len(c.Obstacles) > 0:
		return NotComparable, ExitNotComparable
	case worse(NewFailure, StillFailing):
		return Worse, ExitWorse
	case after.Run.Interrupted:
		return NotComparable, ExitNotComparable
	case worse():
		return Worse, ExitWorse
	}
	return NotWorse, ExitNotWorse
}

func side(r reports.Report) Side {
	return Side{
		Run: r.Run.ID, Started: r.Run.Started.UTC().Format("2006-01-02T15:04:05.000Z"), Service: r.Candidate.Service.Name,
		Version: r.Candidate.Service.Version, Verdict: r.Verdict, ExitCode: r.ExitCode,
	}
}

// rank orders verdicts from what shows most to what shows least; -1 is what was
// not judged.
func rank(v reports.Verdict, strict bool) int {
	switch v {
	case reports.Conformant:
		return 0
	case reports.Attested:
		return 1
	case reports.ToReview:
		return 2
	case reports.Deviation:
		if strict {
			return failed
		}
		return 3
	case reports.Untested:
		return 4
	case reports.Nonconformant:
		return failed
	case reports.Error:
		return failed + 1
	}
	return -1
}

// failed is the rank of what was seen not to be as required.
const failed = 5

// kindOf says in which way a verdict changed, and whether that is worse.
func kindOf(before, after reports.Verdict, strict bool) (Kind, bool) {
	b, a := rank(before, strict), rank(after, strict)
	switch {
	case before == "" && a == failed:
		return NewFailure, true
	case before == "":
		return Appeared, false
	case after == "":
		return Disappeared, false
	case a == failed && b == failed:
		return StillFailing, false
	case a == failed:
		return NewFailure, true
	case b == failed && (a < 0 || a >= 4): // not judged, untested, or our own error
		return NotShown, a > failed
	case b == failed && a == 0:
		return Mended, false
	case b == failed: // a deviation, to review or only declared
		return Improved, false
	case a < 0 && b < 0, a == b:
		return "", false
	case a < 0:
		return Lost, b < 4
	case b < 0 && a > failed:
		return Degraded, true
	case b < 0:
		return Appeared, false
	case a > b:
		return Degraded, true
	}
	return Improved, false
}
