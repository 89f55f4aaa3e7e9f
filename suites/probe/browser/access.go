package browser

import (
	"bytes"
	"context"
	"time"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// Bounds of what is tried of accessibility on one page.
const (
	accessTimeout = 40 * time.Second
	maxSteps      = 60 // of the keyboard
	maxUnseen     = 10 // places where the focus cannot be seen
	maxCompared   = 5  // of them looked at by pictures
	narrow        = 320
)

// Access is what was seen of a page's accessibility. Each part says why it could
// not be looked at.
type Access struct {
	Rules    Rules    `json:"rules"`
	Reflow   Reflow   `json:"reflow"`
	Keyboard Keyboard `json:"keyboard"`
	Zoom     Enlarged `json:"zoom"`    // at 200 %
	Spacing  Enlarged `json:"spacing"` // with the spaces of WCAG 1.4.12
}

// Reflow is the page in a window 320 CSS pixels wide.
type Reflow struct {
	Window int      `json:"window"` // width of the window
	Page   int      `json:"page"`   // width of what is to be scrolled
	Out    []string `json:"out"`    // elements that stick out, the first ones
	Error  string   `json:"error"`
}

// Keyboard is a walk through the page with the key Tab.
type Keyboard struct {
	Reach   int      `json:"reach"`   // elements that ask to be reached
	Steps   int      `json:"steps"`   // taken
	Reached int      `json:"reached"` // different elements reached
	Unseen  []string `json:"unseen"`  // those that look alike with and without the focus
	Trapped string   `json:"trapped"` // the element that the keyboard does not leave; "": none
	Error   string   `json:"error"`
}

// access tries what takes a window and a keyboard, then gives the window back.
func (l *look) access(into *[]Picture) Access {
	ctx, cancel := context.WithTimeout(l.tab, accessTimeout)
	defer cancel()
	out := Access{Rules: rules(ctx)}
	out.Keyboard = keyboard(ctx, func(at string) { l.element(OfFocus, at, "", into) })
	l.enlarge(ctx, &out, into)
	out.Reflow = l.reflow(ctx, into)
	l.elements(out.Rules, into)
	return out
}

func (l *look) reflow(ctx context.Context, into *[]Picture) Reflow {
	out := Reflow{Out: []string{}}
	if err := width(ctx, narrow); err != nil {
		out.Error = cut(err.Error(), maxText)
		return out
	}
	got, err := chromedp.Run(ctx, chromedp.Evaluate[Reflow](script("reflow")))
	if err != nil {
		out.Error = cut(err.Error(), maxText)
	} else {
		out.Window, out.Page = got.Window, got.Page
		for i, o := range got.Out {
			if i < 5 {
				out.Out = append(out.Out, cut(o, maxText))
			}
		}
		if out.Page > out.Window+1 {
			l.picture(OfNarrow, "", nil, into)
		}
	}
	if err := width(ctx, 0); err != nil && out.Error == "" {
		out.Error = cut(err.Error(), maxText)
	}
	return out
}

// step is where the keyboard is.
type step struct {
	At     string  `json:"at"`
	Again  bool    `json:"again"`
	Known  bool    `json:"known"`
	Seen   bool    `json:"seen"`
	X      float64 `json:"x"`
	Y      float64 `json:"y"`
	Width  float64 `json:"width"`
	Height float64 `json:"height"`
}

// keyboard walks through a page. It has gone round when it comes to the document
// again, or to an element that it was at; it is trapped when a step leads nowhere
// while there are others to reach. unseen is told of each place that cannot be
// seen, while the keyboard is there.
func keyboard(ctx context.Context, unseen func(at string)) Keyboard {
	out := Keyboard{Unseen: []string{}}
	fail := func(err error) Keyboard {
		out.Error = cut(err.Error(), maxText)
		return out
	}
	reach, err := chromedp.Run(ctx, chromedp.Evaluate[int](script("rest")))
	if err != nil {
		return fail(err)
	}
	out.Reach = reach
	if reach == 0 {
		return out
	}
	before, compared := "", 0
	for out.Steps < min(maxSteps, reach+2) {
		if err := tab(ctx); err != nil {
			return fail(err)
		}
		out.Steps++
		s, err := chromedp.Run(ctx, chromedp.Evaluate[step](script("step")))
		if err != nil {
			return fail(err)
		}
		s.At = cut(s.At, maxText)
		if s.At == "" || s.Again {
			if s.Again && s.At == before && out.Reached < reach {
				out.Trapped = s.At
			}
			break
		}
		before = s.At
		out.Reached++
		if s.Seen || !s.Known || len(out.Unseen) == maxUnseen {
			continue
		}
		if compared < maxCompared {
			compared++
			if differs, err := pictured(ctx, s); err != nil || differs {
				continue // it shows after all, or it is not known
			}
		}
		out.Unseen = append(out.Unseen, s.At)
		unseen(s.At)
	}
	return out
}

// tab presses and releases the key Tab.
func tab(ctx context.Context) error {
	for _, kind := range []input.DispatchKeyEventType{input.DispatchKeyEventTypeRawKeyDown, input.DispatchKeyEventTypeKeyUp} {
		if _, err := chromedp.Call(ctx, input.DispatchKeyEvent, input.DispatchKeyEventParams{Type: kind, Key: "Tab", Code: "Tab", WindowsVirtualKeyCode: 9, NativeVirtualKeyCode: 9}); err != nil {
			return err
		}
	}
	return nil
}

// pictured says whether the element that has the focus looks otherwise without it,
// by two pictures of it and what is around it.
func pictured(ctx context.Context, s step) (bool, error) {
	const margin = 12
	shot := func() ([]byte, error) {
		got, err := chromedp.Call(ctx, page.CaptureScreenshot, page.CaptureScreenshotParams{
			Clip: &page.Viewport{X: max(0, s.X-margin), Y: max(0, s.Y-margin), Width: min(s.Width, 1200) + 2*margin, Height: min(s.Height, 800) + 2*margin, Scale: 1},
		})
		return got.Data, err
	}
	with, err := shot()
	if err != nil {
		return false, err
	}
	// The element gets the focus back as from a keyboard.
	if err := chromedp.Do(ctx, chromedp.Evaluate[chromedp.Void]("globalThis.__etalonWalk.at = document.activeElement, globalThis.__etalonWalk.at.blur(), undefined")); err != nil {
		return false, err
	}
	without, err := shot()
	if err != nil {
		return false, err
	}
	err = chromedp.Do(ctx, chromedp.Evaluate[chromedp.Void]("globalThis.__etalonWalk.at.focus({preventScroll: true, focusVisible: true}), undefined"))
	return !bytes.Equal(with, without), err
}
