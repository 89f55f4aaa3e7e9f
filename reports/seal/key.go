package seal

import (
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
)

// maxKey bounds a file that holds one key.
const maxKey = 16 << 10

// Key signs. It is made by Generate or read by ParseKey.
type Key struct{ private ed25519.PrivateKey }

// Public verifies. The zero value verifies nothing.
type Public struct{ key ed25519.PublicKey }

// ErrKey says that bytes are no key of ours.
var ErrKey = errors.New("no Ed25519 key in PEM")

// Generate makes a key from a source of randomness; nil is the system's.
func Generate(random io.Reader) (Key, error) {
	_, private, err := ed25519.GenerateKey(random)
	if err != nil {
		return Key{}, fmt.Errorf("make a key: %w", err)
	}
	return Key{private}, nil
}

// Zero says whether k is no key.
func (k Key) Zero() bool { return len(k.private) == 0 }

// ParseKey reads a private key: PKCS #8 in PEM, one block and nothing else.
func ParseKey(b []byte) (Key, error) {
	der, err := block(b, "PRIVATE KEY")
	if err != nil {
		return Key{}, err
	}
	any, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return Key{}, fmt.Errorf("%w: %w", ErrKey, err)
	}
	private, ok := any.(ed25519.PrivateKey)
	if !ok {
		return Key{}, fmt.Errorf("%w: it is a %T", ErrKey, any)
	}
	return Key{private}, nil
}

// ParsePublic reads a public key: SubjectPublicKeyInfo in PEM, in exactly the form
// that PEM writes, so that one byte more or less is another file.
func ParsePublic(b []byte) (Public, error) {
	der, err := block(b, "PUBLIC KEY")
	if err != nil {
		return Public{}, err
	}
	any, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		return Public{}, fmt.Errorf("%w: %w", ErrKey, err)
	}
	key, ok := any.(ed25519.PublicKey)
	if !ok {
		return Public{}, fmt.Errorf("%w: it is a %T", ErrKey, any)
	}
	p := Public{key}
	if string(p.PEM()) != string(b) {
		return Public{}, fmt.Errorf("%w: not written as keys are", ErrKey)
	}
	return p, nil
}

func block(b []byte, kind string) ([]byte, error) {
	if len(b) > maxKey {
		return nil, fmt.Errorf("%w: %d bytes, more than %d", ErrKey, len(b), maxKey)
	}
	found, rest := pem.Decode(b)
	switch {
	case found == nil:
		return nil, ErrKey
	case found.Type != kind:
		return nil, fmt.Errorf("%w: a block %q where %q is expected", ErrKey, found.Type, kind)
	case len(rest) != 0:
		return nil, fmt.Errorf("%w: something follows it", ErrKey)
	}
	return found.Bytes, nil
}

// PEM is the private key as it is kept.
func (k Key) PEM() ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(k.private)
	if err != nil {
		return nil, fmt.Errorf("write a key: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}

// Public is the half that others verify with.
func (k Key) Public() Public {
	public, _ := k.private.Public().(ed25519.PublicKey)
	return Public{public}
}

// PEM is the public key as it is published.
func (p Public) PEM() []byte {
	der, err := x509.MarshalPKIXPublicKey(p.key)
	if err != nil {
		return nil
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
}

// ID is the SHA-256 of the SubjectPublicKeyInfo in DER, in hexadecimal.
func (p Public) ID() string {
	der, err := x509.MarshalPKIXPublicKey(p.key)
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(der)
	return hex.EncodeToString(sum[:])
}

// Verify says whether sig is this key's signature of message.
func (p Public) Verify(message, sig []byte) bool {
	return len(p.key) == ed25519.PublicKeySize && ed25519.Verify(p.key, message, sig)
}
