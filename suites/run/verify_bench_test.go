package run_test

import (
	"path/filepath"
	"testing"

	"github.com/etalon-sante/etalon/suites/run"
)

// A whole run checked byte by byte, judged again, and its files written again.
// Budget: 300 ms.
func BenchmarkVerifyARun(b *testing.B) {
	s := demonstration(b)
	out := filepath.Join(b.TempDir(), "report")
	if _, err := run.Run(b.Context(), options(s, out)); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		v, err := run.Verify(out, run.VerifyOptions{})
		if err != nil || v.Exit != 0 {
			b.Fatal(v.Exit, err)
		}
	}
}
