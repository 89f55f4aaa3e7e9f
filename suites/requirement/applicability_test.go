package requirement_test

import (
	"strings"
	"testing"
	"time"

	"github.com/etalon-sante/etalon/suites/candidate"
	"github.com/etalon-sante/etalon/suites/requirement"
)

// least claims nothing and has no address: what concerns it concerns everyone.
func least() candidate.Candidate {
	return candidate.Candidate{Etalon: 1, Pilot: candidate.PilotConfig{Kind: "manual"}}
}

// full claims all that a manifest can claim.
func full() candidate.Candidate {
	both := []string{"read", "write"}
	return candidate.Candidate{
		Etalon:      1,
		Editor:      candidate.Editor{Name: "Éditeur", SIREN: "732829320", Kind: "company"},
		Service:     candidate.Service{Name: "Service", Audience: []string{"patient", "professional"}, Finalites: []string{"care"}, DataUse: map[string][]string{"measures": {"care"}}, AI: true},
		Claims:      candidate.Claims{Pairing: true, Measures: both, Documents: both, Agenda: both, DocumentFormats: []string{"cda-n1", "cda-n3"}},
		Web:         candidate.Web{Production: "https://service.example/", Site: "https://service.example/"},
		Pilot:       candidate.PilotConfig{Kind: "http", URL: "https://pilot.example/"},
		Sandbox:     candidate.SandboxConfig{RedirectURIs: []string{"fr.example.service:/retour"}},
		Start:       &candidate.Start{Command: []string{"service"}},
		Application: candidate.Application{APK: "service.apk"},
	}
}

func TestEveryExpressionEvaluatesOnTheLeastAndTheFullestCandidate(t *testing.T) {
	c := catalogue(t)
	a, err := requirement.NewApplicability(c)
	if err != nil {
		t.Fatal(err)
	}
	concerned := map[bool][]string{}
	for _, r := range c.Requirements {
		for fullest, service := range map[bool]candidate.Candidate{false: least(), true: full()} {
			yes, expression, err := a.Applies(r, service)
			if err != nil {
				t.Errorf("%s: %v", r.ID, err)
			}
			if expression != r.Applies {
				t.Errorf("%s: the expression given is %q, not %q", r.ID, expression, r.Applies)
			}
			// A client has one method: what is about another one concerns a
			// candidate that names it.
			for _, method := range []string{"private_key_jwt", "tls_client_auth", "self_signed_tls_client_auth"} {
				if service.Sandbox.ClientAuth = method; fullest && !yes {
					if yes, _, err = a.Applies(r, service); err != nil {
						t.Errorf("%s: %v", r.ID, err)
					}
				}
			}
			if yes && (fullest || r.Verification != "assisted") { // persons may be asked about any service
				concerned[fullest] = append(concerned[fullest], r.ID)
			}
		}
	}
	if n := len(concerned[true]); n != len(c.Requirements) {
		t.Errorf("only %d of %d requirements concern a candidate that claims everything", n, len(c.Requirements))
	}
	if got := strings.Join(concerned[false], " "); got != "GOV-01 GOV-02 GOV-05 GOV-06 GOV-07 GOV-08" {
		t.Errorf("a candidate that claims nothing is concerned by %s", got)
	}
}

func TestARequirementConcernsThoseWhoClaimIt(t *testing.T) {
	c := catalogue(t)
	a, err := requirement.NewApplicability(c)
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct {
		id     string
		change func(*candidate.Candidate)
		yes    bool
	}{
		{"INT-01", func(s *candidate.Candidate) { s.Claims.Pairing = true }, true},
		{"INT-20", func(s *candidate.Candidate) { s.Claims.Measures = []string{"read"} }, false},
		{"INT-20", func(s *candidate.Candidate) { s.Claims.Measures = []string{"write"} }, true},
		{"INT-50", func(s *candidate.Candidate) { s.Claims.Measures = []string{"read"} }, true},
		{"INT-60", func(s *candidate.Candidate) { s.Claims.Documents = []string{"write"} }, true},
		{"INT-66", func(s *candidate.Candidate) { s.Claims.Documents = []string{"write"} }, false},
		{"GOV-03", func(s *candidate.Candidate) { s.Claims.Documents = []string{"read"} }, true},
		{"GOV-09", func(s *candidate.Candidate) { s.Claims.Agenda = []string{"write"} }, true},
		{"ETH-01", func(s *candidate.Candidate) { s.Claims.Measures = []string{"write"} }, false},
		{"SEC-01", func(s *candidate.Candidate) { s.Web.Site = "https://service.example/" }, true},
		{"SEC-14", func(s *candidate.Candidate) { s.Pilot.Kind = "http" }, false},
		{"SEC-15", func(s *candidate.Candidate) { s.Pilot.Kind = "http" }, true},
	} {
		r, _ := c.Requirement(x.id)
		service := least()
		x.change(&service)
		if yes, expression, err := a.Applies(r, service); err != nil || yes != x.yes {
			t.Errorf("%s (%s): %t, %v", x.id, expression, yes, err)
		}
	}
}

