package interop

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"

	"github.com/etalon-sante/etalon/fixtures/data"
	"github.com/etalon-sante/etalon/sandbox/record"
	"github.com/etalon-sante/etalon/suites/candidate"
	. "github.com/etalon-sante/etalon/suites/lab"
)

// agendaWrites are the messages that write into the agenda.
func agendaWrites(t Trace) Trace {
	return t.Requests(record.RouteSendAppointment, record.RouteUpdateAppointment)
}

// during says whether an exchange took place while an action was in progress.
func during(r, action record.Record) bool {
	end := action.At.Add(millis(action.Pilot.Millis))
	return !r.At.Before(action.At) && !r.At.After(end)
}

func entered(r record.Record) bool {
	return succeeded(r) && r.Exchange.Facts != nil && r.Exchange.Facts.Call != nil && r.Exchange.Facts.Call.Stored
}

// keptDuring is met when something was written into the agenda while an action
// was in progress.
func keptDuring(t Trace) Finder {
	return Satisfy("be seen in the agenda", func(r record.Record) *Finding {
		during := agendaWrites(t.During(r))
		if !during.Where(entered).Empty() {
			return nil
		}
		f := At(r, "nothing-seen", Text{
			FR: "le bac à sable n'a rien vu entrer dans l'agenda pendant cette action", EN: "the sandbox saw nothing enter the agenda during this action",
		}).Was("2xx", "—")
		if !during.Empty() {
			last := during.Last()
			f = At(last, f.Key, f.Message).Was("2xx", fmt.Sprint(last.Exchange.Response.Status)).In("status")
		}
		return &f
	})
}

// askedItem is the item that an action was asked to send.
func askedItem(r record.Record) (data.Appointment, bool) {
	var p struct {
		Appointment *data.Appointment `json:"appointment"`
	}
	if json.Unmarshal(r.Pilot.Payload, &p) != nil || p.Appointment == nil {
		return data.Appointment{}, false
	}
	return *p.Appointment, true
}

// sentAs joins each item that was asked for with the messages in which it left.
func sentAs(t Trace, name string, ok func(want data.Appointment, r record.Record, sent any) *Finding) Finder {
	return overTrace{name, func(actions Trace) []Finding {
		var out []Finding
		for _, action := range actions.Records {
			want, is := askedItem(action)
			if !is {
				continue
			}
			for _, r := range agendaWrites(t.During(action)).Where(succeeded).Records {
				if f := ok(want, r, sent(r)); f != nil {
					out = append(out, *f)
				}
			}
		}
		return out
	}}
}

// sends are the actions of a scenario by which something was written.
func sends(s *Scenario) Trace {
	t := s.Trace()
	return t.Actions(candidate.SendAppointment).Where(func(r record.Record) bool { return !agendaWrites(t.During(r)).Where(succeeded).Empty() })
}

// sameHour compares a member of a message with what was asked. What cannot be
// read as an instant is the business of another check.
func sameHour(r record.Record, sent any, member, want string) *Finding {
	got, _ := at(sent, member).(string)
	a, err := time.Parse(time.RFC3339, got)
	b, wrong := time.Parse(time.RFC3339, want)
	if err != nil || wrong != nil || a.Equal(b) {
		return nil
	}
	return At(r, "appointment-hour", Text{
		FR: "l'heure envoyée n'est pas celle du rendez-vous", EN: "the hour that was sent is not that of the appointment",
	}).Was(want, got).In("/" + member).Ptr()
}

// identifiers are those of an item, as "system|value".
func identifiers(sent any) []string {
	list, _ := at(sent, "identifier").([]any)
	var out []string
	for _, x := range list {
		system, _ := at(x, "system").(string)
		value, _ := at(x, "value").(string)
		if value != "" {
			out = append(out, system+"|"+value)
		}
	}
	return out
}

func kindCode(sent any) string {
	list, _ := at(sent, "appointmentType", "coding").([]any)
	for _, x := range list {
		if code, ok := at(x, "code").(string); ok {
			return code
		}
	}
	return "—"
}

// codeOfKind is what setting agenda.kinds assumes; that it is one of the list at
// all is another check.
func codeOfKind(kind string) string {
	return map[string]string{"appointment": "RENDEZ_VOUS", "hospital-stay": "SEJOUR_HOSPITALIER", "reminder": "RAPPEL"}[kind]
}

