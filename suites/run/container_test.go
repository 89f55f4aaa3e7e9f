package run_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	dockercontainer "github.com/moby/moby/api/types/container"
	"github.com/testcontainers/testcontainers-go"
	"github.com/testcontainers/testcontainers-go/wait"

	"go.yaml.in/yaml/v3"

	"github.com/etalon-sante/etalon/fixtures/reference"
	"github.com/etalon-sante/etalon/reports"
	"github.com/etalon-sante/etalon/sandbox/container"
	"github.com/etalon-sante/etalon/suites/candidate"
	"github.com/etalon-sante/etalon/suites/run"
)

// The reference service in one container, the sandbox in another, both FROM
// scratch with this very program: the verdict is that of the demonstration.
func TestTheReferenceInAContainerIsAsConformantAsInTheProcess(t *testing.T) {
	needsDocker(t)
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	binary := program(t, ctx)
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
	folder := t.TempDir()
	const application = "carnet-clair.apk"
	if err := os.WriteFile(filepath.Join(folder, application), read("/state/"+application), 0o600); err != nil {
		t.Fatal(err)
	}
	m, err := candidate.Parse(read("/state/candidate.yaml"), "candidate.yaml", folder, func(string) (string, bool) { return token, true })
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
	wantConformant(t, out)
}

func needsDocker(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("NOT TESTED in containers: -short")
	}
	if out, err := exec.Command("docker", "info").CombinedOutput(); err != nil {
		t.Skipf("NOT TESTED in containers: no Docker daemon answers (%v: %.200s)", err, out)
	}
}

// program builds the command as a static binary.
func program(t *testing.T, ctx context.Context) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "etalon")
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", binary, "github.com/etalon-sante/etalon/cmd/etalon")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the program: %v\n%s", err, out)
	}
	return binary
}

func wantConformant(t *testing.T, out run.Outcome) {
	t.Helper()
	if out.Report.Verdict == reports.RunConformant {
		return
	}
	for _, r := range out.Report.Results {
		for _, c := range r.Checks {
			if c.Verdict != reports.Conformant {
				t.Errorf("%s is %s: %s", c.ID, c.Verdict, c.Reason.EN)
			}
		}
	}
	t.Errorf("the run is %s", out.Report.Verdict)
}

// The candidate is an image that the run itself starts, on the daemon's bridge,
// next to a sandbox in this process and next to one in a container.
func TestACandidateThatIsAnImageIsStartedJudgedAndRemoved(t *testing.T) {
	needsDocker(t)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	binary := program(t, ctx)
	sandbox, err := container.Start(ctx, container.Options{Binary: binary})
	if err != nil {
		t.Fatal(err)
	}
	image := sandbox.Image()
	if err := sandbox.Close(); err != nil {
		t.Fatal(err)
	}
	gateway, err := container.Gateway(ctx, "bridge")
	if err != nil {
		t.Fatal(err)
	}
	for _, form := range []string{"embedded", "container"} {
		t.Run(form, func(t *testing.T) {
			const token = "jeton-du-pilote-en-conteneur"
			model, err := reference.Start(ctx, reference.Config{PilotToken: token})
			if err != nil {
				t.Fatal(err)
			}
			addresses, text := model.Addresses(), string(model.Manifest())
			model.Close() // its ports are free again, and in its manifest
			var ports []string
			command := []string{"reference", "--manifest", "/state/candidate.yaml", "--ca", "/state/ca.pem"}
			for name, at := range map[string]string{"--pilot": addresses.Pilot, "--site": addresses.Site, "--plain": addresses.Plain, "--assets": addresses.Assets} {
				u, err := url.Parse(at)
				if err != nil {
					t.Fatal(err)
				}
				ports = append(ports, u.Port())
				command = append(command, name, "0.0.0.0:"+u.Port())
			}
			start, err := yaml.Marshal(map[string]any{"start": map[string]any{
				"image": image, "command": command, "ports": ports, "env": map[string]string{"ETALON_PILOT_TOKEN": "env:ETALON_PILOT_TOKEN"}, "ready": addresses.Plain,
			}})
			if err != nil {
				t.Fatal(err)
			}
			m, err := candidate.Parse([]byte(text+string(start)), "candidate.yaml", "", func(string) (string, bool) { return token, true })
			if err != nil {
				t.Fatal(err)
			}
			roots := x509.NewCertPool()
			options := run.Options{Manifest: m, Roots: roots, Out: t.TempDir(), Seed: 1, Phase: "pilot", Sandbox: run.SandboxOptions{Where: form, Binary: binary}}
			var id, ran string
			options.Started = func(func()) {
				// The authority of the service's site is made when it starts.
				list, err := exec.CommandContext(ctx, "docker", "ps", "-q", "--filter", "publish="+ports[0]).Output()
				if id = strings.TrimSpace(string(list)); err != nil || id == "" {
					t.Errorf("the container is not there: %v", err)
					return
				}
				digest, err := exec.CommandContext(ctx, "docker", "inspect", "--format", "{{.Image}}", id).Output()
				if ran = strings.TrimSpace(string(digest)); err != nil || ran == "" {
					t.Errorf("docker does not say which image runs: %v", err)
				}
				pem := filepath.Join(t.TempDir(), "ca.pem")
				if out, err := exec.CommandContext(ctx, "docker", "cp", id+":/state/ca.pem", pem).CombinedOutput(); err != nil {
					t.Errorf("%v: %s", err, out)
				}
				b, err := os.ReadFile(pem)
				if err != nil || !roots.AppendCertsFromPEM(b) {
					t.Errorf("no authority: %v", err)
				}
			}
			out, err := run.Run(ctx, options)
			if err != nil {
				t.Fatal(err)
			}
			wantConformant(t, out)
			if ties := out.Report.Run.Ties; len(ties) == 0 || ties[0].Kind != reports.TieImage || ties[0].Value != ran || ties[0].Of != image {
				t.Errorf("the report is tied by %+v, want the image %s, %s", ties, image, ran)
			}
			if b, err := os.ReadFile(filepath.Join(options.Out, "journal.jsonl")); err != nil || !bytes.Contains(b, []byte("https://"+gateway+":")) {
				t.Errorf("the service did not reach the sandbox over the bridge (%v)", err)
			}
			if left, _ := exec.CommandContext(ctx, "docker", "ps", "-aq", "--filter", "id="+id).Output(); len(bytes.TrimSpace(left)) > 0 {
				t.Errorf("the container %s is still there", id)
			}
		})
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
