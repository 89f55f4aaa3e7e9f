// Package journey holds the scenarios that more than one suite reads: what
// patients do with consent, and how a measure is asked for.
package journey

import (
	"context"
	"time"

	"github.com/etalon-sante/etalon/fixtures/data"
	"github.com/etalon-sante/etalon/sandbox/control"
	"github.com/etalon-sante/etalon/sandbox/record"
	"github.com/etalon-sante/etalon/suites/candidate"
	"github.com/etalon-sante/etalon/suites/lab"
)

// The finalités, as the sandbox's settings name them.
const (
	WriteMeasures  = "MESURES_ECRITURE"
	ReadMeasures   = "MESURES_LECTURE"
	WriteDocuments = "DOCUMENTS_ECRITURE"
	ReadDocuments  = "DOCUMENTS_LECTURE"
	WriteAgenda    = "AGENDA_ECRITURE"
	ReadAgenda     = "AGENDA_LECTURE"
)

// Paired is a patient who has been through the pairing and agreed to everything.
func Paired(ctx context.Context, s *lab.Stage, opts ...lab.PatientOption) (*lab.Patient, error) {
	p, err := s.Patient(ctx, opts...)
	if err != nil {
		return nil, err
	}
	return p, s.Pair(ctx, p, lab.Choice{})
}

// Moment is the instant of the ordinary measures of a run: an hour ago, to the
// second, with the offset of French legal time.
func Moment(s *lab.Stage) time.Time {
	at := s.Now().Add(-time.Hour).Truncate(time.Second)
	if paris, err := time.LoadLocation("Europe/Paris"); err == nil {
		return at.In(paris)
	}
	return at.UTC()
}

// Main is the kind of measure that scenarios use where any would do: a weight,
// or the first kind that the candidate claims.
func Main(c candidate.Candidate) string {
	if c.Claims.Exchanges("weight") {
		return "weight"
	}
	return c.Claims.Kinds[0]
}

// Send asks the candidate to feed an ordinary measure.
func Send(ctx context.Context, s *lab.Stage, p *lab.Patient) (candidate.Answer, error) {
	return SendKind(ctx, s, p, Main(s.Candidate()))
}

// SendKind asks the candidate to feed an ordinary measure of a kind.
func SendKind(ctx context.Context, s *lab.Stage, p *lab.Patient, kind string) (candidate.Answer, error) {
	return SendThis(ctx, s, p, data.Nominal(s.SeedNumber(), kind, Moment(s)))
}

// SendThis asks the candidate to feed a measure.
func SendThis(ctx context.Context, s *lab.Stage, p *lab.Patient, m data.Measure) (candidate.Answer, error) {
	return s.Do(ctx, p, candidate.SendMeasure, map[string]any{"measure": m})
}

// Read asks the candidate to read three months of measures.
func Read(ctx context.Context, s *lab.Stage, p *lab.Patient) (candidate.Answer, error) {
	kind := Main(s.Candidate())
	to := Moment(s).Add(time.Hour)
	return s.Do(ctx, p, candidate.ReadMeasures, map[string]any{
		"kind": kind, "from": to.AddDate(0, -3, 0).Format(time.RFC3339), "to": to.Format(time.RFC3339),
	})
}

// Status asks what the service believes and shows. Its absence leaves untested
// what needs it.
func Status(ctx context.Context, s *lab.Stage, p *lab.Patient) error {
	_, err := s.Do(ctx, p, candidate.Status, nil)
	return err
}

// Consent holds the scenarios about what the patient agrees to.
type Consent struct {
	BeforePairing *lab.Scenario
	Refused       *lab.Scenario
	ReadOnly      *lab.Scenario
	WriteOnly     *lab.Scenario
	UnpairService *lab.Scenario
	UnpairMES     *lab.Scenario
}

