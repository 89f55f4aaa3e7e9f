// Package settings holds what the sandbox takes for true of the real APIs: one
// file per API version, each value with its basis, which a person who holds the
// real specifications can correct without touching code.
package settings

import (
	"embed"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"
)

// maxFile bounds a settings file, in bytes.
const maxFile = 1 << 20

// Basis says how well a value is founded.
type Basis string

// The bases.
const (
	Stated  Basis = "stated"  // the source says it
	Derived Basis = "derived" // it follows from what sources say
	Assumed Basis = "assumed" // no source was found
)

// Text is a text in the two languages of the project.
type Text struct {
	FR string `json:"fr"`
	EN string `json:"en"`
}

// Value is one setting.
type Value struct {
	Key    string `json:"key"`
	Value  any    `json:"value"` // string, int, bool or []string; a duration is a string such as "60s"
	Basis  Basis  `json:"basis"`
	Source string `json:"source"`
	Note   Text   `json:"note"`
	// Overridden says that the value was given for this run and is not the
	// file's; its basis is still that of the file.
	Overridden bool `json:"overridden"`
}

// Text returns the value as one string; a list is separated by commas.
func (v Value) Text() string {
	switch x := v.Value.(type) {
	case []string:
		return strings.Join(x, ",")
	default:
		return fmt.Sprint(x)
	}
}

// Finalite is one purpose that the consent page offers.
type Finalite struct {
	Code  string `json:"code"`
	Label Text   `json:"label"`
	Write bool   `json:"write"`
	Kind  string `json:"kind"` // measures, documents, agenda
}

// Gap is a behaviour of production that the sandbox does not reproduce.
type Gap struct {
	ID   string `json:"id"`
	Text Text   `json:"text"`
}

// Settings is one checked settings file, with what was overridden. It does not
// change once made.
type Settings struct {
	id        string
	title     Text
	values    map[string]Value
	finalites []Finalite
	gaps      []Gap
}

//go:embed mes-2023.yaml
var builtin embed.FS

// Load returns the settings that the sandbox is built with.
func Load() (*Settings, error) {
	const name = "mes-2023.yaml"
	raw, err := builtin.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("read embedded settings: %w", err)
	}
	return Parse(name, raw)
}

// LoadFile reads the settings of a file, which must be complete.
func LoadFile(path string) (*Settings, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read settings: %w", err)
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("read settings %s: %w", path, err)
	}
	return Parse(path, raw)
}

// ID names the settings: "mes-2023". With overrides it ends in "+" and how many.
func (s *Settings) ID() string {
	n := 0
	for _, v := range s.values {
		if v.Overridden {
			n++
		}
	}
	if n == 0 {
		return s.id
	}
	return s.id + "+" + strconv.Itoa(n)
}

// Title says what the settings describe.
func (s *Settings) Title() Text { return s.title }

// Value returns one setting and whether the key is known.
func (s *Settings) Value(key string) (Value, bool) {
	v, ok := s.values[key]
	if l, isList := v.Value.([]string); isList {
		v.Value = append([]string(nil), l...)
	}
	return v, ok
}

// String returns a text setting, "" when the key is not one.
func (s *Settings) String(key string) string {
	v, _ := s.values[key].Value.(string)
	return v
}

// Int returns a whole-number setting, 0 when the key is not one.
func (s *Settings) Int(key string) int {
	v, _ := s.values[key].Value.(int)
	return v
}

// Bool returns a yes-or-no setting, false when the key is not one.
func (s *Settings) Bool(key string) bool {
	v, _ := s.values[key].Value.(bool)
	return v
}

// Duration returns a duration setting, 0 when the key is not one.
func (s *Settings) Duration(key string) time.Duration {
	d, err := time.ParseDuration(s.String(key))
	if err != nil {
		return 0
	}
	return d
}

