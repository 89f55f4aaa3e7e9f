package web

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"sort"
	"strings"
	"syscall"
	"time"
	"unicode/utf8"

	"github.com/etalon-sante/etalon/sandbox/record"
	"github.com/etalon-sante/etalon/suites/outward"
	"github.com/etalon-sante/etalon/suites/probe/pace"
)

const (
	maxHeaders = 64 << 10 // bytes of an answer's headers
	maxText    = 64 << 10 // bytes of a body that are recorded
	maxCookies = 200
)

// fetcher makes the requests of one look, one at a time.
type fetcher struct {
	transport *http.Transport
	timeout   time.Duration
	interval  time.Duration
	pace      *pace.Pace
	agent     string
	origin    string
	now       func() time.Time
	nameOf    func(kind, value string) string
	note      func(time.Time, record.Exchange) string

	most int  // bytes read of one body; 0: MaxBody
	mute bool // no body is written down

	hosts     map[string]bool // host:port that may be visited
	last      time.Time       // end of the latest request
	silent    int             // requests in a row without an answer
	cookies   []Cookie
	exchanges []record.Exchange
}

func newFetcher(o Options, site *url.URL) *fetcher {
	f := &fetcher{
		timeout: o.Timeout, interval: o.Interval, pace: o.Pace, agent: o.UserAgent, origin: o.Origin, now: o.Now,
		nameOf: o.Name, note: o.Note, hosts: map[string]bool{}, cookies: []Cookie{}, exchanges: []record.Exchange{},
	}
	if f.timeout <= 0 {
		f.timeout = DefaultTimeout
	}
	if f.interval == 0 {
		f.interval = DefaultInterval
	}
	if f.agent == "" {
		f.agent = UserAgent
	}
	if f.origin == "" {
		f.origin = ForeignOrigin
	}
	if f.now == nil {
		f.now = time.Now
	}
	if f.nameOf == nil {
		f.nameOf = func(kind, _ string) string { return "«" + kind + "»" }
	}
	f.transport = &http.Transport{
		DialContext: o.Dial,
		TLSClientConfig: &tls.Config{
			RootCAs: o.Roots,
			// No secret travels over these connections, and certificate and
			// versions have checks of their own: a page behind a bad
			// certificate is looked at all the same, so that one fault does not
			// hide the next.
			InsecureSkipVerify: true, //nolint:gosec
			MinVersion:         tls.VersionTLS10,
		},
		DisableCompression:     true, // the bytes as sent; no bomb to unfold
		MaxResponseHeaderBytes: maxHeaders,
		MaxIdleConnsPerHost:    1,
	}
	if o.Dial == nil {
		f.transport.Proxy = outward.Proxy
	}
	f.name(site)
	for _, address := range o.Named {
		if u, err := url.Parse(address); err == nil && u.Hostname() != "" {
			f.name(u)
		}
	}
	return f
}

func (f *fetcher) close() { f.transport.CloseIdleConnections() }

// name adds an address to those that may be visited: its host and port, both,
// since on one machine another port is another service.
func (f *fetcher) name(u *url.URL) { f.hosts[hostPort(u)] = true }

func (f *fetcher) named(u *url.URL) bool {
	return (u.Scheme == "http" || u.Scheme == "https") && f.hosts[hostPort(u)]
}

func hostPort(u *url.URL) string { return net.JoinHostPort(strings.ToLower(u.Hostname()), port(u)) }

func port(u *url.URL) string {
	switch {
	case u.Port() != "":
		return u.Port()
	case u.Scheme == "http":
		return "80"
	}
	return "443"
}

// bracket puts an IPv6 address between brackets, as an authority wants it.
func bracket(host string) string {
	if strings.Contains(host, ":") {
		return "[" + host + "]"
	}
	return host
}

// got is one answer.
type got struct {
	id        string
	url       *url.URL
	status    int
	header    http.Header
	body      []byte
	truncated bool
}

// way is what became of an address and the redirects from it.
type way struct {
	hops   []Hop
	last   *got
	state  string
	reason string
	err    error // of the request without an answer
}

