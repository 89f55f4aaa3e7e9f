package compare

import (
	"bytes"
	_ "embed" // schema.json
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/etalon-sante/etalon/reports"
	"github.com/etalon-sante/etalon/reports/markdown"
	"github.com/etalon-sante/etalon/reports/words"
)

//go:embed schema.json
var schema string

// Schema returns the JSON Schema (draft-07) of a comparison.
func Schema() []byte { return []byte(schema) }

// most is how many changes of a kind a text shows; the JSON holds all.
const most = 40

// longest is how many characters of one text of a report are repeated.
const longest = 300

// WriteJSON writes all of a comparison.
func WriteJSON(w io.Writer, c Comparison) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(c); err != nil {
		return fmt.Errorf("write the comparison: %w", err)
	}
	return nil
}

// WriteText writes a comparison for a terminal, in "fr" or "en". What the two
// reports hold is shown as text, whatever it is.
func WriteText(w io.Writer, c Comparison, lang string) error {
	return write(w, c, lang, style{text: printable, title: func(s string) string { return s }, item: "  ", sub: "      ", code: printable})
}

// WriteMarkdown writes a comparison for the page of a CI job or a pull request.
func WriteMarkdown(w io.Writer, c Comparison, lang string) error {
	return write(w, c, lang, style{
		text:  func(s string) string { return markdown.Plain(short(s)) },
		title: func(s string) string { return "## " + s + "\n" },
		item:  "- ", sub: "  - ", code: func(s string) string { return markdown.Code(short(s)) }, headed: true,
	})
}

// style is what tells the two texts apart.
type style struct {
	text, code func(string) string // what a report holds, made harmless
	title      func(string) string // of a part; ours
	item, sub  string
	headed     bool
	b          bytes.Buffer
	l          words.Lang
	colon      string
}

func write(w io.Writer, c Comparison, lang string, s style) error {
	l, err := words.Parse(lang)
	if err != nil {
		return fmt.Errorf("write the comparison: %w", err)
	}
	s.l, s.colon = l, l.Pick("\u00a0: ", ": ")
	s.whole(c)
	if _, err := w.Write(s.b.Bytes()); err != nil {
		return fmt.Errorf("write the comparison: %w", err)
	}
	return nil
}

func (s *style) f(format string, args ...any) { fmt.Fprintf(&s.b, format+"\n", args...) }

func (s *style) whole(c Comparison) {
	l := s.l
	if s.headed {
		s.f("# %s %s\n", map[Outcome]string{NotWorse: "✓", Worse: "✕", NotComparable: "○"}[c.Outcome], l.Pick("Comparaison", "Comparison"))
		s.f("**%s**\n", markdown.Plain(Sentence(c, string(l))))
	} else {
		s.f("%s", Sentence(c, string(l)))
	}
	for _, o := range c.Obstacles {
		s.f("%s%s", s.item, s.text(l.Typeset(l.Of(o))))
	}
	if s.headed && len(c.Obstacles) > 0 {
		s.f("")
	}
	s.f("%s%s%s", l.Pick("Avant", "Before"), s.colon, s.side(c.Before))
	if s.headed {
		s.f("")
	}
	s.f("%s%s%s", l.Pick("Après", "After"), s.colon, s.side(c.After))
	if s.headed {
		s.f("")
	}
	s.circumstances(c.Circumstances)
	for _, k := range Kinds() {
		var of []Change
		for _, ch := range c.Changes {
			if ch.Kind == k {
				of = append(of, ch)
			}
		}
		s.part(k, of)
	}
}

func (s *style) side(side Side) string {
	return fmt.Sprintf("%s %s, %s %s (%s, %s %d)", s.text(side.Service), s.text(side.Version), s.l.Pick("campagne", "run"), s.text(side.Run),
		s.l.Of(side.Verdict.Label().Word), s.l.Pick("code", "exit"), side.ExitCode)
}

func (s *style) circumstances(all []Circumstance) {
	l := s.l
	if len(all) == 0 {
		s.f("%s", l.Typeset(l.Pick("Mêmes conditions : catalogue, profil, réglages, bac à sable, graine.", "Same conditions: catalogue, profile, settings, sandbox, seed.")))
		return
	}
	s.f("")
	s.f("%s", s.title(l.Typeset(l.Pick("Ce qui diffère autour du service, et peut expliquer un changement :", "What differs around the service, and may explain a change:"))))
	for _, c := range all {
		s.f("%s%s%s%s → %s", s.item, l.Typeset(l.Of(c.Name)), s.colon, s.value(c.Before), s.value(c.After))
	}
}

func (s *style) value(v string) string {
	switch v {
	case "":
		return "∅"
	case "true":
		return s.l.Pick("oui", "yes")
	case "false":
		return s.l.Pick("non", "no")
	}
	return s.code(v)
}

func (s *style) part(k Kind, of []Change) {
	if len(of) == 0 {
		return
	}
	l := s.l
	s.f("")
	s.f("%s", s.title(fmt.Sprintf("%s (%d)", l.Typeset(l.Of(title(k))), len(of))))
	for i, c := range of {
		if i == most {
			s.f("%s%s", s.item, fmt.Sprintf(l.Pick("et %d autres : --json les donne toutes", "and %d others: --json gives them all"), len(of)-most))
			break
		}
		s.change(c)
	}
}

