package lab

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/net/html"

	"github.com/etalon-sante/etalon/sandbox/record"
	"github.com/etalon-sante/etalon/suites/candidate"
)

const (
	maxRedirects = 12
	maxPage      = 2 << 20 // bytes read of one page
)

// Browser is the patient's browser, without script: a cookie jar and redirects.
// It goes only to the sandbox and to hosts that the manifest names.
type Browser struct {
	stage   *Stage
	patient *Patient
	client  *http.Client
	hosts   map[string]bool
	sandbox string
	begun   bool            // the candidate's link was opened in it
	kept    map[string]bool // names of the cookies of the candidate that no script may read
}

// Browser opens a browser that was never used before.
func (s *Stage) Browser(p *Patient) *Browser {
	jar, _ := cookiejar.New(nil) // only fails on options, and there are none
	b := &Browser{stage: s, patient: p, hosts: map[string]bool{}, kept: map[string]bool{}}
	b.client = &http.Client{
		Jar:           jar,
		Timeout:       s.Candidate().Timing.Action,
		Transport:     s.bench.web,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	for _, a := range s.named() {
		if u, err := url.Parse(a); err == nil && u.Host != "" {
			b.hosts[u.Host] = true
		}
	}
	if u, err := url.Parse(s.Space().Endpoints.Authorization); err == nil {
		b.sandbox = u.Host
	}
	return b
}

// View is a page that the browser shows, or the redirect at which it stopped.
type View struct {
	URL    *url.URL
	Status int
	Body   []byte
	Next   *url.URL // where it would go next, when it was told to stop there
}

// Visit opens an address and follows redirects; it stops before an address for
// which until answers true (until may be nil).
func (b *Browser) Visit(ctx context.Context, address string, until func(*url.URL) bool) (View, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return View{}, b.stage.failed(candidate.Pair, fmt.Sprintf("le lien « %s » n'est pas une adresse : %v", address, err), fmt.Sprintf("the link %q is not an address: %v", address, err))
	}
	return b.follow(ctx, req, nil, until)
}

// Submit sends a form and follows redirects.
func (b *Browser) Submit(ctx context.Context, action *url.URL, fields url.Values, until func(*url.URL) bool) (View, error) {
	body := fields.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, action.String(), strings.NewReader(body))
	if err != nil {
		return View{}, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return b.follow(ctx, req, []byte(body), until)
}

func (b *Browser) follow(ctx context.Context, req *http.Request, sent []byte, until func(*url.URL) bool) (View, error) {
	for range maxRedirects {
		if until != nil && until(req.URL) {
			return View{Next: req.URL}, nil
		}
		if private(req.URL) {
			return b.deliver(ctx, req.URL)
		}
		if !b.hosts[req.URL.Host] && req.URL.Host != b.sandbox {
			return View{}, b.stage.failed(candidate.Pair,
				fmt.Sprintf("le navigateur du patient est envoyé vers %s, une adresse que le manifeste ne nomme pas", req.URL.Host),
				fmt.Sprintf("the patient's browser was sent to %s, an address that the manifest does not name", req.URL.Host))
		}
		b.begun = true
		view, next, err := b.fetch(req, sent)
		if err != nil {
			return View{}, err
		}
		if next == nil {
			return view, nil
		}
		if req, err = http.NewRequestWithContext(ctx, http.MethodGet, next.String(), nil); err != nil {
			return View{}, err
		}
		sent = nil
	}
	return View{}, b.stage.failed(candidate.Pair,
		fmt.Sprintf("le navigateur du patient est redirigé plus de %d fois", maxRedirects),
		fmt.Sprintf("the patient's browser was redirected more than %d times", maxRedirects))
}

