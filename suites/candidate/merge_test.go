package candidate_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/etalon-sante/etalon/suites/candidate"
)

// folder writes files and returns their folder.
func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

const sharedEditor = `etalon: 1
editor: {name: Éditions Exemple, siren: "732829320", kind: company}
timing: {action: 3s, effect: 2s}
evidence:
  - {requirement: GOV-10, statement: Analyse menée., author: A. Exemple, role: DPO, date: 2026-05-01, file: preuves/aipd.txt}
`

const sharedService = `extends: ../editeur.yaml
etalon: 1
service: {name: Carnet, version: "1", category: app, sector: health, audience: [patient], finalites: [care]}
claims: {pairing: true, measures: [write]}
pilot: {kind: http, url: https://a.example/pilot, token: env:PILOT}
timing: {effect: 4s}
web: {production: https://a.example, site: https://a.example}
environments:
  preprod:
    web: {site: https://preprod.example}
    pilot: {kind: exec, command: [./pilote]}
  tests: {concurrency: 1}
`

func values(m map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) { v, ok := m[name]; return v, ok }
}

func TestAManifestIsLaidOverTheOneThatItExtends(t *testing.T) {
	dir := folder(t, map[string]string{"editeur.yaml": sharedEditor, "preuves/aipd.txt": "oui", "carnet/candidate.yaml": sharedService})
	path := filepath.Join(dir, "carnet", "candidate.yaml")
	env := values(map[string]string{"PILOT": "un-jeton-assez-long"})
	m, err := candidate.Read(path, env)
	if err != nil {
		t.Fatal(err)
	}
	c := m.Candidate
	if c.Editor.Name != "Éditions Exemple" || c.Timing.Action.String() != "3s" || c.Timing.Effect.String() != "4s" || c.Web.Site != "https://a.example" {
		t.Errorf("%+v", c)
	}
	if len(c.Evidence) != 1 || len(c.Evidence[0].SHA256) != 64 {
		t.Errorf("evidence of the shared file: %+v", c.Evidence)
	}
	kept := string(m.Raw)
	if !strings.Contains(kept, "Éditions Exemple") || !strings.Contains(kept, "env:PILOT") || strings.Contains(kept, "extends") || strings.Contains(kept, "environments") {
		t.Errorf("what a run keeps:\n%s", kept)
	}
	if _, err := candidate.Parse(m.Raw, "candidate.yaml", dir, env); err != nil {
		t.Errorf("what a run keeps is no manifest: %v", err)
	}
	m, err = candidate.ReadFor(path, "preprod", env)
	if err != nil {
		t.Fatal(err)
	}
	if c := m.Candidate; c.Web.Site != "https://preprod.example" || c.Web.Production != "https://a.example" || c.Pilot.Kind != "exec" || c.Pilot.URL != "" {
		t.Errorf("in preprod: %+v", c)
	}
	if m, err = candidate.ReadFor(path, "tests", env); err != nil || m.Candidate.Concurrency != 1 || m.Candidate.Pilot.Kind != "http" {
		t.Errorf("in tests: %v", err)
	}
}

func TestWhatIsWrongNamesItsFileLineAndField(t *testing.T) {
	with := func(add string) map[string]string {
		return map[string]string{"editeur.yaml": sharedEditor, "preuves/aipd.txt": "oui", "carnet/candidate.yaml": sharedService + add}
	}
	edited := func(file, from, to string) map[string]string {
		files := with("")
		if !strings.Contains(files[file], from) {
			t.Fatalf("no %q in %s", from, file)
		}
		files[file] = strings.Replace(files[file], from, to, 1)
		return files
	}
	for name, c := range map[string]struct {
		files       map[string]string
		environment string
		en, fr      []string
	}{
		"in the shared file": {
			edited("editeur.yaml", "kind: company", "kind: firm"), "",
			[]string{"editeur.yaml: line 2: editor.kind: expected one of"},
			[]string{"editeur.yaml : ligne 2 : editor.kind : attendu"},
		},
		"an unknown field of the shared file": {
			edited("editeur.yaml", "timing:", "timming:"), "", []string{"editeur.yaml: line 3: timming", "did you mean timing"}, []string{"ligne 3"},
		},
		"a file that is not there": {
			edited("carnet/candidate.yaml", "../editeur.yaml", "../autre.yaml"), "",
			[]string{"line 1: extends: expected the path of another manifest", "../autre.yaml, which is no such file"},
			[]string{"ligne 1 : extends", "aucun fichier de ce nom"},
		},
		"a circle": {
			edited("editeur.yaml", "etalon: 1", "etalon: 1\nextends: carnet/candidate.yaml"), "", []string{"extends itself"}, []string{"se complète lui-même"},
		},
		"an absolute path": {edited("carnet/candidate.yaml", "../editeur.yaml", "/etc/hostname"), "", []string{"relative to this file"}, []string{"relativement"}},
		"an environment that is not named": {
			with(""), "prod", []string{"expected an environment named prod, found preprod, tests"}, []string{"un environnement nommé prod"},
		},
		"a field that no environment changes": {
			edited("carnet/candidate.yaml", "tests: {concurrency: 1}", "tests: {claims: {pairing: false}}"), "", []string{"line 12: environments.tests.claims", "not what it is"}, []string{"pas ce qu'il est"},
		},
		"a wrong value in an environment that is not chosen": {
			edited("carnet/candidate.yaml", "concurrency: 1", "concurrency: beaucoup"), "", []string{"line 12: environments.tests.concurrency: expected"}, []string{"environments.tests.concurrency"},
		},
		"a secret in the shared file": {
			edited("editeur.yaml", "etalon: 1", "etalon: 1 # un-jeton-assez-long"), "", []string{"editeur.yaml: line 1: expected no secret in clear"}, []string{"aucun secret en clair"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := folder(t, c.files)
			_, err := candidate.ReadFor(filepath.Join(dir, "carnet", "candidate.yaml"), c.environment, values(map[string]string{"PILOT": "un-jeton-assez-long"}))
			var bad *candidate.ManifestError
			if !errors.As(err, &bad) {
				t.Fatalf("%v", err)
			}
			for _, want := range c.en {
				if !strings.Contains(bad.In("en"), want) {
					t.Errorf("no %q in %s", want, bad.In("en"))
				}
			}
			for _, want := range c.fr {
				if !strings.Contains(bad.In("fr"), want) {
					t.Errorf("no %q in %s", want, bad.In("fr"))
				}
			}
		})
	}
}

func TestNoMoreThanFourFilesStandBehindAManifest(t *testing.T) {
	files := map[string]string{"0.yaml": sharedEditor, "preuves/aipd.txt": "oui"}
	for i := 1; i < 7; i++ {
		files[string(rune('0'+i))+".yaml"] = "extends: " + string(rune('0'+i-1)) + ".yaml\netalon: 1\n"
	}
	dir := folder(t, files)
	_, err := candidate.Read(filepath.Join(dir, "6.yaml"), values(nil))
	if err == nil || !strings.Contains(err.Error(), "at most 4 files") {
		t.Error(err)
	}
}

func FuzzAManifestWithEnvironments(f *testing.F) {
	f.Add([]byte(sharedService))
	f.Add([]byte("etalon: 1\nenvironments: {a: {web: {site: 1}}, b: {}}\n"))
	f.Add([]byte("environments: [1]\nextends: {}\n"))
	f.Fuzz(func(_ *testing.T, raw []byte) {
		_, _ = candidate.Parse(raw, "candidate.yaml", "", values(nil))
	})
}
