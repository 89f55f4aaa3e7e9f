// Package texts holds what is judged of the texts that a service publishes: who
// publishes it, what becomes of data, on which terms, how accessible it is. Two
// suites take their specs from here, governance and ethics. What is recognised in
// a text is shown, as a sentence, to a person who decides; that something is not
// in a text is said only where all of it was read.
package texts

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/etalon-sante/etalon/sandbox/record"
	. "github.com/etalon-sante/etalon/suites/lab"
	"github.com/etalon-sante/etalon/suites/probe/browser"
	"github.com/etalon-sante/etalon/suites/probe/text"
	"github.com/etalon-sante/etalon/suites/probe/web"
	"github.com/etalon-sante/etalon/suites/wording"
)

const (
	chapter   = "texts"
	textProbe = "texts"
)

// Published is what is recorded of one look: the texts, and what the manifest says
// that they are compared with.
type Published struct {
	text.Result
	Editor string `json:"editor"`
	SIREN  string `json:"siren"`
	Kind   string `json:"kind"` // of editor
}

// Texts declares the scenario that reads the texts of the service. Several suites
// read it.
func Texts(l *Lab) *Scenario {
	return l.Shared(chapter, "published-texts", "the texts that the service publishes are looked for from its home page, and read", look, Late())
}

func look(ctx context.Context, s *Stage) error {
	c := s.Candidate()
	site := c.Web.Site
	if site == "" {
		site = c.Web.Production
	}
	o := text.Options{
		Web: web.Options{
			Site: site, Named: []string{c.Web.Production}, Roots: s.Roots(), Now: s.Now, Timeout: c.Timing.Action, Interval: -1, Pace: s.Pace(),
			Name: nameIn(s), Note: func(at time.Time, x record.Exchange) string { return s.Exchange(at, x) },
		},
		Now: s.Now, Lacking: lacking,
	}
	for _, p := range c.Web.Pages {
		o.Pages = append(o.Pages, text.Target{Path: p.Path, Role: p.Role})
	}
	if s.Chromium().Missing() == (browser.Text{}) {
		v := browser.Visit{Site: site, Named: []string{c.Web.Production, c.Web.Plain}, Now: s.Now}
		o.Render = func(ctx context.Context, at *url.URL) (string, error) {
			if err := s.Pace().Wait(ctx, at.Hostname()); err != nil {
				return "", err
			}
			return s.Chromium().Markup(ctx, v, at)
		}
	}
	res, err := text.Look(ctx, o)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		return s.Probe(textProbe, site, nil, err)
	}
	return s.Probe(textProbe, site, Published{Result: res, Editor: c.Editor.Name, SIREN: c.Editor.SIREN, Kind: c.Editor.Kind}, nil)
}

// nameIn keeps what may be a secret out of what is recorded.
func nameIn(s *Stage) func(kind, value string) string {
	const least = 16
	return func(kind, value string) string {
		if len(value) < least {
			return "«" + kind + "»"
		}
		s.Secret(kind, value)
		return value // replaced when the scenario's records are written
	}
}

// shown states the occasion: the texts were looked for. Where they could not be,
// the reason is the probe's.
func shown(s *Scenario) (Trace, Published) {
	t := s.Trace()
	for _, r := range t.Probes(textProbe).Records {
		if r.Probe.Error != "" {
			t.Untested(Text{FR: "les textes n’ont pas pu être cherchés : " + r.Probe.Error, EN: "the texts could not be looked for: " + r.Probe.Error})
		}
	}
	kept := t.Probes(textProbe).Where(func(r record.Record) bool { return len(publishedOf(r).Pages) > 0 }).Occasion()
	return kept, publishedOf(kept.First())
}

// publishedOf reads what was recorded. What cannot be read is a fault of ours, and
// breaks the check off.
func publishedOf(r record.Record) Published {
	if r.Probe.Error != "" {
		return Published{}
	}
	return record.Seen[Published](r)
}

// of gives the documents of some roles that were read; the home page is one of
// them only when it is asked for.
func (p Published) of(roles ...string) []text.Page {
	var out []text.Page
	for _, page := range p.Pages {
		if page.State == web.Read && slices.ContainsFunc(roles, page.Is) {
			out = append(out, page)
		}
	}
	return out
}

// addresses names pages.
func addresses(pages []text.Page) string {
	var out []string
	for _, p := range pages {
		out = append(out, p.URL)
	}
	return strings.Join(out, ", ")
}

