package reports_test

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
	unsafe "github.com/yuin/goldmark/renderer/html"
	"golang.org/x/net/html"

	"github.com/etalon-sante/etalon/reports"
	pages "github.com/etalon-sante/etalon/reports/html"
	"github.com/etalon-sante/etalon/reports/internal/sample"
	"github.com/etalon-sante/etalon/reports/words"
)

// hostile are texts that have done harm in reports of others: what each tries is
// said by its name.
func hostile() map[string]string {
	return map[string]string{
		"script": `<script>alert(1)</script>`, "attribute": `" onmouseover="alert(1)`, "handler": `<img src=x onerror=alert(1)>`, "svg": `<svg/onload=alert(1)>`,
		"address": `javascript:alert(1)`, "data": `data:text/html,<script>alert(1)</script>`, "end of CDATA": `]]>`, "comment": `--><!--`, "entity": `&lt;script&gt;&#0;`,
		"end of title": `</title></style></textarea><script>`, "NUL": "a\x00b", "controls": "\x01\x02\x08\x0b\x0c\x0e\x1f\x7f", "colour": "\x1b[31mrouge\x1b[0m",
		"title of the terminal": "\x1b]0;owned\x07", "link of the terminal": "\x1b]8;;http://evil.example/\x1b\\click", "C1": "\u009b31m\u0085", "raw C1": "\x9b31m",
		"right to left": "\u202etxt.exe\u202c", "isolate": "\u2066a\u2069\u200f", "formula": `=cmd|'/C calc'!A0`, "plus": "+1+1", "minus": "-2+3", "at": "@SUM(1+1)", "tab": "\t=1+1",
		"feed": "a\r\nb\nc\rd", "separators": "a\u2028b\u2029c", "not UTF-8": "\xff\xfe\xc0\x80", "surrogate": "\xed\xa0\x80", "no character": "\ufffe\uffff\U0001ffff", "long": strings.Repeat("é<&\"'", 1500),
		"empty": "", "space": " \u00a0 ", "Markdown": "# a\n\n[x](javascript:alert(1)) ![y](http://evil.example/z) `c` | d | **e**", "JSON": `","verdict":"conformant","x":"`, "template": `{{.}}${x}%s%n`,
		"path": "../../../../etc/passwd", "emoji": "👩‍⚕️🇫🇷", "mark": "\ufeff", "combining": "e" + strings.Repeat("\u0301", 300), "workbook": "_x003D_1+1", "quote": `'=1`, "semicolon": `";=1;"`,
	}
}

func TestHostileTextIsTextInEveryFile(t *testing.T) {
	for name, s := range hostile() {
		t.Run(name, func(t *testing.T) { harmless(t, s) })
	}
}

func FuzzEveryWriter(f *testing.F) {
	for _, s := range hostile() {
		if len(s) < 200 {
			f.Add(s)
		}
	}
	f.Fuzz(func(t *testing.T, s string) {
		if len(s) > 2000 {
			t.Skip("longer than what is tried here")
		}
		harmless(t, s)
	})
}

// harmless writes a report that bears s in every field, in every form, and reads
// it back.
func harmless(t testing.TB, s string) {
	r := sample.Hostile(s)
	r.Results = slices.Concat(r.Results[:12], r.With(reports.Attested)[:1], r.With(reports.Excluded)[:1]) // what is tried is the text, not the number
	r.Conclude()
	want := expected(r)
	for _, lang := range []string{"fr", "en"} { // the page for buyers and patients names no check: it is text all the same
		obeysNobody(t, "html", written(t, format{name: "public", write: pages.WritePublic}, r, lang))
	}
	for _, f := range formats() {
		if f.name == "json" && s == "" {
			continue // its schema wants names to be names, and it is not written then
		}
		b := written(t, f, r, "fr")
		if f.name == "xlsx" {
			obeysNobody(t, f.name, unzipped(t, b))
		} else {
			obeysNobody(t, f.name, b)
		}
		if f.name == "json" || f.name == "markdown" {
			continue // the one keeps every character, escaped; of the other, the ids are ours to know
		}
		got := f.read(quiet{t}, b, words.FR)
		if got.checks != nil && len(got.checks) != len(want.checks) || got.requirements != nil && len(got.requirements) != len(want.requirements) {
			t.Errorf("%s tells of %d requirements and %d checks of %q, want %d and %d", f.name, len(got.requirements), len(got.checks), s, len(want.requirements), len(want.checks))
		}
	}
}

