package requirement

import (
	"fmt"
	"maps"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/etalon-sante/etalon/suites/requirement/yamlsafe"
)

// The words that the fields of a requirement may hold.
func themes() map[string]string {
	return map[string]string{"INT": "interop", "SEC": "security", "ETH": "ethics", "GOV": "governance"}
}

func families() []string {
	return []string{"technical", "urbanisation", "ethics", "security", "content"}
}
func levels() []string  { return []string{"mandatory", "recommended", "informative", "unknown"} }
func bases() []string   { return []string{"stated", "derived", "assumed"} }
func phases() []string  { return []string{"pilot", "generalisation"} }
func witness() []string { return []string{"sandbox", "candidate", "harness"} }
func verifications() []string {
	return []string{"automatic", "assisted", "declared", "excluded"}
}

// chapter reads one chapter and adds its requirements to the catalogue.
func (l *loader) chapter(c *Catalogue, key string) {
	file := key + ".yaml"
	if !isKey(key) {
		l.complain(indexFile, 0, "the chapter %q is not a file name in lower case, without its extension: correct it", key)
		return
	}
	var y chapterYAML
	root := l.read(file, &y)
	if root == nil {
		return
	}
	l.text(file, root, y.Title, "the chapter", "title")
	if len(y.Requirements) == 0 {
		l.complain(file, root.Line, "the chapter holds no requirement: add one or remove the file")
	}
	c.Chapters = append(c.Chapters, Chapter{Key: key, Title: y.Title})
	for i, r := range y.Requirements {
		v := requirementFile{loader: l, file: file, node: yamlsafe.Find(root, "requirements", i)}
		c.Requirements = append(c.Requirements, v.requirement(r.with(y.Defaults), key))
	}
}

// with fills what a requirement leaves to its chapter.
func (r requirementYAML) with(d defaultsYAML) requirementYAML {
	r.Theme = either(r.Theme, d.Theme)
	r.Family = either(r.Family, d.Family)
	r.Level = either(r.Level, d.Level)
	r.LevelBasis = either(r.LevelBasis, d.LevelBasis)
	r.Verification = either(r.Verification, d.Verification)
	if r.Applies == nil {
		r.Applies = &d.Applies
	}
	return r
}

