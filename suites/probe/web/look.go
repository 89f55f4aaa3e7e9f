// Package web looks at a service's public pages from outside, as a browser's
// first visit would, without script: how plain HTTP leads to HTTPS, the headers
// that protect a page, cookies, scripts of others, answers to a foreign origin,
// and security.txt. It goes only to addresses that it was given, and follows no
// redirect to another.
package web

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"time"

	"github.com/etalon-sante/etalon/sandbox/record"
	"github.com/etalon-sante/etalon/suites/probe/pace"
)

// Limits and defaults of a look.
const (
	MaxBody        = 2 << 20 // bytes read of one body
	MaxPages       = 50      // pages looked at beside the site itself
	MaxRedirects   = 10
	DefaultTimeout = 10 * time.Second
	// DefaultInterval keeps the look below ten requests a second: the address
	// may be a production one.
	DefaultInterval = 100 * time.Millisecond
	ForeignOrigin   = "https://origine-etrangere.example"
	UserAgent       = "Mozilla/5.0 (compatible; Etalon conformance harness)"
	// silentLimit is the number of requests in a row without an answer after
	// which the remaining pages are not asked for: what hangs must not cost
	// minutes.
	silentLimit = 2
)

// Options say what to look at, and how.
type Options struct {
	Site  string   // address of the service: "https://service.example/"
	Plain string   // http address that has to lead there; empty: http://<host of Site>/
	Pages []Target // further pages of Site
	Named []string // other addresses that may be visited, when a redirect leads there

	Roots     *x509.CertPool // trust roots; nil: the system's
	Dial      func(ctx context.Context, network, address string) (net.Conn, error)
	Now       func() time.Time // nil: the clock
	Timeout   time.Duration    // of each request, body included; zero: DefaultTimeout
	Interval  time.Duration    // at least this long between two requests; zero: DefaultInterval, negative: none
	Pace      *pace.Pace       // of the run, beside Interval; nil: none
	UserAgent string           // empty: UserAgent
	Origin    string           // foreign origin presented; empty: ForeignOrigin

	// Name stands for what may be a secret in what is recorded: the value of a
	// cookie ("cookie") or of a hidden form field ("form-token"). nil: the value
	// is replaced by «kind».
	Name func(kind, value string) string
	// Note takes an exchange when it is over and returns its id. nil: ids are
	// h1, h2, … in order.
	Note func(at time.Time, x record.Exchange) string
}

// Target is a page of the site.
type Target struct {
	Path string
	Role string
}

// Result is what was seen. Exchanges are named by id; they are not repeated in
// its JSON.
type Result struct {
	Site        string            `json:"site"`
	At          time.Time         `json:"at"`
	Plain       Plain             `json:"plain"`
	Pages       []Page            `json:"pages"` // the site's own address first
	Cookies     []Cookie          `json:"cookies"`
	SecurityTxt SecurityTxt       `json:"securityTxt"`
	Rate        pace.Rate         `json:"rate"` // at which the site was asked, by all looks of the run so far
	Exchanges   []record.Exchange `json:"-"`
}

// Hop is one answer on the way of redirects.
type Hop struct {
	Exchange string `json:"exchange"`
	URL      string `json:"url"`
	Status   int    `json:"status"`
	Location string `json:"location"` // absolute address it leads to, "" when it leads nowhere
}

// The states of an address that was looked at.
const (
	Read      = "read"      // an answer below 400 came, and leads nowhere else
	Elsewhere = "elsewhere" // leads to a host that the manifest does not name; not followed
	Failed    = "failed"    // no answer, an error status, or redirects without end
	Closed    = "closed"    // nothing listens (plain HTTP only)
)

// Plain is what plain HTTP leads to.
type Plain struct {
	URL    string `json:"url"`
	State  string `json:"state"`
	Reason string `json:"reason"` // why it is elsewhere, failed or closed
	Hops   []Hop  `json:"hops"`
	// Expected says that plain HTTP has its usual port beside an HTTPS on its
	// own: there a closed port is an answer, elsewhere it is a question.
	Expected bool `json:"expected"`
}

