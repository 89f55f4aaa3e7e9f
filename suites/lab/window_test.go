package lab

import (
	"encoding/base64"
	"net/url"
	"slices"
	"testing"

	"github.com/etalon-sante/etalon/sandbox/record"
)

func TestATokenIsFoundInWhateverFormItStands(t *testing.T) {
	t.Parallel()
	const access, code = "jeton+d/accès=1234567890", "code-0123456789abcdef"
	find := finder([]record.Secret{
		{Name: "access-token-3", Value: access}, {Name: "code-1", Value: code}, {Name: "email-1", Value: "zoe@exemple.test"},
	})
	for name, c := range map[string]struct {
		text  string
		codes bool
		want  []string
	}{
		"nothing":            {"rien de tel", true, nil},
		"as it is":           {`{"t":"` + access + `"}`, false, []string{"access-token"}},
		"in an address":      {"https://a.example/?t=" + url.QueryEscape(access), false, []string{"access-token"}},
		"base64":             {base64.StdEncoding.EncodeToString([]byte(access)), false, []string{"access-token"}},
		"a code, asked for":  {code, true, []string{"code"}},
		"a code, let be":     {code, false, nil},
		"of no such kind":    {"zoe@exemple.test", true, nil},
		"twice is once":      {access + " " + access, false, []string{"access-token"}},
		"a name of a secret": {"access-token-3", true, nil},
	} {
		if got := find(c.text, c.codes); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, not %v", name, got, c.want)
		}
	}
}

func TestPlacesAreKeptOnceAndBounded(t *testing.T) {
	t.Parallel()
	var list []Held
	for range 3 {
		list = held(list, "local jeton", []string{"access-token", "id-token"})
	}
	if len(list) != 2 {
		t.Errorf("%v", list)
	}
	for i := range 100 {
		list = held(list, string(rune('a'+i)), []string{"code"})
	}
	if len(list) != maxHeld {
		t.Errorf("%d places, at most %d are kept", len(list), maxHeld)
	}
	if got := bare("https://u:p@a.example/x?code=1#t=2"); got != "https://a.example/x" {
		t.Errorf("bare: %s", got)
	}
}
