package mes

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"

	"github.com/etalon-sante/etalon/sandbox/fhir"
	"github.com/etalon-sante/etalon/sandbox/record"
)

// The reasons for which a document is kept from the service.
const (
	notShared      = "not-shared"
	hidden         = "hidden"
	administrative = "administrative"
)

// Share shares one document with the service, or ends that: consent is possible
// document by document, on the patient's initiative (doctrine of exchanges, D9).
func (s *Service) Share(handle, id string, on bool) error {
	if r, ok := s.cfg.Store.Find(kindDocument, id); !ok || r.Patient != handle {
		return fmt.Errorf("the record of patient %s holds no document %q: give an id that a seed or a feed was answered with", handle, id)
	}
	s.change(handle, func(p *patient) {
		if p.withheld == nil {
			p.withheld = map[string]bool{}
		}
		p.withheld[id] = !on
	})
	return nil
}

// Cut closes documents to the service for a patient, or opens them again: what
// follows a feeding rate that stays too low (doctrine of exchanges, D17).
func (s *Service) Cut(handle string, on bool) {
	s.change(handle, func(p *patient) { p.cut = on })
}

// OpenReading opens the reading of documents to the service for a patient, or
// closes it: reading opens progressively (doctrine of exchanges, D18).
func (s *Service) OpenReading(handle string, on bool) {
	s.change(handle, func(p *patient) { p.unread = !on })
}

// closed says why an operation on documents is closed to the service, nil when
// it is open. Measures know no such condition (doctrine, D20).
func (s *Service) closed(op operation, p patient) *record.Issue {
	if op.kind != "documents" {
		return nil
	}
	refuse := func(rule, setting, expected, actual string) *record.Issue {
		i := &record.Issue{Rule: rule, Severity: "error", Code: "forbidden", HTTP: http.StatusForbidden, Expected: expected, Actual: actual}
		if setting != "" {
			i.Setting = s.cfg.Settings.Assumed(setting)
		}
		return i
	}
	switch {
	case p.cut:
		return refuse("call.access-cut", "", "an access that is open", "the access of the service to documents is cut")
	case !op.write && (p.unread || s.cfg.Settings.String("document.reading") == "closed"):
		return refuse("call.phase", "document.reading", "a service to which reading is open", "a service outside the pilot phase")
	}
	return nil
}

// keeps says why a document is kept from the service, "" when it is not.
func (s *Service) keeps(p patient, r Resource) string {
	switch {
	case p.withheld[r.ID]:
		return notShared
	case s.hides(r):
		return hidden
	case r.Key == fhir.AdministrativeCategory && s.cfg.Settings.String("document.administrative") != "open":
		return administrative
	}
	return ""
}

// lists says whether a search gives a document.
func (s *Service) lists(p patient, r Resource) bool {
	switch s.keeps(p, r) {
	case "":
		return true
	case administrative:
		return s.cfg.Settings.String("document.administrative") == "refused"
	}
	return false
}

// hides says whether the confidentiality of a document keeps it from a service
// that shows it to the patient.
func (s *Service) hides(r Resource) bool {
	codes := s.cfg.Settings.List("document.hidden-codes")
	return slices.ContainsFunc(r.Confidential, func(c string) bool { return slices.Contains(codes, c) })
}

// sameAs finds an earlier document of a patient with the same content or the
// same identifier, nothing when there is none: attention to duplicates is asked
// of who writes (doctrine of exchanges, D5).
func (s *Service) sameAs(handle string, doc fhir.Document) string {
	for _, r := range s.cfg.Store.List(handle, kindDocument) {
		if r.Digest == doc.Digest || slices.ContainsFunc(doc.Identifiers, func(i string) bool { return slices.Contains(r.Identifiers, i) }) {
			return r.ID
		}
	}
	return ""
}

// facts describes a document for the journal.
func (r Resource) facts() record.DocumentFacts {
	return record.DocumentFacts{
		ID: r.ID, Category: r.Key, Media: r.Media, Title: r.Title, Created: r.Created, Size: len(r.Content), Digest: r.Digest,
	}
}

// duplicate answers a document that the record holds already, as the setting
// has it; done is false when it is stored again.
func (s *Service) duplicate(id string) (issue record.Issue, refused bool) {
	issue = record.Issue{
		Rule: "document.duplicate", Severity: "warning", Code: "duplicate", Pointer: "/content/0/attachment/data",
		Expected: "a document that the record does not hold yet", Actual: "the same as document " + id,
		Setting: s.cfg.Settings.Assumed("document.duplicate"),
	}
	if s.cfg.Settings.String("document.duplicate") == "refuse" {
		issue.Severity, issue.HTTP = "error", http.StatusConflict
		return issue, true
	}
	return issue, false
}

// binary is a document in the form of a FHIR Binary.
func binary(doc Resource) ([]byte, error) {
	return json.Marshal(struct {
		ResourceType string `json:"resourceType"`
		ID           string `json:"id"`
		ContentType  string `json:"contentType"`
		Data         []byte `json:"data"`
	}{"Binary", doc.ID, doc.Media, doc.Content})
}