// Page is one page and what its answer holds.
type Page struct {
	URL       string `json:"url"`
	Role      string `json:"role"`
	State     string `json:"state"`
	Reason    string `json:"reason"`
	Hops      []Hop  `json:"hops"`     // the page's own answer is the last one
	Exchange  string `json:"exchange"` // id of the page's own answer
	Status    int    `json:"status"`
	Secure    bool   `json:"secure"`    // came over HTTPS
	HTML      bool   `json:"html"`      // is an HTML document
	Truncated bool   `json:"truncated"` // longer than what is read; what was not seen is not judged

	HSTS           HSTS     `json:"hsts"`
	CSP            []Policy `json:"csp"`
	Nosniff        string   `json:"nosniff"`        // value of X-Content-Type-Options
	FrameOptions   string   `json:"frameOptions"`   // value of X-Frame-Options
	ReferrerPolicy string   `json:"referrerPolicy"` // the policy in force: the last one that is known
	ReferrerRaw    string   `json:"referrerRaw"`
	Scripts        []Script `json:"scripts"` // with a src; inline ones are counted
	InlineScripts  int      `json:"inlineScripts"`
	CORS           CORS     `json:"cors"`

	Loads int    `json:"loads"` // things that the document loads or sends to, with an address
	Plain []Load `json:"plain"` // those of them whose address is http
}

// Load is something that a document loads, or a place that it sends to.
type Load struct {
	Element string `json:"element"`
	URL     string `json:"url"`
	// Active says that it can change the page, or take what the patient writes: a
	// script, a style sheet, a frame, a form.
	Active bool `json:"active"`
}

// CORS is the answer to the same page asked for from a foreign origin.
type CORS struct {
	Exchange         string `json:"exchange"` // "" when it was not asked
	Status           int    `json:"status"`
	Origin           string `json:"origin"` // the origin that was presented
	AllowOrigin      string `json:"allowOrigin"`
	AllowCredentials string `json:"allowCredentials"`
	Error            string `json:"error"`
}

// UnreachableError says that the site did not answer at all.
type UnreachableError struct {
	Address string
	Err     error
}

func (e *UnreachableError) Error() string {
	return fmt.Sprintf("look at %s: cannot reach it: %v", e.Address, e.Err)
}
func (e *UnreachableError) Unwrap() error { return e.Err }

// Look looks at a site. The error is an *UnreachableError when the site itself
// did not answer; whatever else went wrong is in the result.
func Look(ctx context.Context, o Options) (Result, error) {
	site, err := url.Parse(o.Site)
	if err != nil || site.Hostname() == "" || (site.Scheme != "https" && site.Scheme != "http") {
		return Result{}, fmt.Errorf("look at the site %q: expected something like https://service.example/", o.Site)
	}
	site.User, site.Fragment = nil, ""
	f := newFetcher(o, site)
	defer f.close()
	res := Result{Site: site.String(), At: f.now().UTC(), Pages: []Page{}, Cookies: []Cookie{}}

	home, err := f.page(ctx, site, "home")
	if err != nil {
		return res, &UnreachableError{Address: res.Site, Err: err}
	}
	res.Pages = append(res.Pages, home)
	for i, t := range o.Pages {
		if i == MaxPages {
			break
		}
		at, err := site.Parse(t.Path)
		if err == nil && at.String() == site.String() {
			continue // the site's own address, named once more
		}
		if err != nil || at.Scheme != site.Scheme || at.Host != site.Host {
			res.Pages = append(res.Pages, emptyPage(t.Path, t.Role, Failed, "not a path of the site"))
			continue
		}
		at.User, at.Fragment = nil, ""
		p, _ := f.page(ctx, at, t.Role) // what failed stands in the page
		res.Pages = append(res.Pages, p)
	}
	res.Plain = f.plain(ctx, o.Plain, site)
	res.SecurityTxt = f.securityTxt(ctx, site)
	if err := ctx.Err(); err != nil {
		return res, fmt.Errorf("look at %s: %w", res.Site, err)
	}
	res.Cookies, res.Exchanges, res.Rate = f.cookies, f.exchanges, o.Pace.Of(site.Hostname())
	return res, nil
}

