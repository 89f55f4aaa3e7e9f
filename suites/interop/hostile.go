package interop

import (
	"context"
	"fmt"
	"net/url"
	"strings"

	. "github.com/onsi/ginkgo/v2"

	"github.com/etalon-sante/etalon/sandbox/control"
	"github.com/etalon-sante/etalon/sandbox/record"
	"github.com/etalon-sante/etalon/suites/candidate"
	. "github.com/etalon-sante/etalon/suites/lab"
)

// lure is a host that nobody is to be led to (RFC 2606 §2 reserves the name).
const lure = "autre-site.example"

// lures are the parameters by which sites are asked to lead somewhere afterwards.
func lures() url.Values {
	out := url.Values{}
	for _, name := range []string{"next", "url", "redirect", "redirect_to", "redirect_url", "return", "return_to", "returnTo", "continue", "dest", "target", "back"} {
		out.Set(name, "https://"+lure+"/")
	}
	return out
}

func withLures(address string) (string, error) {
	u, err := url.Parse(address)
	if err != nil {
		return "", fmt.Errorf("read the address of a page: %w", err)
	}
	q := u.Query()
	for name, value := range lures() {
		q[name] = value
	}
	u.RawQuery = q.Encode()
	return u.String(), nil
}

// hostile holds the checks of the service as an OAuth2 and OpenID Connect client
// of a server that is not what it should be.
func hostile(l *Lab) {
	var otherIssuer, lured, imposed *Scenario
	answers := map[string]*Scenario{}
	l.In("hostile", func() {
		otherIssuer = l.Scenario("return-other-issuer", "the patient's browser is brought back with the name of another authorization server", func(ctx context.Context, s *Stage) error {
			p, err := s.Patient(ctx)
			if err != nil {
				return err
			}
			browser, back, err := wayBack(ctx, s, p)
			if err != nil {
				return err
			}
			u, err := url.Parse(back)
			if err != nil {
				return fmt.Errorf("read the way back: %w", err)
			}
			q := u.Query()
			q.Set("iss", "https://"+lure)
			u.RawQuery = q.Encode()
			if _, err := browser.Visit(ctx, u.String(), nil); err != nil {
				return err
			}
			return s.Quiet(ctx)
		}, Needs(candidate.Pair))
		lured = l.Scenario("return-with-lures", "the link and the way back carry parameters that name another site", func(ctx context.Context, s *Stage) error {
			p, err := s.Patient(ctx)
			if err != nil {
				return err
			}
			browser, link, err := s.Link(ctx, p)
			if err != nil {
				return err
			}
			if link, err = withLures(link); err != nil {
				return err
			}
			away := func(u *url.URL) bool { return u.Hostname() == lure }
			view, err := browser.WalkUntil(ctx, link, Choice{}, func(u *url.URL) bool { return s.IsCandidate(u) || away(u) })
			if err != nil || view.Next == nil || away(view.Next) {
				return err
			}
			back, err := withLures(view.Next.String())
			if err != nil {
				return err
			}
			_, err = browser.Visit(ctx, back, away)
			return err
		}, Needs(candidate.Pair))
		imposed = l.Scenario("session-imposed", "a patient pairs in a browser whose session cookies somebody else has chosen", func(ctx context.Context, s *Stage) error {
			p, err := s.Patient(ctx)
			if err != nil {
				return err
			}
			first, link, err := s.Link(ctx, p)
			if err != nil {
				return err
			}
			if _, err := first.Visit(ctx, link, s.IsAuthorization); err != nil {
				return err
			}
			browser, link, err := s.Link(ctx, p)
			if err != nil {
				return err
			}
			n, err := first.Impose(browser, link)
			if err != nil {
				return err
			}
			if err := s.Note(p, "imposed", n); err != nil {
				return err
			}
			return browser.Walk(ctx, link, Choice{})
		}, Needs(candidate.Pair))
		for _, f := range control.TokenAnswerFaults() {
			answers[f] = l.Scenario("token-answer-"+f, "the token endpoint says yes with a wrong answer: "+f, trustedAfter(Tolerant(), FaultyTokenAnswer(f)), Needs(candidate.Pair))
		}
	})

	Describe("A return of another server", func() {
		It("leads to no token request", Check("INT-172.1"), Reads(otherIssuer), func() {
			Expect(delivered(otherIssuer)).NotTo(HaveRequested(record.RouteToken))
		})
	})
	Describe("An answer of the token endpoint that is not whole", func() {
		for i, f := range control.TokenAnswerFaults() {
			It("does not pair: "+f, Check(fmt.Sprintf("INT-173.%d", i+1)), Reads(answers[f]), func() {
				t := answers[f].Trace()
				t.Requests(record.RouteToken).Where(func(r record.Record) bool { return tokenFacts(r) != nil && tokenFacts(r).AnswerFault == f }).Occasion()
				Expect(t.Business()).To(BeEmpty("call-after-wrong-answer", Text{
					FR: "le service appelle une API alors que la réponse du serveur de jetons devait être refusée",
					EN: "the service calls an API although the answer of the token endpoint had to be refused",
				}))
				Expect(t.Actions(candidate.Status)).To(statusSays("paired", false))
			})
		}
	})
	Describe("The pages that the patient's browser is shown", func() {
		It("hold no token", Check("INT-174.1"), ReadsAllTraffic(), func() {
			Expect(shownPages(l.AllTraffic()).Occasion()).To(Satisfy("no token", tokenInPage))
		})
		It("are of a session that the service chose", Check("INT-177.1"), Reads(imposed), func() {
			t := imposed.Trace()
			mark, ok := t.Marked("imposed")
			if !ok {
				t.Marks("none").Occasion()
			}
			bears := func(r record.Record) bool {
				return ofVisitor(r) && strings.Contains(r.Exchange.Request.Header("Cookie"), "«"+KindImposed+"-")
			}
			back := t.After(mark).Where(func(r record.Record) bool {
				return ofVisitor(r) && strings.Contains(r.Exchange.Request.URL, "code=")
			})
			Occasion(t.After(mark).Where(bears), back)
			Expect(back).To(Satisfy("new session", func(r record.Record) *Finding {
				if !bears(r) {
					return nil
				}
				return At(r, "session-taken-up", Text{
					FR: "le service appaire le patient dans une session dont un autre a choisi la valeur",
					EN: "the service pairs the patient in a session whose value somebody else has chosen",
				}).Was("«candidate-cookie»", "«"+KindImposed+"»").In("request:header:Cookie").Ptr()
			}))
		})
		It("lead to no other site", Check("INT-175.1"), Reads(lured), EvenIfEnded(), func() {
			Expect(lured.Trace().Where(ofVisitor).Occasion()).To(Satisfy("stay", func(r record.Record) *Finding {
				for _, h := range []string{"Location", "Refresh"} {
					if to := r.Exchange.Response.Header(h); strings.Contains(to, "//"+lure) {
						return At(r, "led-away", Text{
							FR: "le navigateur du patient est envoyé vers le site qu’un paramètre de l’adresse nomme",
							EN: "the patient's browser is sent to the site that a parameter of the address names",
						}).Was("—", to).In("response:header:" + h).Ptr()
					}
				}
				return nil
			}))
		})
	})
}

