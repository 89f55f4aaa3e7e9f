package interop

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/etalon-sante/etalon/fixtures/data"
	"github.com/etalon-sante/etalon/sandbox/control"
	"github.com/etalon-sante/etalon/sandbox/record"
	"github.com/etalon-sante/etalon/suites/candidate"
	"github.com/etalon-sante/etalon/suites/journey"
	. "github.com/etalon-sante/etalon/suites/lab"
)

// ill is one trouble: what Mon espace santé, or what lies between, does to the
// answers of one route. Every ill of a scenario has a patient of its own.
type ill struct {
	name  string
	fault control.Fault // without patient, route and number
}

// ills are the troubles. Most leave nothing behind; those that are lost, silent,
// slow, huge or linked come after the effect of what was asked for.
func ills() map[string]control.Fault {
	return map[string]control.Fault{
		"server-error":    {Kind: control.FaultStatus, Status: 500},
		"bad-gateway":     {Kind: control.FaultPage, Status: 502},
		"gateway-timeout": {Kind: control.FaultPage, Status: 504},
		"unavailable":     {Kind: control.FaultStatus, Status: 503},
		"page":            {Kind: control.FaultPage},
		"empty":           {Kind: control.FaultEmpty},
		"malformed":       {Kind: control.FaultMalformed},
		"cut":             {Kind: control.FaultCut, Store: true}, // half of what is there, not of nothing
		"dropped":         {Kind: control.FaultDrop},
		"redirected":      {Kind: control.FaultRedirect, Status: 307},
		"cleared":         {Kind: control.FaultClear, Status: 307},
		"refused":         {Kind: control.FaultStatus, Status: 422, IssueCode: "invalid"},
		"bad-request":     {Kind: control.FaultStatus, Status: 400, IssueCode: "invalid"},
		"busy":            {Kind: control.FaultStatus, Status: 429, RetryAfter: 1, IssueCode: "throttled", Next: 1},
		"lost":            {Kind: control.FaultDrop, Store: true, Next: 1},
		"lost-behind":     {Kind: control.FaultPage, Status: 504, Store: true, Next: 1},
		"silent":          {Kind: control.FaultHang, Store: true, Next: 1},
		"slow":            {Kind: control.FaultSlow, Millis: 300, Next: 1},
		"huge":            {Kind: control.FaultHuge, Next: 1},
		"linked":          {Kind: control.FaultLink, Next: 1},
		"expired-between": {Kind: control.FaultStatus, Status: 401, Skip: 1, Next: 1},
		"withdrawn":       {Kind: control.FaultStatus, Status: 403, Skip: 1},
	}
}

// these are some of the troubles, by name.
func these(names ...string) []ill {
	all := ills()
	out := make([]ill, len(names))
	for i, n := range names {
		out[i] = ill{n, all[n]}
	}
	return out
}

// procedure is what a service is asked to do in the middle of a trouble, and
// again once it is over: another procedure makes another column of crossings.
type procedure struct {
	route  record.Route
	action candidate.Action
	// before puts into the record what the procedure needs; payload is what the
	// n-th asking holds.
	before  func(ctx context.Context, s *Stage, v *visit) error
	payload func(s *Stage, v visit, n int) map[string]any
	// settled says whether nothing more is to come of an action.
	settled func(v visit, t Trace, a candidate.Answer, n int) bool
}

// visit is one patient's coming: what he asks for is dated from it.
type visit struct {
	*Patient
	at       time.Time
	document string // id of the document that he wants to read
}

// many is more calls than any service makes of one action.
const many = 100

// cross plays a procedure under each of some troubles.
func cross(l *Lab, slug, sentence string, proc procedure, troubles []ill, opts ...Option) *Scenario {
	return l.Scenario(slug, sentence, func(ctx context.Context, s *Stage) error {
		return s.Each(ctx, len(troubles), func(ctx context.Context, i int) error {
			return suffer(ctx, s, proc, troubles[i])
		})
	}, append(opts, Needs(proc.action))...)
}

