package control

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/etalon-sante/etalon/sandbox/record"
	"github.com/etalon-sante/etalon/sandbox/testimony"
)

// maxAnswer bounds what the client reads of one answer, in bytes.
const maxAnswer = 64 << 20

// maxWait bounds one call of the control API.
const maxWait = 60 * time.Second

// API is a client of the control API of one sandbox.
type API struct {
	Base  string // "http://127.0.0.1:4100"
	Token string // bearer, as printed or given at start-up
	HTTP  *http.Client
}

// ErrNotFound is what the sandbox answers about a space or patient it does not
// hold.
var ErrNotFound = errors.New("not found")

// Health asks whether the sandbox is there.
func (a API) Health(ctx context.Context) (Health, error) {
	return call[Health](ctx, a, http.MethodGet, "/v1/health", nil)
}

// CreateSpace opens a space.
func (a API) CreateSpace(ctx context.Context, req SpaceRequest) (Space, error) {
	return call[Space](ctx, a, http.MethodPost, "/v1/spaces", req)
}

// PatchSpace changes a space.
func (a API) PatchSpace(ctx context.Context, space string, p SpacePatch) (Space, error) {
	return call[Space](ctx, a, http.MethodPatch, a.space(space), p)
}

// DeleteSpace closes a space and frees what it held.
func (a API) DeleteSpace(ctx context.Context, space string) error {
	_, err := call[struct{}](ctx, a, http.MethodDelete, a.space(space), nil)
	return err
}

// AddPatient puts a patient into a space.
func (a API) AddPatient(ctx context.Context, space string, req PatientRequest) (Patient, error) {
	return call[Patient](ctx, a, http.MethodPost, a.space(space)+"/patients", req)
}

// PatientState asks what the sandbox holds about a patient.
func (a API) PatientState(ctx context.Context, space, patient string) (PatientState, error) {
	return call[PatientState](ctx, a, http.MethodGet, a.patient(space, patient), nil)
}

// Act makes something happen on the side of Mon espace santé.
func (a API) Act(ctx context.Context, space, patient string, act Act) error {
	_, err := call[struct{}](ctx, a, http.MethodPost, a.patient(space, patient)+"/acts", act)
	return err
}

// MintCode makes an authorization code for a forged callback.
func (a API) MintCode(ctx context.Context, space, patient string) (Code, error) {
	return call[Code](ctx, a, http.MethodPost, a.patient(space, patient)+"/codes", struct{}{})
}

// Pair pairs a patient on behalf of a candidate that does not claim pairing;
// every finalité is granted.
func (a API) Pair(ctx context.Context, space, patient string) (Pairing, error) {
	return call[Pairing](ctx, a, http.MethodPost, a.patient(space, patient)+"/pairing", struct{}{})
}

// Seed puts existing content into a patient's record.
func (a API) Seed(ctx context.Context, space, patient string, s Seed) (Seeded, error) {
	return call[Seeded](ctx, a, http.MethodPost, a.patient(space, patient)+"/seed", s)
}

// PlanFault adds a fault to the space's plan.
func (a API) PlanFault(ctx context.Context, space string, f Fault) (Fault, error) {
	return call[Fault](ctx, a, http.MethodPost, a.space(space)+"/faults", f)
}

// Faults lists the space's plan, with how often each was applied.
func (a API) Faults(ctx context.Context, space string) ([]Fault, error) {
	return call[[]Fault](ctx, a, http.MethodGet, a.space(space)+"/faults", nil)
}

// Lift ends the faults that are planned for a patient, applied or not.
func (a API) Lift(ctx context.Context, space, patient string) error {
	_, err := call[struct{}](ctx, a, http.MethodPost, a.patient(space, patient)+"/lift", struct{}{})
	return err
}

// Advance moves the space's clock forward.
func (a API) Advance(ctx context.Context, space string, d time.Duration) error {
	_, err := call[struct{}](ctx, a, http.MethodPost, a.space(space)+"/clock", ClockRequest{AdvanceSeconds: int(d / time.Second)})
	return err
}

