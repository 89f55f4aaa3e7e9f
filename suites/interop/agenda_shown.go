package interop

import (
	"fmt"
	"net/http"
	"slices"
	"time"

	. "github.com/onsi/ginkgo/v2"

	"github.com/etalon-sante/etalon/sandbox/control"
	"github.com/etalon-sante/etalon/sandbox/record"
	"github.com/etalon-sante/etalon/suites/candidate"
	. "github.com/etalon-sante/etalon/suites/lab"
)

// shownItems are the agenda items that a service shows, by its own account.
func shownItems(r record.Record) []any {
	v, err := decode(r.Pilot.Data)
	if err != nil {
		return nil
	}
	list, _ := at(v, "appointments").([]any)
	return list
}

// servedItems are the items that the sandbox gave out while an action was in
// progress.
func servedItems(t Trace, action record.Record) []any {
	var out []any
	seen := map[string]bool{}
	for _, r := range t.During(action).Requests(record.RouteSearchAppointments).Where(succeeded).Records {
		if r.Exchange.Response.Body == nil {
			continue
		}
		v, err := decode([]byte(r.Exchange.Response.Body.Text))
		if err != nil {
			continue
		}
		entries, _ := at(v, "entry").([]any)
		for _, e := range entries {
			item := at(e, "resource")
			if id := fmt.Sprint(at(item, "id")); at(item, "resourceType") == "Appointment" && !seen[id] {
				seen[id] = true
				out = append(out, item)
			}
		}
	}
	return out
}

// instantOf writes an instant in UTC, so that another offset is no difference.
func instantOf(v any) string {
	s, _ := v.(string)
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t.UTC().Format(time.RFC3339)
	}
	return s
}

// differing lists what is in one list more often than in the other, both ways.
func differing(want, got []string) (missing, extra []string) {
	left := map[string]int{}
	for _, w := range want {
		left[w]++
	}
	for _, g := range got {
		if left[g] > 0 {
			left[g]--
			continue
		}
		extra = append(extra, g)
	}
	for _, w := range want {
		if left[w] > 0 {
			left[w]--
			missing = append(missing, w)
		}
	}
	return missing, extra
}

// few bounds what a finding lists.
func few(list []string) string {
	if len(list) > 3 {
		return quote(list[:3]) + fmt.Sprintf(" … (%d)", len(list))
	}
	return quote(list)
}

// asKept tells an item from others by what is written in it.
func asKept(item any, title string) string {
	return fmt.Sprint(instantOf(at(item, "start")), " ", at(item, title), " ", at(item, "comment"))
}

func active(item any) bool { return at(item, "status") != "entered-in-error" }

// authorOf is the author of an item that was served, in the words of the pilot
// contract.
func authorOf(item any) string {
	tags, _ := at(item, "meta", "tag").([]any)
	for _, t := range tags {
		switch at(t, "code") {
		case "PATIENT":
			return "patient"
		case "EDITOR_SOLUTION":
			return "service"
		case "PROFESSIONAL":
			return "professional"
		}
	}
	return ""
}

