package cda_test

import (
	"encoding/xml"
	"os"
	"path/filepath"
	"testing"

	"github.com/etalon-sante/etalon/sandbox/cda"
)

// published is where the published material is, beside the repository.
const published = "../../../shared/data"

// valueSet reads a value set in the form of IHE SVS.
func valueSet(t *testing.T, name string) map[[2]string]bool {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(published, "jdv-svs", name+".xml"))
	if err != nil {
		t.Skipf("NOT COMPARED with the value sets of ANS: %v", err)
	}
	var v struct {
		Concepts []struct {
			Code   string `xml:"code,attr"`
			System string `xml:"codeSystem,attr"`
		} `xml:"ValueSet>ConceptList>Concept"`
	}
	if err := xml.Unmarshal(raw, &v); err != nil || len(v.Concepts) == 0 {
		t.Fatalf("%s: %d concepts, %v", name, len(v.Concepts), err)
	}
	out := map[[2]string]bool{}
	for _, c := range v.Concepts {
		out[[2]string{c.System, c.Code}] = true
	}
	return out
}

func sets(t *testing.T) map[string]func(system, code string) bool {
	t.Helper()
	out := map[string]func(string, string) bool{}
	for _, name := range cda.Sets() {
		set := valueSet(t, name)
		out[name] = func(system, code string) bool { return set[[2]string{system, code}] }
	}
	return out
}

// The codes of the published documents are asked of the published value sets:
// a disagreement would be a fault of the material, or of where we look for codes.
func TestTheCodesOfPublishedDocumentsAreInThePublishedSets(t *testing.T) {
	held := sets(t)
	files, _ := filepath.Glob(filepath.Join(published, "cda", "*.xml"))
	if len(files) != 16 {
		t.Skipf("NOT COMPARED: %d published documents where 16 are known", len(files))
	}
	asked := map[string]int{}
	counting := map[string]func(string, string) bool{}
	for name, holds := range held {
		counting[name] = func(system, code string) bool { asked[name]++; return holds(system, code) }
	}
	for _, f := range files {
		raw, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		d, err := cda.Read(raw)
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range cda.Check(d, cda.Context{Sets: counting}) {
			if x.Rule == cda.RuleValueSet {
				t.Errorf("%s: %+v", filepath.Base(f), x)
			}
		}
	}
	for _, name := range cda.Sets() {
		if asked[name] < 10 {
			t.Errorf("%s was asked about %d codes only", name, asked[name])
		}
	}
	t.Logf("codes asked of each set: %v", asked)
}

func TestTheCodesThatRulesCarryAreThoseOfThePublishedSets(t *testing.T) {
	for name, want := range map[string][][2]string{
		"JDV_HL7_Confidentiality_CISIS": {
			{"2.16.840.1.113883.5.25", "L"},
			{"2.16.840.1.113883.5.25", "M"},
			{"2.16.840.1.113883.5.25", "N"},
			{"2.16.840.1.113883.5.25", "R"},
			{"2.16.840.1.113883.5.25", "U"},
			{"2.16.840.1.113883.5.25", "V"},
		},
		"JDV_J143_AdministrativeGender_CISIS": {{"2.16.840.1.113883.5.1", "F"}, {"2.16.840.1.113883.5.1", "M"}, {"2.16.840.1.113883.5.1", "UN"}},
	} {
		set := valueSet(t, name)
		if len(set) != len(want) {
			t.Errorf("%s holds %d codes, the rules %d", name, len(set), len(want))
		}
		for _, c := range want {
			if !set[c] {
				t.Errorf("%s does not hold %v", name, c)
			}
		}
	}
}
