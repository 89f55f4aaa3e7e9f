// Package evidence writes single pieces of evidence, ready to be joined to a
// file: an exchange as a page, a picture with its caption, a dated log. Each says
// by itself what it is of: requirement, check, verdict, run, date, service, and
// that étalon is no official tool.
package evidence

import (
	"bytes"
	"fmt"
	"html/template"
	"io"
	"strings"
	"time"

	"github.com/etalon-sante/etalon/reports"
	"github.com/etalon-sante/etalon/reports/internal/plain"
	"github.com/etalon-sante/etalon/reports/words"
)

// Kinds of pieces, in the order of their numbers.
const (
	KindExchange = 1
	KindPicture  = 2
	KindLog      = 3
)

// Number is the number of a piece: that of the check, and of its kind.
func Number(check string, kind int) string { return fmt.Sprintf("%s-%d", check, kind) }

// Name is the name of the file of a piece, in a language.
func Name(check string, kind int, lang words.Lang) string {
	what := map[int]string{
		KindExchange: lang.Pick("echange.html", "exchange.html"), KindPicture: "capture.png", KindLog: lang.Pick("journal.txt", "log.txt"),
	}[kind]
	return Number(safe(check), kind) + "-" + what
}

// safe is an id as a part of a file's name.
func safe(id string) string {
	out := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '.' || r == '-' {
			return r
		}
		return '_'
	}, plain.Cut(id, 60))
	return strings.TrimLeft(out, ".-")
}

// Item is what a piece is of.
type Item struct {
	Report  reports.Report // only who was judged, and by which run, is read of it
	Result  reports.Result
	Check   reports.Check
	Finding *reports.Finding // nil: nothing was found wrong
}

// said are the lines that every piece bears.
type said struct {
	Lang                                               string
	Head, Requirement, Verdict, Seen, Where, Run, Note string
}

func (i Item) said(l words.Lang) said {
	r := i.Report
	out := said{
		Lang: string(l), Head: i.Check.ID + " " + l.Typeset(l.Of(i.Check.Title)), Requirement: i.Result.Requirement + " " + l.Typeset(l.Of(i.Result.Title)),
		Verdict: words.Capital(l.Of(i.Check.Verdict.Label().Word)),
		Run: fmt.Sprintf("%s %s · %s %s, %s · Étalon %s, %s %s", r.Candidate.Service.Name, r.Candidate.Service.Version, l.Pick("campagne", "run"), r.Run.ID, l.Instant(r.Run.Started),
			r.Run.Harness.Version, l.Pick("catalogue", "catalogue"), r.Run.Catalogue.Version),
		Note: l.Typeset(l.Independent()),
	}
	switch f := i.Finding; {
	case f != nil:
		out.Seen = words.Capital(l.Typeset(l.Of(f.Message)))
		var pairs []string
		if f.Expected != "" {
			pairs = append(pairs, l.Pick("attendu", "expected")+l.Pick("\u00a0: ", ": ")+f.Expected)
		}
		if f.Actual != "" {
			pairs = append(pairs, l.Pick("vu", "seen")+l.Pick("\u00a0: ", ": ")+f.Actual)
		}
		if len(pairs) > 0 {
			out.Seen += " (" + strings.Join(pairs, l.Pick("\u00a0; ", "; ")) + ")"
		}
		if f.Pointer != "" {
			out.Where = f.Pointer
		}
	case !i.Check.Reason.Empty():
		out.Seen = words.Capital(l.Typeset(l.Of(i.Check.Reason)))
	}
	for _, s := range []*string{&out.Head, &out.Requirement, &out.Seen, &out.Where, &out.Run} {
		*s = plain.Cut(plain.Line(*s), 2000)
	}
	return out
}

// Line is one line of a log.
type Line struct {
	Time time.Time
	Text string
	Mark bool // this is the one that tells
}