func agendaShown(a agendaScenarios) {
	searches := func() Trace { return Together(a.read).Requests(record.RouteSearchAppointments).Occasion() }
	reads := func() Trace { return between(a.read, "", "other").Actions(candidate.ReadAppointments).Where(answered) }

	// same expects that what is shown of the items agrees with what was served,
	// by what a check looks at; the order does not matter.
	same := func(check, what, key string, message Text, member string, served, shown func(any) string) {
		It(what, Check(check), Reads(a.read), func() {
			// What a service, or the person who reports, does not tell at all is
			// not judged.
			t := reads().Where(func(r record.Record) bool {
				return len(servedItems(a.read.Trace(), r)) > 0 && slices.ContainsFunc(shownItems(r), func(item any) bool { return at(item, member) != nil })
			}).Occasion()
			Expect(t).To(Satisfy("as served", func(r record.Record) *Finding {
				var want, got []string
				for _, item := range servedItems(a.read.Trace(), r) {
					if active(item) {
						want = append(want, served(item))
					}
				}
				for _, item := range shownItems(r) {
					if at(item, "status") != "entered-in-error" {
						got = append(got, shown(item))
					}
				}
				// How many are shown, and until which page, other checks tell.
				missing, extra := differing(want, got)
				if len(extra) == 0 {
					return nil
				}
				slices.Sort(missing)
				slices.Sort(extra)
				return At(r, key, message).Was(few(missing), few(extra)).In("/data/appointments").Ptr()
			}))
		})
	}
	status := func(item any) string { return fmt.Sprint(at(item, "status")) }
	words := func(title string) func(any) string {
		return func(item any) string { return fmt.Sprint(at(item, title), " · ", at(item, "comment")) }
	}
	Describe("Reading the agenda", func() {
		It("reads a period as it claims", Check("INT-132.1"), Reads(a.read), Claims(candidate.ReadAppointments), func() {
			t := a.read.Trace().Actions(candidate.ReadAppointments).Occasion()
			Expect(t).To(answerDone())
			Expect(a.read.Trace()).To(haveSucceeded(record.RouteSearchAppointments))
		})
		It("names the patient as the pairing does", Check("INT-141.1"), Reads(a.read), func() {
			Expect(searches()).NotTo(HaveIssue("appsearch.patient"))
		})
		It("asks for the period, and no more", Check("INT-141.2"), Reads(a.read), func() {
			t := searches()
			Expect(t).NotTo(HaveIssue("appsearch.date"))
			Expect(t).To(Satisfy("both bounds", func(r record.Record) *Finding {
				if from, to := boundsOf(r); from && to {
					return nil
				}
				return At(r, "no-bounds", Text{FR: "la recherche ne se limite pas à la période demandée", EN: "the search is not limited to the period that was asked for"}).
					Was("date=ge…&date=le…", r.Exchange.Request.URL).In("?date").Ptr()
			}))
		})
		It("asks for pages of a size that is taken, by parameters that are known", Check("INT-141.3"), Reads(a.read), func() {
			Expect(searches()).NotTo(HaveIssue("appsearch.count", "appsearch.status", "appsearch.identifier", "appsearch.unknown-parameter"))
		})
		It("reads every page", Check("INT-142.1"), Reads(a.read), func() {
			t := between(a.read, "", "other").Requests(record.RouteSearchAppointments).Where(succeeded).Occasion()
			total := totalOf(t.First())
			var action record.Record
			for _, r := range a.read.Trace().Actions(candidate.ReadAppointments).Records[:1] {
				action = r
			}
			if got := len(servedItems(a.read.Trace(), action)); got < total {
				t.Report(At(t.Last(), "page-missing", Text{
					FR: "le service n'a pas demandé toutes les pages de la réponse", EN: "the service did not ask for every page of the answer",
				}).Was(fmt.Sprint(total), fmt.Sprint(got)))
			}
		})
		same("INT-143.1", "shows each item at its hour", "hour-changed", Text{FR: "l'heure montrée n'est pas celle reçue", EN: "the hour that is shown is not the one received"},
			"start", func(item any) string { return instantOf(at(item, "start")) }, func(item any) string { return instantOf(at(item, "start")) })
		It("does not show what was entered in error", Check("INT-143.2"), Reads(a.read), func() {
			t := reads()
			wrong := map[string]bool{}
			for _, r := range t.Records {
				for _, item := range servedItems(a.read.Trace(), r) {
					if !active(item) {
						wrong[asKept(item, "description")] = true
					}
				}
			}
			if len(wrong) == 0 {
				t.Marks("none").Occasion()
			}
			Expect(t.Occasion()).To(Satisfy("no error shown", func(r record.Record) *Finding {
				for i, item := range shownItems(r) {
					if at(item, "status") == "entered-in-error" || wrong[asKept(item, "title")] {
						return At(r, "entered-in-error-shown", Text{FR: "le service montre un rendez-vous saisi par erreur", EN: "the service shows an appointment that was entered in error"}).
							Was("—", fmt.Sprint(at(item, "title"))).In(fmt.Sprintf("/data/appointments/%d", i)).Ptr()
					}
				}
				return nil
			}))
		})
		same("INT-143.3", "shows the status as it is", "status-changed", Text{FR: "le statut montré n'est pas celui reçu", EN: "the status that is shown is not the one received"},
			"status", status, status)
		same("INT-143.4", "tells appointments, hospital stays and reminders apart", "kind-changed", Text{FR: "la sorte montrée n'est pas celle reçue", EN: "the kind that is shown is not the one received"},
			"kind", kindCode, func(item any) string { return codeOfKind(fmt.Sprint(at(item, "kind"))) })
		same("INT-143.5", "says who added the item", "origin-changed", Text{FR: "l'origine montrée n'est pas celle reçue", EN: "the origin that is shown is not the one received"},
			"origin", authorOf, func(item any) string { o, _ := at(item, "origin").(string); return o })
		same("INT-143.6", "shows titles and comments whole", "text-changed", Text{FR: "le titre ou le commentaire montré n'est pas celui reçu", EN: "the title or comment that is shown is not the one received"},
			"comment", words("description"), words("title"))
		same("INT-143.7", "keeps the hour of the place of care", "offset-changed", Text{FR: "l'heure est montrée dans un autre fuseau que celui du lieu de soin", EN: "the hour is shown in another time zone than that of the place of care"},
			"start", func(item any) string { return offsetOf(at(item, "start")) }, func(item any) string { return offsetOf(at(item, "start")) })
		It("shows each patient his own agenda alone", Check("INT-146.1"), Reads(a.read), func() {
			t := between(a.read, "other", "").Actions(candidate.ReadAppointments).Where(answered)
			Occasion(reads().Where(func(r record.Record) bool { return len(shownItems(r)) > 0 }),
				t.Where(func(r record.Record) bool { return len(servedItems(a.read.Trace(), r)) > 0 }))
			Expect(t).To(Satisfy("his own alone", func(r record.Record) *Finding {
				own := len(servedItems(a.read.Trace(), r))
				if got := len(shownItems(r)); got > own {
					return At(r, "patients-mixed", Text{FR: "le service montre à un patient des rendez-vous qui ne sont pas les siens", EN: "the service shows a patient appointments that are not his"}).
						Was(fmt.Sprint(own), fmt.Sprint(got)).In("/data/appointments").Ptr()
				}
				return nil
			}))
		})
		foreign := func() Trace {
			return between(a.read, "other", "").Actions(candidate.UpdateAppointment).Occasion()
		}
		It("does not insist on changing what another author added", Check("INT-144.1"), Reads(a.read), func() {
			t := foreign()
			during := a.read.Trace().During(t.First())
			Expect(agendaWrites(during).Where(func(r record.Record) bool { return !succeeded(r) })).To(HaveAtMost(1, "call-repeated", Text{
				FR: "la modification d'un rendez-vous d'un autre auteur, refusée, est répétée", EN: "the change of another author's appointment was refused and is repeated",
			}))
		})
		It("does not say that it changed what another author added", Check("INT-144.2"), Reads(a.read), func() {
			Expect(foreign()).To(notDone("refusal-shown-as-success", Text{
				FR: "le service annonce avoir modifié un rendez-vous qui n'est pas le sien", EN: "the service says that it changed an appointment that is not its own",
			}))
		})
	})
}

