package ethics

import (
	"strings"
	"testing"

	"github.com/etalon-sante/etalon/sandbox/record"
	"github.com/etalon-sante/etalon/suites/lab"
	"github.com/etalon-sante/etalon/suites/probe/browser"
)

func TestTheListOfTrackersIsRead(t *testing.T) {
	t.Parallel()
	list, refused := readTrackers(trackersText)
	if len(refused) > 0 || len(list.hosts) < 50 || len(list.keys) < 40 {
		t.Errorf("%d hosts, %d keys, refused %v", len(list.hosts), len(list.keys), refused)
	}
	for host, whose := range map[string]string{
		"www.google-analytics.com": "Google Analytics", "region1.google-analytics.com:443": "Google Analytics", "connect.facebook.net": "Meta",
		"notgoogle-analytics.com": "", "google-analytics.com.evil.example": "", "carnet.example": "", "[::1]:8443": "",
	} {
		if got, _ := list.host(host); got.whose != whose {
			t.Errorf("%s: %q, want %q", host, got.whose, whose)
		}
	}
	for key, whose := range map[string]string{"_ga": "Google Analytics", "_ga_ABC": "Google Analytics", "_gallery": "", "fr": "Meta", "francais": "", "_pk_id.1": "Matomo", "carnet_session": ""} {
		if got, _ := list.key(key); got.whose != whose {
			t.Errorf("%s: %q, want %q", key, got.whose, whose)
		}
	}
	for _, bad := range []string{"host\n", "host x.example", "key * Whose", "planet x.example Whose", "host *.x.example* Whose"} {
		if _, refused := readTrackers(bad); len(refused) != 1 {
			t.Errorf("%q was taken", bad)
		}
	}
}

func page(change func(*browser.Page)) browser.Page {
	p := browser.Page{URL: "https://s.example/", State: browser.Read, Access: &browser.Access{}}
	change(&p)
	return p
}

func TestWhatIsFoundOnAPage(t *testing.T) {
	t.Parallel()
	asks := func(q browser.Request) func(*browser.Page) {
		return func(p *browser.Page) { p.Requests = []browser.Request{q} }
	}
	viewport := func(v string) func(*browser.Page) { return func(p *browser.Page) { p.Facts.Viewport = v } }
	lang := func(v string) func(*browser.Page) { return func(p *browser.Page) { p.Facts.Lang = v } }
	for name, c := range map[string]struct {
		find  func(record.Record, browser.Page) []lab.Finding
		page  func(*browser.Page)
		found int
	}{
		"a tracker":                         {trackersAsked, asks(browser.Request{Host: "www.facebook.com", Third: true}), 1},
		"a tracker that the policy forbids": {trackersAsked, asks(browser.Request{Host: "www.facebook.com", Third: true, Failed: "blocked: csp"}), 0},
		"a tracker that does not answer":    {trackersAsked, asks(browser.Request{Host: "www.facebook.com", Third: true, Failed: "net::ERR_NAME_NOT_RESOLVED"}), 1},
		"one that may be exempt":            {trackersAsked, asks(browser.Request{Host: "logs.xiti.com", Third: true}), 0},
		"a page told":                       {pageTold, asks(browser.Request{Host: "t.example", Third: true, Tells: []string{"referer"}}), 1},
		"no language":                       {language, lang(""), 1},
		"a language in words":               {language, lang("français"), 1},
		"a language":                        {language, lang("fr-FR"), 0},
		"zoom forbidden":                    {zoomable, viewport("width=device-width, user-scalable=no"), 1},
		"zoom bounded":                      {zoomable, viewport("width=device-width,maximum-scale=1.0"), 1},
		"zoom bounded far away":             {zoomable, viewport("width=device-width; maximum-scale=5"), 0},
		"no viewport":                       {zoomable, viewport(""), 0},
		"a file never kept":                 {notKept, asks(browser.Request{Type: "Stylesheet", Status: 200, Caching: "no-store, max-age=60", Tagged: true}), 1},
		"a file kept for a day":             {notKept, asks(browser.Request{Type: "Script", Status: 200, Caching: "public, max-age=86400"}), 0},
		"a file asked about again":          {notKept, asks(browser.Request{Type: "Image", Status: 200, Caching: "no-cache", Tagged: true}), 0},
		"a file of others, which is theirs": {notKept, asks(browser.Request{Type: "Image", Status: 200, Third: true}), 0},
		"a heavy page":                      {tooHeavy, func(p *browser.Page) { p.Bytes, p.Asked, p.Facts.DOM = 6<<20, 151, 4001 }, 3},
		"a page as most":                    {tooHeavy, func(p *browser.Page) { p.Bytes, p.Asked, p.Facts.DOM = 2<<20, 70, 900 }, 0},
		"a narrow page":                     {wide, func(p *browser.Page) { p.Access.Reflow = browser.Reflow{Window: 320, Page: 321} }, 0},
		"a wide page":                       {wide, func(p *browser.Page) { p.Access.Reflow = browser.Reflow{Window: 320, Page: 700} }, 1},
	} {
		if got := c.find(record.Record{}, page(c.page)); len(got) != c.found {
			t.Errorf("%s: %d findings, want %d: %+v", name, len(got), c.found, got)
		}
	}
}

func TestCookiesAreToldApart(t *testing.T) {
	t.Parallel()
	res := browser.Result{Cookies: []browser.Cookie{{Name: "__Host-session"}, {Name: "_pk_id.1.1fff", Days: 393}}}
	if got := cookiesLeft(record.Record{}, res); len(got) != 0 {
		t.Errorf("%+v", got)
	}
	if why := cookiesToReview(res); !strings.Contains(why.EN, "__Host-session (session), _pk_id.1.1fff (393") {
		t.Errorf("%+v", why)
	}
	res.Cookies = append(res.Cookies, browser.Cookie{Name: "_fbp"}, browser.Cookie{Name: "x", Domain: ".t.example", Third: true})
	if got := cookiesLeft(record.Record{}, res); len(got) != 2 {
		t.Errorf("%+v", got)
	}
}

func TestEachRuleIsInOneGroup(t *testing.T) {
	t.Parallel()
	p := page(func(p *browser.Page) {
		p.Access.Rules = browser.Rules{Ran: true, Violations: []browser.Rule{{ID: "label", Impact: "critical"}, {ID: "list", Impact: "serious"}, {ID: "region", Impact: "moderate"}, {ID: "html-has-lang", Impact: "serious"}}}
	})
	for group, want := range map[string]int{axePictures: 0, axeForms: 1, axeContrast: 0, axeNames: 0, axeOthers: 1} {
		if got := broken(record.Record{}, p, group); len(got) != want {
			t.Errorf("%s: %+v", group, got)
		}
	}
	if why := undecided(browser.Result{Pages: []browser.Page{p}}, axeOthers); why.EN == "" {
		t.Error("what is less grave is not told")
	}
}
