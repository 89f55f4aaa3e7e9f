package sheet_test

import (
	"archive/zip"
	"bytes"
	"encoding/csv"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"github.com/etalon-sante/etalon/reports"
	"github.com/etalon-sante/etalon/reports/internal/sample"
	"github.com/etalon-sante/etalon/reports/sheet"
)

var update = flag.Bool("update", false, "write the golden files again")

func writeCSV(t testing.TB, r reports.Report, lang string, e sheet.Evidence) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := sheet.CSV(&b, r, lang, e); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func writeXLSX(t testing.TB, r reports.Report, lang string, e sheet.Evidence) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := sheet.XLSX(&b, r, lang, e); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func readCSV(t testing.TB, b []byte) [][]string {
	t.Helper()
	r := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(b, []byte("\ufeff"))))
	r.Comma = ';'
	out, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func readXLSX(t testing.TB, b []byte) [][]string {
	t.Helper()
	f, err := excelize.OpenReader(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	out, err := f.GetRows("Étalon")
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestTheTableIsAsInTheGoldenFile(t *testing.T) {
	e := sheet.Evidence{"INT-04.1": {{Number: "INT-04.1-1", File: "INT-04.1-1-echange.html"}, {Number: "INT-04.1-2", File: "INT-04.1-2-journal.txt"}}}
	for _, lang := range []string{"fr", "en"} {
		got := writeCSV(t, sample.Few(), lang, e)
		golden := filepath.Join("testdata", "table."+lang+".csv")
		if *update {
			if err := os.WriteFile(golden, got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s differs from what was written; look at it, then run with -update", golden)
		}
	}
}

func TestTheColumnsAreThoseOfConvergenceThenOurs(t *testing.T) {
	want := "PROFIL;N°;ID Section;Section;Bloc;Fonction;Nature;N° exigence;Enoncé;Version;N° scénario;Scénario de conformité;N° preuve 1;Preuve 1;N° preuve 2;Preuve 2;N° preuve 3;Preuve 3"
	for _, lang := range []string{"fr", "en"} {
		head := readCSV(t, writeCSV(t, sample.Few(), lang, nil))[0]
		if got := strings.Join(head[:18], ";"); got != want {
			t.Errorf("%s: %s", lang, got)
		}
		for _, name := range head[18:] {
			if !strings.HasPrefix(name, "Étalon") {
				t.Errorf("%s: column %q is not said to be ours", lang, name)
			}
		}
		if got := strings.Join(readXLSX(t, writeXLSX(t, sample.Few(), lang, nil))[0], ";"); got != strings.Join(head, ";") {
			t.Errorf("%s: the workbook has the columns %s", lang, got)
		}
	}
}

func TestBothTablesHoldEveryCheckWithItsVerdict(t *testing.T) {
	r := sample.Report()
	for name, rows := range map[string][][]string{"csv": readCSV(t, writeCSV(t, r, "fr", nil)), "xlsx": readXLSX(t, writeXLSX(t, r, "fr", nil))} {
		i := 1
		for _, res := range r.Results {
			checks := res.Checks
			if len(checks) == 0 {
				checks = []reports.Check{{Verdict: res.Verdict}}
			}
			for _, c := range checks {
				if i >= len(rows) {
					t.Fatalf("%s ends after %d rows", name, i)
				}
				row := rows[i]
				if row[7] != res.Requirement || row[10] != c.ID || row[19] != string(c.Verdict) || row[18] != c.Verdict.Label().Word.FR || row[20] != res.Verdict.Label().Word.FR {
					t.Errorf("%s, row %d: %q, want %s %s %s", name, i, row, res.Requirement, c.ID, c.Verdict)
				}
				if row[26] != sheet.Notice("fr") {
					t.Errorf("%s, row %d does not say what it is", name, i)
				}
				i++
			}
		}
		if i != len(rows) {
			t.Errorf("%s holds %d rows, want %d", name, len(rows), i)
		}
	}
}

// hostile are texts that spreadsheets have obeyed.
func hostile() []string {
	return []string{
		`=cmd|'/C calc'!A0`, `+1+1`, `-2+3`, `@SUM(1)`, "\t=1+1", "\r=1", " =1", "\n=1", `=HYPERLINK("http://evil.example","x")`, "＝1+1", `"=1`, `;=1`, "a\n=1", "\x00=1", "%0A=1", "|=1",
		"\x1b[2J", "\u202e", "\xff", `","=1`, "'=1",
	}
}

func TestNoCellIsAFormula(t *testing.T) {
	for _, s := range hostile() {
		r := sample.Hostile(s)
		rows := readCSV(t, writeCSV(t, r, "fr", sheet.Evidence{s + "0": {{Number: s, File: s}}}))
		for i, row := range rows {
			if len(row) != 27 {
				t.Fatalf("%q: row %d has %d cells", s, i, len(row))
			}
			for _, cell := range row {
				if x := strings.TrimLeft(cell, " \u00a0\n"); x != "" && strings.ContainsAny(x[:1], "=+-@\t\r") || strings.ContainsAny(cell, "\n\r\t\x00\x1b") {
					t.Fatalf("%q: the cell %q is a formula or holds control characters", s, cell)
				}
			}
		}
		b := writeXLSX(t, r, "fr", nil)
		f, err := excelize.OpenReader(bytes.NewReader(b))
		if err != nil {
			t.Fatalf("%q: %v", s, err)
		}
		for _, name := range f.GetSheetList() {
			table, err := f.GetRows(name)
			if err != nil {
				t.Fatalf("%q: %v", s, err)
			}
			for i, row := range table {
				for j := range row {
					at, _ := excelize.CoordinatesToCellName(j+1, i+1)
					if got, err := f.GetCellFormula(name, at); got != "" || err != nil {
						t.Fatalf("%q: %s is the formula %q, %v", s, at, got, err)
					}
				}
			}
		}
		f.Close()
		if x := parts(t, b); strings.Contains(x, "<f>") || strings.Contains(x, "<f ") || strings.Contains(x, "externalLink") {
			t.Errorf("%q: the workbook holds a formula or a link", s)
		}
	}
}

// parts are the bytes of all that a workbook holds.
func parts(t *testing.T, b []byte) string {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(&out, r); err != nil {
			t.Fatal(err)
		}
		r.Close()
	}
	return out.String()
}

func TestALongTextFitsInACell(t *testing.T) {
	for _, c := range []string{"x", "é", "\U0001f9ea"} {
		r := sample.Hostile("a")
		r.Results[0].Statement.FR = strings.Repeat(c, 100_000)
		got := readXLSX(t, writeXLSX(t, r, "fr", nil))[1][8]
		units := 0
		for _, x := range got {
			if units++; x > 0xffff {
				units++
			}
		}
		if units > 32_767 || !strings.HasSuffix(got, "…") {
			t.Errorf("%s: a cell of %d units", c, units)
		}
	}
}

func TestTheSameReportIsTheSameFile(t *testing.T) {
	if !bytes.Equal(writeXLSX(t, sample.Few(), "fr", nil), writeXLSX(t, sample.Few(), "fr", nil)) {
		t.Error("two workbooks of one report differ")
	}
}

func BenchmarkAThousandRequirementsCSV(b *testing.B) {
	r := sample.Large(1000)
	for b.Loop() {
		writeCSV(b, r, "fr", nil)
	}
}

func BenchmarkAThousandRequirementsXLSX(b *testing.B) {
	r := sample.Large(1000)
	for b.Loop() {
		writeXLSX(b, r, "fr", nil)
	}
}
