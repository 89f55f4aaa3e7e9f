package interop

import (
	"fmt"
	"strings"

	. "github.com/onsi/ginkgo/v2"

	"github.com/etalon-sante/etalon/sandbox/record"
	"github.com/etalon-sante/etalon/suites/candidate"
	"github.com/etalon-sante/etalon/suites/journey"
	. "github.com/etalon-sante/etalon/suites/lab"
)

// heldBack keeps the calls that were refused whatever was agreed, for a reason.
func heldBack(t Trace, by string) Trace {
	return t.Business().Where(func(r record.Record) bool {
		return r.Exchange.Facts != nil && r.Exchange.Facts.Call != nil && r.Exchange.Facts.Call.Withheld == by && !succeeded(r)
	})
}

// from is what stands after the first mark under a name; nothing when there is
// none.
func from(t Trace, name string) Trace {
	mark, ok := t.Marked(name)
	if !ok {
		return t.Marks("none")
	}
	return t.After(mark)
}

// until is what stands before the first mark under a name.
func until(t Trace, name string) Trace {
	mark, ok := t.Marked(name)
	if !ok {
		return t
	}
	return t.Before(mark)
}

// serviceStatus holds the checks about states in which a pairing that stands, or
// could, is of no use.
func serviceStatus(l *Lab) {
	life := journey.LifeOf(l)
	repeated := func() Finder {
		return HaveAtMost(1, "call-repeated", Text{
			FR: "l'appel refusé est répété alors que rien n'a changé",
			EN: "the refused call is repeated although nothing has changed",
		})
	}
	Describe("A service that is suspended or delisted", func() {
		insists := func(t Trace) {
			heldBack(t, record.WithheldService).Occasion()
			Expect(heldBack(until(t, "told"), record.WithheldService)).To(repeated())
			Expect(heldBack(from(t, "told"), record.WithheldService)).To(repeated())
		}
		It("does not insist while it is suspended", Check("INT-73.1"), Reads(life.Suspended), func() {
			insists(until(life.Suspended.Trace(), "back"))
		})
		It("does not insist once it is out of the catalogue", Check("INT-73.2"), Reads(life.Delisted), func() {
			insists(life.Delisted.Trace())
		})
		It("exchanges again once it is back", Check("INT-74.1"), Reads(life.Suspended), func() {
			t := life.Suspended.Trace()
			back := from(t, "back")
			Occasion(heldBack(until(t, "back"), record.WithheldService), back.Actions(candidate.SendMeasure))
			Expect(back).To(haveSucceeded(record.RouteFeedMeasure))
		})
	})
	Describe("An approval that has run out", func() {
		It("is not got round by repeating", Check("INT-75.1"), Reads(life.Reapproval), func() {
			due := heldBack(until(life.Reapproval.Trace(), "again"), record.WithheldReapproval)
			Expect(due.Occasion()).To(repeated())
		})
		It("ends when the patient approves again", Check("INT-76.1"), Reads(life.Reapproval), func() {
			t := life.Reapproval.Trace()
			again := from(t, "again")
			Occasion(heldBack(until(t, "again"), record.WithheldReapproval), again.Actions(candidate.Pair))
			Expect(again.Actions(candidate.Pair)).To(answerDone())
			Expect(again).To(haveSucceeded(record.RouteFeedMeasure))
		})
	})
	Describe("A space that is not open", func() {
		turnedAway := func() Trace {
			t := life.NoSpace.Trace()
			told := t.Exchanges(record.RouteConsent).Where(func(r record.Record) bool {
				return r.Exchange.Facts != nil && r.Exchange.Facts.Barred != nil && r.Exchange.Facts.Barred.Error != ""
			}).Occasion()
			return t.After(told.First())
		}
		It("leads to no token request", Check("INT-77.1"), Reads(life.NoSpace), ReadsAllTraffic(), func() {
			Expect(turnedAway()).NotTo(HaveRequested(record.RouteToken))
			Expect(life.NoSpace.Strays()).NotTo(HaveRequested(record.RouteToken))
		})
		It("is met by a page of the service", Check("INT-77.2"), Reads(life.NoSpace), func() {
			shown := turnedAway().Where(func(r record.Record) bool {
				return r.Exchange != nil && r.Exchange.From == record.Visitor && r.Exchange.To == record.Candidate && strings.Contains(r.Exchange.Request.URL, "error=")
			}).Occasion()
			Expect(shown).To(Satisfy("page", func(r record.Record) *Finding {
				if s := r.Exchange.Response.Status; r.Exchange.Error == "" && s >= 200 && s < 500 {
					return nil
				}
				return At(r, "callback-broke-down", Text{
					FR: "l'adresse de retour ne sait pas recevoir une erreur : le patient ne voit qu'une panne",
					EN: "the redirect URI cannot receive an error: all that the patient sees is a breakdown",
				}).Was("2xx, 3xx, 4xx", fmt.Sprint(r.Exchange.Response.Status, " ", r.Exchange.Error)).In("status").Ptr()
			}))
		})
		It("that was closed midway is left alone", Check("INT-80.1"), Reads(life.Closed), func() {
			t := life.Closed.Trace()
			heldBack(until(t, "told"), record.WithheldSpace).Occasion()
			Expect(from(t, "told").Business()).To(BeEmpty("call-after-closing", Text{
				FR: "le service, averti que l'espace est fermé, appelle encore une API",
				EN: "the service, told that the space is closed, still calls an API",
			}))
		})
	})
}
