package browser_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/etalon-sante/etalon/suites/probe/browser"
)

// host opens a browser for a test, or skips it where there is none.
func host(t *testing.T) *browser.Host {
	t.Helper()
	o := browser.Options{Program: browser.Auto, Loopback: true}
	if why := browser.Missing(o); why != (browser.Text{}) {
		if os.Getenv("CI") != "" {
			t.Fatal(why.EN)
		}
		t.Skip("NOT TRIED: " + why.EN)
	}
	h := browser.Open(o)
	t.Cleanup(h.Close)
	return h
}

const clean = `<!doctype html><html lang="fr"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Une page sobre</title><style>a:focus-visible{outline:3px solid}</style></head><body><main><h1>Bonjour</h1><p>Rien ne suit personne ici. <a href="/suite">La suite</a></p></main></body></html>`

const tracked = `<!doctype html><html><head><meta charset="utf-8"><title></title><style>*:focus{outline:none}</style>
<script src="https://www.google-analytics.com/analytics.js"></script>
<script>document.cookie="_ga=GA1.1.1234567890.1700000000; max-age=63072000; path=/"; localStorage.setItem("amplitude_id","x1y2z3");
new Image().src="https://www.facebook.com/tr?id=1&dl=" + encodeURIComponent(location.pathname)</script></head>
<body><video autoplay muted src="/film.mp4"></video><div style="width:900px">trop large</div><img src="/p.png"><a href="/a">un</a> <a href="/b">deux</a></body></html>`

func TestAPageFullOfTrackersAndOneWithNoneAreToldApart(t *testing.T) {
	t.Parallel()
	h := host(t)
	serve := func(html string) browser.Result {
		s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.Contains(r.URL.Path, ".") {
				http.NotFound(w, r)
				return
			}
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			_, _ = w.Write([]byte(html))
		}))
		defer s.Close()
		res, err := h.Look(t.Context(), browser.Visit{Site: s.URL, Pages: []browser.Target{{Path: "/diabete-et-grossesse", Role: "other"}}, Access: true})
		if err != nil {
			t.Fatal(err)
		}
		return res
	}
	good, bad := serve(clean), serve(tracked)
	if len(good.Pages) != 2 || len(bad.Pages) != 2 || good.Browser == "" {
		t.Fatalf("%d and %d pages, browser %q", len(good.Pages), len(bad.Pages), good.Browser)
	}
	hosts := func(r browser.Result) (third []string, tells int) {
		for _, p := range r.Pages {
			if p.State != browser.Read {
				t.Errorf("%s: %s", p.URL, p.Reason)
			}
			for _, q := range p.Requests {
				if q.Third {
					third = append(third, q.Host)
					tells += len(q.Tells)
				}
			}
		}
		return third, tells
	}
	if third, _ := hosts(good); len(third)+len(good.Cookies)+len(good.Pages[0].Facts.Stored)+len(good.Pages[0].Facts.Playing) != 0 {
		t.Errorf("the sober page asks %v and leaves %v %v", third, good.Cookies, good.Pages[0].Facts)
	}
	third, tells := hosts(bad)
	for _, want := range []string{"www.google-analytics.com", "www.facebook.com"} {
		if !slices.Contains(third, want) {
			t.Errorf("%s is not among %v", want, third)
		}
	}
	if tells == 0 {
		t.Error("nothing is said of the path that a third party learns")
	}
	if len(bad.Cookies) != 1 || bad.Cookies[0].Name != "_ga" || bad.Cookies[0].Days < 300 {
		t.Errorf("cookies: %+v", bad.Cookies)
	}
	f := bad.Pages[0].Facts
	if len(f.Stored) != 1 || f.Stored[0].Key != "amplitude_id" || f.Stored[0].Size != 6 || len(f.Playing) != 1 || f.Title != "" || f.Lang != "" {
		t.Errorf("facts: %+v", f)
	}
	for _, r := range []browser.Result{good, bad} {
		b, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		for _, value := range []string{"GA1.1.1234567890", "x1y2z3"} {
			if strings.Contains(string(b), value) {
				t.Errorf("the value %s was recorded", value)
			}
		}
	}
	a, b := good.Pages[0].Access, bad.Pages[0].Access
	if a.Reflow.Page > a.Reflow.Window || len(a.Keyboard.Unseen) > 0 || a.Keyboard.Reached != 1 {
		t.Errorf("the sober page: %+v", a)
	}
	if b.Reflow.Page < 900 || len(b.Reflow.Out) == 0 || len(b.Keyboard.Unseen) != 2 || b.Keyboard.Reached != 2 {
		t.Errorf("the other one: %+v %+v", b.Reflow, b.Keyboard)
	}
	if browser.AxeVersion() != "" && (!a.Rules.Ran || !b.Rules.Ran || len(a.Rules.Violations) > 0 || len(b.Rules.Violations) < 3) {
		t.Errorf("rules: %+v %+v", a.Rules, b.Rules)
	}
}

