package pilot

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/etalon-sante/etalon/suites/candidate"
)

// Bounds of an answer.
const (
	maxDepth   = 64   // levels of objects and lists
	maxNumber  = 64   // characters of a number
	maxMessage = 2000 // characters kept of a message
	maxOpen    = 4096 // bytes of a link
)

// DecodeAnswer reads one answer of the contract, of at most MaxAnswer bytes, strictly: what is tolerated
// here would be decided by chance later (which of two equal keys counts, what
// a second value means).
func DecodeAnswer(raw []byte) (candidate.Answer, error) {
	var none candidate.Answer
	if len(raw) > MaxAnswer {
		return none, fmt.Errorf("the answer exceeds %d bytes", MaxAnswer)
	}
	if len(bytes.TrimSpace(raw)) == 0 {
		return none, errors.New("the answer is empty: answer a JSON object such as {\"status\": \"done\"}")
	}
	if err := strict(raw); err != nil {
		return none, fmt.Errorf("the answer %s is not strict JSON: %w", beginning(raw), err)
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(raw, &fields); err != nil || fields == nil {
		return none, fmt.Errorf("the answer %s is not a JSON object", beginning(raw))
	}
	out := candidate.Answer{}
	for name, value := range fields {
		var target *string
		switch name {
		case "status":
			target = &out.Status
		case "open":
			target = &out.Open
		case "message":
			target = &out.Message
		case "data":
			if v := bytes.TrimSpace(value); !bytes.Equal(v, []byte("null")) {
				if v[0] != '{' {
					return none, errors.New("data is not an object")
				}
				out.Data = value
			}
			continue
		default:
			return none, fmt.Errorf("unknown field %q: the fields are status, open, data and message", short(name, 60))
		}
		// null is what many serialisers write for an absent text.
		if err := json.Unmarshal(value, target); err != nil {
			return none, fmt.Errorf("%s is not a text", name)
		}
	}
	switch out.Status {
	case "done", "refused", "failed", "unsupported":
	case "":
		return none, errors.New("status is missing: answer done, refused, failed or unsupported")
	default:
		return none, fmt.Errorf("status is %q: answer done, refused, failed or unsupported", short(out.Status, 60))
	}
	if out.Open != "" {
		if err := checkOpen(out.Open); err != nil {
			return none, err
		}
	}
	out.Message = short(out.Message, maxMessage)
	return out, nil
}

// checkOpen accepts a link that a browser can visit. The link is a secret: no
// message repeats it.
func checkOpen(open string) error {
	u, err := url.Parse(open)
	switch {
	case len(open) > maxOpen:
		return fmt.Errorf("open exceeds %d bytes", maxOpen)
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "":
		return errors.New("open is not a whole http or https address")
	case u.User != nil:
		return errors.New("open carries a user name or password: a one-time link needs none")
	}
	return nil
}

// strict refuses what encoding/json lets pass: duplicate keys, trailing bytes,
// invalid UTF-8, deep nesting and endless numbers.
func strict(raw []byte) error {
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
				if len(open) == maxDepth {
					return fmt.Errorf("nested deeper than %d levels", maxDepth)
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
					return fmt.Errorf("at byte %d: duplicate key %q", d.InputOffset(), short(t, 60))
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

// short keeps the first n characters of a text.
func short(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n]) + "…"
	}
	return s
}

// beginning shows how an unusable answer begins.
func beginning(raw []byte) string {
	head := raw[:min(len(raw), 200)]
	return fmt.Sprintf("%q", short(strings.ToValidUTF8(string(head), "?"), 60))
}
