package sandbox_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/etalon-sante/etalon/sandbox/control"
	"github.com/etalon-sante/etalon/sandbox/fhir"
	"github.com/etalon-sante/etalon/sandbox/record"
	"github.com/etalon-sante/etalon/sandbox/settings"
)

// calls are the specs of feeds and documents.
func (c *contract) calls() {
	ctx := context.Background()
	Describe("business calls", func() {
		It("takes the nominal message of each measure, and finds it again", func() {
			s := c.open(control.SpaceRequest{})
			t := s.pair(s.patient("nora"))
			for _, n := range nominals() {
				r := s.call(t, http.MethodPost, "", feed(t, n.observation(morning)))
				Expect(r.status).To(Equal(http.StatusOK), "%s: %s", n.kind, r.body)
				b := bundleOf(s.search(t, n.code, nil))
				Expect(b.Total).To(Equal(1), n.kind)
				Expect(b.Entry[0].Resource).To(HaveKeyWithValue("effectiveDateTime", morning))
				Expect(b.Entry[0].Search.Mode).To(Equal("match"))
				Expect(selfCheck(b)).To(BeEmpty(), n.kind)
			}
			state, err := c.api.PatientState(ctx, s.space.ID, "nora")
			Expect(err).NotTo(HaveOccurred())
			Expect(state.Measures).To(Equal(len(nominals())))
			for _, r := range s.journal() {
				Expect(r.Exchange.Facts.Issues).To(BeEmpty(), "%s", r.Exchange.Route)
			}
		})

		It("creates a Device once, and answers entry by entry in the order of the request", func() {
			s := c.open(control.SpaceRequest{})
			t := s.pair(s.patient("otto"))
			first := bundleOf(s.call(t, http.MethodPost, "", feedWithDevice(t, s.space.OID)))
			second := bundleOf(s.call(t, http.MethodPost, "", feedWithDevice(t, s.space.OID)))
			Expect(first.Entry[0].Response.Location).To(HavePrefix("Device/"))
			Expect(first.Entry[0].Response.Status).To(Equal("201 Created"))
			Expect(second.Entry[0].Response.Status).To(Equal("200"))
			Expect(second.Entry[0].Response.Location).To(Equal(first.Entry[0].Response.Location))
			Expect(second.Entry[1].Response.Status).To(Equal("201 Created"))
			Expect(second.Entry[1].Response.Location).NotTo(Equal(first.Entry[1].Response.Location))

			found := bundleOf(s.search(t, "29463-7", url.Values{"_include": {"Observation:device"}}))
			Expect(found.Total).To(Equal(2))
			Expect(found.modes()).To(Equal(map[string]int{"match": 2, "include": 1}))
			Expect(found.Entry[0].Resource["device"]).To(HaveKeyWithValue("reference", first.Entry[0].Response.Location))
			Expect(selfCheck(found)).To(BeEmpty())
			Expect(bundleOf(s.search(t, "29463-7", nil)).modes()).To(Equal(map[string]int{"match": 2}))
		})

		DescribeTable("refuses in a strict record what a tolerant one notes", func(change func(o object), status int, rule string) {
			s := c.open(control.SpaceRequest{})
			strict := s.pair(s.patient("strict"))
			tolerant := s.pair(s.patient("tolerant", func(r *control.PatientRequest) { r.Record = "tolerant" }))
			body := func(t tokens) []byte {
				o := nominals()[0].observation(morning)
				raw := feed(t, o)
				change(o)
				var b object
				Expect(json.Unmarshal(raw, &b)).To(Succeed())
				b["entry"].([]any)[0].(object)["resource"] = o
				return bytesOf(b)
			}
			r := s.call(strict, http.MethodPost, "", body(strict))
			Expect(r.status).To(Equal(status), "%s", r.body)
			Expect(string(r.body)).To(ContainSubstring("OperationOutcome"))
			Expect(s.call(tolerant, http.MethodPost, "", body(tolerant)).status).To(Equal(http.StatusOK))
			for _, rec := range onRoute(s.journal(), record.RouteFeedMeasure) {
				Expect(rec.Exchange.Facts.Issues).To(ContainElement(HaveField("Rule", rule)))
				Expect(rec.Exchange.Facts.Call.Stored).To(Equal(rec.Patient == "tolerant"))
			}
		},
			Entry("no profile", func(o object) { delete(o, "meta") }, 422, "feed.profile"),
			Entry("no value", func(o object) { delete(o, "valueQuantity") }, 422, "feed.value"),
			Entry("another category", func(o object) { o["category"] = []any{coded(loinc, "laboratory")} }, 422, "feed.category"),
			Entry("a source that is not the service's", func(o object) { o["meta"].(object)["source"] = "urn:oid:1.2.3" }, 422, "feed.source"),
			Entry("the BMI, which is not fed", func(o object) { o["code"] = coded(loinc, "39156-5") }, 422, "feed.bmi"),
		)

		It("keeps to 403 for another patient's idPe, however tolerant the record", func() {
			s := c.open(control.SpaceRequest{})
			tolerant := func(r *control.PatientRequest) { r.Record = "tolerant" }
			one, other := s.pair(s.patient("one", tolerant)), s.pair(s.patient("another", tolerant))
			r := s.call(one, http.MethodPost, "", feed(other, nominals()[0].observation(morning)))
			Expect(r.status).To(Equal(http.StatusForbidden))
			mixed := tokens{Access: one.Access, ID: other.ID}
			Expect(s.call(mixed, http.MethodPost, "", feed(one, nominals()[0].observation(morning))).status).To(Equal(http.StatusForbidden))
			f := onRoute(s.journal(), record.RouteFeedMeasure)
			Expect(f[0].Exchange.Facts.Call.TokenIDPe).To(Equal(claims(one.ID)["idPe"]))
			Expect(f[0].Exchange.Facts.Call.RequestIDPe).To(Equal(claims(other.ID)["idPe"]))
			Expect(f[1].Exchange.Facts.Call.IDTokenState).To(Equal("other-patient"))
		})

		It("answers 400 without an id_token, 401 without an access_token, and finds the patient by what is left", func() {
			s := c.open(control.SpaceRequest{})
			t := s.pair(s.patient("paula"))
			body := feed(t, nominals()[0].observation(morning))
			Expect(s.call(tokens{Access: t.Access}, http.MethodPost, "", body).status).To(Equal(http.StatusBadRequest))
			Expect(s.call(tokens{Access: t.Access, ID: "not.a.token"}, http.MethodPost, "", body).status).To(Equal(http.StatusBadRequest))
			Expect(s.call(tokens{ID: t.ID}, http.MethodPost, "", body).status).To(Equal(http.StatusUnauthorized))
			Expect(s.call(tokens{Access: random(), ID: t.ID}, http.MethodPost, "", body).status).To(Equal(http.StatusUnauthorized))
			Expect(s.call(tokens{}, http.MethodPost, "", body).status).To(Equal(http.StatusBadRequest))
			states := [][2]string{}
			for _, r := range onRoute(s.journal(), record.RouteFeedMeasure) {
				Expect(r.Patient).To(Equal("paula"))
				states = append(states, [2]string{r.Exchange.Facts.Call.AccessState, r.Exchange.Facts.Call.IDTokenState})
			}
			Expect(states).To(Equal([][2]string{{"valid", "absent"}, {"valid", "invalid"}, {"absent", "valid"}, {"unknown", "valid"}, {"absent", "absent"}}))
		})

		It("wants the media type of the settings", func() {
			s := c.open(control.SpaceRequest{})
			t := s.pair(s.patient("quinn"))
			req := s.business(t, http.MethodPost, "", feed(t, nominals()[0].observation(morning)))
			req.Header.Set("Content-Type", "application/json")
			Expect(send(s.http, req).status).To(Equal(http.StatusUnsupportedMediaType))
			Expect(onRoute(s.journal(), record.RouteFeedMeasure)[0].Exchange.Facts.Issues).To(ConsistOf(And(HaveField("Rule", "call.media"), HaveField("Setting", "media.fhir"))))
		})

		It("survives what is no message at all", func() {
			s := c.open(control.SpaceRequest{})
			t := s.pair(s.patient("rita", func(r *control.PatientRequest) { r.Record = "tolerant" }))
			for _, body := range []string{"", "{", "[]", "null", `{"resourceType":"Patient"}`, "\xff\xfe", `{"resourceType":"Bundle","type":"transaction"}`} {
				r := s.call(t, http.MethodPost, "", []byte(body))
				Expect(r.status).To(BeElementOf(400, 422), "%q: %s", body, r.body)
			}
		})

		It("feeds, finds and gives back a document byte for byte", func() {
			s := c.open(control.SpaceRequest{})
			t := s.pair(s.patient("saul"))
			content := []byte("compte rendu é\n\x09fin")
			r := s.call(t, http.MethodPost, "/DocumentReference", documentOf(t, document("Compte rendu", "CPT_REND", content)))
			Expect(r.status).To(Equal(http.StatusCreated), "%s", r.body)
			Expect(r.header.Get("Location")).To(HavePrefix(s.space.Endpoints.FHIR + "/DocumentReference/"))
			s.call(t, http.MethodPost, "/DocumentReference", documentOf(t, document("Ordonnance", "ORD_SOIN", []byte("autre"))))

			c0 := claims(t.ID)
			query := url.Values{"patient:identifier": {fmt.Sprint(c0["assignAuth"], "|", c0["idPe"])}, "category": {"CPT_REND"}, "period-start": {"ge2026-11-01"}}
			found := s.call(t, http.MethodGet, "/DocumentReference?"+query.Encode(), nil)
			Expect(found.status).To(Equal(http.StatusOK), "%s", found.body)
			b := bundleOf(found)
			Expect(b.Total).To(Equal(1))
			attachment := b.Entry[0].Resource["content"].([]any)[0].(object)["attachment"].(object)
			Expect(attachment).NotTo(HaveKey("data"))
			Expect(attachment).To(HaveKeyWithValue("size", BeNumerically("==", len(content))))
			address := attachment["url"].(string)
			Expect(address).To(HavePrefix(s.space.Endpoints.FHIR + "/Binary/"))
			path := address[len(s.space.Endpoints.FHIR):]
			got := s.call(t, http.MethodGet, path, nil)
			Expect(got.body).To(Equal(content))
			Expect(got.header.Get("Content-Type")).To(Equal("text/plain"))

			other := s.pair(s.patient("saulb"))
			Expect(s.call(other, http.MethodGet, path, nil).status).To(Equal(http.StatusForbidden))
			Expect(s.call(t, http.MethodGet, "/Binary/none", nil).status).To(Equal(http.StatusNotFound))
			req := s.business(t, http.MethodGet, path, nil)
			req.Header.Set("Accept", "application/fhir+json")
			Expect(string(send(s.http, req).body)).To(ContainSubstring(`"resourceType":"Binary"`))
		})

		It("answers and journals what it does not serve", func() {
			s := c.open(control.SpaceRequest{})
			t := s.pair(s.patient("theo"))
			Expect(s.call(t, http.MethodGet, "/Patient", nil).status).To(Equal(http.StatusNotFound))
			r := s.call(t, http.MethodDelete, "/Observation", nil)
			Expect(r.status).To(Equal(http.StatusMethodNotAllowed))
			Expect(r.header.Get("Allow")).To(Equal("GET"))
			Expect(s.browser().get(s.space.Endpoints.Issuer + "/nothing").status).To(Equal(http.StatusNotFound))
			unknown := onRoute(s.journal(), record.RouteUnknown)
			Expect(unknown).To(HaveLen(3))
			Expect(unknown[0].Patient).To(Equal("theo"))
			Expect(unknown[2].Patient).To(BeEmpty())
		})
	})
}

