package run

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// Any bytes are a journal that is read, one that is read up to where it is cut, or
// one that is refused.
func FuzzJournal(f *testing.F) {
	f.Add([]byte(`{"seq":1,"at":"2026-11-23T10:00:00Z","kind":"mark","mark":{"kind":"start"}}` + "\n"))
	f.Add([]byte(`{"seq":1,"kind":"exchange","exchange":{"id":"x1","from":"candidate","to":"sandbox","request":{"method":"GET","url":"/"},"response":{"status":200}}}` + "\n" + `{"seq":2,"ki`))
	f.Add([]byte("\n\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		records, truncated, err := readJournal(bytes.NewReader(b))
		if err == nil && truncated == "" && len(records) != bytes.Count(bytes.TrimSuffix(b, []byte("\n")), []byte("\n"))+1 && len(b) > 0 {
			t.Errorf("%d records of %q", len(records), b)
		}
		for i, r := range records {
			if wellFormed(r) != nil {
				t.Errorf("record %d: %+v", i, r)
			}
		}
	})
}

// So are any bytes a testimony: one that is refused, unless its signature holds.
func FuzzTestimonies(f *testing.F) {
	f.Add([]byte(`{"format":1,"testimonies":[{"envelope":"{}","publicKey":""}]}`))
	f.Add([]byte(`{}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, testimonyFile), b, 0o600); err != nil {
			t.Fatal(err)
		}
		if w, err := hear(dir, Recorded{}); err == nil && w.key != "" {
			t.Errorf("%q is taken for the testimony of a sandbox", b)
		}
	})
}
