package security

import (
	"context"
	"fmt"
	"strings"

	. "github.com/onsi/ginkgo/v2"

	"github.com/etalon-sante/etalon/sandbox/record"
	. "github.com/etalon-sante/etalon/suites/lab"

	"github.com/etalon-sante/etalon/suites/candidate"
	"github.com/etalon-sante/etalon/suites/probe/journey"
)

// The chapters of what is tried on accounts that are there for it.
const (
	lockChapter   = "browser-lock"
	deleteChapter = "browser-delete"
)

// OwnJourneySpecs registers what is tried on a service of the user's own only: an
// account is locked, and another deleted.
func OwnJourneySpecs(l *Lab) {
	var locked, deleted *Scenario
	l.In(lockChapter, func() {
		locked = l.Scenario("journey-wrong-passwords", "wrong passwords are typed for an account that is there for it, and for a name that has none", tryWrong, Alone())
	})
	l.In(deleteChapter, func() {
		deleted = l.Scenario("journey-deletion", "an account that is there for it is deleted, and comes back", erase, Late())
	})
	Describe("Who tries passwords", func() {
		It("is stopped or slowed down", Check("SEC-90.1"), Reads(locked), func() { stopped(l, locked) })
		It("does not learn who has an account", Check("SEC-91.1"), Reads(locked), func() { learns(l, locked) })
	})
	Describe("An account that was deleted", func() {
		It("cannot be signed in with", Check("SEC-93.1"), Reads(deleted), func() { gone(l, deleted) })
		It("leaves no session open", Check("SEC-93.2"), Reads(deleted), func() { noSession(l, deleted) })
	})
}

func tryWrong(ctx context.Context, s *Stage) error {
	c := s.Candidate()
	if !c.Web.Own || c.Journeys.SignIn == "" || len(c.Journeys.For(candidate.ToLock)) == 0 {
		return nil
	}
	res, err := journey.Try(ctx, s.Chromium(), journey.PlanFor(c, s.Now, s.Secret))
	return journeyed(ctx, s, res, err)
}

func erase(ctx context.Context, s *Stage) error {
	c := s.Candidate()
	if !c.Web.Own || c.Journeys.SignIn == "" || c.Journeys.Deletion == "" || len(c.Journeys.Account) == 0 || len(c.Journeys.For(candidate.ToDelete)) == 0 {
		return nil
	}
	res, err := journey.Erase(ctx, s.Chromium(), journey.PlanFor(c, s.Now, s.Secret))
	return journeyed(ctx, s, res, err)
}

// allowedToTry says why nothing was tried, where that is for the user to decide.
func allowedToTry(l *Lab, s *Scenario) {
	if c := l.Candidate(); !c.Web.Own && c.Journeys.SignIn != "" {
		s.Trace().Untested(Text{
			FR: "ceci n’est essayé que sur un service de l’utilisateur : écrivez « web.own: true » si c’est le cas",
			EN: "this is tried on a service of the user's own only: write \"web.own: true\" if it is",
		})
	}
}

// tried states that the account is right, and was tried with wrong passwords.
func tried(l *Lab, s *Scenario) (Trace, journey.Wrong) {
	allowedToTry(l, s)
	t := journeysOf(s)
	res := record.Seen[journey.Wrong](t.First())
	if res.Error != "" {
		t.Untested(Text{FR: "le parcours « journeys.signIn » n’a pas pu être joué : " + res.Error, EN: "the journey \"journeys.signIn\" could not be played: " + res.Error})
	}
	if !res.First.Passed {
		t.Untested(Text{
			FR: "le bon mot de passe du compte « " + res.Account + " » n’a pas été accepté au départ : peut-être est-il encore bloqué",
			EN: "the right password of the account \"" + res.Account + "\" was not accepted to begin with: it may be locked still",
		})
	}
	return t, res
}

