package lab

import (
	"fmt"
	"slices"
	"sort"
	"strconv"
	"strings"

	"github.com/onsi/ginkgo/v2"

	"github.com/etalon-sante/etalon/sandbox/record"
)

// Free use: a person uses the service by hand and nobody drives it. No scenario
// is played, so a leaf says itself whether, and how, it is sound over such
// traffic; one that says nothing is not judged there.

// FreeSlug is the one scenario under which free use is recorded.
const FreeSlug = "free-use"

// FreeMinimum is how many requests of the candidate a rule over all traffic
// needs before it is said to be kept in free use. With n requests and no breach,
// a service that breaks the rule once in n/3 would have shown it 19 times in 20
// ("rule of three"): thirty stand for one in ten.
const FreeMinimum = 30

const (
	freeLabel     = "free:"
	freeWhole     = "whole"
	freePairing   = "pairing"
	freeSuspicion = "findings"
	freeAmong     = "among-"
)

// Free marks a leaf that judges messages one by one, or all of them together,
// whatever was done before and after: in free use it reads the whole session.
func Free() ginkgo.Labels { return ginkgo.Label(freeLabel + freeWhole) }

// FreePerPairing marks a leaf about what one patient's pairing led to: in free
// use it reads each patient's traffic from one authorization request to the
// next, in turn. Its body goes through EachPairing.
func FreePerPairing() ginkgo.Labels { return ginkgo.Label(freeLabel + freePairing) }

// FreeAmong marks a leaf that reads the whole session and needs several patients
// who exchanged something.
func FreeAmong(patients int) ginkgo.Labels {
	return ginkgo.Label(freeLabel+freeWhole, freeLabel+freeAmong+strconv.Itoa(patients))
}

// OnlyFindings goes with another Free label: what the leaf finds in free use
// stands, but that it finds nothing shows nothing, since nobody made the service
// act again.
func OnlyFindings() ginkgo.Labels { return ginkgo.Label(freeLabel + freeSuspicion) }

// FreeReading says how a leaf reads free use; the zero value: not at all.
type FreeReading struct {
	Whole      bool
	PerPairing bool
	Findings   bool // only what it finds counts
	Among      int  // patients that it needs; 0: any number
}

// Sound says whether the leaf can be judged over free use.
func (f FreeReading) Sound() bool { return f.Whole || f.PerPairing }

func (f *FreeReading) read(word string) error {
	switch {
	case word == freeWhole:
		f.Whole = true
	case word == freePairing:
		f.PerPairing = true
	case word == freeSuspicion:
		f.Findings = true
	case strings.HasPrefix(word, freeAmong):
		n, err := strconv.Atoi(strings.TrimPrefix(word, freeAmong))
		if err != nil || n < 1 {
			return fmt.Errorf("label %s%s names no number of patients", freeLabel, word)
		}
		f.Among = n
	default:
		return fmt.Errorf("unknown label %s%s", freeLabel, word)
	}
	return nil
}

// free is what was recorded of a session of free use.
type free struct {
	all      Trace
	pairings []Trace
	current  Trace    // what the leaf reads at this moment
	parts    []Result // what the leaf came to over each part of it
}

// FreeUse says whether what is judged is free use.
func (l *Lab) FreeUse() bool { return l.free != nil }

// loadFree splits a session by patient and pairing. A browser may ask for one
// page twice (a reload, a way back): the same authorization request of the same
// patient counts once, or the service would answer for the browser.
func (l *Lab) loadFree(records []record.Record) {
	f := &free{all: Trace{Slug: FreeSlug, lab: l}}
	asked := map[string]bool{}
	for _, r := range records {
		if isAuthorize(r) {
			if key := r.Patient + " " + r.Exchange.Request.URL; asked[key] {
				continue
			} else {
				asked[key] = true
			}
		}
		f.all.Records = append(f.all.Records, r)
	}
	inTime := slices.Clone(f.all.Records)
	sort.SliceStable(inTime, func(i, j int) bool { return inTime[i].At.Before(inTime[j].At) })
	var order []string
	by := map[string][]Trace{}
	for _, r := range inTime {
		if r.Patient == "" {
			continue
		}
		if by[r.Patient] == nil {
			order = append(order, r.Patient)
			by[r.Patient] = []Trace{{Slug: FreeSlug, lab: l}}
		}
		list := by[r.Patient]
		if isAuthorize(r) && !list[len(list)-1].Exchanges().Empty() {
			by[r.Patient] = append(list, Trace{Slug: FreeSlug, lab: l})
			list = by[r.Patient]
		}
		last := &list[len(list)-1]
		last.Records = append(last.Records, r)
	}
	for _, p := range order {
		f.pairings = append(f.pairings, by[p]...)
	}
	f.current = f.all
	l.free = f
}

func isAuthorize(r record.Record) bool {
	return r.Exchange != nil && r.Exchange.Route == record.RouteAuthorize
}

// strays are the records of nobody made while the current part lasted.
func (f *free) strays() Trace {
	if f.current.Empty() {
		return f.current
	}
	from, to := f.current.First().At, f.current.Last().At
	return f.all.Where(func(r record.Record) bool {
		return r.Patient == "" && r.Exchange != nil && !r.At.Before(from) && !r.At.After(to)
	})
}