// fetch does one exchange; it notes those with the candidate (the sandbox notes
// its own).
func (b *Browser) fetch(req *http.Request, sent []byte) (View, *url.URL, error) {
	start := b.stage.Now()
	ours := req.URL.Host == b.sandbox
	if !ours {
		defer b.stage.bench.busy.begin(b.stage.slug, b.stage.Now)()
	}
	resp, err := b.client.Do(req)
	x := record.Exchange{From: record.Visitor, To: record.Candidate, Request: record.Request{
		Method: req.Method, URL: req.URL.String(), Proto: req.Proto, Headers: headers(req.Header), Body: body(req.Header, sent),
	}}
	if err != nil {
		x.Error = err.Error()
		if !ours {
			b.stage.note(start, x, b.patient)
		}
		if req.Context().Err() != nil {
			return View{}, nil, req.Context().Err()
		}
		if ours {
			return View{}, nil, fmt.Errorf("the sandbox's page: %w", err)
		}
		return View{}, nil, b.stage.failed(candidate.Pair, fmt.Sprintf("la page du service n'a pas pu être ouverte : %v", err), fmt.Sprintf("the candidate's page could not be opened: %v", err))
	}
	defer resp.Body.Close()
	page, err := io.ReadAll(io.LimitReader(resp.Body, maxPage))
	if err != nil {
		x.Error = err.Error()
	}
	for _, c := range resp.Cookies() {
		// Shorter values are preferences ("accepted", "french"); taken for
		// secrets they would be replaced wherever the word occurs.
		if len(c.Value) >= 16 {
			b.stage.Secret("candidate-cookie", c.Value)
			b.kept[c.Name] = b.kept[c.Name] || c.HttpOnly && !ours
		}
	}
	x.Response = record.Response{Status: resp.StatusCode, Headers: headers(resp.Header), Body: body(resp.Header, page)}
	x.Millis = float64(b.stage.Now().Sub(start)) / float64(time.Millisecond)
	if !ours {
		b.secretsOf(req.URL)
		b.stage.note(start, x, b.patient)
	}
	view := View{URL: req.URL, Status: resp.StatusCode, Body: page}
	if resp.StatusCode >= 300 && resp.StatusCode < 400 && resp.Header.Get("Location") != "" {
		next, err := req.URL.Parse(resp.Header.Get("Location"))
		if err != nil {
			return view, nil, b.stage.failed(candidate.Pair, fmt.Sprintf("redirection vers ce qui n'est pas une adresse : %v", err), fmt.Sprintf("redirect to something that is not an address: %v", err))
		}
		b.secretsOf(next)
		return view, next, nil
	}
	return view, nil, nil
}

// secretsOf remembers what an OAuth2 address carries.
func (b *Browser) secretsOf(u *url.URL) {
	for _, k := range []string{"code", "state", "nonce", "code_challenge"} {
		b.stage.Secret(strings.ReplaceAll(k, "_", "-"), u.Query().Get(k))
	}
	// The sandbox names it too, when the browser arrives; a run that is stopped on
	// the way has already noted where it was going.
	if k := b.stage.Space().Endpoints.AccountParameter; k != "" {
		b.stage.Secret("partner-account", u.Query().Get(k))
	}
}

// Walk opens a pairing link, signs in, answers the consent page and returns to
// the service.
func (b *Browser) Walk(ctx context.Context, link string, choice Choice) error {
	_, err := b.WalkUntil(ctx, link, choice, nil)
	return err
}

// WalkUntil is Walk that stops before the first address of the way back for
// which until answers true.
func (b *Browser) WalkUntil(ctx context.Context, link string, choice Choice, until func(*url.URL) bool) (View, error) {
	view, err := b.Visit(ctx, link, nil)
	if err != nil {
		return view, err
	}
	form, ok := b.sandboxForm(view)
	if !ok {
		return view, b.stage.failed(candidate.Pair,
			fmt.Sprintf("le lien ne mène pas à la page de connexion de Mon espace santé : le navigateur s'arrête à %s avec le statut %d", view.URL.Redacted(), view.Status),
			fmt.Sprintf("the link did not lead to the sign-in page of Mon espace santé: the browser ended at %s with status %d", view.URL.Redacted(), view.Status))
	}
	form.fields.Set("login", b.patient.Login)
	form.fields.Set("password", b.patient.Password)
	if view, err = b.Submit(ctx, form.action, form.fields, nil); err != nil {
		return view, err
	}
	if form, ok = b.sandboxForm(view); !ok {
		return view, b.stage.failed(candidate.Pair,
			fmt.Sprintf("Mon espace santé refuse la demande d'autorisation après la connexion : le navigateur s'arrête à %s avec le statut %d", view.URL.Redacted(), view.Status),
			fmt.Sprintf("Mon espace santé refused the authorization request after the sign-in: the browser ended at %s with status %d", view.URL.Redacted(), view.Status))
	}
	form.fields.Del("finalite")
	if form.profiles {
		form.fields.Set("profile", b.patient.Handle)
	}
	decision := "accept"
	if choice.Refuse {
		decision = "refuse"
	} else {
		for _, f := range b.stage.Space().Finalites {
			if !contains(choice.Except, f.Code) {
				form.fields.Add("finalite", f.Code)
			}
		}
	}
	form.fields.Set("decision", decision)
	return b.Submit(ctx, form.action, form.fields, until)
}

