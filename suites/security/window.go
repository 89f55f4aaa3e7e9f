package security

import (
	"context"
	"errors"
	"strings"

	. "github.com/onsi/ginkgo/v2"

	"github.com/etalon-sante/etalon/sandbox/record"
	. "github.com/etalon-sante/etalon/suites/lab"
	"github.com/etalon-sante/etalon/suites/probe/browser"
)

// The kind of the record of a pairing in a window, and its chapter.
const (
	windowProbe   = "window"
	windowChapter = "browser-pairing"
)

// WindowChecks are the checks that need a browser to pair in.
func WindowChecks() []string { return []string{"SEC-20.1", "SEC-20.2", "SEC-20.3"} }

// WindowSpecs registers what is judged of a pairing in a browser with scripts.
func WindowSpecs(l *Lab) {
	var paired *Scenario
	l.In(windowChapter, func() {
		paired = l.Scenario("pairing-in-a-window", "a patient pairs in a browser with scripts, in which nobody was before", pairInWindow, Late())
	})
	Describe("Once a patient has paired in a browser", func() {
		It("its stores hold no token", Check("SEC-20.1"), Reads(paired), func() {
			t, res := windowOf(paired)
			holds(t, res.Stores, Text{FR: "un script lit dans le navigateur (%s) : ", EN: "a script reads in the browser (%s): "})
		})
		It("the service has sent it no token", Check("SEC-20.2"), Reads(paired), func() {
			t, res := windowOf(paired)
			holds(t, res.Answers, Text{FR: "le service envoie au navigateur (%s) : ", EN: "the service sends the browser (%s): "})
		})
		It("it has told no token in an address", Check("SEC-20.3"), Reads(paired), func() {
			t, res := windowOf(paired)
			holds(t, res.Asks, Text{FR: "le navigateur répète dans une adresse ou un Referer (%s) : ", EN: "the browser repeats in an address or a Referer (%s): "})
		})
	})
}

func pairInWindow(ctx context.Context, s *Stage) error {
	if why := s.Chromium().Missing(); why != (browser.Text{}) {
		return inBrowser(ctx, s, windowProbe, nil, &browser.MissingError{Why: why})
	}
	p, err := s.Patient(ctx)
	if err != nil {
		return err
	}
	res, err := s.PairInWindow(ctx, p)
	var early *Ending
	if errors.As(err, &early) {
		return err
	}
	return inBrowser(ctx, s, windowProbe, res, err)
}

// windowOf states the occasion: a patient has paired in a window.
func windowOf(s *Scenario) (Trace, Walked) {
	t := shownBy(s, windowProbe, Text{FR: "le navigateur n’a pas pu montrer l’appariement", EN: "the browser could not show the pairing"})
	return t, record.Seen[Walked](t.First())
}

// holds reports each place in which something was found.
func holds(t Trace, places []Held, lead Text) {
	french := map[string]string{"access-token": "le jeton d’accès", "refresh-token": "le jeton de rafraîchissement", "id-token": "le jeton d’identité", "client-secret": "le secret du client", "code": "le code d’autorisation"}
	english := map[string]string{"access-token": "the access token", "refresh-token": "the refresh token", "id-token": "the id_token", "client-secret": "the client's secret", "code": "the authorization code"}
	for _, h := range places {
		t.Report(Finding{Key: h.What + "-in-the-browser", Seq: t.First().Seq, Actual: h.Where, Message: Text{
			FR: sentence(lead.FR, h.Where) + french[h.What],
			EN: sentence(lead.EN, h.Where) + english[h.What],
		}})
	}
}

func sentence(lead, where string) string { return strings.Replace(lead, "%s", where, 1) }
