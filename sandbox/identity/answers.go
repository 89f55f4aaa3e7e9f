package identity

import (
	"encoding/json"
	"net/http"

	"github.com/etalon-sante/etalon/sandbox/exchange"
)

// oauthError is an error of the token endpoint (RFC 6749 §5.2).
type oauthError struct {
	Code        string `json:"error"`
	Description string `json:"error_description"`
}

func jsonAnswer(status int, v any) exchange.Answer {
	body, err := json.Marshal(v)
	if err != nil {
		return exchange.New(http.StatusInternalServerError, "application/json", []byte(`{"error":"server_error"}`))
	}
	return exchange.New(status, "application/json", body)
}

// refuse answers with an error of the token or revocation endpoint.
func refuse(status int, code, description string) exchange.Answer {
	out := jsonAnswer(status, oauthError{Code: code, Description: description})
	out.Header.Set("Pragma", "no-cache")
	if status == http.StatusUnauthorized {
		out.Header.Set("WWW-Authenticate", `Basic realm="etalon-sandbox", charset="UTF-8"`)
	}
	return out
}
