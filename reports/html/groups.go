package html

import (
	"slices"
	"strings"

	"github.com/etalon-sante/etalon/reports"
	"github.com/etalon-sante/etalon/reports/words"
)

// unjudged groups what was not judged by verdict, then by the reason given.
func unjudged(rows []row, l words.Lang) []group {
	var out []group
	for _, v := range []reports.Verdict{reports.Error, reports.Untested, reports.NotApplicable, reports.NotInForce, reports.Excluded} {
		g := group{Verdict: v, Meaning: l.Typeset(l.Of(v.Label().Meaning))}
		place := map[string]int{}
		for _, x := range rows {
			if x.Verdict != v {
				continue
			}
			g.N++
			why := reasonOf(x, l)
			i, ok := place[why]
			if !ok {
				i = len(g.Because)
				place[why] = i
				g.Because = append(g.Because, because{Reason: why})
			}
			g.Because[i].Rows = append(g.Because[i].Rows, x)
		}
		g.Word = word(v, g.N, l)
		if g.N > 0 {
			out = append(out, g)
		}
	}
	return out
}

// reasonOf is why a requirement has its verdict: its own reason, or those of the
// checks that have the same.
func reasonOf(x row, l words.Lang) string {
	if !x.Reason.Empty() {
		return words.Capital(l.Typeset(l.Of(x.Reason)))
	}
	var all []string
	for _, c := range x.Checks {
		if why := l.Typeset(l.Of(c.Reason)); c.Verdict == x.Verdict && why != "" && !slices.Contains(all, words.Capital(why)) {
			all = append(all, words.Capital(why))
		}
	}
	return strings.Join(all, " ")
}

// levels are the reasons for levels, in the order in which they first occur.
func levels(rows []row) []level {
	var out []level
	for _, x := range rows {
		if x.Level == "unknown" || x.LevelBasis.Empty() {
			continue
		}
		i := slices.IndexFunc(out, func(l level) bool { return l.Basis == x.LevelBasis })
		if i < 0 {
			i = len(out)
			out = append(out, level{Anchor: "level-" + words.Itoa(i+1), Basis: x.LevelBasis})
		}
		out[i].N++
	}
	return out
}

// cite lists the documents that requirements rest on, in the order of their keys,
// and tells each citation where its document stands.
func cite(rows []row) []cited {
	var out []cited
	place := map[string]int{}
	for i := range rows {
		for j := range rows[i].Links {
			s := &rows[i].Links[j]
			at, ok := place[s.Key]
			if !ok {
				at = len(out)
				place[s.Key] = at
				anchor := "s-" + s.Key
				if !slug(s.Key) {
					anchor = "s--" + words.Itoa(at+1)
				}
				out = append(out, cited{Anchor: anchor, Key: s.Key, Link: s.Link})
			}
			if out[at].Link == s.Link { // two documents under one key: only the first stands there
				s.Anchor = out[at].Anchor
				out[at].N++
			}
		}
	}
	slices.SortStableFunc(out, func(a, b cited) int { return strings.Compare(a.Key, b.Key) })
	return out
}

// slug says whether a key may be part of an anchor as it is.
func slug(key string) bool {
	return key != "" && strings.Trim(key, "abcdefghijklmnopqrstuvwxyz0123456789.-") == ""
}
