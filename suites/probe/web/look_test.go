package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/etalon-sante/etalon/sandbox/record"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var today = time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)

// site is a test server, over TLS, with a plain one that leads to it.
type site struct {
	secure, plain *httptest.Server
}

func serve(t *testing.T, secure, plain http.HandlerFunc) site {
	t.Helper()
	s := site{secure: httptest.NewUnstartedServer(secure)}
	s.secure.Config.ErrorLog = nil
	s.secure.StartTLS()
	t.Cleanup(s.secure.Close)
	if plain == nil {
		plain = func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, s.secure.URL+r.URL.Path, http.StatusMovedPermanently)
		}
	}
	s.plain = httptest.NewServer(plain)
	t.Cleanup(s.plain.Close)
	return s
}

func (s site) options(pages ...Target) Options {
	return Options{
		Site: s.secure.URL + "/", Plain: s.plain.URL + "/", Pages: pages,
		Now: func() time.Time { return today }, Timeout: 2 * time.Second, Interval: -1,
	}
}

func look(t *testing.T, o Options) Result {
	t.Helper()
	r, err := Look(t.Context(), o)
	if err != nil {
		t.Fatalf("look: %v", err)
	}
	if b, err := json.Marshal(r); err != nil || strings.Contains(string(b), "null") {
		t.Errorf("JSON with null, or none: %v\n%s", err, b)
	}
	return r
}

func good(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
	h.Set("Content-Security-Policy", "default-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	switch r.URL.Path {
	case "/":
		h.Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write([]byte("<!doctype html><title>Service</title><script src=/app.js></script>"))
	case "/connexion":
		http.SetCookie(w, &http.Cookie{Name: "__Host-session", Value: "0123456789abcdef0123456789abcdef", Path: "/", Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode})
		h.Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write([]byte(`<form><input type=hidden name=csrf value="a-form-token-of-this-session"></form>`))
	case "/.well-known/security.txt":
		h.Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = w.Write([]byte("Contact: mailto:securite@service.example\nExpires: 2027-06-30T00:00:00Z\nPreferred-Languages: fr, en\n"))
	default:
		http.NotFound(w, r)
	}
}

func TestAGoodSiteIsSeenAsItIs(t *testing.T) {
	s := serve(t, good, nil)
	r := look(t, s.options(Target{"/connexion", "login"}, Target{"/", "home"}, Target{"/absente", "legal"}))
	if len(r.Pages) != 3 {
		t.Fatalf("pages: %+v", r.Pages)
	}
	home := r.Pages[0]
	if home.State != Read || !home.HTML || !home.Secure || home.HSTS.MaxAge != 31536000 || !home.HSTS.IncludeSubDomains ||
		home.Nosniff != "nosniff" || home.FrameOptions != "DENY" || home.ReferrerPolicy != "no-referrer" {
		t.Errorf("home: %+v", home)
	}
	if len(home.CSP) != 1 || len(home.CSP[0].Directives) != 4 || home.CORS.Exchange == "" || home.CORS.AllowOrigin != "" {
		t.Errorf("home: %+v", home)
	}
	if len(home.Scripts) != 1 || home.Scripts[0].ThirdParty {
		t.Errorf("scripts: %+v", home.Scripts)
	}
	if missing := r.Pages[2]; missing.State != Failed || missing.Status != 404 || missing.Reason == "" {
		t.Errorf("missing page: %+v", missing)
	}
	if r.Plain.State != Read || len(r.Plain.Hops) != 2 || r.Plain.Hops[0].Status != 301 || !strings.HasPrefix(r.Plain.Hops[0].Location, "https://127.0.0.1") {
		t.Errorf("plain: %+v", r.Plain)
	}
	if txt := r.SecurityTxt; !txt.Found || txt.Legacy || txt.Expired || len(txt.Problems) != 0 || len(txt.Contacts) != 1 {
		t.Errorf("security.txt: %+v", txt)
	}
	if len(r.Cookies) != 1 || r.Cookies[0].Session != "name" || r.Cookies[0].Prefix() != "__Host-" || !r.Cookies[0].PrefixKept() || r.Cookies[0].SameSite != "Lax" {
		t.Errorf("cookies: %+v", r.Cookies)
	}
}

