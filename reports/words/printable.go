package words

import (
	"strings"
	"unicode"
)

// Printable keeps text of anyone from steering a terminal: no control, nothing that
// turns or hides the text around it, one line.
func Printable(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsControl(r), r == '\u2028', r == '\u2029':
			return ' '
		case unicode.Is(unicode.Bidi_Control, r), r == '\ufeff', r == '\u200b':
			return -1
		}
		return r
	}, s)
}
