package web

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"time"
)

// Cookie is one cookie that the service set, without its value.
type Cookie struct {
	Name       string `json:"name"`
	Exchange   string `json:"exchange"`
	URL        string `json:"url"`
	OverHTTPS  bool   `json:"overHttps"` // it was set in an answer over HTTPS
	Secure     bool   `json:"secure"`
	HTTPOnly   bool   `json:"httpOnly"`
	SameSite   string `json:"sameSite"` // as written, "" when absent
	Path       string `json:"path"`
	Domain     string `json:"domain"`
	Persistent bool   `json:"persistent"` // outlives the browser's session
	Removed    bool   `json:"removed"`    // the answer takes it away
	Length     int    `json:"length"`     // of its value
	Bits       int    `json:"bits"`       // upper bound of the value's entropy
	// CacheControl is that of the answer which set the cookie, "" when absent.
	CacheControl string `json:"cacheControl"`
	Session      string `json:"session"` // why it looks like one that stands for the signed-in user; "" when it does not
}

var (
	sessionName = regexp.MustCompile(`(?i)(sess|^sid$|[._-]sid$|auth|token|jwt|login|remember)`)
	// Cookies against forged requests are read by scripts on purpose; consent,
	// language and audience cookies stand for no one's rights.
	otherName = regexp.MustCompile(`(?i)(csrf|xsrf|consent|cookiebanner|tarteaucitron|lang|locale|theme|^_ga|^_gid|^_pk_|^_hj)`)
)

const sessionBits = 128

// parseCookie reads a Set-Cookie line as browsers do, leniently (RFC 6265 §5.2).
func parseCookie(line string, now time.Time) (Cookie, bool) {
	first, rest, _ := strings.Cut(line, ";")
	name, value, found := strings.Cut(first, "=")
	if !found {
		name, value = "", first
	}
	name, value = strings.TrimSpace(name), strings.TrimSpace(value)
	if name == "" && value == "" {
		return Cookie{}, false
	}
	c := Cookie{Name: clip(name), Length: len(value), Bits: bitsOf(value)}
	for _, part := range strings.Split(rest, ";") {
		key, val, _ := strings.Cut(part, "=")
		val = strings.TrimSpace(val)
		switch strings.ToLower(strings.TrimSpace(key)) {
		case "secure":
			c.Secure = true
		case "httponly":
			c.HTTPOnly = true
		case "samesite":
			c.SameSite = clip(val)
		case "path":
			c.Path = clip(val)
		case "domain":
			c.Domain = clip(val)
		case "max-age":
			c.Persistent = true
			if strings.HasPrefix(val, "-") || strings.Trim(val, "0") == "" {
				c.Removed = true
			}
		case "expires":
			c.Persistent = true
			if t, err := http.ParseTime(val); err == nil && !t.After(now) {
				c.Removed = true
			}
		}
	}
	c.Session = c.looksLikeSession()
	return c, true
}

// looksLikeSession says why a cookie seems to stand for the signed-in user.
func (c Cookie) looksLikeSession() string {
	switch {
	case c.Removed || c.Length == 0 || otherName.MatchString(c.Name):
		return ""
	case sessionName.MatchString(c.Name):
		return "name"
	case !c.Persistent && c.Bits >= sessionBits:
		return "value"
	}
	return ""
}

// Prefix is the cookie's name prefix (RFC 6265bis §4.1.3), "" without one.
func (c Cookie) Prefix() string {
	for _, p := range []string{"__Host-", "__Secure-"} {
		if len(c.Name) > len(p) && strings.EqualFold(c.Name[:len(p)], p) {
			return p
		}
	}
	return ""
}

// PrefixKept says whether the cookie meets the conditions of its prefix;
// without, a browser drops it.
func (c Cookie) PrefixKept() bool {
	switch c.Prefix() {
	case "__Host-":
		return c.Secure && c.Path == "/" && c.Domain == ""
	case "__Secure-":
		return c.Secure
	}
	return true
}

// renameCookie writes a name in the place of the value of a Set-Cookie line.
func renameCookie(line string, nameOf func(kind, value string) string) string {
	first, rest, attributes := strings.Cut(line, ";")
	name, value, found := strings.Cut(first, "=")
	if !found {
		name, value = "", first
	}
	value = strings.TrimSpace(value)
	out := strings.TrimSpace(name) + "="
	if value != "" {
		out += nameOf("cookie", value)
	}
	if attributes {
		out += ";" + rest
	}
	return out
}

// bitsOf is length times bits per character of the alphabet: an upper bound.
func bitsOf(value string) int {
	if value == "" {
		return 0
	}
	per := 6.0
	switch {
	case strings.Trim(value, "0123456789") == "":
		per = 3.32
	case strings.Trim(value, "0123456789abcdef-") == "", strings.Trim(value, "0123456789ABCDEF-") == "":
		per = 4
	}
	return int(per * float64(len(value)))
}

// clip bounds what a stranger wrote.
func clip(s string) string {
	const most = 500
	s = strings.ToValidUTF8(s, "\uFFFD")
	if len(s) <= most {
		return s
	}
	return fmt.Sprintf("%s… (%d)", strings.ToValidUTF8(s[:most], ""), len(s))
}
