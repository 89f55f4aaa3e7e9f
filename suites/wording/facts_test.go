package wording

import (
	"strings"
	"testing"
)

func lines(s string) []Sentence {
	var out []Sentence
	head := ""
	for l := range strings.Lines(s) {
		l = strings.TrimSpace(l)
		switch {
		case l == "":
		case strings.HasPrefix(l, "# "):
			head = strings.TrimPrefix(l, "# ")
			out = append(out, Sentence{Text: head})
		default:
			out = append(out, Sentence{Text: l, Head: head})
		}
	}
	return out
}

func TestDatesAreRead(t *testing.T) {
	t.Parallel()
	for said, want := range map[string]string{
		"Version du 1er mars 2025.":             "2025-03-01",
		"Mise à jour le 23/11/2026":             "2026-11-23",
		"Dernière révision : août 2024":         "2024-08-01",
		"Établie le 2025-02-03.":                "2025-02-03",
		"Le 31 février 2025, rien":              "",
		"La loi du 6 janvier 1978":              "",
		"Article 12/2024 bis":                   "2024-12-01",
		"En vigueur au 15 septembre 2026 (v3).": "2026-09-15",
	} {
		got := ""
		if d := Days([]Sentence{{Text: said}}, VersionLabels()...); len(d) > 0 {
			got = d[0].Date.Format("2006-01-02")
		}
		if got != want {
			t.Errorf("%q: %q, want %q", said, got, want)
		}
	}
	if s := Spans(lines("Schéma pluriannuel 2025-2027\nPériode de 2024 à 2026")); len(s) != 2 || s[0].To != 2027 || s[1].From != 2024 {
		t.Errorf("%+v", s)
	}
}

func TestAStatementOfAccessibilityIsRead(t *testing.T) {
	t.Parallel()
	for said, want := range map[string][]State{
		"Carnet Clair est partiellement conforme avec le RGAA 4.1.":                                       {Partial},
		"# État de conformité\nLe site est non conforme.":                                                 {None},
		"Le site est en conformité totale avec le référentiel général d’amélioration de l’accessibilité.": {Total},
		"# Contenus non accessibles\nLes contenus non conformes sont listés ci-dessous.":                  {},
		"Le RGAA prévoit : si le taux est inférieur à 50 %, le site est non conforme.":                    {},
		"Le site est totalement conforme au RGAA.\nLe site est partiellement conforme au RGAA.":           {Total, Partial},
		"Nous faisons de notre mieux pour rendre notre site accessible à tous, dans le respect du RGAA.":  {},
	} {
		got, _ := States(lines(said))
		if len(got) != len(want) {
			t.Errorf("%q: %v, want %v", said, got, want)
			continue
		}
		for i := range got {
			if got[i] != want[i] {
				t.Errorf("%q: %v, want %v", said, got, want)
			}
		}
	}
	if r := Rates(lines("L’audit révèle que 72,5 % des critères du RGAA sont respectés.\nNous avons 10 % de remise.")); len(r) != 1 || r[0].Percent != 72.5 {
		t.Errorf("%+v", r)
	}
}

func TestNumbersAndPlaces(t *testing.T) {
	t.Parallel()
	for said, want := range map[string]bool{
		"Tél. : 01 99 00 00 00": true, "+33 (0)1 99 00 00 00": true, "+33 199000000": true, "0199000000": true, "01.99.00.00.00": true,
		"SIREN 999 999 998": false, "le 01/02/2026": false, "01 99 00": false, "00 00": false, "doi:10.1249/01.MSS.0000078924.61453.FB": false,
	} {
		if got := HasTelephone(Fold(said)); got != want {
			t.Errorf("%q: %t", said, got)
		}
	}
	for said, want := range map[string]bool{"1 rue de l’Exemple, 75000 Paris": true, "59100 Roubaix": true, "12345": false, "capital de 10000 euros": false, "000012345 x": false} {
		if got := HasPostcode(Fold(said)); got != want {
			t.Errorf("%q: %t", said, got)
		}
	}
	if got := Sirens(lines("RCS Paris 999 999 998\nSIRET : 99999999800012\nCapital : 123456789 euros")); len(got) != 1 || got[0] != "999999998" {
		t.Errorf("%v", got)
	}
	for said, want := range map[string]bool{"conservées trois ans": true, "pendant 13 mois": true, "aussi longtemps que nécessaire": false, "vingt-quatre (24) mois": true, "les derniers mois": false, "2026 jours": false} {
		if got := HasDuration(Fold(said)); got != want {
			t.Errorf("%q: %t", said, got)
		}
	}
	p := Places(lines("# Éditeur\nCarnet, 1 rue X, 75001 Paris.\n# Hébergement\nHôte, 2 rue Y, 59100 Roubaix."))
	if len(p) != 2 || p[0].Host || !p[1].Host {
		t.Errorf("%+v", p)
	}
}
