package lab_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// A finding names its line in the form that the report understands: another is not
// shown, and nobody would notice.
func TestPointersHaveTheFormThatTheReportMarks(t *testing.T) {
	place := regexp.MustCompile(`"((?:request|response)[.][A-Za-z][^"]*|(?:request|response):[^"]*)"`)
	good := regexp.MustCompile(`^(request|response):(\?|header:|line:|/|url$|status$|method$)`)
	found := 0
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || strings.Contains(path, "probe") {
			return err
		}
		b, err := os.ReadFile(path)
		for _, m := range place.FindAllStringSubmatch(string(b), -1) {
			if found++; !good.MatchString(m[1]) {
				t.Errorf("%s: %q is no place in an exchange", path, m[1])
			}
		}
		return err
	})
	if err != nil || found < 15 {
		t.Errorf("%d places looked at, %v", found, err)
	}
}
