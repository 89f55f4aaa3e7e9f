package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// action is action.yml, as far as its shell steps go.
type action struct {
	Inputs map[string]struct {
		Default string `yaml:"default"`
	} `yaml:"inputs"`
	Outputs map[string]struct {
		Value string `yaml:"value"`
	} `yaml:"outputs"`
	Runs struct {
		Using string `yaml:"using"`
		Steps []struct {
			Name, ID, If, Shell, Run, Uses string
			Env, With                      map[string]string
		} `yaml:"steps"`
	} `yaml:"runs"`
}

// played is what came of the steps of a job.
type played struct {
	temp    string // folder of the runner
	code    int
	log     string
	outputs map[string]string
	summary string
	used    []string // actions of others whose condition held, with what they were given
	dir     string
}

const top = "../.."

// job is a clean folder that holds a manifest and nothing else, and the environment
// of who runs a job.
func job(t *testing.T, words ...string) (dir string, env []string) {
	t.Helper()
	dir = t.TempDir()
	s, err := candidateFor(t.Context(), dir, words)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	cache, err := exec.CommandContext(t.Context(), "go", "env", "GOCACHE", "GOMODCACHE").Output()
	if err != nil {
		t.Fatal(err)
	}
	caches := strings.Fields(string(cache))
	// The trust roots of a run are the system's: here those of the candidate's own.
	return dir, []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "GOCACHE=" + caches[0], "GOMODCACHE=" + caches[1], "GOTOOLCHAIN=local",
		"ETALON_PILOT_TOKEN=" + pilotToken, "SSL_CERT_FILE=" + filepath.Join(dir, "ca.pem"),
	}
}

// play executes the shell steps of action.yml one after the other, as a runner does.
func play(t *testing.T, inputs map[string]string, words ...string) played {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(top, "action.yml"))
	if err != nil {
		t.Fatal(err)
	}
	var a action
	if err := yaml.Unmarshal(raw, &a); err != nil {
		t.Fatal(err)
	}
	for name := range inputs {
		if _, ok := a.Inputs[name]; !ok {
			t.Fatalf("there is no input %q", name)
		}
	}
	source, err := filepath.Abs(top)
	if err != nil {
		t.Fatal(err)
	}
	out := played{outputs: map[string]string{}}
	var env []string
	out.dir, env = job(t, words...)
	runner := t.TempDir()
	out.temp = runner
	put := func(name string) string {
		path := filepath.Join(runner, name)
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	output, summary, path := put("output"), put("summary"), put("path")
	env = append(env, "GITHUB_OUTPUT="+output, "GITHUB_STEP_SUMMARY="+summary, "GITHUB_PATH="+path, "RUNNER_TEMP="+runner, "GITHUB_ACTIONS=true")
	fill := func(s string) string {
		return regexp.MustCompile(`\$\{\{ *(.*?) *\}\}`).ReplaceAllStringFunc(s, func(x string) string {
			x = strings.Trim(x, "${} ")
			if name, ok := strings.CutPrefix(x, "inputs."); ok {
				in, known := a.Inputs[name]
				if !known {
					t.Fatalf("%s: no such input", x)
				}
				if v, given := inputs[name]; given {
					return v
				}
				return in.Default
			}
			if name, ok := strings.CutPrefix(x, "steps.run.outputs."); ok {
				return out.outputs[name]
			}
			switch x {
			case "github.action_path":
				return source
			case "runner.temp":
				return runner
			}
			t.Fatalf("this test does not know ${{ %s }}", x)
			return ""
		})
	}
	failed := false
	for _, s := range a.Runs.Steps {
		if strings.Contains(s.Run, "${{") {
			t.Errorf("step %q writes a value into its script", s.Name)
		}
		holds, always := true, false
		for _, c := range strings.Split(s.If, "&&") {
			switch c = strings.TrimSpace(c); {
			case c == "":
			case c == "always()":
				always = true
			default:
				m := regexp.MustCompile(`^(\S+) (==|!=) '(.*)'$`).FindStringSubmatch(c)
				if m == nil {
					t.Fatalf("this test does not know the condition %q", c)
				}
				holds = holds && (fill("${{ "+m[1]+" }}") == m[3]) == (m[2] == "==")
			}
		}
		if !holds || failed && !always {
			continue
		}
		if s.Uses != "" {
			if !regexp.MustCompile(`^[\w-]+(/[\w-]+)+@v\d+$`).MatchString(s.Uses) {
				t.Errorf("%s is not an action at a version", s.Uses)
			}
			for _, k := range slices.Sorted(maps.Keys(s.With)) {
				s.Uses += " " + k + "=" + fill(s.With[k])
			}
			out.used = append(out.used, s.Uses)
			continue
		}
		if s.Shell != "bash" {
			t.Fatalf("step %q has the shell %q", s.Name, s.Shell)
		}
		more := slices.Clone(env)
		for k, v := range s.Env {
			more = append(more, k+"="+fill(v))
		}
		if added, err := os.ReadFile(path); err == nil && len(added) > 0 {
			more = append(more, "PATH="+strings.Join(strings.Fields(string(added)), ":")+":"+os.Getenv("PATH"))
		}
		// As a runner does: https://docs.github.com/actions, "jobs.<id>.steps[*].shell".
		cmd := exec.CommandContext(t.Context(), "bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", s.Run)
		cmd.Dir, cmd.Env = out.dir, more
		said, err := cmd.CombinedOutput()
		out.log += fmt.Sprintf("== %s\n%s", s.Name, said)
		if err != nil && !failed {
			failed, out.code = true, cmd.ProcessState.ExitCode()
		}
		lines, _ := os.ReadFile(output)
		for line := range strings.Lines(string(lines)) {
			k, v, _ := strings.Cut(strings.TrimSpace(line), "=")
			out.outputs[k] = v
		}
	}
	b, err := os.ReadFile(summary)
	if err != nil {
		t.Fatal(err)
	}
	out.summary = string(b)
	return out
}