// suffer lets one patient meet one trouble: he asks during it, is shown what the
// service has to say, and asks again when it is over.
func suffer(ctx context.Context, s *Stage, proc procedure, trouble ill) error {
	p, err := journey.Paired(ctx, s)
	if err != nil {
		return err
	}
	v := visit{Patient: p, at: journey.Moment(s)}
	if proc.before != nil {
		if err := proc.before(ctx, s, &v); err != nil {
			return err
		}
	}
	if err := s.Note(p, "trouble", trouble.name); err != nil {
		return err
	}
	f := trouble.fault
	f.Route = proc.route
	if f.Next == 0 {
		f.Next = many
	}
	if control.LeadsElsewhere(f.Kind) && s.Space().Elsewhere == "" {
		return s.Note(p, "one-name", nil)
	}
	if f.Kind == control.FaultClear && !s.Space().Clear {
		return s.Note(p, "no-clear", nil)
	}
	if err := s.Fault(ctx, p, f); err != nil {
		return err
	}
	for n := range 2 {
		a, err := s.Endure(ctx, p, proc.action, proc.payload(s, v, n))
		if err != nil {
			return err
		}
		if proc.settled != nil {
			s.Await(ctx, string(proc.action), func(t Trace) bool { return proc.settled(v, t.Of(p.Handle), a, n) })
		}
		if err := status(ctx, s, p); err != nil {
			return err
		}
		if n == 0 {
			if err := s.Lift(ctx, p); err != nil {
				return err
			}
		}
	}
	return nil
}

// status asks what the patient is shown. A service without status is judged by
// the rest.
func status(ctx context.Context, s *Stage, p *Patient) error {
	_, err := s.Endure(ctx, p, candidate.Status, nil)
	var end *Ending
	if errors.As(err, &end) && end.Outcome == Unsupported {
		return nil
	}
	return err
}

// suffering is what one patient of a crossed scenario went through.
type suffering struct {
	trouble string
	all     Trace
	met     Trace         // the exchanges that the trouble struck
	lifted  record.Record // its end; zero when it did not come
}

// sufferings are the patients of a scenario whom one of the troubles has met;
// of every trouble when none is named.
func sufferings(s *Scenario, names ...string) []suffering {
	var out []suffering
	t := s.Trace()
	for _, m := range t.Marks("note").Records {
		var name string
		if m.Mark.Text != "trouble" || json.Unmarshal(m.Mark.Data, &name) != nil || !among(name, names) {
			continue
		}
		c := suffering{trouble: name, all: t.Of(m.Patient)}
		c.met = c.all.Where(struck)
		c.lifted, _ = c.all.Marked("lifted")
		if !c.met.Empty() {
			out = append(out, c)
		}
	}
	return out
}

func struck(r record.Record) bool { return r.Exchange != nil && r.Exchange.Fault != "" }

func among(name string, names []string) bool {
	for _, n := range names {
		if n == name {
			return true
		}
	}
	return len(names) == 0
}

// struckIn is the occasion of a check over several patients: the exchanges that
// the troubles struck.
func struckIn(s *Scenario, names ...string) Trace {
	met := map[int]bool{}
	for _, c := range sufferings(s, names...) {
		for _, r := range c.met.Records {
			met[r.Seq] = true
		}
	}
	return s.Trace().Where(func(r record.Record) bool { return met[r.Seq] })
}

// asked is the n-th asking of an action; false when it was not asked so often.
func (c suffering) asked(action candidate.Action, n int) (record.Record, bool) {
	t := c.all.Actions(action)
	return t.At(n), n < t.Len()
}

// shown is what status said to the patient at the n-th asking: the text of the
// last error, and whether there was an answer at all.
func (c suffering) shown(n int) (text string, ok bool) {
	t := c.all.Actions(candidate.Status)
	if n >= t.Len() || !answered(t.At(n)) {
		return "", false
	}
	text, _ = statusField(t.At(n), "lastError").(string)
	return text, true
}

