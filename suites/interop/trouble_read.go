package interop

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	. "github.com/onsi/ginkgo/v2"

	"github.com/etalon-sante/etalon/fixtures/data"
	"github.com/etalon-sante/etalon/sandbox/record"
	"github.com/etalon-sante/etalon/suites/candidate"
	"github.com/etalon-sante/etalon/suites/journey"
	. "github.com/etalon-sante/etalon/suites/lab"
)

// flood is the size of a huge answer: what a page of a hundred measures needs a
// thousand times over.
const flood = 32 << 20

// searchesMeasures is the reading of a record that holds n measures.
func searchesMeasures(n int) procedure {
	return procedure{
		route: record.RouteSearchMeasures, action: candidate.ReadMeasures,
		before: func(ctx context.Context, s *Stage, v *visit) error {
			_, err := s.Seed(ctx, v.Patient, seeded(data.Series(s.SeedNumber(), journey.Main(s.Candidate()), n, v.at)))
			if err != nil {
				return err
			}
			return s.Note(v.Patient, "holds", n)
		},
		payload: func(s *Stage, v visit, _ int) map[string]any {
			to := v.at.Add(time.Hour)
			return map[string]any{"kind": journey.Main(s.Candidate()), "from": to.AddDate(0, -3, 0).Format(time.RFC3339), "to": to.Format(time.RFC3339)}
		},
	}
}

// readsDocument is the reading of one document, listed beforehand.
func readsDocument() procedure {
	return procedure{
		route: record.RouteReadDocument, action: candidate.ReadDocument,
		before: func(ctx context.Context, s *Stage, v *visit) error {
			if _, err := s.Seed(ctx, v.Patient, seeded(data.Documents(s.SeedNumber(), 2, v.at))); err != nil {
				return err
			}
			a, err := s.Must(ctx, v.Patient, candidate.SearchDocuments, map[string]any{"from": v.at.AddDate(0, -3, 0).Format(time.RFC3339)})
			if err != nil {
				return err
			}
			var list struct {
				Documents []struct {
					ID string `json:"id"`
				} `json:"documents"`
			}
			if json.Unmarshal(a.Data, &list) == nil && len(list.Documents) > 0 {
				v.document = list.Documents[0].ID
			}
			return nil
		},
		payload: func(_ *Stage, v visit, _ int) map[string]any { return map[string]any{"id": v.document} },
	}
}

// feedsDocument is the feed of a document.
func feedsDocument() procedure {
	return procedure{
		route: record.RouteFeedDocument, action: candidate.SendDocument,
		payload: func(s *Stage, v visit, n int) map[string]any {
			return map[string]any{"document": data.PDF(s.SeedNumber()+int64(n), "CPT_REND", v.instant(n))}
		},
	}
}

