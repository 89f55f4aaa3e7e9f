package interop

import (
	"context"
	"encoding/json"
	"fmt"

	. "github.com/onsi/ginkgo/v2"

	"github.com/etalon-sante/etalon/sandbox/control"
	"github.com/etalon-sante/etalon/sandbox/record"
	"github.com/etalon-sante/etalon/suites/candidate"
	"github.com/etalon-sante/etalon/suites/journey"
	. "github.com/etalon-sante/etalon/suites/lab"
)

// certificates holds the checks of whether the service looks at the certificate
// of Mon espace santé before it sends anything.
func certificates(l *Lab) {
	var shown *Scenario
	l.In("certificate", func() {
		shown = l.Scenario("bad-certificates", "the server shows an expired certificate, one of another name, one of an unknown authority, one of none; a measure is to be sent each time, and once more when all is well", func(ctx context.Context, s *Stage) error {
			p, err := journey.Paired(ctx, s, Tolerant())
			if err != nil {
				return err
			}
			v := visit{Patient: p, at: journey.Moment(s)}
			send := func(n int) error {
				_, err := s.Endure(ctx, p, candidate.SendMeasure, v.measure(s, n))
				return err
			}
			for i, kind := range control.BadCertificates() {
				if err := s.Under(ctx, p, kind, func(context.Context) error { return send(i) }); err != nil {
					return err
				}
			}
			return send(len(control.BadCertificates()))
		}, Needs(candidate.Pair, candidate.SendMeasure), Alone())
	})
	Describe("The certificate of Mon espace santé", func() {
		for i, kind := range control.BadCertificates() {
			It("is looked at before anything is sent: "+kind, Check(fmt.Sprintf("INT-176.%d", i+1)), Reads(shown), EvenIfEnded(), func() {
				t := shown.Trace()
				met := t.Marks("note").Where(func(r record.Record) bool {
					var seen CertificateSeen
					if r.Mark.Text != NoteCertificate || json.Unmarshal(r.Mark.Data, &seen) != nil || seen.Kind != kind {
						return false
					}
					if seen.Reason != "" {
						t.Untested(Text{
							FR: "le bac à sable n’a pas pu montrer un autre certificat : " + seen.Reason,
							EN: "the sandbox could not show another certificate: " + seen.Reason,
						})
					}
					return seen.Handshakes > 0
				})
				// Who sends nothing at all has refused nothing.
				under := func(kind string) Trace {
					return t.Where(func(r record.Record) bool {
						return r.Exchange != nil && r.Exchange.From == record.Candidate && r.Exchange.Facts != nil && r.Exchange.Facts.Shown == kind
					})
				}
				Occasion(met, under("").Requests(record.RouteFeedMeasure).Where(succeeded))
				Expect(under(kind)).To(BeEmpty("sent-under-a-bad-certificate", Text{
					FR: "le service envoie une requête à un serveur dont le certificat n’est pas valable",
					EN: "the service sends a request to a server whose certificate is not valid",
				}))
			})
		}
	})
}
