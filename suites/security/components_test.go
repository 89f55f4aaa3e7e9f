package security

import (
	"testing"

	"github.com/etalon-sante/etalon/sandbox/record"
	"github.com/etalon-sante/etalon/suites/probe/browser"
)

func TestTheListOfKnownFlawsIsRead(t *testing.T) {
	t.Parallel()
	list, refused := readVulnerable(vulnerableText)
	if len(refused) > 0 || len(list.ranges) < 20 || list.asOf == "" {
		t.Errorf("%d ranges as of %q, refused %v", len(list.ranges), list.asOf, refused)
	}
	for _, c := range []struct {
		name, version string
		flawed        bool
	}{
		{"jquery", "3.4.1", true},
		{"jquery", "3.5.0", false},
		{"jquery", "3.5", false},
		{"jquery", "1.12.4", true},
		{"jquery", "x.y", false},
		{"bootstrap", "3.4.1", false},
		{"bootstrap", "3.3.7", true},
		{"bootstrap", "4.3.0", true},
		{"bootstrap", "4.3.1", false},
		{"bootstrap", "5.3.3", false},
		{"angularjs", "1.8.3", true},
		{"vue", "2.7.16", true},
		{"vue", "3.4.0", false},
		{"moment", "2.29.3", true},
		{"moment", "2.29.4", false},
		{"lodash", "4.17.21", false},
		{"lodash", "4.17.9", true},
		{"dompurify", "3.0.0", true},
		{"dompurify", "2.5.4", false},
		{"something", "0.0.1", false},
	} {
		if got := len(list.of(browser.Library{Name: c.name, Version: c.version})) > 0; got != c.flawed {
			t.Errorf("%s %s: flawed %t", c.name, c.version, got)
		}
	}
	for _, bad := range []string{"jquery\n", "jquery a 1.0.0 CVE", "jquery 0 b CVE", "jquery 0 1.0"} {
		if _, refused := readVulnerable(bad); len(refused) != 1 {
			t.Errorf("%q was taken", bad)
		}
	}
}

func TestButtonsOfTheState(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		p     browser.Provider
		found int
	}{
		{browser.Provider{Which: "franceconnect", Scheme: "https:", Host: "app.franceconnect.gouv.fr", Link: true}, 0},
		{browser.Provider{Which: "franceconnect", Scheme: "https:", Host: "service.example", Link: true}, 0},
		{browser.Provider{Which: "franceconnect", Scheme: "https:", Host: "connexion.service.example:8443"}, 0},
		{browser.Provider{Which: "franceconnect", Scheme: "https:", Host: "franceconnect.gouv.fr.evil.example", Link: true}, 1},
		{browser.Provider{Which: "franceconnect", Scheme: "https:", Host: "app-franceconnect.example", Link: true}, 1},
		{browser.Provider{Which: "franceconnect", Scheme: "http:", Host: "service.example", Link: true}, 1},
		{browser.Provider{Which: "prosanteconnect", Scheme: "https:", Host: "auth.esw.esante.gouv.fr", Link: true}, 0},
		{browser.Provider{Which: "prosanteconnect", Scheme: "https:", Host: "esante.gouv.fr.evil.example", Link: true}, 1},
		{browser.Provider{Which: "prosanteconnect"}, 0},
	} {
		page := browser.Page{URL: "https://service.example/", State: browser.Read, Details: &browser.Details{Providers: []browser.Provider{c.p}}}
		if got := misled(record.Record{}, page); len(got) != c.found {
			t.Errorf("%+v: %+v", c.p, got)
		}
	}
}

func FuzzVulnerable(f *testing.F) {
	f.Add("jquery 1.0.3 3.5.0 CVE-2020-11023", "3.4.1")
	f.Add("angularjs 0 - no support", "1.8.3-rc.1+build")
	f.Add("as-of 2026-08-22", "")
	f.Fuzz(func(t *testing.T, list, v string) {
		read, _ := readVulnerable(list)
		for _, x := range read.ranges {
			got := read.of(browser.Library{Name: x.name, Version: v})
			if _, ok := numbers(v); !ok && len(got) > 0 {
				t.Fatalf("%q is no version, and is in %+v", v, got)
			}
		}
	})
}
