package interop

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	. "github.com/onsi/ginkgo/v2"

	"github.com/etalon-sante/etalon/fixtures/data"
	"github.com/etalon-sante/etalon/sandbox/control"
	"github.com/etalon-sante/etalon/sandbox/record"
	"github.com/etalon-sante/etalon/suites/candidate"
	"github.com/etalon-sante/etalon/suites/journey"
	. "github.com/etalon-sante/etalon/suites/lab"
)

// withdrawal is the document that a patient stops sharing, noted by the
// scenario: by the sandbox's id, and by what the service shows of it.
type withdrawal struct {
	ID    string `json:"id"`    // of the sandbox
	Shown string `json:"shown"` // id in the service
	Title string `json:"title"`
	Other string `json:"other"` // id in the service of a document that stays shared
}

const withdrawnNote = "withdrawn"

func documentConsent(l *Lab) {
	var shared *Scenario
	l.In("document-consent", func() {
		shared = l.Scenario("document-withdrawn", "a document that was read is no longer shared, then is shared again", withdrawOne, Needs(candidate.SearchDocuments, candidate.ReadDocument))
	})
	// told is the withdrawal, and what was recorded until the document was
	// shared again.
	told := func() (withdrawal, Trace) {
		t := shared.Trace()
		note, ok := t.Marked(withdrawnNote)
		if !ok {
			t.Marks("none").Occasion()
		}
		var w withdrawal
		if err := json.Unmarshal(note.Mark.Data, &w); err != nil {
			panic(err) // our own note
		}
		since := t.After(note)
		if again, ok := since.Marked(control.ActShareDocument); ok {
			since = since.Before(again)
		}
		return w, since
	}
	reading := func(t Trace, id string) Trace {
		return t.Actions(candidate.ReadDocument).Where(func(r record.Record) bool { return askedID(r) == id })
	}
	Describe("A document that is no longer shared", func() {
		It("is no longer listed", Check("INT-100.1"), Reads(shared), func() {
			w, t := told()
			Expect(t.Actions(candidate.SearchDocuments).Where(answered).Occasion()).To(Satisfy("not listed", func(r record.Record) *Finding {
				for _, d := range shownDocuments(r) {
					if d.ID == w.Shown || d.Title == w.Title {
						return At(r, "withdrawn-document-listed", Text{
							FR: "un document que le patient ne partage plus est encore montré dans la liste", EN: "a document that the patient no longer shares is still shown in the list",
						}).Was("—", d.Title).Ptr()
					}
				}
				return nil
			}))
		})
		It("is no longer shown", Check("INT-101.1"), Reads(shared), func() {
			w, t := told()
			Expect(reading(t, w.Shown).Occasion()).To(Satisfy("not shown", func(r record.Record) *Finding {
				if c := shownContent(r); c != "" {
					_, size, _ := record.Content(c)
					return At(r, "withdrawn-document-shown", Text{
						FR: "le contenu d’un document que le patient ne partage plus est encore montré", EN: "the content of a document that the patient no longer shares is still shown",
					}).Was("failed / refused", fmt.Sprintf("%s, %d octets", r.Pilot.Status, size)).Ptr()
				}
				return nil
			}))
		})
		It("is not insisted upon", Check("INT-102.1"), Reads(shared), func() {
			w, t := told()
			for _, r := range reading(t, w.Shown).Occasion().Records {
				Expect(t.During(r).Requests(record.RouteReadDocument).Where(func(x record.Record) bool {
					d, ok := document(x)
					return ok && d.ID == w.ID
				})).To(HaveAtMost(1, "withdrawn-document-insisted", Text{
					FR: "la lecture refusée d’un document qui n’est plus partagé est répétée", EN: "the refused reading of a document that is no longer shared is repeated",
				}))
			}
		})
		It("leaves the other documents readable", Check("INT-103.1"), Reads(shared), func() {
			w, t := told()
			reading(t, w.Shown).Occasion()
			others := reading(t, w.Other).Occasion()
			Expect(others).To(Satisfy("still read", func(r record.Record) *Finding {
				if r.Pilot.Status == "done" {
					return nil
				}
				return At(r, "other-document-refused", Text{
					FR: "un autre document, toujours partagé, ne peut plus être lu", EN: "another document, still shared, can no longer be read",
				}).Was("done", r.Pilot.Status).Ptr()
			}))
			Expect(others).To(sameBytes(t))
		})
		It("is shown again once it is shared again", Check("INT-104.1"), Reads(shared), func() {
			w, _ := told()
			t := shared.Trace()
			again, ok := t.Marked(control.ActShareDocument)
			if !ok {
				t.Marks("none").Occasion()
			}
			late := reading(t.After(again), w.Shown).Occasion()
			Expect(late).To(Satisfy("read again", func(r record.Record) *Finding {
				if shownContent(r) != "" {
					return nil
				}
				return At(r, "shared-document-refused", Text{
					FR: "un document de nouveau partagé reste refusé au patient", EN: "a document that is shared again stays refused to the patient",
				}).Was("done", r.Pilot.Status).Ptr()
			}))
		})
	})
}

