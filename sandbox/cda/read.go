// Package cda reads clinical documents in the form of HL7 CDA R2 and judges
// their header by the minimal structure that the CI-SIS asks of every French
// document ("structuration minimale"), the identity of their patient (INS), and
// whether their body can be read: a PDF (N1) or sections (N3).
//
// It judges neither the content of sections nor codes of value sets that it does
// not hold: what was not checked is said (Unchecked).
package cda

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// Bounds of what is read. The deepest of the documents that ANS publishes has 20
// levels, the longest 2,778 elements, the richest element 13 attributes.
const (
	MaxBytes    = 5_000_000 // as for any document of the API
	maxDepth    = 100
	maxElements = 100_000
	maxAttrs    = 64
	maxName     = 256
)

// The namespaces that are known here.
const (
	spaceHL7   = "urn:hl7-org:v3"
	spaceXSLT  = "http://www.w3.org/1999/XSL/Transform"
	spaceXML   = "http://www.w3.org/XML/1998/namespace"
	spaceXMLNS = "http://www.w3.org/2000/xmlns/"
)

// ReadError says why a document cannot be read: the rule that it breaks, where,
// and what was found.
type ReadError struct {
	Rule   string // RuleXML or RuleRoot
	Line   int    // from 1; 0 where no line is meant
	Actual string
}

func (e *ReadError) Error() string {
	if e.Line == 0 {
		return "read the CDA document: " + e.Actual
	}
	return fmt.Sprintf("read the CDA document: line %d: %s", e.Line, e.Actual)
}

// node is one element. Text is its own character data, without its children's.
type node struct {
	space, name string
	attrs       []attr
	children    []*node
	parent      *node
	text        string
	line        int
}

type attr struct{ space, name, value string }

// parse reads XML strictly: UTF-8 only, no document type, no entity of its own,
// namespaces resolved, each bound kept. encoding/xml alone lets through two
// attributes of one name, undeclared prefixes and a second root.
func parse(data []byte) (*node, error) {
	switch {
	case len(data) > MaxBytes:
		return nil, &ReadError{RuleXML, 0, fmt.Sprintf("%d bytes, at most %d are read", len(data), MaxBytes)}
	case !utf8.Valid(data):
		return nil, &ReadError{RuleXML, 0, "bytes that are not UTF-8"}
	}
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	d := xml.NewDecoder(bytes.NewReader(data))
	d.CharsetReader = func(name string, _ io.Reader) (io.Reader, error) {
		return nil, fmt.Errorf("the encoding %q is declared, only UTF-8 is read", name)
	}
	p := parser{decoder: d}
	for {
		t, err := d.RawToken()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, p.syntax(err)
		}
		if err := p.take(t); err != nil {
			return nil, err
		}
	}
	if p.root == nil || len(p.open) > 0 {
		return nil, p.fail("the document ends before its root does")
	}
	return p.root, nil
}

type parser struct {
	decoder  *xml.Decoder
	root     *node
	open     []*node
	text     []*strings.Builder
	raw      []xml.Name // names as written, to match the end tags
	spaces   []map[string]string
	elements int
	begun    bool
}

func (p *parser) fail(format string, args ...any) error {
	line, _ := p.decoder.InputPos()
	return &ReadError{RuleXML, line, fmt.Sprintf(format, args...)}
}

func (p *parser) syntax(err error) error {
	var s *xml.SyntaxError
	if errors.As(err, &s) {
		return &ReadError{RuleXML, s.Line, s.Msg}
	}
	return p.fail("%s", err.Error())
}

func (p *parser) take(t xml.Token) error {
	first := !p.begun
	p.begun = true
	switch t := t.(type) {
	case xml.Directive:
		return p.fail("a document type or entity declaration, none is read")
	case xml.ProcInst:
		if t.Target == "xml" && !first {
			return p.fail("an XML declaration that does not stand at the beginning")
		}
		if strings.EqualFold(t.Target, "xml") && t.Target != "xml" || strings.Contains(t.Target, ":") {
			return p.fail("a processing instruction named %s", quote(t.Target))
		}
	case xml.CharData:
		if len(p.open) == 0 {
			if len(bytes.Trim(t, " \t\r\n")) > 0 {
				return p.fail("text outside of the root")
			}
			return nil
		}
		p.text[len(p.text)-1].Write(t)
	case xml.StartElement:
		return p.start(t)
	case xml.EndElement:
		if len(p.open) == 0 || p.raw[len(p.raw)-1] != t.Name {
			return p.fail("the end of %s, which is not the element that is open", quote(t.Name.Local))
		}
		last := len(p.open) - 1
		p.open[last].text = p.text[last].String()
		p.open, p.text, p.raw, p.spaces = p.open[:last], p.text[:last], p.raw[:last], p.spaces[:last]
	}
	return nil
}

