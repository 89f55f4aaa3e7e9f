package wording

import (
	"strconv"
	"strings"
	"time"
)

// Day is a date that a text gives, with the sentence.
type Day struct {
	Date  time.Time // the first day of the month, or of the year, where no more is said
	Quote string
	Label bool // the sentence says what the date is of: "mise à jour le", "version du"
}

func months() map[string]time.Month {
	return map[string]time.Month{
		"janvier": 1, "fevrier": 2, "mars": 3, "avril": 4, "mai": 5, "juin": 6, "juillet": 7, "aout": 8, "septembre": 9, "octobre": 10, "novembre": 11, "decembre": 12,
		"janv": 1, "fevr": 2, "avr": 4, "juil": 7, "sept": 9, "oct": 10, "nov": 11, "dec": 12,
	}
}

// Days are the dates of a text, in its order; labels are the words of which one
// makes a date one of the text itself.
func Days(text []Sentence, labels ...string) []Day {
	var out []Day
	for _, s := range text {
		if len(out) == 20 {
			break
		}
		said := Fold(s.Text)
		labelled := HasAny(said, labels...)
		for _, d := range daysIn(said) {
			out = append(out, Day{Date: d, Quote: s.Text, Label: labelled || HasAny(Fold(s.Lead+" "+s.Head), labels...)})
		}
	}
	return out
}

// VersionLabels are the words by which a text dates itself.
func VersionLabels() []string {
	return []string{"mise a jour", "mis a jour", "mises a jour", "mis en ligne", "derniere modification", "modifie", "version", "en vigueur", "date_", "datee", "etabli", "publie", "revis", "revu", "relu", "actualis", "verifie", "applicable", "redige", "realis", "audit"}
}

// daysIn finds "23 novembre 2026", "1er mars 2025", "mars 2025", "23/11/2026",
// "2026-11-23" in a folded text.
func daysIn(said string) []time.Time {
	var out []time.Time
	w := strings.FieldsFunc(said, func(c rune) bool {
		return c == ' ' || c == ',' || c == '(' || c == ')' || c == ':' || c == ';' || c == '|'
	})
	names := months()
	for i := range w {
		if d, ok := numeric(strings.TrimRight(w[i], ".")); ok {
			out = append(out, d)
			continue
		}
		m, ok := names[strings.TrimRight(w[i], ".")]
		if !ok || i+1 == len(w) {
			continue
		}
		year, err := strconv.Atoi(strings.TrimRight(w[i+1], "."))
		if err != nil || year < 1990 || year > 2100 {
			continue
		}
		day := 1
		if i > 0 {
			if n, err := strconv.Atoi(strings.TrimSuffix(w[i-1], "er")); err == nil && n >= 1 && n <= 31 {
				day = n
			}
		}
		if d := time.Date(year, m, day, 0, 0, 0, 0, time.UTC); d.Day() == day {
			out = append(out, d)
		}
	}
	return out
}

func numeric(w string) (time.Time, bool) {
	if len(w) < 7 || len(w) > 10 || w[0] < '0' || w[0] > '9' || !strings.ContainsAny(w, "/-.") {
		return time.Time{}, false
	}
	for _, layout := range []string{"02/01/2006", "2/1/2006", "2006-01-02", "02-01-2006", "02.01.2006", "01/2006"} {
		if d, err := time.Parse(layout, w); err == nil && d.Year() >= 1990 && d.Year() <= 2100 {
			return d, true
		}
	}
	return time.Time{}, false
}

// Span is a period of years that a text gives: "2025-2027", "de 2024 à 2026".
type Span struct {
	From, To int
	Quote    string
}

