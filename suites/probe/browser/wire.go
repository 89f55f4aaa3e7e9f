package browser

import (
	"context"
	"net/url"
	"sync"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/fetch"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// wire notes all that a session asks for, as it is, for as long as it lasts. Its
// event is called by the loop that reads the tab's messages.
type wire struct {
	look *look
	main cdp.FrameID

	mu   sync.Mutex
	hits []Hit
	open map[network.RequestID]int
	last time.Time
	code int    // of the window's document, since begin
	away string // host to which the window was led, and did not go, since begin
}

func newWire(l *look) *wire {
	w := &wire{look: l, open: map[network.RequestID]int{}}
	if c := chromedp.FromContext(l.tab); c != nil && c.Target != nil {
		w.main = cdp.FrameID(c.Target.TargetID)
	}
	return w
}

// begin forgets what became of the window before.
func (w *wire) begin() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.last, w.code, w.away = time.Now(), 0, ""
}

func (w *wire) status() int { w.mu.Lock(); defer w.mu.Unlock(); return w.code }

func (w *wire) elsewhere() string { w.mu.Lock(); defer w.mu.Unlock(); return w.away }

func (w *wire) all() []Hit { w.mu.Lock(); defer w.mu.Unlock(); return append([]Hit(nil), w.hits...) }

func (w *wire) settle(ctx context.Context, quiet, most time.Duration) {
	settle(ctx, quiet, most, func() (time.Time, bool) {
		w.mu.Lock()
		defer w.mu.Unlock()
		return w.last, len(w.open) > 0
	})
}

func (w *wire) event(ev any) {
	switch e := ev.(type) {
	case *network.EventRequestWillBeSent:
		w.asks(e)
	case *network.EventResponseReceived:
		w.mu.Lock()
		defer w.mu.Unlock()
		w.last = time.Now()
		if i, ok := w.open[e.RequestID]; ok {
			w.answered(i, e.Response)
		}
		if e.Type == network.ResourceTypeDocument && e.FrameID == w.main {
			w.code = int(e.Response.Status)
		}
	case *network.EventLoadingFinished:
		w.over(e.RequestID)
	case *network.EventLoadingFailed:
		w.over(e.RequestID)
	case *fetch.EventRequestPaused:
		if to, err := url.Parse(e.Request.URL); err == nil && e.ResourceType == network.ResourceTypeDocument && e.FrameID == w.main && !w.look.mayLead(to) {
			w.mu.Lock()
			w.away = to.Host
			w.mu.Unlock()
		} // the traffic of the look decides
	}
}

func (w *wire) asks(e *network.EventRequestWillBeSent) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if e.Request == nil {
		return
	}
	to, err := url.Parse(e.Request.URL)
	if err != nil || to.Scheme != "http" && to.Scheme != "https" {
		return
	}
	w.last = time.Now()
	if i, ok := w.open[e.RequestID]; ok && e.RedirectResponse != nil {
		w.answered(i, e.RedirectResponse)
		delete(w.open, e.RequestID)
	}
	if len(w.hits) == maxHits {
		return
	}
	h := Hit{id: e.RequestID, URL: e.Request.URL, Referer: header(e.Request.Headers, "Referer"), Type: string(e.Type), Own: w.look.mayLead(to), Window: e.Type == network.ResourceTypeDocument && e.FrameID == w.main}
	if len(h.URL) > maxAddress {
		h.URL = h.URL[:maxAddress]
	}
	w.hits = append(w.hits, h)
	w.open[e.RequestID] = len(w.hits) - 1
}

// answered notes the head of an answer; the lock is held.
func (w *wire) answered(i int, a *network.Response) {
	if a == nil {
		return
	}
	h := &w.hits[i]
	h.Status, h.MIME = int(a.Status), cut(a.MimeType, maxText)
	h.Caching, h.Clearing = cut(header(a.Headers, "Cache-Control"), maxText), cut(header(a.Headers, "Clear-Site-Data"), maxText)
	h.Disposition = cut(header(a.Headers, "Content-Disposition"), maxText)
}

func (w *wire) over(id network.RequestID) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.last = time.Now()
	delete(w.open, id)
}

// shownText is an address without what may be a secret, for messages.
func shownText(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return shown(u)
}
