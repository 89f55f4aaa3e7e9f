package record

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"
)

func TestASecretIsReplacedInEveryFormItTravelsIn(t *testing.T) {
	r := NewRedactor()
	const secret = "s3cr&t=é\"/+value~of some length"
	name := r.Name("access-token", secret)
	quoted, err := json.Marshal(secret)
	if err != nil {
		t.Fatal(err)
	}
	for form, text := range map[string]string{
		"plain":         "a " + secret + " b",
		"query":         "https://x/?t=" + url.QueryEscape(secret) + "&b=1",
		"path":          "https://x/" + url.PathEscape(secret) + "/b",
		"json":          `{"t":` + string(quoted) + `}`,
		"base64":        base64.StdEncoding.EncodeToString([]byte(secret)),
		"base64 of id:": base64.StdEncoding.EncodeToString([]byte("id:" + secret)),
		"base64url +1":  base64.RawURLEncoding.EncodeToString([]byte("x" + secret + "yz")),
		"base64url +2":  base64.RawURLEncoding.EncodeToString([]byte("xx" + secret)),
	} {
		t.Run(form, func(t *testing.T) {
			out := r.Redact(text)
			if !strings.Contains(out, name) || r.Find(out) != "" {
				t.Errorf("redacted to %q", out)
			}
			if r.Find(text) != "access-token-1" {
				t.Errorf("not found in %q", text)
			}
		})
	}
}

func TestOneValueHasOneName(t *testing.T) {
	r := NewRedactor()
	a, b := r.Name("code", "value-number-one"), r.Name("code", "value-number-two")
	if a == b || r.Name("other", "value-number-one") != a {
		t.Errorf("names %s and %s", a, b)
	}
	other := NewRedactor()
	other.Adopt(r.Secrets(0))
	if got := other.Name("code", "value-number-three"); got != "«code-3»" {
		t.Errorf("a name made after adopting is %s, which may already stand for another value", got)
	}
	if got, ok := other.Lookup("value-number-two"); !ok || got != b {
		t.Errorf("adopted name is %s, want %s", got, b)
	}
}

func TestTheLongestSecretWins(t *testing.T) {
	r := NewRedactor()
	r.Name("short", "abcdefgh")
	r.Name("long", "abcdefghijklmnop")
	if got := r.Redact("abcdefghijklmnop abcdefgh"); got != "«long-1» «short-1»" {
		t.Error(got)
	}
}

func TestShortValuesAreLeftAlone(t *testing.T) {
	r := NewRedactor()
	if got := r.Name("code", "abc"); got != "abc" {
		t.Error(got)
	}
	if got := r.Redact("abc"); got != "abc" {
		t.Error(got)
	}
}

func TestJSONStaysJSON(t *testing.T) {
	r := NewRedactor()
	r.Name("token", "tok-0123456789")
	for _, in := range []string{`{"a":"tok-0123456789"}`, `"tok-0123456789"`, `{"tok-0123456789":1}`} {
		if out := r.RedactJSON(json.RawMessage(in)); !json.Valid(out) || r.Find(string(out)) != "" {
			t.Errorf("%s became %s", in, out)
		}
	}
}

func FuzzNoSecretSurvivesRedaction(f *testing.F) {
	f.Add("secret-value", "before secret-value after")
	f.Add("abcdef", "abcabcdefdef")
	f.Add("ccccc\x00", "\x00cccccccccc\x00\x10cccc")
	f.Fuzz(func(t *testing.T, secret, text string) {
		if len(secret) < MinSecret || strings.ContainsAny(secret, "«»§") || strings.Contains("secret-1", secret) {
			t.Skip("not a secret that is replaced")
		}
		r := NewRedactor()
		r.Name("secret", secret)
		if out := r.Redact(text); strings.Contains(strings.ReplaceAll(out, "«secret-1»", "§"), secret) {
			t.Errorf("%q survives in %q", secret, out)
		}
	})
}

func BenchmarkRedactWithThousandsOfSecrets(b *testing.B) {
	r := NewRedactor()
	for i := range 3000 {
		r.Name("token", fmt.Sprintf("%032x", i*2654435761))
	}
	text := strings.Repeat(`{"resourceType":"Observation","status":"final"}`, 100)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		r.Redact(text)
	}
}
