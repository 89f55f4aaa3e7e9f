package interop

import (
	"context"
	"fmt"
	"maps"
	"net/url"
	"slices"

	. "github.com/onsi/ginkgo/v2"

	"github.com/etalon-sante/etalon/fixtures/data"
	"github.com/etalon-sante/etalon/sandbox/control"
	"github.com/etalon-sante/etalon/sandbox/record"
	"github.com/etalon-sante/etalon/suites/candidate"
	"github.com/etalon-sante/etalon/suites/journey"
	. "github.com/etalon-sante/etalon/suites/lab"
)

// manyDocuments is more than the largest page of a search of documents (setting
// document.count-max), so that whoever pages, pages.
const manyDocuments = 105

// unknownCategory is none of the fifteen: Mon espace santé may come to have
// others than those of today.
const unknownCategory = "PLAN_SOIN"

func documentListing(l *Lab) {
	var odd, many, unread, cut *Scenario
	l.In("document-edge", func() {
		odd = l.Scenario("document-edge-list", "a record without documents is listed; then one with odd titles, an unknown category and the largest document, which is read", listOdd, Needs(candidate.SearchDocuments, candidate.ReadDocument))
		many = l.Scenario("document-edge-paged", "documents of several pages are listed", func(ctx context.Context, s *Stage) error {
			p, err := journey.Paired(ctx, s, Tolerant())
			if err != nil {
				return err
			}
			if _, err := s.Seed(ctx, p, seeded(data.Documents(s.SeedNumber(), manyDocuments, journey.Moment(s)))); err != nil {
				return err
			}
			_, err = searchAll(ctx, s, p)
			return err
		}, Needs(candidate.SearchDocuments))
		unread = l.Scenario("document-reading-closed", "reading documents is not open to the service: they are to be searched, then one is to be fed", readingClosed, Needs(candidate.SearchDocuments, candidate.SendDocument))
		cut = l.Scenario("document-access-cut", "the access of the service to documents is cut", cutAccess, Needs(candidate.SearchDocuments))
	})
	Describe("Listing documents", func() {
		It("shows titles, types and sizes as they were served", Check("INT-112.1"), Reads(odd), func() {
			t := odd.Trace()
			Expect(t.Actions(candidate.SearchDocuments).Where(func(r record.Record) bool { return len(shownDocuments(r)) > 0 }).Occasion()).To(Satisfy("as served", func(r record.Record) *Finding {
				served := map[string]record.DocumentFacts{}
				for _, x := range t.Requests(record.RouteSearchDocuments).Records {
					for _, d := range documentsIn(x) {
						served[d.Title] = d
					}
				}
				for i, d := range shownDocuments(r) {
					was, ok := served[d.Title]
					where := fmt.Sprintf("/data/documents/%d", i)
					switch {
					case !ok:
						return At(r, "title-changed", Text{
							FR: "un titre montré n’est celui d’aucun document servi", EN: "a title shown is that of no document served",
						}).Was(titles(served), d.Title).In(where + "/title").Ptr()
					case d.ContentType != "" && d.ContentType != was.Media:
						return At(r, "type-changed", Text{
							FR: "le type montré n’est pas celui du document", EN: "the type shown is not the document's",
						}).Was(was.Media, d.ContentType).In(where + "/contentType").Ptr()
					case d.Size != "" && canonical(d.Size.String()) != fmt.Sprint(was.Size):
						return At(r, "size-changed", Text{
							FR: "la taille montrée n’est pas celle du document", EN: "the size shown is not the document's",
						}).Was(fmt.Sprint(was.Size), d.Size.String()).In(where + "/size").Ptr()
					}
				}
				return nil
			}))
		})
		It("bears a category that it does not know", Check("INT-113.1"), Reads(odd), func() {
			t := odd.Trace()
			searches := t.Requests(record.RouteSearchDocuments).Where(func(r record.Record) bool { return len(documentsIn(r)) > 0 }).Occasion()
			full := t.Actions(candidate.SearchDocuments).After(t.Marks("seed").First()).Occasion()
			Expect(full).To(answerDone())
			Expect(full.Where(answered)).To(Satisfy("the others shown", func(r record.Record) *Finding {
				here := map[string]bool{}
				for _, d := range shownDocuments(r) {
					here[d.Title] = true
				}
				for _, x := range searches.Records {
					for _, d := range documentsIn(x) {
						if d.Category != "" && !here[d.Title] {
							return At(r, "document-missing", Text{
								FR: "à côté d’un document de catégorie inconnue, un autre n’est pas montré", EN: "beside a document of an unknown category, another one is not shown",
							}).Was(d.Title, "—").Ptr()
						}
					}
				}
				return nil
			}))
		})
		It("shows an empty record as empty, not as an error", Check("INT-114.1"), Reads(odd), func() {
			t := odd.Trace()
			seed := t.Marks("seed").First()
			if t.Marks("seed").Empty() {
				t.Marks("none").Occasion()
			}
			t.Before(seed).Requests(record.RouteSearchDocuments).Where(succeeded).Occasion()
			empty := t.Before(seed).Actions(candidate.SearchDocuments).Occasion()
			Expect(empty).To(answerDone())
			Expect(empty.Where(answered)).To(Satisfy("nothing shown", func(r record.Record) *Finding {
				if n := len(shownDocuments(r)); n > 0 {
					return At(r, "documents-of-nowhere", Text{
						FR: "des documents sont montrés alors que le dossier n’en contient pas", EN: "documents are shown although the record holds none",
					}).Was("0", fmt.Sprint(n)).Ptr()
				}
				return nil
			}))
		})
		It("shows the largest document byte for byte", Check("INT-115.1"), Reads(odd), func() {
			t := odd.Trace()
			read := t.Actions(candidate.ReadDocument).Where(func(r record.Record) bool {
				return !t.During(r).Requests(record.RouteReadDocument).Where(isLarge).Empty()
			}).Occasion()
			Expect(read).To(answerDone())
			Expect(read).To(sameBytes(t))
		})
		It("lists every page", Check("INT-116.1"), Reads(many), func() {
			t := many.Trace()
			t.Requests(record.RouteSearchDocuments).Where(succeeded).Occasion()
			Expect(t.Actions(candidate.SearchDocuments).Where(answered).Occasion()).To(Satisfy("all shown", func(r record.Record) *Finding {
				if n := len(shownDocuments(r)); n != manyDocuments {
					return At(r, "documents-missing", Text{
						FR: "la liste montrée ne compte pas tous les documents du dossier", EN: "the list shown does not count all documents of the record",
					}).Was(fmt.Sprint(manyDocuments), fmt.Sprint(n)).Ptr()
				}
				return nil
			}))
		})
		It("stops at the last page", Check("INT-116.2"), Reads(many), func() {
			t := many.Trace().Requests(record.RouteSearchDocuments).Where(succeeded)
			last := t.Where(isLastPage).Occasion().First()
			Expect(t.After(last)).To(BeEmpty("search-goes-on", Text{
				FR: "après la dernière page, la recherche continue", EN: "after the last page the search goes on",
			}))
		})
	})
	Describe("A reading that is not open", func() {
		refused := func() Trace {
			t := unread.Trace()
			t.Requests(record.RouteSearchDocuments).Answered(403).Occasion()
			return t
		}
		It("does not end writing", Check("INT-187.1"), Reads(unread), func() {
			t := refused()
			t.Actions(candidate.SendDocument).Occasion()
			Expect(t).To(haveSucceeded(record.RouteFeedDocument))
		})
		It("is not presented as an empty record", Check("INT-187.2"), Reads(unread), func() {
			Expect(refused().Actions(candidate.SearchDocuments).Occasion()).To(notDone("closed-reading-shown-as-success", Text{
				FR: "la recherche refusée parce que la lecture n’est pas ouverte est annoncée comme faite", EN: "the search refused because reading is not open is announced as done",
			}))
		})
	})
	Describe("A cut access", func() {
		refused := func() (Trace, Trace) {
			t := cut.Trace()
			act, ok := t.Marked(control.ActCutAccess)
			if !ok {
				t.Marks("none").Occasion()
			}
			t = t.After(act)
			t.Requests(documentRoutes()...).Answered(403).Occasion()
			return t, t.Actions(candidate.SendDocument, candidate.SearchDocuments).Occasion()
		}
		It("is not insisted upon", Check("INT-118.1"), Reads(cut), func() {
			t, actions := refused()
			for _, r := range actions.Records {
				Expect(t.During(r).Requests(documentRoutes()...)).To(HaveAtMost(1, "cut-access-insisted", Text{
					FR: "un appel refusé parce que l’accès est coupé est répété", EN: "a call refused because access is cut is repeated",
				}))
			}
		})
		It("is not presented as a success", Check("INT-118.2"), Reads(cut), func() {
			_, actions := refused()
			Expect(actions).To(notDone("cut-access-shown-as-success", Text{
				FR: "l’échange refusé parce que l’accès est coupé est annoncé comme fait", EN: "the exchange refused because access is cut is announced as done",
			}))
		})
		It("is told to the patient", Check("INT-119.1"), Reads(cut), func() {
			t, actions := refused()
			Expect(actions.Where(func(r record.Record) bool { return r.Pilot.Status != "done" }).Occasion()).To(Satisfy("tell", told(t.Actions(candidate.Status), "cut-access-not-told", Text{
				FR: "l’accès est coupé sans que le patient en soit averti", EN: "access is cut without telling the patient",
			})))
		})
	})
}