// people counts the patients for whom a business call was answered.
func (f *free) people() int {
	seen := map[string]bool{}
	for _, r := range f.all.Business().Records {
		if r.Patient != "" {
			seen[r.Patient] = true
		}
	}
	return len(seen)
}

// aroundFree judges one leaf over free use, into res.
func (l *Lab) aroundFree(labels LeafLabels, res *Result, body func()) {
	res.Traces = []string{FreeSlug}
	if !labels.Free.Sound() {
		res.State = Untested
		act := l.ask(labels.Check)
		res.Reason = Text{
			FR: "l'usage libre ne peut pas le montrer : il faut que le banc fasse agir le service (« etalon run »). " + act.FR,
			EN: "free use cannot show this: the harness has to make the service act (`etalon run`). " + act.EN,
		}
		return
	}
	l.free.parts = nil
	if labels.Free.PerPairing {
		body() // EachPairing fills the parts
		if len(l.free.parts) < len(l.free.pairings) {
			panic("a leaf marked FreePerPairing does not go through EachPairing")
		}
	} else {
		l.part(l.free.all, body)
	}
	none := Text{}
	met := false
	for _, got := range l.free.parts {
		res.Occasions += got.Occasions
		res.Findings = append(res.Findings, got.Findings...)
		for _, seq := range got.Evidence {
			if len(res.Evidence) < maxEvidence && !slices.Contains(res.Evidence, seq) {
				res.Evidence = append(res.Evidence, seq)
			}
		}
		switch got.State {
		case Broken:
			res.State, res.Reason = Broken, got.Reason
			return
		case Met:
			met = true
		case Untested:
			none = got.Reason
		}
	}
	requests := l.free.all.Requests().Len()
	switch {
	case len(res.Findings) > 0:
		res.State = NotMet
	case !met:
		res.State, res.Reason = Untested, none
		if none == (Text{}) {
			act := l.ask(labels.Check)
			res.Reason = Text{FR: "l'occasion ne s'est pas présentée. " + act.FR, EN: "there was no occasion. " + act.EN}
		}
		if l.unclaimedFree(labels.Reads) {
			res.State, res.Reason = NotClaimed, notClaimed()
		}
	case labels.Free.Findings:
		res.State = Untested
		act := l.ask(labels.Check)
		res.Reason = Text{
			FR: fmt.Sprintf("rien de contraire n'a été relevé (occasions : %d), mais l'usage libre ne suffit pas pour conclure. %s", res.Occasions, act.FR),
			EN: fmt.Sprintf("nothing against it was found (occasions: %d), but free use is not enough to conclude. %s", res.Occasions, act.EN),
		}
	case labels.All && requests < FreeMinimum:
		res.State = Untested
		res.Reason = Text{
			FR: fmt.Sprintf("cette règle porte sur tous les échanges : il en faut au moins %d pour conclure, %d ont été vus", FreeMinimum, requests),
			EN: fmt.Sprintf("this rule is about every exchange: at least %d are needed to conclude, %d were seen", FreeMinimum, requests),
		}
	case l.free.people() < labels.Free.Among:
		res.State = Untested
		res.Reason = Text{
			FR: fmt.Sprintf("il faut les échanges d'au moins %d patients, il y en a eu %d", labels.Free.Among, l.free.people()),
			EN: fmt.Sprintf("exchanges of at least %d patients are needed, there were %d", labels.Free.Among, l.free.people()),
		}
	}
}

// EachPairing is the body of a leaf marked FreePerPairing: over free use it runs
// once for each pairing of each patient. (A node of Ginkgo may be run only once:
// AroundLeaf cannot do it.)
func (l *Lab) EachPairing(body func()) func() {
	return func() {
		if l.free == nil {
			body()
			return
		}
		for _, t := range l.free.pairings {
			l.part(t, body)
		}
	}
}

// part runs the body of a leaf over one part of the session.
func (l *Lab) part(t Trace, body func()) {
	whole := l.sheet.current
	cur := &Result{Check: whole.Check, State: Met}
	l.sheet.current, l.free.current = cur, t
	guarded(cur, body)
	cur.wantOccasion()
	l.sheet.current, l.free.current = whole, l.free.all
	l.free.parts = append(l.free.parts, *cur)
}

// unclaimedFree says whether the candidate claims none of the exchanges that a
// leaf is about.
func (l *Lab) unclaimedFree(slugs []string) bool {
	for _, slug := range slugs {
		if s := l.slugs[slug]; s == nil || s.Claimed(l.oracle.Candidate) {
			return false
		}
	}
	return len(slugs) > 0
}

// ask is what would create the occasion of a check.
func (l *Lab) ask(check string) Text {
	if l.oracle.Acts == nil {
		return Text{}
	}
	return l.oracle.Acts(check)
}

// Everything returns what was seen so far in a session of free use, in the
// order in which it happened and numbered so, and a channel that is closed when
// more comes. The numbers are those of this moment.
func (s *Stage) Everything() ([]record.Record, <-chan struct{}) {
	w := s.bench.watch
	w.mu.Lock()
	out := slices.Clone(w.records)
	changed := w.changed
	w.mu.Unlock()
	s.mu.Lock()
	out = append(out, s.records...)
	s.mu.Unlock()
	sort.SliceStable(out, func(i, j int) bool { return out[i].At.Before(out[j].At) })
	for i := range out {
		out[i].Seq = i + 1
	}
	return out, changed
}
