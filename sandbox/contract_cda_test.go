package sandbox_test

import (
	"net/http"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/etalon-sante/etalon/fixtures/data"
	"github.com/etalon-sante/etalon/fixtures/people"
	"github.com/etalon-sante/etalon/sandbox/control"
	"github.com/etalon-sante/etalon/sandbox/record"
)

// clinical writes a clinical document about a person.
func clinical(p control.Person, change func(*data.Clinical)) string {
	GinkgoHelper()
	d := data.N1(1, "r", people.Patient(1, 1), time.Date(2026, 11, 22, 8, 30, 0, 0, time.UTC))
	d.Patient = data.Traits{INS: p.INS, INSOID: p.INSOID, FamilyName: p.FamilyName, GivenNames: []string{p.GivenName}, BirthDate: p.BirthDate, Sex: p.Sex, BirthPlace: "51215"}
	c := data.NewClinical(d, "1.2.3.4.1", "1.2.3.4", "999999998", "Carnet")
	if change != nil {
		change(&c)
	}
	b, err := c.Render()
	Expect(err).NotTo(HaveOccurred())
	return string(b)
}

// clinicals are the specs of clinical documents (HL7 CDA R2).
func (c *contract) clinicals() {
	feed := func(s *service, t tokens, media, content string) reply {
		d := document("Compte rendu", "CPT_REND", []byte(content))
		d["content"].([]any)[0].(object)["attachment"].(object)["contentType"] = media
		return s.call(t, http.MethodPost, "/DocumentReference", documentOf(t, d))
	}
	of := func(s *service, i int) *record.Facts {
		return onRoute(s.journal(), record.RouteFeedDocument)[i].Exchange.Facts
	}
	rules := func(f *record.Facts) []string {
		out := []string{}
		for _, i := range f.Issues {
			if strings.HasPrefix(i.Rule, "cda.") {
				out = append(out, i.Rule)
			}
		}
		return out
	}
	Describe("clinical documents", func() {
		It("takes a right one, says what it is, and knows it when a later version names it", func() {
			s := c.open(control.SpaceRequest{})
			t := s.pair(s.patient("zoe"))
			p := person(len("zoe"))
			Expect(feed(s, t, "text/xml", clinical(p, nil)).status).To(Equal(http.StatusCreated))
			Expect(feed(s, t, "application/xml", clinical(p, func(d *data.Clinical) {
				d.ID = "1.2.3.4.2"
				d.Succeeds("1.2.3.4.1", 1)
			})).status).To(Equal(http.StatusCreated))
			Expect(rules(of(s, 0))).To(BeEmpty())
			Expect(rules(of(s, 1))).To(BeEmpty())
			Expect(*of(s, 0).CDA).To(beTheDocument(p))
			Expect(of(s, 1).CDA.Replaces).To(Equal("1.2.3.4.1"))
			Expect(of(s, 1).CDA.Version).To(Equal(2))
		})

		It("notes what is wrong and refuses nothing for it, in a strict record too", func() {
			s := c.open(control.SpaceRequest{})
			t := s.pair(s.patient("yann"))
			p := person(len("yann"))
			wrong := []string{
				clinical(p, func(d *data.Clinical) { d.Realm = "BE" }),
				clinical(p, func(d *data.Clinical) { d.Patient.BirthDate = "1960-01-01" }),
				clinical(p, func(d *data.Clinical) { d.Succeeds("1.2.3.9", 1) }),
				strings.Replace(clinical(p, nil), "<title>", "<title>&", 1),
				"<html/>",
			}
			for _, w := range wrong {
				Expect(feed(s, t, "text/xml", w).status).To(Equal(http.StatusCreated))
			}
			for i, rule := range []string{"cda.realm", "cda.patient-other", "cda.replaced-known", "cda.xml", "cda.root"} {
				Expect(rules(of(s, i))).To(Equal([]string{rule}))
				Expect(of(s, i).CDA.Readable).To(Equal(i < 3))
			}
		})

		It("judges one that is sent under another type, and says that the type is not one of theirs", func() {
			s := c.open(control.SpaceRequest{})
			t := s.pair(s.patient("xena"))
			Expect(feed(s, t, "text/plain", clinical(person(len("xena")), nil)).status).To(Equal(http.StatusCreated))
			Expect(rules(of(s, 0))).To(Equal([]string{"cda.media"}))
			Expect(of(s, 0).Issues[0].Setting).To(Equal("document.cda-formats"))
			Expect(of(s, 0).CDA.Kind).To(Equal("N1"))
			Expect(feed(s, t, "text/plain", "of a ClinicalDocument we only speak").status).To(Equal(http.StatusCreated))
			Expect(of(s, 1).CDA).To(BeNil())
		})

		It("refuses one that names a real person, however tolerant the record, and does not write it down", func() {
			s := c.open(control.SpaceRequest{})
			t := s.pair(s.patient("will", func(r *control.PatientRequest) { r.Record = "tolerant" }))
			p := person(len("will"))
			p.INSOID = "1.2.250.1.213.1.4.8"
			r := feed(s, t, "text/xml", clinical(p, nil))
			Expect(r.status).To(Equal(http.StatusUnprocessableEntity))
			Expect(string(r.body)).NotTo(ContainSubstring(p.INS))
			rec := onRoute(s.journal(), record.RouteFeedDocument)[0].Exchange
			Expect(rec.Request.Body.Text).To(BeEmpty())
			Expect(rec.Request.Body.Size).To(BeNumerically(">", 1000))
			Expect(rules(rec.Facts)).To(Equal([]string{"cda.ins-production"}))
			Expect(rec.Facts.CDA.Withheld).To(BeTrue())
			Expect(rec.Facts.CDA.Patient).To(BeEmpty())
			Expect(rec.Facts.Call.Stored).To(BeFalse())
		})
	})
}

// beTheDocument is met by the facts of the document that clinical writes.
func beTheDocument(p control.Person) OmegaMatcher {
	return SatisfyAll(
		HaveField("Readable", true), HaveField("Kind", "N1"), HaveField("ID", "1.2.3.4.1"), HaveField("SetID", "1.2.3.4"), HaveField("Version", 1),
		HaveField("Patient", []string{p.INSOID + "^" + p.INS}), HaveField("FileBytes", BeNumerically(">", 100)), HaveField("FileSHA256", HaveLen(64)),
		HaveField("Unchecked", HaveLen(4)),
	)
}
