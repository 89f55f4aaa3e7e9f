package control

// The kinds of fault. All but FaultDelay, FaultSlow, FaultHuge, FaultLink and
// FaultMislabelled take the place of what the request asks for; with Store it
// takes effect all the same, and only its answer is lost.
const (
	FaultStatus      = "status"      // answer Status with an OperationOutcome (business routes) or an OAuth error
	FaultDelay       = "delay"       // answer as usual, Millis later
	FaultHang        = "hang"        // never answer
	FaultCut         = "cut"         // close the connection in the middle of the body
	FaultMalformed   = "malformed"   // answer 200 with a body that is not JSON
	FaultPage        = "page"        // answer Status (200 when 0) with an HTML page, as a proxy or a portal in between does
	FaultMislabelled = "mislabelled" // answer as usual, labelled text/html
	FaultEmpty       = "empty"       // answer 200 without a body
	FaultDrop        = "drop"        // close the connection before the first byte
	FaultSlow        = "slow"        // answer as usual, the body spread over Millis
	FaultHuge        = "huge"        // answer as usual, followed by blanks up to Bytes
	FaultRedirect    = "redirect"    // answer Status (302 when 0) with the address of another host
	FaultClear       = "clear"       // answer Status (302 when 0) with an address of the sandbox without TLS
	FaultLink        = "link"        // answer a search as usual, with a next link to another host
)

// LeadsElsewhere says whether a kind of fault names another host in its answer:
// the sandbox must then be known by two names.
func LeadsElsewhere(kind string) bool { return kind == FaultRedirect || kind == FaultLink }

// Effect says whether a request that meets the fault still has its effect.
func (f Fault) Effect() bool {
	switch f.Kind {
	case FaultDelay, FaultSlow, FaultHuge, FaultLink, FaultMislabelled:
		return true
	}
	return f.Store
}
