package sandbox

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/etalon-sante/etalon/sandbox/exchange"
	"github.com/etalon-sante/etalon/sandbox/fault"
	"github.com/etalon-sante/etalon/sandbox/fhir"
	"github.com/etalon-sante/etalon/sandbox/record"
)

// serveCandidate answers one request on the candidates' port. The record is in
// the journal before the first byte of the answer leaves: who was told that
// something is done finds it there.
func (s *Server) serveCandidate(w http.ResponseWriter, r *http.Request) {
	sp := s.spaceOf(r.URL.Path)
	if sp == nil {
		send(w, exchange.New(http.StatusNotFound, "application/json", []byte(`{"error":"no space of the sandbox is at this address"}`)), 0)
		return
	}
	if sp.journal.full() {
		send(w, exchange.New(http.StatusServiceUnavailable, "application/json", []byte(`{"error":"the journal of this space is full: open another"}`)), 0)
		return
	}
	x, failed := s.begin(sp, w, r)
	var answer exchange.Answer
	problem := ""
	switch {
	case failed != nil:
		answer = *failed
	case r.TLS == nil && x.Route != record.RouteElsewhere:
		answer = exchange.New(http.StatusBadRequest, "application/json", []byte(`{"error":"invalid_request","error_description":"nothing is served without TLS: use https"}`))
	default:
		answer, problem = s.answer(sp, x)
	}
	if x.Planned != nil && problem == "" {
		answer = fault.Replace(*x.Planned, answer, fault.Where{Elsewhere: sp.elsewhere, Clear: sp.inClear, Now: sp.now()})
		sp.deliver(w, x, answer)
		return
	}
	sp.write(x, answer, problem)
	send(w, answer, 0)
}

// spaceOf is the space whose base path a path lies under.
func (s *Server) spaceOf(path string) *space {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for end := len(path); end > 0; end = strings.LastIndexByte(path[:end], '/') {
		if sp, ok := s.bases[path[:end]]; ok {
			return sp
		}
	}
	return nil
}

// begin reads a request. Secrets that it carries in known places are named at
// once, whether or not they are ours.
func (s *Server) begin(sp *space, w http.ResponseWriter, r *http.Request) (*exchange.Exchange, *exchange.Answer) {
	x := &exchange.Exchange{
		ID: "x" + strconv.FormatInt(sp.ids.Add(1), 10), At: sp.clock(),
		HTTP: r, Names: sp.names, From: record.Candidate,
	}
	x.Facts.Clear = r.TLS == nil
	if r.TLS != nil {
		x.Facts.Shown = s.shown()
	}
	x.Route, _ = sp.route(r.Method, r.URL.Path[len(sp.base):])
	switch x.Route {
	case record.RouteAuthorize, record.RouteSignIn, record.RouteConsent, record.RouteCatalogue:
		x.From = record.Visitor
	}
	// Even a query that cannot be read whole may hold secrets in what can.
	x.Query, x.QueryError = url.ParseQuery(r.URL.RawQuery)
	for param, kind := range map[string]string{
		"access_token": "access-token", "id_token": "id-token", "refresh_token": "refresh-token",
		"client_secret": "client-secret", "interaction": "interaction",
	} { // not "code", which searches have for another thing: codes have their name since they were issued
		for _, v := range x.Query[param] {
			x.Presented(kind, v)
		}
	}
	scheme, credentials, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	switch strings.ToLower(scheme) {
	case "basic":
		x.Presented("basic-credentials", strings.TrimSpace(credentials))
	case "bearer":
		x.Presented("access-token", strings.TrimSpace(credentials))
	}
	x.Presented("id-token", strings.TrimSpace(r.Header.Get(sp.ends.IDTokenHeader)))
	if c, err := r.Cookie("etalon-session"); err == nil {
		x.Presented("session", c.Value)
	}
	var err error
	x.Body, err = io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		status, why := http.StatusBadRequest, "the body could not be read"
		if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
			status, why = http.StatusRequestEntityTooLarge, fmt.Sprintf("the body is larger than %d bytes", maxBody)
		}
		i := record.Issue{Rule: "call.body", Severity: "error", Code: "too-long", HTTP: status, Expected: "a body of at most " + strconv.Itoa(maxBody) + " bytes", Actual: why}
		x.Issue(i)
		out := exchange.New(status, sp.set.String("media.fhir"), fhir.Outcome([]record.Issue{i}))
		return x, &out
	}
	return x, nil
}

