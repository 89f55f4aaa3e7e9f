package settings

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// maxDepth bounds the nesting of a settings file.
const maxDepth = 64

type kind int

const (
	kindString kind = iota
	kindInt
	kindBool
	kindDuration
	kindList
)

func (k kind) String() string {
	switch k {
	case kindInt:
		return "a whole number"
	case kindBool:
		return "true or false"
	case kindDuration:
		return "a duration such as 60s"
	case kindList:
		return "a list of texts"
	default:
		return "a text"
	}
}

// keys lists the settings that exist, with their types. A file holds every one.
func keys() map[string]kind {
	return map[string]kind{
		"path.authorize":            kindString,
		"path.token":                kindString,
		"path.revoke":               kindString,
		"path.jwks":                 kindString,
		"path.discovery":            kindString,
		"path.fhir":                 kindString,
		"header.id-token":           kindString,
		"media.fhir":                kindString,
		"scope.required":            kindList,
		"lifetime.code":             kindDuration,
		"lifetime.access":           kindDuration,
		"lifetime.id-token":         kindDuration,
		"lifetime.refresh":          kindDuration,
		"refresh.rotation":          kindBool,
		"pairing.revocation":        kindBool,
		"pairing.idpe":              kindString,
		"client.auth":               kindString,
		"client.assertion-audience": kindString,
		"client.assertion-life":     kindDuration,
		"client.certificate-bound":  kindBool,
		"pkce.required":             kindBool,
		"measure.canonical-bases":   kindList,
		"measure.device-profile":    kindString,
		"measure.extension-base":    kindString,
		"measure.codes":             kindList,
		"measure.binding":           kindString,
		"measure.no-bundle-status":  kindInt,
		"measure.max-bytes":         kindInt,
		"search.count-default":      kindInt,
		"search.count-max":          kindInt,
		"search.timezone":           kindString,
		"document.categories":       kindList,
		"document.category-system":  kindString,
		"document.subject":          kindString,
		"document.max-bytes":        kindInt,
		"document.formats":          kindList,
		"document.cda-formats":      kindList,
		"document.count-default":    kindInt,
		"document.count-max":        kindInt,
		"finalites":                 kindList,

		"consent.refresh-scope":     kindBool,
		"pairing.account-parameter": kindString,
		"reapproval.answer":         kindString,
		"service.calls":             kindList,
		"service.pairing":           kindList,
		"space.calls":               kindString,
		"space.pairing":             kindString,
		"document.withheld-status":  kindInt,
		"document.administrative":   kindString,
		"document.duplicate":        kindString,
		"document.reading":          kindString,
		"document.hidden-codes":     kindList,
		"document.confidentiality":  kindList,
		"document.practice-setting": kindString,
		"traffic.fetch-percent":     kindInt,
		"traffic.fetch-least":       kindInt,
		"traffic.reads-per-act":     kindInt,
		"agenda.resource":           kindString,
		"agenda.statuses":           kindList,
		"agenda.subject":            kindString,
		"agenda.provider":           kindBool,
		"agenda.identifier":         kindBool,
		"agenda.update":             kindString,
		"agenda.cancel":             kindString,
		"agenda.kinds":              kindList,
		"agenda.kind-system":        kindString,
		"agenda.authors":            kindList,
		"agenda.author-system":      kindString,
		"agenda.foreign-status":     kindInt,
		"agenda.search":             kindString,
		"agenda.count-default":      kindInt,
		"agenda.count-max":          kindInt,
		"agenda.comment-max":        kindInt,
		"agenda.max-bytes":          kindInt,
	}
}

// Error says what is wrong in a settings file, and where.
type Error struct {
	File string
	Line int
	Text string
}

// Error implements error.
func (e *Error) Error() string {
	if e.Line == 0 {
		return fmt.Sprintf("read settings %s: %s", e.File, e.Text)
	}
	return fmt.Sprintf("read settings %s: line %d: %s", e.File, e.Line, e.Text)
}

type parser struct{ file string }

func (p parser) fail(line int, format string, args ...any) error {
	return &Error{File: p.file, Line: line, Text: fmt.Sprintf(format, args...)}
}

