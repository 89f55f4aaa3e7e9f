package selftest

import (
	"maps"
	"slices"

	"github.com/etalon-sante/etalon/fixtures/flaws"
	"github.com/etalon-sante/etalon/suites/probe/browser"
	"github.com/etalon-sante/etalon/suites/run"
)

// notRun are the checks for which an outside tool is missing: neither an alarm
// nor a kill can be told of them. Where some flaws only are tried, the others'
// checks are nobody's question.
func (t *tester) notRun(tried []flaws.Flaw) []string {
	missing := run.MissingTools(t.opts.tools())
	out := []string{}
	for _, check := range slices.Sorted(maps.Keys(missing)) {
		if len(t.opts.Only) == 0 || slices.ContainsFunc(tried, func(f flaws.Flaw) bool { return f.Check == check }) {
			out = append(out, check+": "+missing[check].EN)
		}
	}
	return out
}

// lacks says why a check cannot be tried, "" when it can.
func (t *tester) lacks(check string) string { return run.MissingTools(t.opts.tools())[check].EN }

func (o Options) schema() string {
	if o.CDASchema == "" {
		return run.OwnSchema
	}
	return o.CDASchema
}

// browser is the one with which pages are looked at; the reference listens on
// this machine.
func (o Options) browser() browser.Options {
	if o.Browser == "" {
		o.Browser = browser.Auto
	}
	return browser.Options{Program: o.Browser, Loopback: true}
}

func (o Options) tools() run.Tools { return run.Tools{Schema: o.schema(), Browser: o.browser()} }
