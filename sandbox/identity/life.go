package identity

import (
	"encoding/base64"
	"encoding/json"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/etalon-sante/etalon/sandbox/control"
	"github.com/etalon-sante/etalon/sandbox/exchange"
	"github.com/etalon-sante/etalon/sandbox/record"
)

// Bar is what stands in the way of a pairing.
type Bar struct {
	By    string // record.WithheldSpace or record.WithheldService
	State string // of the holder's space, or of the service
	Error string // OAuth2 error that goes back to the service
}

// maxPartner bounds the announcement of an account, in characters of base64url.
const maxPartner = 4096

// Partner is the account of the service that is about to be paired: what Mon
// espace santé shows the patient of it (ExternalUserModel of its mobile
// application, where each member is mandatory).
type Partner struct {
	FirstName string `json:"firstName"`
	LastName  string `json:"lastName"`
	Email     string `json:"email"`
	Login     string `json:"login"`
}

// Name is the first and last name as they are shown.
func (p Partner) Name() string { return strings.TrimSpace(p.FirstName + " " + p.LastName) }

// ReadPartner reads the announcement of an account: JSON in base64url, with or
// without padding. It is false for what cannot be read.
func ReadPartner(value string) (Partner, bool) {
	if value == "" || len(value) > maxPartner {
		return Partner{}, false
	}
	raw, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(value, "="))
	if err != nil || !utf8.Valid(raw) {
		return Partner{}, false
	}
	var p Partner
	if err := json.Unmarshal(raw, &p); err != nil {
		return Partner{}, false
	}
	for _, s := range []*string{&p.FirstName, &p.LastName, &p.Email, &p.Login} {
		if len(*s) > 400 {
			return Partner{}, false
		}
		*s = strings.Join(strings.Fields(*s), " ")
	}
	return p, true
}

// missing lists the members that are empty.
func (p Partner) missing() []string {
	var out []string
	for _, f := range []struct{ name, value string }{{"firstName", p.FirstName}, {"lastName", p.LastName}, {"email", p.Email}, {"login", p.Login}} {
		if f.value == "" {
			out = append(out, f.name)
		}
	}
	return out
}

// partner reads which account of the service a request is for. The data are the
// service's own: they get names before anything is written about them, in the
// form in which the page shows them too.
func (a *Authority) partner(x *exchange.Exchange) *Partner {
	param := a.cfg.Settings.String("pairing.account-parameter")
	values, given := x.Query[param]
	if !given {
		return nil
	}
	for _, v := range values {
		x.Name("partner-account", v)
	}
	p, ok := ReadPartner(values[0])
	f := &record.PartnerFacts{Readable: ok}
	x.Facts.Authorize.Partner = f
	if !ok {
		x.Issue(record.Issue{
			Rule: "authorize.partner", Severity: "warning", Code: "invalid", Pointer: "?" + param,
			Expected: "a JSON object in base64url", Setting: a.cfg.Settings.Assumed("pairing.account-parameter"),
		})
		return nil
	}
	f.Missing = p.missing()
	f.Login, f.Email = x.Name("partner-login", p.Login), x.Name("partner-email", p.Email)
	x.Name("partner-name", p.Name())
	for kind, v := range map[string]string{"partner-login": p.Login, "partner-email": p.Email, "partner-name": p.Name()} {
		if shown := strings.ReplaceAll(template.HTMLEscapeString(v), "+", "&#43;"); shown != v {
			x.Name(kind, shown)
		}
	}
	return &p
}

// pageProfile is one profile of an account on the consent page.
type pageProfile struct{ Handle, Label, Kind string }

// profilesOf lists the profiles that an account may choose from; one alone is no
// choice.
func (a *Authority) profilesOf(acc *Account, t texts) []pageProfile {
	a.mu.Lock()
	defer a.mu.Unlock()
	attached := a.profiles[acc.Handle]
	if len(attached) == 0 {
		return nil
	}
	out := []pageProfile{{Handle: acc.Handle, Label: acc.Label, Kind: t.OwnProfile}}
	for _, h := range attached {
		p := a.accounts[h]
		kind := t.ChildProfile
		if p.Profile != "child" {
			kind = t.CaredForProfile
		}
		out = append(out, pageProfile{Handle: h, Label: p.Label, Kind: kind})
	}
	return out
}

// chosen is the profile that a consent form names; where there is no choice it
// is the account's own.
func (a *Authority) chosen(in *interaction, form url.Values) (string, bool) {
	profiles := a.profilesOf(in.account, texts{})
	if profiles == nil {
		return in.account.Handle, true
	}
	want := form.Get("profile")
	ok := slices.ContainsFunc(profiles, func(p pageProfile) bool { return p.Handle == want })
	return want, ok
}

// barred answers the sign-in of a patient who cannot pair: a page that says why,
// and whose only button leads back to the service.
func (a *Authority) barred(x *exchange.Exchange, in *interaction, lang string, bar Bar) exchange.Answer {
	x.Facts.Barred = &record.BarredFacts{By: bar.By, State: bar.State}
	t := textsIn(lang)
	return a.render(http.StatusForbidden, in.redirect, page{
		Lang: lang, Title: t.BarredTitle, T: t, Step: "barred", Action: a.cfg.Consent,
		Interaction: in.id, Service: a.name(), Alert: t.barred(bar),
	})
}

// leave leads a patient who cannot pair back to the service.
func (a *Authority) leave(x *exchange.Exchange, in *interaction, bar Bar) exchange.Answer {
	x.Facts.Barred = &record.BarredFacts{By: bar.By, State: bar.State, Error: bar.Error}
	a.end(in)
	return exchange.Redirect(a.back(in, url.Values{"error": {bar.Error}}))
}

// SetCard changes what patients are shown of the service.
func (a *Authority) SetCard(c control.ServiceCard) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.card = c
}

// Card is what patients are shown of the service.
func (a *Authority) Card() control.ServiceCard {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.card
}

// name is what the service is called on the pages.
func (a *Authority) name() string {
	if c := a.Card(); c.Name != "" {
		return c.Name
	}
	return a.cfg.Client.ID
}

// Catalogue is the service's page in the catalogue: what it is, in which state,
// what it may ask for, and the way to it and back.
func (a *Authority) Catalogue(x *exchange.Exchange) exchange.Answer {
	lang := language("", x.Query.Get("lang"))
	t := textsIn(lang)
	c := a.Card()
	return a.render(http.StatusOK, "", page{
		Lang: lang, Title: t.CatalogueTitle, T: t, Step: "catalogue", Service: a.name(),
		Status: t.status(a.cfg.Pairings.ServiceStatus("")), Link: c.Link, Terms: c.Terms, Back: a.cfg.Catalogue,
		Finalites: a.pageFinalites(lang),
		OtherURL:  a.cfg.Catalogue + "?" + url.Values{"lang": {other(lang)}}.Encode(),
	})
}

func (a *Authority) pageFinalites(lang string) []pageFinalite {
	var out []pageFinalite
	for _, f := range a.finalites {
		label := f.Label.FR
		if lang == "en" {
			label = f.Label.EN
		}
		out = append(out, pageFinalite{Code: f.Code, Label: label, Write: f.Write})
	}
	return out
}
