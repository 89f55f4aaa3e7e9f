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
)

// Plan is the fault plan of one space. It is safe for concurrent use.
type Plan struct {
	mu     sync.Mutex
	faults []*control.Fault
	after  int // number of the last fault of an earlier plan of the same run
}

// NewPlan returns a plan without faults.
func NewPlan() *Plan { return &Plan{} }

// Continue makes ids begin after a number: that of the last fault of an earlier
// plan of the same run. Call it before Add.
func (p *Plan) Continue(after int) { p.after = after }

// Add adds a fault, with an id of its own.
func (p *Plan) Add(f control.Fault) (control.Fault, error) {
	if err := check(f); err != nil {
		return control.Fault{}, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	f.ID, f.Applied = "f"+strconv.Itoa(p.after+len(p.faults)+1), 0
	p.faults = append(p.faults, &f)
	return f, nil
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
		if f.Patient == patient && f.Route == route && f.Applied < f.Next {
			f.Applied++
			return *f, true
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
		out = append(out, *f)
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
	switch f.Kind {
	case control.FaultStatus:
		if f.Status < 400 || f.Status > 599 {
			return fmt.Errorf("status is %d, a fault answers between 400 and 599", f.Status)
		}
	case control.FaultDelay:
		if f.Millis < 1 || f.Millis > maxMillis {
			return fmt.Errorf("millis is %d, a delay is between 1 and %d", f.Millis, maxMillis)
		}
	case control.FaultHang, control.FaultCut, control.FaultMalformed:
	default:
		return fmt.Errorf("there is no kind of fault %q", f.Kind)
	}
	if f.Store && f.Route == record.RouteAuthorize {
		return fmt.Errorf("store says nothing on route %q: an authorization request has no effect of its own", f.Route)
	}
	if f.RetryAfter < 0 {
		return fmt.Errorf("retryAfter is %d, it cannot be negative", f.RetryAfter)
	}
	return nil
}

// Replace is the answer that a fault puts in the place of the usual one (which
// is empty when the request had no effect).
func Replace(f control.Fault, usual exchange.Answer) exchange.Answer {
	switch f.Kind {
	case control.FaultStatus:
		if f.Route == record.RouteAuthorize {
			return usual // the authorization server said it by the redirect
		}
		out := exchange.New(f.Status, media(f.Route), body(f))
		if f.RetryAfter > 0 {
			out.Header.Set("Retry-After", strconv.Itoa(f.RetryAfter))
		}
		return out
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
