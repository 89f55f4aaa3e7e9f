package sarif_test

import (
	"testing"

	"github.com/etalon-sante/etalon/reports/internal/sample"
)

func TestOnlyWhatTheListExplainsIsSuppressed(t *testing.T) {
	r := sample.Known()
	b := write(t, r, "fr")
	valid(t, b)
	n := 0
	for _, x := range read(t, b).Results {
		want := 0
		if x.Kind == "fail" {
			want = len(r.KnownAs(*x.RuleID))
		}
		if len(x.Suppressions) != want {
			t.Errorf("%s (%s) has %d suppressions, want %d", *x.RuleID, x.Kind, len(x.Suppressions), want)
		}
		for _, s := range x.Suppressions {
			n++
			if *s.Justification == "" || *s.Justification == "—" {
				t.Errorf("%s is suppressed without a reason", *x.RuleID)
			}
		}
	}
	if n == 0 {
		t.Error("nothing is suppressed")
	}
	for _, x := range read(t, write(t, sample.Report(), "fr")).Results {
		if len(x.Suppressions) > 0 {
			t.Errorf("%s is suppressed without a list", *x.RuleID)
		}
	}
}
