package browser

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	cdpbrowser "github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/storage"
	"github.com/chromedp/chromedp"
)

// Bounds of a session.
const (
	maxHits       = 3000
	maxAddress    = 8 << 10               // bytes kept of an address
	MaxDownload   = 20 << 20              // bytes read of a file that a journey loads
	besideJourney = 70 * time.Millisecond // without a request, after which a page of this machine is taken for complete
	maxBody       = 512 << 10             // bytes kept of an answer
	backMost      = 20                    // pages one goes back
	boundMost     = 40 * time.Second      // of anything that is asked of the window: more than a step waits
)

// Session is a window in a profile of its own, in which journeys are played. What it
// gives (addresses, texts, values of cookies) is for who holds it to judge: it must
// not be written down.
type Session struct {
	look   *look
	tab    context.Context //nolint:containedctx // it is how chromedp holds a tab
	end    func()
	wire   *wire
	folder string
	files  files
}

// Hit is one request of the window, with the head of its answer.
type Hit struct {
	id          network.RequestID
	URL         string
	Referer     string
	Type        string // Document, XHR, Fetch, …
	Own         bool   // of the site, or of an address of the manifest
	Window      bool   // the window itself goes there
	Status      int    // 0: no answer
	MIME        string
	Caching     string // Cache-Control
	Clearing    string // Clear-Site-Data
	Disposition string // Content-Disposition
}

// Value is one entry of a storage of the page's origin.
type Value struct {
	Where string `json:"where"` // local, session, indexed, cache
	Key   string `json:"key"`
	Value string `json:"value"`
}

// Crumb is one cookie with its value.
type Crumb struct {
	Name, Value, Domain, Path string
	Secure, HTTPOnly          bool
	SameSite                  string
}

// Loaded is a file that a journey loaded.
type Loaded struct {
	Name    string
	Content []byte // cut at MaxDownload
	Size    int64
}

// Session opens a window in a new profile, for who has the turn. It must be closed.
// The error is a *MissingError when there is no browser.
func (h *Host) Session(ctx context.Context, v Visit) (*Session, error) {
	site, err := url.Parse(v.Site)
	if err != nil || site.Hostname() == "" || (site.Scheme != "https" && site.Scheme != "http") {
		return nil, fmt.Errorf("play a journey on the site %q: expected something like https://service.example/", v.Site)
	}
	if why := h.Missing(); why != (Text{}) {
		return nil, &MissingError{why}
	}
	tab, done, err := h.profile(ctx)
	if err != nil {
		return nil, err
	}
	l := &look{visit: v, site: site, tab: tab, quiet: settleQuiet, alone: h.options.BlockOthers}
	if beside(site) {
		l.quiet = besideJourney
	}
	s := &Session{look: l, tab: tab, end: done}
	if err := s.prepare(h.options.Loopback); err != nil {
		s.Close()
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return nil, err
	}
	return s, nil
}

// Close ends the window and removes what it loaded.
func (s *Session) Close() {
	if s == nil {
		return
	}
	s.end()
	if s.folder != "" {
		_ = os.RemoveAll(s.folder) // a folder of the system's own for what is temporary
	}
}

func (s *Session) prepare(loopback bool) error {
	s.wire = newWire(s.look)
	if err := chromedp.Listen(s.tab, s.wire.event); err != nil {
		return err
	}
	if _, err := s.look.prepare(loopback); err != nil {
		return err
	}
	var err error
	if s.folder, err = os.MkdirTemp("", "etalon-journey-"); err != nil {
		return err
	}
	yes := true
	_, err = chromedp.CallBrowser(s.tab, cdpbrowser.SetDownloadBehavior, cdpbrowser.SetDownloadBehaviorParams{
		Behavior: cdpbrowser.SetDownloadBehaviorBehaviorAllowAndName, BrowserContextID: chromedp.FromContext(s.tab).BrowserContextID,
		DownloadPath: s.folder, EventsEnabled: &yes,
	})
	if err != nil {
		return fmt.Errorf("say where files go: %w", err)
	}
	s.files = files{state: map[string]string{}, name: map[string]string{}, changed: make(chan struct{}, 1)}
	return chromedp.ListenBrowser(s.tab, s.files.event)
}

// files notes what is loaded as a file.
type files struct {
	mu      sync.Mutex
	order   []string
	state   map[string]string
	name    map[string]string
	changed chan struct{}
}

