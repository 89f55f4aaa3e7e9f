package markdown_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/etalon-sante/etalon/reports"
	"github.com/etalon-sante/etalon/reports/internal/sample"
	"github.com/etalon-sante/etalon/reports/markdown"
)

var update = flag.Bool("update", false, "write the golden files again")

func write(t testing.TB, r reports.Report, lang string) string {
	t.Helper()
	var b bytes.Buffer
	if err := markdown.Write(&b, r, lang); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestTheSummaryIsAsInTheGoldenFile(t *testing.T) {
	for _, lang := range []string{"fr", "en"} {
		got := write(t, sample.Report(), lang)
		golden := filepath.Join("testdata", "summary."+lang+".md")
		if *update {
			if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if got != string(want) {
			t.Errorf("%s differs from what was written; look at it, then run with -update", golden)
		}
	}
}

func TestHostileTextStaysText(t *testing.T) {
	for _, s := range []string{"<img src=x>", "a\n\n# title", "[x](javascript:alert(1))", "@everyone", "![x](http://evil.example/p.png)", "a | b", "``` x", "\u202egnp"} {
		got := write(t, sample.Hostile(s), "en")
		var prose []string // what is not in a code span or block: there everything is text
		fence := ""
		for _, line := range strings.Split(got, "\n") {
			if strings.HasPrefix(line, "```") && (fence == "" || line == fence) {
				if fence = strings.TrimSuffix(line, "sh"); line == fence {
					fence = ""
				}
				continue
			}
			if fence == "" && !strings.Contains(strings.ReplaceAll(line, "\\`", ""), "`") {
				prose = append(prose, line)
			}
		}
		text := strings.Join(prose, "\n")
		for _, raw := range []string{"<img", "\n# title", "x](java", "@everyone", "![x", "\u202e"} {
			if strings.Contains(text, raw) {
				t.Errorf("%q: %q stands unescaped", s, raw)
			}
		}
	}
}

func TestAnEmptyRunIsNotGreen(t *testing.T) {
	var r reports.Report
	r.Conclude()
	got := write(t, r, "en")
	if !strings.Contains(got, "judged no requirement") || strings.Contains(got, "✓") {
		t.Errorf("%s", got)
	}
}

func TestAnUnknownLanguageIsRefused(t *testing.T) {
	if err := markdown.Write(&bytes.Buffer{}, sample.Report(), "de"); err == nil {
		t.Error("accepted")
	}
}

func BenchmarkAThousandRequirements(b *testing.B) {
	r := sample.Large(1000)
	for b.Loop() {
		write(b, r, "fr")
	}
}
