// Package markdown writes the report as one short page for a pull request or a
// CI summary: the verdict, what to fix first, the counts, how to reproduce.
package markdown

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"

	"github.com/etalon-sante/etalon/reports"
	"github.com/etalon-sante/etalon/reports/words"
)

// File is the name of the file in a run folder.
const File = "summary.md"

// most is how many requirements of a kind the summary names.
const most = 10

// Write writes the summary in a language.
func Write(w io.Writer, r reports.Report, lang string) error {
	l, err := words.Parse(lang)
	if err != nil {
		return fmt.Errorf("write summary.md: %w", err)
	}
	var b bytes.Buffer
	page{&b, l}.write(reports.Shown(r))
	if _, err := w.Write(b.Bytes()); err != nil {
		return fmt.Errorf("write summary.md: %w", err)
	}
	return nil
}

type page struct {
	*bytes.Buffer
	l words.Lang
}

// f writes a line; the arguments were escaped by the caller where they are not ours.
func (p page) f(format string, args ...any) { fmt.Fprintf(p, format+"\n", args...) }

func (p page) write(r reports.Report) {
	l := p.l
	free := ""
	if r.Run.FreeUse {
		free = l.Pick(" : usage libre", ": free use")
	}
	p.f("# %s %s %s%s", r.Verdict.Label().Shape, plain(r.Candidate.Service.Name), plain(r.Candidate.Service.Version), free)
	p.f("")
	p.f("**%s**", plain(l.Typeset(l.Verdict(r))))
	p.f("")
	p.f("%s %s, %s. %s `%d`.", plain(l.Typeset(l.Coverage(r))), l.Instant(r.Run.Started), l.Millis(r.Run.Duration*1000), l.Pick("Code de sortie", "Exit code"), r.ExitCode)
	p.f("")
	p.counts(r)
	p.fix(r)
	p.known(r)
	p.named(r, reports.Error, l.Pick("Erreurs du banc", "Harness errors"))
	p.named(r, reports.Untested, l.Pick("Non testé", "Untested"))
	p.named(r, reports.Deviation, l.Pick("Écarts à des hypothèses", "Deviations from assumptions"))
	p.named(r, reports.ToReview, l.Pick("À examiner par une personne", "To be reviewed by a person"))
	p.f("## %s", l.Pick("Reproduire", "Reproduce"))
	p.f("")
	p.f("%s", fenced(r.Run.Command))
	p.f("")
	p.f("%s %s, Étalon %s, %s %s, %s %s, %s %d.", l.Pick("Campagne", "Run"), plain(r.Run.ID), plain(r.Run.Harness.Version),
		l.Pick("catalogue", "catalogue"), plain(r.Run.Catalogue.Version), l.Pick("profil", "profile"), plain(r.Run.Profile.Name), l.Pick("graine", "seed"), r.Run.Seed)
	p.f("")
	p.f("_%s_", plain(l.Typeset(l.Independent())))
}

// counts writes a table of themes by verdict, with the verdicts that occur.
func (p page) counts(r reports.Report) {
	l := p.l
	if len(r.Results) == 0 {
		return
	}
	var columns []reports.Verdict
	total := reports.Summarise(r.Results)
	for _, v := range reports.Verdicts() {
		if total[v] > 0 {
			columns = append(columns, v)
		}
	}
	p.WriteString("| " + l.Pick("Thème", "Theme"))
	for _, v := range columns {
		p.WriteString(" | " + v.Label().Shape + " " + l.Of(v.Label().Word))
	}
	p.f(" |")
	p.WriteString("|---")
	for range columns {
		p.WriteString("|---:")
	}
	p.f("|")
	themes := words.Themes()
	for _, res := range r.Results {
		if !slices.Contains(themes, res.Theme) {
			themes = append(themes, res.Theme)
		}
	}
	for _, theme := range themes {
		var of []reports.Result
		for _, res := range r.Results {
			if res.Theme == theme {
				of = append(of, res)
			}
		}
		if len(of) > 0 {
			p.row(plain(l.Name("theme", theme)), columns, reports.Summarise(of))
		}
	}
	p.row("**"+l.Pick("Total", "Total")+"**", columns, total)
	p.f("")
}

func (p page) row(name string, columns []reports.Verdict, counts map[reports.Verdict]int) {
	p.WriteString("| " + name)
	for _, v := range columns {
		fmt.Fprintf(p, " | %d", counts[v])
	}
	p.f(" |")
}

