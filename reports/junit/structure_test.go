package junit_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/etalon-sante/etalon/reports"
	"github.com/etalon-sante/etalon/reports/internal/sample"
)

// What the schema of Jenkins' xUnit plug-in (junit-10.xsd), the strictest of those
// that CI servers go by, allows of what we write: of each element where it stands,
// its attributes, and those that must be there. The schema itself is asked with
// ETALON_ORACLES=1 (reports/oracle_test.go).
func allowed() map[string]struct{ in, attributes, required string } {
	return map[string]struct{ in, attributes, required string }{
		"testsuites": {"", "name time tests failures disabled errors", ""},
		"testsuite":  {"testsuites", "name tests failures errors group time skipped timestamp hostname id package file log url version", "name tests"},
		"properties": {"testsuite", "", ""},
		"property":   {"properties", "name value", "name value"},
		"testcase":   {"testsuite", "name assertions time timestamp classname status class file line log group url", "name"},
		"failure":    {"testcase", "type message", ""},
		"error":      {"testcase", "type message", ""},
		"skipped":    {"testcase", "type message", ""},
		"system-out": {"testcase", "", ""},
	}
}

func TestTheStructureIsThatOfTheSchema(t *testing.T) {
	var empty reports.Report
	empty.Conclude()
	for name, r := range map[string]reports.Report{"sample": sample.Report(), "few": sample.Few(), "known": sample.Known(), "empty": empty, "hostile": sample.Hostile("]]><failure/>\x00")} {
		if wrong := structure(write(t, r, "fr")); wrong != "" {
			t.Errorf("%s: %s", name, wrong)
		}
	}
	for _, broken := range []string{`<testsuites skipped="1"/>`, `<testsuite name="a" tests="1"/>`, `<testsuites><testsuite name="a"/></testsuites>`, `<testsuites><testcase name="a"/></testsuites>`} {
		if structure([]byte(broken)) == "" {
			t.Errorf("%s is taken for right", broken)
		}
	}
}

func structure(b []byte) string {
	table, open := allowed(), []string{""}
	d := xml.NewDecoder(bytes.NewReader(b))
	for {
		tok, err := d.Token()
		if errors.Is(err, io.EOF) {
			return ""
		}
		if err != nil {
			return err.Error()
		}
		switch x := tok.(type) {
		case xml.StartElement:
			rule, ok := table[x.Name.Local]
			if !ok || rule.in != open[len(open)-1] {
				return "an element " + x.Name.Local + " in " + open[len(open)-1]
			}
			var names []string
			for _, a := range x.Attr {
				names = append(names, a.Name.Local)
				if !slices.Contains(strings.Fields(rule.attributes), a.Name.Local) {
					return x.Name.Local + " with " + a.Name.Local
				}
			}
			for _, must := range strings.Fields(rule.required) {
				if !slices.Contains(names, must) {
					return x.Name.Local + " without " + must
				}
			}
			open = append(open, x.Name.Local)
		case xml.EndElement:
			open = open[:len(open)-1]
		}
	}
}
