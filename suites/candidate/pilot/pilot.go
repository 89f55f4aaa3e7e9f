// Package pilot makes a candidate act: over HTTP, by a command started for each
// action, or by the hands of a person. It also starts a candidate that is not
// running already.
//
// A pilot returns an answer, or the reason why there is none: a
// *candidate.PilotError when the candidate is at fault, the error of the
// context when the harness gave up first, ErrStopped when a person stops for
// today.
package pilot

import (
	"context"
	"errors"
	"fmt"

	"github.com/etalon-sante/etalon/suites/candidate"
)

// MaxAnswer is the most that is read of an answer, in bytes: a document of
// 5,000,000 bytes in base64, and its envelope.
const MaxAnswer = 8 << 20

// The kinds of candidate.PilotError.
const (
	Unreachable = "unreachable" // no connection
	Timeout     = "timeout"     // no whole answer in time
	Status      = "status"      // an HTTP status other than 200, an exit code other than 0
	Body        = "body"        // an answer that is not of the contract
	Start       = "start"       // the command could not be started
)

// ErrStopped says that the person stopped for today: the run can be taken up
// again, the scenario in progress begins anew.
var ErrStopped = errors.New("stopped for today at the person's request")

func fault(kind string, format string, args ...any) error {
	return &candidate.PilotError{Kind: kind, Err: fmt.Errorf(format, args...)}
}

// gaveUp tells a harness that gave up, which is no fault of the candidate, from
// a candidate that was too slow. Call it with the caller's own context.
func gaveUp(ctx context.Context, call candidate.Call) error {
	if ctx.Err() != nil && !errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return fmt.Errorf("action %s: %w", call.Action, ctx.Err())
	}
	return nil
}
