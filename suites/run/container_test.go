package run_test

import (
	"context"
	"crypto/x509"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	dockercontainer "github.com/moby/moby/api/types/container"
	"github.com/testcontainers/testcontainers-go"
	"github.com/testcontainers/testcontainers-go/wait"

	"github.com/etalon-sante/etalon/reports"
	"github.com/etalon-sante/etalon/sandbox/container"
	"github.com/etalon-sante/etalon/suites/candidate"
	"github.com/etalon-sante/etalon/suites/run"
)

// The reference service in one container, the sandbox in another, both FROM
// scratch with this very program: the verdict is that of the demonstration.
func TestTheReferenceInAContainerIsAsConformantAsInTheProcess(t *testing.T) {
	if testing.Short() {
		t.Skip("NOT TESTED in containers: -short")
	}
	if out, err := exec.Command("docker", "info").CombinedOutput(); err != nil {
		t.Skipf("NOT TESTED in containers: no Docker daemon answers (%v: %.200s)", err, out)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	binary := filepath.Join(t.TempDir(), "etalon")
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", binary, "github.com/etalon-sante/etalon/cmd/etalon")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the program: %v\n%s", err, out)
	}
	sandbox, err := container.Start(ctx, container.Options{Binary: binary})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sandbox.Close() })

	const token = "jeton-du-pilote-en-conteneur"
	var at [4]string
	for i := range at {
		at[i] = freeAddress(t)
	}
	service, err := testcontainers.Run(ctx, sandbox.Image(),
		testcontainers.WithEnv(map[string]string{"ETALON_PILOT_TOKEN": token}),
		testcontainers.WithHostConfigModifier(func(h *dockercontainer.HostConfig) { h.NetworkMode = "host" }),
		testcontainers.WithCmd("reference", "--pilot", at[0], "--site", at[1], "--plain", at[2], "--assets", at[3],
			"--manifest", "/state/candidate.yaml", "--ca", "/state/ca.pem"),
		testcontainers.WithWaitStrategy(wait.ForLog("site")),
	)
	t.Cleanup(func() { _ = testcontainers.TerminateContainer(service) })
	if err != nil {
		t.Fatal(err)
	}
	read := func(name string) []byte {
		r, err := service.CopyFileFromContainer(ctx, name)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		b, err := io.ReadAll(io.LimitReader(r, 1<<20))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	m, err := candidate.Parse(read("/state/candidate.yaml"), "candidate.yaml", "", func(string) (string, bool) { return token, true })
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(read("/state/ca.pem"))
	api := sandbox.Control()
	out, err := run.Run(ctx, run.Options{
		Manifest: m, Roots: roots, Out: t.TempDir(), Seed: 1, Phase: "pilot",
		Sandbox: run.SandboxOptions{Where: api.Base, Token: api.Token},
	})
	if err != nil {
		t.Fatal(err)
	}
	if out.Report.Verdict != reports.RunConformant {
		for _, r := range out.Report.Results {
			for _, c := range r.Checks {
				if c.Verdict != reports.Conformant {
					t.Errorf("%s is %s: %s", c.ID, c.Verdict, c.Reason.EN)
				}
			}
		}
		t.Errorf("the run is %s", out.Report.Verdict)
	}
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
