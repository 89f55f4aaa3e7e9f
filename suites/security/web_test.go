package security

import (
	"strings"
	"testing"

	"github.com/etalon-sante/etalon/suites/lab"
	"github.com/etalon-sante/etalon/suites/probe/web"
)

func webChecks() []string {
	return strings.Fields("SEC-04.1 SEC-05.1 SEC-06.1 SEC-06.2 SEC-06.3 SEC-07.1 SEC-08.1 SEC-09.1 SEC-10.1 SEC-11.1 SEC-12.1 SEC-12.2 SEC-12.3 SEC-12.4 SEC-13.1 SEC-13.2")
}

func policy(directives ...string) web.Policy {
	p := web.Policy{Source: "header", Raw: strings.Join(directives, "; ")}
	for _, d := range directives {
		words := strings.Fields(d)
		p.Directives = append(p.Directives, web.Directive{Name: words[0], Values: words[1:]})
	}
	return p
}

func goodPage(address string) web.Page {
	return web.Page{
		URL: address, State: web.Read, Exchange: "h1", Status: 200, Secure: true, HTML: true,
		HSTS:    web.HSTS{Raw: "max-age=31536000", Valid: true, MaxAge: 31536000},
		CSP:     []web.Policy{policy("default-src 'self'", "script-src 'self' https://cdn.example", "object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'")},
		Nosniff: "nosniff", FrameOptions: "DENY", ReferrerPolicy: "no-referrer", ReferrerRaw: "no-referrer",
		Scripts: []web.Script{
			{URL: "https://service.example/app.js"},
			{URL: "https://cdn.example/a.js", ThirdParty: true, Integrity: "sha384-x", Pinned: true, CORS: true},
		},
		CORS: web.CORS{Exchange: "h2", Status: 200, Origin: web.ForeignOrigin},
	}
}

// goodWeb is what a probe sees of a site without fault.
func goodWeb() web.Result {
	return web.Result{
		Site: "https://service.example/", At: today,
		Plain: web.Plain{URL: "http://service.example/", State: web.Read, Expected: true, Hops: []web.Hop{
			{Exchange: "h3", URL: "http://service.example/", Status: 301, Location: "https://service.example/"},
			{Exchange: "h4", URL: "https://service.example/", Status: 200},
		}},
		Pages: []web.Page{goodPage("https://service.example/"), goodPage("https://service.example/connexion")},
		Cookies: []web.Cookie{{
			Name: "__Host-session", Exchange: "h1", OverHTTPS: true, Secure: true, HTTPOnly: true, SameSite: "Lax", Path: "/", Length: 32, Bits: 128, Session: "name",
		}, {Name: "lang", Exchange: "h1", OverHTTPS: true, Secure: true, SameSite: "Lax", Persistent: true, Length: 2}},
		SecurityTxt: web.SecurityTxt{URL: "https://service.example/.well-known/security.txt", Exchange: "h5", Status: 200, Found: true, Contacts: []string{"mailto:x"}, Expires: today.AddDate(0, 6, 0)},
	}
}