// RotateKeys makes the space sign with a new key from now on.
func (a API) RotateKeys(ctx context.Context, space string) error {
	_, err := call[struct{}](ctx, a, http.MethodPost, a.space(space)+"/keys/rotate", struct{}{})
	return err
}

// Certificate makes the sandbox show another certificate to candidates, one of
// BadCertificates, or its own again when the kind is "". It is refused while
// another space is open. The answer tells how many handshakes the certificate
// shown before has met, if it was a bad one.
func (a API) Certificate(ctx context.Context, space, kind string) (CertificateShown, error) {
	return call[CertificateShown](ctx, a, http.MethodPost, a.space(space)+"/certificate", CertificateRequest{Kind: kind})
}

// Journal reads the records after a position, waiting up to wait for one.
func (a API) Journal(ctx context.Context, space string, after int, wait time.Duration) (Entries, error) {
	q := url.Values{"after": {strconv.Itoa(after)}, "wait": {strconv.Itoa(int(wait / time.Millisecond))}}
	return call[Entries](ctx, a, http.MethodGet, a.space(space)+"/journal?"+q.Encode(), nil)
}

// Now reads the records after a position without waiting.
func (a API) Now(ctx context.Context, space string, after int) (Entries, error) {
	return a.Journal(ctx, space, after, 0)
}

// Flush reads the records after a position without waiting, those included that
// the sandbox still holds back because nobody has signed in to them yet.
func (a API) Flush(ctx context.Context, space string, after int) (Entries, error) {
	q := url.Values{"after": {strconv.Itoa(after)}, "wait": {"0"}, "flush": {"1"}}
	return call[Entries](ctx, a, http.MethodGet, a.space(space)+"/journal?"+q.Encode(), nil)
}

// Secrets reads the names that the sandbox has given to what it issued, in that
// order, without the first so many.
func (a API) Secrets(ctx context.Context, space string, after int) ([]record.Secret, error) {
	return call[[]record.Secret](ctx, a, http.MethodGet, a.space(space)+"/secrets?after="+strconv.Itoa(after), nil)
}

// Testimony reads what the sandbox signs of all it has served in the space.
func (a API) Testimony(ctx context.Context, space string) (testimony.Testimony, error) {
	return call[testimony.Testimony](ctx, a, http.MethodGet, a.space(space)+"/testimony", nil)
}

func (a API) space(id string) string { return "/v1/spaces/" + url.PathEscape(id) }

func (a API) patient(space, id string) string {
	return a.space(space) + "/patients/" + url.PathEscape(id)
}

func call[T any](ctx context.Context, a API, method, path string, in any) (T, error) {
	var out T
	fail := func(err error) (T, error) {
		return out, fmt.Errorf("sandbox control %s %s: %w", method, path, err)
	}
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return fail(err)
		}
		body = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, a.Base+path, body)
	if err != nil {
		return fail(err)
	}
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if a.Token != "" {
		req.Header.Set("Authorization", "Bearer "+a.Token)
	}
	client := a.HTTP
	if client == nil {
		// A sandbox that does not answer must not hold a run for ever; the
		// longest answer is a journal that waits for news.
		client = &http.Client{Timeout: maxWait, Transport: http.DefaultTransport}
	}
	resp, err := client.Do(req)
	if err != nil {
		return fail(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return fail(err)
	}
	if resp.StatusCode >= 300 {
		var p Problem
		_ = json.Unmarshal(b, &p)
		if resp.StatusCode == http.StatusNotFound {
			return fail(fmt.Errorf("%w: %s", ErrNotFound, p.Error))
		}
		return fail(fmt.Errorf("status %d: %s", resp.StatusCode, p.Error))
	}
	if len(b) == 0 {
		return out, nil
	}
	if err := json.Unmarshal(b, &out); err != nil {
		return fail(err)
	}
	return out, nil
}
