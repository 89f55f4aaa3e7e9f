package journey_test

import (
	"testing"

	"github.com/etalon-sante/etalon/suites/probe/journey"
)

func TestAFileIsWhatItHoldsNotWhatItIsCalled(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]journey.File{
		`{"resourceType": "Bundle", "type": "collection"}`: {Format: "FHIR", Read: true},
		`{"poids": [72, 73]}`:                              {Format: "JSON", Read: true},
		`[]`:                                               {Format: "JSON", Read: true},
		"{\"a\": 1}\n{\"a\": 2}\n":                         {Format: "JSON", Read: true},
		`{"a": `:                                           {Format: "text"},
		`<Bundle xmlns="http://hl7.org/fhir"><type value="x"/></Bundle>`: {Format: "FHIR", Read: true},
		`<?xml version="1.0"?><dossier><poids>72</poids></dossier>`:      {Format: "XML", Read: true},
		`<dossier><poids>`: {Format: "text"},
		"<!doctype html><html lang=\"fr\"><p>Mes données</p></html>":       {Format: "HTML"},
		"\ufeffDate;Poids\n2026-11-22;72,5\n2026-11-23;72,4\n":             {Format: "CSV", Read: true},
		"date,poids\r\n2026-11-22,\"72\"\r\n":                              {Format: "CSV", Read: true},
		"Bonjour, voici vos données.\nVotre poids est de 72 kg. Au revoir": {Format: "text"},
		"%PDF-1.7 …": {Format: "PDF"},
		"":           {Format: "other"},
		"\xff\xfe":   {Format: "other"},
	} {
		if got := journey.Recognise([]byte(text)); got != want {
			t.Errorf("%.40q is %+v, want %+v", text, got, want)
		}
	}
}

func FuzzRecognise(f *testing.F) {
	for _, s := range []string{`{"a":1}`, "<a/>", "a;b\n1;2\n", "%PDF-", "\"\n", "<!doctype html>", "{\n", "a,\"b\nc\",d\n1,2,3"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if got := journey.Recognise(b); got.Format == "" || got.Read && (got.Format == "PDF" || got.Format == "HTML" || got.Format == "text" || got.Format == "other") {
			t.Errorf("%q is %+v", b, got)
		}
	})
}
