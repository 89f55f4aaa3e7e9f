package pilot_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/etalon-sante/etalon/suites/candidate"
	"github.com/etalon-sante/etalon/suites/candidate/pilot"
)

var call = candidate.Call{Action: candidate.Status, Run: "run-1", Patient: "p-1", Payload: map[string]any{"kind": "weight"}}

func overHTTP(t *testing.T, url string, timeout time.Duration) *pilot.HTTP {
	t.Helper()
	p, err := pilot.NewHTTP(pilot.HTTPOptions{URL: url, Token: "the-token", Timeout: timeout})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

// mustFail checks that there is no answer, for the right reason.
func mustFail(t *testing.T, err error, kind string, words ...string) {
	t.Helper()
	var fault *candidate.PilotError
	if !errors.As(err, &fault) {
		t.Fatalf("not a pilot's error: %v", err)
	}
	if fault.Kind != kind {
		t.Errorf("kind %s, want %s: %v", fault.Kind, kind, err)
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("no %q in: %v", w, err)
		}
	}
	if len(err.Error()) > 20_000 {
		t.Errorf("a message of %d bytes", len(err.Error()))
	}
}

func TestHTTPPilotAsksAsTheContractSays(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body map[string]any
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			t.Error(err)
		}
		if r.Method != http.MethodPost || r.URL.Path != "/etalon/actions/status" || r.Header.Get("Authorization") != "Bearer the-token" ||
			body["action"] != "status" || body["run"] != "run-1" || body["patient"] != "p-1" {
			t.Errorf("%s %s %v %v", r.Method, r.URL, r.Header, body)
		}
		_, _ = io.WriteString(w, ` {"status":"done","data":{"paired":true},"message":null,"open":"http://127.0.0.1/x"} `)
	}))
	defer server.Close()
	answer, err := overHTTP(t, server.URL+"/etalon/", time.Second).Do(t.Context(), call)
	if err != nil || answer.Status != "done" || string(answer.Data) != `{"paired":true}` || answer.Open == "" {
		t.Fatalf("%+v %v", answer, err)
	}
}

func TestHostileAnswersAreRefusedForTheirReason(t *testing.T) {
	const blank = "                                                                "
	for name, c := range map[string]struct {
		status int
		body   string
		kind   string
		words  []string
	}{
		"500":                {500, "oops", pilot.Status, []string{"500", "oops"}},
		"401":                {401, "", pilot.Status, []string{"pilot.token"}},
		"404":                {404, "<html>", pilot.Status, []string{"before /actions/"}},
		"204":                {204, "", pilot.Status, []string{"204"}},
		"an HTML page":       {200, "<!doctype html><p>Bienvenue", pilot.Body, []string{"doctype"}},
		"nothing":            {200, "", pilot.Body, []string{"empty"}},
		"truncated JSON":     {200, `{"status":"done"`, pilot.Body, []string{"strict JSON"}},
		"duplicate keys":     {200, `{"status":"failed","status":"done"}`, pilot.Body, []string{"duplicate key", "status"}},
		"duplicates in data": {200, `{"status":"done","data":{"a":[{"b":1,"b":2}]}}`, pilot.Body, []string{"duplicate key"}},
		"escaped duplicates": {200, `{"status":"failed","st\u0061tus":"done"}`, pilot.Body, []string{"duplicate key"}},
		"wrong status":       {200, `{"status":"ok"}`, pilot.Body, []string{`"ok"`, "unsupported"}},
		"no status":          {200, `{}`, pilot.Body, []string{"status is missing"}},
		"status as a number": {200, `{"status":1}`, pilot.Body, []string{"status is not a text"}},
		"Status":             {200, `{"Status":"done"}`, pilot.Body, []string{"unknown field"}},
		"a list":             {200, `[{"status":"done"}]`, pilot.Body, []string{"not a JSON object"}},
		"null":               {200, `null`, pilot.Body, []string{"not a JSON object"}},
		"two answers":        {200, `{"status":"done"}{"status":"done"}`, pilot.Body, []string{"follows"}},
		"data as a list":     {200, `{"status":"done","data":[]}`, pilot.Body, []string{"data is not an object"}},
		"deep data":          {200, `{"status":"done","data":{"a":` + strings.Repeat("[", 5000) + strings.Repeat("]", 5000) + `}}`, pilot.Body, []string{"nested"}},
		"huge number":        {200, `{"status":"done","data":{"a":1e10000000}}`, pilot.Body, []string{"number"}},
		"long number":        {200, `{"status":"done","data":{"a":` + strings.Repeat("1", 65) + `}}`, pilot.Body, []string{"number"}},
		"invalid UTF-8":      {200, "{\"status\":\"done\",\"message\":\"\xff\"}", pilot.Body, []string{"UTF-8"}},
		"relative link":      {200, `{"status":"done","open":"/go"}`, pilot.Body, []string{"open"}},
		"script link":        {200, `{"status":"done","open":"javascript:alert(1)"}`, pilot.Body, []string{"open"}},
		"link with password": {200, `{"status":"done","open":"https://u:p@x.fr/"}`, pilot.Body, []string{"open"}},
		"too long":           {200, strings.Repeat(blank, pilot.MaxAnswer/len(blank)+1), pilot.Body, []string{"exceeds"}},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(c.status)
				_, _ = io.WriteString(w, c.body)
			}))
			defer server.Close()
			_, err := overHTTP(t, server.URL, 5*time.Second).Do(t.Context(), call)
			mustFail(t, err, c.kind, c.words...)
		})
	}
}

