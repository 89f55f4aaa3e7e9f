package governance

import (
	"encoding/json"
	"flag"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/ginkgo/v2/extensions/globals"
	"github.com/onsi/ginkgo/v2/formatter"

	"github.com/etalon-sante/etalon/sandbox/record"
	"github.com/etalon-sante/etalon/suites/candidate"
	"github.com/etalon-sante/etalon/suites/lab"
)

func TestMain(m *testing.M) {
	flag.Parse()
	flag.Visit(func(f *flag.Flag) {
		// Under the ginkgo command, which always gives a seed, only the suite
		// runs: a process builds one tree.
		if f.Name == "ginkgo.seed" {
			_ = flag.Set("test.run", "Suite$")
		}
	})
	formatter.ColorableStdOut, formatter.ColorableStdErr = io.Discard, io.Discard
	os.Exit(m.Run())
}

// failing is the testing.T that RunSpecs wants; leaves that find something fail.
type failing struct{}

func (failing) Fail() {}

// judge runs every leaf of the suite over the declarations of a manifest.
func judge(t *testing.T, c candidate.Candidate) map[string]lab.Result {
	t.Helper()
	data, err := json.Marshal(Of(c))
	if err != nil || strings.Contains(string(data), "null") {
		t.Fatalf("declared: %s %v", data, err)
	}
	end, err := json.Marshal(lab.Ending{Outcome: lab.Completed})
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	l := lab.New()
	globals.Reset()
	DoctrineSpecs(l)
	err = l.Load([]record.Record{
		{Seq: 1, At: at, Kind: record.KindProbe, Scenario: "manifest", Probe: &record.Probe{Kind: "manifest", Data: data}},
		{Seq: 2, At: at, Kind: record.KindMark, Scenario: "manifest", Mark: &record.Mark{Kind: "end", Data: end}},
	}, lab.Oracle{})
	if err != nil {
		t.Fatal(err)
	}
	l.Judging(func(string) bool { return true }, func(string) lab.Text { return lab.Text{FR: "faire", EN: "do"} })
	suite, reporter := ginkgo.GinkgoConfiguration()
	ginkgo.RunSpecs(failing{}, "governance", suite, reporter, ginkgo.AroundNode(l.AroundLeaf))
	return l.Results()
}

func good() candidate.Candidate {
	var c candidate.Candidate
	c.Editor.SIREN = "732829320"
	c.Service.Finalites = []string{"prevention", "care"}
	c.Service.DataUse = map[string][]string{"measures": {"care"}, "documents": {"care", "prevention"}}
	c.Claims = candidate.Claims{Pairing: true, Measures: []string{"read", "write"}, Documents: []string{"read", "write"}}
	c.Web.Production = "https://service.example/"
	return c
}

