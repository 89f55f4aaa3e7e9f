package requirement_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/etalon-sante/etalon/suites/requirement"
)

// table is one of the tables of what is publicly known, or the sentences that
// stand between two of them.
type table struct {
	Name  string `yaml:"table"`
	Title string `yaml:"title"`
	Rows  int    `yaml:"rows"`
	Facts []row  `yaml:"facts"`
}

// part is the chapter of the survey that the table belongs to.
func (t table) part() string { return t.Name[:1] }

// row is a fact of the public material, and what keeps it here.
type row struct {
	Row  int      `yaml:"row"`
	Fact string   `yaml:"fact"`
	By   []string `yaml:"by"`
}

// tables reads our list; a key that is none of those above is an error.
func tables(t *testing.T) []table {
	t.Helper()
	var file struct {
		Tables []table `yaml:"tables"`
	}
	strictly(t, "testdata/mes-api-rows.yaml", &file)
	return file.Tables
}

// strictly reads a list of ours; a key that it does not know is an error.
func strictly(t *testing.T, path string, into any) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	d := yaml.NewDecoder(f)
	d.KnownFields(true)
	if err := d.Decode(into); err != nil {
		t.Fatal(err)
	}
}

// read gives the text of the files that a pattern matches, by path.
func read(t *testing.T, pattern string) map[string]string {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("%s: %d files, %v", pattern, len(files), err)
	}
	out := map[string]string{}
	for _, f := range files {
		raw, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		out[f] = string(raw)
	}
	return out
}

// keepers is all that a row may name.
type keepers struct {
	catalogue *requirement.Catalogue
	// specs counts those of the sandbox's contract, as FILE/NAME.
	specs map[string]int
	// rules and settings are the ids and keys that exist.
	rules, settings map[string]bool
}

// known gathers what exists from the catalogue, the contract, the page of rules
// and the settings.
func known(t *testing.T) keepers {
	t.Helper()
	k := keepers{catalogue(t), map[string]int{}, map[string]bool{}, map[string]bool{}}
	spec := regexp.MustCompile(`\b(?:It|DescribeTable|Entry)\("([^"]+)"`)
	file := regexp.MustCompile(`contract_(\w+)_test\.go$`)
	for path, text := range read(t, "../../sandbox/contract_*_test.go") {
		for _, m := range spec.FindAllStringSubmatch(text, -1) {
			k.specs[file.FindStringSubmatch(path)[1]+"/"+m[1]]++
		}
	}
	collect := func(pattern, expression string, into map[string]bool) {
		for _, text := range read(t, pattern) {
			for _, m := range regexp.MustCompile(expression).FindAllStringSubmatch(text, -1) {
				into[m[1]] = true
			}
		}
	}
	collect("../../docs/validation.en.md", "(?m)^\\| `([a-z.-]+)`", k.rules)
	collect("../../sandbox/settings/*.yaml", `(?m)^  ([a-z][a-z.-]*):$`, k.settings)
	return k
}

// kind says what sort of thing a reference is; the empty string, that it names
// nothing there is.
func (k keepers) kind(by string) string {
	kind, name, found := strings.Cut(by, ": ")
	ok := false
	switch {
	case !found:
		kind = "requirement"
		_, ok = k.catalogue.Requirement(by)
	case kind == "sandbox":
		ok = k.specs[name] == 1
	case kind == "rule":
		ok = k.rules[name]
	case kind == "setting":
		ok = k.settings[name]
	case kind == "excluded":
		ok = len(name) > 20
	}
	if !ok {
		return ""
	}
	return kind
}

// judge says what is wrong with a table, and adds what its rows are kept by to
// the counts.
func (k keepers) judge(tb table, counts map[string]int) []string {
	var wrong []string
	say := func(format string, args ...any) {
		wrong = append(wrong, "table "+tb.Name+": "+fmt.Sprintf(format, args...))
	}
	if tb.Title == "" || len(tb.Facts) == 0 {
		say("it has no title or no facts")
	}
	last := 0
	for _, r := range tb.Facts {
		if r.Row != last && r.Row != last+1 {
			say("row %d follows row %d", r.Row, last)
		}
		last = r.Row
		if strings.TrimSpace(r.Fact) == "" || len(r.By) == 0 {
			say("row %d, %q: there is no fact, or nothing keeps it", r.Row, r.Fact)
		}
		kinds := map[string]bool{}
		for i, by := range r.By {
			kind := k.kind(by)
			if kind == "" {
				say("row %d, %q: there is no %q", r.Row, r.Fact, by)
			}
			if slices.Contains(r.By[:i], by) {
				say("row %d, %q: %q stands twice", r.Row, r.Fact, by)
			}
			kinds[kind] = true
		}
		if kinds["excluded"] && len(r.By) > 1 {
			say("row %d, %q: it is excluded and kept at once", r.Row, r.Fact)
		}
		for kind := range kinds {
			counts[kind]++
		}
	}
	if last != tb.Rows {
		say("its last row is %d of %d", last, tb.Rows)
	}
	return wrong
}

