package seal

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/gowebpki/jcs"
	"github.com/secure-systems-lab/go-securesystemslib/dsse"
)

// maxEnvelope bounds a signed statement: a run names some hundreds of files.
const maxEnvelope = 16 << 20

// ErrEnvelope says that bytes are no signed statement, or not the one that was signed.
var ErrEnvelope = errors.New("no signed statement")

// canonical writes a value in the one form that it has (RFC 8785).
func canonical(v any) ([]byte, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	return jcs.Transform(b)
}

// Sign puts a payload of a media type into a DSSE envelope (version 1) with one
// signature, written canonically: the same payload and key give the same bytes.
func Sign(mediaType string, payload any, k Key) ([]byte, error) {
	body, err := canonical(payload)
	if err != nil {
		return nil, fmt.Errorf("sign a statement: %w", err)
	}
	return canonical(dsse.Envelope{
		PayloadType: mediaType,
		Payload:     base64.StdEncoding.EncodeToString(body),
		Signatures: []dsse.Signature{{
			KeyID: k.Public().ID(),
			Sig:   base64.StdEncoding.EncodeToString(ed25519.Sign(k.private, dsse.PAE(mediaType, body))),
		}},
	})
}

// Open verifies an envelope and returns its payload. Envelope and payload must be
// canonical, so that no byte of the file can change and the signature still hold.
func Open(envelope []byte, mediaType string, p Public) ([]byte, error) {
	body, id, err := unpack(envelope, mediaType)
	if err != nil {
		return nil, err
	}
	if id.KeyID != p.ID() {
		return nil, fmt.Errorf("%w: it is signed with the key %.16s, not with %.16s", ErrEnvelope, id.KeyID, p.ID())
	}
	sig, err := base64.StdEncoding.Strict().DecodeString(id.Sig)
	if err != nil || !p.Verify(dsse.PAE(mediaType, body), sig) {
		return nil, fmt.Errorf("%w: the signature does not hold", ErrEnvelope)
	}
	return body, nil
}

// unpack reads an envelope without trusting it.
func unpack(b []byte, mediaType string) ([]byte, dsse.Signature, error) {
	var e dsse.Envelope
	if len(b) > maxEnvelope {
		return nil, dsse.Signature{}, fmt.Errorf("%w: %d bytes, more than %d", ErrEnvelope, len(b), maxEnvelope)
	}
	if err := exactly(b, &e); err != nil {
		return nil, dsse.Signature{}, fmt.Errorf("%w: %w", ErrEnvelope, err)
	}
	if e.PayloadType != mediaType {
		return nil, dsse.Signature{}, fmt.Errorf("%w: it holds %.80q where %q is expected", ErrEnvelope, e.PayloadType, mediaType)
	}
	if len(e.Signatures) != 1 {
		return nil, dsse.Signature{}, fmt.Errorf("%w: %d signatures, one is expected", ErrEnvelope, len(e.Signatures))
	}
	body, err := base64.StdEncoding.Strict().DecodeString(e.Payload)
	if err != nil {
		return nil, dsse.Signature{}, fmt.Errorf("%w: its payload is no base64", ErrEnvelope)
	}
	return body, e.Signatures[0], nil
}

// exactly decodes JSON that must be the canonical writing of the value it decodes
// to: no member more, none twice, no space, nothing after it.
func exactly(b []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return err
	}
	again, err := canonical(into)
	if err != nil {
		return err
	}
	if !bytes.Equal(again, b) {
		return errors.New("it is not written canonically (RFC 8785)")
	}
	return nil
}
