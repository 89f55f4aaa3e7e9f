package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/etalon-sante/etalon/reports"
	"github.com/etalon-sante/etalon/reports/words"
	"github.com/etalon-sante/etalon/sandbox/record"
	"github.com/etalon-sante/etalon/suites/candidate"
	"github.com/etalon-sante/etalon/suites/run"
)

func (a *app) repro() *cobra.Command {
	f := &runFlags{}
	c := &cobra.Command{
		Use:   "repro ID",
		Short: "play what one check reads, leave the sandbox as the failure left it, and print the command that shows it again",
		Long: "repro plays only the scenarios that the check ID reads. Where it fails, the sandbox\n" +
			"stays in the state that failed, its faults are armed anew, and the one command that\n" +
			"shows the failure again is printed; what the sandbox then sees is told until Ctrl-C.\n" +
			"Where no command shows it, the acts to repeat are listed.\n\n" +
			"Secrets of the sandbox's test people are shown on the terminal, and only there.\n\n" +
			"Exit: 1 the check fails, 0 it is met, 4 it could not be judged, 2, 3 and 5 as for run.",
		Args: oneArg("the id of a check"),
		RunE: func(c *cobra.Command, args []string) error {
			lang := a.lang(f.lang)
			m, err := candidate.ReadFor(f.candidate, f.env, a.env)
			if err != nil {
				return err
			}
			o, err := f.options(a, m)
			if err != nil {
				return err
			}
			o.Command = reproduce("etalon repro "+quoted(args[0])+" --candidate candidate.yaml", f)
			a.announce(o)
			authority, _ := a.env("SSL_CERT_FILE") // which Go heeds, and curl does not
			_, check, err := run.Repro(c.Context(), run.ReproOptions{Options: o, Check: args[0], CAFile: authority, Show: func(ctx context.Context, s run.Shown) error {
				a.showAgain(s, lang)
				return a.watch(ctx, s)
			}})
			if err != nil {
				return inLanguage(err, lang)
			}
			word := words.Lang(lang).Of(check.Verdict.Label().Word)
			switch check.Verdict {
			case reports.Nonconformant, reports.Deviation:
				return exit{exitNo}
			case reports.Conformant:
				fmt.Fprintf(a.out, "%s%s%s. %s\n", check.ID, colon(lang), word, say(lang, "Rien à montrer cette fois.", "Nothing to show this time."))
				return nil
			case reports.Error:
				fmt.Fprintf(a.out, "%s%s%s. %s\n", check.ID, colon(lang), word, check.Reason.In(lang))
				return exit{exitError}
			}
			fmt.Fprintf(a.out, "%s%s%s. %s\n", check.ID, colon(lang), word, check.Reason.In(lang))
			return exit{exitUndecided}
		},
	}
	c.Flags().StringVar(&f.candidate, "candidate", "candidate.yaml", "manifest of the candidate")
	c.Flags().StringVar(&f.env, "env", "", "environment of the manifest, by its name there (default: none)")
	c.Flags().StringVar(&f.out, "out", "repro", "folder of what was played")
	c.Flags().StringVar(&f.sandbox, "sandbox", "embedded", "embedded, container, or the address of a control API")
	c.Flags().StringVar(&f.token, "sandbox-token", "", "bearer of a remote control API (default: ETALON_SANDBOX_TOKEN)")
	c.Flags().StringVar(&f.lang, "lang", "", "fr or en (default: the environment's, else fr)")
	c.Flags().StringVar(&f.phase, "phase", "pilot", "phase of the doctrine: pilot or generalisation")
	c.Flags().StringVar(&f.cdaXSD, "cda-xsd", "", "folder of the XML Schema of CDA R2")
	c.Flags().StringVar(&f.resolver, "resolver", "", "resolver of the domain name system")
	c.Flags().Int64Var(&f.seed, "seed", 1, "seed of people, data and faults: that of the run that failed")
	f.reach(c)
	f.look(c)
	return c
}

