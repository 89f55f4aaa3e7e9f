package fhir

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

var update = flag.Bool("update", false, "write docs/validation.md and docs/validation.en.md anew") //nolint:gochecknoglobals // a flag of the test

func words(t testing.TB) map[string]Wording {
	t.Helper()
	w, err := Words()
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func TestEveryRuleAndCaseIsWordedInTwoLanguages(t *testing.T) {
	all := words(t)
	cases := map[string]bool{}
	for _, row := range Catalogue() {
		cases[row.ID+"/"+row.Case] = true
		w, ok := all[row.ID]
		if !ok {
			t.Errorf("tables/rules: %s has no words: add its source, its remedy and what it says, in two languages", row.ID)
			continue
		}
		if s := w.Says[row.Case]; s.EN == "" || s.FR == "" {
			t.Errorf("tables/rules: %s, case %q: say it in two languages", row.ID, row.Case)
		}
		if w.Source == "" || w.Remedy.EN == "" || w.Remedy.FR == "" {
			t.Errorf("tables/rules: %s: a source and a remedy in two languages", row.ID)
		}
	}
	for id, w := range all {
		for which, s := range w.Says {
			if !cases[id+"/"+which] {
				t.Errorf("tables/rules: %s, case %q is not in the catalogue", id, which)
			}
			if strings.ContainsAny(s.FR+w.Remedy.FR, "'") || strings.Contains(s.FR+w.Remedy.FR, " :") || strings.Contains(s.FR+w.Remedy.FR, " ;") {
				t.Errorf("tables/rules: %s: a typographic apostrophe, and a non-breaking space before : and ;", id)
			}
		}
	}
}

// Whoever cites a rule's source must find it: the keys are those of the
// catalogue of requirements.
func TestTheSourcesOfRulesAreThoseOfTheCatalogue(t *testing.T) {
	raw, err := os.ReadFile("../../suites/requirement/catalogue/sources.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Sources []struct{ Key string }
	}
	if err := yaml.Unmarshal(raw, &file); err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, s := range file.Sources {
		known[s.Key] = true
	}
	aside := regexp.MustCompile(` \([^)]*\)`)
	for id, w := range words(t) {
		for _, part := range strings.Split(aside.ReplaceAllString(w.Source, ""), ", ") {
			key := strings.Fields(strings.TrimPrefix(part, "after "))[0]
			if !known[key] {
				t.Errorf("%s: %q is no source of sources.yaml", id, key)
			}
		}
	}
}

// docs/validation(.en).md say what is checked, and promise nothing more.
func TestTheDocumentationListsEveryRule(t *testing.T) {
	for _, lang := range []string{"fr", "en"} {
		name := "../../docs/validation.md"
		if lang == "en" {
			name = "../../docs/validation.en.md"
		}
		want := validationPage(t, lang)
		if *update {
			if err := os.WriteFile(name, want, 0o600); err != nil {
				t.Fatal(err)
			}
			continue
		}
		got, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s is not what the tables say: go test ./sandbox/fhir -run Documentation -update", name)
		}
	}
}

// page writes one language of the page.
type page struct {
	bytes.Buffer
	lang string
}

func (p *page) say(fr, en string) {
	if p.lang == "fr" {
		p.WriteString(fr)
	} else {
		p.WriteString(en)
	}
	p.WriteByte('\n')
}

func (p *page) pick(b Bilingual) string {
	if p.lang == "fr" {
		return b.FR
	}
	return b.EN
}

func validationPage(t *testing.T, lang string) []byte {
	t.Helper()
	r := testRules(t)
	p := &page{lang: lang}
	p.say("# Ce qui est vérifié des messages\n\n*English: [validation.en.md](validation.en.md)*\n", "# What is checked of messages\n\n*Français : [validation.md](validation.md)*\n")
	p.say("Cette page est engendrée à partir des tables du bac à sable (`go test ./sandbox/fhir -run Documentation -update`). Elle liste toutes les règles : rien d’autre n’est vérifié, et rien d’autre n’est promis.\n",
		"This page is generated from the sandbox's tables (`go test ./sandbox/fhir -run Documentation -update`). It lists every rule: nothing else is checked, and nothing else is promised.\n")
	p.shapes()
	p.profiles(r)
	p.rules(t)
	p.others(t)
	return p.Bytes()
}

func (p *page) shapes() {
	p.say("## La forme\n", "## Shape\n")
	p.say("Un message est d’abord décodé strictement : UTF-8, aucun membre répété, rien après la valeur, nombres et profondeur bornés. Puis chaque ressource est comparée à un JSON Schema (draft-07) écrit ici à partir des tables d’éléments de FHIR R4 : éléments, types, cardinalités, formes des types primitifs, codes obligatoires, et les invariants qu’un schéma sait dire (une seule valeur d’un choix, ext-1, obs-6, qty-3, att-1, bdl-1 à bdl-4, app-1 à app-4). Un élément inconnu est refusé.\n",
		"A message is first decoded strictly: UTF-8, no repeated member, nothing after the value, numbers and nesting bounded. Then each resource is held against a JSON Schema (draft-07) written here from FHIR R4's tables of elements: elements, types, cardinalities, forms of primitive types, required codes, and the invariants that a schema can express (one value of a choice, ext-1, obs-6, qty-3, att-1, bdl-1 to bdl-4, app-1 to app-4). An unknown element is refused.\n")
	p.say("Ont un schéma : "+strings.Join(Shaped(), ", ")+" (`sandbox/fhir/tables/schema`).\n", "These have a schema: "+strings.Join(Shaped(), ", ")+" (`sandbox/fhir/tables/schema`).\n")
	p.say("Ne sont pas regardés : le contenu des ressources contenues, les types que ces messages n’emploient pas (Timing, SampledData, Signature…), le XHTML d’un texte, la cible d’une référence, l’ordre des deux bornes d’une période.\n",
		"Not looked at: what is in contained resources, types that these messages do not use (Timing, SampledData, Signature…), the XHTML of a narrative, the target of a reference, the order of a period's two bounds.\n")
}

