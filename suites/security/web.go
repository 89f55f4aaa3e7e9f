package security

import (
	"context"
	"net"
	"time"

	. "github.com/onsi/ginkgo/v2"

	"github.com/etalon-sante/etalon/sandbox/record"
	. "github.com/etalon-sante/etalon/suites/lab"
	"github.com/etalon-sante/etalon/suites/outward"
	"github.com/etalon-sante/etalon/suites/probe/web"
)

// WebSpecs registers what is judged of the service's public pages. What each
// check finds stands in page.go and site.go.
func WebSpecs(l *Lab) {
	var pages *Scenario
	l.In("web", func() {
		pages = l.Scenario("web-pages", "the service's public pages are looked at from outside, as at a first visit", lookAtPages)
	})
	looked := func(ok func(web.Result) bool) Trace { return observed(pages.Trace(), "web", ok) }
	each := eachPage(pages)
	page := func(web.Page) bool { return true }
	html := func(p web.Page) bool { return p.HTML }
	withCSP := func(p web.Page) bool { return p.HTML && len(p.CSP) > 0 }
	whole := func(p web.Page) bool { return !p.Truncated }
	asked := func(p web.Page) bool { return p.CORS.Exchange != "" }

	Describe("The way to the service", func() {
		It("leads from HTTP to HTTPS on the same host first", Check("SEC-04.1"), Reads(pages), func() {
			Expect(looked(plainKnown)).To(see("https first", httpsFirst))
		})
		It("has browsers remember HTTPS for a year", Check("SEC-05.1"), Reads(pages), func() { each(page, page, hstsYear) })
	})
	Describe("What a page may do", func() {
		It("is said by a policy with a default", Check("SEC-06.1"), Reads(pages), func() { each(html, page, policyWithDefault) })
		It("does not include scripts written into the page", Check("SEC-06.2"), Reads(pages), func() { each(withCSP, page, noUnsafeScripts) })
		It("is closed for plug-ins, base addresses and frames", Check("SEC-06.3"), Reads(pages), func() { each(withCSP, page, closedPolicy) })
		It("is not left to guesses about types", Check("SEC-07.1"), Reads(pages), func() { each(page, page, nosniff) })
		It("does not include being framed by others", Check("SEC-08.1"), Reads(pages), func() { each(html, page, notFramed) })
		It("does not include telling others its address", Check("SEC-09.1"), Reads(pages), func() { each(html, page, discreet) })
		It("is not open to scripts of another origin", Check("SEC-10.1"), Reads(pages), func() { each(page, asked, ownOrigin) })
		It("includes no script of others that they may change", Check("SEC-11.1"), Reads(pages), func() {
			// Scripts that other scripts load are not seen: where none of others
			// stands in a page, little is known.
			looked(func(r web.Result) bool { return anyPage(r, othersScript) })
			each(html, whole, pinnedScripts)
		})
	})
	Describe("Cookies", func() {
		cookies := func(ok func(web.Cookie) bool, find func(web.Cookie) []Finding) {
			t := looked(func(r web.Result) bool { return siteRead(r) && anyCookie(r, ok) })
			Expect(t).To(see("each cookie", func(r record.Record, res web.Result) []Finding { return onCookies(r, res, ok, find) }))
		}
		It("travel over HTTPS only", Check("SEC-12.1"), Reads(pages), func() { cookies(kept, secureCookie) })
		It("that stand for the patient are hidden from scripts", Check("SEC-12.2"), Reads(pages), func() { cookies(session, hiddenCookie) })
		It("say whether they follow from another site", Check("SEC-12.3"), Reads(pages), func() { cookies(kept, sameSite) })
		It("that stand for the patient are tied to the host by their name", Check("SEC-12.4"), Reads(pages), func() { cookies(session, prefixed) })
	})
	Describe("The address for vulnerabilities", func() {
		It("is published in the agreed form", Check("SEC-13.1"), Reads(pages), func() {
			Expect(looked(func(r web.Result) bool { return r.SecurityTxt.Status != 0 })).To(see("security.txt", securityTxtValid))
		})
		It("is up to date", Check("SEC-13.2"), Reads(pages), func() {
			Expect(looked(func(r web.Result) bool { return r.SecurityTxt.Found && !r.SecurityTxt.Expires.IsZero() })).To(see("not expired", securityTxtCurrent))
		})
	})
	PolicySpecs(l, pages)
	LeftoverSpecs(l, pages)
}

