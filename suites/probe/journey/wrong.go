package journey

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/etalon-sante/etalon/suites/candidate"
	"github.com/etalon-sante/etalon/suites/probe/browser"
)

// strangers is how often a name that has no account is tried.
const strangers = 1

// Attempt is one password typed for one name.
type Attempt struct {
	Status int     `json:"status"` // of the page that came of it
	Path   string  `json:"path"`
	Millis float64 `json:"millis"`
	Passed bool    `json:"passed"` // the service went on, to the second factor or to the account
}

// Wrong is what came of passwords that are not right.
type Wrong struct {
	At      time.Time `json:"at"`
	Account string    `json:"account"` // handle of the account that is there to be locked
	Error   string    `json:"error"`
	First   Attempt   `json:"first"`   // with the right password, before
	Known   []Attempt `json:"known"`   // wrong passwords for the account
	Unknown []Attempt `json:"unknown"` // the same for a name that has no account
	Last    Attempt   `json:"last"`    // with the right password, after
	// Only are lines of text that only one of the two is shown at its first wrong
	// password.
	OnlyKnown   []string `json:"onlyKnown"`
	OnlyUnknown []string `json:"onlyUnknown"`
}

// Try types wrong passwords for an account that is there for it, and for a name that
// has no account. Errors are as those of Walk.
func Try(ctx context.Context, h *browser.Host, p Plan) (Wrong, error) {
	r, err := prepare(h, p)
	if err != nil {
		return Wrong{}, err
	}
	turn, err := h.Turn(ctx)
	if err != nil {
		return Wrong{}, err
	}
	defer turn()
	a := p.Journeys.For(candidate.ToLock)[0]
	out := Wrong{At: r.Now().UTC(), Account: a.Handle, Known: []Attempt{}, Unknown: []Attempt{}, OnlyKnown: []string{}, OnlyUnknown: []string{}}
	nobody := a
	nobody.User = stranger(a.User)
	p.Tell("account-user", a.User)
	p.Tell("account-password", a.Password)
	s, err := r.open(ctx)
	if err != nil {
		return Wrong{}, err
	}
	defer s.Close()
	t := &trier{ready: r, s: s}
	if out.First, _, err = t.attempt(ctx, a); err == nil {
		var known, unknown []string
		err = t.wrong(ctx, a, p.Journeys.Tries, &out.Known, &known)
		if err == nil {
			err = t.wrong(ctx, nobody, strangers, &out.Unknown, &unknown)
		}
		out.OnlyKnown, out.OnlyUnknown = without(known, unknown, a.User, nobody.User), without(unknown, known, a.User, nobody.User)
	}
	if err == nil {
		out.Last, _, err = t.once(ctx, a)
	}
	if ctx.Err() != nil {
		return out, ctx.Err()
	}
	if err != nil {
		out.Error = err.Error()
	}
	return out, nil
}

// stranger is a name of the same form that nobody has.
func stranger(user string) string {
	if _, domain, ok := strings.Cut(user, "@"); ok {
		return "personne-7f3c91@" + domain
	}
	return "personne-7f3c91"
}

// trier types passwords in one window.
type trier struct {
	*ready
	s *browser.Session
}

// once types the account's password in a profile that was never used before.
func (t *trier) once(ctx context.Context, a candidate.Account) (Attempt, []string, error) {
	if err := t.s.Fresh(ctx); err != nil {
		return Attempt{}, nil, err
	}
	return t.attempt(ctx, a)
}

// wrong types wrong passwords, one after the other, in one profile.
func (t *trier) wrong(ctx context.Context, a candidate.Account, times int, into *[]Attempt, first *[]string) error {
	if err := t.s.Fresh(ctx); err != nil {
		return err
	}
	a.Password = "ce-mot-de-passe-n-est-pas-le-bon"
	for n := range times {
		one, lines, err := t.attempt(ctx, a)
		if err != nil {
			return err
		}
		*into = append(*into, one)
		if n == 0 {
			*first = lines
		}
	}
	return nil
}

// attempt plays the sign-in up to the second factor; without one, to its end.
func (t *trier) attempt(ctx context.Context, a candidate.Account) (Attempt, []string, error) {
	code, s := t.signIn.Code(), t.s
	words := t.Journeys.Words(a, t.Site, t.Now, func(string, string) {}) // the right ones were told, the others are no secrets
	began := t.Now()
	err := s.Play(ctx, t.signIn, words, 0, code)
	took := t.Now().Sub(began)
	if err != nil && !(code < 0 && browser.NotThere(err)) { // what follows a sign-in does not follow a wrong password
		return Attempt{}, nil, err
	}
	at, err := s.Shown(ctx)
	if err != nil {
		return Attempt{}, nil, err
	}
	out := Attempt{Status: at.Status, Path: path(at.URL), Millis: float64(took) / float64(time.Millisecond)}
	if code >= 0 {
		out.Passed = s.Reaches(ctx, t.signIn.Steps[code])
	} else if len(t.account) > 0 {
		out.Passed = s.Play(ctx, t.account[0], words, 0, -1) == nil
	}
	return out, at.Lines, nil
}

// without are the first lines of one page that the other has not, names left out.
func without(lines, other []string, names ...string) []string {
	plain := func(l string) string {
		for _, n := range names {
			l = strings.ReplaceAll(l, n, "…")
		}
		return l
	}
	known := map[string]bool{}
	for _, l := range other {
		known[plain(l)] = true
	}
	out := []string{}
	for _, l := range lines {
		if l = plain(l); !known[l] && len(out) < 5 && l != "…" {
			out = append(out, l[:min(len(l), 120)])
		}
	}
	return out
}

// Slower says whether answers to the one took much longer than to the other: the
// middle ones, by three times and by a third of a second at least.
func Slower(a, b []Attempt) bool {
	x, y := middle(a), middle(b)
	return x > 3*y && x-y > 300
}

func middle(list []Attempt) float64 {
	if len(list) == 0 {
		return 0
	}
	var ms []float64
	for _, a := range list {
		ms = append(ms, a.Millis)
	}
	slices.Sort(ms)
	return ms[len(ms)/2]
}
