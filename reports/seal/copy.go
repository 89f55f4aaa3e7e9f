package seal

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
)

// withheldType is the media type of the list of what a copy leaves out.
const withheldType = "application/vnd.etalon.withheld+json"

// withheld is the signed list of what a copy leaves out.
type withheld struct {
	Statement string   `json:"statement"` // SHA-256 of the sealed statement's file, in hexadecimal
	Files     []string `json:"files"`
}

// ErrCopy says that a copy could not be made of a folder as it is.
var ErrCopy = errors.New("no copy")

// Copy leaves in to what may be read at a level: every sealed file of that level,
// the seal as it is, and a signed list of what is withheld. Files that the seal
// does not name stay behind. The folder must hold, and k must be the key of its seal.
func Copy(from, to string, level Level, k Key) (left []string, err error) {
	v, err := Verify(from, Trust{})
	if err != nil {
		return nil, err
	}
	switch {
	case !v.Holds():
		return nil, fmt.Errorf("%w: %s", ErrCopy, v.Problems[0].Text.EN)
	case v.Key != k.Public().ID():
		return nil, fmt.Errorf("%w: the folder is sealed with the key %.16s, not with yours (%.16s)", ErrCopy, v.Key, k.Public().ID())
	}
	if names, err := os.ReadDir(to); err == nil && len(names) > 0 {
		return nil, fmt.Errorf("%w: %s is not empty", ErrCopy, filepath.Base(to))
	}
	root, err := os.OpenRoot(from)
	if err != nil {
		return nil, fmt.Errorf("copy a sealed folder: %w", err)
	}
	defer root.Close()
	names := []string{KeyFile}
	left = slices.Clone(v.Withheld)
	for _, f := range v.Statement.Subject {
		switch {
		case v.Withholds(f.Name):
		case level == Everyone && Level(f.Annotations["level"]) != Everyone:
			left = append(left, f.Name)
		default:
			names = append(names, f.Name)
		}
	}
	slices.Sort(left)
	for _, name := range append(names, StatementFile) {
		if err := copyFile(root, to, name); err != nil {
			return nil, fmt.Errorf("copy %s: %w", name, err)
		}
	}
	if len(left) == 0 {
		return []string{}, nil
	}
	envelope, err := readBounded(root, StatementFile, maxEnvelope)
	if err != nil {
		return nil, fmt.Errorf("copy %s: %w", StatementFile, err)
	}
	sum := sha256.Sum256(envelope)
	list, err := Sign(withheldType, withheld{Statement: hex.EncodeToString(sum[:]), Files: left}, k)
	if err != nil {
		return nil, err
	}
	return left, put(to, WithheldFile, list)
}

func copyFile(root *os.Root, to, name string) error {
	in, err := regular(root, name)
	if err != nil {
		return err
	}
	defer in.Close()
	at := filepath.Join(to, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
		return err
	}
	out, err := os.OpenFile(at, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

// readWithheld verifies the list of what a copy leaves out: by the same key, about
// this very statement, and of files for the authority only.
func readWithheld(root *os.Root, p Public, envelope []byte, s Statement) ([]string, error) {
	b, err := readBounded(root, WithheldFile, maxEnvelope)
	if err != nil {
		return nil, err
	}
	body, err := Open(b, withheldType, p)
	if err != nil {
		return nil, err
	}
	var list withheld
	if err := exactly(body, &list); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrEnvelope, err)
	}
	sum := sha256.Sum256(envelope)
	if list.Statement != hex.EncodeToString(sum[:]) {
		return nil, fmt.Errorf("%w: it is about another seal", ErrEnvelope)
	}
	for _, name := range list.Files {
		i := slices.IndexFunc(s.Subject, func(f Subject) bool { return f.Name == name })
		if i < 0 || Level(s.Subject[i].Annotations["level"]) != Authority {
			return nil, fmt.Errorf("%w: %.80q may not be withheld", ErrEnvelope, name)
		}
	}
	return list.Files, nil
}
