package security

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"

	"github.com/etalon-sante/etalon/sandbox/record"
	. "github.com/etalon-sante/etalon/suites/lab"
	"github.com/etalon-sante/etalon/suites/probe/web"
)

// ExposureSpecs registers what is judged of what the site lets be seen beside
// its pages. What an intruder would ask for is asked only of a service that the
// manifest says is the user's own.
func ExposureSpecs(l *Lab) {
	var site *Scenario
	l.In("exposure", func() {
		site = l.Scenario("web-exposure", "the site is asked for what should not be there, and as another origin would ask", exploreSite)
	})
	looked := func(ok func(web.Exposure) bool) Trace { return observed(site.Trace(), "exposure", ok) }
	// answers judges the answers of a kind: one that shows something is enough;
	// that nothing is shown takes all of them to have come.
	answers := func(intrusive bool, of func(web.Exposure) []web.Answer, find func(web.Answer) []Finding) {
		t := looked(func(e web.Exposure) bool { return e.Home })
		if intrusive && could(t, "exposure", func(e web.Exposure) bool { return e.Own }).Empty() {
			t.Untested(notAsked())
		}
		judge := see("each answer", func(r record.Record, e web.Exposure) []Finding { return onAnswers(r, of(e), find) })
		if len(judge.Findings(t, false)) == 0 {
			t = looked(func(e web.Exposure) bool { return len(of(e)) > 0 && allAnswered(of(e)) })
		}
		Expect(t).To(judge)
	}
	files := func(kinds ...string) func(web.Exposure) []web.Answer {
		return func(e web.Exposure) []web.Answer { return ofKind(e.Files, kinds) }
	}
	debug := func(kinds ...string) func(web.Exposure) []web.Answer {
		return func(e web.Exposure) []web.Answer { return ofKind(e.Debug, kinds) }
	}
	errorPages := func(e web.Exposure) []web.Answer { return refusals([]web.Answer{e.Nowhere}) }
	malformed := func(e web.Exposure) []web.Answer { return e.Malformed }
	both := func(e web.Exposure) []web.Answer { return append(errorPages(e), refusals(e.Malformed)...) }

	Describe("What is wrong", func() {
		It("is shown without the inside of the service, where an address does not exist", Check("SEC-44.1"), Reads(site), func() { answers(false, errorPages, insideShown) })
		It("is shown without the inside of the service, where a request is malformed", Check("SEC-44.2"), Reads(site), func() { answers(true, malformed, insideShown) })
		It("is shown without the versions of what serves it", Check("SEC-44.3"), Reads(site), func() { answers(false, both, versionsShown) })
	})
	Describe("What was left behind", func() {
		It("is no repository", Check("SEC-46.1"), Reads(site), func() { answers(true, files(web.KindRepository), leftBehind) })
		It("is no file of secrets", Check("SEC-46.2"), Reads(site), func() { answers(true, files(web.KindSecret), leftBehind) })
		It("is no source and no dump", Check("SEC-46.3"), Reads(site), func() { answers(true, files(web.KindSource, web.KindDump), leftBehind) })
		It("is not listed", Check("SEC-47.1"), Reads(site), func() {
			answers(true, func(e web.Exposure) []web.Answer { return e.Directories }, listed)
		})
		It("is not what debugging needs", Check("SEC-49.1"), Reads(site), func() { answers(true, debug(web.KindDebug), leftBehind) })
		It("is not what watching the server needs", Check("SEC-49.2"), Reads(site), func() { answers(true, debug(web.KindMonitoring), leftBehind) })
	})
	Describe("The server", func() {
		It("does not send requests back", Check("SEC-48.1"), Reads(site), func() {
			answers(true, func(e web.Exposure) []web.Answer { return []web.Answer{e.Trace} }, echoed)
		})
		It("does not tell its versions", Check("SEC-50.1"), Reads(site), func() {
			Expect(looked(func(e web.Exposure) bool { return e.Announced > 0 })).To(see("versions", versionsTold))
		})
	})
	Describe("Other origins", func() {
		origins := func(of func(web.Origin) bool) {
			judge := see("each origin", func(r record.Record, e web.Exposure) []Finding { return onOrigins(r, e, of) })
			t := looked(func(e web.Exposure) bool {
				return e.Home && anyOrigin(e, func(o web.Origin) bool { return of(o) && o.Status != 0 })
			})
			if len(judge.Findings(t, false)) == 0 {
				t = looked(func(e web.Exposure) bool {
					return !anyOrigin(e, func(o web.Origin) bool { return of(o) && o.Status == 0 })
				})
			}
			Expect(t).To(judge)
		}
		It("may not write with the patient's rights", Check("SEC-42.1"), Reads(site), func() {
			origins(func(o web.Origin) bool { return o.Method == http.MethodOptions })
		})
		It("are not admitted for a name like the site's, or for none", Check("SEC-42.2"), Reads(site), func() {
			origins(func(o web.Origin) bool { return o.Method == http.MethodGet })
		})
	})
}

