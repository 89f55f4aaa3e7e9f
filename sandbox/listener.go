package sandbox

import (
	"crypto/tls"
)

// tlsConfig is how the candidates' port speaks TLS. A client certificate is
// asked for, never required, and only while a space has a client that presents
// one: a person's browser that holds certificates (a health professional's card)
// would otherwise ask him to choose.
func (s *Server) tlsConfig(cert tls.Certificate) *tls.Config {
	usual := &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12, Time: s.opts.Clock, NextProtos: []string{"h2", "http/1.1"}}
	asking := usual.Clone()
	// What is presented is judged by the space, which the handshake cannot know.
	asking.ClientAuth = tls.RequestClientCert
	out := usual.Clone()
	out.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) {
		if bad := s.badCert.Load(); bad != nil {
			bad.handshakes.Add(1)
			return bad.config, nil
		}
		if s.asksCertificate() {
			return asking, nil
		}
		return usual, nil
	}
	return out
}

// asksCertificate says whether some space knows its client by a certificate.
func (s *Server) asksCertificate() bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, sp := range s.spaces {
		if sp.client.Auth == "tls_client_auth" || sp.client.Auth == "self_signed_tls_client_auth" {
			return true
		}
	}
	return false
}
