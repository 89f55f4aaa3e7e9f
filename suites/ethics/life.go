package ethics

import (
	"encoding/json"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"

	"github.com/etalon-sante/etalon/sandbox/control"
	"github.com/etalon-sante/etalon/sandbox/record"
	"github.com/etalon-sante/etalon/suites/candidate"
	"github.com/etalon-sante/etalon/suites/journey"
	. "github.com/etalon-sante/etalon/suites/lab"
)

// said is what a service answers of itself; finalites may be left out.
type said struct {
	Paired        *bool    `json:"paired"`
	OffersPairing bool     `json:"offersPairing"`
	LastError     string   `json:"lastError"`
	Finalites     []string `json:"finalites"`
}

// refusedCalls are the business calls that were refused.
func refusedCalls(t Trace) Trace {
	return t.Business().Where(func(r record.Record) bool { return r.Exchange.Response.Status/100 == 4 })
}

func withheld(t Trace, by string) Trace {
	return t.Business().Where(func(r record.Record) bool {
		return r.Exchange.Facts != nil && r.Exchange.Facts.Call != nil && r.Exchange.Facts.Call.Withheld == by
	})
}

// answers are what status answered after a record.
func answers(t Trace, after record.Record) Trace {
	return t.After(after).Actions(candidate.Status).Where(func(r record.Record) bool {
		return r.Pilot.Status == "done" && len(r.Pilot.Data) > 0
	})
}

// tells is met when the first answer of status lets the patient know.
func tells(key string, message Text, expected string, ok func(said) bool) Finder {
	return Satisfy("tell the patient", func(r record.Record) *Finding {
		var s said
		if json.Unmarshal(r.Pilot.Data, &s) != nil || ok(s) {
			return nil
		}
		return At(r, key, message).Was(expected, string(r.Pilot.Data)).Ptr()
	})
}

func first(t Trace) Trace {
	one := t.First().Seq
	return t.Where(func(r record.Record) bool { return r.Seq == one })
}

func hasError(s said) bool { return strings.TrimSpace(s.LastError) != "" }

// life holds the checks of what the patient is told when an exchange that was
// agreed to, or asked for, does not take place.
func life(l *Lab) {
	c := journey.LifeOf(l)
	Describe("What the patient is told", func() {
		missing := func(s said) bool {
			return hasError(s) || s.Finalites != nil && !slices.Contains(s.Finalites, journey.WriteMeasures)
		}
		notTold := Text{
			FR: "le service ne montre pas au patient ce qu'il n'a pas, ou n'a plus, autorisé",
			EN: "the service does not show the patient what is not, or no longer, agreed to",
		}
		const expected = "lastError: a sentence, or finalites without " + journey.WriteMeasures
		It("which purpose was withdrawn", Check("ETH-05.1"), Reads(c.Withdrawn), func() {
			t := c.Withdrawn.Trace()
			says := first(answers(t, refusedCalls(t).Occasion().First()).Occasion())
			Expect(says).To(tells("withdrawal-not-told", notTold, expected, missing))
		})
		It("which purpose was not agreed to", Check("ETH-05.2"), Reads(c.Partial), func() {
			t := c.Partial.Trace()
			says := first(answers(t, t.Actions(candidate.SendMeasure).Occasion().First()).Occasion())
			Expect(says).To(tells("refusal-not-told", notTold, expected, missing))
		})
		It("that exchanges are suspended", Check("ETH-06.1"), Reads(c.Suspended), func() {
			t := c.Suspended.Trace()
			says := first(answers(t, withheld(t, record.WithheldService).Occasion().First()).Occasion())
			Expect(says).To(tells("suspension-not-told", Text{
				FR: "le service ne montre au patient aucune raison alors que ses échanges sont suspendus",
				EN: "the service shows the patient no reason although its exchanges are suspended",
			}, "lastError: a sentence", hasError))
		})
		It("that approval is asked for again", Check("ETH-07.1"), Reads(c.Reapproval), func() {
			t := c.Reapproval.Trace()
			says := first(answers(t, withheld(t, record.WithheldReapproval).Occasion().First()).Occasion())
			Expect(says).To(tells("approval-not-asked-for", Text{
				FR: "le service ne dit pas au patient que son accord est de nouveau demandé, et n'offre pas de le donner",
				EN: "the service neither tells the patient that approval is asked for again nor offers to give it",
			}, "lastError: a sentence, or offersPairing: true", func(s said) bool { return hasError(s) || s.OffersPairing }))
		})
		It("that there is no pairing, and why", Check("ETH-08.1"), Reads(c.NoSpace), func() {
			t := c.NoSpace.Trace()
			away := t.Exchanges(record.RouteConsent).Where(func(r record.Record) bool {
				return r.Exchange.Facts != nil && r.Exchange.Facts.Barred != nil && r.Exchange.Facts.Barred.Error != ""
			}).Occasion()
			Expect(answers(t, away.First()).Occasion()).To(tells("no-pairing-not-told", Text{
				FR: "le service ne dit pas au patient que l'appariement n'a pas eu lieu, ou n'en donne aucune raison",
				EN: "the service does not tell the patient that no pairing took place, or gives no reason",
			}, "paired: false, lastError: a sentence", func(s said) bool {
				return hasError(s) && (s.Paired == nil || !*s.Paired)
			}))
		})
		It("and lets go of, while exchanges are suspended", Check("ETH-09.1"), Reads(c.Suspended), func() {
			t := c.Suspended.Trace()
			acts := t.Marks("act").Where(func(r record.Record) bool { return r.Mark.Text == control.ActServiceStatus })
			again := t.After(acts.Last())
			asked := again.Actions(candidate.Unpair).Where(func(r record.Record) bool { return r.Pilot.Status != "unsupported" })
			Occasion(withheld(t, record.WithheldService), asked)
			says := answers(t, asked.First()).Occasion()
			Expect(says).To(Satisfy("un-paired", unpaired))
		})
	})
}
