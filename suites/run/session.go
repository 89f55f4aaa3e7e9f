package run

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/etalon-sante/etalon/sandbox"
	"github.com/etalon-sante/etalon/sandbox/container"
	"github.com/etalon-sante/etalon/sandbox/control"
	"github.com/etalon-sante/etalon/sandbox/record"
	"github.com/etalon-sante/etalon/suites/candidate"
	"github.com/etalon-sante/etalon/suites/lab"
	"github.com/etalon-sante/etalon/suites/outward"
	"github.com/etalon-sante/etalon/suites/probe/browser"
)

// Bench is a sandbox at hand, in whatever form.
type Bench struct {
	API    control.API
	Form   string // embedded, container, remote
	Health control.Health
	close  func() error
}

// Close ends what was started for it.
func (b *Bench) Close() error {
	if b.close == nil {
		return nil
	}
	return b.close()
}

// SandboxOptions say which sandbox a run uses.
type SandboxOptions struct {
	Where     string // embedded, container, or the URL of a control API
	Token     string // bearer of a remote control API
	Listen    string
	PublicURL string
	Host      string // under which the candidate reaches this machine, where that is not 127.0.0.1; a container's sandbox is published under it
	Binary    string // what the image of a container holds; default: this very program
	TLSCert   string // file of the certificate of an embedded sandbox, with its chain; empty: one of its own authority
	TLSKey    string // file of its key
	StateDir  string // where the sandbox's authority is kept between runs
	Build     string
	Logger    *slog.Logger
}

// OpenBench starts or reaches a sandbox.
func OpenBench(ctx context.Context, o SandboxOptions) (*Bench, error) {
	b := &Bench{}
	switch o.Where {
	case "", "embedded":
		so := sandbox.Options{Listen: o.Listen, PublicURL: o.PublicURL, StateDir: o.StateDir, Build: o.Build, Logger: o.Logger}
		var err error
		if o.TLSCert != "" || o.TLSKey != "" {
			if so.Certificate, err = sandbox.ReadCertificate(o.TLSCert, o.TLSKey); err != nil {
				return nil, &sandbox.CertificateError{Err: err}
			}
		}
		s, err := sandbox.New(so)
		if err != nil {
			return nil, err
		}
		if err := s.Start(ctx); err != nil {
			return nil, err
		}
		b.API, b.Form, b.close = s.Control(), "embedded", s.Close
	case "container":
		self := o.Binary
		if self == "" {
			var err error
			if self, err = os.Executable(); err != nil {
				return nil, fmt.Errorf("the sandbox's image holds this very program: %w", err)
			}
		}
		c, err := container.Start(ctx, container.Options{Binary: self, Host: o.Host, Logger: o.Logger})
		if err != nil {
			return nil, err
		}
		b.API, b.Form, b.close = c.Control(), "container", c.Close
	default:
		u, err := url.Parse(o.Where)
		if err != nil || u.Host == "" {
			return nil, fmt.Errorf("%w: --sandbox takes embedded, container or the address of a control API, not %q", ErrSelection, o.Where)
		}
		b.API, b.Form = control.API{Base: strings.TrimRight(o.Where, "/"), Token: o.Token}, "remote"
	}
	health, err := b.API.Health(ctx)
	if err != nil {
		return nil, errors.Join(err, b.Close())
	}
	b.Health = health
	return b, nil
}

// Session is a candidate and its space in a sandbox, ready to be observed.
type Session struct {
	Candidate  candidate.Candidate
	Space      control.Space
	Pilot      candidate.Pilot
	Redactor   *record.Redactor
	Roots      *x509.CertPool
	Notes      []Note
	Configured string // how the candidate got its configuration: see the constants
	held       held   // what the client authenticates with, where configure hands it over
	run        string
	bench      *Bench
	now        func() time.Time
	options    SessionOptions
}

// How a candidate got its configuration.
const (
	ConfiguredByPilot = "pilot"   // it took over what configure gave
	ConfiguredByHand  = "by-hand" // it does not know configure: a person configured it
	NotConfigured     = "failed"  // configure came to nothing
)

// SessionOptions say how a session is opened.
type SessionOptions struct {
	Bench     *Bench
	Candidate candidate.Candidate
	Secrets   map[string]string // of the manifest, by name
	Pilot     candidate.Pilot
	Roots     *x509.CertPool // trusted besides the sandbox's own authority
	Resolver  string         // of the domain name system; "": what needs one stays untested
	Run       string
	Seed      int64
	Now       func() time.Time
	Redactor  *record.Redactor     // nil: a new one
	Attendant *lab.Attendant       // of a person who plays the pilot
	CDASchema string               // folder of the XML Schema of CDA, or OwnSchema; "": none
	Browser   *browser.Host        // with what pages are looked at; nil: none
	Keep      func(lab.Kept) error // takes pictures of pages; nil: none are taken
	// Application is the path of the application's file (Manifest.Application).
	Application string
	// Unasked leaves a person who plays the pilot alone: the doctor says himself
	// what is to be configured.
	Unasked bool
	// For a run that is taken up again: how often it was, the number of its last
	// record, and the names of secrets that its journal holds.
	Sitting int
	After   int
	Names   map[string]int
}

