package run_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/etalon-sante/etalon/fixtures/data"
	"github.com/etalon-sante/etalon/fixtures/flaws"
	"github.com/etalon-sante/etalon/fixtures/reference"
	"github.com/etalon-sante/etalon/reports"
	"github.com/etalon-sante/etalon/suites/candidate"
	"github.com/etalon-sante/etalon/suites/lab"
	"github.com/etalon-sante/etalon/suites/run"
	"github.com/etalon-sante/etalon/suites/run/demo"
)

// user is somebody who tries the service out on a free afternoon: no harness
// tells him what to do, and he does not do it in order.
type user struct {
	t    *testing.T
	p    *person // who can use the service's screens
	keys io.Writer
	free run.FreeSession

	mu     sync.Mutex
	screen bytes.Buffer
	done   chan struct{} // one for each thing done
}

func (u *user) Write(b []byte) (int, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.screen.Write(b)
	if bytes.Contains(b, []byte("  ● ")) || bytes.Contains(b, []byte("  ✗ ")) || bytes.Contains(b, []byte("without a verdict; ")) {
		u.done <- struct{}{}
	}
	return len(b), nil
}

// types something and waits until it is done.
func (u *user) types(line string) {
	_, _ = io.WriteString(u.keys, line+"\n")
	select {
	case <-u.done:
	case <-time.After(10 * time.Second):
		u.t.Errorf("%q was not done", line)
	}
}

func (u *user) does(action, who string, payload any) candidate.Answer {
	if payload == nil {
		payload = struct{}{}
	}
	a, err := u.p.act(u.t.Context(), action, who, payload)
	if err != nil {
		u.t.Logf("%s: %v", action, err) // a flawed service may do anything
	}
	return a
}

func (u *user) sends(who, kind string, at time.Time) {
	m := data.Nominal(7, kind, at)
	if kind == "weight" {
		m.Method = "scale"
		m.Device = &data.Device{Kind: "scale", ID: "74-E8-FF-FE-FF-05-1C-00", Manufacturer: "Étalon", Model: "Balance d'essai"}
	}
	u.does("send-measure", who, map[string]any{"measure": m})
}

// pairs follows the link of the service through the sandbox's pages.
func (u *user) pairs(who string, p *lab.Patient, accept bool) {
	a := u.does("pair", who, nil)
	if a.Open == "" {
		return
	}
	jar, _ := cookiejar.New(nil)
	tr := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: u.p.roots, MinVersion: tls.VersionTLS12}}
	defer tr.CloseIdleConnections()
	browser := &http.Client{Jar: jar, Transport: tr, Timeout: 10 * time.Second}
	ctx := u.t.Context()
	page, at, err := open(ctx, browser, http.MethodGet, a.Open, nil)
	if err != nil {
		u.t.Log(err)
		return
	}
	fields, to := form(page, at)
	fields.Set("login", p.Login)
	fields.Set("password", p.Password)
	if page, at, err = open(ctx, browser, http.MethodPost, to, fields); err != nil {
		u.t.Log(err)
		return
	}
	fields, to = form(page, at)
	fields.Set("decision", map[bool]string{true: "accept", false: "refuse"}[accept])
	for _, m := range checkbox.FindAllStringSubmatch(page, -1) {
		fields.Add("finalite", m[1])
	}
	if _, _, err = open(ctx, browser, http.MethodPost, to, fields); err != nil {
		u.t.Log(err)
	}
}

