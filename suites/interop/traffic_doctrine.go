package interop

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	. "github.com/onsi/ginkgo/v2"

	"github.com/etalon-sante/etalon/fixtures/data"
	"github.com/etalon-sante/etalon/sandbox/record"
	"github.com/etalon-sante/etalon/sandbox/settings"
	"github.com/etalon-sante/etalon/suites/candidate"
	"github.com/etalon-sante/etalon/suites/journey"
	. "github.com/etalon-sante/etalon/suites/lab"
)

// ordinaryRecord is how many documents, administrative one left out, the record
// holds whose owner reads one of them.
const ordinaryRecord = 12

// Two patients are told apart by a category of their own, which nobody else in a
// run is asked for.
const ofTwoPatients = "DEPISTAG"

// How the download of everything is measured (doctrine of exchanges, D8).
//
// The text forbids a purpose that supposes the download of all documents; it
// gives no number. What is counted is what the service fetches by itself: in one
// act of the patient (a list, or the reading of one document) the contents that
// were fetched and not asked for, over the documents of the record; likewise the
// documents whose metadata were enumerated, page after page, for a question that
// concerned few of them. Above the share of traffic.fetch-percent, in a record
// of at least traffic.fetch-least documents, the rule counts as broken, as a
// deviation, since the share is ours.
//
// A normal user is not hurt by it: whoever opens all documents, one after the
// other, fetches nothing unasked; a preview of the first documents of a list
// stays under half of a record of a dozen; and a small record is not judged.
type measure struct {
	percent, least, reads int
}

