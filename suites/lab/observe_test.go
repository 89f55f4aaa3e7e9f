package lab_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/etalon-sante/etalon/sandbox"
	"github.com/etalon-sante/etalon/sandbox/control"
	"github.com/etalon-sante/etalon/sandbox/record"
	"github.com/etalon-sante/etalon/suites/candidate"
	"github.com/etalon-sante/etalon/suites/candidate/pilot"
	"github.com/etalon-sante/etalon/suites/lab"
)

// acting is a pilot made of a function.
type acting func(ctx context.Context, call candidate.Call) (candidate.Answer, error)

func (f acting) Do(ctx context.Context, call candidate.Call) (candidate.Answer, error) {
	return f(ctx, call)
}

// observed is a lab with an embedded sandbox, and what it wrote down.
type observed struct {
	env lab.Env
	mu  sync.Mutex
	got []record.Record
}

func bench(t *testing.T, p acting) *observed {
	t.Helper()
	s, err := sandbox.New(sandbox.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	space, err := s.Control().CreateSpace(t.Context(), control.SpaceRequest{})
	if err != nil {
		t.Fatal(err)
	}
	o := &observed{}
	o.env = lab.Env{
		Candidate: candidate.Candidate{Concurrency: 4, Timing: candidate.Timing{Action: 2 * time.Second, Effect: 2 * time.Second, Quiet: 10 * time.Millisecond}},
		Pilot:     p, Sandbox: s.Control(), Space: space, Redactor: record.NewRedactor(), Run: "r", Seed: 1, Now: time.Now,
		Sink: func(rs []record.Record) error {
			o.mu.Lock()
			defer o.mu.Unlock()
			o.got = append(o.got, rs...)
			return nil
		},
	}
	return o
}

// trusting is a client that trusts an authority.
func trusting(ca string) (*http.Client, func(), error) {
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM([]byte(ca)) {
		return nil, nil, errors.New("the space names no authority")
	}
	tr := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}
	return &http.Client{Transport: tr, Timeout: 5 * time.Second}, tr.CloseIdleConnections, nil
}

// knock calls the sandbox without anything that says for whom.
func knock(ctx context.Context, o *observed) error {
	client, closeIdle, err := trusting(o.env.Space.CA)
	if err != nil {
		return err
	}
	defer closeIdle()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, o.env.Space.Endpoints.FHIR+"/Observation", nil)
	if err != nil {
		return err
	}
	res, err := client.Do(req)
	if err != nil {
		return err
	}
	return res.Body.Close()
}

func TestWhatCarriesNothingOfOursBelongsToTheOnlyActionInProgress(t *testing.T) {
	for name, c := range map[string]struct {
		together bool
		want     string // scenario of the stray call
	}{"one action": {false, "one"}, "two actions": {true, ""}} {
		t.Run(name, func(t *testing.T) {
			both := make(chan struct{}, 2)
			release := make(chan struct{})
			var o *observed
			o = bench(t, func(ctx context.Context, call candidate.Call) (candidate.Answer, error) {
				if c.together {
					both <- struct{}{}
					select {
					case <-release:
					case <-ctx.Done():
						return candidate.Answer{}, ctx.Err()
					}
					return candidate.Answer{Status: "done"}, nil
				}
				return candidate.Answer{Status: "done"}, knock(ctx, o)
			})
			l := lab.New()
			act := func(ctx context.Context, s *lab.Stage) error {
				_, err := s.Do(ctx, nil, candidate.SendMeasure, nil)
				return err
			}
			scenarios := []*lab.Scenario{l.Scenario("one", "", act)}
			if c.together {
				scenarios = append(scenarios, l.Scenario("two", "", act))
				go func() {
					<-both
					<-both
					if err := knock(t.Context(), o); err != nil {
						t.Error(err)
					}
					close(release)
				}()
			}
			if err := l.Observe(t.Context(), o.env, scenarios); err != nil {
				t.Fatal(err)
			}
			n := 0
			for _, r := range o.got {
				if r.Exchange != nil {
					n++
					if r.Scenario != c.want {
						t.Errorf("the call belongs to %q", r.Scenario)
					}
				}
			}
			if n != 1 {
				t.Errorf("%d calls recorded", n)
			}
		})
	}
}

