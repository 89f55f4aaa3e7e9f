package ethics

import (
	"fmt"
	"slices"
	"strings"

	"github.com/etalon-sante/etalon/sandbox/record"
	"github.com/etalon-sante/etalon/suites/journey"
	. "github.com/etalon-sante/etalon/suites/lab"
	"github.com/etalon-sante/etalon/suites/probe/browser"
)

// What asks for a choice about trackers, and what comes of refusing.

// choiceOf states the occasion: the site asked for a choice. Whether one had to be
// asked for depends on what is left behind, and that none was seen does not mean
// that none was asked: a person decides.
func choiceOf(s *Scenario) (record.Record, browser.Refusal) {
	t, _ := journey.Shown(s)
	r := t.First()
	out := record.Seen[browser.Refusal](r)
	if !out.Choice.Found {
		t.Pictures(ofQuestion(out.Choice, out.Site)...)
		t.Review(Text{
			FR: "aucune demande de choix n’a été vue sur la première page. C’est bien ainsi si rien de ce qui est déposé ou interrogé ne demande d’accord (voir ETH-10 à ETH-12) : est-ce le cas ?",
			EN: "no question about trackers was seen on the first page. That is as it should be if nothing that is left or asked needs consent (see ETH-10 to ETH-12): is it so?",
		})
	}
	return r, out
}

// ofQuestion is the picture of a question, or of the page on which none was seen.
func ofQuestion(c browser.Choice, site string) []Picture {
	if p := journey.PictureOf(c.Picture, site); p != nil {
		return []Picture{*p}
	}
	return nil
}

// onChoice judges the question itself.
func onChoice(s *Scenario, find func(record.Record, browser.Choice) []Finding, review func(browser.Choice) Text) {
	r, got := choiceOf(s)
	found := find(r, got.Choice)
	s.Trace().Report(found...)
	if len(found) > 0 || review == nil {
		return
	}
	if why := review(got.Choice); why != (Text{}) {
		s.Trace().Pictures(ofQuestion(got.Choice, got.Site)...)
		s.Trace().Review(why)
	}
}

// notAsEasy: what accepts stands on the first level, what refuses does not.
func notAsEasy(r record.Record, c browser.Choice) []Finding {
	if len(c.Accept) == 0 || len(c.Refuse) > 0 {
		return nil
	}
	return []Finding{At(r, "browser.no-refusal", Text{
		FR: "accepter se fait d’un geste, refuser n’est pas offert au même niveau",
		EN: "accepting takes one press, refusing is not offered on the same level",
	}).Was("refuser", c.Accept[0].Text).Shown(journey.PictureOf(c.Picture, r.Probe.Target))}
}

// smaller: how alike two controls look is for a person to say.
func smaller(c browser.Choice) Text {
	area := func(list []browser.Control) float64 {
		most := 0.0
		for _, k := range list {
			most = max(most, k.Width*k.Height)
		}
		return most
	}
	if len(c.Accept) == 0 || len(c.Refuse) == 0 || 2*area(c.Refuse) >= area(c.Accept) {
		return Text{}
	}
	return Text{
		FR: fmt.Sprintf("« %s » est plus de deux fois plus petit que « %s » : est-il aussi facile à voir ?", c.Refuse[0].Text, c.Accept[0].Text),
		EN: fmt.Sprintf("%q is less than half the size of %q: is it as easy to see?", c.Refuse[0].Text, c.Accept[0].Text),
	}
}

func ticked(r record.Record, c browser.Choice) []Finding {
	if len(c.Ticked) == 0 {
		return nil
	}
	return []Finding{At(r, "browser.ticked", Text{
		FR: "des cases sont cochées avant que le patient ait choisi : " + journey.Several(c.Ticked),
		EN: "boxes are ticked before the patient has chosen: " + journey.Several(c.Ticked),
	}).Was("—", journey.Several(c.Ticked)).Shown(journey.PictureOf(c.Picture, r.Probe.Target))}
}

// afterRefusal judges what is left and asked once trackers were refused.
func afterRefusal(s *Scenario) {
	journey.Allowed(s)
	r, got := choiceOf(s)
	t := s.Trace()
	if !got.Choice.Refused {
		t.Untested(Text{
			FR: "la demande de choix n’offre pas de refuser d’un geste : ce qui suit un refus n’a pas pu être vu",
			EN: "the question does not offer to refuse with one press: what follows a refusal could not be seen",
		})
	}
	found := slices.Concat(cookiesLeft(r, got.Result), journey.EachPage(keysLeft)(r, got.Result), journey.EachPage(trackersAsked)(r, got.Result))
	for i, f := range found { // the same judgement as before any choice, after one
		found[i].Key = "browser.after-refusal." + strings.TrimPrefix(f.Key, "browser.")
		found[i].Message = Text{
			FR: "malgré le refus, " + strings.TrimPrefix(f.Message.FR, "avant tout choix, "),
			EN: "despite the refusal, " + strings.TrimPrefix(f.Message.EN, "before any choice, "),
		}
	}
	t.Report(found...)
	if len(found) == 0 && !got.Choice.Gone {
		t.Review(Text{
			FR: "la demande reste affichée après le refus : est-il pris en compte ?",
			EN: "the question stays after the refusal: is the refusal taken into account?",
		})
	}
}
