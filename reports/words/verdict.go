package words

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/etalon-sante/etalon/reports"
)

// tally counts what the sentence of the verdict speaks of.
type tally struct {
	results       int // all of them
	errors        int // requirements that our own fault spoiled
	counting      int // those that decide the exit code and concern this candidate
	nonconformant int // of counting
	untested      int // of counting
	deviating     int // of counting, where a deviation is not a nonconformance
	attested      int // of counting
	met           int // of counting, observed
	reviewed      int // of counting, to be reviewed
	failed        int // of counting, spoiled by our own fault
	review        int // of all
}

func count(r reports.Report) tally {
	t := tally{results: len(r.Results)}
	for _, res := range r.Results {
		switch res.Verdict {
		case reports.Error:
			t.errors++
		case reports.ToReview:
			t.review++
		}
		if !res.Verdict.InForce() || !res.Blocking && !r.Run.Strict {
			continue
		}
		t.counting++
		switch res.Verdict {
		case reports.Nonconformant:
			t.nonconformant++
		case reports.Deviation:
			if r.Run.Strict {
				t.nonconformant++
			} else {
				t.deviating++
			}
		case reports.Untested:
			t.untested++
		case reports.Attested:
			t.attested++
		case reports.Conformant:
			t.met++
		case reports.ToReview:
			t.reviewed++
		default:
			t.failed++
		}
	}
	return t
}

// Verdict is the outcome of a run in one plain sentence.
func (l Lang) Verdict(r reports.Report) string {
	t := count(r)
	var s string
	switch {
	case r.Run.FreeUse && t.results > 0 && r.ExitCode != reports.ExitError:
		return l.freeUse(r) + "."
	case t.results == 0:
		s = l.Pick("Le banc d'essai n'a jugé aucune exigence : ce rapport ne dit rien du service",
			"The harness judged no requirement: this report says nothing about the service")
	case r.ExitCode == reports.ExitError:
		s = l.Pick("Le banc d'essai a failli sur ", "The harness failed on ") + l.Count(t.errors) +
			l.Many(t.errors, l.Pick(" exigence", " requirement"), l.Pick(" exigences", " requirements")) +
			l.Pick(" : on ne peut pas conclure, et le service n'est pas en cause", ": nothing can be concluded, and the service is not at fault")
	case r.ExitCode == reports.ExitNonconformant:
		s = l.broken(r, t)
	case r.ExitCode == reports.ExitInconclusive:
		s = l.undecided(r, t)
	default:
		s = l.met(r, t)
	}
	if r.Run.Partial {
		s = l.Pick("Sélection d'exigences, sans verdict d'ensemble : ", "A selection of requirements, without a verdict of its own: ") + lower(s)
	}
	return s + "."
}

// freeUse says what a session of free use showed: it has no verdict.
func (l Lang) freeUse(r reports.Report) string {
	occasions, broken := 0, 0
	for _, res := range r.Results {
		for _, c := range res.Checks {
			if c.Verdict.Observed() {
				occasions++
			}
			if c.Verdict == reports.Nonconformant {
				broken++
			}
		}
	}
	s := l.Pick("Usage libre, sans verdict : ", "Free use, without a verdict: ")
	if occasions == 0 {
		return s + l.Pick("aucune vérification n'a eu son occasion", "no check had its occasion")
	}
	s += l.Count(occasions) + l.Many(occasions, l.Pick(" vérification a eu son occasion, ", " check had its occasion, "), l.Pick(" vérifications ont eu leur occasion, ", " checks had their occasion, "))
	if broken == 0 {
		return s + l.Pick("aucune ne relève de manquement", "none found a nonconformance")
	}
	return s + l.Count(broken) + l.Many(broken, l.Pick(" relève un manquement", " found a nonconformance"), l.Pick(" relèvent un manquement", " found a nonconformance"))
}

// blocking names the requirements that count in this run.
func (l Lang) blocking(r reports.Report, n int) string {
	if r.Run.Strict {
		return l.Many(n, l.Pick("exigence", "requirement"), l.Pick("exigences", "requirements"))
	}
	return l.Many(n, l.Pick("exigence bloquante", "blocking requirement"), l.Pick("exigences bloquantes", "blocking requirements"))
}

func (l Lang) broken(r reports.Report, t tally) string {
	n := t.nonconformant
	parts := []string{Capital(l.Count(n)) + " " + l.blocking(r, n) + " " +
		l.Many(n, l.Pick("n'est pas respectée", "is not met"), l.Pick("ne sont pas respectées", "are not met"))}
	if u := t.untested; u > 0 {
		parts = append(parts, l.Count(u)+" "+l.Many(u, l.Pick("autre n'a pas pu être testée", "other could not be tested"),
			l.Pick("autres n'ont pas pu être testées", "others could not be tested")))
	}
	return l.join(append(parts, l.review(t)...))
}

