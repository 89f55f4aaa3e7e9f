package interop

import (
	"context"
	"fmt"
	"strings"

	. "github.com/onsi/ginkgo/v2"

	"github.com/etalon-sante/etalon/sandbox/control"
	"github.com/etalon-sante/etalon/sandbox/record"
	"github.com/etalon-sante/etalon/suites/candidate"
	"github.com/etalon-sante/etalon/suites/journey"
	. "github.com/etalon-sante/etalon/suites/lab"
)

// client holds the checks of how the service makes itself known where it does so
// by more than a secret: each is of one method, and does not concern a service
// whose manifest names another.
func client(l *Lab) {
	var session, turnedAway *Scenario
	l.In("client", func() {
		session = l.Scenario("client-session", "a patient pairs, a token is refreshed, measures are sent, the patient un-pairs", func(ctx context.Context, s *Stage) error {
			// Tolerant, so that one fault of the client's does not hide the next.
			p, err := journey.Paired(ctx, s, Tolerant())
			if err != nil {
				return err
			}
			if _, err := journey.Send(ctx, s, p); err != nil {
				return err
			}
			if err := s.Happen(ctx, p, control.Act{Kind: control.ActExpireAccess}); err != nil {
				return err
			}
			if _, err := journey.Send(ctx, s, p); err != nil {
				return err
			}
			_, err = s.Must(ctx, p, candidate.Unpair, nil)
			return err
			// A client that is not recognised pairs nowhere: here it is said why.
		}, Needs(candidate.Pair, candidate.SendMeasure), Answers(candidate.Pair))
		turnedAway = l.Scenario("client-turned-away", "the token endpoint does not recognise the client once, when a token is refreshed", func(ctx context.Context, s *Stage) error {
			p, err := journey.Paired(ctx, s, Tolerant())
			if err != nil {
				return err
			}
			if err := s.Happen(ctx, p, control.Act{Kind: control.ActExpireAccess}); err != nil {
				return err
			}
			if err := s.Fault(ctx, p, control.Fault{Route: record.RouteToken, Next: 1, Kind: control.FaultStatus, Status: 401}); err != nil {
				return err
			}
			if _, err := journey.Send(ctx, s, p); err != nil {
				return err
			}
			return s.Quiet(ctx)
		}, Needs(candidate.Pair, candidate.SendMeasure))
	})

	Describe("The client", func() {
		It("addresses its assertion to this server alone", Check("INT-85.1"), Reads(session), EvenIfEnded(), func() {
			Expect(assertions(session.Trace()).Occasion()).NotTo(HaveIssue("token.assertion-audience"))
		})
		It("uses each assertion once", Check("INT-86.1"), Reads(session), EvenIfEnded(), func() {
			t := assertions(session.Trace()).Occasion()
			if t.Len() < 2 {
				t.Marks("none").Occasion()
			}
			Expect(t).NotTo(HaveIssue("token.assertion-used"))
			Expect(t).NotTo(HaveIssue("token.assertion-id"))
		})
		It("makes an assertion that expires soon", Check("INT-86.2"), Reads(session), EvenIfEnded(), func() {
			Expect(assertions(session.Trace()).Occasion()).NotTo(HaveIssue("token.assertion-life"))
		})
		It("falls back to no other method", Check("INT-88.1"), Reads(turnedAway), EvenIfEnded(), func() {
			t := turnedAway.Trace()
			refused := t.Requests(record.RouteToken).Answered(401).Occasion().First()
			agreed := refused.Exchange.Facts.Token.ClientAuth
			Expect(t.Requests(record.RouteToken, record.RouteRevoke).After(refused)).To(Satisfy("method", func(r record.Record) *Finding {
				f := tokenFacts(r)
				if f == nil || f.ClientAuth == agreed {
					return nil
				}
				return At(r, "other-method", Text{
					FR: "après un refus, le service s’authentifie autrement que convenu",
					EN: "after a refusal, the service authenticates otherwise than agreed",
				}).Was(agreed, f.ClientAuth).Ptr()
			}))
		})
		It("presents its certificate in every token request", Check("INT-89.1"), Reads(session), EvenIfEnded(), func() {
			t := session.Trace().Requests(record.RouteToken, record.RouteRevoke).Where(func(r record.Record) bool { return tokenFacts(r) != nil })
			known := t.Where(func(r record.Record) bool { return tokenFacts(r).Certificate != "" }).Occasion().First()
			want := tokenFacts(known).Certificate
			Expect(t).To(Satisfy("certificate", func(r record.Record) *Finding {
				return certified(r, want, tokenFacts(r).Certificate)
			}))
		})
		It("presents the certificate that its token is bound to", Check("INT-90.1"), Reads(session), EvenIfEnded(), func() {
			t := session.Trace().Business().Where(func(r record.Record) bool {
				return r.Exchange.Facts != nil && r.Exchange.Facts.Call != nil && r.Exchange.Facts.Call.Bound != ""
			}).Occasion()
			Expect(t).To(Satisfy("certificate", func(r record.Record) *Finding {
				c := r.Exchange.Facts.Call
				f := certified(r, c.Bound, c.Certificate)
				if f != nil {
					for _, i := range r.Exchange.Facts.Issues {
						if i.Rule == "call.certificate" {
							f.Setting = i.Setting
						}
					}
				}
				return f
			}))
		})
	})
}

// oneMethod is met when no request uses two ways of authenticating at once.
func oneMethod() Finder {
	return Satisfy("one method", func(r record.Record) *Finding {
		f := tokenFacts(r)
		if f == nil || len(f.ClientBeside) < 2 {
			return nil
		}
		return At(r, "several-methods", Text{
			FR: "la demande porte plusieurs moyens d’authentification du client à la fois",
			EN: "the request carries several means of client authentication at once",
		}).Was("1", fmt.Sprintf("%d: %s", len(f.ClientBeside), strings.Join(f.ClientBeside, ", "))).Ptr()
	})
}

func certified(r record.Record, want, got string) *Finding {
	if got == want {
		return nil
	}
	if got == "" {
		got = "—"
	}
	return At(r, "certificate", Text{
		FR: "la connexion ne présente pas le certificat du client",
		EN: "the connection does not present the client's certificate",
	}).Was(want, got).Ptr()
}

// assertions are the requests that carry a client assertion.
func assertions(t Trace) Trace {
	return t.Requests(record.RouteToken, record.RouteRevoke).Where(func(r record.Record) bool {
		f := tokenFacts(r)
		return f != nil && f.Assertion != nil
	})
}

func tokenFacts(r record.Record) *record.TokenFacts {
	if r.Exchange == nil || r.Exchange.Facts == nil {
		return nil
	}
	return r.Exchange.Facts.Token
}
