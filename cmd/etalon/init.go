package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/etalon-sante/etalon/suites/candidate"
)

func (a *app) initialise() *cobra.Command {
	var path, lang, like string
	c := &cobra.Command{
		Use: "init", Short: "write a commented candidate.yaml, by asking or for a kind of service", Args: noArgs,
		RunE: func(*cobra.Command, []string) error {
			if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
				return usage{fmt.Errorf("%s exists already; name another file with --candidate", path)}
			}
			write := func() ([]byte, error) { return candidate.Init(a.in, a.err, a.lang(lang)) }
			if like != "" {
				write = func() ([]byte, error) { return candidate.Preset(like, a.lang(lang)) }
			}
			b, err := write()
			if err != nil {
				return usage{err}
			}
			if err := os.WriteFile(path, b, 0o644); err != nil {
				return usage{err}
			}
			fmt.Fprintln(a.out, path)
			return nil
		},
	}
	c.Flags().StringVar(&path, "candidate", "candidate.yaml", "file to write")
	c.Flags().StringVar(&like, "like", "", "ask nothing, begin from a kind of service: "+strings.Join(candidate.Presets(), ", "))
	c.Flags().StringVar(&lang, "lang", "", "fr or en")
	return c
}
