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

func TestLibrariesAreRecognised(t *testing.T) {
	t.Parallel()
	for head, want := range map[string]string{
		"/*! jQuery v3.4.1 | (c) JS Foundation and other contributors | jquery.org/license */": "jquery 3.4.1",
		"/*!\n * jQuery JavaScript Library v1.12.4\n * http://jquery.com/":                     "jquery 1.12.4",
		"/*! jQuery UI - v1.12.1 - 2016-09-14":                                                 "jquery-ui 1.12.1",
		"/*!\n  * Bootstrap v4.1.3 (https://getbootstrap.com/)":                                "bootstrap 4.1.3",
		"/*\n AngularJS v1.8.2\n (c) 2010-2020 Google LLC":                                     "angularjs 1.8.2",
		"/*!\n * Vue.js v2.6.14\n * (c) 2014-2021 Evan You":                                    "vue 2.6.14",
		"//! moment.js\n//! version : 2.24.0":                                                  "",
		"/*! DOMPurify 2.3.0 | (c) Cure53":                                                     "dompurify 2.3.0",
		"/*! Some Thing v1.2.3 */":                                                             "",
		"console.log('jQuery v1.0.0')":                                                         "",
		"":                                                                                     "",
		"/*! select2 4.0.3 | https://github.com/select2/select2 */":                            "select2 4.0.3",
		"/*!\n * Knockout JavaScript library v3.4.2\n":                                         "knockout 3.4.2",
	} {
		if got := byBanner(head); strings.TrimSpace(got.Name+" "+got.Version) != want {
			t.Errorf("%q: %+v, want %s", head, got, want)
		}
	}
	for file, want := range map[string]string{
		"jquery-1.12.4.min.js": "jquery 1.12.4", "bootstrap.4.1.3.js": "bootstrap 4.1.3", "vue@2.6.14.js": "vue 2.6.14", "angular-1.5.8.min.js": "angularjs 1.5.8",
		"app-1.2.3.js": "", "jquery.min.js": "", "jquery-1.12.4.css": "", "": "", "handlebars-v4.0.11.js": "handlebars 4.0.11",
	} {
		if got := byName(file); strings.TrimSpace(got.Name+" "+got.Version) != want {
			t.Errorf("%q: %+v, want %s", file, got, want)
		}
	}
}

func FuzzLibraries(f *testing.F) {
	f.Add("/*! jQuery v3.4.1 | (c) JS Foundation", "jquery-3.4.1.min.js")
	f.Add("//! moment.js\n//! version : 2.24.0", "moment-2.24.0.js")
	f.Add(strings.Repeat("/*", 500), strings.Repeat("-1.2.3", 50))
	f.Fuzz(func(t *testing.T, head, file string) {
		for _, got := range []Library{byBanner(head), byName(file)} {
			if (got.Name == "") != (got.Version == "") || len(got.Version) > 160 || got.Name != "" && known(got.Name) == "" && got.Name != "jquery-ui" {
				t.Fatalf("%+v", got)
			}
		}
	})
}

func FuzzDetails(f *testing.F) {
	f.Add([]byte(`{"images":[{"name":"a.png","width":10,"height":10,"naturalWidth":4000,"naturalHeight":3000}],"libraries":[{"name":"jquery","version":"1.12.4"}],"words":-3}`))
	f.Add([]byte(`{"providers":[{"which":"franceconnect","words":"\u0000","scheme":"javascript:"}],"fonts":["x"]}`))
	f.Fuzz(func(t *testing.T, answer []byte) {
		var d Details
		if json.Unmarshal(answer, &d) != nil {
			return
		}
		got := d.bounded()
		if got.Images == nil || got.Fonts == nil || got.Libraries == nil || got.Providers == nil || got.Words < 0 || len(got.Images) > maxImages || len(got.Libraries) > maxLibraries || len(got.Providers) > 6 {
			t.Fatalf("%+v", got)
		}
	})
}

func TestAPartOfAPageIsBounded(t *testing.T) {
	t.Parallel()
	window := box{X: 0, Y: 100, Width: 1280, Height: 700}
	for _, c := range []struct{ part, want box }{
		{box{X: 10, Y: 150, Width: 50, Height: 20}, box{X: 10, Y: 150, Width: 50, Height: 20}},
		{box{X: -20, Y: 50, Width: 60, Height: 100}, box{X: 0, Y: 100, Width: 40, Height: 50}},
		{box{X: 0, Y: 700, Width: 1280, Height: 500}, box{X: 0, Y: 700, Width: 1280, Height: 100}},
	} {
		if got := c.part.in(window); got != c.want {
			t.Errorf("%+v: %+v, want %+v", c.part, got, c.want)
		}
	}
	if got := (box{X: 10, Y: 10, Width: 5000, Height: 5000}).with(around); got.X != 0 || got.Y != 0 || got.Width != maxClipWidth || got.Height != maxClipHeight {
		t.Errorf("%+v", got)
	}
}
