// Package rows lays a report out as what other formats count: a row for each
// check, and one for a requirement that has none. Every format that lists cases
// takes them here, so that they all list the same.
package rows

import (
	"strings"

	"github.com/etalon-sante/etalon/reports"
	"github.com/etalon-sante/etalon/reports/internal/plain"
	"github.com/etalon-sante/etalon/reports/words"
)

// Row is one case.
type Row struct {
	ID      string // of the check; of the requirement where it has none
	Title   reports.Text
	Verdict reports.Verdict
	Result  *reports.Result
	Check   *reports.Check // nil: the requirement has none
}

// Of lists the rows of a report, in its order.
func Of(r reports.Report) []Row {
	var out []Row
	for i := range r.Results {
		res := &r.Results[i]
		if len(res.Checks) == 0 {
			out = append(out, Row{ID: res.Requirement, Title: res.Title, Verdict: known(res.Verdict), Result: res})
		}
		for j := range res.Checks {
			c := &res.Checks[j]
			out = append(out, Row{ID: c.ID, Title: c.Title, Verdict: known(c.Verdict), Result: res, Check: c})
		}
	}
	return out
}

// known is v, or our error for a verdict that does not exist.
func known(v reports.Verdict) reports.Verdict {
	if v.Known() {
		return v
	}
	return reports.Error
}

// Why says why the row has its verdict: the verdict's word, then what was found
// with what was expected and seen, else the reason given, a line each.
func (x Row) Why(l words.Lang) string {
	head := words.Capital(l.Of(x.Verdict.Label().Word))
	var lines []string
	if x.Check != nil {
		for _, f := range x.Check.Findings {
			lines = append(lines, found(f, l))
		}
	}
	if len(lines) == 0 {
		lines = append(lines, l.Typeset(l.Of(x.Reason())))
	}
	text := strings.TrimSpace(strings.Join(lines, "\n"))
	if d := x.Result.Declaration; d != nil && x.Verdict == reports.Attested {
		text = strings.TrimSpace(text + "\n" + Declared(*d, l))
	}
	if text == "" {
		return head + "."
	}
	return plain.Text(head + l.Pick("\u00a0: ", ": ") + text)
}

// Reason is the sentence that goes with the verdict where nothing was found.
func (x Row) Reason() reports.Text {
	if x.Check != nil && !x.Check.Reason.Empty() {
		return x.Check.Reason
	}
	return x.Result.Reason
}

func found(f reports.Finding, l words.Lang) string {
	s := l.Typeset(l.Of(f.Message))
	var pairs []string
	if f.Expected != "" {
		pairs = append(pairs, l.Pick("attendu ", "expected ")+f.Expected)
	}
	if f.Actual != "" {
		pairs = append(pairs, l.Pick("vu ", "seen ")+f.Actual)
	}
	if len(pairs) > 0 {
		s += " (" + strings.Join(pairs, l.Pick("\u00a0; ", "; ")) + ")"
	}
	return s
}

// Declared says what was declared and until when; who declared it is named by
// his role only, for such lists travel further than the report.
func Declared(d reports.Declaration, l words.Lang) string {
	s := "« " + d.Statement + " »"
	if l == words.EN {
		s = "“" + d.Statement + "”"
	}
	var parts []string
	for _, p := range []string{d.Role, l.Date(d.Date)} {
		if p != "" {
			parts = append(parts, p)
		}
	}
	if d.Expires != "" {
		parts = append(parts, l.Pick("jusqu’au ", "until ")+l.Date(d.Expires))
	}
	if len(parts) > 0 {
		s += " (" + strings.Join(parts, ", ") + ")"
	}
	return l.Typeset(s)
}

// Help says what is required, why, and what to do about it.
func (x Row) Help(l words.Lang) (required, why, remedy string) {
	return plain.Text(l.Typeset(l.Of(x.Result.Statement))), plain.Text(l.Typeset(l.Of(x.Result.Why))), plain.Text(l.Typeset(l.Of(x.Result.Remedy)))
}

// Red says whether the row counts against the service in this run: where the run
// is strict a deviation does.
func (x Row) Red(strict bool) bool {
	return x.Verdict == reports.Nonconformant || strict && x.Verdict == reports.Deviation
}
