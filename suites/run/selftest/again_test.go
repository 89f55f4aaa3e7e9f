package selftest

import (
	"slices"
	"testing"
	"time"

	"github.com/etalon-sante/etalon/fixtures/flaws"
	"github.com/etalon-sante/etalon/fixtures/reference"
	"github.com/etalon-sante/etalon/suites/probe/browser"
)

// Chance is told from what is wrong: a flaw that nothing catches the second time
// either stays where it was.
func TestOnlyWhatComesOutRightAloneIsUnstable(t *testing.T) {
	if testing.Short() {
		t.Skip("NOT TRIED with -short: the reference service is played")
	}
	tester, err := open(t.Context(), Options{Browser: browser.Off, Now: time.Now, Width: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer tester.close()
	if tester.clean, err = tester.reference(t.Context(), "", reference.Parts{}, tester.concerned(""), trial{}); err != nil {
		t.Fatal(err)
	}
	all := flaws.All()
	caught := all[slices.IndexFunc(all, func(f flaws.Flaw) bool { return f.Check == "INT-163.1" })]
	harmless := caught
	harmless.ID, harmless.Apply = "changes-nothing", func(*reference.Parts) {}
	tried := []flaws.Flaw{caught, harmless}
	rows := []Row{{Flaw: caught.ID, Check: caught.Check, Verdict: "conformant"}, {Flaw: harmless.ID, Check: harmless.Check, Verdict: "conformant"}}
	tester.again(t.Context(), tried, rows)
	if !rows[0].Killed || rows[0].First != "INT-163.1 was conformant" {
		t.Errorf("what is caught the second time: %+v", rows[0])
	}
	if rows[1].Killed || rows[1].First != "" || rows[1].faults() == "" {
		t.Errorf("what is not caught the second time either: %+v", rows[1])
	}
	var out Result
	for _, r := range rows {
		out.add(r)
	}
	if len(out.Unstable) != 1 || len(out.Survivors) != 1 || out.ExitCode() != 1 {
		t.Errorf("%+v, exit code %d", out, out.ExitCode())
	}
	many := make([]Row, maxAgain+1)
	for i := range many {
		many[i] = Row{Flaw: caught.ID, Check: caught.Check, Verdict: "conformant"}
	}
	tester.again(t.Context(), slices.Repeat([]flaws.Flaw{caught}, len(many)), many)
	if many[0].Killed {
		t.Error("so many are no matter of chance, and were tried again")
	}
}
