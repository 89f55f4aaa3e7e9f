package interop

import (
	"context"
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"

	"github.com/etalon-sante/etalon/fixtures/data"
	"github.com/etalon-sante/etalon/sandbox/record"
	"github.com/etalon-sante/etalon/suites/candidate"
	"github.com/etalon-sante/etalon/suites/journey"
	. "github.com/etalon-sante/etalon/suites/lab"
)

// kind is one measure of the API: what the pilot calls it, and the code and
// unit of its profile (MES API Mesures 1.5.2, §2.1).
type kind struct {
	check, name, code, unit string
}

func kinds() []kind {
	return []kind{
		{"INT-30.1", "weight", "29463-7", "kg"},
		{"INT-31.1", "height", "8302-2", "cm"},
		{"INT-32.1", "blood-pressure", "85354-9", "mm[Hg]"},
		{"INT-33.1", "temperature", "8310-5", "Cel"},
		{"INT-34.1", "glucose", "2345-7", "mg/dL"},
		{"INT-34.2", "hba1c", "4548-4", "%"},
		{"INT-34.3", "interstitial-glucose", "MED-969", "mg/dL"},
		{"INT-34.4", "gmi", "MED-972", "%"},
		{"INT-35.1", "pain", "72514-3", "1"},
		{"INT-36.1", "steps", "41950-7", "1/(24.h)"},
		{"INT-37.1", "waist", "8280-0", "cm"},
		{"INT-38.1", "head", "8287-5", "cm"},
		{"INT-39.1", "heart-rate", "8867-4", "/min"},
	}
}

