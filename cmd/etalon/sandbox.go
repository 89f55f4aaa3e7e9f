package main

import (
	"fmt"
	"log/slog"

	"github.com/spf13/cobra"

	"github.com/etalon-sante/etalon/sandbox"
	"github.com/etalon-sante/etalon/sandbox/settings"
	"github.com/etalon-sante/etalon/sandbox/testimony"
)

func (a *app) sandbox() *cobra.Command {
	c := &cobra.Command{
		Use: "sandbox", Short: "the sandbox alone, to develop against", Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(a.sandboxServe(), a.sandboxAssumptions())
	return c
}

func (a *app) sandboxServe() *cobra.Command {
	var o sandbox.Options
	var file, cert, key, sign string
	var verbose bool
	c := &cobra.Command{
		Use: "serve", Short: "serve the sandbox until it is interrupted", Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if file != "" {
				set, err := settings.LoadFile(file)
				if err != nil {
					return usage{err}
				}
				o.Settings = set
			}
			if cert != "" || key != "" {
				brought, err := sandbox.ReadCertificate(cert, key)
				if err != nil {
					return usage{err}
				}
				o.Certificate = brought
			}
			if sign != "" {
				b, err := readSmall(sign)
				if err != nil {
					return usage{err}
				}
				if o.SigningKey, err = testimony.ParseKey(b); err != nil {
					return usage{fmt.Errorf("--sign-key %s: %w; `etalon keys generate --out FILE` writes one", sign, err)}
				}
			}
			if o.ControlToken == "" {
				o.ControlToken, _ = a.env("ETALON_SANDBOX_TOKEN")
			}
			if verbose {
				o.Logger = slog.New(slog.NewTextHandler(a.err, nil))
			}
			o.Build = version
			s, err := sandbox.New(o)
			if err != nil {
				return usage{err}
			}
			if err := s.Start(c.Context()); err != nil {
				return err
			}
			api := s.Control()
			fmt.Fprintf(a.out, "sandbox %s\ncontrol %s\ntoken   %s\n", s.Public(), api.Base, api.Token)
			<-c.Context().Done()
			return s.Close()
		},
	}
	c.Flags().StringVar(&o.Listen, "listen", "127.0.0.1:4433", "address for candidates (TLS)")
	c.Flags().StringVar(&o.ControlListen, "control", "127.0.0.1:4434", "address of the control API")
	c.Flags().StringVar(&o.ControlToken, "control-token", "", "bearer of the control API (default: ETALON_SANDBOX_TOKEN, else made up)")
	c.Flags().StringVar(&o.PublicURL, "public-url", "", "address under which candidates reach the sandbox")
	c.Flags().StringVar(&cert, "tls-cert", "", "certificate for candidates, with its chain, in PEM (default: one of the sandbox's own authority)")
	c.Flags().StringVar(&key, "tls-key", "", "key of --tls-cert, in PEM")
	c.Flags().StringVar(&sign, "sign-key", "", "private key (PEM) with which the sandbox signs what it served, when it is hosted for others")
	c.Flags().StringVar(&o.StateDir, "state", "", "folder in which the certificate authority is kept")
	c.Flags().StringVar(&file, "settings", "", "settings file (default: the embedded one)")
	c.Flags().BoolVar(&verbose, "verbose", false, "log to stderr")
	return c
}

func (a *app) sandboxAssumptions() *cobra.Command {
	var asJSON bool
	var lang string
	c := &cobra.Command{
		Use: "assumptions", Short: "print what is assumed about the real APIs, and what is not reproduced", Args: noArgs,
		RunE: func(*cobra.Command, []string) error {
			set, err := settings.Load()
			if err != nil {
				return err
			}
			if asJSON {
				return a.print(map[string]any{"id": set.ID(), "values": set.All(), "notReproduced": set.NotReproduced()})
			}
			l := a.lang(lang)
			for _, v := range set.All() {
				fmt.Fprintf(a.out, "%-8s %-28s %s\n", v.Basis, v.Key, v.Text())
				if note := say(l, v.Note.FR, v.Note.EN); note != "" {
					fmt.Fprintf(a.out, "%9s%s\n", "", note)
				}
			}
			fmt.Fprintln(a.out, say(l, "\nNon reproduit :", "\nNot reproduced:"))
			for _, g := range set.NotReproduced() {
				fmt.Fprintln(a.out, "- "+say(l, g.Text.FR, g.Text.EN))
			}
			return nil
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	c.Flags().StringVar(&lang, "lang", "", "fr or en")
	return c
}
