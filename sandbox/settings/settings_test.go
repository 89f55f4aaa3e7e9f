package settings

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func embedded(t testing.TB) string {
	t.Helper()
	raw, err := os.ReadFile("mes-2023.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func load(t testing.TB) *Settings {
	t.Helper()
	s, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestTheEmbeddedSettingsAreRead(t *testing.T) {
	s := load(t)
	if s.ID() != "mes-2023" || s.Title().FR == "" || len(s.NotReproduced()) < 10 {
		t.Errorf("%s, %+v, %d", s.ID(), s.Title(), len(s.NotReproduced()))
	}
	if s.Int("search.count-max") != 100 || s.Duration("lifetime.access") != 5*time.Minute || !s.Bool("refresh.rotation") ||
		len(s.List("document.categories")) != 15 || s.String("header.id-token") != "X-MES-ID-Token" {
		t.Errorf("unexpected values: %+v", s.All())
	}
	var write []string
	for _, f := range s.Finalites() {
		if f.Label.FR == "" || f.Label.EN == "" || f.Kind == "" {
			t.Errorf("%+v", f)
		}
		if f.Write {
			write = append(write, f.Code)
		}
	}
	if strings.Join(write, ",") != "MESURES_ECRITURE,DOCUMENTS_ECRITURE,AGENDA_ECRITURE" {
		t.Errorf("%v", write)
	}
	for _, v := range s.All() {
		if v.Text() == "" || v.Note.FR == v.Note.EN {
			t.Errorf("%+v", v)
		}
	}
}

func TestAValueOfAnotherTypeIsEmptyAndAnUnknownKeyUnknown(t *testing.T) {
	s := load(t)
	if s.Int("path.token") != 0 || s.String("search.count-max") != "" || s.Bool("path.token") || s.List("path.token") != nil || s.Duration("path.token") != 0 {
		t.Error("a value was read as another type")
	}
	if _, ok := s.Value("path.unknown"); ok {
		t.Error("an unknown key is known")
	}
	if s.Assumed("path.token") != "path.token" || s.Assumed("search.count-max") != "" || s.Assumed("nothing") != "" {
		t.Error("what is assumed is wrong")
	}
}

func TestWhatIsReturnedCannotChangeTheSettings(t *testing.T) {
	s := load(t)
	s.List("document.categories")[0] = "X"
	v, _ := s.Value("document.categories")
	v.Value.([]string)[0] = "X"
	s.NotReproduced()[0].ID = "X"
	if s.List("document.categories")[0] == "X" || s.NotReproduced()[0].ID == "X" {
		t.Error("changed")
	}
}

func TestOverridesReplaceValuesInACopy(t *testing.T) {
	s := load(t)
	o, err := s.With(map[string]string{"lifetime.access": "2s", "refresh.rotation": "false", "search.count-max": "60", "finalites": "MESURES_LECTURE, MESURES_ECRITURE"})
	if err != nil {
		t.Fatal(err)
	}
	if o.Duration("lifetime.access") != 2*time.Second || o.Bool("refresh.rotation") || o.Int("search.count-max") != 60 {
		t.Errorf("%+v", o.All())
	}
	if f := o.Finalites(); len(f) != 2 || f[0].Code != "MESURES_LECTURE" {
		t.Errorf("%+v", f)
	}
	if o.ID() != "mes-2023+4" || s.ID() != "mes-2023" || s.Int("search.count-max") != 100 {
		t.Errorf("%s, %s", o.ID(), s.ID())
	}
	if v, _ := o.Value("search.count-max"); !v.Overridden || v.Basis != Stated {
		t.Errorf("%+v", v)
	}
}

func TestOverridesThatMakeNoSenseAreRefused(t *testing.T) {
	s := load(t)
	for key, value := range map[string]string{
		"no.such-key": "1", "search.count-max": "many", "lifetime.code": "1", "refresh.rotation": "yes", "path.token": "oauth2/token",
		"document.categories": "A,,B", "finalites": "TOUT", "search.count-default": "101", "document.max-bytes": "-1",
		"measure.binding": "preferred", "header.id-token": " ", "measure.no-bundle-status": "500", "lifetime.access": "-1s", "document.subject": "name",
	} {
		if _, err := s.With(map[string]string{key: value}); err == nil || !strings.Contains(err.Error(), key) {
			t.Errorf("%s=%s: %v", key, value, err)
		}
	}
}

func TestAWrongFileIsRefusedWithItsLine(t *testing.T) {
	whole := embedded(t)
	for says, c := range map[string]struct {
		from, to string
		want     string
		line     bool
	}{
		"an unknown setting":       {"  path.token:", "  path.tokens:", `unknown setting "path.tokens"`, true},
		"an unknown member":        {"    basis: derived\n    source: mesures-1.5.2", "    base: derived\n    source: mesures-1.5.2", `unknown key "base"`, true},
		"a missing basis":          {"    value: /oauth2/token\n    basis: assumed\n", "    value: /oauth2/token\n", `"basis" is missing`, true},
		"a basis that is none":     {"    value: /oauth2/token\n    basis: assumed\n", "    value: /oauth2/token\n    basis: guessed\n", "guessed", true},
		"a text for a number":      {"value: 100\n", "value: hundred\n", "expected a whole number", true},
		"a number for a text":      {"value: /oauth2/token", "value: 12", "expected a text", true},
		"a text for a list":        {"value: [openid]", "value: openid", "expected a list", true},
		"an empty list":            {"value: [openid]", "value: []", "expected a list", true},
		"a text for yes or no":     {"value: true", "value: sometimes", "expected true or false", true},
		"a duration without unit":  {"value: 300s", `value: "300"`, "expected a duration", true},
		"a language that is left":  {"      en: No path is public; this one follows OAuth2 custom.\n", "", `"en" is missing`, true},
		"a setting given twice":    {"  path.revoke:", "  path.token:", "given twice", true},
		"an alias":                 {"value: /oauth2/token", "value: &a /oauth2/token", "anchors", true},
		"a finalité of no kind":    {"    kind: documents", "    kind: calendar", "calendar", true},
		"a finalité twice":         {"  - code: MESURES_LECTURE", "  - code: MESURES_ECRITURE", "twice", true},
		"a gap twice":              {"  - id: mutual-tls", "  - id: agenda", "twice", true},
		"no id":                    {"id: mes-2023\n", "", `"id" is missing`, true},
		"a path without slash":     {"value: /oauth2/token", "value: oauth2/token", "must begin with /", false},
		"a page above the largest": {"value: 50\n", "value: 101\n", "above", false},
		"no YAML":                  {"id: mes-2023", "id: [", "line", false},
		"a second document":        {"notReproduced:", "---\nnotReproduced:", "", true},
	} {
		t.Run(says, func(t *testing.T) {
			text := strings.Replace(whole, c.from, c.to, 1)
			if text == whole {
				t.Fatal("nothing was replaced")
			}
			_, err := Parse("f.yaml", []byte(text))
			var e *Error
			if !errors.As(err, &e) || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "read settings f.yaml: ") {
				t.Fatalf("got %v", err)
			}
			if (e.Line > 0) != c.line {
				t.Errorf("line of %v", err)
			}
		})
	}
}

func TestASettingThatIsLeftOutIsNamed(t *testing.T) {
	before, rest, _ := strings.Cut(embedded(t), "  path.revoke:")
	_, after, _ := strings.Cut(rest, "  path.jwks:")
	if _, err := Parse("f", []byte(before+"  path.jwks:"+after)); err == nil || !strings.Contains(err.Error(), `setting "path.revoke" is missing`) {
		t.Errorf("%v", err)
	}
}

func TestFilesThatAreNoSettingsAreRefused(t *testing.T) {
	for says, in := range map[string]string{
		"nothing": "", "a list": "- a", "not UTF-8": "id: \xff", "a flood": strings.Repeat("[", maxFile), "too large": strings.Repeat("#", maxFile+1),
	} {
		if _, err := Parse("f", []byte(in)); err == nil {
			t.Errorf("%s is accepted", says)
		}
	}
}

func TestAFileIsReadFromDisk(t *testing.T) {
	path := filepath.Join(t.TempDir(), "mine.yaml")
	if err := os.WriteFile(path, []byte(strings.Replace(embedded(t), "X-MES-ID-Token", "X-Other", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := LoadFile(path)
	if err != nil || s.String("header.id-token") != "X-Other" {
		t.Errorf("%v", err)
	}
	if _, err := LoadFile(filepath.Join(t.TempDir(), "none.yaml")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%v", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(embedded(f)))
	for _, s := range []string{"id: a", "settings: {path.token: {value: [[[", "a: &a [*a]", "id: !!binary aGk=", "? {}\n: 1"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		s, err := Parse("f", in)
		if err == nil && (s.ID() == "" || len(s.All()) != len(keys())) {
			t.Fatal("accepted and incomplete")
		}
	})
}
