// Package ethics holds the checks of what the patient's will requires.
package ethics

import (
	"encoding/json"

	. "github.com/onsi/ginkgo/v2"

	"github.com/etalon-sante/etalon/sandbox/control"
	"github.com/etalon-sante/etalon/sandbox/record"
	"github.com/etalon-sante/etalon/suites/candidate"
	"github.com/etalon-sante/etalon/suites/journey"
	. "github.com/etalon-sante/etalon/suites/lab"
	"github.com/etalon-sante/etalon/suites/texts"
)

// Specs registers the scenarios and checks of the suite.
func Specs(l *Lab) {
	consent(l)
	life(l)
	visits(l)
	accepting(l)
	texts.EthicsSpecs(l)
	readable(l)
	sober(l)
}

func consent(l *Lab) {
	c := journey.ConsentOf(l)
	Describe("The patient's will", func() {
		It("exchanges nothing before consent", Check("ETH-01.1"), Reads(c.BeforePairing), ReadsAllTraffic(), func() {
			t := c.BeforePairing.Trace()
			consent, ok := t.Marked("consent")
			if !ok {
				t.Marks("none").Occasion()
			}
			Occasion(t.Before(consent).Actions(candidate.SendMeasure), t.After(consent).Requests(record.RouteFeedMeasure).Answered(200))
			early := BeEmpty("call-before-consent", Text{
				FR: "le service appelle une API avant que le patient ait donné son accord",
				EN: "the service calls an API before the patient has given consent",
			})
			Expect(t.Before(consent).Business()).To(early)
			// Such a call carries nothing by which the sandbox could tell whose
			// it is: those that are nobody's are read as well.
			Expect(c.BeforePairing.Strays().Earlier(consent.At).Business()).To(early)
		})
		It("goes on serving a patient who refused", Check("ETH-02.1"), Reads(c.Refused), func() {
			t := c.Refused.Trace()
			t.Exchanges(record.RouteConsent).Occasion()
			Expect(t.Actions(candidate.Status).Occasion()).To(Satisfy("answer", func(r record.Record) *Finding {
				if r.Pilot.Status == "done" || r.Pilot.Status == "unsupported" {
					return nil
				}
				return At(r, "service-withdrawn", Text{
					FR: "après le refus du patient, le service ne répond plus", EN: "after the patient's refusal the service no longer answers",
				}).Was("done", r.Pilot.Status+r.Pilot.Error).Ptr()
			}))
		})
		It("stops for good once it knows of the withdrawal", Check("ETH-03.1"), FreePerPairing(), OnlyFindings(), Reads(c.UnpairMES), l.EachPairing(func() {
			t := c.UnpairMES.Trace()
			since := Trace{}
			for _, r := range t.Marks("act").Records {
				if r.Mark.Text == control.ActUnpair {
					since = t.After(r)
				}
			}
			calls := BeEmpty("call-after-withdrawal", Text{
				FR: "le service, averti du retrait, appelle encore une API", EN: "the service, told of the withdrawal, still calls an API",
			})
			if l.FreeUse() {
				// It knows once a refusal was given, and calls that were already
				// under way have had their time.
				if since.Empty() {
					t.Marks("none").Occasion()
				}
				knows := since.Business().Answered(403).Occasion().First().At.Add(l.Candidate().Timing.Quiet)
				Expect(since.Business().Where(func(r record.Record) bool { return r.At.After(knows) })).To(calls)
				return
			}
			told, ok := t.Marked("told")
			if !ok {
				t.Marks("none").Occasion()
			}
			Occasion(since.Before(told).Business().Answered(403))
			Expect(t.After(told).Business()).To(calls)
		}))
		It("lets the patient un-pair in the service", Check("ETH-04.1"), Reads(c.UnpairService), func() {
			t := c.UnpairService.Trace()
			done := t.Actions(candidate.Unpair).Occasion()
			says := t.After(done.First()).Actions(candidate.Status).Occasion()
			Expect(says).To(Satisfy("un-paired", func(r record.Record) *Finding {
				if f := unpaired(r); f != nil {
					return f
				}
				return nil
			}))
		})
	})
}

// unpaired finds a service that says it is paired.
func unpaired(r record.Record) *Finding {
	var said struct {
		Paired *bool `json:"paired"`
	}
	if r.Pilot.Status != "done" || json.Unmarshal(r.Pilot.Data, &said) != nil || said.Paired == nil || !*said.Paired {
		return nil
	}
	return At(r, "still-paired", Text{
		FR: "après le désappariement, le service annonce être toujours apparié", EN: "after the un-pairing the service says that it is still paired",
	}).Was("paired: false", "paired: true").Ptr()
}
