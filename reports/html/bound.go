package html

import (
	"time"

	"github.com/etalon-sante/etalon/reports"
	"github.com/etalon-sante/etalon/reports/words"
)

// bound is something that binds what was tested to the product, as the page says it.
type bound struct {
	words.Bond
	Of, Value string
	Seen      instant
}

func bounds(r reports.Report, l words.Lang) []bound {
	out := make([]bound, 0, len(r.Run.Ties))
	for _, t := range r.Run.Ties {
		b := l.Bond(t)
		b.Name, b.Shows, b.Limits = l.Typeset(b.Name), l.Typeset(b.Shows), l.Typeset(b.Limits)
		out = append(out, bound{b, t.Of, t.Value, instant{t.Seen.Format(time.RFC3339), l.Instant(t.Seen)}})
	}
	return out
}
