// Package browser looks at a service's public pages with a real browser, one
// that was never used before: what the pages ask of whom, what they leave behind,
// how they look to a keyboard, to a narrow screen and to the rules of axe-core. It
// goes to the pages that it was given; what a page loads from elsewhere is let
// through, listed and counted. No value of a cookie or of a storage is read.
package browser

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
	"golang.org/x/net/http/httpproxy"
)

// The words of Options.Program that are no path.
const (
	Auto = "auto" // the browser that is found
	Off  = "off"  // none
)

// Bounds of a browser's life.
const (
	startTimeout = 20 * time.Second
	closeTimeout = 5 * time.Second
	maxStarts    = 3 // of a browser that dies
	maxTabs      = 4 // open at a time
	maxWalks     = 2 // journeys at a time, each in up to three tabs of its own
)

// Text is a sentence in two languages.
type Text struct {
	FR string `json:"fr"`
	EN string `json:"en"`
}

// Options say which browser is used, and how.
type Options struct {
	Program string // Auto, Off, or the path of a Chromium; "": Off
	// Loopback keeps the browser on this machine: no other name is resolved, and
	// certificates, which the run's own authority signs, are not verified by the
	// browser. It is for the demonstration and the self-test, whose service
	// listens here.
	Loopback bool
	// Sandbox is the digest of the public key of the sandbox's certificate (SHA-256
	// of the SubjectPublicKeyInfo, base64), of an authority that no browser knows; ""
	// for none.
	Sandbox string
	// BlockOthers keeps pages from loading anything of another site.
	BlockOthers bool
}

// names are the programs looked for, in this order: the same engine without windows
// asks less of the machine.
func names() []string {
	return []string{"chromium-headless-shell", "chrome-headless-shell", "headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge"}
}

// places are where programs stand that are on no path.
func places() []string {
	return []string{
		"/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
		"/Applications/Chromium.app/Contents/MacOS/Chromium",
		`C:\Program Files\Google\Chrome\Application\chrome.exe`,
		`C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe`,
	}
}

// find gives the path of the browser.
func (o Options) find() (string, error) {
	switch o.Program {
	case "", Off:
		return "", exec.ErrNotFound
	case Auto:
		for _, name := range names() {
			if path, err := exec.LookPath(name); err == nil {
				return path, nil
			}
		}
		for _, path := range places() {
			if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
				return path, nil
			}
		}
		return "", exec.ErrNotFound
	}
	path, err := exec.LookPath(o.Program)
	if errors.Is(err, exec.ErrDot) {
		path, err = filepath.Abs(o.Program)
	}
	return path, err
}

// Missing says why nothing can be looked at with a browser, in two languages, and
// how to have it otherwise; the empty text when it can.
func Missing(o Options) Text {
	if o.Program == "" || o.Program == Off {
		return Text{
			"aucun navigateur : il a été laissé de côté, demandez-le par --browser auto",
			"no browser: it was left out, ask for it with --browser auto",
		}
	}
	if _, err := o.find(); err == nil {
		return Text{}
	}
	if o.Program == Auto {
		return Text{
			"aucun navigateur : installez Chromium (paquet chromium de Debian) ou Chrome, ou donnez son chemin par --browser",
			"no browser: install Chromium (Debian's package chromium) or Chrome, or give its path with --browser",
		}
	}
	return Text{
		fmt.Sprintf("aucun navigateur : %s n’est pas un programme, donnez le chemin d'un Chromium par --browser, ou auto", o.Program),
		fmt.Sprintf("no browser: %s is no program, give the path of a Chromium with --browser, or auto", o.Program),
	}
}

// MissingError says that there is no browser to look with.
type MissingError struct{ Why Text }

func (e *MissingError) Error() string { return e.Why.EN }

