// Package blindspots shows what the harness does not see. A recording of the
// reference service, which is conformant, is changed at one place at a time:
// every field, header, status and the order of requests. Each changed recording is
// judged, and what no check notices is a blind spot, told with its reason.
//
// A message that the candidate sent is judged as if the sandbox had received it so:
// what the sandbox derives from it is derived anew. Its answer stays what it was.
package blindspots

import (
	"fmt"
	"slices"
	"sort"
	"time"

	"github.com/etalon-sante/etalon/sandbox/fhir"
	"github.com/etalon-sante/etalon/sandbox/settings"
	"github.com/etalon-sante/etalon/suites/lab"
	"github.com/etalon-sante/etalon/suites/run"
)

// Outcome is what came of one variant.
type Outcome string

// The outcomes. Broken is a fault of ours: nothing that stands in a journal may break
// a check.
const (
	Noticed   Outcome = "noticed"   // a check finds something
	Undecided Outcome = "undecided" // no finding, but a check lost its occasion: the run is not green
	Blind     Outcome = "blind"     // every check comes to what it came to before
	Broken    Outcome = "broken"    // a check broke off
)

// Row is what came of all the variants of one place.
type Row struct {
	Place
	Tried     int      `json:"tried"`
	Noticed   int      `json:"noticed"`
	Undecided int      `json:"undecided"`
	Blind     int      `json:"blind"`
	Unseen    []string `json:"unseen"` // changes that no check noticed wherever they were made
	Checks    []string `json:"checks"` // that noticed
	Broken    []string `json:"broken"` // "check: why"
}

// Map is the whole of it.
type Map struct {
	Variants  int     `json:"variants"`
	Noticed   int     `json:"noticed"`
	Undecided int     `json:"undecided"`
	Blind     int     `json:"blind"`
	Broken    int     `json:"broken"`
	Seconds   float64 `json:"seconds"` // to make and judge all variants
	Rows      []Row   `json:"rows"`
	// Classes are the kinds of change, place by place; a class is unseen when no check
	// noticed it wherever it was made.
	Classes int    `json:"classes"`
	Unseen  int    `json:"unseen"`
	Spots   []Spot `json:"spots"`
}

// Spot is one place at which changes go unseen, for one reason.
type Spot struct {
	Place
	Ops    []string `json:"ops"`
	Reason string   `json:"reason"` // key; "" where none is known: that is to be mended
}

// Unexplained are the spots without a reason.
func (m Map) Unexplained() []Spot {
	var out []Spot
	for _, s := range m.Spots {
		if s.Reason == "" {
			out = append(out, s)
		}
	}
	return out
}

// Clean says whether every blind spot has its reason and no check broke off.
func (m Map) Clean() bool { return m.Variants > 0 && m.Broken == 0 && len(m.Unexplained()) == 0 }

// everywhere is how many changes of each kind the leaves that read all traffic are
// tried on.
const everywhere = 3

// Of varies a recording and judges the variants.
func Of(rec run.Recorded, now func() time.Time) (Map, error) {
	began := now()
	set, err := settings.Load()
	if err != nil {
		return Map{}, fmt.Errorf("load the settings: %w", err)
	}
	reasons, err := Reasons()
	if err != nil {
		return Map{}, err
	}
	rules, err := fhir.NewRules(set)
	if err != nil {
		return Map{}, err
	}
	rec.Records = spread(rec.Records)
	list := variants(rec.Records, newDeriver(rules, rec.Records))
	variations := make([]lab.Variation, len(list))
	tried := map[kindOfChange]int{}
	for i, v := range list {
		k := kindOfChange{v.place, v.op}
		tried[k]++
		v.Narrow = tried[k] > everywhere
		variations[i] = v.Variation
	}
	came := make([]struct {
		outcome Outcome
		checks  []string
		why     string
	}, len(list))
	for i := range came {
		came[i].outcome = Blind
	}
	rank := map[Outcome]int{Blind: 0, Undecided: 1, Noticed: 2, Broken: 3}
	_, err = run.Vary(rec, run.Register, variations, func(i int, was, now lab.Result) {
		o := Blind
		switch {
		case now.State == lab.Broken && was.State != lab.Broken:
			o, came[i].why = Broken, now.Check+": "+now.Reason.EN
		case now.State == lab.NotMet && (was.State != lab.NotMet || len(now.Findings) > len(was.Findings)):
			o = Noticed
			came[i].checks = append(came[i].checks, now.Check)
		case now.State != was.State:
			o = Undecided
		}
		if rank[o] > rank[came[i].outcome] {
			came[i].outcome = o
		}
	})
	if err != nil {
		return Map{}, err
	}
	rows := map[Place]*Row{}
	checks := map[Place]map[string]bool{}
	ops := map[Place]map[string]bool{} // true: it made a difference somewhere
	out := Map{Variants: len(list)}
	for i, v := range list {
		r := rows[v.place]
		if r == nil {
			r = &Row{Place: v.place, Unseen: []string{}, Checks: []string{}, Broken: []string{}}
			rows[v.place], checks[v.place], ops[v.place] = r, map[string]bool{}, map[string]bool{}
		}
		ops[v.place][v.op] = ops[v.place][v.op] || came[i].outcome != Blind
		r.Tried++
		switch came[i].outcome {
		case Noticed:
			r.Noticed++
			out.Noticed++
		case Undecided:
			r.Undecided++
			out.Undecided++
		case Blind:
			r.Blind++
			out.Blind++
		case Broken:
			r.Broken = append(r.Broken, v.op+": "+came[i].why)
			out.Broken++
		}
		for _, c := range came[i].checks {
			checks[v.place][c] = true
		}
	}
	for place, r := range rows {
		for c := range checks[place] {
			r.Checks = append(r.Checks, c)
		}
		for op, seen := range ops[place] {
			if !seen {
				r.Unseen = append(r.Unseen, op)
			}
		}
		sort.Strings(r.Checks)
		sort.Strings(r.Unseen)
		out.Classes += len(ops[place])
		out.Unseen += len(r.Unseen)
		out.Rows = append(out.Rows, *r)
	}
	slices.SortFunc(out.Rows, func(a, b Row) int { return a.compare(b.Place) })
	out.Spots = spots(out.Rows, reasons)
	out.Seconds = now().Sub(began).Seconds()
	return out, nil
}