// ConsentOf declares the scenarios about consent, once.
func ConsentOf(l *lab.Lab) Consent {
	const chapter = "consent"
	return Consent{
		BeforePairing: l.Shared(chapter, "before-pairing", "a measure is to be sent for a patient who has not paired; then he pairs, and it is sent", func(ctx context.Context, s *lab.Stage) error {
			p, err := s.Patient(ctx)
			if err != nil {
				return err
			}
			if _, err := Send(ctx, s, p); err != nil {
				return err
			}
			if err := s.Quiet(ctx); err != nil {
				return err
			}
			// That nothing left before says something only of a service that
			// does send once it may.
			if err := s.Note(p, "consent", nil); err != nil {
				return err
			}
			if err := s.Pair(ctx, p, lab.Choice{}); err != nil {
				return err
			}
			_, err = Send(ctx, s, p)
			return err
		}, lab.Needs(candidate.Pair, candidate.SendMeasure)),
		Refused: l.Shared(chapter, "consent-refused", "the patient refuses on the consent page; then a measure is to be sent", func(ctx context.Context, s *lab.Stage) error {
			p, err := s.Patient(ctx)
			if err != nil {
				return err
			}
			if err := s.Pair(ctx, p, lab.Choice{Refuse: true}); err != nil {
				return err
			}
			if err := s.Quiet(ctx); err != nil {
				return err
			}
			return Status(ctx, s, p)
		}, lab.Needs(candidate.Pair)),
		ReadOnly: l.Shared(chapter, "consent-read-only", "the patient agrees to reading only; a measure is to be sent", func(ctx context.Context, s *lab.Stage) error {
			p, err := s.Patient(ctx)
			if err != nil {
				return err
			}
			if err := s.Pair(ctx, p, lab.Choice{Except: []string{WriteMeasures, WriteDocuments}}); err != nil {
				return err
			}
			if _, err := Send(ctx, s, p); err != nil {
				return err
			}
			return s.Quiet(ctx)
		}, lab.Needs(candidate.SendMeasure)),
		WriteOnly: l.Shared(chapter, "consent-write-only", "the patient agrees to writing only; measures are to be read", func(ctx context.Context, s *lab.Stage) error {
			p, err := s.Patient(ctx)
			if err != nil {
				return err
			}
			if err := s.Pair(ctx, p, lab.Choice{Except: []string{ReadMeasures, ReadDocuments}}); err != nil {
				return err
			}
			if _, err := Read(ctx, s, p); err != nil {
				return err
			}
			return s.Quiet(ctx)
		}, lab.Needs(candidate.ReadMeasures)),
		UnpairService: l.Shared(chapter, "unpair-service", "the patient un-pairs in the service; then a measure is to be sent", func(ctx context.Context, s *lab.Stage) error {
			p, err := Paired(ctx, s)
			if err != nil {
				return err
			}
			if _, err := s.Must(ctx, p, candidate.Unpair, nil); err != nil {
				return err
			}
			if err := Status(ctx, s, p); err != nil {
				return err
			}
			if s.Candidate().Claims.Writes("measures") {
				if _, err := Send(ctx, s, p); err != nil {
					return err
				}
			}
			return s.Quiet(ctx)
		}, lab.Needs(candidate.Pair)),
		UnpairMES: l.Shared(chapter, "unpair-mes", "the patient un-pairs in Mon espace santé; the service is told by a refusal, then asked again", func(ctx context.Context, s *lab.Stage) error {
			p, err := Paired(ctx, s)
			if err != nil {
				return err
			}
			if _, err := Send(ctx, s, p); err != nil {
				return err
			}
			if err := s.Happen(ctx, p, control.Act{Kind: control.ActUnpair}); err != nil {
				return err
			}
			if _, err := Send(ctx, s, p); err != nil {
				return err
			}
			if err := s.Quiet(ctx); err != nil {
				return err
			}
			if err := s.Note(p, "told", nil); err != nil {
				return err
			}
			if err := Status(ctx, s, p); err != nil {
				return err
			}
			if _, err := Send(ctx, s, p); err != nil {
				return err
			}
			return s.Quiet(ctx)
		}, lab.Needs(candidate.Pair, candidate.SendMeasure)),
	}
}

// Fed waits until a call on a route was answered with success.
func Fed(ctx context.Context, s *lab.Stage, p *lab.Patient, route record.Route) bool {
	return s.Await(ctx, string(route), func(t lab.Trace) bool {
		return !t.Of(p.Handle).Requests(route).Where(func(r record.Record) bool {
			return r.Exchange.Response.Status/100 == 2
		}).Empty()
	})
}
