package interop

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"

	. "github.com/onsi/ginkgo/v2"

	"github.com/etalon-sante/etalon/fixtures/data"
	"github.com/etalon-sante/etalon/sandbox/cda"
	"github.com/etalon-sante/etalon/sandbox/record"
	"github.com/etalon-sante/etalon/suites/candidate"
	"github.com/etalon-sante/etalon/suites/journey"
	. "github.com/etalon-sante/etalon/suites/lab"
	probe "github.com/etalon-sante/etalon/suites/probe/cda"
)

// clinical holds the checks of clinical documents (HL7 CDA R2). The sandbox
// judges each document when it comes in (sandbox/cda); what it found stands in
// the journal.
func clinical(l *Lab) {
	var file, sections *Scenario
	l.In("cda", func() {
		file = l.Scenario("cda-n1", "a PDF is sent as a clinical document, then once more in a new version", func(ctx context.Context, s *Stage) error {
			p, err := journey.Paired(ctx, s, Tolerant())
			if err != nil {
				return err
			}
			// The same reference is the same document: the second is its next version.
			reference := "d-" + p.Handle[len(p.Handle)-6:]
			sent := 0
			for n := range int64(2) {
				if sent, err = sendClinical(ctx, s, p, data.N1(s.SeedNumber()+n, reference, p.Person, journey.Moment(s)), sent); err != nil {
					return err
				}
			}
			return nil
		}, Needs(candidate.SendDocument), NeedsFormat(data.CDAN1))
		sections = l.Scenario("cda-n3", "a clinical document in sections is sent", func(ctx context.Context, s *Stage) error {
			p, err := journey.Paired(ctx, s, Tolerant())
			if err != nil {
				return err
			}
			_, err = sendClinical(ctx, s, p, data.N3(s.SeedNumber(), "s-"+p.Handle[len(p.Handle)-6:], p.Person, journey.Moment(s)), 0)
			return err
		}, Needs(candidate.SendDocument), NeedsFormat(data.CDAN3))
	})

	both := func() Trace { return Together(file, sections).Requests(record.RouteFeedDocument) }
	judged := func() Trace { return both().Where(judgedClinical) }
	Describe("Clinical documents", func() {
		It("says what it is", Check("INT-120.1"), Reads(file, sections), func() {
			Expect(judged().Occasion()).To(keep(cda.RuleRealm, cda.RuleTypeID, cda.RuleTemplateHL7, cda.RuleTemplateCISIS, cda.RuleTemplateBody,
				cda.RuleID, cda.RuleCode, cda.RuleTitle, cda.RuleTime, cda.RuleConfidentiality, cda.RuleLanguage, cda.RuleSetID, cda.RuleVersion, cda.RuleValueSet))
		})
		It("names who is concerned, who wrote, who keeps and who answers", Check("INT-120.2"), Reads(file, sections), func() {
			Expect(judged().Occasion()).To(keep(cda.RulePatient, cda.RulePatientID, cda.RulePatientName, cda.RuleGender, cda.RuleBirth,
				cda.RuleAuthor, cda.RuleCustodian, cda.RuleAuthenticator, cda.RuleTelecom, cda.RuleNullFlavor))
		})
		It("says what was done, and where", Check("INT-120.3"), Reads(file, sections), func() {
			Expect(judged().Occasion()).To(keep(cda.RuleEvent, cda.RuleEncounter))
		})
		It("carries an INS whose key is right", Check("INT-121.1"), Reads(file, sections), func() {
			Expect(judged().Where(withINS).Occasion()).To(keep(cda.RuleINSKey, cda.RuleINSObsolete))
		})
		It("carries the traits with the INS", Check("INT-121.2"), Reads(file, sections), func() {
			Expect(judged().Where(withINS).Occasion()).To(keep(cda.RuleINSTraits))
		})
		It("names no real person", Check("INT-121.3"), Reads(file, sections), func() {
			Expect(both().Where(readableClinical).Occasion()).To(keep(cda.RuleINSProduction))
		})
		It("is about the patient of the pairing", Check("INT-122.1"), Reads(file, sections), func() {
			Expect(judged().Occasion()).To(keep(cda.RuleOtherPatient))
		})
		It("holds a PDF that can be opened", Check("INT-123.1"), Reads(file), func() {
			Expect(file.Trace().Requests(record.RouteFeedDocument).Where(judgedClinical).Occasion()).To(keep(cda.RuleBody, cda.RuleN1Media, cda.RuleN1Content))
		})
		It("holds the PDF that was handed over", Check("INT-123.2"), Reads(file), func() {
			t := file.Trace()
			t.Requests(record.RouteFeedDocument).Where(withFile).Occasion()
			Expect(t.Actions(candidate.SendDocument)).To(sameFile(t))
		})
		It("holds sections", Check("INT-124.1"), Reads(sections), func() {
			Expect(sections.Trace().Requests(record.RouteFeedDocument).Where(judgedClinical).Occasion()).To(keep(cda.RuleBody, cda.RuleN3Sections))
		})
		It("names the document that it takes the place of", Check("INT-125.1"), Reads(file), func() {
			Expect(secondVersions(file.Trace()).Occasion()).To(replaces())
		})
		It("grows the number of the version", Check("INT-125.2"), Reads(file), func() {
			Expect(secondVersions(file.Trace()).Where(replacing).Occasion()).To(keep(cda.RuleReplacedOrder))
		})
		It("keeps the identifier that all versions share", Check("INT-125.3"), Reads(file), func() {
			Expect(secondVersions(file.Trace()).Where(replacing).Occasion()).To(keep(cda.RuleReplacedSet))
		})
		It("is XML that any reader may open", Check("INT-126.1"), Reads(file, sections), func() {
			Expect(both().Where(isClinical).Occasion()).To(keep(cda.RuleXML, cda.RuleRoot))
		})
		It("is valid by the schema at hand", Check("INT-129.1"), Reads(file, sections), func() {
			t := Together(file, sections).Probes(schemaProbe)
			t.Occasion()
			done := t.Where(func(r record.Record) bool { return schemaResult(r).Verdict != probe.NotRun })
			if done.Empty() {
				t.Untested(Text(schemaResult(t.First()).Reason))
			}
			Expect(done.Occasion()).To(beValid())
		})
		It("is sent in the form that was asked for", Check("INT-127.1"), Reads(file, sections), func() {
			for _, s := range []*Scenario{file, sections} {
				t := s.Trace()
				Expect(t.Actions(candidate.SendDocument)).To(asAsked(t))
			}
			Together(file, sections).Actions(candidate.SendDocument).Occasion()
		})
		It("is sent under a type of clinical documents", Check("INT-127.2"), Reads(file, sections), func() {
			Expect(both().Where(isClinical).Occasion()).NotTo(HaveIssue("cda.media"))
		})
	})
}