func withdrawOne(ctx context.Context, s *Stage) error {
	p, err := journey.Paired(ctx, s, Tolerant())
	if err != nil {
		return err
	}
	if _, err := s.Seed(ctx, p, seeded(data.Documents(s.SeedNumber(), 3, journey.Moment(s)))); err != nil {
		return err
	}
	listed, err := listDocuments(ctx, s, p, 2)
	if err != nil {
		return err
	}
	w := withdrawal{Shown: listed[0].ID, Title: listed[0].Title, Other: listed[1].ID}
	read := func(id string) error {
		_, err := s.Do(ctx, p, candidate.ReadDocument, map[string]any{"id": id})
		return err
	}
	if _, err := s.Must(ctx, p, candidate.ReadDocument, map[string]any{"id": w.Shown}); err != nil {
		return err
	}
	seen := s.Await(ctx, "reading of a document", func(t Trace) bool {
		for _, r := range t.Requests(record.RouteReadDocument).Where(succeeded).Records {
			if d, ok := document(r); ok && (d.Title == w.Title || w.ID == "") {
				w.ID = d.ID
			}
		}
		return w.ID != ""
	})
	if !seen {
		return &Ending{Outcome: CandidateFailed, Action: candidate.ReadDocument, Reason: "shows a document that was not fetched from the sandbox", French: "un document est montré sans avoir été lu dans le bac à sable"}
	}
	if err := s.Happen(ctx, p, control.Act{Kind: control.ActWithholdDocument, Document: w.ID}); err != nil {
		return err
	}
	if err := s.Note(p, withdrawnNote, w); err != nil {
		return err
	}
	// Read first: the service still holds the list that names the document, and
	// learns by the refusal.
	for _, id := range []string{w.Shown, w.Other} {
		if err := read(id); err != nil {
			return err
		}
	}
	if _, err := searchAll(ctx, s, p); err != nil {
		return err
	}
	if err := read(w.Shown); err != nil {
		return err
	}
	if err := s.Happen(ctx, p, control.Act{Kind: control.ActShareDocument, Document: w.ID}); err != nil {
		return err
	}
	if _, err := searchAll(ctx, s, p); err != nil {
		return err
	}
	return read(w.Shown)
}

// shownDocument is one document as a service lists it.
type shownDocument struct {
	ID          string      `json:"id"`
	Title       string      `json:"title"`
	Category    string      `json:"category"`
	ContentType string      `json:"contentType"`
	Size        json.Number `json:"size"`
}

// searchAll asks for the documents of the last months.
func searchAll(ctx context.Context, s *Stage, p *Patient) (candidate.Answer, error) {
	return s.Do(ctx, p, candidate.SearchDocuments, map[string]any{"from": journey.Moment(s).AddDate(0, -6, 0).Format(time.RFC3339)})
}

// listDocuments asks for the documents of the last months, of which at least n
// are needed to go on.
func listDocuments(ctx context.Context, s *Stage, p *Patient, n int) ([]shownDocument, error) {
	a, err := s.Must(ctx, p, candidate.SearchDocuments, map[string]any{"from": journey.Moment(s).AddDate(0, -6, 0).Format(time.RFC3339)})
	if err != nil {
		return nil, err
	}
	list := documentsOf(a.Data)
	if len(list) < n {
		return nil, &Ending{
			Outcome: CandidateFailed, Action: candidate.SearchDocuments,
			Reason: fmt.Sprintf("lists %d documents although the record holds more", len(list)),
			French: fmt.Sprintf("la liste compte %d documents alors que le dossier en contient davantage", len(list)),
		}
	}
	return list, nil
}

func documentsOf(raw json.RawMessage) []shownDocument {
	var v struct {
		Documents []shownDocument `json:"documents"`
	}
	if json.Unmarshal(raw, &v) != nil {
		return nil
	}
	return v.Documents
}

// shownDocuments are those that an answer lists.
func shownDocuments(r record.Record) []shownDocument { return documentsOf(r.Pilot.Data) }

// shownContent is the content that an answer gives, folded when it is large; ""
// when it gives none.
func shownContent(r record.Record) string {
	var v struct {
		Content string `json:"content"`
	}
	if r.Pilot.Status != "done" || json.Unmarshal(r.Pilot.Data, &v) != nil {
		return ""
	}
	return v.Content
}

// askedID is the id that an action was asked with.
func askedID(r record.Record) string {
	var v struct {
		ID string `json:"id"`
	}
	_ = json.Unmarshal(r.Pilot.Payload, &v)
	return v.ID
}

// document is the one document that a call fed or read, as the sandbox has it.
func document(r record.Record) (record.DocumentFacts, bool) {
	if all := documentsIn(r); len(all) == 1 {
		return all[0], true
	}
	return record.DocumentFacts{}, false
}

// documentsIn are the documents that a call fed, read or found.
func documentsIn(r record.Record) []record.DocumentFacts {
	if r.Exchange == nil || r.Exchange.Facts == nil || r.Exchange.Facts.Call == nil {
		return nil
	}
	return r.Exchange.Facts.Call.Documents
}

// bodyLeftOut says whether the journal kept the size of an answer alone.
func bodyLeftOut(r record.Record) bool {
	b := r.Exchange.Response.Body
	return b != nil && b.Size > 0 && b.Text == ""
}

// shownAs compares what a service shows with the document that was served, by
// digest.
func shownAs(r record.Record, served record.DocumentFacts, content string) *Finding {
	digest, size, ok := record.Content(content)
	if ok && digest == served.Digest {
		return nil
	}
	return At(r, "document-changed", Text{
		FR: "le document montré n’est pas, octet pour octet, celui qui a été servi", EN: "the document shown is not, byte for byte, the one that was served",
	}).Was(fmt.Sprintf("%d octets", served.Size), fmt.Sprintf("%d octets", size)).Ptr()
}
