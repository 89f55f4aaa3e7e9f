package record_test

import (
	"bytes"
	"compress/flate"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	"github.com/andybalholm/brotli"

	"github.com/etalon-sante/etalon/sandbox/record"
	"github.com/etalon-sante/etalon/suites/run/leak/leaktest"
)

// people and tokens, as a run knows them.
func known() []record.Secret {
	return []record.Secret{
		{Name: "access-token-1", Value: "tok/é+s3cret&\"value=42"},
		{Name: "refresh-token-1", Value: "8e0c3f52a1b94d7e8e0c3f52a1b94d7e"},
		{Name: "email-1", Value: "patient-475fee5929780767@example.test"},
		{Name: "phone-1", Value: "0199000042"},
		{Name: "password-1", Value: "mot de passe 5"},
	}
}

func TestASecretIsReplacedInEveryEncoding(t *testing.T) {
	r := record.NewRedactor()
	r.Adopt(known())
	for form, encode := range leaktest.Encodings() {
		if leaktest.Binary(form) {
			continue
		}
		t.Run(form, func(t *testing.T) {
			for _, x := range known() {
				if form == "two bytes, JSON" && strings.Contains(x.Value, "é") {
					continue // what is not UTF-8 does not come through JSON
				}
				in := encode(x.Value)
				out := r.Redact("avant <" + in + "> après")
				if !strings.Contains(out, "«"+x.Name+"»") || strings.Contains(out, in) || r.Find(out) != "" {
					t.Errorf("%s became %q", x.Name, out)
				}
				if !strings.HasPrefix(out, "avant <") && form != "two bytes, JSON" || !strings.HasSuffix(out, "> après") && form != "two bytes, JSON" {
					t.Errorf("%s: what stands around it went too: %q", x.Name, out)
				}
			}
		})
	}
}

func TestWhatIsNotASecretStays(t *testing.T) {
	r := record.NewRedactor()
	r.Adopt(known())
	for form, encode := range leaktest.Encodings() {
		if in := encode("une valeur que personne ne cache"); r.Redact(in) != in {
			t.Errorf("%s became %q", form, r.Redact(in))
		}
	}
}

// A body that is no text is replaced as a whole, and what was sent compressed is
// looked into.
func TestASecretIsFoundInBodiesThatAreNoText(t *testing.T) {
	text := strings.Repeat("rien à voir ", 40)
	for name, c := range map[string]struct {
		encoding string
		pack     func(string) []byte
	}{
		"gzip":    {"gzip", func(s string) []byte { return []byte(leaktest.Gzip(s)) }},
		"zlib":    {"deflate", func(s string) []byte { return []byte(leaktest.Encodings()["zlib"](s)) }},
		"archive": {"", func(s string) []byte { return []byte(leaktest.Encodings()["archive"](s)) }},
		"UTF-16":  {"", func(s string) []byte { return []byte(leaktest.Wide(s)) }},
		"deflate": {"deflate", func(s string) []byte {
			var b bytes.Buffer
			w, _ := flate.NewWriter(&b, 9)
			_, _ = w.Write([]byte(s))
			_ = w.Close()
			return b.Bytes()
		}},
		"brotli": {"br", func(s string) []byte {
			var b bytes.Buffer
			w := brotli.NewWriter(&b)
			_, _ = w.Write([]byte(s))
			_ = w.Close()
			return b.Bytes()
		}},
	} {
		t.Run(name, func(t *testing.T) {
			r := record.NewRedactor()
			r.Adopt(known())
			body := func(s string) *record.Body {
				return &record.Body{Text: base64.StdEncoding.EncodeToString(c.pack(s)), Encoding: "base64"}
			}
			clean := body(text)
			rec := record.Record{Exchange: &record.Exchange{
				Request:  record.Request{Body: clean, Headers: []record.Header{{Name: "content-encoding", Value: c.encoding}}},
				Response: record.Response{Body: body(text + known()[0].Value), Headers: []record.Header{{Name: "Content-Encoding", Value: c.encoding}}},
			}}
			want := clean.Text
			r.RedactRecord(&rec)
			if got := rec.Exchange.Response.Body; got.Text != "«access-token-1»" || got.Encoding != "" {
				t.Errorf("the body that holds one became %+v", got)
			}
			if clean.Text != want || clean.Encoding != "base64" {
				t.Errorf("the body that holds none became %+v", clean)
			}
		})
	}
}

func TestEveryTextOfARecordIsRedacted(t *testing.T) {
	r := record.NewRedactor()
	r.Adopt(known())
	const s = "8e0c3f52a1b94d7e8e0c3f52a1b94d7e"
	quoted := json.RawMessage(`{"a":["` + s + `"],"` + s + `":1}`)
	rec := record.Record{
		Exchange: &record.Exchange{
			Error: s, Fault: s,
			Request:  record.Request{Method: s, URL: s, Headers: []record.Header{{Name: s, Value: s}}, Body: &record.Body{MIME: s, Text: s}},
			Response: record.Response{Headers: []record.Header{{Name: s, Value: s}}, Body: &record.Body{MIME: s, Text: s}},
			Facts: &record.Facts{
				Authorize: &record.AuthorizeFacts{Scope: []string{s}, RedirectURI: s},
				Issues:    []record.Issue{{Pointer: s, Actual: s}},
			},
		},
		Pilot: &record.Pilot{Status: s, Open: s, Message: s, Data: quoted, Payload: quoted, Error: s},
		Probe: &record.Probe{Target: s, Data: quoted, Error: s},
		Mark:  &record.Mark{Text: s, Data: quoted},
	}
	r.RedactRecord(&rec)
	b, err := json.Marshal(rec)
	if err != nil || bytes.Contains(b, []byte(s)) {
		t.Errorf("%v: %s", err, b)
	}
}

func FuzzRedact(f *testing.F) {
	for _, encode := range leaktest.Encodings() {
		f.Add(encode(known()[0].Value))
	}
	f.Add(`\ud800\u12%%4&#;&#x110000;`)
	r := record.NewRedactor()
	r.Adopt(known())
	f.Fuzz(func(t *testing.T, text string) {
		if out := r.Redact(text); r.Find(text) == "" && out != text {
			t.Errorf("nothing was found in %q, which became %q", text, out)
		}
		raw := r.RedactJSON(json.RawMessage(text))
		if len(raw) > 0 && !json.Valid(raw) {
			t.Errorf("%q became %q, which is no JSON", text, raw)
		}
	})
}
