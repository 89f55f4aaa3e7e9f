package sandbox_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

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
// 3,000 a second on two cores, the client included, and 20 ms for 99 of 100), in
// a space with one patient and in one with as many as a run has.
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
			var mu sync.Mutex
			var took []time.Duration
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				var mine []time.Duration
				defer func() {
					mu.Lock()
					defer mu.Unlock()
					took = append(took, mine...)
				}()
				for pb.Next() {
					start := time.Now()
					resp, err := s.http.Do(s.business(t, http.MethodPost, "", body))
					if err != nil || resp.StatusCode != http.StatusOK {
						b.Error(err, resp.StatusCode)
						return
					}
					_, _ = io.Copy(io.Discard, resp.Body)
					_ = resp.Body.Close()
					mine = append(mine, time.Since(start))
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "feeds/s")
			slices.Sort(took)
			if len(took) > 0 {
				b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
			}
		})
	}
}

// BenchmarkSpaces opens 200 spaces at once, each with a patient who pairs and
// feeds, and closes them: what a space takes while it is open, and what stays of
// it after.
func BenchmarkSpaces(b *testing.B) {
	const many = 200
	RegisterTestingT(b)
	server, err := sandbox.New(sandbox.Options{})
	Expect(err).NotTo(HaveOccurred())
	Expect(server.Start(b.Context())).To(Succeed())
	defer server.Close()
	round := func() (open float64) {
		spaces := make([]*service, many)
		before := heap()
		for i := range spaces {
			s := newService(server.Control(), control.SpaceRequest{})
			t := s.pair(s.patient("patient"))
			Expect(s.call(t, http.MethodPost, "", feed(t, nominals()[0].observation(morning))).status).To(Equal(http.StatusOK))
			spaces[i] = s
		}
		open = heap() - before
		for _, s := range spaces {
			Expect(s.api.DeleteSpace(b.Context(), s.space.ID)).To(Succeed())
			s.http.CloseIdleConnections()
		}
		return open
	}
	round() // what is made once for the process
	before := heap()
	var open float64
	for b.Loop() {
		open += round() / many
	}
	b.ReportMetric(open/float64(b.N), "B/space")
	b.ReportMetric((heap()-before)/many/float64(b.N), "B-left/space")
}

func heap() float64 {
	for range 3 {
		runtime.GC()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc)
}
