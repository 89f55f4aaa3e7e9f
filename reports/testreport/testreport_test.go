package testreport_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/etalon-sante/etalon/reports"
	"github.com/etalon-sante/etalon/reports/internal/sample"
	"github.com/etalon-sante/etalon/reports/testreport"
)

var update = flag.Bool("update", false, "write the golden files again")

func write(t testing.TB, r reports.Report, lang string) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := testreport.Write(&b, r, lang); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// read is the resource as a platform would take it.
type ext []struct {
	URL    string `json:"url"`
	String string `json:"valueString"`
	Code   string `json:"valueCode"`
}

func (e ext) of(name string) string {
	for _, x := range e {
		if strings.HasSuffix(x.URL, "/"+name) {
			return x.String + x.Code
		}
	}
	return ""
}

type read struct {
	Status, Result string
	Score          *float64
	Setup          struct{ Action []action }
	Test           []struct {
		Extension ext
		Name      string
		Action    []action
	}
}

type action struct {
	Extension ext
	Assert    struct {
		Result, Message, Detail string
		Other                   struct {
			Extension []struct {
				URL       string
				Extension []struct{ URL, ValueCode, ValueMarkdown string }
			}
		} `json:"_message"`
	}
}

func parse(t testing.TB, b []byte) read {
	t.Helper()
	var out read
	if err := json.Unmarshal(b, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestTheFileIsAsInTheGoldenFile(t *testing.T) {
	for _, lang := range []string{"fr", "en"} {
		var pretty bytes.Buffer
		if err := json.Indent(&pretty, write(t, sample.Few(), lang), "", " "); err != nil {
			t.Fatal(err)
		}
		golden := filepath.Join("testdata", "testreport."+lang+".json")
		if *update {
			if err := os.WriteFile(golden, pretty.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(pretty.Bytes(), want) {
			t.Errorf("%s differs from what was written; look at it, then run with -update", golden)
		}
	}
}

func TestIdsAndVerdictsAreThoseOfTheReport(t *testing.T) {
	r := sample.Report()
	doc := parse(t, write(t, r, "fr"))
	if len(doc.Test) != len(r.Results) {
		t.Fatalf("%d tests, %d requirements", len(doc.Test), len(r.Results))
	}
	for i, res := range r.Results {
		got := doc.Test[i]
		if got.Name != res.Requirement || got.Extension.of("verdict") != string(res.Verdict) {
			t.Errorf("test %d is %s %s, want %s %s", i, got.Name, got.Extension.of("verdict"), res.Requirement, res.Verdict)
		}
		if len(got.Action) != max(1, len(res.Checks)) {
			t.Fatalf("%s: %d actions", got.Name, len(got.Action))
		}
		for j, c := range res.Checks {
			if a := got.Action[j]; a.Extension.of("check") != c.ID || a.Extension.of("verdict") != string(c.Verdict) || !strings.Contains(a.Assert.Message, c.ID) {
				t.Errorf("%s: action %d is %v", got.Name, j, a)
			}
		}
	}
	if len(doc.Setup.Action) != len(r.Notes) {
		t.Errorf("%d actions of the setup, %d notes", len(doc.Setup.Action), len(r.Notes))
	}
}

func TestEachVerdictBecomesWhatTheDocumentationSays(t *testing.T) {
	for v, want := range map[reports.Verdict][2]string{ // as usual, and strict
		reports.Conformant:    {"pass", "pass"},
		reports.Nonconformant: {"fail", "fail"},
		reports.Deviation:     {"warning", "fail"},
		reports.ToReview:      {"warning", "skip"},
		reports.Attested:      {"skip", "skip"},
		reports.NotApplicable: {"skip", "skip"},
		reports.NotInForce:    {"skip", "skip"},
		reports.Excluded:      {"skip", "skip"},
		reports.Untested:      {"skip", "skip"},
		reports.Error:         {"error", "error"},
		"green":               {"error", "error"},
	} {
		for i, strict := range []bool{false, true} {
			r := reports.Report{Run: reports.Run{Strict: strict}, Results: []reports.Result{{Requirement: "INT-01", Verdict: v, Checks: []reports.Check{{ID: "INT-01.1", Verdict: v}}}}}
			r.Conclude()
			if got := parse(t, write(t, r, "en")).Test[0].Action[0].Assert.Result; got != want[i] {
				t.Errorf("%s, strict %v: %s, want %s", v, strict, got, want[i])
			}
		}
	}
}

func TestTheResultOfTheWholeIsTheVerdictOfTheRun(t *testing.T) {
	for v, want := range map[reports.RunVerdict]string{
		reports.RunConformant: "pass", reports.RunNonconformant: "fail", reports.RunInconclusive: "pending", reports.RunError: "pending", reports.RunPartial: "pending", "": "pending",
	} {
		r := sample.Report()
		r.Verdict = v
		if got := parse(t, write(t, r, "fr")); got.Result != want || got.Status != "completed" || got.Score != nil {
			t.Errorf("%s: %s, %s, score %v", v, got.Result, got.Status, got.Score)
		}
	}
	r := sample.Report()
	r.Run.Interrupted = true
	r.Conclude()
	if got := parse(t, write(t, r, "fr")); got.Status != "stopped" || got.Result == "pass" {
		t.Errorf("an interrupted run is %s, %s", got.Status, got.Result)
	}
}

func TestMessagesAreInBothLanguages(t *testing.T) {
	doc := parse(t, write(t, sample.Report(), "fr"))
	for _, x := range doc.Test {
		for _, a := range x.Action {
			o := a.Assert.Other.Extension
			if len(o) != 1 || o[0].Extension[0].ValueCode != "en" || o[0].Extension[1].ValueMarkdown == "" || o[0].Extension[1].ValueMarkdown == a.Assert.Message {
				t.Fatalf("%s is not translated: %v", x.Name, o)
			}
		}
	}
}

func BenchmarkAThousandRequirements(b *testing.B) {
	r := sample.Large(1000)
	for b.Loop() {
		write(b, r, "fr")
	}
}
