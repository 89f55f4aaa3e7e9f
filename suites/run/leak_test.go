package run_test

import (
	"errors"
	"os"
	"path/filepath"
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
	for _, name := range []string{"report.json", "index.html", "index.en.html", "junit.xml", "summary.md"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
			t.Errorf("%s was written", name)
		}
	}
}
