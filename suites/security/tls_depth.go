package security

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"

	"github.com/etalon-sante/etalon/sandbox/record"
	"github.com/etalon-sante/etalon/suites/candidate"
	. "github.com/etalon-sante/etalon/suites/lab"
	"github.com/etalon-sante/etalon/suites/probe/tls"
)

const (
	// leastGroup is the least size, in bits, of a curve in which keys are agreed:
	// 256, which Curve25519 misses by one (ANSSI, guide TLS v1.2).
	leastGroup = 255
	leastPrime = 2048 // bits of a Diffie-Hellman prime (RFC 9325 §4.1)
	goodRSA    = 3072 // bits of an RSA key made to last (ANSSI, guide TLS v1.2)

	maxTLSAddresses = 4
)

// TLSDepthSpecs registers what a survey of the TLS of each address shows;
// addresses is the scenario that looked at versions and certificates.
func TLSDepthSpecs(l *Lab, addresses *Scenario) {
	var survey *Scenario
	l.In("tls-depth", func() {
		survey = l.Scenario("tls-survey", "the service's addresses are asked which suites and groups they take, one hello at a time", surveyTLS)
	})
	each := func(known func(tls.Depth) bool, name string, find func(record.Record, tls.Depth) []Finding) {
		everywhere(survey.Trace(), "tls-depth", always, known, name, find)
	}
	certificates := func(name string, find func(record.Record, tls.Result) []Finding) {
		everywhere(addresses.Trace(), "tls", withLeaf, withLeaf, name, find)
	}

	Describe("Cipher suites", func() {
		It("protect what they carry", Check("SEC-30.1"), Reads(survey), func() { each(suitesKnown, "no broken suite", brokenSuites) })
		It("make new keys each time", Check("SEC-31.1"), Reads(survey), func() { each(suitesKnown, "forward secrecy", lastingKeys) })
		It("encrypt and authenticate in one", Check("SEC-31.2"), Reads(survey), func() { each(suitesKnown, "AEAD", notAEAD) })
		It("rest on no small Diffie-Hellman prime", Check("SEC-31.3"), Reads(survey), func() {
			each(primeKnown, "prime", smallPrime)
			if finite := could(survey.Trace(), "tls-depth", func(d tls.Depth) bool { return d.DHPrime > 0 }); !finite.Empty() {
				finite.Review(Text{
					FR: "une suite DHE est offerte, avec un nombre premier assez grand : le guide de l'ANSSI la tolère, d'autres recommandations demandent de la retirer ; à décider",
					EN: "a DHE suite is offered, with a prime that is large enough: ANSSI's guide tolerates it, other recommendations ask to remove it; a person decides",
				})
			}
		})
	})
	Describe("The agreement on keys", func() {
		It("takes place in groups of sufficient size", Check("SEC-32.1"), Reads(survey), func() { each(groupsKnown, "groups", smallGroups) })
		It("is not signed with SHA-1", Check("SEC-32.2"), Reads(survey), func() {
			each(answered(func(d tls.Depth) string { return d.SHA1Signature }), "no SHA-1", sha1Agreement)
		})
	})
	Describe("The choice of a suite", func() {
		It("is the server's where it matters", Check("SEC-33.1"), Reads(survey), func() { each(orderKnown, "server's order", clientsChoice) })
		It("falls on the best", Check("SEC-33.2"), Reads(survey), func() { each(orderKnown, "best first", worseFirst) })
	})
	Describe("What surrounds the suites", func() {
		It("announces secure renegotiation", Check("SEC-34.1"), Reads(survey), func() {
			each(answered(func(d tls.Depth) string { return d.Renegotiation }), "renegotiation", noRenegotiationInfo)
		})
		It("binds the keys to the whole handshake", Check("SEC-34.2"), Reads(survey), func() {
			each(answered(func(d tls.Depth) string { return d.MasterSecret }), "extended master secret", noMasterSecret)
		})
		It("includes no compression", Check("SEC-35.1"), Reads(survey), func() {
			each(answered(func(d tls.Depth) string { return d.Compression }), "no compression", compressed)
		})
		It("shows a client of TLS 1.3 that it was held back", Check("SEC-36.1"), Reads(survey), func() {
			each(answered(func(d tls.Depth) string { return d.Downgrade }), "downgrade mark", downgradeUnmarked)
		})
		It("stops a client that fell back to what was given up", Check("SEC-36.2"), Reads(survey), func() {
			each(answered(func(d tls.Depth) string { return d.Fallback }), "fallback", fallbackTaken)
		})
	})
	Describe("Known weaknesses of the protocol", func() {
		It("are not brought back by SSL 2.0", Check("SEC-39.1"), Reads(survey), func() {
			each(answered(func(d tls.Depth) string { return d.SSL2 }), "no SSL 2.0", ssl2Taken)
		})
		It("do not include heartbeats", Check("SEC-39.2"), Reads(survey), func() {
			each(answered(func(d tls.Depth) string { return d.Heartbeat }), "no heartbeat", heartbeats)
		})
	})
	Describe("The certificate in time", func() {
		It("is renewed well before it expires", Check("SEC-37.1"), Reads(addresses), func() { certificates("time left", expiresSoon) })
		It("is not made to last too long", Check("SEC-37.2"), Reads(addresses), func() { certificates("lifetime", lastsTooLong) })
		It("has a key made to last", Check("SEC-38.1"), Reads(addresses), func() { certificates("lasting key", modestKey) })
	})
}

