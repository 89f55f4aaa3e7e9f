package requirement

import (
	"errors"
	"fmt"
	"hash"
	"io/fs"
	"path"
	"regexp"
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/etalon-sante/etalon/suites/requirement/yamlsafe"
)

// The files that are not chapters.
const (
	indexFile   = "catalogue.yaml"
	sourcesFile = "sources.yaml"
	phrasesFile = "phrases.yaml"
	profileFile = "profile-etalon.yaml"
)

// indexYAML is catalogue.yaml: the version, and the chapters in their order.
type indexYAML struct {
	Version  string   `yaml:"version"`
	Chapters []string `yaml:"chapters"`
}

// sourcesYAML is sources.yaml: the documents that requirements cite.
type sourcesYAML struct {
	Sources []Document `yaml:"sources"`
}

// phrasesYAML is phrases.yaml: sentences that many rows share, by key.
type phrasesYAML struct {
	LevelBases map[string]Text `yaml:"levelBases"`
	Acts       map[string]Text `yaml:"acts"`
}

// chapterYAML is a chapter. It says once, in defaults, what its requirements
// share, as a requirement says once, in act, what its checks share.
type chapterYAML struct {
	Title        Text              `yaml:"title"`
	Defaults     defaultsYAML      `yaml:"defaults"`
	Requirements []requirementYAML `yaml:"requirements"`
}

type defaultsYAML struct {
	Theme        string `yaml:"theme"`
	Family       string `yaml:"family"`
	Level        string `yaml:"level"`
	LevelBasis   string `yaml:"levelBasis"`
	Applies      string `yaml:"applies"`
	Verification string `yaml:"verification"`
}

type requirementYAML struct {
	ID           string      `yaml:"id"`
	Title        Text        `yaml:"title"`
	Statement    Text        `yaml:"statement"`
	Why          Text        `yaml:"why"`
	Fix          Text        `yaml:"fix"`
	Theme        string      `yaml:"theme"`
	Family       string      `yaml:"family"`
	Level        string      `yaml:"level"`
	LevelBasis   string      `yaml:"levelBasis"` // key of phrases.yaml
	Applies      *string     `yaml:"applies"`    // an empty one says "always", whatever the chapter's default
	From         string      `yaml:"from"`
	Until        string      `yaml:"until"`
	Phase        string      `yaml:"phase"`
	Sources      []Source    `yaml:"sources"`
	Verification string      `yaml:"verification"`
	Question     Text        `yaml:"question"`
	Excluded     Text        `yaml:"excluded"`
	Formerly     []string    `yaml:"formerly"`
	Act          string      `yaml:"act"` // key of phrases.yaml, for the checks that name none
	Checks       []checkYAML `yaml:"checks"`
}

type checkYAML struct {
	ID      string `yaml:"id"`
	Title   Text   `yaml:"title"`
	Witness string `yaml:"witness"`
	Assumes string `yaml:"assumes"`
	Act     string `yaml:"act"`
}

// loader reads the files of a catalogue, and goes on after a problem, so that
// one reading tells them all.
type loader struct {
	fsys      fs.FS
	dir       string
	sum       hash.Hash
	problems  []Problem
	documents map[string]Document
	phrases   phrasesYAML
	cited     map[string]bool   // keys of documents that a requirement cites
	phrased   map[string]bool   // keys of phrases that something uses
	first     map[string]string // id -> where it stands first
}

func (l *loader) complain(file string, line int, format string, args ...any) {
	l.problems = append(l.problems, Problem{File: path.Join(l.dir, file), Line: line, Message: fmt.Sprintf(format, args...)})
}

func (l *loader) load() *Catalogue {
	c := &Catalogue{}
	var index indexYAML
	root := l.read(indexFile, &index)
	if root == nil {
		return c
	}
	c.Version = index.Version
	if !regexp.MustCompile(`^20\d\d-(0[1-9]|1[0-2])$`).MatchString(index.Version) {
		l.complain(indexFile, line(root, "version"), "the version %q is not a year and a month: write it as 2026-11", index.Version)
	}
	if len(index.Chapters) == 0 {
		l.complain(indexFile, line(root, "chapters"), "no chapter is named: name at least one")
	}
	c.Documents = l.sources()
	l.readPhrases()
	for i, key := range index.Chapters {
		if slices.Index(index.Chapters, key) != i {
			l.complain(indexFile, line(root, "chapters", i), "the chapter %q is named twice: keep one", key)
			continue
		}
		l.chapter(c, key)
	}
	l.foreign(index.Chapters)
	l.unused()
	c.index()
	return c
}

