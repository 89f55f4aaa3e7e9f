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
	args     []string
	in       io.WriteCloser
	out      *bufio.Scanner
	stop     func()
	folder   string
	n        int
	restarts int
}

// startHAPI starts it, or skips loudly. With profiles, the measures' profiles and
// value sets are loaded. The tool's own way to ask for those reads and rewrites
// each message first, which repairs some: the same program is started without
// that, once the tool has built it.
func startHAPI(t *testing.T, profiles bool) *hapi {
	t.Helper()
	if os.Getenv("ETALON_ORACLES") != "1" {
		t.Skip("NOT TESTED against HAPI: set ETALON_ORACLES=1 (needs Java 17, Maven and ../shared/oracles)")
	}
	const tool = "../../../shared/oracles/fhir/validate"
	if _, err := os.Stat(tool); err != nil {
		t.Skipf("NOT TESTED against HAPI: %v", err)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Skipf("NOT TESTED against HAPI: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	jar := filepath.Join(cache, "etalon-fhir-oracle")
	build := exec.CommandContext(ctx, tool, "--serve")
	build.Env = append(os.Environ(), "OUT_DIR="+jar)
	if out, err := build.CombinedOutput(); err != nil {
		t.Skipf("NOT TESTED against HAPI: it cannot be built: %v\n%s", err, out)
	}
	folder := "-"
	args := []string{"-Xmx1g", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"}
	if profiles {
		folder = filepath.Join(thirdParty, "mes-mesures-sd")
		args = append(args, "-Djdv="+filepath.Join(thirdParty, "jdv-svs"))
	}
	h := &hapi{
		args:   append(args, "-cp", filepath.Join(jar, "fhir-oracle-1.jar")+":"+filepath.Join(jar, "lib", "*"), "oracle.Main", "serve", folder),
		folder: t.TempDir(),
	}
	h.start(t)
	t.Cleanup(func() { h.stop() })
	return h
}

func (h *hapi) start(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	cmd := exec.CommandContext(ctx, "java", h.args...)
	var err error
	if h.in, err = cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Skipf("NOT TESTED against HAPI: %v", err)
	}
	h.out = bufio.NewScanner(out)
	h.out.Buffer(nil, 8<<20)
	h.stop = func() {
		_ = h.in.Close()
		_ = cmd.Wait() // its exit says nothing that its answers have not said
		cancel()
	}
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
	// It stops on what its parser cannot survive: that is a refusal.
	if h.restarts++; h.restarts > 40 {
		t.Fatal("HAPI stopped too often")
	}
	t.Logf("HAPI stopped on %s", brief(string(b)))
	h.stop()
	h.start(t)
	return []string{"stops"}
}

func TestHAPIJudgesShapesAsOursButForTheTableOfDifferences(t *testing.T) {
	h := startHAPI(t, false)
	r := testRules(t)
	l := newLedger(t, "hapi")
	for _, s := range samples(t, r) {
		for _, m := range append([]mutant{{"as it is", "", s.value}}, some(bearable(mutants(s.value)), mutantsForHAPI())...) {
			if text(m.value, "resourceType") == "Bundle" { // entries are samples of their own
				m.value = withoutResources(m.value)
			}
			l.enter(s.name+": "+m.how+" "+m.at, kinds(r, m.value), h.judge(t, m.value))
		}
	}
	l.settle(t)
}

// bearable leaves out the mutants on which HAPI's parser stops: starting it anew
// takes seconds.
func bearable(all []mutant) []mutant {
	return slices.DeleteFunc(all, func(m mutant) bool {
		meta := m.value["meta"]
		_, object := meta.(map[string]any)
		_, there := m.value["meta"]
		return there && !object
	})
}

// mutantsForHAPI is how many mutants of a sample HAPI judges, at some 12 ms each.
func mutantsForHAPI() int {
	if n, err := strconv.Atoi(os.Getenv("ETALON_ORACLES_MUTANTS")); err == nil {
		return n
	}
	return 4
}

// The profiles: every measure that we make and every one that is published, and
// mutants of them. What MES adds to its profiles (subject.identifier, its own
// canonical) and what FHIR leaves to it are in the table.
func TestHAPIJudgesProfilesAsOursButForTheTableOfDifferences(t *testing.T) {
	h := startHAPI(t, true)
	r := testRules(t)
	l := newLedger(t, "hapi-mes")
	for _, s := range samples(t, r) {
		if text(s.value, "resourceType") != observationWord {
			continue
		}
		if k := r.KindOfCode(codeOf(s.value)); k == "" || strings.HasPrefix(s.name, "ours/") && !strings.HasPrefix(s.name, "ours/"+k) {
			continue
		}
		for _, m := range append([]mutant{{"as it is", "", s.value}}, some(bearable(mutants(s.value)), 3*mutantsForHAPI())...) {
			if r.KindOfCode(codeOf(m.value)) == "" { // the validator would not know which profile to take
				continue
			}
			l.enter(s.name+": "+m.how+" "+m.at, refusals(r.Observation(m.value)), h.judge(t, withoutProfile(m.value)))
		}
	}
	l.settle(t)
}

// withoutProfile drops meta.profile, which names canonicals that HAPI does not
// have; it is told by the code which profile to take.
func withoutProfile(o map[string]any) map[string]any {
	meta, ok := o["meta"].(map[string]any)
	if !ok || meta["profile"] == nil {
		return o
	}
	o, meta = clone(o), clone(meta)
	delete(meta, "profile")
	o["meta"] = meta
	if len(meta) == 0 {
		delete(o, "meta")
	}
	return o
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