func (p *page) profiles(r *Rules) {
	p.say("## Les profils de mesures\n\n| Mesure | Code | Unité | Valeur ou composants | Jeux de valeurs | Extensions du guide | Moment, jours |\n|---|---|---|---|---|---|---|",
		"## Measure profiles\n\n| Measure | Code | Unit | Value or components | Value sets | Extensions of the guide | Moment, days |\n|---|---|---|---|---|---|---|")
	for _, code := range r.cat.codes {
		k := r.cat.byCode[code]
		value := k.Value
		for _, c := range k.Components {
			value += fmt.Sprintf(" · %s %d..1", c.Code, c.Min)
		}
		var bound []string
		for _, b := range []struct {
			name string
			*binding
		}{{"method", k.Method}, {"bodySite", k.BodySite}, {"appliesTo", k.AppliesTo}} {
			if b.binding != nil {
				bound = append(bound, fmt.Sprintf("%s: %s (%s)", b.name, strings.Join(b.Sets, " + "), b.Strength))
			}
		}
		var rules []string
		for _, x := range [][2]string{{"moment", k.Moment}, {"days", k.Days}} {
			if x[1] != "" {
				rules = append(rules, x[0]+" "+x[1])
			}
		}
		unit := "`" + k.Unit + "`"
		if k.UnitText != "" {
			unit += " (" + k.UnitText + ")"
		}
		fmt.Fprintf(p, "| %s | %s | %s | %s | %s | %s | %s |\n", k.Kind, code, unit, value, strings.Join(bound, " · "), strings.Join(k.Extensions, ", "), strings.Join(rules, ", "))
	}
	p.say("\nLes adresses canoniques acceptées, la force des jeux de méthodes et les codes sont des réglages (`measure.canonical-bases`, `measure.binding`, `measure.codes`).\n",
		"\nThe canonical addresses that are taken, the strength of the sets of methods and the codes are settings (`measure.canonical-bases`, `measure.binding`, `measure.codes`).\n")
}

func (p *page) rules(t *testing.T) {
	all := words(t)
	p.say("## Les règles\n\nFondement : *table*, la table d’erreurs publiée ; *text*, le texte ou un profil ; *fhir*, FHIR R4 ; *guess*, supposé (le constat nomme le réglage) ; *noticed*, relevé sans refus.\n",
		"## The rules\n\nGround: *table*, the published table of errors; *text*, the text or a profile; *fhir*, FHIR R4; *guess*, assumed (the finding names the setting); *noticed*, noted without refusal.\n")
	p.say("| Règle | Ce qu’elle demande | Réponse | Fondement | Source | Remède |\n|---|---|---|---|---|---|", "| Rule | What it asks | Answer | Ground | Source | Remedy |\n|---|---|---|---|---|---|")
	for _, row := range Catalogue() {
		w := all[row.ID]
		name := "`" + row.ID + "`"
		if row.Case != "" {
			name += " (" + row.Case + ")"
		}
		answer := "—"
		if row.HTTP != 0 {
			answer = fmt.Sprintf("%d %s", row.HTTP, row.Code)
		}
		ground := string(row.Basis)
		if row.Setting != "" {
			ground += ", `" + row.Setting + "`"
		}
		fmt.Fprintf(p, "| %s | %s | %s | %s | %s | %s |\n", name, p.cell(w.Says[row.Case]), answer, ground, strings.ReplaceAll(w.Source, "|", "\\|"), p.cell(w.Remedy))
	}
	p.WriteByte('\n')
}

func (p *page) cell(b Bilingual) string { return strings.ReplaceAll(p.pick(b), "|", "\\|") }

func (p *page) others(t *testing.T) {
	p.say("## Ce que d’autres juges en disent\n\nLes schémas sont lus par un second moteur, qui doit rendre le même verdict sur chaque ressource et ses variantes fautives. Ils sont comparés au schéma de R4 publié par HL7 et au validateur HAPI (avec `ETALON_ORACLES=1`) ; une différence qui n’est pas dans ce tableau fait échouer les tests.\n",
		"## What other judges say\n\nThe schemas are read by a second engine, which must give the same verdict on each resource and its faulty variants. They are compared with the schema of R4 that HL7 publishes and with the HAPI validator (with `ETALON_ORACLES=1`); a difference that is not in this table fails the tests.\n")
	p.say("| Juge | Qui refuse seul | Sorte d’erreur | Pourquoi |\n|---|---|---|---|", "| Judge | Who alone refuses | Kind of error | Why |\n|---|---|---|---|")
	rows := differences(t)
	slices.SortStableFunc(rows, func(a, b difference) int {
		return strings.Compare(a.Oracle+a.Refuses, b.Oracle+b.Refuses)
	})
	who := map[string]Bilingual{"ours": {"étalon", "étalon"}, "theirs": {"the other", "l’autre"}}
	judge := map[string]Bilingual{
		"r4-schema": {"HL7's schema", "schéma de HL7"}, "hapi": {"HAPI, R4", "HAPI, R4"}, "hapi-mes": {"HAPI, measure profiles", "HAPI, profils de mesures"},
	}
	for _, d := range rows {
		fmt.Fprintf(p, "| %s | %s | `%s` | %s |\n", p.pick(judge[d.Oracle]), p.pick(who[d.Refuses]), d.Class, p.cell(Bilingual{d.Why.EN, d.Why.FR}))
	}
}
