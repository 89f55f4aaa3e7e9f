package sandbox_test

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/etalon-sante/etalon/sandbox/control"
	"github.com/etalon-sante/etalon/sandbox/record"
)

// pages are the specs of the authorization request and of what patients see.
func (c *contract) pages() {
	Describe("authorization", func() {
		DescribeTable("answers by a page what cannot be told to the service", func(change func(url.Values), rule string) {
			s := c.open(control.SpaceRequest{})
			r := s.request()
			change(r.params)
			answer := s.browser().get(s.space.Endpoints.Authorization + "?" + r.params.Encode())
			Expect(answer.status).To(Equal(http.StatusBadRequest))
			Expect(answer.header.Get("Location")).To(BeEmpty())
			Expect(string(answer.body)).To(ContainSubstring("Cette demande ne peut pas aboutir"))
			j := s.journal()
			Expect(j).To(HaveLen(1))
			Expect(j[0].Exchange.Facts.Issues).To(ContainElement(HaveField("Rule", rule)))
		},
			Entry("another client", func(q url.Values) { q.Set("client_id", "someone-else") }, "authorize.client"),
			Entry("no client", func(q url.Values) { q.Del("client_id") }, "authorize.client"),
			Entry("a redirect URI that only begins alike", func(q url.Values) { q.Set("redirect_uri", callback+"/evil") }, "authorize.redirect-uri"),
			Entry("no redirect URI", func(q url.Values) { q.Del("redirect_uri") }, "authorize.redirect-uri"),
		)

		DescribeTable("judges the rest once the patient has signed in", func(change func(url.Values), code string, tolerated bool) {
			s := c.open(control.SpaceRequest{})
			strict := s.patient("strict")
			tolerant := s.patient("tolerant", func(r *control.PatientRequest) { r.Record = "tolerant" })
			r := s.request()
			change(r.params)
			q := back(s.browser().signIn(r, strict))
			Expect(q.Get("error")).To(Equal(code))
			Expect(q.Get("state")).To(Equal(r.params.Get("state")))
			Expect(q.Get("iss")).To(Equal(s.space.Endpoints.Issuer))
			b := s.browser()
			answer := b.signIn(r, tolerant)
			if tolerated {
				code := back(b.consent(answer, "accept", "MESURES_LECTURE")).Get("code")
				token, t := s.exchange(code, r)
				Expect(token.status).To(Equal(http.StatusOK), t.Error)
			} else {
				Expect(back(answer).Get("error")).To(Equal(code))
			}
			requests := onRoute(s.journal(), record.RouteAuthorize)
			Expect(requests).To(HaveLen(2))
			for _, rec := range requests {
				Expect(rec.Patient).NotTo(BeEmpty())
				Expect(rec.Exchange.Facts.Issues).To(ContainElement(HaveField("Severity", "error")))
			}
		},
			Entry("no PKCE", func(q url.Values) { q.Del("code_challenge"); q.Del("code_challenge_method") }, "invalid_request", true),
			Entry("a plain challenge", func(q url.Values) { q.Set("code_challenge_method", "plain") }, "invalid_request", true),
			Entry("a challenge that is not one", func(q url.Values) { q.Set("code_challenge", "abcdef") }, "invalid_request", true),
			Entry("no openid", func(q url.Values) { q.Set("scope", "mes:all") }, "invalid_scope", true),
			Entry("a parameter twice", func(q url.Values) { q.Add("scope", "openid") }, "invalid_request", true),
			Entry("another response type", func(q url.Values) { q.Set("response_type", "token") }, "unsupported_response_type", false),
			Entry("no response type", func(q url.Values) { q.Del("response_type") }, "invalid_request", false),
			Entry("a request object", func(q url.Values) { q.Set("request", "e30") }, "request_not_supported", false),
			Entry("a response mode", func(q url.Values) { q.Set("response_mode", "fragment") }, "invalid_request", false),
			Entry("no prompt", func(q url.Values) { q.Set("prompt", "none") }, "login_required", false),
		)

		It("goes on without state or nonce, which no standard makes a server refuse, and notes it", func() {
			s := c.open(control.SpaceRequest{})
			r := s.request()
			r.params.Del("state")
			r.params.Del("nonce")
			b := s.browser()
			q := back(b.consent(b.signIn(r, s.patient("alma")), "accept", "MESURES_LECTURE"))
			Expect(q.Has("state")).To(BeFalse())
			_, t := s.exchange(q.Get("code"), r)
			Expect(claims(t.ID)).NotTo(HaveKey("nonce"))
			f := s.journal()[0].Exchange.Facts
			Expect(f.Issues).To(ConsistOf(
				And(HaveField("Rule", "authorize.state"), HaveField("Severity", "warning")),
				And(HaveField("Rule", "authorize.nonce"), HaveField("Severity", "warning"))))
			Expect(f.Authorize.State).To(BeEmpty())
			Expect(f.Authorize.StateBits).To(Equal(0))
		})

		It("shows pages in French, in English by a switch, without script and with nothing ticked", func() {
			s := c.open(control.SpaceRequest{})
			p := s.patient("bart")
			b := s.browser()
			first := b.get(s.space.Endpoints.Authorization + "?" + s.request().params.Encode())
			page := b.get(first.header.Get("Location"))
			Expect(string(page.body)).To(And(ContainSubstring(`<html lang="fr">`), ContainSubstring("Mot de passe"), ContainSubstring(`<label for="login">`)))
			english := regexp.MustCompile(`href="([^"]+lang=en)"`).FindSubmatch(page.body)
			Expect(english).NotTo(BeNil())
			page = b.get(strings.ReplaceAll(string(english[1]), "&amp;", "&"))
			Expect(string(page.body)).To(And(ContainSubstring(`<html lang="en">`), ContainSubstring("Password")))

			address, _, _ := strings.Cut(first.header.Get("Location"), "?")
			in := b.post(address, url.Values{"interaction": {interaction(page.body)}, "login": {p.Login}, "password": {p.Password}})
			consent := b.get(in.header.Get("Location"))
			text := string(consent.body)
			Expect(text).To(And(ContainSubstring(`<html lang="en">`), ContainSubstring(s.space.Client.ID), ContainSubstring("Read my health measures")))
			Expect(strings.Count(text, `type="checkbox"`)).To(Equal(6))
			Expect(text).NotTo(ContainSubstring("checked"))
			Expect(text).NotTo(ContainSubstring("<script"))

			for _, r := range []reply{page, consent} {
				style := regexp.MustCompile(`(?s)<style>(.*)</style>`).FindSubmatch(r.body)
				sum := sha256.Sum256(style[1])
				csp := r.header.Get("Content-Security-Policy")
				Expect(csp).To(ContainSubstring("'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"))
				Expect(csp).To(And(ContainSubstring("default-src 'none'"), ContainSubstring("form-action 'self' https://service.example.test"), ContainSubstring("frame-ancestors 'none'")))
				Expect(r.header.Get("X-Content-Type-Options")).To(Equal("nosniff"))
				Expect(r.header.Get("Referrer-Policy")).To(Equal("no-referrer"))
				Expect(r.header.Get("Cache-Control")).To(Equal("no-store"))
			}
		})

		It("does not sign in with a wrong password", func() {
			s := c.open(control.SpaceRequest{})
			p := s.patient("cora")
			p.Password += "x"
			answer := s.browser().signIn(s.request(), p)
			Expect(answer.status).To(Equal(http.StatusForbidden))
			Expect(string(answer.body)).To(ContainSubstring(`role="alert"`))
			for _, r := range s.journal() {
				Expect(r.Patient).To(BeEmpty())
			}
		})

		It("takes a form from the browser that was given it alone, and once", func() {
			s := c.open(control.SpaceRequest{})
			p := s.patient("dean")
			b := s.browser()
			in := b.signIn(s.request(), p)
			page := b.get(in.header.Get("Location"))
			address, _, _ := strings.Cut(in.header.Get("Location"), "?")
			form := url.Values{"interaction": {interaction(page.body)}, "decision": {"accept"}, "finalite": {"MESURES_LECTURE"}}
			Expect(s.browser().post(address, form).status).To(Equal(http.StatusBadRequest))
			Expect(s.browser().get(in.header.Get("Location")).status).To(Equal(http.StatusBadRequest))
			back(b.post(address, form))
			Expect(b.post(address, form).status).To(Equal(http.StatusBadRequest))
			var given int
			for _, r := range onRoute(s.journal(), record.RouteConsent) {
				if r.Exchange.Facts.Consent != nil {
					given++
				}
			}
			Expect(given).To(Equal(1))
		})

		It("asks again when nothing is ticked or decided", func() {
			s := c.open(control.SpaceRequest{})
			b := s.browser()
			in := b.signIn(s.request(), s.patient("ella"))
			Expect(b.consent(in, "accept").status).To(Equal(http.StatusBadRequest))
			Expect(b.consent(in, "").status).To(Equal(http.StatusBadRequest))
			back(b.consent(in, "accept", "MESURES_LECTURE", "UNHEARD_OF"))
		})

		It("describes itself", func() {
			s := c.open(control.SpaceRequest{})
			r := s.browser().get(s.space.Endpoints.Issuer + "/.well-known/openid-configuration")
			Expect(r.status).To(Equal(http.StatusOK))
			for _, e := range []string{s.space.Endpoints.Issuer, s.space.Endpoints.Authorization, s.space.Endpoints.Token, s.space.Endpoints.Revocation, s.space.Endpoints.JWKS} {
				Expect(string(r.body)).To(ContainSubstring(`"` + e + `"`))
			}
		})
	})
}
