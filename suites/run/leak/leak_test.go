package leak

import (
	"bytes"
	"html"
	"strings"
	"testing"

	"github.com/etalon-sante/etalon/sandbox/record"
	"github.com/etalon-sante/etalon/suites/run/leak/leaktest"
)

const token = "tok/é+s3cret&\"value=42"

func secrets() []record.Secret {
	return []record.Secret{
		{Name: "access-token-1", Value: token},
		{Name: "email-2", Value: "patient-475fee5929780767@example.test"},
		{Name: "phone-3", Value: "0199000042"},
		{Name: "login-4", Value: "patient.quatre"},
		{Name: "password-5", Value: "mot de passe 5"},
	}
}

func TestASecretIsFoundInEveryEncoding(t *testing.T) {
	s := New(secrets())
	for form, encode := range leaktest.Encodings() {
		t.Run(form, func(t *testing.T) {
			for _, x := range secrets() {
				if form == "two bytes, JSON" && strings.Contains(x.Value, "é") {
					continue // what is not UTF-8 does not come through JSON
				}
				text := "avant\n" + `{"a":"` + encode(x.Value) + `"}` + "\naprès"
				if leaktest.Binary(form) {
					text = encode(x.Value) // a file of its own
				}
				at, found := s.Scan("page.html", []byte(text))
				if !found || at.Secret != x.Name {
					t.Errorf("%s: %+v", x.Name, at)
				}
				// What is not of the run is not found.
				if at, found := s.Scan("page.html", []byte(strings.ReplaceAll(encode("une autre valeur, plus longue"), "\n", ""))); found {
					t.Errorf("something was found that is not there: %+v", at)
				}
			}
		})
	}
}

func TestPeopleAreFoundAsTheyAreWritten(t *testing.T) {
	s := New(secrets())
	for text, want := range map[string]string{
		"PATIENT-475FEE5929780767@EXAMPLE.TEST": "email-2", "Patient-475fee5929780767%40example.test": "email-2",
		"patient-475fee5929780767 at home": "email-2",
		"01 99 00 00 42":                   "phone-3", "01.99.00.00.42": "phone-3", "01-99-00-00-42": "phone-3", "01\u00a099\u00a000\u00a000\u00a042": "phone-3",
		"tel:+33199000042": "phone-3", "+33 1 99 00 00 42": "phone-3", "+33 (0)1 99 00 00 42": "phone-3", "0033199000042": "phone-3",
		"01&nbsp;99&nbsp;00&nbsp;00&nbsp;42": "phone-3", "%2B33199000042": "phone-3",
		"Patient.Quatre": "login-4", "mot+de+passe+5": "password-5", "Mot de passe 5": "",
		"0199000043": "", "patient.cinq": "", "199000042": "",
	} {
		if at, _ := s.Scan("x", []byte("« "+text+" »")); at.Secret != want {
			t.Errorf("%q: found %q, want %q", text, at.Secret, want)
		}
	}
}

func TestThePlaceIsNamed(t *testing.T) {
	s := New(secrets())
	in := leaktest.JSON(token)
	for name, c := range map[string]struct {
		content string
		want    Leak
	}{
		"index.html":    {"<p>\n<p>\n<p>" + html.EscapeString(token), Leak{"access-token-1", "escaped", 3, ""}},
		"journal.jsonl": {"{\"seq\":1}\n{\"seq\":2,\"a\":[{\"b/c\":" + in + "}]}\n", Leak{"access-token-1", "escaped", 2, "/a/0/b~1c"}},
		"report.json":   {"{\n \"x\": [\n  1,\n  {\"y\": \"" + leaktest.Base64(token) + "\"}\n ]\n}\n", Leak{"access-token-1", "base64, plain", 4, "/x/1/y"}},
		"keys.json":     {"{\"a\":1,\"" + leaktest.Base64(token) + "\":2}", Leak{"access-token-1", "base64, plain", 1, "/(key 2)"}},
		"large.html":    {strings.Repeat("une ligne sans rien\n", 100_000) + token, Leak{"access-token-1", "plain", 100_001, ""}},
		"a/0199000042":  {"rien", Leak{"phone-3", "in the file's name", 0, ""}},
	} {
		if at, found := s.Scan(name, []byte(c.content)); !found || at != c.want {
			t.Errorf("%s: %+v, want %+v", name, at, c.want)
		}
	}
	if got := (Leak{Line: 3, Pointer: "/a"}).Place("x.json", "fr"); got != "x.json, ligne 3, à /a" {
		t.Error(got)
	}
}

// A small file that grows without end when it is read costs a bounded time.
func TestWhatInflatesWithoutEndIsReadUpToABound(t *testing.T) {
	bomb := leaktest.Gzip(strings.Repeat("\x00", 40<<20))
	s := New(secrets())
	b := &budget{}
	if h, found := s.look([]byte(bomb), newWork(b)); found {
		t.Errorf("found %+v", h)
	}
	if got := b.spent.Load(); got != maxInflated {
		t.Errorf("%d bytes were read, want %d", got, maxInflated)
	}
}

func FuzzScan(f *testing.F) {
	for form, encode := range leaktest.Encodings() {
		f.Add(form, []byte(encode(token)))
	}
	f.Add("x.json", []byte(`{"a":"\ud800\u"}%%&#;&#x110000;%f`))
	s := New(secrets())
	f.Fuzz(func(t *testing.T, name string, content []byte) {
		at, found := s.Scan(name, content)
		if found && at.Secret == "" {
			t.Error("a secret without a name")
		}
		// Whatever stands around it, a value that stands there is found.
		if _, found := s.Scan("x", append(append(bytes.Clone(content), token...), content...)); !found {
			t.Errorf("not found within %q", content)
		}
	})
}
