// Package guard looks at how a candidate's test endpoint (its pilot) is kept:
// whether it answers those who do not hold its token, and whether it can be
// reached at the production address, where patients are.
//
// The pilot's token goes to the pilot's own address and to no other. What
// stands at the production address is told by comparison: it is asked, with a
// made-up token, at the path of the pilot and at a path that cannot exist; and
// the pilot is asked with a made-up token too. An answer at production that is
// the pilot's own, and that other paths there do not give, is the pilot.
package guard

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"sort"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/etalon-sante/etalon/sandbox/record"
	"github.com/etalon-sante/etalon/suites/outward"
	"github.com/etalon-sante/etalon/suites/probe/pace"
)

// DefaultTimeout bounds each request when Options.Timeout is zero.
const DefaultTimeout = 10 * time.Second

const maxBody = 64 << 10

// Options say where the pilot is and where it must not be.
type Options struct {
	Pilot      string // base address of the pilot
	Token      string // its token
	Production string // base address of the service in production; empty: not looked at
	Run        string // opaque id of the run, as the pilot is told

	Roots     *x509.CertPool // trust roots; nil: the system's
	Dial      func(ctx context.Context, network, address string) (net.Conn, error)
	Now       func() time.Time
	Timeout   time.Duration
	Pace      *pace.Pace // of the run; nil: none
	Random    io.Reader  // for made-up tokens and paths; nil: crypto/rand
	UserAgent string

	// Name stands for the token ("pilot-token") in what is recorded. nil: it is
	// replaced by «pilot-token».
	Name func(kind, value string) string
	// Note takes an exchange when it is over and returns its id. nil: ids are
	// h1, h2, … in order.
	Note func(at time.Time, x record.Exchange) string
}

// Result is what was seen. Exchanges are named by id.
type Result struct {
	Pilot        string `json:"pilot"`
	Production   string `json:"production"`
	WithToken    Reply  `json:"withToken"`    // the pilot, with its token: that it stands there
	WithoutToken Reply  `json:"withoutToken"` // the pilot, without any
	WrongToken   Reply  `json:"wrongToken"`   // the pilot, with a made-up one

	SameAddress bool              `json:"sameAddress"` // production and pilot are one host and port
	AtPath      Reply             `json:"atPath"`      // production, at the pilot's path, made-up token
	AtRandom    Reply             `json:"atRandom"`    // production, at a path that cannot exist, made-up token
	Exposed     string            `json:"exposed"`     // exposed, hidden, unclear, unasked
	Why         string            `json:"why"`         // rule by which Exposed was settled
	Exchanges   []record.Exchange `json:"-"`
}

// Reply is one answer, reduced to what is compared.
type Reply struct {
	Exchange string `json:"exchange"` // "" when it was not asked
	Status   int    `json:"status"`   // 0: no answer
	Type     string `json:"type"`     // media type, without parameters
	Shape    string `json:"shape"`    // names of the members of a JSON object, sorted; "" for anything else
	Pilot    string `json:"pilot"`    // its "status" member where that is a word of the pilot contract
	Error    string `json:"error"`
}

// What is known of a pilot at the production address.
const (
	Exposed = "exposed" // it answers there
	Hidden  = "hidden"  // it does not
	Unclear = "unclear" // production answers everything alike, or not at all
	Unasked = "unasked" // no production address
)

// The rules by which Result.Exposed is settled.
const (
	RuleSameAddress   = "same-address"    // the pilot stands at the production address itself
	RulePilotAnswer   = "pilot-answer"    // production answered in the words of the pilot contract
	RuleSameRefusal   = "same-refusal"    // production refuses as the pilot does, and other paths otherwise
	RuleOtherAnswer   = "other-answer"    // production answers otherwise than the pilot
	RuleAlike         = "alike"           // production refuses every path as the pilot does
	RuleNoAnswer      = "no-answer"       // production did not answer
	RuleNoProduction  = "no-production"   // no production address is declared
	RuleNoPilotAnswer = "no-pilot-answer" // the pilot did not answer either: nothing to compare with
)

