package texts

import (
	"fmt"
	"strings"

	. "github.com/onsi/ginkgo/v2"

	. "github.com/etalon-sante/etalon/suites/lab"
	"github.com/etalon-sante/etalon/suites/probe/text"
	"github.com/etalon-sante/etalon/suites/wording"
)

// Of the roles, those in which data and its host are spoken of.
func dataRoles() []string { return []string{text.Privacy, text.Legal, text.Terms} }

func legalItems() map[string]item {
	return map[string]item{
		"GOV-41.3": {roles: []string{text.Legal}, what: Text{FR: "l’adresse de l’éditeur", EN: "the publisher's address"}, find: placed(wording.Places, false)},
		"GOV-41.4": {roles: []string{text.Legal}, what: Text{FR: "le téléphone de l’éditeur", EN: "the publisher's telephone"}, find: placed(wording.Telephones, false)},
		"GOV-41.5": {roles: []string{text.Legal}, what: Text{FR: "le directeur de la publication", EN: "the director of the publication"}, find: in(wording.Director())},
		"GOV-42.1": {roles: []string{text.Legal}, what: Text{FR: "le nom et l’adresse de l’hébergeur", EN: "the host's name and address"}, find: placed(wording.Places, true)},
		"GOV-42.2": {roles: dataRoles(), needs: dataRoles()[:2], what: Text{FR: "un hébergeur de données de santé (HDS)", EN: "a host of health data (HDS)"}, find: in(wording.HDS())},
		"GOV-42.3": {roles: dataRoles(), needs: dataRoles()[:2], what: Text{FR: "le pays où les données sont hébergées", EN: "the country in which data is hosted"}, find: in(wording.HostCountry())},
		"GOV-44.1": {roles: []string{text.Privacy}, what: Text{FR: "le responsable du traitement", EN: "the controller"}, find: in(wording.Controller())},
		"GOV-44.2": {roles: []string{text.Privacy, text.Legal}, what: Text{FR: "le délégué à la protection des données et comment le joindre", EN: "the data protection officer and how to reach them"}, find: in(wording.Officer())},
		"GOV-44.3": {roles: []string{text.Privacy}, what: Text{FR: "les finalités du traitement", EN: "the purposes of the processing"}, find: in(wording.Purposes())},
		"GOV-44.4": {roles: []string{text.Privacy}, what: Text{FR: "les destinataires des données", EN: "the recipients of data"}, find: in(wording.Recipients())},
		"GOV-44.5": {roles: []string{text.Privacy}, what: Text{FR: "une durée de conservation", EN: "a retention period"}, find: in(wording.Retention()), vague: in(wording.RetentionVague())},
		"GOV-44.7": {roles: []string{text.Privacy, text.Legal}, what: Text{FR: "la réclamation auprès de la CNIL", EN: "the complaint to the CNIL"}, find: in(wording.Complaint())},
		"GOV-45.3": {roles: []string{text.Terms}, what: Text{FR: "comment un changement des conditions est annoncé", EN: "how a change of the terms is announced"}, find: in(wording.Changes())},
		"GOV-46.1": {roles: []string{text.Terms}, what: Text{FR: "que le téléchargement de tous les documents de Mon espace santé est impossible", EN: "that downloading all the documents of Mon espace santé is impossible"}, find: exhaustive},
	}
}

