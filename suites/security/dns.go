package security

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"

	"github.com/etalon-sante/etalon/sandbox/record"
	. "github.com/etalon-sante/etalon/suites/lab"
	"github.com/etalon-sante/etalon/suites/probe/dns"
	"github.com/etalon-sante/etalon/suites/probe/pace"
)

// DNSSpecs registers what is judged of the service's domain name, as the
// resolver that the user named tells it.
func DNSSpecs(l *Lab) {
	var domain *Scenario
	l.In("dns", func() {
		domain = l.Scenario("domain-name", "the resolver is asked what the domain name system says of the service's domain", lookAtDomain)
	})
	looked := func(ok func(dns.Result) bool) Trace { return observed(domain.Trace(), "dns", ok) }
	signatureKnown := func(r dns.Result) bool { return r.Signature.Known }
	caaKnown := func(r dns.Result) bool { return r.CAA.Known }
	spfKnown := func(r dns.Result) bool { return r.SPF.Known }
	spfFound := func(r dns.Result) bool { return len(r.SPF.Records) > 0 }
	dmarcKnown := func(r dns.Result) bool { return r.DMARC.Known }
	dmarcFound := func(r dns.Result) bool { return len(r.DMARC.Records) > 0 }

	Describe("The service's domain", func() {
		It("is signed", Check("SEC-51.1"), Reads(domain), func() { Expect(looked(signatureKnown)).To(see("a signed zone", zoneSigned)) })
		It("has signatures that hold", Check("SEC-51.2"), Reads(domain), func() {
			t := looked(func(r dns.Result) bool { return r.Signature.Known && signed(r) })
			judge := see("signatures that hold", signaturesHold)
			if len(judge.Findings(t, false)) == 0 && could(t, "dns", func(r dns.Result) bool { return r.Validates }).Empty() {
				t.Untested(Text{
					FR: "le résolveur nommé ne valide pas DNSSEC ; nommez-en un qui valide (--resolver)",
					EN: "the resolver named does not validate DNSSEC; name one that does (--resolver)",
				})
			}
			Expect(t).To(judge)
		})
		It("says who issues its certificates", Check("SEC-52.1"), Reads(domain), func() { Expect(looked(caaKnown)).To(see("CAA", issuersNamed)) })
		It("says which machines write in its name", Check("SEC-53.1"), Reads(domain), func() { Expect(looked(spfKnown)).To(see("SPF", sendersNamed)) })
		It("says so within what may be asked", Check("SEC-53.2"), Reads(domain), func() {
			t := looked(spfFound)
			judge := see("SPF in few questions", sendersInFew)
			if len(judge.Findings(t, false)) == 0 {
				t = looked(func(r dns.Result) bool { return spfFound(r) && r.SPF.Complete })
			}
			Expect(t).To(judge)
		})
		It("says what becomes of others' mail", Check("SEC-54.1"), Reads(domain), func() { Expect(looked(dmarcKnown)).To(see("DMARC", forgeriesNamed)) })
		It("has others' mail kept out", Check("SEC-54.2"), Reads(domain), func() {
			Expect(looked(func(r dns.Result) bool { return dmarcFound(r) && r.DMARC.Policy != "" })).To(see("DMARC in force", forgeriesKeptOut))
		})
	})
}

func lookAtDomain(ctx context.Context, s *Stage) error {
	w := s.Candidate().Web
	host := ""
	for _, address := range []string{w.Production, w.Site} {
		if u, err := url.Parse(address); err == nil && host == "" {
			host = u.Hostname()
		}
	}
	name, err := dns.Domain(w.Domain, host)
	if err != nil {
		return s.Probe("dns", host, nil, err)
	}
	if s.Resolver() == "" {
		why := Text{
			FR: "aucun résolveur de noms n’est indiqué : nommez-en un avec --resolver, par exemple celui de votre réseau",
			EN: "no resolver was named: give one with --resolver, for instance that of your network",
		}
		return s.Probe("dns", name, map[string]Text{"missing": why}, errors.New(why.EN))
	}
	res, err := dns.Look(ctx, dns.Options{Domain: name, Resolver: s.Resolver(), Now: s.Now, Interval: resolverInterval(s.Resolver())})
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		return s.Probe("dns", name, nil, err)
	}
	return s.Probe("dns", name, res, nil)
}