// List returns a copy of a list setting, nil when the key is not one.
func (s *Settings) List(key string) []string {
	l, _ := s.values[key].Value.([]string)
	return append([]string(nil), l...)
}

// Assumed returns the key when the setting is assumed, else "": what an issue
// that rests on the setting names.
func (s *Settings) Assumed(key string) string {
	if v, ok := s.values[key]; ok && v.Basis == Assumed {
		return key
	}
	return ""
}

// All lists the settings by key.
func (s *Settings) All() []Value {
	out := make([]Value, 0, len(s.values))
	for k := range s.values {
		v, _ := s.Value(k)
		out = append(out, v)
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Key < out[j].Key })
	return out
}

// NotReproduced lists the behaviours of production that the sandbox does not
// reproduce.
func (s *Settings) NotReproduced() []Gap { return append([]Gap(nil), s.gaps...) }

// Finalites lists the purposes that the consent page offers, in order.
func (s *Settings) Finalites() []Finalite {
	var out []Finalite
	for _, code := range s.List("finalites") {
		for _, f := range s.finalites {
			if f.Code == code {
				out = append(out, f)
			}
		}
	}
	return out
}

// With returns a copy with some values replaced; lists are written with commas.
// An unknown key or a value of the wrong type is refused.
func (s *Settings) With(overrides map[string]string) (*Settings, error) {
	out := *s
	out.values = maps.Clone(s.values)
	known := keys()
	for _, k := range slices.Sorted(maps.Keys(overrides)) {
		v, ok := out.values[k]
		if !ok {
			return nil, fmt.Errorf("override setting %q: there is no such setting; `etalon sandbox assumptions` lists them", k)
		}
		x, err := parseText(known[k], overrides[k])
		if err != nil {
			return nil, fmt.Errorf("override setting %q: %w", k, err)
		}
		v.Value, v.Overridden = x, true
		out.values[k] = v
	}
	if err := out.check(); err != nil {
		return nil, fmt.Errorf("override settings: %w", err)
	}
	return &out, nil
}

// check refuses values that are of the right type and yet make no sense.
func (s *Settings) check() error {
	for _, code := range s.List("finalites") {
		found := false
		for _, f := range s.finalites {
			found = found || f.Code == code
		}
		if !found {
			return fmt.Errorf("setting %q: %q is not described under finalites", "finalites", code)
		}
	}
	for k, v := range s.values {
		if n, ok := v.Value.(int); ok && n <= 0 {
			return fmt.Errorf("setting %q: %d is not above zero", k, n)
		}
		if p, ok := v.Value.(string); ok && strings.HasPrefix(k, "path.") && !strings.HasPrefix(p, "/") {
			return fmt.Errorf("setting %q: the path %q must begin with /", k, p)
		}
	}
	for _, pair := range [][2]string{{"search.count-default", "search.count-max"}, {"document.count-default", "document.count-max"}, {"agenda.count-default", "agenda.count-max"}} {
		if s.Int(pair[0]) > s.Int(pair[1]) {
			return fmt.Errorf("setting %q is above %q", pair[0], pair[1])
		}
	}
	for key, words := range map[string][]string{
		"measure.binding":           {"required", "extensible"},
		"pairing.idpe":              {"mes", "service"},
		"document.subject":          {"identifier", "any"},
		"client.auth":               {"client_secret_basic", "client_secret_post", "private_key_jwt", "tls_client_auth", "self_signed_tls_client_auth"},
		"client.assertion-audience": {"token", "issuer", "either"},
	} {
		if v := s.String(key); !slices.Contains(words, v) {
			return fmt.Errorf("setting %q: %q is none of %s", key, v, strings.Join(words, ", "))
		}
	}
	if err := s.checkLife(); err != nil {
		return err
	}
	if n := s.Int("measure.no-bundle-status"); n != 400 && n != 422 {
		return fmt.Errorf("setting %q: %d is neither 400 nor 422", "measure.no-bundle-status", n)
	}
	return nil
}
