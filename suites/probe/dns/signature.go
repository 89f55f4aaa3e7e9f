package dns

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/miekg/dns"
)

// Signature is how the zone of the domain is signed.
type Signature struct {
	Zone      string    `json:"zone"`      // name of the zone that holds the domain; "" when it was not found
	Known     bool      `json:"known"`     // the questions below were answered
	Bogus     bool      `json:"bogus"`     // the resolver refuses the zone's answers, and gives them when it need not validate
	Keys      int       `json:"keys"`      // DNSKEY records
	Delegated int       `json:"delegated"` // DS records with the parent
	Signed    bool      `json:"signed"`    // the zone's first record has a signature
	Trusted   bool      `json:"trusted"`   // the resolver says that the answer is authentic
	Until     time.Time `json:"until,omitzero"`
	Problems  []Problem `json:"problems"` // ds-mismatch, keys-signature, signature, dates
}

// signature looks at the zone that holds a domain. What a key signs, and whether
// the parent names that key, is computed here; the rest of the chain, up to the
// root, is the resolver's word.
func (l *looker) signature(ctx context.Context, domain string, now time.Time) Signature {
	out := Signature{Problems: []Problem{}}
	var soa *dns.Msg
	for name := dns.Fqdn(domain); strings.Count(name, ".") >= 2; name = parent(name) {
		m, err := l.ask(ctx, name, dns.TypeSOA, false)
		if err == nil && m.Rcode == dns.RcodeServerFailure {
			unchecked, again := l.ask(ctx, name, dns.TypeSOA, true)
			if again == nil && unchecked.Rcode == dns.RcodeSuccess {
				out.Bogus, m = true, unchecked
			}
		}
		if err != nil || !answered(m) {
			return out
		}
		if holds(m, name, dns.TypeSOA) {
			soa, out.Zone = m, name
			break
		}
	}
	if soa == nil {
		return out
	}
	keys, err1 := l.ask(ctx, out.Zone, dns.TypeDNSKEY, out.Bogus)
	ds, err2 := l.ask(ctx, out.Zone, dns.TypeDS, out.Bogus)
	if err1 != nil || err2 != nil || !answered(keys) || !answered(ds) {
		return out
	}
	out.Known, out.Trusted = true, soa.AuthenticatedData
	out.check(soa, keys, ds, now)
	out.Zone = strings.TrimSuffix(out.Zone, ".")
	return out
}

// check verifies what is in the three answers.
func (s *Signature) check(soa, keys, ds *dns.Msg, now time.Time) {
	var all []*dns.DNSKEY
	var keySet, soaSet []dns.RR
	for _, rr := range keys.Answer {
		if k, ok := rr.(*dns.DNSKEY); ok && same(k.Hdr.Name, s.Zone) {
			all, keySet = append(all, k), append(keySet, rr)
		}
	}
	for _, rr := range soa.Answer {
		if _, ok := rr.(*dns.SOA); ok && same(rr.Header().Name, s.Zone) {
			soaSet = append(soaSet, rr)
		}
	}
	s.Keys = len(all)
	matching := []*dns.DNSKEY{}
	for _, rr := range ds.Answer {
		d, ok := rr.(*dns.DS)
		if !ok || !same(d.Hdr.Name, s.Zone) {
			continue
		}
		s.Delegated++
		for _, k := range all {
			if made := k.ToDS(d.DigestType); made != nil && k.Algorithm == d.Algorithm && strings.EqualFold(made.Digest, d.Digest) {
				matching = append(matching, k)
			}
		}
	}
	onSOA := signatures(soa.Answer, s.Zone, dns.TypeSOA)
	s.Signed = len(onSOA) > 0
	if s.Keys == 0 || !s.Signed || s.Delegated == 0 {
		return // not signed for those who ask: nothing to verify
	}
	if len(matching) == 0 {
		s.add("ds-mismatch", fmt.Sprintf("%d DS, %d DNSKEY", s.Delegated, s.Keys))
	} else if _, good := verified(signatures(keys.Answer, s.Zone, dns.TypeDNSKEY), matching, keySet, now); !good {
		s.add("keys-signature", fmt.Sprintf("%d RRSIG DNSKEY", len(signatures(keys.Answer, s.Zone, dns.TypeDNSKEY))))
	}
	until, good := verified(onSOA, all, soaSet, now)
	s.Until = until
	if !good {
		key := "signature"
		if _, otherwise := verified(onSOA, all, soaSet, time.Time{}); otherwise {
			key = "dates"
		}
		s.add(key, fmt.Sprintf("RRSIG SOA, %s → %s", dns.TimeToString(onSOA[0].Inception), dns.TimeToString(onSOA[0].Expiration)))
	}
}

func (s *Signature) add(key, actual string) {
	s.Problems = append(s.Problems, Problem{Key: key, Actual: actual})
}

// verified says whether one of the signatures is good and in its dates (any
// date, for the zero time), and until when it is.
func verified(all []*dns.RRSIG, keys []*dns.DNSKEY, set []dns.RR, now time.Time) (time.Time, bool) {
	for _, sig := range all {
		for _, k := range keys {
			if sig.KeyTag != k.KeyTag() || sig.Algorithm != k.Algorithm || sig.Verify(k, set) != nil {
				continue
			}
			if now.IsZero() || sig.ValidityPeriod(now) {
				return time.Unix(int64(sig.Expiration), 0).UTC(), true
			}
		}
	}
	return time.Time{}, false
}

func signatures(rrs []dns.RR, zone string, covered uint16) []*dns.RRSIG {
	var out []*dns.RRSIG
	for _, rr := range rrs {
		if sig, ok := rr.(*dns.RRSIG); ok && sig.TypeCovered == covered && same(sig.Hdr.Name, zone) && same(sig.SignerName, zone) {
			out = append(out, sig)
		}
	}
	return out
}

func holds(m *dns.Msg, name string, kind uint16) bool {
	for _, rr := range m.Answer {
		if rr.Header().Rrtype == kind && same(rr.Header().Name, name) {
			return true
		}
	}
	return false
}

func same(a, b string) bool { return strings.EqualFold(dns.Fqdn(a), dns.Fqdn(b)) }

// parent is the name above, "." at the top.
func parent(name string) string {
	_, up, _ := strings.Cut(strings.TrimSuffix(name, "."), ".")
	return dns.Fqdn(up)
}
