package html_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/etalon-sante/etalon/reports"
	"github.com/etalon-sante/etalon/reports/html"
	"github.com/etalon-sante/etalon/reports/internal/sample"
)

var update = flag.Bool("update", false, "write the golden files again")

func write(t testing.TB, r reports.Report, lang string) string {
	t.Helper()
	var b bytes.Buffer
	if err := html.Write(&b, r, lang); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestThePageIsAsInTheGoldenFile(t *testing.T) {
	for _, lang := range []string{"fr", "en"} {
		got := write(t, sample.Report(), lang)
		golden := filepath.Join("testdata", "report."+lang+".html")
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
