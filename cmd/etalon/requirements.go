package main

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/etalon-sante/etalon/fixtures/flaws"
	"github.com/etalon-sante/etalon/suites/requirement"
)

func (a *app) requirements() *cobra.Command {
	c := &cobra.Command{
		Use:   "requirements",
		Short: "read the catalogue of requirements",
		Args:  noArgs,
		RunE:  func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(a.requirementsList(), a.requirementsShow(), a.requirementsCoverage())
	return c
}

func (a *app) print(v any) error {
	e := json.NewEncoder(a.out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

func (a *app) requirementsList() *cobra.Command {
	var asJSON bool
	var lang, theme string
	c := &cobra.Command{
		Use: "list", Short: "list the requirements", Args: noArgs,
		RunE: func(*cobra.Command, []string) error {
			cat, err := requirement.Load()
			if err != nil {
				return err
			}
			var rows []requirement.Requirement
			for _, r := range cat.Requirements {
				if theme == "" || r.Theme == theme {
					rows = append(rows, r)
				}
			}
			if len(rows) == 0 {
				return usage{fmt.Errorf("theme %q is none of interop, security, ethics, governance", theme)}
			}
			if asJSON {
				return a.print(rows)
			}
			for _, r := range rows {
				title := r.Title.FR
				if a.lang(lang) == "en" {
					title = r.Title.EN
				}
				fmt.Fprintf(a.out, "%-7s %-10s %-11s %s\n", r.ID, r.Theme, r.Verification, title)
			}
			return nil
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	c.Flags().StringVar(&lang, "lang", "", "fr or en")
	c.Flags().StringVar(&theme, "theme", "", "only this theme")
	return c
}

func (a *app) requirementsShow() *cobra.Command {
	var asJSON bool
	var lang string
	c := &cobra.Command{
		Use: "show ID", Short: "show one requirement", Args: oneArg("the id of a requirement, as `etalon requirements list` shows it"),
		RunE: func(_ *cobra.Command, args []string) error {
			cat, err := requirement.Load()
			if err != nil {
				return err
			}
			r, ok := cat.Requirement(args[0])
			if !ok {
				if r, _, ok = cat.Check(args[0]); !ok {
					return usage{fmt.Errorf("requirement %q is not in the catalogue; `etalon requirements list` shows those that are", args[0])}
				}
			}
			if asJSON {
				return a.print(r)
			}
			l := a.lang(lang)
			in := func(t requirement.Text) string { return strings.TrimSpace(say(l, t.FR, t.EN)) }
			fmt.Fprintf(a.out, "%s  %s\n%s · %s · %s\n\n%s\n\n", r.ID, in(r.Title), r.Theme, r.Level, r.Verification, in(r.Statement))
			fmt.Fprintf(a.out, "%s\n  %s\n%s\n  %s\n", say(l, "Pourquoi", "Why"), in(r.Why), say(l, "Que faire", "What to do"), in(r.Fix))
			for _, k := range r.Checks {
				fmt.Fprintf(a.out, "%-9s %s\n", k.ID, in(k.Title))
			}
			for _, s := range r.Sources {
				fmt.Fprintf(a.out, "[%s] %s, %s %s\n", s.Basis, s.Document, s.Section, s.Link)
			}
			return nil
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	c.Flags().StringVar(&lang, "lang", "", "fr or en")
	return c
}

func (a *app) requirementsCoverage() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "coverage", Short: "say how much of the catalogue is checked, and proved to be", Args: noArgs,
		RunE: func(*cobra.Command, []string) error {
			cat, err := requirement.Load()
			if err != nil {
				return err
			}
			var checks []string
			for _, f := range flaws.All() {
				checks = append(checks, f.Check)
			}
			cov := requirement.Cover(cat, checks)
			if asJSON {
				return a.print(cov)
			}
			fmt.Fprintf(a.out, "étalon's catalogue: %d requirements: %d automatic, %d assisted, %d declared, %d excluded\n", cov.Requirements, cov.Automatic, cov.Assisted, cov.Declared, cov.Excluded)
			fmt.Fprintf(a.out, "uncovered: %d  checks without a flaw: %d %s\n", len(cov.Uncovered), len(cov.WithoutFlaw), strings.Join(cov.WithoutFlaw, " "))
			return nil
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}
