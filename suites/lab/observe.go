package lab

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sort"
	"sync"
	"sync/atomic"
	"time"

	"github.com/etalon-sante/etalon/sandbox/control"
	"github.com/etalon-sante/etalon/sandbox/record"
	"github.com/etalon-sante/etalon/suites/candidate"
	"github.com/etalon-sante/etalon/suites/outward"
	"github.com/etalon-sante/etalon/suites/probe/browser"
	"github.com/etalon-sante/etalon/suites/probe/pace"
)

// Env is what a live observation needs.
type Env struct {
	Candidate candidate.Candidate
	Pilot     candidate.Pilot
	Sandbox   control.API
	Space     control.Space
	Roots     *x509.CertPool // trusted for the candidate's and the sandbox's addresses
	Resolver  string         // of the domain name system, as host:port; "": none was named
	Redactor  *record.Redactor
	Run       string // opaque id of the run, as the pilot is told
	Seed      int64
	Now       func() time.Time
	Progress  func(Progress)              // nil: quiet
	Sink      func([]record.Record) error // takes the redacted records of an ended scenario, in order
	CDASchema string                      // by what clinical documents are validated; "": by nothing
	Browser   *browser.Host               // with what pages are looked at; nil: with none
	Keep      func(Kept) error            // takes the pictures of an ended scenario; nil: none are taken
	Attendant *Attendant                  // of a person who plays the pilot; nil: nobody does
	// Application is the path of the application's file; "": the manifest names none.
	Application string
	// Sitting and After are set when a run is taken up again: how often it was
	// before, and the number of its last record.
	Sitting int
	After   int
}

// SittingIDs is by how much the ids of two sittings of a run are apart: more
// than any sitting gives out.
const SittingIDs = 1_000_000

// Progress tells how far the observation is.
type Progress struct {
	Scenario string
	Sentence string
	State    string // start, end
	Outcome  Outcome
	Done     int
	Total    int
}

// ErrInterrupted ends an observation that was asked to stop.
var ErrInterrupted = errors.New("interrupted")

// bench is one live observation.
type bench struct {
	env   Env
	web   *http.Transport         // of the patients' browsers: connections are shared, cookies are not
	stop  context.CancelCauseFunc // ends the observation
	watch *watch
	pace  *pace.Pace // of all looks at the candidate from outside
	seq   atomic.Int64
	hung  atomic.Int32 // actions in a row that were not answered
	lost  atomic.Int32 // pairings in a row that came to nothing
	busy  calendar     // when each scenario had the candidate at work
	sink  sync.Mutex
	named int // how many of the sandbox's names were taken over; under sink
	ids   atomic.Int64
	ended atomic.Int32
	total int
}

// hungLimit is the number of unanswered actions, or fruitless pairings, in a
// row after which the candidate is not asked again: what does nothing must not
// cost minutes.
const hungLimit = 2

// lateWidth is how many scenarios that take the machine run at a time.
const lateWidth = 4