// afternoon is what the user does: most occasions that free use can have, with
// the impatience of people (the same button again after a refusal).
func (u *user) afternoon() {
	at := time.Now().Add(-48 * time.Hour).Truncate(time.Second)
	next := func() time.Time { at = at.Add(7 * time.Minute); return at }
	p := u.free.Patients
	u.pairs("one", p[0], true)
	u.pairs("two", p[1], true)
	u.pairs("three", p[2], false)
	u.types("seed 1")
	for _, k := range data.Kinds() {
		if k != "bmi" {
			u.sends("one", k, next())
		}
	}
	for _, k := range []string{"weight", "temperature", "heart-rate"} {
		u.sends("two", k, next())
	}
	from := time.Now().AddDate(0, -1, 0)
	u.does("read-measures", "one", map[string]any{"kind": "weight", "from": from.Format(time.RFC3339), "to": time.Now().Format(time.RFC3339)})
	u.does("read-measures", "one", map[string]any{"kind": "weight", "last": true})
	u.does("send-document", "one", map[string]any{"document": data.PDF(7, "CPT_REND", next())})
	found := u.does("search-documents", "one", map[string]any{"from": from.Format(time.RFC3339)})
	var list struct {
		Documents []struct {
			ID string `json:"id"`
		} `json:"documents"`
	}
	if json.Unmarshal(found.Data, &list) == nil && len(list.Documents) > 0 {
		u.does("read-document", "one", map[string]any{"id": list.Documents[0].ID})
	}
	for range 2 {
		u.types("expire 1")
		u.sends("one", "weight", next())
	}
	again := next()
	u.types("fault 1 422")
	u.sends("one", "weight", again)
	u.sends("one", "weight", again)
	u.types("unpair 2")
	u.sends("two", "weight", next())
	coffee := time.NewTimer(u.p.service.Manifest.Candidate.Timing.Quiet + 50*time.Millisecond)
	<-coffee.C
	u.sends("two", "weight", next())
	u.pairs("two", p[1], true)
	u.sends("two", "weight", next())
	u.types("revoke 2")
	u.sends("two", "weight", next())
	u.sends("two", "weight", next())
	u.pairs("two", p[1], true)
	u.sends("two", "weight", next())
	u.types("expire-id 2")
	u.sends("two", "weight", next())
	u.sends("two", "weight", next())
	u.pairs("two", p[1], false) // a change of mind: the earlier pairing stands, or not
	u.sends("two", "weight", next())
	u.types("conflict 3")
	u.does("unpair", "one", nil)
	u.sends("one", "weight", next())
	u.pairs("three", p[2], true)
	u.sends("three", "weight", again)
	u.sends("three", "weight", again)
	u.types("resolve 3")
	u.pairs("three", p[2], true)
	u.types("withdraw 3 MESURES_ECRITURE")
	u.sends("three", "weight", next())
	u.sends("three", "weight", next())
	u.types("grant 3 MESURES_ECRITURE")
	u.types("checks")
}

// freely observes the reference service, flawed or not, in the hands of a user.
func freely(t *testing.T, o demo.Options, use func(*user)) (reports.Report, string, string) {
	t.Helper()
	s := started(t, o)
	in, keys := io.Pipe()
	t.Cleanup(func() { keys.Close(); in.Close() })
	u := &user{t: t, p: &person{t: t, service: s, roots: s.Roots.Clone()}, keys: keys, done: make(chan struct{}, 100)}
	stop, end := context.WithCancel(t.Context())
	defer end()
	finished := make(chan struct{})
	ready := func(f run.FreeSession) {
		u.free = f
		go func() {
			defer close(finished)
			defer end()
			u.p.roots.AppendCertsFromPEM([]byte(f.Space.CA))
			u.does("configure", "", map[string]any{"mes": map[string]any{
				"endpoints": f.Space.Endpoints, "client": map[string]string{"id": f.Space.Client.ID, "secret": f.Space.Client.Secret},
				"clientAuth": f.Space.Client.Auth, "oid": f.Space.OID, "ca": f.Space.CA,
			}})
			use(u)
		}()
	}
	dir := filepath.Join(t.TempDir(), "report")
	m := *s.Manifest
	m.Candidate.Timing.Effect = 300 * time.Millisecond
	out, err := run.Observe(stop, run.FreeOptions{
		Options:  run.Options{Manifest: &m, Out: dir, Lang: "en", Seed: 1, Phase: "pilot", Roots: s.Roots},
		Patients: 3, Redirects: []string{s.Reference.Addresses().Callback}, In: in, Tell: u, Ready: ready,
	})
	if err != nil {
		t.Fatalf("%v\n%s", err, u.screen.String())
	}
	<-finished
	u.mu.Lock()
	defer u.mu.Unlock()
	return out.Report, dir, u.screen.String()
}

