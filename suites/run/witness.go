package run

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/etalon-sante/etalon/reports"
	"github.com/etalon-sante/etalon/sandbox/testimony"
)

// testimonyFile holds what a sandbox hosted by someone else signed of the run, one
// testimony for each sitting.
const testimonyFile = "testimony.json"

// maxTestimonies bounds the sittings of one run.
const maxTestimonies = 100

// testimonies is testimony.json.
type testimonies struct {
	Format      int                   `json:"format"`
	Testimonies []testimony.Testimony `json:"testimonies"`
}

// witnessed is what the sandbox's testimonies come to, beside the journal.
type witnessed struct {
	key        string // id of the key; empty: there is no testimony
	public     string
	comparison testimony.Comparison
}

// testify asks a sandbox that signs for its testimony, and keeps it beside those of
// earlier sittings.
func (f *Folder) testify(ctx context.Context, bench *Bench, space string) error {
	if !bench.Health.Signs {
		return nil
	}
	got, err := bench.API.Testimony(ctx, space)
	if err != nil {
		return fmt.Errorf("take the testimony of the sandbox: %w", err)
	}
	all, err := readTestimonies(f.Path)
	if err != nil {
		return err
	}
	all.Format, all.Testimonies = 1, append(all.Testimonies, got)
	return f.PutJSON(testimonyFile, all)
}

func readTestimonies(folder string) (testimonies, error) {
	var out testimonies
	b, err := readRegular(filepath.Join(folder, testimonyFile), maxJournal)
	if errors.Is(err, fs.ErrNotExist) {
		return out, nil
	}
	if err != nil {
		return out, err
	}
	if err := json.Unmarshal(b, &out); err != nil {
		return out, fmt.Errorf("read %s: %w", testimonyFile, err)
	}
	if out.Format != 1 || len(out.Testimonies) == 0 || len(out.Testimonies) > maxTestimonies {
		return out, fmt.Errorf("read %s: format %d with %d testimonies; this build reads format 1, of at most %d", testimonyFile, out.Format, len(out.Testimonies), maxTestimonies)
	}
	return out, nil
}

// hear verifies the testimonies of a folder and puts them beside its journal.
func hear(folder string, rec Recorded) (witnessed, error) {
	all, err := readTestimonies(folder)
	if err != nil || len(all.Testimonies) == 0 {
		return witnessed{}, err
	}
	var out witnessed
	var said []testimony.Statement
	for i, t := range all.Testimonies {
		s, key, err := t.Open()
		switch {
		case err != nil:
			return witnessed{}, fmt.Errorf("read %s: sitting %d: %w", testimonyFile, i+1, err)
		case s.Run != rec.Info.ID:
			return witnessed{}, fmt.Errorf("read %s: sitting %d is of another run (%.60q)", testimonyFile, i+1, s.Run)
		case out.key != "" && out.key != key:
			return witnessed{}, fmt.Errorf("read %s: sitting %d is signed with another key than the first", testimonyFile, i+1)
		}
		out.key, out.public = key, s.Public
		said = append(said, s)
	}
	out.comparison, err = testimony.Compare(rec.Records, said...)
	return out, err
}

// report is what the report says of it; nil where there was no witness.
func (w witnessed) report() *reports.Witnessed {
	if w.key == "" {
		return nil
	}
	c := w.comparison
	return &reports.Witnessed{Key: w.key, Public: w.public, Exchanges: c.Same, Changed: c.Changed, Missing: c.Missing, Added: c.Added}
}

// who saw the exchanges: a host only where his sandbox signed them, and none is
// missing from the journal or stands in it that he does not know.
func (w witnessed) who() string {
	c := w.comparison
	if w.key == "" || c.Same == 0 || len(c.Missing)+len(c.Added) > 0 {
		return reports.WitnessEditor
	}
	return reports.WitnessHost
}
