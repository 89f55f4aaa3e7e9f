package record

// DocumentFacts describe one document that a call fed, read or found. The digest
// stands for the content, which the journal does not keep when it is large: that
// bytes are the same can be judged at any size.
type DocumentFacts struct {
	ID              string `json:"id,omitempty"`
	Category        string `json:"category,omitempty"` // "" when it is none of Mon espace santé
	Media           string `json:"media,omitempty"`
	Title           string `json:"title,omitempty"`
	Created         string `json:"created,omitempty"`         // as the metadata have it
	PracticeSetting string `json:"practiceSetting,omitempty"` // code; fed documents only
	Size            int    `json:"size"`                      // bytes of the content, decoded
	Digest          string `json:"digest,omitempty"`          // SHA-256 of the content, decoded, in hexadecimal
	// SameAs is the id of an earlier document of this patient that has the same
	// content or the same identifier; fed documents only.
	SameAs string `json:"sameAs,omitempty"`
	// Withheld says why the patient's choices or the rules keep the document from
	// the service ("not-shared", "hidden", "administrative"); read documents only.
	Withheld string `json:"withheld,omitempty"`
}
