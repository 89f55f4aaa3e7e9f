package run

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/etalon-sante/etalon/reports"
	"github.com/etalon-sante/etalon/reports/seal"
	"github.com/etalon-sante/etalon/sandbox/record"
	"github.com/etalon-sante/etalon/suites/candidate"
	"github.com/etalon-sante/etalon/suites/candidate/pilot"
	"github.com/etalon-sante/etalon/suites/lab"
	"github.com/etalon-sante/etalon/suites/probe/browser"
	"github.com/etalon-sante/etalon/suites/requirement"
)

// Options are all that a run depends on.
type Options struct {
	Manifest  *candidate.Manifest
	Pilot     candidate.Pilot // nil: the manifest's
	Sandbox   SandboxOptions
	Out       string
	Selection Selection
	Profile   string // file; empty: étalon's own
	Lang      string // of summary.md: fr or en
	Seed      int64
	Strict    bool
	Phase     string         // pilot or generalisation
	Roots     *x509.CertPool // nil: the system's
	RootsNote string         // how run.json names them; empty: "system"
	Resolver  string         // of the domain name system, as host or host:port; "": what needs one stays untested
	Command   string         // how the run was asked for, to be repeated
	Version   string
	Now       func() time.Time
	Progress  func(lab.Progress)
	Logger    *slog.Logger
	Register  func(*lab.Lab) // nil: every suite
	Manual    pilot.ManualOptions
	Started   func(kill func()) // told how to end, at once, a candidate that the run started; nil: nobody
	CDASchema string            // folder of the XML Schema of CDA, or OwnSchema; "": clinical documents are not validated
	Decisions string            // file of what persons decided of an earlier run; "": none
	Known     string            // file of known nonconformities; "": none
	Browser   browser.Options   // with what pages are looked at; zero: nothing
	Resume    bool              // go on in Out with a run that was stopped
	Key       seal.Key          // seals the run; the zero key: one that lives as long as the run
	repro     *repro            // shows one failure again; nil: a run
}

// Outcome is what a run came to.
type Outcome struct {
	Report reports.Report
	Folder string
}

