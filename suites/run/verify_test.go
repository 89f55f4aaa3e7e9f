package run_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/etalon-sante/etalon/reports/seal"
	"github.com/etalon-sante/etalon/suites/candidate"
	"github.com/etalon-sante/etalon/suites/run"
	"github.com/etalon-sante/etalon/suites/run/demo"
)

// sealedRun is a run of a few requirements with a declared file, sealed with k.
func sealedRun(t *testing.T, k seal.Key) string {
	t.Helper()
	s, err := demo.Start(t.Context(), demo.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	evidence := []byte("a signed paper")
	m := *s.Manifest
	m.Folder = t.TempDir()
	if err := os.WriteFile(filepath.Join(m.Folder, "attestation-Renaud.pdf"), evidence, 0o600); err != nil {
		t.Fatal(err)
	}
	m.Candidate.Evidence = []candidate.Evidence{{
		Requirement: "GOV-09", Statement: "Je soussignée Odile Renaud l’atteste.", Author: "Odile Renaud", Role: "responsable qualité", Date: "2026-01-05",
		File: "attestation-Renaud.pdf", SHA256: sha(evidence),
	}}
	dir := t.TempDir()
	_, err = run.Run(t.Context(), run.Options{
		Manifest: &m, Roots: s.Roots, Out: dir, Seed: 1, Phase: "pilot", Key: k,
		Selection: run.Selection{Only: []string{"GOV-01", "GOV-09", "INT-01"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func verified(t *testing.T, dir string) run.Verified {
	t.Helper()
	v, err := run.Verify(dir, run.VerifyOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestARunIsSealedAndEachOfItsFilesCounts(t *testing.T) {
	k, err := seal.Generate(nil)
	if err != nil {
		t.Fatal(err)
	}
	dir := sealedRun(t, k)
	if v := verified(t, dir); v.Exit != 0 || !v.Recomputed || !v.SameBuild || v.Seal.Key != k.Public().ID() || len(v.Seal.Foreign) != 0 {
		t.Fatalf("%+v", v)
	}
	var files []string
	err = filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			files = append(files, path)
		}
		return err
	})
	if err != nil || len(files) < 10 {
		t.Fatal(files, err)
	}
	for _, path := range files {
		whole, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			t.Fatal(err)
		}
		for what, b := range map[string][]byte{"a byte changed": changed(whole), "a byte more": append(bytes.Clone(whole), ' '), "cut": whole[:len(whole)/2], "empty": nil} {
			write(t, path, b)
			v := verified(t, dir)
			if v.Exit != 1 || len(v.Seal.Problems) == 0 {
				t.Errorf("%s, %s: exit %d", name, what, v.Exit)
			} else if got := v.Seal.Problems[0].File; got != filepath.ToSlash(name) && !strings.HasPrefix(name, seal.Folder) {
				t.Errorf("%s, %s: told of %s", name, what, got)
			}
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		if v := verified(t, dir); v.Exit != 1 {
			t.Errorf("%s gone: exit %d", name, v.Exit)
		}
		write(t, path, whole)
	}
	if v := verified(t, dir); v.Exit != 0 {
		t.Errorf("put back: %+v", v)
	}
}

// Who holds the key may seal whatever he likes; what the journal does not show is
// found all the same.
func TestWhatIsSealedAgainIsRecomputed(t *testing.T) {
	k, err := seal.Generate(nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		file     string
		from, to string
		told     func(run.Verified) bool
	}{
		"a verdict of the report": {"report.json", `"verdict": "attested"`, `"verdict": "conformant"`, func(v run.Verified) bool {
			return slices.ContainsFunc(v.Differ, func(d run.Difference) bool {
				return d.ID == "GOV-09" && d.Said == "conformant" && d.Found == "attested"
			})
		}},
		"a word of the page":          {"index.html", "Carnet Clair", "Carnet Noir", func(v run.Verified) bool { return slices.Contains(v.Rewritten, "index.html") }},
		"a count of the summary":      {"summary.md", "1", "2", func(v run.Verified) bool { return slices.Contains(v.Rewritten, "summary.md") }},
		"a name in what was declared": {"report.json", "«person-1»", "Odile", func(v run.Verified) bool { return slices.Contains(v.Rewritten, "report.json") }},
	} {
		t.Run(name, func(t *testing.T) {
			dir := sealedRun(t, k)
			path := filepath.Join(dir, c.file)
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Contains(b, []byte(c.from)) {
				t.Fatalf("%s holds no %q", c.file, c.from)
			}
			write(t, path, bytes.Replace(b, []byte(c.from), []byte(c.to), 1))
			if err := run.Seal(dir, k, time.Now); err != nil {
				t.Fatal(err)
			}
			v := verified(t, dir)
			if !v.Seal.Holds() || v.Exit != 1 || !c.told(v) {
				t.Errorf("exit %d, %+v", v.Exit, v)
			}
		})
	}
}

// No file that everyone may read holds the name of a person, nor the file that he
// gave; a copy for everyone verifies, and says which verdicts rest on what it lacks.
func TestNamesAndEvidenceAreForTheAuthority(t *testing.T) {
	k, err := seal.Generate(nil)
	if err != nil {
		t.Fatal(err)
	}
	dir := sealedRun(t, k)
	if b, err := os.ReadFile(filepath.Join(dir, "persons.json")); err != nil || !bytes.Contains(b, []byte("Odile Renaud")) {
		t.Fatalf("the authority does not learn who: %s %v", b, err)
	}
	to := filepath.Join(t.TempDir(), "public")
	left, err := seal.Copy(dir, to, seal.Everyone, k)
	if err != nil || len(left) != 3 {
		t.Fatal(left, err)
	}
	err = filepath.WalkDir(to, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		for _, name := range []string{"Odile", "Renaud", "a signed paper"} {
			if bytes.Contains(b, []byte(name)) {
				t.Errorf("%s holds %q", path, name)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	v := verified(t, to)
	if v.Exit != 0 || !slices.Equal(v.NotRecomputed, []string{"GOV-09"}) || len(v.Seal.Withheld) != 3 {
		t.Errorf("%+v", v)
	}
}

func changed(b []byte) []byte {
	out := bytes.Clone(b)
	out[len(out)/2] ^= 1
	return out
}

func write(t *testing.T, path string, b []byte) {
	t.Helper()
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
}

func sha(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
