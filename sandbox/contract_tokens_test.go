package sandbox_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/etalon-sante/etalon/sandbox/control"
	"github.com/etalon-sante/etalon/sandbox/record"
)

const morning = "2026-11-22T08:30:00+01:00"

// weigh feeds a nominal weight.
func (s *service) weigh(t tokens) reply {
	return s.call(t, http.MethodPost, "", feed(t, nominals()[0].observation(morning)))
}

// tokens are the specs of the token endpoint and of the life of tokens.
func (c *contract) tokens() {
	ctx := context.Background()
	Describe("tokens", func() {
		It("exchanges a code once, and takes back what it gave when it comes again", func() {
			s := c.open(control.SpaceRequest{})
			r := s.request()
			code := s.authorize(r, s.patient("anna"))
			_, t := s.exchange(code, r)
			Expect(s.weigh(t).status).To(Equal(http.StatusOK))
			again, refused := s.exchange(code, r)
			Expect(again.status).To(Equal(http.StatusBadRequest))
			Expect(refused.Error).To(Equal("invalid_grant"))
			Expect(s.weigh(t).status).To(Equal(http.StatusUnauthorized))
			_, refused = s.refresh(t.Refresh)
			Expect(refused.Error).To(Equal("invalid_grant"))
			j := s.journal()
			Expect(onRoute(j, record.RouteToken)[1].Exchange.Facts.Token.CodeUses).To(Equal(2))
			Expect(onRoute(j, record.RouteToken)[2].Exchange.Facts.Token.RefreshState).To(Equal("revoked"))
		})

		DescribeTable("refuses a token request that is not right", func(change func(url.Values), code string) {
			s := c.open(control.SpaceRequest{})
			r := s.request()
			form := url.Values{"grant_type": {"authorization_code"}, "code": {s.authorize(r, s.patient("bob"))}, "redirect_uri": {callback}, "code_verifier": {r.verifier}}
			change(form)
			answer, t := s.token(form)
			Expect(answer.status).To(Equal(http.StatusBadRequest))
			Expect(t.Error).To(Equal(code))
			Expect(answer.header.Get("Cache-Control")).To(Equal("no-store"))
			Expect(string(s.bytes())).NotTo(ContainSubstring(r.verifier))
		},
			Entry("another verifier", func(f url.Values) { f.Set("code_verifier", random()) }, "invalid_grant"),
			Entry("no verifier", func(f url.Values) { f.Del("code_verifier") }, "invalid_grant"),
			Entry("a verifier that is too short", func(f url.Values) { f.Set("code_verifier", "short-verifier") }, "invalid_grant"),
			Entry("another redirect URI", func(f url.Values) { f.Set("redirect_uri", callback+"/") }, "invalid_grant"),
			Entry("an unknown code", func(f url.Values) { f.Set("code", random()) }, "invalid_grant"),
			Entry("another grant", func(f url.Values) { f.Set("grant_type", "password") }, "unsupported_grant_type"),
			Entry("no grant", func(f url.Values) { f.Del("grant_type") }, "invalid_request"),
			Entry("a parameter twice", func(f url.Values) { f.Add("code", random()) }, "invalid_request"),
		)

		It("authenticates the client as agreed, and names what was presented", func() {
			s := c.open(control.SpaceRequest{Client: control.Client{ID: "my-service", Secret: "a secret/with+signs&%41é", Auth: "client_secret_post"}})
			p := s.patient("carl")
			r := s.request()
			code := s.authorize(r, p)
			form := url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {callback}, "code_verifier": {r.verifier}}

			answer, t := s.token(form) // client_secret_basic
			Expect(answer.status).To(Equal(http.StatusUnauthorized))
			Expect(t.Error).To(Equal("invalid_client"))
			Expect(answer.header.Get("WWW-Authenticate")).To(HavePrefix("Basic"))

			form.Set("client_id", s.space.Client.ID)
			form.Set("client_secret", "not-the-secret")
			Expect(send(s.http, formRequest(s.space.Endpoints.Token, form)).status).To(Equal(http.StatusUnauthorized))
			form.Set("client_secret", s.space.Client.Secret)
			Expect(send(s.http, formRequest(s.space.Endpoints.Token, form)).status).To(Equal(http.StatusOK))

			calls := onRoute(s.journal(), record.RouteToken)
			Expect(calls).To(HaveLen(3))
			Expect(calls[0].Exchange.Facts.Token.ClientAuth).To(Equal("client_secret_basic"))
			Expect(calls[0].Exchange.Facts.Token.ClientOK).To(BeTrue())
			Expect(calls[0].Exchange.Facts.Issues).To(ConsistOf(HaveField("Rule", "token.client-auth")))
			Expect(calls[1].Exchange.Facts.Token.ClientOK).To(BeFalse())
			Expect(calls[2].Exchange.Facts.Issues).To(BeEmpty())
			Expect(calls[2].Patient).To(Equal("carl"))
			Expect(calls[2].Exchange.Facts.SecretIn).To(Equal([]string{"body"}))
			for _, leak := range []string{s.space.Client.Secret, url.QueryEscape(s.space.Client.Secret), "not-the-secret"} {
				Expect(string(s.bytes())).NotTo(ContainSubstring(leak))
			}
		})

		It("rotates refresh tokens, and refuses one that was superseded", func() {
			s := c.open(control.SpaceRequest{})
			t := s.pair(s.patient("dora"))
			c.act(s, "dora", control.ActExpireAccess)
			r := s.weigh(t)
			Expect(r.status).To(Equal(http.StatusUnauthorized))
			Expect(r.header.Get("WWW-Authenticate")).To(HavePrefix("Bearer"))
			answer, t2 := s.refresh(t.Refresh)
			Expect(answer.status).To(Equal(http.StatusOK))
			Expect(t2.Refresh).NotTo(Equal(t.Refresh))
			Expect(claims(t2.ID)).NotTo(HaveKey("nonce"))
			Expect(s.weigh(t2).status).To(Equal(http.StatusOK))
			_, refused := s.refresh(t.Refresh)
			Expect(refused.Error).To(Equal("invalid_grant"))
			_, t3 := s.refresh(t2.Refresh)
			Expect(s.weigh(t3).status).To(Equal(http.StatusOK))

			calls := onRoute(s.journal(), record.RouteToken)
			Expect(calls[1].Exchange.Facts.Token.RefreshState).To(Equal("current"))
			Expect(calls[2].Exchange.Facts.Token.RefreshState).To(Equal("superseded"))
			Expect(calls[2].Exchange.Facts.Token.Refresh).To(Equal(calls[1].Exchange.Facts.Token.Refresh))
			Expect(calls[2].Patient).To(Equal("dora"))
			feeds := onRoute(s.journal(), record.RouteFeedMeasure)
			Expect(feeds[0].Exchange.Facts.Call.AccessState).To(Equal("expired"))
		})

		It("gives a patient lifetimes of his own, by the clock of the space", func() {
			s := c.open(control.SpaceRequest{})
			t := s.pair(s.patient("eric", func(r *control.PatientRequest) { r.AccessSeconds, r.RefreshSeconds = 30, 100 }))
			Expect(t.Expires).To(Equal(30))
			Expect(c.api.Advance(ctx, s.space.ID, 31*time.Second)).To(Succeed())
			Expect(s.weigh(t).status).To(Equal(http.StatusUnauthorized))
			_, t = s.refresh(t.Refresh)
			Expect(s.weigh(t).status).To(Equal(http.StatusOK))
			Expect(c.api.Advance(ctx, s.space.ID, 101*time.Second)).To(Succeed())
			_, refused := s.refresh(t.Refresh)
			Expect(refused.Error).To(Equal("invalid_grant"))
		})

		It("answers 401 before 400 when both tokens have run out together, so that a service refreshes", func() {
			s := c.open(control.SpaceRequest{})
			t := s.pair(s.patient("fred"))
			Expect(c.api.Advance(ctx, s.space.ID, time.Hour)).To(Succeed())
			Expect(s.weigh(t).status).To(Equal(http.StatusUnauthorized))
			_, t = s.refresh(t.Refresh)
			Expect(s.weigh(t).status).To(Equal(http.StatusOK))
		})

		It("refuses a code that has expired", func() {
			s := c.open(control.SpaceRequest{})
			r := s.request()
			code := s.authorize(r, s.patient("gina"))
			Expect(c.api.Advance(ctx, s.space.ID, 61*time.Second)).To(Succeed())
			_, t := s.exchange(code, r)
			Expect(t.Error).To(Equal("invalid_grant"))
		})

		It("un-pairs when the service takes back its refresh token, and pairs again", func() {
			s := c.open(control.SpaceRequest{})
			p := s.patient("hugo")
			t := s.pair(p)
			Expect(s.revoke(t.Refresh).status).To(Equal(http.StatusOK))
			Expect(s.weigh(t).status).To(Equal(http.StatusUnauthorized))
			state, err := c.api.PatientState(ctx, s.space.ID, "hugo")
			Expect(err).NotTo(HaveOccurred())
			Expect(state.Paired).To(BeFalse())
			Expect(onRoute(s.journal(), record.RouteRevoke)).To(ConsistOf(HaveField("Patient", "hugo")))
			again := s.pair(p)
			Expect(claims(again.ID)["idPe"]).To(Equal(claims(t.ID)["idPe"]))
			Expect(s.weigh(again).status).To(Equal(http.StatusOK))
			Expect(s.revoke(t.Refresh).status).To(Equal(http.StatusOK))
			Expect(s.weigh(again).status).To(Equal(http.StatusOK))
		})

		It("takes back an access token alone, and knows no error for an unknown one", func() {
			s := c.open(control.SpaceRequest{})
			t := s.pair(s.patient("iris"))
			Expect(s.revoke(t.Access).status).To(Equal(http.StatusOK))
			Expect(s.weigh(t).status).To(Equal(http.StatusUnauthorized))
			_, t = s.refresh(t.Refresh)
			Expect(s.weigh(t).status).To(Equal(http.StatusOK))
			Expect(s.revoke(random()).status).To(Equal(http.StatusOK))
		})

		DescribeTable("does what happens on the side of Mon espace santé", func(act string, status, refresh int) {
			s := c.open(control.SpaceRequest{})
			t := s.pair(s.patient("jean"))
			c.act(s, "jean", act)
			Expect(s.weigh(t).status).To(Equal(status))
			r, _ := s.refresh(t.Refresh)
			Expect(r.status).To(Equal(refresh))
		},
			Entry("tokens revoked", control.ActRevoke, 401, 400),
			Entry("the patient ends the pairing", control.ActUnpair, 403, 400),
			Entry("the id_token is refused", control.ActExpireIDToken, 400, 200),
			Entry("the OID does not match", control.ActConflict, 409, 200),
		)

		It("accepts the id_token of a refresh after one was refused, and a conflict that is resolved", func() {
			s := c.open(control.SpaceRequest{})
			t := s.pair(s.patient("karl"))
			c.act(s, "karl", control.ActExpireIDToken)
			Expect(s.weigh(t).status).To(Equal(http.StatusBadRequest))
			_, t = s.refresh(t.Refresh)
			Expect(s.weigh(t).status).To(Equal(http.StatusOK))
			c.act(s, "karl", control.ActConflict)
			r := s.weigh(t)
			Expect(r.status).To(Equal(http.StatusConflict))
			Expect(string(r.body)).To(ContainSubstring(`"resourceType":"OperationOutcome"`))
			c.act(s, "karl", control.ActResolve)
			Expect(s.weigh(t).status).To(Equal(http.StatusOK))
		})

		It("mints a code for a forged callback, which says where it comes from", func() {
			s := c.open(control.SpaceRequest{})
			s.patient("lola")
			code, err := c.api.MintCode(ctx, s.space.ID, "lola")
			Expect(err).NotTo(HaveOccurred())
			r := s.request()
			answer, _ := s.exchange(code.Code, r)
			Expect(answer.status).To(Equal(http.StatusOK))
			call := onRoute(s.journal(), record.RouteToken)[0]
			Expect(call.Patient).To(Equal("lola"))
			Expect(call.Exchange.Facts.Token.CodeOrigin).To(Equal("forged"))
			Expect(call.Exchange.Facts.Token.Code).To(HavePrefix("«code-"))
		})

		It("pairs without a browser for a candidate that does not claim pairing", func() {
			s := c.open(control.SpaceRequest{})
			s.patient("marc")
			p, err := c.api.Pair(ctx, s.space.ID, "marc")
			Expect(err).NotTo(HaveOccurred())
			Expect(p.AssignAuth).To(HavePrefix("urn:oid:"))
			t := tokens{Access: p.AccessToken, ID: p.IDToken, Refresh: p.RefreshToken}
			Expect(claims(t.ID)["idPe"]).To(Equal(p.IDPe))
			Expect(s.weigh(t).status).To(Equal(http.StatusOK))
			for _, secret := range []string{p.AccessToken, p.RefreshToken, p.IDToken} {
				Expect(strings.Contains(string(s.bytes()), secret)).To(BeFalse())
			}
		})
	})
}

// bytes is the journal as it is handed out.
func (s *service) bytes() []byte { return bytesOf(s.journal()) }
