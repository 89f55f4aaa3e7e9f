package fhir

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/etalon-sante/etalon/sandbox/record"
)

func TestAnOutcomeSaysWhatIsWrongAndWhere(t *testing.T) {
	r := testRules(t)
	for says, c := range map[string]struct {
		issues []record.Issue
		want   []string
	}{
		"nothing wrong": {nil, []string{`"severity":"information"`}},
		"a place in the body": {
			[]record.Issue{{Rule: "feed.unit", Severity: "error", Code: "invalid", Pointer: "/entry/0/resource/valueQuantity/code", Expected: "kg", Actual: "g"}},
			[]string{`"expression":["entry[0].resource.valueQuantity.code"]`, "expected kg, got g", `"text":"feed.unit"`},
		},
		"a parameter": {
			[]record.Issue{{Severity: "error", Code: "invalid", Pointer: "?_count", Expected: "1"}},
			[]string{`"diagnostics":"?_count: expected 1"`},
		},
		"a member that is no FHIRPath": {
			[]record.Issue{{Severity: "error", Code: "structure", Pointer: "/a b/~1~0", Actual: "x"}},
			[]string{`got x`},
		},
		"an issue without words": {[]record.Issue{{Severity: "error", Code: "forbidden"}}, []string{`{"severity":"error","code":"forbidden"}`}},
	} {
		t.Run(says, func(t *testing.T) {
			b := Outcome(c.issues)
			for _, w := range c.want {
				if !strings.Contains(string(b), w) {
					t.Errorf("%s lacks %s", b, w)
				}
			}
			v, err := Decode(b)
			if err != nil {
				t.Fatal(err)
			}
			if issues := r.Structure(v); len(issues) != 0 {
				t.Errorf("%s: %+v", b, issues)
			}
		})
	}
}

func TestWhatTheSandboxSendsIsChecked(t *testing.T) {
	r := testRules(t)
	o := goodObservation(r, "weight")
	o["id"] = "1"
	bundle := m{
		"resourceType": "Bundle", "type": "searchset", "total": 1,
		"link":  []any{m{"relation": "self", "url": "https://mes.example.test/fhir/Observation"}},
		"entry": []any{m{"fullUrl": "https://mes.example.test/fhir/Observation/1", "resource": o, "search": m{"mode": "match"}}},
	}
	check := func() []record.Issue {
		v, err := Decode(raw(t, bundle))
		if err != nil {
			t.Fatal(err)
		}
		return r.Structure(v)
	}
	if issues := check(); len(issues) != 0 {
		t.Errorf("%+v", issues)
	}
	o["valueQuantity"].(m)["value"] = "72"
	if issues := check(); len(issues) != 1 || issues[0].Pointer != "/entry/0/resource/valueQuantity/value" {
		t.Errorf("%+v", issues)
	}
	bundle["total"] = -1
	if issues := check(); len(issues) != 2 {
		t.Errorf("%+v", issues)
	}
}

func TestTheStatusPutsPermissionBeforeContent(t *testing.T) {
	for _, c := range []struct {
		statuses []int
		want     int
	}{{nil, 0}, {[]int{0, 0}, 0}, {[]int{422, 403}, 403}, {[]int{0, 422}, 422}, {[]int{422, 400}, 400}} {
		var issues []record.Issue
		for _, s := range c.statuses {
			issues = append(issues, record.Issue{HTTP: s})
		}
		if got := Status(issues); got != c.want {
			t.Errorf("%v: got %d", c.statuses, got)
		}
	}
}

// A row of the catalogue that no test breaks would be a rule that nobody has
// seen work.
func TestEveryCaseOfTheCatalogueIsBrokenByATest(t *testing.T) {
	r := testRules(t)
	seen := map[string]bool{}
	note := func(issues []record.Issue) {
		for _, i := range issues {
			b, err := json.Marshal([]any{i.Rule, i.HTTP, i.Severity, i.Code})
			if err != nil {
				t.Fatal(err)
			}
			seen[string(b)] = true
		}
	}
	for _, c := range brokenFeeds() {
		_, issues := r.Feed(c.feedOf(t, r, false), testContext())
		note(issues)
	}
	ids := map[string]bool{}
	for _, row := range Catalogue() {
		if ids[row.ID+"/"+row.Case] {
			t.Errorf("%s/%s is there twice", row.ID, row.Case)
		}
		ids[row.ID+"/"+row.Case] = true
		if row.Setting != "" {
			if _, ok := r.set.Value(row.Setting); !ok {
				t.Errorf("%s names setting %s, which does not exist", row.ID, row.Setting)
			}
		}
		if row.Basis == Guess && r.set.Assumed(row.Setting) == "" {
			t.Errorf("%s/%s is a guess without an assumed setting: a candidate would fail by it", row.ID, row.Case)
		}
		if (row.Basis == Noticed) != (row.HTTP == 0) {
			t.Errorf("%s/%s is %s and answers %d", row.ID, row.Case, row.Basis, row.HTTP)
		}
		b, _ := json.Marshal([]any{row.ID, row.HTTP, row.Severity, row.Code})
		// feed.json is broken by tests of their own: bodies that are no Bundle.
		if strings.HasPrefix(row.ID, "feed.") && row.ID != "feed.json" && !seen[string(b)] {
			t.Errorf("no test breaks %s/%s", row.ID, row.Case)
		}
	}
}
