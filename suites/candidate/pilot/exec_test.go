package pilot_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/etalon-sante/etalon/suites/candidate"
	"github.com/etalon-sante/etalon/suites/candidate/pilot"
)

func byCommand(r string, timeout time.Duration, stderr func(candidate.Call, string)) *pilot.Exec {
	return pilot.NewExec(pilot.ExecOptions{
		Command: []string{os.Args[0]}, Environ: append(os.Environ(), role+"="+r), Timeout: timeout, Stderr: stderr,
	})
}

func TestExecPilotSpeaksOverStdinAndStdout(t *testing.T) {
	var heard string
	answer, err := byCommand("good", 10*time.Second, func(c candidate.Call, text string) { heard = string(c.Action) + ":" + text }).Do(t.Context(), call)
	if err != nil || answer.Message != "status p-1 weight" {
		t.Fatalf("%+v %v", answer, err)
	}
	if heard != "status:asked for status\n" {
		t.Errorf("stderr: %q", heard)
	}
}

func TestCommandsThatMisbehaveAreNamed(t *testing.T) {
	for r, c := range map[string]struct {
		timeout time.Duration
		kind    string
		words   []string
	}{
		"hang":    {200 * time.Millisecond, pilot.Timeout, []string{"in time"}},
		"endless": {10 * time.Second, pilot.Body, []string{"stdout"}},
		"exit 3":  {10 * time.Second, pilot.Status, []string{"exit status 3", "no database"}},
		"chatter": {10 * time.Second, pilot.Body, []string{"starting up"}},
		"silent":  {10 * time.Second, pilot.Body, []string{"empty"}},
	} {
		t.Run(r, func(t *testing.T) {
			begin := time.Now()
			_, err := byCommand(r, c.timeout, nil).Do(t.Context(), call)
			mustFail(t, err, c.kind, c.words...)
			if spent := time.Since(begin); spent > 8*time.Second {
				t.Errorf("it took %s", spent)
			}
		})
	}
}

func TestStderrIsBoundedAndItsEndIsKept(t *testing.T) {
	var heard string
	_, err := byCommand("noise", 10*time.Second, func(_ candidate.Call, text string) { heard = text }).Do(t.Context(), call)
	if err != nil {
		t.Fatal(err)
	}
	if len(heard) > 70<<10 || !strings.Contains(heard, "bytes before this") {
		t.Errorf("%d bytes of stderr kept", len(heard))
	}
}

func TestAProcessLeftBehindDelaysNothingAndIsEnded(t *testing.T) {
	begin := time.Now()
	answer, err := byCommand("leaves a child", 10*time.Second, nil).Do(t.Context(), call)
	if err != nil || answer.Status != "done" {
		t.Fatalf("%+v %v", answer, err)
	}
	if spent := time.Since(begin); spent > 5*time.Second {
		t.Errorf("it took %s", spent)
	}
}

func TestCommandsThatCannotBeStarted(t *testing.T) {
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "pilot-without-path"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		command []string
		words   []string
	}{
		"unknown program":    {[]string{"no-such-program-of-etalon"}, []string{"PATH"}},
		"forgotten ./":       {[]string{"pilot-without-path"}, []string{"./pilot-without-path"}},
		"absent path":        {[]string{"./absent"}, []string{"absent"}},
		"not executable":     {[]string{"./pilot-without-path"}, []string{"permission"}},
		"nothing":            {nil, []string{"empty"}},
		"a folder":           {[]string{"./"}, nil},
		"a name with a null": {[]string{"./a\x00b"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := pilot.NewExec(pilot.ExecOptions{Command: c.command, Folder: folder}).Do(t.Context(), call)
			mustFail(t, err, pilot.Start, c.words...)
		})
	}
}

func TestARelativeCommandStartsFromTheFolderOfTheManifest(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the test links to its own binary, for which Windows asks special rights")
	}
	folder := t.TempDir()
	if err := os.Symlink(os.Args[0], filepath.Join(folder, "mine")); err != nil {
		t.Fatal(err)
	}
	p := pilot.NewExec(pilot.ExecOptions{Command: []string{"./mine"}, Folder: folder, Environ: append(os.Environ(), role+"=good")})
	if _, err := p.Do(t.Context(), call); err != nil {
		t.Error(err)
	}
}

func TestCancellingEndsTheCommand(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	timer := time.AfterFunc(100*time.Millisecond, cancel)
	defer timer.Stop()
	_, err := byCommand("hang", time.Minute, nil).Do(ctx, call)
	var fault *candidate.PilotError
	if errors.As(err, &fault) || !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func startAs(t *testing.T, r, address string, seconds int) (*pilot.Process, error) {
	t.Helper()
	p, err := pilot.StartCommand(t.Context(), candidate.Start{
		Command: []string{os.Args[0]}, Ready: "http://" + address + "/", Seconds: seconds,
		Env: map[string]string{role: r, "ADDRESS": address, "GREETING": "hello"},
	}, pilot.StartOptions{})
	if p != nil {
		t.Cleanup(p.Stop)
	}
	return p, err
}

func TestAStartedCandidateIsReadyThenStopped(t *testing.T) {
	address := freeAddress(t)
	p, err := startAs(t, "serve", address, 20)
	if err != nil {
		t.Fatal(err)
	}
	if p.Died() != nil || !strings.Contains(p.Output(), "listening") {
		t.Errorf("died: %v, output %q", p.Died(), p.Output())
	}
	p.Stop()
	p.Stop()
	<-p.Done()
	if c, err := net.Dial("tcp", address); err == nil {
		c.Close()
		t.Error("it still listens")
	}
}

func TestCandidatesThatDoNotStartAreReportedWithTheirLastWords(t *testing.T) {
	for name, c := range map[string]struct {
		role    string
		seconds int
		words   []string
	}{
		"dies at once":     {"dies at once", 20, []string{"exit status 5", "cannot bind the port"}},
		"is never ready":   {"serve 503", 1, []string{"503", "after 1 s", "listening"}},
		"does not listen":  {"hang", 1, []string{"after 1 s"}},
		"ends with a zero": {"silent", 20, []string{"foreground"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := startAs(t, c.role, freeAddress(t), c.seconds)
			mustFail(t, err, pilot.Start, c.words...)
		})
	}
}

func TestACandidateThatDiesHalfWaySaysHow(t *testing.T) {
	address := freeAddress(t)
	p, err := startAs(t, "dies later", address, 20)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	if res, err := client.Get("http://" + address + "/die"); err == nil {
		res.Body.Close()
	}
	<-p.Done()
	mustFail(t, p.Died(), pilot.Start, "exit status 7", "dying")
}

func TestSomethingThatListensAlreadyIsNotTakenForTheCandidate(t *testing.T) {
	address := freeAddress(t)
	if _, err := startAs(t, "serve", address, 20); err != nil {
		t.Fatal(err)
	}
	_, err := startAs(t, "serve", address, 20)
	mustFail(t, err, pilot.Start, "answers at")
}

func TestWaitingForACandidateEndsWithTheContext(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	_, err := pilot.StartCommand(ctx, candidate.Start{
		Command: []string{os.Args[0]}, Ready: "http://" + freeAddress(t) + "/", Env: map[string]string{role: "hang"},
	}, pilot.StartOptions{})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}