// Parse reads a settings file strictly: unknown, repeated and missing keys,
// aliases and values of the wrong type are refused with their line. The name is
// for messages.
func Parse(name string, raw []byte) (*Settings, error) {
	p := parser{name}
	if len(raw) > maxFile {
		return nil, p.fail(0, "the file is larger than %d bytes", maxFile)
	}
	if !utf8.Valid(raw) {
		return nil, p.fail(0, "the file is not UTF-8")
	}
	var doc yaml.Node
	dec := yaml.NewDecoder(bytes.NewReader(raw))
	if err := dec.Decode(&doc); err != nil {
		return nil, p.fail(0, "%v", err)
	}
	var rest yaml.Node
	if dec.Decode(&rest) == nil {
		return nil, p.fail(rest.Line, "there is a second document; one is expected")
	}
	if len(doc.Content) != 1 {
		return nil, p.fail(0, "the file is empty")
	}
	root := doc.Content[0]
	if err := p.plain(root, 0); err != nil {
		return nil, err
	}
	top, err := p.mapping(root, "id", "title", "settings", "finalites", "notReproduced")
	if err != nil {
		return nil, err
	}
	s := &Settings{values: map[string]Value{}}
	if s.id, err = p.text(top["id"]); err != nil {
		return nil, err
	}
	if s.title, err = p.texts(top["title"]); err != nil {
		return nil, err
	}
	if err := p.values(top["settings"], s); err != nil {
		return nil, err
	}
	if err := p.finalites(top["finalites"], s); err != nil {
		return nil, err
	}
	if err := p.gaps(top["notReproduced"], s); err != nil {
		return nil, err
	}
	if err := s.check(); err != nil {
		return nil, p.fail(0, "%v", err)
	}
	return s, nil
}

