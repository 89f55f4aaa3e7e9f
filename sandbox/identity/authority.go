// Package identity is the authorization server of a space of the sandbox: it
// signs patients in, asks for their consent, and issues tokens. Of the real
// pairing API only the outline is public (facts of the pairing specification
// v2.1: OAuth2, tokens, an authentication on the servers of Mon espace santé
// started from the service); endpoints, scopes, PKCE and lifetimes are settings.
package identity

import (
	"fmt"
	"html/template"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/etalon-sante/etalon/sandbox/control"
	"github.com/etalon-sante/etalon/sandbox/exchange"
	"github.com/etalon-sante/etalon/sandbox/record"
	"github.com/etalon-sante/etalon/sandbox/settings"
)

// InteractionLife is how long a patient may take over sign-in and consent.
const InteractionLife = 10 * time.Minute

// Pairings is where the authorization server says what became of a pairing.
type Pairings interface {
	// Begin pairs a patient with the service for these finalités.
	Begin(patient string, finalites []string)
	// End ends the pairing on behalf of the service.
	End(patient string)
	// Stands says whether a pairing stands.
	Stands(patient string) bool
	// Granted lists the finalités that the patient consents to now.
	Granted(patient string) []string
	// Barred says what stands in the way of a pairing, if anything does.
	Barred(patient string) (Bar, bool)
	// ServiceStatus is the status of the service for a patient; for "", in general.
	ServiceStatus(patient string) string
}

// Config is what an authorization server is made of.
type Config struct {
	Issuer    string // public address of the space
	SignIn    string // public address of the sign-in page
	Consent   string // public address of the consent page
	Catalogue string // public address of the service's page in the catalogue
	Cookie    string // path of the session cookie
	Card      control.ServiceCard
	Endpoints control.Endpoints
	Client    control.Client
	OID       string // of the candidate's solution
	Settings  *settings.Settings
	Pairings  Pairings
	Faults    exchange.Planner
	Names     *record.Redactor
	Clock     func() time.Time // the space's
}

// Account is a patient as the authorization server knows him.
type Account struct {
	Handle      string
	Login       string
	Password    string
	Email       string // canary
	Phone       string // canary
	Sub         string
	IDPe        string
	AssignAuth  string // "urn:oid:…"
	Tolerant    bool
	Access      time.Duration // lifetime; 0: the setting's
	Refresh     time.Duration // lifetime; 0: the setting's
	IDToken     string        // what is deliberately wrong in the id_token
	TokenAnswer string        // what is deliberately wrong in the answers of the token endpoint
	Holder      string        // handle of whose account this profile belongs to; "" for who signs in
	Profile     string        // kind of an attached profile
	Label       string        // how the profile is called on the pages
}

// Authority is the authorization server of one space. It is safe for
// concurrent use.
type Authority struct {
	cfg       Config
	finalites []settings.Finalite
	pages     *template.Template
	style     template.CSS
	// credentials are what the client is recognised by.
	credentials credentials

	mu           sync.Mutex
	redirects    []string
	keys         []*key // the last one signs
	logins       map[string]*Account
	accounts     map[string]*Account // by handle
	interactions map[string]*interaction
	codes        map[string]*code
	access       map[string]*accessToken
	refresh      map[string]*refreshToken
	ids          map[string]*idToken
	assertions   map[string]assertionUse // by identifier (jti)
	latest       map[string]*grant       // of each patient: the one that the pairing rests on
	card         control.ServiceCard
	profiles     map[string][]string // handles of the profiles attached to a holder's account
}

// New returns the authorization server of a space.
func New(cfg Config) (*Authority, error) {
	k, err := newKey()
	if err != nil {
		return nil, err
	}
	pages, err := template.ParseFS(pageFiles, "pages/page.html")
	if err != nil {
		return nil, fmt.Errorf("read the pages of the sandbox: %w", err)
	}
	style, err := pageFiles.ReadFile("pages/style.css")
	if err != nil {
		return nil, fmt.Errorf("read the style of the sandbox's pages: %w", err)
	}
	known, err := readCredentials(cfg.Client)
	if err != nil {
		return nil, err
	}
	cfg.Names.Name("client-secret", cfg.Client.Secret)
	return &Authority{
		cfg:          cfg,
		pages:        pages,
		style:        template.CSS(style),
		credentials:  known,
		assertions:   map[string]assertionUse{},
		finalites:    cfg.Settings.Finalites(),
		redirects:    slices.Clone(cfg.Client.RedirectURIs),
		keys:         []*key{k},
		logins:       map[string]*Account{},
		accounts:     map[string]*Account{},
		interactions: map[string]*interaction{},
		codes:        map[string]*code{},
		access:       map[string]*accessToken{},
		refresh:      map[string]*refreshToken{},
		ids:          map[string]*idToken{},
		latest:       map[string]*grant{},
		card:         cfg.Card,
		profiles:     map[string][]string{},
	}, nil
}

