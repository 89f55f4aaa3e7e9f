package interop

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	. "github.com/onsi/ginkgo/v2"

	"github.com/etalon-sante/etalon/sandbox/control"
	"github.com/etalon-sante/etalon/sandbox/record"
	"github.com/etalon-sante/etalon/suites/candidate"
	"github.com/etalon-sante/etalon/suites/journey"
	. "github.com/etalon-sante/etalon/suites/lab"
)

const (
	// maxTries is how often one message may be tried while an outage lasts: more
	// is no longer trying, it adds to the load.
	maxTries = 10
	// minGap is the least between two tries when nobody said how long to wait: a
	// round trip is shorter, so that less means that nothing was waited for.
	minGap = 50 * time.Millisecond
)

// feedsMeasures is the feed of a measure.
func feedsMeasures() procedure {
	return procedure{
		route: record.RouteFeedMeasure, action: candidate.SendMeasure,
		payload: func(s *Stage, v visit, n int) map[string]any { return v.measure(s, n) },
		// What is said to be done is waited for; what is said not to be is not.
		settled: func(v visit, t Trace, a candidate.Answer, n int) bool {
			if n == 0 && t.Where(struck).Empty() {
				return false // a service that answers first and calls afterwards
			}
			return a.Status != "done" || v.arrived(t, n)
		},
	}
}

