package selftest_test

import (
	"maps"
	"net/url"
	"path/filepath"
	"testing"

	"github.com/etalon-sante/etalon/fixtures/reference"
	"github.com/etalon-sante/etalon/reports"
	"github.com/etalon-sante/etalon/sandbox/control"
	"github.com/etalon-sante/etalon/suites/run"
	"github.com/etalon-sante/etalon/suites/run/demo"
)

// editor is a service that was configured once, by hand, and the sandbox as its
// manifest fixes it.
type editor struct {
	service *demo.Service
	state   string // where the sandbox's authority is kept
}

const (
	basePath = "/api/mes"
	clientID = "carnet-clair-preproduction"
	secret   = "secret-du-client-configure-une-fois"
)

// configured does what an editor does the first time: start a sandbox, note its
// addresses, enter them into the service, and fix them in the manifest. The
// sandbox is gone when it returns.
func configured(t *testing.T) editor {
	t.Helper()
	e := editor{state: t.TempDir()}
	bench, err := run.OpenBench(t.Context(), run.SandboxOptions{StateDir: e.state})
	if err != nil {
		t.Fatal(err)
	}
	space, err := bench.API.CreateSpace(t.Context(), control.SpaceRequest{
		BasePath: basePath, Seed: 1, Client: control.Client{ID: clientID, Secret: secret, Auth: "client_secret_post"},
	})
	if err != nil {
		t.Fatal(err)
	}
	address, err := url.Parse(bench.Health.Public)
	if err != nil {
		t.Fatal(err)
	}
	if err := bench.Close(); err != nil {
		t.Fatal(err)
	}
	e.service, err = demo.Start(t.Context(), demo.Options{
		DisableConfigure: true, ClientSecret: secret,
		MES: &reference.MES{
			Endpoints: reference.Endpoints(space.Endpoints), Client: reference.Client{ID: clientID, Secret: secret},
			ClientAuth: "client_secret_post", OID: space.OID, CA: space.CA,
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.service.Close)
	c := &e.service.Manifest.Candidate
	c.Sandbox.Listen, c.Sandbox.BasePath, c.Concurrency = address.Host, basePath, 1
	return e
}

func (e editor) run(t *testing.T, selection run.Selection) reports.Report {
	t.Helper()
	return carriedOut(t, e.service, run.Options{Sandbox: run.SandboxOptions{StateDir: e.state}, Selection: selection})
}

func carriedOut(t *testing.T, s *demo.Service, o run.Options) reports.Report {
	t.Helper()
	o.Manifest, o.Roots, o.Out = s.Manifest, s.Roots, filepath.Join(t.TempDir(), "report")
	o.Seed, o.Phase, o.Version, o.Command = 1, "pilot", "test", "go test"
	out, err := run.Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return out.Report
}

func byRequirement(r reports.Report) map[string]reports.Verdict {
	out := map[string]reports.Verdict{}
	for _, x := range r.Results {
		out[x.Requirement] = x.Verdict
	}
	return out
}

func TestAWholeRunOfAServiceConfiguredOnceIsThatOfTheDemonstration(t *testing.T) {
	if testing.Short() {
		t.Skip("NOT TRIED with -short: two whole runs, one of them one scenario at a time")
	}
	usual, err := demo.Start(t.Context(), demo.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(usual.Close)
	want := byRequirement(carriedOut(t, usual, run.Options{}))

	e := configured(t)
	got := e.run(t, run.Selection{})
	if !maps.Equal(byRequirement(got), want) {
		for _, r := range got.Results {
			if r.Verdict != want[r.Requirement] {
				t.Errorf("%s is %s, and %s in the demonstration", r.Requirement, r.Verdict, want[r.Requirement])
			}
		}
	}
	if got.Verdict != reports.RunConformant {
		t.Errorf("the run is %s", got.Verdict)
	}
	for _, n := range got.Notes {
		if n.Kind == "doctor" {
			t.Errorf("the doctor has a doubt about a service that is configured: %s", n.Text.EN)
		}
	}

	// The same service, still running, at the next run: nothing is entered again.
	for _, r := range e.run(t, run.Selection{Only: []string{"INT-01", "INT-06", "INT-20"}}).Results {
		if r.Verdict != reports.Conformant {
			t.Errorf("at the next run %s is %s", r.Requirement, r.Verdict)
		}
	}
}
