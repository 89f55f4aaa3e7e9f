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

func tokens(l *Lab) {
	sent := func(slug, sentence string, act func(ctx context.Context, s *Stage, p *Patient) error) *Scenario {
		return l.Scenario(slug, sentence, func(ctx context.Context, s *Stage) error {
			p, err := journey.Paired(ctx, s)
			if err != nil {
				return err
			}
			if err := act(ctx, s, p); err != nil {
				return err
			}
			return s.Quiet(ctx)
		}, Needs(candidate.Pair, candidate.SendMeasure))
	}
	thenSend := func(kind string) func(ctx context.Context, s *Stage, p *Patient) error {
		return func(ctx context.Context, s *Stage, p *Patient) error {
			if err := s.Happen(ctx, p, control.Act{Kind: kind}); err != nil {
				return err
			}
			if _, err := journey.Send(ctx, s, p); err != nil {
				return err
			}
			return journey.Status(ctx, s, p)
		}
	}
	var expired, expiredTwice, rejected, revoked, refusedID, conflict *Scenario
	l.In("tokens", func() {
		expired = sent("token-expired", "the access token expires between two measures", thenSend(control.ActExpireAccess))
		expiredTwice = sent("token-expired-twice", "the access token expires, and the next one too", func(ctx context.Context, s *Stage, p *Patient) error {
			for range 2 {
				if err := thenSend(control.ActExpireAccess)(ctx, s, p); err != nil {
					return err
				}
			}
			return nil
		})
		rejected = sent("token-rejected", "every access token is refused although refreshing works", func(ctx context.Context, s *Stage, p *Patient) error {
			if err := s.Fault(ctx, p, control.Fault{Route: record.RouteFeedMeasure, Next: 20, Kind: control.FaultStatus, Status: 401}); err != nil {
				return err
			}
			_, err := journey.Send(ctx, s, p)
			return err
		})
		revoked = sent("access-revoked", "access and refresh tokens are refused from now on", thenSend(control.ActRevoke))
		refusedID = sent("id-token-refused", "the identity token is refused with 400", thenSend(control.ActExpireIDToken))
		conflict = sent("oid-conflict", "the OID of the pairing no longer matches: calls are answered 409", thenSend(control.ActConflict))
	})

	Describe("Tokens in use", func() {
		It("refreshes an expired access token and goes on", Check("INT-12.1"), FreePerPairing(), Reads(expired), l.EachPairing(func() {
			t := since(expired, control.ActExpireAccess)
			if l.FreeUse() {
				// Other measures come and go: the one that was refused must arrive.
				t = sameMeasure(t, t.Requests(record.RouteFeedMeasure).Answered(401).Occasion().First())
				if !t.Requests(record.RouteFeedMeasure).Where(func(r record.Record) bool {
					return r.Exchange.Response.Status/100 == 4 && r.Exchange.Response.Status != 401
				}).Empty() {
					t.Marks("none").Occasion() // sent again, and refused for another reason
				}
			}
			t.Business().Answered(401).Occasion()
			Expect(t).To(haveSucceeded(record.RouteToken))
			Expect(t).To(haveSucceeded(record.RouteFeedMeasure))
		}))
		It("repeats a refused call once at most", Check("INT-12.2"), Reads(rejected), func() {
			refused := rejected.Trace().Business().Answered(401).Occasion()
			Expect(refused).To(HaveAtMost(2, "call-repeated", Text{
				FR: "l'appel refusé est répété plus d'une fois",
				EN: "the refused call is repeated more than once",
			}))
		})
		It("uses the refresh token it received last", Check("INT-12.3"), FreePerPairing(), Reads(expiredTwice), l.EachPairing(func() {
			refreshes := tokenRequests(expiredTwice.Trace(), "refresh_token")
			if refreshes.Len() < 2 {
				refreshes.Marks("none").Occasion()
			}
			Expect(refreshes.Occasion()).To(Satisfy("refresh token", func(r record.Record) *Finding {
				if st := r.Exchange.Facts.Token.RefreshState; st != "current" && !(l.FreeUse() && st == "revoked") {
					return At(r, "stale-refresh-token", Text{FR: "le jeton de renouvellement présenté n'est pas le dernier reçu", EN: "the refresh token presented is not the last one received"}).Was("current", st).In("request:?refresh_token").Ptr()
				}
				return nil
			}))
		}))
		It("stops asking for tokens once they are refused", Check("INT-13.1"), FreePerPairing(), Reads(revoked), l.EachPairing(func() {
			t := since(revoked, control.ActRevoke)
			t.Business().Answered(401).Occasion()
			Expect(t.Requests(record.RouteToken)).To(HaveAtMost(2, "token-requests-go-on", Text{
				FR: "le service continue de demander des jetons après le refus",
				EN: "the service goes on asking for tokens after the refusal",
			}))
		}))
		It("says that the pairing is over and offers it again", Check("INT-13.2"), Reads(revoked), func() {
			t := since(revoked, control.ActRevoke)
			t.Business().Answered(401).Occasion()
			says := t.Actions(candidate.Status).Where(answered).Occasion()
			Expect(says).To(statusSays("paired", false))
			Expect(says).To(statusSays("offersPairing", true))
		})
		It("does not repeat a call refused for a conflict", Check("INT-16.1"), Reads(conflict), func() {
			Expect(conflict.Trace().Business().Answered(409).Occasion()).To(HaveAtMost(1, "call-repeated", Text{
				FR: "l'appel refusé pour conflit d'OID (409) est répété",
				EN: "the call refused for a conflict of OID (409) is repeated",
			}))
		})
		It("tells the patient of the conflict", Check("INT-16.2"), Reads(conflict), func() {
			t := since(conflict, control.ActConflict)
			t.Business().Answered(409).Occasion()
			Expect(t.Actions(candidate.Status).Where(answered).Occasion()).To(Satisfy("error shown", func(r record.Record) *Finding {
				if s, ok := statusField(r, "lastError").(string); ok && strings.TrimSpace(s) != "" {
					return nil
				}
				return At(r, "error-not-shown", Text{FR: "le service ne montre au patient aucune erreur après le refus", EN: "the service shows the patient no error after the refusal"}).Was("lastError: a sentence", "lastError: empty").Ptr()
			}))
		})
		It("does not present a refused identity token again", Check("INT-17.1"), FreePerPairing(), OnlyFindings(), Reads(refusedID), l.EachPairing(func() {
			t := since(refusedID, control.ActExpireIDToken).Business()
			first := t.Answered(400).Where(func(r record.Record) bool { return callOf(r).IDToken != "" }).Occasion().First()
			name := callOf(first).IDToken
			Expect(t.After(first).Where(func(r record.Record) bool {
				return callOf(r).IDToken == name
			})).To(BeEmpty("id-token-presented-again", Text{
				FR: "le jeton d'identité refusé (400) est présenté de nouveau",
				EN: "the identity token that was refused (400) is presented again",
			}))
		}))
	})
}

// sameMeasure keeps, of the feeds, those of one measure: same code, same instant.
func sameMeasure(t Trace, of record.Record) Trace {
	key := func(r record.Record) string {
		o := observation(r)
		return fmt.Sprint(at(o, "code"), at(o, "effectiveDateTime"))
	}
	want := key(of)
	return t.Where(func(r record.Record) bool {
		return r.Exchange == nil || r.Exchange.Route != record.RouteFeedMeasure || key(r) == want
	})
}

// since is what a scenario recorded after an act on the side of Mon espace santé.
func since(s *Scenario, act string) Trace {
	t := s.Trace()
	for _, r := range t.Marks("act").Records {
		if r.Mark.Text == act {
			return t.After(r)
		}
	}
	return t.Marks("none")
}