// follow visits an address and goes where it redirects, to named hosts only.
func (f *fetcher) follow(ctx context.Context, at *url.URL, keepCookies bool) way {
	w := way{hops: []Hop{}, state: Failed}
	seen := map[string]bool{}
	for {
		g, err := f.get(ctx, at, "", keepCookies)
		if err != nil {
			w.last, w.err, w.reason = nil, err, err.Error()
			return w
		}
		w.last = g
		hop := Hop{Exchange: g.id, URL: f.shown(at), Status: g.status}
		next := location(g)
		if next != nil {
			hop.Location = f.shown(next)
		}
		w.hops = append(w.hops, hop)
		seen[at.String()] = true
		switch {
		case g.status >= 400:
			w.reason = fmt.Sprintf("answered with status %d", g.status)
			return w
		case next == nil && g.status >= 300 && g.status != http.StatusNotModified:
			w.reason = fmt.Sprintf("answered with status %d and no usable Location", g.status)
			return w
		case next == nil:
			w.state = Read
			return w
		case !f.named(next):
			w.state, w.reason = Elsewhere, fmt.Sprintf("leads to %s, which the manifest does not name; not followed", next.Host)
			return w
		case seen[next.String()] || len(w.hops) > MaxRedirects:
			w.reason = "redirects without end"
			return w
		}
		at = next
	}
}

func location(g *got) *url.URL {
	switch g.status {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
	default:
		return nil
	}
	value := g.header.Get("Location")
	if value == "" {
		return nil
	}
	next, err := g.url.Parse(value)
	if err != nil || next.Hostname() == "" {
		return nil
	}
	next.User, next.Fragment = nil, ""
	return next
}

// ask is one request. The zero value of what is not the address is a plain GET.
type ask struct {
	at      *url.URL
	method  string
	headers map[string]string
	cookies bool // those of the answer are kept
	mute    bool // the body of the answer is not written down: it may hold what must not leave
}

// get asks for an address, as from another origin when one is given.
func (f *fetcher) get(ctx context.Context, at *url.URL, origin string, keepCookies bool) (*got, error) {
	a := ask{at: at, cookies: keepCookies}
	if origin != "" {
		a.headers = map[string]string{"Origin": origin}
	}
	return f.do(ctx, a)
}

