// Package requirement is the registry: what is required of a service, where it
// is written, and by which checks it is judged. Requirements are data; this
// package loads, validates and queries them.
package requirement

// Text is a sentence in the two languages of the project.
type Text struct {
	FR string `yaml:"fr" json:"fr"`
	EN string `yaml:"en" json:"en"`
}

// Source is a place where a requirement, or what it rests on, is written.
type Source struct {
	Key      string `yaml:"key" json:"key"`          // of sources.yaml
	Section  string `yaml:"section" json:"section"`  //
	Basis    string `yaml:"basis" json:"basis"`      // stated, derived, assumed
	Document string `yaml:"-" json:"document"`       // filled from sources.yaml
	Link     string `yaml:"-" json:"link,omitempty"` // filled from sources.yaml
}

// Check is one automatic check: a leaf of the suites bears its id.
type Check struct {
	ID      string `yaml:"id" json:"id"`
	Title   Text   `yaml:"title" json:"title"`
	Witness string `yaml:"witness" json:"witness"`                     // sandbox, candidate, harness
	Assumes string `yaml:"assumes,omitempty" json:"assumes,omitempty"` // key of the assumed setting on which it rests: what it finds is a deviation
	Act     Text   `yaml:"act" json:"act"`                             // what would create the occasion, for "untested"
}

// Requirement is one row of the catalogue.
type Requirement struct {
	ID           string   `yaml:"id" json:"id"`
	Title        Text     `yaml:"title" json:"title"`
	Statement    Text     `yaml:"statement" json:"statement"`
	Why          Text     `yaml:"why" json:"why"`
	Fix          Text     `yaml:"fix" json:"fix"`
	Theme        string   `yaml:"theme" json:"theme"`   // interop, security, ethics, governance
	Family       string   `yaml:"family" json:"family"` // technical, urbanisation, ethics, security, content
	Level        string   `yaml:"level" json:"level"`   // mandatory, recommended, informative, unknown
	LevelBasis   Text     `yaml:"levelBasis" json:"levelBasis"`
	Applies      string   `yaml:"applies,omitempty" json:"applies"` // CEL over the candidate; empty: always
	From         string   `yaml:"from,omitempty" json:"from"`       // in force from, 2006-01-02
	Until        string   `yaml:"until,omitempty" json:"until"`     // in force until, included
	Phase        string   `yaml:"phase,omitempty" json:"phase"`     // pilot, generalisation; empty: both
	Sources      []Source `yaml:"sources" json:"sources"`
	Verification string   `yaml:"verification" json:"verification"`            // automatic, assisted, declared, excluded
	Question     Text     `yaml:"question,omitempty" json:"question,omitzero"` // what a person is to look at and decide, when verification is assisted
	Excluded     Text     `yaml:"excluded,omitempty" json:"excluded,omitzero"` // reason, when verification is excluded
	Formerly     []string `yaml:"formerly,omitempty" json:"formerly"`
	Checks       []Check  `yaml:"checks,omitempty" json:"checks"`
	Chapter      string   `yaml:"-" json:"chapter"` // the file it stands in, without extension
}
