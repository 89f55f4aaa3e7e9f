// Package strictjson refuses what encoding/json lets pass: of two equal keys, it
// would be decided by chance which one counts.
package strictjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// Bounds of a text that is read.
const (
	MaxDepth  = 64 // levels of objects and lists
	maxNumber = 64 // characters of a number
	maxKey    = 60 // characters of a key that a message repeats
)

// Check refuses invalid UTF-8, duplicate keys, deep nesting, endless numbers, and
// whatever follows the value. The error says where.
func Check(raw []byte) error {
	if !utf8.Valid(raw) {
		return errors.New("invalid UTF-8")
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	type level struct {
		keys map[string]bool // nil in a list
		key  bool            // a key comes next
	}
	var open []level
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return errors.New("it ends too early")
		}
		if err != nil {
			return fmt.Errorf("at byte %d: %w", d.InputOffset(), err)
		}
		top := len(open) - 1
		switch t := token.(type) {
		case json.Delim:
			switch t {
			case '{', '[':
				if top >= 0 {
					open[top].key = open[top].keys != nil
				}
				if len(open) == MaxDepth {
					return fmt.Errorf("nested deeper than %d levels", MaxDepth)
				}
				l := level{}
				if t == '{' {
					l = level{keys: map[string]bool{}, key: true}
				}
				open = append(open, l)
			default:
				open = open[:top]
			}
		case string:
			if top >= 0 && open[top].key {
				if open[top].keys[t] {
					return fmt.Errorf("at byte %d: duplicate key %q", d.InputOffset(), short(t))
				}
				open[top].keys[t] = true
				open[top].key = false
				continue
			}
			if top >= 0 {
				open[top].key = open[top].keys != nil
			}
		default:
			if n, ok := t.(json.Number); ok && !bounded(string(n)) {
				return fmt.Errorf("at byte %d: a number that is too long or too large", d.InputOffset())
			}
			if top >= 0 {
				open[top].key = open[top].keys != nil
			}
		}
		if len(open) == 0 {
			break
		}
	}
	if rest := bytes.TrimSpace(raw[d.InputOffset():]); len(rest) > 0 {
		return fmt.Errorf("something follows it at byte %d", d.InputOffset())
	}
	return nil
}

func bounded(n string) bool {
	if len(n) > maxNumber {
		return false
	}
	_, exponent, ok := strings.Cut(strings.ToLower(n), "e")
	if !ok {
		return true
	}
	exponent = strings.TrimLeft(exponent, "+-")
	exponent = strings.TrimLeft(exponent, "0")
	return len(exponent) < 3 || len(exponent) == 3 && exponent <= "400"
}

func short(s string) string {
	if r := []rune(s); len(r) > maxKey {
		return string(r[:maxKey]) + "…"
	}
	return s
}
