package sandbox_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/etalon-sante/etalon/sandbox/control"
	"github.com/etalon-sante/etalon/sandbox/record"
)

func codeOf(r reply) string {
	GinkgoHelper()
	var out struct {
		Type  string `json:"resourceType"`
		Issue []struct {
			Code string `json:"code"`
		} `json:"issue"`
	}
	Expect(json.Unmarshal(r.body, &out)).To(Succeed(), "%s", r.body)
	Expect(out.Type).To(Equal("OperationOutcome"))
	Expect(out.Issue).NotTo(BeEmpty())
	return out.Issue[0].Code
}

// life are the specs of what becomes of a pairing: withdrawn purposes, the
// states of the service and of the holder's space, approvals that run out,
// profiles, and the account that is about to be paired.
func (c *contract) life() {
	ctx := context.Background()
	act := func(s *service, patient string, a control.Act) {
		GinkgoHelper()
		Expect(c.api.Act(ctx, s.space.ID, patient, a)).To(Succeed())
	}
	Describe("both tokens of a call", func() {
		// The rows about tokens of the measures specification 1.5.2, §2.3, and the
		// answer of each.
		DescribeTable("are judged as the tables say", func(prepare func(s *service, t, other tokens) tokens, subject int, status int, code, rule string) {
			s := c.open(control.SpaceRequest{})
			t, other := s.pair(s.patient("ilse")), s.pair(s.patient("jorn"))
			given := prepare(s, t, other)
			whose := []tokens{t, other}[subject]
			r := s.call(given, http.MethodPost, "", feed(whose, nominals()[0].observation(morning)))
			Expect(r.status).To(Equal(status))
			Expect(codeOf(r)).To(Equal(code))
			calls := onRoute(s.journal(), record.RouteFeedMeasure)
			Expect(calls).To(HaveLen(1))
			Expect(calls[0].Exchange.Facts.Issues).To(ContainElement(HaveField("Rule", rule)))
			Expect(calls[0].Exchange.Facts.Call.Stored).To(BeFalse())
		},
			Entry("no id_token", func(_ *service, t, _ tokens) tokens { t.ID = ""; return t }, 0, 400, "security", "call.id-token"),
			Entry("an id_token that is no JWT", func(_ *service, t, _ tokens) tokens { t.ID = "not-a-token-at-all"; return t }, 0, 400, "security", "call.id-token"),
			Entry("an id_token whose signature was changed", func(_ *service, t, _ tokens) tokens { t.ID = t.ID[:len(t.ID)-4] + "AAAA"; return t }, 0, 400, "security", "call.id-token"),
			Entry("no access_token", func(_ *service, t, _ tokens) tokens { t.Access = ""; return t }, 0, 401, "login", "call.access-token"),
			Entry("an access_token that nobody issued", func(_ *service, t, _ tokens) tokens { t.Access = random(); return t }, 0, 401, "login", "call.access-token"),
			Entry("an access_token that has expired", func(s *service, t, _ tokens) tokens {
				act(s, "ilse", control.Act{Kind: control.ActExpireAccess})
				return t
			}, 0, 401, "login", "call.access-token"),
			Entry("the idPe of another patient in the message", func(_ *service, t, _ tokens) tokens { return t }, 1, 403, "forbidden", "feed.subject"),
			Entry("the id_token of another patient", func(_ *service, t, other tokens) tokens { t.ID = other.ID; return t }, 0, 403, "forbidden", "call.idpe"),
			Entry("a purpose not consented to", func(s *service, t, _ tokens) tokens {
				act(s, "ilse", control.Act{Kind: control.ActWithdraw, Finalite: "MESURES_ECRITURE"})
				return t
			}, 0, 403, "forbidden", "call.consent"),
			Entry("an OID that is not the pairing's", func(s *service, t, _ tokens) tokens {
				act(s, "ilse", control.Act{Kind: control.ActConflict})
				return t
			}, 0, 409, "conflict", "call.oid"),
		)
	})

	Describe("the life of a pairing", func() {
		It("keeps the other purposes when one is withdrawn, and says so at the next refresh", func() {
			s := c.open(control.SpaceRequest{})
			t := s.pair(s.patient("lena"))
			act(s, "lena", control.Act{Kind: control.ActWithdraw, Finalite: "MESURES_ECRITURE"})
			Expect(s.weigh(t).status).To(Equal(http.StatusForbidden))
			Expect(s.search(t, "29463-7", nil).status).To(Equal(http.StatusOK))
			_, t = s.refresh(t.Refresh)
			Expect(t.Scope).To(Equal("openid mes:mesures_lecture mes:documents_ecriture mes:documents_lecture mes:agenda_ecriture mes:agenda_lecture"))
			act(s, "lena", control.Act{Kind: control.ActGrant, Finalite: "MESURES_ECRITURE"})
			Expect(s.weigh(t).status).To(Equal(http.StatusOK))
			_, t = s.refresh(t.Refresh)
			Expect(t.Scope).To(ContainSubstring("mes:mesures_ecriture"))
		})

		It("repeats the scope of the consent where the setting says so", func() {
			s := c.open(control.SpaceRequest{Settings: map[string]string{"consent.refresh-scope": "false"}})
			t := s.pair(s.patient("lena"))
			act(s, "lena", control.Act{Kind: control.ActWithdraw, Finalite: "MESURES_ECRITURE"})
			_, t = s.refresh(t.Refresh)
			Expect(t.Scope).To(ContainSubstring("mes:mesures_ecriture"))
		})

		DescribeTable("answers by the status of the service, for one patient and for the space", func(status string, calls int, code, pairing string) {
			s := c.open(control.SpaceRequest{})
			t, other := s.pair(s.patient("mona")), s.pair(s.patient("nils"))
			act(s, "mona", control.Act{Kind: control.ActServiceStatus, Status: status})
			r := s.weigh(t)
			Expect(r.status).To(Equal(calls))
			if code != "" {
				Expect(codeOf(r)).To(Equal(code))
				f := onRoute(s.journal(), record.RouteFeedMeasure)[0].Exchange.Facts
				Expect(f.Call.Withheld).To(Equal(record.WithheldService))
				Expect(f.Issues).To(ConsistOf(And(HaveField("Rule", "call.service-status"), HaveField("Setting", "service.calls"))))
			}
			Expect(s.search(t, "29463-7", nil).status).To(Equal(calls))
			Expect(s.weigh(other).status).To(Equal(http.StatusOK))
			act(s, "mona", control.Act{Kind: control.ActServiceStatus})
			Expect(s.weigh(t).status).To(Equal(http.StatusOK))

			_, err := c.api.PatchSpace(ctx, s.space.ID, control.SpacePatch{ServiceStatus: status})
			Expect(err).NotTo(HaveOccurred())
			Expect(s.weigh(other).status).To(Equal(calls))
			state, err := c.api.PatientState(ctx, s.space.ID, "nils")
			Expect(err).NotTo(HaveOccurred())
			Expect(state.ServiceStatus).To(Equal(status))
			// A new pairing of a patient who stands under that status.
			b, req := s.browser(), s.request()
			in := b.signIn(req, s.patient("olga"))
			if pairing == "" {
				Expect(back(b.consent(in, "accept", s.all()...)).Has("code")).To(BeTrue())
			} else {
				Expect(s.leave(b, in).Get("error")).To(Equal(pairing))
			}
			// Un-pairing stays possible, whatever the status.
			Expect(s.revoke(t.Refresh).status).To(Equal(http.StatusOK))
			state, err = c.api.PatientState(ctx, s.space.ID, "mona")
			Expect(err).NotTo(HaveOccurred())
			Expect(state.Paired).To(BeFalse())
		},
			Entry("online", control.ServiceOnline, 200, "", ""),
			Entry("in a pilot phase", control.ServicePilot, 200, "", ""),
			Entry("suspended", control.ServiceSuspended, 403, "business-rule", "temporarily_unavailable"),
			Entry("offline", control.ServiceOffline, 503, "transient", "temporarily_unavailable"),
			Entry("delisted", control.ServiceDelisted, 403, "forbidden", "unauthorized_client"),
		)

		DescribeTable("lets calls pass until an approval runs out, and again once it is given", func(reason string, approve func(s *service, p control.Patient, t tokens) tokens) {
			s := c.open(control.SpaceRequest{})
			p := s.patient("pia")
			t := s.pair(p)
			limit := time.Now().Add(24 * time.Hour).Truncate(time.Second)
			act(s, "pia", control.Act{Kind: control.ActReapproval, Reason: reason, Until: limit})
			Expect(s.weigh(t).status).To(Equal(http.StatusOK))
			state, err := c.api.PatientState(ctx, s.space.ID, "pia")
			Expect(err).NotTo(HaveOccurred())
			Expect(state.Acknowledged).To(BeFalse())
			Expect(state.ReapprovalLimit).To(BeTemporally("==", limit))
			act(s, "pia", control.Act{Kind: control.ActReapproval, Reason: reason, Until: time.Now().Add(-time.Hour)})
			r := s.weigh(t)
			Expect(r.status).To(Equal(http.StatusForbidden))
			Expect(codeOf(r)).To(Equal("expired"))
			t = approve(s, p, t)
			Expect(s.weigh(t).status).To(Equal(http.StatusOK))
			calls := onRoute(s.journal(), record.RouteFeedMeasure)
			Expect(calls[1].Exchange.Facts.Call.Withheld).To(Equal(record.WithheldReapproval))
			Expect(calls[1].Exchange.Facts.Issues).To(ConsistOf(HaveField("Setting", "reapproval.answer")))
		},
			Entry("a new version, approved in Mon espace santé", control.ReapprovalVersion, func(s *service, _ control.Patient, t tokens) tokens {
				act(s, "pia", control.Act{Kind: control.ActApprove})
				return t
			}),
			Entry("the coming of age, approved by pairing again", control.ReapprovalMajority, func(s *service, p control.Patient, _ tokens) tokens { return s.pair(p) }),
		)

		DescribeTable("pairs nobody whose space is not active, and says why", func(state, words string) {
			s := c.open(control.SpaceRequest{})
			p := s.patient("rosa", func(r *control.PatientRequest) { r.Space = state })
			b, req := s.browser(), s.request()
			in := b.signIn(req, p)
			Expect(in.status).To(Equal(http.StatusForbidden))
			Expect(string(in.body)).To(ContainSubstring(words))
			Expect(in.header.Get("Content-Security-Policy")).To(ContainSubstring("default-src 'none'"))
			q := s.leave(b, in)
			Expect(q.Get("error")).To(Equal("access_denied"))
			Expect(q.Get("state")).To(Equal(req.params.Get("state")))
			Expect(q.Has("code")).To(BeFalse())
			consents := onRoute(s.journal(), record.RouteConsent)
			Expect(consents[0].Patient).To(Equal("rosa"))
			Expect(*consents[0].Exchange.Facts.Barred).To(Equal(record.BarredFacts{By: "space", State: state, Error: "access_denied"}))
			Expect(consents[0].Exchange.Facts.Consent).To(BeNil())
			// Once it is active, the same patient pairs.
			act(s, "rosa", control.Act{Kind: control.ActHolderSpace, Status: control.SpaceActive})
			Expect(s.weigh(s.pair(p)).status).To(Equal(http.StatusOK))
		},
			Entry("refused", control.SpaceRefused, "refusée par son titulaire"),
			Entry("never activated", control.SpaceNeverActivated, "activé"),
			Entry("closed", control.SpaceClosed, "fermé par son titulaire"),
		)

		It("refuses calls and refreshing once the holder has closed the space", func() {
			s := c.open(control.SpaceRequest{})
			t := s.pair(s.patient("sven"))
			act(s, "sven", control.Act{Kind: control.ActHolderSpace, Status: control.SpaceClosed})
			Expect(s.weigh(t).status).To(Equal(http.StatusForbidden))
			r, answer := s.refresh(t.Refresh)
			Expect(r.status).To(Equal(http.StatusBadRequest))
			Expect(answer.Error).To(Equal("invalid_grant"))
			f := onRoute(s.journal(), record.RouteFeedMeasure)[0].Exchange.Facts
			Expect(f.Call.Withheld).To(Equal(record.WithheldSpace))
			Expect(f.Issues).To(ConsistOf(HaveField("Setting", "space.calls")))
		})

		It("answers as the settings say", func() {
			s := c.open(control.SpaceRequest{Settings: map[string]string{
				"service.calls": "SUSPENDUE:423:suppressed", "reapproval.answer": "409:expired", "space.calls": "410:deleted", "space.pairing": "server_error",
			}})
			t := s.pair(s.patient("tom"))
			act(s, "tom", control.Act{Kind: control.ActServiceStatus, Status: control.ServiceSuspended})
			Expect(s.weigh(t).status).To(Equal(http.StatusLocked))
			act(s, "tom", control.Act{Kind: control.ActServiceStatus})
			act(s, "tom", control.Act{Kind: control.ActReapproval, Reason: "version", Until: time.Now().Add(-time.Minute)})
			Expect(s.weigh(t).status).To(Equal(http.StatusConflict))
			act(s, "tom", control.Act{Kind: control.ActHolderSpace, Status: control.SpaceClosed})
			Expect(s.weigh(t).status).To(Equal(http.StatusGone))
			b := s.browser()
			p := s.patient("tina", func(r *control.PatientRequest) { r.Space = control.SpaceRefused })
			Expect(s.leave(b, b.signIn(s.request(), p)).Get("error")).To(Equal("server_error"))
		})

		DescribeTable("refuses acts and patients that make no sense", func(try func(s *service) error, word string) {
			s := c.open(control.SpaceRequest{})
			s.patient("uwe")
			Expect(try(s)).To(MatchError(ContainSubstring(word)))
		},
			Entry("a status that is none", func(s *service) error {
				return c.api.Act(ctx, s.space.ID, "uwe", control.Act{Kind: control.ActServiceStatus, Status: "FERMEE"})
			}, "EN_LIGNE"),
			Entry("a status of the space that is none", func(s *service) error {
				_, err := c.api.PatchSpace(ctx, s.space.ID, control.SpacePatch{ServiceStatus: "FERMEE"})
				return err
			}, "EN_LIGNE"),
			Entry("an approval without a date", func(s *service) error {
				return c.api.Act(ctx, s.space.ID, "uwe", control.Act{Kind: control.ActReapproval, Reason: "version"})
			}, "until"),
			Entry("a space in no state", func(s *service) error {
				return c.api.Act(ctx, s.space.ID, "uwe", control.Act{Kind: control.ActHolderSpace, Status: "lost"})
			}, "never-activated"),
			Entry("a profile of nobody", func(s *service) error {
				_, err := c.api.AddPatient(ctx, s.space.ID, control.PatientRequest{Handle: "x", Person: person(1), Holder: "nobody", Profile: "child"})
				return err
			}, "nobody"),
			Entry("a profile of no kind", func(s *service) error {
				_, err := c.api.AddPatient(ctx, s.space.ID, control.PatientRequest{Handle: "x", Person: person(1), Holder: "uwe"})
				return err
			}, "kind"),
			Entry("a card that leads to a script", func(s *service) error {
				_, err := c.api.PatchSpace(ctx, s.space.ID, control.SpacePatch{Card: &control.ServiceCard{Link: "javascript:alert(1)"}})
				return err
			}, "card.link"),
			Entry("an answer that is none", func(s *service) error {
				_, err := c.api.CreateSpace(ctx, control.SpaceRequest{Settings: map[string]string{"reapproval.answer": "200:fine"}})
				return err
			}, "reapproval.answer"),
		)
	})

	Describe("profiles", func() {
		It("pairs the profile that the account chooses, each with an idPe of its own", func() {
			s := c.open(control.SpaceRequest{})
			parent := s.patient("vera")
			child := s.patient("wim", func(r *control.PatientRequest) { r.Holder, r.Profile = "vera", "child" })
			cared := s.patient("xena", func(r *control.PatientRequest) { r.Holder, r.Profile = "vera", "cared-for" })
			Expect(child.Login).To(Equal(parent.Login))
			Expect(cared.Password).To(Equal(parent.Password))
			pair := func(profile string) tokens {
				b, req := s.browser(), s.request()
				in := b.signIn(req, parent)
				page := b.get(in.header.Get("Location"))
				Expect(strings.Count(string(page.body), `type="radio"`)).To(Equal(3))
				Expect(string(page.body)).NotTo(ContainSubstring("checked"))
				address, _, _ := strings.Cut(in.header.Get("Location"), "?")
				form := url.Values{"interaction": {interaction(page.body)}, "decision": {"accept"}, "finalite": s.all()}
				Expect(b.post(address, form).status).To(Equal(http.StatusBadRequest), "no profile was chosen")
				form.Set("profile", "somebody-else")
				Expect(b.post(address, form).status).To(Equal(http.StatusBadRequest), "a profile that is not the account's")
				form.Set("profile", profile)
				_, t := s.exchange(back(b.post(address, form)).Get("code"), req)
				return t
			}
			own, childs := pair("vera"), pair("wim")
			Expect(claims(own.ID)["idPe"]).NotTo(Equal(claims(childs.ID)["idPe"]))
			Expect(s.weigh(own).status).To(Equal(http.StatusOK))
			Expect(s.weigh(childs).status).To(Equal(http.StatusOK))
			// Tokens of one profile do not reach another.
			Expect(s.call(own, http.MethodPost, "", feed(childs, nominals()[0].observation(morning))).status).To(Equal(http.StatusForbidden))
			Expect(s.call(tokens{Access: own.Access, ID: childs.ID}, http.MethodPost, "", feed(own, nominals()[0].observation(morning))).status).To(Equal(http.StatusForbidden))
			for handle, paired := range map[string]bool{"vera": true, "wim": true, "xena": false} {
				state, err := c.api.PatientState(ctx, s.space.ID, handle)
				Expect(err).NotTo(HaveOccurred())
				Expect(state.Paired).To(Equal(paired), handle)
			}
			for _, r := range onRoute(s.journal(), record.RouteToken) {
				Expect(r.Patient).To(BeElementOf("vera", "wim"))
			}
			// One un-paired, the other stays.
			Expect(s.revoke(childs.Refresh).status).To(Equal(http.StatusOK))
			Expect(s.weigh(own).status).To(Equal(http.StatusOK))
		})
	})

	Describe("the account about to be paired", func() {
		announce := func(s *service, value string) (request, *browser) {
			r := s.request()
			r.params.Set(s.space.Endpoints.AccountParameter, value)
			return r, s.browser()
		}
		It("is shown before consent, and reaches the journal under names only", func() {
			s := c.open(control.SpaceRequest{Card: control.ServiceCard{Name: "Carnet Essai", Terms: "https://service.example.test/cgu"}})
			p := s.patient("yann")
			raw, err := json.Marshal(map[string]string{"firstName": "Éloïse", "lastName": "D'Essai", "email": "eloise+mes@service.example.test", "login": "eloise.essai"})
			Expect(err).NotTo(HaveOccurred())
			req, b := announce(s, base64.RawURLEncoding.EncodeToString(raw))
			in := b.signIn(req, p)
			page := b.get(in.header.Get("Location"))
			Expect(string(page.body)).To(And(
				ContainSubstring("Éloïse D&#39;Essai"), ContainSubstring("eloise&#43;mes@service.example.test"), ContainSubstring("eloise.essai"),
				ContainSubstring("Carnet Essai"), ContainSubstring("https://service.example.test/cgu")))
			j := s.journal()
			f := onRoute(j, record.RouteAuthorize)[0].Exchange.Facts.Authorize.Partner
			Expect(*f).To(Equal(record.PartnerFacts{Readable: true, Login: "«partner-login-1»", Email: "«partner-email-1»"}))
			text, err := json.Marshal(j)
			Expect(err).NotTo(HaveOccurred())
			for _, secret := range []string{"Essai\\\"", "D'Essai", "D&#39;Essai", "mes@service.example.test", "eloise.essai", base64.RawURLEncoding.EncodeToString(raw)} {
				Expect(string(text)).NotTo(ContainSubstring(secret))
			}
		})

		It("is said not to have been given, where it was not", func() {
			s := c.open(control.SpaceRequest{})
			b := s.browser()
			page := b.get(b.signIn(s.request(), s.patient("zoe")).header.Get("Location"))
			Expect(string(page.body)).To(ContainSubstring("pas dit lequel de ses comptes"))
			Expect(onRoute(s.journal(), record.RouteAuthorize)[0].Exchange.Facts.Authorize.Partner).To(BeNil())
		})

		It("is noted when it cannot be read or is not whole, and pairing goes on", func() {
			s := c.open(control.SpaceRequest{})
			for handle, value := range map[string]string{"bad": "{not base64url}", "part": base64.RawURLEncoding.EncodeToString([]byte(`{"login":"some-login"}`))} {
				req, b := announce(s, value)
				Expect(back(b.consent(b.signIn(req, s.patient(handle)), "accept", s.all()...)).Has("code")).To(BeTrue())
			}
			seen := map[string]*record.PartnerFacts{}
			for _, r := range onRoute(s.journal(), record.RouteAuthorize) {
				seen[r.Patient] = r.Exchange.Facts.Authorize.Partner
			}
			Expect(seen["bad"].Readable).To(BeFalse())
			Expect(seen["part"].Missing).To(Equal([]string{"firstName", "lastName", "email"}))
		})
	})

	Describe("the catalogue", func() {
		It("shows the service, its status, its purposes and the way to it", func() {
			s := c.open(control.SpaceRequest{Card: control.ServiceCard{Name: "Carnet Essai", Link: "https://service.example.test/"}})
			_, err := c.api.PatchSpace(ctx, s.space.ID, control.SpacePatch{ServiceStatus: control.ServiceSuspended})
			Expect(err).NotTo(HaveOccurred())
			address := s.space.Endpoints.Issuer + "/catalogue"
			r := s.browser().get(address)
			Expect(r.status).To(Equal(http.StatusOK))
			Expect(string(r.body)).To(And(ContainSubstring(`<html lang="fr">`), ContainSubstring("Carnet Essai"), ContainSubstring("Suspendu"),
				ContainSubstring(`href="https://service.example.test/"`), ContainSubstring("Ajouter des documents de santé"), ContainSubstring(`href="`+address+`"`)))
			Expect(r.header.Get("Content-Security-Policy")).To(And(ContainSubstring("default-src 'none'"), ContainSubstring("frame-ancestors 'none'")))
			Expect(string(s.browser().get(address + "?lang=en").body)).To(And(ContainSubstring(`<html lang="en">`), ContainSubstring("Suspended")))
			Expect(onRoute(s.journal(), record.RouteCatalogue)[0].Exchange.From).To(Equal(record.Visitor))
			_, err = c.api.PatchSpace(ctx, s.space.ID, control.SpacePatch{Card: &control.ServiceCard{Name: "Autre nom"}})
			Expect(err).NotTo(HaveOccurred())
			Expect(string(s.browser().get(address).body)).To(ContainSubstring("Autre nom"))
		})
	})
}

// leave takes the only way out of the page that says why no pairing is possible.
func (s *service) leave(b *browser, page reply) url.Values {
	GinkgoHelper()
	Expect(page.status).To(Equal(http.StatusForbidden))
	return back(b.post(s.space.Endpoints.Issuer+"/consent", url.Values{"interaction": {interaction(page.body)}, "decision": {"refuse"}}))
}
