package record

import (
	"html"
	"sort"
	"strings"
	"unicode/utf8"
)

// maxEscapes is how many times a text may have been escaped, one way within
// another: JSON in a page in JSON, %2525.
const maxEscapes = 4

// maxEntity is the longest entity of HTML, in bytes (a name has at most 31).
const maxEntity = 34

// plain is a text without its escapes; from[i] is where byte i of it began in the
// text it was made of, from[len] where that ended. from is nil where nobody asked.
type plain struct {
	text string
	from []int
}

// unescape takes percent-encoding, the escapes of JSON, those of HTML and zeros out of
// a text, as often as they were put on, and remembers where each byte came from when
// it is asked to; ok is false when there are none.
func unescape(s string, places bool) (out plain, ok bool) {
	out = plain{text: s}
	for range maxEscapes {
		next, changed := unescapeOnce(out, places)
		if !changed {
			break
		}
		out, ok = next, true
	}
	return out, ok
}

func unescapeOnce(in plain, places bool) (plain, bool) {
	s := in.text
	var text []byte
	var from []int
	copied := 0
	note := func(upTo int) { // where the bytes that are copied came from
		for k := copied; places && k < upTo; k++ {
			from = append(from, in.at(k))
		}
	}
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c != '%' && c != '\\' && c != '&' && c != 0 {
			continue
		}
		var to string
		var length int
		switch c {
		case 0: // of text of two bytes a character
			length = 1
		case '%':
			to, length = percent(s[i:])
		case '\\':
			to, length = backslash(s[i:])
		default:
			to, length = entity(s[i:])
		}
		if length == 0 {
			continue
		}
		if text == nil {
			text = make([]byte, 0, len(s))
		}
		text = append(text, s[copied:i]...)
		note(i)
		text = append(text, to...)
		for range len(to) {
			if places {
				from = append(from, in.at(i))
			}
		}
		i += length - 1
		copied = i + 1
	}
	if text == nil {
		return in, false
	}
	text = append(text, s[copied:]...)
	note(len(s) + 1)
	return plain{string(text), from}, true
}

func (p plain) at(i int) int {
	if p.from == nil {
		return i
	}
	return p.from[i]
}

// source is what part of the original text a part of the plain one was made of.
func (p plain) source(s span) span {
	to := p.from[s.to]
	// Escapes of several bytes give several places the same beginning.
	for end := s.to; to <= p.from[s.to-1] && end < len(p.text); end++ {
		to = p.from[end+1]
	}
	return span{p.from[s.from], to, s.name}
}

// sources are where places of the plain text came from, in order, none over another.
func (p plain) sources(places []span) []span {
	sort.SliceStable(places, func(i, j int) bool { return places[i].from < places[j].from })
	last := 0
	out := places[:0]
	for _, x := range places {
		if x = p.source(x); x.from >= last {
			out, last = append(out, x), x.to
		}
	}
	return out
}

func percent(s string) (string, int) {
	if len(s) < 3 {
		return "", 0
	}
	hi, lo := digit(s[1]), digit(s[2])
	if hi < 0 || lo < 0 {
		return "", 0
	}
	return string([]byte{byte(hi<<4 | lo)}), 3
}

func backslash(s string) (string, int) {
	if len(s) < 2 {
		return "", 0
	}
	switch s[1] {
	case '"', '\\', '/':
		return s[1:2], 2
	case 'n':
		return "\n", 2
	case 'r':
		return "\r", 2
	case 't':
		return "\t", 2
	case 'u':
		n, ok := number(s[2:], 4)
		if !ok {
			return "", 0
		}
		if 0xd800 <= n && n < 0xdc00 && strings.HasPrefix(s[6:], `\u`) {
			if low, ok := number(s[8:], 4); ok && 0xdc00 <= low && low < 0xe000 {
				return string(0x10000 + (n-0xd800)<<10 + (low - 0xdc00)), 12
			}
		}
		return string(n), 6
	case 'x':
		n, ok := number(s[2:], 2)
		if !ok {
			return "", 0
		}
		return string([]byte{byte(n)}), 4
	}
	return "", 0
}

func entity(s string) (string, int) {
	end := strings.IndexByte(s[:min(len(s), maxEntity)], ';')
	if end < 2 {
		return "", 0
	}
	to := html.UnescapeString(s[:end+1])
	if to == s[:end+1] || !utf8.ValidString(to) {
		return "", 0
	}
	return to, end + 1
}

func number(s string, digits int) (rune, bool) {
	if len(s) < digits {
		return 0, false
	}
	var n rune
	for i := range digits {
		d := digit(s[i])
		if d < 0 {
			return 0, false
		}
		n = n<<4 | rune(d)
	}
	return n, true
}

func digit(b byte) int {
	switch {
	case '0' <= b && b <= '9':
		return int(b - '0')
	case 'a' <= b && b <= 'f':
		return int(b-'a') + 10
	case 'A' <= b && b <= 'F':
		return int(b-'A') + 10
	}
	return -1
}
