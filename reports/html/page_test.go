package html_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode"

	nethtml "golang.org/x/net/html"

	"github.com/etalon-sante/etalon/reports"
	"github.com/etalon-sante/etalon/reports/html"
	"github.com/etalon-sante/etalon/reports/internal/sample"
)

var update = flag.Bool("update", false, "write the golden files again")

func write(t testing.TB, r reports.Report, lang string) string {
	t.Helper()
	var b bytes.Buffer
	if err := html.Write(&b, r, lang); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestThePageIsAsInTheGoldenFile(t *testing.T) {
	for _, lang := range []string{"fr", "en"} {
		got := write(t, sample.Report(), lang)
		golden := filepath.Join("testdata", "report."+lang+".html")
		if *update {
			if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if got != string(want) {
			t.Errorf("%s differs from what was written; look at it, then run with -update", golden)
		}
	}
}

func TestThePageNeedsNothingButItself(t *testing.T) {
	for _, lang := range []string{"fr", "en"} {
		got := write(t, sample.Report(), lang)
		for _, bad := range []string{" style=", " onload", " onclick", "javascript:", "@import", "<form", "<object", "<iframe", "ZgotmplZ", "<link rel=\"stylesheet"} {
			if strings.Contains(strings.ToLower(got), strings.ToLower(bad)) {
				t.Errorf("%s: the page holds %q", lang, bad)
			}
		}
		if n, data := strings.Count(got, "url("), strings.Count(got, `url("data:image/svg+xml,`); n != data {
			t.Errorf("%s: %d addresses in the style sheet, %d of them are pictures of its own", lang, n, data)
		}
		// The policy allows this very style sheet and this very script, and no other.
		policy := between(got, `http-equiv="Content-Security-Policy" content="`, `"`)
		for kind, text := range map[string]string{"style-src": between(got, "<style>", "</style>"), "script-src": between(got, "<script>", "</script>")} {
			sum := sha256.Sum256([]byte(text))
			want := kind + " 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
			if text == "" || !strings.Contains(nethtml.UnescapeString(policy)+";", want+";") {
				t.Errorf("%s: the policy %s does not allow the page's own: want %s", lang, policy, want)
			}
		}
		if !strings.HasPrefix(nethtml.UnescapeString(policy), "default-src 'none'; ") || strings.Contains(policy, "unsafe-") || strings.Count(got, "<script") != 1 {
			t.Errorf("%s: policy %s, %d scripts", lang, policy, strings.Count(got, "<script"))
		}
	}
}

// between is what stands between two texts, the first time.
func between(s, from, to string) string {
	_, s, _ = strings.Cut(s, from)
	s, _, _ = strings.Cut(s, to)
	return s
}

func TestThePagesSayThatTheHarnessIsIndependentAndLinkToEachOther(t *testing.T) {
	fr, en := write(t, sample.Report(), "fr"), write(t, sample.Report(), "en")
	for page, want := range map[string][]string{
		fr: {`<html lang="fr">`, "banc d’essai indépendant", "Sa numérotation est la sienne", `href="index.en.html"`, "22/11/2026 à 17:05 (heure de Paris)"},
		en: {`<html lang="en">`, "independent harness", "Its numbering is its own", `href="index.html"`, "22 November 2026 at 16:05 UTC"},
	} {
		for _, w := range want {
			if !strings.Contains(page, w) {
				t.Errorf("the page lacks %q", w)
			}
		}
	}
}

// tree is what a reader with a screen reader has: headings, ids, links.
func tree(t *testing.T, page string) *nethtml.Node {
	t.Helper()
	doc, err := nethtml.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func attr(n *nethtml.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func TestTheStructureCanBeRead(t *testing.T) {
	for name, r := range map[string]reports.Report{"sample": sample.Report(), "hostile": sample.Hostile(`"'<b>`), "empty": {}} {
		t.Run(name, func(t *testing.T) {
			doc := tree(t, write(t, r, "fr"))
			ids, links, level, h1, tables := map[string]bool{}, []string{}, 0, 0, 0
			for n := range doc.Descendants() {
				if n.Type != nethtml.ElementNode {
					continue
				}
				if id := attr(n, "id"); id != "" {
					if ids[id] {
						t.Errorf("id %q twice", id)
					}
					ids[id] = true
				}
				if h := attr(n, "href"); strings.HasPrefix(h, "#") {
					links = append(links, h[1:])
				}
				if l := attr(n, "aria-labelledby"); l != "" {
					links = append(links, l)
				}
				switch n.Data {
				case "h1", "h2", "h3", "h4", "h5", "h6":
					now := int(n.Data[1] - '0')
					if now > level+1 {
						t.Errorf("h%d follows h%d", now, level)
					}
					if level = now; now == 1 {
						h1++
					}
				case "table":
					tables++
					if n.FirstChild == nil || n.FirstChild.Data != "caption" {
						t.Error("a table without a caption")
					}
				case "th":
					if attr(n, "scope") == "" {
						t.Error("a header cell without a scope")
					}
				case "svg":
					if attr(n, "aria-hidden") != "true" && attr(n, "aria-label") == "" {
						t.Error("a picture that is neither hidden nor named")
					}
				}
			}
			if h1 != 1 {
				t.Errorf("%d first headings", h1)
			}
			for _, l := range links {
				if !ids[l] {
					t.Errorf("a link leads to #%s, which does not exist", l)
				}
			}
			if name == "sample" && tables < 3 {
				t.Errorf("%d tables", tables)
			}
		})
	}
}

// shape is what a page is made of besides its texts: elements, and attributes whose
// value is not a text that people read.
func shape(t *testing.T, page string) map[string]int {
	t.Helper()
	out := map[string]int{}
	for n := range tree(t, page).Descendants() {
		if n.Type != nethtml.ElementNode {
			continue
		}
		names := n.Data
		for _, a := range n.Attr {
			names += " " + a.Key
		}
		out[names]++
	}
	return out
}

// A report may come from anyone: whatever its fields hold, the page is made of the
// same elements as with harmless words, and leads nowhere else.
func TestHostileTextAppearsAsText(t *testing.T) {
	for page, write := range map[string]func(testing.TB, reports.Report, string) string{"report": write, "plain page": plain} {
		harmless := shape(t, write(t, sample.Hostile("mot"), "en"))
		for _, s := range []string{
			`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `'-alert(1)-'`, `javascript:alert(1)`, `{{.CSS}}`, `</style><b>`, `</script><b>`, `<!--`, `-->`,
			`]]>`, "\x00\x1b[2J", "\u202egnp.exe", "\u2066\u2067\u061c", "\u200b\ufeff", "\U000e0041", "\u009b31m", "&lt;b&gt;", "&#x202e;", `data:text/html,<b>`, `{"a":{"b":[1]}}`, "https://elsewhere.example/\"onclick=x",
			strings.Repeat("[", 5000), strings.Repeat("é", 5000),
		} {
			got := write(t, sample.Hostile(s), "en")
			if i := strings.IndexFunc(got, unseen); i >= 0 {
				t.Errorf("%s, %.20q: %q stands in the page, and cannot be seen", page, s, got[i:i+4])
			}
			var heading strings.Builder
			for n := range tree(t, got).Descendants() {
				if n.Type != nethtml.ElementNode {
					continue
				}
				switch n.Data {
				case "h1":
					for c := range n.Descendants() {
						if c.Type == nethtml.TextNode {
							heading.WriteString(c.Data)
						}
					}
				case "a":
					h := attr(n, "href")
					if !strings.HasPrefix(h, "#") && !strings.HasPrefix(h, "https://") && h != "index.html" && h != "public.en.html" && h != "public.html" && h != "index.en.html" {
						t.Errorf("%s, %.20q became a link to %q", page, s, h)
					}
				}
			}
			for made, n := range shape(t, got) {
				// What is longer shows more lines, and an address becomes a link.
				tag, _, _ := strings.Cut(made, " ")
				if harmless[made] == 0 && !(tag == "a" && made == "a href") && tag != "i" && tag != "mark" {
					t.Errorf("%s, %.20q became %d elements: %s", page, s, n, made)
				}
			}
			if s == `<script>alert(1)</script>` && !strings.Contains(heading.String(), s) {
				t.Errorf("%s: the name of the service is shown as %q", page, heading.String())
			}
		}
	}
}

// unseen are characters that turn or hide a text, written here apart from what
// takes them out: the classes Cc and Cf of Unicode, less what lays text out.
func unseen(r rune) bool {
	return r != '\n' && r != '\t' && (unicode.Is(unicode.Cc, r) || unicode.Is(unicode.Cf, r) && r != '\u00ad' && r != '\u200c' && r != '\u200d')
}

func TestAPageOfTwoHundredRequirementsStaysUnder300KB(t *testing.T) {
	for _, lang := range []string{"fr", "en"} {
		if n := len(write(t, sample.Large(200), lang)); n > 300_000 {
			t.Errorf("%s: %d bytes", lang, n)
		}
	}
}

func TestAnUnknownLanguageIsRefused(t *testing.T) {
	if err := html.Write(&bytes.Buffer{}, sample.Report(), "de"); err == nil {
		t.Error("accepted")
	}
}

func TestCardsAreAtMostTenAndBlockingOnesComeFirst(t *testing.T) {
	var r reports.Report
	for i := range 30 {
		r.Results = append(r.Results, reports.Result{
			Requirement: fmt.Sprintf("INT-%02d", i), Theme: "interop", Verdict: reports.Nonconformant, Blocking: i%5 == 4,
			Checks: []reports.Check{{ID: "c", Verdict: reports.Nonconformant}},
		})
	}
	r.Conclude()
	page := write(t, r, "en")
	cards := page[strings.Index(page, `class="cards"`):strings.Index(page, `id="requirements"`)]
	if n := strings.Count(cards, `<li class="card`); n != 10 {
		t.Errorf("%d cards", n)
	}
	if blocking, other := strings.LastIndex(cards, ">blocking<"), strings.Index(cards, "INT-00"); blocking > other {
		t.Error("a card that blocks comes after one that does not")
	}
}

// The ratios of WCAG 2.2 (1.4.3), computed for every pair of
// colours that the style sheet puts on one another.
func TestTextContrastIsAtLeastFourAndAHalfInLightAndDark(t *testing.T) {
	css, err := os.ReadFile("style.css")
	if err != nil {
		t.Fatal(err)
	}
	roots := regexp.MustCompile(`:root\{([^}]*)\}`).FindAllStringSubmatch(string(css), -1)
	if len(roots) != 3 {
		t.Fatalf("%d palettes, want light, dark and print", len(roots))
	}
	for i, name := range []string{"light", "dark", "print"} {
		colour := map[string]string{}
		for _, m := range regexp.MustCompile(`--([a-z-]+):(#[0-9a-f]+)`).FindAllStringSubmatch(roots[i][1], -1) {
			colour[m[1]] = m[2]
		}
		for _, fg := range []string{"ink", "soft", "accent", "conformant", "nonconformant", "deviation", "attested", "to-review", "untested", "quiet", "error"} {
			for _, bg := range []string{"paper", "wash"} {
				if got := contrast(t, colour[fg], colour[bg]); got < 4.5 {
					t.Errorf("%s: %s on %s is %.2f", name, fg, bg, got)
				}
			}
		}
		if got := contrast(t, colour["ink"], colour["mark"]); got < 4.5 {
			t.Errorf("%s: marked text is %.2f", name, got)
		}
		if got := contrast(t, colour["markbar"], colour["mark"]); got < 3 {
			t.Errorf("%s: the sign of a marked line is %.2f", name, got)
		}
	}
}

func contrast(t *testing.T, a, b string) float64 {
	t.Helper()
	x, y := luminance(t, a), luminance(t, b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

func luminance(t *testing.T, hex string) float64 {
	t.Helper()
	h := strings.TrimPrefix(hex, "#")
	if len(h) == 3 {
		h = string([]byte{h[0], h[0], h[1], h[1], h[2], h[2]})
	}
	n, err := strconv.ParseUint(h, 16, 24)
	if err != nil || len(h) != 6 {
		t.Fatalf("colour %q", hex)
	}
	part := func(v uint64) float64 {
		c := float64(v&255) / 255
		if c <= 0.04045 {
			return c / 12.92
		}
		return math.Pow((c+0.055)/1.055, 2.4)
	}
	return 0.2126*part(n>>16) + 0.7152*part(n>>8) + 0.0722*part(n)
}

func BenchmarkAThousandRequirements(b *testing.B) {
	r := sample.Large(1000)
	for b.Loop() {
		write(b, r, "fr")
	}
}

// A report may come from anyone: only names that a run gives are loaded.
func TestOnlyPicturesOfARunAreShown(t *testing.T) {
	for file, shown := range map[string]bool{
		"artifacts/0123456789abcdef-page.webp": true, "artifacts/0123456789abcdef-page.svg": false, "https://elsewhere.example/x.webp": false,
		"artifacts/../../secret-page.webp": false, "//elsewhere.example/0123456789abcdef-page.webp": false, "javascript:alert(1)": false,
	} {
		r := sample.Report()
		p := reports.Picture{Of: "page", File: file, SHA256: strings.Repeat("0", 64), Width: 10, Height: 10, Alt: reports.Text{FR: "Une page.", EN: "A page."}}
		r.Results[0].Checks = append(r.Results[0].Checks, reports.Check{ID: "X-1.1", Verdict: reports.ToReview, Pictures: []reports.Picture{p}})
		found := false
		for n := range tree(t, write(t, r, "en")).Descendants() {
			if n.Type == nethtml.ElementNode && n.Data == "img" {
				found = true
				if attr(n, "alt") != "A page." {
					t.Errorf("%s: alt is %q", file, attr(n, "alt"))
				}
			}
		}
		if found != shown {
			t.Errorf("%s: shown %t", file, found)
		}
	}
}
