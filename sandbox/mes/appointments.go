package mes

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/etalon-sante/etalon/sandbox/exchange"
	"github.com/etalon-sante/etalon/sandbox/fhir"
	"github.com/etalon-sante/etalon/sandbox/record"
)

// authorService is the author of what a service adds: setting agenda.authors.
const authorService = "EDITOR_SOLUTION"

// SendAppointment creates an agenda item. That the API does so is all that is
// known: the form is that of FHIR R4, the flow that of the ANS guide GAP (6a).
func (s *Service) SendAppointment(x *exchange.Exchange) exchange.Answer {
	var a fhir.Appointment
	acc, p, out, done := s.gate(x, operation{kind: "agenda", write: true, read: func(c fhir.Context) (string, string, []record.Issue) {
		var issues []record.Issue
		a, issues = s.cfg.Rules.Appointment(x.Body, fhir.Target{}, c)
		return a.RequestIDPe, a.RequestAuth, append(issues, s.media(x)...)
	}})
	if done {
		return out
	}
	if a.Resource == nil {
		return s.unreadable(x, "an Appointment")
	}
	s.agenda.Lock()
	defer s.agenda.Unlock()
	if cond := x.HTTP.Header.Get("If-None-Exist"); cond != "" { // FHIR R4 §3.1.0.8.1
		if found := s.byIdentifier(acc.Handle, strings.TrimPrefix(cond, "identifier=")); len(found) > 0 {
			x.Facts.Call.ResourceID = found[0].ID
			return s.item(http.StatusOK, found[0])
		}
	}
	if same := s.byIdentifier(acc.Handle, a.Identifier); len(same) > 0 && s.cfg.Settings.Bool("agenda.identifier") {
		i := record.Issue{
			Rule: "appointment.duplicate", Severity: "error", Code: "duplicate", HTTP: http.StatusConflict, Pointer: "/identifier",
			Expected: "an update of the item that bears this identifier", Actual: "a second creation", Setting: s.cfg.Settings.Assumed("agenda.identifier"),
		}
		x.Issue(i)
		if !p.tolerant {
			return s.refuse(i.HTTP, []record.Issue{i})
		}
	}
	r, err := s.storeAppointment(acc.Handle, s.newID(acc.Handle, kindAppointment), a, Resource{})
	if err != nil {
		return s.notKept(err)
	}
	x.Facts.Call.ResourceID, x.Facts.Call.Stored = r.ID, true
	return s.item(http.StatusCreated, r)
}

// UpdateAppointment replaces an agenda item, by its id or by its identifier
// (GAP, flow 6b). To cancel is to give the status cancelled.
func (s *Service) UpdateAppointment(x *exchange.Exchange, id string) exchange.Answer {
	var a fhir.Appointment
	to := fhir.Target{ID: id, Identifier: x.Query.Get("identifier")}
	acc, _, out, done := s.gate(x, operation{kind: "agenda", write: true, read: func(c fhir.Context) (string, string, []record.Issue) {
		if x.QueryError != nil || to == (fhir.Target{}) {
			return "", "", badQuery()
		}
		var issues []record.Issue
		a, issues = s.cfg.Rules.Appointment(x.Body, to, c)
		return a.RequestIDPe, a.RequestAuth, append(issues, s.media(x)...)
	}})
	if done {
		return out
	}
	if a.Resource == nil || to == (fhir.Target{}) {
		return s.unreadable(x, "an Appointment, at its address")
	}
	s.agenda.Lock()
	defer s.agenda.Unlock()
	was, i := s.targeted(acc.Handle, to)
	if i == nil && was.ID != "" {
		i = s.mayReplace(x, acc.Handle, was)
	}
	if i != nil {
		x.Issue(*i)
		return s.refuse(i.HTTP, []record.Issue{*i})
	}
	status := http.StatusOK
	if id = was.ID; id == "" { // FHIR R4 §3.1.0.4.3: what nothing matches is created
		id, status = s.newID(acc.Handle, kindAppointment), http.StatusCreated
	}
	r, err := s.storeAppointment(acc.Handle, id, a, was)
	if err != nil {
		return s.notKept(err)
	}
	x.Facts.Call.ResourceID, x.Facts.Call.Stored = r.ID, true
	return s.item(status, r)
}