// do makes one request and records it, answered or not.
func (f *fetcher) do(ctx context.Context, a ask) (*got, error) {
	if err := f.pause(ctx); err != nil {
		return nil, err
	}
	if err := f.pace.Wait(ctx, a.at.Hostname()); err != nil {
		return nil, err
	}
	at := a.at
	limit, cancel := context.WithTimeout(ctx, f.timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(limit, a.method, at.String(), nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("User-Agent", f.agent)
	req.Header.Set("Accept", "text/html,application/xhtml+xml,text/plain;q=0.9,*/*;q=0.8")
	for name, value := range a.headers {
		req.Header.Set(name, value)
	}
	start := f.now()
	x := record.Exchange{
		From: record.Harness, To: record.Candidate,
		Request:  record.Request{Method: req.Method, URL: f.shown(at), Proto: req.Proto, Headers: lines(req.Header)},
		Response: record.Response{Headers: []record.Header{}},
	}
	// RoundTrip, not a Client: no redirect is ever followed behind our back,
	// and no cookie sent back.
	resp, err := f.transport.RoundTrip(req)
	if err != nil {
		return nil, f.lost(&x, start, err)
	}
	defer resp.Body.Close()
	most := f.most
	if most == 0 {
		most = MaxBody
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, int64(most)+1))
	g := &got{url: at, status: resp.StatusCode, header: resp.Header, body: body}
	if len(body) > most {
		g.body, g.truncated = body[:most], true
	}
	if coding := strings.ToLower(resp.Header.Get("Content-Encoding")); coding != "" && coding != "identity" {
		g.truncated = true // sent folded although not asked for so: it is not read
	}
	if err == nil {
		// A server that sees the connection being given up may still end its
		// body in order; what ends after the time-out is late all the same.
		err = limit.Err()
	}
	if err != nil {
		return nil, f.lost(&x, start, fmt.Errorf("after %d bytes of the body: %w", len(body), err))
	}
	f.silent = 0
	x.Response.Status = resp.StatusCode
	x.Response.Headers = lines(f.withoutSecrets(g))
	if x.Response.Body = f.recorded(g); (a.mute || f.mute) && x.Response.Body != nil {
		x.Response.Body.Text = ""
	}
	x.Millis = f.since(start)
	g.id = f.keep(start, x)
	if a.cookies {
		for _, line := range resp.Header.Values("Set-Cookie") {
			if c, ok := parseCookie(line, f.now()); ok && len(f.cookies) < maxCookies {
				c.Exchange, c.URL, c.OverHTTPS = g.id, f.shown(at), at.Scheme == "https"
				c.CacheControl = clip(join(resp.Header.Values("Cache-Control")))
				f.cookies = append(f.cookies, c)
			}
		}
	}
	return g, nil
}

// pause keeps the interval between two requests.
func (f *fetcher) pause(ctx context.Context) error {
	if f.interval < 0 || f.last.IsZero() {
		return ctx.Err()
	}
	return pace.Rest(ctx, f.interval-time.Since(f.last))
}

// lost records a request without a whole answer.
func (f *fetcher) lost(x *record.Exchange, start time.Time, err error) error {
	var netErr net.Error
	if errors.As(err, &netErr) && netErr.Timeout() || errors.Is(err, context.DeadlineExceeded) {
		f.silent++
		err = fmt.Errorf("no whole answer within %s", f.timeout)
	}
	x.Error, x.Millis = err.Error(), f.since(start)
	f.keep(start, *x)
	return err
}

func closed(err error) bool { return errors.Is(err, syscall.ECONNREFUSED) }

func (f *fetcher) since(start time.Time) float64 {
	return float64(f.now().Sub(start)) / float64(time.Millisecond)
}

func (f *fetcher) keep(start time.Time, x record.Exchange) string {
	f.last = time.Now() // of the wall, as the interval is; a run's date may stand still
	if f.note != nil {
		x.ID = f.note(start, x)
	} else {
		x.ID = fmt.Sprintf("h%d", len(f.exchanges)+1)
	}
	f.exchanges = append(f.exchanges, x)
	return x.ID
}

// withoutSecrets puts names in the place of cookie values and of what an address
// of redirection carries.
func (f *fetcher) withoutSecrets(g *got) http.Header {
	out := g.header.Clone()
	for i, line := range out["Set-Cookie"] {
		out["Set-Cookie"][i] = renameCookie(line, f.nameOf)
	}
	for i, value := range out["Location"] {
		if u, err := url.Parse(value); err == nil {
			out["Location"][i] = f.shown(u)
		}
	}
	return out
}

// shown is an address as it is written down: long parameters, such as the state
// of a sign-in, get a name.
func (f *fetcher) shown(u *url.URL) string {
	const least = 16
	out := u.String()
	for _, values := range u.Query() {
		for _, v := range values {
			if len(v) >= least {
				name := f.nameOf("parameter", v)
				out = strings.ReplaceAll(strings.ReplaceAll(out, url.QueryEscape(v), name), v, name)
			}
		}
	}
	return out
}

// recorded is a body as it is written down: text, cut, with names in the place
// of hidden form fields.
func (f *fetcher) recorded(g *got) *record.Body {
	if len(g.body) == 0 {
		return nil
	}
	out := &record.Body{MIME: g.header.Get("Content-Type"), Size: len(g.body)}
	cut := g.body
	if len(cut) > maxText {
		cut = cut[:maxText]
		for range utf8.UTFMax - 1 { // the cut may fall inside a character
			if r, size := utf8.DecodeLastRune(cut); r != utf8.RuneError || size != 1 {
				break
			}
			cut = cut[:len(cut)-1]
		}
	}
	// The text of a redirect only repeats its address.
	if !utf8.Valid(cut) || (g.status >= 300 && g.status < 400) {
		return out
	}
	text := string(cut)
	if isHTML(g.header, g.body) {
		for _, value := range hiddenValues(g.body) {
			text = strings.ReplaceAll(text, value, f.nameOf("form-token", value))
		}
	}
	out.Text = text
	return out
}

func lines(h http.Header) []record.Header {
	out := []record.Header{}
	for name, values := range h {
		for _, v := range values {
			out = append(out, record.Header{Name: name, Value: strings.ToValidUTF8(v, "\uFFFD")})
		}
	}
	sort.SliceStable(out, func(i, j int) bool { return out[i].Name < out[j].Name })
	return out
}
