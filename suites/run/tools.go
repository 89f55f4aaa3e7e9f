package run

import (
	"github.com/etalon-sante/etalon/suites/lab"
	"github.com/etalon-sante/etalon/suites/probe/cda"
)

// OwnSchema validates clinical documents by étalon's reduced schema, for the
// demonstration and the self-test: that of HL7 is not part of the project.
const OwnSchema = cda.Own

// MissingTools names the checks that nothing can be observed for on this
// machine, each with the reason: an outside tool is not installed.
func MissingTools(schema string) map[string]lab.Text {
	out := map[string]lab.Text{}
	if why := cda.Missing(cda.Options{Schema: schema}); why != (cda.Text{}) {
		out["INT-129.1"] = lab.Text(why)
	}
	return out
}
