package interop

import (
	"context"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"

	"github.com/etalon-sante/etalon/sandbox/record"
	"github.com/etalon-sante/etalon/suites/candidate"
	"github.com/etalon-sante/etalon/suites/journey"
	. "github.com/etalon-sante/etalon/suites/lab"
)

func everyCall(l *Lab) {
	var both *Scenario
	l.In("people", func() {
		both = l.Scenario("two-patients", "two patients act at the same time", twoAtOnce, Needs(candidate.SendMeasure))
	})
	all := l.AllTraffic
	Describe("Every call", func() {
		It("keeps tokens, codes and secrets out of addresses", Check("INT-09.1"), Free(), ReadsAllTraffic(), func() {
			t := all().Requests().Where(func(r record.Record) bool { return r.Exchange.Facts != nil }).Occasion()
			Expect(t).To(Satisfy("secrets out of URL", func(r record.Record) *Finding {
				if !slices.Contains(r.Exchange.Facts.SecretIn, "url") {
					return nil
				}
				return At(r, "secret-in-url", Text{FR: "un jeton, un code ou un secret figure dans l'adresse de la requête", EN: "a token, a code or a secret stands in the address of the request"}).Was("no token, code or secret", r.Exchange.Request.URL).In(secretIn(r.Exchange.Request.URL)).Ptr()
			}))
		})
		It("presents an access token that was issued", Check("INT-10.1"), Free(), ReadsAllTraffic(), func() {
			t := all().Business().Where(func(r record.Record) bool { return r.Exchange.Facts != nil && r.Exchange.Facts.Call != nil }).Occasion()
			Expect(t).To(Satisfy("bearer", func(r record.Record) *Finding {
				switch st := r.Exchange.Facts.Call.AccessState; st {
				case "absent", "unknown":
					return At(r, "no-access-token", Text{FR: "l'appel ne présente pas de jeton d'accès délivré par Mon espace santé", EN: "the call presents no access token issued by Mon espace santé"}).Was("Authorization: Bearer", st).In("request:header:Authorization").Ptr()
				}
				return nil
			}))
		})
		It("names the patient that its token was issued for", Check("INT-18.1"), FreeAmong(2), Reads(both), ReadsAllTraffic(), func() {
			both.Trace().Business().Occasion()
			named := all().Business().Where(func(r record.Record) bool {
				return r.Exchange.Facts != nil && r.Exchange.Facts.Call != nil && r.Exchange.Facts.Call.RequestIDPe != "" && r.Exchange.Facts.Call.TokenIDPe != ""
			}).Occasion()
			Expect(named).To(Satisfy("patient", func(r record.Record) *Finding {
				c := r.Exchange.Facts.Call
				if c.RequestIDPe == c.TokenIDPe {
					return nil
				}
				return At(r, "patients-mixed", Text{FR: "la requête désigne un autre patient que celui du jeton", EN: "the request names another patient than the token's"}).Was(c.TokenIDPe, c.RequestIDPe).Ptr()
			}))
		})
	})
}

func twoAtOnce(ctx context.Context, s *Stage) error {
	var people []*Patient
	for range 2 {
		p, err := journey.Paired(ctx, s)
		if err != nil {
			return err
		}
		people = append(people, p)
	}
	errs := make(chan error, len(people))
	for _, p := range people {
		go func() {
			for range 3 {
				if _, err := journey.Send(ctx, s, p); err != nil {
					errs <- err
					return
				}
			}
			errs <- nil
		}()
	}
	var first error
	for range people {
		if err := <-errs; err != nil && first == nil {
			first = err
		}
	}
	return first
}

// secretIn is the parameter of an address whose value is a secret by its name, or the
// address.
func secretIn(address string) string {
	_, query, _ := strings.Cut(address, "?")
	for part := range strings.SplitSeq(query, "&") {
		if name, value, ok := strings.Cut(part, "="); ok && strings.Contains(value, "«") {
			return "request:?" + name
		}
	}
	return "url"
}
