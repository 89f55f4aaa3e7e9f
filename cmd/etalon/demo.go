package main

import (
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
			s, err := demo.Start(c.Context(), demo.Options{})
			if err != nil {
				return err
			}
			defer s.Close()
			o, err := f.options(a, s.Manifest)
			if err != nil {
				return err
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
			return a.carryOut(c.Context(), o, f.gate)
		},
	}
	f.register(c)
	return c
}
