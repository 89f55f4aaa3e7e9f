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

func callbacks(l *Lab) {
	type forgery struct {
		slug, sentence string
		deliver        func(ctx context.Context, s *Stage, p *Patient) error
	}
	forge := func(state string) func(context.Context, *Stage, *Patient) error {
		return func(ctx context.Context, s *Stage, p *Patient) error {
			browser, link, err := s.Link(ctx, p)
			if err != nil {
				return err
			}
			view, err := browser.Visit(ctx, link, s.IsAuthorization)
			if err != nil {
				return err
			}
			back, err := s.Callback(view)
			if err != nil {
				return err
			}
			code, err := s.MintCode(ctx, p)
			if err != nil {
				return err
			}
			q := back.Query()
			q.Set("code", code)
			q.Set("iss", s.Space().Endpoints.Issuer)
			if state != "" {
				q.Set("state", state)
			}
			back.RawQuery = q.Encode()
			if err := s.Note(p, "callback", nil); err != nil {
				return err
			}
			_, err = browser.Visit(ctx, back.String(), nil)
			return err
		}
	}
	scenario := func(f forgery) *Scenario {
		return l.Scenario(f.slug, f.sentence, func(ctx context.Context, s *Stage) error {
			p, err := s.Patient(ctx)
			if err != nil {
				return err
			}
			if err := f.deliver(ctx, s, p); err != nil {
				return err
			}
			return s.Quiet(ctx)
		}, Needs(candidate.Pair))
	}
	var forged, missing, other, replay *Scenario
	l.In("callback", func() {
		forged = scenario(forgery{"callback-forged-state", "the patient's browser is brought back with a state the service never sent", forge("etat-forge-0000000000000000")})
		missing = scenario(forgery{"callback-no-state", "the patient's browser is brought back without a state", forge("")})
		other = scenario(forgery{"callback-other-browser", "a pairing begun in one browser is finished in another", func(ctx context.Context, s *Stage, p *Patient) error {
			_, back, err := wayBack(ctx, s, p)
			if err != nil {
				return err
			}
			_, err = s.Browser(p).Visit(ctx, back, nil)
			return err
		}})
		replay = scenario(forgery{"callback-twice", "the way back to the service is taken twice", func(ctx context.Context, s *Stage, p *Patient) error {
			browser, back, err := wayBack(ctx, s, p)
			if err != nil {
				return err
			}
			for range 2 {
				if _, err := browser.Visit(ctx, back, nil); err != nil {
					return err
				}
			}
			return nil
		}})
	})

	// A code leaves the service only for a return that it can tie to a request
	// of its own, made in the same browser (RFC 6749 §10.12, RFC 9700 §4.7).
	Describe("The way back from Mon espace santé", func() {
		for _, c := range []struct {
			check, what string
			scenario    *Scenario
		}{
			{"INT-04.3", "drops a callback whose state it never sent", forged},
			{"INT-04.4", "drops a callback without state", missing},
			{"INT-04.5", "drops a callback in a browser that did not begin it", other},
		} {
			It(c.what, Check(c.check), Reads(c.scenario), func() {
				Expect(delivered(c.scenario)).NotTo(HaveRequested(record.RouteToken))
			})
		}
		It("exchanges a code once", Check("INT-07.1"), Reads(replay), func() {
			t := delivered(replay)
			codes := tokenRequests(t, "authorization_code").Occasion()
			Expect(codes).To(HaveAtMost(1, "code-exchanged-again", Text{
				FR: "le même code a été échangé plusieurs fois",
				EN: "the same code was exchanged more than once",
			}))
		})
	})

	faults := []struct{ fault, check, what string }{
		{"nonce", "INT-05.3", "refuses an identity token with another nonce"},
		{"signature", "INT-06.1", "refuses an identity token whose signature does not hold"},
		{"alg-none", "INT-06.2", "refuses an identity token without signature"},
		{"audience", "INT-06.3", "refuses an identity token made for another service"},
		{"issuer", "INT-06.4", "refuses an identity token of another issuer"},
		{"expired", "INT-06.5", "refuses an identity token that has expired"},
	}
	scenarios := map[string]*Scenario{}
	l.In("idtoken", func() {
		for _, f := range faults {
			scenarios[f.fault] = l.Scenario("idtoken-"+f.fault, "Mon espace santé issues an identity token with a wrong "+f.fault, trustedAfter(FaultyIDToken(f.fault)), Needs(candidate.Pair))
		}
	})
	Describe("The identity token", func() {
		for _, f := range faults {
			It(f.what, Check(f.check), Reads(scenarios[f.fault]), func() {
				t := scenarios[f.fault].Trace()
				t.Requests(record.RouteToken).Where(func(r record.Record) bool {
					return r.Exchange.Facts != nil && r.Exchange.Facts.Token != nil && r.Exchange.Facts.Token.IDTokenFault == f.fault
				}).Occasion()
				Expect(t.Business()).To(BeEmpty("call-with-refused-identity", Text{
					FR: "le service appelle une API alors que le jeton d'identité reçu devait être refusé",
					EN: "the service calls an API although the identity token it received had to be refused",
				}))
				Expect(t.Actions(candidate.Status)).To(statusSays("paired", false))
			})
		}
	})
}

// trustedAfter pairs a patient to whom something wrong is answered, and then sees
// what the service makes of it: what it says, and whether it sends.
func trustedAfter(wrong ...PatientOption) Act {
	return func(ctx context.Context, s *Stage) error {
		p, err := journey.Paired(ctx, s, wrong...)
		if err != nil {
			return err
		}
		if err := journey.Status(ctx, s, p); err != nil {
			return err
		}
		if s.Candidate().Claims.Writes("measures") {
			if _, err := journey.Send(ctx, s, p); err != nil {
				return err
			}
		}
		return s.Quiet(ctx)
	}
}

func delivered(s *Scenario) Trace {
	t := s.Trace()
	mark, ok := t.Marked("callback")
	if !ok {
		return t.Marks("none").Occasion()
	}
	after := t.After(mark)
	after.Where(func(r record.Record) bool {
		return r.Exchange != nil && r.Exchange.From == record.Visitor && r.Exchange.To == record.Candidate && r.Exchange.Response.Status != 0
	}).Occasion()
	return after
}

// wayBack pairs as far as the address at which the browser would go back to the
// service, and notes it.
func wayBack(ctx context.Context, s *Stage, p *Patient) (*Browser, string, error) {
	browser, link, err := s.Link(ctx, p)
	if err != nil {
		return nil, "", err
	}
	view, err := browser.WalkUntil(ctx, link, Choice{}, s.IsCandidate)
	if err != nil {
		return nil, "", err
	}
	if view.Next == nil {
		return nil, "", fmt.Errorf("the sandbox did not send the browser back")
	}
	return browser, view.Next.String(), s.Note(p, "callback", nil)
}
