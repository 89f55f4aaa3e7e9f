package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/etalon-sante/etalon/sandbox"
	"github.com/etalon-sante/etalon/suites/run"
)

// remote is a sandbox reached through a proxy that can fail.
type remote struct {
	url, token string
	state      atomic.Int32 // answering, dead, stalled
	after      atomic.Int32 // calls since the failure
	latest     atomic.Int64 // when the last of them came, in nanoseconds
}

const (
	answering = iota
	dead
	stalled
)

func (r *remote) die()        { r.state.Store(dead) }
func (r *remote) stall()      { r.state.Store(stalled) }
func (r *remote) asked() bool { return r.after.Load() > 0 }

// settled waits until every scenario is held by a call that is not answered: what
// is asked from then on was not under way before.
func (r *remote) settled(t *testing.T) {
	t.Helper()
	r.latest.Store(time.Now().UnixNano())
	until(t, "the sandbox is left alone", 20*time.Second, func() bool {
		return time.Since(time.Unix(0, r.latest.Load())) > time.Second
	})
	r.after.Store(0)
}

func startRemote(t *testing.T) *remote {
	t.Helper()
	s, err := sandbox.New(sandbox.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(context.WithoutCancel(t.Context())); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	api := s.Control()
	target, err := url.Parse(api.Base)
	if err != nil {
		t.Fatal(err)
	}
	r := &remote{token: api.Token}
	through := httputil.NewSingleHostReverseProxy(target)
	closing := make(chan struct{})
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		switch r.state.Load() {
		case dead:
			r.after.Add(1)
			if c, _, err := http.NewResponseController(w).Hijack(); err == nil {
				_ = c.Close()
			}
		case stalled:
			if !strings.HasSuffix(q.URL.Path, "/journal") || q.URL.Query().Get("wait") == "0" {
				r.after.Add(1)
				r.latest.Store(time.Now().UnixNano())
			}
			select {
			case <-q.Context().Done():
			case <-closing:
			}
		default:
			through.ServeHTTP(w, q)
		}
	}))
	t.Cleanup(func() { close(closing); proxy.CloseClientConnections(); proxy.Close() })
	r.url = proxy.URL
	return r
}

func TestASandboxThatDiesIsAnErrorOfTheHarness(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	startCandidate(t, dir, "concurrency=1", "timing.action=2s", "timing.effect=1s")
	remote := startRemote(t)
	cmd := etalonCommand(t, dir, "run", "--theme", "interop", "--sandbox", remote.url, "--sandbox-token", remote.token)
	cmd.Env = append(cmd.Env, "ETALON_PILOT_TOKEN="+pilotToken, "SSL_CERT_FILE="+filepath.Join(dir, "ca.pem"))
	ended, output := begun(t, cmd)
	folder := filepath.Join(dir, "report")
	until(t, "a scenario has ended", 30*time.Second, recorded(folder))
	remote.die()
	endsWith(t, ended, 60*time.Second, output, "5")
	r := readReport(t, folder)
	if r.ExitCode != 5 || !says(r, "the harness stopped") {
		t.Errorf("exit %d, notes %+v", r.ExitCode, r.Notes)
	}
	again, err := run.JudgeFolder(folder)
	if err != nil || again.ExitCode != 5 {
		t.Errorf("judged again: exit %d, %v", again.ExitCode, err)
	}
}

func TestAFullDiskIsAnErrorAndKeepsWhatWasRecorded(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	disk := smallDisk(t, filepath.Join(dir, "disk"), 300<<10)
	startCandidate(t, dir)
	folder := filepath.Join(disk, "report")
	cmd := etalonCommand(t, dir, "run", "--out", folder)
	cmd.Env = append(cmd.Env, "ETALON_PILOT_TOKEN="+pilotToken, "SSL_CERT_FILE="+filepath.Join(dir, "ca.pem"))
	ended, output := begun(t, cmd)
	endsWith(t, ended, 60*time.Second, output, "5")
	if !strings.Contains(output.String(), "no space left on device") {
		t.Errorf("it said: %s", output)
	}
	rec, err := run.ReadFolder(folder)
	if err != nil || len(rec.Records) == 0 {
		t.Fatalf("%d records can be read of it: %v", len(rec.Records), err)
	}
	again, err := run.JudgeFolder(folder)
	if err != nil || again.ExitCode == 0 || !again.Run.Interrupted {
		t.Errorf("judged again: exit %d, %v", again.ExitCode, err)
	}
	if parts, _ := filepath.Glob(filepath.Join(folder, ".*.part")); len(parts) > 0 {
		t.Errorf("half-written files remain: %v", parts)
	}
}

func TestADiskWithoutAnyRoomLeavesNoFolderOfNoOne(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	disk := smallDisk(t, filepath.Join(dir, "disk"), 64<<10)
	startCandidate(t, dir)
	fill := filepath.Join(disk, "fill")
	if err := os.WriteFile(fill, make([]byte, 1<<20), 0o644); err == nil {
		t.Fatal("the disk is not small")
	}
	attempt := func(code string) {
		cmd := etalonCommand(t, dir, "run", "--only", "GOV-01", "--out", filepath.Join(disk, "report"))
		cmd.Env = append(cmd.Env, "ETALON_PILOT_TOKEN="+pilotToken)
		ended, output := begun(t, cmd)
		endsWith(t, ended, 30*time.Second, output, code)
	}
	attempt("5")
	attempt("5") // not 2: what the first left behind is no one else's
}
