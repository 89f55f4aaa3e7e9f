package identity

import (
	"math"
	"net/http"
	"net/url"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/etalon-sante/etalon/sandbox/exchange"
	"github.com/etalon-sante/etalon/sandbox/record"
)

// challengeLen is the length of a SHA-256 in base64url without padding
// (RFC 7636 §4.2).
const challengeLen = 43

// interaction is one authorization request on its way through sign-in and
// consent. It is bound to the browser by a session cookie, so that a form of
// one browser cannot be sent by another.
type interaction struct {
	id       string
	session  string
	redirect string
	scope    []string
	state    string
	nonce    string
	pkce     pkce
	doubts   []doubt // judged once the patient is known
	lang     string
	expires  time.Time
	account  *Account // once signed in
	partner  *Partner // account of the service that is to be paired, when it says
}

type pkce struct {
	challenge string
	method    string
}

// doubt is one thing wrong in an authorization request, and the error that a
// strict record answers to it.
type doubt struct {
	issue record.Issue
	code  string // of the error response (RFC 6749 §4.1.2.1)
	fatal bool   // a tolerant record cannot go on either
}

// Authorize takes an authorization request. An unknown client or a redirect URI
// that is not registered is answered by a page (RFC 6749 §4.1.2.1); anything
// else wrong is judged after sign-in, since it depends on the patient whether
// the sandbox refuses it or notes it and goes on.
func (a *Authority) Authorize(x *exchange.Exchange) exchange.Answer {
	q := x.Query
	lang := language(q.Get("ui_locales"), "")
	if x.QueryError != nil {
		return a.refusal(lang, textBadQuery)
	}
	f := &record.AuthorizeFacts{
		ResponseType:    q.Get("response_type"),
		ClientKnown:     q.Get("client_id") == a.cfg.Client.ID,
		RedirectURI:     q.Get("redirect_uri"),
		Scope:           strings.Fields(q.Get("scope")),
		StateBits:       bits(q.Get("state")),
		NonceBits:       bits(q.Get("nonce")),
		ChallengeMethod: q.Get("code_challenge_method"),
		Repeated:        repeated(q),
	}
	if f.Scope == nil {
		f.Scope = []string{}
	}
	x.Facts.Authorize = f
	f.RedirectRegistered = registered(a.Redirects(), f.RedirectURI)
	challenge := q.Get("code_challenge")
	f.ChallengeWellFormed = wellFormed(challenge)
	// Every occurrence is named, not the first alone: what is sent twice must
	// not reach the journal either.
	for _, p := range []struct {
		param, kind string
		name        *string
	}{{"state", "state", &f.State}, {"nonce", "nonce", &f.Nonce}, {"code_challenge", "code-challenge", &f.Challenge}} {
		for i, v := range q[p.param] {
			if n := x.Name(p.kind, v); i == 0 {
				*p.name = n
			}
		}
	}
	switch {
	case !f.ClientKnown:
		x.Issue(record.Issue{Rule: "authorize.client", Severity: "error", Code: "invalid", HTTP: 400, Pointer: "?client_id", Expected: a.cfg.Client.ID, Actual: q.Get("client_id")})
		return a.refusal(lang, textUnknownClient)
	case !f.RedirectRegistered:
		x.Issue(record.Issue{Rule: "authorize.redirect-uri", Severity: "error", Code: "invalid", HTTP: 400, Pointer: "?redirect_uri", Expected: strings.Join(a.Redirects(), " "), Actual: f.RedirectURI})
		return a.refusal(lang, textUnknownRedirect)
	}
	in := &interaction{
		id: newSecret(24), redirect: f.RedirectURI, scope: slices.Clone(f.Scope),
		state: q.Get("state"), nonce: q.Get("nonce"),
		pkce: pkce{challenge: challenge, method: f.ChallengeMethod},
		lang: lang, expires: a.cfg.Clock().Add(InteractionLife),
	}
	in.partner = a.partner(x)
	in.doubts = a.doubts(q, f)
	for _, d := range in.doubts {
		x.Issue(d.issue)
	}
	in.session = session(x.HTTP)
	fresh := in.session == ""
	if fresh {
		in.session = newSecret(24)
	}
	x.Name("interaction", in.id)
	x.Name("session", in.session)
	x.Interaction = in.id
	a.mu.Lock()
	a.sweep()
	a.interactions[in.id] = in
	a.mu.Unlock()
	out := exchange.Redirect(a.cfg.SignIn + "?" + url.Values{"interaction": {in.id}}.Encode())
	if fresh {
		out.Header.Add("Set-Cookie", (&http.Cookie{
			Name: sessionCookie, Value: in.session, Path: a.cfg.Cookie,
			Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode,
		}).String())
	}
	return out
}

