package requirement_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/etalon-sante/etalon/suites/requirement"
)

// criterion is one row of our own survey of what referencing asks.
type criterion struct {
	ID    string   `yaml:"id"`
	Kind  string   `yaml:"kind"`  // auto, assisted, attest: how far it can be seen from outside
	About string   `yaml:"about"` // its subject, in a few words
	By    []string `yaml:"by"`    // the requirements that judge it
	Part  string   `yaml:"part"`  // what of it they leave out
	Not   string   `yaml:"not"`   // why nothing judges it
}

// criteria reads our list; a key that is none of those above is an error.
func criteria(t *testing.T) []criterion {
	t.Helper()
	var file struct {
		Criteria []criterion `yaml:"criteria"`
	}
	strictly(t, "testdata/criteria-rows.yaml", &file)
	return file.Criteria
}

// surveyed gives the ids of the survey, in its order.
func surveyed() []string {
	var ids []string
	for _, t := range []struct {
		theme string
		rows  int
	}{
		{"URB", 17}, {"INT", 16}, {"SEC", 51}, {"SECX", 11}, {"ETC", 17}, {"ETA", 16},
		{"ETT", 15}, {"EIA", 14}, {"ECO", 11}, {"JUR", 21}, {"GOV", 8},
	} {
		for n := range t.rows {
			ids = append(ids, fmt.Sprintf("MES-%s-%02d", t.theme, n+1))
		}
	}
	return ids
}

// judged says by which sorts of verification a row is judged, and what is wrong
// with the row.
func (r criterion) judged(c *requirement.Catalogue) (sorts map[string]bool, wrong []string) {
	say := func(format string, args ...any) {
		wrong = append(wrong, r.ID+": "+fmt.Sprintf(format, args...))
	}
	sorts = map[string]bool{}
	if !slices.Contains([]string{"auto", "assisted", "attest"}, r.Kind) || strings.TrimSpace(r.About) == "" {
		say("its kind %q is not known, or it says nothing of its subject", r.Kind)
	}
	if (len(r.By) > 0) == (r.Not != "") {
		say("it is judged and not judged, or neither")
	}
	if r.Part != "" && len(r.By) == 0 {
		say("nothing judges it, so that nothing is left out")
	}
	for _, reason := range []string{r.Part, r.Not} {
		if reason != "" && len(reason) < 15 {
			say("%q is no reason", reason)
		}
	}
	for i, id := range r.By {
		q, known := c.Requirement(id)
		switch {
		case !known:
			say("there is no requirement %s", id)
		case q.Verification == "excluded":
			say("%s is excluded and judges nothing", id)
		case slices.Contains(r.By[:i], id):
			say("%s stands twice", id)
		}
		sorts[q.Verification] = true
	}
	for _, id := range regexp.MustCompile(`\b(INT|SEC|ETH|GOV)-\d+\b`).FindAllString(r.Part+" "+r.Not, -1) {
		if _, known := c.Requirement(id); !known {
			say("its reason names %s, which does not exist", id)
		}
	}
	if r.Kind == "attest" && r.Not != "" && !strings.HasPrefix(r.Not, "declared only, not yet a row of the catalogue: ") {
		say("a row that is only declared says so: %s", r.Not)
	}
	return sorts, wrong
}