// quiet is a test to which readers may say what they like of ids that the writers
// had to change.
type quiet struct{ testing.TB }

func (quiet) Errorf(string, ...any) {}
func (quiet) Error(...any)          {}

// obeysNobody says what in a file a reader of it, a terminal or a browser, would
// take for more than text.
func obeysNobody(t testing.TB, name string, b []byte) {
	t.Helper()
	if !utf8.Valid(b) {
		t.Errorf("%s is not valid UTF-8", name)
	}
	for i, c := range string(b) {
		if c < ' ' && c != '\n' && c != '\t' && c != '\r' || c == 0x7f || c > 0x7f && c < 0xa0 {
			t.Errorf("%s holds the control character %U: %q", name, c, b[max(0, i-40):min(len(b), i+20)])
			break
		}
		if c >= 0x202a && c <= 0x202e || c >= 0x2066 && c <= 0x2069 {
			t.Errorf("%s holds %U, which turns the order of reading: %q", name, c, b[max(0, i-40):min(len(b), i+20)])
			break
		}
	}
	switch name {
	case "html":
		noScript(t, b, script(t))
	case "junit":
		wellFormed(t, b)
	case "json", "sarif", "testreport", "earl":
		if !json.Valid(b) {
			t.Errorf("%s is no JSON", name)
		}
	case "markdown":
		var page bytes.Buffer // as a renderer shows it that lets mark-up and every address through
		if err := goldmark.New(goldmark.WithExtensions(extension.GFM), goldmark.WithRendererOptions(unsafe.WithUnsafe())).Convert(b, &page); err != nil {
			t.Fatal(err)
		}
		noScript(t, page.Bytes(), "")
		if doc, err := html.Parse(&page); err == nil {
			for n := range doc.Descendants() {
				if n.Type == html.ElementNode && (n.Data == "img" || n.Data == "svg" || n.Data == "a" && !strings.HasPrefix(attr(n, "href"), "http")) {
					t.Errorf("the summary becomes a page with an element %s", n.Data)
				}
			}
		}
	}
}

// script is the one that the report page bears, of a report in which nobody is
// hostile.
func script(t testing.TB) string {
	t.Helper()
	var b bytes.Buffer
	if err := pages.Write(&b, reports.Report{}, "fr"); err != nil {
		t.Fatal(err)
	}
	doc, err := html.Parse(&b)
	if err != nil {
		t.Fatal(err)
	}
	if n := find(doc, "script", ""); n != nil {
		return textOf(n)
	}
	return ""
}

func noScript(t testing.TB, b []byte, own string) {
	t.Helper()
	doc, err := html.Parse(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	for n := range doc.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		if n.Data == "script" && textOf(n) == own {
			continue
		}
		if slices.Contains([]string{"script", "iframe", "object", "embed", "base"}, n.Data) {
			t.Errorf("the page holds an element %s", n.Data)
		}
		for _, a := range n.Attr {
			v := strings.ToLower(strings.TrimSpace(a.Val))
			if strings.HasPrefix(a.Key, "on") || (a.Key == "href" || a.Key == "src") && (strings.HasPrefix(v, "javascript:") || strings.HasPrefix(v, "data:text")) {
				t.Errorf("the page holds %s=%q", a.Key, a.Val)
			}
		}
	}
}

func wellFormed(t testing.TB, b []byte) {
	t.Helper()
	d := xml.NewDecoder(bytes.NewReader(b))
	for {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Errorf("the file is not well-formed: %v", err)
			return
		}
	}
}

// unzipped are the sheets of a workbook, one after the other.
func unzipped(t testing.TB, b []byte) []byte {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(&out, r); err != nil {
			t.Fatal(err)
		}
		r.Close()
	}
	return out.Bytes()
}
