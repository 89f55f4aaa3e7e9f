package fhir

import (
	"errors"
	"fmt"
	"strings"

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
}

// maxViolations bounds what is said of one message.
const maxViolations = 50

// shaped are the resources that have a schema.
func shaped() []string {
	return []string{observationWord, deviceResource, "Bundle", documentResource, "OperationOutcome"}
}

// schema is a compiled draft-07 JSON Schema. Messages reach it decoded by
// Decode, so that numbers are bounded: gojsonschema panics on 1e10000000.
type schema struct{ compiled *gojsonschema.Schema }

// newStructures compiles one schema per resource out of the embedded file.
func newStructures() (map[string]structure, error) {
	const name = "tables/r4.schema.json"
	raw, err := tables.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("read embedded schema: %w", err)
	}
	doc, err := Decode(raw)
	if err != nil {
		return nil, fmt.Errorf("read embedded schema %s: %w", name, err)
	}
	if err := onlyLocal(doc); err != nil {
		return nil, fmt.Errorf("read embedded schema %s: %w", name, err)
	}
	definitions := object(doc, "definitions")
	out := map[string]structure{}
	for _, resource := range shaped() {
		loader := gojsonschema.NewSchemaLoader()
		loader.Draft, loader.AutoDetect = gojsonschema.Draft7, false
		s, err := loader.Compile(gojsonschema.NewRawLoader(map[string]any{
			"$ref": "#/definitions/" + resource, "definitions": reachable(definitions, resource),
		}))
		if err != nil {
			return nil, fmt.Errorf("compile embedded schema of %s: %w", resource, err)
		}
		out[resource] = schema{s}
	}
	return out, nil
}

// reachable returns the definitions that one refers to, itself included: the
// library reads all that it is given.
func reachable(definitions map[string]any, from string) map[string]any {
	out := map[string]any{}
	var visit func(v any)
	visit = func(v any) {
		switch x := v.(type) {
		case map[string]any:
			if name, ok := strings.CutPrefix(text(x, "$ref"), "#/definitions/"); ok && out[name] == nil {
				out[name] = definitions[name]
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

// onlyLocal refuses a $ref that gojsonschema would fetch.
func onlyLocal(v any) error {
	switch x := v.(type) {
	case map[string]any:
		if ref, ok := x["$ref"].(string); ok && !strings.HasPrefix(ref, "#/") {
			return fmt.Errorf("the reference %q is not within the schema", ref)
		}
		for _, c := range x {
			if err := onlyLocal(c); err != nil {
				return err
			}
		}
	case []any:
		for _, c := range x {
			if err := onlyLocal(c); err != nil {
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
	result, err := s.compiled.Validate(gojsonschema.NewRawLoader(v))
	if err != nil {
		return []violation{{Expected: "a resource that can be checked", Actual: brief(err.Error())}}
	}
	for _, e := range result.Errors() {
		if len(out) == maxViolations {
			break
		}
		out = append(out, violation{Pointer: pointerOf(e), Expected: expectedOf(e), Actual: brief(fmt.Sprint(e.Value()))})
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
	case "array_min_items", "array_min_properties", "string_gte":
		return "no empty element"
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
