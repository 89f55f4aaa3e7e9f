package fhir

import "testing"

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
