package sandbox_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/etalon-sante/etalon/sandbox/control"
	"github.com/etalon-sante/etalon/sandbox/record"
)

// older is a canonical base that the examples of the specification still use.
const older = "http://esante.gouv.fr/ci-sis/fhir/StructureDefinition/"

// measures are the specs of the rows of the measures API: every error with its
// status and its issue code, profiles old and new, pages, links and answers.
// Source: API Mesures v1.5.2 §2.2.8 and §2.3, as transcribed.
func (c *contract) measures() {
	ctx := context.Background()
	Describe("measures", func() {
		DescribeTable("answers each error of a feed by its status and its issue code", func(kind string, device bool, change func(bundle, o, d object), status int, code string) {
			s := c.open(control.SpaceRequest{})
			t := s.pair(s.patient("amelie"))
			var raw []byte
			if raw = feed(t, nominalOf(kind).observation(morning)); device {
				raw = feedWithDevice(t, s.space.OID)
			}
			var b object
			Expect(json.Unmarshal(raw, &b)).To(Succeed())
			var o, d object
			for _, e := range b["entry"].([]any) {
				res := e.(object)["resource"].(object)
				if res["resourceType"] == "Device" {
					d = res
				} else {
					o = res
				}
			}
			change(b, o, d)
			r := s.call(t, http.MethodPost, "", bytesOf(b))
			Expect(r.status).To(Equal(status), "%s", r.body)
			Expect(r.header.Get("Content-Type")).To(HavePrefix("application/fhir+json"))
			Expect(codesOf(r)).To(ContainElement("error/"+code), "%s", r.body)
			Expect(onRoute(s.journal(), record.RouteFeedMeasure)[0].Exchange.Facts.Call.Stored).To(BeFalse())
		},
			Entry("a resource of another type", "weight", false, func(b, _, _ object) {
				b["entry"] = append(b["entry"].([]any), object{"fullUrl": "x", "resource": object{"resourceType": "Patient"}, "request": object{"method": "POST", "url": "Patient"}})
			}, 422, "not-supported"),
			Entry("an update", "weight", false, func(b, _, _ object) { requestOf(b, 0)["method"] = "PUT" }, 422, "not-supported"),
			Entry("a deletion", "weight", false, func(b, _, _ object) { requestOf(b, 0)["method"] = "DELETE" }, 422, "not-supported"),
			Entry("an address other than the resource's", "weight", false, func(b, _, _ object) { requestOf(b, 0)["url"] = "Observation/1" }, 422, "not-supported"),
			Entry("a Bundle that is no transaction", "weight", false, func(b, _, _ object) { b["type"] = "batch"; delete(b, "total") }, 422, "invalid"),
			Entry("two Observations", "weight", false, func(b, _, _ object) { b["entry"] = append(b["entry"].([]any), b["entry"].([]any)[0]) }, 422, "invalid"),
			Entry("no fullUrl", "weight", false, func(b, _, _ object) { delete(b["entry"].([]any)[0].(object), "fullUrl") }, 422, "invalid"),
			Entry("a Device without ifNoneExist", "", true, func(b, _, _ object) { delete(requestOf(b, 0), "ifNoneExist") }, 422, "invalid"),
			Entry("a Device with an ifNoneExist of another form", "", true, func(b, _, _ object) { requestOf(b, 0)["ifNoneExist"] = "identifier=02-11" }, 422, "invalid"),
			Entry("no creation of an Observation", "", true, func(b, _, _ object) { b["entry"] = b["entry"].([]any)[:1] }, 422, "invalid"),
			Entry("no device.reference", "", true, func(_, o, _ object) { delete(o, "device") }, 422, "invalid"),
			Entry("identifiers that do not match", "", true, func(_, _, d object) { d["id"] = "another" }, 422, "invalid"),
			Entry("an Observation without meta.profile", "weight", false, func(_, o, _ object) { delete(o, "meta") }, 422, "invalid"),
			Entry("a Device without meta.profile", "", true, func(_, _, d object) { delete(d, "meta") }, 422, "invalid"),
			Entry("no subject.identifier", "weight", false, func(_, o, _ object) { o["subject"] = object{"reference": "Patient/1"} }, 422, "invalid"),
			Entry("a moment where it is forbidden", "hba1c", false, func(_, o, _ object) {
				o["extension"] = []any{object{"url": extensions + "mesures-moment-of-measurement", "valueCodeableConcept": coded(loinc, "53049-3")}}
			}, 422, "invalid"),
			Entry("a number of days where it is forbidden", "hba1c", false, func(_, o, _ object) {
				o["extension"] = []any{object{"url": extensions + "mesures-number-of-days", "valueCodeableConcept": coded(taasip, "GEN-275")}}
			}, 422, "invalid"),
			Entry("no moment where it is mandatory", "glucose", false, func(_, o, _ object) { delete(o, "extension") }, 422, "incomplete"),
			Entry("no number of days where it is mandatory", "interstitial-glucose", false, func(_, o, _ object) { delete(o, "extension") }, 422, "incomplete"),
			Entry("a meta.source outside the OID of the solution", "weight", false, func(_, o, _ object) { o["meta"].(object)["source"] = "urn:oid:1.2.3" }, 422, "value"),
			Entry("no value", "weight", false, func(_, o, _ object) { delete(o, "valueQuantity") }, 422, "value"),
			Entry("the creation of a BMI", "weight", false, func(_, o, _ object) { o["code"] = coded(loinc, "39156-5") }, 422, "not-supported"),
			Entry("a unit of another indicator", "hba1c", false, func(_, o, _ object) { o["valueQuantity"] = quantity(64, "mg/dL", "mg/dL") }, 422, "invalid"),
			Entry("a method outside its value set", "weight", false, func(_, o, _ object) { o["method"] = coded("urn:emdn", "K50BI02") }, 422, "code-invalid"),
		)

		DescribeTable("refuses what is no Bundle as the setting says", func(status string) {
			s := c.open(control.SpaceRequest{Settings: map[string]string{"measure.no-bundle-status": status}})
			t := s.pair(s.patient("basile"))
			for _, body := range []string{"", `{"resourceType":"Observation"}`} {
				Expect(fmt.Sprint(s.call(t, http.MethodPost, "", []byte(body)).status)).To(Equal(status))
			}
		},
			Entry("400, as the specification", "400"),
			Entry("422, as the ANS guide", "422"),
		)

		It("takes profiles under each of the canonical bases of the settings, with or without a version, and no other", func() {
			s := c.open(control.SpaceRequest{})
			t := s.pair(s.patient("clotilde"))
			with := func(t tokens, s *service, profile string) int {
				o := nominals()[0].observation(morning)
				o["meta"] = object{"profile": []any{profile}}
				return s.call(t, http.MethodPost, "", feed(t, o)).status
			}
			Expect(with(t, s, profiles+"mes-observation-bodyweight")).To(Equal(200))
			Expect(with(t, s, profiles+"mes-observation-bodyweight|1.5.2")).To(Equal(200))
			Expect(with(t, s, "https://interop.esante.gouv.fr/ig/fhir/mesmesures/StructureDefinition/MESObservationBodyWeight")).To(Equal(200))
			Expect(with(t, s, older+"mes-observation-bodyweight")).To(Equal(422))
			wider := c.open(control.SpaceRequest{Settings: map[string]string{"measure.canonical-bases": profiles + "," + older}})
			tw := wider.pair(wider.patient("clotilde"))
			Expect(with(tw, wider, older+"mes-observation-bodyweight")).To(Equal(200))
			Expect(with(tw, wider, profiles+"mes-observation-bodyweight")).To(Equal(200))
		})

		It("takes any method where the setting makes the value sets extensible", func() {
			s := c.open(control.SpaceRequest{Settings: map[string]string{"measure.binding": "extensible"}})
			t := s.pair(s.patient("damien"))
			o := nominals()[0].observation(morning)
			o["method"] = coded("urn:emdn", "K50BI02")
			Expect(s.call(t, http.MethodPost, "", feed(t, o)).status).To(Equal(200))
		})

		It("gives back every character and every digit of what was fed", func() {
			s := c.open(control.SpaceRequest{})
			t := s.pair(s.patient("eloise"))
			o := nominals()[0].observation("2026-10-25T02:30:00+02:00")
			o["valueQuantity"] = object{"value": json.Number("72.50"), "unit": "kg", "system": ucum, "code": "kg"}
			const note = "Pesée d’Anaïs, « à jeun » : l'œil 👁 de Łódź — 日本 ‏עברית‏ e\u0301"
			o["note"] = []any{object{"text": note}}
			o["extension"] = []any{object{"url": extensions + "mesures-reason-for-measurement", "valueString": "contrôle d’été"}}
			Expect(s.call(t, http.MethodPost, "", feed(t, o)).status).To(Equal(200))
			r := s.search(t, "29463-7", url.Values{"date": {"ge2026-10-25", "le2026-10-25"}})
			Expect(bundleOf(r).Total).To(Equal(1))
			Expect(string(r.body)).To(ContainSubstring("72.50"))
			found := bundleOf(r).Entry[0].Resource
			Expect(found["note"].([]any)[0].(object)["text"]).To(Equal(note))
			Expect(found).To(HaveKeyWithValue("effectiveDateTime", "2026-10-25T02:30:00+02:00"))
		})

		It("answers a search without result, and a page after the last, by an empty page", func() {
			s := c.open(control.SpaceRequest{})
			t := s.pair(s.patient("firmin"))
			none := bundleOf(s.search(t, "29463-7", nil))
			Expect(none.Type).To(Equal("searchset"))
			Expect(none.Total).To(Equal(0))
			Expect(none.Entry).To(BeEmpty())
			Expect(none.link("self")).NotTo(BeEmpty())
			Expect(none.link("next")).To(BeEmpty())
			Expect(none.link("previous")).To(BeEmpty())
			Expect(selfCheck(none)).To(BeEmpty())
			last := bundleOf(s.search(t, "29463-7", url.Values{"date": nil, "_sort": {"-date"}, "_count": {"1"}}))
			Expect(last.Total).To(Equal(0))
			var seed control.Seed
			for i := range 3 {
				seed.Measures = append(seed.Measures, bytesOf(nominals()[0].observation(fmt.Sprintf("2026-11-0%dT08:00:00+01:00", i+1))))
			}
			_, err := c.api.Seed(ctx, s.space.ID, "firmin", seed)
			Expect(err).NotTo(HaveOccurred())
			middle := bundleOf(s.search(t, "29463-7", url.Values{"_count": {"1"}, "_offset": {"1"}}))
			Expect(middle.Entry).To(HaveLen(1))
			Expect(middle.link("next")).To(ContainSubstring("_offset=2"))
			Expect(middle.link("previous")).To(ContainSubstring("_offset=0"))
			Expect(middle.link("self")).To(ContainSubstring("_offset=1"))
			exact := bundleOf(s.search(t, "29463-7", url.Values{"_count": {"3"}}))
			Expect(exact.Entry).To(HaveLen(3))
			Expect(exact.link("next")).To(BeEmpty(), "a last page that is full has none after it")
			beyond := bundleOf(s.search(t, "29463-7", url.Values{"_offset": {"7"}}))
			Expect(beyond.Total).To(Equal(3))
			Expect(beyond.Entry).To(BeEmpty())
			Expect(beyond.link("next")).To(BeEmpty())
		})

		It("counts measures and not devices, gives a device once, and takes both ways to write _include and the bounds", func() {
			s := c.open(control.SpaceRequest{})
			t := s.pair(s.patient("gilberte"))
			for range 3 {
				Expect(s.call(t, http.MethodPost, "", feedWithDevice(t, s.space.OID)).status).To(Equal(200))
			}
			for _, include := range []string{"Observation:device", "Observation.device"} {
				b := bundleOf(s.search(t, "29463-7", url.Values{"_include": {include}, "_count": {"2"}, "date": {"gt2026-11-21", "lt2026-11-23"}}))
				Expect(b.Total).To(Equal(3))
				Expect(b.modes()).To(Equal(map[string]int{"match": 2, "include": 1}))
			}
			state, err := c.api.PatientState(ctx, s.space.ID, "gilberte")
			Expect(err).NotTo(HaveOccurred())
			Expect(state.Measures).To(Equal(3))
		})

		It("finds what the patient entered himself and the index that is computed", func() {
			s := c.open(control.SpaceRequest{})
			t := s.pair(s.patient("hector"))
			bmi := nominal{profile: "mes-observation-bmi", system: loinc, code: "39156-5", value: 24.5, unit: "kg/m2", ucum: "kg/m2"}
			typed := nominals()[0].observation(morning)
			typed["performer"] = []any{object{"display": "Le titulaire"}}
			_, err := c.api.Seed(ctx, s.space.ID, "hector", control.Seed{Measures: []json.RawMessage{bytesOf(bmi.observation(morning)), bytesOf(typed)}})
			Expect(err).NotTo(HaveOccurred())
			for _, code := range []string{"39156-5", "29463-7"} {
				Expect(bundleOf(s.search(t, code, nil)).Total).To(Equal(1), code)
			}
		})

		DescribeTable("answers each error of a search by 400 and invalid, another patient by 403", func(change url.Values, status int, code string) {
			s := c.open(control.SpaceRequest{})
			t := s.pair(s.patient("irene"))
			r := s.search(t, "29463-7", change)
			Expect(r.status).To(Equal(status), "%s", r.body)
			Expect(codesOf(r)).To(ContainElement("error/"+code), "%s", r.body)
		},
			Entry("a page that is too large", url.Values{"_count": {"101"}}, 400, "invalid"),
			Entry("a page of nothing", url.Values{"_count": {"0"}}, 400, "invalid"),
			Entry("the last measure without _count", url.Values{"date": nil, "_sort": {"-date"}}, 400, "invalid"),
			Entry("the last two measures", url.Values{"date": nil, "_sort": {"-date"}, "_count": {"2"}}, 400, "invalid"),
			Entry("another order", url.Values{"date": nil, "_sort": {"date"}, "_count": {"1"}}, 400, "invalid"),
			Entry("the last measure, paged", url.Values{"date": nil, "_sort": {"-date"}, "_count": {"1"}, "_offset": {"0"}}, 400, "invalid"),
			Entry("neither of the modes", url.Values{"date": nil}, 400, "invalid"),
			Entry("one date bound", url.Values{"date": {"ge2026-11-01"}}, 400, "invalid"),
			Entry("a date that is none", url.Values{"date": {"ge2026-13-01", "le2026-11-30"}}, 400, "invalid"),
			Entry("no code", url.Values{"code": nil}, 400, "invalid"),
			Entry("a code with its system", url.Values{"code": {"http://loinc.org|29463-7"}}, 400, "invalid"),
			Entry("no patient", url.Values{"subject.identifier": nil}, 400, "invalid"),
			Entry("another patient", url.Values{"subject.identifier": {"urn:oid:2.25.1|someone"}}, 403, "forbidden"),
			Entry("a page number that is none", url.Values{"_offset": {"-1"}}, 400, "invalid"),
		)
	})
}

func nominalOf(kind string) nominal {
	for _, n := range nominals() {
		if n.kind == kind {
			return n
		}
	}
	return nominals()[0]
}

func requestOf(b object, i int) object { return b["entry"].([]any)[i].(object)["request"].(object) }

// codesOf lists severity/code of an OperationOutcome.
func codesOf(r reply) []string {
	var o struct {
		ResourceType string
		Issue        []struct{ Severity, Code string }
	}
	Expect(json.Unmarshal(r.body, &o)).To(Succeed(), "%s", r.body)
	Expect(o.ResourceType).To(Equal("OperationOutcome"), "%s", strings.TrimSpace(string(r.body)))
	var out []string
	for _, i := range o.Issue {
		out = append(out, i.Severity+"/"+i.Code)
	}
	return out
}
