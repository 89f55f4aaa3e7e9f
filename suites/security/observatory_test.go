package security

import (
	"bytes"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/etalon-sante/etalon/suites/lab"
	"github.com/etalon-sante/etalon/suites/probe/web"
)

// observatory is the version of Mozilla's HTTP Observatory that is compared with.
const observatory = "@mdn/mdn-http-observatory@1.4.8"

// site is one configuration of a small server.
type site struct {
	headers map[string]string
	cookies []string
	page    string
	plain   string // what plain HTTP does: redirect (default), page, elsewhere
	echo    bool   // the origin is admitted with credentials
}

const closedCSP = "default-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"

// good is a configuration that both have nothing against.
func (s site) good() site {
	out := site{headers: map[string]string{
		"Strict-Transport-Security": "max-age=63072000", "Content-Security-Policy": closedCSP, "X-Content-Type-Options": "nosniff",
		"X-Frame-Options": "DENY", "Referrer-Policy": "no-referrer", "Content-Type": "text/html; charset=utf-8",
	}, cookies: []string{"__Host-session=0f1e2d3c4b5a69788796a5b4c3d2e1f0; Path=/; Secure; HttpOnly; SameSite=Lax"}, page: "<!doctype html><title>x</title><p>x</p>"}
	for k, v := range s.headers {
		if v == "" {
			delete(out.headers, k)
			continue
		}
		out.headers[k] = v
	}
	if s.cookies != nil {
		out.cookies = s.cookies
	}
	if s.page != "" {
		out.page = s.page
	}
	out.plain, out.echo = s.plain, s.echo
	return out
}

func sites() map[string]site {
	csp := func(policy string) site {
		return site{headers: map[string]string{"Content-Security-Policy": policy}}.good()
	}
	header := func(name, value string) site { return site{headers: map[string]string{name: value}}.good() }
	cookie := func(lines ...string) site { return site{cookies: lines}.good() }
	const rest = "; object-src 'none'; base-uri 'none'; frame-ancestors 'none'"
	sri := ` integrity="sha384-` + strings.Repeat("A", 64) + `"`
	script := func(attrs string) site {
		return site{page: `<!doctype html><title>x</title><script src="https://cdn.example/a.js"` + attrs + `></script>`, headers: map[string]string{"Content-Security-Policy": "default-src 'self'; script-src https://cdn.example" + rest}}.good()
	}
	return map[string]site{
		"good":                 site{}.good(),
		"bare":                 {page: "<!doctype html><title>x</title>", headers: map[string]string{"Content-Type": "text/html"}, plain: "page"},
		"csp-none":             header("Content-Security-Policy", ""),
		"csp-unsafe-inline":    csp("default-src 'self'; script-src 'self' 'unsafe-inline'" + rest),
		"csp-unsafe-eval":      csp("default-src 'self'; script-src 'self' 'unsafe-eval'" + rest),
		"csp-https-scheme":     csp("default-src 'self'; script-src 'self' https:" + rest),
		"csp-data-scripts":     csp("default-src 'self'; script-src 'self' data:" + rest),
		"csp-star":             csp("default-src *" + rest),
		"csp-http-scripts":     csp("default-src 'self'; script-src http:" + rest),
		"csp-style-inline":     csp("default-src 'self'; style-src 'self' 'unsafe-inline'" + rest),
		"csp-nonce-and-inline": csp("default-src 'self'; script-src 'nonce-AAAAAAAAAAAAAAAAAAAAAA' 'unsafe-inline'" + rest),
		"csp-http-images":      csp("default-src 'self'; img-src http://images.example" + rest),
		"csp-no-default":       csp("script-src 'self'" + rest),
		"csp-open-plugins":     csp("script-src 'self'; object-src *; base-uri 'none'; frame-ancestors 'none'"),
		"hsts-none":            header("Strict-Transport-Security", ""),
		"hsts-short":           header("Strict-Transport-Security", "max-age=300"),
		"hsts-seven-months":    header("Strict-Transport-Security", "max-age=18144000"),
		"hsts-malformed":       header("Strict-Transport-Security", "max-age=soon"),
		"nosniff-none":         header("X-Content-Type-Options", ""),
		"nosniff-other":        header("X-Content-Type-Options", "sniff"),
		"frame-none":           site{headers: map[string]string{"X-Frame-Options": "", "Content-Security-Policy": "default-src 'self'; object-src 'none'; base-uri 'none'"}}.good(),
		"frame-anyone":         site{headers: map[string]string{"X-Frame-Options": "", "Content-Security-Policy": "default-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors *"}}.good(),
		"referrer-unsafe":      header("Referrer-Policy", "unsafe-url"),
		"referrer-none":        header("Referrer-Policy", ""),
		"cookie-clear":         cookie("session=0f1e2d3c4b5a69788796a5b4c3d2e1f0; Path=/; HttpOnly; SameSite=Lax"),
		"cookie-scripts":       cookie("session=0f1e2d3c4b5a69788796a5b4c3d2e1f0; Path=/; Secure; SameSite=Lax"),
		"cookie-no-samesite":   cookie("session=0f1e2d3c4b5a69788796a5b4c3d2e1f0; Path=/; Secure; HttpOnly"),
		"cors-echo":            site{echo: true}.good(),
		"cors-star":            header("Access-Control-Allow-Origin", "*"),
		"plain-page":           site{plain: "page"}.good(),
		"script-pinned":        script(sri + " crossorigin"),
		"script-free":          script(""),
	}
}

