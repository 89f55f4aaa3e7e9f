package sandbox

import (
	"bytes"
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/etalon-sante/etalon/sandbox/control"
	"github.com/etalon-sante/etalon/sandbox/fhir"
	"github.com/etalon-sante/etalon/sandbox/record"
	"github.com/etalon-sante/etalon/sandbox/testimony"
)

// Bounds of the control API.
const (
	maxControlBody = 1 << 20
	maxSeedBody    = 32 << 20
	maxWait        = time.Minute
	maxEntries     = 16 << 20 // bytes of one stretch of the journal, about
	maxAdvance     = 10 * 365 * 24 * time.Hour
)

// problem is an error with the status that tells it.
type problem struct {
	status int
	text   string
}

func (p *problem) Error() string { return p.text }

func problemf(status int, format string, args ...any) error {
	return &problem{status, fmt.Sprintf(format, args...)}
}

// controlHandler is the control API.
func (s *Server) controlHandler() http.Handler {
	mux := http.NewServeMux()
	handle := func(pattern string, f func(*http.Request) (any, error)) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			v, err := f(r)
			s.reply(w, v, err)
		})
	}
	inSpace := func(pattern string, f func(*http.Request, *space) (any, error)) {
		handle(pattern, func(r *http.Request) (any, error) {
			sp, err := s.space(r.PathValue("space"))
			if err != nil {
				return nil, err
			}
			return f(r, sp)
		})
	}
	ofPatient := func(pattern string, f func(r *http.Request, sp *space, patient string) (any, error)) {
		inSpace(pattern, func(r *http.Request, sp *space) (any, error) {
			patient := r.PathValue("patient")
			if _, ok := sp.scenario(patient); !ok {
				return nil, problemf(http.StatusNotFound, "the space has no patient %q", patient)
			}
			return f(r, sp, patient)
		})
	}
	handle("GET /v1/health", s.health)
	handle("POST /v1/spaces", s.createSpace)
	inSpace("PATCH /v1/spaces/{space}", s.patchSpace)
	inSpace("DELETE /v1/spaces/{space}", s.deleteSpace)
	inSpace("POST /v1/spaces/{space}/patients", createPatient)
	inSpace("POST /v1/spaces/{space}/faults", createFault)
	inSpace("GET /v1/spaces/{space}/faults", func(_ *http.Request, sp *space) (any, error) { return sp.plan.List(), nil })
	inSpace("POST /v1/spaces/{space}/clock", advanceClock)
	inSpace("POST /v1/spaces/{space}/keys/rotate", func(_ *http.Request, sp *space) (any, error) { return nil, sp.identity.RotateKeys() })
	inSpace("GET /v1/spaces/{space}/journal", readJournal)
	inSpace("GET /v1/spaces/{space}/secrets", readSecrets)
	inSpace("GET /v1/spaces/{space}/testimony", s.testify)
	inSpace("POST /v1/spaces/{space}/certificate", s.present)
	ofPatient("GET /v1/spaces/{space}/patients/{patient}", func(_ *http.Request, sp *space, patient string) (any, error) {
		state, _ := sp.mes.State(patient)
		return state, nil
	})
	ofPatient("POST /v1/spaces/{space}/patients/{patient}/acts", func(r *http.Request, sp *space, patient string) (any, error) {
		act, err := decode[control.Act](r, maxControlBody)
		if err != nil {
			return nil, err
		}
		return nil, sp.act(patient, act)
	})
	ofPatient("POST /v1/spaces/{space}/patients/{patient}/codes", func(_ *http.Request, sp *space, patient string) (any, error) {
		code, err := sp.identity.MintCode(patient)
		return control.Code{Code: code}, err
	})
	ofPatient("POST /v1/spaces/{space}/patients/{patient}/pairing", func(_ *http.Request, sp *space, patient string) (any, error) {
		return result(sp.identity.Pair(patient))
	})
	ofPatient("POST /v1/spaces/{space}/patients/{patient}/lift", func(_ *http.Request, sp *space, patient string) (any, error) {
		sp.plan.Lift(patient)
		return nil, nil
	})
	ofPatient("POST /v1/spaces/{space}/patients/{patient}/seed", func(r *http.Request, sp *space, patient string) (any, error) {
		seed, err := decode[control.Seed](r, maxSeedBody)
		if err != nil {
			return nil, err
		}
		return result(sp.mes.Seed(patient, seed))
	})
	handle("/", func(r *http.Request) (any, error) {
		return nil, problemf(http.StatusNotFound, "the control API has no %s %s", r.Method, r.URL.Path)
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		want := "Bearer " + s.opts.ControlToken
		if subtle.ConstantTimeCompare([]byte(r.Header.Get("Authorization")), []byte(want)) != 1 {
			w.Header().Set("WWW-Authenticate", `Bearer realm="etalon-control"`)
			s.reply(w, nil, problemf(http.StatusUnauthorized, "the bearer token of the control API is missing or not right"))
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// result makes one value of a value and an error.
func result[T any](v T, err error) (any, error) { return v, err }

func (s *Server) reply(w http.ResponseWriter, v any, err error) {
	status, body := http.StatusOK, v
	switch {
	case err != nil:
		status = http.StatusBadRequest
		if p := (*problem)(nil); errors.As(err, &p) {
			status = p.status
		} else if c := (*conflictError)(nil); errors.As(err, &c) {
			status = http.StatusConflict
		}
		body = control.Problem{Error: err.Error()}
	case v == nil:
		w.WriteHeader(http.StatusNoContent)
		return
	}
	b, err := json.Marshal(body)
	if err != nil {
		s.opts.Logger.Error("write an answer of the control API", "error", err)
		status, b = http.StatusInternalServerError, []byte(`{"error":"the answer could not be written"}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(b) // a client that went away needs no answer
}

// decode reads a JSON body strictly: no member twice, none that is not known,
// nothing after it.
func decode[T any](r *http.Request, limit int64) (T, error) {
	var out T
	raw, err := io.ReadAll(io.LimitReader(r.Body, limit+1))
	if err != nil {
		return out, problemf(http.StatusBadRequest, "read the body: %v", err)
	}
	if int64(len(raw)) > limit {
		return out, problemf(http.StatusRequestEntityTooLarge, "the body is larger than %d bytes", limit)
	}
	if _, err := fhir.Decode(raw); err != nil {
		return out, problemf(http.StatusBadRequest, "read the body: %v", err)
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(&out); err != nil {
		return out, problemf(http.StatusBadRequest, "read the body: %s", strings.TrimPrefix(err.Error(), "json: "))
	}
	return out, nil
}

func (s *Server) space(id string) (*space, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	sp, ok := s.spaces[id]
	if !ok {
		return nil, problemf(http.StatusNotFound, "there is no space %q", id)
	}
	return sp, nil
}

func (s *Server) health(*http.Request) (any, error) {
	return control.Health{Signs: s.opts.SigningKey != nil, Build: s.opts.Build, Settings: s.opts.Settings.ID(), Time: s.opts.Clock().UTC(), CA: string(s.CA()), Public: s.public, Handshakes: s.handshakes.last()}, nil
}

func (s *Server) createSpace(r *http.Request) (any, error) {
	req, err := decode[control.SpaceRequest](r, maxControlBody)
	if err != nil {
		return nil, err
	}
	sp, err := s.newSpace(req)
	if err != nil {
		return nil, err
	}
	s.opts.Logger.Debug("space opened", "space", sp.id, "base", sp.base)
	return sp.describe(s.CA()), nil
}

func (s *Server) patchSpace(r *http.Request, sp *space) (any, error) {
	p, err := decode[control.SpacePatch](r, maxControlBody)
	if err != nil {
		return nil, err
	}
	if len(p.RedirectURIs) > 0 {
		if err := checkRedirects(p.RedirectURIs); err != nil {
			return nil, err
		}
		sp.identity.SetRedirects(p.RedirectURIs)
	}
	if err := sp.change(p); err != nil {
		return nil, err
	}
	return sp.describe(s.CA()), nil
}

func (s *Server) deleteSpace(_ *http.Request, sp *space) (any, error) {
	s.mu.Lock()
	delete(s.spaces, sp.id)
	delete(s.bases, sp.base)
	s.mu.Unlock()
	s.forget(sp)
	sp.close()
	return nil, nil
}

func createPatient(r *http.Request, sp *space) (any, error) {
	req, err := decode[control.PatientRequest](r, maxControlBody)
	if err != nil {
		return nil, err
	}
	return result(sp.addPatient(req))
}

func createFault(r *http.Request, sp *space) (any, error) {
	f, err := decode[control.Fault](r, maxControlBody)
	if err != nil {
		return nil, err
	}
	if _, ok := sp.scenario(f.Patient); !ok {
		return nil, problemf(http.StatusNotFound, "the space has no patient %q", f.Patient)
	}
	if control.LeadsElsewhere(f.Kind) && sp.elsewhere == "" {
		return nil, problemf(http.StatusBadRequest, "the sandbox is known as %s only: a fault of kind %q needs a second name, which it has when it is reached as 127.0.0.1 or localhost", sp.public, f.Kind)
	}
	if f.Kind == control.FaultClear && sp.inClear == "" {
		return nil, problemf(http.StatusBadRequest, "the sandbox is reached as %s, which may not be itself: a fault of kind %q needs the sandbox's own address", sp.public, f.Kind)
	}
	return result(sp.plan.Add(f))
}

func advanceClock(r *http.Request, sp *space) (any, error) {
	c, err := decode[control.ClockRequest](r, maxControlBody)
	if err != nil {
		return nil, err
	}
	if c.AdvanceSeconds < 0 || c.AdvanceSeconds > int(maxAdvance/time.Second) {
		return nil, problemf(http.StatusBadRequest, "advanceSeconds is %d, a clock only goes forward, ten years at most", c.AdvanceSeconds)
	}
	sp.advance(time.Duration(c.AdvanceSeconds) * time.Second)
	return nil, nil
}

// readJournal gives out the records after a position. flush=1 also gives out
// those of authorizations that nobody has signed in to, without the usual wait.
// number reads a whole number of the query; without it, it is 0.
func number(q url.Values, name string) (int, error) {
	if !q.Has(name) {
		return 0, nil
	}
	n, err := strconv.Atoi(q.Get(name))
	if err != nil || n < 0 {
		return 0, problemf(http.StatusBadRequest, "%s is %q, a whole number from 0 is expected", name, q.Get(name))
	}
	return n, nil
}

func readSecrets(r *http.Request, sp *space) (any, error) {
	after, err := number(r.URL.Query(), "after")
	return sp.names.Secrets(after), err
}

// testify signs what was served in a space so far.
func (s *Server) testify(r *http.Request, sp *space) (any, error) {
	if s.opts.SigningKey == nil {
		return nil, problemf(http.StatusNotFound, "this sandbox signs nothing: it was started without a key (--sign-key)")
	}
	records, err := sp.journal.read(r.Context(), 0, 0, true)
	if err != nil {
		return nil, problemf(http.StatusNotFound, "%v", err)
	}
	seen, err := testimony.Of(records)
	if err != nil {
		return nil, err
	}
	return result(testimony.Sign(testimony.Statement{
		Run: sp.run, Build: s.opts.Build, Settings: sp.set.ID(), Public: s.public, Exchanges: seen,
	}, s.opts.Clock(), s.opts.SigningKey))
}

func readJournal(r *http.Request, sp *space) (any, error) {
	q := r.URL.Query()
	after, err := number(q, "after")
	if err != nil {
		return nil, err
	}
	millis, err := number(q, "wait")
	if err != nil {
		return nil, err
	}
	wait := maxWait
	if millis < int(maxWait/time.Millisecond) {
		wait = time.Duration(millis) * time.Millisecond
	}
	records, err := sp.journal.read(r.Context(), after, wait, q.Get("flush") == "1")
	if errors.Is(err, errSpaceClosed) || errors.Is(err, context.Canceled) {
		return nil, problemf(http.StatusNotFound, "%v", err)
	}
	if err != nil {
		return nil, err
	}
	records = stretch(records)
	out := control.Entries{Records: records, Next: after}
	if len(records) > 0 {
		out.Next = records[len(records)-1].Seq
	}
	return out, nil
}

// stretch bounds what one answer carries; the rest comes with the next.
func stretch(records []record.Record) []record.Record {
	size := 0
	for i, r := range records {
		size += 4 << 10
		if x := r.Exchange; x != nil {
			for _, b := range []*record.Body{x.Request.Body, x.Response.Body} {
				if b != nil {
					size += len(b.Text)
				}
			}
		}
		if size > maxEntries && i > 0 {
			return records[:i]
		}
	}
	if records == nil {
		records = []record.Record{}
	}
	return records
}
