package ethics

import (
	"fmt"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"

	"github.com/etalon-sante/etalon/sandbox/record"
	"github.com/etalon-sante/etalon/suites/journey"
	. "github.com/etalon-sante/etalon/suites/lab"
	"github.com/etalon-sante/etalon/suites/probe/browser"
)

// readable registers what is judged of texts: enlarged, spaced out, in French.
func readable(l *Lab) {
	v := journey.VisitsOf(l)
	Describe("A text", func() {
		It("is whole when it is enlarged", Check("ETH-36.1"), Reads(v.Access), func() {
			accessible(v.Access, func(a browser.Access) string { return a.Zoom.Error })
			journey.OnVisit(v.Access, journey.EachPage(cutEnlarged), nil)
		})
		It("is whole when it is spaced out", Check("ETH-37.1"), Reads(v.Access), func() {
			accessible(v.Access, func(a browser.Access) string { return a.Spacing.Error })
			journey.OnVisit(v.Access, journey.EachPage(cutSpaced), nil)
		})
		It("is in French", Check("ETH-38.1"), Reads(v.First), func() {
			t, res := journey.Shown(v.First)
			if !journey.AnyPage(res, func(p browser.Page) bool { return tongue(p) != "" }) {
				t.Untested(Text{FR: "aucune page ne dit sa langue (voir ETH-30)", EN: "no page says its language (see ETH-30)"})
			}
			journey.OnVisit(v.First, inFrench, otherWords)
		})
	})
}

func cutEnlarged(r record.Record, p browser.Page) []Finding {
	return cutOff(r, p.Access.Zoom, "browser.cut-enlarged", Text{
		FR: fmt.Sprintf("à 200 %%, la page %s coupe un texte", p.URL), EN: fmt.Sprintf("at 200 %%, page %s cuts a text off", p.URL),
	}, journey.Taken(p, browser.OfZoom, ""))
}

func cutSpaced(r record.Record, p browser.Page) []Finding {
	return cutOff(r, p.Access.Spacing, "browser.cut-spaced", Text{
		FR: fmt.Sprintf("texte espacé, la page %s le coupe", p.URL), EN: fmt.Sprintf("with its text spaced out, page %s cuts it off", p.URL),
	}, journey.Taken(p, browser.OfSpaced, ""))
}

func cutOff(r record.Record, e browser.Enlarged, key string, message Text, picture *Picture) []Finding {
	if len(e.Clipped) == 0 {
		return nil
	}
	return []Finding{At(r, key, message).Was("—", journey.Several(e.Clipped)).Shown(picture)}
}

// tongue is the language that a page says, without its region.
func tongue(p browser.Page) string {
	out, _, _ := strings.Cut(strings.ToLower(strings.TrimSpace(p.Facts.Lang)), "-")
	return out
}

// inFrench: a service may have pages in other languages; its home page, and most
// of the pages that the manifest names, are in French.
func inFrench(r record.Record, res browser.Result) []Finding {
	var other []string
	said, home := 0, ""
	for i, p := range res.Pages {
		if p.State != browser.Read || tongue(p) == "" {
			continue
		}
		said++
		if tongue(p) != "fr" {
			other = append(other, p.URL+" ("+p.Facts.Lang+")")
			if i == 0 {
				home = p.Facts.Lang
			}
		}
	}
	if home == "" && 2*len(other) <= said {
		return nil
	}
	return []Finding{At(r, "browser.not-in-french", Text{
		FR: "des pages se disent dans une autre langue que le français : " + journey.Several(other),
		EN: "pages say that they are in another language than French: " + journey.Several(other),
	}).Was(`lang="fr"`, journey.Several(other))}
}

// otherWords: what a page says of its language may not be so. Few words say
// nothing.
func otherWords(res browser.Result) Text {
	const enough = 40
	var doubt []string
	for _, p := range res.Pages {
		if d := p.Details; p.State == browser.Read && tongue(p) == "fr" && d != nil && d.Words >= enough && d.English > d.French && !slices.Contains(doubt, p.URL) {
			doubt = append(doubt, p.URL)
		}
	}
	if len(doubt) == 0 {
		return Text{}
	}
	return Text{
		FR: "ces pages se disent en français, et leurs mots semblent anglais : " + journey.Several(doubt) + ". Un patient les comprend-il ?",
		EN: "these pages say that they are in French, and their words look English: " + journey.Several(doubt) + ". Does a patient understand them?",
	}
}
