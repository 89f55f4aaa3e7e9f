package html_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/etalon-sante/etalon/reports"
	"github.com/etalon-sante/etalon/reports/html"
	"github.com/etalon-sante/etalon/reports/internal/sample"
)

func TestTheOverviewPutsWhatNeedsSomeoneFirst(t *testing.T) {
	bad := sample.Report()
	at := time.Date(2026, time.November, 22, 20, 0, 0, 0, time.UTC)
	met := sample.Report()
	met.Candidate.Service.Name, met.Results = "<b>Calme</b>", nil
	met.Verdict, met.ExitCode = reports.RunConformant, 0
	for lang, want := range map[string][]string{
		"fr": {"Sur 3", "non jugé", "deux/index.html", "rien ne va", "Ce qui bloque", "indépendant"},
		"en": {"Of 3", "not judged", "deux/index.en.html", "nothing works", "What blocks", "independent"},
	} {
		var b bytes.Buffer
		err := html.WriteOverview(&b, []html.Judged{
			{Report: &met, Folder: "un"},
			{Report: &bad, Folder: "deux", Exit: 1},
			{Name: "trois.yaml", Exit: 2, Failure: reports.Text{FR: "rien ne va", EN: "nothing works"}},
		}, at, lang)
		if err != nil {
			t.Fatal(err)
		}
		page := b.String()
		for _, w := range want {
			if !strings.Contains(page, w) {
				t.Errorf("%s: no %q", lang, w)
			}
		}
		if strings.Contains(page, "<b>Calme") || strings.Contains(page, "<script") {
			t.Errorf("%s: markup of a service stands in the page", lang)
		}
		if first, second, third := strings.Index(page, bad.Candidate.Service.Name), strings.Index(page, "trois.yaml"), strings.Index(page, "Calme"); first > second || second > third {
			t.Errorf("%s: order %d, %d, %d", lang, first, second, third)
		}
	}
	if err := html.WriteOverview(&bytes.Buffer{}, nil, at, "de"); err == nil {
		t.Error("a third language is taken")
	}
}
