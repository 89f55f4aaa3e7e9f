package texts

import (
	"fmt"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"

	. "github.com/etalon-sante/etalon/suites/lab"
	"github.com/etalon-sante/etalon/suites/probe/text"
	"github.com/etalon-sante/etalon/suites/probe/web"
	"github.com/etalon-sante/etalon/suites/wording"
)

// anywhere are the roles in which a warning may stand: all of them.
func anywhere() []string {
	return []string{text.Home, text.Help, text.Content, text.Terms, text.Legal, text.Report}
}

func ethicsItems() map[string]item {
	return map[string]item{
		"ETH-102.1": {roles: []string{text.Accessibility}, what: Text{FR: "comment signaler ce qui n’est pas accessible", EN: "how to report what is not accessible"}, find: in(wording.ContactForAccess())},
		"ETH-102.2": {roles: []string{text.Accessibility}, what: Text{FR: "le recours au Défenseur des droits", EN: "the recourse to the Defender of Rights"}, find: in(wording.Remedies())},
		"ETH-104.2": {roles: []string{text.EcoDesign}, what: Text{FR: "ce qui a été mesuré", EN: "what was measured"}, find: in(wording.EcoFigures())},
		"ETH-105.1": {roles: anywhere(), what: Text{FR: "que le service ne remplace pas un professionnel de santé", EN: "that the service does not take the place of a health professional"}, find: in(wording.NoSubstitute())},
		"ETH-105.2": {roles: anywhere(), what: Text{FR: "le numéro à appeler en cas d’urgence (15 ou 112)", EN: "the number to call in an emergency (15 or 112)"}, find: emergency},
		"ETH-106.1": {roles: append([]string{text.Report}, anywhere()...), needs: []string{text.Home}, what: Text{FR: "comment signaler une erreur dans un contenu", EN: "how to report a mistake in a content"}, find: reports},
		"ETH-108.1": {roles: []string{text.Help, text.Home, text.Legal}, needs: []string{text.Home}, what: Text{FR: "comment joindre l’assistance", EN: "how to reach support"}, find: support},
		"ETH-109.1": {roles: []string{text.AI, text.Home, text.Help, text.Terms, text.Privacy, text.Content}, needs: []string{text.Home}, what: Text{FR: "qu’une intelligence artificielle intervient", EN: "that an artificial intelligence takes part"}, find: in(wording.AINotice())},
	}
}

// EthicsSpecs registers what users are to be told.
func EthicsSpecs(l *Lab) {
	s := Texts(l)
	says := func(check string) { judge(s, ethicsItems()[check]) }
	Describe("The statement of accessibility", func() {
		It("can be reached from each page", Check("ETH-100.1"), Reads(s), func() { statementLinked(s) })
		It("is announced with the state that it gives", Check("ETH-100.2"), Reads(s), func() { announced(s) })
		It("gives the state in the words of its model", Check("ETH-101.1"), Reads(s), func() { state(s) })
		It("gives a rate that agrees with the state", Check("ETH-101.2"), Reads(s), func() { rate(s) })
		It("is not older than three years", Check("ETH-101.3"), Reads(s), func() { recent(s) })
		It("says how to report what is not accessible", Check("ETH-102.1"), Reads(s), func() { says("ETH-102.1") })
		It("says what remains when nobody answers", Check("ETH-102.2"), Reads(s), func() { says("ETH-102.2") })
		It("leads to a plan for the years to come", Check("ETH-103.1"), Reads(s), func() { plan(s) })
	})
	Describe("The statement of eco-design", func() {
		It("can be found and read", Check("ETH-104.1"), Reads(s), func() { reachable(s, text.EcoDesign) })
		It("says what was measured", Check("ETH-104.2"), Reads(s), func() { says("ETH-104.2") })
	})
	Describe("The texts", func() {
		It("say that the service does not take the place of care", Check("ETH-105.1"), Reads(s), func() { says("ETH-105.1") })
		It("give the number for emergencies", Check("ETH-105.2"), Reads(s), func() { says("ETH-105.2") })
		It("say how to report a mistake", Check("ETH-106.1"), Reads(s), func() { says("ETH-106.1") })
		It("about health are dated", Check("ETH-107.1"), Reads(s), func() { contentDated(s) })
		It("say how to reach support", Check("ETH-108.1"), Reads(s), func() { says("ETH-108.1") })
		It("say that an artificial intelligence takes part", Check("ETH-109.1"), Reads(s), func() { says("ETH-109.1") })
	})
}

// emergency finds the number, and tells whether the one for those who do not hear
// is there too.
func emergency(pages []text.Page) wording.Reading {
	out := in(wording.Emergency())(pages)
	if also := in(wording.Emergency114())(pages); len(out.Says) > 0 && len(also.Says) > 0 && !slices.Contains(out.Says, also.Says[0]) {
		out.Says = append(out.Says[:1], also.Says[0])
	}
	return out
}

