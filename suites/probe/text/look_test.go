package text

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/etalon-sante/etalon/fixtures/data"
	"github.com/etalon-sante/etalon/suites/probe/web"
)

// site serves pages by their path; what is not there is 404.
func site(t *testing.T, pages map[string]string) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, ok := pages[r.URL.Path]
		switch {
		case !ok:
			http.NotFound(w, r)
			return
		case strings.HasPrefix(body, "%PDF-"):
			w.Header().Set("Content-Type", "application/pdf")
		case strings.HasPrefix(body, "-> "):
			http.Redirect(w, r, strings.TrimPrefix(body, "-> "), http.StatusFound)
			return
		case strings.HasPrefix(body, "{"):
			w.Header().Set("Content-Type", "application/json")
		default:
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
		}
		_, _ = w.Write([]byte(body))
	}))
	t.Cleanup(s.Close)
	return s
}

func lookAt(t *testing.T, s *httptest.Server, change func(*Options)) Result {
	t.Helper()
	o := Options{Web: web.Options{Site: s.URL, Interval: -1, Timeout: 5 * time.Second}}
	if change != nil {
		change(&o)
	}
	res, err := Look(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return res
}

func (r Result) at(path string) Page {
	for _, p := range r.Pages {
		if u, err := url.Parse(p.URL); err == nil && u.Path == path {
			return p
		}
	}
	return Page{}
}

func page(body string) string {
	return `<!doctype html><html lang="fr"><head><title>Page</title></head><body><main>` + body + `</main></body></html>`
}

func TestTextsAreFoundByTheWordsOfLinks(t *testing.T) {
	t.Parallel()
	long := "<p>" + strings.Repeat("Une phrase qui dit quelque chose. ", 20) + "</p>"
	s := site(t, map[string]string{
		"/": page(`<a href="/ml">Mentions&nbsp;légales</a> <a href="/cgu#haut">C.G.U.</a> <a href="/vie-privee">Vos données personnelles</a> <a href="https://ailleurs.example/aide">Aide</a>
<a href="/a11y">Accessibilité : non conforme</a> <a href="mailto:bonjour@s.example?subject=x">Écrire</a> <a href="tel:+33199000000">Appeler</a> <a href="/api">Conditions générales (API)</a> <a href="/blog">Le blog</a>`),
		"/ml": page("<h1>Mentions légales et conditions d’utilisation</h1>" + long), "/vie-privee": page("<h1>Vie privée</h1>" + long),
		"/a11y": page(`<a href="/schema.pdf">Schéma pluriannuel</a>` + long), "/schema.pdf": string(data.TextPDF([]string{"# Schéma pluriannuel 2025-2027", "Voici ce que nous ferons cette année, et la suivante."})),
		"/api": `{"a": 1}`, "/nomme": page(long), "/cgu": page("<h1>Conditions</h1>" + long),
	})
	res := lookAt(t, s, func(o *Options) { o.Pages = []Target{{"/nomme", Content}, {"/", Home}, {"/compte", "account"}} })
	for path, roles := range map[string][]string{"/": {Home}, "/ml": {Legal}, "/vie-privee": {Privacy}, "/a11y": {Accessibility}, "/schema.pdf": {Plan}, "/nomme": {Content}, "/cgu": {Terms}} {
		if p := res.at(path); p.State != web.Read || !slices.Equal(p.Roles, roles) {
			t.Errorf("%s: %s %v, want %v", path, p.State, p.Roles, roles)
		}
	}
	if p := res.at("/api"); p.State != web.Failed || p.Reason == "" {
		t.Errorf("JSON is read as a text: %+v", p)
	}
	if p := res.at("/blog"); p.URL != "" {
		t.Error("a page of no known role is asked for")
	}
	if p := res.at("/"); !slices.Equal(p.Contacts, []string{"mailto:bonjour@s.example", "tel:+33199000000"}) {
		t.Errorf("%v", p.Contacts)
	}
	for _, p := range res.Pages {
		if strings.Contains(p.URL, "ailleurs") {
			t.Error("another site is asked")
		}
	}
	if p := res.at("/ml"); p.Exchange == "" || len(p.SHA256) != 64 || !p.Whole() || p.From == "" {
		t.Errorf("%+v", p)
	}
	want := PDF
	if MissingPDF("") != (Words{}) {
		want = ""
	}
	if p := res.at("/schema.pdf"); p.How != want {
		t.Errorf("%+v", p)
	}
}

func TestWithoutPopplerAPDFIsThereAndNotRead(t *testing.T) {
	t.Parallel()
	s := site(t, map[string]string{"/": page(`<a href="/cgu.pdf">CGU</a>`), "/cgu.pdf": string(data.TextPDF([]string{"Bonjour."}))})
	res := lookAt(t, s, func(o *Options) { o.PDF = filepath.Join(t.TempDir(), "pdftotext") })
	if p := res.at("/cgu.pdf"); p.State != web.Read || p.How != "" || p.Whole() || !strings.Contains(res.Missing.EN, "poppler-utils") || !strings.Contains(res.Missing.FR, "poppler-utils") {
		t.Errorf("%+v %+v", p, res.Missing)
	}
}

func TestAnEmptyFrameIsShownByTheBrowser(t *testing.T) {
	t.Parallel()
	s := site(t, map[string]string{"/": `<html><head><script src="/app.js"></script></head><body><div id="app"></div></body></html>`, "/cgu": page("<h1>Conditions d’utilisation</h1><p>Le texte.</p>")})
	if p := lookAt(t, s, nil).at("/"); p.How != Served || !p.Empty() || p.Whole() {
		t.Errorf("without a browser: %+v", p)
	}
	var asked []string
	render := func(markup string, err error) func(*Options) {
		return func(o *Options) {
			o.Render = func(_ context.Context, at *url.URL) (string, error) {
				asked = append(asked, at.Path)
				return markup, err
			}
		}
	}
	res := lookAt(t, s, render(page(`<p>`+strings.Repeat("mot ", 100)+`</p><a href="/cgu">CGU</a>`), nil))
	if p := res.at("/"); p.How != Rendered || !p.Whole() || res.at("/cgu").How != Served || !slices.Equal(asked, []string{"/"}) {
		t.Errorf("%+v, asked %v", res.Pages, asked)
	}
	if p := lookAt(t, s, render("", errors.New("it died"))).at("/"); p.How != Served || p.Whole() || !strings.Contains(p.Reason, "it died") {
		t.Errorf("a browser that fails: %+v", p)
	}
	// A page that lacks what is looked for is shown too, if scripts may bring it.
	asked = nil
	full := site(t, map[string]string{"/": `<script src="a.js"></script>` + strings.Repeat("mot ", 100)})
	lookAt(t, full, func(o *Options) {
		render("<p>rien</p>", nil)(o)
		o.Lacking = func(Page) bool { return true }
	})
	if len(asked) != 1 {
		t.Errorf("asked %v", asked)
	}
}

func TestWhatIsAskedForIsBounded(t *testing.T) {
	t.Parallel()
	pages := map[string]string{"/boucle": "-> /boucle"}
	var links strings.Builder
	for i := range 500 {
		fmt.Fprintf(&links, `<a href="/aide-%d">Aide %d</a><a href="/cgu-%d">CGU %d</a>`, i, i, i, i)
		pages[fmt.Sprintf("/aide-%d", i)] = page(fmt.Sprintf(`<a href="/aide-%d">Contact</a>`, i+1000))
		pages[fmt.Sprintf("/cgu-%d", i)] = page("<p>texte</p>")
	}
	pages["/"] = page(`<a href="/boucle">Mentions légales</a>` + links.String())
	res := lookAt(t, site(t, pages), nil)
	if len(res.Pages) > MaxPages || len(res.Pages) > 1+1+2*maxPerRole || !res.More {
		t.Errorf("%d pages, more: %t", len(res.Pages), res.More)
	}
	if p := res.at("/boucle"); p.State != web.Failed {
		t.Errorf("%+v", p)
	}
}

// Pages that mean harm cost little and leave nothing that a terminal would obey.
func TestHostilePages(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"ten megabytes of text":     "<p>" + strings.Repeat("a b c. ", 10<<20/7),
		"one word of ten megabytes": "<p>" + strings.Repeat("x", 10<<20),
		"nested without end":        strings.Repeat("<div><nav><ul><li>", 200_000) + "bonjour",
		"never closed":              strings.Repeat("<p", 500_000),
		"attributes without end":    "<a " + strings.Repeat(`x="y" `, 500_000) + ">",
		"a tag of megabytes":        `<a href="` + strings.Repeat("z", 5<<20) + `">CGU</a>`,
		"escapes":                   "<p>\x1b[31mrouge\x1b]0;titre\x07 \u202Eeriaf\u202C c\u200Bl\u200Bé \x00\x08 fin</p><title>\x1b[2J</title>",
		"entities":                  strings.Repeat("&amp;&#x202E;&#27;", 200_000),
		"half a character":          "<p>\xff\xfe\xc3</p>",
		"scripts never closed":      "<script>" + strings.Repeat("<p>texte</p>", 100_000),
	} {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			c := readMarkup([]byte(body), "text/html; charset=utf-8")
			runtime.ReadMemStats(&after)
			if grown := after.TotalAlloc - before.TotalAlloc; grown > 600<<20 {
				t.Errorf("%d MiB were asked for", grown>>20)
			}
			bounds(t, c)
		})
	}
}