// answer finds the answer. A panic of ours spoils one exchange, not the run.
func (s *Server) answer(sp *space, x *exchange.Exchange) (out exchange.Answer, problem string) {
	defer func() {
		if p := recover(); p != nil {
			s.opts.Logger.Error("sandbox failed on an exchange", "id", x.ID, "route", x.Route, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			problem = "the sandbox failed: " + fmt.Sprint(p)
			out = exchange.New(http.StatusInternalServerError, "application/json", []byte(`{"error":"server_error","error_description":"the sandbox failed"}`))
		}
	}()
	get := x.HTTP.Method == http.MethodGet
	switch x.Route {
	case record.RouteDiscovery:
		return sp.identity.Discovery(x), ""
	case record.RouteJWKS:
		return sp.identity.JWKS(x), ""
	case record.RouteAuthorize:
		return sp.identity.Authorize(x), ""
	case record.RouteSignIn:
		if get {
			return sp.identity.SignInPage(x), ""
		}
		return sp.identity.SignIn(x), ""
	case record.RouteConsent:
		if get {
			return sp.identity.ConsentPage(x), ""
		}
		return sp.identity.Decide(x), ""
	case record.RouteCatalogue:
		return sp.identity.Catalogue(x), ""
	case record.RouteToken:
		return sp.identity.Token(x), ""
	case record.RouteRevoke:
		return sp.identity.Revocation(x), ""
	case record.RouteFeedMeasure:
		return sp.mes.FeedMeasure(x), ""
	case record.RouteSearchMeasures:
		return sp.mes.SearchMeasures(x), ""
	case record.RouteFeedDocument:
		return sp.mes.FeedDocument(x), ""
	case record.RouteSearchDocuments:
		return sp.mes.SearchDocuments(x), ""
	case record.RouteElsewhere:
		return sp.strayed(x), ""
	case record.RouteReadDocument:
		path := x.HTTP.URL.Path
		return sp.mes.ReadDocument(x, path[strings.LastIndexByte(path, '/')+1:]), ""
	case record.RouteSendAppointment:
		return sp.mes.SendAppointment(x), ""
	case record.RouteUpdateAppointment:
		return sp.mes.UpdateAppointment(x, sp.appointmentID(x.HTTP.URL.Path)), ""
	case record.RouteReadAppointment:
		return sp.mes.ReadAppointment(x, sp.appointmentID(x.HTTP.URL.Path)), ""
	case record.RouteSearchAppointments:
		return sp.mes.SearchAppointments(x), ""
	}
	return sp.unknown(x), ""
}

// appointmentID is the id in the address of an agenda item, "" when the address
// is that of all of them.
func (sp *space) appointmentID(path string) string {
	id, _ := strings.CutPrefix(path[len(sp.base):], sp.set.String("path.fhir")+"/Appointment")
	return strings.TrimPrefix(id, "/")
}

// unknown answers to what is not served: 405 where another method is.
func (sp *space) unknown(x *exchange.Exchange) exchange.Answer {
	if _, token, ok := strings.Cut(x.HTTP.Header.Get("Authorization"), " "); ok {
		if acc, state := sp.identity.Access(strings.TrimSpace(token)); state != "unknown" {
			x.Patient = acc.Handle
		}
	}
	status, allow := http.StatusNotFound, []string(nil)
	if _, allow = sp.route(x.HTTP.Method, x.HTTP.URL.Path[len(sp.base):]); len(allow) > 0 {
		status = http.StatusMethodNotAllowed
	}
	out := exchange.New(status, "application/json", []byte(`{"error":"not_found","error_description":"the sandbox does not serve this path and method"}`))
	if strings.HasPrefix(x.HTTP.URL.Path, sp.base+sp.set.String("path.fhir")) {
		i := record.Issue{Severity: "error", Code: "not-supported", HTTP: status, Expected: "a path and method that the API has", Actual: x.HTTP.Method}
		out = exchange.New(status, sp.set.String("media.fhir"), fhir.Outcome([]record.Issue{i}))
	}
	if len(allow) > 0 {
		out.Header.Set("Allow", strings.Join(allow, ", "))
	}
	return out
}

// wait holds an answer back for a while, or for ever when it is 0; it says when
// the client or the sandbox ended it.
func (sp *space) wait(r *http.Request, d time.Duration) string {
	var ripe <-chan time.Time
	if d > 0 {
		t := time.NewTimer(d)
		defer t.Stop()
		ripe = t.C
	}
	select {
	case <-ripe:
		return ""
	case <-r.Context().Done():
		return "the client went away before the answer"
	case <-sp.closing:
		return "the space was closed before the answer"
	}
}

// write puts an exchange into the journal.
func (sp *space) write(x *exchange.Exchange, a exchange.Answer, problem string) {
	sp.journalled(x, a, problem, 0)
}

// writeSized is write for an answer of which more than its body was sent.
func (sp *space) writeSized(x *exchange.Exchange, a exchange.Answer, sent int) {
	sp.journalled(x, a, "", sent)
}

func (sp *space) journalled(x *exchange.Exchange, a exchange.Answer, problem string, sent int) {
	scenario, _ := sp.scenario(x.Patient)
	root := strings.TrimSuffix(sp.public, sp.base)
	if x.Route == record.RouteElsewhere {
		root = "https://" + x.HTTP.Host // what matters there is the name
	}
	h := x.HTTP.Header.Clone()
	h.Set("Host", x.HTTP.Host)
	ex := &record.Exchange{
		ID: x.ID, From: x.From, To: record.Sandbox, Route: x.Route,
		Millis: float64(sp.clock().Sub(x.At).Microseconds()) / 1000,
		Request: record.Request{
			Method: x.HTTP.Method, URL: root + x.HTTP.URL.RequestURI(), Proto: x.HTTP.Proto,
			Headers: headers(h), Body: body(x.HTTP.Header.Get("Content-Type"), x.Body),
		},
		Response: record.Response{Status: a.Status, Headers: headers(a.Header), Body: body(a.Header.Get("Content-Type"), a.Body)},
		Error:    problem, Facts: &x.Facts,
	}
	if x.Planned != nil {
		ex.Fault = x.Planned.ID
	}
	if x.Withhold {
		ex.Request.Body = &record.Body{MIME: x.HTTP.Header.Get("Content-Type"), Size: len(x.Body)}
	}
	if sent > 0 && ex.Response.Body != nil {
		ex.Response.Body.Size = sent
	}
	sp.journal.add(record.Record{At: x.At.UTC(), Kind: record.KindExchange, Scenario: scenario, Patient: x.Patient, Exchange: ex}, x.Interaction)
}

// cutBody is the part of an answer that leaves before the connection is cut.
func cutBody(a exchange.Answer, at int) exchange.Answer {
	if at > 0 {
		a.Body = a.Body[:at]
	}
	return a
}

// send writes an answer; with cutAt above 0 the connection ends there.
func send(w http.ResponseWriter, a exchange.Answer, cutAt int) {
	// The deadline is set when there is something to write, by the machine's
	// own clock: an answer may be held back on purpose, and the sandbox's clock
	// may be another.
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(writeTimeout))
	head(w, a, len(a.Body))
	if cutAt > 0 {
		_, _ = w.Write(a.Body[:cutAt])
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
	_, _ = w.Write(a.Body) // a client that went away is in the journal with its answer
}
