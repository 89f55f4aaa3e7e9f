package lab

import (
	"context"
	"sync"

	"github.com/etalon-sante/etalon/suites/candidate"
)

// Endure asks for an action in the middle of a trouble in which a service may
// stay without an answer: that it did is noted, ends nothing, and counts
// against nobody else. An action that was not answered returns an Answer
// without status.
func (s *Stage) Endure(ctx context.Context, p *Patient, action candidate.Action, payload map[string]any) (candidate.Answer, error) {
	return s.ask(ctx, p, action, payload, true)
}

// Lift ends what was planned to go wrong for a patient.
func (s *Stage) Lift(ctx context.Context, p *Patient) error {
	if err := s.bench.env.Sandbox.Lift(ctx, s.bench.env.Space.ID, p.Handle); err != nil {
		return err
	}
	s.markOf(p, "lift", "lifted", nil)
	return nil
}

// Each plays n parts of a scenario, each with patients of its own: at the same
// time where the candidate takes several actions at a time, else one after the
// other. All are played; the first error, by position, is returned.
func (s *Stage) Each(ctx context.Context, n int, part func(ctx context.Context, i int) error) error {
	width := max(1, s.Candidate().Concurrency)
	if s.byHand() {
		width = 1
	}
	errs := make([]error, n)
	slots := make(chan struct{}, width)
	var wg sync.WaitGroup
	for i := range n {
		slots <- struct{}{}
		wg.Add(1)
		go func() {
			defer wg.Done()
			defer func() { <-slots }()
			errs[i] = part(ctx, i)
		}()
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
