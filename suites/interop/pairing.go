package interop

import (
	"context"
	"fmt"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"

	"github.com/etalon-sante/etalon/sandbox/record"
	"github.com/etalon-sante/etalon/suites/candidate"
	"github.com/etalon-sante/etalon/suites/journey"
	. "github.com/etalon-sante/etalon/suites/lab"
)

// minBits is the least size of state and nonce: 128 bits, as RFC 6749 §10.10
// asks of values that an attacker must not guess.
const minBits = 128

func pairing(l *Lab) {
	var nominal, two, again *Scenario
	l.In("pairing", func() {
		nominal = l.Scenario("pairing-nominal", "a patient pairs and agrees to every finalité", func(ctx context.Context, s *Stage) error {
			// The record is tolerant, so that one fault of the request does not
			// hide the next.
			p, err := journey.Paired(ctx, s, Tolerant())
			if err != nil {
				return err
			}
			return journey.Status(ctx, s, p)
		}, Needs(candidate.Pair), Answers(candidate.Pair))
		two = l.Scenario("pairing-two", "two patients pair, one after the other", func(ctx context.Context, s *Stage) error {
			for range 2 {
				if _, err := journey.Paired(ctx, s, Tolerant()); err != nil {
					return err
				}
			}
			return nil
		}, Needs(candidate.Pair))
		again = l.Scenario("pair-again", "a patient pairs, un-pairs in the service and pairs again", func(ctx context.Context, s *Stage) error {
			p, err := journey.Paired(ctx, s, Tolerant())
			if err != nil {
				return err
			}
			if _, err := s.Must(ctx, p, candidate.Unpair, nil); err != nil {
				return err
			}
			if err := s.Note(p, "again", nil); err != nil {
				return err
			}
			err = s.Pair(ctx, p, Choice{})
			if early := new(Ending); asEnding(err, &early) && early.Outcome == CandidateFailed {
				// That it fails here is what is judged, not a reason to stop.
				return nil
			}
			return err
		}, Needs(candidate.Pair))
	})

	Describe("Pairing", func() {
		It("pairs as it claims", Check("INT-01.1"), Reads(nominal), Claims(candidate.Pair), func() {
			t := nominal.Trace()
			t.Actions(candidate.Pair).Occasion()
			Expect(t.Actions(candidate.Pair)).To(answerDone())
			Expect(t).To(haveSucceeded(record.RouteToken))
			Expect(t.Actions(candidate.Status)).To(statusSays("paired", true))
		})
		It("asks for authorization as registered", Check("INT-01.2"), Free(), Reads(nominal), EvenIfEnded(), func() {
			Expect(nominal.Trace().Exchanges(record.RouteAuthorize).Occasion()).To(eachAuthorize(func(r record.Record, a *record.AuthorizeFacts) *Finding {
				switch {
				case a.ResponseType != "code":
					return At(r, "response-type", Text{FR: "le paramètre response_type n'est pas « code »", EN: "parameter response_type is not \"code\""}).Was("code", a.ResponseType).In("request:?response_type").Ptr()
				case !a.ClientKnown:
					return At(r, "client-id", Text{FR: "le paramètre client_id n'est pas celui du service", EN: "parameter client_id is not the service's"}).In("request:?client_id").Ptr()
				case !a.RedirectRegistered:
					return At(r, "redirect-uri", Text{FR: "le paramètre redirect_uri n'est pas une adresse enregistrée", EN: "parameter redirect_uri is not a registered address"}).Was("", a.RedirectURI).In("request:?redirect_uri").Ptr()
				case len(a.Repeated) > 0:
					return At(r, "repeated-parameter", Text{FR: "un paramètre est donné plusieurs fois", EN: "a parameter is given more than once"}).Was("1", strings.Join(a.Repeated, ", ")).In("url").Ptr()
				}
				return nil
			}))
		})
		It("asks for an identity token", Check("INT-02.1"), Free(), Reads(nominal), EvenIfEnded(), func() {
			Expect(nominal.Trace().Exchanges(record.RouteAuthorize).Occasion()).To(eachAuthorize(func(r record.Record, a *record.AuthorizeFacts) *Finding {
				if slices.Contains(a.Scope, "openid") {
					return nil
				}
				return At(r, "scope", Text{FR: "la portée demandée ne contient pas « openid »", EN: "the scope asked for does not hold \"openid\""}).Was("openid", strings.Join(a.Scope, " ")).In("request:?scope").Ptr()
			}))
		})
		It("binds the code to itself with PKCE", Check("INT-03.1"), Free(), Reads(nominal), EvenIfEnded(), func() {
			Expect(nominal.Trace().Exchanges(record.RouteAuthorize).Occasion()).To(eachAuthorize(func(r record.Record, a *record.AuthorizeFacts) *Finding {
				switch {
				case a.ChallengeMethod != "S256":
					return At(r, "challenge-method", Text{FR: "la demande ne porte pas de défi PKCE S256", EN: "the request bears no PKCE challenge of method S256"}).Was("S256", a.ChallengeMethod).In("request:?code_challenge_method").Ptr()
				case !a.ChallengeWellFormed:
					return At(r, "challenge-form", Text{FR: "le défi PKCE n'a pas la forme d'un SHA-256 en base64url sans remplissage", EN: "the PKCE challenge has not the form of a SHA-256 in unpadded base64url"}).Was("43 × [A-Za-z0-9_-]", a.Challenge).In("request:?code_challenge").Ptr()
				}
				return nil
			}))
		})
		It("proves that the code is its own", Check("INT-03.2"), Free(), Reads(nominal), EvenIfEnded(), func() {
			codes := tokenRequests(nominal.Trace(), "authorization_code")
			if l.FreeUse() {
				// A code that nobody was given has no challenge to be compared with.
				codes = codes.Where(func(r record.Record) bool { return r.Exchange.Facts.Token.CodeOrigin == "flow" })
			}
			Expect(codes.Occasion()).To(Satisfy("verifier", func(r record.Record) *Finding {
				f := r.Exchange.Facts.Token
				if f.VerifierOK {
					return nil
				}
				return At(r, "verifier", Text{FR: "le vérificateur PKCE ne correspond pas au défi de la demande", EN: "the PKCE verifier does not match the challenge of the request"}).
					Was("BASE64URL(SHA256(code_verifier)) = code_challenge", fmt.Sprintf("sent: %t, length: %d", f.VerifierSent, f.VerifierLen)).In("request:?code_verifier").Ptr()
			}))
		})
		It("sends a state that cannot be guessed", Check("INT-04.1"), Free(), Reads(nominal), func() {
			Expect(nominal.Trace().Exchanges(record.RouteAuthorize).Occasion()).To(eachAuthorize(func(r record.Record, a *record.AuthorizeFacts) *Finding {
				return guessable(r, "state", a.State, a.StateBits)
			}))
		})
		It("never sends the same state twice", Check("INT-04.2"), Free(), Reads(two, nominal), func() {
			Expect(twice(two)).To(differ("state", func(a *record.AuthorizeFacts) string { return a.State }))
		})
		It("sends a nonce that cannot be guessed", Check("INT-05.1"), Free(), Reads(nominal), func() {
			Expect(nominal.Trace().Exchanges(record.RouteAuthorize).Occasion()).To(eachAuthorize(func(r record.Record, a *record.AuthorizeFacts) *Finding {
				return guessable(r, "nonce", a.Nonce, a.NonceBits)
			}))
		})
		It("never sends the same nonce twice", Check("INT-05.2"), Free(), Reads(two, nominal), func() {
			Expect(twice(two)).To(differ("nonce", func(a *record.AuthorizeFacts) string { return a.Nonce }))
		})
		It("authenticates as agreed at the token endpoint", Check("INT-08.1"), Free(), Reads(nominal), EvenIfEnded(), func() {
			Expect(nominal.Trace().Requests(record.RouteToken).Occasion()).To(Satisfy("client authentication", func(r record.Record) *Finding {
				f := r.Exchange.Facts
				if f == nil || f.Token == nil || (f.Token.ClientOK && !slices.Contains(f.SecretIn, "url")) {
					return nil
				}
				return At(r, "client-authentication", Text{FR: "le service ne s'authentifie pas comme convenu auprès du serveur de jetons", EN: "the service does not authenticate as agreed at the token endpoint"}).Was("client authentication as agreed", f.Token.ClientAuth).In("request:header:Authorization").Ptr()
			}))
			Expect(nominal.Trace().Requests(record.RouteToken)).NotTo(HaveIssue("token.client-auth"))
		})
		It("authenticates in one way at a time", Check("INT-87.1"), Reads(nominal), EvenIfEnded(), func() {
			Expect(nominal.Trace().Requests(record.RouteToken, record.RouteRevoke).Occasion()).To(oneMethod())
		})
		It("comes back to an address that is its own", Check("INT-91.1"), Reads(nominal), EvenIfEnded(), func() {
			Expect(nominal.Trace().Exchanges(record.RouteAuthorize).Occasion()).To(eachAuthorize(ownReturn))
		})
		It("protects the code of an application", Check("INT-92.1"), Reads(nominal), EvenIfEnded(), func() {
			t := nominal.Trace().Exchanges(record.RouteAuthorize).Where(func(r record.Record) bool {
				if r.Exchange.Facts == nil || r.Exchange.Facts.Authorize == nil {
					return false
				}
				to := returnOf(r.Exchange.Facts.Authorize.RedirectURI)
				return to == toApplication || to == toAnyone
			}).Occasion()
			Expect(t).To(eachAuthorize(func(r record.Record, a *record.AuthorizeFacts) *Finding {
				if a.ChallengeMethod == "S256" {
					return nil
				}
				return At(r, "application-without-pkce", Text{FR: "le code revient à une application sans être lié à elle par PKCE", EN: "the code comes back to an application without PKCE to bind it to it"}).Was("S256", a.ChallengeMethod).In("request:?code_challenge_method").Ptr()
			}))
		})
		It("pairs again after un-pairing", Check("INT-19.1"), Reads(again), func() {
			t := again.Trace()
			mark, ok := t.Marked("again")
			if !ok {
				t.Marks("none").Occasion()
			}
			after := t.After(mark)
			after.Actions(candidate.Pair).Occasion()
			Expect(after.Actions(candidate.Pair)).To(answerDone())
			Expect(after).To(haveSucceeded(record.RouteToken))
		})
	})
}

