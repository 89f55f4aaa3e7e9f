package sandbox_test

import (
	"encoding/json"

	. "github.com/onsi/gomega"
)

// object is a JSON object.
type object = map[string]any

const (
	profiles   = "https://fhir.monespacesante.fr/ref/mesure/StructureDefinition/"
	extensions = "https://interop.esante.gouv.fr/ig/fhir/mesures/StructureDefinition/"
	loinc      = "http://loinc.org"
	taasip     = "https://mos.esante.gouv.fr/NOS/TRE_R308-TAASIP/FHIR/TRE-R308-TAASIP"
	ucum       = "http://unitsofmeasure.org"
)

// nominal is a nominal measure of each kind that can be fed.
type nominal struct {
	kind, profile, system, code string
	value                       float64
	unit, ucum                  string
	moment, days                bool
}

func nominals() []nominal {
	return []nominal{
		{kind: "weight", profile: "mes-observation-bodyweight", system: loinc, code: "29463-7", value: 72.5, unit: "kg", ucum: "kg"},
		{kind: "height", profile: "mes-observation-bodyheight", system: loinc, code: "8302-2", value: 172, unit: "cm", ucum: "cm"},
		{kind: "blood-pressure", profile: "mes-observation-bp", system: loinc, code: "85354-9"},
		{kind: "temperature", profile: "mes-observation-bodytemperature", system: loinc, code: "8310-5", value: 37.2, unit: "Cel", ucum: "Cel"},
		{kind: "glucose", profile: "mes-observation-glucose", system: loinc, code: "2345-7", value: 98, unit: "mg/dL", ucum: "mg/dL", moment: true},
		{kind: "hba1c", profile: "mes-observation-glucose", system: loinc, code: "4548-4", value: 6.4, unit: "%", ucum: "%"},
		{kind: "interstitial-glucose", profile: "mes-observation-glucose", system: taasip, code: "MED-969", value: 120, unit: "mg/dL", ucum: "mg/dL", days: true},
		{kind: "gmi", profile: "mes-observation-glucose", system: taasip, code: "MED-972", value: 6.9, unit: "%", ucum: "%", days: true},
		{kind: "pain", profile: "mes-observation-painseverity", system: loinc, code: "72514-3", value: 4, unit: "Level", ucum: "1"},
		{kind: "steps", profile: "mes-observation-stepsbyday", system: loinc, code: "41950-7", value: 8000, unit: "steps/day", ucum: "1/(24.h)"},
		{kind: "waist", profile: "mes-observation-waistcircumference", system: loinc, code: "8280-0", value: 88, unit: "cm", ucum: "cm"},
		{kind: "head", profile: "mes-observation-headcircumference", system: loinc, code: "8287-5", value: 56, unit: "cm", ucum: "cm"},
		{kind: "heart-rate", profile: "mes-observation-heartrate", system: loinc, code: "8867-4", value: 64, unit: "/min", ucum: "/min"},
	}
}

func coded(system, code string) object {
	return object{"coding": []any{object{"system": system, "code": code}}}
}

func quantity(value float64, unit, code string) object {
	return object{"value": value, "unit": unit, "system": ucum, "code": code}
}

// observation is a nominal measure as a resource, without subject.
func (n nominal) observation(at string) object {
	o := object{
		"resourceType":      "Observation",
		"meta":              object{"profile": []any{profiles + n.profile}},
		"status":            "final",
		"category":          []any{coded("http://terminology.hl7.org/CodeSystem/observation-category", "vital-signs")},
		"code":              coded(n.system, n.code),
		"effectiveDateTime": at,
	}
	if n.kind == "blood-pressure" {
		o["component"] = []any{
			object{"code": coded(loinc, "8480-6"), "valueQuantity": quantity(121, "mm[Hg]", "mm[Hg]")},
			object{"code": coded(loinc, "8462-4"), "valueQuantity": quantity(79, "mm[Hg]", "mm[Hg]")},
		}
	} else {
		o["valueQuantity"] = quantity(n.value, n.unit, n.ucum)
	}
	if n.moment {
		o["extension"] = []any{object{"url": extensions + "mesures-moment-of-measurement", "valueCodeableConcept": coded(loinc, "53049-3")}}
	}
	if n.days {
		o["extension"] = []any{object{"url": extensions + "mesures-number-of-days", "valueCodeableConcept": coded(taasip, "GEN-276")}}
	}
	return o
}

