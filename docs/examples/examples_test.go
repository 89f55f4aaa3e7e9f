// Package examples_test tries the examples of the documentation: what a reader
// copies must work.
package examples_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/etalon-sante/etalon/fixtures/people"
	"github.com/etalon-sante/etalon/sandbox"
	"github.com/etalon-sante/etalon/sandbox/control"
	"github.com/etalon-sante/etalon/suites/candidate"
	"github.com/etalon-sante/etalon/suites/candidate/pilot"
)

func env(name string) (string, bool) {
	return "value-of-" + strings.ToLower(name), strings.HasPrefix(name, "ETALON_") || strings.HasPrefix(name, "MES_")
}

func TestTheManifestsOfTheExamplesAreRead(t *testing.T) {
	paths, err := filepath.Glob("*/candidate.yaml")
	if err != nil || len(paths) < 2 {
		t.Fatalf("%v %v", paths, err)
	}
	for _, path := range paths {
		if _, err := candidate.Read(path, env); err != nil {
			t.Error(err)
		}
	}
}

// node returns the Node program. Continuous integration installs it.
func node(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("node")
	if err != nil {
		t.Skip("NOT TRIED: the Node example needs Node 20 or later, which is not installed here")
	}
	return path
}

func TestTheNodeExampleIsValidJavaScript(t *testing.T) {
	program := node(t)
	files, err := filepath.Glob("node/*.mjs")
	if err != nil || len(files) == 0 {
		t.Fatalf("%v %v", files, err)
	}
	for _, file := range files {
		if out, err := exec.CommandContext(t.Context(), program, "--check", file).CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", file, err, out)
		}
	}
}

// bench is the Node example, started and configured on a sandbox of its own.
type bench struct {
	t     *testing.T
	api   control.API
	space control.Space
	pilot *pilot.HTTP
	roots *x509.CertPool
}

