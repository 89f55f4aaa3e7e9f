package control

// The acts that concern documents.
const (
	// ActWithholdDocument ends the sharing of one document (Act.Document) with the
	// service: searches no longer list it, reads are refused.
	ActWithholdDocument = "withhold-document"
	// ActShareDocument shares that document again.
	ActShareDocument = "share-document"
	// ActCutAccess closes reading and writing of documents to the service for this
	// patient, as after a feeding rate that stays too low; the pairing stands.
	ActCutAccess = "cut-access"
	// ActRestoreAccess ends ActCutAccess.
	ActRestoreAccess = "restore-access"
	// ActCloseReading closes reading alone, as to a service that is not of the
	// pilot phase; ActOpenReading opens it.
	ActCloseReading = "close-reading"
	ActOpenReading  = "open-reading"
)