func TestNoSecretIsRecordedAndEachExchangeIsTheHarness(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/compte" {
			http.Redirect(w, r, "/connexion?state=the-state-of-this-sign-in", http.StatusSeeOther)
			return
		}
		good(w, r)
	}, nil)
	var kinds []string
	o := s.options(Target{"/connexion", "login"}, Target{"/compte", "account"})
	o.Name = func(kind, value string) string { kinds = append(kinds, kind); return "«" + kind + "-1»" }
	r := look(t, o)
	all, err := json.Marshal(struct {
		Result
		X []record.Exchange
	}{r, r.Exchanges})
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{"0123456789abcdef0123456789abcdef", "a-form-token-of-this-session", "the-state-of-this-sign-in"} {
		if strings.Contains(string(all), secret) {
			t.Errorf("%s is in what is recorded", secret)
		}
	}
	if got := strings.Join(kinds, " "); !strings.Contains(got, "cookie") || !strings.Contains(got, "form-token") || !strings.Contains(got, "parameter") {
		t.Errorf("kinds named: %s", got)
	}
	ids := map[string]bool{}
	for _, x := range r.Exchanges {
		if ids[x.ID] || x.From != record.Harness || x.To != record.Candidate {
			t.Errorf("exchange %+v", x)
		}
		ids[x.ID] = true
	}
	for _, p := range r.Pages {
		if !ids[p.Exchange] || !ids[p.CORS.Exchange] {
			t.Errorf("page %s names exchanges %q and %q, which do not exist", p.URL, p.Exchange, p.CORS.Exchange)
		}
	}
}

// The harness contacts no address that the manifest does not name: not by a
// redirect, not by a link, not by a page that is none.
func TestNothingOutsideOfTheManifestIsContacted(t *testing.T) {
	var hits atomic.Int32
	stranger := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { hits.Add(1) }))
	defer stranger.Close()
	elsewhere := func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/":
			w.Header().Set("Content-Type", "text/html")
			fmt.Fprintf(w, `<base href="%[1]s/"><script src="%[1]s/a.js"></script><img src="%[1]s/a.png"><a href="%[1]s">x</a><meta http-equiv=refresh content="0;url=%[1]s">`, stranger.URL)
		case "/meme-hote":
			http.Redirect(w, r, "/", http.StatusFound)
		default:
			http.Redirect(w, r, stranger.URL+"/", http.StatusFound)
		}
	}
	s := serve(t, elsewhere, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, stranger.URL+"/", http.StatusMovedPermanently)
	})
	o := s.options(Target{"/compte", "account"}, Target{"/meme-hote", "other"}, Target{"//" + stranger.Listener.Addr().String() + "/", "other"}, Target{stranger.URL, "other"}, Target{"http:/x", "other"})
	// Even a dialler would tell: nothing but the two servers is dialled.
	o.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		if address != s.secure.Listener.Addr().String() && address != s.plain.Listener.Addr().String() {
			t.Errorf("dialled %s", address)
		}
		return (&net.Dialer{}).DialContext(ctx, network, address)
	}
	r := look(t, o)
	if n := hits.Load(); n != 0 {
		t.Errorf("the other server received %d requests", n)
	}
	want := []string{Read, Elsewhere, Read, Failed, Failed, Failed}
	for i, p := range r.Pages {
		if p.State != want[i] {
			t.Errorf("page %s is %s (%s), want %s", p.URL, p.State, p.Reason, want[i])
		}
	}
	if r.Plain.State != Elsewhere || !strings.HasPrefix(r.Plain.Hops[0].Location, stranger.URL) {
		t.Errorf("plain: %+v", r.Plain)
	}
	if r.SecurityTxt.Found {
		t.Errorf("security.txt: %+v", r.SecurityTxt)
	}
	// Named in the manifest, it may be visited.
	o = s.options()
	o.Named = []string{stranger.URL}
	if r = look(t, o); r.Plain.State != Read || hits.Load() == 0 {
		t.Errorf("plain: %+v, %d requests", r.Plain, hits.Load())
	}
}

