package browser

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"time"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// Bounds of the pictures of one visit.
const (
	MaxPictures    = 24        // kept of a visit
	MaxPicture     = 512 << 10 // bytes of one
	maxOfKind      = 4         // elements pictured of one page for one reason: by rules, by keyboard
	maxShownText   = 256 << 10 // characters read of a page that is pictured
	pictureTimeout = 4 * time.Second
	quality        = 82 // of WebP, from 0 to 100
	around         = 48 // pixels shown around an element
	maxClipWidth   = 1280
	maxClipHeight  = 900
)

// What a picture is of.
const (
	OfPage    = "page"    // as it was first shown
	OfBanner  = "banner"  // what asks for a choice
	OfElement = "element" // that a rule of axe-core names, outlined
	OfFocus   = "focus"   // an element that has the focus, outlined
	OfNarrow  = "narrow"  // the page in a narrow window
	OfZoom    = "zoom"    // the page enlarged to 200 %
	OfSpaced  = "spaced"  // the page with its text spaced out
)

// Picture is one picture that was taken of a page.
type Picture struct {
	Of     string `json:"of"`
	About  string `json:"about"` // rule, or element; "" for a page
	File   string `json:"file"`  // where it is kept, below the run folder; "": it is not
	SHA256 string `json:"sha256"`
	Width  int    `json:"width"` // CSS pixels
	Height int    `json:"height"`
	Bytes  int    `json:"bytes"`
}

// Shot is a picture on its way to where it is kept. Text is all that the page held
// when it was taken, written or in attributes: a picture cannot be searched for
// secrets, what it shows can.
type Shot struct {
	Of     string
	SHA256 string
	WebP   []byte
	Text   string
}

// Keeper keeps a picture and gives the name of its file; "" when it does not.
type Keeper func(Shot) string

// box is a part of a page, in CSS pixels from the document's corner.
type box struct {
	X      float64 `json:"x"`
	Y      float64 `json:"y"`
	Width  float64 `json:"width"`
	Height float64 `json:"height"`
}

// with is the box and what is around it, bounded.
func (b box) with(margin float64) box {
	x, y := max(0, b.X-margin), max(0, b.Y-margin)
	return box{X: x, Y: y, Width: min(b.X+b.Width+margin-x, maxClipWidth), Height: min(b.Y+b.Height+margin-y, maxClipHeight)}
}

// in is what of the box lies in another.
func (b box) in(o box) box {
	x, y := max(b.X, o.X), max(b.Y, o.Y)
	return box{X: x, Y: y, Width: min(b.X+b.Width, o.X+o.Width) - x, Height: min(b.Y+b.Height, o.Y+o.Height) - y}
}

// picture takes a picture of a part of the page, nil for what the window shows,
// and adds it to those of the page. That it cannot be taken is no fault of the
// page's: nothing is added then.
func (l *look) picture(of, about string, part *box, into *[]Picture) {
	if l.visit.Keep == nil || l.pictures == MaxPictures {
		return
	}
	ctx, cancel := context.WithTimeout(l.tab, pictureTimeout)
	defer cancel()
	window, err := chromedp.Run(ctx, chromedp.Evaluate[box]("({x: scrollX, y: scrollY, width: innerWidth, height: innerHeight})"))
	if err != nil {
		return
	}
	at, beyond := window, false
	if part != nil {
		// What the window shows is taken as it is: a window made larger moves what
		// is fixed to its edges.
		at = part.in(window)
		if beyond = at.Width < 1 || at.Height < min(part.Height, 40); beyond {
			at = *part
		}
	}
	if at.Width < 1 || at.Height < 1 || at.Width > 2*maxClipWidth || at.Height > 2*maxClipHeight {
		return
	}
	got, err := chromedp.Call(ctx, page.CaptureScreenshot, page.CaptureScreenshotParams{
		Format: page.CaptureScreenshotFormatWebp, Quality: new(int64(quality)), CaptureBeyondViewport: new(beyond), OptimizeForSpeed: new(true),
		Clip: &page.Viewport{X: at.X, Y: at.Y, Width: at.Width, Height: at.Height, Scale: 1},
	})
	if err != nil || !webp(got.Data) || len(got.Data) > MaxPicture {
		return
	}
	text, err := chromedp.Run(ctx, chromedp.Evaluate[string](script("shown")))
	if err != nil || len(text) > 4*maxShownText {
		return // what it shows cannot be searched
	}
	sum := sha256.Sum256(got.Data)
	p := Picture{Of: of, About: cut(about, maxText), SHA256: hex.EncodeToString(sum[:]), Width: int(at.Width), Height: int(at.Height), Bytes: len(got.Data)}
	if p.File = l.visit.Keep(Shot{Of: of, SHA256: p.SHA256, WebP: got.Data, Text: text}); p.File != "" {
		l.pictures++
		*into = append(*into, p)
	}
}

// webp says whether bytes begin as a WebP picture does.
func webp(b []byte) bool {
	return len(b) > 12 && string(b[:4]) == "RIFF" && string(b[8:12]) == "WEBP"
}

// element pictures an element by its selector, outlined; what cannot be found or is
// not shown is left out.
func (l *look) element(of, about, selector string, into *[]Picture) {
	if l.visit.Keep == nil || l.pictures == MaxPictures || countOf(*into, of) >= maxOfKind {
		return
	}
	ctx, cancel := context.WithTimeout(l.tab, pictureTimeout)
	defer cancel()
	at, err := chromedp.Run(ctx, chromedp.Evaluate[box]("("+script("outline")+")("+quoted(selector)+")"))
	if err == nil && at.Width > 0 {
		part := at.with(around)
		l.picture(of, about, &part, into)
	}
	_ = chromedp.Do(ctx, chromedp.Evaluate[chromedp.Void](`document.getElementById("etalon-outline")?.remove(), undefined`))
}

func countOf(list []Picture, of string) int {
	n := 0
	for _, p := range list {
		if p.Of == of {
			n++
		}
	}
	return n
}

// elements pictures the first element of each rule that was not kept, the graver
// ones first.
func (l *look) elements(r Rules, into *[]Picture) {
	for _, grave := range []bool{true, false} {
		for _, rule := range r.Violations {
			if is := rule.Impact == "serious" || rule.Impact == "critical"; is == grave && len(rule.Nodes) > 0 {
				l.element(OfElement, rule.ID, rule.Nodes[0].Target, into)
			}
		}
	}
	for _, rule := range r.Incomplete {
		if len(rule.Nodes) > 0 {
			l.element(OfElement, rule.ID, rule.Nodes[0].Target, into)
		}
	}
}

// quoted writes a text as JavaScript reads it.
func quoted(s string) string {
	b, err := json.Marshal(s) // escapes U+2028 and U+2029 too
	if err != nil {
		return `""`
	}
	return string(b)
}
