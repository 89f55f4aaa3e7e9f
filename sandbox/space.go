package sandbox

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/etalon-sante/etalon/sandbox/control"
	"github.com/etalon-sante/etalon/sandbox/fault"
	"github.com/etalon-sante/etalon/sandbox/fhir"
	"github.com/etalon-sante/etalon/sandbox/identity"
	"github.com/etalon-sante/etalon/sandbox/mes"
	"github.com/etalon-sante/etalon/sandbox/record"
	"github.com/etalon-sante/etalon/sandbox/settings"
)

// Paths of the pages, which no service calls: they need no setting.
const (
	pathSignIn  = "/sign-in"
	pathConsent = "/consent"

	pathCatalogue = "/catalogue"
)

// maxPatients bounds a space.
const maxPatients = 10_000

// space is one run's corner of the sandbox.
type space struct {
	id        string
	run       string // of the harness that asked for the space; may be empty
	base      string // path, without a slash at the end
	public    string // address of the base
	elsewhere string // the base under another host name; "" when there is none
	inClear   string // the base without TLS; "" when the sandbox is reached through something else
	oid       string
	auth      string // naming authority of the idPe of this service's patients
	seed      int64
	client    control.Client
	ends      control.Endpoints
	set       *settings.Settings
	names     *record.Redactor
	journal   *journal
	plan      *fault.Plan
	identity  *identity.Authority
	mes       *mes.Service
	routes    map[string]map[string]record.Route // path -> method -> route
	ids       atomic.Int64                       // of exchanges
	// offset of the space's clock. Not under mu: identity reads the clock while it
	// holds its own lock, which is taken under mu when a patient is added.
	offset  atomic.Int64
	clock   func() time.Time // the sandbox's
	closing chan struct{}
	closed  sync.Once

	mu        sync.RWMutex
	scenarios map[string]string // of each patient
}

// conflictError is a request for a space that another one is in the way of.
type conflictError struct{ text string }

func (e *conflictError) Error() string { return e.text }

// newSpace makes a space and gives it its base path.
func (s *Server) newSpace(req control.SpaceRequest) (*space, error) {
	set, err := s.opts.Settings.With(req.Settings)
	if err != nil {
		return nil, err
	}
	if v := set.String("pairing.idpe"); v != "mes" {
		return nil, fmt.Errorf("setting pairing.idpe is %q: the sandbox only issues the idPe itself (mes), how a service would supply it is not public", v)
	}
	if err := checkNumbers(req.After); err != nil {
		return nil, err
	}
	if err := checkCard(req.Card); err != nil {
		return nil, err
	}
	if len(req.Run) > 100 {
		return nil, errors.New("run: an id of at most 100 characters")
	}
	id := randomHex(8)
	base := req.BasePath
	if base == "" {
		base = "/s/" + id
	}
	if err := checkBase(base); err != nil {
		return nil, err
	}
	client, err := completeClient(req, set)
	if err != nil {
		return nil, err
	}
	rules, err := fhir.NewRules(set)
	if err != nil {
		return nil, fmt.Errorf("make the rules of the space: %w", err)
	}
	sp := &space{
		id: id, run: req.Run, base: base, public: s.public + base, elsewhere: elsewhere(s.public, base), inClear: s.clearBase(base), seed: req.Seed, client: client, set: set,
		names: record.NewRedactor(), plan: fault.NewPlan(), clock: s.opts.Clock,
		closing: make(chan struct{}), scenarios: map[string]string{},
	}
	sp.ids.Store(int64(req.After.IDs))
	sp.plan.Continue(req.After.IDs)
	sp.names.Continue(req.After.Names)
	sp.journal = newJournal(sp.names, s.opts.Clock)
	sp.oid, sp.auth = sp.deriveOID("oid"), "urn:oid:"+sp.deriveOID("assign-auth")
	sp.ends = control.Endpoints{
		Issuer:        sp.public,
		Authorization: sp.public + set.String("path.authorize"),
		Token:         sp.public + set.String("path.token"),
		Revocation:    sp.public + set.String("path.revoke"),
		JWKS:          sp.public + set.String("path.jwks"),
		FHIR:          sp.public + set.String("path.fhir"),
		IDTokenHeader: set.String("header.id-token"),

		AccountParameter: set.String("pairing.account-parameter"),
	}
	sp.routes = routesOf(set)
	sp.mes = mes.New(mes.Config{
		Base: sp.ends.FHIR, OID: sp.oid, Settings: set, Rules: rules, Faults: sp.plan,
		Store: mes.NewMemory(), Names: sp.names, Clock: sp.now, NewID: sp.newID,
	})
	sp.identity, err = identity.New(identity.Config{
		Issuer: sp.public, SignIn: sp.public + pathSignIn, Consent: sp.public + pathConsent, Cookie: base + "/",
		Catalogue: sp.public + pathCatalogue, Card: req.Card,
		Endpoints: sp.ends, Client: client, OID: sp.oid, Settings: set,
		Pairings: sp.mes, Faults: sp.plan, Names: sp.names, Clock: sp.now,
	})
	if err != nil {
		return nil, err
	}
	sp.mes.Attach(sp.identity)

	s.mu.Lock()
	defer s.mu.Unlock()
	for other := range s.bases {
		if within(base, other) || within(other, base) {
			return nil, &conflictError{fmt.Sprintf("the base path %s is taken by another space (%s): wait until that run has ended, or give the two different paths", base, other)}
		}
	}
	s.spaces[id], s.bases[base] = sp, sp
	return sp, nil
}