func TestWebChecks(t *testing.T) {
	// on changes the second page: one page at fault is enough.
	on := func(f func(*web.Page)) func(*web.Result) { return func(r *web.Result) { f(&r.Pages[1]) } }
	csp := func(policies ...web.Policy) func(*web.Result) { return on(func(p *web.Page) { p.CSP = policies }) }
	cookie := func(f func(*web.Cookie)) func(*web.Result) { return func(r *web.Result) { f(&r.Cookies[0]) } }
	no := func(ids ...string) map[string]lab.State {
		out := map[string]lab.State{}
		for _, id := range ids {
			out[id] = lab.NotMet
		}
		return out
	}
	untested := func(ids ...string) map[string]lab.State {
		out := map[string]lab.State{}
		for _, id := range ids {
			out[id] = lab.Untested
		}
		return out
	}
	pageChecks := strings.Fields("SEC-05.1 SEC-06.1 SEC-06.2 SEC-06.3 SEC-07.1 SEC-08.1 SEC-09.1 SEC-10.1 SEC-11.1")
	closed := []string{"object-src 'none'", "base-uri 'none'", "frame-ancestors 'self'"}
	with := func(directives ...string) func(*web.Result) { return csp(policy(append(directives, closed...)...)) }

	for name, c := range map[string]struct {
		change func(*web.Result)
		want   map[string]lab.State
	}{
		"a site without fault": {func(*web.Result) {}, nil},

		"plain HTTP answers with the page": {func(r *web.Result) { r.Plain.Hops = []web.Hop{{URL: "http://service.example/", Status: 200}} }, no("SEC-04.1")},
		"plain HTTP leads to another host": {func(r *web.Result) { r.Plain.Hops[0].Location = "https://www.service.example/" }, no("SEC-04.1")},
		"plain HTTP leads to plain HTTP":   {func(r *web.Result) { r.Plain.Hops[0].Location = "http://service.example/fr" }, no("SEC-04.1")},
		"plain HTTP leads to another port": {func(r *web.Result) { r.Plain.Hops[0].Location = "https://service.example:8443/" }, nil},
		"port 80 is closed":                {func(r *web.Result) { r.Plain.Hops, r.Plain.State = nil, web.Closed }, nil},
		"another port is closed":           {func(r *web.Result) { r.Plain.Hops, r.Plain.State, r.Plain.Expected = nil, web.Closed, false }, untested("SEC-04.1")},
		"plain HTTP keeps silent":          {func(r *web.Result) { r.Plain.Hops, r.Plain.State = nil, web.Failed }, untested("SEC-04.1")},

		"no HSTS":          {on(func(p *web.Page) { p.HSTS = web.HSTS{} }), no("SEC-05.1")},
		"HSTS of a month":  {on(func(p *web.Page) { p.HSTS.MaxAge = 30 * 24 * 3600 }), no("SEC-05.1")},
		"a malformed HSTS": {on(func(p *web.Page) { p.HSTS.Valid = false }), no("SEC-05.1")},
		"a plain page":     {on(func(p *web.Page) { p.Secure = false }), no("SEC-05.1")},

		"no policy":                             {csp(), no("SEC-06.1")},
		"a policy without default":              {with("script-src 'self'"), no("SEC-06.1")},
		"a policy that lets inline scripts in":  {with("default-src 'self'", "script-src 'self' 'unsafe-inline'"), no("SEC-06.2")},
		"a policy that lets them in by default": {with("default-src 'self' 'unsafe-inline'"), no("SEC-06.2")},
		"a policy for attributes alone":         {with("default-src 'self'", "script-src-attr 'unsafe-inline'"), no("SEC-06.2")},
		"a policy that lets eval in":            {with("default-src 'self' 'unsafe-eval'"), no("SEC-06.2")},
		"unsafe-inline beside a nonce":          {with("default-src 'self'", "script-src 'nonce-abcdef' 'unsafe-inline'"), nil},
		"unsafe-inline for styles":              {with("default-src 'self'", "style-src 'unsafe-inline'"), nil},
		"a second policy that forbids":          {csp(policy(append([]string{"default-src 'self' 'unsafe-inline' 'unsafe-eval'"}, closed...)...), policy("script-src 'self'")), nil},
		"any plug-in":                           {csp(policy("default-src https:", "base-uri 'none'", "frame-ancestors 'none'")), no("SEC-06.3")},
		"no base-uri":                           {csp(policy("default-src 'self'", "frame-ancestors 'none'")), no("SEC-06.3")},
		"no frame-ancestors":                    {csp(policy("default-src 'self'", "base-uri 'self'")), no("SEC-06.3")},

		"sniffing": {on(func(p *web.Page) { p.Nosniff = "" }), no("SEC-07.1")},
		"frames for everyone": {on(func(p *web.Page) {
			p.CSP = []web.Policy{policy("default-src 'self'", "base-uri 'none'", "frame-ancestors *")}
		}), no("SEC-08.1")},
		"frames kept out by the old header":   {on(func(p *web.Page) { p.CSP = []web.Policy{policy("default-src 'self'", "base-uri 'none'")} }), no("SEC-06.3")},
		"frames not spoken of":                {on(func(p *web.Page) { p.CSP, p.FrameOptions = nil, "ALLOW-FROM x" }), no("SEC-06.1", "SEC-08.1")},
		"the whole address told to strangers": {on(func(p *web.Page) { p.ReferrerPolicy = "unsafe-url" }), no("SEC-09.1")},
		"nothing said about the address":      {on(func(p *web.Page) { p.ReferrerPolicy, p.ReferrerRaw = "", "" }), no("SEC-09.1")},

		"any origin reflected":                  {on(func(p *web.Page) { p.CORS.AllowOrigin, p.CORS.AllowCredentials = web.ForeignOrigin, "true" }), no("SEC-10.1")},
		"a star beside credentials":             {on(func(p *web.Page) { p.CORS.AllowOrigin, p.CORS.AllowCredentials = "*", "true" }), no("SEC-10.1")},
		"a star alone":                          {on(func(p *web.Page) { p.CORS.AllowOrigin = "*" }), nil},
		"an origin of the service's own":        {on(func(p *web.Page) { p.CORS.AllowOrigin, p.CORS.AllowCredentials = "https://app.service.example", "true" }), nil},
		"a foreign origin not answered":         {on(func(p *web.Page) { p.CORS = web.CORS{Error: "no answer"} }), untested("SEC-10.1")},
		"a third-party script without a digest": {on(func(p *web.Page) { p.Scripts[1].Pinned, p.Scripts[1].Integrity = false, "" }), no("SEC-11.1")},
		"a digest that cannot be checked":       {on(func(p *web.Page) { p.Scripts[1].CORS = false }), no("SEC-11.1")},
		"no script of others": {func(r *web.Result) {
			for i := range r.Pages {
				r.Pages[i].Scripts = r.Pages[i].Scripts[:1]
			}
		}, untested("SEC-11.1")},
		"a script of others on one page only": {on(func(p *web.Page) { p.Scripts = nil }), nil},
		"a page too long to be read":          {on(func(p *web.Page) { p.Truncated = true }), untested("SEC-11.1")},
		"a page too long, and a script at fault": {func(r *web.Result) {
			r.Pages[1].Truncated, r.Pages[0].Scripts[1].Pinned = true, false
		}, no("SEC-11.1")},

		"a cookie that leaves in the clear":   {cookie(func(c *web.Cookie) { c.Secure = false; c.Name = "__Secure-x" }), no("SEC-12.1", "SEC-12.4")},
		"a cookie set in the clear":           {func(r *web.Result) { r.Cookies[1].OverHTTPS = false }, no("SEC-12.1")},
		"a session that scripts can read":     {cookie(func(c *web.Cookie) { c.HTTPOnly = false }), no("SEC-12.2")},
		"a cookie that follows from anywhere": {cookie(func(c *web.Cookie) { c.SameSite = "" }), no("SEC-12.3")},
		"a cookie that is meant to follow":    {func(r *web.Result) { r.Cookies[1].SameSite = "None" }, nil},
		"SameSite=None without Secure":        {func(r *web.Result) { r.Cookies[1].SameSite, r.Cookies[1].Secure = "None", false }, no("SEC-12.1", "SEC-12.3")},
		"a session without prefix":            {cookie(func(c *web.Cookie) { c.Name = "session" }), no("SEC-12.4")},
		"a prefix that is not kept":           {cookie(func(c *web.Cookie) { c.Domain = "service.example" }), no("SEC-12.4")},
		"a cookie taken away":                 {func(r *web.Result) { r.Cookies[1] = web.Cookie{Name: "old", Removed: true} }, nil},
		"no cookie at all":                    {func(r *web.Result) { r.Cookies = nil }, untested("SEC-12.1", "SEC-12.2", "SEC-12.3", "SEC-12.4")},
		"no session cookie":                   {func(r *web.Result) { r.Cookies = r.Cookies[1:] }, untested("SEC-12.2", "SEC-12.4")},

		"no security.txt": {func(r *web.Result) {
			r.SecurityTxt = web.SecurityTxt{URL: "https://service.example/.well-known/security.txt", Status: 404}
		}, map[string]lab.State{"SEC-13.1": lab.NotMet, "SEC-13.2": lab.Untested}},
		"a security.txt without contact": {func(r *web.Result) {
			r.SecurityTxt.Problems = []web.Problem{{Key: "missing-contact", Expected: "Contact:", Actual: "—"}, {Key: "line", Line: 3, Expected: "Name: value", Actual: "x"}}
		}, no("SEC-13.1")},
		"an expired security.txt":     {func(r *web.Result) { r.SecurityTxt.Expired = true }, no("SEC-13.2")},
		"no answer for security.txt":  {func(r *web.Result) { r.SecurityTxt = web.SecurityTxt{Reason: "no answer"} }, untested("SEC-13.1", "SEC-13.2")},
		"a page that failed":          {func(r *web.Result) { r.Pages = append(r.Pages, web.Page{URL: "x", State: web.Failed}) }, untested(pageChecks...)},
		"a page that leads elsewhere": {func(r *web.Result) { r.Pages = append(r.Pages, web.Page{URL: "x", State: web.Elsewhere}) }, nil},
		"a page that failed, and one at fault": {func(r *web.Result) {
			r.Pages = append(r.Pages, web.Page{URL: "x", State: web.Failed})
			r.Pages[0].Nosniff = "no"
		}, func() map[string]lab.State { m := untested(pageChecks...); m["SEC-07.1"] = lab.NotMet; return m }()},
	} {
		t.Run(name, func(t *testing.T) {
			r := goodWeb()
			c.change(&r)
			expect(t, judge(t, looked(t, "web-pages", "web", r)), webChecks(), c.want)
		})
	}
}

