package interop

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/etalon-sante/etalon/fixtures/data"
	"github.com/etalon-sante/etalon/sandbox/control"
	"github.com/etalon-sante/etalon/sandbox/record"
	"github.com/etalon-sante/etalon/suites/candidate"
	"github.com/etalon-sante/etalon/suites/journey"
	. "github.com/etalon-sante/etalon/suites/lab"
)

// agendaScenarios are what happens in the agenda. Its API is not public: nearly
// all that is judged here rests on an assumed setting.
type agendaScenarios struct {
	life, hours, read, refused, unconsented, unread, withdrawn *Scenario
}

// The references of the appointments, in the service's own agenda.
const (
	firstVisit  = "rdv-1"
	secondVisit = "rdv-2"
)

// agendaRefusals are the statuses with which an update is refused, one after
// the other.
func agendaRefusals() []int { return []int{404, 409, 412} }

// visitAt is when the ordinary appointments of a run take place: in a fortnight,
// at the full hour.
func visitAt(s *Stage) time.Time { return journey.Moment(s).Truncate(time.Hour).AddDate(0, 0, 14) }

func sendAppointment(ctx context.Context, s *Stage, p *Patient, a data.Appointment) error {
	_, err := s.Do(ctx, p, candidate.SendAppointment, map[string]any{"appointment": a})
	return err
}

func updateAppointment(ctx context.Context, s *Stage, p *Patient, reference string, changes map[string]any) error {
	_, err := s.Do(ctx, p, candidate.UpdateAppointment, map[string]any{"reference": reference, "changes": changes})
	return err
}

func readAgenda(ctx context.Context, s *Stage, p *Patient) (candidate.Answer, error) {
	return s.Do(ctx, p, candidate.ReadAppointments, map[string]any{"from": "2026-10-20T00:00:00+02:00", "to": "2026-12-31T23:59:59+01:00"})
}

func agenda(l *Lab) {
	var a agendaScenarios
	writes := Needs(candidate.SendAppointment, candidate.UpdateAppointment)
	l.In("agenda", func() {
		a.life = l.Scenario("agenda-life", "an appointment is sent, sent again, moved and cancelled; another one is sent", agendaLife, writes)
		a.hours = l.Scenario("agenda-hours", "appointments around the clock change and overseas, a hospital stay, a reminder and long comments are sent", agendaHours, writes)
		a.read = l.Scenario("agenda-read", "an agenda of two pages is read, then that of another patient; an item of another author is to be changed", agendaRead, Needs(candidate.ReadAppointments))
		a.refused = l.Scenario("agenda-refused", "the changes of an appointment are refused, each for another reason", agendaRefused, writes)
		a.unconsented = l.Scenario("agenda-unconsented", "the patient does not agree to writing into the agenda; an appointment is to be sent", agendaUnconsented, writes)
		a.unread = l.Scenario("agenda-unread", "the patient does not agree to reading the agenda; it is to be read", agendaUnread, Needs(candidate.ReadAppointments))
		a.withdrawn = l.Scenario("agenda-withdrawn", "the patient takes back the consent to write into the agenda; an appointment is to be changed", agendaWithdrawn, writes)
	})
	agendaSent(a)
	agendaShown(a)
	agendaRefusal(l, a)
}

func agendaLife(ctx context.Context, s *Stage) error {
	p, err := journey.Paired(ctx, s, Tolerant())
	if err != nil {
		return err
	}
	at := visitAt(s)
	visit := data.Visit(s.SeedNumber(), firstVisit, at)
	if err := sendAppointment(ctx, s, p, visit); err != nil {
		return err
	}
	if err := s.Note(p, "again", nil); err != nil {
		return err
	}
	if err := sendAppointment(ctx, s, p, visit); err != nil {
		return err
	}
	if err := s.Note(p, "other", nil); err != nil {
		return err
	}
	// At the same hour: nothing but the reference need tell the two apart.
	if err := sendAppointment(ctx, s, p, data.Visit(s.SeedNumber(), secondVisit, at)); err != nil {
		return err
	}
	if err := s.Note(p, "move", nil); err != nil {
		return err
	}
	moved := at.AddDate(0, 0, 1)
	if err := updateAppointment(ctx, s, p, firstVisit, map[string]any{"start": moved.Format(time.RFC3339), "end": moved.Add(30 * time.Minute).Format(time.RFC3339)}); err != nil {
		return err
	}
	if err := s.Note(p, "cancel", nil); err != nil {
		return err
	}
	return updateAppointment(ctx, s, p, firstVisit, map[string]any{"status": "cancelled"})
}

func agendaHours(ctx context.Context, s *Stage) error {
	p, err := journey.Paired(ctx, s, Tolerant())
	if err != nil {
		return err
	}
	at := visitAt(s)
	var all []data.Appointment
	for i, start := range data.Hours() {
		all = append(all, data.Visit(s.SeedNumber(), fmt.Sprintf("heure-%d", i), start))
	}
	all = append(all, data.Stay(s.SeedNumber(), "sejour", at), data.Reminder("rappel", at))
	for i, characters := range []int{agendaComment, agendaComment + 200} {
		long := data.Visit(s.SeedNumber(), fmt.Sprintf("long-%d", i), at)
		long.Comment = data.LongComment(characters)
		all = append(all, long)
	}
	for _, x := range all {
		if err := sendAppointment(ctx, s, p, x); err != nil {
			return err
		}
	}
	return nil
}

