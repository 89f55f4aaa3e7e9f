package words

import (
	"strings"

	"github.com/etalon-sante/etalon/reports"
)

// Plain says the outcome of a run to those who buy or use the service: a
// requirement is a point, what blocks is what the profile holds indispensable.
func (l Lang) Plain(r reports.Report) string {
	t := count(r)
	needed := l.needed(r)
	var s string
	switch {
	case t.results == 0, r.ExitCode == reports.ExitError:
		s = l.Pick("L'essai n'a pas abouti, par la faute du banc d'essai : cette page ne dit rien du service", "The test did not come to an end, through the fault of the harness: this page says nothing about the service")
	case r.Run.FreeUse, r.Run.Partial:
		s = l.Pick("Seule une partie des points a été essayée : cette page ne dit rien de l'ensemble du service", "Only some of the points were tried: this page says nothing about the service as a whole")
	case r.ExitCode == reports.ExitNonconformant:
		n := t.nonconformant
		s = l.points(n) + needed(n) + l.Many(n, l.Pick(" n'est pas respecté", " is not met"), l.Pick(" ne sont pas respectés", " are not met"))
	case r.ExitCode == reports.ExitInconclusive:
		s = l.Pick("On ne peut pas encore conclure", "It is too early to conclude")
		if n := t.untested; n > 0 {
			s += l.Pick(" : ", ": ") + lower(l.points(n)) + needed(n) + l.Many(n, l.Pick(" n'a pas pu être essayé", " could not be tried"), l.Pick(" n'ont pas pu être essayés", " could not be tried"))
		}
	case t.counting == 0:
		s = l.Pick("Aucun point indispensable ne concerne ce service dans cet essai", "No indispensable point concerns this service in this test")
	case t.met == t.counting:
		n := t.counting
		s = l.Many(n, l.Pick("Le seul point", "The only point"), l.Pick("Les "+Itoa(n)+" points", "The "+Itoa(n)+" points")) + needed(n) +
			l.Many(n, l.Pick(" a été observé, et respecté", " was observed, and met"), l.Pick(" ont tous été observés, et respectés", " were all observed, and met"))
	default:
		s = l.Pick("Aucun manquement n'a été observé", "No breach was observed") + l.Pick(" sur ", " in ") + Itoa(t.met) + l.Pick(" des ", " of the ") + Itoa(t.counting) + l.Pick(" points", " points") + needed(t.counting) +
			l.Pick(" ; les autres n'ont pas été observés", "; the others were not observed")
	}
	return l.Typeset(s + ".")
}

// needed names what decides the outcome.
func (l Lang) needed(r reports.Report) func(n int) string {
	return func(n int) string {
		if r.Run.Strict {
			return l.Pick(" en vigueur", " in force")
		}
		return l.Pick(" que le profil « "+r.Run.Profile.Name+" » juge "+l.Many(n, "indispensable", "indispensables"), " that the profile \""+r.Run.Profile.Name+"\" holds indispensable")
	}
}

func (l Lang) points(n int) string {
	if n == 1 {
		return l.Pick("Un point", "One point")
	}
	return Capital(l.Count(n)) + l.Pick(" points", " points")
}

// Exchange is one kind of data of Mon espace santé, and what a service says that it
// does with it.
type Exchange struct{ What, Does string }

// Exchanges says what a service exchanges, in plain words, and what it does not.
func (l Lang) Exchanges(c reports.Claims) []Exchange {
	out := make([]Exchange, 0, 3)
	for _, k := range []struct {
		what        string
		acts        []string
		write, read string
	}{
		{
			l.Pick("Mesures de santé (poids, tension, glycémie…)", "Health measures (weight, blood pressure, glucose…)"), c.Measures,
			l.Pick("envoie celles du patient dans Mon espace santé", "sends the patient's to Mon espace santé"), l.Pick("lit celles qui s'y trouvent", "reads those that are there"),
		},
		{
			l.Pick("Documents (comptes rendus, ordonnances…)", "Documents (reports, prescriptions…)"), c.Documents,
			l.Pick("en dépose dans Mon espace santé", "puts some into Mon espace santé"), l.Pick("lit ceux qui s'y trouvent", "reads those that are there"),
		},
		{
			l.Pick("Rendez-vous", "Appointments"), c.Agenda,
			l.Pick("en inscrit dans l'agenda de Mon espace santé", "enters some into the calendar of Mon espace santé"), l.Pick("lit ceux qui s'y trouvent", "reads those that are there"),
		},
	} {
		var does []string
		for _, a := range k.acts {
			switch a {
			case "write":
				does = append([]string{k.write}, does...)
			case "read":
				does = append(does, k.read)
			default:
				does = append(does, a)
			}
		}
		said := l.Pick("rien", "nothing")
		if len(does) > 0 {
			said = l.Pick("le service ", "the service ") + strings.Join(does, l.Pick(", et ", ", and "))
		}
		out = append(out, Exchange{l.Typeset(k.what), l.Typeset(said)})
	}
	return out
}

