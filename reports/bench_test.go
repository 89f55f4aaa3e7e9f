package reports_test

import (
	"io"
	"sync"
	"testing"

	pages "github.com/etalon-sante/etalon/reports/html"
	"github.com/etalon-sante/etalon/reports/internal/sample"
)

// All the files of a run of a thousand requirements, the page in both languages,
// and the tables: under a second on two cores (DESIGN, budgets).
func BenchmarkEveryWriterForAThousandRequirements(b *testing.B) {
	r := sample.Large(1000)
	all := func(b *testing.B, f format, langs ...string) {
		for _, lang := range langs {
			if err := f.write(io.Discard, r, lang); err != nil {
				b.Error(err)
			}
		}
	}
	b.Run("together", func(b *testing.B) {
		for b.Loop() {
			var wg sync.WaitGroup // as a run writes them
			for _, f := range formats() {
				wg.Go(func() { all(b, f, "fr") })
				if f.name == "html" {
					wg.Go(func() { all(b, f, "en") })
				}
			}
			for _, lang := range []string{"fr", "en"} {
				wg.Go(func() { all(b, format{write: pages.WritePublic}, lang) })
			}
			wg.Wait()
		}
	})
	for _, f := range formats() {
		b.Run(f.name, func(b *testing.B) {
			for b.Loop() {
				all(b, f, "fr")
			}
		})
	}
}
