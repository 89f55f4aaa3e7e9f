package identity

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"

	"github.com/go-jose/go-jose/v4"
)

// key is one signing key of a space.
type key struct {
	id     string
	public jose.JSONWebKey
	signer jose.Signer
	// impostor signs under the same key id with a key that is not published:
	// the "signature" fault.
	impostor jose.Signer
}

func newKey() (*key, error) {
	id := newSecret(9)
	pub, signer, err := newSigner(id)
	if err != nil {
		return nil, err
	}
	_, impostor, err := newSigner(id)
	if err != nil {
		return nil, err
	}
	return &key{id: id, public: pub, signer: signer, impostor: impostor}, nil
}

func newSigner(id string) (jose.JSONWebKey, jose.Signer, error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return jose.JSONWebKey{}, nil, fmt.Errorf("make a signing key: %w", err)
	}
	signer, err := jose.NewSigner(
		jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: private, KeyID: id}},
		(&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		return jose.JSONWebKey{}, nil, fmt.Errorf("make a signer: %w", err)
	}
	return jose.JSONWebKey{Key: private.Public(), KeyID: id, Algorithm: string(jose.ES256), Use: "sig"}, signer, nil
}

// newSecret returns n random bytes in base64url. Secrets never derive from a
// seed: a candidate could be made to guess them.
func newSecret(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // it cannot fail (crypto/rand, Go 1.24)
	return base64.RawURLEncoding.EncodeToString(b)
}

// sign serializes claims as a JWT with the fault asked for.
func (k *key) sign(claims map[string]any, fault string) (string, error) {
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", fmt.Errorf("write the claims of an id_token: %w", err)
	}
	if fault == "alg-none" {
		enc := base64.RawURLEncoding
		return enc.EncodeToString([]byte(`{"alg":"none","typ":"JWT"}`)) + "." + enc.EncodeToString(payload) + ".", nil
	}
	signer := k.signer
	if fault == "signature" {
		signer = k.impostor
	}
	jws, err := signer.Sign(payload)
	if err != nil {
		return "", fmt.Errorf("sign an id_token: %w", err)
	}
	out, err := jws.CompactSerialize()
	if err != nil {
		return "", fmt.Errorf("write an id_token: %w", err)
	}
	return out, nil
}