func feed(l *Lab) {
	one := func(slug, sentence string, measure func(s *Stage) data.Measure, opts ...Option) *Scenario {
		return l.Scenario(slug, sentence, func(ctx context.Context, s *Stage) error {
			p, err := journey.Paired(ctx, s, Tolerant())
			if err != nil {
				return err
			}
			a, err := journey.SendThis(ctx, s, p, measure(s))
			if err != nil {
				return err
			}
			if a.Status == "done" {
				journey.Fed(ctx, s, p, record.RouteFeedMeasure)
			}
			return nil
		}, append(opts, Needs(candidate.SendMeasure))...)
	}
	by := map[string]*Scenario{}
	var all []*Scenario
	var nominal, bmi, device, dates *Scenario
	l.In("feed", func() {
		nominal = one("feed-nominal", "an ordinary measure is fed", func(s *Stage) data.Measure {
			return data.Nominal(s.SeedNumber(), journey.Main(s.Candidate()), journey.Moment(s))
		})
		for _, k := range kinds() {
			by[k.name] = one("feed-"+k.name, "a measure is fed: "+k.name, func(s *Stage) data.Measure {
				return data.Nominal(s.SeedNumber(), k.name, journey.Moment(s))
			}, NeedsKind(k.name))
			all = append(all, by[k.name])
		}
		device = one("feed-device", "a weight is fed that a connected scale took", func(s *Stage) data.Measure {
			m := data.Nominal(s.SeedNumber(), "weight", journey.Moment(s))
			m.Method = "scale"
			m.Device = &data.Device{Kind: "scale", ID: "74-E8-FF-FE-FF-05-1C-00", Manufacturer: "Étalon", Model: "Balance d'essai"}
			return m
		}, NeedsKind("weight"), NeedsDevices())
		dates = l.Scenario("feed-dates", "weights are fed on both sides of the change of hour, and on 29 February", func(ctx context.Context, s *Stage) error {
			p, err := journey.Paired(ctx, s, Tolerant())
			if err != nil {
				return err
			}
			for _, at := range data.Instants() {
				m := data.Nominal(s.SeedNumber(), journey.Main(s.Candidate()), at)
				if _, err := journey.SendThis(ctx, s, p, m); err != nil {
					return err
				}
			}
			return nil
		}, Needs(candidate.SendMeasure))
		bmi = l.Scenario("feed-bmi", "the service is asked to feed a body mass index", func(ctx context.Context, s *Stage) error {
			p, err := journey.Paired(ctx, s, Tolerant())
			if err != nil {
				return err
			}
			_, err = journey.SendKind(ctx, s, p, "bmi")
			// "unsupported" is as good an answer as "refused" here.
			if early := new(Ending); err != nil && !(asEnding(err, &early) && early.Outcome == Unsupported) {
				return err
			}
			return s.Quiet(ctx)
		}, Needs(candidate.SendMeasure))
	})
	all = append(all, nominal, device, dates)
	feeds := func(s ...*Scenario) Trace { return Together(s...).Requests(record.RouteFeedMeasure) }

	Describe("Feeding a measure", func() {
		It("feeds as it claims", Check("INT-20.1"), Reads(nominal), Claims(candidate.SendMeasure), func() {
			t := nominal.Trace()
			t.Actions(candidate.SendMeasure).Occasion()
			Expect(t.Actions(candidate.SendMeasure)).To(answerDone())
			Expect(t).To(haveSucceeded(record.RouteFeedMeasure))
		})
		It("presents the identity token beside the access token", Check("INT-10.2"), Free(), Reads(nominal), func() {
			Expect(feeds(nominal).Occasion()).To(Satisfy("identity token", func(r record.Record) *Finding {
				c := r.Exchange.Facts.Call
				if c != nil && c.IDTokenIn != "" && c.IDTokenState != "absent" {
					return nil
				}
				f := At(r, "no-identity-token", Text{FR: "l'appel ne présente pas le jeton d'identité dans l'en-tête attendu", EN: "the call does not present the identity token in the expected header"}).Was("id_token", "—")
				f.Setting = "header.id-token"
				return &f
			}))
		})
		It("feeds one measure once", Check("INT-20.2"), Reads(nominal), func() {
			Expect(nominal.Trace().Requests(record.RouteFeedMeasure).Where(succeeded).Occasion()).To(HaveAtMost(1, "fed-again", Text{
				FR: "la même mesure est envoyée plusieurs fois", EN: "the same measure is fed more than once",
			}))
		})
		// Rules of the feed, as the sandbox read them in the messages received.
		for _, c := range []struct {
			check, what string
			scenarios   []*Scenario
			rules       []string
		}{
			{"INT-21.1", "sends a transaction", all, []string{"feed.json", "feed.bundle-type"}},
			{"INT-21.2", "sends one Observation and at most one Device, by POST", all, []string{"feed.entries", "feed.method"}},
			{"INT-21.3", "gives the Observation's entry a fullUrl", all, []string{"feed.full-url"}},
			{"INT-21.4", "asks for creation under the resource's name", all, []string{"feed.request-url"}},
			{"INT-22.1", "declares the profile of Mon espace santé", all, []string{"feed.profile"}},
			{"INT-23.1", "names the patient by the identifier of the pairing", all, []string{"feed.subject"}},
			{"INT-24.1", "gives a status", all, []string{"feed.status"}},
			{"INT-24.2", "gives the category of vital signs", all, []string{"feed.category"}},
			{"INT-24.3", "codes the measure in the system of its profile", all, []string{"feed.code"}},
			{"INT-25.1", "dates the measure with its offset", all, []string{"feed.effective"}},
			{"INT-26.1", "gives the quantity whole", all, []string{"feed.quantity", "feed.value"}},
		} {
			It(c.what, Check(c.check), Free(), Reads(c.scenarios...), func() {
				Expect(feeds(c.scenarios...).Occasion()).NotTo(HaveIssue(c.rules...))
			})
		}
		It("dates the measure at the instant that the patient gave", Check("INT-25.2"), Reads(dates), func() {
			pairs := asked(Together(dates)).Occasion()
			Expect(pairs).To(sameInstant())
		})
		It("feeds the value that the patient gave", Check("INT-27.1"), Reads(all...), func() {
			Expect(asked(Together(all...)).Occasion()).To(sameValue())
		})
		It("gives as source an OID of its own", Check("INT-28.1"), Free(), Reads(all...), func() {
			Expect(feeds(all...).Where(func(r record.Record) bool {
				return at(observation(r), "meta", "source") != nil
			}).Occasion()).NotTo(HaveIssue("feed.source"))
		})
		It("sends FHIR JSON", Check("INT-29.1"), Free(), Reads(all...), func() {
			Expect(feeds(all...).Occasion()).To(Satisfy("media type", func(r record.Record) *Finding {
				got := r.Exchange.Request.Header("Content-Type")
				if strings.HasPrefix(strings.ToLower(strings.TrimSpace(got)), "application/fhir+json") {
					return nil
				}
				f := At(r, "media-type", Text{FR: "le type du contenu n'est pas celui de FHIR en JSON", EN: "the content type is not that of FHIR in JSON"}).Was("application/fhir+json", got).In("request:header:Content-Type")
				f.Setting = "media.fhir"
				return &f
			}))
		})
		It("uses method, body site and moment codes of their value sets", Check("INT-43.1"), Free(), Reads(all...), func() {
			Expect(feeds(all...).Where(func(r record.Record) bool {
				o := observation(r)
				return at(o, "method") != nil || at(o, "bodySite") != nil || at(o, "extension") != nil
			}).Occasion()).NotTo(HaveIssue("feed.binding"))
		})
	})

	Describe("Each measure", func() {
		for _, k := range kinds() {
			It("codes "+k.name+" as its profile wants", Check(k.check), Free(), Reads(by[k.name]), func() {
				t := fedAs(l, feeds(by[k.name]), k.name).Occasion()
				Expect(t).To(bearCode(k))
				Expect(t).NotTo(HaveIssue("feed.unit", "feed.component"))
			})
		}
		It("never feeds a body mass index", Check("INT-40.1"), Reads(bmi), ReadsAllTraffic(), func() {
			t := bmi.Trace()
			Occasion(t.Actions(candidate.SendMeasure), l.AllTraffic().Requests(record.RouteFeedMeasure).Where(succeeded))
			Expect(t).NotTo(HaveRequested(record.RouteFeedMeasure))
		})
		It("says when capillary glucose was measured", Check("INT-41.1"), Free(), Reads(by["glucose"]), func() {
			Expect(fedAs(l, feeds(by["glucose"]), "glucose").Occasion()).NotTo(HaveIssue("feed.moment-missing", "feed.days-forbidden"))
		})
		It("gives HbA1c neither moment nor number of days", Check("INT-41.2"), Free(), Reads(by["hba1c"]), func() {
			Expect(fedAs(l, feeds(by["hba1c"]), "hba1c").Occasion()).NotTo(HaveIssue("feed.moment-forbidden", "feed.days-forbidden"))
		})
		It("gives glucose indicators their number of days", Check("INT-41.3"), Free(), Reads(by["interstitial-glucose"], by["gmi"]), func() {
			Expect(fedAs(l, feeds(by["interstitial-glucose"], by["gmi"]), "interstitial-glucose", "gmi").Occasion()).NotTo(HaveIssue("feed.days-missing", "feed.moment-forbidden"))
		})
	})

	Describe("The device", func() {
		sent := func() Trace { return feeds(device).Occasion() }
		It("joins the device to the measure", Check("INT-42.1"), Reads(device), func() {
			Expect(sent()).To(Satisfy("device", func(r record.Record) *Finding {
				if resource(r, "Device") != nil {
					return nil
				}
				return At(r, "no-device", Text{FR: "le message ne contient pas le dispositif qui a fait la mesure", EN: "the message does not hold the device that took the measure"}).Was("Device", "—").In("/entry").Ptr()
			}))
			Expect(sent()).NotTo(HaveIssue("feed.device-link"))
		})
		It("creates the device only if it is not known", Check("INT-42.2"), Free(), Reads(device), func() {
			Expect(sent().Where(hasDevice).Occasion()).NotTo(HaveIssue("feed.if-none-exist"))
		})
		It("describes the device by its profile", Check("INT-42.3"), Free(), Reads(device), func() {
			Expect(sent().Where(hasDevice).Occasion()).NotTo(HaveIssue("feed.device-profile", "feed.device-type", "feed.device-specialization"))
		})
	})
	trouble(l)
}

