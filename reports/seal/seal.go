// Package seal signs what a run leaves and checks it, offline.
//
// A seal is an in-toto statement (test-result predicate, version 0.1) in a DSSE
// envelope, signed with Ed25519 and written canonically (RFC 8785). Its subjects
// are the files of the run folder, each with its SHA-256 and its level; its
// configuration names what the verdicts depend on. It says which bytes belong
// together and whose key says so, and nothing about what the bytes mean: whoever
// doubts a verdict judges the journal again.
package seal

import (
	"cmp"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/etalon-sante/etalon/reports"
)

// The files of a seal, in the run folder.
const (
	Folder        = "seal"
	StatementFile = "seal/statement.json" // the DSSE envelope
	KeyFile       = "seal/key.pem"        // the public key it is signed with
	WithheldFile  = "seal/withheld.json"  // in a copy: what was left out, signed
)

// Names of the forms, from their specifications (in-toto attestation v1).
const (
	mediaType     = "application/vnd.in-toto+json"
	statementType = "https://in-toto.io/Statement/v1"
	predicateType = "https://in-toto.io/attestation/test-result/v0.1"
)

// maxSubjects bounds the files of one run.
const maxSubjects = 10_000

// Level says for whom a file is.
type Level string

// The levels. What is for the authority holds evidence and names of persons, and
// stays out of a published copy.
const (
	Everyone  Level = "public"
	Authority Level = "authority"
)

// Statement is an in-toto statement about a run.
type Statement struct {
	Type          string    `json:"_type"`
	Subject       []Subject `json:"subject"`
	PredicateType string    `json:"predicateType"`
	Predicate     Predicate `json:"predicate"`
}

// Subject is a file of the run folder.
type Subject struct {
	Name        string      `json:"name"` // slashes, relative to the folder
	Digest      Digest      `json:"digest"`
	Annotations Annotations `json:"annotations"` // level, size in bytes
}

// Digest is a set of digests by algorithm, in hexadecimal.
type Digest map[string]string

// Annotations are facts about a resource, as text.
type Annotations map[string]string

// Predicate is the test-result predicate. Whatever is not conformant is FAILED: a
// reader who knows in-toto only must not take "inconclusive" for passed.
type Predicate struct {
	Result        string     `json:"result"` // PASSED or FAILED
	Configuration []Resource `json:"configuration"`
	PassedTests   []string   `json:"passedTests"` // ids of checks
	WarnedTests   []string   `json:"warnedTests"` // deviations, and what a person must decide
	FailedTests   []string   `json:"failedTests"` // nonconformant, or our error; untested ones are in no list
}

// Resource is something that the verdicts depend on.
type Resource struct {
	Name        string      `json:"name"`
	Digest      Digest      `json:"digest,omitempty"`
	Annotations Annotations `json:"annotations,omitempty"`
}

// File is a file to be sealed.
type File struct {
	Name  string
	Level Level
}

// Material is what a seal binds.
type Material struct {
	Report reports.Report
	Files  []File
	Bound  []Resource // beside the run itself: harness, catalogue, sandbox…
	At     time.Time
}

// ErrName says that a name cannot be one of a file of a run folder.
var ErrName = errors.New("no name of a file in the folder")

// goodName refuses names that lead out of the folder, or that two systems read
// differently.
func goodName(name string) error {
	if name == "" || len(name) > 300 || !fs.ValidPath(name) || strings.ContainsAny(name, "\\:\x00") || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return fmt.Errorf("%w: %.80q", ErrName, name)
	}
	return nil
}

// Write seals a folder: it weighs the files, signs, and leaves the seal in it, the
// statement last, so that a seal that was cut short is none.
func Write(dir string, m Material, k Key) error {
	s, err := state(dir, m)
	if err != nil {
		return fmt.Errorf("seal %s: %w", filepath.Base(dir), err)
	}
	envelope, err := Sign(mediaType, s, k)
	if err != nil {
		return err
	}
	if err := Remove(dir); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(dir, Folder), 0o755); err != nil {
		return fmt.Errorf("write the seal: %w", err)
	}
	err = put(dir, KeyFile, k.Public().PEM())
	if err == nil {
		err = put(dir, StatementFile, envelope)
	}
	if err != nil {
		return errors.Join(err, Remove(dir))
	}
	return nil
}

// Remove takes a seal away; what others keep in that folder stays.
func Remove(dir string) error {
	for _, name := range []string{StatementFile, KeyFile, WithheldFile} {
		if err := os.Remove(filepath.Join(dir, filepath.FromSlash(name))); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove the seal: %w", err)
		}
	}
	_ = os.Remove(filepath.Join(dir, Folder)) // only where nothing is left in it
	return nil
}

// put writes a file whole or not at all.
func put(dir, name string, content []byte) error {
	to := filepath.Join(dir, filepath.FromSlash(name))
	tmp := to + ".part"
	err := os.WriteFile(tmp, content, 0o644)
	if err == nil {
		err = os.Rename(tmp, to)
	}
	if err != nil {
		_ = os.Remove(tmp)
		return fmt.Errorf("write %s: %w", name, err)
	}
	return nil
}

// state makes the statement about the files as they stand on the disk.
func state(dir string, m Material) (Statement, error) {
	if len(m.Files) > maxSubjects {
		return Statement{}, fmt.Errorf("%d files, more than the %d that a seal names", len(m.Files), maxSubjects)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return Statement{}, err
	}
	defer root.Close()
	out := Statement{Type: statementType, PredicateType: predicateType, Predicate: predicate(m)}
	seen := map[string]bool{}
	for _, f := range m.Files {
		if err := goodName(f.Name); err != nil {
			return Statement{}, err
		}
		if seen[f.Name] || path.Dir(f.Name) == Folder {
			return Statement{}, fmt.Errorf("%w: %s is named twice, or is of the seal itself", ErrName, f.Name)
		}
		seen[f.Name] = true
		sum, size, err := weigh(root, f.Name)
		if err != nil {
			return Statement{}, err
		}
		out.Subject = append(out.Subject, Subject{
			Name: f.Name, Digest: Digest{"sha256": hex.EncodeToString(sum)},
			Annotations: Annotations{"level": string(f.Level), "size": strconv.FormatInt(size, 10)},
		})
	}
	slices.SortFunc(out.Subject, func(a, b Subject) int { return cmp.Compare(a.Name, b.Name) })
	return out, nil
}

func predicate(m Material) Predicate {
	r := m.Report
	p := Predicate{Result: "FAILED", PassedTests: []string{}, WarnedTests: []string{}, FailedTests: []string{}}
	if r.Verdict == reports.RunConformant {
		p.Result = "PASSED"
	}
	for _, res := range r.Results {
		for _, c := range res.Checks {
			switch c.Verdict {
			case reports.Conformant:
				p.PassedTests = append(p.PassedTests, c.ID)
			case reports.Deviation, reports.ToReview:
				p.WarnedTests = append(p.WarnedTests, c.ID)
			case reports.Nonconformant, reports.Error:
				p.FailedTests = append(p.FailedTests, c.ID)
			}
		}
	}
	p.Configuration = append([]Resource{{Name: "run", Annotations: Annotations{
		"id": r.Run.ID, "started": r.Run.Started.UTC().Format(time.RFC3339Nano), "seed": strconv.FormatInt(r.Run.Seed, 10),
		"verdict": string(r.Verdict), "exitCode": strconv.Itoa(r.ExitCode), "witness": r.Run.Witness,
		"sealed": m.At.UTC().Truncate(time.Second).Format(time.RFC3339),
	}}}, m.Bound...)
	return p
}
