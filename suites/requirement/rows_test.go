package requirement_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// row is a fact of the public material, and what keeps it here.
type row struct {
	Part string   `yaml:"part"`
	Fact string   `yaml:"fact"`
	By   []string `yaml:"by"`
}

func rows(t *testing.T) []row {
	t.Helper()
	raw, err := os.ReadFile("testdata/mes-api-rows.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Rows []row `yaml:"rows"`
	}
	if err := yaml.Unmarshal(raw, &file); err != nil {
		t.Fatal(err)
	}
	return file.Rows
}

// read joins files that a pattern matches.
func read(t *testing.T, pattern string) string {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("%s: %d files, %v", pattern, len(files), err)
	}
	var b strings.Builder
	for _, f := range files {
		raw, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		b.Write(raw)
	}
	return b.String()
}

// Nothing that is publicly known of the APIs may be forgotten in silence: each
// row names what keeps it, or says why nothing does.
func TestEachKnownFactOfTheAPIsIsKeptBySomething(t *testing.T) {
	c := catalogue(t)
	specs := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?:It|DescribeTable|Entry)\("([^"]+)"`).FindAllStringSubmatch(read(t, "../../sandbox/contract*_test.go"), -1) {
		specs[m[1]] = true
	}
	rules := read(t, "../../docs/validation.en.md")
	settings := read(t, "../../sandbox/settings/*.yaml")
	id := regexp.MustCompile(`^[A-Z]{3}-\d{2,3}$`)
	seen := map[string]bool{}
	parts := map[string]int{}
	for _, r := range rows(t) {
		if r.Fact == "" || seen[r.Fact] {
			t.Errorf("part %s: a row without a fact, or one that stands twice: %q", r.Part, r.Fact)
		}
		seen[r.Fact] = true
		parts[r.Part]++
		if len(r.By) == 0 {
			t.Errorf("part %s, %q: nothing keeps it", r.Part, r.Fact)
		}
		for _, by := range r.By {
			kind, name, _ := strings.Cut(by, ": ")
			ok := false
			switch {
			case id.MatchString(by):
				_, ok = c.Requirement(by)
			case kind == "sandbox":
				ok = specs[name]
			case kind == "rule":
				ok = strings.Contains(rules, "| `"+name+"`")
			case kind == "setting":
				ok = strings.Contains(settings, "\n  "+name+":\n")
			case kind == "excluded":
				ok = len(name) > 20 && len(r.By) == 1
			}
			if !ok {
				t.Errorf("part %s, %q: there is no %q", r.Part, r.Fact, by)
			}
		}
	}
	for _, p := range []string{"1", "2.1", "2.2", "2.3", "2.4", "3"} {
		if parts[p] == 0 {
			t.Errorf("part %s has no row", p)
		}
	}
	if !slices.ContainsFunc(rows(t), func(r row) bool { return strings.HasPrefix(r.By[0], "excluded") }) {
		t.Error("no row is excluded: the table has lost its reasons")
	}
}
