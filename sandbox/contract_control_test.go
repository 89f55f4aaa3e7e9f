package sandbox_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/etalon-sante/etalon/sandbox/control"
	"github.com/etalon-sante/etalon/sandbox/record"
)

// faults are the specs of planned faults.
func (c *contract) faults() {
	ctx := context.Background()
	plan := func(s *service, f control.Fault) control.Fault {
		GinkgoHelper()
		out, err := c.api.PlanFault(ctx, s.space.ID, f)
		Expect(err).NotTo(HaveOccurred())
		return out
	}
	Describe("faults", func() {
		It("answers the next calls of one patient to one route, and is used up", func() {
			s := c.open(control.SpaceRequest{})
			t, other := s.pair(s.patient("bea")), s.pair(s.patient("clem"))
			f := plan(s, control.Fault{Patient: "bea", Route: record.RouteFeedMeasure, Next: 2, Kind: control.FaultStatus, Status: 429, RetryAfter: 1})
			Expect(s.weigh(other).status).To(Equal(http.StatusOK))
			Expect(s.search(t, "29463-7", nil).status).To(Equal(http.StatusOK))
			r := s.weigh(t)
			Expect(r.status).To(Equal(http.StatusTooManyRequests))
			Expect(r.header.Get("Retry-After")).To(Equal("1"))
			Expect(string(r.body)).To(ContainSubstring(`"code":"throttled"`))
			Expect(s.weigh(t).status).To(Equal(http.StatusTooManyRequests))
			Expect(s.weigh(t).status).To(Equal(http.StatusOK))
			plans, err := c.api.Faults(ctx, s.space.ID)
			Expect(err).NotTo(HaveOccurred())
			Expect(plans).To(ConsistOf(And(HaveField("ID", f.ID), HaveField("Applied", 2))))
			state, err := c.api.PatientState(ctx, s.space.ID, "bea")
			Expect(err).NotTo(HaveOccurred())
			Expect(state.Measures).To(Equal(1))
			var applied []string
			for _, rec := range onRoute(s.journal(), record.RouteFeedMeasure) {
				applied = append(applied, rec.Exchange.Fault)
			}
			Expect(applied).To(Equal([]string{"", f.ID, f.ID, ""}))
		})

		It("lets the request take effect when only the answer is to be lost", func() {
			s := c.open(control.SpaceRequest{})
			t := s.pair(s.patient("dave"))
			plan(s, control.Fault{Patient: "dave", Route: record.RouteFeedMeasure, Next: 1, Kind: control.FaultStatus, Status: 503, Store: true})
			Expect(s.weigh(t).status).To(Equal(http.StatusServiceUnavailable))
			state, err := c.api.PatientState(ctx, s.space.ID, "dave")
			Expect(err).NotTo(HaveOccurred())
			Expect(state.Measures).To(Equal(1))
			Expect(onRoute(s.journal(), record.RouteFeedMeasure)[0].Exchange.Facts.Call.Stored).To(BeTrue())
		})

		It("is not used up by a call that is not authenticated", func() {
			s := c.open(control.SpaceRequest{})
			t := s.pair(s.patient("elsa"))
			plan(s, control.Fault{Patient: "elsa", Route: record.RouteFeedMeasure, Next: 1, Kind: control.FaultStatus, Status: 422})
			c.act(s, "elsa", control.ActExpireAccess)
			Expect(s.weigh(t).status).To(Equal(http.StatusUnauthorized))
			_, t = s.refresh(t.Refresh)
			Expect(s.weigh(t).status).To(Equal(http.StatusUnprocessableEntity))
		})

		It("delays, sends what is not JSON, cuts, and never answers", func() {
			s := c.open(control.SpaceRequest{})
			t := s.pair(s.patient("finn"))
			plan(s, control.Fault{Patient: "finn", Route: record.RouteFeedMeasure, Next: 1, Kind: control.FaultDelay, Millis: 60})
			began := time.Now()
			Expect(s.weigh(t).status).To(Equal(http.StatusOK))
			Expect(time.Since(began)).To(BeNumerically(">=", 60*time.Millisecond))

			plan(s, control.Fault{Patient: "finn", Route: record.RouteFeedMeasure, Next: 1, Kind: control.FaultMalformed})
			r := s.weigh(t)
			Expect(r.status).To(Equal(http.StatusOK))
			Expect(string(r.body)).To(Equal(`{"resourceType":"Bundle","type":`))

			plan(s, control.Fault{Patient: "finn", Route: record.RouteSearchMeasures, Next: 1, Kind: control.FaultCut})
			id := claims(t.ID)
			q := url.Values{"code": {"29463-7"}, "subject.identifier": {id["assignAuth"].(string) + "|" + id["idPe"].(string)}, "date": {"ge2026-11-01", "le2026-11-30"}}
			resp, err := s.http.Do(s.business(t, http.MethodGet, "/Observation?"+q.Encode(), nil))
			if err == nil {
				_, err = io.ReadAll(resp.Body)
				Expect(resp.Body.Close()).To(Succeed())
			}
			Expect(err).To(HaveOccurred())

			plan(s, control.Fault{Patient: "finn", Route: record.RouteFeedMeasure, Next: 1, Kind: control.FaultHang})
			short, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
			defer cancel()
			_, err = s.http.Do(s.business(t, http.MethodPost, "", feed(t, nominals()[0].observation(morning))).WithContext(short))
			Expect(errors.Is(err, context.DeadlineExceeded)).To(BeTrue())

			j := s.journal()
			feeds := onRoute(j, record.RouteFeedMeasure)
			Expect(feeds[0].Exchange.Millis).To(BeNumerically(">=", 60))
			Expect(feeds[2].Exchange.Response.Status).To(Equal(0))
			Expect(feeds[2].Exchange.Error).To(ContainSubstring("planned fault"))
			Expect(onRoute(j, record.RouteSearchMeasures)[0].Exchange.Error).To(ContainSubstring("cut"))
			Expect(s.weigh(t).status).To(Equal(http.StatusOK))
		})

		It("applies what is planned for an authorization once the patient has signed in", func() {
			s := c.open(control.SpaceRequest{})
			p := s.patient("gwen")
			plan(s, control.Fault{Patient: "gwen", Route: record.RouteAuthorize, Next: 1, Kind: control.FaultStatus, Status: 503})
			plan(s, control.Fault{Patient: "gwen", Route: record.RouteToken, Next: 1, Kind: control.FaultStatus, Status: 500})
			q := back(s.browser().signIn(s.request(), p))
			Expect(q.Get("error")).To(Equal("temporarily_unavailable"))
			Expect(q.Has("state")).To(BeTrue())
			r := s.request()
			code := s.authorize(r, p)
			answer, t := s.exchange(code, r)
			Expect(answer.status).To(Equal(http.StatusInternalServerError))
			Expect(t.Error).To(Equal("server_error"))
			answer, _ = s.exchange(code, r)
			Expect(answer.status).To(Equal(http.StatusOK))
		})

		It("refuses a fault that could not be applied", func() {
			s := c.open(control.SpaceRequest{})
			s.patient("hans")
			good := control.Fault{Patient: "hans", Route: record.RouteFeedMeasure, Next: 1, Kind: control.FaultStatus, Status: 500}
			for _, change := range []func(*control.Fault){
				func(f *control.Fault) { f.Patient = "nobody" },
				func(f *control.Fault) { f.Patient = "" },
				func(f *control.Fault) { f.Route = record.RouteJWKS },
				func(f *control.Fault) { f.Next = 0 },
				func(f *control.Fault) { f.Kind = "explode" },
				func(f *control.Fault) { f.Status = 200 },
			} {
				f := good
				change(&f)
				_, err := c.api.PlanFault(ctx, s.space.ID, f)
				Expect(err).To(HaveOccurred())
			}
		})
	})
}