// LawSpecs registers what the law and the doctrine want to be said.
func LawSpecs(l *Lab) {
	s := Texts(l)
	says := func(check string) { judge(s, legalItems()[check]) }
	Describe("The legal notice", func() {
		It("can be found and read", Check("GOV-40.1"), Reads(s), func() { reachable(s, text.Legal) })
		It("names the publisher of the manifest", Check("GOV-41.1"), Reads(s), func() { publisher(s) })
		It("bears its SIREN", Check("GOV-41.2"), Reads(s), func() { registered(s) })
		It("says where the publisher is", Check("GOV-41.3"), Reads(s), func() { says("GOV-41.3") })
		It("says how to call the publisher", Check("GOV-41.4"), Reads(s), func() { says("GOV-41.4") })
		It("names who directs the publication", Check("GOV-41.5"), Reads(s), func() { says("GOV-41.5") })
		It("names the host and its address", Check("GOV-42.1"), Reads(s), func() { says("GOV-42.1") })
	})
	Describe("The hosting of data", func() {
		It("is that of a host of health data", Check("GOV-42.2"), Reads(s), func() { says("GOV-42.2") })
		It("is told with its country", Check("GOV-42.3"), Reads(s), func() { says("GOV-42.3") })
	})
	Describe("The privacy policy", func() {
		It("can be found and read", Check("GOV-43.1"), Reads(s), func() { reachable(s, text.Privacy) })
		It("is dated", Check("GOV-43.2"), Reads(s), func() { dated(s, text.Privacy) })
		It("says who decides", Check("GOV-44.1"), Reads(s), func() { says("GOV-44.1") })
		It("says how to reach the data protection officer", Check("GOV-44.2"), Reads(s), func() { says("GOV-44.2") })
		It("says what data serves", Check("GOV-44.3"), Reads(s), func() { says("GOV-44.3") })
		It("says whom data is given to", Check("GOV-44.4"), Reads(s), func() { says("GOV-44.4") })
		It("says how long data is kept", Check("GOV-44.5"), Reads(s), func() { says("GOV-44.5") })
		It("says which rights there are", Check("GOV-44.6"), Reads(s), func() { rights(s) })
		It("says to whom one can complain", Check("GOV-44.7"), Reads(s), func() { says("GOV-44.7") })
	})
	Describe("The terms of use", func() {
		It("can be found and read", Check("GOV-45.1"), Reads(s), func() { reachable(s, text.Terms) })
		It("are dated", Check("GOV-45.2"), Reads(s), func() { dated(s, text.Terms) })
		It("say how they change", Check("GOV-45.3"), Reads(s), func() { says("GOV-45.3") })
		It("exclude downloading all documents", Check("GOV-46.1"), Reads(s), func() { says("GOV-46.1") })
	})
}

// lacking says, while the texts are read, whether a page as it was served lacks
// something that its role wants: then a browser is asked what it shows.
func lacking(p text.Page) bool {
	all := legalItems()
	for id, it := range ethicsItems() {
		all[id] = it
	}
	for _, it := range all {
		if p.Is(it.roles[0]) && it.find([]text.Page{p}).Empty() {
			return true
		}
	}
	return p.Is(text.Accessibility) && len(statesOf([]text.Page{p})) == 0
}

// placed finds an address or a telephone number, the host's or another's.
func placed(of func([]wording.Sentence) []wording.Place, host bool) func([]text.Page) wording.Reading {
	return func(pages []text.Page) wording.Reading {
		var out wording.Reading
		for _, p := range pages {
			for _, x := range of(p.Sentences) {
				if x.Host == host {
					out.Says = append(out.Says, x.Quote)
				}
			}
		}
		return out
	}
}

func exhaustive(pages []text.Page) wording.Reading {
	var out wording.Reading
	for _, p := range pages {
		out.Add(wording.Exhaustive(p.Sentences, p.Title))
	}
	return out
}

// publisher: the name in the manifest stands in the notice, or not. This is exact.
func publisher(s *Scenario) {
	t, p := shown(s)
	pages := p.of(text.Legal)
	if len(pages) == 0 {
		missing(t, p, text.Legal)
	}
	want := wording.Fold(p.Editor)
	for _, page := range pages {
		for _, x := range page.Sentences {
			if !x.Around && strings.Contains(wording.Fold(x.Text), want) {
				return
			}
		}
	}
	if why := unread(p, pages); why != (Text{}) {
		t.Untested(why)
	}
	t.Report(At(t.First(), "texts.publisher", Text{
		FR: fmt.Sprintf("les mentions légales (%s) ne nomment pas l’éditeur que le manifeste déclare", addresses(pages)),
		EN: fmt.Sprintf("the legal notice (%s) does not name the publisher that the manifest declares", addresses(pages)),
	}).Was(p.Editor, "—"))
}

