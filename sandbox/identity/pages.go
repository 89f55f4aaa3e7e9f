package identity

import (
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
	"embed"
	"encoding/base64"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/etalon-sante/etalon/sandbox/control"
	"github.com/etalon-sante/etalon/sandbox/exchange"
	"github.com/etalon-sante/etalon/sandbox/record"
)

// sessionCookie binds an interaction to one browser.
const sessionCookie = "etalon-session"

//go:embed pages
var pageFiles embed.FS

// page is what the one template of the pages is filled with.
type page struct {
	Lang, Other, OtherURL string
	Title                 string
	T                     texts
	Style                 template.CSS
	Step                  string // sign-in, consent, barred, refusal, catalogue
	Action                string
	Interaction           string
	Service               string
	Alert                 string
	Finalites             []pageFinalite
	Email, Phone          string // of who has signed in
	Partner               *Partner
	Profiles              []pageProfile
	Terms                 string
	Status, Link, Back    string // of the catalogue
}

type pageFinalite struct {
	Code, Label string
	Write       bool
}

// SignInPage shows the sign-in form.
func (a *Authority) SignInPage(x *exchange.Exchange) exchange.Answer {
	in, ok := a.find(x, x.Query.Get("interaction"))
	if !ok {
		return a.refusal(language("", x.Query.Get("lang")), textGone)
	}
	return a.signInForm(in, a.speak(x, in), http.StatusOK, "")
}

func (a *Authority) signInForm(in *interaction, lang string, status int, alert string) exchange.Answer {
	t := textsIn(lang)
	return a.render(status, in.redirect, page{
		Lang: lang, Title: t.SignInTitle, T: t, Step: "sign-in", Action: a.cfg.SignIn,
		Interaction: in.id, Service: a.name(), Alert: alert,
		OtherURL: a.cfg.SignIn + "?" + url.Values{"interaction": {in.id}, "lang": {other(lang)}}.Encode(),
	})
}

// SignIn takes the sign-in form. From here on the patient is known: what was
// wrong in the authorization request is judged, and the faults planned for it
// are applied.
func (a *Authority) SignIn(x *exchange.Exchange) exchange.Answer {
	form, ok := formOf(x)
	if !ok {
		return a.refusal("fr", textBadForm)
	}
	in, ok := a.find(x, form.Get("interaction"))
	if !ok {
		return a.refusal(language("", form.Get("lang")), textGone)
	}
	lang := a.speak(x, in)
	login, password := form.Get("login"), form.Get("password")
	x.Name("login", login)
	x.Name("password", password)
	a.mu.Lock()
	acc := a.logins[login]
	good := acc != nil && subtle.ConstantTimeCompare([]byte(acc.Password), []byte(password)) == 1
	if good {
		in.account = acc
		x.Patient = acc.Handle
	}
	a.mu.Unlock()
	if !good {
		return a.signInForm(in, lang, http.StatusForbidden, textsIn(lang).WrongPassword)
	}
	if !x.DrawFor(a.cfg.Faults, record.RouteAuthorize) {
		if x.Planned.Kind != control.FaultStatus {
			return exchange.Answer{}
		}
		// An authorization server that fails says so by the redirect
		// (RFC 6749 §4.1.2.1); the fault is then applied already.
		a.end(in)
		return exchange.Redirect(a.back(in, url.Values{"error": {redirectError(x.Planned.Status)}}))
	}
	if !x.Draw(a.cfg.Faults) {
		return exchange.Answer{}
	}
	if code := in.verdict(acc); code != "" {
		a.end(in)
		return exchange.Redirect(a.back(in, url.Values{"error": {code}}))
	}
	if bar, ok := a.cfg.Pairings.Barred(acc.Handle); ok {
		return a.barred(x, in, lang, bar)
	}
	return a.plant(*acc, exchange.Redirect(a.cfg.Consent+"?"+url.Values{"interaction": {in.id}}.Encode()))
}

// redirectError is the error code of an authorization response for a status.
func redirectError(status int) string {
	if status == http.StatusServiceUnavailable || status == http.StatusTooManyRequests {
		return "temporarily_unavailable"
	}
	return "server_error"
}

// ConsentPage shows the purposes, none of them ticked beforehand.
func (a *Authority) ConsentPage(x *exchange.Exchange) exchange.Answer {
	in, ok := a.find(x, x.Query.Get("interaction"))
	if !ok || x.Patient == "" {
		return a.refusal(language("", x.Query.Get("lang")), textGone)
	}
	return a.consentForm(in, a.speak(x, in), http.StatusOK, "")
}

func (a *Authority) consentForm(in *interaction, lang string, status int, alert string) exchange.Answer {
	t := textsIn(lang)
	return a.render(status, in.redirect, page{
		Lang: lang, Title: t.ConsentTitle, T: t, Step: "consent", Action: a.cfg.Consent,
		Interaction: in.id, Service: a.name(), Alert: alert,
		Email: in.account.Email, Phone: inPairs(in.account.Phone),
		Partner: in.partner, Profiles: a.profilesOf(in.account, t), Terms: a.Card().Terms, Finalites: a.pageFinalites(lang),
		OtherURL: a.cfg.Consent + "?" + url.Values{"interaction": {in.id}, "lang": {other(lang)}}.Encode(),
	})
}

