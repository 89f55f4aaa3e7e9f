package sandbox_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/etalon-sante/etalon/sandbox"
	"github.com/etalon-sante/etalon/sandbox/control"
)

// serveEnv makes the test binary be a served sandbox instead of running tests.
const serveEnv = "ETALON_TEST_SERVE_SANDBOX"

func TestMain(m *testing.M) {
	if os.Getenv(serveEnv) != "" {
		if err := serve(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// serve is a sandbox in a process of its own: it says on its first line how to
// control it, and ends with its standard input.
func serve() error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	s, err := sandbox.New(sandbox.Options{})
	if err != nil {
		return err
	}
	if err := s.Start(ctx); err != nil {
		return err
	}
	api := s.Control()
	if err := json.NewEncoder(os.Stdout).Encode(map[string]string{"base": api.Base, "token": api.Token}); err != nil {
		return errors.Join(err, s.Close())
	}
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		_, _ = bufio.NewReader(os.Stdin).ReadByte()
	}()
	select {
	case <-gone:
	case <-ctx.Done():
	}
	return s.Close()
}

func TestSandbox(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "Sandbox")
}

var (
	_ = Contract("embedded", embedded)
	_ = Contract("served", served)
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
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), serveEnv+"=1")
	cmd.Stderr = GinkgoWriter
	in, err := cmd.StdinPipe()
	Expect(err).NotTo(HaveOccurred())
	out, err := cmd.StdoutPipe()
	Expect(err).NotTo(HaveOccurred())
	Expect(cmd.Start()).To(Succeed())
	DeferCleanup(func() error {
		time.AfterFunc(10*time.Second, func() { _ = cmd.Process.Kill() })
		return errors.Join(in.Close(), cmd.Wait())
	})
	line, err := bufio.NewReader(out).ReadBytes('\n')
	Expect(err).NotTo(HaveOccurred())
	var told struct{ Base, Token string }
	Expect(json.Unmarshal(line, &told)).To(Succeed())
	return control.API{Base: told.Base, Token: told.Token}
}
