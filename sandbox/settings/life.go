package settings

import (
	"fmt"
	"strconv"
	"strings"
)

// Refusal is how calls are answered in some state: an HTTP status and the code
// of the OperationOutcome's issue.
type Refusal struct {
	HTTP int
	Code string
}

// Refusal reads a setting of the form "403:expired".
func (s *Settings) Refusal(key string) Refusal {
	r, _ := parseRefusal(s.String(key))
	return r
}

// RefusalIn reads the item of a list setting that begins with a state
// ("SUSPENDUE:403:business-rule"); it is false where the state lets calls pass.
func (s *Settings) RefusalIn(key, state string) (Refusal, bool) {
	for _, item := range s.List(key) {
		if rest, ok := strings.CutPrefix(item, state+":"); ok {
			r, err := parseRefusal(rest)
			return r, err == nil
		}
	}
	return Refusal{}, false
}

// ErrorIn reads the item of a list setting that begins with a state
// ("SUSPENDUE:temporarily_unavailable"): the OAuth2 error of that state, "" where
// it has none.
func (s *Settings) ErrorIn(key, state string) string {
	for _, item := range s.List(key) {
		if code, ok := strings.CutPrefix(item, state+":"); ok {
			return code
		}
	}
	return ""
}

// oauthErrorLike says whether a code has the form of an error code that RFC 6749 §4.1.2.1
// allows in a redirect.
func oauthErrorLike(code string) bool {
	return code != "" && len(code) <= 60 && strings.Trim(code, "abcdefghijklmnopqrstuvwxyz_") == ""
}

func parseRefusal(text string) (Refusal, error) {
	status, code, ok := strings.Cut(text, ":")
	n, err := strconv.Atoi(status)
	if !ok || err != nil || n < 400 || n > 599 || code == "" || strings.Trim(code, "abcdefghijklmnopqrstuvwxyz-") != "" {
		return Refusal{}, fmt.Errorf("%q is not a status and an issue code such as 403:forbidden", text)
	}
	return Refusal{HTTP: n, Code: code}, nil
}

// checkLife refuses answers that cannot be read.
func (s *Settings) checkLife() error {
	for _, key := range []string{"reapproval.answer", "space.calls"} {
		if _, err := parseRefusal(s.String(key)); err != nil {
			return fmt.Errorf("setting %q: %w", key, err)
		}
	}
	for _, item := range s.List("service.calls") {
		_, rest, _ := strings.Cut(item, ":")
		if _, err := parseRefusal(rest); err != nil {
			return fmt.Errorf("setting %q: %w", "service.calls", err)
		}
	}
	for _, item := range s.List("service.pairing") {
		if _, code, _ := strings.Cut(item, ":"); !oauthErrorLike(code) {
			return fmt.Errorf("setting %q: %q is not a status and an error code such as SUSPENDUE:temporarily_unavailable", "service.pairing", item)
		}
	}
	if code := s.String("space.pairing"); !oauthErrorLike(code) {
		return fmt.Errorf("setting %q: %q is not an error code such as access_denied", "space.pairing", code)
	}
	return nil
}