func (l Lang) undecided(r reports.Report, t tally) string {
	var parts []string
	if u := t.untested; u > 0 {
		parts = append(parts, l.Count(u)+" "+l.blocking(r, u)+" "+
			l.Many(u, l.Pick("n'a pas pu être testée", "could not be tested"), l.Pick("n'ont pas pu être testées", "could not be tested")))
	}
	if r.Run.Interrupted {
		parts = append(parts, l.Pick("la campagne a été interrompue", "the run was interrupted"))
	}
	parts = append(parts, l.review(t)...)
	if len(parts) == 0 {
		parts = []string{l.Pick("rien n'a été observé", "nothing was observed")}
	}
	return l.Pick("On ne peut pas encore conclure : ", "It is too early to conclude: ") + l.join(parts)
}

func (l Lang) met(r reports.Report, t tally) string {
	if t.counting == 0 {
		return l.join(append([]string{l.Pick("Aucune exigence bloquante ne concerne ce service dans cette campagne", "No blocking requirement concerns this service in this run")}, l.review(t)...))
	}
	s := l.Pick("Aucune ", "No ") + l.blocking(r, 1) + l.Pick(" n'est enfreinte", " is broken")
	switch {
	case t.met == t.counting && t.counting == 1:
		s = l.Pick("L'unique ", "The only ") + l.blocking(r, 1) + l.Pick(" qui concerne ce service est respectée", " that concerns this service is met")
	case t.met == t.counting:
		s = l.Pick("Les ", "All ") + l.Count(t.met) + " " + l.blocking(r, t.met) + l.Pick(" qui concernent ce service sont respectées", " that concern this service are met")
	}
	return l.join(append([]string{s}, l.review(t)...))
}

func (l Lang) review(t tally) []string {
	return l.some(t.review, "reste à examiner", "restent à examiner", "remains to be reviewed", "remain to be reviewed")
}

// some is a clause about n requirements, or nothing where there are none.
func (l Lang) some(n int, oneFR, manyFR, oneEN, manyEN string) []string {
	if n == 0 {
		return nil
	}
	return []string{l.Count(n) + " " + l.Many(n, l.Pick(oneFR, oneEN), l.Pick(manyFR, manyEN))}
}

// join makes one sentence of clauses, without its full stop.
func (l Lang) join(clauses []string) string {
	return strings.Join(clauses, l.Pick("\u00a0; ", "; "))
}

// lower returns s with its first letter in lower case.
func lower(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	if n == 0 {
		return s
	}
	return string(unicode.ToLower(r)) + s[n:]
}

// Coverage says of how many requirements the verdict speaks, and on what those
// that decide it rest.
func (l Lang) Coverage(r reports.Report) string {
	all, concern := len(r.Results), 0
	for _, res := range r.Results {
		if res.Verdict.InForce() {
			concern++
		}
	}
	if all == 0 {
		return ""
	}
	s := l.Pick("Sur ", "Of ") + Itoa(all) +
		l.Many(all, l.Pick(" exigence", " requirement"), l.Pick(" exigences", " requirements")) + l.Pick(" du catalogue d'Étalon, ", " of Étalon's catalogue, ") +
		Itoa(concern) + l.Many(concern, l.Pick(" concerne ce service.", " concerns this service."), l.Pick(" concernent ce service.", " concern this service."))
	t := count(r)
	if t.counting == 0 {
		return s
	}
	parts := l.some(t.met, "observée conforme", "observées conformes", "observed conformant", "observed conformant")
	parts = append(parts, l.some(t.nonconformant, "non respectée", "non respectées", "not met", "not met")...)
	parts = append(parts, l.some(t.deviating, "en écart à une hypothèse du banc", "en écart à une hypothèse du banc", "deviating from an assumption of the harness", "deviating from an assumption of the harness")...)
	parts = append(parts, l.some(t.attested, "seulement déclarée", "seulement déclarées", "declared only", "declared only")...)
	parts = append(parts, l.some(t.untested, "non testée", "non testées", "untested", "untested")...)
	parts = append(parts, l.some(t.reviewed, "à examiner", "à examiner", "to review", "to review")...)
	parts = append(parts, l.some(t.failed, "non jugée par la faute du banc", "non jugées par la faute du banc", "not judged through our fault", "not judged through our fault")...)
	return s + " " + l.Pick("Parmi elles, ", "Among them, ") + Itoa(t.counting) + " " + l.Many(t.counting, l.Pick("bloquante", "blocking"), l.Pick("bloquantes", "blocking")) +
		l.Pick(" : ", ": ") + strings.Join(parts, ", ") + "."
}