func bounds(t *testing.T, c content) {
	t.Helper()
	kept := 0
	seen := func(s string) {
		if i := strings.IndexFunc(s, func(r rune) bool {
			return r < 0x20 || r >= 0x7f && r < 0xa0 || r >= 0x202a && r <= 0x202e || r >= 0x200b && r <= 0x200f || r == 0xfeff
		}); i >= 0 {
			t.Fatalf("%q holds %U", s[:min(len(s), 80)], []rune(s[i:])[0])
		}
	}
	for _, s := range c.sentences {
		kept += len([]rune(s.Text))
		seen(s.Text)
		seen(s.Lead)
		seen(s.Head)
		if len([]rune(s.Text)) > maxSentence || len([]rune(s.Lead)) > maxLabel+1 || len([]rune(s.Head)) > maxLabel+1 {
			t.Fatalf("a sentence of %d characters", len([]rune(s.Text)))
		}
	}
	seen(c.title)
	if kept > maxKept || len(c.sentences) > maxSentences || len(c.links) > maxLinks {
		t.Fatalf("%d characters, %d sentences, %d links", kept, len(c.sentences), len(c.links))
	}
	for _, l := range c.links {
		seen(l.label)
	}
}

func TestSentencesAreTaken(t *testing.T) {
	t.Parallel()
	for line, want := range map[string][]string{
		"Une phrase. Une autre ! Et une troisième ?":                      {"Une phrase.", "Une autre !", "Et une troisième ?"},
		"Art. 13 du RGPD, cf. p. 4. Voir M. Exemple.":                     {"Art. 13 du RGPD, cf. p. 4.", "Voir M. Exemple."},
		"Le taux est de 72.5 % des critères. Voir cnil.fr pour la suite.": {"Le taux est de 72.5 % des critères.", "Voir cnil.fr pour la suite."},
		"Il a dit « oui. » Puis il est parti.":                            {"Il a dit « oui. »", "Puis il est parti."},
		"…":                                                               {"…"},
	} {
		if got := split(line); !slices.Equal(got, want) {
			t.Errorf("%q: %q", line, got)
		}
	}
	c := readTokens(strings.NewReader(page(`<h2>Titre</h2><p>Nous faisons :</p><ul><li>ceci ;</li><li>cela.</li></ul><p>Fin<sup>1</sup>.</p><script>non</script><style>non</style><noscript>non</noscript>`) + `<footer>Pied</footer>`))
	want := []Sentence{
		{Text: "Titre", Heading: true}, {Text: "Nous faisons :", Head: "Titre"}, {Text: "ceci ;", Lead: "Nous faisons :", Head: "Titre"},
		{Text: "cela.", Lead: "Nous faisons :", Head: "Titre"}, {Text: "Fin1.", Head: "Titre"}, {Text: "Pied", Head: "Titre", Around: true},
	}
	if !slices.Equal(c.sentences, want) {
		t.Errorf("%+v", c.sentences)
	}
}

