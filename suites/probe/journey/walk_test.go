package journey_test

import (
	"context"
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/etalon-sante/etalon/fixtures/flaws"
	"github.com/etalon-sante/etalon/fixtures/reference"
	"github.com/etalon-sante/etalon/suites/probe/browser"
	"github.com/etalon-sante/etalon/suites/probe/journey"
	"github.com/etalon-sante/etalon/suites/run/demo"
)

// host opens a browser for a test, or skips it where there is none.
func host(t *testing.T) *browser.Host {
	t.Helper()
	o := browser.Options{Program: browser.Auto, Loopback: true}
	if why := browser.Missing(o); why != (browser.Text{}) {
		if os.Getenv("CI") != "" {
			t.Fatal(why.EN)
		}
		t.Skip("NOT TRIED: " + why.EN)
	}
	h := browser.Open(o)
	t.Cleanup(h.Close)
	return h
}

// plan starts the reference service, with a flaw where one is named.
func plan(t *testing.T, flaw string) (journey.Plan, *[]string) {
	t.Helper()
	parts := reference.DefaultParts()
	for _, f := range flaws.All() {
		if f.ID == flaw {
			f.Apply(&parts)
			flaw = ""
		}
	}
	if flaw != "" {
		t.Fatalf("there is no flaw %s", flaw)
	}
	s, err := demo.Start(t.Context(), demo.Options{Parts: parts})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	told := &[]string{}
	return journey.PlanFor(s.Manifest.Candidate, time.Now, func(_, value string) { *told = append(*told, value) }), told
}

func walk(t *testing.T, h *browser.Host, flaw string) (journey.Result, string) {
	t.Helper()
	p, told := plan(t, flaw)
	p.Journeys.Idle = 0
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	res, err := journey.Walk(ctx, h, p)
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(res)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range *told {
		if strings.Contains(string(b), secret) {
			t.Errorf("%s was recorded", secret)
		}
	}
	return res, string(b)
}

func TestWhatIsSomebodysOwnIsToldFromWhatIsShownToAll(t *testing.T) {
	h := host(t)
	res, raw := walk(t, h, "")
	if len(res.Failures) > 0 || res.Own < 5 || !res.Coded || res.Uncoded || len(res.Pages) != 1 || res.Pages[0].Path != "/espace" {
		t.Fatalf("%s", raw)
	}
	for what, s := range map[string]journey.Seen{"password alone": res.Password, "earlier cookies": res.Cookies.Earlier, "back": res.Leaving.Back, "again": res.Leaving.Again} {
		if !s.Shut() {
			t.Errorf("%s: %+v", what, s)
		}
	}
	if !res.Cookies.Later.Open() || len(res.Cookies.New) != 1 || len(res.Answers) == 0 || res.Export == nil || !res.Export.Came || res.Typed < 3 {
		t.Errorf("%s", raw)
	}
	for _, line := range []string{"Camille Exemple", "12 mars", "trois-tulipes"} {
		if strings.Contains(raw, line) {
			t.Errorf("%q was recorded", line)
		}
	}
}

func TestASessionThatIsNotRenewedOpensToWhoKnewIt(t *testing.T) {
	h := host(t)
	if res, raw := walk(t, h, "session-kept-at-sign-in"); !res.Cookies.Earlier.Open() {
		t.Errorf("%s", raw)
	}
}

func TestASessionThatScriptsReadIsTold(t *testing.T) {
	h := host(t)
	if res, raw := walk(t, h, "session-read-by-scripts"); !res.Cookies.Readable.Open() {
		t.Errorf("%s", raw)
	}
}
