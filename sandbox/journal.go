package sandbox

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/etalon-sante/etalon/sandbox/identity"
	"github.com/etalon-sante/etalon/sandbox/record"
)

// heldFor is how long the records of an authorization that nobody has signed in
// to are kept back: once the patient is known they are his. It is as long as a
// sign-in may take, since a person may play the patient; who wants them sooner
// asks for them (flush).
const heldFor = identity.InteractionLife

// maxRecords bounds a journal: a run has some thousands.
const maxRecords = 200_000

// errSpaceClosed ends the wait of who reads the journal of a space that goes.
var errSpaceClosed = errors.New("the space is closed")

// journal holds the records of one space, redacted as they come. A record gets
// its place (Seq) when it is given out, so that a reader who goes on from the
// last Seq he saw misses none.
type journal struct {
	names *record.Redactor
	clock func() time.Time

	mu      sync.Mutex
	records []record.Record  // Seq is the index plus 1
	held    map[string]*held // by interaction
	holding int              // records held
	wake    chan struct{}    // closed, and replaced, when there is something new
	closed  bool
}

type held struct {
	records []record.Record
	touched time.Time
}

func newJournal(names *record.Redactor, clock func() time.Time) *journal {
	return &journal{names: names, clock: clock, held: map[string]*held{}, wake: make(chan struct{})}
}

// add writes a record. One that belongs to an interaction whose patient is not
// known yet is kept back; the one that makes him known brings the others along.
func (j *journal) add(r record.Record, interaction string) {
	redactFacts(j.names, &r)
	j.names.RedactRecord(&r)
	hideCookies(&r)
	noteSecrets(&r)
	j.mu.Lock()
	defer j.mu.Unlock()
	if interaction != "" {
		h := j.held[interaction]
		if r.Patient == "" {
			if h == nil {
				h = &held{}
				j.held[interaction] = h
			}
			h.records, h.touched = append(h.records, r), j.clock()
			j.holding++
			j.stir() // a reader that waits must know when to look again
			return
		}
		if h != nil {
			for _, before := range h.records {
				before.Patient, before.Scenario = r.Patient, r.Scenario
				j.append(before)
			}
			j.holding -= len(h.records)
			delete(j.held, interaction)
		}
	}
	j.append(r)
	j.stir()
}

func (j *journal) append(r record.Record) {
	r.Seq = len(j.records) + 1
	j.records = append(j.records, r)
}

func (j *journal) stir() {
	close(j.wake)
	j.wake = make(chan struct{})
}

// release gives out what was kept back for long enough, or all of it; it
// returns how long until there is more to release, 0 when nothing is held.
func (j *journal) release(all bool) time.Duration {
	now := j.clock()
	var next time.Duration
	for {
		// Oldest first, so that the order does not depend on the map's.
		var oldest string
		for id, h := range j.held {
			if oldest == "" || h.touched.Before(j.held[oldest].touched) {
				oldest = id
			}
		}
		if oldest == "" {
			return 0
		}
		next = heldFor - now.Sub(j.held[oldest].touched)
		if next > 0 && !all {
			return next
		}
		for _, r := range j.held[oldest].records {
			j.append(r)
		}
		j.holding -= len(j.held[oldest].records)
		delete(j.held, oldest)
	}
}

// read returns the records after a position. It waits up to wait for one; with
// flush it gives out at once what was kept back.
func (j *journal) read(ctx context.Context, after int, wait time.Duration, flush bool) ([]record.Record, error) {
	deadline := time.NewTimer(wait)
	defer deadline.Stop()
	for {
		j.mu.Lock()
		next := j.release(flush)
		wake, closed := j.wake, j.closed
		var out []record.Record
		if after < len(j.records) {
			out = append(out, j.records[after:]...)
		}
		j.mu.Unlock()
		switch {
		case len(out) > 0 || wait <= 0:
			return out, nil
		case closed:
			return nil, errSpaceClosed
		}
		var ripe <-chan time.Time
		var timer *time.Timer
		if next > 0 {
			timer = time.NewTimer(next)
			ripe = timer.C
		}
		select {
		case <-wake:
		case <-ripe:
		case <-deadline.C:
			wait = 0
		case <-ctx.Done():
			wait = 0
		}
		if timer != nil {
			timer.Stop()
		}
	}
}

// full says whether the journal takes no more.
func (j *journal) full() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return len(j.records)+j.holding >= maxRecords
}

// close lets the readers go.
func (j *journal) close() {
	j.mu.Lock()
	defer j.mu.Unlock()
	if !j.closed {
		j.closed = true
		j.stir()
	}
}
