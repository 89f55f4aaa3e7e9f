package leak

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"github.com/etalon-sante/etalon/sandbox/record"
)

// A run of the reference service leaves about 10 MB and knows some 3,000 secrets.
func BenchmarkScan(b *testing.B) {
	var list []record.Secret
	for i := range 3000 {
		x := sha256.Sum256([]byte(fmt.Sprint(i)))
		list = append(list, record.Secret{Name: "token-1", Value: hex.EncodeToString(x[:16])})
	}
	s := New(list)
	line := `{"seq":17,"exchange":{"id":"x12","request":{"url":"https://127.0.0.1:8443/fhir/Observation?code=http%3A%2F%2Floinc.org","headers":[{"name":"Authorization","value":"Bearer «access-token-3»"}],"postData":{"text":"{\"resourceType\":\"Bundle\",\"entry\":[{\"fullUrl\":\"urn:uuid:0b8c5a5e-7a8e-4a7e-9c55-2a4b6b7c1d10\"}]}"}}}}` + "\n"
	text := []byte(strings.Repeat(line, 10<<20/len(line)))
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		if at, found := s.Scan("journal.jsonl", text); found {
			b.Fatal(at)
		}
	}
}
