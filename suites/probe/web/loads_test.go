package web

import (
	"net/url"
	"strings"
	"testing"
)

func TestWhatADocumentLoads(t *testing.T) {
	at, _ := url.Parse("https://service.example/a/")
	for name, c := range map[string]struct {
		html  string
		count int
		plain string
	}{
		"nothing":                {`<p>http://a.example</p><a href="http://b.example">b</a>`, 0, ""},
		"its own":                {`<script src="/a.js"></script><img src=b.png><link rel=stylesheet href=c.css>`, 3, ""},
		"in the clear":           {`<script src="http://a.example/x.js"></script><img src="HTTP://a.example/y.png">`, 2, "script! http://a.example/x.js, img http://a.example/y.png"},
		"a set of images":        {`<img srcset="http://a.example/1.png 1x, /2.png 2x">`, 2, "img http://a.example/1.png"},
		"a form":                 {`<form action="http://a.example/send"><button formaction="http://b.example">x</button></form>`, 2, "form! http://a.example/send, button! http://b.example"},
		"a base in the clear":    {`<base href="http://a.example/"><script src="x.js"></script>`, 1, "script! http://a.example/x.js"},
		"the second base is not": {`<base href="/b/"><base href="http://a.example/"><script src="x.js"></script>`, 1, ""},
		"a link that loads not":  {`<link rel=canonical href="http://a.example/">`, 0, ""},
		"an icon":                {`<link rel="shortcut icon" href="http://a.example/i.ico">`, 1, "link http://a.example/i.ico"},
		"data":                   {`<img src="data:image/png;base64,AA"><script src="blob:x"></script>`, 0, ""},
	} {
		count, plain := loads([]byte(c.html), at)
		var got []string
		for _, l := range plain {
			mark := ""
			if l.Active {
				mark = "!"
			}
			got = append(got, l.Element+mark+" "+l.URL)
		}
		if count != c.count || strings.Join(got, ", ") != c.plain {
			t.Errorf("%s: %d, %v", name, count, got)
		}
	}
}

func FuzzLoads(f *testing.F) {
	at, _ := url.Parse("https://service.example/")
	for _, s := range []string{`<img srcset="a 1x,,b">`, `<base href="http://[">`, `<form action=>`, `<link rel=stylesheet href=http:>`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		count, plain := loads(b, at)
		if len(plain) > count || len(plain) > maxScripts {
			t.Errorf("%d of %d", len(plain), count)
		}
	})
}
