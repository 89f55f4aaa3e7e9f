package interop

import (
	. "github.com/onsi/ginkgo/v2"

	"github.com/etalon-sante/etalon/sandbox/control"
	"github.com/etalon-sante/etalon/sandbox/record"
	"github.com/etalon-sante/etalon/suites/candidate"
	"github.com/etalon-sante/etalon/suites/journey"
	. "github.com/etalon-sante/etalon/suites/lab"
)

// withdrawnPurposes holds the checks about finalités that are agreed to one by one.
func withdrawnPurposes(l *Lab) {
	life := journey.LifeOf(l)
	Describe("Purposes agreed to one by one", func() {
		// The service did send while it might, and was asked to after it might not.
		withdrawn := func() Trace {
			t := since(life.Withdrawn, control.ActWithdraw)
			Occasion(life.Withdrawn.Trace().Requests(record.RouteFeedMeasure).Where(succeeded), t.Actions(candidate.SendMeasure))
			return t
		}
		It("does not insist on a purpose that was withdrawn", Check("INT-70.1"), Reads(life.Withdrawn), func() {
			t := withdrawn()
			repeated := HaveAtMost(1, "call-repeated", Text{
				FR: "l'appel refusé parce que cette finalité a été retirée (403) est répété",
				EN: "the call refused because this purpose was withdrawn (403) is repeated",
			})
			told, _ := t.Marked("told")
			refused := t.Requests(record.RouteFeedMeasure).Answered(403)
			Expect(refused.Before(told)).To(repeated)
			Expect(refused.After(told)).To(repeated)
		})
		It("does not present what was withdrawn as done", Check("INT-70.2"), Reads(life.Withdrawn), func() {
			Expect(withdrawn().Actions(candidate.SendMeasure)).To(notDone("withdrawal-shown-as-success", Text{
				FR: "le service annonce que la mesure est envoyée alors que le patient a retiré cette finalité",
				EN: "the service says that the measure was sent although the patient withdrew this purpose",
			}))
		})
		It("goes on with the other purposes", Check("INT-71.1"), Reads(life.Withdrawn), func() {
			t := since(life.Withdrawn, control.ActWithdraw)
			Occasion(t.Requests(record.RouteFeedMeasure).Answered(403), known(t))
			Expect(known(t)).To(answerDone())
			Expect(t).To(haveSucceeded(record.RouteSearchMeasures))
		})
		It("works with what was agreed to", Check("INT-72.1"), Reads(life.Partial), func() {
			t := life.Partial.Trace()
			Occasion(known(t))
			Expect(known(t)).To(answerDone())
			Expect(t).To(haveSucceeded(record.RouteSearchMeasures))
		})
	})
}

// known are the readings that the candidate knows how to do.
func known(t Trace) Trace {
	return t.Actions(candidate.ReadMeasures).Where(func(r record.Record) bool { return r.Pilot.Status != "unsupported" })
}
