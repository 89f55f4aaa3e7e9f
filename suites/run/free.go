package run

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"time"

	"github.com/etalon-sante/etalon/reports"
	"github.com/etalon-sante/etalon/sandbox/control"
	"github.com/etalon-sante/etalon/sandbox/record"
	"github.com/etalon-sante/etalon/suites/candidate"
	"github.com/etalon-sante/etalon/suites/lab"
)

// FreeOptions are what a session of free use depends on, besides what a run
// does: a person uses the service by hand, nobody drives it.
type FreeOptions struct {
	Options
	Patients  int           // test patients to begin with; at least 1
	Redirects []string      // addresses of return, besides those of the manifest
	For       time.Duration // 0: until the context ends or "end" is typed
	In        io.Reader     // typed commands; nil: none
	Tell      io.Writer     // what the person is told, in Lang; secrets are shown there, and only there
	CAFile    string        // where the sandbox's certificate can be picked up, to be told; empty: not told
	// Ready, when not nil, is told once the service can be used.
	Ready func(FreeSession)
}

// FreeSession is what a person needs to use the service against the sandbox.
type FreeSession struct {
	Space    control.Space
	Patients []*lab.Patient
}

// maxFreePatients bounds how many test patients one session may have.
const maxFreePatients = 50

// FreeCandidate is the manifest of a service that none describes: everything is
// claimed, so that whatever it exchanges is judged.
func FreeCandidate() (*candidate.Manifest, error) {
	raw := []byte(`etalon: 1
editor: {name: "(sans manifeste)", siren: "000000000", kind: company}
service: {name: "Service sans manifeste", version: "—", category: app, sector: health, audience: [patient], finalites: [care]}
claims: {pairing: true, measures: [write, read], documents: [write, read], agenda: [write, read], devices: true}
pilot: {kind: manual}
`)
	return candidate.Parse(raw, "candidate.yaml", "", func(string) (string, bool) { return "", false })
}

// Observe serves the sandbox to a person who uses the service by hand, until
// the context ends; then it judges what had an occasion and writes the folder,
// which `etalon judge` recomputes.
func Observe(ctx context.Context, o FreeOptions) (Outcome, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Register == nil {
		o.Register = Register
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Patients < 1 || o.Patients > maxFreePatients {
		return Outcome{}, fmt.Errorf("%w: --patients takes a number from 1 to %d, not %d", ErrSelection, maxFreePatients, o.Patients)
	}
	c := &o.Manifest.Candidate
	c.Sandbox.RedirectURIs = append(c.Sandbox.RedirectURIs, o.Redirects...)
	if len(c.Sandbox.RedirectURIs) == 0 {
		return Outcome{}, fmt.Errorf("%w: the address to which the service has patients sent back after consent is not known: give it with --redirect, or as sandbox.redirectUris in the manifest", ErrSelection)
	}
	for _, r := range o.Redirects {
		if u, err := url.Parse(r); err != nil || !u.IsAbs() || u.Fragment != "" || u.Scheme == "javascript" || u.Scheme == "data" || u.Scheme == "file" {
			return Outcome{}, fmt.Errorf("%w: --redirect takes a whole address without a fragment, or that of an app (app.example:/back), not %q", ErrSelection, r)
		}
	}
	began := o.Now().UTC()
	p, err := prepare(o.Options, began)
	if err != nil {
		return Outcome{}, err
	}
	p.lab, p.scenarios, p.slugs = lab.New(), nil, []string{lab.FreeSlug}
	if c.Start != nil {
		process, err := startCandidate(ctx, o.Manifest, o.Roots, &o.Sandbox)
		if err != nil {
			return Outcome{}, unlessStopped(ctx.Err(), &UnreachableError{err})
		}
		defer process.Stop()
		p.image = imageOf(process)
		if o.Started != nil {
			o.Started(process.Kill)
		}
	}
	o.Sandbox.Listen, o.Sandbox.PublicURL = first(o.Sandbox.Listen, c.Sandbox.Listen), first(o.Sandbox.PublicURL, c.Sandbox.PublicURL)
	bench, err := OpenBench(ctx, o.Sandbox)
	if err != nil {
		return Outcome{}, err
	}
	defer bench.Close()
	folder, info, err := p.open(o.Options, bench)
	if err != nil {
		return Outcome{}, err
	}
	info.FreeUse = true
	redactor := record.NewRedactor()
	// Nobody drives the service: what it must know is told to the person.
	session, err := openFree(ctx, SessionOptions{
		Bench: bench, Candidate: *c, Secrets: o.Manifest.Secrets, Roots: o.Roots, Run: info.ID, Seed: o.Seed, Now: o.Now, Redactor: redactor,
	})
	if err != nil {
		return Outcome{}, errors.Join(err, p.giveBack(folder, info))
	}
	t := &table{o: o, info: info, session: session, seen: map[string]reports.Verdict{}}
	p.lab.In(lab.FreeSlug, func() {
		p.lab.Scenario(lab.FreeSlug, "a person uses the service by hand", func(work context.Context, s *lab.Stage) error { return t.host(ctx, work, s) })
	})
	work := context.WithoutCancel(ctx) // that the person stops is how a session ends, no interruption
	observed := session.Observe(work, p.lab, p.lab.Scenarios(), o.Seed, nil, folder.Append)
	clean, cancel := context.WithTimeout(work, closing)
	defer cancel()
	closed := folder.Close()
	if faults, err := bench.API.Faults(clean, session.Space.ID); err == nil {
		info.Faults = joinFaults(info.Faults, faults)
	}
	closed = errors.Join(closed, session.Close(clean))
	info.Duration = o.Now().Sub(began).Seconds()
	for _, s := range redactor.Secrets(0) {
		info.Secrets[kindOf(s.Name)]++
	}
	info.State = "observed"
	if err := errors.Join(observed, closed); err != nil {
		info.State, info.Failure = "failed", redactor.Redact(err.Error())
	}
	if err := folder.PutJSON(infoFile, info); err != nil {
		return Outcome{Folder: o.Out}, err
	}
	report, err := publish(folder, o.Options, redactor)
	return Outcome{Report: report, Folder: o.Out}, err
}

// openFree opens a space without asking a pilot for anything.
func openFree(ctx context.Context, o SessionOptions) (*Session, error) {
	o.Unasked = true
	o.Candidate.Pilot = candidate.PilotConfig{Kind: "manual"}
	return OpenSession(ctx, o)
}
