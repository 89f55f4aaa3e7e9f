package pilot

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/etalon-sante/etalon/suites/candidate"
	"github.com/etalon-sante/etalon/suites/candidate/strictjson"
)

// Bounds of an answer.
const (
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
	if err := strictjson.Check(raw); err != nil {
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
