package sarif_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	theirs "github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif"

	"github.com/etalon-sante/etalon/reports"
	"github.com/etalon-sante/etalon/reports/internal/sample"
	"github.com/etalon-sante/etalon/reports/sarif"
)

var update = flag.Bool("update", false, "write the golden files again")

func write(t testing.TB, r reports.Report, lang string) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := sarif.Write(&b, r, lang); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// read opens the file with a library that is not ours, which judges it by the
// schema of OASIS too.
func read(t testing.TB, b []byte) *theirs.Run {
	t.Helper()
	doc, err := theirs.FromBytes(b)
	if err != nil {
		t.Fatal(err)
	}
	if len(doc.Runs) != 1 {
		t.Fatalf("%d runs", len(doc.Runs))
	}
	return doc.Runs[0]
}

func valid(t testing.TB, b []byte) {
	t.Helper()
	doc, err := theirs.FromBytes(b)
	if err != nil {
		t.Fatal(err)
	}
	for _, run := range doc.Runs { // the library makes empty lists of what is absent, and the standard wants this one to hold something
		run.NewlineSequences = []string{"\n"}
	}
	if err := doc.Validate(); err != nil {
		t.Errorf("not valid against the schema of SARIF 2.1.0: %v", err)
	}
	// The library forgets what the standard does not know: nothing of ours may be.
	again, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	var mine, known any
	if err := errors.Join(json.Unmarshal(b, &mine), json.Unmarshal(again, &known)); err != nil {
		t.Fatal(err)
	}
	forgotten(t, "", mine, known)
}

// forgotten tells of what is in a and not in b.
func forgotten(t testing.TB, at string, a, b any) {
	t.Helper()
	switch x := a.(type) {
	case map[string]any:
		y, _ := b.(map[string]any)
		for k, v := range x {
			if _, ok := y[k]; !ok && v != "" && v != float64(0) && v != false && !(k == "headers" && len(v.(map[string]any)) == 0) {
				t.Errorf("SARIF has no %s/%s", at, k)
				continue
			}
			forgotten(t, at+"/"+k, v, y[k])
		}
	case []any:
		y, _ := b.([]any)
		for i := range x {
			if i < len(y) {
				forgotten(t, at, x[i], y[i])
			}
		}
		if len(x) != len(y) {
			t.Errorf("SARIF keeps %d of %d at %s", len(y), len(x), at)
		}
	}
}

