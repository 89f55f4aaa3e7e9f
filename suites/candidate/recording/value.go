package recording

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// Value is a text of a recording, with what stands in the place of something that
// is known only when it is played:
//
//	env:NAME        a secret, from the environment
//	totp:env:NAME   the one-time code that a secret of the environment gives now
//	{{name}}        user, password and totp of the account; site; of an action, what it is about
//
// A secret is the whole of the text; names in braces may stand among other text.
type Value struct {
	Text string
}

const (
	envPrefix  = "env:"
	totpPrefix = "totp:env:"
)

// Words gives what stands for a name: "env:NAME", "totp:env:NAME", or the inside of
// the braces.
type Words func(name string) (string, error)

func variable() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,99}$`) }

func place() *regexp.Regexp { return regexp.MustCompile(`\{\{([^{}]*)\}\}`) }

func readValue(text string) (Value, error) {
	if utf8.RuneCountInString(text) > maxText {
		return Value{}, fmt.Errorf("more than %d characters", maxText)
	}
	v := Value{Text: text}
	if name, ok := v.secret(); ok && !variable().MatchString(name) {
		return Value{}, errors.New("what follows env: is no name of a variable of the environment")
	}
	for _, m := range place().FindAllStringSubmatch(text, -1) {
		if !regexp.MustCompile(`^[A-Za-z][A-Za-z0-9.-]{0,79}$`).MatchString(m[1]) {
			return Value{}, fmt.Errorf("%.40q is no name: letters, digits, dots and hyphens", m[1])
		}
	}
	return v, nil
}

// secret gives the variable of the environment that a value refers to.
func (v Value) secret() (string, bool) {
	if name, ok := strings.CutPrefix(v.Text, totpPrefix); ok {
		return name, true
	}
	return strings.CutPrefix(v.Text, envPrefix)
}

// Literal says whether the text is what is typed, as it stands.
func (v Value) Literal() bool {
	_, secret := v.secret()
	return !secret && !place().MatchString(v.Text)
}

// Is says whether the value holds a name in braces.
func (v Value) Is(name string) bool { return strings.Contains(v.Text, "{{"+name+"}}") }

// Code says whether the value is a one-time code.
func (v Value) Code() bool { return strings.HasPrefix(v.Text, totpPrefix) || v.Is("totp") }

// Write puts what is known now in the place of names.
func (v Value) Write(words Words) (string, error) {
	if _, secret := v.secret(); secret {
		return words(v.Text)
	}
	var failed error
	out := place().ReplaceAllStringFunc(v.Text, func(m string) string {
		text, err := words(m[2 : len(m)-2])
		if err != nil && failed == nil {
			failed = err
		}
		return text
	})
	return out, failed
}

// Secrets lists the variables of the environment that the values refer to.
func (r Recording) Secrets() []string {
	var out []string
	for _, s := range r.Steps {
		for _, v := range []Value{s.Value, s.URL} {
			if name, ok := v.secret(); ok && !slices.Contains(out, name) {
				out = append(out, name)
			}
		}
	}
	return out
}

// Names lists what stands in braces.
func (r Recording) Names() []string {
	var out []string
	for _, s := range r.Steps {
		for _, v := range []Value{s.Value, s.URL} {
			for _, m := range place().FindAllStringSubmatch(v.Text, -1) {
				if !slices.Contains(out, m[1]) {
					out = append(out, m[1])
				}
			}
		}
	}
	return out
}

// Code finds the first step that types a one-time code; its index, or -1.
func (r Recording) Code() int {
	return slices.IndexFunc(r.Steps, func(s Step) bool { return s.Kind == Change && s.Value.Code() })
}
