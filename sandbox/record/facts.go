package record

// Facts are what the recorder derived from an exchange before the secrets were
// taken out of it. Names in «guillemets» are those of the redactor: the same
// name stands for the same value wherever it occurs in the run.
type Facts struct {
	Authorize *AuthorizeFacts `json:"authorize,omitempty"`
	Consent   *ConsentFacts   `json:"consent,omitempty"`
	Barred    *BarredFacts    `json:"barred,omitempty"`
	Token     *TokenFacts     `json:"token,omitempty"`
	Call      *CallFacts      `json:"call,omitempty"`
	CDA       *CDAFacts       `json:"cda,omitempty"`
	Issues    []Issue         `json:"issues,omitempty"`   // what the sandbox found wrong in the candidate's message
	Clear     bool            `json:"clear,omitempty"`    // the request came without TLS
	Shown     string          `json:"shown,omitempty"`    // what was deliberately wrong in the certificate that the sandbox showed
	SecretIn  []string        `json:"secretIn,omitempty"` // places of the request where a token, code or client secret stood: "url", "body", "header:Name"
}

// AuthorizeFacts describe an authorization request.
type AuthorizeFacts struct {
	ResponseType        string   `json:"responseType"`
	ClientKnown         bool     `json:"clientKnown"`
	RedirectRegistered  bool     `json:"redirectRegistered"`
	RedirectURI         string   `json:"redirectUri"`
	Scope               []string `json:"scope"`
	State               string   `json:"state,omitempty"` // name
	StateBits           int      `json:"stateBits"`       // length of the value × bits per character of its alphabet: an upper bound of its entropy
	Nonce               string   `json:"nonce,omitempty"` // name
	NonceBits           int      `json:"nonceBits"`
	ChallengeMethod     string   `json:"challengeMethod,omitempty"` // "" when absent
	Challenge           string   `json:"challenge,omitempty"`       // name
	ChallengeWellFormed bool     `json:"challengeWellFormed"`       // 43 characters of base64url without padding (RFC 7636 §4.2)
	Repeated            []string `json:"repeated,omitempty"`        // parameters given more than once
	// Partner is the account of the service that the request says it is for.
	Partner *PartnerFacts `json:"partner,omitempty"`
}

// ConsentFacts describe the patient's choice on the consent page.
type ConsentFacts struct {
	Accepted  bool     `json:"accepted"`
	Finalites []string `json:"finalites"` // codes agreed to
	Refused   []string `json:"refused"`
}

// TokenFacts describe a request to the token endpoint and its answer.
type TokenFacts struct {
	GrantType    string          `json:"grantType"`
	ClientAuth   string          `json:"clientAuth"` // client_secret_basic, client_secret_post, private_key_jwt, tls_client_auth, self_signed_tls_client_auth, none
	ClientOK     bool            `json:"clientOk"`
	ClientWhy    string          `json:"clientWhy,omitempty"`    // why the client is not recognised
	ClientBeside []string        `json:"clientBeside,omitempty"` // the methods used at once, where there are several
	Assertion    *AssertionFacts `json:"assertion,omitempty"`    // private_key_jwt
	Certificate  string          `json:"certificate,omitempty"`  // x5t#S256 of the client certificate of the connection
	Bound        string          `json:"bound,omitempty"`        // x5t#S256 that the access token issued is bound to
	Code         string          `json:"code,omitempty"`         // name
	CodeOrigin   string          `json:"codeOrigin,omitempty"`   // "flow": from a consent; "forged": made by the harness; "unknown"
	CodeUses     int             `json:"codeUses,omitempty"`     // 1 at its first presentation
	VerifierOK   bool            `json:"verifierOk"`             // the verifier hashes to the challenge of the request
	VerifierSent bool            `json:"verifierSent"`           //
	VerifierLen  int             `json:"verifierLen,omitempty"`  //
	Refresh      string          `json:"refresh,omitempty"`      // name of the refresh token presented
	RefreshState string          `json:"refreshState,omitempty"` // current, superseded, revoked, unknown
	Issued       []string        `json:"issued,omitempty"`       // names of what was issued
	IDTokenKey   string          `json:"idTokenKey,omitempty"`   // kid of the key that signed the id_token issued
	IDTokenFault string          `json:"idTokenFault,omitempty"` // what is deliberately wrong in the id_token issued
	AnswerFault  string          `json:"answerFault,omitempty"`  // what is deliberately wrong in the answer itself
}

