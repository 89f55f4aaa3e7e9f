//go:build unix

package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/etalon-sante/etalon/reports/repeat"
)

// Stopped in its second run, a repetition says what it saw so far, and that this is
// not all: the run that was stopped counts for nothing.
func TestARepetitionThatIsStoppedSaysWhatItSaw(t *testing.T) {
	dir := t.TempDir()
	startCandidate(t, dir, "timing.quiet=3s")
	cmd := etalonCommand(t, dir, "run", "--repeat", "5", "--only", "INT-21,GOV-01", "--browser", "off", "--out", "all")
	cmd.Env = append(cmd.Env, "ETALON_PILOT_TOKEN="+pilotToken, "SSL_CERT_FILE="+filepath.Join(dir, "ca.pem"))
	ended, output := begun(t, cmd)
	all := filepath.Join(dir, "all")
	until(t, "the second run has begun", 60*time.Second, func() bool {
		_, err := os.Stat(filepath.Join(all, "run-2", "journal.jsonl"))
		return err == nil
	})
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	endsWith(t, ended, 20*time.Second, output, "4")
	raw, err := os.ReadFile(filepath.Join(all, repeat.FileJSON))
	if err != nil {
		t.Fatal(err)
	}
	var got repeat.Repetition
	if err := json.Unmarshal(raw, &got); err != nil {
		t.Fatal(err)
	}
	if got.Asked != 5 || got.Counted != 1 || len(got.Runs) != 2 || got.Runs[1].Counted || got.ExitCode != 4 {
		t.Errorf("%+v", got)
	}
	if r := readReport(t, filepath.Join(all, "run-1")); r.Run.Interrupted {
		t.Error("the first run is said to be interrupted")
	}
	if _, err := os.Stat(filepath.Join(all, "run-3")); err == nil {
		t.Error("a third run was begun")
	}
}
