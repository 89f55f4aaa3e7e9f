package interop

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"time"

	. "github.com/onsi/ginkgo/v2"

	"github.com/etalon-sante/etalon/fixtures/data"
	"github.com/etalon-sante/etalon/sandbox/control"
	"github.com/etalon-sante/etalon/sandbox/record"
	"github.com/etalon-sante/etalon/suites/candidate"
	"github.com/etalon-sante/etalon/suites/journey"
	. "github.com/etalon-sante/etalon/suites/lab"
)

func search(l *Lab) {
	read := func(slug, sentence string, seed func(s *Stage) data.Seed, last bool, opts ...Option) *Scenario {
		return l.Scenario(slug, sentence, func(ctx context.Context, s *Stage) error {
			p, err := journey.Paired(ctx, s, Tolerant())
			if err != nil {
				return err
			}
			if _, err := s.Seed(ctx, p, seeded(seed(s))); err != nil {
				return err
			}
			if last {
				_, err = s.Do(ctx, p, candidate.ReadMeasures, map[string]any{"kind": journey.Main(s.Candidate()), "last": true})
			} else {
				_, err = journey.Read(ctx, s, p)
			}
			if err != nil || slug != "search-paged" {
				return err
			}
			// A pager may go on after the answer.
			return s.Quiet(ctx)
		}, append(opts, Needs(candidate.ReadMeasures))...)
	}
	series := func(n int) func(s *Stage) data.Seed {
		return func(s *Stage) data.Seed {
			return data.Series(s.SeedNumber(), journey.Main(s.Candidate()), n, journey.Moment(s))
		}
	}
	var span, last, paged, mixed *Scenario
	l.In("search", func() {
		span = read("search-range", "a week of measures is read", series(7), false)
		last = read("search-last", "the last measure is read", series(3), true)
		paged = read("search-paged", "sixty measures are read, over two pages", series(60), false)
		mixed = read("search-mixed", "the answer also holds devices, an outcome and a weight entered in error", func(s *Stage) data.Seed {
			return data.Mixed(s.SeedNumber(), journey.Moment(s))
		}, false, NeedsKind("weight"))
	})
	all := []*Scenario{span, last, paged, mixed}
	searches := func(s ...*Scenario) Trace { return Together(s...).Requests(record.RouteSearchMeasures) }

	Describe("Reading measures", func() {
		It("reads as it claims", Check("INT-50.1"), Reads(span), Claims(candidate.ReadMeasures), func() {
			t := span.Trace()
			t.Actions(candidate.ReadMeasures).Occasion()
			Expect(t.Actions(candidate.ReadMeasures)).To(answerDone())
			Expect(t).To(haveSucceeded(record.RouteSearchMeasures))
		})
		for _, c := range []struct {
			check, what string
			scenarios   []*Scenario
			rules       []string
		}{
			{"INT-51.1", "names one of the codes of the API", all, []string{"search.code"}},
			{"INT-52.1", "names the patient by the identifier of the pairing", all, []string{"search.subject"}},
			{"INT-53.1", "gives both ends of the period", []*Scenario{span, paged, mixed}, []string{"search.date", "search.mode"}},
			{"INT-54.1", "asks for pages of at most a hundred", all, []string{"search.count", "search.offset"}},
			{"INT-55.1", "asks for the last measure as the API wants it", []*Scenario{last}, []string{"search.sort", "search.mode", "search.count", "search.offset"}},
		} {
			It(c.what, Check(c.check), Free(), Reads(c.scenarios...), func() {
				t := searches(c.scenarios...)
				if l.FreeUse() && c.check == "INT-55.1" {
					t = t.Where(forLast) // the other searches ask for a period
				}
				Expect(t.Occasion()).NotTo(HaveIssue(c.rules...))
			})
		}
		It("reads every page", Check("INT-56.1"), Reads(paged), func() {
			t := searches(paged).Where(succeeded).Occasion()
			total := totalOf(t.First())
			got := 0
			seen := map[string]bool{}
			for _, r := range t.Records {
				if key := pageOf(r); !seen[key] {
					seen[key] = true
					got += callOf(r).Returned
				}
			}
			if got < total {
				t.Report(At(t.Last(), "page-missing", Text{
					FR: "le service n'a pas demandé toutes les pages de la réponse", EN: "the service did not ask for every page of the answer",
				}).Was(fmt.Sprintf("%d", total), fmt.Sprintf("%d", got)))
			}
		})
		It("stops at the last page", Check("INT-56.2"), Reads(paged), func() {
			t := searches(paged).Where(succeeded)
			end := t.Where(func(r record.Record) bool { return next(r) == "" }).Occasion().First()
			Expect(t.After(end)).To(BeEmpty("page-after-last", Text{
				FR: "le service demande encore une page après la dernière", EN: "the service asks for another page after the last one",
			}))
		})
		It("shows measures only", Check("INT-57.1"), Reads(mixed), func() {
			Expect(shownBy(mixed).Occasion()).To(Satisfy("measures only", func(r record.Record) *Finding {
				// Counted, not compared: that values are as received is INT-57.2,
				// that withdrawn ones are not shown INT-57.3.
				withdrawn, active := map[string]bool{}, 0
				for _, o := range answersDuring(mixed, r) {
					if at(o, "status") == "entered-in-error" {
						withdrawn[keyOf(o)] = true
					} else {
						active++
					}
				}
				shown := 0
				for _, m := range measures(r) {
					if !withdrawn[key(fmt.Sprint(m["value"]), fmt.Sprint(m["at"]))] {
						shown++
					}
				}
				if shown <= active {
					return nil
				}
				return At(r, "more-than-measures", Text{
					FR: "le service montre plus de mesures que la réponse n'en contient", EN: "the service shows more measures than the answer holds",
				}).Was(fmt.Sprintf("≤ %d", active), fmt.Sprint(shown)).Ptr()
			}))
		})
		It("shows values and instants as it received them", Check("INT-57.2"), Reads(span), func() {
			Expect(shownBy(span).Occasion()).To(Satisfy("as received", func(r record.Record) *Finding {
				want := keys(answersDuring(span, r))
				var got []string
				for _, m := range measures(r) {
					got = append(got, key(fmt.Sprint(m["value"]), fmt.Sprint(m["at"])))
				}
				slices.Sort(want)
				slices.Sort(got)
				if slices.Equal(want, got) {
					return nil
				}
				return At(r, "shown-otherwise", Text{
					FR: "les mesures montrées ne sont pas celles reçues (valeur et instant)", EN: "the measures shown are not those received (value and instant)",
				}).Was(quote(want), quote(got)).Ptr()
			}))
		})
		It("shows the kind and the unit that it received", Check("INT-57.4"), Reads(span), func() {
			Expect(shownBy(span).Occasion()).To(Satisfy("kind and unit", func(r record.Record) *Finding {
				v, err := decode(r.Pilot.Payload)
				if err != nil {
					return nil
				}
				units := map[string]bool{}
				for _, o := range answersDuring(span, r) {
					for _, name := range []string{"unit", "code"} {
						if u, ok := at(o, "valueQuantity", name).(string); ok {
							units[u] = true
						}
					}
				}
				for _, m := range measures(r) {
					if kind, told := m["kind"].(string); told && kind != at(v, "kind") {
						return At(r, "kind-shown-otherwise", Text{
							FR: "le service montre une mesure sous une autre nature que celle demandée", EN: "the service shows a measure under another kind than the one asked for",
						}).Was(fmt.Sprint(at(v, "kind")), kind).Ptr()
					}
					if unit, told := m["unit"].(string); told && len(units) > 0 && !units[unit] {
						return At(r, "unit-shown-otherwise", Text{
							FR: "le service montre une valeur dans une autre unité que celle reçue", EN: "the service shows a value in another unit than the one received",
						}).Was(quote(slices.Sorted(maps.Keys(units))), unit).Ptr()
					}
				}
				return nil
			}))
		})
		It("does not show what was entered in error", Check("INT-57.3"), Reads(mixed), func() {
			t := shownBy(mixed)
			wrong := map[string]bool{}
			for _, r := range t.Records {
				for _, o := range answersDuring(mixed, r) {
					if at(o, "status") == "entered-in-error" {
						wrong[keyOf(o)] = true
					}
				}
			}
			if len(wrong) == 0 {
				t.Marks("none").Occasion()
			}
			Expect(t.Occasion()).To(Satisfy("no error shown", func(r record.Record) *Finding {
				for _, m := range measures(r) {
					if k := key(fmt.Sprint(m["value"]), fmt.Sprint(m["at"])); wrong[k] {
						return At(r, "entered-in-error-shown", Text{
							FR: "le service montre une mesure saisie par erreur et annulée", EN: "the service shows a measure that was entered in error",
						}).Was("—", k).Ptr()
					}
				}
				return nil
			}))
		})
	})
}

