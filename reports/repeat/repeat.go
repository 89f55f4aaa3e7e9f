// Package repeat says which verdicts are not stable when the same run is played
// again and again: by check, with the verdicts that were seen.
package repeat

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/etalon-sante/etalon/reports"
)

// SchemaID names the form of a repetition as JSON.
const SchemaID = "https://etalon-sante.github.io/etalon/schema/repetition-1.json"

// Played is one run of a repetition.
type Played struct {
	Folder string          // within that of the repetition
	Report *reports.Report // nil: it left none
	Exit   int             // of the run alone
	Gate   bool            // Exit is that of the gate
}

// Repetition is what several runs with the same seed came to.
type Repetition struct {
	Schema   string     `json:"schema"` // SchemaID
	Asked    int        `json:"asked"`
	Counted  int        `json:"counted"` // runs that went to their end
	ExitCode int        `json:"exitCode"`
	Stable   int        `json:"stable"` // checks whose verdict was always the same
	Runs     []Run      `json:"runs"`
	Unstable []Unstable `json:"unstable"` // in the order of the report
	// Known are the entries of the list of known nonconformities, weighed by all runs.
	Known []Known `json:"known"`
}

// Run is one of the runs.
type Run struct {
	Folder   string             `json:"folder"`
	ID       string             `json:"id"` // "": it left no report
	Verdict  reports.RunVerdict `json:"verdict"`
	ExitCode int                `json:"exitCode"`
	Counted  bool               `json:"counted"` // it went to its end
}

// Unstable is a check, or a requirement without checks, that was not always
// judged the same.
type Unstable struct {
	Requirement string            `json:"requirement"`
	Check       string            `json:"check"` // "": the requirement as a whole
	Title       reports.Text      `json:"title"`
	Blocking    bool              `json:"blocking"`
	Verdicts    []reports.Verdict `json:"verdicts"` // of each counted run; "": it was not in it
	Findings    []string          `json:"findings"` // keys that were seen in any run
	Seen        string            `json:"seen"`     // failing or untested, in how many of how many: as known.yaml writes it
	Known       bool              `json:"known"`    // announced as flaky, in time
}

// Known is an entry of the list of known nonconformities, weighed by all runs.
type Known struct {
	ID       string             `json:"id"`
	Kind     string             `json:"kind"`
	Finding  string             `json:"finding"`
	Announce string             `json:"announced"` // as announced: "2/10"
	Seen     string             `json:"seen"`      // here
	State    reports.KnownState `json:"state"`
	Sentence reports.Text       `json:"sentence"`
}

// Of says what several runs came to. Interrupted is whether it was stopped before
// all of them were played.
func Of(asked int, played []Played, interrupted bool) Repetition {
	out := Repetition{Schema: SchemaID, Asked: asked, Runs: []Run{}, Unstable: []Unstable{}, Known: []Known{}}
	var whole []*reports.Report
	worst, gate := 0, false
	for _, p := range played {
		r := Run{Folder: p.Folder, ExitCode: p.Exit}
		if p.Report != nil {
			r.ID, r.Verdict = p.Report.Run.ID, p.Report.Verdict
			if r.Counted = !p.Report.Run.Interrupted && p.Report.ExitCode != reports.ExitError; r.Counted {
				whole = append(whole, p.Report)
			}
		}
		gate = gate || p.Gate
		worst = worse(worst, p.Exit)
		out.Runs = append(out.Runs, r)
	}
	out.Counted = len(whole)
	out.compare(whole)
	wrong := out.weigh(whole)
	out.ExitCode = worst
	undecided := interrupted || out.Counted < 2 || slices.ContainsFunc(out.Unstable, func(u Unstable) bool { return !gate || !u.Known })
	switch {
	case wrong && (worst == 0 || worst == 4):
		out.ExitCode = 1
	case undecided && worst == 0:
		out.ExitCode = 4
	}
	return out
}

// worse is the worse of two exit codes.
func worse(a, b int) int {
	order := []int{5, 1, 2, 3, 4, 0}
	if slices.Index(order, b) < slices.Index(order, a) {
		return b
	}
	return a
}

// seen is what the runs saw of one check.
type seen struct {
	u    Unstable
	fail int
}

