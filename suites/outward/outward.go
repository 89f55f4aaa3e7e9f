// Package outward is how the harness reaches what is not on this machine:
// straight, or through the proxy that the environment names (HTTPS_PROXY,
// HTTP_PROXY, NO_PROXY, in capitals or not). What is on the loopback interface
// is never asked of a proxy.
package outward

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/net/http/httpproxy"
)

// proxyTimeout bounds how long a proxy takes to open a way.
const proxyTimeout = 10 * time.Second

// Proxy says which proxy a request goes through, nil for none. It is for
// http.Transport, and reads the environment at each call.
func Proxy(r *http.Request) (*url.URL, error) {
	return httpproxy.FromEnvironment().ProxyFunc()(r.URL)
}

// Dial opens a connection, for what speaks something else than HTTP over it: a
// look at TLS, a question whether there is anyone. A proxy of the environment is
// asked to open the way (CONNECT, RFC 9110 §9.3.6).
func Dial(ctx context.Context, network, address string) (net.Conn, error) {
	proxy, err := httpproxy.FromEnvironment().ProxyFunc()(&url.URL{Scheme: "https", Host: address})
	if err != nil {
		return nil, fmt.Errorf("the proxy of the environment (HTTPS_PROXY): %w", err)
	}
	if proxy == nil {
		return (&net.Dialer{}).DialContext(ctx, network, address)
	}
	conn, err := through(ctx, proxy, address)
	if err != nil {
		return nil, fmt.Errorf("through the proxy %s, named by the environment (HTTPS_PROXY; NO_PROXY lists what goes without): %w", proxy.Host, err)
	}
	return conn, nil
}

func through(ctx context.Context, proxy *url.URL, address string) (net.Conn, error) {
	port := proxy.Port()
	switch {
	case proxy.Scheme != "http" && proxy.Scheme != "https":
		return nil, fmt.Errorf("a proxy of the kind %q cannot be used: give one that begins with http:// or https://", proxy.Scheme)
	case port == "" && proxy.Scheme == "https":
		port = "443"
	case port == "":
		port = "80"
	}
	ctx, cancel := context.WithTimeout(ctx, proxyTimeout)
	defer cancel()
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", net.JoinHostPort(proxy.Hostname(), port))
	if err != nil {
		return nil, err
	}
	// Whatever comes to its end first, the exchange with the proxy ends with it.
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	opened, err := connect(ctx, conn, proxy, address)
	if !stop() && err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return opened, nil
}

// connect asks a proxy, over a connection to it, for the way to an address.
func connect(ctx context.Context, conn net.Conn, proxy *url.URL, address string) (net.Conn, error) {
	if proxy.Scheme == "https" {
		secured := tls.Client(conn, &tls.Config{ServerName: proxy.Hostname(), MinVersion: tls.VersionTLS12})
		if err := secured.HandshakeContext(ctx); err != nil {
			return nil, err
		}
		conn = secured
	}
	req := &http.Request{Method: http.MethodConnect, URL: &url.URL{Opaque: address}, Host: address, Header: http.Header{}}
	if u := proxy.User; u != nil {
		password, _ := u.Password()
		req.Header.Set("Proxy-Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(u.Username()+":"+password)))
	}
	if err := req.Write(conn); err != nil {
		return nil, err
	}
	// The other end speaks after we do (TLS): nothing of it can be in the buffer
	// with the proxy's answer.
	resp, err := http.ReadResponse(bufio.NewReaderSize(&bounded{conn, 64 << 10}, 1<<10), req)
	if err != nil {
		return nil, fmt.Errorf("its answer cannot be read: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("it answers %s", strings.TrimSpace(resp.Status))
	}
	return conn, nil
}

// bounded reads so many bytes at most.
type bounded struct {
	conn net.Conn
	left int
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errors.New("it is too long")
	}
	n, err := b.conn.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}
