package cda_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/etalon-sante/etalon/fixtures/data"
	"github.com/etalon-sante/etalon/sandbox/cda"
)

func seed(f *testing.F) {
	for _, format := range []string{data.CDAN1, data.CDAN3} {
		f.Add([]byte(own(f, format)))
	}
	for _, c := range changes() {
		f.Add([]byte(c.apply(f)))
	}
	inner := own(f, data.CDAN3)
	inner = inner[strings.Index(inner, "<ClinicalDocument"):]
	f.Add([]byte(`<xsl:stylesheet xmlns:xsl="http://www.w3.org/1999/XSL/Transform">` + inner + `</xsl:stylesheet>`))
	f.Add([]byte(`<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>`))
	f.Add([]byte(`<c:ClinicalDocument xmlns:c="urn:hl7-org:v3"><c:id root="1.2.250.1.213.1.4.8" extension="1"/></c:ClinicalDocument>`))
}

// FuzzRead: whatever is read is XML that an ordinary decoder accepts too, names
// a document, and reads the same twice; whatever is not says why.
func FuzzRead(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, raw []byte) {
		d, err := cda.Read(raw)
		if err != nil {
			var r *cda.ReadError
			if !errors.As(err, &r) || r.Actual == "" || r.Line < 0 {
				t.Fatalf("%v", err)
			}
			return
		}
		if !strings.Contains(string(raw), "ClinicalDocument") {
			t.Error("a document was read where none is named")
		}
		for x := xml.NewDecoder(bytes.NewReader(bytes.TrimPrefix(raw, []byte("\xef\xbb\xbf")))); ; {
			token, err := x.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("read here, and not by encoding/xml: %v", err)
			}
			if _, ok := token.(xml.Directive); ok {
				t.Fatal("a document type was let through")
			}
		}
		again, err := cda.Read(raw)
		if err != nil || !reflect.DeepEqual(d.Facts(), again.Facts()) {
			t.Error("read twice, told twice otherwise")
		}
	})
}

// FuzzCheck: the rules find the same twice, name a rule that exists and a place,
// and a document that is somebody else's never passes for the patient's.
func FuzzCheck(f *testing.F) {
	seed(f)
	known := map[string]bool{}
	for _, r := range cda.Rules() {
		known[r.ID] = true
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		d, err := cda.Read(raw)
		if err != nil {
			return
		}
		in := cda.Context{Patient: patient(), Known: before(), Sets: map[string]func(string, string) bool{
			cda.SetTypes: func(system, code string) bool { return len(code)%2 == 0 },
		}}
		found := cda.Check(d, in)
		if !slices.Equal(found, cda.Check(d, in)) {
			t.Error("found twice, not the same")
		}
		production := false
		for _, x := range found {
			if !known[x.Rule] || !strings.HasPrefix(x.Path, "/ClinicalDocument") || x.Line < 1 || x.Actual == "" {
				t.Errorf("%+v", x)
			}
			production = production || x.Rule == cda.RuleINSProduction
		}
		for _, id := range d.Facts().Patient {
			if cda.Production(id.Root) && !production {
				t.Errorf("%s enters", id)
			}
		}
		if len(found) == 0 && (d.Kind() == cda.None || len(d.Facts().Patient) == 0) {
			t.Error("nothing is found in a document without body or patient")
		}
	})
}
