package web

import "strings"

// Policy is one content security policy. Several apply together: what one of
// them forbids is forbidden.
type Policy struct {
	Source     string      `json:"source"` // "header", or "meta" for one in the document
	Raw        string      `json:"raw"`
	Directives []Directive `json:"directives"`
	Repeated   []string    `json:"repeated"` // directives given more than once; the first one counts
}

// Directive is one directive of a policy.
type Directive struct {
	Name   string   `json:"name"` // in lower case
	Values []string `json:"values"`
}

// maxPolicies bounds what is kept of an answer that lists policies without end.
const maxPolicies = 50

// parseCSP reads policies: one header may hold several, separated by commas
// (CSP Level 3 §2.2.2).
func parseCSP(values []string, source string) []Policy {
	var out []Policy
	for _, value := range values {
		for _, one := range strings.Split(value, ",") {
			if p, ok := parsePolicy(one, source); ok && len(out) < maxPolicies {
				out = append(out, p)
			}
		}
	}
	return out
}

func parsePolicy(raw, source string) (Policy, bool) {
	p := Policy{Source: source, Raw: strings.TrimSpace(strings.ToValidUTF8(raw, "\uFFFD")), Directives: []Directive{}, Repeated: []string{}}
	for _, token := range strings.Split(p.Raw, ";") {
		words := strings.FieldsFunc(token, asciiSpace)
		if len(words) == 0 {
			continue
		}
		name := strings.ToLower(words[0])
		if _, again := p.Find(name); again {
			p.Repeated = append(p.Repeated, name)
			continue
		}
		// In the document these three have no effect (CSP Level 3 §3.3).
		if source == "meta" && (name == "frame-ancestors" || name == "sandbox" || name == "report-uri") {
			continue
		}
		p.Directives = append(p.Directives, Directive{Name: name, Values: append([]string{}, words[1:]...)})
	}
	return p, len(p.Directives) > 0
}

func asciiSpace(r rune) bool {
	return r == ' ' || r == '\t' || r == '\n' || r == '\r' || r == '\f'
}

// Find returns a directive by name.
func (p Policy) Find(name string) (Directive, bool) {
	for _, d := range p.Directives {
		if d.Name == name {
			return d, true
		}
	}
	return Directive{}, false
}

// First returns the first of several directives that the policy has: the one in
// force where the later ones are its fallbacks.
func (p Policy) First(names ...string) (Directive, bool) {
	for _, n := range names {
		if d, ok := p.Find(n); ok {
			return d, true
		}
	}
	return Directive{}, false
}

// Has says whether a directive holds a keyword, whatever its case.
func (d Directive) Has(keyword string) bool {
	for _, v := range d.Values {
		if strings.EqualFold(v, keyword) {
			return true
		}
	}
	return false
}

// Strict says whether the directive names scripts by nonce or hash, or trusts
// what those load: a browser then disregards 'unsafe-inline' (CSP Level 3
// §6.7.3.2), which is written for older ones.
func (d Directive) Strict() bool {
	for _, v := range d.Values {
		v = strings.ToLower(v)
		for _, prefix := range []string{"'nonce-", "'sha256-", "'sha384-", "'sha512-"} {
			if strings.HasPrefix(v, prefix) && len(v) > len(prefix)+1 && strings.HasSuffix(v, "'") {
				return true
			}
		}
		if v == "'strict-dynamic'" {
			return true
		}
	}
	return false
}

// Only says whether the directive allows nothing beyond the listed keywords. An
// empty directive allows nothing at all.
func (d Directive) Only(keywords ...string) bool {
	for _, v := range d.Values {
		ok := false
		for _, k := range keywords {
			ok = ok || strings.EqualFold(v, k)
		}
		if !ok {
			return false
		}
	}
	return true
}

// Everyone says whether the directive allows any host at all: a star or a mere
// scheme.
func (d Directive) Everyone() bool {
	for _, v := range d.Values {
		switch strings.ToLower(v) {
		case "*", "https:", "http:", "https://*", "http://*", "*:*":
			return true
		}
	}
	return false
}