// compared are the tests of the Observatory, and the checks of ours that ask the
// same.
func compared() map[string][]string {
	return map[string][]string{
		"content-security-policy":       {"SEC-06.1", "SEC-06.2", "SEC-40.1", "SEC-40.3"},
		"cookies":                       {"SEC-12.1", "SEC-12.2", "SEC-12.3"},
		"cross-origin-resource-sharing": {"SEC-10.1"},
		"redirection":                   {"SEC-04.1"},
		"referrer-policy":               {"SEC-09.1"},
		"strict-transport-security":     {"SEC-05.1"},
		"subresource-integrity":         {"SEC-11.1"},
		"x-content-type-options":        {"SEC-07.1"},
		"x-frame-options":               {"SEC-08.1"},
	}
}

// Every difference between what Mozilla's HTTP Observatory and the checks say of
// the same server stands, with its reason, in testdata/observatory.yaml.
func TestTheHTTPObservatoryAgreesOrTheDifferenceIsExplained(t *testing.T) {
	if os.Getenv("ETALON_ORACLES") != "1" {
		t.Skip("NOT COMPARED with Mozilla's HTTP Observatory: set ETALON_ORACLES=1 (needs Node 20 and npm)")
	}
	folder := installed(t)
	raw, err := os.ReadFile("testdata/observatory.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var explained map[string]map[string]string // site, test of theirs, reason
	if err := yaml.Unmarshal(raw, &explained); err != nil {
		t.Fatal(err)
	}
	agreed, differences, untested := 0, 0, 0
	names := []string{}
	for name := range sites() {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		theirs, ours := both(t, folder, sites()[name])
		for test, checks := range compared() {
			word, looked := "conformant", true
			for _, id := range checks {
				switch ours[id].State {
				case lab.NotMet:
					word = "nonconformant"
				case lab.Untested:
					looked = looked && len(checks) > 1
				}
			}
			if !looked && word == "conformant" {
				untested++ // nothing to be judged: no script of others, for instance
				continue
			}
			same := theirs[test].Pass == (word == "conformant")
			reason := explained[name][test]
			switch {
			case same && reason == "":
				agreed++
			case same:
				t.Errorf("%s, %s: a difference is explained that there is not", name, test)
			case reason == "":
				t.Errorf("%s, %s: theirs %q (pass %t), ours %s, and no reason is given", name, test, theirs[test].Result, theirs[test].Pass, word)
			default:
				differences++
			}
		}
	}
	for name := range explained {
		if _, ok := sites()[name]; !ok {
			t.Errorf("%s is explained, and no such site is compared", name)
		}
	}
	t.Logf("%d sites: %d judgements alike, %d differences explained, %d where there was nothing to judge", len(names), agreed, differences, untested)
}

type judgement struct {
	Pass   bool   `json:"pass"`
	Result string `json:"result"`
}

// installed gives the folder of the Observatory, fetched once.
func installed(t *testing.T) string {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(cache, "etalon-oracles", strings.NewReplacer("/", "-", "@", "").Replace(observatory))
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(folder, "node_modules", "@mdn")); err != nil {
		c := exec.CommandContext(t.Context(), "npm", "install", "--prefix", folder, "--no-audit", "--no-fund", "--ignore-scripts", observatory)
		if out, err := c.CombinedOutput(); err != nil {
			t.Skipf("SKIPPED: %s cannot be had from npm (%v: %s): nothing was compared with it", observatory, err, out)
		}
	}
	// Its own installation fetches the list of preloaded hosts and that of suffixes;
	// a server on loopback is on neither.
	conf := filepath.Join(folder, "node_modules", "@mdn", "mdn-http-observatory", "conf")
	for name, empty := range map[string]string{"hsts-preload.json": "{}", "tld-list.json": "[]"} {
		if err := os.WriteFile(filepath.Join(conf, name), []byte(empty), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	script, err := os.ReadFile("testdata/observatory.mjs")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "observatory.mjs"), script, 0o644); err != nil {
		t.Fatal(err)
	}
	return folder
}

