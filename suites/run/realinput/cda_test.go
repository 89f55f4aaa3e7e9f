package realinput_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	fixtures "github.com/etalon-sante/etalon/fixtures/data"
	"github.com/etalon-sante/etalon/fixtures/people"
	"github.com/etalon-sante/etalon/sandbox/cda"
	probe "github.com/etalon-sante/etalon/suites/probe/cda"
)

var update = flag.Bool("update", false, "rewrite docs/real-input-cda.md and docs/real-input-cda.en.md")

// reason is why a published document breaks a rule, and who is right.
type reason struct{ rule, fr, en string }

// publishedClinical says what each of the clinical documents that ANS publishes
// is to be told. The faults known beforehand are those of ../shared/data/SOURCES.md;
// a document that stands here without reasons must give none.
func publishedClinical() map[string][]reason {
	key := reason{cda.RuleINSKey, "connu d'avance : la clé de l'INS n'est pas la bonne", "known beforehand: the key of the INS is not the right one"}
	production := reason{cda.RuleINSProduction, "connu d'avance : autorité de production pour une personne fictive ; le bac à sable refuse le document", "known beforehand: the production authority for a fictive person; the sandbox refuses the document"}
	return map[string][]reason{
		"BIO-CR-BIO_2021.01_Auto-Presentable.xml": nil,
		"BIO-CR-BIO_2021.01_Microbiologie_V1.xml": nil,
		"BIO-TROD_2024.01_Angine.xml":             nil,
		"CNAM-HR_2021.01.xml":                     nil,
		"CNAM-HR_2021.01_sans-info.xml":           nil,
		"CSE-CS8_2025.01.xml":                     {key, {cda.RuleINSRange, "noté, non reproché : l'autorité .13, dont le sens n'a pas été trouvé", "noted, not held against it: authority .13, whose meaning was not found"}},
		"CSE-MDE_2023.01.xml":                     {key, production},
		"DOC_NON_STRUCTURE_CDA-R2-N1.xml":         nil,
		"IMG_CR_IMG_2024.01_CDA-R2-Niveau-1.xml":  nil,
		"LDL-EES_2022.01.xml":                     nil,
		"OBP-SCM_2024.01.xml":                     {production},
		"OBP-SEM_2024.01.xml":                     {key, production},
		"VAC-NOTE_2023.01.xml":                    nil,
		"VSM_1.4_2022.01.xml":                     nil,
		"eDISP-MED_2024.01.xml":                   {production},
		"eP-MED-DM_2022.01_PosoNonStruct.xml":     nil,
	}
}

// mutant is a document of our own with one thing wrong.
type mutant struct {
	fr, en string
	change func(string) string
}

func without(element string) func(string) string {
	return func(s string) string {
		from := strings.Index(s, "<"+element+" ")
		if open := strings.Index(s, "<"+element+">"); from < 0 || open >= 0 && open < from {
			from = open
		}
		to := strings.Index(s[from:], "</"+element+">")
		if self := strings.Index(s[from:], "/>"); to < 0 || self >= 0 && self < strings.Index(s[from:], ">") {
			return s[:from] + s[from+self+2:]
		}
		return s[:from] + s[from+to+len(element)+3:]
	}
}

func swapped(old, with string) func(string) string {
	return func(s string) string { return strings.Replace(s, old, with, 1) }
}

func mutants() []mutant {
	out := []mutant{{"tel quel", "as it is", func(s string) string { return s }}}
	for _, e := range []string{
		"realmCode", "typeId", "templateId", "id", "code", "title", "effectiveTime", "confidentialityCode", "languageCode", "setId", "versionNumber",
		"recordTarget", "author", "custodian", "legalAuthenticator", "documentationOf", "componentOf", "component",
	} {
		out = append(out, mutant{"sans " + e, "without " + e, without(e)})
	}
	title := "<title>"
	return append(out,
		mutant{"titre après la date", "title after the date", func(s string) string {
			from, to := strings.Index(s, title), strings.Index(s, "</title>")+len("</title>")
			return strings.Replace(s[:from]+s[to:], "<confidentialityCode", s[from:to]+"<confidentialityCode", 1)
		}},
		mutant{"un élément inconnu", "an unknown element", swapped(title, "<subtitle/>"+title)},
		mutant{"nullflavor en minuscules", "nullflavor in lower case", swapped("nullFlavor", "nullflavor")},
		mutant{"nullFlavor hors de la liste du CI-SIS", "nullFlavor outside of the CI-SIS list", swapped(`nullFlavor="NASK"`, `nullFlavor="NA"`)},
		mutant{"version « 1.0 »", "version \"1.0\"", swapped(`versionNumber value="1"`, `versionNumber value="1.0"`)},
		mutant{"date du 32 du mois", "date on the 32nd of the month", swapped(`effectiveTime value="20261122`, `effectiveTime value="20261132`)},
		mutant{"clé de l'INS fausse", "wrong key of the INS", func(s string) string {
			ins := people.Patient(1, 4).INS
			return strings.Replace(s, ins, ins[:13]+"99", 1)
		}},
		mutant{"sexe d'une autre liste", "gender of another list", swapped(`" codeSystem="2.16.840.1.113883.5.1"/>`, `X" codeSystem="2.16.840.1.113883.5.1"/>`)},
		mutant{"pas de lieu de naissance", "no birth place", without("birthplace")},
		mutant{"le PDF n'en est pas un", "the PDF is none", swapped(`representation="B64">`, `representation="B64">QUJD`)},
		mutant{"base64 interrompu", "base64 broken off", swapped(`representation="B64">`, `representation="B64">é`)},
		mutant{"mediaType image/png", "mediaType image/png", swapped("application/pdf", "image/png")},
	)
}

