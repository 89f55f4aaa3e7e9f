package sandbox

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/big"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"time"
)

// caFile holds the sandbox's authority, certificate and key, in the state
// folder: what a candidate was once told to trust is right at the next run.
const caFile = "sandbox-ca.pem"

// CAFile holds the certificate alone, beside it: the file to give a service
// that is configured by hand.
const CAFile = "sandbox-ca.crt"

// Validity of certificates. The server's is made anew at each start; 90 days
// are longer than any sandbox runs and shorter than any client refuses.
const (
	caYears    = 10
	serverDays = 90
)

// authority is the sandbox's own certificate authority.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pem  []byte // of the certificate
}

// openAuthority returns the authority kept in a folder, made on first use; with
// no folder, one that lives as long as the sandbox.
func openAuthority(dir string, now time.Time) (*authority, error) {
	if dir == "" {
		a, _, err := newAuthority(now)
		return a, err
	}
	path := filepath.Join(dir, caFile)
	raw, err := readFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		if err = keepAuthority(dir, path, now); err != nil {
			return nil, err
		}
		raw, err = readFile(path)
	}
	if err != nil {
		return nil, fmt.Errorf("read the sandbox's certificate authority: %w", err)
	}
	a, err := parseAuthority(raw)
	if err != nil {
		return nil, fmt.Errorf("read the sandbox's certificate authority in %s: %w; delete the file to have a new one made, and give the candidate the new one", path, err)
	}
	if now.After(a.cert.NotAfter) {
		return nil, fmt.Errorf("the sandbox's certificate authority in %s expired on %s: delete the file to have a new one made, and give the candidate the new one", path, a.cert.NotAfter.Format(time.DateOnly))
	}
	if err := showCertificate(filepath.Join(dir, CAFile), a.pem); err != nil {
		return nil, err
	}
	return a, nil
}

// showCertificate writes the certificate where it can be picked up, whole or not
// at all.
func showCertificate(path string, certificate []byte) error {
	if raw, err := readFile(path); err == nil && bytes.Equal(raw, certificate) {
		return nil
	}
	fail := func(err error) error {
		return fmt.Errorf("write the certificate of the sandbox's authority: %w", err)
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), CAFile+".*")
	if err != nil {
		return fail(err)
	}
	defer os.Remove(tmp.Name())
	_, err = tmp.Write(certificate)
	// It is public: a service that runs under another account reads it too.
	if err = errors.Join(err, tmp.Chmod(0o644), tmp.Close()); err != nil {
		return fail(err)
	}
	if err := os.Rename(tmp.Name(), path); err != nil {
		return fail(err)
	}
	return nil
}

func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, 64<<10))
}

// keepAuthority writes a new authority whole or not at all; of two sandboxes
// that start at once, the second takes over what the first wrote.
func keepAuthority(dir, path string, now time.Time) error {
	fail := func(err error) error { return fmt.Errorf("keep the sandbox's certificate authority: %w", err) }
	_, file, err := newAuthority(now)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fail(err)
	}
	tmp, err := os.CreateTemp(dir, caFile+".*") // mode 0600
	if err != nil {
		return fail(err)
	}
	defer os.Remove(tmp.Name())
	_, err = tmp.Write(file)
	if err = errors.Join(err, tmp.Close()); err != nil {
		return fail(err)
	}
	if err := os.Link(tmp.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return fail(err)
	}
	return nil
}

func newAuthority(now time.Time) (*authority, []byte, error) {
	fail := func(err error) (*authority, []byte, error) {
		return nil, nil, fmt.Errorf("make the sandbox's certificate authority: %w", err)
	}
	// ECDSA P-256: an RSA key alone would take the whole start-up budget of
	// 150 ms.
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return fail(err)
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return fail(err)
	}
	t := &x509.Certificate{
		SerialNumber:          serial,
		Subject:               pkix.Name{CommonName: "Etalon sandbox authority", Organization: []string{"Etalon, test only"}},
		NotBefore:             now.Add(-time.Hour),
		NotAfter:              now.AddDate(caYears, 0, 0),
		IsCA:                  true,
		BasicConstraintsValid: true,
		MaxPathLenZero:        true,
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, t, t, key.Public(), key)
	if err != nil {
		return fail(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return fail(err)
	}
	file := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	file = append(file, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})...)
	a, err := parseAuthority(file)
	return a, file, err
}

func parseAuthority(raw []byte) (*authority, error) {
	certBlock, rest := pem.Decode(raw)
	keyBlock, _ := pem.Decode(rest)
	if certBlock == nil || keyBlock == nil || certBlock.Type != "CERTIFICATE" {
		return nil, errors.New("it is not a certificate and a key in PEM")
	}
	cert, err := x509.ParseCertificate(certBlock.Bytes)
	if err != nil {
		return nil, err
	}
	private, err := x509.ParsePKCS8PrivateKey(keyBlock.Bytes)
	if err != nil {
		return nil, err
	}
	key, ok := private.(*ecdsa.PrivateKey)
	if !ok || !cert.IsCA || !key.PublicKey.Equal(cert.PublicKey) {
		return nil, errors.New("its key is not that of its certificate")
	}
	return &authority{cert: cert, key: key, pem: pem.EncodeToMemory(certBlock)}, nil
}

// server makes a server certificate for this machine's names and a host.
func (a *authority) server(host string, now time.Time) (tls.Certificate, error) {
	t := serverTemplate(host, now)
	cert, err := a.sign(t)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("make the sandbox's server certificate: %w", err)
	}
	return cert, nil
}

// serverTemplate is what a server certificate of the sandbox says.
func serverTemplate(host string, now time.Time) *x509.Certificate {
	t := &x509.Certificate{
		Subject:     pkix.Name{CommonName: "Etalon sandbox"},
		NotBefore:   now.Add(-time.Hour),
		NotAfter:    now.AddDate(0, 0, serverDays),
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames:    []string{"localhost", "host.docker.internal"},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
	}
	if ip := net.ParseIP(host); ip != nil {
		t.IPAddresses = append(t.IPAddresses, ip)
	} else if host != "" {
		t.DNSNames = append(t.DNSNames, host)
	}
	return t
}

// sign makes a key and its certificate under the authority; under none, the
// certificate signs itself.
func (a *authority) sign(t *x509.Certificate) (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	if t.SerialNumber, err = rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120)); err != nil {
		return tls.Certificate{}, err
	}
	if a == nil {
		der, err := x509.CreateCertificate(rand.Reader, t, t, key.Public(), key)
		return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, err
	}
	der, err := x509.CreateCertificate(rand.Reader, t, a.cert, key.Public(), a.key)
	return tls.Certificate{Certificate: [][]byte{der, a.cert.Raw}, PrivateKey: key}, err
}

// hostOf is the host of an address, "" when it has none.
func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Hostname()
}