func documentRoutes() []record.Route {
	return []record.Route{record.RouteFeedDocument, record.RouteSearchDocuments, record.RouteReadDocument}
}

func isLarge(r record.Record) bool {
	d, ok := document(r)
	return ok && succeeded(r) && d.Size >= mostBytes
}

// isLastPage reads, of a page's request, that no document follows: an answer of
// this size is not kept.
func isLastPage(r record.Record) bool {
	u, err := url.Parse(r.Exchange.Request.URL)
	if err != nil {
		return false
	}
	q := u.Query()
	offset, count := 0, 50 // setting document.count-default
	_, _ = fmt.Sscan(q.Get("_offset"), &offset)
	_, _ = fmt.Sscan(q.Get("_count"), &count)
	return (offset+1)*count >= manyDocuments
}

func titles(served map[string]record.DocumentFacts) string {
	return quote(sortedKeys(served))
}

func listOdd(ctx context.Context, s *Stage) error {
	p, err := journey.Paired(ctx, s, Tolerant())
	if err != nil {
		return err
	}
	if _, err := searchAll(ctx, s, p); err != nil {
		return err
	}
	at := journey.Moment(s)
	var seed control.Seed
	for _, d := range data.Formats(s.SeedNumber(), at) {
		seed.Documents = append(seed.Documents, data.DocumentReference(d))
	}
	seed.Documents = append(seed.Documents,
		data.DocumentReference(data.PDF(s.SeedNumber(), unknownCategory, at)),
		data.DocumentReference(data.Large(s.SeedNumber(), "AUTR_DOC", at, mostBytes)))
	seed.Tolerate = []string{"document.category"}
	if _, err := s.Seed(ctx, p, seed); err != nil {
		return err
	}
	a, err := searchAll(ctx, s, p)
	if err != nil {
		return err
	}
	large := data.Large(s.SeedNumber(), "AUTR_DOC", at, 1000).Title
	for _, d := range documentsOf(a.Data) {
		if d.Title == large {
			_, err := s.Do(ctx, p, candidate.ReadDocument, map[string]any{"id": d.ID})
			return err
		}
	}
	return nil
}