// Observe runs scenarios, as many at a time as the manifest allows; then those that
// take the machine, a few at a time; those that change the sandbox for everyone run
// last, alone. Each scenario's records go
// to the sink when it ends. It returns ErrInterrupted when ctx ended first;
// what was recorded until then is in the sink. A person who stops for today ends
// it too: the error is then pilot.ErrStopped as well.
func (l *Lab) Observe(ctx context.Context, env Env, scenarios []*Scenario) error {
	b := &bench{env: env, total: len(scenarios), web: &http.Transport{
		Proxy:               outward.Proxy,
		TLSClientConfig:     &tls.Config{RootCAs: env.Roots, MinVersion: tls.VersionTLS12},
		MaxIdleConnsPerHost: 16,
	}}
	defer b.web.CloseIdleConnections()
	b.pace = pace.New()
	b.seq.Store(int64(env.After))
	b.ids.Store(int64(env.Sitting) * SittingIDs)
	watchCtx, stop := context.WithCancel(context.WithoutCancel(ctx))
	b.watch = newWatch(watchCtx, env, &b.busy)
	defer func() { stop(); <-b.watch.stopped }()
	env.Attendant.attend(b.watch, env.Space)
	ctx, b.stop = context.WithCancelCause(ctx)
	defer b.stop(nil)

	var shared, late, alone []*Scenario
	for _, s := range scenarios {
		switch {
		case s.Alone:
			alone = append(alone, s)
		case s.Late:
			late = append(late, s)
		default:
			shared = append(shared, s)
		}
	}
	width := max(1, env.Candidate.Concurrency)
	if led(env.Candidate) {
		width = 1 // a person does one thing at a time, and is to see it end
	}
	var (
		wg    sync.WaitGroup
		mu    sync.Mutex
		first error
	)
	fail := func(err error) {
		mu.Lock()
		defer mu.Unlock()
		if first == nil {
			first = err
		}
	}
	beside := func(list []*Scenario, width int) {
		slots := make(chan struct{}, width)
		for _, s := range list {
			slots <- struct{}{}
			if ctx.Err() != nil {
				<-slots
				break
			}
			wg.Add(1)
			go func() {
				defer wg.Done()
				defer func() { <-slots }()
				if err := b.play(ctx, s); err != nil {
					fail(err)
				}
			}()
		}
		wg.Wait()
	}
	beside(shared, width)
	beside(late, min(width, lateWidth))
	beside(alone, 1)
	if err := b.rest(); err != nil {
		fail(err)
	}
	if first != nil {
		return first
	}
	if ctx.Err() != nil {
		return fmt.Errorf("%w: %w", ErrInterrupted, context.Cause(ctx))
	}
	return nil
}

// play runs one scenario from its start mark to its end mark.
func (b *bench) play(ctx context.Context, s *Scenario) error {
	st := &Stage{bench: b, scenario: s, slug: s.Slug}
	b.report(Progress{Scenario: s.Slug, Sentence: s.Sentence, State: "start"})
	st.mark("start", s.Sentence, nil)
	end := b.act(ctx, st, s)
	data, err := json.Marshal(end)
	if err != nil {
		return fmt.Errorf("scenario %s: note its end: %w", s.Slug, err)
	}
	flush, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if err := b.watch.sync(flush, b.env.Sandbox.Now); err != nil && end.Outcome == Completed {
		end = Ending{Outcome: HarnessFailed, Reason: err.Error()}
		data, _ = json.Marshal(end)
	}
	st.mark("end", "", data)
	err = b.write(flush, append(st.take(), b.watch.take(s.Slug)...), st.pending(), st.pictures()...)
	b.ended.Add(1)
	b.report(Progress{Scenario: s.Slug, Sentence: s.Sentence, State: "end", Outcome: end.Outcome})
	return err
}

func (b *bench) act(ctx context.Context, st *Stage, s *Scenario) (end Ending) {
	defer func() {
		if e := recover(); e != nil {
			end = Ending{Outcome: HarnessFailed, Reason: fmt.Sprintf("panic: %v", e)}
		}
	}()
	err := s.act(ctx, st)
	var early *Ending
	switch {
	case ctx.Err() != nil:
		// Before anything else: what was no longer waited for is not missing.
		return Ending{Outcome: NotRun, Reason: context.Cause(ctx).Error()}
	case err == nil:
		return Ending{Outcome: Completed}
	case errors.As(err, &early):
		return *early
	default:
		return Ending{Outcome: HarnessFailed, Reason: err.Error()}
	}
}

// rest writes what arrived after its scenario had ended, or belongs to none.
func (b *bench) rest() error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := b.watch.sync(ctx, b.env.Sandbox.Flush); err != nil {
		return err
	}
	return b.write(ctx, b.watch.takeAll(), nil)
}

