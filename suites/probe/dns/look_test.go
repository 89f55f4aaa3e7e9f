package dns_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/etalon-sante/etalon/fixtures/zone"
	"github.com/etalon-sante/etalon/suites/probe/dns"
)

var now = time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)

// good is a zone without fault.
func good() zone.Plan {
	return zone.Plan{
		Name: "carnet.example.",
		Records: []string{
			"carnet.example. 300 IN SOA ns.carnet.example. x.carnet.example. 1 1800 900 604800 300",
			"carnet.example. 300 IN CAA 0 issue \"autorite.example\"",
			"carnet.example. 300 IN TXT \"v=spf1 mx include:_spf.carnet.example -all\"",
			"carnet.example. 300 IN TXT \"another=text\"",
			"_spf.carnet.example. 300 IN TXT \"v=spf1 ip4:192.0.2.0/24 a:mail.carnet.example ~all\"",
			"_dmarc.carnet.example. 300 IN TXT \"v=DMARC1; p=quarantine; sp=reject; pct=100\"",
		},
		Signed: true, Delegated: true, From: now.Add(-time.Hour), Until: now.Add(time.Hour),
	}
}

func look(t *testing.T, p zone.Plan, domain string) dns.Result {
	t.Helper()
	s, err := zone.Serve(t.Context(), p, now)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	r, err := dns.Look(t.Context(), dns.Options{Domain: domain, Resolver: s.Address(), Now: func() time.Time { return now }, Interval: -1, Timeout: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func keys(all []dns.Problem) string {
	var out []string
	for _, p := range all {
		out = append(out, p.Key)
	}
	return strings.Join(out, " ")
}

func TestAZoneWithoutFault(t *testing.T) {
	for _, domain := range []string{"carnet.example", "app.carnet.example"} {
		r := look(t, good(), domain)
		s := r.Signature
		if !r.Validates || !s.Known || s.Zone != "carnet.example" || s.Keys != 1 || s.Delegated != 1 || !s.Signed || !s.Trusted || s.Bogus || len(s.Problems) > 0 || !s.Until.Equal(now.Add(time.Hour)) {
			t.Errorf("%s: signature %+v", domain, s)
		}
		if r.CAA.Name != "carnet.example" || len(r.CAA.Issue) != 1 {
			t.Errorf("%s: CAA %+v", domain, r.CAA)
		}
		if r.SPF.All != "-all" || r.SPF.Lookups != 3 || !r.SPF.Complete || len(r.SPF.Problems) > 0 || len(r.SPF.Records) != 1 {
			t.Errorf("%s: SPF %+v", domain, r.SPF)
		}
		want := "quarantine"
		if domain != "carnet.example" {
			want = "reject" // of names below
		}
		if r.DMARC.Policy != want || r.DMARC.Percent != 100 || len(r.DMARC.Problems) > 0 {
			t.Errorf("%s: DMARC %+v", domain, r.DMARC)
		}
	}
}

func TestZonesAtFault(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*zone.Plan)
		bogus  bool
		want   string
	}{
		"not signed":             {func(p *zone.Plan) { p.Signed, p.Delegated = false, false }, false, ""},
		"expired":                {func(p *zone.Plan) { p.From, p.Until = now.AddDate(0, 0, -9), now.AddDate(0, 0, -1) }, true, "keys-signature dates"},
		"not yet":                {func(p *zone.Plan) { p.From, p.Until = now.AddDate(0, 0, 1), now.AddDate(0, 0, 9) }, true, "keys-signature dates"},
		"another key":            {func(p *zone.Plan) { p.WrongKey = true }, true, "ds-mismatch"},
		"a resolver that trusts": {func(p *zone.Plan) { p.WrongKey, p.Trusting = true, true }, false, "ds-mismatch"},
	} {
		p := good()
		c.change(&p)
		s := look(t, p, "carnet.example").Signature
		if !s.Known || s.Bogus != c.bogus || keys(s.Problems) != c.want || s.Trusted {
			t.Errorf("%s: %+v", name, s)
		}
	}
	p := good()
	p.Trusting = true
	if r := look(t, p, "carnet.example"); r.Validates || r.Signature.Trusted || len(r.Signature.Problems) > 0 {
		t.Errorf("a resolver that does not validate: %+v", r.Signature)
	}
	if r := look(t, good(), "elsewhere.example"); r.Signature.Known || r.SPF.Problems == nil || keys(r.SPF.Problems) != "missing" {
		t.Errorf("another domain: %+v", r)
	}
}

func TestRecordsOfMail(t *testing.T) {
	for name, c := range map[string]struct {
		spf, dmarc string
		all, want  string
		policy     string
		wantDMARC  string
	}{
		"closed":           {"v=spf1 -all", "v=DMARC1;p=reject", "-all", "", "reject", ""},
		"open":             {"v=spf1 +all", "v=DMARC1; p=none", "+all", "", "none", ""},
		"open, unsaid":     {"v=spf1 all", "v=DMARC1; p=none", "+all", "", "none", ""},
		"without end":      {"v=spf1 mx", "v=DMARC1; rua=mailto:x@y.example", "", "", "", "syntax"},
		"malformed":        {"v=spf1 ip4:300.1.1.1 foo -all", "v=DMARC1; p=perhaps", "-all", "syntax syntax", "", "syntax"},
		"addresses":        {"v=spf1 ip4:192.0.2.1 ip6:2001:db8::/32 -all", "v=DMARC1; p=reject; pct=150", "-all", "", "reject", "syntax"},
		"a loop":           {"v=spf1 include:carnet.example -all", "v=dmarc1; p=reject", "-all", "", "reject", ""},
		"an empty include": {"v=spf1 include:nothing.carnet.example -all", "v=DMARC1; p=reject", "-all", "void", "reject", ""},
		"redirected":       {"v=spf1 redirect=_spf.carnet.example", "v=DMARC1; p=reject", "~all", "", "reject", ""},
		"none":             {"v=spf2 -all", "v=DKIM1; p=x", "", "missing", "", "missing"},
	} {
		p := good()
		for i, r := range p.Records {
			if strings.Contains(r, "v=spf1 mx include") {
				p.Records[i] = `carnet.example. 300 IN TXT "` + c.spf + `"`
			}
			if strings.Contains(r, "v=DMARC1") {
				p.Records[i] = `_dmarc.carnet.example. 300 IN TXT "` + c.dmarc + `"`
			}
		}
		r := look(t, p, "carnet.example")
		if r.SPF.All != c.all || keys(r.SPF.Problems) != c.want {
			t.Errorf("%s: SPF %+v", name, r.SPF)
		}
		if r.DMARC.Policy != c.policy || keys(r.DMARC.Problems) != c.wantDMARC {
			t.Errorf("%s: DMARC %+v", name, r.DMARC)
		}
	}
}

func TestAResolverThatDoesNotAnswer(t *testing.T) {
	deaf, err := (&net.ListenConfig{}).ListenPacket(t.Context(), "udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = deaf.Close() }()
	_, err = dns.Look(t.Context(), dns.Options{Domain: "carnet.example", Resolver: deaf.LocalAddr().String(), Timeout: 50 * time.Millisecond})
	var gone *dns.UnreachableError
	if !errors.As(err, &gone) {
		t.Errorf("%v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := dns.Look(ctx, dns.Options{Domain: "carnet.example", Resolver: deaf.LocalAddr().String()}); err == nil {
		t.Error("a look that was ended says nothing of it")
	}
}

func TestNamesAndAddresses(t *testing.T) {
	for in, want := range map[string]string{
		"192.0.2.53": "192.0.2.53:53", "192.0.2.53:5353": "192.0.2.53:5353", "[2001:db8::1]:53": "[2001:db8::1]:53", "2001:db8::1": "[2001:db8::1]:53", "dns.example": "dns.example:53",
		"": "", ":53": "", "https://dns.example": "", "a b": "", "192.0.2.53:port": "",
	} {
		got, err := dns.Address(in)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v", in, got, err)
		}
	}
	for _, c := range [][3]string{
		{"", "Carnet.example.", "carnet.example"}, {"carnet.example", "127.0.0.1", "carnet.example"}, {"", "127.0.0.1", ""}, {"", "::1", ""}, {"", "localhost", ""}, {"", "a.localhost", ""}, {"", "", ""},
	} {
		got, err := dns.Domain(c[0], c[1])
		if got != c[2] || (c[2] == "") != errors.Is(err, dns.ErrNoDomain) {
			t.Errorf("%v: %q, %v", c, got, err)
		}
	}
}
