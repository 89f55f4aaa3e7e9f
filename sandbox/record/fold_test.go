package record_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	"github.com/etalon-sante/etalon/sandbox/record"
)

func TestALargeDocumentIsFoldedToWhatItsBytesAre(t *testing.T) {
	content := bytes.Repeat([]byte("étalon "), 100_000)
	raw, err := json.Marshal(map[string]any{"document": map[string]any{"title": `Été "2026"\`, "size": json.Number("1.50"), "content": content}})
	if err != nil {
		t.Fatal(err)
	}
	folded := record.Fold(raw)
	if len(folded) > 1000 {
		t.Fatalf("folded to %d bytes", len(folded))
	}
	var v struct {
		Document struct {
			Title, Content string
			Size           json.Number
		}
	}
	if err := json.Unmarshal(folded, &v); err != nil {
		t.Fatal(err)
	}
	if v.Document.Title != `Été "2026"\` || v.Document.Size != "1.50" {
		t.Errorf("what is short has changed: %+v", v)
	}
	gotDigest, gotSize, ok := record.Content(v.Document.Content)
	wantDigest, wantSize, _ := record.Content(base64.StdEncoding.EncodeToString(content))
	if !ok || gotDigest != wantDigest || gotSize != wantSize || gotSize != len(content) {
		t.Errorf("digest %s, size %d; want %s, %d", gotDigest, gotSize, wantDigest, wantSize)
	}
}

func TestWhatIsShortIsNotFolded(t *testing.T) {
	raw := json.RawMessage(`{"b":1.50,"a":"text"}`)
	if got := record.Fold(raw); string(got) != string(raw) {
		t.Errorf("got %s", got)
	}
}

// FuzzFold: JSON stays JSON, and nothing but long texts differs.
func FuzzFold(f *testing.F) {
	for _, s := range []string{`{"a":"%"}`, `["%","b\\"]`, `"%`, `{"%":"\"%"}`, `{"a":"b\\","c":"%"}`, `%"`, `[1,"\u00e9%",{"k":null}]`} {
		f.Add(s)
	}
	long := strings.Repeat("long ", 14_000)
	f.Fuzz(func(t *testing.T, s string) {
		if strings.Count(s, "%") > 4 {
			t.Skip("more memory than the test is worth")
		}
		raw := []byte(strings.ReplaceAll(s, "%", long))
		got := record.Fold(bytes.Clone(raw))
		if !json.Valid(raw) {
			return
		}
		a, b := numbered(raw), numbered(got)
		if !json.Valid(got) || !sameButForLong(a, b) {
			t.Errorf("%q became %.300s", s, got)
		}
	})
}

func numbered(raw []byte) (v any) {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	_ = dec.Decode(&v)
	return v
}

func sameButForLong(a, b any) bool {
	switch x := a.(type) {
	case map[string]any:
		y, ok := b.(map[string]any)
		return ok && len(x) >= len(y)
	case []any:
		y, ok := b.([]any)
		same := ok && len(x) == len(y)
		for i := 0; same && i < len(x); i++ {
			same = sameButForLong(x[i], y[i])
		}
		return same
	case string:
		y, ok := b.(string)
		return ok && (x == y || len(y) < 200 && strings.HasPrefix(y, "folded:"))
	}
	return a == b
}

// FuzzContent: whatever a candidate shows, its digest is that of its bytes or
// there is none.
func FuzzContent(f *testing.F) {
	for _, s := range []string{"", "aGVsbG8=", "not base64", "folded:base64:sha256=00:bytes=3", "folded:base64:sha256=", "folded:base64:sha256=00:bytes=-3", "folded:text:sha256=0:bytes=1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		digest, size, ok := record.Content(s)
		if ok && size < 0 {
			t.Errorf("%q: size %d", s, size)
		}
		if !ok && digest != "" && size != 0 {
			t.Logf("%q: %s %d", s, digest, size)
		}
	})
}
