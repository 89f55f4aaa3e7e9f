// Package yamlsafe decodes YAML that others wrote. YAML lets a small file ask
// for a lot of memory (aliases, nesting) or mean something else than it seems
// to (duplicate keys, tags, merges); what is refused here is refused before any
// value is built, with the line to look at.
package yamlsafe

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// The bounds of a document. They are those of every YAML file the project
// reads; the largest honest manifest seen is under 10 KiB and 8 levels.
const (
	MaxBytes    = 1 << 20 // bytes of a document
	MaxDepth    = 64      // levels of lists and mappings
	MaxNodes    = 100_000 // values, keys included
	MaxNumber   = 64      // characters of a number
	MaxExponent = 400     // absolute value of the exponent of a number
)

// Problem is one thing wrong in a document.
type Problem struct {
	Line    int // from 1; 0 when the problem is the document as a whole
	Column  int // from 1; 0 when not known
	Message string
}

func (p Problem) String() string {
	if p.Line == 0 {
		return p.Message
	}
	return fmt.Sprintf("line %d: %s", p.Line, p.Message)
}

// Error holds what is wrong in a document, in the order of its lines.
type Error struct{ Problems []Problem }

func (e *Error) Error() string {
	var b strings.Builder
	for i, p := range e.Problems {
		if i > 0 {
			b.WriteString("; ")
		}
		b.WriteString(p.String())
	}
	return b.String()
}

func fail(line, column int, format string, args ...any) *Error {
	return &Error{Problems: []Problem{{Line: line, Column: column, Message: fmt.Sprintf(format, args...)}}}
}

// Decode reads one YAML document into out: every field of it must be known to
// out, and nothing may follow it. Its errors are *Error.
func Decode(data []byte, out any) error {
	node, err := Parse(data)
	if err != nil {
		return err
	}
	return DecodeNode(node, out)
}

// DecodeNode reads a node that Parse gave into out, as strictly as Decode. The
// text is scanned once for both, which is most of the cost. Its errors are
// *Error.
func DecodeNode(node *yaml.Node, out any) (err error) {
	defer recovered(&err)
	var unknown Error
	known(node, reflect.TypeOf(out), &unknown)
	var wrong *Error
	if err := node.Decode(out); err != nil && !errors.As(readable(err), &wrong) {
		return err
	}
	if wrong != nil {
		unknown.Problems = append(unknown.Problems, wrong.Problems...)
	}
	if len(unknown.Problems) == 0 {
		return nil
	}
	slices.SortStableFunc(unknown.Problems, func(a, b Problem) int { return a.Line - b.Line })
	return &unknown
}

// known notes the fields of a node that its Go type does not have. The YAML
// package does so only while it reads text.
func known(n *yaml.Node, t reflect.Type, e *Error) {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if reflect.PointerTo(t).Implements(reflect.TypeFor[yaml.Unmarshaler]()) {
		return
	}
	switch {
	case n.Kind == yaml.SequenceNode && (t.Kind() == reflect.Slice || t.Kind() == reflect.Array):
		for _, c := range n.Content {
			known(c, t.Elem(), e)
		}
	case n.Kind == yaml.MappingNode && t.Kind() == reflect.Map:
		for i := 1; i < len(n.Content); i += 2 {
			known(n.Content[i], t.Elem(), e)
		}
	case n.Kind == yaml.MappingNode && t.Kind() == reflect.Struct:
		names, types := fields(t)
		for i := 0; i+1 < len(n.Content); i += 2 {
			key := n.Content[i]
			if ft, ok := types[key.Value]; ok {
				known(n.Content[i+1], ft, e)
				continue
			}
			e.Problems = append(e.Problems, Problem{
				Line: key.Line, Column: key.Column,
				Message: fmt.Sprintf("the field %q is not known here: correct its name or remove it (known: %s)", key.Value, strings.Join(names, ", ")),
			})
		}
	}
}

// fields gives the names under which a struct is written, and their types.
func fields(t reflect.Type) ([]string, map[string]reflect.Type) {
	var names []string
	types := map[string]reflect.Type{}
	for i := range t.NumField() {
		f := t.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		switch {
		case name == "-" || !f.IsExported():
			continue
		case strings.Contains(options, "inline") && f.Type.Kind() == reflect.Struct:
			more, inner := fields(f.Type)
			names = append(names, more...)
			maps.Copy(types, inner)
			continue
		case name == "":
			name = strings.ToLower(f.Name)
		}
		names = append(names, name)
		types[name] = f.Type
	}
	return names, types
}

