// Package journey goes through a service behind its sign-in, with the recordings
// and the accounts of test of a manifest, and notes how the service guards what is
// somebody's own. What is somebody's own is found by comparison: the lines of text
// that an account's page shows to who has signed in, and not to a stranger. Those
// lines, addresses with their queries and the values of cookies are compared here and
// written down nowhere: a result holds counts, names and paths.
package journey

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/etalon-sante/etalon/suites/candidate"
	"github.com/etalon-sante/etalon/suites/candidate/recording"
	"github.com/etalon-sante/etalon/suites/probe/browser"
)

// Bounds of what is waited for.
const (
	IdleMost    = 30 * time.Second // announced: what is longer is not waited for
	codeMost    = 90 * time.Second // until a code that was not used yet
	codeLeast   = 1500 * time.Millisecond
	fileMost    = 10 * time.Second
	besideFile  = 3 * time.Second // of a service on this machine
	maxAnswers  = 60
	maxReported = 10
)

// Plan says what is gone through.
type Plan struct {
	Site     string
	Named    []string // other addresses to which the window may go
	Journeys candidate.Journeys
	Own      bool // the service is the user's own
	Now      func() time.Time
	Tell     func(kind, value string) // of a secret, before it is used
}

// PlanFor is the plan that a manifest makes.
func PlanFor(c candidate.Candidate, now func() time.Time, tell func(kind, value string)) Plan {
	site := c.Web.Site
	if site == "" {
		site = c.Web.Production
	}
	return Plan{
		Site: site, Named: append([]string{c.Web.Production, c.Web.Plain}, c.Journeys.Hosts...), Journeys: c.Journeys,
		Own: c.Web.Own, Now: now, Tell: tell,
	}
}

// Seen compares what is shown at one moment with what is somebody's own.
type Seen struct {
	Tried bool `json:"tried"`
	Of    int  `json:"of"`    // lines that are somebody's own
	Shown int  `json:"shown"` // of them, shown at this moment
}

// Open says that what is somebody's own was shown, Shut that nothing of it was;
// neither where it cannot be told.
func (s Seen) Open() bool { return s.Tried && s.Of > 0 && 2*s.Shown > s.Of }

// Shut is said of what was tried and showed nothing.
func (s Seen) Shut() bool { return s.Tried && s.Of > 0 && s.Shown == 0 }

// Failure is a journey that could not be played to its end.
type Failure struct {
	Journey string `json:"journey"` // field of the manifest: signIn, account[0], …
	Why     string `json:"why"`
}

// Page is a page of the account.
type Page struct {
	Path string `json:"path"`
	Own  int    `json:"own"` // lines that are the account's own
}

// Cookies tell which cookies let one in.
type Cookies struct {
	Before   []string `json:"before"` // names, before anything was typed
	New      []Cookie `json:"new"`    // that came, or changed, with the sign-in
	Earlier  Seen     `json:"earlier"`
	Later    Seen     `json:"later"`    // with those of after the sign-in
	Readable Seen     `json:"readable"` // with those of them that a script may read
	Plain    Seen     `json:"plain"`    // with those of them that go over plain HTTP too
}

// Cookie is one cookie without its value.
type Cookie struct {
	Name     string `json:"name"`
	Secure   bool   `json:"secure"`
	HTTPOnly bool   `json:"httpOnly"`
	SameSite string `json:"sameSite"`
}

// Answer is an answer that holds what is somebody's own.
type Answer struct {
	Path    string `json:"path"`
	Type    string `json:"type"`
	Caching string `json:"caching"` // Cache-Control
}

// Told is something that stands in an address and should not.
type Told struct {
	Where string `json:"where"` // address, referer
	What  string `json:"what"`  // user, password, code, session, text
	Host  string `json:"host"`
}

// Store is one entry of a storage of the page.
type Store struct {
	Where string `json:"where"`
	Key   string `json:"key"`
	Own   int    `json:"own"` // lines of somebody's own that can be read in it
}

