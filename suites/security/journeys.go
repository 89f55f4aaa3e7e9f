package security

import (
	"context"
	"errors"
	"fmt"
	"strings"

	. "github.com/onsi/ginkgo/v2"

	"github.com/etalon-sante/etalon/sandbox/record"
	. "github.com/etalon-sante/etalon/suites/lab"
	"github.com/etalon-sante/etalon/suites/probe/browser"
	"github.com/etalon-sante/etalon/suites/probe/journey"
)

// The kind of the records of journeys, and the chapters of their scenarios.
const (
	journeyProbe   = "journey"
	journeyChapter = "browser-journey"
)

// JourneyChecks are the checks that need a browser to play journeys in.
func JourneyChecks() []string {
	return []string{
		"SEC-83.1", "SEC-84.1", "SEC-84.2", "SEC-85.1", "SEC-85.2", "SEC-86.1", "SEC-86.2", "SEC-87.1", "SEC-88.1", "SEC-88.2", "SEC-89.1",
		"SEC-90.1", "SEC-91.1", "SEC-92.1", "SEC-92.2", "SEC-93.1", "SEC-93.2",
	}
}

// JourneySpecs registers what is judged behind the service's sign-in.
func JourneySpecs(l *Lab) {
	OwnJourneySpecs(l)
	var inside *Scenario
	l.In(journeyChapter, func() {
		inside = l.Scenario("journey-inside", "an account of test signs in, looks at what is its own, signs out; others try to see it", walkInside, Late())
	})
	Describe("Behind the sign-in", func() {
		It("nothing is shown for a password alone", Check("SEC-83.1"), Reads(inside), func() { secondFactor(inside) })
		It("the session of before the sign-in is worth nothing", Check("SEC-84.1"), Reads(inside), func() { renewed(inside) })
		It("no script reads the session, and none goes over plain HTTP", Check("SEC-84.2"), Reads(inside), func() { guarded(inside) })
		It("what is somebody's own is kept by nobody on the way", Check("SEC-85.1"), Reads(inside), func() { notKept(inside) })
		It("nothing is shown by going back after the sign-out", Check("SEC-85.2"), Reads(inside), func() { notBack(inside) })
		It("nothing that was typed stands in an address", Check("SEC-86.1"), Reads(inside), func() { addresses(inside, false) })
		It("the session stands in no address", Check("SEC-86.2"), Reads(inside), func() { addresses(inside, true) })
		It("the browser stores nothing of somebody's own", Check("SEC-87.1"), Reads(inside), func() { notStored(inside) })
		It("a session is over once one has signed out", Check("SEC-88.1"), Reads(inside), func() { over(inside) })
		It("the browser is cleared at the sign-out", Check("SEC-88.2"), Reads(inside), func() { cleared(inside) })
		It("a session that nobody touches is over when it is said to be", Check("SEC-89.1"), Reads(inside), func() { idle(l, inside) })
		It("one can take one's data away", Check("SEC-92.1"), Reads(inside), func() { takenAway(inside) })
		It("in a form that programs read", Check("SEC-92.2"), Reads(inside), func() { programsRead(inside) })
	})
}

func walkInside(ctx context.Context, s *Stage) error {
	c := s.Candidate()
	if c.Journeys.SignIn == "" || len(c.Journeys.Account) == 0 {
		return nil
	}
	res, err := journey.Walk(ctx, s.Chromium(), journey.PlanFor(c, s.Now, s.Secret))
	return journeyed(ctx, s, res, err)
}

// inBrowser records what was seen in a browser, or why nothing was.
func inBrowser(ctx context.Context, s *Stage, kind string, res any, err error) error {
	site := s.Candidate().Web.Site
	var missing *browser.MissingError
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(err, &missing):
		return s.Probe(kind, site, map[string]any{"missing": missing.Why}, err)
	case err != nil:
		return s.Probe(kind, site, nil, err)
	}
	return s.Probe(kind, site, res, nil)
}

func journeyed(ctx context.Context, s *Stage, res any, err error) error {
	return inBrowser(ctx, s, journeyProbe, res, err)
}

// shownBy states the first part of every occasion: the browser could show it. The
// reason otherwise begins with these words.
func shownBy(s *Scenario, kind string, otherwise Text) Trace {
	t := s.Trace()
	for _, r := range t.Probes(kind).Records {
		if r.Probe.Error == "" {
			continue
		}
		t.Untested(couldNot(r, otherwise))
	}
	return t.Probes(kind).Where(func(r record.Record) bool { return r.Probe.Error == "" && len(r.Probe.Data) > 0 }).Occasion()
}

