package blindspots

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/etalon-sante/etalon/sandbox/record"
	"github.com/etalon-sante/etalon/suites/lab"
)

// Place is where a recording was changed. Elements of lists are not told
// apart, nor are scenarios.
type Place struct {
	What string `json:"what"` // whose message: "feed-measure", "pilot send-measure", "probe tls", …
	Part string `json:"part"` // request body, request header, query, answer body, facts, order, …
	Path string `json:"path"` // in that part
}

func (p Place) compare(q Place) int {
	return cmp.Or(cmp.Compare(p.What, q.What), cmp.Compare(p.Part, q.Part), cmp.Compare(p.Path, q.Path))
}

type variant struct {
	place Place
	op    string
	lab.Variation
}

// apart is by how much the records of a recording are spread before it is
// varied: what is inserted finds a number between them.
const apart = 10

// spread numbers records anew with room between them.
func spread(records []record.Record) []record.Record {
	out := slices.Clone(records)
	for i := range out {
		out[i].Seq *= apart
	}
	return out
}

// variants lists every change of one place of a recording.
func variants(records []record.Record, d deriver) []variant {
	g := generator{derive: d, made: map[kindOfChange]int{}}
	next := nextRequests(records)
	for _, r := range records {
		switch {
		case r.Exchange != nil && r.Exchange.From == record.Candidate:
			g.request(r)
			g.answer(r, "answer")
			g.facts(r)
			g.order(r, next[r.Seq])
		case r.Exchange != nil && r.Exchange.To == record.Sandbox:
			// The patient's browser at the sandbox: both ends are ours.
		case r.Exchange != nil:
			g.answer(r, "answer")
			g.order(r, nil)
		case r.Pilot != nil:
			g.pilot(r)
			g.order(r, nil)
		case r.Probe != nil:
			g.probe(r)
			g.order(r, nil)
		}
	}
	return g.out
}

// nextRequests finds, for each request of the candidate, the next one of the
// same scenario.
func nextRequests(records []record.Record) map[int]*record.Record {
	last := map[string]int{}
	out := map[int]*record.Record{}
	for i, r := range records {
		if r.Exchange == nil || r.Exchange.From != record.Candidate || r.Scenario == "" {
			continue
		}
		if seq, ok := last[r.Scenario]; ok {
			out[seq] = &records[i]
		}
		last[r.Scenario] = r.Seq
	}
	return out
}

type generator struct {
	derive deriver
	out    []variant
	made   map[kindOfChange]int
}

// kindOfChange is one operation at one place.
type kindOfChange struct {
	place Place
	op    string
}

// How often a kind of change is made, at most. A message of the candidate is judged
// by different checks in different scenarios, so it is changed once in each of many;
// what others say to it is not, so three times tell as much.
const (
	mostOwn    = 40
	mostOthers = 3
)

// wanted says whether one more change of a kind is of use in a scenario, and
// counts it.
func (g *generator) wanted(r record.Record, part, path, op string) bool {
	k := kindOfChange{Place{named(r), part, path}, op}
	here := kindOfChange{Place{r.Scenario + " " + k.place.What, part, path}, op}
	most := mostOwn
	if strings.HasPrefix(part, "answer") {
		most = mostOthers
	}
	// A probe is one record, in which each place of a kind means something else.
	if g.made[k] >= most || (g.made[here] >= 1 && part != "probe") {
		return false
	}
	g.made[k]++
	g.made[here]++
	return true
}

// changes are those of a document in a part of a record that are of use.
func (g *generator) changes(r record.Record, part, under string, raw []byte, typed bool, words func(string) []string) []change {
	return changes(raw, typed, words, func(path, op string) bool { return g.wanted(r, part, join(under, path), op) })
}

func (g *generator) add(r record.Record, part, path, op string, with ...record.Record) {
	g.out = append(g.out, variant{Place{named(r), part, path}, op, lab.Variation{Scenario: r.Scenario, Edit: map[int][]record.Record{r.Seq: with}}})
}

