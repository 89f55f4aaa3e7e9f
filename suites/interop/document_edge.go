package interop

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	. "github.com/onsi/ginkgo/v2"

	"github.com/etalon-sante/etalon/fixtures/data"
	"github.com/etalon-sante/etalon/sandbox/record"
	"github.com/etalon-sante/etalon/suites/candidate"
	"github.com/etalon-sante/etalon/suites/journey"
	. "github.com/etalon-sante/etalon/suites/lab"
)

// mostBytes is the limit of a document that the sandbox is set to by default
// (setting document.max-bytes).
const mostBytes = 5_000_000

// What a sending of the scenario was about.
const (
	noteFormats  = "formats"
	noteAgain    = "again"
	noteEmpty    = "empty"
	noteLargest  = "largest"
	noteTooLarge = "too-large"
)

func documentEdge(l *Lab) {
	var fed *Scenario
	l.In("document-edge", func() {
		fed = l.Scenario("document-edge-feed", "documents of each format are fed, one of them twice, then an empty one, the largest and one byte more", feedEdges, Needs(candidate.SendDocument))
	})
	// sending are the actions of one part of the scenario.
	sending := func(part string) Trace {
		t := fed.Trace()
		note, ok := t.Marked(part)
		if !ok {
			t.Marks("none").Occasion()
		}
		t = t.After(note)
		if next := t.Marks("note"); !next.Empty() {
			t = t.Before(next.First())
		}
		return t.Actions(candidate.SendDocument)
	}
	// stored are the documents that were fed during an action.
	stored := func(r record.Record) Trace {
		return fed.Trace().During(r).Requests(record.RouteFeedDocument).Where(func(x record.Record) bool {
			_, ok := document(x)
			return ok && succeeded(x)
		})
	}
	// each compares what was asked with what was fed, where it was.
	each := func(part string, find func(asked sentDocument, x record.Record, d record.DocumentFacts) *Finding) {
		var all Trace
		actions := sending(part)
		pairs := map[int]sentDocument{}
		for _, r := range actions.Records {
			for _, x := range stored(r).Records {
				pairs[x.Seq] = sentOf(r)
			}
		}
		all = fed.Trace().Where(func(x record.Record) bool { _, ok := pairs[x.Seq]; return ok }).Occasion()
		Expect(all).To(Satisfy("as asked", func(x record.Record) *Finding {
			d, _ := document(x)
			return find(pairs[x.Seq], x, d)
		}))
	}
	Describe("Documents at the edge", func() {
		It("feeds a document once when asked once", Check("INT-105.1"), Reads(fed), func() {
			for _, r := range sending(noteFormats).Occasion().Records {
				Expect(stored(r)).To(HaveAtMost(1, "document-fed-twice", Text{
					FR: "le même document est envoyé plusieurs fois pour une seule demande", EN: "the same document is fed several times for one request",
				}))
			}
		})
		It("does not feed a second time what the record holds", Check("INT-106.1"), Reads(fed), func() {
			for _, r := range sending(noteFormats).Occasion().Records {
				stored(r).Occasion()
				break
			}
			for _, r := range sending(noteAgain).Occasion().Records {
				Expect(stored(r).Where(func(x record.Record) bool {
					d, _ := document(x)
					return d.SameAs != ""
				})).To(BeEmpty("duplicate-fed", Text{
					FR: "un document que le service a déjà envoyé est envoyé une seconde fois : le dossier le contient en double", EN: "a document that the service has fed already is fed a second time: the record holds it twice",
				}))
			}
		})
		It("keeps the title, the category and the date", Check("INT-107.1"), Reads(fed), func() {
			each(noteFormats, func(asked sentDocument, x record.Record, d record.DocumentFacts) *Finding {
				changed := func(key, place, want, got string) *Finding {
					return At(x, key, Text{
						FR: "une métadonnée du document envoyé n’est pas celle qui a été demandée", EN: "a piece of metadata of the fed document is not the one that was asked for",
					}).Was(want, got).In(place).Ptr()
				}
				switch {
				case d.Title != asked.Title:
					return changed("document-title", "/content/0/attachment/title", asked.Title, d.Title)
				case d.Category != "" && d.Category != asked.Category:
					return changed("document-category", "/category", asked.Category, d.Category)
				case !sameMoment(d.Created, asked.CreatedAt):
					return changed("document-date", "/content/0/attachment/creation", asked.CreatedAt, d.Created)
				}
				return nil
			})
		})
		It("feeds a document of the largest size", Check("INT-108.1"), Reads(fed), func() {
			for _, r := range sending(noteLargest).Occasion().Records {
				if !stored(r).Empty() {
					continue
				}
				f := At(r, "largest-document-not-fed", Text{
					FR: "un document de la taille limite n’est pas parvenu à Mon espace santé", EN: "a document of the limit's size did not reach Mon espace santé",
				}).Was(fmt.Sprintf("%d octets", mostBytes), r.Pilot.Status)
				f.Setting = "document.max-bytes"
				fed.Trace().Report(f)
			}
		})
		It("does not present a document that is too large as fed", Check("INT-109.1"), Reads(fed), func() {
			Expect(sending(noteTooLarge).Occasion()).To(notDone("too-large-shown-as-fed", Text{
				FR: "le service annonce comme envoyé un document trop grand, qui n’est pas parvenu", EN: "the service announces as fed a document that is too large, which did not arrive",
			}))
		})
		It("tells the patient that a document is too large", Check("INT-109.2"), Reads(fed), func() {
			actions := sending(noteTooLarge).Where(func(r record.Record) bool { return r.Pilot.Status != "done" }).Occasion()
			late := fed.Trace().After(actions.First()).Actions(candidate.Status)
			Expect(actions).To(Satisfy("tell", told(late, "too-large-not-told", Text{
				FR: "le document trop grand est refusé sans que le patient en soit averti", EN: "the document that is too large is refused without telling the patient",
			})))
		})
		It("feeds no empty document", Check("INT-110.1"), Reads(fed), func() {
			Expect(sending(noteEmpty).Occasion()).To(notDone("empty-document-fed", Text{
				FR: "un document vide est annoncé comme envoyé", EN: "an empty document is announced as fed",
			}))
			for _, r := range sending(noteEmpty).Records {
				Expect(stored(r)).To(BeEmpty("empty-document-fed", Text{FR: "un document vide est envoyé", EN: "an empty document is fed"}))
			}
		})
		It("feeds each format byte for byte", Check("INT-111.1"), Reads(fed), func() {
			each(noteFormats, sameContent)
		})
		It("feeds the largest document byte for byte", Check("INT-111.2"), Reads(fed), func() {
			each(noteLargest, sameContent)
		})
		It("says that the document comes from a referenced service", Check("INT-117.1"), Reads(fed), func() {
			each(noteFormats, func(_ sentDocument, x record.Record, d record.DocumentFacts) *Finding {
				if d.PracticeSetting == "SNR" {
					return nil
				}
				f := At(x, "document.practice-setting", Text{
					FR: "le document ne dit pas, par son cadre d’exercice, qu’il vient d’un service référencé", EN: "the document does not say, by its practice setting, that it comes from a referenced service",
				}).Was("SNR", orDash(d.PracticeSetting)).In("/context/practiceSetting")
				f.Setting = "document.practice-setting"
				return &f
			})
		})
	})
}

