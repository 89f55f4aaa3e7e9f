package leak

import (
	"crypto/sha256"
	"fmt"
	"os"
	"testing"

	"github.com/etalon-sante/etalon/sandbox/record"
)

func BenchmarkZZ(b *testing.B) {
	var files [][]byte
	n := 0
	for _, f := range []string{"journal.jsonl", "report.json", "index.html", "index.en.html", "junit.xml", "run.json"} {
		x, _ := os.ReadFile("/tmp/leakdemo/" + f)
		files = append(files, x)
		n += len(x)
	}
	var secrets []record.Secret
	for i := range 3000 {
		x := sha256.Sum256([]byte(fmt.Sprint(i)))
		secrets = append(secrets, record.Secret{Name: "token", Value: fmt.Sprintf("%x", x[:16])})
	}
	s := New(secrets)
	b.SetBytes(int64(n))
	for b.Loop() {
		for _, f := range files {
			if l, ok := s.Scan("x.json", f); ok {
				b.Fatal(l)
			}
		}
	}
}
