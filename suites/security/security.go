// Package security holds the checks of what can be seen of a service's security
// from outside: its TLS, its pages, the guards of its pilot. The probes look;
// the checks here read what they saw.
package security

import (
	"encoding/json"
	"fmt"

	"github.com/etalon-sante/etalon/sandbox/record"
	. "github.com/etalon-sante/etalon/suites/lab"
)

// Specs registers the scenarios and checks of the suite.
func Specs(l *Lab) {
	TLSDepthSpecs(l, TLSSpecs(l))
	WebSpecs(l)
	ExposureSpecs(l)
	DNSSpecs(l)
	PilotSpecs(l)
	MobileSpecs(l)
	JourneySpecs(l)
	BrowserSpecs(l)
	WindowSpecs(l)
}

// could keeps the probes of a kind that could look, and saw what a condition
// asks.
func could[T any](t Trace, kind string, ok func(T) bool) Trace {
	return t.Probes(kind).Where(func(r record.Record) bool {
		return r.Probe.Error == "" && len(r.Probe.Data) > 0 && (ok == nil || ok(record.Seen[T](r)))
	})
}

// observed states the occasion: a probe of a kind that saw what a condition asks.
// Where no probe could look, the reason is the probe's.
func observed[T any](t Trace, kind string, ok func(T) bool) Trace {
	kept := could(t, kind, ok)
	if kept.Empty() {
		for _, r := range t.Probes(kind).Records {
			if r.Probe.Error != "" {
				t.Untested(couldNot(r, Text{FR: "le banc n'a pas pu regarder", EN: "the harness could not look"}))
			}
		}
	}
	return kept.Occasion()
}

// couldNot says why a probe saw nothing: in the words of who looked, where he has them
// in both languages.
func couldNot(r record.Record, otherwise Text) Text {
	var absent struct{ Missing Text }
	if json.Unmarshal(r.Probe.Data, &absent) == nil && absent.Missing.EN != "" {
		return absent.Missing
	}
	return Text{FR: otherwise.FR + " : " + r.Probe.Error, EN: otherwise.EN + ": " + r.Probe.Error}
}

// finding is met when a function finds nothing in what each probe saw.
type finding[T any] struct {
	name string
	find func(record.Record, T) []Finding
}

// see makes a matcher of a function that finds.
func see[T any](name string, find func(record.Record, T) []Finding) Finder {
	return finding[T]{name, find}
}

func (m finding[T]) Findings(t Trace, _ bool) []Finding {
	var out []Finding
	for _, r := range t.Records {
		out = append(out, m.find(r, record.Seen[T](r))...)
	}
	return out
}

func (m finding[T]) Match(actual any) (bool, error) {
	t, ok := actual.(Trace)
	if !ok {
		return false, fmt.Errorf("%s: expected a lab.Trace, got %T", m.name, actual)
	}
	return len(m.Findings(t, false)) == 0, nil
}
func (m finding[T]) FailureMessage(any) string { return "expected the probe to see: " + m.name }
func (m finding[T]) NegatedFailureMessage(any) string {
	return "expected the probe not to see: " + m.name
}
