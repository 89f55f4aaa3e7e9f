package reports

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Baseline is the list of nonconformities that were known when a run was judged.
// It changes no verdict: what is known stays nonconformant, and says so with its
// reason, its owner and its deadline. What it changes is the answer to another
// question: is there anything new? (Gate)
type Baseline struct {
	Given   bool    `json:"given"`  // false: no list was given
	SHA256  string  `json:"sha256"` // of the list as it was used
	Holds   bool    `json:"holds"`  // no entry is stale, unmatched or overdue
	Gate    Gate    `json:"gate"`
	Entries []Known `json:"entries"`
}

// Gate says whether anything stands in the way besides what is known and in time.
type Gate struct {
	Passes   bool `json:"passes"`
	ExitCode int  `json:"exitCode"` // of `etalon gate`: 0, 1, 4, 5
	// Left are the blocking requirements that stand in the way.
	Left []string `json:"left"`
}

// Kinds of a known nonconformity.
const (
	KnownFailing = "failing" // it is seen in every run
	KnownFlaky   = "flaky"   // it is seen in some runs, not in others
)

// KnownState is what a run says of an entry.
type KnownState string

// The states of an entry; the last three fail.
const (
	KnownHolds     KnownState = "known"     // seen, as announced, and in time
	KnownNotSeen   KnownState = "not-seen"  // this run neither confirms nor refutes it
	KnownStale     KnownState = "stale"     // it is conformant now
	KnownUnmatched KnownState = "unmatched" // no such id, or not this finding
	KnownOverdue   KnownState = "overdue"   // its deadline has passed
)

// Fails says whether an entry in this state makes the list wrong.
func (s KnownState) Fails() bool { return s != KnownHolds && s != KnownNotSeen }

// Known is one entry of the list, and what this run says of it.
type Known struct {
	ID       string `json:"id"`      // of a check, or of a requirement: then of all its checks
	Kind     string `json:"kind"`    // failing, flaky
	Finding  string `json:"finding"` // key of the finding; empty: any
	Reason   string `json:"reason"`
	Owner    string `json:"owner"`    // a team or a role
	Deadline string `json:"deadline"` // 2006-01-02, that day included
	Seen     string `json:"seen"`     // of a flaky one: in how many runs of how many, "2/10"

	State    KnownState `json:"state"`
	Sentence Text       `json:"sentence"` // what the state means here, and what to do
	Covers   []string   `json:"covers"`   // checks, or requirements without checks, that it explains in this run
}

// subject is what an entry is about: a check, or a requirement without checks.
type subject struct {
	id       string
	verdict  Verdict
	findings []Finding
}

// subjectsOf are the checks that an id means, renames followed; nil: it is not in
// the report.
func subjectsOf(results []Result, id string) (out []subject, now string, verdict Verdict) {
	whole := func(r *Result) ([]subject, string, Verdict) {
		if len(r.Checks) == 0 {
			return []subject{{id: r.Requirement, verdict: r.Verdict}}, r.Requirement, r.Verdict
		}
		var all []subject
		for _, c := range r.Checks {
			all = append(all, subject{c.ID, c.Verdict, c.Findings})
		}
		return all, r.Requirement, r.Verdict
	}
	one := func(r *Result, id string) ([]subject, string, Verdict) {
		for _, c := range r.Checks {
			if c.ID == id {
				return []subject{{c.ID, c.Verdict, c.Findings}}, c.ID, c.Verdict
			}
		}
		// A requirement that is not judged lists no check.
		if of, _, dot := strings.Cut(id, "."); dot && of == r.Requirement && len(r.Checks) == 0 && !r.Verdict.InForce() {
			return []subject{{id: r.Requirement, verdict: r.Verdict}}, r.Requirement, r.Verdict
		}
		return nil, "", ""
	}
	for i := range results {
		if results[i].Requirement == id {
			return whole(&results[i])
		}
		if out, now, verdict = one(&results[i], id); out != nil {
			return out, now, verdict
		}
	}
	for i := range results {
		for _, old := range results[i].Formerly {
			if old == id {
				return whole(&results[i])
			}
			if rest, is := strings.CutPrefix(id, old+"."); is {
				if out, now, verdict = one(&results[i], results[i].Requirement+"."+rest); out != nil {
					return out, now, verdict
				}
			}
		}
	}
	return nil, "", ""
}

