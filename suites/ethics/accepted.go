package ethics

import (
	"fmt"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"

	"github.com/etalon-sante/etalon/sandbox/record"
	"github.com/etalon-sante/etalon/suites/journey"
	. "github.com/etalon-sante/etalon/suites/lab"
	"github.com/etalon-sante/etalon/suites/probe/browser"
)

// thirteenMonths is the longest that thirteen months last, in days. CNIL recommends
// it as the longest life of a tracker that measures audience without consent. A
// browser of today keeps no cookie for longer than 400 days: what asks for more is
// seen as 400.
const thirteenMonths = 396

// accepting registers what is judged of trackers' lives, of an acceptance, and of
// how a choice is made in detail and changed.
func accepting(l *Lab) {
	v := journey.VisitsOf(l)
	Describe("A tracker", func() {
		It("does not measure without consent for longer than thirteen months", Check("ETH-15.1"), Reads(v.First), func() {
			journey.OnVisit(v.First, tooLong, nil)
		})
	})
	Describe("An acceptance", func() {
		It("is remembered, and what it brings is known", Check("ETH-16.1"), Reads(v.First, v.Refused, v.Accepted), func() { afterAcceptance(v) })
	})
	Describe("A choice in detail", func() {
		It("is offered purpose by purpose", Check("ETH-17.1"), Reads(v.Accepted), func() { inDetail(v.Accepted) })
		It("is not made beforehand", Check("ETH-17.2"), Reads(v.Accepted), func() { untouched(v.Accepted) })
	})
	Describe("A choice that was made", func() {
		It("can be changed from each page", Check("ETH-18.1"), Reads(v.Accepted), func() { changed(v.Accepted) })
	})
}

func tooLong(r record.Record, res browser.Result) []Finding {
	list := ourTrackers()
	var out []Finding
	for _, c := range res.Cookies {
		if t, known := list.key(c.Name); known && t.doubt && c.Days > thirteenMonths {
			out = append(out, At(r, "browser.tracker-too-long", Text{
				FR: fmt.Sprintf("sans accord, le cookie « %s », de %s, mesure l’audience pendant %d jours ou plus", c.Name, t.whose, c.Days),
				EN: fmt.Sprintf("without consent, cookie %q, of %s, measures audience for %d days or more", c.Name, t.whose, c.Days),
			}).Was(fmt.Sprintf("≤ %d j/d", thirteenMonths), fmt.Sprintf("%d j/d", c.Days)))
		}
	}
	return out
}

// acceptanceOf states the occasion: the site asked for a choice.
func acceptanceOf(s *Scenario) (Trace, record.Record, browser.Acceptance) {
	t, _ := journey.Shown(s)
	r := t.First()
	out := record.Seen[browser.Acceptance](r)
	if !out.Choice.Found {
		t.Pictures(ofQuestion(out.Choice, out.Site)...)
		t.Review(Text{
			FR: "aucune demande de choix n’a été vue sur la première page. C’est bien ainsi si rien de ce qui est déposé ou interrogé ne demande d’accord (voir ETH-10 à ETH-12) : est-ce le cas ?",
			EN: "no question about trackers was seen on the first page. That is as it should be if nothing that is left or asked needs consent (see ETH-10 to ETH-12): is it so?",
		})
	}
	return t, r, out
}

// wasAccepted ends a leaf untested when nothing could be accepted.
func wasAccepted(t Trace, got browser.Acceptance) {
	if !got.Accepted {
		t.Untested(Text{
			FR: "la demande de choix n’offre pas d’accepter d’un geste que le banc reconnaisse : ce qui suit un accord n’a pas pu être vu",
			EN: "the question offers no press that accepts and that the harness recognises: what follows an acceptance could not be seen",
		})
	}
}

// afterAcceptance: a choice that is asked for again was not kept. What an
// acceptance brings is told beside what there was before it and after a refusal;
// whether each purpose was announced is for a person to say.
func afterAcceptance(v journey.Visits) {
	journey.Allowed(v.Accepted)
	t, r, got := acceptanceOf(v.Accepted)
	wasAccepted(t, got)
	if !got.Choice.Gone {
		t.Report(At(r, "browser.asked-again", Text{
			FR: "la demande de choix reste affichée après l’accord", EN: "the question stays after the acceptance",
		}).Was("—", got.Choice.Text).Shown(journey.PictureOf(got.Choice.Picture, got.Site)))
		return
	}
	_, first := journey.Shown(v.First)
	refusedTrace, _ := journey.Shown(v.Refused)
	refused := record.Seen[browser.Refusal](refusedTrace.First())
	after, before := left(got.Result), left(first)
	fr := []string{"après l’accord : " + after, "avant tout choix : " + before}
	en := []string{"after the acceptance: " + after, "before any choice: " + before}
	if refused.Choice.Refused {
		fr, en = append(fr, "après un refus : "+left(refused.Result)), append(en, "after a refusal: "+left(refused.Result))
	}
	t.Review(Text{
		FR: strings.Join(fr, " ; ") + ". Chaque finalité et chaque destinataire ont-ils été annoncés, et chaque durée est-elle justifiée (⚠ : plus de treize mois) ?",
		EN: strings.Join(en, "; ") + ". Was each purpose and each recipient announced, and is each lifetime justified (⚠: more than thirteen months)?",
	})
}