func seeded(s data.Seed) control.Seed {
	return control.Seed{Measures: s.Measures, Devices: s.Devices, Documents: s.Documents, Appointments: s.Appointments}
}

// forLast says whether a search asks for the last measure.
func forLast(r record.Record) bool {
	u, err := url.Parse(r.Exchange.Request.URL)
	return err == nil && u.Query().Has("_sort")
}

// shownBy are the pilot's accounts of what was read.
func shownBy(s *Scenario) Trace { return lookedUp(s).Where(answered) }

// lookedUp are the readings of measures in which the service asked for some or
// showed some. One in which it did neither says nothing of how it reads and shows.
func lookedUp(s *Scenario) Trace {
	return s.Trace().Actions(candidate.ReadMeasures).Where(func(r record.Record) bool {
		if answered(r) && len(measures(r)) > 0 {
			return true
		}
		return len(s.Trace().During(r).Requests(record.RouteSearchMeasures).Records) > 0
	})
}

// measures are what the service shows, by its own account.
func measures(r record.Record) []map[string]any {
	v, err := decode(r.Pilot.Data)
	if err != nil {
		return nil
	}
	list, _ := at(v, "measures").([]any)
	var out []map[string]any
	for _, m := range list {
		if x, ok := m.(map[string]any); ok {
			out = append(out, x)
		}
	}
	return out
}