// fix lists what is broken, blocking requirements first.
func (p page) fix(r reports.Report) {
	l := p.l
	broken := r.With(reports.Nonconformant)
	if len(broken) == 0 {
		return
	}
	slices.SortStableFunc(broken, func(a, b reports.Result) int {
		switch {
		case a.Blocking == b.Blocking:
			return 0
		case a.Blocking:
			return -1
		}
		return 1
	})
	p.f("## %s", l.Pick("À corriger d’abord", "What to fix first"))
	p.f("")
	for i, res := range broken {
		if i == most {
			p.more(len(broken) - most)
			break
		}
		blocking := ""
		if res.Blocking {
			blocking = " (" + l.Pick("bloquante", "blocking") + ")"
		}
		p.f("%d. **%s** %s%s", i+1, plain(res.Requirement), plain(l.Typeset(l.Of(res.Title))), blocking)
		for _, c := range res.Checks {
			for _, f := range c.Findings {
				p.f("   - %s %s%s%s %s, %s %s", plain(c.ID), plain(l.Typeset(l.Of(f.Message))), l.Pick("\u00a0: ", ": "),
					l.Pick("attendu", "expected"), code(f.Expected), l.Pick("vu", "seen"), code(f.Actual))
			}
		}
		if !res.Remedy.Empty() {
			p.f("   - %s%s%s", l.Pick("À faire", "To do"), l.Pick("\u00a0: ", ": "), plain(l.Typeset(l.Of(res.Remedy))))
		}
	}
	p.f("")
}

// named lists the requirements of a verdict with the reason.
func (p page) named(r reports.Report, v reports.Verdict, title string) {
	list := r.With(v)
	if len(list) == 0 {
		return
	}
	p.f("## %s", title)
	p.f("")
	for i, res := range list {
		if i == most {
			p.more(len(list) - most)
			break
		}
		why := p.l.Of(res.Reason)
		for _, c := range res.Checks {
			if why == "" && c.Verdict == v {
				if why = p.l.Of(c.Reason); len(c.Findings) > 0 {
					why = p.l.Of(c.Findings[0].Message)
				}
			}
		}
		if why != "" {
			why = p.l.Pick("\u00a0: ", ": ") + plain(p.l.Typeset(why))
		}
		p.f("- **%s** %s%s", plain(res.Requirement), plain(p.l.Typeset(p.l.Of(res.Title))), why)
	}
	p.f("")
}

func (p page) more(n int) {
	p.f("")
	p.f("%s %d.", p.l.Pick("Et d’autres, dans index.html :", "And others, in index.en.html:"), n)
}

// plain makes text stay text: no mark-up, no HTML, no line break, no mention
// of an account that would be notified, no reference to another thread.
func plain(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case strings.ContainsRune("\\`*_[]#|~>", r):
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '<':
			b.WriteString("&lt;")
		case r == '&':
			b.WriteString("&amp;")
		case r == '@':
			b.WriteString("&#64;")
		case unicode.IsControl(r), r == '\u2028', r == '\u2029':
			b.WriteByte(' ')
		case unicode.Is(unicode.Bidi_Control, r):
			// dropped: it would turn the text around it
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// code shows a value as it was seen, in a span that it cannot end.
func code(s string) string {
	if s = flat(s); strings.TrimSpace(s) == "" {
		return "∅"
	}
	ticks, pad := strings.Repeat("`", longest(s)+1), ""
	if strings.HasPrefix(s, "`") || strings.HasSuffix(s, "`") {
		pad = " "
	}
	return ticks + pad + s + pad + ticks
}

// fenced shows a command in a block that it cannot end.
func fenced(s string) string {
	ticks := strings.Repeat("`", max(3, longest(s)+1))
	return ticks + "sh\n" + flat(s) + "\n" + ticks
}

func flat(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsControl(r), r == '\u2028', r == '\u2029':
			return ' '
		case unicode.Is(unicode.Bidi_Control, r):
			return -1
		}
		return r
	}, s)
}

// longest returns the length of the longest run of backticks.
func longest(s string) int {
	most, run := 0, 0
	for _, r := range s {
		if run++; r != '`' {
			run = 0
		}
		most = max(most, run)
	}
	return most
}
