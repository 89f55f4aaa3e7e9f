package browser

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/etalon-sante/etalon/suites/candidate/recording"
)

// Bounds of a journey.
const (
	journeyMost = 2 * time.Minute
	lookAgain   = 40 * time.Millisecond // between two looks for an element
	textMost    = 4000                  // characters typed into one field
)

// StepFailed says at which step a journey ended, and why.
type StepFailed struct {
	Title  string // of the recording
	Number int
	Kind   string
	Ways   string // in which its element was looked for
	At     string // address shown then, without its query
	Err    error
}

func (e *StepFailed) Error() string {
	out := fmt.Sprintf("step %d (%s) of the journey %q", e.Number, e.Kind, e.Title)
	if e.Ways != "" {
		out += ", on " + e.Ways + ","
	}
	if e.At != "" {
		out += " at " + e.At
	}
	return out + ": " + e.Err.Error()
}

// Unwrap gives the cause.
func (e *StepFailed) Unwrap() error { return e.Err }

// errNotThere says that no selector of a step led to an element that can be seen.
var errNotThere = errors.New("the element is not there, or cannot be seen: record the step again")

// NotThere says whether a step failed because its element was not there.
func NotThere(err error) bool { return errors.Is(err, errNotThere) }

// Play plays the steps of a recording, from one to before another, counted from 0;
// a negative end means all. The error is a *StepFailed, or that of the context.
func (s *Session) Play(ctx context.Context, r recording.Recording, words recording.Words, from, to int) error {
	ctx, cancel := context.WithTimeout(ctx, journeyMost)
	defer cancel()
	if to < 0 || to > len(r.Steps) {
		to = len(r.Steps)
	}
	for i := from; i < to; i++ {
		step := r.Steps[i]
		err := s.step(ctx, step, words)
		if err == nil {
			if away := s.wire.elsewhere(); away != "" {
				err = &ElsewhereError{Host: away}
			}
		}
		if err == nil {
			continue
		}
		if errors.Is(ctx.Err(), context.Canceled) {
			return ctx.Err()
		}
		failed := &StepFailed{Title: r.Title, Number: step.Number, Kind: string(step.Kind), Ways: cut(step.Ways(), maxText), Err: err}
		if at, err := s.Address(ctx); err == nil {
			failed.At = shownText(at)
		}
		return failed
	}
	return nil
}

// Reaches says whether the element of a step is there, now that the page is at rest.
func (s *Session) Reaches(ctx context.Context, step recording.Step) bool {
	s.wire.settle(s.with(ctx), s.look.quiet, settleMost)
	at, err := s.find(s.with(ctx), step)
	return err == nil && at.place.Seen
}

func (s *Session) step(ctx context.Context, step recording.Step, words recording.Words) error {
	bound := s.with(ctx)
	switch step.Kind {
	case recording.Viewport:
		_, err := chromedp.Call(bound, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: int64(step.X), Height: int64(step.Y), DeviceScaleFactor: 1})
		return err
	case recording.Navigate:
		address, err := step.URL.Write(words)
		if err != nil {
			return err
		}
		_, err = s.Visit(ctx, address)
		return err
	case recording.WaitFor:
		return s.await(ctx, step)
	case recording.Scroll:
		return s.scroll(ctx, step)
	case recording.KeyDown, recording.KeyUp:
		return s.key(ctx, step)
	case recording.Close, recording.Network:
		return nil
	}
	at, err := s.ready(ctx, step)
	if err != nil {
		return err
	}
	if step.Kind == recording.Change {
		return s.change(ctx, step, at, words)
	}
	return s.point(ctx, step, at)
}

// place is where an element is, and what it is; the page says it.
type place struct {
	Gone     bool    `json:"gone"`
	X        float64 `json:"x"`
	Y        float64 `json:"y"`
	Width    float64 `json:"width"`
	Height   float64 `json:"height"`
	Seen     bool    `json:"seen"`
	Disabled bool    `json:"disabled"`
	Type     string  `json:"type"`
}

type element struct {
	id    runtime.RemoteObjectID
	place place
}

