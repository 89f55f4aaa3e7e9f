package security

import (
	"context"
	"fmt"
	"time"

	. "github.com/onsi/ginkgo/v2"

	"github.com/etalon-sante/etalon/sandbox/record"
	. "github.com/etalon-sante/etalon/suites/lab"
	"github.com/etalon-sante/etalon/suites/probe/guard"
)

// PilotSpecs registers what is judged of the guards of the pilot: an endpoint
// that makes the service act for a patient must not stand open.
func PilotSpecs(l *Lab) {
	var guards *Scenario
	l.In("pilot", func() {
		guards = l.Scenario("pilot-guard", "the pilot is called without its token, and looked for at the production address", lookAtGuards)
	})
	// Nothing can be said of the guards of a pilot that does not answer its own
	// token: it may be absent altogether.
	answering := func(ok func(guard.Result) bool) Trace {
		return observed(guards.Trace(), "pilot", func(r guard.Result) bool { return r.WithToken.Pilot != "" && ok(r) })
	}
	Describe("The pilot", func() {
		It("does not answer at the production address", Check("SEC-14.1"), Reads(guards), func() {
			Expect(answering(func(r guard.Result) bool { return r.Exposed == guard.Exposed || r.Exposed == guard.Hidden })).To(see("hidden", pilotHidden))
		})
		It("refuses calls without its token", Check("SEC-15.1"), Reads(guards), func() {
			Expect(answering(func(r guard.Result) bool { return r.WithoutToken.Status != 0 && r.WrongToken.Status != 0 })).To(see("refusal", pilotRefuses))
		})
	})
}

func lookAtGuards(ctx context.Context, s *Stage) error {
	c := s.Candidate()
	if c.Pilot.Kind != "http" {
		return s.Note(nil, "no-http-pilot", map[string]string{"kind": c.Pilot.Kind})
	}
	res, err := guard.Look(ctx, guard.Options{
		Pilot: c.Pilot.URL, Token: c.Pilot.Token, Production: c.Web.Production,
		Roots: s.Roots(), Now: s.Now, Timeout: c.Timing.Action, Pace: s.Pace(),
		Name: nameIn(s), Note: func(at time.Time, x record.Exchange) string { return s.Exchange(at, x) },
	})
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		return s.Probe("pilot", c.Pilot.URL, nil, err)
	}
	return s.Probe("pilot", c.Pilot.URL, res, nil)
}

// nameIn tells the stage's redactor of a secret. What is too short to be one is
// masked on the spot: a name for "fr" would change every text of the run.
func nameIn(s *Stage) func(kind, value string) string {
	const least = 16
	return func(kind, value string) string {
		if len(value) < least && kind != "pilot-token" {
			return "«" + kind + "»"
		}
		s.Secret(kind, value)
		return value // replaced when the scenario's records are written
	}
}

func pilotHidden(rec record.Record, r guard.Result) []Finding {
	if r.Exposed != guard.Exposed {
		return nil
	}
	f := At(rec, "pilot.in-production", Text{
		FR: fmt.Sprintf("le pilote répond à l'adresse de production %s : %s", r.Production, exposure(r.Why).FR),
		EN: fmt.Sprintf("the pilot answers at the production address %s: %s", r.Production, exposure(r.Why).EN),
	}).Was("404", fmt.Sprint(r.AtPath.Status)).In("status")
	f.Exchange = r.AtPath.Exchange
	return []Finding{f}
}

// exposure says by which rule the pilot was recognised.
func exposure(rule string) Text {
	switch rule {
	case guard.RuleSameAddress:
		return Text{FR: "les deux adresses n'en font qu'une", EN: "the two addresses are one"}
	case guard.RulePilotAnswer:
		return Text{FR: "la réponse suit le contrat du pilote", EN: "the answer follows the pilot contract"}
	}
	return Text{
		FR: "à un jeton inventé, elle oppose le même refus que le pilote, qu'un chemin inexistant n'obtient pas",
		EN: "to a made-up token it gives the same refusal as the pilot, which a path that does not exist does not get",
	}
}

func pilotRefuses(rec record.Record, r guard.Result) []Finding {
	var out []Finding
	for _, c := range []struct {
		key   string
		reply guard.Reply
		text  Text
	}{
		{"pilot.no-token-accepted", r.WithoutToken, Text{FR: "un appel du pilote sans jeton n'est pas refusé", EN: "a call to the pilot without a token is not refused"}},
		{"pilot.wrong-token-accepted", r.WrongToken, Text{FR: "un appel du pilote avec un jeton inventé n'est pas refusé", EN: "a call to the pilot with a made-up token is not refused"}},
	} {
		if c.reply.Refused() {
			continue
		}
		f := At(rec, c.key, c.text).Was("401", fmt.Sprint(c.reply.Status)).In("status")
		f.Exchange = c.reply.Exchange
		out = append(out, f)
	}
	return out
}
