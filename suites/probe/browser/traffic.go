package browser

import (
	"context"
	"net"
	"net/url"
	"path"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/fetch"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"golang.org/x/net/publicsuffix"
)

const (
	maxMixed = 20
	minPath  = 4 // characters of a path that tell a page from another
)

// traffic notes what a tab asks for. Its event is called by the loop that reads
// the tab's messages: it must return fast.
type traffic struct {
	look *look
	main cdp.FrameID

	mu      sync.Mutex
	at      *url.URL // the page under way
	open    map[network.RequestID]int
	seen    seen
	last    time.Time // when something was last heard
	started bool
}

// seen is what one page asked for.
type seen struct {
	requests  []Request
	ids       []network.RequestID // of the requests, as the browser names them
	asked     int
	bytes     int64
	mixed     []string
	status    int
	elsewhere string
}

func newTraffic(l *look) *traffic {
	t := &traffic{look: l, open: map[network.RequestID]int{}}
	if c := chromedp.FromContext(l.tab); c != nil && c.Target != nil {
		t.main = cdp.FrameID(c.Target.TargetID) // the main frame bears the id of its target
	}
	return t
}

// begin starts the notes of a page.
func (t *traffic) begin(at *url.URL) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.at, t.open, t.seen, t.last, t.started = at, map[network.RequestID]int{}, seen{requests: []Request{}, mixed: []string{}}, time.Now(), true
}

// end gives the notes of the page; what comes later is no longer noted.
func (t *traffic) end() seen {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.started = false
	return t.seen
}

// settle waits until nothing was asked for, or answered, for a while, at most.
func (t *traffic) settle(ctx context.Context, quiet, most time.Duration) {
	settle(ctx, quiet, most, func() (time.Time, bool) {
		t.mu.Lock()
		defer t.mu.Unlock()
		return t.last, len(t.open) > 0
	})
}

// settle waits until nothing was heard for a while and nothing is awaited, at most.
// heard says when something last was, and whether something is.
func settle(ctx context.Context, quiet, most time.Duration, heard func() (last time.Time, busy bool)) {
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	for {
		last, busy := heard()
		wait := quiet - time.Since(last)
		if wait <= 0 {
			if !busy {
				return
			}
			wait = quiet
		}
		if !rest(ctx, wait) {
			return
		}
	}
}

func (t *traffic) event(ev any) {
	switch e := ev.(type) {
	case *network.EventRequestWillBeSent:
		t.asks(e)
	case *network.EventResponseReceived:
		t.mu.Lock()
		defer t.mu.Unlock()
		if i, ok := t.open[e.RequestID]; ok && t.started {
			t.answered(i, e.Response)
		}
		if t.started && e.Type == network.ResourceTypeDocument && e.FrameID == t.main {
			t.seen.status = int(e.Response.Status)
		}
	case *network.EventDataReceived:
		t.mu.Lock()
		defer t.mu.Unlock()
		if i, ok := t.open[e.RequestID]; ok && t.started && i >= 0 {
			t.seen.requests[i].Body += e.DataLength
		}
		t.last = time.Now()
	case *network.EventLoadingFinished:
		t.over(e.RequestID, int64(e.EncodedDataLength), "")
	case *network.EventLoadingFailed:
		why := e.ErrorText
		if e.BlockedReason != "" {
			why = "blocked: " + string(e.BlockedReason)
		}
		t.over(e.RequestID, 0, why)
	case *fetch.EventRequestPaused:
		go t.decide(e) // a command must not be sent from here
	}
}

func (t *traffic) asks(e *network.EventRequestWillBeSent) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.started || e.Request == nil {
		return
	}
	t.last = time.Now()
	to, err := url.Parse(e.Request.URL)
	if err != nil || (to.Scheme != "http" && to.Scheme != "https" && to.Scheme != "ws" && to.Scheme != "wss") {
		return // data: and blob: go nowhere
	}
	if i, ok := t.open[e.RequestID]; ok && e.RedirectResponse != nil { // the same request goes on elsewhere
		t.answered(i, e.RedirectResponse)
		delete(t.open, e.RequestID)
	}
	t.seen.asked++
	if to.Scheme == "http" && t.at.Scheme == "https" && len(t.seen.mixed) < maxMixed && e.FrameID != "" &&
		(e.Type != network.ResourceTypeDocument || e.FrameID != t.main) {
		t.seen.mixed = append(t.seen.mixed, shown(to))
	}
	if len(t.seen.requests) == maxRequests {
		t.open[e.RequestID] = -1
		return
	}
	r := Request{Host: cut(to.Host, maxText), Name: cut(path.Base(to.Path), 100), Type: string(e.Type), Third: !sameSite(to.Hostname(), t.look.site.Hostname()), Tells: []string{}}
	if r.Third {
		r.Tells = tells(t.at, to, header(e.Request.Headers, "Referer"))
	}
	t.seen.requests, t.seen.ids = append(t.seen.requests, r), append(t.seen.ids, e.RequestID)
	t.open[e.RequestID] = len(t.seen.requests) - 1
}

