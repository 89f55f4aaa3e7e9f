package html

import (
	_ "embed" // public.tmpl, public.css
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/etalon-sante/etalon/reports"
	"github.com/etalon-sante/etalon/reports/words"
)

//go:embed public.tmpl
var publicText string

//go:embed public.css
var publicStyle string

// maxWrong is how many broken points the plain page names.
const maxWrong = 8

// public is the plain page: what those who buy or use a service want to know of it.
type public struct {
	dress
	Lang, OtherLang     words.Lang
	OtherFile, Report   string
	Service, Version    string
	Editor              string
	Day                 instant
	Sentence            string
	Notice              string
	Pairing             bool
	Exchanges           []words.Exchange
	Saw, Sandbox, Tied  string
	Standings           []words.Standing
	Concern             int // points that concern the service
	Themes              []plainTheme
	Wrong               []plainPoint
	More                int
	Assumed, Deviations int
	Independent         string
	Harness             string
}

type plainTheme struct {
	Name, About string
	Standings   []words.Standing
}

type plainPoint struct {
	Title, Why string
	Needed     bool
}

// PublicFile returns the name of the plain page in a language.
func PublicFile(lang words.Lang) string { return lang.Pick("public.html", "public.en.html") }

// WritePublic writes the plain page for buyers and patients, in "fr" or "en": what
// the version exchanges, tested when and by whom, what was not, what is assumed. It
// names no person and needs no identifier.
func WritePublic(w io.Writer, r reports.Report, lang string) error {
	l, err := words.Parse(lang)
	if err != nil {
		return fmt.Errorf("write plain page: %w", err)
	}
	p := newPublic(reports.Shown(r), l)
	p.dress = dressed(style+publicStyle, "", false)
	return execute(w, "plain page", newSaid(l), p, publicText)
}

func newPublic(r reports.Report, l words.Lang) public {
	other := words.EN
	if l == words.EN {
		other = words.FR
	}
	if r.Verdict == "" { // not concluded: whatever it holds, nobody judged it
		r.Verdict, r.ExitCode = reports.RunError, reports.ExitError
	}
	c := r.Candidate
	p := public{
		Lang: l, OtherLang: other, OtherFile: PublicFile(other), Report: File(l),
		Service: c.Service.Name, Version: c.Service.Version, Editor: c.Editor.Name,
		Day:      instant{r.Run.Started.Format(time.RFC3339), l.Day(r.Run.Started)},
		Sentence: l.Plain(r), Pairing: c.Claims.Pairing, Exchanges: l.Exchanges(c.Claims),
		Saw: l.Saw(r.Run.Witness), Tied: l.Typeset(l.Bound(r.Run.Ties)), Standings: l.Standings(r.Results),
		Independent: l.Typeset(l.Independent()), Harness: r.Run.Harness.Version, Assumed: len(r.Assumptions),
	}
	switch {
	case r.Run.FreeUse:
		p.Notice = l.Pick("Une personne s'est servie du service à la main : ce n'est pas un essai complet.", "A person used the service by hand: this is no whole test.")
	case r.Run.Interrupted:
		p.Notice = l.Pick("L'essai a été interrompu avant la fin.", "The test was interrupted before its end.")
	case r.Run.Partial:
		p.Notice = l.Pick("L'essai n'a porté que sur quelques points choisis.", "The test was about a few chosen points only.")
	}
	p.Notice = l.Typeset(p.Notice)
	var wrong []reports.Result
	for _, x := range r.Results {
		if x.Verdict.InForce() {
			p.Concern++
		}
		if x.Verdict == reports.Nonconformant {
			wrong = append(wrong, x)
		}
		if x.Verdict == reports.Deviation {
			p.Deviations++
		}
	}
	slices.SortStableFunc(wrong, func(a, b reports.Result) int { return last(a.Blocking) - last(b.Blocking) })
	for i, x := range wrong {
		if i == maxWrong {
			p.More = len(wrong) - maxWrong
			break
		}
		p.Wrong = append(p.Wrong, plainPoint{l.Typeset(l.Of(x.Title)), l.Typeset(l.Of(x.Why)), x.Blocking})
	}
	codes := words.Themes()
	for _, x := range r.Results {
		if !slices.Contains(codes, x.Theme) {
			codes = append(codes, x.Theme)
		}
	}
	for _, code := range codes {
		of := slices.DeleteFunc(slices.Clone(r.Results), func(x reports.Result) bool { return x.Theme != code })
		if len(of) > 0 {
			p.Themes = append(p.Themes, plainTheme{l.Typeset(l.Name("theme", code)), l.Typeset(l.Theme(code)), l.Standings(of)})
		}
	}
	return p
}

// last puts what is true before what is not.
func last(first bool) int {
	if first {
		return 0
	}
	return 1
}
