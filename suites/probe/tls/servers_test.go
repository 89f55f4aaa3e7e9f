package tls

import (
	"bufio"
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	cryptotls "crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"
)

var update = flag.Bool("update", false, "write what is seen in place of what is expected")

// server is a row of testdata/servers.yaml.
type server struct {
	Name   string    `yaml:"name"`
	Server string    `yaml:"server"` // go, openssl
	Key    string    `yaml:"key"`
	Min    string    `yaml:"min"`
	Max    string    `yaml:"max"`
	Suites yaml.Node `yaml:"suites"`
	Groups []uint16  `yaml:"groups"`
	Args   []string  `yaml:"args"`
}

func readServers(t testing.TB) []server {
	t.Helper()
	raw, err := os.ReadFile("testdata/servers.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var out []server
	d := yaml.NewDecoder(bytes.NewReader(raw))
	d.KnownFields(true)
	if err := d.Decode(&out); err != nil {
		t.Fatal(err)
	}
	return out
}

func keyFor(t testing.TB, kind string) crypto.Signer {
	t.Helper()
	var k crypto.Signer
	var err error
	switch kind {
	case "ecdsa":
		k, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case "ecdsa384":
		k, err = ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	case "rsa":
		k, err = rsa.GenerateKey(rand.Reader, 2048)
	case "rsa1024":
		k, err = rsa.GenerateKey(rand.Reader, 1024)
	default:
		t.Fatalf("no key of kind %q", kind)
	}
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// start serves a row at an address of this machine until the test ends.
func (s server) start(t *testing.T, ca authority) string {
	t.Helper()
	cert := ca.leaf(t, keyFor(t, s.Key), false, func(c *x509.Certificate) {
		// Of the present: other tools know no other date.
		c.NotBefore, c.NotAfter = time.Now().Add(-time.Hour), time.Now().AddDate(0, 0, 60)
		c.DNSNames = append(c.DNSNames, "localhost")
	})
	if s.Server == "openssl" {
		return s.openssl(t, cert)
	}
	number := map[string]uint16{"1.0": 0x0301, "1.1": 0x0302, "1.2": 0x0303, "1.3": 0x0304}
	conf := &cryptotls.Config{Certificates: []cryptotls.Certificate{cert}, MinVersion: number[s.Min], MaxVersion: number[s.Max]}
	if s.Suites.Value == "all" {
		for _, list := range [][]*cryptotls.CipherSuite{cryptotls.CipherSuites(), cryptotls.InsecureCipherSuites()} {
			for _, suite := range list {
				conf.CipherSuites = append(conf.CipherSuites, suite.ID)
			}
		}
	}
	for _, node := range s.Suites.Content {
		id, err := strconv.ParseUint(node.Value, 16, 16)
		if err != nil {
			t.Fatal(err)
		}
		conf.CipherSuites = append(conf.CipherSuites, uint16(id))
	}
	for _, g := range s.Groups {
		conf.CurvePreferences = append(conf.CurvePreferences, cryptotls.CurveID(g))
	}
	return serveTLS(t, conf)
}

func (s server) openssl(t *testing.T, cert cryptotls.Certificate) string {
	t.Helper()
	program, err := exec.LookPath("openssl")
	if err != nil {
		t.Skip("SKIPPED: openssl is not installed (apt-get install openssl): this server was not tried")
	}
	dir := t.TempDir()
	key, err := x509.MarshalPKCS8PrivateKey(cert.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	write := func(name, kind string, der []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	args := append([]string{"s_server", "-accept", "127.0.0.1:0", "-www", "-cert", write("cert.pem", "CERTIFICATE", cert.Certificate[0]), "-key", write("key.pem", "PRIVATE KEY", key)}, s.Args...)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 10*time.Minute)
	cmd := exec.CommandContext(ctx, program, args...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	said := make(chan string, 1)
	done := make(chan struct{})
	go func() {
		defer close(done)
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			if at, ok := strings.CutPrefix(lines.Text(), "ACCEPT "); ok {
				select {
				case said <- at:
				default:
				}
			}
		}
		_, _ = io.Copy(io.Discard, out)
	}()
	t.Cleanup(func() {
		cancel()
		<-done
		_ = cmd.Wait()
	})
	select {
	case at := <-said:
		return at
	case <-done:
		t.Fatalf("openssl %s: %s", strings.Join(args, " "), complaint.String())
	case <-time.After(10 * time.Second):
		t.Fatal("openssl does not say where it listens")
	}
	return ""
}

// describe writes a survey as lines that can be compared.
func describe(d Depth) string {
	var b strings.Builder
	for _, p := range d.Protocols {
		if p.State != Offered {
			continue
		}
		var names []string
		for _, s := range p.Suites {
			name := strings.TrimPrefix(s.Name, "TLS_")
			if s.Broken != "" {
				name += " (" + s.Broken + ")"
			}
			names = append(names, name)
		}
		if p.ServerOrder != Yes {
			slices.Sort(names) // whose order it is, is ours
		}
		fmt.Fprintf(&b, "%s, complete %t, server's order %s:\n", p.Name, p.Complete, p.ServerOrder)
		for _, n := range names {
			fmt.Fprintf(&b, "  %s\n", n)
		}
	}
	var names []string
	for _, g := range d.Groups {
		names = append(names, g.Name)
	}
	slices.Sort(names)
	fmt.Fprintf(&b, "groups, complete %t: %s\n", d.GroupsComplete, strings.Join(names, " "))
	fmt.Fprintf(&b, "prime %d\nSHA-1 %s\nrenegotiation %s\nmaster secret %s\ncompression %s\nheartbeat %s\nSSL 2.0 %s\nfallback %s\ndowngrade %s\n",
		d.DHPrime, d.SHA1Signature, d.Renegotiation, d.MasterSecret, d.Compression, d.Heartbeat, d.SSL2, d.Fallback, d.Downgrade)
	if d.Stopped != "" {
		fmt.Fprintf(&b, "stopped: %s\n", d.Stopped)
	}
	return b.String()
}

func TestServersGoodAndBadAreSeenAsTheyAre(t *testing.T) {
	ca := newAuthority(t)
	servers := readServers(t)
	if len(servers) < 15 {
		t.Fatalf("%d servers, at least 15 are wanted", len(servers))
	}
	for _, s := range servers {
		t.Run(s.Name, func(t *testing.T) {
			address := s.start(t, ca)
			began := time.Now()
			d, err := Survey(t.Context(), address, Options{Now: today, Timeout: 5 * time.Second})
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%d connections in %s", d.Connections, time.Since(began).Round(time.Millisecond))
			got := describe(d)
			golden := filepath.Join("testdata", "seen", strings.Map(func(r rune) rune {
				if r == ' ' || r == '/' {
					return '-'
				}
				return r
			}, s.Name)+".txt")
			if *update {
				if err := os.MkdirAll(filepath.Dir(golden), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil { //nolint:gosec // a file of the repository
					t.Fatal(err)
				}
				return
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("seen:\n%s\nwant:\n%s", got, want)
			}
		})
	}
}
