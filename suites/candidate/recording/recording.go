// Package recording reads a journey through a service: what somebody did in a
// browser, as the Recorder panel of Chrome's developer tools exports it (JSON). It
// is data, never a program: a step that would run a script of the file is refused.
// What must not stand in a file is a reference in it, see Value.
package recording

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/etalon-sante/etalon/suites/candidate/strictjson"
)

// Bounds of a recording.
const (
	MaxBytes     = 256 << 10
	maxSteps     = 200
	maxSelectors = 20 // ways to find one element
	maxParts     = 6  // of one of them
	maxText      = 2000
	maxFrames    = 5
	maxTimeout   = 30 * time.Second
	defaultPause = 5 * time.Second // that an element is waited for, as the Recorder has it
	maxOffset    = 20_000          // CSS pixels
)

// Kind is what a step does.
type Kind string

// The kinds of step that are played.
const (
	Viewport    Kind = "setViewport"
	Navigate    Kind = "navigate"
	Click       Kind = "click"
	DoubleClick Kind = "doubleClick"
	Hover       Kind = "hover"
	Change      Kind = "change"
	KeyDown     Kind = "keyDown"
	KeyUp       Kind = "keyUp"
	Scroll      Kind = "scroll"
	WaitFor     Kind = "waitForElement"
	Close       Kind = "close"                    // the window is closed by who opened it: nothing is done
	Network     Kind = "emulateNetworkConditions" // nothing is slowed: nothing is done
)

// Recording is one journey.
type Recording struct {
	Title string
	Steps []Step
}

// Step is one thing that is done, or waited for.
type Step struct {
	Number    int // from 1
	Kind      Kind
	Patience  time.Duration // that its element is waited for
	Frame     []int         // indexes of child frames, from the page's own; empty: the page
	Selectors []Selector    // ways to find the element, tried in this order
	Value     Value         // change
	Key       string        // keyDown, keyUp: one of keys()
	URL       Value         // navigate
	Offset    *Point        // click: from the element's top left corner; nil: its middle
	Button    string        // click: left, middle, right
	X, Y      float64       // scroll: to where; setViewport: width and height
	Operator  string        // waitForElement: ==, >=, <=
	Count     int
	Visible   *bool
	Navigates bool // another page was loaded when it was recorded
}

// Point is a place, in CSS pixels.
type Point struct{ X, Y float64 }

// Selector is one way to find an element: each part is looked for in what the one
// before it led to, or in its shadow tree where it has one.
type Selector []Part

// Part is one part of a selector.
type Part struct {
	By   string // css, aria, text, xpath, pierce
	Text string
	Role string // aria: of the element; "": any
}

func (p Part) String() string {
	out := p.Text
	if p.Role != "" {
		out += `[role="` + p.Role + `"]`
	}
	if p.By != "css" {
		out = p.By + "/" + out
	}
	return out
}

func (s Selector) String() string {
	var out []string
	for _, p := range s {
		out = append(out, p.String())
	}
	return strings.Join(out, " » ")
}

// Ways lists the ways in which the element of a step is looked for.
func (s Step) Ways() string {
	var out []string
	for _, w := range s.Selectors {
		out = append(out, w.String())
	}
	return strings.Join(out, ", ")
}

// StepError says what is wrong with a step, and what to do.
type StepError struct {
	File   string // as it was named; "": it stands in the manifest
	Number int    // from 1
	Kind   string
	Why    string
}

func (e *StepError) Error() string {
	at := fmt.Sprintf("step %d", e.Number)
	if e.Kind != "" {
		at += " (" + e.Kind + ")"
	}
	if e.File != "" {
		at = e.File + ": " + at
	}
	return at + ": " + e.Why
}

// flow and step are the file as it is written. Fields that have no effect here are
// named all the same: one that is not known may be one that matters.
type flow struct {
	Title             string            `json:"title"`
	Timeout           *float64          `json:"timeout"`
	SelectorAttribute string            `json:"selectorAttribute"`
	Steps             []json.RawMessage `json:"steps"`
}