// targeted finds what an update is about; nothing, when it is about what a
// conditional update would create.
func (s *Service) targeted(patient string, to fhir.Target) (Resource, *record.Issue) {
	if to.ID != "" {
		r, found := s.cfg.Store.Find(kindAppointment, to.ID)
		if !found {
			return r, &record.Issue{
				Rule: "appointment.unknown", Severity: "error", Code: "not-found", HTTP: http.StatusNotFound,
				Expected: "the id of an agenda item", Actual: "no item has this id", Setting: s.cfg.Settings.Assumed("agenda.update"),
			}
		}
		return r, nil
	}
	found := s.byIdentifier(patient, to.Identifier)
	switch len(found) {
	case 0:
		return Resource{}, nil
	case 1:
		return found[0], nil
	}
	return Resource{}, &record.Issue{
		Rule: "appointment.several", Severity: "error", Code: "multiple-matches", HTTP: http.StatusPreconditionFailed, Pointer: "?identifier",
		Expected: "an identifier of one item", Actual: strconv.Itoa(len(found)) + " items", Setting: s.cfg.Settings.Assumed("agenda.update"),
	}
}

// mayReplace says why an item may not be replaced: it is of another patient, of
// another author, or has been changed meanwhile.
func (s *Service) mayReplace(x *exchange.Exchange, patient string, was Resource) *record.Issue {
	if was.Patient != patient {
		return &record.Issue{Rule: "call.idpe", Severity: "error", Code: "forbidden", HTTP: http.StatusForbidden, Expected: "an item of the patient of the token", Actual: "an item of another patient"}
	}
	if was.Source != s.cfg.OID {
		return &record.Issue{
			Rule: "appointment.foreign", Severity: "error", Code: "forbidden", HTTP: s.cfg.Settings.Int("agenda.foreign-status"),
			Expected: "an item that this service has added", Actual: "an item of another author", Setting: s.cfg.Settings.Assumed("agenda.foreign-status"),
		}
	}
	if match := x.HTTP.Header.Get("If-Match"); match != "" && match != "*" && match != version(was) {
		return &record.Issue{
			Rule: "appointment.version", Severity: "error", Code: "conflict", HTTP: http.StatusPreconditionFailed, Pointer: "header:If-Match",
			Expected: version(was), Actual: match, Setting: s.cfg.Settings.Assumed("agenda.update"),
		}
	}
	return nil
}

func version(r Resource) string { return `W/"` + strconv.Itoa(r.Version) + `"` }

// byIdentifier are a patient's items that bear an identifier.
func (s *Service) byIdentifier(patient, identifier string) []Resource {
	var out []Resource
	for _, r := range s.cfg.Store.List(patient, kindAppointment) {
		if identifier != "" && r.Named == identifier {
			out = append(out, r)
		}
	}
	return out
}

// storeAppointment keeps an item that the service adds, or that takes the place
// of an earlier version.
func (s *Service) storeAppointment(patient, id string, a fhir.Appointment, was Resource) (Resource, error) {
	r := Resource{Kind: kindAppointment, ID: id, Patient: patient, Source: s.cfg.OID, Version: was.Version + 1}
	meta := s.authored(a.Resource, authorService)
	if a.Source == "" {
		meta["source"] = "urn:oid:" + s.cfg.OID
	}
	if err := s.fill(&r, a, meta); err != nil {
		return r, err
	}
	if was.ID == "" {
		s.cfg.Store.Put(r)
	} else {
		s.cfg.Store.Replace(r)
	}
	return r, nil
}

// authored is meta with the author among its tags, whatever the service wrote
// there.
func (s *Service) authored(o map[string]any, author string) map[string]any {
	m, _ := o["meta"].(map[string]any)
	meta := clone(m)
	meta["tag"] = []any{map[string]any{"system": s.cfg.Settings.String("agenda.author-system"), "code": author}}
	return meta
}

// fill writes what is kept of an item.
func (s *Service) fill(r *Resource, a fhir.Appointment, meta map[string]any) error {
	meta["versionId"] = strconv.Itoa(r.Version)
	meta["lastUpdated"] = s.cfg.Clock().UTC().Format("2006-01-02T15:04:05.000Z")
	o := clone(a.Resource)
	o["id"], o["meta"] = r.ID, meta
	b, err := json.Marshal(o)
	if err != nil {
		return fmt.Errorf("write the Appointment: %w", err)
	}
	r.JSON, r.Key, r.Named = b, a.Status, a.Identifier
	r.Low = a.Start
	if r.Low.IsZero() { // a tolerant record takes one without a start
		r.Low = s.cfg.Clock()
	}
	r.High = r.Low.Add(time.Second)
	return nil
}

// item answers with one item and its version.
func (s *Service) item(status int, r Resource) exchange.Answer {
	out := s.answer(status, r.JSON)
	out.Header.Set("ETag", version(r))
	if status == http.StatusCreated {
		out.Header.Set("Location", s.cfg.Base+"/Appointment/"+r.ID)
	}
	return out
}