// wrong are the checks with something found against them.
func wrong(r reports.Report) []string {
	var out []string
	for _, res := range r.Results {
		for _, c := range res.Checks {
			if c.Verdict == reports.Nonconformant || c.Verdict == reports.Deviation || c.Verdict == reports.Error {
				why := c.Reason.EN
				if len(c.Findings) > 0 {
					why = c.Findings[0].Message.EN + " " + c.Findings[0].Expected + " / " + c.Findings[0].Actual
				}
				out = append(out, fmt.Sprintf("%s %s: %s", c.ID, c.Verdict, why))
			}
		}
	}
	return out
}

func TestAConformantServiceUsedFreelyIsFoundWithoutFaultAndNeverGreen(t *testing.T) {
	report, dir, screen := freely(t, demo.Options{}, (*user).afternoon)
	if found := wrong(report); len(found) > 0 {
		t.Errorf("found: %s\n%s", strings.Join(found, "\n"), screen)
	}
	if report.ExitCode != reports.ExitInconclusive || report.Verdict != reports.RunPartial || !report.Run.FreeUse || !report.Run.Partial {
		t.Errorf("verdict %s, exit %d, free use %t, partial %t", report.Verdict, report.ExitCode, report.Run.FreeUse, report.Run.Partial)
	}
	leaves, _, err := run.Leaves(run.Register)
	if err != nil {
		t.Fatal(err)
	}
	met := verdicts(report)
	for id, labels := range leaves {
		if labels.Free.Sound() && !labels.Free.Findings && met[id] != reports.Conformant {
			t.Errorf("%s can be judged over free use, and is %s after a whole afternoon", id, met[id])
		}
		if !labels.Free.Sound() && met[id].Observed() {
			t.Errorf("%s is not sound over free use, and is %s", id, met[id])
		}
	}
	again, err := run.JudgeFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(again.Results, report.Results) {
		t.Error("judging the folder again gives other results")
	}
	for _, p := range []string{"client_secret", "patient 1  sends a measure → 200", "✓ INT-21.1"} {
		if !strings.Contains(screen, p) {
			t.Errorf("no %q on screen:\n%s", p, screen)
		}
	}
}

var everyFlaw = flag.Bool("every-flaw", false, "try every flaw in free use, not the chosen ones only")

func TestFlawsAreFoundInFreeUseByTheirCheckAndByNoOther(t *testing.T) {
	if testing.Short() {
		t.Skip("a session for each flaw: run without -short")
	}
	chosen := []string{
		"scope-without-openid", "state-always-the-same", "nonce-short", "challenge-with-padding", "token-in-the-address",
		"profile-missing", "code-without-system", "unit-of-weight", "hba1c-with-moment", "period-without-end", "page-of-a-thousand",
		"last-sorted-upwards", "data-prefix-left", "refreshed-and-given-up", "refused-id-token-again", "calls-after-withdrawal", "refusal-not-read",
		"previous-patient-kept", "conflict-repeated",
	}
	// What a flaw truly breaks as well where several patients share a session, and
	// not in a scenario with one.
	truly := map[string]string{"previous-patient-kept": "INT-52.1"}
	leaves, _, err := run.Leaves(run.Register)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range flaws.All() {
		if !slices.Contains(chosen, f.ID) && !*everyFlaw {
			continue
		}
		t.Run(f.ID, func(t *testing.T) {
			parts := reference.DefaultParts()
			f.Apply(&parts)
			report, _, screen := freely(t, demo.Options{Parts: parts}, (*user).afternoon)
			own := false
			for _, w := range wrong(report) {
				id, _, _ := strings.Cut(w, " ")
				own = own || id == f.Check
				if truly[f.ID] == id {
					continue
				}
				if id != f.Check && !slices.ContainsFunc(f.Also, func(a flaws.Also) bool { return a.Check == id }) {
					t.Errorf("found against another check: %s", w)
				}
			}
			if free := leaves[f.Check].Free; free.Sound() && !own && f.Check != "INT-66.1" { // who never fed may not have been asked to
				t.Errorf("%s found nothing, it is %s\n%s", f.Check, verdicts(report)[f.Check], screen)
			} else if own {
				t.Logf("found by %s", f.Check)
			}
			if v := verdicts(report)[f.Check]; v == reports.Conformant && leaves[f.Check].Free.Sound() {
				t.Errorf("%s is said to be conformant", f.Check)
			}
		})
	}
}
