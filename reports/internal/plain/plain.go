// Package plain makes text of others harmless where a format would take it as
// more than text: a terminal, a spreadsheet, an XML parser, a reader who trusts
// the order of what he sees. Nothing is dropped in silence: what cannot stay is
// replaced by something that shows it was there.
package plain

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// Text is s without control characters but line feeds and tabs, in valid UTF-8.
// A control character becomes its picture (ESC is ␛), one that turns the order
// of reading its number in square brackets, what is no character U+FFFD.
func Text(s string) string { return clean(s, true) }

// Line is Text on one line: line feeds and tabs become spaces.
func Line(s string) string { return clean(s, false) }

func clean(s string, lines bool) string {
	i := 0
	for i < len(s) {
		if s[i] >= ' ' && s[i] < 0x7f || lines && (s[i] == '\n' || s[i] == '\t') {
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		if r < 0xa0 || n == 1 || noCharacter(r) || turns(r) || r == '\u2028' || r == '\u2029' {
			break
		}
		i += n
	}
	if i == len(s) {
		return s
	}
	var b strings.Builder
	b.Grow(len(s) + 8)
	b.WriteString(s[:i])
	for i < len(s) {
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && n == 1:
			b.WriteRune(utf8.RuneError)
		case r == '\r' && strings.HasPrefix(s[i+1:], "\n"):
			// the line feed says it
		case r == '\n' || r == '\t':
			if lines {
				b.WriteRune(r)
			} else {
				b.WriteByte(' ')
			}
		case r < ' ':
			b.WriteRune('\u2400' + r)
		case r == 0x7f:
			b.WriteRune('\u2421')
		case r < 0xa0, noCharacter(r):
			if r < 0x7f {
				b.WriteRune(r)
			} else {
				b.WriteRune(utf8.RuneError)
			}
		case turns(r):
			b.WriteString("[U+" + strings.ToUpper(strconv.FormatInt(int64(r), 16)) + "]")
		case r == '\u2028' || r == '\u2029':
			if lines {
				b.WriteByte('\n')
			} else {
				b.WriteByte(' ')
			}
		default:
			b.WriteString(s[i : i+n])
		}
		i += n
	}
	return b.String()
}

// noCharacter says whether Unicode gives the number to no character, for ever.
func noCharacter(r rune) bool { return r&0xfffe == 0xfffe || r >= 0xfdd0 && r <= 0xfdef }

// turns says whether a character changes the order in which others are shown
// (Unicode UAX 9, explicit directional formatting).
func turns(r rune) bool {
	return r >= '\u202a' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069' || r == '\u200e' || r == '\u200f' || r == '\u061c'
}

// Cut is at most n bytes of s, ending with an ellipsis where something was left
// out, never within a character.
func Cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	end := max(n-len("…"), 0)
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + "…"
}
