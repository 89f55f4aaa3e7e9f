package fhir_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/etalon-sante/etalon/fixtures/data"
	"github.com/etalon-sante/etalon/sandbox/fhir"
	"github.com/etalon-sante/etalon/sandbox/record"
	"github.com/etalon-sante/etalon/sandbox/settings"
)

// third is where the published examples of other people are. They are no part of
// the project.
const third = "../../../shared/data"

func rules(t testing.TB) (*fhir.Rules, *settings.Settings) {
	t.Helper()
	s, err := settings.Load()
	if err != nil {
		t.Fatal(err)
	}
	r, err := fhir.NewRules(s)
	if err != nil {
		t.Fatal(err)
	}
	return r, s
}

// published reads a file of the third-party data, or skips loudly.
func published(t *testing.T, name string) []byte {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(third, name))
	if os.IsNotExist(err) {
		t.Skipf("NOT TESTED against %s: the published examples are not beside the project (expected at %s)", name, third)
	}
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// verdict names the issues of a message: the rules that refuse, then those that
// only note, each once.
func verdict(issues []record.Issue) (refused, noted []string) {
	for _, i := range issues {
		to := &noted
		if i.HTTP != 0 {
			to = &refused
		}
		if !slices.Contains(*to, i.Rule) {
			*to = append(*to, i.Rule)
		}
	}
	slices.Sort(refused)
	slices.Sort(noted)
	return refused, noted
}

// publishedMeasures says what we find in the examples of the ANS guide, each
// wrapped in a minimal transaction, and how HAPI (8.8.1, with the MES profiles
// and value sets) judges the same file.
//
// Every one breaks the rules of feeding: no subject.identifier, and the profile
// of ANS in place of that of Mon espace santé. Beyond that we agree with HAPI on
// five of six:
//
//	file       ours                                  HAPI --mes   why they differ
//	BP001      + bodySite not in J149                fails        same finding
//	Weight001  + method not in J145                  fails        same finding
//	Height001  nothing more                          passes       same
//	Heart001   nothing more                          passes       same
//	Head001    nothing more                          passes       same
//	Glucose001 + moment and days on HbA1c, mg/dL,    fails, for   HAPI knows neither the business rules nor the unit
//	           code in TRE_A04                       another      of HbA1c; it refuses the moment for its code system,
//	                                                 reason       which we take (LOINC under its French address)
//
// Against a reading of the specification by hand (two refusals for Glucose001,
// moment and days) we add two that the text states outside its error table: the
// unit of HbA1c and the code system.
func publishedMeasures() map[string]struct {
	refused []string
	noted   []string
	hapi    bool // passes
} {
	type row = struct {
		refused []string
		noted   []string
		hapi    bool
	}
	date := []string{"feed.effective"} // a day without offset
	return map[string]row{
		"Observation-ExampleMesFrObservationBP001.json":              {[]string{"feed.binding", "feed.profile", "feed.subject"}, date, false},
		"Observation-ExampleMesFrObservationBodyHeight001.json":      {[]string{"feed.profile", "feed.subject"}, date, true},
		"Observation-ExampleMesFrObservationBodyWeight001.json":      {[]string{"feed.binding", "feed.profile", "feed.subject"}, date, false},
		"Observation-ExampleMesFrObservationHeartrate001.json":       {[]string{"feed.profile", "feed.subject"}, date, true},
		"Observation-ExampleMesObservationHeadCircumference001.json": {[]string{"feed.profile", "feed.subject"}, date, true},
		"Observation-ExampleMesObservationGlucose001.json": {[]string{
			"feed.code", "feed.days-forbidden", "feed.moment-forbidden", "feed.profile", "feed.subject", "feed.unit",
		}, date, false},
	}
}

