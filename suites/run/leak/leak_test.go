package leak

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"net/url"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/etalon-sante/etalon/sandbox/record"
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

func all(f func(byte) string) func(string) string {
	return func(s string) (out string) {
		for i := range len(s) {
			out += f(s[i])
		}
		return out
	}
}

func packed(open func(io.Writer) io.WriteCloser) func(string) string {
	return func(s string) string {
		var b bytes.Buffer
		w := open(&b)
		_, _ = io.WriteString(w, s)
		_ = w.Close()
		return b.String()
	}
}

func gzipped(s string) string {
	return packed(func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) })(s)
}

func deflated(s string) string {
	return packed(func(w io.Writer) io.WriteCloser { f, _ := flate.NewWriter(w, 9); return f })(s)
}

func zlibbed(s string) string {
	return packed(func(w io.Writer) io.WriteCloser { return zlib.NewWriter(w) })(s)
}

func zipped(s string) string {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	f, _ := z.Create("word/document.xml")
	_, _ = io.WriteString(f, strings.Repeat("<t>autre chose</t>", 40)+s)
	_ = z.Close()
	return b.String()
}

func std(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
func web(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
func quoted(s string) string {
	b, _ := json.Marshal(s)
	return string(b)
}

func wide(s string) string {
	var b []byte
	for _, u := range utf16.Encode([]rune(s)) {
		b = append(b, byte(u), byte(u>>8))
	}
	return string(b)
}

func lines(s string) (out string) {
	for ; len(s) > 76; s = s[76:] {
		out += s[:76] + "\r\n"
	}
	return out + s
}

// encodings are the ways in which a secret is written here.
func encodings() map[string]func(string) string {
	return map[string]func(string) string{
		"plain":                        func(s string) string { return s },
		"percent":                      url.QueryEscape,
		"percent in a path":            url.PathEscape,
		"percent, lower case":          func(s string) string { return strings.ToLower(url.QueryEscape(s)) },
		"percent of every byte":        all(func(b byte) string { return fmt.Sprintf("%%%02x", b) }),
		"percent twice":                func(s string) string { return url.QueryEscape(url.QueryEscape(s)) },
		"JSON":                         quoted,
		"JSON in JSON in JSON":         func(s string) string { return quoted(quoted(quoted(s))) },
		"JSON, every character":        func(s string) (out string) { return unicodes(s, `\u%04x`) },
		"JSON, capital digits":         func(s string) (out string) { return unicodes(s, `\u%04X`) },
		"JavaScript":                   all(func(b byte) string { return fmt.Sprintf(`\x%02x`, b) }),
		"HTML":                         html.EscapeString,
		"HTML, decimal":                func(s string) string { return unicodes(s, "&#%d;") },
		"HTML, hexadecimal":            func(s string) string { return unicodes(s, "&#x%x;") },
		"HTML in JSON":                 func(s string) string { return quoted(html.EscapeString(s)) },
		"base64":                       std,
		"base64url":                    web,
		"base64, one further":          func(s string) string { return std("x" + s + "yz") },
		"base64, two further":          func(s string) string { return web("é" + s + "y") },
		"base64 after other letters":   func(s string) string { return "id_" + web(strings.Repeat("a", 30)+s) },
		"base64 in lines":              func(s string) string { return lines(std(strings.Repeat("Bonjour. ", 30) + s)) },
		"base64 in lines in JSON":      func(s string) string { return quoted(lines(std(strings.Repeat("Bonjour. ", 30) + s))) },
		"base64 in percent":            func(s string) string { return url.QueryEscape(std(s)) },
		"base64 twice":                 func(s string) string { return std(std(s)) },
		"base64 of percent":            func(s string) string { return std(url.QueryEscape(s)) },
		"base64 of HTML":               func(s string) string { return std("<b>" + unicodes(s, "&#%d;") + "</b>") },
		"hexadecimal":                  func(s string) string { return hex.EncodeToString([]byte(s)) },
		"hexadecimal, capitals":        func(s string) string { return strings.ToUpper(hex.EncodeToString([]byte(s))) },
		"hexadecimal, one digit later": func(s string) string { return "f" + hex.EncodeToString([]byte(s)) },
		"JWT": func(s string) string {
			return web(`{"alg":"none"}`) + "." + web(`{"sub":"a","x":`+quoted(s)+`}`) + "."
		},
		"JWT, escaped": func(s string) string {
			return web(`{"alg":"none"}`) + "." + web(`{"sub":"a","x":"`+unicodes(s, `\u%04x`)+`"}`) + ".c2ln"
		},
		"gzip":                   gzipped,
		"zlib":                   zlibbed,
		"base64 of gzip":         func(s string) string { return std(gzipped(s)) },
		"base64 of deflate":      func(s string) string { return web(deflated(strings.Repeat("<saml/>", 20) + s)) },
		"base64 of zlib":         func(s string) string { return web(zlibbed(s)) },
		"base64 of gzip of JSON": func(s string) string { return std(gzipped(`{"a":` + quoted(s) + `}`)) },
		"archive":                zipped,
		"base64 of an archive":   func(s string) string { return std(zipped(s)) },
		"a stream in a PDF": func(s string) string {
			return std("%PDF-1.7\n1 0 obj<</Length 9>>stream\n" + zlibbed("BT ("+s+") Tj ET") + "\nendstream")
		},
		"two bytes a character":   wide,
		"base64 of two bytes":     func(s string) string { return std(wide(s)) },
		"two bytes, JSON":         func(s string) string { return quoted(wide(s)) },
		"percent of base64 of it": func(s string) string { return url.QueryEscape(std(gzipped(std(s)))) },
	}
}

func unicodes(s, form string) (out string) {
	for _, r := range s {
		out += fmt.Sprintf(form, r)
	}
	return out
}

func TestASecretIsFoundInEveryEncoding(t *testing.T) {
	s := New(secrets())
	for form, encode := range encodings() {
		t.Run(form, func(t *testing.T) {
			for _, x := range secrets() {
				if form == "two bytes, JSON" && strings.Contains(x.Value, "é") {
					continue // what is not UTF-8 does not come through JSON
				}
				text := "avant\n" + `{"a":"` + encode(x.Value) + `"}` + "\naprès"
				if form == "gzip" || form == "zlib" || form == "archive" {
					text = encode(x.Value) // a file of its own
				}
				if form == "two bytes a character" {
					text = wide("avant " + x.Value)
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
	in := quoted(token)
	for name, c := range map[string]struct {
		content string
		want    Leak
	}{
		"index.html":    {"<p>\n<p>\n<p>" + html.EscapeString(token), Leak{"access-token-1", "escaped", 3, ""}},
		"journal.jsonl": {"{\"seq\":1}\n{\"seq\":2,\"a\":[{\"b/c\":" + in + "}]}\n", Leak{"access-token-1", "escaped", 2, "/a/0/b~1c"}},
		"report.json":   {"{\n \"x\": [\n  1,\n  {\"y\": \"" + std(token) + "\"}\n ]\n}\n", Leak{"access-token-1", "base64, plain", 4, "/x/1/y"}},
		"keys.json":     {"{\"a\":1,\"" + std(token) + "\":2}", Leak{"access-token-1", "base64, plain", 1, "/(key 2)"}},
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
	bomb := gzipped(strings.Repeat("\x00", 40<<20))
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
	for form, encode := range encodings() {
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