// ready waits until the element of a step is there and can be acted upon.
func (s *Session) ready(ctx context.Context, step recording.Step) (element, error) {
	limit, bound := time.Now().Add(step.Patience), s.with(ctx)
	last := errNotThere
	for {
		at, err := s.find(bound, step)
		switch {
		case err == nil && at.place.Seen && !at.place.Disabled:
			return at, nil
		case err == nil && at.place.Seen:
			last = errors.New("the element is disabled")
		case err != nil && !errors.Is(err, errNotThere):
			last = err
		}
		if !rest(ctx, lookAgain) || time.Now().After(limit) {
			return element{}, last
		}
	}
}

// rest waits a little; it says whether there is still somebody who waits.
func rest(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// find looks for the element of a step, in each of the ways that the recording has.
func (s *Session) find(ctx context.Context, step recording.Step) (element, error) {
	root, err := s.root(ctx, step.Frame)
	if err != nil {
		return element{}, err
	}
	var failed error
	for _, way := range step.Selectors {
		id, err := s.follow(ctx, root, way)
		if err != nil {
			failed = err // a selector that this page cannot even be asked for
			continue
		}
		if id == "" {
			continue
		}
		at, err := chromedp.Run(ctx, chromedp.CallFunctionOn[place](script("place"), of(id)))
		if err == nil && !at.Gone {
			return element{id, at}, nil
		}
	}
	if failed != nil && !strings.Contains(failed.Error(), "context") {
		return element{}, fmt.Errorf("%w (%s)", errNotThere, cut(failed.Error(), maxText))
	}
	return element{}, errNotThere
}

func of(id runtime.RemoteObjectID) chromedp.CallOption {
	return func(p *runtime.CallFunctionOnParams) { p.ObjectID = id }
}

// root is the document of the page, or of one of its frames.
func (s *Session) root(ctx context.Context, frames []int) (runtime.RemoteObjectID, error) {
	doc, err := chromedp.Run(ctx, chromedp.Evaluate[*runtime.RemoteObject]("document"))
	if err != nil || len(frames) == 0 {
		return objectOf(doc), err
	}
	got, err := chromedp.Run(ctx, chromedp.CallFunctionOn[*runtime.RemoteObject](script("within"), of(doc.ObjectID), frames))
	if err != nil {
		return "", errors.New("the frame is not there, or is of another site, in which nothing is played")
	}
	return objectOf(got), nil
}

func objectOf(o *runtime.RemoteObject) runtime.RemoteObjectID {
	if o == nil {
		return ""
	}
	return o.ObjectID
}

// follow looks for each part of a selector in what the one before it led to; "" when
// there is nothing.
func (s *Session) follow(ctx context.Context, root runtime.RemoteObjectID, way recording.Selector) (runtime.RemoteObjectID, error) {
	at := root
	for i, part := range way {
		if i > 0 {
			inside, err := chromedp.Run(ctx, chromedp.CallFunctionOn[*runtime.RemoteObject](script("within"), of(at), nil))
			if err != nil {
				return "", err
			}
			at = objectOf(inside)
		}
		var err error
		if part.By == "aria" {
			at, err = s.byName(ctx, at, part)
		} else {
			var got *runtime.RemoteObject
			got, err = chromedp.Run(ctx, chromedp.CallFunctionOn[*runtime.RemoteObject](script("seek"), of(at), part.By, part.Text, false))
			at = objectOf(got)
		}
		if err != nil || at == "" {
			return "", err
		}
	}
	return at, nil
}

// byName looks for an element by the name that assistive tools give it.
func (s *Session) byName(ctx context.Context, root runtime.RemoteObjectID, part recording.Part) (runtime.RemoteObjectID, error) {
	ids, err := s.named(ctx, root, part)
	if err != nil || len(ids) == 0 {
		return "", err
	}
	return ids[0], nil
}

func (s *Session) named(ctx context.Context, root runtime.RemoteObjectID, part recording.Part) ([]runtime.RemoteObjectID, error) {
	got, err := chromedp.Call(ctx, accessibility.QueryAXTree, accessibility.QueryAXTreeParams{ObjectID: root, AccessibleName: part.Text, Role: part.Role})
	if err != nil {
		return nil, err
	}
	var out []runtime.RemoteObjectID
	for _, n := range got.Nodes {
		if n == nil || n.Ignored || n.BackendDOMNodeID == 0 || len(out) == 20 {
			continue
		}
		if n.Role != nil && part.Role == "" && strings.Contains(string(n.Role.Value), "StaticText") {
			continue // the text of an element, which is the element's to be pressed
		}
		resolved, err := chromedp.Call(ctx, dom.ResolveNode, dom.ResolveNodeParams{BackendNodeID: n.BackendDOMNodeID})
		if err == nil && resolved.Object != nil {
			out = append(out, resolved.Object.ObjectID)
		}
	}
	return out, nil
}

// count says how many elements the first selector that leads to any finds.
func (s *Session) count(ctx context.Context, step recording.Step) (int, error) {
	root, err := s.root(ctx, step.Frame)
	if err != nil {
		return 0, err
	}
	for _, way := range step.Selectors {
		at := root
		if len(way) > 1 {
			if at, err = s.follow(ctx, root, way[:len(way)-1]); err != nil || at == "" {
				continue
			}
			inside, err := chromedp.Run(ctx, chromedp.CallFunctionOn[*runtime.RemoteObject](script("within"), of(at), nil))
			if err != nil {
				continue
			}
			at = objectOf(inside)
		}
		last := way[len(way)-1]
		n := 0
		if last.By == "aria" {
			ids, err := s.named(ctx, at, last)
			if err != nil {
				continue
			}
			n = len(ids)
		} else if n, err = chromedp.Run(ctx, chromedp.CallFunctionOn[int](script("seek"), of(at), last.By, last.Text, true)); err != nil {
			continue
		}
		if n > 0 {
			return n, nil
		}
	}
	return 0, nil
}

// await waits for as many elements as a step says.
func (s *Session) await(ctx context.Context, step recording.Step) error {
	limit, bound := time.Now().Add(step.Patience), s.with(ctx)
	for {
		n, err := s.count(bound, step)
		met := err == nil && (step.Operator == "==" && n == step.Count || step.Operator == ">=" && n >= step.Count || step.Operator == "<=" && n <= step.Count)
		if met && step.Visible != nil && step.Count > 0 {
			at, err := s.find(bound, step)
			met = err == nil && at.place.Seen == *step.Visible
		}
		if met {
			return nil
		}
		if !rest(ctx, lookAgain) || time.Now().After(limit) {
			return fmt.Errorf("%d elements are there, %s %d are waited for: %w", n, step.Operator, step.Count, errNotThere)
		}
	}
}

func (s *Session) scroll(ctx context.Context, step recording.Step) error {
	const move = "function(x, y) { (this.scrollingElement || this).scrollTo(x, y); return true; }"
	var id runtime.RemoteObjectID
	if len(step.Selectors) > 0 {
		at, err := s.ready(ctx, step)
		if err != nil {
			return err
		}
		id = at.id
	} else {
		var err error
		if id, err = s.root(s.with(ctx), step.Frame); err != nil {
			return err
		}
	}
	_, err := chromedp.Run(s.with(ctx), chromedp.CallFunctionOn[bool](move, of(id), step.X, step.Y))
	return err
}

// change gives a field its text, as a person would type it where it can be typed.
func (s *Session) change(ctx context.Context, step recording.Step, at element, words recording.Words) error {
	if at.place.Type == "password" && step.Value.Literal() {
		return errors.New("a password stands in the recording in clear: put {{password}}, or env:NAME, in its place")
	}
	text, err := step.Value.Write(words)
	if err != nil {
		return err
	}
	if len([]rune(text)) > textMost {
		return fmt.Errorf("the text has more than %d characters", textMost)
	}
	bound := s.with(ctx)
	how, err := chromedp.Run(bound, chromedp.CallFunctionOn[string](script("fill"), of(at.id), text))
	switch {
	case err != nil:
		return errors.New("the field does not take a text") // what the page says of it may repeat the text
	case how == "done":
		return nil
	case how != "type":
		return errors.New(cut(how, maxText))
	case text == "":
		return s.press(bound, "Backspace", true, true)
	}
	_, err = chromedp.Call(bound, input.InsertText, input.InsertTextParams{Text: text})
	return err
}

// point presses, or hovers over, an element, and waits until what follows is at rest.
func (s *Session) point(ctx context.Context, step recording.Step, at element) error {
	x, y := at.place.X+at.place.Width/2, at.place.Y+at.place.Height/2
	if o := step.Offset; o != nil && o.X > 0 && o.Y > 0 && o.X < at.place.Width && o.Y < at.place.Height {
		x, y = at.place.X+o.X, at.place.Y+o.Y
	}
	bound := s.with(ctx)
	s.wire.begin()
	mouse := func(kind input.DispatchMouseEventType, clicks int64) error {
		p := input.DispatchMouseEventParams{Type: kind, X: x, Y: y, ClickCount: clicks}
		if clicks > 0 {
			p.Button = input.MouseButton(step.Button)
		}
		_, err := chromedp.Call(bound, input.DispatchMouseEvent, p)
		return err
	}
	err := mouse(input.DispatchMouseEventTypeMouseMoved, 0)
	times := map[recording.Kind]int64{recording.Click: 1, recording.DoubleClick: 2}[step.Kind]
	for n := int64(1); n <= times && err == nil; n++ {
		if err = mouse(input.DispatchMouseEventTypeMousePressed, n); err == nil {
			err = mouse(input.DispatchMouseEventTypeMouseReleased, n)
		}
	}
	if err != nil {
		return err
	}
	if times > 0 {
		s.follows(bound, step)
	}
	return nil
}

// follows waits until what a step sets off is at rest. Where another page was loaded
// when the step was recorded, that page is waited for; that none comes is for the next
// step to find out, since a service may go on without one.
func (s *Session) follows(ctx context.Context, step recording.Step) {
	if step.Navigates {
		limit := time.Now().Add(min(step.Patience, settleMost))
		for s.wire.status() == 0 && time.Now().Before(limit) && rest(ctx, lookAgain/2) {
		}
	}
	s.wire.settle(ctx, s.look.quiet, settleMost)
}

// key presses or releases a key, and waits until what follows is at rest.
func (s *Session) key(ctx context.Context, step recording.Step) error {
	bound := s.with(ctx)
	s.wire.begin()
	if err := s.press(bound, step.Key, step.Kind == recording.KeyDown, step.Kind == recording.KeyUp); err != nil {
		return err
	}
	if step.Key == "Enter" || step.Key == "NumpadEnter" || step.Key == "Space" {
		s.follows(bound, step)
	}
	return nil
}

// press plays the halves of a key.
func (s *Session) press(ctx context.Context, name string, down, up bool) error {
	for _, p := range kb.Encode(keyOf(name)) {
		isUp := p.Type == kb.KeyUp
		if isUp && !up || !isUp && !down {
			continue
		}
		if _, err := chromedp.Call(ctx, input.DispatchKeyEvent, *p); err != nil {
			return err
		}
	}
	return nil
}

// keyOf is the rune by which chromedp knows a key.
func keyOf(name string) rune {
	named := map[string]string{
		"Enter": kb.Enter, "NumpadEnter": kb.Enter, "Tab": kb.Tab, "Escape": kb.Escape, "Backspace": kb.Backspace, "Delete": kb.Delete, "Space": " ",
		"ArrowLeft": kb.ArrowLeft, "ArrowUp": kb.ArrowUp, "ArrowRight": kb.ArrowRight, "ArrowDown": kb.ArrowDown,
		"Home": kb.Home, "End": kb.End, "PageUp": kb.PageUp, "PageDown": kb.PageDown,
		"Shift": kb.Shift, "Control": kb.Control, "Alt": kb.Alt, "Meta": kb.Meta,
	}
	for _, side := range []string{"Left", "Right"} {
		if whole, ok := strings.CutSuffix(name, side); ok && !strings.HasPrefix(name, "Arrow") {
			name = whole
		}
	}
	if text, ok := named[name]; ok {
		name = text
	}
	for _, r := range name {
		return r
	}
	return 0
}
