package browser

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/fetch"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/security"
	"github.com/chromedp/cdproto/storage"
	"github.com/chromedp/chromedp"
)

// Bounds of one look.
const (
	MaxPages    = 12  // pages visited
	maxRequests = 300 // requests kept of one page; all are counted
	maxStored   = 100 // cookies or keys of storage kept
	maxText     = 200 // characters of a text taken from a page
	pageTimeout = 20 * time.Second
	settleMost  = 4 * time.Second        // that a page is waited for after it was loaded
	settleQuiet = 700 * time.Millisecond // without a request, after which it is taken for complete
	besideQuiet = 150 * time.Millisecond // the same for a service on this machine
	cookieBytes = 4096
)

// Visit says what is looked at.
type Visit struct {
	Site  string   // address of the service: "https://service.example/"
	Pages []Target // further pages of Site
	Named []string // other addresses to which a page may lead
	Now   func() time.Time
	// Access asks for what costs time: axe-core, the keyboard, a narrow screen.
	Access bool
	// Keep takes the pictures; nil: none are taken. It is given only for visits of
	// pages that nobody has signed in to, or that a synthetic person sees.
	Keep Keeper
}

// Target is a page of the site.
type Target struct {
	Path string
	Role string
}

// The states of a page.
const (
	Read      = "read"
	Elsewhere = "elsewhere" // leads to a host that the manifest does not name; not followed
	Failed    = "failed"
)

// Result is what was seen.
type Result struct {
	Site    string    `json:"site"`
	At      time.Time `json:"at"`
	Browser string    `json:"browser"` // "Chrome/156.0.8078.79"
	Others  string    `json:"others"`  // what became of third parties: allowed, blocked
	Pages   []Page    `json:"pages"`
	Cookies []Cookie  `json:"cookies"` // after all pages, nothing having been chosen
	Axe     string    `json:"axe"`     // version of axe-core; "" when the build has none, or it was not asked for
}

// Page is one page as the browser showed it.
type Page struct {
	URL    string `json:"url"`
	Role   string `json:"role"`
	State  string `json:"state"`
	Reason string `json:"reason"`
	Status int    `json:"status"`

	Facts    Facts     `json:"facts"`
	Requests []Request `json:"requests"`
	Asked    int       `json:"asked"` // requests made, kept or not
	Bytes    int64     `json:"bytes"` // received, headers included
	Mixed    []string  `json:"mixed"` // addresses asked for over plain HTTP from a page that came over HTTPS
	Access   *Access   `json:"access,omitempty"`
	Pictures []Picture `json:"pictures,omitempty"`
	Details  *Details  `json:"details,omitempty"` // read once, of a visit that only looks
}

// Facts are what the page's document holds.
type Facts struct {
	Lang     string   `json:"lang"` // of the html element
	Title    string   `json:"title"`
	DOM      int      `json:"dom"`      // elements
	Viewport string   `json:"viewport"` // content of the meta element
	Media    int      `json:"media"`    // audio and video elements
	Playing  []string `json:"playing"`  // those that play, or are to play, without being asked
	Fonts    int      `json:"fonts"`    // font files loaded
	Stored   []Stored `json:"stored"`
	Frames   int      `json:"frames"`
	Headings int      `json:"headings"`
}

// Stored is one key of a storage of the page's origin. Its value is not read.
type Stored struct {
	Where string `json:"where"` // local, session, indexed, cache
	Key   string `json:"key"`
	Size  int    `json:"size"` // characters of the value; 0 where it is not known
}

// Request is one request that a page made.
type Request struct {
	Host    string `json:"host"`
	Name    string `json:"name"` // of the file: the last part of the path
	Type    string `json:"type"` // Document, Script, Image, …
	Status  int    `json:"status"`
	MIME    string `json:"mime"`
	Bytes   int64  `json:"bytes"`   // received, headers included
	Body    int64  `json:"body"`    // of the body, decoded
	Coding  string `json:"coding"`  // Content-Encoding
	Caching string `json:"caching"` // Cache-Control
	Tagged  bool   `json:"tagged"`  // bears ETag or Last-Modified
	Third   bool   `json:"third"`   // to another site
	// Tells says how a third party learns which page is read: "referer" (its
	// path stands in the header), "address" (it stands in the address asked for).
	Tells  []string `json:"tells"`
	Failed string   `json:"failed"` // why it came to nothing
}

// Cookie is one cookie that the browser holds; its value is not read.
type Cookie struct {
	Name     string `json:"name"`
	Domain   string `json:"domain"`
	Path     string `json:"path"`
	Third    bool   `json:"third"` // of another site
	Days     int    `json:"days"`  // that it lasts; 0: until the browser is closed
	Secure   bool   `json:"secure"`
	HTTPOnly bool   `json:"httpOnly"`
	SameSite string `json:"sameSite"`
	Size     int    `json:"size"` // characters of name and value
}

