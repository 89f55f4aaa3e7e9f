package run

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/etalon-sante/etalon/suites/requirement/yamlsafe"
)

const knownGood = `etalon: 1
known:
  - id: INT-09.1
    kind: failing
    finding: token.repeat
    reason: Le client ne répète pas encore ; prévu en 4.3.
    owner: équipe Intégration
    deadline: 2027-01-31
  - id: INT-46
    kind: flaky
    seen: 2/10
    reason: L'attente dépend de la charge.
    owner: équipe Exploitation
    deadline: 2026-12-31
`

func TestAListOfKnownNonconformitiesIsRead(t *testing.T) {
	list, err := ParseKnown([]byte(knownGood))
	if err != nil {
		t.Fatal(err)
	}
	if len(list.Entries) != 2 || list.Entries[0].Deadline != "2027-01-31" || list.Entries[1].Seen != "2/10" || len(list.SHA256) != 64 {
		t.Errorf("%+v", list)
	}
	if list, err := ParseKnown([]byte("etalon: 1\nknown: []\n")); err != nil || len(list.Entries) != 0 {
		t.Errorf("an empty list: %v %v", list, err)
	}
}

func TestWhatIsWrongInAListIsNamedWithItsLine(t *testing.T) {
	change := func(old, new string) string { return strings.Replace(knownGood, old, new, 1) }
	for name, tc := range map[string]struct{ text, says string }{
		"nothing":           {"", "empty"},
		"no format":         {change("etalon: 1\n", ""), "etalon"},
		"another format":    {change("etalon: 1", "etalon: 2"), "line 1: etalon is 2"},
		"no list":           {"etalon: 1\n", "\"known\" is missing"},
		"an unknown field":  {change("finding:", "findings:"), `line 5: the field "findings" is not known`},
		"an id of no form":  {change("INT-09.1", "tout"), `line 3: id: "tout" is not the id`},
		"no reason":         {change("    reason: Le client ne répète pas encore ; prévu en 4.3.\n", ""), "line 3: reason: missing"},
		"no owner":          {change("équipe Intégration", `"  "`), "line 7: owner: missing"},
		"an address":        {change("équipe Intégration", "camille@editeur.example"), "line 7: owner: an address"},
		"no such day":       {change("2027-01-31", "2027-02-31"), "line 8: deadline"},
		"a kind of its own": {change("kind: failing", "kind: ignored"), "line 4: kind"},
		"flaky, not shown":  {change("    seen: 2/10\n", ""), "seen"},
		"flaky every time":  {change("2/10", "10/10"), "line 11: seen"},
		"flaky, never":      {change("2/10", "0/10"), "line 11: seen"},
		"flaky, a joke":     {change("2/10", "+2/10"), "line 11: seen"},
		"failing, seen":     {change("    finding: token.repeat\n", "    seen: 1/2\n"), "line 5: seen"},
		"the same twice":    {change("INT-46\n", "INT-09.1\n    finding: token.repeat\n"), "line 9: id: INT-09.1 stands twice"},
		"an alias":          {"etalon: 1\nknown: [&a {id: INT-01}, *a]\n", "not allowed"},
		"a control":         {change("équipe Exploitation", `"a\u001bb"`), "owner: it holds a character"},
		"a turned text":     {change("équipe Exploitation", "a\u202eb"), "owner: it holds a character"},
		"a long text":       {change("équipe Exploitation", strings.Repeat("é", 1001)), "at most 1000"},
		"another document":  {knownGood + "---\na: b\n", "second document"},
		"a list of lists":   {"etalon: 1\nknown: " + strings.Repeat("[", 5000), "nested too deep"},
		"too many":          {"etalon: 1\nknown:\n" + strings.Repeat("- {id: INT-01}\n", 1001), "at most 1000"},
	} {
		_, err := ParseKnown([]byte(tc.text))
		var wrong *yamlsafe.Error
		if !errors.As(err, &wrong) || !strings.Contains(err.Error(), tc.says) {
			t.Errorf("%s: %v, want %q", name, err, tc.says)
		}
	}
}

func TestAListIsAFileOfItsOwn(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "known.yaml")
	if err := os.WriteFile(path, []byte(knownGood), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadKnown(path); err != nil {
		t.Error(err)
	}
	link := filepath.Join(dir, "link.yaml")
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	for _, p := range []string{link, dir, filepath.Join(dir, "nowhere.yaml")} {
		if _, err := ReadKnown(p); !errors.Is(err, ErrKnown) {
			t.Errorf("%s: %v", p, err)
		}
	}
}

func FuzzKnown(f *testing.F) {
	f.Add([]byte(knownGood))
	f.Add([]byte("etalon: 1\nknown: [{id: INT-01, kind: flaky, seen: 1/2, reason: r, owner: o, deadline: 2027-01-01}]"))
	f.Add([]byte("etalon: 1e400\nknown: &a [*a]"))
	f.Add([]byte("known:\n- - - {}\n"))
	f.Add([]byte("etalon: 1\nknown: {id: [}\n"))
	f.Add([]byte("!!binary aGk="))
	f.Fuzz(func(t *testing.T, raw []byte) {
		list, err := ParseKnown(raw)
		if err != nil {
			return
		}
		again, err := ParseKnown(list.Raw)
		if err != nil || len(again.Entries) != len(list.Entries) {
			t.Fatalf("read again: %v", err)
		}
		for _, e := range list.Entries {
			if e.Owner == "" || e.Reason == "" || e.Deadline == "" || strings.ContainsAny(e.Owner, "@\x1b") {
				t.Fatalf("%+v got through", e)
			}
		}
	})
}
