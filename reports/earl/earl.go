// Package earl writes the report in EARL 1.0, the vocabulary of the W3C in which
// evaluations are told, as JSON-LD.
//
// An assertion says that somebody tried a test on a subject, in which way and
// with what outcome. There is one for each check, one for each requirement, whose
// test the checks' tests are part of. The verdicts become:
//
//	verdict                       outcome             mode
//	conformant                    earl:passed         earl:automatic, or that of the check
//	nonconformant                 earl:failed         as above
//	deviation                     earl:cantTell; in a strict run earl:failed
//	to-review                     earl:cantTell       earl:semiAuto
//	attested                      earl:passed         earl:manual, asserted by the editor and not by Étalon
//	not-applicable, not-in-force  earl:inapplicable
//	untested, excluded, error     earl:untested
//
// The verdict itself stands beside the outcome (etalon:verdict). A requirement's
// assertion is told by what it rests on: automatic, unless a person takes part.
//
// The @context is in the file: nothing is fetched to read it. Sentences are in
// both languages, whichever the run speaks. Who declared something is named by
// his role only.
package earl

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/url"

	"github.com/etalon-sante/etalon/reports"
	"github.com/etalon-sante/etalon/reports/internal/plain"
	"github.com/etalon-sante/etalon/reports/internal/rows"
	"github.com/etalon-sante/etalon/reports/words"
)

// File is the name of the file in a run folder.
const File = "earl.jsonld"

// Names under which what étalon speaks of is known.
const (
	base        = "https://etalon-sante.github.io/etalon/"
	vocabulary  = base + "ns#"
	maxSentence = 4 << 10 // bytes of one description
)

// context says what the keys of the file mean.
func context() map[string]any {
	both := func(id string) map[string]any { return map[string]any{"@id": id, "@container": "@language"} }
	to := func(id string) map[string]any { return map[string]any{"@id": id, "@type": "@id"} }
	term := func(id string) map[string]any { return map[string]any{"@id": id, "@type": "@vocab"} }
	typed := func(id, kind string) map[string]any { return map[string]any{"@id": id, "@type": "xsd:" + kind} }
	return map[string]any{
		"earl": "http://www.w3.org/ns/earl#", "dct": "http://purl.org/dc/terms/", "doap": "http://usefulinc.com/ns/doap#", "foaf": "http://xmlns.com/foaf/0.1/",
		"xsd": "http://www.w3.org/2001/XMLSchema#", "etalon": vocabulary,
		"assertedBy": to("earl:assertedBy"), "subject": to("earl:subject"), "test": to("earl:test"), "mode": term("earl:mode"), "outcome": term("earl:outcome"),
		"result": "earl:result", "title": both("dct:title"), "description": both("dct:description"), "date": typed("dct:date", "dateTime"),
		"identifier": "dct:identifier", "isPartOf": to("dct:isPartOf"), "hasPart": to("dct:hasPart"), "source": to("dct:source"), "name": "foaf:name", "version": "doap:revision",
		"homepage": to("foaf:homepage"), "publisher": "dct:publisher", "verdict": "etalon:verdict", "exitCode": typed("etalon:exitCode", "integer"),
		"blocking": typed("etalon:blocking", "boolean"), "seed": typed("etalon:seed", "integer"), "partial": typed("etalon:partial", "boolean"),
		"strict": typed("etalon:strict", "boolean"), "summary": "etalon:summary", "count": typed("etalon:count", "integer"),
		"info": both("earl:info"),
	}
}

// node is an object of the graph.
type node map[string]any

// both is a text in both languages, where it has any.
func both(fr, en string) map[string]string {
	out := map[string]string{}
	for lang, s := range map[string]string{"fr": fr, "en": en} {
		if s = plain.Cut(plain.Text(s), maxSentence); s != "" {
			out[lang] = s
		}
	}
	return out
}

func of(t reports.Text) map[string]string {
	return both(words.FR.Typeset(t.FR), words.EN.Typeset(t.EN))
}

