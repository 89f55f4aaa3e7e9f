package mes

import (
	"net/http"
	"slices"
	"strings"

	"github.com/etalon-sante/etalon/sandbox/exchange"
	"github.com/etalon-sante/etalon/sandbox/fhir"
	"github.com/etalon-sante/etalon/sandbox/identity"
	"github.com/etalon-sante/etalon/sandbox/record"
)

// operation is what a business call asks for.
type operation struct {
	kind  string // measures, documents, agenda
	write bool
	// read reads the message; it returns whom the message names and what is
	// wrong with it.
	read func(fhir.Context) (idpe, auth string, issues []record.Issue)
}

// gate lets a call through or answers it. It returns the patient's state, and
// the answer when the call is refused; done is also true when a planned fault
// takes the place of the effect.
//
// The order is that of the tables of the measures specification (§2.2.8 and
// §2.3): 400 for the id_token, 401 for the access_token, 403 for the idPe and
// the consent, 409 for the OID, then the message. One difference: an id_token
// that has merely expired is looked at after the access_token. Where both have
// the same lifetime they expire together, and a 400 would hide from the service
// the 401 to which it refreshes.
func (s *Service) gate(x *exchange.Exchange, op operation) (acc identity.Account, p patient, out exchange.Answer, done bool) {
	f := &record.CallFacts{AccessState: identity.Absent, IDTokenState: identity.Absent, Finalite: s.finalite(op.kind, op.write)}
	x.Facts.Call = f
	if cert := identity.Presented(x.HTTP); cert != nil {
		f.Certificate = identity.Thumbprint(cert)
	}
	acc, known := s.bearer(x, f)
	idAcc, idKnown := s.idToken(x, f)
	ctx := fhir.Context{OID: s.cfg.OID}
	if known {
		ctx.IDPe, ctx.AssignAuth = acc.IDPe, acc.AssignAuth
		f.TokenIDPe, f.WantAuth = acc.IDPe, acc.AssignAuth
	}
	var issues []record.Issue
	f.RequestIDPe, f.AssignAuth, issues = op.read(ctx)
	switch {
	case known:
		x.Patient = acc.Handle
	case idKnown:
		x.Patient = idAcc.Handle
	default:
		s.mu.RLock()
		x.Patient = s.byIDPe[f.RequestIDPe]
		s.mu.RUnlock()
	}
	if known && idKnown && idAcc.Handle != acc.Handle {
		f.IDTokenState = "other-patient"
	}
	p, _ = s.view(x.Patient)
	f.Paired = p.paired
	f.Consented = p.paired && slices.Contains(p.granted, f.Finalite)

	if i := s.authentication(f); i != nil {
		x.Issue(*i)
		x.Facts.Issues = append(x.Facts.Issues, issues...)
		return acc, p, s.refuse(i.HTTP, []record.Issue{*i}), true
	}
	// Faults are drawn by calls that are authenticated: a service that first
	// has to refresh must not use them up.
	effect := x.Draw(s.cfg.Faults)
	x.Facts.Issues = append(x.Facts.Issues, issues...)
	if !effect {
		return acc, p, exchange.Answer{}, true
	}
	i := s.permission(f, p, issues)
	if i == nil {
		i = s.closed(op, p)
	}
	if i != nil {
		if !slices.Contains(issues, *i) {
			x.Issue(*i)
		}
		return acc, p, s.refuse(i.HTTP, []record.Issue{*i}), true
	}
	if status := fhir.Status(issues); status != 0 && !p.tolerant {
		return acc, p, s.refuse(status, issues), true
	}
	return acc, p, exchange.Answer{}, false
}

// bearer reads the access_token.
func (s *Service) bearer(x *exchange.Exchange, f *record.CallFacts) (identity.Account, bool) {
	scheme, token, _ := strings.Cut(x.HTTP.Header.Get("Authorization"), " ")
	token = strings.TrimSpace(token)
	if !strings.EqualFold(scheme, "Bearer") || token == "" {
		return identity.Account{}, false
	}
	acc, state := s.cfg.Identity.Access(token)
	f.AccessToken, f.AccessState, f.Bound = x.Presented("access-token", token), state, s.cfg.Identity.Bound(token)
	return acc, state != identity.Unknown
}

