package dns

import (
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// looked is when the answers of the fuzzer are looked at.
var looked = time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)

func FuzzSPF(f *testing.F) {
	for _, s := range []string{"v=spf1 -all", "v=spf1 include:a redirect=b", "v=spf1 a/24 mx:x/24//64 ip6:::/0 ?all", "v=spf1 - + =", "v=spf1 redirect=a all", "v=spf1 exists:%{i}.x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		terms, end := parseSPF(text)
		if len(terms) > 101 {
			t.Errorf("%d terms", len(terms))
		}
		switch strings.TrimLeft(end, "+-~?") {
		case "", "all", "redirect":
		default:
			t.Errorf("end %q", end)
		}
	})
}

func FuzzDMARC(f *testing.F) {
	for _, s := range []string{"v=DMARC1; p=none", "v=DMARC1;p=reject;sp=;pct=101", "v=DMARC1;;;=;p", "v=DMARC1; P = Reject"} {
		f.Add(s, true)
	}
	f.Fuzz(func(t *testing.T, text string, above bool) {
		d := DMARC{Records: []string{text}}
		d.read(above)
		if d.Percent < 0 || d.Percent > 100 || (d.Policy == "" && len(d.Problems) == 0) {
			t.Errorf("%+v", d)
		}
	})
}

// What a stranger packs into an answer is bounded, and never a crash.
func FuzzAnswer(f *testing.F) {
	m := new(dns.Msg)
	m.SetQuestion("a.example.", dns.TypeSOA)
	for _, line := range []string{"a.example. 1 IN SOA b. c. 1 1 1 1 1", "a.example. 1 IN DNSKEY 257 3 13 AAAA", "a.example. 1 IN DS 1 13 2 00", "a.example. 1 IN RRSIG SOA 13 2 1 20300101000000 20200101000000 1 a.example. AAAA"} {
		rr, err := dns.NewRR(line)
		if err != nil {
			f.Fatal(err)
		}
		m.Answer = append(m.Answer, rr)
	}
	seed, err := m.Pack()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(seed)
	f.Fuzz(func(_ *testing.T, raw []byte) {
		m := new(dns.Msg)
		if m.Unpack(raw) != nil {
			return
		}
		s := Signature{Zone: "a.example.", Problems: []Problem{}}
		s.check(m, m, m, looked)
	})
}
