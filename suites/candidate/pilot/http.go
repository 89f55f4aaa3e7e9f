package pilot

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/etalon-sante/etalon/suites/candidate"
	"github.com/etalon-sante/etalon/suites/outward"
)

// HTTPOptions say where the test endpoint of a candidate is.
type HTTPOptions struct {
	URL     string         // base address: /actions/{action} is added
	Token   string         // bearer token
	Timeout time.Duration  // for one action, connection included; 0 leaves it to the context
	Roots   *x509.CertPool // authorities of an https endpoint; nil means the system's
}

// HTTP is a pilot that asks the candidate's test endpoint. It is safe for
// concurrent use.
type HTTP struct {
	base    string
	token   string
	timeout time.Duration
	client  *http.Client
}

// NewHTTP returns a pilot for a test endpoint. It contacts no other address
// than the one given, but through the proxy of the environment: no redirect.
func NewHTTP(o HTTPOptions) (*HTTP, error) {
	u, err := url.Parse(o.URL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		return nil, fmt.Errorf("http pilot: %q is not a whole http or https address", o.URL)
	}
	return &HTTP{
		base:    strings.TrimRight(u.String(), "/"),
		token:   o.Token,
		timeout: o.Timeout,
		client: &http.Client{
			Transport: &http.Transport{
				Proxy:                  outward.Proxy,
				TLSClientConfig:        &tls.Config{RootCAs: o.Roots, MinVersion: tls.VersionTLS12},
				MaxIdleConnsPerHost:    16, // the greatest concurrency of a manifest
				IdleConnTimeout:        30 * time.Second,
				MaxResponseHeaderBytes: 64 << 10,
				DisableCompression:     true, // a compressed answer could unfold beyond its bound
			},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}, nil
}

// Close ends idle connections.
func (p *HTTP) Close() { p.client.CloseIdleConnections() }

// Do asks for one action.
func (p *HTTP) Do(ctx context.Context, call candidate.Call) (candidate.Answer, error) {
	var none candidate.Answer
	body, err := json.Marshal(call)
	if err != nil {
		return none, fmt.Errorf("action %s: write the call: %w", call.Action, err)
	}
	var connected atomic.Bool
	limited := httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(httptrace.GotConnInfo) { connected.Store(true) },
	})
	if p.timeout > 0 {
		var cancel context.CancelFunc
		limited, cancel = context.WithTimeout(limited, p.timeout)
		defer cancel()
	}
	address := p.base + "/actions/" + url.PathEscape(string(call.Action))
	req, err := http.NewRequestWithContext(limited, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return none, fmt.Errorf("action %s: %w", call.Action, err)
	}
	req.Header.Set("Authorization", "Bearer "+p.token)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json")
	res, err := p.client.Do(req)
	if err != nil {
		return none, p.noAnswer(ctx, call, connected.Load(), err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return none, wrongStatus(address, res)
	}
	raw, err := io.ReadAll(io.LimitReader(res.Body, MaxAnswer+1))
	if err != nil {
		var slow net.Error
		if errors.As(err, &slow) && slow.Timeout() || ctx.Err() != nil {
			return none, p.noAnswer(ctx, call, connected.Load(), err)
		}
		return none, fault(Body, "%s broke off its answer after %d bytes: %w", address, len(raw), err)
	}
	answer, err := DecodeAnswer(raw)
	if err != nil {
		return none, fault(Body, "%s (Content-Type %q): %w", address, short(res.Header.Get("Content-Type"), 60), err)
	}
	return answer, nil
}

func (p *HTTP) noAnswer(ctx context.Context, call candidate.Call, connected bool, err error) error {
	if stopped := gaveUp(ctx, call); stopped != nil {
		return stopped
	}
	var slow net.Error
	if errors.Is(err, context.DeadlineExceeded) || errors.As(err, &slow) && slow.Timeout() {
		if !connected {
			return fault(Unreachable, "no connection to %s in time", p.base)
		}
		return fault(Timeout, "no whole answer from %s in time", p.base)
	}
	// The error of http.Client repeats method and address: keep its cause.
	var cause *url.Error
	if errors.As(err, &cause) {
		err = cause.Err
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fault(Body, "%s closed the connection without an answer", p.base)
	}
	return fault(Unreachable, "%s: %w", p.base, err)
}

// wrongStatus says what a status other than 200 asks the editor to do.
func wrongStatus(address string, res *http.Response) error {
	head, _ := io.ReadAll(io.LimitReader(res.Body, 200))
	advice := "answer 200 with a status in the body, even when an action is refused or fails"
	switch {
	case res.StatusCode >= 300 && res.StatusCode < 400:
		advice = "redirects are not followed: give the final address as pilot.url"
	case res.StatusCode == http.StatusUnauthorized || res.StatusCode == http.StatusForbidden:
		advice = "the token of the manifest (pilot.token) was not accepted"
	case res.StatusCode == http.StatusNotFound:
		advice = "pilot.url is the address that stands before /actions/"
	}
	shown := ""
	if len(bytes.TrimSpace(head)) > 0 {
		shown = " with " + beginning(head)
	}
	return fault(Status, "%s answered %d%s: %s", address, res.StatusCode, shown, advice)
}
