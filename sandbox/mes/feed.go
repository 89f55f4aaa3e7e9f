package mes

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/etalon-sante/etalon/sandbox/exchange"
	"github.com/etalon-sante/etalon/sandbox/fhir"
	"github.com/etalon-sante/etalon/sandbox/record"
)

// FeedMeasure takes a transaction that feeds one measure.
func (s *Service) FeedMeasure(x *exchange.Exchange) exchange.Answer {
	var feed fhir.Feed
	acc, _, out, done := s.gate(x, operation{kind: "measures", write: true, read: func(c fhir.Context) (string, string, []record.Issue) {
		var issues []record.Issue
		feed, issues = s.cfg.Rules.Feed(x.Body, c)
		return feed.RequestIDPe, feed.RequestAuth, append(issues, s.media(x)...)
	}})
	if done {
		return out
	}
	if feed.Observation == nil {
		// Tolerance ends where there is nothing to store.
		return s.unreadable(x, "a Bundle that creates an Observation")
	}
	var deviceID string
	deviceNew := false
	if feed.Device != nil {
		deviceID, deviceNew = s.device(acc.Handle, feed)
	}
	stored, err := s.storeMeasure(acc.Handle, feed.Observation, deviceID, "", false)
	if err != nil {
		return s.refuse(http.StatusUnprocessableEntity, []record.Issue{{Severity: "error", Code: "invalid", HTTP: http.StatusUnprocessableEntity, Actual: err.Error()}})
	}
	x.Facts.Call.ResourceID, x.Facts.Call.Stored = stored.ID, true
	return s.answer(http.StatusOK, transactionResponse(x.Body, stored.ID, deviceID, deviceNew, s.cfg.Clock()))
}

// media says whether the message is announced as the settings want it.
func (s *Service) media(x *exchange.Exchange) []record.Issue {
	want := s.cfg.Settings.String("media.fhir")
	got, _, _ := strings.Cut(x.HTTP.Header.Get("Content-Type"), ";")
	if strings.EqualFold(strings.TrimSpace(got), want) {
		return nil
	}
	return []record.Issue{{
		Rule: "call.media", Severity: "error", Code: "invalid", HTTP: http.StatusUnsupportedMediaType,
		Pointer: "header:Content-Type", Expected: want, Actual: got, Setting: s.cfg.Settings.Assumed("media.fhir"),
	}}
}

// unreadable answers a message that even a tolerant record cannot use.
func (s *Service) unreadable(x *exchange.Exchange, want string) exchange.Answer {
	status := fhir.Status(x.Facts.Issues)
	if status == 0 {
		status = http.StatusUnprocessableEntity
		x.Issue(record.Issue{Rule: "call.message", Severity: "error", Code: "invalid", HTTP: status, Expected: want})
	}
	return s.refuse(status, x.Facts.Issues)
}

// device creates the Device of a feed, unless the patient's record holds it
// already: the unique key of a device is its OID with its identifier.
func (s *Service) device(patient string, feed fhir.Feed) (id string, created bool) {
	key := feed.IfNoneExist
	if key != "" {
		for _, d := range s.cfg.Store.List(patient, kindDevice) {
			if d.Key == key {
				return d.ID, false
			}
		}
	}
	id = s.newID(patient, kindDevice)
	device := clone(feed.Device)
	device["id"] = id
	b, err := json.Marshal(device)
	if err != nil {
		return "", false
	}
	s.cfg.Store.Put(Resource{Kind: kindDevice, ID: id, Patient: patient, Key: key, JSON: b})
	return id, true
}

// storeMeasure keeps an Observation under an id of ours, with the Device under
// the id that it has here.
func (s *Service) storeMeasure(patient string, observation map[string]any, deviceID, id string, seeded bool) (Resource, error) {
	o := clone(observation)
	if id == "" {
		id = s.newID(patient, kindObservation)
	}
	o["id"] = id
	meta, _ := o["meta"].(map[string]any)
	meta = clone(meta)
	if _, ok := meta["source"]; !ok && !seeded {
		meta["source"] = "urn:oid:" + s.cfg.OID // Mon espace santé sets it when it is absent
	}
	if len(meta) > 0 {
		o["meta"] = meta
	}
	switch ref, _ := o["device"].(map[string]any); {
	case deviceID != "":
		ref = clone(ref)
		ref["reference"] = "Device/" + deviceID
		o["device"] = ref
	case ref != nil:
		reference, _ := ref["reference"].(string)
		deviceID = strings.TrimPrefix(reference, "Device/")
	}
	r := Resource{Kind: kindObservation, ID: id, Patient: patient, Key: codeOf(o), Device: deviceID, Seeded: seeded}
	text, _ := o["effectiveDateTime"].(string)
	var err error
	if r.Low, r.High, err = s.cfg.Rules.Period(text); err != nil {
		// Kept all the same: a tolerant record has let it through. No date
		// bound will find it.
		r.Low, r.High = time.Time{}, time.Time{}
	}
	if r.JSON, err = json.Marshal(o); err != nil {
		return Resource{}, fmt.Errorf("write the Observation: %w", err)
	}
	s.cfg.Store.Put(r)
	return r, nil
}

// codeOf is the first code of an Observation.
func codeOf(o map[string]any) string {
	c, _ := o["code"].(map[string]any)
	codings, _ := c["coding"].([]any)
	for _, x := range codings {
		coding, _ := x.(map[string]any)
		if code, ok := coding["code"].(string); ok {
			return code
		}
	}
	return ""
}

func clone(m map[string]any) map[string]any {
	out := make(map[string]any, len(m)+2)
	for k, v := range m {
		out[k] = v
	}
	return out
}

type transactionEntry struct {
	Response transactionStatus `json:"response"`
}

type transactionStatus struct {
	Status       string `json:"status"`
	Location     string `json:"location"`
	LastModified string `json:"lastModified,omitempty"`
}

// transactionResponse answers entry by entry, in the order of the request
// (FHIR R4, http.html §3.1.0.11.2).
func transactionResponse(request []byte, observation, device string, deviceNew bool, now time.Time) []byte {
	at := now.UTC().Format(time.RFC3339)
	entries := []transactionEntry{{transactionStatus{Status: "201 Created", Location: "Observation/" + observation, LastModified: at}}}
	if device != "" {
		d := transactionEntry{transactionStatus{Status: "200", Location: "Device/" + device}}
		if deviceNew {
			d.Response.Status, d.Response.LastModified = "201 Created", at
		}
		if deviceFirst(request) {
			entries = append([]transactionEntry{d}, entries...)
		} else {
			entries = append(entries, d)
		}
	}
	b, err := json.Marshal(struct {
		ResourceType string             `json:"resourceType"`
		Type         string             `json:"type"`
		Entry        []transactionEntry `json:"entry"`
	}{"Bundle", "transaction-response", entries})
	if err != nil { // plain strings always marshal
		return nil
	}
	return b
}

// deviceFirst says whether the Device stands before the Observation.
func deviceFirst(request []byte) bool {
	var b struct {
		Entry []struct {
			Resource struct {
				ResourceType string `json:"resourceType"`
			} `json:"resource"`
		} `json:"entry"`
	}
	if json.Unmarshal(request, &b) != nil || len(b.Entry) == 0 {
		return false
	}
	return b.Entry[0].Resource.ResourceType == kindDevice
}
