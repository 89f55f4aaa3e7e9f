package run_test

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/onsi/ginkgo/v2"

	"github.com/etalon-sante/etalon/suites/lab"
	"github.com/etalon-sante/etalon/suites/requirement"
	"github.com/etalon-sante/etalon/suites/run"
)

// treeVariable names, for the child process, the tree it is to build.
const treeVariable = "ETALON_TEST_TREE"

// trees that must be refused, or not: what a careless hand might leave behind.
func trees() map[string]func(*lab.Lab) {
	leaf := func() {}
	sound := func(*lab.Lab) { ginkgo.It("is sound", lab.Check("GOV-02.1"), lab.ReadsAllTraffic(), leaf) }
	with := func(more func()) func(*lab.Lab) {
		return func(l *lab.Lab) { sound(l); more() }
	}
	return map[string]func(*lab.Lab){
		"sound":   sound,
		"all":     run.Register,
		"focused": with(func() { ginkgo.FIt("is looked at", lab.Check("GOV-01.1"), lab.ReadsAllTraffic(), leaf) }),
		"a focused container": with(func() {
			ginkgo.FDescribe("here", func() { ginkgo.It("is looked at", lab.Check("GOV-01.1"), lab.ReadsAllTraffic(), leaf) })
		}),
		"pending":  with(func() { ginkgo.PIt("waits", lab.Check("GOV-01.1"), lab.ReadsAllTraffic(), leaf) }),
		"struck":   with(func() { ginkgo.XIt("waits", lab.Check("GOV-01.1"), lab.ReadsAllTraffic(), leaf) }),
		"no check": with(func() { ginkgo.It("judges nothing", lab.ReadsAllTraffic(), leaf) }),
		"twice":    with(func() { ginkgo.It("judges again", lab.Check("GOV-02.1"), lab.ReadsAllTraffic(), leaf) }),
		"two":      with(func() { ginkgo.It("judges both", lab.Check("GOV-01.1"), lab.Check("GOV-07.1"), leaf) }),
		"undeclared": with(func() {
			other := lab.New().Scenario("elsewhere", "of another lab", nil)
			ginkgo.It("reads elsewhere", lab.Check("GOV-01.1"), lab.Reads(other), leaf)
		}),
	}
}

// TestTheTreeHoldsJustTheChecks builds each tree in a child process: Ginkgo
// ends the process itself on what it refuses.
func TestTheTreeHoldsJustTheChecks(t *testing.T) {
	if name := os.Getenv(treeVariable); name != "" {
		leaves, _, err := run.Leaves(trees()[name])
		if err != nil {
			t.Fatal(err)
		}
		if name != "all" {
			return
		}
		cat, err := requirement.Load()
		if err != nil {
			t.Fatal(err)
		}
		for _, k := range cat.Checks() {
			if _, ok := leaves[k.ID]; !ok {
				t.Errorf("check %s of the catalogue is carried out by no leaf", k.ID)
			}
			delete(leaves, k.ID)
		}
		for id := range leaves {
			t.Errorf("a leaf carries out check %s, which the catalogue does not know", id)
		}
		return
	}
	t.Parallel()
	for name := range trees() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			child := exec.Command(os.Args[0], "-test.run=^TestTheTreeHoldsJustTheChecks$", "-test.count=1")
			child.Env = append(os.Environ(), treeVariable+"="+name)
			out, err := child.CombinedOutput()
			if good := name == "sound" || name == "all"; good != (err == nil) {
				t.Errorf("tree %q ended with %v:\n%s", name, err, out)
			}
		})
	}
}

// TestNoSpecIsFocusedSkippedOrPending reads the sources: in a spec these would
// turn a check into no check, in a way that reads like one. The lab alone may
// skip, in two places: a leaf whose check was not planned, and one that is left for a
// person to decide, once it is noted as such.
func TestNoSpecIsFocusedSkippedOrPending(t *testing.T) {
	t.Parallel()
	refused := regexp.MustCompile(`\b(?:ginkgo\.)?(?:[FPX](?:It|Describe|Context|When|Specify|Entry|DescribeTable|DescribeSubtree)|Skip|Focus|Pending)\b\s*[(,)]`)
	const lab, notPlanned, toReview = "../lab/leaf.go", "ginkgo.Skip(labels.Check +", "ginkgo.Skip(res.summary())"
	files, skips := 0, 0
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		files++
		for n, line := range strings.Split(string(b), "\n") {
			code, _, _ := strings.Cut(line, "//")
			if at := strings.TrimSpace(code); path == lab && (strings.HasPrefix(at, notPlanned) || at == toReview) {
				skips++
				continue
			}
			if refused.MatchString(code) {
				t.Errorf("%s:%d: %s", path, n+1, strings.TrimSpace(line))
			}
		}
		return nil
	})
	if err != nil || files < 50 {
		t.Fatalf("%d files read: %v", files, err)
	}
	if skips != 2 {
		t.Errorf("%s skips the leaves that are not planned, or wait for a person, in %d places, expected 2", lab, skips)
	}
	for _, bad := range []string{`FIt("x", func() {})`, `ginkgo.Skip("x")`, `It("x", Pending, f)`, `It("x", Focus)`, `XDescribe("x", f)`} {
		if !refused.MatchString(bad) {
			t.Errorf("%s passes", bad)
		}
	}
}
