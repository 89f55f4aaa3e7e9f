package governance

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	. "github.com/etalon-sante/etalon/suites/lab"
)

// finalite is one purpose that the law admits for services of the catalogue
// (article L.1111-13-1 of the code of public health; doctrine of exchanges),
// and the words under which it is declared.
type finalite struct {
	code  string
	words []string
}

func finalites() []finalite {
	return []finalite{
		{"prevention", []string{"prevention", "prévention"}},
		{"diagnosis", []string{"diagnosis", "diagnostic"}},
		{"care", []string{"care", "soin", "soins"}},
		{"social-follow-up", []string{
			"social-follow-up", "suivi-social", "medico-social-follow-up", "suivi-médico-social",
			"suivi-social-ou-médico-social", "suivi-social-et-médico-social",
		}},
	}
}

func legalFinalites() []string {
	var out []string
	for _, f := range finalites() {
		out = append(out, f.code)
	}
	return out
}

// legal returns the code of the finalité that a word declares.
func legal(word string) (string, bool) {
	word = plain(word)
	for _, f := range finalites() {
		for _, w := range f.words {
			if plain(w) == word {
				return f.code, true
			}
		}
	}
	return "", false
}

// use is a secondary use: data given for care put to another end.
type use struct {
	name  Text
	stems []string // a declared word that holds one of them is of this use
}

func secondaryUses() []use {
	return []use{
		{Text{FR: "recherche", EN: "research"}, []string{"recherche", "research", "clinical-trial", "essai-clinique"}},
		{Text{FR: "statistiques", EN: "statistics"}, []string{"statisti"}},
		{Text{FR: "publicité", EN: "advertising"}, []string{"publicit", "advertis", "marketing", "prospection"}},
		{Text{FR: "vente de données", EN: "sale of data"}, []string{"vente-de-donnees", "data-sale", "monetis", "monetiz", "commercialis"}},
		{Text{FR: "assurance", EN: "insurance"}, []string{"assurance", "insurance", "mutuelle"}},
		{Text{FR: "emploi", EN: "employment"}, []string{"recrutement", "recruitment", "employment"}},
		{Text{FR: "entraînement d'algorithmes", EN: "training of algorithms"}, []string{"entrainement-ia", "entrainement-d-algorithme", "ai-training", "model-training", "machine-learning"}},
		{Text{FR: "profilage", EN: "profiling"}, []string{"profilage", "profiling"}},
		{Text{FR: "usage secondaire", EN: "secondary use"}, []string{"secondary-use", "usage-secondaire", "reutilisation"}},
	}
}

// secondary returns the secondary use that a word declares.
func secondary(word string) (Text, bool) {
	word = plain(word)
	for _, u := range secondaryUses() {
		for _, s := range u.stems {
			if strings.Contains(word, s) {
				return u.name, true
			}
		}
	}
	return Text{}, false
}

// plain is a word without case, accents, and with one hyphen for whatever
// stands between its parts.
func plain(word string) string {
	var b strings.Builder
	gap := false
	for _, r := range norm.NFD.String(strings.ToLower(word)) {
		switch {
		case unicode.Is(unicode.Mn, r):
		case unicode.IsLetter(r) || unicode.IsDigit(r):
			if gap && b.Len() > 0 {
				b.WriteByte('-')
			}
			gap = false
			b.WriteRune(r)
		default:
			gap = true
		}
	}
	return b.String()
}