// Look asks. The error is for addresses that cannot be read, or an
// interruption; whatever else went wrong is in the result.
func Look(ctx context.Context, o Options) (Result, error) {
	pilot, err := address(o.Pilot)
	if err != nil {
		return Result{}, fmt.Errorf("look at the pilot: %w", err)
	}
	a, err := newAsker(o)
	if err != nil {
		return Result{}, err
	}
	defer a.transport.CloseIdleConnections()
	res := Result{Pilot: pilot.String(), Exposed: Unasked, Why: RuleNoProduction}
	at := status(pilot, pilot.Path)
	res.WithToken = a.ask(ctx, at, "Bearer "+o.Token)
	res.WithoutToken = a.ask(ctx, at, "")
	res.WrongToken = a.ask(ctx, at, "Bearer "+a.madeUp)
	if o.Production != "" {
		production, err := address(o.Production)
		if err != nil {
			return res, fmt.Errorf("look at the production address: %w", err)
		}
		res.Production = production.String()
		res.SameAddress = hostPort(production) == hostPort(pilot)
		res.AtPath = a.ask(ctx, status(production, join(production.Path, pilot.Path)), "Bearer "+a.madeUp)
		res.AtRandom = a.ask(ctx, status(production, join(production.Path, a.nowhere)), "Bearer "+a.madeUp)
		res.Exposed, res.Why = judge(res)
	}
	if err := ctx.Err(); err != nil {
		return res, fmt.Errorf("look at the pilot's guards: %w", err)
	}
	res.Exchanges = a.exchanges
	return res, nil
}

// Refused says whether a call was refused for want of the right token.
func (r Reply) Refused() bool { return r.Status >= 400 && r.Status < 500 }

// judge settles whether the pilot is exposed at the production address.
func judge(r Result) (string, string) {
	switch {
	case r.SameAddress && r.WithToken.Pilot != "":
		return Exposed, RuleSameAddress
	case r.AtPath.Pilot != "" && r.AtPath.Status/100 == 2:
		return Exposed, RulePilotAnswer
	case r.AtPath.Status == 0:
		return Unclear, RuleNoAnswer
	case r.WrongToken.Status == 0:
		return Unclear, RuleNoPilotAnswer
	case !r.AtPath.like(r.WrongToken):
		return Hidden, RuleOtherAnswer
	case r.AtRandom.Status != 0 && !r.AtPath.like(r.AtRandom):
		return Exposed, RuleSameRefusal
	}
	// A gateway that refuses everything, or a pilot that hides behind the 404 of
	// any other path: the pilot may stand behind either.
	return Unclear, RuleAlike
}

// like says whether two replies have one form: status, type, members.
func (r Reply) like(other Reply) bool {
	return r.Status == other.Status && r.Type == other.Type && r.Shape == other.Shape
}

func address(s string) (*url.URL, error) {
	u, err := url.Parse(s)
	if err != nil || u.Hostname() == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return nil, fmt.Errorf("%q is not an http or https address", s)
	}
	u.User, u.RawQuery, u.Fragment = nil, "", ""
	return u, nil
}

func hostPort(u *url.URL) string {
	port := u.Port()
	switch {
	case port != "":
	case u.Scheme == "http":
		port = "80"
	default:
		port = "443"
	}
	return net.JoinHostPort(strings.ToLower(u.Hostname()), port)
}

func join(base, path string) string {
	return strings.TrimRight(base, "/") + "/" + strings.Trim(path, "/")
}

// status is the address of the pilot's most harmless action under a path.
func status(u *url.URL, path string) *url.URL {
	return &url.URL{Scheme: u.Scheme, Host: u.Host, Path: strings.TrimRight(path, "/") + "/actions/status"}
}

// asker makes the requests of one look.
type asker struct {
	transport *http.Transport
	o         Options
	madeUp    string // a token that no one gave
	nowhere   string // a path that no one serves
	body      []byte
	exchanges []record.Exchange
}

