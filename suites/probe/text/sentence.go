package text

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// tidy makes one line of a text, without what a reader does not see: control
// characters, so that nothing of a page reaches a terminal; those that turn the
// direction of writing; those of no width, with which words can be broken unseen.
// Spaces that do not break stay, as French writes them.
func tidy(s string) string {
	var b strings.Builder
	b.Grow(len(s))
	space := false
	for _, c := range s {
		switch {
		case c == utf8.RuneError, c == '\u00AD', c >= '\u200B' && c <= '\u200F', c >= '\u202A' && c <= '\u202E', c >= '\u2060' && c <= '\u206F', c == '\uFEFF':
			continue
		case c == '\u00A0' || c == '\u202F':
			if space {
				continue
			}
			b.WriteRune(c)
			space = true
			continue
		case unicode.IsSpace(c):
			if !space {
				b.WriteByte(' ')
			}
			space = true
			continue
		case unicode.IsControl(c), unicode.Is(unicode.Co, c):
			continue
		}
		space = false
		b.WriteRune(c)
	}
	return b.String()
}

// abbreviations end with a dot that ends no sentence.
func abbreviations() []string {
	return []string{"art.", "m.", "mme.", "dr.", "pr.", "n.", "no.", "tel.", "tél.", "cf.", "etc.", "ex.", "p.", "al.", "s.a.", "s.a.s.", "r.c.s.", "l.", "r.", "av.", "bd.", "st.", "ste.", "min.", "max."}
}

// split makes sentences of one line of text. A long one is cut at a space.
func split(line string) []string {
	var out []string
	start := 0
	for i, c := range line {
		if c != '.' && c != '!' && c != '?' && c != '…' {
			continue
		}
		after := line[i+utf8.RuneLen(c):]
		next, _ := utf8.DecodeRuneInString(after)
		if after != "" && !unicode.IsSpace(next) && next != '»' && next != '"' && next != '”' {
			continue // a decimal point, an address
		}
		if c == '.' && abbreviated(line[start:i+1], after) {
			continue
		}
		end := i + utf8.RuneLen(c)
		for _, close := range []string{"\u00A0»", " »", "»", "”", "\""} {
			if strings.HasPrefix(line[end:], close) {
				end += len(close)
				break
			}
		}
		if end <= start {
			continue
		}
		out = append(out, pieces(line[start:end])...)
		start = end
	}
	if start < len(line) {
		out = append(out, pieces(line[start:])...)
	}
	return out
}

func abbreviated(so, after string) bool {
	so = so[max(0, len(so)-80):] // the last word is enough, and is short
	so = so[strings.LastIndexFunc(so, unicode.IsSpace)+1:]
	if so == "" {
		return true
	}
	last := strings.ToLower(strings.TrimLeft(so, "(«"))
	if slices.Contains(abbreviations(), last) {
		return true
	}
	if utf8.RuneCountInString(last) == 2 && unicode.IsLetter([]rune(last)[0]) {
		return true // an initial
	}
	// A sentence begins with a capital or a figure; a small letter goes on.
	next, _ := utf8.DecodeRuneInString(strings.TrimLeftFunc(after[:min(len(after), 40)], unicode.IsSpace))
	return unicode.IsLower(next)
}

func pieces(s string) []string {
	s = strings.TrimSpace(s)
	if s == "" {
		return nil
	}
	if utf8.RuneCountInString(s) <= maxSentence {
		return []string{s}
	}
	var out []string
	runes := []rune(s)
	for len(runes) > maxSentence {
		at := maxSentence
		for i := maxSentence; i > maxSentence/2; i-- {
			if unicode.IsSpace(runes[i]) {
				at = i
				break
			}
		}
		out = append(out, strings.TrimSpace(string(runes[:at])))
		runes = runes[at:]
	}
	if rest := strings.TrimSpace(string(runes)); rest != "" {
		out = append(out, rest)
	}
	return out
}

// paragraphs reads a plain text, as pdftotext writes it: lines are joined, a blank
// line ends a paragraph, a dash or a dot begins an item.
func paragraphs(s string) content {
	r := &reading{out: content{sentences: []Sentence{}}}
	for raw := range strings.Lines(s) {
		l := strings.TrimSpace(tidy(raw))
		item := strings.HasPrefix(l, "- ") || strings.HasPrefix(l, "• ") || strings.HasPrefix(l, "– ")
		switch {
		case l == "":
			r.flush()
			r.item = 0
			continue
		case item:
			r.flush()
			r.item = 1
			l = strings.TrimSpace(strings.TrimLeft(l, "-•– "))
		}
		if r.buf.Len() > 0 && !r.cutWord {
			r.buf.WriteByte(' ')
		}
		// A word is cut at the end of its line.
		if r.cutWord = len(l) > 1 && strings.HasSuffix(l, "-") && !strings.HasSuffix(l, " -"); r.cutWord {
			l = strings.TrimSuffix(l, "-")
		}
		r.text(l)
		if r.out.cut {
			break
		}
	}
	r.flush()
	r.settle()
	return r.out
}
