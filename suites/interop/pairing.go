package interop

import (
	"context"
	"fmt"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"

	"github.com/etalon-sante/etalon/sandbox/control"
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
		It("asks for authorization as registered", Check("INT-01.2"), Reads(nominal), EvenIfEnded(), func() {
			Expect(nominal.Trace().Exchanges(record.RouteAuthorize).Occasion()).To(eachAuthorize(func(r record.Record, a *record.AuthorizeFacts) *Finding {
				switch {
				case a.ResponseType != "code":
					return At(r, "response-type", Text{FR: "le paramètre response_type n'est pas « code »", EN: "parameter response_type is not \"code\""}).Was("code", a.ResponseType).In("request.query.response_type").Ptr()
				case !a.ClientKnown:
					return At(r, "client-id", Text{FR: "le paramètre client_id n'est pas celui du service", EN: "parameter client_id is not the service's"}).In("request.query.client_id").Ptr()
				case !a.RedirectRegistered:
					return At(r, "redirect-uri", Text{FR: "le paramètre redirect_uri n'est pas une adresse enregistrée", EN: "parameter redirect_uri is not a registered address"}).Was("", a.RedirectURI).In("request.query.redirect_uri").Ptr()
				case len(a.Repeated) > 0:
					return At(r, "repeated-parameter", Text{FR: "un paramètre est donné plusieurs fois", EN: "a parameter is given more than once"}).Was("1", strings.Join(a.Repeated, ", ")).In("request.url").Ptr()
				}
				return nil
			}))
		})
		It("asks for an identity token", Check("INT-02.1"), Reads(nominal), EvenIfEnded(), func() {
			Expect(nominal.Trace().Exchanges(record.RouteAuthorize).Occasion()).To(eachAuthorize(func(r record.Record, a *record.AuthorizeFacts) *Finding {
				if slices.Contains(a.Scope, "openid") {
					return nil
				}
				return At(r, "scope", Text{FR: "la portée demandée ne contient pas « openid »", EN: "the scope asked for does not hold \"openid\""}).Was("openid", strings.Join(a.Scope, " ")).In("request.query.scope").Ptr()
			}))
		})
		It("binds the code to itself with PKCE", Check("INT-03.1"), Reads(nominal), EvenIfEnded(), func() {
			Expect(nominal.Trace().Exchanges(record.RouteAuthorize).Occasion()).To(eachAuthorize(func(r record.Record, a *record.AuthorizeFacts) *Finding {
				switch {
				case a.ChallengeMethod != "S256":
					return At(r, "challenge-method", Text{FR: "la demande ne porte pas de défi PKCE S256", EN: "the request bears no PKCE challenge of method S256"}).Was("S256", a.ChallengeMethod).In("request.query.code_challenge_method").Ptr()
				case !a.ChallengeWellFormed:
					return At(r, "challenge-form", Text{FR: "le défi PKCE n'a pas la forme d'un SHA-256 en base64url sans remplissage", EN: "the PKCE challenge has not the form of a SHA-256 in unpadded base64url"}).Was("43 × [A-Za-z0-9_-]", a.Challenge).In("request.query.code_challenge").Ptr()
				}
				return nil
			}))
		})
		It("proves that the code is its own", Check("INT-03.2"), Reads(nominal), EvenIfEnded(), func() {
			codes := tokenRequests(nominal.Trace(), "authorization_code").Occasion()
			Expect(codes).To(Satisfy("verifier", func(r record.Record) *Finding {
				f := r.Exchange.Facts.Token
				if f.VerifierOK {
					return nil
				}
				return At(r, "verifier", Text{FR: "le vérificateur PKCE ne correspond pas au défi de la demande", EN: "the PKCE verifier does not match the challenge of the request"}).
					Was("BASE64URL(SHA256(code_verifier)) = code_challenge", fmt.Sprintf("sent: %t, length: %d", f.VerifierSent, f.VerifierLen)).In("request.form.code_verifier").Ptr()
			}))
		})
		It("sends a state that cannot be guessed", Check("INT-04.1"), Reads(nominal), func() {
			Expect(nominal.Trace().Exchanges(record.RouteAuthorize).Occasion()).To(eachAuthorize(func(r record.Record, a *record.AuthorizeFacts) *Finding {
				return guessable(r, "state", a.State, a.StateBits)
			}))
		})
		It("never sends the same state twice", Check("INT-04.2"), Reads(two, nominal), func() {
			Expect(twice(two)).To(differ("state", func(a *record.AuthorizeFacts) string { return a.State }))
		})
		It("sends a nonce that cannot be guessed", Check("INT-05.1"), Reads(nominal), func() {
			Expect(nominal.Trace().Exchanges(record.RouteAuthorize).Occasion()).To(eachAuthorize(func(r record.Record, a *record.AuthorizeFacts) *Finding {
				return guessable(r, "nonce", a.Nonce, a.NonceBits)
			}))
		})
		It("never sends the same nonce twice", Check("INT-05.2"), Reads(two, nominal), func() {
			Expect(twice(two)).To(differ("nonce", func(a *record.AuthorizeFacts) string { return a.Nonce }))
		})
		It("authenticates as agreed at the token endpoint", Check("INT-08.1"), Reads(nominal), EvenIfEnded(), func() {
			Expect(nominal.Trace().Requests(record.RouteToken).Occasion()).To(Satisfy("client authentication", func(r record.Record) *Finding {
				f := r.Exchange.Facts
				if f == nil || f.Token == nil || (f.Token.ClientOK && !slices.Contains(f.SecretIn, "url")) {
					return nil
				}
				return At(r, "client-authentication", Text{FR: "le service ne s'authentifie pas comme convenu auprès du serveur de jetons", EN: "the service does not authenticate as agreed at the token endpoint"}).Was("client authentication as agreed", f.Token.ClientAuth).In("request.header.Authorization").Ptr()
			}))
			Expect(nominal.Trace().Requests(record.RouteToken)).NotTo(HaveIssue("token.client-auth"))
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
	in := "request.query." + name
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
		return At(r, name+"-repeated", Text{FR: "le paramètre " + name + " a déjà servi, ou manque", EN: "parameter " + name + " was used before, or is missing"}).Was("a new value", v).In("request.query." + name).Ptr()
	})
}

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
			browser, link, err := s.Link(ctx, p)
			if err != nil {
				return err
			}
			view, err := browser.WalkUntil(ctx, link, Choice{}, s.IsCandidate)
			if err != nil {
				return err
			}
			if view.Next == nil {
				return fmt.Errorf("the sandbox did not send the browser back")
			}
			if err := s.Note(p, "callback", nil); err != nil {
				return err
			}
			_, err = s.Browser(p).Visit(ctx, view.Next.String(), nil)
			return err
		}})
		replay = scenario(forgery{"callback-twice", "the way back to the service is taken twice", func(ctx context.Context, s *Stage, p *Patient) error {
			browser, link, err := s.Link(ctx, p)
			if err != nil {
				return err
			}
			view, err := browser.WalkUntil(ctx, link, Choice{}, s.IsCandidate)
			if err != nil {
				return err
			}
			if view.Next == nil {
				return fmt.Errorf("the sandbox did not send the browser back")
			}
			if err := s.Note(p, "callback", nil); err != nil {
				return err
			}
			for range 2 {
				if _, err := browser.Visit(ctx, view.Next.String(), nil); err != nil {
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
			scenarios[f.fault] = l.Scenario("idtoken-"+f.fault, "Mon espace santé issues an identity token with a wrong "+f.fault, func(ctx context.Context, s *Stage) error {
				p, err := journey.Paired(ctx, s, FaultyIDToken(f.fault))
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
			}, Needs(candidate.Pair))
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
		It("refreshes an expired access token and goes on", Check("INT-12.1"), Reads(expired), func() {
			t := since(expired, control.ActExpireAccess)
			t.Business().Answered(401).Occasion()
			Expect(t).To(haveSucceeded(record.RouteToken))
			Expect(t).To(haveSucceeded(record.RouteFeedMeasure))
		})
		It("repeats a refused call once at most", Check("INT-12.2"), Reads(rejected), func() {
			refused := rejected.Trace().Business().Answered(401).Occasion()
			Expect(refused).To(HaveAtMost(2, "call-repeated", Text{
				FR: "l'appel refusé est répété plus d'une fois",
				EN: "the refused call is repeated more than once",
			}))
		})
		It("uses the refresh token it received last", Check("INT-12.3"), Reads(expiredTwice), func() {
			refreshes := tokenRequests(expiredTwice.Trace(), "refresh_token")
			if refreshes.Len() < 2 {
				refreshes.Marks("none").Occasion()
			}
			Expect(refreshes.Occasion()).To(Satisfy("refresh token", func(r record.Record) *Finding {
				if st := r.Exchange.Facts.Token.RefreshState; st != "current" {
					return At(r, "stale-refresh-token", Text{FR: "le jeton de renouvellement présenté n'est pas le dernier reçu", EN: "the refresh token presented is not the last one received"}).Was("current", st).In("request.form.refresh_token").Ptr()
				}
				return nil
			}))
		})
		It("stops asking for tokens once they are refused", Check("INT-13.1"), Reads(revoked), func() {
			t := since(revoked, control.ActRevoke)
			t.Business().Answered(401).Occasion()
			Expect(t.Requests(record.RouteToken)).To(HaveAtMost(2, "token-requests-go-on", Text{
				FR: "le service continue de demander des jetons après le refus",
				EN: "the service goes on asking for tokens after the refusal",
			}))
		})
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
		It("does not present a refused identity token again", Check("INT-17.1"), Reads(refusedID), func() {
			t := since(refusedID, control.ActExpireIDToken).Business()
			first := t.Answered(400).Occasion().First()
			name := first.Exchange.Facts.Call.IDToken
			Expect(t.After(first).Where(func(r record.Record) bool {
				return r.Exchange.Facts.Call != nil && r.Exchange.Facts.Call.IDToken == name
			})).To(BeEmpty("id-token-presented-again", Text{
				FR: "le jeton d'identité refusé (400) est présenté de nouveau",
				EN: "the identity token that was refused (400) is presented again",
			}))
		})
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

func everyCall(l *Lab) {
	var both *Scenario
	l.In("people", func() {
		both = l.Scenario("two-patients", "two patients act at the same time", twoAtOnce, Needs(candidate.SendMeasure))
	})
	all := l.AllTraffic
	Describe("Every call", func() {
		It("keeps tokens, codes and secrets out of addresses", Check("INT-09.1"), ReadsAllTraffic(), func() {
			t := all().Requests().Where(func(r record.Record) bool { return r.Exchange.Facts != nil }).Occasion()
			Expect(t).To(Satisfy("secrets out of URL", func(r record.Record) *Finding {
				if !slices.Contains(r.Exchange.Facts.SecretIn, "url") {
					return nil
				}
				return At(r, "secret-in-url", Text{FR: "un jeton, un code ou un secret figure dans l'adresse de la requête", EN: "a token, a code or a secret stands in the address of the request"}).Was("—", r.Exchange.Request.URL).In("request.url").Ptr()
			}))
		})
		It("presents an access token that was issued", Check("INT-10.1"), ReadsAllTraffic(), func() {
			t := all().Business().Where(func(r record.Record) bool { return r.Exchange.Facts != nil && r.Exchange.Facts.Call != nil }).Occasion()
			Expect(t).To(Satisfy("bearer", func(r record.Record) *Finding {
				switch st := r.Exchange.Facts.Call.AccessState; st {
				case "absent", "unknown":
					return At(r, "no-access-token", Text{FR: "l'appel ne présente pas de jeton d'accès délivré par Mon espace santé", EN: "the call presents no access token issued by Mon espace santé"}).Was("Authorization: Bearer", st).In("request.header.Authorization").Ptr()
				}
				return nil
			}))
		})
		It("names the patient that its token was issued for", Check("INT-18.1"), Reads(both), ReadsAllTraffic(), func() {
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
