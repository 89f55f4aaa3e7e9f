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

// Limits of sobriety. Those of fonts are RGESN's of 2024 (two fonts, four variants
// a screen, as the press sums it up); the others are ours, no text that was read
// gives them.
const (
	worthPacking = 10_000  // bytes of a text above which it is to be compressed
	heavyPicture = 100_000 // bytes of a picture above which its format is asked about
	maxDots      = 8       // times the points of a picture that are shown: twice a fine screen's
	smallPicture = 400     // pixels of width up to which a picture is small anyway
	maxFamilies  = 2
	maxVariants  = 4
)

// sober registers what else is judged of a page's cost.
func sober(l *Lab) {
	v := journey.VisitsOf(l)
	Describe("What a page carries", func() {
		It("is compressed", Check("ETH-53.1"), Reads(v.First), func() { journey.OnVisit(v.First, journey.EachPage(notPacked), nil) })
		It("are pictures of the size at which they are shown", Check("ETH-54.1"), Reads(v.First), func() {
			journey.OnVisit(v.First, journey.EachPage(tooLarge), heavyPictures)
		})
		It("are few fonts", Check("ETH-55.1"), Reads(v.First), func() { journey.OnVisit(v.First, journey.EachPage(manyFonts), nil) })
		It("has an end", Check("ETH-56.1"), Reads(v.First), func() { journey.OnVisit(v.First, journey.EachPage(endless), growing) })
	})
}

// packable says whether an answer is a text of the site's own that compression
// makes smaller.
func packable(q browser.Request) bool {
	mime := strings.ToLower(q.MIME)
	return !q.Third && q.Status == 200 && q.Body > worthPacking &&
		(strings.HasPrefix(mime, "text/") || strings.HasSuffix(mime, "javascript") || strings.HasSuffix(mime, "json") || strings.HasSuffix(mime, "xml"))
}

func notPacked(r record.Record, p browser.Page) []Finding {
	var out []Finding
	for _, q := range p.Requests {
		if packable(q) && (q.Coding == "" || strings.EqualFold(q.Coding, "identity")) {
			out = append(out, At(r, "browser.not-compressed", Text{
				FR: fmt.Sprintf("la page %s reçoit « %s » (%s, %d octets) sans compression", p.URL, q.Name, q.MIME, q.Body),
				EN: fmt.Sprintf("page %s receives %q (%s, %d bytes) without compression", p.URL, q.Name, q.MIME, q.Body),
			}).Was("Content-Encoding: gzip, br, zstd", "—"))
		}
	}
	return out
}

func tooLarge(r record.Record, p browser.Page) []Finding {
	var out []Finding
	if p.Details == nil {
		return nil
	}
	for _, i := range p.Details.Images {
		if i.Vector || i.Width < 8 || i.Height < 8 || i.NaturalWidth <= smallPicture || i.NaturalWidth*i.NaturalHeight <= maxDots*i.Width*i.Height {
			continue
		}
		out = append(out, At(r, "browser.picture-too-large", Text{
			FR: fmt.Sprintf("la page %s montre « %s » bien plus petite qu’elle n’est", p.URL, i.Name),
			EN: fmt.Sprintf("page %s shows %q much smaller than it is", p.URL, i.Name),
		}).Was(fmt.Sprintf("≈ %d × %d", i.Width, i.Height), fmt.Sprintf("%d × %d", i.NaturalWidth, i.NaturalHeight)))
	}
	return out
}

// heavyPictures names those whose format, or whose hour of loading, a person may
// want otherwise.
func heavyPictures(res browser.Result) Text {
	var names []string
	add := func(s string) {
		if !slices.Contains(names, s) {
			names = append(names, s)
		}
	}
	for _, p := range res.Pages {
		for _, q := range p.Requests {
			if mime := strings.ToLower(q.MIME); q.Type == "Image" && q.Body > heavyPicture && (mime == "image/png" || mime == "image/jpeg" || mime == "image/gif" || mime == "image/bmp") {
				add(fmt.Sprintf("%s (%s, %d ko/kB)", q.Name, mime, q.Body/1000))
			}
		}
		if p.Details == nil {
			continue
		}
		for _, i := range p.Details.Images {
			if i.Below && !i.Lazy {
				add(i.Name + " (loading ≠ lazy)")
			}
		}
	}
	if len(names) == 0 {
		return Text{}
	}
	return Text{
		FR: "ces images pourraient peser moins (WebP, AVIF) ou n’être chargées qu’à l’approche : " + journey.Several(names) + ". Leur forme est-elle voulue ?",
		EN: "these pictures could weigh less (WebP, AVIF) or be loaded only when they come near: " + journey.Several(names) + ". Is their form meant?",
	}
}

func manyFonts(r record.Record, p browser.Page) []Finding {
	var files, families []string
	for _, q := range p.Requests {
		if q.Type == "Font" && q.Status == 200 && !slices.Contains(files, q.Host+"/"+q.Name) {
			files = append(files, q.Host+"/"+q.Name)
		}
	}
	if p.Details != nil && len(files) > 0 {
		for _, f := range p.Details.Fonts {
			words := strings.Fields(f) // its family, weight and style
			if family := strings.Join(words[:max(0, len(words)-2)], " "); family != "" && !slices.Contains(families, family) {
				families = append(families, family)
			}
		}
	}
	if len(files) <= maxVariants && len(families) <= maxFamilies {
		return nil
	}
	return []Finding{At(r, "browser.many-fonts", Text{
		FR: fmt.Sprintf("la page %s charge %d fichiers de police, de %d familles", p.URL, len(files), len(families)),
		EN: fmt.Sprintf("page %s loads %d font files, of %d families", p.URL, len(files), len(families)),
	}).Was(fmt.Sprintf("≤ %d, ≤ %d", maxVariants, maxFamilies), journey.Several(append(files, families...)))}
}

// endless: a page that grew each time its end was reached has none.
func endless(r record.Record, p browser.Page) []Finding {
	if p.Details == nil || p.Details.Grew < 3 {
		return nil
	}
	return []Finding{At(r, "browser.endless", Text{
		FR: fmt.Sprintf("la page %s s’allonge chaque fois que l’on atteint sa fin", p.URL),
		EN: fmt.Sprintf("page %s becomes longer each time its end is reached", p.URL),
	}).Was("0", fmt.Sprintf("%d / 3", p.Details.Grew))}
}

func growing(res browser.Result) Text {
	var urls []string
	for _, p := range res.Pages {
		if p.Details != nil && p.Details.Grew > 0 {
			urls = append(urls, p.URL)
		}
	}
	if len(urls) == 0 {
		return Text{}
	}
	return Text{
		FR: "ces pages s’allongent quand on atteint leur fin, puis s’arrêtent : " + journey.Several(urls) + ". Est-ce un chargement différé, ou un défilement sans fin ?",
		EN: "these pages become longer when their end is reached, then stop: " + journey.Several(urls) + ". Is it deferred loading, or scrolling without end?",
	}
}