func clinicalFacts(r record.Record) *record.CDAFacts {
	if r.Exchange == nil || r.Exchange.Facts == nil {
		return nil
	}
	return r.Exchange.Facts.CDA
}

func isClinical(r record.Record) bool { return clinicalFacts(r) != nil }

func readableClinical(r record.Record) bool {
	f := clinicalFacts(r)
	return f != nil && f.Readable
}

// judgedClinical leaves out documents that were refused for the real person they
// name: of those nothing more was looked at.
func judgedClinical(r record.Record) bool { return readableClinical(r) && !clinicalFacts(r).Withheld }

func withINS(r record.Record) bool { return len(clinicalFacts(r).Patient) > 0 }

func withFile(r record.Record) bool { return judgedClinical(r) && clinicalFacts(r).FileSHA256 != "" }

func replacing(r record.Record) bool { return clinicalFacts(r).Replaces != "" }

// keep is met when a document breaks none of the rules. Warnings are no findings.
func keep(rules ...string) Finder {
	return overTrace{"keep the rules of clinical documents", func(t Trace) []Finding {
		var out []Finding
		for _, r := range t.Records {
			for _, i := range r.Exchange.Facts.Issues {
				if slices.Contains(rules, i.Rule) && i.Severity == "error" {
					out = append(out, brokenRule(r, i))
				}
			}
		}
		return out
	}}
}

