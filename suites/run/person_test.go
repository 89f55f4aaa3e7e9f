package run_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/etalon-sante/etalon/suites/candidate"
	"github.com/etalon-sante/etalon/suites/candidate/pilot"
	"github.com/etalon-sante/etalon/suites/run/demo"
)

// person plays an editor's tester: he reads what the harness says, does it in
// the reference service and in the sandbox's pages, and presses keys. He knows
// nothing but what stands on the screen, in English.
type person struct {
	t       *testing.T
	service *demo.Service
	roots   *x509.CertPool
	keys    *io.PipeWriter
	stopAt  string // title of the step at which he stops for today

	mu     sync.Mutex
	lines  []string // not read yet
	part   string
	more   chan struct{}
	Screen bytes.Buffer
}

// sits a person down before a run.
func sits(t *testing.T, s *demo.Service) (*person, pilot.ManualOptions) {
	t.Helper()
	in, keys := io.Pipe()
	p := &person{t: t, service: s, roots: s.Roots.Clone(), keys: keys, more: make(chan struct{}, 1)}
	ctx, leave := context.WithCancel(context.Background())
	gone := make(chan struct{})
	go func() { defer close(gone); p.live(ctx) }()
	t.Cleanup(func() { leave(); keys.Close(); in.Close(); <-gone })
	return p, pilot.ManualOptions{In: in, Out: p, Lang: "en"}
}

// byHand is the service's manifest for a person in place of the pilot.
func byHand(s *demo.Service) *candidate.Manifest {
	m := *s.Manifest
	m.Candidate.Pilot = candidate.PilotConfig{Kind: "manual"}
	m.Candidate.Claims.Documents = []string{} // nobody taught the person documents
	return &m
}

func (p *person) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.Screen.Write(b)
	parts := strings.Split(p.part+string(b), "\n")
	p.lines, p.part = append(p.lines, parts[:len(parts)-1]...), parts[len(parts)-1]
	select {
	case p.more <- struct{}{}:
	default:
	}
	return len(b), nil
}

func (p *person) screen() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.Screen.String()
}

func (p *person) readLine(ctx context.Context) (string, bool) {
	for {
		p.mu.Lock()
		if len(p.lines) > 0 {
			line := p.lines[0]
			p.lines = p.lines[1:]
			p.mu.Unlock()
			return line, true
		}
		p.mu.Unlock()
		select {
		case <-p.more:
		case <-ctx.Done():
			return "", false
		}
	}
}

var (
	turn    = regexp.MustCompile(`^── Your turn: step \d+ ── (.*)$`)
	account = regexp.MustCompile(`test patient no\. (\d+)`)
	signIn  = regexp.MustCompile(`login (\S+), password (\S+)$`)
	setting = regexp.MustCompile(`^   •   (\w+) = (\S+)$`)
)

// live reads instructions until the prompt and follows them.
func (p *person) live(ctx context.Context) {
	var title string
	var told []string
	for {
		line, ok := p.readLine(ctx)
		if !ok {
			return
		}
		if m := turn.FindStringSubmatch(line); m != nil {
			title, told = m[1], nil
			continue
		}
		told = append(told, line)
		if !strings.HasPrefix(line, "   d done") {
			continue
		}
		if title == p.stopAt {
			p.press("s")
			return
		}
		if err := p.follow(ctx, title, told); err != nil && ctx.Err() == nil {
			p.t.Errorf("%s: %v\n%s", title, err, strings.Join(told, "\n"))
			p.press("s")
			return
		}
	}
}

// press writes lines; a conversation that is over takes none.
func (p *person) press(lines ...string) {
	_, _ = io.WriteString(p.keys, strings.Join(lines, "\n")+"\n")
}

