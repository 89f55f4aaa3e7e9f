package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/etalon-sante/etalon/reports"
	"github.com/etalon-sante/etalon/reports/words"
	"github.com/etalon-sante/etalon/suites/run"
)

func (a *app) gate() *cobra.Command {
	var asJSON bool
	var lang, list string
	c := &cobra.Command{
		Use:   "gate DIR",
		Short: "say whether anything stands in the way besides what is known and in time",
		Long: "gate judges a run folder, as `etalon judge` does, and answers another question than\n" +
			"the verdict: is there anything besides the known nonconformities (known.yaml) that are\n" +
			"matched and in time? The verdict stays what it is, in every file.\n\n" +
			"Exit: 0 nothing else stands in the way, 1 something does, or an entry is stale,\n" +
			"unmatched or overdue, 2 the folder or the list cannot be read, 4 a blocking requirement\n" +
			"could not be tested, 5 the harness failed.",
		Args: oneArg("the folder of a run"),
		RunE: func(_ *cobra.Command, args []string) error {
			l := a.lang(lang)
			var r reports.Report
			var err error
			if list == "" {
				r, err = run.JudgeFolder(args[0])
			} else {
				var known *run.KnownList
				if known, err = run.ReadKnown(list); err == nil {
					r, err = run.JudgeKnown(args[0], known)
				}
			}
			if err != nil {
				return usage{err}
			}
			code := r.Known.Gate.ExitCode
			if asJSON {
				err = a.print(r.Known)
			} else {
				fmt.Fprintln(a.out, words.Lang(l).Verdict(r))
				a.known(r, l)
				code = a.passes(r, l)
			}
			if err != nil {
				return err
			}
			if code != exitOK {
				return exit{code}
			}
			return nil
		},
	}
	c.Flags().StringVar(&list, "known", "", "another list of known nonconformities than the one of the folder")
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON: the key known of report.json")
	c.Flags().StringVar(&lang, "lang", "", "fr or en")
	return c
}

// known prints what a run says of the nonconformities that were known.
func (a *app) known(r reports.Report, lang string) {
	if !r.Known.Given {
		return
	}
	l := words.Lang(lang)
	fmt.Fprintf(a.out, "%s %s\n", say(lang, "Non-conformités connues :", "Known nonconformities:"), l.KnownCounts(r.Known))
	for _, e := range r.Known.Entries {
		if e.State != reports.KnownNotSeen {
			fmt.Fprintf(a.out, "  %s  %s%s %s\n", e.ID, l.Of(e.State.Word()), say(lang, " :", ":"), l.KnownSentence(e))
		}
	}
}

// passes prints whether anything stands in the way, and gives the exit code.
func (a *app) passes(r reports.Report, lang string) int {
	g := r.Known.Gate
	switch {
	case g.Passes && r.ExitCode != exitOK:
		fmt.Fprintf(a.out, say(lang, "Rien d'autre ne fait obstacle : code de sortie 0. Le verdict reste « %s » (code %d).\n", "Nothing else stands in the way: exit code 0. The verdict stays %q (code %d).\n"),
			words.Lang(lang).Of(r.Verdict.Label().Word), r.ExitCode)
	case g.Passes:
		fmt.Fprintln(a.out, say(lang, "Rien ne fait obstacle : code de sortie 0.", "Nothing stands in the way: exit code 0."))
	case len(g.Left) > 0:
		fmt.Fprintf(a.out, say(lang, "Font obstacle : %s. Code de sortie %d.\n", "In the way: %s. Exit code %d.\n"), strings.Join(g.Left, ", "), g.ExitCode)
	case !r.Known.Holds:
		fmt.Fprintf(a.out, say(lang, "La liste des non-conformités connues n'est plus juste : corrigez-la. Code de sortie %d.\n", "The list of known nonconformities is no longer right: correct it. Exit code %d.\n"), g.ExitCode)
	default:
		fmt.Fprintf(a.out, say(lang, "Code de sortie %d.\n", "Exit code %d.\n"), g.ExitCode)
	}
	return g.ExitCode
}