type step struct {
	Type           string            `json:"type"`
	Timeout        *float64          `json:"timeout"`
	AssertedEvents []json.RawMessage `json:"assertedEvents"` // that another page was loaded
	Target         string            `json:"target"`
	Frame          []int             `json:"frame"`
	Selectors      []json.RawMessage `json:"selectors"`
	DeviceType     string            `json:"deviceType"`
	Button         string            `json:"button"`
	OffsetX        *float64          `json:"offsetX"`
	OffsetY        *float64          `json:"offsetY"`
	Duration       *float64          `json:"duration"`
	Value          *string           `json:"value"`
	Download       *float64          `json:"download"`
	Upload         *float64          `json:"upload"`
	Latency        *float64          `json:"latency"`
	Key            string            `json:"key"`
	Width          *float64          `json:"width"`
	Height         *float64          `json:"height"`
	Scale          *float64          `json:"deviceScaleFactor"`
	Mobile         *bool             `json:"isMobile"`
	Touch          *bool             `json:"hasTouch"`
	Landscape      *bool             `json:"isLandscape"`
	X              *float64          `json:"x"`
	Y              *float64          `json:"y"`
	URL            string            `json:"url"`
	Operator       string            `json:"operator"`
	Count          *int              `json:"count"`
	Visible        *bool             `json:"visible"`
}

// Read reads a recording of at most MaxBytes bytes; name is what messages call it.
func Read(raw []byte, name string) (Recording, error) {
	if len(raw) > MaxBytes {
		return Recording{}, fmt.Errorf("%sthe recording has more than %d bytes: record one journey only", named(name), MaxBytes)
	}
	if err := strictjson.Check(raw); err != nil {
		return Recording{}, fmt.Errorf("%sit is not strict JSON (%w): export it again from the Recorder, as JSON", named(name), err)
	}
	var f flow
	if err := decode(raw, &f); err != nil {
		return Recording{}, fmt.Errorf("%sit is no recording (%w): export it from the Recorder, as JSON", named(name), err)
	}
	if len(f.Steps) == 0 {
		return Recording{}, fmt.Errorf("%sit has no steps: export it from the Recorder, as JSON", named(name))
	}
	if len(f.Steps) > maxSteps {
		return Recording{}, fmt.Errorf("%sit has %d steps, at most %d are played: record one journey only", named(name), len(f.Steps), maxSteps)
	}
	if utf8.RuneCountInString(f.Title) > 200 {
		f.Title = string([]rune(f.Title)[:200])
	}
	out := Recording{Title: f.Title}
	patience, err := span(f.Timeout, defaultPause)
	if err != nil {
		return Recording{}, fmt.Errorf("%stimeout: %w", named(name), err)
	}
	for i, rawStep := range f.Steps {
		s, kind, err := readStep(rawStep, patience)
		if err != nil {
			return Recording{}, &StepError{File: name, Number: i + 1, Kind: kind, Why: err.Error()}
		}
		s.Number = i + 1
		out.Steps = append(out.Steps, s)
	}
	return out, nil
}

func named(name string) string {
	if name == "" {
		return ""
	}
	return name + ": "
}

func decode(raw []byte, into any) error {
	d := json.NewDecoder(strings.NewReader(string(raw)))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return errors.New(strings.TrimPrefix(err.Error(), "json: "))
	}
	return nil
}

