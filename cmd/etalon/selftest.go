package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/etalon-sante/etalon/fixtures/flaws"
	"github.com/etalon-sante/etalon/suites/run/blindspots"
	"github.com/etalon-sante/etalon/suites/run/selftest"
)

func (a *app) selftest() *cobra.Command {
	var full, asJSON, mutate bool
	var pages string
	var only []string
	var concurrency int
	var cdaXSD, chromium string
	c := &cobra.Command{
		Use:   "selftest",
		Short: "prove that the checks check: the kill matrix",
		Long: "selftest runs the reference service as it is (no false alarm), candidates that do\n" +
			"nothing (nothing conformant), and the reference with one flaw at a time: each flaw\n" +
			"must be caught by its own check and by no other that it does not declare.",
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			for _, name := range only {
				if !slices.ContainsFunc(flaws.All(), func(f flaws.Flaw) bool { return f.ID == name || f.Check == name }) {
					return usage{fmt.Errorf("--only %s: there is no flaw of this id, or of a check of this id; `etalon selftest --json` lists them", name)}
				}
			}
			show := func(done, total int, what string) {
				if a.terminal {
					fmt.Fprintf(a.err, "\r\x1b[K[%d/%d] %s", done, total, what)
				}
			}
			if mutate {
				return a.blindSpots(c.Context(), asJSON, pages)
			}
			r, err := selftest.Run(c.Context(), selftest.Options{Full: full, Only: only, Concurrency: concurrency, CDASchema: cdaXSD, Browser: chromium, Progress: show})
			if a.terminal {
				fmt.Fprint(a.err, "\r\x1b[K")
			}
			if err != nil {
				return err
			}
			if asJSON {
				e := json.NewEncoder(a.out)
				e.SetIndent("", "  ")
				if err := e.Encode(r); err != nil {
					return err
				}
			} else {
				a.matrix(r)
			}
			if code := r.ExitCode(); code != exitOK {
				return exit{code}
			}
			return nil
		},
	}
	c.Flags().BoolVar(&full, "full", false, "observe every chapter again for each flaw")
	c.Flags().BoolVar(&asJSON, "json", false, "print the matrix as JSON")
	c.Flags().StringVar(&cdaXSD, "cda-xsd", "", "folder of the XML Schema of CDA R2 (default: étalon's own reduced one)")
	c.Flags().StringVar(&chromium, "browser", "auto", "with what pages are shown: auto, off, or the path of a Chromium; without one, its checks are not run")
	c.Flags().BoolVar(&mutate, "mutate", false, "change a recording of the reference service at one place at a time, and tell what no check notices")
	c.Flags().StringVar(&pages, "pages", "", "with --mutate: write the map into this folder, as blind-spots.md and blind-spots.en.md")
	c.Flags().StringSliceVar(&only, "only", nil, "only these flaws, by id or by check")
	c.Flags().IntVar(&concurrency, "concurrency", 0, "scenarios at a time (default: the reference's own)")
	c.MarkFlagsMutuallyExclusive("mutate", "full")
	c.MarkFlagsMutuallyExclusive("mutate", "only")
	return c
}

func (a *app) matrix(r selftest.Result) {
	fmt.Fprintf(a.out, "%d flaws, %d killed\n", r.Flaws, r.Killed)
	for _, part := range []struct {
		title string
		rows  []string
	}{
		{"survivors", r.Survivors}, {"collateral", r.Collateral}, {"false alarms", r.FalseAlarms}, {"not run", r.NotRun}, {"declared but unmoved", r.Unmoved},
		{"as declared only when tried again, alone; at first", r.Unstable},
	} {
		for _, row := range part.rows {
			fmt.Fprintf(a.out, "  %s: %s\n", part.title, row)
		}
	}
	if len(r.Shadowed) > 0 {
		fmt.Fprintf(a.out, "  %d checks lost their occasion to a flaw (no fault; see --json)\n", len(r.Shadowed))
	}
}

// blindSpots makes the map of what the harness does not see.
func (a *app) blindSpots(ctx context.Context, asJSON bool, pages string) error {
	rec, err := selftest.Recording(ctx, selftest.Options{})
	if err != nil {
		return err
	}
	m, err := blindspots.Of(rec, time.Now)
	if err != nil {
		return err
	}
	for _, page := range []struct{ lang, name string }{{"fr", "blind-spots.md"}, {"en", "blind-spots.en.md"}} {
		if pages == "" {
			break
		}
		var b bytes.Buffer
		if err := blindspots.Write(&b, m, page.lang); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(pages, page.name), b.Bytes(), 0o644); err != nil {
			return usage{err}
		}
	}
	if asJSON {
		e := json.NewEncoder(a.out)
		e.SetIndent("", "  ")
		err = e.Encode(m)
	} else {
		fmt.Fprintf(a.out, "%d variants of a recording of %d records, judged in %.1f s: %d noticed, %d without their occasion, %d alike, %d broken\n",
			m.Variants, len(rec.Records), m.Seconds, m.Noticed, m.Undecided, m.Blind, m.Broken)
		fmt.Fprintf(a.out, "%d kinds of change, %d of them noticed; %d places with something unseen, %d of them without a reason\n",
			m.Classes, m.Classes-m.Unseen, len(m.Spots), len(m.Unexplained()))
		for _, s := range m.Unexplained() {
			fmt.Fprintf(a.out, "  without a reason: %s, %s, %s: %s\n", s.What, s.Part, s.Path, strings.Join(s.Ops, ", "))
		}
		for _, r := range m.Rows {
			for _, why := range r.Broken {
				fmt.Fprintf(a.out, "  broken: %s, %s, %s: %s\n", r.What, r.Part, r.Path, why)
			}
		}
	}
	if err != nil {
		return err
	}
	if !m.Clean() {
		return exit{exitNo}
	}
	return nil
}
