package sheet

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/xuri/excelize/v2"

	"github.com/etalon-sante/etalon/reports"
	"github.com/etalon-sante/etalon/reports/internal/plain"
	"github.com/etalon-sante/etalon/reports/words"
)

// XLSX writes the table as a workbook of two sheets: what it is, and the table.
// Every cell is an inline string: nothing is computed when it is opened.
func XLSX(w io.Writer, r reports.Report, lang string, e Evidence) error {
	l, err := words.Parse(lang)
	if err != nil {
		return fmt.Errorf("write XLSX: %w", err)
	}
	b, err := workbook(reports.Shown(r), l, e)
	if err != nil {
		return fmt.Errorf("write XLSX: %w", err)
	}
	if _, err := w.Write(b); err != nil {
		return fmt.Errorf("write XLSX: %w", err)
	}
	return nil
}

func workbook(r reports.Report, l words.Lang, e Evidence) ([]byte, error) {
	f := excelize.NewFile()
	defer f.Close()
	about, list := l.Pick("À lire", "Read me"), "Étalon"
	if err := f.SetSheetName("Sheet1", about); err != nil {
		return nil, err
	}
	if _, err := f.NewSheet(list); err != nil {
		return nil, err
	}
	s, err := newStyles(f)
	if err != nil {
		return nil, err
	}
	for _, step := range []func() error{
		func() error { return fill(f, about, []float64{28, 110}, introduction(r, l), s, false) },
		func() error {
			return fill(f, list, widths(), append([][]string{columns(l)}, table(r, l, e)...), s, true)
		},
		func() error {
			at := r.Run.Started.UTC().Format("2006-01-02T15:04:05Z") // not the day of writing: the same report is the same file
			return f.SetDocProps(&excelize.DocProperties{Title: plain.Line(title(r, l)), Creator: "Étalon", Language: string(l), Created: at, Modified: at, Description: l.Typeset(l.Independent())})
		},
	} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	var b bytes.Buffer
	if err := f.Write(&b); err != nil {
		return nil, err
	}
	return steady(b.Bytes())
}

// steady puts the parts of a workbook into the order of their names, without a
// time of their own: excelize writes them as they come, and the same report is to
// be the same file.
func steady(b []byte) ([]byte, error) {
	in, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return nil, err
	}
	slices.SortFunc(in.File, func(a, b *zip.File) int { return strings.Compare(a.Name, b.Name) })
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for _, f := range in.File {
		f.Modified, f.ModifiedDate, f.ModifiedTime, f.Extra = time.Time{}, 0, 0, nil //nolint:staticcheck // the old fields are those that are written
		part, err := f.OpenRaw()
		if err != nil {
			return nil, err
		}
		to, err := z.CreateRaw(&f.FileHeader)
		if err != nil {
			return nil, err
		}
		if _, err := io.Copy(to, part); err != nil {
			return nil, err
		}
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

func title(r reports.Report, l words.Lang) string {
	return l.Pick("Étalon : ", "Étalon: ") + r.Candidate.Service.Name + " " + r.Candidate.Service.Version
}

// introduction says what the workbook is, a line each: name and text.
func introduction(r reports.Report, l words.Lang) [][]string {
	out := [][]string{
		{"Étalon", Notice(l)},
		{"", l.Typeset(l.Independent())},
		{l.Pick("Service", "Service"), r.Candidate.Service.Name + " " + r.Candidate.Service.Version},
		{l.Pick("Éditeur", "Editor"), r.Candidate.Editor.Name},
		{l.Pick("Campagne", "Run"), r.Run.ID + ", " + l.Instant(r.Run.Started)},
		{l.Pick("Catalogue", "Catalogue"), r.Run.Catalogue.Version},
		{l.Pick("Verdict", "Verdict"), l.Typeset(l.Verdict(r))},
		{"", l.Typeset(l.Coverage(r))},
		{l.Pick("Colonnes", "Columns"), l.Pick(
			"Les dix-huit premières sont celles des grilles d’exigences remplies sur Convergence. Celles dont le nom commence par « Étalon » disent ce que le banc a vu.",
			"The first eighteen are those of the requirement grids filled in on Convergence. Those whose name begins with “Étalon” say what the harness saw.")},
		{l.Pick("Nature", "Nature"), l.Pick(
			"« non connue » : aucune source publique ne dit si l’exigence est obligatoire.", "“non connue” (not known): no public source says whether the requirement is mandatory.")},
	}
	for i := range out {
		for j := range out[i] {
			out[i][j] = bounded(plain.Text(out[i][j]))
		}
	}
	return out
}

func widths() []float64 {
	return []float64{12, 6, 10, 18, 24, 16, 16, 12, 60, 12, 12, 50, 14, 30, 14, 30, 14, 30, 18, 16, 18, 11, 60, 60, 40, 20, 40}
}

type styles struct{ head, own, cell int }

func newStyles(f *excelize.File) (s styles, err error) {
	wrap := &excelize.Alignment{WrapText: true, Vertical: "top"}
	for _, x := range []struct {
		id    *int
		style excelize.Style
	}{
		{&s.head, excelize.Style{Font: &excelize.Font{Bold: true}, Fill: excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{"E6EAF0"}}, Alignment: wrap}},
		{&s.own, excelize.Style{Font: &excelize.Font{Bold: true}, Fill: excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{"DCEBE3"}}, Alignment: wrap}},
		{&s.cell, excelize.Style{Alignment: wrap}},
	} {
		if *x.id, err = f.NewStyle(&x.style); err != nil {
			return s, err
		}
	}
	return s, nil
}

// fill writes rows into a sheet; the first of a table holds the names of columns
// and stays in sight.
func fill(f *excelize.File, name string, widths []float64, rows [][]string, s styles, isTable bool) error {
	out, err := f.NewStreamWriter(name)
	if err != nil {
		return err
	}
	for i, w := range widths {
		if err := out.SetColWidth(i+1, i+1, w); err != nil {
			return err
		}
	}
	if isTable {
		if err := out.SetPanes(&excelize.Panes{Freeze: true, YSplit: 1, TopLeftCell: "A2", ActivePane: "bottomLeft"}); err != nil {
			return err
		}
	}
	for i, row := range rows {
		cells := make([]any, len(row))
		for j, text := range row {
			style := s.cell
			switch {
			case isTable && i == 0 && j >= len(theirs()):
				style = s.own
			case isTable && i == 0, !isTable && j == 0:
				style = s.head
			}
			cells[j] = excelize.Cell{StyleID: style, Value: text}
		}
		at, err := excelize.CoordinatesToCellName(1, i+1)
		if err != nil {
			return err
		}
		if err := out.SetRow(at, cells); err != nil {
			return err
		}
	}
	return out.Flush()
}
