package record

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"sort"
	"strconv"
	"strings"
	"sync"
)

// MinSecret is the length, in bytes, under which a value is not treated as a
// secret: replacing shorter strings would damage the text around them.
const MinSecret = 6

// Secret is a value that must not leave, and the name that stands for it.
type Secret struct {
	Name  string `json:"name"`  // "access-token-3"
	Value string `json:"value"` // never written to a run folder
}

// Redactor replaces secrets by stable names, in plain, percent-encoded,
// JSON-escaped and base64 form. Its zero value is not usable; it is safe for
// concurrent use. A run knows thousands of secrets in several forms each, so
// needles are found by their first bytes: about 10 ns a byte of text, however
// many they are.
type Redactor struct {
	mu     sync.RWMutex
	names  map[string]string            // value -> name
	given  []Secret                     // in the order in which they came
	counts map[string]int               // kind -> last number
	index  map[[MinSecret]byte][]needle // by first bytes, longest first
	filter [1 << 12]uint64              // which hashes of four first bytes occur
}

type needle struct{ text, name string }

// NewRedactor returns a redactor that knows no secret.
func NewRedactor() *Redactor {
	return &Redactor{names: map[string]string{}, counts: map[string]int{}, index: map[[MinSecret]byte][]needle{}}
}

// Name registers a secret of a kind ("access-token") and returns the name that
// stands for it, with its guillemets. The same value always has the same name.
// A value shorter than MinSecret is returned as it is.
func (r *Redactor) Name(kind, value string) string {
	if len(value) < MinSecret {
		return value
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if name, ok := r.names[value]; ok {
		return "«" + name + "»"
	}
	r.counts[kind]++
	name := fmt.Sprintf("%s-%d", kind, r.counts[kind])
	r.add(name, value)
	return "«" + name + "»"
}

// Lookup returns the name of a value, with its guillemets, if it is known.
func (r *Redactor) Lookup(value string) (string, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	name, ok := r.names[value]
	return "«" + name + "»", ok
}

// Adopt takes over names given elsewhere, so that one value has one name on
// both sides of the wire. Names made here afterwards do not reuse their numbers.
func (r *Redactor) Adopt(secrets []Secret) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range secrets {
		if len(s.Value) < MinSecret {
			continue
		}
		if i := strings.LastIndexByte(s.Name, '-'); i > 0 {
			if n, err := strconv.Atoi(s.Name[i+1:]); err == nil {
				r.counts[s.Name[:i]] = max(r.counts[s.Name[:i]], n)
			}
		}
		if _, ok := r.names[s.Value]; !ok {
			r.add(s.Name, s.Value)
		}
	}
}

// Continue makes names begin after the numbers that were used before, by kind:
// those of a run that is taken up again, whose values are gone.
func (r *Redactor) Continue(used map[string]int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for kind, n := range used {
		r.counts[kind] = max(r.counts[kind], n)
	}
}

// Secrets lists what is known, in the order in which it came, without the first
// n: who asks again asks for what is new.
func (r *Redactor) Secrets(n int) []Secret {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return slices.Clone(r.given[min(max(n, 0), len(r.given)):])
}

// Redact replaces every known secret in s.
func (r *Redactor) Redact(s string) string {
	r.mu.RLock()
	defer r.mu.RUnlock()
	var out *strings.Builder
	from := 0
	for i := 0; i+MinSecret <= len(s); {
		n, ok := r.match(s, i)
		if !ok {
			i++
			continue
		}
		if out == nil {
			out = &strings.Builder{}
		}
		out.WriteString(s[from:i])
		out.WriteString("«" + n.name + "»")
		i += len(n.text)
		from = i
	}
	if out == nil {
		return s
	}
	out.WriteString(s[from:])
	return out.String()
}

// Find returns the name of a secret that occurs in s, in any form, or "".
func (r *Redactor) Find(s string) string {
	r.mu.RLock()
	defer r.mu.RUnlock()
	for i := 0; i+MinSecret <= len(s); i++ {
		if n, ok := r.match(s, i); ok {
			return n.name
		}
	}
	return ""
}