// between are the records from one note of the scenario to the next; an empty
// name is its beginning or end.
func between(s *Scenario, from, to string) Trace {
	t := s.Trace()
	if from != "" {
		m, ok := t.Marked(from)
		if !ok {
			return t.Marks("none")
		}
		t = t.After(m)
	}
	if to != "" {
		if m, ok := t.Marked(to); ok {
			t = t.Before(m)
		}
	}
	return t
}

func agendaSent(a agendaScenarios) {
	// What is written under a fault or a refusal is judged elsewhere.
	written := func() Trace { return agendaWrites(Together(a.life, a.hours)).Occasion() }
	issues := func(check, what string, rules ...string) {
		It(what, Check(check), Reads(a.life, a.hours), func() { Expect(written()).NotTo(HaveIssue(rules...)) })
	}
	first := func() Trace { return between(a.life, "", "again") }
	created := func() Trace { return agendaWrites(first()).Where(entered) }
	updates := func() Trace { return a.life.Trace().Actions(candidate.UpdateAppointment) }

	Describe("Writing into the agenda", func() {
		It("sends an appointment as it claims", Check("INT-130.1"), Reads(a.life), Claims(candidate.SendAppointment), func() {
			t := first().Actions(candidate.SendAppointment).Occasion()
			Expect(t).To(answerDone())
			Expect(t).To(keptDuring(a.life.Trace()))
		})
		It("changes an appointment as it claims", Check("INT-131.1"), Reads(a.life), Claims(candidate.UpdateAppointment), func() {
			t := updates().Occasion()
			Expect(t).To(answerDone())
			Expect(t).To(keptDuring(a.life.Trace()))
		})
		It("cancels by a status, and deletes nothing", Check("INT-133.1"), Reads(a.life), func() {
			t := between(a.life, "cancel", "")
			t.Actions(candidate.UpdateAppointment).Occasion()
			calls := t.Requests(record.RouteSendAppointment, record.RouteUpdateAppointment, record.RouteUnknown).Where(func(r record.Record) bool {
				return r.Exchange.Route != record.RouteUnknown || r.Exchange.Request.Method == http.MethodDelete
			})
			Expect(calls.Occasion()).To(Satisfy("be a status", func(r record.Record) *Finding {
				if r.Exchange.Request.Method == http.MethodDelete {
					return At(r, "appointment-deleted", Text{
						FR: "le rendez-vous annulé est supprimé, au lieu de prendre le statut « cancelled »", EN: "the cancelled appointment is deleted instead of taking the status \"cancelled\"",
					}).Was("PUT", http.MethodDelete).In("method").Ptr()
				}
				if got := at(sent(r), "status"); got != "cancelled" {
					return At(r, "not-cancelled", Text{
						FR: "le rendez-vous annulé part avec un autre statut", EN: "the cancelled appointment leaves with another status",
					}).Was("cancelled", fmt.Sprint(got)).In("/status").Ptr()
				}
				return nil
			}))
		})
		issues("INT-134.1", "writes an Appointment of FHIR R4", "appointment.json", "appointment.participant", "appointment.size")
		issues("INT-134.2", "gives one of the ten statuses", "appointment.status")
		issues("INT-134.3", "names whom the appointment is with", "appointment.provider")
		It("gives no other solution as the source", Check("INT-134.4"), Reads(a.life, a.hours), func() {
			t := agendaWrites(Together(a.life, a.hours)).Where(func(r record.Record) bool {
				_, ok := at(sent(r), "meta", "source").(string)
				return ok
			}).Occasion()
			Expect(t).NotTo(HaveIssue("appointment.source"))
		})
		issues("INT-135.1", "names the patient as the pairing does", "appointment.subject")
		issues("INT-136.1", "writes instants with their offset", "appointment.start", "appointment.end")
		It("keeps the hour of each appointment", Check("INT-136.2"), Reads(a.hours), func() {
			Expect(sends(a.hours).Occasion()).To(sentAs(a.hours.Trace(), "same hour", func(want data.Appointment, r record.Record, sent any) *Finding {
				if f := sameHour(r, sent, "start", want.Start); f != nil {
					return f
				}
				return sameHour(r, sent, "end", want.End)
			}))
		})
		issues("INT-137.1", "says of each item what kind it is of", "appointment.kind")
		It("tells appointments, hospital stays and reminders apart", Check("INT-137.2"), Reads(a.hours), func() {
			Expect(sends(a.hours).Occasion()).To(sentAs(a.hours.Trace(), "same kind", func(want data.Appointment, r record.Record, sent any) *Finding {
				got, known := kindCode(sent), false
				for _, kind := range []string{"appointment", "hospital-stay", "reminder"} {
					known = known || codeOfKind(kind) == got
				}
				if !known || got == codeOfKind(want.Kind) {
					return nil
				}
				return At(r, "other-kind", Text{FR: "l'élément part comme étant d'une autre sorte", EN: "the item leaves as one of another kind"}).
					Was(codeOfKind(want.Kind), got).In("/appointmentType").Ptr()
			}))
		})
		It("invents no end for a reminder", Check("INT-137.3"), Reads(a.hours), func() {
			endless := sends(a.hours).Where(func(r record.Record) bool { w, _ := askedItem(r); return w.End == "" }).Occasion()
			Expect(endless).To(sentAs(a.hours.Trace(), "no end", func(_ data.Appointment, r record.Record, sent any) *Finding {
				// FHIR R4 wants an end beside each start: here they are the same.
				end := at(sent, "end")
				if end == nil || end == at(sent, "start") {
					return nil
				}
				return At(r, "end-invented", Text{FR: "une fin est donnée à un rappel qui n'en a pas", EN: "an end is given to a reminder that has none"}).
					Was(fmt.Sprint(at(sent, "start")), fmt.Sprint(end)).In("/end").Ptr()
			}))
		})
		It("keeps comments and names whole", Check("INT-138.1"), Reads(a.life, a.hours), func() {
			for _, s := range []*Scenario{a.life, a.hours} {
				if sends(s).Empty() {
					continue
				}
				Expect(sends(s).Occasion()).To(sentAs(s.Trace(), "same text", func(want data.Appointment, r record.Record, sent any) *Finding {
					if got, _ := at(sent, "comment").(string); got != want.Comment {
						return At(r, "comment-changed", Text{FR: "le commentaire envoyé n'est pas celui du rendez-vous", EN: "the comment that was sent is not that of the appointment"}).
							Was(want.Comment, got).In("/comment").Ptr()
					}
					if body := r.Exchange.Request.Body; want.With != nil && !named(sent, want.With.Name) {
						return At(r, "name-changed", Text{FR: "le nom du professionnel ou de l'établissement est changé ou manque", EN: "the name of the professional or establishment is changed or missing"}).
							Was(want.With.Name, fmt.Sprintf("%d octets", body.Size)).In("/participant").Ptr()
					}
					return nil
				}))
			}
			sends(a.life).Occasion()
		})
		It("sends no comment that is too long", Check("INT-138.2"), Reads(a.hours), func() {
			t := a.hours.Trace()
			Occasion(t.Actions(candidate.SendAppointment).Where(func(r record.Record) bool {
				w, _ := askedItem(r)
				return len([]rune(w.Comment)) > agendaComment
			}), agendaWrites(t).Where(succeeded))
			Expect(agendaWrites(t)).NotTo(HaveIssue("appointment.comment"))
		})
		It("does not create the same appointment twice", Check("INT-139.1"), Reads(a.life), func() {
			Occasion(created(), between(a.life, "again", "other").Actions(candidate.SendAppointment))
			t := between(a.life, "again", "other").Requests(record.RouteSendAppointment).Where(entered)
			Expect(t).To(BeEmpty("appointment-twice", Text{
				FR: "le rendez-vous envoyé une seconde fois en crée un second dans l'agenda", EN: "the appointment that is sent a second time makes a second one in the agenda",
			}))
		})
		It("gives each appointment an identifier of its own", Check("INT-139.2"), Reads(a.life), func() {
			other := agendaWrites(between(a.life, "other", "move")).Where(entered)
			Occasion(created(), other)
			taken := map[string]bool{}
			for _, id := range identifiers(sent(created().First())) {
				taken[id] = true
			}
			Expect(other).To(Satisfy("another identifier", func(r record.Record) *Finding {
				for _, id := range identifiers(sent(r)) {
					if taken[id] {
						return At(r, "identifier-shared", Text{FR: "deux rendez-vous portent le même identifiant", EN: "two appointments bear the same identifier"}).
							Was("—", id).In("/identifier").Ptr()
					}
				}
				return nil
			}))
		})
		issues("INT-139.3", "gives an identifier by which the item can be updated", "appointment.identifier")
		It("updates the appointment that it created", Check("INT-140.1"), Reads(a.life), func() {
			Occasion(created(), updates())
			was := created().First().Exchange.Facts.Call.ResourceID
			calls := agendaWrites(a.life.Trace()).Where(func(r record.Record) bool {
				return entered(r) && slices.ContainsFunc(updates().Records, func(action record.Record) bool { return during(r, action) })
			}).Occasion()
			Expect(calls).NotTo(HaveIssue("appointment.target"))
			Expect(calls).To(Satisfy("the same item", func(r record.Record) *Finding {
				if r.Exchange.Facts.Call.ResourceID == was {
					return nil
				}
				return At(r, "other-item", Text{
					FR: "la modification crée ou change un autre élément que le rendez-vous envoyé", EN: "the change makes or alters another item than the appointment that was sent",
				}).Was(was, r.Exchange.Facts.Call.ResourceID).Ptr()
			}))
		})
		It("leaves the rest of the appointment as it was", Check("INT-140.2"), Reads(a.life), func() {
			before := created().Occasion().First()
			moved := agendaWrites(between(a.life, "other", "cancel")).Where(func(r record.Record) bool { return entered(r) && r.Exchange.Route == record.RouteUpdateAppointment })
			last := agendaWrites(between(a.life, "cancel", "")).Where(entered)
			for _, t := range []Trace{moved, last} {
				if t.Empty() {
					continue
				}
				Expect(t.Occasion()).To(Satisfy("the rest as before", func(r record.Record) *Finding { return restChanged(sent(before), r) }))
			}
			Occasion(moved)
		})
		It("moves the appointment to the hour asked for", Check("INT-140.3"), Reads(a.life), func() {
			t := between(a.life, "move", "cancel")
			action := t.Actions(candidate.UpdateAppointment).Occasion().First()
			asked, err := decode(action.Pilot.Payload)
			if err != nil {
				return
			}
			moved := agendaWrites(t).Where(func(r record.Record) bool { return entered(r) && r.Exchange.Route == record.RouteUpdateAppointment }).Occasion()
			Expect(moved).To(Satisfy("the hour asked for", func(r record.Record) *Finding {
				for _, member := range []string{"start", "end"} {
					want, _ := at(asked, "changes", member).(string)
					if f := sameHour(r, sent(r), member, want); f != nil {
						return f
					}
				}
				return nil
			}))
		})
	})
}

