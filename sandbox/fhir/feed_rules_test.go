package fhir

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/etalon-sante/etalon/sandbox/record"
)

// broken is one way to break a message: what it is made from, and the only
// issues that must be found.
type broken struct {
	says   string
	kind   string // measure; "" is a weight
	device bool   // a Device is in the bundle
	break_ func(bundle, observation, device m)
	want   []string // rule/case, in any order
}

func extensionOf(o m, i int) m { return o["extension"].([]any)[i].(m) }

func entryOf(bundle m, i int) m { return bundle["entry"].([]any)[i].(m) }

func valueOf(o m) m { return o["valueQuantity"].(m) }

func brokenFeeds() []broken {
	one := func(s string) []string { return []string{s} }
	return []broken{
		{says: "a batch", break_: func(b, o, d m) { b["type"] = "batch" }, want: one("feed.bundle-type/")},
		{says: "a bundle without type", break_: func(b, o, d m) { delete(b, "type") }, want: one("feed.bundle-type/")},
		{says: "a type that FHIR does not have", break_: func(b, o, d m) { b["type"] = "transactions" }, want: one("feed.bundle-type/")},
		{says: "no entry", break_: func(b, o, d m) { delete(b, "entry") }, want: one("feed.entries/")},
		{says: "two Observations", break_: func(b, o, d m) { b["entry"] = []any{observationEntry(o), observationEntry(o)} }, want: one("feed.entries/")},
		{says: "a Device alone", device: true, break_: func(b, o, d m) { b["entry"] = []any{deviceEntry(d)} }, want: one("feed.entries/")},
		{says: "two Devices", device: true, break_: func(b, o, d m) { b["entry"] = append(b["entry"].([]any), deviceEntry(d)) }, want: one("feed.entries/")},
		{says: "a Patient", break_: func(b, o, d m) {
			b["entry"] = append(b["entry"].([]any), m{"fullUrl": "x", "resource": m{"resourceType": "Patient"}, "request": m{"method": "POST", "url": "Patient"}})
		}, want: one("feed.entries/other-resource")},
		{says: "an update", break_: func(b, o, d m) { entryOf(b, 0)["request"].(m)["method"] = "PUT" }, want: one("feed.method/")},
		{says: "a deletion of a Device", device: true, break_: func(b, o, d m) { entryOf(b, 1)["request"].(m)["method"] = "DELETE" }, want: one("feed.method/")},
		{says: "no request", break_: func(b, o, d m) { delete(entryOf(b, 0), "request") }, want: []string{"feed.method/", "feed.request-url/"}},
		{says: "an address with an id", break_: func(b, o, d m) { entryOf(b, 0)["request"].(m)["url"] = "Observation/1" }, want: one("feed.request-url/")},
		{says: "no fullUrl", break_: func(b, o, d m) { delete(entryOf(b, 0), "fullUrl") }, want: one("feed.full-url/")},
		{says: "an element that FHIR does not have", break_: func(b, o, d m) { o["poids"] = 72 }, want: one("feed.json/shape")},
		{says: "a number as text in a member no rule reads", break_: func(b, o, d m) { o["referenceRange"] = []any{m{"low": m{"value": "70"}}} }, want: one("feed.json/shape")},

		{says: "no profile", break_: func(b, o, d m) { delete(o, "meta") }, want: one("feed.profile/")},
		{says: "an empty list of profiles", break_: func(b, o, d m) { o["meta"] = m{"profile": []any{}} }, want: one("feed.profile/")},
		{says: "the ANS profile", break_: func(b, o, d m) {
			o["meta"] = m{"profile": []any{"https://interop.esante.gouv.fr/ig/fhir/mesures/StructureDefinition/mesures-fr-observation-body-weight"}}
		}, want: one("feed.profile/")},
		{says: "the profile of another measure", break_: func(b, o, d m) {
			o["meta"] = m{"profile": []any{"https://fhir.monespacesante.fr/ref/mesure/StructureDefinition/mes-observation-bodyheight"}}
		}, want: one("feed.profile/")},
		{says: "no subject", break_: func(b, o, d m) { delete(o, "subject") }, want: one("feed.subject/")},
		{says: "a reference to a patient only", break_: func(b, o, d m) { o["subject"] = m{"reference": "Patient/1"} }, want: one("feed.subject/")},
		{says: "an idPe without authority", break_: func(b, o, d m) { o["subject"] = m{"identifier": m{"value": testIDPe}} }, want: one("feed.subject/")},
		{says: "an authority without idPe", break_: func(b, o, d m) { o["subject"] = m{"identifier": m{"system": testAuth}} }, want: one("feed.subject/")},
		{says: "another patient", break_: func(b, o, d m) { o["subject"] = m{"identifier": m{"system": testAuth, "value": "idpe-0002"}} }, want: one("feed.subject/other-patient")},
		{says: "another authority", break_: func(b, o, d m) { o["subject"] = m{"identifier": m{"system": "urn:oid:2.25.1", "value": testIDPe}} }, want: one("feed.subject/other-authority")},
		{says: "no status", break_: func(b, o, d m) { delete(o, "status") }, want: one("feed.status/")},
		{says: "a status that FHIR does not have", break_: func(b, o, d m) { o["status"] = "done" }, want: one("feed.status/")},
		{says: "no category", break_: func(b, o, d m) { delete(o, "category") }, want: one("feed.category/")},
		{says: "another category", break_: func(b, o, d m) { o["category"] = []any{coded(categorySystem, "laboratory")} }, want: one("feed.category/")},
		{says: "a category as an object", break_: func(b, o, d m) { o["category"] = coded(categorySystem, categoryCode) }, want: one("feed.category/")},
		{says: "no code", break_: func(b, o, d m) { delete(o, "code") }, want: one("feed.code/")},
		{says: "the code of no measure", break_: func(b, o, d m) { o["code"] = coded(loinc, "718-7") }, want: one("feed.code/")},
		{says: "the code in the French LOINC", break_: func(b, o, d m) {
			o["code"] = coded("https://mos.esante.gouv.fr/NOS/TRE_A04-Loinc/FHIR/TRE-A04-Loinc", "29463-7")
		}, want: one("feed.code/")},
		{says: "a code of TAASIP in LOINC", kind: "gmi", break_: func(b, o, d m) { o["code"] = coded(loinc, "MED-972") }, want: one("feed.code/")},
		{says: "no instant", break_: func(b, o, d m) { delete(o, "effectiveDateTime") }, want: one("feed.effective/")},
		{says: "a period", break_: func(b, o, d m) {
			delete(o, "effectiveDateTime")
			o["effectivePeriod"] = m{"start": "2026-11-22"}
		}, want: one("feed.effective/")},
		{says: "an instant that is none", break_: func(b, o, d m) { o["effectiveDateTime"] = "22/11/2026" }, want: one("feed.effective/")},
		{says: "30 February", break_: func(b, o, d m) { o["effectiveDateTime"] = "2026-02-30T08:00:00Z" }, want: one("feed.effective/")},
		{says: "a day without time", break_: func(b, o, d m) { o["effectiveDateTime"] = "2026-11-22" }, want: one("feed.effective/no-offset")},
		{says: "a time without offset", break_: func(b, o, d m) { o["effectiveDateTime"] = "2026-11-22T08:30:00" }, want: one("feed.effective/no-offset")},

		{says: "no value", break_: func(b, o, d m) { delete(o, "valueQuantity") }, want: one("feed.value/")},
		{says: "a reason for no value", break_: func(b, o, d m) {
			delete(o, "valueQuantity")
			o["dataAbsentReason"] = m{"text": "inconnu"}
		}, want: one("feed.value/")},
		{says: "a value as text", break_: func(b, o, d m) { valueOf(o)["value"] = "72.5" }, want: one("feed.value/")},
		{says: "another kind of value", break_: func(b, o, d m) { delete(o, "valueQuantity"); o["valueString"] = "72" }, want: []string{"feed.value/", "feed.value/"}},
		{says: "no unit text", break_: func(b, o, d m) { delete(valueOf(o), "unit") }, want: one("feed.quantity/")},
		{says: "no unit system", break_: func(b, o, d m) { delete(valueOf(o), "system") }, want: one("feed.quantity/")},
		{says: "no unit code", break_: func(b, o, d m) { delete(valueOf(o), "code") }, want: one("feed.quantity/")},
		{says: "grams", break_: func(b, o, d m) { valueOf(o)["code"] = "g" }, want: one("feed.unit/")},
		{says: "HbA1c in mg/dL", kind: "hba1c", break_: func(b, o, d m) { valueOf(o)["code"] = "mg/dL" }, want: one("feed.unit/")},
		{says: "pain with another unit text", kind: "pain", break_: func(b, o, d m) { valueOf(o)["unit"] = "/10" }, want: one("feed.unit/")},
		{says: "blood pressure with a value", kind: "blood-pressure", break_: func(b, o, d m) { o["valueQuantity"] = quantity(120, "mm[Hg]", "mm[Hg]") }, want: one("feed.value/")},
		{says: "no diastolic pressure", kind: "blood-pressure", break_: func(b, o, d m) { o["component"] = o["component"].([]any)[:1] }, want: one("feed.component/")},
		{says: "two systolic pressures", kind: "blood-pressure", break_: func(b, o, d m) {
			c := o["component"].([]any)
			o["component"] = append(c, c[0])
		}, want: one("feed.component/")},
		{says: "a component that the profile lacks", kind: "blood-pressure", break_: func(b, o, d m) {
			o["component"] = append(o["component"].([]any), m{"code": coded(loinc, "8867-4"), "valueQuantity": quantity(60, "/min", "/min")})
		}, want: one("feed.component/")},
		{says: "a pressure in kPa", kind: "blood-pressure", break_: func(b, o, d m) { valueOf(o["component"].([]any)[0].(m))["code"] = "kPa" }, want: one("feed.unit/")},
		{says: "a pressure without value", kind: "blood-pressure", break_: func(b, o, d m) { delete(o["component"].([]any)[1].(m), "valueQuantity") }, want: one("feed.value/")},
		{says: "the BMI", kind: "bmi", break_: func(b, o, d m) {}, want: one("feed.bmi/")},
		{says: "a source that is not ours", break_: func(b, o, d m) { o["meta"].(m)["source"] = "urn:oid:1.2.250.1.888" }, want: one("feed.source/")},
		{says: "a source whose OID only begins alike", break_: func(b, o, d m) { o["meta"].(m)["source"] = "urn:oid:" + testOID + "7" }, want: one("feed.source/")},

		{says: "glucose without moment", kind: "glucose", break_: func(b, o, d m) { delete(o, "extension") }, want: one("feed.moment-missing/")},
		{says: "glucose with days", kind: "glucose", break_: func(b, o, d m) {
			o["extension"] = append(o["extension"].([]any), m{"url": ansExtensions + daysExtension, "valueCodeableConcept": coded(taasip, "GEN-275")})
		}, want: one("feed.days-forbidden/")},
		{says: "HbA1c with a moment", kind: "hba1c", break_: func(b, o, d m) {
			o["extension"] = []any{m{"url": ansExtensions + momentExtension, "valueCodeableConcept": coded(loinc, "53049-3")}}
		}, want: one("feed.moment-forbidden/")},
		{says: "interstitial glucose without days", kind: "interstitial-glucose", break_: func(b, o, d m) { delete(o, "extension") }, want: one("feed.days-missing/")},
		{says: "a moment that is not in J157", kind: "glucose", break_: func(b, o, d m) { extensionOf(o, 0)["valueCodeableConcept"] = coded(loinc, "1-1") }, want: one("feed.binding/")},
		{says: "a moment without value", kind: "glucose", break_: func(b, o, d m) { delete(extensionOf(o, 0), "valueCodeableConcept") }, want: one("feed.binding/")},
		{says: "days that are not in J164", kind: "gmi", break_: func(b, o, d m) { extensionOf(o, 0)["valueCodeableConcept"] = coded(taasip, "GEN-999") }, want: one("feed.binding/")},
		{says: "a method that is not in J145", break_: func(b, o, d m) { o["method"] = coded("urn:emdn", "K50BI02") }, want: one("feed.binding/")},
		{says: "a method as text", break_: func(b, o, d m) { o["method"] = m{"text": "balance"} }, want: one("feed.binding/")},
		{says: "a method for pressure that is not in J150", kind: "blood-pressure", break_: func(b, o, d m) { o["method"] = coded("urn:emdn", "X") }, want: one("feed.binding/extensible")},
		{says: "a body site that is not in J149", kind: "blood-pressure", break_: func(b, o, d m) { o["bodySite"] = coded("urn:fma", "24890") }, want: one("feed.binding/")},
		{says: "a body site in the wrong code system", kind: "temperature", break_: func(b, o, d m) { o["bodySite"] = coded("urn:fma", "34402009") }, want: one("feed.binding/")},

		{says: "vital signs twice", break_: func(b, o, d m) { o["category"] = append(o["category"].([]any), coded(categorySystem, categoryCode)) }, want: one("feed.category/twice")},
		{says: "the code of the measure twice", break_: func(b, o, d m) {
			o["code"] = m{"coding": []any{m{"system": loinc, "code": "29463-7"}, m{"system": loinc, "code": "29463-7", "display": "Poids"}}}
		}, want: one("feed.code/twice")},
		{says: "a method with a second coding that has no system", kind: "temperature", break_: func(b, o, d m) {
			o["method"] = m{"coding": []any{m{"system": "urn:emdn", "code": "V03010102"}, m{"code": "local"}}}
		}, want: one("feed.coding/")},
		{says: "a body site with a second coding that has no code", kind: "blood-pressure", break_: func(b, o, d m) {
			o["bodySite"] = m{"coding": []any{m{"system": "http://snomed.info/sct", "code": "53120007"}, m{"system": "urn:x", "display": "bras"}}}
		}, want: one("feed.coding/")},
		{says: "a reason as a code", break_: func(b, o, d m) {
			o["extension"] = []any{m{"url": ansExtensions + "mesures-reason-for-measurement", "valueCode": "x"}}
		}, want: one("feed.extension/")},
		{says: "two reasons", break_: func(b, o, d m) {
			r := m{"url": ansExtensions + "mesures-reason-for-measurement", "valueString": "contrôle"}
			o["extension"] = []any{r, r}
		}, want: one("feed.extension/twice")},
		{says: "a moment on a weight", break_: func(b, o, d m) {
			o["extension"] = []any{m{"url": ansExtensions + momentExtension, "valueCodeableConcept": coded(loinc, "53049-3")}}
		}, want: one("feed.extension/foreign")},
		{says: "two codings for a moment", kind: "heart-rate", break_: func(b, o, d m) {
			o["extension"] = []any{m{"url": ansExtensions + momentExtension, "valueCodeableConcept": m{"coding": []any{m{"system": "u", "code": "a"}, m{"system": "u", "code": "b"}}}}}
		}, want: one("feed.extension/")},
		{says: "a moment whose coding has no code", kind: "heart-rate", break_: func(b, o, d m) {
			o["extension"] = []any{m{"url": ansExtensions + momentExtension, "valueCodeableConcept": m{"coding": []any{m{"system": "u"}}}}}
		}, want: one("feed.coding/")},
		{says: "a reference range for nobody known", kind: "heart-rate", break_: func(b, o, d m) {
			o["referenceRange"] = []any{m{"low": quantity(50, "/min", "/min"), "appliesTo": []any{coded("urn:x", "athlete")}}}
		}, want: one("feed.binding/")},

		{says: "a Device without profile", device: true, break_: func(b, o, d m) { delete(d, "meta") }, want: one("feed.device-profile/")},
		{says: "no link to the Device", device: true, break_: func(b, o, d m) { delete(o, "device") }, want: one("feed.device-link/")},
		{says: "a link to another Device", device: true, break_: func(b, o, d m) { o["device"] = m{"reference": "Device/other"} }, want: one("feed.device-link/")},
		{says: "a link by URN", device: true, break_: func(b, o, d m) { o["device"] = m{"reference": "urn:uuid:" + d["id"].(string)} }, want: one("feed.device-link/")},
		{says: "a Device without id", device: true, break_: func(b, o, d m) { delete(d, "id") }, want: one("feed.device-link/")},
		{says: "a link without Device", break_: func(b, o, d m) { o["device"] = m{"reference": "Device/1"} }, want: one("feed.device-link/")},
		{says: "no condition", device: true, break_: func(b, o, d m) { delete(entryOf(b, 1)["request"].(m), "ifNoneExist") }, want: one("feed.if-none-exist/")},
		{says: "a condition without OID", device: true, break_: func(b, o, d m) { entryOf(b, 1)["request"].(m)["ifNoneExist"] = "identifier=74-E8" }, want: one("feed.if-none-exist/")},
		{says: "a condition on another identifier", device: true, break_: func(b, o, d m) {
			entryOf(b, 1)["request"].(m)["ifNoneExist"] = "identifier=urn:oid:" + testOID + ".7|00-00"
		}, want: one("feed.if-none-exist/other-identifier")},
		{says: "a condition under another publisher", device: true, break_: func(b, o, d m) {
			entryOf(b, 1)["request"].(m)["ifNoneExist"] = "identifier=urn:oid:1.2.840.1|74-E8"
			d["identifier"] = []any{m{"system": "urn:oid:1.2.840.1", "value": "74-E8"}}
		}, want: one("feed.if-none-exist/other-publisher")},
		{says: "another device type", device: true, break_: func(b, o, d m) { d["type"] = coded(mdc, "1") }, want: one("feed.device-type/")},
		{says: "no device type", device: true, break_: func(b, o, d m) { delete(d, "type") }, want: one("feed.device-type/")},
		{says: "a specialisation that is none", device: true, break_: func(b, o, d m) { d["specialization"] = []any{m{"systemType": coded(mdc, "1")}} }, want: one("feed.device-specialization/")},
		{says: "no specialisation", device: true, break_: func(b, o, d m) { delete(d, "specialization") }, want: one("feed.device-specialization/")},
	}
}

