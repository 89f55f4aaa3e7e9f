package realinput_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/etalon-sante/etalon/reports"
	"github.com/etalon-sante/etalon/sandbox/record"
	"github.com/etalon-sante/etalon/suites/candidate"
	"github.com/etalon-sante/etalon/suites/run"
)

// data is where the published material is, beside the repository.
const data = "../../../../shared/data"

// rule is one rule that a published file breaks. Read is what a reading of the
// specification by hand gave before any of this was run (mes-api, part 8, with
// the error table of part 2.3); a rule that it does not list has a reason.
type rule struct {
	id   string
	http int // what a strict record answers; 0: noted, not refused
	code string
	read bool
	why  string // where the reading by hand and ours differ, who is right
}

// broken lists, for each published file, the rules that it breaks.
func broken() map[string][]rule {
	profile := rule{"feed.profile", 422, "invalid", true, ""}
	subject := rule{"feed.subject", 422, "invalid", true, ""}
	day := rule{
		"feed.effective", 0, "invalid", false,
		"both are right: a day without a time is a valid FHIR dateTime, and the API is not known to refuse it, so it is only noted; but a service that was asked to send an instant and sends a day has lost the time",
	}
	method := rule{"feed.binding", 422, "code-invalid", true, ""}
	return map[string][]rule{
		"Observation-ExampleMesFrObservationBodyHeight001.json":      {profile, subject, day},
		"Observation-ExampleMesFrObservationHeartrate001.json":       {profile, subject, day},
		"Observation-ExampleMesObservationHeadCircumference001.json": {profile, subject, day},
		"Observation-ExampleMesFrObservationBP001.json":              {profile, subject, day, method},
		// The weight is also what the device example travels with.
		"Observation-ExampleMesFrObservationBodyWeight001.json": {
			profile, subject, day, method,
			{"feed.device-link", 422, "invalid", false, "ours: the two examples were not published for each other; the weight names no device, and the error table has a row for that"},
			{"feed.if-none-exist", 0, "invalid", false, "ours: the device is numbered under an OID that is not the sender's, where the text asks for a sub-OID of the publisher's; the error table has no row for it, so it is only noted"},
		},
		"Observation-ExampleMesObservationGlucose001.json": {
			profile, subject, day,
			{"feed.moment-forbidden", 422, "invalid", true, ""},
			{"feed.days-forbidden", 422, "invalid", true, ""},
			{"feed.unit", 422, "invalid", true, ""},
			{"feed.code", 422, "invalid", true, ""},
		},
		"DocumentReference-PDSmSimplifiedExample.json": {
			{"document.duplicate", 0, "duplicate", false, "ours: several scenarios feed the same example, some of them twice to the same patient; it is only noted"},
			{"document.size", 0, "invalid", true, ""},
			{"document.hash", 0, "invalid", true, ""},
			{"document.category", 422, "code-invalid", false, "ours, as far as the specification could be read: PDSm takes its categories from another list than Mon espace santé (part 3); the address of that list is an assumption, hence a deviation"},
			{"document.subject", 422, "invalid", false, "ours, on an assumption: the patient is named by reference, while searches name him by identifier"},
			{"document.format", 0, "invalid", false, "ours: the content is eleven bytes of text under the type application/pdf"},
		},
		"DocumentReference-exemple-pdsm-documentreference.json": {
			{"document.duplicate", 0, "duplicate", false, "ours: several scenarios feed the same example, some of them twice to the same patient; it is only noted"},
			{"document.attachment", 422, "invalid", false, "ours: the content stands behind a url, while Mon espace santé wants it in attachment.data (part 3)"},
			{"document.category", 422, "code-invalid", false, "as for the simplified example"},
			{"document.subject", 422, "invalid", false, "as for the simplified example"},
		},
	}
}

// verdict is what a check is to say of this candidate.
type verdict struct {
	check string
	want  reports.Verdict
	files []string // named by its findings, shortened
	why   string   // where the verdict says something of the candidate rather than of what was published, or surprises
}

const (
	met     = reports.Conformant
	notMet  = reports.Nonconformant
	leans   = reports.Deviation
	notSeen = reports.Untested
)

