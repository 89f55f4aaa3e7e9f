package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/etalon-sante/etalon/reports"
	"github.com/etalon-sante/etalon/reports/words"
	"github.com/etalon-sante/etalon/suites/candidate"
	"github.com/etalon-sante/etalon/suites/candidate/pilot"
	"github.com/etalon-sante/etalon/suites/lab"
	"github.com/etalon-sante/etalon/suites/probe/browser"
	"github.com/etalon-sante/etalon/suites/probe/dns"
	"github.com/etalon-sante/etalon/suites/run"
)

// runFlags are those that run and demo share.
type runFlags struct {
	candidate, env, sandbox, token, out, profile, lang, phase string
	listen, public, cert, key                                 string // of an embedded sandbox
	theme, only                                               []string
	several                                                   []string // manifests, or folders of them
	seed                                                      int64
	strict, resume                                            bool
	decisions                                                 string // file of what persons decided
	known                                                     string // file of known nonconformities
	gate                                                      bool   // the exit code is that of the gate
	repeat                                                    int    // how often the run is played; 0: once
	resolver                                                  string // of the domain name system
	cdaXSD                                                    string // folder of the XML Schema of CDA
	browser, thirds                                           string // with what pages are shown, and what they may load
}

func (f *runFlags) register(c *cobra.Command) {
	c.Flags().StringVar(&f.sandbox, "sandbox", "embedded", "embedded, container, or the address of a control API")
	c.Flags().StringVar(&f.token, "sandbox-token", "", "bearer of a remote control API (default: ETALON_SANDBOX_TOKEN)")
	f.reach(c)
	c.Flags().StringVar(&f.out, "out", "report", "folder of the run and its report")
	c.Flags().StringSliceVar(&f.theme, "theme", nil, "only these themes: interop, security, ethics, governance")
	c.Flags().StringSliceVar(&f.only, "only", nil, "only these requirements, by id")
	c.Flags().StringVar(&f.profile, "profile", "", "file that says which requirements block (default: étalon's own)")
	c.Flags().StringVar(&f.lang, "lang", "", "fr or en (default: the environment's, else fr)")
	c.Flags().StringVar(&f.phase, "phase", "pilot", "phase of the doctrine: pilot or generalisation")
	c.Flags().StringVar(&f.cdaXSD, "cda-xsd", "", "folder of the XML Schema of CDA R2, by which xmllint validates clinical documents (default: not validated)")
	c.Flags().StringVar(&f.decisions, "decisions", "", "file of what persons decided of an earlier run (decisions.json, see etalon assist)")
	c.Flags().StringVar(&f.known, "known", "", "file of known nonconformities (known.yaml): the verdict stays, an entry that is stale, unmatched or overdue fails")
	c.Flags().BoolVar(&f.gate, "gate", false, "end in the exit code of `etalon gate`: 0 when nothing stands in the way but what --known names, in time")
	c.Flags().IntVar(&f.repeat, "repeat", 0, "play the run so many times with the same seed, each into a folder of its own, and list the verdicts that are not stable")
	f.look(c)
	c.Flags().StringVar(&f.resolver, "resolver", "", "resolver of the domain name system, as address or address:port, that is asked for the service's domain (default: none, DNS stays untested)")
	c.Flags().Int64Var(&f.seed, "seed", 1, "seed of people, data and faults")
	c.Flags().BoolVar(&f.strict, "strict", false, "every requirement in force blocks; a deviation counts as nonconformant")
}

// look registers with what pages are looked at.
func (f *runFlags) look(c *cobra.Command) {
	c.Flags().StringVar(&f.browser, "browser", "", "with what pages are shown: auto (the Chromium or Chrome that is found), off, or the path of one (default: auto; off for demo)")
	c.Flags().StringVar(&f.thirds, "third-parties", "allow", "what pages load from other sites in the browser: allow, or block (what depends on it is then untested)")
}

// reach registers how candidates reach an embedded sandbox.
func (f *runFlags) reach(c *cobra.Command) {
	c.Flags().StringVar(&f.listen, "listen", "", "address on which an embedded sandbox listens (default: sandbox.listen of the manifest, else a free port of 127.0.0.1)")
	c.Flags().StringVar(&f.public, "public-url", "", "https address under which the candidate reaches it (default: sandbox.publicUrl of the manifest, else where it listens)")
	c.Flags().StringVar(&f.cert, "tls-cert", "", "certificate of the sandbox, with its chain, in PEM (default: one of its own authority)")
	c.Flags().StringVar(&f.key, "tls-key", "", "key of --tls-cert, in PEM")
}

