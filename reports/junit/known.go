package junit

import (
	"strings"

	"github.com/etalon-sante/etalon/reports"
	"github.com/etalon-sante/etalon/reports/words"
)

// known adds to the last test case under what it is known: it stays a failure.
func (s *suite) known(r *reports.Report, id string, l words.Lang) {
	var lines []string
	for _, e := range r.KnownAs(id) {
		lines = append(lines, l.KnownAs(e))
	}
	if len(lines) > 0 && len(s.Cases) > 0 {
		c := &s.Cases[len(s.Cases)-1]
		c.Out = strings.TrimSpace(c.Out + "\n" + strings.Join(lines, "\n"))
	}
}
