package interop

import (
	"encoding/base64"
	"fmt"
	"math/big"
	"strings"

	"github.com/etalon-sante/etalon/sandbox/fhir"
	"github.com/etalon-sante/etalon/sandbox/record"
	. "github.com/etalon-sante/etalon/suites/lab"
)

// overTrace is a matcher over a trace as a whole.
type overTrace struct {
	name string
	find func(Trace) []Finding
}

func (m overTrace) Findings(t Trace, _ bool) []Finding { return m.find(t) }
func (m overTrace) Match(actual any) (bool, error) {
	t, ok := actual.(Trace)
	return ok && len(m.find(t)) == 0, nil
}
func (m overTrace) FailureMessage(any) string        { return "expected: " + m.name }
func (m overTrace) NegatedFailureMessage(any) string { return "expected otherwise than: " + m.name }

// sent is the body of a request as JSON, nil when it is none.
func sent(r record.Record) any {
	if r.Exchange == nil || r.Exchange.Request.Body == nil {
		return nil
	}
	v, err := fhir.Decode([]byte(r.Exchange.Request.Body.Text))
	if err != nil {
		return nil
	}
	return v
}

// at follows member names through objects; nil where one is missing.
func at(v any, path ...string) any {
	for _, name := range path {
		m, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = m[name]
	}
	return v
}

// resource is the first resource of a type in the Bundle that was sent.
func resource(r record.Record, kind string) any {
	res, _ := entry(r, kind)
	return res
}

func entry(r record.Record, kind string) (any, int) {
	entries, _ := at(sent(r), "entry").([]any)
	for i, e := range entries {
		if res := at(e, "resource"); at(res, "resourceType") == kind {
			return res, i
		}
	}
	return nil, -1
}

func observation(r record.Record) any { return resource(r, "Observation") }

// pointer is the JSON pointer of a member of the Observation that was sent.
func pointer(r record.Record, path string) string {
	_, i := entry(r, "Observation")
	if i < 0 {
		return "/entry"
	}
	return fmt.Sprintf("/entry/%d/resource/%s", i, path)
}

// component is the value of a component by its code.
func component(o any, code string) any {
	comps, _ := at(o, "component").([]any)
	for _, c := range comps {
		codings, _ := at(c, "code", "coding").([]any)
		for _, k := range codings {
			if at(k, "code") == code {
				return at(c, "valueQuantity", "value")
			}
		}
	}
	return nil
}

func quote(list []string) string { return strings.Join(list, ", ") }

func decode(raw []byte) (any, error) { return fhir.Decode(raw) }

// canonical writes a decimal number one way, whatever its zeros.
func canonical(s string) string {
	if len(s) > 64 {
		return s
	}
	x, ok := new(big.Rat).SetString(s)
	if !ok {
		return s
	}
	return x.RatString()
}

func unbase64(s string) ([]byte, error) { return base64.StdEncoding.DecodeString(s) }

// bytesOf is the body of an answer as it was served, as far as it is kept.
func bytesOf(r record.Record) []byte {
	b := r.Exchange.Response.Body
	if b == nil {
		return nil
	}
	if b.Encoding == "base64" {
		out, err := unbase64(b.Text)
		if err != nil {
			return nil
		}
		return out
	}
	return []byte(b.Text)
}