func newAsker(o Options) (*asker, error) {
	if o.Timeout <= 0 {
		o.Timeout = DefaultTimeout
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Random == nil {
		o.Random = rand.Reader
	}
	var proxy func(*http.Request) (*url.URL, error)
	if o.Dial == nil {
		proxy = outward.Proxy
	}
	if o.Name == nil {
		o.Name = func(kind, _ string) string { return "«" + kind + "»" }
	}
	var noise [40]byte
	if _, err := io.ReadFull(o.Random, noise[:]); err != nil {
		return nil, fmt.Errorf("make up a token: %w", err)
	}
	patient := "p-" + hex.EncodeToString(noise[:8]) // of the form of any other handle
	body, err := json.Marshal(map[string]any{"action": "status", "run": o.Run, "patient": patient, "payload": map[string]any{}})
	if err != nil {
		return nil, err
	}
	return &asker{
		o: o, madeUp: hex.EncodeToString(noise[8:32]), nowhere: "/" + hex.EncodeToString(noise[32:]), body: body, exchanges: []record.Exchange{},
		transport: &http.Transport{
			DialContext: o.Dial,
			Proxy:       proxy,
			// The certificate is verified: the pilot's token travels here.
			TLSClientConfig:        &tls.Config{RootCAs: o.Roots, MinVersion: tls.VersionTLS12},
			DisableCompression:     true,
			MaxResponseHeaderBytes: maxBody,
			MaxIdleConnsPerHost:    1,
		},
	}, nil
}

// ask makes one call, follows nothing, and records it.
func (a *asker) ask(ctx context.Context, at *url.URL, authorization string) Reply {
	if err := a.o.Pace.Wait(ctx, at.Hostname()); err != nil {
		return Reply{Error: err.Error()}
	}
	limit, cancel := context.WithTimeout(ctx, a.o.Timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(limit, http.MethodPost, at.String(), bytes.NewReader(a.body))
	if err != nil {
		return Reply{Error: err.Error()}
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json")
	if a.o.UserAgent != "" {
		req.Header.Set("User-Agent", a.o.UserAgent)
	}
	if authorization != "" {
		req.Header.Set("Authorization", authorization)
	}
	start := a.o.Now()
	x := record.Exchange{
		From: record.Harness, To: record.Candidate,
		Request: record.Request{
			Method: req.Method, URL: at.String(), Proto: req.Proto, Headers: a.lines(req.Header),
			Body: &record.Body{MIME: "application/json", Size: len(a.body), Text: string(a.body)},
		},
		Response: record.Response{Headers: []record.Header{}},
	}
	resp, err := a.transport.RoundTrip(req)
	if err != nil {
		return a.lost(x, start, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxBody))
	if err != nil {
		return a.lost(x, start, err)
	}
	reply := read(resp, body)
	x.Response.Status, x.Response.Headers = resp.StatusCode, a.lines(resp.Header)
	if len(body) > 0 {
		x.Response.Body = &record.Body{MIME: resp.Header.Get("Content-Type"), Size: len(body)}
		if utf8.Valid(body) {
			x.Response.Body.Text = a.without(string(body))
		}
	}
	reply.Exchange = a.keep(start, x)
	return reply
}

func (a *asker) lost(x record.Exchange, start time.Time, err error) Reply {
	var netErr net.Error
	if errors.As(err, &netErr) && netErr.Timeout() || errors.Is(err, context.DeadlineExceeded) {
		err = fmt.Errorf("no whole answer within %s", a.o.Timeout)
	}
	x.Error = err.Error()
	return Reply{Exchange: a.keep(start, x), Error: x.Error}
}

func (a *asker) keep(start time.Time, x record.Exchange) string {
	x.Millis = float64(a.o.Now().Sub(start)) / float64(time.Millisecond)
	if a.o.Note != nil {
		x.ID = a.o.Note(start, x)
	} else {
		x.ID = fmt.Sprintf("h%d", len(a.exchanges)+1)
	}
	a.exchanges = append(a.exchanges, x)
	return x.ID
}

func (a *asker) lines(h http.Header) []record.Header {
	out := []record.Header{}
	for name, values := range h {
		for _, v := range values {
			if name == "Set-Cookie" {
				first, rest, _ := strings.Cut(v, ";")
				cookie, value, _ := strings.Cut(first, "=")
				v = cookie + "=" + a.o.Name("cookie", value) + ";" + rest
			}
			out = append(out, record.Header{Name: name, Value: a.without(strings.ToValidUTF8(v, "\uFFFD"))})
		}
	}
	sort.SliceStable(out, func(i, j int) bool { return out[i].Name < out[j].Name })
	return out
}

// without puts a name in the place of the token.
func (a *asker) without(s string) string {
	if len(a.o.Token) < record.MinSecret {
		return s
	}
	return strings.ReplaceAll(s, a.o.Token, a.o.Name("pilot-token", a.o.Token))
}

// read reduces an answer to what is compared. Values are left aside: they hold
// dates and identifiers that differ from call to call.
func read(resp *http.Response, body []byte) Reply {
	r := Reply{Status: resp.StatusCode}
	if kind, _, err := mime.ParseMediaType(resp.Header.Get("Content-Type")); err == nil {
		r.Type = kind
	}
	var object map[string]json.RawMessage
	if json.Unmarshal(body, &object) != nil || object == nil {
		return r
	}
	names := make([]string, 0, len(object))
	for name := range object {
		if len(names) < 50 {
			names = append(names, name[:min(len(name), 60)])
		}
	}
	sort.Strings(names)
	r.Shape = strings.ToValidUTF8(strings.Join(names, ","), "\uFFFD")
	var word string
	if json.Unmarshal(object["status"], &word) == nil {
		switch word {
		case "done", "refused", "failed", "unsupported":
			r.Pilot = word
		}
	}
	return r
}
