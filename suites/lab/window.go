package lab

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/etalon-sante/etalon/sandbox/record"
	"github.com/etalon-sante/etalon/suites/candidate"
	"github.com/etalon-sante/etalon/suites/probe/browser"
)

// Walked is what a window with scripts held when a patient had paired in it. Only
// the kinds of what was found are kept, never a value.
type Walked struct {
	Ended   string `json:"ended"`   // address of the page at the end, without its query
	Browser string `json:"browser"` // "Chrome/156.0.8078.79"
	Stored  int    `json:"stored"`  // entries of stores, and cookies that scripts may read, that were read
	Read    int    `json:"read"`    // answers of the service that were read, the page at the end among them
	Asked   int    `json:"asked"`   // requests of the window, those to the sandbox left out
	Stores  []Held `json:"stores"`
	Answers []Held `json:"answers"`
	Asks    []Held `json:"asks"`
}

// Held is a place where something was found that does not belong there.
type Held struct {
	Where string `json:"where"` // "local jeton", "GET https://service.example/retour", "Referer to tiers.example"
	What  string `json:"what"`  // access-token, refresh-token, id-token, code, client-secret
}

const (
	maxAnswers = 60 // of the service, whose text is read
	maxHeld    = 30 // places kept of each sort
	walkPages  = 6  // pages of the sandbox on the way
)

// PairInWindow has a patient pair in the run's browser, in a profile that was never
// used, scripts and all. The error is an
// *Ending when the service did not play its part, another one when the browser
// could not show what it was led to.
func (s *Stage) PairInWindow(ctx context.Context, p *Patient) (Walked, error) {
	_, link, err := s.Link(ctx, p)
	if err != nil {
		return Walked{}, err
	}
	first, err := url.Parse(link)
	if err != nil || first.Host == "" {
		return Walked{}, s.failed(candidate.Pair, fmt.Sprintf("le lien « %s » n'est pas une adresse", link), fmt.Sprintf("the link %q is not an address", link))
	}
	defer s.bench.busy.begin(s.slug, s.Now)()
	w, err := s.Chromium().Session(ctx, browser.Visit{Site: first.Scheme + "://" + first.Host + "/", Named: append(s.named(), s.Space().Endpoints.Authorization), Now: s.Now})
	if err != nil {
		return Walked{}, err
	}
	defer w.Close()
	shown, err := s.consentIn(ctx, w, p, link)
	if err != nil {
		return Walked{}, err
	}
	if s.ofSandbox(shown.URL) {
		return Walked{}, s.failed(candidate.Pair, "le patient, dans un navigateur, reste sur une page de Mon espace santé", "the patient, in a browser, is left on a page of Mon espace santé")
	}
	if err := s.paired(ctx, p); err != nil {
		return Walked{}, err
	}
	if shown, err = w.Shown(ctx); err != nil { // a script may have gone on
		return Walked{}, err
	}
	return s.heldBy(ctx, w, shown)
}

// consentIn follows a link, signs in and agrees to everything, as a person would.
func (s *Stage) consentIn(ctx context.Context, w *browser.Session, p *Patient, link string) (browser.Shown, error) {
	shown, err := w.Visit(ctx, link)
	agreed := []string{}
	for _, f := range s.Space().Finalites {
		agreed = append(agreed, f.Code)
	}
	for range walkPages {
		if err != nil || !s.ofSandbox(shown.URL) {
			return shown, err
		}
		next, bad := w.Submit(ctx, browser.Form{Fields: map[string]string{"login": p.Login, "password": p.Password}})
		if errors.Is(bad, browser.ErrNoForm) {
			next, bad = w.Submit(ctx, browser.Form{Tick: map[string][]string{"finalite": agreed, "profile": {p.Handle}}, Press: [2]string{"decision", "accept"}})
		}
		if errors.Is(bad, browser.ErrNoForm) {
			return shown, nil // a page that refuses
		}
		shown, err = next, bad
	}
	return shown, err
}

