//go:build unix

package run_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/etalon-sante/etalon/reports/seal"
	"github.com/etalon-sante/etalon/suites/run"
)

// A folder of anyone's is read within bounds, or refused with a sentence; neither
// judging nor verifying ever hangs, panics or leaves the folder.
func TestABadRunFolderIsRefusedWithASentence(t *testing.T) {
	k, err := seal.Generate(nil)
	if err != nil {
		t.Fatal(err)
	}
	good := sealedRun(t, k)
	outside := filepath.Join(t.TempDir(), "outside")
	write(t, outside, []byte("of another"))
	in := func(dir, name string) string { return filepath.Join(dir, filepath.FromSlash(name)) }
	replace := func(dir, name string, with func(path string) error) error {
		return errors.Join(os.RemoveAll(in(dir, name)), with(in(dir, name)))
	}
	link := func(p string) error { return os.Symlink(outside, p) }
	pipe := func(p string) error { return syscall.Mkfifo(p, 0o600) }
	folder := func(p string) error { return os.Mkdir(p, 0o700) }
	huge := func(p string) error { // it takes no room on the disk
		f, err := os.Create(p)
		if err != nil {
			return err
		}
		return errors.Join(f.Truncate(2<<30), f.Close())
	}
	deep := func(p string) error { return os.WriteFile(p, []byte(strings.Repeat("[", 1<<20)), 0o600) }
	for what, with := range map[string]func(string) error{"a link out": link, "a pipe": pipe, "a folder": folder, "2 GiB": huge, "a million brackets": deep} {
		for _, name := range []string{"run.json", "candidate.json", "journal.jsonl", "report.json", "testimony.json", "decisions.json", "persons.json", seal.StatementFile, seal.KeyFile, seal.WithheldFile} {
			t.Run(what+" for "+name, func(t *testing.T) {
				dir := filepath.Join(t.TempDir(), "run")
				if err := os.CopyFS(dir, os.DirFS(good)); err != nil {
					t.Fatal(err)
				}
				if err := replace(dir, name, with); err != nil {
					t.Fatal(err)
				}
				done := make(chan struct{})
				go func() {
					defer close(done)
					v, err := run.Verify(dir, run.VerifyOptions{})
					if err == nil && v.Exit == 0 {
						t.Errorf("it verifies: %+v", v)
					}
					_, err = run.JudgeFolder(dir)
					if err != nil && (strings.Contains(err.Error(), "of another") || len(err.Error()) > 2000) {
						t.Errorf("the error says %.300q", err)
					}
				}()
				select {
				case <-done:
				case <-time.After(time.Minute):
					t.Fatal("it hangs")
				}
			})
		}
	}
}

// A folder of pictures that is a link is not followed.
func TestALinkedFolderOfPicturesIsNotFollowed(t *testing.T) {
	k, err := seal.Generate(nil)
	if err != nil {
		t.Fatal(err)
	}
	dir := sealedRun(t, k)
	elsewhere := t.TempDir()
	write(t, filepath.Join(elsewhere, "0123456789abcdef-page.webp"), []byte("of another"))
	if err := os.Symlink(elsewhere, filepath.Join(dir, "artifacts")); err != nil {
		t.Fatal(err)
	}
	r, err := run.JudgeFolder(dir)
	if err != nil {
		return // refused
	}
	for _, f := range r.Files {
		if strings.HasPrefix(f.Name, "artifacts/") {
			t.Errorf("%s is weighed", f.Name)
		}
	}
	if err := run.Seal(dir, k, time.Now); err == nil {
		if v := verified(t, dir); v.Seal.Statement != nil {
			for _, s := range v.Seal.Statement.Subject {
				if strings.HasPrefix(s.Name, "artifacts/") {
					t.Errorf("%s is sealed", s.Name)
				}
			}
		}
	}
}
