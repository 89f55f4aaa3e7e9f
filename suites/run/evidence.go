package run

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/etalon-sante/etalon/reports"
	"github.com/etalon-sante/etalon/reports/evidence"
	"github.com/etalon-sante/etalon/reports/sheet"
	"github.com/etalon-sante/etalon/reports/words"
	"github.com/etalon-sante/etalon/sandbox/record"
	"github.com/etalon-sante/etalon/suites/lab"
	"github.com/etalon-sante/etalon/suites/probe/browser"
)

// maxLogLines bounds one dated log; what is left out is counted in it.
const maxLogLines = 120

// EvidenceOptions say what is exported.
type EvidenceOptions struct {
	Lang string
	Host *browser.Host // prints the report; nil: no PDF is made
}

// Exported is what was written.
type Exported struct {
	Requirements int // that have a piece of evidence
	Pieces       int
	Files        []string       // of the folder, by name
	NoPDF        *browser.Text  // why there is no PDF; nil: there is, or none was wanted
	Report       reports.Report // as it was judged now
}

// ExportEvidence judges a run folder with this build's rules and writes, into a
// folder that does not exist or is empty, for each requirement at most three
// pieces of evidence named by the id of the check that tells most: the exchange,
// the annotated picture, the dated log; and the tables that name them, and the
// report as PDF in both languages. It is written whole or not at all. Without a
// browser the rest is written all the same.
func ExportEvidence(ctx context.Context, folder, out string, o EvidenceOptions) (Exported, error) {
	l, err := words.Parse(o.Lang)
	if err != nil {
		return Exported{}, err
	}
	if err := vacant(out); err != nil {
		return Exported{}, err
	}
	rec, err := ReadFolder(folder)
	if err != nil {
		return Exported{}, err
	}
	report, err := Judge(rec, Register)
	if err != nil {
		return Exported{}, err
	}
	if err := os.MkdirAll(filepath.Dir(out), 0o755); err != nil {
		return Exported{}, fmt.Errorf("export evidence: %w", err)
	}
	tmp, err := os.MkdirTemp(filepath.Dir(out), ".etalon-evidence-*")
	if err != nil {
		return Exported{}, fmt.Errorf("export evidence: %w", err)
	}
	defer os.RemoveAll(tmp) //nolint:errcheck // nothing is left there once it was renamed
	e := exporter{l: l, rec: rec, report: report, folder: folder, to: tmp, table: sheet.Evidence{}, at: byScenario(rec.Records)}
	if err := e.export(ctx, o.Host); err != nil {
		return Exported{}, fmt.Errorf("export evidence: %w", err)
	}
	if err := os.Chmod(tmp, 0o755); err != nil {
		return Exported{}, fmt.Errorf("export evidence: %w", err)
	}
	_ = os.Remove(out) // the empty folder, where there is one
	if err := os.Rename(tmp, out); err != nil {
		return Exported{}, fmt.Errorf("export evidence: %w", err)
	}
	e.out.Report = report
	return e.out, nil
}

// ErrOccupied says that a folder holds something already.
var ErrOccupied = errors.New("the folder is not empty")

func vacant(out string) error {
	entries, err := os.ReadDir(out)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("export evidence: %w", err)
	case len(entries) > 0:
		return fmt.Errorf("export evidence to %s: %w: name a folder that does not exist with --out, or empty it", out, ErrOccupied)
	}
	return nil
}

type exporter struct {
	l      words.Lang
	rec    Recorded
	report reports.Report
	folder string
	to     string
	table  sheet.Evidence
	at     map[string][]int // records of a scenario, by their place
	out    Exported
}

func byScenario(records []record.Record) map[string][]int {
	out := map[string][]int{}
	for i, r := range records {
		out[r.Scenario] = append(out[r.Scenario], i)
	}
	return out
}

func (e *exporter) export(ctx context.Context, host *browser.Host) error {
	for _, res := range e.report.Results {
		if err := ctx.Err(); err != nil {
			return err
		}
		c, ok := telling(res)
		if !ok {
			continue
		}
		pieces, err := e.pieces(res, c)
		if err != nil {
			return err
		}
		if len(pieces) > 0 {
			e.table[c.ID] = pieces
			e.out.Requirements++
			e.out.Pieces += len(pieces)
		}
	}
	for _, t := range []struct {
		name  string
		write func(*bytes.Buffer) error
	}{
		{e.l.Pick("exigences.csv", "requirements.csv"), func(b *bytes.Buffer) error { return sheet.CSV(b, e.report, string(e.l), e.table) }},
		{e.l.Pick("exigences.xlsx", "requirements.xlsx"), func(b *bytes.Buffer) error { return sheet.XLSX(b, e.report, string(e.l), e.table) }},
		{e.l.Pick("LISEZ-MOI.txt", "README.txt"), e.readme},
	} {
		var b bytes.Buffer
		if err := t.write(&b); err != nil {
			return err
		}
		if err := e.put(t.name, b.Bytes()); err != nil {
			return err
		}
	}
	return e.print(ctx, host)
}

