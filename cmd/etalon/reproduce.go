package main

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/etalon-sante/etalon/reports/compare"
	"github.com/etalon-sante/etalon/suites/candidate"
	"github.com/etalon-sante/etalon/suites/run"
)

func (a *app) reproduce() *cobra.Command {
	f := &runFlags{}
	var file, out, profile, where, token, lang string
	c := &cobra.Command{
		Use:   "reproduce DIR",
		Short: "run again what a sealed report says it ran, and compare",
		Long: "reproduce first verifies the folder, then runs again with the same seed, selection\n" +
			"and settings, and compares verdict by verdict. A run of the bundled reference service\n" +
			"needs nothing else; for another, name its manifest with --candidate: it must be, byte\n" +
			"for byte, the one that was used, since a manifest may say what to start.\n\n" +
			"Exit code: 0 every verdict is the same; 1 the folder does not hold, or a verdict\n" +
			"differs; 2 it cannot be read, or the manifest is another; 4 another build of Étalon\n" +
			"came to other verdicts, or the two cannot be compared.",
		Args: oneArg("the folder of a run"),
		RunE: func(c *cobra.Command, args []string) error {
			l := a.lang(lang)
			v, err := run.Verify(args[0], run.VerifyOptions{Version: version})
			if err != nil {
				return usage{err}
			}
			if !v.Seal.Holds() || !v.Recomputed {
				fmt.Fprintln(a.err, say(l, "Ce dossier ne se vérifie pas ; « etalon verify » dit pourquoi. Rien n'a été rejoué.", "This folder does not verify; `etalon verify` says why. Nothing was run."))
				return exit{exitNo}
			}
			rec, err := run.ReadFolder(args[0])
			if err != nil {
				return usage{err}
			}
			isDemo, err := commandOf(rec.Info.Command, f)
			if err != nil {
				return usage{err}
			}
			f.out, f.profile, f.lang, f.sandbox, f.token = out, profile, l, cmp.Or(where, f.sandbox), token
			if same, err := filepath.Abs(args[0]); err == nil {
				if to, err := filepath.Abs(out); err == nil && to == same {
					return usage{fmt.Errorf("--out %s is the folder to be reproduced: name another", out)}
				}
			}
			var got run.Outcome
			if isDemo {
				got, err = a.demonstrate(c.Context(), f)
			} else {
				got, err = a.runAgain(c, args[0], file, f)
			}
			if err != nil {
				return inLanguage(err, l)
			}
			if got.Report.Run.Profile.Digest != v.Report.Run.Profile.Digest {
				return usage{fmt.Errorf("the run was judged by the profile %q, this one by %q: name the first with --profile", v.Report.Run.Profile.Name, got.Report.Run.Profile.Name)}
			}
			found := compare.Compare(*v.Report, got.Report)
			if err := compare.WriteText(a.out, found, l); err != nil {
				return err
			}
			switch {
			case found.Outcome == compare.NotComparable:
				return exit{exitUndecided}
			case len(found.Changes) == stillFailing(found) && v.Report.Verdict == got.Report.Verdict:
				fmt.Fprintln(a.out, say(l, "Reproduit : chaque verdict est le même.", "Reproduced: every verdict is the same."))
				return nil
			case !v.SameBuild:
				return exit{exitUndecided}
			}
			return exit{exitNo}
		},
	}
	c.Flags().StringVar(&file, "candidate", "", "manifest of the candidate, the very one that was used (not needed for a run of the reference)")
	c.Flags().StringVar(&out, "out", "reproduced", "folder of the new run")
	c.Flags().StringVar(&profile, "profile", "", "the profile that was used, where it was not étalon's own")
	c.Flags().StringVar(&where, "sandbox", "", "control API of the sandbox that was used, where it was hosted")
	c.Flags().StringVar(&token, "sandbox-token", "", "its bearer (default: ETALON_SANDBOX_TOKEN)")
	c.Flags().StringVar(&lang, "lang", "", "fr or en")
	return c
}

