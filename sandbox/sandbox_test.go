package sandbox

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/etalon-sante/etalon/sandbox/control"
	"github.com/etalon-sante/etalon/sandbox/record"
)

func started(t testing.TB, o Options) *Server {
	t.Helper()
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func trusting(t testing.TB, s *Server) *http.Client {
	t.Helper()
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(s.CA()) {
		t.Fatal("the authority is no certificate")
	}
	c := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, ForceAttemptHTTP2: true}}
	t.Cleanup(c.CloseIdleConnections)
	return c
}

func TestAPortInUseIsSaidSo(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for _, o := range []Options{{Listen: l.Addr().String()}, {ControlListen: l.Addr().String()}} {
		s, err := New(o)
		if err != nil {
			t.Fatal(err)
		}
		err = s.Start(context.Background())
		var typed *ListenError
		if !errors.Is(err, ErrAddressInUse) || !errors.As(err, &typed) || typed.Address != l.Addr().String() {
			t.Fatalf("got %v", err)
		}
		if !strings.Contains(err.Error(), "something else listens there") {
			t.Fatalf("the error does not say what to do: %v", err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestThePublicAddressMustBeHTTPS(t *testing.T) {
	for _, bad := range []string{"http://127.0.0.1:4433", "127.0.0.1:4433", "https://", "https://a/?b", "::"} {
		if _, err := New(Options{PublicURL: bad}); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}

func TestTheAuthorityIsTheSameAtTheNextStart(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state", "inner")
	var wg sync.WaitGroup
	cas := make([][]byte, 4)
	for i := range cas {
		wg.Go(func() {
			if s, err := New(Options{StateDir: dir}); err == nil {
				cas[i] = s.CA()
			}
		})
	}
	wg.Wait()
	for _, ca := range cas {
		if len(ca) == 0 || !bytes.Equal(ca, cas[0]) {
			t.Fatal("sandboxes that start at once have different authorities")
		}
	}
	info, err := os.Stat(filepath.Join(dir, caFile))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("the key is readable by others: %v %v", info.Mode(), err)
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 2 { // the authority, and its certificate alone
		t.Fatalf("left behind: %v %v", files, err)
	}
	later := func() time.Time { return time.Now().AddDate(caYears, 0, 1) }
	if _, err := New(Options{StateDir: dir, Clock: later}); err == nil || !strings.Contains(err.Error(), "expired") {
		t.Fatalf("got %v", err)
	}
	for _, bad := range []string{"", "text", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("x")}))} {
		if err := os.WriteFile(filepath.Join(dir, caFile), []byte(bad), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := New(Options{StateDir: dir}); err == nil || !strings.Contains(err.Error(), "delete the file") {
			t.Errorf("%q: got %v", bad, err)
		}
	}
}

func TestTheCertificateHoldsForEachNameOfTheSandbox(t *testing.T) {
	s := started(t, Options{PublicURL: "https://sandbox.example.test:4433/"})
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(s.CA())
	for _, name := range []string{"127.0.0.1", "localhost", "host.docker.internal", "sandbox.example.test"} {
		c, err := tls.Dial("tcp", s.listening, &tls.Config{RootCAs: pool, ServerName: name})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		_ = c.Close()
	}
	if _, err := tls.Dial("tcp", s.listening, &tls.Config{RootCAs: pool, ServerName: "other.example.test"}); err == nil {
		t.Error("the certificate holds for any name")
	}
	if s.Public() != "https://sandbox.example.test:4433" {
		t.Errorf("public address %s", s.Public())
	}
}

func TestCloseLeavesNothingRunning(t *testing.T) {
	before := goleak.IgnoreCurrent()
	s, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
	idle := &http.Transport{}
	api := s.Control()
	api.HTTP = &http.Client{Transport: idle}
	ctx := context.Background()
	space, err := api.CreateSpace(ctx, control.SpaceRequest{})
	if err != nil {
		t.Fatal(err)
	}
	patient := control.PatientRequest{Handle: "p", Person: control.Person{INS: "279035121518989", INSOID: "1.2.250.1.213.1.4.10"}}
	if _, err := api.AddPatient(ctx, space.ID, patient); err != nil {
		t.Fatal(err)
	}
	pairing, err := api.Pair(ctx, space.ID, "p")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := api.PlanFault(ctx, space.ID, control.Fault{Patient: "p", Route: record.RouteFeedMeasure, Next: 1, Kind: control.FaultHang}); err != nil {
		t.Fatal(err)
	}
	// One request hangs and one reader waits while the sandbox is closed.
	client := trusting(t, s)
	ended := make(chan error, 2)
	go func() {
		req, _ := http.NewRequest(http.MethodPost, space.Endpoints.FHIR, strings.NewReader("{}"))
		req.Header.Set("Authorization", "Bearer "+pairing.AccessToken)
		req.Header.Set(space.Endpoints.IDTokenHeader, pairing.IDToken)
		resp, err := client.Do(req)
		if err == nil {
			_ = resp.Body.Close()
		}
		ended <- err
	}()
	first, err := api.Journal(ctx, space.ID, 0, 5*time.Second)
	if err != nil || len(first.Records) != 1 {
		t.Fatalf("the request that hangs is not in the journal: %v %v", first, err)
	}
	go func() {
		_, err := api.Journal(ctx, space.ID, first.Next, time.Minute)
		ended <- err
	}()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		select {
		case err := <-ended:
			if err == nil {
				t.Error("an answer came from a sandbox that was closed")
			}
		case <-time.After(5 * time.Second):
			t.Fatal("something still waits")
		}
	}
	client.CloseIdleConnections()
	idle.CloseIdleConnections()
	goleak.VerifyNone(t, before)
}

func TestABodyThatIsTooLargeIsRefusedAndJournaled(t *testing.T) {
	s := started(t, Options{})
	sp, err := s.newSpace(control.SpaceRequest{})
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	s.serveCandidate(w, httptest.NewRequest(http.MethodPost, sp.ends.FHIR, io.LimitReader(zeros{}, maxBody+1)))
	if w.Code != http.StatusRequestEntityTooLarge {
		t.Fatalf("got %d", w.Code)
	}
	records, err := sp.journal.read(context.Background(), 0, 0, true)
	if err != nil || len(records) != 1 || records[0].Exchange.Request.Body.Text != "" || records[0].Exchange.Facts.Issues[0].HTTP != 413 {
		t.Fatalf("got %+v %v", records, err)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestNothingIsServedOutsideASpace(t *testing.T) {
	s := started(t, Options{})
	if _, err := s.newSpace(control.SpaceRequest{BasePath: "/mes"}); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]int{"/": 404, "/mesures": 404, "/me": 404, "/mes/oauth2/jwks": 200, "/mes": 404, "/mes/fhir/Binary/": 404} {
		w := httptest.NewRecorder()
		s.serveCandidate(w, httptest.NewRequest(http.MethodGet, s.Public()+path, nil))
		if w.Code != want {
			t.Errorf("%s: got %d, want %d", path, w.Code, want)
		}
	}
}

// FuzzCandidate sends whatever to a space: it never fails of itself, and what
// it writes down is whole.
func FuzzCandidate(f *testing.F) {
	for _, seed := range [][4]string{
		{"GET", "/oauth2/authorize?client_id=x&redirect_uri=y", "", ""},
		{"POST", "/oauth2/token", "grant_type=authorization_code&code=abcdef", "Basic eDp5"},
		{"POST", "/oauth2/revoke", "token=abcdefgh", "Bearer x"},
		{"POST", "/sign-in", "interaction=a&login=b&password=c", ""},
		{"POST", "/consent", "decision=accept", ""},
		{"POST", "/fhir", `{"resourceType":"Bundle","type":"transaction"}`, "Bearer TOKEN"},
		{"GET", "/fhir/Observation?code=29463-7&_offset=999999999999999999999", "", "Bearer TOKEN"},
		{"POST", "/fhir/DocumentReference", `{"resourceType":"DocumentReference"}`, "Bearer TOKEN"},
		{"GET", "/fhir/Binary/x%zz;&a=%", "", "Bearer TOKEN"},
	} {
		f.Add(seed[0], seed[1], seed[2], seed[3])
	}
	s := started(f, Options{})
	sp, err := s.newSpace(control.SpaceRequest{BasePath: "/f"})
	if err != nil {
		f.Fatal(err)
	}
	if _, err := sp.addPatient(control.PatientRequest{Handle: "p", Record: "tolerant", Person: control.Person{INS: "279035121518989", INSOID: "1.2.250.1.213.1.4.10"}}); err != nil {
		f.Fatal(err)
	}
	pairing, err := sp.identity.Pair("p")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, method, target, body, authorization string) {
		path, query, _ := strings.Cut(target, "?")
		r := &http.Request{
			Method: method, URL: &url.URL{Scheme: "https", Host: "x", Path: "/f" + path, RawQuery: query}, Proto: "HTTP/1.1",
			Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), Host: "x",
		}
		r.Header.Set("Authorization", strings.ReplaceAll(authorization, "TOKEN", pairing.AccessToken))
		r.Header.Set(sp.ends.IDTokenHeader, pairing.IDToken)
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if strings.HasPrefix(path, "/fhir") {
			r.Header.Set("Content-Type", "application/fhir+json")
		}
		w := httptest.NewRecorder()
		s.serveCandidate(w, r.WithContext(context.Background()))
		if w.Code >= 500 {
			t.Fatalf("status %d: %s", w.Code, w.Body)
		}
	})
}

