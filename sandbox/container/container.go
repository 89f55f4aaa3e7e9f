// Package container runs a sandbox as a container: an image FROM scratch that
// holds one static Linux binary, built where the daemon is, nothing pulled.
package container

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"debug/elf"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"
	tclog "github.com/testcontainers/testcontainers-go/log"
	"github.com/testcontainers/testcontainers-go/wait"

	"github.com/etalon-sante/etalon/sandbox/control"
)

// Ports inside the container.
const (
	candidatePort = "4433"
	controlPort   = "4434"
)

const (
	maxBinary    = 512 << 20
	startTimeout = 30 * time.Second
	stopTimeout  = 15 * time.Second
	attempts     = 3 // a free port may be taken between the look and the start
)

// dockerfile is the whole image. Its user is nobody; /state is the one folder
// that he may write to.
const dockerfile = `FROM scratch
COPY --chown=65534:65534 state /state
COPY etalon /etalon
USER 65534:65534
ENV HOME=/state XDG_CONFIG_HOME=/state TMPDIR=/state
EXPOSE 4433 4434
ENTRYPOINT ["/etalon"]
`

// Options say what is run.
type Options struct {
	Binary string       // a static Linux executable that knows `sandbox serve`
	Host   string       // under which candidates reach this machine; default: the daemon's host
	Logger *slog.Logger // default: none
}

// Container is a sandbox in a container.
type Container struct {
	docker testcontainers.Container
	api    control.API
	public string
	image  string
}

// Start builds the image (the daemon keeps it, by the digest of the binary) and
// waits until the sandbox answers. On an error nothing is left running.
func Start(ctx context.Context, o Options) (*Container, error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	binary, err := readBinary(o.Binary)
	if err != nil {
		return nil, err
	}
	if err := Prepare(o.Logger); err != nil {
		return nil, err
	}
	host, err := daemonHost(ctx)
	if err != nil {
		return nil, fmt.Errorf("start the sandbox in a container: no Docker daemon answers: %w", err)
	}
	for i := 1; ; i++ {
		c, err := start(ctx, o, binary, host)
		if err == nil {
			return c, nil
		}
		if i == attempts || ctx.Err() != nil || !portTaken(err) {
			return nil, fmt.Errorf("start the sandbox in a container: %w", err)
		}
		o.Logger.Debug("the container did not start, another port is tried", "error", err)
	}
}

// start makes one attempt.
func start(ctx context.Context, o Options, binary []byte, host string) (*Container, error) {
	archive, err := buildContext(binary)
	if err != nil {
		return nil, err
	}
	// The public address is part of what the sandbox tells candidates, so that
	// the mapped port must be known before it starts: it is chosen here rather
	// than by the daemon.
	port, err := freePort(ctx)
	if err != nil {
		return nil, err
	}
	b := make([]byte, 24)
	_, _ = rand.Read(b) // it cannot fail (crypto/rand, Go 1.24)
	token := hex.EncodeToString(b)
	public := "https://" + net.JoinHostPort(host, port)
	if o.Host != "" {
		public = "https://" + net.JoinHostPort(o.Host, port)
	}
	image := nameOf(binary)
	repo, tag, _ := strings.Cut(image, ":")

	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	docker, err := testcontainers.Run(ctx, "",
		testcontainers.WithLogger(logger{o.Logger}),
		testcontainers.WithDockerfile(testcontainers.FromDockerfile{
			ContextArchive: archive, Repo: repo, Tag: tag, KeepImage: true, BuildLogWriter: io.Discard,
		}),
		testcontainers.WithExposedPorts(candidatePort+"/tcp", controlPort+"/tcp"),
		testcontainers.WithHostConfigModifier(func(h *container.HostConfig) {
			h.PortBindings = network.PortMap{network.MustParsePort(candidatePort + "/tcp"): {{HostPort: port}}}
			if loopback(host) {
				h.PortBindings[network.MustParsePort(controlPort+"/tcp")] = []network.PortBinding{{HostIP: netip.MustParseAddr("127.0.0.1"), HostPort: "0"}}
			}
			h.CapDrop = []string{"ALL"}
			h.SecurityOpt = []string{"no-new-privileges"}
		}),
		testcontainers.WithCmd("sandbox", "serve", "--listen", ":"+candidatePort, "--control", ":"+controlPort, "--control-token", token, "--public-url", public),
		testcontainers.WithWaitStrategyAndDeadline(startTimeout, wait.ForHTTP("/v1/health").WithPort(controlPort+"/tcp").
			WithHeaders(map[string]string{"Authorization": "Bearer " + token}).WithStatusCodeMatcher(func(s int) bool { return s == http.StatusOK }).
			WithPollInterval(20*time.Millisecond)),
	)
	c := &Container{public: public, image: image}
	if docker != nil { // it may be there although it did not start
		c.docker = docker
	}
	if err != nil {
		return nil, errors.Join(err, c.Close())
	}
	mapped, err := docker.MappedPort(ctx, controlPort+"/tcp")
	if err != nil {
		return nil, errors.Join(err, c.Close())
	}
	c.api = control.API{Base: "http://" + net.JoinHostPort(host, strconv.Itoa(int(mapped.Num()))), Token: token}
	return c, nil
}

