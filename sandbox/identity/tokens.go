package identity

import (
	"fmt"
	"slices"
	"time"

	"github.com/etalon-sante/etalon/sandbox/control"
)

// The states of a token, as the journal says them.
const (
	Absent     = "absent"
	Valid      = "valid"
	Expired    = "expired"
	Revoked    = "revoked"
	Unknown    = "unknown"
	Invalid    = "invalid"
	current    = "current"
	superseded = "superseded"
)

// code is an authorization code.
type code struct {
	patient   string
	forged    bool
	redirect  string
	nonce     string
	scope     []string
	pkce      pkce
	finalites []string
	expires   time.Time
	uses      int
	spent     bool
	grant     *grant // once exchanged
}

// grant is what one consent gave: every token descends from one.
type grant struct {
	patient   string
	nonce     string
	scope     []string
	finalites []string
	revoked   bool
	refresh   string // the refresh token that is good now
	// certificate is the thumbprint that access tokens issued now are bound to.
	certificate string
}

type accessToken struct {
	grant *grant
	// certificate is the confirmation cnf.x5t#S256 of the token, "" for none.
	certificate string
	expires     time.Time
	revoked     bool
}

type refreshToken struct {
	grant   *grant
	expires time.Time
}

type idToken struct {
	patient string
	expires time.Time
	fault   string
}

// issued is what one token answer carries.
type issued struct {
	access, refresh, id string
	expiresIn           int // seconds
	names               []string
	fault               string
}

// issueCode makes the code of a consent.
func (a *Authority) issueCode(patient string, in *interaction, finalites []string) string {
	value := newSecret(32)
	a.cfg.Names.Name("code", value)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.codes[value] = &code{
		patient: patient, redirect: in.redirect, nonce: in.nonce, scope: in.scope, pkce: in.pkce,
		finalites: finalites, expires: a.cfg.Clock().Add(a.cfg.Settings.Duration("lifetime.code")),
	}
	return value
}

// MintCode makes a code that no authorization request led to, for a forged
// callback: it is exchanged without PKCE and at any redirect URI, so that a
// candidate that presents it is seen to succeed.
func (a *Authority) MintCode(patient string) (string, error) {
	if _, ok := a.Account(patient); !ok {
		return "", fmt.Errorf("there is no patient %q", patient)
	}
	value := newSecret(32)
	a.cfg.Names.Name("code", value)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.codes[value] = &code{
		patient: patient, forged: true, nonce: newSecret(16), scope: []string{"openid"},
		finalites: a.Codes(), expires: a.cfg.Clock().Add(InteractionLife),
	}
	return value, nil
}

