// Package record is the journal of exchanges: what a run writes down, one
// record a line, and the redactor that takes the secrets out before anything
// reaches a disk. Specs read nothing else.
package record

import (
	"encoding/json"
	"time"
)

// Kind says what a record holds.
type Kind string

// The kinds of record.
const (
	KindExchange Kind = "exchange" // one HTTP exchange
	KindPilot    Kind = "pilot"    // one action asked of the candidate's pilot, with its answer
	KindProbe    Kind = "probe"    // one look from outside (TLS, page, manifest)
	KindMark     Kind = "mark"     // something the harness did, or a scenario's start or end
)

// Record is one line of journal.jsonl. Exactly one of Exchange, Pilot, Probe
// and Mark is set, as Kind says.
type Record struct {
	Seq      int       `json:"seq"`                // position in the journal, from 1
	At       time.Time `json:"at"`                 // UTC, when it began
	Kind     Kind      `json:"kind"`               //
	Scenario string    `json:"scenario,omitempty"` // slug; empty: belongs to the run, not to one scenario
	Patient  string    `json:"patient,omitempty"`  // opaque handle of the patient concerned
	Exchange *Exchange `json:"exchange,omitempty"`
	Pilot    *Pilot    `json:"pilot,omitempty"`
	Probe    *Probe    `json:"probe,omitempty"`
	Mark     *Mark     `json:"mark,omitempty"`
}

// Party is one end of an exchange.
type Party string

// The parties of an exchange.
const (
	Candidate Party = "candidate"
	Sandbox   Party = "sandbox"
	Visitor   Party = "visitor" // the harness, acting as a patient's browser
	Harness   Party = "harness" // the harness, looking from outside
	Third     Party = "third"   // an address that is neither the candidate's nor the sandbox's
)

// Route names what an exchange with the sandbox is for, independently of the
// path, which is a setting.
type Route string

// The routes of the sandbox.
const (
	RouteDiscovery       Route = "discovery"
	RouteJWKS            Route = "jwks"
	RouteAuthorize       Route = "authorize"
	RouteSignIn          Route = "sign-in"
	RouteConsent         Route = "consent"
	RouteToken           Route = "token"
	RouteRevoke          Route = "revoke"
	RouteFeedMeasure     Route = "feed-measure"
	RouteSearchMeasures  Route = "search-measures"
	RouteFeedDocument    Route = "feed-document"
	RouteSearchDocuments Route = "search-documents"
	RouteReadDocument    Route = "read-document"
	RouteCatalogue       Route = "catalogue" // the service's page in the catalogue
	RouteElsewhere       Route = "elsewhere" // another host, to which a planned fault led
	RouteUnknown         Route = "unknown"   // a path or method that the sandbox does not serve

	// The agenda. An update is a PUT, whatever it changes.
	RouteSendAppointment    Route = "send-appointment"
	RouteUpdateAppointment  Route = "update-appointment"
	RouteReadAppointment    Route = "read-appointment"
	RouteSearchAppointments Route = "search-appointments"
)

// Business says whether the route carries health data.
func (r Route) Business() bool {
	switch r {
	case RouteFeedMeasure, RouteSearchMeasures, RouteFeedDocument, RouteSearchDocuments, RouteReadDocument,
		RouteSendAppointment, RouteUpdateAppointment, RouteReadAppointment, RouteSearchAppointments:
		return true
	}
	return false
}

// Exchange is an HTTP exchange in the form of a HAR 1.2 entry (the fields that
// are of use here), with what was derived from it before redaction.
type Exchange struct {
	ID       string   `json:"id"`   // unique in the run: "x12" (sandbox), "v3" (visitor), "h5" (harness)
	From     Party    `json:"from"` // who sent the request
	To       Party    `json:"to"`   // who answered
	Route    Route    `json:"route,omitempty"`
	Millis   float64  `json:"time"` // whole exchange, milliseconds
	Request  Request  `json:"request"`
	Response Response `json:"response"`
	Fault    string   `json:"fault,omitempty"` // id of the planned fault that was applied
	Error    string   `json:"error,omitempty"` // why there is no whole response
	Facts    *Facts   `json:"facts,omitempty"`
}

// Request is a HAR request.
type Request struct {
	Method  string   `json:"method"`
	URL     string   `json:"url"`
	Proto   string   `json:"httpVersion"`
	Headers []Header `json:"headers"`
	Body    *Body    `json:"postData,omitempty"`
}

// Response is a HAR response; Status 0 means that none came.
type Response struct {
	Status  int      `json:"status"`
	Headers []Header `json:"headers"`
	Body    *Body    `json:"content,omitempty"`
}

// Header is one header line, order and repetition kept.
type Header struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Body is a message body, as text where it is valid UTF-8 of at most 64 KiB.
type Body struct {
	MIME     string `json:"mimeType,omitempty"`
	Size     int    `json:"size"` // bytes on the wire, before redaction
	Text     string `json:"text,omitempty"`
	Encoding string `json:"encoding,omitempty"` // "base64" where Text is
	Artifact string `json:"artifact,omitempty"` // name under artifacts/ where the body is larger
}

// Pilot is one action asked of the candidate and what it answered.
type Pilot struct {
	Action  string          `json:"action"`
	Payload json.RawMessage `json:"payload,omitempty"`
	Status  string          `json:"status"` // done, refused, failed, unsupported; "" when it did not answer
	Open    string          `json:"open,omitempty"`
	Data    json.RawMessage `json:"data,omitempty"`
	Message string          `json:"message,omitempty"`
	Millis  float64         `json:"time"`
	Error   string          `json:"error,omitempty"` // why there is no answer: time-out, bad JSON, HTTP status
}

// Probe is one look from outside; Data has the shape of Kind's package.
type Probe struct {
	Kind   string          `json:"kind"` // "tls", "web", "manifest", …
	Target string          `json:"target"`
	Data   json.RawMessage `json:"data,omitempty"`
	Error  string          `json:"error,omitempty"` // why it could not look

	memo *memo // of what Data were decoded to; nil: not read from a journal
}

// Mark is something that the harness did or noted.
type Mark struct {
	Kind   string          `json:"kind"` // start, end, act, fault, quiet, await
	Text   string          `json:"text,omitempty"`
	Data   json.RawMessage `json:"data,omitempty"`
	Millis float64         `json:"time,omitempty"`
}

// Header returns the first value of a request header, "" when absent.
func (r Request) Header(name string) string { return first(r.Headers, name) }

// Header returns the first value of a response header, "" when absent.
func (r Response) Header(name string) string { return first(r.Headers, name) }

// Values returns every value of a response header.
func (r Response) Values(name string) []string {
	var out []string
	for _, h := range r.Headers {
		if equalFold(h.Name, name) {
			out = append(out, h.Value)
		}
	}
	return out
}

func first(headers []Header, name string) string {
	for _, h := range headers {
		if equalFold(h.Name, name) {
			return h.Value
		}
	}
	return ""
}

// equalFold compares header names: ASCII only, without case.
func equalFold(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := 0; i < len(a); i++ {
		x, y := a[i], b[i]
		if 'A' <= x && x <= 'Z' {
			x += 'a' - 'A'
		}
		if 'A' <= y && y <= 'Z' {
			y += 'a' - 'A'
		}
		if x != y {
			return false
		}
	}
	return true
}
