package apk

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Limits of one binary XML.
const (
	maxElements   = 50_000
	maxDepth      = 64
	maxAttributes = 200 // of one element
)

// The types of a value (Res_value of ResourceTypes.h).
const (
	typeReference = 0x01
	typeString    = 0x03
	typeDynamic   = 0x07
	typeFirstInt  = 0x10
	typeBool      = 0x12
	typeLastInt   = 0x1f
)

// value is one value, as it was compiled.
type value struct {
	kind uint8
	data uint32
	text string // of a string
}

// attribute is one attribute of an element. Android knows its own by their
// number, and does not read their names: a name may be missing, or lie.
type attribute struct {
	id   uint32 // 0: it has none
	name string
	value
}

// element is one element of a binary XML.
type element struct {
	name     string
	text     string
	attrs    []attribute
	children []*element
}

// readXML reads a binary XML.
func readXML(b []byte) (*element, error) {
	c, _, err := cut(b)
	if err != nil {
		return nil, err
	}
	if c.kind != chunkXML {
		return nil, fmt.Errorf("it is no binary XML (it begins with type %#04x)", c.kind)
	}
	r := xmlReader{}
	if err := each(c.body, r.chunk); err != nil {
		return nil, err
	}
	if r.root == nil || len(r.open) > 0 {
		return nil, errors.New("it has no whole element")
	}
	return r.root, nil
}

type xmlReader struct {
	strings pool
	ids     []byte
	root    *element
	open    []*element
	count   int
}

func (r *xmlReader) chunk(c chunk) (err error) {
	switch c.kind {
	case chunkStrings:
		r.strings, err = newPool(c)
	case chunkIDs:
		r.ids = c.body[:len(c.body)/4*4]
	case chunkStart:
		err = r.start(c)
	case chunkEnd:
		if len(r.open) == 0 {
			return errors.New("an element ends that did not begin")
		}
		r.open = r.open[:len(r.open)-1]
	case chunkText:
		if len(r.open) > 0 && len(c.body) >= 4 {
			at := r.open[len(r.open)-1]
			at.text = clip(at.text + r.strings.at(u32(c.body)))
		}
	}
	return err
}

func (r *xmlReader) start(c chunk) error {
	if len(c.body) < elementExtent {
		return errShort
	}
	if r.count++; r.count > maxElements || len(r.open) >= maxDepth {
		return fmt.Errorf("it has more than %d elements, or more than %d in one another", maxElements, maxDepth)
	}
	start, size, count := int(u16(c.body[8:])), int(u16(c.body[10:])), int(u16(c.body[12:]))
	if count > maxAttributes || (count > 0 && size < attributeBytes) || start+size*count > len(c.body) {
		return fmt.Errorf("an element of %d attributes does not fit", count)
	}
	e := &element{name: r.strings.at(u32(c.body[4:]))}
	for i := range count {
		a := c.body[start+i*size:]
		name := u32(a[4:])
		at := attribute{name: r.strings.at(name), value: value{kind: a[15], data: u32(a[16:])}}
		if uint64(name) < uint64(len(r.ids)/4) {
			at.id = u32(r.ids[4*name:])
		}
		if at.kind == typeString {
			at.text = r.strings.at(at.data)
		}
		e.attrs = append(e.attrs, at)
	}
	if len(r.open) > 0 {
		parent := r.open[len(r.open)-1]
		parent.children = append(parent.children, e)
	} else if r.root == nil {
		r.root = e
	} else {
		return errors.New("it has two roots")
	}
	r.open = append(r.open, e)
	return nil
}

// android finds an attribute of Android's by its number.
func (e *element) android(id uint32) (attribute, bool) {
	for _, a := range e.attrs {
		if a.id == id {
			return a, true
		}
	}
	return attribute{}, false
}

// plain finds an attribute that has no number, by its name.
func (e *element) plain(name string) (attribute, bool) {
	for _, a := range e.attrs {
		if a.id == 0 && a.name == name {
			return a, true
		}
	}
	return attribute{}, false
}

// all lists the children of a name.
func (e *element) all(name string) []*element {
	var out []*element
	for _, c := range e.children {
		if c.name == name {
			out = append(out, c)
		}
	}
	return out
}

// truth reads a value as Android reads a boolean (XmlUtils.convertValueToBoolean).
func (v value) truth() (yes, readable bool) {
	switch {
	case v.kind >= typeFirstInt && v.kind <= typeLastInt:
		return v.data != 0, true
	case v.kind == typeString:
		return v.text == "1" || v.text == "true" || v.text == "TRUE", true
	}
	return false, false
}

// number reads a value as a whole number.
func (v value) number() (int64, bool) {
	switch {
	case v.kind >= typeFirstInt && v.kind <= typeLastInt && v.kind != typeBool:
		return int64(int32(v.data)), true
	case v.kind == typeString:
		n, err := strconv.ParseInt(strings.TrimSpace(v.text), 10, 32)
		return n, err == nil
	}
	return 0, false
}

func (v value) refers() bool { return v.kind == typeReference || v.kind == typeDynamic }