const entryID = "6d1f3f0e-9a53-4e0e-8d0b-9f4b6d2f5a10"

// feed is a transaction that feeds one measure for whom tokens are for.
func feed(t tokens, o object) []byte {
	c := claims(t.ID)
	o["subject"] = object{"identifier": object{"system": c["assignAuth"], "value": c["idPe"]}}
	return bytesOf(object{"resourceType": "Bundle", "type": "transaction", "entry": []any{
		object{"fullUrl": entryID, "resource": o, "request": object{"method": "POST", "url": "Observation"}},
	}})
}

const deviceEntry = "0b7a3c1e-52b8-4f6e-a6a4-1f6b0f0c2d31"

// feedWithDevice is a weight and the scale that made it, the Device first.
func feedWithDevice(t tokens, oid string) []byte {
	c := claims(t.ID)
	o := nominals()[0].observation("2026-11-22T08:30:00+01:00")
	o["subject"] = object{"identifier": object{"system": c["assignAuth"], "value": c["idPe"]}}
	o["device"] = object{"reference": "Device/" + deviceEntry}
	device := object{
		"resourceType": "Device", "id": deviceEntry,
		"meta":           object{"profile": []any{"http://hl7.org/fhir/uv/phd/StructureDefinition/PhdDevice"}},
		"identifier":     []any{object{"system": "urn:oid:" + oid + ".1", "value": "02-11-22-33-44-55-66-77"}},
		"type":           coded("urn:iso:std:iso:11073:10101", "65573"),
		"specialization": []any{object{"systemType": coded("urn:iso:std:iso:11073:10101", "528399")}},
		"manufacturer":   "Appareils Fictifs",
	}
	return bytesOf(object{"resourceType": "Bundle", "type": "transaction", "entry": []any{
		object{"fullUrl": deviceEntry, "resource": device, "request": object{"method": "POST", "url": "Device", "ifNoneExist": "identifier=urn:oid:" + oid + ".1|02-11-22-33-44-55-66-77"}},
		object{"fullUrl": entryID, "resource": o, "request": object{"method": "POST", "url": "Observation"}},
	}})
}

// document is a document to feed, without subject.
func document(title, category string, content []byte) object {
	return object{
		"resourceType": "DocumentReference", "status": "current",
		"category": []any{coded("https://fhir.monespacesante.fr/ref/document/CodeSystem/categorie-document", category)},
		"date":     "2026-11-22T08:30:00+01:00",
		"content": []any{object{"attachment": object{
			"contentType": "text/plain", "title": title, "creation": "2026-11-22T08:30:00+01:00", "data": content,
		}}},
		"context": object{"period": object{"start": "2026-11-22T08:30:00+01:00"}},
	}
}

func documentOf(t tokens, d object) []byte {
	c := claims(t.ID)
	d["subject"] = object{"identifier": object{"system": c["assignAuth"], "value": c["idPe"]}}
	return bytesOf(d)
}

func bytesOf(v any) []byte {
	b, err := json.Marshal(v)
	Expect(err).NotTo(HaveOccurred())
	return b
}

// bundle is what tests read of a Bundle.
type bundle struct {
	ResourceType string
	Type         string
	Total        int
	Link         []struct{ Relation, URL string }
	Entry        []struct {
		FullURL  string
		Resource object
		Search   struct{ Mode string }
		Response struct{ Status, Location string }
	}
}

func bundleOf(r reply) bundle {
	var b bundle
	Expect(json.Unmarshal(r.body, &b)).To(Succeed(), "%s", r.body)
	Expect(b.ResourceType).To(Equal("Bundle"), "%s", r.body)
	return b
}

func (b bundle) link(relation string) string {
	for _, l := range b.Link {
		if l.Relation == relation {
			return l.URL
		}
	}
	return ""
}

// modes counts the entries per search mode.
func (b bundle) modes() map[string]int {
	out := map[string]int{}
	for _, e := range b.Entry {
		out[e.Search.Mode]++
	}
	return out
}