// showAgain prints what failed, what led to it and the command that shows it again.
func (a *app) showAgain(s run.Shown, lang string) {
	l := words.Lang(lang)
	p := func(format string, args ...any) { fmt.Fprintf(a.out, format+"\n", args...) }
	p("%s  %s%s%s", s.Check.ID, l.Of(s.Check.Verdict.Label().Word), colon(lang), l.Typeset(l.Of(s.Check.Title)))
	for i, f := range s.Check.Findings {
		if i == maxShown {
			p("  %s", fmt.Sprintf(say(lang, "et %d autres constats, dans le rapport", "and %d other findings, in the report"), len(s.Check.Findings)-i))
			break
		}
		p("  %s", words.Printable(l.Typeset(l.Of(f.Message))))
		p("    %s%s%s", say(lang, "attendu", "expected"), colon(lang), words.Printable(f.Expected))
		p("    %s%s%s", say(lang, "vu", "seen"), colon(lang), words.Printable(f.Actual))
	}
	if len(s.Steps) > 0 {
		p("\n%s", say(lang, "Ce que le scénario a fait (« > » : l’acte que la commande répète) :", "What the scenario did (\">\": the act that the command repeats):"))
		for i, step := range s.Steps {
			mark := " "
			if i == s.Shown {
				mark = ">"
			}
			p("%s %7.1f s  %s", mark, step.At.Seconds(), words.Printable(s.Redactor.Redact(l.Of(step.Text))))
		}
	}
	p("\n%s", say(lang, "Le bac à sable est resté dans cet état :", "The sandbox stays in this state:"))
	p("  %s", s.Sandbox)
	if s.Login != "" {
		p("  %s %s, %s %s, %s %s", say(lang, "patient", "patient"), s.Patient, say(lang, "compte", "account"), s.Login, say(lang, "mot de passe", "password"), s.Password)
	}
	for _, f := range s.Armed {
		p("  %s %s %s × %d", say(lang, "panne réarmée :", "fault armed anew:"), f.Route, f.Kind, f.Next)
	}
	p("  %s %s/v1/spaces/%s, %s %s", say(lang, "contrôle", "control"), s.Control.Base, s.Space, say(lang, "jeton", "token"), s.Control.Token)
	for _, t := range s.Doubts {
		p("\n%s", l.Typeset(l.Of(t)))
	}
	if s.Command != "" || len(s.Needs) > 0 {
		p("\n%s", say(lang, "Pour montrer l’échec de nouveau :", "To show the failure again:"))
		for _, t := range s.Needs {
			p("  # %s", l.Typeset(l.Of(t)))
		}
		for _, x := range s.Exports {
			p("  export %s=%s", x.Name, quoted(x.Value))
		}
		if s.Command != "" {
			p("  %s", s.Command)
		}
	}
	p("\n%s", say(lang, "Ctrl-C pour finir. Ce que le bac à sable voit désormais :", "Ctrl-C to end. What the sandbox sees from now on:"))
}

// watch tells what reaches the sandbox until the context ends.
func (a *app) watch(ctx context.Context, s run.Shown) error {
	seen, err := s.Control.Now(ctx, s.Space, 0)
	if ctx.Err() != nil { // who reads fast is gone before the first look
		return nil
	}
	if err != nil {
		return err
	}
	after := seen.Next
	for ctx.Err() == nil {
		entries, err := s.Control.Journal(ctx, s.Space, after, 2*time.Second)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		for _, r := range entries.Records {
			if x := r.Exchange; x != nil && r.Seq > after && x.From == record.Candidate {
				fmt.Fprintf(a.out, "%s  %s  %s %s → %d%s\n", r.At.Local().Format("15:04:05.000"), x.Route, words.Printable(x.Request.Method), words.Printable(s.Redactor.Redact(x.Request.URL)), x.Response.Status, fault(x.Fault))
			}
		}
		after = max(after, entries.Next)
	}
	return nil
}

// maxShown is how many findings are printed.
const maxShown = 5

func colon(lang string) string { return say(lang, "\u00a0: ", ": ") }

func fault(id string) string {
	if id == "" {
		return ""
	}
	return " (" + id + ")"
}