func TestDeclarations(t *testing.T) {
	no := func(ids ...string) map[string]lab.State {
		out := map[string]lab.State{}
		for _, id := range ids {
			out[id] = lab.NotMet
		}
		return out
	}
	for name, c := range map[string]struct {
		change func(*candidate.Candidate)
		want   map[string]lab.State
	}{
		"a manifest without fault": {func(*candidate.Candidate) {}, nil},
		"purposes in French": {func(c *candidate.Candidate) {
			c.Service.Finalites = []string{"Prévention", "soins", "suivi médico-social", "DIAGNOSTIC"}
		}, nil},
		"a purpose of another kind":                                    {func(c *candidate.Candidate) { c.Service.Finalites = append(c.Service.Finalites, "loisirs") }, no("GOV-01.1")},
		"research among the purposes":                                  {func(c *candidate.Candidate) { c.Service.Finalites = append(c.Service.Finalites, "recherche") }, no("GOV-01.1", "GOV-02.1")},
		"research with one kind of data":                               {func(c *candidate.Candidate) { c.Service.DataUse["measures"] = []string{"care", "research"} }, no("GOV-02.1")},
		"advertising with a kind of data":                              {func(c *candidate.Candidate) { c.Service.DataUse["documents"] = []string{"care", "Publicité ciblée"} }, no("GOV-02.1")},
		"documents taken and none given":                               {func(c *candidate.Candidate) { c.Claims.Documents = []string{"read"} }, no("GOV-03.1")},
		"a kind of data without a purpose":                             {func(c *candidate.Candidate) { delete(c.Service.DataUse, "measures") }, no("GOV-04.1")},
		"a kind of data with a purpose that the service does not have": {func(c *candidate.Candidate) { c.Service.DataUse["measures"] = []string{"care", "diagnosis"} }, no("GOV-04.1")},
		"a wrong key":                {func(c *candidate.Candidate) { c.Editor.SIREN = "732829321" }, no("GOV-07.1")},
		"nine zeros":                 {func(c *candidate.Candidate) { c.Editor.SIREN = "000000000" }, no("GOV-07.1")},
		"no production address":      {func(c *candidate.Candidate) { c.Web.Production = "" }, no("GOV-08.1")},
		"a plain production address": {func(c *candidate.Candidate) { c.Web.Production = "http://service.example/" }, no("GOV-08.1")},
		"documents given only": {
			func(c *candidate.Candidate) { c.Claims.Documents = []string{"write"} },
			map[string]lab.State{"GOV-03.1": lab.Untested},
		},
		"nothing exchanged": {
			func(c *candidate.Candidate) { c.Claims = candidate.Claims{Pairing: true} },
			map[string]lab.State{"GOV-03.1": lab.Untested, "GOV-04.1": lab.Untested},
		},
		"nothing declared": {func(c *candidate.Candidate) { *c = candidate.Candidate{} }, map[string]lab.State{
			"GOV-01.1": lab.Untested, "GOV-02.1": lab.Untested, "GOV-03.1": lab.Untested, "GOV-04.1": lab.Untested, "GOV-07.1": lab.Untested, "GOV-08.1": lab.NotMet,
		}},
	} {
		t.Run(name, func(t *testing.T) {
			m := good()
			c.change(&m)
			got := judge(t, m)
			if len(got) != 6 {
				t.Errorf("%d checks", len(got))
			}
			for id, res := range got {
				want, ok := c.want[id]
				if !ok {
					want = lab.Met
				}
				if res.State != want {
					t.Errorf("%s is %q, want %q: %+v", id, res.State, want, res)
				}
				for _, f := range res.Findings {
					if f.Key == "" || f.Message.FR == "" || f.Message.EN == "" || f.Expected == "" || f.Actual == "" || f.Pointer == "" || f.Seq == 0 {
						t.Errorf("%s: a finding that does not say enough: %+v", id, f)
					}
				}
			}
		})
	}
}

func TestSIRENKeys(t *testing.T) {
	for number, want := range map[string]bool{
		"732829320": true, "356000000": true, "552100554": true, "999999998": true,
		"732829321": false, "73282932": false, "7328293200": false, "73282932a": false, "": false, "000000000": false,
	} {
		if validSIREN(number) != want {
			t.Errorf("%s: %v", number, !want)
		}
	}
}

func TestWordsOfPurposes(t *testing.T) {
	for word, code := range map[string]string{
		"prevention": "prevention", "Prévention": "prevention", "diagnostic": "diagnosis", "soins": "care",
		"suivi_social": "social-follow-up", "Suivi social ou médico-social": "social-follow-up",
		"bien-être": "", "": "", "careful": "", "recherche": "",
	} {
		if got, ok := legal(word); got != code || ok != (code != "") {
			t.Errorf("%q: %q", word, got)
		}
	}
	for word, is := range map[string]bool{
		"research": true, "Recherche médicale": true, "marketing": true, "réutilisation": true, "statistiques": true,
		"assurance": true, "care": false, "prevention": false, "suivi social": false, "": false,
	} {
		if _, got := secondary(word); got != is {
			t.Errorf("%q secondary: %v", word, got)
		}
	}
}
