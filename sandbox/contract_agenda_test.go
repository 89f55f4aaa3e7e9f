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
	"github.com/etalon-sante/etalon/sandbox/record"
)

const (
	agendaKinds   = "https://fhir.monespacesante.fr/ref/agenda/CodeSystem/type-element-agenda"
	agendaAuthors = "https://fhir.monespacesante.fr/ref/agenda/CodeSystem/type-auteur"
	agendaNumbers = "urn:oid:1.2.250.1.999.7"
)

// visit is an appointment to send, without the patient.
func visit(number, start string) object {
	return object{
		"resourceType": "Appointment", "status": "booked",
		"identifier":      []any{object{"system": agendaNumbers, "value": number}},
		"appointmentType": coded(agendaKinds, "RENDEZ_VOUS"),
		"start":           start,
		"end":             start,
		"comment":         "Venir à jeun, s’il vous plaît.",
		"participant":     []any{object{"actor": object{"type": "Practitioner", "display": "Dr Zoé Naïm-Lévêque"}, "status": "accepted"}},
	}
}

// visitOf adds the patient whom tokens are for.
func visitOf(t tokens, o object) []byte {
	c := claims(t.ID)
	out := object{}
	for k, v := range o {
		out[k] = v
	}
	out["participant"] = append([]any{object{
		"actor":  object{"type": "Patient", "identifier": object{"system": c["assignAuth"], "value": c["idPe"]}},
		"status": "accepted",
	}}, o["participant"].([]any)...)
	return bytesOf(out)
}

func (s *service) agenda(t tokens, q url.Values) reply {
	c := claims(t.ID)
	all := url.Values{"patient:identifier": {fmt.Sprint(c["assignAuth"], "|", c["idPe"])}}
	for k, v := range q {
		all[k] = v
	}
	return s.call(t, http.MethodGet, "/Appointment?"+all.Encode(), nil)
}

func byNumber(number string) string {
	return "/Appointment?" + url.Values{"identifier": {agendaNumbers + "|" + number}}.Encode()
}

func resourceOf(r reply) object {
	GinkgoHelper()
	var o object
	Expect(json.Unmarshal(r.body, &o)).To(Succeed(), "%s", r.body)
	return o
}

// ruleOf is the rule that the last exchange of a route broke.
func (s *service) ruleOf(route record.Route) string {
	GinkgoHelper()
	all := onRoute(s.journal(), route)
	Expect(all).NotTo(BeEmpty())
	last := all[len(all)-1].Exchange.Facts.Issues
	if len(last) == 0 {
		return ""
	}
	return last[0].Rule
}