// everywhere judges what was seen at every address of the service, where there
// may be something to find. What is wrong at one is wrong whatever became of the
// others; that nothing is wrong takes the answer of each of them.
func everywhere[T any](t Trace, kind string, may, known func(T) bool, name string, find func(record.Record, T) []Finding) {
	judge, seen := see(name, find), could(t, kind, may)
	if len(judge.Findings(seen, false)) == 0 {
		for _, r := range t.Probes(kind).Records {
			if r.Probe.Error != "" {
				t.Untested(Text{
					FR: fmt.Sprintf("le banc n'a pas pu regarder %s : %s", r.Probe.Target, r.Probe.Error),
					EN: fmt.Sprintf("the harness could not look at %s: %s", r.Probe.Target, r.Probe.Error),
				})
			}
		}
		if seen = could(t, kind, known); seen.Len() < could[T](t, kind, nil).Len() {
			seen = seen.Where(func(record.Record) bool { return false }) // some address did not say
		}
	}
	Expect(seen.Occasion()).To(judge)
}

func always[T any](T) bool { return true }

// withLeaf says whether a certificate was seen.
func withLeaf(r tls.Result) bool { return len(r.Chain) > 0 }

// tlsAddresses are the addresses, host:port, at which the manifest says that the
// service speaks TLS: the site first, then production and where patients come
// back to, when they are others.
func tlsAddresses(c candidate.Candidate) ([]string, error) {
	site := c.Web.Site
	if site == "" {
		site = c.Web.Production
	}
	first, err := tls.Address(site)
	if err != nil {
		return nil, err
	}
	out := []string{first}
	for _, more := range append([]string{c.Web.Production}, c.Sandbox.RedirectURIs...) {
		if u, err := url.Parse(more); err != nil || u.Scheme != "https" {
			continue // an application's own scheme, or plain HTTP, which others judge
		}
		address, err := tls.Address(more)
		if err == nil && len(out) < maxTLSAddresses && !slices.Contains(out, address) {
			out = append(out, address)
		}
	}
	return out, nil
}

