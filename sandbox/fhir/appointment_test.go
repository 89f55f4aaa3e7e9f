package fhir

import (
	"encoding/json"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/etalon-sante/etalon/sandbox/record"
)

func goodAppointment(r *Rules) m {
	return m{
		"resourceType": "Appointment", "status": "booked",
		"identifier":      []any{m{"system": "urn:oid:" + testOID + ".2", "value": "rdv-1"}},
		"appointmentType": coded(r.set.String("agenda.kind-system"), "RENDEZ_VOUS"),
		"start":           "2026-10-25T02:30:00+02:00", "end": "2026-10-25T02:30:00+01:00",
		"comment": "Venir à jeun.",
		"participant": []any{
			m{"actor": m{"type": "Patient", "identifier": m{"system": testAuth, "value": testIDPe}}, "status": "accepted"},
			m{"actor": m{"type": "Practitioner", "display": "Dr Zoé Naïm-Lévêque"}, "status": "accepted"},
		},
	}
}

type brokenAppointment struct {
	to     Target
	break_ func(a, patient, other m)
	want   []string
}

func brokenAppointments(r *Rules) map[string]brokenAppointment {
	one := func(s ...string) []string { return s }
	kind := r.set.String("agenda.kind-system")
	byID, byName := Target{ID: "a1"}, Target{Identifier: "urn:oid:" + testOID + ".2|rdv-1"}
	return map[string]brokenAppointment{
		"nothing wrong":                {break_: func(a, p, o m) {}},
		"nothing wrong, by identifier": {to: byName, break_: func(a, p, o m) {}},
		"nothing wrong, by id":         {to: byID, break_: func(a, p, o m) { a["id"] = "a1" }},
		"an element unknown to FHIR":   {break_: func(a, p, o m) { a["titre"] = "x" }, want: one("appointment.json/shape")},
		"no status":                    {break_: func(a, p, o m) { delete(a, "status") }, want: one("appointment.status/")},
		"a status of another list":     {break_: func(a, p, o m) { a["status"] = "confirmed" }, want: one("appointment.status/")},
		"no kind":                      {break_: func(a, p, o m) { delete(a, "appointmentType") }, want: one("appointment.kind/")},
		"a kind of another list":       {break_: func(a, p, o m) { a["appointmentType"] = coded(kind, "CHECKUP") }, want: one("appointment.kind/")},
		"no start":                     {break_: func(a, p, o m) { delete(a, "start") }, want: one("appointment.start/")},
		"a start that is none":         {break_: func(a, p, o m) { a["start"] = "lundi" }, want: one("appointment.start/")},
		"a start without offset":       {break_: func(a, p, o m) { a["start"] = "2026-10-25T02:30:00" }, want: one("appointment.start/no-offset")},
		"a day for a start":            {break_: func(a, p, o m) { a["start"] = "2026-10-24" }, want: one("appointment.start/no-offset")},
		"no end":                       {break_: func(a, p, o m) { delete(a, "end") }, want: one("appointment.end/")},
		"an end that is none":          {break_: func(a, p, o m) { a["end"] = 12 }, want: one("appointment.end/")},
		"an end without offset":        {break_: func(a, p, o m) { a["end"] = "2026-10-25T03:30:00" }, want: one("appointment.end/no-offset")},
		"an end an hour before":        {break_: func(a, p, o m) { a["start"], a["end"] = a["end"], a["start"] }, want: one("appointment.end/order")},
		"an end when it begins":        {break_: func(a, p, o m) { a["end"] = a["start"] }},
		"nobody":                       {break_: func(a, p, o m) { delete(a, "participant") }, want: one("appointment.participant/", "appointment.provider/", "appointment.subject/")},
		"a participant without status": {break_: func(a, p, o m) { delete(o, "status") }, want: one("appointment.participant/status")},
		"nobody but the patient":       {break_: func(a, p, o m) { a["participant"] = []any{p} }, want: one("appointment.provider/")},
		"a reminder for the patient":   {break_: func(a, p, o m) { a["participant"] = []any{p}; a["appointmentType"] = coded(kind, "RAPPEL") }},
		"a patient by reference":       {break_: func(a, p, o m) { p["actor"] = m{"reference": "Patient/1", "type": "Patient"} }, want: one("appointment.subject/")},
		"another patient":              {break_: func(a, p, o m) { p["actor"] = m{"type": "Patient", "identifier": m{"system": testAuth, "value": "x"}} }, want: one("appointment.subject/other-patient")},
		"another authority": {break_: func(a, p, o m) {
			p["actor"] = m{"type": "Patient", "identifier": m{"system": "urn:x", "value": testIDPe}}
		}, want: one("appointment.subject/other-authority")},
		"no identifier":                  {break_: func(a, p, o m) { delete(a, "identifier") }, want: one("appointment.identifier/")},
		"a long comment":                 {break_: func(a, p, o m) { a["comment"] = strings.Repeat("é", 1001) }, want: one("appointment.comment/")},
		"a comment as long as it may be": {break_: func(a, p, o m) { a["comment"] = strings.Repeat("é", 1000) }},
		"the source of another":          {break_: func(a, p, o m) { a["meta"] = m{"source": "urn:oid:" + testOID + "9"} }, want: one("appointment.source/")},
		"a source of its own":            {break_: func(a, p, o m) { a["meta"] = m{"source": "urn:oid:" + testOID + ".4"} }},
		"an update of another id":        {to: byID, break_: func(a, p, o m) { a["id"] = "a2" }, want: one("appointment.target/")},
		"an update without id":           {to: byID, break_: func(a, p, o m) {}, want: one("appointment.target/")},
		"an update of another number":    {to: byName, break_: func(a, p, o m) { a["identifier"] = []any{m{"system": "urn:x", "value": "1"}} }, want: one("appointment.target/")},
	}
}