// both has a site judged by the Observatory and by the checks.
func both(t *testing.T, folder string, s site) (map[string]judgement, map[string]lab.Result) {
	t.Helper()
	serve := func(w http.ResponseWriter, r *http.Request) {
		for k, v := range s.headers {
			w.Header().Set(k, v)
		}
		for _, c := range s.cookies {
			w.Header().Add("Set-Cookie", c)
		}
		if origin := r.Header.Get("Origin"); s.echo && origin != "" {
			w.Header().Set("Access-Control-Allow-Origin", origin)
			w.Header().Set("Access-Control-Allow-Credentials", "true")
		}
		if r.URL.Path != "/" {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		_, _ = w.Write([]byte(s.page))
	}
	secure := httptest.NewTLSServer(http.HandlerFunc(serve))
	defer secure.Close()
	plain := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.plain == "page" {
			serve(w, r)
			return
		}
		http.Redirect(w, r, secure.URL+r.URL.Path, http.StatusMovedPermanently)
	}))
	defer plain.Close()
	authority := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(authority, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: secure.Certificate().Raw}), 0o644); err != nil {
		t.Fatal(err)
	}
	port := func(address string) string {
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		_, p, err := net.SplitHostPort(u.Host)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	c := exec.CommandContext(t.Context(), "node", "observatory.mjs", "127.0.0.1", port(plain.URL), port(secure.URL))
	c.Dir, c.Env = folder, append(os.Environ(), "NODE_EXTRA_CA_CERTS="+authority)
	var said bytes.Buffer
	c.Stderr = &said
	out, err := c.Output()
	if err != nil {
		t.Fatalf("observatory: %v: %s", err, said.String())
	}
	theirs := map[string]judgement{}
	if err := json.Unmarshal(out, &theirs); err != nil {
		t.Fatalf("observatory: %v: %s", err, out)
	}
	roots := x509.NewCertPool()
	roots.AddCert(secure.Certificate())
	seen, err := web.Look(t.Context(), web.Options{Site: secure.URL, Plain: plain.URL, Roots: roots, Interval: -1, Now: func() time.Time { return today }})
	if err != nil {
		t.Fatal(err)
	}
	return theirs, judge(t, looked(t, "web-pages", "web", seen))
}
