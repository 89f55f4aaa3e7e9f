// Package html writes the report as one self-contained page: no script, no
// outside file but the run's own pictures, without which it stays whole; readable
// offline, on paper, at 320 pixels and by a screen reader.
package html

import (
	"bytes"
	"crypto/sha256"
	_ "embed" // page.tmpl, style.css
	"encoding/base64"
	"fmt"
	"html/template"
	"io"

	"github.com/etalon-sante/etalon/reports"
	"github.com/etalon-sante/etalon/reports/words"
)

//go:embed page.tmpl
var pageText string

//go:embed parts.tmpl
var partsText string

//go:embed style.css
var style string

// File returns the name of the page in a language; the two link to each other.
func File(lang words.Lang) string { return lang.Pick("index.html", "index.en.html") }

// Write writes the report page in a language, "fr" or "en".
func Write(w io.Writer, r reports.Report, lang string) error {
	l, err := words.Parse(lang)
	if err != nil {
		return fmt.Errorf("write report page: %w", err)
	}
	// The template says the same few hundred sentences over and over.
	said := map[string]string{}
	t, err := template.New("page").Funcs(template.FuncMap{
		"t": func(fr, en string) string {
			s, ok := said[fr]
			if !ok {
				s = l.Typeset(l.Pick(fr, en))
				said[fr] = s
			}
			return s
		},
		"name": func(kind, code string) string {
			key := kind + ":" + code
			s, ok := said[key]
			if !ok {
				s = l.Typeset(l.Name(kind, code))
				said[key] = s
			}
			return s
		},
		"text": func(t reports.Text) string { return l.Typeset(l.Of(t)) },
		"date": l.Date,
		"cap":  words.Capital,
		"gap": func(n int) string {
			return words.Itoa(n) + l.Many(n, l.Pick(" ligne", " line"), l.Pick(" lignes", " lines"))
		},
		"list": func(parts ...any) []any { return parts },
	}).Parse(pageText)
	if err == nil {
		_, err = t.Parse(partsText)
	}
	if err == nil {
		_, err = t.Parse(knownText)
	}
	if err != nil {
		return fmt.Errorf("write report page: %w", err)
	}
	sum := sha256.Sum256([]byte(style))
	p := newPage(r, l)
	p.CSS = template.CSS(style) // ours, embedded; the policy allows this very text and no other
	p.CSSHash = base64.StdEncoding.EncodeToString(sum[:])
	// Whole in memory first: a page that breaks off in the middle would lie.
	var b bytes.Buffer
	if err := t.Execute(&b, p); err != nil {
		return fmt.Errorf("write report page: %w", err)
	}
	if _, err := w.Write(b.Bytes()); err != nil {
		return fmt.Errorf("write report page: %w", err)
	}
	return nil
}