func (f *runFlags) options(a *app, m *candidate.Manifest) (run.Options, error) {
	if f.lang != "" && f.lang != "fr" && f.lang != "en" {
		return run.Options{}, usage{fmt.Errorf("--lang takes fr or en, not %q", f.lang)}
	}
	if f.phase != "pilot" && f.phase != "generalisation" {
		return run.Options{}, usage{fmt.Errorf("--phase takes pilot or generalisation, not %q", f.phase)}
	}
	if f.sandbox != "" && f.sandbox != "embedded" && f.listen+f.public+f.cert+f.key != "" {
		return run.Options{}, usage{fmt.Errorf("--listen, --public-url, --tls-cert and --tls-key are of an embedded sandbox, not of --sandbox %s", f.sandbox)}
	}
	chromium := browser.Options{Program: f.browser, BlockOthers: f.thirds == "block"}
	if f.browser == "" {
		chromium.Program = browser.Auto
	}
	if f.thirds != "" && f.thirds != "allow" && f.thirds != "block" {
		return run.Options{}, usage{fmt.Errorf("--third-parties takes allow or block, not %q", f.thirds)}
	}
	if why := browser.Missing(chromium); chromium.Program != browser.Auto && chromium.Program != browser.Off && why != (browser.Text{}) {
		return run.Options{}, usage{errors.New(say(a.lang(f.lang), why.FR, why.EN))}
	}
	if f.resolver != "" {
		if _, err := dns.Address(f.resolver); err != nil {
			return run.Options{}, usage{fmt.Errorf("--resolver: %w", err)}
		}
	}
	token := f.token
	if token == "" {
		token, _ = a.env("ETALON_SANDBOX_TOKEN")
	}
	lang := a.lang(f.lang)
	state, err := stateDir()
	if err != nil {
		return run.Options{}, err
	}
	key, err := a.sealKey(lang)
	if err != nil {
		return run.Options{}, err
	}
	p := &progress{out: a.err, lang: lang, live: a.terminal}
	return run.Options{
		Manifest: m, Out: f.out, Profile: f.profile, Lang: lang, Seed: f.seed, Strict: f.strict, Phase: f.phase,
		Selection: run.Selection{Themes: f.theme, Only: f.only}, Version: version, Progress: p.show,
		Sandbox:   run.SandboxOptions{Where: f.sandbox, Token: token, Listen: f.listen, PublicURL: f.public, TLSCert: f.cert, TLSKey: f.key, StateDir: state, Build: version},
		Manual:    pilot.ManualOptions{In: a.in, Out: a.out, Lang: lang},
		CDASchema: f.cdaXSD, Decisions: f.decisions, Known: f.known, Resolver: f.resolver,
		Browser: chromium, Key: key,
		Resume: f.resume, Started: a.started.add,
	}, nil
}

// stateDir is where the sandbox's authority is kept between the runs of a user,
// so that a service configured once stays right.
func stateDir() (string, error) {
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", nil //nolint:nilerr // without such a folder the authority lives as long as the run
	}
	dir = filepath.Join(dir, "etalon")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", nil //nolint:nilerr // as above
	}
	return dir, nil
}

func (a *app) run() *cobra.Command {
	f := &runFlags{}
	c := &cobra.Command{
		Use:   "run",
		Short: "judge a candidate and write the report",
		Args:  noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			a.lang(f.lang)
			paths, err := manifests(f.several)
			if err != nil {
				return err
			}
			if len(f.several) > 1 || len(paths) > 1 || paths[0] != f.several[0] {
				if f.resume {
					return usage{errors.New("--resume takes up the run of one service: name its manifest alone, with the folder of its report as --out")}
				}
				if f.known != "" || f.gate || c.Flags().Changed("repeat") {
					return usage{errors.New("--known, --gate and --repeat are of one service: run each service alone")}
				}
				return a.several(c.Context(), f, paths)
			}
			f.candidate = paths[0]
			if c.Flags().Changed("repeat") {
				told := false
				return a.repeated(c.Context(), f, func(ctx context.Context, folder string) (run.Outcome, error) {
					defer func() { told = true }()
					return a.one(ctx, f, f.candidate, folder, !told)
				})
			}
			m, err := candidate.ReadFor(f.candidate, f.env, a.env)
			if err != nil {
				return err
			}
			o, err := f.options(a, m)
			if err != nil {
				return err
			}
			o.Command = reproduce("etalon run --candidate candidate.yaml", f)
			a.announce(o)
			out, err := run.Run(c.Context(), o)
			if err != nil {
				return inLanguage(err, o.Lang)
			}
			err = a.conclude(out, o.Lang, f.gate)
			if out.Report.Run.Interrupted {
				again := reproduce("etalon run --resume --candidate "+quoted(f.candidate)+" --out "+quoted(f.out), f)
				if f.sandbox != "embedded" && f.sandbox != "container" {
					again += " --sandbox " + quoted(f.sandbox)
				}
				if f.profile != "" {
					again += " --profile " + quoted(f.profile)
				}
				if f.gate {
					again += " --gate"
				}
				fmt.Fprintf(a.out, "%s\n  %s\n", say(o.Lang, "Campagne interrompue : ce qui est terminé est gardé. Pour continuer :", "Run interrupted: what has ended is kept. To go on:"), again)
			}
			return err
		},
	}
	c.Flags().StringArrayVar(&f.several, "candidate", []string{"candidate.yaml"}, "manifest of the candidate; given several times, or a folder of manifests: a report each and a page over all")
	c.Flags().StringVar(&f.env, "env", "", "environment of the manifest, by its name there (default: none)")
	c.Flags().BoolVar(&f.resume, "resume", false, "go on with a run that was stopped: ended scenarios are kept")
	f.register(c)
	return c
}

