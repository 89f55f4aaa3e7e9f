package lab

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/gomega/types"

	"github.com/etalon-sante/etalon/suites/candidate"
)

// The prefixes of the labels by which a leaf is known. Labels, not decorators of
// our own: they work in table entries too.
const (
	checkLabel  = "check:"
	readsLabel  = "reads:"
	claimsLabel = "claims:"
	anywayLabel = "even-if-ended"
	allTraffic  = "*"
)

// Check names the check that a leaf carries out.
func Check(id string) ginkgo.Labels { return ginkgo.Label(checkLabel + id) }

// Reads names the scenarios whose traces a leaf reads: only these are run for it.
func Reads(scenarios ...*Scenario) ginkgo.Labels {
	var labels []string
	for _, s := range scenarios {
		labels = append(labels, readsLabel+s.Slug)
	}
	return ginkgo.Label(labels...)
}

// ReadsAllTraffic says that a leaf reads whatever the run recorded.
func ReadsAllTraffic() ginkgo.Labels { return ginkgo.Label(readsLabel + allTraffic) }

// Claims marks the one check of an action that the candidate claims: it is
// judged even when the candidate could not, or did not, do it.
func Claims(a candidate.Action) ginkgo.Labels { return ginkgo.Label(claimsLabel + string(a)) }

// EvenIfEnded marks a check whose violation may itself be what ended the
// scenario early: what it finds then stands; when it finds nothing it stays
// untested.
func EvenIfEnded() ginkgo.Labels { return ginkgo.Label(anywayLabel) }

// LeafLabels are the labels of one leaf, read.
type LeafLabels struct {
	Check  string
	Reads  []string // slugs, without "*"
	All    bool     // reads all traffic
	Claims string
	Anyway bool
	Free   FreeReading
}

// ParseLabels reads the labels of a leaf. A leaf without exactly one check is
// refused.
func ParseLabels(labels []string) (LeafLabels, error) {
	var out LeafLabels
	for _, l := range labels {
		switch {
		case strings.HasPrefix(l, checkLabel):
			if out.Check != "" {
				return out, fmt.Errorf("leaf bears two checks: %s and %s", out.Check, l)
			}
			out.Check = strings.TrimPrefix(l, checkLabel)
		case l == readsLabel+allTraffic:
			out.All = true
		case strings.HasPrefix(l, readsLabel):
			out.Reads = append(out.Reads, strings.TrimPrefix(l, readsLabel))
		case l == anywayLabel:
			out.Anyway = true
		case strings.HasPrefix(l, claimsLabel):
			out.Claims = strings.TrimPrefix(l, claimsLabel)
		case strings.HasPrefix(l, freeLabel):
			if err := out.Free.read(strings.TrimPrefix(l, freeLabel)); err != nil {
				return out, err
			}
		}
	}
	if out.Check == "" {
		return out, fmt.Errorf("leaf bears no check label")
	}
	return out, nil
}

// Text is a sentence in two languages.
type Text struct {
	FR string `json:"fr"`
	EN string `json:"en"`
}

// Finding is one thing observed that is not as required.
type Finding struct {
	Key      string   `json:"key"`                // stable: "feed.profile", "token-request-after-refusal"
	Message  Text     `json:"message"`            //
	Exchange string   `json:"exchange,omitempty"` // id of the exchange that shows it
	Pointer  string   `json:"pointer,omitempty"`  // place in it
	Expected string   `json:"expected,omitempty"`
	Actual   string   `json:"actual,omitempty"`
	Setting  string   `json:"setting,omitempty"` // assumed setting on which it rests
	Seq      int      `json:"seq,omitempty"`     // journal record that shows it
	Picture  *Picture `json:"picture,omitempty"` // that shows it
}

// State is what a leaf came to.
type State string

// The states of a leaf.
const (
	Met      State = "met"      // occasion given, nothing found
	NotMet   State = "not-met"  // findings
	Untested State = "untested" // no occasion
	ToReview State = "to-review"
	Broken   State = "broken" // harness error
	// NotClaimed: every scenario that it reads needs what the candidate does not
	// claim.
	NotClaimed State = "not-claimed"
)

