package compare_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/xeipuuv/gojsonschema"

	"github.com/etalon-sante/etalon/reports"
	"github.com/etalon-sante/etalon/reports/compare"
	"github.com/etalon-sante/etalon/reports/internal/sample"
)

var update = flag.Bool("update", false, "write the golden files again")

// one is a report of one requirement INT-01 with a check of each verdict given:
// INT-01.1 has the first. A verdict may be followed by keys of findings: "v:a,b".
func one(of ...string) reports.Report {
	r := sample.Report()
	res := reports.Result{Requirement: "INT-01", Title: reports.Text{FR: "exigence", EN: "requirement"}, Level: "unknown", Blocking: true, Theme: "interop", Family: "technical", Verification: "automatic", Basis: "assumed"}
	var all []reports.Verdict
	for i, s := range of {
		v, keys, _ := strings.Cut(s, ":")
		c := reports.Check{ID: fmt.Sprintf("INT-01.%d", i+1), Verdict: reports.Verdict(v), Witness: "sandbox"}
		for _, k := range strings.FieldsFunc(keys, func(r rune) bool { return r == ',' }) {
			c.Findings = append(c.Findings, reports.Finding{Key: k})
		}
		all = append(all, c.Verdict)
		res.Checks = append(res.Checks, c)
	}
	res.Verdict = reports.Worst(all...)
	// A second requirement, always the same: there is always something in common.
	same := res
	same.Requirement, same.Verdict, same.Checks = "INT-02", reports.Conformant, []reports.Check{{ID: "INT-02.1", Verdict: reports.Conformant, Witness: "sandbox"}}
	r.Results = []reports.Result{res, same}
	r.Conclude()
	return r
}

func TestEachChangeOfAVerdictHasItsKindAndItsExitCode(t *testing.T) {
	for _, tc := range []struct {
		before, after string
		kind          compare.Kind // "": no change
		exit          int
	}{
		{"conformant", "conformant", "", 0},
		{"conformant", "nonconformant:a", compare.NewFailure, 1},
		{"untested", "nonconformant:a", compare.NewFailure, 1},
		{"not-applicable", "nonconformant:a", compare.NewFailure, 1},
		{"", "nonconformant:a", compare.NewFailure, 1},
		{"conformant", "untested", compare.Degraded, 1},
		{"conformant", "deviation:a", compare.Degraded, 1},
		{"conformant", "to-review", compare.Degraded, 1},
		{"conformant", "attested", compare.Degraded, 1},
		{"conformant", "error", compare.Degraded, 1},
		{"not-applicable", "error", compare.Degraded, 1},
		{"conformant", "not-applicable", compare.Lost, 1},
		{"conformant", "excluded", compare.Lost, 1},
		{"untested", "not-applicable", compare.Lost, 0},
		{"nonconformant:a", "nonconformant:a", compare.StillFailing, 0},
		{"nonconformant:a", "nonconformant:a,b", compare.StillFailing, 1},
		{"nonconformant:a,b", "nonconformant:a", compare.StillFailing, 0},
		{"nonconformant:a", "untested", compare.NotShown, 0},
		{"nonconformant:a", "not-applicable", compare.NotShown, 0},
		{"nonconformant:a", "error", compare.NotShown, 1},
		{"nonconformant:a", "conformant", compare.Mended, 0},
		{"nonconformant:a", "deviation:a", compare.Improved, 0},
		{"untested", "conformant", compare.Improved, 0},
		{"not-applicable", "conformant", compare.Appeared, 0},
		{"", "conformant", compare.Appeared, 0},
		{"conformant", "", compare.Disappeared, 0},
		{"nonconformant:a", "", compare.Disappeared, 0},
		{"deviation:a", "deviation:b", compare.ChangedFindings, 0},
		{"not-applicable", "excluded", "", 0},
	} {
		t.Run(tc.before+" to "+tc.after, func(t *testing.T) {
			checks := func(v string) []string {
				if v == "" {
					return []string{"conformant"}
				}
				return []string{"conformant", v}
			}
			got := compare.Compare(one(checks(tc.before)...), one(checks(tc.after)...))
			if got.ExitCode != tc.exit {
				t.Errorf("it ends in %d, not %d: %+v", got.ExitCode, tc.exit, got.Changes)
			}
			switch {
			case tc.kind == "" && len(got.Changes) == 0:
			case len(got.Changes) != 1 || got.Changes[0].Kind != tc.kind || got.Changes[0].Check != "INT-01.2":
				t.Errorf("changes are %+v, not one of %q", got.Changes, tc.kind)
			case got.Counts[tc.kind] != 1:
				t.Errorf("counts are %v", got.Counts)
			}
		})
	}
}

