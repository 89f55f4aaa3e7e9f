package lab

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/etalon-sante/etalon/sandbox/record"
)

// rule is a matcher made of a function that finds.
type rule struct {
	name string
	find func(t Trace, negated bool) []Finding
}

func (m rule) Findings(t Trace, negated bool) []Finding { return m.find(t, negated) }

// Match makes a rule usable with plain Gomega, in tests of the specs.
func (m rule) Match(actual any) (bool, error) {
	t, ok := actual.(Trace)
	if !ok {
		return false, fmt.Errorf("%s: expected a lab.Trace, got %T", m.name, actual)
	}
	return len(m.find(t, false)) == 0, nil
}

func (m rule) FailureMessage(any) string        { return "expected the trace to " + m.name }
func (m rule) NegatedFailureMessage(any) string { return "expected the trace not to " + m.name }

// HaveRequested is met when the candidate sent a request on one of the routes.
// Used with NotTo, each such request is a finding.
func HaveRequested(routes ...record.Route) Finder {
	names := make([]string, len(routes))
	for i, r := range routes {
		names[i] = string(r)
	}
	what := strings.Join(names, ", ")
	return rule{"have requested " + what, func(t Trace, negated bool) []Finding {
		seen := t.Requests(routes...)
		if !negated {
			if seen.Empty() {
				return []Finding{{Key: "no-request", Message: Text{
					FR: "aucune requête attendue n'a été reçue : " + what,
					EN: "no expected request was received: " + what,
				}, Expected: what, Actual: "—"}}
			}
			return nil
		}
		var out []Finding
		for _, r := range seen.Records {
			out = append(out, At(r, "unexpected-request", Text{
				FR: fmt.Sprintf("le service a envoyé une requête « %s » qui n'aurait pas dû partir", r.Exchange.Route),
				EN: fmt.Sprintf("the service sent a request %q that should not have left", r.Exchange.Route),
			}).Was("0", fmt.Sprint(seen.Len())))
		}
		return out
	}}
}

// HaveIssue is met when the sandbox found something wrong under one of the
// rules. Used with NotTo, each issue is a finding.
func HaveIssue(rules ...string) Finder {
	return haveIssue("have issue "+strings.Join(rules, ", "), func(i record.Issue) bool { return slices.Contains(rules, i.Rule) })
}

// haveIssue is met when a remark of the sandbox is one of those wanted.
func haveIssue(name string, wanted func(record.Issue) bool) Finder {
	return rule{name, func(t Trace, negated bool) []Finding {
		var out []Finding
		for _, r := range t.Records {
			if r.Exchange == nil || r.Exchange.Facts == nil {
				continue
			}
			for _, i := range r.Exchange.Facts.Issues {
				if wanted(i) {
					out = append(out, fromIssue(r, i))
				}
			}
		}
		if negated {
			return out
		}
		if len(out) == 0 {
			return []Finding{{Key: "no-issue", Message: Text{FR: "aucune anomalie de ce type", EN: "no such issue"}, Expected: name}}
		}
		return nil
	}}
}

func fromIssue(r record.Record, i record.Issue) Finding {
	f := At(r, i.Rule, Text{
		FR: "le message ne respecte pas la règle « " + i.Rule + " »",
		EN: "the message breaks the rule \"" + i.Rule + "\"",
	})
	f.Pointer, f.Expected, f.Actual, f.Setting = i.Pointer, i.Expected, i.Actual, i.Setting
	return f
}

// Satisfy is met when each record satisfies a condition; ok returns nil, or
// what is wrong with it.
func Satisfy(name string, ok func(record.Record) *Finding) Finder {
	return rule{name, func(t Trace, negated bool) []Finding {
		var out []Finding
		for _, r := range t.Records {
			f := ok(r)
			switch {
			case f != nil && !negated:
				out = append(out, *f)
			case f == nil && negated:
				out = append(out, At(r, name, Text{FR: "cet événement n'aurait pas dû se produire", EN: "this event should not have happened"}))
			}
		}
		return out
	}}
}

// BeEmpty is met when nothing is in the trace; each record is a finding.
func BeEmpty(key string, message Text) Finder {
	return rule{"be empty", func(t Trace, negated bool) []Finding {
		var out []Finding
		if negated {
			if t.Empty() {
				out = append(out, Finding{Key: key, Message: message})
			}
			return out
		}
		for _, r := range t.Records {
			out = append(out, At(r, key, message))
		}
		return out
	}}
}

// HaveAtMost is met when there are at most n records; those beyond are findings.
func HaveAtMost(n int, key string, message Text) Finder {
	return rule{fmt.Sprintf("have at most %d", n), func(t Trace, negated bool) []Finding {
		if t.Len() <= n || negated {
			return nil
		}
		var out []Finding
		for _, r := range t.Records[n:] {
			out = append(out, At(r, key, message).Was(fmt.Sprintf("≤ %d", n), fmt.Sprint(t.Len())))
		}
		return out
	}}
}

// At begins a finding that a record shows.
func At(r record.Record, key string, message Text) Finding {
	f := Finding{Key: key, Message: message, Seq: r.Seq}
	if r.Exchange != nil {
		f.Exchange = r.Exchange.ID
	}
	return f
}

// Was adds what was expected and what was seen.
func (f Finding) Was(expected, actual string) Finding {
	f.Expected, f.Actual = expected, actual
	return f
}

// In adds the place in the exchange.
func (f Finding) In(pointer string) Finding {
	f.Pointer = pointer
	return f
}

// Ptr returns the finding by address, as Satisfy wants it.
func (f Finding) Ptr() *Finding { return &f }

func millis(ms float64) time.Duration { return time.Duration(ms * float64(time.Millisecond)) }

// HaveOtherIssue is met when the sandbox holds something against a message under a
// rule of a family ("feed.") that is none of these: those are for the checks that
// name them.
func HaveOtherIssue(family string, but ...string) Finder {
	return haveIssue("have another issue "+family, func(i record.Issue) bool {
		return strings.HasPrefix(i.Rule, family) && !slices.Contains(but, i.Rule)
	})
}
