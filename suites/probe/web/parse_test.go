package web

import (
	"net/url"
	"strings"
	"testing"
)

func TestHSTS(t *testing.T) {
	for raw, want := range map[string]HSTS{
		"max-age=31536000":                       {Valid: true, MaxAge: 31536000},
		`max-age="15768000" ; includeSubDomains`: {Valid: true, MaxAge: 15768000, IncludeSubDomains: true},
		"MAX-AGE=0; preload":                     {Valid: true},
		"includeSubDomains":                      {IncludeSubDomains: true},
		"max-age=-1":                             {},
		"max-age=1y":                             {},
		"max-age=1; max-age=31536000":            {},
		"max-age=99999999999999999999":           {Valid: true, MaxAge: 100 * 366 * 24 * 3600},
	} {
		want.Raw = raw
		if got := parseHSTS([]string{raw, "max-age=1"}); got != want {
			t.Errorf("%q: %+v, want %+v", raw, got, want)
		}
	}
}

func TestCSP(t *testing.T) {
	got := parseCSP([]string{"default-src 'self'; script-src 'UNSAFE-inline' 'nonce-abc'; script-src *, img-src *", " ; "}, "header")
	if len(got) != 2 || len(got[0].Directives) != 2 || strings.Join(got[0].Repeated, "") != "script-src" {
		t.Fatalf("%+v", got)
	}
	d, ok := got[0].First("script-src-elem", "script-src", "default-src")
	if !ok || !d.Has("'unsafe-inline'") || !d.Strict() || d.Everyone() {
		t.Errorf("%+v", d)
	}
	if _, ok := got[1].Find("default-src"); ok {
		t.Error("a policy has another's directive")
	}
	meta := parseCSP([]string{"default-src 'none'; frame-ancestors 'none'"}, "meta")
	if _, ok := meta[0].Find("frame-ancestors"); ok {
		t.Error("frame-ancestors has no effect in the document")
	}
	for value, strict := range map[string]bool{"'nonce-'": false, "'sha256-AbC='": true, "'strict-dynamic'": true, "https:": false} {
		if (Directive{Values: []string{value}}).Strict() != strict {
			t.Errorf("%s strict: %v", value, !strict)
		}
	}
	if !(Directive{}).Only("'none'") || (Directive{Values: []string{"'self'", "x"}}).Only("'self'") {
		t.Error("Only")
	}
}

func TestReferrerPolicy(t *testing.T) {
	for raw, want := range map[string]string{
		"no-referrer": "no-referrer", "no-referrer, strict-origin-when-cross-origin": "strict-origin-when-cross-origin",
		"same-origin, future-policy": "same-origin", "never": "", "": "", "Unsafe-URL": "unsafe-url",
	} {
		if got := referrerPolicy(raw); got != want {
			t.Errorf("%q: %q, want %q", raw, got, want)
		}
	}
}

func TestCookies(t *testing.T) {
	for line, want := range map[string]struct {
		session string
		removed bool
	}{
		"sid=abcdefgh12345678; Path=/":                     {session: "name"},
		"PHPSESSID=q1w2e3":                                 {session: "name"},
		"connect.sid=s%3Axyz":                              {session: "name"},
		"x=0123456789abcdef0123456789abcdef; HttpOnly":     {session: "value"},
		"x=0123456789abcdef0123456789abcdef; Max-Age=3600": {},
		"XSRF-TOKEN=0123456789abcdef0123456789abcdef":      {},
		"lang=fr": {},
		"_ga=GA1.2.1234567890.1234567890123456789":            {},
		"session=; Max-Age=0":                                 {removed: true},
		"session=old; Expires=Thu, 01 Jan 1970 00:00:00 GMT":  {removed: true},
		"session=old; Max-Age=-1":                             {removed: true},
		"session=kept; Expires=Thu, 01 Jan 2099 00:00:00 GMT": {session: "name"},
		"=alone": {},
		"rememberMe=0123456789; expires=not a date; Domain=service.local": {session: "name"},
	} {
		c, ok := parseCookie(line, today)
		if !ok || c.Session != want.session || c.Removed != want.removed {
			t.Errorf("%q: %+v", line, c)
		}
		if shown := renameCookie(line, func(string, string) string { return "«c»" }); strings.Contains(shown, "0123456789") {
			t.Errorf("%q is shown as %q", line, shown)
		}
	}
	for line, kept := range map[string]bool{
		"__Host-a=b; Secure; Path=/": true, "__Host-a=b; Secure": false, "__Host-a=b; Secure; Path=/; Domain=x": false,
		"__Secure-a=b": false, "__secure-a=b; Secure": true, "a=b": true,
	} {
		if c, _ := parseCookie(line, today); c.PrefixKept() != kept {
			t.Errorf("%q: prefix kept %v", line, !kept)
		}
	}
	if _, ok := parseCookie(" ; Secure", today); ok {
		t.Error("a cookie out of nothing")
	}
}

