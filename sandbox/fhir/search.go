package fhir

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/etalon-sante/etalon/sandbox/record"
)

// Search is a search of measures.
type Search struct {
	Mode    string // All or Last
	Code    string
	Kind    string // measure that the code is of
	IDPe    string
	Auth    string // naming authority of the idPe
	From    *Bound // nil: no lower bound
	To      *Bound // nil: no upper bound
	Offset  int    // page number, from 0
	Count   int    // page size
	Include bool   // devices are returned too
}

// The modes of a search of measures.
const (
	All  = "all"
	Last = "last"
)

// DocumentSearch is a search of documents.
type DocumentSearch struct {
	IDPe     string
	Auth     string
	Category string // code; "" for any
	From     *Bound // of period-start
	To       *Bound
	Offset   int // page number, from 0
	Count    int // page size
}

// Bound is one date bound of a search.
type Bound struct {
	Prefix string    // ge, gt, le or lt
	Text   string    // as given, without the prefix
	Low    time.Time // first instant that the text may mean
	High   time.Time // first instant after it
}

// Matches says whether the interval [low, high) of a resource satisfies the
// bounds, as FHIR R4 compares dates of different precision.
func (s Search) Matches(low, high time.Time) bool { return within(s.From, s.To, low, high) }

// Matches says the same of the bounds of period-start.
func (s DocumentSearch) Matches(low, high time.Time) bool { return within(s.From, s.To, low, high) }

func within(from, to *Bound, low, high time.Time) bool {
	return (from == nil || from.admits(low, high)) && (to == nil || to.admits(low, high))
}

// admits compares the interval [low, high) with the bound (FHIR R4 §3.1.1.4.7):
// gt and lt ask that a part of it lies beyond the bound; ge and le also accept
// an interval that the bound contains.
func (b Bound) admits(low, high time.Time) bool {
	contained := !low.Before(b.Low) && !high.After(b.High)
	switch b.Prefix {
	case "gt":
		return high.After(b.High)
	case "ge":
		return high.After(b.High) || contained
	case "lt":
		return low.Before(b.Low)
	case "le":
		return low.Before(b.Low) || contained
	}
	return false
}

// Search reads and judges the query of a search of measures.
func (r *Rules) Search(q url.Values, c Context) (Search, []record.Issue) {
	p := &report{r: r}
	s := Search{Mode: All, Count: r.set.Int("search.count-default")}
	p.unknown("search.unknown-parameter", q, "code", "subject.identifier", "date", "_include", "_offset", "_count", "_sort")

	s.Code = p.once("search.code", q, "code")
	if k := r.cat.byCode[s.Code]; k != nil {
		s.Kind = k.Kind
	} else {
		p.add("search.code", "", "?code", "one of "+strings.Join(r.cat.codes, ", "), orNothing(s.Code))
	}
	s.IDPe, s.Auth = p.person("search.subject", q, "subject.identifier", c)
	s.From, s.To = p.bounds("search.date", q, "date", true)
	p.include(q, &s)

	counted := q.Has("_count")
	s.Count = p.count("search.count", q, s.Count, r.set.Int("search.count-max"))
	s.Offset = p.offset("search.offset", q)
	switch {
	case q.Has("_sort"):
		s.Mode = Last
		if v := p.once("search.sort", q, "_sort"); v != "-date" {
			p.add("search.sort", "", "?_sort", "-date", orNothing(v))
		}
		if !counted || s.Count != 1 {
			p.add("search.sort", "", "?_count", "1 with _sort=-date", orNothing(q.Get("_count")))
		}
		if q.Has("_offset") {
			p.add("search.offset", "last", "?_offset", "no paging with _sort=-date", q.Get("_offset"))
		}
	case !q.Has("date"):
		p.add("search.mode", "", "?date", "two dates, or _sort=-date and _count=1", "neither")
	}
	return s, p.list
}

// include reads _include. The published examples write a dot for the colon:
// both are taken.
func (p *report) include(q url.Values, s *Search) {
	for _, v := range q["_include"] {
		if v == "Observation:device" || v == "Observation.device" {
			s.Include = true
			continue
		}
		p.add("search.unknown-parameter", "", "?_include", "Observation:device", v)
	}
}

