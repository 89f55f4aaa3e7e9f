package ethics

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/etalon-sante/etalon/sandbox/record"
	"github.com/etalon-sante/etalon/suites/journey"
	. "github.com/etalon-sante/etalon/suites/lab"
	"github.com/etalon-sante/etalon/suites/probe/browser"
)

// What a page says of itself, and whether it can be used in other ways than with
// a mouse and a large screen.

// language wants a well-formed tag (BCP 47, its first two parts).
func language(r record.Record, p browser.Page) []Finding {
	if regexp.MustCompile(`^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$`).MatchString(strings.TrimSpace(p.Facts.Lang)) {
		return nil
	}
	return []Finding{At(r, "browser.no-language", Text{
		FR: fmt.Sprintf("la page %s ne dit pas dans quelle langue elle est", p.URL),
		EN: fmt.Sprintf("page %s does not say in which language it is", p.URL),
	}).Was(`<html lang="fr">`, fmt.Sprintf("lang=%q", p.Facts.Lang))}
}

func titled(r record.Record, p browser.Page) []Finding {
	if strings.TrimSpace(p.Facts.Title) != "" {
		return nil
	}
	return []Finding{At(r, "browser.no-title", Text{
		FR: fmt.Sprintf("la page %s n’a pas de titre", p.URL), EN: fmt.Sprintf("page %s has no title", p.URL),
	}).Was("<title>…</title>", "—")}
}

// titles are the pages by their titles.
func titles(res browser.Result) map[string][]string {
	out := map[string][]string{}
	for _, p := range res.Pages {
		if title := strings.TrimSpace(p.Facts.Title); p.State == browser.Read && title != "" {
			out[title] = append(out[title], p.URL)
		}
	}
	if n := len(out); n == 1 { // one title of several pages is a matter to judge
		for title, urls := range out {
			if len(urls) > 1 {
				out[title+"\x00"] = nil
			}
		}
	}
	return out
}

func titlesApart(r record.Record, res browser.Result) []Finding {
	var out []Finding
	all := titles(res)
	for _, p := range res.Pages {
		urls := all[strings.TrimSpace(p.Facts.Title)]
		if p.State != browser.Read || len(urls) < 2 || urls[0] != p.URL {
			continue
		}
		out = append(out, At(r, "browser.same-title", Text{
			FR: fmt.Sprintf("%d pages ont le même titre, « %s »", len(urls), p.Facts.Title),
			EN: fmt.Sprintf("%d pages have the same title, %q", len(urls), p.Facts.Title),
		}).Was("—", journey.Several(urls)))
	}
	return out
}

// zoomable: an element that forbids to enlarge, or bounds it below twice the size.
func zoomable(r record.Record, p browser.Page) []Finding {
	forbidden := ""
	for _, part := range strings.FieldsFunc(strings.ToLower(p.Facts.Viewport), func(c rune) bool { return c == ',' || c == ';' }) {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		most, err := strconv.ParseFloat(value, 64)
		switch {
		case name == "user-scalable" && (value == "no" || value == "0"),
			name == "maximum-scale" && err == nil && most >= 0 && most < 2:
			forbidden = strings.TrimSpace(part)
		}
	}
	if forbidden == "" {
		return nil
	}
	return []Finding{At(r, "browser.zoom-forbidden", Text{
		FR: fmt.Sprintf("la page %s empêche de l’agrandir", p.URL), EN: fmt.Sprintf("page %s forbids to be enlarged", p.URL),
	}).Was("200 %", forbidden)}
}

// accessible ends a leaf untested when a part of the look did not succeed on a
// page; why gives the reason, "" for none.
func accessible(s *Scenario, why func(browser.Access) string) {
	t, res := journey.Shown(s)
	for _, p := range res.Pages {
		switch {
		case p.State != browser.Read:
		case p.Access == nil:
			t.Untested(Text{FR: "la page " + p.URL + " n’a pas été essayée", EN: "page " + p.URL + " was not tried"})
		case why(*p.Access) != "":
			t.Untested(Text{FR: "l’essai de la page " + p.URL + " n’a pas abouti : " + why(*p.Access), EN: "the trial of page " + p.URL + " came to nothing: " + why(*p.Access)})
		}
	}
}

func wide(r record.Record, p browser.Page) []Finding {
	f := p.Access.Reflow
	if f.Page <= f.Window+1 {
		return nil
	}
	out := At(r, "browser.wider-than-the-window", Text{
		FR: fmt.Sprintf("dans une fenêtre de 320 pixels, la page %s se lit en défilant de côté", p.URL),
		EN: fmt.Sprintf("in a window 320 pixels wide, page %s is read by scrolling sideways", p.URL),
	}).Was(fmt.Sprintf("≤ %d px", f.Window), fmt.Sprintf("%d px", f.Page))
	if len(f.Out) > 0 {
		out = out.In(journey.Several(f.Out))
	}
	return []Finding{out.Shown(journey.Taken(p, browser.OfNarrow, ""))}
}

