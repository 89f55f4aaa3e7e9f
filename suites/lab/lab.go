// Package lab is where things happen and are judged: scenarios act and record,
// specs read what was recorded. A scenario yields a trace; a spec is a pure
// function of traces, be they live or read back from a run folder.
package lab

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/etalon-sante/etalon/sandbox/record"
	"github.com/etalon-sante/etalon/suites/candidate"
)

// Outcome says how a scenario ended.
type Outcome string

// The outcomes of a scenario.
const (
	Completed       Outcome = "done"
	Unsupported     Outcome = "unsupported"      // the candidate said that it cannot do one of the actions
	CandidateFailed Outcome = "candidate-failed" // the candidate did not do what it was to do, or did not answer
	HarnessFailed   Outcome = "harness-failed"   // ours to mend
	NotRun          Outcome = "not-run"          // not planned, or the run was interrupted before it
)

// Ending is how a scenario ended; as an error it ends one early.
type Ending struct {
	Outcome Outcome          `json:"outcome"`
	Action  candidate.Action `json:"action,omitempty"` // the action at which it ended
	Reason  string           `json:"reason,omitempty"`
	French  string           `json:"reasonFr,omitempty"` // Reason in French; empty where there is only a technical message
}

// Why is the reason in two languages.
func (e Ending) Why() Text {
	if e.French == "" {
		return Text{FR: e.Reason, EN: e.Reason}
	}
	return Text{FR: e.French, EN: e.Reason}
}

func (e *Ending) Error() string {
	return fmt.Sprintf("%s at %s: %s", e.Outcome, e.Action, e.Reason)
}

// Act is what a scenario does. It returns nil when it went to its end, an
// *Ending when the candidate ended it, any other error when the harness failed.
type Act func(ctx context.Context, s *Stage) error

// Scenario makes something happen, with people of its own.
type Scenario struct {
	Slug     string             // stable, unique: "callback-forged-state"
	Sentence string             // what happens, for the reader of the code
	Chapter  string             // group that is observed again together
	Needs    []candidate.Action // claims without which it is not run
	Answers  candidate.Action   // the claim that it answers for: never given up beforehand
	Kinds    []string           // kinds of measure without which it is not run
	Formats  []string           // clinical documents without which it is not run
	Devices  bool               // needs measures from connected devices
	Alone    bool               // changes the sandbox for everyone: runs when nothing else does, last
	Late     bool               // takes the machine: runs beside its like, once what is timed has ended
	act      Act
	lab      *Lab
}

// Option sets a trait of a scenario.
type Option func(*Scenario)

// Needs names the claimed actions without which a scenario has no sense.
func Needs(actions ...candidate.Action) Option {
	return func(s *Scenario) { s.Needs = append(s.Needs, actions...) }
}

// Answers marks the scenario by which a claim is judged: it is tried even when
// others have met a candidate that does nothing.
func Answers(a candidate.Action) Option { return func(s *Scenario) { s.Answers = a } }

// NeedsKind names a kind of measure without which a scenario has no sense.
func NeedsKind(kind string) Option { return func(s *Scenario) { s.Kinds = append(s.Kinds, kind) } }

// NeedsFormat names a clinical document that a scenario asks for.
func NeedsFormat(format string) Option {
	return func(s *Scenario) { s.Formats = append(s.Formats, format) }
}

// NeedsDevices says that a scenario has no sense without connected devices.
func NeedsDevices() Option { return func(s *Scenario) { s.Devices = true } }

// Claimed says whether a candidate claims all that the scenario needs.
func (s *Scenario) Claimed(c candidate.Candidate) bool {
	for _, a := range s.Needs {
		if !c.ClaimsAction(a) {
			return false
		}
	}
	for _, k := range s.Kinds {
		if !c.Claims.Exchanges(k) {
			return false
		}
	}
	for _, f := range s.Formats {
		if !slices.Contains(c.Claims.DocumentFormats, f) {
			return false
		}
	}
	return !s.Devices || c.Claims.Devices
}

// Alone makes a scenario run when nothing else does.
func Alone() Option { return func(s *Scenario) { s.Alone = true } }

// Late makes a scenario run once those that share the sandbox have ended, beside
// others of its kind: a browser takes the machine, and what is timed elsewhere is
// not to suffer from it.
func Late() Option { return func(s *Scenario) { s.Late = true } }

// Lab holds the scenarios that the suites declare and the traces to judge.
type Lab struct {
	scenarios []*Scenario
	slugs     map[string]*Scenario
	traces    map[string]Trace
	all       []record.Record
	endings   map[string]Ending
	oracle    Oracle
	sheet     *sheet
	trial     *trial
	chapter   string
	free      *free // nil: scenarios were played
}

// Oracle answers what judging may ask besides the traces; all of it stands in
// the run folder.
type Oracle struct {
	Candidate candidate.Candidate
	FreeUse   bool                               // nobody drove the service: see Free
	Acts      func(check string) Text            // what would create the occasion of a check; nil: not said
	Titles    func(check string) (fr, en string) // for sentences that name another check
}

