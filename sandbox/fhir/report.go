package fhir

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/etalon-sante/etalon/sandbox/record"
)

// report collects the issues of one message.
type report struct {
	r    *Rules
	list []record.Issue
}

// add notes that a rule is broken; which names the case, as in Catalogue.
func (p *report) add(rule, which, pointer, expected, actual string) {
	row, ok := p.r.rules[rule+"/"+which]
	if !ok { // a test holds every case against the catalogue
		row = Rule{ID: rule, Severity: "warning", Code: "exception"}
	}
	if row.Setting == "measure.no-bundle-status" {
		row.HTTP = p.r.set.Int(row.Setting)
	}
	setting := ""
	if row.Setting != "" {
		setting = p.r.set.Assumed(row.Setting)
	}
	p.list = append(p.list, record.Issue{
		Rule: row.ID, Severity: row.Severity, Code: row.Code, HTTP: row.HTTP,
		Pointer: pointer, Expected: expected, Actual: brief(actual), Setting: setting,
	})
}

// shape checks a resource against its schema and notes what no rule has said
// yet. The rule is that of the member concerned, or other.
func (p *report) shape(resource string, v any, base, other, which string, rules map[string]string) {
	for _, x := range p.r.structures[resource].Check(v) {
		member, _, _ := strings.Cut(strings.TrimPrefix(x.Pointer, "/"), "/")
		rule, case_ := rules[member], ""
		if rule == "" {
			rule, case_ = other, which
		}
		if x.Whole && p.saidUnder(base+x.Pointer) {
			continue
		}
		if !p.said(rule, base+x.Pointer) {
			p.add(rule, case_, base+x.Pointer, x.Expected, x.Actual)
		}
	}
}

// said tells whether a rule has an issue at the pointer, or this rule one above
// or below it.
func (p *report) said(rule, pointer string) bool {
	for _, i := range p.list {
		if i.Pointer == pointer || i.Rule == rule && (under(i.Pointer, pointer) || under(pointer, i.Pointer)) {
			return true
		}
	}
	return false
}

// saidUnder tells whether any rule has an issue at the pointer or below it.
func (p *report) saidUnder(pointer string) bool {
	for _, i := range p.list {
		if under(i.Pointer, pointer) {
			return true
		}
	}
	return false
}

func under(pointer, parent string) bool {
	return pointer == parent || strings.HasPrefix(pointer, parent+"/")
}

func object(v any, name string) map[string]any {
	m, _ := v.(map[string]any)
	o, _ := m[name].(map[string]any)
	return o
}

func list(v any, name string) []any {
	m, _ := v.(map[string]any)
	l, _ := m[name].([]any)
	return l
}

func text(v any, name string) string {
	m, _ := v.(map[string]any)
	s, _ := m[name].(string)
	return s
}

// show writes a value for an issue.
func show(v any) string {
	switch x := v.(type) {
	case nil:
		return "nothing"
	case string:
		return brief(x)
	case json.Number:
		return x.String()
	case map[string]any:
		return "an object"
	case []any:
		return fmt.Sprintf("a list of %d", len(x))
	default:
		return fmt.Sprint(x)
	}
}

// showCodes writes the codings of a CodeableConcept for an issue.
func showCodes(v any) string {
	var out []string
	for _, c := range list(v, "coding") {
		out = append(out, text(c, "system")+"|"+text(c, "code"))
	}
	if out == nil {
		return "no coding"
	}
	return brief(strings.Join(out, ", "))
}
