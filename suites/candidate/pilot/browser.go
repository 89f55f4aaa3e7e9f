package pilot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/etalon-sante/etalon/suites/candidate"
	"github.com/etalon-sante/etalon/suites/candidate/recording"
	"github.com/etalon-sante/etalon/suites/probe/browser"
)

// maxSeats bounds the windows that are open at a time: each patient has one.
const maxSeats = 8

// BrowserOptions say with what recordings are played.
type BrowserOptions struct {
	Host    *browser.Host
	Sandbox string // address of the sandbox's pages
	// Patient gives what somebody types to sign in to the sandbox as a patient.
	Patient func(handle string) (Account, bool)
	Tell    func(kind, value string) // of a secret, before it is typed
	Now     func() time.Time
}

// Browser is a pilot that plays, for each action, a journey that was recorded: an
// editor is judged without writing code. A patient is a window in a profile of its
// own, and one of the accounts of test whose use is pilot. It tells what the sandbox
// sees; what a page shows is not read, so that what is read has no data.
type Browser struct {
	o    BrowserOptions
	c    candidate.Candidate
	mu   sync.Mutex
	all  map[string]*seat // by patient
	used int              // accounts given out
	turn chan struct{}    // one action at a time: a machine has one pair of hands
}

// seat is one patient's window.
type seat struct {
	account candidate.Account
	s       *browser.Session
	entered bool
}

// NewBrowser returns a pilot for the recordings of a manifest. It must be closed.
func NewBrowser(c candidate.Candidate, o BrowserOptions) *Browser {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Tell == nil {
		o.Tell = func(string, string) {}
	}
	return &Browser{o: o, c: c, all: map[string]*seat{}, turn: make(chan struct{}, 1)}
}

// Close ends the windows.
func (p *Browser) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, s := range p.all {
		s.s.Close()
	}
	p.all = map[string]*seat{}
}

// Do plays the recording of an action. "unsupported" is answered where there is none,
// where it types something that this action does not hold, or where no account is left.
func (p *Browser) Do(ctx context.Context, call candidate.Call) (candidate.Answer, error) {
	var none candidate.Answer
	text := p.c.Pilot.Recordings[string(call.Action)]
	if text == "" {
		return unsupported("no recording of this action: add it to pilot.recordings"), nil
	}
	r, err := recording.Read([]byte(text), "")
	if err != nil {
		return none, fault(Start, "the recording of %s: %w", call.Action, err)
	}
	payload, err := loose(call.Payload)
	if err != nil {
		return none, fmt.Errorf("action %s: read the payload: %w", call.Action, err)
	}
	for _, n := range r.Names() {
		if _, known := held(payload, n); !known && !slices.Contains([]string{"site", "user", "password", "totp", "patient"}, n) {
			return unsupported("the recording types {{" + n + "}}, which this action does not hold"), nil
		}
	}
	select {
	case p.turn <- struct{}{}:
		defer func() { <-p.turn }()
	case <-ctx.Done():
		return none, fault(Timeout, "the action did not get its turn in time")
	}
	limited, cancel := context.WithTimeout(ctx, p.c.Timing.Action)
	defer cancel()
	at, answer, err := p.seat(ctx, call.Patient)
	if at == nil {
		return answer, err
	}
	words := p.words(at.account, call.Patient, payload)
	if err = p.enter(limited, at, words); err == nil {
		err = at.s.Play(limited, r, words, 0, -1)
	}
	if err == nil && call.Action == candidate.Pair {
		err = p.consent(limited, at, call.Patient, payload)
	}
	switch {
	case err == nil:
		return candidate.Answer{Status: "done"}, nil
	case gaveUp(ctx, call) != nil:
		return none, gaveUp(ctx, call)
	case limited.Err() != nil:
		return none, fault(Timeout, "the recording was not played to its end within %s", p.c.Timing.Action)
	}
	return candidate.Answer{Status: "failed", Message: short(err.Error(), maxMessage)}, nil
}

func unsupported(why string) candidate.Answer {
	return candidate.Answer{Status: "unsupported", Message: why}
}

// seat gives the window of a patient, opened at first sight with the next account. It
// lives as long as the pilot, whatever becomes of the action that opens it.
func (p *Browser) seat(ctx context.Context, patient string) (*seat, candidate.Answer, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if s := p.all[patient]; s != nil {
		return s, candidate.Answer{}, nil
	}
	accounts := p.c.Journeys.For(candidate.ToPilot)
	at := &seat{}
	if p.c.Journeys.SignIn != "" {
		if p.used >= len(accounts) {
			return nil, unsupported(fmt.Sprintf("all %d accounts whose use is pilot are taken: name more in journeys.accounts", len(accounts))), nil
		}
		at.account = accounts[p.used]
	}
	if len(p.all) >= maxSeats {
		return nil, unsupported(fmt.Sprintf("%d patients have a window already, which is as many as are opened", maxSeats)), nil
	}
	w := p.c.Web
	var err error
	at.s, err = p.o.Host.Session(context.WithoutCancel(ctx), browser.Visit{
		Site: w.Site, Named: append([]string{w.Production, w.Plain, p.o.Sandbox}, p.c.Journeys.Hosts...), Now: p.o.Now,
	})
	if err != nil {
		return nil, candidate.Answer{}, fault(Unreachable, "open a window: %w", err)
	}
	p.used++
	p.all[patient] = at
	return at, candidate.Answer{}, nil
}