func (s *Service) notKept(err error) exchange.Answer {
	return s.refuse(http.StatusUnprocessableEntity, []record.Issue{{Severity: "error", Code: "invalid", HTTP: http.StatusUnprocessableEntity, Actual: err.Error()}})
}

// ReadAppointment gives out one item, whoever added it.
func (s *Service) ReadAppointment(x *exchange.Exchange, id string) exchange.Answer {
	var r Resource
	found := false
	_, _, out, done := s.gate(x, operation{kind: "agenda", read: func(fhir.Context) (string, string, []record.Issue) {
		if r, found = s.cfg.Store.Find(kindAppointment, id); !found {
			return "", "", nil
		}
		// The address of an item names its patient.
		owner, _ := s.view(r.Patient)
		return owner.idpe, owner.auth, nil
	}})
	if done {
		return out
	}
	if !found {
		return s.refuse(http.StatusNotFound, []record.Issue{{Severity: "error", Code: "not-found", HTTP: http.StatusNotFound, Actual: "no agenda item has this id"}})
	}
	x.Facts.Call.ResourceID, x.Facts.Call.Returned = r.ID, 1
	return s.item(http.StatusOK, r)
}

// SearchAppointments answers a search of the agenda, the earliest first, as an
// agenda is read.
func (s *Service) SearchAppointments(x *exchange.Exchange) exchange.Answer {
	var search fhir.AppointmentSearch
	acc, _, out, done := s.gate(x, operation{kind: "agenda", read: func(c fhir.Context) (string, string, []record.Issue) {
		if x.QueryError != nil {
			return "", "", badQuery()
		}
		var issues []record.Issue
		search, issues = s.cfg.Rules.AppointmentSearch(x.Query, c)
		return search.IDPe, search.Auth, issues
	}})
	if done {
		return out
	}
	var found []Resource
	for _, r := range s.cfg.Store.List(acc.Handle, kindAppointment) {
		if (len(search.Statuses) == 0 || slices.Contains(search.Statuses, r.Key)) &&
			(search.Identifier == "" || search.Identifier == r.Named) && search.Matches(r.Low, r.High) {
			found = append(found, r)
		}
	}
	slices.SortStableFunc(found, func(a, b Resource) int { return a.Low.Compare(b.Low) })
	count := s.count(search.Count, "agenda")
	page := cut(found, search.Offset, count)
	x.Facts.Call.Returned = len(page)
	set := searchset{ResourceType: "Bundle", Type: "searchset", Total: len(found), Link: s.links(x, "/Appointment", search.Offset, count, len(found))}
	for _, r := range page {
		set.Entry = append(set.Entry, s.entry(r, "match"))
	}
	return s.searchset(set)
}

// seedAppointment prepares an item that the record already holds: of the
// patient, of a professional or of some service.
func (s *Service) seedAppointment(handle string, p patient, where string, raw json.RawMessage) (func() (Resource, error), error) {
	m, err := resource(raw, where, kindAppointment)
	if err != nil {
		return nil, err
	}
	m["participant"] = append([]any{map[string]any{
		"actor":  map[string]any{"type": "Patient", "identifier": map[string]any{"system": p.auth, "value": p.idpe}},
		"status": "accepted",
	}}, list(m["participant"])...)
	a, issues := s.cfg.Rules.AgendaItem(m)
	if err := refused(where, issues); err != nil {
		return nil, err
	}
	author, err := s.author(where, m)
	if err != nil {
		return nil, err
	}
	return func() (Resource, error) {
		r := Resource{Kind: kindAppointment, ID: s.newID(handle, kindAppointment), Patient: handle, Source: strings.TrimPrefix(a.Source, "urn:oid:"), Seeded: true, Version: 1}
		err := s.fill(&r, a, s.authored(m, author))
		if err == nil {
			s.cfg.Store.Put(r)
		}
		return r, err
	}, nil
}

// author reads who added a seeded item; nothing is given out without one.
func (s *Service) author(where string, m map[string]any) (string, error) {
	known := s.cfg.Settings.List("agenda.authors")
	meta, _ := m["meta"].(map[string]any)
	for _, t := range list(meta["tag"]) {
		tag, _ := t.(map[string]any)
		if code, _ := tag["code"].(string); tag["system"] == s.cfg.Settings.String("agenda.author-system") && slices.Contains(known, code) {
			return code, nil
		}
	}
	return "", fmt.Errorf("%s names no author in meta.tag: one of %s is expected, with the system of the settings", where, strings.Join(known, ", "))
}

func list(v any) []any {
	l, _ := v.([]any)
	return l
}
