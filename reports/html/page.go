// Package html writes what people read as pages: the report, a plain page for
// buyers and patients, and an overview of several services. Each is whole in
// itself: no outside file but the run's own pictures, without which it stays whole;
// no script is needed to read; readable offline, on paper, at 320 pixels and by a
// screen reader. The one script of the report searches and filters.
package html

import (
	"crypto/sha256"
	_ "embed" // page.tmpl, parts.tmpl, style.css, search.js
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"strings"

	"github.com/etalon-sante/etalon/reports"
	"github.com/etalon-sante/etalon/reports/words"
)

//go:embed page.tmpl
var pageText string

//go:embed parts.tmpl
var partsText string

//go:embed style.css
var style string

//go:embed search.js
var search string

// File returns the name of the page in a language; the two link to each other.
func File(lang words.Lang) string { return lang.Pick("index.html", "index.en.html") }

// dress is the style sheet of a page and its security policy.
type dress struct {
	CSS    template.CSS
	Script template.JS
	Policy string
}

// dressed gives a page the policy that the catalogue asks of others (SEC-06,
// SEC-40): nothing but this very style sheet and this very script, each by its
// digest. Pictures stand beside the page, which may be opened from a disk.
func dressed(css, script string, pictures bool) dress {
	policy := []string{"default-src 'none'", "style-src " + digestOf(css)}
	if script != "" {
		policy = append(policy, "script-src "+digestOf(script))
	}
	images := "img-src data:"
	if pictures {
		images += " 'self' file:"
	}
	policy = append(policy, images, "base-uri 'none'", "form-action 'none'", "require-trusted-types-for 'script'")
	return dress{CSS: template.CSS(css), Script: template.JS(script), Policy: strings.Join(policy, "; ")} //nolint:gosec // ours, embedded
}

func digestOf(s string) string {
	sum := sha256.Sum256([]byte(s))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// Write writes the report page in a language, "fr" or "en".
func Write(w io.Writer, r reports.Report, lang string) error {
	l, err := words.Parse(lang)
	if err != nil {
		return fmt.Errorf("write report page: %w", err)
	}
	p := newPage(r, l)
	p.dress = dressed(style, search, p.pictures)
	return execute(w, "report page", p.said, p, pageText, partsText, knownText)
}

// execute writes a page of templates. Whole in memory first: a page that breaks
// off in the middle would lie.
func execute(w io.Writer, what string, s said, data any, texts ...string) error {
	t := template.New("page").Funcs(template.FuncMap{
		"t":    s.t,
		"name": s.name,
		"text": func(t reports.Text) string { return s.l.Typeset(s.l.Of(t)) },
		"date": s.l.Date,
		"cap":  words.Capital,
	})
	var b strings.Builder
	var err error
	for _, text := range texts {
		if err == nil {
			_, err = t.Parse(text)
		}
	}
	if err == nil {
		err = t.Execute(&b, data)
	}
	if err == nil {
		_, err = io.WriteString(w, visible(b.String()))
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", what, err)
	}
	return nil
}