func either(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// requirementFile is one requirement of a file, with where it stands.
type requirementFile struct {
	*loader
	file string
	node *yaml.Node
}

func (v requirementFile) wrong(field any, format string, args ...any) {
	v.complain(v.file, line(v.node, field), format, args...)
}

func (v requirementFile) requirement(y requirementYAML, chapter string) Requirement {
	r := Requirement{
		ID: y.ID, Title: y.Title, Statement: y.Statement, Why: y.Why, Fix: y.Fix,
		Theme: y.Theme, Family: y.Family, Level: y.Level, Applies: strings.TrimSpace(*y.Applies),
		From: y.From, Until: y.Until, Phase: y.Phase, Verification: y.Verification,
		Question: y.Question, Excluded: y.Excluded, Formerly: append([]string{}, y.Formerly...), Chapter: chapter,
		Sources: []Source{}, Checks: []Check{}, // in JSON an empty list is [], never null
	}
	prefix, ok := v.id(y.ID)
	if !ok {
		return r
	}
	v.words(y, prefix)
	for _, t := range []struct {
		field string
		text  Text
	}{{"title", y.Title}, {"statement", y.Statement}, {"why", y.Why}, {"fix", y.Fix}} {
		v.text(v.file, v.node, t.text, y.ID, t.field)
	}
	r.LevelBasis = v.phrase(v.phrases.LevelBases, "basis", y.LevelBasis, y.ID, line(v.node, "levelBasis"))
	v.dates(y)
	r.Sources = append(r.Sources, v.cite(y)...)
	v.verification(y)
	for i, k := range y.Checks {
		r.Checks = append(r.Checks, v.check(y, i, k))
	}
	return r
}

// id refuses ids of another shape than ours, and ids that stand twice. The
// numbering is étalon's own: no id may look like one of an official annex.
func (v requirementFile) id(id string) (prefix string, ok bool) {
	prefix, _, _ = strings.Cut(id, "-")
	if !regexp.MustCompile(`^(INT|SEC|ETH|GOV)-\d{2,3}$`).MatchString(id) {
		v.wrong("id", "the id %q is not one of ours: write INT-, SEC-, ETH- or GOV- and two or three digits", id)
		return "", false
	}
	v.once(id, line(v.node, "id"))
	return prefix, true
}

func (v requirementFile) once(id string, at int) {
	if where, twice := v.first[id]; twice {
		v.complain(v.file, at, "the id %s stands twice (first in %s): give this one a number of its own", id, where)
		return
	}
	v.first[id] = fmt.Sprintf("%s, line %d", v.file, at)
}

func (v requirementFile) words(y requirementYAML, prefix string) {
	if y.Theme != themes()[prefix] {
		v.wrong("theme", "%s: the theme %q is not that of the ids %s-: write %s", y.ID, y.Theme, prefix, themes()[prefix])
	}
	for _, w := range []struct {
		field, value string
		allowed      []string
	}{
		{"family", y.Family, families()},
		{"level", y.Level, levels()},
		{"verification", y.Verification, verifications()},
	} {
		if !slices.Contains(w.allowed, w.value) {
			v.wrong(w.field, "%s: the %s %q is not known: write one of %s", y.ID, w.field, w.value, strings.Join(w.allowed, ", "))
		}
	}
	if y.Phase != "" && !slices.Contains(phases(), y.Phase) {
		v.wrong("phase", "%s: the phase %q is not known: write pilot or generalisation, or leave it out for both", y.ID, y.Phase)
	}
	for _, old := range y.Formerly {
		if old == y.ID {
			v.wrong("formerly", "%s: formerly names its own id: remove it", y.ID)
		}
	}
}

func (v requirementFile) dates(y requirementYAML) {
	var days [2]time.Time
	for i, d := range []struct{ field, value string }{{"from", y.From}, {"until", y.Until}} {
		if d.value == "" {
			continue
		}
		day, err := time.Parse(time.DateOnly, d.value)
		if err != nil || day.Year() < 2000 || day.Year() > 2100 {
			v.wrong(d.field, "%s: the date %q of %s has no sense: write it as 2026-11-22", y.ID, d.value, d.field)
			return
		}
		days[i] = day
	}
	if y.From != "" && y.Until != "" && days[1].Before(days[0]) {
		v.wrong("until", "%s: the end %s comes before the beginning %s: swap or correct them", y.ID, y.Until, y.From)
	}
}

func (v requirementFile) cite(y requirementYAML) []Source {
	if len(y.Sources) == 0 {
		v.wrong("sources", "%s: no source is named: name at least one key of %s", y.ID, sourcesFile)
	}
	out := slices.Clone(y.Sources)
	for i := range out {
		s := &out[i]
		at := line(v.node, "sources", i)
		doc, known := v.documents[s.Key]
		switch {
		case s.Key == "":
			v.complain(v.file, at, "%s: a source has no key: write one of %s", y.ID, sourcesFile)
		case !known:
			v.complain(v.file, at, "%s: the source %q is not in %s: add it there or correct the key", y.ID, s.Key, sourcesFile)
		}
		if !slices.Contains(bases(), s.Basis) {
			v.complain(v.file, at, "%s: the basis %q is not known: write one of %s", y.ID, s.Basis, strings.Join(bases(), ", "))
		}
		v.cited[s.Key] = true
		s.Document, s.Link = doc.Document, doc.Link
	}
	return out
}

// verification refuses a requirement that nothing would ever judge.
func (v requirementFile) verification(y requirementYAML) {
	reason := y.Excluded.FR != "" || y.Excluded.EN != ""
	switch {
	case y.Verification == "assisted":
		v.text(v.file, v.node, y.Question, y.ID, "question")
		if len(y.Checks) > 0 {
			v.wrong("checks", "%s: it has checks though a person judges it: make it automatic (a check may end as to-review) or remove them", y.ID)
		}
	case y.Question.FR != "" || y.Question.EN != "":
		v.wrong("question", "%s: a question stands though its verification is %s: remove it or make it assisted", y.ID, y.Verification)
	case y.Verification == "automatic" && len(y.Checks) == 0:
		v.wrong("id", "%s: nothing judges it: add a check, or make its verification declared or excluded", y.ID)
	case (y.Verification == "declared" || y.Verification == "excluded") && len(y.Checks) > 0:
		v.wrong("checks", "%s: it has checks though its verification is %s: make it automatic or remove them", y.ID, y.Verification)
	case y.Verification == "excluded":
		v.text(v.file, v.node, y.Excluded, y.ID, "excluded")
	case reason:
		v.wrong("excluded", "%s: a reason of exclusion stands though its verification is %s: remove it or exclude it", y.ID, y.Verification)
	}
}

func (v requirementFile) check(y requirementYAML, i int, k checkYAML) Check {
	node := yamlsafe.Find(v.node, "checks", i)
	if !regexp.MustCompile(`^` + regexp.QuoteMeta(y.ID) + `\.[1-9]\d?$`).MatchString(k.ID) {
		v.complain(v.file, line(node, "id"), "the check %q does not extend %s: write %s.1, %s.2…", k.ID, y.ID, y.ID, y.ID)
	} else {
		v.once(k.ID, line(node, "id"))
	}
	v.text(v.file, node, k.Title, "the check "+k.ID, "title")
	if !slices.Contains(witness(), k.Witness) {
		v.complain(v.file, line(node, "witness"), "%s: the witness %q is not known: write one of %s", k.ID, k.Witness, strings.Join(witness(), ", "))
	}
	if k.Assumes != "" && !isSetting(k.Assumes) {
		v.complain(v.file, line(node, "assumes"), "%s: %q is not the key of a setting: write it as header.id-token", k.ID, k.Assumes)
	}
	act := v.phrase(v.phrases.Acts, "act", either(k.Act, y.Act), k.ID, line(node, "act"))
	return Check{ID: k.ID, Title: k.Title, Witness: k.Witness, Assumes: k.Assumes, Act: act}
}

// phrase gives a sentence of phrases.yaml by its key.
func (v requirementFile) phrase(in map[string]Text, kind, key, who string, at int) Text {
	t, known := in[key]
	switch {
	case key == "":
		v.complain(v.file, at, "%s: no %s is named: write the key of one of %s", who, kind, phrasesFile)
	case !known:
		v.complain(v.file, at, "%s: the %s %q is not in %s: add it there or correct the key", who, kind, key, phrasesFile)
	}
	v.phrased[kind+" "+key] = true
	return t
}

// text refuses a text that lacks one of the languages.
func (l *loader) text(file string, root *yaml.Node, t Text, who string, path ...any) {
	name := "its text"
	if s, ok := path[len(path)-1].(string); ok {
		name = s
	}
	for _, side := range []struct{ tag, language, text string }{{"fr", "French", t.FR}, {"en", "English", t.EN}} {
		if strings.TrimSpace(side.text) == "" {
			l.complain(file, line(root, path...), "%s: %s has no %s text: write it in the field %s", who, name, side.language, side.tag)
		}
	}
}

func isKey(s string) bool { return regexp.MustCompile(`^[a-z0-9]+([.-][a-z0-9]+)*$`).MatchString(s) }

func isSetting(s string) bool {
	return regexp.MustCompile(`^[a-z]+(\.[a-z]+(-[a-z]+)*)+$`).MatchString(s)
}

func isLink(s string) bool {
	u, err := url.Parse(s)
	return err == nil && u.Scheme == "https" && u.Host != ""
}

func cutExt(name string) (string, bool) {
	return strings.TrimSuffix(name, ".yaml"), path.Ext(name) == ".yaml"
}

func sortedKeys[T any](m map[string]T) []string { return slices.Sorted(maps.Keys(m)) }
