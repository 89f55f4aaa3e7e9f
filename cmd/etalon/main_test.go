package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain registers the command itself: scripts, and the tests that send
// signals, run it as a process of its own.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"etalon": func() { os.Exit(start()) },
	})
}

// TestScripts runs what a user would type. The commands of the scripts that are
// not testscript's own stand in script_test.go.
func TestScripts(t *testing.T) {
	t.Parallel()
	// The reduced schema of the demonstration, as a file that a person names.
	schema, err := filepath.Abs("../../suites/probe/cda/header.xsd")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(e *testscript.Env) error {
			e.Setenv("CDA_SCHEMA", schema)
			return home(e.WorkDir, e.Setenv)
		},
		Cmds: scriptCommands(),
	})
}

// home gives the command a user's folder of its own: the sandbox's authority is
// kept there.
func home(dir string, set func(name, value string)) error {
	config := filepath.Join(dir, ".config")
	set("HOME", dir)
	set("XDG_CONFIG_HOME", config)
	set("ETALON_LANG", "en")
	return os.MkdirAll(config, 0o700)
}

// etalonCommand prepares the command as a process of its own.
func etalonCommand(t *testing.T, dir string, args ...string) *exec.Cmd {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, args...)
	cmd.Args[0] = "etalon" // by which TestMain knows it
	cmd.Dir, cmd.Env = dir, os.Environ()
	if err := home(dir, func(name, value string) { cmd.Env = append(cmd.Env, name+"="+value) }); err != nil {
		t.Fatal(err)
	}
	return cmd
}

// exited is the exit code of a process that was waited for.
func exited(err error) string {
	var e *exec.ExitError
	switch {
	case err == nil:
		return "0"
	case errors.As(err, &e):
		return strconv.Itoa(e.ExitCode())
	}
	return err.Error()
}
