package main

import (
	"fmt"
	"runtime"

	"github.com/spf13/cobra"

	"github.com/etalon-sante/etalon/sandbox/settings"
	"github.com/etalon-sante/etalon/suites/requirement"
)

func (a *app) version() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "version", Short: "say which build, catalogue and settings this is", Args: noArgs,
		RunE: func(*cobra.Command, []string) error {
			cat, err := requirement.Load()
			if err != nil {
				return err
			}
			set, err := settings.Load()
			if err != nil {
				return err
			}
			if asJSON {
				return a.print(map[string]string{"version": version, "go": runtime.Version(), "catalogue": cat.Version, "catalogueDigest": cat.Digest(), "settings": set.ID()})
			}
			fmt.Fprintf(a.out, "etalon %s (%s)\ncatalogue %s %s\nsettings %s\n", version, runtime.Version(), cat.Version, cat.Digest()[:12], set.ID())
			return nil
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}