// verdicts is what each check is to say, with the files that its findings name.
func verdicts() []verdict {
	all := []string{"BP001", "BodyHeight001", "BodyWeight001", "Glucose001", "HeadCircumference001", "Heartrate001"}
	no := "no example of this measure is published: the candidate answers \"unsupported\""
	return []verdict{
		{"INT-09.1", met, nil, ""},
		{"INT-10.1", met, nil, ""},
		{"INT-10.2", met, nil, ""},
		{"INT-18.1", notSeen, nil, "the examples name no patient at all (INT-23): there is none to be mixed up"},
		{"INT-20.1", met, nil, "the record of this scenario is tolerant: one fault must not hide the next"},
		{"INT-20.2", met, nil, ""},
		{"INT-21.1", met, nil, "the wrapping is the candidate's, the examples being resources"},
		{"INT-21.2", met, nil, ""},
		{"INT-21.3", met, nil, ""},
		{"INT-21.4", met, nil, ""},
		{"INT-22.1", notMet, all, ""},
		{"INT-23.1", notMet, all, ""},
		{"INT-24.1", met, nil, ""},
		{"INT-24.2", met, nil, ""},
		{"INT-24.3", notMet, []string{"Glucose001"}, ""},
		{"INT-25.1", notMet, all, "stricter than FHIR: see feed.effective in broken"},
		{"INT-25.2", notMet, []string{"BodyWeight001"}, "the candidate's doing: it sends the example's date whatever it is asked"},
		{"INT-26.1", met, nil, "\"Kg\", \"battements/minute\" and \"milligramme par décilitre\" are names for people; the codes beside them are right"},
		{"INT-27.1", notMet, all, "the candidate's doing: it sends the example's value whatever it is asked"},
		{"INT-28.1", notSeen, nil, "no example has a meta.source"},
		{"INT-29.1", met, nil, ""},
		{"INT-30.1", met, nil, ""},
		{"INT-31.1", met, nil, ""},
		{"INT-32.1", met, nil, ""},
		{"INT-33.1", notSeen, nil, no},
		{"INT-34.1", notSeen, nil, no},
		{"INT-34.2", notMet, []string{"Glucose001"}, ""},
		{"INT-34.3", notSeen, nil, no},
		{"INT-34.4", notSeen, nil, no},
		{"INT-35.1", notSeen, nil, no},
		{"INT-36.1", notSeen, nil, no},
		{"INT-37.1", notSeen, nil, no},
		{"INT-38.1", met, nil, ""},
		{"INT-39.1", met, nil, ""},
		{"INT-40.1", met, nil, "the candidate answers unsupported to a BMI, and feeds other measures"},
		{"INT-41.1", notSeen, nil, no},
		{"INT-41.2", notMet, []string{"Glucose001"}, ""},
		{"INT-41.3", notSeen, nil, no},
		{"INT-42.1", notMet, []string{"BodyWeight001"}, "see feed.device-link in broken"},
		{"INT-42.2", notMet, []string{"BodyWeight001"}, "see feed.if-none-exist in broken"},
		{"INT-42.3", met, nil, "the published device is as its profile wants"},
		{"INT-43.1", notMet, []string{"BP001", "BodyWeight001"}, ""},
		{"INT-44.1", met, nil, ""},
		{"INT-44.2", met, nil, ""},
		{"INT-45.1", met, nil, ""},
		{"INT-45.2", met, nil, ""},
		{"INT-46.1", notSeen, nil, "the candidate never comes back: it has not waited"},
		{"INT-46.2", notMet, []string{"BodyWeight001"}, "the candidate's doing: it does not come back after a 429"},
		{"INT-190.1", notSeen, nil, "it cannot send some of the kinds that the scenario goes through: see published"},
		{"INT-191.1", notMet, []string{"BodyWeight001"}, "the candidate's doing: it sends the published device whatever it is asked"},
		{"INT-196.1", met, nil, "what the examples break is named by the checks above"},
		{"INT-197.1", leans, []string{"DocumentReference-PDSmSimplifiedExample", "DocumentReference-exemple-pdsm-documentreference"}, "see document.subject in broken"},
		{"INT-60.1", met, nil, "tolerant, as INT-20.1"},
		{"INT-63.1", leans, []string{"DocumentReference-PDSmSimplifiedExample", "DocumentReference-exemple-pdsm-documentreference"}, ""},
		{"INT-105.1", notMet, []string{"DocumentReference-exemple-pdsm-documentreference"}, "the candidate's doing: it sends both examples whatever it is asked"},
		{"INT-106.1", notMet, []string{"DocumentReference-PDSmSimplifiedExample", "DocumentReference-exemple-pdsm-documentreference"}, "as above"},
		{"INT-107.1", notMet, []string{"DocumentReference-PDSmSimplifiedExample", "DocumentReference-exemple-pdsm-documentreference"}, "as above"},
		{"INT-108.1", met, nil, "it answers at all; that the bytes are not those asked for is INT-111"},
		{"INT-109.1", met, nil, ""},
		{"INT-109.2", met, nil, ""},
		{"INT-110.1", notMet, []string{"DocumentReference-PDSmSimplifiedExample", "DocumentReference-exemple-pdsm-documentreference", "a message of no published file"}, "as INT-105.1"},
		{"INT-111.1", notMet, []string{"DocumentReference-PDSmSimplifiedExample", "DocumentReference-exemple-pdsm-documentreference"}, "as INT-105.1"},
		{"INT-111.2", notMet, []string{"DocumentReference-PDSmSimplifiedExample", "DocumentReference-exemple-pdsm-documentreference"}, "as INT-105.1"},
		{"INT-117.1", leans, []string{"DocumentReference-PDSmSimplifiedExample", "DocumentReference-exemple-pdsm-documentreference"}, "the examples were published for another use, and name other authors"},
		{"INT-63.2", notMet, []string{"DocumentReference-PDSmSimplifiedExample", "DocumentReference-exemple-pdsm-documentreference"}, ""},
	}
}