// Decide takes the consent form and leads back to the service.
func (a *Authority) Decide(x *exchange.Exchange) exchange.Answer {
	form, ok := formOf(x)
	if !ok {
		return a.refusal("fr", textBadForm)
	}
	in, ok := a.find(x, form.Get("interaction"))
	if !ok || x.Patient == "" {
		return a.refusal(language("", form.Get("lang")), textGone)
	}
	lang := a.speak(x, in)
	agreed, refused := []string{}, []string{}
	for _, f := range a.finalites {
		if slices.Contains(form["finalite"], f.Code) {
			agreed = append(agreed, f.Code)
		} else {
			refused = append(refused, f.Code)
		}
	}
	// Whoever signed in had one patient in mind: the profile says which.
	profile, known := a.chosen(in, form)
	if known {
		x.Patient = profile
	}
	if bar, ok := a.cfg.Pairings.Barred(x.Patient); ok {
		return a.leave(x, in, bar)
	}
	decision := form.Get("decision")
	switch {
	case decision != "accept" && decision != "refuse":
		return a.consentForm(in, lang, http.StatusBadRequest, textsIn(lang).NoDecision)
	case decision == "accept" && !known:
		return a.consentForm(in, lang, http.StatusBadRequest, textsIn(lang).NoProfile)
	case decision == "accept" && len(agreed) == 0:
		return a.consentForm(in, lang, http.StatusBadRequest, textsIn(lang).NoFinalite)
	}
	if !x.Draw(a.cfg.Faults) {
		return exchange.Answer{}
	}
	if !a.end(in) {
		return a.refusal(lang, textGone)
	}
	if decision == "refuse" {
		x.Facts.Consent = &record.ConsentFacts{Finalites: []string{}, Refused: a.Codes()}
		return exchange.Redirect(a.back(in, url.Values{"error": {"access_denied"}}))
	}
	x.Facts.Consent = &record.ConsentFacts{Accepted: true, Finalites: agreed, Refused: refused}
	value := a.issueCode(x.Patient, in, agreed)
	return exchange.Redirect(a.back(in, url.Values{"code": {value}}))
}

// speak is the language of the pages of an interaction: the one asked for by
// the switch, from then on.
func (a *Authority) speak(x *exchange.Exchange, in *interaction) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	in.lang = language("", x.Query.Get("lang"), in.lang)
	return in.lang
}

// refusal is a page that leads nowhere: what is wrong cannot be told to the
// service, since it is not known that the request is its own.
func (a *Authority) refusal(lang string, sentence func(texts) string) exchange.Answer {
	t := textsIn(lang)
	return a.render(http.StatusBadRequest, "", page{Lang: lang, Title: t.RefusalTitle, T: t, Step: "refusal", Alert: sentence(t), Service: a.cfg.Client.ID})
}

func (a *Authority) render(status int, redirect string, p page) exchange.Answer {
	p.Other = other(p.Lang)
	p.Style = a.style
	var b bytes.Buffer
	if err := a.pages.ExecuteTemplate(&b, "page.html", p); err != nil {
		return exchange.Empty(http.StatusInternalServerError)
	}
	out := exchange.New(status, "text/html; charset=utf-8", b.Bytes())
	sum := sha256.Sum256([]byte(a.style))
	h := out.Header
	// Browsers apply form-action to the redirect that answers a form too, so
	// the service's own origin is named.
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+
		"'; base-uri 'none'; frame-ancestors 'none'; form-action 'self' "+origin(redirect))
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Content-Language", p.Lang)
	return out
}

// origin is the source expression of a redirect URI.
func origin(redirect string) string {
	u, err := url.Parse(redirect)
	if err != nil || u.Scheme == "" {
		return ""
	}
	if u.Scheme == "http" || u.Scheme == "https" {
		return u.Scheme + "://" + u.Host
	}
	return u.Scheme + ":"
}

// session is the session of a browser, "" when it has none that we could have
// given.
func session(r *http.Request) string {
	c, err := r.Cookie(sessionCookie)
	if err != nil || len(c.Value) != 32 {
		return ""
	}
	return c.Value
}

// formOf reads a form strictly.
func formOf(x *exchange.Exchange) (url.Values, bool) {
	media, _, _ := strings.Cut(x.HTTP.Header.Get("Content-Type"), ";")
	if !strings.EqualFold(strings.TrimSpace(media), "application/x-www-form-urlencoded") {
		return nil, false
	}
	form, err := url.ParseQuery(string(x.Body))
	return form, err == nil
}

// language is the first of the wishes that is a language of the pages; French
// otherwise.
func language(locales string, wishes ...string) string {
	for _, w := range append(wishes, strings.Fields(locales)...) {
		if w == "fr" || w == "en" {
			return w
		}
	}
	return "fr"
}

func other(lang string) string {
	if lang == "fr" {
		return "en"
	}
	return "fr"
}