func (p *person) follow(ctx context.Context, title string, told []string) error {
	all := strings.Join(told, "\n")
	who := ""
	if m := account.FindStringSubmatch(all); m != nil {
		who = "account-" + m[1]
	}
	switch title {
	case "point the service at the sandbox":
		return p.configure(ctx, told, all)
	case "pair the patient":
		a, err := p.act(ctx, "pair", who, struct{}{})
		if err != nil {
			return err
		}
		if strings.Contains(all, "! This time, do not open the link") {
			p.press(a.Open)
			return nil
		}
		// The sandbox ticks the step off: no key.
		return p.walk(ctx, a.Open, all)
	case "feed a measure":
		m, err := measureOf(all)
		if err != nil {
			return err
		}
		a, err := p.act(ctx, "send-measure", who, map[string]any{"measure": m})
		if err != nil {
			return err
		}
		if a.Status != "done" {
			p.press(a.Status[:1] + " " + a.Message)
		}
		return nil
	case "read measures":
		return p.read(ctx, who, all)
	case "un-pair the patient from the service":
		a, err := p.act(ctx, "unpair", who, struct{}{})
		if err == nil && a.Status != "done" {
			p.press("f")
		}
		return err
	case "say what the service shows":
		a, err := p.act(ctx, "status", who, struct{}{})
		if err != nil {
			return err
		}
		var s struct {
			Paired, OffersPairing bool
			LastError             string
		}
		if err := json.Unmarshal(a.Data, &s); err != nil {
			return err
		}
		p.press("d", yes(s.Paired), yes(s.OffersPairing), s.LastError)
		return nil
	}
	return fmt.Errorf("nobody taught this step")
}

var span = regexp.MustCompile(`weight, from (.*), until (.*)`)

// read looks at the weights that the service shows and copies them.
func (p *person) read(ctx context.Context, who, all string) error {
	m := span.FindStringSubmatch(all)
	if m == nil {
		return fmt.Errorf("no span on screen")
	}
	from, err := time.Parse(shown, m[1])
	if err != nil {
		return err
	}
	to, err := time.Parse(shown, m[2])
	if err != nil {
		return err
	}
	a, err := p.act(ctx, "read-measures", who, map[string]any{"kind": "weight", "from": from.Format(time.RFC3339), "to": to.Format(time.RFC3339)})
	if err != nil {
		return err
	}
	if a.Status != "done" {
		p.press(a.Status[:1] + " " + a.Message)
		return nil
	}
	var data struct {
		Measures []struct {
			Value json.Number
			Unit  string
			At    string
		}
	}
	if err := json.Unmarshal(a.Data, &data); err != nil {
		return err
	}
	keys := []string{"d"}
	for _, x := range data.Measures {
		keys = append(keys, fmt.Sprintf("%s %s %s", x.Value, x.Unit, x.At))
	}
	p.press(append(keys, "")...)
	return nil
}

// shown is how the screen writes an instant.
const shown = "2 January 2006 at 15:04:05 (UTC-07:00)"

func yes(b bool) string {
	if b {
		return "y"
	}
	return "n"
}

func (p *person) configure(ctx context.Context, told []string, all string) error {
	v := map[string]string{}
	for _, line := range told {
		if m := setting.FindStringSubmatch(line); m != nil {
			v[m[1]] = m[2]
		}
	}
	from, to := strings.Index(all, "-----BEGIN"), strings.LastIndex(all, "-----END CERTIFICATE-----")
	if from < 0 || to < 0 {
		return fmt.Errorf("no certificate on screen")
	}
	ca := all[from:to] + "-----END CERTIFICATE-----\n"
	p.roots.AppendCertsFromPEM([]byte(ca))
	a, err := p.act(ctx, "configure", "", map[string]any{"mes": map[string]any{
		"endpoints": map[string]string{"issuer": v["issuer"], "authorization": v["authorization"], "token": v["token"], "revocation": v["revocation"], "jwks": v["jwks"], "fhir": v["fhir"], "idTokenHeader": v["idTokenHeader"]},
		"client":    map[string]string{"id": v["client_id"], "secret": v["client_secret"]}, "clientAuth": v["client_auth"], "oid": v["oid"], "ca": ca,
	}})
	if err != nil {
		return err
	}
	if a.Status != "done" {
		return fmt.Errorf("the service does not take these values: %s", a.Message)
	}
	p.press("d", p.service.Reference.Addresses().Callback, "")
	return nil
}

