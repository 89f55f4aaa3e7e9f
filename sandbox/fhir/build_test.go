package fhir

import (
	"encoding/json"
	"testing"

	"github.com/etalon-sante/etalon/sandbox/settings"
)

const (
	testIDPe = "idpe-0001"
	testAuth = "urn:oid:2.25.4711"
	testOID  = "1.2.250.1.999.1"
)

func testContext() Context { return Context{IDPe: testIDPe, AssignAuth: testAuth, OID: testOID} }

func testRules(t testing.TB, overrides ...map[string]string) *Rules {
	t.Helper()
	s, err := settings.Load()
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range overrides {
		if s, err = s.With(o); err != nil {
			t.Fatal(err)
		}
	}
	r, err := NewRules(s)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

type m = map[string]any

func coded(system, code string) m { return m{"coding": []any{m{"system": system, "code": code}}} }

func quantity(value any, unit, code string) m {
	return m{"value": value, "unit": unit, "system": ucum, "code": code}
}

// goodObservation builds a conformant Observation of a kind.
func goodObservation(r *Rules, kind string) m {
	for _, x := range r.Measures() {
		if x.Kind != kind {
			continue
		}
		o := m{
			"resourceType":      "Observation",
			"meta":              m{"profile": []any{x.Profiles[0]}},
			"status":            "final",
			"category":          []any{coded(categorySystem, categoryCode)},
			"code":              coded(x.System, x.Code),
			"subject":           m{"identifier": m{"system": testAuth, "value": testIDPe}},
			"effectiveDateTime": "2026-11-22T08:30:00+01:00",
		}
		unit := map[string]string{"pain": "Level", "steps": "steps/day"}[kind]
		if unit == "" {
			unit = x.Unit
		}
		if len(x.Components) > 0 {
			o["component"] = []any{
				m{"code": coded(loinc, "8480-6"), "valueQuantity": quantity(120, "mm[Hg]", "mm[Hg]")},
				m{"code": coded(loinc, "8462-4"), "valueQuantity": quantity(80, "mm[Hg]", "mm[Hg]")},
			}
		} else {
			o["valueQuantity"] = quantity(json.Number("72.5"), unit, x.Unit)
		}
		var ext []any
		if x.Moment == "mandatory" {
			ext = append(ext, m{"url": r.extensionBase + momentExtension, "valueCodeableConcept": coded(loinc, "53049-3")})
		}
		if x.Days == "mandatory" {
			ext = append(ext, m{"url": r.extensionBase + daysExtension, "valueCodeableConcept": coded(taasip, "GEN-275")})
		}
		if ext != nil {
			o["extension"] = ext
		}
		return o
	}
	return nil
}

func goodDevice() m {
	return m{
		"resourceType": "Device", "id": "5f0c7f2e-0f5d-4a53-9f0a-3a1c8f1b2c3d",
		"meta":           m{"profile": []any{"http://hl7.org/fhir/uv/phd/StructureDefinition/PhdDevice"}},
		"identifier":     []any{m{"system": "urn:oid:" + testOID + ".7", "value": "74-E8-FF-FE-FF-05-1C-00"}},
		"manufacturer":   "Fabricant fictif",
		"type":           coded(mdc, deviceType),
		"specialization": []any{m{"systemType": coded(mdc, "528399")}},
	}
}

func observationEntry(o m) m {
	return m{
		"fullUrl": "b3f2d6f0-5a7a-4c52-9d6c-0e2f5f3b9a11", "resource": o,
		"request": m{"method": "POST", "url": "Observation"},
	}
}

func deviceEntry(d m) m {
	return m{
		"resource": d,
		"request": m{
			"method": "POST", "url": "Device",
			"ifNoneExist": "identifier=urn:oid:" + testOID + ".7|74-E8-FF-FE-FF-05-1C-00",
		},
	}
}

func transaction(entries ...any) m {
	return m{"resourceType": "Bundle", "type": "transaction", "entry": entries}
}

func raw(t testing.TB, v any) []byte {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
