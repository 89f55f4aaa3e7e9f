package web

import (
	"mime"
	"net/http"
	"strconv"
	"strings"
)

// HSTS is a Strict-Transport-Security header (RFC 6797).
type HSTS struct {
	Raw               string `json:"raw"` // "" when absent
	Valid             bool   `json:"valid"`
	MaxAge            int64  `json:"maxAge"` // seconds
	IncludeSubDomains bool   `json:"includeSubDomains"`
}

// parseHSTS reads the first header only, as a browser does (RFC 6797 §8.1).
func parseHSTS(values []string) HSTS {
	if len(values) == 0 {
		return HSTS{}
	}
	h := HSTS{Raw: values[0]}
	seen := map[string]bool{}
	for _, part := range strings.Split(values[0], ";") {
		name, value, _ := strings.Cut(part, "=")
		name = strings.ToLower(strings.TrimSpace(name))
		if name == "" {
			continue
		}
		if seen[name] {
			return HSTS{Raw: values[0]} // a directive given twice spoils the header (§6.1)
		}
		seen[name] = true
		switch name {
		case "max-age":
			n, ok := seconds(strings.Trim(strings.TrimSpace(value), `"`))
			if !ok {
				return HSTS{Raw: values[0]}
			}
			h.MaxAge = n
		case "includesubdomains":
			h.IncludeSubDomains = true
		}
	}
	h.Valid = seen["max-age"]
	return h
}

// seconds reads digits; what is longer than a century of seconds is cut there.
func seconds(s string) (int64, bool) {
	if s == "" || strings.Trim(s, "0123456789") != "" {
		return 0, false
	}
	const century = 100 * 366 * 24 * 3600
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n > century {
		return century, true
	}
	return n, true
}

// referrerPolicy is the policy in force: of a list, the last one that a browser
// knows (Referrer Policy §4.1).
func referrerPolicy(raw string) string {
	policy := ""
	for _, part := range strings.Split(raw, ",") {
		switch p := strings.ToLower(strings.TrimSpace(part)); p {
		case "no-referrer", "no-referrer-when-downgrade", "same-origin", "origin", "strict-origin",
			"origin-when-cross-origin", "strict-origin-when-cross-origin", "unsafe-url":
			policy = p
		}
	}
	return policy
}

// isHTML says whether an answer is an HTML document; without a declared type, as
// a browser would guess.
func isHTML(h http.Header, body []byte) bool {
	declared := h.Get("Content-Type")
	if declared == "" {
		declared = http.DetectContentType(body)
	}
	kind, _, err := mime.ParseMediaType(declared)
	return err == nil && (kind == "text/html" || kind == "application/xhtml+xml")
}