// Parse reads one YAML document as a tree of nodes, which know their lines.
// The node returned is the value of the document, not the document. Its errors
// are *Error.
func Parse(data []byte) (node *yaml.Node, err error) {
	defer recovered(&err)
	if err := bounds(data); err != nil {
		return nil, err
	}
	d := yaml.NewDecoder(bytes.NewReader(data))
	var doc yaml.Node
	if err := d.Decode(&doc); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, fail(0, 0, "the file is empty: write at least one field")
		}
		return nil, readable(err)
	}
	var more yaml.Node
	switch err := d.Decode(&more); {
	case err == nil:
		return nil, fail(max(more.Line, 1), 0, "a second document begins here: keep one document in a file and remove the line \"---\"")
	case !errors.Is(err, io.EOF):
		return nil, readable(err)
	}
	if doc.Kind != yaml.DocumentNode || len(doc.Content) != 1 {
		return nil, fail(0, 0, "the file is empty: write at least one field")
	}
	w := walker{}
	if err := w.walk(doc.Content[0], 1); err != nil {
		return nil, err
	}
	return doc.Content[0], nil
}

// bounds refuses what can be refused without parsing.
func bounds(data []byte) error {
	if len(data) > MaxBytes {
		return fail(0, 0, "the file has %d bytes: at most %d are read", len(data), MaxBytes)
	}
	if !utf8.Valid(data) {
		return fail(badLine(data), 0, "the text is not UTF-8: save the file as UTF-8")
	}
	// A flow nesting of 10,000 is what the parser itself allows, in memory and
	// time that this program has no reason to give.
	deepest, depth, line := 0, 0, 1
	for _, c := range data {
		switch c {
		case '\n':
			line++
		case '[', '{':
			depth++
		case ']', '}':
			depth = max(0, depth-1)
		}
		deepest = max(deepest, depth)
		// Brackets also stand in texts, where some may never close: the bound
		// on characters is wider than the bound on real nesting.
		if deepest > 16*MaxDepth {
			return fail(line, 0, "lists and mappings are nested too deep: at most %d levels", MaxDepth)
		}
	}
	return nil
}

func badLine(data []byte) int {
	line := 1
	for len(data) > 0 {
		r, n := utf8.DecodeRune(data)
		if r == utf8.RuneError && n == 1 {
			return line
		}
		if r == '\n' {
			line++
		}
		data = data[n:]
	}
	return line
}

type walker struct{ nodes int }

func (w *walker) walk(n *yaml.Node, depth int) error {
	w.nodes++
	switch {
	case w.nodes > MaxNodes:
		return fail(n.Line, n.Column, "the file holds too many values: at most %d", MaxNodes)
	case depth > MaxDepth:
		return fail(n.Line, n.Column, "lists and mappings are nested too deep: at most %d levels", MaxDepth)
	case n.Kind == yaml.AliasNode:
		return fail(n.Line, n.Column, "the alias *%s is not allowed: write the value again", n.Value)
	case n.Anchor != "":
		return fail(n.Line, n.Column, "the anchor &%s is not allowed: remove it", n.Anchor)
	case n.Style&yaml.TaggedStyle != 0:
		return fail(n.Line, n.Column, "the tag %s is not allowed: write the value without a tag", n.Tag)
	}
	switch n.Kind {
	case yaml.ScalarNode:
		return number(n)
	case yaml.SequenceNode:
		for _, c := range n.Content {
			if err := w.walk(c, depth+1); err != nil {
				return err
			}
		}
	case yaml.MappingNode:
		return w.mapping(n, depth)
	}
	return nil
}

func (w *walker) mapping(n *yaml.Node, depth int) error {
	seen := make(map[string]int, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		if key.Kind != yaml.ScalarNode {
			return fail(key.Line, key.Column, "a key must be a word")
		}
		if key.Tag == "!!merge" {
			return fail(key.Line, key.Column, "the merge key << is not allowed: write the fields again")
		}
		if first, twice := seen[key.Value]; twice {
			return fail(key.Line, key.Column, "the field %q stands twice (first on line %d): keep one", key.Value, first)
		}
		seen[key.Value] = key.Line
		if err := w.walk(key, depth+1); err != nil {
			return err
		}
		if err := w.walk(n.Content[i+1], depth+1); err != nil {
			return err
		}
	}
	return nil
}

// number refuses numbers that are slow or impossible to hold, which other
// readers of the same value (gojsonschema, math/big) would choke on.
func number(n *yaml.Node) error {
	if n.Tag != "!!int" && n.Tag != "!!float" {
		return nil
	}
	if len(n.Value) > MaxNumber {
		return fail(n.Line, n.Column, "the number has %d characters: at most %d", len(n.Value), MaxNumber)
	}
	if strings.HasPrefix(strings.TrimLeft(n.Value, "+-"), "0x") {
		return nil
	}
	_, exp, found := strings.Cut(strings.ToLower(n.Value), "e")
	if !found {
		return nil
	}
	if e, err := strconv.Atoi(exp); err != nil || e > MaxExponent || e < -MaxExponent {
		return fail(n.Line, n.Column, "the exponent of %s is out of range: between -%d and %d", n.Value, MaxExponent, MaxExponent)
	}
	return nil
}

