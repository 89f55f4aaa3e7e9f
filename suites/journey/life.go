package journey

import (
	"context"
	"errors"
	"time"

	"github.com/etalon-sante/etalon/fixtures/data"
	"github.com/etalon-sante/etalon/sandbox/control"
	"github.com/etalon-sante/etalon/suites/candidate"
	"github.com/etalon-sante/etalon/suites/lab"
)

// Life holds the scenarios about what becomes of a pairing once it stands, and
// about those that cannot come about.
type Life struct {
	Partial    *lab.Scenario // some finalités refused at consent
	Withdrawn  *lab.Scenario // one finalité withdrawn later
	Suspended  *lab.Scenario // the service is suspended, then is not
	Delisted   *lab.Scenario // the service is taken out of the catalogue
	Reapproval *lab.Scenario // an approval has run out
	Closed     *lab.Scenario // the space is closed midway
	NoSpace    *lab.Scenario // the space was refused, or never activated
	Profiles   *lab.Scenario // a parent and a child
}

// act is one thing that a scenario does.
type act = func(ctx context.Context) error

func inTurn(ctx context.Context, acts ...act) error {
	for _, a := range acts {
		if err := a(ctx); err != nil {
			return err
		}
	}
	return nil
}

// script says what is done for one patient.
type script struct {
	s *lab.Stage
	p *lab.Patient
}

func (t script) send(ctx context.Context) error { _, err := Send(ctx, t.s, t.p); return err }
func (t script) status(ctx context.Context) error {
	return Status(ctx, t.s, t.p)
}
func (t script) quiet(ctx context.Context) error { return t.s.Quiet(ctx) }
func (t script) again(ctx context.Context) error { return t.s.Again(ctx, t.p) }

func (t script) read(ctx context.Context) error {
	if !t.s.Candidate().ClaimsAction(candidate.ReadMeasures) {
		return nil
	}
	_, err := Read(ctx, t.s, t.p)
	return unlessUnknown(err)
}

func (t script) note(name string) act {
	return func(context.Context) error { return t.s.Note(t.p, name, nil) }
}

func (t script) happen(a control.Act) act {
	return func(ctx context.Context) error { return t.s.Happen(ctx, t.p, a) }
}

