package fhir_test

import (
	"strings"
	"testing"
	"time"

	"github.com/etalon-sante/etalon/fixtures/data"
	"github.com/etalon-sante/etalon/sandbox/fhir"
	"github.com/etalon-sante/etalon/sandbox/settings"
)

// The fixtures cannot read the settings: here the two are held together.
func TestTheAgendaOfTheFixturesIsWhatTheSettingsAssume(t *testing.T) {
	set, err := settings.Load()
	if err != nil {
		t.Fatal(err)
	}
	r, err := fhir.NewRules(set)
	if err != nil {
		t.Fatal(err)
	}
	kinds, statuses := map[string]bool{}, map[string]bool{}
	for _, raw := range data.Agenda(7, 60, time.Date(2026, 11, 9, 8, 0, 0, 0, time.UTC)).Appointments {
		v, err := fhir.Decode(raw)
		if err != nil {
			t.Fatal(err)
		}
		o := v.(map[string]any)
		with, _ := o["participant"].([]any)
		o["participant"] = append([]any{map[string]any{
			"actor": map[string]any{"type": "Patient", "identifier": map[string]any{"system": "urn:x", "value": "1"}}, "status": "accepted",
		}}, with...)
		a, issues := r.AgendaItem(o)
		if len(issues) > 0 {
			t.Errorf("%s: %+v", raw, issues)
		}
		if more := r.Structure(o); len(more) > 0 {
			t.Errorf("%s: %+v", raw, more)
		}
		kinds[a.Kind], statuses[a.Status] = true, true
		if !strings.Contains(string(raw), set.String("agenda.author-system")) {
			t.Errorf("no author in %s", raw)
		}
	}
	if len(kinds) != 3 || len(statuses) != len(data.Statuses()) || strings.Join(data.Statuses(), ",") != strings.Join(set.List("agenda.statuses"), ",") {
		t.Errorf("%v %v", kinds, statuses)
	}
	for _, author := range []string{data.ByPatient, data.ByService, data.ByProfessional} {
		if !strings.Contains(strings.Join(set.List("agenda.authors"), ","), author) {
			t.Errorf("%s is no author", author)
		}
	}
}
