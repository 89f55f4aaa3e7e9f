package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"sync"
	"time"
)

// certify NAME HOST [expired]: files NAME.crt and NAME.key, a certificate for a
// host, of an authority that stands after it in the file.
func certify(ts *script, _ bool, args []string) {
	newKey := func() *ecdsa.PrivateKey {
		k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		ts.Check(err)
		return k
	}
	caKey, key := newKey(), newKey()
	now := time.Now()
	ca := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority of " + args[0]}, NotBefore: now.AddDate(-1, 0, 0), NotAfter: now.AddDate(1, 0, 0),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: args[1]}, NotBefore: now.AddDate(0, -2, 0), NotAfter: now.AddDate(0, 2, 0),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if ip := net.ParseIP(args[1]); ip != nil {
		leaf.IPAddresses = []net.IP{ip}
	} else {
		leaf.DNSNames = []string{args[1]}
	}
	if len(args) > 2 {
		leaf.NotAfter = now.AddDate(0, -1, 0)
	}
	var file []byte
	for _, c := range []*x509.Certificate{leaf, ca} {
		public := key.Public()
		if c == ca {
			public = caKey.Public()
		}
		der, err := x509.CreateCertificate(rand.Reader, c, ca, public, caKey)
		ts.Check(err)
		file = append(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]+".crt"), file, 0o600))
	ts.Check(os.WriteFile(ts.MkAbs(args[0]+".key"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600))
}

// proxy NAME FILE: the address of a proxy that takes every host for this machine,
// and the file in which it notes the hosts it was asked for.
func proxy(ts *script, _ bool, args []string) {
	var mu sync.Mutex
	note, err := os.Create(ts.MkAbs(args[1]))
	ts.Check(err)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		_, _ = io.WriteString(note, r.Method+" "+r.Host+"\n")
		mu.Unlock()
		_, port, _ := net.SplitHostPort(r.Host)
		here := net.JoinHostPort("127.0.0.1", port)
		if r.Method != http.MethodConnect {
			out := r.Clone(r.Context())
			out.URL, out.RequestURI = &url.URL{Scheme: "http", Host: here, Path: r.URL.Path, RawQuery: r.URL.RawQuery}, ""
			resp, err := http.DefaultTransport.RoundTrip(out)
			if err != nil {
				http.Error(w, err.Error(), http.StatusBadGateway)
				return
			}
			defer resp.Body.Close()
			for k, v := range resp.Header {
				w.Header()[k] = v
			}
			w.WriteHeader(resp.StatusCode)
			_, _ = io.Copy(w, resp.Body)
			return
		}
		out, err := net.Dial("tcp", here)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		w.WriteHeader(http.StatusOK)
		in, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			_ = out.Close()
			return
		}
		go func() { _, _ = io.Copy(out, in); _ = out.Close() }()
		go func() { _, _ = io.Copy(in, out); _ = in.Close() }()
	}))
	ts.Defer(func() { server.Close(); _ = note.Close() })
	ts.Setenv(args[0], server.URL)
}
