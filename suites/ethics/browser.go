package ethics

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	. "github.com/onsi/ginkgo/v2"

	"github.com/etalon-sante/etalon/sandbox/record"
	. "github.com/etalon-sante/etalon/suites/lab"
	"github.com/etalon-sante/etalon/suites/probe/browser"
)

// The kind of the records of a browser's look, and the chapters of the scenarios.
const (
	browserProbe  = "browser"
	visitChapter  = "browser"
	accessChapter = "browser-access"
	choiceChapter = "browser-choice"
)

// AxeChecks are the checks that rest on axe-core.
func AxeChecks() []string {
	return []string{"ETH-35.1", "ETH-35.2", "ETH-35.3", "ETH-35.4", "ETH-35.5"}
}

// BrowserChecks are the checks that need a browser.
func BrowserChecks() []string {
	return append([]string{
		"ETH-10.1", "ETH-10.2", "ETH-11.1", "ETH-12.1", "ETH-13.1", "ETH-13.2", "ETH-14.1",
		"ETH-30.1", "ETH-31.1", "ETH-31.2", "ETH-32.1", "ETH-33.1", "ETH-33.2", "ETH-34.1",
		"ETH-50.1", "ETH-51.1", "ETH-52.1",
	}, AxeChecks()...)
}

// visits registers what is judged of the pages as a browser shows them. What each
// check finds stands in privacy.go, access.go and ecology.go.
func visits(l *Lab) {
	var first, access, refused *Scenario
	// Alone: a browser takes the machine, and what is timed elsewhere is not to
	// suffer from it.
	l.In(visitChapter, func() {
		first = l.Scenario("browser-visit", "a browser that was never there shows the public pages, and nothing is chosen", show(false), Alone())
	})
	l.In(accessChapter, func() {
		access = l.Scenario("browser-access", "the public pages are read by rules, walked through by keyboard and shown in a narrow window", show(true), Alone())
	})
	l.In(choiceChapter, func() {
		refused = l.Scenario("browser-refusal", "a browser that was never there refuses what is asked of it, then shows the public pages", refuse, Alone())
	})
	Describe("A choice", func() {
		It("is as easy to refuse as to accept", Check("ETH-13.1"), Reads(refused), func() { onChoice(refused, notAsEasy, smaller) })
		It("is not made beforehand", Check("ETH-13.2"), Reads(refused), func() { onChoice(refused, ticked, nil) })
		It("is kept to, once it was refused", Check("ETH-14.1"), Reads(refused), func() { afterRefusal(refused) })
	})
	Describe("Before any choice", func() {
		It("leaves no cookie that follows people", Check("ETH-10.1"), Reads(first), func() { allowed(first); onVisitSeeing(first, cookiesLeft, cookiesToReview, firstPage) })
		It("stores nothing that follows people", Check("ETH-10.2"), Reads(first), func() { allowed(first); onVisitSeeing(first, eachPage(keysLeft), keysToReview, firstPage) })
		It("asks nothing of those who follow people", Check("ETH-11.1"), Reads(first), func() { allowed(first); onVisitSeeing(first, eachPage(trackersAsked), doubtfulHosts, firstPage) })
		It("does not tell others which page is read", Check("ETH-12.1"), Reads(first), func() { allowed(first); onVisitSeeing(first, eachPage(pageTold), thirdsToReview, firstPage) })
	})
	Describe("A page says of itself", func() {
		It("its language", Check("ETH-30.1"), Reads(first), func() { onVisit(first, eachPage(language), nil) })
		It("its title", Check("ETH-31.1"), Reads(first), func() { onVisit(first, eachPage(titled), nil) })
		It("by its title, which it is", Check("ETH-31.2"), Reads(first), func() {
			t, res := shown(first)
			if len(titles(res)) < 2 {
				t.Untested(Text{FR: "il faut deux pages au moins qui aient un titre : nommez-les dans « web.pages »", EN: "at least two pages with a title are needed: name them in \"web.pages\""})
			}
			onVisit(first, titlesApart, nil)
		})
		It("and lets itself be enlarged", Check("ETH-34.1"), Reads(first), func() { onVisit(first, eachPage(zoomable), nil) })
	})
	Describe("What a page costs", func() {
		It("is bounded, and known", Check("ETH-50.1"), Reads(first), func() { onVisit(first, eachPage(tooHeavy), figures) })
		It("is not paid again at each visit", Check("ETH-51.1"), Reads(first), func() {
			t, res := shown(first)
			if !anyRequest(res, fixed) {
				t.Untested(Text{FR: "aucune page ne charge de feuille de style, de script, d’image ni de police du site", EN: "no page loads a style sheet, script, picture or font of the site"})
			}
			onVisit(first, eachPage(notKept), nil)
		})
		It("does not include what plays without being asked", Check("ETH-52.1"), Reads(first), func() { onVisit(first, eachPage(playsAlone), nil) })
	})
	Describe("A page can be used", func() {
		It("in a window 320 pixels wide", Check("ETH-32.1"), Reads(access), func() {
			accessible(access, func(a browser.Access) string { return a.Reflow.Error })
			onVisit(access, eachPage(wide), nil)
		})
		keys := func() {
			accessible(access, func(a browser.Access) string { return a.Keyboard.Error })
			t, res := shown(access)
			if !anyPage(res, func(p browser.Page) bool { return p.Access.Keyboard.Reached > 0 }) {
				t.Untested(Text{FR: "aucune page n’a d’élément que le clavier atteigne", EN: "no page has an element that the keyboard reaches"})
			}
		}
		It("with a keyboard, seeing where one is", Check("ETH-33.1"), Reads(access), func() { keys(); onVisit(access, eachPage(focusUnseen), nil) })
		It("with a keyboard, without being held", Check("ETH-33.2"), Reads(access), func() { keys(); onVisit(access, eachPage(trapped), nil) })
	})
	Describe("The rules of axe-core hold", func() {
		rules := func(group string) {
			axeRan(access)
			onVisitSeeing(access, eachPage(func(r record.Record, p browser.Page) []Finding { return broken(r, p, group) }),
				func(res browser.Result) Text { return undecided(res, group) },
				func(res browser.Result) []Picture {
					return takenOfAll(res, browser.OfElement, func(rule string) bool { return groupOf(rule) == group })
				})
		}
		It("for what stands in place of pictures", Check("ETH-35.1"), Reads(access), func() { rules(axePictures) })
		It("for the labels of forms", Check("ETH-35.2"), Reads(access), func() { rules(axeForms) })
		It("for contrasts", Check("ETH-35.3"), Reads(access), func() { rules(axeContrast) })
		It("for the names of links and buttons", Check("ETH-35.4"), Reads(access), func() { rules(axeNames) })
		It("for the structure of pages", Check("ETH-35.5"), Reads(access), func() { rules(axeOthers) })
	})
}

