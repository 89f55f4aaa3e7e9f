// Package sandbox is a pre-production double of the Mon espace santé APIs: what
// a candidate talks to while a harness watches. It has two ports, one for the
// candidate (TLS) and one for control (bearer token); a harness drives it by the
// control API alone, be it embedded, served or in a container.
package sandbox

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/etalon-sante/etalon/sandbox/control"
	"github.com/etalon-sante/etalon/sandbox/settings"
)

// Bounds of what comes from outside.
const (
	maxBody       = 16 << 20 // of a candidate's request
	maxHeader     = 64 << 10
	headerTimeout = 10 * time.Second
	readTimeout   = 60 * time.Second
	writeTimeout  = 60 * time.Second
	idleTimeout   = 120 * time.Second
	closeTimeout  = 100 * time.Millisecond // HTTP/2 would keep idle connections a whole second after its goodbye
)

// Options say how a sandbox is started. The zero value listens on two free
// ports of the loopback address.
type Options struct {
	Listen        string             // address for candidates; default "127.0.0.1:0"
	PublicURL     string             // address under which candidates reach it; default https://<Listen>
	ControlListen string             // address for control; default "127.0.0.1:0"
	ControlToken  string             // bearer of the control API; made when empty
	Certificate   *Certificate       // of the candidates' port; default: one of the sandbox's own authority
	StateDir      string             // where the certificate authority is kept; "": it lives as long as the sandbox
	Settings      *settings.Settings // default: the embedded file
	Build         string             // version to tell, default "dev"
	Clock         func() time.Time   // default time.Now
	Logger        *slog.Logger       // default: none
	SigningKey    ed25519.PrivateKey // signs what was served (GET …/testimony); nil: nothing is signed
}

// ErrAddressInUse is wrapped by the error of Start when something else listens
// there.
var ErrAddressInUse = errors.New("address already in use")

// ListenError says which address could not be listened on.
type ListenError struct {
	For     string // "candidates" or "control"
	Address string
	Err     error
}

// Error implements error.
func (e *ListenError) Error() string {
	if errors.Is(e.Err, ErrAddressInUse) {
		return fmt.Sprintf("listen for %s on %s: something else listens there; stop it or choose another address", e.For, e.Address)
	}
	return fmt.Sprintf("listen for %s on %s: %v", e.For, e.Address, e.Err)
}

// Unwrap gives the cause.
func (e *ListenError) Unwrap() error { return e.Err }

// Server is a sandbox.
type Server struct {
	opts Options
	ca   *authority

	mu      sync.RWMutex
	public  string            // address for candidates, without a slash at the end
	spaces  map[string]*space // by id
	bases   map[string]*space // by base path
	started bool

	candidates, clear, control *http.Server
	controlBase                string
	listening                  string // address of the candidates' port on this machine
	handshakes                 handshakes
	badCert                    atomic.Pointer[badCertificate] // shown in place of the sandbox's own
	conns                      connections                    // of the candidates' port
	serving                    sync.WaitGroup
	closeOnce                  sync.Once
}

// New prepares a sandbox; nothing listens before Start.
func New(o Options) (*Server, error) {
	if o.Listen == "" {
		o.Listen = "127.0.0.1:0"
	}
	if o.ControlListen == "" {
		o.ControlListen = "127.0.0.1:0"
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Build == "" {
		o.Build = "dev"
	}
	if o.ControlToken == "" {
		b := make([]byte, 24)
		_, _ = rand.Read(b) // it cannot fail (crypto/rand, Go 1.24)
		o.ControlToken = hex.EncodeToString(b)
	}
	if o.PublicURL != "" {
		u, err := url.Parse(o.PublicURL)
		if err != nil || u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" {
			return nil, fmt.Errorf("the public address %q of the sandbox is not an https address such as https://127.0.0.1:4433", o.PublicURL)
		}
	}
	if o.Settings == nil {
		set, err := settings.Load()
		if err != nil {
			return nil, fmt.Errorf("prepare the sandbox: %w", err)
		}
		o.Settings = set
	}
	ca, err := openAuthority(o.StateDir, o.Clock())
	if err != nil {
		return nil, err
	}
	return &Server{
		opts: o, ca: ca, public: strings.TrimSuffix(o.PublicURL, "/"),
		spaces: map[string]*space{}, bases: map[string]*space{},
	}, nil
}