func TestTheActionOfGitHub(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the command and judges a service several times")
	}
	build := t.TempDir()
	program := filepath.Join(build, "v1", "etalon-linux-"+runtime.GOARCH)
	if runtime.GOOS != "linux" {
		t.Skip("what is downloaded here is a program of Linux")
	}
	compile(t, program)
	releases := httptest.NewServer(http.FileServer(http.Dir(build)))
	defer releases.Close()
	sum := digestOf(t, program)
	list := filepath.Join(build, "v1", "SHA256SUMS")
	sums := func(line string) {
		if err := os.WriteFile(list, []byte(strings.Repeat("0", 64)+"  etalon-plan9-amd64\n"+line), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	downloaded := func(more map[string]string) map[string]string {
		in := map[string]string{"version": "v1", "releases": releases.URL, "lang": "en", "args": "--only\nINT-05"}
		maps.Copy(in, more)
		return in
	}

	t.Run("built from source, conformant", func(t *testing.T) {
		got := play(t, map[string]string{"args": "--only\nINT-05\n", "out": "mon rapport", "artifact": ""})
		if got.code != 0 || got.outputs["exit-code"] != "0" || !strings.Contains(got.summary, "INT-05") && !strings.Contains(got.summary, "Étalon") {
			t.Errorf("it ended in %d with %v and the summary %.200q\n%s", got.code, got.outputs, got.summary, got.log)
		}
		for _, name := range []string{"report.json", "junit.xml", "results.sarif", "index.html"} {
			if _, err := os.Stat(filepath.Join(got.dir, "mon rapport", name)); err != nil {
				t.Error(err)
			}
		}
		if len(got.used) != 1 || !strings.HasPrefix(got.used[0], "actions/setup-go@") {
			t.Errorf("it used %q", got.used)
		}
	})
	sums(sum + "  " + filepath.Base(program) + "\n")
	t.Run("downloaded, nonconformant", func(t *testing.T) {
		got := play(t, downloaded(map[string]string{"args": "--only\nINT-05", "sarif": "true"}), "flaw=INT-05.1")
		if got.code != 1 || got.outputs["exit-code"] != "1" || !strings.Contains(got.summary, "INT-05") {
			t.Errorf("it ended in %d with %v and the summary %.200q\n%s", got.code, got.outputs, got.summary, got.log)
		}
		if want := []string{"actions/upload-artifact@v4 if-no-files-found=warn name=etalon-report path=etalon-report", "github/codeql-action/upload-sarif@v3 category=etalon sarif_file=" + filepath.Join(got.temp, "etalon.sarif")}; !slices.Equal(got.used, want) {
			t.Errorf("it used %q", got.used)
		}
		alerts, err := os.ReadFile(filepath.Join(got.temp, "etalon.sarif"))
		if err != nil || !strings.Contains(string(alerts), `"kind":"fail"`) || strings.Contains(string(alerts), `"kind":"pass"`) {
			t.Errorf("the alerts are not what is to be mended: %v %.300s", err, alerts)
		}
	})
	t.Run("downloaded, pinned", func(t *testing.T) {
		if got := play(t, downloaded(map[string]string{"sha256": sum})); got.code != 0 {
			t.Errorf("it ended in %d\n%s", got.code, got.log)
		}
	})
	t.Run("a manifest that is not there", func(t *testing.T) {
		got := play(t, downloaded(map[string]string{"candidate": "$(touch evil)"}))
		if got.code != 2 || !strings.Contains(got.summary, "exit code 2") {
			t.Errorf("it ended in %d with the summary %q\n%s", got.code, got.summary, got.log)
		}
		if _, err := os.Stat(filepath.Join(got.dir, "evil")); err == nil {
			t.Error("an input was executed")
		}
	})
	t.Run("nobody answers", func(t *testing.T) {
		got := play(t, downloaded(nil), "pilot.url=http://127.0.0.1:9")
		if got.code != 3 || !strings.Contains(got.summary, "exit code 3") {
			t.Errorf("it ended in %d with the summary %q\n%s", got.code, got.summary, got.log)
		}
	})
	for name, in := range map[string]map[string]string{
		"another program than the one pinned":   downloaded(map[string]string{"sha256": strings.Repeat("1", 64)}),
		"a release that is not there":           downloaded(map[string]string{"version": "v2"}),
		"another program than the list's":       downloaded(nil),
		"a program that the list does not tell": downloaded(nil),
	} {
		t.Run(name, func(t *testing.T) {
			switch name {
			case "another program than the list's":
				sums(strings.Repeat("1", 64) + "  " + filepath.Base(program) + "\n")
			case "a program that the list does not tell":
				sums("")
			}
			got := play(t, in)
			if got.code == 0 || strings.Contains(got.log, "== Run étalon") || !strings.Contains(got.summary, "no report") {
				t.Errorf("it ended in %d with the summary %q\n%s", got.code, got.summary, got.log)
			}
		})
	}
}

func TestTheTemplateOfGitLab(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the command and judges a service several times")
	}
	if runtime.GOOS != "linux" {
		t.Skip("its image is of Linux")
	}
	raw, err := os.ReadFile(filepath.Join(top, ".gitlab", "etalon.gitlab-ci.yml"))
	if err != nil {
		t.Fatal(err)
	}
	var file map[string]struct {
		Variables            map[string]string
		BeforeScript, Script []string
		Before               []string `yaml:"before_script"`
		Artifacts            struct {
			When    string
			Paths   []string
			Reports map[string]string
		}
	}
	if err := yaml.Unmarshal(raw, &file); err != nil {
		t.Fatal(err)
	}
	template := file[".etalon"]
	source := mirror(t)
	build := t.TempDir()
	program := filepath.Join(build, "v1", "etalon-linux-"+runtime.GOARCH)
	compile(t, program)
	if err := os.WriteFile(filepath.Join(build, "v1", "SHA256SUMS"), []byte(digestOf(t, program)+"  "+filepath.Base(program)+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	releases := httptest.NewServer(http.FileServer(http.Dir(build)))
	defer releases.Close()
	for name, c := range map[string]struct {
		set   map[string]string
		words []string
		code  int
		wrote bool
	}{
		"built from source":    {map[string]string{"ETALON_SOURCE": source, "ETALON_REF": "shown", "ETALON_ARGS": "--only\nINT-05"}, nil, 0, true},
		"downloaded":           {map[string]string{"ETALON_VERSION": "v1", "ETALON_ARGS": "--only\nINT-05"}, []string{"flaw=INT-05.1"}, 1, true},
		"nobody answers":       {map[string]string{"ETALON_VERSION": "v1"}, []string{"pilot.url=http://127.0.0.1:9"}, 3, false},
		"not the one pinned":   {map[string]string{"ETALON_VERSION": "v1", "ETALON_SHA256": strings.Repeat("1", 64)}, nil, 1, false},
		"hostile values":       {map[string]string{"ETALON_VERSION": "v1", "ETALON_CANDIDATE": "$(touch evil)", "ETALON_ARGS": "`touch evil`"}, nil, 2, false},
		"no such release":      {map[string]string{"ETALON_VERSION": "v2"}, nil, 22, false},
		"no such line of code": {map[string]string{"ETALON_SOURCE": source, "ETALON_REF": "nowhere"}, nil, 128, false},
	} {
		t.Run(name, func(t *testing.T) {
			dir, env := job(t, c.words...)
			env = append(env, "CI_PROJECT_DIR="+dir, "GITLAB_CI=true")
			set := maps.Clone(template.Variables)
			set["ETALON_RELEASES"] = releases.URL
			maps.Copy(set, c.set)
			for k, v := range set {
				env = append(env, k+"="+v)
			}
			// A runner makes one script of both: https://docs.gitlab.com/runner/shells/.
			cmd := exec.CommandContext(t.Context(), "bash", "-eo", "pipefail", "-c", strings.Join(append(template.Before, template.Script...), "\n"))
			cmd.Dir, cmd.Env = dir, env
			said, _ := cmd.CombinedOutput()
			if got := cmd.ProcessState.ExitCode(); got != c.code {
				t.Errorf("it ended in %d, want %d:\n%s", got, c.code, said)
			}
			if _, err := os.Stat(filepath.Join(dir, "evil")); err == nil {
				t.Error("a value was executed")
			}
			if !c.wrote {
				return
			}
			summary, err := os.ReadFile(filepath.Join(dir, "etalon-report", "summary.md"))
			if err != nil || !strings.Contains(string(said), strings.TrimSpace(string(summary))) {
				t.Errorf("the log does not hold the summary (%v)", err)
			}
			for _, path := range append(slices.Clone(template.Artifacts.Paths), slices.Collect(maps.Values(template.Artifacts.Reports))...) {
				if _, err := os.Stat(filepath.Join(dir, path)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	if template.Artifacts.When != "always" {
		t.Error("the report of a run that fails is not kept")
	}
}

func compile(t *testing.T, to string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-buildvcs=false", "-o", to, ".")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

func digestOf(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// mirror is this repository as it stands, with what is not committed, as a
// repository that can be cloned at the branch "shown".
func mirror(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	script := `set -e
git -C "$TOP" ls-files -z --cached --others --exclude-standard | (cd "$TOP" && xargs -0 sh -c 'for f; do [ ! -e "$f" ] || printf "%s\0" "$f"; done' sh | tar --null -cf - -T -) | tar -xf - -C .
git init -q -b shown . && git add -A && git -c user.name=x -c user.email=x@example.test commit -qm x`
	cmd := exec.CommandContext(t.Context(), "sh", "-c", script)
	source, err := filepath.Abs(top)
	if err != nil {
		t.Fatal(err)
	}
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "TOP="+source)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return "file://" + dir
}