// checkNumbers refuses numbers after which counting could come to its end.
func checkNumbers(n control.Numbers) error {
	const most = 1_000_000_000
	if n.IDs < 0 || n.IDs > most {
		return fmt.Errorf("after.ids is %d, a number from 0 to %d is expected", n.IDs, most)
	}
	for kind, last := range n.Names {
		if last < 0 || last > most {
			return fmt.Errorf("after.names has %d for %q, a number from 0 to %d is expected", last, kind, most)
		}
	}
	return nil
}

// completeClient checks a client and makes up what is not given.
func completeClient(req control.SpaceRequest, set *settings.Settings) (control.Client, error) {
	c := req.Client
	if c.ID == "" {
		h := digest(req.Seed, "client")
		c.ID = "service-" + hex.EncodeToString(h[:5])
	}
	if c.Secret == "" {
		c.Secret = randomHex(24)
	}
	if len(c.Secret) < record.MinSecret {
		return c, fmt.Errorf("the client secret has %d characters: under %d it cannot be told from ordinary text when it is taken out of the journal", len(c.Secret), record.MinSecret)
	}
	if c.Auth == "" {
		c.Auth = set.String("client.auth")
	}
	c.RedirectURIs = slices.Clone(c.RedirectURIs)
	return c, checkRedirects(c.RedirectURIs)
}

// checkRedirects refuses addresses that no code may be sent to (RFC 6749 §3.1.2).
func checkRedirects(uris []string) error {
	for _, r := range uris {
		u, err := url.Parse(r)
		if err != nil || !u.IsAbs() || strings.Contains(r, "#") {
			return fmt.Errorf("the redirect URI %q is not an absolute address without a fragment", r)
		}
		switch strings.ToLower(u.Scheme) {
		case "http", "https":
			if u.Host == "" {
				return fmt.Errorf("the redirect URI %q has no host", r)
			}
		case "javascript", "data", "file", "about", "blob":
			return fmt.Errorf("the redirect URI %q has a scheme that leads to no service", r)
		}
	}
	return nil
}

// checkBase refuses base paths that are not plain.
func checkBase(base string) error {
	if !strings.HasPrefix(base, "/") || len(base) < 2 || len(base) > 200 || strings.HasSuffix(base, "/") {
		return fmt.Errorf("the base path %q is not of the form /mes: a slash first, none at the end", base)
	}
	for _, part := range strings.Split(base[1:], "/") {
		if part == "" || part == "." || part == ".." || strings.Trim(part, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~") != "" {
			return fmt.Errorf("the base path %q holds something else than letters, digits, - . _ ~ between its slashes", base)
		}
	}
	return nil
}

// within says whether a path lies at or under a base path.
func within(path, base string) bool {
	return path == base || strings.HasPrefix(path, base+"/")
}

// routesOf is the table of what is served under a base path.
func routesOf(set *settings.Settings) map[string]map[string]record.Route {
	f := set.String("path.fhir")
	get := func(r record.Route) map[string]record.Route { return map[string]record.Route{http.MethodGet: r} }
	post := func(r record.Route) map[string]record.Route { return map[string]record.Route{http.MethodPost: r} }
	return map[string]map[string]record.Route{
		set.String("path.discovery"): get(record.RouteDiscovery),
		set.String("path.jwks"):      get(record.RouteJWKS),
		set.String("path.authorize"): get(record.RouteAuthorize),
		pathSignIn:                   {http.MethodGet: record.RouteSignIn, http.MethodPost: record.RouteSignIn},
		pathConsent:                  {http.MethodGet: record.RouteConsent, http.MethodPost: record.RouteConsent},
		pathCatalogue:                get(record.RouteCatalogue),
		set.String("path.token"):     post(record.RouteToken),
		set.String("path.revoke"):    post(record.RouteRevoke),
		f:                            post(record.RouteFeedMeasure),
		f + "/":                      post(record.RouteFeedMeasure),
		f + "/Observation":           get(record.RouteSearchMeasures),
		f + "/DocumentReference":     {http.MethodGet: record.RouteSearchDocuments, http.MethodPost: record.RouteFeedDocument},
		f + "/Appointment": {
			http.MethodGet: record.RouteSearchAppointments, http.MethodPost: record.RouteSendAppointment, http.MethodPut: record.RouteUpdateAppointment,
		},
	}
}

