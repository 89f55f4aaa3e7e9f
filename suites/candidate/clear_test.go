package candidate

import (
	"errors"
	"os"
	"strings"
	"testing"
)

func TestASecretInACommentIsRefused(t *testing.T) {
	raw, err := os.ReadFile("../../docs/examples/minimal/candidate.yaml")
	if err != nil {
		t.Fatal(err)
	}
	const secret = "a-token-that-was-noted-down"
	env := func(string) (string, bool) { return secret, true }
	if _, err := Parse(raw, "candidate.yaml", "", env); err != nil {
		t.Fatal(err)
	}
	_, err = Parse(append([]byte("# first line\n# token: "+secret+"\n"), raw...), "candidate.yaml", "", env)
	var bad *ManifestError
	if !errors.As(err, &bad) || bad.Problems[0].Line != 2 {
		t.Fatalf("got %v", err)
	}
	for _, lang := range []string{"fr", "en"} {
		if said := bad.In(lang); strings.Contains(said, secret) || !strings.Contains(said, "pilot-token") {
			t.Errorf("%s: %s", lang, said)
		}
	}
}