// Result is what a leaf came to, with why.
type Result struct {
	Check     string
	State     State
	Reason    Text // for untested, to-review and broken
	Findings  []Finding
	Traces    []string  // slugs read
	Occasions int       // how often there was an occasion
	Evidence  []int     // journal records that show it: the first of each occasion, three at most
	Pictures  []Picture // that a person who decides is to look at
}

// sheet collects the results of the leaves of one judging; leaves run one at a
// time.
type sheet struct {
	results map[string]Result
	current *Result
	labels  LeafLabels // of the leaf that is judged
	planned func(check string) bool
	act     func(check string) Text
	claims  map[string]string // action -> the check that answers for it
}

func newSheet() *sheet { return &sheet{results: map[string]Result{}} }

// Judging prepares the lab for one judging: which checks are planned, and what
// would create the occasion of each. Results gives what came of it.
func (l *Lab) Judging(planned func(check string) bool, act func(check string) Text) {
	l.sheet = newSheet()
	l.sheet.planned, l.sheet.act = planned, act
}

// Claims tells which check answers for each claimed action, so that others can
// point to it.
func (l *Lab) Claims(checks map[string]string) { l.sheet.claims = checks }

// Results are what the leaves came to, by check.
func (l *Lab) Results() map[string]Result { return l.sheet.results }

// abort ends a leaf early; only AroundLeaf catches it.
type abort struct{}

// AroundLeaf is the suite-level AroundNode: it settles what the scenarios'
// endings settle, runs the leaf, collects all its findings, then fails it once.
func (l *Lab) AroundLeaf(ctx context.Context, body func(context.Context)) {
	report := ginkgo.CurrentSpecReport()
	labels, err := ParseLabels(report.Labels())
	if err != nil { // a container-level node, or a leaf refused when the tree was built
		body(ctx)
		return
	}
	if l.sheet.planned != nil && !l.sheet.planned(labels.Check) {
		// Nobody reads what becomes of it; under go test and ginkgo, it is seen
		// that it was left out.
		ginkgo.Skip(labels.Check + " does not concern this candidate, or was not asked for")
	}
	res := l.leaf(labels, func() { body(ctx) })
	l.sheet.results[labels.Check] = res
	l.vary(labels, res, func() { body(ctx) })
	switch res.State {
	case Met:
	case ToReview:
		ginkgo.Skip(res.summary()) // under go test and ginkgo nobody is there to decide
	default:
		ginkgo.Fail(res.summary(), 1)
	}
}

// leaf judges one leaf on what is loaded.
func (l *Lab) leaf(labels LeafLabels, body func()) Result {
	res := &Result{Check: labels.Check, State: Met, Traces: labels.Reads}
	if labels.All {
		res.Traces = append(slices.Clip(labels.Reads), allTraffic)
	}
	l.sheet.current, l.sheet.labels = res, labels
	defer func() { l.sheet.current = nil }()
	if l.free != nil {
		l.aroundFree(labels, res, body)
		return *res
	}
	if l.settle(labels, res) && (res.State == Broken || res.State == NotClaimed || !labels.Anyway) {
		return *res
	}
	settled := *res
	res.State, res.Reason = Met, Text{}
	if labels.Claims != "" {
		res.Findings = append(res.Findings, l.cutShort(labels.Reads)...)
	}
	guarded(res, body)
	switch {
	case res.State == Broken:
	case res.State == Untested && res.Occasions == 0 && labels.Claims != "":
		res.Findings = nil // the action was never asked for
	case len(res.Findings) > 0:
		res.State = NotMet
	case settled.State == Untested:
		res.State, res.Reason = Untested, settled.Reason
	case res.State == Untested:
	case res.State == ToReview:
	default:
		res.wantOccasion()
	}
	return *res
}

// wantOccasion breaks a check that found nothing and named no occasion.
func (r *Result) wantOccasion() {
	if r.State == Met && r.Occasions == 0 {
		r.State = Broken
		r.Reason = Text{FR: "la vérification n'a nommé aucune occasion", EN: "the check named no occasion"}
	}
}

