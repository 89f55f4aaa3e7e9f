package compare

import (
	"cmp"
	"slices"
	"strings"

	"github.com/etalon-sante/etalon/reports"
)

// matcher brings the requirements of two reports together.
type matcher struct {
	before, after reports.Report
}

// changes lists what changed, in order, and how many requirements both judged.
func (m *matcher) changes() ([]Change, int) {
	pairs, gone := m.pairs()
	strict := m.after.Run.Strict
	out := []Change{}
	compared := 0
	for i := range m.after.Results {
		after := &m.after.Results[i]
		before := pairs[i]
		if before == nil && m.before.Run.Partial {
			continue // the first run did not select it
		}
		if before != nil && before.Verdict.InForce() && after.Verdict.InForce() {
			compared++
		}
		out = append(out, requirement(before, after, strict)...)
	}
	if !m.after.Run.Partial { // else the second run did not select them
		for _, before := range gone {
			out = append(out, requirement(before, nil, strict)...)
		}
	}
	order := Kinds()
	slices.SortStableFunc(out, func(a, b Change) int {
		if a.Kind != b.Kind {
			return cmp.Compare(slices.Index(order, a.Kind), slices.Index(order, b.Kind))
		}
		return cmp.Compare(first(a), first(b))
	})
	return out, compared
}

// first orders within a kind: what blocks, then what is worse.
func first(c Change) int {
	n := 3
	if c.Blocking {
		n -= 2
	}
	if c.Worse {
		n--
	}
	return n
}

// pairs gives each requirement of After the one of Before that it is: the same
// id, else an id that it had, else one that has its id among those it had (After
// is then the older catalogue). Each is given once. What is left of Before is gone.
func (m *matcher) pairs() ([]*reports.Result, []*reports.Result) {
	byID := make(map[string]*reports.Result, len(m.before.Results))
	became := map[string]*reports.Result{} // an id that one of Before had -> that one
	for i := range m.before.Results {
		r := &m.before.Results[i]
		byID[r.Requirement] = r
		for _, old := range r.Formerly {
			if became[old] == nil {
				became[old] = r
			}
		}
	}
	out := make([]*reports.Result, len(m.after.Results))
	taken := make(map[*reports.Result]bool, len(out))
	take := func(i int, r *reports.Result) {
		if r != nil && out[i] == nil && !taken[r] {
			out[i], taken[r] = r, true
		}
	}
	for i := range m.after.Results {
		take(i, byID[m.after.Results[i].Requirement])
	}
	for i := range m.after.Results {
		for _, old := range m.after.Results[i].Formerly {
			take(i, byID[old])
		}
		take(i, became[m.after.Results[i].Requirement])
	}
	var gone []*reports.Result
	for i := range m.before.Results {
		if r := &m.before.Results[i]; !taken[r] {
			gone = append(gone, r)
		}
	}
	return out, gone
}

// requirement lists what changed of one requirement; either may be nil. Where both
// have checks they are compared, else the requirement as a whole is.
func requirement(before, after *reports.Result, strict bool) []Change {
	switch {
	case before == nil && len(after.Checks) == 0, after == nil && len(before.Checks) == 0,
		before != nil && after != nil && (len(before.Checks) == 0 || len(after.Checks) == 0):
		return whole(before, after, strict)
	case before == nil, after == nil:
		return checks(before, after, strict)
	}
	out := checks(before, after, strict)
	// What is decided otherwise than by its checks (a requirement of which only the
	// verdict moved) is not to be lost.
	if len(out) == 0 && before.Verdict != after.Verdict {
		return whole(before, after, strict)
	}
	return out
}

func whole(before, after *reports.Result, strict bool) []Change {
	c := Change{Appeared: []string{}, Gone: []string{}}
	of := after
	if after == nil {
		of = before
	} else {
		c.After, c.Message = after.Verdict, after.Reason
	}
	c.Requirement, c.Title, c.Blocking = of.Requirement, of.Title, of.Blocking
	if before != nil {
		c.Before = before.Verdict
		if after != nil && before.Requirement != after.Requirement {
			c.Formerly = before.Requirement
		}
	}
	if c.Kind, c.Worse = kindOf(c.Before, c.After, strict); c.Kind == "" {
		return nil
	}
	return []Change{c}
}

func checks(before, after *reports.Result, strict bool) []Change {
	var out []Change
	var was []reports.Check
	old := ""
	if before != nil {
		was, old = before.Checks, before.Requirement
	}
	left := make([]bool, len(was)) // found again
	of := after
	if after == nil {
		of = before
	} else {
		for i := range after.Checks {
			k := &after.Checks[i]
			j := slices.IndexFunc(was, func(w reports.Check) bool { return w.ID == k.ID })
			if j < 0 && old != "" && old != after.Requirement {
				// The checks of a requirement follow it into its new name.
				rest, _ := strings.CutPrefix(k.ID, after.Requirement)
				j = slices.IndexFunc(was, func(w reports.Check) bool { return w.ID == old+rest })
			}
			var w *reports.Check
			if j >= 0 && !left[j] {
				w, left[j] = &was[j], true
			}
			out = append(out, check(of, w, k, strict)...)
		}
	}
	for j := range was {
		if !left[j] {
			out = append(out, check(of, &was[j], nil, strict)...)
		}
	}
	return out
}

func check(of *reports.Result, before, after *reports.Check, strict bool) []Change {
	c := Change{Requirement: of.Requirement, Blocking: of.Blocking, Appeared: []string{}, Gone: []string{}}
	k := after
	if after == nil {
		k = before
	} else {
		c.After, c.Message = after.Verdict, seen(after)
	}
	c.Check, c.Title = k.ID, k.Title
	if before != nil {
		c.Before = before.Verdict
		if after != nil && before.ID != after.ID {
			c.Formerly = before.ID
		}
	}
	if before != nil && after != nil {
		c.Appeared, c.Gone = keys(after.Findings, before.Findings), keys(before.Findings, after.Findings)
	}
	c.Kind, c.Worse = kindOf(c.Before, c.After, strict)
	other := len(c.Appeared)+len(c.Gone) > 0
	switch {
	case c.Kind == "" && other:
		c.Kind = ChangedFindings
	case c.Kind == "":
		return nil
	}
	// What fails already and now fails in one more way is worse.
	if c.Kind == StillFailing && len(c.Appeared) > 0 {
		c.Worse = true
	}
	return []Change{c}
}

// seen is what a check says in one sentence: its first finding, else its reason.
func seen(k *reports.Check) reports.Text {
	if len(k.Findings) > 0 {
		return k.Findings[0].Message
	}
	return k.Reason
}

// keys are the keys of findings that others do not have, sorted, each once.
func keys(of, others []reports.Finding) []string {
	out := []string{}
	for i := range of {
		key := of[i].Key
		if !slices.Contains(out, key) && !slices.ContainsFunc(others, func(f reports.Finding) bool { return f.Key == key }) {
			out = append(out, key)
		}
	}
	slices.Sort(out)
	return out
}