// Log writes a dated log as text: what it is of, then a line for each thing that
// happened, in UTC to the millisecond. more is how many lines were left out.
func Log(w io.Writer, i Item, lines []Line, more int, lang string) error {
	l, err := words.Parse(lang)
	if err != nil {
		return fmt.Errorf("write a log: %w", err)
	}
	s := i.said(l)
	var b bytes.Buffer
	for _, p := range [][2]string{
		{l.Pick("Vérification", "Check"), s.Head},
		{l.Pick("Exigence", "Requirement"), s.Requirement},
		{"Verdict", s.Verdict},
		{l.Pick("Constaté", "Seen"), s.Seen},
		{l.Pick("À regarder", "Look at"), s.Where},
		{l.Pick("Campagne", "Run"), s.Run},
		{l.Pick("Avis", "Notice"), s.Note},
	} {
		if p[1] != "" {
			fmt.Fprintf(&b, "%s%s%s\n", p[0], l.Pick("\u00a0: ", ": "), p[1])
		}
	}
	fmt.Fprintf(&b, "\n%s\n\n", l.Pick("Heures en temps universel (UTC). La ligne marquée > est celle qui montre le verdict.", "Times are UTC. The line marked > is the one that shows the verdict."))
	for _, x := range lines {
		mark := " "
		if x.Mark {
			mark = ">"
		}
		fmt.Fprintf(&b, "%s %s  %s\n", mark, x.Time.UTC().Format("2006-01-02 15:04:05.000"), plain.Cut(plain.Line(x.Text), 400))
	}
	if more > 0 {
		fmt.Fprintf(&b, "\n%d %s\n", more, l.Pick("lignes de plus sont dans journal.jsonl de la campagne.", "more lines are in journal.jsonl of the run."))
	}
	if _, err := w.Write(b.Bytes()); err != nil {
		return fmt.Errorf("write a log: %w", err)
	}
	return nil
}

// row is one line of a message.
type row struct {
	Text string
	Mark bool
}

type exchangePage struct {
	said
	X                 reports.Exchange
	From, To, When    string
	Request, Response []row
	T                 func(fr, en string) string
}

// Exchange writes an exchange as a page of its own, without a script or anything
// loaded, the line that tells marked where it is a header, the status or the
// address.
func Exchange(w io.Writer, i Item, x reports.Exchange, lang string) error {
	l, err := words.Parse(lang)
	if err != nil {
		return fmt.Errorf("write an exchange: %w", err)
	}
	x = plain.Deep(x)
	pointer := ""
	if i.Finding != nil {
		pointer = i.Finding.Pointer
	}
	page := exchangePage{
		said: i.said(l), X: x, From: l.Name("party", x.From), To: l.Name("party", x.To), When: x.Time.UTC().Format("2006-01-02 15:04:05.000") + " UTC",
		Request:  message(strings.TrimSpace(x.Request.Method+" "+x.Request.URL), x.Request.Headers, x.Request.Body, pointer, "request:", l),
		Response: message(status(x.Response.Status), x.Response.Headers, x.Response.Body, pointer, "response:", l),
		T:        func(fr, en string) string { return l.Typeset(l.Pick(fr, en)) },
	}
	t, err := template.New("exchange").Parse(exchangeText)
	if err != nil {
		return fmt.Errorf("write an exchange: %w", err)
	}
	var b bytes.Buffer
	if err := t.Execute(&b, page); err != nil {
		return fmt.Errorf("write an exchange: %w", err)
	}
	if _, err := w.Write(b.Bytes()); err != nil {
		return fmt.Errorf("write an exchange: %w", err)
	}
	return nil
}

func status(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("HTTP %d", n)
}