// One run serves the three: a candidate observed once, looked at three ways.
func TestPublishedExamplesFedAsTheyAre(t *testing.T) {
	report, records := feedPublished(t, folderOfExamples(t))
	t.Run("are judged as the specification reads", func(t *testing.T) { judgedAsRead(t, report) })
	t.Run("break, each, the rules that a reading of the specification finds", func(t *testing.T) { brokenAsRead(t, records) })
	t.Run("are refused by a strict record", func(t *testing.T) { refusedWhenStrict(t, records) })
}

func judgedAsRead(t *testing.T, report reports.Report) {
	seen := map[string]reports.Check{}
	for _, r := range report.Results {
		if r.Theme != "interop" {
			continue
		}
		if ofBehaviour(r.Requirement) {
			continue
		}
		for _, c := range r.Checks {
			seen[c.ID] = c
		}
	}
	for _, want := range verdicts() {
		got, ok := seen[want.check]
		delete(seen, want.check)
		if !ok {
			t.Errorf("%s was not judged", want.check)
			continue
		}
		files := filesOf(report, got)
		if got.Verdict != want.want || !slices.Equal(files, want.files) {
			t.Errorf("%s is %s of %v, expected %s of %v: %s", want.check, got.Verdict, files, want.want, want.files, got.Reason.EN)
		}
		if got.Verdict == notSeen && (got.Reason.EN == "" || got.Reason.FR == "") {
			t.Errorf("%s does not say why it is untested", want.check)
		}
	}
	for id, c := range seen {
		if c.Verdict == reports.NotApplicable {
			continue
		}
		t.Errorf("%s is %s of %v, and the table does not expect it to be judged: %s", id, c.Verdict, filesOf(report, c), c.Reason.EN)
	}
	if report.Verdict != reports.RunNonconformant || report.ExitCode != reports.ExitNonconformant {
		t.Errorf("verdict %s, exit code %d", report.Verdict, report.ExitCode)
	}
}

// ofBehaviour says whether a requirement is about what a service does when it is
// hindered or slowed down (INT-150 to INT-189): that says nothing of what was
// published.
func ofBehaviour(id string) bool {
	return len(id) == len("INT-150") && id >= "INT-150" && id < "INT-190"
}

// filesOf are the files that the findings of a check name, shortened.
func filesOf(report reports.Report, c reports.Check) []string {
	var files []string
	for _, f := range c.Findings {
		if x, ok := report.Exchanges[f.Exchange]; ok {
			if name := short(fileOf(x.Request.Body.Text)); !slices.Contains(files, name) {
				files = append(files, name)
			}
		}
	}
	slices.Sort(files)
	return files
}