func TestTheJournalIsInOrderAndNumberedOnceAlsoWhenItGoesOn(t *testing.T) {
	var o *observed
	o = bench(t, func(ctx context.Context, _ candidate.Call) (candidate.Answer, error) {
		return candidate.Answer{Status: "done"}, knock(ctx, o)
	})
	o.env.After, o.env.Sitting = 100, 1
	l := lab.New()
	var scenarios []*lab.Scenario
	for i := range 6 {
		scenarios = append(scenarios, l.Scenario(fmt.Sprintf("s%d", i), "", func(ctx context.Context, s *lab.Stage) error {
			p, err := s.Patient(ctx)
			if err != nil {
				return err
			}
			_, err = s.Do(ctx, p, candidate.SendMeasure, nil)
			return err
		}))
	}
	if err := l.Observe(t.Context(), o.env, scenarios); err != nil {
		t.Fatal(err)
	}
	last := map[string]time.Time{}
	for i, r := range o.got {
		if r.Seq != 101+i {
			t.Fatalf("record %d has number %d", i, r.Seq)
		}
		if r.At.Before(last[r.Scenario]) {
			t.Errorf("record %d of %s is earlier than the one before", r.Seq, r.Scenario)
		}
		last[r.Scenario] = r.At
	}
	for _, s := range scenarios {
		var kinds []string
		for _, r := range o.got {
			if r.Scenario == s.Slug && r.Mark != nil {
				kinds = append(kinds, r.Mark.Kind)
			}
		}
		if len(kinds) < 2 || kinds[0] != "start" || kinds[len(kinds)-1] != "end" {
			t.Errorf("%s: %q", s.Slug, kinds)
		}
	}
}

func endings(t *testing.T, o *observed, l *lab.Lab) {
	t.Helper()
	if err := l.Load(o.got, lab.Oracle{}); err != nil {
		t.Fatal(err)
	}
}

func TestHowTheCandidateAnswersIsHowAScenarioEnds(t *testing.T) {
	for name, c := range map[string]struct {
		answer candidate.Answer
		err    error
		must   bool
		want   lab.Outcome
	}{
		"done":                    {candidate.Answer{Status: "done"}, nil, true, lab.Completed},
		"failed is an answer":     {candidate.Answer{Status: "failed"}, nil, false, lab.Completed},
		"failed where it may not": {candidate.Answer{Status: "failed"}, nil, true, lab.CandidateFailed},
		"unsupported":             {candidate.Answer{Status: "unsupported"}, nil, false, lab.Unsupported},
		"no answer":               {candidate.Answer{}, &candidate.PilotError{Kind: pilot.Body, Err: errors.New("not JSON")}, false, lab.CandidateFailed},
	} {
		t.Run(name, func(t *testing.T) {
			o := bench(t, func(context.Context, candidate.Call) (candidate.Answer, error) { return c.answer, c.err })
			l := lab.New()
			s := l.Scenario("one", "", func(ctx context.Context, s *lab.Stage) error {
				do := s.Do
				if c.must {
					do = s.Must
				}
				_, err := do(ctx, nil, candidate.SendMeasure, nil)
				return err
			})
			if err := l.Observe(t.Context(), o.env, []*lab.Scenario{s}); err != nil {
				t.Fatal(err)
			}
			endings(t, o, l)
			if got := l.Ending("one").Outcome; got != c.want {
				t.Errorf("ended %s", got)
			}
		})
	}
}

