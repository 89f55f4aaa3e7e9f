package run

import (
	"context"
	"crypto/x509"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"

	dockercontainer "github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"
	"github.com/testcontainers/testcontainers-go"

	"github.com/etalon-sante/etalon/sandbox/container"
	"github.com/etalon-sante/etalon/suites/candidate"
	"github.com/etalon-sante/etalon/suites/candidate/pilot"
)

// started is a candidate that this run has started.
type started interface {
	Stop() // asks it to end, and sees to it
	Kill() // ends it at once
}

// startCandidate starts what the manifest says, a command or an image, and
// waits until it is ready. For an image it also settles where the sandbox is to be
// reached, unless that is fixed.
func startCandidate(ctx context.Context, m *candidate.Manifest, roots *x509.CertPool, o *SandboxOptions) (started, error) {
	c := m.Candidate
	if c.Start.Image == "" {
		return pilot.StartCommand(ctx, *c.Start, pilot.StartOptions{Folder: m.Folder, Roots: roots})
	}
	logger := o.Logger
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	if err := container.Prepare(logger); err != nil {
		return nil, err
	}
	if c.Start.Network != hostNetwork && o.Listen == "" && o.PublicURL == "" && c.Sandbox.Listen == "" && c.Sandbox.PublicURL == "" {
		if err := reachable(ctx, c.Start.Network, o); err != nil {
			return nil, err
		}
	}
	return startImage(ctx, *c.Start, roots)
}

// The networks that every daemon has.
const (
	hostNetwork   = "host"
	bridgeNetwork = "bridge"
)

// reachable has the sandbox listen where a container of the network reaches it.
func reachable(ctx context.Context, name string, o *SandboxOptions) error {
	if name == "" {
		name = bridgeNetwork
	}
	fail := func(err error) error {
		return pilot.NotStarted("the service is a container, and where it would reach the sandbox could not be found (%w): fix sandbox.listen and sandbox.publicUrl in the manifest", err)
	}
	gateway, err := container.Gateway(ctx, name)
	if err != nil {
		return fail(err)
	}
	// On Linux the gateway is an address of this machine; with a daemon in a
	// virtual machine it is not.
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", net.JoinHostPort(gateway, "0"))
	if err != nil {
		return fail(err)
	}
	if err := l.Close(); err != nil {
		return fail(err)
	}
	switch o.Where {
	case "", "embedded":
		o.Listen = net.JoinHostPort(gateway, "0")
	case "container":
		o.Host = gateway
	}
	return nil
}

// image is a candidate that runs as a container.
type image struct {
	docker testcontainers.Container
	output lines
	done   chan struct{}
	quit   chan struct{}
	stop   sync.Once
	state  string // how it ended; read after done
	ran    ImageInfo
}

const (
	stopPatience = 3 * time.Second        // between asking a container to end and ending it
	removal      = 15 * time.Second       // to be rid of a container
	stateEach    = 200 * time.Millisecond // between two looks at whether it runs
)

// startImage runs an image of the local daemon and waits until its ready
// address answers. Only the ports that the manifest names are opened, on 127.0.0.1.
func startImage(ctx context.Context, start candidate.Start, roots *x509.CertPool) (started, error) {
	look := pilot.NewLook(start, roots)
	if err := look.Before(ctx); err != nil {
		return nil, err
	}
	bindings, exposed := network.PortMap{}, []string{}
	for _, p := range start.Ports {
		here, there, two := strings.Cut(p, ":")
		if !two {
			there = here
		}
		port, err := network.ParsePort(there + "/tcp")
		if err != nil {
			return nil, pilot.NotStarted("start.ports: %w", err)
		}
		exposed = append(exposed, there+"/tcp")
		bindings[port] = append(bindings[port], network.PortBinding{HostIP: netip.AddrFrom4([4]byte{127, 0, 0, 1}), HostPort: here})
	}
	p := &image{output: lines{&pilot.Tail{Most: mostOutput}}, done: make(chan struct{}), quit: make(chan struct{})}
	options := []testcontainers.ContainerCustomizer{
		testcontainers.WithEnv(start.Env),
		testcontainers.WithLogConsumers(p.output),
		testcontainers.WithHostConfigModifier(func(h *dockercontainer.HostConfig) {
			h.PortBindings = bindings
			if start.Network != "" {
				h.NetworkMode = dockercontainer.NetworkMode(start.Network)
			}
			if start.Network != hostNetwork {
				h.ExtraHosts = append(h.ExtraHosts, "host.docker.internal:host-gateway")
			}
		}),
	}
	if start.Network != hostNetwork {
		options = append(options, testcontainers.WithExposedPorts(exposed...))
	}
	if len(start.Command) > 0 {
		options = append(options, testcontainers.WithCmd(start.Command...))
	}
	docker, err := testcontainers.Run(ctx, start.Image, options...)
	p.docker = docker
	if err != nil {
		if docker != nil {
			p.Stop()
		}
		return nil, pilot.NotStarted("run the image %s: %w; its last output:\n%s", start.Image, err, p.Output())
	}
	p.ran.Name = start.Image
	if seen, err := docker.Inspect(ctx); err == nil {
		p.ran.Digest = seen.Image
	}
	go p.watch()
	if err := look.Wait(ctx, p); err != nil {
		p.Stop()
		return nil, err
	}
	return p, nil
}

// imageOf is the image that was started, as the daemon names it; nil where none was,
// or where it cannot be told which.
func imageOf(s started) *ImageInfo {
	if p, ok := s.(*image); ok && p.ran.Digest != "" {
		return &p.ran
	}
	return nil
}

// watch notes that the container has ended.
func (p *image) watch() {
	tick := time.NewTicker(stateEach)
	defer tick.Stop()
	for {
		select {
		case <-p.quit:
			return
		case <-tick.C:
		}
		ctx, cancel := context.WithTimeout(context.Background(), removal)
		state, err := p.docker.State(ctx)
		cancel()
		if err == nil && !state.Running {
			p.state = fmt.Sprintf("exit status %d", state.ExitCode)
			close(p.done)
			return
		}
	}
}

// Done is closed when the container has ended by itself.
func (p *image) Done() <-chan struct{} { return p.done }

// Died says how the container ended, nil while it runs.
func (p *image) Died() error {
	select {
	case <-p.done:
		return pilot.NotStarted("the container ended (%s); its last output:\n%s", p.state, p.Output())
	default:
		return nil
	}
}

// Output is the last that the container printed.
func (p *image) Output() string { return p.output.String() }

// Stop ends the container and removes it.
func (p *image) Stop() { p.end(stopPatience) }

// Kill ends the container at once and removes it.
func (p *image) Kill() { p.end(0) }

func (p *image) end(patience time.Duration) {
	p.stop.Do(func() {
		close(p.quit)
		// A context of its own: what is interrupted must be cleared up too.
		ctx, cancel := context.WithTimeout(context.Background(), removal)
		defer cancel()
		_ = p.docker.Terminate(ctx, testcontainers.StopTimeout(patience)) // there is nobody left to tell
	})
}

// lines takes what a container prints.
type lines struct{ *pilot.Tail }

// mostOutput is how many bytes of it are kept.
const mostOutput = 16 << 10

// Accept implements testcontainers.LogConsumer.
func (l lines) Accept(log testcontainers.Log) { _, _ = l.Write(log.Content) } // it never fails