// unread says why not all that pages say is known; the empty text when it is.
func unread(p Published, pages []text.Page) Text {
	for _, page := range pages {
		switch {
		case page.Whole():
		case page.How == "" && p.Missing != (text.Words{}):
			return Text{FR: page.URL + " n’a pas été lu : " + p.Missing.FR, EN: page.URL + " was not read: " + p.Missing.EN}
		case page.How == "":
			return Text{FR: page.URL + " n’a pas été lu : " + page.Reason, EN: page.URL + " was not read: " + page.Reason}
		case page.Cut:
			return Text{FR: page.URL + " n’a pas été lu en entier" + because(page.Reason), EN: page.URL + " was not read whole" + because(page.Reason)}
		case !p.Browser:
			return Text{
				FR: page.URL + " ne contient presque rien tant que ses scripts n’ont pas couru : jouez la campagne avec --browser auto pour qu’un navigateur la montre",
				EN: page.URL + " holds next to nothing until its scripts have run: run with --browser auto for a browser to show it",
			}
		default:
			return Text{FR: page.URL + " ne montre presque rien, même dans un navigateur" + because(page.Reason), EN: page.URL + " shows next to nothing, in a browser too" + because(page.Reason)}
		}
	}
	return Text{}
}

func because(reason string) string {
	if reason == "" {
		return ""
	}
	return " (" + reason + ")"
}

// name of what a role is, in a sentence.
func name(role string) Text {
	switch role {
	case text.Legal:
		return Text{FR: "les mentions légales", EN: "the legal notice"}
	case text.Privacy:
		return Text{FR: "la politique de confidentialité", EN: "the privacy policy"}
	case text.Terms:
		return Text{FR: "les conditions d’utilisation", EN: "the terms of use"}
	case text.Accessibility:
		return Text{FR: "la déclaration d’accessibilité", EN: "the statement of accessibility"}
	case text.Plan:
		return Text{FR: "le schéma pluriannuel d’accessibilité", EN: "the multi-year plan of accessibility"}
	case text.EcoDesign:
		return Text{FR: "la déclaration d’écoconception", EN: "the statement of eco-design"}
	case text.Help:
		return Text{FR: "la page d’aide ou de contact", EN: "the page of help or contact"}
	case text.AI:
		return Text{FR: "la page sur l’intelligence artificielle", EN: "the page about artificial intelligence"}
	case text.Content:
		return Text{FR: "les pages de contenu de santé", EN: "the pages of health content"}
	}
	return Text{FR: "les pages lues", EN: "the pages read"}
}

// item is something that texts of some roles must say.
type item struct {
	roles []string // in the texts of any of them
	needs []string // those that must have been found for it to be absent; nil: the first one
	what  Text     // "le responsable du traitement"
	find  func([]text.Page) wording.Reading
	// vague has what speaks of it without saying it; nil: nothing is looked for.
	vague func([]text.Page) wording.Reading
}

// in makes a subject one that is looked for in each text.
func in(s wording.Subject) func([]text.Page) wording.Reading {
	return func(pages []text.Page) wording.Reading {
		var out wording.Reading
		for _, p := range pages {
			out.Add(s.Find(p.Sentences))
		}
		return out
	}
}

// judge judges one item. What denies it is against it, what says it is for a person
// to read, and that nothing does is a finding where all was read.
func judge(s *Scenario, it item) {
	t, p := shown(s)
	pages := p.of(it.roles...)
	if len(pages) == 0 {
		missing(t, p, it.roles[0])
	}
	found := it.find(pages)
	switch {
	case len(found.Denies) > 0 && len(found.Says) == 0:
		t.Report(At(t.First(), "texts.denied", Text{
			FR: fmt.Sprintf("le texte dit le contraire de ce qu’il doit dire (%s) : « %s »", it.what.FR, found.Denies[0]),
			EN: fmt.Sprintf("the text says the contrary of what it must say (%s): \"%s\"", it.what.EN, found.Denies[0]),
		}).Was(it.what.FR, found.Denies[0]))
		return
	case len(found.Denies) > 0:
		t.Review(Text{
			FR: fmt.Sprintf("deux phrases semblent se contredire (%s) : « %s » et « %s ». Laquelle vaut ?", it.what.FR, found.Says[0], found.Denies[0]),
			EN: fmt.Sprintf("two sentences seem to contradict each other (%s): \"%s\" and \"%s\". Which one holds?", it.what.EN, found.Says[0], found.Denies[0]),
		})
	case len(found.Says) > 0:
		t.Review(Text{
			FR: fmt.Sprintf("trouvé (%s) : %s. Ces mots disent-ils ce qu’il faut, et est-ce exact ?", it.what.FR, quoted(found.Says, "«\u00a0", "\u00a0»")),
			EN: fmt.Sprintf("found (%s): %s. Do these words say what is needed, and is it exact?", it.what.EN, quoted(found.Says, "\"", "\"")),
		})
	case len(found.Unclear) > 0:
		unclear(t, it.what, found.Unclear)
	}
	if it.vague != nil {
		if v := it.vague(pages); len(v.Says) > 0 {
			unclear(t, it.what, v.Says)
		}
	}
	needs := it.needs
	if needs == nil {
		needs = it.roles[:1]
	}
	for _, role := range needs {
		if len(p.of(role)) == 0 {
			missing(t, p, role)
		}
	}
	absent(t, p, pages, it)
}

func unclear(t Trace, what Text, quotes []string) {
	t.Review(Text{
		FR: fmt.Sprintf("il en est question (%s), mais ce qui est dit n’est pas clair pour un programme : %s. Qu’en est-il ?", what.FR, quoted(quotes, "«\u00a0", "\u00a0»")),
		EN: fmt.Sprintf("it is spoken of (%s), but what is said is not plain to a program: %s. What does it say?", what.EN, quoted(quotes, "\"", "\"")),
	})
}