// FuzzControl sends whatever to the control API: it answers with a sentence and
// does not fail of itself.
func FuzzControl(f *testing.F) {
	for _, seed := range [][2]string{
		{"/v1/spaces", `{"client":{"redirectUris":["https://a.test/cb"]},"seed":1}`},
		{"/v1/spaces/ID/patients", `{"handle":"q","person":{"ins":"279035121518989","insOid":"1.2.250.1.213.1.4.10"}}`},
		{"/v1/spaces/ID/patients/p/acts", `{"kind":"unpair"}`},
		{"/v1/spaces/ID/patients/p/seed", `{"measures":[{"resourceType":"OperationOutcome"}],"devices":[{"resourceType":"Device","id":"d"}]}`},
		{"/v1/spaces/ID/faults", `{"patient":"p","route":"token","next":1,"kind":"hang"}`},
		{"/v1/spaces/ID/clock", `{"advanceSeconds":1}`},
	} {
		f.Add(seed[0], seed[1])
	}
	s := started(f, Options{})
	sp, err := s.newSpace(control.SpaceRequest{})
	if err != nil {
		f.Fatal(err)
	}
	if _, err := sp.addPatient(control.PatientRequest{Handle: "p", Person: control.Person{INS: "279035121518989", INSOID: "1.2.250.1.213.1.4.10"}}); err != nil {
		f.Fatal(err)
	}
	handler := s.controlHandler()
	f.Fuzz(func(t *testing.T, path, body string) {
		r := &http.Request{
			Method: http.MethodPost, URL: &url.URL{Path: strings.ReplaceAll(path, "ID", sp.id)}, Host: "x",
			Header: http.Header{"Authorization": {"Bearer " + s.opts.ControlToken}}, Body: io.NopCloser(strings.NewReader(body)),
		}
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r.WithContext(context.Background()))
		if w.Code >= 500 {
			t.Fatalf("status %d: %s", w.Code, w.Body)
		}
	})
}
