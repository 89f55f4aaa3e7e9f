package run

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/etalon-sante/etalon/suites/candidate"
)

// Files of a run folder that are for the authority only: they hold names of
// persons and their evidence. Nothing that everyone may read is judged from them.
const (
	personsFile    = "persons.json" // who stands behind «person-1»
	evidenceFolder = "evidence"     // declared evidence, as used
)

// persons is persons.json.
type persons struct {
	Format int `json:"format"`
	// Salt keeps the digest of the file, which the seal publishes, from confirming a
	// guessed name.
	Salt    string            `json:"salt"`
	Persons map[string]string `json:"persons"` // "person-1" -> name
}

// maskPersons takes the names of persons and of evidence files out of what is
// published of a manifest: who declared something is «person-1», in the order of
// the declarations, and a file goes by its content.
func maskPersons(c candidate.Candidate) (candidate.Candidate, persons) {
	who := persons{Format: 1, Persons: map[string]string{}}
	names := map[string]string{}
	c.Evidence = slices.Clone(c.Evidence)
	for i := range c.Evidence {
		e := &c.Evidence[i]
		if e.Author != "" && names[e.Author] == "" {
			id := fmt.Sprintf("person-%d", len(names)+1)
			names[e.Author], who.Persons[id] = "«"+id+"»", e.Author
		}
	}
	for i := range c.Evidence {
		e := &c.Evidence[i]
		for name, mask := range names {
			e.Statement, e.Role = without(e.Statement, name, mask), without(e.Role, name, mask)
		}
		e.Author = names[e.Author]
		if e.File != "" && e.SHA256 != "" {
			e.File = evidenceName(e.File, e.SHA256)
		}
	}
	return c, who
}

// without replaces a name where it stands as a word.
func without(text, name, mask string) string {
	if !strings.Contains(text, name) {
		return text
	}
	return regexp.MustCompile(`(^|[^\pL\pN])`+regexp.QuoteMeta(name)+`($|[^\pL\pN])`).ReplaceAllString(text, "${1}"+strings.ReplaceAll(mask, "$", "$$")+"${2}")
}

// evidenceName is the name of an evidence file in the run folder.
func evidenceName(file, digest string) string {
	ext := strings.ToLower(path.Ext(filepath.ToSlash(file)))
	if len(ext) < 2 || len(ext) > 8 || strings.Trim(ext[1:], "abcdefghijklmnopqrstuvwxyz0123456789") != "" {
		ext = ""
	}
	return evidenceFolder + "/" + digest[:16] + ext
}

// keepPersons leaves in the folder what is for the authority: who declared, and the
// files that were declared.
func (f *Folder) keepPersons(m *candidate.Manifest, masked candidate.Candidate, who persons) error {
	if err := f.clearAuthority(); err != nil {
		return err
	}
	if len(who.Persons) > 0 {
		salt := make([]byte, 16)
		_, _ = rand.Read(salt) // never fails since Go 1.24
		who.Salt = hex.EncodeToString(salt)
		if err := f.PutJSON(personsFile, who); err != nil {
			return err
		}
	}
	for i, e := range m.Candidate.Evidence {
		to := masked.Evidence[i].File
		if e.File == "" || !isEvidence(to) {
			continue
		}
		b, err := os.ReadFile(filepath.Join(m.Folder, e.File))
		if err != nil {
			return fmt.Errorf("keep the evidence of %s: %w", e.Requirement, err)
		}
		if digestOf(b) != e.SHA256 {
			return fmt.Errorf("keep the evidence of %s: %s changed while the run was prepared; run again", e.Requirement, e.File)
		}
		if err := os.MkdirAll(filepath.Join(f.Path, evidenceFolder), 0o755); err != nil {
			return fmt.Errorf("keep the evidence of %s: %w", e.Requirement, err)
		}
		if err := f.Put(to, b); err != nil {
			return err
		}
	}
	return nil
}

// isEvidence says whether a name is one that keepPersons gives.
func isEvidence(name string) bool {
	return regexp.MustCompile(`^evidence/[0-9a-f]{16}(\.[a-z0-9]{1,7})?$`).MatchString(name)
}

// evidenceFiles names the evidence kept in a folder.
func evidenceFiles(folder string) ([]string, error) {
	entries, err := within(folder, evidenceFolder)
	if err != nil {
		return nil, fmt.Errorf("list the evidence: %w", err)
	}
	var out []string
	for _, e := range entries {
		if name := evidenceFolder + "/" + e.Name(); e.Type().IsRegular() && isEvidence(name) {
			out = append(out, name)
		}
	}
	return out, nil
}

// clearAuthority removes what an earlier run left for the authority.
func (f *Folder) clearAuthority() error {
	names, err := evidenceFiles(f.Path)
	if err != nil {
		return err
	}
	for _, name := range append(names, personsFile) {
		if err := os.Remove(filepath.Join(f.Path, filepath.FromSlash(name))); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("replace what is for the authority: %w", err)
		}
	}
	_ = os.Remove(filepath.Join(f.Path, evidenceFolder)) // only where nothing is left in it
	return nil
}

// reviewer is how the report names who took a decision: «reviewer-1», in the order
// of the file of decisions, which is for the authority.
func (r Recorded) reviewer(author string) string {
	var seen []string
	for _, d := range r.Decisions {
		if !slices.Contains(seen, d.Author) {
			seen = append(seen, d.Author)
		}
	}
	return fmt.Sprintf("«reviewer-%d»", slices.Index(seen, author)+1)
}

// reviewers counts who decided something.
func (r Recorded) reviewers() int {
	seen := map[string]bool{}
	for _, d := range r.Decisions {
		seen[d.Author] = true
	}
	return len(seen)
}
