package leak

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"html"
	"io"
	"sync/atomic"
	"unicode/utf16"
	"unicode/utf8"
)

// hit is a secret that was found, and how it was written.
type hit struct {
	name string
	form string
}

// budget bounds what is inflated of one file.
type budget struct{ spent atomic.Int64 }

func (b *budget) left() int64 { return maxInflated - b.spent.Load() }

// work is one piece of a file being searched: the bounds of the file, and a place for
// what is decoded at each depth, used again and again.
type work struct {
	*budget
	place [maxDepth + 1][]byte
	flate io.ReadCloser
}

func newWork(b *budget) *work { return &work{budget: b} }

// look searches bytes, and what they say when they are decoded.
func (s *Scanner) look(b []byte, left *work) (hit, bool) { return s.deeper(b, left, maxDepth) }

func (s *Scanner) deeper(b []byte, left *work, depth int) (hit, bool) {
	if name, found := s.find(b); found {
		return hit{name, "plain"}, true
	}
	if depth == 0 {
		return hit{}, false
	}
	if mayBeWide(b) {
		for way := range 4 {
			thin := narrow(b, way&1, way>>1)
			if mayBeWide(thin) { // zeros, or of four bytes a character
				continue
			}
			if h, found := s.deeper(thin, left, depth-1); found {
				return hit{h.name, "two bytes a character, " + h.form}, true
			}
		}
	}
	text := b
	if u := unescapeAll(b); len(u) != len(b) {
		text = u
		if name, found := s.find(text); found {
			return hit{name, "escaped"}, true
		}
	}
	if h, found := s.runs(text, left, depth); found {
		return h, true
	}
	if !isText(b) {
		return s.compressed(b, left, depth)
	}
	return hit{}, false
}

// mayBeWide says whether a good part of the bytes is zero.
func mayBeWide(b []byte) bool {
	n := bytes.Count(b, []byte{0})
	return n >= 6 && n >= len(b)/4
}

// narrow reads UTF-16 from a first byte, with the high byte of each unit in the first
// or the second place.
func narrow(b []byte, from, high int) []byte {
	units := make([]uint16, 0, len(b)/2)
	for i := from; i+1 < len(b); i += 2 {
		units = append(units, uint16(b[i+high])<<8|uint16(b[i+1-high]))
	}
	return []byte(string(utf16.Decode(units)))
}

func isText(b []byte) bool { return utf8.Valid(b) && bytes.IndexByte(b, 0) < 0 }

// unescapeAll takes escapes away until there are none.
func unescapeAll(b []byte) []byte {
	for range maxEscapes {
		next := unescape(b)
		if len(next) == len(b) {
			break
		}
		b = next
	}
	return b
}

// unescape takes one layer of escapes away: %41, \u0041, \x41, \n, \/, &#65;, &amp;,
// and the zeros of text of two bytes a character.
// Without one it returns what it was given.
func unescape(b []byte) []byte {
	var out []byte
	kept := 0
	for i := 0; i < len(b); {
		c := b[i]
		if c != '%' && c != '\\' && c != '&' && c != 0 {
			i++
			continue
		}
		to, length := escape(b[i:])
		if length == 0 {
			i++
			continue
		}
		if out == nil {
			out = make([]byte, 0, len(b))
		}
		out = append(append(out, b[kept:i]...), to...)
		i += length
		kept = i
	}
	if out == nil {
		return b
	}
	return append(out, b[kept:]...)
}

// escape reads the escape that a text begins with: what it stands for, and how
// long it is; 0 when it is none.
func escape(b []byte) (to []byte, length int) {
	switch {
	case b[0] == 0: // of text of two bytes a character
		return nil, 1
	case b[0] == '%':
		if n, ok := hexOf(b, 1, 2); ok {
			return []byte{byte(n)}, 3
		}
	case b[0] == '&':
		end := bytes.IndexByte(b[:min(len(b), 40)], ';')
		if end < 0 {
			return nil, 0
		}
		if u := html.UnescapeString(string(b[:end+1])); len(u) <= end {
			return []byte(u), end + 1
		}
	case len(b) < 2:
	case b[1] == 'u':
		n, ok := hexOf(b, 2, 4)
		if !ok {
			return nil, 0
		}
		if low, ok := hexOf(b, 8, 4); ok && n>>10 == 0xd800>>10 && low>>10 == 0xdc00>>10 && b[6] == '\\' {
			return utf8.AppendRune(nil, 0x10000+rune(n&0x3ff)<<10|rune(low&0x3ff)), 12
		}
		return utf8.AppendRune(nil, rune(n)), 6
	case b[1] == 'x':
		if n, ok := hexOf(b, 2, 2); ok {
			return []byte{byte(n)}, 4
		}
	case b[1] == 'n', b[1] == 'r':
		return []byte{'\n'}, 2
	case b[1] == 't':
		return []byte{'\t'}, 2
	case b[1] == '"', b[1] == '\'', b[1] == '/', b[1] == '\\':
		return b[1:2], 2
	}
	return nil, 0
}