const ansExtensions = "https://interop.esante.gouv.fr/ig/fhir/mesures/StructureDefinition/"

// feedOf builds the message of a case, broken or not.
func (c broken) feedOf(t testing.TB, r *Rules, whole bool) []byte {
	kind := c.kind
	if kind == "" {
		kind = "weight"
	}
	o, d := goodObservation(r, kind), goodDevice()
	entries := []any{observationEntry(o)}
	if c.device {
		o["device"] = m{"reference": "Device/" + d["id"].(string)}
		entries = append(entries, deviceEntry(d))
	}
	b := transaction(entries...)
	if !whole {
		c.break_(b, o, d)
	}
	return raw(t, b)
}

func TestEachWayToBreakAFeedIsFoundAndNothingElse(t *testing.T) {
	r := testRules(t)
	for _, c := range brokenFeeds() {
		t.Run(c.says, func(t *testing.T) {
			_, issues := r.Feed(c.feedOf(t, r, false), testContext())
			sameRules(t, issues, c.want)
			for _, i := range issues {
				if !strings.HasPrefix(i.Pointer, "/") {
					t.Errorf("no pointer: %+v", i)
				}
			}
			if c.kind == "bmi" {
				return
			}
			if _, issues := r.Feed(c.feedOf(t, r, true), testContext()); len(issues) != 0 {
				t.Errorf("the whole message has issues: %+v", issues)
			}
		})
	}
}

