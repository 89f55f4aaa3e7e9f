package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/etalon-sante/etalon/sandbox/container"
)

func (a *app) image() *cobra.Command {
	var lang string
	c := &cobra.Command{
		Use:   "image",
		Short: "make a container image of this program, to run in a candidate's own network",
		Long: "image makes an image FROM scratch that holds this very program, with the local\n" +
			"Docker daemon; nothing is pulled. Its name goes to standard output, how to run it\n" +
			"to standard error. In the network of a candidate the whole harness is one container:\n\n" +
			"  docker run --rm --network container:CANDIDATE -v \"$PWD:/state/run\" --user \"$(id -u)\" \\\n" +
			"    -e ETALON_PILOT_TOKEN IMAGE run --candidate /state/run/candidate.yaml --out /state/run/report\n\n" +
			"With a network of several containers give the harness a name there, and say it:\n" +
			"--network NET --name etalon, then --listen :4433 --public-url https://etalon:4433.\n" +
			"The image holds no certificate authorities: mount a file of them and name it in\n" +
			"SSL_CERT_FILE where the candidate's own address is to be judged.",
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			self, err := os.Executable()
			if err != nil {
				return fmt.Errorf("find this program: %w", err)
			}
			name, err := container.Build(c.Context(), container.Options{Binary: self})
			if err != nil {
				fmt.Fprintln(a.err, "etalon: "+err.Error())
				return exit{exitUndecided}
			}
			fmt.Fprintln(a.out, name)
			fmt.Fprintln(a.err, say(a.lang(lang),
				"L’image est prête. Pour l’utiliser dans le réseau d’un service : etalon image --help",
				"The image is ready. To use it in a service's network: etalon image --help"))
			return nil
		},
	}
	c.Flags().StringVar(&lang, "lang", "", "fr or en")
	return c
}