// Run carries out one run, from the manifest to the files of the report.
func Run(ctx context.Context, o Options) (Outcome, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Register == nil {
		o.Register = Register
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	began := o.Now().UTC()
	p, err := prepare(o, began)
	if err != nil {
		return Outcome{}, err
	}
	c := o.Manifest.Candidate
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
	if err := Reach(ctx, c, o.Manifest.Folder); err != nil {
		return Outcome{}, unlessStopped(ctx.Err(), err)
	}
	o.Sandbox.Listen, o.Sandbox.PublicURL = first(o.Sandbox.Listen, c.Sandbox.Listen), first(o.Sandbox.PublicURL, c.Sandbox.PublicURL)
	bench, err := OpenBench(ctx, o.Sandbox)
	if err != nil {
		return Outcome{}, err
	}
	defer bench.Close()
	o.Browser.Sandbox = bench.key(ctx)
	chromium := browser.Open(o.Browser)
	defer chromium.Close()
	redactor := record.NewRedactor()
	attendant := lab.NewAttendant()
	thePilot := o.Pilot
	if thePilot == nil {
		manual := attended(o.Manual, attendant)
		if p.prior != nil {
			manual.Accounts = p.prior.accounts
		}
		made, release, err := pilot.New(o.Manifest, pilot.Options{Roots: o.Roots, Manual: manual, Browser: played(chromium, bench, manual, redactor, o.Now)})
		if err != nil {
			return Outcome{}, err
		}
		defer release()
		thePilot = made
	}
	if o.repro != nil {
		thePilot = o.repro.overhear(thePilot)
	}
	// Only now: what cannot begin must not cost an earlier run its folder.
	folder, info, err := p.open(o, bench)
	if err != nil {
		return Outcome{}, err
	}
	so := SessionOptions{
		Bench: bench, Candidate: c, Secrets: o.Manifest.Secrets, Pilot: thePilot, Roots: o.Roots, Run: info.ID, Seed: o.Seed, Now: o.Now,
		Redactor: redactor, Attendant: attendant, CDASchema: o.CDASchema, Browser: chromium,
		Resolver: o.Resolver, Keep: folder.Keep, Application: o.Manifest.Application,
	}
	if p.prior != nil {
		so.Sitting, so.After, so.Names = len(info.TakenUp), p.prior.last, p.prior.names
	}
	session, err := OpenSession(ctx, so)
	var observed error
	switch {
	case err == nil:
		observed = session.Observe(ctx, p.lab, p.scenarios, o.Seed, o.Progress, folder.Append)
	case ctx.Err() != nil || errors.Is(err, pilot.ErrStopped):
		observed = fmt.Errorf("%w: %w", lab.ErrInterrupted, err)
	default:
		return Outcome{}, errors.Join(err, p.giveBack(folder, info))
	}
	clean, cancel := context.WithTimeout(context.WithoutCancel(ctx), closing)
	defer cancel()
	closed := folder.Close()
	if session != nil {
		if faults, err := bench.API.Faults(clean, session.Space.ID); err == nil {
			info.Faults = joinFaults(info.Faults, faults)
		}
		closed = errors.Join(closed, folder.testify(clean, bench, session.Space.ID))
		if o.repro == nil {
			closed = errors.Join(closed, session.Close(clean))
		}
		for _, n := range session.Notes {
			if !slices.Contains(info.Notes, n) {
				info.Notes = append(info.Notes, n)
			}
		}
	}
	info.Duration += o.Now().Sub(began).Seconds()
	for _, s := range redactor.Secrets(0) {
		info.Secrets[kindOf(s.Name)]++
	}
	switch {
	case errors.Is(observed, lab.ErrInterrupted), ctx.Err() != nil:
		info.State = "interrupted"
	case observed != nil:
		info.State, info.Failure = "failed", redactor.Redact(observed.Error())
	case closed != nil:
		info.State, info.Failure = "failed", redactor.Redact(closed.Error())
	default:
		info.State = "observed"
	}
	if err := folder.PutJSON(infoFile, info); err != nil {
		return Outcome{Folder: o.Out}, err
	}
	report, err := publish(folder, o, redactor)
	out := Outcome{Report: report, Folder: o.Out}
	if o.repro != nil && session != nil {
		return out, o.repro.hold(ctx, stand{out, o, session, bench, redactor, attendant}, err)
	}
	return out, err
}

// preparation is a run before anything happens: what it will judge and play.
type preparation struct {
	cat       *requirement.Catalogue
	profile   *requirement.Profile
	lab       *lab.Lab
	planned   []Planned
	scenarios []*lab.Scenario // to be played in this sitting
	slugs     []string        // of the whole run
	began     time.Time
	prior     *earlier   // nil: a new run
	known     *KnownList // of known nonconformities; nil: none was given
	image     *ImageInfo // of the candidate, if the run started one
	decisions *Decisions // taken over from a file that was named; nil: those of the folder, if any, stay
}

func prepare(o Options, began time.Time) (*preparation, error) {
	p := &preparation{began: began}
	var err error
	if p.cat, err = requirement.Load(); err != nil {
		return nil, fmt.Errorf("load the catalogue: %w", err)
	}
	if p.profile, err = openProfile(p.cat, o.Profile); err != nil {
		return nil, err
	}
	if p.decisions, err = takeDecisions(o); err != nil {
		return nil, err
	}
	if p.known, err = takeKnown(o); err != nil {
		return nil, err
	}
	leaves, l, err := Leaves(o.Register)
	if err != nil {
		return nil, fmt.Errorf("build the tree of checks: %w", err)
	}
	p.lab = l
	day := began
	if o.Resume {
		p.prior, err = takeUp(o.Out, sameRun{
			manifest: o.Manifest.Raw, seed: o.Seed, catalogue: p.cat.Digest(), profile: p.profile.Digest,
			selection: o.Selection, phase: o.Phase, strict: o.Strict,
		})
		if err != nil {
			return nil, err
		}
		day = p.prior.info.Started // a run is judged as of the day on which it began
	}
	p.planned, p.scenarios, err = plan(p.cat, o.Selection, o.Manifest.Candidate, day, o.Phase, leaves, l)
	if err != nil {
		return nil, err
	}
	if o.repro != nil {
		if p.scenarios, err = o.repro.narrow(p, leaves); err != nil {
			return nil, err
		}
	}
	p.slugs = []string{}
	for _, s := range p.scenarios {
		p.slugs = append(p.slugs, s.Slug)
	}
	if p.prior != nil {
		p.scenarios = p.prior.left(p.scenarios)
	}
	return p, nil
}

// open makes the run folder ready, a new one or that of the run that goes on.
func (p *preparation) open(o Options, bench *Bench) (*Folder, Info, error) {
	info := Info{
		Format: folderFormat, ID: runID(p.began), Started: p.began, Seed: o.Seed, Strict: o.Strict,
		Partial: !o.Selection.Empty(), Themes: o.Selection.Themes, Only: o.Selection.Only, Phase: o.Phase,
		Settings: bench.Health.Settings, Notes: []Note{}, Secrets: map[string]int{},
	}
	var folder *Folder
	var err error
	if p.prior == nil {
		folder, err = CreateFolder(o.Out)
	} else {
		if err := p.prior.sameSettings(bench.Health.Settings); err != nil {
			return nil, info, err
		}
		folder, err = p.prior.reopen(o.Out)
		info = p.prior.again(p.began)
	}
	if err != nil {
		return nil, info, err
	}
	info.State, info.Failure = "observing", ""
	info.Harness, info.Catalogue = self(o.Version), Named{Version: p.cat.Version, Digest: p.cat.Digest()}
	info.Profile = ProfileInfo{Name: p.profile.Name, Digest: p.profile.Digest, Blocking: p.profile.IDs()}
	info.Sandbox = SandboxInfo{Form: bench.Form, Build: bench.Health.Build, Public: bench.Health.Public}
	info.Resolver, info.Image = o.Resolver, p.image
	info.Lang = first(o.Lang, "fr")
	info.Roots, info.Command, info.Plan, info.Scenarios = first(o.RootsNote, "system"), o.Command, p.planned, p.slugs
	masked, who := maskPersons(blankSecrets(o.Manifest.Candidate))
	if n := len(who.Persons); n > 0 {
		info.Secrets["person"] = n
	}
	err = errors.Join(folder.PutJSON(infoFile, info), folder.PutJSON(candidateFile, masked), folder.Put(manifestFile, o.Manifest.Raw), folder.keepPersons(o.Manifest, masked, who))
	if p.known != nil {
		err = errors.Join(err, folder.Put(knownFile, p.known.Raw))
	}
	if p.decisions != nil {
		err = errors.Join(err, folder.PutJSON(decisionsFile, *p.decisions))
	}
	if err != nil {
		return nil, info, errors.Join(err, p.giveBack(folder, info))
	}
	return folder, info, nil
}

// giveBack leaves a folder in which nothing could be recorded as it was: empty,
// or holding what was recorded before, ready to go on.
func (p *preparation) giveBack(folder *Folder, info Info) error {
	if p.prior == nil {
		return folder.Abandon()
	}
	info.State = "interrupted"
	return errors.Join(folder.PutJSON(infoFile, info), folder.Close())
}

// closing bounds what is asked of the sandbox once the observation has ended: a
// sandbox that no longer answers must not hold the report back.
const closing = 10 * time.Second

// ErrProfile says that the profile given cannot be used.
var ErrProfile = errors.New("profile")

func openProfile(cat *requirement.Catalogue, path string) (*requirement.Profile, error) {
	if path == "" {
		return requirement.DefaultProfile(cat)
	}
	p, err := requirement.LoadProfile(cat, path)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrProfile, err)
	}
	return p, nil
}

