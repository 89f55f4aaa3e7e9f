// Package tls looks at a server's TLS from outside: which protocol versions it
// offers, and the certificate chain that it shows. Everything that depends on
// this machine or on the moment (trust, names, days left) is settled when
// looking, so that a recorded result can be judged anywhere, later.
package tls

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/etalon-sante/etalon/suites/outward"
)

// DefaultTimeout bounds each connection when Options.Timeout is zero.
const DefaultTimeout = 10 * time.Second

// Options are what a look depends on besides the address.
type Options struct {
	Roots   *x509.CertPool // trust roots; nil: those of the system
	Dial    func(ctx context.Context, network, address string) (net.Conn, error)
	Now     time.Time     // the date as of which certificates are judged; zero: the present
	Timeout time.Duration // of each connection, whole; zero: DefaultTimeout
	Random  io.Reader     // for the hellos; nil: crypto/rand
}

// The states of a protocol version.
const (
	Offered = "offered"  // the server agreed to it
	Refused = "refused"  // an alert, another version, or the connection ended
	Silent  = "silent"   // no answer in time: nothing is known
	NotTLS  = "not-tls"  // the answer was not TLS
	Failed  = "no-reach" // the connection could not be made
)

// Version is one protocol version and what the server did when it was the only
// one proposed.
type Version struct {
	Name   string `json:"name"`   // "SSL 3.0", "TLS 1.0" … "TLS 1.3"
	State  string `json:"state"`  // offered, refused, silent, not-tls, no-reach
	Suite  string `json:"suite"`  // cipher suite chosen, "" unless offered
	Detail string `json:"detail"` // how it was refused, or what came instead
}

// Certificate is what matters of one certificate of the chain.
type Certificate struct {
	Subject            string    `json:"subject"`
	Issuer             string    `json:"issuer"`
	Names              []string  `json:"names"` // DNS names and addresses of the subject
	NotBefore          time.Time `json:"notBefore"`
	NotAfter           time.Time `json:"notAfter"`
	KeyType            string    `json:"keyType"` // RSA, ECDSA, Ed25519, DSA, or "unknown"
	KeyBits            int       `json:"keyBits"`
	SignatureAlgorithm string    `json:"signatureAlgorithm"` // "SHA256-RSA"
	SignatureHash      string    `json:"signatureHash"`      // "SHA-256"; "none" where the scheme has its own
	SelfSigned         bool      `json:"selfSigned"`
	SHA256             string    `json:"sha256"` // hex digest of the certificate
}

// Result is what was seen at one address.
type Result struct {
	Address        string        `json:"address"` // host:port
	Host           string        `json:"host"`    // name or address that the certificate has to cover
	At             time.Time     `json:"at"`      // the date as of which everything below holds
	Versions       []Version     `json:"versions"`
	Negotiated     string        `json:"negotiated"`     // version of the whole handshake, "" when none succeeded
	Suite          string        `json:"suite"`          // suite of the whole handshake
	HandshakeError string        `json:"handshakeError"` // why there is no whole handshake
	NetworkError   bool          `json:"networkError"`   // the handshake failed on the way, not at the server's will
	Chain          []Certificate `json:"chain"`          // leaf first, as sent
	ChainTrusted   bool          `json:"chainTrusted"`   // leads to a root of the run, the leaf's own dates left aside
	ChainError     string        `json:"chainError"`
	NameMatches    bool          `json:"nameMatches"`
	NameError      string        `json:"nameError"`
	InDates        bool          `json:"inDates"`  // the leaf is valid at At
	DaysLeft       int           `json:"daysLeft"` // whole days until the leaf expires; negative once it has
}

// UnreachableError says that nothing could be learned at an address.
type UnreachableError struct {
	Address string
	Err     error
}

func (e *UnreachableError) Error() string {
	return fmt.Sprintf("look at the TLS of %s: cannot reach it: %v", e.Address, e.Err)
}
func (e *UnreachableError) Unwrap() error { return e.Err }

