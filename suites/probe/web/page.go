package web

import (
	"bytes"
	"encoding/base64"
	"net/url"
	"strings"

	"golang.org/x/net/html"
)

// Script is a script that a page loads from an address.
type Script struct {
	URL        string `json:"url"`
	ThirdParty bool   `json:"thirdParty"` // of another origin than the page's
	Integrity  string `json:"integrity"`  // as written
	Pinned     bool   `json:"pinned"`     // the integrity holds a digest that browsers check
	CORS       bool   `json:"cors"`       // has the crossorigin attribute, without which the digest of a third-party script cannot be checked
}

// maxScripts bounds what is kept of one page.
const maxScripts = 500

// document is what matters of an HTML document.
type document struct {
	scripts  []Script
	inline   int
	csp      []Policy
	referrer string
}

// readDocument reads tokens, not a tree: enough for what is asked, and nothing
// that a document can be nested to exhaust.
func readDocument(body []byte, at *url.URL) document {
	doc := document{scripts: []Script{}}
	base, based := at, false
	tokens(body, func(name string, attrs map[string]string) {
		switch name {
		case "base": // the first one with an href counts
			if href, ok := attrs["href"]; ok && !based {
				if u, err := at.Parse(strings.TrimSpace(href)); err == nil {
					base, based = u, true
				}
			}
		case "meta":
			content := attrs["content"]
			switch {
			case strings.EqualFold(attrs["http-equiv"], "content-security-policy"):
				doc.csp = append(doc.csp, parseCSP([]string{content}, "meta")...)
			case strings.EqualFold(attrs["name"], "referrer"):
				doc.referrer = content
			}
		case "script":
			src, ok := attrs["src"]
			if !ok {
				doc.inline++
				return
			}
			if len(doc.scripts) < maxScripts {
				doc.scripts = append(doc.scripts, readScript(src, attrs, base, at))
			}
		}
	})
	return doc
}

func readScript(src string, attrs map[string]string, base, page *url.URL) Script {
	s := Script{URL: clip(strings.TrimSpace(src)), Integrity: clip(attrs["integrity"]), Pinned: pinned(attrs["integrity"])}
	_, s.CORS = attrs["crossorigin"]
	u, err := base.Parse(strings.TrimSpace(src))
	if err != nil {
		return s // a browser loads nothing from it
	}
	s.URL = clip(u.String())
	switch u.Scheme {
	case "http", "https":
		s.ThirdParty = u.Scheme != page.Scheme || hostPort(u) != hostPort(page)
	}
	return s
}

// pinned says whether an integrity attribute holds a digest of a known kind
// (Subresource Integrity §3.3): browsers disregard others.
func pinned(integrity string) bool {
	for _, word := range strings.Fields(integrity) {
		kind, digest, _ := strings.Cut(word, "-")
		digest, _, _ = strings.Cut(digest, "?")
		raw, err := base64.StdEncoding.DecodeString(digest)
		if err != nil {
			raw, err = base64.URLEncoding.DecodeString(digest)
		}
		if size := map[string]int{"sha256": 32, "sha384": 48, "sha512": 64}[strings.ToLower(kind)]; err == nil && size > 0 && len(raw) == size {
			return true
		}
	}
	return false
}

// hiddenValues are the values of hidden form fields and of token elements long
// enough to be a secret of the session.
func hiddenValues(body []byte) []string {
	const least, most = 16, 50
	var out []string
	tokens(body, func(name string, attrs map[string]string) {
		value := ""
		switch {
		case name == "input" && strings.EqualFold(attrs["type"], "hidden"):
			value = attrs["value"]
		case name == "meta" && otherName.MatchString(attrs["name"]) && strings.Contains(strings.ToLower(attrs["name"]), "srf"):
			value = attrs["content"]
		}
		if len(value) >= least && len(out) < most {
			out = append(out, value)
		}
	})
	return out
}

// tokens calls visit for each start tag; of an attribute given twice the first
// counts, as in a browser.
func tokens(body []byte, visit func(name string, attrs map[string]string)) {
	z := html.NewTokenizer(bytes.NewReader(body))
	z.SetMaxBuf(MaxBody)
	for {
		switch z.Next() {
		case html.ErrorToken:
			return
		case html.StartTagToken, html.SelfClosingTagToken:
			name, more := z.TagName()
			tag := string(name)
			attrs := map[string]string{}
			for more {
				var key, value []byte
				key, value, more = z.TagAttr()
				if _, again := attrs[string(key)]; !again && len(attrs) < 100 {
					attrs[string(key)] = strings.ToValidUTF8(string(value), "\uFFFD")
				}
			}
			visit(tag, attrs)
		}
	}
}