// read decodes one file; it gives nil when the file could not be read.
func (l *loader) read(name string, out any) *yaml.Node {
	data, err := fs.ReadFile(l.fsys, path.Join(l.dir, name))
	if err != nil {
		l.complain(name, 0, "the file cannot be read (%v): restore it or take its name out of %s", reason(err), indexFile)
		return nil
	}
	fmt.Fprintf(l.sum, "%s %d\n", name, len(data))
	l.sum.Write(data)
	node, problems := decode(path.Join(l.dir, name), data, out)
	l.problems = append(l.problems, problems...)
	return node
}

// decode reads strict YAML; it gives nil with problems when it could not.
func decode(file string, data []byte, out any) (*yaml.Node, []Problem) {
	node, err := yamlsafe.Parse(data)
	if err == nil {
		err = yamlsafe.DecodeNode(node, out)
	}
	if err == nil {
		return node, nil
	}
	var e *yamlsafe.Error
	if !errors.As(err, &e) {
		return nil, []Problem{{File: file, Message: err.Error()}}
	}
	var problems []Problem
	for _, p := range e.Problems {
		problems = append(problems, Problem{File: file, Line: p.Line, Message: p.Message})
	}
	return nil, problems
}

// reason leaves the path out of an error: the problem bears it already.
func reason(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

func line(n *yaml.Node, path ...any) int { return yamlsafe.Find(n, path...).Line }

func (l *loader) sources() []Document {
	var s sourcesYAML
	root := l.read(sourcesFile, &s)
	if root == nil {
		return nil
	}
	for i, d := range s.Sources {
		at := line(root, "sources", i, "key")
		if !isKey(d.Key) {
			l.complain(sourcesFile, at, "the source has no usable key (%q): give it one in lower case, such as rfc-6749", d.Key)
			continue
		}
		if _, twice := l.documents[d.Key]; twice {
			l.complain(sourcesFile, at, "the source %s stands twice: keep one", d.Key)
		}
		if d.Document == "" {
			l.complain(sourcesFile, at, "the source %s has no title: write the document's title in the field document", d.Key)
		}
		if d.Link != "" && !isLink(d.Link) {
			l.complain(sourcesFile, line(root, "sources", i, "link"), "the link %q is not an https address: correct it or remove it", d.Link)
		}
		l.text(sourcesFile, root, d.Note, "the source "+d.Key, "sources", i, "note")
		l.documents[d.Key] = d
	}
	return s.Sources
}

func (l *loader) readPhrases() {
	root := l.read(phrasesFile, &l.phrases)
	if root == nil {
		return
	}
	for _, key := range sortedKeys(l.phrases.LevelBases) {
		l.text(phrasesFile, root, l.phrases.LevelBases[key], "the basis "+key, "levelBases", key)
	}
	for _, key := range sortedKeys(l.phrases.Acts) {
		l.text(phrasesFile, root, l.phrases.Acts[key], "the act "+key, "acts", key)
	}
}

// foreign refuses files that nothing would read: a chapter that was forgotten
// in the index would silently judge nothing.
func (l *loader) foreign(chapters []string) {
	entries, err := fs.ReadDir(l.fsys, l.dir)
	if err != nil {
		l.complain("", 0, "the folder cannot be listed (%v): check that it exists", reason(err))
		return
	}
	for _, e := range entries {
		name := e.Name()
		switch name {
		case indexFile, sourcesFile, phrasesFile, profileFile:
			continue
		}
		key, isYAML := cutExt(name)
		if isYAML && !slices.Contains(chapters, key) {
			l.complain(name, 0, "no chapter of %s bears this name: add it there or remove the file", indexFile)
		}
	}
}

// unused refuses sources and phrases that nothing refers to: they are what is
// left of a row that was removed, or a key that was mistyped elsewhere.
func (l *loader) unused() {
	if len(l.problems) > 0 {
		return
	}
	for _, key := range sortedKeys(l.documents) {
		if !l.cited[key] {
			l.complain(sourcesFile, 0, "no requirement cites the source %s: cite it or remove it", key)
		}
	}
	for _, key := range sortedKeys(l.phrases.LevelBases) {
		if !l.phrased["basis "+key] {
			l.complain(phrasesFile, 0, "nothing uses the basis %s: use it or remove it", key)
		}
	}
	for _, key := range sortedKeys(l.phrases.Acts) {
		if !l.phrased["act "+key] {
			l.complain(phrasesFile, 0, "nothing uses the act %s: use it or remove it", key)
		}
	}
}
