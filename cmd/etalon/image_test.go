package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/etalon-sante/etalon/reports"
)

// The harness is an image that its own binary makes; run inside the network of a
// candidate it reaches what that one reaches, and comes to the verdict of the
// demonstration.
func TestTheHarnessRunsAsAnImageInTheNetworkOfACandidate(t *testing.T) {
	if testing.Short() {
		t.Skip("NOT TESTED in containers: -short")
	}
	if out, err := exec.Command("docker", "info").CombinedOutput(); err != nil {
		t.Skipf("NOT TESTED in containers: no Docker daemon answers (%v: %.200s)", err, out)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	docker := func(args ...string) string {
		t.Helper()
		var said bytes.Buffer
		c := exec.CommandContext(ctx, "docker", args...)
		c.Stderr = &said
		out, err := c.Output()
		if err != nil {
			t.Fatalf("docker %s: %v: %s%s", strings.Join(args, " "), err, out, said.String())
		}
		return strings.TrimSpace(string(out))
	}
	folder := t.TempDir()
	binary := filepath.Join(folder, "etalon")
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", binary, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the program: %v\n%s", err, out)
	}
	image, err := exec.CommandContext(ctx, binary, "image").Output()
	if err != nil {
		t.Fatal(err)
	}
	name := strings.TrimSpace(string(image))

	const token = "ETALON_PILOT_TOKEN=jeton-du-pilote-en-conteneur"
	candidate := docker("run", "-d", "-e", token, name, "reference", "--manifest", "/state/candidate.yaml", "--ca", "/state/ca.pem")
	t.Cleanup(func() { _ = exec.Command("docker", "rm", "-f", candidate).Run() })
	shared := t.TempDir()
	if err := os.Chmod(shared, 0o777); err != nil { // the user of the image is nobody
		t.Fatal(err)
	}
	for end := time.Now().Add(30 * time.Second); !strings.Contains(docker("logs", candidate), "site"); {
		if time.Now().After(end) {
			t.Fatal("the candidate does not start")
		}
	}
	for _, file := range []string{"candidate.yaml", "ca.pem", "carnet-clair.apk"} {
		docker("cp", candidate+":/state/"+file, filepath.Join(shared, file))
	}
	run := exec.CommandContext(ctx, "docker", "run", "--rm", "--network", "container:"+candidate, "-v", shared+":/run", "-e", token, "-e", "SSL_CERT_FILE=/run/ca.pem",
		name, "run", "--candidate", "/run/candidate.yaml", "--out", "/run/report")
	if out, err := run.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	raw, err := os.ReadFile(filepath.Join(shared, "report", "report.json"))
	if err != nil {
		t.Fatal(err)
	}
	var report struct {
		Verdict reports.RunVerdict `json:"verdict"`
	}
	if err := json.Unmarshal(raw, &report); err != nil || report.Verdict != reports.RunConformant {
		t.Errorf("%v, the verdict is %s", err, report.Verdict)
	}
}
