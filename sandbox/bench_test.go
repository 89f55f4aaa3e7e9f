package sandbox_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"testing"

	. "github.com/onsi/gomega"

	"github.com/etalon-sante/etalon/sandbox"
	"github.com/etalon-sante/etalon/sandbox/control"
)

// BenchmarkStart measures from nothing to a sandbox that answers on both ports
// (budget: 150 ms with the start of the process).
func BenchmarkStart(b *testing.B) {
	for b.Loop() {
		s, err := sandbox.New(sandbox.Options{})
		if err != nil {
			b.Fatal(err)
		}
		if err := s.Start(context.Background()); err != nil {
			b.Fatal(err)
		}
		if _, err := s.Control().Health(context.Background()); err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
}

// BenchmarkFeed measures validated, journaled measure feeds over TLS (budget:
// 3,000 a second on two cores, the client included), in a space with one
// patient and in one with as many as a run has.
func BenchmarkFeed(b *testing.B) {
	for _, patients := range []int{1, 100} {
		b.Run(fmt.Sprintf("patients=%d", patients), func(b *testing.B) {
			RegisterTestingT(b)
			server, err := sandbox.New(sandbox.Options{})
			Expect(err).NotTo(HaveOccurred())
			Expect(server.Start(context.Background())).To(Succeed())
			defer server.Close()
			s := newService(server.Control(), control.SpaceRequest{})
			defer s.close()
			s.http.Transport.(*http.Transport).MaxIdleConnsPerHost = 16
			s.http.Transport.(*http.Transport).ForceAttemptHTTP2 = false
			var t tokens
			for i := range patients {
				t = s.pair(s.patient(fmt.Sprintf("patient-%d", i)))
			}
			body := feed(t, nominals()[0].observation(morning))
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					resp, err := s.http.Do(s.business(t, http.MethodPost, "", body))
					if err != nil || resp.StatusCode != http.StatusOK {
						b.Error(err, resp.StatusCode)
						return
					}
					_, _ = io.Copy(io.Discard, resp.Body)
					_ = resp.Body.Close()
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "feeds/s")
		})
	}
}
