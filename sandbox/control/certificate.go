package control

// What may be wrong in the certificate that the sandbox shows (RFC 5280 §6.1,
// RFC 9525 §6).
const (
	CertificateExpired    = "expired"
	CertificateOtherName  = "other-name"
	CertificateUntrusted  = "untrusted"   // of an authority that nobody was told of
	CertificateSelfSigned = "self-signed" // of no authority
)

// BadCertificates lists the kinds.
func BadCertificates() []string {
	return []string{CertificateExpired, CertificateOtherName, CertificateUntrusted, CertificateSelfSigned}
}

// CertificateRequest asks for the certificate to be shown to candidates.
type CertificateRequest struct {
	Kind string `json:"kind"` // one of BadCertificates; empty: the sandbox's own
}

// CertificateShown tells what came of the one that was shown before.
type CertificateShown struct {
	Handshakes int `json:"handshakes"` // begun by candidates
}