// resolverInterval spares a resolver on the network.
func resolverInterval(resolver string) time.Duration {
	address, err := dns.Address(resolver)
	if err != nil {
		return dns.DefaultInterval
	}
	if host, _, err := net.SplitHostPort(address); err != nil || !pace.Local(host) {
		return dns.DefaultInterval
	}
	return -1
}

func ofDomain(rec record.Record, key, fr, en, want, actual, at string) Finding {
	return At(rec, key, Text{FR: fr, EN: en}).Was(want, orNone(actual)).In("/" + strings.ReplaceAll(at, ".", "/"))
}

func signed(r dns.Result) bool {
	return r.Signature.Keys > 0 && r.Signature.Signed && r.Signature.Delegated > 0
}

func zoneSigned(rec record.Record, r dns.Result) []Finding {
	s := r.Signature
	if signed(r) {
		return nil
	}
	fr, en := fmt.Sprintf("la zone %s n'est pas signée", s.Zone), fmt.Sprintf("zone %s is not signed", s.Zone)
	if s.Delegated > 0 || s.Signed {
		fr, en = fmt.Sprintf("la zone %s n'est signée qu'à moitié", s.Zone), fmt.Sprintf("zone %s is half signed", s.Zone)
	}
	return []Finding{ofDomain(rec, "dns.unsigned", fr, en, "DNSKEY, RRSIG, DS", fmt.Sprintf("%d DNSKEY, RRSIG %t, %d DS", s.Keys, s.Signed, s.Delegated), "signature")}
}

// signaturesHold: what is computed here does not depend on the resolver's word;
// the chain above does, and only where the resolver validates.
func signaturesHold(rec record.Record, r dns.Result) []Finding {
	texts := map[string]Text{
		"ds-mismatch":    {FR: "le parent nomme une autre clé que celles de la zone %s", EN: "the parent names another key than those of zone %s"},
		"keys-signature": {FR: "la clé que le parent nomme ne signe pas les clés de la zone %s", EN: "the key that the parent names does not sign the keys of zone %s"},
		"signature":      {FR: "la signature de la zone %s ne se vérifie pas", EN: "the signature of zone %s does not verify"},
		"dates":          {FR: "la signature de la zone %s n'est pas dans ses dates", EN: "the signature of zone %s is out of its dates"},
	}
	var out []Finding
	zone := r.Signature.Zone
	for _, p := range r.Signature.Problems {
		t := texts[p.Key]
		out = append(out, ofDomain(rec, "dns."+p.Key, fmt.Sprintf(t.FR, zone), fmt.Sprintf(t.EN, zone), "a chain of signatures", p.Actual, "signature"))
	}
	if len(out) == 0 && r.Validates && (r.Signature.Bogus || !r.Signature.Trusted) {
		actual := "AD=0"
		if r.Signature.Bogus {
			actual = "SERVFAIL"
		}
		out = append(out, ofDomain(rec, "dns.not-trusted", fmt.Sprintf("le résolveur ne tient pas la zone %s pour authentique", zone),
			fmt.Sprintf("the resolver does not take zone %s for authentic", zone), "AD=1", actual, "signature"))
	}
	return out
}

func issuersNamed(rec record.Record, r dns.Result) []Finding {
	if len(r.CAA.Issue) > 0 {
		return nil
	}
	return []Finding{ofDomain(rec, "dns.no-caa", fmt.Sprintf("%s ne dit pas qui peut émettre ses certificats", r.Domain),
		fmt.Sprintf("%s does not say who may issue its certificates", r.Domain), "CAA 0 issue \"…\"", strings.Join(r.CAA.Iodef, ", "), "caa")}
}

