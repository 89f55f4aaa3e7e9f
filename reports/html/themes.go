package html

import (
	"fmt"
	"slices"
	"strings"

	"github.com/etalon-sante/etalon/reports"
	"github.com/etalon-sante/etalon/reports/words"
)

// shares counts results by verdict, worst first, verdicts that occur only, and
// places them on a bar of 1000.
func shares(results []reports.Result, l words.Lang) []share {
	counts := reports.Summarise(results)
	var out []share
	at := 0.0
	for _, v := range barOrder() {
		if n := counts[v]; n > 0 {
			w := 1000 * float64(n) / float64(len(results))
			out = append(out, share{
				Verdict: v, Word: word(v, n, l), Meaning: l.Typeset(l.Of(v.Label().Meaning)), N: n,
				X: fmt.Sprintf("%.1f", at), W: fmt.Sprintf("%.1f", max(w-3, 1)), // 3: a gap between neighbours
			})
			at += w
		}
	}
	return out
}

// word is a verdict's word after a number.
func word(v reports.Verdict, n int, l words.Lang) string {
	return l.Many(n, l.Of(v.Label().Word), l.Of(v.Label().Several))
}

// barOrder is how verdicts follow each other on a bar: what is settled and
// good first, what is bad next, what says nothing about the service last.
func barOrder() []reports.Verdict {
	return []reports.Verdict{
		reports.Conformant, reports.Attested, reports.ToReview, reports.Deviation, reports.Nonconformant,
		reports.Error, reports.Untested, reports.NotApplicable, reports.NotInForce, reports.Excluded,
	}
}

func themes(rows []row, l words.Lang) ([]theme, []bar) {
	codes := words.Themes()
	for _, x := range rows {
		if !slices.Contains(codes, x.Theme) {
			codes = append(codes, x.Theme)
		}
	}
	var all []theme
	var bars []bar
	for n, code := range codes {
		th := theme{Code: code, Name: l.Typeset(l.Name("theme", code)), Anchor: fmt.Sprintf("theme-%d", n+1)}
		var results []reports.Result
		place := map[string]int{}
		for _, x := range rows {
			if x.Theme != code {
				continue
			}
			results = append(results, x.Result)
			i, ok := place[x.Chapter]
			if !ok {
				i = len(th.Chapters)
				place[x.Chapter] = i
				th.Chapters = append(th.Chapters, chapter{Name: l.Typeset(l.Name("chapter", x.Chapter))})
			}
			th.Chapters[i].rows = append(th.Chapters[i].rows, x)
		}
		if len(results) == 0 {
			continue
		}
		th.Counts = shares(results, l)
		all = append(all, th)
		var spoken []string
		for _, s := range th.Counts {
			spoken = append(spoken, fmt.Sprintf("%d %s", s.N, s.Word))
		}
		bars = append(bars, bar{
			Theme: th.Name, Anchor: th.Anchor, Total: len(results), Shares: th.Counts,
			Spoken: th.Name + l.Pick(" : ", ": ") + strings.Join(spoken, ", "),
		})
	}
	return all, bars
}
