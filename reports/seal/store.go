package seal

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// rotationType is the media type of the statement that one key follows another.
const rotationType = "application/vnd.etalon.key-rotation+json"

// Store keeps the keys of one user in a folder: <id>.key, readable by him alone,
// and the name of the one in use in "current".
type Store struct{ dir string }

// ErrNoKey says that a store holds no key yet.
var ErrNoKey = errors.New("no key yet")

// OpenStore names the folder; nothing is read or made before it is needed.
func OpenStore(dir string) Store { return Store{dir} }

// rotation says, signed by the key that goes, which one comes.
type rotation struct {
	Old string `json:"old"` // id
	New string `json:"new"` // public key, PEM
	At  string `json:"at"`  // RFC 3339
}

// Current is the key in use; ErrNoKey where there is none.
func (s Store) Current() (Key, error) {
	b, err := os.ReadFile(filepath.Join(s.dir, "current"))
	if errors.Is(err, fs.ErrNotExist) {
		return Key{}, ErrNoKey
	}
	if err != nil {
		return Key{}, fmt.Errorf("read the key in use: %w", err)
	}
	id := strings.TrimSpace(string(b))
	if len(id) != 64 || strings.Trim(id, "0123456789abcdef") != "" {
		return Key{}, fmt.Errorf("read the key in use: %s does not name one; write the 64 characters of an id into it", filepath.Join(s.dir, "current"))
	}
	return s.read(id)
}

func (s Store) read(id string) (Key, error) {
	path := filepath.Join(s.dir, id+".key")
	st, err := os.Lstat(path)
	if err != nil {
		return Key{}, fmt.Errorf("read the key %.16s: %w", id, err)
	}
	if !st.Mode().IsRegular() || st.Size() > maxKey {
		return Key{}, fmt.Errorf("read the key %.16s: %s is no file of a key", id, path)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return Key{}, fmt.Errorf("read the key %.16s: %w", id, err)
	}
	k, err := ParseKey(b)
	if err == nil && k.Public().ID() != id {
		err = fmt.Errorf("%w: the file holds another", ErrKey)
	}
	if err != nil {
		return Key{}, fmt.Errorf("read the key %.16s: %w", id, err)
	}
	return k, nil
}

// Own is the key in use; where there is none, one is made. made tells so.
func (s Store) Own() (k Key, made bool, err error) {
	k, err = s.Current()
	if !errors.Is(err, ErrNoKey) {
		return k, false, err
	}
	if k, err = Generate(nil); err != nil {
		return Key{}, false, err
	}
	return k, true, s.keep(k)
}

// keep writes a key and puts it in use.
func (s Store) keep(k Key) error {
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return fmt.Errorf("keep a key: %w", err)
	}
	b, err := k.PEM()
	if err != nil {
		return err
	}
	id := k.Public().ID()
	if err := os.WriteFile(filepath.Join(s.dir, id+".key"), b, 0o600); err != nil {
		return fmt.Errorf("keep a key: %w", err)
	}
	return put(s.dir, "current", []byte(id+"\n"))
}

// Rotate makes a new key, has the old one say that it follows, and puts it in use.
// The old one is kept: what it sealed stays verifiable with its public half.
// statement is for those who trusted the old key.
func (s Store) Rotate(at time.Time) (k Key, statement []byte, err error) {
	old, err := s.Current()
	if err != nil {
		return Key{}, nil, err
	}
	if k, err = Generate(nil); err != nil {
		return Key{}, nil, err
	}
	statement, err = Sign(rotationType, rotation{
		Old: old.Public().ID(), New: string(k.Public().PEM()), At: at.UTC().Truncate(time.Second).Format(time.RFC3339),
	}, old)
	if err != nil {
		return Key{}, nil, err
	}
	if err := os.WriteFile(filepath.Join(s.dir, k.Public().ID()+".rotation.json"), statement, 0o644); err != nil {
		return Key{}, nil, fmt.Errorf("keep the statement of the old key: %w", err)
	}
	return k, statement, s.keep(k)
}