// sameRules holds issues against the rule/case that are expected, and each
// issue against the catalogue.
func sameRules(t *testing.T, issues []record.Issue, want []string) {
	t.Helper()
	rows := map[string]Rule{}
	for _, row := range Catalogue() {
		rows[row.ID+"/"+row.Case] = row
	}
	left := append([]string(nil), want...)
	for _, i := range issues {
		found := false
		for n, w := range left {
			row, ok := rows[w]
			if !ok {
				t.Fatalf("%s is not in the catalogue", w)
			}
			if row.ID == i.Rule && row.HTTP == i.HTTP && row.Severity == i.Severity && row.Code == i.Code {
				left = append(left[:n], left[n+1:]...)
				found = true
				break
			}
		}
		if !found {
			t.Errorf("not expected: %+v", i)
		}
	}
	if len(left) > 0 {
		t.Errorf("not found: %v in %+v", left, issues)
	}
}

func TestBodiesThatAreNoBundleAreRefusedAsTheTableSays(t *testing.T) {
	r := testRules(t)
	for says, c := range map[string]struct{ in, want string }{
		"nothing":                   {"", "feed.json/"},
		"XML":                       {"<Bundle/>", "feed.json/"},
		"a member given twice":      {`{"resourceType":"Bundle","resourceType":"Bundle"}`, "feed.json/"},
		"a list":                    {`[]`, "feed.json/no-bundle"},
		"an Observation":            {`{"resourceType":"Observation"}`, "feed.json/no-bundle"},
		"a number beyond computing": {`{"resourceType":"Bundle","a":1e10000000}`, "feed.json/"},
	} {
		t.Run(says, func(t *testing.T) {
			f, issues := r.Feed([]byte(c.in), testContext())
			sameRules(t, issues, []string{c.want})
			if f.Observation != nil || Status(issues) != 400 {
				t.Errorf("%+v, status %d", f, Status(issues))
			}
		})
	}
	large := make([]byte, 1<<20+1)
	if _, issues := r.Feed(large, testContext()); Status(issues) != 413 || issues[0].Setting != "measure.max-bytes" {
		t.Errorf("%+v", issues)
	}
	other := testRules(t, map[string]string{"measure.no-bundle-status": "422"})
	if _, issues := other.Feed([]byte(`{}`), testContext()); Status(issues) != 422 {
		t.Errorf("the setting does not decide: %+v", issues)
	}
}

