package sandbox

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestTheReasonOfABrokenHandshakeIsKeptWithoutAddresses(t *testing.T) {
	for line, want := range map[string]string{
		"http: TLS handshake error from 127.0.0.1:53412: remote error: tls: unknown certificate authority\n":                 "remote error: tls: unknown certificate authority",
		"http: TLS handshake error from [::1]:53412: EOF\n":                                                                  "EOF",
		"http: TLS handshake error from 127.0.0.1:5: read tcp 127.0.0.1:4433->127.0.0.1:5: read: connection reset by peer\n": "read: connection reset by peer",
		"http: TLS handshake error from 127.0.0.1:5: tls: client offered only unsupported versions: [302 301]\n":             "tls: client offered only unsupported versions: [302 301]",
		"http: TLS handshake error from 127.0.0.1:5: a\x1b[2Jb\n":                                                            "a[2Jb",
		"http: panic serving 127.0.0.1:5: oh\n":                                                                              "",
		"http: TLS handshake error from nobody":                                                                              "",
		"http: TLS handshake error from 127.0.0.1:5: " + strings.Repeat("é", 500):                                            strings.Repeat("é", 200),
	} {
		if got := handshakeReason(line); got != want {
			t.Errorf("%q: got %q", line, got)
		}
	}
}

func TestOnlyTheLastEightReasonsAreKept(t *testing.T) {
	var h handshakes
	for i := range 20 {
		if _, err := h.Write([]byte("http: TLS handshake error from 1.2.3.4:5: reason " + string(rune('a'+i)) + "\n")); err != nil {
			t.Fatal(err)
		}
	}
	got := h.last()
	if len(got) != 8 || got[0] != "reason m" || got[7] != "reason t" {
		t.Errorf("%q", got)
	}
	if (&handshakes{}).last() == nil {
		t.Error("an empty list is nil")
	}
}

func TestHealthTellsOfACandidateThatDoesNotTrustTheSandbox(t *testing.T) {
	dir := t.TempDir()
	s, err := New(Options{StateDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	d := tls.Dialer{NetDialer: &net.Dialer{Timeout: 5 * time.Second}, Config: &tls.Config{RootCAs: x509.NewCertPool(), MinVersion: tls.VersionTLS12}}
	if c, err := d.DialContext(t.Context(), "tcp", strings.TrimPrefix(s.Public(), "https://")); err == nil {
		c.Close()
		t.Fatal("a client without roots trusts the sandbox")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		h, err := s.Control().Health(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if slices.ContainsFunc(h.Handshakes, func(r string) bool { return strings.HasPrefix(r, "remote error: tls: ") }) {
			break
		}
		<-tick.C
	}
	raw, err := os.ReadFile(filepath.Join(dir, CAFile))
	if err != nil || string(raw) != string(s.CA()) || strings.Contains(string(raw), "KEY") {
		t.Errorf("%s: %v\n%s", CAFile, err, raw)
	}
}
