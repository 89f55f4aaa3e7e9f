package run_test

import (
	"bytes"
	"path/filepath"
	"slices"
	"testing"

	"github.com/etalon-sante/etalon/fixtures/flaws"
	"github.com/etalon-sante/etalon/fixtures/reference"
	"github.com/etalon-sante/etalon/reports"
	"github.com/etalon-sante/etalon/reports/html"
	"github.com/etalon-sante/etalon/suites/run"
	"github.com/etalon-sante/etalon/suites/run/demo"
)

// atFirst runs the reference service with several flaws at a time: a report as an
// editor meets it at first. It returns the folder and the report.
func atFirst(t testing.TB, ids ...string) (string, reports.Report) {
	t.Helper()
	parts := reference.DefaultParts()
	for _, f := range flaws.All() {
		if slices.Contains(ids, f.ID) {
			f.Apply(&parts)
		}
	}
	s, err := demo.Start(t.Context(), demo.Options{Parts: parts})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	o := options(s, filepath.Join(t.TempDir(), "report"))
	o.Resolver, o.CDASchema, o.Command = s.Resolver, run.OwnSchema, "etalon run --candidate candidate.yaml --seed 1"
	got, err := run.Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return o.Out, got.Report
}

// many are flaws of several chapters that do not take one another's occasion away.
func many() []string {
	return []string{
		"purpose-beyond-the-law", "secondary-use", "siren-with-a-wrong-key", "no-tls-1.3", "hsts-of-five-minutes", "inline-scripts-allowed",
		"types-guessed", "framed-by-anyone", "cookie-without-prefix", "security-txt-without-expiry", "scripts-of-anyone", "state-short", "nonce-short",
		"profile-missing", "date-without-offset", "glucose-converted-twice", "category-laboratory", "period-without-end", "page-of-a-thousand",
		"every-entry-shown", "error-shown", "size-of-the-base64", "category-of-another-list", "participant-without-status", "kind-in-words",
		"comment-of-any-length", "obsolete-media-type", "source-of-someone-else", "session-short", "address-told-to-others",
		"quantity-without-unit", "device-not-linked", "hour-without-offset", "any-origin-with-credentials", "audience-script-not-pinned",
		"data-without-purpose", "bmi-fed", "documents-of-no-one",
	}
}

// cut leaves n requirements of a report, of which one in ten is broken: the first
// broken ones, and the others from every chapter.
func cut(t testing.TB, r reports.Report, n int) reports.Report {
	t.Helper()
	bad := func(x reports.Result) bool {
		return x.Verdict == reports.Nonconformant || x.Verdict == reports.Deviation
	}
	broken := append(r.With(reports.Nonconformant), r.With(reports.Deviation)...)
	if len(broken) < n/10 {
		t.Fatalf("%d requirements are broken, want at least %d", len(broken), n/10)
	}
	keep := map[string]bool{}
	for _, x := range broken[:n/10] {
		keep[x.Requirement] = true
	}
	rest := slices.DeleteFunc(slices.Clone(r.Results), bad)
	for i := range n - n/10 {
		keep[rest[i*len(rest)/(n-n/10)].Requirement] = true
	}
	r.Results = slices.DeleteFunc(slices.Clone(r.Results), func(x reports.Result) bool { return !keep[x.Requirement] })
	if len(r.Results) != n {
		t.Fatalf("%d requirements are left, want %d", len(r.Results), n)
	}
	r.Conclude()
	return r
}

// The budget of the report: 300 KB for 200 requirements without pictures, with the
// texts of the real catalogue and the exchanges of a real run.
func TestARealReportOfTwoHundredRequirementsStaysUnder300KB(t *testing.T) {
	_, r := atFirst(t, many()...)
	for _, lang := range []string{"fr", "en"} {
		var b bytes.Buffer
		if err := html.Write(&b, cut(t, r, 200), lang); err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: %d bytes", lang, b.Len())
		if b.Len() > 300_000 {
			t.Errorf("%s: %d bytes", lang, b.Len())
		}
	}
}
