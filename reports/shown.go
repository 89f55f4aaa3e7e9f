package reports

import (
	"bytes"
	"fmt"
	"unicode/utf8"

	texts "github.com/etalon-sante/etalon/reports/internal/plain"
)

// Shown returns the normal form of a report with texts that a reader shows and
// does not obey: no control characters, none that turns the order of reading,
// valid UTF-8. Every writer for people or for tools of others begins with it;
// report.json alone keeps each character, escaped.
func Shown(r Report) Report { return texts.Deep(Normal(r)) }

// Line is a text of others on one line, shown and not obeyed.
func Line(s string) string { return texts.Line(s) }

// escaped writes, in the bytes of a JSON document, as escapes the characters that
// JSON allows and a terminal or a reader would obey: DEL, the C1 controls, and
// those that turn the order of reading.
func escaped(b []byte) []byte {
	var out bytes.Buffer
	last := 0
	for i := 0; i < len(b); {
		if b[i] < 0x7f {
			i++
			continue
		}
		r, n := utf8.DecodeRune(b[i:])
		if r < 0xa0 || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 || r == 0x200e || r == 0x200f || r == 0x061c {
			out.Write(b[last:i])
			fmt.Fprintf(&out, `\u%04x`, r)
			last = i + n
		}
		i += n
	}
	if last == 0 {
		return b
	}
	out.Write(b[last:])
	return out.Bytes()
}