// ofVisitor keeps what the service answered to a patient's browser.
func ofVisitor(r record.Record) bool {
	return r.Exchange != nil && r.Exchange.From == record.Visitor && r.Exchange.To == record.Candidate && r.Exchange.Response.Status != 0
}

// shownPages are the pages shown to a patient for whom tokens were issued
// before: those that could hold one.
func shownPages(t Trace) Trace {
	issued := map[string]bool{}
	return t.Where(func(r record.Record) bool {
		if f := tokenFacts(r); f != nil && len(f.Issued) > 0 {
			issued[r.Patient] = true
		}
		return ofVisitor(r) && issued[r.Patient]
	})
}

// tokenInPage finds the name of a token, which stands where its value stood, in
// the body of a page or in an address that it leads to.
func tokenInPage(r record.Record) *Finding {
	for _, kind := range []string{"access-token", "refresh-token", "id-token", "client-secret"} {
		page := ""
		if b := r.Exchange.Response.Body; b != nil {
			page = b.Text
		}
		for _, place := range []struct{ where, text string }{
			{"response:status", page}, {"response:header:Location", r.Exchange.Response.Header("Location")},
		} {
			if strings.Contains(place.text, "«"+kind+"-") {
				return At(r, "token-in-page", Text{
					FR: "une page montrée au navigateur du patient contient un jeton ou le secret du service",
					EN: "a page shown to the patient's browser holds a token or the service's secret",
				}).Was("—", "«"+kind+"»").In(place.where).Ptr()
			}
		}
	}
	return nil
}