func wrap(t *testing.T, entries ...map[string]any) []byte {
	t.Helper()
	b, err := json.Marshal(map[string]any{"resourceType": "Bundle", "type": "transaction", "entry": entries})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func entry(resource []byte, name, ifNoneExist string) map[string]any {
	request := map[string]any{"method": "POST", "url": name}
	if ifNoneExist != "" {
		request["ifNoneExist"] = ifNoneExist
	}
	return map[string]any{"fullUrl": "3b0c8a52-7b0f-4f43-8a9b-5d7d2b1d5f10", "resource": json.RawMessage(resource), "request": request}
}

func TestPublishedMeasuresBreakTheRulesOfFeedingAsExpected(t *testing.T) {
	r, _ := rules(t)
	for name, want := range publishedMeasures() {
		t.Run(name, func(t *testing.T) {
			raw := published(t, "mesures-examples/"+name)
			_, issues := r.Feed(wrap(t, entry(raw, "Observation", "")), fhir.Context{})
			refused, noted := verdict(issues)
			if !slices.Equal(refused, want.refused) || !slices.Equal(noted, want.noted) {
				t.Errorf("refused %v, noted %v\n%+v", refused, noted, issues)
			}
			if fhir.Status(issues) != 422 {
				t.Errorf("status %d", fhir.Status(issues))
			}
			// What HAPI passes we refuse for the business of feeding alone.
			if business := []string{"feed.profile", "feed.subject"}; want.hapi != slices.Equal(refused, business) {
				t.Errorf("HAPI passes: %v, we refuse %v", want.hapi, refused)
			}
		})
	}
}

func TestPublishedMeasuresPassOnceMadeFitForFeeding(t *testing.T) {
	r, _ := rules(t)
	for _, name := range []string{
		"Observation-ExampleMesFrObservationBodyHeight001.json", "Observation-ExampleMesFrObservationHeartrate001.json",
		"Observation-ExampleMesObservationHeadCircumference001.json",
	} {
		t.Run(name, func(t *testing.T) {
			var o map[string]any
			if err := json.Unmarshal(published(t, "mesures-examples/"+name), &o); err != nil {
				t.Fatal(err)
			}
			o["subject"] = map[string]any{"identifier": map[string]any{"system": "urn:oid:2.25.1", "value": "x"}}
			o["effectiveDateTime"] = o["effectiveDateTime"].(string)[:10] + "T08:00:00+01:00"
			code := o["code"].(map[string]any)["coding"].([]any)[0].(map[string]any)["code"].(string)
			for _, m := range r.Measures() {
				if m.Code == code {
					o["meta"] = map[string]any{"profile": m.Profiles[:1]}
				}
			}
			raw, err := json.Marshal(o)
			if err != nil {
				t.Fatal(err)
			}
			if _, issues := r.Feed(wrap(t, entry(raw, "Observation", "")), fhir.Context{}); len(issues) != 0 {
				t.Errorf("%+v", issues)
			}
		})
	}
}

func TestThePublishedDeviceIsTakenWithAMeasureOfOurs(t *testing.T) {
	r, _ := rules(t)
	device := published(t, "mesures-examples/Device-phd-74E8FFFEFF051C00.json")
	o := subjected(t, data.Observation(data.Nominal(1, "heart-rate", time.Unix(1_800_000_000, 0)), "phd-74E8FFFEFF051C00"))
	_, issues := r.Feed(wrap(t, entry(o, "Observation", ""),
		entry(device, "Device", "identifier=urn:oid:1.2.840.10004.1.1.1.0.0.1.0.0.1.2680|74-E8-FF-FE-FF-05-1C-00")), fhir.Context{})
	if len(issues) != 0 {
		t.Errorf("%+v", issues)
	}
}

func TestPublishedDocumentsBreakTheRulesAsExpected(t *testing.T) {
	r, _ := rules(t)
	for name, want := range map[string]struct{ refused, noted []string }{
		// PDSm names the patient by reference and takes its categories from another
		// list; the example's content is 11 bytes that are no PDF, while its size
		// says 250000 and its hash is of something else.
		"DocumentReference-PDSmSimplifiedExample.json": {
			[]string{"document.category", "document.subject"}, []string{"document.format", "document.hash", "document.size"},
		},
		// The content of this one is elsewhere (ITI-65), which the API does not take.
		"DocumentReference-exemple-pdsm-documentreference.json": {
			[]string{"document.attachment", "document.category", "document.subject"}, nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			d, issues := r.Document(published(t, "pdsm/example/"+name), fhir.Context{})
			refused, noted := verdict(issues)
			if !slices.Equal(refused, want.refused) || !slices.Equal(noted, want.noted) {
				t.Errorf("refused %v, noted %v\n%+v", refused, noted, issues)
			}
			if strings.Contains(name, "Simplified") && d.Size != 11 {
				t.Errorf("%d bytes", d.Size)
			}
		})
	}
}