var (
	errSilent      = errors.New("it accepted connections and answered none of them in time")
	errInterrupted = errors.New("interrupted before anything was learned")
)

// Address gives the host:port at which a site's TLS stands. For a site whose
// address is http without a port that is 443: a browser that tries https there
// tries that one.
func Address(site string) (string, error) {
	u, err := url.Parse(site)
	if err != nil {
		return "", fmt.Errorf("read the address %q: %w", site, err)
	}
	if u.Hostname() == "" || (u.Scheme != "https" && u.Scheme != "http") {
		return "", fmt.Errorf("read the address %q: expected something like https://service.example/", site)
	}
	port := u.Port()
	if port == "" {
		port = "443"
	}
	return net.JoinHostPort(u.Hostname(), port), nil
}

// Look looks at the TLS of a host:port. The error is an *UnreachableError when
// nothing could be learned; whatever else is wrong is in the result.
func Look(ctx context.Context, address string, o Options) (Result, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil || host == "" || port == "" {
		return Result{}, fmt.Errorf("look at the TLS of %q: expected host:port", address)
	}
	o = o.withDefaults()
	res := Result{Address: address, Host: host, At: o.Now.UTC(), Versions: []Version{}, Chain: []Certificate{}}

	// One connection per version and one whole handshake, at the same time: a
	// server that keeps silent costs one time-out, not six.
	res.Versions = make([]Version, len(protocols))
	causes := make([]error, len(protocols))
	var shake handshake
	var wg sync.WaitGroup
	for i, p := range protocols {
		wg.Go(func() { res.Versions[i], causes[i] = ask(ctx, address, serverName(host), p, o) })
	}
	wg.Go(func() { shake = whole(ctx, address, serverName(host), o) })
	wg.Wait()

	if err := nothingLearned(ctx, res.Versions, causes); err != nil && shake.version == "" {
		return res, &UnreachableError{Address: address, Err: err}
	}
	if shake.err != nil && shake.network && ctx.Err() == nil {
		// Six connections at once can trip a limiter; the certificate is worth
		// a second try, alone.
		shake = whole(ctx, address, serverName(host), o)
	}
	res.Negotiated, res.Suite = shake.version, shake.suite
	if shake.err != nil {
		res.HandshakeError, res.NetworkError = shake.err.Error(), shake.network
	}
	judgeChain(&res, shake.raw, o)
	return res, nil
}

// Speaks says whether some version was agreed to: something at that address
// speaks TLS.
func (r Result) Speaks() bool {
	for _, v := range r.Versions {
		if v.State == Offered {
			return true
		}
	}
	return false
}

// Version returns what is known of a version by its name.
func (r Result) Version(name string) (Version, bool) {
	for _, v := range r.Versions {
		if v.Name == name {
			return v, true
		}
	}
	return Version{}, false
}

// nothingLearned is nil as soon as one connection brought an answer of any kind.
func nothingLearned(ctx context.Context, versions []Version, causes []error) error {
	var first error
	silent := false
	for i, v := range versions {
		switch v.State {
		case Failed:
			if first == nil {
				first = causes[i]
			}
		case Silent:
			silent = true
		default:
			return nil
		}
	}
	switch {
	case ctx.Err() != nil:
		return errInterrupted
	case silent:
		return errSilent
	}
	return first
}

func (o Options) withDefaults() Options {
	if o.Dial == nil {
		o.Dial = outward.Dial
	}
	if o.Now.IsZero() {
		o.Now = time.Now()
	}
	if o.Timeout <= 0 {
		o.Timeout = DefaultTimeout
	}
	if o.Random == nil {
		o.Random = rand.Reader
	}
	return o
}

// serverName is the host as SNI carries it: never an address (RFC 6066 §3).
func serverName(host string) string {
	if _, err := netip.ParseAddr(host); err == nil {
		return ""
	}
	return strings.TrimSuffix(host, ".")
}
