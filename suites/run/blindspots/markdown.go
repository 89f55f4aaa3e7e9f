package blindspots

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/etalon-sante/etalon/reports"
)

// Write tells the map in Markdown, in French or English: what was tried, what
// is seen, then the blind spots by kind of reason, gaps first.
func Write(w io.Writer, m Map, lang string) error {
	reasons, err := Reasons()
	if err != nil {
		return err
	}
	b := bufio.NewWriter(w)
	t := func(fr, en string) string {
		if lang == "en" {
			return en
		}
		return fr
	}
	p := func(format string, args ...any) { fmt.Fprintf(b, format+"\n", args...) }
	p("# %s\n", t("Ce que le banc ne voit pas", "What the harness does not see"))
	p("%s\n", t(
		"Un enregistrement du service de référence, conforme, est changé en un seul endroit à la fois : chaque champ, en-tête, statut, et l’ordre des requêtes. Chaque variante est jugée. Ce qu’aucune vérification ne remarque est un angle mort ; en voici la liste entière, avec la raison de chacun. Cette page est écrite par `make blindspots`.",
		"A recording of the reference service, which is conformant, is changed at one place at a time: every field, header, status, and the order of requests. Each variant is judged. What no check notices is a blind spot; here is the whole list, with the reason of each. This page is written by `make blindspots`."))
	p("%s\n", t(
		"Un message du service est jugé comme si le bac à sable l’avait reçu ainsi : ce qu’il en déduit est déduit de nouveau ; sa réponse reste celle d’origine.",
		"A message of the service is judged as if the sandbox had received it so: what it derives from it is derived anew; its answer stays what it was."))
	p("| %s | |\n|---|--:|", t("Mesure", "Measure"))
	p("| %s | %d |", t("variantes jugées", "variants judged"), m.Variants)
	p("| %s | %d |", t("une vérification y trouve une faute", "a check finds a fault in them"), m.Noticed)
	p("| %s | %d |", t("une vérification y perd son occasion (jamais conforme)", "a check loses its occasion in them (never conformant)"), m.Undecided)
	p("| %s | %d |", t("sans effet sur aucun verdict", "without effect on any verdict"), m.Blind)
	p("| %s | %d |", t("interrompent une vérification (faute du banc)", "break a check (a fault of the harness)"), m.Broken)
	p("| %s | %d |", t("genres de changement (endroit × opération)", "kinds of change (place × operation)"), m.Classes)
	p("| %s | %d |\n", t("dont remarqués au moins une fois", "of which noticed at least once"), m.Classes-m.Unseen)
	p("%s\n", t(
		"Beaucoup de variantes sans effet portent sur un message qu’une vérification juge dans un autre scénario : c’est le genre de changement qui dit si l’endroit est vu.",
		"Many variants without effect change a message that a check judges in another scenario: it is the kind of change that tells whether a place is seen."))
	for _, k := range []struct {
		kind   Kind
		fr, en string
	}{
		{"", "Sans raison connue", "Without a known reason"},
		{Gap, "Lacunes : une vérification pourrait être écrite", "Gaps: a check could be written"},
		{Elsewhere, "Jugé à un autre endroit", "Judged at another place"},
		{Harmless, "Changement sans gravité", "Harmless changes"},
		{Free, "Contenu libre", "Free content"},
		{Ours, "Écrit par le banc ou le bac à sable", "Written by the harness or the sandbox"},
	} {
		section(b, t(k.fr, k.en), m, reasons, k.kind, lang)
	}
	p("## %s\n", t("Ce qui est vu", "What is seen"))
	p("| %s | %s | %s | %s |\n|---|---|---|---|", t("Message", "Message"), t("Partie", "Part"), t("Endroit", "Place"), t("Vérifications", "Checks"))
	var seen table
	for _, r := range m.Rows {
		if len(r.Checks) > 0 {
			seen.add(r.Place, few(r.Checks, 6))
		}
	}
	for _, row := range seen.rows() {
		p("%s", row)
	}
	return b.Flush()
}

// table puts the places of one message and part on one line where the same is
// to be said of them.
type table struct {
	order []tableKey
	paths map[tableKey][]string
}

type tableKey struct{ what, part, said string }

func (t *table) add(at Place, said string) {
	k := tableKey{at.What, at.Part, said}
	if t.paths == nil {
		t.paths = map[tableKey][]string{}
	}
	if t.paths[k] == nil {
		t.order = append(t.order, k)
	}
	t.paths[k] = append(t.paths[k], code(at.Path))
}

func (t *table) rows() []string {
	var out []string
	for _, k := range t.order {
		out = append(out, fmt.Sprintf("| %s | %s | %s | %s |", k.what, k.part, strings.Join(t.paths[k], " "), k.said))
	}
	return out
}

func section(b *bufio.Writer, title string, m Map, reasons []Reason, kind Kind, lang string) {
	begun := false
	begin := func() {
		if !begun {
			fmt.Fprintf(b, "## %s\n\n", title)
		}
		begun = true
	}
	if kind == "" {
		reasons = []Reason{{}}
	}
	for _, r := range reasons {
		if r.Kind != kind {
			continue
		}
		var list table
		for _, s := range m.Spots {
			if s.Reason == r.Key {
				list.add(s.Place, strings.Join(s.Ops, ", "))
			}
		}
		rows := list.rows()
		if len(rows) == 0 {
			continue
		}
		begin()
		if r.Key != "" {
			fmt.Fprintf(b, "### %s\n\n%s\n\n", r.Key, in(r.Text, lang))
		}
		head := "| Message | Partie | Endroit | Changements non vus |\n|---|---|---|---|"
		if lang == "en" {
			head = "| Message | Part | Place | Changes unseen |\n|---|---|---|---|"
		}
		fmt.Fprintln(b, head)
		for _, row := range rows {
			fmt.Fprintln(b, row)
		}
		fmt.Fprintln(b)
	}
}

func in(t reports.Text, lang string) string {
	if lang == "en" {
		return t.EN
	}
	return t.FR
}

func code(path string) string {
	if path == "" {
		return "·"
	}
	return "`" + path + "`"
}

// few names the first of a list, and how many more there are.
func few(list []string, most int) string {
	if len(list) <= most {
		return strings.Join(list, ", ")
	}
	return strings.Join(slices.Clone(list[:most]), ", ") + fmt.Sprintf(" + %d", len(list)-most)
}
