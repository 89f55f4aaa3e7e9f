package sandbox

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/etalon-sante/etalon/sandbox/control"
)

// badCertificate is what the candidates' port presents for a while, so that a
// service which does not look at it is seen.
type badCertificate struct {
	kind       string
	space      string // that asked for it
	config     *tls.Config
	handshakes atomic.Int64 // begun under it
}

// present makes the candidates' port show another certificate, or its own again
// when the kind is "". Connections made before are closed: the next one sees it.
// It answers how many handshakes the former one has met.
func (s *Server) present(r *http.Request, sp *space) (any, error) {
	req, err := decode[control.CertificateRequest](r, maxControlBody)
	if err != nil {
		return nil, err
	}
	if req.Kind != "" && !slices.Contains(control.BadCertificates(), req.Kind) {
		return nil, problemf(http.StatusBadRequest, "kind is %q, it is one of %s, or empty for the sandbox's own certificate", req.Kind, strings.Join(control.BadCertificates(), ", "))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if req.Kind != "" && len(s.spaces) > 1 {
		return nil, problemf(http.StatusConflict, "the sandbox has %d spaces open: a certificate is shown to all of them, so that another one can only be shown while there is one space", len(s.spaces))
	}
	var next *badCertificate
	if req.Kind != "" {
		cert, err := s.ca.bad(req.Kind, hostOf(s.public), s.opts.Clock())
		if err != nil {
			return nil, err
		}
		next = &badCertificate{kind: req.Kind, space: sp.id, config: &tls.Config{
			Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12, Time: s.opts.Clock,
			NextProtos: []string{"h2", "http/1.1"}, SessionTicketsDisabled: true, // who resumes a session sees no certificate
		}}
	}
	return control.CertificateShown{Handshakes: s.swap(next)}, nil
}

// swap puts another certificate in place and closes the connections made before.
func (s *Server) swap(next *badCertificate) (handshakes int) {
	if before := s.badCert.Swap(next); before != nil {
		handshakes = int(before.handshakes.Load())
	}
	s.conns.closeAll()
	return handshakes
}

// forget shows the sandbox's own certificate again when the space that asked for
// another one is closed.
func (s *Server) forget(sp *space) {
	if b := s.badCert.Load(); b != nil && b.space == sp.id {
		s.swap(nil)
	}
}

// shown is the kind of certificate that is shown now, "" for the sandbox's own.
func (s *Server) shown() string {
	if b := s.badCert.Load(); b != nil {
		return b.kind
	}
	return ""
}

// bad makes a server certificate with one thing wrong in it.
func (a *authority) bad(kind, host string, now time.Time) (tls.Certificate, error) {
	t, issuer := serverTemplate(host, now), a
	var err error
	switch kind {
	case control.CertificateExpired:
		t.NotBefore, t.NotAfter = now.AddDate(0, -6, 0), now.AddDate(0, -1, 0)
	case control.CertificateOtherName:
		t.DNSNames, t.IPAddresses = []string{"autre-site.example"}, nil
	case control.CertificateUntrusted:
		issuer, _, err = newAuthority(now)
	case control.CertificateSelfSigned:
		issuer = nil
	}
	if err != nil {
		return tls.Certificate{}, err
	}
	cert, err := issuer.sign(t)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("make a certificate of kind %s: %w", kind, err)
	}
	return cert, nil
}