// Host is a browser that several looks share, each in a profile of its own. It is
// started by the first look and must be closed.
type Host struct {
	options Options
	tabs    chan struct{}
	walks   chan struct{}

	mu     sync.Mutex
	root   context.Context //nolint:containedctx // it is how chromedp holds a browser
	end    context.CancelFunc
	starts int
	closed bool
}

// Open prepares a browser; it is started when it is first needed.
func Open(o Options) *Host {
	return &Host{options: o, tabs: make(chan struct{}, maxTabs), walks: make(chan struct{}, maxWalks)}
}

// Missing says why this browser cannot be had; the empty text when it can. A nil
// host is one that was left out.
func (h *Host) Missing() Text {
	if h == nil {
		return Missing(Options{})
	}
	return Missing(h.options)
}

// Close ends the browser and all that it started, and removes its profile.
func (h *Host) Close() {
	if h == nil {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	h.drop()
}

// drop ends the browser that runs. The program's death is waited for, at most
// closeTimeout, after which it is killed.
func (h *Host) drop() {
	if h.root == nil {
		return
	}
	patience, cancel := context.WithTimeout(h.root, closeTimeout)
	_ = chromedp.Cancel(patience) // what it says of a browser that is gone changes nothing
	cancel()
	h.end()
	h.root, h.end = nil, nil
}

// flags are those with which Chromium works as root in a container, is seen by
// nobody, keeps nothing and talks to nobody of its own accord.
func (o Options) flags() []chromedp.ExecAllocatorOption {
	on := []string{
		"disable-quic", "disable-component-update", "disable-component-extensions-with-background-pages", "disable-domain-reliability",
		"disable-field-trial-config", "no-pings", "no-service-autorun", "no-report-upload", "mute-audio", "hide-scrollbars",
		// Without windows the engine keeps no page to go back to, unless it is told to.
		"disable-search-engine-choice-screen", "allow-pre-commit-input", "enable-bfcache",
	}
	out := slices.Concat(chromedp.DefaultExecAllocatorOptions[:], []chromedp.ExecAllocatorOption{
		chromedp.DisableGPU,
		chromedp.WindowSize(1280, 800),
		chromedp.Flag("disable-features", "Translate,BlinkGenPropertyTrees,OptimizationHints,MediaRouter,DialMediaRouteProvider,CertificateTransparencyComponentUpdater,AutofillServerCommunication,InterestFeedContentSuggestions,PrivacySandboxSettings4,HttpsUpgrades"),
		chromedp.Flag("lang", "fr-FR"),
		chromedp.Flag("enable-automation", false), // a page that hides from automata would show another face
	})
	for _, name := range on {
		out = append(out, chromedp.Flag(name, true))
	}
	if o.Sandbox != "" {
		out = append(out, chromedp.Flag("ignore-certificate-errors-spki-list", o.Sandbox))
	}
	if !o.Loopback {
		return append(out, outside()...)
	}
	return append(out,
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost"),
		chromedp.Flag("no-proxy-server", true),
	)
}

// own are the hosts to which a browser goes of its own accord, flags or not: their
// names are not resolved. A page that asks for one of them is noted, and gets no
// answer.
func own() []string {
	return []string{
		"accounts.google.com", "clients1.google.com", "clients2.google.com", "clients3.google.com", "clients4.google.com", "clientservices.googleapis.com",
		"update.googleapis.com", "optimizationguide-pa.googleapis.com", "content-autofill.googleapis.com", "safebrowsing.googleapis.com",
		"safebrowsingohttpgateway.googleapis.com", "android.clients.google.com", "mtalk.google.com", "redirector.gvt1.com", "edgedl.me.gvt1.com", "dl.google.com",
	}
}

// outside says how the browser reaches what is not on this machine: as the rest of
// the harness does, through the proxy of the environment if there is one.
func outside() []chromedp.ExecAllocatorOption {
	rules := []string{}
	for _, host := range own() {
		rules = append(rules, "MAP "+host+" ~NOTFOUND")
	}
	out := []chromedp.ExecAllocatorOption{chromedp.Flag("host-resolver-rules", strings.Join(rules, ", "))}
	proxy := httpproxy.FromEnvironment()
	var servers []string
	for _, s := range []struct{ kind, address string }{{"http", proxy.HTTPProxy}, {"https", proxy.HTTPSProxy}} {
		if s.address == "" {
			continue
		}
		if !strings.Contains(s.address, "://") {
			s.address = "http://" + s.address
		}
		if u, err := url.Parse(s.address); err == nil && u.Host != "" {
			servers = append(servers, s.kind+"="+u.Scheme+"://"+u.Host)
		}
	}
	if len(servers) == 0 {
		return append(out, chromedp.Flag("no-proxy-server", true))
	}
	return append(out, chromedp.ProxyServer(strings.Join(servers, ";")), chromedp.Flag("proxy-bypass-list", strings.Join(append(own(), strings.Split(proxy.NoProxy, ",")...), ";")))
}

// start makes sure that the browser runs, and gives the context of it.
func (h *Host) start() (context.Context, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return nil, errors.New("the browser was closed")
	}
	if h.root != nil {
		select {
		case <-chromedp.FromContext(h.root).Browser.LostConnection:
			h.drop() // it died
		default:
			return h.root, nil
		}
	}
	path, err := h.options.find()
	if err != nil {
		return nil, &MissingError{Missing(h.options)}
	}
	if h.starts == maxStarts {
		return nil, fmt.Errorf("the browser %s died %d times and is not started again", filepath.Base(path), maxStarts)
	}
	h.starts++
	// The browser outlives the look that starts it, so no caller's context is
	// its parent: Close ends it.
	allocator, release := chromedp.NewExecAllocator(context.Background(), append(h.options.flags(), chromedp.ExecPath(path))...)
	root, cancel := chromedp.NewContext(allocator)
	end := func() { cancel(); release() }
	late := time.AfterFunc(startTimeout, cancel)
	err = chromedp.Do(root)
	if !late.Stop() || err != nil {
		end()
		return nil, fmt.Errorf("start the browser %s: it did not answer within %s: %w", filepath.Base(path), startTimeout, errors.Join(err, root.Err()))
	}
	h.root, h.end = root, end
	return root, nil
}