func TestSettingsDecideWhatIsAccepted(t *testing.T) {
	method := broken{break_: func(b, o, d m) { o["method"] = coded("urn:emdn", "K50BI02") }}
	loose := testRules(t, map[string]string{"measure.binding": "extensible"})
	_, issues := loose.Feed(method.feedOf(t, loose, false), testContext())
	sameRules(t, issues, []string{"feed.binding/extensible"})

	older := broken{break_: func(b, o, d m) { o["meta"] = m{"profile": []any{"urn:old/MESObservationBodyWeight"}} }}
	bases := testRules(t, map[string]string{"measure.canonical-bases": "urn:new/,urn:old/"})
	if _, issues := bases.Feed(older.feedOf(t, bases, false), testContext()); len(issues) != 0 {
		t.Errorf("%+v", issues)
	}

	codes := "weight=3141-9,height=8302-2,bmi=39156-5,blood-pressure=85354-9,temperature=8310-5,glucose=2345-7,hba1c=4548-4," +
		"interstitial-glucose=MED-969,gmi=MED-972,pain=72514-3,steps=41950-7,waist=8280-0,head=9843-4,heart-rate=8867-4"
	changed := testRules(t, map[string]string{"measure.codes": codes})
	if got := changed.KindOfCode("9843-4"); got != "head" {
		t.Errorf("9843-4 is of %q", got)
	}
	if f, issues := changed.Feed(broken{}.feedOf(t, changed, true), testContext()); f.Kind != "weight" || len(issues) != 0 {
		t.Errorf("%s, %+v", f.Kind, issues)
	}
}