// stillFailing counts what failed before and fails alike: no difference.
func stillFailing(c compare.Comparison) int {
	n := 0
	for _, x := range c.Changes {
		if x.Kind == compare.StillFailing {
			n++
		}
	}
	return n
}

// runAgain runs a manifest that the user named, which must be the one of the folder.
func (a *app) runAgain(c *cobra.Command, dir, file string, f *runFlags) (run.Outcome, error) {
	if file == "" {
		return run.Outcome{}, usage{errors.New("this run was of a service of somebody's: name its manifest with --candidate (candidate.yaml of the folder is a copy; its relative paths begin where the original stood)")}
	}
	m, err := candidate.ReadFor(file, f.env, a.env)
	if err != nil {
		return run.Outcome{}, err
	}
	used, err := os.ReadFile(filepath.Join(dir, "candidate.yaml"))
	if err != nil {
		return run.Outcome{}, usage{fmt.Errorf("the folder lacks the manifest that was used (a copy for everyone does): %w", err)}
	}
	if !bytes.Equal(used, m.Raw) {
		return run.Outcome{}, usage{fmt.Errorf("%s is not the manifest that was used: %s holds that one", file, filepath.Join(dir, "candidate.yaml"))}
	}
	o, err := f.options(a, m)
	if err != nil {
		return run.Outcome{}, err
	}
	o.Command = reproduce("etalon run --candidate candidate.yaml", f)
	a.announce(o)
	return run.Run(c.Context(), o)
}

// commandOf reads the command that a run says repeats it, and refuses what our own
// commands never say: the folder may come from anyone.
func commandOf(command string, f *runFlags) (isDemo bool, err error) {
	words, err := wordsOf(command)
	if err != nil || len(words) < 2 || words[0] != "etalon" || words[1] != "run" && words[1] != "demo" {
		return false, fmt.Errorf("the folder says that %q repeats it, which is no run or demo of étalon", command)
	}
	c := &cobra.Command{}
	f.register(c)
	c.Flags().StringVar(&f.env, "env", "", "")
	c.Flags().StringVar(&f.candidate, "candidate", "", "")
	if err := c.Flags().Parse(words[2:]); err != nil {
		return false, fmt.Errorf("the command of the folder (%q): %w", command, err)
	}
	ours := []string{"candidate", "env", "seed", "sandbox", "resolver", "strict", "only", "theme", "browser", "third-parties", "phase"}
	c.Flags().Visit(func(x *pflag.Flag) {
		if !slices.Contains(ours, x.Name) {
			err = fmt.Errorf("the command of the folder (%q) says --%s, which no run writes down", command, x.Name)
		}
	})
	if err == nil && (f.sandbox != "embedded" && f.sandbox != "container" || c.Flags().NArg() > 0) {
		err = fmt.Errorf("the command of the folder (%q) is not one that a run writes down", command)
	}
	if err == nil && f.browser != "" && f.browser != "auto" && f.browser != "off" {
		err = fmt.Errorf("the command of the folder (%q) names a program of another machine as the browser", command)
	}
	return words[1] == "demo", err
}

// wordsOf splits a command as quoted wrote it.
func wordsOf(command string) ([]string, error) {
	var out []string
	var word strings.Builder
	in, any := false, false
	for i := 0; i < len(command); i++ {
		switch ch := command[i]; {
		case in && ch == '\'':
			in = false
		case in:
			word.WriteByte(ch)
		case ch == '\'':
			in, any = true, true
		case ch == '\\' && i+1 < len(command):
			i++
			word.WriteByte(command[i])
			any = true
		case ch == ' ':
			if any {
				out = append(out, word.String())
			}
			word.Reset()
			any = false
		default:
			word.WriteByte(ch)
			any = true
		}
	}
	if in {
		return nil, errors.New("a quote is not closed")
	}
	if any {
		out = append(out, word.String())
	}
	return out, nil
}