func troubleFeed(l *Lab) {
	var feeds, outage, lost, waits *Scenario
	l.In("trouble-feed", func() {
		lost = cross(l, "trouble-feed-lost", "a measure is stored, and its answer is lost, replaced, or never comes", feedsMeasures(), these("lost", "lost-behind", "silent"))
		waits = l.Scenario("trouble-feed-later", "Mon espace santé asks to come back, in seconds and by a date", func(ctx context.Context, s *Stage) error {
			return s.Each(ctx, 2, func(ctx context.Context, i int) error {
				p, err := journey.Paired(ctx, s)
				if err != nil {
					return err
				}
				f := []control.Fault{
					{Kind: control.FaultStatus, Status: 503, RetryAfter: 1, IssueCode: "transient"},
					{Kind: control.FaultStatus, Status: 429, RetryAfter: 1, RetryDate: true, IssueCode: "throttled"},
				}[i]
				f.Route, f.Next = record.RouteFeedMeasure, 1
				if err := s.Fault(ctx, p, f); err != nil {
					return err
				}
				v := visit{Patient: p, at: journey.Moment(s)}
				if _, err := s.Endure(ctx, p, candidate.SendMeasure, v.measure(s, 0)); err != nil {
					return err
				}
				s.Await(ctx, "the measure", func(t Trace) bool { return v.arrived(t, 0) })
				return nil
			})
		}, Needs(candidate.SendMeasure))
		short := feedsMeasures()
		short.settled = func(v visit, t Trace, a candidate.Answer, n int) bool {
			return n == 0 && !t.Where(struck).Empty() || v.arrived(t, 0)
		}
		outage = cross(l, "trouble-feed-outage", "Mon espace santé is out of service for two calls", short, []ill{
			{"unavailable", control.Fault{Kind: control.FaultStatus, Status: 503, Next: 2}},
		})
		feeds = cross(l, "trouble-feed", "a measure is sent while nothing is stored, for one reason or another; then another one, when all is well again",
			feedsMeasures(), these("server-error", "bad-gateway", "gateway-timeout", "unavailable", "page", "empty", "malformed", "dropped", "redirected", "cleared"))
	})

	Describe("A measure in the middle of a trouble", func() {
		It("is not said to be sent when it was not", Check("INT-150.1"), Reads(feeds), func() {
			t := struckIn(feeds).Occasion()
			for _, c := range sufferings(feeds) {
				a, ok := c.asked(candidate.SendMeasure, 0)
				if ok && a.Pilot.Status == "done" && c.arrived(a).Empty() {
					w := under(c.trouble)
					t.Report(At(a, "success-for-failure", Text{
						FR: "le service annonce que la mesure est envoyée alors que rien n'a été enregistré, sous " + w.FR,
						EN: "the service says that the measure was sent although nothing was stored, under " + w.EN,
					}).Was("failed / refused", "done"))
				}
			}
		})
		It("is told to be missing when it did not arrive", Check("INT-154.2"), Reads(feeds), func() {
			t := struckIn(feeds).Occasion()
			told := feeds.Trace().Actions(candidate.Status).Where(answered).Occasion()
			for _, c := range sufferings(feeds) {
				a, ok := c.asked(candidate.SendMeasure, 0)
				text, says := c.shown(0)
				if ok && says && a.Pilot.Status != "done" && text == "" && c.arrived(a).Empty() {
					w := under(c.trouble)
					t.Report(At(told.First(), "loss-not-told", Text{
						FR: "la mesure n'est pas arrivée et le patient n'en apprend rien, sous " + w.FR,
						EN: "the measure did not arrive and the patient learns nothing of it, under " + w.EN,
					}).Was("lastError: …", "lastError: —"))
				}
			}
		})
		It("does not keep the next one from being sent", Check("INT-157.1"), Reads(feeds), func() {
			t := struckIn(feeds).Occasion()
			for _, c := range sufferings(feeds) {
				a, ok := c.asked(candidate.SendMeasure, 1)
				if ok && c.arrived(a).Empty() {
					w := under(c.trouble)
					t.Report(At(a, "not-recovered", Text{
						FR: "la mesure suivante n'arrive pas non plus, alors que tout est rétabli, après " + w.FR,
						EN: "the next measure does not arrive either, although all is well again, after " + w.EN,
					}).Was("done", a.Pilot.Status))
				}
			}
		})
		It("is not tried without end", Check("INT-151.1"), Reads(feeds), func() {
			t := struckIn(feeds).Occasion()
			for _, c := range sufferings(feeds) {
				if n := c.met.Len(); n > maxTries {
					w := under(c.trouble)
					t.Report(At(c.met.Last(), "tried-without-end", Text{
						FR: "le même message est tenté trop souvent pendant la panne, sous " + w.FR,
						EN: "the same message is tried too often during the outage, under " + w.EN,
					}).Was(fmt.Sprintf("≤ %d", maxTries), strconv.Itoa(n)))
				}
			}
		})
		It("is tried again after a while, and a longer one each time", Check("INT-151.2"), Reads(feeds), func() {
			t := struckIn(feeds, "unavailable").Occasion()
			for _, c := range sufferings(feeds, "unavailable") {
				f := hammering(c.met)
				if took := slowest(c.met); f != nil && f.Key == "no-growing-pause" && took > tooSlow {
					t.Untested(Text{
						FR: fmt.Sprintf("le banc était trop chargé pour mesurer des pauses : un simple 503 lui a pris %s. Relancez sur une machine moins occupée", took.Round(time.Millisecond)),
						EN: fmt.Sprintf("the harness was too busy to measure pauses: a plain 503 took it %s. Run again on a machine with less to do", took.Round(time.Millisecond)),
					})
				}
				if f != nil {
					t.Report(*f)
				}
			}
		})
		It("is stored once though its answer was lost", Check("INT-155.1"), Reads(lost), EvenIfEnded(), func() {
			t := struckIn(lost).Occasion()
			for _, c := range sufferings(lost) {
				a, _ := c.asked(candidate.SendMeasure, 0)
				if twice := c.arrived(a); twice.Len() > 1 {
					w := under(c.trouble)
					t.Report(At(twice.At(1), "stored-twice", Text{
						FR: "la mesure est renvoyée sans avoir été recherchée, et se trouve deux fois dans le dossier, après " + w.FR,
						EN: "the measure is sent again without having been looked for, and stands twice in the record, after " + w.EN,
					}).Was("1", strconv.Itoa(twice.Len())))
				}
			}
		})
		It("does not keep the patient waiting for an answer that never comes", Check("INT-158.1"), Reads(lost), EvenIfEnded(), func() {
			t := struckIn(lost, "silent").Occasion()
			for _, c := range sufferings(lost, "silent") {
				if a, ok := c.asked(candidate.SendMeasure, 0); ok && a.Pilot.Status == "" {
					t.Report(At(a, "no-time-out", Text{
						FR: "le service attend sans fin une réponse qui ne vient pas, et ne dit rien au patient",
						EN: "the service waits for ever for an answer that does not come, and tells the patient nothing",
					}).Was("≤ "+l.Candidate().Timing.Action.String(), fmt.Sprintf("%.0f ms", a.Pilot.Millis)))
				}
			}
		})
		It("carries no token to another host", Check("INT-160.1"), Reads(feeds), func() {
			carriesNothingElsewhere(feeds, "redirected")
		})
		It("sends nothing in clear", Check("INT-171.1"), Reads(feeds), func() { carriesNothingElsewhere(feeds, "cleared") })
		It("arrives after a short outage", Check("INT-154.1"), Reads(outage), func() {
			t := struckIn(outage).Occasion()
			for _, c := range sufferings(outage) {
				if a, ok := c.asked(candidate.SendMeasure, 0); ok && c.arrived(a).Empty() {
					t.Report(At(a, "measure-lost", Text{
						FR: "la mesure demandée pendant une courte panne n'arrive jamais dans le dossier",
						EN: "the measure asked for during a short outage never reaches the record",
					}).Was("1", "0"))
				}
			}
		})
		for _, c := range []struct {
			check, what string
			status      int
		}{
			{"INT-152.1", "waits when it is out of service and says for how long", http.StatusServiceUnavailable},
			{"INT-152.2", "waits until the date that it is told", http.StatusTooManyRequests},
		} {
			It(c.what, Check(c.check), Reads(waits), func() {
				t := waits.Trace()
				first := t.Requests(record.RouteFeedMeasure).Answered(c.status).Occasion().First()
				// A service that never comes back has not waited: that its patient
				// learns of it is another check.
				again := t.Of(first.Patient).Requests(record.RouteFeedMeasure).After(first).Occasion()
				if f := tooEarly(first, again.First()); f != nil {
					again.Report(*f)
				}
			})
		}
	})
}