// write redacts records with every name known by now, orders and numbers them,
// and hands them to the sink, with the pictures taken meanwhile.
func (b *bench) write(ctx context.Context, records []record.Record, pending []record.Secret, pictures ...Kept) error {
	if len(records) == 0 {
		return nil
	}
	b.sink.Lock()
	known := b.named
	b.sink.Unlock()
	secrets, err := b.env.Sandbox.Secrets(ctx, b.env.Space.ID, known)
	if err != nil {
		return fmt.Errorf("take over the sandbox's names: %w", err)
	}
	b.sink.Lock()
	defer b.sink.Unlock()
	b.env.Redactor.Adopt(secrets)
	b.named = max(b.named, known+len(secrets))
	for _, p := range pending {
		b.env.Redactor.Name(p.Name, p.Value)
	}
	if err := b.keep(records, pictures); err != nil {
		return err
	}
	sort.SliceStable(records, func(i, j int) bool { return records[i].At.Before(records[j].At) })
	for i := range records {
		b.env.Redactor.RedactRecord(&records[i])
		records[i].Seq = int(b.seq.Add(1))
	}
	return b.env.Sink(records)
}

func (b *bench) report(p Progress) {
	if b.env.Progress != nil {
		p.Done, p.Total = int(b.ended.Load()), b.total
		b.env.Progress(p)
	}
}

func (b *bench) id(prefix string) string { return fmt.Sprintf("%s%d", prefix, b.ids.Add(1)) }

// watch reads the sandbox's journal as it grows.
type watch struct {
	env     Env
	busy    *calendar
	stopped chan struct{}

	mu      sync.Mutex
	last    int // highest sandbox Seq seen
	records []record.Record
	changed chan struct{} // closed and replaced whenever records arrive
	err     error
}

func newWatch(ctx context.Context, env Env, busy *calendar) *watch {
	w := &watch{env: env, busy: busy, stopped: make(chan struct{}), changed: make(chan struct{})}
	go func() {
		defer close(w.stopped)
		for ctx.Err() == nil {
			w.mu.Lock()
			after := w.last
			w.mu.Unlock()
			entries, err := env.Sandbox.Journal(ctx, env.Space.ID, after, 2*time.Second)
			if err != nil {
				if ctx.Err() == nil {
					w.mu.Lock()
					w.err = err
					w.mu.Unlock()
				}
				return
			}
			w.ingest(entries)
		}
	}()
	return w
}

// sync reads what the journal holds at this moment. What the sandbox holds back
// until somebody signs in is asked for only at the end of the run: before, it
// may belong to a scenario in progress.
func (w *watch) sync(ctx context.Context, read func(ctx context.Context, space string, after int) (control.Entries, error)) error {
	w.mu.Lock()
	after, err := w.last, w.err
	w.mu.Unlock()
	if err != nil {
		return err
	}
	entries, err := read(ctx, w.env.Space.ID, after)
	if err != nil {
		return err
	}
	w.ingest(entries)
	return nil
}

func (w *watch) ingest(entries control.Entries) {
	w.mu.Lock()
	defer w.mu.Unlock()
	fresh := false
	for _, r := range entries.Records {
		if r.Seq <= w.last {
			continue
		}
		w.last = r.Seq
		w.records = append(w.records, r)
		fresh = true
	}
	if fresh {
		close(w.changed)
		w.changed = make(chan struct{})
	}
}

// of returns what was seen of a scenario so far, and a channel that is closed
// when more comes.
func (w *watch) of(slug string) ([]record.Record, <-chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []record.Record
	for _, r := range w.records {
		if r.Scenario == slug {
			out = append(out, r)
		}
	}
	return out, w.changed
}

func (w *watch) take(slug string) []record.Record {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i, r := range w.records {
		if r.Scenario == "" {
			w.records[i].Scenario = w.busy.only(r.At)
		}
	}
	var out, rest []record.Record
	for _, r := range w.records {
		if r.Scenario == slug {
			out = append(out, r)
		} else {
			rest = append(rest, r)
		}
	}
	w.records = rest
	return out
}

func (w *watch) takeAll() []record.Record {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := w.records
	w.records = nil
	return out
}
