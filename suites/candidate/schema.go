package candidate

import (
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/xeipuuv/gojsonschema"
	"go.yaml.in/yaml/v3"
)

//go:embed schema.json
var schemaText string

// Schema returns the JSON Schema (draft-07) of candidate.yaml. Beside the
// standard keywords it carries, for people: x-fr (the description in French),
// x-expected (what a value must be, in both languages) and x-secret.
func Schema() []byte { return []byte(schemaText) }

// node is one subschema of schema.json.
type node map[string]any

// guide walks schema.json for the words of the error messages.
type guide struct{ root node }

func newGuide() (guide, error) {
	var root node
	if err := json.Unmarshal([]byte(schemaText), &root); err != nil {
		return guide{}, fmt.Errorf("read the schema of manifests: %w", err)
	}
	return guide{root}, nil
}

// resolve follows a local reference; what stands beside $ref takes precedence,
// for descriptions and examples (draft-07 validators ignore it).
func (g guide) resolve(n node) node {
	ref, ok := n["$ref"].(string)
	if !ok {
		return n
	}
	definitions, _ := g.root["definitions"].(map[string]any)
	target, _ := definitions[strings.TrimPrefix(ref, "#/definitions/")].(map[string]any)
	out := node{}
	maps.Copy(out, target)
	maps.Copy(out, n)
	delete(out, "$ref")
	return out
}

// properties returns the fields of an object, resolved.
func (g guide) properties(n node) map[string]node {
	out := map[string]node{}
	properties, _ := n["properties"].(map[string]any)
	for name, p := range properties {
		if m, ok := p.(map[string]any); ok {
			out[name] = g.resolve(m)
		}
	}
	return out
}

// at returns the subschema of a path, or nil where the schema knows none.
func (g guide) at(path []string) node {
	n := g.root
	for _, step := range path {
		next, ok := g.properties(n)[step]
		if !ok {
			if items, isList := n["items"].(map[string]any); isList {
				next = g.resolve(items)
			} else if more, isMap := n["additionalProperties"].(map[string]any); isMap {
				next = g.resolve(more)
			} else {
				return nil
			}
		}
		n = next
	}
	return n
}

// expected says what a value must be.
func (g guide) expected(n node) Text {
	if x, ok := n["x-expected"].(map[string]any); ok {
		en, _ := x["en"].(string)
		fr, _ := x["fr"].(string)
		return Text{EN: en, FR: fr}
	}
	if words, ok := n["enum"].([]any); ok {
		list := make([]string, len(words))
		for i, w := range words {
			list[i] = fmt.Sprint(w)
		}
		if len(list) == 1 {
			return same(list[0])
		}
		return Text{EN: "one of " + strings.Join(list, ", "), FR: "l'un de " + strings.Join(list, ", ")}
	}
	switch n["type"] {
	case "object":
		names := slices.Sorted(maps.Keys(g.properties(n)))
		return Text{EN: "the fields " + strings.Join(names, ", "), FR: "les champs " + strings.Join(names, ", ")}
	case "array":
		items, _ := n["items"].(map[string]any)
		of := g.expected(g.resolve(items))
		return Text{EN: "a list, each " + of.EN, FR: "une liste, chaque élément étant " + of.FR}
	case "boolean":
		return Text{EN: "true or false", FR: "true ou false"}
	case "integer":
		return Text{EN: "a whole number", FR: "un nombre entier"}
	}
	return Text{EN: "a text", FR: "un texte"}
}

// example writes the first example of a field as YAML on one line.
func (g guide) example(field string, n node) string {
	examples, _ := n["examples"].([]any)
	if len(examples) == 0 {
		if n["type"] == "object" {
			return field + ": {…}"
		}
		return ""
	}
	text := flow(examples[0])
	if field == "" {
		return text
	}
	return field + ": " + text
}

