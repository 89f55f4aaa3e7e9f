package requirement

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"strings"
	"sync"
)

//go:embed catalogue/*.yaml
var files embed.FS

// Catalogue is the registry, loaded and validated. Nothing changes it after.
type Catalogue struct {
	Version      string        // "2026-11": year and month of the last change of substance
	Chapters     []Chapter     // in the order of the catalogue
	Documents    []Document    // what requirements cite, in the order of sources.yaml
	Requirements []Requirement // in the order of the chapters

	digest       string
	requirements map[string]int
	checks       map[string]place
}

type place struct{ requirement, check int }

// Chapter is one file of requirements.
type Chapter struct {
	Key   string `json:"key"` // the file's name without extension
	Title Text   `json:"title"`
}

// Document is a text that requirements cite. Its title stays in its language.
type Document struct {
	Key      string `yaml:"key" json:"key"`
	Document string `yaml:"document" json:"document"`
	Link     string `yaml:"link,omitempty" json:"link,omitempty"`
	Note     Text   `yaml:"note" json:"note"` // what was read of it, and what it weighs
}

// Problem is one thing wrong in a file of the catalogue or in a profile.
type Problem struct {
	File    string
	Line    int // from 1; 0 when the file as a whole is meant
	Message string
}

func (p Problem) String() string {
	if p.Line == 0 {
		return p.File + ": " + p.Message
	}
	return fmt.Sprintf("%s:%d: %s", p.File, p.Line, p.Message)
}

// LoadError holds all that is wrong in a catalogue or in a profile.
type LoadError struct{ Problems []Problem }

func (e *LoadError) Error() string {
	lines := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// Load gives the catalogue that this build bears, read once for the process.
// What is wrong in it is a *LoadError.
func Load() (*Catalogue, error) { return builtin() }

var builtin = sync.OnceValues(func() (*Catalogue, error) { return LoadFS(files, "catalogue") }) //nolint:gochecknoglobals // what a build bears does not change

// LoadFS reads a catalogue from a directory. What is wrong in it is a
// *LoadError.
func LoadFS(fsys fs.FS, dir string) (*Catalogue, error) {
	l := &loader{
		fsys:      fsys,
		dir:       dir,
		sum:       sha256.New(),
		documents: map[string]Document{},
		cited:     map[string]bool{},
		phrased:   map[string]bool{},
		first:     map[string]string{},
	}
	c := l.load()
	if len(l.problems) > 0 {
		return nil, fmt.Errorf("load the catalogue: %w", &LoadError{Problems: l.problems})
	}
	c.digest = hex.EncodeToString(l.sum.Sum(nil))
	return c, nil
}

// Digest is the SHA-256, in hexadecimal, of the files of the catalogue: name,
// length and bytes of each, in the order in which the index names them.
func (c *Catalogue) Digest() string { return c.digest }

// Requirement gives the requirement of an id.
func (c *Catalogue) Requirement(id string) (Requirement, bool) {
	i, ok := c.requirements[id]
	if !ok {
		return Requirement{}, false
	}
	return c.Requirements[i], true
}

// Check gives the check of an id, and the requirement that it judges.
func (c *Catalogue) Check(id string) (Requirement, Check, bool) {
	p, ok := c.checks[id]
	if !ok {
		return Requirement{}, Check{}, false
	}
	r := c.Requirements[p.requirement]
	return r, r.Checks[p.check], true
}

// Checks gives every check, in the order of the catalogue.
func (c *Catalogue) Checks() []Check {
	out := make([]Check, 0, len(c.checks))
	for _, r := range c.Requirements {
		out = append(out, r.Checks...)
	}
	return out
}

// index makes ids findable.
func (c *Catalogue) index() {
	c.requirements = make(map[string]int, len(c.Requirements))
	c.checks = map[string]place{}
	for i, r := range c.Requirements {
		c.requirements[r.ID] = i
		for j, k := range r.Checks {
			c.checks[k.ID] = place{requirement: i, check: j}
		}
	}
}
