package fhir

import (
	"encoding/json"
	"errors"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"
)

// difference is a row of the table of differences: a class of messages that one
// of two refuses and the other takes, and why that is right.
type difference struct {
	Oracle  string `yaml:"oracle"`  // r4-schema, hapi, hapi-mes
	Refuses string `yaml:"refuses"` // ours or theirs
	Class   string `yaml:"class"`   // of the error of the one that refuses
	Why     struct {
		EN string `yaml:"en"`
		FR string `yaml:"fr"`
	} `yaml:"why"`
}

func differences(t testing.TB) []difference {
	t.Helper()
	b, err := os.ReadFile("testdata/differences.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var out []difference
	if err := yaml.Unmarshal(b, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// ledger holds two judges' verdicts against the table of differences.
type ledger struct {
	oracle   string
	known    map[string]bool // "ours class" or "theirs class"
	used     map[string]bool
	examples map[string]string // a difference that no row explains, and where it was seen
	agreed   [2]int            // both refuse, both take
}

func newLedger(t testing.TB, oracle string) *ledger {
	l := &ledger{oracle: oracle, known: map[string]bool{}, used: map[string]bool{}, examples: map[string]string{}}
	for _, d := range differences(t) {
		if d.Oracle == oracle {
			l.known[d.Refuses+" "+d.Class] = true
		}
	}
	return l
}

// enter compares two verdicts, each a list of classes of errors. A message that
// one alone refuses is explained when all of its classes are in the table.
func (l *ledger) enter(where string, ours, theirs []string) {
	switch {
	case len(ours) > 0 && len(theirs) > 0:
		l.agreed[0]++
	case len(ours)+len(theirs) == 0:
		l.agreed[1]++
	default:
		side, classes := "ours", ours
		if len(theirs) > 0 {
			side, classes = "theirs", theirs
		}
		for _, c := range classes {
			key := side + " " + c
			if l.used[key] = true; !l.known[key] && l.examples[key] == "" {
				l.examples[key] = where
			}
		}
	}
}

// settle fails for each difference that the table does not explain.
func (l *ledger) settle(t *testing.T) {
	t.Helper()
	t.Logf("%s: both refuse %d, both take %d, classes of differences seen: %d", l.oracle, l.agreed[0], l.agreed[1], len(l.used))
	for _, key := range slices.Sorted(maps.Keys(l.examples)) {
		t.Errorf("%s: not in the table of differences: %s, first at %s", l.oracle, key, l.examples[key])
	}
}

// kinds names the classes of what our schema says of a resource.
func kinds(r *Rules, v map[string]any) []string {
	var out []string
	for _, x := range r.structures[text(v, "resourceType")].Check(v) {
		out = append(out, x.Kind)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// plain turns json.Number and the like into what another engine reads.
func plain(t testing.TB, v any) any {
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	out, err := jsonschema.UnmarshalJSON(strings.NewReader(string(b)))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// perSample is how many mutants of a sample are tried: all of them with
// ETALON_ORACLES=1.
func perSample() int {
	if os.Getenv("ETALON_ORACLES") == "1" {
		return 1 << 20
	}
	return 8
}

// The library that judges could be wrong: another, of another author, must read
// our schemas alike, message by message.
func TestASecondEngineReadsOurSchemasAlike(t *testing.T) {
	r := testRules(t)
	compiled := map[string]*jsonschema.Schema{}
	for _, resource := range Shaped() {
		whole, err := Schema(resource)
		if err != nil {
			t.Fatal(err)
		}
		c := jsonschema.NewCompiler()
		if err := c.AddResource("urn:"+resource, plain(t, whole)); err != nil {
			t.Fatal(err)
		}
		if compiled[resource], err = c.Compile("urn:" + resource); err != nil {
			t.Fatal(err)
		}
	}
	seen, refused := 0, 0
	same := func(name string, v map[string]any) {
		ours := kinds(r, v)
		err := compiled[text(v, "resourceType")].Validate(plain(t, v))
		if seen++; err != nil {
			refused++
		}
		if (len(ours) == 0) != (err == nil) {
			b, _ := json.Marshal(v)
			t.Errorf("%s: gojsonschema says %v, the second engine says %v\n%s", name, ours, err, brief(string(b)))
		}
	}
	for _, s := range samples(t, r) {
		same(s.name, s.value)
		for _, m := range some(mutants(s.value), perSample()) {
			same(s.name+" "+m.how+" "+m.at, m.value)
		}
	}
	t.Logf("%d resources, %d refused by both", seen, refused)
	if refused == 0 || refused == seen {
		t.Error("the engines were not tried on both good and bad")
	}
}

// classesOf names what the second engine says of a resource: the kind of error,
// and whether it lies in a contained resource.
func classesOf(err error) []string {
	var v *jsonschema.ValidationError
	if !errors.As(err, &v) {
		return nil
	}
	var out []string
	var walk func(e *jsonschema.ValidationError)
	walk = func(e *jsonschema.ValidationError) {
		if len(e.Causes) == 0 {
			class := strings.Join(e.ErrorKind.KeywordPath(), "/")
			if len(e.InstanceLocation) > 0 && e.InstanceLocation[0] == "contained" {
				class += " in contained"
			}
			out = append(out, class)
		}
		for _, c := range e.Causes {
			walk(c)
		}
	}
	walk(v)
	slices.Sort(out)
	return slices.Compact(out)
}
