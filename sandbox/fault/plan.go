// Package fault is the plan of what goes wrong in a space, and when: faults are
// addressed (the next 2 calls of this patient to this route), used up, and
// written in the journal. Nothing is random.
package fault

import (
	"fmt"
	"net/http"
	"strconv"
	"sync"

	"github.com/etalon-sante/etalon/sandbox/control"
	"github.com/etalon-sante/etalon/sandbox/exchange"
	"github.com/etalon-sante/etalon/sandbox/fhir"
	"github.com/etalon-sante/etalon/sandbox/record"
)

// The limits of a plan.
const (
	maxNext   = 1000
	maxMillis = 60_000
	maxBytes  = 256 << 20
	// maxRetryAfter is a week: a date that far can still be written.
	maxRetryAfter = 7 * 24 * 3600
)

// Plan is the fault plan of one space. It is safe for concurrent use.
type Plan struct {
	mu     sync.Mutex
	faults []*planned
	after  int // number of the last fault of an earlier plan of the same run
}

// planned is a fault with what has become of it.
type planned struct {
	control.Fault
	passed int // calls that were let through first
	lifted bool
}

// NewPlan returns a plan without faults.
func NewPlan() *Plan { return &Plan{} }

// Continue makes ids begin after a number: that of the last fault of an earlier
// plan of the same run. Call it before Add.
func (p *Plan) Continue(after int) { p.after = after }

// Add adds a fault, with an id of its own.
func (p *Plan) Add(f control.Fault) (control.Fault, error) {
	f = complete(f)
	if err := check(f); err != nil {
		return control.Fault{}, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	f.ID, f.Applied = "f"+strconv.Itoa(p.after+len(p.faults)+1), 0
	p.faults = append(p.faults, &planned{Fault: f})
	return f, nil
}

// Lift ends the faults of a patient: from now on none is drawn.
func (p *Plan) Lift(patient string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, f := range p.faults {
		if f.Patient == patient {
			f.lifted = true
		}
	}
}

// Patient says for whom a fault was planned, "" when there is no such fault.
func (p *Plan) Patient(id string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, f := range p.faults {
		if f.ID == id {
			return f.Fault.Patient
		}
	}
	return ""
}

// Take draws the oldest fault that is not used up for a patient's call to a
// route.
func (p *Plan) Take(patient string, route record.Route) (control.Fault, bool) {
	if patient == "" {
		return control.Fault{}, false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, f := range p.faults {
		if f.Patient == patient && f.Route == route && f.Applied < f.Next && !f.lifted {
			if f.Skip > f.passed {
				f.passed++
				continue
			}
			f.Applied++
			return f.Fault, true
		}
	}
	return control.Fault{}, false
}

// List lists the plan in the order in which it was made.
func (p *Plan) List() []control.Fault {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := make([]control.Fault, 0, len(p.faults))
	for _, f := range p.faults {
		out = append(out, f.Fault)
	}
	return out
}

func check(f control.Fault) error {
	if f.Patient == "" {
		return fmt.Errorf("a fault is addressed: patient is missing")
	}
	switch f.Route {
	case record.RouteAuthorize, record.RouteSignIn, record.RouteConsent, record.RouteToken, record.RouteRevoke:
	default:
		if !f.Route.Business() {
			return fmt.Errorf("no patient is known on route %q, so that no fault can be addressed there", f.Route)
		}
	}
	if f.Next < 1 || f.Next > maxNext {
		return fmt.Errorf("next is %d, it must be between 1 and %d", f.Next, maxNext)
	}
	if f.Skip < 0 || f.Skip > maxNext {
		return fmt.Errorf("skip is %d, it must be between 0 and %d", f.Skip, maxNext)
	}
	if err := checkKind(f); err != nil {
		return err
	}
	if f.Store && f.Route == record.RouteAuthorize {
		return fmt.Errorf("store says nothing on route %q: an authorization request has no effect of its own", f.Route)
	}
	if f.RetryAfter < 0 || f.RetryAfter > maxRetryAfter {
		return fmt.Errorf("retryAfter is %d, it must be between 0 and %d", f.RetryAfter, maxRetryAfter)
	}
	return nil
}

// Replace is the answer that a fault puts in the place of the usual one (which
// is empty when the request had no effect).
func Replace(f control.Fault, usual exchange.Answer, w Where) exchange.Answer {
	switch f.Kind {
	case control.FaultStatus:
		if f.Route == record.RouteAuthorize {
			return usual // the authorization server said it by the redirect
		}
		out := exchange.New(f.Status, media(f.Route), body(f))
		retryAfter(out.Header, f, w.Now)
		return out
	case control.FaultPage:
		out := exchange.New(f.Status, "text/html; charset=utf-8", page(f))
		retryAfter(out.Header, f, w.Now)
		return out
	case control.FaultRedirect:
		out := exchange.Empty(f.Status)
		out.Header.Set("Location", w.Elsewhere+"/"+f.ID)
		return out
	case control.FaultClear:
		out := exchange.Empty(f.Status)
		out.Header.Set("Location", w.Clear+"/"+f.ID)
		return out
	case control.FaultLink:
		return foreignNext(usual, w.Elsewhere+"/"+f.ID)
	case control.FaultMislabelled:
		usual.Header.Set("Content-Type", "text/html; charset=utf-8")
		return usual
	case control.FaultEmpty:
		return exchange.New(http.StatusOK, media(f.Route), nil)
	case control.FaultMalformed:
		return exchange.New(http.StatusOK, media(f.Route), []byte(`{"resourceType":"Bundle","type":`))
	case control.FaultCut:
		if len(usual.Body) < 2 {
			return exchange.New(http.StatusOK, media(f.Route), []byte(`{"resourceType":"Bundle","type":"searchset","entry":[]}`))
		}
	}
	return usual
}

func media(r record.Route) string {
	if r.Business() {
		return "application/fhir+json"
	}
	return "application/json"
}

// body is an OperationOutcome for business calls, an OAuth error elsewhere.
func body(f control.Fault) []byte {
	if f.Route.Business() {
		code := f.IssueCode
		if code == "" {
			code = issueCode(f.Status)
		}
		return fhir.Outcome([]record.Issue{{Severity: "error", Code: code, HTTP: f.Status, Expected: "another answer: this one was planned (" + f.ID + ")"}})
	}
	code := f.IssueCode
	if code == "" {
		code = oauthCode(f.Status)
	}
	return []byte(`{"error":` + strconv.QuoteToASCII(code) + `,"error_description":"planned fault ` + f.ID + `"}`)
}

// issueCode is the usual FHIR issue type of a status.
func issueCode(status int) string {
	switch status {
	case http.StatusUnauthorized:
		return "login"
	case http.StatusForbidden:
		return "forbidden"
	case http.StatusNotFound:
		return "not-found"
	case http.StatusConflict:
		return "conflict"
	case http.StatusTooManyRequests:
		return "throttled"
	case http.StatusBadRequest, http.StatusUnprocessableEntity:
		return "invalid"
	}
	if status >= 500 {
		return "transient"
	}
	return "processing"
}

// oauthCode is the usual OAuth error of a status (RFC 6749 §5.2; the last two
// are those of its §4.1.2.1, the only ones that say "later").
func oauthCode(status int) string {
	switch {
	case status == http.StatusUnauthorized:
		return "invalid_client"
	case status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable:
		return "temporarily_unavailable"
	case status >= 500:
		return "server_error"
	}
	return "invalid_request"
}
