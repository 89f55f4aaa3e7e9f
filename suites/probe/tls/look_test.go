package tls

import (
	"bufio"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	cryptotls "crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"errors"
	"io"
	"math/big"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var today = time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)

// authority is a certificate authority of the test.
type authority struct {
	cert *x509.Certificate
	key  crypto.Signer
}

func newAuthority(t *testing.T) authority {
	t.Helper()
	key := ecKey(t)
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"},
		NotBefore: today.AddDate(-5, 0, 0), NotAfter: today.AddDate(5, 0, 0),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return authority{cert, key}
}

func (a authority) pool() *x509.CertPool {
	p := x509.NewCertPool()
	p.AddCert(a.cert)
	return p
}

func ecKey(t *testing.T) crypto.Signer {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// leaf makes a certificate for 127.0.0.1; change may spoil it, selfSigned too.
func (a authority) leaf(t *testing.T, key crypto.Signer, selfSigned bool, change func(*x509.Certificate)) cryptotls.Certificate {
	t.Helper()
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "service"},
		NotBefore: today.AddDate(0, -1, 0), NotAfter: today.AddDate(0, 0, 30),
		DNSNames: []string{"service.example"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if change != nil {
		change(tmpl)
	}
	parent, signer := a.cert, a.key
	if selfSigned {
		parent, signer = tmpl, key
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, parent, key.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	return cryptotls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// serve answers each connection with handle until the test ends.
func serve(t *testing.T, handle func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				defer c.Close()
				_ = c.SetDeadline(time.Now().Add(5 * time.Second))
				handle(c)
			})
		}
	})
	t.Cleanup(func() { _ = l.Close(); wg.Wait() })
	return l.Addr().String()
}

func serveTLS(t *testing.T, c *cryptotls.Config) string {
	t.Helper()
	return serve(t, func(conn net.Conn) {
		s := cryptotls.Server(conn, c)
		_ = s.Handshake()
		_, _ = s.Read(make([]byte, 1)) // until the client goes
	})
}

func look(t *testing.T, address string, roots *x509.CertPool) Result {
	t.Helper()
	r, err := Look(t.Context(), address, Options{Roots: roots, Now: today, Timeout: 2 * time.Second})
	if err != nil {
		t.Fatalf("look: %v", err)
	}
	return r
}

func states(r Result) string {
	var out []string
	for _, v := range r.Versions {
		out = append(out, v.State)
	}
	return strings.Join(out, " ")
}

func TestVersionsAreAskedOneByOne(t *testing.T) {
	ca := newAuthority(t)
	cert := []cryptotls.Certificate{ca.leaf(t, ecKey(t), false, nil)}
	for name, c := range map[string]struct {
		low, high  uint16
		want       string
		negotiated string
	}{
		"a modern server":        {cryptotls.VersionTLS12, cryptotls.VersionTLS13, "refused refused refused offered offered", "TLS 1.3"},
		"TLS 1.0 only":           {cryptotls.VersionTLS10, cryptotls.VersionTLS10, "refused offered refused refused refused", "TLS 1.0"},
		"TLS 1.1 and later":      {cryptotls.VersionTLS11, cryptotls.VersionTLS13, "refused refused offered offered offered", "TLS 1.3"},
		"TLS 1.2 at most":        {cryptotls.VersionTLS12, cryptotls.VersionTLS12, "refused refused refused offered refused", "TLS 1.2"},
		"TLS 1.3 and no earlier": {cryptotls.VersionTLS13, cryptotls.VersionTLS13, "refused refused refused refused offered", "TLS 1.3"},
	} {
		t.Run(name, func(t *testing.T) {
			r := look(t, serveTLS(t, &cryptotls.Config{Certificates: cert, MinVersion: c.low, MaxVersion: c.high}), ca.pool())
			if got := states(r); got != c.want {
				t.Errorf("states %q, want %q\n%+v", got, c.want, r.Versions)
			}
			if r.Negotiated != c.negotiated || r.Suite == "" {
				t.Errorf("negotiated %q %q, want %q", r.Negotiated, r.Suite, c.negotiated)
			}
			if !r.ChainTrusted || !r.NameMatches || !r.InDates || r.DaysLeft != 30 {
				t.Errorf("a good certificate is not seen as good: %+v", r)
			}
			for _, v := range r.Versions {
				if (v.State == Offered) != (v.Suite != "") {
					t.Errorf("suite %q of a version that is %s", v.Suite, v.State)
				}
			}
		})
	}
}

