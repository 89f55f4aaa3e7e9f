// Package control is the contract of the sandbox's control API: its wire types
// and a client. It is the only way in which a harness drives a sandbox, be it
// embedded, served or in a container.
package control

import (
	"encoding/json"
	"time"

	"github.com/etalon-sante/etalon/sandbox/record"
)

// Health is the answer of GET /v1/health.
type Health struct {
	Build    string    `json:"build"`    // version of the sandbox
	Settings string    `json:"settings"` // id of its settings file
	Time     time.Time `json:"time"`
	CA       string    `json:"ca"` // PEM of the authority of its certificate
	Public   string    `json:"public"`
	// Signs says that the sandbox signs what it served (GET …/testimony).
	Signs bool `json:"signs,omitempty"`
	// Handshakes are the last reasons (at most 8) for which a TLS handshake with
	// the sandbox was broken off: a candidate that does not trust its authority
	// is seen here only.
	Handshakes []string `json:"handshakes"`
}

// Client is the OAuth2 client of the candidate.
type Client struct {
	ID           string   `json:"id"`
	Secret       string   `json:"secret,omitempty"`
	Auth         string   `json:"auth"` // client_secret_basic, client_secret_post, private_key_jwt, tls_client_auth, self_signed_tls_client_auth
	RedirectURIs []string `json:"redirectUris"`
	// JWKS are the public keys of the client (private_key_jwt).
	JWKS json.RawMessage `json:"jwks,omitempty"`
	// Certificate is, in PEM, what the client presents (self_signed_tls_client_auth);
	// several while one takes over from another.
	Certificate string `json:"certificate,omitempty"`
	// Authority is, in PEM, who signs the certificates of the client, and Subject
	// whom they name, as RFC 4514 writes it (tls_client_auth).
	Authority string `json:"authority,omitempty"`
	Subject   string `json:"subject,omitempty"`
}

// SpaceRequest asks for a space (POST /v1/spaces). What is empty is made up by
// the sandbox.
type SpaceRequest struct {
	BasePath string            `json:"basePath,omitempty"` // "/mes"; default "/s/" + id
	Client   Client            `json:"client"`
	Seed     int64             `json:"seed"`               // everything that the space makes up derives from it, secrets excepted
	Settings map[string]string `json:"settings,omitempty"` // overrides of the settings file, by key
	// After says which numbers an earlier space of the same run has used: this
	// one goes on from there, so that no id and no name of the journal stands
	// for two things.
	After Numbers `json:"after,omitzero"`
	// Card is what patients are shown of the service.
	Card ServiceCard `json:"card,omitzero"`
	Run  string      `json:"run,omitempty"` // id of the run, for the testimony of a sandbox that signs
}

// Numbers are the last that were given out.
type Numbers struct {
	IDs   int            `json:"ids"`             // of exchanges and faults
	Names map[string]int `json:"names,omitempty"` // of secrets, by kind ("access-token")
}

// Endpoints are the candidate's addresses in a space.
type Endpoints struct {
	Issuer        string `json:"issuer"`
	Authorization string `json:"authorization"`
	Token         string `json:"token"`
	Revocation    string `json:"revocation"`
	JWKS          string `json:"jwks"`
	FHIR          string `json:"fhir"`
	IDTokenHeader string `json:"idTokenHeader"` // header of business calls that carries the id_token (assumed: a setting)
	// AccountParameter is the parameter of the authorization request by which the
	// service says which of its accounts is about to be paired (assumed: a setting).
	AccountParameter string `json:"accountParameter,omitempty"`
}

// Space is one run's corner of the sandbox.
type Space struct {
	ID        string     `json:"id"`
	BasePath  string     `json:"basePath"`
	Endpoints Endpoints  `json:"endpoints"`
	Client    Client     `json:"client"`
	CA        string     `json:"ca"`
	OID       string     `json:"oid"` // OID of the candidate's solution
	Finalites []Finalite `json:"finalites"`
	// Elsewhere is the space under another host name of the sandbox, where no
	// token belongs; empty when the sandbox is known by one name only. What
	// arrives there is in the journal under route "elsewhere".
	Elsewhere string `json:"elsewhere,omitempty"`
	// Clear says that what is sent to the sandbox without TLS is seen: faults of
	// kind clear lead there.
	Clear bool `json:"clear,omitempty"`
}

// Finalite is one purpose that the consent page offers.
type Finalite struct {
	Code  string `json:"code"`  // MESURES_ECRITURE
	Label string `json:"label"` // shown to the patient
	Write bool   `json:"write"`
	Kind  string `json:"kind"` // measures, documents, agenda
}

