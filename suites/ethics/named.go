package ethics

import (
	"fmt"
	"net"
	"strings"

	"golang.org/x/net/publicsuffix"

	"github.com/etalon-sante/etalon/suites/journey"
	. "github.com/etalon-sante/etalon/suites/lab"
	"github.com/etalon-sante/etalon/suites/probe/browser"
	"github.com/etalon-sante/etalon/suites/probe/text"
	"github.com/etalon-sante/etalon/suites/texts"
	"github.com/etalon-sante/etalon/suites/wording"
)

// thirdsNamed compares the sites that a browser saw called with those that the
// texts name: by their host, by their domain, or by whose they are.
func thirdsNamed(first, published *Scenario) {
	_, res := journey.Shown(first)
	hosts := thirds(res, func(browser.Request) bool { return true })
	if len(hosts) == 0 {
		return // nobody to name
	}
	t, pages, why := texts.Policies(published)
	var found []string
	var bad []Finding
	for _, h := range hosts {
		if quote := namedIn(pages, names(h)); quote != "" {
			found = append(found, h+" : « "+quote+" »")
			continue
		}
		bad = append(bad, At(t.First(), "texts.third-not-named", Text{
			FR: fmt.Sprintf("les pages appellent %s, que ni la politique de confidentialité ni la page sur les cookies ne nomment", h),
			EN: fmt.Sprintf("pages call %s, which neither the privacy policy nor the page about cookies names", h),
		}).Was(strings.Join(names(h), " / "), "—"))
	}
	switch {
	case len(bad) > 0 && why != (Text{}):
		t.Untested(why)
	case len(bad) > 0:
		t.Report(bad...)
	default:
		t.Review(Text{
			FR: "tiers appelés, et nommés : " + journey.Several(found) + ". Ce qui en est dit est-il exact, et la liste porte-t-elle une date ?",
			EN: "third parties called, and named: " + journey.Several(found) + ". Is what is said of them exact, and does the list bear a date?",
		})
	}
}

// names are those by which a text may call a host.
func names(host string) []string {
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	name = strings.ToLower(strings.Trim(name, "[]"))
	out := []string{name}
	if domain, err := publicsuffix.EffectiveTLDPlusOne(name); err == nil && domain != name {
		out = append(out, domain)
	}
	if t, known := ourTrackers().host(host); known {
		out = append(out, t.whose)
	}
	return out
}

func namedIn(pages []text.Page, names []string) string {
	for _, p := range pages {
		for _, s := range p.Sentences {
			said := wording.Fold(s.Text)
			for _, n := range names {
				if wording.HasAny(said, wording.Fold(n)+"_") {
					return s.Text
				}
			}
		}
	}
	return ""
}
