// Command dist makes what a release of étalon consists of: a static program for
// each platform, the image of the Linux ones as an archive, the list of what is
// inside (CycloneDX), and the SHA-256 of each. Two runs on the same sources, in
// whichever folder, give the same bytes: paths are trimmed, times are those of the
// commit, and nothing is random.
package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// sumsFile lists the digests, as sha256sum reads them.
const sumsFile = "SHA256SUMS"

// platform is a system and a processor, as Go names them.
type platform struct{ os, arch string }

func (p platform) String() string { return p.os + "/" + p.arch }

// program is the name of a platform's program.
func (p platform) program() string {
	name := "etalon-" + p.os + "-" + p.arch
	if p.os == "windows" {
		name += ".exe"
	}
	return name
}

// platforms are those of a release.
func platforms() []platform {
	var out []platform
	for _, system := range []string{"linux", "darwin", "windows"} {
		for _, arch := range []string{"amd64", "arm64"} {
			out = append(out, platform{system, arch})
		}
	}
	return out
}

// options say what is made.
type options struct {
	source    string // top of the repository
	out       string // folder, which is made; files of the same names are replaced
	version   string
	made      time.Time // of the commit
	platforms []platform
	say       func(string)
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "dist: "+err.Error())
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, log io.Writer) error {
	flags := flag.NewFlagSet("dist", flag.ContinueOnError)
	o := options{say: func(s string) { fmt.Fprintln(log, s) }}
	flags.StringVar(&o.source, "source", ".", "top of the repository")
	flags.StringVar(&o.out, "out", "build/dist", "folder of what is made")
	flags.StringVar(&o.version, "version", "", "version that the programs say (default: of git)")
	only := flags.String("platforms", "", "only these, as os/arch, separated by commas")
	if err := flags.Parse(args); err != nil {
		return err
	}
	o.platforms = platforms()
	if *only != "" {
		o.platforms = nil
		for _, name := range strings.Split(*only, ",") {
			i := slices.IndexFunc(platforms(), func(p platform) bool { return p.String() == name })
			if i < 0 {
				return fmt.Errorf("there is no platform %q; there are %v", name, platforms())
			}
			o.platforms = append(o.platforms, platforms()[i])
		}
	}
	var err error
	if o.version == "" {
		if o.version, err = git(ctx, o.source, "describe", "--tags", "--always", "--dirty"); err != nil {
			return fmt.Errorf("name the version with --version: %w", err)
		}
	}
	if o.made, err = commitTime(ctx, o.source); err != nil {
		return err
	}
	return makeAll(ctx, o)
}

// commitTime is the time that everything bears: SOURCE_DATE_EPOCH where it is set
// (https://reproducible-builds.org/specs/source-date-epoch/), else the commit's.
func commitTime(ctx context.Context, source string) (time.Time, error) {
	text := os.Getenv("SOURCE_DATE_EPOCH")
	if text == "" {
		var err error
		if text, err = git(ctx, source, "log", "-1", "--format=%ct"); err != nil {
			return time.Time{}, fmt.Errorf("set SOURCE_DATE_EPOCH to the time of the sources: %w", err)
		}
	}
	seconds, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return time.Time{}, fmt.Errorf("SOURCE_DATE_EPOCH is %q, not a number of seconds", text)
	}
	return time.Unix(seconds, 0).UTC(), nil
}

func git(ctx context.Context, dir string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "git", append([]string{"-C", dir}, args...)...)
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("git %s: %w", args[0], err)
	}
	return strings.TrimSpace(string(out)), nil
}

func makeAll(ctx context.Context, o options) error {
	if err := os.MkdirAll(o.out, 0o755); err != nil {
		return err
	}
	for _, p := range o.platforms {
		path := filepath.Join(o.out, p.program())
		if err := compile(ctx, o, p, path); err != nil {
			return err
		}
		o.say("made " + p.program())
		if p.os != "linux" {
			continue
		}
		name := "etalon-image-" + p.os + "-" + p.arch + ".tar"
		if err := writeImage(filepath.Join(o.out, name), path, p, o); err != nil {
			return fmt.Errorf("make %s: %w", name, err)
		}
		o.say("made " + name)
	}
	if err := writeBOM(filepath.Join(o.out, bomFile), o); err != nil {
		return fmt.Errorf("make %s: %w", bomFile, err)
	}
	return writeSums(o.out)
}

// compile makes a static program. Its build id is left out: it would differ with
// the toolchain's own folder.
func compile(ctx context.Context, o options, p platform, to string) error {
	absolute, err := filepath.Abs(to)
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-mod=readonly",
		"-ldflags", "-s -w -buildid= -X main.version="+o.version, "-o", absolute, "./cmd/etalon")
	cmd.Dir = o.source
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+p.os, "GOARCH="+p.arch, "GOFLAGS=", "GOAMD64=v1", "GOARM64=v8.0")
	if said, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build for %s: %w\n%s", p, err, said)
	}
	return nil
}

// writeSums lists what is in a folder, by name.
func writeSums(dir string) error {
	files, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	var out strings.Builder
	for _, f := range files { // sorted
		if f.Name() == sumsFile || !f.Type().IsRegular() {
			continue
		}
		sum, err := weigh(filepath.Join(dir, f.Name()))
		if err != nil {
			return err
		}
		fmt.Fprintf(&out, "%s  %s\n", sum, f.Name())
	}
	return os.WriteFile(filepath.Join(dir, sumsFile), []byte(out.String()), 0o644)
}

func weigh(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	sum := sha256.New()
	_, err = io.Copy(sum, f)
	return hex.EncodeToString(sum.Sum(nil)), errors.Join(err, f.Close())
}