func (f *files) event(ev any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch e := ev.(type) {
	case *cdpbrowser.EventDownloadWillBegin:
		if len(f.order) < 10 {
			f.order = append(f.order, e.GUID)
			f.state[e.GUID], f.name[e.GUID] = "inProgress", cut(e.SuggestedFilename, maxText)
		}
	case *cdpbrowser.EventDownloadProgress:
		if _, ok := f.state[e.GUID]; ok {
			f.state[e.GUID] = string(e.State)
		}
	default:
		return
	}
	select {
	case f.changed <- struct{}{}:
	default:
	}
}

// last is the file that began last, and how far it is.
func (f *files) last() (guid, name, state string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.order) == 0 {
		return "", "", ""
	}
	guid = f.order[len(f.order)-1]
	return guid, f.name[guid], f.state[guid]
}

// Loaded waits, at most a while, for a file that was asked for, and reads it; nil
// when none came.
func (s *Session) Loaded(ctx context.Context, most time.Duration) (*Loaded, error) {
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	for {
		guid, name, state := s.files.last()
		if state == "canceled" {
			return nil, errors.New("the file was not loaded to its end")
		}
		if state == "completed" && strings.Trim(guid, "0123456789abcdefABCDEF-") == "" {
			got, err := read(filepath.Join(s.folder, guid), name)
			// It is told to be there a moment before it is put in its place.
			if !errors.Is(err, fs.ErrNotExist) || !rest(ctx, lookAgain) {
				return got, err
			}
			continue
		}
		select {
		case <-s.files.changed:
		case <-ctx.Done():
			return nil, nil //nolint:nilnil // nothing came
		}
	}
}

func read(path, name string) (*Loaded, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read the file that was loaded: %w", err)
	}
	defer f.Close()
	out := &Loaded{Name: name}
	if info, err := f.Stat(); err == nil {
		out.Size = info.Size()
	}
	if out.Content, err = io.ReadAll(io.LimitReader(f, MaxDownload)); err != nil {
		return nil, fmt.Errorf("read the file that was loaded: %w", err)
	}
	return out, nil
}

// Hits are all requests of the window so far.
func (s *Session) Hits() []Hit { return s.wire.all() }

// Body is the text that a request was answered with, as far as the browser still
// has it; "" when it has not.
func (s *Session) Body(ctx context.Context, h Hit) string {
	got, err := chromedp.Call(s.with(ctx), network.GetResponseBody, network.GetResponseBodyParams{RequestID: h.id})
	if err != nil {
		return ""
	}
	body := string(got.Body)
	if len(body) > maxBody {
		body = body[:maxBody]
	}
	return body
}

// Address is where the window is.
func (s *Session) Address(ctx context.Context) (string, error) {
	return chromedp.Run(s.with(ctx), chromedp.Location())
}

// with is the tab's context, which ends with the caller's. chromedp holds the tab in
// its own context; what is asked of it is bounded anyway.
func (s *Session) with(ctx context.Context) context.Context {
	bound, cancel := context.WithTimeout(s.tab, boundMost)
	context.AfterFunc(ctx, cancel)
	return bound
}

// Shown is a page as a visit showed it.
type Shown struct {
	URL    string
	Status int      // of the document; 0 when it came from the browser's memory
	Lines  []string // of text
}

// Visit goes to an address and gives what is shown there. The window goes only to
// addresses of the manifest.
func (s *Session) Visit(ctx context.Context, address string) (Shown, error) {
	to, err := url.Parse(address)
	if err != nil || !s.look.mayLead(to) {
		return Shown{}, errors.New("the address is none of the manifest")
	}
	s.wire.begin()
	if err := chromedp.Do(s.with(ctx), chromedp.Navigate(address)); err != nil && !aborted(err) {
		return Shown{}, fmt.Errorf("go to %s: %s", shown(to), plainly(err))
	}
	return s.Shown(ctx)
}

// aborted says whether a navigation ended because it was no page: a file, or an
// answer without content.
func aborted(err error) bool { return strings.Contains(err.Error(), "ERR_ABORTED") }

// Shown waits until the page is at rest and gives what it shows.
func (s *Session) Shown(ctx context.Context) (Shown, error) {
	s.wire.settle(s.with(ctx), s.look.quiet, settleMost)
	out := Shown{Status: s.wire.status()}
	if elsewhere := s.wire.elsewhere(); elsewhere != "" {
		return out, &ElsewhereError{Host: elsewhere}
	}
	var err error
	if out.URL, err = s.Address(ctx); err != nil {
		return out, err
	}
	out.Lines, err = chromedp.Run(s.with(ctx), chromedp.Evaluate[[]string](script("lines")))
	return out, err
}

// ElsewhereError says that the window was led to a host that the manifest does not
// name; it did not go there.
type ElsewhereError struct{ Host string }

