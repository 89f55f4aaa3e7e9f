package fhir

import (
	"sync"
	"testing"
)

// The first messages of several kinds may come at the same moment, and each has
// its schema compiled: the library writes into what it compiles.
func TestSchemasAreCompiledAtTheSameTime(t *testing.T) {
	for range 5 {
		all, err := newStructures()
		if err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		for resource, s := range all {
			wg.Go(func() {
				if out := s.Check(map[string]any{"resourceType": resource, "unheard-of": true}); len(out) == 0 {
					t.Errorf("%s: an element that is unheard of passes", resource)
				}
			})
		}
		wg.Wait()
	}
}
