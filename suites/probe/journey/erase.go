package journey

import (
	"context"
	"time"

	"github.com/etalon-sante/etalon/suites/candidate"
	"github.com/etalon-sante/etalon/suites/probe/browser"
)

// Erased is what became of an account that was deleted.
type Erased struct {
	At       time.Time `json:"at"`
	Account  string    `json:"account"` // handle
	Failures []Failure `json:"failures"`
	Own      int       `json:"own"`    // lines that were the account's own, before
	Played   bool      `json:"played"` // the deletion was gone through
	Again    Attempt   `json:"again"`  // with the right password, after
	Session  Seen      `json:"session"`
	Waited   float64   `json:"waited"`
}

// Erase signs in with an account that is there to be deleted, deletes it, and tries
// to come back. Errors are as those of Walk.
func Erase(ctx context.Context, h *browser.Host, p Plan) (Erased, error) {
	r, err := prepare(h, p)
	if err != nil {
		return Erased{}, err
	}
	turn, err := h.Turn(ctx)
	if err != nil {
		return Erased{}, err
	}
	defer turn()
	a := p.Journeys.For(candidate.ToDelete)[0]
	out := Erased{At: r.Now().UTC(), Account: a.Handle, Failures: []Failure{}}
	fail := func(journey string, err error) (Erased, error) {
		out.Failures = append(out.Failures, Failure{journey, err.Error()})
		return out, ctx.Err()
	}
	s, err := r.open(ctx)
	if err != nil {
		return out, err
	}
	defer s.Close()
	v := &visitor{s: s, words: r.words(ctx, a, nil)}
	if err := r.enter(ctx, v, 0); err != nil {
		return fail("signIn", err)
	}
	out.Waited = r.waited.Seconds()
	if f := r.read(ctx, v, false); f != nil {
		out.Failures = append(out.Failures, *f)
		return out, ctx.Err()
	}
	session, err := s.Cookies(ctx)
	if err != nil {
		return fail("signIn", err)
	}
	other, err := r.open(ctx)
	if err != nil {
		return out, err
	}
	defer other.Close()
	shownTo := map[string][]string{}
	for _, page := range v.pages {
		if at, err := other.Visit(ctx, page.address); err == nil {
			shownTo[page.address] = at.Lines
		}
	}
	owned := own(v.pages, shownTo)
	for _, lines := range owned {
		out.Own += len(lines)
	}
	if err := s.Play(ctx, r.deletion, v.words, 0, -1); err != nil {
		return fail("deletion", err)
	}
	out.Played = true
	if err := other.SetCookies(ctx, session); err == nil {
		out.Session = look(ctx, other, v.pages, owned)
	}
	t := &trier{ready: r, s: other}
	if out.Again, _, err = t.once(ctx, a); err != nil {
		return fail("again", err)
	}
	return out, ctx.Err()
}
