package html_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	nethtml "golang.org/x/net/html"

	"github.com/etalon-sante/etalon/reports"
	"github.com/etalon-sante/etalon/reports/html"
	"github.com/etalon-sante/etalon/reports/internal/sample"
)

func plain(t testing.TB, r reports.Report, lang string) string {
	t.Helper()
	var b bytes.Buffer
	if err := html.WritePublic(&b, r, lang); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestThePlainPageIsAsInTheGoldenFile(t *testing.T) {
	for _, lang := range []string{"fr", "en"} {
		got := plain(t, sample.Report(), lang)
		golden := filepath.Join("testdata", "public."+lang+".html")
		if *update {
			if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if got != string(want) {
			t.Errorf("%s differs from what was written; look at it, then run with -update", golden)
		}
	}
	if err := html.WritePublic(&bytes.Buffer{}, sample.Report(), "de"); err == nil {
		t.Error("a third language is taken")
	}
}

// words is the text of a page, without its style sheet.
func wordsOf(t *testing.T, page string) string {
	t.Helper()
	var b strings.Builder
	for n := range tree(t, page).Descendants() {
		if n.Type == nethtml.TextNode && n.Parent.Data != "style" && n.Parent.Data != "script" {
			b.WriteString(n.Data + " ")
		}
	}
	return b.String()
}

// Who buys or uses a service needs no identifier, no name of a person and no word
// of the trade, and is not to take the page for an official one.
func TestThePlainPageIsPlain(t *testing.T) {
	for _, lang := range []string{"fr", "en"} {
		r := sample.Report()
		page := plain(t, r, lang)
		text := wordsOf(t, page)
		for _, x := range r.Results {
			if strings.Contains(text, x.Requirement) {
				t.Errorf("%s: the page names %s", lang, x.Requirement)
			}
			if d := x.Declaration; d != nil && strings.Contains(page, d.Author) {
				t.Errorf("%s: the page names a person: %s", lang, d.Author)
			}
		}
		for _, word := range []string{"token", "jeton", "OAuth", "FHIR", "TLS", "manifest ", "certifié", "certified", "agréé", "approved", "SHA", "sha256"} {
			if strings.Contains(text, word) {
				t.Errorf("%s: %q is no word for this page", lang, word)
			}
		}
		for _, want := range map[string][]string{
			"fr": {"pas un label", "indépendant", "22/11/2026", "personne d’autre", "Lire le rapport complet", "Le service envoie celles du patient", "Rendez-vous Rien", "Le certificat vu en production"},
			"en": {"neither a label", "independent", "22 November 2026", "nobody else", "Read the full report", "The service sends the patient’s", "Appointments Nothing", "The certificate seen in production"},
		}[lang] {
			if !strings.Contains(strings.Join(strings.Fields(text), " "), want) {
				t.Errorf("%s: the page lacks %q", lang, want)
			}
		}
		for _, bad := range []string{"<script", " style=", "<form", "<img", "ZgotmplZ"} {
			if strings.Contains(page, bad) {
				t.Errorf("%s: the page holds %q", lang, bad)
			}
		}
	}
}

func TestThePlainPageSaysWhatItsVerdictRestsOn(t *testing.T) {
	judged := func(verdicts ...reports.Verdict) reports.Report {
		r := sample.Report()
		r.Results = nil
		for _, v := range verdicts {
			r.Results = append(r.Results, reports.Result{Requirement: "X-1", Theme: "interop", Blocking: true, Verdict: v, Checks: []reports.Check{{ID: "X-1.1", Verdict: v}}})
		}
		r.Conclude()
		return r
	}
	ok, bad, review, untested, failed := reports.Conformant, reports.Nonconformant, reports.ToReview, reports.Untested, reports.Error
	for _, c := range []struct {
		r    reports.Report
		want string
	}{
		{judged(ok, ok), "The 2 points that the profile \"étalon\" holds indispensable were all observed, and met."},
		{judged(ok), "The only point that the profile \"étalon\" holds indispensable was observed, and met."},
		{judged(ok, review), "No breach was observed in 1 of the 2 points"},
		{judged(ok, bad), "One point that the profile \"étalon\" holds indispensable is not met."},
		{judged(bad, bad), "Two points that the profile \"étalon\" holds indispensable are not met."},
		{judged(ok, untested), "It is too early to conclude: one point"},
		{judged(ok, failed), "through the fault of the harness"},
		{judged(), "through the fault of the harness"},
		{reports.Report{}, "through the fault of the harness"},
	} {
		if got := wordsOf(t, plain(t, c.r, "en")); !strings.Contains(got, c.want) {
			t.Errorf("%v: %q is not in %.300s", c.r.Summary, c.want, got)
		}
	}
	partial := judged(ok)
	partial.Run.Partial = true
	if got := wordsOf(t, plain(t, partial, "fr")); !strings.Contains(got, "ne dit rien de l’ensemble") || strings.Contains(got, "respectés.") {
		t.Errorf("a part is taken for the whole: %.300s", got)
	}
}