// Start listens on both ports and serves until Close.
func (s *Server) Start(ctx context.Context) error {
	candidates, err := listen(ctx, "candidates", s.opts.Listen)
	if err != nil {
		return err
	}
	controls, err := listen(ctx, "control", s.opts.ControlListen)
	if err != nil {
		return errors.Join(err, candidates.Close())
	}
	s.listening = reachable(candidates.Addr())
	if s.public == "" {
		s.public = "https://" + s.listening
	}
	s.controlBase = "http://" + reachable(controls.Addr())
	cert, err := s.serverCertificate()
	if err != nil {
		return errors.Join(err, candidates.Close(), controls.Close())
	}
	quiet := log.New(io.Discard, "", 0)
	s.candidates = &http.Server{
		Handler: http.HandlerFunc(s.serveCandidate), ErrorLog: log.New(&s.handshakes, "", 0),
		ReadHeaderTimeout: headerTimeout, ReadTimeout: readTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeader,
		TLSConfig: s.tlsConfig(cert), ConnState: s.conns.note,
	}
	secure, inClear := split(candidates)
	// Nothing is served in clear: what comes so is written down and refused.
	s.clear = &http.Server{
		Handler: s.candidates.Handler, ErrorLog: quiet,
		ReadHeaderTimeout: headerTimeout, ReadTimeout: readTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeader,
	}
	s.control = &http.Server{
		Handler: s.controlHandler(), ErrorLog: quiet,
		ReadHeaderTimeout: headerTimeout, ReadTimeout: readTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeader,
	}
	s.mu.Lock()
	s.started = true
	s.mu.Unlock()
	s.serving.Add(3)
	go s.serve("candidates", func() error { return s.candidates.ServeTLS(secure, "", "") })
	go s.serve("candidates in clear", func() error { return s.clear.Serve(inClear) })
	go s.serve("control", func() error { return s.control.Serve(controls) })
	s.opts.Logger.Info("sandbox ready", "public", s.public, "control", s.controlBase, "settings", s.opts.Settings.ID())
	return nil
}

func (s *Server) serve(what string, f func() error) {
	defer s.serving.Done()
	if err := f(); err != nil && !errors.Is(err, http.ErrServerClosed) {
		s.opts.Logger.Error("sandbox stopped serving", "port", what, "error", err)
	}
}

// Close ends every exchange and waits for what it started.
func (s *Server) Close() error {
	var err error
	s.closeOnce.Do(func() {
		s.mu.RLock()
		started := s.started
		for _, sp := range s.spaces {
			sp.close()
		}
		s.mu.RUnlock()
		if !started {
			return
		}
		ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
		defer cancel()
		for _, h := range []*http.Server{s.candidates, s.clear, s.control} {
			if e := h.Shutdown(ctx); e != nil {
				err = errors.Join(err, h.Close())
			}
		}
		s.serving.Wait()
	})
	if err != nil {
		return fmt.Errorf("close the sandbox: %w", err)
	}
	return nil
}

// Public is the address under which candidates reach the sandbox.
func (s *Server) Public() string { return s.public }

// CA is the certificate, in PEM, that candidates must trust.
func (s *Server) CA() []byte {
	if c := s.opts.Certificate; c != nil {
		return c.trust
	}
	return s.ca.pem
}

// Control is a client of the control API.
func (s *Server) Control() control.API {
	return control.API{Base: s.controlBase, Token: s.opts.ControlToken}
}

func listen(ctx context.Context, what, address string) (net.Listener, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if errors.Is(err, syscall.EADDRINUSE) {
		err = ErrAddressInUse
	}
	if err != nil {
		return nil, &ListenError{For: what, Address: address, Err: err}
	}
	return l, nil
}

// reachable is an address of this machine at which a listener is reached: the
// loopback one where it listens on all.
func reachable(a net.Addr) string {
	t, ok := a.(*net.TCPAddr)
	if !ok || !t.IP.IsUnspecified() {
		return a.String()
	}
	return net.JoinHostPort("127.0.0.1", fmt.Sprint(t.Port))
}