// show has the browser show the pages that the manifest names.
func show(access bool) func(context.Context, *Stage) error {
	return func(ctx context.Context, s *Stage) error {
		v := visitOf(s)
		v.Access = access
		res, err := s.Chromium().Look(ctx, v)
		return noted(ctx, s, v.Site, res, err)
	}
}

// refuse has the browser refuse what the site asks, then show the pages.
func refuse(ctx context.Context, s *Stage) error {
	v := visitOf(s)
	res, err := s.Chromium().Refuse(ctx, v)
	return noted(ctx, s, v.Site, res, err)
}

// visitOf is a visit of the public pages by somebody who is not signed in, so that
// they may be pictured.
func visitOf(s *Stage) browser.Visit {
	c := s.Candidate()
	v := browser.Visit{Site: c.Web.Site, Named: []string{c.Web.Production, c.Web.Plain}, Now: s.Now, Keep: s.Keeper()}
	if v.Site == "" {
		v.Site = c.Web.Production
	}
	for _, p := range c.Web.Pages {
		v.Pages = append(v.Pages, browser.Target{Path: p.Path, Role: p.Role})
	}
	return v
}

// noted records what the browser saw, or why it did not.
func noted(ctx context.Context, s *Stage, site string, res any, err error) error {
	var missing *browser.MissingError
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(err, &missing):
		return s.Probe(browserProbe, site, absent{Missing: missing.Why}, err)
	case err != nil:
		return s.Probe(browserProbe, site, nil, err)
	}
	return s.Probe(browserProbe, site, res, nil)
}

