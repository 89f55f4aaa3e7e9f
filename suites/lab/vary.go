package lab

import (
	"slices"

	"github.com/etalon-sante/etalon/sandbox/record"
)

// Variation is a recording changed in one place.
type Variation struct {
	Scenario string                  // whose records are changed; empty: those that belong to none
	Edit     map[int][]record.Record // by Seq of the record: what stands in its place; nothing drops it
	// Narrow keeps it from the leaves that read all traffic: they treat the
	// scenarios alike, so that a change need not be tried on them in each.
	Narrow bool
}

// trial is a set of variations to be judged besides the recording itself.
type trial struct {
	variations []Variation
	came       func(i int, was, now Result)
}

// Vary makes each leaf, once judged on the recording, be judged again on every
// variation of what it reads; came is told what it came to then and before. One tree
// serves all of them: judging is pure, so that a leaf can be run again, and a leaf
// that reads nothing of what a variation changes cannot come to anything else.
func (l *Lab) Vary(variations []Variation, came func(i int, was, now Result)) {
	l.trial = &trial{variations: variations, came: came}
}

// vary judges one leaf on the variations that concern it.
func (l *Lab) vary(labels LeafLabels, was Result, body func()) {
	if l.trial == nil {
		return
	}
	for i, v := range l.trial.variations {
		all := labels.All && !v.Narrow
		// What belongs to no scenario may be read as a stray by any leaf.
		if v.Scenario != "" && !all && !slices.Contains(labels.Reads, v.Scenario) {
			continue
		}
		back := l.apply(v, all || v.Scenario == "")
		now := l.leaf(labels, body)
		back()
		l.trial.came(i, was, now)
	}
}

// apply loads a variation; what it returns takes it back.
func (l *Lab) apply(v Variation, everything bool) (back func()) {
	all, trace := l.all, l.traces[v.Scenario]
	changed := trace
	changed.Records = edited(trace.Records, v.Edit)
	l.traces[v.Scenario] = changed
	if everything {
		l.all = edited(all, v.Edit)
	}
	return func() { l.all, l.traces[v.Scenario] = all, trace }
}

func edited(records []record.Record, edit map[int][]record.Record) []record.Record {
	out := make([]record.Record, 0, len(records)+1)
	for _, r := range records {
		if with, ok := edit[r.Seq]; ok {
			out = append(out, with...)
			continue
		}
		out = append(out, r)
	}
	return out
}
