package browser_test

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/etalon-sante/etalon/suites/probe/browser"
)

// withForms is a site whose first page is a form, and whose second says what came.
func withForms(t *testing.T) *httptest.Server {
	t.Helper()
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		if r.Method == http.MethodPost {
			_ = r.ParseForm()
			fmt.Fprintf(w, "<!doctype html><title>Reçu</title><p>%s</p>", url.Values(r.PostForm).Encode())
			return
		}
		_, _ = w.Write([]byte(`<!doctype html><title>Demande</title><form><input name="q"></form><form method="post"><input type="hidden" name="suite" value="1">
<input name="nom"><input type="checkbox" name="but" value="soin" checked><input type="checkbox" name="but" value="prévention">
<button name="choix" value="oui">Oui</button><button name="choix" value="non">Non</button></form>`))
	}))
	t.Cleanup(s.Close)
	return s
}

func TestAFormIsFilledAndSentByTheButtonNamed(t *testing.T) {
	t.Parallel()
	site := withForms(t)
	w, err := host(t).Session(t.Context(), browser.Visit{Site: site.URL + "/"})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if _, err := w.Visit(t.Context(), site.URL+"/"); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Submit(t.Context(), browser.Form{Fields: map[string]string{"login": "x"}}); !errors.Is(err, browser.ErrNoForm) {
		t.Errorf("a form that is not there: %v", err)
	}
	if _, err := w.Submit(t.Context(), browser.Form{Press: [2]string{"choix", "peut-être"}}); !errors.Is(err, browser.ErrNoForm) {
		t.Errorf("a button that is not there: %v", err)
	}
	got, err := w.Submit(t.Context(), browser.Form{Fields: map[string]string{"nom": "Zoé \"'<"}, Tick: map[string][]string{"but": {"prévention"}}, Press: [2]string{"choix", "non"}})
	if err != nil {
		t.Fatal(err)
	}
	if got.Status != http.StatusOK || len(got.Lines) != 1 {
		t.Fatalf("what followed: %+v", got)
	}
	sent, err := url.ParseQuery(got.Lines[0])
	if err != nil || sent.Get("nom") != "Zoé \"'<" || strings.Join(sent["but"], " ") != "prévention" || sent.Get("choix") != "non" || sent.Get("suite") != "1" {
		t.Errorf("sent: %v, %v", sent, err)
	}
	if source, err := w.Source(t.Context()); err != nil || !strings.Contains(source, "<title>Reçu</title>") {
		t.Errorf("the page as it stands: %q, %v", source, err)
	}
}

// A certificate that no authority known to browsers signed is taken for the one key
// that was named, and for no other.
func TestTheKeyOfTheSandboxIsTakenAndNoOther(t *testing.T) {
	t.Parallel()
	host(t) // skips without a browser
	site := withForms(t)
	sum := sha256.Sum256(site.Certificate().RawSubjectPublicKeyInfo)
	for name, c := range map[string]struct {
		key string
		ok  bool
	}{
		"named":     {base64.StdEncoding.EncodeToString(sum[:]), true},
		"none":      {"", false},
		"of others": {base64.StdEncoding.EncodeToString(make([]byte, 32)), false},
	} {
		t.Run(name, func(t *testing.T) {
			h := browser.Open(browser.Options{Program: browser.Auto, Sandbox: c.key})
			defer h.Close()
			w, err := h.Session(t.Context(), browser.Visit{Site: site.URL + "/"})
			if err != nil {
				t.Fatal(err)
			}
			defer w.Close()
			if _, err := w.Visit(t.Context(), site.URL+"/"); (err == nil) != c.ok {
				t.Errorf("the page was shown: %v", err)
			}
		})
	}
}
