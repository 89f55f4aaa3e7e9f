package security

import (
	"context"
	"fmt"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"

	"github.com/etalon-sante/etalon/sandbox/record"
	. "github.com/etalon-sante/etalon/suites/lab"
	"github.com/etalon-sante/etalon/suites/probe/tls"
)

// The least that keys and signatures are accepted with: RSA keys of 2048 bits
// and elliptic curves of 256 (ANSSI, guide TLS v1.2), signatures with SHA-2.
const (
	leastRSA = 2048
	leastEC  = 256
)

// TLSSpecs registers what is judged of the TLS of the service's addresses:
// versions and certificates. It returns the scenario that looks at them.
func TLSSpecs(l *Lab) *Scenario {
	var addresses *Scenario
	l.In("tls", func() {
		addresses = l.Scenario("tls-addresses", "the TLS of the service's addresses is looked at from outside", lookAtTLS)
	})
	// Each leaf says when there may be something to find, and what has to be
	// known of every address where nothing is found.
	each := func(may, known func(tls.Result) bool, name string, find func(record.Record, tls.Result) []Finding) {
		everywhere(addresses.Trace(), "tls", may, known, name, find)
	}
	same := func(known func(tls.Result) bool, name string, find func(record.Record, tls.Result) []Finding) {
		each(known, known, name, find)
	}

	Describe("Protocol versions", func() {
		It("offers neither TLS 1.0 nor 1.1, nor anything older", Check("SEC-01.1"), Reads(addresses), func() {
			// That none is offered takes an answer about each; silence is none.
			each(tls.Result.Speaks, func(r tls.Result) bool { return r.Speaks() && oldKnown(r) }, "no old version", oldVersions)
		})
		It("offers TLS 1.2 or 1.3", Check("SEC-01.2"), Reads(addresses), func() {
			same(func(r tls.Result) bool { return known(r, "TLS 1.2") && known(r, "TLS 1.3") }, "TLS 1.2 or 1.3", secureVersion)
		})
		It("offers TLS 1.3", Check("SEC-02.1"), Reads(addresses), func() {
			same(func(r tls.Result) bool { return known(r, "TLS 1.3") }, "TLS 1.3", newestVersion)
		})
	})
	Describe("The certificate", func() {
		It("leads to a trusted root", Check("SEC-03.1"), Reads(addresses), func() {
			// Where TLS is spoken and no handshake succeeds, no patient gets in either.
			same(func(r tls.Result) bool { return withLeaf(r) || (r.Speaks() && !r.NetworkError) }, "trusted chain", trustedChain)
		})
		It("is for the name under which the service is visited", Check("SEC-03.2"), Reads(addresses), func() {
			same(withLeaf, "name", nameCovered)
		})
		It("is within its dates", Check("SEC-03.3"), Reads(addresses), func() {
			same(withLeaf, "dates", withinDates)
		})
		It("rests on keys and signatures of sufficient strength", Check("SEC-03.4"), Reads(addresses), func() {
			same(withLeaf, "strength", strongEnough)
		})
	})
	return addresses
}

