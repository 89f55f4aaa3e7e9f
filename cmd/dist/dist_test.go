package main

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/url"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	cdx "github.com/CycloneDX/cyclonedx-go"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// copied is a copy of the sources, as they stand, in a folder of its own.
func copied(t *testing.T) string {
	t.Helper()
	top, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	// What is fetched at build time is embedded too, and no part of the repository.
	cmd := exec.CommandContext(t.Context(), "git", "-C", top, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	list, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	names := strings.Split(strings.TrimRight(string(list), "\x00"), "\x00")
	fetched, err := filepath.Glob(filepath.Join(top, "suites/probe/browser/axe/*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range fetched {
		names = append(names, strings.TrimPrefix(f, top+string(filepath.Separator)))
	}
	dir := filepath.Join(t.TempDir(), t.Name()+"-"+strings.Repeat("x", len(t.TempDir())%7))
	for _, name := range names {
		b, err := os.ReadFile(filepath.Join(top, name))
		if errors.Is(err, os.ErrNotExist) {
			continue // removed, not yet committed
		}
		if err != nil {
			t.Fatal(err)
		}
		to := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(to, b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func releaseIn(t *testing.T, platforms string) (dir string) {
	t.Helper()
	t.Setenv("SOURCE_DATE_EPOCH", "1790000000")
	dir = filepath.Join(t.TempDir(), "dist")
	var log bytes.Buffer
	if err := run(t.Context(), []string{"--source", copied(t), "--out", dir, "--version", "v0.0.0-test", "--platforms", platforms}, &log); err != nil {
		t.Fatalf("%v\n%s", err, log.String())
	}
	return dir
}

// Two copies of the sources in two folders give the same bytes, image and list
// included.
func TestTheSameSourcesGiveTheSameBytes(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the command twice")
	}
	// One platform: the others cost a build of the standard library each.
	own := "linux/" + runtime.GOARCH
	var one, two string
	t.Run("one", func(t *testing.T) { one = keep(t, releaseIn(t, own)) })
	t.Run("another", func(t *testing.T) { two = keep(t, releaseIn(t, own)) })
	defer os.RemoveAll(one)
	defer os.RemoveAll(two)
	if one == "" || two == "" {
		t.FailNow()
	}
	a, b := sums(t, one), sums(t, two)
	if !maps.Equal(a, b) {
		t.Errorf("the first made %v, the second %v", a, b)
	}
	program := "etalon-linux-" + runtime.GOARCH
	want := []string{program, "etalon-image-linux-" + runtime.GOARCH + ".tar", bomFile}
	slices.Sort(want)
	if got := slices.Sorted(maps.Keys(a)); !slices.Equal(got, want) {
		t.Errorf("made were %v, want %v", got, want)
	}
	for name, sum := range a {
		if got, err := weigh(filepath.Join(one, name)); err != nil || got != sum {
			t.Errorf("%s: the list says %s, it is %s (%v)", name, sum, got, err)
		}
	}
	t.Run("the program says its version", func(t *testing.T) {
		if runtime.GOOS != "linux" {
			t.Skip("it is a program of Linux")
		}
		out, err := exec.CommandContext(t.Context(), filepath.Join(one, program), "version").Output()
		if err != nil || !strings.HasPrefix(string(out), "etalon v0.0.0-test ") {
			t.Errorf("%v: %s", err, out)
		}
		b, err := os.ReadFile(filepath.Join(one, program))
		if top, _ := filepath.Abs("../.."); err != nil || bytes.Contains(b, []byte(top)) || bytes.Contains(b, []byte(os.TempDir()+"/Test")) {
			t.Errorf("it holds a path of the machine that made it (%v)", err)
		}
	})
	t.Run("the image holds it", func(t *testing.T) { image(t, one, program) })
	t.Run("the list is valid", func(t *testing.T) { validBOM(t, filepath.Join(one, bomFile), a[program]) })
}

// keep moves a release out of the folder of a test that ends.
func keep(t *testing.T, dir string) string {
	t.Helper()
	to, err := os.MkdirTemp("", "etalon-dist-")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(to, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	return to
}

func sums(t *testing.T, dir string) map[string]string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, sumsFile))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for line := range strings.Lines(string(b)) {
		sum, name, _ := strings.Cut(strings.TrimSpace(line), "  ")
		out[name] = sum
	}
	return out
}

// image reads the archive as a tool of OCI layouts does: by digest, from the index
// to the program.
func image(t *testing.T, dir, program string) {
	f, err := os.Open(filepath.Join(dir, "etalon-image-linux-"+runtime.GOARCH+".tar"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	files := map[string][]byte{}
	for r := tar.NewReader(f); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if files[h.Name], err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
		if !h.ModTime.Equal(time.Unix(1790000000, 0)) {
			t.Errorf("%s is of %s", h.Name, h.ModTime)
		}
	}
	blob := func(d ocispec.Descriptor, into any) []byte {
		t.Helper()
		b := files["blobs/sha256/"+d.Digest.Encoded()]
		if digest.FromBytes(b) != d.Digest || int64(len(b)) != d.Size {
			t.Fatalf("%s is not there, or not what its digest says", d.Digest)
		}
		if into != nil {
			if err := json.Unmarshal(b, into); err != nil {
				t.Fatal(err)
			}
		}
		return b
	}
	var index ocispec.Index
	var manifest ocispec.Manifest
	var config ocispec.Image
	if err := json.Unmarshal(files["index.json"], &index); err != nil || len(index.Manifests) != 1 {
		t.Fatalf("%v: %s", err, files["index.json"])
	}
	blob(index.Manifests[0], &manifest)
	blob(manifest.Config, &config)
	layer := blob(manifest.Layers[0], nil)
	if config.Architecture != runtime.GOARCH || config.Config.User != "65534:65534" || config.RootFS.DiffIDs[0] != digest.FromBytes(layer) {
		t.Errorf("the image says %+v", config)
	}
	want, err := os.ReadFile(filepath.Join(dir, program))
	if err != nil {
		t.Fatal(err)
	}
	held := []string{}
	for r := tar.NewReader(bytes.NewReader(layer)); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		held = append(held, h.Name)
		if got, err := io.ReadAll(r); h.Name == "etalon" && (err != nil || h.Mode != 0o755 || !bytes.Equal(got, want)) {
			t.Errorf("the program in the image is another, or cannot be run: %v", err)
		}
	}
	if !slices.Equal(held, []string{"state/", "etalon"}) {
		t.Errorf("the image holds %v", held)
	}
	t.Run("a daemon runs it", func(t *testing.T) {
		if err := exec.CommandContext(t.Context(), "docker", "info").Run(); err != nil {
			t.Skip("no Docker daemon answers: the archive was read by this test alone")
		}
		if out, err := exec.CommandContext(t.Context(), "docker", "load", "--input", f.Name()).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		name := "etalon:" + runtime.GOARCH
		defer func() { _ = exec.Command("docker", "image", "rm", "--force", name).Run() }()
		out, err := exec.CommandContext(t.Context(), "docker", "run", "--rm", "--network", "none", name, "version").CombinedOutput()
		if err != nil || !strings.HasPrefix(string(out), "etalon v0.0.0-test ") {
			t.Errorf("%v: %s", err, out)
		}
	})
}

// validBOM holds the list against the schema of the CycloneDX project, and against
// what `go version -m` says.
func validBOM(t *testing.T, file, sum string) {
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	dir, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", "github.com/CycloneDX/cyclonedx-go").Output()
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.UseLoader(local(filepath.Join(strings.TrimSpace(string(dir)), "schema")))
	schema, err := c.Compile("http://cyclonedx.org/schema/bom-1.6.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	if err := schema.Validate(v); err != nil {
		t.Error(err)
	}
	if doc, ok := v.(map[string]any); ok { // the schema can refuse
		doc["bomFormat"] = "Another"
		if schema.Validate(doc) == nil {
			t.Error("the schema refuses nothing")
		}
	}
	var bom cdx.BOM
	if err := cdx.NewBOMDecoder(bytes.NewReader(raw), cdx.BOMFileFormatJSON).Decode(&bom); err != nil {
		t.Fatal(err)
	}
	listed := map[string]bool{}
	for _, c := range *bom.Components {
		listed[c.Name+" "+c.Version] = true
		if c.Type == cdx.ComponentTypeFile && (*c.Hashes)[0].Value != sum {
			t.Errorf("%s has another digest", c.Name)
		}
	}
	said, err := exec.CommandContext(t.Context(), "go", "version", "-m", filepath.Join(filepath.Dir(file), "etalon-linux-"+runtime.GOARCH)).Output()
	if err != nil {
		t.Fatal(err)
	}
	deps := 0
	for line := range strings.Lines(string(said)) {
		if f := strings.Fields(line); len(f) > 2 && f[0] == "dep" {
			deps++
			if !listed[f[1]+" "+f[2]] {
				t.Errorf("%s %s is not in the list", f[1], f[2])
			}
		}
	}
	if deps < 20 || !slices.ContainsFunc(slices.Collect(maps.Keys(listed)), func(s string) bool { return strings.HasPrefix(s, "std ") }) {
		t.Errorf("%d modules, %d in the list", deps, len(listed))
	}
	if _, err := os.Stat("../../suites/probe/browser/axe/axe.min.js"); err == nil && !slices.ContainsFunc(slices.Collect(maps.Keys(listed)), func(s string) bool { return strings.HasPrefix(s, "axe-core ") }) {
		t.Error("axe-core is embedded and not listed")
	}
}

// local finds the schemas of CycloneDX in its module, and asks no network.
type local string

func (l local) Load(address string) (any, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, err
	}
	name := path.Base(u.Path)
	b, err := os.ReadFile(filepath.Join(string(l), name))
	if errors.Is(err, os.ErrNotExist) {
		b, err = os.ReadFile(filepath.Join(string(l), strings.Replace(name, ".schema.json", ".schemax.json", 1)))
	}
	if err != nil {
		return nil, err
	}
	return jsonschema.UnmarshalJSON(bytes.NewReader(b))
}

func TestAPlatformThatIsNotMadeIsRefused(t *testing.T) {
	if err := run(t.Context(), []string{"--platforms", "plan9/amd64", "--version", "x"}, io.Discard); err == nil || !strings.Contains(err.Error(), "linux/amd64") {
		t.Error(err)
	}
}

// The other systems compile too; asked for apart, since each costs a build of the
// standard library and of every module (two minutes each on a busy machine).
func TestTheOtherSystemsCompile(t *testing.T) {
	if os.Getenv("ETALON_ORACLES") == "" {
		t.Skip("set ETALON_ORACLES=1: two more platforms are compiled")
	}
	for _, p := range []platform{{"windows", "amd64"}, {"darwin", "arm64"}} {
		t.Run(p.String(), func(t *testing.T) {
			o := options{source: "../..", version: "v0.0.0-test", say: func(string) {}}
			if err := compile(t.Context(), o, p, filepath.Join(t.TempDir(), p.program())); err != nil {
				t.Error(err)
			}
		})
	}
}
