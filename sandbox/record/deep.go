package record

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"io"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/andybalholm/brotli"
)

// maxDepth is how many encodings may stand one within another.
const maxDepth = 4

// maxInflated bounds, in bytes, what is read of something compressed.
const maxInflated = 4 << 20

// minRun is the shortest base64 that is decoded, in characters: nothing of use is
// encoded twice in less.
const minRun = 16

// minDeflated is the shortest base64, in characters, that is tried as something
// compressed that bears no mark.
const minDeflated = 28

// redact replaces every secret in s. Who calls it holds the lock.
func (r *Redactor) redact(s string) string {
	s = replace(s, r.spans(s))
	p, escaped := unescape(s, false)
	if !escaped {
		s = replace(s, r.encodings(s))
		if name := r.wide(s, maxDepth); name != "" {
			return "«" + name + "»"
		}
		return s
	}
	// Where each byte came from is only worked out when there is something to find.
	within, encoded := r.spans(p.text), r.encodings(p.text)
	if len(within)+len(encoded) > 0 {
		p, _ = unescape(s, true)
		s = replace(s, p.sources(append(within, encoded...)))
	}
	if name := r.wide(p.text, maxDepth); name != "" {
		return "«" + name + "»"
	}
	return s
}

// encodings are the places of base64 that hold a secret, encoded once more.
func (r *Redactor) encodings(s string) []span {
	var out []span
	for from, to := range runs(s) {
		if name := r.withinBase64(s[from:to], maxDepth); name != "" {
			out = append(out, span{from, to, name})
		}
	}
	return out
}

// holds returns the name of a secret that stands in s, in any form, or "".
func (r *Redactor) holds(s string, depth int) string {
	if name := r.within(s); name != "" || depth == 0 {
		return name
	}
	if p, ok := unescape(s, false); ok {
		if name := r.holds(p.text, depth-1); name != "" {
			return name
		}
	}
	for from, to := range runs(s) {
		if name := r.withinBase64(s[from:to], depth); name != "" {
			return name
		}
	}
	if name := r.wide(s, depth); name != "" {
		return name
	}
	return r.inflated(s, depth)
}

// within returns the name of a secret that stands in s without being decoded, or "".
func (r *Redactor) within(s string) string {
	n, _, _ := r.next(s, 0)
	return n.name
}

// wide looks into text of two bytes a character, of which one is zero.
func (r *Redactor) wide(s string, depth int) string {
	if !mayBeWide(s) {
		return ""
	}
	for way := range 4 {
		from, high := way&1, way>>1
		units := make([]uint16, 0, len(s)/2)
		for i := from; i+1 < len(s); i += 2 {
			units = append(units, uint16(s[i+high])<<8|uint16(s[i+1-high]))
		}
		thin := string(utf16.Decode(units))
		if mayBeWide(thin) {
			continue // nothing but zeros
		}
		if name := r.holds(thin, depth-1); name != "" {
			return name
		}
	}
	return ""
}

func mayBeWide(s string) bool {
	n := strings.Count(s, "\x00")
	return n >= MinSecret && n >= len(s)/4
}

// runs are the parts of a text that may be base64, of either alphabet; what ends
// a line within one, as in mail and certificates, belongs to it.
func runs(s string) func(yield func(from, to int) bool) {
	return func(yield func(from, to int) bool) {
		for i := 0; i < len(s); {
			if !inBase64(s[i]) {
				i++
				continue
			}
			from, line := i, i
			for i < len(s) {
				if inBase64(s[i]) {
					i++
					continue
				}
				// A line of base64 is long, and the same character ends every line.
				next := i
				for next < len(s) && (s[next] == '\n' || s[next] == '\r') {
					next++
				}
				if next == i || i-line < 60 || next == len(s) || !inBase64(s[next]) {
					break
				}
				i, line = next, next
			}
			if i-from >= minRun && !yield(from, i) {
				return
			}
		}
	}
}

func inBase64(b byte) bool {
	return 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z' || '0' <= b && b <= '9' || b == '+' || b == '/' || b == '-' || b == '_'
}

// withinBase64 looks into base64, from each of the four places where a quantum of
// it may begin. A secret that stands there as it is was found by its forms; here
// are those that are encoded once more.
func (r *Redactor) withinBase64(run string, depth int) string {
	if strings.ContainsAny(run, "\r\n") {
		run = strings.NewReplacer("\n", "", "\r", "").Replace(run)
	}
	var head [24]byte
	for shift := range 4 {
		if len(run)-shift < minRun-4 {
			break
		}
		part := run[shift:]
		if !telling(head[:fromBase64(head[:], part[:min(len(part), 32)])]) {
			continue
		}
		data := make([]byte, len(part)/4*3+2)
		if name := r.holds(string(data[:fromBase64(data, part)]), depth-1); name != "" {
			return name
		}
	}
	if len(run) < minDeflated {
		return ""
	}
	// RFC 1951 has no mark of its own; its first block says of which of three kinds it is.
	data := make([]byte, len(run)/4*3+2)
	data = data[:fromBase64(data, run)]
	if data[0]>>1&3 == 3 {
		return ""
	}
	// Making a reader costs 40 KiB, and most of what is tried here is no such thing.
	reader, _ := r.readers.Get().(io.ReadCloser)
	if reader == nil {
		reader = flate.NewReader(nil)
	}
	defer r.readers.Put(reader)
	name, _ := r.unpacked(string(data), func(in io.Reader) (io.Reader, error) {
		return reader, reader.(flate.Resetter).Reset(in, nil) //nolint:forcetypeassert // documented by flate
	}, maxInflated, depth)
	return name
}