// AssertionFacts describe the JWT by which a client authenticates (RFC 7523).
type AssertionFacts struct {
	Algorithm   string   `json:"algorithm"`
	KeyID       string   `json:"keyId,omitempty"`
	Issuer      string   `json:"issuer"`
	Subject     string   `json:"subject"`
	Audience    []string `json:"audience"`
	AudienceOK  bool     `json:"audienceOk"`       // it names this server, alone
	Signed      bool     `json:"signed"`           // by a key registered for the client
	LifeSeconds int      `json:"lifeSeconds"`      // from its arrival until it expires
	ID          string   `json:"id,omitempty"`     // name of jti
	IDUses      int      `json:"idUses,omitempty"` // 1 at its first use
}

// CallFacts describe a call to a business API.
type CallFacts struct {
	AccessToken  string `json:"accessToken,omitempty"` // name of the bearer presented
	AccessState  string `json:"accessState"`           // absent, valid, expired, revoked, unknown
	IDToken      string `json:"idToken,omitempty"`     // name of the id_token presented
	IDTokenIn    string `json:"idTokenIn,omitempty"`   // header that carried it, "" when absent
	IDTokenState string `json:"idTokenState"`          // absent, valid, expired, invalid, other-patient
	Bound        string `json:"bound,omitempty"`       // x5t#S256 that the bearer is bound to
	Certificate  string `json:"certificate,omitempty"` // x5t#S256 of the client certificate of the connection
	TokenIDPe    string `json:"tokenIdpe,omitempty"`   // idPe that the bearer was issued for
	RequestIDPe  string `json:"requestIdpe,omitempty"` // idPe that the request names (subject.identifier)
	AssignAuth   string `json:"assignAuth,omitempty"`  // naming authority that the request names
	WantAuth     string `json:"wantAuth,omitempty"`    // naming authority given at pairing
	Finalite     string `json:"finalite,omitempty"`    // finalité that the operation needs
	Consented    bool   `json:"consented"`             // the patient's consent covers it at this moment
	Paired       bool   `json:"paired"`                // the pairing stands at this moment
	ResourceID   string `json:"resourceId,omitempty"`  // id that the sandbox gave, for a feed that was stored
	Returned     int    `json:"returned,omitempty"`    // resources returned (searches), Device and outcome entries not counted
	Stored       bool   `json:"stored,omitempty"`      // something was stored
	Withheld     string `json:"withheld,omitempty"`    // what holds every call back at this moment: see the Withheld constants
	// Documents are those that the call fed, read or found.
	Documents []DocumentFacts `json:"documents,omitempty"`
}

// Issue is one thing wrong in a message of the candidate.
type Issue struct {
	Rule     string `json:"rule"`              // stable id of the rule: "feed.bundle-type"
	Severity string `json:"severity"`          // error or warning
	Code     string `json:"code"`              // FHIR issue type: invalid, value, not-supported, incomplete, …
	HTTP     int    `json:"http"`              // status that a strict record answers
	Pointer  string `json:"pointer,omitempty"` // JSON pointer into the body, or "?name" for a query parameter, or "header:Name"
	Expected string `json:"expected,omitempty"`
	Actual   string `json:"actual,omitempty"`
	Setting  string `json:"setting,omitempty"` // key of the assumed setting that the rule rests on, if any
}
