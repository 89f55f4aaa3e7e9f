package run

import (
	"slices"

	"github.com/etalon-sante/etalon/suites/ethics"
	"github.com/etalon-sante/etalon/suites/lab"
	"github.com/etalon-sante/etalon/suites/probe/browser"
	"github.com/etalon-sante/etalon/suites/probe/cda"
	"github.com/etalon-sante/etalon/suites/probe/text"
	"github.com/etalon-sante/etalon/suites/security"
)

// OwnSchema validates clinical documents by étalon's reduced schema, for the
// demonstration and the self-test: that of HL7 is not part of the project.
const OwnSchema = cda.Own

// Tools are the outside tools of a run.
type Tools struct {
	Schema  string          // of clinical documents
	Browser browser.Options // with what pages are looked at
}

// MissingTools names the checks that nothing can be observed for on this
// machine, each with the reason: an outside tool is not installed.
func MissingTools(t Tools) map[string]lab.Text {
	out := map[string]lab.Text{}
	if why := cda.Missing(cda.Options{Schema: t.Schema}); why != (cda.Text{}) {
		out["INT-129.1"] = lab.Text(why)
	}
	if why := text.MissingPDF(""); why != (text.Words{}) {
		out["ETH-103.1"] = lab.Text(why) // the reference's plan is a PDF
	}
	if why := browser.MissingAxe(); why != (browser.Text{}) {
		for _, check := range ethics.AxeChecks() {
			out[check] = lab.Text(why)
		}
	}
	if why := browser.Missing(t.Browser); why != (browser.Text{}) {
		for _, check := range slices.Concat(ethics.BrowserChecks(), security.BrowserChecks(), security.JourneyChecks(), security.WindowChecks()) {
			out[check] = lab.Text(why)
		}
	}
	return out
}
