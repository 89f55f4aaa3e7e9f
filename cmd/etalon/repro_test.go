//go:build unix

package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// said is what a command prints, read while it prints.
type said struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *said) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *said) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// The command that repro prints is typed into a shell: the sandbox sees the same
// wrong thing once more.
func TestTheCommandThatReproPrintsShowsTheFailureAgain(t *testing.T) {
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("no curl is installed: the command that repro prints was not typed")
	}
	for check, again := range map[string]string{
		"INT-09.1": `feed-measure  POST .*access_token=`,                  // a secret in a URL
		"INT-46.1": `(?s)feed-measure  POST .* → 429.*feed-measure  POST`, // too early: the fault was armed anew
		"INT-04.3": "",                                                    // a callback, whose code serves once: that is said
		"INT-20.1": "",                                                    // said to be done, and nothing comes
	} {
		t.Run(check, func(t *testing.T) {
			dir := t.TempDir()
			startCandidate(t, dir, "flaw="+check)
			cmd := etalonCommand(t, dir, "repro", check, "--lang", "en", "--browser", "off")
			cmd.Env = append(cmd.Env, "ETALON_PILOT_TOKEN="+pilotToken, "SSL_CERT_FILE="+filepath.Join(dir, "ca.pem"))
			out := &said{}
			cmd.Stdout, cmd.Stderr = out, out
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			ended := make(chan error, 1)
			go func() { ended <- cmd.Wait() }()
			t.Cleanup(func() { _ = cmd.Process.Kill() })
			until(t, "the failure is shown", 60*time.Second, func() bool { return strings.Contains(out.String(), "Ctrl-C to end") })
			typed := regexp.MustCompile(`(?m)^  ((?:export ETALON_|curl ).*)$`).FindAllStringSubmatch(out.String(), -1)
			if len(typed) == 0 {
				t.Fatal("no command is printed")
			}
			script := ""
			for _, line := range typed {
				script += line[1] + "\n"
			}
			sh := exec.CommandContext(t.Context(), "sh", "-c", script)
			sh.Env = append(os.Environ(), "ETALON_PILOT_TOKEN="+pilotToken, "SSL_CERT_FILE="+filepath.Join(dir, "ca.pem"))
			if got, err := sh.CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s\n%s", err, script, got)
			}
			seen := func() bool {
				_, after, _ := strings.Cut(out.String(), "Ctrl-C to end")
				return regexp.MustCompile(again).MatchString(after)
			}
			if check == "INT-04.3" && !strings.Contains(out.String(), "values that serve once") {
				t.Error("it is not said that the code serves once")
			}
			if again != "" {
				until(t, "the sandbox sees it again", 10*time.Second, seen)
			}
			_ = cmd.Process.Signal(os.Interrupt)
			select {
			case err := <-ended:
				if exited(err) != "1" {
					t.Errorf("it ended with %s", exited(err))
				}
			case <-time.After(20 * time.Second):
				t.Error("it does not end")
			}
		})
	}
}
