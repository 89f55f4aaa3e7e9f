package browser_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/etalon-sante/etalon/suites/candidate/recording"
	"github.com/etalon-sante/etalon/suites/probe/browser"
)

const form = `<!doctype html><html lang="fr"><meta charset="utf-8"><title>Essai</title><main>
<label for="n">Votre nom</label> <input id="n" value="avant">
<select id="s"><option value="1">Un</option><option value="2">Deux</option></select>
<input id="d" type="date"> <input id="p" type="password">
<div id="hote"></div><iframe id="cadre" srcdoc="&lt;input id='dedans'&gt;"></iframe>
<button id="b" aria-label="Valider la saisie">…</button> <a href="https://ailleurs.example/">Partir</a> <p id="dit"></p></main>
<script>
document.querySelector("#hote").attachShadow({mode: "open"}).innerHTML = "<input id='ombre'>";
document.querySelector("#b").addEventListener("click", () => setTimeout(() => {
  const v = (e) => e.value;
  document.querySelector("#dit").textContent = "vu " + [v(document.querySelector("#n")), v(document.querySelector("#s")), v(document.querySelector("#d")), v(document.querySelector("#hote").shadowRoot.querySelector("input")), v(document.querySelector("#cadre").contentDocument.querySelector("input"))].join("|");
}, 150));
</script></html>`

func session(t *testing.T) (*browser.Session, string) {
	t.Helper()
	h := host(t)
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprint(w, form)
	}))
	t.Cleanup(s.Close)
	out, err := h.Session(t.Context(), browser.Visit{Site: s.URL})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(out.Close)
	return out, s.URL
}

func play(t *testing.T, s *browser.Session, site, steps string) error {
	t.Helper()
	r, err := recording.Read([]byte(`{"title": "Essai", "timeout": 3000, "steps": [`+steps+`]}`), "")
	if err != nil {
		t.Fatal(err)
	}
	return s.Play(t.Context(), r, func(string) (string, error) { return site, nil }, 0, -1)
}

func TestAJourneyIsPlayedAsItWasRecorded(t *testing.T) {
	s, site := session(t)
	err := play(t, s, site, `
		{"type": "setViewport", "width": 900, "height": 700}, {"type": "navigate", "url": "{{site}}/"},
		{"type": "change", "selectors": [["#absent"], ["aria/Votre nom"]], "value": "Ada É."},
		{"type": "change", "selectors": [["xpath///select"]], "value": "2"},
		{"type": "change", "selectors": [["#d"]], "value": "2026-11-23"},
		{"type": "change", "selectors": [["#hote", "input"]], "value": "dans l'ombre"},
		{"type": "change", "selectors": [["pierce/#ombre"]], "value": "percé"},
		{"type": "change", "selectors": [["#dedans"]], "frame": [0], "value": "dans le cadre"},
		{"type": "click", "selectors": [["aria/Valider la saisie[role=\"button\"]"]], "offsetX": 3, "offsetY": 3},
		{"type": "waitForElement", "selectors": [["text/vu Ada"]], "operator": "==", "count": 1, "visible": true}`)
	if err != nil {
		t.Fatal(err)
	}
	at, err := s.Shown(t.Context())
	if err != nil || !strings.Contains(strings.Join(at.Lines, "\n"), "vu Ada É.|2|2026-11-23|percé|dans le cadre") {
		t.Errorf("%q, %v", at.Lines, err)
	}
}

func TestAStepThatFailsSaysWhichAndWhere(t *testing.T) {
	s, site := session(t)
	err := play(t, s, site, `{"type": "navigate", "url": "{{site}}/page?jeton=secret"}, {"type": "click", "timeout": 200, "selectors": [["#nulle-part"], ["text/Nulle part"]]}`)
	var failed *browser.StepFailed
	if !errors.As(err, &failed) || failed.Number != 2 || !browser.NotThere(err) || !strings.Contains(err.Error(), "#nulle-part, text/Nulle part") || !strings.Contains(err.Error(), "/page") || strings.Contains(err.Error(), "secret") {
		t.Errorf("%v", err)
	}
	if err := play(t, s, site, `{"type": "click", "selectors": [["text/Partir"]]}`); err == nil || !strings.Contains(err.Error(), "ailleurs.example") {
		t.Errorf("the window went elsewhere: %v", err)
	}
	// Only the page tells that the field is one for a password.
	if err := play(t, s, site, `{"type": "navigate", "url": "{{site}}/"}, {"type": "change", "selectors": [["#p"]], "value": "azerty123"}`); err == nil || !strings.Contains(err.Error(), "in clear") || strings.Contains(err.Error(), "azerty") {
		t.Errorf("a password in clear was typed, or repeated: %v", err)
	}
}