// readStep reads one step; kind is what the file calls it.
func readStep(raw json.RawMessage, patience time.Duration) (out Step, kind string, err error) {
	var which struct {
		Type string `json:"type"`
	}
	if err := json.Unmarshal(raw, &which); err != nil {
		return Step{}, "", errors.New("it is not an object with a type")
	}
	kind = which.Type
	if len(kind) > 40 {
		kind = kind[:40]
	}
	switch Kind(kind) {
	case Viewport, Navigate, Click, DoubleClick, Hover, Change, KeyDown, KeyUp, Scroll, WaitFor, Close, Network:
	case "waitForExpression":
		return Step{}, kind, errors.New("the harness runs no script of a file: wait for an element instead (waitForElement)")
	case "customStep":
		return Step{}, kind, errors.New("a step of an extension is not played: record it as clicks and texts")
	case "":
		return Step{}, kind, errors.New("it has no type: export the recording again")
	default:
		return Step{}, kind, fmt.Errorf("steps of the type %q are not known: record it again as clicks and texts", kind)
	}
	var s step
	if err := decode(raw, &s); err != nil {
		return Step{}, kind, fmt.Errorf("%w: take it out, or record the step again", err)
	}
	if s.Target != "" && s.Target != "main" {
		return Step{}, kind, errors.New("it acts in another window: record the journey in one window")
	}
	out = Step{Kind: Kind(kind), Frame: s.Frame, Visible: s.Visible, Navigates: len(s.AssertedEvents) > 0}
	if out.Patience, err = span(s.Timeout, patience); err != nil {
		return Step{}, kind, fmt.Errorf("timeout: %w", err)
	}
	if len(s.Frame) > maxFrames || slices.ContainsFunc(s.Frame, func(i int) bool { return i < 0 || i > 100 }) {
		return Step{}, kind, fmt.Errorf("its frame is no list of at most %d numbers from 0 to 100", maxFrames)
	}
	if out.Selectors, err = readSelectors(s.Selectors); err != nil {
		return Step{}, kind, err
	}
	return out, kind, out.fill(s)
}

// fill takes over what is particular to a kind of step.
func (s *Step) fill(from step) (err error) {
	switch s.Kind {
	case Click, DoubleClick, Hover, Change, WaitFor:
		if len(s.Selectors) == 0 {
			return errors.New("it has no selector: record the step again")
		}
	}
	switch s.Kind {
	case Navigate:
		if s.URL, err = readValue(from.URL); err != nil {
			return fmt.Errorf("url: %w", err)
		}
		return goodAddress(from.URL)
	case Change:
		if from.Value == nil {
			return errors.New("it has no value: record the step again")
		}
		if s.Value, err = readValue(*from.Value); err != nil {
			return fmt.Errorf("value: %w", err)
		}
		if s.Value.Literal() && *from.Value != "" && s.namesPassword() {
			return errors.New("a password stands in it in clear: put {{password}}, or env:NAME, in its place, and change the password if the file was shared")
		}
	case Click, DoubleClick:
		return s.pointer(from)
	case KeyDown, KeyUp:
		if s.Key = from.Key; !slices.Contains(keys(), s.Key) && utf8.RuneCountInString(s.Key) != 1 {
			return fmt.Errorf("the key %.20q is not known: use a click, or change the text of the field", s.Key)
		}
	case Scroll:
		s.X, s.Y = number(from.X), number(from.Y)
	case Viewport:
		s.X, s.Y = number(from.Width), number(from.Height)
		if s.X < 200 || s.X > 4000 || s.Y < 200 || s.Y > 4000 {
			return errors.New("a window is 200 to 4000 pixels wide and high")
		}
	case WaitFor:
		s.Operator, s.Count = from.Operator, 1
		if s.Operator == "" {
			s.Operator = ">="
		}
		if from.Count != nil {
			s.Count = *from.Count
		}
		if !slices.Contains([]string{"==", ">=", "<="}, s.Operator) || s.Count < 0 || s.Count > 1000 {
			return errors.New("operator is ==, >= or <=, and count a number from 0 to 1000")
		}
	}
	if s.X < -maxOffset || s.X > 1e6 || s.Y < -maxOffset || s.Y > 1e6 {
		return errors.New("it is out of any page")
	}
	return nil
}

func (s *Step) pointer(from step) error {
	switch from.Button {
	case "", "primary":
		s.Button = "left"
	case "auxiliary":
		s.Button = "middle"
	case "secondary":
		s.Button = "right"
	default:
		return fmt.Errorf("the button %.20q is not known: use the primary one", from.Button)
	}
	if from.OffsetX != nil && from.OffsetY != nil {
		s.Offset = &Point{*from.OffsetX, *from.OffsetY}
		if s.Offset.X < -maxOffset || s.Offset.X > maxOffset || s.Offset.Y < -maxOffset || s.Offset.Y > maxOffset {
			return errors.New("its offset is out of any page")
		}
	}
	return nil
}