// self says which build this is; without its digest where the file cannot be read.
func self(version string) Harness {
	h := Harness{Version: version, Go: runtime.Version()}
	path, err := os.Executable()
	if err != nil {
		return h
	}
	f, err := os.Open(path)
	if err != nil {
		return h
	}
	defer f.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err == nil {
		h.Digest = hex.EncodeToString(sum.Sum(nil))
	}
	return h
}

// runID is readable and unique: the second of the start, and four random bytes.
func runID(at time.Time) string {
	b := make([]byte, 4)
	_, _ = rand.Read(b) // never fails since Go 1.24
	return at.Format("20060102T150405Z") + "-" + hex.EncodeToString(b)
}

func marshalled(v any) json.RawMessage {
	b, err := json.Marshal(v)
	if err != nil {
		return nil
	}
	return b
}

func first(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// unlessStopped prefers having been interrupted as the reason of a failure.
func unlessStopped(stopped, err error) error {
	if stopped != nil {
		return stopped
	}
	return err
}

func kindOf(name string) string {
	if i := strings.LastIndexByte(name, '-'); i > 0 {
		return name[:i]
	}
	return name
}

// ObserveOnly plays every scenario that a lab declares against an embedded sandbox and
// leaves a folder that can be read back; nothing is judged.
func ObserveOnly(ctx context.Context, folder *Folder, m *candidate.Manifest, roots *x509.CertPool, resolver string, l *lab.Lab) error {
	bench, err := OpenBench(ctx, SandboxOptions{})
	if err != nil {
		return err
	}
	defer bench.Close()
	p, release, err := pilot.New(m, pilot.Options{Roots: roots})
	if err != nil {
		return err
	}
	defer release()
	started := time.Now().UTC()
	session, err := OpenSession(ctx, SessionOptions{Bench: bench, Candidate: m.Candidate, Secrets: m.Secrets, Pilot: p, Roots: roots, Run: runID(started), Seed: 1, Now: time.Now, CDASchema: OwnSchema, Resolver: resolver, Application: m.Application})
	if err != nil {
		return err
	}
	if err := session.Observe(ctx, l, l.Scenarios(), 1, nil, folder.Append); err != nil {
		return err
	}
	info := Info{Format: folderFormat, ID: runID(started), Started: started, State: "observed", Seed: 1}
	return errors.Join(folder.PutJSON(infoFile, info), folder.PutJSON(candidateFile, blankSecrets(m.Candidate)), folder.Close(), session.Close(ctx))
}