func TestAPageShowsTheExchangeAtFault(t *testing.T) {
	r := goodWeb()
	r.Pages[1].Exchange, r.Pages[1].Nosniff = "h9", ""
	r.Pages[1].CORS = web.CORS{Exchange: "h10", Origin: web.ForeignOrigin, AllowOrigin: "*", AllowCredentials: "true"}
	got := judge(t, looked(t, "web-pages", "web", r))
	if f := got["SEC-07.1"].Findings; len(f) != 1 || f[0].Exchange != "h9" || f[0].Pointer != "response:header:X-Content-Type-Options" {
		t.Errorf("%+v", f)
	}
	if f := got["SEC-10.1"].Findings; len(f) != 1 || f[0].Exchange != "h10" {
		t.Errorf("%+v", f)
	}
}

func TestACookieThatEveryPageSetsIsOneFinding(t *testing.T) {
	r := goodWeb()
	bad := web.Cookie{Name: "theme", Exchange: "h1", OverHTTPS: true, Length: 4}
	again := bad
	again.Exchange = "h7"
	r.Cookies = append(r.Cookies, bad, again)
	if f := judge(t, looked(t, "web-pages", "web", r))["SEC-12.1"].Findings; len(f) != 1 || f[0].Exchange != "h1" {
		t.Errorf("%+v", f)
	}
}