// idToken reads the id_token from the header of the settings; in any other
// place it is absent.
func (s *Service) idToken(x *exchange.Exchange, f *record.CallFacts) (identity.Account, bool) {
	header := s.cfg.Settings.String("header.id-token")
	token := strings.TrimSpace(x.HTTP.Header.Get(header))
	if token == "" {
		return identity.Account{}, false
	}
	acc, state := s.cfg.Identity.IDToken(token)
	f.IDToken, f.IDTokenIn, f.IDTokenState = x.Presented("id-token", token), header, state
	return acc, acc.Handle != ""
}

// authentication says why the tokens of a call are refused, nil when they are
// not.
func (s *Service) authentication(f *record.CallFacts) *record.Issue {
	header := s.cfg.Settings.String("header.id-token")
	id := record.Issue{Rule: "call.id-token", Severity: "error", Code: "security", HTTP: http.StatusBadRequest, Pointer: "header:" + header, Expected: "an id_token that is valid", Actual: f.IDTokenState}
	switch {
	case f.IDTokenState == identity.Absent:
		id.Setting = s.cfg.Settings.Assumed("header.id-token")
		return &id
	case f.IDTokenState == identity.Invalid:
		return &id
	case f.AccessState != identity.Valid:
		return &record.Issue{Rule: "call.access-token", Severity: "error", Code: "login", HTTP: http.StatusUnauthorized, Pointer: "header:Authorization", Expected: "an access_token that is valid", Actual: f.AccessState}
	case f.Bound != "" && f.Certificate != f.Bound:
		// RFC 8705 §3: a token that is presented without the certificate it is
		// bound to is an invalid one.
		actual := "another certificate"
		if f.Certificate == "" {
			actual = "no certificate"
		}
		return &record.Issue{Rule: "call.certificate", Severity: "error", Code: "login", HTTP: http.StatusUnauthorized, Expected: "the certificate that the access_token is bound to", Actual: actual, Setting: s.cfg.Settings.Assumed("client.certificate-bound")}
	case f.IDTokenState == identity.Expired:
		return &id
	}
	return nil
}

// permission says why a call that is authenticated is not allowed, nil when it
// is.
func (s *Service) permission(f *record.CallFacts, p patient, issues []record.Issue) *record.Issue {
	for _, i := range issues {
		if i.HTTP == http.StatusForbidden {
			return &i
		}
	}
	switch {
	case f.IDTokenState == "other-patient":
		return &record.Issue{Rule: "call.idpe", Severity: "error", Code: "forbidden", HTTP: http.StatusForbidden, Expected: "both tokens for one patient", Actual: "the id_token of another patient"}
	case f.RequestIDPe != "" && f.RequestIDPe != f.TokenIDPe:
		return &record.Issue{Rule: "call.idpe", Severity: "error", Code: "forbidden", HTTP: http.StatusForbidden, Expected: f.TokenIDPe, Actual: f.RequestIDPe}
	}
	if i := s.withheld(f, p); i != nil {
		return i
	}
	switch {
	case !f.Paired:
		return &record.Issue{Rule: "call.pairing", Severity: "error", Code: "forbidden", HTTP: http.StatusForbidden, Expected: "a pairing that stands", Actual: "the pairing has ended"}
	case !f.Consented:
		return &record.Issue{Rule: "call.consent", Severity: "error", Code: "forbidden", HTTP: http.StatusForbidden, Expected: "the patient's consent to " + f.Finalite, Actual: "not given"}
	case p.conflict:
		return &record.Issue{Rule: "call.oid", Severity: "error", Code: "conflict", HTTP: http.StatusConflict, Expected: "the OID of the pairing", Actual: "another OID"}
	}
	return nil
}
