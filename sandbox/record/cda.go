package record

// CDAFacts describe a clinical document (HL7 CDA R2) that the candidate sent.
// Identifiers are written root^extension.
type CDAFacts struct {
	Readable       bool     `json:"readable"`                 // as XML, with a ClinicalDocument in it
	Withheld       bool     `json:"withheld,omitempty"`       // it names a real person: refused, not judged further, its bytes not written down
	Kind           string   `json:"kind,omitempty"`           // N1 (a file), N3 (sections), "" for neither
	SelfPresenting bool     `json:"selfPresenting,omitempty"` // a stylesheet around the document
	ID             string   `json:"id,omitempty"`
	SetID          string   `json:"setId,omitempty"`
	Version        int      `json:"version,omitempty"`
	Replaces       string   `json:"replaces,omitempty"` // id of the document that it takes the place of
	Patient        []string `json:"patient,omitempty"`  // identifiers of the patient; none of the production range is ever written down
	Sections       int      `json:"sections,omitempty"`
	FileBytes      int      `json:"fileBytes,omitempty"`  // of the file in an N1 body
	FileSHA256     string   `json:"fileSha256,omitempty"` // of the same, in hexadecimal
	Unchecked      []string `json:"unchecked,omitempty"`  // value sets that no code was compared with
}