// tab opens a tab in a profile of its own, which ends with the caller's context.
func (h *Host) tab(ctx context.Context) (context.Context, func(), error) {
	if why := h.Missing(); why != (Text{}) {
		return nil, nil, &MissingError{why}
	}
	select {
	case h.tabs <- struct{}{}:
	case <-ctx.Done():
		return nil, nil, ctx.Err()
	}
	tab, end, err := h.profile(ctx)
	if err != nil {
		<-h.tabs
		return nil, nil, err
	}
	return tab, func() { end(); <-h.tabs }, nil
}

// Turn waits until journeys may be played in this browser: a walk holds several tabs
// at a time, and two that wait for one another's would wait for ever. The function
// it gives ends the turn.
func (h *Host) Turn(ctx context.Context) (func(), error) {
	if why := h.Missing(); why != (Text{}) {
		return nil, &MissingError{why}
	}
	select {
	case h.walks <- struct{}{}:
		return func() { <-h.walks }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// profile opens a tab in a profile of its own.
func (h *Host) profile(ctx context.Context) (context.Context, func(), error) {
	root, err := h.start()
	if err != nil {
		return nil, nil, err
	}
	tab, cancel := chromedp.NewContext(root, chromedp.WithNewBrowserContext(func(p *target.CreateBrowserContextParams) {}))
	stop := context.AfterFunc(ctx, cancel)
	done := func() {
		stop()
		cancel()
	}
	if err := chromedp.Do(tab); err != nil {
		done()
		return nil, nil, fmt.Errorf("open a tab: %w", err)
	}
	return tab, done, nil
}
