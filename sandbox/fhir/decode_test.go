package fhir

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
)

func TestDecodeRefusesWhatAStrictReaderMustNotTake(t *testing.T) {
	deep := strings.Repeat("[", MaxDepth+1) + strings.Repeat("]", MaxDepth+1)
	for name, c := range map[string]struct{ in, pointer, says string }{
		"nothing":                      {"", "", "too early"},
		"a cut object":                 {`{"a":`, "/a", "too early"},
		"a cut string":                 {`"a`, "", "too early"},
		"a cut escape":                 {`"a\`, "", "too early"},
		"a cut word":                   {`[tru`, "/0", "too early"},
		"a member given twice":         {`{"a":{"b":1,"b":2}}`, "/a/b", "twice"},
		"a twice given by an escape":   {`{"a":1,"\u0061":2}`, "/a", "twice"},
		"something after the value":    {`{} {}`, "", "after the value"},
		"bytes that are not UTF-8":     {"\"\xff\"", "", "UTF-8"},
		"a byte order mark":            {"\ufeff{}", "", "unexpected"},
		"an exponent beyond":           {`[1,1e10000000]`, "/1", "exponent"},
		"an exponent beyond an int":    {`1e99999999999999999999`, "", "exponent"},
		"a negative exponent beyond":   {`1e-401`, "", "exponent"},
		"a number that is too long":    {strings.Repeat("1", MaxNumber+1), "", "characters"},
		"a number that begins with 0":  {`01`, "", "after the value"},
		"a number that ends in a dot":  {`[1.]`, "/0", "unexpected"},
		"a lone minus":                 {`-`, "", "too early"},
		"an exponent without digits":   {`1e`, "", "too early"},
		"a control character":          {"\"a\nb\"", "", "control"},
		"a wrong escape":               {`"\x"`, "", "escape"},
		"a trailing comma in a list":   {`[1,]`, "/1", "unexpected"},
		"a trailing comma in a object": {`{"a":1,}`, "", "unexpected"},
		"a member without quotes":      {`{a:1}`, "", "unexpected"},
		"a missing colon":              {`{"a" 1}`, "/a", "unexpected"},
		"a missing comma":              {`[1 2]`, "", "unexpected"},
		"nesting that is too deep":     {deep, strings.Repeat("/0", MaxDepth), "deeper"},
		"a slash in a name":            {`{"a/b~":01}`, "", "unexpected"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Decode([]byte(c.in))
			var s *SyntaxError
			if !errors.As(err, &s) {
				t.Fatalf("expected a SyntaxError, got %v", err)
			}
			if !strings.Contains(s.Text, c.says) || s.Pointer != c.pointer {
				t.Fatalf("got %v", s)
			}
		})
	}
}

func TestDecodeReadsWhatJSONIs(t *testing.T) {
	for _, in := range []string{
		` null `, `true`, `false`, `0`, `-0.5e+3`, `1E400`, `""`, `"é\u00e9\ud83d\ude00\"\\"`, `[]`, `{}`,
		`[1, {"a":[null,"b"] , "c":-1.25}]`, strings.Repeat("[", MaxDepth) + strings.Repeat("]", MaxDepth),
	} {
		got, err := Decode([]byte(in))
		if err != nil {
			t.Errorf("%s: %v", in, err)
			continue
		}
		if want := standard(t, in); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %#v, want %#v", in, got, want)
		}
	}
}

func standard(t testing.TB, in string) any {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader([]byte(in)))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		t.Fatalf("encoding/json refuses %q: %v", in, err)
	}
	return v
}

// FuzzDecode holds Decode against encoding/json: whatever is accepted is JSON
// and means the same.
func FuzzDecode(f *testing.F) {
	for _, s := range []string{
		`{"resourceType":"Bundle","entry":[{"resource":{"value":72.5}}]}`, `[1e400,-0.0]`, `{"a":1,"a":2}`, `"\ud800"`,
		`{"a":"\u0000"}`, "[\"\u2028\"]", `1e10000000`, strings.Repeat("[", 80), ` { } `, `"\"`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		got, err := Decode(in)
		if err != nil {
			var s *SyntaxError
			if !errors.As(err, &s) || s.Offset > len(in) {
				t.Fatalf("not a SyntaxError within the input: %v", err)
			}
			return
		}
		if want := standard(t, string(in)); !reflect.DeepEqual(got, want) {
			t.Fatalf("got %#v, want %#v", got, want)
		}
	})
}
