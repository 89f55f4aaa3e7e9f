package pilot

import (
	"crypto/x509"
	"fmt"

	"github.com/etalon-sante/etalon/suites/candidate"
)

// Options complete what a manifest says of its pilot.
type Options struct {
	Roots   *x509.CertPool                         // http: authorities of an https endpoint; nil means the system's
	Environ []string                               // exec: environment; nil means that of the harness
	Stderr  func(call candidate.Call, text string) // exec: what a command wrote to stderr
	Manual  ManualOptions                          // manual
	Browser BrowserOptions                         // browser
}

// New returns the pilot that a manifest names, and a function that releases
// what it holds. An action is bounded by the manifest's timing.action.
func New(m *candidate.Manifest, o Options) (candidate.Pilot, func(), error) {
	c := m.Candidate
	switch c.Pilot.Kind {
	case "http":
		p, err := NewHTTP(HTTPOptions{URL: c.Pilot.URL, Token: c.Pilot.Token, Timeout: c.Timing.Action, Roots: o.Roots})
		if err != nil {
			return nil, nil, err
		}
		return p, p.Close, nil
	case "exec":
		p := NewExec(ExecOptions{
			Command: c.Pilot.Command, Folder: m.Folder, Environ: o.Environ, Timeout: c.Timing.Action, Stderr: o.Stderr,
		})
		return p, func() {}, nil
	case "manual":
		p := NewManual(o.Manual)
		return p, p.Close, nil
	case "browser":
		p := NewBrowser(c, o.Browser)
		return p, p.Close, nil
	}
	return nil, nil, fmt.Errorf("pilot: unknown kind %q", c.Pilot.Kind)
}