// registered: the number of the manifest stands in the notice, or another, or none.
func registered(s *Scenario) {
	t, p := shown(s)
	pages := p.of(text.Legal)
	if len(pages) == 0 {
		missing(t, p, text.Legal)
	}
	var others []string
	for _, page := range pages {
		for _, x := range page.Sentences {
			if wording.HasNumber(x.Text, p.SIREN) {
				return
			}
		}
		others = append(others, wording.Sirens(page.Sentences)...)
	}
	if why := unread(p, pages); why != (Text{}) {
		t.Untested(why)
	}
	if len(others) == 0 && p.Kind != "company" && p.Kind != "sole-trader" {
		t.Review(Text{
			FR: "les mentions légales ne portent pas de numéro d’immatriculation. L’éditeur est-il de ceux qui doivent en donner un ?",
			EN: "the legal notice bears no registration number. Is the publisher one of those that must give one?",
		})
	}
	seen := "—"
	if len(others) > 0 {
		seen = strings.Join(others, ", ")
	}
	t.Report(At(t.First(), "texts.siren", Text{
		FR: fmt.Sprintf("les mentions légales (%s) ne portent pas le SIREN que le manifeste déclare", addresses(pages)),
		EN: fmt.Sprintf("the legal notice (%s) does not bear the SIREN that the manifest declares", addresses(pages)),
	}).Was(p.SIREN, seen))
}

// dated: a text bears a date of its own.
func dated(s *Scenario, role string) {
	t, p := shown(s)
	pages := p.of(role)
	if len(pages) == 0 {
		missing(t, p, role)
	}
	n := name(role)
	var plain []string
	for _, page := range pages {
		for _, d := range wording.Days(page.Sentences, wording.VersionLabels()...) {
			if d.Date.After(p.At.AddDate(1, 0, 0)) {
				continue
			}
			if d.Label {
				t.Review(Text{
					FR: fmt.Sprintf("%s : « %s ». Est-ce la date de la version en vigueur, et les versions précédentes sont-elles gardées ?", n.FR, short(d.Quote)),
					EN: fmt.Sprintf("%s: \"%s\". Is it the date of the version in force, and are earlier versions kept?", n.EN, short(d.Quote)),
				})
			}
			plain = append(plain, d.Quote)
		}
	}
	what := Text{FR: "de quand date le texte", EN: "when the text dates from"}
	if len(plain) > 0 {
		unclear(t, what, plain)
	}
	absent(t, p, pages, item{what: what})
}

// rights: which of the rights a policy names. Those of access, rectification and
// erasure belong to every policy of a service that keeps health data by consent.
func rights(s *Scenario) {
	t, p := shown(s)
	pages := p.of(text.Privacy)
	if len(pages) == 0 {
		missing(t, p, text.Privacy)
	}
	var named, lacks Text
	var quotes []string
	plain := false
	for i, r := range wording.Rights() {
		found := in(r.Subject)(pages)
		if len(found.Says) > 0 {
			named = Text{FR: listed(named.FR, r.FR), EN: listed(named.EN, r.EN)}
			quotes = append(quotes, found.Says[0])
			continue
		}
		lacks = Text{FR: listed(lacks.FR, r.FR), EN: listed(lacks.EN, r.EN)}
		plain = plain || i < 3
	}
	if plain {
		if why := unread(p, pages); why != (Text{}) {
			t.Untested(why)
		}
		t.Report(At(t.First(), "texts.rights", Text{
			FR: fmt.Sprintf("la politique de confidentialité (%s) ne nomme pas ces droits : %s", addresses(pages), lacks.FR),
			EN: fmt.Sprintf("the privacy policy (%s) does not name these rights: %s", addresses(pages), lacks.EN),
		}).Was("accès, rectification, effacement", either(named.FR, "—")))
		return
	}
	t.Review(Text{
		FR: fmt.Sprintf("droits nommés : %s ; non trouvés : %s. Par exemple : « %s ». Sont-ils ceux de ce traitement, et dit-on comment les exercer ?", named.FR, either(lacks.FR, "aucun"), short(quotes[0])),
		EN: fmt.Sprintf("rights named: %s; not found: %s. For instance: \"%s\". Are they those of this processing, and is it said how to exercise them?", named.EN, either(lacks.EN, "none"), short(quotes[0])),
	})
}

func listed(all, one string) string {
	if all == "" {
		return one
	}
	return all + ", " + one
}

func either(a, b string) string {
	if a == "" {
		return b
	}
	return a
}
