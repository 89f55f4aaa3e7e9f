package mes

import (
	"crypto/sha1" //nolint:gosec // FHIR R4 fixes SHA-1 for Attachment.hash
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/etalon-sante/etalon/sandbox/exchange"
	"github.com/etalon-sante/etalon/sandbox/fhir"
	"github.com/etalon-sante/etalon/sandbox/record"
)

// FeedDocument takes a DocumentReference with its content (flow F1; close to
// ITI-105, to which it is compared by ANS).
func (s *Service) FeedDocument(x *exchange.Exchange) exchange.Answer {
	var doc fhir.Document
	acc, _, out, done := s.gate(x, operation{kind: "documents", write: true, read: func(c fhir.Context) (string, string, []record.Issue) {
		var issues []record.Issue
		doc, issues = s.cfg.Rules.Document(x.Body, c)
		return doc.RequestIDPe, doc.RequestAuth, append(issues, s.media(x)...)
	}})
	if done {
		return out
	}
	if doc.Resource == nil {
		return s.unreadable(x, "a DocumentReference with attachment.data")
	}
	if out, done := s.clinical(x, acc.Handle, doc); done {
		return out
	}
	same := s.sameAs(acc.Handle, doc)
	x.Facts.Call.Documents = []record.DocumentFacts{{
		Category: doc.Category, Media: doc.ContentType, Title: doc.Title, Created: doc.CreatedText, Size: doc.Size, Digest: doc.Digest, SameAs: same, PracticeSetting: doc.PracticeSetting,
	}}
	if same != "" {
		issue, no := s.duplicate(same)
		x.Issue(issue)
		if no {
			return s.refuse(issue.HTTP, []record.Issue{issue})
		}
	}
	stored, err := s.storeDocument(acc.Handle, doc, false)
	if err != nil {
		return s.refuse(http.StatusUnprocessableEntity, []record.Issue{{Severity: "error", Code: "invalid", HTTP: http.StatusUnprocessableEntity, Actual: err.Error()}})
	}
	x.Facts.Call.ResourceID, x.Facts.Call.Stored = stored.ID, true
	x.Facts.Call.Documents[0].ID = stored.ID
	created := s.answer(http.StatusCreated, stored.JSON)
	created.Header.Set("Location", s.cfg.Base+"/DocumentReference/"+stored.ID)
	return created
}

// storeDocument keeps a document: its metadata lead to its content by an
// address in place of attachment.data.
func (s *Service) storeDocument(patient string, doc fhir.Document, seeded bool) (Resource, error) {
	id := s.newID(patient, kindDocument)
	d := clone(doc.Resource)
	d["id"] = id
	contents, _ := d["content"].([]any)
	if len(contents) > 0 {
		first, _ := contents[0].(map[string]any)
		first = clone(first)
		attachment, _ := first["attachment"].(map[string]any)
		attachment = clone(attachment)
		delete(attachment, "data")
		sum := sha1.Sum(doc.Content) //nolint:gosec // as above
		attachment["url"] = s.cfg.Base + "/Binary/" + id
		attachment["size"] = len(doc.Content)
		attachment["hash"] = base64.StdEncoding.EncodeToString(sum[:])
		first["attachment"] = attachment
		d["content"] = append([]any{first}, contents[1:]...)
	}
	b, err := json.Marshal(d)
	if err != nil {
		return Resource{}, fmt.Errorf("write the DocumentReference: %w", err)
	}
	low := doc.Created
	if low.IsZero() {
		low = s.cfg.Clock()
	}
	r := Resource{
		Kind: kindDocument, ID: id, Patient: patient, Key: doc.Category, Seeded: seeded,
		Low: low, High: low.Add(time.Millisecond), JSON: b, Content: doc.Content, Media: doc.ContentType,
		Digest: doc.Digest, Title: doc.Title, Created: doc.CreatedText, Identifiers: doc.Identifiers, Confidential: doc.Confidential,
	}
	s.cfg.Store.Put(r)
	return r, nil
}

// SearchDocuments answers a search of documents (flow F2).
func (s *Service) SearchDocuments(x *exchange.Exchange) exchange.Answer {
	var search fhir.DocumentSearch
	acc, p, out, done := s.gate(x, operation{kind: "documents", read: func(c fhir.Context) (string, string, []record.Issue) {
		if x.QueryError != nil {
			return "", "", badQuery()
		}
		var issues []record.Issue
		search, issues = s.cfg.Rules.DocumentSearch(x.Query, c)
		return search.IDPe, search.Auth, issues
	}})
	if done {
		return out
	}
	var found []Resource
	for _, r := range s.cfg.Store.List(acc.Handle, kindDocument) {
		if (search.Category == "" || r.Key == search.Category) && search.Matches(r.Low, r.High) && s.lists(p, r) {
			found = append(found, r)
		}
	}
	newestFirst(found)
	count := s.count(search.Count, "document")
	page := cut(found, search.Offset, count)
	x.Facts.Call.Returned = len(page)
	set := searchset{ResourceType: "Bundle", Type: "searchset", Total: len(found), Link: s.links(x, "/DocumentReference", search.Offset, count, len(found))}
	for _, r := range page {
		x.Facts.Call.Documents = append(x.Facts.Call.Documents, r.facts())
		set.Entry = append(set.Entry, s.entry(r, "match"))
	}
	return s.searchset(set)
}

// ReadDocument gives out the content of a document (flow F3): its bytes, or a
// Binary resource to who accepts FHIR alone.
func (s *Service) ReadDocument(x *exchange.Exchange, id string) exchange.Answer {
	var doc Resource
	found := false
	_, p, out, done := s.gate(x, operation{kind: "documents", read: func(fhir.Context) (string, string, []record.Issue) {
		if doc, found = s.cfg.Store.Find(kindDocument, id); !found {
			return "", "", nil
		}
		// The address of a document names its patient.
		owner, _ := s.view(doc.Patient)
		return owner.idpe, owner.auth, nil
	}})
	if done {
		return out
	}
	if !found {
		return s.refuse(http.StatusNotFound, []record.Issue{{Severity: "error", Code: "not-found", HTTP: http.StatusNotFound, Actual: "no document has this id"}})
	}
	x.Facts.Call.ResourceID = doc.ID
	x.Facts.Call.Documents = []record.DocumentFacts{doc.facts()}
	if why := s.keeps(p, doc); why != "" {
		x.Facts.Call.Documents[0].Withheld = why
		status, setting := s.cfg.Settings.Int("document.withheld-status"), s.cfg.Settings.Assumed("document.withheld-status")
		if why == administrative {
			status, setting = http.StatusForbidden, s.cfg.Settings.Assumed("document.administrative")
		}
		i := record.Issue{Rule: "call.document-" + why, Severity: "error", Code: "forbidden", HTTP: status, Expected: "a document that is shared with the service", Actual: why, Setting: setting}
		if status == http.StatusNotFound {
			i.Code = "not-found"
		}
		x.Issue(i)
		return s.refuse(status, []record.Issue{i})
	}
	x.Facts.Call.Returned = 1
	if strings.Contains(x.HTTP.Header.Get("Accept"), "application/fhir+json") {
		b, err := binary(doc)
		if err != nil {
			return s.refuse(http.StatusInternalServerError, []record.Issue{{Severity: "fatal", Code: "exception", HTTP: 500, Expected: "a document that can be written"}})
		}
		return s.answer(http.StatusOK, b)
	}
	answer := exchange.New(http.StatusOK, doc.Media, doc.Content)
	answer.Header.Set("X-Content-Type-Options", "nosniff")
	return answer
}