// match returns the longest needle that stands at a position.
func (r *Redactor) match(s string, i int) (needle, bool) {
	h := hash(s[i], s[i+1], s[i+2], s[i+3])
	if r.filter[h>>6]&(1<<(h&63)) == 0 {
		return needle{}, false
	}
	for _, n := range r.index[[MinSecret]byte([]byte(s[i:i+MinSecret]))] {
		if strings.HasPrefix(s[i:], n.text) {
			return n, true
		}
	}
	return needle{}, false
}

// hash spreads four bytes over the filter's bits (Knuth's multiplicative hash).
func hash(a, b, c, d byte) uint32 {
	x := uint32(a) | uint32(b)<<8 | uint32(c)<<16 | uint32(d)<<24
	return (x * 2654435761) >> 14
}

func (r *Redactor) add(name, value string) {
	r.names[value] = name
	r.given = append(r.given, Secret{Name: name, Value: value})
	seen := map[string]bool{}
	for _, form := range forms(value) {
		if len(form) < MinSecret || seen[form] {
			continue
		}
		seen[form] = true
		key := [MinSecret]byte([]byte(form[:MinSecret]))
		list := append(r.index[key], needle{form, name})
		sort.SliceStable(list, func(i, j int) bool { return len(list[i].text) > len(list[j].text) })
		r.index[key] = list
		h := hash(form[0], form[1], form[2], form[3])
		r.filter[h>>6] |= 1 << (h & 63)
	}
}

// forms are the encodings under which a value may travel.
func forms(value string) []string {
	out := []string{value}
	if q := url.QueryEscape(value); q != value {
		out = append(out, q, url.PathEscape(value))
	}
	if j, err := json.Marshal(value); err == nil {
		if s := string(j[1 : len(j)-1]); s != value {
			out = append(out, s)
		}
	}
	// Inside base64 a value appears in one of three alignments; the characters
	// that its neighbours share are cut off.
	for shift := range 3 {
		padded := strings.Repeat("\x00", shift) + value
		for _, enc := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			e := enc.EncodeToString([]byte(padded))
			head := []int{0, 2, 3}[shift]
			tail := 0
			if len(padded)%3 != 0 {
				tail = 1
			}
			if len(e)-head-tail >= 8 {
				out = append(out, e[head:len(e)-tail])
			}
		}
	}
	return out
}

// RedactJSON replaces every known secret inside a JSON value and keeps it valid
// JSON. What is not valid JSON comes back as a JSON string.
func (r *Redactor) RedactJSON(raw json.RawMessage) json.RawMessage {
	if len(raw) == 0 {
		return raw
	}
	out := json.RawMessage(r.Redact(string(raw)))
	if json.Valid(out) {
		return out
	}
	b, _ := json.Marshal(string(out))
	return b
}

// RedactRecord replaces every known secret in a record, in place.
func (r *Redactor) RedactRecord(rec *Record) {
	if x := rec.Exchange; x != nil {
		x.Request.URL = r.Redact(x.Request.URL)
		x.Error = r.Redact(x.Error)
		for i := range x.Request.Headers {
			x.Request.Headers[i].Value = r.Redact(x.Request.Headers[i].Value)
		}
		for i := range x.Response.Headers {
			x.Response.Headers[i].Value = r.Redact(x.Response.Headers[i].Value)
		}
		for _, b := range []*Body{x.Request.Body, x.Response.Body} {
			if b != nil {
				b.Text = r.Redact(b.Text)
			}
		}
		if x.Facts != nil {
			for i := range x.Facts.Issues {
				x.Facts.Issues[i].Actual = r.Redact(x.Facts.Issues[i].Actual)
				x.Facts.Issues[i].Expected = r.Redact(x.Facts.Issues[i].Expected)
			}
		}
	}
	if p := rec.Pilot; p != nil {
		p.Open, p.Message, p.Error = r.Redact(p.Open), r.Redact(p.Message), r.Redact(p.Error)
		p.Payload, p.Data = r.RedactJSON(p.Payload), r.RedactJSON(p.Data)
	}
	if p := rec.Probe; p != nil {
		p.Error, p.Data = r.Redact(p.Error), r.RedactJSON(p.Data)
	}
	if m := rec.Mark; m != nil {
		m.Text, m.Data = r.Redact(m.Text), r.RedactJSON(m.Data)
	}
}
