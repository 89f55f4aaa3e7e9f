package run_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/etalon-sante/etalon/fixtures/flaws"
	"github.com/etalon-sante/etalon/fixtures/reference"
	"github.com/etalon-sante/etalon/reports"
	"github.com/etalon-sante/etalon/suites/probe/browser"
	"github.com/etalon-sante/etalon/suites/run"
	"github.com/etalon-sante/etalon/suites/run/demo"
)

// shownWith runs the checks of a browser on the reference with flaws.
func shownWith(t *testing.T, dir string, only []string, secrets map[string]string, apply ...func(*reference.Parts)) (reports.Report, error) {
	t.Helper()
	o := browser.Options{Program: browser.Auto, Loopback: true}
	if why := browser.Missing(o); why != (browser.Text{}) {
		if os.Getenv("CI") != "" {
			t.Fatal(why.EN)
		}
		t.Skip("NOT TRIED: " + why.EN)
	}
	parts := reference.DefaultParts()
	for _, a := range apply { // each puts its own site in place of the other's
		one, before := reference.DefaultParts(), parts.Site
		a(&one)
		parts.Site = func(h http.Handler) http.Handler {
			if before != nil {
				h = before(h)
			}
			return one.Site(h)
		}
	}
	s, err := demo.Start(t.Context(), demo.Options{Parts: parts})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	m := *s.Manifest
	m.Secrets = map[string]string{}
	for k, v := range s.Manifest.Secrets {
		m.Secrets[k] = v
	}
	for k, v := range secrets {
		m.Secrets[k] = v
	}
	out, err := run.Run(context.WithoutCancel(t.Context()), run.Options{Manifest: &m, Roots: s.Roots, Out: dir, Seed: 1, Phase: "pilot", Browser: o, Selection: run.Selection{Only: only}})
	return out.Report, err
}

func flawed(t *testing.T, id string) func(*reference.Parts) {
	t.Helper()
	i := slices.IndexFunc(flaws.All(), func(f flaws.Flaw) bool { return f.ID == id })
	if i < 0 {
		t.Fatalf("there is no flaw %s", id)
	}
	return flaws.All()[i].Apply
}

func picturesIn(t *testing.T, dir string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "artifacts", "*"))
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func checkOf(t *testing.T, r reports.Report, id string) reports.Check {
	t.Helper()
	for _, res := range r.Results {
		for _, c := range res.Checks {
			if c.ID == id {
				return c
			}
		}
	}
	t.Fatalf("%s is not in the report", id)
	return reports.Check{}
}

func TestPicturesAreEvidence(t *testing.T) {
	dir := t.TempDir()
	if keep := os.Getenv("ETALON_KEEP"); keep != "" {
		dir = keep // to be looked at
	}
	if err := os.MkdirAll(filepath.Join(dir, "artifacts"), 0o755); err != nil {
		t.Fatal(err)
	}
	foreign := filepath.Join(dir, "artifacts", "holiday.webp")
	if err := os.WriteFile(foreign, []byte("not ours"), 0o644); err != nil {
		t.Fatal(err)
	}
	only := []string{"ETH-12", "ETH-13", "ETH-32", "ETH-33", "ETH-35"}
	r, err := shownWith(t, dir, only, nil,
		flawed(t, "refusal-a-level-below"), flawed(t, "wider-than-a-phone"), flawed(t, "focus-without-outline"), flawed(t, "field-without-label"), flawed(t, "pale-text"))
	if err != nil {
		t.Fatal(err)
	}
	of := map[string]string{"ETH-13.1": "banner", "ETH-32.1": "narrow", "ETH-33.1": "focus"}
	if browser.AxeVersion() != "" {
		of["ETH-35.2"], of["ETH-35.3"] = "element", "element"
	}
	for id, kind := range of {
		c := checkOf(t, r, id)
		if c.Verdict != reports.Nonconformant || len(c.Findings) == 0 || c.Findings[0].Picture == nil {
			t.Errorf("%s is %s, without a picture: %+v", id, c.Verdict, c.Findings)
			continue
		}
		p := c.Findings[0].Picture
		b, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(p.File)))
		if err != nil {
			t.Error(err)
			continue
		}
		sum := sha256.Sum256(b)
		if p.Of != kind || p.SHA256 != hex.EncodeToString(sum[:]) || !strings.HasPrefix(p.File, "artifacts/"+p.SHA256[:16]) || p.Alt.FR == "" || p.Alt.EN == "" || p.Width < 10 {
			t.Errorf("%s: %+v", id, p)
		}
		if mime := http.DetectContentType(b); mime != "image/webp" || len(b) > browser.MaxPicture {
			t.Errorf("%s: %d bytes of %s", id, len(b), mime)
		}
		for _, name := range []string{"index.html", "index.en.html"} {
			page, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil || !strings.Contains(string(page), `<img src="`+p.File+`" alt="`) {
				t.Errorf("%s does not show %s (%v)", name, p.File, err)
			}
		}
	}
	if n := len(picturesIn(t, dir)); n > 3*browser.MaxPictures+1 {
		t.Errorf("%d pictures", n)
	}
	if os.Getenv("ETALON_KEEP") != "" {
		return
	}

	// Judging needs none of them, and a run that replaces this one takes its own
	// away and leaves the rest alone.
	for _, f := range picturesIn(t, dir) {
		if f != foreign {
			if err := os.Remove(f); err != nil {
				t.Fatal(err)
			}
		}
	}
	again, err := run.JudgeFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	for id := range of {
		a, b := checkOf(t, r, id), checkOf(t, again, id)
		if a.Verdict != b.Verdict || len(a.Findings) != len(b.Findings) {
			t.Errorf("%s is %s, judged again without pictures %s", id, a.Verdict, b.Verdict)
		}
	}
	if _, err := shownWith(t, dir, []string{"GOV-01"}, nil); err != nil {
		t.Fatal(err)
	}
	if left := picturesIn(t, dir); !slices.Equal(left, []string{foreign}) {
		t.Errorf("left behind: %v", left)
	}
}

// A picture cannot be searched for secrets; the page that it shows can.
func TestAPageThatHoldsASecretIsNotPictured(t *testing.T) {
	const secret = "un-secret-que-la-page-montre-par-erreur"
	dir := t.TempDir()
	tells := func(p *reference.Parts) {
		p.Site = func(h http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path != "/confidentialite" {
					h.ServeHTTP(w, r)
					return
				}
				rec := httptest.NewRecorder()
				h.ServeHTTP(rec, r)
				for k, v := range rec.Header() {
					w.Header()[k] = v
				}
				_, _ = w.Write([]byte(strings.Replace(rec.Body.String(), "</main>", `<p title="`+secret+`">Bonjour</p></main>`, 1)))
			})
		}
	}
	_, err := shownWith(t, dir, []string{"ETH-12"}, map[string]string{"client-secret": secret}, tells)
	var leak *run.LeakError
	if err != nil && !errors.As(err, &leak) {
		t.Fatal(err)
	}
	if leak != nil {
		t.Fatalf("it stopped the reports: %v", leak)
	}
	if n := len(picturesIn(t, dir)); n != 3 {
		t.Errorf("%d pictures of 4 pages, one of which holds a secret", n)
	}
}
