package pilot

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/etalon-sante/etalon/suites/candidate"
	"github.com/etalon-sante/etalon/suites/outward"
)

const (
	lookEach  = 50 * time.Millisecond  // between two looks at the ready address
	lookLimit = 2 * time.Second        // for one look
	portTaken = 300 * time.Millisecond // for the look before it is started
)

// Look watches the ready address of a candidate that is being started.
type Look struct {
	start  candidate.Start
	client *http.Client
}

// NewLook prepares to look; roots are the authorities of an https address, nil
// means the system's.
func NewLook(start candidate.Start, roots *x509.CertPool) *Look {
	return &Look{start, &http.Client{
		Timeout: lookLimit,
		Transport: &http.Transport{
			Proxy:             outward.Proxy,
			TLSClientConfig:   &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
			DisableKeepAlives: true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Before refuses an address at which something answers before the candidate is
// started: it would be taken for the candidate, even after that one died because its
// port was taken.
func (l *Look) Before(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, portTaken)
	defer cancel()
	if _, answered := l.answers(ctx); answered {
		return fault(Start, "something answers at %s before the candidate is started: stop it, or remove start from the manifest", l.start.Ready)
	}
	return nil
}

// Started is a candidate that was started, in whatever form.
type Started interface {
	Done() <-chan struct{} // closed when it has ended
	Died() error           // why it has ended; nil while it runs
	Output() string        // the last that it printed
}

// Wait waits until the ready address answers anything below 500. An error is a
// *candidate.PilotError of kind start, with the last output of the candidate, or the
// error of the context.
func (l *Look) Wait(ctx context.Context, p Started) error {
	seconds := l.start.Seconds
	if seconds == 0 {
		seconds = candidate.DefaultStartSeconds
	}
	limited, cancel := context.WithTimeout(ctx, time.Duration(seconds)*time.Second)
	defer cancel()
	tick := time.NewTicker(lookEach)
	defer tick.Stop()
	last := errors.New("no answer")
	for {
		ready, _ := l.answers(limited)
		if ready == nil {
			select {
			case <-p.Done(): // it was something else that answered
			default:
				return nil
			}
		} else if limited.Err() == nil {
			last = ready
		}
		select {
		case <-p.Done():
			return p.Died()
		case <-limited.Done():
			if ctx.Err() != nil {
				return fmt.Errorf("wait for the candidate to be ready: %w", ctx.Err())
			}
			return fault(Start, "%s was not ready after %d s (%w); its last output:\n%s", l.start.Ready, seconds, last, p.Output())
		case <-tick.C:
		}
	}
}

// answers looks once: a nil error means a status below 500, and the boolean that
// something answered at all.
func (l *Look) answers(ctx context.Context) (error, bool) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, l.start.Ready, nil)
	if err != nil {
		return err, false
	}
	res, err := l.client.Do(req)
	if err != nil {
		return err, false
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, 4<<10))
	if res.StatusCode >= 500 {
		return fmt.Errorf("it answers %d", res.StatusCode), true
	}
	return nil, true
}

// NotStarted is the error of a candidate that could not be started, of kind
// start.
func NotStarted(format string, args ...any) error { return fault(Start, format, args...) }