// reports finds a link that is made for it, or a sentence that says it.
func reports(pages []text.Page) wording.Reading {
	out := in(wording.ReportMistake())(pages)
	for _, p := range pages {
		for _, k := range p.Links {
			if slices.Contains(k.Roles, text.Report) && len(out.Says) == 0 {
				out.Says = append(out.Says, k.Label+" ("+k.URL+")")
			}
		}
	}
	return out
}

// support finds a sentence that says it, on the pages that are for it or on the
// home page; failing that, a link to write or call, a form, or what the legal notice
// gives, which is another thing.
func support(pages []text.Page) wording.Reading {
	var out wording.Reading
	for _, p := range pages {
		if p.Is(text.Help) || p.Is(text.Home) {
			out.Add(wording.Support().Find(p.Sentences))
			continue
		}
		for _, x := range wording.Telephones(p.Sentences) {
			if !x.Host {
				out.Unclear = append(out.Unclear, x.Quote)
			}
		}
	}
	for _, p := range pages {
		for _, c := range p.Contacts {
			out.Unclear = append(out.Unclear, c+" ("+p.URL+")")
		}
		if p.Is(text.Help) && p.Forms > 0 {
			out.Unclear = append(out.Unclear, "un formulaire ("+p.URL+")")
		}
	}
	return out
}

// statementLinked: each page that was read whole has a link to the statement. This
// is exact.
func statementLinked(s *Scenario) {
	t, p := shown(s)
	var without []string
	linked := 0
	for _, page := range p.Pages {
		if page.State != web.Read || page.How == text.PDF || page.How == "" || page.Is(text.Accessibility) {
			continue
		}
		switch has := slices.ContainsFunc(page.Links, func(k text.Link) bool { return slices.Contains(k.Roles, text.Accessibility) }); {
		case has:
			linked++
		case page.Whole():
			without = append(without, page.URL)
		default:
			t.Untested(unread(p, []text.Page{page}))
		}
	}
	if len(without) > 0 {
		t.Report(At(t.First(), "texts.accessibility-link", Text{
			FR: fmt.Sprintf("%d pages n’ont pas de lien vers la déclaration d’accessibilité : %s", len(without), few(without)),
			EN: fmt.Sprintf("%d pages have no link to the statement of accessibility: %s", len(without), few(without)),
		}).Was("accessibilité", fmt.Sprintf("%d / %d", linked, linked+len(without))))
		return
	}
	reachable(s, text.Accessibility)
}

func few(all []string) string {
	if len(all) > 5 {
		return strings.Join(all[:5], ", ") + ", …"
	}
	return strings.Join(all, ", ")
}

func statesOf(pages []text.Page) []wording.State {
	var out []wording.State
	for _, p := range pages {
		got, _ := wording.States(p.Sentences)
		for _, st := range got {
			if !slices.Contains(out, st) {
				out = append(out, st)
			}
		}
	}
	return out
}

// announced: the link on the home page bears the state, the same as the statement.
func announced(s *Scenario) {
	t, p := shown(s)
	pages := p.of(text.Accessibility)
	if len(pages) == 0 {
		missing(t, p, text.Accessibility)
	}
	home := p.of(text.Home)
	states := statesOf(pages)
	var said []wording.State
	label := ""
	for _, page := range home {
		for _, k := range page.Links {
			if slices.Contains(k.Roles, text.Accessibility) {
				label = k.Label
				said = append(said, wording.StateIn(k.Label)...)
			}
		}
	}
	if len(said) == 0 { // the mention may stand beside the link
		for _, page := range home {
			for _, x := range page.Sentences {
				if strings.Contains(wording.Fold(x.Text), "accessibilite") {
					said = append(said, wording.StateIn(x.Text)...)
				}
			}
		}
	}
	if len(said) == 0 {
		if why := unread(p, home); why != (Text{}) {
			t.Untested(why)
		}
		t.Report(At(t.First(), "texts.state-not-announced", Text{
			FR: "la page d’accueil ne dit pas l’état du service : totalement, partiellement ou non conforme",
			EN: "the home page does not give the state of the service: wholly, partly or not conforming",
		}).Was("Accessibilité : partiellement conforme", either(label, "—")))
		return
	}
	if len(states) == 1 && !slices.Contains(said, states[0]) {
		t.Report(At(t.First(), "texts.state-differs", Text{
			FR: fmt.Sprintf("la page d’accueil annonce « %s », et la déclaration un autre état", label),
			EN: fmt.Sprintf("the home page announces \"%s\", and the statement another state", label),
		}).Was(string(states[0]), label))
		return
	}
	if len(states) != 1 {
		t.Untested(Text{
			FR: "la déclaration ne donne pas un état et un seul, auquel comparer celui qui est annoncé",
			EN: "the statement does not give one state and one only, with which to compare the one announced",
		})
	}
}

