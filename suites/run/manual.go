package run

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/etalon-sante/etalon/sandbox/record"
	"github.com/etalon-sante/etalon/suites/candidate"
	"github.com/etalon-sante/etalon/suites/candidate/pilot"
	"github.com/etalon-sante/etalon/suites/lab"
	"github.com/etalon-sante/etalon/suites/probe/browser"
)

// attended gives a person who plays the pilot what the lab knows: the accounts
// of the test patients, what to answer on the consent page, and that a step was
// seen. What the caller has set stays.
func attended(o pilot.ManualOptions, a *lab.Attendant) pilot.ManualOptions {
	if o.Watch == nil {
		o.Watch = func(ctx context.Context, call candidate.Call) <-chan struct{} { return a.Seen(ctx, call) }
	}
	if o.Patient == nil {
		o.Patient = func(handle string) (pilot.Account, bool) {
			login, password, ok := a.Account(handle)
			return pilot.Account{Login: login, Password: password}, ok
		}
	}
	if o.Note == nil {
		o.Note = func(call candidate.Call) string { return consentNote(o.Lang, call, a) }
	}
	return o
}

// consentNote says what the patient answers on the consent page, where it is not
// simply yes.
func consentNote(lang string, call candidate.Call, a *lab.Attendant) string {
	if call.Action != candidate.Pair {
		return ""
	}
	in := func(fr, en string) string {
		if lang == "fr" {
			return fr
		}
		return en
	}
	want := lab.Asked(call)
	switch {
	case want.Link:
		return in(
			"Cette fois, n'ouvrez pas le lien : collez-le ici, le banc fait la suite. Si vous ne pouvez pas l'obtenir, répondez i.",
			"This time, do not open the link: paste it here, the harness does the rest. If you cannot get at it, answer n.")
	case want.Refuse:
		return in("Cette fois, refusez sur la page de consentement.", "This time, refuse on the consent page.")
	case len(want.Except) > 0:
		var tick, leave []string
		for _, f := range a.Finalites() {
			label := in("« ", "\"") + f.Label + in(" »", "\"")
			if slices.Contains(want.Except, f.Code) {
				leave = append(leave, label)
			} else {
				tick = append(tick, label)
			}
		}
		return fmt.Sprintf(in(
			"Cette fois, sur la page de consentement, cochez %s ; ne cochez pas %s. Puis acceptez.",
			"This time, on the consent page, tick %s; do not tick %s. Then accept."),
			strings.Join(tick, ", "), strings.Join(leave, ", "))
	}
	return ""
}

// played gives a pilot that plays recordings the run's browser, and what a patient
// types on the sandbox's pages.
func played(h *browser.Host, b *Bench, o pilot.ManualOptions, r *record.Redactor, now func() time.Time) pilot.BrowserOptions {
	return pilot.BrowserOptions{
		Host: h, Sandbox: b.Health.Public, Patient: o.Patient, Now: now,
		Tell: func(kind, value string) { r.Name(kind, value) },
	}
}
