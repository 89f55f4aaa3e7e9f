package browser

import (
	"context"
	"fmt"
	"net/url"

	"github.com/chromedp/chromedp"
)

// maxMarkup bounds the characters taken of one document.
const maxMarkup = 4 << 20

// Markup gives the document of a page as the browser holds it, once its scripts
// have run, in a profile that was never used. The error is a *MissingError where
// there is no browser; named are the other addresses to which the page may lead.
func (h *Host) Markup(ctx context.Context, v Visit, at *url.URL) (string, error) {
	site, err := url.Parse(v.Site)
	if err != nil || site.Hostname() == "" {
		return "", fmt.Errorf("show a page of the site %q: expected something like https://service.example/", v.Site)
	}
	tab, done, err := h.tab(ctx)
	if err != nil {
		return "", err
	}
	defer done()
	l := &look{visit: v, site: site, tab: tab, quiet: settleQuiet, alone: h.options.BlockOthers}
	if beside(site) {
		l.quiet = besideQuiet
	}
	if _, err := l.prepare(h.options.Loopback); err != nil {
		return "", l.why(ctx, err)
	}
	p := l.page(at, "")
	if p.State != Read {
		return "", l.why(ctx, fmt.Errorf("%s: %s", p.State, p.Reason))
	}
	limit, cancel := context.WithTimeout(l.tab, pageTimeout)
	defer cancel()
	out, err := chromedp.Run(limit, chromedp.Evaluate[string](fmt.Sprintf("document.documentElement.outerHTML.slice(0, %d)", maxMarkup)))
	if err != nil {
		return "", l.why(ctx, fmt.Errorf("the document could not be read: %w", err))
	}
	if len(out) > 4*maxMarkup {
		out = out[:4*maxMarkup]
	}
	return out, ctx.Err()
}
