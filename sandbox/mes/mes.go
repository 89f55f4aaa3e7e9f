// Package mes is the record of Mon espace santé as a service meets it: the
// state of pairings, consent per finalité, and the measures, documents and agenda APIs.
// The measures API follows the specification v1.5.2 of 21/07/2023 as publicly
// transcribed; of the documents API only what ANS compared with PDSm is known, of the agenda
// API nothing but that it exists.
package mes

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/etalon-sante/etalon/sandbox/cda"
	"github.com/etalon-sante/etalon/sandbox/control"
	"github.com/etalon-sante/etalon/sandbox/exchange"
	"github.com/etalon-sante/etalon/sandbox/fhir"
	"github.com/etalon-sante/etalon/sandbox/identity"
	"github.com/etalon-sante/etalon/sandbox/record"
	"github.com/etalon-sante/etalon/sandbox/settings"
)

// Identity says whom tokens are for.
type Identity interface {
	Access(token string) (identity.Account, string)
	IDToken(token string) (identity.Account, string)
	Bound(token string) string
}

// Config is what the business APIs of a space are made of.
type Config struct {
	Base     string // public address of the FHIR API
	OID      string // of the candidate's solution
	Settings *settings.Settings
	Rules    *fhir.Rules
	Identity Identity
	Faults   exchange.Planner
	Store    Store
	Names    *record.Redactor
	Clock    func() time.Time                         // the space's
	NewID    func(patient, kind string, n int) string // id of a patient's n-th resource of a kind
}

// Service is the business side of one space. It is safe for concurrent use.
type Service struct {
	cfg Config

	mu       sync.RWMutex
	status   string              // of the service in the catalogue, "" for online
	patients map[string]*patient // by handle
	byIDPe   map[string]string   // idPe -> handle

	// agenda is held while an agenda item is written: whether one exists already
	// decides what becomes of it.
	agenda sync.Mutex
}

// patient is what Mon espace santé holds about a patient and the service.
type patient struct {
	idpe, auth string
	tolerant   bool
	paired     bool
	granted    []string        // codes of the finalités consented to
	conflict   bool            // the OID of the pairing no longer matches
	cut        bool            // documents are closed to the service
	unread     bool            // reading documents is not open to the service
	withheld   map[string]bool // ids of documents that the patient does not share
	made       map[string]int
	person     cda.Patient // whom clinical documents must be about
	life
}

// New returns the business side of a space. Identity is set by Attach: each of
// the two needs the other.
func New(cfg Config) *Service {
	return &Service{cfg: cfg, patients: map[string]*patient{}, byIDPe: map[string]string{}}
}

// Attach gives the service the authority that its tokens come from. It is
// called once, before the first request.
func (s *Service) Attach(i Identity) { s.cfg.Identity = i }

// Add opens a patient's record.
func (s *Service) Add(acc identity.Account) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.patients[acc.Handle] = &patient{idpe: acc.IDPe, auth: acc.AssignAuth, tolerant: acc.Tolerant, made: map[string]int{}}
	s.byIDPe[acc.IDPe] = acc.Handle
}

// Begin implements identity.Pairings.
func (s *Service) Begin(handle string, finalites []string) {
	s.change(handle, func(p *patient) {
		p.paired, p.granted, p.conflict = true, slices.Clone(finalites), false
		p.due = nil // consent was just given
	})
}

// End implements identity.Pairings; it is also how the patient ends the pairing.
func (s *Service) End(handle string) {
	s.change(handle, func(p *patient) { p.paired, p.granted = false, nil })
}

// Stands implements identity.Pairings.
func (s *Service) Stands(handle string) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	p, ok := s.patients[handle]
	return ok && p.paired
}

// Conflict makes the OID of a pairing no longer match, or match again.
func (s *Service) Conflict(handle string, on bool) {
	s.change(handle, func(p *patient) { p.conflict = on })
}

// Grant grants or withdraws one finalité of a pairing.
func (s *Service) Grant(handle, finalite string, on bool) error {
	if !slices.Contains(s.codes(), finalite) {
		return fmt.Errorf("there is no finalité %q: there are %s", finalite, strings.Join(s.codes(), ", "))
	}
	var err error
	s.change(handle, func(p *patient) {
		if !p.paired {
			err = fmt.Errorf("the patient is not paired, so that no finalité can be granted or withdrawn")
			return
		}
		p.granted = slices.DeleteFunc(p.granted, func(f string) bool { return f == finalite })
		if on {
			p.granted = append(p.granted, finalite)
		}
	})
	return err
}

// State says what is held about a patient.
func (s *Service) State(handle string) (control.PatientState, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	p, ok := s.patients[handle]
	if !ok {
		return control.PatientState{}, false
	}
	out := control.PatientState{
		Paired: p.paired, Finalites: []string{}, IDPe: p.idpe, AssignAuth: p.auth,
		Measures:  len(s.cfg.Store.List(handle, kindObservation)),
		Documents: len(s.cfg.Store.List(handle, kindDocument)),
		Agenda:    len(s.cfg.Store.List(handle, kindAppointment)),

		ServiceStatus: s.serviceStatus(p), Space: p.space, Acknowledged: p.due == nil,
	}
	if out.Space == "" {
		out.Space = control.SpaceActive
	}
	if p.due != nil {
		out.ReapprovalLimit = p.due.limit
	}
	for _, c := range s.codes() {
		if slices.Contains(p.granted, c) {
			out.Finalites = append(out.Finalites, c)
		}
	}
	return out, true
}

func (s *Service) change(handle string, f func(*patient)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p, ok := s.patients[handle]; ok {
		f(p)
	}
}

// view is a copy of a patient's state.
func (s *Service) view(handle string) (patient, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	p, ok := s.patients[handle]
	if !ok {
		return patient{}, false
	}
	out := *p
	out.granted = slices.Clone(p.granted)
	out.withheld = maps.Clone(p.withheld)
	return out, true
}

// newID makes the id of a new resource.
func (s *Service) newID(handle, kind string) string {
	n := 0
	s.change(handle, func(p *patient) {
		p.made[kind]++
		n = p.made[kind]
	})
	return s.cfg.NewID(handle, kind, n)
}

func (s *Service) codes() []string {
	var out []string
	for _, f := range s.cfg.Settings.Finalites() {
		out = append(out, f.Code)
	}
	return out
}

// finalite is the purpose that an operation needs.
func (s *Service) finalite(kind string, write bool) string {
	for _, f := range s.cfg.Settings.Finalites() {
		if f.Kind == kind && f.Write == write {
			return f.Code
		}
	}
	return ""
}

// answer writes a resource.
func (s *Service) answer(status int, body []byte) exchange.Answer {
	return exchange.New(status, s.cfg.Settings.String("media.fhir"), body)
}

// refuse writes an OperationOutcome.
func (s *Service) refuse(status int, issues []record.Issue) exchange.Answer {
	out := s.answer(status, fhir.Outcome(issues))
	if status == http.StatusUnauthorized {
		out.Header.Set("WWW-Authenticate", `Bearer realm="etalon-sandbox", error="invalid_token"`)
	}
	return out
}