// agenda are the specs of the agenda: what no published text says, and the
// settings assume.
func (c *contract) agenda() {
	ctx := context.Background()
	const morning = "2026-12-01T09:00:00+01:00"
	Describe("agenda", func() {
		It("creates, updates by identifier and by id, cancels, and never deletes", func() {
			s := c.open(control.SpaceRequest{})
			t := s.pair(s.patient("agnes"))
			r := s.call(t, http.MethodPost, "/Appointment", visitOf(t, visit("1", morning)))
			Expect(r.status).To(Equal(http.StatusCreated), "%s", r.body)
			Expect(r.header.Get("ETag")).To(Equal(`W/"1"`))
			made := resourceOf(r)
			id := made["id"].(string)
			Expect(r.header.Get("Location")).To(Equal(s.space.Endpoints.FHIR + "/Appointment/" + id))
			Expect(made["meta"]).To(HaveKeyWithValue("tag", ConsistOf(object{"system": agendaAuthors, "code": "EDITOR_SOLUTION"})))

			moved := visit("1", "2026-12-02T09:00:00+01:00")
			r = s.call(t, http.MethodPut, byNumber("1"), visitOf(t, moved))
			Expect(r.status).To(Equal(http.StatusOK), "%s", r.body)
			Expect(resourceOf(r)).To(And(HaveKeyWithValue("id", id), HaveKeyWithValue("start", moved["start"])))

			moved["id"], moved["status"] = id, "cancelled"
			r = s.call(t, http.MethodPut, "/Appointment/"+id, visitOf(t, moved))
			Expect(r.status).To(Equal(http.StatusOK), "%s", r.body)
			Expect(r.header.Get("ETag")).To(Equal(`W/"3"`))
			Expect(resourceOf(s.call(t, http.MethodGet, "/Appointment/"+id, nil))).To(HaveKeyWithValue("status", "cancelled"))

			r = s.call(t, http.MethodDelete, "/Appointment/"+id, nil)
			Expect(r.status).To(Equal(http.StatusMethodNotAllowed))
			Expect(r.header.Get("Allow")).To(Equal("GET, PUT"))
			state, err := c.api.PatientState(ctx, s.space.ID, "agnes")
			Expect(err).NotTo(HaveOccurred())
			Expect(state.Agenda).To(Equal(1))
		})

		It("keeps one item of an identifier", func() {
			s := c.open(control.SpaceRequest{})
			t := s.pair(s.patient("basile"))
			post := func(header string) reply {
				req := s.business(t, http.MethodPost, "/Appointment", visitOf(t, visit("1", morning)))
				if header != "" {
					req.Header.Set("If-None-Exist", header)
				}
				return send(s.http, req)
			}
			Expect(post("").status).To(Equal(http.StatusCreated))
			Expect(post("").status).To(Equal(http.StatusConflict))
			Expect(s.ruleOf(record.RouteSendAppointment)).To(Equal("appointment.duplicate"))
			Expect(post("identifier=" + agendaNumbers + "|1").status).To(Equal(http.StatusOK))
			Expect(s.call(t, http.MethodPut, byNumber("2"), visitOf(t, visit("2", morning))).status).To(Equal(http.StatusCreated), "what nothing matches is created")
			Expect(bundleOf(s.agenda(t, nil)).Total).To(Equal(2))

			loose := s.pair(s.patient("barnabe", func(r *control.PatientRequest) { r.Record = "tolerant" }))
			for range 2 {
				Expect(s.call(loose, http.MethodPost, "/Appointment", visitOf(loose, visit("1", morning))).status).To(Equal(http.StatusCreated))
			}
			Expect(s.call(loose, http.MethodPut, byNumber("1"), visitOf(loose, visit("1", morning))).status).To(Equal(http.StatusPreconditionFailed))
		})

		It("refuses updates of what is unknown, has changed, or is not the service's own", func() {
			s := c.open(control.SpaceRequest{})
			t := s.pair(s.patient("colin"))
			id := resourceOf(s.call(t, http.MethodPost, "/Appointment", visitOf(t, visit("1", morning))))["id"].(string)
			whole := visit("1", morning)
			whole["id"] = id
			req := s.business(t, http.MethodPut, "/Appointment/"+id, visitOf(t, whole))
			req.Header.Set("If-Match", `W/"7"`)
			Expect(send(s.http, req).status).To(Equal(http.StatusPreconditionFailed))

			whole["id"] = "unknown"
			Expect(s.call(t, http.MethodPut, "/Appointment/unknown", visitOf(t, whole)).status).To(Equal(http.StatusNotFound))
			Expect(s.call(t, http.MethodPut, "/Appointment/"+id, visitOf(t, whole)).status).To(Equal(http.StatusBadRequest), "the id of the body is another")
			Expect(s.call(t, http.MethodPut, "/Appointment", visitOf(t, whole)).status).To(Equal(http.StatusBadRequest), "there is no target")

			note := visit("9", morning)
			note["meta"] = object{"tag": []any{object{"system": agendaAuthors, "code": "PATIENT"}}}
			out, err := c.api.Seed(ctx, s.space.ID, "colin", control.Seed{Appointments: []json.RawMessage{bytesOf(note)}})
			Expect(err).NotTo(HaveOccurred())
			own := visit("9", morning)
			own["id"] = out.Appointments[0]
			Expect(s.call(t, http.MethodPut, "/Appointment/"+out.Appointments[0], visitOf(t, own)).status).To(Equal(http.StatusForbidden))
			Expect(s.ruleOf(record.RouteUpdateAppointment)).To(Equal("appointment.foreign"))

			other := s.pair(s.patient("coralie"))
			whole["id"] = id
			Expect(s.call(other, http.MethodPut, "/Appointment/"+id, visitOf(other, whole)).status).To(Equal(http.StatusForbidden), "the item of another patient")
			Expect(s.call(other, http.MethodGet, "/Appointment/"+id, nil).status).To(Equal(http.StatusForbidden))
			Expect(s.call(t, http.MethodGet, "/Appointment/none", nil).status).To(Equal(http.StatusNotFound))
		})

		It("asks for the consent to each of the two directions", func() {
			s := c.open(control.SpaceRequest{})
			t := s.pair(s.patient("diane"), "AGENDA_LECTURE")
			Expect(s.call(t, http.MethodPost, "/Appointment", visitOf(t, visit("1", morning))).status).To(Equal(http.StatusForbidden))
			Expect(s.agenda(t, nil).status).To(Equal(http.StatusOK))
			Expect(c.api.Act(ctx, s.space.ID, "diane", control.Act{Kind: control.ActWithdraw, Finalite: "AGENDA_LECTURE"})).To(Succeed())
			Expect(s.agenda(t, nil).status).To(Equal(http.StatusForbidden))
			facts := onRoute(s.journal(), record.RouteSearchAppointments)[1].Exchange.Facts.Call
			Expect(facts.Finalite).To(Equal("AGENDA_LECTURE"))
			Expect(facts.Consented).To(BeFalse())
		})

		It("finds by period, status and identifier, the earliest first, by pages", func() {
			s := c.open(control.SpaceRequest{})
			t := s.pair(s.patient("edgar"))
			var seed control.Seed
			for i := range 60 {
				o := visit(fmt.Sprint(i), fmt.Sprintf("2026-11-%02dT%02d:00:00+01:00", 30-i/10, 8+i%10))
				o["meta"] = object{"tag": []any{object{"system": agendaAuthors, "code": "PROFESSIONAL"}}}
				if i == 0 {
					o["status"] = "cancelled"
				}
				seed.Appointments = append(seed.Appointments, bytesOf(o))
			}
			_, err := c.api.Seed(ctx, s.space.ID, "edgar", seed)
			Expect(err).NotTo(HaveOccurred())
			first := bundleOf(s.agenda(t, nil))
			Expect(first.Total).To(Equal(60))
			Expect(first.Entry).To(HaveLen(50))
			Expect(first.Entry[0].Resource["start"]).To(Equal("2026-11-25T08:00:00+01:00"))
			second := bundleOf(s.call(t, http.MethodGet, first.link("next")[len(s.space.Endpoints.FHIR):], nil))
			Expect(second.Entry).To(HaveLen(10))
			Expect(second.link("next")).To(BeEmpty())
			Expect(bundleOf(s.agenda(t, url.Values{"date": {"ge2026-11-30", "lt2026-12-01"}})).Total).To(Equal(10))
			Expect(bundleOf(s.agenda(t, url.Values{"status": {"cancelled,noshow"}})).Total).To(Equal(1))
			Expect(bundleOf(s.agenda(t, url.Values{"identifier": {agendaNumbers + "|7"}})).Total).To(Equal(1))
			for name, value := range map[string]string{"status": "confirmed", "date": "2026", "_count": "1000", "identifier": "7"} {
				Expect(s.agenda(t, url.Values{name: {value}}).status).To(Equal(http.StatusBadRequest), "%s", name)
			}
		})

		It("refuses to be seeded with an item that names no author, or breaks a rule", func() {
			s := c.open(control.SpaceRequest{})
			s.patient("flora")
			_, err := c.api.Seed(ctx, s.space.ID, "flora", control.Seed{Appointments: []json.RawMessage{bytesOf(visit("1", morning))}})
			Expect(err).To(MatchError(ContainSubstring("appointments[0] names no author")))
			bad := visit("1", "mardi")
			_, err = c.api.Seed(ctx, s.space.ID, "flora", control.Seed{Appointments: []json.RawMessage{bytesOf(bad)}})
			Expect(err).To(MatchError(ContainSubstring("appointments[0] would break the rule appointment.start")))
		})
	})
}
