package reports_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/etalon-sante/etalon/reports"
	"github.com/etalon-sante/etalon/reports/internal/sample"
)

// bare is the least that is a report: a run that found nothing.
func bare() reports.Report {
	r := reports.Report{Run: reports.Run{
		ID: "r1", Started: time.Date(2026, 11, 22, 16, 5, 0, 0, time.UTC),
		Sandbox: reports.Sandbox{Form: "embedded"},
	}}
	r.Conclude()
	return r
}

func TestAReportWithoutAnyResultIsValidAndHoldsNoNull(t *testing.T) {
	var b bytes.Buffer
	if err := reports.Write(&b, bare()); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(strings.Replace(b.String(), `"witnessed": null`, "", 1), "null") {
		t.Errorf("null in %s", b.String())
	}
	back, err := reports.Read(b.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if back.Verdict != reports.RunError || back.ExitCode != 5 {
		t.Errorf("a run without results is %s %d, want error 5", back.Verdict, back.ExitCode)
	}
	if len(back.Summary) != len(reports.Verdicts()) {
		t.Errorf("summary has %d keys, want %d", len(back.Summary), len(reports.Verdicts()))
	}
}

func TestEncodingAnywhereGivesEmptyListsNeverNull(t *testing.T) {
	r := bare()
	r.Results = []reports.Result{{Requirement: "INT-01", Checks: []reports.Check{{ID: "INT-01.1"}}}}
	r.Exchanges = map[string]reports.Exchange{"x1": {ID: "x1"}}
	r.Assumptions = []reports.Assumption{{Setting: "path.token"}}
	b, err := json.Marshal(map[string]any{"report": r})
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(b), "null"); n != 2 || !strings.Contains(string(b), `"declaration":null`) || !strings.Contains(string(b), `"witnessed":null`) {
		t.Errorf("want null for the absent declaration and witness alone, got %s", b)
	}
	if r.Results[0].Sources != nil {
		t.Error("encoding changed the caller's report")
	}
}

func TestWhatIsNotAReportIsRefused(t *testing.T) {
	var b bytes.Buffer
	if err := reports.Write(&b, bare()); err != nil {
		t.Fatal(err)
	}
	good := b.String()
	cases := map[string]string{
		"nothing":                 "",
		"not JSON":                "{",
		"a list":                  "[]",
		"bytes after the end":     good + "{}",
		"a key twice":             strings.Replace(good, `"exitCode": 5`, `"exitCode": 5, "exitCode": 0`, 1),
		"a key we do not know":    strings.Replace(good, `"exitCode": 5`, `"exitCode": 5, "more": 0`, 1),
		"a missing key":           strings.Replace(good, `"exitCode": 5,`, ``, 1),
		"null for a list":         strings.Replace(good, `"results": []`, `"results": null`, 1),
		"an exit code of its own": strings.Replace(good, `"exitCode": 5`, `"exitCode": 7`, 1),
		"a huge exponent":         strings.Replace(good, `"duration": 0`, `"duration": 1e10000000`, 1),
		"a long number":           strings.Replace(good, `"duration": 0`, `"duration": 1`+strings.Repeat("0", 70), 1),
		"invalid UTF-8":           strings.Replace(good, `"r1"`, "\"r\xff\"", 1),
		"deep nesting":            strings.Repeat("[", 100) + strings.Repeat("]", 100),
		"a bad instant":           strings.Replace(good, "2026-11-22T16:05:00Z", "yesterday", 1),
	}
	for name, bad := range cases {
		t.Run(name, func(t *testing.T) {
			if bad == good {
				t.Fatal("the case does not change the report")
			}
			if err := reports.Validate([]byte(bad)); err == nil {
				t.Error("accepted")
			}
		})
	}
}

func TestWriteRefusesWhatDoesNotFollowTheSchemaAndWritesNothing(t *testing.T) {
	r := bare()
	r.Run.Sandbox.Form = "somewhere"
	var b bytes.Buffer
	err := reports.Write(&b, r)
	var invalid *reports.InvalidError
	if !errors.As(err, &invalid) || b.Len() > 0 {
		t.Errorf("want an InvalidError and no byte, got %v and %d bytes", err, b.Len())
	}
}

func FuzzValidateNeverPanicsAndNeverAcceptsWhatReadRefuses(f *testing.F) {
	var b bytes.Buffer
	if err := reports.Write(&b, bare()); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Add([]byte(`{"a":1e10000000}`))
	f.Add([]byte(`[[[[`))
	f.Add([]byte(`{"a":{"b":[1,"x",null,true]},"a":2}`))
	f.Fuzz(func(t *testing.T, in []byte) {
		if reports.Validate(in) != nil {
			return
		}
		if !json.Valid(in) {
			t.Errorf("accepted what is not JSON: %q", in)
		}
		if _, err := reports.Read(in); err != nil {
			t.Errorf("valid but unreadable: %v", err)
		}
	})
}

func TestAFullReportIsValidAndComesBackTheSame(t *testing.T) {
	var first, second bytes.Buffer
	if err := reports.Write(&first, sample.Report()); err != nil {
		t.Fatal(err)
	}
	back, err := reports.Read(first.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if err := reports.Write(&second, back); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(first.Bytes(), second.Bytes()) {
		t.Error("reading and writing again changed the report")
	}
}

func TestAHostileReportIsStillAReport(t *testing.T) {
	for _, s := range []string{"</script><img src=x onerror=alert(1)>", "\x00\x1b]0;x\x07", "\xff\xfe", "]]>", "\u202e", "{{.}}"} {
		if err := reports.Write(&bytes.Buffer{}, sample.Hostile(s)); err != nil {
			t.Errorf("%q: %v", s, err)
		}
	}
}

func TestTheSchemaNamesEveryVerdict(t *testing.T) {
	for _, v := range reports.Verdicts() {
		if !strings.Contains(string(reports.Schema()), `"`+string(v)+`"`) {
			t.Errorf("the schema does not know %s", v)
		}
	}
}

func BenchmarkAThousandRequirements(b *testing.B) {
	r := sample.Large(1000)
	for b.Loop() {
		if err := reports.Write(&bytes.Buffer{}, r); err != nil {
			b.Fatal(err)
		}
	}
}
