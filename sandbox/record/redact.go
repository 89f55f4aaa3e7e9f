package record

import (
	"fmt"
	"slices"
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

// Redactor replaces secrets by stable names, in the forms in which a service may
// send them back: as they are, escaped (percent, JSON, HTML; see unescape.go), in
// base64 or hexadecimal, compressed, and one of these within another (deep.go).
// What is not seen: a secret that is encrypted, hashed, reversed or cut in pieces,
// base32, quoted-printable, and more than maxDepth forms within one another. Its
// zero value is not usable; it is safe for concurrent use. A run knows thousands
// of secrets in several forms each, so needles are found by their first bytes,
// however many they are.
type Redactor struct {
	mu     sync.RWMutex
	names  map[string]string   // value -> name
	given  []Secret            // in the order in which they came
	counts map[string]int      // kind -> last number
	index  map[uint64][]needle // by first bytes without case, longest first
	filter [1 << 14]uint64     // which hashes of first bytes occur

	readers sync.Pool // of compressed data, to be used again
}

// needle is one form of a secret.
type needle struct {
	text, name string
	fold       bool // upper and lower case are the same
}

// NewRedactor returns a redactor that knows no secret.
func NewRedactor() *Redactor {
	return &Redactor{names: map[string]string{}, counts: map[string]int{}, index: map[uint64][]needle{}}
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
	return r.redact(s)
}

// Find returns the name of a secret that occurs in s, in any form, or "".
func (r *Redactor) Find(s string) string {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.holds(s, maxDepth)
}

// span is a place in a text, and the name of the secret that stands there.
type span struct {
	from, to int
	name     string
}

// spans are the places where needles stand, in order, none within another.
func (r *Redactor) spans(s string) []span {
	var out []span
	for i := 0; ; {
		n, at, ok := r.next(s, i)
		if !ok {
			return out
		}
		i = at + len(n.text)
		out = append(out, span{at, i, n.name})
	}
}

// replace puts names in the place of spans.
func replace(s string, spans []span) string {
	if len(spans) == 0 {
		return s
	}
	var out strings.Builder
	at := 0
	for _, p := range spans {
		out.WriteString(s[at:p.from])
		out.WriteString("«" + p.name + "»")
		at = p.to
	}
	out.WriteString(s[at:])
	return out.String()
}

// next returns the first needle that stands in s at or after a position, the
// longest of those that begin there.
func (r *Redactor) next(s string, from int) (n needle, at int, ok bool) {
	if len(s)-from < MinSecret {
		return needle{}, 0, false
	}
	key := firstBytes(s[from:]) << 8 & 0xffffffffffff
	for i := from; i+MinSecret <= len(s); i++ {
		// Letters differ from their capitals by one bit; what else that bit makes
		// equal is told apart when the whole needle is compared.
		key = key>>8 | uint64(s[i+MinSecret-1]|0x20)<<40
		if h := hash(key); r.filter[h>>6]&(1<<(h&63)) == 0 {
			continue
		}
		for _, n := range r.index[key] {
			// Many addresses begin alike: the last byte tells most of them apart.
			if last := i + len(n.text) - 1; last >= len(s) || s[last]|0x20 != n.text[len(n.text)-1]|0x20 {
				continue
			}
			if here := s[i : i+len(n.text)]; here == n.text || n.fold && equalFold(here, n.text) {
				return n, i, true
			}
		}
	}
	return needle{}, 0, false
}

// firstBytes are the first MinSecret bytes as a number, without case.
func firstBytes(s string) uint64 {
	_ = s[MinSecret-1]
	low := uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24
	return low | uint64(s[4])<<32 | uint64(s[5])<<40 | 0x202020202020
}

// hash spreads a key over the filter's bits (Fibonacci hashing).
func hash(key uint64) uint64 { return (key * 0x9e3779b97f4a7c15) >> 44 }

func (r *Redactor) add(name, value string) {
	r.names[value] = name
	r.given = append(r.given, Secret{Name: name, Value: value})
	fold := caseless(name, value)
	seen := map[string]bool{}
	for _, form := range forms(name, value) {
		if len(form.text) < MinSecret || seen[form.text] {
			continue
		}
		seen[form.text] = true
		key := firstBytes(form.text)
		// Longest first: all id_tokens begin alike, and there are many.
		list := r.index[key]
		at, _ := slices.BinarySearchFunc(list, form.text, func(n needle, text string) int {
			if len(n.text) < len(text) {
				return 1
			}
			return -1
		})
		r.index[key] = slices.Insert(list, at, needle{form.text, name, form.caseless || fold && form.text == value})
		h := hash(key)
		r.filter[h>>6] |= 1 << (h & 63)
	}
}
