package words_test

import (
	"strings"
	"testing"
	"time"

	"github.com/etalon-sante/etalon/reports"
	"github.com/etalon-sante/etalon/reports/words"
)

// run makes a report of as many requirements of each verdict; blocking ones
// where the key ends in "!".
func run(strict bool, counts map[string]int) reports.Report {
	r := reports.Report{Run: reports.Run{Strict: strict}}
	for key, n := range counts {
		v, blocking := strings.CutSuffix(key, "!")
		for range n {
			r.Results = append(r.Results, reports.Result{
				Verdict: reports.Verdict(v), Blocking: blocking, Checks: []reports.Check{{Verdict: reports.Verdict(v)}},
			})
		}
	}
	r.Conclude()
	return r
}

func TestTheVerdictIsOneSentenceThatAnyoneCanRead(t *testing.T) {
	interrupted := run(false, map[string]int{"conformant!": 3})
	interrupted.Run.Interrupted = true
	interrupted.Conclude()
	partial := run(false, map[string]int{"nonconformant!": 1})
	partial.Run.Partial = true
	partial.Conclude()
	cases := []struct {
		r      reports.Report
		fr, en string
	}{
		{
			run(false, map[string]int{"nonconformant!": 3, "to-review": 11, "nonconformant": 2}),
			"Trois exigences bloquantes ne sont pas respectées\u00a0; onze restent à examiner.",
			"Three blocking requirements are not met; eleven remain to be reviewed.",
		},
		{
			run(false, map[string]int{"nonconformant!": 1, "untested!": 1, "conformant!": 4}),
			"Une exigence bloquante n'est pas respectée\u00a0; une autre n'a pas pu être testée.",
			"One blocking requirement is not met; one other could not be tested.",
		},
		{
			run(false, map[string]int{"nonconformant!": 17, "untested!": 2}),
			"17 exigences bloquantes ne sont pas respectées\u00a0; deux autres n'ont pas pu être testées.",
			"17 blocking requirements are not met; two others could not be tested.",
		},
		{
			run(true, map[string]int{"deviation": 1, "nonconformant": 1}),
			"Deux exigences ne sont pas respectées.", "Two requirements are not met.",
		},
		{
			run(false, map[string]int{"conformant!": 41, "conformant": 9}),
			"Les 41 exigences bloquantes qui concernent ce service sont respectées.",
			"All 41 blocking requirements that concern this service are met.",
		},
		{
			run(false, map[string]int{"conformant!": 1}),
			"L'unique exigence bloquante qui concerne ce service est respectée.", "The only blocking requirement that concerns this service is met.",
		},
		{
			run(false, map[string]int{"conformant!": 20, "deviation!": 1, "attested!": 2, "to-review!": 1}),
			"Aucune exigence bloquante n'est enfreinte\u00a0; une reste à examiner.",
			"No blocking requirement is broken; one remains to be reviewed.",
		},
		{
			run(false, map[string]int{"untested!": 2, "conformant!": 5}),
			"On ne peut pas encore conclure : deux exigences bloquantes n'ont pas pu être testées.",
			"It is too early to conclude: two blocking requirements could not be tested.",
		},
		{
			interrupted, "On ne peut pas encore conclure : la campagne a été interrompue.", "It is too early to conclude: the run was interrupted.",
		},
		{
			run(false, map[string]int{"not-applicable!": 2}),
			"On ne peut pas encore conclure : rien n'a été observé.", "It is too early to conclude: nothing was observed.",
		},
		{
			run(false, map[string]int{"error": 1, "nonconformant!": 4}),
			"Le banc d'essai a failli sur une exigence : on ne peut pas conclure, et le service n'est pas en cause.",
			"The harness failed on one requirement: nothing can be concluded, and the service is not at fault.",
		},
		{
			run(false, nil),
			"Le banc d'essai n'a jugé aucune exigence : ce rapport ne dit rien du service.", "The harness judged no requirement: this report says nothing about the service.",
		},
		{
			run(false, map[string]int{"conformant": 3}),
			"Aucune exigence bloquante ne concerne ce service dans cette campagne.", "No blocking requirement concerns this service in this run.",
		},
		{
			partial,
			"Sélection d'exigences, sans verdict d'ensemble : une exigence bloquante n'est pas respectée.",
			"A selection of requirements, without a verdict of its own: one blocking requirement is not met.",
		},
	}
	for _, c := range cases {
		if got := words.FR.Verdict(c.r); got != c.fr {
			t.Errorf("\n got %s\nwant %s", got, c.fr)
		}
		if got := words.EN.Verdict(c.r); got != c.en {
			t.Errorf("\n got %s\nwant %s", got, c.en)
		}
	}
}

func TestTheCoverageSaysOnWhatBlockingRequirementsRest(t *testing.T) {
	r := run(false, map[string]int{"conformant!": 20, "deviation!": 1, "attested!": 2, "to-review!": 1, "nonconformant!": 1, "untested!": 3, "not-applicable": 4, "conformant": 5})
	if got, want := words.FR.Coverage(r), "Sur 37 exigences du catalogue d'Étalon, 33 concernent ce service. Parmi elles, 28 bloquantes : 20 observées conformes, une non respectée, une en écart à une hypothèse du banc, deux seulement déclarées, trois non testées, une à examiner."; got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
	if got, want := words.EN.Coverage(run(false, map[string]int{"conformant": 1})), "Of 1 requirement of Étalon's catalogue, 1 concerns this service."; got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
	if got := words.FR.Coverage(run(false, nil)); got != "" {
		t.Error(got)
	}
}

func TestDatesAreWrittenInEachLanguageWithTheirZone(t *testing.T) {
	winter := time.Date(2026, 11, 22, 16, 5, 0, 0, time.UTC)
	summer := time.Date(2026, 7, 1, 22, 30, 0, 0, time.FixedZone("", 3600))
	for _, c := range []struct{ got, want string }{
		{words.FR.Instant(winter), "22/11/2026 à 17:05 (heure de Paris)"},
		{words.EN.Instant(winter), "22 November 2026 at 16:05 UTC"},
		{words.FR.Instant(summer), "01/07/2026 à 23:30 (heure de Paris)"},
		{words.EN.Instant(summer), "1 July 2026 at 21:30 UTC"},
		{words.FR.Date("2026-09-01"), "01/09/2026"},
		{words.EN.Date("2026-09-01"), "1 September 2026"},
		{words.FR.Date("tomorrow"), "tomorrow"},
		{words.FR.Moment(winter), "17:05:00,000"},
		{words.FR.Millis(2840), "2,8\u00a0s"},
		{words.EN.Millis(12), "12\u00a0ms"},
		{words.EN.Millis(600_000), "10\u00a0min"},
		{words.FR.Bytes(1_482_113), "1,5\u00a0Mo"},
		{words.EN.Bytes(12), "12\u00a0B"},
	} {
		if c.got != c.want {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
}

func TestProseIsTypeset(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{words.FR.Typeset("l'échange : « a » ; b"), "l’échange\u00a0: «\u00a0a\u00a0»\u00a0; b"},
		{words.FR.Typeset("script-src 'self'"), "script-src 'self'"},
		{words.EN.Typeset("the service's word: x"), "the service’s word: x"},
		{words.EN.Typeset(""), ""},
	} {
		if c.got != c.want {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
}

func TestACodeWithoutANameIsShownAsItIs(t *testing.T) {
	if got := words.FR.Name("level", "must"); got != "must" {
		t.Error(got)
	}
	if got := words.EN.Name("chapter", "some-new-chapter"); got != "Some new chapter" {
		t.Error(got)
	}
}