func (s *style) change(c Change) {
	l := s.l
	id := c.Check
	if id == "" {
		id = c.Requirement
	}
	line := s.item + s.text(id) + "  " + s.text(l.Typeset(l.Of(c.Title)))
	if c.Blocking {
		line += l.Pick(" (bloquante)", " (blocking)")
	}
	if c.Formerly != "" {
		line += l.Pick(", anciennement ", ", formerly ") + s.text(c.Formerly)
	}
	if c.Before != c.After {
		line += s.colon + s.verdict(c.Before) + " → " + s.verdict(c.After)
	}
	s.f("%s", line)
	if len(c.Appeared) > 0 {
		s.f("%s%s%s%s", s.sub, l.Pick("nouveaux constats", "new findings"), s.colon, s.text(strings.Join(c.Appeared, ", ")))
	}
	if len(c.Gone) > 0 && c.Kind != Mended {
		s.f("%s%s%s%s", s.sub, l.Pick("constats disparus", "findings gone"), s.colon, s.text(strings.Join(c.Gone, ", ")))
	}
	if c.After != reports.Conformant && c.Kind != StillFailing && !c.Message.Empty() {
		s.f("%s%s", s.sub, s.text(l.Typeset(l.Of(c.Message))))
	}
}

func (s *style) verdict(v reports.Verdict) string {
	if v == "" {
		return s.l.Pick("absente", "absent")
	}
	return s.l.Of(v.Label().Word)
}

func title(k Kind) reports.Text {
	switch k {
	case NewFailure:
		return reports.Text{FR: "Nouvelles non-conformités", EN: "New failures"}
	case Degraded:
		return reports.Text{FR: "Moins bien établi qu'avant", EN: "Less well shown than before"}
	case Lost:
		return reports.Text{FR: "Était jugé, ne l'est plus", EN: "Was judged, is no longer"}
	case StillFailing:
		return reports.Text{FR: "Toujours non conforme", EN: "Still failing"}
	case NotShown:
		return reports.Text{FR: "N'était pas conforme, et rien ne montre que ce soit corrigé", EN: "Failed before, and nothing shows that it is mended"}
	case Mended:
		return reports.Text{FR: "Corrigé", EN: "Mended"}
	case Improved:
		return reports.Text{FR: "Mieux établi qu'avant", EN: "Better shown than before"}
	case Appeared:
		return reports.Text{FR: "Nouveau", EN: "New"}
	case Disappeared:
		return reports.Text{FR: "Retiré", EN: "Removed"}
	}
	return reports.Text{FR: "Même verdict, autres constats", EN: "Same verdict, other findings"}
}

// Sentence is what a comparison came to, in one sentence.
func Sentence(c Comparison, lang string) string {
	l := words.Lang(lang)
	var out string
	switch c.Outcome {
	case NotComparable:
		out = l.Pick("Ces deux campagnes ne se comparent pas", "These two runs cannot be compared")
		if len(c.Obstacles) == 0 {
			out += l.Pick(" : la seconde a été interrompue, ce qu'elle n'a pas joué n'a rien montré", ": the second was interrupted, what it did not play showed nothing")
		}
	case Worse:
		out = l.Pick("Quelque chose s'est dégradé : ", "Something became worse: ") + strings.Join(tally(c, l, true), ", ")
	default:
		out = l.Pick("Rien ne s'est dégradé", "Nothing became worse")
		if rest := tally(c, l, false); len(rest) > 0 {
			out += l.Pick(" : ", ": ") + strings.Join(rest, ", ")
		}
	}
	return l.Typeset(out) + "."
}

// tally counts changes, those that are worse or the others.
func tally(c Comparison, l words.Lang, worse bool) []string {
	var out []string
	for _, k := range Kinds() {
		n, blocking := 0, 0
		for _, ch := range c.Changes {
			if ch.Kind == k && ch.Worse == worse {
				n++
				if ch.Blocking {
					blocking++
				}
			}
		}
		if n == 0 {
			continue
		}
		part := strconv.Itoa(n) + " " + l.Of(counted(k, n, l))
		if worse && k == StillFailing {
			part += l.Pick(" par un constat de plus", " by one more finding")
		}
		if worse && blocking > 0 {
			part += fmt.Sprintf(l.Pick(" (dont %d sur une exigence bloquante)", " (%d of a blocking requirement)"), blocking)
		}
		out = append(out, part)
	}
	return out
}

func counted(k Kind, n int, l words.Lang) reports.Text {
	one := func(fr, frs, en, ens string) reports.Text {
		return reports.Text{FR: l.Many(n, fr, frs), EN: l.Many(n, en, ens)}
	}
	switch k {
	case NewFailure:
		return one("nouvelle non-conformité", "nouvelles non-conformités", "new failure", "new failures")
	case Degraded:
		return one("vérification moins bien établie", "vérifications moins bien établies", "check less well shown", "checks less well shown")
	case Lost:
		return one("n'est plus jugée", "ne sont plus jugées", "no longer judged", "no longer judged")
	case StillFailing:
		return one("toujours non conforme", "toujours non conformes", "still failing", "still failing")
	case NotShown:
		return one("dont rien ne montre la correction", "dont rien ne montre la correction", "not shown to be mended", "not shown to be mended")
	case Mended:
		return one("corrigée", "corrigées", "mended", "mended")
	case Improved:
		return one("mieux établie", "mieux établies", "better shown", "better shown")
	case Appeared:
		return one("nouvelle", "nouvelles", "new", "new")
	case Disappeared:
		return one("retirée", "retirées", "removed", "removed")
	}
	return one("autrement constatée", "autrement constatées", "with other findings", "with other findings")
}

// printable keeps text of a report from steering a terminal.
func printable(s string) string { return words.Printable(short(s)) }

func short(s string) string {
	if n := []rune(s[:min(len(s), 4*longest+4)]); len(n) > longest {
		return string(n[:longest]) + "…"
	}
	return s
}
