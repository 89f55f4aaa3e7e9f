package main

import (
	"github.com/spf13/cobra"

	"github.com/etalon-sante/etalon/reports"
	"github.com/etalon-sante/etalon/suites/run"
)

func (a *app) judge() *cobra.Command {
	var asJSON bool
	var lang string
	c := &cobra.Command{
		Use:   "judge DIR",
		Short: "recompute every verdict from a run folder, with this build's rules",
		Long: "judge reads run.json, candidate.json and journal.jsonl of a run folder and nothing\n" +
			"else: no network, no secret, no report. It changes nothing in the folder.",
		Args: oneArg("the folder of a run"),
		RunE: func(_ *cobra.Command, args []string) error {
			r, err := run.JudgeFolder(args[0])
			if err != nil {
				return usage{err}
			}
			if asJSON {
				if err := reports.Write(a.out, r); err != nil {
					return err
				}
			} else {
				a.verdict(r, a.lang(lang))
				a.known(r, a.lang(lang))
			}
			if code := r.CommandCode(); code != exitOK {
				return exit{code}
			}
			return nil
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print the model of report.json")
	c.Flags().StringVar(&lang, "lang", "", "fr or en")
	return c
}