// Write writes the report as JSON-LD. Its sentences are in both languages; lang
// is that of the run, and only has to be one of them.
func Write(w io.Writer, r reports.Report, lang string) error {
	if _, err := words.Parse(lang); err != nil {
		return fmt.Errorf("write %s: %w", File, err)
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(map[string]any{"@context": context(), "@graph": graph(reports.Shown(r))}); err != nil {
		return fmt.Errorf("write %s: %w", File, err)
	}
	if _, err := w.Write(b.Bytes()); err != nil {
		return fmt.Errorf("write %s: %w", File, err)
	}
	return nil
}

func graph(r reports.Report) []node {
	service := r.Candidate.Service
	run := base + "run/" + segment(r.Run.ID)
	subject, harness, editor := run+"#service", run+"#harness", run+"#editor"
	date := r.Run.Started.Format("2006-01-02T15:04:05.000Z")
	counts := []node{}
	for _, v := range reports.Verdicts() {
		counts = append(counts, node{"verdict": v, "count": r.Summary[v]})
	}
	nodes := []node{
		{
			"@id": run, "@type": "etalon:Run", "identifier": plain.Line(r.Run.ID), "date": date, "verdict": r.Verdict, "exitCode": r.ExitCode, "seed": r.Run.Seed,
			"partial": r.Run.Partial, "strict": r.Run.Strict, "summary": counts,
			"title":       both(words.FR.Typeset(words.FR.Verdict(r)), words.EN.Typeset(words.EN.Verdict(r))),
			"description": both(words.FR.Typeset(words.FR.Independent()), words.EN.Typeset(words.EN.Independent())),
		},
		{"@id": harness, "@type": []string{"earl:Assertor", "earl:Software"}, "name": "Étalon", "version": plain.Line(r.Run.Harness.Version), "homepage": "https://github.com/etalon-sante/etalon"},
		{"@id": editor, "@type": []string{"earl:Assertor", "foaf:Organization"}, "name": plain.Line(r.Candidate.Editor.Name)},
		{"@id": subject, "@type": []string{"earl:TestSubject", "earl:Software"}, "name": plain.Line(service.Name), "version": plain.Line(service.Version), "publisher": node{"@id": editor}},
	}
	by := func(v reports.Verdict) string {
		if v == reports.Attested {
			return editor
		}
		return harness
	}
	for _, res := range r.Results {
		id := base + "requirement/" + segment(res.Requirement)
		parts := []string{}
		for _, c := range res.Checks {
			check := base + "check/" + segment(c.ID)
			parts = append(parts, check)
		}
		test := node{
			"@id": id, "@type": "earl:TestRequirement", "identifier": plain.Line(res.Requirement), "title": of(res.Title), "description": of(res.Statement), "hasPart": parts,
		}
		if sources := links(res.Sources); len(sources) > 0 {
			test["source"] = sources
		}
		nodes = append(nodes, test, assertion(run+"#requirement-"+segment(res.Requirement), id, subject, by(res.Verdict), modeOf(res.Verification, res.Verdict), date, r.Run.Strict, rows.Row{
			ID: res.Requirement, Verdict: known(res.Verdict), Result: &res,
		}, true))
	}
	for _, x := range rows.Of(r) {
		if x.Check == nil {
			continue
		}
		id := base + "check/" + segment(x.ID)
		nodes = append(nodes, node{"@id": id, "@type": "earl:TestCase", "identifier": plain.Line(x.ID), "title": of(x.Title), "isPartOf": base + "requirement/" + segment(x.Result.Requirement)},
			assertion(run+"#check-"+segment(x.ID), id, subject, by(x.Verdict), modeOf(x.Result.Verification, x.Verdict), date, r.Run.Strict, x, false))
	}
	return nodes
}

func assertion(id, test, subject, by, mode, date string, strict bool, x rows.Row, whole bool) node {
	result := node{
		"@type": "earl:TestResult", "outcome": outcome(x.Verdict, strict), "verdict": x.Verdict, "date": date,
		"info": both(x.Why(words.FR), x.Why(words.EN)),
	}
	if whole {
		result["blocking"] = x.Result.Blocking
	}
	return node{"@id": id, "@type": "earl:Assertion", "assertedBy": by, "subject": subject, "test": test, "mode": mode, "result": result}
}

func known(v reports.Verdict) reports.Verdict {
	if v.Known() {
		return v
	}
	return reports.Error
}

// outcome is the one table from verdicts to the outcomes of EARL.
func outcome(v reports.Verdict, strict bool) string {
	switch v {
	case reports.Conformant, reports.Attested:
		return "earl:passed"
	case reports.Nonconformant:
		return "earl:failed"
	case reports.Deviation:
		if strict {
			return "earl:failed"
		}
		return "earl:cantTell"
	case reports.ToReview:
		return "earl:cantTell"
	case reports.NotApplicable, reports.NotInForce:
		return "earl:inapplicable"
	}
	return "earl:untested" // untested, excluded, error, and any verdict that does not exist
}

// modeOf says who took part in the test.
func modeOf(verification string, v reports.Verdict) string {
	switch {
	case v == reports.Attested:
		return "earl:manual"
	case v == reports.ToReview, verification == "assisted":
		return "earl:semiAuto"
	case verification == "declared", verification == "excluded":
		return "earl:undisclosed"
	}
	return "earl:automatic"
}

// links are the addresses of the sources that have one.
func links(sources []reports.Source) []string {
	var out []string
	for _, s := range sources {
		if u, err := url.Parse(s.Link); err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && plain.Line(s.Link) == s.Link {
			out = append(out, u.String())
		}
	}
	return out
}

// segment is text as a part of an address: a reader of JSON-LD takes it for a name.
func segment(s string) string { return plain.Segment(s) }