// restChanged tells which member that nobody asked to change an update changes:
// a PUT replaces the whole item.
func restChanged(before any, r record.Record) *Finding {
	for _, member := range []string{"comment", "appointmentType", "identifier", "participant"} {
		was, now := at(before, member), at(sent(r), member)
		a, _ := json.Marshal(was)
		b, _ := json.Marshal(now)
		if string(a) != string(b) {
			return At(r, "rest-changed", Text{
				FR: "la mise à jour change ou perd ce que personne n'a demandé de changer", EN: "the update changes or loses what nobody asked to change",
			}).Was(string(a), string(b)).In("/" + member).Ptr()
		}
	}
	return nil
}

// named says whether a participant of a message bears a name.
func named(sent any, name string) bool {
	list, _ := at(sent, "participant").([]any)
	for _, x := range list {
		if display, _ := at(x, "actor", "display").(string); strings.Contains(display, name) {
			return true
		}
	}
	return false
}

// boundsOf are the prefixes of the dates of a search.
func boundsOf(r record.Record) (from, to bool) {
	u, err := url.Parse(r.Exchange.Request.URL)
	if err != nil {
		return false, false
	}
	for _, d := range u.Query()["date"] {
		from = from || strings.HasPrefix(d, "g")
		to = to || strings.HasPrefix(d, "l")
	}
	return from, to
}
