package interop

import (
	"context"
	"fmt"
	"strconv"

	. "github.com/onsi/ginkgo/v2"

	"github.com/etalon-sante/etalon/sandbox/control"
	"github.com/etalon-sante/etalon/sandbox/record"
	"github.com/etalon-sante/etalon/suites/candidate"
	"github.com/etalon-sante/etalon/suites/journey"
	. "github.com/etalon-sante/etalon/suites/lab"
)

// refreshes is the feed of a measure for which the token must first be
// refreshed.
func refreshes() procedure {
	p := feedsMeasures()
	p.route = record.RouteToken
	p.before = func(ctx context.Context, s *Stage, v *visit) error {
		return s.Happen(ctx, v.Patient, control.Act{Kind: control.ActExpireAccess})
	}
	return p
}

func troubleTokens(l *Lab) {
	var tokens, race, clock *Scenario
	l.In("trouble-tokens", func() {
		tokens = cross(l, "trouble-tokens", "the access token has expired, and the token endpoint is out of order, or its answer is lost; then all is well again",
			refreshes(), []ill{
				these("server-error")[0], these("page")[0], these("redirected")[0], these("cleared")[0], these("lost")[0],
				{"refresh-refused", control.Fault{Kind: control.FaultStatus, Status: 400, IssueCode: "invalid_request"}},
			}, Needs(candidate.Pair))
		race = l.Scenario("trouble-tokens-race", "the access token has expired when two measures of one patient are sent at the same time", func(ctx context.Context, s *Stage) error {
			p, err := journey.Paired(ctx, s)
			if err != nil {
				return err
			}
			if err := s.Happen(ctx, p, control.Act{Kind: control.ActExpireAccess}); err != nil {
				return err
			}
			v := visit{Patient: p, at: journey.Moment(s)}
			if err := s.Each(ctx, 2, func(ctx context.Context, n int) error {
				a, err := s.Endure(ctx, p, candidate.SendMeasure, v.measure(s, n))
				if a.Status == "done" {
					s.Await(ctx, "the measure", func(t Trace) bool { return v.arrived(t, n) })
				}
				return err
			}); err != nil {
				return err
			}
			return status(ctx, s, p)
		}, Needs(candidate.Pair, candidate.SendMeasure))
		clock = l.Scenario("trouble-clock", "the clock of Mon espace santé is two minutes ahead for one patient, half a day for another", func(ctx context.Context, s *Stage) error {
			return s.Each(ctx, len(control.IDTokenClocks()), func(ctx context.Context, i int) error {
				p, err := journey.Paired(ctx, s, FaultyIDToken(control.IDTokenClocks()[i]))
				if err != nil {
					return err
				}
				if err := s.Note(p, control.IDTokenClocks()[i], nil); err != nil {
					return err
				}
				return journey.Status(ctx, s, p)
			})
		}, Needs(candidate.Pair))
	})

	Describe("Tokens in the middle of a trouble", func() {
		It("does not take an outage for the end of the pairing", Check("INT-162.1"), Reads(tokens), func() {
			names := []string{"server-error", "page", "redirected"}
			t := struckIn(tokens, names...).Occasion()
			tokens.Trace().Actions(candidate.Status).Where(answered).Occasion()
			for _, c := range sufferings(tokens, names...) {
				says := c.all.Actions(candidate.Status)
				if !says.Empty() && answered(says.First()) && statusField(says.First(), "paired") != true {
					w := under(c.trouble)
					t.Report(At(says.First(), "unpaired-by-an-outage", Text{
						FR: "une panne du point de jetons suffit pour que le service se dise désapparié, sous " + w.FR,
						EN: "an outage of the token endpoint is enough for the service to say that it is un-paired, under " + w.EN,
					}).Was("paired: true", "paired: false"))
				}
			}
		})
		It("keeps the refresh token through an outage", Check("INT-162.2"), Reads(tokens), func() {
			names := []string{"server-error", "page", "redirected"}
			t := struckIn(tokens, names...).Occasion()
			for _, c := range sufferings(tokens, names...) {
				a, ok := c.asked(candidate.SendMeasure, 1)
				if ok && c.arrived(a).Empty() {
					w := under(c.trouble)
					t.Report(At(a, "refresh-token-lost", Text{
						FR: "une fois le point de jetons rétabli, la mesure n'arrive pas, après " + w.FR, EN: "once the token endpoint is back, the measure does not arrive, after " + w.EN,
					}).Was("done", a.Pilot.Status))
				}
			}
		})
		It("does not ask for tokens without end during an outage", Check("INT-162.3"), Reads(tokens), func() {
			t := struckIn(tokens, "server-error").Occasion()
			for _, c := range sufferings(tokens, "server-error") {
				if n := c.met.Len(); n > maxTries {
					t.Report(At(c.met.Last(), "token-requests-go-on", Text{
						FR: "le service demande des jetons sans fin pendant la panne", EN: "the service asks for tokens without end during the outage",
					}).Was(fmt.Sprintf("≤ %d", maxTries), strconv.Itoa(n)))
				}
			}
		})
		It("stops when a refresh is refused, whatever the error is called", Check("INT-164.1"), Reads(tokens), func() {
			Expect(struckIn(tokens, "refresh-refused").Occasion()).To(HaveAtMost(2, "token-requests-go-on", Text{
				FR: "le service redemande des jetons après un refus (400)", EN: "the service asks for tokens again after a refusal (400)",
			}))
		})
		It("finds a way out when the answer to a refresh was lost", Check("INT-165.1"), Reads(tokens), func() {
			t := struckIn(tokens, "lost").Occasion()
			for _, c := range sufferings(tokens, "lost") {
				a, ok := c.asked(candidate.SendMeasure, 1)
				says := c.all.Actions(candidate.Status).Last()
				if !ok || !c.arrived(a).Empty() || !answered(says) || statusField(says, "offersPairing") == true {
					continue
				}
				t.Report(At(says, "no-way-out", Text{
					FR: "le jeton de renouvellement est perdu avec la réponse, et le service ne propose pas d'apparier à nouveau",
					EN: "the refresh token is lost with the answer, and the service does not offer to pair again",
				}).Was("offersPairing: true", "offersPairing: false"))
			}
		})
		It("carries neither token nor secret to another host", Check("INT-160.3"), Reads(tokens), func() {
			carriesNothingElsewhere(tokens, "redirected")
		})
		It("asks for no token in clear", Check("INT-171.3"), Reads(tokens), func() { carriesNothingElsewhere(tokens, "cleared") })
		It("presents a refresh token once though two actions need it", Check("INT-163.1"), Reads(race), func() {
			uses := map[string]int{}
			t := tokenRequests(race.Trace(), "refresh_token").Occasion()
			race.Trace().Actions(candidate.SendMeasure).Occasion()
			for _, r := range t.Records {
				name := r.Exchange.Facts.Token.Refresh
				if uses[name]++; uses[name] == 2 {
					t.Report(At(r, "refresh-token-used-twice", Text{
						FR: "deux actions simultanées présentent le même jeton de renouvellement", EN: "two actions at once present the same refresh token",
					}).Was("1", "2").In("request:?refresh_token"))
				}
			}
		})
		It("loses neither of two measures when the token is refreshed", Check("INT-163.2"), Reads(race), func() {
			t := race.Trace()
			tokenRequests(t, "refresh_token").Occasion()
			c := suffering{all: t}
			for _, a := range t.Actions(candidate.SendMeasure).Records {
				if c.arrived(a).Empty() {
					t.Report(At(a, "measure-lost", Text{
						FR: "l'une de deux mesures envoyées ensemble se perd dans le renouvellement du jeton", EN: "one of two measures sent together is lost in the refresh of the token",
					}).Was("done", a.Pilot.Status))
				}
			}
		})
		It("pairs though the clocks differ by two minutes", Check("INT-169.1"), Reads(clock), func() {
			Expect(byClock(clock, control.IDTokenAhead)).To(statusSays("paired", true))
		})
		It("does not pair by an identity token of half a day from now", Check("INT-169.2"), Reads(clock), func() {
			Expect(byClock(clock, control.IDTokenFuture)).To(statusSays("paired", false))
		})
	})
}

// byClock are the words of the service about the patient whose identity token
// was made by a clock that is ahead.
func byClock(s *Scenario, which string) Trace {
	t := s.Trace()
	mark, _ := t.Marked(which)
	of := t.Of(mark.Patient)
	of.Requests(record.RouteToken).Where(func(r record.Record) bool {
		return r.Exchange.Facts != nil && r.Exchange.Facts.Token != nil && r.Exchange.Facts.Token.IDTokenFault == which
	}).Occasion()
	return of.Actions(candidate.Status).Where(answered).Occasion()
}
