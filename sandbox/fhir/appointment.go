package fhir

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/etalon-sante/etalon/sandbox/record"
)

// The kinds of agenda item, as setting agenda.kinds names them.
const (
	VisitKind    = "appointment"
	StayKind     = "hospital-stay"
	ReminderKind = "reminder"
)

// Appointment is an item of the agenda, as far as it could be understood.
// Nothing of its form is public: each rule names the setting that it rests on.
type Appointment struct {
	Resource    map[string]any
	Identifier  string // "system|value" of the first identifier that has both
	Status      string
	Kind        string // VisitKind, StayKind or ReminderKind; "" when it is of none
	Source      string // meta.source
	Start       time.Time
	End         time.Time // zero when there is none
	RequestIDPe string    // idPe that the patient's participant names
	RequestAuth string
}

// Target is what an update is about, from its address; empty for a creation.
type Target struct {
	ID         string // PUT Appointment/{id}
	Identifier string // PUT Appointment?identifier=system|value
}

// Appointment reads and judges the creation of an agenda item, or its update
// where a target is given: one Appointment (FHIR R4), whole.
func (r *Rules) Appointment(raw []byte, to Target, c Context) (Appointment, []record.Issue) {
	var a Appointment
	p := &report{r: r}
	if most := r.set.Int("agenda.max-bytes"); len(raw) > most {
		p.add("appointment.size", "", "", fmt.Sprintf("a message of at most %d bytes", most), strconv.Itoa(len(raw)))
		return a, p.list
	}
	v, err := Decode(raw)
	if err != nil {
		pointer, what := asSyntax(err)
		p.add("appointment.json", "", pointer, "JSON in UTF-8 without repeated members", what)
		return a, p.list
	}
	o, _ := v.(map[string]any)
	if want := r.set.String("agenda.resource"); o == nil || text(o, "resourceType") != want {
		p.add("appointment.json", "", "/resourceType", want, show(o["resourceType"]))
		return a, p.list
	}
	a.Resource = o
	p.target(o, to)
	p.agendaItem(&a, c)
	timed := p.said("appointment.start", "/start") || p.said("appointment.end", "/end")
	p.shape(appointmentWord, o, "", "appointment.json", "shape", map[string]string{
		"status": "appointment.status", "start": "appointment.start", "end": "appointment.end", "participant": "appointment.participant",
		"identifier": "appointment.identifier", "appointmentType": "appointment.kind", "comment": "appointment.comment",
	})
	// The schema says of the whole what start or end was found to lack.
	p.list = slices.DeleteFunc(p.list, func(i record.Issue) bool { return timed && i.Rule == "appointment.json" && i.Pointer == "" })
	return a, p.list
}

// AgendaItem judges an item that the sandbox itself gives out, whoever's it is.
func (r *Rules) AgendaItem(o map[string]any) (Appointment, []record.Issue) {
	p := &report{r: r}
	a := Appointment{Resource: o}
	p.agendaItem(&a, Context{})
	return a, p.list
}

func (p *report) agendaItem(a *Appointment, c Context) {
	o := a.Resource
	a.Status, a.Source = text(o, "status"), text(object(o, "meta"), "source")
	if known := p.r.set.List("agenda.statuses"); !slices.Contains(known, a.Status) {
		p.add("appointment.status", "", "/status", "one of "+strings.Join(known, ", "), show(o["status"]))
	}
	p.agendaKind(a)
	p.agendaTimes(a)
	p.participants(a, c)
	p.agendaIdentifier(a)
	if most := p.r.set.Int("agenda.comment-max"); utf8.RuneCountInString(text(o, "comment")) > most {
		p.add("appointment.comment", "", "/comment", fmt.Sprintf("at most %d characters", most), strconv.Itoa(utf8.RuneCountInString(text(o, "comment"))))
	}
	if c.OID != "" && a.Source != "" && !sourceOf(a.Source, c.OID) {
		p.add("appointment.source", "", "/meta/source", "an address that begins with urn:oid:"+c.OID, a.Source)
	}
}

