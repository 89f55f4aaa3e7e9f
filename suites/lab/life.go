package lab

import (
	"context"
	"errors"

	"github.com/etalon-sante/etalon/sandbox/control"
	"github.com/etalon-sante/etalon/suites/candidate"
)

// InSpace gives the patient a space in a state: one of control.SpaceStates.
func InSpace(state string) PatientOption {
	return func(r *control.PatientRequest) { r.Space = state }
}

// Profile attaches a profile to a patient's account: one of
// control.ProfileKinds. He signs in as the holder does, and chooses the profile
// on the consent page. A person who plays the pilot is not asked for it: what is
// judged is told by the harness, which leads the browser.
func (s *Stage) Profile(ctx context.Context, holder *Patient, kind string) (*Patient, error) {
	if led(s.Candidate()) {
		return nil, &Ending{Outcome: Unsupported, Action: candidate.Pair, Reason: "a person at the pilot plays one profile of an account only", French: "une personne aux commandes ne joue qu'un profil d'un compte"}
	}
	return s.Patient(ctx, func(r *control.PatientRequest) { r.Holder, r.Profile = holder.Handle, kind })
}

// PairIn is Pair in a browser that was used before, by the same person for
// another profile. A candidate that does not claim pairing is paired by the
// harness.
func (s *Stage) PairIn(ctx context.Context, b *Browser, p *Patient, choice Choice) error {
	if !s.Candidate().Claims.Pairing {
		return s.Pair(ctx, p, choice)
	}
	_, link, err := s.Link(ctx, p)
	if err != nil {
		return err
	}
	used := *b
	used.patient = p
	if err := used.Walk(ctx, link, choice); err != nil {
		return err
	}
	return s.paired(ctx, p)
}

// Again pairs a patient who is paired already. That the candidate does not go
// through with it is what is judged, not a reason to stop.
func (s *Stage) Again(ctx context.Context, p *Patient) error {
	if err := s.Note(p, "again", nil); err != nil {
		return err
	}
	err := s.Pair(ctx, p, Choice{})
	var early *Ending
	if errors.As(err, &early) && early.Outcome == CandidateFailed {
		return nil
	}
	return err
}