// Leaving is what became of a sign-out.
type Leaving struct {
	Played   bool     `json:"played"`
	Clearing string   `json:"clearing"` // Clear-Site-Data
	Back     Seen     `json:"back"`     // after the button « back »
	Again    Seen     `json:"again"`    // with the cookies of before the sign-out, in another browser
	Cookies  []string `json:"cookies"`  // names of those of the session that are still there
	Stores   []Store  `json:"stores"`   // that came since the sign-in and are still there
}

// Idle is a session that nobody touched.
type Idle struct {
	Announced float64 `json:"announced"` // seconds
	Waited    float64 `json:"waited"`    // seconds without an act
	Before    Seen    `json:"before"`
	After     Seen    `json:"after"`
}

// Result is what was seen behind the sign-in.
type Result struct {
	At       time.Time `json:"at"`
	Account  string    `json:"account"` // handle
	Failures []Failure `json:"failures"`
	// Coded says that the recording of the sign-in types a one-time code, Uncoded
	// that one was in without the field for it being shown.
	Coded    bool     `json:"coded"`
	Uncoded  bool     `json:"uncoded"`
	Pages    []Page   `json:"pages"`
	Own      int      `json:"own"`      // lines that are the account's own, of all pages
	Password Seen     `json:"password"` // after the password alone
	Cookies  Cookies  `json:"cookies"`
	Answers  []Answer `json:"answers"`
	Requests int      `json:"requests"` // looked through for what was typed
	Typed    int      `json:"typed"`    // texts looked for
	Told     []Told   `json:"told"`
	Stored   int      `json:"stored"` // entries of storages
	Stores   []Store  `json:"stores"` // of them, those that hold what is somebody's own
	Leaving  Leaving  `json:"leaving"`
	Idle     *Idle    `json:"idle,omitempty"`
	Export   *Export  `json:"export,omitempty"`
	Waited   float64  `json:"waited"` // seconds, for codes that were not used yet
}

// Failed says why a journey could not be played; "" when it was, or is not there.
func (r Result) Failed(journey string) string {
	for _, f := range r.Failures {
		if f.Journey == journey {
			return f.Why
		}
	}
	return ""
}

// ready is a plan with its recordings read.
type ready struct {
	Plan
	host                              *browser.Host
	signIn, signOut, export, deletion recording.Recording
	account                           []recording.Recording
	until                             map[string]time.Time // to when the code used last holds, by account
	waited                            time.Duration
}

func prepare(h *browser.Host, p Plan) (*ready, error) {
	if p.Now == nil {
		p.Now = time.Now
	}
	r := &ready{Plan: p, host: h, until: map[string]time.Time{}}
	for _, f := range []struct {
		text string
		into *recording.Recording
	}{{p.Journeys.SignIn, &r.signIn}, {p.Journeys.SignOut, &r.signOut}, {p.Journeys.Export, &r.export}, {p.Journeys.Deletion, &r.deletion}} {
		if f.text == "" {
			continue
		}
		var err error
		if *f.into, err = recording.Read([]byte(f.text), ""); err != nil {
			return nil, err
		}
	}
	for _, text := range p.Journeys.Account {
		one, err := recording.Read([]byte(text), "")
		if err != nil {
			return nil, err
		}
		r.account = append(r.account, one)
	}
	return r, nil
}

func (r *ready) open(ctx context.Context) (*browser.Session, error) {
	return r.host.Session(ctx, browser.Visit{Site: r.Site, Named: r.Named, Now: r.Now})
}

// typed collects what was typed for an account, to be looked for in addresses.
type typed map[string]string // value -> what it is

