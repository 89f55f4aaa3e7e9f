package candidate

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/etalon-sante/etalon/suites/requirement/yamlsafe"
)

// The two keys that say of which files and parts a manifest is made; neither is
// left once it is put together.
const (
	extendsKey      = "extends"
	environmentsKey = "environments"
)

// maxExtends bounds how many files stand behind one manifest: the service, the
// editor and what his group shares are three.
const maxExtends = 4

// maxEnvironments bounds how many environments a manifest may name.
const maxEnvironments = 20

// perEnvironment are the fields that may differ from one environment to the
// next: where the service is and how it is reached, never what it is.
func perEnvironment() []string {
	return []string{"concurrency", "journeys", "pilot", "sandbox", "start", "timing", "visitor", "web"}
}

// source is one file of a manifest.
type source struct {
	path   string // as it is shown
	folder string // absolute: where its relative paths start
	raw    []byte
}

// origin says in which file each value stands; what it does not know stands in
// the first.
type origin map[*yaml.Node]*source

func (o origin) note(n *yaml.Node, s *source) {
	o[n] = s
	for _, c := range n.Content {
		o.note(c, s)
	}
}

// assembly is a manifest being put together.
type assembly struct {
	sources []*source // the manifest first, then what it extends, in order
	origin  origin
}

// load reads one file and what it extends, and lays it over them.
func (a *assembly) load(s *source, above []string) (*yaml.Node, error) {
	if bytes.IndexByte(s.raw, 0) >= 0 {
		return nil, &ManifestError{Path: s.path, Problems: []Problem{{
			Line:     1 + bytes.Count(s.raw[:bytes.IndexByte(s.raw, 0)], []byte("\n")),
			Expected: Text{EN: "text", FR: "du texte"}, Found: Text{EN: "a null byte", FR: "un octet nul"},
		}}}
	}
	root, err := yamlsafe.Parse(s.raw)
	if err != nil {
		return nil, unreadable(s.path, err)
	}
	a.sources = append(a.sources, s)
	a.origin.note(root, s)
	key, value := field(root, extendsKey)
	if key == nil {
		return root, nil
	}
	expected := Text{
		EN: "the path of another manifest, from the folder of this file", FR: "le chemin d'un autre manifeste, depuis le dossier de ce fichier",
	}
	refuse := func(found, hint Text) error {
		return &ManifestError{Path: s.path, Problems: []Problem{{
			Line: key.Line, Column: key.Column, Field: extendsKey, Expected: expected, Found: found, Hint: hint, Example: extendsKey + ": ../editor.yaml",
		}}}
	}
	if value.Kind != yaml.ScalarNode || value.ShortTag() != "!!str" || strings.TrimSpace(value.Value) == "" {
		return nil, refuse(describe(value), Text{})
	}
	if s.folder == "" || filepath.IsAbs(value.Value) {
		return nil, refuse(quoted(value.Value), Text{EN: "write it relative to this file", FR: "écrivez-le relativement à ce fichier"})
	}
	path := filepath.Join(s.folder, value.Value)
	if slices.Contains(above, path) {
		return nil, refuse(quoted(value.Value), Text{EN: "this file extends itself, by way of another", FR: "ce fichier se complète lui-même, par l'intermédiaire d'un autre"})
	}
	if len(above) >= maxExtends {
		return nil, refuse(quoted(value.Value), Text{
			EN: fmt.Sprintf("at most %d files stand behind one manifest", maxExtends), FR: fmt.Sprintf("au plus %d fichiers se complètent les uns les autres", maxExtends),
		})
	}
	raw, err := readBounded(path)
	if err != nil {
		var bad *ManifestError
		if errors.As(err, &bad) && len(bad.Problems) == 1 {
			return nil, refuse(Text{EN: value.Value + ", which is " + bad.Problems[0].Found.EN, FR: value.Value + " : " + bad.Problems[0].Found.FR}, Text{})
		}
		return nil, err
	}
	base, err := a.load(&source{path: filepath.Join(filepath.Dir(s.path), value.Value), folder: filepath.Dir(path), raw: raw}, append(slices.Clone(above), path))
	if err != nil {
		return nil, err
	}
	drop(root, extendsKey)
	return overlay(base, root), nil
}

// field finds a field of a mapping.
func field(n *yaml.Node, name string) (key, value *yaml.Node) {
	if n == nil || n.Kind != yaml.MappingNode {
		return nil, nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == name && n.Content[i].Kind == yaml.ScalarNode {
			return n.Content[i], n.Content[i+1]
		}
	}
	return nil, nil
}

