package sample

import (
	"time"

	"github.com/etalon-sante/etalon/reports"
)

// bundle is a feed as a client might send it, wrong in two places.
const bundle = `{"resourceType":"Bundle","type":"transaction","entry":[{"fullUrl":"urn:uuid:3e2f1a90-5c1b-4d7e-9f10-000000000001","resource":{"resourceType":"Observation","meta":{"profile":["https://interop.esante.gouv.fr/ig/fhir/mesures/StructureDefinition/mesures-observation-glucose"],"source":"2.25.123456789"},"status":"final","category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":"vital-signs"}]}],"code":{"coding":[{"system":"http://loinc.org","code":"15074-8"}]},"subject":{"reference":"Patient/18"},"effectiveDateTime":"2026-11-22T08:30:00+01:00","valueQuantity":{"value":5.4,"unit":"mmol/L","system":"http://unitsofmeasure.org","code":"mmol/L"}},"request":{"method":"POST","url":"Observation"}}]}`

const outcome = `{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"value","diagnostics":"unit mmol/L is not allowed for this profile"}]}`

func h(nameValue ...string) []reports.Header {
	var out []reports.Header
	for i := 0; i < len(nameValue); i += 2 {
		out = append(out, reports.Header{Name: nameValue[i], Value: nameValue[i+1]})
	}
	return out
}

func exchanges() map[string]reports.Exchange {
	at := func(s int) time.Time { return started().Add(time.Duration(s) * 137 * time.Millisecond) }
	return map[string]reports.Exchange{
		"x14": {
			ID: "x14", Kind: reports.KindExchange, Scenario: "callback-forged-state", Route: "token", From: "candidate", To: "sandbox", Time: at(3), Millis: 4.2,
			Request: reports.Request{
				Method: "POST", URL: "https://127.0.0.1:4433/mes/oauth2/token", Headers: h("Authorization", "«basic-1»", "Content-Type", "application/x-www-form-urlencoded"),
				Body: reports.Body{MIME: "application/x-www-form-urlencoded", Size: 212, Text: "grant_type=authorization_code&code=«code-7»&redirect_uri=https%3A%2F%2Fcarnet.example%2Fretour&code_verifier=«verifier-4»"},
			},
			Response: reports.Response{Status: 400, Headers: h("Content-Type", "application/json"), Body: reports.Body{MIME: "application/json", Size: 25, Text: `{"error":"invalid_grant"}`}},
		},
		"x52": {
			ID: "x52", Kind: reports.KindExchange, Scenario: "feed-glucose", Route: "feed-measure", From: "candidate", To: "sandbox", Time: at(9), Millis: 11.8,
			Request: reports.Request{
				Method: "POST", URL: "https://127.0.0.1:4433/mes/fhir", Headers: h("Authorization", "Bearer «access-token-12»", "X-Id-Token", "«id-token-12»", "Content-Type", "application/json"),
				Body: reports.Body{MIME: "application/json", Size: len(bundle), Text: bundle},
			},
			Response: reports.Response{Status: 422, Headers: h("Content-Type", "application/fhir+json"), Body: reports.Body{MIME: "application/fhir+json", Size: len(outcome), Text: outcome}},
		},
		"p31": {
			ID: "p31", Kind: reports.KindPilot, Scenario: "unpair-mes", Route: "status", From: "harness", To: "candidate", Time: at(12), Millis: 2.1,
			Request:  reports.Request{Method: "POST", URL: "/actions/status", Body: reports.Body{MIME: "application/json", Size: 52, Text: `{"action":"status","patient":"patient-21","payload":{}}`}},
			Response: reports.Response{Status: 200, Body: reports.Body{MIME: "application/json", Size: 70, Text: `{"status":"done","data":{"paired":true,"offersPairing":false,"lastError":""}}`}},
		},
		"x77": {
			ID: "x77", Kind: reports.KindExchange, Scenario: "feed-429", Route: "feed-measure", From: "candidate", To: "sandbox", Time: at(15), Millis: 3.3, Fault: "fault-2",
			Request:  reports.Request{Method: "POST", URL: "https://127.0.0.1:4433/mes/fhir", Headers: h("Authorization", "Bearer «access-token-19»", "Content-Type", "application/fhir+json"), Body: reports.Body{MIME: "application/fhir+json", Size: len(bundle), Text: bundle[:400], Cut: true, Artifact: "artifacts/5be1.json"}},
			Response: reports.Response{Status: 429, Headers: h("Retry-After", "1")},
		},
		"h5": {
			ID: "h5", Kind: reports.KindProbe, Scenario: "web-pages", Route: "web", From: "harness", To: "candidate", Time: at(18), Millis: 18,
			Request:  reports.Request{Method: "GET", URL: "https://carnet.example/"},
			Response: reports.Response{Status: 200, Headers: h("Content-Type", "text/html; charset=utf-8", "Content-Security-Policy", "default-src 'self'; script-src 'self' 'unsafe-inline'", "Strict-Transport-Security", "max-age=86400", "X-Content-Type-Options", "nosniff"), Body: reports.Body{MIME: "text/html", Size: 18231}},
		},
	}
}