func exploreSite(ctx context.Context, s *Stage) error {
	c, site := s.Candidate(), siteOf(s)
	res, err := web.Explore(ctx, web.Options{
		Site: site, Named: []string{c.Web.Production}, Roots: s.Roots(), Now: s.Now, Timeout: c.Timing.Action, Interval: -1, Pace: s.Pace(),
		Name: nameIn(s), Note: func(at time.Time, x record.Exchange) string { return s.Exchange(at, x) },
	}, c.Web.Own)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		return s.Probe("exposure", site, nil, err)
	}
	return s.Probe("exposure", site, res, nil)
}

func notAsked() Text {
	return Text{
		FR: "non demandé : le manifeste ne dit pas que le site est le vôtre ; s'il l'est, écrivez own: true sous web",
		EN: "not asked for: the manifest does not say that the site is yours; if it is, write own: true under web",
	}
}

func ofKind(all []web.Answer, kinds []string) []web.Answer {
	var out []web.Answer
	for _, a := range all {
		for _, k := range kinds {
			if a.Kind == k {
				out = append(out, a)
			}
		}
	}
	return out
}

// refusals are the answers that say that something is wrong. A site that answers
// an address that does not exist with a page like any other shows no error page.
func refusals(all []web.Answer) []web.Answer {
	var out []web.Answer
	for _, a := range all {
		if a.Status >= http.StatusBadRequest {
			out = append(out, a)
		}
	}
	return out
}

// allAnswered: what is refused for having asked too often was not answered.
func allAnswered(all []web.Answer) bool {
	for _, a := range all {
		if a.Status == 0 || a.Status == http.StatusTooManyRequests {
			return false
		}
	}
	return true
}

func onAnswers(rec record.Record, all []web.Answer, find func(web.Answer) []Finding) []Finding {
	var out []Finding
	for _, a := range all {
		for _, f := range find(a) {
			f.Seq, f.Exchange = rec.Seq, a.Exchange
			out = append(out, f)
		}
	}
	return out
}

func answer(a web.Answer, key, fr, en, want, actual string) []Finding {
	if actual == "" {
		return nil
	}
	return []Finding{Finding{Key: key, Message: Text{FR: fmt.Sprintf(fr, a.Path), EN: fmt.Sprintf(en, a.Path)}}.
		Was(want, fmt.Sprintf("%d, %s", a.Status, actual)).In("status")}
}

func insideShown(a web.Answer) []Finding {
	return answer(a, "web.inside-shown", "la réponse à %s montre une pile d'appels ou une page de mise au point", "the answer to %s shows a call stack or a debug page",
		"a page that says what to do", strings.Join(a.Signs, ", "))
}