func failing(v Verdict) bool { return v == Nonconformant || v == Deviation }

// Weigh judges a list of known nonconformities by this report, as of the day on
// which the run began, and fills Report.Known. The report has to be concluded.
// Exists says whether an id is one of the catalogue, selected or not.
func (r *Report) Weigh(entries []Known, sha256 string, exists func(id string) bool) {
	b := Baseline{Given: true, SHA256: sha256, Holds: true, Entries: []Known{}}
	day := r.Run.Started.UTC().Format(time.DateOnly)
	for _, e := range entries {
		e.Covers = []string{}
		r.weigh(&e, day, exists)
		b.Holds = b.Holds && !e.State.Fails()
		b.Entries = append(b.Entries, e)
	}
	r.Known = b
	r.Known.Gate = r.gate()
}

func (r *Report) weigh(e *Known, day string, exists func(string) bool) {
	set := func(s KnownState, fr, en string, args ...any) {
		e.State, e.Sentence = s, Text{FR: fmt.Sprintf(fr, args...), EN: fmt.Sprintf(en, args...)}
	}
	late := e.Deadline < day
	subjects, now, verdict := subjectsOf(r.Results, e.ID)
	var wrong []subject
	others := []string{} // keys of findings that the entry does not name
	for _, s := range subjects {
		bad := failing(s.verdict) || e.Kind == KnownFlaky && s.verdict == Untested
		switch {
		case !bad:
		case e.Finding == "" || s.verdict == Untested || slices.ContainsFunc(s.findings, func(f Finding) bool { return f.Key == e.Finding }):
			wrong = append(wrong, s)
		default:
			for _, f := range s.findings {
				if !slices.Contains(others, f.Key) {
					others = append(others, f.Key)
				}
			}
		}
	}
	switch {
	case subjects == nil && r.Run.Partial && exists(e.ID):
		set(KnownNotSeen, "Hors de cette sélection : rien n'en est dit.", "Outside this selection: nothing is said of it.")
	case subjects == nil:
		set(KnownUnmatched, "Corrigez ou retirez cette entrée : ni exigence ni vérification ne porte l'identifiant %s.", "Correct or remove this entry: neither a requirement nor a check has the id %s.", e.ID)
	case !verdict.InForce():
		set(KnownUnmatched, "Retirez cette entrée : %s n'est pas jugé pour ce service (%s).", "Remove this entry: %s is not judged for this service (%s).", now, verdict)
	case len(wrong) == 0 && len(others) > 0:
		set(KnownUnmatched, "Corrigez la clé de cette entrée : %s n'est toujours pas conforme, mais le constat %s n'y est pas (vu : %s).",
			"Correct the key of this entry: %s still fails, but the finding %s is not there (seen: %s).", now, e.Finding, strings.Join(others, ", "))
	case len(wrong) == 0 && e.Kind == KnownFailing && (verdict == Conformant || verdict == Attested):
		set(KnownStale, "Retirez cette entrée : %s est maintenant conforme.", "Remove this entry: %s is conformant now.", now)
	case late:
		set(KnownOverdue, "Corrigez %s, ou décidez d'une autre échéance : celle-ci est passée depuis le %s.", "Mend %s, or decide on another deadline: this one passed on %s.", now, e.Deadline)
	case len(wrong) == 0 && e.Kind == KnownFlaky && (verdict == Conformant || verdict == Attested):
		set(KnownNotSeen, "Conforme cette fois ; vu non conforme ou non testé dans %s campagnes.", "Conformant this time; seen failing or untested in %s runs.", e.Seen)
	case len(wrong) == 0:
		set(KnownNotSeen, "Cette campagne ne dit pas si %s est encore non conforme.", "This run does not say whether %s still fails.", now)
	default:
		set(KnownHolds, "Connu, confié à « %s », à corriger au plus tard le %s.", "Known, in the hands of \"%s\", to be mended by %s.", e.Owner, e.Deadline)
		for _, s := range wrong {
			e.Covers = append(e.Covers, s.id)
		}
	}
}

