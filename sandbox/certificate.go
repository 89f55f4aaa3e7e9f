package sandbox

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"
)

// maxCertificateFile bounds a certificate or key file, in bytes.
const maxCertificateFile = 256 << 10

// Certificate is a server certificate that its user brings, in place of one of
// the sandbox's own authority.
type Certificate struct {
	pair tls.Certificate
	leaf *x509.Certificate
	// trust is, in PEM, what a service must trust: the chain above the
	// certificate, or the certificate itself where there is none.
	trust []byte
	file  string
}

// ReadCertificate reads a certificate, with the chain above it, and its key, both
// in PEM. An error says which file is wrong, and what to do.
func ReadCertificate(certFile, keyFile string) (*Certificate, error) {
	if certFile == "" || keyFile == "" {
		return nil, errors.New("a certificate and its key go together: give both --tls-cert and --tls-key")
	}
	cert, err := readPEM(certFile)
	if err != nil {
		return nil, fmt.Errorf("read the certificate of the sandbox: %w", err)
	}
	key, err := readPEM(keyFile)
	if err != nil {
		return nil, fmt.Errorf("read the key of the sandbox's certificate: %w", err)
	}
	chain, err := certificatesOf(cert)
	if err != nil {
		return nil, fmt.Errorf("the certificate in %s cannot be used: %w", certFile, err)
	}
	if !bytes.Contains(key, []byte("PRIVATE KEY-----")) {
		return nil, fmt.Errorf("%s holds no private key in PEM (a block that begins with -----BEGIN PRIVATE KEY-----)", keyFile)
	}
	if bytes.Contains(key, []byte("ENCRYPTED")) {
		return nil, fmt.Errorf("the key in %s is protected by a password: give one that is not (openssl pkey -in %s -out key.pem)", keyFile, keyFile)
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		// The words of crypto/tls for the one case that people meet.
		if strings.Contains(err.Error(), "does not match") {
			return nil, fmt.Errorf("the key in %s is not that of the certificate in %s: give the pair that belongs together, the service's own certificate first in its file", keyFile, certFile)
		}
		return nil, fmt.Errorf("the key in %s cannot be used: %w", keyFile, err)
	}
	above := chain[1:]
	if len(above) == 0 {
		above = chain
	}
	var trust bytes.Buffer
	for _, c := range above {
		_ = pem.Encode(&trust, &pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}) // writing to memory cannot fail
	}
	return &Certificate{pair: pair, leaf: chain[0], trust: trust.Bytes(), file: certFile}, nil
}

func readPEM(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, maxCertificateFile+1))
	if err == nil && len(raw) > maxCertificateFile {
		err = fmt.Errorf("%s has more than %d bytes", path, maxCertificateFile)
	}
	return raw, err
}

func certificatesOf(raw []byte) ([]*x509.Certificate, error) {
	var out []*x509.Certificate
	for block, rest := pem.Decode(raw); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" {
			continue
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	if len(out) == 0 {
		return nil, errors.New("it holds no certificate in PEM (a block that begins with -----BEGIN CERTIFICATE-----)")
	}
	return out, nil
}

// fits says why a certificate cannot serve an address now, nil when it can.
func (c *Certificate) fits(public string, now time.Time) error {
	day := func(t time.Time) string { return t.UTC().Format(time.DateOnly) }
	switch {
	case now.After(c.leaf.NotAfter):
		return fmt.Errorf("the certificate in %s expired on %s: renew it, or leave it out and the sandbox makes its own", c.file, day(c.leaf.NotAfter))
	case now.Before(c.leaf.NotBefore):
		return fmt.Errorf("the certificate in %s is valid from %s only: wait, or check the clock of this machine", c.file, day(c.leaf.NotBefore))
	}
	host := hostOf(public)
	if c.leaf.VerifyHostname(host) == nil {
		return nil
	}
	return fmt.Errorf("the certificate in %s does not cover %q, the host of the address %s under which candidates reach the sandbox; it covers %s: choose the address with --public-url", c.file, host, public, c.names())
}

// names lists what a certificate covers.
func (c *Certificate) names() string {
	names := slices.Clone(c.leaf.DNSNames)
	for _, ip := range c.leaf.IPAddresses {
		names = append(names, ip.String())
	}
	if len(names) == 0 {
		return "no name at all (it has no subjectAltName)"
	}
	return strings.Join(names, ", ")
}

// serverCertificate is the certificate of the candidates' port.
func (s *Server) serverCertificate() (tls.Certificate, error) {
	c := s.opts.Certificate
	if c == nil {
		return s.ca.server(hostOf(s.public), s.opts.Clock())
	}
	if err := c.fits(s.public, s.opts.Clock()); err != nil {
		return tls.Certificate{}, &CertificateError{err}
	}
	return c.pair, nil
}

// CertificateError says why a certificate that its user brings cannot serve.
type CertificateError struct{ Err error }

func (e *CertificateError) Error() string { return e.Err.Error() }

// Unwrap gives the cause.
func (e *CertificateError) Unwrap() error { return e.Err }
