package cda_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/etalon-sante/etalon/fixtures/data"
	"github.com/etalon-sante/etalon/fixtures/people"
	"github.com/etalon-sante/etalon/suites/probe/cda"
)

func document(t *testing.T) string {
	t.Helper()
	d := data.N3(1, "r", people.Patient(1, 1), time.Date(2026, 11, 22, 8, 30, 0, 0, time.UTC))
	b, err := data.NewClinical(d, "1.2.3.1", "1.2.3", "999999998", "Carnet").Render()
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestWhatIsMissingIsSaid(t *testing.T) {
	for name, o := range map[string]cda.Options{
		"no schema":                 {Command: os.Args[0]},
		"a folder without a schema": {Command: os.Args[0], Schema: t.TempDir()},
		"a file that is not there":  {Command: os.Args[0], Schema: filepath.Join(t.TempDir(), "CDA.xsd")},
		"no xmllint":                {Command: filepath.Join(t.TempDir(), "xmllint"), Schema: cda.Own},
	} {
		r := cda.Validate(t.Context(), o, []byte("<a/>"))
		if r.Verdict != cda.NotRun || r.Reason.FR == "" || r.Reason.EN == "" || r.Messages == nil {
			t.Errorf("%s: %+v", name, r)
		}
	}
}

// fake is a command that stands for xmllint.
func fake(t *testing.T, script string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "xmllint")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+script+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestWhatTheToolDoesIsToldApart(t *testing.T) {
	for name, c := range map[string]struct{ script, verdict, message string }{
		"valid":            {"cat >/dev/null; echo '- validates' >&2", cda.Valid, ""},
		"not valid":        {"cat >/dev/null; echo '-:12: element title: this is wrong' >&2; exit 3", cda.Invalid, "line 12: element title: this is wrong"},
		"malformed":        {"cat >/dev/null; exit 1", cda.Invalid, ""},
		"a broken schema":  {"cat >/dev/null; exit 5", cda.NotRun, ""},
		"killed":           {"kill -9 $$", cda.NotRun, ""},
		"a flood of words": {"cat >/dev/null; yes -- '-:1: too much' | head -c 1000000 >&2; exit 3", cda.Invalid, "line 1: too much"},
		"paths of ours":    {"cat >/dev/null; echo '/home/x/CDA.xsd:3: a warning' >&2; exit 3", cda.Invalid, ""},
	} {
		r := cda.Validate(t.Context(), cda.Options{Command: fake(t, c.script), Schema: cda.Own}, []byte("<a/>"))
		if r.Verdict != c.verdict || len(r.Messages) > 10 {
			t.Errorf("%s: %+v", name, r)
		}
		if got := strings.Join(r.Messages, "\n"); !strings.HasPrefix(got, c.message) || strings.Contains(got, "/home") {
			t.Errorf("%s: %q", name, got)
		}
		if (r.Verdict == cda.NotRun) != (r.Reason.EN != "") {
			t.Errorf("%s: %+v", name, r)
		}
	}
}

func TestAToolThatHangsIsEnded(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	began := time.Now()
	r := cda.Validate(ctx, cda.Options{Command: fake(t, "sleep 30"), Schema: cda.Own}, []byte("<a/>"))
	if r.Verdict != cda.NotRun || time.Since(began) > 5*time.Second {
		t.Errorf("%+v after %s", r, time.Since(began))
	}
}

func TestNothingIsLeftBehind(t *testing.T) {
	folder := t.TempDir()
	t.Setenv("TMPDIR", folder)
	cda.Validate(t.Context(), cda.Options{Command: fake(t, "exit 3"), Schema: cda.Own}, []byte("<a/>"))
	left, err := filepath.Glob(filepath.Join(folder, "etalon-*"))
	if err != nil || len(left) > 0 {
		t.Errorf("%v %v", left, err)
	}
}

func TestTheReducedSchemaKnowsTheOrderOfTheHeader(t *testing.T) {
	if why := cda.Missing(cda.Options{Schema: cda.Own}); why != (cda.Text{}) {
		t.Skipf("NOT TRIED: %s", why.EN)
	}
	doc := document(t)
	if r := cda.Validate(t.Context(), cda.Options{Schema: cda.Own}, []byte(doc)); r.Verdict != cda.Valid || r.Schema != cda.Own {
		t.Errorf("%+v", r)
	}
	wrong := strings.Replace(doc, `<realmCode code="FR"/>`, "", 1)
	wrong = strings.Replace(wrong, "<title>", `<realmCode code="FR"/><title>`, 1)
	r := cda.Validate(t.Context(), cda.Options{Schema: cda.Own}, []byte(wrong))
	if r.Verdict != cda.Invalid || len(r.Messages) == 0 || !strings.Contains(r.Messages[0], "realmCode") {
		t.Errorf("%+v", r)
	}
}
