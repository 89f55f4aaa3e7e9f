package run_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/etalon-sante/etalon/reports"
	"github.com/etalon-sante/etalon/sandbox/record"
	"github.com/etalon-sante/etalon/suites/candidate"
	"github.com/etalon-sante/etalon/suites/lab"
	"github.com/etalon-sante/etalon/suites/run"
	"github.com/etalon-sante/etalon/suites/run/demo"
	"github.com/etalon-sante/etalon/suites/run/selftest"
)

func demonstration(b *testing.B) *demo.Service {
	b.Helper()
	s, err := demo.Start(b.Context(), demo.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(s.Close)
	return s
}

func options(s *demo.Service, out string) run.Options {
	return run.Options{Manifest: s.Manifest, Roots: s.Roots, Out: out, Seed: 1, Phase: "pilot", Version: "bench", Now: time.Now}
}

// A whole automatic run of the reference service, its report written. Budget:
// 3 s.
func BenchmarkFullRunOfTheReference(b *testing.B) {
	s := demonstration(b)
	out := filepath.Join(b.TempDir(), "report")
	for b.Loop() {
		got, err := run.Run(b.Context(), options(s, out))
		if err != nil {
			b.Fatal(err)
		}
		if got.Report.Verdict != reports.RunConformant {
			b.Fatalf("the run is %s: %s", got.Report.Verdict, firstError(got.Report))
		}
	}
}

func firstError(r reports.Report) string {
	for _, x := range r.Results {
		for _, c := range x.Checks {
			if c.Verdict == reports.Error {
				return c.ID + ": " + c.Reason.EN
			}
		}
	}
	return "no check"
}

// Every verdict of that run, computed again from its folder. Budget: 200 ms.
func BenchmarkJudgeARecordedRun(b *testing.B) {
	s := demonstration(b)
	out := filepath.Join(b.TempDir(), "report")
	if _, err := run.Run(b.Context(), options(s, out)); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := run.JudgeFolder(out); err != nil {
			b.Fatal(err)
		}
	}
}

// The doctor, a trial pairing included. Budget: 1 s.
func BenchmarkDoctor(b *testing.B) {
	s := demonstration(b)
	for b.Loop() {
		e, err := run.Examine(b.Context(), options(s, ""), nil)
		if err != nil {
			b.Fatal(err)
		}
		if !e.Healthy() {
			b.Fatalf("%+v", e.Steps)
		}
	}
}

// The whole kill matrix. Budget: 60 s.
func BenchmarkSelfTest(b *testing.B) {
	for b.Loop() {
		r, err := selftest.Run(b.Context(), selftest.Options{})
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(r.Flaws), "flaws")
		b.ReportMetric(float64(r.Flaws-r.Killed), "survivors")
	}
}

// calling is a candidate that makes one call to the sandbox for each action and
// tells how long that took: what is beyond is ours.
type calling struct {
	http *http.Client
	took time.Duration // of the last call; actions are asked one at a time
}

func (p *calling) Do(ctx context.Context, c candidate.Call) (candidate.Answer, error) {
	if c.Action != candidate.ReadMeasures {
		return candidate.Answer{Status: "unsupported"}, nil
	}
	start := time.Now()
	defer func() { p.took = time.Since(start) }()
	var payload struct {
		MES struct {
			Endpoints struct{ FHIR, IDTokenHeader string }
			Tokens    struct{ AccessToken, IDToken, IDPe, AssignAuth string }
		}
	}
	raw, ok := c.Payload.(json.RawMessage)
	if !ok {
		return candidate.Answer{}, &candidate.PilotError{Kind: "body"}
	}
	if err := json.Unmarshal(raw, &payload); err != nil {
		return candidate.Answer{}, err
	}
	m := payload.MES
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, m.Endpoints.FHIR+"/Observation?code=29463-7&_count=1&_sort=-date&subject.identifier="+m.Tokens.AssignAuth+"%7C"+m.Tokens.IDPe, nil)
	if err != nil {
		return candidate.Answer{}, err
	}
	req.Header.Set("Authorization", "Bearer "+m.Tokens.AccessToken)
	req.Header.Set(m.Endpoints.IDTokenHeader, m.Tokens.IDToken)
	res, err := p.http.Do(req)
	if err != nil {
		return candidate.Answer{}, err
	}
	defer res.Body.Close()
	if _, err := io.Copy(io.Discard, res.Body); err != nil {
		return candidate.Answer{}, err
	}
	status := "done"
	if res.StatusCode != http.StatusOK {
		status = "failed"
	}
	return candidate.Answer{Status: status}, nil
}

