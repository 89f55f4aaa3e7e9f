// Package testreport writes the report as a TestReport of FHIR R4, for test
// platforms of the field of health.
//
// A test is a requirement, an action of it an assertion about one check, or
// about the requirement itself where it has none. The verdicts become:
//
//	verdict                                 result of the assertion
//	conformant                              pass
//	nonconformant                           fail
//	deviation                               warning; in a strict run fail
//	to-review                               warning; in a strict run skip
//	attested                                skip: declared, nothing was observed
//	untested                                skip
//	not-applicable, not-in-force, excluded  skip
//	error                                   error
//
// The result of the whole is pass, fail, or pending where the run has no verdict
// of its own or could not conclude; an interrupted run has the status stopped.
// There is no score: étalon compares requirement by requirement, never by sums,
// and the share of passed actions would be one.
//
// The id of a check and its verdict stand in extensions of the action, for R4 has
// no element for either. What is worth saying of the run as a whole is its setup.
// Texts are in the language asked for, and in the other one by HL7's extension for
// translations. Who declared something is named by his role only.
package testreport

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"

	"github.com/etalon-sante/etalon/reports"
	"github.com/etalon-sante/etalon/reports/internal/plain"
	"github.com/etalon-sante/etalon/reports/internal/rows"
	"github.com/etalon-sante/etalon/reports/words"
)

// File is the name of the file in a run folder.
const File = "testreport.json"

// Names of what étalon adds to the resource.
const (
	base        = "https://etalon-sante.github.io/etalon/"
	translation = "http://hl7.org/fhir/StructureDefinition/translation"
	extCheck    = base + "fhir/check"
	extVerdict  = base + "fhir/verdict"
	maxText     = 4 << 10 // bytes of one message
)

type (
	resource struct {
		ResourceType string        `json:"resourceType"`
		Language     string        `json:"language"`
		Text         narrative     `json:"text"`
		Extension    []extension   `json:"extension"`
		Identifier   identifier    `json:"identifier"`
		Name         string        `json:"name"`
		Status       string        `json:"status"`
		TestScript   reference     `json:"testScript"`
		Result       string        `json:"result"`
		Tester       string        `json:"tester"`
		Issued       string        `json:"issued,omitempty"`
		Participant  []participant `json:"participant"`
		Setup        *setup        `json:"setup,omitempty"`
		Test         []test        `json:"test,omitempty"`
	}
	narrative struct {
		Status string `json:"status"`
		Div    string `json:"div"`
	}
	identifier struct {
		System string `json:"system"`
		Value  string `json:"value"`
	}
	reference struct {
		Identifier identifier `json:"identifier"`
		Display    string     `json:"display"`
	}
	participant struct {
		Type    string `json:"type"`
		URI     string `json:"uri"`
		Display string `json:"display"`
	}
	setup struct {
		Action []action `json:"action"`
	}
	test struct {
		Extension   []extension `json:"extension,omitempty"`
		Name        string      `json:"name"`
		Description string      `json:"description"`
		Other       *element    `json:"_description,omitempty"`
		Action      []action    `json:"action"`
	}
	action struct {
		Extension []extension `json:"extension,omitempty"`
		Assert    assert      `json:"assert"`
	}
	assert struct {
		Result  string   `json:"result"`
		Message string   `json:"message,omitempty"`
		Other   *element `json:"_message,omitempty"`
		Detail  string   `json:"detail,omitempty"`
	}
	element struct {
		Extension []extension `json:"extension"`
	}
	extension struct {
		Extension []extension `json:"extension,omitempty"`
		URL       string      `json:"url"`
		String    string      `json:"valueString,omitempty"`
		Markdown  string      `json:"valueMarkdown,omitempty"`
		Code      string      `json:"valueCode,omitempty"`
		Boolean   *bool       `json:"valueBoolean,omitempty"`
	}
)

