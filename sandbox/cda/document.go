package cda

import (
	"bytes"
	"encoding/base64"
	"strconv"
	"strings"
)

// Kind tells the two bodies of a document apart.
type Kind string

// The kinds of body.
const (
	N1   Kind = "N1" // nonXMLBody: a file in base64
	N3   Kind = "N3" // structuredBody: sections
	None Kind = ""   // neither, or both
)

// Document is a clinical document that was read. It is never changed.
type Document struct {
	clinical       *node
	selfPresenting bool
}

// Read reads a document. A self-presenting one (the root is an XSLT stylesheet
// that embeds the ClinicalDocument) is read for what it embeds. The error is a
// *ReadError.
func Read(data []byte) (Document, error) {
	root, err := parse(data)
	if err != nil {
		return Document{}, err
	}
	if root.space == spaceHL7 && root.name == "ClinicalDocument" {
		return Document{clinical: root}, nil
	}
	if root.space == spaceXSLT && (root.name == "stylesheet" || root.name == "transform") {
		var found []*node
		root.walk(func(n *node) {
			if n.space == spaceHL7 && n.name == "ClinicalDocument" {
				found = append(found, n)
			}
		})
		if len(found) == 1 {
			found[0].parent = nil // paths begin at the document
			return Document{clinical: found[0], selfPresenting: true}, nil
		}
		return Document{}, &ReadError{RuleRoot, root.line, "an XSLT stylesheet that holds " + strconv.Itoa(len(found)) + " ClinicalDocument"}
	}
	return Document{}, &ReadError{RuleRoot, root.line, "the root " + quote(root.name) + " of the namespace " + quote(root.space)}
}

// SelfPresenting says whether the root is a stylesheet around the document.
func (d Document) SelfPresenting() bool { return d.selfPresenting }

// Kind says which body the document has.
func (d Document) Kind() Kind {
	file, structured := len(d.clinical.all("component", "nonXMLBody")), len(d.clinical.all("component", "structuredBody"))
	switch {
	case file == 1 && structured == 0:
		return N1
	case file == 0 && structured == 1:
		return N3
	}
	return None
}

// Content is the file in the body of an N1 document, decoded; nil for any other,
// and where it cannot be decoded.
func (d Document) Content() []byte {
	content, err := decode(d.clinical.first("component", "nonXMLBody", "text"))
	if err != nil {
		return nil
	}
	return content
}

// decode reads base64 as it stands in XML: in lines, which are not part of it.
func decode(text *node) ([]byte, error) {
	if text == nil {
		return nil, nil
	}
	packed := bytes.Map(func(r rune) rune {
		if strings.ContainsRune(" \t\r\n", r) {
			return -1
		}
		return r
	}, []byte(text.text))
	out := make([]byte, base64.StdEncoding.DecodedLen(len(packed)))
	n, err := base64.StdEncoding.Strict().Decode(out, packed)
	return out[:n], err
}

// Identifier is an instance identifier of HL7: a root, an OID or a UUID, and
// mostly an extension.
type Identifier struct {
	Root      string `json:"root"`
	Extension string `json:"extension,omitempty"`
}

// String writes an identifier as root^extension.
func (i Identifier) String() string {
	if i.Extension == "" {
		return i.Root
	}
	return i.Root + "^" + i.Extension
}

func identifier(n *node) Identifier {
	return Identifier{strings.TrimSpace(n.attr("root")), strings.TrimSpace(n.attr("extension"))}
}

// Facts are what the journal keeps of a document.
type Facts struct {
	Kind           Kind         `json:"kind"`
	SelfPresenting bool         `json:"selfPresenting"`
	ID             Identifier   `json:"id"`
	SetID          Identifier   `json:"setId"`
	Version        int          `json:"version"` // 0 when it cannot be read
	Patient        []Identifier `json:"patient"` // of patientRole
	Replaces       *Identifier  `json:"replaces,omitempty"`
	Sections       int          `json:"sections"` // N3
	Bytes          int          `json:"bytes"`    // of the file, N1
}

// Facts gives what the journal keeps.
func (d Document) Facts() Facts {
	c := d.clinical
	f := Facts{
		Kind: d.Kind(), SelfPresenting: d.selfPresenting, Patient: []Identifier{},
		ID: identifier(c.first("id")), SetID: identifier(c.first("setId")),
		Sections: len(c.all("component", "structuredBody", "component", "section")), Bytes: len(d.Content()),
	}
	f.Version, _ = version(c.first("versionNumber"))
	for _, id := range c.all("recordTarget", "patientRole", "id") {
		f.Patient = append(f.Patient, identifier(id))
	}
	for _, r := range c.all("relatedDocument") {
		if parent := r.first("parentDocument", "id"); r.attr("typeCode") == "RPLC" && parent != nil && f.Replaces == nil {
			id := identifier(parent)
			f.Replaces = &id
		}
	}
	return f
}

// version reads a version number: a whole number above zero.
func version(n *node) (int, bool) {
	text := n.attr("value")
	v, err := strconv.Atoi(text)
	return v, err == nil && v > 0 && strconv.Itoa(v) == text
}
