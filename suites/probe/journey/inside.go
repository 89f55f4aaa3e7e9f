package journey

import (
	"context"
	"html"
	"net/url"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/etalon-sante/etalon/suites/candidate"
	"github.com/etalon-sante/etalon/suites/candidate/recording"
	"github.com/etalon-sante/etalon/suites/probe/browser"
)

// Walk signs in, goes to the pages of the account, signs out, and looks at each
// point whether somebody else would be shown them. The error is a
// *browser.MissingError when there is no browser, or that of the context; a journey
// that could not be played is a failure of the result.
func Walk(ctx context.Context, h *browser.Host, p Plan) (Result, error) {
	r, err := prepare(h, p)
	if err != nil {
		return Result{}, err
	}
	turn, err := h.Turn(ctx)
	if err != nil {
		return Result{}, err
	}
	defer turn()
	accounts := p.Journeys.For(candidate.ToVisit)
	out := Result{
		At: r.Now().UTC(), Account: accounts[0].Handle, Coded: r.signIn.Code() >= 0, Failures: []Failure{}, Pages: []Page{},
		Cookies: Cookies{Before: []string{}, New: []Cookie{}}, Answers: []Answer{}, Told: []Told{}, Stores: []Store{},
		Leaving: Leaving{Cookies: []string{}, Stores: []Store{}},
	}
	w := &walk{ready: r, out: &out}
	defer w.close()
	err = w.all(ctx, accounts)
	out.Waited = r.waited.Seconds()
	return out, err
}

// walk is one going through, under way.
type walk struct {
	*ready
	out    *Result
	me     *visitor // who signs in and out
	still  *visitor // who signs in and does nothing more; nil: nobody
	left   time.Time
	opened []*browser.Session
	other  *browser.Session // of who has not signed in

	before, after []browser.Crumb
	stored        map[string]bool
	stranger      map[string][]string
	owned         [][]string
}

func (w *walk) close() {
	for _, s := range w.opened {
		s.Close()
	}
}

func (w *walk) visitor(ctx context.Context, a candidate.Account) (*visitor, error) {
	s, err := w.open(ctx)
	if err != nil {
		return nil, err
	}
	w.opened = append(w.opened, s)
	v := &visitor{s: s, typed: typed{}}
	v.words = w.words(ctx, a, v.typed)
	return v, nil
}

func (w *walk) fails(journey string, err error) {
	w.out.Failures = append(w.out.Failures, Failure{journey, err.Error()})
}

func (w *walk) all(ctx context.Context, accounts []candidate.Account) error {
	if idle := w.Journeys.Idle; idle > 0 && idle <= IdleMost {
		if err := w.leaveAlone(ctx, accounts[len(accounts)-1]); err != nil {
			return err
		}
	}
	var err error
	if w.me, err = w.visitor(ctx, accounts[0]); err != nil {
		return err
	}
	if err := w.signedIn(ctx); err != nil {
		w.fails("signIn", err)
		return ctx.Err()
	}
	if f := w.read(ctx, w.me, true); f != nil {
		w.out.Failures = append(w.out.Failures, *f)
		return ctx.Err()
	}
	if err := w.others(ctx, accounts[0]); err != nil {
		return err
	}
	if w.out.Own == 0 {
		return ctx.Err() // nothing that could be compared
	}
	w.stores(ctx)
	if len(w.Journeys.Export) > 0 {
		w.exported(ctx)
	}
	w.addresses()
	if err := w.leave(ctx); err != nil {
		return err
	}
	w.idle(ctx)
	return ctx.Err()
}

// leaveAlone signs somebody in who then does nothing more.
func (w *walk) leaveAlone(ctx context.Context, a candidate.Account) error {
	v, err := w.visitor(ctx, a)
	if err != nil {
		return err
	}
	if err := w.enter(ctx, v, 0); err != nil {
		w.fails("signIn", err)
		return ctx.Err()
	}
	if f := w.read(ctx, v, false); f == nil {
		w.still, w.left = v, w.Now()
	}
	return ctx.Err()
}

