package run_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/etalon-sante/etalon/reports"
	"github.com/etalon-sante/etalon/suites/run"
	"github.com/etalon-sante/etalon/suites/run/demo"
)

func started(t *testing.T, o demo.Options) *demo.Service {
	t.Helper()
	s, err := demo.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func verdicts(r reports.Report) map[string]reports.Verdict {
	out := map[string]reports.Verdict{}
	for _, res := range r.Results {
		out[res.Requirement] = res.Verdict
		for _, c := range res.Checks {
			out[c.ID] = c.Verdict
		}
	}
	return out
}

func TestAPersonWhoFollowsTheScreenTakesAServiceToConformant(t *testing.T) {
	s := started(t, demo.Options{})
	p, manual := sits(t, s)
	only := []string{"INT-01", "INT-11", "INT-14", "INT-20", "INT-45"}
	out, err := run.Run(t.Context(), run.Options{
		Manifest: byHand(s), Out: filepath.Join(t.TempDir(), "report"), Lang: "en", Seed: 1, Phase: "pilot", Roots: s.Roots,
		Selection: run.Selection{Only: only}, Manual: manual,
	})
	if err != nil {
		t.Fatalf("%v\n%s", err, p.screen())
	}
	for id, v := range verdicts(out.Report) {
		if v != reports.Conformant {
			t.Errorf("%s is %s", id, v)
		}
	}
	if out.Report.ExitCode != 0 || len(out.Report.Results) != len(only) {
		t.Errorf("exit code %d, %d results", out.Report.ExitCode, len(out.Report.Results))
	}
	for _, want := range []string{"seen by the sandbox", "This time, refuse on the consent page.", "do not tick"} {
		if !strings.Contains(p.screen(), want) {
			t.Errorf("no %q on screen", want)
		}
	}
	if t.Failed() {
		t.Log(p.screen())
	}
	journal, err := os.ReadFile(filepath.Join(out.Folder, "journal.jsonl"))
	if err != nil || !strings.Contains(string(journal), "«access-token-") {
		t.Errorf("journal: %v", err)
	}
}