func brokenRule(r record.Record, i record.Issue) Finding {
	text := Text{FR: "le document n'a pas : « " + i.Rule + " »", EN: "the document has not: \"" + i.Rule + "\""}
	for _, known := range cda.Rules() {
		if known.ID == i.Rule {
			text = Text{FR: "le document clinique devrait avoir : " + known.Expected.FR, EN: "the clinical document should have: " + known.Expected.EN}
		}
	}
	f := At(r, i.Rule, text)
	f.Pointer, f.Expected, f.Actual, f.Setting = i.Pointer, i.Expected, i.Actual, i.Setting
	return f
}

// secondVersions are the feeds of a document that was fed before.
func secondVersions(t Trace) Trace {
	fed := t.Requests(record.RouteFeedDocument).Where(judgedClinical)
	if fed.Empty() {
		return fed
	}
	fed.Records = fed.Records[1:]
	return fed
}

// replaces is met when a new version says which document it takes the place of.
func replaces() Finder {
	return overTrace{"name the document replaced", func(t Trace) []Finding {
		var out []Finding
		for _, r := range t.Records {
			if !replacing(r) {
				out = append(out, At(r, "replaces-nothing", Text{
					FR: "la nouvelle version ne dit pas quel document elle remplace", EN: "the new version does not say which document it takes the place of",
				}).Was("relatedDocument RPLC", "—").In("/ClinicalDocument/relatedDocument"))
			}
		}
		return append(out, keep(cda.RuleReplacement, cda.RuleReplacedKnown).Findings(t, false)...)
	}}
}

// askedDocument is what the pilot was asked to send.
func askedDocument(r record.Record) (data.ClinicalDocument, bool) {
	var p struct {
		Document data.ClinicalDocument `json:"document"`
	}
	if r.Pilot == nil || json.Unmarshal(r.Pilot.Payload, &p) != nil {
		return p.Document, false
	}
	return p.Document, true
}

// asAsked is met when each document left in the form asked for.
func asAsked(t Trace) Finder {
	kinds := map[string]string{data.CDAN1: "N1", data.CDAN3: "N3"}
	return Satisfy("be sent in the form asked for", func(r record.Record) *Finding {
		want, ok := askedDocument(r)
		if !ok {
			return nil
		}
		seen := t.During(r).Requests(record.RouteFeedDocument).Where(succeeded)
		for _, x := range seen.Records {
			if f := clinicalFacts(x); f != nil && f.Kind == kinds[want.Format] {
				return nil
			}
		}
		actual := "—"
		if !seen.Empty() {
			actual = "?"
			if f := clinicalFacts(seen.Last()); f != nil {
				actual = f.Kind
			}
		}
		return At(r, "clinical-document-not-sent", Text{
			FR: fmt.Sprintf("le document clinique demandé (%s) n'est pas arrivé sous cette forme : réponse « %s »", want.Format, r.Pilot.Status),
			EN: fmt.Sprintf("the clinical document asked for (%s) did not arrive in that form: answered %q", want.Format, r.Pilot.Status),
		}).Was(kinds[want.Format], actual).Ptr()
	})
}

// sameFile is met when the PDF inside of each document is the one handed over.
func sameFile(t Trace) Finder {
	return Satisfy("same file", func(r record.Record) *Finding {
		want, ok := askedDocument(r)
		fed := t.During(r).Requests(record.RouteFeedDocument).Where(withFile)
		if !ok || fed.Empty() {
			return nil
		}
		sum := sha256.Sum256(want.Content)
		got := clinicalFacts(fed.Last())
		if got.FileSHA256 == hex.EncodeToString(sum[:]) {
			return nil
		}
		return At(fed.Last(), "file-changed", Text{
			FR: "le PDF du document clinique n'est pas, octet pour octet, celui qui a été confié au service", EN: "the PDF in the clinical document is not, byte for byte, the one that the service was handed",
		}).Was(fmt.Sprintf("%d octets", len(want.Content)), fmt.Sprintf("%d octets", got.FileBytes)).In("/ClinicalDocument/component/nonXMLBody/text").Ptr()
	})
}
