package repeat_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/xeipuuv/gojsonschema"

	"github.com/etalon-sante/etalon/reports"
	"github.com/etalon-sante/etalon/reports/repeat"
)

var update = flag.Bool("update", false, "write the golden files again")

// played is a run over one blocking check of this verdict, beside one that is
// always conformant, under a list of what is known.
func played(n int, v string, known ...reports.Known) repeat.Played {
	r := reports.Report{Run: reports.Run{ID: fmt.Sprintf("r%d", n), Started: time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC), Sandbox: reports.Sandbox{Form: "embedded"}}}
	title := reports.Text{FR: "répéter l'appel", EN: "try the call again"}
	c := reports.Check{ID: "INT-01.1", Title: title, Verdict: reports.Verdict(v)}
	if v == "nonconformant" {
		c.Findings = []reports.Finding{{Key: "call.retry"}}
	}
	r.Results = []reports.Result{
		{Requirement: "INT-01", Title: title, Blocking: true, Verdict: c.Verdict, Checks: []reports.Check{c}},
		{Requirement: "INT-02", Verdict: reports.Conformant, Checks: []reports.Check{{ID: "INT-02.1", Verdict: reports.Conformant}}},
	}
	r.Conclude()
	if len(known) > 0 {
		r.Weigh(known, "", func(string) bool { return false })
	}
	return repeat.Played{Folder: fmt.Sprintf("run-%d", n), Report: &r, Exit: r.CommandCode()}
}

func entry(kind, seen string) reports.Known {
	return reports.Known{ID: "INT-01.1", Kind: kind, Seen: seen, Reason: "r", Owner: "équipe", Deadline: "2099-12-31"}
}

func runs(known []reports.Known, gate bool, verdicts ...string) []repeat.Played {
	var out []repeat.Played
	for i, v := range verdicts {
		p := played(i+1, v, known...)
		if p.Gate = gate; gate {
			p.Exit = p.Report.Known.Gate.ExitCode
		}
		out = append(out, p)
	}
	return out
}

func TestTheExitCodeIsThatOfTheWorstRunOrOfWhatIsNotStable(t *testing.T) {
	flaky, failing := []reports.Known{entry("flaky", "1/2")}, []reports.Known{entry("failing", "")}
	for name, tc := range map[string]struct {
		played      []repeat.Played
		interrupted bool
		exit        int
		unstable    int
	}{
		"always right":               {runs(nil, false, "conformant", "conformant"), false, 0, 0},
		"always wrong":               {runs(nil, false, "nonconformant", "nonconformant"), false, 1, 0},
		"once wrong":                 {runs(nil, false, "conformant", "nonconformant"), false, 1, 1},
		"once untested":              {runs(nil, false, "conformant", "untested"), false, 4, 1},
		"once to review":             {runs(nil, false, "conformant", "to-review"), false, 4, 1},
		"our own error":              {runs(nil, false, "conformant", "error"), false, 5, 0},
		"one run alone":              {runs(nil, false, "conformant"), false, 4, 0},
		"stopped":                    {runs(nil, false, "conformant", "conformant"), true, 4, 0},
		"unreachable once":           {append(runs(nil, false, "conformant", "conformant"), repeat.Played{Folder: "run-3", Exit: 3}), false, 3, 0},
		"announced":                  {runs(flaky, true, "conformant", "nonconformant"), false, 0, 1},
		"announced, without a gate":  {runs(flaky, false, "conformant", "nonconformant"), false, 1, 1},
		"announced, and to review":   {runs(flaky, true, "conformant", "nonconformant", "to-review"), false, 4, 1},
		"announced and never seen":   {runs(flaky, true, "conformant", "conformant"), false, 1, 0},
		"announced, seen every time": {runs(flaky, true, "nonconformant", "nonconformant"), false, 1, 0},
		"too few runs to say":        {runs([]reports.Known{entry("flaky", "1/10")}, true, "conformant", "conformant"), false, 0, 0},
		"announced as failing":       {runs(failing, true, "conformant", "nonconformant"), false, 1, 1},
		"failing, every time":        {runs(failing, true, "nonconformant", "nonconformant"), false, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			got := repeat.Of(len(tc.played), tc.played, tc.interrupted)
			if got.ExitCode != tc.exit || len(got.Unstable) != tc.unstable {
				t.Errorf("exit %d with %d unstable, want %d with %d: %+v", got.ExitCode, len(got.Unstable), tc.exit, tc.unstable, got)
			}
		})
	}
}

// shown is a repetition in which everything occurs.
func shown() repeat.Repetition {
	known := []reports.Known{entry("failing", ""), {ID: "INT-02.1", Kind: "flaky", Seen: "1/3", Reason: "r", Owner: "équipe", Deadline: "2099-12-31"}}
	all := runs(known, false, "conformant", "nonconformant", "untested")
	cut := played(4, "untested", known...)
	cut.Report.Run.Interrupted = true
	all = append(all, cut, repeat.Played{Folder: "run-5", Exit: 3})
	return repeat.Of(6, all, true)
}

func TestTheFilesAreAsInTheGoldenFiles(t *testing.T) {
	got := shown()
	write := map[string]func(*bytes.Buffer) error{"repeat.json": func(b *bytes.Buffer) error { return repeat.WriteJSON(b, got) }}
	for _, lang := range []string{"fr", "en"} {
		write["repeat."+lang+".md"] = func(b *bytes.Buffer) error { return repeat.WriteMarkdown(b, got, lang) }
		write["lines."+lang+".txt"] = func(b *bytes.Buffer) error {
			b.WriteString(repeat.Sentence(got, lang) + "\n" + strings.Join(repeat.Lines(got, lang), "\n") + "\n")
			return nil
		}
	}
	for name, w := range write {
		var b bytes.Buffer
		if err := w(&b); err != nil {
			t.Fatal(err)
		}
		golden := filepath.Join("testdata", name)
		if *update {
			if err := os.WriteFile(golden, b.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if b.String() != string(want) {
			t.Errorf("%s differs from what was written; look at it, then run with -update", golden)
		}
	}
}

func TestTheJSONFollowsItsSchema(t *testing.T) {
	s, err := gojsonschema.NewSchema(gojsonschema.NewBytesLoader(repeat.Schema()))
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range []repeat.Repetition{shown(), repeat.Of(2, nil, true), repeat.Of(2, runs(nil, false, "conformant", "conformant"), false)} {
		var b bytes.Buffer
		if err := repeat.WriteJSON(&b, r); err != nil {
			t.Fatal(err)
		}
		res, err := s.Validate(gojsonschema.NewBytesLoader(b.Bytes()))
		if err != nil || !res.Valid() || bytes.Contains(b.Bytes(), []byte("null")) {
			t.Errorf("%v %v\n%s", err, res.Errors(), b.String())
		}
	}
}