// Theme says what a theme is about, to those who do not know the field.
func (l Lang) Theme(code string) string {
	switch code {
	case "interop":
		return l.Pick("Les échanges avec Mon espace santé aboutissent, sans erreur de patient ni perte", "Exchanges with Mon espace santé work, with no mistaken patient and nothing lost")
	case "security":
		return l.Pick("Les connexions, les pages et les données sont protégées", "Connections, pages and data are protected")
	case "ethics":
		return l.Pick("Le patient est informé, choisit, peut revenir sur son choix ; les pages sont lisibles par tous", "The patient is informed, chooses and may choose again; the pages can be read by all")
	case "governance":
		return l.Pick("L'éditeur tient ses engagements : but des échanges, hébergement, mentions légales", "The editor keeps to its duties: purpose of the exchanges, hosting, legal notices")
	}
	return code
}

// Standing is how many points have one outcome, in words, and what that means.
type Standing struct {
	Verdict reports.Verdict
	N       int
	Word    string
	Means   string
}

// Standings says how many points have which outcome, those that say most first;
// only outcomes that occur.
func (l Lang) Standings(results []reports.Result) []Standing {
	counts := reports.Summarise(results)
	var out []Standing
	for _, k := range []struct {
		v                      reports.Verdict
		one, many, oneE, manyE string
		meansFR, meansEN       string
	}{
		{reports.Conformant, "respecté", "respectés", "met", "met", "Observés pendant l'essai, comme il le faut.", "Observed during the test, as they should be."},
		{reports.Nonconformant, "non respecté", "non respectés", "not met", "not met", "Observés, et pas comme il le faut.", "Observed, and not as they should be."},
		{reports.Deviation, "différent de ce que le banc suppose", "différents de ce que le banc suppose", "other than the harness assumes", "other than the harness assumes", "Aucun texte public ne dit qui a raison.", "No public text says who is right."},
		{reports.ToReview, "à examiner par une personne", "à examiner par une personne", "for a person to examine", "for a person to examine", "Une machine ne peut pas en juger ; personne ne l'a encore fait.", "A machine cannot judge them; nobody has done so yet."},
		{reports.Attested, "affirmé par une personne, non observé", "affirmés par une personne, non observés", "stated by a person, not observed", "stated by a person, not observed", "C'est une parole, avec un nom et une date, pas un essai.", "It is someone's word, with a name and a date, not a test."},
		{reports.Untested, "non essayé", "non essayés", "not tried", "not tried", "On n'en sait rien, ni en bien ni en mal.", "Nothing is known of them, good or bad."},
		{reports.Error, "perdu par la faute du banc", "perdus par la faute du banc", "lost through the harness's fault", "lost through the harness's fault", "Le service n'est pas en cause.", "The service is not at fault."},
		{reports.NotApplicable, "sans objet pour ce service", "sans objet pour ce service", "of no concern to this service", "of no concern to this service", "Ils portent sur ce que le service ne fait pas.", "They are about what the service does not do."},
		{reports.NotInForce, "pas encore en vigueur", "pas encore en vigueur", "not yet in force", "not yet in force", "Ils compteront plus tard.", "They will count later."},
		{reports.Excluded, "que personne ne juge ici", "que personne ne juge ici", "judged by no one here", "judged by no one here", "Le catalogue les nomme ; cet essai ne peut pas les juger.", "The catalogue names them; this test cannot judge them."},
	} {
		if n := counts[k.v]; n > 0 {
			out = append(out, Standing{k.v, n, l.Typeset(l.Many(n, l.Pick(k.one, k.oneE), l.Pick(k.many, k.manyE))), l.Typeset(l.Pick(k.meansFR, k.meansEN))})
		}
	}
	return out
}

// Saw says to those who do not know the field who was there when it was tested.
func (l Lang) Saw(witness string) string {
	switch witness {
	case reports.WitnessEditor, "":
		return l.Typeset(l.Pick("l'éditeur lui-même a mené l'essai ; personne d'autre n'y a assisté", "the editor ran the test itself; nobody else was there"))
	case reports.WitnessHost:
		return l.Typeset(l.Pick("l'éditeur a mené l'essai, face à un serveur tenu par un tiers, qui a vu et gardé les échanges", "the editor ran the test, against a server held by a third party, which saw and kept the exchanges"))
	}
	return l.Witness(witness)
}