func drop(n *yaml.Node, name string) {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == name {
			n.Content = slices.Delete(n.Content, i, i+2)
			return
		}
	}
}

// overlay lays a mapping over another: what stands in both is taken from above,
// mappings are joined, lists are replaced whole. A pilot that says its kind is
// replaced whole too: the fields of another kind would be wrong beside it.
// Neither argument is changed.
func overlay(below, above *yaml.Node) *yaml.Node {
	if below.Kind != yaml.MappingNode || above.Kind != yaml.MappingNode {
		return above
	}
	out := *above
	out.Content = nil
	done := map[string]bool{}
	for i := 0; i+1 < len(below.Content); i += 2 {
		key, value := below.Content[i], below.Content[i+1]
		if k, v := field(above, key.Value); k != nil {
			done[key.Value] = true
			if said, _ := field(v, "kind"); key.Value != "pilot" || said == nil {
				v = overlay(value, v)
			}
			key, value = k, v
		}
		out.Content = append(out.Content, key, value)
	}
	for i := 0; i+1 < len(above.Content); i += 2 {
		if !done[above.Content[i].Value] {
			out.Content = append(out.Content, above.Content[i], above.Content[i+1])
		}
	}
	return &out
}

// environments takes the environments out of a manifest, by name, in order.
func environments(root *yaml.Node) (names []string, by map[string]*yaml.Node, problems []Problem) {
	key, value := field(root, environmentsKey)
	if key == nil {
		return nil, nil, nil
	}
	by = map[string]*yaml.Node{}
	bad := func(n *yaml.Node, name string, expected, found Text) {
		problems = append(problems, Problem{Line: n.Line, Column: n.Column, Field: display([]string{environmentsKey, name}), Expected: expected, Found: found, Example: "preprod: {web: {site: https://preprod.carnet.example.fr}}"})
	}
	fields := strings.Join(perEnvironment(), ", ")
	if value.Kind != yaml.MappingNode || len(value.Content)/2 > maxEnvironments {
		problems = append(problems, Problem{
			Line: key.Line, Column: key.Column, Field: environmentsKey, Found: describe(value),
			Expected: Text{EN: fmt.Sprintf("at most %d names, each with fields of its own", maxEnvironments), FR: fmt.Sprintf("au plus %d noms, chacun avec ses champs", maxEnvironments)},
		})
		return nil, by, problems
	}
	for i := 0; i+1 < len(value.Content); i += 2 {
		k, v := value.Content[i], value.Content[i+1]
		if k.Kind != yaml.ScalarNode || k.Value == "" || len(k.Value) > 40 || strings.Trim(k.Value, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
			bad(k, k.Value, Text{EN: "a name of small letters, digits and dashes", FR: "un nom en minuscules, chiffres et tirets"}, describe(k))
			continue
		}
		if v.Kind != yaml.MappingNode {
			bad(v, k.Value, Text{EN: "some of the fields " + fields, FR: "certains des champs " + fields}, describe(v))
			continue
		}
		for j := 0; j+1 < len(v.Content); j += 2 {
			if !slices.Contains(perEnvironment(), v.Content[j].Value) {
				bad(v.Content[j], k.Value+"."+v.Content[j].Value, Text{EN: "one of " + fields + ": an environment says where the service is, not what it is", FR: "l'un de " + fields + " : un environnement dit où est le service, pas ce qu'il est"}, Text{EN: "another field", FR: "un autre champ"})
			}
		}
		names = append(names, k.Value)
		by[k.Value] = v
	}
	return names, by, problems
}

// unknownEnvironment refuses a name that the manifest does not hold.
func unknownEnvironment(path, name string, known []string) error {
	found := Text{EN: "none", FR: "aucun"}
	if len(known) > 0 {
		found = same(strings.Join(known, ", "))
	}
	return &ManifestError{Path: path, Problems: []Problem{{
		Field:    environmentsKey,
		Expected: Text{EN: "an environment named " + name, FR: "un environnement nommé " + name}, Found: found,
	}}}
}

// asUsed is a manifest put together, as one file: what a run keeps.
func asUsed(root *yaml.Node, sources []*source, environment string) ([]byte, error) {
	var b bytes.Buffer
	fmt.Fprint(&b, "# Put together by étalon from")
	for i, s := range sources {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(" " + filepath.Base(s.path))
	}
	if environment != "" {
		b.WriteString("; environment: " + environment)
	}
	b.WriteByte('\n')
	e := yaml.NewEncoder(&b)
	e.SetIndent(2)
	if err := errors.Join(e.Encode(root), e.Close()); err != nil {
		return nil, fmt.Errorf("write the manifest as it was put together: %w", err)
	}
	return b.Bytes(), nil
}