func versionsShown(a web.Answer) []Finding {
	return answer(a, "web.version-in-error", "la page d'erreur de %s donne une version", "the error page of %s tells a version",
		"no version", strings.Join(a.Products, ", "))
}

func leftBehind(a web.Answer) []Finding {
	texts := map[string]Text{
		web.KindRepository: {FR: "%s livre le dépôt du code", EN: "%s hands out the repository of the code"},
		web.KindSecret:     {FR: "%s livre un fichier de secrets", EN: "%s hands out a file of secrets"},
		web.KindSource:     {FR: "%s livre du code ou sa configuration", EN: "%s hands out code or its configuration"},
		web.KindDump:       {FR: "%s livre une sauvegarde", EN: "%s hands out a backup"},
		web.KindDebug:      {FR: "%s montre une page de mise au point", EN: "%s shows a debug page"},
		web.KindMonitoring: {FR: "%s montre la surveillance du serveur", EN: "%s shows how the server is watched"},
	}
	t := texts[a.Kind]
	return answer(a, "web.exposed-"+a.Kind, t.FR, t.EN, "404", strings.Join(a.Signs, ", "))
}

func listed(a web.Answer) []Finding {
	return answer(a, "web.folder-listed", "le dossier %s est listé", "the folder %s is listed", "403 / 404", strings.Join(a.Signs, ", "))
}

func echoed(a web.Answer) []Finding {
	return answer(a, "web.trace", "TRACE %s renvoie la requête, en-têtes compris", "TRACE %s sends the request back, headers included", "405", strings.Join(a.Signs, ", "))
}

func versionsTold(rec record.Record, e web.Exposure) []Finding {
	var out []Finding
	for _, v := range e.Versions {
		at := header(v.Where)
		if v.Where == "meta generator" {
			at = "meta[name=generator]"
		}
		f := At(rec, "web.version-told", Text{
			FR: "une réponse donne la version de ce qui la produit (" + v.Where + ")",
			EN: "an answer tells the version of what makes it (" + v.Where + ")",
		}).Was("no version", v.Value).In(at)
		f.Exchange = v.Exchange
		out = append(out, f)
	}
	return out
}

func anyOrigin(e web.Exposure, ok func(web.Origin) bool) bool {
	for _, o := range e.Origins {
		if ok(o) {
			return true
		}
	}
	return false
}

// onOrigins: without credentials what is open to others is what anyone may ask
// for anyway, as for the page itself (see ownOrigin).
func onOrigins(rec record.Record, e web.Exposure, of func(web.Origin) bool) []Finding {
	var out []Finding
	for _, o := range e.Origins {
		if !of(o) || !admitted(o) {
			continue
		}
		text, key := Text{
			FR: fmt.Sprintf("l'origine %s peut demander %s avec les droits du patient", o.Origin, o.Requested),
			EN: fmt.Sprintf("origin %s may ask for %s with the patient's rights", o.Origin, o.Requested),
		}, "web.cors-preflight"
		if o.Method == http.MethodGet {
			key, text = "web.cors-lookalike", Text{
				FR: fmt.Sprintf("l'origine %s est admise avec les droits du patient", o.Origin),
				EN: fmt.Sprintf("origin %s is admitted with the patient's rights", o.Origin),
			}
		}
		f := At(rec, key, text).Was("—", o.AllowOrigin+" + credentials").In(header("Access-Control-Allow-Origin"))
		f.Exchange = o.Exchange
		out = append(out, f)
	}
	return out
}

// admitted: whatever method is asked for, an origin let in with credentials
// reads what a plain GET answers.
func admitted(o web.Origin) bool {
	if o.Method == http.MethodOptions && (o.Status < 200 || o.Status > 299) {
		return false // a preflight that fails lets nothing pass (Fetch, CORS-preflight)
	}
	return (o.AllowOrigin == o.Origin || o.AllowOrigin == "*") && strings.EqualFold(strings.TrimSpace(o.AllowCredentials), "true")
}
