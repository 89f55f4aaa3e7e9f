package mes

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"github.com/etalon-sante/etalon/sandbox/control"
	"github.com/etalon-sante/etalon/sandbox/fhir"
	"github.com/etalon-sante/etalon/sandbox/record"
)

// maxSeed bounds how many resources one seed holds.
const maxSeed = 5000

// Seed puts existing content into a record. What the sandbox will give out
// passes the rules that it applies to others, or is refused here; among the
// measures an OperationOutcome may stand, which searches then return as one
// (search mode "outcome").
func (s *Service) Seed(handle string, seed control.Seed) (control.Seeded, error) {
	p, ok := s.view(handle)
	if !ok {
		return control.Seeded{}, fmt.Errorf("there is no patient %q", handle)
	}
	if n := len(seed.Measures) + len(seed.Devices) + len(seed.Documents) + len(seed.Appointments); n > maxSeed {
		return control.Seeded{}, fmt.Errorf("the seed holds %d resources, %d are the most", n, maxSeed)
	}
	subject := map[string]any{"identifier": map[string]any{"system": p.auth, "value": p.idpe}}
	var put []func() (Resource, error)
	for i, raw := range seed.Devices {
		m, err := resource(raw, fmt.Sprintf("devices[%d]", i), kindDevice)
		if err != nil {
			return control.Seeded{}, err
		}
		id, _ := m["id"].(string)
		if !isID(id) {
			return control.Seeded{}, fmt.Errorf("devices[%d] has no id by which an Observation could name it", i)
		}
		put = append(put, func() (Resource, error) {
			b, err := json.Marshal(m)
			r := Resource{Kind: kindDevice, ID: id, Patient: handle, Seeded: true, JSON: b}
			if err == nil {
				s.cfg.Store.Put(r)
			}
			return r, err
		})
	}
	for i, raw := range seed.Measures {
		where := fmt.Sprintf("measures[%d]", i)
		m, err := resource(raw, where, kindObservation, kindOutcome)
		if err != nil {
			return control.Seeded{}, err
		}
		if m["resourceType"] == kindOutcome {
			put = append(put, func() (Resource, error) {
				b, err := json.Marshal(m)
				r := Resource{Kind: kindOutcome, ID: s.newID(handle, kindOutcome), Patient: handle, Seeded: true, JSON: b}
				if err == nil {
					s.cfg.Store.Put(r)
				}
				return r, err
			})
			continue
		}
		m["subject"] = subject
		if err := refused(where, s.cfg.Rules.Observation(m)); err != nil {
			return control.Seeded{}, err
		}
		id, _ := m["id"].(string)
		if _, taken := s.cfg.Store.Find(kindObservation, id); taken || !isID(id) {
			id = ""
		}
		put = append(put, func() (Resource, error) { return s.storeMeasure(handle, m, "", id, true) })
	}
	for i, raw := range seed.Documents {
		where := fmt.Sprintf("documents[%d]", i)
		m, err := resource(raw, where, kindDocument)
		if err != nil {
			return control.Seeded{}, err
		}
		m["subject"] = subject
		b, err := json.Marshal(m)
		if err != nil {
			return control.Seeded{}, fmt.Errorf("write %s: %w", where, err)
		}
		doc, issues := s.cfg.Rules.Document(b, fhir.Context{IDPe: p.idpe, AssignAuth: p.auth, OID: s.cfg.OID})
		issues = slices.DeleteFunc(issues, func(i record.Issue) bool { return slices.Contains(seed.Tolerate, i.Rule) })
		if err := refused(where, issues); err != nil {
			return control.Seeded{}, err
		}
		put = append(put, func() (Resource, error) { return s.storeDocument(handle, doc, true) })
	}
	for i, raw := range seed.Appointments {
		keep, err := s.seedAppointment(handle, p, fmt.Sprintf("appointments[%d]", i), raw)
		if err != nil {
			return control.Seeded{}, err
		}
		put = append(put, keep)
	}
	// Nothing is kept unless all of it is good.
	out := control.Seeded{Measures: []string{}, Documents: []string{}, Appointments: []string{}}
	for _, f := range put {
		r, err := f()
		if err != nil {
			return control.Seeded{}, fmt.Errorf("keep a seeded %s: %w", r.Kind, err)
		}
		switch r.Kind {
		case kindObservation, kindOutcome:
			out.Measures = append(out.Measures, r.ID)
		case kindDocument:
			out.Documents = append(out.Documents, r.ID)
		case kindAppointment:
			out.Appointments = append(out.Appointments, r.ID)
		}
	}
	return out, nil
}

// resource reads one resource of a seed, strictly.
func resource(raw json.RawMessage, where string, kinds ...string) (map[string]any, error) {
	v, err := fhir.Decode(raw)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", where, err)
	}
	m, _ := v.(map[string]any)
	for _, k := range kinds {
		if m["resourceType"] == k {
			return m, nil
		}
	}
	return nil, fmt.Errorf("%s is of type %s, %s is expected", where, strconv.Quote(fmt.Sprint(m["resourceType"])), kinds[0])
}

// refused turns the errors among issues into one that says what is wrong.
func refused(where string, issues []record.Issue) error {
	for _, i := range issues {
		if i.Severity == "error" {
			return fmt.Errorf("%s would break the rule %s that the sandbox applies to others: at %s expected %s, got %s", where, i.Rule, i.Pointer, i.Expected, i.Actual)
		}
	}
	return nil
}

// isID says whether a text is what FHIR R4 allows as an id.
func isID(text string) bool {
	for _, c := range []byte(text) {
		if !('0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '-' || c == '.') {
			return false
		}
	}
	return text != "" && len(text) <= 64
}