// UnreachableError says that the site's own address could not be shown.
type UnreachableError struct {
	Address string
	Reason  string
}

func (e *UnreachableError) Error() string {
	return fmt.Sprintf("look at %s with a browser: %s", e.Address, e.Reason)
}

// Look visits the pages of a site, one after the other, as somebody who was never
// there and chooses nothing. The error is a *MissingError when there is no
// browser, an *UnreachableError when the site itself could not be shown; whatever
// else went wrong is in the result.
func (h *Host) Look(ctx context.Context, v Visit) (Result, error) { return h.visit(ctx, v, acts{}) }

// acts are what a visit does besides looking.
type acts struct {
	// first acts on the site's own page once it is shown, and says whether the
	// pages are to be shown, all of them, after that.
	first func(*look, Page) bool
	// each acts on a page that was shown, after that; last says that it is the last.
	each func(l *look, p Page, last bool)
}

// visit visits the pages.
func (h *Host) visit(ctx context.Context, v Visit, do acts) (Result, error) {
	site, err := url.Parse(v.Site)
	if err != nil || site.Hostname() == "" || (site.Scheme != "https" && site.Scheme != "http") {
		return Result{}, fmt.Errorf("look at the site %q: expected something like https://service.example/", v.Site)
	}
	site.User, site.Fragment = nil, ""
	if site.Path == "" {
		site.Path = "/"
	}
	tab, done, err := h.tab(ctx)
	if err != nil {
		return Result{}, err
	}
	defer done()
	res := Result{Site: site.String(), At: v.now().UTC(), Others: "allowed", Pages: []Page{}, Cookies: []Cookie{}}
	if h.options.BlockOthers {
		res.Others = "blocked"
	}
	l := &look{visit: v, site: site, tab: tab, quiet: settleQuiet, alone: h.options.BlockOthers, acting: do.first != nil}
	if beside(site) {
		l.quiet = besideQuiet
	}
	if res.Browser, err = l.prepare(h.options.Loopback); err != nil {
		return res, l.why(ctx, err)
	}
	all := l.addresses()
	if do.first != nil {
		p := l.page(all[0].url, all[0].role)
		if p.State == Failed {
			return res, l.why(ctx, &UnreachableError{Address: res.Site, Reason: p.Reason})
		}
		if p.State != Read || !do.first(l, p) {
			res.Pages, all = append(res.Pages, p), nil
		}
	}
	for i, at := range all {
		p := l.page(at.url, at.role)
		res.Pages = append(res.Pages, p)
		if i == 0 && p.State == Failed {
			return res, l.why(ctx, &UnreachableError{Address: res.Site, Reason: p.Reason})
		}
		if do.each != nil {
			do.each(l, p, i == len(all)-1)
		}
	}
	if res.Cookies, err = l.cookies(); err != nil {
		return res, l.why(ctx, err)
	}
	if v.Access {
		res.Axe = AxeVersion()
	}
	return res, ctx.Err()
}

func (v Visit) now() time.Time {
	if v.Now == nil {
		return time.Now()
	}
	return v.Now()
}

// look is one visit under way.
type look struct {
	visit   Visit
	site    *url.URL
	tab     context.Context //nolint:containedctx // it is how chromedp holds a tab
	quiet   time.Duration
	alone   bool // nothing of another site is loaded
	acting  bool // it does more than look
	traffic *traffic

	pictures int // kept so far
}

