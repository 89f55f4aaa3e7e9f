package text

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/etalon-sante/etalon/fixtures/data"
	"github.com/etalon-sante/etalon/suites/wording"
)

// Terms of use written in many ways, by us: each file is named for what it says of
// downloading all documents. Those that are published as PDF are made into one.
func TestTermsOfUseWrittenInManyWays(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/terms/*")
	if err != nil || len(files) < 12 {
		t.Fatalf("%d terms, %v", len(files), err)
	}
	lacking := 0
	for _, file := range files {
		name := filepath.Base(file)
		want, _, _ := strings.Cut(name, "-")
		if want == "absent" || want == "denies" {
			lacking++
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			raw, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var c content
			if strings.HasSuffix(name, ".pdf.txt") {
				if _, err := exec.LookPath("pdftotext"); err != nil {
					t.Skip("NOT TRIED: pdftotext is not installed (poppler-utils)")
				}
				if c, err = readPDF(t.Context(), "", data.TextPDF(strings.Split(strings.TrimSpace(string(raw)), "\n"))); err != nil {
					t.Fatal(err)
				}
			} else {
				c = readMarkup(raw, "text/html")
			}
			if got := outcome(wording.Exhaustive(c.sentences, c.title)); got != want {
				t.Errorf("%s, want %s: %+v\n%+v", got, want, wording.Exhaustive(c.sentences, c.title), c.sentences)
			}
		})
	}
	if 2*lacking < len(files)-2 {
		t.Errorf("%d of %d lack the clause or deny it, half is wanted", lacking, len(files))
	}
}

// outcome is what becomes of a reading, as the leaf of GOV-46.1 has it.
func outcome(r wording.Reading) string {
	switch {
	case len(r.Denies) > 0 && len(r.Says) == 0:
		return "denies"
	case len(r.Denies) > 0:
		return "doubtful"
	case len(r.Says) > 0:
		return "says"
	case len(r.Unclear) > 0:
		return "doubtful"
	}
	return "absent"
}