// Pair pairs a patient without a browser, for a candidate that does not claim
// pairing; every finalité is granted.
func (a *Authority) Pair(patient string) (control.Pairing, error) {
	acc, ok := a.Account(patient)
	if !ok {
		return control.Pairing{}, fmt.Errorf("there is no patient %q", patient)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	g := &grant{patient: patient, scope: []string{"openid"}, finalites: a.Codes()}
	out, err := a.issue(acc, g, false)
	if err != nil {
		return control.Pairing{}, err
	}
	a.cfg.Pairings.Begin(patient, g.finalites)
	return control.Pairing{
		AccessToken: out.access, RefreshToken: out.refresh, IDToken: out.id,
		IDPe: acc.IDPe, AssignAuth: acc.AssignAuth, OID: a.cfg.OID, ExpiresIn: out.expiresIn,
	}, nil
}

// issue makes the tokens of a grant; the caller holds the lock. A refreshed
// id_token carries no nonce (OpenID Connect Core §12.2).
func (a *Authority) issue(acc Account, g *grant, refreshed bool) (issued, error) {
	now := a.cfg.Clock()
	a.latest[acc.Handle] = g
	life := a.lifetime(acc.Access, "lifetime.access")
	out := issued{access: newSecret(32), expiresIn: int(life / time.Second), fault: acc.IDToken}
	a.access[out.access] = &accessToken{grant: g, certificate: g.certificate, expires: now.Add(life)}
	if g.refresh == "" || a.cfg.Settings.Bool("refresh.rotation") {
		out.refresh = newSecret(32)
		g.refresh = out.refresh
		a.refresh[out.refresh] = &refreshToken{grant: g, expires: now.Add(a.lifetime(acc.Refresh, "lifetime.refresh"))}
	}
	id, expires, err := a.newIDToken(acc, g, now, refreshed)
	if err != nil {
		return issued{}, err
	}
	out.id = id
	a.ids[id] = &idToken{patient: acc.Handle, expires: expires, fault: acc.IDToken}
	out.names = append(out.names, a.cfg.Names.Name("access-token", out.access))
	if out.refresh != "" {
		out.names = append(out.names, a.cfg.Names.Name("refresh-token", out.refresh))
	}
	out.names = append(out.names, a.cfg.Names.Name("id-token", out.id))
	return out, nil
}

// newIDToken makes an id_token, with what is deliberately wrong in it.
func (a *Authority) newIDToken(acc Account, g *grant, now time.Time, refreshed bool) (string, time.Time, error) {
	expires := now.Add(a.cfg.Settings.Duration("lifetime.id-token"))
	issuedAt := now
	switch acc.IDToken {
	case control.IDTokenAhead:
		issuedAt, expires = now.Add(2*time.Minute), expires.Add(2*time.Minute)
	case control.IDTokenFuture:
		issuedAt, expires = now.Add(12*time.Hour), expires.Add(12*time.Hour)
	case "expired":
		// Far enough that no tolerance for clocks that differ lets it through.
		issuedAt, expires = now.Add(-25*time.Hour), now.Add(-24*time.Hour)
	}
	claims := map[string]any{
		"iss": a.cfg.Issuer, "sub": acc.Sub, "aud": a.cfg.Client.ID,
		"exp": expires.Unix(), "iat": issuedAt.Unix(), "jti": newSecret(12),
		"idPe": acc.IDPe, "oid": a.cfg.OID, "assignAuth": acc.AssignAuth,
	}
	if g.nonce != "" && !refreshed {
		claims["nonce"] = g.nonce
	}
	switch acc.IDToken {
	case "nonce":
		claims["nonce"] = newSecret(16)
	case "audience":
		claims["aud"] = a.cfg.Client.ID + "-other"
	case "issuer":
		claims["iss"] = a.cfg.Issuer + "/other"
	}
	token, err := a.keys[len(a.keys)-1].sign(claims, acc.IDToken)
	return token, expires, err
}

// Access says which patient an access token is for, and its state.
func (a *Authority) Access(value string) (Account, string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	t, ok := a.access[value]
	if !ok {
		return Account{}, Unknown
	}
	state := Valid
	switch {
	case t.revoked || t.grant.revoked:
		state = Revoked
	case !a.cfg.Clock().Before(t.expires):
		state = Expired
	}
	return *a.accounts[t.grant.patient], state
}

// Bound is the thumbprint of the certificate that an access token is bound to,
// "" when it is bound to none or not known.
func (a *Authority) Bound(value string) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	if t, ok := a.access[value]; ok {
		return t.certificate
	}
	return ""
}

// IDToken says which patient an id_token is for, and its state. Only what was
// issued here, byte for byte, is valid: as nobody else holds the key, that is
// what checking the signature comes to, for a hundredth of the time. A wrong
// nonce is for the client to see: a resource server does not know the right one.
func (a *Authority) IDToken(value string) (Account, string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	t, ok := a.ids[value]
	if !ok {
		return Account{}, Invalid
	}
	state := Valid
	switch {
	case t.fault != "" && t.fault != "nonce" && t.fault != "expired" && t.fault != control.IDTokenAhead:
		state = Invalid
	case !a.cfg.Clock().Before(t.expires):
		state = Expired
	}
	return *a.accounts[t.patient], state
}

// ExpireAccess makes the access tokens of a patient expire now.
func (a *Authority) ExpireAccess(patient string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := a.cfg.Clock()
	for _, t := range a.access {
		if t.grant.patient == patient && now.Before(t.expires) {
			t.expires = now
		}
	}
}

// ExpireIDTokens makes the id_tokens of a patient expire now. Their exp claim
// says otherwise: the service learns it from the answer 400.
func (a *Authority) ExpireIDTokens(patient string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := a.cfg.Clock()
	for _, t := range a.ids {
		if t.patient == patient && now.Before(t.expires) {
			t.expires = now
		}
	}
}

// Revoke makes every token of a patient refused from now on.
func (a *Authority) Revoke(patient string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, t := range a.refresh {
		if t.grant.patient == patient {
			t.grant.revoked = true
		}
	}
}

// refreshState is the state of a refresh token; the caller holds the lock.
func (a *Authority) refreshState(value string) (*refreshToken, string) {
	t, ok := a.refresh[value]
	switch {
	case !ok:
		return nil, Unknown
	case t.grant.revoked:
		return t, Revoked
	case t.grant.refresh != value:
		return t, superseded
	case !a.cfg.Clock().Before(t.expires):
		return t, Expired
	}
	return t, current
}

// scopes is what a token answer says was granted.
func (a *Authority) scopes(g *grant) []string {
	out := []string{}
	if slices.Contains(g.scope, "openid") {
		out = append(out, "openid")
	}
	for _, f := range g.finalites {
		out = append(out, scopeOf(f))
	}
	return out
}
