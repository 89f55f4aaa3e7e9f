// Command etalon judges a digital-health service against a sandbox of the Mon
// espace santé APIs. One file per verb: flags to one call, verdict to exit code.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"sync"
	"syscall"
	_ "time/tzdata" // the sandbox image has no time zones of its own

	"github.com/spf13/cobra"

	"github.com/etalon-sante/etalon/sandbox"
	"github.com/etalon-sante/etalon/suites/candidate"
	"github.com/etalon-sante/etalon/suites/run"
)

// version is set by the Makefile at link time.
var version = "dev" //nolint:gochecknoglobals // set by the linker

// The exit codes; those of a judged run come with its report.
const (
	exitOK          = 0
	exitNo          = 1 // the answer is no
	exitUsage       = 2 // usage, manifest, or input that cannot be read
	exitUnreachable = 3 // no connection to the pilot
	exitUndecided   = 4
	exitError       = 5 // the harness failed
)

// exit carries an exit code that is no error to be printed.
type exit struct{ code int }

func (e exit) Error() string { return fmt.Sprintf("exit %d", e.code) }

// usage is an error of the caller.
type usage struct{ err error }

func (e usage) Error() string { return e.err.Error() }
func (e usage) Unwrap() error { return e.err }

// app is what every verb is given.
type app struct {
	in       io.Reader
	out, err io.Writer
	env      func(string) (string, bool)
	asked    string // language asked for by a flag, once it is known
	terminal bool   // whether err is a terminal: progress is shown there only
	started  started
}

// started are the processes that a run started. They have process groups of
// their own, which a Ctrl-C on the terminal does not reach.
type started struct {
	mu   sync.Mutex
	kill []func()
}

func (s *started) add(kill func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kill = append(s.kill, kill)
}

func (s *started) killAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, kill := range s.kill {
		kill()
	}
}

func main() {
	os.Exit(start())
}

func start() int {
	if _, told := os.LookupEnv("GOGC"); !told {
		debug.SetGCPercent(200) // a run is short: an eighth of its time was spent on giving memory back
	}
	// Ours first: after the first run of the tree Ginkgo keeps SIGINT to itself.
	// A second Ctrl-C ends the process at once.
	a := &app{in: os.Stdin, out: os.Stdout, err: os.Stderr, env: os.LookupEnv, terminal: isTerminal(os.Stderr)}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	go func() {
		<-ctx.Done()
		again := make(chan os.Signal, 1)
		signal.Notify(again, os.Interrupt, syscall.SIGTERM) // before stop: no signal may find neither
		stop()
		<-again
		a.started.killAll()
		os.Exit(exitError)
	}()
	return a.main(ctx, os.Args[1:])
}

func (a *app) main(ctx context.Context, args []string) int {
	root := a.root()
	root.SetArgs(args)
	root.SetOut(a.out)
	root.SetErr(a.err)
	err := root.ExecuteContext(ctx)
	code := exitCode(err)
	var quiet exit
	if err != nil && !errors.As(err, &quiet) {
		fmt.Fprintln(a.err, "etalon: "+a.sentence(err))
	}
	return code
}

// sentence is what a person reads of an error, in his language where the error
// speaks both.
func (a *app) sentence(err error) string {
	var bad *candidate.ManifestError
	if errors.As(err, &bad) {
		return bad.In(a.lang(""))
	}
	var leak *run.LeakError
	if errors.As(err, &leak) {
		return leak.In(a.lang(""))
	}
	if errors.Is(err, context.Canceled) {
		return say(a.lang(""), "interrompu avant que rien ne soit observé : aucun rapport n'a été écrit", "interrupted before anything was observed: no report was written")
	}
	return err.Error()
}

// exitCode is the one table from errors to exit codes.
func exitCode(err error) int {
	var (
		code        exit
		bad         *candidate.ManifestError
		wrong       usage
		unreachable *run.UnreachableError
		listen      *sandbox.ListenError
		certificate *sandbox.CertificateError
	)
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &code):
		return code.code
	case errors.As(err, &bad), errors.As(err, &wrong), errors.Is(err, run.ErrSelection), errors.Is(err, run.ErrForeign), errors.Is(err, run.ErrProfile), errors.Is(err, run.ErrDecisions), errors.Is(err, run.ErrKnown), errors.As(err, &listen), errors.As(err, &certificate):
		return exitUsage
	case errors.As(err, &unreachable):
		return exitUnreachable
	case errors.Is(err, context.Canceled):
		return exitUndecided
	case strings.HasPrefix(err.Error(), "unknown command"), strings.HasPrefix(err.Error(), "unknown flag"):
		return exitUsage
	}
	return exitError
}

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "etalon",
		Short: "open conformance harness for services that join Mon espace santé",
		Long: "etalon runs a candidate service against a sandbox of the Mon espace santé APIs and\n" +
			"writes a report that anyone can recompute. It is independent: not an official tool.\n\n" +
			"Start with `etalon demo` (the bundled reference service), then `etalon init` for yours.",
		SilenceUsage: true, SilenceErrors: true,
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usage{fmt.Errorf("unknown command %q; `etalon --help` lists them", args[0])}
			}
			return c.Help()
		},
		Args: cobra.ArbitraryArgs,
	}
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return usage{fmt.Errorf("%w; `%s --help` lists the flags", err, c.CommandPath())}
	})
	root.CompletionOptions.HiddenDefaultCmd = true
	root.AddCommand(a.run(), a.observe(), a.demo(), a.doctor(), a.initialise(), a.assist(), a.judge(), a.compare(), a.gate(), a.repro(), a.verify(), a.reproduce(), a.seal(), a.keys(), a.sandbox(), a.requirements(), a.fixtures(), a.selftest(), a.image(), a.version(), a.reference(), a.report(), a.evidence())
	return root
}

// lang is the language asked for, else the environment's, else French.
func (a *app) lang(flag string) string {
	if flag == "fr" || flag == "en" {
		a.asked = flag
	}
	if a.asked != "" {
		return a.asked
	}
	for _, name := range []string{"ETALON_LANG", "LC_ALL", "LC_MESSAGES", "LANG"} {
		if v, ok := a.env(name); ok && v != "" {
			switch {
			case strings.HasPrefix(v, "fr"):
				return "fr"
			case strings.HasPrefix(v, "en"):
				return "en"
			}
		}
	}
	return "fr"
}

// say picks one of two sentences.
func say(lang, fr, en string) string {
	if lang == "en" {
		return en
	}
	return fr
}

func noArgs(c *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usage{fmt.Errorf("%s takes no argument, got %q", c.CommandPath(), args[0])}
	}
	return nil
}

func oneArg(what string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) != 1 {
			return usage{fmt.Errorf("%s takes %s", c.CommandPath(), what)}
		}
		return nil
	}
}

func isTerminal(f *os.File) bool {
	st, err := f.Stat()
	return err == nil && st.Mode()&os.ModeCharDevice != 0
}