// guarded runs the body of a leaf. That it ends early is how Occasion and its
// like work; anything else that panics breaks the check.
func guarded(res *Result, body func()) {
	defer func() {
		if e := recover(); e != nil {
			if _, ours := e.(abort); !ours {
				res.State = Broken
				res.Reason = Text{FR: fmt.Sprintf("la vérification s'est interrompue : %v", e), EN: fmt.Sprintf("the check broke off: %v", e)}
			}
		}
	}()
	body()
}

// cutShort tells, for the check that answers for a claim, how a scenario that did
// not go to its end was ended by the candidate.
func (l *Lab) cutShort(slugs []string) []Finding {
	var out []Finding
	for _, slug := range slugs {
		e := l.Ending(slug)
		if e.Outcome != Unsupported && e.Outcome != CandidateFailed {
			continue
		}
		why := e.Why()
		if e.Outcome == Unsupported {
			why = Text{FR: "réponse « unsupported »" + inBrackets(why.FR), EN: "answered \"unsupported\"" + inBrackets(why.EN)}
		}
		f := Finding{Key: "action-not-carried-through", Message: Text{
			FR: fmt.Sprintf("l'action %s n'est pas allée à son terme : %s", e.Action, why.FR),
			EN: fmt.Sprintf("action %s was not carried through: %s", e.Action, why.EN),
		}}
		for _, r := range l.traces[slug].Actions(e.Action).Records {
			f.Seq = r.Seq
		}
		out = append(out, f)
	}
	return out
}

// settle applies the table of scenario endings before a leaf runs; it says
// whether the leaf's state is settled by it.
func (l *Lab) settle(labels LeafLabels, res *Result) bool {
	if l.unclaimed(labels.Reads) {
		res.State, res.Reason = NotClaimed, notClaimed()
		return true
	}
	ran := 0
	var worst *Ending
	var at string
	for _, slug := range labels.Reads {
		e := l.Ending(slug)
		switch e.Outcome {
		case HarnessFailed:
			res.State = Broken
			res.Reason = Text{
				FR: fmt.Sprintf("le scénario %s s'est arrêté par une panne du banc : %s", slug, e.Reason),
				EN: fmt.Sprintf("scenario %s ended because the harness failed: %s", slug, e.Reason),
			}
			return true
		case Completed:
			ran++
		default:
			if worst == nil {
				worst, at = &e, slug
			}
		}
	}
	if len(labels.Reads) == 0 || ran > 0 || (labels.Claims != "" && worst.Outcome != NotRun) {
		return false
	}
	res.State = Untested
	switch worst.Outcome {
	case NotRun:
		res.Reason = Text{
			FR: fmt.Sprintf("le scénario %s n'a pas été joué", at),
			EN: fmt.Sprintf("scenario %s was not run", at),
		}
	case Unsupported:
		res.Reason = Text{
			FR: fmt.Sprintf("le service a répondu « unsupported » à l'action %s%s%s", worst.Action, inBrackets(worst.Why().FR), l.sheet.see(worst.Action, "fr")),
			EN: fmt.Sprintf("the service answered \"unsupported\" to action %s%s%s", worst.Action, inBrackets(worst.Why().EN), l.sheet.see(worst.Action, "en")),
		}
	default:
		res.Reason = Text{
			FR: fmt.Sprintf("l'action %s n'a pas abouti%s%s", worst.Action, inBrackets(worst.Why().FR), l.sheet.see(worst.Action, "fr")),
			EN: fmt.Sprintf("action %s did not succeed%s%s", worst.Action, inBrackets(worst.Why().EN), l.sheet.see(worst.Action, "en")),
		}
	}
	return true
}

func notClaimed() Text {
	return Text{
		FR: "ne concerne pas ce service : il ne revendique pas l'échange que cette vérification demande",
		EN: "does not concern this service: it does not claim the exchange that this check needs",
	}
}

func inBrackets(s string) string {
	if s == "" {
		return ""
	}
	return " (" + s + ")"
}

