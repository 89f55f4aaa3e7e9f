package run

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/etalon-sante/etalon/reports/seal"
	"github.com/etalon-sante/etalon/sandbox/record"
	"github.com/etalon-sante/etalon/suites/run/leak"
)

// LeakError says that a secret or a test person's contact survived in a file:
// nothing was published.
type LeakError struct {
	File  string
	Name  string    // name of the secret, never its value
	Place leak.Leak // where in the file, and in which form
}

func (e *LeakError) Error() string { return e.In("en") }

// In is the sentence in a language: where, what, and what to do.
func (e *LeakError) In(lang string) string {
	place := e.Place.Place(e.File, lang)
	form := ""
	if e.Place.Form != "" {
		form = ", " + e.Place.Form
	}
	if lang == "en" {
		return fmt.Sprintf("a secret (%s%s) survives in %s: the reports were not written. "+
			"If the value is an ordinary word, choose a longer one; else tell the authors of étalon of the place, never of the value", e.Name, form, place)
	}
	return fmt.Sprintf("un secret (%s%s) subsiste dans %s : les rapports n'ont pas été écrits. "+
		"Si la valeur est un mot courant, choisissez-en une plus longue ; sinon, signalez l'endroit aux auteurs d'étalon, jamais la valeur", e.Name, form, place)
}

// recordedFiles are the files of a run folder that stand on disk before there is a
// report.
func recordedFiles() []string {
	return []string{infoFile, candidateFile, manifestFile, journalFile, decisionsFile, knownFile}
}

// search looks for secrets in what a run recorded and in what is about to be
// written; the first that is found comes back as a *LeakError. What was found on
// disk does not stay there.
func (f *Folder) search(s *leak.Scanner, files []file) error {
	for _, name := range recordedFiles() {
		content, err := os.ReadFile(filepath.Join(f.Path, name))
		if (name == decisionsFile || name == knownFile) && errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return fmt.Errorf("look for secrets in %s: %w", name, err)
		}
		if at, found := s.Scan(name, content); found {
			return errors.Join(&LeakError{File: name, Name: at.Secret, Place: at}, f.purge(s, name, content))
		}
	}
	if err := f.pictureLeak(s); err != nil {
		return err
	}
	for _, x := range files {
		if at, found := s.Scan(x.name, x.content); found {
			return &LeakError{File: x.name, Name: at.Secret, Place: at}
		}
	}
	return nil
}

// searchSeal looks into the seal too. It binds digests and what was searched before
// it was made; should it hold a secret all the same, it goes.
func (f *Folder) searchSeal(s *leak.Scanner) error {
	return filepath.WalkDir(filepath.Join(f.Path, seal.Folder), func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return fmt.Errorf("look for secrets in the seal: %w", err)
		}
		name := seal.Folder + "/" + d.Name()
		at, found := s.Scan(name, content)
		if !found {
			return nil
		}
		return errors.Join(&LeakError{File: name, Name: at.Secret, Place: at}, os.Remove(path))
	})
}

// purge takes secrets out of a file that stands on disk: each text of JSON that
// holds one gives way to a name. A file of another kind goes.
func (f *Folder) purge(s *leak.Scanner, name string, content []byte) error {
	if ext := filepath.Ext(name); ext != ".json" && ext != ".jsonl" {
		return os.Remove(filepath.Join(f.Path, name))
	}
	lines := [][]byte{content}
	if name == journalFile {
		lines = slices.Collect(bytes.Lines(content))
	}
	var out []byte
	for _, line := range lines {
		if _, found := s.Scan(name, line); !found {
			out = append(out, line...)
			continue
		}
		clean, err := cleared(s, line)
		if err != nil {
			return errors.Join(fmt.Errorf("take secrets out of %s: %w", name, err), os.Remove(filepath.Join(f.Path, name)))
		}
		out = append(append(out, clean...), '\n')
	}
	return f.Put(name, out)
}

// cleared is a JSON value without the texts that hold a secret.
func cleared(s *leak.Scanner, raw []byte) ([]byte, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	return json.Marshal(blank(s, v))
}

func blank(s *leak.Scanner, v any) any {
	switch v := v.(type) {
	case string:
		if at, found := s.Scan("", []byte(v)); found {
			return "«" + at.Secret + "»"
		}
	case json.Number:
		if at, found := s.Scan("", []byte(v)); found {
			return "«" + at.Secret + "»"
		}
	case []any:
		for i := range v {
			v[i] = blank(s, v[i])
		}
	case map[string]any:
		for _, k := range slices.Collect(maps.Keys(v)) {
			x := blank(s, v[k])
			delete(v, k)
			if at, found := s.Scan("", []byte(k)); found {
				k = "«" + at.Secret + "»"
			}
			v[k] = x
		}
	}
	return v
}

// stopped notes in a run's own file that a leak stopped it: what is judged of the
// folder afterwards must not look like a run that went well.
func (f *Folder) stopped(leak *LeakError) error {
	var info Info
	if err := readJSON(filepath.Join(f.Path, infoFile), &info); err != nil {
		return err
	}
	info.State, info.Failure = "failed", leak.Error()
	return f.PutJSON(infoFile, info)
}

// scanner looks for what a redactor knows by now.
func scanner(r *record.Redactor) *leak.Scanner { return leak.New(r.Secrets(0)) }