// plain refuses aliases, anchors and deep nesting.
func (p parser) plain(n *yaml.Node, depth int) error {
	if depth > maxDepth {
		return p.fail(n.Line, "nesting is deeper than %d", maxDepth)
	}
	if n.Kind == yaml.AliasNode || n.Anchor != "" {
		return p.fail(n.Line, "anchors and aliases are not read; write the value out")
	}
	for _, c := range n.Content {
		if err := p.plain(c, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// mapping reads a mapping that holds each of the keys once and no other.
func (p parser) mapping(n *yaml.Node, keys ...string) (map[string]*yaml.Node, error) {
	if n.Kind != yaml.MappingNode {
		return nil, p.fail(n.Line, "expected a mapping of %s", strings.Join(keys, ", "))
	}
	out := map[string]*yaml.Node{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k := n.Content[i]
		known := false
		for _, want := range keys {
			known = known || want == k.Value
		}
		if !known {
			return nil, p.fail(k.Line, "unknown key %q; known are %s", k.Value, strings.Join(keys, ", "))
		}
		if _, twice := out[k.Value]; twice {
			return nil, p.fail(k.Line, "key %q is given twice", k.Value)
		}
		out[k.Value] = n.Content[i+1]
	}
	for _, want := range keys {
		if _, ok := out[want]; !ok {
			return nil, p.fail(n.Line, "key %q is missing", want)
		}
	}
	return out, nil
}

func (p parser) text(n *yaml.Node) (string, error) {
	if n.Kind != yaml.ScalarNode || n.Tag != "!!str" || strings.TrimSpace(n.Value) == "" {
		return "", p.fail(n.Line, "expected a text, got %q", n.Value)
	}
	return n.Value, nil
}

func (p parser) texts(n *yaml.Node) (Text, error) {
	m, err := p.mapping(n, "fr", "en")
	if err != nil {
		return Text{}, err
	}
	var t Text
	if t.FR, err = p.text(m["fr"]); err != nil {
		return Text{}, err
	}
	t.EN, err = p.text(m["en"])
	return t, err
}

func (p parser) values(n *yaml.Node, s *Settings) error {
	if n.Kind != yaml.MappingNode {
		return p.fail(n.Line, "expected a mapping of settings")
	}
	known := keys()
	for i := 0; i+1 < len(n.Content); i += 2 {
		k := n.Content[i]
		want, ok := known[k.Value]
		if !ok {
			return p.fail(k.Line, "unknown setting %q", k.Value)
		}
		if _, twice := s.values[k.Value]; twice {
			return p.fail(k.Line, "setting %q is given twice", k.Value)
		}
		m, err := p.mapping(n.Content[i+1], "value", "basis", "source", "note")
		if err != nil {
			return err
		}
		v := Value{Key: k.Value}
		if v.Value, err = p.value(want, m["value"]); err != nil {
			return err
		}
		basis, err := p.text(m["basis"])
		if err != nil {
			return err
		}
		v.Basis = Basis(basis)
		if v.Basis != Stated && v.Basis != Derived && v.Basis != Assumed {
			return p.fail(m["basis"].Line, "basis %q is none of stated, derived, assumed", basis)
		}
		if v.Source, err = p.text(m["source"]); err != nil {
			return err
		}
		if v.Note, err = p.texts(m["note"]); err != nil {
			return err
		}
		s.values[k.Value] = v
	}
	for _, key := range slices.Sorted(maps.Keys(known)) {
		if _, ok := s.values[key]; !ok {
			return p.fail(n.Line, "setting %q is missing", key)
		}
	}
	return nil
}

func (p parser) value(want kind, n *yaml.Node) (any, error) {
	wrong := p.fail(n.Line, "expected %s, got %q", want, n.Value)
	if want == kindList {
		if n.Kind != yaml.SequenceNode || len(n.Content) == 0 {
			return nil, wrong
		}
		var out []string
		for _, c := range n.Content {
			t, err := p.text(c)
			if err != nil {
				return nil, err
			}
			out = append(out, t)
		}
		return out, nil
	}
	tags := map[kind]string{kindString: "!!str", kindDuration: "!!str", kindInt: "!!int", kindBool: "!!bool"}
	if n.Kind != yaml.ScalarNode || n.Tag != tags[want] {
		return nil, wrong
	}
	v, err := parseText(want, n.Value)
	if err != nil {
		return nil, p.fail(n.Line, "%v", err)
	}
	return v, nil
}

// parseText reads a value written as one text, as in an override.
func parseText(want kind, text string) (any, error) {
	wrong := fmt.Errorf("expected %s, got %q", want, text)
	switch want {
	case kindInt:
		n, err := strconv.Atoi(text)
		if err != nil {
			return nil, wrong
		}
		return n, nil
	case kindBool:
		if text != "true" && text != "false" {
			return nil, wrong
		}
		return text == "true", nil
	case kindDuration:
		if d, err := time.ParseDuration(text); err != nil || d <= 0 {
			return nil, wrong
		}
		return text, nil
	case kindList:
		var out []string
		for _, part := range strings.Split(text, ",") {
			if part = strings.TrimSpace(part); part == "" {
				return nil, wrong
			}
			out = append(out, part)
		}
		return out, nil
	default:
		if strings.TrimSpace(text) == "" {
			return nil, wrong
		}
		return text, nil
	}
}

func (p parser) finalites(n *yaml.Node, s *Settings) error {
	if n.Kind != yaml.SequenceNode {
		return p.fail(n.Line, "expected a list of finalités")
	}
	seen := map[string]bool{}
	for _, c := range n.Content {
		m, err := p.mapping(c, "code", "kind", "write", "label")
		if err != nil {
			return err
		}
		var f Finalite
		if f.Code, err = p.text(m["code"]); err != nil {
			return err
		}
		if seen[f.Code] {
			return p.fail(c.Line, "finalité %q is described twice", f.Code)
		}
		seen[f.Code] = true
		if f.Kind, err = p.text(m["kind"]); err != nil {
			return err
		}
		if f.Kind != "measures" && f.Kind != "documents" && f.Kind != "agenda" {
			return p.fail(m["kind"].Line, "kind %q is none of measures, documents and agenda", f.Kind)
		}
		write, err := p.value(kindBool, m["write"])
		if err != nil {
			return err
		}
		f.Write, _ = write.(bool)
		if f.Label, err = p.texts(m["label"]); err != nil {
			return err
		}
		s.finalites = append(s.finalites, f)
	}
	return nil
}

func (p parser) gaps(n *yaml.Node, s *Settings) error {
	if n.Kind != yaml.SequenceNode {
		return p.fail(n.Line, "expected a list of behaviours that are not reproduced")
	}
	seen := map[string]bool{}
	for _, c := range n.Content {
		m, err := p.mapping(c, "id", "fr", "en")
		if err != nil {
			return err
		}
		var g Gap
		if g.ID, err = p.text(m["id"]); err != nil {
			return err
		}
		if seen[g.ID] {
			return p.fail(c.Line, "%q is listed twice", g.ID)
		}
		seen[g.ID] = true
		if g.Text.FR, err = p.text(m["fr"]); err != nil {
			return err
		}
		if g.Text.EN, err = p.text(m["en"]); err != nil {
			return err
		}
		s.gaps = append(s.gaps, g)
	}
	return nil
}