func TestAnAnswerOf100MBIsNotReadWhole(t *testing.T) {
	var sent atomic.Int64
	ended := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		defer close(ended)
		block := make([]byte, 1<<20)
		for range 100 {
			n, err := w.Write(block)
			sent.Add(int64(n))
			if err != nil {
				return
			}
		}
	}))
	defer server.Close()
	_, err := overHTTP(t, server.URL, 5*time.Second).Do(t.Context(), call)
	mustFail(t, err, pilot.Body)
	<-ended
	if sent.Load() > 50<<20 {
		t.Errorf("%d bytes were taken", sent.Load())
	}
}

func TestARedirectIsNotFollowed(t *testing.T) {
	var elsewhere atomic.Int64
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		elsewhere.Add(1)
		_, _ = io.WriteString(w, `{"status":"done"}`)
	}))
	defer other.Close()
	server := httptest.NewServer(http.RedirectHandler(other.URL, http.StatusTemporaryRedirect))
	defer server.Close()
	_, err := overHTTP(t, server.URL, 5*time.Second).Do(t.Context(), call)
	mustFail(t, err, pilot.Status, "307", "pilot.url")
	if elsewhere.Load() != 0 {
		t.Error("another address was contacted")
	}
}

func TestAProxyOfTheEnvironmentIsNotUsed(t *testing.T) {
	t.Setenv("HTTP_PROXY", "http://127.0.0.1:1")
	t.Setenv("http_proxy", "http://127.0.0.1:1")
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"status":"unsupported"}`)
	}))
	defer server.Close()
	if _, err := overHTTP(t, server.URL, 5*time.Second).Do(t.Context(), call); err != nil {
		t.Error(err)
	}
}

// raw serves one connection after another with a function.
func raw(t *testing.T, serve func(net.Conn)) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			serve(c)
			c.Close()
		}
	}()
	t.Cleanup(func() { listener.Close(); <-done })
	return "http://" + listener.Addr().String()
}

func TestPilotsThatHangDieOrAreAbsent(t *testing.T) {
	release := make(chan struct{})
	defer close(release)
	hangs := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		// Without this the server would not see that its client has left.
		_, _ = io.Copy(io.Discard, r.Body)
		select {
		case <-release:
		case <-r.Context().Done():
		}
	}))
	defer hangs.Close()
	halfWay := raw(t, func(c net.Conn) {
		_, _ = c.Read(make([]byte, 4096))
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"status\":")
	})
	shuts := raw(t, func(c net.Conn) { _, _ = c.Read(make([]byte, 4096)) })
	closed := raw(t, func(net.Conn) {})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	absent := "http://" + listener.Addr().String()
	listener.Close()

	_, err = overHTTP(t, hangs.URL, 50*time.Millisecond).Do(t.Context(), call)
	mustFail(t, err, pilot.Timeout, "in time")

	short, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err = overHTTP(t, hangs.URL, 0).Do(short, call)
	mustFail(t, err, pilot.Timeout)

	_, err = overHTTP(t, halfWay, 5*time.Second).Do(t.Context(), call)
	mustFail(t, err, pilot.Body, "broke off")

	_, err = overHTTP(t, shuts, 5*time.Second).Do(t.Context(), call)
	mustFail(t, err, pilot.Body, "without an answer")

	_, err = overHTTP(t, absent, 5*time.Second).Do(t.Context(), call)
	mustFail(t, err, pilot.Unreachable)

	_, err = overHTTP(t, strings.Replace(closed, "http:", "https:", 1), 5*time.Second).Do(t.Context(), call)
	var fault *candidate.PilotError
	if !errors.As(err, &fault) {
		t.Errorf("a broken TLS handshake: %v", err)
	}
}

func TestAHarnessThatGivesUpIsNoFaultOfTheCandidate(t *testing.T) {
	asked := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		close(asked)
		<-r.Context().Done()
	}))
	defer server.Close()
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-asked; cancel() }()
	_, err := overHTTP(t, server.URL, 5*time.Second).Do(ctx, call)
	var fault *candidate.PilotError
	if errors.As(err, &fault) || !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestAnAddressThatIsNotOneIsRefused(t *testing.T) {
	for _, url := range []string{"", "127.0.0.1:8080", "ftp://x", "http://"} {
		if _, err := pilot.NewHTTP(pilot.HTTPOptions{URL: url}); err == nil {
			t.Errorf("%q was accepted", url)
		}
	}
}
