package reports

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"time"
)

// list returns an empty list for a nil one: a reader of our JSON never meets
// null where it expects a list.
func list[T any](l []T) []T {
	if l == nil {
		return []T{}
	}
	return l
}

// each returns a copy of a list with f applied to every element, never nil.
func each[T any](l []T, f func(*T)) []T {
	out := make([]T, len(l))
	copy(out, l)
	for i := range out {
		f(&out[i])
	}
	return out
}

// Normal returns the report as it is published: no list or map is nil, every
// verdict is counted, times are UTC to the millisecond. The argument is not
// changed.
func Normal(r Report) Report {
	if r.Schema == "" {
		r.Schema = SchemaID
	}
	r.Run.Started = instant(r.Run.Started)
	r.Run.Ties = each(r.Run.Ties, func(t *Tie) { t.Seen = instant(t.Seen) })
	if w := r.Run.Witnessed; w != nil {
		r.Run.Witnessed = &Witnessed{w.Key, w.Public, w.Exchanges, list(w.Changed), list(w.Missing), list(w.Added)}
	}
	r.Candidate.Claims.Measures = list(r.Candidate.Claims.Measures)
	r.Candidate.Claims.Documents = list(r.Candidate.Claims.Documents)
	r.Candidate.Claims.Agenda = list(r.Candidate.Claims.Agenda)
	summary := Summarise(nil)
	maps.Copy(summary, r.Summary)
	r.Summary = summary
	r.Results = each(r.Results, func(res *Result) {
		res.Sources, res.Formerly = list(res.Sources), list(res.Formerly)
		res.Checks = each(res.Checks, func(c *Check) {
			c.Findings, c.Traces, c.Evidence, c.Pictures = list(c.Findings), list(c.Traces), list(c.Evidence), list(c.Pictures)
		})
	})
	exchanges := make(map[string]Exchange, len(r.Exchanges))
	for id, x := range r.Exchanges {
		x.Time = instant(x.Time)
		x.Request.Headers, x.Response.Headers = list(x.Request.Headers), list(x.Response.Headers)
		exchanges[id] = x
	}
	r.Exchanges = exchanges
	r.Assumptions = each(r.Assumptions, func(a *Assumption) { a.Deviations = list(a.Deviations) })
	r.Notes, r.Files = list(r.Notes), list(r.Files)
	if !r.Known.Given {
		r.Known = Baseline{Holds: true}
		r.Known.Gate = r.gate()
	}
	r.Known.Gate.Left = list(r.Known.Gate.Left)
	r.Known.Entries = each(r.Known.Entries, func(e *Known) { e.Covers = list(e.Covers) })
	if r.Redacted == nil {
		r.Redacted = map[string]int{}
	}
	return r
}

func instant(t time.Time) time.Time { return t.UTC().Truncate(time.Millisecond) }

// plain is a Report without its methods, so that encoding does not recurse.
type plain Report

// MarshalJSON encodes the normal form.
func (r Report) MarshalJSON() ([]byte, error) { return json.Marshal(plain(Normal(r))) }

// encode returns the bytes of report.json: indented, with < > & left readable.
func encode(r Report) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(plain(Normal(r))); err != nil {
		return nil, err
	}
	return escaped(b.Bytes()), nil
}

// Encode returns the bytes of report.json, in its normal form. It does not check
// them against the schema, as Write does.
func Encode(r Report) ([]byte, error) { return encode(r) }

// With returns the results that have a verdict, in the order of the report.
func (r Report) With(v Verdict) []Result {
	return slices.DeleteFunc(slices.Clone(r.Results), func(res Result) bool { return res.Verdict != v })
}