// route finds what a path under the base is for. The methods that are served
// there come with it when the method is not one of them.
func (sp *space) route(method, path string) (r record.Route, allow []string) {
	if strings.HasPrefix(path, pathElsewhere) {
		return record.RouteElsewhere, nil
	}
	methods, ok := sp.routes[path]
	if !ok {
		if id, found := strings.CutPrefix(path, sp.set.String("path.fhir")+"/Binary/"); found && id != "" && !strings.Contains(id, "/") {
			methods = map[string]record.Route{http.MethodGet: record.RouteReadDocument}
		}
		if id, found := strings.CutPrefix(path, sp.set.String("path.fhir")+"/Appointment/"); found && id != "" && !strings.Contains(id, "/") {
			methods = map[string]record.Route{http.MethodGet: record.RouteReadAppointment, http.MethodPut: record.RouteUpdateAppointment}
		}
	}
	if r, ok := methods[method]; ok {
		return r, nil
	}
	for m := range methods {
		allow = append(allow, m)
	}
	slices.Sort(allow)
	return record.RouteUnknown, allow
}

// addPatient puts a patient into the space.
func (sp *space) addPatient(req control.PatientRequest) (control.Patient, error) {
	if err := checkPatient(req); err != nil {
		return control.Patient{}, err
	}
	h := digest(sp.seed, "patient", req.Handle)
	acc := identity.Account{
		Handle:     req.Handle,
		Login:      "patient-" + strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(h[:8])),
		Password:   randomHex(10),
		Email:      req.Person.Email,
		Phone:      req.Person.Phone,
		Sub:        base64.RawURLEncoding.EncodeToString(h[8:24]),
		IDPe:       uuid(digest(sp.seed, "idpe", req.Handle)),
		AssignAuth: sp.auth,
		Tolerant:   req.Record == "tolerant",
		Access:     time.Duration(req.AccessSeconds) * time.Second,
		Refresh:    time.Duration(req.RefreshSeconds) * time.Second,
		IDToken:    req.IDToken, TokenAnswer: req.TokenAnswer,
		Holder:  req.Holder,
		Profile: req.Profile,
		Label:   req.Person.GivenName + " " + req.Person.FamilyName,
	}
	sp.mu.Lock()
	defer sp.mu.Unlock()
	if len(sp.scenarios) >= maxPatients {
		return control.Patient{}, fmt.Errorf("the space holds %d patients, that is the most", maxPatients)
	}
	if err := sp.identity.Add(acc); err != nil {
		return control.Patient{}, &conflictError{err.Error()}
	}
	sp.mes.Add(acc)
	sp.mes.Introduce(req.Handle, req.Person)
	if err := sp.settle(&acc, req); err != nil {
		return control.Patient{}, err
	}
	sp.names.Name("email", req.Person.Email)
	sp.names.Name("phone", req.Person.Phone)
	sp.scenarios[req.Handle] = req.Scenario
	return control.Patient{Handle: acc.Handle, Login: acc.Login, Password: acc.Password}, nil
}

func checkPatient(req control.PatientRequest) error {
	if req.Handle == "" || len(req.Handle) > 200 {
		return fmt.Errorf("the handle of a patient has 1 to 200 characters, this one has %d", len(req.Handle))
	}
	if err := identity.CheckINS(req.Person.INSOID, req.Person.INS); err != nil {
		return fmt.Errorf("refuse the patient %s: %w", req.Handle, err)
	}
	if req.Record != "" && req.Record != "strict" && req.Record != "tolerant" {
		return fmt.Errorf("record is %q, it is strict or tolerant", req.Record)
	}
	if known := append(control.IDTokenFaults(), control.IDTokenClocks()...); req.IDToken != "" && !slices.Contains(known, req.IDToken) {
		return fmt.Errorf("idToken is %q, it is one of %s", req.IDToken, strings.Join(known, ", "))
	}
	if known := control.TokenAnswerFaults(); req.TokenAnswer != "" && !slices.Contains(known, req.TokenAnswer) {
		return fmt.Errorf("tokenAnswer is %q, it is one of %s", req.TokenAnswer, strings.Join(known, ", "))
	}
	if err := checkLife(req); err != nil {
		return err
	}
	if req.AccessSeconds < 0 || req.RefreshSeconds < 0 {
		return fmt.Errorf("a lifetime cannot be negative")
	}
	return nil
}

