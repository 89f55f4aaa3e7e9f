package browser

import (
	"context"

	"github.com/chromedp/chromedp"
)

// maxControls bounds what is kept of a banner's controls.
const maxControls = 5

// Choice is what asked for a choice about trackers, and what came of refusing it.
type Choice struct {
	Found  bool      `json:"found"`
	Text   string    `json:"text"`   // its beginning
	Accept []Control `json:"accept"` // on its first level
	Refuse []Control `json:"refuse"`
	// Settings are the controls that lead to a choice purpose by purpose.
	Settings []Control `json:"settings"`
	Ticked   []string  `json:"ticked"` // boxes that are ticked, and could be unticked
	// Picture is that of the question; nil where none was kept.
	Picture *Picture `json:"picture,omitempty"`
	// Refused says that a control that refuses was pressed, Gone that the question
	// was not asked any more on the page shown next.
	Refused bool `json:"refused"`
	Gone    bool `json:"gone"`

	box   box   // where it is shown
	boxes []Box // on its first level
}

// Control is something to press.
type Control struct {
	Text   string  `json:"text"`
	X      float64 `json:"x"` // of its middle
	Y      float64 `json:"y"`
	Width  float64 `json:"width"`
	Height float64 `json:"height"`
}

// Refusal is a visit that begins by refusing what is asked.
type Refusal struct {
	Choice Choice `json:"choice"`
	// Result holds the pages as they were shown after the refusal; without one,
	// the page on which nothing asked for a choice.
	Result
}

// Refuse visits the site as somebody who was never there, refuses trackers when
// asked, then visits the pages. Its errors are those of Look.
func (h *Host) Refuse(ctx context.Context, v Visit) (Refusal, error) {
	out := Refusal{}
	next := true
	res, err := h.visit(ctx, v, acts{
		first: func(l *look, _ Page) bool {
			out.Choice = l.refuse()
			return out.Choice.Refused
		},
		each: func(l *look, p Page, _ bool) {
			if next && out.Choice.Refused && p.State == Read {
				out.Choice.Gone, next = out.Choice.Gone && !l.asks(), false
			}
		},
	})
	out.Result = res
	return out, err
}

// refuse looks for a question on the page shown, and refuses.
func (l *look) refuse() Choice {
	ctx, cancel := context.WithTimeout(l.tab, pageTimeout)
	defer cancel()
	c := l.question(ctx)
	l.pictureOf(&c)
	if len(c.Refuse) == 0 {
		return c
	}
	if !l.press(ctx, c.Refuse[0]) {
		return c
	}
	c.Refused, c.Gone = true, !l.question(ctx).Found
	return c
}

// pictureOf takes a picture of the question, or of the page where none was seen.
func (l *look) pictureOf(c *Choice) {
	var taken []Picture
	if !c.Found {
		l.picture(OfPage, "", nil, &taken)
	} else if c.box.Width > 0 {
		part := c.box.with(around)
		l.picture(OfBanner, "", &part, &taken)
	}
	if len(taken) > 0 {
		c.Picture = &taken[0]
	}
}

// question reads what the page asks, which the page may say as it likes.
func (l *look) question(ctx context.Context) Choice {
	got, err := chromedp.Run(ctx, chromedp.Evaluate[struct {
		Choice
		Box   box   `json:"box"`
		Boxes []Box `json:"boxes"`
	}](script("banner")))
	out := Choice{Accept: []Control{}, Refuse: []Control{}, Settings: []Control{}, Ticked: []string{}}
	if err != nil {
		return out
	}
	out.Found, out.Text, out.box = got.Found, cut(got.Text, 2*maxText), got.Box
	out.Accept, out.Refuse, out.Settings, out.boxes = kept(got.Accept), kept(got.Refuse), kept(got.Settings), keptBoxes(got.Boxes)
	for i, t := range got.Ticked {
		if i < maxControls {
			out.Ticked = append(out.Ticked, cut(t, maxText))
		}
	}
	return out
}

func kept(list []Control) []Control {
	out := []Control{}
	for i, c := range list {
		if i < maxControls {
			c.Text = cut(c.Text, maxText)
			out = append(out, c)
		}
	}
	return out
}