func newBench(t *testing.T) *bench {
	t.Helper()
	node(t)
	m, err := candidate.Read("node/candidate.yaml", env)
	if err != nil {
		t.Fatal(err)
	}
	server, err := sandbox.New(sandbox.Options{StateDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(context.WithoutCancel(t.Context())); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })

	address := freeAddress(t)
	start := *m.Candidate.Start
	start.Ready = "http://" + address + "/"
	_, start.Env["PORT"], _ = net.SplitHostPort(address)
	start.Env["ETALON_PILOT_TOKEN"] = m.Candidate.Pilot.Token // étalon's own environment holds it
	process, err := pilot.StartCommand(t.Context(), start, pilot.StartOptions{Folder: m.Folder})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		process.Stop()
		if t.Failed() {
			t.Log(process.Output())
		}
	})
	p, err := pilot.NewHTTP(pilot.HTTPOptions{URL: "http://" + address + "/etalon", Token: m.Candidate.Pilot.Token, Timeout: 10 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)

	b := &bench{t: t, api: server.Control(), pilot: p, roots: x509.NewCertPool()}
	b.space, err = b.api.CreateSpace(t.Context(), control.SpaceRequest{Seed: 1, Client: control.Client{
		ID: m.Candidate.Sandbox.ClientID, Secret: m.Candidate.Sandbox.ClientSecret, Auth: m.Candidate.Sandbox.ClientAuth,
	}})
	if err != nil {
		t.Fatal(err)
	}
	b.roots.AppendCertsFromPEM([]byte(b.space.CA))
	var data struct{ RedirectURIs []string }
	b.read(b.do("configure", "", map[string]any{"mes": map[string]any{
		"endpoints": b.space.Endpoints, "client": map[string]string{"id": b.space.Client.ID, "secret": m.Candidate.Sandbox.ClientSecret},
		"clientAuth": b.space.Client.Auth, "oid": b.space.OID, "ca": b.space.CA,
	}}), &data)
	if _, err := b.api.PatchSpace(t.Context(), b.space.ID, control.SpacePatch{RedirectURIs: data.RedirectURIs}); err != nil {
		t.Fatal(err)
	}
	return b
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func (b *bench) do(action candidate.Action, patient string, payload any) candidate.Answer {
	b.t.Helper()
	answer, err := b.pilot.Do(b.t.Context(), candidate.Call{Action: action, Run: "run", Patient: patient, Payload: payload})
	if err != nil {
		b.t.Fatal(err)
	}
	return answer
}

func (b *bench) read(answer candidate.Answer, into any) {
	b.t.Helper()
	if answer.Status != "done" {
		b.t.Fatalf("%+v", answer)
	}
	if err := json.Unmarshal(answer.Data, into); err != nil {
		b.t.Fatal(err)
	}
}

// patient adds a patient whose id_token may be faulty.
func (b *bench) patient(n int, fault string) control.Patient {
	b.t.Helper()
	p := people.Patient(1, n)
	out, err := b.api.AddPatient(b.t.Context(), b.space.ID, control.PatientRequest{
		Handle: fmt.Sprintf("p%d", n), Scenario: "example", IDToken: fault, Person: control.Person{
			FamilyName: p.FamilyName, GivenName: p.GivenName, BirthDate: p.BirthDate, Sex: p.Sex,
			INS: p.INS, INSOID: p.INSOID, Email: p.Email, Phone: p.Phone,
		},
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return out
}

// pair plays the patient's browser from the one-time link to the callback.
func (b *bench) pair(p control.Patient, decision string, finalites ...string) {
	b.t.Helper()
	open := b.do("pair", p.Handle, map[string]any{}).Open
	jar, err := cookiejar.New(nil)
	if err != nil {
		b.t.Fatal(err)
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: b.roots}}
	b.t.Cleanup(transport.CloseIdleConnections)
	browser := &http.Client{Jar: jar, Transport: transport, Timeout: 10 * time.Second}
	page, at := b.visit(browser.Get(open))
	hidden := regexp.MustCompile(`name="interaction"[^>]*value="([^"]+)"`)
	form := func(fields url.Values) {
		b.t.Helper()
		match := hidden.FindStringSubmatch(page)
		if match == nil {
			b.t.Fatalf("no form in the page:\n%s", page)
		}
		fields.Set("interaction", match[1])
		action := regexp.MustCompile(`<form[^>]*action="([^"]+)"`).FindStringSubmatch(page)
		if action == nil {
			b.t.Fatalf("no form in the page:\n%s", page)
		}
		target, err := at.Parse(action[1])
		if err != nil {
			b.t.Fatal(err)
		}
		page, at = b.visit(browser.PostForm(target.String(), fields))
	}
	form(url.Values{"login": {p.Login}, "password": {p.Password}})
	form(url.Values{"decision": {decision}, "finalite": finalites})
}

func (b *bench) visit(res *http.Response, err error) (string, *url.URL) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
	defer res.Body.Close()
	page, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err != nil {
		b.t.Fatal(err)
	}
	return string(page), res.Request.URL
}

type shown struct {
	Paired, OffersPairing bool
	LastError             string
}

func (b *bench) status(p control.Patient) (s shown) {
	b.t.Helper()
	b.read(b.do("status", p.Handle, map[string]any{}), &s)
	return s
}

func weight(value float64) map[string]any {
	return map[string]any{"measure": map[string]any{"kind": "weight", "value": value, "unit": "kg", "at": "2026-11-20T08:30:00+01:00"}}
}

var all = []string{"MESURES_ECRITURE", "MESURES_LECTURE"}

func TestTheNodeExampleExchangesMeasuresWithTheSandbox(t *testing.T) {
	b := newBench(t)
	p := b.patient(1, "")
	if answer := b.do("send-measure", p.Handle, weight(70)); answer.Status != "refused" {
		t.Errorf("before the pairing: %+v", answer)
	}
	b.pair(p, "accept", all...)
	if s := b.status(p); !s.Paired || s.LastError != "" {
		t.Fatalf("after the pairing: %+v", s)
	}

	const at = "2026-11-20T08:30:00+01:00"
	for _, measure := range []map[string]any{
		{"kind": "weight", "value": 72.5, "unit": "kg"},
		{"kind": "height", "value": 172, "unit": "cm"},
		{"kind": "temperature", "value": 37.2, "unit": "Cel"},
		{"kind": "waist", "value": 82, "unit": "cm"},
		{"kind": "head", "value": 55, "unit": "cm"},
		{"kind": "heart-rate", "value": 64, "unit": "/min"},
		{"kind": "pain", "value": 3},
		{"kind": "steps", "value": 8200},
		{"kind": "blood-pressure", "unit": "mm[Hg]", "components": map[string]any{"systolic": 120, "diastolic": 80}},
		{"kind": "glucose", "value": 95, "unit": "mg/dL", "moment": "fasting"},
		{"kind": "hba1c", "value": 6.1, "unit": "%"},
		{"kind": "interstitial-glucose", "value": 110, "unit": "mg/dL", "days": 14},
		{"kind": "gmi", "value": 6.4, "unit": "%", "days": 90},
		{"kind": "weight", "value": 72.7, "unit": "kg", "device": map[string]any{"kind": "scale", "id": "74-E8-FF-FE-FF-05-1C-00", "manufacturer": "Exemple", "model": "B-100"}},
	} {
		measure["at"] = at
		if answer := b.do("send-measure", p.Handle, map[string]any{"measure": measure}); answer.Status != "done" {
			t.Errorf("%s: %+v", measure["kind"], answer)
		}
	}
	if answer := b.do("send-measure", p.Handle, map[string]any{"measure": map[string]any{"kind": "bmi", "value": 24, "unit": "kg/m2", "at": at}}); answer.Status != "refused" {
		t.Errorf("bmi: %+v", answer)
	}

	var read struct {
		Measures []struct {
			Kind, Unit string
			Value      float64
		}
	}
	b.read(b.do("read-measures", p.Handle, map[string]any{"kind": "weight", "from": "2026-11-01T00:00:00+01:00", "to": "2026-11-22T00:00:00+01:00"}), &read)
	if len(read.Measures) != 2 || read.Measures[0].Kind != "weight" || read.Measures[0].Unit != "kg" {
		t.Errorf("read: %+v", read)
	}
	b.read(b.do("read-measures", p.Handle, map[string]any{"kind": "weight", "last": true}), &read)
	if len(read.Measures) != 1 {
		t.Errorf("last: %+v", read)
	}
	entries, err := b.api.Journal(t.Context(), b.space.ID, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, rec := range entries.Records {
		if x := rec.Exchange; x != nil && x.Facts != nil && len(x.Facts.Issues) > 0 {
			t.Errorf("%s %s: %+v", x.Request.Method, x.Route, x.Facts.Issues)
		}
	}
}

func TestTheNodeExampleRenewsItsTokensAndEndsAPairing(t *testing.T) {
	b := newBench(t)
	p := b.patient(1, "")
	b.pair(p, "accept", all...)
	for _, kind := range []string{control.ActExpireAccess, control.ActExpireAccess, control.ActExpireIDToken} {
		if err := b.api.Act(t.Context(), b.space.ID, p.Handle, control.Act{Kind: kind}); err != nil {
			t.Fatal(err)
		}
		if answer := b.do("send-measure", p.Handle, weight(70)); answer.Status != "done" {
			t.Errorf("after %s: %+v", kind, answer)
		}
	}
	if answer := b.do("unpair", p.Handle, map[string]any{}); answer.Status != "done" {
		t.Errorf("unpair: %+v", answer)
	}
	if s := b.status(p); s.Paired || !s.OffersPairing {
		t.Errorf("after unpair: %+v", s)
	}
	b.pair(p, "accept", all...)
	for _, c := range []struct {
		act    string
		paired bool
	}{{control.ActConflict, true}, {control.ActUnpair, false}} {
		if err := b.api.Act(t.Context(), b.space.ID, p.Handle, control.Act{Kind: c.act}); err != nil {
			t.Fatal(err)
		}
		answer := b.do("send-measure", p.Handle, weight(70))
		if s := b.status(p); answer.Status == "done" || s.Paired != c.paired || s.LastError == "" {
			t.Errorf("after %s: %+v %+v", c.act, answer, s)
		}
		_ = b.api.Act(t.Context(), b.space.ID, p.Handle, control.Act{Kind: control.ActResolve})
	}
	revoked := b.patient(2, "")
	b.pair(revoked, "accept", all...)
	if err := b.api.Act(t.Context(), b.space.ID, revoked.Handle, control.Act{Kind: control.ActRevoke}); err != nil {
		t.Fatal(err)
	}
	b.do("send-measure", revoked.Handle, weight(70))
	if s := b.status(revoked); s.Paired || !s.OffersPairing {
		t.Errorf("after a revocation: %+v", s)
	}
}

func TestTheNodeExampleRefusesWhatItMust(t *testing.T) {
	b := newBench(t)
	refuses := b.patient(1, "")
	b.pair(refuses, "refuse")
	if s := b.status(refuses); s.Paired || s.LastError == "" {
		t.Errorf("after a refusal: %+v", s)
	}
	readOnly := b.patient(2, "")
	b.pair(readOnly, "accept", "MESURES_LECTURE")
	answer := b.do("send-measure", readOnly.Handle, weight(70))
	if s := b.status(readOnly); answer.Status == "done" || !s.Paired {
		t.Errorf("without the right to write: %+v %+v", answer, s)
	}
	for i, fault := range control.IDTokenFaults() {
		p := b.patient(10+i, fault)
		b.pair(p, "accept", all...)
		if s := b.status(p); s.Paired {
			t.Errorf("id_token with a wrong %s: %+v", fault, s)
		}
	}
	busy := b.patient(3, "")
	b.pair(busy, "accept", all...)
	for _, status := range []int{429, 422} {
		if _, err := b.api.PlanFault(t.Context(), b.space.ID, control.Fault{Patient: busy.Handle, Route: "feed-measure", Next: 1, Kind: control.FaultStatus, Status: status, RetryAfter: 1}); err != nil {
			t.Fatal(err)
		}
		if answer := b.do("send-measure", busy.Handle, weight(70)); (answer.Status == "done") != (status == 429) {
			t.Errorf("under %d: %+v", status, answer)
		}
	}
}