// New returns a lab without traces.
func New() *Lab {
	return &Lab{slugs: map[string]*Scenario{}, traces: map[string]Trace{}, endings: map[string]Ending{}, sheet: newSheet()}
}

// In declares the scenarios of a chapter.
func (l *Lab) In(chapter string, declare func()) {
	before := l.chapter
	l.chapter = chapter
	declare()
	l.chapter = before
}

// Scenario declares a scenario. A slug declared twice is a mistake of ours and
// panics while the tree is built.
func (l *Lab) Scenario(slug, sentence string, act Act, opts ...Option) *Scenario {
	if l.slugs[slug] != nil {
		panic("scenario declared twice: " + slug)
	}
	s := &Scenario{Slug: slug, Sentence: sentence, Chapter: l.chapter, act: act, lab: l}
	for _, o := range opts {
		o(s)
	}
	l.scenarios = append(l.scenarios, s)
	l.slugs[slug] = s
	return s
}

// Shared declares a scenario that several suites read: the first to name it
// declares it, the others get the same.
func (l *Lab) Shared(chapter, slug, sentence string, act Act, opts ...Option) *Scenario {
	if s := l.slugs[slug]; s != nil {
		return s
	}
	var s *Scenario
	l.In(chapter, func() { s = l.Scenario(slug, sentence, act, opts...) })
	return s
}

// Scenarios lists what is declared, in order.
func (l *Lab) Scenarios() []*Scenario { return l.scenarios }

// Lookup returns a scenario by slug, nil when there is none.
func (l *Lab) Lookup(slug string) *Scenario { return l.slugs[slug] }

// Load gives the lab what was recorded; it replaces what it held. Records of a
// scenario keep the order in which they stand.
func (l *Lab) Load(records []record.Record, o Oracle) error {
	l.oracle = o
	l.all = records
	l.traces, l.endings = map[string]Trace{}, map[string]Ending{}
	by := map[string][]record.Record{}
	for _, r := range records {
		by[r.Scenario] = append(by[r.Scenario], r)
		if r.Kind == record.KindMark && r.Mark.Kind == "end" {
			e, err := decodeEnding(r)
			if err != nil {
				return err
			}
			l.endings[r.Scenario] = e
		}
	}
	for slug, rs := range by {
		l.traces[slug] = Trace{Slug: slug, Records: rs, lab: l}
	}
	if l.free = nil; o.FreeUse {
		l.loadFree(records)
	}
	return nil
}

// Ending says how a scenario ended in what is loaded.
func (l *Lab) Ending(slug string) Ending {
	if l.free != nil {
		return Ending{Outcome: Completed}
	}
	if e, ok := l.endings[slug]; ok {
		return e
	}
	return Ending{Outcome: NotRun}
}

// Candidate is the manifest that the traces belong to.
func (l *Lab) Candidate() candidate.Candidate { return l.oracle.Candidate }

// Trace is what a scenario recorded; empty when it was not run. A leaf that
// reads a scenario which it does not name is broken: only what is named is
// played for it, and only what is named counts as its evidence.
func (s *Scenario) Trace() Trace {
	if f := s.lab.free; f != nil {
		return f.current
	}
	if sh := s.lab.sheet; sh.current != nil && !slices.Contains(sh.labels.Reads, s.Slug) {
		panic(fmt.Sprintf("the check %s reads the scenario %s, which it does not name", sh.current.Check, s.Slug))
	}
	t, ok := s.lab.traces[s.Slug]
	if !ok {
		return Trace{Slug: s.Slug, lab: s.lab}
	}
	return t
}

// Strays are the records that belong to no scenario and were made while this
// one was played: they may be its own.
func (s *Scenario) Strays() Trace {
	if f := s.lab.free; f != nil {
		return f.strays()
	}
	own := s.Trace()
	if own.Empty() {
		return own
	}
	from, to := own.First().At, own.Last().At
	return s.lab.AllTraffic().Where(func(r record.Record) bool {
		return r.Scenario == "" && !r.At.Before(from) && !r.At.After(to)
	})
}

// AllTraffic is everything that was recorded in the run, whatever scenario it
// belongs to.
func (l *Lab) AllTraffic() Trace {
	if l.free != nil {
		return l.free.all
	}
	return Trace{Slug: "*", Records: l.all, lab: l}
}

// Together joins the traces of the scenarios that went to their end.
func Together(scenarios ...*Scenario) Trace {
	var out Trace
	for _, s := range scenarios {
		t := s.Trace()
		out.lab = s.lab
		if s.lab.free != nil {
			return t // the same session for each of them
		}
		if s.lab.Ending(s.Slug).Outcome == Completed {
			out.Records = append(out.Records, t.Records...)
		}
	}
	bySeq(out.Records)
	return out
}

// bySeq puts records in the order of the journal. Mostly they are.
func bySeq(records []record.Record) {
	order := func(a, b record.Record) int { return cmp.Compare(a.Seq, b.Seq) }
	if !slices.IsSortedFunc(records, order) {
		slices.SortStableFunc(records, order)
	}
}