func stopped(l *Lab, s *Scenario) {
	t, res := tried(l, s)
	for i, a := range res.Known {
		if a.Passed {
			t.Report(Finding{Key: "wrong-password-accepted", Seq: t.First().Seq, Message: Text{
				FR: fmt.Sprintf("un mot de passe faux est accepté au %de essai", i+1), EN: fmt.Sprintf("a wrong password is accepted at try %d", i+1),
			}})
			return
		}
	}
	if !res.Last.Passed || len(res.Known) == 0 {
		return
	}
	for _, a := range res.Known {
		if a.Status == 429 {
			return // too many: slowed, if not stopped
		}
	}
	half := res.Known[:max(1, len(res.Known)/3)]
	if journey.Slower(res.Known[len(res.Known)-len(half):], half) {
		t.Review(Text{
			FR: fmt.Sprintf("après %d mots de passe faux le bon est encore accepté, mais les réponses ont ralenti : regardez si le frein suffit", len(res.Known)),
			EN: fmt.Sprintf("after %d wrong passwords the right one is still accepted, but answers have become slower: look whether that is brake enough", len(res.Known)),
		})
	}
	t.Report(Finding{Key: "tries-unbounded", Seq: t.First().Seq, Expected: "blocage ou frein", Actual: fmt.Sprintf("%d essais", len(res.Known)), Message: Text{
		FR: fmt.Sprintf("après %d mots de passe faux de suite, le bon est accepté aussitôt, et rien n’a freiné les essais", len(res.Known)),
		EN: fmt.Sprintf("after %d wrong passwords in a row the right one is accepted at once, and nothing has slowed the tries", len(res.Known)),
	}})
}

func learns(l *Lab, s *Scenario) {
	t, res := tried(l, s)
	if len(res.Known) == 0 || len(res.Unknown) == 0 {
		t.Untested(Text{FR: "les essais n’ont pas eu lieu", EN: "the tries did not take place"})
	}
	k, u := res.Known[0], res.Unknown[0]
	report := func(key, fr, en, expected, actual string) {
		t.Report(Finding{Key: key, Seq: t.First().Seq, Expected: expected, Actual: actual, Message: Text{FR: fr, EN: en}})
	}
	if k.Status != u.Status && k.Status*u.Status != 0 {
		report("status-tells", "le code de la réponse dit si le compte existe", "the status of the answer tells whether the account exists", fmt.Sprint(k.Status), fmt.Sprint(u.Status))
	}
	if k.Path != u.Path {
		report("page-tells", "la page qui suit dit si le compte existe", "the page that follows tells whether the account exists", k.Path, u.Path)
	}
	if len(res.OnlyKnown)+len(res.OnlyUnknown) > 0 {
		report("text-tells", "le texte de la réponse diffère selon que le compte existe", "the text of the answer differs as the account exists or not", strings.Join(res.OnlyKnown, " / "), strings.Join(res.OnlyUnknown, " / "))
	}
	same := k.Path == u.Path && len(res.OnlyKnown)+len(res.OnlyUnknown) == 0
	first := res.Known[:min(len(res.Known), len(res.Unknown))]
	if same && (journey.Slower(first, res.Unknown) || journey.Slower(res.Unknown, first)) {
		t.Review(Text{
			FR: "les réponses sont les mêmes, mais l’une vient bien plus vite que l’autre : regardez si le temps dit qui a un compte",
			EN: "the answers are the same, but the one comes much faster than the other: look whether time tells who has an account",
		})
	}
}

// erased states that an account was in, and went through its deletion.
func erased(l *Lab, s *Scenario) (Trace, journey.Erased) {
	allowedToTry(l, s)
	t := journeysOf(s)
	res := record.Seen[journey.Erased](t.First())
	for _, f := range res.Failures {
		t.Untested(Text{
			FR: "le parcours « journeys." + f.Journey + " » n’a pas pu être joué (le compte « " + res.Account + " » a peut-être été supprimé par une campagne d’avant : rouvrez-le) : " + f.Why,
			EN: "the journey \"journeys." + f.Journey + "\" could not be played (an earlier run may have deleted the account \"" + res.Account + "\": open it again): " + f.Why,
		})
	}
	if !res.Played || res.Own == 0 {
		t.Untested(Text{FR: "le compte ne montrait rien qui lui soit propre avant sa suppression", EN: "the account showed nothing of its own before its deletion"})
	}
	return t, res
}

func gone(l *Lab, s *Scenario) {
	t, res := erased(l, s)
	if res.Again.Passed {
		t.Report(Finding{Key: "deleted-account-signs-in", Seq: t.First().Seq, Message: Text{
			FR: "après la suppression du compte, son mot de passe est encore accepté", EN: "after the account was deleted, its password is still accepted",
		}})
	}
}

func noSession(l *Lab, s *Scenario) {
	t, res := erased(l, s)
	wantTried(t, res.Session, "les pages du compte n’ont pas pu être redemandées", "the pages of the account could not be asked for again")
	shut(t, res.Session, Finding{Key: "deleted-account-stays-open", Message: Text{
		FR: "après la suppression du compte, une session ouverte avant elle montre encore ce qu’il contenait", EN: "after the account was deleted, a session opened before still shows what it held",
	}})
}
