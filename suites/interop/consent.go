package interop

import (
	. "github.com/onsi/ginkgo/v2"

	"github.com/etalon-sante/etalon/sandbox/control"
	"github.com/etalon-sante/etalon/sandbox/record"
	"github.com/etalon-sante/etalon/suites/candidate"
	"github.com/etalon-sante/etalon/suites/journey"
	. "github.com/etalon-sante/etalon/suites/lab"
)

func consent(l *Lab) {
	c := journey.ConsentOf(l)
	Describe("What the patient refuses", func() {
		refusal := func() Trace {
			t := c.Refused.Trace()
			said := t.Exchanges(record.RouteConsent).Where(func(r record.Record) bool {
				return r.Exchange.Facts != nil && r.Exchange.Facts.Consent != nil && !r.Exchange.Facts.Consent.Accepted
			}).Occasion()
			return t.After(said.First())
		}
		// A token request without a code carries nothing by which the sandbox
		// could tell whose it is: those that are nobody's are read as well.
		It("asks for no token after a refusal", Check("INT-11.1"), FreePerPairing(), Reads(c.Refused), ReadsAllTraffic(), l.EachPairing(func() {
			t := refusal()
			if l.FreeUse() {
				// An earlier pairing may stand, and its token be refreshed.
				t = t.Where(func(r record.Record) bool {
					return r.Exchange == nil || r.Exchange.Facts == nil || r.Exchange.Facts.Token == nil || r.Exchange.Facts.Token.GrantType != "refresh_token"
				})
			}
			Expect(t).NotTo(HaveRequested(record.RouteToken))
			Expect(c.Refused.Strays()).NotTo(HaveRequested(record.RouteToken))
		}))
		It("knows that it is not paired after a refusal", Check("INT-11.2"), Reads(c.Refused), func() {
			Expect(refusal().Actions(candidate.Status).Where(answered).Occasion()).To(statusSays("paired", false))
		})
		// A service that knows what was agreed need not call at all: the occasion
		// is that it was asked to, and that it does write where it may.
		askedTo := func(s *Scenario, action candidate.Action, route record.Route) Trace {
			Occasion(s.Trace().Actions(action), l.AllTraffic().Requests(route).Where(succeeded))
			return s.Trace()
		}
		It("does not insist on writing when that was not agreed", Check("INT-45.1"), Reads(c.ReadOnly), ReadsAllTraffic(), func() {
			t := askedTo(c.ReadOnly, candidate.SendMeasure, record.RouteFeedMeasure)
			Expect(t.Requests(record.RouteFeedMeasure).Answered(403)).To(HaveAtMost(1, "call-repeated", Text{
				FR: "l'écriture refusée faute d'accord (403) est répétée", EN: "writing refused for want of consent (403) is repeated",
			}))
		})
		It("does not present the refusal to write as a success", Check("INT-45.2"), Reads(c.ReadOnly), ReadsAllTraffic(), func() {
			t := askedTo(c.ReadOnly, candidate.SendMeasure, record.RouteFeedMeasure)
			Expect(t.Actions(candidate.SendMeasure)).To(notDone("refusal-shown-as-success", Text{
				FR: "le service annonce que la mesure est envoyée alors que le patient n'a pas accepté l'écriture",
				EN: "the service says that the measure was sent although the patient did not agree to writing",
			}))
		})
		It("does not insist on reading when that was not agreed", Check("INT-58.1"), Reads(c.WriteOnly), ReadsAllTraffic(), func() {
			t := askedTo(c.WriteOnly, candidate.ReadMeasures, record.RouteSearchMeasures)
			Expect(t.Requests(record.RouteSearchMeasures).Answered(403)).To(HaveAtMost(1, "call-repeated", Text{
				FR: "la lecture refusée faute d'accord (403) est répétée", EN: "reading refused for want of consent (403) is repeated",
			}))
		})
	})
	Describe("The end of the pairing", func() {
		ended := func() Trace {
			t := c.UnpairService.Trace()
			done := t.Actions(candidate.Unpair).Where(func(r record.Record) bool { return r.Pilot.Status == "done" }).Occasion()
			return t.After(done.First())
		}
		It("calls no more once the patient has un-paired", Check("INT-14.1"), Reads(c.UnpairService), func() {
			Expect(ended().Business()).To(BeEmpty("call-after-unpairing", Text{
				FR: "le service appelle encore une API après le désappariement", EN: "the service still calls an API after the un-pairing",
			}))
		})
		It("gives its tokens back", Check("INT-14.2"), Reads(c.UnpairService), func() {
			Expect(ended()).To(haveSucceeded(record.RouteRevoke))
		})
		told := func() Trace {
			t := since(c.UnpairMES, control.ActUnpair)
			t.Business().Answered(403).Occasion()
			return t
		}
		It("does not repeat a call refused because the patient un-paired", Check("INT-15.1"), Reads(c.UnpairMES), func() {
			t := told()
			mark, _ := c.UnpairMES.Trace().Marked("told")
			Expect(t.Before(mark).Business().Answered(403)).To(HaveAtMost(1, "call-repeated", Text{
				FR: "l'appel refusé après désappariement (403) est répété", EN: "the call refused after un-pairing (403) is repeated",
			}))
		})
		It("knows that the patient un-paired in Mon espace santé", Check("INT-15.2"), Reads(c.UnpairMES), func() {
			Expect(told().Actions(candidate.Status).Where(answered).Occasion()).To(statusSays("paired", false))
		})
	})
}