func (c brokenAppointment) of(t testing.TB, r *Rules) []byte {
	a := goodAppointment(r)
	all := a["participant"].([]any)
	c.break_(a, all[0].(m), all[1].(m))
	return raw(t, a)
}

func TestEachWayToBreakAnAppointmentIsFoundAndNothingElse(t *testing.T) {
	r := testRules(t)
	for says, c := range brokenAppointments(r) {
		t.Run(says, func(t *testing.T) {
			_, issues := r.Appointment(c.of(t, r), c.to, testContext())
			sameRules(t, issues, c.want)
		})
	}
}

func TestWhatIsReadOfAnAppointment(t *testing.T) {
	r := testRules(t)
	a, _ := r.Appointment(raw(t, goodAppointment(r)), Target{}, testContext())
	if a.Kind != VisitKind || a.Status != "booked" || a.RequestIDPe != testIDPe || a.RequestAuth != testAuth ||
		a.Identifier != "urn:oid:"+testOID+".2|rdv-1" || a.End.Sub(a.Start).Hours() != 1 {
		t.Errorf("%+v: the hour that happens twice lasts an hour", a)
	}
}

func TestSettingsDecideWhatTheAgendaTakes(t *testing.T) {
	loose := testRules(t, map[string]string{"agenda.subject": "any", "agenda.provider": "false", "agenda.identifier": "false", "agenda.comment-max": "5", "agenda.update": "id"})
	a := goodAppointment(loose)
	delete(a, "identifier")
	a["participant"] = []any{m{"status": "accepted", "actor": m{"reference": "Practitioner/1"}}}
	_, issues := loose.Appointment(raw(t, a), Target{}, testContext())
	for _, i := range issues {
		if i.Rule != "appointment.comment" && i.Rule != "appointment.json" {
			t.Errorf("%+v", i)
		}
	}
	_, issues = loose.Appointment(raw(t, goodAppointment(loose)), Target{Identifier: "urn:oid:" + testOID + ".2|rdv-1"}, testContext())
	sameRules(t, issues, []string{"appointment.target/way", "appointment.comment/"})
}

func TestBodiesThatAreNoAppointmentAreRefused(t *testing.T) {
	r := testRules(t)
	for _, in := range []string{"", "[]", "{}", `{"resourceType":"Slot"}`, `{"resourceType":"Appointment","resourceType":"Appointment"}`} {
		if a, issues := r.Appointment([]byte(in), Target{}, testContext()); Status(issues) != 400 || a.Resource != nil || issues[0].Setting != "agenda.resource" {
			t.Errorf("%q: %+v", in, issues)
		}
	}
	if _, issues := r.Appointment(make([]byte, 1<<16+1), Target{}, testContext()); Status(issues) != 413 || issues[0].Setting != "agenda.max-bytes" {
		t.Errorf("%+v", issues)
	}
}

func TestEachWayToBreakASearchOfTheAgendaIsFound(t *testing.T) {
	r := testRules(t)
	who := "patient:identifier=" + url.QueryEscape(testAuth+"|"+testIDPe)
	for query, want := range map[string][]string{
		who: nil,
		who + "&date=ge2026-10-25&date=lt2026-10-26&status=booked,cancelled&identifier=urn:x%7C1&_count=100&_offset=1": nil,
		"":                               {"appsearch.patient/"},
		"patient:identifier=" + testIDPe: {"appsearch.patient/no-authority"},
		"patient:identifier=" + url.QueryEscape(testAuth+"|x"):     {"appsearch.patient/other-patient"},
		"patient:identifier=" + url.QueryEscape("urn:x|"+testIDPe): {"appsearch.patient/other-authority"},
		who + "&date=2026-10-25":                                   {"appsearch.date/"},
		who + "&status=confirmed":                                  {"appsearch.status/"},
		who + "&identifier=1":                                      {"appsearch.identifier/"},
		who + "&_count=101":                                        {"appsearch.count/"},
		who + "&patient=Patient%2F12":                              {"appsearch.unknown-parameter/"},
	} {
		q, err := url.ParseQuery(query)
		if err != nil {
			t.Fatal(err)
		}
		_, issues := r.AppointmentSearch(q, testContext())
		sameRules(t, issues, want)
	}
}