// Write writes the report as a TestReport, its texts in a language.
func Write(w io.Writer, r reports.Report, lang string) error {
	l, err := words.Parse(lang)
	if err != nil {
		return fmt.Errorf("write %s: %w", File, err)
	}
	out, err := build(reports.Shown(r), l)
	if err != nil {
		return fmt.Errorf("write %s: %w", File, err)
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(out); err != nil {
		return fmt.Errorf("write %s: %w", File, err)
	}
	if _, err := w.Write(b.Bytes()); err != nil {
		return fmt.Errorf("write %s: %w", File, err)
	}
	return nil
}

func build(r reports.Report, l words.Lang) (resource, error) {
	service := plain.Line(r.Candidate.Service.Name + " " + r.Candidate.Service.Version)
	div, err := narrated(l.Typeset(l.Verdict(r)), l.Typeset(l.Coverage(r)), l.Typeset(l.Independent()))
	if err != nil {
		return resource{}, err
	}
	out := resource{
		ResourceType: "TestReport", Language: string(l), Text: narrative{"generated", div},
		Extension:  []extension{{URL: extVerdict, Code: code(string(r.Verdict))}},
		Identifier: identifier{base + "run", orDash(plain.Line(r.Run.ID))},
		Name:       orDash(plain.Line("Étalon " + service)), Status: "completed", Result: resultOf(r.Verdict),
		TestScript: reference{identifier{base + "catalogue", orDash(plain.Line(r.Run.Catalogue.Version))}, plain.Line(l.Pick("Catalogue d’Étalon ", "Étalon's catalogue ") + r.Run.Catalogue.Version)},
		Tester:     plain.Line("Étalon " + r.Run.Harness.Version),
		Participant: []participant{
			{"test-engine", "https://github.com/etalon-sante/etalon", plain.Line("Étalon " + r.Run.Harness.Version)},
			{"client", address(r), orDash(service)},
			{"server", base + "settings/" + segment(r.Run.Settings.ID), plain.Line(l.Pick("Bac à sable d’Étalon ", "Étalon's sandbox ") + r.Run.Sandbox.Build + " (" + l.Name("form", r.Run.Sandbox.Form) + ")")},
		},
	}
	if r.Run.Interrupted {
		out.Status = "stopped"
	}
	if !r.Run.Started.IsZero() {
		out.Issued = r.Run.Started.Add(time.Duration(r.Run.Duration * float64(time.Second))).Format("2006-01-02T15:04:05.000Z")
	}
	if len(r.Notes) > 0 {
		out.Setup = &setup{}
	}
	for _, n := range r.Notes {
		a := assert{Result: "warning"}
		if n.Kind == "missing" {
			a.Result = "skip"
		}
		a.Message, a.Other = said(l, l.Name("note", n.Kind)+l.Pick("\u00a0: ", ": ")+l.Typeset(l.Of(n.Text)), func(o words.Lang) string {
			return o.Name("note", n.Kind) + o.Pick("\u00a0: ", ": ") + o.Typeset(o.Of(n.Text))
		})
		out.Setup.Action = append(out.Setup.Action, action{Assert: a})
	}
	var current *reports.Result
	for _, x := range rows.Of(r) {
		if x.Result != current {
			current = x.Result
			blocking := current.Blocking
			t := test{
				Name: orDash(plain.Line(current.Requirement)), Description: orDash(plain.Line(l.Typeset(l.Of(current.Title)))), Other: translated(other(l), plain.Line(other(l).Typeset(other(l).Of(current.Title))), false),
				Extension: []extension{{URL: extVerdict, Code: code(string(current.Verdict))}, {URL: base + "fhir/blocking", Boolean: &blocking}},
			}
			out.Test = append(out.Test, t)
		}
		t := &out.Test[len(out.Test)-1]
		a := assert{Result: outcome(x.Verdict, r.Run.Strict), Detail: page(l) + "#" + segment(current.Requirement)}
		a.Message, a.Other = said(l, told(x, l), func(o words.Lang) string { return told(x, o) })
		t.Action = append(t.Action, action{Extension: []extension{{URL: extCheck, String: orDash(plain.Line(x.ID))}, {URL: extVerdict, Code: code(string(x.Verdict))}}, Assert: a})
	}
	return out, nil
}

// outcome is the one table from verdicts to the results of an action.
func outcome(v reports.Verdict, strict bool) string {
	switch v {
	case reports.Conformant:
		return "pass"
	case reports.Nonconformant:
		return "fail"
	case reports.Deviation:
		if strict {
			return "fail"
		}
		return "warning"
	case reports.ToReview:
		if strict {
			return "skip"
		}
		return "warning"
	case reports.Attested, reports.Untested, reports.NotApplicable, reports.NotInForce, reports.Excluded:
		return "skip"
	}
	return "error"
}

func resultOf(v reports.RunVerdict) string {
	switch v {
	case reports.RunConformant:
		return "pass"
	case reports.RunNonconformant:
		return "fail"
	}
	return "pending"
}

// told is what is said of a row: its id, its title, why it has its verdict.
func told(x rows.Row, l words.Lang) string {
	return plain.Line(x.ID) + " " + plain.Line(l.Typeset(l.Of(x.Title))) + "\n" + x.Why(l)
}

// said is a message in the language of the report, and in the other one.
func said(l words.Lang, text string, in func(words.Lang) string) (string, *element) {
	return markdown(text), translated(other(l), markdown(in(other(l))), true)
}

// markdown writes text so that Markdown, which messages are in, shows it as it is.
func markdown(s string) string {
	var b bytes.Buffer
	for _, r := range plain.Cut(plain.Text(s), maxText) {
		switch r {
		case '\\', '`', '*', '_', '[', ']', '#', '!', '|', '~':
			b.WriteByte('\\')
			b.WriteRune(r)
		case '<':
			b.WriteString("&lt;")
		case '>':
			b.WriteString("&gt;")
		case '&':
			b.WriteString("&amp;")
		case '\n':
			b.WriteString("  \n")
		default:
			b.WriteRune(r)
		}
	}
	return orDash(b.String())
}

func translated(l words.Lang, text string, markdown bool) *element {
	if text == "" {
		return nil
	}
	content := extension{URL: "content"}
	if markdown {
		content.Markdown = text
	} else {
		content.String = text
	}
	return &element{[]extension{{URL: translation, Extension: []extension{{URL: "lang", Code: string(l)}, content}}}}
}

func other(l words.Lang) words.Lang {
	if l == words.EN {
		return words.FR
	}
	return words.EN
}

func page(l words.Lang) string { return l.Pick("index.html", "index.en.html") }

// narrated is what a reader of FHIR shows of the resource.
func narrated(sentences ...string) (string, error) {
	var b bytes.Buffer
	b.WriteString(`<div xmlns="http://www.w3.org/1999/xhtml">`)
	for _, s := range sentences {
		if s == "" {
			continue
		}
		b.WriteString("<p>")
		if err := xml.EscapeText(&b, []byte(plain.Line(s))); err != nil {
			return "", err
		}
		b.WriteString("</p>")
	}
	b.WriteString("</div>")
	return b.String(), nil
}

// address is where the service is, or a name that stands for it.
func address(r reports.Report) string {
	for _, a := range []string{r.Candidate.Web.Production, r.Candidate.Web.Site} {
		if u, err := url.Parse(a); err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && plain.Line(a) == a {
			return u.String()
		}
	}
	return base + "service/" + segment(r.Candidate.Service.Name)
}

func segment(s string) string { return plain.Segment(s) }

// code is s where it is a code of FHIR, else that of our error.
func code(s string) string {
	if s == "" || strings.Trim(s, "abcdefghijklmnopqrstuvwxyz-") != "" {
		return string(reports.Error)
	}
	return s
}

// orDash keeps a text from being empty, which FHIR forbids.
func orDash(s string) string {
	if s == "" {
		return "—"
	}
	return s
}
