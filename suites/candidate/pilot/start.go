package pilot

import (
	"context"
	"crypto/x509"
	"maps"
	"os"
	"os/exec"
	"slices"
	"sync"
	"time"

	"github.com/etalon-sante/etalon/suites/candidate"
)

const (
	maxOutput = 16 << 10              // bytes kept of what the candidate prints
	grace     = 3 * time.Second       // between asking a candidate to end and ending it
	endLook   = 20 * time.Millisecond // between two looks whether its group is gone
)

// StartOptions complete a manifest's start command.
type StartOptions struct {
	Folder  string         // of the manifest: working folder, start of relative paths
	Environ []string       // environment to which the manifest's is added; nil means that of the harness
	Roots   *x509.CertPool // authorities of an https ready address; nil means the system's
}

// Process is a candidate that was started. All methods are safe for concurrent
// use.
type Process struct {
	cmd    *exec.Cmd
	output *Tail
	done   chan struct{} // closed when the command has ended
	stop   sync.Once
	err    error // how it ended; read after done
}

// StartCommand starts a candidate and waits until its ready address answers
// anything below 500. An error is a *candidate.PilotError of kind start, with
// the last output of the candidate, or the error of the context. The context
// bounds the wait only: call Stop to end what was started.
func StartCommand(ctx context.Context, start candidate.Start, o StartOptions) (*Process, error) {
	look := NewLook(start, o.Roots)
	if err := look.Before(ctx); err != nil {
		return nil, err
	}
	environ := o.Environ
	if environ == nil {
		environ = os.Environ()
	}
	environ = slices.Clone(environ)
	for _, name := range slices.Sorted(maps.Keys(start.Env)) {
		environ = append(environ, name+"="+start.Env[name])
	}
	cmd, err := newCommand(start.Command, o.Folder, environ)
	if err != nil {
		return nil, fault(Start, "%w", err)
	}
	p := &Process{cmd: cmd, output: &Tail{Most: maxOutput}, done: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = p.output, p.output
	cmd.WaitDelay = drain
	if err := cmd.Start(); err != nil {
		return nil, fault(Start, "%w", err)
	}
	go func() {
		p.err = cmd.Wait()
		close(p.done)
	}()
	if err := look.Wait(ctx, p); err != nil {
		p.Stop()
		return nil, err
	}
	return p, nil
}

// Done is closed when the command has ended, asked or not.
func (p *Process) Done() <-chan struct{} { return p.done }

// Died returns a *candidate.PilotError with the last output when the command
// has ended, and nil while it runs.
func (p *Process) Died() error {
	select {
	case <-p.done:
	default:
		return nil
	}
	how := "exit status 0; a start command must stay in the foreground"
	if p.err != nil {
		how = p.err.Error()
	}
	return fault(Start, "the candidate ended (%s); its last output:\n%s", how, p.Output())
}

// Output returns the last 16 KiB that the candidate printed.
func (p *Process) Output() string { return p.output.String() }

// Stop ends the command and everything in its process group: it asks, waits 3
// seconds at most, then kills. It may be called again, which does nothing: by
// then the number of the group may belong to someone else.
func (p *Process) Stop() { p.stop.Do(p.end) }

// Kill ends the command and everything in its process group without asking or
// waiting: for a harness that is itself about to end.
func (p *Process) Kill() {
	select {
	case <-p.done: // the number of the group may belong to someone else by now
	default:
		killGroup(p.cmd.Process.Pid)
	}
}

func (p *Process) end() {
	pid := p.cmd.Process.Pid
	askGroup(pid)
	limit := time.NewTimer(grace)
	defer limit.Stop()
	tick := time.NewTicker(endLook)
	defer tick.Stop()
wait:
	for groupLives(pid) {
		select {
		case <-limit.C:
			break wait
		case <-tick.C:
		}
	}
	killGroup(pid)
	<-p.done
}