// message lays a message out line by line, and marks the one that a pointer names.
func message(first string, headers []reports.Header, body reports.Body, pointer, side string, l words.Lang) []row {
	named, decided := strings.CutPrefix(pointer, side)
	if !decided && (strings.HasPrefix(pointer, "request:") || strings.HasPrefix(pointer, "response:")) {
		named = "" // of the other side
	}
	var out []row
	if first != "" {
		mark := named == "url" && side == "request:" || named == "method" && side == "request:" || strings.HasPrefix(named, "?") && side == "request:" || named == "status" && side == "response:"
		out = append(out, row{first, mark})
	}
	name, isHeader := strings.CutPrefix(named, "header:")
	for _, h := range headers {
		out = append(out, row{h.Name + ": " + h.Value, isHeader && strings.EqualFold(name, h.Name)})
	}
	if body.Text == "" {
		return out
	}
	out = append(out, row{})
	for _, line := range strings.Split(body.Text, "\n") {
		out = append(out, row{Text: line})
	}
	if body.Cut {
		out = append(out, row{Text: l.Pick("… la suite est dans le journal de la campagne", "… the rest is in the journal of the run")})
	}
	return out
}

const exchangeText = `<!doctype html>
<html lang="{{.Lang}}"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="referrer" content="no-referrer"><meta name="robots" content="noindex">
<title>{{.Head}}</title>
<style>body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1b1f24;background:#fff}h1{font-size:1.35rem;line-height:1.3;margin:0 0 .25rem}h2{font-size:1rem;margin:1.75rem 0 .5rem}p{margin:.25rem 0}.soft{color:#4a5568}dl{display:grid;grid-template-columns:max-content 1fr;gap:.25rem 1rem;margin:1.25rem 0}dt{color:#4a5568}dd{margin:0;overflow-wrap:anywhere}pre{border:1px solid #d5dae1;border-radius:4px;padding:.75rem;white-space:pre-wrap;overflow-wrap:anywhere;font:13px/1.5 ui-monospace,monospace;margin:0}mark{background:#fff2c2;font-weight:650;display:block;margin:0 -.75rem;padding:0 .5rem;border-left:.25rem solid #8a5a00}@media print{@page{size:A4;margin:16mm}body{margin:0}}</style>
</head><body><main>
<p class="soft">{{.Requirement}}</p>
<h1>{{.Head}}</h1>
<dl><dt>Verdict</dt><dd><strong>{{.Verdict}}</strong></dd>
{{- with .Seen}}<dt>{{call $.T "Constaté" "Seen"}}</dt><dd>{{.}}</dd>{{end}}
{{- with .Where}}<dt>{{call $.T "À regarder" "Look at"}}</dt><dd><code>{{.}}</code></dd>{{end}}
<dt>{{call .T "Échange" "Exchange"}}</dt><dd>{{.X.ID}}, {{.X.Route}}{{with .From}}, {{.}} → {{$.To}}{{end}}</dd>
<dt>{{call .T "Quand" "When"}}</dt><dd><time datetime="{{.X.Time.UTC.Format "2006-01-02T15:04:05.000Z"}}">{{.When}}</time></dd>
{{- with .X.Scenario}}<dt>{{call $.T "Scénario" "Scenario"}}</dt><dd>{{.}}</dd>{{end}}
{{- with .X.Fault}}<dt>{{call $.T "Incident provoqué" "Planned fault"}}</dt><dd>{{.}}</dd>{{end}}
{{- with .X.Error}}<dt>{{call $.T "Réponse incomplète" "No whole response"}}</dt><dd>{{.}}</dd>{{end}}</dl>
{{with .Request}}<h2>{{call $.T "Requête" "Request"}}</h2><pre>{{range .}}{{if .Mark}}<mark>{{.Text}}</mark>{{else}}{{.Text}}
{{end}}{{end}}</pre>{{end}}
{{with .Response}}<h2>{{call $.T "Réponse" "Response"}}</h2><pre>{{range .}}{{if .Mark}}<mark>{{.Text}}</mark>{{else}}{{.Text}}
{{end}}{{end}}</pre>{{end}}
<p class="soft" style="margin-top:2rem">{{.Run}}</p><p class="soft">{{.Note}}</p>
</main></body></html>
`