// sourceOf says whether meta.source is that of a solution, or of one of its
// parts.
func sourceOf(source, oid string) bool {
	rest, ok := strings.CutPrefix(strings.TrimPrefix(source, "urn:oid:"), oid)
	return ok && (rest == "" || rest[0] == '.' || rest[0] == '#')
}

// target holds the resource against the address of the update (FHIR R4
// §3.1.0.4: the id of the body is that of the address).
func (p *report) target(o map[string]any, to Target) {
	way := p.r.set.String("agenda.update")
	if to.ID != "" {
		if id := text(o, "id"); id != to.ID {
			p.add("appointment.target", "", "/id", to.ID, show(o["id"]))
		}
	}
	if to.ID != "" && way == "identifier" || to.Identifier != "" && way == "id" {
		p.add("appointment.target", "way", "", "an update by "+way, "another way")
	}
	if to.Identifier == "" {
		return
	}
	for _, x := range list(o, "identifier") {
		if text(x, "system")+"|"+text(x, "value") == to.Identifier {
			return
		}
	}
	p.add("appointment.target", "", "/identifier", to.Identifier, "another identifier")
}

func (p *report) agendaKind(a *Appointment) {
	system := p.r.set.String("agenda.kind-system")
	codes := []string{}
	for _, pair := range p.r.set.List("agenda.kinds") {
		kind, code, _ := strings.Cut(pair, "=")
		codes = append(codes, code)
		if a.Kind == "" && hasCoding(a.Resource["appointmentType"], system, func(c string) bool { return c == code }) {
			a.Kind = kind
		}
	}
	if a.Kind == "" {
		p.add("appointment.kind", "", "/appointmentType", system+"|"+strings.Join(codes, " or "), showCodes(a.Resource["appointmentType"]))
	}
}

// agendaTimes judges start and end, which are instants: to the second at least,
// with an offset (FHIR R4 §2.24.0.1).
func (p *report) agendaTimes(a *Appointment) {
	read := func(name string) (time.Time, bool) {
		v, given := a.Resource[name]
		if !given {
			return time.Time{}, false
		}
		s, _ := v.(string)
		d, err := readDate(s, p.r.zone)
		switch {
		case err != nil:
			p.add("appointment."+name, "", "/"+name, "an instant with its offset", show(v))
			return time.Time{}, false
		case !d.offset || strings.Count(s, ":") < 2:
			p.add("appointment."+name, "no-offset", "/"+name, "an instant, to the second, with its offset", s)
		}
		return d.low, true
	}
	var ok bool
	if a.Start, ok = read("start"); !ok && a.Resource["start"] == nil {
		p.add("appointment.start", "", "/start", "an instant with its offset", "nothing")
	}
	switch a.End, ok = read("end"); {
	case a.Resource["end"] == nil && a.Resource["start"] != nil: // FHIR R4, app-2
		p.add("appointment.end", "", "/end", "an instant: FHIR R4 wants both or neither", "nothing")
	case ok && a.End.Before(a.Start):
		p.add("appointment.end", "order", "/end", "an instant that is not before start", text(a.Resource, "end"))
	}
}

