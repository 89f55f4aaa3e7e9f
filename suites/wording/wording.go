// Package wording recognises, in French texts that services publish, what they
// must say. It works on sentences, and gives back sentences: what it recognises is
// shown to a person, and proves nothing by itself. What must be said is given as
// tables of word beginnings; nothing here is a regular expression that a text could
// exhaust.
package wording

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Sentence is one sentence of a document, and where it stands.
type Sentence struct {
	Text string `json:"text"`
	Lead string `json:"lead,omitempty"` // the words that a list begins with: "The service does not allow:"
	Head string `json:"head,omitempty"` // the heading above
	// Around says that it stands in what surrounds a page's content: its header,
	// its navigation, its footer.
	Around bool `json:"around,omitempty"`
	// Heading says that it is one: it announces, and says nothing yet.
	Heading bool `json:"heading,omitempty"`
}

// Fold makes a text comparable: small letters without accents, straight
// apostrophes, plain dashes and single spaces.
func Fold(s string) string {
	var b strings.Builder
	b.Grow(len(s))
	space := true
	for _, c := range s {
		switch {
		case c < 0x80:
		case c == '’' || c == '‘' || c == 'ʼ' || c == '´':
			c = '\''
		case c == '–' || c == '—' || c == '‑' || c == '−' || c == '‐':
			c = '-'
		case c == 'œ' || c == 'Œ':
			b.WriteString("oe")
			space = false
			continue
		case c == 'æ' || c == 'Æ':
			b.WriteString("ae")
			space = false
			continue
		default:
			if c = plain(c); c == 0 {
				continue
			}
		}
		switch {
		case c == '`':
			c = '\''
		case c == ' ' || c == '\n' || c == '\t' || c == '\r' || c >= 0x80 && unicode.IsSpace(c):
			if !space {
				b.WriteByte(' ')
			}
			space = true
			continue
		}
		space = false
		if c < 0x80 {
			if 'A' <= c && c <= 'Z' {
				c += 'a' - 'A'
			}
			b.WriteByte(byte(c))
			continue
		}
		b.WriteRune(unicode.ToLower(c))
	}
	return strings.TrimSpace(b.String())
}

// plain is a character without its accents; 0 for an accent alone. Those of French
// are known, the others are looked up.
func plain(c rune) rune {
	switch c {
	case 'é', 'è', 'ê', 'ë', 'É', 'È', 'Ê', 'Ë':
		return 'e'
	case 'à', 'â', 'ä', 'À', 'Â', 'Ä':
		return 'a'
	case 'î', 'ï', 'Î', 'Ï':
		return 'i'
	case 'ô', 'ö', 'Ô', 'Ö':
		return 'o'
	case 'ù', 'û', 'ü', 'Ù', 'Û', 'Ü':
		return 'u'
	case 'ç', 'Ç':
		return 'c'
	case '\u00a0', '\u202f':
		return ' '
	case '«', '»', '€', '°', '·', '…', '•', '“', '”':
		return c
	}
	if unicode.Is(unicode.Mn, c) {
		return 0
	}
	for _, d := range norm.NFKD.String(string(c)) {
		return d
	}
	return c
}

// HasAny says whether a folded text has a word that begins so. A stem that ends
// with "_" is a whole word; one that begins with "*" may stand anywhere.
func HasAny(folded string, stems ...string) bool {
	for _, s := range stems {
		if at(folded, s) >= 0 {
			return true
		}
	}
	return false
}

// at gives where a stem stands in a folded text, -1 when it does not.
func at(folded, stem string) int {
	inside := strings.HasPrefix(stem, "*")
	stem = strings.TrimPrefix(stem, "*")
	whole := strings.HasSuffix(stem, "_")
	stem = strings.TrimSuffix(stem, "_")
	if stem == "" {
		return -1
	}
	for from := 0; from < len(folded); {
		i := strings.Index(folded[from:], stem)
		if i < 0 {
			return -1
		}
		i += from
		end := i + len(stem)
		if (inside || i == 0 || !wordByte(folded[i-1])) && (!whole || end == len(folded) || !wordByte(folded[end])) {
			return i
		}
		from = i + 1
	}
	return -1
}

