package examples_test

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/etalon-sante/etalon/fixtures/data"
	"github.com/etalon-sante/etalon/fixtures/people"
	"github.com/etalon-sante/etalon/sandbox"
	"github.com/etalon-sante/etalon/sandbox/control"
)

// Libraries that nobody here wrote pair, feed and search: what the sandbox asks
// for is what the standards say, not what our own reference happens to do.
func TestLibrariesOfOthersPairFeedAndSearch(t *testing.T) {
	program := node(t)
	folder := libraries(t)
	server, err := sandbox.New(sandbox.Options{StateDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(context.WithoutCancel(t.Context())); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	for _, method := range []string{"client_secret_basic", "client_secret_post", "private_key_jwt"} {
		t.Run(method, func(t *testing.T) { byLibraries(t, program, folder, server, method) })
	}
}

// libraries installs what package-lock.json pins, in a folder of its own.
func libraries(t *testing.T) string {
	t.Helper()
	npm, err := exec.LookPath("npm")
	if err != nil {
		t.Skip("NOT TRIED: openid-client and fhir-kit-client need npm, which is not installed here")
	}
	folder := t.TempDir()
	for _, name := range []string{"package.json", "package-lock.json", "pair.mjs"} {
		raw, err := os.ReadFile(filepath.Join("testdata", "libraries", name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, name), raw, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	install := exec.CommandContext(ctx, npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline")
	install.Dir = folder
	if out, err := install.CombinedOutput(); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("npm ci: %v\n%s", err, out)
		}
		t.Skipf("NOT TRIED: openid-client and fhir-kit-client could not be installed (npm ci: %v):\n%s", err, out)
	}
	return folder
}

func byLibraries(t *testing.T, program, folder string, server *sandbox.Server, method string) {
	const back = "http://127.0.0.1/retour"
	told := map[string]any{"redirect": "http://127.0.0.1:51234/retour", "auth": method}
	client := control.Client{Auth: method, RedirectURIs: []string{back}}
	if method == "private_key_jwt" {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		der, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			t.Fatal(err)
		}
		told["key"], told["kid"] = string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})), "one"
		if client.JWKS, err = json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: "one"}}}); err != nil {
			t.Fatal(err)
		}
	}
	api := server.Control()
	space, err := api.CreateSpace(t.Context(), control.SpaceRequest{Client: client})
	if err != nil {
		t.Fatal(err)
	}
	p := people.Patient(1, 1)
	patient, err := api.AddPatient(t.Context(), space.ID, control.PatientRequest{Handle: "p", Scenario: "libraries", Person: control.Person{
		FamilyName: p.FamilyName, GivenName: p.GivenName, BirthDate: p.BirthDate, Sex: p.Sex, INS: p.INS, INSOID: p.INSOID, Email: p.Email, Phone: p.Phone,
	}})
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 11, 20, 8, 30, 0, 0, time.UTC)
	told["observation"] = data.Observation(data.Nominal(1, "weight", at), "")
	told["code"], told["dates"] = "29463-7", []string{"ge2026-11-01", "le2026-11-30"}
	told["issuer"], told["id"], told["secret"] = space.Endpoints.Issuer, space.Client.ID, space.Client.Secret
	told["fhir"], told["idTokenHeader"] = space.Endpoints.FHIR, space.Endpoints.IDTokenHeader

	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, []byte(space.CA), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	service := exec.CommandContext(ctx, program, "pair.mjs")
	service.Dir, service.Env = folder, append(os.Environ(), "NODE_EXTRA_CA_CERTS="+ca)
	var wrong strings.Builder
	service.Stderr = &wrong
	in, err := service.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := service.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := service.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		cancel()
		_ = service.Wait()
	}()
	lines := bufio.NewScanner(out)
	next := func(into any) {
		t.Helper()
		if !lines.Scan() {
			_ = service.Wait()
			t.Fatalf("the libraries went no further:\n%s", wrong.String())
		}
		if err := json.Unmarshal(lines.Bytes(), into); err != nil {
			t.Fatalf("%v: %s", err, lines.Bytes())
		}
	}
	say := func(line []byte) {
		t.Helper()
		if _, err := in.Write(append(line, '\n')); err != nil {
			t.Fatal(err)
		}
	}
	first, err := json.Marshal(told)
	if err != nil {
		t.Fatal(err)
	}
	say(first)
	var begun struct{ Authorize string }
	next(&begun)
	say([]byte(walked(t, space, begun.Authorize, patient)))
	var got struct {
		Subject, Audience, Scope string
		Fed                      []string
		Total                    int
		Values                   []float64
		AfterRevocation          any
	}
	next(&got)
	if got.Audience != space.Client.ID || got.Subject == "" || !strings.Contains(got.Scope, "mes:mesures_ecriture") {
		t.Errorf("the identity token says %+v", got)
	}
	if len(got.Fed) != 1 || got.Fed[0] != "201 Created" || got.Total != 1 || len(got.Values) != 1 {
		t.Errorf("fed and found: %+v", got)
	}
	if got.AfterRevocation != float64(401) {
		t.Errorf("after the revocation the API answers %v", got.AfterRevocation)
	}
	entries, err := api.Journal(t.Context(), space.ID, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	tokens := 0
	for _, rec := range entries.Records {
		x := rec.Exchange
		if x == nil || x.Facts == nil {
			continue
		}
		for _, i := range x.Facts.Issues {
			if i.Rule != "call.access-token" { // the one after the revocation
				t.Errorf("%s %s: %+v", x.Request.Method, x.Route, i)
			}
		}
		if f := x.Facts.Token; f != nil {
			tokens++
			if f.ClientAuth != method || !f.ClientOK {
				t.Errorf("%s: %+v", x.Route, f)
			}
		}
	}
	if tokens != 3 {
		t.Errorf("%d token requests, expected exchange, refresh and revocation", tokens)
	}
}

// walked plays the patient's browser until it is sent back to the service.
func walked(t *testing.T, space control.Space, authorize string, p control.Patient) string {
	t.Helper()
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM([]byte(space.CA))
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}
	t.Cleanup(transport.CloseIdleConnections)
	browser := &http.Client{Jar: jar, Transport: transport, Timeout: 10 * time.Second, CheckRedirect: func(r *http.Request, _ []*http.Request) error {
		if r.URL.Path == "/retour" {
			return http.ErrUseLastResponse
		}
		return nil
	}}
	hidden := regexp.MustCompile(`name="interaction" value="([^"]+)"`)
	var page []byte
	var where *url.URL
	took := func(resp *http.Response, err error) string {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if page, err = io.ReadAll(resp.Body); err != nil {
			t.Fatal(err)
		}
		where = resp.Request.URL
		return resp.Header.Get("Location")
	}
	form := func(fields url.Values) string {
		t.Helper()
		match := hidden.FindSubmatch(page)
		if match == nil {
			t.Fatalf("no form in the page:\n%s", page)
		}
		fields.Set("interaction", string(match[1]))
		where.RawQuery = ""
		return took(browser.PostForm(where.String(), fields))
	}
	took(browser.Get(authorize))
	form(url.Values{"login": {p.Login}, "password": {p.Password}})
	location := form(url.Values{"decision": {"accept"}, "finalite": all})
	if !strings.HasPrefix(location, "http://127.0.0.1:51234/retour?") {
		t.Fatalf("the patient was sent to %q:\n%s", location, page)
	}
	return location
}