// tooEarly says whether a call came before the moment that an answer names in
// Retry-After. The header counts whole seconds, from an answer whose way back
// took time: 50 ms of tolerance.
func tooEarly(busy, again record.Record) *Finding {
	until := busy.At.Add(millis(busy.Exchange.Millis))
	text := busy.Exchange.Response.Header("Retry-After")
	if n, err := strconv.Atoi(text); err == nil {
		until = until.Add(time.Duration(n) * time.Second)
	} else if at, err := http.ParseTime(text); err == nil {
		until = at
	}
	if !again.At.Before(until.Add(-50 * time.Millisecond)) {
		return nil
	}
	return At(again, "too-early", Text{
		FR: "l'appel est répété avant le moment que nomme Retry-After", EN: "the call is repeated before the moment that Retry-After names",
	}).Was("≥ "+text, again.At.Sub(busy.At).Round(time.Millisecond).String()).Ptr()
}

// tooSlow is how long the sandbox may take over an answer that costs nothing
// before lengths of time tell more of its machine than of the service.
const tooSlow = 50 * time.Millisecond

func slowest(t Trace) time.Duration {
	var out time.Duration
	for _, r := range t.Records {
		out = max(out, millis(r.Exchange.Millis))
	}
	return out
}

// hammering says whether the tries of one message follow one another without a
// pause, or without a growing one. Of two pauses nothing is said: waits are
// drawn, and one may happen to be the shorter.
func hammering(tries Trace) *Finding {
	var gaps []time.Duration
	for i := 1; i < tries.Len(); i++ {
		before := tries.At(i - 1)
		gaps = append(gaps, tries.At(i).At.Sub(before.At.Add(millis(before.Exchange.Millis))))
	}
	for i, g := range gaps {
		if g < minGap {
			return At(tries.At(i+1), "no-pause", Text{FR: "l'appel est répété aussitôt", EN: "the call is repeated at once"}).Was("≥ "+minGap.String(), g.Round(time.Millisecond).String()).Ptr()
		}
	}
	// A busy machine lengthens a pause and never shortens one: the shortest of the
	// first pauses is the nearest to what the service means.
	if n := len(gaps); n >= 3 && gaps[n-1] < slices.Min(gaps[:n-1])*3/2 {
		return At(tries.Last(), "no-growing-pause", Text{FR: "les pauses entre les tentatives n'augmentent pas", EN: "the pauses between tries do not grow"}).Was("≥ 1,5 × "+slices.Min(gaps[:n-1]).Round(time.Millisecond).String(), gaps[n-1].Round(time.Millisecond).String()).Ptr()
	}
	return nil
}
