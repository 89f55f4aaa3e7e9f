package journey

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/etalon-sante/etalon/sandbox/record"
	"github.com/etalon-sante/etalon/suites/lab"
	"github.com/etalon-sante/etalon/suites/probe/browser"
)

// browserProbe is the kind of the records of a browser's look.
const browserProbe = "browser"

// Visits are the scenarios in which a browser shows the public pages.
type Visits struct {
	First    *lab.Scenario // nothing is chosen
	Access   *lab.Scenario // rules, keyboard, other windows
	Refused  *lab.Scenario // what is asked is refused, then pages are shown
	Accepted *lab.Scenario // settings are looked at, all is accepted, then pages are shown
}

// VisitsOf declares the scenarios of a browser, once. Each is late: a browser
// takes the machine, and what is timed elsewhere is not to suffer from it.
func VisitsOf(l *lab.Lab) Visits {
	return Visits{
		First:    l.Shared("browser", "browser-visit", "a browser that was never there shows the public pages, and nothing is chosen", show(false), lab.Late()),
		Access:   l.Shared("browser-access", "browser-access", "the public pages are read by rules, walked through by keyboard and shown enlarged and in a narrow window", show(true), lab.Late()),
		Refused:  l.Shared("browser-choice", "browser-refusal", "a browser that was never there refuses what is asked of it, then shows the public pages", refuse, lab.Late()),
		Accepted: l.Shared("browser-choice", "browser-acceptance", "a browser that was never there looks at the settings offered, accepts what is asked of it, then shows the public pages", accept, lab.Late()),
	}
}

// show has the browser show the pages that the manifest names.
func show(access bool) func(context.Context, *lab.Stage) error {
	return func(ctx context.Context, s *lab.Stage) error {
		v := visitOf(s)
		v.Access = access
		res, err := s.Chromium().Look(ctx, v)
		return noted(ctx, s, v.Site, res, err)
	}
}

// refuse has the browser refuse what the site asks, then show the pages.
func refuse(ctx context.Context, s *lab.Stage) error {
	v := visitOf(s)
	res, err := s.Chromium().Refuse(ctx, v)
	return noted(ctx, s, v.Site, res, err)
}

// accept has the browser look at what is offered, accept it, then show the pages.
func accept(ctx context.Context, s *lab.Stage) error {
	v := visitOf(s)
	res, err := s.Chromium().Accept(ctx, v)
	return noted(ctx, s, v.Site, res, err)
}

// visitOf is a visit of the public pages by somebody who is not signed in, so that
// they may be pictured.
func visitOf(s *lab.Stage) browser.Visit {
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
func noted(ctx context.Context, s *lab.Stage, site string, res any, err error) error {
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

// Shown states the occasion: a browser showed the site. Where none did, the
// reason is the probe's.
func Shown(s *lab.Scenario) (lab.Trace, browser.Result) {
	t := s.Trace()
	for _, r := range t.Probes(browserProbe).Records {
		if r.Probe.Error == "" {
			continue
		}
		why := lab.Text{FR: "le navigateur n’a pas pu regarder : " + r.Probe.Error, EN: "the browser could not look: " + r.Probe.Error}
		var a absent
		if json.Unmarshal(r.Probe.Data, &a) == nil && a.Missing.EN != "" {
			why = lab.Text(a.Missing)
		}
		t.Untested(why)
	}
	kept := t.Probes(browserProbe).Where(func(r record.Record) bool {
		return r.Probe.Error == "" && AnyPage(ResultOf(r), func(browser.Page) bool { return true })
	}).Occasion()
	return kept, ResultOf(kept.First())
}

// ResultOf reads what the browser saw. What cannot be read is a fault of ours, and
// breaks the check off.
func ResultOf(r record.Record) browser.Result { return record.Seen[browser.Result](r) }

// OnVisit judges what the browser saw. What is wrong on a page is wrong whatever
// became of the others; that nothing is wrong takes all of them to have been
// shown. What a person has to decide comes last.
func OnVisit(s *lab.Scenario, find func(record.Record, browser.Result) []lab.Finding, review func(browser.Result) lab.Text) {
	OnVisitSeeing(s, find, review, func(browser.Result) []lab.Picture { return nil })
}

// FirstPage is the picture of the first page, as it was first shown.
func FirstPage(res browser.Result) []lab.Picture {
	all := TakenOfAll(res, browser.OfPage, nil)
	return all[:min(1, len(all))]
}

// OnVisitSeeing is onVisit with the pictures that such a person is to look at.
func OnVisitSeeing(s *lab.Scenario, find func(record.Record, browser.Result) []lab.Finding, review func(browser.Result) lab.Text, pictures func(browser.Result) []lab.Picture) {
	t, res := Shown(s)
	found := find(t.First(), res)
	if len(found) > 0 {
		t.Report(found...)
		return
	}
	for _, p := range res.Pages {
		if p.State == browser.Failed {
			t.Untested(lab.Text{FR: fmt.Sprintf("la page %s n’a pas pu être montrée : %s", p.URL, p.Reason), EN: fmt.Sprintf("page %s could not be shown: %s", p.URL, p.Reason)})
		}
	}
	if review == nil {
		return
	}
	if why := review(res); why != (lab.Text{}) {
		t.Pictures(pictures(res)...)
		t.Review(why)
	}
}

// EachPage makes a judgement of pages one of a visit.
func EachPage(find func(record.Record, browser.Page) []lab.Finding) func(record.Record, browser.Result) []lab.Finding {
	return func(r record.Record, res browser.Result) []lab.Finding {
		var out []lab.Finding
		for _, p := range res.Pages {
			if p.State == browser.Read {
				out = append(out, find(r, p)...)
			}
		}
		return out
	}
}

// AnyPage says whether a page that was shown is as asked.
func AnyPage(res browser.Result, ok func(browser.Page) bool) bool {
	for _, p := range res.Pages {
		if p.State == browser.Read && ok(p) {
			return true
		}
	}
	return false
}

// AnyRequest says whether a page that was shown made a request as asked.
func AnyRequest(res browser.Result, ok func(browser.Request) bool) bool {
	return AnyPage(res, func(p browser.Page) bool {
		for _, r := range p.Requests {
			if ok(r) {
				return true
			}
		}
		return false
	})
}

// Allowed says whether others than the site were let through: where they were
// held back, what they would have done is not known.
func Allowed(s *lab.Scenario) {
	t, res := Shown(s)
	if res.Others != "allowed" {
		t.Untested(lab.Text{
			FR: "les contenus d’autres sites ont été retenus (--third-parties block) : ce qu’ils auraient fait n’est pas connu",
			EN: "contents of other sites were held back (--third-parties block): what they would have done is not known",
		})
	}
}

// Several joins names, the first ones.
func Several(names []string) string {
	const most = 8
	if len(names) > most {
		return strings.Join(names[:most], ", ") + ", …"
	}
	return strings.Join(names, ", ")
}