// offsetOf is the offset of an instant, in minutes east of UTC.
func offsetOf(v any) string {
	s, _ := v.(string)
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return s
	}
	_, seconds := t.Zone()
	return t.UTC().Format(time.RFC3339) + fmt.Sprintf(" %+d min", seconds/60)
}

func agendaRefusal(l *Lab, a agendaScenarios) {
	refusals := func() Trace {
		t := a.refused.Trace()
		return t.Actions(candidate.UpdateAppointment).Where(func(r record.Record) bool {
			return !t.During(r).Requests(record.RouteUpdateAppointment).Where(func(x record.Record) bool {
				return slices.Contains(agendaRefusals(), x.Exchange.Response.Status)
			}).Empty()
		}).Occasion()
	}
	askedTo := func(s *Scenario, action candidate.Action, route record.Route) Trace {
		Occasion(s.Trace().Actions(action), l.AllTraffic().Requests(route).Where(succeeded))
		return s.Trace()
	}
	repeated := func(fr, en string) Finder { return HaveAtMost(1, "call-repeated", Text{FR: fr, EN: en}) }
	Describe("What the agenda refuses", func() {
		It("does not repeat an update that was refused", Check("INT-145.1"), Reads(a.refused), func() {
			for _, r := range refusals().Records {
				Expect(agendaWrites(a.refused.Trace().During(r))).To(repeated("la mise à jour refusée est renvoyée telle quelle", "the update that was refused is sent again as it was"))
			}
		})
		It("does not present a refused update as a success", Check("INT-145.2"), Reads(a.refused), func() {
			Expect(refusals()).To(notDone("refusal-shown-as-success", Text{
				FR: "le service annonce que le rendez-vous est modifié alors que la mise à jour a été refusée", EN: "the service says that the appointment was changed although the update was refused",
			}))
		})
		It("does not insist on writing when that was not agreed", Check("INT-147.1"), Reads(a.unconsented), ReadsAllTraffic(), func() {
			t := askedTo(a.unconsented, candidate.SendAppointment, record.RouteSendAppointment)
			Expect(agendaWrites(t).Answered(http.StatusForbidden)).To(repeated("l'écriture dans l'agenda, refusée faute d'accord (403), est répétée", "writing into the agenda is refused for want of consent (403) and repeated"))
		})
		It("does not present the refusal to write as a success", Check("INT-147.2"), Reads(a.unconsented), ReadsAllTraffic(), func() {
			t := askedTo(a.unconsented, candidate.SendAppointment, record.RouteSendAppointment)
			Expect(t.Actions(candidate.SendAppointment)).To(notDone("refusal-shown-as-success", Text{
				FR: "le service annonce que le rendez-vous est envoyé alors que le patient n'a pas accepté l'écriture", EN: "the service says that the appointment was sent although the patient did not agree to writing",
			}))
		})
		It("does not insist on reading when that was not agreed", Check("INT-149.1"), Reads(a.unread), ReadsAllTraffic(), func() {
			t := askedTo(a.unread, candidate.ReadAppointments, record.RouteSearchAppointments)
			Expect(t.Requests(record.RouteSearchAppointments).Answered(http.StatusForbidden)).To(repeated("la lecture de l'agenda, refusée faute d'accord (403), est répétée", "reading the agenda is refused for want of consent (403) and repeated"))
		})
		withdrawal := func() Trace {
			t := since(a.withdrawn, control.ActWithdraw)
			told, ok := t.Marked("told")
			if ok {
				t = t.Before(told)
			}
			agendaWrites(t).Answered(http.StatusForbidden).Occasion()
			return t
		}
		It("does not repeat a call refused because the consent was withdrawn", Check("INT-148.1"), Reads(a.withdrawn), func() {
			Expect(agendaWrites(withdrawal())).To(repeated("l'appel refusé après le retrait de l'accord (403) est répété", "the call that was refused after the consent was withdrawn (403) is repeated"))
		})
		It("writes no more once it was told that the consent is withdrawn", Check("INT-148.2"), Reads(a.withdrawn), func() {
			withdrawal()
			told, _ := a.withdrawn.Trace().Marked("told")
			asked := a.withdrawn.Trace().After(told)
			asked.Actions(candidate.SendAppointment).Occasion()
			Expect(agendaWrites(asked)).To(BeEmpty("call-after-withdrawal", Text{
				FR: "averti du retrait de l'accord, le service écrit encore dans l'agenda", EN: "told that the consent was withdrawn, the service still writes into the agenda",
			}))
		})
	})
}
