package run_test

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/etalon-sante/etalon/fixtures/people"
	"github.com/etalon-sante/etalon/fixtures/reference"
	"github.com/etalon-sante/etalon/suites/run"
	"github.com/etalon-sante/etalon/suites/run/demo"
	"github.com/etalon-sante/etalon/suites/run/leak/leaktest"
)

// parrot is a candidate that repeats what must not leave, in every encoding and
// in every place it has: a header, a cookie, an address, a body, a page, an error,
// what its pilot says.
type parrot struct {
	mu    sync.Mutex
	known map[string]bool
	said  map[string]string // what was emitted -> the secret within
	turn  int
	forms []string
	ways  map[string]func(string) string
}

func newParrot(secrets ...string) *parrot {
	p := &parrot{known: map[string]bool{}, said: map[string]string{}, ways: leaktest.Encodings()}
	for form := range p.ways {
		if !leaktest.Binary(form) {
			p.forms = append(p.forms, form)
		}
	}
	slices.Sort(p.forms)
	for _, s := range secrets {
		p.learn(s)
	}
	return p
}

func (p *parrot) learn(secret string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(secret) >= 10 && len(secret) < 300 {
		p.known[secret] = true
	}
}

// repeat says a few secrets, each time in other encodings. In a header or an
// address only what can stand there is said.
func (p *parrot) repeat(n int, bare bool) []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	list := make([]string, 0, len(p.known))
	for s := range p.known {
		list = append(list, s)
	}
	slices.Sort(list)
	var out []string
	for range n {
		s := list[p.turn%len(list)]
		form := p.forms[(p.turn/3)%len(p.forms)]
		p.turn++
		text := p.ways[form](s)
		if bare && strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune(`"\;,<>`, r) }) {
			text = url.QueryEscape(text)
		}
		p.said[text] = s
		out = append(out, text)
	}
	return out
}

// parts are those of the reference service, with the parrot in each of its seams.
func (p *parrot) parts() reference.Parts {
	parts := reference.DefaultParts()
	pilot, site := parts.Pilot, parts.Site
	parts.Pilot = func(h http.Handler) http.Handler { return p.pilot(pilot(h)) }
	parts.Site = func(h http.Handler) http.Handler { return p.site(site(h)) }
	wire := parts.Transport
	parts.Transport = func(next http.RoundTripper) http.RoundTripper { return roundTripper{p, wire(next)} }
	return parts
}

func (p *parrot) pilot(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, r)
		var answer map[string]any
		if json.Unmarshal(rec.Body.Bytes(), &answer) != nil {
			answer = map[string]any{}
		}
		answer["message"] = strings.Join(p.repeat(4, false), " ; ")
		data, _ := answer["data"].(map[string]any)
		if data == nil {
			data = map[string]any{}
		}
		data["lastError"], data[p.repeat(1, false)[0]] = p.repeat(2, false)[1], p.repeat(3, false)
		answer["data"] = data
		b, _ := json.Marshal(answer)
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(rec.Code)
		_, _ = w.Write(b)
	})
}

func (p *parrot) site(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.learn(r.URL.Query().Get("code"))
		p.learn(r.URL.Query().Get("state"))
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, r)
		head, said := w.Header(), p.repeat(3, true)
		for k, v := range rec.Header() {
			head[k] = v
		}
		head.Set("X-Echo", said[0])
		head.Add("Set-Cookie", "echo="+said[1]+"; Path=/; Secure; HttpOnly; SameSite=Lax")
		head.Del("Content-Length")
		body := rec.Body.Bytes()
		switch media := head.Get("Content-Type"); {
		case head.Get("Location") != "":
			if u, err := url.Parse(head.Get("Location")); err == nil && u.RawQuery == "" {
				u.RawQuery = url.Values{"echo": {said[2]}}.Encode()
				head.Set("Location", u.String())
			}
		case strings.HasPrefix(media, "text/html"):
			text := html.EscapeString(strings.Join(p.repeat(2, false), " "))
			body = bytes.Replace(body, []byte("<title>"), []byte("<title>"+text+" "), 1)
			body = append(body, "<!-- "+strings.Join(p.repeat(2, true), " ")+" --><p>"+html.EscapeString(strings.Join(p.repeat(3, false), " "))+"</p>"...)
		case strings.HasPrefix(media, "application/json"):
			body = append(bytes.TrimRight(body, "} \n"), `,"echo":`+leaktest.JSON(p.repeat(1, false)[0])+`}`...)
		}
		if len(body) > 0 && strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") && head.Get("Content-Encoding") == "" {
			var b bytes.Buffer
			z := gzip.NewWriter(&b)
			_, _ = z.Write(body)
			_ = z.Close()
			body = b.Bytes()
			head.Set("Content-Encoding", "gzip")
		}
		w.WriteHeader(rec.Code)
		_, _ = w.Write(body)
	})
}

// roundTripper repeats in what is sent to Mon espace santé.
type roundTripper struct {
	p    *parrot
	next http.RoundTripper
}