// named says what a record is.
func named(r record.Record) string {
	switch {
	case r.Pilot != nil:
		return "pilot " + r.Pilot.Action
	case r.Probe != nil:
		return "probe " + r.Probe.Kind
	case r.Exchange == nil:
		return string(r.Kind)
	case r.Exchange.From == record.Candidate:
		return string(r.Exchange.Route)
	}
	return string(r.Exchange.From) + " at " + string(r.Exchange.To)
}

// exchanged is a copy of a record whose exchange may be changed.
func exchanged(r record.Record, change func(x *record.Exchange)) record.Record {
	x := *r.Exchange
	x.Request.Headers, x.Response.Headers = slices.Clone(x.Request.Headers), slices.Clone(x.Response.Headers)
	change(&x)
	r.Exchange = &x
	return r
}

func (g *generator) request(r record.Record) {
	faithful := g.derive.faithful(*r.Exchange)
	put := func(part, path, op string, change func(x *record.Exchange)) {
		if part != "request body" && !g.wanted(r, part, path, op) {
			return
		}
		g.add(r, part, path, op, exchanged(r, func(x *record.Exchange) {
			change(x)
			if faithful {
				g.derive.derive(x)
			}
		}))
	}
	for _, m := range []string{"GET", "POST", "PUT", "DELETE"} {
		if m != r.Exchange.Request.Method {
			put("request line", "method", m, func(x *record.Exchange) { x.Request.Method = m })
		}
	}
	g.headers(r.Exchange.Request.Headers, func(name, op string, h []record.Header) {
		put("request header", name, op, func(x *record.Exchange) { x.Request.Headers = h })
	})
	if u, err := url.Parse(r.Exchange.Request.URL); err == nil {
		q := u.Query()
		for _, c := range queries(q) {
			v := *u
			v.RawQuery = c.query.Encode()
			put("query", c.name, c.op, func(x *record.Exchange) { x.Request.URL = v.String() })
		}
	}
	if b := r.Exchange.Request.Body; b != nil && faithful {
		for _, c := range g.changes(r, "request body", "", []byte(b.Text), false, anyText) {
			put("request body", c.path, c.op, func(x *record.Exchange) { x.Request.Body = with(b, c.json) })
		}
	}
}

type queryChange struct {
	name, op string
	query    url.Values
}

func queries(q url.Values) []queryChange {
	var out []queryChange
	names := make([]string, 0, len(q))
	for k := range q {
		names = append(names, k)
	}
	sort.Strings(names)
	but := func(name string, values ...string) url.Values {
		c := url.Values{}
		for k, v := range q {
			c[k] = v
		}
		delete(c, name)
		if len(values) > 0 {
			c[name] = values
		}
		return c
	}
	for _, k := range names {
		out = append(out,
			queryChange{k, opDrop, but(k)},
			queryChange{k, opValue, but(k, other(q[k][0]))},
			queryChange{k, opEmpty, but(k, "")},
			queryChange{k, "given twice", but(k, append(slices.Clone(q[k]), q[k][0])...)})
	}
	if len(names) > 0 {
		out = append(out, queryChange{"(unknown)", opExtra, but("etalon", "x")})
	}
	return out
}

func (g *generator) headers(list []record.Header, put func(name, op string, h []record.Header)) {
	for i, h := range list {
		name := strings.ToLower(h.Name)
		put(name, opDrop, slices.Delete(slices.Clone(list), i, i+1))
		changed := slices.Clone(list)
		changed[i].Value = other(h.Value)
		put(name, opValue, changed)
	}
}