func TestTheBrowserAndItsProfileAreGoneAtTheEnd(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir()) // where the profile is made
	h := host(t)
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(clean)) }))
	defer s.Close()
	if _, err := h.Look(t.Context(), browser.Visit{Site: s.URL}); err != nil {
		t.Fatal(err)
	}
	profiles := func() []os.DirEntry {
		list, err := os.ReadDir(os.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		return list
	}
	if len(profiles()) == 0 {
		t.Fatal("the profile is not where it is looked for")
	}
	h.Close()
	for _, e := range profiles() {
		t.Errorf("%s is still there", e.Name())
	}
	if _, err := h.Look(t.Context(), browser.Visit{Site: s.URL}); err == nil {
		t.Error("a browser that was closed looked")
	}
}

func TestALookEndsWithItsContext(t *testing.T) {
	t.Parallel()
	h := host(t)
	release := make(chan struct{})
	s := httptest.NewTLSServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-release:
		case <-r.Context().Done():
		}
	}))
	defer s.Close()
	defer close(release)
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(2*time.Second, cancel)
	began := time.Now()
	_, err := h.Look(ctx, browser.Visit{Site: s.URL})
	if !errors.Is(err, context.Canceled) || time.Since(began) > 15*time.Second {
		t.Errorf("it ended after %s with %v", time.Since(began), err)
	}
}

func TestTheWindowGoesNowhereThatIsNotNamed(t *testing.T) {
	t.Parallel()
	h := host(t)
	asked := false
	other := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked = true }))
	defer other.Close()
	away := strings.Replace(other.URL, "127.0.0.1", "localhost", 1)
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, away, http.StatusFound) }))
	defer s.Close()
	res, err := h.Look(t.Context(), browser.Visit{Site: s.URL})
	if err != nil || len(res.Pages) != 1 || res.Pages[0].State != browser.Elsewhere || asked {
		t.Errorf("%v %+v asked %t", err, res.Pages, asked)
	}
}

func TestAMissingBrowserSaysHowToHaveOne(t *testing.T) {
	t.Parallel()
	for _, o := range []browser.Options{{}, {Program: browser.Off}, {Program: "/no/such/chromium"}} {
		h := browser.Open(o)
		defer h.Close()
		_, err := h.Look(t.Context(), browser.Visit{Site: "https://127.0.0.1:1/"})
		var missing *browser.MissingError
		if !errors.As(err, &missing) || !strings.Contains(missing.Why.EN, "--browser") || missing.Why.FR == "" {
			t.Errorf("%+v: %v", o, err)
		}
	}
	var none *browser.Host
	if none.Missing() == (browser.Text{}) {
		t.Error("no host at all is not missing")
	}
	none.Close()
}

// asking is a page that asks for a choice, and remembers it.
func asking(buttons, onRefusal string) string {
	return `<!doctype html><html lang="fr"><head><meta charset="utf-8"><title>Une page qui demande</title></head><body><h1>Bonjour</h1>
<div id="cookie-box" style="position:fixed;bottom:0;left:0;right:0;background:#fff"><p>Ce site utilise des cookies.</p>
<label><input type="checkbox" checked disabled> Nécessaires</label>` + buttons + `</div>
<script>const box = document.getElementById("cookie-box");
if (document.cookie.includes("choix=")) box.remove();
for (const b of box.querySelectorAll("button")) b.addEventListener("click", () => { document.cookie = "choix=" + b.value + "; path=/"; if (b.value === "non") { ` + onRefusal + ` } box.remove(); });</script></body></html>`
}

func TestAQuestionIsRefusedAndWhatFollowsIsSeen(t *testing.T) {
	t.Parallel()
	h := host(t)
	both := `<button value="oui">Tout accepter</button> <button value="non">Continuer sans accepter</button>`
	for name, c := range map[string]struct {
		html                   string
		found, refused, ticked bool
		cookies                []string
	}{
		"none":                  {clean, false, false, false, nil},
		"one that is kept to":   {asking(both, ""), true, true, false, []string{"choix"}},
		"one that is not":       {asking(both, `document.cookie = "_ga=x; path=/"`), true, true, false, []string{"_ga", "choix"}},
		"one without refusal":   {asking(`<button value="oui">J’accepte</button><button>Personnaliser</button>`, ""), true, false, false, nil},
		"one ticked in part":    {asking(`<label><input type="checkbox" checked> Audience</label>`+both, ""), true, true, true, []string{"choix"}},
		"English, and a reject": {asking(`<button value="oui">Accept all cookies</button> <button value="non">Reject all</button>`, ""), true, true, false, []string{"choix"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "text/html; charset=utf-8")
				_, _ = w.Write([]byte(c.html))
			}))
			defer s.Close()
			got, err := h.Refuse(t.Context(), browser.Visit{Site: s.URL, Pages: []browser.Target{{Path: "/suite"}}})
			if err != nil {
				t.Fatal(err)
			}
			var names []string
			for _, k := range got.Cookies {
				names = append(names, k.Name)
			}
			slices.Sort(names)
			q := got.Choice
			if q.Found != c.found || q.Refused != c.refused || q.Gone != c.refused || (len(q.Ticked) > 0) != c.ticked || !slices.Equal(names, c.cookies) {
				t.Errorf("%+v, cookies %v", q, names)
			}
			if c.refused && len(got.Pages) != 2 {
				t.Errorf("%d pages after the refusal", len(got.Pages))
			}
		})
	}
}