// flow writes a value of the schema as YAML in flow style.
func flow(v any) string {
	switch v := v.(type) {
	case string:
		var n yaml.Node
		if yaml.Unmarshal([]byte(v), &n) == nil && len(n.Content) == 1 && n.Content[0].Kind == yaml.ScalarNode && n.Content[0].Tag == "!!str" && !strings.ContainsAny(v, "[]{},") {
			return v
		}
		return strconv.Quote(v)
	case []any:
		parts := make([]string, len(v))
		for i, e := range v {
			parts[i] = flow(e)
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case map[string]any:
		parts := []string{}
		for _, k := range slices.Sorted(maps.Keys(v)) {
			parts = append(parts, k+": "+flow(v[k]))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	}
	return fmt.Sprint(v)
}

// suggestion returns the known field nearest to a misspelt one, or "".
func (g guide) suggestion(path []string, wrong string) string {
	best, least := "", 1+max(2, len(wrong)/3)
	for _, name := range slices.Sorted(maps.Keys(g.properties(g.at(path)))) {
		d := distance(strings.ToLower(wrong), strings.ToLower(name))
		if d < least {
			best, least = name, d
		}
	}
	return best
}

// distance counts the insertions, removals, replacements and swaps of
// neighbours that lead from a to b.
func distance(a, b string) int {
	if len(a) > 60 {
		return len(a)
	}
	d := make([][]int, len(a)+1)
	for i := range d {
		d[i] = make([]int, len(b)+1)
		d[i][0] = i
	}
	for j := range d[0] {
		d[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			d[i][j] = min(d[i-1][j]+1, d[i][j-1]+1, d[i-1][j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				d[i][j] = min(d[i][j], d[i-2][j-2]+1)
			}
		}
	}
	return d[len(a)][len(b)]
}

// separator stands between the steps of a path in gojsonschema's contexts: a
// key of a manifest cannot hold it.
const separator = "\x1f"

// againstSchema checks a document against the schema. A panic of the validator
// (gojsonschema v1.2.0 has one on huge exponents, which tree has refused) is an
// error of ours, not the end of the program.
func againstSchema(g guide, doc *tree) (problems []Problem, err error) {
	defer func() {
		if r := recover(); r != nil {
			problems, err = nil, fmt.Errorf("check the manifest against its schema: the validator failed: %v", r)
		}
	}()
	schema, err := gojsonschema.NewSchema(gojsonschema.NewStringLoader(schemaText))
	if err != nil {
		return nil, fmt.Errorf("compile the schema of manifests: %w", err)
	}
	result, err := schema.Validate(gojsonschema.NewBytesLoader(doc.json))
	if err != nil {
		return nil, fmt.Errorf("check the manifest against its schema: %w", err)
	}
	suggested := map[string]bool{}
	var missing []gojsonschema.ResultError
	seen := map[string]bool{}
	for _, e := range result.Errors() {
		path := strings.Split(e.Context().String(separator), separator)[1:]
		switch e.Type() {
		case "condition_then", "condition_else", "number_all_of":
			continue // what failed inside is listed too
		case "required":
			missing = append(missing, e)
		case "additional_property_not_allowed":
			p := unknownField(g, doc, path, e, suggested)
			problems = append(problems, p)
		default:
			p := wrongValue(g, doc, path)
			if key := p.Field; !seen[key] {
				seen[key] = true
				problems = append(problems, p)
			}
		}
		if len(problems) > maxProblems {
			break
		}
	}
	for _, e := range missing {
		name := fmt.Sprint(e.Details()["property"])
		path := append(strings.Split(e.Context().String(separator), separator)[1:], name)
		if suggested[strings.Join(path, separator)] {
			continue // its misspelt form has been named
		}
		n := g.at(path)
		p := doc.at(path, Problem{
			Field: display(path), Expected: g.expected(n),
			Found: Text{EN: "nothing", FR: "rien"}, Example: g.example(name, n),
		})
		p.Column = 0
		problems = append(problems, p)
	}
	if !result.Valid() && len(problems) == 0 {
		return nil, errors.New("check the manifest against its schema: refused without a reason")
	}
	return problems, nil
}

func unknownField(g guide, doc *tree, path []string, e gojsonschema.ResultError, suggested map[string]bool) Problem {
	name := fmt.Sprint(e.Details()["property"])
	full := append(slices.Clone(path), name)
	p := doc.at(full, Problem{
		Field: display(full), Expected: g.expected(g.at(path)), Found: Text{EN: "an unknown field", FR: "un champ inconnu"},
	})
	if near := g.suggestion(path, name); near != "" {
		suggested[strings.Join(append(slices.Clone(path), near), separator)] = true
		p.Hint = Text{EN: "did you mean " + near + "?", FR: "peut-être " + near + " ?"}
		p.Example = g.example(near, g.at(append(slices.Clone(path), near)))
	}
	return p
}

func wrongValue(g guide, doc *tree, path []string) Problem {
	n := g.at(path)
	p := doc.at(path, Problem{Field: display(path), Expected: g.expected(n), Found: doc.found(path)})
	name := ""
	if len(path) > 0 {
		name = path[len(path)-1]
		if _, err := strconv.Atoi(name); err == nil {
			name = "" // an element of a list is shown without its index
		}
	}
	p.Example = g.example(name, n)
	if n["x-secret"] == true {
		p.Found = Text{EN: "something else (not shown: it may be a secret)", FR: "autre chose (non affiché : ce peut être un secret)"}
		p.Hint = Text{
			EN: "put the secret in an environment variable or a file, and replace it where it is used if this file has been shared",
			FR: "mettez le secret dans une variable d'environnement ou un fichier, et changez-le là où il sert si ce fichier a été partagé",
		}
	}
	return p
}