// measure is that of the n-th asking: they differ by their instant, by which
// they are told apart in the record.
func (v visit) measure(s *Stage, n int) map[string]any {
	kind := journey.Main(s.Candidate())
	return map[string]any{"measure": data.Nominal(s.SeedNumber()+int64(n), kind, v.instant(n))}
}

func (v visit) instant(n int) time.Time { return v.at.Add(-time.Duration(n) * time.Hour) }

// arrived says whether the measure of the n-th asking is in the record.
func (v visit) arrived(t Trace, n int) bool {
	return !feedsAt(t.Of(v.Handle), v.instant(n)).Where(kept).Empty()
}

// feedOf are the feeds of the measure that an action asked for.
func (c suffering) feedOf(action record.Record) Trace {
	return feedsAt(c.all, instantAsked(action))
}

// feedsAt are the feeds of the measure of an instant.
func feedsAt(t Trace, want time.Time) Trace {
	return t.Requests(record.RouteFeedMeasure).Where(func(r record.Record) bool {
		text, _ := at(observation(r), "effectiveDateTime").(string)
		got, err := time.Parse(time.RFC3339, text)
		return err == nil && got.Equal(want)
	})
}

// arrived are the feeds of a measure that the record has kept.
func (c suffering) arrived(action record.Record) Trace { return c.feedOf(action).Where(kept) }

func kept(r record.Record) bool {
	return r.Exchange.Facts != nil && r.Exchange.Facts.Call != nil && r.Exchange.Facts.Call.Stored
}

func instantAsked(action record.Record) time.Time {
	var p struct {
		Measure data.Measure `json:"measure"`
	}
	if action.Pilot == nil || json.Unmarshal(action.Pilot.Payload, &p) != nil {
		return time.Time{}
	}
	t, _ := time.Parse(time.RFC3339, p.Measure.At)
	return t
}

// under names a trouble in a sentence.
func under(name string) Text {
	words := map[string]Text{
		"server-error":    {FR: "une erreur 500", EN: "an error 500"},
		"bad-gateway":     {FR: "une page d'erreur 502", EN: "an error page 502"},
		"gateway-timeout": {FR: "une page d'erreur 504", EN: "an error page 504"},
		"unavailable":     {FR: "une erreur 503", EN: "an error 503"},
		"page":            {FR: "une page web (200)", EN: "a web page (200)"},
		"empty":           {FR: "une réponse 200 vide", EN: "an empty 200"},
		"malformed":       {FR: "une réponse qui n'est pas du JSON", EN: "an answer that is not JSON"},
		"cut":             {FR: "une réponse coupée", EN: "an answer cut short"},
		"dropped":         {FR: "une connexion fermée sans réponse", EN: "a connection closed without an answer"},
		"redirected":      {FR: "une redirection vers un autre hôte", EN: "a redirection to another host"},
		"cleared":         {FR: "une redirection vers une adresse sans TLS", EN: "a redirection to an address without TLS"},
		"refused":         {FR: "un refus 422", EN: "a refusal 422"},
		"lost":            {FR: "une réponse perdue", EN: "a lost answer"},
		"silent":          {FR: "une réponse qui ne vient jamais", EN: "an answer that never comes"},
		"lost-behind":     {FR: "une page d'erreur 504 alors que l'envoi a eu lieu", EN: "an error page 504 although the feed took place"},
		"slow":            {FR: "une réponse lente", EN: "a slow answer"},
		"huge":            {FR: "une réponse énorme", EN: "a huge answer"},
		"busy":            {FR: "une réponse 429", EN: "an answer 429"},
		"linked":          {FR: "un lien « next » vers un autre hôte", EN: "a next link to another host"},
	}
	if w, ok := words[name]; ok {
		return w
	}
	return Text{FR: name, EN: name}
}
