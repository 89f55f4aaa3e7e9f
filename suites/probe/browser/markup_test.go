package browser_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/etalon-sante/etalon/suites/probe/browser"
	"github.com/etalon-sante/etalon/suites/probe/text"
	"github.com/etalon-sante/etalon/suites/probe/web"
)

// Terms of use that a script writes are read as a reader sees them: with a browser
// the clause is there, without one the page is known to be empty.
func TestATextThatAScriptWritesIsRead(t *testing.T) {
	t.Parallel()
	h := host(t)
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/texte.json":
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write([]byte(`["` + strings.Repeat("Ceci est une phrase. ", 20) + `", "Le téléchargement exhaustif des documents est impossible."]`))
		default:
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			_, _ = w.Write([]byte(`<!doctype html><html lang="fr"><head><title>CGU</title></head><body><main id="t"></main><script>
fetch("/texte.json").then(r => r.json()).then(all => { for (const s of all) { const p = document.createElement("p"); p.textContent = s; document.getElementById("t").append(p); } });
</script></body></html>`))
		}
	}))
	t.Cleanup(s.Close)
	o := text.Options{Web: web.Options{Site: s.URL, Interval: -1, Timeout: 10 * time.Second}}
	read := func() text.Page {
		res, err := text.Look(t.Context(), o)
		if err != nil || len(res.Pages) != 1 {
			t.Fatalf("%+v %v", res, err)
		}
		return res.Pages[0]
	}
	if p := read(); p.How != text.Served || !p.Empty() || p.Whole() {
		t.Errorf("as served: %+v", p)
	}
	o.Render = func(ctx context.Context, at *url.URL) (string, error) {
		return h.Markup(ctx, browser.Visit{Site: s.URL}, at)
	}
	p := read()
	if p.How != text.Rendered || !p.Whole() || !strings.Contains(p.Sentences[len(p.Sentences)-1].Text, "téléchargement exhaustif") {
		t.Errorf("as shown: %+v", p)
	}
}

func TestWithoutABrowserNoMarkup(t *testing.T) {
	t.Parallel()
	at, _ := url.Parse("https://127.0.0.1:1/")
	var missing *browser.MissingError
	if _, err := browser.Open(browser.Options{}).Markup(t.Context(), browser.Visit{Site: at.String()}, at); !errors.As(err, &missing) {
		t.Errorf("%v", err)
	}
}