// What the harness adds to each exchange: asking and noting, reading the
// sandbox's journal, then redacting and handing over the records. p95-ms is of
// the asking and noting, one exchange at a time; after-ms is the mean share of
// an exchange in what happens once a scenario has ended. Budget: 1 ms at p95.
func BenchmarkHarnessCostPerExchange(b *testing.B) {
	const exchanges = 500 // of one scenario
	bench, err := run.OpenBench(b.Context(), run.SandboxOptions{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = bench.Close() })
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM([]byte(bench.Health.CA))
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}
	b.Cleanup(transport.CloseIdleConnections)
	p := &calling{http: &http.Client{Transport: transport, Timeout: 5 * time.Second}}
	m, err := candidate.Parse([]byte(strings.Join([]string{
		"etalon: 1", "editor: {name: A, siren: \"732829320\", kind: company}",
		"service: {name: A, version: \"1\", category: app, sector: health, audience: [patient], finalites: [care]}",
		"claims: {pairing: false, measures: [read]}", "pilot: {kind: exec, command: [\"true\"]}",
	}, "\n")), "candidate.yaml", "", func(string) (string, bool) { return "", false })
	if err != nil {
		b.Fatal(err)
	}
	var added []float64 // milliseconds
	var after, whole time.Duration
	for b.Loop() {
		// A session of its own: patients are put into its space once.
		session, err := run.OpenSession(b.Context(), run.SessionOptions{Bench: bench, Candidate: m.Candidate, Pilot: p, Run: "bench", Seed: 1, Now: time.Now})
		if err != nil {
			b.Fatal(err)
		}
		var acted time.Time
		l := lab.New()
		s := l.Scenario("bench", "many actions in a row", func(ctx context.Context, st *lab.Stage) error {
			patient, err := st.Patient(ctx)
			if err != nil {
				return err
			}
			if err := st.Pair(ctx, patient, lab.Choice{}); err != nil {
				return err
			}
			for range exchanges {
				start := time.Now()
				a, err := st.Do(ctx, patient, candidate.ReadMeasures, nil)
				if err != nil {
					return err
				}
				if a.Status != "done" {
					b.Errorf("the call is answered %q", a.Status)
				}
				added = append(added, float64(time.Since(start)-p.took)/float64(time.Millisecond))
			}
			acted = time.Now()
			return nil
		})
		begin := time.Now()
		records := 0
		if err := session.Observe(b.Context(), l, []*lab.Scenario{s}, 1, nil, func(rs []record.Record) error { records += len(rs); return nil }); err != nil {
			b.Fatal(err)
		}
		if records < 2*exchanges {
			b.Fatalf("%d records of %d exchanges", records, exchanges)
		}
		after += time.Since(acted)
		whole += time.Since(begin)
		if err := session.Close(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
	slices.Sort(added)
	n := float64(len(added))
	b.ReportMetric(added[len(added)*95/100], "p95-ms")
	b.ReportMetric(added[len(added)/2], "median-ms")
	b.ReportMetric(float64(after)/float64(time.Millisecond)/n, "after-ms")
	b.ReportMetric(float64(whole)/float64(time.Millisecond)/n, "whole-ms")
}
