package sandbox_test

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/etalon-sante/etalon/sandbox"
	"github.com/etalon-sante/etalon/sandbox/container"
	"github.com/etalon-sante/etalon/sandbox/control"
)

// The test binary is a served sandbox too, by the arguments of the real command:
// the forms are compared without depending on it.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == "sandbox" && os.Args[2] == "serve" {
		if err := serve(os.Args[3:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// serve is a sandbox in a process of its own, until it is told to stop.
func serve(args []string) error {
	var o sandbox.Options
	flags := flag.NewFlagSet("serve", flag.ContinueOnError)
	flags.StringVar(&o.Listen, "listen", "", "")
	flags.StringVar(&o.ControlListen, "control", "", "")
	flags.StringVar(&o.ControlToken, "control-token", "", "")
	flags.StringVar(&o.PublicURL, "public-url", "", "")
	if err := flags.Parse(args); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	s, err := sandbox.New(o)
	if err != nil {
		return err
	}
	if err := s.Start(ctx); err != nil {
		return err
	}
	fmt.Println(s.Control().Base)
	<-ctx.Done()
	return s.Close()
}

func TestSandbox(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "Sandbox")
}

var (
	_ = Contract("embedded", embedded)
	_ = Contract("served", served)
	_ = Contract("container", contained)
)

func embedded() control.API {
	s, err := sandbox.New(sandbox.Options{StateDir: GinkgoT().TempDir()})
	Expect(err).NotTo(HaveOccurred())
	Expect(s.Start(context.Background())).To(Succeed())
	DeferCleanup(s.Close)
	return s.Control()
}

func served() control.API {
	self, err := os.Executable()
	Expect(err).NotTo(HaveOccurred())
	const token = "token-of-the-served-sandbox"
	cmd := exec.Command(self, "sandbox", "serve", "--listen", "127.0.0.1:0", "--control", "127.0.0.1:0", "--control-token", token)
	cmd.Stderr = GinkgoWriter
	out, err := cmd.StdoutPipe()
	Expect(err).NotTo(HaveOccurred())
	Expect(cmd.Start()).To(Succeed())
	DeferCleanup(func() error {
		kill := time.AfterFunc(10*time.Second, func() { _ = cmd.Process.Kill() })
		defer kill.Stop()
		return errors.Join(cmd.Process.Signal(os.Interrupt), cmd.Wait())
	})
	base, err := bufio.NewReader(out).ReadString('\n')
	Expect(err).NotTo(HaveOccurred())
	return control.API{Base: strings.TrimSpace(base), Token: token}
}

// contained runs this test binary, built without cgo, in an image of its own.
func contained() control.API {
	if out, err := exec.Command("docker", "info", "--format", "{{.ServerVersion}}").CombinedOutput(); err != nil {
		Skip(fmt.Sprintf("NOT TESTED: the container form of the sandbox needs a Docker daemon (docker info: %v, %s)", err, out))
	}
	binary := filepath.Join(GinkgoT().TempDir(), "etalon")
	build := exec.Command("go", "test", "-c", "-o", binary, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux")
	out, err := build.CombinedOutput()
	Expect(err).NotTo(HaveOccurred(), "%s", out)
	c, err := container.Start(context.Background(), container.Options{Binary: binary})
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func() error {
		// The image of a test binary is of no use to anyone later.
		return errors.Join(c.Close(), exec.Command("docker", "image", "rm", c.Image()).Run())
	})
	h, err := c.Control().Health(context.Background())
	Expect(err).NotTo(HaveOccurred())
	Expect(h.Public).To(Equal(c.Public()))
	return c.Control()
}
