package sandbox_test

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/go-jose/go-jose/v4"

	"github.com/etalon-sante/etalon/sandbox/control"
	"github.com/etalon-sante/etalon/sandbox/record"
)

// Contract is what every form of the sandbox does alike, seen from its two
// ports alone.
func Contract(name string, start func() control.API) bool {
	return Describe("the "+name+" sandbox", Ordered, ContinueOnFailure, func() {
		c := &contract{}
		BeforeAll(func() { c.api = start() })
		c.pairing()
		c.pages()
		c.tokens()
		c.clients()
		c.calls()
		c.clinicals()
		c.documents()
		c.searches()
		c.measures()
		c.faults()
		c.troubles()
		c.journals()
		c.control()
		c.life()
		c.agenda()
	})
}

// contract is the sandbox under test.
type contract struct{ api control.API }

// open opens a space, until the spec ends.
func (c *contract) open(req control.SpaceRequest) *service {
	s := newService(c.api, req)
	DeferCleanup(func() error {
		s.close()
		return c.api.DeleteSpace(context.Background(), s.space.ID)
	})
	return s
}

func (c *contract) act(s *service, patient, kind string) {
	GinkgoHelper()
	Expect(c.api.Act(context.Background(), s.space.ID, patient, control.Act{Kind: kind})).To(Succeed())
}