// fedAs are the feeds of some kinds of measure. In a scenario all of them are; in
// free use nobody knows what was meant, so the code tells: one that belongs to no
// kind is found by the rule about codes.
func fedAs(l *Lab, t Trace, names ...string) Trace {
	if !l.FreeUse() {
		return t
	}
	return t.Where(func(r record.Record) bool {
		list, _ := at(observation(r), "code", "coding").([]any)
		for _, c := range list {
			for _, k := range kinds() {
				if at(c, "code") == k.code && slices.Contains(names, k.name) {
					return true
				}
			}
		}
		return false
	})
}

func hasDevice(r record.Record) bool { return resource(r, "Device") != nil }

func millis(ms float64) time.Duration { return time.Duration(ms * float64(time.Millisecond)) }

// asked are the pilot's send-measure actions that were answered done.
func asked(t Trace) Trace {
	return pairUp(t.Where(func(r record.Record) bool {
		return r.Kind == record.KindExchange || (r.Pilot != nil && r.Pilot.Action == string(candidate.SendMeasure) && r.Pilot.Status == "done")
	}))
}

// pairUp keeps the stored feeds, with the actions of their patients.
func pairUp(t Trace) Trace {
	actions := map[string][]record.Record{}
	for _, r := range t.Actions().Records {
		actions[r.Patient] = append(actions[r.Patient], r)
	}
	return t.Where(func(r record.Record) bool {
		return r.Exchange != nil && r.Exchange.Route == record.RouteFeedMeasure && succeeded(r) && len(actions[r.Patient]) > 0
	}).With(actions)
}

