package blindspots

import (
	"encoding/json"
	"slices"
	"testing"
)

func TestEachPlaceOfADocumentIsChangedAlone(t *testing.T) {
	all := func(string, string) bool { return true }
	list := changes([]byte(`{"a":1,"b":["x","2026-11-22T10:00:00Z"],"resource":{"resourceType":"Device","ok":true}}`), true, anyText, all)
	got := map[string]string{}
	for _, c := range list {
		if !json.Valid(c.json) {
			t.Errorf("%s %s is not JSON: %s", c.path, c.op, c.json)
		}
		got[c.path+" "+c.op] = string(c.json)
	}
	rest := `"resource":{"ok":true,"resourceType":"Device"}}`
	for change, want := range map[string]string{
		"a dropped":                         `{"b":["x","2026-11-22T10:00:00Z"],` + rest,
		"a another value":                   `{"a":8,"b":["x","2026-11-22T10:00:00Z"],` + rest,
		"b[] dropped":                       `{"a":1,"b":["x"],` + rest, // the last of its kind
		"b element twice":                   `{"a":1,"b":["x","2026-11-22T10:00:00Z","x"],` + rest,
		"b[] another value":                 `{"a":1,"b":["x","2024-11-23T10:00:00Z"],` + rest,
		"b[] empty":                         `{"a":1,"b":["","2026-11-22T10:00:00Z"],` + rest, // an instant stays one
		" unknown property":                 `{"a":1,"b":["x","2026-11-22T10:00:00Z"],"resource":{"ok":true,"resourceType":"Device"},"étalon":"x"}`,
		"resource null":                     `{"a":1,"b":["x","2026-11-22T10:00:00Z"],"resource":null}`,
		"resource(Device).ok another value": `{"a":1,"b":["x","2026-11-22T10:00:00Z"],"resource":{"ok":false,"resourceType":"Device"}}`,
	} {
		if got[change] != want {
			t.Errorf("%s: got %s, want %s", change, got[change], want)
		}
	}
	if changes([]byte(`{"a":`), false, anyText, all) != nil {
		t.Error("what cannot be read was changed")
	}
	few := changes([]byte(`{"a":[1,2,3,4,5,6]}`), false, anyText, func(path, op string) bool { return path == "a[]" && op == opDrop })
	if len(few) != firsts+1 {
		t.Errorf("%d elements of six were dropped", len(few))
	}
}

func TestAPatternMatchesPlacesByText(t *testing.T) {
	for _, c := range []struct {
		pattern, text string
		want          bool
	}{
		{"", "anything", true},
		{"a", "a", true},
		{"a", "ab", false},
		{"a*", "ab", true},
		{"*b", "ab", true},
		{"a*c*e", "abcde", true},
		{"a*c*e", "abde", false},
		{"*", "", true},
	} {
		if got := glob(c.pattern, c.text); got != c.want {
			t.Errorf("%q on %q: %v", c.pattern, c.text, got)
		}
	}
}

func TestEachReasonHasAKindAndTwoLanguages(t *testing.T) {
	reasons, err := Reasons()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, r := range reasons {
		if r.Key == "" || seen[r.Key] || r.Text.FR == "" || r.Text.EN == "" || len(r.Where) == 0 {
			t.Errorf("reason %q is incomplete or stands twice", r.Key)
		}
		if !slices.Contains([]Kind{Gap, Elsewhere, Free, Ours, Harmless}, r.Kind) {
			t.Errorf("reason %q is of the unknown kind %q", r.Key, r.Kind)
		}
		seen[r.Key] = true
	}
}
