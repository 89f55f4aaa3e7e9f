package identity

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"

	"github.com/etalon-sante/etalon/sandbox/control"
	"github.com/etalon-sante/etalon/sandbox/exchange"
	"github.com/etalon-sante/etalon/sandbox/record"
)

// tokenAnswer is the answer of the token endpoint (RFC 6749 §5.1).
type tokenAnswer struct {
	AccessToken  string `json:"access_token,omitempty"`
	TokenType    string `json:"token_type"`
	ExpiresIn    int    `json:"expires_in"`
	RefreshToken string `json:"refresh_token,omitempty"`
	IDToken      string `json:"id_token,omitempty"`
	Scope        string `json:"scope"`
	Error        string `json:"error,omitempty"`
}

// Token exchanges a code, or refreshes.
func (a *Authority) Token(x *exchange.Exchange) exchange.Answer {
	f := &record.TokenFacts{ClientAuth: none}
	x.Facts.Token = f
	form, ok := formOf(x)
	a.nameAll(x, form)
	f.GrantType = form.Get("grant_type")
	a.attribute(x, form, f)
	a.client(x, form, f)
	strict := !a.tolerant(x.Patient)
	if !ok {
		x.Issue(record.Issue{Rule: "token.form", Severity: "error", Code: "invalid", HTTP: 400, Pointer: "header:Content-Type", Expected: "application/x-www-form-urlencoded", Actual: x.HTTP.Header.Get("Content-Type")})
		return refuse(http.StatusBadRequest, "invalid_request", "the body is not a form")
	}
	if names := repeated(form); len(names) > 0 {
		x.Issue(record.Issue{Rule: "token.repeated", Severity: "error", Code: "invalid", HTTP: 400, Expected: "each parameter once", Actual: strings.Join(names, " ")})
		if strict {
			return refuse(http.StatusBadRequest, "invalid_request", "a parameter is given more than once")
		}
	}
	if refusal := a.clientRefusal(x, f, strict); refusal != nil {
		return *refusal
	}
	switch f.GrantType {
	case "authorization_code":
		return a.exchangeCode(x, form, f, strict)
	case "refresh_token":
		return a.refreshTokens(x, form, f)
	case "":
		return refuse(http.StatusBadRequest, "invalid_request", "grant_type is missing")
	}
	return refuse(http.StatusBadRequest, "unsupported_grant_type", "grant_type is authorization_code or refresh_token")
}

// nameAll names the secrets of a form before anything is written about it.
func (a *Authority) nameAll(x *exchange.Exchange, form url.Values) {
	for param, kind := range map[string]string{"code_verifier": "code-verifier", "client_secret": "client-secret", "password": "password", "client_assertion": "client-assertion"} {
		for _, v := range form[param] {
			x.Name(kind, v)
		}
	}
	for param, kind := range map[string]string{"code": "code", "refresh_token": "refresh-token", "token": "token"} {
		for _, v := range form[param] {
			x.Presented(kind, v)
		}
	}
}

// attribute finds out for which patient a request is, and what it presents.
func (a *Authority) attribute(x *exchange.Exchange, form url.Values, f *record.TokenFacts) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if v := form.Get("code"); v != "" {
		f.Code, f.CodeOrigin = x.Presented("code", v), Unknown
		if c, ok := a.codes[v]; ok {
			c.uses++
			x.Patient, f.CodeUses, f.CodeOrigin = c.patient, c.uses, "flow"
			if c.forged {
				f.CodeOrigin = "forged"
			}
		}
	}
	if v := form.Get("refresh_token"); v != "" {
		f.Refresh = x.Presented("refresh-token", v)
		var t *refreshToken
		if t, f.RefreshState = a.refreshState(v); t != nil {
			x.Patient = t.grant.patient
		}
	}
	verifier := form.Get("code_verifier")
	f.VerifierSent, f.VerifierLen = form.Has("code_verifier"), len(verifier)
	if c, ok := a.codes[form.Get("code")]; ok {
		f.VerifierOK = f.VerifierSent && c.pkce.method == "S256" && hashOf(verifier) == c.pkce.challenge
	}
}