func trafficDoctrine(l *Lab) {
	set, err := settings.Load()
	if err != nil {
		panic(fmt.Sprintf("interop: %v", err)) // embedded, and tested
	}
	m := measure{percent: set.Int("traffic.fetch-percent"), least: set.Int("traffic.fetch-least"), reads: set.Int("traffic.reads-per-act")}
	var one, two, before, partly *Scenario
	l.In("document-traffic", func() {
		one = l.Scenario("document-traffic-one", "the documents of a well-filled record are listed, those of one category too; one is read, then read again", listAndReadOne, Needs(candidate.SearchDocuments, candidate.ReadDocument))
		two = l.Scenario("document-traffic-two-patients", "two patients feed and list documents at the same time", twoPatientsDocuments, Needs(candidate.SendDocument))
		before = l.Scenario("document-traffic-before-pairing", "documents are asked for by a patient who has not paired; then he pairs, and they are asked for again", documentsBeforePairing, Needs(candidate.Pair, candidate.SendDocument))
		partly = l.Scenario("document-traffic-not-agreed", "a patient who agreed to no exchange of documents asks for some", documentsNotAgreed, Needs(candidate.SendDocument))
	})
	fetched := func(t Trace) map[string]record.Record {
		out := map[string]record.Record{}
		for _, r := range t.Requests(record.RouteReadDocument).Records {
			if d, ok := document(r); ok {
				out[d.ID] = r
			}
		}
		return out
	}
	// shows is the occasion: the service was given the list, and it does fetch
	// documents when it may.
	shows := func() Trace {
		t := one.Trace()
		Occasion(
			t.Requests(record.RouteSearchDocuments).Where(func(r record.Record) bool { return len(documentsIn(r)) >= m.least }),
			t.Requests(record.RouteReadDocument).Where(succeeded),
		)
		return t
	}
	Describe("Traffic that the doctrine rules", func() {
		It("does not download everything", Check("INT-180.1"), Reads(one), func() {
			t := shows()
			// The patient asked for one document, twice.
			unasked := max(0, len(fetched(t))-1)
			if share := 100 * unasked / ordinaryRecord; share > m.percent {
				f := At(t.Requests(record.RouteReadDocument).Last(), "exhaustive-download", Text{
					FR: fmt.Sprintf("le patient a ouvert un document ; le service en a lu %d autres, sur les %d du dossier, sans qu’on les lui demande", unasked, ordinaryRecord),
					EN: fmt.Sprintf("the patient opened one document; the service fetched %d others, of the %d of the record, unasked", unasked, ordinaryRecord),
				}).Was(fmt.Sprintf("≤ %d %%", m.percent), fmt.Sprintf("%d %%", share))
				f.Setting = "traffic.fetch-percent"
				t.Report(f)
			}
		})
		It("does not enumerate the record for a narrow question", Check("INT-180.2"), Reads(one), func() {
			t := shows()
			narrow := t.Actions(candidate.SearchDocuments).Where(func(r record.Record) bool {
				v, _ := decode(r.Pilot.Payload)
				return at(v, "category") != nil
			}).Occasion()
			for _, r := range narrow.Records {
				seen := map[string]bool{}
				searches := t.During(r).Requests(record.RouteSearchDocuments)
				for _, x := range searches.Records {
					for _, d := range documentsIn(x) {
						seen[d.ID] = true
					}
				}
				if share := 100 * len(seen) / ordinaryRecord; share > m.percent {
					f := At(searches.Last(), "exhaustive-listing", Text{
						FR: "pour une question sur une seule catégorie récente, le service a fait énumérer le dossier", EN: "for a question about one recent category, the service had the record enumerated",
					}).Was(fmt.Sprintf("≤ %d %%", m.percent), fmt.Sprintf("%d %%", share))
					f.Setting = "traffic.fetch-percent"
					t.Report(f)
				}
			}
		})
		It("fetches no administrative document", Check("INT-181.1"), Reads(one), ReadsAllTraffic(), func() {
			t := shows()
			t.Requests(record.RouteSearchDocuments).Where(func(r record.Record) bool {
				return slices.ContainsFunc(documentsIn(r), func(d record.DocumentFacts) bool { return d.Category == notMedical })
			}).Occasion()
			Expect(l.AllTraffic().Requests(record.RouteReadDocument)).To(Satisfy("no administrative document", func(r record.Record) *Finding {
				if d, ok := document(r); ok && d.Category == notMedical {
					return At(r, "administrative-document-fetched", Text{
						FR: "le service demande le contenu d’un document administratif", EN: "the service asks for the content of an administrative document",
					}).Was("—", notMedical).Ptr()
				}
				return nil
			}))
		})
		It("does not read again what did not change", Check("INT-182.1"), Reads(one), func() {
			t := shows()
			for _, a := range t.Actions(candidate.ReadDocument).Occasion().Records {
				times := map[string]int{}
				for _, r := range t.During(a).Requests(record.RouteReadDocument).Where(succeeded).Records {
					d, _ := document(r)
					if times[d.ID]++; times[d.ID] == m.reads+1 {
						f := At(r, "document-read-again", Text{
							FR: "le même document est lu plusieurs fois pour une seule demande du patient", EN: "the same document is read several times for one request of the patient",
						}).Was(fmt.Sprintf("≤ %d", m.reads), fmt.Sprintf("≥ %d", times[d.ID]))
						f.Setting = "traffic.reads-per-act"
						t.Report(f)
					}
				}
			}
		})
		It("feeds each patient's document to that patient's record", Check("INT-183.1"), Reads(two), ReadsAllTraffic(), func() {
			t := two.Trace()
			asked := map[string][]string{} // digests by patient: of whomever else a document may be
			for _, r := range l.AllTraffic().Actions(candidate.SendDocument).Records {
				digest, _, _ := record.Content(sentOf(r).Content)
				asked[r.Patient] = append(asked[r.Patient], digest)
			}
			patients := map[string]bool{}
			for _, r := range t.Actions(candidate.SendDocument).Occasion().Records {
				patients[r.Patient] = true
			}
			feeds := t.Requests(record.RouteFeedDocument).Where(func(r record.Record) bool { _, ok := document(r); return ok })
			for _, patient := range slices.Sorted(maps.Keys(patients)) { // judged again, the same evidence
				feeds.Of(patient).Occasion()
			}
			Expect(feeds).To(Satisfy("own document", func(r record.Record) *Finding {
				d, _ := document(r)
				if slices.Contains(asked[r.Patient], d.Digest) {
					return nil
				}
				for _, digests := range asked {
					if slices.Contains(digests, d.Digest) {
						return At(r, "documents-mixed", Text{
							FR: "le document d’un patient est envoyé dans le dossier d’un autre", EN: "the document of one patient is fed into another's record",
						}).Ptr()
					}
				}
				return nil
			}))
		})
		It("shows each patient the documents of that patient", Check("INT-186.1"), Reads(two), func() {
			t := two.Trace()
			served := map[string]map[string]bool{} // titles by patient
			for _, r := range t.Requests(record.RouteSearchDocuments).Where(succeeded).Occasion().Records {
				for _, d := range documentsIn(r) {
					if served[r.Patient] == nil {
						served[r.Patient] = map[string]bool{}
					}
					served[r.Patient][d.Title] = true
				}
			}
			Expect(t.Actions(candidate.SearchDocuments).Where(answered).Occasion()).To(Satisfy("own documents", func(r record.Record) *Finding {
				for _, d := range shownDocuments(r) {
					for patient, titles := range served {
						if patient != r.Patient && titles[d.Title] && !served[r.Patient][d.Title] {
							return At(r, "documents-of-another", Text{
								FR: "un document d’un autre patient est montré", EN: "a document of another patient is shown",
							}).Was("—", d.Title).Ptr()
						}
					}
				}
				return nil
			}))
		})
		It("keeps to the purposes that were agreed", Check("INT-184.1"), Reads(partly), func() {
			t := partly.Trace()
			actions := t.Actions(candidate.SendDocument, candidate.SearchDocuments).Occasion()
			outside := t.Requests(documentRoutes()...).Where(func(r record.Record) bool {
				f := r.Exchange.Facts
				return f != nil && f.Call != nil && f.Call.Paired && !f.Call.Consented
			})
			// One try may be how the service learns of it; more, or one that
			// nobody asked for, is not.
			in := map[int]bool{}
			for _, a := range actions.Records {
				tries := t.During(a).Requests(documentRoutes()...)
				for _, r := range tries.Records {
					in[r.Seq] = true
				}
				Expect(outside.During(a)).To(HaveAtMost(1, "purpose-not-agreed-insisted", Text{
					FR: "un échange que le patient n’a pas accepté est demandé de nouveau après un refus", EN: "an exchange that the patient did not agree to is asked for again after a refusal",
				}))
			}
			Expect(outside.Where(func(r record.Record) bool { return !in[r.Seq] })).To(BeEmpty("purpose-not-agreed", Text{
				FR: "un échange que le patient n’a pas accepté est demandé sans qu’il le demande", EN: "an exchange that the patient did not agree to is asked for, though not by the patient",
			}))
		})
		It("exchanges no document before consent", Check("INT-185.1"), Reads(before), ReadsAllTraffic(), func() {
			t := before.Trace()
			agreed, ok := t.Marked("consent")
			if !ok {
				t.Marks("none").Occasion()
			}
			Occasion(t.Before(agreed).Actions(candidate.SendDocument), t.After(agreed).Requests(record.RouteFeedDocument).Where(succeeded))
			early := BeEmpty("document-before-consent", Text{
				FR: "le service appelle l’API des documents avant que le patient ait donné son accord", EN: "the service calls the documents API before the patient has given consent",
			})
			Expect(t.Before(agreed).Requests(documentRoutes()...)).To(early)
			Expect(before.Strays().Earlier(agreed.At).Requests(documentRoutes()...)).To(early)
		})
	})
}

