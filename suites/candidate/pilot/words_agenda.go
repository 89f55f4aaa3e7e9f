package pilot

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/etalon-sante/etalon/suites/candidate"
)

// agendaKind names a kind of agenda item, with its article in French.
func (m *Manual) agendaKind(kind string) string {
	switch kind {
	case "appointment":
		return m.in("un rendez-vous", "an appointment")
	case "hospital-stay":
		return m.in("un séjour hospitalier", "a hospital stay")
	case "reminder":
		return m.in("un rappel", "a reminder")
	}
	return kind
}

func (m *Manual) appointmentSteps(payload json.RawMessage) []string {
	var p struct {
		Appointment struct {
			Reference, Kind, Status, Title, Start, End, Comment string
			With                                                *struct{ Name string }
		}
	}
	if json.Unmarshal(payload, &p) != nil || p.Appointment.Kind == "" {
		return []string{string(payload)}
	}
	a := p.Appointment
	out := []string{fmt.Sprintf(m.in("Dans votre service, prenez %s « %s », le %s (repère %s, statut %s).", "In your service, make %s \"%s\", on %s (mark %s, status %s)."),
		m.agendaKind(a.Kind), a.Title, m.instant(a.Start), a.Reference, a.Status)}
	if a.End != "" {
		out = append(out, m.in("fin : le ", "end: ")+m.instant(a.End))
	}
	if a.With != nil {
		out = append(out, m.in("avec : ", "with: ")+a.With.Name)
	}
	if a.Comment != "" {
		out = append(out, m.in("commentaire : ", "comment: ")+a.Comment)
	}
	return append(out, m.in("Faites-le envoyer à Mon espace santé ; si ce repère y est déjà, c'est le même : il ne doit pas y être deux fois.", "Have it sent to Mon espace santé; if this mark is there already, it is the same one: it must not be there twice."))
}

func (m *Manual) changeSteps(payload json.RawMessage) []string {
	var p struct {
		Reference, ID string
		Changes       struct{ Status, Start, End, Title, Comment string }
	}
	if json.Unmarshal(payload, &p) != nil || p.Reference+p.ID == "" {
		return []string{string(payload)}
	}
	what := fmt.Sprintf(m.in("Dans votre service, modifiez le rendez-vous %s :", "In your service, change the appointment %s:"), p.Reference+p.ID)
	if p.Changes.Status == "cancelled" {
		what = fmt.Sprintf(m.in("Dans votre service, annulez le rendez-vous %s.", "In your service, cancel the appointment %s."), p.Reference+p.ID)
	}
	out := []string{what}
	for _, c := range [][2]string{
		{m.in("début : le ", "start: "), m.instant(p.Changes.Start)},
		{m.in("fin : le ", "end: "), m.instant(p.Changes.End)},
		{m.in("titre : ", "title: "), p.Changes.Title},
		{m.in("commentaire : ", "comment: "), p.Changes.Comment},
	} {
		if c[1] != "" {
			out = append(out, c[0]+c[1])
		}
	}
	if p.ID != "" {
		out = append(out, m.in("S'il ne le propose pas, répondez r : ce rendez-vous n'est pas le sien.", "If it does not offer that, answer r: this appointment is not its own."))
	}
	return out
}

// appointments asks which agenda items are shown.
func (m *Manual) appointments(ctx context.Context, call candidate.Call) (any, error) {
	form := m.in("début | statut | titre (2026-12-06T09:00:00+01:00 | booked | Consultation)", "start | status | title (2026-12-06T09:00:00+01:00 | booked | Consultation)")
	return m.list(ctx, call, m.in("Éléments affichés, un par ligne : ", "Items shown, one a line: ")+form+m.in(", ligne vide pour finir :", ", an empty line ends:"), func(line string) (any, error) {
		parts := strings.SplitN(line, "|", 3)
		if len(parts) != 3 {
			return nil, m.again(form)
		}
		for i := range parts {
			parts[i] = strings.TrimSpace(parts[i])
		}
		if _, err := time.Parse(time.RFC3339, parts[0]); err != nil {
			return nil, m.again(m.in("une date comme 2026-12-06T09:00:00+01:00", "a date such as 2026-12-06T09:00:00+01:00"))
		}
		// A person sees no technical id: hour and title serve as one.
		return map[string]any{"id": parts[0] + " " + parts[2], "start": parts[0], "status": parts[1], "title": parts[2]}, nil
	})
}
