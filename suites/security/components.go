package security

import (
	_ "embed" // vulnerable.txt
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	. "github.com/onsi/ginkgo/v2"

	"github.com/etalon-sante/etalon/sandbox/record"
	"github.com/etalon-sante/etalon/suites/journey"
	. "github.com/etalon-sante/etalon/suites/lab"
	"github.com/etalon-sante/etalon/suites/probe/browser"
)

//go:embed vulnerable.txt
var vulnerableText string

// BrowserChecks are the checks of this suite that need a browser.
func BrowserChecks() []string { return []string{"SEC-56.1", "SEC-57.1", "SEC-58.1"} }

// BrowserSpecs registers what is judged of the pages' security as a browser shows
// them.
func BrowserSpecs(l *Lab) {
	v := journey.VisitsOf(l)
	Describe("A page, as a browser shows it", func() {
		It("asks for nothing in the clear", Check("SEC-56.1"), Reads(v.First), func() {
			t, res := journey.Shown(v.First)
			if !journey.AnyPage(res, func(p browser.Page) bool { return strings.HasPrefix(p.URL, "https://") }) {
				t.Untested(Text{FR: "aucune page n’est venue par https", EN: "no page came over https"})
			}
			journey.OnVisit(v.First, journey.EachPage(inTheClear), nil)
		})
		It("runs no library with a known flaw", Check("SEC-57.1"), Reads(v.First), func() {
			list, _ := readVulnerable(vulnerableText)
			journey.OnVisit(v.First, journey.EachPage(list.outdated), list.recognised)
		})
		It("leads to public identity providers where it says so", Check("SEC-58.1"), Reads(v.First), func() {
			journey.OnVisitSeeing(v.First, journey.EachPage(misled), providers, journey.FirstPage)
		})
	})
}

func inTheClear(r record.Record, p browser.Page) []Finding {
	var out []Finding
	for _, address := range p.Mixed {
		out = append(out, At(r, "browser.in-the-clear", Text{
			FR: fmt.Sprintf("la page %s demande %s en clair", p.URL, address), EN: fmt.Sprintf("page %s asks for %s in the clear", p.URL, address),
		}).Was("https://", address))
	}
	return out
}

// flawedRange is one line of the list of known flaws.
type flawedRange struct {
	name        string
	from, fixed []int // fixed nil: no version is mended
	shown       string
	why         string
}

// vulnerable is the list of known flaws, read.
type vulnerable struct {
	asOf   string
	ranges []flawedRange
}

// readVulnerable reads a list; a line that is not understood is left out, and a
// test sees to it that ours holds none.
func readVulnerable(text string) (out vulnerable, refused []string) {
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if day, ok := strings.CutPrefix(line, "as-of "); ok {
			out.asOf = day
			continue
		}
		f := strings.SplitN(line, " ", 4)
		if len(f) < 4 {
			refused = append(refused, line)
			continue
		}
		from, ok := numbers(f[1])
		x := flawedRange{name: f[0], from: from, shown: "≥ " + f[2], why: f[3]}
		if f[2] == "-" {
			x.shown = "—"
		} else {
			var fixed bool
			x.fixed, fixed = numbers(f[2])
			ok = ok && fixed
		}
		if !ok {
			refused = append(refused, line)
			continue
		}
		out.ranges = append(out.ranges, x)
	}
	return out, refused
}

// numbers reads the numbers of a version; what follows a hyphen or a plus is left
// aside, so that a release candidate counts as the version itself.
func numbers(s string) ([]int, bool) {
	if !regexp.MustCompile(`^\d{1,6}(\.\d{1,6}){0,3}([-+.][0-9A-Za-z.+-]*)?$`).MatchString(s) {
		return nil, false
	}
	s, _, _ = strings.Cut(s, "-")
	s, _, _ = strings.Cut(s, "+")
	var out []int
	for _, part := range strings.Split(s, ".") {
		n, err := strconv.Atoi(part)
		if err != nil {
			break
		}
		out = append(out, n)
	}
	return out, len(out) > 0
}

// below says whether a version is lower than another.
func below(a, b []int) bool {
	for i := range max(len(a), len(b)) {
		x, y := 0, 0
		if i < len(a) {
			x = a[i]
		}
		if i < len(b) {
			y = b[i]
		}
		if x != y {
			return x < y
		}
	}
	return false
}

// of gives the known flaws of a library.
func (l vulnerable) of(lib browser.Library) []flawedRange {
	v, ok := numbers(lib.Version)
	var out []flawedRange
	for _, x := range l.ranges {
		if ok && x.name == lib.Name && !below(v, x.from) && (x.fixed == nil || below(v, x.fixed)) {
			out = append(out, x)
		}
	}
	return out
}

