package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/etalon-sante/etalon/fixtures/export"
)

func (a *app) fixtures() *cobra.Command {
	c := &cobra.Command{
		Use: "fixtures", Short: "the synthetic people and data", Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(a.fixturesExport())
	return c
}

func (a *app) fixturesExport() *cobra.Command {
	var o export.Options
	var out, lang, day string
	var asJSON bool
	c := &cobra.Command{
		Use:   "export",
		Short: "write people and data as files, with a book of test patients to print",
		Long: "export writes people (CSV, JSON), their measures and documents (FHIR JSON, PDF, text)\n" +
			"and a book of test patients in two languages. The same seed gives the same files;\n" +
			"identifiers stand in the test ranges only. With --json nothing is written: the\n" +
			"people are printed.",
		Args: noArgs,
		RunE: func(*cobra.Command, []string) error {
			if day != "" {
				at, err := time.Parse(time.DateOnly, day)
				if err != nil {
					return usage{fmt.Errorf("--date takes a day like 2026-11-02, not %q", day)}
				}
				o.Last = at.Add(7*time.Hour + 30*time.Minute)
			}
			files, err := export.Files(o)
			if err != nil {
				return usage{err}
			}
			if asJSON {
				for _, f := range files {
					if f.Name == "people.json" {
						_, err = a.out.Write(f.Content)
					}
				}
				return err
			}
			l := a.lang(lang)
			if err := spread(out, files); err != nil {
				return usage{err}
			}
			book := say(l, "livret.html", "book.html")
			fmt.Fprintf(a.out, say(l, "%d patients, %d fichiers dans %s ; à imprimer : %s\n", "%d patients, %d files in %s; to print: %s\n"), o.Patients, len(files), out, filepath.Join(out, book))
			return nil
		},
	}
	c.Flags().StringVar(&out, "out", "fixtures-export", "folder to write to: a new one, or one of an earlier export")
	c.Flags().StringVar(&lang, "lang", "", "fr or en")
	c.Flags().StringVar(&day, "date", "", "day of the most recent data (default: a fixed one)")
	c.Flags().Int64Var(&o.Seed, "seed", 1, "seed of people and data")
	c.Flags().IntVar(&o.Patients, "patients", 12, "how many patients")
	c.Flags().BoolVar(&asJSON, "json", false, "print the people as JSON and write nothing")
	return c
}

// spread writes the files of an export into a folder that is empty, new, or of
// an earlier export, which is replaced.
func spread(folder string, files []export.File) error {
	const index = "people.json"
	entries, err := os.ReadDir(folder)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return fmt.Errorf("export to %s: %w", folder, err)
	case len(entries) > 0:
		if !ofExport(filepath.Join(folder, index)) {
			return fmt.Errorf("export to %s: the folder holds files of others; name another with --out", folder)
		}
		if err := os.RemoveAll(filepath.Join(folder, "patients")); err != nil {
			return fmt.Errorf("replace the earlier export: %w", err)
		}
	}
	for _, f := range files {
		path := filepath.Join(folder, filepath.FromSlash(f.Name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return fmt.Errorf("export: %w", err)
		}
		if err := os.WriteFile(path, f.Content, 0o644); err != nil {
			return fmt.Errorf("export: %w", err)
		}
	}
	return nil
}

// ofExport says whether a list of people is that of an export: what stands
// beside it may be replaced.
func ofExport(path string) bool {
	const most = 4 << 20
	if st, err := os.Lstat(path); err != nil || !st.Mode().IsRegular() || st.Size() > most {
		return false
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return false
	}
	var list struct {
		Last     time.Time        `json:"last"`
		Patients []export.Patient `json:"patients"`
	}
	return json.Unmarshal(b, &list) == nil && !list.Last.IsZero() && len(list.Patients) > 0
}