// reproduce is the command that repeats a run, with nothing of this machine in it.
func reproduce(command string, f *runFlags) string {
	if f.env != "" {
		command += " --env " + quoted(f.env)
	}
	command += fmt.Sprintf(" --seed %d", f.seed)
	if f.sandbox == "container" {
		command += " --sandbox container"
	}
	if f.resolver != "" {
		command += " --resolver " + quoted(f.resolver)
	}
	if f.strict {
		command += " --strict"
	}
	if len(f.only) > 0 {
		command += " --only " + strings.Join(f.only, ",")
	}
	if len(f.theme) > 0 {
		command += " --theme " + strings.Join(f.theme, ",")
	}
	if f.browser == browser.Auto || f.browser == browser.Off { // a path would be of this machine
		command += " --browser " + f.browser
	}
	if f.thirds == "block" {
		command += " --third-parties block"
	}
	if f.phase != "pilot" {
		command += " --phase " + f.phase
	}
	return command
}

// announce says, before anything is contacted, what will be, and how often.
func (a *app) announce(o run.Options) {
	contacts := run.Contacts(o.Manifest.Candidate, o)
	fmt.Fprintln(a.err, say(o.Lang, contacts.FR, contacts.EN))
}

// inLanguage is an error of the caller in his language, where it speaks both.
func inLanguage(err error, lang string) error {
	var refused *run.ResumeError
	if errors.As(err, &refused) {
		return usage{errors.New(refused.In(lang))}
	}
	return err
}

// quoted is a word as a shell reads it.
func quoted(s string) string {
	if s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._/") == "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// conclude prints what a run came to and where its report is. Its exit code is
// that of the verdict, or of the gate where that was asked for.
func (a *app) conclude(out run.Outcome, lang string, gate bool) error {
	a.verdict(out.Report, lang)
	a.known(out.Report, lang)
	fmt.Fprintf(a.out, "%s %s\n", say(lang, "Rapport :", "Report:"), filepath.Join(out.Folder, page(lang)))
	fmt.Fprintf(a.out, "%s etalon verify %s\n", say(lang, "Scellé ; pour vérifier :", "Sealed; to verify:"), quoted(out.Folder))
	code := out.Report.CommandCode()
	if gate {
		code = a.passes(out.Report, lang)
	}
	if code != exitOK {
		return exit{code}
	}
	return nil
}

func page(lang string) string {
	if lang == "en" {
		return "index.en.html"
	}
	return "index.html"
}

// verdict prints the sentence of the verdict, the counts and what to fix first.
func (a *app) verdict(r reports.Report, lang string) {
	fmt.Fprintln(a.out, words.Lang(lang).Verdict(r))
	var counts []string
	for _, v := range reports.Verdicts() {
		if n := r.Summary[v]; n > 0 {
			word := v.Label().Word
			if n > 1 {
				word = v.Label().Several
			}
			counts = append(counts, fmt.Sprintf("%d %s", n, words.Lang(lang).Of(word)))
		}
	}
	fmt.Fprintln(a.out, strings.Join(counts, " · "))
	shown := 0
	for _, res := range r.Results {
		if res.Verdict != reports.Nonconformant && res.Verdict != reports.Error && res.Verdict != reports.Deviation {
			continue
		}
		if shown++; shown > 10 {
			fmt.Fprintln(a.out, say(lang, "  … la suite est dans le rapport", "  … the rest is in the report"))
			break
		}
		fmt.Fprintf(a.out, "  %s  %s : %s\n", res.Requirement, words.Lang(lang).Of(res.Verdict.Label().Word), res.Title.In(lang))
	}
}

// progress tells how far a run is, on a terminal only.
type progress struct {
	out  interface{ Write([]byte) (int, error) }
	lang string
	live bool
}

func (p *progress) show(s lab.Progress) {
	if !p.live {
		return
	}
	switch s.State {
	case "start":
		fmt.Fprintf(p.out, "\r\x1b[K[%d/%d] %s", s.Done, s.Total, s.Scenario)
	case "end":
		if s.Outcome != lab.Completed {
			fmt.Fprintf(p.out, "\r\x1b[K%s: %s\n", s.Scenario, s.Outcome)
		}
		if s.Done == s.Total {
			fmt.Fprint(p.out, "\r\x1b[K")
		}
	}
}
