package sandbox

import (
	"encoding/base64"
	"net/http"
	"sort"
	"strings"
	"unicode/utf8"

	"github.com/etalon-sante/etalon/sandbox/record"
)

// maxText is the largest body that the journal holds, in bytes.
const maxText = 64 << 10

// secretKinds are the kinds of name whose place in a request is noted
// (Facts.SecretIn).
func secretKinds() []string {
	return []string{"«access-token-", "«refresh-token-", "«id-token-", "«code-", "«client-secret-", "«basic-credentials-"}
}

// headers lists header lines by name: the order on the wire is not kept by
// net/http.
func headers(h http.Header) []record.Header {
	names := make([]string, 0, len(h))
	for n := range h {
		names = append(names, n)
	}
	sort.Strings(names)
	out := make([]record.Header, 0, len(h))
	for _, n := range names {
		for _, v := range h[n] {
			out = append(out, record.Header{Name: n, Value: v})
		}
	}
	return out
}

// body is the journal's form of a body, nil for none.
func body(media string, b []byte) *record.Body {
	if len(b) == 0 {
		return nil
	}
	out := &record.Body{MIME: media, Size: len(b)}
	switch {
	case len(b) > maxText: // the size alone: the control API carries no artifacts
	case utf8.Valid(b):
		out.Text = string(b)
	default:
		out.Text, out.Encoding = base64.StdEncoding.EncodeToString(b), "base64"
	}
	return out
}

// noteSecrets says where in the request a token, a code or a client secret
// stood. It reads the names that redaction has put in their place.
func noteSecrets(r *record.Record) {
	x := r.Exchange
	if x == nil || x.Facts == nil {
		return
	}
	if holdsSecret(x.Request.URL) {
		x.Facts.SecretIn = append(x.Facts.SecretIn, "url")
	}
	for _, h := range x.Request.Headers {
		if holdsSecret(h.Value) {
			x.Facts.SecretIn = append(x.Facts.SecretIn, "header:"+h.Name)
		}
	}
	if b := x.Request.Body; b != nil && holdsSecret(b.Text) {
		x.Facts.SecretIn = append(x.Facts.SecretIn, "body")
	}
}

func holdsSecret(text string) bool {
	for _, kind := range secretKinds() {
		for rest := text; ; {
			i := strings.Index(rest, kind)
			if i < 0 {
				break
			}
			rest = rest[i+len(kind):]
			// «code-1» is a code, «code-challenge-1» is not.
			if rest != "" && '0' <= rest[0] && rest[0] <= '9' {
				return true
			}
		}
	}
	return false
}

// minCookie is the length, in bytes, from which the value of a cookie that the sandbox
// never set is taken for a secret: a shorter one may be a word.
const minCookie = 16

// hiddenCookie stands for such a value.
const hiddenCookie = "«cookie of another»"

// hideCookies takes out of a record the cookies that a browser brought along and that
// are not the sandbox's: what is signed must need no further redaction. Where one
// holds a secret of the sandbox, its name stays.
func hideCookies(r *record.Record) {
	if r.Exchange == nil {
		return
	}
	for i, h := range r.Exchange.Request.Headers {
		if !strings.EqualFold(h.Name, "Cookie") {
			continue
		}
		parts := strings.Split(h.Value, ";")
		for j, part := range parts {
			name, value, ok := strings.Cut(part, "=")
			if ok && len(value) >= minCookie && !strings.Contains(value, "«") {
				parts[j] = name + "=" + hiddenCookie
			}
		}
		r.Exchange.Request.Headers[i].Value = strings.Join(parts, ";")
	}
}

// redactFacts takes secrets out of what the facts quote from the candidate:
// a token may stand where it has no business to.
func redactFacts(names *record.Redactor, r *record.Record) {
	if r.Exchange == nil || r.Exchange.Facts == nil {
		return
	}
	f := r.Exchange.Facts
	clean := func(list ...*string) {
		for _, s := range list {
			*s = names.Redact(*s)
		}
	}
	all := func(list []string) {
		for i := range list {
			list[i] = names.Redact(list[i])
		}
	}
	if a := f.Authorize; a != nil {
		clean(&a.ResponseType, &a.RedirectURI, &a.ChallengeMethod)
		all(a.Scope)
		all(a.Repeated)
	}
	if t := f.Token; t != nil {
		clean(&t.GrantType)
	}
	if c := f.Call; c != nil {
		clean(&c.RequestIDPe, &c.AssignAuth, &c.ResourceID)
		for i := range c.Documents {
			d := &c.Documents[i]
			clean(&d.Title, &d.Created, &d.Media, &d.PracticeSetting)
		}
	}
	for i := range f.Issues {
		clean(&f.Issues[i].Pointer)
	}
}