func (a *Authority) tolerant(patient string) bool {
	acc, ok := a.Account(patient)
	return ok && acc.Tolerant
}

// exchangeCode answers to a code. A code that comes a second time is refused
// and takes back the tokens that it gave (RFC 6749 §4.1.2).
func (a *Authority) exchangeCode(x *exchange.Exchange, form url.Values, f *record.TokenFacts, strict bool) exchange.Answer {
	if x.Patient != "" && !x.Draw(a.cfg.Faults) {
		return exchange.Answer{}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	c, ok := a.codes[form.Get("code")]
	if !ok {
		return refuse(http.StatusBadRequest, "invalid_grant", "the code is not known")
	}
	if c.spent {
		if c.grant != nil {
			c.grant.revoked = true
		}
		return refuse(http.StatusBadRequest, "invalid_grant", "the code was used already: the tokens that it gave are revoked")
	}
	c.spent = true
	if !a.cfg.Clock().Before(c.expires) {
		return refuse(http.StatusBadRequest, "invalid_grant", "the code has expired")
	}
	if !c.forged && form.Get("redirect_uri") != c.redirect {
		x.Issue(record.Issue{Rule: "token.redirect-uri", Severity: "error", Code: "invalid", HTTP: 400, Expected: c.redirect, Actual: form.Get("redirect_uri")})
		if strict {
			return refuse(http.StatusBadRequest, "invalid_grant", "redirect_uri is not that of the authorization request")
		}
	}
	if why := a.pkceDoubt(c, form); why != "" {
		x.Issue(record.Issue{Rule: "token.pkce", Severity: "error", Code: "invalid", HTTP: 400, Expected: "the verifier of the request's challenge", Actual: why, Setting: a.cfg.Settings.Assumed("pkce.required")})
		if strict {
			return refuse(http.StatusBadRequest, "invalid_grant", why)
		}
	}
	c.grant = &grant{patient: c.patient, certificate: a.binding(f), nonce: c.nonce, scope: c.scope, finalites: c.finalites}
	a.cfg.Pairings.Begin(c.patient, c.finalites)
	return a.grantAnswer(x, c.grant, f, false)
}

// pkceDoubt says what is wrong with a verifier, "" when nothing is
// (RFC 7636 §4.6).
func (a *Authority) pkceDoubt(c *code, form url.Values) string {
	verifier := form.Get("code_verifier")
	switch {
	case c.forged:
		return ""
	case c.pkce.challenge == "" && verifier == "":
		return ""
	case c.pkce.challenge == "":
		return "code_verifier is given, the authorization request had no challenge"
	case verifier == "":
		return "code_verifier is missing"
	case len(verifier) < 43 || len(verifier) > 128:
		return "code_verifier is not of 43 to 128 characters"
	case c.pkce.method == "S256" && hashOf(verifier) != c.pkce.challenge, c.pkce.method != "S256" && verifier != c.pkce.challenge:
		return "code_verifier is not that of the authorization request"
	}
	return ""
}

func hashOf(verifier string) string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// refreshTokens answers to a refresh token. One that was superseded is refused.
func (a *Authority) refreshTokens(x *exchange.Exchange, form url.Values, f *record.TokenFacts) exchange.Answer {
	if x.Patient != "" && !x.Draw(a.cfg.Faults) {
		return exchange.Answer{}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	t, state := a.refreshState(form.Get("refresh_token"))
	if state != current {
		return refuse(http.StatusBadRequest, "invalid_grant", "the refresh token is "+state)
	}
	if !a.cfg.Pairings.Stands(t.grant.patient) {
		return refuse(http.StatusBadRequest, "invalid_grant", "the pairing has ended")
	}
	// A public key is bound anew at each refresh: a client may have changed its
	// certificate since (RFC 8705 §6.3 leaves it to the server).
	t.grant.certificate = a.binding(f)
	if a.cfg.Settings.Bool("consent.refresh-scope") {
		t.grant.finalites = a.cfg.Pairings.Granted(t.grant.patient)
	}
	return a.grantAnswer(x, t.grant, f, true)
}

// binding is the certificate that the access tokens of a request are bound to,
// "" when they are bearer tokens (RFC 8705 §3).
func (a *Authority) binding(f *record.TokenFacts) string {
	if !usesTLS(a.cfg.Client.Auth) || !a.cfg.Settings.Bool("client.certificate-bound") {
		return ""
	}
	f.Bound = f.Certificate
	return f.Certificate
}

// grantAnswer issues the tokens of a grant; the caller holds the lock.
func (a *Authority) grantAnswer(x *exchange.Exchange, g *grant, f *record.TokenFacts, refreshed bool) exchange.Answer {
	out, err := a.issue(*a.accounts[g.patient], g, refreshed)
	if err != nil {
		return refuse(http.StatusInternalServerError, "server_error", "the sandbox could not issue a token")
	}
	f.Issued, f.IDTokenFault, f.IDTokenKey = out.names, out.fault, a.keys[len(a.keys)-1].id
	said := tokenAnswer{
		AccessToken: out.access, TokenType: "Bearer", ExpiresIn: out.expiresIn,
		RefreshToken: out.refresh, IDToken: out.id, Scope: strings.Join(a.scopes(g), " "),
	}
	f.AnswerFault = a.accounts[g.patient].TokenAnswer
	said.spoil(f.AnswerFault)
	answer := jsonAnswer(http.StatusOK, said)
	answer.Header.Set("Pragma", "no-cache")
	return answer
}

// spoil makes something deliberately wrong in an answer.
func (t *tokenAnswer) spoil(fault string) {
	switch fault {
	case control.TokenAnswerNoAccess:
		t.AccessToken = ""
	case control.TokenAnswerNoID:
		t.IDToken = ""
	case control.TokenAnswerOtherType:
		t.TokenType = "N_A" // of RFC 8693 §2.2.1: no token to call an API with
	case control.TokenAnswerError:
		t.Error = "access_denied"
	}
}

// Revocation takes a token back (RFC 7009). With a refresh token go its whole
// grant and the pairing: that is how a service un-pairs, as long as the real
// call is not public (setting pairing.revocation). An unknown token is no error
// (§2.2).
func (a *Authority) Revocation(x *exchange.Exchange) exchange.Answer {
	f := &record.TokenFacts{ClientAuth: none}
	x.Facts.Token = f
	form, ok := formOf(x)
	a.nameRevoked(x, form)
	a.nameAll(x, form)
	a.client(x, form, f)
	value := form.Get("token")
	a.mu.Lock()
	access, isAccess := a.access[value]
	refresh, state := a.refreshState(value)
	switch {
	case isAccess:
		x.Patient = access.grant.patient
	case refresh != nil:
		x.Patient, f.Refresh, f.RefreshState = refresh.grant.patient, x.Presented("refresh-token", value), state
	}
	a.mu.Unlock()
	if !ok || value == "" {
		return refuse(http.StatusBadRequest, "invalid_request", "the body is not a form with a token")
	}
	if refusal := a.clientRefusal(x, f, !a.tolerant(x.Patient)); refusal != nil {
		return *refusal
	}
	if x.Patient != "" && !x.Draw(a.cfg.Faults) {
		return exchange.Answer{}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case isAccess:
		access.revoked = true
	case refresh != nil:
		// A refresh token that was superseded stands for its grant all the same.
		wasStanding := !refresh.grant.revoked
		refresh.grant.revoked = true
		if wasStanding && a.cfg.Settings.Bool("pairing.revocation") && a.latest[refresh.grant.patient] == refresh.grant {
			a.cfg.Pairings.End(refresh.grant.patient)
		}
	}
	return exchange.Empty(http.StatusOK)
}

// nameRevoked gives the token of a revocation the name of what it is.
func (a *Authority) nameRevoked(x *exchange.Exchange, form url.Values) {
	kind := "access-token"
	if form.Get("token_type_hint") == "refresh_token" {
		kind = "refresh-token"
	}
	for _, v := range form["token"] {
		x.Presented(kind, v)
	}
}