func TestAHostileServerCostsLittle(t *testing.T) {
	endless := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		chunk := []byte(strings.Repeat("<script src=https://x.example/a.js></script>", 1000))
		for {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	}
	slow := func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/" {
			good(w, r)
			return
		}
		w.WriteHeader(http.StatusOK)
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	}
	loop := func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/":
			good(w, r)
		case "/boucle":
			http.Redirect(w, r, "/boucle", http.StatusFound)
		default:
			http.Redirect(w, r, r.URL.Path+"x", http.StatusFound)
		}
	}
	headers := func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/" {
			good(w, r)
			return
		}
		for i := range 3000 {
			w.Header().Add("X-Long", strings.Repeat("x", 100)+fmt.Sprint(i))
		}
	}
	for name, c := range map[string]struct {
		handler http.HandlerFunc
		pages   []Target
		check   func(*testing.T, Result)
	}{
		"a body without end is cut": {endless, nil, func(t *testing.T, r Result) {
			if p := r.Pages[0]; !p.Truncated || p.State != Read || len(p.Scripts) != maxScripts {
				t.Errorf("%v %v %d", p.Truncated, p.State, len(p.Scripts))
			}
		}},
		"redirects without end are left": {loop, []Target{{"/boucle", ""}, {"/spirale", ""}}, func(t *testing.T, r Result) {
			for _, p := range r.Pages[1:] {
				if p.State != Failed || !strings.Contains(p.Reason, "without end") || len(p.Hops) > MaxRedirects+1 {
					t.Errorf("%+v", p)
				}
			}
		}},
		"after two requests without an answer the rest is not asked for": {slow, []Target{{"/a", ""}, {"/b", ""}, {"/c", ""}, {"/d", ""}}, func(t *testing.T, r Result) {
			if last := r.Pages[4]; last.State != Failed || !strings.Contains(last.Reason, "not asked for") {
				t.Errorf("%+v", last)
			}
			if first := r.Pages[1]; !strings.Contains(first.Reason, "no whole answer within") {
				t.Errorf("%+v", first)
			}
		}},
		"headers without end are refused": {headers, []Target{{"/a", ""}}, func(t *testing.T, r Result) {
			if p := r.Pages[1]; p.State != Failed || p.Exchange != "" {
				t.Errorf("%+v", p)
			}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			o := serve(t, c.handler, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) }).options(c.pages...)
			o.Timeout = 500 * time.Millisecond
			c.check(t, look(t, o))
		})
	}
}

func TestASiteThatDoesNotAnswerIsAnError(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	free := l.Addr().String()
	_ = l.Close()
	_, err = Look(t.Context(), Options{Site: "https://" + free + "/", Timeout: time.Second})
	var un *UnreachableError
	if !errors.As(err, &un) {
		t.Errorf("error %v", err)
	}
	for _, bad := range []string{"", "service.example", "ftp://service.example/", "https://%zz"} {
		if _, err := Look(t.Context(), Options{Site: bad}); err == nil || errors.As(err, &un) {
			t.Errorf("%q: error %v", bad, err)
		}
	}
}

func TestAForeignOriginIsPresentedAndTheAnswerKept(t *testing.T) {
	for name, c := range map[string]struct {
		answer func(http.Header, string)
		allow  string
	}{
		"a star":    {func(h http.Header, _ string) { h.Set("Access-Control-Allow-Origin", "*") }, "*"},
		"reflected": {func(h http.Header, o string) { h.Set("Access-Control-Allow-Origin", o) }, ForeignOrigin},
		"nothing":   {func(http.Header, string) {}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, func(w http.ResponseWriter, r *http.Request) {
				if o := r.Header.Get("Origin"); o != "" {
					w.Header().Set("Access-Control-Allow-Credentials", "true")
					c.answer(w.Header(), o)
				}
			}, nil)
			got := look(t, s.options()).Pages[0].CORS
			if got.AllowOrigin != c.allow || got.AllowCredentials != "true" || got.Origin != ForeignOrigin {
				t.Errorf("%+v", got)
			}
		})
	}
}

func TestPlainHTTPWithoutAServerIsClosed(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	free := l.Addr().String()
	_ = l.Close()
	o := serve(t, good, nil).options()
	o.Plain = "http://" + free + "/"
	if p := look(t, o).Plain; p.State != Closed || p.Expected || p.Reason == "" {
		t.Errorf("%+v", p)
	}
	o.Plain = "https://not-plain.example/"
	if p := look(t, o).Plain; p.State != Failed || p.Reason != "not an http address" {
		t.Errorf("%+v", p)
	}
}

func TestRequestsKeepTheirInterval(t *testing.T) {
	o := serve(t, good, nil).options()
	o.Interval = 20 * time.Millisecond
	start := time.Now()
	r := look(t, o)
	if least := time.Duration(len(r.Exchanges)-1) * o.Interval; time.Since(start) < least {
		t.Errorf("%d requests in %s", len(r.Exchanges), time.Since(start))
	}
}

func TestAddressesAreComparedWithTheirPort(t *testing.T) {
	f := &fetcher{hosts: map[string]bool{}}
	u := func(s string) *url.URL { v, _ := url.Parse(s); return v }
	f.name(u("https://Service.example/"))
	for address, want := range map[string]bool{
		"https://service.example/x":    true,
		"https://service.example:443/": true,
		"http://service.example/":      false,
		"https://service.example:8443": false,
		"ftp://service.example:443/":   false,
		"https://www.service.example/": false,
	} {
		if f.named(u(address)) != want {
			t.Errorf("%s: named %v", address, !want)
		}
	}
}
