// Package dns looks at what the domain name system says of a service's domain:
// whether its zone is signed (DNSSEC), who may issue certificates for it (CAA),
// and what keeps others from writing in its name (SPF, DMARC). It asks one
// resolver, the one that the user named, and no other server.
package dns

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"time"

	"github.com/etalon-sante/etalon/suites/probe/pace"
	"github.com/miekg/dns"
	"golang.org/x/net/publicsuffix"
)

// Limits and defaults of a look.
const (
	DefaultTimeout  = 5 * time.Second
	DefaultInterval = 50 * time.Millisecond // at most twenty questions a second
	maxQuestions    = 60
	maxRecords      = 50   // kept of one answer
	maxText         = 2000 // bytes kept of one record
	udpSize         = 1232 // what passes without fragments (DNS flag day 2020)
)

// Options say what to look at, and how.
type Options struct {
	Domain   string // name under which the service is published
	Resolver string // host or host:port; port 53 when none is given
	Now      func() time.Time
	Timeout  time.Duration // of each question; zero: DefaultTimeout
	Interval time.Duration // between two questions; zero: DefaultInterval, negative: none
}

// Result is what was seen.
type Result struct {
	Domain    string     `json:"domain"`
	Mail      string     `json:"mail"` // registered domain, whose name mail is written in
	Resolver  string     `json:"resolver"`
	At        time.Time  `json:"at"`
	Validates bool       `json:"validates"` // the resolver says of the root that it is authentic
	Signature Signature  `json:"signature"`
	CAA       CAA        `json:"caa"`
	SPF       SPF        `json:"spf"`
	DMARC     DMARC      `json:"dmarc"`
	Questions []Question `json:"questions"`
}

// Question is one question, and how it was answered.
type Question struct {
	Name          string   `json:"name"`
	Type          string   `json:"type"`
	Unchecked     bool     `json:"unchecked"` // the resolver was asked not to validate
	Code          string   `json:"code"`      // NOERROR, NXDOMAIN, SERVFAIL…; "" without an answer
	Authenticated bool     `json:"authenticated"`
	Records       []string `json:"records"`
	Error         string   `json:"error"`
}

// Problem is one thing that is wrong.
type Problem struct {
	Key    string `json:"key"`
	Actual string `json:"actual"`
}

// UnreachableError says that the resolver did not answer.
type UnreachableError struct {
	Resolver string
	Err      error
}

func (e *UnreachableError) Error() string {
	return fmt.Sprintf("the resolver %s does not answer: %v", e.Resolver, e.Err)
}

// Unwrap gives the cause.
func (e *UnreachableError) Unwrap() error { return e.Err }

// ErrNoDomain says that the service is published under no name of the domain
// name system.
var ErrNoDomain = errors.New("the service's address has no domain name: write web.domain in the manifest")

// Address gives the host and port of a resolver as the user named it.
func Address(resolver string) (string, error) {
	host, port := resolver, "53"
	if h, p, err := net.SplitHostPort(resolver); err == nil {
		host, port = h, p
	}
	host = strings.Trim(host, "[]")
	if host == "" || strings.ContainsAny(host, " /@?#") {
		return "", fmt.Errorf("resolver %q: expected an address like 192.0.2.53 or 192.0.2.53:5353", resolver)
	}
	if _, err := net.LookupPort("udp", port); err != nil {
		return "", fmt.Errorf("resolver %q: port %q is none", resolver, port)
	}
	return net.JoinHostPort(host, port), nil
}

// Domain says under which name a service is published, from the name that the
// manifest gives or else the host of its address. ErrNoDomain for an address of
// numbers or of this machine.
func Domain(given, host string) (string, error) {
	name := strings.ToLower(strings.TrimSuffix(given, "."))
	if name == "" {
		name = strings.ToLower(strings.TrimSuffix(host, "."))
	}
	if _, err := netip.ParseAddr(strings.Trim(name, "[]")); err == nil || !strings.Contains(name, ".") || strings.HasSuffix(name, ".localhost") {
		return "", ErrNoDomain
	}
	if _, ok := dns.IsDomainName(name); !ok {
		return "", fmt.Errorf("%q is no domain name: %w", name, ErrNoDomain)
	}
	return name, nil
}

