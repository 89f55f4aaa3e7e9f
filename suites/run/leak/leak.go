// Package leak searches the files of a run for secrets before they are published.
// It shares nothing with the redactor (sandbox/record) but the list of what must
// not leave: the redactor knows the forms of each secret and looks for them; here
// a text is decoded, by whatever it may be encoded in, and searched for the values
// themselves. What one of the two overlooks the other finds.
//
// Decoded are percent-encoding and the escapes of JSON, JavaScript and HTML, up to
// maxEscapes times; base64 of either alphabet, wherever it begins; hexadecimal;
// text of two bytes a character; gzip, zlib, ZIP and the streams of PDF; and one
// of these within another, up to maxDepth deep. Not decoded are brotli without the
// header that names it, base32, quoted-printable, and what is encrypted, reversed
// or cut in pieces.
package leak

import (
	"bytes"
	"fmt"
	"runtime"
	"strings"
	"sync"

	"github.com/etalon-sante/etalon/sandbox/record"
)

// Bounds of what is decoded: a file must not cost more than reading it many times
// over, nor more memory than the machine has.
const (
	maxEscapes  = 6        // layers of escapes, one within another
	maxDepth    = 4        // encodings within one another
	maxInflated = 32 << 20 // bytes that compressed parts of one file yield
	piece       = 512 << 10
)

// Leak is a place where a secret stands.
type Leak struct {
	Secret  string // its name, never its value: "access-token-3"
	Form    string // how it is written there: "plain", "base64, escaped"
	Line    int    // from 1; 0: of a file without lines
	Pointer string // within JSON (RFC 6901); empty: no JSON, or the whole value
}

// Place says where a secret stands in a file that is named, for a person who reads
// French or English (fr, en).
func (l Leak) Place(file, lang string) string {
	line, at := ", ligne %d", ", à %s"
	if lang == "en" {
		line, at = ", line %d", ", at %s"
	}
	if l.Line > 0 {
		file += fmt.Sprintf(line, l.Line)
	}
	if l.Pointer != "" {
		file += fmt.Sprintf(at, l.Pointer)
	}
	return file
}

// Scanner finds secrets. It is safe for concurrent use.
type Scanner struct {
	wants  []want
	first  map[uint64][]int // first bytes, without case -> wants
	filter [1 << 14]uint64  // which first bytes occur at all
	class  [256]byte        // of characters: see alphabet
	value  [256]byte        // in base64
}

// want is one value that is looked for.
type want struct {
	name  string
	value []byte
	fold  bool // upper and lower case are the same
}

// New makes a scanner for the secrets of a run.
func New(secrets []record.Secret) *Scanner {
	s := &Scanner{first: map[uint64][]int{}}
	s.class, s.value = alphabet()
	seen := map[string]bool{}
	for _, x := range secrets {
		for _, v := range values(x) {
			if len(v) < record.MinSecret || seen[v] {
				continue
			}
			seen[v] = true
			s.want(want{x.Name, []byte(v), anyCase(x)})
		}
	}
	return s
}

func (s *Scanner) want(w want) {
	key := beginning(w.value)
	s.first[key] = append(s.first[key], len(s.wants))
	s.wants = append(s.wants, w)
	bit := spread(key)
	s.filter[bit>>6] |= 1 << (bit & 63)
}

// values are what is looked for of a secret: itself, as it stands once nothing is
// encoded any more, and what people write in its place.
func values(x record.Secret) []string {
	out := []string{x.Value, string(unescapeAll([]byte(x.Value)))}
	if strings.Contains(x.Value, " ") {
		out = append(out, strings.ReplaceAll(x.Value, " ", "+")) // of a form
	}
	if name, _, ok := strings.Cut(x.Value, "@"); ok && len(name) >= 16 {
		out = append(out, name)
	}
	return append(out, spoken(x)...)
}

// spoken are the ways of writing a telephone number of France.
func spoken(x record.Secret) []string {
	if !strings.Contains(x.Name, "phone") || len(x.Value) != 10 {
		return nil
	}
	var out []string
	for _, gap := range []string{"", " ", "\u00a0", "\u202f", ".", "-"} {
		n := x.Value[1:2]
		for i := 2; i < 10; i += 2 {
			n += gap + x.Value[i:i+2]
		}
		for _, before := range []string{"0", "+33", "+33" + gap, "0033", "0033" + gap, "+33(0)", "+33 (0)", "+33 (0)" + gap} {
			out = append(out, before+n)
		}
	}
	return out
}

func anyCase(x record.Secret) bool {
	return strings.Contains(x.Value, "@") || strings.Contains(x.Name, "login") || strings.Contains(x.Name, "user") || strings.Contains(x.Name, "email")
}

// Scan searches one file, whose name says how places in it are named; false when
// there is nothing to be found.
func (s *Scanner) Scan(name string, content []byte) (Leak, bool) {
	if len(s.wants) == 0 {
		return Leak{}, false
	}
	if hit, found := s.look(fileName(name), newWork(new(budget))); found {
		return Leak{Secret: hit.name, Form: "in the file's name"}, true
	}
	parts := split(content)
	hits := make([]*hit, len(parts))
	b := &budget{}
	var wg sync.WaitGroup
	slots := make(chan struct{}, runtime.GOMAXPROCS(0))
	for i, part := range parts {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			if h, found := s.look(part, newWork(b)); found {
				hits[i] = &h
			}
		})
	}
	wg.Wait()
	line := 1
	for i, h := range hits {
		if h != nil {
			return s.locate(name, content, parts[i], line, *h), true
		}
		line += bytes.Count(parts[i], []byte("\n"))
	}
	return Leak{}, false
}

// fileName is a name as a text in which its parts stand apart.
func fileName(name string) []byte { return []byte(strings.ReplaceAll(name, "/", "\n")) }

// split cuts a text at ends of lines, into pieces that can be searched beside one
// another. What is no text is one piece: a line that ends in it means nothing.
func split(content []byte) [][]byte {
	if !isText(content) {
		return [][]byte{content}
	}
	var out [][]byte
	for len(content) > piece {
		end := bytes.IndexByte(content[piece:], '\n')
		if end < 0 {
			break
		}
		out = append(out, content[:piece+end+1])
		content = content[piece+end+1:]
	}
	return append(out, content)
}

// find returns the first value that stands in b as it is.
func (s *Scanner) find(b []byte) (name string, found bool) {
	if len(b) < record.MinSecret {
		return "", false
	}
	key := beginning(b) << 8
	for i := record.MinSecret - 1; i < len(b); i++ {
		key = key>>8&0xffffffffff | uint64(b[i]|0x20)<<40
		if bit := spread(key); s.filter[bit>>6]&(1<<(bit&63)) == 0 {
			continue
		}
		here := b[i-record.MinSecret+1:]
		for _, n := range s.first[key] {
			w := &s.wants[n]
			// Many addresses begin alike: the last byte tells most of them apart.
			if last := len(w.value) - 1; last >= len(here) || here[last]|0x20 != w.value[last]|0x20 {
				continue
			}
			if bytes.Equal(here[:len(w.value)], w.value) || w.fold && bytes.EqualFold(here[:len(w.value)], w.value) {
				return w.name, true
			}
		}
	}
	return "", false
}

// beginning is the first bytes of a value as a number, without case.
func beginning(b []byte) (key uint64) {
	for i := range record.MinSecret {
		key |= uint64(b[i]|0x20) << (8 * i)
	}
	return key
}

// spread gives a key its place in the filter (Fibonacci hashing).
func spread(key uint64) uint64 { return key * 0x9e3779b97f4a7c15 >> 44 }
