package main

import (
	"bytes"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/miekg/dns"
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"

	"github.com/etalon-sante/etalon/suites/probe/browser"
)

// What stands in the network of the test. The addresses are those kept for
// examples (RFC 5737), the names those kept for tests (RFC 6761).
const (
	namedHost    = "carnet.test"
	namedAddress = "192.0.2.10"
	thirdHost    = "pisteur.test"
	thirdAddress = "198.51.100.20"
	asked        = "192.0.2.53"    // the resolver that --resolver names
	anyone       = "198.51.100.99" // what every other name resolves to
	inside       = "ETALON_TEST_INSIDE_A_NETWORK_OF_ITS_OWN"
)

// TestOnlyTheAddressesOfTheManifestAreContacted runs everything in a network of
// its own, in which each packet is seen and every name resolves: nothing leaves
// but for what the manifest names, what --resolver names, and, where it is let
// through, what the service's own page loads.
func TestOnlyTheAddressesOfTheManifestAreContacted(t *testing.T) {
	if os.Getenv(inside) != "" {
		contactsWatched(t)
		return
	}
	t.Parallel()
	if testing.Short() {
		t.Skip("a whole run, at the pace of a service that is not on this machine")
	}
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, "-test.run=^"+t.Name()+"$", "-test.v", "-test.timeout=5m")
	cmd.Env = append(os.Environ(), inside+"=1", "ETALON_LANG=en")
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNET,
		UidMappings: []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}},
	}
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	err = cmd.Start()
	if errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EINVAL) {
		t.Skipf("NOT TRIED: this machine gives no network of its own to a process: %v", err)
	}
	if err == nil {
		err = cmd.Wait()
	}
	t.Logf("%s", output.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(output.Bytes(), []byte("--- SKIP")) {
		t.Skip("NOT TRIED: see above")
	}
}

// contactsWatched is the test, inside.
func contactsWatched(t *testing.T) {
	system := laidOut(t)
	watch := watchPackets(t)
	names := &asks{}
	for _, at := range append(system, asked) {
		names.serve(t, at)
	}
	publicPages(t)
	decoys := listenAt(t, "127.0.0.1:80", "127.0.0.1:443", "127.0.0.1:8443", "127.0.0.1:9222", anyone+":80", anyone+":443")

	// What the watch would not see, nothing would be shown of.
	stray, err := net.DialTimeout("tcp", "203.0.113.77:81", 100*time.Millisecond)
	if err == nil {
		stray.Close()
		t.Fatal("an address that nobody has answers")
	}
	until(t, "the watch sees a connection elsewhere", 5*time.Second, func() bool { return watch.saw("203.0.113.77:81") })

	for _, c := range []struct {
		thirds, production string
		args, tried        []string
		third              bool
	}{
		{"allow", "https://" + namedHost, nil, []string{"ETH-50", "SEC-50"}, true},
		// Its own address stays named: patients get there.
		{"block", "", []string{"--theme", "interop,ethics"}, []string{"ETH-50", "INT-01"}, false},
	} {
		watch.forget()
		names.forget()
		dir := t.TempDir()
		words := []string{"web.site=http://" + namedHost, "web.plain=http://" + namedHost + "/", "web.own=true", "web.domain=" + namedHost}
		if c.production != "" {
			words = append(words, "web.production="+c.production)
		}
		ref := startCandidate(t, dir, words...)
		run := etalonCommand(t, dir, append([]string{"run", "--browser", "auto", "--resolver", asked, "--third-parties", c.thirds}, c.args...)...)
		run.Env = append(run.Env, "ETALON_PILOT_TOKEN="+pilotToken, "SSL_CERT_FILE="+filepath.Join(dir, "ca.pem"))
		ended, output := begun(t, run)
		select {
		case <-ended:
		case <-time.After(3 * time.Minute):
			t.Fatalf("the run does not end:\n%s", output)
		}
		ref.Close()
		t.Logf("%s", output)
		r := readReport(t, filepath.Join(dir, "report"))
		for _, res := range r.Results {
			// Pages were shown, intruders' requests sent, the domain looked at.
			if slices.Contains(c.tried, res.Requirement) && res.Verdict == "untested" {
				t.Errorf("%s: %s", res.Requirement, res.Reason.EN)
			}
		}
		allowed := []string{namedAddress + ":80", namedAddress + ":443", asked + ":53"}
		for _, s := range system {
			allowed = append(allowed, s+":53")
		}
		if c.third {
			allowed = append(allowed, thirdAddress+":80")
		}
		t.Logf("third parties %s: contacted %v; names %v", c.thirds, watch.all(), names.all())
		if !slices.Contains(names.all(), namedHost+".") {
			t.Errorf("third parties %s: the service's own name was not asked for", c.thirds)
		}
		for _, to := range watch.all() {
			if at := netip.MustParseAddrPort(to); !at.Addr().IsLoopback() && !slices.Contains(allowed, to) {
				t.Errorf("third parties %s: %s was contacted, which the manifest does not name", c.thirds, to)
			}
		}
		if c.third != watch.saw(thirdAddress+":80") {
			t.Errorf("third parties %s: what the page loads was asked for: %t", c.thirds, !c.third)
		}
		for _, name := range names.all() {
			// The key of the root is where the signatures of a domain begin.
			if name != "." && !dns.IsSubDomain(namedHost+".", name) && !(c.third && name == thirdHost+".") {
				t.Errorf("third parties %s: the name %s was asked for", c.thirds, name)
			}
		}
		if n := decoys(); n != 0 {
			t.Errorf("third parties %s: %d connections to addresses that nobody named", c.thirds, n)
		}
	}
}

