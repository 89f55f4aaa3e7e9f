package tls

import (
	"context"
	"crypto/dsa" //nolint:staticcheck // a certificate with such a key has to be named, not used
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	cryptotls "crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"strings"
	"syscall"
	"time"
)

// maxChain bounds the certificates of a chain that are read and summarised.
const maxChain = 20

// handshake is one whole handshake, or as far as it went.
type handshake struct {
	version, suite string
	raw            [][]byte // certificates as sent, also where the handshake then failed
	err            error
	network        bool
}

// whole makes a handshake with everything that crypto/tls can do.
func whole(ctx context.Context, address, sni string, o Options) handshake {
	var h handshake
	conn, stop, err := open(ctx, address, o)
	if err != nil {
		return handshake{err: err, network: true}
	}
	defer stop()
	var suites []uint16
	for _, list := range [][]*cryptotls.CipherSuite{cryptotls.CipherSuites(), cryptotls.InsecureCipherSuites()} {
		for _, s := range list {
			suites = append(suites, s.ID)
		}
	}
	client := cryptotls.Client(conn, &cryptotls.Config{
		ServerName: sni,
		// Nothing is asked of the server over this connection: it is made to
		// look at the certificate, a bad one above all. The chain is verified
		// afterwards, by judgeChain, against the roots of the run.
		InsecureSkipVerify: true, //nolint:gosec
		MinVersion:         cryptotls.VersionTLS10,
		CipherSuites:       suites,
		VerifyPeerCertificate: func(raw [][]byte, _ [][]*x509.Certificate) error {
			h.raw = raw
			return nil
		},
	})
	if err := client.HandshakeContext(ctx); err != nil {
		h.err, h.network = err, onTheWay(err)
		return h
	}
	state := client.ConnectionState()
	h.version, h.suite = versionName(state.Version), suiteName(state.CipherSuite)
	return h
}

// onTheWay tells a failure of the network from a refusal of the server.
func onTheWay(err error) bool {
	var netErr net.Error
	if errors.As(err, &netErr) && netErr.Timeout() {
		return true
	}
	return errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, context.Canceled)
}

// judgeChain settles what depends on the roots and the date.
func judgeChain(res *Result, raw [][]byte, o Options) {
	var certs []*x509.Certificate
	for i, der := range raw {
		if i == maxChain {
			break
		}
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			if i == 0 {
				res.ChainError = "the certificate cannot be read: " + err.Error()
				return
			}
			continue // an unreadable intermediate is one that does not help
		}
		certs = append(certs, cert)
		res.Chain = append(res.Chain, summary(cert))
	}
	if len(certs) == 0 {
		res.ChainError = "no certificate was received"
		return
	}
	leaf := certs[0]
	if err := leaf.VerifyHostname(res.Host); err != nil {
		res.NameError = err.Error()
	} else {
		res.NameMatches = true
	}
	res.InDates = !o.Now.Before(leaf.NotBefore) && !o.Now.After(leaf.NotAfter)
	res.DaysLeft = int(math.Floor(leaf.NotAfter.Sub(o.Now).Hours() / 24))

	if err := trusted(leaf, certs[1:], o); err != nil {
		res.ChainError = err.Error()
		return
	}
	res.ChainTrusted = true
}

// trusted verifies the chain with the leaf's own dates left aside: they are a
// question of their own, with an answer of its own.
func trusted(leaf *x509.Certificate, rest []*x509.Certificate, o Options) error {
	if !o.Now.Before(leaf.NotBefore) && !o.Now.After(leaf.NotAfter) {
		return verify(leaf, rest, o.Roots, o.Now)
	}
	undated := *leaf
	undated.NotBefore, undated.NotAfter = o.Now, o.Now
	err := verify(&undated, rest, o.Roots, o.Now)
	if err == nil {
		return nil
	}
	// A system's own verifier reads the certificate as sent; and authorities
	// may have gone since the leaf expired. Then: at the nearest moment at
	// which the leaf was valid.
	at := leaf.NotAfter
	if o.Now.Before(leaf.NotBefore) {
		at = leaf.NotBefore
	}
	if verify(leaf, rest, o.Roots, at) == nil {
		return nil
	}
	return err
}

func verify(leaf *x509.Certificate, rest []*x509.Certificate, roots *x509.CertPool, at time.Time) error {
	pool := x509.NewCertPool()
	for _, c := range rest {
		pool.AddCert(c)
	}
	_, err := leaf.Verify(x509.VerifyOptions{
		Roots:         roots,
		Intermediates: pool,
		CurrentTime:   at,
		KeyUsages:     []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	})
	return err
}

func summary(c *x509.Certificate) Certificate {
	sum := sha256.Sum256(c.Raw)
	out := Certificate{
		Subject:            clip(c.Subject.String()),
		Issuer:             clip(c.Issuer.String()),
		Names:              []string{},
		NotBefore:          c.NotBefore.UTC(),
		NotAfter:           c.NotAfter.UTC(),
		SignatureAlgorithm: c.SignatureAlgorithm.String(),
		SignatureHash:      hashOf(c.SignatureAlgorithm),
		SelfSigned:         selfSigned(c),
		SHA256:             hex.EncodeToString(sum[:]),
	}
	out.KeyType, out.KeyBits = keyOf(c)
	for _, n := range c.DNSNames {
		if len(out.Names) < 100 {
			out.Names = append(out.Names, clip(n))
		}
	}
	for _, ip := range c.IPAddresses {
		if len(out.Names) < 100 {
			out.Names = append(out.Names, ip.String())
		}
	}
	return out
}

// selfSigned asks for the name only: a signature that a small or old key cannot
// verify does not make a certificate someone else's.
func selfSigned(c *x509.Certificate) bool {
	return string(c.RawSubject) == string(c.RawIssuer) && (len(c.AuthorityKeyId) == 0 || string(c.AuthorityKeyId) == string(c.SubjectKeyId))
}

func keyOf(c *x509.Certificate) (string, int) {
	switch k := c.PublicKey.(type) {
	case *rsa.PublicKey:
		return "RSA", k.N.BitLen()
	case *ecdsa.PublicKey:
		return "ECDSA", k.Curve.Params().BitSize
	case ed25519.PublicKey:
		return "Ed25519", 256
	case *dsa.PublicKey:
		return "DSA", k.P.BitLen()
	}
	return "unknown", 0
}

func hashOf(a x509.SignatureAlgorithm) string {
	switch a {
	case x509.PureEd25519:
		return "none"
	case x509.MD2WithRSA:
		return "MD2"
	case x509.MD5WithRSA:
		return "MD5"
	case x509.SHA1WithRSA, x509.DSAWithSHA1, x509.ECDSAWithSHA1:
		return "SHA-1"
	}
	name := a.String()
	for _, bits := range []string{"256", "384", "512"} {
		if strings.Contains(name, "SHA"+bits) {
			return "SHA-" + bits
		}
	}
	return fmt.Sprintf("unknown (%s)", name)
}

// clip bounds what a stranger wrote in a certificate.
func clip(s string) string {
	const most = 500
	s = strings.ToValidUTF8(s, "\uFFFD")
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}