func (p *parser) start(t xml.StartElement) error {
	switch p.elements++; {
	case len(p.open) == 0 && p.root != nil:
		return p.fail("a second root, %s", quote(t.Name.Local))
	case len(p.open) >= maxDepth:
		return p.fail("elements nested more than %d deep", maxDepth)
	case p.elements > maxElements:
		return p.fail("more than %d elements", maxElements)
	case len(t.Attr) > maxAttrs:
		return p.fail("more than %d attributes", maxAttrs)
	}
	spaces := map[string]string{}
	if n := len(p.spaces); n > 0 {
		spaces = p.spaces[n-1]
	}
	spaces, err := p.declare(spaces, t.Attr)
	if err != nil {
		return err
	}
	line, _ := p.decoder.InputPos()
	n := &node{line: line}
	if n.space, n.name, err = p.resolve(spaces, t.Name, true); err != nil {
		return err
	}
	for _, a := range t.Attr {
		if isDeclaration(a.Name) {
			continue
		}
		space, name, err := p.resolve(spaces, a.Name, false)
		if err != nil {
			return err
		}
		if _, twice := n.attribute(space, name); twice {
			return p.fail("the attribute %s twice", quote(name))
		}
		n.attrs = append(n.attrs, attr{space, name, a.Value})
	}
	if len(p.open) == 0 {
		p.root = n
	} else {
		n.parent = p.open[len(p.open)-1]
		n.parent.children = append(n.parent.children, n)
	}
	p.open, p.raw, p.spaces = append(p.open, n), append(p.raw, t.Name), append(p.spaces, spaces)
	p.text = append(p.text, &strings.Builder{})
	return nil
}

func isDeclaration(n xml.Name) bool { return n.Space == "xmlns" || n.Space == "" && n.Local == "xmlns" }

// declare returns the prefixes that hold inside an element.
func (p *parser) declare(outer map[string]string, attrs []xml.Attr) (map[string]string, error) {
	out, copied := outer, false
	seen := map[xml.Name]bool{}
	for _, a := range attrs {
		if !isDeclaration(a.Name) {
			continue
		}
		if seen[a.Name] {
			return nil, p.fail("a namespace declared twice")
		}
		seen[a.Name] = true
		prefix := ""
		if a.Name.Space == "xmlns" {
			prefix = a.Name.Local
			if a.Value == "" || prefix == "xmlns" {
				return nil, p.fail("a namespace declaration that is not allowed")
			}
		}
		if (prefix == "xml") != (a.Value == spaceXML) || a.Value == spaceXMLNS {
			return nil, p.fail("a namespace declaration that is not allowed")
		}
		if !copied {
			out, copied = make(map[string]string, len(outer)+1), true
			for k, v := range outer {
				out[k] = v
			}
		}
		out[prefix] = a.Value
	}
	return out, nil
}

func (p *parser) resolve(spaces map[string]string, n xml.Name, element bool) (space, name string, err error) {
	switch {
	case n.Local == "" || strings.Contains(n.Local, ":") || len(n.Local)+len(n.Space) > maxName:
		return "", "", p.fail("the name %s", quote(n.Space+":"+n.Local))
	case n.Space == "xml":
		return spaceXML, n.Local, nil
	case n.Space == "" && !element:
		return "", n.Local, nil
	case n.Space == "":
		return spaces[""], n.Local, nil
	}
	space, ok := spaces[n.Space]
	if !ok {
		return "", "", p.fail("the prefix %s, which is not declared", quote(n.Space))
	}
	return space, n.Local, nil
}

func (n *node) attribute(space, name string) (string, bool) {
	for _, a := range n.attrs {
		if a.space == space && a.name == name {
			return a.value, true
		}
	}
	return "", false
}

// attr is the value of an attribute without namespace, "" when absent. It may
// be asked of no node.
func (n *node) attr(name string) string {
	if n == nil {
		return ""
	}
	v, _ := n.attribute("", name)
	return v
}

// all gives the elements of the HL7 namespace that a path of names leads to.
func (n *node) all(path ...string) []*node {
	if n == nil {
		return nil
	}
	level := []*node{n}
	for _, name := range path {
		var next []*node
		for _, x := range level {
			for _, c := range x.children {
				if c.space == spaceHL7 && c.name == name {
					next = append(next, c)
				}
			}
		}
		level = next
	}
	return level
}

// first is the first of all, nil when there is none.
func (n *node) first(path ...string) *node {
	if list := n.all(path...); len(list) > 0 {
		return list[0]
	}
	return nil
}

// words is the text of an element without the spaces around it.
func (n *node) words() string {
	if n == nil {
		return ""
	}
	return strings.TrimSpace(n.text)
}

// walk visits an element and all below it.
func (n *node) walk(visit func(*node)) {
	visit(n)
	for _, c := range n.children {
		c.walk(visit)
	}
}

// path is where an element stands, from a root: /ClinicalDocument/author[2]/time.
func (n *node) path() string {
	if n.parent == nil {
		return "/" + n.name
	}
	same, at := 0, 0
	for _, c := range n.parent.children {
		if c.name == n.name && c.space == n.space {
			same++
		}
		if c == n {
			at = same
		}
	}
	out := n.parent.path() + "/" + n.name
	if same > 1 {
		out += fmt.Sprintf("[%d]", at)
	}
	return out
}

// maxQuoted is how many characters of a document are quoted in a finding.
const maxQuoted = 80

// quote is what stands in the document, cut where it is long; a dash where there
// is nothing.
func quote(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if s == "" {
		return "—"
	}
	if r := []rune(s); len(r) > maxQuoted {
		return string(r[:maxQuoted]) + "…"
	}
	return s
}