// Everything about the agenda is assumed: no issue may make a candidate fail
// without the setting that it rests on, except that of another patient.
func TestEveryRuleOfTheAgendaNamesAnAssumedSetting(t *testing.T) {
	r := testRules(t)
	broken := map[string]bool{}
	for _, c := range brokenAppointments(r) {
		for _, w := range c.want {
			broken[w] = true
		}
	}
	for _, row := range Catalogue() {
		if !strings.HasPrefix(row.ID, "appointment.") && !strings.HasPrefix(row.ID, "appsearch.") {
			continue
		}
		if r.set.Assumed(row.Setting) == "" && row.Case != "other-patient" {
			t.Errorf("%s/%s names no assumed setting", row.ID, row.Case)
		}
		key := row.ID + "/" + row.Case
		if strings.HasPrefix(key, "appointment.") && !broken[key] && key != "appointment.json/" && key != "appointment.size/" && key != "appointment.target/way" {
			t.Errorf("no test breaks %s", key)
		}
	}
}

// gapExamples is where the published material is, beside the repository.
const gapExamples = "../../../shared/data"

// gapBreaks is what the published example of the ANS guide GAP breaks, worked
// out by reading it: it is made for an agenda manager, not for Mon espace santé.
func gapBreaks() map[string]string {
	return map[string]string{
		"appointment.kind":     "it has no appointmentType: GAP says of what a visit is by serviceType and specialty; that the kinds stand there is our guess, so that this says more of us than of it",
		"appointment.start":    "it is proposed, with a requestedPeriod in the place of start and end, as FHIR R4 allows; Mon espace santé makes the date mandatory (mobile application)",
		"appointment.subject":  "the patient is named by reference (Patient/1), as everywhere in GAP; measures name him by identifier",
		"appointment.provider": "",
	}
}

func TestThePublishedAppointmentOfGAPIsJudgedAsRead(t *testing.T) {
	file, err := os.ReadFile(gapExamples + "/gap/example/Appointment-example-req-appointment.json")
	if err != nil {
		t.Skipf("NOT TESTED: the published examples are not beside the repository: %v", err)
	}
	r := testRules(t)
	a, issues := r.Appointment(file, Target{}, testContext())
	if a.Status != "proposed" || a.Identifier != "http://example.org/sampleappointment-identifier|123" {
		t.Errorf("%+v", a)
	}
	seen := map[string]record.Issue{}
	for _, i := range issues {
		seen[i.Rule] = i
		if i.Setting == "" {
			t.Errorf("a published example fails where nothing is public: %+v", i)
		}
	}
	for rule, why := range gapBreaks() {
		if _, ok := seen[rule]; ok != (why != "") {
			t.Errorf("%s: found %v, %s", rule, ok, why)
		}
		delete(seen, rule)
	}
	for rule, i := range seen {
		t.Errorf("%s was not foreseen: %+v", rule, i)
	}
	for _, name := range []string{"Slot-example.json", "Schedule-example.json"} {
		file, err := os.ReadFile(gapExamples + "/gap/example/" + name)
		if err != nil {
			t.Fatal(err)
		}
		if _, issues := r.Appointment(file, Target{}, testContext()); Status(issues) != 400 {
			t.Errorf("%s is taken for an appointment: %+v", name, issues)
		}
	}
}

func FuzzAppointment(f *testing.F) {
	r := testRules(f)
	for _, c := range brokenAppointments(r) {
		f.Add(c.of(f, r), c.to.ID, c.to.Identifier)
	}
	f.Add([]byte(`{"resourceType":"Appointment","participant":[null,1,{"actor":[]}],"identifier":{},"appointmentType":{"coding":[[]]},"start":{},"end":[]}`), "", "")
	f.Add([]byte(`{"resourceType":"Appointment","meta":[],"participant":{"actor":{}}}`), "a", "b|c")
	f.Fuzz(func(t *testing.T, in []byte, id, identifier string) {
		a, issues := r.Appointment(in, Target{ID: id, Identifier: identifier}, testContext())
		sane(t, r, issues)
		if Status(issues) == 0 && (a.Resource == nil || a.Kind == "" || a.RequestIDPe != testIDPe || a.Start.IsZero() || a.End.Before(a.Start)) {
			t.Fatalf("nothing refuses what is not understood: %s", in)
		}
		if a.Resource != nil {
			if _, err := json.Marshal(a.Resource); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func FuzzAppointmentSearch(f *testing.F) {
	r := testRules(f)
	for _, s := range []string{"", "patient:identifier=a%7Cb&date=ge2026&status=,&_count=0", "identifier=%7C&_offset=-1", "date=lt0000&date=lt9999&status=booked&status=booked"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, in string) {
		q, err := url.ParseQuery(in)
		if err != nil {
			return
		}
		s, issues := r.AppointmentSearch(q, testContext())
		sane(t, r, issues)
		if s.Count < 1 || s.Count > 100 || s.Offset < 0 || Status(issues) == 0 && s.IDPe != testIDPe {
			t.Fatalf("%+v", s)
		}
	})
}