func TestStrictCountsADeviationAsAFailure(t *testing.T) {
	a, b := one("conformant"), one("deviation:a")
	b.Run.Strict = true
	if got := compare.Compare(a, b); got.Counts[compare.NewFailure] != 1 || got.ExitCode != 1 {
		t.Errorf("%+v", got)
	}
}

func TestRenamesAreFollowedBothWays(t *testing.T) {
	a := one("conformant", "nonconformant:a")
	b := one("nonconformant:x", "conformant")
	b.Results[0].Requirement, b.Results[0].Formerly = "INT-77", []string{"INT-01"}
	for i := range b.Results[0].Checks {
		b.Results[0].Checks[i].ID = fmt.Sprintf("INT-77.%d", i+1)
	}
	got := compare.Compare(a, b)
	if len(got.Changes) != 2 || got.Changes[0].Kind != compare.NewFailure || got.Changes[0].Formerly != "INT-01.1" || got.Changes[1].Kind != compare.Mended || got.Changes[1].Check != "INT-77.2" {
		t.Errorf("forward: %+v", got.Changes)
	}
	back := compare.Compare(b, a) // the older catalogue comes second
	if len(back.Changes) != 2 || back.Changes[0].Kind != compare.NewFailure || back.Changes[0].Check != "INT-01.2" || back.Changes[0].Formerly != "INT-77.2" {
		t.Errorf("backward: %+v", back.Changes)
	}
	// An id that was given to another requirement is that other one.
	b.Results = append(b.Results, one("conformant", "conformant").Results[0])
	got = compare.Compare(a, b)
	if i := slices.IndexFunc(got.Changes, func(c compare.Change) bool { return c.Check == "INT-01.2" }); i < 0 || got.Changes[i].Kind != compare.Mended {
		t.Errorf("the same id comes first: %+v", got.Changes)
	}
}

func TestSumsDoNotHideAnything(t *testing.T) {
	a, b := one("conformant", "nonconformant:a"), one("nonconformant:a", "conformant")
	if a.Summary[reports.Nonconformant] != b.Summary[reports.Nonconformant] {
		t.Fatal("the sums are to be the same")
	}
	got := compare.Compare(a, b)
	if got.ExitCode != 1 || got.Counts[compare.NewFailure] != 1 || got.Counts[compare.Mended] != 1 {
		t.Errorf("%+v", got.Counts)
	}
}

