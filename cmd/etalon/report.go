package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/etalon-sante/etalon/suites/probe/browser"
	"github.com/etalon-sante/etalon/suites/run"
)

func (a *app) report() *cobra.Command {
	var as, lang, out, program string
	var names []string
	for _, f := range run.Formats() {
		names = append(names, f.Name)
	}
	c := &cobra.Command{
		Use:   "report DIR --as FORMAT",
		Short: "write the report of a run folder in any form, to a file or to standard output",
		Long: "report judges a run folder with this build's rules, as `etalon judge` does, and writes\n" +
			"the report in the form asked for. It changes nothing in the folder, and ends in 0 once\n" +
			"the report is written, whatever its verdict: `etalon judge` is what answers by its exit code.\n\n" +
			"Forms: " + strings.Join(names, ", ") + ".\n" +
			"sarif-problems holds only what is to be mended, for servers (GitHub's code scanning is\n" +
			"one) that take every SARIF result for an alert. pdf needs Chromium or Chrome.",
		Args: oneArg("the folder of a run"),
		RunE: func(c *cobra.Command, args []string) error {
			l := a.lang(lang)
			if lang != "" && lang != l {
				return usage{fmt.Errorf("--lang takes fr or en, not %q", lang)}
			}
			format, err := run.FormatNamed(as)
			if err != nil {
				return usage{fmt.Errorf("--as: %w", err)}
			}
			if format.Binary && out == "" && isTerminalWriter(a.out) {
				return usage{fmt.Errorf("%s is no text for a terminal; name a file with --out", as)}
			}
			r, err := run.JudgeFolder(args[0])
			if err != nil {
				return usage{err}
			}
			host := browser.Open(browser.Options{Program: program, Loopback: true}) // it goes nowhere: what it prints is whole
			defer host.Close()
			b, err := format.Render(c.Context(), r, run.FormatOptions{Lang: l, Folder: args[0], Host: host})
			if err != nil {
				return a.notPrinted(err, l)
			}
			if out == "" || out == "-" {
				_, err = a.out.Write(b)
				return err
			}
			if err := writeWhole(out, b); err != nil {
				return err
			}
			fmt.Fprintln(a.err, say(l, "Écrit : ", "Written: ")+out)
			return nil
		},
	}
	c.Flags().StringVar(&as, "as", "", "form of the report: "+strings.Join(names, ", "))
	c.Flags().StringVar(&lang, "lang", "", "fr or en (default: the environment's, else fr)")
	c.Flags().StringVar(&out, "out", "", "file to write (default: standard output)")
	c.Flags().StringVar(&program, "browser", browser.Auto, "with what a pdf is printed: auto, or the path of a Chromium")
	return c
}

// notPrinted is an error of writing; where no browser is there to print with, it
// could not be decided what the sheet looks like, which is no fault of the folder.
func (a *app) notPrinted(err error, lang string) error {
	var missing *browser.MissingError
	switch {
	case errors.As(err, &missing):
		fmt.Fprintln(a.err, "etalon: "+say(lang, "le PDF n’a pas été imprimé : "+missing.Why.FR, "the PDF was not printed: "+missing.Why.EN))
		return exit{exitUndecided}
	case errors.Is(err, context.Canceled):
		return err
	}
	return err
}

// writeWhole writes a file whole, or leaves what was there.
func writeWhole(path string, b []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".etalon-*.part")
	if err != nil {
		return usage{fmt.Errorf("write %s: %w", path, err)}
	}
	_, err = f.Write(b)
	err = errors.Join(err, f.Chmod(0o644), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name())
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}

// isTerminalWriter says whether what is written there is shown to a person.
func isTerminalWriter(w any) bool {
	f, ok := w.(*os.File)
	return ok && isTerminal(f)
}