// see names the check that answers for an action; an action that is never
// claimed has none.
func (s *sheet) see(a candidate.Action, lang string) string {
	id, ok := s.claims[string(a)]
	switch {
	case ok && lang == "fr":
		return " : voir " + id
	case ok:
		return ": see " + id
	case lang == "fr":
		return " ; rien n'oblige à la connaître, mais sans elle ceci ne peut être jugé"
	}
	return "; nothing obliges a service to know it, but without it this cannot be judged"
}

// unclaimed says whether none of the scenarios could be run for this candidate.
func (l *Lab) unclaimed(slugs []string) bool {
	for _, slug := range slugs {
		s := l.slugs[slug]
		if s == nil || l.Ending(slug).Outcome != NotRun || s.Claimed(l.oracle.Candidate) {
			return false
		}
	}
	return len(slugs) > 0
}

func (r Result) summary() string {
	switch r.State {
	case NotMet:
		var b strings.Builder
		fmt.Fprintf(&b, "%s: %d finding(s)", r.Check, len(r.Findings))
		for _, f := range r.Findings {
			fmt.Fprintf(&b, "\n  %s", f.Message.EN)
			if f.Expected != "" || f.Actual != "" {
				fmt.Fprintf(&b, " (expected %s, actual %s)", f.Expected, f.Actual)
			}
		}
		return b.String()
	default:
		return fmt.Sprintf("%s: %s: %s", r.Check, r.State, r.Reason.EN)
	}
}

// maxEvidence is how many records a report names as evidence of one check.
const maxEvidence = 3

// Occasion states the event without which nothing can be judged. When the trace
// is empty the leaf ends untested, with the act that would create it.
func (t Trace) Occasion() Trace {
	cur := t.leaf()
	if t.Empty() {
		cur.State = Untested
		if t.lab.sheet.act != nil {
			cur.Reason = t.lab.sheet.act(cur.Check)
		}
		panic(abort{})
	}
	cur.Occasions += t.Len()
	if seq := t.First().Seq; len(cur.Evidence) < maxEvidence && !slices.Contains(cur.Evidence, seq) {
		cur.Evidence = append(cur.Evidence, seq)
	}
	return t
}

// Occasion states that each of these traces shows its event, for a check that
// needs more than one.
func Occasion(events ...Trace) {
	for _, e := range events {
		e.Occasion()
	}
}

// Untested ends a leaf that lacks its occasion for a reason that it knows
// better than the catalogue does: a site that could not be reached, a tool that
// is missing.
func (t Trace) Untested(why Text) {
	cur := t.leaf()
	cur.State, cur.Reason = Untested, why
	panic(abort{})
}

// Review ends a leaf as to-review: a person must decide.
func (t Trace) Review(why Text) {
	cur := t.leaf()
	cur.State, cur.Reason = ToReview, why
	panic(abort{})
}

func (t Trace) leaf() *Result {
	if t.lab == nil || t.lab.sheet.current == nil {
		panic("a trace is judged outside of a leaf")
	}
	return t.lab.sheet.current
}

// Finder is a matcher that says what it found, not only that it did.
type Finder interface {
	types.GomegaMatcher
	// Findings lists what contradicts the expectation; negated for NotTo.
	Findings(t Trace, negated bool) []Finding
}

// Assertion is the start of an expectation about a trace.
type Assertion struct{ trace Trace }

// Expect begins an expectation about a trace.
func Expect(t Trace) Assertion { return Assertion{t} }

// To expects what the matcher describes. Findings are collected; the leaf goes
// on, so that all of them are reported.
func (a Assertion) To(m Finder) { a.collect(m, false) }

// NotTo expects the contrary of what the matcher describes.
func (a Assertion) NotTo(m Finder) { a.collect(m, true) }

func (a Assertion) collect(m Finder, negated bool) {
	cur := a.trace.leaf()
	cur.Findings = append(cur.Findings, m.Findings(a.trace, negated)...)
}

// Report adds findings that a spec worked out itself.
func (t Trace) Report(findings ...Finding) {
	cur := t.leaf()
	cur.Findings = append(cur.Findings, findings...)
}