func (t roundTripper) RoundTrip(r *http.Request) (*http.Response, error) {
	_, bearer, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	t.p.learn(bearer)
	r = r.Clone(r.Context())
	said := t.p.repeat(3, true)
	r.Header.Set("X-Echo", said[0])
	r.Header.Set("User-Agent", "parrot/1 ("+said[1]+")")
	r.AddCookie(&http.Cookie{Name: "echo", Value: said[2]})
	resp, err := t.next.RoundTrip(r)
	if err == nil && strings.HasPrefix(resp.Header.Get("Content-Type"), "application/json") {
		b, _ := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		resp.Body = io.NopCloser(bytes.NewReader(b))
		var tokens map[string]any
		if json.Unmarshal(b, &tokens) == nil {
			for _, k := range []string{"access_token", "refresh_token"} {
				s, _ := tokens[k].(string)
				t.p.learn(s)
			}
		}
	}
	return resp, err
}

// A candidate that repeats all it should keep, in every encoding and every place,
// leaves nothing of it in any file of the run; who checks is neither the redactor
// nor the scanner, and knows the values.
func TestACandidateThatRepeatsSecretsLeavesNone(t *testing.T) {
	person := people.Patient(99, 7)
	p := newParrot(person.Email, person.Phone, person.Account, "jeton-du-pilote-de-demonstration")
	s, err := demo.Start(t.Context(), demo.Options{Parts: p.parts()})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	m := *s.Manifest
	m.Secrets = map[string]string{"test-email": person.Email, "test-phone": person.Phone, "test-login": person.Account}
	for k, v := range s.Manifest.Secrets {
		m.Secrets[k] = v
	}
	dir := t.TempDir()
	o := run.Options{Manifest: &m, Roots: s.Roots, Resolver: s.Resolver, Out: dir, Seed: 1, Phase: "pilot"}
	if testing.Short() {
		o.Selection.Themes = []string{"interop"}
	}
	out, err := run.Run(t.Context(), o)
	var stopped *run.LeakError
	if err != nil && !errors.As(err, &stopped) {
		t.Fatal(err)
	}
	if stopped != nil {
		t.Errorf("the run stopped, which is safe, but what repeats secrets is to be judged: %v", err)
	}
	said := map[string]bool{}
	for _, secret := range p.said {
		said[secret] = true
	}
	if len(p.said) < 500 || len(said) < 20 {
		t.Fatalf("only %d encodings of %d secrets were said", len(p.said), len(said))
	}
	if n := out.Report.Redacted["access-token"]; n == 0 {
		t.Errorf("what was redacted is not shown: %v", out.Report.Redacted)
	}
	if _, err := os.Stat(filepath.Join(dir, "report.json")); err != nil && stopped == nil {
		t.Error(err)
	}
	files, search, seen := 0, p.naive(), map[string]bool{}
	err = filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		files++
		b, err := os.ReadFile(path)
		if err == nil {
			for _, text := range append(readings(string(b)), filepath.Base(path)) {
				if seen[text] {
					continue
				}
				seen[text] = true
				for _, x := range append(search.in(text), search.encoded(text)...) {
					t.Errorf("%s holds %s, or %.60q", filepath.Base(path), mask(p.said[x]), x)
				}
			}
		}
		return err
	})
	if err != nil || files < 8 {
		t.Errorf("%d files, %v", files, err)
	}
}

// readings are a file as it stands, its texts where it is JSON, and its text where
// it is a page.
func readings(content string) []string {
	out := []string{content, html.UnescapeString(content)}
	for line := range strings.Lines(content) {
		var v any
		if json.Unmarshal([]byte(line), &v) == nil {
			out = append(out, texts(v)...)
		}
	}
	var v any
	if json.Unmarshal([]byte(content), &v) == nil {
		out = append(out, texts(v)...)
	}
	return out
}

func texts(v any) (out []string) {
	switch v := v.(type) {
	case string:
		out = append(out, v, html.UnescapeString(v))
		if u, err := url.QueryUnescape(v); err == nil {
			out = append(out, u)
		}
		var inner any
		if json.Unmarshal([]byte(v), &inner) == nil {
			out = append(out, texts(inner)...)
		}
	case []any:
		for _, x := range v {
			out = append(out, texts(x)...)
		}
	case map[string]any:
		for k, x := range v {
			out = append(append(out, texts(x)...), k)
		}
	}
	return out
}

// naive is a search for what was said and for what is known, by its beginning.
type naive map[string][]string

const naiveLength = 8

func (p *parrot) naive() naive {
	out := naive{}
	add := func(text string) {
		if len(text) >= naiveLength {
			out[text[:naiveLength]] = append(out[text[:naiveLength]], text)
		}
	}
	for secret := range p.known {
		add(secret)
	}
	for said := range p.said {
		add(said)
	}
	return out
}

// in is what stands in a text, as it is or in base64.
func (n naive) in(text string) (out []string) {
	for i := 0; i+naiveLength <= len(text); i++ {
		for _, x := range n[text[i:i+naiveLength]] {
			if strings.HasPrefix(text[i:], x) {
				out = append(out, x)
			}
		}
	}
	return out
}

func (n naive) encoded(text string) (out []string) {
	for _, run := range regexp.MustCompile(`[A-Za-z0-9+/_-]{12,}`).FindAllString(text, -1) {
		for cut := range 4 {
			part := strings.NewReplacer("-", "+", "_", "/").Replace(run[cut:])
			b, _ := base64.RawStdEncoding.DecodeString(part[:len(part)&^3])
			out = append(out, n.in(string(b))...)
		}
	}
	return out
}

func mask(secret string) string { return fmt.Sprintf("%.3s… (%d bytes)", secret, len(secret)) }
