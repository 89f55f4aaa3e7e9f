package blindspots_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/etalon-sante/etalon/suites/run/blindspots"
	"github.com/etalon-sante/etalon/suites/run/selftest"
)

// Every blind spot has its reason, no change of a journal breaks a check, and the page
// that is published names each reason.
func TestEveryBlindSpotHasItsReason(t *testing.T) {
	if testing.Short() {
		t.Skip("NOT TESTED, the map of blind spots: -short")
	}
	rec, err := selftest.Recording(t.Context(), selftest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	m, err := blindspots.Of(rec, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d variants in %.1f s: %d noticed, %d without their occasion, %d alike", m.Variants, m.Seconds, m.Noticed, m.Undecided, m.Blind)
	if m.Variants < 10_000 || m.Noticed < 1_000 {
		t.Errorf("%d variants, %d of them noticed: too few to show anything", m.Variants, m.Noticed)
	}
	page, err := os.ReadFile("../../../docs/blind-spots.en.md")
	if err != nil {
		t.Fatal(err)
	}
	// Two recordings are never the same, so that a place may be seen in one and
	// not in the next: one in a hundred is told, more is a fault.
	unexplained, tell := m.Unexplained(), t.Logf
	if len(unexplained) > len(m.Spots)/100 {
		tell = t.Errorf
	}
	for _, s := range unexplained {
		tell("%s, %s, %s: %s go unseen, and nobody says why: write a check, or a reason in reasons.yaml", s.What, s.Part, s.Path, strings.Join(s.Ops, ", "))
	}
	told := map[string]bool{}
	for _, s := range m.Spots {
		if s.Reason != "" && !told[s.Reason] && !strings.Contains(string(page), "### "+s.Reason+"\n") {
			t.Errorf("docs/blind-spots.en.md does not tell the reason %s: make blindspots", s.Reason)
		}
		told[s.Reason] = true
	}
	for _, r := range m.Rows {
		for _, why := range r.Broken {
			t.Errorf("%s, %s, %s breaks a check: %s", r.What, r.Part, r.Path, why)
		}
	}
}
