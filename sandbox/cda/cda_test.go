package cda_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/etalon-sante/etalon/fixtures/data"
	"github.com/etalon-sante/etalon/fixtures/people"
	"github.com/etalon-sante/etalon/sandbox/cda"
)

// own is a document of our own writing, in its second version.
func own(t testing.TB, format string) string {
	t.Helper()
	at := time.Date(2026, 11, 22, 8, 30, 0, 0, time.FixedZone("", 3600))
	p := people.Patient(1, 4) // born in Ajaccio
	d := data.N1(1, "r", p, at)
	if format == data.CDAN3 {
		d = data.N3(1, "r", p, at)
	}
	c := data.NewClinical(d, "1.2.250.1.999.1.7.2", "1.2.250.1.999.1.7", "999999998", "Carnet Clair SAS")
	c.Succeeds("1.2.250.1.999.1.7.1", 1)
	b, err := c.Render()
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func check(t testing.TB, doc string, c cda.Context) []string {
	t.Helper()
	d, err := cda.Read([]byte(doc))
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, f := range cda.Check(d, c) {
		if !strings.HasPrefix(f.Path, "/ClinicalDocument") || f.Actual == "" || f.Line < 1 {
			t.Errorf("a finding that does not say where or what: %+v", f)
		}
		if !slices.Contains(out, f.Rule) {
			out = append(out, f.Rule)
		}
	}
	slices.Sort(out)
	return out
}

func patient() *cda.Patient {
	p := people.Patient(1, 4)
	return &cda.Patient{INS: p.INS, FamilyName: p.FamilyName, BirthDate: p.BirthDate, Sex: p.Sex}
}

func before() []cda.Known {
	return []cda.Known{{ID: cda.Identifier{Root: "1.2.250.1.999.1.7.1"}, SetID: cda.Identifier{Root: "1.2.250.1.999.1.7"}, Version: 1}}
}

func TestADocumentOfOurOwnKeepsEveryRule(t *testing.T) {
	for _, format := range []string{data.CDAN1, data.CDAN3} {
		if got := check(t, own(t, format), cda.Context{Patient: patient(), Known: before()}); len(got) > 0 {
			t.Errorf("%s: %v", format, got)
		}
	}
}

// change is one thing done to a document, and the rules that it breaks.
type change struct {
	name, old, with string
	n3              bool
	rules           []string
}

func changes() []change {
	ins := people.Patient(1, 4).INS
	born := strings.ReplaceAll(people.Patient(1, 4).BirthDate, "-", "")
	return []change{
		{"another realm", `realmCode code="FR"`, `realmCode code="US"`, false, []string{cda.RuleRealm}},
		{"two realms", `<realmCode code="FR"/>`, `<realmCode code="FR"/><realmCode code="FR"/>`, false, []string{cda.RuleRealm}},
		{"another standard", `POCD_HD000040`, `POCD_HD000020`, false, []string{cda.RuleTypeID}},
		{"no HL7 France", `<templateId root="2.16.840.1.113883.2.8.2.1"/>`, ``, true, []string{cda.RuleTemplateHL7}},
		{"no CI-SIS", `<templateId root="1.2.250.1.213.1.1.1.1"/>`, ``, true, []string{cda.RuleTemplateCISIS}},
		{"two templates only for a file", `<templateId root="2.16.840.1.113883.2.8.2.1"/>`, ``, false, []string{cda.RuleTemplateBody, cda.RuleTemplateHL7}},
		{"a fourth template for a file", `<templateId root="1.3.6.1.4.1.19376.1.2.20"/>`, `<templateId root="1.3.6.1.4.1.19376.1.2.20"/><templateId root="1.2.3"/>`, false, []string{cda.RuleTemplateBody}},
		{"no volet", `<templateId root="1.3.6.1.4.1.19376.1.5.3.1.1.1"/>`, ``, true, []string{cda.RuleTemplateBody}},
		{"no id", `<id root="1.2.250.1.999.1.7.2"/>`, ``, false, []string{cda.RuleID}},
		{"a code without system", `<code code="11488-4" codeSystem="2.16.840.1.113883.6.1" codeSystemName="LOINC"`, `<code code="11488-4"`, false, []string{cda.RuleCode}},
		{"a day that does not exist", `<effectiveTime value="20261122`, `<effectiveTime value="20261132`, false, []string{cda.RuleTime}},
		{"a time without offset", `<effectiveTime value="20261122083000+0100"`, `<effectiveTime value="20261122083000"`, false, []string{cda.RuleTime}},
		{"an unknown confidentiality", `confidentialityCode code="N"`, `confidentialityCode code="SECRET"`, false, []string{cda.RuleConfidentiality}},
		{"a language without country", `fr-FR`, `fr`, false, []string{cda.RuleLanguage}},
		{"no set", `<setId root="1.2.250.1.999.1.7"/>`, ``, false, []string{cda.RuleReplacedSet, cda.RuleSetID}},
		{"a version that is no number", `versionNumber value="2"`, `versionNumber value="2.0"`, false, []string{cda.RuleReplacedOrder, cda.RuleVersion}},
		{"the version of the one before", `versionNumber value="2"`, `versionNumber value="1"`, false, []string{cda.RuleReplacedOrder}},
		{"another set", `<setId root="1.2.250.1.999.1.7"/>`, `<setId root="1.2.250.1.999.1.8"/>`, false, []string{cda.RuleReplacedSet}},
		{"no patient", `patientRole>`, `patientRoleX>`, false, []string{cda.RulePatient}},
		{"an identifier without extension", `extension="` + ins + `"`, ``, false, []string{cda.RuleINSKey, cda.RuleOtherPatient, cda.RulePatientID}},
		{"a gender of another list", `administrativeGenderCode code="` + people.Patient(1, 4).Sex + `"`, `administrativeGenderCode code="X"`, false, []string{cda.RuleGender}},
		{"no birth date", `<birthTime value="` + born + `"/>`, ``, false, []string{cda.RuleBirth, cda.RuleINSTraits}},
		{"no birth place", `<county>2A004</county>`, ``, false, []string{cda.RuleINSTraits}},
		{"no birth name", `family qualifier="BR"`, `family qualifier="SP"`, false, []string{cda.RuleINSTraits}},
		{"a key off by one", ins, ins[:14] + string('0'+(ins[14]-'0'+1)%10), false, []string{cda.RuleINSKey, cda.RuleOtherPatient}},
		{"Corsica read as 20", ins[5:7] + ins[7:], "20" + ins[7:], false, []string{cda.RuleINSKey, cda.RuleOtherPatient}},
		{"the production authority", `1.2.250.1.213.1.4.10`, `1.2.250.1.213.1.4.8`, false, []string{cda.RuleINSProduction}},
		{"the production authority of waiting numbers", `1.2.250.1.213.1.4.10`, `1.2.250.1.213.1.4.9`, false, []string{cda.RuleINSProduction}},
		{"the demonstration authority", `1.2.250.1.213.1.4.10`, `1.2.250.1.213.1.4.11`, false, nil},
		{"the INS-C", `1.2.250.1.213.1.4.10`, `1.2.250.1.213.1.4.2`, false, []string{cda.RuleINSObsolete}},
		{"an authority that nobody knows", `1.2.250.1.213.1.4.10`, `1.2.250.1.213.1.4.13`, false, []string{cda.RuleINSRange}},
		{"another birth date", born, "19010101", false, []string{cda.RuleOtherPatient}},
		{"no author", `author>`, `authorX>`, false, []string{cda.RuleAuthor}},
		{"an author without time", "<author>\n<time value=\"20261122083000+0100\"/>", "<author>", false, []string{cda.RuleAuthor}},
		{"nobody keeps it", `custodian>`, `custodianX>`, false, []string{cda.RuleCustodian}},
		{"nobody answers for it", `legalAuthenticator>`, `legalAuthenticatorX>`, false, []string{cda.RuleAuthenticator}},
		{"another signature", `signatureCode code="S"`, `signatureCode code="I"`, false, []string{cda.RuleAuthenticator}},
		{"nothing was done", `documentationOf>`, `documentationOfX>`, false, []string{cda.RuleEvent}},
		{"no practice setting", `standardIndustryClassCode code="AMBULATOIRE"`, `standardIndustryClassCode`, false, []string{cda.RuleEvent}},
		{"nowhere", `componentOf>`, `componentOfX>`, false, []string{cda.RuleEncounter}},
		{"no kind of place", `<code code="SA07"`, `<code codeX="SA07"`, false, []string{cda.RuleEncounter}},
		{"an append in place of a replacement", `typeCode="RPLC"`, `typeCode="APND"`, false, []string{cda.RuleReplacement}},
		{"a replacement of nothing", `<id root="1.2.250.1.999.1.7.1"/>`, ``, false, []string{cda.RuleReplacement}},
		{"a replacement of itself", `1.2.250.1.999.1.7.1`, `1.2.250.1.999.1.7.2`, false, []string{cda.RuleReplacement}},
		{"a replacement of a stranger", `1.2.250.1.999.1.7.1`, `1.2.250.1.999.1.9.1`, false, []string{cda.RuleReplacedKnown}},
		{"a parent of the same version", `<id root="1.2.250.1.999.1.7.1"/>`, `<id root="1.2.250.1.999.1.7.1"/><versionNumber value="2"/>`, false, []string{cda.RuleReplacedOrder}},
		{"a parent of another set", `<id root="1.2.250.1.999.1.7.1"/>`, `<id root="1.2.250.1.999.1.7.1"/><setId root="1.2.3"/>`, false, []string{cda.RuleReplacedSet}},
		{"no body", `nonXMLBody`, `nonXMLBodyX`, false, []string{cda.RuleBody}},
		{"an image in place of a PDF", `application/pdf`, `image/png`, false, []string{cda.RuleN1Media}},
		{"text in place of base64", `representation="B64">`, `representation="B64">%PDF-1.4 `, false, []string{cda.RuleN1Content}},
		{"something that is no PDF", `representation="B64">`, `representation="B64">QUJD`, false, []string{cda.RuleN1Content}},
		{"a section without code", `<code code="29299-5"`, `<code codeX="29299-5"`, true, []string{cda.RuleN3Sections}},
		{"no sections", `section>`, `sectionX>`, true, []string{cda.RuleN3Sections}},
		{"a telephone without scheme", `<addr nullFlavor="NASK"/>`, `<addr nullFlavor="NASK"/><telecom value="0199000000"/>`, false, []string{cda.RuleTelecom}},
		{"a use that is none", `<addr nullFlavor="NASK"/>`, `<addr nullFlavor="NASK"/><telecom value="tel:0199000000" use="H X"/>`, false, []string{cda.RuleTelecom}},
		{"a reason that is none", `<addr nullFlavor="NASK"/>`, `<addr nullFlavor="NA"/>`, false, []string{cda.RuleNullFlavor}},
	}
}

func (c change) apply(t testing.TB) string {
	format := data.CDAN1
	if c.n3 {
		format = data.CDAN3
	}
	doc := own(t, format)
	if !strings.Contains(doc, c.old) {
		t.Fatalf("%s: %q does not stand in the document", c.name, c.old)
	}
	if strings.HasPrefix(c.old, "<setId") || strings.HasPrefix(c.old, "<id root") || strings.HasPrefix(c.old, "<code code=\"11488") || strings.HasPrefix(c.old, "<code code=\"29") {
		return strings.Replace(doc, c.old, c.with, 1)
	}
	return strings.ReplaceAll(doc, c.old, c.with)
}

func TestEachChangeBreaksItsRulesAndNoOther(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range changes() {
		t.Run(c.name, func(t *testing.T) {
			got := check(t, c.apply(t), cda.Context{Patient: patient(), Known: before()})
			if want := slices.Sorted(slices.Values(c.rules)); !slices.Equal(got, want) {
				t.Errorf("got %v, want %v", got, want)
			}
		})
		for _, r := range c.rules {
			seen[r] = true
		}
	}
	doc := own(t, data.CDAN1)
	from, to := strings.Index(doc, "<title>"), strings.Index(doc, "</title>")
	for rule, text := range map[string]string{
		cda.RuleTitle:       doc[:from] + "<title> " + doc[to:],
		cda.RulePatientName: strings.ReplaceAll(strings.ReplaceAll(doc, "<given>", "<givenX>"), "</given>", "</givenX>"),
	} {
		text = strings.ReplaceAll(text, "<given qualifier=\"BR\">"+strings.ToUpper(people.Patient(1, 4).GivenName)+"</givenX>", "<x/>")
		if got := check(t, text, cda.Context{}); !slices.Contains(got, rule) {
			t.Errorf("%s: got %v", rule, got)
		}
		seen[rule] = true
	}
	holds := func(string, string) bool { return false }
	if got := check(t, doc, cda.Context{Sets: map[string]func(string, string) bool{cda.SetTypes: holds}}); !slices.Equal(got, []string{cda.RuleValueSet}) {
		t.Errorf("a code outside of its set: %v", got)
	}
	seen[cda.RuleValueSet], seen[cda.RuleXML], seen[cda.RuleRoot] = true, true, true // the last two are of TestWhatCannotBeRead
	for _, r := range cda.Rules() {
		if !seen[r.ID] {
			t.Errorf("no document breaks %s", r.ID)
		}
	}
}

func TestWhatCannotBeReadIsNamed(t *testing.T) {
	doc := own(t, data.CDAN1)
	inner := doc[strings.Index(doc, "<ClinicalDocument"):]
	deep := strings.Repeat("<a>", 200) + strings.Repeat("</a>", 200)
	many := `<ClinicalDocument xmlns="urn:hl7-org:v3" ` + func() string {
		var b strings.Builder
		for range 70 {
			b.WriteString("a" + strings.Repeat("x", b.Len()%97+1) + `="" `)
		}
		return b.String()
	}() + "/>"
	for name, c := range map[string]struct{ text, rule, says string }{
		"nothing":                      {"", cda.RuleXML, "before its root"},
		"half of it":                   {doc[:len(doc)/2], cda.RuleXML, ""},
		"a document type":              {"<!DOCTYPE a>" + inner, cda.RuleXML, "document type"},
		"an external entity":           {`<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>` + strings.Replace(inner, "<title>", "<title>&x;", 1), cda.RuleXML, "document type"},
		"an entity of nobody":          {strings.Replace(doc, "<title>", "<title>&x;", 1), cda.RuleXML, "entity"},
		"Latin-1, said":                {strings.Replace(doc, `encoding="UTF-8"`, `encoding="ISO-8859-1"`, 1), cda.RuleXML, "ISO-8859-1"},
		"Latin-1, not said":            {strings.Replace(doc, "<title>", "<title>\xe9", 1), cda.RuleXML, "UTF-8"},
		"UTF-16":                       {"\xff\xfe<\x00a\x00", cda.RuleXML, "UTF-8"},
		"an ampersand":                 {strings.Replace(doc, "<title>", "<title>A & B", 1), cda.RuleXML, "entity"},
		"an attribute twice":           {strings.Replace(doc, `realmCode code="FR"`, `realmCode code="FR" code="US"`, 1), cda.RuleXML, "twice"},
		"an attribute twice, prefixed": {strings.Replace(doc, `<realmCode code="FR"`, `<realmCode xmlns:a="u" xmlns:b="u" a:c="1" b:c="2" code="FR"`, 1), cda.RuleXML, "twice"},
		"a prefix of nobody":           {strings.Replace(doc, `<realmCode code="FR"`, `<realmCode xsi:type="CS" code="FR"`, 1), cda.RuleXML, "xsi"},
		"two roots":                    {doc + "<a/>", cda.RuleXML, "second root"},
		"text after the end":           {doc + "a", cda.RuleXML, "outside"},
		"ends crossed":                 {strings.Replace(doc, "</title>", "</titel>", 1), cda.RuleXML, "titel"},
		"two hundred levels":           {`<ClinicalDocument xmlns="urn:hl7-org:v3">` + deep + `</ClinicalDocument>`, cda.RuleXML, "deep"},
		"too many attributes":          {many, cda.RuleXML, "attributes"},
		"a declaration in the middle":  {strings.Replace(doc, "<realmCode", `<?xml version="1.0"?><realmCode`, 1), cda.RuleXML, "declaration"},
		"something too long":           {strings.Repeat(" ", cda.MaxBytes+1), cda.RuleXML, "bytes"},
		"another document":             {"<html/>", cda.RuleRoot, "html"},
		"no namespace":                 {strings.Replace(doc, ` xmlns="urn:hl7-org:v3"`, "", 1), cda.RuleRoot, "ClinicalDocument"},
		"a stylesheet without one":     {`<xsl:stylesheet xmlns:xsl="http://www.w3.org/1999/XSL/Transform"/>`, cda.RuleRoot, "0 ClinicalDocument"},
		"a stylesheet with two":        {`<xsl:stylesheet xmlns:xsl="http://www.w3.org/1999/XSL/Transform">` + inner + inner + `</xsl:stylesheet>`, cda.RuleRoot, "2 ClinicalDocument"},
	} {
		_, err := cda.Read([]byte(c.text))
		var r *cda.ReadError
		if !errors.As(err, &r) || r.Rule != c.rule || !strings.Contains(r.Actual, c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestASelfPresentingDocumentIsJudgedForWhatItEmbeds(t *testing.T) {
	doc := own(t, data.CDAN3)
	inner := strings.Replace(doc[strings.Index(doc, "<ClinicalDocument"):], `realmCode code="FR"`, `realmCode code="BE"`, 1)
	text := "\xef\xbb\xbf" + `<?xml version="1.0"?><xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform"><d:Contenu xmlns:d="urn:x">` + inner + `</d:Contenu></xsl:stylesheet>`
	d, err := cda.Read([]byte(text))
	if err != nil || !d.SelfPresenting() || d.Kind() != cda.N3 {
		t.Fatalf("%v %v %v", err, d.SelfPresenting(), d.Kind())
	}
	if got := check(t, text, cda.Context{}); !slices.Equal(got, []string{cda.RuleRealm}) {
		t.Errorf("%v", got)
	}
}

func TestFactsSayWhatTheDocumentIs(t *testing.T) {
	d, err := cda.Read([]byte(own(t, data.CDAN1)))
	if err != nil {
		t.Fatal(err)
	}
	f := d.Facts()
	if f.Kind != cda.N1 || f.Version != 2 || f.Replaces == nil || f.Replaces.Root != "1.2.250.1.999.1.7.1" || f.Bytes != len(d.Content()) || f.Bytes < 100 ||
		len(f.Patient) != 1 || f.Patient[0].String() != cda.OIDTest+"^"+people.Patient(1, 4).INS {
		t.Errorf("%+v", f)
	}
	if got := cda.Unchecked(cda.Context{}); len(got) != 4 {
		t.Errorf("%v", got)
	}
}

func TestTheKeyIsThatOfTheRule(t *testing.T) {
	for ins, right := range map[string]bool{
		"279035121518989": true, "277076322082910": true, // of the examples of ANS
		people.Patient(1, 4).INS: true, people.Patient(1, 6).INS: true, // Corsica, both departments
		"279035121518988": false, "27903512151898": false, "2790351215189891": false, "2790351215189 9": false, "27903512151898é": false, "": false,
	} {
		if (cda.CheckKey(ins) == "") != right {
			t.Errorf("%s: %q", ins, cda.CheckKey(ins))
		}
	}
}
