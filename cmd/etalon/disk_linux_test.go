package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// smallDisk mounts a file system with little room.
func smallDisk(t *testing.T, path string, size int) string {
	t.Helper()
	if err := os.MkdirAll(path, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", path, "tmpfs", 0, fmt.Sprintf("size=%d", size)); err != nil {
		t.Skipf("NOT RUN: a full disk needs the right to mount a small tmpfs (run the tests as root): %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(path, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return path
}

// A disk that fills while the run is sealed: what was written stays readable, the
// folder says that it is not sealed, and the exit code is not 0.
func TestADiskThatFillsBeforeTheSealLeavesAReadableFolder(t *testing.T) {
	dir := t.TempDir()
	out := filepath.Join(dir, "run")
	var b bytes.Buffer
	a := &app{in: strings.NewReader(""), out: &b, err: &b, env: func(string) (string, bool) { return "", false }}
	if code := a.main(t.Context(), []string{"demo", "--only", "GOV-01,INT-01", "--out", out}); code != 0 {
		t.Fatalf("exit %d\n%s", code, &b)
	}
	full := smallDisk(t, filepath.Join(dir, "small"), 4<<20)
	again := filepath.Join(full, "run")
	if err := os.CopyFS(again, os.DirFS(out)); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(again, "seal")); err != nil { // its room would do for another
		t.Fatal(err)
	}
	fill(t, full)
	b.Reset()
	if code := a.main(t.Context(), []string{"seal", again}); code == 0 {
		t.Errorf("sealed on a full disk:\n%s", &b)
	}
	if !strings.Contains(b.String(), "no space left") {
		t.Errorf("it says %q", b.String())
	}
	if code := a.main(t.Context(), []string{"judge", again}); code != 0 {
		t.Errorf("judging what is there: exit %d", code)
	}
	b.Reset()
	if code := a.main(t.Context(), []string{"verify", again, "--lang", "en"}); code != 1 || !strings.Contains(b.String(), "not sealed") {
		t.Errorf("verify: exit %d, %s", code, &b)
	}
}

// fill leaves no byte on a disk.
func fill(t *testing.T, disk string) {
	t.Helper()
	f, err := os.Create(filepath.Join(disk, "fill"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for size := 64 << 10; size > 0; size /= 2 {
		for b := make([]byte, size); ; {
			if _, err := f.Write(b); err != nil {
				break
			}
		}
	}
}
