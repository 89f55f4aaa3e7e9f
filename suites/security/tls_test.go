package security

import (
	"testing"

	"github.com/etalon-sante/etalon/suites/lab"
	"github.com/etalon-sante/etalon/suites/probe/tls"
)

func tlsChecks() []string {
	return []string{"SEC-01.1", "SEC-01.2", "SEC-02.1", "SEC-03.1", "SEC-03.2", "SEC-03.3", "SEC-03.4"}
}

// goodTLS is what a probe sees of a server without fault.
func goodTLS() tls.Result {
	return tls.Result{
		Address: "service.example:443", Host: "service.example", At: today,
		Versions: []tls.Version{
			{Name: "SSL 3.0", State: tls.Refused},
			{Name: "TLS 1.0", State: tls.Refused},
			{Name: "TLS 1.1", State: tls.Refused},
			{Name: "TLS 1.2", State: tls.Offered, Suite: "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"},
			{Name: "TLS 1.3", State: tls.Offered, Suite: "TLS_AES_128_GCM_SHA256"},
		},
		Negotiated: "TLS 1.3", Suite: "TLS_AES_128_GCM_SHA256",
		Chain: []tls.Certificate{
			{Subject: "CN=service", Names: []string{"service.example"}, NotBefore: today.AddDate(0, -1, 0), NotAfter: today.AddDate(0, 1, 0), KeyType: "ECDSA", KeyBits: 256, SignatureAlgorithm: "SHA256-RSA", SignatureHash: "SHA-256"},
			{Subject: "CN=authority", Names: []string{}, KeyType: "RSA", KeyBits: 4096, SignatureAlgorithm: "SHA1-RSA", SignatureHash: "SHA-1", SelfSigned: true},
		},
		ChainTrusted: true, NameMatches: true, InDates: true, DaysLeft: 30,
	}
}

func TestTLSChecks(t *testing.T) {
	state := func(i int, s string) func(*tls.Result) { return func(r *tls.Result) { r.Versions[i].State = s } }
	only := func(id string, s lab.State) map[string]lab.State { return map[string]lab.State{id: s} }
	for name, c := range map[string]struct {
		change func(*tls.Result)
		want   map[string]lab.State
	}{
		"a server without fault":         {func(*tls.Result) {}, nil},
		"TLS 1.0 offered":                {state(1, tls.Offered), only("SEC-01.1", lab.NotMet)},
		"TLS 1.1 offered":                {state(2, tls.Offered), only("SEC-01.1", lab.NotMet)},
		"SSL 3.0 offered":                {state(0, tls.Offered), only("SEC-01.1", lab.NotMet)},
		"TLS 1.0 met with silence":       {state(1, tls.Silent), only("SEC-01.1", lab.Untested)},
		"TLS 1.0 offered, 1.1 in silent": {func(r *tls.Result) { r.Versions[1].State, r.Versions[2].State = tls.Offered, tls.Silent }, only("SEC-01.1", lab.NotMet)},
		"no TLS 1.3":                     {state(4, tls.Refused), only("SEC-02.1", lab.NotMet)},
		"TLS 1.3 met with silence":       {state(4, tls.Silent), map[string]lab.State{"SEC-02.1": lab.Untested, "SEC-01.2": lab.Untested}},
		"TLS 1.0 alone": {func(r *tls.Result) {
			r.Versions[1].State, r.Versions[3].State, r.Versions[4].State = tls.Offered, tls.Refused, tls.Refused
		}, map[string]lab.State{"SEC-01.1": lab.NotMet, "SEC-01.2": lab.NotMet, "SEC-02.1": lab.NotMet}},
		"no TLS at all": {func(r *tls.Result) {
			for i := range r.Versions {
				r.Versions[i].State = tls.NotTLS
			}
			r.Chain, r.ChainTrusted, r.NameMatches, r.InDates = nil, false, false, false
			r.HandshakeError = "first record does not look like a TLS handshake"
		}, map[string]lab.State{
			"SEC-01.1": lab.Untested, "SEC-01.2": lab.NotMet, "SEC-02.1": lab.NotMet,
			"SEC-03.1": lab.Untested, "SEC-03.2": lab.Untested, "SEC-03.3": lab.Untested, "SEC-03.4": lab.Untested,
		}},
		"a handshake that the server breaks off": {func(r *tls.Result) {
			r.Chain, r.ChainTrusted, r.HandshakeError = nil, false, "remote error: tls: internal error"
		}, map[string]lab.State{"SEC-03.1": lab.NotMet, "SEC-03.2": lab.Untested, "SEC-03.3": lab.Untested, "SEC-03.4": lab.Untested}},
		"a handshake lost on the way": {func(r *tls.Result) {
			r.Chain, r.ChainTrusted, r.HandshakeError, r.NetworkError = nil, false, "i/o timeout", true
		}, map[string]lab.State{"SEC-03.1": lab.Untested, "SEC-03.2": lab.Untested, "SEC-03.3": lab.Untested, "SEC-03.4": lab.Untested}},
		"a chain that no one trusts": {func(r *tls.Result) { r.ChainTrusted, r.ChainError = false, "unknown authority" }, only("SEC-03.1", lab.NotMet)},
		"another name":               {func(r *tls.Result) { r.NameMatches = false }, only("SEC-03.2", lab.NotMet)},
		"expired":                    {func(r *tls.Result) { r.InDates, r.Chain[0].NotAfter = false, today.AddDate(0, 0, -1) }, only("SEC-03.3", lab.NotMet)},
		"not valid yet":              {func(r *tls.Result) { r.InDates, r.Chain[0].NotBefore = false, today.AddDate(0, 0, 1) }, only("SEC-03.3", lab.NotMet)},
		"a small RSA key":            {func(r *tls.Result) { r.Chain[0].KeyType, r.Chain[0].KeyBits = "RSA", 1024 }, only("SEC-03.4", lab.NotMet)},
		"a small curve":              {func(r *tls.Result) { r.Chain[0].KeyBits = 224 }, only("SEC-03.4", lab.NotMet)},
		"an unknown kind of key":     {func(r *tls.Result) { r.Chain[0].KeyType = "DSA" }, only("SEC-03.4", lab.NotMet)},
		"a SHA-1 signature":          {func(r *tls.Result) { r.Chain[0].SignatureHash, r.Chain[0].SignatureAlgorithm = "SHA-1", "SHA1-RSA" }, only("SEC-03.4", lab.NotMet)},
		"a self-signed SHA-1 leaf": {func(r *tls.Result) {
			r.Chain[0].SelfSigned, r.Chain[0].SignatureHash, r.Chain[0].SignatureAlgorithm = true, "SHA-1", "SHA1-RSA"
		}, only("SEC-03.4", lab.NotMet)},
		"RSA 2048": {func(r *tls.Result) { r.Chain[0].KeyType, r.Chain[0].KeyBits = "RSA", 2048 }, nil},
		"Ed25519":  {func(r *tls.Result) { r.Chain[0].KeyType, r.Chain[0].SignatureHash = "Ed25519", "none" }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			r := goodTLS()
			c.change(&r)
			expect(t, judge(t, looked(t, "tls-addresses", "tls", r)), tlsChecks(), c.want)
		})
	}
}
