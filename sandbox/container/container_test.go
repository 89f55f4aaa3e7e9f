package container

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestABinaryThatCannotRunInAnEmptyImageIsRefusedBeforeAnythingStarts(t *testing.T) {
	text := filepath.Join(t.TempDir(), "script")
	if err := os.WriteFile(text, []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	cases := map[string]string{"/does/not/exist": "no such file", text: "not a Linux executable"}
	if shell, err := exec.LookPath("bash"); err == nil {
		cases[shell] = "not static"
	}
	for path, want := range cases {
		c, err := Start(context.Background(), Options{Binary: path})
		if c != nil || err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", path, err, want)
		}
	}
}

func TestAContainerThatDoesNotStartIsClearedUp(t *testing.T) {
	if out, err := exec.Command("docker", "info").CombinedOutput(); err != nil {
		t.Skipf("NOT TESTED: clearing up needs a Docker daemon (docker info: %v, %s)", err, out)
	}
	dir := t.TempDir()
	source := filepath.Join(dir, "main.go")
	if err := os.WriteFile(source, []byte("package main\n\nimport \"os\"\n\nfunc main() { os.Exit(3) }\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	binary := filepath.Join(dir, "broken")
	build := exec.Command("go", "build", "-o", binary, source)
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	list := func(what ...string) string {
		out, err := exec.Command("docker", what...).Output()
		if err != nil {
			t.Fatal(err)
		}
		return string(out)
	}
	raw, err := os.ReadFile(binary)
	if err != nil {
		t.Fatal(err)
	}
	image := nameOf(raw)
	t.Cleanup(func() { list("image", "rm", image) })
	_, err = Start(context.Background(), Options{Binary: binary})
	if err == nil || !strings.Contains(err.Error(), "start the sandbox in a container") {
		t.Fatalf("got %v", err)
	}
	if left := list("ps", "-aq", "--filter", "ancestor="+image); left != "" {
		t.Errorf("left behind: %s", left)
	}
}

func TestOnlyAPortThatIsTakenIsWorthAnotherTry(t *testing.T) {
	for text, want := range map[string]bool{
		"Bind for 127.0.0.1:40001 failed: port is already allocated": true,
		"listen tcp4 0.0.0.0:40001: bind: address already in use":    true,
		"container exited with code 3":                               false,
		"no space left on device":                                    false,
	} {
		if got := portTaken(errors.New(text)); got != want {
			t.Errorf("%s: got %v", text, got)
		}
	}
}
