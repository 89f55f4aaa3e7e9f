package run_test

import (
	"crypto/ed25519"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/etalon-sante/etalon/reports"
	"github.com/etalon-sante/etalon/reports/seal"
	"github.com/etalon-sante/etalon/sandbox"
	"github.com/etalon-sante/etalon/suites/run"
	"github.com/etalon-sante/etalon/suites/run/demo"
)

// hosted runs the reference against a sandbox that someone else hosts, and that signs
// with a key of its own.
func hosted(t *testing.T, k seal.Key) (dir string, host ed25519.PublicKey) {
	t.Helper()
	host, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	box, err := sandbox.New(sandbox.Options{SigningKey: private})
	if err != nil {
		t.Fatal(err)
	}
	if err := box.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = box.Close() })
	s, err := demo.Start(t.Context(), demo.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	dir = t.TempDir()
	_, err = run.Run(t.Context(), run.Options{
		Manifest: s.Manifest, Roots: s.Roots, Out: dir, Seed: 1, Phase: "pilot", Key: k,
		Sandbox:   run.SandboxOptions{Where: box.Control().Base, Token: box.Control().Token},
		Selection: run.Selection{Only: []string{"INT-01", "INT-04", "INT-40"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return dir, host
}

func TestAHostedSandboxBearsWitness(t *testing.T) {
	k, err := seal.Generate(nil)
	if err != nil {
		t.Fatal(err)
	}
	dir, _ := hosted(t, k)
	v := verified(t, dir)
	if v.Exit != 0 {
		t.Fatalf("%+v %+v", v, v.Report.Run.Witnessed)
	}
	w := v.Report.Run.Witnessed
	if v.Report.Run.Witness != reports.WitnessHost || w == nil || w.Exchanges < 10 || len(w.Changed)+len(w.Missing)+len(w.Added) != 0 {
		t.Fatalf("witness %q, %+v", v.Report.Run.Witness, w)
	}
	journal := filepath.Join(dir, "journal.jsonl")
	whole, err := os.ReadFile(journal)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(string(whole), "\n")
	served := -1 // the first exchange that the sandbox served
	for i, l := range lines {
		if strings.Contains(l, `"id":"x`) {
			served = i
			break
		}
	}
	without := strings.Join(append(append([]string{}, lines[:served]...), lines[served+1:]...), "")
	for name, c := range map[string]struct {
		journal string
		told    func(*reports.Witnessed) bool
	}{
		"an exchange taken out": {without, func(w *reports.Witnessed) bool { return len(w.Missing) == 1 }},
		"an exchange altered":   {strings.Replace(string(whole), `"status":200`, `"status":201`, 1), func(w *reports.Witnessed) bool { return len(w.Changed) == 1 }},
		"an exchange made up":   {string(whole) + strings.Replace(lines[served], `"id":"x`, `"id":"x9`, 1), func(w *reports.Witnessed) bool { return len(w.Added) == 1 }},
	} {
		t.Run(name, func(t *testing.T) {
			write(t, journal, []byte(c.journal))
			if _, err := run.Publish(dir, "fr", k, time.Now); err != nil { // whoever has the key writes and seals it all again
				t.Fatal(err)
			}
			v := verified(t, dir)
			if !v.Seal.Holds() || v.Exit != 1 || v.Report.Run.Witnessed == nil || !c.told(v.Report.Run.Witnessed) {
				t.Errorf("exit %d, %+v", v.Exit, v.Report.Run.Witnessed)
			}
		})
	}
	write(t, journal, whole)
}

// The testimony of another run is not taken for this one's, and one that was
// changed is none.
func TestTheTestimonyOfAnotherRunIsRefused(t *testing.T) {
	one, _ := hosted(t, seal.Key{})
	other, _ := hosted(t, seal.Key{})
	path := filepath.Join(one, "testimony.json")
	own, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	foreign, err := os.ReadFile(filepath.Join(other, "testimony.json"))
	if err != nil {
		t.Fatal(err)
	}
	write(t, path, foreign)
	if _, err := run.JudgeFolder(one); err == nil || !strings.Contains(err.Error(), "another run") {
		t.Errorf("the testimony of another run: %v", err)
	}
	var file map[string]any
	if err := json.Unmarshal(own, &file); err != nil {
		t.Fatal(err)
	}
	first := file["testimonies"].([]any)[0].(map[string]any)
	envelope := first["envelope"].(string)
	for _, i := range []int{20, len(envelope) / 2, len(envelope) - 10} {
		b := []byte(envelope)
		b[i] ^= 1
		first["envelope"] = string(b)
		raw, err := json.Marshal(file)
		if err != nil {
			t.Fatal(err)
		}
		write(t, path, raw)
		if _, err := run.JudgeFolder(one); err == nil {
			t.Errorf("byte %d of the testimony may change", i)
		}
	}
}

// A whole run: nothing that a hosted sandbox signed needs to be redacted further.
func TestAWholeHostedRunIsWitnessed(t *testing.T) {
	if testing.Short() {
		t.Skip("it plays every scenario")
	}
	_, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	box, err := sandbox.New(sandbox.Options{SigningKey: private})
	if err != nil {
		t.Fatal(err)
	}
	if err := box.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = box.Close() })
	s, err := demo.Start(t.Context(), demo.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	out, err := run.Run(t.Context(), run.Options{
		Manifest: s.Manifest, Roots: s.Roots, Out: t.TempDir(), Seed: 1, Phase: "pilot",
		Sandbox: run.SandboxOptions{Where: box.Control().Base, Token: box.Control().Token},
	})
	if err != nil {
		t.Fatal(err)
	}
	w := out.Report.Run.Witnessed
	if w == nil || w.Exchanges < 500 || len(w.Changed)+len(w.Missing)+len(w.Added) > 0 || out.Report.Run.Witness != reports.WitnessHost {
		t.Errorf("%q %+v", out.Report.Run.Witness, w)
	}
}