func hexOf(b []byte, from, digits int) (n uint32, ok bool) {
	if len(b) < from+digits {
		return 0, false
	}
	for _, c := range b[from : from+digits] {
		d := nibble(c)
		if d > 15 {
			return 0, false
		}
		n = n<<4 | uint32(d)
	}
	return n, true
}

func nibble(c byte) byte {
	switch {
	case c-'0' <= 9:
		return c - '0'
	case (c|0x20)-'a' <= 5:
		return (c | 0x20) - 'a' + 10
	}
	return 0xff
}

// The classes of characters that codes are written in.
const (
	isHex = 1 << iota
	is64
)

// alphabet is the class and the value in base64, of either alphabet, of each byte.
func alphabet() (class, value [256]byte) {
	for i := range 26 {
		value['A'+i], value['a'+i] = byte(i), byte(26+i)
		class['A'+i], class['a'+i] = is64, is64
	}
	for i := range 10 {
		value['0'+i], class['0'+i] = byte(52+i), is64|isHex
	}
	for i := range 6 {
		class['A'+i] |= isHex
		class['a'+i] |= isHex
	}
	for _, c := range []byte("+-") {
		value[c], class[c] = 62, is64
	}
	for _, c := range []byte("/_") {
		value[c], class[c] = 63, is64
	}
	return class, value
}

// runs decodes what may be base64 or hexadecimal.
func (s *Scanner) runs(b []byte, left *work, depth int) (hit, bool) {
	class, value := &s.class, &s.value
	for i := 0; i < len(b); i++ {
		if class[b[i]]&is64 == 0 {
			continue
		}
		from, hexes := i, true
		lines := 0
		for ; i < len(b); i++ {
			c := class[b[i]]
			if c&is64 == 0 {
				// A line that ends after a long run of base64 does not end the run.
				if (b[i] == '\n' || b[i] == '\r') && i-from >= 60 {
					lines++
					continue
				}
				break
			}
			hexes = hexes && c&isHex != 0
		}
		run := b[from:i]
		if len(run) < 8 {
			continue
		}
		if lines > 0 {
			run = bytes.ReplaceAll(bytes.ReplaceAll(run, []byte("\n"), nil), []byte("\r"), nil)
		}
		if hexes && len(run) >= 12 {
			for odd := range 2 {
				left.place[depth] = fromHex(left.place[depth][:0], run[odd:])
				if h, found := s.decoded(left.place[depth], left, depth); found {
					return hit{h.name, "hexadecimal, " + h.form}, true
				}
			}
		}
		for shift := range 4 {
			left.place[depth] = from64(left.place[depth][:0], run[shift:], value)
			h, found := s.decoded(left.place[depth], left, depth)
			if !found && shift == 0 {
				h, found = s.deflated(left.place[depth], left, depth)
			}
			if found {
				return hit{h.name, "base64, " + h.form}, true
			}
		}
	}
	return hit{}, false
}

// decoded searches what a run says. Most runs are words, and decode to noise:
// only what may say something is decoded further.
func (s *Scanner) decoded(b []byte, left *work, depth int) (hit, bool) {
	if name, found := s.find(b); found {
		return hit{name, "plain"}, true
	}
	if !telling(b) {
		return hit{}, false
	}
	return s.deeper(b, left, depth-1)
}

