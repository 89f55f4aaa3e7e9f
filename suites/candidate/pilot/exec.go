package pilot

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"time"

	"github.com/etalon-sante/etalon/suites/candidate"
)

// maxStderr is how much is kept of what one action writes to stderr, in bytes:
// the end, where the reason stands.
const maxStderr = 64 << 10

// drain is how long the pipes of an ended command are still read: a process
// that it left behind could hold them open for ever.
const drain = 500 * time.Millisecond

// ExecOptions say which command is started for each action.
type ExecOptions struct {
	Command []string      // command and arguments
	Folder  string        // of the manifest: working folder, start of relative paths
	Environ []string      // environment ("NAME=value"); nil means that of the harness
	Timeout time.Duration // for one action; 0 leaves it to the context
	// Stderr, when not nil, receives what the command wrote to stderr once it
	// has ended (the last 64 KiB). Several calls may be made at the same time.
	Stderr func(call candidate.Call, text string)
}

// Exec is a pilot that starts one process per action. It is safe for
// concurrent use.
type Exec struct{ o ExecOptions }

// NewExec returns a pilot for a command. That the command exists is checked
// when the first action is asked for.
func NewExec(o ExecOptions) *Exec { return &Exec{o} }

// Do starts the command, writes the call to its stdin and reads the answer
// from its stdout. The process and all it started in its group are ended when
// Do returns.
func (p *Exec) Do(ctx context.Context, call candidate.Call) (candidate.Answer, error) {
	var none candidate.Answer
	body, err := json.Marshal(call)
	if err != nil {
		return none, fmt.Errorf("action %s: write the call: %w", call.Action, err)
	}
	if err := ctx.Err(); err != nil {
		return none, fmt.Errorf("action %s: %w", call.Action, err)
	}
	cmd, err := newCommand(p.o.Command, p.o.Folder, p.o.Environ)
	if err != nil {
		return none, fault(Start, "%w", err)
	}
	limited, cancel := context.WithCancel(ctx)
	defer cancel()
	if p.o.Timeout > 0 {
		var clear context.CancelFunc
		limited, clear = context.WithTimeout(limited, p.o.Timeout)
		defer clear()
	}
	diagnostics := &Tail{Most: maxStderr}
	output := &head{most: MaxAnswer, full: cancel}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(append(body, '\n')), output, diagnostics
	cmd.WaitDelay = drain
	if err := cmd.Start(); err != nil {
		return none, fault(Start, "%w", err)
	}
	ended := context.AfterFunc(limited, func() { killGroup(cmd.Process.Pid) })
	err = cmd.Wait()
	inTime := ended()
	killGroup(cmd.Process.Pid)
	if p.o.Stderr != nil {
		if text := diagnostics.String(); text != "" {
			p.o.Stderr(call, text)
		}
	}
	switch {
	case len(output.kept) > MaxAnswer:
		return none, fault(Body, "%s wrote more than %d bytes to stdout: only the answer belongs there", p.o.Command[0], MaxAnswer)
	case gaveUp(ctx, call) != nil:
		return none, gaveUp(ctx, call)
	case !inTime:
		return none, fault(Timeout, "%s did not end in time", p.o.Command[0])
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return none, fault(Status, "%s ended with %s; its last words on stderr: %q", p.o.Command[0], exit.ProcessState, lastLine(diagnostics.String()))
	}
	// A process left behind that holds the pipes open takes nothing from the
	// answer, which stands before it.
	if err != nil && !errors.Is(err, exec.ErrWaitDelay) {
		return none, fault(Body, "%s: %w", p.o.Command[0], err)
	}
	answer, err := DecodeAnswer(output.kept)
	if err != nil {
		return none, fault(Body, "stdout of %s: %w", p.o.Command[0], err)
	}
	return answer, nil
}
