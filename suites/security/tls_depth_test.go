package security

import (
	"slices"
	"testing"
	"time"

	"github.com/etalon-sante/etalon/sandbox/record"
	"github.com/etalon-sante/etalon/suites/candidate"
	"github.com/etalon-sante/etalon/suites/lab"
	"github.com/etalon-sante/etalon/suites/probe/tls"
)

func depthChecks() []string {
	return []string{"SEC-30.1", "SEC-31.1", "SEC-31.2", "SEC-31.3", "SEC-32.1", "SEC-32.2", "SEC-33.1", "SEC-33.2", "SEC-34.1", "SEC-34.2", "SEC-35.1", "SEC-36.1", "SEC-36.2", "SEC-39.1", "SEC-39.2"}
}

// goodDepth is what a survey sees of a server without fault.
func goodDepth() tls.Depth {
	ecdhe := func(id uint16, name string) tls.Suite {
		return tls.Suite{ID: id, Name: name, Exchange: "ECDHE", Forward: true, AEAD: true}
	}
	refused := func(name string) tls.Protocol {
		return tls.Protocol{Version: tls.Version{Name: name, State: tls.Refused}, Suites: []tls.Suite{}, Complete: true, ServerOrder: tls.None}
	}
	return tls.Depth{
		Address: "service.example:443", Host: "service.example", At: today,
		Protocols: []tls.Protocol{
			refused("SSL 3.0"), refused("TLS 1.0"), refused("TLS 1.1"),
			{Version: tls.Version{Name: "TLS 1.2", State: tls.Offered}, Complete: true, ServerOrder: tls.Yes, Suites: []tls.Suite{
				ecdhe(0xc02b, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"), ecdhe(0xc02c, "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"),
			}},
			{Version: tls.Version{Name: "TLS 1.3", State: tls.Offered}, Complete: true, ServerOrder: tls.No, Suites: []tls.Suite{
				{ID: 0x1301, Name: "TLS_AES_128_GCM_SHA256", Exchange: "TLS 1.3", Forward: true, AEAD: true},
				{ID: 0x1302, Name: "TLS_AES_256_GCM_SHA384", Exchange: "TLS 1.3", Forward: true, AEAD: true},
			}},
		},
		Groups: []tls.Group{{ID: 29, Name: "x25519", Bits: 255}, {ID: 23, Name: "secp256r1", Bits: 256}}, GroupsComplete: true,
		SHA1Signature: tls.No, Renegotiation: tls.Yes, MasterSecret: tls.Yes, Compression: tls.No, Heartbeat: tls.No, SSL2: tls.No, Fallback: tls.Yes, Downgrade: tls.Yes,
		Connections: 30,
	}
}

func TestTLSDepthChecks(t *testing.T) {
	cbc := tls.Suite{ID: 0xc009, Name: "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA", Exchange: "ECDHE", Forward: true}
	lasting := tls.Suite{ID: 0x9c, Name: "TLS_RSA_WITH_AES_128_GCM_SHA256", Exchange: "RSA", AEAD: true}
	null := tls.Suite{ID: 0xc006, Name: "TLS_ECDHE_ECDSA_WITH_NULL_SHA", Exchange: "ECDHE", Forward: true, Broken: "NULL"}
	dhe := tls.Suite{ID: 0x9e, Name: "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256", Exchange: "DHE", Forward: true, AEAD: true}
	last := func(s tls.Suite) func(*tls.Depth) {
		return func(d *tls.Depth) { d.Protocols[3].Suites = append(d.Protocols[3].Suites, s) }
	}
	old := func(s tls.Suite) func(*tls.Depth) {
		return func(d *tls.Depth) {
			d.Protocols[1].State, d.Protocols[1].Suites = tls.Offered, []tls.Suite{s}
		}
	}
	both := func(more ...func(*tls.Depth)) func(*tls.Depth) {
		return func(d *tls.Depth) {
			for _, m := range more {
				m(d)
			}
		}
	}
	suitesUnknown := map[string]lab.State{"SEC-30.1": lab.Untested, "SEC-31.1": lab.Untested, "SEC-31.2": lab.Untested, "SEC-31.3": lab.Untested, "SEC-32.1": lab.Untested, "SEC-33.1": lab.Untested, "SEC-33.2": lab.Untested}
	for name, c := range map[string]struct {
		change func(*tls.Depth)
		want   map[string]lab.State
	}{
		"a server without fault":        {func(*tls.Depth) {}, nil},
		"a CBC suite, taken last":       {last(cbc), map[string]lab.State{"SEC-31.2": lab.NotMet}},
		"a CBC suite with TLS 1.0":      {old(cbc), nil},
		"keys of the certificate":       {last(lasting), map[string]lab.State{"SEC-31.1": lab.NotMet}},
		"no encryption":                 {last(null), map[string]lab.State{"SEC-30.1": lab.NotMet, "SEC-31.2": lab.NotMet}},
		"no encryption with TLS 1.0":    {old(null), map[string]lab.State{"SEC-30.1": lab.NotMet}},
		"a large prime":                 {both(last(dhe), func(d *tls.Depth) { d.DHPrime = 2048 }), map[string]lab.State{"SEC-31.3": lab.ToReview}},
		"a small prime":                 {both(last(dhe), func(d *tls.Depth) { d.DHPrime = 1024 }), map[string]lab.State{"SEC-31.3": lab.NotMet}},
		"a prime that was not seen":     {last(dhe), map[string]lab.State{"SEC-31.3": lab.Untested}},
		"a small curve":                 {func(d *tls.Depth) { d.Groups[1] = tls.Group{ID: 21, Name: "secp224r1", Bits: 224} }, map[string]lab.State{"SEC-32.1": lab.NotMet}},
		"groups that were not all seen": {func(d *tls.Depth) { d.GroupsComplete = false }, map[string]lab.State{"SEC-32.1": lab.Untested}},
		"no curve at all": {func(d *tls.Depth) {
			d.Groups = nil
			d.Protocols[3].Suites = []tls.Suite{lasting}
			d.Protocols[4].State, d.Protocols[4].Suites = tls.Refused, nil
			d.Protocols[3].ServerOrder, d.Protocols[4].ServerOrder = tls.None, tls.None
		}, map[string]lab.State{"SEC-31.1": lab.NotMet}},
		"SHA-1":                            {func(d *tls.Depth) { d.SHA1Signature = tls.Yes }, map[string]lab.State{"SEC-32.2": lab.NotMet}},
		"the client's order, all are good": {func(d *tls.Depth) { d.Protocols[3].ServerOrder = tls.No }, nil},
		"the client's order, some are not": {both(last(cbc), func(d *tls.Depth) { d.Protocols[3].ServerOrder = tls.No }), map[string]lab.State{"SEC-31.2": lab.NotMet, "SEC-33.1": lab.NotMet}},
		"an order that was not seen":       {func(d *tls.Depth) { d.Protocols[3].ServerOrder = tls.Unknown }, map[string]lab.State{"SEC-33.1": lab.Untested, "SEC-33.2": lab.Untested}},
		"CBC first":                        {func(d *tls.Depth) { d.Protocols[3].Suites = slices.Insert(d.Protocols[3].Suites, 0, cbc) }, map[string]lab.State{"SEC-31.2": lab.NotMet, "SEC-33.2": lab.NotMet}},
		"no renegotiation info":            {func(d *tls.Depth) { d.Renegotiation = tls.No }, map[string]lab.State{"SEC-34.1": lab.NotMet}},
		"no extended master secret":        {func(d *tls.Depth) { d.MasterSecret = tls.No }, map[string]lab.State{"SEC-34.2": lab.NotMet}},
		"SSL 2.0":                          {func(d *tls.Depth) { d.SSL2 = tls.Yes }, map[string]lab.State{"SEC-39.1": lab.NotMet}},
		"heartbeats":                       {func(d *tls.Depth) { d.Heartbeat = tls.Yes }, map[string]lab.State{"SEC-39.2": lab.NotMet}},
		"silence at SSL 2.0":               {func(d *tls.Depth) { d.SSL2 = tls.Unknown }, map[string]lab.State{"SEC-39.1": lab.Untested}},
		"compression":                      {func(d *tls.Depth) { d.Compression = tls.Yes }, map[string]lab.State{"SEC-35.1": lab.NotMet}},
		"no mark on older answers":         {func(d *tls.Depth) { d.Downgrade = tls.No }, map[string]lab.State{"SEC-36.1": lab.NotMet}},
		"a fallback between 1.2 and 1.3":   {func(d *tls.Depth) { d.Fallback = tls.No }, nil},
		"a fallback to TLS 1.0":            {both(old(cbc), func(d *tls.Depth) { d.Fallback = tls.No }), map[string]lab.State{"SEC-36.2": lab.NotMet}},
		"TLS 1.3 alone": {func(d *tls.Depth) {
			d.Protocols[3].State, d.Protocols[3].Suites, d.Protocols[3].ServerOrder = tls.Refused, nil, tls.None
			d.SHA1Signature, d.Renegotiation, d.MasterSecret, d.Compression, d.Fallback, d.Downgrade = tls.None, tls.None, tls.None, tls.None, tls.None, tls.None
		}, nil},
		"questions that went unanswered": {func(d *tls.Depth) {
			d.SHA1Signature, d.Renegotiation, d.MasterSecret, d.Compression, d.Fallback, d.Downgrade = tls.Unknown, tls.Unknown, tls.Unknown, tls.Unknown, tls.Unknown, tls.Unknown
		}, map[string]lab.State{"SEC-32.2": lab.Untested, "SEC-34.1": lab.Untested, "SEC-34.2": lab.Untested, "SEC-35.1": lab.Untested, "SEC-36.1": lab.Untested, "SEC-36.2": lab.Untested}},
		"silence about TLS 1.1": {func(d *tls.Depth) { d.Protocols[2].State, d.Protocols[2].Complete = tls.Silent, false }, suitesUnknown},
		"silence and a broken suite": {both(last(null), func(d *tls.Depth) { d.Protocols[3].Complete = false }), func() map[string]lab.State {
			out := map[string]lab.State{"SEC-30.1": lab.NotMet, "SEC-31.2": lab.NotMet}
			for id, s := range suitesUnknown {
				if _, ok := out[id]; !ok {
					out[id] = s
				}
			}
			return out
		}()},
	} {
		t.Run(name, func(t *testing.T) {
			d := goodDepth()
			c.change(&d)
			expect(t, judge(t, looked(t, "tls-survey", "tls-depth", d)), depthChecks(), c.want)
		})
	}
}

// One address that could not be looked at leaves open what a good one does not.
func TestEveryAddressCounts(t *testing.T) {
	good := looked(t, "tls-survey", "tls-depth", goodDepth())
	bad := goodDepth()
	bad.Address, bad.Compression = "other.example:443", tls.Yes
	other := looked(t, "tls-survey", "tls-depth", bad)
	away := record.Record{Seq: 9, At: today, Kind: record.KindProbe, Scenario: "tls-survey", Probe: &record.Probe{Kind: "tls-depth", Target: "other.example:443", Error: "cannot reach it"}}
	if got := judge(t, append([]record.Record{good[0], other[0]}, good[1:]...)); got["SEC-35.1"].State != lab.NotMet || got["SEC-34.1"].State != lab.Met {
		t.Errorf("a fault at the second address: %+v", got["SEC-35.1"])
	}
	got := judge(t, append([]record.Record{good[0], away}, good[1:]...))
	for _, id := range depthChecks() {
		if got[id].State != lab.Untested || got[id].Reason.FR == "" {
			t.Errorf("%s, the second address out of reach: %+v", id, got[id])
		}
	}
	if got := judge(t, append([]record.Record{other[0], away}, good[1:]...)); got["SEC-35.1"].State != lab.NotMet {
		t.Errorf("a fault beside an address out of reach: %+v", got["SEC-35.1"])
	}
}

func TestTheCertificateInTime(t *testing.T) {
	ours := []string{"SEC-37.1", "SEC-37.2", "SEC-38.1"}
	dates := func(from, to int) func(*tls.Result) {
		return func(r *tls.Result) {
			r.Chain[0].NotBefore, r.Chain[0].NotAfter = today.AddDate(0, 0, from), today.AddDate(0, 0, to)
		}
	}
	only := func(id string) map[string]lab.State { return map[string]lab.State{id: lab.NotMet} }
	for name, c := range map[string]struct {
		change func(*tls.Result)
		want   map[string]lab.State
	}{
		"thirty days left of ninety":   {dates(-60, 30), nil},
		"ten days left of ninety":      {dates(-80, 10), nil},
		"eight days left of ninety":    {dates(-82, 8), only("SEC-37.1")},
		"thirteen days left of a year": {dates(-352, 13), only("SEC-37.1")},
		"a day left of six":            {dates(-5, 1), nil},
		"expired":                      {dates(-91, -1), only("SEC-37.1")},
		"200 days, of this summer":     {dates(-100, 100), nil},
		"201 days, of this summer":     {dates(-100, 101), only("SEC-37.2")},
		"398 days, of last winter":     {dates(-340, 58), nil},
		"399 days, of last winter":     {dates(-340, 59), only("SEC-37.2")},
		"RSA 2048":                     {func(r *tls.Result) { r.Chain[0].KeyType, r.Chain[0].KeyBits = "RSA", 2048 }, only("SEC-38.1")},
		"RSA 3072":                     {func(r *tls.Result) { r.Chain[0].KeyType, r.Chain[0].KeyBits = "RSA", 3072 }, nil},
		"Ed25519":                      {func(r *tls.Result) { r.Chain[0].KeyType, r.Chain[0].KeyBits = "Ed25519", 256 }, nil},
		"a curve of 224 bits":          {func(r *tls.Result) { r.Chain[0].KeyBits = 224 }, only("SEC-38.1")},
		"DSA":                          {func(r *tls.Result) { r.Chain[0].KeyType, r.Chain[0].KeyBits = "DSA", 3072 }, only("SEC-38.1")},
		"no certificate":               {func(r *tls.Result) { r.Chain = nil }, map[string]lab.State{"SEC-37.1": lab.Untested, "SEC-37.2": lab.Untested, "SEC-38.1": lab.Untested}},
		"an intermediate may last longer": {func(r *tls.Result) {
			r.Chain[1].NotBefore, r.Chain[1].NotAfter = today.AddDate(-5, 0, 0), today.AddDate(5, 0, 0)
		}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			r := goodTLS()
			c.change(&r)
			expect(t, judge(t, looked(t, "tls-addresses", "tls", r)), ours, c.want)
		})
	}
	for day, want := range map[string]int{"2026-03-14": 398, "2026-03-15": 200, "2027-03-14": 200, "2027-03-15": 100, "2029-03-14": 100, "2029-03-15": 47} {
		from, err := time.Parse(time.DateOnly, day)
		if err != nil {
			t.Fatal(err)
		}
		if got := longest(from); got != time.Duration(want)*24*time.Hour {
			t.Errorf("from %s: %s, want %d days", day, got, want)
		}
	}
}