// answered notes an answer's head; the lock is held.
func (t *traffic) answered(i int, a *network.Response) {
	t.last = time.Now()
	if i < 0 || a == nil {
		return
	}
	r := &t.seen.requests[i]
	r.Status, r.MIME = int(a.Status), cut(a.MimeType, maxText)
	r.Coding, r.Caching = cut(header(a.Headers, "Content-Encoding"), maxText), cut(header(a.Headers, "Cache-Control"), maxText)
	r.Tagged = header(a.Headers, "ETag") != "" || header(a.Headers, "Last-Modified") != ""
}

func (t *traffic) over(id network.RequestID, bytes int64, why string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.last = time.Now()
	i, ok := t.open[id]
	if !ok {
		return
	}
	delete(t.open, id)
	if !t.started {
		return
	}
	t.seen.bytes += bytes
	if i >= 0 {
		t.seen.requests[i].Bytes, t.seen.requests[i].Failed = bytes, cut(why, maxText)
	}
}

// decide lets a request go, or not: the window itself goes only to hosts that the
// manifest names, and what is of another site may be held back altogether.
func (t *traffic) decide(e *fetch.EventRequestPaused) {
	to, err := url.Parse(e.Request.URL)
	window := e.ResourceType == network.ResourceTypeDocument && e.FrameID == t.main
	refused := err != nil
	if err == nil && window && !t.look.mayLead(to) {
		t.mu.Lock()
		if t.started {
			t.seen.elsewhere = to.Host
		}
		t.mu.Unlock()
		refused = true
	}
	if err == nil && !window && t.look.alone && !sameSite(to.Hostname(), t.look.site.Hostname()) {
		refused = true
	}
	// What fails here fails because the tab is gone.
	if refused {
		_, _ = chromedp.Call(t.look.tab, fetch.FailRequest, fetch.FailRequestParams{RequestID: e.RequestID, ErrorReason: network.ErrorReasonBlockedByClient})
		return
	}
	_, _ = chromedp.Call(t.look.tab, fetch.ContinueRequest, fetch.ContinueRequestParams{RequestID: e.RequestID})
}

// tells says how a request to a third party tells it which page is read.
func tells(page, to *url.URL, referer string) []string {
	out := []string{}
	path := strings.Trim(page.EscapedPath(), "/")
	if utf8.RuneCountInString(path) < minPath {
		return out // the home page: nothing is learnt of what is read
	}
	if from, err := url.Parse(referer); err == nil && strings.Trim(from.EscapedPath(), "/") != "" {
		out = append(out, "referer")
	}
	asked := to.EscapedPath() + "?" + to.RawQuery
	if plain, err := url.QueryUnescape(asked); err == nil {
		asked += " " + plain
	}
	if strings.Contains(asked, path) {
		out = append(out, "address")
	}
	return out
}

// header is one header of the protocol's, whatever its case.
func header(h network.Headers, name string) string {
	for k, v := range h {
		if strings.EqualFold(k, name) {
			return strings.Trim(headerText(v), "\"")
		}
	}
	return ""
}

// sameSite says whether two hosts belong to one site: the same registrable domain,
// or the same address.
func sameSite(a, b string) bool {
	a, b = strings.ToLower(strings.TrimSuffix(a, ".")), strings.ToLower(strings.TrimSuffix(b, "."))
	if a == b {
		return true
	}
	if net.ParseIP(a) != nil || net.ParseIP(b) != nil {
		return false
	}
	one, err := publicsuffix.EffectiveTLDPlusOne(a)
	two, err2 := publicsuffix.EffectiveTLDPlusOne(b)
	return err == nil && err2 == nil && one == two
}

// beside says whether a site is on this machine.
func beside(u *url.URL) bool {
	ip := net.ParseIP(u.Hostname())
	return ip != nil && ip.IsLoopback() || u.Hostname() == "localhost"
}

// shown is an address without what may be a secret: no query, no fragment.
func shown(u *url.URL) string {
	out := *u
	out.ForceQuery = false
	out.User, out.RawQuery, out.Fragment, out.RawFragment = nil, "", "", ""
	return cut(out.String(), maxText)
}

// cut bounds a text, in characters.
func cut(s string, most int) string {
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "�")
	}
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return string([]rune(s)[:most]) + "…"
}