// UnreachableError says that there is no connection to the pilot.
type UnreachableError struct{ Err error }

func (e *UnreachableError) Error() string { return "the candidate cannot be reached: " + e.Err.Error() }

// Unwrap gives the cause.
func (e *UnreachableError) Unwrap() error { return e.Err }

// OpenSession opens a space for the candidate and configures the candidate for
// it, where it can be. A doubt becomes a note; only the absence of a connection
// to the pilot is an error of the candidate's.
func OpenSession(ctx context.Context, o SessionOptions) (*Session, error) {
	s := &Session{Candidate: o.Candidate, Pilot: o.Pilot, Redactor: o.Redactor, run: o.Run, bench: o.Bench, now: o.Now, options: o}
	if s.Redactor == nil {
		s.Redactor = record.NewRedactor()
	}
	s.Redactor.Continue(o.Names)
	for name, value := range o.Secrets {
		s.Redactor.Name(name, value)
	}
	fixed := o.Candidate.Sandbox
	client, err := s.client(fixed)
	if err != nil {
		return nil, err
	}
	space, err := o.Bench.API.CreateSpace(ctx, control.SpaceRequest{
		BasePath: fixed.BasePath, Seed: o.Seed, After: control.Numbers{IDs: o.Sitting * lab.SittingIDs, Names: o.Names},
		Client: client, Card: card(o.Candidate), Run: o.Run,
	})
	if err != nil {
		return nil, err
	}
	s.Space = space
	s.Roots = o.Roots
	if s.Roots == nil {
		if s.Roots, err = x509.SystemCertPool(); err != nil {
			s.Roots = x509.NewCertPool()
		}
	} else {
		s.Roots = s.Roots.Clone()
	}
	s.Roots.AppendCertsFromPEM([]byte(space.CA))
	if err := s.configure(ctx); err != nil {
		return nil, errors.Join(err, o.Bench.API.DeleteSpace(context.WithoutCancel(ctx), space.ID))
	}
	return s, nil
}

// Close frees the space.
func (s *Session) Close(ctx context.Context) error {
	return s.bench.API.DeleteSpace(ctx, s.Space.ID)
}

// Observe plays scenarios and hands their records to the sink.
func (s *Session) Observe(ctx context.Context, l *lab.Lab, scenarios []*lab.Scenario, seed int64, progress func(lab.Progress), sink func([]record.Record) error) error {
	return l.Observe(ctx, lab.Env{
		Candidate: s.Candidate, Pilot: s.Pilot, Sandbox: s.bench.API, Space: s.Space, Roots: s.Roots,
		Redactor: s.Redactor, Run: s.run, Seed: seed, Now: s.now, Progress: progress, Sink: sink,
		CDASchema: s.options.CDASchema, Browser: s.options.Browser, Resolver: s.options.Resolver,
		Keep: s.options.Keep, Application: s.options.Application,
		Attendant: s.options.Attendant, Sitting: s.options.Sitting, After: s.options.After,
	}, scenarios)
}

// Reach says whether there is a connection to the pilot: a TCP connection to an
// http pilot, a program that exists for an exec one.
func Reach(ctx context.Context, c candidate.Candidate, folder string) error {
	switch c.Pilot.Kind {
	case "http":
		u, err := url.Parse(c.Pilot.URL)
		if err != nil {
			return &UnreachableError{err}
		}
		port := u.Port()
		if port == "" {
			port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
		}
		limit, cancel := context.WithTimeout(ctx, 5*time.Second)
		defer cancel()
		conn, err := outward.Dial(limit, "tcp", net.JoinHostPort(u.Hostname(), port))
		if err != nil {
			return &UnreachableError{fmt.Errorf("pilot %s: %w", c.Pilot.URL, err)}
		}
		return conn.Close()
	case "exec":
		if len(c.Pilot.Command) == 0 {
			return &UnreachableError{errors.New("pilot.command is empty")}
		}
		name := c.Pilot.Command[0]
		if strings.ContainsRune(name, filepath.Separator) && !filepath.IsAbs(name) {
			name = filepath.Join(folder, name)
		}
		if _, err := exec.LookPath(name); err != nil {
			return &UnreachableError{fmt.Errorf("pilot command: %w", err)}
		}
	}
	return nil
}