// signedIn signs in, and notes the cookies of before anything was typed, and of after.
func (w *walk) signedIn(ctx context.Context) error {
	first := max(0, slices.IndexFunc(w.signIn.Steps, func(s recording.Step) bool { return s.Kind == recording.Change }))
	if err := w.me.s.Play(ctx, w.signIn, w.me.words, 0, first); err != nil {
		return err
	}
	var err error
	if w.before, err = w.me.s.Cookies(ctx); err != nil {
		return err
	}
	values, err := w.me.s.Stores(ctx)
	if err != nil {
		return err
	}
	w.stored = map[string]bool{}
	for _, v := range values {
		w.stored[v.Where+" "+v.Key] = true
	}
	if err := w.enter(ctx, w.me, first); err != nil {
		return err
	}
	w.out.Uncoded = w.me.uncoded
	for _, s := range w.signIn.Steps {
		if s.Kind == recording.Change && s.Value.Literal() && len(s.Value.Text) >= 6 {
			w.me.typed[s.Value.Text] = "text"
		}
	}
	if w.after, err = w.me.s.Cookies(ctx); err != nil {
		return err
	}
	known := map[string]string{}
	for _, c := range w.before {
		known[c.Name+" "+c.Domain] = c.Value
		w.out.Cookies.Before = append(w.out.Cookies.Before, c.Name)
	}
	for _, c := range w.after {
		if was, ok := known[c.Name+" "+c.Domain]; ok && was == c.Value {
			continue
		}
		if len(c.Value) >= longCookie {
			w.Tell("candidate-cookie", c.Value)
		}
		w.out.Cookies.New = append(w.out.Cookies.New, Cookie{c.Name, c.Secure, c.HTTPOnly, c.SameSite})
	}
	return nil
}

// longCookie is the length from which a cookie's value may be a session's: shorter
// ones are preferences.
const longCookie = 16

// others looks at the pages as a stranger, with the cookies of others, and after the
// password alone.
func (w *walk) others(ctx context.Context, a candidate.Account) error {
	s, err := w.open(ctx)
	if err != nil {
		return err
	}
	w.opened, w.other = append(w.opened, s), s
	w.stranger = map[string][]string{}
	for _, p := range w.me.pages {
		if at, err := s.Visit(ctx, p.address); err == nil {
			w.stranger[p.address] = at.Lines
		}
	}
	w.owned = own(w.me.pages, w.stranger)
	for i, p := range w.me.pages {
		w.out.Pages = append(w.out.Pages, Page{path(p.address), len(w.owned[i])})
		w.out.Own += len(w.owned[i])
	}
	w.answers()
	with := func(list []browser.Crumb) Seen {
		if err := s.SetCookies(ctx, list); err != nil {
			return Seen{}
		}
		return look(ctx, s, w.me.pages, w.owned)
	}
	c := &w.out.Cookies
	c.Earlier, c.Later = with(w.before), with(w.after)
	some := func(ok func(browser.Crumb) bool) Seen {
		var list []browser.Crumb
		for _, k := range w.after {
			if ok(k) {
				list = append(list, k)
			}
		}
		switch len(list) {
		case 0:
			return Seen{Tried: c.Later.Tried, Of: c.Later.Of}
		case len(w.after):
			return c.Later
		}
		return with(list)
	}
	c.Readable = some(func(k browser.Crumb) bool { return !k.HTTPOnly })
	c.Plain = some(func(k browser.Crumb) bool { return !k.Secure })
	if code := w.signIn.Code(); code >= 0 {
		if err := s.Fresh(ctx); err != nil {
			return ctx.Err()
		}
		if err := s.Play(ctx, w.signIn, w.words(ctx, a, nil), 0, code); err == nil {
			_ = s.Reaches(ctx, w.signIn.Steps[code]) // the page is to be at rest
			w.out.Password = look(ctx, s, w.me.pages, w.owned)
		}
	} else {
		w.out.Password = Seen{Tried: w.out.Own > 0, Of: w.out.Own, Shown: w.out.Own}
	}
	return ctx.Err()
}

// answers keeps the answers that hold what is somebody's own.
func (w *walk) answers() {
	for i, p := range w.me.pages {
		for _, b := range p.bodies {
			if holds(b.text, w.owned[i]) > 0 {
				w.out.Answers = append(w.out.Answers, Answer{path(b.hit.URL), b.hit.Type, b.hit.Caching})
			}
		}
	}
}

// least is the length from which a line is looked for in other texts: shorter ones
// stand anywhere.
const least = 6

// holds counts the lines that stand in a text, be it HTML or JSON.
func holds(text string, lines []string) int {
	plain := strings.Join(strings.Fields(html.UnescapeString(text)), " ")
	n := 0
	for _, l := range lines {
		if len(l) >= least && strings.Contains(plain, l) {
			n++
		}
	}
	return n
}

func (w *walk) allOwned() []string {
	var out []string
	for _, l := range w.owned {
		out = append(out, l...)
	}
	return out
}

// stores looks for what is somebody's own in the stores of the page.
func (w *walk) stores(ctx context.Context) {
	values, err := w.me.s.Stores(ctx)
	if err != nil {
		w.fails("stores", err)
		return
	}
	w.out.Stored = len(values)
	for _, v := range values {
		if n := holds(v.Value, w.allOwned()); n > 0 && len(w.out.Stores) < maxReported {
			w.out.Stores = append(w.out.Stores, Store{v.Where, v.Key, n})
		}
	}
}