// A server that crypto/tls could not speak to at all still shows which versions
// it takes.
func TestAVersionIsSeenWithSuitesThatGoDoesNotHave(t *testing.T) {
	address := serve(t, func(c net.Conn) {
		r := bufio.NewReader(c)
		head := make([]byte, 5)
		if _, err := r.Read(head); err != nil {
			return
		}
		body := make([]byte, int(head[3])<<8|int(head[4]))
		if _, err := r.Read(body); err != nil {
			return
		}
		if body[4] != 3 || body[5] != 1 { // anything but TLS 1.0
			_, _ = c.Write([]byte{21, 3, 1, 0, 2, 2, 70})
			return
		}
		hello := append([]byte{2, 0, 0, 38, 3, 1}, make([]byte, 32)...)
		hello = append(hello, 0, 0x00, 0x39, 0) // DHE-RSA-AES256-SHA
		_, _ = c.Write(append([]byte{22, 3, 1, 0, byte(len(hello))}, hello...))
		_, _ = r.ReadByte()
	})
	r := look(t, address, nil)
	if got, want := states(r), "refused offered refused refused refused"; got != want {
		t.Errorf("states %q, want %q: %+v", got, want, r.Versions)
	}
	if r.HandshakeError == "" || r.ChainTrusted {
		t.Errorf("a handshake that cannot be finished is told: %+v", r)
	}
}

func TestCertificatesAreJudgedAsOfTheDateAndRootsOfTheRun(t *testing.T) {
	ca, other := newAuthority(t), newAuthority(t)
	small, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		cert  cryptotls.Certificate
		check func(*testing.T, Result)
	}{
		"self-signed": {ca.leaf(t, ecKey(t), true, nil), func(t *testing.T, r Result) {
			if r.ChainTrusted || !r.Chain[0].SelfSigned || !r.NameMatches || !r.InDates {
				t.Errorf("%+v", r)
			}
		}},
		"from an authority that is not trusted": {other.leaf(t, ecKey(t), false, nil), func(t *testing.T, r Result) {
			if r.ChainTrusted || r.ChainError == "" || r.Chain[0].SelfSigned {
				t.Errorf("%+v", r)
			}
		}},
		"for another name": {ca.leaf(t, ecKey(t), false, func(c *x509.Certificate) { c.IPAddresses = nil }), func(t *testing.T, r Result) {
			if r.NameMatches || r.NameError == "" || !r.ChainTrusted {
				t.Errorf("%+v", r)
			}
		}},
		"expired, which is not a matter of trust": {ca.leaf(t, ecKey(t), false, func(c *x509.Certificate) {
			c.NotAfter = today.AddDate(0, 0, -3)
		}), func(t *testing.T, r Result) {
			if r.InDates || r.DaysLeft != -3 || !r.ChainTrusted {
				t.Errorf("%+v", r)
			}
		}},
		"not valid yet": {ca.leaf(t, ecKey(t), false, func(c *x509.Certificate) {
			c.NotBefore = today.AddDate(0, 0, 3)
		}), func(t *testing.T, r Result) {
			if r.InDates || !r.ChainTrusted {
				t.Errorf("%+v", r)
			}
		}},
		"with a small RSA key": {ca.leaf(t, small, false, nil), func(t *testing.T, r Result) {
			if r.Chain[0].KeyType != "RSA" || r.Chain[0].KeyBits != 1024 || r.Chain[0].SignatureHash != "SHA-256" {
				t.Errorf("%+v", r)
			}
		}},
		"not meant for servers": {ca.leaf(t, ecKey(t), false, func(c *x509.Certificate) {
			c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
		}), func(t *testing.T, r Result) {
			if r.ChainTrusted {
				t.Errorf("%+v", r)
			}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			r := look(t, serveTLS(t, &cryptotls.Config{Certificates: []cryptotls.Certificate{c.cert}, MinVersion: cryptotls.VersionTLS12}), ca.pool())
			if len(r.Chain) != 1 {
				t.Fatalf("chain: %+v", r)
			}
			c.check(t, r)
		})
	}
}

func TestACertificateIsReadWhereTheClientIsThenRefused(t *testing.T) {
	ca := newAuthority(t)
	r := look(t, serveTLS(t, &cryptotls.Config{
		Certificates: []cryptotls.Certificate{ca.leaf(t, ecKey(t), false, nil)},
		ClientAuth:   cryptotls.RequireAnyClientCert, MaxVersion: cryptotls.VersionTLS12,
	}), ca.pool())
	if len(r.Chain) != 1 || !r.ChainTrusted || r.HandshakeError == "" {
		t.Errorf("%+v", r)
	}
}