// wanted is the measure that the last action before a feed asked for.
func wanted(t Trace, r record.Record) (data.Measure, bool) {
	var payload struct {
		Measure data.Measure `json:"measure"`
	}
	for _, a := range slices.Backward(t.Companions(r.Patient)) {
		if a.At.After(r.At) {
			continue
		}
		err := json.Unmarshal(a.Pilot.Payload, &payload)
		return payload.Measure, err == nil
	}
	return payload.Measure, false
}

func sameInstant() Finder {
	return compare("same instant", func(m data.Measure, r record.Record) *Finding {
		want, err := time.Parse(time.RFC3339, m.At)
		if err != nil {
			return nil
		}
		text, _ := at(observation(r), "effectiveDateTime").(string)
		got, err := time.Parse(time.RFC3339, text)
		if err == nil && got.Equal(want) {
			return nil
		}
		return At(r, "instant-changed", Text{FR: "l'instant envoyé n'est pas celui de la mesure", EN: "the instant sent is not that of the measure"}).Was(m.At, text).In(pointer(r, "effectiveDateTime")).Ptr()
	})
}

func sameValue() Finder {
	return compare("same value", func(m data.Measure, r record.Record) *Finding {
		o := observation(r)
		if len(m.Components) > 0 {
			for code, name := range map[string]string{"8480-6": "systolic", "8462-4": "diastolic"} {
				if want, ok := m.Components[name]; ok && !equal(component(o, code), want) {
					return At(r, "value-changed", Text{FR: "la valeur envoyée n'est pas celle de la mesure", EN: "the value sent is not that of the measure"}).Was(fmt.Sprintf("%s %v", name, want), fmt.Sprint(component(o, code))).In(pointer(r, "component")).Ptr()
				}
			}
			return nil
		}
		got := at(o, "valueQuantity", "value")
		if equal(got, m.Value) {
			return nil
		}
		return At(r, "value-changed", Text{FR: "la valeur envoyée n'est pas celle de la mesure", EN: "the value sent is not that of the measure"}).Was(fmt.Sprint(m.Value), fmt.Sprint(got)).In(pointer(r, "valueQuantity/value")).Ptr()
	})
}

func compare(name string, check func(data.Measure, record.Record) *Finding) Finder {
	return overTrace{name, func(t Trace) []Finding {
		var out []Finding
		for _, r := range t.Records {
			m, ok := wanted(t, r)
			if !ok {
				continue
			}
			if f := check(m, r); f != nil {
				out = append(out, *f)
			}
		}
		return out
	}}
}

// equal compares decimal numbers by value: 36.50 is 36.5.
func equal(got any, want float64) bool {
	n, ok := got.(json.Number)
	if !ok || len(n) > 64 {
		return false
	}
	x, ok := new(big.Rat).SetString(string(n))
	if !ok {
		return false
	}
	y, _ := new(big.Rat).SetString(fmt.Sprint(want))
	return y != nil && x.Cmp(y) == 0
}

func bearCode(k kind) Finder {
	return Satisfy("code of "+k.name, func(r record.Record) *Finding {
		o := observation(r)
		var codes []string
		list, _ := at(o, "code", "coding").([]any)
		for _, c := range list {
			code, _ := at(c, "code").(string)
			if code == k.code {
				codes = nil
				break
			}
			codes = append(codes, code)
		}
		if len(list) == 0 || codes != nil {
			return At(r, "measure-code", Text{FR: "le code n'est pas celui de la mesure demandée", EN: "the code is not that of the measure asked for"}).Was(k.code, strings.Join(codes, ", ")).In(pointer(r, "code/coding/0/code")).Ptr()
		}
		units := []any{at(o, "valueQuantity", "code")}
		where := "valueQuantity/code"
		if k.name == "blood-pressure" {
			units, where = nil, "component"
			comps, _ := at(o, "component").([]any)
			for _, c := range comps {
				units = append(units, at(c, "valueQuantity", "code"))
			}
		}
		for _, u := range units {
			if u != k.unit {
				return At(r, "measure-unit", Text{FR: "l'unité n'est pas celle du profil", EN: "the unit is not that of the profile"}).Was(k.unit, fmt.Sprint(u)).In(pointer(r, where)).Ptr()
			}
		}
		return nil
	})
}
