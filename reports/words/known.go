package words

import (
	"strconv"
	"strings"

	"github.com/etalon-sante/etalon/reports"
)

// KnownCounts counts the entries of a list of known nonconformities by what the
// run says of them.
func (l Lang) KnownCounts(b reports.Baseline) string {
	if len(b.Entries) == 0 {
		return l.Pick("aucune", "none")
	}
	var out []string
	for _, s := range []reports.KnownState{reports.KnownStale, reports.KnownUnmatched, reports.KnownOverdue, reports.KnownHolds, reports.KnownNotSeen} {
		n := 0
		for _, e := range b.Entries {
			if e.State == s {
				n++
			}
		}
		if n > 0 {
			out = append(out, strconv.Itoa(n)+" "+l.Of(s.Word()))
		}
	}
	return strings.Join(out, ", ")
}

// KnownSentence says what a run says of an entry, with the day as the language
// writes it.
func (l Lang) KnownSentence(e reports.Known) string {
	return l.Typeset(strings.ReplaceAll(l.Of(e.Sentence), e.Deadline, l.Date(e.Deadline)))
}

// KnownAs says under what a nonconformity is known: reason, owner, deadline.
func (l Lang) KnownAs(e reports.Known) string {
	out := l.Pick("connue", "known")
	if e.Kind == reports.KnownFlaky {
		out = l.Pick("connue comme instable, vue dans "+e.Seen+" campagnes", "known as flaky, seen in "+e.Seen+" runs")
	}
	return l.Typeset(out + l.Pick(" : ", ": ") + strings.TrimSuffix(e.Reason, ".") + l.Pick(" ; confiée à « ", "; in the hands of \"") + e.Owner + l.Pick(" », à corriger au plus tard le ", "\", to be mended by ") + l.Date(e.Deadline))
}
