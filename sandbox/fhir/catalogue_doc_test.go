package fhir

import (
	"os"
	"strings"
	"testing"
)

// The table of the package documentation is read by those who decide whether a
// warning matters: it must not fall behind the catalogue.
func TestThePackageDocumentationListsWhatIsOnlyNoted(t *testing.T) {
	raw, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	listed := map[string]bool{}
	for line := range strings.Lines(string(raw)) {
		if f := strings.Fields(strings.TrimPrefix(line, "//")); len(f) > 1 && strings.Contains(f[0], ".") {
			listed[f[0]+"/"+strings.TrimPrefix(f[1], "-")] = true
		}
	}
	for _, row := range Catalogue() {
		key := row.ID + "/" + row.Case
		noted := row.HTTP == 0 || key == "feed.binding/extensible"
		if noted && !listed[key] {
			t.Errorf("doc.go does not list %s", key)
		}
		if !noted && listed[key] {
			t.Errorf("doc.go lists %s, which refuses", key)
		}
	}
}