func TestAPersonWhoStopsEndsTheObservation(t *testing.T) {
	o := bench(t, func(context.Context, candidate.Call) (candidate.Answer, error) {
		return candidate.Answer{}, fmt.Errorf("the input has ended: %w", pilot.ErrStopped)
	})
	o.env.Candidate.Pilot.Kind = "manual"
	l := lab.New()
	act := func(ctx context.Context, s *lab.Stage) error {
		_, err := s.Do(ctx, nil, candidate.Status, nil)
		return err
	}
	err := l.Observe(t.Context(), o.env, []*lab.Scenario{l.Scenario("one", "", act), l.Scenario("two", "", act)})
	if !errors.Is(err, lab.ErrInterrupted) || !errors.Is(err, pilot.ErrStopped) {
		t.Fatalf("got %v", err)
	}
	endings(t, o, l)
	if l.Ending("one").Outcome != lab.NotRun || l.Ending("two").Outcome != lab.NotRun {
		t.Errorf("%+v %+v", l.Ending("one"), l.Ending("two"))
	}
}

func TestAScenarioThatIsNoLongerWaitedForHasNotFailed(t *testing.T) {
	o := bench(t, nil)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	l := lab.New()
	s := l.Scenario("one", "", func(ctx context.Context, s *lab.Stage) error {
		stop()
		s.Await(ctx, "anything", func(lab.Trace) bool { return false })
		return nil
	})
	if err := l.Observe(ctx, o.env, []*lab.Scenario{s}); !errors.Is(err, lab.ErrInterrupted) {
		t.Fatalf("got %v", err)
	}
	endings(t, o, l)
	if got := l.Ending("one").Outcome; got != lab.NotRun {
		t.Errorf("ended %s", got)
	}
}

func TestAPanicOfAScenarioIsTheHarnesss(t *testing.T) {
	o := bench(t, nil)
	l := lab.New()
	bad := l.Scenario("bad", "", func(context.Context, *lab.Stage) error { panic("oh") })
	good := l.Scenario("good", "", func(context.Context, *lab.Stage) error { return nil })
	if err := l.Observe(t.Context(), o.env, []*lab.Scenario{bad, good}); err != nil {
		t.Fatal(err)
	}
	endings(t, o, l)
	if e := l.Ending("bad"); e.Outcome != lab.HarnessFailed || !strings.Contains(e.Reason, "oh") {
		t.Errorf("%+v", e)
	}
	if l.Ending("good").Outcome != lab.Completed {
		t.Error("the other scenario is spoilt")
	}
}

func TestAnAttendantSeesWhatIsDoneFromNowOnOnly(t *testing.T) {
	a := lab.NewAttendant()
	o := bench(t, nil)
	o.env.Attendant = a
	o.env.Pilot = acting(func(ctx context.Context, call candidate.Call) (candidate.Answer, error) {
		if _, _, ok := a.Account(call.Patient); !ok {
			t.Error("the patient is not known")
		}
		if a.Seen(ctx, candidate.Call{Action: candidate.Status, Patient: call.Patient}) != nil {
			t.Error("a status can be seen")
		}
		if a.Seen(ctx, candidate.Call{Action: candidate.Pair, Patient: call.Patient, Payload: map[string]any{"link": true}}) != nil {
			t.Error("a link can be seen")
		}
		if a.Seen(ctx, candidate.Call{Action: candidate.Pair, Patient: "p-nobody"}) != nil {
			t.Error("someone unknown can be seen")
		}
		seen := a.Seen(ctx, call)
		if seen == nil {
			t.Error("a pairing cannot be seen")
		}
		select {
		case <-seen:
			t.Error("seen before it happened")
		default:
		}
		return candidate.Answer{Status: "done"}, nil
	})
	l := lab.New()
	s := l.Scenario("one", "", func(ctx context.Context, s *lab.Stage) error {
		p, err := s.Patient(ctx)
		if err != nil {
			return err
		}
		_, err = s.Do(ctx, p, candidate.Pair, nil)
		return err
	})
	if a.Seen(t.Context(), candidate.Call{Action: candidate.Pair}) != nil {
		t.Error("it sees before there is anything to see")
	}
	if err := l.Observe(t.Context(), o.env, []*lab.Scenario{s}); err != nil {
		t.Fatal(err)
	}
	if len(a.Finalites()) == 0 {
		t.Error("no finalité is known")
	}
	if got := lab.Asked(candidate.Call{Payload: json.RawMessage(`{"except":["A"],"refuse":true}`)}); !got.Refuse || len(got.Except) != 1 {
		t.Errorf("%+v", got)
	}
}