// Spans are the periods of years of a text.
func Spans(text []Sentence) []Span {
	var out []Span
	for _, s := range text {
		said := Fold(s.Text + " " + s.Head)
		for i := 0; i+4 <= len(said); i++ {
			from, ok := yearAt(said, i)
			if !ok {
				continue
			}
			rest := said[i+4:]
			for _, sep := range []string{"-", " - ", "/", " a ", " et ", " / ", " au 31 decembre "} {
				if to, ok := strings.CutPrefix(rest, sep); ok {
					if y, ok := yearAt(to, 0); ok && y >= from && y-from <= 10 && len(out) < 10 {
						out = append(out, Span{From: from, To: y, Quote: s.Text})
					}
				}
			}
		}
	}
	return out
}

func yearAt(s string, i int) (int, bool) {
	if i+4 > len(s) || i > 0 && wordByte(s[i-1]) || i+4 < len(s) && wordByte(s[i+4]) {
		return 0, false
	}
	y, err := strconv.Atoi(s[i : i+4])
	return y, err == nil && y >= 2000 && y <= 2100
}

// State is what a statement of accessibility says of a service. The words are
// those of the model of the RGAA.
type State string

// The states of a statement of accessibility.
const (
	Total   State = "totale"
	Partial State = "partielle"
	None    State = "non conforme"
)

// StateIn gives the states that a text of a few words names: the words of a link.
func StateIn(label string) []State {
	said := Fold(label)
	var out []State
	if HasAny(said, "totalement conforme", "conformite totale", "entierement conforme", "conforme en totalite") {
		out = append(out, Total)
	}
	if HasAny(said, "partiellement conforme", "conformite partielle", "conforme partiellement", "conforme en partie") {
		out = append(out, Partial)
	}
	if HasAny(said, "non conforme", "non-conforme", "n'est pas conforme") && !HasAny(said, "contenus non conformes", "contenu non conforme", "criteres non conformes", "contenus non-conformes") {
		out = append(out, None)
	}
	return out
}

// States are those that a statement names of the service itself, with the sentences.
// Criteria and contents that do not conform are other things.
func States(text []Sentence) (out []State, quotes []string) {
	for _, s := range text {
		if s.Around {
			continue
		}
		said := Fold(s.Text)
		if !HasAny(said, "rgaa_", "referentiel general", "wcag", "en 301 549") && !HasAny(Fold(s.Head), "etat de conformite", "niveau de conformite", "statut de conformite") {
			continue
		}
		if HasAny(said, "si_", "selon que", "criteres non conformes") {
			continue // explains what the states are
		}
		for _, st := range StateIn(s.Text) {
			known := false
			for _, o := range out {
				known = known || o == st
			}
			if !known {
				out, quotes = append(out, st), append(quotes, s.Text)
			}
		}
	}
	return out, quotes
}

// Rate is a share in per cent that a statement gives.
type Rate struct {
	Percent float64
	Quote   string
}

// Rates are the shares of criteria that are kept, that a statement gives.
func Rates(text []Sentence) []Rate {
	var out []Rate
	for _, s := range text {
		said := Fold(s.Text)
		if s.Around || !HasAny(said+" "+Fold(s.Head), "criteres", "conform", "taux", "rgaa_", "audit", "resultat") {
			continue
		}
		for i := range len(said) {
			if said[i] != '%' || len(out) == 10 {
				continue
			}
			end := strings.TrimRight(said[:i], " ")
			start := len(end)
			for start > 0 && (end[start-1] >= '0' && end[start-1] <= '9' || end[start-1] == ',' || end[start-1] == '.') {
				start--
			}
			if n, err := strconv.ParseFloat(strings.ReplaceAll(end[start:], ",", "."), 64); err == nil && n >= 0 && n <= 100 {
				out = append(out, Rate{Percent: n, Quote: s.Text})
			}
		}
	}
	return out
}

// HasPostcode says whether a folded text holds a French postcode and a name after it.
func HasPostcode(folded string) bool {
	for i := 0; i+5 <= len(folded); i++ {
		if i > 0 && wordByte(folded[i-1]) || !digits(folded[i:i+5]) {
			continue
		}
		rest := strings.TrimLeft(folded[i+5:], " -,")
		if len(folded) > i+5 && wordByte(folded[i+5]) || rest == "" || rest[0] < 'a' || rest[0] > 'z' || strings.HasPrefix(rest, "eur") {
			continue
		}
		return true
	}
	return false
}

