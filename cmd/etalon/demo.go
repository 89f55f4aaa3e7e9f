package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/etalon-sante/etalon/suites/probe/browser"
	"github.com/etalon-sante/etalon/suites/run"
	"github.com/etalon-sante/etalon/suites/run/demo"
)

func (a *app) demo() *cobra.Command {
	f := &runFlags{}
	c := &cobra.Command{
		Use:   "demo",
		Short: "run on the bundled reference service",
		Long: "demo starts the bundled reference service in this process, with a certificate\n" +
			"authority of its own on loopback, and judges it as `etalon run` would.",
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if c.Flags().Changed("repeat") {
				return a.repeated(c.Context(), f, func(ctx context.Context, folder string) (run.Outcome, error) {
					its := *f
					its.out = folder
					return a.demonstrate(ctx, &its)
				})
			}
			out, err := a.demonstrate(c.Context(), f)
			if err != nil {
				return err
			}
			return a.conclude(out, a.lang(f.lang), f.gate)
		},
	}
	f.register(c)
	return c
}

// demonstrate starts the reference service and judges it once.
func (a *app) demonstrate(ctx context.Context, f *runFlags) (run.Outcome, error) {
	s, err := demo.Start(ctx, demo.Options{})
	if err != nil {
		return run.Outcome{}, err
	}
	defer s.Close()
	o, err := f.options(a, s.Manifest)
	if err != nil {
		return run.Outcome{}, err
	}
	if o.Resolver == "" {
		o.Resolver = s.Resolver
	}
	o.Roots, o.RootsNote = s.Roots, "the demonstration's own authority, on loopback"
	o.Command = reproduce("etalon demo", f)
	if f.browser == "" {
		o.Browser.Program = browser.Off // the demonstration is quick; `make run` asks for it
	}
	o.Browser.Loopback = true
	if o.CDASchema == "" {
		o.CDASchema = run.OwnSchema
	}
	return run.Run(ctx, o)
}