// telling says whether bytes may be a text, or something compressed.
func telling(b []byte) bool {
	if len(b) < 8 {
		return false
	}
	if b[0] == 0x1f && b[1] == 0x8b || b[0] == 'P' && b[1] == 'K' || b[0] == '%' && b[1] == 'P' || zlibBegins(b) {
		return true
	}
	strange := 0
	for _, c := range b[:min(len(b), 64)] {
		if c >= 0x7f || c < ' ' && c != '\n' && c != '\r' && c != '\t' && c != 0 {
			strange++
		}
	}
	return strange <= min(len(b), 64)/3 // accents are two bytes
}

func zlibBegins(b []byte) bool {
	return len(b) > 2 && b[0] == 0x78 && (uint(b[0])<<8|uint(b[1]))%31 == 0 && b[1]&0x20 == 0
}

func fromHex(out, run []byte) []byte {
	for ; len(run) >= 2; run = run[2:] {
		out = append(out, nibble(run[0])<<4|nibble(run[1]))
	}
	return out
}

func from64(out, run []byte, value *[256]byte) []byte {
	for ; len(run) >= 4; run = run[4:] {
		n := uint32(value[run[0]])<<18 | uint32(value[run[1]])<<12 | uint32(value[run[2]])<<6 | uint32(value[run[3]])
		out = append(out, byte(n>>16), byte(n>>8), byte(n))
	}
	switch len(run) {
	case 3:
		out = append(out, value[run[0]]<<2|value[run[1]]>>4, value[run[1]]<<4|value[run[2]]>>2)
	case 2:
		out = append(out, value[run[0]]<<2|value[run[1]]>>4)
	}
	return out
}

// compressed searches what bytes hold in compressed form: an archive as a whole,
// and streams that begin anywhere in them, as those of a PDF do.
func (s *Scanner) compressed(b []byte, left *work, depth int) (hit, bool) {
	if bytes.HasPrefix(b, []byte("PK")) {
		if h, found := s.archive(b, left, depth); found {
			return h, true
		}
	}
	for i := 0; i+8 < len(b) && left.left() > 0; i++ {
		var in io.Reader
		var err error
		form := "zlib, "
		switch {
		case b[i] == 0x1f && b[i+1] == 0x8b && b[i+2] == 8:
			in, err = gzip.NewReader(bytes.NewReader(b[i:]))
			form = "gzip, "
		case zlibBegins(b[i:]):
			in, err = zlib.NewReader(bytes.NewReader(b[i:]))
		}
		if in == nil || err != nil {
			continue
		}
		if h, found := s.deeper(left.read(in), left, depth-1); found {
			return hit{h.name, form + h.form}, true
		}
	}
	return hit{}, false
}

// leastDeflated is the least, in bytes, that is tried as RFC 1951 has it: a shorter
// one holds no secret that its own bytes do not show.
const leastDeflated = 20

// deflated tries what was decoded as RFC 1951: it has no mark of its own.
func (s *Scanner) deflated(b []byte, left *work, depth int) (hit, bool) {
	if len(b) < leastDeflated || b[0]>>1&3 == 3 || left.left() <= 0 {
		return hit{}, false
	}
	h, found := s.deeper(left.read(left.inflate(b)), left, depth-1)
	h.form = "deflate, " + h.form
	return h, found
}

// inflate reads RFC 1951, with one reader for all: making one costs 40 KiB.
func (w *work) inflate(b []byte) io.Reader {
	if w.flate == nil {
		w.flate = flate.NewReader(bytes.NewReader(b))
	} else if r, ok := w.flate.(flate.Resetter); ok {
		_ = r.Reset(bytes.NewReader(b), nil) // never fails without a dictionary
	}
	return w.flate
}

func (s *Scanner) archive(b []byte, left *work, depth int) (hit, bool) {
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return hit{}, false
	}
	for _, f := range z.File {
		if h, found := s.deeper([]byte(f.Name), left, 1); found {
			return hit{h.name, "name in an archive, " + h.form}, true
		}
		in, err := f.Open()
		if err != nil {
			continue
		}
		h, found := s.deeper(left.read(in), left, depth-1)
		_ = in.Close()
		if found {
			return hit{h.name, "archive, " + h.form}, true
		}
	}
	return hit{}, false
}

// read reads what can be read: what came before a stream broke counts.
func (b *budget) read(in io.Reader) []byte {
	out, _ := io.ReadAll(io.LimitReader(in, max(0, b.left())))
	b.spent.Add(int64(len(out)))
	return out
}
