package fhir

import (
	"sync"
	"testing"
)

func TestEveryKindOfMeasureIsAcceptedWhenWellMade(t *testing.T) {
	r := testRules(t)
	for _, x := range r.Measures() {
		t.Run(x.Kind, func(t *testing.T) {
			f, issues := r.Feed(raw(t, transaction(observationEntry(goodObservation(r, x.Kind)))), testContext())
			if x.Computed {
				if len(issues) != 1 || issues[0].Rule != "feed.bmi" || issues[0].HTTP != 422 {
					t.Fatalf("a computed measure must be refused: %+v", issues)
				}
				return
			}
			if len(issues) != 0 {
				t.Fatalf("unexpected issues: %+v", issues)
			}
			if f.Kind != x.Kind || f.RequestIDPe != testIDPe || f.RequestAuth != testAuth || f.Observation == nil {
				t.Fatalf("not understood: %+v", f)
			}
		})
	}
}

func BenchmarkFeedOfOneWeight(b *testing.B) {
	r := testRules(b)
	body := raw(b, transaction(observationEntry(goodObservation(r, "weight"))))
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if _, issues := r.Feed(body, testContext()); len(issues) != 0 {
			b.Fatal(issues)
		}
	}
}

func BenchmarkDecodeOfOneWeight(b *testing.B) {
	r := testRules(b)
	body := raw(b, transaction(observationEntry(goodObservation(r, "weight"))))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Decode(body); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkShapeOfOneWeight(b *testing.B) {
	r := testRules(b)
	v, _ := Decode(raw(b, goodObservation(r, "weight")))
	b.ReportAllocs()
	for b.Loop() {
		if x := r.structures["Observation"].Check(v); len(x) != 0 {
			b.Fatal(x)
		}
	}
}

func BenchmarkRules(b *testing.B) {
	s := testRules(b).set
	for b.Loop() {
		if _, err := NewRules(s); err != nil {
			b.Fatal(err)
		}
	}
}

func TestRulesForFurtherSettingsFollowThem(t *testing.T) {
	base := testRules(t)
	s, err := base.set.With(map[string]string{"search.count-max": "60"})
	if err != nil {
		t.Fatal(err)
	}
	r, err := NewRules(s)
	if err != nil {
		t.Fatal(err)
	}
	q := query(t, "code=29463-7&"+personQuery+"&date=ge2026-11-01&date=le2026-11-02&_count=61")
	if _, issues := r.Search(q, testContext()); Status(issues) != 400 {
		t.Errorf("%+v", issues)
	}
	if _, issues := base.Search(q, testContext()); len(issues) != 0 {
		t.Errorf("the rules that it came from have changed: %+v", issues)
	}
}

func TestRulesAreSafeForConcurrentUse(t *testing.T) {
	r := testRules(t)
	body := broken{device: true}.feedOf(t, r, true)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 50 {
				if _, issues := r.Feed(body, testContext()); len(issues) != 0 {
					t.Errorf("%+v", issues)
				}
			}
		})
	}
	all.Wait()
}
