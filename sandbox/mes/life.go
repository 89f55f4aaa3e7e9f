package mes

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/etalon-sante/etalon/sandbox/control"
	"github.com/etalon-sante/etalon/sandbox/identity"
	"github.com/etalon-sante/etalon/sandbox/record"
	"github.com/etalon-sante/etalon/sandbox/settings"
)

// life is what may hold back the calls of a pairing that stands. The states are
// those that the mobile application of Mon espace santé shows its users; what
// the partner API answers in each is a setting.
type life struct {
	service string // status of the service for this patient alone, "" for the space's
	space   string // state of the holder's space, "" for active
	due     *due   // consents that must be approved again; replaced, never changed
}

// due is a new approval that is asked of the patient.
type due struct {
	reason string
	limit  time.Time
}

// SetServiceStatus gives the service a status in the catalogue.
func (s *Service) SetServiceStatus(status string) error {
	if !slices.Contains(control.ServiceStatuses(), status) {
		return fmt.Errorf("the status of the service is %q, it is one of %s", status, strings.Join(control.ServiceStatuses(), ", "))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.status = status
	return nil
}

// ServiceStatus implements identity.Pairings: the status of the service for a
// patient; for nobody in particular, that of the space.
func (s *Service) ServiceStatus(handle string) string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.serviceStatus(s.patients[handle])
}

// serviceStatus is the status for a patient, who may be nil; the caller holds the
// lock.
func (s *Service) serviceStatus(p *patient) string {
	switch {
	case p != nil && p.service != "":
		return p.service
	case s.status != "":
		return s.status
	}
	return control.ServiceOnline
}

// SetSpace says what became of a holder's space. One that is closed takes its
// pairing with it.
func (s *Service) SetSpace(handle, state string) error {
	if !slices.Contains(control.SpaceStates(), state) {
		return fmt.Errorf("the state of the holder's space is %q, it is one of %s", state, strings.Join(control.SpaceStates(), ", "))
	}
	s.change(handle, func(p *patient) {
		p.space = state
		if state != control.SpaceActive {
			p.paired, p.granted = false, nil
		}
	})
	return nil
}

// Happen carries out one of the acts of the life of a pairing.
func (s *Service) Happen(handle string, a control.Act) error {
	switch a.Kind {
	case control.ActServiceStatus:
		if a.Status != "" && !slices.Contains(control.ServiceStatuses(), a.Status) {
			return fmt.Errorf("the status of the service is %q, it is one of %s", a.Status, strings.Join(control.ServiceStatuses(), ", "))
		}
		s.change(handle, func(p *patient) { p.service = a.Status })
		return nil
	case control.ActHolderSpace:
		return s.SetSpace(handle, a.Status)
	case control.ActReapproval:
		if !slices.Contains(control.ReapprovalReasons(), a.Reason) || a.Until.IsZero() {
			return fmt.Errorf("a new approval is asked for one of %s and before a date (until); reason is %q", strings.Join(control.ReapprovalReasons(), ", "), a.Reason)
		}
		s.change(handle, func(p *patient) { p.due = &due{reason: a.Reason, limit: a.Until} })
		return nil
	case control.ActApprove:
		s.change(handle, func(p *patient) { p.due = nil })
		return nil
	}
	return fmt.Errorf("there is no act %q", a.Kind)
}

// Granted implements identity.Pairings.
func (s *Service) Granted(handle string) []string {
	p, _ := s.view(handle)
	out := []string{}
	for _, c := range s.codes() {
		if slices.Contains(p.granted, c) {
			out = append(out, c)
		}
	}
	return out
}

// Barred implements identity.Pairings.
func (s *Service) Barred(handle string) (identity.Bar, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	p, ok := s.patients[handle]
	if !ok {
		return identity.Bar{}, false
	}
	if p.space != "" && p.space != control.SpaceActive {
		return identity.Bar{By: record.WithheldSpace, State: p.space, Error: s.cfg.Settings.String("space.pairing")}, true
	}
	status := s.serviceStatus(p)
	code := s.cfg.Settings.ErrorIn("service.pairing", status)
	return identity.Bar{By: record.WithheldService, State: status, Error: code}, code != ""
}

// withheld says what holds back the calls of a patient whatever was agreed, nil
// when nothing does.
func (s *Service) withheld(f *record.CallFacts, p patient) *record.Issue {
	issue := func(by, rule, setting, expected, actual string, r settings.Refusal) *record.Issue {
		f.Withheld = by
		return &record.Issue{
			Rule: rule, Severity: "error", Code: r.Code, HTTP: r.HTTP, Expected: expected, Actual: actual,
			Setting: s.cfg.Settings.Assumed(setting),
		}
	}
	if p.space != "" && p.space != control.SpaceActive {
		return issue(record.WithheldSpace, "call.space", "space.calls", "a space that its holder keeps", p.space, s.cfg.Settings.Refusal("space.calls"))
	}
	s.mu.RLock()
	status := s.serviceStatus(&p)
	s.mu.RUnlock()
	if r, refused := s.cfg.Settings.RefusalIn("service.calls", status); refused {
		return issue(record.WithheldService, "call.service-status", "service.calls", "a service whose status lets it exchange", status, r)
	}
	if p.due != nil && p.paired && !s.cfg.Clock().Before(p.due.limit) {
		return issue(record.WithheldReapproval, "call.reapproval", "reapproval.answer", "consents approved again before "+p.due.limit.UTC().Format(time.RFC3339), p.due.reason, s.cfg.Settings.Refusal("reapproval.answer"))
	}
	return nil
}