// addresses looks for what was typed, and for the session, in the addresses asked for.
func (w *walk) addresses() {
	needles := map[string]string{}
	for value, what := range w.me.typed {
		if len(value) >= least {
			needles[strings.ToLower(value)] = what
		}
	}
	w.out.Typed = len(needles)
	for _, c := range w.after {
		if len(c.Value) >= longCookie {
			needles[strings.ToLower(c.Value)] = "session"
		}
	}
	hits := w.me.s.Hits()
	w.out.Requests = len(hits)
	seen := map[Told]bool{}
	for _, h := range hits {
		at, _ := url.Parse(h.URL)
		for where, address := range map[string]string{"address": h.URL, "referer": h.Referer} {
			for _, what := range stands(address, needles) {
				t := Told{Where: where, What: what}
				if at != nil {
					t.Host = at.Host
				}
				seen[t] = true
			}
		}
	}
	for t := range seen {
		w.out.Told = append(w.out.Told, t)
	}
	sort.Slice(w.out.Told, func(i, j int) bool {
		a, b := w.out.Told[i], w.out.Told[j]
		return a.Where+a.What+a.Host < b.Where+b.What+b.Host
	})
	w.out.Told = w.out.Told[:min(len(w.out.Told), maxReported)]
}

// stands says what of the needles stands in an address, encoded or not.
func stands(address string, needles map[string]string) []string {
	forms := strings.ToLower(address)
	for plain := address; ; {
		next, err := url.QueryUnescape(plain)
		if err != nil || next == plain || len(forms) > 100_000 {
			break
		}
		plain = next
		forms += " " + strings.ToLower(plain)
	}
	var out []string
	for needle, what := range needles {
		if strings.Contains(forms, needle) && !slices.Contains(out, what) {
			out = append(out, what)
		}
	}
	return out
}

// leave signs out, and looks whether anybody who comes after is shown anything.
func (w *walk) leave(ctx context.Context) error {
	if w.Journeys.SignOut == "" {
		return ctx.Err()
	}
	before := len(w.me.s.Hits())
	if err := w.me.s.Play(ctx, w.signOut, w.me.words, 0, -1); err != nil {
		w.fails("signOut", err)
		return ctx.Err()
	}
	l := &w.out.Leaving
	l.Played = true
	if _, err := w.me.s.Shown(ctx); err != nil {
		w.fails("signOut", err)
	}
	for _, h := range w.me.s.Hits()[before:] {
		if h.Clearing != "" {
			l.Clearing = h.Clearing
		}
	}
	w.remains(ctx, l)
	for i := len(w.me.pages) - 1; i >= 0; i-- {
		if len(w.owned[i]) == 0 {
			continue
		}
		if at, found, err := w.me.s.Back(ctx, w.me.pages[i].address); found && err == nil {
			l.Back.Tried = true
			l.Back.add(w.owned[i], at.Lines)
		}
	}
	if err := w.other.Fresh(ctx); err == nil && w.other.SetCookies(ctx, w.after) == nil {
		l.Again = look(ctx, w.other, w.me.pages, w.owned)
	}
	return ctx.Err()
}

// remains notes what the sign-out has left in the browser.
func (w *walk) remains(ctx context.Context, l *Leaving) {
	fresh := map[string]bool{}
	for _, c := range w.out.Cookies.New {
		fresh[c.Name] = true
	}
	value := map[string]string{}
	for _, c := range w.after {
		value[c.Name+" "+c.Domain] = c.Value
	}
	now, err := w.me.s.Cookies(ctx)
	if err != nil {
		w.fails("signOut", err)
		return
	}
	for _, c := range now {
		if fresh[c.Name] && len(c.Value) >= longCookie && c.Value == value[c.Name+" "+c.Domain] {
			l.Cookies = append(l.Cookies, c.Name)
		}
	}
	values, err := w.me.s.Stores(ctx)
	if err != nil {
		return // a page without an origin holds nothing
	}
	for _, v := range values {
		if !w.stored[v.Where+" "+v.Key] && len(l.Stores) < maxReported {
			l.Stores = append(l.Stores, Store{v.Where, v.Key, holds(v.Value, w.allOwned())})
		}
	}
}

// idle looks whether the session that nobody touched is over.
func (w *walk) idle(ctx context.Context) {
	if w.still == nil {
		return
	}
	announced := w.Journeys.Idle
	owned := own(w.still.pages, w.stranger)
	i := &Idle{Announced: announced.Seconds()}
	for n, p := range w.still.pages {
		i.Before.Tried = true
		i.Before.add(owned[n], p.lines)
	}
	margin := max(announced/10, 300*time.Millisecond)
	if !rest(ctx, announced+margin-w.Now().Sub(w.left)) {
		return
	}
	i.Waited = w.Now().Sub(w.left).Seconds()
	i.After = look(ctx, w.still.s, w.still.pages, owned)
	w.out.Idle = i
}