// pairing are the specs of authorization, consent and id_token.
func (c *contract) pairing() {
	ctx := context.Background()
	open := c.open
	Describe("pairing", func() {
		It("says that it is there, and what to trust", func() {
			h, err := c.api.Health(ctx)
			Expect(err).NotTo(HaveOccurred())
			Expect(h.Settings).To(Equal("mes-2023"))
			Expect(h.Public).To(HavePrefix("https://"))
			Expect(x509.NewCertPool().AppendCertsFromPEM([]byte(h.CA))).To(BeTrue())
		})

		It("goes from authorization to a feed, and journals each exchange under its patient", func() {
			s := open(control.SpaceRequest{Seed: 7})
			p := s.patient("alice")
			t := s.pair(p)
			Expect(t.Type).To(Equal("Bearer"))
			Expect(t.Expires).To(Equal(300))
			Expect(t.Scope).To(Equal("openid mes:mesures_ecriture mes:mesures_lecture mes:documents_ecriture mes:documents_lecture mes:agenda_ecriture mes:agenda_lecture"))
			r := s.call(t, http.MethodPost, "", feed(t, nominals()[0].observation("2026-11-22T08:30:00+01:00")))
			Expect(r.status).To(Equal(http.StatusOK), "%s", r.body)
			b := bundleOf(r)
			Expect(b.Type).To(Equal("transaction-response"))
			Expect(b.Entry).To(HaveLen(1))
			Expect(b.Entry[0].Response.Status).To(Equal("201 Created"))
			Expect(b.Entry[0].Response.Location).To(MatchRegexp(`^Observation/[0-9a-f-]{36}$`))

			var routes []record.Route
			for i, rec := range s.journal() {
				Expect(rec.Seq).To(Equal(i + 1))
				Expect(rec.Patient).To(Equal("alice"), "%s", rec.Exchange.Route)
				Expect(rec.Scenario).To(Equal("scenario-of-alice"))
				routes = append(routes, rec.Exchange.Route)
			}
			Expect(routes).To(Equal([]record.Route{
				record.RouteAuthorize, record.RouteSignIn, record.RouteSignIn, record.RouteConsent, record.RouteConsent,
				record.RouteToken, record.RouteFeedMeasure,
			}))
		})

		It("derives the facts of an authorization, a token request and a call", func() {
			s := open(control.SpaceRequest{})
			p := s.patient("bruno")
			t := s.pair(p, "MESURES_ECRITURE")
			s.call(t, http.MethodPost, "", feed(t, nominals()[0].observation("2026-11-22T08:30:00+01:00")))
			j := s.journal()

			a := j[0].Exchange
			Expect(a.From).To(Equal(record.Visitor))
			Expect(*a.Facts.Authorize).To(Equal(record.AuthorizeFacts{
				ResponseType: "code", ClientKnown: true, RedirectRegistered: true, RedirectURI: callback, Scope: []string{"openid"},
				State: "«state-1»", StateBits: a.Facts.Authorize.StateBits, Nonce: "«nonce-1»", NonceBits: a.Facts.Authorize.NonceBits,
				ChallengeMethod: "S256", Challenge: "«code-challenge-1»", ChallengeWellFormed: true,
			}))
			Expect(a.Facts.Authorize.StateBits).To(BeNumerically(">=", 240))

			consent := onRoute(j, record.RouteConsent)[1].Exchange.Facts.Consent
			Expect(*consent).To(Equal(record.ConsentFacts{Accepted: true, Finalites: []string{"MESURES_ECRITURE"}, Refused: []string{"MESURES_LECTURE", "DOCUMENTS_ECRITURE", "DOCUMENTS_LECTURE", "AGENDA_ECRITURE", "AGENDA_LECTURE"}}))

			k := onRoute(j, record.RouteToken)[0].Exchange
			Expect(k.From).To(Equal(record.Candidate))
			Expect(*k.Facts.Token).To(Equal(record.TokenFacts{
				GrantType: "authorization_code", ClientAuth: "client_secret_basic", ClientOK: true,
				Code: "«code-1»", CodeOrigin: "flow", CodeUses: 1, VerifierOK: true, VerifierSent: true, VerifierLen: 43,
				IDTokenKey: k.Facts.Token.IDTokenKey,
				Issued:     []string{"«access-token-1»", "«refresh-token-1»", "«id-token-1»"},
			}))
			Expect(k.Facts.SecretIn).To(ConsistOf("header:Authorization", "body"))

			f := onRoute(j, record.RouteFeedMeasure)[0].Exchange.Facts
			id := claims(t.ID)
			Expect(f.Issues).To(BeEmpty())
			Expect(*f.Call).To(Equal(record.CallFacts{
				AccessToken: "«access-token-1»", AccessState: "valid", IDToken: "«id-token-1»", IDTokenIn: s.space.Endpoints.IDTokenHeader, IDTokenState: "valid",
				TokenIDPe: id["idPe"].(string), RequestIDPe: id["idPe"].(string), AssignAuth: id["assignAuth"].(string), WantAuth: id["assignAuth"].(string),
				Finalite: "MESURES_ECRITURE", Consented: true, Paired: true, ResourceID: f.Call.ResourceID, Stored: true,
			}))
			Expect(f.Call.ResourceID).NotTo(BeEmpty())
			Expect(f.SecretIn).To(ConsistOf("header:Authorization", "header:"+http.CanonicalHeaderKey(s.space.Endpoints.IDTokenHeader)))
		})

		It("signs an id_token that its published keys verify", func() {
			s := open(control.SpaceRequest{})
			p := s.patient("chloe")
			r := s.request()
			_, t := s.exchange(s.authorize(r, p), r)
			keys := func() jose.JSONWebKeySet {
				var set jose.JSONWebKeySet
				Expect(json.Unmarshal(s.browser().get(s.space.Endpoints.JWKS).body, &set)).To(Succeed())
				return set
			}
			verify := func(token string) map[string]any {
				jws, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.ES256})
				Expect(err).NotTo(HaveOccurred())
				set := keys()
				found := set.Key(jws.Signatures[0].Header.KeyID)
				Expect(found).To(HaveLen(1))
				payload, err := jws.Verify(found[0])
				Expect(err).NotTo(HaveOccurred())
				out := map[string]any{}
				Expect(json.Unmarshal(payload, &out)).To(Succeed())
				return out
			}
			id := verify(t.ID)
			Expect(id).To(HaveKeyWithValue("iss", s.space.Endpoints.Issuer))
			Expect(id).To(HaveKeyWithValue("aud", s.space.Client.ID))
			Expect(id).To(HaveKeyWithValue("nonce", r.params.Get("nonce")))
			Expect(id).To(HaveKeyWithValue("oid", s.space.OID))
			Expect(id["assignAuth"]).To(HavePrefix("urn:oid:2.25."))
			Expect(id["exp"].(float64) - id["iat"].(float64)).To(BeNumerically("==", 300))

			Expect(c.api.RotateKeys(ctx, s.space.ID)).To(Succeed())
			_, t2 := s.refresh(t.Refresh)
			verify(t2.ID)
			verify(t.ID)
			Expect(keys().Keys).To(HaveLen(2))
		})

		DescribeTable("puts the asked fault into the answers of the token endpoint", func(fault string, wrong func(answer map[string]any) bool) {
			s := open(control.SpaceRequest{})
			p := s.patient("fault", func(r *control.PatientRequest) { r.TokenAnswer = fault })
			r := s.request()
			answer, _ := s.exchange(s.authorize(r, p), r)
			Expect(answer.status).To(Equal(http.StatusOK))
			var got map[string]any
			Expect(json.Unmarshal(answer.body, &got)).To(Succeed())
			Expect(wrong(got)).To(BeTrue())
			Expect(onRoute(s.journal(), record.RouteToken)[0].Exchange.Facts.Token.AnswerFault).To(Equal(fault))
		},
			Entry("no access token", control.TokenAnswerNoAccess, func(a map[string]any) bool { return a["access_token"] == nil && a["id_token"] != nil }),
			Entry("no id_token", control.TokenAnswerNoID, func(a map[string]any) bool { return a["id_token"] == nil && a["access_token"] != nil }),
			Entry("another type", control.TokenAnswerOtherType, func(a map[string]any) bool { return a["token_type"] != "Bearer" }),
			Entry("an error", control.TokenAnswerError, func(a map[string]any) bool { return a["error"] != nil }),
		)

		DescribeTable("puts the asked fault into the id_token", func(fault string, wrong func(s *service, r request, id string) bool) {
			s := open(control.SpaceRequest{})
			p := s.patient("fault", func(r *control.PatientRequest) { r.IDToken = fault })
			r := s.request()
			answer, t := s.exchange(s.authorize(r, p), r)
			Expect(answer.status).To(Equal(http.StatusOK))
			Expect(wrong(s, r, t.ID)).To(BeTrue())
			f := onRoute(s.journal(), record.RouteToken)[0].Exchange.Facts.Token
			Expect(f.IDTokenFault).To(Equal(fault))
		},
			Entry("a nonce of no request", "nonce", func(_ *service, r request, id string) bool { return claims(id)["nonce"] != r.params.Get("nonce") }),
			Entry("another audience", "audience", func(s *service, _ request, id string) bool { return claims(id)["aud"] != s.space.Client.ID }),
			Entry("another issuer", "issuer", func(s *service, _ request, id string) bool { return claims(id)["iss"] != s.space.Endpoints.Issuer }),
			Entry("an end in the past", "expired", func(_ *service, _ request, id string) bool {
				return claims(id)["exp"].(float64) < float64(time.Now().Unix())
			}),
			Entry("no algorithm", "alg-none", func(_ *service, _ request, id string) bool { return strings.HasSuffix(id, ".") }),
			Entry("a signature of another key", "signature", func(s *service, _ request, id string) bool {
				var set jose.JSONWebKeySet
				Expect(json.Unmarshal(s.browser().get(s.space.Endpoints.JWKS).body, &set)).To(Succeed())
				jws, err := jose.ParseSignedCompact(id, []jose.SignatureAlgorithm{jose.ES256})
				Expect(err).NotTo(HaveOccurred())
				_, err = jws.Verify(set.Keys[0])
				return err != nil
			}),
		)

		It("leads back with access_denied when the patient refuses, and pairs nobody", func() {
			s := open(control.SpaceRequest{})
			p := s.patient("denis")
			r, b := s.request(), s.browser()
			q := back(b.consent(b.signIn(r, p), "refuse"))
			Expect(q.Get("error")).To(Equal("access_denied"))
			Expect(q.Get("state")).To(Equal(r.params.Get("state")))
			Expect(q.Has("code")).To(BeFalse())
			state, err := c.api.PatientState(ctx, s.space.ID, "denis")
			Expect(err).NotTo(HaveOccurred())
			Expect(state.Paired).To(BeFalse())
			j := s.journal()
			consent := j[len(j)-1].Exchange.Facts.Consent
			Expect(consent.Accepted).To(BeFalse())
			Expect(consent.Finalites).To(BeEmpty())
			Expect(consent.Refused).To(HaveLen(6))
		})

		It("refuses a business call by what the patient has not agreed to", func() {
			s := open(control.SpaceRequest{})
			t := s.pair(s.patient("emma"), "MESURES_LECTURE")
			r := s.call(t, http.MethodPost, "", feed(t, nominals()[0].observation("2026-11-22T08:30:00+01:00")))
			Expect(r.status).To(Equal(http.StatusForbidden))
			Expect(s.search(t, "29463-7", nil).status).To(Equal(http.StatusOK))
			f := onRoute(s.journal(), record.RouteFeedMeasure)[0].Exchange.Facts
			Expect(f.Call.Paired).To(BeTrue())
			Expect(f.Call.Consented).To(BeFalse())
			Expect(f.Issues).To(ConsistOf(HaveField("Rule", "call.consent")))
			Expect(c.api.Act(ctx, s.space.ID, "emma", control.Act{Kind: control.ActGrant, Finalite: "MESURES_ECRITURE"})).To(Succeed())
			Expect(s.call(t, http.MethodPost, "", feed(t, nominals()[0].observation("2026-11-22T08:30:00+01:00"))).status).To(Equal(http.StatusOK))
		})
	})
}

// search searches measures over November 2026.
func (s *service) search(t tokens, code string, more url.Values) reply {
	c := claims(t.ID)
	q := url.Values{
		"code": {code}, "subject.identifier": {c["assignAuth"].(string) + "|" + c["idPe"].(string)},
		"date": {"ge2026-11-01", "le2026-11-30"},
	}
	for k, v := range more {
		q[k] = v
		if v == nil {
			delete(q, k)
		}
	}
	return s.call(t, http.MethodGet, "/Observation?"+q.Encode(), nil)
}