func troubleRead(l *Lab) {
	var reads, paged, content, feeds, unknown *Scenario
	l.In("trouble-read", func() {
		reads = cross(l, "trouble-read", "measures are read while the answers go wrong, for one reason or another; then again, when all is well",
			searchesMeasures(5), these("server-error", "page", "empty", "malformed", "cut", "dropped", "redirected", "cleared", "bad-request", "busy", "slow", "huge", "linked"))
	})
	l.In("trouble-paged", func() {
		paged = cross(l, "trouble-read-paged", "between two pages the access token expires, or the patient withdraws the consent",
			searchesMeasures(60), these("expired-between", "withdrawn"))
		unknown = l.Scenario("trouble-unknown", "the record holds a measure with an extension and an element that nobody told the service of", func(ctx context.Context, s *Stage) error {
			p, err := journey.Paired(ctx, s)
			if err != nil {
				return err
			}
			series := data.Series(s.SeedNumber(), journey.Main(s.Candidate()), 2, journey.Moment(s))
			var o map[string]any
			if err := json.Unmarshal(series.Measures[0], &o); err != nil {
				return err
			}
			list, _ := o["extension"].([]any)
			o["extension"] = append(list, map[string]any{"url": "https://example.test/fhir/StructureDefinition/inconnue", "valueString": "sans importance"})
			o["note"] = []any{map[string]any{"text": "Prise au calme."}}
			if series.Measures[0], err = json.Marshal(o); err != nil {
				return err
			}
			if _, err := s.Seed(ctx, p, seeded(series)); err != nil {
				return err
			}
			if err := s.Note(p, "holds", 2); err != nil {
				return err
			}
			_, err = journey.Read(ctx, s, p)
			return err
		}, Needs(candidate.ReadMeasures))
	})

	l.In("trouble-documents", func() {
		content = cross(l, "trouble-read-document", "a document is read while the answers go wrong", readsDocument(), these("page", "cut"))
		feeds = cross(l, "trouble-feed-document", "a document is sent, and is refused, or its answer is lost or replaced", feedsDocument(), these("refused", "lost", "page"))
	})

	Describe("Reading in the middle of a trouble", func() {
		It("does not show a part, or nothing, as the whole", Check("INT-150.2"), Reads(reads), func() {
			t := struckIn(reads).Occasion()
			for _, c := range sufferings(reads) {
				t.Report(partial(c, 0)...)
			}
		})
		It("tells that what came could not be read", Check("INT-156.1"), Reads(reads), func() {
			names := []string{"page", "empty", "malformed", "cut"}
			t := struckIn(reads, names...).Occasion()
			reads.Trace().Actions(candidate.Status).Where(answered).Occasion()
			for _, c := range sufferings(reads, names...) {
				a, ok := c.asked(candidate.ReadMeasures, 0)
				if text, says := c.shown(0); ok && says && text == "" && a.Pilot.Status != "done" {
					w := under(c.trouble)
					t.Report(At(a, "failure-not-told", Text{
						FR: "la lecture a échoué et le patient n'en apprend rien, sous " + w.FR, EN: "reading failed and the patient learns nothing of it, under " + w.EN,
					}).Was("lastError: …", "lastError: —"))
				}
			}
		})
		It("reads again once all is well", Check("INT-157.2"), Reads(reads), func() {
			t := struckIn(reads).Occasion()
			for _, c := range sufferings(reads) {
				a, ok := c.asked(candidate.ReadMeasures, 1)
				if !ok || a.Pilot.Status == "done" && len(partial(c, 1)) == 0 {
					continue
				}
				w := under(c.trouble)
				t.Report(At(a, "not-recovered", Text{
					FR: "les mesures ne se lisent plus, alors que tout est rétabli, après " + w.FR, EN: "the measures can no longer be read, although all is well again, after " + w.EN,
				}).Was("done", a.Pilot.Status))
			}
		})
		It("does not read without bound", Check("INT-159.1"), Reads(reads), func() {
			t := struckIn(reads, "huge").Occasion()
			for _, r := range t.Records {
				if b := r.Exchange.Response.Body; b != nil && b.Size >= flood {
					t.Report(At(r, "read-without-bound", Text{
						FR: "le service lit jusqu'au bout une réponse mille fois plus grande qu'attendu", EN: "the service reads to its end an answer a thousand times larger than expected",
					}).Was(fmt.Sprintf("< %d", flood), strconv.Itoa(b.Size)))
				}
			}
		})
		It("carries no token to another host by a redirection", Check("INT-160.2"), Reads(reads), func() {
			carriesNothingElsewhere(reads, "redirected")
		})
		It("searches nothing in clear", Check("INT-171.2"), Reads(reads), func() { carriesNothingElsewhere(reads, "cleared") })
		It("carries no token to another host by a next link", Check("INT-161.1"), Reads(reads), func() {
			carriesNothingElsewhere(reads, "linked")
		})
		It("waits as long as it is asked to before it reads again", Check("INT-152.3"), Reads(reads), func() {
			first := struckIn(reads, "busy").Occasion().First()
			// The patient's own second asking is not a repetition.
			c := sufferings(reads, "busy")[0]
			again := c.all.Requests(record.RouteSearchMeasures).After(first)
			if c.lifted.Seq > 0 {
				again = again.Before(c.lifted)
			}
			if f := tooEarly(first, again.Occasion().First()); f != nil {
				again.Report(*f)
			}
		})
		It("does not repeat a search that was refused for what it is", Check("INT-153.2"), Reads(reads), func() {
			t := struckIn(reads, "bad-request").Occasion()
			// Once more with another id_token is not the same call.
			seen := map[string]bool{}
			for _, r := range t.Records {
				token := r.Exchange.Facts.Call.IDToken
				if seen[token] {
					t.Report(At(r, "call-repeated", Text{
						FR: "la recherche refusée (400) est répétée à l'identique", EN: "the search that was refused (400) is repeated as it was",
					}))
				}
				seen[token] = true
			}
		})
		It("goes on when the token expires between two pages", Check("INT-167.1"), Reads(paged), func() {
			t := struckIn(paged, "expired-between").Occasion()
			for _, c := range sufferings(paged, "expired-between") {
				a, ok := c.asked(candidate.ReadMeasures, 0)
				if ok && (a.Pilot.Status != "done" || len(partial(c, 0)) > 0) {
					t.Report(At(a, "page-lost", Text{
						FR: "le jeton a expiré entre deux pages et la lecture n'aboutit pas", EN: "the token expired between two pages and reading does not come to its end",
					}).Was("done, "+strconv.Itoa(holds(c)), fmt.Sprintf("%s, %d", a.Pilot.Status, len(measures(a)))))
				}
			}
		})
		It("does not show half a reading when the consent is withdrawn between two pages", Check("INT-168.1"), Reads(paged), func() {
			t := struckIn(paged, "withdrawn").Occasion()
			for _, c := range sufferings(paged, "withdrawn") {
				t.Report(partial(c, 0)...)
			}
		})
		It("reads what holds an extension that it does not know", Check("INT-170.1"), Reads(unknown), func() {
			t := unknown.Trace()
			t.Requests(record.RouteSearchMeasures).Where(succeeded).Occasion()
			c := suffering{trouble: "unknown", all: t}
			for _, a := range t.Actions(candidate.ReadMeasures).Occasion().Records {
				if a.Pilot.Status != "done" || len(partial(c, 0)) > 0 {
					t.Report(At(a, "measure-left-out", Text{
						FR: "une mesure qui porte une extension inconnue n'est pas montrée", EN: "a measure with an unknown extension is not shown",
					}).Was("done, 2", fmt.Sprintf("%s, %d", a.Pilot.Status, len(measures(a)))))
				}
			}
		})
	})
	Describe("A document in the middle of a trouble", func() {
		It("is not shown when it was not read whole", Check("INT-156.2"), Reads(content), func() {
			t := struckIn(content).Occasion()
			for _, c := range sufferings(content) {
				a, ok := c.asked(candidate.ReadDocument, 0)
				if !ok || a.Pilot.Status != "done" || !c.all.During(a).Requests(record.RouteReadDocument).Where(succeeded).Where(func(r record.Record) bool { return !struck(r) }).Empty() {
					continue
				}
				w := under(c.trouble)
				t.Report(At(a, "other-content-shown", Text{
					FR: "le service montre comme le document ce qui n'en est qu'une partie, ou autre chose, sous " + w.FR,
					EN: "the service shows as the document what is a part of it, or something else, under " + w.EN,
				}).Was("failed", "done"))
			}
		})
		It("is not sent again when it was refused for what it is", Check("INT-153.1"), Reads(feeds), func() {
			Expect(struckIn(feeds, "refused").Occasion()).To(HaveAtMost(1, "call-repeated", Text{
				FR: "le document refusé (422) est renvoyé tel quel", EN: "the document that was refused (422) is sent again as it was",
			}))
		})
		It("is stored once though its answer was lost", Check("INT-155.2"), Reads(feeds), func() {
			t := struckIn(feeds, "lost").Occasion()
			for _, c := range sufferings(feeds, "lost") {
				twice := c.all.Requests(record.RouteFeedDocument).Where(kept)
				if c.lifted.Seq > 0 {
					twice = twice.Before(c.lifted)
				}
				if twice.Len() > 1 {
					t.Report(At(twice.At(1), "stored-twice", Text{
						FR: "le document dont la réponse s'est perdue se trouve deux fois dans le dossier", EN: "the document whose answer was lost stands twice in the record",
					}).Was("1", strconv.Itoa(twice.Len())))
				}
			}
		})
		It("is not said to be sent when it was not", Check("INT-150.3"), Reads(feeds), func() {
			t := struckIn(feeds, "page").Occasion()
			for _, c := range sufferings(feeds, "page") {
				a, ok := c.asked(candidate.SendDocument, 0)
				kept := c.all.Requests(record.RouteFeedDocument).Where(kept)
				if c.lifted.Seq > 0 {
					kept = kept.Before(c.lifted)
				}
				if ok && a.Pilot.Status == "done" && kept.Empty() {
					t.Report(At(a, "success-for-failure", Text{
						FR: "le service annonce que le document est envoyé alors qu'une page web a répondu", EN: "the service says that the document was sent although a web page answered",
					}).Was("failed / refused", "done"))
				}
			}
		})
	})
}

