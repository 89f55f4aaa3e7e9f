package html

import (
	"strings"
	"testing"

	"github.com/etalon-sante/etalon/reports"
)

func TestThePointerMarksTheLineThatTells(t *testing.T) {
	x := reports.Exchange{
		Request: reports.Request{
			Method: "POST", URL: "https://h/fhir?code=a%20b&x=1", Headers: []reports.Header{{Name: "Content-Type", Value: "application/json"}},
			Body: reports.Body{MIME: "application/json", Text: `{"a":{"b":[10,{"c/d":"é<&>"}]},"n":1.50,"t":true,"z":null,"e":{},"l":[]}`},
		},
		Response: reports.Response{
			Status: 422, Headers: []reports.Header{{Name: "content-type", Value: "text/plain"}, {Name: "Retry-After", Value: "1"}},
			Body: reports.Body{Text: `{"only":"there"}`},
		},
	}
	cases := []struct{ pointer, line, missing string }{
		{"/a/b/0", "10,", ""},
		{"/a/b/1/c~1d", `"c/d": "é<&>"`, ""},
		{"/n", `"n": 1.50,`, ""},
		{"/t", `"t": true,`, ""},
		{"/z", `"z": null,`, ""},
		{"/e", `"e": {},`, ""},
		{"/l", `"l": []`, ""},
		{"/a", `"a": {`, ""},
		{"/a/gone/deeper", `"a": {`, "/a/gone/deeper"},
		{"/gone", "{", "/gone"},
		{"/only", `"only": "there"`, ""},
		{"response:/only", `"only": "there"`, ""},
		{"?code", "?code = a b", ""},
		{"?x", "&x = 1", ""},
		{"header:content-TYPE", "Content-Type: application/json", ""},
		{"response:header:Content-Type", "content-type: text/plain", ""},
		{"header:Retry-After", "Retry-After: 1", ""},
		{"url", "POST https://h/fhir", ""},
		{"method", "POST https://h/fhir", ""},
		{"status", "HTTP 422 Unprocessable Entity", ""},
		{"header:Gone", "", "header:Gone"},
		{"", "", ""},
	}
	for _, c := range cases {
		e := show(x, c.pointer)
		var marked []string
		for _, l := range append(e.Request.Lines, e.Response.Lines...) {
			if l.Mark {
				marked = append(marked, strings.TrimSpace(l.Text))
			}
		}
		if got := strings.Join(marked, "|"); got != c.line || e.Missing != c.missing {
			t.Errorf("%q marks %q, missing %q; want %q, %q", c.pointer, got, e.Missing, c.line, c.missing)
		}
	}
}

func TestALongMessageKeepsItsHeadAndTheMarkedLine(t *testing.T) {
	body := "[" + strings.TrimSuffix(strings.Repeat(`{"v":1},`, 500), ",") + "]"
	x := reports.Exchange{Request: reports.Request{Method: "POST", URL: "u", Body: reports.Body{Text: body}}}
	e := show(x, "/300/v")
	kept, left := 0, 0
	for _, l := range e.Request.Lines {
		if left += l.Gap; l.Gap == 0 {
			kept++
		}
	}
	if kept != bodyLines || !e.Marked || kept+left != 2+2+3*500 {
		t.Errorf("%d lines kept, %d left out, marked %v", kept, left, e.Marked)
	}
	if e.brief(); len(e.Request.Lines) != 2*nearby+3 {
		t.Errorf("in brief %d lines", len(e.Request.Lines))
	}
}

func TestWhatIsNotJSONIsShownAsItCame(t *testing.T) {
	for text, want := range map[string]string{
		"{broken":                  "{broken",
		`{"a":1}{`:                 `{"a":1}{`,
		"plain\r\nlines\n":         "plain|lines",
		strings.Repeat("[", 70):    strings.Repeat("[", 70),
		`"a string"`:               `"a string"`,
		"<html>":                   "<html>",
		`{"a":1` + "\x00" + `,"b"`: `{"a":1` + "\x00" + `,"b"`,
	} {
		var got []string
		for _, l := range bodyOf(reports.Body{Text: text})[1:] {
			got = append(got, l.Text)
		}
		if strings.Join(got, "|") != want {
			t.Errorf("%q is shown as %q", text, got)
		}
	}
}

func FuzzAnyBodyAndPointerCanBeShown(f *testing.F) {
	f.Add(`{"a":[1,2,{"b":null}]}`, "/a/2/b", true)
	f.Add(`a=b&c=%zz`, "?c", false)
	f.Add(`[[[[`, "response://", false)
	f.Fuzz(func(t *testing.T, text, pointer string, cut bool) {
		for _, mime := range []string{"application/json", "application/x-www-form-urlencoded"} {
			b := reports.Body{MIME: mime, Text: text, Cut: cut}
			e := show(reports.Exchange{Request: reports.Request{URL: text, Body: b}, Response: reports.Response{Body: b}}, pointer)
			for _, m := range []message{e.Request, e.Response} {
				if len(m.Lines) > 2*bodyLines {
					t.Errorf("%d lines", len(m.Lines))
				}
			}
			e.brief()
		}
	})
}
