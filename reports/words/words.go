// Package words puts a report into sentences: the verdict, dates, numbers and
// the names of things, in French and in English. Every writer takes its words
// here, so that the page, the summary and the registry say the same.
package words

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // French dates are in Paris time on machines without a zone database too
	"unicode"
	"unicode/utf8"

	"github.com/etalon-sante/etalon/reports"
)

// Lang is a language of the project.
type Lang string

// The languages.
const (
	FR Lang = "fr"
	EN Lang = "en"
)

// Parse accepts "fr" and "en".
func Parse(lang string) (Lang, error) {
	switch l := Lang(lang); l {
	case FR, EN:
		return l, nil
	}
	return "", fmt.Errorf("language %q is not known: use fr or en", lang)
}

// Of returns a text in the language.
func (l Lang) Of(t reports.Text) string { return t.In(string(l)) }

// Pick returns the first argument in French, the second in English.
func (l Lang) Pick(fr, en string) string {
	if l == EN {
		return en
	}
	return fr
}

// Instant writes a date and time with its zone: Paris time in French, UTC in
// English, so that two machines always write the same.
func (l Lang) Instant(t time.Time) string {
	if l == EN {
		return t.UTC().Format("2 January 2006 at 15:04 UTC")
	}
	paris, err := time.LoadLocation("Europe/Paris")
	if err != nil { // cannot be: the zone database is linked in
		return t.UTC().Format("02/01/2006 à 15:04 (UTC)")
	}
	return t.In(paris).Format("02/01/2006 à 15:04 (heure de Paris)")
}

// Day writes the day of an instant, in the zone that Instant uses.
func (l Lang) Day(t time.Time) string {
	if l == EN {
		return t.UTC().Format("2 January 2006")
	}
	if paris, err := time.LoadLocation("Europe/Paris"); err == nil {
		t = t.In(paris)
	}
	return t.Format("02/01/2006")
}

// Date writes a date given as 2006-01-02; anything else stays as it is.
func (l Lang) Date(s string) string {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return s
	}
	return t.Format(l.Pick("02/01/2006", "2 January 2006"))
}

// Decimal writes a number with at most one decimal and the separator of the
// language.
func (l Lang) Decimal(f float64) string {
	s := strings.TrimSuffix(strconv.FormatFloat(f, 'f', 1, 64), ".0")
	if l == FR {
		s = strings.Replace(s, ".", ",", 1)
	}
	return s
}

// Millis writes a duration given in milliseconds.
func (l Lang) Millis(ms float64) string {
	switch {
	case ms < 1000:
		return l.Decimal(ms) + "\u00a0ms"
	case ms < 120_000:
		return l.Decimal(ms/1000) + "\u00a0s"
	}
	return l.Decimal(ms/60_000) + "\u00a0min"
}

// Bytes writes a size.
func (l Lang) Bytes(n int64) string {
	units := []string{l.Pick("o", "B"), l.Pick("Ko", "KB"), l.Pick("Mo", "MB"), l.Pick("Go", "GB")}
	f, i := float64(n), 0
	for f >= 1000 && i < len(units)-1 {
		f, i = f/1000, i+1
	}
	return l.Decimal(f) + "\u00a0" + units[i]
}

// Count writes a number in words where a sentence would: feminine in French,
// as exigence, vérification and hypothèse are.
func (l Lang) Count(n int) string {
	fr := []string{"aucune", "une", "deux", "trois", "quatre", "cinq", "six", "sept", "huit", "neuf", "dix", "onze", "douze", "treize", "quatorze", "quinze", "seize"}
	en := []string{"no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"}
	if l == FR && n >= 0 && n < len(fr) {
		return fr[n]
	}
	if l == EN && n >= 0 && n < len(en) {
		return en[n]
	}
	return strconv.Itoa(n)
}

// Many chooses between one and several; in French zero is singular.
func (l Lang) Many(n int, one, several string) string {
	if n == 1 || l == FR && n == 0 {
		return one
	}
	return several
}

// Capital returns s with its first letter in upper case.
func Capital(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	if n == 0 || strings.HasPrefix(s, "http") {
		return s // an address is no sentence
	}
	return string(unicode.ToUpper(r)) + s[n:]
}

// Moment writes the time of day of an exchange to the millisecond, in the zone
// that Instant uses.
func (l Lang) Moment(t time.Time) string {
	if l == EN {
		return t.UTC().Format("15:04:05.000")
	}
	if paris, err := time.LoadLocation("Europe/Paris"); err == nil {
		t = t.In(paris)
	}
	return strings.Replace(t.Format("15:04:05.000"), ".", ",", 1)
}

// Typeset gives prose its typography: a curved apostrophe between letters and,
// in French, spaces that do not break before ; : ! ? and inside guillemets.
// It is for our own sentences, never for what was observed.
func (l Lang) Typeset(s string) string {
	if !strings.ContainsAny(s, "';:!?«»") {
		return s
	}
	var b strings.Builder
	done := 0 // bytes of s that are in b
	var before rune
	for i, r := range s {
		if r == '\'' || r == ' ' && l == FR {
			after, _ := utf8.DecodeRuneInString(s[i+1:])
			if after == utf8.RuneError {
				after = 0
			}
			with := ""
			switch {
			case r == '\'' && unicode.IsLetter(before) && unicode.IsLetter(after):
				with = "’"
			case r == ' ' && (before == '«' || after != 0 && strings.ContainsRune(";:!?»", after)):
				with = "\u00a0"
			}
			if with != "" {
				b.WriteString(s[done:i])
				b.WriteString(with)
				done = i + 1
			}
		}
		before = r
	}
	if done == 0 {
		return s
	}
	b.WriteString(s[done:])
	return b.String()
}
