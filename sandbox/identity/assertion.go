package identity

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/etalon-sante/etalon/sandbox/exchange"
	"github.com/etalon-sante/etalon/sandbox/fhir"
	"github.com/etalon-sante/etalon/sandbox/record"
)

// assertionType is the only one of RFC 7523 §2.2.
const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

const (
	maxAssertion = 16 << 10        // characters
	clockSkew    = 5 * time.Second // tolerated between two machines
	maxJTI       = 200             // characters
)

// assertionAlgorithms are those that a client may sign with: those of FAPI 2.0
// and the one that every library has.
func assertionAlgorithms() []jose.SignatureAlgorithm {
	return []jose.SignatureAlgorithm{jose.ES256, jose.RS256, jose.PS256}
}

// assertionClaims are those of RFC 7523 §3.
type assertionClaims struct {
	Issuer   string          `json:"iss"`
	Subject  string          `json:"sub"`
	Audience json.RawMessage `json:"aud"`
	Expires  *json.Number    `json:"exp"`
	Issued   *json.Number    `json:"iat"`
	Before   *json.Number    `json:"nbf"`
	ID       string          `json:"jti"`
}

// assertionDoubt says why an assertion does not authenticate the client, ""
// when it does. What is wrong in one that is the client's own becomes an issue.
func (a *Authority) assertionDoubt(x *exchange.Exchange, form url.Values, f *record.TokenFacts) string {
	raw := form.Get("client_assertion")
	facts := &record.AssertionFacts{Audience: []string{}}
	f.Assertion = facts
	if t := form.Get("client_assertion_type"); t != assertionType {
		return "client_assertion_type is " + strconv.Quote(clip(t)) + ", not " + assertionType
	}
	header, claims, err := readAssertion(raw)
	if err != nil {
		return err.Error()
	}
	facts.Algorithm, facts.KeyID, facts.Issuer, facts.Subject = clip(header.Algorithm), clip(header.KeyID), clip(claims.Issuer), clip(claims.Subject)
	facts.Audience = audienceOf(claims.Audience)
	if claims.ID != "" {
		facts.ID = x.Presented("assertion-id", clip(claims.ID))
	}
	if form.Has("client_id") && form.Get("client_id") != a.cfg.Client.ID {
		return "client_id is not that of the service"
	}
	if claims.Issuer != a.cfg.Client.ID || claims.Subject != a.cfg.Client.ID {
		return "iss and sub of the assertion are not both the client_id"
	}
	if why := a.verifyAssertion(raw, header); why != "" {
		return why
	}
	facts.Signed = true
	return a.assertionTimes(x, claims, facts)
}

// assertionTimes judges an assertion that is the client's own. One that has
// expired authenticates nobody.
func (a *Authority) assertionTimes(x *exchange.Exchange, c assertionClaims, f *record.AssertionFacts) string {
	issue := func(rule, expected, actual, setting string) {
		i := record.Issue{Rule: rule, Severity: "error", Code: "login", HTTP: http.StatusUnauthorized, Expected: expected, Actual: actual}
		if setting != "" {
			i.Setting = a.cfg.Settings.Assumed(setting)
		}
		x.Issue(i)
	}
	now := a.cfg.Clock()
	expires, ok := instant(c.Expires)
	if !ok {
		return "exp of the assertion is missing, or is not a number of seconds"
	}
	life := expires.Sub(now)
	f.LifeSeconds = int(math.Ceil(life.Seconds()))
	if life <= -clockSkew {
		return "the assertion has expired"
	}
	if before, ok := instant(c.Before); ok && before.Sub(now) > clockSkew {
		return "the assertion is not valid yet (nbf)"
	}
	if longest := a.cfg.Settings.Duration("client.assertion-life"); life > longest+clockSkew {
		issue("token.assertion-life", "an assertion that expires within "+longest.String(), strconv.Itoa(f.LifeSeconds)+"s", "client.assertion-life")
	}
	want := a.audiences()
	f.AudienceOK = len(f.Audience) == 1 && slices.Contains(want, f.Audience[0])
	if !f.AudienceOK {
		issue("token.assertion-audience", strings.Join(want, " or "), strings.Join(f.Audience, " "), "client.assertion-audience")
	}
	switch uses := a.useAssertion(c.ID, expires); {
	case c.ID == "" || len(c.ID) > maxJTI:
		issue("token.assertion-id", "an identifier (jti) of 1 to "+strconv.Itoa(maxJTI)+" characters", strconv.Itoa(len(c.ID))+" characters", "")
	default:
		if f.IDUses = uses; uses > 1 {
			issue("token.assertion-used", "an assertion that was not used before", "its use number "+strconv.Itoa(uses), "")
		}
	}
	return ""
}

