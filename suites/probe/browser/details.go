package browser

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// Bounds of what is kept of a page's details.
const (
	maxImages    = 60
	maxLibraries = 30
	maxScripts   = 12      // whose beginnings are read
	maxBanner    = 2 << 10 // bytes read of the beginning of a script
	maxScrolls   = 3
)

// Details are what a page says of itself besides its structure.
type Details struct {
	Images    []Image    `json:"images"`
	Fonts     []string   `json:"fonts"` // downloaded or not, each with weight and style
	Libraries []Library  `json:"libraries"`
	Providers []Provider `json:"providers"`
	Words     int        `json:"words"`   // of the text that is shown
	French    int        `json:"french"`  // of them, common words of French
	English   int        `json:"english"` // and of English
	// Grew is how often the page became longer for having been scrolled to its
	// end, of at most three times.
	Grew int `json:"grew"`
}

// Image is one picture of a page as it is shown, in CSS pixels, and as it is.
type Image struct {
	Name          string `json:"name"` // of its file
	Width         int    `json:"width"`
	Height        int    `json:"height"`
	NaturalWidth  int    `json:"naturalWidth"`
	NaturalHeight int    `json:"naturalHeight"`
	Lazy          bool   `json:"lazy"`  // loaded when it comes near
	Below         bool   `json:"below"` // more than two windows down
	Vector        bool   `json:"vector"`
}

// Library is a library of scripts, recognised.
type Library struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	From    string `json:"from"` // global, banner, name: by what it was recognised
}

// Provider is a button of a public identity provider.
type Provider struct {
	Which  string `json:"which"` // franceconnect, prosanteconnect
	Words  string `json:"words"`
	Scheme string `json:"scheme"` // of where it leads: "https:"; "" where it is not known
	Host   string `json:"host"`
	Link   bool   `json:"link"` // it is a link, so that it leads there
}

// details reads what the page says of itself, and adds the libraries that its
// scripts name.
func (l *look) details(ctx context.Context, requests []Request, ids []network.RequestID) Details {
	got, err := chromedp.Run(ctx, chromedp.Evaluate[Details](script("details")))
	if err != nil {
		got = Details{}
	}
	out := got.bounded()
	read := 0
	for i, r := range requests {
		if r.Type != string(network.ResourceTypeScript) || r.Status != 200 {
			continue
		}
		out.add(byName(r.Name))
		if read == maxScripts || i >= len(ids) || ids[i] == "" {
			continue
		}
		read++
		if body, err := chromedp.Call(ctx, network.GetResponseBody, network.GetResponseBodyParams{RequestID: ids[i]}); err == nil {
			out.add(byBanner(string(body.Body[:min(len(body.Body), maxBanner)])))
		}
	}
	return out
}

// add adds a library, once; what the page itself says comes first.
func (d *Details) add(lib Library) {
	if lib.Name == "" || len(d.Libraries) == maxLibraries || lib.Name == "angularjs" && !strings.HasPrefix(lib.Version, "1.") {
		return // Angular, of the second generation on, is another library
	}
	if !slices.ContainsFunc(d.Libraries, func(x Library) bool { return x.Name == lib.Name && x.Version == lib.Version }) {
		d.Libraries = append(d.Libraries, lib)
	}
}

func (d Details) bounded() Details {
	out := Details{Images: []Image{}, Fonts: []string{}, Libraries: []Library{}, Providers: []Provider{}, Words: max(0, d.Words), French: max(0, d.French), English: max(0, d.English)}
	for i, x := range d.Images {
		if i < maxImages {
			x.Name = cut(x.Name, maxText)
			out.Images = append(out.Images, x)
		}
	}
	for i, x := range d.Fonts {
		if i < maxImages {
			out.Fonts = append(out.Fonts, cut(x, maxText))
		}
	}
	for _, x := range d.Libraries {
		out.add(Library{Name: cut(x.Name, 40), Version: cut(x.Version, 40), From: "global"})
	}
	for i, x := range d.Providers {
		if i < 6 {
			out.Providers = append(out.Providers, Provider{Which: cut(x.Which, 40), Words: cut(x.Words, maxText), Scheme: cut(x.Scheme, 20), Host: cut(x.Host, maxText), Link: x.Link})
		}
	}
	return out
}

// known gives the name under which a library is known here; "" for none.
func known(name string) string {
	name = strings.ToLower(strings.TrimSuffix(strings.TrimSpace(name), ".js"))
	switch name {
	case "jquery", "bootstrap", "lodash", "moment", "handlebars", "vue", "dompurify", "axios", "knockout", "select2", "mustache", "highcharts", "swiper":
		return name
	case "jquery ui", "jquery-ui", "jquery.ui":
		return "jquery-ui"
	case "angularjs", "angular":
		return "angularjs"
	case "underscore":
		return "underscore"
	case "jquery validation plugin", "jquery.validate", "jquery-validation":
		return "jquery-validation"
	case "moment.js", "momentjs":
		return "moment"
	case "chart":
		return "chart.js"
	case "video":
		return "video.js"
	}
	return ""
}

// byBanner recognises a library by the comment at the beginning of its file.
func byBanner(head string) Library {
	m := regexp.MustCompile(`(?i)^[\s;"'!a-z()]{0,40}/[*/][*!\s]*(?:@license\s+|@preserve\s+)?([A-Za-z][A-Za-z0-9. -]{1,30}?)(?:\s+JavaScript Library|\s+<https?://\S+>|\s+[–-])?[\s,-]+(?:version\s*|v)?(\d+\.\d+(?:\.\d+)?(?:[-.][0-9A-Za-z.]+)?)`).FindStringSubmatch(head)
	if m == nil || known(m[1]) == "" {
		return Library{}
	}
	return Library{Name: known(m[1]), Version: cut(m[2], 40), From: "banner"}
}

// byName recognises a library by the name of its file.
func byName(file string) Library {
	m := regexp.MustCompile(`(?i)^([a-z][a-z0-9.-]{1,30}?)[-.@_]v?(\d+\.\d+\.\d+)(?:[-.][0-9a-z.-]*)?\.js$`).FindStringSubmatch(file)
	if m == nil || known(m[1]) == "" {
		return Library{}
	}
	return Library{Name: known(m[1]), Version: cut(m[2], 40), From: "name"}
}

// scroll scrolls to the end of a page that is longer than the window, and says how
// often it became longer for it.
func (l *look) scroll(ctx context.Context) int {
	const length = "(document.scrollingElement || document.documentElement).scrollHeight"
	height, err := chromedp.Run(ctx, chromedp.Evaluate[float64]("innerHeight + 40 < "+length+" ? "+length+" : 0"))
	grew := 0
	for err == nil && height > 0 && grew < maxScrolls {
		if err = chromedp.Do(ctx, chromedp.Evaluate[chromedp.Void]("scrollTo({top: "+length+", behavior: 'instant'}), undefined")); err != nil {
			break
		}
		longer := false
		for end := time.Now().Add(l.quiet); !longer && time.Now().Before(end); {
			var now float64
			if now, err = chromedp.Run(ctx, chromedp.Evaluate[float64]("new Promise((done) => setTimeout(() => done("+length+"), 40))", chromedp.EvalAwaitPromise)); err != nil {
				break
			}
			longer = now > height+40
			height = max(height, now)
		}
		if !longer {
			break
		}
		grew++
	}
	_ = chromedp.Do(ctx, chromedp.Evaluate[chromedp.Void]("scrollTo({top: 0, behavior: 'instant'}), undefined")) // a page that is gone is seen elsewhere
	return grew
}