func readingClosed(ctx context.Context, s *Stage) error {
	p, err := journey.Paired(ctx, s, Tolerant())
	if err != nil {
		return err
	}
	if _, err := s.Seed(ctx, p, seeded(data.Documents(s.SeedNumber(), 2, journey.Moment(s)))); err != nil {
		return err
	}
	if err := s.Happen(ctx, p, control.Act{Kind: control.ActCloseReading}); err != nil {
		return err
	}
	if _, err := searchAll(ctx, s, p); err != nil {
		return err
	}
	_, err = s.Do(ctx, p, candidate.SendDocument, map[string]any{"document": data.PDF(s.SeedNumber(), "CPT_REND", journey.Moment(s))})
	return err
}

func cutAccess(ctx context.Context, s *Stage) error {
	p, err := journey.Paired(ctx, s)
	if err != nil {
		return err
	}
	if _, err := s.Seed(ctx, p, seeded(data.Documents(s.SeedNumber(), 3, journey.Moment(s)))); err != nil {
		return err
	}
	if _, err := listDocuments(ctx, s, p, 0); err != nil {
		return err
	}
	if err := s.Happen(ctx, p, control.Act{Kind: control.ActCutAccess}); err != nil {
		return err
	}
	if s.Candidate().Claims.Writes("documents") {
		if _, err := s.Do(ctx, p, candidate.SendDocument, map[string]any{"document": data.PDF(s.SeedNumber(), "CPT_REND", journey.Moment(s))}); err != nil {
			return err
		}
	}
	if _, err := searchAll(ctx, s, p); err != nil {
		return err
	}
	return journey.Status(ctx, s, p)
}

func sortedKeys(m map[string]record.DocumentFacts) []string {
	return slices.Sorted(maps.Keys(m))
}