func emptyPage(address, role, state, reason string) Page {
	return Page{URL: address, Role: role, State: state, Reason: reason, Hops: []Hop{}, CSP: []Policy{}, Scripts: []Script{}, Plain: []Load{}}
}

// page visits one page, then asks for it again from a foreign origin. The error
// is that of an address that did not answer at all.
func (f *fetcher) page(ctx context.Context, at *url.URL, role string) (Page, error) {
	p := emptyPage(f.shown(at), role, Failed, "")
	if f.silent >= silentLimit {
		p.Reason = "not asked for: earlier requests in a row were not answered"
		return p, errors.New(p.Reason)
	}
	way := f.follow(ctx, at, true)
	p.Hops, p.State, p.Reason = way.hops, way.state, way.reason
	if way.last == nil {
		return p, way.err
	}
	last := way.last
	p.Exchange, p.Status, p.Secure, p.Truncated = last.id, last.status, last.url.Scheme == "https", last.truncated
	if p.State != Read {
		return p, nil
	}
	h := last.header
	p.HSTS = parseHSTS(h.Values("Strict-Transport-Security"))
	p.CSP = append(p.CSP, parseCSP(h.Values("Content-Security-Policy"), "header")...)
	p.Nosniff, p.FrameOptions = join(h.Values("X-Content-Type-Options")), join(h.Values("X-Frame-Options"))
	p.ReferrerRaw = join(h.Values("Referrer-Policy"))
	if p.HTML = isHTML(h, last.body); p.HTML {
		doc := readDocument(last.body, last.url)
		p.CSP = append(p.CSP, doc.csp...)
		if doc.referrer != "" { // a meta element comes after the header and wins
			p.ReferrerRaw = join([]string{p.ReferrerRaw, doc.referrer})
		}
		p.Scripts, p.InlineScripts = doc.scripts, doc.inline
		p.Loads, p.Plain = loads(last.body, last.url)
	}
	p.ReferrerPolicy = referrerPolicy(p.ReferrerRaw)
	p.CORS = f.cors(ctx, last.url)
	return p, nil
}

func (f *fetcher) cors(ctx context.Context, at *url.URL) CORS {
	out := CORS{Origin: f.origin}
	got, err := f.get(ctx, at, f.origin, false)
	if err != nil {
		out.Error = err.Error()
		return out
	}
	out.Exchange, out.Status = got.id, got.status
	out.AllowOrigin = join(got.header.Values("Access-Control-Allow-Origin"))
	out.AllowCredentials = join(got.header.Values("Access-Control-Allow-Credentials"))
	return out
}

func (f *fetcher) plain(ctx context.Context, address string, site *url.URL) Plain {
	if address == "" {
		address = (&url.URL{Scheme: "http", Host: bracket(site.Hostname()), Path: "/"}).String()
	}
	p := Plain{URL: address, State: Failed, Hops: []Hop{}}
	at, err := url.Parse(address)
	if err != nil || at.Scheme != "http" || at.Hostname() == "" {
		p.Reason = "not an http address"
		return p
	}
	at.User, at.Fragment = nil, ""
	p.URL, p.Expected = at.String(), port(at) == "80" && port(site) == "443"
	f.name(at) // the manifest names it, or it is the site's own host
	way := f.follow(ctx, at, true)
	p.Hops, p.State, p.Reason = way.hops, way.state, way.reason
	if len(p.Hops) == 0 && closed(way.err) {
		p.State = Closed
	}
	return p
}

func join(values []string) string {
	out := ""
	for _, v := range values {
		if v == "" {
			continue
		}
		if out != "" {
			out += ", "
		}
		out += v
	}
	return out
}
