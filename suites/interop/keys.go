package interop

import (
	"context"
	"fmt"

	. "github.com/onsi/ginkgo/v2"

	"github.com/etalon-sante/etalon/sandbox/record"
	"github.com/etalon-sante/etalon/suites/candidate"
	"github.com/etalon-sante/etalon/suites/journey"
	. "github.com/etalon-sante/etalon/suites/lab"
)

// signingKeys holds the checks of how the service follows the signing keys of Mon
// espace santé.
func signingKeys(l *Lab) {
	var rotated *Scenario
	l.In("keys", func() {
		rotated = l.Scenario("keys-rotated", "Mon espace santé signs with a new key between two pairings", func(ctx context.Context, s *Stage) error {
			if _, err := journey.Paired(ctx, s, Tolerant()); err != nil {
				return err
			}
			if err := s.RotateKeys(ctx); err != nil {
				return err
			}
			second, err := journey.Paired(ctx, s, Tolerant())
			if err != nil {
				return err
			}
			if err := journey.Status(ctx, s, second); err != nil {
				return err
			}
			// Further identity tokens, all of a key that the service knows by now.
			for range 2 {
				if _, err := journey.Paired(ctx, s, Tolerant()); err != nil {
					return err
				}
			}
			return nil
		}, Needs(candidate.Pair), Alone())
	})
	Describe("The signing keys", func() {
		It("accepts a token of a new key that is published", Check("INT-93.1"), Reads(rotated), EvenIfEnded(), func() {
			t := since(rotated, ActRotateKeys)
			tokenRequests(t, "authorization_code").Answered(200).Occasion()
			Expect(t.Actions(candidate.Status).Where(answered).Occasion()).To(statusSays("paired", true))
		})
		It("does not read the keys for every token", Check("INT-93.2"), Reads(rotated), func() {
			t := rotated.Trace()
			issued := t.Requests(record.RouteToken).Answered(200).Where(func(r record.Record) bool {
				f := tokenFacts(r)
				return f != nil && f.IDTokenKey != ""
			})
			if issued.Len() < 4 {
				t.Marks("none").Occasion()
			}
			issued.Occasion()
			asked := t.Requests(record.RouteJWKS)
			Expect(asked).To(HaveAtMost(issued.Len()-1, "keys-read-each-time", Text{
				FR: fmt.Sprintf("les clés de signature sont relues à chaque jeton : %d lectures pour %d jetons d’identité", asked.Len(), issued.Len()),
				EN: fmt.Sprintf("the signing keys are read for every token: %d readings for %d identity tokens", asked.Len(), issued.Len()),
			}))
		})
	})
}