func digits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// HasTelephone says whether a folded text holds a French telephone number.
func HasTelephone(folded string) bool {
	for i := range len(folded) {
		if i > 0 && (wordByte(folded[i-1]) || folded[i-1] == '+') {
			continue
		}
		rest := folded[i:]
		want := 10
		switch {
		case strings.HasPrefix(rest, "+33"):
			rest, want = strings.TrimLeft(strings.TrimPrefix(rest, "+33"), " ()0.-"), 9
		case len(rest) > 1 && rest[0] == '0' && rest[1] >= '1' && rest[1] <= '9' && (i == 0 || folded[i-1] != '.' && folded[i-1] != '/'):
		default:
			continue
		}
		n, k := 0, 0
		for ; k < len(rest) && n < want; k++ {
			switch c := rest[k]; {
			case c >= '0' && c <= '9':
				n++
			case c == ' ' || c == '.' || c == '-':
			default:
				k = len(rest)
			}
		}
		if n == want && (k >= len(rest) || !wordByte(rest[k])) {
			return true
		}
	}
	return false
}

// HasNumber says whether a text holds a number, its digits apart or together.
func HasNumber(text, number string) bool {
	var b strings.Builder
	gap := false
	for _, c := range Fold(text) {
		switch {
		case c >= '0' && c <= '9':
			b.WriteRune(c)
			gap = false
		case (c == ' ' || c == '.') && !gap:
			gap = true // one space, or one dot, between groups
		default:
			b.WriteByte('|')
			gap = false
		}
	}
	return strings.Contains(b.String(), number)
}

// Sirens are the numbers of nine digits, or of fourteen of which they are the
// beginning, that a text gives as a SIREN, a SIRET or at the register of companies.
func Sirens(text []Sentence) []string {
	var out []string
	for _, s := range text {
		said := Fold(s.Text)
		if !HasAny(said, "siren_", "siret_", "rcs_", "r.c.s", "registre du commerce", "immatricul") {
			continue
		}
		run := ""
		end := func() {
			if (len(run) == 9 || len(run) == 14) && !contains(out, run[:9]) {
				out = append(out, run[:9])
			}
			run = ""
		}
		for i := range len(said) {
			switch c := said[i]; {
			case c >= '0' && c <= '9':
				run += string(c)
			case c == ' ' && run != "" && i+1 < len(said) && said[i+1] >= '0' && said[i+1] <= '9':
			default:
				end()
			}
		}
		end()
	}
	return out
}

// Place is an address that a text gives, and whether it stands among what is said
// of the host.
type Place struct {
	Quote string
	Host  bool
}

// Places are the postal addresses of a text. What stands under a heading about
// hosting, or follows a sentence about it, is the host's.
func Places(text []Sentence) []Place { return near(text, HasPostcode) }

// Telephones are the telephone numbers of a text, in the same way.
func Telephones(text []Sentence) []Place { return near(text, HasTelephone) }

func near(text []Sentence, has func(string) bool) []Place {
	host := []string{"heberg"}
	var out []Place
	ofHost, head := false, ""
	for _, s := range text {
		if s.Around {
			continue
		}
		said := Fold(s.Text)
		if s.Head != head {
			head, ofHost = s.Head, HasAny(Fold(s.Head), host...)
		}
		switch {
		case HasAny(said, host...):
			ofHost = true
		case HasAny(said, "editeur", "edite par", "siege social", "directeur de", "directrice de", "nous contacter", "responsable de"):
			ofHost = HasAny(Fold(s.Head), host...)
		}
		if has(said) && len(out) < 20 {
			out = append(out, Place{Quote: s.Text, Host: ofHost || HasAny(Fold(s.Lead), host...)})
		}
	}
	return out
}
