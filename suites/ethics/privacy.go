package ethics

import (
	"fmt"
	"slices"

	"github.com/etalon-sante/etalon/sandbox/record"
	"github.com/etalon-sante/etalon/suites/journey"
	. "github.com/etalon-sante/etalon/suites/lab"
	"github.com/etalon-sante/etalon/suites/probe/browser"
)

// What is left behind, and who is asked for what, before anything was chosen.

// cookiesLeft finds the cookies that are known to follow people, or that another
// site has left.
func cookiesLeft(r record.Record, res browser.Result) []Finding {
	list := ourTrackers()
	var out []Finding
	for _, c := range res.Cookies {
		switch t, known := list.key(c.Name); {
		case known && !t.doubt:
			out = append(out, At(r, "browser.tracker-cookie", Text{
				FR: fmt.Sprintf("avant tout choix, le cookie « %s » est déposé : c’est un traceur de %s", c.Name, t.whose),
				EN: fmt.Sprintf("before any choice, cookie %q is set: it is a tracker of %s", c.Name, t.whose),
			}).Was("—", c.Name+" ("+c.Domain+")"))
		case c.Third:
			out = append(out, At(r, "browser.cookie-of-others", Text{
				FR: fmt.Sprintf("avant tout choix, un autre site, %s, dépose le cookie « %s »", c.Domain, c.Name),
				EN: fmt.Sprintf("before any choice, another site, %s, sets cookie %q", c.Domain, c.Name),
			}).Was("—", c.Name+" ("+c.Domain+")"))
		}
	}
	return out
}

// cookiesToReview: what a cookie is for cannot be seen.
func cookiesToReview(res browser.Result) Text {
	var names []string
	for _, c := range res.Cookies {
		life := "session"
		if c.Days > 0 {
			life = fmt.Sprintf("%d j/d", c.Days)
		}
		names = append(names, fmt.Sprintf("%s (%s)", c.Name, life))
	}
	if len(names) == 0 {
		return Text{}
	}
	return Text{
		FR: "avant tout choix, le site dépose : " + journey.Several(names) + ". Est-ce strictement nécessaire au service demandé (session, choix mémorisé, sécurité) ?",
		EN: "before any choice, the site sets: " + journey.Several(names) + ". Is it strictly needed for the service asked for (session, a choice remembered, security)?",
	}
}

// keysLeft finds keys of storages that are known to follow people.
func keysLeft(r record.Record, p browser.Page) []Finding {
	list := ourTrackers()
	var out []Finding
	for _, s := range p.Facts.Stored {
		if t, known := list.key(s.Key); known && !t.doubt {
			out = append(out, At(r, "browser.tracker-key", Text{
				FR: fmt.Sprintf("avant tout choix, la page %s écrit « %s » dans le stockage du navigateur : c’est un traceur de %s", p.URL, s.Key, t.whose),
				EN: fmt.Sprintf("before any choice, page %s writes %q into the browser's storage: it is a tracker of %s", p.URL, s.Key, t.whose),
			}).Was("—", s.Where+" "+s.Key))
		}
	}
	return out
}

func keysToReview(res browser.Result) Text {
	var names []string
	for _, p := range res.Pages {
		for _, s := range p.Facts.Stored {
			if name := fmt.Sprintf("%s (%s)", s.Key, s.Where); !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	if len(names) == 0 {
		return Text{}
	}
	return Text{
		FR: "avant tout choix, des pages écrivent dans le stockage du navigateur : " + journey.Several(names) + ". Est-ce strictement nécessaire au service demandé ?",
		EN: "before any choice, pages write into the browser's storage: " + journey.Several(names) + ". Is it strictly needed for the service asked for?",
	}
}

// asked says whether a request left the browser: what the page's own policy
// forbids does not.
func asked(r browser.Request) bool { return r.Failed == "" || r.Status != 0 || !blocked(r.Failed) }

func blocked(why string) bool { return len(why) > 8 && why[:8] == "blocked:" }

// trackersAsked finds the requests to those who are known to follow people.
func trackersAsked(r record.Record, p browser.Page) []Finding {
	list := ourTrackers()
	var out []Finding
	var told []string
	for _, q := range p.Requests {
		t, known := list.host(q.Host)
		if !known || t.doubt || !q.Third || !asked(q) || slices.Contains(told, q.Host) {
			continue
		}
		told = append(told, q.Host)
		out = append(out, At(r, "browser.tracker-asked", Text{
			FR: fmt.Sprintf("avant tout choix, la page %s interroge %s, un traceur de %s", p.URL, q.Host, t.whose),
			EN: fmt.Sprintf("before any choice, page %s asks %s, a tracker of %s", p.URL, q.Host, t.whose),
		}).Was("—", q.Host+" ("+q.Type+")"))
	}
	return out
}

// thirds are the other sites that pages ask, each once.
func thirds(res browser.Result, keep func(browser.Request) bool) []string {
	var out []string
	for _, p := range res.Pages {
		for _, q := range p.Requests {
			if q.Third && asked(q) && keep(q) && !slices.Contains(out, q.Host) {
				out = append(out, q.Host)
			}
		}
	}
	return out
}

func doubtfulHosts(res browser.Result) Text {
	list := ourTrackers()
	names := thirds(res, func(q browser.Request) bool {
		t, known := list.host(q.Host)
		return known && t.doubt
	})
	if len(names) == 0 {
		return Text{}
	}
	return Text{
		FR: "avant tout choix, des pages interrogent un outil de mesure d’audience : " + journey.Several(names) + ". Il n’est dispensé d’accord que dans certains réglages (CNIL) : lesquels sont en place ?",
		EN: "before any choice, pages ask a tool of audience measurement: " + journey.Several(names) + ". It is exempt of consent in some settings only (CNIL): which are in place?",
	}
}

// pageTold finds the requests by which another site learns which page is read.
func pageTold(r record.Record, p browser.Page) []Finding {
	var out []Finding
	var told []string
	for _, q := range p.Requests {
		if len(q.Tells) == 0 || !asked(q) || slices.Contains(told, q.Host) {
			continue
		}
		told = append(told, q.Host)
		out = append(out, At(r, "browser.page-told", Text{
			FR: fmt.Sprintf("un autre site, %s, apprend que la page %s est lue", q.Host, p.URL),
			EN: fmt.Sprintf("another site, %s, learns that page %s is read", q.Host, p.URL),
		}).Was("—", journey.Several(q.Tells)))
	}
	return out
}

func thirdsToReview(res browser.Result) Text {
	names := thirds(res, func(browser.Request) bool { return true })
	if len(names) == 0 {
		return Text{}
	}
	return Text{
		FR: "avant tout choix, des pages interrogent d’autres sites, qui apprennent au moins l’adresse réseau du visiteur : " + journey.Several(names) + ". Qui sont-ils, où, et à quelle fin ?",
		EN: "before any choice, pages ask other sites, which learn at least the visitor's network address: " + journey.Several(names) + ". Who are they, where, and to what end?",
	}
}
