package web

import (
	"context"
	"fmt"
	"mime"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"
)

// SecurityTxt is the file by which a service says where to report a
// vulnerability (RFC 9116).
type SecurityTxt struct {
	URL      string    `json:"url"` // where it was found, or was looked for
	Exchange string    `json:"exchange"`
	Status   int       `json:"status"` // 0: no answer
	Found    bool      `json:"found"`
	Legacy   bool      `json:"legacy"` // found at /security.txt only
	Reason   string    `json:"reason"` // why there is no answer, or why it counts as not found
	Contacts []string  `json:"contacts"`
	Expires  time.Time `json:"expires,omitzero"` // zero without exactly one that can be read
	Expired  bool      `json:"expired"`          // as of the date of the look
	Fields   []Field   `json:"fields"`
	Problems []Problem `json:"problems"` // against the format; expiry is not among them
}

// Field is one line of the file.
type Field struct {
	Line  int    `json:"line"`
	Name  string `json:"name"` // as written
	Value string `json:"value"`
}

// Problem is one departure from RFC 9116.
type Problem struct {
	Key      string `json:"key"`  // missing-contact, bad-contact, missing-expires, repeated-expires, bad-expires, repeated-languages, content-type, scheme, legacy, line, encoding, canonical
	Line     int    `json:"line"` // 0: the file as a whole
	Expected string `json:"expected"`
	Actual   string `json:"actual"`
}

const (
	wellKnown     = "/.well-known/security.txt"
	maxTxt        = 32 << 10
	maxTxtFields  = 100
	signedMessage = "-----BEGIN PGP SIGNED MESSAGE-----"
	signature     = "-----BEGIN PGP SIGNATURE-----"
)

// securityTxt fetches the file from its place, then from the old one.
func (f *fetcher) securityTxt(ctx context.Context, site *url.URL) SecurityTxt {
	first := f.fetchTxt(ctx, site, wellKnown)
	if first.Found || first.Status == 0 {
		return first
	}
	if old := f.fetchTxt(ctx, site, "/security.txt"); old.Found {
		old.Legacy = true
		old.add("legacy", 0, wellKnown, "/security.txt")
		return old
	}
	return first
}

func (f *fetcher) fetchTxt(ctx context.Context, site *url.URL, path string) SecurityTxt {
	at := &url.URL{Scheme: site.Scheme, Host: site.Host, Path: path}
	out := SecurityTxt{URL: at.String(), Contacts: []string{}, Fields: []Field{}, Problems: []Problem{}}
	if f.silent >= silentLimit {
		out.Reason = "not asked for: earlier requests in a row were not answered"
		return out
	}
	w := f.follow(ctx, at, false)
	if w.last == nil {
		out.Reason = w.reason
		return out
	}
	out.Exchange, out.Status, out.Reason = w.last.id, w.last.status, w.reason
	if w.state != Read {
		return out
	}
	// A service that answers every path with its application does not have the
	// file.
	kind, params, _ := mime.ParseMediaType(w.last.header.Get("Content-Type"))
	if kind == "text/html" || kind == "application/xhtml+xml" {
		out.Reason = "the answer is an HTML page"
		return out
	}
	out.Found, out.URL = true, w.last.url.String()
	out.parse(w.last.body, f.now())
	if charset := strings.ToLower(params["charset"]); kind != "text/plain" || (charset != "" && charset != "utf-8") {
		out.add("content-type", 0, "text/plain; charset=utf-8", w.last.header.Get("Content-Type"))
	}
	if w.last.url.Scheme != "https" {
		out.add("scheme", 0, "https", w.last.url.Scheme)
	}
	out.checkCanonical()
	return out
}

func (s *SecurityTxt) add(key string, line int, expected, actual string) {
	s.Problems = append(s.Problems, Problem{Key: key, Line: line, Expected: expected, Actual: clip(actual)})
}

// parse reads the fields. A signature around them is allowed and not verified.
func (s *SecurityTxt) parse(body []byte, now time.Time) {
	if !utf8.Valid(body) || len(body) > maxTxt {
		s.add("encoding", 0, fmt.Sprintf("UTF-8, at most %d bytes", maxTxt), fmt.Sprintf("%d bytes", len(body)))
		body = []byte(strings.ToValidUTF8(string(body[:min(len(body), maxTxt)]), "\uFFFD"))
	}
	armour := false // inside the head of a signed message
	for i, line := range strings.Split(string(body), "\n") {
		line = strings.TrimSuffix(line, "\r")
		switch {
		case line == signedMessage:
			armour = true
			continue
		case armour:
			armour = line != ""
			continue
		case line == signature:
			s.summarise(now)
			return
		case strings.TrimSpace(line) == "" || strings.HasPrefix(line, "#"):
			continue
		}
		name, value, found := strings.Cut(line, ":")
		if !found || strings.TrimSpace(name) == "" || strings.ContainsAny(name, " \t") {
			s.add("line", i+1, "Name: value", line)
			continue
		}
		if len(s.Fields) < maxTxtFields {
			s.Fields = append(s.Fields, Field{Line: i + 1, Name: clip(name), Value: clip(strings.TrimSpace(value))})
		}
	}
	s.summarise(now)
}

// summarise judges the fields against RFC 9116 §2.5.
func (s *SecurityTxt) summarise(now time.Time) {
	var expires, languages []Field
	for _, f := range s.Fields {
		switch strings.ToLower(f.Name) {
		case "contact":
			s.Contacts = append(s.Contacts, f.Value)
			if !contactAddress(f.Value) {
				s.add("bad-contact", f.Line, "https://…, mailto:… or tel:…", f.Value)
			}
		case "expires":
			expires = append(expires, f)
		case "preferred-languages":
			languages = append(languages, f)
		}
	}
	if len(s.Contacts) == 0 {
		s.add("missing-contact", 0, "Contact:", "—")
	}
	if len(languages) > 1 {
		s.add("repeated-languages", languages[1].Line, "1 × Preferred-Languages", fmt.Sprintf("%d", len(languages)))
	}
	switch len(expires) {
	case 0:
		s.add("missing-expires", 0, "Expires:", "—")
	case 1:
		at, err := time.Parse(time.RFC3339, strings.ToUpper(expires[0].Value))
		if err != nil {
			s.add("bad-expires", expires[0].Line, "2027-01-31T00:00:00Z", expires[0].Value)
			return
		}
		s.Expires, s.Expired = at.UTC(), !at.After(now)
	default:
		s.add("repeated-expires", expires[1].Line, "1 × Expires", fmt.Sprintf("%d", len(expires)))
	}
}

// checkCanonical: a file that says where it belongs has to name the place where
// it was found (RFC 9116 §2.5.2).
func (s *SecurityTxt) checkCanonical() {
	line, all := 0, ""
	for _, f := range s.Fields {
		if strings.EqualFold(f.Name, "canonical") {
			if f.Value == s.URL {
				return
			}
			line, all = f.Line, join([]string{all, f.Value})
		}
	}
	if line > 0 {
		s.add("canonical", line, s.URL, all)
	}
}

func contactAddress(value string) bool {
	u, err := url.Parse(value)
	if err != nil {
		return false
	}
	switch u.Scheme {
	case "https":
		return u.Host != ""
	case "mailto":
		return strings.Contains(u.Opaque, "@")
	case "tel":
		return u.Opaque != ""
	}
	return false
}
