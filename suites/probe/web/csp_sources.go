package web

import (
	"strings"

	"golang.org/x/net/publicsuffix"
)

// Wide lists the sources of the directive under which anyone can publish: a
// star, a mere scheme, a star before a name under which names are handed out
// ("*.github.io"). Nonces and hashes beside them do not narrow them for what is
// loaded from an address; 'strict-dynamic' does, for scripts (see Dynamic).
func (d Directive) Wide() []string {
	var out []string
	for _, v := range d.Values {
		if wide(strings.ToLower(v)) {
			out = append(out, v)
		}
	}
	return out
}

func wide(v string) bool {
	if strings.HasPrefix(v, "'") {
		return false
	}
	if schemeOnly(v) {
		return true
	}
	host := sourceHost(v)
	if host == "*" {
		return true
	}
	parent, star := strings.CutPrefix(host, "*.")
	if !star || parent == "" {
		return false
	}
	// The list also knows the suffixes of hosting companies: there, the star
	// admits every customer.
	suffix, _ := publicsuffix.PublicSuffix(parent)
	return suffix == parent
}

// Clear lists the sources of the directive that are fetched in the clear:
// http: and ws:, with or without a host.
func (d Directive) Clear() []string {
	var out []string
	for _, v := range d.Values {
		l := strings.ToLower(v)
		if l == "http:" || l == "ws:" || strings.HasPrefix(l, "http://") || strings.HasPrefix(l, "ws://") {
			out = append(out, v)
		}
	}
	return out
}

// Dynamic says whether the directive trusts what trusted scripts load, and
// nothing by its address (CSP Level 3 §8.2): a browser then disregards schemes
// and hosts, which are written for older ones.
func (d Directive) Dynamic() bool { return d.Has("'strict-dynamic'") }

// Fetches says whether the directive names from where something is loaded, or
// where it is sent to.
func (d Directive) Fetches() bool {
	return strings.HasSuffix(d.Name, "-src") || strings.HasPrefix(d.Name, "script-src-") || strings.HasPrefix(d.Name, "style-src-") || d.Name == "form-action" || d.Name == "base-uri"
}

// schemeOnly says whether a source is a scheme and nothing more (CSP Level 3
// §2.3.1, scheme-source).
func schemeOnly(v string) bool {
	name, found := strings.CutSuffix(v, ":")
	if !found || name == "" || name[0] < 'a' || name[0] > 'z' {
		return false
	}
	return strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789+-.") == ""
}

// sourceHost is the host of a source, without scheme, port and path.
func sourceHost(v string) string {
	if _, after, found := strings.Cut(v, "://"); found {
		v = after
	}
	v, _, _ = strings.Cut(v, "/")
	if i := strings.LastIndexByte(v, ':'); i >= 0 && !strings.HasSuffix(v, "]") {
		v = v[:i]
	}
	return strings.TrimSuffix(v, ".")
}