func (g *generator) answer(r record.Record, part string) {
	x := r.Exchange
	for _, status := range []int{200, 302, 403, 500} {
		if status != x.Response.Status && g.wanted(r, part+" status", "status", fmt.Sprint(status)) {
			g.add(r, part+" status", "status", "another status", exchanged(r, func(x *record.Exchange) { x.Response.Status = status }))
		}
	}
	g.headers(x.Response.Headers, func(name, op string, h []record.Header) {
		if !g.wanted(r, part+" header", name, op) {
			return
		}
		g.add(r, part+" header", name, op, exchanged(r, func(x *record.Exchange) { x.Response.Headers = h }))
	})
	if b := x.Response.Body; b != nil {
		list := g.changes(r, part+" body", "", []byte(b.Text), false, anyText)
		for _, c := range list {
			g.add(r, part+" body", c.path, c.op, exchanged(r, func(x *record.Exchange) { x.Response.Body = with(b, c.json) }))
		}
		if len(list) == 0 && b.Text != "" && g.wanted(r, part+" body", "", opEmpty) {
			g.add(r, part+" body", "", opEmpty, exchanged(r, func(x *record.Exchange) { x.Response.Body = with(b, nil) }))
		}
	}
}

// facts changes what the sandbox derived: for messages that are judged by it
// alone (authorization and token requests) this is the message.
func (g *generator) facts(r record.Record) {
	if r.Exchange.Facts == nil {
		return
	}
	raw, err := json.Marshal(r.Exchange.Facts)
	if err != nil {
		return
	}
	for _, c := range g.changes(r, "facts", "", raw, true, words) {
		var f record.Facts
		// A value of another type is not what a sandbox writes.
		if c.op == opType || c.op == opExtra || c.op == opNull || json.Unmarshal(c.json, &f) != nil {
			continue
		}
		g.add(r, "facts", c.path, c.op, exchanged(r, func(x *record.Exchange) { x.Facts = &f }))
	}
}

// order drops a record, repeats it, and exchanges it with the next request.
func (g *generator) order(r record.Record, next *record.Record) {
	g.add(r, "order", "", "left out")
	again := r
	again.Seq++
	if r.Exchange != nil {
		again.At = r.At.Add(time.Duration(r.Exchange.Millis*float64(time.Millisecond)) + time.Millisecond)
	}
	g.add(r, "order", "", "made twice", r, again)
	if next == nil {
		return
	}
	first, second := *next, r
	first.Seq, first.At, second.Seq, second.At = r.Seq, r.At, next.Seq, next.At
	g.out = append(g.out, variant{Place{named(r), "order", ""}, "after the next request", lab.Variation{
		Scenario: r.Scenario, Edit: map[int][]record.Record{r.Seq: {first}, next.Seq: {second}},
	}})
}

func (g *generator) pilot(r record.Record) {
	put := func(path, op string, change func(p *record.Pilot)) {
		p := *r.Pilot
		change(&p)
		changed := r
		changed.Pilot = &p
		g.add(r, "pilot’s answer", path, op, changed)
	}
	for _, s := range []string{"done", "refused", "failed", "unsupported", ""} {
		if s != r.Pilot.Status {
			op := s
			if s == "" {
				op = "no answer"
			}
			put("status", op, func(p *record.Pilot) {
				if p.Status = s; s == "" {
					p.Error = "no answer"
				}
			})
		}
	}
	if r.Pilot.Open != "" {
		put("open", opDrop, func(p *record.Pilot) { p.Open = "" })
	}
	if r.Pilot.Message != "" {
		put("message", opDrop, func(p *record.Pilot) { p.Message = "" })
	}
	for _, c := range g.changes(r, "pilot’s answer", "data", r.Pilot.Data, false, anyText) {
		put(join("data", c.path), c.op, func(p *record.Pilot) { p.Data = c.json })
	}
}

func (g *generator) probe(r record.Record) {
	for _, c := range g.changes(r, "probe", "", r.Probe.Data, true, words) {
		if c.op == opType || c.op == opExtra {
			continue // not what a probe of ours writes
		}
		p := *r.Probe
		p.Data = c.json
		changed := r
		changed.Probe = &p
		g.add(r, "probe", c.path, c.op, changed)
	}
}

func join(a, b string) string {
	if b == "" {
		return a
	}
	return a + "." + b
}

func with(b *record.Body, text []byte) *record.Body {
	c := *b
	c.Text, c.Size = string(text), len(text)
	return &c
}
