// Package testimony is what a sandbox that someone else hosts signs of a run: which
// exchanges it served, and what each held. It proves what the sandbox received and
// answered, not that the product of the catalogue sent it.
package testimony

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/gowebpki/jcs"
	"github.com/secure-systems-lab/go-securesystemslib/dsse"

	"github.com/etalon-sante/etalon/sandbox/record"
)

// mediaType is that of the signed statement.
const mediaType = "application/vnd.etalon.testimony+json"

// Bounds of what is read of others.
const (
	maxEnvelope = 64 << 20
	maxKey      = 16 << 10
)

// Statement is what a sandbox says of one of its spaces.
type Statement struct {
	Format    int    `json:"format"`   // 1
	Run       string `json:"run"`      // id of the run, as the harness gave it when it asked for the space
	Build     string `json:"build"`    // version of the sandbox
	Settings  string `json:"settings"` // id of its settings
	Public    string `json:"public"`   // address under which candidates reached it
	Signed    string `json:"signed"`   // RFC 3339, by the sandbox's clock
	Exchanges []Seen `json:"exchanges"`
}

// Seen is one exchange that the sandbox served.
type Seen struct {
	ID     string `json:"id"`
	SHA256 string `json:"sha256"` // of the exchange as redacted by the sandbox, in canonical JSON
}

// Testimony is a signed statement, with the key that verifies it.
type Testimony struct {
	Envelope  string `json:"envelope"`  // DSSE, canonical JSON
	PublicKey string `json:"publicKey"` // PEM
}

// ErrTestimony says that bytes are no testimony, or that it does not hold.
var ErrTestimony = errors.New("testimony of the sandbox")

// Digest is the SHA-256 of an exchange in canonical JSON (RFC 8785), in hexadecimal.
func Digest(x record.Exchange) (string, error) {
	b, err := canonical(x)
	if err != nil {
		return "", fmt.Errorf("weigh exchange %s: %w", x.ID, err)
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:]), nil
}

func canonical(v any) ([]byte, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	return jcs.Transform(b)
}

// Of weighs every exchange among records.
func Of(records []record.Record) ([]Seen, error) {
	out := []Seen{}
	for _, r := range records {
		if r.Exchange == nil {
			continue
		}
		sum, err := Digest(*r.Exchange)
		if err != nil {
			return nil, err
		}
		out = append(out, Seen{ID: r.Exchange.ID, SHA256: sum})
	}
	return out, nil
}

// ParseKey reads the private key of a sandbox: Ed25519, PKCS #8 in PEM.
func ParseKey(b []byte) (ed25519.PrivateKey, error) {
	found, rest := pem.Decode(b)
	if len(b) > maxKey || found == nil || found.Type != "PRIVATE KEY" || len(rest) != 0 {
		return nil, fmt.Errorf("%w: no private key in PEM, and nothing else", ErrTestimony)
	}
	key, err := x509.ParsePKCS8PrivateKey(found.Bytes)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrTestimony, err)
	}
	private, ok := key.(ed25519.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("%w: the key is a %T, an Ed25519 key is expected", ErrTestimony, key)
	}
	return private, nil
}

// Sign signs a statement.
func Sign(s Statement, at time.Time, key ed25519.PrivateKey) (Testimony, error) {
	s.Format, s.Signed = 1, at.UTC().Truncate(time.Second).Format(time.RFC3339)
	body, err := canonical(s)
	if err != nil {
		return Testimony{}, fmt.Errorf("sign the testimony: %w", err)
	}
	public, _ := key.Public().(ed25519.PublicKey)
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return Testimony{}, fmt.Errorf("sign the testimony: %w", err)
	}
	envelope, err := canonical(dsse.Envelope{
		PayloadType: mediaType, Payload: base64.StdEncoding.EncodeToString(body),
		Signatures: []dsse.Signature{{KeyID: keyID(der), Sig: base64.StdEncoding.EncodeToString(ed25519.Sign(key, dsse.PAE(mediaType, body)))}},
	})
	if err != nil {
		return Testimony{}, fmt.Errorf("sign the testimony: %w", err)
	}
	return Testimony{Envelope: string(envelope), PublicKey: string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))}, nil
}