func lookAtTLS(ctx context.Context, s *Stage) error {
	addresses, err := tlsAddresses(s.Candidate())
	if err != nil {
		return s.Probe("tls", siteOf(s), nil, err)
	}
	for _, address := range addresses {
		res, err := tls.Look(ctx, address, tls.Options{Dial: paced(s), Roots: s.Roots(), Now: s.Now(), Timeout: s.Candidate().Timing.Action})
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			err = s.Probe("tls", address, nil, err)
		default:
			err = s.Probe("tls", address, res, nil)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// siteOf is the address that the probes look at.
func siteOf(s *Stage) string {
	if w := s.Candidate().Web; w.Site != "" {
		return w.Site
	}
	return s.Candidate().Web.Production
}

// known says whether the server's stand on a version is known.
func known(r tls.Result, name string) bool {
	v, ok := r.Version(name)
	return ok && (v.State == tls.Offered || v.State == tls.Refused || v.State == tls.NotTLS)
}

func oldNames() []string { return []string{"SSL 3.0", "TLS 1.0", "TLS 1.1"} }

// oldKnown says whether the server's stand on each old version is known: one
// that was met with silence is not one that was refused.
func oldKnown(r tls.Result) bool {
	for _, name := range oldNames() {
		if !known(r, name) {
			return false
		}
	}
	return true
}

func oldVersions(rec record.Record, r tls.Result) []Finding {
	var out []Finding
	for i, v := range r.Versions {
		for _, old := range oldNames() {
			if v.Name == old && v.State == tls.Offered {
				out = append(out, At(rec, "tls.old-version", Text{
					FR: fmt.Sprintf("%s accepte %s, un protocole abandonné", r.Address, v.Name),
					EN: fmt.Sprintf("%s accepts %s, a protocol that was given up", r.Address, v.Name),
				}).Was(tls.Refused, v.State+" ("+v.Suite+")").In(fmt.Sprintf("/versions/%d/state", i)))
			}
		}
	}
	return out
}

func secureVersion(rec record.Record, r tls.Result) []Finding {
	for _, v := range r.Versions {
		if (v.Name == "TLS 1.2" || v.Name == "TLS 1.3") && v.State == tls.Offered {
			return nil
		}
	}
	return []Finding{At(rec, "tls.no-secure-version", Text{
		FR: fmt.Sprintf("%s n'accepte ni TLS 1.2 ni TLS 1.3", r.Address),
		EN: fmt.Sprintf("%s accepts neither TLS 1.2 nor TLS 1.3", r.Address),
	}).Was("TLS 1.2 / TLS 1.3", offered(r)).In("/versions")}
}

func newestVersion(rec record.Record, r tls.Result) []Finding {
	for i, v := range r.Versions {
		if v.Name == "TLS 1.3" && v.State != tls.Offered {
			return []Finding{At(rec, "tls.no-1.3", Text{
				FR: fmt.Sprintf("%s n'accepte pas TLS 1.3", r.Address),
				EN: fmt.Sprintf("%s does not accept TLS 1.3", r.Address),
			}).Was(tls.Offered, v.State+" ("+v.Detail+")").In(fmt.Sprintf("/versions/%d/state", i))}
		}
	}
	return nil
}

func offered(r tls.Result) string {
	var names []string
	for _, v := range r.Versions {
		if v.State == tls.Offered {
			names = append(names, v.Name)
		}
	}
	if len(names) == 0 {
		return "—"
	}
	return strings.Join(names, ", ")
}

func trustedChain(rec record.Record, r tls.Result) []Finding {
	if r.ChainTrusted {
		return nil
	}
	why := r.ChainError
	if len(r.Chain) == 0 && r.HandshakeError != "" {
		why = r.HandshakeError
	}
	return []Finding{At(rec, "tls.chain-untrusted", Text{
		FR: fmt.Sprintf("le certificat de %s ne mène à aucune autorité reconnue par ce contrôle", r.Address),
		EN: fmt.Sprintf("the certificate of %s leads to no authority that this run trusts", r.Address),
	}).Was("a trusted root", why).In("/chain")}
}

func nameCovered(rec record.Record, r tls.Result) []Finding {
	if r.NameMatches {
		return nil
	}
	return []Finding{At(rec, "tls.wrong-name", Text{
		FR: fmt.Sprintf("le certificat n'est pas établi pour %s", r.Host),
		EN: fmt.Sprintf("the certificate is not for %s", r.Host),
	}).Was(r.Host, strings.Join(r.Chain[0].Names, ", ")).In("/chain/0/names")}
}

func withinDates(rec record.Record, r tls.Result) []Finding {
	if r.InDates {
		return nil
	}
	leaf := r.Chain[0]
	day := func(t time.Time) string { return t.Format(time.DateOnly) }
	if r.At.Before(leaf.NotBefore) {
		return []Finding{At(rec, "tls.not-yet-valid", Text{
			FR: fmt.Sprintf("le certificat de %s n'est pas encore valable : il l'est à partir du %s", r.Address, day(leaf.NotBefore)),
			EN: fmt.Sprintf("the certificate of %s is not valid yet: it is from %s", r.Address, day(leaf.NotBefore)),
		}).Was("≤ "+day(r.At), day(leaf.NotBefore)).In("/chain/0/notBefore")}
	}
	return []Finding{At(rec, "tls.expired", Text{
		FR: fmt.Sprintf("le certificat de %s a expiré le %s", r.Address, day(leaf.NotAfter)),
		EN: fmt.Sprintf("the certificate of %s expired on %s", r.Address, day(leaf.NotAfter)),
	}).Was("≥ "+day(r.At), day(leaf.NotAfter)).In("/chain/0/notAfter")}
}

func strongEnough(rec record.Record, r tls.Result) []Finding {
	var out []Finding
	for i, c := range r.Chain {
		if least, ok := keyStrong(c); !ok {
			out = append(out, At(rec, "tls.weak-key", Text{
				FR: fmt.Sprintf("la clé du certificat « %s » est trop faible", c.Subject),
				EN: fmt.Sprintf("the key of certificate %q is too weak", c.Subject),
			}).Was(least, fmt.Sprintf("%s %d", c.KeyType, c.KeyBits)).In(fmt.Sprintf("/chain/%d/keyBits", i)))
		}
		// The signature of a root sent along counts for nothing: a root is
		// trusted by itself.
		if i > 0 && c.SelfSigned {
			continue
		}
		switch c.SignatureHash {
		case "SHA-256", "SHA-384", "SHA-512", "none":
		default:
			out = append(out, At(rec, "tls.weak-signature", Text{
				FR: fmt.Sprintf("la signature du certificat « %s » repose sur une empreinte trop faible", c.Subject),
				EN: fmt.Sprintf("the signature of certificate %q rests on a digest that is too weak", c.Subject),
			}).Was("SHA-256, SHA-384, SHA-512", c.SignatureAlgorithm).In(fmt.Sprintf("/chain/%d/signatureAlgorithm", i)))
		}
	}
	return out
}

func keyStrong(c tls.Certificate) (string, bool) {
	switch c.KeyType {
	case "RSA":
		return fmt.Sprintf("RSA ≥ %d", leastRSA), c.KeyBits >= leastRSA
	case "ECDSA", "Ed25519":
		return fmt.Sprintf("%s ≥ %d", c.KeyType, leastEC), c.KeyBits >= leastEC
	}
	return fmt.Sprintf("RSA ≥ %d, ECDSA ≥ %d, Ed25519", leastRSA, leastEC), false
}
