package candidate

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// maxEntries bounds a list or a mapping of a manifest: the schema allows 200 at
// most, and the validator compares the elements of a list two by two.
const maxEntries = 1000

// place is where a value stands in the file.
type place struct {
	key   *yaml.Node // nil for elements of lists
	value *yaml.Node
}

// tree is a manifest as a JSON value, with the place of each of its values.
type tree struct {
	json   []byte
	places map[string]place // path joined with separator -> place
	origin origin           // of values that stand in another file than the first
	first  *source
}

// newTree turns a YAML tree into JSON. What JSON has no form for becomes a
// problem or a text, on which the schema then speaks.
func newTree(root *yaml.Node) (*tree, []Problem) {
	t := &tree{places: map[string]place{"": {value: root}}}
	var problems []Problem
	value := t.value(root, nil, &problems)
	if len(problems) > 0 {
		return t, problems
	}
	raw, err := json.Marshal(value)
	if err != nil {
		return t, []Problem{{Expected: Text{EN: "values that JSON can hold", FR: "des valeurs représentables en JSON"}, Found: same(err.Error())}}
	}
	t.json = raw
	return t, nil
}

func (t *tree) value(n *yaml.Node, path []string, problems *[]Problem) any {
	switch n.Kind {
	case yaml.MappingNode:
		if t.tooMany(n, len(n.Content)/2, path, problems) {
			return nil
		}
		out := make(map[string]any, len(n.Content)/2)
		for i := 0; i+1 < len(n.Content); i += 2 {
			key := n.Content[i]
			if key.Kind != yaml.ScalarNode || strings.Contains(key.Value, separator) {
				*problems = append(*problems, Problem{
					Line: key.Line, Column: key.Column, Field: display(path),
					Expected: Text{EN: "the name of a field before the colon", FR: "le nom d'un champ avant les deux-points"},
					Found:    describe(key),
				})
				continue
			}
			step := append(path[:len(path):len(path)], key.Value)
			t.places[strings.Join(step, separator)] = place{key, n.Content[i+1]}
			out[key.Value] = t.value(n.Content[i+1], step, problems)
		}
		return out
	case yaml.SequenceNode:
		if t.tooMany(n, len(n.Content), path, problems) {
			return nil
		}
		out := make([]any, len(n.Content))
		for i, e := range n.Content {
			step := append(path[:len(path):len(path)], strconv.Itoa(i))
			t.places[strings.Join(step, separator)] = place{nil, e}
			out[i] = t.value(e, step, problems)
		}
		return out
	}
	return scalar(n)
}

func (t *tree) tooMany(n *yaml.Node, count int, path []string, problems *[]Problem) bool {
	if count <= maxEntries {
		return false
	}
	*problems = append(*problems, Problem{
		Line: n.Line, Column: n.Column, Field: display(path),
		Expected: Text{EN: fmt.Sprintf("at most %d entries", maxEntries), FR: fmt.Sprintf("au plus %d éléments", maxEntries)},
		Found:    same(strconv.Itoa(count)),
	})
	return true
}

// scalar gives a plain value its JSON form. An unquoted date is a text for us,
// though YAML 1.1 has a type for it; so is a number that JSON cannot write.
func scalar(n *yaml.Node) any {
	switch n.ShortTag() {
	case "!!null":
		return nil
	case "!!bool":
		var b bool
		if n.Decode(&b) == nil {
			return b
		}
	case "!!int":
		var i int64
		if n.Decode(&i) == nil {
			return i
		}
	case "!!float":
		var f float64
		if n.Decode(&f) == nil && !math.IsInf(f, 0) && !math.IsNaN(f) {
			return f
		}
	}
	return n.Value
}

// nearest is the node of a path, or of its nearest ancestor that stands in the
// file.
func (t *tree) nearest(path []string) *yaml.Node {
	for i := len(path); i >= 0; i-- {
		if p, ok := t.places[strings.Join(path[:i], separator)]; ok {
			if p.key != nil {
				return p.key
			}
			return p.value
		}
	}
	return &yaml.Node{}
}

// at names the place of a path in a problem: the line, and the file where it is
// not the first.
func (t *tree) at(path []string, p Problem) Problem {
	n := t.nearest(path)
	p.Line, p.Column = n.Line, n.Column
	if s := t.origin[n]; s != nil && s != t.first {
		p.File = s.path
	}
	return p
}

// folder is where the relative paths of the file start in which a value stands.
func (t *tree) folder(path []string) string {
	if s := t.origin[t.nearest(path)]; s != nil {
		return s.folder
	}
	return t.first.folder
}

// found says what stands at a path.
func (t *tree) found(path []string) Text {
	if p, ok := t.places[strings.Join(path, separator)]; ok {
		return describe(p.value)
	}
	return Text{EN: "nothing", FR: "rien"}
}

func describe(n *yaml.Node) Text {
	switch n.Kind {
	case yaml.MappingNode:
		return Text{EN: "a mapping", FR: "un ensemble de champs"}
	case yaml.SequenceNode:
		return Text{EN: "a list of " + strconv.Itoa(len(n.Content)), FR: "une liste de " + strconv.Itoa(len(n.Content))}
	}
	switch n.ShortTag() {
	case "!!null":
		return Text{EN: "nothing", FR: "rien"}
	case "!!int", "!!float":
		return Text{EN: "the number " + cut(n.Value), FR: "le nombre " + cut(n.Value)}
	case "!!bool":
		return same(cut(n.Value))
	}
	return quoted(n.Value)
}

func cut(s string) string {
	if len(s) > 20 {
		return s[:20] + "…"
	}
	return s
}

// display writes a path as people do: service.category, evidence[2].date.
func display(path []string) string {
	var b strings.Builder
	for _, step := range path {
		if _, err := strconv.Atoi(step); err == nil {
			b.WriteString("[" + step + "]")
			continue
		}
		if b.Len() > 0 {
			b.WriteByte('.')
		}
		if len(step) > 60 {
			step = strings.ToValidUTF8(step[:60], "") + "…"
		}
		b.WriteString(strings.Map(printable, step))
	}
	return b.String()
}

func printable(r rune) rune {
	if r < ' ' || r == 0x7f {
		return '·'
	}
	return r
}
