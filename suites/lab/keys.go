package lab

import "context"

// ActRotateKeys marks that Mon espace santé signs with a new key.
const ActRotateKeys = "rotate-keys"

// RotateKeys makes the sandbox sign identity tokens with a new key, which it
// publishes beside the former ones. It is so for every patient: the scenario
// runs alone.
func (s *Stage) RotateKeys(ctx context.Context) error {
	if err := s.bench.env.Sandbox.RotateKeys(ctx, s.bench.env.Space.ID); err != nil {
		return err
	}
	s.mark("act", ActRotateKeys, nil)
	return nil
}