func (out *Repetition) compare(whole []*reports.Report) {
	all := map[string]*seen{}
	var order []string
	note := func(run int, key string, u Unstable, v reports.Verdict, findings []reports.Finding) {
		s := all[key]
		if s == nil {
			u.Verdicts, u.Findings = make([]reports.Verdict, len(whole)), []string{}
			s = &seen{u: u}
			all[key] = s
			order = append(order, key)
		}
		s.u.Verdicts[run] = v
		if failing(v) {
			s.fail++
		}
		for _, f := range findings {
			if !slices.Contains(s.u.Findings, f.Key) {
				s.u.Findings = append(s.u.Findings, f.Key)
			}
		}
	}
	for i, r := range whole {
		for _, res := range r.Results {
			u := Unstable{Requirement: res.Requirement, Title: res.Title, Blocking: res.Blocking}
			if len(res.Checks) == 0 {
				note(i, res.Requirement, u, res.Verdict, nil)
			}
			for _, c := range res.Checks {
				u.Check, u.Title = c.ID, c.Title
				note(i, c.ID, u, c.Verdict, c.Findings)
			}
		}
	}
	for _, key := range order {
		s := all[key]
		if !slices.ContainsFunc(s.u.Verdicts, func(v reports.Verdict) bool { return v != s.u.Verdicts[0] }) {
			out.Stable++
			continue
		}
		slices.Sort(s.u.Findings)
		s.u.Seen = strconv.Itoa(s.fail) + "/" + strconv.Itoa(len(whole))
		s.u.Known = announced(whole, key, s.u)
		out.Unstable = append(out.Unstable, s.u)
	}
}

// failing is what an entry about something flaky may be about.
func failing(v reports.Verdict) bool {
	return v == reports.Nonconformant || v == reports.Deviation || v == reports.Untested
}

// announced says whether each run in which a check did not do well explains it by
// an entry of kind flaky.
func announced(whole []*reports.Report, key string, u Unstable) bool {
	for i, r := range whole {
		if !failing(u.Verdicts[i]) {
			if v := u.Verdicts[i]; v != reports.Conformant && v != reports.Attested {
				return false
			}
			continue
		}
		as := r.KnownAs(key)
		if len(as) == 0 || slices.ContainsFunc(as, func(e reports.Known) bool { return e.Kind != reports.KnownFlaky }) {
			return false
		}
	}
	return true
}

// weigh weighs the entries of the list by all runs together, and says whether one
// is wrong: one run alone cannot tell flaky from failing.
func (out *Repetition) weigh(whole []*reports.Report) (wrong bool) {
	if len(whole) == 0 {
		return false
	}
	n := len(whole)
	for i, e := range whole[0].Known.Entries {
		k := Known{ID: e.ID, Kind: e.Kind, Finding: e.Finding, Announce: e.Seen, State: e.State, Sentence: e.Sentence}
		times, fine := 0, 0
		for _, r := range whole {
			if i >= len(r.Known.Entries) || r.Known.Entries[i].ID != e.ID {
				continue // not the same list: the runs are not of one repetition
			}
			switch s := r.Known.Entries[i].State; {
			case s == reports.KnownHolds:
				times++
				k.State, k.Sentence = s, r.Known.Entries[i].Sentence
			case s == reports.KnownStale, s == reports.KnownNotSeen && conformant(r, e.ID):
				fine++
			}
		}
		k.Seen = strconv.Itoa(times) + "/" + strconv.Itoa(n)
		_, of, _ := strings.Cut(e.Seen, "/")
		enough, _ := strconv.Atoi(of)
		switch {
		case e.Kind == reports.KnownFlaky && times == n && n > 1:
			k.State, k.Sentence = reports.KnownUnmatched, reports.Text{
				FR: fmt.Sprintf("Écrivez « kind: failing » : %s n'a été conforme dans aucune des %d campagnes.", e.ID, n),
				EN: fmt.Sprintf("Write \"kind: failing\": %s was conformant in none of the %d runs.", e.ID, n),
			}
		case e.Kind == reports.KnownFlaky && fine == n && n >= enough:
			k.State, k.Sentence = reports.KnownStale, reports.Text{
				FR: fmt.Sprintf("Retirez cette entrée : %s a été conforme dans les %d campagnes.", e.ID, n),
				EN: fmt.Sprintf("Remove this entry: %s was conformant in all %d runs.", e.ID, n),
			}
		case e.Kind == reports.KnownFailing && times > 0 && fine > 0:
			k.State, k.Sentence = reports.KnownUnmatched, reports.Text{
				FR: fmt.Sprintf("Écrivez « kind: flaky » et « seen: %s » : %s n'échoue que dans certaines campagnes.", k.Seen, e.ID),
				EN: fmt.Sprintf("Write \"kind: flaky\" and \"seen: %s\": %s fails in some runs only.", k.Seen, e.ID),
			}
		}
		wrong = wrong || k.State.Fails()
		out.Known = append(out.Known, k)
	}
	return wrong
}

// conformant says whether what an id means was seen to be right.
func conformant(r *reports.Report, id string) bool {
	for _, res := range r.Results {
		if res.Requirement == id {
			return res.Verdict == reports.Conformant || res.Verdict == reports.Attested
		}
		for _, c := range res.Checks {
			if c.ID == id {
				return c.Verdict == reports.Conformant
			}
		}
	}
	return false
}
