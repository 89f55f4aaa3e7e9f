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
func (s *Stage) Under(ctx context.Context, p *Patient, kind string, do func(ctx context.Context) error) (err error) {
	sandbox, space := s.bench.env.Sandbox, s.bench.env.Space.ID
	if _, err := sandbox.Certificate(ctx, space, kind); err != nil {
		return s.Note(p, NoteCertificate, CertificateSeen{Kind: kind, Reason: err.Error()})
	}
	defer func() {
		got, back := sandbox.Certificate(context.WithoutCancel(ctx), space, "")
		if back != nil {
			err = errors.Join(err, fmt.Errorf("show the sandbox's own certificate again: %w", back))
			return
		}
		err = errors.Join(err, s.Note(p, NoteCertificate, CertificateSeen{Kind: kind, Handshakes: got.Handshakes}))
	}()
	return do(ctx)
}
