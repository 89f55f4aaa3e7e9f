package dns

import (
	"context"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/miekg/dns"
)

// CAA is who may issue certificates for the domain (RFC 8659).
type CAA struct {
	Known bool     `json:"known"`
	Name  string   `json:"name"`  // where the records stand, the domain or a name above; "" for none
	Issue []string `json:"issue"` // values of the properties issue and issuewild; ";" is for no one
	Iodef []string `json:"iodef"`
}

// SPF is which machines may send mail in the domain's name (RFC 7208).
type SPF struct {
	Known    bool      `json:"known"`
	Records  []string  `json:"records"`
	All      string    `json:"all"`     // qualifier and mechanism at the end: "-all", "~all", "?all", "+all", "redirect", "" for none
	Lookups  int       `json:"lookups"` // questions that whoever checks has to ask
	Complete bool      `json:"complete"`
	Problems []Problem `json:"problems"` // missing, repeated, syntax, void
}

// DMARC is what becomes of mail that is not the domain's (RFC 7489).
type DMARC struct {
	Known    bool      `json:"known"`
	Name     string    `json:"name"` // where the record stands
	Records  []string  `json:"records"`
	Policy   string    `json:"policy"` // none, quarantine, reject; "" for none that can be read
	Percent  int       `json:"percent"`
	Problems []Problem `json:"problems"` // missing, repeated, syntax
}

// caa climbs from the domain to the registered one: the first name with records
// counts (RFC 8659 §3).
func (l *looker) caa(ctx context.Context, domain, top string) CAA {
	out := CAA{Issue: []string{}, Iodef: []string{}}
	for name := domain; ; name = strings.TrimSuffix(parent(name), ".") {
		m, err := l.ask(ctx, name, dns.TypeCAA, false)
		if err == nil && m.Rcode == dns.RcodeServerFailure {
			m, err = l.ask(ctx, name, dns.TypeCAA, true)
		}
		if err != nil || !answered(m) {
			return out
		}
		for _, rr := range m.Answer {
			if c, ok := rr.(*dns.CAA); ok {
				out.Name = name
				switch strings.ToLower(c.Tag) {
				case "issue", "issuewild":
					out.Issue = append(out.Issue, clip(c.Value))
				case "iodef":
					out.Iodef = append(out.Iodef, clip(c.Value))
				}
			}
		}
		if out.Name != "" || name == top || !strings.HasSuffix(name, "."+top) {
			out.Known = true
			return out
		}
	}
}

// texts are the TXT records of a name, each joined; known is false when nothing
// is known of them.
func (l *looker) texts(ctx context.Context, name string) (all []string, known bool) {
	m, err := l.ask(ctx, name, dns.TypeTXT, false)
	if err == nil && m.Rcode == dns.RcodeServerFailure {
		m, err = l.ask(ctx, name, dns.TypeTXT, true)
	}
	if err != nil || !answered(m) {
		return nil, false
	}
	for _, rr := range m.Answer {
		if t, ok := rr.(*dns.TXT); ok && len(all) < maxRecords {
			all = append(all, strings.Join(t.Txt, ""))
		}
	}
	return all, true
}

// maxLookups is how many questions an SPF record may cost (RFC 7208 §4.6.4).
const maxLookups = 10

func (l *looker) spf(ctx context.Context, domain string) SPF {
	out := SPF{Records: []string{}, Problems: []Problem{}}
	all, known := l.texts(ctx, domain)
	if out.Known = known; !known {
		return out
	}
	for _, t := range all {
		if isSPF(t) {
			out.Records = append(out.Records, clip(t))
		}
	}
	switch {
	case len(out.Records) == 0:
		out.add("missing", "—")
		return out
	case len(out.Records) > 1:
		out.add("repeated", strconv.Itoa(len(out.Records)))
	}
	terms, end := parseSPF(out.Records[0])
	out.All = end
	for _, t := range terms {
		if t.wrong {
			out.add("syntax", clip(t.text))
		}
	}
	out.Complete = true
	l.count(ctx, &out, terms, []string{domain})
	return out
}

func (s *SPF) add(key, actual string) {
	s.Problems = append(s.Problems, Problem{Key: key, Actual: actual})
}

// count adds up the questions that the terms cost, those of what they include
// too.
func (l *looker) count(ctx context.Context, s *SPF, terms []term, way []string) {
	for _, t := range terms {
		if !t.costs() || s.Lookups > maxLookups {
			continue
		}
		s.Lookups++
		if t.name != "include" && t.name != "redirect" {
			continue
		}
		target := strings.ToLower(t.value)
		if strings.Contains(target, "%") || slices.Contains(way, target) {
			s.Complete = s.Complete && !strings.Contains(target, "%")
			continue
		}
		all, known := l.texts(ctx, target)
		if !known {
			s.Complete = false
			continue
		}
		found := false
		for _, text := range all {
			if isSPF(text) {
				found = true
				inner, end := parseSPF(text)
				if t.name == "redirect" && s.All == "redirect" {
					s.All = end
				}
				l.count(ctx, s, inner, append(slices.Clone(way), target))
				break
			}
		}
		if !found {
			s.add("void", t.text)
		}
	}
}

