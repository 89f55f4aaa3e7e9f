package lab

import (
	"context"
	"encoding/json"
	"sync"

	"github.com/etalon-sante/etalon/sandbox/control"
	"github.com/etalon-sante/etalon/sandbox/record"
	"github.com/etalon-sante/etalon/suites/candidate"
)

// Attendant stands beside a person who plays the pilot: it knows who the test
// patients are and sees what reaches the sandbox. It is made before the pilot
// and comes to life with the observation that it is handed to (Env.Attendant);
// until then it knows nothing. It is safe for concurrent use.
type Attendant struct {
	mu    sync.Mutex
	known map[string]attended // by handle
	watch *watch
	space control.Space
}

type attended struct{ slug, login, password string }

// NewAttendant returns an attendant that knows nothing yet.
func NewAttendant() *Attendant { return &Attendant{known: map[string]attended{}} }

func (a *Attendant) attend(w *watch, space control.Space) {
	if a == nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.watch, a.space = w, space
}

func (a *Attendant) introduce(p *Patient, slug string) {
	if a == nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.known[p.Handle] = attended{slug: slug, login: p.Login, password: p.Password}
}

// Account is what the person needs to sign in to the sandbox as a test patient.
func (a *Attendant) Account(handle string) (login, password string, ok bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	p, ok := a.known[handle]
	return p.login, p.password, ok
}

// Finalites are those that the consent page offers.
func (a *Attendant) Finalites() []control.Finalite {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.space.Finalites
}

// Seen returns a channel that is closed once the sandbox has seen what an
// action is to bring about, from now on; nil when it cannot see it. The context
// ends the watch.
func (a *Attendant) Seen(ctx context.Context, call candidate.Call) <-chan struct{} {
	a.mu.Lock()
	w, p := a.watch, a.known[call.Patient]
	a.mu.Unlock()
	sign := signOf(call)
	if w == nil || sign == nil || p.slug == "" {
		return nil
	}
	from := w.position(ctx)
	seen := make(chan struct{})
	go func() {
		for {
			records, changed := w.of(p.slug)
			for _, r := range records {
				if r.Seq > from && r.Patient == call.Patient && r.Exchange != nil && sign(r.Exchange) {
					close(seen)
					return
				}
			}
			select {
			case <-changed:
			case <-ctx.Done():
				return
			case <-w.stopped:
				return
			}
		}
	}()
	return seen
}

// signOf says by which exchange an action is known to be done. What was refused
// is not done: the person then says what the service showed. What is read is
// told by the person in any case, so that any answer is a sign.
func signOf(call candidate.Call) func(*record.Exchange) bool {
	succeeded := func(routes ...record.Route) func(*record.Exchange) bool {
		return func(x *record.Exchange) bool {
			return onRoute(x, routes) && x.Response.Status/100 == 2 && x.Error == ""
		}
	}
	answered := func(routes ...record.Route) func(*record.Exchange) bool {
		return func(x *record.Exchange) bool { return onRoute(x, routes) && x.Response.Status != 0 }
	}
	switch call.Action {
	case candidate.Pair:
		if Asked(call).Link {
			return nil // the link is wanted, not the pairing
		}
		token := succeeded(record.RouteToken)
		return func(x *record.Exchange) bool {
			refused := x.Route == record.RouteConsent && x.Facts != nil && x.Facts.Consent != nil && !x.Facts.Consent.Accepted
			return refused || token(x)
		}
	case candidate.Unpair:
		return succeeded(record.RouteRevoke)
	case candidate.SendMeasure:
		return succeeded(record.RouteFeedMeasure)
	case candidate.SendDocument:
		return succeeded(record.RouteFeedDocument)
	case candidate.SendAppointment, candidate.UpdateAppointment:
		return succeeded(record.RouteSendAppointment, record.RouteUpdateAppointment)
	case candidate.ReadAppointments:
		return answered(record.RouteSearchAppointments, record.RouteReadAppointment)
	case candidate.ReadMeasures:
		return answered(record.RouteSearchMeasures)
	case candidate.SearchDocuments:
		return answered(record.RouteSearchDocuments)
	case candidate.ReadDocument:
		return answered(record.RouteReadDocument)
	}
	return nil
}

// ByHand is the payload of pair for a person: what a browser that the harness
// leads is not told, but does.
type ByHand struct {
	Refuse bool     `json:"refuse"` // refuse everything on the consent page
	Except []string `json:"except"` // codes of finalités not to agree to
	Link   bool     `json:"link"`   // only the link is wanted: the harness visits it
}

// Asked reads what a call of pair asks of a person.
func Asked(call candidate.Call) ByHand {
	var out ByHand
	raw, err := json.Marshal(call.Payload)
	if err == nil {
		_ = json.Unmarshal(raw, &out) // another payload asks for nothing
	}
	return out
}

// position is the place in the sandbox's journal after which what comes is new.
func (w *watch) position(ctx context.Context) int {
	// What a failing sandbox still holds is found late, never lost.
	_ = w.sync(ctx, w.env.Sandbox.Now)
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.last
}