// act does something in the service, as a tester would with its screens.
func (p *person) act(ctx context.Context, action, who string, payload any) (candidate.Answer, error) {
	c := p.service.Manifest.Candidate
	h, err := pilot.NewHTTP(pilot.HTTPOptions{URL: c.Pilot.URL, Token: c.Pilot.Token, Timeout: 10 * time.Second})
	if err != nil {
		return candidate.Answer{}, err
	}
	defer h.Close()
	return h.Do(ctx, candidate.Call{Action: candidate.Action(action), Run: "by-hand", Patient: who, Payload: payload})
}

var (
	hidden   = regexp.MustCompile(`<input type="hidden" name="([^"]+)" value="([^"]*)"`)
	action   = regexp.MustCompile(`<form[^>]* action="([^"]+)"`)
	checkbox = regexp.MustCompile(`<input[^>]*type="checkbox"[^>]*value="([^"]+)"[^>]*>\s*(?:<[^>]+>)?\s*([^<]+)`)
	unticked = regexp.MustCompile(`do not tick ([^;]*?)\. Then accept`)
)

// walk goes through the pairing as the screen says.
func (p *person) walk(ctx context.Context, link, all string) error {
	login := signIn.FindStringSubmatch(lineWith(all, "Sign-in page of the sandbox"))
	if login == nil {
		return fmt.Errorf("no account on screen")
	}
	jar, _ := cookiejar.New(nil)
	tr := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: p.roots, MinVersion: tls.VersionTLS12}}
	defer tr.CloseIdleConnections()
	browser := &http.Client{Jar: jar, Transport: tr, Timeout: 10 * time.Second}
	page, at, err := open(ctx, browser, http.MethodGet, link, nil)
	if err != nil {
		return err
	}
	fields, to := form(page, at)
	fields.Set("login", login[1])
	fields.Set("password", login[2])
	if page, at, err = open(ctx, browser, http.MethodPost, to, fields); err != nil {
		return err
	}
	fields, to = form(page, at)
	if strings.Contains(all, "! This time, refuse") {
		fields.Set("decision", "refuse")
	} else {
		fields.Set("decision", "accept")
		leave := ""
		if m := unticked.FindStringSubmatch(all); m != nil {
			leave = m[1]
		}
		for _, m := range checkbox.FindAllStringSubmatch(page, -1) {
			// The page adds to a label whether it is read or write.
			label, _, _ := strings.Cut(html.UnescapeString(strings.TrimSpace(m[2])), " (")
			if !strings.Contains(leave, `"`+label+`"`) {
				fields.Add("finalite", m[1])
			}
		}
		if len(fields["finalite"]) == 0 {
			return fmt.Errorf("no purpose to tick on the page:\n%s", page)
		}
	}
	_, _, err = open(ctx, browser, http.MethodPost, to, fields)
	return err
}

func lineWith(all, what string) string {
	for _, line := range strings.Split(all, "\n") {
		if strings.Contains(line, what) {
			return line
		}
	}
	return ""
}

func form(page string, at *url.URL) (url.Values, string) {
	fields := url.Values{}
	for _, m := range hidden.FindAllStringSubmatch(page, -1) {
		fields.Set(m[1], html.UnescapeString(m[2]))
	}
	to := at
	if m := action.FindStringSubmatch(page); m != nil {
		if u, err := at.Parse(html.UnescapeString(m[1])); err == nil {
			to = u
		}
	}
	return fields, to.String()
}

func open(ctx context.Context, c *http.Client, method, address string, fields url.Values) (string, *url.URL, error) {
	req, err := http.NewRequestWithContext(ctx, method, address, strings.NewReader(fields.Encode()))
	if err != nil {
		return "", nil, err
	}
	if fields != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	res, err := c.Do(req)
	if err != nil {
		return "", nil, err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	return string(b), res.Request.URL, err
}

var weight = regexp.MustCompile(`In your service, enter: weight ([0-9.]+) kg, on (.*)\.`)

func measureOf(all string) (map[string]any, error) {
	m := weight.FindStringSubmatch(all)
	if m == nil {
		return nil, fmt.Errorf("no weight on screen")
	}
	at, err := time.Parse(shown, m[2])
	if err != nil {
		return nil, err
	}
	return map[string]any{"kind": "weight", "value": json.Number(m[1]), "unit": "kg", "at": at.Format(time.RFC3339)}, nil
}
