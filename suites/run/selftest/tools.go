package selftest

import (
	"maps"
	"slices"

	"github.com/etalon-sante/etalon/suites/run"
)

// notRun are the checks for which an outside tool is missing: neither an alarm
// nor a kill can be told of them.
func (t *tester) notRun() []string {
	missing := run.MissingTools(t.opts.schema())
	out := []string{}
	for _, check := range slices.Sorted(maps.Keys(missing)) {
		out = append(out, check+": "+missing[check].EN)
	}
	return out
}

// lacks says why a check cannot be tried, "" when it can.
func (t *tester) lacks(check string) string { return run.MissingTools(t.opts.schema())[check].EN }

func (o Options) schema() string {
	if o.CDASchema == "" {
		return run.OwnSchema
	}
	return o.CDASchema
}
