package run_test

import (
	"strings"
	"testing"

	"github.com/etalon-sante/etalon/fixtures/people"
	"github.com/etalon-sante/etalon/suites/run"
	"github.com/etalon-sante/etalon/suites/run/demo"
)

// Who signed in is planted in each run, in an address, a cookie, a header and a
// page, and each time a name stands in his place.
func TestCanariesArePlantedInEveryRun(t *testing.T) {
	s, err := demo.Start(t.Context(), demo.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	dir := t.TempDir()
	if _, err := run.Run(t.Context(), run.Options{Manifest: s.Manifest, Roots: s.Roots, Out: dir, Seed: 3, Phase: "pilot", Selection: run.Selection{Only: []string{"INT-05"}}}); err != nil {
		t.Fatal(err)
	}
	rec, err := run.ReadFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	places := map[string]int{}
	note := func(place, text string) {
		for _, kind := range []string{"«email-", "«phone-", "«login-"} {
			places[place+" "+kind] += strings.Count(text, kind)
		}
		if strings.Contains(text, "@example.test") {
			t.Errorf("%s holds an address", place)
		}
	}
	for _, r := range rec.Records {
		x := r.Exchange
		if x == nil {
			continue
		}
		note("url", x.Request.URL)
		for _, h := range append(x.Request.Headers, x.Response.Headers...) {
			note(strings.ToLower(h.Name), h.Value)
		}
		if x.Response.Body != nil {
			note("page", x.Response.Body.Text)
		}
	}
	for _, want := range []string{"url «email-", "location «email-", "set-cookie «email-", "cookie «email-", "etalon-account «email-", "etalon-account «phone-", "etalon-account «login-", "page «email-", "page «phone-"} {
		if places[want] == 0 {
			t.Errorf("nothing stands for a canary at %s: %v", want, places)
		}
	}
	if people.Patient(3, 1).Email == people.Patient(4, 1).Email {
		t.Error("two runs have the same canaries")
	}
}