// enter signs the patient's account in, once.
func (p *Browser) enter(ctx context.Context, at *seat, words recording.Words) error {
	if at.entered || p.c.Journeys.SignIn == "" {
		return nil
	}
	r, err := recording.Read([]byte(p.c.Journeys.SignIn), "")
	if err == nil {
		err = at.s.Play(ctx, r, words, 0, -1)
	}
	at.entered = err == nil
	return err
}

// words gives what the recordings of an action type.
func (p *Browser) words(a candidate.Account, patient string, payload map[string]any) recording.Words {
	known := p.c.Journeys.Words(a, p.c.Web.Site, p.o.Now, p.o.Tell)
	return func(name string) (string, error) {
		if name == "patient" {
			return patient, nil
		}
		if text, ok := held(payload, name); ok {
			return text, nil
		}
		return known(name)
	}
}

// loose reads a payload, numbers as they are written.
func loose(payload any) (map[string]any, error) {
	raw, err := json.Marshal(payload)
	if err != nil {
		return nil, err
	}
	d := json.NewDecoder(strings.NewReader(string(raw)))
	d.UseNumber()
	out := map[string]any{}
	return out, d.Decode(&out)
}

// held finds what a payload holds under a name with dots.
func held(payload map[string]any, name string) (string, bool) {
	var at any = payload
	for _, step := range strings.Split(name, ".") {
		m, ok := at.(map[string]any)
		if !ok {
			return "", false
		}
		at = m[step]
	}
	switch v := at.(type) {
	case string:
		return v, true
	case json.Number:
		return v.String(), true
	case bool:
		return strconv.FormatBool(v), true
	}
	return "", false
}

// consent signs the patient in on the sandbox's own pages, and answers what they ask.
func (p *Browser) consent(ctx context.Context, at *seat, patient string, payload map[string]any) error {
	where, err := at.s.Address(ctx)
	if err != nil {
		return err
	}
	here, _ := url.Parse(where)
	sandbox, _ := url.Parse(p.o.Sandbox)
	if here == nil || sandbox == nil || here.Host != sandbox.Host {
		return errors.New("the recording does not lead to the pages of Mon espace santé: end it where one is sent there")
	}
	account, ok := p.o.Patient(patient)
	if !ok {
		return errors.New("the patient has no account with the sandbox")
	}
	p.o.Tell("patient-password", account.Password)
	words := func(name string) (string, error) {
		return map[string]string{"login": account.Login, "password": account.Password}[name], nil
	}
	return at.s.Play(ctx, answers(payload), words, 0, -1)
}

// answers is the journey over the sandbox's pages.
func answers(payload map[string]any) recording.Recording {
	out := recording.Recording{Title: "Mon espace santé"}
	add := func(kind recording.Kind, css, value string) {
		out.Steps = append(out.Steps, recording.Step{
			Number: len(out.Steps) + 1, Kind: kind, Patience: 5 * time.Second, Button: "left", Navigates: kind == recording.Click && strings.HasPrefix(css, "button"),
			Selectors: []recording.Selector{{{By: "css", Text: css}}}, Value: recording.Value{Text: value},
		})
	}
	add(recording.Change, `input[name="login"]`, "{{login}}")
	add(recording.Change, `input[name="password"]`, "{{password}}")
	add(recording.Click, `button[type="submit"]`, "")
	if refuse, _ := payload["refuse"].(bool); refuse {
		add(recording.Click, `button[name="decision"][value="refuse"]`, "")
		return out
	}
	except, _ := payload["except"].([]any)
	for _, code := range finalites(payload) {
		if !slices.Contains(except, any(code)) {
			add(recording.Click, `input[name="finalite"][value="`+code+`"]`, "")
		}
	}
	add(recording.Click, `button[name="decision"][value="accept"]`, "")
	return out
}

// finalites are those that the consent page offers, as the harness tells the pilot.
func finalites(payload map[string]any) []string {
	list, _ := payload["finalites"].([]any)
	var out []string
	for _, v := range list {
		if code, ok := v.(string); ok && !strings.ContainsAny(code, `"\`) {
			out = append(out, code)
		}
	}
	return out
}