// heldBy looks for tokens in all that scripts of the page can read, and in what the
// window asked for.
func (s *Stage) heldBy(ctx context.Context, w *browser.Session, shown browser.Shown) (Walked, error) {
	out := Walked{Ended: bare(shown.URL), Stores: []Held{}, Answers: []Held{}, Asks: []Held{}}
	secrets, err := s.bench.env.Sandbox.Secrets(ctx, s.Space().ID, 0)
	if err != nil {
		return out, err
	}
	find := finder(secrets)
	if out.Browser, err = w.Version(ctx); err != nil {
		return out, err
	}
	values, err := w.Stores(ctx)
	if err != nil {
		return out, fmt.Errorf("read the stores of the page: %w", err)
	}
	for _, v := range values {
		out.Stored++
		out.Stores = held(out.Stores, v.Where+" "+v.Key, find(v.Key+" "+v.Value, false))
	}
	cookies, err := w.Cookies(ctx)
	if err != nil {
		return out, err
	}
	for _, c := range cookies {
		if len(c.Value) >= 16 {
			s.Secret("candidate-cookie", c.Value)
		}
		if !c.HTTPOnly && !s.ofSandbox("https://"+c.Domain) {
			out.Stored++
			out.Stores = held(out.Stores, "cookie "+c.Name, find(c.Value, false))
		}
	}
	for _, h := range w.Hits() {
		if s.ofSandbox(h.URL) {
			continue
		}
		out.Asked++
		// The code comes back to the service in an address: to it alone.
		out.Asks = held(out.Asks, h.Type+" "+bare(h.URL), find(h.URL, !h.Own))
		if !h.Own {
			out.Asks = held(out.Asks, "Referer "+bare(h.URL), find(h.Referer, true))
		}
		if h.Own && h.Status > 0 && out.Read < maxAnswers {
			if body := w.Body(ctx, h); body != "" {
				out.Read++
				out.Answers = held(out.Answers, bare(h.URL), find(body, false))
			}
		}
	}
	source, err := w.Source(ctx)
	if err != nil {
		return out, fmt.Errorf("read the page: %w", err)
	}
	out.Read++
	out.Answers = held(out.Answers, "page "+out.Ended, find(source, false))
	return out, nil
}

func held(list []Held, where string, kinds []string) []Held {
	for _, k := range kinds {
		if h := (Held{Where: where, What: k}); len(list) < maxHeld && !slices.Contains(list, h) {
			list = append(list, h)
		}
	}
	return list
}

// finder gives a function that says which kinds of a sandbox's secrets occur in a
// text, encoded or not; of codes it is told only when it is asked.
func finder(secrets []record.Secret) func(text string, codes bool) []string {
	name := regexp.MustCompile(`«(access-token|refresh-token|id-token|client-secret|code)-\d+»`)
	all := record.NewRedactor()
	all.Adopt(secrets)
	return func(text string, codes bool) []string {
		var out []string
		for _, m := range name.FindAllStringSubmatch(all.Redact(text), -1) {
			if (codes || m[1] != "code") && !slices.Contains(out, m[1]) {
				out = append(out, m[1])
			}
		}
		return out
	}
}

// named are the addresses to which the manifest lets a patient's browser go.
func (s *Stage) named() []string {
	c := s.Candidate()
	return append([]string{c.Pilot.URL, c.Web.Production, c.Web.Site, c.Web.Plain}, c.Sandbox.RedirectURIs...)
}

// ofSandbox says whether an address is of the sandbox. Cookies bear no port: those
// of a service on the same host are taken for the service's.
func (s *Stage) ofSandbox(address string) bool {
	a, err := url.Parse(address)
	b, bad := url.Parse(s.Space().Endpoints.Authorization)
	return err == nil && bad == nil && a.Host == b.Host
}

// bare is an address without user, query and fragment.
func bare(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	u.User, u.RawQuery, u.Fragment = nil, "", ""
	return strings.ToValidUTF8(u.String(), "")
}