// absent is what is recorded in place of a result where there is no browser.
type absent struct {
	Missing browser.Text `json:"missing"`
}

// shown states the occasion: a browser showed the site. Where none did, the
// reason is the probe's.
func shown(s *Scenario) (Trace, browser.Result) {
	t := s.Trace()
	for _, r := range t.Probes(browserProbe).Records {
		if r.Probe.Error == "" {
			continue
		}
		why := Text{FR: "le navigateur n’a pas pu regarder : " + r.Probe.Error, EN: "the browser could not look: " + r.Probe.Error}
		var a absent
		if json.Unmarshal(r.Probe.Data, &a) == nil && a.Missing.EN != "" {
			why = Text(a.Missing)
		}
		t.Untested(why)
	}
	kept := t.Probes(browserProbe).Where(func(r record.Record) bool {
		return r.Probe.Error == "" && anyPage(resultOf(r), func(browser.Page) bool { return true })
	}).Occasion()
	return kept, resultOf(kept.First())
}

// resultOf reads what the browser saw. What cannot be read is a fault of ours, and
// breaks the check off.
func resultOf(r record.Record) browser.Result {
	var out browser.Result
	if err := json.Unmarshal(r.Probe.Data, &out); err != nil {
		panic(fmt.Sprintf("read probe %s of record %d: %v", r.Probe.Kind, r.Seq, err))
	}
	return out
}

// onVisit judges what the browser saw. What is wrong on a page is wrong whatever
// became of the others; that nothing is wrong takes all of them to have been
// shown. What a person has to decide comes last.
func onVisit(s *Scenario, find func(record.Record, browser.Result) []Finding, review func(browser.Result) Text) {
	onVisitSeeing(s, find, review, func(browser.Result) []Picture { return nil })
}

// firstPage is the picture of the first page, as it was first shown.
func firstPage(res browser.Result) []Picture {
	all := takenOfAll(res, browser.OfPage, nil)
	return all[:min(1, len(all))]
}

// onVisitSeeing is onVisit with the pictures that such a person is to look at.
func onVisitSeeing(s *Scenario, find func(record.Record, browser.Result) []Finding, review func(browser.Result) Text, pictures func(browser.Result) []Picture) {
	t, res := shown(s)
	found := find(t.First(), res)
	if len(found) > 0 {
		t.Report(found...)
		return
	}
	for _, p := range res.Pages {
		if p.State == browser.Failed {
			t.Untested(Text{FR: fmt.Sprintf("la page %s n’a pas pu être montrée : %s", p.URL, p.Reason), EN: fmt.Sprintf("page %s could not be shown: %s", p.URL, p.Reason)})
		}
	}
	if review == nil {
		return
	}
	if why := review(res); why != (Text{}) {
		t.Pictures(pictures(res)...)
		t.Review(why)
	}
}

// eachPage makes a judgement of pages one of a visit.
func eachPage(find func(record.Record, browser.Page) []Finding) func(record.Record, browser.Result) []Finding {
	return func(r record.Record, res browser.Result) []Finding {
		var out []Finding
		for _, p := range res.Pages {
			if p.State == browser.Read {
				out = append(out, find(r, p)...)
			}
		}
		return out
	}
}

func anyPage(res browser.Result, ok func(browser.Page) bool) bool {
	for _, p := range res.Pages {
		if p.State == browser.Read && ok(p) {
			return true
		}
	}
	return false
}

func anyRequest(res browser.Result, ok func(browser.Request) bool) bool {
	return anyPage(res, func(p browser.Page) bool {
		for _, r := range p.Requests {
			if ok(r) {
				return true
			}
		}
		return false
	})
}

// allowed says whether others than the site were let through: where they were
// held back, what they would have done is not known.
func allowed(s *Scenario) {
	t, res := shown(s)
	if res.Others != "allowed" {
		t.Untested(Text{
			FR: "les contenus d’autres sites ont été retenus (--third-parties block) : ce qu’ils auraient fait n’est pas connu",
			EN: "contents of other sites were held back (--third-parties block): what they would have done is not known",
		})
	}
}

// several joins names, the first ones.
func several(names []string) string {
	const most = 8
	if len(names) > most {
		return strings.Join(names[:most], ", ") + ", …"
	}
	return strings.Join(names, ", ")
}