func feedEdges(ctx context.Context, s *Stage) error {
	p, err := journey.Paired(ctx, s, Tolerant())
	if err != nil {
		return err
	}
	at := journey.Moment(s)
	send := func(p *Patient, part string, docs ...data.Document) error {
		if err := s.Note(p, part, nil); err != nil {
			return err
		}
		for _, d := range docs {
			if _, err := s.Do(ctx, p, candidate.SendDocument, map[string]any{"document": d}); err != nil {
				return err
			}
		}
		return nil
	}
	formats := data.Formats(s.SeedNumber(), at)
	if err := send(p, noteFormats, formats...); err != nil {
		return err
	}
	if err := send(p, noteAgain, formats[0]); err != nil {
		return err
	}
	empty := data.Text(s.SeedNumber(), "AUTR_DOC", at)
	empty.Content = []byte{}
	if err := send(p, noteEmpty, empty); err != nil {
		return err
	}
	if err := send(p, noteLargest, data.Large(s.SeedNumber(), "AUTR_DOC", at, mostBytes)); err != nil {
		return err
	}
	// A record that refuses what the real one is assumed to refuse.
	strict, err := journey.Paired(ctx, s)
	if err != nil {
		return err
	}
	if err := send(strict, noteTooLarge, data.Large(s.SeedNumber()+1, "AUTR_DOC", at, mostBytes+1)); err != nil {
		return err
	}
	return journey.Status(ctx, s, strict)
}

// sentDocument is what the pilot was asked to feed.
type sentDocument struct {
	Title       string `json:"title"`
	Category    string `json:"category"`
	ContentType string `json:"contentType"`
	Content     string `json:"content"` // base64, folded when it is large
	CreatedAt   string `json:"createdAt"`
}

func sentOf(r record.Record) sentDocument {
	var v struct {
		Document sentDocument `json:"document"`
	}
	_ = json.Unmarshal(r.Pilot.Payload, &v)
	return v.Document
}

// sameContent compares the bytes and their type with what was asked.
func sameContent(asked sentDocument, x record.Record, d record.DocumentFacts) *Finding {
	digest, size, _ := record.Content(asked.Content)
	if digest != d.Digest {
		return At(x, "document-content", Text{
			FR: "le contenu du document envoyé n’est pas, octet pour octet, celui qui a été demandé", EN: "the content of the fed document is not, byte for byte, the one asked for",
		}).Was(fmt.Sprintf("%d octets", size), fmt.Sprintf("%d octets", d.Size)).In("/content/0/attachment/data").Ptr()
	}
	if d.Media != asked.ContentType {
		return At(x, "document-type", Text{
			FR: "le type du document envoyé n’est pas celui qui a été demandé", EN: "the type of the fed document is not the one asked for",
		}).Was(asked.ContentType, d.Media).In("/content/0/attachment/contentType").Ptr()
	}
	return nil
}

// told is met when an answer, or the status asked for after it, holds a text for
// the patient.
func told(status Trace, key string, message Text) func(record.Record) *Finding {
	return func(r record.Record) *Finding {
		if r.Pilot.Message != "" {
			return nil
		}
		for _, s := range status.Records {
			if text, _ := statusField(s, "lastError").(string); answered(s) && text != "" {
				return nil
			}
		}
		return At(r, key, message).Was("message / lastError", "—").Ptr()
	}
}

// sameMoment compares two instants written in RFC 3339.
func sameMoment(a, b string) bool {
	x, err := time.Parse(time.RFC3339, a)
	y, err2 := time.Parse(time.RFC3339, b)
	return err == nil && err2 == nil && x.Equal(y)
}

func orDash(s string) string {
	if s == "" {
		return "—"
	}
	return s
}