func (e *ElsewhereError) Error() string {
	return "it leads to " + cut(e.Host, maxText) + ", which the manifest does not name (journeys.hosts)"
}

// Back goes back in the window's history to the last page that was at an address,
// and gives what is shown then; ok is false when there is no such page.
func (s *Session) Back(ctx context.Context, address string) (out Shown, ok bool, err error) {
	history, err := chromedp.Run(s.with(ctx), chromedp.NavigationEntries())
	if err != nil {
		return out, false, err
	}
	for i := history.CurrentIndex - 1; i >= 0 && i >= history.CurrentIndex-backMost; i-- {
		if entry := history.Entries[i]; entry.URL == address {
			s.wire.begin()
			// A page that was kept whole is not loaded again: nothing tells of its end.
			if _, err := chromedp.Call(s.with(ctx), page.NavigateToHistoryEntry, page.NavigateToHistoryEntryParams{EntryID: entry.ID}); err != nil {
				return out, true, fmt.Errorf("go back: %s", plainly(err))
			}
			for limit := time.Now().Add(settleMost); s.wire.status() == 0 && time.Now().Before(limit); {
				if at, err := s.Address(ctx); err == nil && at == address || !rest(ctx, lookAgain) {
					break
				}
			}
			out, err = s.Shown(ctx)
			return out, true, err
		}
	}
	return out, false, nil
}

// Cookies are those of the profile.
func (s *Session) Cookies(ctx context.Context) ([]Crumb, error) {
	got, err := chromedp.CallBrowser(s.with(ctx), storage.GetCookies, storage.GetCookiesParams{BrowserContextID: chromedp.FromContext(s.tab).BrowserContextID})
	if err != nil {
		return nil, fmt.Errorf("ask for the cookies: %w", err)
	}
	var out []Crumb
	for i, c := range got.Cookies {
		if i == 2*maxStored {
			break
		}
		out = append(out, Crumb{Name: c.Name, Value: c.Value, Domain: c.Domain, Path: c.Path, Secure: c.Secure, HTTPOnly: c.HTTPOnly, SameSite: string(c.SameSite)})
	}
	return out, nil
}

// Fresh makes the profile one that was never used before, as far as the site is
// concerned: it costs less than another window.
func (s *Session) Fresh(ctx context.Context) error {
	// What is kept for the tab alone is cleared by the page; one that has no origin
	// keeps nothing.
	_, _ = chromedp.Run(s.with(ctx), chromedp.Evaluate[bool]("(() => { sessionStorage.clear(); return true; })()"))
	if err := s.SetCookies(ctx, nil); err != nil {
		return err
	}
	origin := (&url.URL{Scheme: s.look.site.Scheme, Host: s.look.site.Host}).String()
	if _, err := chromedp.Call(s.with(ctx), storage.ClearDataForOrigin, storage.ClearDataForOriginParams{Origin: origin, StorageTypes: "all"}); err != nil {
		return fmt.Errorf("clear what the site has stored: %w", err)
	}
	return nil
}

// SetCookies empties the profile of cookies and gives it these.
func (s *Session) SetCookies(ctx context.Context, list []Crumb) error {
	profile := chromedp.FromContext(s.tab).BrowserContextID
	if _, err := chromedp.CallBrowser(s.with(ctx), storage.ClearCookies, storage.ClearCookiesParams{BrowserContextID: profile}); err != nil {
		return fmt.Errorf("clear the cookies: %w", err)
	}
	var params []*network.CookieParam
	for _, c := range list {
		p := &network.CookieParam{Name: c.Name, Value: c.Value, Path: c.Path, Secure: c.Secure, HTTPOnly: c.HTTPOnly, SameSite: network.CookieSameSite(c.SameSite)}
		// A cookie of one host is given by an address: with a domain it would be one of
		// all below it, which the prefix __Host- forbids.
		if strings.HasPrefix(c.Domain, ".") {
			p.Domain = c.Domain
		} else {
			p.URL = (&url.URL{Scheme: s.look.site.Scheme, Host: c.Domain, Path: c.Path}).String()
		}
		params = append(params, p)
	}
	if len(params) == 0 {
		return nil
	}
	if _, err := chromedp.CallBrowser(s.with(ctx), storage.SetCookies, storage.SetCookiesParams{Cookies: params, BrowserContextID: profile}); err != nil {
		return fmt.Errorf("give the cookies back: %w", err)
	}
	return nil
}

// Stores are what the stores of the page's origin hold.
func (s *Session) Stores(ctx context.Context) ([]Value, error) {
	return chromedp.Run(s.with(ctx), chromedp.Evaluate[[]Value](script("stores"), chromedp.EvalAwaitPromise))
}
