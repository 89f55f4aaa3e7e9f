package fhir

import (
	"encoding/json"
	"strings"

	"github.com/etalon-sante/etalon/sandbox/record"
)

// Outcome writes issues as a FHIR OperationOutcome. Without issues it says that
// all is well.
func Outcome(issues []record.Issue) []byte {
	type coding struct {
		Text string `json:"text"`
	}
	type issue struct {
		Severity    string   `json:"severity"`
		Code        string   `json:"code"`
		Details     *coding  `json:"details,omitempty"`
		Diagnostics string   `json:"diagnostics,omitempty"`
		Expression  []string `json:"expression,omitempty"`
	}
	out := struct {
		ResourceType string  `json:"resourceType"`
		Issue        []issue `json:"issue"`
	}{ResourceType: "OperationOutcome"}
	for _, i := range issues {
		o := issue{Severity: i.Severity, Code: i.Code, Diagnostics: diagnostics(i)}
		if i.Rule != "" {
			o.Details = &coding{i.Rule}
		}
		if e := expression(i.Pointer); strings.TrimSpace(e) != "" { // an element may be named by blanks
			o.Expression = []string{e}
		}
		out.Issue = append(out.Issue, o)
	}
	if len(out.Issue) == 0 {
		out.Issue = []issue{{Severity: "information", Code: "informational", Diagnostics: "no issue"}}
	}
	b, err := json.Marshal(out)
	if err != nil { // plain strings always marshal
		return []byte(`{"resourceType":"OperationOutcome","issue":[{"severity":"fatal","code":"exception"}]}`)
	}
	return b
}

// diagnostics is one sentence for the developer who reads the answer.
func diagnostics(i record.Issue) string {
	var b strings.Builder
	if i.Pointer != "" {
		b.WriteString(i.Pointer + ": ")
	}
	if i.Expected != "" {
		b.WriteString("expected " + i.Expected)
	}
	if i.Actual != "" {
		if i.Expected != "" {
			b.WriteString(", ")
		}
		b.WriteString("got " + i.Actual)
	}
	return b.String()
}

// expression turns a JSON pointer into the FHIRPath form that OperationOutcome
// wants; other pointers have no such form.
func expression(pointer string) string {
	if !strings.HasPrefix(pointer, "/") {
		return ""
	}
	var b strings.Builder
	for _, part := range strings.Split(pointer[1:], "/") {
		part = strings.NewReplacer("~1", "/", "~0", "~").Replace(part)
		if part == "" || strings.Trim(part, "0123456789") != "" {
			if strings.ContainsAny(part, "/~.[]'\" ") || part == "" {
				return ""
			}
			if b.Len() > 0 {
				b.WriteByte('.')
			}
			b.WriteString(part)
			continue
		}
		b.WriteString("[" + part + "]")
	}
	return b.String()
}