func TestTheAddressesAreThoseOfTheManifest(t *testing.T) {
	for name, c := range map[string]struct {
		site, production string
		redirects        []string
		want             []string
	}{
		"one host":                   {"https://a.example", "https://a.example/", []string{"https://a.example/retour"}, []string{"a.example:443"}},
		"three hosts":                {"https://a.example", "https://b.example", []string{"https://c.example:8443/retour"}, []string{"a.example:443", "b.example:443", "c.example:8443"}},
		"an application comes back":  {"https://a.example", "", []string{"fr.exemple.carnet:/retour", "http://127.0.0.1:8080/retour"}, []string{"a.example:443"}},
		"a site over plain HTTP":     {"http://127.0.0.1:8080", "http://127.0.0.1:8080", nil, []string{"127.0.0.1:8080"}},
		"production alone":           {"", "https://b.example", nil, []string{"b.example:443"}},
		"more than are looked at":    {"https://a.example", "https://b.example", []string{"https://c.example", "https://d.example", "https://e.example"}, []string{"a.example:443", "b.example:443", "c.example:443", "d.example:443"}},
		"what cannot be read":        {"https://a.example", "https://%zz", nil, []string{"a.example:443"}},
		"no address that can be had": {"a.example", "", nil, nil},
	} {
		var m candidate.Candidate
		m.Web.Site, m.Web.Production, m.Sandbox.RedirectURIs = c.site, c.production, c.redirects
		got, err := tlsAddresses(m)
		if !slices.Equal(got, c.want) || (err != nil) != (c.want == nil) {
			t.Errorf("%s: %q %v, want %q", name, got, err, c.want)
		}
	}
}