func (l vulnerable) outdated(r record.Record, p browser.Page) []Finding {
	var out []Finding
	if p.Details == nil {
		return nil
	}
	for _, lib := range p.Details.Libraries {
		for _, x := range l.of(lib) {
			out = append(out, At(r, "browser.known-flaw", Text{
				FR: fmt.Sprintf("la page %s charge %s %s, qui a une faille connue (%s ; liste du %s)", p.URL, lib.Name, lib.Version, x.why, l.asOf),
				EN: fmt.Sprintf("page %s loads %s %s, which has a known flaw (%s; list of %s)", p.URL, lib.Name, lib.Version, x.why, l.asOf),
			}).Was(x.shown, lib.Version))
		}
	}
	return out
}

// recognised: what is in no range is not thereby up to date, and what was not
// recognised may be anything.
func (l vulnerable) recognised(res browser.Result) Text {
	var names []string
	scripts := 0
	for _, p := range res.Pages {
		for _, q := range p.Requests {
			if q.Type == "Script" && q.Status == 200 {
				scripts++
			}
		}
		if p.Details == nil {
			continue
		}
		for _, lib := range p.Details.Libraries {
			if name := lib.Name + " " + lib.Version; !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	if len(names) == 0 {
		return Text{
			FR: fmt.Sprintf("%d scripts ont été chargés, et aucune bibliothèque connue du banc n’y est reconnue (liste du %s). Un inventaire de vos composants dit-il qu’ils sont à jour ?", scripts, l.asOf),
			EN: fmt.Sprintf("%d scripts were loaded, and no library that the harness knows was recognised in them (list of %s). Does an inventory of your components say that they are up to date?", scripts, l.asOf),
		}
	}
	return Text{
		FR: fmt.Sprintf("reconnues, et sans faille connue de la liste du %s, qui est courte : %s. Sont-elles à jour, et quelles autres sont chargées ?", l.asOf, journey.Several(names)),
		EN: fmt.Sprintf("recognised, and without a flaw known to the list of %s, which is short: %s. Are they up to date, and which others are loaded?", l.asOf, journey.Several(names)),
	}
}

// home says whether a host is one of a public identity provider's, or of this very
// service, which then leads there itself; bears, whether it bears its name without
// being it.
func home(p browser.Provider) (bears bool) {
	host := strings.ToLower(p.Host)
	if i := strings.LastIndexByte(host, ':'); i > 0 && !strings.HasSuffix(host, "]") {
		host = host[:i]
	}
	under := func(domain string) bool { return host == domain || strings.HasSuffix(host, "."+domain) }
	switch p.Which {
	case "franceconnect":
		return strings.Contains(host, "franceconnect") && !under("franceconnect.gouv.fr")
	case "prosanteconnect":
		return (strings.Contains(host, "prosanteconnect") || strings.Contains(host, "esante.gouv")) && !under("esante.gouv.fr")
	}
	return false
}

// misled: a button of the State's that leads to a look-alike, or in the clear.
func misled(r record.Record, page browser.Page) []Finding {
	var out []Finding
	if page.Details == nil {
		return nil
	}
	for _, p := range page.Details.Providers {
		if !home(p) && p.Scheme != "http:" {
			continue
		}
		out = append(out, At(r, "browser.provider-elsewhere", Text{
			FR: fmt.Sprintf("sur la page %s, « %s » mène à %s//%s, qui n’est pas l’adresse de l’État ou passe en clair", page.URL, p.Words, p.Scheme, p.Host),
			EN: fmt.Sprintf("on page %s, %q leads to %s//%s, which is not the State's address or goes in the clear", page.URL, p.Words, p.Scheme, p.Host),
		}).Was("https://…franceconnect.gouv.fr, …esante.gouv.fr", p.Scheme+"//"+p.Host))
	}
	return out
}

// providers names the buttons that were seen. That none was seen says nothing by
// itself: a path to them may lie elsewhere.
func providers(res browser.Result) Text {
	var seen []string
	for _, page := range res.Pages {
		if page.Details == nil {
			continue
		}
		for _, p := range page.Details.Providers {
			name := fmt.Sprintf("« %s » (%s)", p.Words, page.URL)
			if p.Link && p.Host != "" {
				name = fmt.Sprintf("« %s » (%s → %s)", p.Words, page.URL, p.Host)
			}
			if !slices.Contains(seen, name) {
				seen = append(seen, name)
			}
		}
	}
	if len(seen) == 0 {
		return Text{
			FR: "sur les pages nommées, aucun bouton FranceConnect ni Pro Santé Connect n’est reconnu. Par quel chemin le patient, ou le professionnel, s’identifie-t-il avec un moyen de l’État ?",
			EN: "on the pages named, no button of FranceConnect or Pro Santé Connect is recognised. By which path do patients, or professionals, identify themselves with a means of the State?",
		}
	}
	return Text{
		FR: "boutons reconnus : " + journey.Several(seen) + ". Mènent-ils à l’identification de l’État, avec un second facteur pour les patients, et par elle seule pour les professionnels ?",
		EN: "buttons recognised: " + journey.Several(seen) + ". Do they lead to the State's identification, with a second factor for patients, and by it alone for professionals?",
	}
}