// act makes something happen on the side of Mon espace santé.
func (sp *space) act(patient string, a control.Act) error {
	switch a.Kind {
	case control.ActExpireAccess:
		sp.identity.ExpireAccess(patient)
	case control.ActExpireIDToken:
		sp.identity.ExpireIDTokens(patient)
	case control.ActRevoke:
		sp.identity.Revoke(patient)
	case control.ActUnpair:
		sp.mes.End(patient)
	case control.ActWithdraw, control.ActGrant:
		return sp.mes.Grant(patient, a.Finalite, a.Kind == control.ActGrant)
	case control.ActConflict, control.ActResolve:
		sp.mes.Conflict(patient, a.Kind == control.ActConflict)
	case control.ActWithholdDocument, control.ActShareDocument:
		return sp.mes.Share(patient, a.Document, a.Kind == control.ActShareDocument)
	case control.ActCutAccess, control.ActRestoreAccess:
		sp.mes.Cut(patient, a.Kind == control.ActCutAccess)
	case control.ActCloseReading, control.ActOpenReading:
		sp.mes.OpenReading(patient, a.Kind == control.ActOpenReading)
	default:
		return sp.mes.Happen(patient, a)
	}
	return nil
}

// describe is what the control API says of the space.
func (sp *space) describe(ca []byte) control.Space {
	client := sp.client
	client.RedirectURIs = sp.identity.Redirects()
	if client.RedirectURIs == nil {
		client.RedirectURIs = []string{}
	}
	out := control.Space{ID: sp.id, BasePath: sp.base, Endpoints: sp.ends, Client: client, CA: string(ca), OID: sp.oid, Elsewhere: sp.elsewhere, Clear: sp.inClear != "", Finalites: []control.Finalite{}}
	for _, f := range sp.set.Finalites() {
		out.Finalites = append(out.Finalites, control.Finalite{Code: f.Code, Label: f.Label.FR, Write: f.Write, Kind: f.Kind})
	}
	return out
}

// now is the space's clock.
func (sp *space) now() time.Time {
	return sp.clock().Add(time.Duration(sp.offset.Load()))
}

func (sp *space) advance(d time.Duration) { sp.offset.Add(int64(d)) }

func (sp *space) scenario(patient string) (string, bool) {
	sp.mu.RLock()
	defer sp.mu.RUnlock()
	s, ok := sp.scenarios[patient]
	return s, ok
}

// close lets go what waits in the space.
func (sp *space) close() {
	sp.closed.Do(func() {
		close(sp.closing)
		sp.journal.close()
	})
}

// newID derives the id of a resource from the seed, so that a run that is
// repeated names the same things.
func (sp *space) newID(patient, kind string, n int) string {
	return uuid(digest(sp.seed, kind, patient, strconv.Itoa(n)))
}

// deriveOID derives an OID under 2.25, the arc of UUIDs, which nobody else has.
func (sp *space) deriveOID(what string) string {
	// From the client, not from the seed: what was configured once stays right.
	h := digest(0, what, sp.client.ID)
	return "2.25." + new(big.Int).SetBytes(h[:16]).String()
}

func digest(seed int64, parts ...string) [32]byte {
	h := sha256.New()
	fmt.Fprintf(h, "etalon\x00%d", seed)
	for _, p := range parts {
		fmt.Fprintf(h, "\x00%d:%s", len(p), p)
	}
	return [32]byte(h.Sum(nil))
}

// uuid forms a UUID of version 8 (RFC 9562 §5.8: contents of our own).
func uuid(h [32]byte) string {
	h[6] = h[6]&0x0f | 0x80
	h[8] = h[8]&0x3f | 0x80
	x := hex.EncodeToString(h[:16])
	return x[:8] + "-" + x[8:12] + "-" + x[12:16] + "-" + x[16:20] + "-" + x[20:]
}

// randomHex returns n random bytes in hexadecimal: ids of spaces and secrets do
// not derive from the seed.
func randomHex(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // it cannot fail (crypto/rand, Go 1.24)
	return hex.EncodeToString(b)
}
