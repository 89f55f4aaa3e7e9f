package fhir

import "net/http"

// agendaRules are the rules of the agenda. No text of that API is public: all of
// them are guesses, and each names the setting that it rests on.
func agendaRules(
	e func(id, which, code string, status int, basis Ground, setting string) Rule,
	w func(id, which, code, setting string) Rule,
) []Rule {
	const (
		bad     = http.StatusBadRequest
		denied  = http.StatusForbidden
		content = http.StatusUnprocessableEntity
	)
	return []Rule{
		e("appointment.json", "", "structure", bad, Guess, "agenda.resource"),
		e("appointment.json", "shape", "structure", content, Guess, "agenda.resource"),
		e("appointment.size", "", "too-long", http.StatusRequestEntityTooLarge, Guess, "agenda.max-bytes"),
		e("appointment.target", "", "invalid", bad, Guess, "agenda.update"),
		e("appointment.target", "way", "not-supported", http.StatusMethodNotAllowed, Guess, "agenda.update"),
		e("appointment.status", "", "code-invalid", content, Guess, "agenda.statuses"),
		e("appointment.kind", "", "code-invalid", content, Guess, "agenda.kinds"),
		e("appointment.start", "", "invalid", content, Guess, "agenda.resource"),
		e("appointment.start", "no-offset", "invalid", content, Guess, "agenda.resource"),
		e("appointment.end", "", "invalid", content, Guess, "agenda.resource"),
		e("appointment.end", "no-offset", "invalid", content, Guess, "agenda.resource"),
		e("appointment.end", "order", "invalid", content, Guess, "agenda.resource"),
		e("appointment.participant", "", "incomplete", content, Guess, "agenda.resource"),
		e("appointment.participant", "status", "code-invalid", content, Guess, "agenda.resource"),
		e("appointment.provider", "", "incomplete", content, Guess, "agenda.provider"),
		e("appointment.subject", "", "invalid", content, Guess, "agenda.subject"),
		e("appointment.subject", "other-authority", "invalid", content, Guess, "agenda.subject"),
		e("appointment.subject", "other-patient", "forbidden", denied, Text, ""),
		e("appointment.identifier", "", "incomplete", content, Guess, "agenda.identifier"),
		e("appointment.comment", "", "too-long", content, Guess, "agenda.comment-max"),
		e("appointment.source", "", "value", content, Guess, "agenda.authors"),

		e("appsearch.patient", "", "invalid", bad, Guess, "agenda.search"),
		e("appsearch.patient", "other-authority", "invalid", bad, Guess, "agenda.search"),
		e("appsearch.patient", "other-patient", "forbidden", denied, Text, ""),
		w("appsearch.patient", "no-authority", "invalid", "agenda.search"),
		e("appsearch.date", "", "invalid", bad, Guess, "agenda.search"),
		e("appsearch.status", "", "code-invalid", bad, Guess, "agenda.statuses"),
		e("appsearch.identifier", "", "invalid", bad, Guess, "agenda.search"),
		e("appsearch.count", "", "invalid", bad, Guess, "agenda.count-max"),
		w("appsearch.unknown-parameter", "", "not-supported", "agenda.search"),
	}
}
