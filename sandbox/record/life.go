package record

// PartnerFacts describe the account of the service that is about to be paired,
// as the authorization request announces it. The data themselves are the
// service's: only names stand here.
type PartnerFacts struct {
	Readable bool     `json:"readable"`          // the parameter could be read
	Login    string   `json:"login,omitempty"`   // name
	Email    string   `json:"email,omitempty"`   // name
	Missing  []string `json:"missing,omitempty"` // members that are missing or empty
}

// BarredFacts say what stands in the way of a pairing, on the exchanges in which
// the patient and the service are told.
type BarredFacts struct {
	By    string `json:"by"`              // WithheldSpace or WithheldService
	State string `json:"state"`           // of the holder's space, or of the service
	Error string `json:"error,omitempty"` // error that went back to the redirect URI
}

// What holds back every call of a patient's pairing, although it stands or stood.
const (
	WithheldSpace      = "space"      // the holder's space is not active
	WithheldService    = "service"    // the status of the service
	WithheldReapproval = "reapproval" // consents had to be approved again by a date that has passed
)
