package ethics

import (
	. "github.com/onsi/ginkgo/v2"

	"github.com/etalon-sante/etalon/sandbox/record"
	"github.com/etalon-sante/etalon/suites/journey"
	. "github.com/etalon-sante/etalon/suites/lab"
	"github.com/etalon-sante/etalon/suites/probe/browser"
	"github.com/etalon-sante/etalon/suites/texts"
)

// AxeChecks are the checks that rest on axe-core.
func AxeChecks() []string {
	return []string{"ETH-35.1", "ETH-35.2", "ETH-35.3", "ETH-35.4", "ETH-35.5"}
}

// BrowserChecks are the checks that need a browser.
func BrowserChecks() []string {
	return append([]string{
		"ETH-10.1", "ETH-10.2", "ETH-11.1", "ETH-12.1", "ETH-13.1", "ETH-13.2", "ETH-14.1",
		"ETH-15.1", "ETH-16.1", "ETH-17.1", "ETH-17.2", "ETH-18.1",
		"ETH-30.1", "ETH-31.1", "ETH-31.2", "ETH-32.1", "ETH-33.1", "ETH-33.2", "ETH-34.1",
		"ETH-36.1", "ETH-37.1", "ETH-38.1",
		"ETH-50.1", "ETH-51.1", "ETH-52.1", "ETH-110.1",
		"ETH-53.1", "ETH-54.1", "ETH-55.1", "ETH-56.1",
	}, AxeChecks()...)
}

// visits registers what is judged of the pages as a browser shows them. What each
// check finds stands in privacy.go, access.go and ecology.go.
func visits(l *Lab) {
	v := journey.VisitsOf(l)
	first, access, refused := v.First, v.Access, v.Refused
	Describe("A choice", func() {
		It("is as easy to refuse as to accept", Check("ETH-13.1"), Reads(refused), func() { onChoice(refused, notAsEasy, smaller) })
		It("is not made beforehand", Check("ETH-13.2"), Reads(refused), func() { onChoice(refused, ticked, nil) })
		It("is kept to, once it was refused", Check("ETH-14.1"), Reads(refused), func() { afterRefusal(refused) })
	})
	Describe("Before any choice", func() {
		It("leaves no cookie that follows people", Check("ETH-10.1"), Reads(first), func() {
			journey.Allowed(first)
			journey.OnVisitSeeing(first, cookiesLeft, cookiesToReview, journey.FirstPage)
		})
		It("stores nothing that follows people", Check("ETH-10.2"), Reads(first), func() {
			journey.Allowed(first)
			journey.OnVisitSeeing(first, journey.EachPage(keysLeft), keysToReview, journey.FirstPage)
		})
		It("asks nothing of those who follow people", Check("ETH-11.1"), Reads(first), func() {
			journey.Allowed(first)
			journey.OnVisitSeeing(first, journey.EachPage(trackersAsked), doubtfulHosts, journey.FirstPage)
		})
		It("does not tell others which page is read", Check("ETH-12.1"), Reads(first), func() {
			journey.Allowed(first)
			journey.OnVisitSeeing(first, journey.EachPage(pageTold), thirdsToReview, journey.FirstPage)
		})
	})
	published := texts.Texts(l)
	Describe("Whoever else is called", func() {
		It("is named in a text", Check("ETH-110.1"), Reads(first, published), func() { thirdsNamed(first, published) })
	})
	Describe("A page says of itself", func() {
		It("its language", Check("ETH-30.1"), Reads(first), func() { journey.OnVisit(first, journey.EachPage(language), nil) })
		It("its title", Check("ETH-31.1"), Reads(first), func() { journey.OnVisit(first, journey.EachPage(titled), nil) })
		It("by its title, which it is", Check("ETH-31.2"), Reads(first), func() {
			t, res := journey.Shown(first)
			if len(titles(res)) < 2 {
				t.Untested(Text{FR: "il faut deux pages au moins qui aient un titre : nommez-les dans « web.pages »", EN: "at least two pages with a title are needed: name them in \"web.pages\""})
			}
			journey.OnVisit(first, titlesApart, nil)
		})
		It("and lets itself be enlarged", Check("ETH-34.1"), Reads(first), func() { journey.OnVisit(first, journey.EachPage(zoomable), nil) })
	})
	Describe("What a page costs", func() {
		It("is bounded, and known", Check("ETH-50.1"), Reads(first), func() { journey.OnVisit(first, journey.EachPage(tooHeavy), figures) })
		It("is not paid again at each visit", Check("ETH-51.1"), Reads(first), func() {
			t, res := journey.Shown(first)
			if !journey.AnyRequest(res, fixed) {
				t.Untested(Text{FR: "aucune page ne charge de feuille de style, de script, d’image ni de police du site", EN: "no page loads a style sheet, script, picture or font of the site"})
			}
			journey.OnVisit(first, journey.EachPage(notKept), nil)
		})
		It("does not include what plays without being asked", Check("ETH-52.1"), Reads(first), func() { journey.OnVisit(first, journey.EachPage(playsAlone), nil) })
	})
	Describe("A page can be used", func() {
		It("in a window 320 pixels wide", Check("ETH-32.1"), Reads(access), func() {
			accessible(access, func(a browser.Access) string { return a.Reflow.Error })
			journey.OnVisit(access, journey.EachPage(wide), nil)
		})
		keys := func() {
			accessible(access, func(a browser.Access) string { return a.Keyboard.Error })
			t, res := journey.Shown(access)
			if !journey.AnyPage(res, func(p browser.Page) bool { return p.Access.Keyboard.Reached > 0 }) {
				t.Untested(Text{FR: "aucune page n’a d’élément que le clavier atteigne", EN: "no page has an element that the keyboard reaches"})
			}
		}
		It("with a keyboard, seeing where one is", Check("ETH-33.1"), Reads(access), func() { keys(); journey.OnVisit(access, journey.EachPage(focusUnseen), nil) })
		It("with a keyboard, without being held", Check("ETH-33.2"), Reads(access), func() { keys(); journey.OnVisit(access, journey.EachPage(trapped), nil) })
	})
	Describe("The rules of axe-core hold", func() {
		rules := func(group string) {
			axeRan(access)
			journey.OnVisitSeeing(access, journey.EachPage(func(r record.Record, p browser.Page) []Finding { return broken(r, p, group) }),
				func(res browser.Result) Text { return undecided(res, group) },
				func(res browser.Result) []Picture {
					return journey.TakenOfAll(res, browser.OfElement, func(rule string) bool { return groupOf(rule) == group })
				})
		}
		It("for what stands in place of pictures", Check("ETH-35.1"), Reads(access), func() { rules(axePictures) })
		It("for the labels of forms", Check("ETH-35.2"), Reads(access), func() { rules(axeForms) })
		It("for contrasts", Check("ETH-35.3"), Reads(access), func() { rules(axeContrast) })
		It("for the names of links and buttons", Check("ETH-35.4"), Reads(access), func() { rules(axeNames) })
		It("for the structure of pages", Check("ETH-35.5"), Reads(access), func() { rules(axeOthers) })
	})
}
