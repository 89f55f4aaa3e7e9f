package texts

import (
	"encoding/json"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/ginkgo/v2/extensions/globals"
	"github.com/onsi/ginkgo/v2/formatter"

	"github.com/etalon-sante/etalon/sandbox/record"
	"github.com/etalon-sante/etalon/suites/lab"
	"github.com/etalon-sante/etalon/suites/probe/text"
	"github.com/etalon-sante/etalon/suites/probe/web"
	"github.com/etalon-sante/etalon/suites/wording"
)

type failing struct{}

func (failing) Fail() {}

// judged runs the leaves on what was published.
func judged(t *testing.T, p Published) map[string]lab.Result {
	t.Helper()
	raw, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	end, err := json.Marshal(map[string]any{"outcome": lab.Completed})
	if err != nil {
		t.Fatal(err)
	}
	records := []record.Record{
		{Seq: 1, Scenario: "published-texts", Kind: record.KindProbe, Probe: &record.Probe{Kind: textProbe, Target: p.Site, Data: raw}},
		{Seq: 2, Scenario: "published-texts", Kind: record.KindMark, Mark: &record.Mark{Kind: "end", Data: end}},
	}
	l := lab.New()
	globals.Reset()
	LawSpecs(l)
	EthicsSpecs(l)
	if err := l.Load(records, lab.Oracle{}); err != nil {
		t.Fatal(err)
	}
	l.Judging(nil, func(string) lab.Text { return lab.Text{FR: "acte", EN: "act"} })
	formatter.ColorableStdOut, formatter.ColorableStdErr = io.Discard, io.Discard
	suite, reporter := ginkgo.GinkgoConfiguration()
	reporter.Succinct, reporter.NoColor = true, true
	ginkgo.RunSpecs(failing{}, "texts", suite, reporter, ginkgo.AroundNode(l.AroundLeaf))
	return l.Results()
}

// said makes a page of lines; one that begins with "# " is a heading.
func said(role, path string, lines ...string) text.Page {
	p := text.Page{URL: "https://s.example" + path, Roles: []string{role}, State: web.Read, How: text.Served, Status: 200, Links: footer()}
	head := ""
	for _, l := range lines {
		s := wording.Sentence{Text: l, Head: head}
		if h, ok := strings.CutPrefix(l, "# "); ok {
			head = h
			s = wording.Sentence{Text: h, Heading: true}
		}
		p.Words += len(strings.Fields(l))
		p.Sentences = append(p.Sentences, s)
	}
	return p
}

func footer() []text.Link {
	return []text.Link{{Roles: []string{text.Accessibility}, Label: "Accessibilité : partiellement conforme", URL: "https://s.example/a11y"}}
}

// good is a service that publishes what it must.
func good() Published {
	return Published{
		Editor: "Exemple SAS", SIREN: "732829320", Kind: "company",
		Result: text.Result{Site: "https://s.example/", At: time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC), Pages: []text.Page{
			said(text.Home, "/", "# Bienvenue", "Un service pour vous."),
			said(text.Legal, "/ml", "# Mentions légales", "Éditeur : Exemple SAS, RCS Paris 732 829 320, 1 rue du Test, 75001 Paris.", "Téléphone : 01 99 00 00 00.", "Directeur de la publication : A. Exemple.", "# Hébergement", "Hôte Exemple, hébergeur de données de santé, 2 rue du Nord, 59000 Lille.", "Les données sont hébergées en France."),
			said(text.Privacy, "/pc", "# Politique de confidentialité", "Mise à jour le 3 mars 2026.", "Exemple SAS est responsable du traitement.", "Délégué à la protection des données : dpo@s.example.", "Les finalités sont le suivi et la prévention.", "Les destinataires sont les soignants que vous choisissez.", "Vos données sont conservées trois ans.", "Vous disposez d’un droit d’accès, de rectification et d’effacement.", "Vous pouvez adresser une réclamation à la CNIL."),
			said(text.Terms, "/cgu", "# Conditions générales d’utilisation", "Version du 3 mars 2026.", "Nous vous informons des modifications de ces conditions un mois avant.", "Le téléchargement exhaustif des documents de Mon espace santé est impossible.", "Ce service ne remplace pas une consultation.", "En cas d’urgence, appelez le 15 ou le 112."),
			said(text.Accessibility, "/a11y", "# Déclaration d’accessibilité", "Le site est partiellement conforme avec le RGAA.", "L’audit montre que 61 % des critères sont respectés.", "Cette déclaration a été établie le 4 avril 2025.", "Contactez le responsable du site pour obtenir une alternative accessible.", "Vous pouvez saisir le Défenseur des droits."),
			said(text.Plan, "/plan", "# Schéma pluriannuel 2025-2027", "Voici le schéma pluriannuel 2025-2027 d’accessibilité."),
			said(text.EcoDesign, "/eco", "# Déclaration d’écoconception", "La page d’accueil pèse 120 Ko et demande 8 requêtes."),
			said(text.Help, "/aide", "# Aide", "Appelez notre assistance au 01 99 00 00 01.", "Signalez une erreur à erreurs@s.example."),
			said(text.Content, "/tension", "# Tension", "Mis à jour le 2 février 2026."),
			said(text.AI, "/ia", "# IA", "Ce résumé est produit par une intelligence artificielle."),
		}},
	}
}

