package lab

import (
	"encoding/json"
	"fmt"
	"sort"
	"time"

	"github.com/etalon-sante/etalon/sandbox/record"
	"github.com/etalon-sante/etalon/suites/candidate"
)

// Trace is what was recorded of one scenario, or of several, in order.
type Trace struct {
	Slug    string
	Records []record.Record
	lab     *Lab

	companions map[string][]record.Record
}

// Where returns the records that satisfy a condition.
func (t Trace) Where(keep func(record.Record) bool) Trace {
	out := Trace{Slug: t.Slug, lab: t.lab}
	for _, r := range t.Records {
		if keep(r) {
			out.Records = append(out.Records, r)
		}
	}
	return out
}

// Requests returns the candidate's own requests to the sandbox on some routes;
// on any route when none is named.
func (t Trace) Requests(routes ...record.Route) Trace {
	return t.Where(func(r record.Record) bool {
		return r.Exchange != nil && r.Exchange.From == record.Candidate && r.Exchange.To == record.Sandbox && onRoute(r.Exchange, routes)
	})
}

// Exchanges returns the exchanges on some routes, whoever began them.
func (t Trace) Exchanges(routes ...record.Route) Trace {
	return t.Where(func(r record.Record) bool { return r.Exchange != nil && onRoute(r.Exchange, routes) })
}

// Business returns the candidate's calls to the business APIs.
func (t Trace) Business() Trace {
	return t.Where(func(r record.Record) bool {
		return r.Exchange != nil && r.Exchange.From == record.Candidate && r.Exchange.Route.Business()
	})
}

// Actions returns the pilot's answers to some actions; to any when none is named.
func (t Trace) Actions(actions ...candidate.Action) Trace {
	return t.Where(func(r record.Record) bool {
		if r.Pilot == nil {
			return false
		}
		for _, a := range actions {
			if r.Pilot.Action == string(a) {
				return true
			}
		}
		return len(actions) == 0
	})
}

// Marks returns the marks of a kind.
func (t Trace) Marks(kind string) Trace {
	return t.Where(func(r record.Record) bool { return r.Mark != nil && r.Mark.Kind == kind })
}

// Probes returns the probes of a kind.
func (t Trace) Probes(kind string) Trace {
	return t.Where(func(r record.Record) bool { return r.Probe != nil && r.Probe.Kind == kind })
}

// After returns what was recorded after a record.
func (t Trace) After(mark record.Record) Trace {
	return t.Where(func(r record.Record) bool { return r.Seq > mark.Seq })
}

// Before returns what was recorded before a record.
func (t Trace) Before(mark record.Record) Trace {
	return t.Where(func(r record.Record) bool { return r.Seq < mark.Seq })
}

// Earlier returns what began before an instant, wherever it stands in the
// journal: what belongs to no scenario is written last.
func (t Trace) Earlier(at time.Time) Trace {
	return t.Where(func(r record.Record) bool { return r.At.Before(at) })
}

// During returns what happened while a pilot action was in progress: from its
// start to its answer.
func (t Trace) During(action record.Record) Trace {
	if action.Pilot == nil {
		return Trace{Slug: t.Slug, lab: t.lab}
	}
	end := action.At.Add(millis(action.Pilot.Millis))
	return t.Where(func(r record.Record) bool {
		return r.Seq != action.Seq && !r.At.Before(action.At) && !r.At.After(end)
	})
}

// Of returns what concerns one patient.
func (t Trace) Of(patient string) Trace {
	return t.Where(func(r record.Record) bool { return r.Patient == patient })
}

// Answered returns the exchanges that were answered with a status.
func (t Trace) Answered(status int) Trace {
	return t.Where(func(r record.Record) bool { return r.Exchange != nil && r.Exchange.Response.Status == status })
}

// Len is the number of records.
func (t Trace) Len() int { return len(t.Records) }

// Empty says whether nothing was recorded.
func (t Trace) Empty() bool { return len(t.Records) == 0 }

// First returns the first record; the zero one when there is none.
func (t Trace) First() record.Record { return t.At(0) }

// Last returns the last record; the zero one when there is none.
func (t Trace) Last() record.Record { return t.At(len(t.Records) - 1) }

// At returns a record by position; the zero one when there is none.
func (t Trace) At(i int) record.Record {
	if i < 0 || i >= len(t.Records) {
		return record.Record{}
	}
	return t.Records[i]
}

// Marked returns the first mark that the scenario left under a name.
func (t Trace) Marked(text string) (record.Record, bool) {
	for _, r := range t.Records {
		if r.Mark != nil && r.Mark.Text == text {
			return r, true
		}
	}
	return record.Record{}, false
}

func onRoute(x *record.Exchange, routes []record.Route) bool {
	if len(routes) == 0 {
		return true
	}
	for _, r := range routes {
		if x.Route == r {
			return true
		}
	}
	return false
}

func decodeEnding(r record.Record) (Ending, error) {
	var e Ending
	if err := json.Unmarshal(r.Mark.Data, &e); err != nil {
		return e, fmt.Errorf("journal record %d: how scenario %s ended: %w", r.Seq, r.Scenario, err)
	}
	switch e.Outcome {
	case Completed, Unsupported, CandidateFailed, HarnessFailed, NotRun:
		return e, nil
	}
	return e, fmt.Errorf("journal record %d: unknown outcome %q of scenario %s", r.Seq, e.Outcome, r.Scenario)
}

func sortHeaders(h []record.Header) {
	sort.Slice(h, func(i, j int) bool {
		if h[i].Name != h[j].Name {
			return h[i].Name < h[j].Name
		}
		return h[i].Value < h[j].Value
	})
}

// With joins to a trace the actions that it answers, by patient.
func (t Trace) With(actions map[string][]record.Record) Trace {
	t.companions = actions
	return t
}

// Companions are the actions joined by With, of one patient, in order.
func (t Trace) Companions(patient string) []record.Record { return t.companions[patient] }