func TestWhatDoesNotSpeakTLSIsSaidToBeSo(t *testing.T) {
	for name, c := range map[string]struct {
		handle func(net.Conn)
		want   string
	}{
		"plain HTTP": {func(c net.Conn) {
			_, _ = c.Read(make([]byte, 1000))
			_, _ = c.Write([]byte("HTTP/1.1 400 Bad Request\r\n\r\n"))
		}, NotTLS},
		"garbage": {func(c net.Conn) {
			_, _ = c.Read(make([]byte, 1000))
			_, _ = c.Write([]byte(strings.Repeat("\x00\xff\x80", 50000)))
		}, NotTLS},
		"a record that claims to be long and ends": {func(c net.Conn) {
			_, _ = c.Read(make([]byte, 1000))
			_, _ = c.Write([]byte{22, 3, 3, 0x40, 0, 2, 0xff})
		}, Refused},
		"a closed door": {func(net.Conn) {}, Refused},
	} {
		t.Run(name, func(t *testing.T) {
			r := look(t, serve(t, c.handle), nil)
			for _, v := range r.Versions {
				if v.State != c.want && v.State != Refused { // a reset can overtake the answer
					t.Errorf("%s is %s (%s)", v.Name, v.State, v.Detail)
				}
			}
			if r.Speaks() || r.ChainTrusted || r.HandshakeError == "" || r.ChainError == "" {
				t.Errorf("%+v", r)
			}
			if b, err := json.Marshal(r); err != nil || strings.Contains(string(b), "null") {
				t.Errorf("JSON %s %v", b, err)
			}
		})
	}
}

func TestAnAddressThatCannotBeReachedIsAnError(t *testing.T) {
	closed := serve(t, func(net.Conn) {})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	free := l.Addr().String()
	_ = l.Close()
	silent := serve(t, func(c net.Conn) { _, _ = io.Copy(io.Discard, c) })
	for name, c := range map[string]struct{ address, want string }{
		"nobody listens":       {free, "refused"},
		"nobody ever answers":  {silent, "answered none of them in time"},
		"the name is unknown":  {"service.invalid:443", "no such host"},
		"not a host and port":  {"service.example", "expected host:port"},
		"a port that is empty": {"service.example:", "expected host:port"},
	} {
		t.Run(name, func(t *testing.T) {
			o := Options{Now: today, Timeout: 200 * time.Millisecond}
			o.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
				if strings.HasPrefix(address, "service.") {
					return nil, &net.DNSError{Err: "no such host", Name: "service.invalid"}
				}
				return (&net.Dialer{}).DialContext(ctx, network, address)
			}
			_, err := Look(t.Context(), c.address, o)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("error %v, want %q", err, c.want)
			}
			var un *UnreachableError
			if strings.Contains(c.want, "host:port") == errors.As(err, &un) {
				t.Errorf("kind of error: %T", err)
			}
		})
	}
	if _, err := Look(t.Context(), closed, Options{}); err != nil {
		t.Errorf("a server that closes each connection answers in its way: %v", err)
	}
}

func TestAnInterruptedLookEndsAtOnce(t *testing.T) {
	address := serve(t, func(c net.Conn) { _, _ = io.Copy(io.Discard, c) })
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	start := time.Now()
	if _, err := Look(ctx, address, Options{Timeout: 20 * time.Second}); err == nil || time.Since(start) > 5*time.Second {
		t.Errorf("error %v after %s", err, time.Since(start))
	}
}

func TestAddressOfASite(t *testing.T) {
	for in, want := range map[string]string{
		"https://service.example/":   "service.example:443",
		"http://service.example":     "service.example:443",
		"https://127.0.0.1:8443/x":   "127.0.0.1:8443",
		"https://[2001:db8::1]/":     "[2001:db8::1]:443",
		"ftp://service.example/":     "",
		"service.example":            "",
		"https://%zz":                "",
		"http://127.0.0.1:9000/base": "127.0.0.1:9000",
	} {
		got, err := Address(in)
		if got != want || (want == "") != (err != nil) {
			t.Errorf("Address(%q) = %q, %v; want %q", in, got, err, want)
		}
	}
}

func TestHelloProposesTheNameAndFewerThan128Suites(t *testing.T) {
	for _, p := range protocols {
		b, err := clientHello(p.number, "service.example", rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		if named := strings.Contains(string(b), "service.example"); named != (p.number > 0x0300) {
			t.Errorf("%s: server name sent: %v", p.name, named)
		}
		if n := len(suitesFor(p.number)); n >= 128 {
			t.Errorf("%s: %d suites", p.name, n)
		}
	}
	if serverName("127.0.0.1") != "" || serverName("::1") != "" || serverName("a.example.") != "a.example" {
		t.Error("an address is no server name")
	}
}

func FuzzReadAnswer(f *testing.F) {
	f.Add([]byte{21, 3, 1, 0, 2, 2, 70})
	f.Add([]byte{21, 3, 1, 0, 2, 1, 112, 21, 3, 1, 0, 2, 2, 40})
	f.Add(append([]byte{22, 3, 3, 0, 42, 2, 0, 0, 38, 3, 3}, make([]byte, 36)...))
	f.Add([]byte("HTTP/1.1 400 Bad Request\r\n\r\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		a, err := readAnswer(strings.NewReader(string(b)))
		if err == nil && !a.alert && a.number == 0 && len(b) < 40 {
			t.Errorf("an answer out of %d bytes: %+v", len(b), a)
		}
		a.version(protocols[3])
	})
}
