package leak

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"path"
	"sort"
	"strconv"
	"strings"
)

// locate says where a secret stands that was found in a piece of a file, whose first
// line has a number. It is asked once, when one was found: the lines are searched one by one.
func (s *Scanner) locate(name string, content, part []byte, line int, h hit) Leak {
	out := Leak{Secret: h.name, Form: h.form}
	if !isText(part) {
		return out
	}
	out.Line = line
	whole := part
	for rest := part; len(rest) > 0; line++ {
		var one []byte
		one, rest, _ = bytes.Cut(rest, []byte("\n"))
		if found, ok := s.look(one, newWork(new(budget))); ok {
			out.Line, out.Secret, out.Form, whole = line, found.name, found.form, one
			break
		}
	}
	switch path.Ext(name) {
	case ".jsonl":
		out.Pointer = s.pointer(whole)
	case ".json":
		out.Pointer = s.pointer(content)
	}
	return out
}

// pointer says where in a JSON value a secret stands; "" when it is none, or when
// only the value as a whole shows it.
func (s *Scanner) pointer(raw []byte) string {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return ""
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return ""
	}
	at, _ := s.within(v, "")
	return at
}

func (s *Scanner) within(v any, at string) (string, bool) {
	switch v := v.(type) {
	case string:
		if _, found := s.look([]byte(v), newWork(new(budget))); found {
			return at, true
		}
	case json.Number:
		if _, found := s.find([]byte(v)); found {
			return at, true
		}
	case []any:
		for i, x := range v {
			if p, found := s.within(x, at+"/"+strconv.Itoa(i)); found {
				return p, true
			}
		}
	case map[string]any:
		keys := make([]string, 0, len(v))
		for k := range v {
			keys = append(keys, k)
		}
		sort.Strings(keys)
		for i, k := range keys {
			if _, found := s.look([]byte(k), newWork(new(budget))); found {
				// A key that holds a secret cannot be named.
				return at + "/(key " + strconv.Itoa(i+1) + ")", true
			}
			if p, found := s.within(v[k], at+"/"+strings.NewReplacer("~", "~0", "/", "~1").Replace(k)); found {
				return p, true
			}
		}
	}
	return "", false
}