func TestSettingsThatMakeNoSenseAreRefused(t *testing.T) {
	for says, o := range map[string]map[string]string{
		"an unknown zone":        {"search.timezone": "Europe/Nulle-Part"},
		"a kind without code":    {"measure.codes": "weight=29463-7"},
		"a code without kind":    {"measure.codes": "29463-7"},
		"a kind that is unknown": {"measure.codes": "poids=29463-7"},
	} {
		t.Run(says, func(t *testing.T) {
			s := testRules(t).set
			s, err := s.With(o)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := NewRules(s); err == nil {
				t.Error("accepted")
			}
		})
	}
}

func TestTheOffsetOfAnInstantIsNotedAndNotRefused(t *testing.T) {
	r := testRules(t)
	c := broken{break_: func(b, o, d m) { o["effectiveDateTime"] = "2026-11-22" }}
	if _, issues := r.Feed(c.feedOf(t, r, false), testContext()); Status(issues) != 0 || len(issues) != 1 {
		t.Errorf("%+v", issues)
	}
}

func TestAConditionMayBePercentEncoded(t *testing.T) {
	r := testRules(t)
	c := broken{device: true, break_: func(b, o, d m) {
		q := entryOf(b, 1)["request"].(m)
		q["ifNoneExist"] = strings.Replace(q["ifNoneExist"].(string), "|", "%7C", 1)
	}}
	f, issues := r.Feed(c.feedOf(t, r, false), testContext())
	if len(issues) != 0 || !strings.Contains(f.IfNoneExist, "|") {
		t.Errorf("%q, %+v", f.IfNoneExist, issues)
	}
}

func TestAnEmptyContextComparesWithNothing(t *testing.T) {
	r := testRules(t)
	c := broken{break_: func(b, o, d m) { o["meta"].(m)["source"] = "urn:oid:9.9" }}
	if f, issues := r.Feed(c.feedOf(t, r, false), Context{}); len(issues) != 0 || f.RequestIDPe != testIDPe {
		t.Errorf("%+v, %+v", f, issues)
	}
}

func TestIssuesDoNotTellWhoThePatientIs(t *testing.T) {
	r := testRules(t)
	c := broken{break_: func(b, o, d m) { o["subject"] = m{"identifier": m{"system": "urn:oid:2.25.1", "value": "idpe-0002"}} }}
	_, issues := r.Feed(c.feedOf(t, r, false), testContext())
	b, err := json.Marshal(issues)
	if err != nil {
		t.Fatal(err)
	}
	if s := string(b); strings.Contains(s, "idpe-000") || strings.Contains(s, "2.25") {
		t.Error(s)
	}
}