// selfCheck applies to the Observations that the sandbox gives out the rules
// that it applies to others.
func selfCheck(b bundle) []record.Issue {
	GinkgoHelper()
	set, err := settings.Load()
	Expect(err).NotTo(HaveOccurred())
	rules, err := fhir.NewRules(set)
	Expect(err).NotTo(HaveOccurred())
	var out []record.Issue
	for _, e := range b.Entry {
		if e.Resource["resourceType"] != "Observation" {
			continue
		}
		v, err := fhir.Decode(bytesOf(e.Resource))
		Expect(err).NotTo(HaveOccurred())
		out = append(out, rules.Observation(v.(object))...)
	}
	return out
}

// searches are the specs of searches of measures.
func (c *contract) searches() {
	ctx := context.Background()
	Describe("searches", func() {
		seeded := func(s *service, n int, more ...json.RawMessage) control.Seed {
			var seed control.Seed
			for i := range n {
				seed.Measures = append(seed.Measures, bytesOf(nominals()[0].observation(fmt.Sprintf("2026-11-%02dT08:%02d:00+01:00", 1+i/60, i%60))))
			}
			seed.Measures = append(seed.Measures, more...)
			return seed
		}

		It("pages, the latest first, without gap or overlap", func() {
			s := c.open(control.SpaceRequest{})
			t := s.pair(s.patient("ursula"))
			out, err := c.api.Seed(ctx, s.space.ID, "ursula", seeded(s, 120))
			Expect(err).NotTo(HaveOccurred())
			Expect(out.Measures).To(HaveLen(120))
			seen := map[any]bool{}
			page := s.search(t, "29463-7", nil)
			last := "9999"
			sizes := []int{}
			for {
				Expect(page.status).To(Equal(http.StatusOK), "%s", page.body)
				b := bundleOf(page)
				Expect(b.Total).To(Equal(120))
				Expect(b.link("self")).To(HavePrefix(s.space.Endpoints.FHIR + "/Observation?"))
				sizes = append(sizes, len(b.Entry))
				for _, e := range b.Entry {
					at := e.Resource["effectiveDateTime"].(string)
					Expect(at < last).To(BeTrue())
					last = at
					seen[e.Resource["id"]] = true
				}
				if b.link("next") == "" {
					Expect(b.link("previous")).NotTo(BeEmpty())
					break
				}
				page = s.call(t, http.MethodGet, b.link("next")[len(s.space.Endpoints.FHIR):], nil)
			}
			Expect(sizes).To(Equal([]int{50, 50, 20}))
			Expect(seen).To(HaveLen(120))
			returned := []int{}
			for _, r := range onRoute(s.journal(), record.RouteSearchMeasures) {
				returned = append(returned, r.Exchange.Facts.Call.Returned)
			}
			Expect(returned).To(Equal(sizes))
		})

		It("gives the last measure alone", func() {
			s := c.open(control.SpaceRequest{})
			t := s.pair(s.patient("victor"))
			_, err := c.api.Seed(ctx, s.space.ID, "victor", seeded(s, 3))
			Expect(err).NotTo(HaveOccurred())
			b := bundleOf(s.search(t, "29463-7", url.Values{"date": nil, "_count": {"1"}, "_sort": {"-date"}}))
			Expect(b.Entry).To(HaveLen(1))
			Expect(b.Entry[0].Resource).To(HaveKeyWithValue("effectiveDateTime", "2026-11-01T08:02:00+01:00"))
			Expect(b.link("next")).To(BeEmpty())
		})

		It("finds between two dates alone", func() {
			s := c.open(control.SpaceRequest{})
			t := s.pair(s.patient("wanda"))
			_, err := c.api.Seed(ctx, s.space.ID, "wanda", seeded(s, 5))
			Expect(err).NotTo(HaveOccurred())
			b := bundleOf(s.search(t, "29463-7", url.Values{"date": {"ge2026-11-01T08:01:00+01:00", "lt2026-11-01T08:03:00+01:00"}}))
			Expect(b.Total).To(Equal(2))
			Expect(bundleOf(s.search(t, "8302-2", nil)).Total).To(Equal(0))
		})

		DescribeTable("refuses a search that is not right", func(change url.Values) {
			s := c.open(control.SpaceRequest{})
			t := s.pair(s.patient("xavier"))
			Expect(s.search(t, "29463-7", change).status).To(Equal(http.StatusBadRequest))
			Expect(onRoute(s.journal(), record.RouteSearchMeasures)[0].Exchange.Facts.Issues).NotTo(BeEmpty())
		},
			Entry("a page that is too large", url.Values{"_count": {"101"}}),
			Entry("one date bound", url.Values{"date": {"ge2026-11-01"}}),
			Entry("no mode", url.Values{"date": nil}),
			Entry("last with paging", url.Values{"date": nil, "_sort": {"-date"}, "_count": {"1"}, "_offset": {"1"}}),
			Entry("an unknown code", url.Values{"code": {"1234-5"}}),
		)

		It("serves a record that mixes devices, an outcome and a measure entered in error", func() {
			s := c.open(control.SpaceRequest{})
			t := s.pair(s.patient("yann"))
			wrong := nominals()[0].observation("2026-11-02T08:00:00+01:00")
			wrong["status"] = "entered-in-error"
			weighed := nominals()[0].observation("2026-11-03T08:00:00+01:00")
			weighed["device"] = object{"reference": "Device/scale-1"}
			seed := control.Seed{
				Devices: []json.RawMessage{bytesOf(object{"resourceType": "Device", "id": "scale-1"})},
				Measures: []json.RawMessage{bytesOf(wrong), bytesOf(weighed), bytesOf(object{
					"resourceType": "OperationOutcome", "issue": []any{object{"severity": "warning", "code": "incomplete", "diagnostics": "une source n'a pas répondu"}},
				})},
			}
			_, err := c.api.Seed(ctx, s.space.ID, "yann", seed)
			Expect(err).NotTo(HaveOccurred())
			b := bundleOf(s.search(t, "29463-7", url.Values{"_include": {"Observation:device"}}))
			Expect(b.Total).To(Equal(2))
			Expect(b.modes()).To(Equal(map[string]int{"match": 2, "include": 1, "outcome": 1}))
			Expect(b.Entry[0].Resource["device"]).To(HaveKeyWithValue("reference", "Device/scale-1"))
			Expect(b.Entry[1].Resource).To(HaveKeyWithValue("status", "entered-in-error"))
			Expect(onRoute(s.journal(), record.RouteSearchMeasures)[0].Exchange.Facts.Call.Returned).To(Equal(2))
		})

		It("refuses to be seeded with what it would refuse from others", func() {
			s := c.open(control.SpaceRequest{})
			s.patient("zoe")
			bad := nominals()[0].observation(morning)
			delete(bad, "valueQuantity")
			_, err := c.api.Seed(ctx, s.space.ID, "zoe", control.Seed{Measures: []json.RawMessage{bytesOf(nominals()[0].observation(morning)), bytesOf(bad)}})
			Expect(err).To(MatchError(ContainSubstring("measures[1] would break the rule feed.value")))
			state, err := c.api.PatientState(ctx, s.space.ID, "zoe")
			Expect(err).NotTo(HaveOccurred())
			Expect(state.Measures).To(Equal(0))
		})

		It("gives out a document that was seeded", func() {
			s := c.open(control.SpaceRequest{})
			t := s.pair(s.patient("abel"))
			out, err := c.api.Seed(ctx, s.space.ID, "abel", control.Seed{Documents: []json.RawMessage{bytesOf(document("Vaccins", "CAR_VAC", []byte("BCG")))}})
			Expect(err).NotTo(HaveOccurred())
			Expect(out.Documents).To(HaveLen(1))
			Expect(s.call(t, http.MethodGet, "/Binary/"+out.Documents[0], nil).body).To(Equal([]byte("BCG")))
		})
	})
}
