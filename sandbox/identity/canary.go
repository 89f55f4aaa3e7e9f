package identity

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"github.com/etalon-sante/etalon/sandbox/exchange"
)

// accountCookie and accountHeader carry canaries: see plant.
const (
	accountCookie = "etalon-account"
	accountHeader = "Etalon-Account"
)

// identified is who has signed in, as canaries tell it.
type identified struct {
	Email string `json:"email"`
	Phone string `json:"phone_number"`
	Login string `json:"preferred_username"`
}

// plant puts the address, the telephone number and the account name of who has
// signed in into the answer that follows, and so into each journal: in a URL with
// percent-encoding, in a cookie in base64, in a header in the payload of a token; the
// page after it says them in clear. They are canaries: nobody needs them, and none
// may be found in what a run leaves. The real service is not known to do so; only
// the patient's browser sees it, the candidate does not.
func (a *Authority) plant(acc Account, answer exchange.Answer) exchange.Answer {
	if acc.Email == "" {
		return answer
	}
	who, err := json.Marshal(identified{acc.Email, acc.Phone, acc.Login})
	if err != nil { // three texts
		return answer
	}
	h := answer.Header
	h.Set("Location", h.Get("Location")+"&"+url.Values{"account": {acc.Email}}.Encode())
	h.Add("Set-Cookie", (&http.Cookie{
		Name: accountCookie, Value: base64.RawURLEncoding.EncodeToString(who), Path: a.cfg.Cookie,
		Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	}).String())
	h.Set(accountHeader, base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`))+"."+base64.RawURLEncoding.EncodeToString(who)+".")
	return answer
}

// inPairs is a telephone number as people write it, with spaces that do not break.
func inPairs(number string) string {
	var pairs []string
	for ; len(number) > 2; number = number[2:] {
		pairs = append(pairs, number[:2])
	}
	return strings.Join(append(pairs, number), "\u00a0")
}
