package seal

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"sync"

	"github.com/etalon-sante/etalon/reports"
)

// maxEntries bounds what is looked at in a folder.
const maxEntries = 50_000

// Kinds of problem.
const (
	Unsealed = "unsealed" // there is no seal
	BadSeal  = "seal"     // the seal itself was changed, or is not one
	Missing  = "missing"  // a sealed file is not there
	Altered  = "altered"  // a sealed file is not the one that was sealed
	NotAFile = "link"     // a link, a folder or a device stands in its place
)

// Problem is one thing that is wrong with a sealed folder.
type Problem struct {
	Kind string       `json:"kind"`
	File string       `json:"file"` // the place, relative to the folder
	Text reports.Text `json:"text"`
}

// Verification is what a seal says, and whether it holds.
type Verification struct {
	Problems []Problem `json:"problems"` // none: every sealed byte is as it was signed
	Key      string    `json:"key"`      // id of the key; empty: no seal could be read
	Holder   *Holder   `json:"holder"`   // of that key, in the trust file; null: not known to it
	Sealed   int       `json:"sealed"`   // files that the seal names
	Withheld []string  `json:"withheld"` // files left out of a copy, as its signed list says
	Foreign  []string  `json:"foreign"`  // files in the folder that are not in the seal
	// Statement is what was signed; nil where none could be read.
	Statement *Statement `json:"-"`
}

// Holds says whether every sealed byte is as it was signed.
func (v Verification) Holds() bool { return len(v.Problems) == 0 }

// Withholds says whether a file was left out of this copy.
func (v Verification) Withholds(name string) bool { return slices.Contains(v.Withheld, name) }

// problem adds one.
func (v *Verification) problem(kind, file, fr, en string) {
	v.Problems = append(v.Problems, Problem{Kind: kind, File: file, Text: reports.Text{FR: fr, EN: en}})
}

// Verify checks the seal of a folder, offline. The error is for a folder that
// cannot be looked at; what is wrong with it stands in the Verification.
func Verify(dir string, trust Trust) (Verification, error) {
	v := Verification{Problems: []Problem{}, Withheld: []string{}, Foreign: []string{}}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return v, fmt.Errorf("verify: %w", err)
	}
	defer root.Close()
	files, err := listed(root)
	if err != nil {
		return v, fmt.Errorf("verify: %w", err)
	}
	if _, err := root.Lstat(StatementFile); err != nil {
		v.problem(Unsealed, StatementFile,
			"ce dossier n'est pas scellé : le scellement n'a pas eu lieu, ou le sceau a été retiré ; « etalon seal » scelle ce qui est là",
			"this folder is not sealed: sealing did not take place, or the seal was taken away; `etalon seal` seals what is there")
		v.Foreign = files
		return v, nil
	}
	public, err := readKey(root)
	if err != nil {
		v.problem(BadSeal, KeyFile, "la clé publique du sceau ne se lit pas : "+err.Error(), "the public key of the seal cannot be read: "+err.Error())
		return v, nil
	}
	v.Key = public.ID()
	v.Holder = trust.Holder(v.Key)
	s, envelope, err := readStatement(root, public)
	if err != nil {
		v.problem(BadSeal, StatementFile, "le sceau ne tient pas : "+err.Error(), "the seal does not hold: "+err.Error())
		return v, nil
	}
	v.Statement, v.Sealed = &s, len(s.Subject)
	if _, err := root.Lstat(WithheldFile); err == nil {
		list, err := readWithheld(root, public, envelope, s)
		if err != nil {
			v.problem(BadSeal, WithheldFile, "la liste des pièces retenues ne tient pas : "+err.Error(), "the list of what is withheld does not hold: "+err.Error())
			return v, nil
		}
		v.Withheld = list
	}
	v.compare(root, s)
	named := map[string]bool{StatementFile: true, KeyFile: true, WithheldFile: len(v.Withheld) > 0}
	for _, f := range s.Subject {
		named[f.Name] = true
	}
	for _, f := range files {
		if !named[f] {
			v.Foreign = append(v.Foreign, f)
		}
	}
	return v, nil
}