// subjected adds the subject that the sandbox adds to a seed.
func subjected(t *testing.T, raw []byte) []byte {
	t.Helper()
	var o map[string]any
	d := json.NewDecoder(strings.NewReader(string(raw)))
	d.UseNumber()
	if err := d.Decode(&o); err != nil {
		t.Fatal(err)
	}
	o["subject"] = map[string]any{"identifier": map[string]any{"system": "urn:oid:2.25.1", "value": "x"}}
	b, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestWhatWeGenerateIsConformant(t *testing.T) {
	r, s := rules(t)
	at := time.Date(2026, 11, 22, 12, 0, 0, 0, time.FixedZone("CET", 3600))
	var all []json.RawMessage
	for _, kind := range data.Kinds() {
		for _, m := range append(data.Edge(kind, at), data.Nominal(1, kind, at), data.Nominal(2, kind, at)) {
			all = append(all, data.Observation(m, ""))
		}
	}
	mixed := data.Mixed(4, at)
	all = append(append(all, data.Weights(4, 60, at).Measures...), mixed.Measures...)
	for _, raw := range all {
		v, err := fhir.Decode(subjected(t, raw))
		if err != nil {
			t.Fatal(err)
		}
		if issues := r.Observation(v.(map[string]any)); len(issues) != 0 {
			t.Errorf("%s: %+v", raw, issues)
		}
	}
	for _, raw := range mixed.Devices {
		v, err := fhir.Decode(raw)
		if err != nil {
			t.Fatal(err)
		}
		if issues := r.Structure(v); len(issues) != 0 {
			t.Errorf("%s: %+v", raw, issues)
		}
	}
	for _, raw := range data.Documents(4, 6, at).Documents {
		if d, issues := r.Document(subjected(t, raw), fhir.Context{}); len(issues) != 0 || d.Size == 0 {
			t.Errorf("%+v", issues)
		}
	}
	for _, category := range s.List("document.categories") {
		if _, issues := r.Document(subjected(t, data.DocumentReference(data.PDF(1, category, at))), fhir.Context{}); len(issues) != 0 {
			t.Errorf("%+v", issues)
		}
	}
}

// The value sets of the tables are ours to type: the published ones say whether
// a code slipped.
func TestValueSetsAreThoseThatANSPublishes(t *testing.T) {
	r, _ := rules(t)
	for name, codes := range r.ValueSets() {
		files, err := filepath.Glob(filepath.Join(third, "jdv-svs", "JDV_"+name+"_*.xml"))
		if err != nil {
			t.Fatal(err)
		}
		if len(files) != 1 {
			t.Skipf("NOT TESTED: value set %s is not beside the project (expected in %s/jdv-svs)", name, third)
		}
		raw, err := os.ReadFile(files[0])
		if err != nil {
			t.Fatal(err)
		}
		var want []string
		for _, part := range strings.Split(string(raw), `<Concept code="`)[1:] {
			code, _, _ := strings.Cut(part, `"`)
			want = append(want, code)
		}
		slices.Sort(want)
		if !slices.Equal(codes, want) {
			t.Errorf("%s: got %v, want %v", name, codes, want)
		}
	}
}