// DocumentSearch reads and judges the query of a search of documents. Paging is
// assumed to be that of measures: no text says.
func (r *Rules) DocumentSearch(q url.Values, c Context) (DocumentSearch, []record.Issue) {
	p := &report{r: r}
	p.unknown("docsearch.unknown-parameter", q, "patient:identifier", "category", "period-start", "_count", "_offset")
	var s DocumentSearch
	s.IDPe, s.Auth = p.person("docsearch.patient", q, "patient:identifier", c)
	if q.Has("category") {
		system, code, ok := strings.Cut(p.once("docsearch.category", q, "category"), "|")
		if !ok {
			system, code = "", system
		}
		if want := r.set.String("document.category-system"); system != "" && system != want {
			p.add("docsearch.category", "", "?category", "a code of "+want, system)
		}
		if s.Category = code; !slices.Contains(r.categories, code) {
			p.add("docsearch.category", "", "?category", "one of "+strings.Join(r.categories, ", "), orNothing(code))
		}
	}
	s.From, s.To = p.bounds("docsearch.date", q, "period-start", false)
	s.Count = p.count("docsearch.count", q, r.set.Int("document.count-default"), r.set.Int("document.count-max"))
	s.Offset = p.offset("docsearch.count", q)
	return s, p.list
}

// unknown notes parameters that the search does not have, in order.
func (p *report) unknown(rule string, q url.Values, known ...string) {
	var names []string
	for name := range q {
		if !slices.Contains(known, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		p.add(rule, "", "?"+brief(name), "one of "+strings.Join(known, ", "), brief(name))
	}
}

// once returns the value of a parameter that may be given once.
func (p *report) once(rule string, q url.Values, name string) string {
	if n := len(q[name]); n > 1 {
		p.add(rule, "", "?"+name, "once", fmt.Sprintf("%d times", n))
	}
	return q.Get(name)
}

// person reads "naming authority|idPe". Some published examples show the idPe
// alone: that is noted, not refused.
func (p *report) person(rule string, q url.Values, name string, c Context) (idpe, auth string) {
	v := p.once(rule, q, name)
	auth, idpe, both := strings.Cut(v, "|")
	if !both {
		auth, idpe = "", v
	}
	switch {
	case idpe == "":
		p.add(rule, "", "?"+name, "naming authority|idPe", orNothing(v))
		return idpe, auth
	case auth == "":
		p.add(rule, "no-authority", "?"+name, "naming authority|idPe", "an idPe alone")
	case c.AssignAuth != "" && auth != c.AssignAuth:
		p.add(rule, "other-authority", "?"+name, "the naming authority given at pairing", "another one")
	}
	if c.IDPe != "" && idpe != c.IDPe {
		p.add(rule, "other-patient", "?"+name, "the idPe of the id_token", "another idPe")
	}
	return idpe, auth
}

// bounds reads the date parameter: one lower and one upper bound, or, where
// both is false, at most one of each.
func (p *report) bounds(rule string, q url.Values, name string, both bool) (from, to *Bound) {
	for _, v := range q[name] {
		if len(v) < 2 || !slices.Contains([]string{"ge", "gt", "le", "lt"}, v[:2]) {
			p.add(rule, "", "?"+name, "a date with ge, gt, le or lt", orNothing(v))
			continue
		}
		d, err := readDate(v[2:], p.r.zone)
		if err != nil {
			p.add(rule, "", "?"+name, "a FHIR date with ge, gt, le or lt", v)
			continue
		}
		b := &Bound{Prefix: v[:2], Text: v[2:], Low: d.low, High: d.high}
		side := &from
		if v[0] == 'l' {
			side = &to
		}
		if *side != nil {
			p.add(rule, "", "?"+name, "one lower and one upper bound", "two of the same side")
			continue
		}
		*side = b
	}
	if both && q.Has(name) && (from == nil) != (to == nil) && len(q[name]) == 1 {
		p.add(rule, "", "?"+name, "both bounds", "one")
	}
	return from, to
}

func (p *report) count(rule string, q url.Values, usual, most int) int {
	if !q.Has("_count") {
		return usual
	}
	v := p.once(rule, q, "_count")
	n, err := strconv.Atoi(v)
	if err != nil || n < 1 || n > most || form(v) != strings.Repeat("0", len(v)) {
		p.add(rule, "", "?_count", fmt.Sprintf("a number from 1 to %d", most), orNothing(v))
		return usual
	}
	return n
}

func (p *report) offset(rule string, q url.Values) int {
	if !q.Has("_offset") {
		return 0
	}
	const most = 1 << 20
	v := p.once(rule, q, "_offset")
	n, err := strconv.Atoi(v)
	if err != nil || n < 0 || n > most || form(v) != strings.Repeat("0", len(v)) {
		p.add(rule, "", "?_offset", "a page number from 0", orNothing(v))
		return 0
	}
	return n
}

func orNothing(s string) string {
	if s == "" {
		return "nothing"
	}
	return s
}
