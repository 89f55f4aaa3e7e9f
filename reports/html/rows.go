package html

import (
	"html/template"
	"strings"

	"github.com/etalon-sante/etalon/reports"
	"github.com/etalon-sante/etalon/reports/words"
)

// Bounds on enumerations; report.json holds them whole.
const (
	maxTraces = 3  // scenarios named for one check
	maxSame   = 12 // exchanges named of which the same is to be said
)

// rowsOf writes the requirements of a chapter.
func (p *page) rowsOf(rows []row) template.HTML {
	s := sheet{l: p.Lang, said: p.said}
	for i := range rows {
		s.row(&rows[i], p.Levels)
	}
	return template.HTML(s.b.String()) //nolint:gosec // every part was escaped by the sheet
}

// verdictClass is a verdict as a class of ours: a report may come from anyone.
func verdictClass(v reports.Verdict) string {
	for _, known := range reports.Verdicts() {
		if v == known {
			return string(v)
		}
	}
	return string(reports.Error)
}

// row is one line that opens. Its anchor stands inside, so that a link to it opens
// it without a script.
func (s *sheet) row(x *row, levels []level) {
	class := verdictClass(x.Verdict)
	if x.Blocking {
		class += " blocking"
	}
	s.raw("<details")
	s.attr("class", class)
	if x.Open {
		s.raw(" open")
	}
	s.raw("><summary><b>")
	s.text(x.Word)
	s.raw("</b><h5><b>")
	s.text(x.Requirement)
	s.raw("</b> ")
	s.prose(x.Title)
	s.raw("</h5>")
	known := x.Level != "unknown" && x.Level != ""
	if x.Blocking || known {
		s.raw("<small>")
		if x.Blocking {
			s.raw("<b>")
			s.t("bloquante", "blocking")
			s.raw("</b> ")
		}
		if known {
			s.name("level", x.Level)
		}
		s.raw("</small>")
	}
	s.raw("</summary><div")
	s.attr("id", x.Anchor)
	s.raw(">\n<p>")
	s.prose(x.Statement)
	s.raw("\n<p>") // always there: the style sheet knows it by its place
	s.prose(x.Why)
	if !x.Reason.Empty() {
		s.raw("\n<p>")
		s.label("Pourquoi ce verdict", "Why this verdict")
		s.prose(x.Reason)
	}
	if d := x.Declaration; d != nil {
		s.raw("\n<p>")
		if d.Decided {
			s.label("Décidé", "Decided")
		} else {
			s.label("Déclaré", "Declared")
		}
		s.text(d.Statement)
		s.raw(" <small>")
		s.text(d.Author)
		if d.Role != "" {
			s.raw(", ")
			s.text(d.Role)
		}
		s.raw(", ")
		s.text(s.l.Date(d.Date))
		s.raw("</small>")
	}
	if len(x.Checks) > 0 {
		s.raw("\n<ul>")
		for i := range x.Checks {
			// In a requirement that is met, so is every check: it is not said again.
			s.check(&x.Checks[i], x.Verdict != reports.Conformant || x.Checks[i].Verdict != x.Verdict)
		}
		s.raw("</ul>")
	}
	if x.Mend && !x.Remedy.Empty() {
		s.raw("\n<p>")
		s.label("À faire", "To do")
		s.prose(x.Remedy)
	}
	s.about(x, levels)
	s.raw("</div></details>\n")
}

// about says on what a requirement rests. Where something is wrong, each
// source is named whole and linked; elsewhere by the key under which it stands at
// the end of the page: the same ninety documents are cited six hundred times.
func (s *sheet) about(x *row, levels []level) {
	s.raw("\n<p>")
	for i, src := range x.Links {
		if i > 0 {
			s.raw("; ")
		}
		if x.Mend || src.Anchor == "" {
			s.link(src.Link)
			s.after(src.Section, ", ")
		} else {
			s.raw("<a")
			s.attr("href", "#"+src.Anchor)
			s.raw(">")
			s.text(src.Key)
			s.raw("</a>")
			s.after(src.Section, " ")
		}
		s.raw(" (")
		s.name("rests", src.Basis)
		s.raw(")")
	}
	if len(x.Links) == 0 {
		s.t("Aucune source", "No source")
	}
	for i := range levels {
		if levels[i].Basis == x.LevelBasis && x.Level != "unknown" {
			s.raw("; <a")
			s.attr("href", "#"+levels[i].Anchor)
			s.raw(">")
			s.t("niveau", "level")
			s.raw("</a>")
		}
	}
	if x.Verification != "automatic" {
		s.t("; vérification ", "; verification ")
		s.name("verification", x.Verification)
	}
	if x.Family != usual(x.Theme) {
		s.t("; famille ", "; family ")
		s.name("family", x.Family)
	}
	for i, f := range x.Formerly {
		if i == 0 {
			s.t("; autrefois ", "; formerly ")
		} else {
			s.raw(", ")
		}
		s.text(f)
	}
}

