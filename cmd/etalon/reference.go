package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/etalon-sante/etalon/fixtures/reference"
)

// reference serves the bundled service as a program of its own; hidden, since
// it is of use to those who develop étalon or want a candidate to look at.
func (a *app) reference() *cobra.Command {
	var cfg reference.Config
	var manifest, ca string
	c := &cobra.Command{
		Use: "reference", Hidden: true, Short: "serve the bundled reference service until interrupted", Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			cfg.PilotToken, _ = a.env("ETALON_PILOT_TOKEN")
			if len(cfg.PilotToken) < 16 {
				return usage{fmt.Errorf("set ETALON_PILOT_TOKEN to a token of at least 16 characters: it guards the pilot")}
			}
			if manifest != "" {
				cfg.Folder = filepath.Dir(manifest)
			}
			s, err := reference.Start(c.Context(), cfg)
			if err != nil {
				return usage{err}
			}
			defer s.Close()
			if manifest != "" {
				if err := os.WriteFile(manifest, s.Manifest(), 0o644); err != nil {
					return usage{err}
				}
			}
			if ca != "" {
				if err := os.WriteFile(ca, s.CA(), 0o644); err != nil {
					return usage{err}
				}
			}
			fmt.Fprintf(a.out, "pilot %s\nsite  %s\n", s.Addresses().Pilot, s.Addresses().Site)
			<-c.Context().Done()
			return nil
		},
	}
	c.Flags().StringVar(&cfg.Listen.Pilot, "pilot", "", "address of the pilot")
	c.Flags().StringVar(&cfg.Listen.Site, "site", "", "address of the site")
	c.Flags().StringVar(&cfg.Listen.Plain, "plain", "", "address that redirects to the site")
	c.Flags().StringVar(&cfg.Listen.Assets, "assets", "", "address of the scripts")
	c.Flags().BoolVar(&cfg.Journeys, "journeys", false, "let the manifest say how one goes through the site behind its sign-in")
	c.Flags().StringVar(&manifest, "manifest", "", "file to write the service's manifest to")
	c.Flags().StringVar(&ca, "ca", "", "file to write the authority of the site to")
	return c
}
