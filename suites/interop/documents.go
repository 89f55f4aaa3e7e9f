package interop

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"

	"github.com/etalon-sante/etalon/fixtures/data"
	"github.com/etalon-sante/etalon/sandbox/record"
	"github.com/etalon-sante/etalon/suites/candidate"
	"github.com/etalon-sante/etalon/suites/journey"
	. "github.com/etalon-sante/etalon/suites/lab"
)

// notMedical is the category of administrative documents.
const notMedical = "DOC_ADM"

func documents(l *Lab) {
	const category = "CPT_REND"
	seed := func(ctx context.Context, s *Stage, p *Patient) error {
		_, err := s.Seed(ctx, p, seeded(data.Documents(s.SeedNumber(), 3, journey.Moment(s))))
		return err
	}
	var fed, listed, read, administrative *Scenario
	l.In("documents", func() {
		fed = l.Scenario("document-feed", "a report is fed as a document", func(ctx context.Context, s *Stage) error {
			p, err := journey.Paired(ctx, s, Tolerant())
			if err != nil {
				return err
			}
			_, err = s.Do(ctx, p, candidate.SendDocument, map[string]any{"document": data.PDF(s.SeedNumber(), category, journey.Moment(s))})
			return err
		}, Needs(candidate.SendDocument))
		listed = l.Scenario("document-search", "the documents of the last months are listed", func(ctx context.Context, s *Stage) error {
			p, err := journey.Paired(ctx, s, Tolerant())
			if err != nil {
				return err
			}
			if err := seed(ctx, s, p); err != nil {
				return err
			}
			_, err = s.Do(ctx, p, candidate.SearchDocuments, map[string]any{"from": journey.Moment(s).AddDate(0, -3, 0).Format(time.RFC3339)})
			return err
		}, Needs(candidate.SearchDocuments))
		read = l.Scenario("document-read", "the first document that is listed is read", func(ctx context.Context, s *Stage) error {
			p, err := journey.Paired(ctx, s, Tolerant())
			if err != nil {
				return err
			}
			if err := seed(ctx, s, p); err != nil {
				return err
			}
			a, err := s.Must(ctx, p, candidate.SearchDocuments, map[string]any{"from": journey.Moment(s).AddDate(0, -3, 0).Format(time.RFC3339)})
			if err != nil {
				return err
			}
			var list struct {
				Documents []struct {
					ID string `json:"id"`
				} `json:"documents"`
			}
			if err := json.Unmarshal(a.Data, &list); err != nil || len(list.Documents) == 0 {
				return &Ending{Outcome: CandidateFailed, Action: candidate.SearchDocuments, Reason: "lists no document although the record holds some", French: "aucun document n'est listé alors que le dossier en contient"}
			}
			_, err = s.Do(ctx, p, candidate.ReadDocument, map[string]any{"id": list.Documents[0].ID})
			return err
		}, Needs(candidate.ReadDocument))
	})

	l.In("documents", func() {
		administrative = l.Scenario("document-administrative", "documents are listed from a record that holds an administrative one", func(ctx context.Context, s *Stage) error {
			p, err := journey.Paired(ctx, s, Tolerant())
			if err != nil {
				return err
			}
			at := journey.Moment(s)
			mixed := data.Documents(s.SeedNumber(), 2, at)
			mixed.Documents = append(mixed.Documents, data.DocumentReference(data.PDF(s.SeedNumber(), notMedical, at)))
			if _, err := s.Seed(ctx, p, seeded(mixed)); err != nil {
				return err
			}
			_, err = s.Do(ctx, p, candidate.SearchDocuments, map[string]any{"from": at.AddDate(0, -3, 0).Format(time.RFC3339)})
			return err
		}, Needs(candidate.SearchDocuments))
	})

	Describe("Documents", func() {
		It("leaves administrative documents out", Check("INT-65.1"), Reads(administrative), func() {
			t := administrative.Trace()
			t.Requests(record.RouteSearchDocuments).Where(func(r record.Record) bool {
				return succeeded(r) && r.Exchange.Response.Body != nil && strings.Contains(r.Exchange.Response.Body.Text, notMedical)
			}).Occasion()
			Expect(t.Actions(candidate.SearchDocuments).Where(answered).Occasion()).To(Satisfy("no administrative document", func(r record.Record) *Finding {
				v, err := decode(r.Pilot.Data)
				if err != nil {
					return nil
				}
				list, _ := at(v, "documents").([]any)
				for i, d := range list {
					if at(d, "category") == notMedical {
						return At(r, "administrative-document-shown", Text{
							FR: "le service montre un document administratif", EN: "the service shows an administrative document",
						}).Was("—", fmt.Sprint(at(d, "title"))).In(fmt.Sprintf("/data/documents/%d", i)).Ptr()
					}
				}
				return nil
			}))
		})
		It("feeds a document as it claims", Check("INT-60.1"), Reads(fed), Claims(candidate.SendDocument), func() {
			t := fed.Trace()
			t.Actions(candidate.SendDocument).Occasion()
			Expect(t.Actions(candidate.SendDocument)).To(answerDone())
			Expect(t).To(haveSucceeded(record.RouteFeedDocument))
		})
		It("lists documents as it claims", Check("INT-61.1"), Reads(listed), Claims(candidate.SearchDocuments), func() {
			t := listed.Trace()
			t.Actions(candidate.SearchDocuments).Occasion()
			Expect(t.Actions(candidate.SearchDocuments)).To(answerDone())
			Expect(t).To(haveSucceeded(record.RouteSearchDocuments))
		})
		It("reads a document as it claims", Check("INT-62.1"), Reads(read), Claims(candidate.ReadDocument), func() {
			t := read.Trace()
			// The scenario may have ended at the search: that, too, is the
			// reading of documents not done.
			t.Actions(candidate.SearchDocuments, candidate.ReadDocument).Occasion()
			Expect(t.Actions(candidate.SearchDocuments, candidate.ReadDocument)).To(answerDone())
			Expect(t).To(haveSucceeded(record.RouteReadDocument))
			Expect(t.Actions(candidate.ReadDocument)).To(sameBytes(t))
		})
		It("files a document under one of the categories", Check("INT-63.1"), Free(), Reads(fed), func() {
			Expect(Together(fed).Requests(record.RouteFeedDocument).Occasion()).NotTo(HaveIssue("document.category"))
		})
		It("joins the document's bytes with their type", Check("INT-63.2"), Free(), Reads(fed), func() {
			Expect(Together(fed).Requests(record.RouteFeedDocument).Occasion()).NotTo(HaveIssue("document.json", "document.attachment", "document.format", "document.size", "document.hash"))
		})
		It("lists documents of the patient of the pairing", Check("INT-64.1"), Free(), Reads(listed), func() {
			Expect(Together(listed).Requests(record.RouteSearchDocuments).Occasion()).NotTo(HaveIssue("docsearch.patient"))
		})
		// Doctrine of exchanges, "donnant-donnant": reading is open to a service
		// that itself shares.
		It("shares documents if it reads them", Check("INT-66.1"), Free(), Reads(fed, read), func() {
			read.Trace().Requests(record.RouteReadDocument, record.RouteSearchDocuments).Occasion()
			if l.FreeUse() {
				// Nobody asked it to feed: that it did is what can be seen.
				fed.Trace().Requests(record.RouteFeedDocument).Where(succeeded).Occasion()
			} else if !fed.Trace().Empty() {
				// It claims to feed: that it was asked to is needed. Without the
				// claim, that nothing was fed is what there is to find.
				fed.Trace().Actions(candidate.SendDocument).Occasion()
			}
			Expect(fed.Trace()).To(haveSucceeded(record.RouteFeedDocument))
		})
	})
}

// sameBytes is met when the document that the service shows is the one that the
// sandbox served.
func sameBytes(t Trace) Finder {
	return Satisfy("same bytes", func(r record.Record) *Finding {
		if !answered(r) {
			return nil
		}
		served := t.During(r).Requests(record.RouteReadDocument).Where(succeeded)
		if served.Empty() {
			return nil
		}
		v, err := decode(r.Pilot.Data)
		if err != nil {
			return nil
		}
		content, _ := at(v, "content").(string)
		if d, ok := document(served.Last()); ok && bodyLeftOut(served.Last()) {
			return shownAs(served.Last(), d, content)
		}
		got, err := unbase64(content)
		want := bytesOf(served.Last())
		if err == nil && bytes.Equal(got, want) {
			return nil
		}
		return At(served.Last(), "document-changed", Text{
			FR: "le document montré n'est pas, octet pour octet, celui qui a été servi", EN: "the document shown is not, byte for byte, the one that was served",
		}).Was(fmt.Sprintf("%d octets", len(want)), fmt.Sprintf("%d octets", len(got))).Ptr()
	})
}
