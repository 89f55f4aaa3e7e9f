package interop

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"

	"github.com/etalon-sante/etalon/sandbox/record"
	"github.com/etalon-sante/etalon/suites/candidate"
	"github.com/etalon-sante/etalon/suites/journey"
	. "github.com/etalon-sante/etalon/suites/lab"
)

// profiles holds the checks about whose record is meant: that of a parent or of
// his child, and which account of the service is shown before consent.
func profiles(l *Lab) {
	life := journey.LifeOf(l)
	two, again := l.Lookup("pairing-two"), l.Lookup("pair-again")
	Describe("Profiles of one account", func() {
		It("are never taken for one another", Check("INT-78.1"), Reads(life.Profiles), func() {
			t := life.Profiles.Trace()
			// Both are in use: each has tokens of its own, a measure was to be sent
			// for each, and something was stored.
			asked := t.Actions(candidate.SendMeasure)
			for _, who := range patients(asked) {
				Occasion(t.Of(who).Requests(record.RouteToken).Where(succeeded), asked.Of(who))
			}
			if len(patients(asked)) < 2 {
				t.Marks("none").Occasion()
			}
			fed := t.Requests(record.RouteFeedMeasure).Where(succeeded).Occasion()
			Expect(fed).To(Satisfy("profile", func(r record.Record) *Finding {
				sentAt, ok := instant(at(observation(r), "effectiveDateTime"))
				if !ok {
					return nil
				}
				for _, a := range asked.Records {
					var p struct {
						Measure struct {
							At string `json:"at"`
						} `json:"measure"`
					}
					if json.Unmarshal(a.Pilot.Payload, &p) != nil {
						continue
					}
					if want, ok := instant(p.Measure.At); ok && want.Equal(sentAt) && a.Patient != r.Patient {
						return At(r, "profiles-mixed-up", Text{
							FR: "la mesure d'un profil est enregistrée dans le dossier d'un autre profil du même compte",
							EN: "the measure of one profile is stored in the record of another profile of the same account",
						}).Was(a.Patient, r.Patient).In(pointer(r, "subject/identifier/value")).Ptr()
					}
				}
				return nil
			}))
		})
	})
	Describe("The account about to be paired", func() {
		announced := func(s *Scenario) Trace {
			return s.Trace().Exchanges(record.RouteAuthorize).Where(func(r record.Record) bool { return partner(r) != nil })
		}
		It("is announced whole", Check("INT-79.1"), Reads(two), func() {
			Expect(announced(two).Occasion()).To(Satisfy("account", func(r record.Record) *Finding {
				p := partner(r)
				if p.Readable && len(p.Missing) == 0 {
					return nil
				}
				return At(r, "account-not-whole", Text{
					FR: "le compte annoncé ne peut pas être montré en entier au patient avant son accord",
					EN: "the account announced cannot be shown whole to the patient before consent",
				}).Was("firstName, lastName, email, login", "missing: "+strings.Join(p.Missing, ", ")).In("url").Ptr()
			}))
		})
		It("is that of the patient who asked", Check("INT-79.2"), Reads(two, again), func() {
			whose := map[string]string{} // login -> patient
			seen := announced(two)
			if len(patients(seen)) < 2 {
				seen.Marks("none").Occasion()
			}
			Expect(seen.Occasion()).To(Satisfy("one account a patient", func(r record.Record) *Finding {
				login := partner(r).Login
				if other, taken := whose[login]; login == "" || !taken || other == r.Patient {
					whose[login] = r.Patient
					return nil
				}
				return At(r, "account-of-another", Text{
					FR: "le compte montré au patient avant son accord est celui d'un autre",
					EN: "the account shown to the patient before consent is someone else's",
				}).Was("a login of its own", login).In("request:?login").Ptr()
			}))
			logins := map[string]string{} // patient -> login
			Expect(announced(again)).To(Satisfy("the same account each time", func(r record.Record) *Finding {
				login := partner(r).Login
				if before, known := logins[r.Patient]; !known || before == login {
					logins[r.Patient] = login
					return nil
				}
				return At(r, "account-changed", Text{
					FR: "le même compte est annoncé sous un autre identifiant au second appariement",
					EN: "the same account is announced under another login at the second pairing",
				}).Was(logins[r.Patient], login).In("request:?login").Ptr()
			}))
		})
	})
}

func partner(r record.Record) *record.PartnerFacts {
	if r.Exchange.Facts == nil || r.Exchange.Facts.Authorize == nil {
		return nil
	}
	return r.Exchange.Facts.Authorize.Partner
}

// patients lists whom a trace concerns, each once.
func patients(t Trace) []string {
	var out []string
	for _, r := range t.Records {
		if r.Patient != "" && !slices.Contains(out, r.Patient) {
			out = append(out, r.Patient)
		}
	}
	return out
}

func instant(v any) (time.Time, bool) {
	s, _ := v.(string)
	out, err := time.Parse(time.RFC3339, s)
	return out, err == nil
}
