package fhir

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/xeipuuv/gojsonschema"
)

// structure checks the shape of a resource: known members, their types and
// cardinalities.
type structure interface {
	Check(v any) []violation
}

// violation is one difference of shape.
type violation struct {
	Pointer  string
	Expected string
	Actual   string
	Kind     string // of error, as gojsonschema names it
	Whole    bool   // too little is in the element: said only where no rule said what is missing
}

// maxViolations bounds what is said of one message.
const maxViolations = 50

// Shaped lists the resources that have a schema: those that the messages of the
// Mon espace santé APIs are made of.
func Shaped() []string {
	return []string{
		appointmentWord, binaryWord, "Bundle", deviceResource, documentResource, observationWord, "OperationOutcome",
	}
}

// schema is a draft-07 JSON Schema, compiled when a message first needs it: seven
// take some 50 ms, which a sandbox that starts does not have. Messages reach it
// decoded by Decode, so that numbers are bounded: gojsonschema panics on
// 1e10000000.
type schema struct {
	compile func() (*gojsonschema.Schema, error)
}

// structures are the same whatever the settings: a process has one of each.
var structures = sync.OnceValues(newStructures) //nolint:gochecknoglobals // read-only, out of what is embedded

// newStructures prepares one schema per resource out of the embedded files, whose
// definitions may refer to one another.
func newStructures() (map[string]structure, error) {
	definitions, err := definitions()
	if err != nil {
		return nil, err
	}
	out := map[string]structure{}
	for _, resource := range Shaped() {
		out[resource] = schema{sync.OnceValues(func() (*gojsonschema.Schema, error) {
			loader := gojsonschema.NewSchemaLoader()
			loader.Draft, loader.AutoDetect = gojsonschema.Draft7, false
			s, err := loader.Compile(gojsonschema.NewRawLoader(rooted(definitions, resource)))
			if err != nil {
				return nil, fmt.Errorf("compile embedded schema of %s: %w", resource, err)
			}
			return s, nil
		})}
	}
	return out, nil
}

// Schema returns the draft-07 JSON Schema of a resource, whole: every definition
// that it refers to is in it. It fails for a resource that is not of Shaped.
func Schema(resource string) (map[string]any, error) {
	definitions, err := definitions()
	if err != nil {
		return nil, err
	}
	if definitions[resource] == nil || !slices.Contains(Shaped(), resource) {
		return nil, fmt.Errorf("there is no schema of %q", brief(resource))
	}
	return rooted(definitions, resource), nil
}

// rooted makes one definition the whole schema.
func rooted(definitions map[string]any, resource string) map[string]any {
	return map[string]any{
		"$schema": "http://json-schema.org/draft-07/schema#",
		"$ref":    "#/definitions/" + resource, "definitions": reachable(definitions, resource),
	}
}

// definitions reads the definitions of all files of tables/schema. A name stands
// in one file only, and refers to nothing outside them.
func definitions() (map[string]any, error) {
	const folder = "tables/schema"
	files, err := tables.ReadDir(folder)
	if err != nil {
		return nil, fmt.Errorf("read embedded schemas: %w", err)
	}
	out := map[string]any{}
	for _, f := range files {
		raw, err := tables.ReadFile(folder + "/" + f.Name())
		if err != nil {
			return nil, fmt.Errorf("read embedded schema: %w", err)
		}
		doc, err := Decode(raw)
		if err != nil {
			return nil, fmt.Errorf("read embedded schema %s: %w", f.Name(), err)
		}
		for name, d := range object(doc, "definitions") {
			if out[name] != nil {
				return nil, fmt.Errorf("read embedded schema %s: %s is defined in another file too", f.Name(), name)
			}
			out[name] = d
		}
	}
	if err := onlyLocal(out, out); err != nil {
		return nil, fmt.Errorf("read embedded schemas: %w", err)
	}
	return out, nil
}

// reachable returns the definitions that one refers to, itself included: the
// library reads all that it is given. They are copies, since it also writes into
// what it compiles, and schemas are compiled at any time by any request.
func reachable(definitions map[string]any, from string) map[string]any {
	out := map[string]any{}
	var visit func(v any)
	visit = func(v any) {
		switch x := v.(type) {
		case map[string]any:
			if name, ok := strings.CutPrefix(text(x, "$ref"), "#/definitions/"); ok && out[name] == nil {
				out[name] = copied(definitions[name])
				visit(definitions[name])
			}
			for _, c := range x {
				visit(c)
			}
		case []any:
			for _, c := range x {
				visit(c)
			}
		}
	}
	visit(map[string]any{"$ref": "#/definitions/" + from})
	return out
}