// twice are the authorization requests of a scenario in which there must be two.
func twice(s *Scenario) Trace {
	t := s.Trace().Exchanges(record.RouteAuthorize)
	if t.Len() < 2 {
		return t.Marks("none").Occasion()
	}
	return t.Occasion()
}

func guessable(r record.Record, name, value string, bits int) *Finding {
	in := "request:?" + name
	if value == "" {
		return At(r, name+"-missing", Text{FR: "le paramètre " + name + " manque", EN: "parameter " + name + " is missing"}).Was(fmt.Sprintf("≥ %d bits", minBits), "—").In(in).Ptr()
	}
	if bits < minBits {
		return At(r, name+"-short", Text{FR: "le paramètre " + name + " est trop court pour ne pas être deviné", EN: "parameter " + name + " is too short not to be guessed"}).Was(fmt.Sprintf("≥ %d bits", minBits), fmt.Sprintf("≤ %d bits", bits)).In(in).Ptr()
	}
	return nil
}

func differ(name string, value func(*record.AuthorizeFacts) string) Finder {
	seen := map[string]bool{}
	return eachAuthorize(func(r record.Record, a *record.AuthorizeFacts) *Finding {
		v := value(a)
		if v != "" && !seen[v] {
			seen[v] = true
			return nil
		}
		return At(r, name+"-repeated", Text{FR: "le paramètre " + name + " a déjà servi, ou manque", EN: "parameter " + name + " was used before, or is missing"}).Was("a new value", v).In("request:?" + name).Ptr()
	})
}
