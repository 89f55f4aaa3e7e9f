package fhir

import (
	"encoding/json"
	"net/url"
	"testing"
	"unicode/utf8"

	"github.com/etalon-sante/etalon/sandbox/record"
)

// sane holds what every issue must be, whatever the input: of the catalogue,
// with a status, short, and printable as an OperationOutcome that passes.
func sane(t *testing.T, r *Rules, issues []record.Issue) {
	t.Helper()
	known := map[string]bool{}
	for _, row := range Catalogue() {
		known[row.ID] = true
	}
	for _, i := range issues {
		if !known[i.Rule] || i.Severity != "error" && i.Severity != "warning" || i.Code == "exception" {
			t.Fatalf("unknown rule: %+v", i)
		}
		if (i.Severity == "error") != (i.HTTP != 0) {
			t.Fatalf("severity and status disagree: %+v", i)
		}
		if utf8.RuneCountInString(i.Actual) > 200 {
			t.Fatalf("a long issue: %+v", i)
		}
	}
	v, err := Decode(Outcome(issues))
	if err != nil {
		t.Fatal(err)
	}
	if more := r.Structure(v); len(more) != 0 {
		t.Fatalf("our own outcome is wrong: %+v", more)
	}
}

func FuzzFeed(f *testing.F) {
	r := testRules(f)
	for _, c := range brokenFeeds() {
		f.Add(c.feedOf(f, r, false))
	}
	for _, x := range r.Measures() {
		f.Add(raw(f, transaction(observationEntry(goodObservation(r, x.Kind)))))
	}
	f.Add([]byte("{\"\\n\""))
	f.Add([]byte(`{"resourceType":"Bundle","type":"transaction","entry":[null,1,"a",[],{"resource":{"resourceType":"Observation"}}]}`))
	f.Add([]byte(`{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"Device","meta":[],"identifier":{},"type":{"coding":[[]]}}}]}`))
	f.Fuzz(func(t *testing.T, in []byte) {
		feed, issues := r.Feed(in, testContext())
		sane(t, r, issues)
		if Status(issues) == 0 && (feed.Observation == nil || feed.Kind == "" || feed.RequestIDPe != testIDPe) {
			t.Fatalf("nothing refuses what is not understood: %s", in)
		}
		if feed.Observation != nil {
			if _, err := json.Marshal(feed.Observation); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func FuzzSearch(f *testing.F) {
	r := testRules(f)
	for _, s := range []string{
		"code=29463-7&" + personQuery + "&date=ge2026-11-01&date=le2026-11-22",
		"code=29463-7&" + personQuery + "&_sort=-date&_count=1", "_count=-1&_offset=99999999999999999999", "date=ge", "date=ge0000&date=lt9999",
		"code=&code=&subject.identifier=%7C&_include=", "patient:identifier=a%7Cb&category=%7C&period-start=gt2026-02-29", "%00=%ff",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, in string) {
		q, err := url.ParseQuery(in)
		if err != nil {
			return
		}
		s, issues := r.Search(q, testContext())
		sane(t, r, issues)
		if s.Count < 1 || s.Count > 100 || s.Offset < 0 {
			t.Fatalf("%+v", s)
		}
		if Status(issues) == 0 && (s.Kind == "" || s.IDPe != testIDPe || s.Mode == All && (s.From == nil || s.To == nil)) {
			t.Fatalf("nothing refuses what is not understood: %+v", s)
		}
		d, issues := r.DocumentSearch(q, testContext())
		sane(t, r, issues)
		if Status(issues) == 0 && d.IDPe != testIDPe || d.Count < 1 || d.Offset < 0 {
			t.Fatalf("%+v", d)
		}
	})
}

func FuzzDocument(f *testing.F) {
	r := testRules(f)
	f.Add(raw(f, goodDocument(r)))
	f.Add([]byte(`{"resourceType":"DocumentReference","content":[{"attachment":{"data":1,"size":"1"}},null]}`))
	f.Add([]byte(`{"resourceType":"DocumentReference","content":{},"category":[[]],"date":"2026"}`))
	f.Add([]byte(`{"resourceType":"DocumentReference","content":[{"attachment":{"contentType":"application/pdf","data":"JVBERi0="}}]}`))
	f.Fuzz(func(t *testing.T, in []byte) {
		d, issues := r.Document(in, testContext())
		sane(t, r, issues)
		if d.Size != len(d.Content) || Status(issues) == 0 && (d.Size == 0 || d.Category == "" || d.RequestIDPe != testIDPe) {
			t.Fatalf("nothing refuses what is not understood: %+v", d)
		}
	})
}