func journeysOf(s *Scenario) Trace {
	return shownBy(s, journeyProbe, Text{FR: "le navigateur n’a pas pu jouer les parcours", EN: "the browser could not play the journeys"})
}

// entered states that an account of test was in, and that its pages showed what is
// its own.
func entered(s *Scenario) (Trace, journey.Result) {
	t := journeysOf(s)
	res := record.Seen[journey.Result](t.First())
	wantPlayed(t, res, "signIn")
	for i := range res.Pages {
		wantPlayed(t, res, fmt.Sprintf("account[%d]", i))
	}
	wantPlayed(t, res, "account[0]")
	if res.Own == 0 {
		t.Untested(Text{
			FR: "les pages de « journeys.account » montrent la même chose à qui n’est pas connecté : menez l’enregistrement jusqu’à une page propre à la personne",
			EN: "the pages of \"journeys.account\" show the same to who has not signed in: lead the recording to a page of the person's own",
		})
	}
	return t, res
}

// wantPlayed leaves untested what rests on a journey that could not be played.
func wantPlayed(t Trace, res journey.Result, name string) {
	if why := res.Failed(name); why != "" {
		t.Untested(Text{
			FR: "le parcours « journeys." + name + " » n’a pas pu être joué : " + why,
			EN: "the journey \"journeys." + name + "\" could not be played: " + why,
		})
	}
}

// wantTried leaves untested what could not be compared.
func wantTried(t Trace, s journey.Seen, fr, en string) {
	if !s.Tried || s.Of == 0 {
		t.Untested(Text{FR: fr, EN: en})
	}
}

// shut judges what somebody else was shown: nothing, or all of it; what lies between
// is for a person.
func shut(t Trace, s journey.Seen, f Finding) {
	switch {
	case s.Open():
		f.Seq, f.Actual = t.First().Seq, fmt.Sprintf("%d / %d", s.Shown, s.Of)
		f.Expected = "0"
		t.Report(f)
	case !s.Shut():
		t.Review(Text{
			FR: fmt.Sprintf("%d des %d lignes propres à la personne se voient alors : regardez si elles disent quelque chose d’elle (%s)", s.Shown, s.Of, f.Message.FR),
			EN: fmt.Sprintf("%d of the %d lines of the person's own are shown then: look whether they tell anything of them (%s)", s.Shown, s.Of, f.Message.EN),
		})
	}
}

func secondFactor(s *Scenario) {
	t, res := entered(s)
	wantTried(t, res.Password, "les pages du compte n’ont pas pu être demandées après le seul mot de passe", "the pages of the account could not be asked for after the password alone")
	shut(t, res.Password, Finding{Key: "password-alone", Message: Text{
		FR: "après le seul mot de passe, sans code ni autre preuve, les pages du compte montrent ce qui est propre à la personne",
		EN: "after the password alone, without a code or another proof, the pages of the account show what is the person's own",
	}})
}

// byCookie leaves untested what supposes that cookies carry the session.
func byCookie(t Trace, res journey.Result) {
	if !res.Cookies.Later.Open() {
		t.Untested(Text{
			FR: "les cookies ne suffisent pas à retrouver la session dans un autre navigateur : elle est portée autrement, ce qui n’est pas encore observé",
			EN: "cookies are not enough to find the session again in another browser: it is carried otherwise, which is not observed yet",
		})
	}
}

func renewed(s *Scenario) {
	t, res := entered(s)
	byCookie(t, res)
	shut(t, res.Cookies.Earlier, Finding{Key: "session-not-renewed", Message: Text{
		FR: "les cookies reçus avant la connexion ouvrent, après elle, les pages du compte dans un autre navigateur : qui les a posés ou lus est connecté aussi",
		EN: "the cookies of before the sign-in open the pages of the account in another browser after it: whoever set or read them is signed in too",
	}})
}

func guarded(s *Scenario) {
	t, res := entered(s)
	byCookie(t, res)
	for _, c := range []struct {
		seen journey.Seen
		f    Finding
	}{
		{res.Cookies.Readable, Finding{Key: "session-readable", Message: Text{FR: "la session tient à des cookies que tout script peut lire (sans HttpOnly)", EN: "the session rests on cookies that any script can read (without HttpOnly)"}}},
		{res.Cookies.Plain, Finding{Key: "session-in-clear", Message: Text{FR: "la session tient à des cookies qui partent aussi en clair (sans Secure)", EN: "the session rests on cookies that go over plain HTTP too (without Secure)"}}},
	} {
		if c.seen.Open() {
			c.f.Seq = t.First().Seq
			t.Report(c.f)
		}
	}
}

