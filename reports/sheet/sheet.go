// Package sheet writes the report as a table, CSV or XLSX, with the columns in
// which the requirement sheets of the Agence du numérique en santé are laid out
// (those that editors fill in on Convergence): a row for each check, one for a
// requirement that has none. What étalon found stands apart, in columns of its
// own at the end.
//
// It is no official import and says so in every row: the numbering is étalon's,
// and so is the wording. A requirement whose level no source states has the
// nature "non connue", for étalon does not guess it.
//
// A spreadsheet takes a cell for a formula when it begins with = + - @ or a tab.
// Such a cell is text here: in CSV behind an apostrophe, in XLSX as an inline
// string.
package sheet

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/etalon-sante/etalon/reports"
	"github.com/etalon-sante/etalon/reports/internal/plain"
	"github.com/etalon-sante/etalon/reports/internal/rows"
	"github.com/etalon-sante/etalon/reports/words"
)

// Slots is how many pieces of evidence a requirement has room for.
const Slots = 3

// Piece is one file that shows why a check has its verdict.
type Piece struct {
	Number string // "INT-04.3-1"
	File   string // its name, beside the table
}

// Evidence gives the pieces of a row by the id that stands in it: that of a check,
// or of a requirement without any. At most Slots are written.
type Evidence map[string][]Piece

// maxCell is how much a cell holds, in characters: Excel's bound is 32,767.
const maxCell = 32_000

// columns are the names of the columns: those of the sheet of the Agence, as they
// are, then ours.
func columns(l words.Lang) []string {
	return append(theirs(), ours(l)...)
}

func theirs() []string {
	return []string{
		"PROFIL", "N°", "ID Section", "Section", "Bloc", "Fonction", "Nature", "N° exigence", "Enoncé", "Version", "N° scénario", "Scénario de conformité",
		"N° preuve 1", "Preuve 1", "N° preuve 2", "Preuve 2", "N° preuve 3", "Preuve 3",
	}
}

func ours(l words.Lang) []string {
	out := []string{
		l.Pick("verdict de la vérification", "verdict of the check"), l.Pick("code du verdict", "verdict code"),
		l.Pick("verdict de l’exigence", "verdict of the requirement"), l.Pick("bloquante", "blocking"), l.Pick("ce qui a été vu", "what was seen"),
		l.Pick("à faire", "to do"), l.Pick("source", "source"), l.Pick("base", "basis"), l.Pick("avis", "notice"),
	}
	for i := range out {
		out[i] = l.Pick("Étalon : ", "Étalon: ") + out[i]
	}
	return out
}

// Notice is what every row says of itself.
func Notice(l words.Lang) string {
	return l.Pick("Numérotation et textes d’Étalon ; ce n’est pas un import officiel.", "Numbering and wording are Étalon's; this is no official import.")
}

// table lays the report out, a row each, without the names of the columns.
func table(r reports.Report, l words.Lang, e Evidence) [][]string {
	all := rows.Of(r)
	said := map[[2]string]string{} // a few dozen names, asked for thousands of times
	name := func(kind, code string) string {
		key := [2]string{kind, code}
		s, ok := said[key]
		if !ok {
			s = l.Name(kind, code)
			said[key] = s
		}
		return s
	}
	out := make([][]string, 0, len(all))
	for i, x := range all {
		res := x.Result
		section, _, _ := strings.Cut(res.Requirement, "-")
		cells := []string{
			r.Run.Profile.Name, strconv.Itoa(i + 1), section, name("theme", res.Theme), name("chapter", res.Chapter), name("family", res.Family), nature(res.Level),
			res.Requirement, l.Typeset(l.Of(res.Statement)), r.Run.Catalogue.Version, "", "",
		}
		if x.Check != nil {
			cells[10], cells[11] = x.ID, l.Typeset(l.Of(x.Title))
		}
		pieces := e[x.ID]
		for s := range Slots {
			if s < len(pieces) {
				cells = append(cells, pieces[s].Number, pieces[s].File)
			} else {
				cells = append(cells, "", "")
			}
		}
		remedy := ""
		switch x.Verdict {
		case reports.Nonconformant, reports.Deviation, reports.Untested, reports.ToReview:
			remedy = l.Typeset(l.Of(res.Remedy))
		}
		var sources []string
		for _, s := range res.Sources {
			sources = append(sources, strings.TrimSpace(s.Document+" "+s.Section))
		}
		cells = append(cells, l.Of(x.Verdict.Label().Word), string(x.Verdict), l.Of(res.Verdict.Label().Word), l.Pick(yes(res.Blocking, "oui", "non"), yes(res.Blocking, "yes", "no")),
			x.Why(l), remedy, strings.Join(sources, "\n"), name("basis", res.Basis), Notice(l))
		for j := range cells {
			cells[j] = bounded(plain.Text(cells[j]))
		}
		out = append(out, cells)
	}
	return out
}

// nature says of which nature a requirement is, in the words of the sheet.
func nature(level string) string {
	switch level {
	case "mandatory":
		return "EXIGENCE"
	case "recommended":
		return "RECOMMANDATION"
	case "informative":
		return "INFORMATION"
	}
	return "non connue"
}

func yes(b bool, yes, no string) string {
	if b {
		return yes
	}
	return no
}

// bounded is what a cell holds of a text.
func bounded(s string) string {
	if len(s) <= maxCell || utf8.RuneCountInString(s) <= maxCell/2 {
		return s // characters beyond the first plane count twice
	}
	n := 0
	for i, r := range s {
		if n++; r > 0xffff {
			n++
		}
		if n >= maxCell {
			return s[:i] + "…"
		}
	}
	return s
}

// formula says whether a spreadsheet would take a cell for a formula, or for what
// leads to one; full-width signs are taken for the others in some countries.
func formula(s string) bool {
	s = strings.TrimLeft(s, " \u00a0\n")
	r, n := utf8.DecodeRuneInString(s)
	return n > 0 && strings.ContainsRune("=+-@\t\r|%＝＋－＠", r)
}
