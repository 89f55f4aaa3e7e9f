package pilot_test

import (
	"encoding/json"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/etalon-sante/etalon/suites/candidate"
	"github.com/etalon-sante/etalon/suites/candidate/pilot"
)

// contract reads the published description of the pilot contract.
func contract(t *testing.T) map[string]any {
	t.Helper()
	raw, err := os.ReadFile("../../../docs/pilot.openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var out map[string]any
	if err := yaml.Unmarshal(raw, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

func actions() []string {
	var out []string
	for _, a := range []candidate.Action{
		candidate.Configure, candidate.Pair, candidate.Unpair, candidate.SendMeasure, candidate.ReadMeasures, candidate.SendDocument,
		candidate.SearchDocuments, candidate.ReadDocument, candidate.SendAppointment, candidate.UpdateAppointment, candidate.ReadAppointments, candidate.Status, candidate.Callback,
	} {
		out = append(out, "/actions/"+string(a))
	}
	return out
}

func TestThePublishedContractHasEveryActionAndNoOther(t *testing.T) {
	want := actions()
	slices.Sort(want)
	got := slices.Sorted(maps.Keys(contract(t)["paths"].(map[string]any)))
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestEveryReferenceOfThePublishedContractLeadsSomewhere(t *testing.T) {
	doc := contract(t)
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			if ref, ok := v["$ref"].(string); ok {
				var at any = doc
				for _, step := range strings.Split(strings.TrimPrefix(ref, "#/"), "/") {
					m, _ := at.(map[string]any)
					at = m[step]
				}
				if at == nil {
					t.Errorf("%s leads nowhere", ref)
				}
			}
			for _, e := range v {
				walk(e)
			}
		case []any:
			for _, e := range v {
				walk(e)
			}
		}
	}
	walk(doc)
}

func TestEveryExampleOfThePublishedContractIsAcceptedHere(t *testing.T) {
	doc := contract(t)
	for path, item := range doc["paths"].(map[string]any) {
		post := item.(map[string]any)["post"].(map[string]any)
		asked, answered := examples(t, doc, post["requestBody"]), examples(t, doc, post["responses"].(map[string]any)["200"])
		if len(asked) == 0 || len(answered) == 0 {
			t.Errorf("%s has %d examples of calls and %d of answers", path, len(asked), len(answered))
		}
		for _, e := range answered {
			if _, err := pilot.DecodeAnswer(e); err != nil {
				t.Errorf("%s: %v", path, err)
			}
		}
		for _, e := range asked {
			var call candidate.Call
			if err := json.Unmarshal(e, &call); err != nil || !slices.Contains(actions(), "/actions/"+string(call.Action)) {
				t.Errorf("%s: %v in %s", path, err, e)
			}
		}
	}
}

// examples returns those of a request or an answer, in JSON.
func examples(t *testing.T, doc map[string]any, v any) [][]byte {
	t.Helper()
	m := v.(map[string]any)
	if ref, ok := m["$ref"].(string); ok {
		steps := strings.Split(strings.TrimPrefix(ref, "#/components/"), "/")
		m = doc["components"].(map[string]any)[steps[0]].(map[string]any)[steps[1]].(map[string]any)
	}
	media := m["content"].(map[string]any)["application/json"].(map[string]any)
	values := []any{}
	if e, ok := media["example"]; ok {
		values = append(values, e)
	}
	several, _ := media["examples"].(map[string]any)
	for _, e := range several {
		values = append(values, e.(map[string]any)["value"])
	}
	var out [][]byte
	for _, e := range values {
		raw, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, raw)
	}
	return out
}
