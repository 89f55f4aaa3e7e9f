package fhir

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"
)

// The limits of a message. Numbers beyond them make gojsonschema panic or run
// for minutes (it computes with exact rationals); no measure needs them.
const (
	MaxDepth    = 64  // nesting of objects and arrays
	MaxNumber   = 64  // characters of a number
	MaxExponent = 400 // absolute value of a number's exponent
)

// SyntaxError says why bytes are not JSON that we read.
type SyntaxError struct {
	Offset  int64  // byte at which it was noticed
	Pointer string // JSON pointer of the value concerned
	Text    string
}

// Error implements error.
func (e *SyntaxError) Error() string {
	return fmt.Sprintf("decode JSON: byte %d, at %q: %s", e.Offset, e.Pointer, e.Text)
}

// Decode reads one JSON value strictly: UTF-8 only, no repeated member, nothing
// after the value, numbers kept as json.Number and bounded, nesting bounded.
// Every error is a *SyntaxError.
func Decode(raw []byte) (any, error) {
	if !utf8.Valid(raw) {
		return nil, &SyntaxError{Text: "the bytes are not UTF-8"}
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	w := decoder{d: d}
	v, err := w.value("", 0)
	if err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, w.fail("", "there is something after the value")
	}
	return v, nil
}

type decoder struct{ d *json.Decoder }

func (w decoder) fail(pointer, format string, args ...any) error {
	return &SyntaxError{Offset: w.d.InputOffset(), Pointer: pointer, Text: fmt.Sprintf(format, args...)}
}

func (w decoder) token(pointer string) (json.Token, error) {
	t, err := w.d.Token()
	switch {
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		return nil, w.fail(pointer, "the text ends too early")
	case err != nil:
		return nil, w.fail(pointer, "%v", err)
	}
	return t, nil
}

func (w decoder) value(pointer string, depth int) (any, error) {
	t, err := w.token(pointer)
	if err != nil {
		return nil, err
	}
	switch x := t.(type) {
	case json.Delim:
		if depth++; depth > MaxDepth {
			return nil, w.fail(pointer, "nesting is deeper than %d", MaxDepth)
		}
		if x == '{' {
			return w.object(pointer, depth)
		}
		return w.array(pointer, depth)
	case json.Number:
		if err := boundNumber(x.String()); err != nil {
			return nil, w.fail(pointer, "%v", err)
		}
		return x, nil
	default:
		return t, nil
	}
}

func (w decoder) object(pointer string, depth int) (any, error) {
	out := map[string]any{}
	for w.d.More() {
		t, err := w.token(pointer)
		if err != nil {
			return nil, err
		}
		name, ok := t.(string)
		if !ok {
			return nil, w.fail(pointer, "a member's name must be a string")
		}
		at := pointer + "/" + escape(name)
		if _, twice := out[name]; twice {
			return nil, w.fail(at, "the member is given twice")
		}
		if out[name], err = w.value(at, depth); err != nil {
			return nil, err
		}
	}
	_, err := w.token(pointer)
	return out, err
}

func (w decoder) array(pointer string, depth int) (any, error) {
	out := []any{}
	for w.d.More() {
		v, err := w.value(pointer+"/"+strconv.Itoa(len(out)), depth)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	_, err := w.token(pointer)
	return out, err
}

// boundNumber refuses numbers that are costly or dangerous to compute with.
func boundNumber(s string) error {
	if len(s) > MaxNumber {
		return fmt.Errorf("a number has more than %d characters", MaxNumber)
	}
	i := strings.IndexAny(s, "eE")
	if i < 0 {
		return nil
	}
	exp, err := strconv.Atoi(strings.TrimPrefix(s[i+1:], "+"))
	if err != nil || exp > MaxExponent || exp < -MaxExponent {
		return fmt.Errorf("the exponent of a number is beyond %d", MaxExponent)
	}
	return nil
}

// escape writes one part of a JSON pointer (RFC 6901).
func escape(name string) string {
	if !strings.ContainsAny(name, "~/") {
		return name
	}
	return strings.NewReplacer("~", "~0", "/", "~1").Replace(name)
}
