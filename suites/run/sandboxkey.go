package run

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"net"
	"net/url"
	"time"

	"github.com/etalon-sante/etalon/suites/outward"
)

// key is the digest of the public key of the sandbox's certificate (SHA-256 of the
// SubjectPublicKeyInfo, base64), which a browser of the harness trusts beside the
// system's authorities; "" where the sandbox cannot be reached from here, or is not
// certified by the authority that it names.
func (b *Bench) key(ctx context.Context) string {
	public, err := url.Parse(b.Health.Public)
	if err != nil || public.Scheme != "https" {
		return ""
	}
	port := public.Port()
	if port == "" {
		port = "443"
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	conn, err := outward.Dial(ctx, "tcp", net.JoinHostPort(public.Hostname(), port))
	if err != nil {
		return ""
	}
	defer conn.Close()
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool()
	}
	roots.AppendCertsFromPEM([]byte(b.Health.CA))
	client := tls.Client(conn, &tls.Config{ServerName: public.Hostname(), RootCAs: roots, MinVersion: tls.VersionTLS12})
	if err := client.HandshakeContext(ctx); err != nil {
		return ""
	}
	sum := sha256.Sum256(client.ConnectionState().PeerCertificates[0].RawSubjectPublicKeyInfo)
	return base64.StdEncoding.EncodeToString(sum[:])
}
