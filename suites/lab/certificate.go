package lab

import (
	"context"
	"errors"
	"fmt"
)

// NoteCertificate marks that the sandbox showed a bad certificate for a while.
const NoteCertificate = "certificate"

// CertificateSeen is what such a mark holds.
type CertificateSeen struct {
	Kind       string `json:"kind"`             // one of control.BadCertificates
	Handshakes int    `json:"handshakes"`       // that the candidate began under it
	Reason     string `json:"reason,omitempty"` // why it could not be shown
}

// Under does something while the sandbox shows a bad certificate. It is so for
// everyone: the scenario runs alone. A sandbox that others use too refuses, which
// is noted.
func (s *Stage) Under(ctx context.Context, p *Patient, kind string, do func(ctx context.Context) error) error {
	seen := CertificateSeen{Kind: kind}
	// A service may find its old connection closed and give up without a
	// handshake: it is asked once more.
	for range 2 {
		n, refused, err := s.under(ctx, kind, do)
		if err != nil {
			return err
		}
		if seen.Handshakes, seen.Reason = n, refused; n > 0 || refused != "" {
			break
		}
	}
	return s.Note(p, NoteCertificate, seen)
}

func (s *Stage) under(ctx context.Context, kind string, do func(ctx context.Context) error) (handshakes int, refused string, err error) {
	sandbox, space := s.bench.env.Sandbox, s.bench.env.Space.ID
	if _, err := sandbox.Certificate(ctx, space, kind); err != nil {
		return 0, err.Error(), nil
	}
	defer func() {
		got, back := sandbox.Certificate(context.WithoutCancel(ctx), space, "")
		if back != nil {
			err = errors.Join(err, fmt.Errorf("show the sandbox's own certificate again: %w", back))
		}
		handshakes = got.Handshakes
	}()
	return 0, "", do(ctx)
}
