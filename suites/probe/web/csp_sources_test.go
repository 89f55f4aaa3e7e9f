package web

import (
	"strings"
	"testing"
)

func TestSourcesThatAnyoneCanFillAreWide(t *testing.T) {
	for value, want := range map[string]bool{
		"*": true, "https:": true, "http:": true, "data:": true, "blob:": true, "HTTPS:": true, "ws:": true, "filesystem:": true, "web+app:": true,
		"https://*": true, "http://*:*": true, "*:443": true, "https://*/scripts/": true, "*.com": true, "*.co.uk": true, "https://*.github.io": true, "*.cloudfront.net:*": true,
		"'self'": false, "'none'": false, "'unsafe-inline'": false, "'nonce-abcd'": false, "https://cdn.example": false, "cdn.example:8443": false,
		"*.carnet.example.fr": false, "https://*.carnet-clair.fr": false, "localhost:8080": false, "1.2.3.4:80": false, "[::1]:443": false, "": false, ":": false, "https://": false, "://*": true,
	} {
		d := Directive{Name: "script-src", Values: []string{value}}
		if got := len(d.Wide()) == 1; got != want {
			t.Errorf("%q: wide %t, want %t", value, got, want)
		}
	}
}

func TestSourcesInTheClear(t *testing.T) {
	d := Directive{Name: "img-src", Values: strings.Fields("'self' http: https: HTTP://a.example https://b.example ws://c.example wss://d.example data: httpx:")}
	if got := strings.Join(d.Clear(), " "); got != "http: HTTP://a.example ws://c.example" {
		t.Errorf("in the clear: %s", got)
	}
}

func FuzzSourceIsWide(f *testing.F) {
	for _, s := range []string{"*", "https:", "*.com", "[::1]:443", "'nonce-x'", "://*", "*..", "xn--.*"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, value string) {
		d := Directive{Values: []string{value}}
		if len(d.Wide()) > 1 || len(d.Clear()) > 1 {
			t.Errorf("%q is counted twice", value)
		}
		if strings.HasPrefix(value, "'") && len(d.Wide()) > 0 {
			t.Errorf("%q is a keyword", value)
		}
	})
}