// laidOut gives the network its addresses, and everything else a way that leads
// nowhere but is seen. It returns the resolvers of the system.
func laidOut(t *testing.T) []string {
	t.Helper()
	if why := browser.Missing(browser.Options{Program: browser.Auto}); why != (browser.Text{}) {
		t.Skip("NOT TRIED: " + why.EN)
	}
	conf, err := dns.ClientConfigFromFile("/etc/resolv.conf")
	if err != nil {
		t.Skipf("NOT TRIED: the system's resolver is not known: %v", err)
	}
	commands := [][]string{{"link", "set", "lo", "up"}, {"route", "add", "default", "dev", "lo"}, {"-6", "route", "add", "default", "dev", "lo"}}
	system := []string{}
	for _, s := range conf.Servers {
		if a, err := netip.ParseAddr(s); err == nil && a.Is4() {
			system = append(system, s)
		}
	}
	for _, a := range append([]string{namedAddress, thirdAddress, asked, anyone}, system...) {
		if !netip.MustParseAddr(a).IsLoopback() {
			commands = append(commands, []string{"address", "add", a + "/32", "dev", "lo"})
		}
	}
	for _, c := range commands {
		if out, err := exec.Command("ip", c...).CombinedOutput(); err != nil && c[0] != "-6" {
			t.Skipf("NOT TRIED: ip %s: %v %s (Debian: apt-get install iproute2)", strings.Join(c, " "), err, out)
		}
	}
	return system
}

// watched are the addresses to which something went first.
type watched struct {
	mu sync.Mutex
	to map[string]bool
}

func (w *watched) saw(to string) bool { return slices.Contains(w.all(), to) }

func (w *watched) forget() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.to = map[string]bool{}
}

func (w *watched) all() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []string
	for to := range w.to {
		out = append(out, to)
	}
	slices.Sort(out)
	return out
}

// note keeps where a packet goes. Answers go to ports that were asked from: those
// of UDP are told by the port of a known service at their other end.
func (w *watched) note(packet []byte) {
	var proto byte
	var from, to netip.Addr
	var ports []byte
	switch {
	case len(packet) >= 24 && packet[0]>>4 == 4:
		head := int(packet[0]&15) * 4
		if len(packet) < head+4 {
			return
		}
		proto, ports = packet[9], packet[head:]
		from, to = netip.AddrFrom4([4]byte(packet[12:16])), netip.AddrFrom4([4]byte(packet[16:20]))
	case len(packet) >= 44 && packet[0]>>4 == 6:
		proto, ports = packet[6], packet[40:]
		from, to = netip.AddrFrom16([16]byte(packet[8:24])), netip.AddrFrom16([16]byte(packet[24:40]))
	default:
		return
	}
	if proto != unix.IPPROTO_TCP && proto != unix.IPPROTO_UDP {
		return
	}
	back := netip.AddrPortFrom(from, binary.BigEndian.Uint16(ports[0:])).String()
	there := netip.AddrPortFrom(to, binary.BigEndian.Uint16(ports[2:])).String()
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.to[back] {
		w.to[there] = true
	}
}

