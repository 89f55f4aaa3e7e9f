package interop

import (
	"context"
	"encoding/json"

	"github.com/etalon-sante/etalon/fixtures/data"
	"github.com/etalon-sante/etalon/sandbox/cda"
	"github.com/etalon-sante/etalon/sandbox/record"
	"github.com/etalon-sante/etalon/suites/candidate"
	. "github.com/etalon-sante/etalon/suites/lab"
	probe "github.com/etalon-sante/etalon/suites/probe/cda"
)

// schemaProbe is the kind of the probe that holds what xmllint said of a document.
const schemaProbe = "cda-schema"

// sendClinical asks for a clinical document, and validates what left; before is
// how many documents of the patient arrived earlier. It returns how many have now.
func sendClinical(ctx context.Context, s *Stage, p *Patient, d data.ClinicalDocument, before int) (int, error) {
	a, err := s.Do(ctx, p, candidate.SendDocument, map[string]any{"document": d})
	if err != nil || a.Status != "done" {
		return before, err // a document that did not leave is another check's
	}
	var fed Trace
	s.Await(ctx, "the clinical document", func(t Trace) bool {
		fed = t.Of(p.Handle).Requests(record.RouteFeedDocument).Where(succeeded)
		return fed.Len() > before
	})
	if fed.Len() <= before {
		return before, nil
	}
	last := fed.Last()
	content, why := clinicalContent(last)
	result := probe.Result{Verdict: probe.NotRun, Reason: why, Messages: []string{}}
	if content != nil {
		result = probe.Validate(ctx, probe.Options{Schema: s.CDASchema()}, content)
	}
	return fed.Len(), s.Probe(schemaProbe, last.Exchange.ID, result, nil)
}

// clinicalContent takes the document out of a feed. xmllint is given only what
// was read strictly before: no document type, no entity.
func clinicalContent(r record.Record) ([]byte, probe.Text) {
	contents, _ := at(sent(r), "content").([]any)
	if len(contents) == 0 {
		return nil, probe.Text{FR: "le message est trop long pour que le journal en garde le document, ou n'en porte pas", EN: "the message is too long for the journal to keep its document, or carries none"}
	}
	encoded, _ := at(contents[0], "attachment", "data").(string)
	content, err := unbase64(encoded)
	if err == nil {
		_, err = cda.Read(content)
	}
	if err != nil {
		return nil, probe.Text{FR: "le document ne se lit pas comme un document clinique", EN: "the document does not read as a clinical document"}
	}
	return content, probe.Text{}
}

func schemaResult(r record.Record) probe.Result {
	var out probe.Result
	if err := json.Unmarshal(r.Probe.Data, &out); err != nil {
		out.Verdict = probe.NotRun
	}
	return out
}

// beValid is met when xmllint found each document valid.
func beValid() Finder {
	return Satisfy("be valid", func(r record.Record) *Finding {
		got := schemaResult(r)
		if got.Verdict != probe.Invalid {
			return nil
		}
		actual := "—"
		if len(got.Messages) > 0 {
			actual = got.Messages[0]
		}
		f := At(r, "cda-schema", Text{
			FR: "le document clinique n'est pas valide selon le schéma " + got.Schema, EN: "the clinical document is not valid by the schema " + got.Schema,
		}).Was(got.Schema, actual)
		f.Exchange = r.Probe.Target
		return f.Ptr()
	})
}