// details puts findings where the rows are broken.
func details(results []reports.Result) {
	found := map[string][]reports.Finding{
		"INT-04": {{
			Key: "unexpected-request", Exchange: "x14", Expected: "0", Actual: "1",
			Message: reports.Text{
				FR: "le service a échangé le code d'un retour dont il n'avait jamais émis le state", EN: "the service exchanged the code of a callback whose state it had never sent",
			},
		}},
		"INT-10": {{
			Key: "call.id-token", Exchange: "x52", Pointer: "header:X-Id-Token", Expected: "X-MES-ID-Token", Actual: "X-Id-Token", Setting: "header.id-token",
			Message: reports.Text{FR: "le jeton d'identité est présenté dans un autre en-tête", EN: "the identity token is presented in another header"},
		}},
		"INT-15": {{
			Key: "status.paired", Exchange: "p31", Pointer: "response:/data/paired", Expected: "false", Actual: "true",
			Message: reports.Text{
				FR: "après un désappariement fait depuis Mon espace santé, le service se croit encore apparié", EN: "after an un-pairing made from Mon espace santé, the service still believes it is paired",
			},
		}},
		"INT-23": {{
			Key: "feed.subject", Exchange: "x52", Pointer: "/entry/0/resource/subject/identifier", Expected: "system = urn:oid:2.25.987, value = idPe", Actual: "reference = Patient/18",
			Message: reports.Text{FR: "le patient est désigné par une référence et non par son identifiant", EN: "the patient is named by a reference and not by the identifier"},
		}},
		"INT-29": {{
			Key: "feed.media", Exchange: "x52", Pointer: "header:Content-Type", Expected: "application/fhir+json", Actual: "application/json", Setting: "media.fhir",
			Message: reports.Text{FR: "le type de contenu annoncé n'est pas celui de FHIR", EN: "the content type given is not FHIR's"},
		}},
		"INT-34": {{
			Key: "feed.unit", Exchange: "x52", Pointer: "/entry/0/resource/valueQuantity/code", Expected: "mg/dL", Actual: "mmol/L",
			Message: reports.Text{FR: "l'unité n'est pas celle du profil", EN: "the unit is not the profile's"},
		}, {
			Key: "feed.code", Exchange: "x52", Pointer: "/entry/0/resource/code/coding/0/code", Expected: "2339-0", Actual: "15074-8",
			Message: reports.Text{FR: "le code LOINC n'est pas celui du profil", EN: "the LOINC code is not the profile's"},
		}},
		"INT-46": {{
			Key: "feed.retry-after", Exchange: "x77", Pointer: "header:Retry-After", Expected: "≥ 1 000 ms", Actual: "212 ms",
			Message: reports.Text{FR: "l'envoi suivant est parti avant le délai demandé", EN: "the next feed left before the delay asked for"},
		}},
		"SEC-05": {{
			Key: "web.hsts", Exchange: "h5", Pointer: "header:Strict-Transport-Security", Expected: "max-age ≥ 31536000", Actual: "max-age=86400",
			Message: reports.Text{FR: "HTTPS n'est imposé que pour un jour", EN: "HTTPS is imposed for one day only"},
		}},
		"SEC-06": {{
			Key: "web.csp-unsafe", Exchange: "h5", Pointer: "header:Content-Security-Policy", Expected: "script-src sans 'unsafe-inline'", Actual: "script-src 'self' 'unsafe-inline'",
			Message: reports.Text{FR: "les scripts écrits dans la page sont tous permis", EN: "every script written in the page is allowed"},
		}},
	}
	for i := range results {
		f := found[results[i].Requirement]
		if f == nil || len(results[i].Checks) == 0 {
			continue
		}
		c := &results[i].Checks[0]
		c.Findings, c.Assumes = f, f[0].Setting
		if x, ok := exchanges()[f[0].Exchange]; ok {
			c.Traces = []string{x.Scenario}
		}
		if f[0].Setting != "" {
			c.ID = results[i].Requirement + map[string]string{"header.id-token": ".2", "media.fhir": ".1"}[f[0].Setting]
			if len(results[i].Checks) > 1 && results[i].Checks[1].ID == c.ID {
				results[i].Checks[1].ID = results[i].Requirement + ".1"
			}
		}
		if f[0].Exchange == "p31" {
			c.Witness = "candidate"
		}
	}
}