// journals are the specs of the journal.
func (c *contract) journals() {
	ctx := context.Background()
	Describe("the journal", func() {
		It("holds no secret and no canary in any form, whatever was sent where", func() {
			s := c.open(control.SpaceRequest{})
			p := s.patient("ines")
			r := s.request()
			code := s.authorize(r, p)
			_, t := s.exchange(code, r)
			s.weigh(t)
			_, t2 := s.refresh(t.Refresh)
			// A careless service: a token in a URL, a secret in a body, a canary in a title.
			s.call(t2, http.MethodGet, "/Observation?access_token="+t2.Access, nil)
			stolen := random()
			s.browser().get(s.space.Endpoints.Issuer + "/elsewhere?access_token=" + stolen)
			who := person(len("ines"))
			s.call(t2, http.MethodPost, "/DocumentReference", documentOf(t2, document(p.Login+" "+who.Email+" "+who.Phone, "CPT_REND", []byte(t2.Refresh))))
			s.browser().signIn(s.request(), control.Patient{Login: p.Login, Password: "a wrong password"})
			s.revoke(t2.Refresh)
			raw := s.bytes()
			parts := strings.Split(t.ID, ".")
			for name, secret := range map[string]string{
				"state": r.params.Get("state"), "nonce": r.params.Get("nonce"), "challenge": r.params.Get("code_challenge"), "verifier": r.verifier,
				"code": code, "access token": t.Access, "refresh token": t.Refresh, "id token": t.ID, "signature of the id token": parts[2],
				"second access token": t2.Access, "second refresh token": t2.Refresh, "second id token": t2.ID,
				"client secret": s.space.Client.Secret, "password": p.Password, "wrong password": "a wrong password", "wrong password in a form": "a+wrong+password",
				"login": p.Login, "email": who.Email, "phone": who.Phone, "foreign token": stolen,
			} {
				Expect(bytes.Contains(raw, []byte(secret))).To(BeFalse(), name)
			}
			Expect(raw).To(MatchRegexp(`etalon-session=«session-\d+»`))
			Expect(raw).NotTo(MatchRegexp(`interaction=[A-Za-z0-9]`))
			Expect(raw).NotTo(MatchRegexp(`Basic [A-Za-z0-9]`))

			j := s.journal()
			Expect(onRoute(j, record.RouteSearchMeasures)[0].Exchange.Facts.SecretIn).To(ContainElement("url"))
			Expect(onRoute(j, record.RouteUnknown)[0].Exchange.Facts.SecretIn).To(ContainElement("url"))
			for _, rec := range onRoute(j, record.RouteAuthorize) {
				Expect(rec.Exchange.Facts.SecretIn).To(BeEmpty())
			}
			secrets, err := c.api.Secrets(ctx, s.space.ID, 0)
			Expect(err).NotTo(HaveOccurred())
			Expect(secrets).To(ContainElement(record.Secret{Name: "code-1", Value: code}))
			Expect(c.api.Secrets(ctx, s.space.ID, 1)).To(Equal(secrets[1:]))
			Expect(c.api.Secrets(ctx, s.space.ID, len(secrets)+9)).To(BeEmpty())
		})

		It("keeps an authorization back until its patient is known", func() {
			s := c.open(control.SpaceRequest{})
			p := s.patient("jade")
			b := s.browser()
			first := b.get(s.space.Endpoints.Authorization + "?" + s.request().params.Encode())
			page := b.get(first.header.Get("Location"))
			e, err := c.api.Journal(ctx, s.space.ID, 0, 0)
			Expect(err).NotTo(HaveOccurred())
			Expect(e.Records).To(BeEmpty())
			s.pair(s.patient("kate")) // another one goes through meanwhile
			e, err = c.api.Journal(ctx, s.space.ID, 0, 0)
			Expect(err).NotTo(HaveOccurred())
			for _, r := range e.Records {
				Expect(r.Patient).To(Equal("kate"))
			}
			address, _, _ := strings.Cut(first.header.Get("Location"), "?")
			b.post(address, url.Values{"interaction": {interaction(page.body)}, "login": {p.Login}, "password": {p.Password}})
			more, err := c.api.Journal(ctx, s.space.ID, e.Next, 0)
			Expect(err).NotTo(HaveOccurred())
			Expect(more.Records).To(HaveLen(3))
			for i, r := range more.Records {
				Expect(r.Seq).To(Equal(e.Next + i + 1))
				Expect(r.Patient).To(Equal("jade"))
			}
		})

		It("gives out an authorization that nobody has signed in to when asked", func() {
			s := c.open(control.SpaceRequest{})
			s.browser().get(s.space.Endpoints.Authorization + "?" + s.request().params.Encode())
			e, err := c.api.Journal(ctx, s.space.ID, 0, 50*time.Millisecond)
			Expect(err).NotTo(HaveOccurred())
			Expect(e.Records).To(BeEmpty())
			e, err = c.api.Flush(ctx, s.space.ID, 0)
			Expect(err).NotTo(HaveOccurred())
			Expect(e.Records).To(ConsistOf(HaveField("Patient", "")))
		})

		It("wakes a reader who waits, and lets him go when the space is closed", func() {
			s := c.open(control.SpaceRequest{})
			got := make(chan control.Entries, 1)
			wait := func() {
				go func() {
					e, _ := c.api.Journal(ctx, s.space.ID, 0, 10*time.Second)
					got <- e
				}()
			}
			wait()
			Consistently(got, "50ms").ShouldNot(Receive())
			s.browser().get(s.space.Endpoints.JWKS)
			Eventually(got, "2s").Should(Receive(HaveField("Records", HaveLen(1))))

			empty := newService(c.api, control.SpaceRequest{})
			ended := make(chan error, 1)
			go func() {
				_, err := c.api.Journal(ctx, empty.space.ID, 0, 10*time.Second)
				ended <- err
			}()
			Consistently(ended, "50ms").ShouldNot(Receive())
			Expect(c.api.DeleteSpace(ctx, empty.space.ID)).To(Succeed())
			Eventually(ended, "2s").Should(Receive(MatchError(control.ErrNotFound)))
		})
	})
}