// SpacePatch changes a space (PATCH /v1/spaces/{space}); empty fields stay.
type SpacePatch struct {
	RedirectURIs  []string     `json:"redirectUris,omitempty"`
	ServiceStatus string       `json:"serviceStatus,omitempty"` // one of ServiceStatuses
	Card          *ServiceCard `json:"card,omitempty"`
}

// Person is a synthetic person. The sandbox refuses identifiers outside the
// test ranges.
type Person struct {
	FamilyName string `json:"familyName"`
	GivenName  string `json:"givenName"`
	BirthDate  string `json:"birthDate"` // 2006-01-02
	Sex        string `json:"sex"`       // F, M
	INS        string `json:"ins"`       // 15 characters, key included
	INSOID     string `json:"insOid"`    // 1.2.250.1.213.1.4.10 (test) or .11 (demonstration)
	Email      string `json:"email"`     // canary
	Phone      string `json:"phone"`     // canary
}

// PatientRequest puts a patient into a space (POST …/patients).
type PatientRequest struct {
	Handle   string `json:"handle"`   // opaque, the same as the pilot is given
	Scenario string `json:"scenario"` // slug, for the journal only
	Person   Person `json:"person"`
	Record   string `json:"record,omitempty"` // "strict" (default: refuses as the real API does) or "tolerant" (notes and goes on)
	// Lifetimes in seconds; 0 means the setting's.
	AccessSeconds  int    `json:"accessSeconds,omitempty"`
	RefreshSeconds int    `json:"refreshSeconds,omitempty"`
	IDToken        string `json:"idToken,omitempty"`     // what is deliberately wrong in the id_token: see IDTokenFaults and IDTokenClocks
	TokenAnswer    string `json:"tokenAnswer,omitempty"` // what is deliberately wrong in the answers of the token endpoint: see TokenAnswerFaults
	// Holder is the handle of the patient whose account this profile belongs to;
	// empty for who has an account. Profile is then its kind: see ProfileKinds.
	Holder  string `json:"holder,omitempty"`
	Profile string `json:"profile,omitempty"`
	Space   string `json:"space,omitempty"` // state of the holder's space: see SpaceStates; empty: active
}

// IDTokenFaults lists the deliberate faults of an id_token that a patient may be
// given.
func IDTokenFaults() []string {
	return []string{"nonce", "signature", "audience", "issuer", "expired", "alg-none"}
}

// The faults of an answer of the token endpoint that says 200 (RFC 6749 §5.1,
// OpenID Connect Core §3.1.3.3).
const (
	TokenAnswerNoAccess  = "no-access-token"
	TokenAnswerNoID      = "no-id-token"
	TokenAnswerOtherType = "other-type" // a token type that the client did not ask for
	TokenAnswerError     = "error-in-200"
)

// TokenAnswerFaults lists the deliberate faults of the token endpoint's answers
// that a patient may be given.
func TokenAnswerFaults() []string {
	return []string{TokenAnswerNoAccess, TokenAnswerNoID, TokenAnswerOtherType, TokenAnswerError}
}

// IDTokenClocks lists what may be with the clock that makes the id_tokens of a
// patient.
func IDTokenClocks() []string { return []string{IDTokenAhead, IDTokenFuture} }

// The clocks.
const (
	IDTokenAhead  = "ahead"  // issued two minutes from now: two clocks differ; business calls accept it
	IDTokenFuture = "future" // issued twelve hours from now: no clock is that wrong
)

// Patient is what the harness must know to play this patient.
type Patient struct {
	Handle   string `json:"handle"`
	Login    string `json:"login"` // of the sandbox's sign-in page; canary
	Password string `json:"password"`
}

// PatientState is what the sandbox holds about a patient (GET …/patients/{p}).
type PatientState struct {
	Paired     bool     `json:"paired"`
	Finalites  []string `json:"finalites"`
	IDPe       string   `json:"idpe,omitempty"`
	AssignAuth string   `json:"assignAuth,omitempty"`
	Measures   int      `json:"measures"`
	Documents  int      `json:"documents"`
	// ServiceStatus is that of the service for this patient, Space the state of
	// his space. Acknowledged is false while consents must be approved again, by
	// ReapprovalLimit.
	ServiceStatus   string    `json:"serviceStatus"`
	Space           string    `json:"space"`
	Acknowledged    bool      `json:"isAcknowledged"`
	ReapprovalLimit time.Time `json:"reapprovalLimitDate,omitzero"`
	Agenda          int       `json:"agenda"` // agenda items, whatever their status
}