func brokenAsRead(t *testing.T, records []record.Record) {
	found := map[string][]rule{}
	for _, r := range records {
		if r.Exchange == nil || r.Exchange.Facts == nil || r.Exchange.Request.Body == nil {
			continue
		}
		name := fileOf(r.Exchange.Request.Body.Text)
		for _, i := range r.Exchange.Facts.Issues {
			if strings.HasPrefix(i.Rule, "call.") { // consent withheld: of the scenario, not of the file
				continue
			}
			got := rule{id: i.Rule, http: i.HTTP, code: i.Code}
			if !slices.Contains(found[name], got) {
				found[name] = append(found[name], got)
			}
		}
	}
	for name, want := range broken() {
		for _, w := range want {
			if !w.read && w.why == "" {
				t.Errorf("%s, %s: a difference from the reading by hand needs a reason", name, w.id)
			}
			bare := rule{id: w.id, http: w.http, code: w.code}
			i := slices.Index(found[name], bare)
			if i < 0 {
				t.Errorf("%s: expected %+v", name, bare)
				continue
			}
			found[name] = slices.Delete(found[name], i, i+1)
		}
		for _, more := range found[name] {
			t.Errorf("%s: found %+v, which is not expected", name, more)
		}
		delete(found, name)
	}
	if len(found) > 0 {
		t.Errorf("messages of no published file: %v", found)
	}
}

func refusedWhenStrict(t *testing.T, records []record.Record) {
	refused := 0
	for _, r := range records {
		if r.Exchange == nil || r.Exchange.Route != record.RouteFeedMeasure || r.Scenario != "two-patients" {
			continue
		}
		if refused++; r.Exchange.Response.Status != 422 {
			t.Errorf("%s is answered %d", r.Exchange.ID, r.Exchange.Response.Status)
		}
	}
	if refused == 0 {
		t.Error("nothing was fed to a strict record")
	}
}

// folderOfExamples is where they are; without them the test skips, loudly.
func folderOfExamples(t *testing.T) string {
	t.Helper()
	folder, err := filepath.Abs(data)
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"mesures-examples", "pdsm/example"} {
		if _, err := os.Stat(filepath.Join(folder, part)); err != nil {
			t.Skipf("NOT TRIED on real input: the published examples are not at ../shared/data/%s, seen from the root of the repository", part)
		}
	}
	return folder
}

// feedPublished carries out a whole run on the candidate of this folder.
func feedPublished(t *testing.T, folder string) (reports.Report, []record.Record) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(map[string]any{ // JSON is YAML
		"etalon": 1,
		"editor": map[string]any{"name": "Exemples publiés", "siren": "732829320", "kind": "public"},
		"service": map[string]any{
			"name": "Exemples publiés", "version": "2025", "category": "app", "sector": "health", "audience": []string{"patient"},
			"finalites": []string{"care"}, "dataUse": map[string]any{"measures": []string{"care"}, "documents": []string{"care"}},
		},
		"claims": map[string]any{"pairing": false, "measures": []string{"write"}, "documents": []string{"write"}, "devices": true},
		"pilot":  map[string]any{"kind": "exec", "command": []string{self, asCandidate, folder}},
		"timing": map[string]any{"quiet": "250ms", "effect": "1s"},
	})
	if err != nil {
		t.Fatal(err)
	}
	m, err := candidate.Parse(raw, "candidate.yaml", t.TempDir(), os.LookupEnv)
	if err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "report")
	got, err := run.Run(t.Context(), run.Options{Manifest: m, Out: out, Seed: 1, Phase: "pilot", Version: "test", Command: "go test"})
	if err != nil {
		t.Fatal(err)
	}
	rec, err := run.ReadFolder(out)
	if err != nil {
		t.Fatal(err)
	}
	return got.Report, rec.Records
}

// fileOf names the file that a message carries, by the id of its resource.
func fileOf(body string) string {
	names := publishedDocuments()
	for _, n := range published() {
		names = append(names, n)
	}
	for _, n := range names {
		_, id, _ := strings.Cut(strings.TrimSuffix(n, ".json"), "-")
		if strings.Contains(body, `"`+id+`"`) {
			return n
		}
	}
	return "a message of no published file"
}

func short(name string) string {
	name = strings.TrimSuffix(name, ".json")
	for _, prefix := range []string{"Observation-ExampleMesFrObservation", "Observation-ExampleMesObservation"} {
		name = strings.TrimPrefix(name, prefix)
	}
	return name
}
