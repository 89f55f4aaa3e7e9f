package seal_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/etalon-sante/etalon/reports/seal"
)

// OpenSSL takes the signature, over what the DSSE specification says is signed.
func TestOpenSSLTakesTheSignature(t *testing.T) {
	openssl, err := exec.LookPath("openssl")
	if err != nil {
		t.Skip("NOT RUN: there is no openssl to verify the signature with")
	}
	dir := folder(t, key(t))
	raw, err := os.ReadFile(filepath.Join(dir, seal.StatementFile))
	if err != nil {
		t.Fatal(err)
	}
	var e struct {
		PayloadType, Payload string
		Signatures           []struct{ Sig string }
	}
	if err := json.Unmarshal(raw, &e); err != nil {
		t.Fatal(err)
	}
	body, err := base64.StdEncoding.DecodeString(e.Payload)
	if err != nil {
		t.Fatal(err)
	}
	sig, err := base64.StdEncoding.DecodeString(e.Signatures[0].Sig)
	if err != nil {
		t.Fatal(err)
	}
	at := t.TempDir()
	signed := fmt.Sprintf("DSSEv1 %d %s %d %s", len(e.PayloadType), e.PayloadType, len(body), body)
	for name, b := range map[string][]byte{"signed": []byte(signed), "other": []byte(signed + " "), "sig": sig} {
		if err := os.WriteFile(filepath.Join(at, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, good := range map[string]bool{"signed": true, "other": false} {
		out, err := exec.Command(openssl, "pkeyutl", "-verify", "-rawin", "-pubin", "-inkey", filepath.Join(dir, seal.KeyFile),
			"-in", filepath.Join(at, name), "-sigfile", filepath.Join(at, "sig")).CombinedOutput()
		if (err == nil) != good {
			t.Errorf("%s: %v %s", name, err, out)
		}
	}
}