func TestTheFileIsAsInTheGoldenFile(t *testing.T) {
	for _, lang := range []string{"fr", "en"} {
		var pretty bytes.Buffer
		if err := json.Indent(&pretty, write(t, sample.Few(), lang), "", " "); err != nil {
			t.Fatal(err)
		}
		got := pretty.Bytes()
		golden := filepath.Join("testdata", "results."+lang+".sarif")
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

func TestTheSchemaOfTheStandardAcceptsTheFile(t *testing.T) {
	var empty reports.Report
	empty.Conclude()
	for name, r := range map[string]reports.Report{"sample": sample.Report(), "empty": empty, "hostile": sample.Hostile("\x00\x1b]0;x\a\u202e<script>'\xff")} {
		t.Run(name, func(t *testing.T) {
			valid(t, write(t, r, "fr"))
			var b bytes.Buffer
			if err := sarif.WriteProblems(&b, r, "en"); err != nil {
				t.Fatal(err)
			}
			valid(t, b.Bytes())
		})
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
	type want struct{ usual, blocking, strict string }
	same := func(s string) want { return want{s, s, s} }
	for v, w := range map[reports.Verdict]want{
		reports.Nonconformant: {"fail warning", "fail error", "fail error"},
		reports.Deviation:     {"review none", "review none", "fail error"},
		reports.ToReview:      same("review none"),
		reports.Untested:      same("open none"),
		reports.Error:         same("open none"),
		reports.Conformant:    same("pass none"),
		reports.Attested:      same("informational none"),
		reports.NotApplicable: same("notApplicable none"),
		reports.NotInForce:    same("notApplicable none"),
		reports.Excluded:      same("notApplicable none"),
		"green":               same("open none"),
	} {
		for want, r := range map[string]reports.Report{"usual " + w.usual: one(v, false, false), "blocking " + w.blocking: one(v, true, false), "strict " + w.strict: one(v, false, true)} {
			b := write(t, r, "en")
			valid(t, b)
			got := read(t, b).Results[0]
			_, want, _ = strings.Cut(want, " ")
			if is := got.Kind + " " + got.Level; is != want {
				t.Errorf("%s: %s, want %s", v, is, want)
			}
		}
	}
}

func TestWithoutTheRestOnlyProblemsAreLeftAndNeverNothingOfARunThatFailed(t *testing.T) {
	problems := func(r reports.Report) []*theirs.Result {
		var b bytes.Buffer
		if err := sarif.WriteProblems(&b, r, "fr"); err != nil {
			t.Fatal(err)
		}
		valid(t, b.Bytes())
		return read(t, b.Bytes()).Results
	}
	want := 0
	for _, res := range sample.Report().Results {
		for _, c := range res.Checks {
			if c.Verdict == reports.Nonconformant {
				want++
			}
		}
	}
	got := problems(sample.Report())
	if len(got) != want || want == 0 {
		t.Errorf("%d results, %d checks are nonconformant", len(got), want)
	}
	for _, x := range got {
		if x.Kind != "fail" {
			t.Errorf("%v is of kind %s", x.RuleID, x.Kind)
		}
	}
	if n := len(problems(one(reports.Conformant, true, false))); n != 0 {
		t.Errorf("a conformant run has %d problems", n)
	}
	got = problems(one(reports.Untested, true, false))
	if len(got) != 1 || *got[0].RuleID != "run" {
		t.Errorf("a run that could not conclude shows nothing: %v", got)
	}
}

func TestAResultPointsToItsLineOfTheReport(t *testing.T) {
	r := sample.Report()
	var b bytes.Buffer
	if err := reports.Write(&b, r); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(b.String(), "\n")
	for _, x := range read(t, write(t, r, "fr")).Results {
		p := x.Locations[0].PhysicalLocation
		if uri := *p.ArtifactLocation.URI; uri != "report.json" {
			t.Fatalf("%s names %s", *x.RuleID, uri)
		}
		if line := lines[*p.Region.StartLine-1]; !strings.Contains(line, `"`+*x.RuleID+`"`) {
			t.Errorf("%s points to line %d: %s", *x.RuleID, *p.Region.StartLine, line)
		}
	}
}

func TestAResultIsFollowedFromRunToRun(t *testing.T) {
	a, other := sample.Report(), sample.Report()
	other.Run.ID, other.Run.Seed, other.Run.Started = "another", 7, other.Run.Started.AddDate(0, 1, 0)
	other.Candidate.Service.Version, other.Candidate.Web.Site = "5", "https://localhost:1234/"
	other.Results = other.Results[3:] // all lines move
	prints := func(r reports.Report) map[string]string {
		out, seen := map[string]string{}, map[string]bool{}
		for _, x := range read(t, write(t, r, "fr")).Results {
			p := x.PartialFingerprints["primaryLocationLineHash"]
			if p == "" || seen[p] {
				t.Fatalf("%s has the fingerprint %q", *x.RuleID, p)
			}
			out[*x.RuleID], seen[p] = p, true
		}
		return out
	}
	before := prints(a)
	for id, p := range prints(other) {
		if before[id] != p {
			t.Errorf("%s is not recognised in a later run", id)
		}
	}
	other.Candidate.Service.Name = "Another"
	for id, p := range prints(other) {
		if before[id] == p {
			t.Errorf("%s of another service is taken for the same", id)
		}
	}
}

func TestOurErrorsAreNotificationsOfTheTool(t *testing.T) {
	inv := read(t, write(t, one(reports.Error, true, false), "en")).Invocations[0]
	if *inv.ExecutionSuccessful || *inv.ExitCode != reports.ExitError {
		t.Errorf("successful %v, exit code %d", *inv.ExecutionSuccessful, *inv.ExitCode)
	}
	if len(inv.ToolExecutionNotifications) != 1 || inv.ToolExecutionNotifications[0].Level != "error" {
		t.Errorf("notifications %v", inv.ToolExecutionNotifications)
	}
	if inv := read(t, write(t, one(reports.Nonconformant, true, false), "en")).Invocations[0]; !*inv.ExecutionSuccessful || *inv.ExitCode != 1 {
		t.Error("a nonconformance of the service is taken for a failure of ours")
	}
}

func TestRulesSpeakBothLanguages(t *testing.T) {
	r := sample.Report()
	run := read(t, write(t, r, "fr"))
	if len(run.Translations) != 1 || len(run.Translations[0].Rules) != len(run.Tool.Driver.Rules) {
		t.Fatal("the rules are not translated")
	}
	differ := 0
	for i, rule := range run.Tool.Driver.Rules {
		en := run.Translations[0].Rules[i]
		if *rule.ID != *en.ID {
			t.Fatalf("rule %d is %s and %s", i, *rule.ID, *en.ID)
		}
		if rule.Help == nil || en.Help == nil {
			t.Errorf("%s has no help", *rule.ID)
		} else if *rule.Help.Text != *en.Help.Text {
			differ++
		}
	}
	if differ != len(run.Tool.Driver.Rules) {
		t.Errorf("the help of %d rules of %d differs between the languages", differ, len(run.Tool.Driver.Rules))
	}
}

func TestNothingIsObeyedByATerminal(t *testing.T) {
	b := write(t, sample.Hostile("\x1b[2J\x00\u202e\x9b"), "en")
	var v any
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(b), `\u001b`) || strings.Contains(string(b), `\u0000`) || strings.ContainsRune(string(b), '\u202e') {
		t.Error("a control character went through")
	}
}

func BenchmarkAThousandRequirements(b *testing.B) {
	r := sample.Large(1000)
	for b.Loop() {
		write(b, r, "fr")
	}
}
