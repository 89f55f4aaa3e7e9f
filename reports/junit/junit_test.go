package junit_test

import (
	"bytes"
	"encoding/xml"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/etalon-sante/etalon/reports"
	"github.com/etalon-sante/etalon/reports/internal/sample"
	"github.com/etalon-sante/etalon/reports/junit"
)

var update = flag.Bool("update", false, "write the golden files again")

func write(t testing.TB, r reports.Report, lang string) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := junit.Write(&b, r, lang); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// read parses the file as a CI server would.
type header struct {
	Tests    int `xml:"tests,attr"`
	Failures int `xml:"failures,attr"`
	Errors   int `xml:"errors,attr"`
	Skipped  int `xml:"skipped,attr"`
}

type read struct {
	header
	Suites []struct {
		Name string `xml:"name,attr"`
		header
		Cases []struct {
			Class   string    `xml:"classname,attr"`
			Name    string    `xml:"name,attr"`
			Failure *struct{} `xml:"failure"`
			Error   *struct{} `xml:"error"`
			Skipped *struct {
				Message string `xml:"message,attr"`
			} `xml:"skipped"`
			Out string `xml:"system-out"`
		} `xml:"testcase"`
	} `xml:"testsuite"`
}

func parse(t *testing.T, b []byte) read {
	t.Helper()
	var out read
	if err := xml.Unmarshal(b, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// counted returns the elements of the file by kind, and checks each header.
func counted(t *testing.T, doc read) header {
	t.Helper()
	var all header
	for _, s := range doc.Suites {
		var h header
		for _, c := range s.Cases {
			h.Tests++
			switch {
			case c.Failure != nil:
				h.Failures++
			case c.Error != nil:
				h.Errors++
			case c.Skipped != nil:
				h.Skipped++
				if c.Skipped.Message == "" {
					t.Errorf("%s is skipped without a message", c.Name)
				}
			}
		}
		if h != s.header {
			t.Errorf("suite %s says %+v and holds %+v", s.Name, s.header, h)
		}
		all.Tests += h.Tests
		all.Failures += h.Failures
		all.Errors += h.Errors
		all.Skipped += h.Skipped
	}
	whole := all
	whole.Skipped = 0 // the schema has no place for it there
	if whole != doc.header {
		t.Errorf("the file says %+v and holds %+v", doc.header, all)
	}
	return all
}

func TestTheFileIsAsInTheGoldenFile(t *testing.T) {
	for _, lang := range []string{"fr", "en"} {
		got := write(t, sample.Report(), lang)
		golden := filepath.Join("testdata", "junit."+lang+".xml")
		if *update {
			if err := os.WriteFile(golden, got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s differs from what was written; look at it, then run with -update", golden)
		}
	}
}

func TestCountsAreThoseOfTheChecks(t *testing.T) {
	r := sample.Report()
	var want header
	for _, res := range r.Results {
		verdicts := []reports.Verdict{res.Verdict}
		if len(res.Checks) > 0 {
			verdicts = nil
		}
		for _, c := range res.Checks {
			verdicts = append(verdicts, c.Verdict)
		}
		for _, v := range verdicts {
			want.Tests++
			switch v {
			case reports.Nonconformant:
				want.Failures++
			case reports.Error:
				want.Errors++
			case reports.Untested, reports.NotApplicable, reports.NotInForce, reports.Excluded:
				want.Skipped++
			}
		}
	}
	if got := counted(t, parse(t, write(t, r, "fr"))); got != want {
		t.Errorf("holds %+v, the report %+v", got, want)
	}
}

// one is a run of one requirement whose check has a verdict.
func one(v reports.Verdict, blocking, strict bool) reports.Report {
	r := reports.Report{Run: reports.Run{Strict: strict}, Results: []reports.Result{{
		Requirement: "INT-01", Theme: "interop", Verdict: v, Blocking: blocking, Reason: reports.Text{FR: "raison", EN: "reason"},
		Checks: []reports.Check{{ID: "INT-01.1", Verdict: v}},
	}}}
	r.Conclude()
	return r
}

func TestEachVerdictBecomesWhatTheDocumentationSays(t *testing.T) {
	pass, failure, failed, skipped := header{Tests: 1}, header{Tests: 1, Failures: 1}, header{Tests: 1, Errors: 1}, header{Tests: 1, Skipped: 1}
	cases := map[reports.Verdict][2]header{ // as usual, and strict
		reports.Conformant:    {pass, pass},
		reports.Nonconformant: {failure, failure},
		reports.Deviation:     {pass, failure},
		reports.Attested:      {pass, pass},
		reports.ToReview:      {pass, skipped},
		reports.NotApplicable: {skipped, skipped},
		reports.NotInForce:    {skipped, skipped},
		reports.Excluded:      {skipped, skipped},
		reports.Untested:      {skipped, skipped},
		reports.Error:         {failed, failed},
		"green":               {failed, failed},
	}
	for v, want := range cases {
		for i, strict := range []bool{false, true} {
			doc := parse(t, write(t, one(v, false, strict), "en"))
			counted(t, doc)
			if got := doc.Suites[0].header; got != want[i] {
				t.Errorf("%s, strict %v: %+v, want %+v", v, strict, got, want[i])
			}
		}
	}
}

func TestARunThatDoesNotEndInZeroIsNeverGreen(t *testing.T) {
	var empty reports.Report
	empty.Conclude()
	stopped := one(reports.Conformant, true, false)
	stopped.Run.Interrupted = true
	stopped.Conclude()
	cases := map[string]reports.Report{
		"nothing planned": empty, "blocking untested": one(reports.Untested, true, false), "interrupted": stopped,
		"strict and to review": one(reports.ToReview, false, true), "nothing concerns": one(reports.NotApplicable, true, false),
	}
	for name, r := range cases {
		if got := counted(t, parse(t, write(t, r, "fr"))); got.Failures+got.Errors == 0 {
			t.Errorf("%s: exit %d and nothing red", name, r.ExitCode)
		}
	}
	if got := counted(t, parse(t, write(t, one(reports.Conformant, true, false), "fr"))); got.Failures+got.Errors > 0 {
		t.Error("a conformant run is red")
	}
}

func TestHostileTextIsEscaped(t *testing.T) {
	for _, s := range []string{`"/><failure/>`, "]]>", "</testcase>", "&x;", "\x00\x01\ufffe", "\xff", "<!--", "a\r\nb"} {
		doc := parse(t, write(t, sample.Hostile(s), "en"))
		if got := counted(t, doc); got.Failures != countNonconformant(sample.Hostile(s)) {
			t.Errorf("%q: %d failures", s, got.Failures)
		}
	}
	got := string(write(t, sample.Hostile("<b>&\"'"), "en"))
	if strings.Contains(got, "<b>") {
		t.Error("mark-up went through")
	}
}

func countNonconformant(r reports.Report) int {
	n := 0
	for _, res := range r.Results {
		for _, c := range res.Checks {
			if c.Verdict == reports.Nonconformant {
				n++
			}
		}
	}
	return n
}

func BenchmarkAThousandRequirements(b *testing.B) {
	r := sample.Large(1000)
	for b.Loop() {
		write(b, r, "fr")
	}
}
