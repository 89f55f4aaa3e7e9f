package seal

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"
)

// maxTrust bounds a trust file.
const maxTrust = 1 << 20

// Roles of who holds a key.
const (
	RoleEditor    = "editor"    // seals reports of his own service
	RoleHost      = "host"      // runs a sandbox for others, and signs what it saw
	RoleAuthority = "authority" // referencing authority
)

// Trust is the file of keys that a reader knows. Its zero value knows none.
type Trust struct {
	Format int      `json:"format"` // 1
	Keys   []Holder `json:"keys"`
}

// Holder is a key and whose it is, as the owner of the trust file wrote it.
type Holder struct {
	ID         string `json:"id"`
	PublicKey  string `json:"publicKey"` // PEM
	Name       string `json:"name"`
	Role       string `json:"role"`
	SIREN      string `json:"siren"`      // of an editor; empty: none
	Until      string `json:"until"`      // 2006-01-02; last day on which it may seal; empty: no end
	FollowedBy string `json:"followedBy"` // id of the key that came after; empty: none
}

// ErrTrust says that a trust file cannot be used.
var ErrTrust = errors.New("trust file")

// ReadTrust reads a trust file; one that is not there is fs.ErrNotExist.
func ReadTrust(path string) (Trust, error) {
	st, err := os.Lstat(path)
	if err != nil {
		return Trust{}, fmt.Errorf("%w %s: %w", ErrTrust, path, plain(err))
	}
	if !st.Mode().IsRegular() || st.Size() > maxTrust {
		return Trust{}, fmt.Errorf("%w %s: no regular file of at most %d bytes", ErrTrust, path, maxTrust)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return Trust{}, fmt.Errorf("%w %s: %w", ErrTrust, path, plain(err))
	}
	t, err := ParseTrust(b)
	if err != nil {
		return Trust{}, fmt.Errorf("%w %s: %w", ErrTrust, path, err)
	}
	return t, nil
}

// ParseTrust reads the bytes of a trust file strictly.
func ParseTrust(b []byte) (Trust, error) {
	var t Trust
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&t); err != nil {
		return Trust{}, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return Trust{}, errors.New("something follows the JSON object")
	}
	if t.Format != 1 {
		return Trust{}, fmt.Errorf("format %d, this build reads format 1", t.Format)
	}
	seen := map[string]bool{}
	for i, h := range t.Keys {
		if err := h.check(); err != nil {
			return Trust{}, fmt.Errorf("key %d (%.40q): %w", i+1, h.Name, err)
		}
		if seen[h.ID] {
			return Trust{}, fmt.Errorf("key %d (%.40q): the same key stands before", i+1, h.Name)
		}
		seen[h.ID] = true
	}
	return t, nil
}

func (h Holder) check() error {
	p, err := ParsePublic([]byte(h.PublicKey))
	switch {
	case err != nil:
		return err
	case p.ID() != h.ID:
		return fmt.Errorf("its id is not that of its public key, which is %s", p.ID())
	case strings.TrimSpace(h.Name) == "" || len(h.Name) > 200:
		return errors.New("name is missing, or longer than 200 bytes: say whose key it is")
	case !slices.Contains([]string{RoleEditor, RoleHost, RoleAuthority}, h.Role):
		return fmt.Errorf("role is %.40q: write %s, %s or %s", h.Role, RoleEditor, RoleHost, RoleAuthority)
	}
	if h.Until != "" {
		if _, err := time.Parse(time.DateOnly, h.Until); err != nil {
			return fmt.Errorf("until is %.40q, a day such as 2026-11-23 is expected", h.Until)
		}
	}
	return nil
}

// Holder finds a key by its id; nil where it is not known.
func (t Trust) Holder(id string) *Holder {
	for i := range t.Keys {
		if t.Keys[i].ID == id {
			return &t.Keys[i]
		}
	}
	return nil
}

// Expired says whether the key might no longer seal on a day.
func (h Holder) Expired(day time.Time) bool {
	return h.Until != "" && day.UTC().Format(time.DateOnly) > h.Until
}

// Add returns the trust file with one more key.
func (t Trust) Add(h Holder) (Trust, error) {
	if err := h.check(); err != nil {
		return t, fmt.Errorf("%w: %w", ErrTrust, err)
	}
	if t.Holder(h.ID) != nil {
		return t, fmt.Errorf("%w: the key %.16s is known already", ErrTrust, h.ID)
	}
	return Trust{Format: 1, Keys: append(slices.Clone(t.Keys), h)}, nil
}

// Follow takes over a key's own statement that another one follows it: the new one
// is known under the same name and role, and the old one seals no longer after that day.
func (t Trust) Follow(statement []byte) (Trust, error) {
	_, sig, err := unpack(statement, rotationType)
	if err != nil {
		return t, err
	}
	old := t.Holder(sig.KeyID)
	if old == nil {
		return t, fmt.Errorf("%w: the statement is of a key that is not known here (%.16s)", ErrTrust, sig.KeyID)
	}
	public, err := ParsePublic([]byte(old.PublicKey))
	if err != nil {
		return t, err
	}
	body, err := Open(statement, rotationType, public)
	if err != nil {
		return t, err
	}
	var r rotation
	if err := exactly(body, &r); err != nil {
		return t, fmt.Errorf("%w: %w", ErrEnvelope, err)
	}
	next, err := ParsePublic([]byte(r.New))
	if err != nil {
		return t, err
	}
	at, err := time.Parse(time.RFC3339, r.At)
	if err != nil || r.Old != old.ID {
		return t, fmt.Errorf("%w: it does not say which key goes, and when", ErrEnvelope)
	}
	if old.FollowedBy != "" || old.Expired(at) {
		return t, fmt.Errorf("%w: the key %.16s had ended before %s", ErrTrust, old.ID, at.Format(time.DateOnly))
	}
	follower := *old
	follower.ID, follower.PublicKey, follower.Until, follower.FollowedBy = next.ID(), string(next.PEM()), "", ""
	out, err := t.Add(follower)
	if err != nil {
		return t, err
	}
	gone := out.Holder(old.ID)
	gone.Until, gone.FollowedBy = at.UTC().Format(time.DateOnly), next.ID()
	return out, nil
}

// WriteTrust writes a trust file whole or not at all.
func WriteTrust(path string, t Trust) error {
	t.Format = 1
	if t.Keys == nil {
		t.Keys = []Holder{}
	}
	b, err := json.MarshalIndent(t, "", "  ")
	if err != nil {
		return fmt.Errorf("%w: %w", ErrTrust, err)
	}
	tmp := path + ".part"
	err = os.WriteFile(tmp, append(b, '\n'), 0o644)
	if err == nil {
		err = os.Rename(tmp, path)
	}
	if err != nil {
		return fmt.Errorf("%w %s: %w", ErrTrust, path, plain(err))
	}
	return nil
}

// NewHolder describes a public key.
func NewHolder(p Public, name, role, siren string) Holder {
	return Holder{ID: p.ID(), PublicKey: string(p.PEM()), Name: name, Role: role, SIREN: siren}
}
