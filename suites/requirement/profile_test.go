package requirement_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/etalon-sante/etalon/suites/requirement"
)

func TestTheProfileOfThisBuildBlocksWhatItSays(t *testing.T) {
	p, err := requirement.DefaultProfile(catalogue(t))
	if err != nil {
		t.Fatal(err)
	}
	if p.Name != "étalon" || len(p.Digest) != 64 || len(p.IDs()) < 30 {
		t.Errorf("%+v", p)
	}
	for id, blocks := range map[string]bool{
		"INT-01": true, "INT-18": true, "INT-45": true, "ETH-01": true, "SEC-01": true, "SEC-03": true, "SEC-15": true, "GOV-03": true,
		"INT-31": false, "SEC-13": false, "GOV-08": false, "INT-99": false,
	} {
		if p.Blocking(id) != blocks {
			t.Errorf("%s blocks: %t", id, !blocks)
		}
	}
}

// A service that sends only a weight has no occasion for the other kinds: were
// they blocking, none of its runs could ever end conformant.
func TestTheProfileDoesNotBlockWhatAServiceMayNotOffer(t *testing.T) {
	c := catalogue(t)
	p, err := requirement.DefaultProfile(c)
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range p.IDs() {
		r, _ := c.Requirement(id)
		for _, k := range r.Checks {
			if strings.Contains(k.Act.EN, "this kind of measure") {
				t.Errorf("%s blocks and depends on one kind of measure", id)
			}
		}
	}
}

func TestAProfileFromAFileIsReadStrictly(t *testing.T) {
	const good = "name: autorité\nnote: {fr: Le nôtre., en: Ours.}\nblocking:\n  - SEC-01\n  - INT-01\n"
	for name, c := range map[string]struct {
		text string
		line int
		says string
	}{
		"a good one":                {good, 0, ""},
		"an unknown requirement":    {good + "  - INT-99\n", 6, `"INT-99" is not in catalogue 2026-11`},
		"a check in its place":      {good + "  - INT-01.1\n", 6, "correct the id"},
		"an excluded requirement":   {good + "  - GOV-05\n", 6, "excluded and judged by no one"},
		"a requirement twice":       {good + "  - INT-01\n", 6, "keep one"},
		"an unknown field":          {good + "blocks: []\n", 6, `"blocks" is not known`},
		"a second document":         {good + "---\nname: x\n", 6, "second document"},
		"no name":                   {strings.Replace(good, "name: autorité\n", "", 1), 1, "has no name"},
		"a note in one language":    {strings.Replace(good, ", en: Ours.", "", 1), 2, "in English"},
		"nothing that blocks":       {"name: a\nnote: {fr: A., en: A.}\nblocking: []\n", 3, "every run would be conformant"},
		"no list of what blocks":    {"name: a\nnote: {fr: A., en: A.}\n", 1, "every run would be conformant"},
		"an empty file":             {"", 0, "empty"},
		"a word in place of a list": {"name: a\nnote: {fr: A., en: A.}\nblocking: all\n", 3, "expected a list"},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "profile.yaml")
			if err := os.WriteFile(file, []byte(c.text), 0o600); err != nil {
				t.Fatal(err)
			}
			p, err := requirement.LoadProfile(catalogue(t), file)
			if c.says == "" {
				if err != nil || p.Name != "autorité" || strings.Join(p.IDs(), " ") != "INT-01 SEC-01" || !p.Blocking("SEC-01") || p.Blocking("SEC-02") {
					t.Fatalf("%+v, %v", p, err)
				}
				return
			}
			var e *requirement.LoadError
			if !errors.As(err, &e) || e.Problems[0].Line != c.line || e.Problems[0].File != file {
				t.Fatalf("want a problem on line %d, got %v", c.line, err)
			}
			if !strings.Contains(err.Error(), c.says) {
				t.Errorf("%q does not say %q", err, c.says)
			}
		})
	}
	if _, err := requirement.LoadProfile(catalogue(t), filepath.Join(t.TempDir(), "none.yaml")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
}

func FuzzProfile(f *testing.F) {
	c := catalogue(f)
	f.Add([]byte("name: a\nnote: {fr: A., en: A.}\nblocking: [INT-01]\n"))
	f.Add([]byte("blocking: [null, {}]\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := requirement.ParseProfile(c, "profile.yaml", data)
		var e *requirement.LoadError
		if err != nil && (!errors.As(err, &e) || len(e.Problems) == 0) {
			t.Fatalf("an error that names nothing: %v", err)
		}
		if err == nil && len(p.IDs()) == 0 {
			t.Fatalf("a profile that blocks nothing is accepted: %q", data)
		}
	})
}