// KnownAs gives the entries that explain a check, or a requirement without checks,
// in this run; none when something of it is not known.
func (r *Report) KnownAs(id string) []Known {
	for i := range r.Results {
		if res := &r.Results[i]; len(res.Checks) == 0 && res.Requirement == id {
			return r.explained(subject{id, res.Verdict, nil})
		}
		for _, c := range r.Results[i].Checks {
			if c.ID == id {
				return r.explained(subject{c.ID, c.Verdict, c.Findings})
			}
		}
	}
	return nil
}

// explained gives the entries that together account for all that a subject shows:
// an entry about one finding does not hide another.
func (r *Report) explained(s subject) []Known {
	var all []Known
	any := false
	for _, e := range r.Known.Entries {
		if e.State == KnownHolds && slices.Contains(e.Covers, s.id) {
			all = append(all, e)
			any = any || e.Finding == "" || s.verdict == Untested
		}
	}
	for _, f := range s.findings {
		if !any && !slices.ContainsFunc(all, func(e Known) bool { return e.Finding == f.Key }) {
			return nil
		}
	}
	return all
}

// gate decides as the run is decided, by the same table, without what is known
// and in time. A list that does not hold never lets anything pass.
func (r *Report) gate() Gate {
	g := Gate{ExitCode: r.ExitCode, Left: []string{}}
	if r.ExitCode == ExitError || r.Verdict == RunError {
		g.ExitCode = ExitError
		return g
	}
	results := slices.Clone(r.Results)
	for i := range results {
		res := &results[i]
		blocking := res.Blocking || r.Run.Strict && res.Verdict.InForce()
		var left []Verdict
		for _, c := range res.Checks {
			if len(r.explained(subject{c.ID, c.Verdict, c.Findings})) == 0 {
				left = append(left, c.Verdict)
			}
		}
		switch {
		case len(res.Checks) == 0 && len(r.explained(subject{res.Requirement, res.Verdict, nil})) > 0,
			len(res.Checks) > 0 && len(left) == 0:
			res.Verdict = Excluded // nothing is left of it that decides
		case len(left) < len(res.Checks):
			res.Verdict = Worst(left...)
		}
		if v := res.Verdict; blocking && (v == Nonconformant || v == Untested || r.Run.Strict && (v == Deviation || v == ToReview)) {
			g.Left = append(g.Left, res.Requirement)
		}
	}
	if r.Run.FreeUse {
		g.ExitCode = decideFree(results)
	} else {
		_, g.ExitCode = Decide(results, r.Run.Strict, r.Run.Interrupted, r.Run.Partial)
	}
	if !r.Known.Holds && g.ExitCode != ExitError {
		g.ExitCode = ExitNonconformant
	}
	g.Passes = g.ExitCode == ExitConformant
	return g
}

// CommandCode is the exit code of a command that judged this report: that of the
// verdict, except that a list of known nonconformities that does not hold is never
// passed over in silence.
func (r *Report) CommandCode() int {
	if r.Known.Given && !r.Known.Holds && (r.ExitCode == ExitConformant || r.ExitCode == ExitInconclusive) {
		return ExitNonconformant
	}
	return r.ExitCode
}

// Word is how a state is shown.
func (s KnownState) Word() Text {
	switch s {
	case KnownHolds:
		return Text{FR: "connue et dans les temps", EN: "known and in time"}
	case KnownNotSeen:
		return Text{FR: "non vue cette fois", EN: "not seen this time"}
	case KnownStale:
		return Text{FR: "périmée", EN: "stale"}
	case KnownUnmatched:
		return Text{FR: "sans correspondance", EN: "unmatched"}
	}
	return Text{FR: "en retard", EN: "overdue"}
}