// namesPassword says whether a selector of the step speaks of a password.
func (s *Step) namesPassword() bool {
	for _, w := range s.Selectors {
		for _, p := range w {
			t := strings.ToLower(strings.NewReplacer(" ", "", "-", "", "_", "").Replace(p.Text))
			for _, word := range []string{"password", "passwd", "motdepasse", "mdp"} {
				if strings.Contains(t, word) {
					return true
				}
			}
		}
	}
	return false
}

func number(n *float64) float64 {
	if n == nil {
		return 0
	}
	return *n
}

// span reads milliseconds.
func span(ms *float64, preset time.Duration) (time.Duration, error) {
	if ms == nil {
		return preset, nil
	}
	d := time.Duration(*ms * float64(time.Millisecond))
	if *ms < 0 || *ms > float64(maxTimeout/time.Millisecond) {
		return 0, fmt.Errorf("%g ms; at most %s are waited for one step", *ms, maxTimeout)
	}
	return d, nil
}

// goodAddress accepts a whole address, or one below {{site}}.
func goodAddress(address string) error {
	rest, below := strings.CutPrefix(address, "{{site}}")
	if below && (rest == "" || rest[0] == '/' || rest[0] == '?') {
		return nil
	}
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil {
		return errors.New("url is no whole http or https address, and none below {{site}}")
	}
	return nil
}

// Hosts lists the hosts to which the steps go by an address of their own.
func (r Recording) Hosts() []string {
	var out []string
	for _, s := range r.Steps {
		if u, err := url.Parse(s.URL.Text); err == nil && u.Hostname() != "" && !slices.Contains(out, u.Hostname()) {
			out = append(out, u.Hostname())
		}
	}
	return out
}

func readSelectors(raw []json.RawMessage) ([]Selector, error) {
	if len(raw) > maxSelectors {
		return nil, fmt.Errorf("it has %d selectors, at most %d are tried: take some out", len(raw), maxSelectors)
	}
	var out []Selector
	for _, r := range raw {
		var parts []string
		if err := json.Unmarshal(r, &parts); err != nil {
			var one string
			if err := json.Unmarshal(r, &one); err != nil {
				return nil, errors.New("a selector is neither a text nor a list of texts")
			}
			parts = []string{one}
		}
		if len(parts) == 0 || len(parts) > maxParts {
			return nil, fmt.Errorf("a selector has %d parts, 1 to %d are possible", len(parts), maxParts)
		}
		var way Selector
		for _, p := range parts {
			part, err := readPart(p)
			if err != nil {
				return nil, err
			}
			way = append(way, part)
		}
		out = append(out, way)
	}
	return out, nil
}

func readPart(text string) (Part, error) {
	if utf8.RuneCountInString(text) > maxText {
		return Part{}, fmt.Errorf("a selector has more than %d characters", maxText)
	}
	p := Part{By: "css", Text: text}
	for _, by := range []string{"aria", "text", "xpath", "pierce", "css"} {
		if rest, ok := strings.CutPrefix(text, by+"/"); ok {
			p = Part{By: by, Text: rest}
			break
		}
	}
	if p.By == "aria" {
		if name, role, ok := strings.Cut(p.Text, `[role="`); ok && strings.HasSuffix(role, `"]`) {
			p.Text, p.Role = strings.TrimSpace(name), strings.TrimSuffix(role, `"]`)
		}
		if p.Text == "" && p.Role == "" {
			return Part{}, errors.New("a selector by name is empty")
		}
		return p, nil
	}
	if strings.TrimSpace(p.Text) == "" {
		return Part{}, errors.New("a selector is empty")
	}
	return p, nil
}

// keys are the keys that have a name; any single character is one too.
func keys() []string {
	return []string{
		"Enter", "NumpadEnter", "Tab", "Escape", "Backspace", "Delete", "Space", "ArrowLeft", "ArrowUp", "ArrowRight", "ArrowDown",
		"Home", "End", "PageUp", "PageDown", "Shift", "ShiftLeft", "ShiftRight", "Control", "ControlLeft", "ControlRight",
		"Alt", "AltLeft", "AltRight", "Meta", "MetaLeft", "MetaRight",
	}
}