// wordByte: bytes beyond ASCII are letters here; folded French has few of them.
func wordByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c >= 0x80
}

// Pattern is what a sentence must have: of each group, one of its stems.
type Pattern [][]string

// In says whether a folded text has it.
func (p Pattern) In(folded string) bool {
	for _, group := range p {
		if !HasAny(folded, group...) {
			return false
		}
	}
	return len(p) > 0
}

// Subject is something that a text must say.
type Subject struct {
	Says   []Pattern // any of them says it
	Denies []Pattern // any of them says the contrary
	// Context has the lead of a list and the heading read with the sentence.
	Context bool
	// Span is how many sentences are read as one, for what a text says in several;
	// 0: one.
	Span int
	// Also is wanted of the words beside a pattern; nil: nothing.
	Also func(folded string) bool
}

// Reading is what a text was found to say about a subject.
type Reading struct {
	Says    []string // sentences, as they stand, the first ones
	Denies  []string
	Unclear []string // speak of it, and it is not plain what they say
}

// Empty says that nothing speaks of it.
func (r Reading) Empty() bool { return len(r.Says)+len(r.Denies)+len(r.Unclear) == 0 }

// Add joins what another text says.
func (r *Reading) Add(o Reading) {
	r.Says, r.Denies, r.Unclear = append(r.Says, o.Says...), append(r.Denies, o.Denies...), append(r.Unclear, o.Unclear...)
}

// maxQuotes bounds the sentences that are given back.
const maxQuotes = 4

// Find reads a text for a subject. Navigation and footers are left out, where the
// same words stand on every page.
func (s Subject) Find(text []Sentence) Reading {
	var out Reading
	span := max(1, s.Span)
	own := make([]Sentence, 0, len(text))
	folded := make([]string, 0, len(text))
	for _, x := range text {
		if !x.Around {
			own, folded = append(own, x), append(folded, Fold(x.Text))
		}
	}
	for i := range own {
		if own[i].Heading {
			continue
		}
		if len(out.Says) >= maxQuotes && len(out.Denies) >= maxQuotes {
			break
		}
		said, quote := folded[i], own[i].Text
		above := ""
		if s.Context {
			above = Fold(own[i].Head + " : " + own[i].Lead)
			said = above + " " + said
		}
		if len(out.Denies) < maxQuotes && matches(s.Denies, said) {
			out.Denies = append(out.Denies, quote)
			continue
		}
		for n := 1; n <= span; n++ {
			if n > 1 {
				if i+n > len(own) {
					break
				}
				said, quote = said+" "+folded[i+n-1], quote+" "+own[i+n-1].Text
			}
			if matchesFrom(s.Says, above+" "+folded[i], said, n) && (s.Also == nil || s.Also(said)) {
				if len(out.Says) < maxQuotes && !matches(s.Denies, said) {
					if above != "" && !matchesFrom(s.Says, folded[i], strings.TrimPrefix(said, above), n) {
						quote = under(own[i], quote)
					}
					out.Says = append(out.Says, quote)
				}
				break
			}
		}
	}
	return out
}

// under shows a sentence below the words that it was read with.
func under(s Sentence, quote string) string {
	if s.Lead != "" {
		return s.Lead + " " + quote
	}
	return s.Head + " : " + quote
}

// matchesFrom: what is said in several sentences begins with the first group of
// its pattern.
func matchesFrom(all []Pattern, first, folded string, n int) bool {
	for _, p := range all {
		if p.In(folded) && (n == 1 || HasAny(first, p[0]...)) {
			return true
		}
	}
	return false
}

func matches(all []Pattern, folded string) bool {
	for _, p := range all {
		if p.In(folded) {
			return true
		}
	}
	return false
}