func exactChecks() []string {
	return []string{"GOV-40.1", "GOV-41.1", "GOV-41.2", "GOV-43.1", "GOV-45.1", "ETH-100.1", "ETH-100.2", "ETH-101.1", "ETH-104.1"}
}

func TestWhatIsFoundIsForAPersonAndWhatIsAbsentIsSaid(t *testing.T) {
	page := func(p *Published, role string) *text.Page {
		for i := range p.Pages {
			if p.Pages[i].Is(role) {
				return &p.Pages[i]
			}
		}
		t.Fatalf("no page %s", role)
		return nil
	}
	without := func(role, words string) func(*Published) {
		return func(p *Published) {
			at := page(p, role)
			var kept []wording.Sentence
			for _, s := range at.Sentences {
				if !strings.Contains(s.Text, words) {
					kept = append(kept, s)
				}
			}
			if len(kept) == len(at.Sentences) {
				t.Fatalf("%q does not stand in %s", words, role)
			}
			at.Sentences = kept
		}
	}
	gone := func(role string) func(*Published) {
		return func(p *Published) {
			var kept []text.Page
			for _, x := range p.Pages {
				if !x.Is(role) {
					kept = append(kept, x)
				}
			}
			p.Pages = kept
		}
	}
	instead := func(role, words, by string) func(*Published) {
		return func(p *Published) {
			for i, s := range page(p, role).Sentences {
				if strings.Contains(s.Text, words) {
					page(p, role).Sentences[i].Text = by
					return
				}
			}
			t.Fatalf("%q does not stand in %s", words, role)
		}
	}
	all := func(changes ...func(*Published)) func(*Published) {
		return func(p *Published) {
			for _, c := range changes {
				c(p)
			}
		}
	}
	empty := func(role string) func(*Published) {
		return func(p *Published) { page(p, role).Scripts, page(p, role).Words = 3, 5 }
	}
	notMet := func(ids ...string) map[string]lab.State {
		out := map[string]lab.State{}
		for _, id := range ids {
			out[id] = lab.NotMet
		}
		return out
	}
	is := func(state lab.State, ids ...string) map[string]lab.State {
		out := map[string]lab.State{}
		for _, id := range ids {
			out[id] = state
		}
		return out
	}
	for name, c := range map[string]struct {
		change func(*Published)
		want   map[string]lab.State
	}{
		"a service without fault":                {func(*Published) {}, nil},
		"no clause":                              {without(text.Terms, "exhaustif"), notMet("GOV-46.1")},
		"a clause that says the contrary":        {instead(text.Terms, "exhaustif", "Nous copions l’ensemble des documents de Mon espace santé."), notMet("GOV-46.1")},
		"no clause, in a page that scripts fill": {all(without(text.Terms, "exhaustif"), empty(text.Terms)), is(lab.Untested, "GOV-46.1")},
		"no clause, in a PDF that was not read": {func(p *Published) {
			at := page(p, text.Terms)
			at.How, at.Sentences, p.Missing = "", nil, text.MissingPDF("/nowhere/pdftotext")
		}, func() map[string]lab.State {
			m := is(lab.Untested, "GOV-45.1", "GOV-45.2", "GOV-45.3", "GOV-46.1", "ETH-105.1", "ETH-105.2")
			return m
		}()},
		"no terms at all": {gone(text.Terms), map[string]lab.State{
			"GOV-45.1": lab.NotMet, "GOV-45.2": lab.Untested, "GOV-45.3": lab.Untested, "GOV-46.1": lab.Untested, "ETH-105.1": lab.NotMet, "ETH-105.2": lab.NotMet,
		}},
		"a home page that scripts fill, and no terms": {all(gone(text.Terms), empty(text.Home)), map[string]lab.State{
			"GOV-45.1": lab.Untested, "GOV-45.2": lab.Untested, "GOV-45.3": lab.Untested, "GOV-46.1": lab.Untested, "ETH-105.1": lab.Untested, "ETH-105.2": lab.Untested,
		}},
		"terms that do not answer": {func(p *Published) { page(p, text.Terms).State = web.Failed }, map[string]lab.State{
			"GOV-45.1": lab.NotMet, "GOV-45.2": lab.Untested, "GOV-45.3": lab.Untested, "GOV-46.1": lab.Untested, "ETH-105.1": lab.NotMet, "ETH-105.2": lab.NotMet,
		}},
		"terms elsewhere": {func(p *Published) { page(p, text.Terms).State = web.Elsewhere }, map[string]lab.State{
			"GOV-45.1": lab.Untested, "GOV-45.2": lab.Untested, "GOV-45.3": lab.Untested, "GOV-46.1": lab.Untested, "ETH-105.1": lab.NotMet, "ETH-105.2": lab.NotMet,
		}},
		"a page of another title":          {instead(text.Legal, "Mentions", "Cadre juridique"), is(lab.ToReview, "GOV-40.1")},
		"another SIREN":                    {instead(text.Legal, "732 829 320", "Éditeur : Exemple SAS, RCS Paris 999 999 998, 1 rue du Test, 75001 Paris."), notMet("GOV-41.2")},
		"an association without a number":  {all(instead(text.Legal, "732 829 320", "Éditeur : Exemple SAS, 1 rue du Test, 75001 Paris."), func(p *Published) { p.Kind = "association" }), is(lab.ToReview, "GOV-41.2")},
		"no officer was designated":        {instead(text.Privacy, "Délégué", "Nous n’avons pas désigné de délégué à la protection des données."), notMet("GOV-44.2")},
		"kept as long as is necessary":     {instead(text.Privacy, "trois ans", "Vos données sont conservées aussi longtemps que nécessaire."), is(lab.ToReview, "GOV-44.5")},
		"changes without notice":           {instead(text.Terms, "informons", "L’éditeur peut modifier ces conditions sans préavis."), notMet("GOV-45.3")},
		"a host that is no host of health": {instead(text.Legal, "hébergeur de", "Hôte Exemple, hébergeur non certifié HDS, 2 rue du Nord, 59000 Lille."), notMet("GOV-42.2")},
		"a state that the rate belies":     {instead(text.Accessibility, "61 %", "L’audit montre que 12 % des critères sont respectés."), notMet("ETH-101.2")},
		"a state that the link belies":     {instead(text.Accessibility, "partiellement", "Le site est non conforme avec le RGAA."), notMet("ETH-100.2")},
		"two states":                       {instead(text.Accessibility, "partiellement", "Le site est totalement conforme au RGAA, ou partiellement conforme au RGAA."), map[string]lab.State{"ETH-101.1": lab.ToReview, "ETH-100.2": lab.Untested}},
		"an old statement":                 {instead(text.Accessibility, "établie", "Cette déclaration a été établie le 4 avril 2022."), notMet("ETH-101.3")},
		"a plan that is over": {func(p *Published) {
			*page(p, text.Plan) = said(text.Plan, "/plan", "# Schéma pluriannuel 2020-2022", "Voici le schéma pluriannuel d’accessibilité.")
		}, notMet("ETH-103.1")},
		"no plan":                            {gone(text.Plan), is(lab.ToReview, "ETH-103.1")},
		"no plan of a public body":           {all(gone(text.Plan), func(p *Published) { p.Kind = "public" }), notMet("ETH-103.1")},
		"a plan that is not there":           {func(p *Published) { page(p, text.Plan).State = web.Failed }, notMet("ETH-103.1")},
		"a service that replaces the doctor": {instead(text.Terms, "ne remplace pas", "Grâce au service, plus besoin de consulter."), notMet("ETH-105.1")},
		"nobody to call":                     {without(text.Help, "assistance"), is(lab.ToReview, "ETH-108.1")}, // the notice has a telephone
		"no AI is said to take part":         {instead(text.AI, "artificielle", "Ce service n’utilise aucune intelligence artificielle."), notMet("ETH-109.1")},
		"content without a date":             {without(text.Content, "Mis à jour"), notMet("ETH-107.1")},
		"no content":                         {gone(text.Content), is(lab.Untested, "ETH-107.1")},
		"a page without the link":            {func(p *Published) { page(p, text.Help).Links = nil }, notMet("ETH-100.1")},
		"words in the footer only": {func(p *Published) {
			without(text.Terms, "exhaustif")(p)
			page(p, text.Terms).Sentences = append(page(p, text.Terms).Sentences, wording.Sentence{Text: "Le téléchargement exhaustif des documents de Mon espace santé est impossible.", Around: true})
		}, notMet("GOV-46.1")},
	} {
		t.Run(name, func(t *testing.T) {
			p := good()
			c.change(&p)
			got := judged(t, p)
			if len(got) != 38 {
				t.Errorf("%d checks", len(got))
			}
			for id, res := range got {
				want, ok := c.want[id]
				if !ok {
					want = lab.ToReview
					for _, e := range exactChecks() {
						if e == id {
							want = lab.Met
						}
					}
				}
				if res.State != want {
					t.Errorf("%s is %q, want %q: %s %+v", id, res.State, want, res.Reason.EN, res.Findings)
				}
				if (res.State == lab.ToReview || res.State == lab.Untested) && (res.Reason.FR == "" || res.Reason.EN == "" || res.Reason.FR == res.Reason.EN) {
					t.Errorf("%s says no reason: %+v", id, res.Reason)
				}
				for _, f := range res.Findings {
					if f.Key == "" || f.Message.FR == "" || f.Message.EN == "" || f.Expected == "" || f.Actual == "" || f.Seq == 0 {
						t.Errorf("%s: a finding that does not say enough: %+v", id, f)
					}
				}
			}
		})
	}
}