func listAndReadOne(ctx context.Context, s *Stage) error {
	p, err := journey.Paired(ctx, s, Tolerant())
	if err != nil {
		return err
	}
	at := journey.Moment(s)
	seed := data.Documents(s.SeedNumber(), ordinaryRecord, at)
	seed.Documents = append(seed.Documents, data.DocumentReference(data.PDF(s.SeedNumber(), notMedical, at)))
	if _, err := s.Seed(ctx, p, seeded(seed)); err != nil {
		return err
	}
	list, err := listDocuments(ctx, s, p, 1)
	if err != nil {
		return err
	}
	for range 2 {
		if _, err := s.Do(ctx, p, candidate.ReadDocument, map[string]any{"id": list[0].ID}); err != nil {
			return err
		}
	}
	_, err = s.Do(ctx, p, candidate.SearchDocuments, map[string]any{"category": "BIOLOGIE", "from": at.AddDate(0, 0, -5).Format(time.RFC3339)})
	return err
}

func twoPatientsDocuments(ctx context.Context, s *Stage) error {
	var people []*Patient
	at := journey.Moment(s)
	reads := s.Candidate().Claims.Reads("documents")
	for i := range 2 {
		p, err := journey.Paired(ctx, s, Tolerant())
		if err != nil {
			return err
		}
		if reads {
			var own data.Seed
			for j := range 3 {
				own.Documents = append(own.Documents, data.DocumentReference(data.PDF(s.SeedNumber()+int64(10*i+j), ofTwoPatients, at)))
			}
			if _, err := s.Seed(ctx, p, seeded(own)); err != nil {
				return err
			}
		}
		people = append(people, p)
	}
	errs := make(chan error, len(people))
	for i, p := range people {
		go func() {
			_, err := s.Do(ctx, p, candidate.SendDocument, map[string]any{"document": data.Text(s.SeedNumber()+int64(i), "AUTR_DOC", at)})
			if err == nil && reads {
				_, err = s.Do(ctx, p, candidate.SearchDocuments, map[string]any{"category": ofTwoPatients})
			}
			errs <- err
		}()
	}
	var first error
	for range people {
		if err := <-errs; err != nil && first == nil {
			first = err
		}
	}
	return first
}

// askForDocuments asks for the exchanges of documents that the service claims.
func askForDocuments(ctx context.Context, s *Stage, p *Patient) error {
	if s.Candidate().Claims.Reads("documents") {
		if _, err := searchAll(ctx, s, p); err != nil {
			return err
		}
	}
	_, err := s.Do(ctx, p, candidate.SendDocument, map[string]any{"document": data.PDF(s.SeedNumber(), "CPT_REND", journey.Moment(s))})
	return err
}

func documentsBeforePairing(ctx context.Context, s *Stage) error {
	p, err := s.Patient(ctx, Tolerant())
	if err != nil {
		return err
	}
	if err := askForDocuments(ctx, s, p); err != nil {
		return err
	}
	if err := s.Quiet(ctx); err != nil {
		return err
	}
	// That nothing left before says something only of a service that does act
	// once it may.
	if err := s.Note(p, "consent", nil); err != nil {
		return err
	}
	if err := s.Pair(ctx, p, Choice{}); err != nil {
		return err
	}
	return askForDocuments(ctx, s, p)
}

func documentsNotAgreed(ctx context.Context, s *Stage) error {
	p, err := s.Patient(ctx, Tolerant())
	if err != nil {
		return err
	}
	if err := s.Pair(ctx, p, Choice{Except: []string{journey.ReadDocuments, journey.WriteDocuments}}); err != nil {
		return err
	}
	for range 2 {
		if err := askForDocuments(ctx, s, p); err != nil {
			return err
		}
	}
	return s.Quiet(ctx)
}
