package browser

import (
	"context"
	"time"

	"github.com/chromedp/chromedp"
)

// Bounds of what is kept of settings.
const (
	maxBoxes     = 20
	settingsWait = 300 * time.Millisecond // that settings are waited for after a press
)

// Acceptance is a visit that begins by looking at the settings that a question
// offers, then accepts all that is asked.
type Acceptance struct {
	Choice   Choice     `json:"choice"`
	Accepted bool       `json:"accepted"` // a control that accepts was pressed
	Settings Settings   `json:"settings"`
	Before   Left       `json:"before"` // on the first page, nothing having been chosen
	Again    []Reopener `json:"again"`  // how each page lets the choice be changed
	// Result holds the pages as they were shown after the acceptance; without one,
	// the page on which nothing could be accepted.
	Result
}

// Settings are what a question offers to choose purpose by purpose.
type Settings struct {
	Offered string   `json:"offered"` // words of the control that was pressed; "": none was seen
	Boxes   []Box    `json:"boxes"`   // seen after the press, or with the question
	Frames  int      `json:"frames"`  // frames of other sites, which cannot be read
	Picture *Picture `json:"picture,omitempty"`
}

// Box is something to tick or to switch.
type Box struct {
	Label string `json:"label"`
	On    bool   `json:"on"`
	Fixed bool   `json:"fixed"` // it cannot be changed
}

// Left is what a visit has left behind and asked of others.
type Left struct {
	Cookies []Cookie `json:"cookies"`
	Keys    []Stored `json:"keys"`
	Hosts   []string `json:"hosts"` // of other sites
}

// Reopener is what a page offers to change a choice.
type Reopener struct {
	URL      string `json:"url"`
	Words    string `json:"words"` // of the control; "": none was seen
	Tried    bool   `json:"tried"` // it was pressed
	Reopened bool   `json:"reopened"`
}

// Accept visits the site as somebody who was never there, looks at the settings
// offered, accepts what is asked, then visits the pages. Its errors are those of
// Look.
func (h *Host) Accept(ctx context.Context, v Visit) (Acceptance, error) {
	out := Acceptance{Settings: Settings{Boxes: []Box{}}, Before: Left{Cookies: []Cookie{}, Keys: []Stored{}, Hosts: []string{}}, Again: []Reopener{}}
	res, err := h.visit(ctx, v, acts{
		first: func(l *look, p Page) bool {
			l.accept(p, &out)
			return out.Accepted
		},
		each: func(l *look, p Page, last bool) {
			if out.Accepted && p.State == Read {
				out.Choice.Gone = out.Choice.Gone && (len(out.Again) > 0 || !l.asks())
				out.Again = append(out.Again, l.reopener(p.URL, last))
			}
		},
	})
	out.Result = res
	return out, err
}

// accept looks at the question on the page shown and at its settings, then
// accepts.
func (l *look) accept(p Page, out *Acceptance) {
	ctx, cancel := context.WithTimeout(l.tab, pageTimeout)
	defer cancel()
	out.Before.Keys = append(out.Before.Keys, p.Facts.Stored...)
	if cookies, err := l.cookies(); err == nil {
		out.Before.Cookies = cookies
	}
	for _, r := range p.Requests {
		if r.Third && len(out.Before.Hosts) < maxStored && !contains(out.Before.Hosts, r.Host) {
			out.Before.Hosts = append(out.Before.Hosts, r.Host)
		}
	}
	out.Choice = l.question(ctx)
	l.pictureOf(&out.Choice)
	if !out.Choice.Found {
		return
	}
	if len(out.Choice.Settings) > 0 && l.press(ctx, out.Choice.Settings[0]) {
		out.Settings = l.settings(ctx, out.Choice.Settings[0].Text)
		// What was opened may lie over the question, or on another page.
		if again := l.page(l.site, "home"); again.State != Read {
			return
		}
		if q := l.question(ctx); q.Found {
			out.Choice.Accept = q.Accept
		}
	} else {
		out.Settings.Boxes = append(out.Settings.Boxes, out.Choice.boxes...)
	}
	if len(out.Choice.Accept) == 0 || !l.press(ctx, out.Choice.Accept[0]) {
		return
	}
	out.Accepted, out.Choice.Gone = true, !l.question(ctx).Found
}

// asks says whether the page shown asks a question.
func (l *look) asks() bool {
	ctx, cancel := context.WithTimeout(l.tab, pageTimeout)
	defer cancel()
	return l.question(ctx).Found
}

// press presses a control, and waits for what it does.
func (l *look) press(ctx context.Context, c Control) bool {
	l.traffic.begin(l.site)
	if chromedp.Do(ctx, chromedp.MouseClickXY(c.X, c.Y)) != nil {
		return false
	}
	l.traffic.settle(ctx, max(l.quiet, settingsWait), settleMost)
	l.traffic.end()
	return true
}

// settings reads what was opened by a press.
func (l *look) settings(ctx context.Context, words string) Settings {
	out := Settings{Offered: words, Boxes: []Box{}}
	got, err := chromedp.Run(ctx, chromedp.Evaluate[Settings](script("settings")))
	if err == nil {
		out.Boxes, out.Frames = keptBoxes(got.Boxes), min(max(0, got.Frames), maxBoxes)
	}
	var taken []Picture
	l.picture(OfBanner, "settings", nil, &taken)
	if len(taken) > 0 {
		out.Picture = &taken[0]
	}
	return out
}

func keptBoxes(list []Box) []Box {
	out := []Box{}
	for i, b := range list {
		if i < maxBoxes {
			b.Label = cut(b.Label, maxText)
			out = append(out, b)
		}
	}
	return out
}

// reopener looks for what lets a choice be changed on the page shown, and presses
// it on the last one.
func (l *look) reopener(url string, last bool) Reopener {
	ctx, cancel := context.WithTimeout(l.tab, pageTimeout)
	defer cancel()
	out := Reopener{URL: url}
	got, err := chromedp.Run(ctx, chromedp.Evaluate[Control](script("reopen")))
	if err != nil || got.Text == "" {
		return out
	}
	out.Words = cut(got.Text, maxText)
	if last && !l.question(ctx).Found && l.press(ctx, got) {
		out.Tried = true
		seen, err := chromedp.Run(ctx, chromedp.Evaluate[Settings](script("settings")))
		out.Reopened = l.question(ctx).Found || err == nil && len(seen.Boxes) > 0
	}
	return out
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}