// state: the law gives the words, so that finding one of them, and no other, is
// exact. That it is the true one rests on the audit, which a person opens (ETH-91).
func state(s *Scenario) {
	t, p := shown(s)
	pages := p.of(text.Accessibility)
	if len(pages) == 0 {
		missing(t, p, text.Accessibility)
	}
	switch got := statesOf(pages); len(got) {
	case 1:
	case 0:
		absent(t, p, pages, item{what: Text{FR: "l’état de conformité au RGAA (totalement, partiellement ou non conforme)", EN: "the state of conformity with the RGAA (wholly, partly or not conforming)"}})
	default:
		var quotes []string
		for _, page := range pages {
			_, q := wording.States(page.Sentences)
			quotes = append(quotes, q...)
		}
		unclear(t, Text{FR: "l’état de conformité", EN: "the state of conformity"}, quotes)
	}
}

// rate: a share of criteria that are kept. Partly is half of them at least, wholly
// is all.
func rate(s *Scenario) {
	t, p := shown(s)
	pages := p.of(text.Accessibility)
	if len(pages) == 0 {
		missing(t, p, text.Accessibility)
	}
	var rates []wording.Rate
	for _, page := range pages {
		rates = append(rates, wording.Rates(page.Sentences)...)
	}
	states := statesOf(pages)
	what := Text{FR: "le taux de critères respectés", EN: "the share of criteria that are kept"}
	if len(rates) == 0 {
		if len(states) == 1 && states[0] == wording.None && len(audits(pages)) > 0 {
			unclear(t, what, audits(pages))
		}
		absent(t, p, pages, item{what: what})
		return
	}
	if len(states) == 1 {
		fits := func(r wording.Rate) bool {
			switch states[0] {
			case wording.Total:
				return r.Percent == 100
			case wording.Partial:
				return r.Percent >= 50
			}
			return true // below half, or without a valid audit
		}
		if !slices.ContainsFunc(rates, fits) {
			t.Report(At(t.First(), "texts.rate", Text{
				FR: fmt.Sprintf("le taux ne s’accorde pas avec l’état annoncé (%s) : « %s »", states[0], short(rates[0].Quote)),
				EN: fmt.Sprintf("the rate does not agree with the state announced (%s): \"%s\"", states[0], short(rates[0].Quote)),
			}).Was("partielle : ≥ 50 % ; totale : 100 %", fmt.Sprintf("%g %%", rates[0].Percent)))
			return
		}
	}
	t.Review(Text{
		FR: fmt.Sprintf("taux lu : « %s ». Est-ce celui du rapport d’audit ?", short(rates[0].Quote)),
		EN: fmt.Sprintf("rate read: \"%s\". Is it the one of the audit's report?", short(rates[0].Quote)),
	})
}

// audits are sentences about an audit, or its absence.
func audits(pages []text.Page) []string {
	return in(wording.Subject{Says: []wording.Pattern{{{"audit"}}}})(pages).Says
}

// recent: a statement holds three years at most.
func recent(s *Scenario) {
	const years = 3
	t, p := shown(s)
	pages := p.of(text.Accessibility)
	if len(pages) == 0 {
		missing(t, p, text.Accessibility)
	}
	var last wording.Day
	for _, page := range pages {
		for _, d := range wording.Days(page.Sentences, "etabli", "mise a jour", "audit", "realis", "declaration", "version", "publie", "revis", "date_") {
			if d.Label && d.Date.After(last.Date) && !d.Date.After(p.At) && !strings.Contains(wording.Fold(d.Quote), "loi ") {
				last = d
			}
		}
	}
	if last.Quote == "" {
		absent(t, p, pages, item{what: Text{FR: "de quand date la déclaration ou l’audit", EN: "when the statement or the audit dates from"}})
		return
	}
	if last.Date.AddDate(years, 0, 0).Before(p.At) {
		t.Report(At(t.First(), "texts.statement-old", Text{
			FR: fmt.Sprintf("la date la plus récente de la déclaration a plus de trois ans : « %s »", short(last.Quote)),
			EN: fmt.Sprintf("the most recent date of the statement is older than three years: \"%s\"", short(last.Quote)),
		}).Was("< 3 ans", last.Date.Format("2006-01-02")))
		return
	}
	t.Review(Text{
		FR: fmt.Sprintf("date la plus récente : « %s ». Le service a-t-il été refondu depuis, et l’audit vaut-il encore ?", short(last.Quote)),
		EN: fmt.Sprintf("most recent date: \"%s\". Was the service redesigned since, and does the audit still hold?", short(last.Quote)),
	})
}

