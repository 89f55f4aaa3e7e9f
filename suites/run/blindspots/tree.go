package blindspots

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"
)

// change is one way in which a JSON document was changed at one place.
type change struct {
	path string // with [] for every element, and the type of a resource: entry[].resource(Observation).status
	op   string
	json []byte
}

// The operations on a place of a JSON document.
const (
	opDrop   = "dropped"
	opNull   = "null"
	opType   = "another type"
	opValue  = "another value"
	opEmpty  = "empty"
	opTwice  = "element twice"
	opExtra  = "unknown property"
	maxDepth = 40
)

// firsts is how many elements of a list are varied, besides the last one: in a
// list of sixty measures the middle ones teach nothing.
const firsts = 2

// changes lists every document that differs from this one at one place. A
// document that cannot be read has none.
//
// wanted says whether one more of its kind is of use; it is asked once for each.
func changes(raw []byte, typed bool, words func(path string) []string, wanted func(path, op string) bool) []change {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var root any
	if d.Decode(&root) != nil {
		return nil
	}
	w := walker{root: root, typed: typed, words: words, wanted: wanted}
	w.walk(root, "", func(v any) { w.root = v }, nil, 0)
	return w.out
}

type walker struct {
	root   any
	typed  bool                       // written by us: what is an instant stays one
	words  func(path string) []string // every word that may stand at a place; nil where any text may
	wanted func(path, op string) bool
	out    []change
}

// write notes the document as it stands.
func (w *walker) write(path, op string) {
	path = strings.TrimPrefix(path, ".")
	if !w.wanted(path, op) {
		return
	}
	b, err := json.Marshal(w.root)
	if err != nil {
		return
	}
	w.out = append(w.out, change{path, op, b})
}

// walk tries every operation at a place: set puts a value there, remove takes
// it out (nil at the root).
func (w *walker) walk(v any, path string, set func(any), remove func(), depth int) {
	if depth > maxDepth {
		return
	}
	try := func(op string, with any) {
		set(with)
		w.write(path, op)
		set(v)
	}
	if remove != nil {
		remove()
		w.write(path, opDrop)
		set(v)
		try(opNull, nil)
	}
	switch x := v.(type) {
	case map[string]any:
		try(opType, "text")
		kind := ""
		if t, ok := x["resourceType"].(string); ok && strings.HasSuffix(path, ".resource") {
			kind = "(" + t + ")"
		}
		x["étalon"] = "x"
		w.write(path+kind, opExtra)
		delete(x, "étalon")
		keys := make([]string, 0, len(x))
		for k := range x {
			keys = append(keys, k)
		}
		sort.Strings(keys)
		for _, k := range keys {
			w.walk(x[k], path+kind+"."+k, func(v any) { x[k] = v }, func() { delete(x, k) }, depth+1)
		}
	case []any:
		try(opType, "text")
		try(opEmpty, []any{})
		if len(x) > 0 {
			try(opTwice, append(slices.Clone(x), x[0]))
		}
		for i := range x {
			if i >= firsts && i < len(x)-1 {
				continue
			}
			// The array itself is replaced while an element is out of it.
			w.walk(x[i], path+"[]", func(v any) { y := slices.Clone(x); y[i] = v; set(y) },
				func() { set(slices.Delete(slices.Clone(x), i, i+1)) }, depth+1)
			set(x)
		}
	case string:
		words := w.words(strings.TrimPrefix(path, "."))
		for _, word := range words {
			if word != x {
				try("“"+word+"”", word)
			}
		}
		if len(words) == 0 {
			try(opValue, other(x))
		}
		if _, err := time.Parse(time.RFC3339Nano, x); err != nil || !w.typed {
			try(opEmpty, "")
		}
		try(opType, json.Number("1"))
	case json.Number:
		try(opValue, json.Number(otherNumber(x)))
		try(opType, "1")
	case bool:
		try(opValue, !x)
		try(opType, "true")
	}
}

// other is a text of the same look, as far as that can be, with another
// meaning: the last letter or digit is exchanged.
func other(s string) string {
	if at, err := time.Parse(time.RFC3339Nano, s); err == nil {
		return at.AddDate(-2, 0, 1).Format(time.RFC3339Nano)
	}
	b := []rune(s)
	for i := len(b) - 1; i >= 0; i-- {
		switch c := b[i]; {
		case '0' <= c && c <= '8' || 'a' <= c && c <= 'y' || 'A' <= c && c <= 'Y':
			b[i]++
			return string(b)
		case c == '9' || c == 'z' || c == 'Z':
			b[i]--
			return string(b)
		}
	}
	return s + "x"
}

func otherNumber(n json.Number) string {
	if i, err := strconv.Atoi(n.String()); err == nil {
		return strconv.Itoa(i + 7)
	}
	f, err := n.Float64()
	if err != nil {
		return "7"
	}
	return fmt.Sprint(f + 7.5)
}