func TestWhatIsOfOthersCanBeHeldBack(t *testing.T) {
	t.Parallel()
	_ = host(t) // skips where there is none
	asked := make(chan struct{}, 10)
	other := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked <- struct{}{} }))
	defer other.Close()
	away := strings.Replace(other.URL, "127.0.0.1", "localhost", 1)
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte(`<!doctype html><html lang="fr"><title>Une page</title><img src="` + away + `/p.gif" alt="">`))
	}))
	defer s.Close()
	for _, block := range []bool{false, true} {
		h := browser.Open(browser.Options{Program: browser.Auto, Loopback: true, BlockOthers: block})
		res, err := h.Look(t.Context(), browser.Visit{Site: s.URL})
		h.Close()
		if err != nil || len(res.Pages) != 1 {
			t.Fatal(err, len(res.Pages))
		}
		if got := len(asked) > 0; got == block || (res.Others == "blocked") != block {
			t.Errorf("block %t: asked %t, others %s", block, got, res.Others)
		}
		if q := res.Pages[0].Requests; len(q) < 2 || !slices.ContainsFunc(q, func(q browser.Request) bool { return q.Third }) {
			t.Errorf("block %t: the request to another site is not listed: %+v", block, q)
		}
		for len(asked) > 0 {
			<-asked
		}
	}
}

func TestAnAcceptanceIsSeenAsAPersonGivesIt(t *testing.T) {
	t.Parallel()
	h := host(t)
	const script = `<script>const box = document.getElementById("cookie-box"), panel = document.getElementById("panel");
if (document.cookie.includes("choix=")) box.hidden = true;
for (const b of box.querySelectorAll("button")) b.addEventListener("click", () => {
  if (b.value === "regler") { if (panel) panel.hidden = false; return; }
  document.cookie = "choix=" + b.value + "; path=/"; if (b.value === "oui") document.cookie = "_ga=x; path=/; max-age=63072000"; box.hidden = true; });
const back = document.getElementById("back"); if (back) back.addEventListener("click", () => { box.hidden = false; });</script>`
	page := func(buttons, panel, footer string) string {
		return `<!doctype html><html lang="fr"><head><meta charset="utf-8"><title>Une page qui demande</title></head><body><h1>Bonjour</h1><footer>` + footer + `</footer>
<div id="cookie-box" style="position:fixed;bottom:0;left:0;right:0;background:#fff"><p>Ce site utilise des cookies.</p>` + panel + buttons + `</div>` + script + `</body></html>`
	}
	const both, set = `<button value="oui">Tout accepter</button> <button value="non">Tout refuser</button>`, ` <button value="regler">Personnaliser</button>`
	const boxes = `<div id="panel" hidden><label><input type="checkbox"> Statistiques</label><label><input type="checkbox" checked> Publicité</label></div>`
	for name, c := range map[string]struct {
		html                     string
		found, accepted          bool
		boxes                    int
		offered, words, reopened bool
	}{
		"none":                 {clean, false, false, 0, false, false, false},
		"all of it":            {page(both+set, boxes, `<button id="back">Gérer mes cookies</button>`), true, true, 2, true, true, true},
		"empty settings":       {page(both+set, "", ""), true, true, 0, true, false, false},
		"a link to the policy": {page(both, "", `<a href="/cookies">Politique de cookies</a>`), true, true, 0, false, false, false},
		"a link that is dead":  {page(both, "", `<a href="#">Cookies</a>`), true, true, 0, false, true, false},
		"nothing that accepts": {page(`<button value="non">Tout refuser</button>`, "", ""), true, false, 0, false, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "text/html; charset=utf-8")
				_, _ = w.Write([]byte(c.html))
			}))
			defer s.Close()
			got, err := h.Accept(t.Context(), browser.Visit{Site: s.URL, Pages: []browser.Target{{Path: "/suite"}}})
			if err != nil {
				t.Fatal(err)
			}
			words, reopened := false, false
			for _, a := range got.Again {
				words, reopened = words || a.Words != "", reopened || a.Reopened
			}
			if got.Choice.Found != c.found || got.Accepted != c.accepted || got.Choice.Gone != c.accepted || len(got.Settings.Boxes) != c.boxes ||
				(got.Settings.Offered != "") != c.offered || words != c.words || reopened != c.reopened || len(got.Before.Cookies) != 0 {
				t.Errorf("%+v", got)
			}
			if c.accepted && (len(got.Again) != 2 || len(got.Cookies) != 2) {
				t.Errorf("%d pages, cookies %+v", len(got.Again), got.Cookies)
			}
		})
	}
}
