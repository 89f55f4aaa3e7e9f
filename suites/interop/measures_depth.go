package interop

import (
	"context"
	"fmt"
	"slices"
	"time"

	. "github.com/onsi/ginkgo/v2"

	"github.com/etalon-sante/etalon/fixtures/data"
	"github.com/etalon-sante/etalon/sandbox/record"
	"github.com/etalon-sante/etalon/suites/candidate"
	"github.com/etalon-sante/etalon/suites/journey"
	. "github.com/etalon-sante/etalon/suites/lab"
)

// The scale of the texts: what a maker may well be called, in characters that a
// careless encoding loses. Its identifier is of a locally administered range.
func wordyScale() data.Device {
	return data.Device{Kind: "scale", ID: "02-E8-FF-FE-FF-05-1C-07", Manufacturer: "L’Œuvre d’Été & Fils «Ñandú»", Model: "Pèse-personne n°7 – édition ÿ \"maison\""}
}

// Two bounds in the hour that comes twice in Paris, when summer time ends, and
// what lies around and between them.
const (
	repeatedFrom = "2026-10-25T02:30:00+02:00"
	repeatedTo   = "2026-10-25T02:30:00+01:00"
)

func repeatedHour() (before []string, between []string, after []string) {
	return []string{"2026-10-25T02:05:00+02:00"}, []string{"2026-10-25T02:50:00+02:00", "2026-10-25T02:10:00+01:00"}, []string{"2026-10-25T02:55:00+01:00"}
}

// measuresDepth holds the scenarios of values, texts, instants and pages that an
// ordinary day does not show (requirements INT-190 to INT-195).
func measuresDepth(l *Lab) {
	var extremes, words, instants, repeated, empty, full *Scenario
	l.In("feed", func() {
		extremes = l.Scenario("feed-extremes", "the least, the greatest and the most precise values that people have had are fed, for each kind of measure", func(ctx context.Context, s *Stage) error {
			p, err := journey.Paired(ctx, s, Tolerant())
			if err != nil {
				return err
			}
			for _, m := range extremesOf(s.Candidate(), journey.Moment(s)) {
				if _, err := journey.SendThis(ctx, s, p, m); err != nil {
					return err
				}
			}
			return nil
		}, Needs(candidate.SendMeasure))
		words = l.Scenario("feed-words", "a weight is fed that a scale took whose maker has accents, quotes and signs in its name", func(ctx context.Context, s *Stage) error {
			p, err := journey.Paired(ctx, s, Tolerant())
			if err != nil {
				return err
			}
			m := data.Nominal(s.SeedNumber(), "weight", journey.Moment(s))
			scale := wordyScale()
			m.Method, m.Device = "scale", &scale
			_, err = journey.SendThis(ctx, s, p, m)
			return err
		}, Needs(candidate.SendMeasure), NeedsKind("weight"), NeedsDevices())
	})
	reads := func(slug, sentence string, at func(s *Stage) []time.Time, from, to func(s *Stage) string) *Scenario {
		return l.Scenario(slug, sentence, func(ctx context.Context, s *Stage) error {
			p, err := journey.Paired(ctx, s, Tolerant())
			if err != nil {
				return err
			}
			kind := journey.Main(s.Candidate())
			var seed data.Seed
			for i, t := range at(s) {
				seed.Measures = append(seed.Measures, data.Observation(data.Nominal(s.SeedNumber()+int64(i), kind, t), ""))
			}
			if len(seed.Measures) > 0 {
				if _, err := s.Seed(ctx, p, seeded(seed)); err != nil {
					return err
				}
			}
			if _, err := s.Do(ctx, p, candidate.ReadMeasures, map[string]any{"kind": kind, "from": from(s), "to": to(s)}); err != nil {
				return err
			}
			if slug == "search-full-pages" {
				return s.Quiet(ctx) // a pager may go on after the answer
			}
			return nil
		}, Needs(candidate.ReadMeasures))
	}
	l.In("search", func() {
		now := func(s *Stage) string { return journey.Moment(s).Add(time.Hour).Format(time.RFC3339) }
		said := func(text string) func(*Stage) string { return func(*Stage) string { return text } }
		instants = reads("search-instants", "measures are read that were taken in other zones, on 29 February and around the changes of hour", func(*Stage) []time.Time { return data.Instants() }, said("2024-01-01T00:00:00+01:00"), now)
		repeated = reads("search-repeated-hour", "half an hour on each side of the change of hour is read, in the hour that comes twice", func(*Stage) []time.Time {
			before, between, after := repeatedHour()
			var out []time.Time
			for _, text := range slices.Concat(before, between, after) {
				if t, err := time.Parse(time.RFC3339, text); err == nil {
					out = append(out, t)
				}
			}
			return out
		}, said(repeatedFrom), said(repeatedTo))
		empty = reads("search-empty", "the measures of a record that holds none are read", func(*Stage) []time.Time { return nil }, said("2026-01-01T00:00:00+01:00"), now)
		full = reads("search-full-pages", "a hundred measures are read, which fill their last page", func(s *Stage) []time.Time {
			var out []time.Time
			for i := range 100 {
				out = append(out, journey.Moment(s).Add(-time.Duration(i)*time.Hour))
			}
			return out
		}, said("2026-01-01T00:00:00+01:00"), now)
	})

	Describe("Measures at their limits", func() {
		It("feeds the least, the greatest and the most precise values as they are", Check("INT-190.1"), Reads(extremes), func() {
			Expect(asked(extremes.Trace()).Occasion()).To(sameValue())
		})
		It("feeds texts as they are", Check("INT-191.1"), Reads(words), func() {
			scale := wordyScale()
			named := []string{scale.Manufacturer, scale.Model}
			Expect(words.Trace().Requests(record.RouteFeedMeasure).Where(func(r record.Record) bool {
				return len(textsOf(resource(r, "Device"))) > 0
			}).Occasion()).To(Satisfy("texts as they are", func(r record.Record) *Finding {
				for place, got := range textsOf(resource(r, "Device")) {
					if !slices.Contains(named, got) {
						return At(r, "text-changed", Text{
							FR: "un texte du dispositif n’est pas celui qui a été donné", EN: "a text of the device is not the one that was given",
						}).Was(quote(named), got).In(place).Ptr()
					}
				}
				return nil
			}))
		})
		It("shows measures at the instants at which they were taken", Check("INT-194.1"), Reads(instants), func() {
			Expect(shownBy(instants).Occasion()).To(Satisfy("instants as received", func(r record.Record) *Finding {
				var want []string
				for _, o := range answersDuring(instants, r) {
					want = append(want, inUTC(fmt.Sprint(at(o, "effectiveDateTime"))))
				}
				return shownAt(r, want)
			}))
		})
		It("reads between two instants and not between two hours of the clock", Check("INT-195.1"), Reads(repeated), func() {
			_, between, _ := repeatedHour()
			var want []string
			for _, text := range between {
				want = append(want, inUTC(text))
			}
			Expect(shownBy(repeated).Occasion()).To(Satisfy("what lies between", func(r record.Record) *Finding { return shownAt(r, want) }))
		})
		It("shows nothing of an empty record, and no failure", Check("INT-192.1"), Reads(empty), func() {
			t := lookedUp(empty).Occasion()
			Expect(t).To(answerDone())
			Expect(t.Where(answered)).To(Satisfy("nothing shown", func(r record.Record) *Finding { return shownAt(r, nil) }))
		})
		It("stops at a last page that is full", Check("INT-193.1"), Reads(full), func() {
			t := full.Trace().Requests(record.RouteSearchMeasures).Where(succeeded)
			end := t.Where(func(r record.Record) bool { return next(r) == "" }).Occasion().First()
			Expect(t.After(end)).To(BeEmpty("page-after-last", Text{
				FR: "le service demande encore une page après la dernière, parce qu’elle est pleine", EN: "the service asks for another page after the last one, because it is full",
			}))
		})
	})
}

