package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/etalon-sante/etalon/suites/probe/browser"
	"github.com/etalon-sante/etalon/suites/run"
)

func (a *app) evidence() *cobra.Command {
	c := &cobra.Command{
		Use: "evidence", Short: "pieces of evidence of a run, ready to be joined to a file", Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(a.evidenceExport())
	return c
}

func (a *app) evidenceExport() *cobra.Command {
	var lang, out, program string
	var pdf bool
	c := &cobra.Command{
		Use:   "export DIR --out OUT",
		Short: "for each requirement at most three files named by id, and the tables that name them",
		Long: "export judges a run folder with this build's rules and writes into OUT, for each\n" +
			"requirement that was observed, at most three pieces named by the check that says most\n" +
			"of it: the exchange (INT-04.3-1-echange.html), the annotated picture (…-2-capture.png)\n" +
			"and the dated log (…-3-journal.txt); a CSV and an XLSX in the columns of the grids of\n" +
			"Convergence that name them; and, where there is a browser, the report as PDF in both\n" +
			"languages. It is no official import: the numbering is Étalon's.\n\n" +
			"--pdf asks for the PDF: without a browser the rest is written and the command ends in 4.\n" +
			"--pdf=false leaves it out.",
		Args: oneArg("the folder of a run"),
		RunE: func(c *cobra.Command, args []string) error {
			l := a.lang(lang)
			if lang != "" && lang != l {
				return usage{fmt.Errorf("--lang takes fr or en, not %q", lang)}
			}
			if out == "" {
				return usage{errors.New(say(l, "dites où écrire par --out DOSSIER", "say where to write with --out FOLDER"))}
			}
			o := run.EvidenceOptions{Lang: l}
			if asked := c.Flags().Changed("pdf"); pdf || !asked {
				o.Host = browser.Open(browser.Options{Program: program, Loopback: true})
				defer o.Host.Close()
			}
			got, err := run.ExportEvidence(c.Context(), args[0], out, o)
			if err != nil {
				if c.Context().Err() != nil {
					return err
				}
				return usage{err}
			}
			fmt.Fprintf(a.out, say(l, "%d exigences ont une pièce, %d pièces : %s\n", "%d requirements have a piece, %d pieces: %s\n"), got.Requirements, got.Pieces, out)
			fmt.Fprintln(a.out, say(l, "Ce n'est pas un import officiel ; ces pièces ne sont pas à publier.", "This is no official import; these pieces are not to be published."))
			if got.NoPDF != nil {
				fmt.Fprintln(a.err, "etalon: "+say(l, "le PDF n'a pas été imprimé : "+got.NoPDF.FR, "the PDF was not printed: "+got.NoPDF.EN))
				if pdf {
					return exit{exitUndecided}
				}
			}
			return nil
		},
	}
	c.Flags().StringVar(&out, "out", "", "folder to write, which must not exist or be empty")
	c.Flags().StringVar(&lang, "lang", "", "fr or en (default: the environment's, else fr)")
	c.Flags().BoolVar(&pdf, "pdf", false, "the PDF must be there (default: where there is a browser)")
	c.Flags().StringVar(&program, "browser", browser.Auto, "with what the PDF is printed: auto, or the path of a Chromium")
	return c
}
