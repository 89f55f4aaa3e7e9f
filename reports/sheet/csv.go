package sheet

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"io"
	"strings"

	"github.com/etalon-sante/etalon/reports"
	"github.com/etalon-sante/etalon/reports/words"
)

// CSV writes the table as CSV: separated by semicolons, in UTF-8 with a mark of
// its encoding, as spreadsheets of France open it.
func CSV(w io.Writer, r reports.Report, lang string, e Evidence) error {
	l, err := words.Parse(lang)
	if err != nil {
		return fmt.Errorf("write CSV: %w", err)
	}
	r = reports.Shown(r)
	var b bytes.Buffer
	b.WriteString("\ufeff")
	out := csv.NewWriter(&b)
	out.Comma, out.UseCRLF = ';', true
	if err := out.Write(columns(l)); err != nil {
		return fmt.Errorf("write CSV: %w", err)
	}
	for _, cells := range table(r, l, e) {
		for i, s := range cells {
			cells[i] = oneLine(s)
		}
		if err := out.Write(cells); err != nil {
			return fmt.Errorf("write CSV: %w", err)
		}
	}
	out.Flush()
	if err := out.Error(); err != nil {
		return fmt.Errorf("write CSV: %w", err)
	}
	if _, err := w.Write(b.Bytes()); err != nil {
		return fmt.Errorf("write CSV: %w", err)
	}
	return nil
}

// oneLine is a cell that no reader of CSV takes for several rows or for a formula.
func oneLine(s string) string {
	s = strings.ReplaceAll(strings.ReplaceAll(s, "\t", " "), "\n", " | ")
	if formula(s) {
		return "'" + s
	}
	return s
}
