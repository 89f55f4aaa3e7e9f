package html

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/etalon-sante/etalon/reports"
	"github.com/etalon-sante/etalon/reports/words"
)

// markup is markup of ours. Only constants turn into it by themselves, so that
// what a report holds cannot be written without being escaped.
type markup string

// sheet writes the many rows of a page. A template would do, but most of a page is
// rows: by hand they take a tenth of the time (BenchmarkAThousandRequirements).
type sheet struct {
	b    strings.Builder
	l    words.Lang
	said said
}

// raw writes markup of ours.
func (s *sheet) raw(parts ...markup) {
	for _, p := range parts {
		s.b.WriteString(string(p))
	}
}

// text writes what was observed or given, as it is. Between tags a quotation mark
// is no markup; inside a tag attr writes.
func (s *sheet) text(v string) { s.escaped(v, "&<>") }

func (s *sheet) escaped(v, special string) {
	for {
		i := strings.IndexAny(v, special)
		if i < 0 {
			s.b.WriteString(v)
			return
		}
		s.b.WriteString(v[:i])
		switch v[i] {
		case '&':
			s.b.WriteString("&amp;")
		case '<':
			s.b.WriteString("&lt;")
		case '>':
			s.b.WriteString("&gt;")
		default:
			s.b.WriteString("&#34;")
		}
		v = v[i+1:]
	}
}

// code writes what was observed as a piece of code.
func (s *sheet) code(v string) {
	s.raw("<code>")
	s.text(v)
	s.raw("</code>")
}

// attr writes an attribute: its value is quoted, but where it is of letters, digits
// and the signs of our own anchors alone.
func (s *sheet) attr(name markup, value string) {
	s.raw(" ", name, "=")
	if bare(value) {
		s.b.WriteString(value)
		return
	}
	s.raw(`"`)
	s.escaped(value, "&<>\"")
	s.raw(`"`)
}

func bare(value string) bool {
	for i := range len(value) {
		switch c := value[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '.', c == '#':
		default:
			return false
		}
	}
	return value != ""
}

// t writes a sentence of ours.
func (s *sheet) t(fr, en string) { s.text(s.said.t(fr, en)) }

// label writes a sentence of ours with the sign that leads to what follows.
func (s *sheet) label(fr, en string) {
	s.raw("<b>")
	s.t(fr, en)
	s.raw("</b>")
	s.t(" : ", ": ")
}

// prose writes a text of the report in the language of the page.
func (s *sheet) prose(t reports.Text) { s.text(s.l.Typeset(s.l.Of(t))) }

// name writes what a code is called.
func (s *sheet) name(kind, code string) { s.text(s.said.name(kind, code)) }

func (s *sheet) number(n int) { s.b.WriteString(strconv.Itoa(n)) }

// said remembers the sentences of ours that a page says over and over, typeset.
type said struct {
	l   words.Lang
	all map[[2]string]string
}

func newSaid(l words.Lang) said { return said{l: l, all: map[[2]string]string{}} }

// t is a sentence of ours in the language of the page.
func (s said) t(fr, en string) string {
	v, ok := s.all[[2]string{fr, en}]
	if !ok {
		v = s.l.Typeset(s.l.Pick(fr, en))
		s.all[[2]string{fr, en}] = v
	}
	return v
}

// name is what a code is called.
func (s said) name(kind, code string) string {
	key := [2]string{"name:" + kind, code}
	v, ok := s.all[key]
	if !ok {
		v = s.l.Typeset(s.l.Name(kind, code))
		s.all[key] = v
	}
	return v
}

// visible shows the characters that are not to be seen: those that turn the
// direction of a text, so that it reads as something else, and those that steer a
// terminal. Nothing of ours holds one, so it is done once, to the whole page.
func visible(page string) string {
	if !mayHide(page) {
		return page
	}
	return strings.Map(func(r rune) rune {
		if unseen(r) {
			return '\ufffd'
		}
		return r
	}, page)
}

// mayHide says quickly whether a page may hold such a character: few of its bytes
// are control characters or begin one that is not a letter of Latin.
func mayHide(page string) bool {
	for i := 0; i < len(page); i++ {
		switch c := page[i]; {
		case c >= ' ' && c < 0x7f, c == '\n', c >= 0x80 && c < 0xc2, c == 0xc3:
		default:
			if r, _ := utf8.DecodeRuneInString(page[i:]); unseen(r) {
				return true
			}
		}
	}
	return false
}

// unseen are the characters of control and of format (Unicode, classes Cc and Cf)
// but for what lays lines out and joins letters within a word.
func unseen(r rune) bool {
	switch {
	case r < ' ':
		return r != '\n' && r != '\t' && r != '\r'
	case r < 0x7f:
		return false
	case r < 0xa0:
		return true
	case r == 0xad, r == 0x200c, r == 0x200d, r == '\ufffd':
		return false
	}
	return unicode.Is(unicode.Cf, r)
}