func notKept(s *Scenario) {
	t, res := entered(s)
	if len(res.Answers) == 0 {
		t.Untested(Text{FR: "aucune réponse ne contient en clair ce que les pages du compte montrent", EN: "no answer holds as text what the pages of the account show"})
	}
	for _, a := range res.Answers {
		if !strings.Contains(strings.ToLower(a.Caching), "no-store") {
			t.Report(Finding{Key: "personal-answer-kept", Seq: t.First().Seq, Expected: "no-store", Actual: a.Caching, Message: Text{
				FR: "la réponse de " + a.Path + " contient ce qui est propre à la personne et peut être gardée",
				EN: "the answer of " + a.Path + " holds what is the person's own and may be kept",
			}})
		}
	}
}

// left states that one has signed out.
func left(s *Scenario) (Trace, journey.Result) {
	t, res := entered(s)
	wantPlayed(t, res, "signOut")
	if !res.Leaving.Played {
		t.Untested(Text{FR: "aucun parcours de déconnexion : enregistrez-le et nommez-le dans « journeys.signOut »", EN: "no journey of the sign-out: record it and name it in \"journeys.signOut\""})
	}
	return t, res
}

func notBack(s *Scenario) {
	t, res := left(s)
	wantTried(t, res.Leaving.Back, "aucune page du compte n’est dans l’historique de la fenêtre", "no page of the account is in the history of the window")
	shut(t, res.Leaving.Back, Finding{Key: "shown-by-going-back", Message: Text{
		FR: "après la déconnexion, le bouton « retour » montre à nouveau ce qui est propre à la personne",
		EN: "after the sign-out, the button \"back\" shows again what is the person's own",
	}})
}

func over(s *Scenario) {
	t, res := left(s)
	byCookie(t, res)
	wantTried(t, res.Leaving.Again, "les pages du compte n’ont pas pu être redemandées", "the pages of the account could not be asked for again")
	shut(t, res.Leaving.Again, Finding{Key: "session-outlives-sign-out", Message: Text{
		FR: "après la déconnexion, les cookies copiés avant elle ouvrent encore les pages du compte dans un autre navigateur",
		EN: "after the sign-out, cookies copied before it still open the pages of the account in another browser",
	}})
}

func cleared(s *Scenario) {
	t, res := left(s)
	for _, name := range res.Leaving.Cookies {
		t.Report(Finding{Key: "cookie-left", Seq: t.First().Seq, Actual: name, Message: Text{
			FR: "le cookie " + name + ", reçu à la connexion, est encore là après la déconnexion",
			EN: "the cookie " + name + ", which came with the sign-in, is still there after the sign-out",
		}})
	}
	var keys []string
	for _, e := range res.Leaving.Stores {
		if e.Own > 0 {
			t.Report(Finding{Key: "store-left", Seq: t.First().Seq, Actual: e.Where + " " + e.Key, Message: Text{
				FR: "après la déconnexion, la clé de stockage « " + e.Key + " » contient encore ce qui est propre à la personne",
				EN: "after the sign-out, the storage key \"" + e.Key + "\" still holds what is the person's own",
			}})
			continue
		}
		keys = append(keys, e.Key)
	}
	if len(keys) > 0 && len(res.Leaving.Cookies) == 0 {
		t.Review(Text{
			FR: "des clés de stockage apparues depuis la connexion sont encore là : regardez si elles ont à y être (" + strings.Join(keys, ", ") + ")",
			EN: "storage keys that came since the sign-in are still there: look whether they have to be (" + strings.Join(keys, ", ") + ")",
		})
	}
}

func addresses(s *Scenario, session bool) {
	t, res := entered(s)
	switch {
	case session:
		byCookie(t, res)
	case res.Typed == 0:
		t.Untested(Text{FR: "aucun texte saisi n’est assez long pour être cherché", EN: "no text that was typed is long enough to be looked for"})
	}
	french := map[string]string{"user": "l’identifiant saisi", "password": "le mot de passe saisi", "code": "le code à usage unique", "text": "un texte saisi", "session": "le nom de la session"}
	english := map[string]string{"user": "the name that was typed", "password": "the password that was typed", "code": "the one-time code", "text": "a text that was typed", "session": "the name of the session"}
	for _, told := range res.Told {
		if (told.What == "session") != session {
			continue
		}
		place := Text{FR: "l’adresse d’une demande à ", EN: "the address of a request to "}
		if told.Where == "referer" {
			place = Text{FR: "l’en-tête Referer d’une demande à ", EN: "the header Referer of a request to "}
		}
		t.Report(Finding{Key: told.What + "-in-" + told.Where, Seq: t.First().Seq, Actual: told.Host, Message: Text{
			FR: french[told.What] + " figure dans " + place.FR + told.Host,
			EN: english[told.What] + " stands in " + place.EN + told.Host,
		}})
	}
}