func sendersNamed(rec record.Record, r dns.Result) []Finding {
	s := r.SPF
	var out []Finding
	add := func(key, fr, en, want, actual string) {
		out = append(out, ofDomain(rec, key, fmt.Sprintf(fr, r.Mail), fmt.Sprintf(en, r.Mail), want, actual, "spf"))
	}
	for _, p := range s.Problems {
		switch p.Key {
		case "missing":
			add("dns.spf-missing", "%s ne dit pas quelles machines écrivent en son nom", "%s does not say which machines write in its name", "v=spf1 … -all", p.Actual)
			return out
		case "repeated":
			add("dns.spf-repeated", "%s a plusieurs enregistrements SPF : aucun ne vaut", "%s has several SPF records: none counts", "1 × v=spf1", p.Actual)
		case "syntax":
			add("dns.spf-syntax", "l'enregistrement SPF de %s est mal formé", "the SPF record of %s is malformed", "RFC 7208", p.Actual)
		case "void":
			add("dns.spf-void", "l'enregistrement SPF de %s inclut un domaine qui n'en a pas", "the SPF record of %s includes a domain that has none", "v=spf1", p.Actual)
		}
	}
	switch s.All {
	case "-all", "~all":
	case "redirect":
		if s.Complete {
			add("dns.spf-open", "l'enregistrement SPF de %s n'exclut personne", "the SPF record of %s excludes no one", "-all / ~all", s.Records[0])
		}
	default:
		add("dns.spf-open", "l'enregistrement SPF de %s n'exclut personne", "the SPF record of %s excludes no one", "-all / ~all", s.Records[0])
	}
	return out
}

const spfLookups = 10 // RFC 7208 §4.6.4

func sendersInFew(rec record.Record, r dns.Result) []Finding {
	if r.SPF.Lookups <= spfLookups {
		return nil
	}
	return []Finding{ofDomain(rec, "dns.spf-lookups", fmt.Sprintf("l'enregistrement SPF de %s demande trop de questions : il ne vaut rien", r.Mail),
		fmt.Sprintf("the SPF record of %s takes too many questions: it counts for nothing", r.Mail), fmt.Sprintf("≤ %d", spfLookups), fmt.Sprintf("> %d", spfLookups), "spf")}
}

func forgeriesNamed(rec record.Record, r dns.Result) []Finding {
	var out []Finding
	for _, p := range r.DMARC.Problems {
		t := map[string]Text{
			"missing":  {FR: "%s ne dit pas que faire du courrier écrit en son nom par d'autres", EN: "%s does not say what to do with mail that others write in its name"},
			"repeated": {FR: "%s a plusieurs enregistrements DMARC : aucun ne vaut", EN: "%s has several DMARC records: none counts"},
			"syntax":   {FR: "l'enregistrement DMARC de %s est mal formé", EN: "the DMARC record of %s is malformed"},
		}[p.Key]
		out = append(out, ofDomain(rec, "dns.dmarc-"+p.Key, fmt.Sprintf(t.FR, r.Mail), fmt.Sprintf(t.EN, r.Mail), "v=DMARC1; p=…", p.Actual, "dmarc"))
	}
	return out
}

func forgeriesKeptOut(rec record.Record, r dns.Result) []Finding {
	d := r.DMARC
	if d.Policy != "none" && d.Percent == 100 {
		return nil
	}
	return []Finding{ofDomain(rec, "dns.dmarc-open", fmt.Sprintf("%s laisse passer le courrier écrit en son nom par d'autres", r.Mail),
		fmt.Sprintf("%s lets mail pass that others write in its name", r.Mail), "p=quarantine / p=reject, pct=100", fmt.Sprintf("p=%s, pct=%d", d.Policy, d.Percent), "dmarc")}
}