// No row of what referencing is known to ask may be forgotten in silence: each
// names what judges it here, or says why nothing does.
func TestEachCriterionIsJudgedOrSaysWhyNot(t *testing.T) {
	c := catalogue(t)
	var ids []string
	rows, judged, named := map[string]int{}, map[string]int{}, map[string]bool{}
	for _, r := range criteria(t) {
		ids = append(ids, r.ID)
		rows[r.Kind]++
		sorts, wrong := r.judged(c)
		for _, w := range wrong {
			t.Error(w)
		}
		for _, sort := range []string{"automatic", "assisted", "declared"} {
			if sorts[sort] {
				judged[r.Kind+" "+sort]++
			}
		}
		if r.Kind == "assisted" && len(r.By) > 0 {
			judged["assisted either"]++
		}
		if r.Not != "" {
			judged[r.Kind+" none"]++
			if r.Kind != "attest" {
				t.Logf("%s (%s), %s: %s", r.ID, r.Kind, r.About, r.Not)
			}
		}
		for _, id := range r.By {
			named[id] = true
		}
	}
	if !slices.Equal(ids, surveyed()) {
		t.Errorf("%d rows, or another order, than the %d of the survey", len(ids), len(surveyed()))
	}
	if rows["auto"] != 68 || rows["assisted"] != 50 || rows["attest"] != 79 {
		t.Errorf("%v, the survey has 68 auto, 50 assisted, 79 attest", rows)
	}
	for _, kind := range []string{"auto", "assisted", "attest"} {
		t.Logf("%s: %d rows; %d judged automatically, %d by a guided person, %d declared, %d by nothing", kind, rows[kind],
			judged[kind+" automatic"], judged[kind+" assisted"], judged[kind+" declared"], judged[kind+" none"])
	}
	// What holds today may grow, and not shrink.
	for what, least := range map[string]int{"auto automatic": leastAutomatic, "assisted assisted": 48, "assisted either": 50} {
		if judged[what] < least {
			t.Errorf("%s: %d rows, at least %d are promised", what, judged[what], least)
		}
	}
	for _, r := range c.Requirements {
		if r.Verification == "assisted" && !named[r.ID] {
			t.Errorf("a person is asked about %s, and no row of the survey asks for it", r.ID)
		}
	}
}

// leastAutomatic is how many of the 68 rows that can be seen from outside are
// judged without a person.
const leastAutomatic = 68

// The test above would be worth nothing if it let a wrong row pass.
func TestARowOfTheCriteriaThatIsWrongIsSeen(t *testing.T) {
	c := catalogue(t)
	right := criterion{ID: "MES-URB-01", Kind: "auto", About: "a subject", By: []string{"INT-01", "SEC-70"}, Part: "what is left out, told"}
	if sorts, wrong := right.judged(c); len(wrong) > 0 || !sorts["automatic"] || !sorts["assisted"] || sorts["declared"] {
		t.Fatalf("a right row is refused: %q, %v", wrong, sorts)
	}
	for says, spoil := range map[string]func(r *criterion){
		"an unknown kind":                    func(r *criterion) { r.Kind = "seen" },
		"no subject":                         func(r *criterion) { r.About = " " },
		"neither judged nor excused":         func(r *criterion) { r.By, r.Part = nil, "" },
		"judged and excused":                 func(r *criterion) { r.Not = "nothing judges it at all" },
		"a rest of nothing":                  func(r *criterion) { r.By, r.Not = nil, "nothing judges it at all" },
		"a reason that says nothing":         func(r *criterion) { r.Part = "unknown" },
		"a requirement that is none":         func(r *criterion) { r.By = []string{"INT-999"} },
		"a check for a requirement":          func(r *criterion) { r.By = []string{"INT-01.1"} },
		"an excluded requirement":            func(r *criterion) { r.By = []string{"GOV-05"} },
		"a requirement twice":                func(r *criterion) { r.By = []string{"INT-01", "INT-01"} },
		"a reason that names none there is":  func(r *criterion) { r.Part = "the rest is judged by INT-999" },
		"declared only, and another reason":  func(r *criterion) { r.Kind, r.By, r.Part, r.Not = "attest", nil, "", "nobody had the time for it" },
		"declared only, with nothing named ": func(r *criterion) { r.Kind, r.By, r.Part, r.Not = "attest", nil, "", "declared only" },
	} {
		row := right
		spoil(&row)
		if _, wrong := row.judged(c); len(wrong) == 0 {
			t.Errorf("%s is not seen", says)
		}
	}
}