type form struct {
	action   *url.URL
	fields   url.Values // of hidden inputs
	profiles bool       // it asks whose record is meant
}

// sandboxForm finds the first posted form of a page of the sandbox.
func (b *Browser) sandboxForm(v View) (form, bool) {
	if v.URL == nil || v.URL.Host != b.sandbox {
		return form{}, false
	}
	root, err := html.Parse(bytes.NewReader(v.Body))
	if err != nil {
		return form{}, false
	}
	var found *html.Node
	walk(root, func(n *html.Node) {
		if found == nil && n.Data == "form" && strings.EqualFold(attr(n, "method"), "post") {
			found = n
		}
	})
	if found == nil {
		return form{}, false
	}
	action, err := v.URL.Parse(attr(found, "action"))
	if err != nil {
		return form{}, false
	}
	f := form{action: action, fields: url.Values{}}
	walk(found, func(n *html.Node) {
		if n.Data == "input" && attr(n, "type") == "hidden" {
			f.fields.Add(attr(n, "name"), attr(n, "value"))
		}
		f.profiles = f.profiles || n.Data == "input" && attr(n, "name") == "profile"
	})
	return f, true
}

func walk(n *html.Node, visit func(*html.Node)) {
	if n.Type == html.ElementNode {
		visit(n)
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		walk(c, visit)
	}
}

func attr(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

func (s *Stage) note(at time.Time, x record.Exchange, p *Patient) {
	x.ID = s.bench.id("v")
	r := record.Record{At: at, Kind: record.KindExchange, Exchange: &x}
	if p != nil {
		r.Patient = p.Handle
	}
	s.add(r)
}

// secretPath remembers the long parts of a one-time link.
func (s *Stage) secretPath(link string) {
	u, err := url.Parse(link)
	if err != nil {
		return
	}
	for _, part := range strings.Split(u.Path, "/") {
		if len(part) >= 16 {
			s.Secret("one-time-link", part)
		}
	}
	for _, vs := range u.Query() {
		for _, v := range vs {
			if len(v) >= 16 {
				s.Secret("one-time-link", v)
			}
		}
	}
}

func headers(h http.Header) []record.Header {
	out := []record.Header{}
	for name, values := range h {
		for _, v := range values {
			out = append(out, record.Header{Name: name, Value: v})
		}
	}
	sortHeaders(out)
	return out
}

func body(h http.Header, b []byte) *record.Body {
	if len(b) == 0 {
		return nil
	}
	out := &record.Body{MIME: h.Get("Content-Type"), Size: len(b)}
	const most = 64 << 10
	if utf8.Valid(b) {
		out.Text = string(b[:min(len(b), most)])
		if len(b) > most {
			out.Text = strings.ToValidUTF8(out.Text, "")
		}
	}
	return out
}

// IsAuthorization says whether an address is the sandbox's authorization
// endpoint.
func (s *Stage) IsAuthorization(u *url.URL) bool {
	at, err := url.Parse(s.Space().Endpoints.Authorization)
	return err == nil && u.Host == at.Host && u.Path == at.Path
}

// IsCandidate says whether an address is not the sandbox's.
func (s *Stage) IsCandidate(u *url.URL) bool {
	at, err := url.Parse(s.Space().Endpoints.Authorization)
	return err == nil && u.Host != at.Host
}

// Callback is the address to which the service asked to be brought back, read
// from the authorization request at which the browser stopped.
func (s *Stage) Callback(v View) (*url.URL, error) {
	if v.Next == nil {
		return nil, s.failed(candidate.Pair,
			fmt.Sprintf("le lien ne mène pas à la demande d'autorisation : le navigateur s'arrête à %s avec le statut %d", v.URL.Redacted(), v.Status),
			fmt.Sprintf("the link did not lead to the authorization endpoint: the browser ended at %s with status %d", v.URL.Redacted(), v.Status))
	}
	for _, k := range []string{"state", "nonce", "code_challenge"} {
		s.Secret(strings.ReplaceAll(k, "_", "-"), v.Next.Query().Get(k))
	}
	back, err := url.Parse(v.Next.Query().Get("redirect_uri"))
	if err != nil || back.Host == "" && !private(back) {
		return nil, s.failed(candidate.Pair, "la demande d'autorisation ne porte pas de redirect_uri", "the authorization request names no redirect_uri")
	}
	return back, nil
}