// why prefers that the caller's context ended as the reason of a failure.
func (l *look) why(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

type address struct {
	url  *url.URL
	role string
}

// addresses are the site's own and those of its pages, each once.
func (l *look) addresses() []address {
	out := []address{{l.site, "home"}}
	seen := map[string]bool{l.site.String(): true}
	for _, t := range l.visit.Pages {
		at, err := l.site.Parse(t.Path)
		if err != nil || at.Scheme != l.site.Scheme || at.Host != l.site.Host || len(out) == MaxPages {
			continue // a path of another site is no page of this one; the plain look tells of it
		}
		at.User, at.Fragment = nil, ""
		if !seen[at.String()] {
			seen[at.String()] = true
			out = append(out, address{at, t.Role})
		}
	}
	return out
}

// prepare makes the tab listen, and gives the browser's version.
func (l *look) prepare(loopback bool) (string, error) {
	ctx, cancel := context.WithTimeout(l.tab, pageTimeout)
	defer cancel()
	l.traffic = newTraffic(l)
	if err := chromedp.Listen(l.tab, l.traffic.event); err != nil {
		return "", err
	}
	if _, err := chromedp.Call(ctx, network.Enable, network.EnableParams{}); err != nil {
		return "", err
	}
	if loopback {
		if _, err := chromedp.Call(ctx, security.SetIgnoreCertificateErrors, security.SetIgnoreCertificateErrorsParams{Ignore: true}); err != nil {
			return "", err
		}
	}
	pattern := &fetch.RequestPattern{URLPattern: "*", ResourceType: network.ResourceTypeDocument}
	if l.alone {
		pattern.ResourceType = ""
	}
	if _, err := chromedp.Call(ctx, fetch.Enable, fetch.EnableParams{Patterns: []*fetch.RequestPattern{pattern}}); err != nil {
		return "", err
	}
	agent, err := chromedp.Run(ctx, chromedp.Evaluate[string]("navigator.userAgent"))
	if err != nil {
		return "", err
	}
	return versionIn(agent), nil
}

// versionIn is the browser's name and version in what it says of itself.
func versionIn(agent string) string {
	version := ""
	for _, word := range strings.Fields(agent) {
		if strings.Contains(word, "Chrome/") {
			version = strings.Replace(word, "Headless", "", 1)
		}
	}
	return cut(version, maxText)
}

// page visits one page. What goes wrong stands in the page.
func (l *look) page(at *url.URL, role string) Page {
	p := Page{URL: shown(at), Role: role, State: Failed, Requests: []Request{}, Mixed: []string{}, Facts: Facts{Playing: []string{}, Stored: []Stored{}}}
	ctx, cancel := context.WithTimeout(l.tab, pageTimeout)
	defer cancel()
	l.traffic.begin(at)
	err := chromedp.Do(ctx, chromedp.Navigate(at.String()))
	if err == nil {
		l.traffic.settle(ctx, l.quiet, settleMost)
	}
	seen := l.traffic.end()
	p.Requests, p.Asked, p.Bytes, p.Mixed, p.Status = seen.requests, seen.asked, seen.bytes, seen.mixed, seen.status
	switch {
	case seen.elsewhere != "":
		p.State, p.Reason = Elsewhere, "leads to "+seen.elsewhere+", which the manifest does not name"
		return p
	case err != nil:
		p.Reason = cut(plainly(err), maxText)
		return p
	case seen.status >= 400:
		p.Reason = fmt.Sprintf("the answer is %d", seen.status)
		return p
	}
	if p.Facts, err = l.facts(ctx); err != nil {
		p.Reason = "the document could not be read: " + cut(plainly(err), maxText)
		return p
	}
	for _, r := range p.Requests {
		if r.Type == string(network.ResourceTypeFont) {
			p.Facts.Fonts++
		}
	}
	p.State = Read
	if l.visit.Access {
		access := l.access(&p.Pictures)
		p.Access = &access
	} else if !l.acting {
		l.picture(OfPage, "", nil, &p.Pictures)
		details := l.details(ctx, p.Requests, seen.ids)
		details.Grew = l.scroll(ctx)
		p.Details = &details
	}
	return p
}

// plainly is an error without the wrapping that says where in the protocol it arose.
func plainly(err error) string {
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Sprintf("it was not loaded within %s", pageTimeout)
	}
	return strings.TrimPrefix(err.Error(), "page load error ")
}

func (l *look) cookies() ([]Cookie, error) {
	ctx, cancel := context.WithTimeout(l.tab, pageTimeout)
	defer cancel()
	got, err := chromedp.CallBrowser(ctx, storage.GetCookies, storage.GetCookiesParams{BrowserContextID: chromedp.FromContext(l.tab).BrowserContextID})
	if err != nil {
		return []Cookie{}, fmt.Errorf("ask for the cookies: %w", err)
	}
	out := []Cookie{}
	now := l.visit.now()
	for _, c := range got.Cookies {
		if len(out) == maxStored {
			break
		}
		k := Cookie{
			Name: cut(c.Name, maxText), Domain: cut(c.Domain, maxText), Path: cut(c.Path, maxText), Secure: c.Secure, HTTPOnly: c.HTTPOnly,
			SameSite: string(c.SameSite), Size: min(int(c.Size), 2*cookieBytes), Third: !sameSite(strings.TrimPrefix(c.Domain, "."), l.site.Hostname()),
		}
		if !c.Session {
			k.Days = max(1, int(time.Unix(int64(c.Expires), 0).Sub(now)/(24*time.Hour)))
		}
		out = append(out, k)
	}
	return out, nil
}

// width sets the window's width in CSS pixels; 0 gives it back.
func width(ctx context.Context, pixels int64) error {
	if pixels == 0 {
		_, err := chromedp.Call(ctx, emulation.ClearDeviceMetricsOverride, struct{}{})
		return err
	}
	_, err := chromedp.Call(ctx, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: pixels, Height: 800, DeviceScaleFactor: 1})
	return err
}

// mayLead says whether the window itself may go to an address.
func (l *look) mayLead(to *url.URL) bool {
	if to.Scheme != "http" && to.Scheme != "https" {
		return to.Scheme == "about" || to.Scheme == "data"
	}
	if to.Hostname() == l.site.Hostname() {
		return true
	}
	for _, n := range l.visit.Named {
		if u, err := url.Parse(n); err == nil && u.Hostname() != "" && u.Hostname() == to.Hostname() {
			return true
		}
	}
	return false
}
