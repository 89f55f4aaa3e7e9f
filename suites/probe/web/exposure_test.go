package web

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// quiet is a site without fault.
func quiet(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodGet && r.URL.Path == "/" {
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte(`<!doctype html><script src="/app/js/a.js"></script><img src="https://other.example/x/y.png">`))
		return
	}
	http.NotFound(w, r)
}

func explore(t *testing.T, h http.HandlerFunc, own bool) Exposure {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	got, err := Explore(t.Context(), Options{Site: s.URL, Interval: -1}, own)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// signs are all that was recognised, with the path that gave it.
func signs(e Exposure) string {
	var out []string
	all := slices.Concat([]Answer{e.Nowhere}, e.Malformed, e.Files, e.Debug, e.Directories, []Answer{e.Trace})
	for _, a := range all {
		for _, s := range a.Signs {
			out = append(out, a.Path+" "+s)
		}
		for _, p := range a.Products {
			out = append(out, a.Path+" "+p)
		}
	}
	for _, v := range e.Versions {
		out = append(out, v.Where+" "+v.Value)
	}
	return strings.Join(out, "\n")
}

func TestASiteWithoutFaultShowsNothing(t *testing.T) {
	e := explore(t, quiet, true)
	if got := signs(e); got != "" {
		t.Errorf("recognised %s", got)
	}
	if !e.Home || e.Nowhere.Status != 404 || e.Trace.Status != 404 || len(e.Files) < 30 || len(e.Debug) < 10 || len(e.Malformed) != 4 || len(e.Origins) != 5 {
		t.Errorf("looked at too little: %+v", e)
	}
	var dirs []string
	for _, d := range e.Directories {
		dirs = append(dirs, d.Path)
	}
	if !slices.Contains(dirs, "/app/js/") || !slices.Contains(dirs, "/app/") || slices.Contains(dirs, "/x/") {
		t.Errorf("folders %v", dirs)
	}
	for _, x := range e.Exchanges {
		if b := x.Response.Body; b != nil && b.Text != "" && x.Request.URL != e.Site && !strings.HasSuffix(x.Request.URL, "/") {
			t.Errorf("the body of %s is written down", x.Request.URL)
		}
	}
}

func TestWhatAnIntruderAsksForIsNotAskedOfOthers(t *testing.T) {
	var asked []string
	e := explore(t, func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.Method+" "+r.URL.RequestURI())
		quiet(w, r)
	}, false)
	if len(asked) > 8 || e.Requests != len(asked) {
		t.Errorf("%d requests, said %d: %v", len(asked), e.Requests, asked)
	}
	for _, a := range asked {
		if strings.Contains(a, ".git") || strings.HasPrefix(a, "TRACE") || strings.Contains(a, "?") {
			t.Errorf("asked %s", a)
		}
	}
}

func TestExposedThingsAreRecognisedByTheirContent(t *testing.T) {
	const head = "ref: refs/heads/main\n"
	for name, c := range map[string]struct {
		path, body string
		want       string
	}{
		"a repository":               {"/.git/HEAD", head, "ref: refs/…"},
		"a commit":                   {"/.git/HEAD", strings.Repeat("0a", 20) + "\n", "ref: refs/…"},
		"a page in its place":        {"/.git/HEAD", "<!doctype html><p>ref: refs/heads/main", ""},
		"subversion":                 {"/.svn/entries", "12\n\ndir\n", "svn"},
		"settings":                   {"/.env", "# x\nAPP_KEY=aaaaaaaaaaaaaaaa\nexport DB=1\n\n", "NAME=…"},
		"text in the place of them":  {"/.env", "nothing here\n", ""},
		"an empty file":              {"/.env", "", ""},
		"source of PHP":              {"/config.php.bak", "<?php $x = 1;", "<?php"},
		"passwords":                  {"/.htpasswd", "admin:$apr1$abc$def\n", "name:$…$"},
		"a dump":                     {"/backup.sql", "-- x\nCREATE TABLE a (b int);", "CREATE TABLE"},
		"a page on dumps":            {"/backup.sql", "<!doctype html><p>CREATE TABLE", ""},
		"an archive":                 {"/backup.zip", "PK\x03\x04xxxx", "zip"},
		"public settings":            {"/config.json", `{"apiUrl":"/api"}`, ""},
		"secret settings":            {"/config.json", `{"dbPassword":"x"}`, `{"…password…": …}`},
		"information on PHP":         {"/phpinfo.php", "<title>phpinfo()</title>", "phpinfo()"},
		"actuator":                   {"/actuator/env", `{"propertySources":[]}`, `{"propertySources": …}`},
		"metrics":                    {"/metrics", "# HELP go_goroutines x\n# TYPE go_goroutines gauge\n", "# HELP"},
		"a folder of apache":         {"/uploads/", "<html><head><title>Index of /uploads</title>", "Index of /"},
		"a folder of Go":             {"/static/", "<!doctype html>\n<meta name=\"viewport\" content=\"width=device-width\">\n<pre>\n<a href=\"a.txt\">a.txt</a>\n</pre>\n", "<pre><a href>"},
		"a folder of the page's own": {"/app/js/", "<title>Directory listing for /app/js/</title>", "Directory listing for /"},
		"a page in a folder":         {"/uploads/", "<title>Vos envois</title><pre>x</pre>", ""},
	} {
		t.Run(name, func(t *testing.T) {
			e := explore(t, func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == c.path {
					_, _ = w.Write([]byte(c.body))
					return
				}
				quiet(w, r)
			}, true)
			want := ""
			if c.want != "" {
				want = c.path + " " + c.want
			}
			if got := signs(e); got != want {
				t.Errorf("recognised %q, want %q", got, want)
			}
		})
	}
}

