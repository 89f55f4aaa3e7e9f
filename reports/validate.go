package reports

import (
	"bytes"
	_ "embed" // schema.json
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/xeipuuv/gojsonschema"
)

// SchemaID names the form of report.json; it changes when a reader would have to.
const SchemaID = "https://etalon-sante.github.io/etalon/schema/report-1.json"

// Bounds on what is read as a report, met before any other parser.
const (
	maxBytes  = 64 << 20
	maxDepth  = 64
	maxNumber = 64  // characters of a number
	maxExp    = 400 // gojsonschema expands exponents in memory: 1e10000000 never ends
)

//go:embed schema.json
var schema string

// Schema returns the JSON Schema (draft-07) of report.json.
func Schema() []byte { return []byte(schema) }

// InvalidError says that bytes are not a report: the places and what is wrong.
type InvalidError struct{ Problems []string }

func (e *InvalidError) Error() string {
	const shown = 5
	p := e.Problems
	if len(p) > shown {
		p = append(append([]string{}, p[:shown]...), fmt.Sprintf("and %d more", len(e.Problems)-shown))
	}
	return "report does not follow its schema: " + strings.Join(p, "; ")
}

// Validate says whether b is a report that follows schema.json. The bytes may
// come from anyone: they are bounded and parsed strictly first.
func Validate(b []byte) error {
	if err := strict(b); err != nil {
		return fmt.Errorf("validate report: %w", err)
	}
	return follows(b)
}

// follows says whether bytes that strict accepts, or that our own encoder wrote,
// follow the schema.
func follows(b []byte) (err error) {
	// gojsonschema panics on input that it did not foresee.
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("validate report: the schema validator gave up: %v", p)
		}
	}()
	s, err := gojsonschema.NewSchema(gojsonschema.NewStringLoader(schema))
	if err != nil {
		return fmt.Errorf("validate report: read the embedded schema: %w", err)
	}
	res, err := s.Validate(gojsonschema.NewBytesLoader(b))
	if err != nil {
		return fmt.Errorf("validate report: %w", err)
	}
	if res.Valid() {
		return nil
	}
	invalid := &InvalidError{}
	for _, e := range res.Errors() {
		invalid.Problems = append(invalid.Problems, e.Field()+": "+e.Description())
	}
	return fmt.Errorf("validate report: %w", invalid)
}

// strict refuses what lenient parsers read in different ways: duplicate keys,
// bytes after the end, invalid UTF-8, huge numbers, deep nesting.
func strict(b []byte) error {
	if len(b) > maxBytes {
		return fmt.Errorf("%d bytes, more than the %d allowed", len(b), maxBytes)
	}
	if !utf8.Valid(b) {
		return errors.New("not valid UTF-8")
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	// One frame per open object or array; keys is nil in an array.
	type frame struct {
		keys  map[string]bool
		isKey bool
	}
	var open []frame
	for values := 0; ; {
		tok, err := d.Token()
		if err == io.EOF && values == 1 && len(open) == 0 {
			return nil
		}
		if err != nil {
			return fmt.Errorf("not JSON near byte %d: %w", d.InputOffset(), err)
		}
		if len(open) == 0 {
			if values++; values > 1 {
				return fmt.Errorf("bytes after the end of the report, at byte %d", d.InputOffset())
			}
		}
		if n := len(open); n > 0 && open[n-1].keys != nil && open[n-1].isKey {
			if key, ok := tok.(string); ok {
				if open[n-1].keys[key] {
					return fmt.Errorf("key %.80q twice in one object, near byte %d", key, d.InputOffset())
				}
				open[n-1].keys[key], open[n-1].isKey = true, false
				continue
			}
		}
		switch t := tok.(type) {
		case json.Delim:
			switch t {
			case '{':
				open = append(open, frame{keys: map[string]bool{}, isKey: true})
			case '[':
				open = append(open, frame{})
			default:
				open = open[:len(open)-1]
				if n := len(open); n > 0 {
					open[n-1].isKey = true
				}
			}
			if len(open) > maxDepth {
				return fmt.Errorf("nested deeper than %d levels, near byte %d", maxDepth, d.InputOffset())
			}
			continue
		case json.Number:
			if err := bounded(t.String()); err != nil {
				return fmt.Errorf("%w, near byte %d", err, d.InputOffset())
			}
		}
		if n := len(open); n > 0 {
			open[n-1].isKey = true
		}
	}
}

// bounded refuses numbers that cost more than they can mean.
func bounded(n string) error {
	if len(n) > maxNumber {
		return fmt.Errorf("a number of %d characters, more than %d", len(n), maxNumber)
	}
	i := strings.IndexAny(n, "eE")
	if i < 0 {
		return nil
	}
	exp := 0
	for _, c := range strings.TrimLeft(n[i+1:], "+-") {
		if exp = exp*10 + int(c-'0'); exp > maxExp {
			return fmt.Errorf("a number with an exponent beyond %d", maxExp)
		}
	}
	return nil
}

// Read parses and validates the bytes of a report.json.
func Read(b []byte) (Report, error) {
	if err := Validate(b); err != nil {
		return Report{}, err
	}
	var r Report
	if err := json.Unmarshal(b, &r); err != nil {
		return Report{}, fmt.Errorf("read report: %w", err)
	}
	return r, nil
}

// Write publishes a report as JSON, in its normal form. It refuses to write
// what does not follow the schema, so that no reader meets it first.
func Write(w io.Writer, r Report) error {
	b, err := encode(r)
	if err != nil {
		return fmt.Errorf("write report.json: %w", err)
	}
	if len(b) > maxBytes { // what could not be read back
		return fmt.Errorf("write report.json: %d bytes, more than the %d allowed", len(b), maxBytes)
	}
	if err := follows(b); err != nil {
		return fmt.Errorf("write report.json: %w", err)
	}
	if _, err := w.Write(b); err != nil {
		return fmt.Errorf("write report.json: %w", err)
	}
	return nil
}