// LifeOf declares the scenarios about the life of a pairing, once.
func LifeOf(l *lab.Lab) Life {
	const chapter = "consent-life"
	// play declares a scenario of one patient who has paired.
	play := func(slug, sentence string, choice lab.Choice, do func(t script) []act, needs ...candidate.Action) *lab.Scenario {
		return l.Shared(chapter, slug, sentence, func(ctx context.Context, s *lab.Stage) error {
			p, err := s.Patient(ctx)
			if err != nil {
				return err
			}
			if err := s.Pair(ctx, p, choice); err != nil {
				return err
			}
			return inTurn(ctx, do(script{s, p})...)
		}, lab.Needs(needs...))
	}
	out := Life{
		Partial: play("consent-partial", "the patient agrees to reading only; a measure is to be sent, then measures are to be read", lab.Choice{Except: []string{WriteMeasures, WriteDocuments}}, func(t script) []act {
			return []act{t.send, t.status, t.read}
		}, candidate.SendMeasure, candidate.ReadMeasures),
		Withdrawn: play("finalite-withdrawn", "the patient withdraws the writing of measures in Mon espace santé; the rest stays agreed to", lab.Choice{}, func(t script) []act {
			return []act{t.send, t.happen(control.Act{Kind: control.ActWithdraw, Finalite: WriteMeasures}), t.send, t.status, t.quiet, t.note("told"), t.send, t.read, t.quiet}
		}, candidate.Pair, candidate.SendMeasure),
		Suspended: play("service-suspended", "the service is suspended and comes back; then it is suspended again and the patient un-pairs", lab.Choice{}, func(t script) []act {
			suspend := t.happen(control.Act{Kind: control.ActServiceStatus, Status: control.ServiceSuspended})
			return []act{
				t.send, suspend, t.send, t.status, t.quiet, t.note("told"), t.send,
				t.happen(control.Act{Kind: control.ActServiceStatus, Status: control.ServiceOnline}), t.note("back"), t.send,
				suspend, t.send, t.unpair, t.status,
			}
		}, candidate.Pair, candidate.SendMeasure),
		Delisted: play("service-delisted", "the service is taken out of the catalogue; a measure is to be sent twice", lab.Choice{}, func(t script) []act {
			return []act{
				t.send, t.happen(control.Act{Kind: control.ActServiceStatus, Status: control.ServiceDelisted}),
				t.send, t.status, t.quiet, t.note("told"), t.send, t.status,
			}
		}, candidate.Pair, candidate.SendMeasure),
		Reapproval: play("approval-run-out", "the patient must approve again: before the date calls pass, after it they are refused; then he pairs again", lab.Choice{}, func(t script) []act {
			ask := func(until time.Time) act {
				return t.happen(control.Act{Kind: control.ActReapproval, Reason: control.ReapprovalVersion, Until: until})
			}
			return []act{ask(t.s.Now().Add(24 * time.Hour)), t.send, ask(t.s.Now().Add(-time.Minute)), t.note("due"), t.send, t.status, t.quiet, t.again, t.send}
		}, candidate.Pair, candidate.SendMeasure),
		Closed: play("space-closed", "the patient closes his space; the service is told by a refusal, then asked again", lab.Choice{}, func(t script) []act {
			return []act{t.send, t.happen(control.Act{Kind: control.ActHolderSpace, Status: control.SpaceClosed}), t.send, t.status, t.quiet, t.note("told"), t.send, t.quiet}
		}, candidate.Pair, candidate.SendMeasure),
	}
	out.NoSpace = l.Shared(chapter, "space-not-open", "two patients want to pair: one refused that his space be opened, the other never activated it", func(ctx context.Context, s *lab.Stage) error {
		for _, state := range []string{control.SpaceRefused, control.SpaceNeverActivated} {
			p, err := s.Patient(ctx, lab.InSpace(state))
			if err != nil {
				return err
			}
			// The patient goes back by the only button that the page has.
			if err := s.Pair(ctx, p, lab.Choice{Refuse: true}); err != nil {
				return err
			}
			if err := Status(ctx, s, p); err != nil {
				return err
			}
		}
		return s.Quiet(ctx)
	}, lab.Needs(candidate.Pair))
	out.Profiles = l.Shared(chapter, "profiles", "in one browser a parent pairs his own record and his child's; a measure is sent for each, in turns", func(ctx context.Context, s *lab.Stage) error {
		parent, err := s.Patient(ctx)
		if err != nil {
			return err
		}
		child, err := s.Profile(ctx, parent, "child")
		if err != nil {
			return err
		}
		browser := s.Browser(parent)
		for _, p := range []*lab.Patient{parent, child} {
			if err := s.PairIn(ctx, browser, p, lab.Choice{}); err != nil {
				return err
			}
		}
		// What is sent is told apart by its instant: minutes are enough.
		for i, p := range []*lab.Patient{parent, child, parent, child} {
			m := data.Nominal(s.SeedNumber(), Main(s.Candidate()), Moment(s).Add(-time.Duration(i)*time.Minute))
			if _, err := SendThis(ctx, s, p, m); err != nil {
				return err
			}
		}
		return nil
	}, lab.Needs(candidate.Pair, candidate.SendMeasure))
	return out
}

func (t script) unpair(ctx context.Context) error {
	_, err := t.s.Do(ctx, t.p, candidate.Unpair, nil)
	return unlessUnknown(err)
}

// unlessUnknown goes on without an action that the candidate does not know: what
// was seen before it can be judged all the same.
func unlessUnknown(err error) error {
	var early *lab.Ending
	if errors.As(err, &early) && early.Outcome == lab.Unsupported {
		return nil
	}
	return err
}