// doubts lists what is wrong in a request whose client and redirect URI are
// right. A missing state or nonce is noted only: the standards do not oblige a
// server to refuse it (RFC 6749 §4.1.1, OpenID Connect Core §3.1.2.1).
func (a *Authority) doubts(q url.Values, f *record.AuthorizeFacts) []doubt {
	var out []doubt
	add := func(code string, fatal bool, i record.Issue) {
		if i.Severity == "" {
			i.Severity = "error"
		}
		if i.Code == "" {
			i.Code = "invalid"
		}
		if i.Severity == "error" {
			i.HTTP = http.StatusSeeOther
		}
		out = append(out, doubt{issue: i, code: code, fatal: fatal})
	}
	for _, name := range f.Repeated {
		add("invalid_request", false, record.Issue{Rule: "authorize.repeated", Pointer: "?" + name, Expected: "once", Actual: "more than once"})
	}
	switch f.ResponseType {
	case "code":
	case "":
		add("invalid_request", true, record.Issue{Rule: "authorize.response-type", Pointer: "?response_type", Expected: "code"})
	default:
		add("unsupported_response_type", true, record.Issue{Rule: "authorize.response-type", Pointer: "?response_type", Expected: "code", Actual: f.ResponseType})
	}
	if m := q.Get("response_mode"); m != "" && m != "query" {
		add("invalid_request", true, record.Issue{Rule: "authorize.response-mode", Pointer: "?response_mode", Expected: "query", Actual: m})
	}
	for param, code := range map[string]string{"request": "request_not_supported", "request_uri": "request_uri_not_supported"} {
		if q.Has(param) {
			add(code, true, record.Issue{Rule: "authorize." + param, Code: "not-supported", Pointer: "?" + param, Expected: "plain parameters"})
		}
	}
	if q.Get("prompt") == "none" {
		add("login_required", true, record.Issue{Rule: "authorize.prompt", Code: "not-supported", Pointer: "?prompt", Expected: "a prompt that shows the sign-in page", Actual: "none"})
	}
	for _, want := range a.cfg.Settings.List("scope.required") {
		if !slices.Contains(f.Scope, want) {
			add("invalid_scope", false, record.Issue{Rule: "authorize.scope", Pointer: "?scope", Expected: want, Actual: strings.Join(f.Scope, " "), Setting: a.cfg.Settings.Assumed("scope.required")})
		}
	}
	assumed := a.cfg.Settings.Assumed("pkce.required")
	switch {
	case !q.Has("code_challenge") && a.cfg.Settings.Bool("pkce.required"):
		add("invalid_request", false, record.Issue{Rule: "authorize.pkce", Pointer: "?code_challenge", Expected: "a code challenge (S256)", Setting: assumed})
	case !q.Has("code_challenge"):
	case f.ChallengeMethod != "S256":
		add("invalid_request", false, record.Issue{Rule: "authorize.pkce-method", Pointer: "?code_challenge_method", Expected: "S256", Actual: f.ChallengeMethod, Setting: assumed})
	case !f.ChallengeWellFormed:
		add("invalid_request", false, record.Issue{Rule: "authorize.pkce", Pointer: "?code_challenge", Expected: "43 characters of base64url", Actual: f.Challenge})
	}
	for _, p := range []string{"state", "nonce"} {
		if q.Get(p) == "" {
			add("", false, record.Issue{Rule: "authorize." + p, Severity: "warning", Pointer: "?" + p, Expected: "a value that cannot be guessed"})
		}
	}
	return out
}

// verdict is the error response that a signed-in patient's record gives to the
// request, "" when it goes on.
func (in *interaction) verdict(acc *Account) string {
	for _, d := range in.doubts {
		if d.issue.Severity == "error" && (d.fatal || !acc.Tolerant) {
			return d.code
		}
	}
	return ""
}

// back is the address that leads back to the service, with iss (RFC 9207).
func (a *Authority) back(in *interaction, params url.Values) string {
	if in.state != "" {
		params.Set("state", in.state)
	}
	params.Set("iss", a.cfg.Issuer)
	sep := "?"
	if strings.Contains(in.redirect, "?") {
		sep = "&"
	}
	return in.redirect + sep + params.Encode()
}

// find returns the interaction of a form, if it belongs to this browser.
func (a *Authority) find(x *exchange.Exchange, id string) (*interaction, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	in, ok := a.interactions[id]
	if !ok || a.cfg.Clock().After(in.expires) || in.session != session(x.HTTP) {
		return nil, false
	}
	x.Interaction = id
	if in.account != nil {
		x.Patient = in.account.Handle
	}
	return in, true
}

// end takes an interaction away. It reports false when it was ended already, so
// that a consent form sent twice gives one code.
func (a *Authority) end(in *interaction) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	_, ok := a.interactions[in.id]
	delete(a.interactions, in.id)
	return ok
}

// sweep forgets interactions that were left; the caller holds the lock.
func (a *Authority) sweep() {
	now := a.cfg.Clock()
	for id, in := range a.interactions {
		if now.After(in.expires) {
			delete(a.interactions, id)
		}
	}
}

// repeated lists the parameters that were given more than once.
func repeated(q url.Values) []string {
	var out []string
	for name, values := range q {
		if len(values) > 1 {
			out = append(out, name)
		}
	}
	sort.Strings(out)
	return out
}

func wellFormed(challenge string) bool {
	if len(challenge) != challengeLen {
		return false
	}
	for _, c := range []byte(challenge) {
		if !alphanumeric(c) && c != '-' && c != '_' {
			return false
		}
	}
	return true
}

func alphanumeric(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

// bits bounds the entropy of a value from above: its length times the bits per
// character of the smallest usual alphabet that holds it.
func bits(value string) int {
	if value == "" {
		return 0
	}
	var digit, hex, lower, upper, other bool
	hex = true
	for _, c := range []byte(value) {
		switch {
		case '0' <= c && c <= '9':
			digit = true
		case 'a' <= c && c <= 'z':
			lower = true
			hex = hex && c <= 'f'
		case 'A' <= c && c <= 'Z':
			upper = true
			hex = hex && c <= 'F'
		default:
			other, hex = true, false
		}
	}
	size := 0.0
	switch {
	case other:
		size = 64
	case hex && (lower || upper):
		size = 16
	default:
		if digit {
			size += 10
		}
		if lower {
			size += 26
		}
		if upper {
			size += 26
		}
	}
	return int(float64(len(value)) * math.Log2(size))
}
