package requirement_test

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/etalon-sante/etalon/suites/requirement"
)

func catalogue(t testing.TB) *requirement.Catalogue {
	t.Helper()
	c, err := requirement.Load()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestTheCatalogueOfThisBuildLoads(t *testing.T) {
	c := catalogue(t)
	if c.Version != "2026-11" {
		t.Errorf("version %q", c.Version)
	}
	if len(c.Requirements) < 85 {
		t.Errorf("%d requirements: at least 85 are promised", len(c.Requirements))
	}
	if len(c.Digest()) != 64 || c.Digest() != catalogue(t).Digest() {
		t.Errorf("digest %q is not a stable SHA-256", c.Digest())
	}
	r, ok := c.Requirement("INT-18")
	if !ok || r.Chapter != "pairing" || r.LevelBasis.FR == "" || r.Sources[0].Document == "" {
		t.Errorf("INT-18 is not complete: %+v", r)
	}
	r, k, ok := c.Check("INT-04.3")
	if !ok || r.ID != "INT-04" || k.ID != "INT-04.3" || k.Act.EN == "" {
		t.Errorf("check INT-04.3 is not complete: %+v", k)
	}
	if _, ok := c.Requirement("INT-99"); ok {
		t.Error("INT-99 is found though it does not exist")
	}
	if _, _, ok := c.Check("INT-99.1"); ok {
		t.Error("INT-99.1 is found though it does not exist")
	}
}

// What the suites register and what the catalogue holds are agreed in
// testdata/checks.txt, neither more nor less.
func TestEveryAgreedCheckIsPresentOnce(t *testing.T) {
	c := catalogue(t)
	data, err := os.ReadFile("testdata/checks.txt")
	if err != nil {
		t.Fatal(err)
	}
	agreed := map[string]bool{}
	for row := range strings.Lines(string(data)) {
		fields := strings.Fields(row)
		if len(fields) == 0 || fields[0] == "#" {
			continue
		}
		id, assumes := fields[0], ""
		if len(fields) > 2 {
			assumes = fields[2]
		}
		if agreed[id] {
			t.Errorf("%s stands twice in the agreement", id)
		}
		agreed[id] = true
		_, k, ok := c.Check(id)
		if !ok {
			t.Errorf("%s is agreed and not in the catalogue", id)
			continue
		}
		if k.Witness != fields[1] || k.Assumes != assumes {
			t.Errorf("%s: witness %s assumes %q, agreed were %s and %q", id, k.Witness, k.Assumes, fields[1], assumes)
		}
	}
	for _, k := range c.Checks() {
		if !agreed[k.ID] {
			t.Errorf("%s is in the catalogue and not agreed", k.ID)
		}
	}
	if len(c.Checks()) != len(agreed) {
		t.Errorf("%d checks for %d agreed", len(c.Checks()), len(agreed))
	}
}

// sentences calls f with every text that people read, and a name for it.
func sentences(c *requirement.Catalogue, f func(where string, t requirement.Text)) {
	for _, ch := range c.Chapters {
		f("chapter "+ch.Key, ch.Title)
	}
	for _, d := range c.Documents {
		f("source "+d.Key, d.Note)
	}
	for _, r := range c.Requirements {
		f(r.ID+" title", r.Title)
		f(r.ID+" statement", r.Statement)
		f(r.ID+" why", r.Why)
		f(r.ID+" fix", r.Fix)
		f(r.ID+" levelBasis", r.LevelBasis)
		if r.Verification == "assisted" {
			f(r.ID+" question", r.Question)
		}
		if r.Verification == "excluded" {
			f(r.ID+" excluded", r.Excluded)
		}
		for _, k := range r.Checks {
			f(k.ID+" title", k.Title)
			f(k.ID+" act", k.Act)
		}
	}
}

func TestEachSentenceIsInItsLanguage(t *testing.T) {
	// Words that only one of the two languages has, as whole words. The titles
	// of documents and the names of fields are not in these lists.
	english := regexp.MustCompile(`(?i)\b(the|and|is|are|with|of|to|from|not|which|must|that|this|your|you|when|without|between)\b`)
	french := regexp.MustCompile(`(?i)(^|[\s(])(le|la|les|des|une|est|sont|avec|dans|pour|qui|que|vous|votre|sans|jeton|chaque)([\s.,)]|$)`)
	code := regexp.MustCompile(`«[^»]*»|'[^']*'|"[^"]*"|Mon espace santé|Access-Control[\w-]*|Referrer-Policy: [\w-]+|[\w-]+:[^ ]+`)
	sentences(catalogue(t), func(where string, s requirement.Text) {
		if m := english.FindString(code.ReplaceAllString(s.FR, "")); m != "" {
			t.Errorf("%s: the French text holds the English word %q: %s", where, m, s.FR)
		}
		if m := french.FindString(code.ReplaceAllString(s.EN, "")); m != "" {
			t.Errorf("%s: the English text holds the French word %q: %s", where, m, s.EN)
		}
		if s.FR == s.EN && len(s.FR) > 12 {
			t.Errorf("%s: both languages hold the same text: %s", where, s.FR)
		}
	})
}

func TestSentencesAreWrittenAsTheHouseWrites(t *testing.T) {
	// A promise that the project cannot keep, or a number that is not its own.
	banned := regexp.MustCompile(`(?i)\b(certifié[es]*|certified|RGAA compliant|conforme (au )?RGAA|MES-[A-Z]+-?\d*|TODO|placeholder|stub)\b`)
	straight := regexp.MustCompile(`\pL'\pL`)
	punctuation := regexp.MustCompile(`[^\s\x{a0}] ?[!?»;]|[^\s\x{a0}\w] :|« `)
	blame := regexp.MustCompile(`(?i)vous avez (oublié|omis)|you forgot|your mistake|votre erreur`)
	end := regexp.MustCompile(`[.!?]$`)
	sentences(catalogue(t), func(where string, s requirement.Text) {
		for _, text := range []string{s.FR, s.EN} {
			if m := banned.FindString(text); m != "" {
				t.Errorf("%s: %q must not be said: %s", where, m, text)
			}
			if m := blame.FindString(text); m != "" {
				t.Errorf("%s: %q blames: %s", where, m, text)
			}
			if text != strings.TrimSpace(text) || strings.Contains(text, "  ") {
				t.Errorf("%s: stray spaces in %q", where, text)
			}
			isTitle := strings.HasSuffix(where, "title") || strings.HasPrefix(where, "chapter")
			if end.MatchString(text) == isTitle {
				t.Errorf("%s: a title has no full stop, a sentence has one: %s", where, text)
			}
		}
		if straight.MatchString(s.FR) {
			t.Errorf("%s: write ’ in French: %s", where, s.FR)
		}
		if m := punctuation.FindString(s.FR); m != "" {
			t.Errorf("%s: a non-breaking space is missing at %q: %s", where, m, s.FR)
		}
	})
}

// « obligatoire » is printed only where a source says so.
func TestAMandatoryRequirementHasASourceThatStatesSomething(t *testing.T) {
	for _, r := range catalogue(t).Requirements {
		if r.Level != "mandatory" {
			continue
		}
		stated := false
		for _, s := range r.Sources {
			stated = stated || s.Basis == "stated"
		}
		if !stated {
			t.Errorf("%s is mandatory and no source states it", r.ID)
		}
	}
}

func TestARequirementThatRestsOnAnAssumedSettingNamesItInItsRemedy(t *testing.T) {
	for _, r := range catalogue(t).Requirements {
		for _, k := range r.Checks {
			if k.Assumes == "" || k.Assumes == "refresh.rotation" {
				continue
			}
			if !strings.Contains(r.Fix.FR, k.Assumes) || !strings.Contains(r.Fix.EN, k.Assumes) {
				t.Errorf("%s rests on %s, which its remedy does not name", k.ID, k.Assumes)
			}
		}
	}
}

func TestInJSONAnEmptyListIsNeverNull(t *testing.T) {
	c := catalogue(t)
	for _, v := range []any{c.Requirements, requirement.Cover(c, nil), c.Documents, c.Chapters} {
		data, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		if regexp.MustCompile(`[:,\[]null\b`).Match(data) {
			t.Errorf("null in the JSON of %T", v)
		}
	}
}

func BenchmarkLoad(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := requirement.LoadFS(os.DirFS("."), "catalogue"); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkApplicability(b *testing.B) {
	c := catalogue(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := requirement.NewApplicability(c); err != nil {
			b.Fatal(err)
		}
	}
}