func TestAnExpressionThatCannotBeDecidedIsAnErrorNeverASilentNo(t *testing.T) {
	compiled := func(expression string) (*requirement.Catalogue, *requirement.Applicability, error) {
		files := small()
		f := files["cat/pairing.yaml"]
		f.Data = []byte(strings.Replace(string(f.Data), "    act: pair\n", "    act: pair\n    applies: \""+expression+"\"\n", 1))
		c, err := requirement.LoadFS(files, "cat")
		if err != nil {
			t.Fatal(err)
		}
		a, err := requirement.NewApplicability(c)
		return c, a, err
	}
	for name, x := range map[string]struct{ expression, says string }{
		"an unknown field":          {"candidate.web.sites != ''", "undefined field 'sites'"},
		"the Go name of a field":    {"candidate.Claims.Pairing", "does not support field selection"},
		"an unknown variable":       {"service.name != ''", "undeclared reference"},
		"a comparison of two kinds": {"candidate.pilot.kind == 1", "no matching overload"},
		"a text where a bool is":    {"candidate.pilot.kind", "make it yield true or false"},
		"broken syntax":             {"candidate.claims.pairing &&", "Syntax error"},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := compiled(x.expression)
			if err == nil || !strings.Contains(err.Error(), x.says) || !strings.Contains(err.Error(), "INT-01") {
				t.Errorf("want an error about INT-01 that says %q, got %v", x.says, err)
			}
		})
	}
	for name, expression := range map[string]string{
		"an index out of the list":  "candidate.claims.measures[9] == 'read'",
		"a key that is not there":   "candidate.service.dataUse['nothing'].size() > 0",
		"a division by zero":        "1 / candidate.concurrency == 1",
		"more work than is allowed": "candidate.web.pages.all(a, candidate.web.pages.all(b, candidate.web.pages.all(c, a.path != '' && b.path != '' && c.path != '')))",
	} {
		t.Run(name, func(t *testing.T) {
			c, a, err := compiled(expression)
			if err != nil {
				t.Fatal(err)
			}
			service := least()
			for range 40 {
				service.Web.Pages = append(service.Web.Pages, candidate.Page{Path: "/"})
			}
			yes, _, err := a.Applies(c.Requirements[0], service)
			if err == nil || yes {
				t.Errorf("want an error, got %t", yes)
			}
		})
	}
	t.Run("an expression of another catalogue", func(t *testing.T) {
		_, a, err := compiled("candidate.claims.pairing")
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := a.Applies(requirement.Requirement{ID: "INT-02", Applies: "true"}, least()); err == nil {
			t.Error("want an error")
		}
	})
}

func TestARequirementIsInForceBetweenItsDatesAndInItsPhase(t *testing.T) {
	noon := func(day string) time.Time {
		d, err := time.Parse(time.RFC3339, day+"T12:00:00+01:00")
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	dated := requirement.Requirement{From: "2026-11-01", Until: "2026-11-30"}
	for name, x := range map[string]struct {
		r      requirement.Requirement
		day    string
		phase  string
		yes    bool
		french string
	}{
		"no dates":                     {requirement.Requirement{}, "2026-11-22", "pilot", true, ""},
		"the first day":                {dated, "2026-11-01", "", true, ""},
		"the last day":                 {dated, "2026-11-30", "", true, ""},
		"the day before":               {dated, "2026-10-31", "", false, "en vigueur à partir du 01/11/2026"},
		"the day after":                {dated, "2026-12-01", "", false, "en vigueur jusqu’au 30/11/2026"},
		"its phase":                    {requirement.Requirement{Phase: "pilot"}, "2026-11-22", "pilot", true, ""},
		"the other phase":              {requirement.Requirement{Phase: "pilot"}, "2026-11-22", "generalisation", false, "ne vaut que pendant la phase pilote"},
		"a phase that is not known":    {requirement.Requirement{Phase: "pilot"}, "2026-11-22", "", true, ""},
		"generalisation, during pilot": {requirement.Requirement{Phase: "generalisation"}, "2026-11-22", "pilot", false, "ne vaut qu’à partir de la généralisation"},
	} {
		t.Run(name, func(t *testing.T) {
			yes, why := requirement.InForce(x.r, noon(x.day), x.phase)
			if yes != x.yes || why.FR != x.french || (why.EN == "") != x.yes {
				t.Errorf("%t %+v", yes, why)
			}
		})
	}
	if _, why := requirement.InForce(dated, noon("2026-10-31"), ""); why.EN != "in force from 1 November 2026" {
		t.Errorf("%q", why.EN)
	}
}

func TestCoverageCountsWhatIsThere(t *testing.T) {
	c := catalogue(t)
	var all []string
	for _, k := range c.Checks() {
		all = append(all, k.ID)
	}
	v := requirement.Cover(c, append(all[2:], "INT-99.1"))
	if v.Requirements != v.Automatic+v.Assisted+v.Declared+v.Excluded || v.Requirements != len(c.Requirements) {
		t.Errorf("the parts do not add up: %+v", v)
	}
	if v.Declared != 2 || v.Excluded != 2 || len(v.Uncovered) != 0 || v.Uncovered == nil {
		t.Errorf("%+v", v)
	}
	if strings.Join(v.WithoutFlaw, " ") != "INT-01.1 INT-01.2" || strings.Join(v.UnknownFlaws, " ") != "INT-99.1" {
		t.Errorf("without flaw %v, unknown %v", v.WithoutFlaw, v.UnknownFlaws)
	}
	if v.StatedShare <= 0 || v.StatedShare >= 1 || v.Stated > v.Requirements {
		t.Errorf("stated %d, share %v", v.Stated, v.StatedShare)
	}
	none := requirement.Cover(&requirement.Catalogue{Requirements: []requirement.Requirement{
		{ID: "INT-01", Verification: "automatic"}, {ID: "INT-02", Verification: "excluded"}, {ID: "INT-03"},
	}}, nil)
	if strings.Join(none.Uncovered, " ") != "INT-01 INT-02 INT-03" {
		t.Errorf("uncovered %v", none.Uncovered)
	}
}