// usual is the family of most requirements of a theme, which goes without saying.
func usual(theme string) string {
	switch theme {
	case "interop":
		return "technical"
	case "governance":
		return "urbanisation"
	}
	return theme
}

// after writes what there is, after a sign.
func (s *sheet) after(v string, before markup) {
	if v != "" {
		s.raw(before)
		s.text(v)
	}
}

// link writes an address that safeLink has judged.
func (s *sheet) link(l link) {
	if l.Href == "" {
		s.text(l.Label)
		return
	}
	s.raw("<a")
	s.attr("href", l.Href)
	s.raw(">")
	s.text(l.Label)
	s.raw("</a>")
}

// check is one check of a requirement; its verdict is said where it is not the only
// one.
func (s *sheet) check(c *check, verdict bool) {
	s.raw("\n<li><p>")
	if verdict {
		s.raw("<b")
		s.attr("class", "v-"+verdictClass(c.Verdict))
		s.raw(">")
		s.text(c.Word)
		s.raw("</b> ")
	}
	s.raw("<b>")
	s.text(c.ID)
	s.raw("</b> ")
	if !c.SameTitle {
		s.prose(c.Title)
	}
	s.raw(" <small>")
	s.name("saw", c.Witness)
	for i, name := range c.Traces {
		s.raw(", ")
		if i == maxTraces && len(c.Traces) > maxTraces+1 {
			s.t("et d'autres, au nombre de ", "and others, in number ")
			s.number(len(c.Traces) - maxTraces)
			break
		}
		s.text(name)
	}
	for i, p := range c.Proof {
		if i == 0 {
			s.raw(", ")
			if c.Occasions > 1 {
				s.number(c.Occasions)
				s.t(" fois : ", " times: ")
			}
		} else {
			s.raw(", ")
		}
		s.code(p)
	}
	s.raw("</small>")
	if !c.Reason.Empty() && !c.SameReason {
		s.raw("<p>")
		s.prose(c.Reason)
	}
	for i := range c.Findings {
		s.finding(&c.Findings[i])
	}
	for i := range c.Images {
		s.image(&c.Images[i])
	}
	if c.More > 0 {
		s.raw("<p class=soft>")
		s.t("Autres constats, dans report.json : ", "Other findings, in report.json: ")
		s.number(c.More)
	}
}

// finding is what was seen, expected beside actual, and the exchange that shows it.
func (s *sheet) finding(f *finding) {
	s.raw("<div class=finding><p><b>")
	s.text(words.Capital(s.l.Typeset(s.l.Of(f.Message))))
	s.raw("</b></p>")
	if f.Expected != "" || f.Actual != "" {
		s.raw("<dl class=compare><div class=want><dt>")
		s.t("Attendu", "Expected")
		s.raw("<dd>")
		s.code(f.Expected)
		s.raw("</div><div class=got><dt>")
		s.t("Vu", "Seen")
		s.raw("<dd>")
		s.code(f.Actual)
		s.raw("</div></dl>")
	}
	if f.Image != nil {
		s.image(f.Image)
	}
	if f.Setting != "" {
		s.raw("<p class=soft>")
		s.t("Repose sur le réglage ", "Rests on the setting ")
		s.code(f.Setting)
		s.raw("</p>")
	}
	if f.Exchange != nil {
		s.exchange(f)
	}
	if len(f.Same) > 0 {
		s.raw("<p class=soft>")
		s.t("La même chose dans ", "The same in ")
		s.text(strings.Join(f.Same[:min(len(f.Same), maxSame)], ", "))
		if more := len(f.Same) - maxSame; more > 0 {
			s.t(" et d'autres, au nombre de ", " and others, in number ")
			s.number(more)
		}
		s.raw("</p>")
	}
	s.raw("</div>")
}

