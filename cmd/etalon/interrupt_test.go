//go:build unix

package main

import (
	"bufio"
	"bytes"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/etalon-sante/etalon/reports"
	"github.com/etalon-sante/etalon/suites/run"
)

// until waits for a condition, looking often.
func until(t *testing.T, what string, limit time.Duration, holds func() bool) {
	t.Helper()
	deadline := time.After(limit)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-deadline:
			t.Fatalf("%s: not within %s", what, limit)
		case <-tick.C:
		}
	}
}

// begun starts a command and returns how it ends, and what it prints.
func begun(t *testing.T, cmd *exec.Cmd) (ended <-chan error, output *bytes.Buffer) {
	t.Helper()
	output = &bytes.Buffer{}
	cmd.Stdout, cmd.Stderr = output, output
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	return done, output
}

// endsWith waits for the end of a command.
func endsWith(t *testing.T, ended <-chan error, limit time.Duration, output *bytes.Buffer, code string) {
	t.Helper()
	select {
	case err := <-ended:
		if got := exited(err); got != code {
			t.Fatalf("it ended with %s, not %s:\n%s", got, code, output)
		}
	case <-time.After(limit):
		t.Fatalf("it had not ended after %s", limit)
	}
}

// recorded says whether the journal of a folder holds an ended scenario.
func recorded(folder string) func() bool {
	return func() bool {
		b, err := os.ReadFile(filepath.Join(folder, "journal.jsonl"))
		return err == nil && bytes.Contains(b, []byte(`"kind":"end"`))
	}
}

func readReport(t *testing.T, folder string) reports.Report {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(folder, "report.json"))
	if err != nil {
		t.Fatal(err)
	}
	r, err := reports.Read(b)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func says(r reports.Report, part string) bool {
	for _, n := range r.Notes {
		if strings.Contains(n.Text.EN, part) {
			return true
		}
	}
	return false
}

func TestCtrlCLeavesAReadableReportAndNoProcess(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	pilot, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	site, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	// The candidate is started by the run itself: the reference, as a program.
	// Long quiet windows leave time to interrupt.
	ref := startCandidate(t, dir,
		"pilot.url=http://127.0.0.1:"+pilot+"/pilot", "timing.quiet=20s", "concurrency=2",
		"web.production=https://127.0.0.1:"+site, "web.site=https://127.0.0.1:"+site,
		"start={command: [etalon, reference, --pilot, '127.0.0.1:"+pilot+"', --site, '127.0.0.1:"+site+"', --ca, ca.pem], ready: 'http://127.0.0.1:"+pilot+"/'}",
	)
	ref.Close() // only its manifest was wanted
	cmd := etalonCommand(t, dir, "run", "--theme", "interop")
	cmd.Env = append(cmd.Env, "ETALON_PILOT_TOKEN="+pilotToken, "SSL_CERT_FILE="+filepath.Join(dir, "ca.pem"))
	ended, output := begun(t, cmd)
	folder := filepath.Join(dir, "report")
	until(t, "a scenario has ended", 30*time.Second, recorded(folder))
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	endsWith(t, ended, 15*time.Second, output, "4")

	r := readReport(t, folder)
	if !r.Run.Interrupted || r.ExitCode != 4 || !says(r, "this report is incomplete") {
		t.Errorf("interrupted %t, exit %d, notes %+v", r.Run.Interrupted, r.ExitCode, r.Notes)
	}
	if len(r.With(reports.Conformant)) == 0 || len(r.With(reports.Untested)) == 0 {
		t.Errorf("the report does not tell what was played from what was not: %v", r.Summary)
	}
	for _, page := range []string{"index.html", "index.en.html", "junit.xml", "summary.md"} {
		if _, err := os.Stat(filepath.Join(folder, page)); err != nil {
			t.Error(err)
		}
	}
	again, err := run.JudgeFolder(folder)
	if err != nil || again.ExitCode != 4 || !again.Run.Interrupted {
		t.Errorf("judged again: exit %d, %v", again.ExitCode, err)
	}
	if c, err := net.Dial("tcp", "127.0.0.1:"+pilot); err == nil {
		c.Close()
		t.Error("the candidate that the run had started is still there")
	}
}