// Act is something that happens on the side of Mon espace santé
// (POST …/patients/{p}/acts).
type Act struct {
	Kind     string `json:"kind"`               // see the Act constants
	Finalite string `json:"finalite,omitempty"` // for ActWithdraw and ActGrant
	// For the acts of the life of a pairing (ActServiceStatus and following).
	Status   string    `json:"status,omitempty"`
	Reason   string    `json:"reason,omitempty"`
	Until    time.Time `json:"until,omitzero"`
	Document string    `json:"document,omitempty"` // id of a document, for ActWithholdDocument and ActShareDocument
}

// The acts.
const (
	ActExpireAccess  = "expire-access"   // access tokens of the patient expire now; the refresh token stays good
	ActExpireIDToken = "expire-id-token" // business calls answer 400 to the id_tokens issued so far
	ActRevoke        = "revoke"          // access and refresh tokens are refused from now on, the pairing record stays
	ActUnpair        = "unpair"          // the patient ends the pairing in Mon espace santé
	ActWithdraw      = "withdraw"        // the patient withdraws one finalité
	ActGrant         = "grant"           // the patient grants one finalité
	ActConflict      = "conflict"        // the OID of the pairing no longer matches: business calls answer 409
	ActResolve       = "resolve"         // ends ActConflict
)

// Code is an authorization code made for a forged callback (POST …/codes).
type Code struct {
	Code string `json:"code"`
}

// Pairing is what a candidate that does not claim pairing is given
// (POST …/pairing).
type Pairing struct {
	AccessToken  string `json:"accessToken"`
	RefreshToken string `json:"refreshToken"`
	IDToken      string `json:"idToken"`
	IDPe         string `json:"idpe"`
	AssignAuth   string `json:"assignAuth"` // "urn:oid:…"
	OID          string `json:"oid"`        // of the candidate's solution
	ExpiresIn    int    `json:"expiresIn"`  // seconds
}

// Seed puts existing content into a patient's record (POST …/seed). Resources
// are FHIR JSON without subject, which the sandbox adds.
type Seed struct {
	Measures  []json.RawMessage `json:"measures,omitempty"`  // Observation
	Devices   []json.RawMessage `json:"devices,omitempty"`   // Device, referenced by id
	Documents []json.RawMessage `json:"documents,omitempty"` // DocumentReference with attachment.data
	// Tolerate names rules ("document.category") that the documents may break: a
	// record holds what older rules let in, and a service must bear it.
	Tolerate []string `json:"tolerate,omitempty"`
	// Appointments are Appointment resources without the patient, whom the
	// sandbox adds as a participant. meta.tag names the author, meta.source the
	// OID of the service where a service is.
	Appointments []json.RawMessage `json:"appointments,omitempty"`
}

// Seeded lists the ids given, in order.
type Seeded struct {
	Measures  []string `json:"measures"`
	Documents []string `json:"documents"`
	// Appointments are the ids of the agenda items.
	Appointments []string `json:"appointments"`
}

// Fault is one planned fault (POST …/faults): it is applied to the next Next
// matching calls and then is used up.
type Fault struct {
	ID         string       `json:"id,omitempty"` // given by the sandbox
	Patient    string       `json:"patient"`      // handle; required, faults are addressed
	Route      record.Route `json:"route"`
	Next       int          `json:"next"`                 // how many matching calls; at least 1
	Kind       string       `json:"kind"`                 // see the Fault constants
	Status     int          `json:"status,omitempty"`     // FaultStatus
	IssueCode  string       `json:"issueCode,omitempty"`  // FaultStatus: code of the OperationOutcome's issue
	RetryAfter int          `json:"retryAfter,omitempty"` // FaultStatus and FaultPage: seconds, 0 sends no header
	RetryDate  bool         `json:"retryDate,omitempty"`  // Retry-After is written as a date (RFC 9110 §10.2.3)
	Millis     int          `json:"millis,omitempty"`     // FaultDelay and FaultSlow
	Bytes      int          `json:"bytes,omitempty"`      // FaultHuge: size of the answer, 0 means 32 MiB
	Skip       int          `json:"skip,omitempty"`       // so many matching calls pass first
	Store      bool         `json:"store,omitempty"`      // the request takes effect all the same (a lost answer)
	Applied    int          `json:"applied"`              // in answers: how often so far
}

// Entries is a stretch of the journal (GET …/journal?after=N&wait=MS): records
// are redacted with the sandbox's own names, Seq is the sandbox's.
type Entries struct {
	Records []record.Record `json:"records"`
	Next    int             `json:"next"` // value of after for the next call
}

// ClockRequest moves the space's clock (POST …/clock).
type ClockRequest struct {
	AdvanceSeconds int `json:"advanceSeconds"`
}

// Problem is the body of an error answer of the control API.
type Problem struct {
	Error string `json:"error"`
}
