package words_test

import (
	"strings"
	"testing"

	"github.com/etalon-sante/etalon/reports"
	"github.com/etalon-sante/etalon/reports/words"
)

func TestWhatASandboxSignedIsTold(t *testing.T) {
	run := reports.Run{Witness: reports.WitnessHost, Witnessed: &reports.Witnessed{Key: strings.Repeat("ab", 32), Exchanges: 700}}
	for _, l := range []words.Lang{words.FR, words.EN} {
		got := l.Testimony(run)
		if !strings.Contains(got, "700") || !strings.Contains(got, "abababababababab…") || strings.Contains(got, " 0 ") {
			t.Errorf("%s", got)
		}
	}
	run.Witness = reports.WitnessEditor
	run.Witnessed.Missing, run.Witnessed.Changed, run.Witnessed.Added = []string{"x1"}, []string{"x2", "x3"}, []string{"x4", "x5", "x6"}
	got := words.EN.Testimony(run)
	for _, part := range []string{"no outside witness", "1 are missing", "2 are not as it signed", "3 are unknown"} {
		if !strings.Contains(got, part) {
			t.Errorf("%q lacks %q", got, part)
		}
	}
}