// print adds the report as PDF, in both languages, where there is a browser.
func (e *exporter) print(ctx context.Context, host *browser.Host) error {
	if host == nil {
		return nil
	}
	for _, lang := range []string{"fr", "en"} {
		b, err := PDF(ctx, host, e.report, lang, e.folder)
		var missing *browser.MissingError
		if errors.As(err, &missing) {
			e.out.NoPDF = &missing.Why
			return nil
		}
		if err != nil {
			return err
		}
		if err := e.put(map[string]string{"fr": "rapport.fr.pdf", "en": "report.en.pdf"}[lang], b); err != nil {
			return err
		}
	}
	return nil
}

func (e *exporter) put(name string, b []byte) error {
	e.out.Files = append(e.out.Files, name)
	return os.WriteFile(filepath.Join(e.to, name), b, 0o644)
}

// telling is the check of a requirement that says most of it: the one that decided
// its verdict and has something to show.
func telling(res reports.Result) (reports.Check, bool) {
	order := reports.Verdicts()
	best, at := reports.Check{}, -1
	score := func(c reports.Check) int {
		n := 10 * slices.Index(order, c.Verdict)
		if len(c.Findings) == 0 && len(c.Evidence) == 0 {
			n += 2
		}
		if _, ok := pictureOf(c); !ok {
			n++
		}
		return n
	}
	for i, c := range res.Checks {
		if !c.Verdict.Observed() {
			continue
		}
		if at < 0 || score(c) < score(best) {
			best, at = c, i
		}
	}
	return best, at >= 0
}

func pictureOf(c reports.Check) (reports.Picture, bool) {
	for _, f := range c.Findings {
		if f.Picture != nil {
			return *f.Picture, true
		}
	}
	if len(c.Pictures) > 0 {
		return c.Pictures[0], true
	}
	return reports.Picture{}, false
}