// looker asks the questions of one look, one at a time.
type looker struct {
	udp, tcp  dns.Client
	server    string
	now       func() time.Time
	interval  time.Duration
	last      time.Time
	questions []Question
	silent    int
}

// Look asks. The error is an *UnreachableError when the resolver did not answer
// the first question.
func Look(ctx context.Context, o Options) (Result, error) {
	server, err := Address(o.Resolver)
	if err != nil {
		return Result{}, err
	}
	l := &looker{server: server, now: o.Now, interval: o.Interval, questions: []Question{}}
	if l.now == nil {
		l.now = time.Now
	}
	if l.interval == 0 {
		l.interval = DefaultInterval
	}
	timeout := o.Timeout
	if timeout <= 0 {
		timeout = DefaultTimeout
	}
	l.udp = dns.Client{Net: "udp", Timeout: timeout, UDPSize: udpSize}
	l.tcp = dns.Client{Net: "tcp", Timeout: timeout}

	res := Result{Domain: o.Domain, Mail: o.Domain, Resolver: server, At: l.now().UTC(), Questions: []Question{}}
	if registered, err := publicsuffix.EffectiveTLDPlusOne(o.Domain); err == nil {
		res.Mail = registered
	}
	root, err := l.ask(ctx, ".", dns.TypeSOA, false)
	if err != nil {
		return res, &UnreachableError{Resolver: server, Err: err}
	}
	res.Validates = root.AuthenticatedData
	res.Signature = l.signature(ctx, res.Domain, l.now())
	res.CAA = l.caa(ctx, res.Domain, res.Mail)
	res.SPF = l.spf(ctx, res.Mail)
	res.DMARC = l.dmarc(ctx, res.Domain, res.Mail)
	res.Questions = l.questions
	if err := ctx.Err(); err != nil {
		return res, fmt.Errorf("look at the domain %s: %w", o.Domain, err)
	}
	return res, nil
}

// silentLimit is the number of questions in a row without an answer after which
// no more are asked.
const silentLimit = 2

var (
	errTooMany = errors.New("not asked: too many questions")
	errSilent  = errors.New("not asked: earlier questions in a row were not answered")
)

// ask asks one question. An answer of any code is an answer; the error says that
// none came.
func (l *looker) ask(ctx context.Context, name string, kind uint16, unchecked bool) (*dns.Msg, error) {
	q := Question{Name: strings.TrimSuffix(name, "."), Type: dns.TypeToString[kind], Unchecked: unchecked, Records: []string{}}
	switch {
	case len(l.questions) >= maxQuestions:
		return nil, errTooMany
	case l.silent >= silentLimit:
		return nil, errSilent
	}
	if err := l.pause(ctx); err != nil {
		return nil, err
	}
	m := new(dns.Msg)
	m.SetQuestion(dns.Fqdn(name), kind)
	m.SetEdns0(udpSize, true) // signatures, please
	m.AuthenticatedData, m.CheckingDisabled = true, unchecked
	r, _, err := l.udp.ExchangeContext(ctx, m, l.server)
	if err == nil && r.Truncated {
		r, _, err = l.tcp.ExchangeContext(ctx, m, l.server)
	}
	l.last = time.Now() // of the wall, as the interval is
	if err != nil {
		l.silent++
		q.Error = err.Error()
		l.questions = append(l.questions, q)
		return nil, fmt.Errorf("%s %s: %w", q.Name, q.Type, err)
	}
	l.silent = 0
	q.Code, q.Authenticated = dns.RcodeToString[r.Rcode], r.AuthenticatedData
	for i, rr := range r.Answer {
		if i == maxRecords {
			break
		}
		q.Records = append(q.Records, clip(rr.String()))
	}
	l.questions = append(l.questions, q)
	return r, nil
}

func (l *looker) pause(ctx context.Context) error {
	if l.interval < 0 || l.last.IsZero() {
		return ctx.Err()
	}
	return pace.Rest(ctx, l.interval-time.Since(l.last))
}

// answered says whether an answer tells what stands under a name: something, or
// nothing.
func answered(m *dns.Msg) bool {
	return m.Rcode == dns.RcodeSuccess || m.Rcode == dns.RcodeNameError
}

// clip bounds what a stranger wrote.
func clip(s string) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if len(s) <= maxText {
		return s
	}
	return strings.ToValidUTF8(s[:maxText], "") + "…"
}