// absent ends an item that nothing speaks of.
func absent(t Trace, p Published, pages []text.Page, it item) {
	if why := unread(p, pages); why != (Text{}) {
		t.Untested(why)
	}
	t.Report(At(t.First(), "texts.absent", Text{
		FR: fmt.Sprintf("rien ne dit %s dans ce qui a été lu : %s", it.what.FR, addresses(pages)),
		EN: fmt.Sprintf("nothing says %s in what was read: %s", it.what.EN, addresses(pages)),
	}).Was(it.what.FR, "—"))
}

func quoted(quotes []string, open, close string) string {
	const most = 2
	var out []string
	for i, q := range quotes {
		if i == most {
			break
		}
		out = append(out, open+strings.TrimSuffix(strings.TrimSpace(short(q)), ".")+close)
	}
	return strings.Join(out, " ; ")
}

func short(s string) string {
	const most = 320
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}

// missing ends a leaf whose text was not found.
func missing(t Trace, p Published, role string) {
	n := name(role)
	for _, page := range p.Pages {
		if page.Is(role) && page.State != web.Read {
			t.Untested(Text{
				FR: fmt.Sprintf("%s (%s) : pas lu, %s", n.FR, page.URL, page.Reason),
				EN: fmt.Sprintf("%s (%s): not read, %s", n.EN, page.URL, page.Reason),
			})
		}
	}
	t.Untested(Text{
		FR: fmt.Sprintf("aucun lien ne mène à un texte qui soit %s ; s’il existe, nommez sa page dans « web.pages » (rôle %s)", n.FR, role),
		EN: fmt.Sprintf("no link leads to a text that is %s; if there is one, name its page in \"web.pages\" (role %s)", n.EN, role),
	})
}

// reachable judges that a text is there: a link, or the manifest, leads to it, it
// answers, and it bears its name.
func reachable(s *Scenario, role string) {
	t, p := shown(s)
	n := name(role)
	var bad []Finding
	for _, page := range p.Pages {
		if !page.Is(role) {
			continue
		}
		switch page.State {
		case web.Failed:
			bad = append(bad, At(t.First(), "texts.no-answer", Text{
				FR: fmt.Sprintf("un lien annonce %s, et son adresse ne donne rien : %s (%s)", n.FR, page.URL, page.Reason),
				EN: fmt.Sprintf("a link announces %s, and its address gives nothing: %s (%s)", n.EN, page.URL, page.Reason),
			}).Was("200", fmt.Sprint(page.Status)))
		case web.Elsewhere:
			if len(p.of(role)) == 0 {
				t.Untested(Text{FR: page.URL + " : " + page.Reason, EN: page.URL + ": " + page.Reason})
			}
		}
	}
	pages := p.of(role)
	switch {
	case len(bad) > 0:
		t.Report(bad...)
		return
	case len(pages) == 0:
		home := p.of(text.Home)
		if why := unread(p, home); why != (Text{}) {
			t.Untested(why)
		}
		t.Report(At(t.First(), "texts.not-found", Text{
			FR: fmt.Sprintf("aucun lien de la page d’accueil ni des pages lues n’annonce %s, et le manifeste n’en nomme pas l’adresse", n.FR),
			EN: fmt.Sprintf("no link of the home page nor of the pages read announces %s, and the manifest names no address for it", n.EN),
		}).Was(role, "—"))
		return
	}
	for _, page := range pages {
		if bears(page, role) {
			return
		}
	}
	if why := unread(p, pages); why != (Text{}) {
		t.Untested(why)
	}
	t.Review(Text{
		FR: fmt.Sprintf("un lien annonce %s, mais la page %s porte un autre titre : « %s ». Est-ce bien ce texte ?", n.FR, pages[0].URL, pages[0].Title),
		EN: fmt.Sprintf("a link announces %s, but page %s bears another title: \"%s\". Is it that text?", n.EN, pages[0].URL, pages[0].Title),
	})
}

// bears says whether a document says of itself that it is what its role says.
func bears(p text.Page, role string) bool {
	if p.How == "" {
		return false
	}
	if slices.Contains(text.Roles(p.Title, ""), role) {
		return true
	}
	for i, s := range p.Sentences {
		if (s.Heading && !s.Around || p.How == text.PDF && i < 5) && len(strings.Fields(s.Text)) <= 14 && slices.Contains(text.Roles(s.Text, ""), role) {
			return true
		}
	}
	return false
}

// Policies are the texts in which a service names who else learns something, with
// the reason for which not all of them is known; the empty text when all is.
func Policies(s *Scenario) (Trace, []text.Page, Text) {
	t, p := shown(s)
	pages := p.of(text.Privacy, text.Cookies, text.Legal)
	if len(p.of(text.Privacy)) == 0 {
		missing(t, p, text.Privacy)
	}
	return t, pages, unread(p, pages)
}
