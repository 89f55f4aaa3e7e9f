package outward_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/etalon-sante/etalon/suites/outward"
)

// proxy opens a way to one address, whatever is asked for, and notes what was.
type proxy struct {
	to string

	mu    sync.Mutex
	asked []string
}

func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	p.asked = append(p.asked, r.Method+" "+r.Host+" "+r.Header.Get("Proxy-Authorization"))
	p.mu.Unlock()
	if r.Method != http.MethodConnect {
		http.Error(w, "only CONNECT", http.StatusMethodNotAllowed)
		return
	}
	if strings.HasPrefix(r.Host, "forbidden") {
		http.Error(w, "no", http.StatusForbidden)
		return
	}
	out, err := net.Dial("tcp", p.to)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	w.WriteHeader(http.StatusOK)
	in, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	go func() { _, _ = io.Copy(out, in); _ = out.Close() }()
	go func() { _, _ = io.Copy(in, out); _ = in.Close() }()
}

func start(t *testing.T, user string) *proxy {
	t.Helper()
	target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "here") }))
	t.Cleanup(target.Close)
	p := &proxy{to: target.Listener.Addr().String()}
	s := httptest.NewServer(p)
	t.Cleanup(s.Close)
	for _, name := range []string{"HTTP_PROXY", "http_proxy", "https_proxy", "no_proxy"} {
		t.Setenv(name, "")
	}
	t.Setenv("HTTPS_PROXY", "http://"+user+s.Listener.Addr().String())
	t.Setenv("NO_PROXY", "spared.example")
	return p
}

func TestAConnectionGoesThroughTheProxyOfTheEnvironment(t *testing.T) {
	p := start(t, "someone:secret@")
	conn, err := outward.Dial(t.Context(), "tcp", "service.example:443")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "GET / HTTP/1.0\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(conn)
	if err != nil || !strings.HasSuffix(string(answer), "here") {
		t.Errorf("%q %v", answer, err)
	}
	if got := strings.Join(p.asked, "|"); got != "CONNECT service.example:443 Basic c29tZW9uZTpzZWNyZXQ=" {
		t.Errorf("asked: %s", got)
	}
}

func TestWhatTheProxyRefusesIsTold(t *testing.T) {
	start(t, "")
	_, err := outward.Dial(t.Context(), "tcp", "forbidden.example:443")
	if err == nil || !strings.Contains(err.Error(), "403") || !strings.Contains(err.Error(), "HTTPS_PROXY") {
		t.Errorf("%v", err)
	}
	t.Setenv("HTTPS_PROXY", "socks5://127.0.0.1:1")
	if _, err := outward.Dial(t.Context(), "tcp", "service.example:443"); err == nil || !strings.Contains(err.Error(), "http://") {
		t.Errorf("%v", err)
	}
}

func TestAProxyThatSaysNothingDoesNotHoldUpWhoGivesUp(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	t.Setenv("HTTPS_PROXY", "http://"+l.Addr().String())
	t.Setenv("NO_PROXY", "")
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	began := time.Now()
	if _, err := outward.Dial(ctx, "tcp", "service.example:443"); err == nil || time.Since(began) > 5*time.Second {
		t.Errorf("%v after %s", err, time.Since(began))
	}
}

func TestLoopbackAndWhatNoProxyListsGoStraight(t *testing.T) {
	p := start(t, "")
	for _, address := range []string{"https://127.0.0.1:1/", "https://localhost/", "https://[::1]/", "https://spared.example/", "https://sub.spared.example/"} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
		if err != nil {
			t.Fatal(err)
		}
		if via, err := outward.Proxy(req); err != nil || via != nil {
			t.Errorf("%s goes through %v (%v)", address, via, err)
		}
	}
	conn, err := outward.Dial(t.Context(), "tcp", p.to)
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.Close()
	if len(p.asked) > 0 {
		t.Errorf("the proxy was asked %v", p.asked)
	}
}