// term is one word of an SPF record.
type term struct {
	text  string
	name  string // of the mechanism or modifier, in lower case
	value string
	wrong bool
}

func (t term) costs() bool {
	switch t.name {
	case "include", "a", "mx", "ptr", "exists", "redirect":
		return !t.wrong
	}
	return false
}

func isSPF(text string) bool {
	first, _, _ := strings.Cut(text, " ")
	return strings.EqualFold(first, "v=spf1")
}

// parseSPF reads the terms of a record, and how it ends: what comes after all is
// disregarded, and redirect counts where there is no all (RFC 7208 §5.1, §6.1).
func parseSPF(text string) (terms []term, end string) {
	redirect := false
	for i, word := range strings.Fields(text) {
		if i == 0 {
			continue // v=spf1
		}
		if i > 100 {
			break
		}
		t := term{text: word}
		body, qualifier := word, "+"
		if strings.ContainsRune("+-~?", rune(word[0])) {
			body, qualifier = word[1:], word[:1]
		}
		sep := strings.IndexAny(body, ":/=")
		name := body
		if sep >= 0 {
			name, t.value = body[:sep], body[sep+1:]
		}
		t.name = strings.ToLower(name)
		modifier := sep >= 0 && body[sep] == '='
		switch t.name {
		case "all":
			t.wrong = sep >= 0
			if end == "" && !t.wrong {
				end = qualifier + "all"
			}
		case "include", "exists":
			t.wrong = t.value == "" || modifier
		case "ip4", "ip6":
			t.wrong = !network(t.value, t.name) || modifier
		case "a", "mx", "ptr":
			t.wrong = modifier
			if sep >= 0 && body[sep] == '/' {
				t.value = ""
			}
		case "redirect":
			t.wrong = !modifier || t.value == "" || qualifier != "+"
			redirect = redirect || !t.wrong
		default:
			t.wrong = !modifier // unknown modifiers are to be disregarded, unknown mechanisms are an error
		}
		terms = append(terms, t)
		if end != "" {
			break
		}
	}
	if end == "" && redirect {
		end = "redirect"
	}
	if end != "" && end != "redirect" { // redirect is disregarded beside all
		terms = slices.DeleteFunc(terms, func(t term) bool { return t.name == "redirect" })
	}
	return terms, end
}

// dmarc asks at the domain, then at the registered one (RFC 7489 §6.6.3).
func (l *looker) dmarc(ctx context.Context, domain, mail string) DMARC {
	out := DMARC{Records: []string{}, Problems: []Problem{}}
	names := []string{mail}
	if domain != mail {
		names = []string{domain, mail}
	}
	for _, name := range names {
		all, known := l.texts(ctx, "_dmarc."+name)
		if out.Known = known; !known {
			return out
		}
		for _, t := range all {
			if tag, _, _ := strings.Cut(t, ";"); strings.EqualFold(strings.ReplaceAll(tag, " ", ""), "v=DMARC1") {
				out.Records = append(out.Records, clip(t))
			}
		}
		if len(out.Records) > 0 {
			out.Name = "_dmarc." + name
			out.read(name != domain)
			return out
		}
	}
	out.add("missing", "—")
	return out
}

func (d *DMARC) add(key, actual string) {
	d.Problems = append(d.Problems, Problem{Key: key, Actual: actual})
}

// read reads the record; above says that it stands at a name above the domain,
// where sp, if given, is what counts.
func (d *DMARC) read(above bool) {
	if len(d.Records) > 1 {
		d.add("repeated", strconv.Itoa(len(d.Records)))
	}
	d.Percent = 100
	policy, sub := "", ""
	for _, part := range strings.Split(d.Records[0], ";") {
		name, value, found := strings.Cut(part, "=")
		name, value = strings.ToLower(strings.TrimSpace(name)), strings.TrimSpace(value)
		if strings.TrimSpace(part) == "" {
			continue
		}
		if !found {
			d.add("syntax", clip(part))
			continue
		}
		switch name {
		case "p":
			policy = strings.ToLower(value)
		case "sp":
			sub = strings.ToLower(value)
		case "pct":
			n, err := strconv.Atoi(value)
			if err != nil || n < 0 || n > 100 {
				d.add("syntax", clip(part))
				continue
			}
			d.Percent = n
		}
	}
	if above && sub != "" {
		policy = sub
	}
	switch policy {
	case "none", "quarantine", "reject":
		d.Policy = policy
	default:
		d.add("syntax", "p="+clip(policy))
	}
}

// network says whether a value is an address of a kind, with or without a prefix
// length.
func network(value, kind string) bool {
	host, length, found := strings.Cut(value, "/")
	a, err := netip.ParseAddr(host)
	if err != nil || a.Is4() != (kind == "ip4") || a.Zone() != "" {
		return false
	}
	if !found {
		return true
	}
	n, err := strconv.Atoi(length)
	return err == nil && n >= 0 && n <= a.BitLen()
}