// Find follows keys (string) and indexes (int) from a node, and gives the
// deepest node it meets: when the path does not exist, the place where it ends
// is the place to show.
func Find(n *yaml.Node, path ...any) *yaml.Node {
	for _, step := range path {
		next := child(n, step)
		if next == nil {
			return n
		}
		n = next
	}
	return n
}

func child(n *yaml.Node, step any) *yaml.Node {
	if n == nil {
		return nil
	}
	switch s := step.(type) {
	case int:
		if n.Kind == yaml.SequenceNode && s >= 0 && s < len(n.Content) {
			return n.Content[s]
		}
	case string:
		if n.Kind != yaml.MappingNode {
			return nil
		}
		for i := 0; i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value == s {
				return n.Content[i+1]
			}
		}
	}
	return nil
}

func recovered(err *error) {
	if r := recover(); r != nil {
		*err = fail(0, 0, "the file could not be read as YAML (%v)", r)
	}
}

// readable turns the errors of the YAML package into ours.
func readable(err error) error {
	var types *yaml.TypeError
	if errors.As(err, &types) {
		out := &Error{}
		for _, m := range types.Errors {
			out.Problems = append(out.Problems, problem(m))
		}
		return out
	}
	return &Error{Problems: []Problem{problem(strings.TrimPrefix(err.Error(), "yaml: "))}}
}

func problem(message string) Problem {
	lineOf := regexp.MustCompile(`^line (\d+): `)
	mismatch := regexp.MustCompile("^cannot unmarshal (!!\\w+)(?: `(.*)`)? into (.*)$")
	p := Problem{Message: message}
	if m := lineOf.FindStringSubmatch(message); m != nil {
		p.Line, _ = strconv.Atoi(m[1])
		p.Message = message[len(m[0]):]
	}
	if m := mismatch.FindStringSubmatch(p.Message); m != nil {
		p.Message = fmt.Sprintf("expected %s, found %s", kindOf(m[3]), found(m[1], m[2]))
		return p
	}
	for _, s := range syntax() {
		if p.Message == s.message {
			// Of its two stages the YAML package counts lines from 0 in the
			// second, and gives no line for the first of all.
			if s.fromZero {
				p.Line++
			}
			p.Message = s.cure
			break
		}
	}
	p.Line = max(p.Line, 1)
	return p
}

type syntaxError struct {
	message  string // what the YAML package says
	fromZero bool   // its line is counted from 0
	cure     string
}

// syntax says in our words what people most often get wrong.
func syntax() []syntaxError {
	return []syntaxError{
		{"did not find expected ',' or '}'", true, "the brace { opened here is not closed, or a comma is missing: add it"},
		{"did not find expected ',' or ']'", true, "the bracket [ opened here is not closed, or a comma is missing: add it"},
		{"did not find expected key", true, "the fields around here are not aligned: give them all the same indentation"},
		{"did not find expected '-' indicator", true, "the list around here is not aligned: give each \"-\" the same indentation"},
		{"did not find expected node content", true, "a value is missing here: write one, or put the text in quotes"},
		{"mapping values are not allowed in this context", false, "a colon stands where none is expected: put the text in quotes, or correct the indentation"},
		{"found character that cannot start any token", false, "a tab, @ or ` begins a value here: indent with spaces, and put the text in quotes"},
		{"found a tab character that violates indentation", false, "a tab indents this line: indent with spaces"},
		{"could not find expected ':'", false, "a field has no colon here: write \"name: value\""},
		{"found unexpected end of stream", false, "a quote is not closed: close it"},
	}
}

func kindOf(goType string) string {
	switch {
	case goType == "string":
		return "a text"
	case goType == "bool":
		return "true or false"
	case strings.HasPrefix(goType, "[]"):
		return "a list"
	case strings.HasPrefix(goType, "int"), strings.HasPrefix(goType, "uint"), strings.HasPrefix(goType, "float"):
		return "a number"
	case strings.HasPrefix(goType, "time.Duration"):
		return "a duration such as 10s"
	}
	return "a mapping of fields"
}

func found(tag, value string) string {
	switch tag {
	case "!!seq":
		return "a list"
	case "!!map":
		return "a mapping of fields"
	}
	return fmt.Sprintf("%q", value)
}
