package run_test

import (
	"bytes"
	"encoding/csv"
	"errors"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"github.com/etalon-sante/etalon/reports"
	"github.com/etalon-sante/etalon/reports/words"
	"github.com/etalon-sante/etalon/suites/probe/browser"
	"github.com/etalon-sante/etalon/suites/run"
	"github.com/etalon-sante/etalon/suites/run/demo"
)

// someRun is a run of a few requirements, judged and written.
func someRun(t *testing.T) string {
	t.Helper()
	s, err := demo.Start(t.Context(), demo.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	dir := t.TempDir()
	_, err = run.Run(t.Context(), run.Options{
		Manifest: s.Manifest, Roots: s.Roots, Out: dir, Seed: 1, Phase: "pilot",
		Selection: run.Selection{Only: []string{"INT-01", "INT-04", "INT-10", "GOV-01", "ETH-12", "INT-34"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// The files of the run are what the forms give of the same folder, judged now.
func TestTheFormsAreTheFilesOfTheRun(t *testing.T) {
	dir := someRun(t)
	r, err := run.JudgeFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{
		"json": "report.json", "html": "index.html", "junit": "junit.xml", "sarif": "results.sarif", "testreport": "testreport.json", "earl": "earl.jsonld", "markdown": "summary.md",
	}
	for _, f := range run.Formats() {
		name, isFile := files[f.Name]
		if !isFile {
			continue
		}
		got, err := f.Render(t.Context(), r, run.FormatOptions{Lang: "fr", Folder: dir})
		if err != nil {
			t.Fatal(err)
		}
		want, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s of the folder differs from the form %s", name, f.Name)
		}
		delete(files, f.Name)
	}
	if len(files) > 0 {
		t.Errorf("no form gives %v", files)
	}
	if _, err := run.FormatNamed("docx"); !errors.Is(err, run.ErrFormat) {
		t.Errorf("docx: %v", err)
	}
}

func TestEvidenceIsNamedByIdAndListedInTheTables(t *testing.T) {
	dir := someRun(t)
	out := filepath.Join(t.TempDir(), "pieces")
	got, err := run.ExportEvidence(t.Context(), dir, out, run.EvidenceOptions{Lang: "fr"})
	if err != nil {
		t.Fatal(err)
	}
	checks := map[string]reports.Result{}
	for _, res := range got.Report.Results {
		for _, c := range res.Checks {
			checks[c.ID] = res
		}
	}
	named := regexp.MustCompile(`^([A-Z]{3}-\d+\.\d+)-([123])-(echange\.html|capture\.png|journal\.txt)$`)
	perRequirement, pieces := map[string]int{}, []string{}
	entries, err := os.ReadDir(out)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		m := named.FindStringSubmatch(e.Name())
		if m == nil {
			if !slices.Contains([]string{"exigences.csv", "exigences.xlsx", "LISEZ-MOI.txt"}, e.Name()) {
				t.Errorf("%s is no name of ours", e.Name())
			}
			continue
		}
		res, ok := checks[m[1]]
		if !ok {
			t.Errorf("%s is named after no check of the report", e.Name())
		}
		perRequirement[res.Requirement]++
		pieces = append(pieces, e.Name())
		b, err := os.ReadFile(filepath.Join(out, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Contains(b, []byte(m[1])) || !bytes.Contains(b, []byte(got.Report.Run.ID)) || !bytes.Contains(b, []byte(words.FR.Typeset(words.FR.Independent()))) {
			t.Errorf("%s does not say by itself what it is of", e.Name())
		}
	}
	if len(pieces) != got.Pieces || len(pieces) == 0 || len(perRequirement) != got.Requirements {
		t.Errorf("%d files of %d requirements, said to be %d of %d", len(pieces), len(perRequirement), got.Pieces, got.Requirements)
	}
	for id, n := range perRequirement {
		if n > 3 {
			t.Errorf("%s has %d pieces", id, n)
		}
	}
	tables := map[string][][]string{"csv": csvOf(t, filepath.Join(out, "exigences.csv")), "xlsx": xlsxOf(t, filepath.Join(out, "exigences.xlsx"))}
	for name, rows := range tables {
		var listed []string
		for _, row := range rows[1:] {
			for _, i := range []int{13, 15, 17} {
				if row[i] == "" {
					continue
				}
				listed = append(listed, row[i])
				if !strings.HasPrefix(row[i], row[10]+"-") || !strings.HasPrefix(row[i], row[i-1]) {
					t.Errorf("%s: %s stands with %s", name, row[i], row[10])
				}
			}
		}
		slices.Sort(listed)
		slices.Sort(pieces)
		if !slices.Equal(listed, pieces) {
			t.Errorf("%s lists %v, the folder holds %v", name, listed, pieces)
		}
	}
	if _, err := run.ExportEvidence(t.Context(), dir, out, run.EvidenceOptions{Lang: "fr"}); !errors.Is(err, run.ErrOccupied) {
		t.Errorf("a folder that holds something is written over: %v", err)
	}
}

func TestALogSaysWhenAndMarksWhatTells(t *testing.T) {
	dir := someRun(t)
	out := filepath.Join(t.TempDir(), "pieces")
	if _, err := run.ExportEvidence(t.Context(), dir, out, run.EvidenceOptions{Lang: "en"}); err != nil {
		t.Fatal(err)
	}
	logs, err := filepath.Glob(filepath.Join(out, "*-3-log.txt"))
	if err != nil || len(logs) == 0 {
		t.Fatalf("no log: %v", err)
	}
	marked := 0
	for _, file := range logs {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		_, body, _ := strings.Cut(string(b), "Times are UTC.")
		var last string
		for _, line := range strings.Split(body, "\n")[2:] {
			m := regexp.MustCompile(`^([ >]) (\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}\.\d{3})  `).FindStringSubmatch(line)
			if m == nil {
				continue
			}
			if m[1] == ">" {
				marked++
			}
			last = m[2]
		}
		if last == "" {
			t.Errorf("%s has no dated line", filepath.Base(file))
		}
	}
	if marked == 0 {
		t.Error("no log marks the line that tells")
	}
}

func csvOf(t *testing.T, file string) [][]string {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	r := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(b, []byte("\ufeff"))))
	r.Comma = ';'
	rows, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func xlsxOf(t *testing.T, file string) [][]string {
	t.Helper()
	f, err := excelize.OpenFile(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := f.GetRows("Étalon")
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// With a browser a run has pictures: the piece shows them, captioned, and the
// report is printed with them.
func TestPicturesAreAnnotatedAndPrinted(t *testing.T) {
	dir := t.TempDir()
	r, err := shownWith(t, dir, []string{"ETH-12", "ETH-33"}, nil, flawed(t, "wider-than-a-phone"), flawed(t, "focus-without-outline"))
	if err != nil {
		t.Fatal(err)
	}
	host := browser.Open(browser.Options{Program: browser.Auto, Loopback: true})
	defer host.Close()
	out := filepath.Join(t.TempDir(), "pieces")
	if _, err := run.ExportEvidence(t.Context(), dir, out, run.EvidenceOptions{Lang: "fr", Host: host}); err != nil {
		t.Fatal(err)
	}
	shots, err := filepath.Glob(filepath.Join(out, "*-2-capture.png"))
	if err != nil || len(shots) == 0 {
		t.Fatalf("no annotated picture: %v", err)
	}
	for _, file := range shots {
		f, err := os.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		picture, err := png.Decode(f)
		f.Close()
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		if b := picture.Bounds(); b.Dx() < 640 || b.Dy() < 120 {
			t.Errorf("%s has %v", file, b)
		}
	}
	for lang, name := range map[words.Lang]string{words.FR: "rapport.fr.pdf", words.EN: "report.en.pdf"} {
		printedAs(t, filepath.Join(out, name), r, lang, dir)
	}
}

// printedAs reads a PDF with poppler: tagged, titled, in its language, with every
// id, the sentence of the verdict, and nothing of this machine.
func printedAs(t *testing.T, file string, r reports.Report, l words.Lang, folder string) {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(raw, []byte("/Lang ("+string(l))) {
		t.Errorf("%s does not say that it is in %s", file, l)
	}
	for _, x := range []string{"file:", folder, filepath.Base(filepath.Dir(folder)), "about:blank"} {
		if bytes.Contains(raw, []byte(x)) {
			t.Errorf("%s holds %q", file, x)
		}
	}
	if _, err := exec.LookPath("pdfinfo"); err != nil {
		t.Skip("NOT READ by poppler: apt-get install poppler-utils")
	}
	info, err := exec.CommandContext(t.Context(), "pdfinfo", file).CombinedOutput()
	if err != nil {
		t.Fatalf("pdfinfo: %v: %s", err, info)
	}
	for _, want := range []string{`Tagged: +yes`, `Title: +.*` + regexp.QuoteMeta(r.Candidate.Service.Name), `Page size: .*A4`, `JavaScript: +no`} {
		if !regexp.MustCompile(want).Match(info) {
			t.Errorf("pdfinfo does not say %s:\n%s", want, info)
		}
	}
	links, err := exec.CommandContext(t.Context(), "pdfinfo", "-url", file).CombinedOutput()
	if err != nil {
		t.Fatalf("pdfinfo -url: %v", err)
	}
	for _, line := range strings.Split(string(links), "\n")[1:] {
		if f := strings.Fields(line); len(f) > 2 && !strings.HasPrefix(f[len(f)-1], "http") {
			t.Errorf("%s links to %s", file, line)
		}
	}
	text, err := exec.CommandContext(t.Context(), "pdftotext", "-raw", file, "-").Output()
	if err != nil {
		t.Fatalf("pdftotext: %v", err)
	}
	flat := strings.Join(strings.Fields(string(text)), " ")
	if sentence := strings.Join(strings.Fields(l.Typeset(l.Verdict(r))), " "); !strings.Contains(flat, sentence) {
		t.Errorf("%s does not say %q", file, sentence)
	}
	for _, res := range r.Results {
		word := l.Of(res.Verdict.Label().Word)
		if !regexp.MustCompile(regexp.QuoteMeta(word) + ` ` + regexp.QuoteMeta(res.Requirement) + ` `).MatchString(flat) {
			t.Errorf("%s does not say that %s is %s", file, res.Requirement, word)
		}
		for _, c := range res.Checks {
			if !strings.Contains(flat, c.ID) {
				t.Errorf("%s does not name %s", file, c.ID)
			}
		}
	}
}

func TestWithoutABrowserTheRestIsWrittenAndWhyIsSaid(t *testing.T) {
	host := browser.Open(browser.Options{Program: "/no/such/browser", Loopback: true})
	defer host.Close()
	out := filepath.Join(t.TempDir(), "pieces")
	got, err := run.ExportEvidence(t.Context(), someRun(t), out, run.EvidenceOptions{Lang: "fr", Host: host})
	if err != nil {
		t.Fatal(err)
	}
	if got.NoPDF == nil || got.NoPDF.FR == "" || got.NoPDF.EN == "" {
		t.Error("it is not said why there is no PDF")
	}
	if _, err := os.Stat(filepath.Join(out, "exigences.csv")); err != nil {
		t.Error(err)
	}
}
