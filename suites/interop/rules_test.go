package interop_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/etalon-sante/etalon/sandbox/fhir"
)

// A rule of the sandbox that no check reads would be kept by nobody.
func TestEveryRuleOfTheSandboxIsReadByACheck(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	literal := regexp.MustCompile(`"((?:feed|search|document|docsearch|appointment|appsearch)\.[a-z-]+)"`)
	read := map[string]bool{}
	var besides []string // what the net leaves to others
	for _, f := range files {
		if strings.HasSuffix(f, "_test.go") {
			continue
		}
		source, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		text := string(source)
		if f == "other_rules.go" {
			checks, lists, _ := strings.Cut(text, "// feedRules are")
			for _, m := range literal.FindAllStringSubmatch(lists, -1) {
				besides = append(besides, m[1])
			}
			text = checks
		}
		for _, m := range literal.FindAllStringSubmatch(text, -1) {
			read[m[1]] = true
		}
	}
	for _, rule := range besides {
		if !read[rule] && rule != "feed.bmi" {
			t.Errorf("the net leaves %s to another check, and none reads it", rule)
		}
	}
	for _, r := range fhir.Catalogue() {
		family, _, _ := strings.Cut(r.ID, ".")
		caught := (family == "feed" || family == "document") && !slices.Contains(besides, r.ID)
		families := []string{"feed", "document", "search", "docsearch", "appointment", "appsearch"}
		if !read[r.ID] && !caught && r.ID != "feed.bmi" && slices.Contains(families, family) {
			t.Errorf("no check reads the rule %s (%s)", r.ID, r.Severity)
		}
	}
}