// Nothing that is publicly known of the APIs may be forgotten in silence: each
// row of each table names what keeps it, or says why nothing does.
func TestEachKnownFactOfTheAPIsIsKeptBySomething(t *testing.T) {
	k := known(t)
	names, facts := map[string]bool{}, map[string]bool{}
	counts, rows, kept := map[string]map[string]int{}, map[string]int{}, map[string]int{}
	for _, tb := range tables(t) {
		if names[tb.Name] {
			t.Errorf("table %s stands twice", tb.Name)
		}
		names[tb.Name] = true
		if counts[tb.part()] == nil {
			counts[tb.part()] = map[string]int{}
		}
		rows[tb.part()] += tb.Rows
		kept[tb.part()] += len(tb.Facts)
		for _, w := range k.judge(tb, counts[tb.part()]) {
			t.Error(w)
		}
		for _, r := range tb.Facts {
			if facts[r.Fact] {
				t.Errorf("table %s: the fact %q stands twice", tb.Name, r.Fact)
			}
			facts[r.Fact] = true
		}
	}
	if parts := slices.Sorted(maps.Keys(rows)); !slices.Equal(parts, []string{"1", "2", "3", "4"}) {
		t.Errorf("parts %v, want 1 to 4", parts)
	}
	for _, p := range slices.Sorted(maps.Keys(rows)) {
		c := counts[p]
		t.Logf("part %s: %d rows, %d facts; named by %d a requirement, %d the sandbox, %d a rule, %d a setting; %d excluded",
			p, rows[p], kept[p], c["requirement"], c["sandbox"], c["rule"], c["setting"], c["excluded"])
	}
}

// The test above would be worth nothing if it let a wrong list pass.
func TestAListOfFactsThatIsWrongIsSeen(t *testing.T) {
	k := known(t)
	fact := func(n int, by ...string) row { return row{n, "a fact", by} }
	right := table{"1.1", "a title", 2, []row{
		fact(1, "INT-01", "sandbox: measures/no value", "rule: feed.value", "setting: header.id-token"),
		fact(1, "INT-02"),
		fact(2, "excluded: nobody knows what it would be"),
	}}
	if wrong := k.judge(right, map[string]int{}); len(wrong) > 0 {
		t.Fatalf("a right table is refused: %q", wrong)
	}
	for says, facts := range map[string][]row{
		"a row left out":              {fact(2, "INT-01")},
		"the last row left out":       {fact(1, "INT-01")},
		"a row too many":              {fact(1, "INT-01"), fact(2, "INT-01"), fact(3, "INT-01")},
		"rows that go back":           {fact(1, "INT-01"), fact(2, "INT-01"), fact(1, "INT-01")},
		"nothing that keeps a row":    {fact(1, "INT-01"), fact(2)},
		"a row without a fact":        {fact(1, "INT-01"), {Row: 2, By: []string{"INT-01"}}},
		"a requirement that is none":  {fact(1, "INT-01"), fact(2, "INT-999")},
		"a check for a requirement":   {fact(1, "INT-01"), fact(2, "INT-01.1")},
		"a spec that is none":         {fact(1, "INT-01"), fact(2, "sandbox: measures/nothing")},
		"a spec of another file":      {fact(1, "INT-01"), fact(2, "sandbox: tokens/no value")},
		"a spec without its file":     {fact(1, "INT-01"), fact(2, "sandbox: no value")},
		"a rule that is none":         {fact(1, "INT-01"), fact(2, "rule: feed.nothing")},
		"a setting that is none":      {fact(1, "INT-01"), fact(2, "setting: header")},
		"a reason that says nothing":  {fact(1, "INT-01"), fact(2, "excluded: unknown")},
		"excluded and kept":           {fact(1, "INT-01"), fact(2, "excluded: nobody knows what it would be", "INT-02")},
		"the same thing twice":        {fact(1, "INT-01"), fact(2, "INT-02", "INT-02")},
		"what is neither of the five": {fact(1, "INT-01"), fact(2, "pending: it will come one day, surely")},
	} {
		if wrong := k.judge(table{"1.1", "a title", 2, facts}, map[string]int{}); len(wrong) == 0 {
			t.Errorf("%s is not seen", says)
		}
	}
}