// answersDuring are the Observations that the sandbox returned while an action
// was in progress.
func answersDuring(s *Scenario, action record.Record) []any {
	var out []any
	seen := map[string]bool{}
	for _, r := range s.Trace().During(action).Requests(record.RouteSearchMeasures).Where(succeeded).Records {
		if r.Exchange.Response.Body == nil {
			continue
		}
		v, err := decode([]byte(r.Exchange.Response.Body.Text))
		if err != nil {
			continue
		}
		entries, _ := at(v, "entry").([]any)
		for _, e := range entries {
			res := at(e, "resource")
			id := fmt.Sprint(at(res, "id"))
			if at(res, "resourceType") == "Observation" && !seen[id] {
				seen[id] = true
				out = append(out, res)
			}
		}
	}
	return out
}

func keys(observations []any) []string {
	var out []string
	for _, o := range observations {
		out = append(out, keyOf(o))
	}
	return out
}

func keyOf(o any) string {
	return key(fmt.Sprint(at(o, "valueQuantity", "value")), fmt.Sprint(at(o, "effectiveDateTime")))
}

// key tells a measure by its value and its instant in UTC, so that another
// offset for the same instant is no difference.
func key(value, instant string) string {
	if t, err := time.Parse(time.RFC3339, instant); err == nil {
		instant = t.UTC().Format(time.RFC3339)
	}
	return canonical(value) + " @ " + instant
}

func totalOf(r record.Record) int {
	v, err := decode([]byte(r.Exchange.Response.Body.Text))
	if err != nil {
		return 0
	}
	n, _ := at(v, "total").(json.Number)
	total, _ := n.Int64()
	return int(total)
}

// next is the address of the next page that an answer gives, "" for the last.
func next(r record.Record) string {
	v, err := decode([]byte(r.Exchange.Response.Body.Text))
	if err != nil {
		return ""
	}
	links, _ := at(v, "link").([]any)
	for _, l := range links {
		if at(l, "relation") == "next" {
			s, _ := at(l, "url").(string)
			return s
		}
	}
	return ""
}

func pageOf(r record.Record) string {
	u, err := url.Parse(r.Exchange.Request.URL)
	if err != nil {
		return r.Exchange.Request.URL
	}
	if p := u.Query().Get("_offset"); p != "" {
		return p
	}
	return "0"
}