// audiences are the values of aud that name this server (setting
// client.assertion-audience: token, issuer, either). RFC 7523 §3 names the
// token endpoint; what follows it prefers the issuer.
func (a *Authority) audiences() []string {
	switch a.cfg.Settings.String("client.assertion-audience") {
	case "token":
		return []string{a.cfg.Endpoints.Token}
	case "issuer":
		return []string{a.cfg.Issuer}
	}
	return []string{a.cfg.Endpoints.Token, a.cfg.Issuer}
}

// useAssertion counts the uses of an assertion's identifier, until well after
// it has expired.
func (a *Authority) useAssertion(id string, expires time.Time) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := a.cfg.Clock()
	if len(a.assertions) >= maxAssertions {
		for k, u := range a.assertions {
			if now.After(u.until) {
				delete(a.assertions, k)
			}
		}
	}
	u := a.assertions[id]
	u.count++
	if keep := expires.Add(time.Hour); keep.After(u.until) {
		u.until = keep
	}
	a.assertions[id] = u
	return u.count
}

// maxAssertions is how many identifiers are held before the old ones go.
const maxAssertions = 10_000

// assertionUse is how often an identifier came, and until when it is held.
type assertionUse struct {
	count int
	until time.Time
}

// verifyAssertion says why the signature of an assertion is not the client's,
// "" when it is.
func (a *Authority) verifyAssertion(raw string, header assertionHeader) string {
	jws, err := jose.ParseSignedCompact(raw, assertionAlgorithms())
	if err != nil {
		return "the algorithm of the assertion, " + strconv.Quote(clip(header.Algorithm)) + ", is none of ES256, RS256, PS256"
	}
	keys := a.credentials.keys.Keys
	if header.KeyID != "" {
		keys = a.credentials.keys.Key(header.KeyID)
	}
	if len(keys) == 0 {
		return "the key of the assertion (kid " + strconv.Quote(clip(header.KeyID)) + ") is not among those registered"
	}
	for _, k := range keys {
		if k.Algorithm != "" && k.Algorithm != header.Algorithm {
			continue
		}
		if _, err := jws.Verify(k); err == nil {
			return ""
		}
	}
	return "the signature of the assertion is not that of a key registered"
}

type assertionHeader struct {
	Algorithm string `json:"alg"`
	KeyID     string `json:"kid"`
}

// readAssertion reads a JWT without checking its signature.
func readAssertion(raw string) (assertionHeader, assertionClaims, error) {
	var h assertionHeader
	var c assertionClaims
	if raw == "" || len(raw) > maxAssertion {
		return h, c, fmt.Errorf("client_assertion has %d characters, 1 to %d are expected", len(raw), maxAssertion)
	}
	parts := strings.Split(raw, ".")
	if len(parts) != 3 {
		return h, c, fmt.Errorf("client_assertion has %d parts, a signed JWT has 3", len(parts))
	}
	for _, p := range []struct {
		name string
		text string
		into any
	}{{"header", parts[0], &h}, {"payload", parts[1], &c}} {
		b, err := base64.RawURLEncoding.DecodeString(p.text)
		if err != nil {
			return h, c, fmt.Errorf("the %s of the assertion is not base64url without padding", p.name)
		}
		if err := strictJSON(b, p.into); err != nil {
			return h, c, fmt.Errorf("the %s of the assertion is not the JSON of a JWT", p.name)
		}
	}
	return h, c, nil
}

// strictJSON reads JSON in which no member stands twice.
func strictJSON(raw []byte, into any) error {
	if _, err := fhir.Decode(raw); err != nil {
		return err
	}
	return json.Unmarshal(raw, into)
}

// audienceOf reads both forms of aud (RFC 7519 §4.1.3), bounded.
func audienceOf(raw json.RawMessage) []string {
	var one string
	if json.Unmarshal(raw, &one) == nil {
		return []string{clip(one)}
	}
	var many []string
	if json.Unmarshal(raw, &many) != nil {
		return []string{}
	}
	out := []string{}
	for i, v := range many {
		if i == 8 {
			break
		}
		out = append(out, clip(v))
	}
	return out
}

// instant reads a NumericDate (RFC 7519 §2).
func instant(n *json.Number) (time.Time, bool) {
	if n == nil {
		return time.Time{}, false
	}
	s, err := n.Float64()
	if err != nil || math.IsNaN(s) || s < 0 || s > 1e11 {
		return time.Time{}, false
	}
	whole, part := math.Modf(s)
	return time.Unix(int64(whole), int64(part*1e9)), true
}

// clip bounds what is told of a candidate's value.
func clip(s string) string {
	if r := []rune(strings.ToValidUTF8(s, "?")); len(r) > 200 {
		return string(r[:200]) + "…"
	}
	return strings.ToValidUTF8(s, "?")
}
