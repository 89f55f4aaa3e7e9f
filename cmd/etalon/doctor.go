package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/etalon-sante/etalon/suites/candidate"
	"github.com/etalon-sante/etalon/suites/run"
)

func (a *app) doctor() *cobra.Command {
	f := &runFlags{}
	var asJSON bool
	c := &cobra.Command{
		Use:   "doctor",
		Short: "look at configuration and reachability only, in both directions",
		Args:  noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			a.lang(f.lang)
			m, err := candidate.ReadFor(f.candidate, f.env, a.env)
			if err != nil {
				return err
			}
			o, err := f.options(a, m)
			if err != nil {
				return err
			}
			tell := func(s run.Step) {
				if asJSON {
					return
				}
				mark := map[string]string{run.StepOK: "✓", run.StepDoubt: "?", run.StepFailed: "✗"}[s.State]
				fmt.Fprintf(a.out, "%s %s\n", mark, say(o.Lang, s.Text.FR, s.Text.EN))
				if cure := say(o.Lang, s.Cure.FR, s.Cure.EN); cure != "" {
					fmt.Fprintf(a.out, "  → %s\n", cure)
				}
			}
			e, err := run.Examine(c.Context(), o, tell)
			if err != nil {
				return err
			}
			if asJSON {
				if err := a.print(e); err != nil {
					return err
				}
			}
			switch {
			case e.Unreachable:
				return exit{exitUnreachable}
			case !e.Healthy():
				return exit{exitNo}
			}
			return nil
		},
	}
	c.Flags().StringVar(&f.candidate, "candidate", "candidate.yaml", "manifest of the candidate")
	c.Flags().StringVar(&f.env, "env", "", "environment of the manifest, by its name there (default: none)")
	c.Flags().StringVar(&f.sandbox, "sandbox", "embedded", "embedded, container, or the address of a control API")
	c.Flags().StringVar(&f.token, "sandbox-token", "", "bearer of a remote control API (default: ETALON_SANDBOX_TOKEN)")
	f.reach(c)
	f.look(c)
	c.Flags().StringVar(&f.lang, "lang", "", "fr or en")
	c.Flags().BoolVar(&asJSON, "json", false, "print the examination as JSON")
	f.phase, f.seed = "pilot", 1
	return c
}