// A page for every address is no proof, even one that holds what a rule asks for.
func TestAPageForEveryAddressIsNotTakenForWhatWasAskedFor(t *testing.T) {
	for name, page := range map[string]string{
		"an application":   "<!doctype html><div id=root></div>",
		"a repository":     "ref: refs/heads/main\n",
		"settings":         "A=b\n",
		"metrics":          "# HELP a b\n",
		"a page about PHP": "<!doctype html>phpinfo() Symfony Profiler",
	} {
		e := explore(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(page)) }, true)
		for _, a := range slices.Concat(e.Files, e.Debug) {
			if len(a.Signs) > 0 {
				t.Errorf("%s: %s is recognised as %v", name, a.Path, a.Signs)
			}
		}
		if e.Nowhere.Status != 200 {
			t.Errorf("%s: %+v", name, e.Nowhere)
		}
	}
}

func TestTraceIsRecognisedByTheEcho(t *testing.T) {
	echo := func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodTrace {
			_ = r.Header.Write(w)
			return
		}
		quiet(w, r)
	}
	if got := signs(explore(t, echo, true)); got != "/ X-Etalon" {
		t.Errorf("recognised %q", got)
	}
	deaf := func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodTrace {
			quiet(w, r)
		}
	}
	if got := signs(explore(t, deaf, true)); got != "" {
		t.Errorf("recognised %q", got)
	}
}

func TestVersionsAreRead(t *testing.T) {
	e := explore(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Server", "nginx/1.24.0")
		w.Header().Set("X-Powered-By", "Express")
		w.Header().Set("Via", "1.1 edge")
		if r.URL.Path != "/" {
			w.WriteHeader(404)
			_, _ = w.Write([]byte("<hr><center>nginx/1.24.0</center>"))
			return
		}
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte(`<!doctype html><meta name="Generator" content="WordPress 6.5.2">`))
	}, false)
	if got := signs(e); !strings.HasSuffix(got, "nginx/1.24.0\nServer nginx/1.24.0\nmeta generator WordPress 6.5.2") || strings.Contains(got, "Express") {
		t.Errorf("recognised %q", got)
	}
	for value, want := range map[string]bool{
		"nginx": false, "Apache": false, "nginx/1.18": true, "PHP/8": true, "Apache/2.4.57 (Debian)": true, "cloudflare": false, "ASP.NET": false, "4.0.30319": true, "Hugo 0.120": true, "Drupal 10": true, "AmazonS3": false, "": false,
	} {
		if versioned(value) != want {
			t.Errorf("%q: versioned %t, want %t", value, !want, want)
		}
	}
}

func TestCallStacksAreRecognised(t *testing.T) {
	files, err := filepath.Glob("testdata/stacks/*.txt")
	if err != nil || len(files) < 10 {
		t.Fatalf("%d stacks: %v", len(files), err)
	}
	all := stacks()
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		got := found(all, b)
		name := strings.TrimSuffix(filepath.Base(file), ".txt")
		if none := strings.HasPrefix(name, "none-"); none != (len(got) == 0) {
			t.Errorf("%s: recognised %v", name, got)
		}
	}
}

func TestAForeignOriginIsPresented(t *testing.T) {
	e := explore(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", r.Header.Get("Origin"))
		w.Header().Set("Access-Control-Allow-Credentials", "true")
		quiet(w, r)
	}, false)
	lookalike := 0
	for _, o := range e.Origins {
		if o.AllowOrigin != o.Origin || o.Exchange == "" {
			t.Errorf("%+v", o)
		}
		if o.Lookalike {
			lookalike++
		}
	}
	if lookalike != 2 {
		t.Errorf("%d lookalikes", lookalike)
	}
}

func TestASiteThatHangsIsGivenUpSoon(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/" && r.Method == http.MethodGet && r.Header.Get("Origin") == "" && r.URL.RawQuery == "" {
			quiet(w, r)
			return
		}
		<-r.Context().Done()
	}))
	defer s.Close()
	e, err := Explore(t.Context(), Options{Site: s.URL, Interval: -1, Timeout: 50_000_000}, true)
	if err != nil || e.Requests > 4 {
		t.Errorf("%d requests, %v", e.Requests, err)
	}
	if e.Trace.Status != 0 || e.Trace.Error == "" {
		t.Errorf("%+v", e.Trace)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Explore(ctx, Options{Site: s.URL}, true); err == nil {
		t.Error("an exploration that was ended says nothing of it")
	}
}

func FuzzWhatIsRecognised(f *testing.F) {
	for _, s := range []string{"ref: refs/heads/main", "A=b", "<?php", "at a.b(C.java:1)", "PHP/8.1", "<title>Index of /", `{"memstats":{}}`, "\x00\x00\x00\x01Bud1"} {
		f.Add([]byte(s))
	}
	wanted := slices.Concat(files(), debugPages())
	patterns := slices.Concat(stacks(), listings())
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, w := range wanted {
			// What is recognised is named, never repeated.
			if sign := w.sign(b); len(sign) > 40 {
				t.Errorf("%s: %q", w.path, sign)
			}
		}
		found(patterns, b)
		for _, p := range products(b) {
			if !versioned(p) {
				t.Errorf("%q has no version", p)
			}
		}
	})
}
