package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"

	"github.com/spf13/cobra"

	"github.com/etalon-sante/etalon/reports"
	"github.com/etalon-sante/etalon/reports/compare"
)

// maxReport bounds what is read as a report: reports.Read accepts no more.
const maxReport = 64 << 20

func (a *app) compare() *cobra.Command {
	var asJSON bool
	var as, lang string
	c := &cobra.Command{
		Use:   "compare BEFORE AFTER",
		Short: "say what changed from one report to another, failures first",
		Long: "compare reads two run folders, or two report.json, and says what changed by the ids\n" +
			"of requirements and checks, renames followed. It believes both reports: `etalon judge`\n" +
			"and `etalon verify` say whether they tell the truth.\n\n" +
			"Exit: 0 nothing became worse, 1 something did (a new failure, a new finding of what\n" +
			"failed already, a check that shows less than before or is no longer judged), 2 a report\n" +
			"cannot be read, 4 the two cannot be compared.",
		Args: func(c *cobra.Command, args []string) error {
			if len(args) != 2 {
				return usage{fmt.Errorf("%s takes two reports: the folders of two runs, or two report.json", c.CommandPath())}
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error {
			l := a.lang(lang)
			if as != "text" && as != "markdown" && as != "json" {
				return usage{fmt.Errorf("--as takes text, markdown or json, not %q", as)}
			}
			var both [2]reports.Report
			var wrong [2]error
			var wg sync.WaitGroup // reading is nearly all that this costs
			for i, path := range args {
				wg.Go(func() { both[i], wrong[i] = reportAt(path) })
			}
			wg.Wait()
			if err := errors.Join(wrong[:]...); err != nil {
				return usage{err}
			}
			got := compare.Compare(both[0], both[1])
			var err error
			switch {
			case asJSON || as == "json":
				err = compare.WriteJSON(a.out, got)
			case as == "markdown":
				err = compare.WriteMarkdown(a.out, got, l)
			default:
				err = compare.WriteText(a.out, got, l)
			}
			if err != nil {
				return err
			}
			if got.ExitCode != exitOK {
				return exit{got.ExitCode}
			}
			return nil
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON, with all changes")
	c.Flags().StringVar(&as, "as", "text", "text, markdown (for the page of a CI job) or json")
	c.Flags().StringVar(&lang, "lang", "", "fr or en (default: the environment's, else fr)")
	return c
}

// reportAt reads the report of a run folder, or a file, of anyone: no larger
// than a report may be, and in a folder no link to elsewhere.
func reportAt(path string) (reports.Report, error) {
	look := os.Stat
	if st, err := os.Stat(path); err == nil && st.IsDir() {
		path, look = filepath.Join(path, "report.json"), os.Lstat
	}
	st, err := look(path)
	if err != nil {
		return reports.Report{}, fmt.Errorf("read the report: %w; name the folder of a run, or its report.json", err)
	}
	if !st.Mode().IsRegular() {
		return reports.Report{}, fmt.Errorf("read the report: %s is not a regular file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return reports.Report{}, fmt.Errorf("read the report: %w", err)
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, maxReport+1)) // one more: reports.Read says that it is too long
	if err != nil {
		return reports.Report{}, fmt.Errorf("read the report: %w", err)
	}
	r, err := reports.Read(raw)
	if err != nil {
		return reports.Report{}, fmt.Errorf("read the report %s: %w", path, err)
	}
	return r, nil
}