func notStored(s *Scenario) {
	t, res := entered(s)
	wantPlayed(t, res, "stores")
	for _, e := range res.Stores {
		t.Report(Finding{Key: "own-in-store", Seq: t.First().Seq, Actual: e.Where + " " + e.Key, Message: Text{
			FR: fmt.Sprintf("la clé de stockage « %s » (%s) contient en clair %d ligne(s) propres à la personne", e.Key, e.Where, e.Own),
			EN: fmt.Sprintf("the storage key %q (%s) holds %d line(s) of the person's own that can be read", e.Key, e.Where, e.Own),
		}})
	}
}

func idle(l *Lab, s *Scenario) {
	t, res := entered(s)
	if res.Idle == nil {
		announced := l.Candidate().Journeys.Idle
		switch {
		case announced == 0:
			t.Untested(Text{FR: "le service n’annonce pas de durée d’inactivité : écrivez-la dans « journeys.idle »", EN: "the service announces no time of inactivity: write it in \"journeys.idle\""})
		case announced > journey.IdleMost:
			t.Untested(Text{
				FR: fmt.Sprintf("la durée annoncée (%s) est plus longue que ce qui est attendu (%s) : donnez au service d’essai une durée plus courte, ou jugez-en à la main (SEC-80)", announced, journey.IdleMost),
				EN: fmt.Sprintf("the time announced (%s) is longer than what is waited for (%s): give the service under test a shorter one, or judge it by hand (SEC-80)", announced, journey.IdleMost),
			})
		}
		t.Untested(Text{FR: "le compte laissé sans acte n’a pas pu être suivi", EN: "the account that was left alone could not be followed"})
	}
	wantTried(t, res.Idle.Before, "les pages du compte laissé sans acte ne montraient rien qui lui soit propre", "the pages of the account that was left alone showed nothing of its own")
	wantTried(t, res.Idle.After, "les pages du compte n’ont pas pu être redemandées", "the pages of the account could not be asked for again")
	shut(t, res.Idle.After, Finding{Key: "session-outlives-idleness", Message: Text{
		FR: fmt.Sprintf("laissée %.1f s sans acte, alors que %.0f s sont annoncées, la session est encore ouverte", res.Idle.Waited, res.Idle.Announced),
		EN: fmt.Sprintf("left for %.1f s without an act, where %.0f s are announced, the session is still open", res.Idle.Waited, res.Idle.Announced),
	}})
}

// exported states that the journey to a file was played.
func exported(s *Scenario) (Trace, journey.Export) {
	t, res := entered(s)
	wantPlayed(t, res, "export")
	if res.Export == nil {
		t.Untested(Text{FR: "aucun parcours d’export : enregistrez-le et nommez-le dans « journeys.export »", EN: "no journey to an export: record it and name it in \"journeys.export\""})
	}
	return t, *res.Export
}

func takenAway(s *Scenario) {
	t, x := exported(s)
	switch {
	case x.Came:
	case x.Status >= 400:
		t.Report(Finding{Key: "no-export", Seq: t.First().Seq, Expected: "2xx", Actual: fmt.Sprint(x.Status), Message: Text{
			FR: "le parcours d’export mène à une erreur", EN: "the journey to the export leads to an error",
		}})
	default:
		t.Review(Text{
			FR: "le parcours d’export va à son terme sans qu’un fichier arrive : regardez s’il est remis autrement (courriel, délai) " + x.Error,
			EN: "the journey to the export goes to its end, and no file comes: look whether it is given otherwise (by e-mail, later) " + x.Error,
		})
	}
}

func programsRead(s *Scenario) {
	t, x := exported(s)
	if !x.Came {
		t.Untested(Text{FR: "aucun fichier n’est arrivé : voir SEC-92.1", EN: "no file came: see SEC-92.1"})
	}
	var formats []string
	for _, f := range x.Formats {
		if f.Read && x.Own > 0 {
			return
		}
		formats = append(formats, f.Format)
	}
	read := false
	for _, f := range x.Formats {
		read = read || f.Read
	}
	if !read {
		t.Report(Finding{Key: "export-unreadable", Seq: t.First().Seq, Expected: "FHIR, JSON, XML, CSV", Actual: strings.Join(formats, ", "), Message: Text{
			FR: "aucun fichier de l’export n’est d’un format qu’un programme lit", EN: "no file of the export has a format that a program reads",
		}})
		return
	}
	t.Review(Text{
		FR: "l’export se lit par un programme, mais rien de ce que montrent les pages du compte n’y a été retrouvé : regardez ce qu’il contient",
		EN: "a program can read the export, but nothing of what the pages of the account show was found in it: look at what it holds",
	})
}