// compare weighs every sealed file that is to be there.
func (v *Verification) compare(root *os.Root, s Statement) {
	type outcome struct {
		sum  []byte
		size int64
		err  error
	}
	got := make([]outcome, len(s.Subject))
	var wg sync.WaitGroup
	gate := make(chan struct{}, 4)
	for i, f := range s.Subject {
		wg.Go(func() {
			gate <- struct{}{}
			defer func() { <-gate }()
			got[i].sum, got[i].size, got[i].err = weigh(root, f.Name)
		})
	}
	wg.Wait()
	for i, f := range s.Subject {
		o := got[i]
		switch {
		case v.Withholds(f.Name) && errors.Is(o.err, fs.ErrNotExist):
		case errors.Is(o.err, fs.ErrNotExist):
			v.problem(Missing, f.Name, "le fichier scellé "+f.Name+" manque", "the sealed file "+f.Name+" is missing")
		case o.err != nil:
			v.problem(NotAFile, f.Name, f.Name+" ne se lit pas comme un fichier ordinaire : "+o.err.Error(), f.Name+" cannot be read as a regular file: "+o.err.Error())
		case hex.EncodeToString(o.sum) != f.Digest["sha256"]:
			fr, en := "le fichier "+f.Name+" a été modifié depuis le scellement", "the file "+f.Name+" was changed since it was sealed"
			if size := strconv.FormatInt(o.size, 10); size != f.Annotations["size"] {
				fr += " : " + size + " octets au lieu de " + f.Annotations["size"]
				en += ": " + size + " bytes instead of " + f.Annotations["size"]
			}
			v.problem(Altered, f.Name, fr, en)
		}
	}
}

func readKey(root *os.Root) (Public, error) {
	b, err := readBounded(root, KeyFile, maxKey)
	if err != nil {
		return Public{}, err
	}
	return ParsePublic(b)
}

func readStatement(root *os.Root, p Public) (Statement, []byte, error) {
	envelope, err := readBounded(root, StatementFile, maxEnvelope)
	if err != nil {
		return Statement{}, nil, err
	}
	s, err := openStatement(envelope, p)
	return s, envelope, err
}

// openStatement verifies an envelope and reads the statement in it.
func openStatement(envelope []byte, p Public) (Statement, error) {
	var s Statement
	body, err := Open(envelope, mediaType, p)
	if err != nil {
		return s, err
	}
	if err := exactly(body, &s); err != nil {
		return s, fmt.Errorf("%w: %w", ErrEnvelope, err)
	}
	switch {
	case s.Type != statementType || s.PredicateType != predicateType:
		return s, fmt.Errorf("%w: of type %.80q about %.80q", ErrEnvelope, s.Type, s.PredicateType)
	case len(s.Subject) > maxSubjects:
		return s, fmt.Errorf("%w: it names %d files, more than %d", ErrEnvelope, len(s.Subject), maxSubjects)
	}
	seen := map[string]bool{}
	for _, f := range s.Subject {
		if err := goodName(f.Name); err != nil {
			return s, fmt.Errorf("%w: %w", ErrEnvelope, err)
		}
		if seen[f.Name] || len(f.Digest["sha256"]) != 2*sha256.Size || path.Dir(f.Name) == Folder {
			return s, fmt.Errorf("%w: what it says of %.80q cannot be used", ErrEnvelope, f.Name)
		}
		if l := Level(f.Annotations["level"]); l != Everyone && l != Authority {
			return s, fmt.Errorf("%w: %.80q is of no known level", ErrEnvelope, f.Name)
		}
		seen[f.Name] = true
	}
	return s, nil
}

// readBounded reads a regular file of the folder, no larger than most.
func readBounded(root *os.Root, name string, most int64) ([]byte, error) {
	f, err := regular(root, name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, most+1))
	if err == nil && int64(len(b)) > most {
		err = fmt.Errorf("more than %d bytes", most)
	}
	return b, err
}

// regular opens a file that is no link: not at its end, and none that leads out of
// the folder before (os.Root refuses those).
func regular(root *os.Root, name string) (*os.File, error) {
	st, err := root.Lstat(name)
	if err != nil {
		return nil, plain(err)
	}
	if !st.Mode().IsRegular() {
		return nil, errors.New("not a regular file")
	}
	f, err := root.Open(name)
	return f, plain(err)
}

// plain is an error without the path of this machine.
func plain(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

// weigh reads a file through once: SHA-256 and size in bytes.
func weigh(root *os.Root, name string) ([]byte, int64, error) {
	f, err := regular(root, name)
	if err != nil {
		return nil, 0, err
	}
	defer f.Close()
	h := sha256.New()
	n, err := io.Copy(h, f)
	return h.Sum(nil), n, plain(err)
}

// listed names every file of a folder that is no folder itself, in order.
func listed(root *os.Root) ([]string, error) {
	out := []string{}
	err := fs.WalkDir(root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return plain(err)
		}
		if !d.IsDir() {
			out = append(out, name)
		}
		if len(out) > maxEntries {
			return fmt.Errorf("more than %d files in the folder: it is no folder of a run", maxEntries)
		}
		return nil
	})
	return out, err
}

// MarshalJSON writes lists that are empty as [].
func (v Verification) MarshalJSON() ([]byte, error) {
	type bare Verification
	return json.Marshal(struct {
		Holds bool `json:"holds"`
		bare
	}{v.Holds(), bare(v)})
}
