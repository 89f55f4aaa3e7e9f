package ethics

import (
	"strings"
	"testing"

	"github.com/etalon-sante/etalon/sandbox/record"
	"github.com/etalon-sante/etalon/suites/lab"
	"github.com/etalon-sante/etalon/suites/probe/browser"
)

func TestWhatElseIsFoundOnAPage(t *testing.T) {
	t.Parallel()
	asks := func(q browser.Request) func(*browser.Page) {
		return func(p *browser.Page) { p.Requests = []browser.Request{q} }
	}
	shows := func(i browser.Image) func(*browser.Page) {
		return func(p *browser.Page) { p.Details = &browser.Details{Images: []browser.Image{i}} }
	}
	grew := func(n int) func(*browser.Page) {
		return func(p *browser.Page) { p.Details = &browser.Details{Grew: n} }
	}
	fonts := func(n int, loaded ...string) func(*browser.Page) {
		return func(p *browser.Page) {
			for i := range n {
				p.Requests = append(p.Requests, browser.Request{Type: "Font", Status: 200, Name: string(rune('a' + i))})
			}
			p.Details = &browser.Details{Fonts: loaded}
		}
	}
	for name, c := range map[string]struct {
		find  func(record.Record, browser.Page) []lab.Finding
		page  func(*browser.Page)
		found int
	}{
		"a long text as it is":              {notPacked, asks(browser.Request{Status: 200, MIME: "text/css", Body: 20_000}), 1},
		"a long text, packed":               {notPacked, asks(browser.Request{Status: 200, MIME: "text/css", Body: 20_000, Coding: "br"}), 0},
		"a short text as it is":             {notPacked, asks(browser.Request{Status: 200, MIME: "text/html", Body: 9_000}), 0},
		"a picture, which is packed":        {notPacked, asks(browser.Request{Status: 200, MIME: "image/png", Body: 200_000}), 0},
		"a text of others, which is theirs": {notPacked, asks(browser.Request{Status: 200, MIME: "text/css", Body: 20_000, Third: true}), 0},
		"a drawing as it is":                {notPacked, asks(browser.Request{Status: 200, MIME: "image/svg+xml", Body: 20_000}), 1},
		"a huge picture shown small":        {tooLarge, shows(browser.Image{Width: 80, Height: 60, NaturalWidth: 1600, NaturalHeight: 1200}), 1},
		"a picture for a fine screen":       {tooLarge, shows(browser.Image{Width: 600, Height: 400, NaturalWidth: 1200, NaturalHeight: 800}), 0},
		"a small picture shown smaller":     {tooLarge, shows(browser.Image{Width: 16, Height: 16, NaturalWidth: 256, NaturalHeight: 256}), 0},
		"a drawing, which has no size":      {tooLarge, shows(browser.Image{Width: 80, Height: 60, NaturalWidth: 1600, NaturalHeight: 1200, Vector: true}), 0},
		"a picture that is not shown":       {tooLarge, shows(browser.Image{NaturalWidth: 1600, NaturalHeight: 1200}), 0},
		"a page that grew three times":      {endless, grew(3), 1},
		"a page that grew once":             {endless, grew(1), 0},
		"five files of fonts":               {manyFonts, fonts(5, "Un 400 normal"), 1},
		"three families":                    {manyFonts, fonts(3, "Un 400 normal", "Deux 400 normal", "Trois Quatre 700 italic"), 1},
		"two families, four variants":       {manyFonts, fonts(4, "Un 400 normal", "Un 700 normal", "Deux 400 normal", "Deux 400 italic"), 0},
		"fonts of the system":               {manyFonts, fonts(0, "Un 400 normal", "Deux 400 normal", "Trois 400 normal"), 0},
		"a text cut at 200 %":               {cutEnlarged, func(p *browser.Page) { p.Access.Zoom.Clipped = []string{"p « une dose »"} }, 1},
		"a text cut when spaced":            {cutSpaced, func(p *browser.Page) { p.Access.Spacing.Clipped = []string{"p « une dose »"} }, 1},
		"texts that are whole":              {cutEnlarged, func(*browser.Page) {}, 0},
	} {
		if got := c.find(record.Record{}, page(c.page)); len(got) != c.found {
			t.Errorf("%s: %d findings, want %d: %+v", name, len(got), c.found, got)
		}
	}
}

func TestTheLanguageOfAService(t *testing.T) {
	t.Parallel()
	of := func(langs ...string) browser.Result {
		var res browser.Result
		for _, l := range langs {
			res.Pages = append(res.Pages, page(func(p *browser.Page) { p.Facts.Lang = l }))
		}
		return res
	}
	for _, c := range []struct {
		langs []string
		found int
	}{
		{[]string{"fr", "fr-FR", "FR"}, 0},
		{[]string{"fr", "en", "fr"}, 0},
		{[]string{"fr", "en", "de"}, 1},
		{[]string{"en", "fr", "fr"}, 1},
		{[]string{"", "fr"}, 0},
	} {
		if got := inFrench(record.Record{}, of(c.langs...)); len(got) != c.found {
			t.Errorf("%v: %+v", c.langs, got)
		}
	}
	res := of("fr")
	res.Pages[0].Details = &browser.Details{Words: 100, French: 2, English: 30}
	if why := otherWords(res); !strings.Contains(why.EN, "English") {
		t.Errorf("%+v", why)
	}
	res.Pages[0].Details = &browser.Details{Words: 100, French: 30, English: 2}
	if why := otherWords(res); why != (lab.Text{}) {
		t.Errorf("%+v", why)
	}
}

func TestAudienceIsNotMeasuredForYears(t *testing.T) {
	t.Parallel()
	res := browser.Result{Cookies: []browser.Cookie{{Name: "_pk_id.1.1fff", Days: 393}, {Name: "__Host-session"}, {Name: "preference", Days: 400}}}
	if got := tooLong(record.Record{}, res); len(got) != 0 {
		t.Errorf("%+v", got)
	}
	res.Cookies[0].Days = 400
	if got := tooLong(record.Record{}, res); len(got) != 1 {
		t.Errorf("%+v", got)
	}
	if got := left(res); !strings.Contains(got, "400 j/d ⚠") || !strings.Contains(got, "__Host-session (session)") {
		t.Error(got)
	}
}