func focusUnseen(r record.Record, p browser.Page) []Finding {
	var out []Finding
	for _, at := range p.Access.Keyboard.Unseen {
		out = append(out, At(r, "browser.focus-unseen", Text{
			FR: fmt.Sprintf("sur la page %s, on ne voit pas que le clavier est sur %s", p.URL, at),
			EN: fmt.Sprintf("on page %s, it cannot be seen that the keyboard is at %s", p.URL, at),
		}).Was(":focus-visible", "—").Shown(journey.Taken(p, browser.OfFocus, at)))
	}
	return out
}

func trapped(r record.Record, p browser.Page) []Finding {
	k := p.Access.Keyboard
	if k.Trapped == "" {
		return nil
	}
	return []Finding{At(r, "browser.keyboard-held", Text{
		FR: fmt.Sprintf("sur la page %s, la touche Tab ne quitte pas %s", p.URL, k.Trapped),
		EN: fmt.Sprintf("on page %s, the key Tab does not leave %s", p.URL, k.Trapped),
	}).Was(fmt.Sprintf("%d", k.Reach), fmt.Sprintf("%d", k.Reached))}
}

// The groups in which rules of axe-core are judged.
const (
	axePictures = "pictures"
	axeForms    = "forms"
	axeContrast = "contrast"
	axeNames    = "names"
	axeOthers   = "others"
	axeNone     = "" // judged by a check of its own
)

// groupOf is the group of a rule.
func groupOf(rule string) string {
	switch rule {
	case "document-title", "html-has-lang", "html-lang-valid", "meta-viewport":
		return axeNone
	case "image-alt", "input-image-alt", "area-alt", "object-alt", "role-img-alt", "svg-img-alt", "image-redundant-alt", "video-caption", "audio-caption":
		return axePictures
	case "label", "select-name", "aria-input-field-name", "aria-toggle-field-name", "form-field-multiple-labels", "autocomplete-valid", "label-title-only":
		return axeForms
	case "color-contrast", "color-contrast-enhanced", "link-in-text-block":
		return axeContrast
	case "link-name", "button-name", "input-button-name", "aria-command-name", "summary-name", "frame-title", "label-content-name-mismatch":
		return axeNames
	}
	return axeOthers
}

// axeRan ends a leaf untested when the rules could not be tried.
func axeRan(s *Scenario) {
	accessible(s, func(browser.Access) string { return "" })
	t, res := journey.Shown(s)
	for _, p := range res.Pages {
		if p.State == browser.Read && !p.Access.Rules.Ran {
			t.Untested(Text(p.Access.Rules.Reason))
		}
	}
}

// grave says whether what a rule asks for is serious.
func grave(r browser.Rule) bool { return r.Impact == "serious" || r.Impact == "critical" }

func broken(rec record.Record, p browser.Page, group string) []Finding {
	var out []Finding
	for _, rule := range p.Access.Rules.Violations {
		if groupOf(rule.ID) != group || !grave(rule) {
			continue
		}
		f := At(rec, "browser.axe."+rule.ID, Text{
			FR: fmt.Sprintf("page %s : %s (%d fois, règle %s)", p.URL, rule.Help.FR, rule.Count, rule.ID),
			EN: fmt.Sprintf("page %s: %s (%d times, rule %s)", p.URL, rule.Help.EN, rule.Count, rule.ID),
		})
		if len(rule.Nodes) > 0 {
			f = f.In(rule.Nodes[0].Target).Was(rule.Impact+": 0", rule.Nodes[0].HTML)
		}
		out = append(out, f.Shown(journey.Taken(p, browser.OfElement, rule.ID)))
	}
	return out
}

// undecided names what axe-core could not decide, and what it finds less grave.
func undecided(res browser.Result, group string) Text {
	var fr, en []string
	for _, p := range res.Pages {
		if p.State != browser.Read {
			continue
		}
		for _, rule := range slices.Concat(p.Access.Rules.Incomplete, p.Access.Rules.Violations) {
			if groupOf(rule.ID) == group && !slices.Contains(en, rule.Help.EN) {
				fr, en = append(fr, rule.Help.FR), append(en, rule.Help.EN)
			}
		}
	}
	if len(en) == 0 {
		return Text{}
	}
	return Text{
		FR: "axe-core n’a pas pu trancher, ou tient pour mineur : " + journey.Several(fr),
		EN: "axe-core could not decide, or holds for minor: " + journey.Several(en),
	}
}
