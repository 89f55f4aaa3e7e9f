// Package etalon_test keeps the walls of the house: who may import whom, and
// how large a file or a package may grow.
package etalon_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/etalon-sante/etalon/"

const (
	maxLines = 600 // of a file that is no test
	maxShare = 15  // per cent of the code, that one package may hold
)

// goPackage is what the go command says of a package.
type goPackage struct {
	ImportPath   string
	Dir          string
	GoFiles      []string
	IgnoredFiles []string `json:"IgnoredGoFiles"` // of other systems
	Imports      []string
	TestImports  []string // of tests inside the package: not of the external ones
}

func packages(t *testing.T) []goPackage {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Dir,GoFiles,IgnoredGoFiles,Imports,TestImports", "./...")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, &stderr)
	}
	var all []goPackage
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p goPackage
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		p.ImportPath = strings.TrimPrefix(p.ImportPath, module)
		all = append(all, p)
	}
	if len(all) < 30 {
		t.Fatalf("go list names %d packages only", len(all))
	}
	return all
}

// within says whether a package is, or stands below, one of these.
func within(path string, rooms ...string) bool {
	return slices.ContainsFunc(rooms, func(r string) bool { return path == r || strings.HasPrefix(path, r+"/") })
}

// mayImport is the one table of the walls. People reach a sandbox through its
// control API, as they would a deployed one; only the run and the command see
// everything, as do tests that stand outside of a package.
func mayImport(from, to string) bool {
	switch {
	case within(from, "cmd", "suites/run"):
		return true
	case within(from, "suites"):
		return within(to, "suites") && !within(to, "suites/run") ||
			within(to, "sandbox/fhir", "sandbox/cda", "sandbox/settings", "sandbox/record", "sandbox/control", "fixtures/people", "fixtures/data")
	case within(from, "reports"), within(from, "sandbox"), within(from, "fixtures"):
		room, _, _ := strings.Cut(from, "/")
		return within(to, room)
	}
	return false // what stands in no room, like the examples of the documentation, needs nothing of ours
}

func TestTheWallsStand(t *testing.T) {
	t.Parallel()
	for _, p := range packages(t) {
		for _, path := range append(slices.Clone(p.Imports), p.TestImports...) {
			if to, ours := strings.CutPrefix(path, module); ours && !mayImport(p.ImportPath, to) {
				t.Errorf("%s imports %s", p.ImportPath, to)
			}
		}
	}
}

func TestAWallThatIsBrokenIsSeen(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		from, to string
		may      bool
	}{
		{"reports/html", "reports", true},
		{"reports/html", "suites/lab", false},
		{"reports", "sandbox/record", false},
		{"sandbox/mes", "sandbox/fhir", true},
		{"sandbox", "fixtures/people", false},
		{"fixtures/reference", "sandbox/fhir", false},
		{"fixtures/flaws", "fixtures/reference", true},
		{"suites/interop", "suites/lab", true},
		{"suites/interop", "sandbox/fhir", true},
		{"suites/interop", "sandbox", false},
		{"suites/interop", "sandbox/mes", false},
		{"suites/interop", "fixtures/reference", false},
		{"suites/lab", "suites/run", false},
		{"suites/lab", "reports", false},
		{"suites/run/demo", "fixtures/reference", true},
		{"cmd/etalon", "fixtures/flaws", true},
		{"suites/runner", "sandbox", false},
	} {
		if mayImport(c.from, c.to) != c.may {
			t.Errorf("%s may import %s: %t", c.from, c.to, !c.may)
		}
	}
}

func TestNoFileAndNoPackageIsTooLarge(t *testing.T) {
	t.Parallel()
	total, sizes := 0, map[string]int{}
	for _, p := range packages(t) {
		for _, name := range append(slices.Clone(p.GoFiles), p.IgnoredFiles...) {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			b, err := os.ReadFile(filepath.Join(p.Dir, name))
			if err != nil {
				t.Fatal(err)
			}
			lines := bytes.Count(b, []byte("\n"))
			if lines > maxLines {
				t.Errorf("%s/%s has %d lines, %d are allowed: split it by what it holds", p.ImportPath, name, lines, maxLines)
			}
			total += lines
			sizes[p.ImportPath] += lines
		}
	}
	for path, lines := range sizes {
		if 100*lines > maxShare*total {
			t.Errorf("%s has %d of %d lines, more than %d %%", path, lines, total, maxShare)
		}
	}
	largest := ""
	for path := range sizes {
		if largest == "" || sizes[path] > sizes[largest] {
			largest = path
		}
	}
	t.Logf("%d lines; the largest package is %s with %d (%.1f %%)", total, largest, sizes[largest], 100*float64(sizes[largest])/float64(total))
}