// holds is how many measures the patient's record holds.
func holds(c suffering) int {
	n := 0
	for _, m := range c.all.Marks("note").Records {
		if m.Mark.Text == "holds" {
			_ = json.Unmarshal(m.Mark.Data, &n)
		}
	}
	return n
}

// partial says whether the n-th reading was shown as done with another number
// of measures than the record holds.
func partial(c suffering, n int) []Finding {
	a, ok := c.asked(candidate.ReadMeasures, n)
	if !ok || a.Pilot.Status != "done" || len(measures(a)) == holds(c) {
		return nil
	}
	w := under(c.trouble)
	return []Finding{At(a, "part-shown-as-whole", Text{
		FR: "le service montre une partie du dossier, ou rien, comme si c'était tout, sous " + w.FR,
		EN: "the service shows a part of the record, or nothing, as if it were all, under " + w.EN,
	}).Was(strconv.Itoa(holds(c)), strconv.Itoa(len(measures(a))))}
}

// carriesNothingElsewhere judges what the sandbox saw arrive under its other
// host name: there, whoever answers is a stranger.
func carriesNothingElsewhere(s *Scenario, trouble string) {
	t := s.Trace()
	if _, one := t.Marked("one-name"); one {
		t.Untested(Text{
			FR: "le bac à sable n'est connu que sous un seul nom : il ne peut envoyer nulle part ailleurs. Il en a deux quand le service le joint par 127.0.0.1 ou localhost",
			EN: "the sandbox is known by one name only, so that it cannot lead anywhere else. It has two when the service reaches it as 127.0.0.1 or localhost",
		})
	}
	if _, none := t.Marked("no-clear"); none && trouble == "cleared" {
		t.Untested(Text{
			FR: "le bac à sable est joint par une adresse que vous avez donnée : il ne verrait pas ce qui part sans TLS. Il le voit à son adresse propre",
			EN: "the sandbox is reached by an address that you gave, so that it would not see what leaves without TLS. It sees it at its own address",
		})
	}
	struckIn(s, trouble).Occasion()
	for _, c := range sufferings(s, trouble) {
		for _, r := range c.all.Requests(record.RouteElsewhere).Records {
			where := r.Exchange.Facts.SecretIn
			if len(where) == 0 {
				continue
			}
			t.Report(At(r, "token-carried-elsewhere", Text{
				FR: "le service suit l'adresse d'un autre hôte et y porte ses jetons ou son secret", EN: "the service follows the address of another host and carries its tokens or its secret there",
			}).Was("—", fmt.Sprint(where)))
		}
	}
}