// pieces writes what there is of a check: at most one of each kind.
func (e *exporter) pieces(res reports.Result, c reports.Check) ([]sheet.Piece, error) {
	item := evidence.Item{Report: e.report, Result: res, Check: c}
	shown := ""
	for i := range c.Findings {
		if _, ok := e.report.Exchanges[c.Findings[i].Exchange]; ok || i == 0 {
			item.Finding = &c.Findings[i]
		}
		if item.Finding == &c.Findings[i] && c.Findings[i].Exchange != "" {
			shown = c.Findings[i].Exchange
			break
		}
	}
	if shown == "" && len(c.Evidence) > 0 && len(c.Findings) == 0 {
		shown = c.Evidence[0]
	}
	var out []sheet.Piece
	add := func(kind int, b []byte) error {
		name := evidence.Name(c.ID, kind, e.l)
		out = append(out, sheet.Piece{Number: evidence.Number(c.ID, kind), File: name})
		return e.put(name, b)
	}
	var b bytes.Buffer
	if x, ok := e.report.Exchanges[shown]; ok {
		if err := evidence.Exchange(&b, item, x, string(e.l)); err != nil {
			return nil, err
		}
		if err := add(evidence.KindExchange, b.Bytes()); err != nil {
			return nil, err
		}
	}
	if p, ok := pictureOf(c); ok {
		content, err := readPicture(e.folder, p.File)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		if err == nil { // a report is whole without its pictures
			var b bytes.Buffer
			if err := evidence.Picture(&b, item, p, content, string(e.l)); err != nil {
				return nil, err
			}
			if err := add(evidence.KindPicture, b.Bytes()); err != nil {
				return nil, err
			}
		}
	}
	if lines, more := e.log(c, shown); len(lines) > 0 {
		var b bytes.Buffer
		if err := evidence.Log(&b, item, lines, more, string(e.l)); err != nil {
			return nil, err
		}
		if err := add(evidence.KindLog, b.Bytes()); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// log is what happened in the scenario that tells, around what tells.
func (e *exporter) log(c reports.Check, shown string) (lines []evidence.Line, more int) {
	scenario := e.report.Exchanges[shown].Scenario
	if scenario == "" && len(c.Traces) > 0 {
		scenario = c.Traces[0]
	}
	if scenario == "" {
		return nil, 0
	}
	mark := -1
	places := e.at[scenario]
	for n, i := range places {
		if r := e.rec.Records[i]; shown != "" && (r.Exchange != nil && r.Exchange.ID == shown || fmt.Sprintf("r%d", r.Seq) == shown) {
			mark = n
		}
	}
	from := 0
	if mark > maxLogLines/2 {
		from = mark - maxLogLines/2
	}
	to := min(from+maxLogLines, len(places))
	for n := from; n < to; n++ {
		r := e.rec.Records[places[n]]
		lines = append(lines, evidence.Line{Time: r.At, Text: e.line(r), Mark: n == mark})
	}
	return lines, len(places) - len(lines)
}

// line says in one line what a record holds. Bodies stay where they are.
func (e *exporter) line(r record.Record) string {
	l := e.l
	switch {
	case r.Exchange != nil:
		x := r.Exchange
		s := fmt.Sprintf("%s → %s  %s %s", l.Name("party", string(x.From)), l.Name("party", string(x.To)), x.Request.Method, x.Request.URL)
		if x.Response.Status != 0 {
			s += fmt.Sprintf("  → %d", x.Response.Status)
		}
		for _, p := range []struct{ name, text string }{{l.Pick("incident provoqué", "planned fault"), x.Fault}, {l.Pick("réponse incomplète", "no whole response"), x.Error}} {
			if p.text != "" {
				s += "  [" + p.name + l.Pick("\u00a0: ", ": ") + p.text + "]"
			}
		}
		return s + "  " + l.Millis(x.Millis) + "  (" + x.ID + ")"
	case r.Pilot != nil:
		s := l.Pick("pilote ", "pilot ") + r.Pilot.Action + "  → " + r.Pilot.Status
		if r.Pilot.Error != "" {
			s += "  [" + r.Pilot.Error + "]"
		}
		return s + "  " + l.Millis(r.Pilot.Millis)
	case r.Probe != nil:
		s := l.Pick("sonde ", "probe ") + r.Probe.Kind + "  " + r.Probe.Target
		if r.Probe.Error != "" {
			s += "  [" + r.Probe.Error + "]"
		}
		return s
	case r.Mark != nil:
		return strings.TrimSpace(l.Pick("repère ", "mark ") + r.Mark.Kind + "  " + r.Mark.Text)
	}
	return ""
}

func (e *exporter) readme(b *bytes.Buffer) error {
	l, r := e.l, e.report
	for _, s := range []string{
		l.Pick("Preuves d'une campagne d'Étalon : ", "Evidence of a run of Étalon: ") + r.Candidate.Service.Name + " " + r.Candidate.Service.Version + ", " + r.Run.ID + ", " + l.Instant(r.Run.Started) + ".",
		l.Verdict(r),
		"",
		l.Pick("Ce n'est pas un import officiel. La numérotation et les textes sont d'Étalon ; faites vous-même le lien avec les exigences de votre questionnaire, et relisez chaque pièce avant de la joindre.",
			"This is no official import. Numbering and wording are Étalon's; match them yourself with the requirements of your questionnaire, and read each piece before you join it."),
		l.Independent(),
		"",
		l.Pick("Pour chaque exigence observée, au plus trois pièces, au nom de la vérification qui en dit le plus :", "For each requirement that was observed, at most three pieces, by the id of the check that says most of it:"),
		"  …-1-" + l.Pick("echange.html : la requête et la réponse, la ligne en cause marquée", "exchange.html: request and response, the telling line marked"),
		"  …-2-capture.png" + l.Pick(" : l'écran, avec ce qu'il faut y regarder", ": the screen, with what to look at"),
		"  …-3-" + l.Pick("journal.txt : ce qui s'est passé, daté à la milliseconde", "log.txt: what happened, dated to the millisecond"),
		l.Pick("exigences.csv et exigences.xlsx les nomment, dans les colonnes des grilles de Convergence.", "requirements.csv and requirements.xlsx name them, in the columns of the grids of Convergence."),
		"",
		l.Pick("Ces pièces sont pour l'autorité, pas pour la publication. Les secrets y ont été remplacés pendant la campagne (« … ») ; une image ne peut pas être relue par le banc : regardez-les avant de les transmettre.",
			"These pieces are for the authority, not for publication. Secrets were replaced during the run (« … »); the harness cannot read a picture over: look at them before you pass them on."),
		fmt.Sprintf(l.Pick("%d exigences ont une pièce ; %d pièces.", "%d requirements have a piece; %d pieces."), e.out.Requirements, e.out.Pieces),
	} {
		fmt.Fprintln(b, l.Typeset(reports.Line(s)))
	}
	return nil
}

// readPicture reads a picture of a run, by the name that a report gives it.
func readPicture(folder, name string) ([]byte, error) {
	if !lab.IsPicture(name) {
		return nil, fmt.Errorf("%q is no name of a picture", name)
	}
	return readRegular(filepath.Join(folder, filepath.FromSlash(name)), browser.MaxPicture)
}
