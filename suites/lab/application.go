package lab

import (
	"context"
	"fmt"
	"net/url"

	"github.com/etalon-sante/etalon/suites/candidate"
)

// private says whether an address leads to an application on the patient's
// phone: its scheme is neither http nor https (RFC 8252 §7.1).
func private(u *url.URL) bool { return u.Scheme != "http" && u.Scheme != "https" }

// deliver hands an address to the candidate's application, as the phone does
// when its browser is sent to a scheme that the application has registered. The
// phone has one such application: what would be finished in another browser
// cannot be played.
func (b *Browser) deliver(ctx context.Context, u *url.URL) (View, error) {
	b.secretsOf(u)
	if !b.begun {
		return View{}, &Ending{
			Outcome: Unsupported, Action: candidate.Callback,
			Reason: "the way back leads to an application on the patient's phone, which has no second browser",
			French: "le retour mène à une application du téléphone du patient, qui n'a pas de second navigateur",
		}
	}
	answer, err := b.stage.Do(ctx, b.patient, candidate.Callback, map[string]any{"url": u.String()})
	if err != nil {
		return View{}, err
	}
	if answer.Status == "failed" {
		// An answer like any other: what was wrong with the address is the
		// candidate's to say, what came of it the sandbox's to see.
		return View{URL: u, Status: 400}, nil
	}
	if answer.Status != "done" && answer.Status != "refused" {
		return View{}, b.stage.failed(candidate.Callback,
			fmt.Sprintf("le pilote a répondu « %s » à callback", answer.Status), fmt.Sprintf("the pilot answered %q to callback", answer.Status))
	}
	return View{URL: u, Status: 200}, nil
}
