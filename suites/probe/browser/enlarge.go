package browser

import (
	"context"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// The window in which a page is seen at 200 %: one of 1280 by 800 pixels, each of
// which stands for a quarter of what it did.
const (
	zoomWidth  = 640
	zoomHeight = 400
	zoomFactor = 2
)

// theCut is how the first text found cut off is named when it is pictured.
const theCut = "cut"

// Enlarged is what becomes of a page's texts when they are enlarged or spaced out.
type Enlarged struct {
	Clipped []string `json:"clipped"` // texts that are cut off then, and not before
	Error   string   `json:"error"`
}

// enlarge shows the page spaced out, then at 200 %.
func (l *look) enlarge(ctx context.Context, out *Access, into *[]Picture) {
	out.Spacing, out.Zoom = Enlarged{Clipped: []string{}}, Enlarged{Clipped: []string{}}
	fail := func(e *Enlarged, err error) bool {
		if err != nil {
			e.Error = cut(err.Error(), maxText)
		}
		return err != nil
	}
	if _, err := clipped(ctx); fail(&out.Spacing, err) {
		out.Zoom.Error = out.Spacing.Error
		return
	}
	spaced := func(on string) error {
		return chromedp.Do(ctx, chromedp.Evaluate[chromedp.Void]("("+script("spaced")+")("+on+"), undefined"))
	}
	var err error
	if !fail(&out.Spacing, spaced("true")) {
		if out.Spacing.Clipped, err = clipped(ctx); !fail(&out.Spacing, err) && len(out.Spacing.Clipped) > 0 {
			l.element(OfSpaced, "", theCut, into)
		}
	}
	if fail(&out.Spacing, spaced("false")) {
		out.Zoom.Error = out.Spacing.Error
		return
	}
	_, err = chromedp.Call(ctx, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: zoomWidth, Height: zoomHeight, DeviceScaleFactor: zoomFactor})
	if !fail(&out.Zoom, err) {
		if out.Zoom.Clipped, err = clipped(ctx); !fail(&out.Zoom, err) && len(out.Zoom.Clipped) > 0 {
			l.element(OfZoom, "", theCut, into)
		}
	}
}

// clipped names the texts that are cut off, and were not when it was first asked.
func clipped(ctx context.Context) ([]string, error) {
	out := []string{}
	got, err := chromedp.Run(ctx, chromedp.Evaluate[[]string](script("clipped")))
	for i, name := range got {
		if i < 5 {
			out = append(out, cut(name, maxText))
		}
	}
	return out, err
}