// eachPage judges the pages of a kind. What is wrong on a page that was read is
// wrong whatever became of the others; that nothing is wrong takes all of them
// to have been read, each as far as the question goes.
func eachPage(pages *Scenario) func(kind, legible func(web.Page) bool, find func(web.Page) []Finding) {
	looked := func(ok func(web.Result) bool) Trace { return observed(pages.Trace(), "web", ok) }
	return func(kind, legible func(web.Page) bool, find func(web.Page) []Finding) {
		judge := see("each page", func(r record.Record, res web.Result) []Finding { return onPages(r, res, kind, find) })
		t := looked(func(r web.Result) bool {
			return siteRead(r) && anyPage(r, func(p web.Page) bool { return kind(p) && legible(p) })
		})
		if len(judge.Findings(t, false)) == 0 {
			looked(func(r web.Result) bool {
				return everyPageRead(r) && !anyPage(r, func(p web.Page) bool { return kind(p) && !legible(p) })
			})
		}
		Expect(t).To(judge)
	}
}

func lookAtPages(ctx context.Context, s *Stage) error {
	c := s.Candidate()
	site := siteOf(s)
	targets := make([]web.Target, 0, len(c.Web.Pages))
	for _, p := range c.Web.Pages {
		targets = append(targets, web.Target{Path: p.Path, Role: p.Role})
	}
	res, err := web.Look(ctx, web.Options{
		Site: site, Plain: c.Web.Plain, Pages: targets, Named: []string{c.Web.Production},
		Roots: s.Roots(), Now: s.Now, Timeout: c.Timing.Action, Interval: -1, Pace: s.Pace(),
		Name: nameIn(s), Note: func(at time.Time, x record.Exchange) string { return s.Exchange(at, x) },
	})
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		return s.Probe("web", site, nil, err)
	}
	return s.Probe("web", site, res, nil)
}

// paced opens connections at the pace of the run.
func paced(s *Stage) func(ctx context.Context, network, address string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		host, _, err := net.SplitHostPort(address)
		if err != nil {
			return nil, err
		}
		if err := s.Pace().Wait(ctx, host); err != nil {
			return nil, err
		}
		return outward.Dial(ctx, network, address)
	}
}

func siteRead(r web.Result) bool { return len(r.Pages) > 0 && r.Pages[0].State == web.Read }

// everyPageRead says whether no page of the manifest failed. One that leads to
// a host that the manifest does not name has no content of the service's own.
func everyPageRead(r web.Result) bool {
	for _, p := range r.Pages {
		if p.State == web.Failed {
			return false
		}
	}
	return true
}

func anyPage(r web.Result, kind func(web.Page) bool) bool {
	for _, p := range r.Pages {
		if p.State == web.Read && kind(p) {
			return true
		}
	}
	return false
}

func othersScript(p web.Page) bool {
	for _, s := range p.Scripts {
		if s.ThirdParty {
			return true
		}
	}
	return false
}

func onPages(rec record.Record, r web.Result, kind func(web.Page) bool, find func(web.Page) []Finding) []Finding {
	var out []Finding
	for _, p := range r.Pages {
		if p.State != web.Read || !kind(p) {
			continue
		}
		for _, f := range find(p) {
			f.Seq = rec.Seq
			if f.Exchange == "" {
				f.Exchange = p.Exchange
			}
			out = append(out, f)
		}
	}
	return out
}

func kept(c web.Cookie) bool    { return !c.Removed }
func session(c web.Cookie) bool { return c.Session != "" }

func anyCookie(r web.Result, ok func(web.Cookie) bool) bool {
	for _, c := range r.Cookies {
		if ok(c) {
			return true
		}
	}
	return false
}

// onCookies judges each cookie once: one that every page sets alike is one
// finding, shown by the first answer that set it.
func onCookies(rec record.Record, r web.Result, ok func(web.Cookie) bool, find func(web.Cookie) []Finding) []Finding {
	var out []Finding
	done := map[string]bool{}
	for _, c := range r.Cookies {
		if !ok(c) {
			continue
		}
		for _, f := range find(c) {
			if done[f.Key+" "+c.Name+" "+f.Actual] {
				continue
			}
			done[f.Key+" "+c.Name+" "+f.Actual] = true
			f.Seq, f.Exchange = rec.Seq, c.Exchange
			out = append(out, f.In("response:header:Set-Cookie"))
		}
	}
	return out
}
