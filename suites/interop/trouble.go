package interop

import (
	"context"
	"fmt"
	"time"

	. "github.com/onsi/ginkgo/v2"

	"github.com/etalon-sante/etalon/sandbox/control"
	"github.com/etalon-sante/etalon/sandbox/record"
	"github.com/etalon-sante/etalon/suites/candidate"
	"github.com/etalon-sante/etalon/suites/journey"
	. "github.com/etalon-sante/etalon/suites/lab"
)

func trouble(l *Lab) {
	var refused, later *Scenario
	l.In("trouble", func() {
		refused = l.Scenario("feed-422", "a measure is refused for its content", func(ctx context.Context, s *Stage) error {
			p, err := journey.Paired(ctx, s)
			if err != nil {
				return err
			}
			if err := s.Fault(ctx, p, control.Fault{Route: record.RouteFeedMeasure, Next: 20, Kind: control.FaultStatus, Status: 422, IssueCode: "invalid"}); err != nil {
				return err
			}
			if _, err := journey.Send(ctx, s, p); err != nil {
				return err
			}
			return s.Quiet(ctx)
		}, Needs(candidate.SendMeasure))
		later = l.Scenario("feed-429", "Mon espace santé asks to come back in a second", func(ctx context.Context, s *Stage) error {
			p, err := journey.Paired(ctx, s)
			if err != nil {
				return err
			}
			if err := s.Fault(ctx, p, control.Fault{Route: record.RouteFeedMeasure, Next: 1, Kind: control.FaultStatus, Status: 429, RetryAfter: 1, IssueCode: "throttled"}); err != nil {
				return err
			}
			if _, err := journey.Send(ctx, s, p); err != nil {
				return err
			}
			journey.Fed(ctx, s, p, record.RouteFeedMeasure)
			return nil
		}, Needs(candidate.SendMeasure))
	})
	Describe("When Mon espace santé refuses", func() {
		It("does not repeat a message that was refused for its content", Check("INT-44.1"), Reads(refused), func() {
			Expect(refused.Trace().Requests(record.RouteFeedMeasure).Answered(422).Occasion()).To(HaveAtMost(1, "call-repeated", Text{
				FR: "le message refusé pour son contenu (422) est renvoyé tel quel",
				EN: "the message refused for its content (422) is sent again as it was",
			}))
		})
		It("does not present a refusal as a success", Check("INT-44.2"), Reads(refused), func() {
			t := refused.Trace()
			t.Requests(record.RouteFeedMeasure).Answered(422).Occasion()
			Expect(t.Actions(candidate.SendMeasure)).To(notDone("refusal-shown-as-success", Text{
				FR: "le service annonce que la mesure est envoyée alors qu'elle a été refusée",
				EN: "the service says that the measure was sent although it was refused",
			}))
		})
		It("waits as long as it is asked to", Check("INT-46.1"), Reads(later), func() {
			t := later.Trace().Requests(record.RouteFeedMeasure)
			first := t.Answered(429).Occasion().First()
			wait := time.Second
			until := first.At.Add(millis(first.Exchange.Millis) + wait)
			// A service that never comes back has not waited: that it should is
			// the next check.
			Expect(t.After(first).Occasion()).To(Satisfy("wait", func(r record.Record) *Finding {
				// The header counts whole seconds from an answer whose way back
				// took time: 50 ms of tolerance.
				if !r.At.Before(until.Add(-50 * time.Millisecond)) {
					return nil
				}
				return At(r, "too-early", Text{FR: "l'appel est répété avant le délai demandé par Retry-After", EN: "the call is repeated before the delay that Retry-After asks for"}).
					Was(fmt.Sprintf("≥ %s", wait), r.At.Sub(first.At).Round(time.Millisecond).String()).Ptr()
			}))
		})
		It("delivers the measure in the end", Check("INT-46.2"), Reads(later), func() {
			t := later.Trace()
			t.Requests(record.RouteFeedMeasure).Answered(429).Occasion()
			Expect(t).To(haveSucceeded(record.RouteFeedMeasure))
		})
	})
}
