package requirement

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path"

	"github.com/etalon-sante/etalon/suites/requirement/yamlsafe"
)

// Profile says which requirements decide the exit code of a run. Ours is named
// étalon; an authority can bring its own. Blocking is a choice of the profile,
// it is not the level that a source gives.
type Profile struct {
	Name   string
	Note   Text
	Digest string // SHA-256 of the file, in hexadecimal

	blocking map[string]bool
}

type profileYAML struct {
	Name     string   `yaml:"name"`
	Note     Text     `yaml:"note"`
	Blocking []string `yaml:"blocking"`
}

// DefaultProfile reads the profile that this build bears. What is wrong in it
// is a *LoadError.
func DefaultProfile(c *Catalogue) (*Profile, error) {
	file := path.Join("catalogue", profileFile)
	data, err := files.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read the profile of this build: %w", err)
	}
	return ParseProfile(c, file, data)
}

// LoadProfile reads a profile from a file. What is wrong in it is a *LoadError.
func LoadProfile(c *Catalogue, file string) (*Profile, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("read the profile: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, yamlsafe.MaxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("read the profile: %w", err)
	}
	return ParseProfile(c, file, data)
}

// ParseProfile reads a profile from its bytes; file is the name that errors
// bear. A profile that blocks nothing is refused: every run under it would be
// conformant.
func ParseProfile(c *Catalogue, file string, data []byte) (*Profile, error) {
	var y profileYAML
	node, problems := decode(file, data, &y)
	complain := func(at int, format string, args ...any) {
		problems = append(problems, Problem{File: file, Line: at, Message: fmt.Sprintf(format, args...)})
	}
	sum := sha256.Sum256(data)
	p := &Profile{Name: y.Name, Note: y.Note, Digest: hex.EncodeToString(sum[:]), blocking: map[string]bool{}}
	if node != nil {
		if y.Name == "" {
			complain(line(node, "name"), "the profile has no name: write one in the field name")
		}
		if y.Note.FR == "" || y.Note.EN == "" {
			complain(line(node, "note"), "the profile does not say what it is: write its note in French (fr) and in English (en)")
		}
		if len(y.Blocking) == 0 {
			complain(line(node, "blocking"), "the profile blocks nothing, so that every run would be conformant: name at least one requirement under blocking")
		}
		for i, id := range y.Blocking {
			at := line(node, "blocking", i)
			r, known := c.Requirement(id)
			switch {
			case !known:
				complain(at, "the requirement %q is not in catalogue %s: correct the id (etalon requirements list shows them)", id, c.Version)
			case r.Verification == "excluded":
				complain(at, "the requirement %s is excluded and judged by no one: take it out of the profile", id)
			case p.blocking[id]:
				complain(at, "the requirement %s stands twice: keep one", id)
			}
			p.blocking[id] = true
		}
	}
	if len(problems) > 0 {
		return nil, fmt.Errorf("load the profile: %w", &LoadError{Problems: problems})
	}
	return p, nil
}

// Blocking says whether a requirement decides the exit code.
func (p *Profile) Blocking(id string) bool { return p.blocking[id] }

// IDs gives the requirements that decide the exit code, sorted.
func (p *Profile) IDs() []string { return sortedKeys(p.blocking) }