func (s *sheet) exchange(f *finding) {
	x := f.Exchange
	if f.Shown != nil {
		s.raw("<figure><figcaption>")
		s.t("Échange ", "Exchange ")
		s.raw("<b>")
		s.text(x.ID)
		s.raw("</b>, ")
		s.text(x.Route)
		s.t(" : ", ": ")
		s.name("party", x.From)
		s.raw(" → ")
		s.name("party", x.To)
		s.raw(", <time")
		s.attr("datetime", x.Moment.Machine)
		s.raw(">")
		s.text(x.Moment.Human)
		s.raw("</time>, ")
		s.text(x.Took)
		s.with(x.Scenario, "scénario ", "scenario ")
		s.with(x.Fault, "incident provoqué ", "planned fault ")
		s.with(x.Error, "réponse incomplète : ", "no whole response: ")
		s.raw("</figcaption>")
		s.message("Requête", "Request", f.Shown.Request, x.Request.Body)
		s.message("Réponse", "Response", f.Shown.Response, x.Response.Body)
		if f.Shown.Missing != "" {
			s.raw("<p class=absent>")
			if f.Shown.Marked {
				s.t("Absent du message, près de la ligne marquée : ", "Absent from the message, near the marked line: ")
			} else {
				s.t("Absent du message : ", "Absent from the message: ")
			}
			s.code(f.Shown.Missing)
			s.raw("</p>")
		}
		s.raw("</figure>")
	}
	switch {
	case f.Whole != nil && !f.Here:
		s.raw("<p class=soft>")
		s.t("Tout l'échange ", "The whole of exchange ")
		s.text(x.ID)
		s.t(" : ", ": ")
		s.raw("<a")
		s.attr("href", "#"+f.Whole.Anchor)
		s.raw(">")
		s.text(f.Whole.Requirement)
		s.raw("</a></p>")
	case f.Shown == nil:
		s.raw("<p class=soft>")
		s.t("Échange ", "Exchange ")
		s.text(x.ID)
		if f.Here {
			s.t(", plus haut", ", above")
			s.raw("</p>")
			return
		}
		if f.Like != "" {
			s.t(", semblable à ", ", like ")
			s.text(f.Like)
			s.raw("</p>")
			return
		}
		s.raw(" (")
		s.text(x.Route)
		s.raw(")")
		s.t(" : ", ": ")
		s.raw("report.json</p>")
	}
}

// with adds to a line what there is.
func (s *sheet) with(v, fr, en string) {
	if v != "" {
		s.raw(", ")
		s.t(fr, en)
		s.text(v)
	}
}

func (s *sheet) message(fr, en string, m message, b reports.Body) {
	if len(m.Lines) == 0 {
		return
	}
	s.raw("<p class=side>")
	s.t(fr, en)
	s.raw("<pre><code>")
	for _, l := range m.Lines {
		switch {
		case l.Gap > 0:
			s.raw("<i>⋯ ")
			s.number(l.Gap)
			s.text(s.l.Many(l.Gap, s.said.t(" ligne", " line"), s.said.t(" lignes", " lines")))
			s.raw("</i>\n")
		case l.Mark:
			s.raw("<mark><span class=sr>")
			s.t("Ligne en cause : ", "Telling line: ")
			s.raw("</span>")
			s.text(l.Text)
			s.raw("</mark>\n")
		default:
			s.text(l.Text)
			s.raw("\n")
		}
	}
	s.raw("</code></pre>")
	if m.Cut || b.Artifact != "" {
		s.raw("<p class=soft>")
		s.t("Le corps entier (", "The whole body (")
		s.number(b.Size)
		s.t(" octets) : ", " bytes): ")
		if b.Artifact == "" {
			s.raw("journal.jsonl")
		} else {
			s.text(b.Artifact)
		}
		s.raw("</p>")
	}
}

func (s *sheet) image(m *image) {
	s.raw("<figure class=shot>")
	if m.Shown {
		s.raw("<a")
		s.attr("href", m.File)
		s.raw("><img")
		s.attr("src", m.File)
		s.attr("alt", s.l.Typeset(s.l.Of(m.Alt)))
		s.raw(" width=")
		s.number(m.Width)
		s.raw(" height=")
		s.number(m.Height)
		s.raw(" loading=lazy></a>")
	}
	s.raw("<figcaption>")
	s.name("picture", m.Of)
	if !m.Shown {
		s.t(" : ", ": ")
		s.prose(m.Alt)
	}
	s.raw(" ")
	s.code(m.File)
	s.raw("</figcaption></figure>")
}
