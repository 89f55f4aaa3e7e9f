package main

import (
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/etalon-sante/etalon/sandbox"
	"github.com/etalon-sante/etalon/suites/candidate"
	"github.com/etalon-sante/etalon/suites/run"
)

func (a *app) observe() *cobra.Command {
	f := &runFlags{}
	var o run.FreeOptions
	var listen, public string
	c := &cobra.Command{
		Use:   "observe",
		Short: "serve the sandbox to a person who uses the service by hand, and judge what happens",
		Long: "observe opens a sandbox for a service, or a telephone app, that is used by hand. It\n" +
			"prints what to configure and as whom to sign in, tells what it sees, and does what is\n" +
			"typed (\"unpair 1\", \"expire 1\", \"fault 1 429\", \"help\"). Ctrl-C ends it: each check\n" +
			"that had its occasion is judged, the others say which act would show them.\n\n" +
			"Free use is no conformance run and never ends in 0: 1 when something was found not as\n" +
			"required, 4 otherwise, 5 when the harness failed. `etalon judge` recomputes the folder.",
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			a.lang(f.lang)
			var m *candidate.Manifest
			var err error
			if f.candidate == "" {
				m, err = run.FreeCandidate()
			} else {
				m, err = candidate.ReadFor(f.candidate, f.env, a.env)
			}
			if err != nil {
				return err
			}
			if o.Options, err = f.options(a, m); err != nil {
				return err
			}
			if listen != "" {
				o.Sandbox.Listen = listen
			}
			if public != "" {
				o.Sandbox.PublicURL = public
			}
			o.In, o.Tell = a.in, a.out
			if o.Sandbox.StateDir != "" && f.sandbox == "embedded" {
				o.CAFile = filepath.Join(o.Sandbox.StateDir, sandbox.CAFile)
			}
			o.Command = "etalon observe --candidate candidate.yaml"
			out, err := run.Observe(c.Context(), o)
			if err != nil {
				return inLanguage(err, o.Lang)
			}
			return a.conclude(out, o.Lang, false)
		},
	}
	c.Flags().StringVar(&f.candidate, "candidate", "", "manifest of the candidate (default: none, everything is claimed)")
	c.Flags().StringVar(&f.out, "out", "report", "folder of the session and its report")
	c.Flags().StringVar(&f.lang, "lang", "", "fr or en (default: the environment's, else fr)")
	c.Flags().StringVar(&f.env, "env", "", "environment of the manifest, by its name there (default: none)")
	c.Flags().StringVar(&f.sandbox, "sandbox", "embedded", "embedded, container, or the address of a control API")
	c.Flags().StringVar(&f.token, "sandbox-token", "", "bearer of a remote control API (default: ETALON_SANDBOX_TOKEN)")
	c.Flags().Int64Var(&f.seed, "seed", 1, "seed of people and data")
	c.Flags().StringVar(&listen, "listen", "", "address at which the sandbox listens (default: the manifest's, else a free port of this machine)")
	c.Flags().StringVar(&public, "public-url", "", "https address under which the service reaches the sandbox, from a telephone for example")
	c.Flags().StringSliceVar(&o.Redirects, "redirect", nil, "address to which the service has patients sent back after consent")
	c.Flags().IntVar(&o.Patients, "patients", 3, "test patients to begin with")
	c.Flags().DurationVar(&o.For, "for", 0, "end by itself after this time (default: at Ctrl-C)")
	f.phase = "pilot"
	return c
}