// copied returns a copy of a decoded JSON value that shares nothing with it.
func copied(v any) any {
	switch x := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(x))
		for k, c := range x {
			out[k] = copied(c)
		}
		return out
	case []any:
		out := make([]any, len(x))
		for i, c := range x {
			out[i] = copied(c)
		}
		return out
	}
	return v
}

// onlyLocal refuses a $ref that gojsonschema would fetch, and one that leads
// nowhere.
func onlyLocal(v any, definitions map[string]any) error {
	switch x := v.(type) {
	case map[string]any:
		if ref, ok := x["$ref"].(string); ok {
			if name, local := strings.CutPrefix(ref, "#/definitions/"); !local || definitions[name] == nil {
				return fmt.Errorf("the reference %q is not within the schemas", ref)
			}
		}
		for _, c := range x {
			if err := onlyLocal(c, definitions); err != nil {
				return err
			}
		}
	case []any:
		for _, c := range x {
			if err := onlyLocal(c, definitions); err != nil {
				return err
			}
		}
	}
	return nil
}

// Check implements structure. A panic of the library spoils this verdict only.
func (s schema) Check(v any) (out []violation) {
	defer func() {
		if p := recover(); p != nil {
			out = []violation{{Expected: "a resource that can be checked", Actual: brief(fmt.Sprint(p))}}
		}
	}()
	compiled, err := s.compile()
	if err != nil { // a test compiles them all
		return []violation{{Expected: "a resource that can be checked", Actual: brief(err.Error())}}
	}
	result, err := compiled.Validate(gojsonschema.NewRawLoader(v))
	if err != nil {
		return []violation{{Expected: "a resource that can be checked", Actual: brief(err.Error())}}
	}
	for _, e := range result.Errors() {
		if slices.Contains([]string{"condition_then", "condition_else", "number_all_of"}, e.Type()) {
			continue // what it is about has an error of its own
		}
		if len(out) == maxViolations {
			break
		}
		out = append(out, violation{
			Pointer: pointerOf(e), Expected: expectedOf(e), Actual: show(e.Value()), Kind: e.Type(), Whole: e.Type() == "array_min_properties" || e.Type() == "required",
		})
	}
	return out
}

// pointerOf writes the place of an error as a JSON pointer; the member that is
// missing or too many is part of it.
func pointerOf(e gojsonschema.ResultError) string {
	const sep = "\x00" // no member name that Decode lets through as text is split by it in practice
	at := strings.TrimPrefix(e.Context().String(sep), "(root)")
	parts := strings.Split(strings.TrimPrefix(at, sep), sep)
	var b strings.Builder
	for _, p := range parts {
		if p != "" {
			b.WriteString("/" + escape(p))
		}
	}
	if p, ok := e.Details()["property"].(string); ok {
		b.WriteString("/" + escape(p))
	}
	return b.String()
}

func expectedOf(e gojsonschema.ResultError) string {
	d := e.Details()
	switch e.Type() {
	case "required":
		return "a value (FHIR R4 makes it mandatory)"
	case "additional_property_not_allowed":
		return "no such element in FHIR R4"
	case "invalid_type":
		return fmt.Sprintf("%v", d["expected"])
	case "enum":
		return fmt.Sprintf("one of %v", d["allowed"])
	case "const":
		return fmt.Sprintf("%v", d["allowed"])
	case "pattern":
		return fmt.Sprintf("a text of the form %v", d["pattern"])
	case "array_min_items", "string_gte":
		return "no empty element"
	case "array_min_properties":
		return "an element that is not empty, an extension one with a value"
	case "missing_dependency":
		return fmt.Sprintf("%v beside it", d["dependency"])
	case "number_any_of":
		return "one of the elements that FHIR R4 wants here"
	case "false":
		return "nothing: FHIR R4 does not have it beside the rest"
	case "invalid_property_name":
		return "one value, or extensions, in an extension"
	}
	return e.Description()
}

// brief bounds a text that goes into an issue.
func brief(s string) string {
	const most = 160
	r := []rune(s)
	if len(r) <= most {
		return s
	}
	return string(r[:most]) + "…"
}

// asSyntax returns the pointer and text of a Decode error.
func asSyntax(err error) (pointer, text string) {
	var s *SyntaxError
	if errors.As(err, &s) {
		return s.Pointer, s.Text
	}
	return "", err.Error()
}
