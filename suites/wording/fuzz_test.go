package wording

import (
	"strings"
	"testing"
	"time"
)

func subjects() []Subject {
	out := []Subject{Director(), Controller(), Officer(), Purposes(), Recipients(), Retention(), RetentionVague(), Complaint(), Changes(), HDS(), HostCountry(), ContactForAccess(), Remedies(), EcoFigures(), NoSubstitute(), Emergency(), Emergency114(), ReportMistake(), Support(), AINotice()}
	for _, r := range Rights() {
		out = append(out, r.Subject)
	}
	return out
}

// readAll has a text read for everything.
func readAll(text []Sentence) {
	for _, s := range subjects() {
		s.Find(text)
	}
	Exhaustive(text, "")
	Days(text, VersionLabels()...)
	Spans(text)
	States(text)
	Rates(text)
	Places(text)
	Telephones(text)
	Sirens(text)
}

func FuzzReading(f *testing.F) {
	for _, s := range []string{
		"Nous ne téléchargeons pas l’intégralité de vos documents.", "ne n' pas sans aucun telecharg tous document ni ne", "1er mars 2025 – 31/12/2026, 72,5 %", "+33 (0)1 99 00 00 00 75000 Paris SIREN 999 999 998",
		"Accessibilité : non conforme (RGAA)", "?", "\u202e\x1b[31m", "œÆ’ʼ—", strings.Repeat("ne pas ", 50),
	} {
		f.Add(s, "Titre :", "Mon espace santé")
	}
	f.Fuzz(func(t *testing.T, said, lead, head string) {
		readAll([]Sentence{{Text: said, Lead: lead, Head: head}, {Text: lead}, {Text: said, Heading: true}})
		HasNumber(said, "999999998")
	})
}

// A text made to be slow is not: nothing is tried in more ways than its length.
func TestATextThatMeansHarmIsReadInTime(t *testing.T) {
	t.Parallel()
	start := time.Now()
	for _, word := range []string{"ne ", "telecharger tous documents ", "sans, si, ", "2025-", "01 ", "1", "aucun ne "} {
		var text []Sentence
		for range 100 {
			text = append(text, Sentence{Text: strings.Repeat(word, 600/len(word)), Head: "Documents", Lead: "Nous :"})
		}
		readAll(text)
	}
	if took := time.Since(start); took > 20*time.Second {
		t.Errorf("it took %s", took)
	}
}

func hundred() []Sentence {
	lines := []string{
		"Les présentes conditions générales régissent l’accès au service édité par la société Exemple Parcours SAS.",
		"L’utilisateur peut retirer son consentement à tout moment, depuis les réglages de son compte ou par courriel.",
		"Le téléchargement exhaustif des documents de Mon espace santé est impossible, quelle que soit la finalité.",
		"Vos données sont conservées pendant douze mois, puis effacées, et ne quittent pas l’Union européenne.",
	}
	var out []Sentence
	for n := 0; n < 100<<10; {
		l := lines[len(out)%len(lines)]
		out = append(out, Sentence{Text: l, Head: "Article 4"})
		n += len(l)
	}
	return out
}

func BenchmarkExhaustive100KB(b *testing.B) {
	text := hundred()
	b.SetBytes(100 << 10)
	for b.Loop() {
		Exhaustive(text, "Conditions")
	}
}

func BenchmarkEverySubject100KB(b *testing.B) {
	text := hundred()
	b.SetBytes(100 << 10)
	for b.Loop() {
		readAll(text)
	}
}
