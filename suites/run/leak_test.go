package run_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/etalon-sante/etalon/sandbox/record"
	"github.com/etalon-sante/etalon/suites/run"
	"github.com/etalon-sante/etalon/suites/run/demo"
	"github.com/etalon-sante/etalon/suites/run/leak/leaktest"
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

// What the redactor overlooked, in whatever form, the search of the files finds: the
// run is not published, the place is named, and the value does not stay on disk.
func TestWhatWentPastTheRedactorStopsTheReports(t *testing.T) {
	const secret = "8f3k-jeton-de-rafraichissement-0x"
	s, err := demo.Start(t.Context(), demo.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	clean := t.TempDir()
	o := run.Options{Manifest: s.Manifest, Roots: s.Roots, Out: clean, Seed: 1, Phase: "pilot", Selection: run.Selection{Only: []string{"GOV-01"}}}
	if _, err := run.Run(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	known := record.NewRedactor()
	known.Adopt([]record.Secret{{Name: "refresh-token-7", Value: secret}})
	if err := run.PublishAgain(clean, o, known); err != nil {
		t.Fatalf("a folder that holds none is not published: %v", err)
	}
	for form, encode := range leaktest.Encodings() {
		if leaktest.Binary(form) {
			continue // no text: it cannot stand in a journal
		}
		t.Run(form, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.CopyFS(dir, os.DirFS(clean)); err != nil {
				t.Fatal(err)
			}
			if err := os.RemoveAll(filepath.Join(dir, "report.json")); err != nil {
				t.Fatal(err)
			}
			said := "avant " + encode(secret) + " après"
			line, err := json.Marshal(record.Record{Seq: 1, Kind: record.KindPilot, Pilot: &record.Pilot{Action: "status", Message: said}})
			if err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(dir, "journal.jsonl")
			before, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, append(append(line, '\n'), before...), 0o600); err != nil {
				t.Fatal(err)
			}
			err = run.PublishAgain(dir, o, known)
			var leak *run.LeakError
			if !errors.As(err, &leak) {
				t.Fatalf("published: %v", err)
			}
			if leak.File != "journal.jsonl" || leak.Name != "refresh-token-7" || leak.Place.Line != 1 || leak.Place.Pointer != "/pilot/message" {
				t.Errorf("the place is %+v", leak)
			}
			if _, err := os.Stat(filepath.Join(dir, "report.json")); err == nil {
				t.Error("report.json was written")
			}
			after, err := os.ReadFile(path)
			if err != nil || bytes.Contains(after, line[bytes.Index(line, []byte("avant")):len(line)-4]) || !bytes.Contains(after, []byte("«refresh-token-7»")) || !bytes.HasSuffix(after, before) {
				t.Errorf("the journal is now %.300s (%v)", after, err)
			}
		})
	}
}