// Build makes the image with the local daemon and gives its name. The image is the
// whole harness: its entry point is the binary.
func Build(ctx context.Context, o Options) (string, error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	binary, err := readBinary(o.Binary)
	if err != nil {
		return "", err
	}
	if err := Prepare(o.Logger); err != nil {
		return "", err
	}
	archive, err := buildContext(binary)
	if err != nil {
		return "", err
	}
	p, err := testcontainers.NewDockerProvider(testcontainers.WithLogger(logger{o.Logger}))
	if err != nil {
		return "", fmt.Errorf("build the image: no Docker daemon answers: %w", err)
	}
	defer p.Close()
	if err := p.Health(ctx); err != nil {
		return "", fmt.Errorf("build the image: no Docker daemon answers: %w", err)
	}
	image := nameOf(binary)
	repo, tag, _ := strings.Cut(image, ":")
	name, err := p.BuildImage(ctx, &testcontainers.ContainerRequest{FromDockerfile: testcontainers.FromDockerfile{
		ContextArchive: archive, Repo: repo, Tag: tag, KeepImage: true, BuildLogWriter: io.Discard,
	}})
	if err != nil {
		return "", fmt.Errorf("build the image: %w", err)
	}
	return name, nil
}

// nameOf names the image of a binary.
func nameOf(binary []byte) string {
	digest := sha256.Sum256(binary)
	return "etalon:" + hex.EncodeToString(digest[:6])
}

// Control is a client of the sandbox's control API.
func (c *Container) Control() control.API { return c.api }

// Public is the address under which candidates reach the sandbox.
func (c *Container) Public() string { return c.public }

// Image is the name of the image, which stays with the daemon.
func (c *Container) Image() string { return c.image }

// Close ends the container and removes it; the image stays with the daemon.
func (c *Container) Close() error {
	if c.docker == nil {
		return nil
	}
	// A context of its own: what is interrupted must be cleared up too.
	ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	if err := c.docker.Terminate(ctx, testcontainers.StopTimeout(time.Second)); err != nil {
		return fmt.Errorf("remove the sandbox's container: %w", err)
	}
	return nil
}

// Prepare sets what testcontainers-go only reads from the environment: Ryuk is
// an image that cannot be pulled offline (Close clears up instead), and inside a
// container that shares the daemon's network the library takes the gateway for
// the daemon's host, where nothing answers. What the user has set stays.
func Prepare(l *slog.Logger) error {
	tclog.SetDefault(logger{l})
	if err := os.Setenv("TESTCONTAINERS_RYUK_DISABLED", "true"); err != nil {
		return fmt.Errorf("disable Ryuk: %w", err)
	}
	const override = "TESTCONTAINERS_HOST_OVERRIDE"
	if _, set := os.LookupEnv(override); set || !besideDaemon() {
		return nil
	}
	if err := os.Setenv(override, "127.0.0.1"); err != nil {
		return fmt.Errorf("set the daemon's host: %w", err)
	}
	return nil
}

