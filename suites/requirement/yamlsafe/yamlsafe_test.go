package yamlsafe_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/etalon-sante/etalon/suites/requirement/yamlsafe"
)

type sample struct {
	Name string            `yaml:"name"`
	On   bool              `yaml:"on"`
	Size int               `yaml:"size"`
	Rate float64           `yaml:"rate"`
	List []string          `yaml:"list"`
	Sub  map[string]sample `yaml:"sub"`
	Any  any               `yaml:"any"`
}

func TestAGoodDocumentIsDecoded(t *testing.T) {
	var s sample
	if err := yamlsafe.Decode([]byte("# note\nname: Étalon\non: true\nlist: [a, b]\nrate: 1e3\nsub:\n  x: {name: y}\n"), &s); err != nil {
		t.Fatal(err)
	}
	if s.Name != "Étalon" || !s.On || len(s.List) != 2 || s.Sub["x"].Name != "y" || s.Rate != 1000 {
		t.Fatalf("decoded %+v", s)
	}
}

func TestWhatIsRefusedNamesItsLine(t *testing.T) {
	deep := strings.Repeat("[", 70) + strings.Repeat("]", 70)
	indents := &strings.Builder{}
	for i := range 80 {
		indents.WriteString(strings.Repeat(" ", i) + "a:\n")
	}
	for name, c := range map[string]struct {
		text string
		line int
		says string
	}{
		"an empty file":                  {"", 0, "empty"},
		"a file with only a comment":     {"# nothing\n", 0, "empty"},
		"more than one MiB":              {"name: " + strings.Repeat("x", yamlsafe.MaxBytes), 0, "at most 1048576"},
		"bytes that are not UTF-8":       {"name: a\nlist: [\xff]\n", 2, "UTF-8"},
		"an unknown field":               {"name: a\nnmae: b\n", 2, `"nmae" is not known`},
		"a duplicate field":              {"name: a\non: true\nname: b\n", 3, "stands twice (first on line 1)"},
		"an alias":                       {"name: a\nany: {x: &y 1, z: *y}\n", 2, "not allowed"},
		"an anchor alone":                {"name: &n a\n", 1, "anchor &n"},
		"a merge key":                    {"any:\n  <<: {a: b}\n", 2, "merge key"},
		"an explicit tag":                {"name: !!binary aGVsbG8=\n", 1, "tag"},
		"a flow nesting of 70":           {"name: a\nany: " + deep + "\n", 2, "nested too deep"},
		"an endless flow nesting":        {"any: " + strings.Repeat("[", 500_000), 1, "nested too deep"},
		"a block nesting of 80":          {"any:\n" + indents.String(), 65, "nested too deep"},
		"a second document":              {"name: a\n---\nname: b\n", 2, "second document"},
		"a number of 100 digits":         {"any: " + strings.Repeat("9", 100) + "\n", 1, "at most 64"},
		"an exponent of ten digits":      {"any: 1e-1000000000\n", 1, "exponent"},
		"a key that is a list":           {"any:\n  ? [a]\n  : b\n", 2, "key must be a word"},
		"a text where a list is needed":  {"name: a\nlist: b\n", 2, "expected a list"},
		"a list where a text is needed":  {"name: [a]\n", 1, "expected a text, found a list"},
		"a word where a bool is needed":  {"on: maybe\n", 1, "expected true or false"},
		"a tab where spaces are needed":  {"name: a\n\tlist: b\n", 2, "indent with spaces"},
		"a bracket that does not close":  {"name: a\nlist: [a\n", 2, "is not closed"},
		"a brace that does not close":    {"name: a\nsub: {a: {name: b}\non: true\n", 2, "is not closed"},
		"a quote that does not close":    {"name: a\nlist: [\"a]\n", 2, "close it"},
		"a colon in a bare text":         {"on: true\nname: a: b\n", 2, "put the text in quotes"},
		"a field without a colon":        {"on: true\nname\nsize: 2\n", 2, "name: value"},
		"fields that are not aligned":    {"name: a\nsub:\n    a: {name: b}\n  b: {name: c}\n", 4, "same indentation"},
		"too many values":                {"any: [" + strings.Repeat("1,", 120_000) + "1]\n", 1, "too many values"},
		"a scalar where fields stand":    {"just a sentence\n", 1, "expected a mapping of fields"},
		"more than one thing that fails": {"nmae: a\non: maybe\n", 1, "; line 2: "},
	} {
		t.Run(name, func(t *testing.T) {
			err := yamlsafe.Decode([]byte(c.text), new(sample))
			var e *yamlsafe.Error
			if !errors.As(err, &e) {
				t.Fatalf("want *yamlsafe.Error, got %v", err)
			}
			if c.line != 0 && e.Problems[0].Line != c.line {
				t.Errorf("line %d, want %d: %v", e.Problems[0].Line, c.line, err)
			}
			if !strings.Contains(err.Error(), c.says) {
				t.Errorf("%q does not say %q", err, c.says)
			}
		})
	}
}

func TestFindShowsTheDeepestPlaceThatExists(t *testing.T) {
	n, err := yamlsafe.Parse([]byte("a:\n  - x: 1\n  - x: 2\n    y: 3\n"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		line int
		path []any
	}{
		{2, []any{"a", 0, "x"}},
		{4, []any{"a", 1, "y"}},
		{3, []any{"a", 1, "missing"}},
		{2, []any{"a", 7}},
	} {
		if got := yamlsafe.Find(n, c.path...).Line; got != c.line {
			t.Errorf("%v: line %d, want %d", c.path, got, c.line)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, s := range []string{"name: a\n", "any: {a: [1, 2.5e3]}\n", "&a x: *a\n", "- - - -\n", "? a\n: b\n", "a: |\n  x\n", "%YAML 1.2\n---\na: b\n...\n", "any: 0x1e999\n", "\ufeffname: a\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		err := yamlsafe.Decode(data, new(sample))
		var e *yamlsafe.Error
		if err != nil && (!errors.As(err, &e) || len(e.Problems) == 0) {
			t.Fatalf("an error that names nothing: %v", err)
		}
	})
}