// agendaComment is the longest comment that setting agenda.comment-max takes.
const agendaComment = 1000

// agendaItems is how many items the agenda that is read holds: more than a page
// of setting agenda.count-default.
const agendaItems = 60

func agendaRead(ctx context.Context, s *Stage) error {
	p, err := journey.Paired(ctx, s, Tolerant())
	if err != nil {
		return err
	}
	other, err := journey.Paired(ctx, s, Tolerant())
	if err != nil {
		return err
	}
	first := time.Date(2026, 11, 9, 8, 0, 0, 0, time.FixedZone("CET", 3600))
	if _, err := s.Seed(ctx, p, seeded(data.Agenda(s.SeedNumber(), agendaItems, first))); err != nil {
		return err
	}
	alone := data.AppointmentResource(data.Visit(s.SeedNumber(), "seul", first.AddDate(0, 0, 20)), data.ByProfessional)
	if _, err := s.Seed(ctx, other, control.Seed{Appointments: []json.RawMessage{alone}}); err != nil {
		return err
	}
	a, err := readAgenda(ctx, s, p)
	if err != nil {
		return err
	}
	if err := s.Note(p, "other", nil); err != nil {
		return err
	}
	if _, err := readAgenda(ctx, s, other); err != nil || !s.Candidate().ClaimsAction(candidate.UpdateAppointment) {
		return err
	}
	var shown struct {
		Appointments []struct {
			ID string `json:"id"`
		} `json:"appointments"`
	}
	if err := json.Unmarshal(a.Data, &shown); err != nil || len(shown.Appointments) == 0 {
		return &Ending{Outcome: CandidateFailed, Action: candidate.ReadAppointments, Reason: "shows nothing although the agenda holds items", French: "rien n'est montré alors que l'agenda n'est pas vide"}
	}
	// No item of this agenda was added by the candidate.
	_, err = s.Do(ctx, p, candidate.UpdateAppointment, map[string]any{"id": shown.Appointments[0].ID, "changes": map[string]any{"status": "cancelled"}})
	return err
}

func agendaRefused(ctx context.Context, s *Stage) error {
	p, err := journey.Paired(ctx, s)
	if err != nil {
		return err
	}
	at := visitAt(s)
	if err := sendAppointment(ctx, s, p, data.Visit(s.SeedNumber(), firstVisit, at)); err != nil {
		return err
	}
	codes := map[int]string{404: "not-found", 409: "conflict", 412: "conflict"}
	for i, status := range agendaRefusals() {
		if err := s.Fault(ctx, p, control.Fault{Route: record.RouteUpdateAppointment, Next: 1, Kind: control.FaultStatus, Status: status, IssueCode: codes[status]}); err != nil {
			return err
		}
		moved := at.Add(time.Duration(i+1) * time.Hour)
		if err := updateAppointment(ctx, s, p, firstVisit, map[string]any{"start": moved.Format(time.RFC3339), "end": moved.Add(30 * time.Minute).Format(time.RFC3339)}); err != nil {
			return err
		}
	}
	return s.Quiet(ctx)
}

func agendaUnconsented(ctx context.Context, s *Stage) error {
	p, err := s.Patient(ctx)
	if err != nil {
		return err
	}
	if err := s.Pair(ctx, p, Choice{Except: []string{journey.WriteAgenda}}); err != nil {
		return err
	}
	if err := sendAppointment(ctx, s, p, data.Visit(s.SeedNumber(), firstVisit, visitAt(s))); err != nil {
		return err
	}
	return s.Quiet(ctx)
}

func agendaUnread(ctx context.Context, s *Stage) error {
	p, err := s.Patient(ctx)
	if err != nil {
		return err
	}
	if err := s.Pair(ctx, p, Choice{Except: []string{journey.ReadAgenda}}); err != nil {
		return err
	}
	if _, err := readAgenda(ctx, s, p); err != nil {
		return err
	}
	return s.Quiet(ctx)
}

func agendaWithdrawn(ctx context.Context, s *Stage) error {
	p, err := journey.Paired(ctx, s)
	if err != nil {
		return err
	}
	at := visitAt(s)
	if err := sendAppointment(ctx, s, p, data.Visit(s.SeedNumber(), firstVisit, at)); err != nil {
		return err
	}
	if err := s.Happen(ctx, p, control.Act{Kind: control.ActWithdraw, Finalite: journey.WriteAgenda}); err != nil {
		return err
	}
	if err := updateAppointment(ctx, s, p, firstVisit, map[string]any{"status": "cancelled"}); err != nil {
		return err
	}
	if err := s.Quiet(ctx); err != nil {
		return err
	}
	if err := s.Note(p, "told", nil); err != nil {
		return err
	}
	if err := sendAppointment(ctx, s, p, data.Visit(s.SeedNumber(), secondVisit, at)); err != nil {
		return err
	}
	return s.Quiet(ctx)
}
