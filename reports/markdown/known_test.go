package markdown_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/etalon-sante/etalon/reports"
	"github.com/etalon-sante/etalon/reports/internal/sample"
)

func TestKnownNonconformitiesAreShownAndChangeNothingElse(t *testing.T) {
	for _, lang := range []string{"fr", "en"} {
		got := write(t, sample.Known(), lang)
		golden := filepath.Join("testdata", "known."+lang+".md")
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
		// Apart from its section the page is that of the same run without a list.
		before, rest, _ := strings.Cut(got, map[string]string{"fr": "## Non-conformités connues", "en": "## Known nonconformities"}[lang])
		_, after, _ := strings.Cut(rest, "\n## ")
		if before+"## "+after != write(t, sample.Report(), lang) {
			t.Error("the list changes more than its section")
		}
	}
}

func TestHostileEntriesStayText(t *testing.T) {
	r := sample.Report()
	bad := "<img src=x>\n# t @all [x](javascript:1)"
	r.Weigh([]reports.Known{{ID: bad, Kind: "failing", Finding: bad, Reason: bad, Owner: bad, Deadline: bad}}, "", func(string) bool { return false })
	got := write(t, r, "en")
	for _, raw := range []string{"<img", "\n# t", "@all", "[x](java"} {
		if strings.Contains(got, raw) {
			t.Errorf("%q stands unescaped", raw)
		}
	}
}
