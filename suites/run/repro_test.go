package run_test

import (
	"context"
	"errors"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/etalon-sante/etalon/fixtures/flaws"
	"github.com/etalon-sante/etalon/fixtures/reference"
	"github.com/etalon-sante/etalon/reports"
	"github.com/etalon-sante/etalon/suites/probe/browser"
	"github.com/etalon-sante/etalon/suites/run"
	"github.com/etalon-sante/etalon/suites/run/demo"
)

var everyRepro = flag.Bool("every-repro", false, "show the failure of every flaw again, not of the chosen ones only")

// For each flaw, its check is played alone and the failure stands: the command that
// is given can be typed, or it is said why there is none.
func TestTheFailureOfAFlawIsShownAgain(t *testing.T) {
	if testing.Short() {
		t.Skip("a session for each flaw: run without -short")
	}
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("no curl is installed: the commands of repro were not typed")
	}
	chosen := []string{"token-in-the-address", "nonce-short", "page-of-a-thousand", "calls-after-withdrawal", "state-not-compared", "refusal-not-read", "certificate-expired", "domain-not-signed", "secondary-use"}
	for _, f := range flaws.All() {
		if !slices.Contains(chosen, f.ID) && !*everyRepro || f.Variant != "" {
			continue
		}
		t.Run(f.ID, func(t *testing.T) {
			parts := reference.DefaultParts()
			f.Apply(&parts)
			s := started(t, demo.Options{Parts: parts})
			dir := t.TempDir()
			ca := filepath.Join(dir, "ca.pem")
			if err := os.WriteFile(ca, s.Reference.CA(), 0o600); err != nil {
				t.Fatal(err)
			}
			var got *run.Shown
			var typed string
			_, check, err := run.Repro(t.Context(), run.ReproOptions{
				Options: run.Options{Manifest: s.Manifest, Out: filepath.Join(dir, "repro"), Lang: "en", Seed: 1, Phase: "pilot", Roots: s.Roots, Resolver: s.Resolver, CDASchema: run.OwnSchema, Browser: browser.Options{Program: browser.Off}},
				Check:   f.Check, CAFile: ca,
				Show: func(ctx context.Context, shown run.Shown) error {
					got = &shown
					if shown.Command == "" {
						return nil
					}
					limit, cancel := context.WithTimeout(ctx, 60*time.Second)
					defer cancel()
					cmd := exec.CommandContext(limit, "sh", "-c", shown.Command)
					cmd.Env = append(os.Environ(), "ETALON_PILOT_TOKEN=jeton-du-pilote-de-demonstration")
					for _, x := range shown.Exports {
						cmd.Env = append(cmd.Env, x.Name+"="+x.Value)
					}
					cmd.WaitDelay = time.Second
					if tool, _, _ := strings.Cut(shown.Command, " "); tool != "curl" {
						return nil // a tool that may not be there
					}
					out, err := cmd.CombinedOutput()
					var ended *exec.ExitError
					if errors.As(err, &ended) && ended.ExitCode() == 28 {
						return nil // the service hangs: that is the failure
					}
					if typed = string(out); err != nil {
						t.Errorf("%v\n%s\n%s", err, shown.Command, out)
					}
					return nil
				},
			})
			if err != nil {
				t.Fatal(err)
			}
			if check.Verdict != reports.Nonconformant && check.Verdict != reports.Deviation {
				t.Skipf("played alone and without a browser, %s is %s: %s", f.Check, check.Verdict, check.Reason.EN)
			}
			if got == nil {
				t.Fatal("nothing was shown")
			}
			switch {
			case got.Command == "" && len(got.Doubts)+len(got.Needs) == 0:
				t.Error("there is no command, and it is not said why")
			case regexp.MustCompile(`«[a-z-]+-[0-9]+»`).MatchString(got.Command):
				t.Errorf("a name stands where a value has to: %s", got.Command)
			case regexp.MustCompile(`jeton-du-pilote`).MatchString(got.Command):
				t.Errorf("a secret stands in the command: %s", got.Command)
			case strings.Contains(typed, `"error"`) && strings.Contains(got.Command, "/actions/"):
				t.Errorf("the pilot did not understand: %s\n%s", got.Command, typed)
			}
			kind := "none"
			switch {
			case strings.HasPrefix(got.Command, "curl -sS -i -b ''"):
				if kind = "link"; !strings.Contains(typed, "HTTP/") {
					t.Errorf("the link was not opened: %s\n%s", got.Command, typed)
				}
			case strings.Contains(got.Command, "/actions/"):
				kind = "pilot"
			case strings.HasPrefix(got.Command, "curl"):
				kind = "request"
			case got.Command != "":
				kind = "look"
				t.Log(got.Command)
			}
			t.Logf("command: %s, step %d of %d, %d doubts", kind, got.Shown+1, len(got.Steps), len(got.Doubts))
		})
	}
}
