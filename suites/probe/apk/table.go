package apk

import "fmt"

// Limits of what one reference leads to.
const (
	maxHops   = 10
	maxValues = 20 // of one resource, one for each configuration
)

const (
	packageHeader = 12 // of which is read: the chunk and the number of the package
	typeHeader    = 20
	flagSparse    = 0x01
	flagShort     = 0x02
	entryComplex  = 0x01
	entryCompact  = 0x08
)

// table is a table of resources. What a number stands for is looked up when it is
// asked for; nothing else of it is read.
type table struct {
	strings  pool
	packages []chunk
}

func readTable(b []byte) (table, error) {
	var t table
	c, _, err := cut(b)
	if err != nil {
		return t, err
	}
	if c.kind != chunkTable {
		return t, fmt.Errorf("it is no table of resources (it begins with type %#04x)", c.kind)
	}
	first := true
	err = each(c.body, func(c chunk) (err error) {
		switch {
		case c.kind == chunkStrings && first:
			t.strings, err = newPool(c)
			first = false
		case c.kind == chunkPackage && len(c.header) >= packageHeader && len(t.packages) < 16:
			t.packages = append(t.packages, c)
		}
		return err
	})
	return t, err
}

// values are what a reference leads to, one for each configuration of the phone;
// nothing where the table does not hold it, as for what is Android's own.
func (t table) values(id uint32) []value {
	var out []value
	t.follow(id, 0, &out)
	return out
}

func (t table) follow(id uint32, hops int, out *[]value) {
	if hops > maxHops {
		return
	}
	for _, p := range t.packages {
		if u32(p.header[8:]) != id>>24 {
			continue
		}
		// A chunk that cannot be read ends the package: what stands before it is
		// read all the same, as Android would have refused the whole.
		_ = each(p.body, func(c chunk) error {
			if c.kind != chunkType || len(*out) >= maxValues {
				return nil
			}
			v, ok := entry(c, id)
			if !ok {
				return nil
			}
			if v.refers() {
				t.follow(v.data, hops+1, out)
				return nil
			}
			if v.kind == typeString {
				v.text = t.strings.at(v.data)
			}
			*out = append(*out, v)
			return nil
		})
	}
}

// entry reads one entry of a chunk of values, where it has it.
func entry(c chunk, id uint32) (value, bool) {
	if len(c.header) < typeHeader || uint32(c.header[8]) != id>>16&0xff {
		return value{}, false
	}
	flags, count, start := c.header[9], uint64(u32(c.header[12:])), uint64(u32(c.header[16:]))
	head := uint64(len(c.header))
	if start < head || start-head > uint64(len(c.body)) {
		return value{}, false
	}
	from, ok := offset(c.body, flags, count, uint64(id&0xffff))
	entries := c.body[start-head:]
	if !ok || from+8 > uint64(len(entries)) {
		return value{}, false
	}
	e := entries[from:]
	size, kind := uint64(u16(e)), u16(e[2:])
	if kind&entryCompact != 0 { // key, flags with the type above, data
		return value{kind: uint8(kind >> 8), data: u32(e[4:])}, true
	}
	if kind&entryComplex != 0 || size < 8 || size+8 > uint64(len(e)) {
		return value{}, false
	}
	return value{kind: e[size+3], data: u32(e[size+4:])}, true
}

// offset says where an entry stands among the entries.
func offset(b []byte, flags byte, count, index uint64) (uint64, bool) {
	switch {
	case flags&flagSparse != 0:
		if count*4 > uint64(len(b)) {
			return 0, false
		}
		for i := range count {
			if uint64(u16(b[4*i:])) == index {
				return uint64(u16(b[4*i+2:])) * 4, true
			}
		}
		return 0, false
	case index >= count:
		return 0, false
	case flags&flagShort != 0:
		if 2*index+2 > uint64(len(b)) || u16(b[2*index:]) == 0xffff {
			return 0, false
		}
		return uint64(u16(b[2*index:])) * 4, true
	}
	if 4*index+4 > uint64(len(b)) || u32(b[4*index:]) == nothing {
		return 0, false
	}
	return uint64(u32(b[4*index:])), true
}