// words gives what an account types. A one-time code that was typed before is not
// typed again: services take each once.
func (r *ready) words(ctx context.Context, a candidate.Account, seen typed) recording.Words {
	plain := r.Journeys.Words(a, r.Site, r.Now, r.Tell)
	return func(name string) (string, error) {
		if name != "totp" {
			text, err := plain(name)
			if what := map[string]string{"user": "user", "password": "password"}[name]; what != "" && err == nil && seen != nil {
				seen[text] = what
			}
			return text, err
		}
		o, err := recording.ReadOneTime(a.TOTP)
		if err != nil {
			return "", err
		}
		_, until, err := o.Code(r.Now())
		if err != nil {
			return "", err
		}
		for until.Sub(r.Now()) < codeLeast || !until.After(r.until[a.User]) {
			wait := until.Sub(r.Now()) + 10*time.Millisecond
			if wait > codeMost {
				return "", fmt.Errorf("a code that was not used yet comes in %s only", wait)
			}
			if !rest(ctx, wait) {
				return "", ctx.Err()
			}
			r.waited += wait
			if _, until, err = o.Code(r.Now()); err != nil {
				return "", err
			}
		}
		r.until[a.User] = until
		code, err := plain(name)
		if err == nil && seen != nil {
			seen[code] = "code"
		}
		return code, err
	}
}

func rest(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// visitor is somebody who signs in.
type visitor struct {
	s       *browser.Session
	words   recording.Words
	typed   typed
	uncoded bool
	pages   []shown
}

// shown is a page of an account, with all its lines.
type shown struct {
	address string
	lines   []string
	bodies  []body
}

type body struct {
	hit  browser.Hit
	text string
}

// enter signs somebody in, from one step of the recording on. Where the field for the
// code does not come, one may be in without it: the pages of the account tell.
func (r *ready) enter(ctx context.Context, v *visitor, from int) error {
	err := v.s.Play(ctx, r.signIn, v.words, from, -1)
	var failed *browser.StepFailed
	if errors.As(err, &failed) && browser.NotThere(err) && failed.Number == r.signIn.Code()+1 {
		v.uncoded = true
		return nil
	}
	return err
}

// read goes to the pages of the account.
func (r *ready) read(ctx context.Context, v *visitor, bodies bool) *Failure {
	for i, one := range r.account {
		name := fmt.Sprintf("account[%d]", i)
		before := len(v.s.Hits())
		if err := v.s.Play(ctx, one, v.words, 0, -1); err != nil {
			return &Failure{name, err.Error()}
		}
		at, err := v.s.Shown(ctx)
		if err != nil {
			return &Failure{name, err.Error()}
		}
		page := shown{address: at.URL, lines: at.Lines}
		if bodies {
			for _, h := range v.s.Hits()[before:] {
				if h.Own && h.Status == 200 && (h.Type == "Document" || h.Type == "XHR" || h.Type == "Fetch") && len(page.bodies) < maxAnswers {
					page.bodies = append(page.bodies, body{h, v.s.Body(ctx, h)})
				}
			}
		}
		v.pages = append(v.pages, page)
	}
	return nil
}

// own are the lines of each page that a stranger is not shown.
func own(pages []shown, stranger map[string][]string) [][]string {
	out := make([][]string, len(pages))
	for i, p := range pages {
		known := map[string]bool{}
		for _, l := range stranger[p.address] {
			known[l] = true
		}
		for _, l := range p.lines {
			if !known[l] {
				out[i] = append(out[i], l)
			}
		}
	}
	return out
}

// look goes to the pages of an account and compares.
func look(ctx context.Context, s *browser.Session, pages []shown, owned [][]string) Seen {
	out := Seen{}
	for i, p := range pages {
		if len(owned[i]) == 0 {
			continue
		}
		at, err := s.Visit(ctx, p.address)
		if err != nil {
			continue
		}
		out.Tried = true
		out.add(owned[i], at.Lines)
	}
	return out
}

func (s *Seen) add(owned, lines []string) {
	there := map[string]bool{}
	for _, l := range lines {
		there[l] = true
	}
	for _, l := range owned {
		s.Of++
		if there[l] {
			s.Shown++
		}
	}
}

// path is an address without its query.
func path(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	if len(u.Path) > 200 {
		return u.Path[:200]
	}
	return u.Path
}