// control are the specs of the control API itself.
func (c *contract) control() {
	ctx := context.Background()
	raw := func(token, method, path, body string) reply {
		req, err := http.NewRequest(method, c.api.Base+path, strings.NewReader(body))
		Expect(err).NotTo(HaveOccurred())
		req.Header.Set("Authorization", "Bearer "+token)
		return send(http.DefaultClient, req)
	}
	Describe("the control API", func() {
		It("wants its token, known spaces and strict JSON", func() {
			Expect(raw("wrong", http.MethodGet, "/v1/health", "").status).To(Equal(http.StatusUnauthorized))
			for _, body := range []string{"", "[]", `{"seed":1,"seed":2}`, `{"seed":1}{}`, `{"seeds":1}`, "\xff"} {
				r := raw(c.api.Token, http.MethodPost, "/v1/spaces", body)
				Expect(r.status).To(Equal(http.StatusBadRequest), "%q", body)
				Expect(string(r.body)).To(ContainSubstring(`"error":"`))
			}
			Expect(raw(c.api.Token, http.MethodGet, "/v1/elsewhere", "").status).To(Equal(http.StatusNotFound))
			Expect(raw(c.api.Token, http.MethodPost, "/v1/spaces", `{"basePath":"`+strings.Repeat("x", 2<<20)+`"}`).status).To(Equal(http.StatusRequestEntityTooLarge))
			_, err := c.api.PatientState(ctx, "nowhere", "nobody")
			Expect(err).To(MatchError(control.ErrNotFound))
			s := c.open(control.SpaceRequest{})
			_, err = c.api.PatientState(ctx, s.space.ID, "nobody")
			Expect(err).To(MatchError(control.ErrNotFound))
		})

		It("gives a fixed base path to one space at a time", func() {
			s := newService(c.api, control.SpaceRequest{BasePath: "/mes"})
			Expect(s.space.BasePath).To(Equal("/mes"))
			Expect(s.space.Endpoints.Token).To(HaveSuffix("/mes/oauth2/token"))
			for _, base := range []string{"/mes", "/mes/inner"} {
				_, err := c.api.CreateSpace(ctx, control.SpaceRequest{BasePath: base})
				Expect(err).To(MatchError(And(ContainSubstring("status 409"), ContainSubstring("taken by another space"))))
			}
			Expect(c.api.DeleteSpace(ctx, s.space.ID)).To(Succeed())
			again := c.open(control.SpaceRequest{BasePath: "/mes"})
			Expect(again.space.BasePath).To(Equal("/mes"))
			for _, bad := range []string{"mes", "/", "/mes/", "/a//b", "/a/../b", "/é"} {
				_, err := c.api.CreateSpace(ctx, control.SpaceRequest{BasePath: bad})
				Expect(err).To(MatchError(ContainSubstring("status 400")), bad)
			}
		})

		It("lets no real person in", func() {
			s := c.open(control.SpaceRequest{})
			add := func(change func(*control.Person)) error {
				req := control.PatientRequest{Handle: "real", Person: person(1)}
				change(&req.Person)
				_, err := c.api.AddPatient(ctx, s.space.ID, req)
				return err
			}
			Expect(add(func(p *control.Person) { p.INSOID = "1.2.250.1.213.1.4.8" })).To(MatchError(ContainSubstring("not a test one")))
			Expect(add(func(p *control.Person) { p.INS = p.INS[:13] + "00" })).To(MatchError(ContainSubstring("key")))
			Expect(add(func(p *control.Person) { p.INS = "123" })).To(MatchError(ContainSubstring("15 are expected")))
			Expect(add(func(p *control.Person) {})).To(Succeed())
			Expect(add(func(p *control.Person) {})).To(MatchError(ContainSubstring("status 409")))
		})

		It("overrides settings for one space, and refuses what is none", func() {
			s := c.open(control.SpaceRequest{Settings: map[string]string{"path.token": "/token", "lifetime.access": "42s", "header.id-token": "X-Identity", "client.auth": "client_secret_post"}})
			Expect(s.space.Endpoints.Token).To(HaveSuffix("/token"))
			Expect(s.space.Endpoints.IDTokenHeader).To(Equal("X-Identity"))
			Expect(s.space.Client.Auth).To(Equal("client_secret_post"))
			for _, bad := range []map[string]string{{"no.such": "1"}, {"pairing.idpe": "service"}, {"lifetime.access": "soon"}} {
				_, err := c.api.CreateSpace(ctx, control.SpaceRequest{Settings: bad})
				Expect(err).To(MatchError(ContainSubstring("status 400")))
			}
		})

		It("makes up the same things from the same seed, secrets excepted", func() {
			a, b := c.open(control.SpaceRequest{Seed: 11}), c.open(control.SpaceRequest{Seed: 11})
			Expect(a.space.OID).To(Equal(b.space.OID))
			Expect(a.space.Client.ID).To(Equal(b.space.Client.ID))
			Expect(a.space.Client.Secret).NotTo(Equal(b.space.Client.Secret))
			pa, pb := a.patient("luc"), b.patient("luc")
			Expect(pa.Login).To(Equal(pb.Login))
			Expect(pa.Password).NotTo(Equal(pb.Password))
			ta, tb := a.pair(pa), b.pair(pb)
			Expect(claims(ta.ID)["idPe"]).To(Equal(claims(tb.ID)["idPe"]))
			Expect(bundleOf(a.weigh(ta)).Entry[0].Response.Location).To(Equal(bundleOf(b.weigh(tb)).Entry[0].Response.Location))
		})

		It("takes redirect URIs later, and refuses those that no code may be sent to", func() {
			s := c.open(control.SpaceRequest{Client: control.Client{RedirectURIs: []string{"https://other.example.test/cb"}}})
			b := s.browser()
			Expect(b.get(s.space.Endpoints.Authorization + "?" + s.request().params.Encode()).status).To(Equal(http.StatusBadRequest))
			_, err := c.api.PatchSpace(ctx, s.space.ID, control.SpacePatch{RedirectURIs: []string{callback}})
			Expect(err).NotTo(HaveOccurred())
			Expect(b.get(s.space.Endpoints.Authorization + "?" + s.request().params.Encode()).status).To(Equal(http.StatusSeeOther))
			for _, bad := range []string{"/relative", "https://x.example.test/#f", "javascript:alert(1)"} {
				_, err := c.api.PatchSpace(ctx, s.space.ID, control.SpacePatch{RedirectURIs: []string{bad}})
				Expect(err).To(MatchError(ContainSubstring("status 400")))
			}
		})
	})
}