// participants judges who takes part: each with a status (FHIR R4), the patient
// by the identifier of the pairing, and somebody else by name.
func (p *report) participants(a *Appointment, c Context) {
	all := list(a.Resource, "participant")
	if len(all) == 0 {
		p.add("appointment.participant", "", "/participant", "at least one participant", show(a.Resource["participant"]))
	}
	named, at := false, ""
	for i, x := range all {
		if s := text(x, "status"); !slices.Contains([]string{"accepted", "declined", "tentative", "needs-action"}, s) {
			p.add("appointment.participant", "status", fmt.Sprintf("/participant/%d/status", i), "accepted, declined, tentative or needs-action", orNothing(s))
		}
		actor := object(x, "actor")
		id := object(actor, "identifier")
		if at == "" && text(id, "value") != "" && (text(actor, "type") == "Patient" || c.AssignAuth != "" && text(id, "system") == c.AssignAuth) {
			a.RequestIDPe, a.RequestAuth = text(id, "value"), text(id, "system")
			at = fmt.Sprintf("/participant/%d/actor/identifier", i)
			continue
		}
		named = named || strings.TrimSpace(text(actor, "display")) != ""
	}
	if !named && a.Kind != ReminderKind && p.r.set.Bool("agenda.provider") {
		p.add("appointment.provider", "", "/participant", "a participant other than the patient, with a name in actor.display", "none")
	}
	switch {
	case at == "" || a.RequestAuth == "":
		if p.r.set.String("agenda.subject") == "participant" {
			p.add("appointment.subject", "", "/participant", "a participant of type Patient whose actor.identifier has system (naming authority) and value (idPe)", "none")
		}
		return
	case c.IDPe != "" && a.RequestIDPe != c.IDPe:
		p.add("appointment.subject", "other-patient", at+"/value", "the idPe of the id_token", "another idPe")
	}
	if c.AssignAuth != "" && a.RequestAuth != c.AssignAuth {
		p.add("appointment.subject", "other-authority", at+"/system", "the naming authority given at pairing", "another one")
	}
}

func (p *report) agendaIdentifier(a *Appointment) {
	for _, x := range list(a.Resource, "identifier") {
		if s, v := text(x, "system"), text(x, "value"); a.Identifier == "" && s != "" && v != "" {
			a.Identifier = s + "|" + v
		}
	}
	if a.Identifier == "" && p.r.set.Bool("agenda.identifier") {
		p.add("appointment.identifier", "", "/identifier", "an identifier of the service, with system and value", show(a.Resource["identifier"]))
	}
}

// AppointmentSearch is a search of the agenda.
type AppointmentSearch struct {
	IDPe       string
	Auth       string // naming authority of the idPe
	Statuses   []string
	Identifier string // "system|value"
	From       *Bound // of start
	To         *Bound
	Offset     int // page number, from 0
	Count      int // page size
}

// Matches says whether an item that starts in [low, high) satisfies the bounds.
func (s AppointmentSearch) Matches(low, high time.Time) bool { return within(s.From, s.To, low, high) }

// AppointmentSearch reads and judges the query of a search of the agenda. Its
// parameters and its paging are assumed (settings agenda.search and
// agenda.count-max).
func (r *Rules) AppointmentSearch(q url.Values, c Context) (AppointmentSearch, []record.Issue) {
	p := &report{r: r}
	who := r.set.String("agenda.search")
	p.unknown("appsearch.unknown-parameter", q, who, "date", "status", "identifier", "_count", "_offset")
	var s AppointmentSearch
	s.IDPe, s.Auth = p.person("appsearch.patient", q, who, c)
	if q.Has("status") {
		known := r.set.List("agenda.statuses")
		for _, status := range strings.Split(p.once("appsearch.status", q, "status"), ",") {
			if !slices.Contains(known, status) {
				p.add("appsearch.status", "", "?status", "some of "+strings.Join(known, ", "), orNothing(status))
				continue
			}
			s.Statuses = append(s.Statuses, status)
		}
	}
	if q.Has("identifier") {
		s.Identifier = p.once("appsearch.identifier", q, "identifier")
		if system, value, ok := strings.Cut(s.Identifier, "|"); !ok || system == "" || value == "" {
			p.add("appsearch.identifier", "", "?identifier", "system|value", orNothing(s.Identifier))
		}
	}
	s.From, s.To = p.bounds("appsearch.date", q, "date", false)
	s.Count = p.count("appsearch.count", q, r.set.Int("agenda.count-default"), r.set.Int("agenda.count-max"))
	s.Offset = p.offset("appsearch.count", q)
	return s, p.list
}
