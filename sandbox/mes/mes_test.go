package mes

import (
	"math"
	"strconv"
	"testing"
	"time"
)

func resources(n int) []Resource {
	var out []Resource
	for i := range n {
		out = append(out, Resource{ID: strconv.Itoa(i), Low: time.Unix(int64(i), 0)})
	}
	return out
}

func TestAPageOfAnyNumberAndSizeStaysWithinTheList(t *testing.T) {
	for _, c := range []struct {
		total, offset, count, want int
	}{
		{120, 0, 50, 50},
		{120, 2, 50, 20},
		{120, 3, 50, 0},
		{100, 1, 50, 50},
		{100, 2, 50, 0},
		{0, 0, 50, 0},
		{5, -1, 50, 0},
		{5, math.MaxInt, 50, 0},
		{5, math.MaxInt / 2, 100, 0},
		{5, 4, 1, 1},
		{5, 5, 1, 0},
	} {
		if got := len(cut(resources(c.total), c.offset, c.count)); got != c.want {
			t.Errorf("%+v: got %d", c, got)
		}
	}
}

func TestMeasuresOfOneInstantKeepAnOrderFromPageToPage(t *testing.T) {
	same := time.Unix(1, 0)
	list := []Resource{{ID: "a", Low: same}, {ID: "b", Low: same}, {ID: "c", Low: same.Add(time.Second)}, {ID: "d", Low: same}}
	newestFirst(list)
	got := ""
	for _, r := range list {
		got += r.ID
	}
	if got != "cdba" {
		t.Errorf("got %s", got)
	}
}

func TestMemoryKeepsPatientsAndKindsApart(t *testing.T) {
	m := NewMemory()
	m.Put(Resource{Kind: kindObservation, ID: "1", Patient: "anna"})
	m.Put(Resource{Kind: kindDevice, ID: "1", Patient: "anna"})
	m.Put(Resource{Kind: kindObservation, ID: "2", Patient: "bob"})
	before := m.List("anna", kindObservation)
	m.Put(Resource{Kind: kindObservation, ID: "3", Patient: "anna"})
	if len(before) != 1 || len(m.List("anna", kindObservation)) != 2 || len(m.List("bob", kindDevice)) != 0 {
		t.Error("lists are mixed up")
	}
	if r, ok := m.Find(kindObservation, "2"); !ok || r.Patient != "bob" {
		t.Errorf("got %+v", r)
	}
	if _, ok := m.Find(kindDocument, "2"); ok {
		t.Error("found under another kind")
	}
}

func TestTheAnswerToATransactionFollowsTheOrderOfTheRequest(t *testing.T) {
	for request, want := range map[string]bool{
		`{"entry":[{"resource":{"resourceType":"Device"}},{"resource":{"resourceType":"Observation"}}]}`: true,
		`{"entry":[{"resource":{"resourceType":"Observation"}},{"resource":{"resourceType":"Device"}}]}`: false,
		`{"entry":[]}`: false,
		`{`:            false,
	} {
		if got := deviceFirst([]byte(request)); got != want {
			t.Errorf("%s: got %v", request, got)
		}
	}
}

func TestAnIDIsWhatFHIRAllows(t *testing.T) {
	for id, want := range map[string]bool{"": false, "scale-1": true, "A.b-9": true, "a/b": false, "é": false, "a b": false} {
		if isID(id) != want {
			t.Errorf("%q", id)
		}
	}
}