func keyID(der []byte) string {
	sum := sha256.Sum256(der)
	return hex.EncodeToString(sum[:])
}

// Open verifies a testimony: what it says, and the id of the key that says it (SHA-256
// of its SubjectPublicKeyInfo, in hexadecimal).
func (t Testimony) Open() (Statement, string, error) {
	var s Statement
	refuse := func(why string) (Statement, string, error) { return s, "", fmt.Errorf("%w: %s", ErrTestimony, why) }
	if len(t.Envelope) > maxEnvelope || len(t.PublicKey) > maxKey {
		return refuse("it is too long to be one")
	}
	found, rest := pem.Decode([]byte(t.PublicKey))
	if found == nil || found.Type != "PUBLIC KEY" || len(rest) != 0 {
		return refuse("its public key is none")
	}
	parsed, err := x509.ParsePKIXPublicKey(found.Bytes)
	if err != nil {
		return refuse("its public key cannot be read: " + err.Error())
	}
	public, ok := parsed.(ed25519.PublicKey)
	if !ok {
		return refuse("its public key is no Ed25519 key")
	}
	var e dsse.Envelope
	if err := exactly([]byte(t.Envelope), &e); err != nil {
		return refuse(err.Error())
	}
	if e.PayloadType != mediaType || len(e.Signatures) != 1 || e.Signatures[0].KeyID != keyID(found.Bytes) {
		return refuse("the envelope holds another statement, or one of another key")
	}
	body, err := base64.StdEncoding.Strict().DecodeString(e.Payload)
	if err != nil {
		return refuse("its payload is no base64")
	}
	sig, err := base64.StdEncoding.Strict().DecodeString(e.Signatures[0].Sig)
	if err != nil || !ed25519.Verify(public, dsse.PAE(mediaType, body), sig) {
		return refuse("the signature does not hold")
	}
	if err := exactly(body, &s); err != nil {
		return refuse(err.Error())
	}
	if s.Format != 1 {
		return refuse(fmt.Sprintf("format %d, this build reads format 1", s.Format))
	}
	return s, e.Signatures[0].KeyID, nil
}

// exactly decodes what must be the canonical writing of the value it decodes to.
func exactly(b []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return err
	}
	again, err := canonical(into)
	if err == nil && !bytes.Equal(again, b) {
		err = errors.New("it is not written canonically (RFC 8785)")
	}
	return err
}

// Comparison is a journal beside what a sandbox says that it served.
type Comparison struct {
	Same    int      // exchanges that are as the sandbox saw them
	Changed []string // ids of those that are not: redacted further since, or altered
	Missing []string // ids of those that the journal lacks
	Added   []string // ids of those that the journal has of the sandbox, and the sandbox does not know
}

// Compare puts the exchanges of a journal that bear a number of the sandbox beside
// its statements, one for each sitting of the run.
func Compare(records []record.Record, said ...Statement) (Comparison, error) {
	seen := map[string]string{}
	for _, s := range said {
		for _, x := range s.Exchanges {
			seen[x.ID] = x.SHA256
		}
	}
	var out Comparison
	found := map[string]bool{}
	for _, r := range records {
		if r.Exchange == nil || !isSandboxs(r.Exchange.ID) {
			continue
		}
		id := r.Exchange.ID
		want, known := seen[id]
		if !known || found[id] {
			out.Added = append(out.Added, id)
			continue
		}
		found[id] = true
		sum, err := Digest(*r.Exchange)
		if err != nil {
			return out, err
		}
		if sum == want {
			out.Same++
		} else {
			out.Changed = append(out.Changed, id)
		}
	}
	for id := range seen {
		if !found[id] {
			out.Missing = append(out.Missing, id)
		}
	}
	slices.Sort(out.Missing)
	return out, nil
}

// isSandboxs says whether an id is one that a sandbox gives: "x12".
func isSandboxs(id string) bool { return len(id) > 1 && id[0] == 'x' }
