package earl_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/piprate/json-gold/ld"

	"github.com/etalon-sante/etalon/reports"
	"github.com/etalon-sante/etalon/reports/earl"
	"github.com/etalon-sante/etalon/reports/internal/sample"
)

var update = flag.Bool("update", false, "write the golden files again")

func write(t testing.TB, r reports.Report) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := earl.Write(&b, r, "fr"); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// offline refuses to fetch anything: the file is whole.
type offline struct{}

func (offline) LoadDocument(u string) (*ld.RemoteDocument, error) {
	return nil, errors.New("asked for " + u)
}

// expanded reads the file with a JSON-LD processor that is not ours: every object
// by its name, with full names for keys.
func expanded(t testing.TB, b []byte) map[string]map[string]any {
	t.Helper()
	var doc any
	if err := json.Unmarshal(b, &doc); err != nil {
		t.Fatal(err)
	}
	o := ld.NewJsonLdOptions("")
	o.DocumentLoader, o.SafeMode = offline{}, true // in safe mode what the context does not name is an error
	list, err := ld.NewJsonLdProcessor().Expand(doc, o)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]map[string]any{}
	for _, x := range list {
		m := x.(map[string]any)
		id := m["@id"].(string)
		if out[id] != nil {
			t.Errorf("%s is there twice", id)
		}
		out[id] = m
	}
	return out
}

const (
	ns  = "http://www.w3.org/ns/earl#"
	our = "https://etalon-sante.github.io/etalon/ns#"
)

// first is the first value of a key, be it a name or a literal.
func first(m map[string]any, key string) string {
	l, _ := m[key].([]any)
	if len(l) == 0 {
		return ""
	}
	v, _ := l[0].(map[string]any)
	if id, ok := v["@id"].(string); ok {
		return id
	}
	s, _ := v["@value"].(string)
	return s
}

func inner(m map[string]any, key string) map[string]any {
	l, _ := m[key].([]any)
	if len(l) == 0 {
		return nil
	}
	v, _ := l[0].(map[string]any)
	return v
}

func TestTheFileIsAsInTheGoldenFile(t *testing.T) {
	var pretty bytes.Buffer
	if err := json.Indent(&pretty, write(t, sample.Few()), "", " "); err != nil {
		t.Fatal(err)
	}
	golden := filepath.Join("testdata", "earl.jsonld")
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

func TestAnotherProcessorFindsEveryAssertion(t *testing.T) {
	r := sample.Report()
	want := map[string]reports.Verdict{}
	for _, res := range r.Results {
		want[res.Requirement] = res.Verdict
		for _, c := range res.Checks {
			want[c.ID] = c.Verdict
		}
	}
	all := expanded(t, write(t, r))
	found := 0
	for id, m := range all {
		if kinds, _ := m["@type"].([]any); len(kinds) == 0 || kinds[0] != ns+"Assertion" {
			continue
		}
		found++
		test := all[first(m, ns+"test")]
		name := first(test, "http://purl.org/dc/terms/identifier")
		if got := first(inner(m, ns+"result"), our+"verdict"); got != string(want[name]) || got == "" {
			t.Errorf("%s: %s is %q, want %q", id, name, got, want[name])
		}
		for _, key := range []string{"assertedBy", "subject"} {
			if all[first(m, ns+key)] == nil {
				t.Errorf("%s: %s is %q, which is not told of", id, key, first(m, ns+key))
			}
		}
		if mode := first(m, ns+"mode"); !strings.HasPrefix(mode, ns) {
			t.Errorf("%s: mode %q", id, mode)
		}
	}
	if found != len(want) {
		t.Errorf("%d assertions, want %d", found, len(want))
	}
}

func TestEachVerdictBecomesWhatTheDocumentationSays(t *testing.T) {
	for v, want := range map[reports.Verdict][2]string{ // as usual, and strict
		reports.Conformant:    {"passed", "passed"},
		reports.Nonconformant: {"failed", "failed"},
		reports.Deviation:     {"cantTell", "failed"},
		reports.ToReview:      {"cantTell", "cantTell"},
		reports.Attested:      {"passed", "passed"},
		reports.NotApplicable: {"inapplicable", "inapplicable"},
		reports.NotInForce:    {"inapplicable", "inapplicable"},
		reports.Untested:      {"untested", "untested"},
		reports.Excluded:      {"untested", "untested"},
		reports.Error:         {"untested", "untested"},
		"green":               {"untested", "untested"},
	} {
		for i, strict := range []bool{false, true} {
			r := reports.Report{Run: reports.Run{ID: "x", Strict: strict}, Results: []reports.Result{{Requirement: "INT-01", Verification: "automatic", Verdict: v, Checks: []reports.Check{{ID: "INT-01.1", Verdict: v}}}}}
			r.Conclude()
			m := expanded(t, write(t, r))["https://etalon-sante.github.io/etalon/run/x#check-INT-01.1"]
			if got := first(inner(m, ns+"result"), ns+"outcome"); got != ns+want[i] {
				t.Errorf("%s, strict %v: %s, want %s", v, strict, got, want[i])
			}
			by := first(m, ns+"assertedBy")
			if declared := strings.HasSuffix(by, "#editor"); declared != (v == reports.Attested) {
				t.Errorf("%s is asserted by %s", v, by)
			}
		}
	}
}

func TestHostileNamesAreNames(t *testing.T) {
	for _, s := range []string{`"}],"@graph":[{"@id":"x`, "@id", "\x00\x1b[2J", "\xff", "https://evil.example/", "../..", "a b#c?d", "\u202e"} {
		r := sample.Hostile(s)
		want := len(r.Results)
		for _, res := range r.Results {
			want += len(res.Checks)
		}
		n := 0
		for _, m := range expanded(t, write(t, r)) {
			if kinds, _ := m["@type"].([]any); kinds[0] == ns+"Assertion" {
				n++
			}
		}
		if n != want {
			t.Errorf("%q: %d assertions, want %d", s, n, want)
		}
	}
}

func TestWhoDeclaredIsNamedByRoleOnly(t *testing.T) {
	b := string(write(t, sample.Report()))
	if strings.Contains(b, "Camille Martin") {
		t.Error("a person is named")
	}
	if !strings.Contains(b, "Directrice technique") {
		t.Error("the role is not said")
	}
}

func BenchmarkAThousandRequirements(b *testing.B) {
	r := sample.Large(1000)
	for b.Loop() {
		write(b, r)
	}
}