// extremesOf lists, for each kind that a candidate claims, the least and the
// greatest value, and one that binary floating point does not hold.
func extremesOf(c candidate.Candidate, when time.Time) []data.Measure {
	var out []data.Measure
	for _, k := range kinds() {
		if !c.Claims.Exchanges(k.name) {
			continue
		}
		edges := data.Edge(k.name, when)
		out = append(out, edges[:2]...)
		if k.name == "weight" || k.name == "temperature" || k.name == "head" {
			out = append(out, edges[len(edges)-1])
		}
	}
	return out
}

// textsOf are the texts of a Device that a reader sees: who made it and what it
// is called, by their place.
func textsOf(d any) map[string]string {
	out := map[string]string{}
	for _, name := range []string{"manufacturer", "modelNumber"} {
		if s, _ := at(d, name).(string); s != "" {
			out["/"+name] = s
		}
	}
	names, _ := at(d, "deviceName").([]any)
	for i, n := range names {
		if s, _ := at(n, "name").(string); s != "" {
			out[fmt.Sprintf("/deviceName/%d/name", i)] = s
		}
	}
	return out
}

// shownAt compares the instants that the service shows with those wanted, in UTC.
func shownAt(r record.Record, want []string) *Finding {
	got := []string{}
	for _, m := range measures(r) {
		got = append(got, inUTC(fmt.Sprint(m["at"])))
	}
	want = slices.Clone(want)
	slices.Sort(want)
	slices.Sort(got)
	if slices.Equal(want, got) {
		return nil
	}
	return At(r, "shown-otherwise", Text{
		FR: "les mesures montrées ne sont pas celles du dossier à ces instants", EN: "the measures shown are not those of the record at these instants",
	}).Was(quote(want), quote(got)).Ptr()
}

func inUTC(instant string) string {
	if t, err := time.Parse(time.RFC3339, instant); err == nil {
		return t.UTC().Format(time.RFC3339)
	}
	return instant
}
