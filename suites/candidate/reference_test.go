package candidate_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/etalon-sante/etalon/suites/candidate"
)

var update = flag.Bool("update", false, "rewrite docs/manifest.md and docs/manifest.en.md from the schema")

func TestTheReferencePagesOfTheManifestAreThoseOfTheSchema(t *testing.T) {
	var schema map[string]any
	if err := json.Unmarshal(candidate.Schema(), &schema); err != nil {
		t.Fatal(err)
	}
	for lang, path := range map[string]string{"fr": "../../docs/manifest.md", "en": "../../docs/manifest.en.md"} {
		want := page{lang: lang, schema: schema}.write()
		if *update {
			if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		got, err := os.ReadFile(path)
		if err != nil || string(got) != want {
			t.Errorf("%s is not that of the schema (%v): go test ./suites/candidate -update", path, err)
		}
	}
}

// page writes the fields of the schema, one table for each section.
type page struct {
	lang   string
	schema map[string]any
	b      *strings.Builder
}

func (p page) in(fr, en string) string {
	if p.lang == "fr" {
		return fr
	}
	return en
}

func (p page) write() string {
	p.b = &strings.Builder{}
	fmt.Fprintf(p.b, "# %s\n\n", p.in("Le manifeste : candidate.yaml", "The manifest: candidate.yaml"))
	fmt.Fprintf(p.b, "%s\n", p.in(
		"<!-- Page produite depuis suites/candidate/schema.json : go test ./suites/candidate -update -->",
		"<!-- Made from suites/candidate/schema.json: go test ./suites/candidate -update -->"))
	fmt.Fprintf(p.b, "\n%s\n", p.in(
		"Un fichier YAML simple (ni alias, ni ancre, ni étiquette), en UTF-8, de 1 Mio au plus. Tout champ inconnu est refusé. Un secret n'y figure que sous la forme `env:NOM` ou `file:CHEMIN`. Les chemins relatifs partent du dossier du manifeste. `etalon init` en écrit un ; le plus petit est [examples/minimal/candidate.yaml](examples/minimal/candidate.yaml).",
		"A plain YAML file (no alias, anchor or tag), in UTF-8, of at most 1 MiB. An unknown field is refused. A secret stands in it only as `env:NAME` or `file:PATH`. Relative paths start from the folder of the manifest. `etalon init` writes one; the smallest is [examples/minimal/candidate.yaml](examples/minimal/candidate.yaml)."))
	p.table(p.in("Les sections", "The sections"), "", p.schema)
	for _, name := range p.order(p.schema) {
		p.section(name, p.field(p.schema, name))
	}
	return p.b.String()
}

// section writes an object, or a list of objects, and what it holds.
func (p page) section(path string, n map[string]any) {
	if items, ok := n["items"].(map[string]any); ok {
		n, path = items, path+"[]"
	}
	if len(p.order(n)) == 0 {
		return
	}
	p.table("`"+path+"`", p.text(n), n)
	for _, name := range p.order(n) {
		p.section(path+"."+name, p.field(n, name))
	}
}

func (p page) table(title, intro string, n map[string]any) {
	fmt.Fprintf(p.b, "\n## %s\n", title)
	if intro != "" {
		fmt.Fprintf(p.b, "\n%s\n", intro)
	}
	fmt.Fprintf(p.b, "\n%s\n|---|---|---|---|\n", p.in("| Champ | Présence | Valeur | Exemple |", "| Field | Presence | Value | Example |"))
	required, _ := n["required"].([]any)
	for _, name := range p.order(n) {
		f := p.field(n, name)
		presence := p.in("facultatif", "optional")
		if slices.Contains(required, any(name)) {
			presence = p.in("requis", "required")
		}
		if d, ok := f["default"]; ok {
			presence += p.in(", par défaut ", ", default ") + "`" + compact(d) + "`"
		}
		example := ""
		if list, ok := f["examples"].([]any); ok && len(list) > 0 {
			example = "`" + compact(list[0]) + "`"
		}
		fmt.Fprintf(p.b, "| `%s` | %s | %s | %s |\n", name, presence, strings.ReplaceAll(p.value(f), "|", "\\|"), strings.ReplaceAll(example, "|", "\\|"))
	}
}

func (p page) text(n map[string]any) string {
	key := "description"
	if p.lang == "fr" {
		key = "x-fr"
	}
	s, _ := n[key].(string)
	return s
}

func (p page) value(n map[string]any) string {
	out := p.text(n)
	if words, ok := p.words(n); ok {
		out += p.in(" Valeurs : ", " Values: ") + words + "."
	}
	if x, ok := n["x-expected"].(map[string]any); ok {
		out += p.in(" Forme : ", " Form: ") + fmt.Sprint(x[p.lang]) + "."
	}
	return strings.TrimSpace(out)
}

func (p page) words(n map[string]any) (string, bool) {
	list, ok := n["enum"].([]any)
	if !ok {
		if items, isList := n["items"].(map[string]any); isList {
			list, ok = items["enum"].([]any)
		}
	}
	parts := []string{}
	for _, w := range list {
		parts = append(parts, "`"+fmt.Sprint(w)+"`")
	}
	return strings.Join(parts, ", "), ok && len(parts) > 1
}

// field returns a field with what its $ref says.
func (p page) field(n map[string]any, name string) map[string]any {
	f, _ := n["properties"].(map[string]any)[name].(map[string]any)
	out := map[string]any{}
	if ref, ok := f["$ref"].(string); ok {
		d, _ := p.schema["definitions"].(map[string]any)[strings.TrimPrefix(ref, "#/definitions/")].(map[string]any)
		maps.Copy(out, d)
	}
	maps.Copy(out, f)
	return out
}

// order lists the fields of an object in the order of the schema's text, which
// a decoded map has lost.
func (p page) order(n map[string]any) []string {
	properties, _ := n["properties"].(map[string]any)
	names := slices.Sorted(maps.Keys(properties))
	text := string(candidate.Schema())
	first := text
	// The text of this object alone: found by its first description.
	if d, ok := n["description"].(string); ok {
		encoded := `"description": "` + d
		if _, after, found := strings.Cut(text, encoded); found {
			first = after
		}
	}
	slices.SortStableFunc(names, func(a, b string) int {
		return position(first, a) - position(first, b)
	})
	return names
}

func position(text, name string) int {
	at := regexp.MustCompile(`"` + regexp.QuoteMeta(name) + `": ?\{`).FindStringIndex(text)
	if at == nil {
		return len(text)
	}
	return at[0]
}

func compact(v any) string {
	if s, ok := v.(string); ok {
		if strings.Trim(s, "0123456789.-") == "" {
			return strconv.Quote(s) // YAML would read something else than a text
		}
		return s
	}
	raw, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(raw)
}

// The lint that gojsonschema does not do: it accepts any keyword, any draft and
// a reference to anywhere.
func TestTheSchemaUsesOnlyKeywordsThatAreChecked(t *testing.T) {
	var schema map[string]any
	if err := json.Unmarshal(candidate.Schema(), &schema); err != nil {
		t.Fatal(err)
	}
	if schema["$schema"] != "http://json-schema.org/draft-07/schema#" {
		t.Errorf("draft %v", schema["$schema"])
	}
	known := strings.Fields("$schema $id $ref title description x-fr x-expected x-secret type additionalProperties required properties definitions enum const examples default items minItems maxItems uniqueItems minLength maxLength pattern minimum maximum maxProperties propertyNames allOf if then")
	var walk func(path string, n map[string]any)
	walk = func(path string, n map[string]any) {
		for key, v := range n {
			if !slices.Contains(known, key) {
				t.Errorf("%s: unknown keyword %s", path, key)
			}
			if ref, ok := v.(string); ok && key == "$ref" && !strings.HasPrefix(ref, "#/definitions/") {
				t.Errorf("%s: a reference to %s", path, ref)
			}
			switch key {
			case "properties", "definitions":
				for name, sub := range v.(map[string]any) {
					walk(path+"/"+name, sub.(map[string]any))
				}
			case "items", "if", "then", "propertyNames":
				walk(path+"/"+key, v.(map[string]any))
			case "additionalProperties":
				if sub, ok := v.(map[string]any); ok {
					walk(path+"/"+key, sub)
				}
			case "allOf":
				for _, sub := range v.([]any) {
					walk(path+"/"+key, sub.(map[string]any))
				}
			}
		}
		if n["type"] == "object" && n["additionalProperties"] == nil {
			t.Errorf("%s: unknown fields are accepted", path)
		}
	}
	walk("", schema)
}

func TestEveryFieldIsDescribedInBothLanguagesWithAnExample(t *testing.T) {
	var schema map[string]any
	if err := json.Unmarshal(candidate.Schema(), &schema); err != nil {
		t.Fatal(err)
	}
	p := page{schema: schema}
	var walk func(path string, n map[string]any)
	walk = func(path string, n map[string]any) {
		if items, ok := n["items"].(map[string]any); ok && items["properties"] != nil {
			n = items
		}
		for _, name := range p.order(n) {
			f := p.field(n, name)
			at := path + "." + name
			if f["description"] == nil || f["x-fr"] == nil {
				t.Errorf("%s lacks a description in a language", at)
			}
			inside := len(p.order(f)) > 0 || name == "pages" || name == "evidence"
			if f["examples"] == nil && !inside {
				t.Errorf("%s lacks an example", at)
			}
			walk(at, f)
		}
	}
	walk("", schema)
}