func TestALineOfLinksIsAMenu(t *testing.T) {
	t.Parallel()
	c := readTokens(strings.NewReader(`<div><a href="/">Accueil</a> <a href="/contact">Contact</a> <a href="/a11y">Accessibilité</a></div><p>Écrivez à <a href="/a">A</a>, <a href="/b">B</a> ou <a href="/c">C</a>, qui répondent tous les jours.</p>`))
	if len(c.sentences) != 2 || !c.sentences[0].Around || c.sentences[1].Around {
		t.Errorf("%+v", c.sentences)
	}
}

func TestAPDFThatIsNone(t *testing.T) {
	t.Parallel()
	if MissingPDF("") != (Words{}) {
		t.Skip("NOT TRIED: pdftotext is not installed (poppler-utils)")
	}
	for name, raw := range map[string][]byte{"nothing": {}, "a page": []byte("<html>"), "half of one": data.TextPDF([]string{"Bonjour."})[:200]} {
		if c, err := readPDF(t.Context(), "", raw); err == nil && c.words > 0 {
			t.Errorf("%s: %+v", name, c)
		}
	}
	long := make([]string, 3000)
	for i := range long {
		long[i] = fmt.Sprintf("Paragraphe %d, qui dit quelque chose d’utile au lecteur, et l’écrit en une ligne.", i)
	}
	c, err := readPDF(t.Context(), "", data.TextPDF(long))
	if err != nil {
		t.Fatal(err)
	}
	bounds(t, c)
	if left, _ := filepath.Glob(filepath.Join(os.TempDir(), "etalon-pdf-*")); len(left) > 2 { // other tests may be under way
		t.Errorf("left behind: %v", left)
	}
	slow := filepath.Join(t.TempDir(), "pdftotext")
	if err := os.WriteFile(slow, []byte("#!/bin/sh\nyes | head -c 50000000\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	if c, err := readPDF(t.Context(), slow, []byte("%PDF-1.4")); err != nil || !c.cut {
		t.Errorf("output without end: %v, cut: %t", err, c.cut)
	}
}

func FuzzMarkup(f *testing.F) {
	files, _ := filepath.Glob("testdata/terms/*.html")
	for _, name := range files {
		raw, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Add([]byte("<li><ul></li></ul><p>\x1b[0m:</p><a href='tel:1'>\u202e<title><br><td><script><nav>"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		bounds(t, readMarkup(raw, "text/html"))
		bounds(t, paragraphs(string(raw)))
	})
}

func BenchmarkMarkup100KB(b *testing.B) {
	raw, err := os.ReadFile("testdata/terms/says-dense-articles.html")
	if err != nil {
		b.Fatal(err)
	}
	raw = []byte(strings.Repeat(string(raw), 100<<10/len(raw)+1))
	b.SetBytes(int64(len(raw)))
	for b.Loop() {
		readMarkup(raw, "text/html; charset=utf-8")
	}
}
