package fhir

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/etalon-sante/etalon/sandbox/record"
)

// hapi is a HAPI validator that answers one file after the other.
type hapi struct {
	in     io.Writer
	out    *bufio.Scanner
	folder string
	n      int
}

// startHAPI starts it, or skips loudly.
func startHAPI(t *testing.T, args ...string) *hapi {
	t.Helper()
	if os.Getenv("ETALON_ORACLES") != "1" {
		t.Skip("NOT TESTED against HAPI: set ETALON_ORACLES=1 (needs Java 17, Maven and ../shared/oracles)")
	}
	const tool = "../../../shared/oracles/fhir/validate"
	if _, err := os.Stat(tool); err != nil {
		t.Skipf("NOT TESTED against HAPI: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Minute)
	cmd := exec.CommandContext(ctx, tool, append([]string{"--serve"}, args...)...)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Skipf("NOT TESTED against HAPI: %v", err)
	}
	t.Cleanup(func() {
		_ = in.Close()
		_ = cmd.Wait() // its exit says nothing that its answers have not said
		cancel()
	})
	s := bufio.NewScanner(out)
	s.Buffer(nil, 8<<20)
	return &hapi{in: in, out: s, folder: t.TempDir()}
}

// judge returns the ids of HAPI's errors, sorted, each once. What rests on a
// terminology that cannot be had offline is no error here.
func (h *hapi) judge(t *testing.T, v map[string]any) []string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	h.n++
	file := filepath.Join(h.folder, strconv.Itoa(h.n)+".json")
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
	defer os.Remove(file)
	if _, err := io.WriteString(h.in, file+"\n"); err != nil {
		t.Fatal(err)
	}
	for h.out.Scan() {
		line := h.out.Bytes()
		start := strings.IndexByte(string(line), '{')
		var answer struct {
			Issues []struct{ Severity, ID, Message string }
		}
		if start < 0 || json.Unmarshal(line[start:], &answer) != nil {
			continue // terminal codes before the first answer
		}
		var out []string
		for _, i := range answer.Issues {
			if i.Severity == "error" || i.Severity == "fatal" {
				id := i.ID
				if id == "" {
					id = "without an id"
				}
				out = append(out, id)
			}
		}
		slices.Sort(out)
		return slices.Compact(out)
	}
	t.Fatalf("HAPI stopped: %v", h.out.Err())
	return nil
}

func TestHAPIJudgesShapesAsOursButForTheTableOfDifferences(t *testing.T) {
	h := startHAPI(t)
	r := testRules(t)
	l := newLedger(t, "hapi")
	for _, s := range samples(t, r) {
		for _, m := range append([]mutant{{"as it is", "", s.value}}, some(mutants(s.value), mutantsForHAPI())...) {
			if text(m.value, "resourceType") == "Bundle" { // entries are samples of their own
				m.value = withoutResources(m.value)
			}
			l.enter(s.name+": "+m.how+" "+m.at, kinds(r, m.value), h.judge(t, m.value))
		}
	}
	l.settle(t)
}

// mutantsForHAPI is how many mutants of a sample HAPI judges, at some 12 ms each.
func mutantsForHAPI() int {
	if n, err := strconv.Atoi(os.Getenv("ETALON_ORACLES_MUTANTS")); err == nil {
		return n
	}
	return 20
}

// The profiles: every measure that we make and every one that is published, and
// mutants of them. What MES adds to its profiles (subject.identifier, its own
// canonical) and what FHIR leaves to it are in the table.
func TestHAPIJudgesProfilesAsOursButForTheTableOfDifferences(t *testing.T) {
	h := startHAPI(t, "--mes")
	r := testRules(t)
	l := newLedger(t, "hapi-mes")
	for _, s := range samples(t, r) {
		if text(s.value, "resourceType") != observationWord {
			continue
		}
		if k := r.KindOfCode(codeOf(s.value)); k == "" || strings.HasPrefix(s.name, "ours/") && !strings.HasPrefix(s.name, "ours/"+k) {
			continue
		}
		for _, m := range append([]mutant{{"as it is", "", s.value}}, some(mutants(s.value), 3*mutantsForHAPI())...) {
			if r.KindOfCode(codeOf(m.value)) == "" { // the validator would not know which profile to take
				continue
			}
			l.enter(s.name+": "+m.how+" "+m.at, refusals(r.Observation(m.value)), h.judge(t, m.value))
		}
	}
	l.settle(t)
}

func codeOf(o map[string]any) string {
	codings := list(object(o, "code"), "coding")
	if len(codings) == 0 {
		return ""
	}
	return text(codings[0], "code")
}

// refusals names the rules that refuse, shapes by their pointer's last name.
func refusals(issues []record.Issue) []string {
	var out []string
	for _, i := range issues {
		if i.HTTP != 0 {
			out = append(out, i.Rule)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