// plan: what a statement announces is there, and covers today. Who is bound to have
// one is not known from outside: that there is none is left to a person, but for a
// public publisher.
func plan(s *Scenario) {
	t, p := shown(s)
	statement := p.of(text.Accessibility)
	if len(statement) == 0 {
		missing(t, p, text.Accessibility)
	}
	for _, page := range p.Pages {
		if page.Is(text.Plan) && page.State == web.Failed {
			t.Report(At(t.First(), "texts.plan-no-answer", Text{
				FR: fmt.Sprintf("la déclaration mène à un schéma pluriannuel, et son adresse ne donne rien : %s (%s)", page.URL, page.Reason),
				EN: fmt.Sprintf("the statement leads to a multi-year plan, and its address gives nothing: %s (%s)", page.URL, page.Reason),
			}).Was("200", fmt.Sprint(page.Status)))
			return
		}
	}
	pages := p.of(text.Plan)
	if len(pages) == 0 { // it may stand in the statement itself
		for _, page := range statement {
			if found := (wording.Subject{Says: []wording.Pattern{{{"schema pluriannuel", "plan pluriannuel", "plan d'action"}}}}).Find(page.Sentences); len(found.Says) > 0 {
				unclear(t, name(text.Plan), found.Says)
			}
		}
		if p.Kind == "public" || p.Kind == "establishment" {
			absent(t, p, statement, item{what: Text{FR: "où se trouve le schéma pluriannuel d’accessibilité", EN: "where the multi-year plan of accessibility is"}})
			return
		}
		t.Review(Text{
			FR: "aucun schéma pluriannuel n’a été trouvé. L’éditeur est-il de ceux qui doivent en publier un (organisme public, ou chiffre d’affaires de plus de 250 millions d’euros) ?",
			EN: "no multi-year plan was found. Is the publisher one of those that must publish one (a public body, or a turnover above 250 million euros)?",
		})
	}
	if why := unread(p, pages); why != (Text{}) {
		t.Untested(why)
	}
	var spans []wording.Span
	for _, page := range pages {
		spans = append(spans, wording.Spans(append(slices.Clone(page.Sentences), wording.Sentence{Text: page.Title}))...)
	}
	year := p.At.Year()
	for _, x := range spans {
		if x.From <= year && year <= x.To {
			t.Review(Text{
				FR: fmt.Sprintf("schéma trouvé (%s) : « %s ». Ses actions sont-elles datées, et celles de l’année publiées ?", addresses(pages), short(x.Quote)),
				EN: fmt.Sprintf("plan found (%s): \"%s\". Are its actions dated, and those of the year published?", addresses(pages), short(x.Quote)),
			})
		}
	}
	if len(spans) > 0 {
		t.Report(At(t.First(), "texts.plan-over", Text{
			FR: fmt.Sprintf("le schéma pluriannuel publié ne couvre pas l’année en cours : « %s »", short(spans[0].Quote)),
			EN: fmt.Sprintf("the multi-year plan published does not cover the present year: \"%s\"", short(spans[0].Quote)),
		}).Was(fmt.Sprint(year), fmt.Sprintf("%d-%d", spans[0].From, spans[0].To)))
		return
	}
	t.Review(Text{
		FR: fmt.Sprintf("schéma trouvé (%s), sans que la période soit reconnue. Laquelle couvre-t-il ?", addresses(pages)),
		EN: fmt.Sprintf("plan found (%s), and its period was not recognised. Which one does it cover?", addresses(pages)),
	})
}

// contentDated: each page of health content bears a date.
func contentDated(s *Scenario) {
	t, p := shown(s)
	pages := p.of(text.Content)
	if len(pages) == 0 {
		missing(t, p, text.Content)
	}
	var found []string
	var bad []Finding
	for _, page := range pages {
		days := wording.Days(page.Sentences, wording.VersionLabels()...)
		switch i := slices.IndexFunc(days, func(d wording.Day) bool { return d.Label }); {
		case i >= 0:
			found = append(found, days[i].Quote)
		case len(days) > 0:
			found = append(found, days[0].Quote)
		case page.Whole():
			bad = append(bad, At(t.First(), "texts.content-not-dated", Text{
				FR: "la page de contenu de santé " + page.URL + " ne porte aucune date",
				EN: "the page of health content " + page.URL + " bears no date",
			}).Was("jour, mois, année", "—"))
		default:
			t.Untested(unread(p, []text.Page{page}))
		}
	}
	if len(bad) > 0 {
		t.Report(bad...)
		return
	}
	t.Review(Text{
		FR: fmt.Sprintf("dates lues sur les contenus de santé : %s. Sont-elles celles de la dernière révision, et assez récentes ?", quoted(found, "«\u00a0", "\u00a0»")),
		EN: fmt.Sprintf("dates read on health content: %s. Are they those of the last revision, and recent enough?", quoted(found, "\"", "\"")),
	})
}