// fromBase64 decodes either alphabet, of which text holds nothing else, into a
// place that is large enough, and returns how many bytes there are.
func fromBase64(to []byte, text string) int {
	var bits uint32
	n := 0
	for i := range len(text) {
		bits = bits<<6 | uint32(sextet(text[i]))
		if i&3 == 3 {
			to[n], to[n+1], to[n+2] = byte(bits>>16), byte(bits>>8), byte(bits)
			n += 3
		}
	}
	switch len(text) & 3 {
	case 2:
		to[n] = byte(bits >> 4)
		n++
	case 3:
		to[n], to[n+1] = byte(bits>>10), byte(bits>>2)
		n += 2
	}
	return n
}

func sextet(b byte) byte {
	switch {
	case b >= 'a':
		return b - 'a' + 26
	case b == '_':
		return 63
	case b >= 'A':
		return b - 'A'
	case b >= '0':
		return b - '0' + 52
	case b == '+' || b == '-':
		return 62
	}
	return 63 // "/"
}

// telling says whether bytes may be the beginning of a text, or of something
// compressed; most words that look like base64 decode to neither.
func telling(head []byte) bool {
	if compressed(head) {
		return true
	}
	odd := 0
	for _, b := range head {
		if b < ' ' && b != '\n' && b != '\r' && b != '\t' && b != 0 || b == 0x7f {
			if odd++; odd > len(head)/8 {
				return false
			}
		}
	}
	// The last character may be cut.
	return bytes.IndexByte(head, 0) >= 0 || utf8.Valid(head) || utf8.Valid(head[:max(0, len(head)-1)]) ||
		utf8.Valid(head[:max(0, len(head)-2)]) || utf8.Valid(head[:max(0, len(head)-3)])
}

// compressed says whether data begins as gzip, zlib, a ZIP archive or a PDF does.
func compressed(b []byte) bool {
	return len(b) > 4 && (b[0] == 0x1f && b[1] == 0x8b || string(b[:4]) == "PK\x03\x04" || string(b[:4]) == "%PDF" || zlibHead(b[0], b[1]))
}

// zlibHead follows RFC 1950, 2.2: method 8, a window of at most 32 KiB, a multiple
// of 31, no dictionary.
func zlibHead(cmf, flg byte) bool {
	return cmf&0x8f == 0x08 && (int(cmf)<<8|int(flg))%31 == 0 && flg&0x20 == 0
}

// inflated looks into what is compressed within bytes: streams that begin
// anywhere, as those of a PDF or an archive do.
func (r *Redactor) inflated(s string, depth int) string {
	if utf8.ValidString(s) && !strings.Contains(s, "\x00") {
		return "" // text
	}
	left := maxInflated
	for i := 0; i+8 < len(s) && left > 0; i++ {
		var open func(io.Reader) (io.Reader, error)
		at := i
		switch {
		case s[i] == 0x1f && s[i+1] == 0x8b:
			open = func(in io.Reader) (io.Reader, error) { return gzip.NewReader(in) }
		case s[i] == 'P' && strings.HasPrefix(s[i:], "PK\x03\x04") && len(s) > i+30:
			at = i + 30 + int(s[i+26]) + int(s[i+27])<<8 + int(s[i+28]) + int(s[i+29])<<8
			open = func(in io.Reader) (io.Reader, error) { return flate.NewReader(in), nil }
		case s[i] == 0x78 && zlibHead(s[i], s[i+1]):
			open = func(in io.Reader) (io.Reader, error) { return zlib.NewReader(in) }
		}
		if open == nil || at >= len(s) {
			continue
		}
		name, size := r.unpacked(s[at:], open, left, depth)
		if name != "" {
			return name
		}
		left -= size
	}
	return ""
}

func (r *Redactor) unpacked(s string, open func(io.Reader) (io.Reader, error), most, depth int) (name string, size int) {
	in, err := open(strings.NewReader(s))
	if err != nil {
		return "", 0
	}
	data, _ := io.ReadAll(io.LimitReader(in, int64(most))) // what could be read before it broke counts
	return r.holds(string(data), depth-1), len(data)
}

// HoldsBody returns the name of a secret that stands in the bytes of a body, also
// where they are compressed, by a method (Content-Encoding) that is named, or "".
func (r *Redactor) HoldsBody(data []byte, encoding string) string {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if name := r.holds(string(data), maxDepth); name != "" {
		return name
	}
	var open func(io.Reader) (io.Reader, error)
	switch strings.ToLower(strings.TrimSpace(encoding)) {
	case "br":
		open = func(in io.Reader) (io.Reader, error) { return brotli.NewReader(in), nil }
	case "deflate": // some send it without the envelope of RFC 1950
		open = func(in io.Reader) (io.Reader, error) { return flate.NewReader(in), nil }
	default:
		return ""
	}
	name, _ := r.unpacked(string(data), open, maxInflated, maxDepth)
	return name
}
