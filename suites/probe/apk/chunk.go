package apk

import (
	"encoding/binary"
	"errors"
	"fmt"
	"unicode/utf16"
)

// The types of chunk that are read (ResourceTypes.h of the Android sources).
const (
	chunkStrings   = 0x0001
	chunkTable     = 0x0002
	chunkXML       = 0x0003
	chunkStart     = 0x0102
	chunkEnd       = 0x0103
	chunkText      = 0x0104
	chunkIDs       = 0x0180
	chunkPackage   = 0x0200
	chunkType      = 0x0201
	chunkHeader    = 8
	stringsUTF8    = 0x100
	nothing        = 0xffffffff
	maxText        = 4000 // bytes kept of one string
	stringsHeader  = 28
	nodeHeader     = 16
	elementExtent  = 20
	attributeBytes = 20
)

var errShort = errors.New("it ends before what it announces")

// chunk is one piece of a binary resource.
type chunk struct {
	kind   int
	header []byte // with the eight bytes that announce it
	body   []byte
}

// cut takes the first chunk off.
func cut(b []byte) (c chunk, rest []byte, err error) {
	if len(b) < chunkHeader {
		return c, nil, errShort
	}
	kind, header, size := int(u16(b)), int(u16(b[2:])), uint64(u32(b[4:]))
	if header < chunkHeader || uint64(header) > size || size > uint64(len(b)) {
		return c, nil, fmt.Errorf("a chunk of type %#04x announces %d bytes, a header of %d among them, where %d are left", kind, size, header, len(b))
	}
	return chunk{kind: kind, header: b[:header], body: b[header:size]}, b[size:], nil
}

// each visits the chunks of a body, in order.
func each(b []byte, visit func(chunk) error) error {
	for len(b) > 0 {
		c, rest, err := cut(b)
		if err != nil {
			return err
		}
		if err := visit(c); err != nil {
			return err
		}
		b = rest
	}
	return nil
}

func u16(b []byte) uint16 { return binary.LittleEndian.Uint16(b) }
func u32(b []byte) uint32 { return binary.LittleEndian.Uint32(b) }

// pool is a table of strings. They are decoded one by one, when they are asked
// for: a pool that announces many costs nothing.
type pool struct {
	offsets []byte
	data    []byte
	utf8    bool
}

func newPool(c chunk) (pool, error) {
	if len(c.header) < stringsHeader {
		return pool{}, errShort
	}
	count, start := uint64(u32(c.header[8:])), uint64(u32(c.header[20:]))
	head := uint64(len(c.header))
	if count*4 > uint64(len(c.body)) || start < head || start-head > uint64(len(c.body)) {
		return pool{}, fmt.Errorf("a table of %d strings does not fit in %d bytes", count, len(c.body))
	}
	return pool{
		offsets: c.body[:count*4], data: c.body[start-head:],
		utf8: u32(c.header[16:])&stringsUTF8 != 0,
	}, nil
}

func (p pool) len() int { return len(p.offsets) / 4 }

// at gives a string; "" for one that is not there or cannot be decoded.
func (p pool) at(i uint32) string {
	if uint64(i) >= uint64(p.len()) {
		return ""
	}
	from := u32(p.offsets[4*i:])
	if uint64(from) >= uint64(len(p.data)) {
		return ""
	}
	b := p.data[from:]
	if p.utf8 {
		return clip(string(utf8Of(b)))
	}
	return clip(utf16Of(b))
}

// utf8Of reads two lengths (in characters, then in bytes), each of one byte or
// two, and then the bytes.
func utf8Of(b []byte) []byte {
	n := 0
	for range 2 {
		if len(b) < 2 {
			return nil
		}
		if n = int(b[0]); n&0x80 == 0 {
			b = b[1:]
			continue
		}
		n = (n&0x7f)<<8 | int(b[1])
		b = b[2:]
	}
	if n > len(b) {
		return nil
	}
	return b[:min(n, maxText+4)]
}

func utf16Of(b []byte) string {
	if len(b) < 2 {
		return ""
	}
	n := int(u16(b))
	b = b[2:]
	if n&0x8000 != 0 {
		if len(b) < 2 {
			return ""
		}
		n = (n&0x7fff)<<16 | int(u16(b))
		b = b[2:]
	}
	if n > len(b)/2 {
		return ""
	}
	units := make([]uint16, min(n, maxText))
	for i := range units {
		units[i] = u16(b[2*i:])
	}
	return string(utf16.Decode(units))
}
