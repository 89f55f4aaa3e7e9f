package run_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/etalon-sante/etalon/suites/run"
	"github.com/etalon-sante/etalon/suites/run/demo"
)

// A secret that the redactor knows and that survives in any file stops the
// writing, and the place is named; the value is not.
func TestASecretThatSurvivesStopsTheReports(t *testing.T) {
	s, err := demo.Start(t.Context(), demo.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	m := *s.Manifest
	m.Secrets = map[string]string{"pilot-token": m.Secrets["pilot-token"], "client-secret": m.Candidate.Service.Name}
	dir := t.TempDir()
	_, err = run.Run(t.Context(), run.Options{Manifest: &m, Roots: s.Roots, Out: dir, Seed: 1, Phase: "pilot", Selection: run.Selection{Only: []string{"GOV-01"}}})
	var leak *run.LeakError
	if !errors.As(err, &leak) || leak.File == "" || leak.Name == "" {
		t.Fatalf("got %v", err)
	}
	if leak.Place.Form != "plain" || leak.Place.Line == 0 || leak.Place.Pointer == "" || strings.Contains(leak.In("fr")+leak.In("en"), m.Candidate.Service.Name) {
		t.Errorf("the place is %+v: %v", leak.Place, err)
	}
	for _, name := range []string{"run.json", "candidate.json", "journal.jsonl"} {
		if b, err := os.ReadFile(filepath.Join(dir, name)); err != nil || name == leak.File && strings.Contains(string(b), m.Candidate.Service.Name) {
			t.Errorf("%s still holds it, or is gone: %v", name, err)
		}
	}
	var info run.Info
	if b, err := os.ReadFile(filepath.Join(dir, "run.json")); err != nil || json.Unmarshal(b, &info) != nil || info.State != "failed" || info.Failure == "" {
		t.Errorf("the run ended %s: %s", info.State, info.Failure)
	}
	for _, name := range []string{"report.json", "index.html", "index.en.html", "junit.xml", "summary.md"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
			t.Errorf("%s was written", name)
		}
	}
}
