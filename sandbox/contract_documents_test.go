package sandbox_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/etalon-sante/etalon/sandbox/control"
	"github.com/etalon-sante/etalon/sandbox/record"
)

// documents are the specs of what becomes of documents: sharing one by one,
// duplicates, administrative documents, phases, sizes.
func (c *contract) documents() {
	ctx := context.Background()
	seedDocuments := func(s *service, patient string, documents ...object) []string {
		var seed control.Seed
		for _, d := range documents {
			seed.Documents = append(seed.Documents, json.RawMessage(bytesOf(d)))
		}
		got, err := c.api.Seed(ctx, s.space.ID, patient, seed)
		Expect(err).NotTo(HaveOccurred())
		return got.Documents
	}
	list := func(s *service, t tokens) bundle {
		id := claims(t.ID)
		q := url.Values{"patient:identifier": {id["assignAuth"].(string) + "|" + id["idPe"].(string)}}
		r := s.call(t, http.MethodGet, "/DocumentReference?"+q.Encode(), nil)
		Expect(r.status).To(Equal(http.StatusOK), "%s", r.body)
		return bundleOf(r)
	}
	Describe("documents", func() {
		It("are shared and withdrawn one by one", func() {
			s := c.open(control.SpaceRequest{})
			t := s.pair(s.patient("ada"))
			ids := seedDocuments(s, "ada", document("Un", "CPT_REND", []byte("un")), document("Deux", "CPT_REND", []byte("deux")))
			Expect(list(s, t).Total).To(Equal(2))
			Expect(c.api.Act(ctx, s.space.ID, "ada", control.Act{Kind: control.ActWithholdDocument, Document: ids[0]})).To(Succeed())
			left := list(s, t)
			Expect(left.Total).To(Equal(1))
			Expect(left.Entry[0].Resource).To(HaveKeyWithValue("id", ids[1]))
			Expect(s.call(t, http.MethodGet, "/Binary/"+ids[0], nil).status).To(Equal(http.StatusNotFound))
			Expect(s.call(t, http.MethodGet, "/Binary/"+ids[1], nil).status).To(Equal(http.StatusOK))
			Expect(c.api.Act(ctx, s.space.ID, "ada", control.Act{Kind: control.ActShareDocument, Document: ids[0]})).To(Succeed())
			Expect(s.call(t, http.MethodGet, "/Binary/"+ids[0], nil).status).To(Equal(http.StatusOK))
			reads := onRoute(s.journal(), record.RouteReadDocument)
			Expect(reads[0].Exchange.Facts.Call.Documents).To(ConsistOf(And(HaveField("ID", ids[0]), HaveField("Withheld", "not-shared"))))
			Expect(reads[0].Exchange.Facts.Issues).To(ConsistOf(HaveField("Setting", "document.withheld-status")))
			Expect(reads[2].Exchange.Facts.Call.Documents[0].Withheld).To(BeEmpty())
			Expect(c.api.Act(ctx, s.space.ID, "ada", control.Act{Kind: control.ActWithholdDocument, Document: "none"})).To(MatchError(ContainSubstring("holds no document")))
		})

		It("are refused with the status of the settings", func() {
			s := c.open(control.SpaceRequest{Settings: map[string]string{"document.withheld-status": "403"}})
			t := s.pair(s.patient("ben"))
			ids := seedDocuments(s, "ben", document("Un", "CPT_REND", []byte("un")))
			Expect(c.api.Act(ctx, s.space.ID, "ben", control.Act{Kind: control.ActWithholdDocument, Document: ids[0]})).To(Succeed())
			Expect(s.call(t, http.MethodGet, "/Binary/"+ids[0], nil).status).To(Equal(http.StatusForbidden))
		})

		DescribeTable("of administrative category are out of what is read", func(mode string, listed int, status int) {
			s := c.open(control.SpaceRequest{Settings: map[string]string{"document.administrative": mode}})
			t := s.pair(s.patient("cleo"))
			ids := seedDocuments(s, "cleo", document("Attestation", "DOC_ADM", []byte("x")), document("Lettre", "CPT_REND", []byte("y")))
			Expect(list(s, t).Total).To(Equal(listed))
			Expect(s.call(t, http.MethodGet, "/Binary/"+ids[0], nil).status).To(Equal(status))
			Expect(s.call(t, http.MethodGet, "/Binary/"+ids[1], nil).status).To(Equal(http.StatusOK))
		},
			Entry("listed and refused", "refused", 2, http.StatusForbidden),
			Entry("not even listed", "withheld", 1, http.StatusForbidden),
			Entry("or open, where the setting says so", "open", 2, http.StatusOK),
		)

		It("that are hidden from the patient are kept from a service shown to the patient", func() {
			s := c.open(control.SpaceRequest{})
			t := s.pair(s.patient("dora"))
			hidden, masked := document("Caché", "BIOLOGIE", []byte("h")), document("Masqué", "BIOLOGIE", []byte("m"))
			const system = "urn:oid:1.2.250.1.213.1.1.4.13"
			hidden["securityLabel"] = []any{coded(system, "INVISIBLE_PATIENT")}
			masked["securityLabel"] = []any{coded(system, "MASQUE_PS"), coded(system, "INVISIBLE_REPRESENTANTS_LEGAUX")}
			ids := seedDocuments(s, "dora", hidden, masked)
			Expect(list(s, t).Total).To(Equal(1))
			Expect(s.call(t, http.MethodGet, "/Binary/"+ids[0], nil).status).To(Equal(http.StatusNotFound))
			Expect(s.call(t, http.MethodGet, "/Binary/"+ids[1], nil).status).To(Equal(http.StatusOK))
		})

		It("that the record holds already are noted, or refused where the setting says so", func() {
			for mode, want := range map[string]int{"note": http.StatusCreated, "refuse": http.StatusConflict} {
				s := c.open(control.SpaceRequest{Settings: map[string]string{"document.duplicate": mode}})
				t := s.pair(s.patient("eli"))
				// The first was put there by a professional.
				ids := seedDocuments(s, "eli", document("Du médecin", "CPT_REND", []byte("le même")))
				r := s.call(t, http.MethodPost, "/DocumentReference", documentOf(t, document("Du service", "CPT_REND", []byte("le même"))))
				Expect(r.status).To(Equal(want), "%s: %s", mode, r.body)
				Expect(s.call(t, http.MethodPost, "/DocumentReference", documentOf(t, document("Un autre", "CPT_REND", []byte("un autre")))).status).To(Equal(http.StatusCreated))
				feeds := onRoute(s.journal(), record.RouteFeedDocument)
				Expect(feeds[0].Exchange.Facts.Call.Documents[0].SameAs).To(Equal(ids[0]))
				Expect(feeds[0].Exchange.Facts.Issues).To(ContainElement(HaveField("Rule", "document.duplicate")))
				Expect(feeds[1].Exchange.Facts.Call.Documents[0].SameAs).To(BeEmpty())
			}
		})

		It("are the same by their identifier too", func() {
			s := c.open(control.SpaceRequest{})
			t := s.pair(s.patient("fay"))
			for i, content := range []string{"version 1", "version 2"} {
				d := document("Lettre", "CPT_REND", []byte(content))
				d["masterIdentifier"] = object{"system": "urn:ietf:rfc:3986", "value": "urn:oid:2.25.1"}
				Expect(s.call(t, http.MethodPost, "/DocumentReference", documentOf(t, d)).status).To(Equal(http.StatusCreated))
				Expect(onRoute(s.journal(), record.RouteFeedDocument)[i].Exchange.Facts.Call.Documents[0].SameAs != "").To(Equal(i == 1))
			}
		})

		It("close to the service while its access is cut, measures staying open", func() {
			s := c.open(control.SpaceRequest{})
			t := s.pair(s.patient("gus"))
			ids := seedDocuments(s, "gus", document("Un", "CPT_REND", []byte("un")))
			Expect(c.api.Act(ctx, s.space.ID, "gus", control.Act{Kind: control.ActCutAccess})).To(Succeed())
			Expect(s.call(t, http.MethodGet, "/Binary/"+ids[0], nil).status).To(Equal(http.StatusForbidden))
			Expect(s.call(t, http.MethodPost, "/DocumentReference", documentOf(t, document("Deux", "CPT_REND", []byte("deux")))).status).To(Equal(http.StatusForbidden))
			Expect(s.call(t, http.MethodPost, "", feed(t, nominals()[0].observation(morning))).status).To(Equal(http.StatusOK))
			Expect(c.api.Act(ctx, s.space.ID, "gus", control.Act{Kind: control.ActRestoreAccess})).To(Succeed())
			Expect(s.call(t, http.MethodGet, "/Binary/"+ids[0], nil).status).To(Equal(http.StatusOK))
		})

		DescribeTable("are not read by a service outside the pilot phase, which may write", func(settings map[string]string, act string) {
			s := c.open(control.SpaceRequest{Settings: settings})
			t := s.pair(s.patient("hal"))
			if act != "" {
				Expect(c.api.Act(ctx, s.space.ID, "hal", control.Act{Kind: act})).To(Succeed())
			}
			ids := seedDocuments(s, "hal", document("Un", "CPT_REND", []byte("un")))
			Expect(s.call(t, http.MethodGet, "/Binary/"+ids[0], nil).status).To(Equal(http.StatusForbidden))
			Expect(s.call(t, http.MethodPost, "/DocumentReference", documentOf(t, document("Deux", "CPT_REND", []byte("deux")))).status).To(Equal(http.StatusCreated))
			Expect(onRoute(s.journal(), record.RouteReadDocument)[0].Exchange.Facts.Issues).To(ConsistOf(And(HaveField("Rule", "call.phase"), HaveField("Setting", "document.reading"))))
		},
			Entry("in the whole space", map[string]string{"document.reading": "closed"}, ""),
			Entry("for one patient", nil, control.ActCloseReading),
		)

		It("of 5,000,000 bytes pass, one byte more is refused, and both are known by their digest", func() {
			s := c.open(control.SpaceRequest{})
			t := s.pair(s.patient("ida"))
			content := []byte(strings.Repeat("0123456789", 500_000))
			fed := s.call(t, http.MethodPost, "/DocumentReference", documentOf(t, document("Grand", "AUTR_DOC", content)))
			Expect(fed.status).To(Equal(http.StatusCreated), "%s", fed.body)
			Expect(s.call(t, http.MethodPost, "/DocumentReference", documentOf(t, document("Trop grand", "AUTR_DOC", append(content, 'x')))).status).To(Equal(http.StatusUnprocessableEntity))
			id := fed.header.Get("Location")[strings.LastIndexByte(fed.header.Get("Location"), '/')+1:]
			got := s.call(t, http.MethodGet, "/Binary/"+id, nil)
			Expect(bytes.Equal(got.body, content)).To(BeTrue())
			sum := sha256.Sum256(content)
			records := s.journal()
			for _, r := range append(onRoute(records, record.RouteFeedDocument)[:1], onRoute(records, record.RouteReadDocument)...) {
				d := r.Exchange.Facts.Call.Documents[0]
				Expect(d.Digest).To(Equal(hex.EncodeToString(sum[:])))
				Expect(d.Size).To(Equal(len(content)))
				raw, err := json.Marshal(r)
				Expect(err).NotTo(HaveOccurred())
				Expect(len(raw)).To(BeNumerically("<", 16<<10), "the journal holds no large content")
			}
		})

		It("of an unknown category are seeded only where that is said", func() {
			s := c.open(control.SpaceRequest{})
			t := s.pair(s.patient("jan"))
			odd := json.RawMessage(bytesOf(document("Plan", "PLAN_SOIN", []byte("plan"))))
			_, err := c.api.Seed(ctx, s.space.ID, "jan", control.Seed{Documents: []json.RawMessage{odd}})
			Expect(err).To(MatchError(ContainSubstring("document.category")))
			_, err = c.api.Seed(ctx, s.space.ID, "jan", control.Seed{Documents: []json.RawMessage{odd}, Tolerate: []string{"document.category"}})
			Expect(err).NotTo(HaveOccurred())
			Expect(list(s, t).Total).To(Equal(1))
		})
	})
}
