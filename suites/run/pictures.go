package run

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"

	"github.com/etalon-sante/etalon/reports"
	"github.com/etalon-sante/etalon/suites/lab"
	"github.com/etalon-sante/etalon/suites/run/leak"
)

// maxPictures bounds the pictures of a run, in bytes; what comes later is not kept.
const maxPictures = 16 << 20

// Keep writes a picture below artifacts/, once, and remembers what the page held
// that it shows: a picture cannot be searched for secrets.
func (f *Folder) Keep(p lab.Kept) error {
	if !lab.IsPicture(p.File) {
		return fmt.Errorf("keep a picture: %q is no name of one", p.File)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.shown == nil {
		f.shown = map[string]string{}
	}
	f.shown[p.File] += "\n" + p.Text
	to := filepath.Join(f.Path, filepath.FromSlash(p.File))
	if _, err := os.Lstat(to); err == nil {
		return nil // the same page was pictured before: the name is that of its content
	}
	if f.pictures += int64(len(p.Content)); f.pictures > maxPictures {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return fmt.Errorf("keep a picture: %w", err)
	}
	tmp := to + ".part"
	err := os.WriteFile(tmp, p.Content, 0o644)
	if err == nil {
		err = os.Rename(tmp, to)
	}
	if err != nil {
		_ = os.Remove(tmp)
		return fmt.Errorf("keep a picture: %w", err)
	}
	return nil
}

// pictureLeak removes the pictures of pages that held what is known, now that the
// run has ended, to be a secret; nil when there are none. They cannot be redacted
// as text is, and the reports are not written.
func (f *Folder) pictureLeak(s *leak.Scanner) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	var first error
	for file, text := range f.shown {
		at, found := s.Scan(file, []byte(text))
		if !found {
			continue
		}
		err := os.Remove(filepath.Join(f.Path, filepath.FromSlash(file)))
		if first == nil {
			first = errors.Join(&LeakError{File: file, Name: at.Secret, Place: leak.Leak{Secret: at.Secret, Form: at.Form}}, err)
		}
	}
	return first
}

// clearPictures removes the pictures of ours that a journal does not name, all of
// them when there is none. What others keep there is left alone.
func clearPictures(folder string, journal []byte) error {
	dir := filepath.Join(folder, lab.PictureFolder)
	if st, err := os.Lstat(dir); err != nil || !st.IsDir() {
		return nil //nolint:nilerr // there are none
	}
	files, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, x := range files {
		name := path.Join(lab.PictureFolder, x.Name())
		if !x.Type().IsRegular() || !lab.IsPicture(name) || bytes.Contains(journal, []byte(name)) {
			continue
		}
		if err := os.Remove(filepath.Join(dir, x.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	_ = os.Remove(dir) // only where nothing is left in it
	return nil
}

// pictured is a picture as the report names it; nil for none, or for one that was
// not kept.
func pictured(p *lab.Picture) *reports.Picture {
	if p == nil || !lab.IsPicture(p.File) {
		return nil
	}
	return &reports.Picture{Of: p.Of, File: p.File, SHA256: p.SHA256, Width: p.Width, Height: p.Height, Alt: reports.Text(p.Alt)}
}