// watchPackets sees each packet that opens a connection or holds a datagram.
func watchPackets(t *testing.T) *watched {
	t.Helper()
	all := int(binary.NativeEndian.Uint16(binary.BigEndian.AppendUint16(nil, unix.ETH_P_ALL)))
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM, all)
	if err != nil {
		t.Skipf("NOT TRIED: packets cannot be watched: %v", err)
	}
	f := os.NewFile(uintptr(fd), "packets")
	program, err := bpf.Assemble([]bpf.Instruction{
		bpf.LoadAbsolute{Off: 0, Size: 1},
		bpf.ALUOpConstant{Op: bpf.ALUOpShiftRight, Val: 4},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: 4, SkipFalse: 7}, // all that is not IPv4 is kept
		bpf.LoadAbsolute{Off: 9, Size: 1},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: unix.IPPROTO_TCP, SkipFalse: 5}, // all that is not TCP
		bpf.LoadMemShift{Off: 0},
		bpf.LoadIndirect{Off: 13, Size: 1},
		bpf.ALUOpConstant{Op: bpf.ALUOpAnd, Val: 0x12},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: 0x02, SkipTrue: 1}, // SYN, and no ACK
		bpf.RetConstant{Val: 0},
		bpf.RetConstant{Val: 128},
	})
	if err != nil {
		t.Fatal(err)
	}
	filter := make([]unix.SockFilter, len(program))
	for i, p := range program {
		filter[i] = unix.SockFilter{Code: p.Op, Jt: p.Jt, Jf: p.Jf, K: p.K}
	}
	if err := unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}); err != nil {
		t.Fatal(err)
	}
	_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, 4<<20)
	w := &watched{to: map[string]bool{}}
	go func() {
		buffer := make([]byte, 256)
		for {
			n, _, err := unix.Recvfrom(fd, buffer, 0)
			if errors.Is(err, unix.EINTR) {
				continue
			}
			if err != nil {
				return
			}
			w.note(buffer[:n])
		}
	}()
	t.Cleanup(func() {
		if s, err := unix.GetsockoptTpacketStats(fd, unix.SOL_PACKET, unix.PACKET_STATISTICS); err != nil || s.Drops > 0 {
			t.Errorf("%d packets passed unseen (%v)", s.Drops, err)
		}
		f.Close()
	})
	return w
}

// asks are the names that resolvers were asked for.
type asks struct {
	mu    sync.Mutex
	names map[string]bool
}

func (a *asks) forget() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.names = map[string]bool{}
}

func (a *asks) all() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	var out []string
	for name := range a.names {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

// serve answers every question about an address, and notes it.
func (a *asks) serve(t *testing.T, at string) {
	t.Helper()
	a.forget()
	for _, network := range []string{"udp", "tcp"} {
		ready := make(chan struct{})
		s := &dns.Server{Addr: at + ":53", Net: network, NotifyStartedFunc: func() { close(ready) }, Handler: dns.HandlerFunc(func(w dns.ResponseWriter, r *dns.Msg) {
			name := dns.CanonicalName(r.Question[0].Name)
			a.mu.Lock()
			a.names[name] = true
			a.mu.Unlock()
			m := new(dns.Msg)
			m.SetReply(r)
			to, known := map[string]string{namedHost + ".": namedAddress, thirdHost + ".": thirdAddress}[name]
			if !known {
				to = anyone
			}
			if r.Question[0].Qtype == dns.TypeA {
				m.Answer = []dns.RR{&dns.A{Hdr: dns.RR_Header{Name: r.Question[0].Name, Rrtype: dns.TypeA, Class: dns.ClassINET, Ttl: 60}, A: net.ParseIP(to)}}
			}
			_ = w.WriteMsg(m)
		})}
		failed := make(chan error, 1)
		go func() { failed <- s.ListenAndServe() }()
		select {
		case <-ready:
		case err := <-failed:
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Shutdown() })
	}
}

// publicPages serves the pages of the service, which load something from another
// site, and that site.
func publicPages(t *testing.T) {
	t.Helper()
	page := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Host == thirdHost {
			w.Header().Set("Content-Type", "text/javascript")
			_, _ = io.WriteString(w, "document.title += ' suivi';")
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprintf(w, `<!doctype html><html lang="fr"><title>Carnet</title><h1>Carnet</h1><p><a href="http://ailleurs.test/">Ailleurs</a></p>
<link rel="dns-prefetch" href="http://%[1]s"><script src="http://%[1]s/suivi.js"></script></html>`, thirdHost)
	})
	for _, at := range []string{namedAddress, thirdAddress} {
		for _, port := range []string{"80", "443"} {
			l, err := net.Listen("tcp", at+":"+port)
			if err != nil {
				t.Fatal(err)
			}
			s := httptest.NewUnstartedServer(page)
			s.Listener.Close()
			s.Listener = l
			s.Config.ErrorLog = log.New(io.Discard, "", 0)
			if port == "443" {
				s.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
				s.StartTLS()
			} else {
				s.Start()
			}
			t.Cleanup(s.Close)
		}
	}
}

// listenAt listens where nobody has anything to ask, and says how often it was.
func listenAt(t *testing.T, addresses ...string) func() int {
	t.Helper()
	var mu sync.Mutex
	came := 0
	for _, at := range addresses {
		l, err := net.Listen("tcp", at)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { l.Close() })
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				c.Close()
				mu.Lock()
				came++
				mu.Unlock()
			}
		}()
	}
	return func() int { mu.Lock(); defer mu.Unlock(); return came }
}
