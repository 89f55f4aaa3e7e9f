package identity

import (
	"encoding/base64"
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/etalon-sante/etalon/sandbox/control"
	"github.com/etalon-sante/etalon/sandbox/record"
)

func TestEachStateHasASentenceInBothLanguages(t *testing.T) {
	for _, lang := range []string{"fr", "en"} {
		x := textsIn(lang)
		v := reflect.ValueOf(x.lifeTexts)
		for i := range v.NumField() {
			if f := v.Field(i); f.Kind() == reflect.String && f.String() == "" {
				t.Errorf("%s: %s is empty", lang, v.Type().Field(i).Name)
			}
		}
		for _, status := range control.ServiceStatuses() {
			if x.status(status) == "" {
				t.Errorf("%s: no sentence for the status %s", lang, status)
			}
		}
		for _, state := range control.SpaceStates() {
			if state != control.SpaceActive && x.barred(Bar{By: record.WithheldSpace, State: state}) == "" {
				t.Errorf("%s: no sentence for a space that is %s", lang, state)
			}
		}
	}
}

func TestTheAccountIsReadStrictlyEnough(t *testing.T) {
	whole := `{"firstName":" Ada ","lastName":"Essai","email":"a@b.test","login":"ada"}`
	for name, c := range map[string]struct {
		value string
		ok    bool
	}{
		"whole":              {base64.RawURLEncoding.EncodeToString([]byte(whole)), true},
		"padded":             {base64.URLEncoding.EncodeToString([]byte(whole + " ")), true},
		"unknown members":    {base64.RawURLEncoding.EncodeToString([]byte(`{"login":"ada","photo":"x"}`)), true},
		"nothing":            {"", false},
		"not base64url":      {"{}", false},
		"not JSON":           {base64.RawURLEncoding.EncodeToString([]byte("ada")), false},
		"not an object":      {base64.RawURLEncoding.EncodeToString([]byte(`["ada"]`)), false},
		"not UTF-8":          {base64.RawURLEncoding.EncodeToString([]byte("{\"login\":\"\xff\"}")), false},
		"a number":           {base64.RawURLEncoding.EncodeToString([]byte(`{"login":12}`)), false},
		"longer than bounds": {strings.Repeat("A", maxPartner+1), false},
	} {
		p, ok := ReadPartner(c.value)
		if ok != c.ok {
			t.Errorf("%s: %v, %+v", name, ok, p)
		}
		if name == "whole" && (p.Name() != "Ada Essai" || len(p.missing()) != 0) {
			t.Errorf("%s: %+v", name, p)
		}
	}
}

func FuzzReadPartner(f *testing.F) {
	for _, s := range []string{`{"firstName":"A","lastName":"B","email":"c@d.test","login":"e"}`, `{}`, `[]`, `null`, `{"login":null}`, "{\"login\":\"\\u0000\"}"} {
		f.Add(base64.RawURLEncoding.EncodeToString([]byte(s)))
	}
	f.Add("====")
	f.Fuzz(func(t *testing.T, value string) {
		p, ok := ReadPartner(value)
		if !ok && (p != Partner{}) {
			t.Fatalf("refused, and yet read: %+v", p)
		}
		if ok {
			if _, err := json.Marshal(p); err != nil || len(p.missing()) > 4 {
				t.Fatalf("%+v: %v", p, err)
			}
		}
	})
}
