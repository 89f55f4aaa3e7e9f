// Package exchange is what the rooms of the sandbox hand each other while they
// answer one request: the request with its body, what is found out about it
// for the journal, and the answer, whole before its first byte is sent.
package exchange

import (
	"net/http"
	"net/url"
	"time"

	"github.com/etalon-sante/etalon/sandbox/control"
	"github.com/etalon-sante/etalon/sandbox/record"
)

// Exchange is one request under way. It belongs to one goroutine.
type Exchange struct {
	ID    string // of the record
	At    time.Time
	Route record.Route
	From  record.Party
	HTTP  *http.Request // its body has been read
	Body  []byte
	Query url.Values // strictly parsed; nil when QueryError is set
	// QueryError says why the query could not be parsed.
	QueryError error

	Names       *record.Redactor
	Facts       record.Facts
	Patient     string         // handle, once known
	Interaction string         // id of the authorization interaction that it belongs to
	Planned     *control.Fault // planned fault that was drawn for it
	Withhold    bool           // the body must not be written down: it names a real person
}

// Planner draws planned faults.
type Planner interface {
	// Take draws the next planned fault for a patient's call to a route.
	Take(patient string, route record.Route) (control.Fault, bool)
}

// Draw takes the planned fault for this exchange, once its patient is known.
// It reports whether the request still has its usual effect.
func (x *Exchange) Draw(p Planner) (effect bool) {
	return x.DrawFor(p, x.Route)
}

// DrawFor is Draw for a fault that was planned for another route than the
// exchange's own: the authorization request is judged after sign-in.
func (x *Exchange) DrawFor(p Planner, route record.Route) (effect bool) {
	f, ok := p.Take(x.Patient, route)
	if !ok {
		return true
	}
	x.Planned = &f
	return f.Effect()
}

// Issue notes something wrong in the candidate's message.
func (x *Exchange) Issue(i record.Issue) {
	x.Facts.Issues = append(x.Facts.Issues, i)
}

// Name registers a secret of the exchange and returns what stands for it.
func (x *Exchange) Name(kind, value string) string {
	return x.Names.Name(kind, value)
}

// minPresented is the length under which a value that nobody issued is not taken
// for a credential: "undefined" in a header is a mistake, and must not be
// replaced wherever the word stands.
const minPresented = 16

// Presented registers a credential that the request carries, ours or not, and
// returns what stands for it. What is too short to be one comes back as it is.
func (x *Exchange) Presented(kind, value string) string {
	if name, ok := x.Names.Lookup(value); ok {
		return name
	}
	if len(value) < minPresented {
		return value
	}
	return x.Names.Name(kind, value)
}

// Answer is a whole HTTP answer.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// New returns an answer with a body of a media type, which no cache keeps:
// everything that the sandbox says is for one client at one moment.
func New(status int, media string, body []byte) Answer {
	h := http.Header{}
	h.Set("Content-Type", media)
	h.Set("Cache-Control", "no-store")
	return Answer{Status: status, Header: h, Body: body}
}

// Redirect returns a redirection by GET.
func Redirect(target string) Answer {
	h := http.Header{}
	h.Set("Location", target)
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	return Answer{Status: http.StatusSeeOther, Header: h}
}

// Empty returns an answer without a body.
func Empty(status int) Answer {
	return Answer{Status: status, Header: http.Header{"Cache-Control": {"no-store"}}}
}
