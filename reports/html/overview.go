package html

import (
	_ "embed" // overview.tmpl
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/etalon-sante/etalon/reports"
	"github.com/etalon-sante/etalon/reports/words"
)

//go:embed overview.tmpl
var overviewText string

// Judged is one service of an overview.
type Judged struct {
	Report  *reports.Report // nil: it could not be judged
	Name    string          // of its manifest, where there is no report
	Exit    int             // exit code of its run
	Failure reports.Text    // why there is no report
	Folder  string          // of its report, relative to the page; empty: none
}

// maxBlocks is how many requirements of a service the overview names.
const maxBlocks = 5

type (
	overview struct {
		dress
		Lang        words.Lang
		OtherLang   words.Lang
		OtherFile   string
		Title       string
		Sentence    string
		Started     instant
		Rows        []judgedRow
		Independent string
	}
	judgedRow struct {
		Name, Version, Editor string
		Folder                string
		Word, Colour          string
		Exit                  int
		Blocks                []block
		More                  int
		Failure               string
		Link                  string
		rank                  int
	}
	block struct{ ID, Title, Word string }
)

// WriteOverview writes one page over several services, in "fr" or "en".
func WriteOverview(w io.Writer, services []Judged, at time.Time, lang string) error {
	l, err := words.Parse(lang)
	if err != nil {
		return fmt.Errorf("write the overview: %w", err)
	}
	other := words.EN
	if l == words.EN {
		other = words.FR
	}
	p := overview{
		dress: dressed(style, "", false), Lang: l, OtherLang: other, OtherFile: File(other),
		Title:   words.Itoa(len(services)) + l.Many(len(services), " service", " services"),
		Started: instant{at.UTC().Format(time.RFC3339), l.Typeset(l.Instant(at))}, Independent: l.Typeset(l.Independent()),
	}
	met := 0
	for _, s := range services {
		if s.Exit == reports.ExitConformant {
			met++
		}
		p.Rows = append(p.Rows, rowOf(s, l))
	}
	slices.SortStableFunc(p.Rows, func(a, b judgedRow) int { return a.rank - b.rank })
	p.Sentence = l.Typeset(sentenceOver(met, len(services), l))
	return execute(w, "the overview", newSaid(l), p, overviewText)
}

func sentenceOver(met, all int, l words.Lang) string {
	switch {
	case met == all:
		return l.Pick("Aucune exigence bloquante n'est enfreinte, dans aucun de ces services.", "No blocking requirement is broken, in any of these services.")
	case met == 0:
		return l.Pick("Il reste à faire dans chacun de ces services.", "There is something left to do in each of these services.")
	}
	return l.Pick(
		"Sur "+words.Itoa(all)+" services, "+words.Itoa(met)+l.Many(met, " n'enfreint", " n'enfreignent")+" aucune exigence bloquante ; il reste à faire dans les autres.",
		"Of "+words.Itoa(all)+" services, "+words.Itoa(met)+l.Many(met, " breaks", " break")+" no blocking requirement; there is something left to do in the others.")
}

func rowOf(s Judged, l words.Lang) judgedRow {
	out := judgedRow{Name: s.Name, Exit: s.Exit, Failure: l.Typeset(l.Of(s.Failure)), rank: slices.Index(WorstFirst(), s.Exit)}
	if s.Report == nil {
		out.Word, out.Colour = l.Pick("non jugé", "not judged"), "error"
		return out
	}
	r := *s.Report
	out.Name, out.Version, out.Editor = r.Candidate.Service.Name, r.Candidate.Service.Version, r.Candidate.Editor.Name
	out.Word = l.Typeset(l.Of(r.Verdict.Label().Word))
	out.Colour = map[reports.RunVerdict]string{
		reports.RunConformant: "conformant", reports.RunNonconformant: "nonconformant", reports.RunError: "error",
	}[r.Verdict]
	if out.Colour == "" {
		out.Colour = "untested"
	}
	if s.Folder != "" {
		out.Folder, out.Link = s.Folder, s.Folder+"/"+File(l)
	}
	for _, v := range []reports.Verdict{reports.Error, reports.Nonconformant, reports.Untested} {
		for _, res := range r.Results {
			if res.Verdict != v || !res.Blocking && v != reports.Error && !r.Run.Strict {
				continue
			}
			if len(out.Blocks) >= maxBlocks {
				out.More++
				continue
			}
			out.Blocks = append(out.Blocks, block{res.Requirement, l.Typeset(l.Of(res.Title)), l.Typeset(l.Of(v.Label().Word))})
		}
	}
	return out
}

// WorstFirst orders the exit codes of runs from what most needs someone to what
// needs no one: the harness failed (5), a blocking requirement is broken (1),
// the manifest (2) or the pilot (3) could not be used, nothing can be concluded
// (4), all is met (0).
func WorstFirst() []int { return []int{5, 1, 2, 3, 4, 0} }
