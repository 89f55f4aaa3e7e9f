package run_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/etalon-sante/etalon/reports"
	"github.com/etalon-sante/etalon/sandbox/record"
	"github.com/etalon-sante/etalon/suites/lab"
	"github.com/etalon-sante/etalon/suites/run"
	"github.com/etalon-sante/etalon/suites/run/demo"
)

// stopped is a run of the reference, interrupted once some scenarios have ended.
func stopped(t *testing.T, after int, only ...string) run.Options {
	t.Helper()
	s := started(t, demo.Options{})
	m := *s.Manifest
	m.Candidate.Concurrency = 1
	o := run.Options{Manifest: &m, Out: filepath.Join(t.TempDir(), "report"), Lang: "en", Seed: 1, Phase: "pilot", Roots: s.Roots, Selection: run.Selection{Only: only}}
	if after < 0 {
		return o
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	o.Progress = func(p lab.Progress) {
		if p.State == "start" && p.Done == after {
			stop()
		}
	}
	out, err := run.Run(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	if out.Report.ExitCode != reports.ExitInconclusive || !out.Report.Run.Interrupted {
		t.Fatalf("exit code %d, interrupted %t", out.Report.ExitCode, out.Report.Run.Interrupted)
	}
	o.Progress = nil
	return o
}

func journalOf(t *testing.T, folder string) []byte {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(folder, "journal.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func recordsOf(t *testing.T, folder string) []record.Record {
	t.Helper()
	rec, err := run.ReadFolder(folder)
	if err != nil {
		t.Fatal(err)
	}
	return rec.Records
}

// consistent checks what a journal of several sittings must not lose: order, and
// that no number and no name stands for two things.
func consistent(t *testing.T, folder string, kept []byte) {
	t.Helper()
	raw := journalOf(t, folder)
	if !bytes.HasPrefix(raw, kept) {
		t.Error("what had ended is not as it was")
	}
	last, ids := 0, map[string]bool{}
	for _, r := range recordsOf(t, folder) {
		if r.Seq <= last {
			t.Errorf("record %d follows record %d", r.Seq, last)
		}
		last = r.Seq
		if r.Exchange != nil {
			if ids[r.Exchange.ID] {
				t.Errorf("exchange %s twice", r.Exchange.ID)
			}
			ids[r.Exchange.ID] = true
		}
	}
	names := regexp.MustCompile(`«[a-z-]*token-[0-9]+»`)
	before := map[string]bool{}
	for _, n := range names.FindAll(kept, -1) {
		before[string(n)] = true
	}
	if len(before) == 0 {
		t.Error("the first sitting named no token")
	}
	for _, n := range names.FindAll(raw[len(kept):], -1) {
		if before[string(n)] {
			t.Errorf("%s stands for two values", n)
		}
	}
}

// keptOf is the part of a journal that belongs to scenarios that have ended.
func keptOf(t *testing.T, folder string) []byte {
	t.Helper()
	ended := map[string]bool{"": true}
	for _, r := range recordsOf(t, folder) {
		if r.Mark != nil && r.Mark.Kind == "end" && strings.Contains(string(r.Mark.Data), `"outcome":"done"`) {
			ended[r.Scenario] = true
		}
	}
	var out []byte
	for _, line := range bytes.SplitAfter(journalOf(t, folder), []byte("\n")) {
		var r record.Record
		if json.Unmarshal(line, &r) == nil && ended[r.Scenario] {
			out = append(out, line...)
		}
	}
	return out
}

func TestARunThatWasInterruptedGoesOnAndComesToTheSameVerdicts(t *testing.T) {
	only := []string{"INT-01", "INT-04", "INT-12", "INT-20", "INT-44"}
	whole, err := run.Run(t.Context(), stopped(t, -1, only...))
	if err != nil {
		t.Fatal(err)
	}
	for name, after := range map[string]int{"before anything had ended": 0, "half way": 3} {
		t.Run(name, func(t *testing.T) {
			o := stopped(t, after, only...)
			kept := keptOf(t, o.Out)
			o.Resume = true
			played := 0
			o.Progress = func(p lab.Progress) {
				if p.State == "end" {
					played++
				}
			}
			out, err := run.Run(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			for id, want := range verdicts(whole.Report) {
				if got := verdicts(out.Report)[id]; got != want {
					t.Errorf("%s is %s, without an interruption %s", id, got, want)
				}
			}
			if out.Report.Run.Interrupted || out.Report.ExitCode != 0 {
				t.Errorf("interrupted %t, exit code %d", out.Report.Run.Interrupted, out.Report.ExitCode)
			}
			rec, err := run.ReadFolder(o.Out)
			if err != nil {
				t.Fatal(err)
			}
			if played != len(rec.Info.Scenarios)-after {
				t.Errorf("%d scenarios played of %d, %d had ended", played, len(rec.Info.Scenarios), after)
			}
			if len(rec.Info.TakenUp) != 1 {
				t.Errorf("taken up %d times", len(rec.Info.TakenUp))
			}
			if after > 0 {
				consistent(t, o.Out, kept)
			}
			o.Resume = true
			if _, err := run.Run(t.Context(), o); err == nil {
				t.Error("a run that is complete went on")
			}
		})
	}
}

func TestARunThatDiedGoesOn(t *testing.T) {
	o := stopped(t, 2, "INT-01", "INT-04", "INT-20")
	kept := keptOf(t, o.Out)
	// As a process leaves it that was killed: still observing, the last line cut.
	path := filepath.Join(o.Out, "run.json")
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	raw = bytes.Replace(raw, []byte(`"state": "interrupted"`), []byte(`"state": "observing"`), 1)
	journal := append(journalOf(t, o.Out), []byte(`{"seq":9000,"at":"2026-`)...)
	if err := errors.Join(os.WriteFile(path, raw, 0o600), os.WriteFile(filepath.Join(o.Out, "journal.jsonl"), journal, 0o600)); err != nil {
		t.Fatal(err)
	}
	o.Resume = true
	out, err := run.Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if out.Report.ExitCode != 0 {
		t.Errorf("exit code %d", out.Report.ExitCode)
	}
	consistent(t, o.Out, kept)
}

func TestAnotherRunIsNotTakenForTheOneThatStopped(t *testing.T) {
	o := stopped(t, 1, "INT-01", "INT-20")
	o.Resume = true
	before := journalOf(t, o.Out)
	for name, c := range map[string]struct {
		change func(*run.Options)
		fr, en string
	}{
		"another seed":       {func(o *run.Options) { o.Seed = 2 }, "la graine était 1", "the seed was 1"},
		"another selection":  {func(o *run.Options) { o.Selection.Only = []string{"INT-01"} }, "la sélection", "the selection"},
		"another phase":      {func(o *run.Options) { o.Phase = "generalisation" }, "--phase", "--phase"},
		"stricter":           {func(o *run.Options) { o.Strict = true }, "--strict", "--strict"},
		"another manifest":   {func(o *run.Options) { m := *o.Manifest; m.Raw = append([]byte("# \n"), m.Raw...); o.Manifest = &m }, "le manifeste a changé", "the manifest has changed"},
		"nothing was stored": {func(o *run.Options) { o.Out = t.TempDir() }, "rien à reprendre", "nothing to go on with"},
	} {
		t.Run(name, func(t *testing.T) {
			o := o
			c.change(&o)
			_, err := run.Run(t.Context(), o)
			var refused *run.ResumeError
			if !errors.As(err, &refused) || !strings.Contains(refused.In("fr"), c.fr) || !strings.Contains(refused.In("en"), c.en) {
				t.Fatalf("got %v", err)
			}
		})
	}
	if !bytes.Equal(before, journalOf(t, o.Out)) {
		t.Error("a refusal changed the journal")
	}
}

func TestAPersonStopsForTodayAndGoesOnTomorrow(t *testing.T) {
	s := started(t, demo.Options{})
	p, manual := sits(t, s)
	p.stopAt = "feed a measure"
	o := run.Options{
		Manifest: byHand(s), Out: filepath.Join(t.TempDir(), "report"), Lang: "en", Seed: 1, Phase: "pilot", Roots: s.Roots,
		Selection: run.Selection{Only: []string{"INT-01", "INT-20"}}, Manual: manual,
	}
	out, err := run.Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if out.Report.ExitCode != reports.ExitInconclusive || !out.Report.Run.Interrupted {
		t.Fatalf("exit code %d, interrupted %t", out.Report.ExitCode, out.Report.Run.Interrupted)
	}
	kept := keptOf(t, o.Out)
	if !bytes.Contains(kept, []byte(`"pairing-nominal"`)) || bytes.Contains(kept, []byte(`"feed-weight"`)) {
		t.Fatal("kept what had not ended, or the contrary")
	}

	tomorrow, manual := sits(t, s)
	o.Manual, o.Resume = manual, true
	if out, err = run.Run(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	if out.Report.ExitCode != 0 || out.Report.Run.Interrupted {
		t.Errorf("exit code %d, interrupted %t\n%s", out.Report.ExitCode, out.Report.Run.Interrupted, tomorrow.screen())
	}
	consistent(t, o.Out, kept)
	// Accounts 1 and 2 of the service served the day before.
	if strings.Contains(tomorrow.screen(), "no. 1\n") || strings.Contains(tomorrow.screen(), "no. 2\n") || !strings.Contains(tomorrow.screen(), "no. 3\n") {
		t.Errorf("accounts are used twice:\n%s", tomorrow.screen())
	}
}
