package browser

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"
)

func TestWhatAnotherSiteLearns(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		page, to, referer string
		want              string
	}{
		{"https://s.example/diabete", "https://t.example/p.gif", "", ""},
		{"https://s.example/diabete", "https://t.example/p.gif", "https://s.example/", ""},
		{"https://s.example/diabete", "https://t.example/p.gif", "https://s.example/diabete", "referer"},
		{"https://s.example/diabete", "https://t.example/p.gif?u=https%3A%2F%2Fs.example%2Fdiabete", "", "address"},
		{"https://s.example/diabete", "https://t.example/p.gif?u=%2Fdiabete", "https://s.example/diabete", "referer address"},
		{"https://s.example/", "https://t.example/p.gif?u=%2F", "https://s.example/", ""},
	} {
		page, _ := url.Parse(c.page)
		to, _ := url.Parse(c.to)
		if got := strings.Join(tells(page, to, c.referer), " "); got != c.want {
			t.Errorf("%s to %s from %q: %q, want %q", c.page, c.to, c.referer, got, c.want)
		}
	}
}

func TestWhichHostsAreOneSite(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"carnet.example.fr", "cdn.example.fr", true},
		{"carnet.example.fr", "carnet.autre.fr", false},
		{"un.gouv.fr", "deux.gouv.fr", false}, // a public suffix
		{"a.github.io", "b.github.io", false},
		{"127.0.0.1", "localhost", false},
		{"127.0.0.1", "127.0.0.1", true},
		{"EXAMPLE.fr.", "example.fr", true},
		{"", "example.fr", false},
	} {
		if got := sameSite(c.a, c.b); got != c.want {
			t.Errorf("%s and %s: %t", c.a, c.b, got)
		}
	}
}

func FuzzReadRules(f *testing.F) {
	f.Add([]byte(`{"violations":[{"id":"label","impact":"critical","help":"Form elements must have labels","tags":["wcag2a","cat.forms"],"count":2,"nodes":[{"target":"input","html":"<input>"}]}],"incomplete":[],"passes":7}`))
	f.Add([]byte(`{"violations":[{"id":"\ud800","nodes":null}],"passes":-3}`))
	f.Add([]byte(`[`))
	french := []byte(`{"rules":{"label":{"help":"Les champs doivent avoir une étiquette"}}}`)
	f.Fuzz(func(t *testing.T, answer []byte) {
		got := readRules(answer, french)
		if got.Ran == (got.Reason != Text{}) || got.Violations == nil || got.Incomplete == nil || got.Passed < 0 || len(got.Violations) > maxRules {
			t.Fatalf("%+v", got)
		}
		for _, r := range got.Violations {
			if len(r.Nodes) > maxNodes || r.Count < 0 || r.ID == "label" && r.Help.FR != "Les champs doivent avoir une étiquette" {
				t.Fatalf("%+v", r)
			}
		}
		if b, err := json.Marshal(got); err != nil || len(b) > 8<<20 {
			t.Fatalf("%d bytes, %v", len(b), err)
		}
	})
}

func FuzzTells(f *testing.F) {
	f.Add("https://s.example/diabete", "https://t.example/?u=%2Fdiabete", "https://s.example/diabete")
	f.Add("https://s.example/%zz", "::", "\x00")
	f.Fuzz(func(t *testing.T, page, to, referer string) {
		p, err := url.Parse(page)
		q, err2 := url.Parse(to)
		if err != nil || err2 != nil {
			return
		}
		if got := tells(p, q, referer); len(got) > 2 || got == nil {
			t.Fatalf("%v", got)
		}
		if s := shown(q); strings.Contains(s, "?") && !strings.Contains(q.Path+q.Host+q.Opaque, "?") {
			t.Fatalf("%q shows a query", s)
		}
	})
}