func surveyTLS(ctx context.Context, s *Stage) error {
	addresses, err := tlsAddresses(s.Candidate())
	if err != nil {
		return s.Probe("tls-depth", siteOf(s), nil, err)
	}
	for _, address := range addresses {
		found, err := tls.Survey(ctx, address, tls.Options{Now: s.Now(), Timeout: s.Candidate().Timing.Action})
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			err = s.Probe("tls-depth", address, nil, err)
		default:
			err = s.Probe("tls-depth", address, found, nil)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// suitesKnown: the server took some suite, and its stand on all others is known.
func suitesKnown(d tls.Depth) bool {
	some := false
	for _, p := range d.Protocols {
		if !p.Complete || p.State == tls.Silent || p.State == tls.Failed {
			return false
		}
		some = some || len(p.Suites) > 0
	}
	return some
}

func primeKnown(d tls.Depth) bool {
	for _, p := range d.Protocols {
		for _, s := range p.Suites {
			if s.Exchange == "DHE" && d.DHPrime == 0 {
				return false
			}
		}
	}
	return suitesKnown(d)
}

func groupsKnown(d tls.Depth) bool { return suitesKnown(d) && d.GroupsComplete }

func orderKnown(d tls.Depth) bool {
	for _, p := range d.Protocols {
		if p.ServerOrder == tls.Unknown {
			return false
		}
	}
	return suitesKnown(d)
}

// answered: a question got an answer, or does not arise because what it is about
// is not offered.
func answered(stand func(tls.Depth) string) func(tls.Depth) bool {
	return func(d tls.Depth) bool {
		return (stand(d) == tls.Yes || stand(d) == tls.No || stand(d) == tls.None) &&
			slices.ContainsFunc(d.Protocols, func(p tls.Protocol) bool { return p.State == tls.Offered })
	}
}

// suites reports, version by version, those of which a condition holds.
func suites(rec record.Record, d tls.Depth, key string, bad func(tls.Protocol, tls.Suite) bool, fr, en, want string) []Finding {
	var out []Finding
	for i, p := range d.Protocols {
		var names []string
		for _, s := range p.Suites {
			if bad(p, s) {
				names = append(names, s.Name)
			}
		}
		if len(names) > 0 {
			out = append(out, At(rec, key, Text{
				FR: fmt.Sprintf("%s accepte en %s %s", d.Address, p.Name, fr),
				EN: fmt.Sprintf("%s accepts with %s %s", d.Address, p.Name, en),
			}).Was(want, strings.Join(names, ", ")).In(fmt.Sprintf("/protocols/%d/suites", i)))
		}
	}
	return out
}

func brokenSuites(rec record.Record, d tls.Depth) []Finding {
	return suites(rec, d, "tls.broken-suite", func(_ tls.Protocol, s tls.Suite) bool { return s.Broken != "" },
		"des suites qui ne protègent pas", "suites that do not protect", "ECDHE + AES-GCM / ChaCha20-Poly1305")
}

// modern: in the versions before TLS 1.2 nothing better was to be had, and their
// being offered is a finding of its own.
func modern(p tls.Protocol) bool { return p.Name == "TLS 1.2" || p.Name == "TLS 1.3" }

func lastingKeys(rec record.Record, d tls.Depth) []Finding {
	return suites(rec, d, "tls.no-forward-secrecy", func(p tls.Protocol, s tls.Suite) bool { return modern(p) && !s.Forward },
		"des suites dont les clés ne changent pas à chaque connexion", "suites whose keys do not change with each connection", "ECDHE")
}

func notAEAD(rec record.Record, d tls.Depth) []Finding {
	return suites(rec, d, "tls.not-aead", func(p tls.Protocol, s tls.Suite) bool { return modern(p) && !s.AEAD },
		"des suites qui ne chiffrent et n'authentifient pas d'un seul tenant", "suites that do not encrypt and authenticate in one", "AES-GCM / AES-CCM / ChaCha20-Poly1305")
}

func smallPrime(rec record.Record, d tls.Depth) []Finding {
	if d.DHPrime == 0 || d.DHPrime >= leastPrime {
		return nil
	}
	return []Finding{At(rec, "tls.small-prime", Text{
		FR: fmt.Sprintf("%s échange des clés par un nombre premier de Diffie-Hellman trop petit", d.Address),
		EN: fmt.Sprintf("%s agrees on keys with a Diffie-Hellman prime that is too small", d.Address),
	}).Was(fmt.Sprintf("≥ %d", leastPrime), fmt.Sprint(d.DHPrime)).In("/dhPrime")}
}

func smallGroups(rec record.Record, d tls.Depth) []Finding {
	var out []Finding
	for i, g := range d.Groups {
		if g.Bits < leastGroup {
			out = append(out, At(rec, "tls.small-group", Text{
				FR: fmt.Sprintf("%s échange des clés dans le groupe %s, trop petit", d.Address, g.Name),
				EN: fmt.Sprintf("%s agrees on keys in group %s, which is too small", d.Address, g.Name),
			}).Was("x25519, P-256, P-384, P-521", fmt.Sprintf("%s (%d)", g.Name, g.Bits)).In(fmt.Sprintf("/groups/%d", i)))
		}
	}
	return out
}

// grade orders suites: broken, without forward secrecy, CBC, good.
func grade(s tls.Suite) int {
	switch {
	case s.Broken != "":
		return 0
	case !s.Forward:
		return 1
	case !s.AEAD:
		return 2
	}
	return 3
}

func grades(p tls.Protocol) (least, most int) {
	least, most = grade(p.Suites[0]), grade(p.Suites[0])
	for _, s := range p.Suites {
		least, most = min(least, grade(s)), max(most, grade(s))
	}
	return least, most
}

func clientsChoice(rec record.Record, d tls.Depth) []Finding {
	var out []Finding
	for i, p := range d.Protocols {
		if p.ServerOrder != tls.No {
			continue
		}
		// Where all are as good, who chooses is of no consequence.
		if least, most := grades(p); least < most {
			out = append(out, At(rec, "tls.client-order", Text{
				FR: fmt.Sprintf("en %s, %s prend la suite que le client met en tête, bonne ou mauvaise", p.Name, d.Address),
				EN: fmt.Sprintf("with %s, %s takes the suite that the client puts first, good or bad", p.Name, d.Address),
			}).Was("server", "client").In(fmt.Sprintf("/protocols/%d/serverOrder", i)))
		}
	}
	return out
}

func worseFirst(rec record.Record, d tls.Depth) []Finding {
	var out []Finding
	for i, p := range d.Protocols {
		if p.ServerOrder != tls.Yes {
			continue
		}
		best := slices.IndexFunc(p.Suites, func(s tls.Suite) bool {
			_, most := grades(p)
			return grade(s) == most
		})
		if best > 0 {
			out = append(out, At(rec, "tls.worse-first", Text{
				FR: fmt.Sprintf("en %s, %s préfère une suite moins bonne que d'autres qu'il accepte", p.Name, d.Address),
				EN: fmt.Sprintf("with %s, %s prefers a suite that is worse than others it accepts", p.Name, d.Address),
			}).Was(p.Suites[best].Name, p.Suites[0].Name).In(fmt.Sprintf("/protocols/%d/suites/0", i)))
		}
	}
	return out
}

// one reports a stand that is not the one wanted.
func one(rec record.Record, got, bad, pointer, key, fr, en, want string) []Finding {
	if got != bad {
		return nil
	}
	return []Finding{At(rec, key, Text{FR: fr, EN: en}).Was(want, got).In(pointer)}
}

func sha1Agreement(rec record.Record, d tls.Depth) []Finding {
	return one(rec, d.SHA1Signature, tls.Yes, "/sha1Signature", "tls.sha1-agreement",
		d.Address+" signe avec SHA-1 les clés convenues", d.Address+" signs the keys agreed with SHA-1", tls.No)
}

func noRenegotiationInfo(rec record.Record, d tls.Depth) []Finding {
	return one(rec, d.Renegotiation, tls.No, "/renegotiation", "tls.renegotiation",
		d.Address+" n'annonce pas la renégociation sûre (RFC 5746)", d.Address+" does not announce secure renegotiation (RFC 5746)", tls.Yes)
}

func noMasterSecret(rec record.Record, d tls.Depth) []Finding {
	return one(rec, d.MasterSecret, tls.No, "/masterSecret", "tls.master-secret",
		d.Address+" ne lie pas les clés à toute la négociation (RFC 7627)", d.Address+" does not bind the keys to the whole handshake (RFC 7627)", tls.Yes)
}

func compressed(rec record.Record, d tls.Depth) []Finding {
	return one(rec, d.Compression, tls.Yes, "/compression", "tls.compression",
		d.Address+" accepte de comprimer avant de chiffrer", d.Address+" agrees to compress before it encrypts", tls.No)
}

// fallbackTaken: clients of TLS 1.2 fall back to nothing older any more (RFC 9325
// §3.1.3), so that the question is one for servers of older versions alone.
func fallbackTaken(rec record.Record, d tls.Depth) []Finding {
	old := slices.ContainsFunc(d.Protocols, func(p tls.Protocol) bool { return p.State == tls.Offered && !modern(p) })
	if !old {
		return nil
	}
	return one(rec, d.Fallback, tls.No, "/fallback", "tls.fallback",
		d.Address+" laisse un client se rabattre sur une version plus ancienne sans l'avertir", d.Address+" lets a client fall back to an older version without telling it", tls.Yes)
}

func downgradeUnmarked(rec record.Record, d tls.Depth) []Finding {
	return one(rec, d.Downgrade, tls.No, "/downgrade", "tls.downgrade-mark",
		d.Address+" ne marque pas ses réponses dans une version plus ancienne que celle qu'il sait parler", d.Address+" does not mark its answers in a version older than it can speak", tls.Yes)
}

func ssl2Taken(rec record.Record, d tls.Depth) []Finding {
	return one(rec, d.SSL2, tls.Yes, "/ssl2", "tls.ssl2",
		d.Address+" répond en SSL 2.0 (attaque DROWN)", d.Address+" answers in SSL 2.0 (the DROWN attack)", tls.No)
}

func heartbeats(rec record.Record, d tls.Depth) []Finding {
	return one(rec, d.Heartbeat, tls.Yes, "/heartbeat", "tls.heartbeat",
		d.Address+" accepte l'extension Heartbeat, que rien n'utilise sur le Web et qui a laissé lire la mémoire de serveurs", d.Address+" agrees to the heartbeat extension, which nothing uses on the web and which has let the memory of servers be read", tls.No)
}

const day = 24 * time.Hour

// expiresSoon: under a tenth of its lifetime, and under two weeks, a renewal that
// works has taken place. The rule is étalon's own.
func expiresSoon(rec record.Record, r tls.Result) []Finding {
	leaf := r.Chain[0]
	least := min(14*day, leaf.NotAfter.Sub(leaf.NotBefore)/10)
	left := leaf.NotAfter.Sub(r.At)
	if left >= least {
		return nil
	}
	return []Finding{At(rec, "tls.expires-soon", Text{
		FR: fmt.Sprintf("le certificat de %s expire le %s", r.Address, leaf.NotAfter.Format(time.DateOnly)),
		EN: fmt.Sprintf("the certificate of %s expires on %s", r.Address, leaf.NotAfter.Format(time.DateOnly)),
	}).Was(fmt.Sprintf("≥ %.0f h", least.Hours()), fmt.Sprintf("%.0f h", left.Hours())).In("/daysLeft")}
}

// longest is how long a certificate may be valid, by the day it was issued on
// (CA/Browser Forum, Baseline Requirements §6.3.2).
func longest(from time.Time) time.Duration {
	on := func(year int, month time.Month) bool {
		return !from.Before(time.Date(year, month, 15, 0, 0, 0, 0, time.UTC))
	}
	switch {
	case on(2029, time.March):
		return 47 * day
	case on(2027, time.March):
		return 100 * day
	case on(2026, time.March):
		return 200 * day
	}
	return 398 * day
}

func lastsTooLong(rec record.Record, r tls.Result) []Finding {
	leaf := r.Chain[0]
	most, is := longest(leaf.NotBefore), leaf.NotAfter.Sub(leaf.NotBefore)
	if is <= most {
		return nil
	}
	return []Finding{At(rec, "tls.lasts-too-long", Text{
		FR: fmt.Sprintf("le certificat de %s est valable plus longtemps que les navigateurs ne l'admettent", r.Address),
		EN: fmt.Sprintf("the certificate of %s is valid for longer than browsers admit", r.Address),
	}).Was(fmt.Sprintf("≤ %.0f d", most.Hours()/24), fmt.Sprintf("%.0f d", is.Hours()/24)).In("/chain/0/notAfter")}
}

func modestKey(rec record.Record, r tls.Result) []Finding {
	leaf := r.Chain[0]
	if leaf.KeyType == "RSA" && leaf.KeyBits >= goodRSA || leaf.KeyType != "RSA" && leaf.KeyBits >= leastEC && leaf.KeyType != "DSA" {
		return nil
	}
	return []Finding{At(rec, "tls.modest-key", Text{
		FR: fmt.Sprintf("la clé du certificat de %s n'est pas faite pour durer", r.Address),
		EN: fmt.Sprintf("the key of the certificate of %s is not made to last", r.Address),
	}).Was(fmt.Sprintf("RSA ≥ %d, ECDSA ≥ %d", goodRSA, leastEC), fmt.Sprintf("%s %d", leaf.KeyType, leaf.KeyBits)).In("/chain/0/keyBits")}
}
