package identity

import (
	"encoding/base64"
	"encoding/json"
	"testing"
)

func FuzzReadAssertion(f *testing.F) {
	enc := base64.RawURLEncoding.EncodeToString
	for _, payload := range []string{
		`{"iss":"a","sub":"a","aud":"b","exp":1,"jti":"x"}`, `{"aud":["a","b",1]}`, `{"aud":{"a":1}}`, `{"exp":1e400}`, `{"exp":"1"}`,
		`{"iss":"a","iss":"b"}`, `[]`, "\xff", `{"jti":"` + "\x00" + `"}`,
	} {
		f.Add(enc([]byte(`{"alg":"ES256","kid":"k"}`)) + "." + enc([]byte(payload)) + ".AA")
	}
	f.Add("..")
	f.Add("")
	f.Fuzz(func(t *testing.T, raw string) {
		h, c, err := readAssertion(raw)
		if err != nil {
			return
		}
		if len([]rune(clip(h.Algorithm))) > 201 || len(audienceOf(c.Audience)) > 8 {
			t.Errorf("what is told of %q has no bound", raw)
		}
		if at, ok := instant(c.Expires); ok {
			if _, err := at.MarshalJSON(); err != nil {
				t.Errorf("the expiry of %q cannot be written: %v", raw, err)
			}
		}
	})
}

func TestKeysOfAClientAreReadStrictly(t *testing.T) {
	for name, raw := range map[string]string{
		"nothing":        ``,
		"no set":         `[]`,
		"no key":         `{"keys":[]}`,
		"a member twice": `{"keys":[],"keys":[]}`,
		"a broken key":   `{"keys":[{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}]}`,
		"a secret":       `{"keys":[{"kty":"oct","k":"AAECAwQFBgcICQoLDA0ODw"}]}`,
	} {
		if _, err := readKeys(json.RawMessage(raw)); err == nil {
			t.Errorf("%s: it was taken", name)
		}
	}
}