func TestCtrlCBeforeAnythingIsObservedSaysSo(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	port, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	marker := filepath.Join(dir, "started")
	ref := startCandidate(t, dir, "pilot.url=http://127.0.0.1:"+port+"/pilot",
		"start={command: [sh, -c, 'touch started; exec sleep 60'], ready: 'http://127.0.0.1:"+port+"/'}")
	ref.Close()
	cmd := etalonCommand(t, dir, "run")
	cmd.Env = append(cmd.Env, "ETALON_PILOT_TOKEN="+pilotToken)
	ended, output := begun(t, cmd)
	until(t, "the candidate is being started", 20*time.Second, func() bool { _, err := os.Stat(marker); return err == nil })
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	endsWith(t, ended, 10*time.Second, output, "4")
	if !strings.Contains(output.String(), "interrupted before anything was observed") {
		t.Errorf("it said: %s", output)
	}
}

func TestASecondCtrlCEndsAtOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	startCandidate(t, dir, "timing.quiet=20s")
	// A sandbox that stops answering holds the end of the run back: it is asked
	// for the names of secrets, without which nothing may be written.
	remote := startRemote(t)
	cmd := etalonCommand(t, dir, "run", "--theme", "interop", "--sandbox", remote.url, "--sandbox-token", remote.token)
	cmd.Env = append(cmd.Env, "ETALON_PILOT_TOKEN="+pilotToken, "SSL_CERT_FILE="+filepath.Join(dir, "ca.pem"))
	ended, output := begun(t, cmd)
	until(t, "a scenario has ended", 30*time.Second, recorded(filepath.Join(dir, "report")))
	remote.stall()
	remote.settled(t)
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	// The first has been heard once the sandbox is asked anew: two signals at the
	// same instant may reach a process as one.
	until(t, "the sandbox is asked", 10*time.Second, remote.asked)
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	endsWith(t, ended, 2*time.Second, output, "5")
}

func TestASecondCtrlCLeavesNoProcess(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	port, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	// A candidate that does not end when asked: the run waits for it, a second
	// Ctrl-C does not.
	ref := startCandidate(t, dir, "pilot.url=http://127.0.0.1:"+port+"/pilot", "timing.quiet=20s",
		"start={command: [sh, -c, \"trap '' TERM; etalon reference --pilot 127.0.0.1:"+port+" & echo $$ >group; while :; do wait; done\"], ready: 'http://127.0.0.1:"+port+"/'}")
	ref.Close()
	group := func() int {
		b, err := os.ReadFile(filepath.Join(dir, "group"))
		if err != nil {
			return 0
		}
		id, _ := strconv.Atoi(strings.TrimSpace(string(b)))
		return id
	}
	t.Cleanup(func() {
		if id := group(); id > 1 {
			_ = syscall.Kill(-id, syscall.SIGKILL)
		}
	})
	cmd := etalonCommand(t, dir, "run", "--theme", "interop")
	cmd.Env = append(cmd.Env, "ETALON_PILOT_TOKEN="+pilotToken)
	ended, output := begun(t, cmd)
	until(t, "a scenario has ended", 30*time.Second, recorded(filepath.Join(dir, "report")))
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	until(t, "the report is written", 10*time.Second, func() bool {
		_, err := os.Stat(filepath.Join(dir, "report", "summary.md"))
		return err == nil
	})
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	endsWith(t, ended, 2*time.Second, output, "5")
	id := group()
	if id <= 1 {
		t.Fatal("the candidate had not been started")
	}
	until(t, "the candidate is gone", 5*time.Second, func() bool { return errors.Is(syscall.Kill(-id, 0), syscall.ESRCH) })
}

// TestAnInterruptedSandboxEndsQuietly: `sandbox serve` is ended by Ctrl-C in the
// normal course of things.
func TestAnInterruptedSandboxEndsQuietly(t *testing.T) {
	t.Parallel()
	cmd := etalonCommand(t, t.TempDir(), "sandbox", "serve", "--listen", "127.0.0.1:0", "--control", "127.0.0.1:0")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	lines := bufio.NewScanner(out)
	for lines.Scan() && !strings.HasPrefix(lines.Text(), "token") {
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if got := exited(cmd.Wait()); got != "0" {
		t.Errorf("it ended with %s", got)
	}
}