func TestScripts(t *testing.T) {
	at, _ := url.Parse("https://service.example/dir/page")
	digest := "sha384-" + strings.Repeat("A", 64)
	doc := readDocument([]byte(`<!-- <script src="https://comment.example/x.js"></script> -->
		<BASE HREF="https://cdn.example/lib/"><base href="/second/">
		<script>document.write('<script src="https://text.example/x.js"></scr'+'ipt>')</script>
		<script src="a.js" integrity="`+digest+`" crossorigin></script>
		<script src="//other.example/b.js" integrity="md5-abc"></script>
		<script src="https://service.example:443/own.js"></script>
		<script src="data:text/javascript,1"></script>
		<script src="https://[bad"></script>
		<script src=" https://space.example/c.js " src="/d.js"></script>
		<textarea><script src="https://textarea.example/x.js"></script></textarea>
		<meta http-equiv="Content-Security-Policy" content="default-src 'self'">
		<meta name="referrer" content="same-origin">`), at)
	type seen struct {
		url           string
		third, pinned bool
	}
	want := []seen{
		{"https://cdn.example/lib/a.js", true, true},
		{"https://other.example/b.js", true, false},
		{"https://service.example:443/own.js", false, false},
		{"data:text/javascript,1", false, false},
		{"https://[bad", false, false},
		{"https://space.example/c.js", true, false},
	}
	if len(doc.scripts) != len(want) {
		t.Fatalf("%+v", doc.scripts)
	}
	for i, s := range doc.scripts {
		if got := (seen{s.URL, s.ThirdParty, s.Pinned}); got != want[i] {
			t.Errorf("script %d: %+v, want %+v", i, got, want[i])
		}
	}
	if !doc.scripts[0].CORS || doc.scripts[1].CORS || doc.inline != 1 || len(doc.csp) != 1 || doc.referrer != "same-origin" {
		t.Errorf("%+v", doc)
	}
}

func TestSecurityTxt(t *testing.T) {
	const ok = "Contact: https://service.example/securite\nExpires: 2027-01-01T00:00:00z\n"
	for name, c := range map[string]struct {
		text     string
		problems string
		expired  bool
	}{
		"good":                      {ok, "", false},
		"with comments and CRLF":    {"# qui\r\nContact: tel:+33-1-99-00-00-00\r\n\r\nExpires: 2027-01-01T00:00:00+01:00\r\n", "", false},
		"signed":                    {signedMessage + "\nHash: SHA512\n\n" + ok + signature + "\n\niQ:zz\n", "", false},
		"expired":                   {"Contact: mailto:a@service.example\nExpires: 2025-12-31T23:59:59Z\n", "", true},
		"without contact":           {"Expires: 2027-01-01T00:00:00Z\n", "missing-contact", false},
		"without expiry":            {"Contact: mailto:a@service.example\n", "missing-expires", false},
		"with two expiries":         {ok + "Expires: 2028-01-01T00:00:00Z\n", "repeated-expires", false},
		"with a date in words":      {"Contact: mailto:a@service.example\nExpires: next year\n", "bad-expires", false},
		"with a bare address":       {"Contact: a@service.example\nExpires: 2027-01-01T00:00:00Z\n", "bad-contact", false},
		"with an http contact":      {"Contact: http://service.example/\nExpires: 2027-01-01T00:00:00Z\n", "bad-contact", false},
		"with a line that is none":  {ok + "bonjour\n", "line", false},
		"with languages twice":      {ok + "Preferred-Languages: fr\nPreferred-Languages: en\n", "repeated-languages", false},
		"not UTF-8":                 {ok + "# \xff\n", "encoding", false},
		"empty":                     {"", "missing-contact missing-expires", false},
		"with another's canonical":  {ok + "Canonical: https://other.example/.well-known/security.txt\n", "canonical", false},
		"with its own canonical":    {ok + "Canonical: https://other.example/x\nCanonical: https://service.example/.well-known/security.txt\n", "", false},
		"with fields of the future": {ok + "Bug-Bounty: True\n", "", false},
	} {
		t.Run(name, func(t *testing.T) {
			s := SecurityTxt{URL: "https://service.example/.well-known/security.txt"}
			s.parse([]byte(c.text), today)
			s.checkCanonical()
			var keys []string
			for _, p := range s.Problems {
				keys = append(keys, p.Key)
			}
			if got := strings.Join(keys, " "); got != c.problems || s.Expired != c.expired {
				t.Errorf("problems %q expired %v", got, s.Expired)
			}
		})
	}
}

func FuzzReadDocument(f *testing.F) {
	f.Add([]byte(`<base href=//x><script src=a integrity=sha256-x>`))
	f.Add([]byte("<meta http-equiv=content-security-policy content=\"a;b,c\">\x00<"))
	at, _ := url.Parse("https://service.example/")
	f.Fuzz(func(_ *testing.T, b []byte) {
		readDocument(b, at)
		hiddenValues(b)
	})
}

func FuzzHeaders(f *testing.F) {
	f.Add("max-age=1; max-age", "default-src 'self',;", "a=b; Secure; Max-Age=0", "Contact: x\nExpires: y")
	f.Fuzz(func(t *testing.T, hsts, csp, cookie, txt string) {
		parseHSTS([]string{hsts})
		for _, p := range parseCSP([]string{csp}, "header") {
			if len(p.Directives) == 0 {
				t.Error("a policy without directives")
			}
		}
		if c, ok := parseCookie(cookie, today); ok {
			c.PrefixKept()
		}
		renameCookie(cookie, func(k, _ string) string { return k })
		var s SecurityTxt
		s.parse([]byte(txt), today)
		s.checkCanonical()
	})
}
