package evidence_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"image/png"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"golang.org/x/net/html"

	"github.com/etalon-sante/etalon/reports"
	"github.com/etalon-sante/etalon/reports/evidence"
	"github.com/etalon-sante/etalon/reports/internal/sample"
	"github.com/etalon-sante/etalon/reports/words"
)

// item is the first check of a report that has a finding with an exchange.
func item(t testing.TB, r reports.Report) (evidence.Item, reports.Exchange) {
	t.Helper()
	for _, res := range r.Results {
		for _, c := range res.Checks {
			for i, f := range c.Findings {
				if x, ok := r.Exchanges[f.Exchange]; ok && strings.HasPrefix(f.Pointer, "header:") || ok && f.Pointer == f.Exchange {
					return evidence.Item{Report: r, Result: res, Check: c, Finding: &c.Findings[i]}, x
				}
			}
		}
	}
	t.Fatal("the sample has no such finding")
	return evidence.Item{}, reports.Exchange{}
}

func TestAPieceSaysByItselfWhatItIsOf(t *testing.T) {
	i, x := item(t, sample.Report())
	for _, l := range []words.Lang{words.FR, words.EN} {
		var page, log bytes.Buffer
		if err := evidence.Exchange(&page, i, x, string(l)); err != nil {
			t.Fatal(err)
		}
		if err := evidence.Log(&log, i, []evidence.Line{{Time: x.Time, Text: "GET /", Mark: true}}, 3, string(l)); err != nil {
			t.Fatal(err)
		}
		doc, err := html.Parse(&page)
		if err != nil {
			t.Fatal(err)
		}
		var text, marked strings.Builder
		for n := range doc.Descendants() {
			if n.Type == html.TextNode {
				text.WriteString(n.Data)
			}
			if n.Type == html.ElementNode && n.Data == "mark" {
				marked.WriteString(n.FirstChild.Data)
			}
		}
		name, _ := strings.CutPrefix(i.Finding.Pointer, "header:")
		for _, h := range x.Request.Headers {
			if strings.EqualFold(h.Name, name) && !strings.Contains(marked.String(), h.Name+": "+h.Value) {
				t.Errorf("the telling line %s is not marked: %q", h.Name, marked.String())
			}
		}
		for what, s := range map[string]string{"page": text.String(), "log": log.String()} {
			for _, want := range []string{i.Check.ID, i.Result.Requirement, i.Report.Run.ID, i.Report.Candidate.Service.Name, words.Capital(l.Of(i.Check.Verdict.Label().Word)), l.Typeset(l.Independent()), i.Finding.Actual} {
				if !strings.Contains(s, want) {
					t.Errorf("%s, %s does not say %q", l, what, want)
				}
			}
		}
		if !strings.Contains(log.String(), "\n> "+x.Time.UTC().Format("2006-01-02 15:04:05.000")+"  GET /\n") || !strings.Contains(log.String(), "\n3 ") {
			t.Errorf("the log does not mark its line, or does not count what was left out:\n%s", &log)
		}
	}
}

func TestNamesAreThoseOfTheChecks(t *testing.T) {
	for in, want := range map[string]string{"INT-04.3": "INT-04.3-1-echange.html", "../../x": "_.._x-1-echange.html", "": "-1-echange.html", "a/b\x00c": "a_b_c-1-echange.html"} {
		if got := evidence.Name(in, evidence.KindExchange, words.FR); got != want && !(in == "../../x" && !strings.ContainsAny(got, "/\\")) {
			t.Errorf("%q: %s, want %s", in, got, want)
		}
	}
	if got := evidence.Name("SEC-01.1", evidence.KindPicture, words.EN); got != "SEC-01.1-2-capture.png" {
		t.Error(got)
	}
}

// dot is a WebP picture of one pixel.
func dot(t testing.TB) []byte {
	t.Helper()
	b, err := base64.StdEncoding.DecodeString("UklGRhoAAABXRUJQVlA4TA0AAAAvAAAAEAcQERGIiP4HAA==")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestHostileTextIsTextInEveryPiece(t *testing.T) {
	for _, s := range []string{`<script>alert(1)</script>`, "\x1b[2J\x00", "\u202eabc", "\xff", "</pre></main>", strings.Repeat("mot très long ", 500), strings.Repeat("x", 9000), "日本語 \U0001f9ea"} {
		r := sample.Hostile(s)
		i, x := item(t, r)
		var page, log, picture bytes.Buffer
		if err := evidence.Exchange(&page, i, x, "fr"); err != nil {
			t.Fatal(err)
		}
		if err := evidence.Log(&log, i, []evidence.Line{{Time: time.Unix(0, 0), Text: s}}, 0, "fr"); err != nil {
			t.Fatal(err)
		}
		if err := evidence.Picture(&picture, i, reports.Picture{Of: s, Alt: reports.Text{FR: s, EN: s}}, dot(t), "fr"); err != nil {
			t.Fatal(err)
		}
		for name, b := range map[string][]byte{"page": page.Bytes(), "log": log.Bytes()} {
			if !utf8.Valid(b) || bytes.ContainsAny(b, "\x00\x1b\u202e") || name == "page" && bytes.Contains(b, []byte("<script")) {
				t.Errorf("%q is more than text in the %s", s, name)
			}
		}
		if p, err := png.Decode(&picture); err != nil || p.Bounds().Dy() > 2000 {
			t.Errorf("%q: the picture is %v, %v", s, p.Bounds(), err)
		}
	}
}

func FuzzPicture(f *testing.F) {
	f.Add(dot(f))
	f.Add([]byte("RIFF\x00\x00\x00\x00WEBPVP8 "))
	f.Add([]byte{})
	i := evidence.Item{Report: reports.Normal(reports.Report{}), Check: reports.Check{ID: "A-1.1", Verdict: reports.Conformant}}
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 64<<10 {
			t.Skip("more than is tried here")
		}
		var out bytes.Buffer
		err := evidence.Picture(&out, i, reports.Picture{Of: "page"}, b, "en")
		if err == nil {
			if _, err := png.DecodeConfig(&out); err != nil {
				t.Error(err)
			}
		} else if !errors.Is(err, evidence.ErrPicture) || out.Len() > 0 {
			t.Errorf("%v, after %d bytes", err, out.Len())
		}
	})
}