// left names what a visit left behind and whom it asked.
func left(res browser.Result) string {
	var names []string
	for _, c := range res.Cookies {
		life := "session"
		if c.Days > 0 {
			life = fmt.Sprintf("%d j/d", c.Days)
		}
		if c.Days > thirteenMonths {
			life += " ⚠"
		}
		names = append(names, fmt.Sprintf("cookie %s (%s)", c.Name, life))
	}
	for _, p := range res.Pages {
		for _, s := range p.Facts.Stored {
			if name := s.Where + " " + s.Key; !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	names = append(names, thirds(res, func(browser.Request) bool { return true })...)
	if len(names) == 0 {
		return "—"
	}
	return journey.Several(names)
}

// inDetail: settings that are offered and show nothing to choose are not settings.
// Whether what they offer is all there is, a person says.
func inDetail(s *Scenario) {
	t, r, got := acceptanceOf(s)
	set := got.Settings
	var labels []string
	for _, b := range set.Boxes {
		labels = append(labels, "« "+b.Label+" »")
	}
	shown := journey.PictureOf(set.Picture, got.Site)
	switch {
	case len(labels) == 0 && set.Offered != "" && set.Frames == 0:
		t.Report(At(r, "browser.empty-settings", Text{
			FR: fmt.Sprintf("« %s » n’ouvre rien où choisir finalité par finalité", set.Offered),
			EN: fmt.Sprintf("%q opens nothing where to choose purpose by purpose", set.Offered),
		}).Was("☐ ☐ ☐", "—").Shown(shown))
		return
	case shown != nil:
		t.Pictures(*shown)
	default:
		t.Pictures(ofQuestion(got.Choice, got.Site)...)
	}
	switch {
	case len(labels) > 0:
		t.Review(Text{
			FR: "on peut choisir séparément : " + journey.Several(labels) + ". Est-ce bien une finalité par choix, et n’en manque-t-il aucune ?",
			EN: "one can choose apart: " + journey.Several(labels) + ". Is it one purpose a choice, and is none missing?",
		})
	case set.Frames > 0:
		t.Review(Text{
			FR: "les réglages s’ouvrent dans un cadre d’un autre site, que le banc ne lit pas : y choisit-on finalité par finalité ?",
			EN: "the settings open in a frame of another site, which the harness does not read: can one choose purpose by purpose there?",
		})
	}
	t.Review(Text{
		FR: "la demande n’offre que d’accepter ou de refuser en bloc : n’y a-t-il vraiment qu’une finalité ?",
		EN: "the question only offers to accept or to refuse as a whole: is there truly one purpose only?",
	})
}

// untouched: nothing that can be changed is on before the patient chose.
func untouched(s *Scenario) {
	t, r, got := acceptanceOf(s)
	if len(got.Settings.Boxes) == 0 {
		t.Untested(Text{
			FR: "la demande n’ouvre pas de réglages que le banc sache lire",
			EN: "the question opens no settings that the harness can read",
		})
	}
	var on []string
	for _, b := range got.Settings.Boxes {
		if b.On && !b.Fixed {
			on = append(on, b.Label)
		}
	}
	if len(on) > 0 {
		t.Report(At(r, "browser.settings-on", Text{
			FR: "dans les réglages, des finalités sont actives avant que le patient ait choisi : " + journey.Several(on),
			EN: "in the settings, purposes are on before the patient has chosen: " + journey.Several(on),
		}).Was("—", journey.Several(on)).Shown(journey.PictureOf(got.Settings.Picture, got.Site)))
	}
}

// changed: each page shown after the acceptance lets the choice be changed. A
// control is known by its words, so that one that is seen and not pressed, or
// pressed without effect, is for a person to try.
func changed(s *Scenario) {
	t, r, got := acceptanceOf(s)
	wasAccepted(t, got)
	if !got.Choice.Gone || len(got.Again) == 0 {
		t.Untested(Text{FR: "la demande reste affichée : il n’y a pas à la rouvrir (voir ETH-16)", EN: "the question stays: there is nothing to open again (see ETH-16)"})
	}
	var without []string
	reopened, words := false, ""
	for _, a := range got.Again {
		if a.Words == "" {
			without = append(without, a.URL)
			continue
		}
		words, reopened = a.Words, reopened || a.Reopened
	}
	switch {
	case words == "":
		t.Report(At(r, "browser.no-way-back", Text{
			FR: "une fois l’accord donné, aucune page n’offre de le reprendre par un lien ou un bouton qui parle de cookies, de traceurs ou de consentement",
			EN: "once consent is given, no page offers to take it back by a link or a button that speaks of cookies, trackers or consent",
		}).Was("Gérer mes cookies", "—"))
	case len(without) > 0:
		t.Review(Text{
			FR: fmt.Sprintf("« %s » n’a pas été vu sur : %s. Le choix s’y change-t-il autrement ?", words, journey.Several(without)),
			EN: fmt.Sprintf("%q was not seen on: %s. Can the choice be changed there in another way?", words, journey.Several(without)),
		})
	case !reopened:
		t.Review(Text{
			FR: fmt.Sprintf("« %s » est sur chaque page, mais le presser n’a pas rouvert la demande : retire-t-on ainsi son accord aussi simplement qu’on l’a donné ?", words),
			EN: fmt.Sprintf("%q is on each page, but pressing it did not open the question again: does one withdraw consent in this way as simply as one gave it?", words),
		})
	}
}