// TestPublishedClinicalDocuments holds the table of verdicts, and the page that
// tells it: docs/real-input-cda.md.
func TestPublishedClinicalDocuments(t *testing.T) {
	folder := filepath.Join(data, "cda")
	if _, err := os.Stat(folder); err != nil {
		t.Skipf("NOT TRIED on the published clinical documents: %v", err)
	}
	options := probe.Options{Schema: filepath.Join(data, "cda-xsd")}
	if why := probe.Missing(options); why != (probe.Text{}) {
		t.Skipf("NOT COMPARED with xmllint: %s", why.EN)
	}
	names, err := filepath.Glob(filepath.Join(folder, "*.xml"))
	if err != nil {
		t.Fatal(err)
	}
	want := publishedClinical()
	if len(names) != len(want) {
		t.Errorf("%d documents are published, the table has %d", len(names), len(want))
	}
	var rows []clinicalRow
	for _, name := range names {
		raw, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		d, err := cda.Read(raw)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		base := filepath.Base(name)
		reasons, known := want[base]
		expected := []string{}
		for _, r := range reasons {
			expected = append(expected, r.rule)
		}
		slices.Sort(expected)
		if got := rulesOf(d); !known || !slices.Equal(got, expected) {
			t.Errorf("%s breaks %v, expected %v", base, got, expected)
		}
		rows = append(rows, clinicalRow{base, d, reasons, probe.Validate(t.Context(), options, raw).Verdict})
	}
	checkFacts(t, rows)
	var compared []comparison
	for _, m := range mutants() {
		text := m.change(ownClinical(t))
		if text == ownClinical(t) && m.en != "as it is" {
			t.Fatalf("%s changes nothing", m.en)
		}
		d, err := cda.Read([]byte(text))
		if err != nil {
			t.Fatalf("%s: %v", m.en, err)
		}
		compared = append(compared, comparison{m, rulesOf(d), probe.Validate(t.Context(), options, []byte(text)).Verdict})
	}
	for lang, path := range map[string]string{"fr": "../../../docs/real-input-cda.md", "en": "../../../docs/real-input-cda.en.md"} {
		page := clinicalPage{lang, rows, compared}.write()
		if *update {
			if err := os.WriteFile(path, []byte(page), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := os.ReadFile(path); err != nil || string(got) != page {
			t.Errorf("%s does not tell what is found now (%v): go test ./suites/run/realinput -run Clinical -update", path, err)
		}
	}
}

// checkFacts looks for what SOURCES.md says besides wrong identities.
func checkFacts(t *testing.T, rows []clinicalRow) {
	t.Helper()
	for _, r := range rows {
		f := r.doc.Facts()
		if self := strings.Contains(r.name, "Auto-Presentable"); f.SelfPresenting != self {
			t.Errorf("%s: self-presenting %t", r.name, f.SelfPresenting)
		}
		replaces := strings.Contains(r.name, "sans-info") || strings.HasPrefix(r.name, "IMG_")
		if (f.Replaces != nil) != replaces || replaces && f.Version != 2 {
			t.Errorf("%s: %+v", r.name, f)
		}
		if n1 := strings.HasPrefix(r.name, "DOC_NON") || strings.HasPrefix(r.name, "IMG_"); (f.Kind == cda.N1) != n1 || n1 && f.Bytes < 1000 {
			t.Errorf("%s: %+v", r.name, f)
		}
	}
}

func rulesOf(d cda.Document) []string {
	out := []string{}
	for _, f := range cda.Check(d, cda.Context{}) {
		out = append(out, f.Rule)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func ownClinical(t *testing.T) string {
	t.Helper()
	d := fixtures.N1(1, "r", people.Patient(1, 4), time.Date(2026, 11, 22, 8, 30, 0, 0, time.FixedZone("", 3600)))
	b, err := fixtures.NewClinical(d, "1.2.250.1.999.1.7.1", "1.2.250.1.999.1.7", "999999998", "Carnet Clair SAS").Render()
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

type clinicalRow struct {
	name    string
	doc     cda.Document
	reasons []reason
	schema  string
}

type comparison struct {
	mutant
	ours   []string
	schema string
}

// clinicalPage writes the page in a language.
type clinicalPage struct {
	lang     string
	rows     []clinicalRow
	compared []comparison
}

func (p clinicalPage) in(fr, en string) string {
	if p.lang == "fr" {
		return fr
	}
	return en
}

func (p clinicalPage) write() string {
	var b strings.Builder
	line := func(fr, en string) { b.WriteString(p.in(fr, en) + "\n") }
	line("# Données réelles : les documents cliniques (CDA) publiés\n", "# Real input: the clinical documents (CDA) that are published\n")
	line("*English: [real-input-cda.en.md](real-input-cda.en.md)*\n", "*Français : [real-input-cda.md](real-input-cda.md)*\n")
	line("<!-- Page produite par go test ./suites/run/realinput -run Clinical -update -->\n", "<!-- Made by go test ./suites/run/realinput -run Clinical -update -->\n")
	line("Les règles de `sandbox/cda` ont été essayées sur seize exemples de documents que l’ANS publie avec son outil TestContenuCDA. Ces fichiers ne font pas partie du projet. Un test refait la table et échoue si un verdict change.\n",
		"The rules of `sandbox/cda` were tried on sixteen example documents that ANS publishes with its tool TestContenuCDA. These files are not part of the project. A test makes the table again and fails when a verdict changes.\n")
	line("| Document | Corps | Ce que disent nos règles | xmllint, schéma de l’ANS |", "| Document | Body | What our rules say | xmllint, schema of ANS |")
	line("|---|---|---|---|", "|---|---|---|---|")
	for _, r := range p.rows {
		f := r.doc.Facts()
		body := string(f.Kind)
		if f.SelfPresenting {
			body += p.in(", autoprésentable", ", self-presenting")
		}
		if f.Replaces != nil {
			body += fmt.Sprintf(p.in(", remplacement (version %d)", ", replacement (version %d)"), f.Version)
		}
		said := []string{}
		for _, x := range r.reasons {
			said = append(said, "`"+x.rule+"` : "+p.in(x.fr, x.en))
		}
		if len(said) == 0 {
			said = []string{p.in("rien à redire", "nothing to say")}
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", r.name, body, strings.Join(said, "<br>"), p.verdict(r.schema))
	}
	line("\nToutes les fautes connues d’avance sont trouvées, et aucune autre n’est reprochée. Les codes des seize documents ont aussi été demandés aux jeux de valeurs J01, J02, J04 et J07 publiés avec eux : tous y sont. Ces jeux ne font pas partie du projet ; en service, leurs codes ne sont pas vérifiés, et le journal le dit (`unchecked`).\n",
		"\nAll the faults known beforehand are found, and no other is held against a document. The codes of the sixteen documents were asked of the value sets J01, J02, J04 and J07 published with them, too: all are there. These sets are not part of the project; in service their codes are not checked, and the journal says so (`unchecked`).\n")
	line("xmllint trouve les seize valides. Il ne connaît ni la clé de l’INS ni l’autorité de nommage ; et le schéma de l’ANS admet aussi une feuille XSLT pour racine, de sorte que du document autoprésentable il valide la feuille autour du document.\n",
		"xmllint finds all sixteen valid. It knows neither the key of the INS nor naming authorities; and the schema of ANS also allows an XSLT stylesheet as root, so that of the self-presenting document it validates the stylesheet around the document.\n")
	line("## Nos règles et le schéma, sur des documents abîmés\n", "## Our rules and the schema, on damaged documents\n")
	line("Un document N1 écrit par nous, avec une faute à la fois.\n", "An N1 document written by us, with one fault at a time.\n")
	line("| Faute | Nos règles | xmllint | Différence |", "| Fault | Our rules | xmllint | Difference |")
	line("|---|---|---|---|", "|---|---|---|---|")
	for _, c := range p.compared {
		ours := "—"
		if len(c.ours) > 0 {
			ours = "`" + strings.Join(c.ours, "`, `") + "`"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", p.in(c.fr, c.en), ours, p.verdict(c.schema), p.difference(c))
	}
	line("\nLes deux se complètent : le schéma tient l’ordre, le nombre et le type des éléments ; les règles tiennent ce que le CI-SIS ajoute à un schéma où presque tout est facultatif, et ce qu’aucun schéma ne dit (clé, identité, contenu du PDF).",
		"\nThe two complete each other: the schema keeps the order, number and type of elements; the rules keep what the CI-SIS adds to a schema in which almost all is optional, and what no schema says (key, identity, content of the PDF).")
	if p.lang == "fr" {
		return strings.ReplaceAll(b.String(), "'", "’")
	}
	return b.String()
}

func (p clinicalPage) verdict(v string) string {
	switch v {
	case probe.Valid:
		return p.in("valide", "valid")
	case probe.Invalid:
		return p.in("non valide", "not valid")
	}
	return p.in("non joué", "not run")
}

func (p clinicalPage) difference(c comparison) string {
	switch found := len(c.ours) > 0; {
	case found == (c.schema == probe.Invalid):
		return ""
	case found:
		return p.in("le schéma ne le demande pas", "the schema does not ask for it")
	}
	return p.in("ordre, nom ou type : l’affaire du schéma", "order, name or type: the schema’s business")
}