// Add lets a patient sign in.
func (a *Authority) Add(acc Account) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, ok := a.accounts[acc.Handle]; ok {
		return fmt.Errorf("there is already a patient %q", acc.Handle)
	}
	if acc.Holder != "" {
		holder, ok := a.accounts[acc.Holder]
		if !ok || holder.Holder != "" {
			return fmt.Errorf("the profile of %s belongs to nobody who has an account: there is no holder %q", acc.Handle, acc.Holder)
		}
		a.accounts[acc.Handle] = &acc
		a.profiles[acc.Holder] = append(a.profiles[acc.Holder], acc.Handle)
		return nil
	}
	if _, ok := a.logins[acc.Login]; ok {
		return fmt.Errorf("there is already a patient who signs in as the one asked for")
	}
	a.accounts[acc.Handle], a.logins[acc.Login] = &acc, &acc
	a.cfg.Names.Name("login", acc.Login)
	a.cfg.Names.Name("password", acc.Password)
	return nil
}

// SetRedirects replaces the redirect URIs of the client.
func (a *Authority) SetRedirects(uris []string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.redirects = slices.Clone(uris)
}

// Redirects lists the redirect URIs of the client.
func (a *Authority) Redirects() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.redirects)
}

// RotateKeys makes the space sign with a new key; the former ones stay
// published, since tokens that they signed are still about.
func (a *Authority) RotateKeys() error {
	k, err := newKey()
	if err != nil {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.keys = append(a.keys, k)
	return nil
}

// Codes lists the codes of the finalités that can be granted.
func (a *Authority) Codes() []string {
	out := make([]string, 0, len(a.finalites))
	for _, f := range a.finalites {
		out = append(out, f.Code)
	}
	return out
}

// JWKS answers with the published keys.
func (a *Authority) JWKS(*exchange.Exchange) exchange.Answer {
	a.mu.Lock()
	set := jose.JSONWebKeySet{Keys: make([]jose.JSONWebKey, 0, len(a.keys))}
	for _, k := range a.keys {
		set.Keys = append(set.Keys, k.public)
	}
	a.mu.Unlock()
	return jsonAnswer(200, set)
}

// Discovery answers with the metadata of the server (OpenID Connect Discovery
// 1.0 §3, RFC 9207 §3).
func (a *Authority) Discovery(*exchange.Exchange) exchange.Answer {
	scopes := []string{"openid"}
	for _, f := range a.finalites {
		scopes = append(scopes, scopeOf(f.Code))
	}
	return jsonAnswer(200, map[string]any{
		"issuer":                                           a.cfg.Issuer,
		"authorization_endpoint":                           a.cfg.Endpoints.Authorization,
		"token_endpoint":                                   a.cfg.Endpoints.Token,
		"revocation_endpoint":                              a.cfg.Endpoints.Revocation,
		"jwks_uri":                                         a.cfg.Endpoints.JWKS,
		"scopes_supported":                                 scopes,
		"response_types_supported":                         []string{"code"},
		"response_modes_supported":                         []string{"query"},
		"grant_types_supported":                            []string{"authorization_code", "refresh_token"},
		"subject_types_supported":                          []string{"pairwise"},
		"id_token_signing_alg_values_supported":            []string{"ES256"},
		"token_endpoint_auth_methods_supported":            Methods(),
		"token_endpoint_auth_signing_alg_values_supported": assertionAlgorithms(),
		"revocation_endpoint_auth_methods_supported":       Methods(),
		"tls_client_certificate_bound_access_tokens":       a.cfg.Settings.Bool("client.certificate-bound"),
		"code_challenge_methods_supported":                 []string{"S256"},
		"claims_supported":                                 []string{"iss", "sub", "aud", "exp", "iat", "nonce", "idPe", "oid", "assignAuth"},
		"authorization_response_iss_parameter_supported":   true,
		"request_parameter_supported":                      false,
		"request_uri_parameter_supported":                  false,
		"ui_locales_supported":                             []string{"fr", "en"},
	})
}

// Account is the account of a patient.
func (a *Authority) Account(handle string) (Account, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	acc, ok := a.accounts[handle]
	if !ok {
		return Account{}, false
	}
	return *acc, true
}

// scopeOf is the scope that says that a finalité was granted.
func scopeOf(finalite string) string { return "mes:" + strings.ToLower(finalite) }

// lifetime is a patient's own duration, or the setting's.
func (a *Authority) lifetime(own time.Duration, key string) time.Duration {
	if own > 0 {
		return own
	}
	return a.cfg.Settings.Duration(key)
}