func TestWhatCannotBeComparedSaysWhy(t *testing.T) {
	other := one("nonconformant:a")
	other.Candidate.Service.Name = "Autre service"
	free := one("nonconformant:a")
	free.Run.FreeUse, free.Run.Partial = true, true
	twice := one("conformant")
	twice.Results = append(twice.Results, twice.Results[0])
	apart := one("conformant")
	apart.Run.Partial = true
	apart.Results = apart.Results[:1]
	apart.Results[0].Requirement, apart.Results[0].Checks = "SEC-01", nil
	for name, after := range map[string]reports.Report{"same service": other, "free use": free, "twice": twice, "no requirement": apart} {
		got := compare.Compare(one("conformant"), after)
		if got.ExitCode != 4 || got.Outcome != compare.NotComparable || len(got.Obstacles) != 1 || !strings.Contains(got.Obstacles[0].EN, name) || got.Obstacles[0].FR == "" {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestAnInterruptedRunShowsOnlyWhatItSaw(t *testing.T) {
	cut := one("untested")
	cut.Run.Interrupted = true
	if got := compare.Compare(one("conformant"), cut); got.ExitCode != 4 {
		t.Errorf("what was not played: %d", got.ExitCode)
	}
	seen := one("nonconformant:a")
	seen.Run.Interrupted = true
	if got := compare.Compare(one("conformant"), seen); got.ExitCode != 1 {
		t.Errorf("a failure that was seen: %d", got.ExitCode)
	}
}

func TestAPartialRunIsComparedWithWhatItSelected(t *testing.T) {
	whole, part := one("conformant"), one("conformant")
	part.Run.Partial = true
	part.Results = part.Results[:1]
	for _, got := range []compare.Comparison{compare.Compare(whole, part), compare.Compare(part, whole)} {
		if got.ExitCode != 0 || len(got.Changes) != 0 || got.Compared != 1 {
			t.Errorf("%+v", got)
		}
	}
}

// numbered gives each check of a sample an id of its own.
func numbered(r reports.Report) reports.Report {
	for i := range r.Results {
		for j := range r.Results[i].Checks {
			r.Results[i].Checks[j].ID = fmt.Sprintf("%s.%d", r.Results[i].Requirement, j+1)
		}
	}
	return r
}

// changed is the sample, and what became of it in another version of everything.
func changed() (reports.Report, reports.Report) {
	a, b := numbered(sample.Report()), numbered(sample.Report())
	b.Candidate.Service.Version, b.Run.ID, b.Run.Seed = "4.3.0", "20261123-081500-11aa", 7
	b.Run.Catalogue.Digest = strings.Repeat("c0ffee00", 8)
	b.Candidate.Claims.Documents = []string{"write"}
	kinds := map[reports.Verdict]int{}
	for i := range b.Results {
		r := &b.Results[i]
		if len(r.Checks) == 0 {
			continue
		}
		k := &r.Checks[0]
		kinds[k.Verdict]++
		switch n := kinds[k.Verdict]; {
		case k.Verdict == reports.Conformant && (n == 2 || n == 4):
			k.Verdict, r.Blocking = reports.Nonconformant, n == 4
			k.Findings = []reports.Finding{{Key: "call.retry", Message: reports.Text{FR: "l'appel n'est pas rejoué", EN: "the call is not tried again"}, Expected: "1", Actual: "0"}}
		case k.Verdict == reports.Conformant && n == 6:
			k.Verdict, k.Reason = reports.Untested, reports.Text{FR: "l'occasion ne s'est pas présentée", EN: "there was no occasion"}
		case k.Verdict == reports.Nonconformant && n == 1:
			k.Verdict, k.Findings = reports.Conformant, nil
		case k.Verdict == reports.Nonconformant && n == 3:
			k.Findings = append([]reports.Finding{{Key: "feed.more"}}, k.Findings...)
		case k.Verdict == reports.Deviation && n == 1:
			k.Findings = []reports.Finding{{Key: "call.other", Message: reports.Text{FR: "un autre écart", EN: "another deviation"}}}
		case k.Verdict == reports.Untested && n == 1:
			k.Verdict = reports.Conformant
		}
		r.Verdict = reports.Nonconformant
		for j := range r.Checks {
			if j == 0 {
				r.Verdict = r.Checks[0].Verdict
			}
			r.Verdict = reports.Worst(r.Verdict, r.Checks[j].Verdict)
		}
	}
	b.Conclude()
	return a, b
}

func TestTheTextsAreAsInTheGoldenFiles(t *testing.T) {
	c := compare.Compare(changed())
	if c.ExitCode != 1 {
		t.Fatalf("the sample is to show a change for the worse: %+v", c)
	}
	for _, lang := range []string{"fr", "en"} {
		for name, write := range map[string]func(*bytes.Buffer) error{
			"comparison." + lang + ".txt": func(b *bytes.Buffer) error { return compare.WriteText(b, c, lang) },
			"comparison." + lang + ".md":  func(b *bytes.Buffer) error { return compare.WriteMarkdown(b, c, lang) },
			"comparison.json":             func(b *bytes.Buffer) error { return compare.WriteJSON(b, c) },
		} {
			var got bytes.Buffer
			if err := write(&got); err != nil {
				t.Fatal(err)
			}
			golden := filepath.Join("testdata", name)
			if *update {
				if err := os.WriteFile(golden, got.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if got.String() != string(want) {
				t.Errorf("%s differs from what was written; look at it, then run with -update", golden)
			}
		}
	}
}

func TestTheJSONFollowsItsSchema(t *testing.T) {
	s, err := gojsonschema.NewSchema(gojsonschema.NewBytesLoader(compare.Schema()))
	if err != nil {
		t.Fatal(err)
	}
	other := sample.Report()
	other.Candidate.Editor.SIREN = "552100554"
	for _, c := range []compare.Comparison{compare.Compare(changed()), compare.Compare(sample.Report(), sample.Report()), compare.Compare(sample.Report(), other), compare.Compare(reports.Report{}, reports.Report{})} {
		var b bytes.Buffer
		if err := compare.WriteJSON(&b, c); err != nil {
			t.Fatal(err)
		}
		res, err := s.Validate(gojsonschema.NewBytesLoader(b.Bytes()))
		if err != nil || !res.Valid() {
			t.Errorf("%v %v\n%.2000s", err, res.Errors(), b.String())
		}
		if bytes.Contains(b.Bytes(), []byte("null")) {
			t.Errorf("null stands in %s", b.String())
		}
		var back compare.Comparison
		if err := json.Unmarshal(b.Bytes(), &back); err != nil || back.Outcome != c.Outcome || len(back.Changes) != len(c.Changes) {
			t.Errorf("%v: read back, it is another", err)
		}
	}
}

func TestHostileTextSteersNoTerminalAndIsNoMarkup(t *testing.T) {
	for _, s := range []string{"\x1b[2J\x1b]0;x\a", "a\r\n# title", "\u202egnp", "<img src=x>", "[x](javascript:alert(1))", "@everyone", strings.Repeat("é", 100_000)} {
		a, b := sample.Hostile("x"), sample.Hostile(s)
		for _, r := range []*reports.Report{&a, &b} {
			r.Candidate.Editor.SIREN, r.Candidate.Service.Name = "732829320", "x"
			for i := range r.Results {
				res := &r.Results[i]
				res.Requirement, res.Formerly = fmt.Sprintf("INT-%d", i), nil
				for j := range res.Checks {
					res.Checks[j].ID = fmt.Sprintf("INT-%d.%d", i, j)
				}
			}
		}
		c := compare.Compare(a, b)
		if len(c.Changes) == 0 {
			t.Fatal("nothing to show")
		}
		for _, lang := range []string{"fr", "en"} {
			var text, page bytes.Buffer
			if err := compare.WriteText(&text, c, lang); err != nil {
				t.Fatal(err)
			}
			if err := compare.WriteMarkdown(&page, c, lang); err != nil {
				t.Fatal(err)
			}
			for _, bad := range []string{"\x1b", "\a", "\r", "\u202e", "\n# title"} {
				if strings.Contains(text.String(), bad) || strings.Contains(page.String(), bad) {
					t.Errorf("%.40q: %q got through", s, bad)
				}
			}
			for _, line := range strings.Split(page.String(), "\n") {
				if strings.Contains(line, "`") {
					continue // in a code span everything is text
				}
				for _, bad := range []string{"<img", "x](java", "@everyone"} {
					if strings.Contains(line, bad) {
						t.Errorf("%q stands unescaped in %q", bad, line)
					}
				}
			}
			if text.Len() > 400_000 {
				t.Errorf("%d bytes", text.Len())
			}
		}
	}
	if err := compare.WriteText(&bytes.Buffer{}, compare.Comparison{}, "de"); err == nil {
		t.Error("a language that is not ours is taken")
	}
}

func FuzzCompare(f *testing.F) {
	seed := func(r reports.Report) []byte {
		r.Results = r.Results[:min(len(r.Results), 2)]
		r.Exchanges = nil
		var b bytes.Buffer
		if err := reports.Write(&b, r); err != nil {
			f.Fatal(err)
		}
		return b.Bytes()
	}
	a, b := changed()
	renamed := one("nonconformant:a")
	renamed.Results[0].Requirement, renamed.Results[0].Formerly = "INT-77", []string{"INT-01", "INT-77", "INT-02"}
	f.Add(seed(a), seed(b))
	f.Add(seed(one("conformant", "untested")), seed(renamed))
	f.Add(seed(renamed), seed(one("conformant", "untested")))
	f.Add(seed(sample.Hostile("\x1b]0;x\a\u202e<b>`")), seed(sample.Known()))
	f.Add(seed(one("conformant")), []byte(`{"schema":"x"}`))
	f.Fuzz(func(t *testing.T, before, after []byte) {
		// Not by reports.Read, whose schema takes most of the time: Compare is to bear
		// more than it lets through.
		var a, b reports.Report
		if json.Unmarshal(before, &a) != nil || json.Unmarshal(after, &b) != nil {
			return
		}
		for _, res := range slices.Concat(a.Results, b.Results) {
			if !res.Verdict.Known() || slices.ContainsFunc(res.Checks, func(c reports.Check) bool { return !c.Verdict.Known() }) {
				return
			}
		}
		c := compare.Compare(a, b)
		if (c.ExitCode == 0) != (c.Outcome == compare.NotWorse) || c.Outcome == compare.Worse && !slices.ContainsFunc(c.Changes, func(x compare.Change) bool { return x.Worse }) {
			t.Errorf("%s ends in %d: %+v", c.Outcome, c.ExitCode, c.Changes)
		}
		// With itself nothing is worse, and where it can be compared nothing changed but what still fails.
		for _, x := range compare.Compare(a, a).Changes {
			if x.Worse || x.Kind != compare.StillFailing {
				t.Errorf("a report differs from itself: %+v", x)
			}
		}
		for _, lang := range []string{"fr", "en"} {
			var text, page bytes.Buffer
			if err := compare.WriteText(&text, c, lang); err != nil {
				t.Fatal(err)
			}
			if err := compare.WriteMarkdown(&page, c, lang); err != nil {
				t.Fatal(err)
			}
			if strings.ContainsAny(text.String()+page.String(), "\x1b\a\u202e") {
				t.Errorf("what steers a terminal got through: %q", text.String())
			}
		}
	})
}

// The budget is 50 ms for two runs of 1,000 requirements.
func BenchmarkCompareThousand(b *testing.B) {
	before, after := sample.Large(1000), sample.Large(1000)
	for i := range after.Results {
		if i%7 == 0 && len(after.Results[i].Checks) > 0 {
			after.Results[i].Checks = slices.Clone(after.Results[i].Checks)
			after.Results[i].Checks[0].Verdict = reports.Nonconformant
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		if c := compare.Compare(before, after); len(c.Changes) == 0 {
			b.Fatal("nothing changed")
		}
	}
}

// What the command does besides: both reports are read and checked by their schema.
func BenchmarkReadThousand(b *testing.B) {
	var raw bytes.Buffer
	if err := reports.Write(&raw, sample.Large(1000)); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(raw.Len()))
	for b.Loop() {
		if _, err := reports.Read(raw.Bytes()); err != nil {
			b.Fatal(err)
		}
	}
}
