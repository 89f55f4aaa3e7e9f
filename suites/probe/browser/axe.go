package browser

import (
	"bytes"
	"context"
	"embed"
	"encoding/json"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/chromedp/chromedp"
)

// axeFiles holds axe-core where `make deps` brought it; the pattern also matches
// a committed file, so that a bare clone compiles.
//
//go:embed axe
var axeFiles embed.FS

// Bounds of what is kept of axe-core's results on one page.
const (
	maxRules = 60
	maxNodes = 5 // elements named for one rule
	maxHTML  = 300
)

// AxeVersion is the version of axe-core in this build, "" for none.
func AxeVersion() string {
	b, err := axeFiles.ReadFile("axe/axe.min.js")
	if err != nil {
		return ""
	}
	head, _, _ := bytes.Cut(b[:min(len(b), 500)], []byte("\n"))
	if m := regexp.MustCompile(`axe v([0-9][0-9.]*)`).FindSubmatch(head); m != nil {
		return string(m[1])
	}
	return "?"
}

// MissingAxe says why the rules of axe-core cannot be tried; the empty text when
// they can.
func MissingAxe() Text {
	if AxeVersion() != "" {
		return Text{}
	}
	return Text{
		"cette version d’Étalon est construite sans axe-core : lancez « make deps build » sur une machine qui a npm",
		"this build of Étalon is without axe-core: run `make deps build` on a machine that has npm",
	}
}

// Rules are axe-core's results on one page: what it finds broken, and what it
// could not decide.
type Rules struct {
	Ran        bool   `json:"ran"`
	Reason     Text   `json:"reason"` // why it did not run
	Violations []Rule `json:"violations"`
	Incomplete []Rule `json:"incomplete"`
	Passed     int    `json:"passed"` // rules that applied and were kept
}

// Rule is one rule of axe-core and where it was not kept.
type Rule struct {
	ID     string   `json:"id"`
	Impact string   `json:"impact"` // minor, moderate, serious, critical
	Help   Text     `json:"help"`   // what it asks for
	Tags   []string `json:"tags"`   // of WCAG and EN 301 549
	Nodes  []Node   `json:"nodes"`  // the first ones
	Count  int      `json:"count"`  // of elements
}

// Node is one element.
type Node struct {
	Target string `json:"target"` // selector
	HTML   string `json:"html"`
}

// heard is what axe-core answers.
type heard struct {
	Violations []heardRule `json:"violations"`
	Incomplete []heardRule `json:"incomplete"`
	Passes     int         `json:"passes"`
}

type heardRule struct {
	ID     string   `json:"id"`
	Impact string   `json:"impact"`
	Help   string   `json:"help"`
	Tags   []string `json:"tags"`
	Count  int      `json:"count"`
	Nodes  []Node   `json:"nodes"`
}

// askAxe runs the rules of levels A and AA of WCAG 2.0 to 2.2, and keeps of the
// answer what is told.
const askAxe = `axe.run(document, {runOnly: {type: "tag", values: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}, resultTypes: ["violations", "incomplete"], iframes: false})
  .then((r) => {
    const told = (list) => list.slice(0, 100).map((v) => ({id: v.id, impact: v.impact || "", help: v.help, tags: v.tags.slice(0, 20), count: v.nodes.length,
      nodes: v.nodes.slice(0, 5).map((n) => ({target: n.target.join(" ").slice(0, 300), html: n.html.slice(0, 400)}))}));
    return JSON.stringify({violations: told(r.violations), incomplete: told(r.incomplete), passes: r.passes.length});
  })`

// maxHeard bounds axe-core's answer.
const maxHeard = 2 << 20

// rules runs axe-core in the page, once.
func rules(ctx context.Context) Rules {
	out := Rules{Violations: []Rule{}, Incomplete: []Rule{}}
	if out.Reason = MissingAxe(); out.Reason != (Text{}) {
		return out
	}
	source, err := axeFiles.ReadFile("axe/axe.min.js")
	if err == nil {
		err = chromedp.Do(ctx, chromedp.Evaluate[chromedp.Void](string(source)+"\n;undefined"))
	}
	var answer string
	if err == nil {
		answer, err = chromedp.Run(ctx, chromedp.Evaluate[string](askAxe, chromedp.EvalAwaitPromise))
	}
	if err != nil {
		why := cut(err.Error(), maxText)
		out.Reason = Text{"axe-core n’a pas abouti sur cette page : " + why, "axe-core did not come to an end on this page: " + why}
		return out
	}
	french, _ := axeFiles.ReadFile("axe/fr.json")
	return readRules([]byte(answer), french)
}

// readRules reads axe-core's answer, which passed through the page and may say
// anything, and adds the French.
func readRules(answer, french []byte) Rules {
	out := Rules{Violations: []Rule{}, Incomplete: []Rule{}}
	var h heard
	if len(answer) > maxHeard || json.Unmarshal(answer, &h) != nil {
		out.Reason = Text{"la réponse d’axe-core n’est pas lisible", "axe-core's answer cannot be read"}
		return out
	}
	words := frenchRules(french)
	take := func(list []heardRule) []Rule {
		rules := []Rule{}
		for i, r := range list {
			if i == maxRules {
				break
			}
			rules = append(rules, r.kept(words))
		}
		return rules
	}
	out.Ran, out.Violations, out.Incomplete, out.Passed = true, take(h.Violations), take(h.Incomplete), max(0, h.Passes)
	return out
}

func (r heardRule) kept(french map[string]string) Rule {
	id := cut(r.ID, maxText)
	out := Rule{ID: id, Impact: cut(r.Impact, 20), Help: Text{FR: cut(r.Help, maxText), EN: cut(r.Help, maxText)}, Tags: []string{}, Nodes: []Node{}, Count: max(0, r.Count)}
	if fr := french[id]; fr != "" {
		out.Help.FR = cut(fr, maxText)
	}
	for i, t := range r.Tags {
		if i < 20 && (strings.HasPrefix(t, "wcag") || strings.HasPrefix(t, "EN-") || strings.HasPrefix(t, "RGAA")) {
			out.Tags = append(out.Tags, cut(t, 40))
		}
	}
	for i, n := range r.Nodes {
		if i < maxNodes {
			out.Nodes = append(out.Nodes, Node{Target: cut(n.Target, maxHTML), HTML: cut(n.HTML, maxHTML)})
		}
	}
	return out
}

// frenchRules are axe-core's own French titles, by rule.
func frenchRules(file []byte) map[string]string {
	var locale struct {
		Rules map[string]struct {
			Help string `json:"help"`
		} `json:"rules"`
	}
	out := map[string]string{}
	if !utf8.Valid(file) || json.Unmarshal(file, &locale) != nil {
		return out
	}
	for id, r := range locale.Rules {
		out[id] = r.Help
	}
	return out
}
