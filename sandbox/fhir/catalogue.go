package fhir

import "net/http"

// Rule is one rule of this package in one of its cases: what it answers and
// where it comes from.
type Rule struct {
	ID       string `json:"id"`
	Case     string `json:"case,omitempty"` // which of the ways to break the rule; "" when there is one
	Severity string `json:"severity"`       // error, or warning: noted, not refused
	Code     string `json:"code"`           // FHIR issue type
	HTTP     int    `json:"http"`           // what a strict record answers; 0: it does not refuse
	Basis    Ground `json:"basis"`
	Setting  string `json:"setting,omitempty"` // key of the setting that the rule reads
}

// Ground says why a rule refuses, or why it does not.
type Ground string

// The grounds.
const (
	Table   Ground = "table"   // the published error table lists it
	Text    Ground = "text"    // the published text or profile requires it; the table does not list it
	FHIR    Ground = "fhir"    // FHIR R4 itself requires it
	Guess   Ground = "guess"   // the real API is assumed to refuse it
	Noticed Ground = "noticed" // the real API is not said to refuse it: noted only
)

// Catalogue lists every rule and case. Sources: API Mesures v1.5.2 §2.2.8 and
// §2.3 for feeds and searches; documents and agenda have no published table.
func Catalogue() []Rule {
	const (
		bad      = http.StatusBadRequest
		denied   = http.StatusForbidden
		tooLarge = http.StatusRequestEntityTooLarge
		content  = http.StatusUnprocessableEntity
	)
	e := func(id, which, code string, status int, basis Ground, setting string) Rule {
		return Rule{ID: id, Case: which, Severity: "error", Code: code, HTTP: status, Basis: basis, Setting: setting}
	}
	w := func(id, which, code, setting string) Rule {
		return Rule{ID: id, Case: which, Severity: "warning", Code: code, Basis: Noticed, Setting: setting}
	}
	return append([]Rule{
		e("feed.json", "", "structure", bad, Table, "measure.no-bundle-status"),
		e("feed.json", "no-bundle", "invalid", bad, Table, "measure.no-bundle-status"),
		e("feed.json", "too-large", "too-long", tooLarge, Guess, "measure.max-bytes"),
		e("feed.json", "shape", "structure", content, FHIR, ""),
		e("feed.bundle-type", "", "invalid", content, Text, ""),
		e("feed.entries", "", "invalid", content, Table, ""),
		e("feed.entries", "other-resource", "not-supported", content, Table, ""),
		e("feed.method", "", "not-supported", content, Table, ""),
		e("feed.full-url", "", "invalid", content, Text, ""),
		e("feed.request-url", "", "not-supported", content, Table, ""),
		e("feed.profile", "", "invalid", content, Table, "measure.canonical-bases"),
		e("feed.device-profile", "", "invalid", content, Table, "measure.device-profile"),
		e("feed.subject", "", "invalid", content, Table, ""),
		e("feed.subject", "other-authority", "invalid", content, Text, ""),
		e("feed.subject", "other-patient", "forbidden", denied, Table, ""),
		e("feed.status", "", "invalid", content, Text, ""),
		e("feed.category", "", "invalid", content, Text, ""),
		e("feed.category", "twice", "invalid", content, Text, ""),
		e("feed.code", "", "invalid", content, Text, "measure.codes"),
		e("feed.code", "twice", "invalid", content, Text, "measure.codes"),
		e("feed.effective", "", "invalid", content, Text, ""),
		w("feed.effective", "no-offset", "invalid", ""),
		e("feed.value", "", "value", content, Table, ""),
		e("feed.quantity", "", "invalid", content, Text, ""),
		e("feed.unit", "", "invalid", content, Text, ""),
		e("feed.component", "", "invalid", content, Text, ""),
		e("feed.binding", "", "code-invalid", content, Text, "measure.binding"),
		w("feed.binding", "extensible", "code-invalid", ""),
		e("feed.coding", "", "invalid", content, Text, ""),
		e("feed.extension", "", "invalid", content, Text, ""),
		e("feed.extension", "twice", "invalid", content, Text, ""),
		w("feed.extension", "foreign", "extension", ""),
		e("feed.source", "", "value", content, Table, ""),
		e("feed.bmi", "", "not-supported", content, Table, ""),
		e("feed.moment-missing", "", "incomplete", content, Table, ""),
		e("feed.moment-forbidden", "", "invalid", content, Table, ""),
		e("feed.days-missing", "", "incomplete", content, Table, ""),
		e("feed.days-forbidden", "", "invalid", content, Table, ""),
		e("feed.device-link", "", "invalid", content, Table, ""),
		e("feed.if-none-exist", "", "invalid", content, Table, ""),
		w("feed.if-none-exist", "other-identifier", "invalid", ""),
		w("feed.if-none-exist", "other-publisher", "invalid", ""),
		w("feed.device-type", "", "code-invalid", ""),
		w("feed.device-specialization", "", "code-invalid", ""),

		e("search.code", "", "invalid", bad, Text, "measure.codes"),
		e("search.subject", "", "invalid", bad, Text, ""),
		e("search.subject", "other-authority", "invalid", bad, Text, ""),
		e("search.subject", "other-patient", "forbidden", denied, Table, ""),
		w("search.subject", "no-authority", "invalid", ""),
		e("search.date", "", "invalid", bad, Text, ""),
		e("search.count", "", "invalid", bad, Table, "search.count-max"),
		e("search.mode", "", "invalid", bad, Table, ""),
		e("search.sort", "", "invalid", bad, Table, ""),
		e("search.offset", "", "invalid", bad, Text, ""),
		e("search.offset", "last", "invalid", bad, Table, ""),
		w("search.unknown-parameter", "", "not-supported", ""),

		e("document.json", "", "structure", bad, FHIR, ""),
		e("document.json", "shape", "structure", content, FHIR, ""),
		e("document.category", "", "code-invalid", content, Guess, "document.category-system"),
		e("document.attachment", "", "invalid", content, Text, ""),
		e("document.size", "", "too-long", content, Guess, "document.max-bytes"),
		w("document.size", "mismatch", "invalid", ""),
		w("document.hash", "", "invalid", ""),
		e("document.format", "", "not-supported", content, Guess, "document.formats"),
		w("document.format", "mismatch", "invalid", ""),
		w("document.confidentiality", "", "code-invalid", "document.confidentiality"),
		e("document.subject", "", "invalid", content, Guess, "document.subject"),
		e("document.subject", "other-authority", "invalid", content, Guess, "document.subject"),
		e("document.subject", "other-patient", "forbidden", denied, Text, ""),

		e("docsearch.patient", "", "invalid", bad, Text, ""),
		e("docsearch.patient", "other-authority", "invalid", bad, Text, ""),
		e("docsearch.patient", "other-patient", "forbidden", denied, Text, ""),
		w("docsearch.patient", "no-authority", "invalid", ""),
		e("docsearch.category", "", "code-invalid", bad, Guess, "document.category-system"),
		e("docsearch.date", "", "invalid", bad, FHIR, ""),
		e("docsearch.count", "", "invalid", bad, Guess, "document.count-max"),
		w("docsearch.unknown-parameter", "", "not-supported", ""),
	}, agendaRules(e, w)...)
}
