package ethics

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/etalon-sante/etalon/sandbox/record"
	"github.com/etalon-sante/etalon/suites/journey"
	. "github.com/etalon-sante/etalon/suites/lab"
	"github.com/etalon-sante/etalon/suites/probe/browser"
)

// Above these, a page is said to be heavy. No text that was read gives a limit:
// they are ours, chosen so that only a page out of all measure exceeds them; no
// survey of the web stands behind them.
const (
	maxBytes    = 5 << 20
	maxRequests = 150
	maxElements = 4000
)

func tooHeavy(r record.Record, p browser.Page) []Finding {
	var out []Finding
	for _, c := range []struct {
		key          string
		is, most     int
		fr, en, unit string
	}{
		{"browser.bytes", int(p.Bytes), maxBytes, "pèse", "weighs", " o"},
		{"browser.requests", p.Asked, maxRequests, "fait", "makes", " req"},
		{"browser.elements", p.Facts.DOM, maxElements, "compte", "holds", " DOM"},
	} {
		if c.is > c.most {
			out = append(out, At(r, c.key, Text{
				FR: fmt.Sprintf("la page %s %s %d%s", p.URL, c.fr, c.is, c.unit), EN: fmt.Sprintf("page %s %s %d%s", p.URL, c.en, c.is, c.unit),
			}).Was(fmt.Sprintf("≤ %d%s", c.most, c.unit), fmt.Sprintf("%d%s", c.is, c.unit)))
		}
	}
	return out
}

// figures are what a declaration of eco-design starts from.
func figures(res browser.Result) Text {
	var lines []string
	for _, p := range res.Pages {
		if p.State == browser.Read {
			lines = append(lines, fmt.Sprintf("%s %.1f ko/kB, %d req, %d DOM", p.URL, float64(p.Bytes)/1000, p.Asked, p.Facts.DOM))
		}
	}
	return Text{
		FR: "à rapprocher de l’écoscore déclaré : " + journey.Several(lines),
		EN: "to be compared with the eco-score declared: " + journey.Several(lines),
	}
}

// fixed says whether a request is for something of the site that does not change
// from one visit to the next.
func fixed(q browser.Request) bool {
	switch q.Type {
	case "Stylesheet", "Script", "Image", "Font":
		return !q.Third && q.Status == 200
	}
	return false
}

// keptSome says whether an answer may be used again, after asking or without.
func keptSome(q browser.Request) bool {
	caching := strings.ToLower(q.Caching)
	for _, part := range strings.Split(caching, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		if name == "no-store" {
			return false
		}
		if n, err := strconv.Atoi(strings.Trim(value, `"`)); name == "max-age" && err == nil && n > 0 {
			return true
		}
		if name == "immutable" {
			return true
		}
	}
	return q.Tagged
}

func notKept(r record.Record, p browser.Page) []Finding {
	var out []Finding
	for _, q := range p.Requests {
		if fixed(q) && !keptSome(q) {
			out = append(out, At(r, "browser.not-kept", Text{
				FR: fmt.Sprintf("la page %s charge de %s un fichier (%s) que le navigateur ne peut pas garder", p.URL, q.Host, q.MIME),
				EN: fmt.Sprintf("page %s loads from %s a file (%s) that the browser cannot keep", p.URL, q.Host, q.MIME),
			}).Was("Cache-Control: max-age=… / ETag", "Cache-Control: "+q.Caching))
		}
	}
	return out
}

func playsAlone(r record.Record, p browser.Page) []Finding {
	if len(p.Facts.Playing) == 0 {
		return nil
	}
	return []Finding{At(r, "browser.plays-alone", Text{
		FR: fmt.Sprintf("sur la page %s, un son ou une vidéo part sans qu’on le demande", p.URL),
		EN: fmt.Sprintf("on page %s, a sound or a video starts without being asked", p.URL),
	}).Was("—", journey.Several(p.Facts.Playing))}
}
