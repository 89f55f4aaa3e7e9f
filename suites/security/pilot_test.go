package security

import (
	"testing"

	"github.com/etalon-sante/etalon/suites/lab"
	"github.com/etalon-sante/etalon/suites/probe/guard"
)

func TestPilotChecks(t *testing.T) {
	refusal := guard.Reply{Exchange: "h2", Status: 401, Type: "application/json", Shape: "error"}
	for name, c := range map[string]struct {
		change func(*guard.Result)
		want   map[string]lab.State
	}{
		"a guarded pilot":                      {func(*guard.Result) {}, nil},
		"a pilot that needs no token":          {func(r *guard.Result) { r.WithoutToken = guard.Reply{Exchange: "h2", Status: 200, Pilot: "done"} }, map[string]lab.State{"SEC-15.1": lab.NotMet}},
		"a pilot that takes any token":         {func(r *guard.Result) { r.WrongToken.Status = 200 }, map[string]lab.State{"SEC-15.1": lab.NotMet}},
		"a pilot that falls over":              {func(r *guard.Result) { r.WrongToken.Status = 500 }, map[string]lab.State{"SEC-15.1": lab.NotMet}},
		"a pilot that does not answer callers": {func(r *guard.Result) { r.WrongToken = guard.Reply{Error: "no answer"} }, map[string]lab.State{"SEC-15.1": lab.Untested}},
		"a pilot that refuses its own token":   {func(r *guard.Result) { r.WithToken = refusal }, map[string]lab.State{"SEC-14.1": lab.Untested, "SEC-15.1": lab.Untested}},
		"exposed by its words":                 {func(r *guard.Result) { r.Exposed, r.Why = guard.Exposed, guard.RulePilotAnswer }, map[string]lab.State{"SEC-14.1": lab.NotMet}},
		"exposed by its refusal":               {func(r *guard.Result) { r.Exposed, r.Why = guard.Exposed, guard.RuleSameRefusal }, map[string]lab.State{"SEC-14.1": lab.NotMet}},
		"exposed at one address":               {func(r *guard.Result) { r.Exposed, r.Why = guard.Exposed, guard.RuleSameAddress }, map[string]lab.State{"SEC-14.1": lab.NotMet}},
		"production answers everything alike":  {func(r *guard.Result) { r.Exposed, r.Why = guard.Unclear, guard.RuleAlike }, map[string]lab.State{"SEC-14.1": lab.Untested}},
		"no production address":                {func(r *guard.Result) { r.Exposed, r.Why = guard.Unasked, guard.RuleNoProduction }, map[string]lab.State{"SEC-14.1": lab.Untested}},
	} {
		t.Run(name, func(t *testing.T) {
			r := guard.Result{
				Pilot: "http://127.0.0.1:9000/pilot", Production: "https://service.example/",
				WithToken: guard.Reply{Exchange: "h1", Status: 200, Pilot: "done"}, WithoutToken: refusal, WrongToken: refusal,
				AtPath: guard.Reply{Exchange: "h4", Status: 404}, AtRandom: guard.Reply{Exchange: "h5", Status: 404},
				Exposed: guard.Hidden, Why: guard.RuleOtherAnswer,
			}
			c.change(&r)
			expect(t, judge(t, looked(t, "pilot-guard", "pilot", r)), []string{"SEC-14.1", "SEC-15.1"}, c.want)
		})
	}
}
