package fault

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/etalon-sante/etalon/sandbox/control"
	"github.com/etalon-sante/etalon/sandbox/exchange"
	"github.com/etalon-sante/etalon/sandbox/record"
)

func TestFaultsAreDrawnInTheOrderOfThePlanAndUsedUp(t *testing.T) {
	p := NewPlan()
	add := func(patient string, route record.Route, next, status int) {
		t.Helper()
		if _, err := p.Add(control.Fault{Patient: patient, Route: route, Next: next, Kind: control.FaultStatus, Status: status}); err != nil {
			t.Fatal(err)
		}
	}
	add("anna", record.RouteFeedMeasure, 2, 500)
	add("anna", record.RouteFeedMeasure, 1, 503)
	add("bob", record.RouteFeedMeasure, 1, 429)
	var got []int
	for range 4 {
		f, _ := p.Take("anna", record.RouteFeedMeasure)
		got = append(got, f.Status)
	}
	for i, want := range []int{500, 500, 503, 0} {
		if got[i] != want {
			t.Fatalf("got %v", got)
		}
	}
	if _, ok := p.Take("anna", record.RouteSearchMeasures); ok {
		t.Error("a fault of another route was drawn")
	}
	if _, ok := p.Take("", record.RouteFeedMeasure); ok {
		t.Error("a fault was drawn for nobody")
	}
	list := p.List()
	if len(list) != 3 || list[0].ID != "f1" || list[0].Applied != 2 || list[2].Applied != 0 {
		t.Errorf("got %+v", list)
	}
}

func TestReplaceSaysWhatWasPlannedInTheFormOfTheRoute(t *testing.T) {
	for _, c := range []struct {
		name  string
		fault control.Fault
		usual exchange.Answer
		want  int
		key   string
		value any
	}{
		{"a business call that must slow down", control.Fault{Route: record.RouteFeedMeasure, Kind: control.FaultStatus, Status: 429, RetryAfter: 2}, exchange.Answer{}, 429, "resourceType", "OperationOutcome"},
		{"the token endpoint out of order", control.Fault{Route: record.RouteToken, Kind: control.FaultStatus, Status: 500}, exchange.Answer{}, 500, "error", "server_error"},
		{"the token endpoint that is busy", control.Fault{Route: record.RouteToken, Kind: control.FaultStatus, Status: 503}, exchange.Answer{}, 503, "error", "temporarily_unavailable"},
		{"an OAuth error of one's choice", control.Fault{Route: record.RouteToken, Kind: control.FaultStatus, Status: 400, IssueCode: "invalid_grant"}, exchange.Answer{}, 400, "error", "invalid_grant"},
		{"a delayed answer", control.Fault{Route: record.RouteToken, Kind: control.FaultDelay}, exchange.New(200, "application/json", []byte(`{"a":"b"}`)), 200, "a", "b"},
		{"an answer cut before it was made", control.Fault{Route: record.RouteFeedMeasure, Kind: control.FaultCut}, exchange.Answer{}, 200, "resourceType", "Bundle"},
	} {
		got := Replace(c.fault, c.usual, Where{})
		var body map[string]any
		if err := json.Unmarshal(got.Body, &body); err != nil || got.Status != c.want || body[c.key] != c.value {
			t.Errorf("%s: got %d %s (%v)", c.name, got.Status, got.Body, err)
		}
		if c.fault.RetryAfter > 0 && got.Header.Get("Retry-After") != "2" {
			t.Errorf("%s: Retry-After %q", c.name, got.Header.Get("Retry-After"))
		}
	}
	if got := Replace(control.Fault{Route: record.RouteFeedMeasure, Kind: control.FaultMalformed}, exchange.Answer{}, Where{}); json.Valid(got.Body) || got.Status != http.StatusOK {
		t.Errorf("malformed: %d %s", got.Status, got.Body)
	}
}

func TestAFaultThatCouldNotBeAppliedIsRefused(t *testing.T) {
	good := control.Fault{Patient: "anna", Route: record.RouteFeedMeasure, Next: 1, Kind: control.FaultStatus, Status: 500}
	if _, err := NewPlan().Add(good); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*control.Fault){
		"nobody's":                   func(f *control.Fault) { f.Patient = "" },
		"on a route without patient": func(f *control.Fault) { f.Route = record.RouteDiscovery },
		"never":                      func(f *control.Fault) { f.Next = 0 },
		"for ever":                   func(f *control.Fault) { f.Next = maxNext + 1 },
		"of no kind":                 func(f *control.Fault) { f.Kind = "" },
		"with a good status":         func(f *control.Fault) { f.Status = 204 },
		"a delay of nothing":         func(f *control.Fault) { f.Kind = control.FaultDelay },
		"a delay of an hour":         func(f *control.Fault) { f.Kind, f.Millis = control.FaultDelay, 3_600_000 },
		"to be tried in the past":    func(f *control.Fault) { f.RetryAfter = -1 },
		"that keeps an authorization": func(f *control.Fault) {
			f.Route, f.Store = record.RouteAuthorize, true
		},
	} {
		f := good
		change(&f)
		if _, err := NewPlan().Add(f); err == nil {
			t.Errorf("a fault %s was taken", name)
		}
	}
}