// besideDaemon says whether this process is in a container and yet on the same
// network as the daemon: its bridge is here.
func besideDaemon() bool {
	if _, err := os.Stat("/.dockerenv"); err != nil {
		return false
	}
	_, err := net.InterfaceByName("docker0")
	return err == nil
}

func daemonHost(ctx context.Context) (string, error) {
	p, err := testcontainers.NewDockerProvider()
	if err != nil {
		return "", err
	}
	defer p.Close()
	if err := p.Health(ctx); err != nil {
		return "", err
	}
	return p.DaemonHost(ctx)
}

// Gateway is the address of this machine in a network of the daemon's: what
// listens there is reached from the containers of that network, and from here.
func Gateway(ctx context.Context, name string) (string, error) {
	p, err := testcontainers.NewDockerProvider()
	if err != nil {
		return "", err
	}
	defer p.Close()
	n, err := p.Client().NetworkInspect(ctx, name, client.NetworkInspectOptions{})
	if err != nil {
		return "", fmt.Errorf("look at the network %s: %w", name, err)
	}
	for _, c := range n.Network.IPAM.Config {
		if c.Gateway.IsValid() && c.Gateway.Is4() {
			return c.Gateway.String(), nil
		}
	}
	return "", fmt.Errorf("the network %s has no gateway", name)
}

// portTaken says whether the daemon could not have the port that was chosen; it
// has only words for it.
func portTaken(err error) bool {
	text := err.Error()
	return strings.Contains(text, "port is already allocated") || strings.Contains(text, "address already in use")
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func freePort(ctx context.Context) (string, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("find a free port: %w", err)
	}
	_, port, err := net.SplitHostPort(l.Addr().String())
	return port, errors.Join(err, l.Close())
}

// readBinary reads an executable that can run in an empty image.
func readBinary(path string) ([]byte, error) {
	fail := func(why string) error {
		return fmt.Errorf("run %s in a container: %s; build it with CGO_ENABLED=0 GOOS=linux, or name an image", path, why)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read the binary of the sandbox: %w", err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxBinary+1))
	if err != nil {
		return nil, fmt.Errorf("read the binary of the sandbox: %w", err)
	}
	if len(b) > maxBinary {
		return nil, fail("it is larger than " + strconv.Itoa(maxBinary>>20) + " MiB")
	}
	x, err := elf.NewFile(bytes.NewReader(b))
	if err != nil {
		return nil, fail("it is not a Linux executable")
	}
	for _, p := range x.Progs {
		if p.Type == elf.PT_INTERP {
			return nil, fail("it is not static, an empty image has no libraries")
		}
	}
	return b, nil
}

// buildContext is the build context: the Dockerfile, the binary and an empty
// folder. Times are left out, so that the daemon's cache holds.
func buildContext(binary []byte) (io.ReadSeeker, error) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, f := range []struct {
		header tar.Header
		data   []byte
	}{
		{tar.Header{Name: "Dockerfile", Mode: 0o644}, []byte(dockerfile)},
		{tar.Header{Name: "etalon", Mode: 0o755}, binary},
		{tar.Header{Name: "state/", Typeflag: tar.TypeDir, Mode: 0o700}, nil},
	} {
		f.header.Size = int64(len(f.data))
		if err := w.WriteHeader(&f.header); err != nil {
			return nil, fmt.Errorf("write the build context: %w", err)
		}
		if _, err := w.Write(f.data); err != nil {
			return nil, fmt.Errorf("write the build context: %w", err)
		}
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("write the build context: %w", err)
	}
	return bytes.NewReader(b.Bytes()), nil
}

// logger keeps the library quiet: what it says goes to ours, at debug level.
type logger struct{ l *slog.Logger }

// Printf implements the library's logger.
func (l logger) Printf(format string, v ...any) { l.l.Debug(fmt.Sprintf(format, v...)) }
