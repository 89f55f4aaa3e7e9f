//go:build unix

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// What a reader of docs/living copies does what the page says, in its order.
func TestTheCommandsOfTheGuideToResultsWork(t *testing.T) {
	if testing.Short() {
		t.Skip("about ten seconds: the commands of docs/living are run without -short")
	}
	for _, page := range []string{"../../docs/living.md", "../../docs/living.en.md"} {
		t.Run(filepath.Base(page), func(t *testing.T) {
			text, err := os.ReadFile(page)
			if err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			startCandidate(t, dir, "flaw=INT-09.1")
			list := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindSubmatch(text)
			if list == nil {
				t.Fatal("no list of known nonconformities is shown")
			}
			// The page names a day; the test is to hold after it too.
			known := regexp.MustCompile(`deadline: \S+`).ReplaceAll(list[1], []byte("deadline: "+time.Now().AddDate(0, 1, 0).Format(time.DateOnly)))
			if err := os.WriteFile(filepath.Join(dir, "known.yaml"), known, 0o644); err != nil {
				t.Fatal(err)
			}
			cmdEnv := []string{"ETALON_PILOT_TOKEN=" + pilotToken, "SSL_CERT_FILE=" + filepath.Join(dir, "ca.pem")}
			if tried := typed(t, string(text), dir, cmdEnv...); tried < 10 {
				t.Errorf("%d commands were tried", tried)
			}
		})
	}
}

// The page about trust too; each in a folder of configuration of its own.
func TestTheCommandsOfTheGuideToTrustWork(t *testing.T) {
	if testing.Short() {
		t.Skip("about ten seconds: the commands of docs/trust are run without -short")
	}
	for _, page := range []string{"../../docs/trust.md", "../../docs/trust.en.md"} {
		t.Run(filepath.Base(page), func(t *testing.T) {
			text, err := os.ReadFile(page)
			if err != nil {
				t.Fatal(err)
			}
			if tried := typed(t, string(text), t.TempDir(), "XDG_CONFIG_HOME="+t.TempDir()); tried < 9 {
				t.Errorf("%d commands were tried", tried)
			}
		})
	}
}

// typed runs the commands of étalon that stand in a page, each with the exit code
// that is written behind it, and counts them.
func typed(t *testing.T, page, dir string, env ...string) (tried int) {
	t.Helper()
	return heard(t, page, dir, func(string, string) {}, env...)
}

// heard is typed, and tells what each command printed.
func heard(t *testing.T, page, dir string, tell func(command, printed string), env ...string) (tried int) {
	t.Helper()
	for _, block := range regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(page, -1) {
		for _, line := range strings.Split(strings.TrimSpace(block[1]), "\n") {
			command, ends, ok := strings.Cut(line, "#")
			words := strings.Fields(command)
			if !ok || len(words) < 2 || words[0] != "etalon" {
				t.Fatalf("the line %q is no command of étalon with its exit code", line)
			}
			cmd := etalonCommand(t, dir, words[1:]...)
			cmd.Env = append(cmd.Env, env...)
			if strings.Contains(ends, "Ctrl-C") {
				held(t, cmd)
			} else if out, err := cmd.CombinedOutput(); exited(err) != strings.TrimSpace(ends) {
				t.Fatalf("%s\nended with %s:\n%s", line, exited(err), out)
			} else {
				tell(strings.TrimSpace(command), string(out))
			}
			tried++
		}
	}
	return tried
}

// held waits until a command holds the sandbox, then stops it.
func held(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	out := &said{}
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	until(t, "the sandbox is held", 60*time.Second, func() bool {
		return strings.Contains(out.String(), "Ctrl-C")
	})
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-ended:
		if exited(err) != "1" {
			t.Errorf("it ended with %s:\n%s", exited(err), out)
		}
	case <-time.After(20 * time.Second):
		t.Error("it does not end")
	}
}
