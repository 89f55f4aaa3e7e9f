package fhir

import (
	"encoding/json"
	"strings"
	"testing"
)

// shapes are resources with one fault of shape at most, and where it is.
func shapes() []struct{ says, in, at, expected string } {
	type row = struct{ says, in, at, expected string }
	appointment := func(more string) string {
		return `{"resourceType":"Appointment","status":"booked","start":"2026-12-01T09:00:00+01:00","end":"2026-12-01T09:15:00+01:00",` +
			`"participant":[{"status":"accepted","actor":{"display":"Mme Zoé D’Aÿ"}}]` + more + `}`
	}
	document := func(more string) string {
		return `{"resourceType":"DocumentReference","status":"current","content":[{"attachment":{"contentType":"text/plain","data":"YQ=="}}]` + more + `}`
	}
	observation := func(more string) string {
		return `{"resourceType":"Observation","status":"final","code":{"text":"poids"}` + more + `}`
	}
	return []row{
		{"an appointment", appointment(""), "", ""},
		{"an appointment that is proposed for a period", appointment(`,"requestedPeriod":[{"start":"2026-12"}]`), "", ""},
		{"a status of another resource", strings.Replace(appointment(""), "booked", "final", 1), "/status", "one of"},
		{"no participant", `{"resourceType":"Appointment","status":"proposed"}`, "/participant", "mandatory"},
		{"an empty list of participants", `{"resourceType":"Appointment","status":"proposed","participant":[]}`, "/participant", "no empty"},
		{"a participant without status", `{"resourceType":"Appointment","status":"proposed","participant":[{"actor":{"display":"A"}}]}`, "/participant/0/status", "mandatory"},
		{"a start without offset", strings.Replace(appointment(""), "09:00:00+01:00", "09:00:00", 1), "/start", "form"},
		{"no minutes", appointment(`,"minutesDuration":0`), "/minutesDuration", "1"},
		{"a priority as text", appointment(`,"priority":"5"`), "/priority", "integer"},
		{"an element of R5", appointment(`,"cancellationReason":{"text":"x"}`), "/cancellationReason", "no such element"},

		{"a booked appointment without instants", `{"resourceType":"Appointment","status":"booked","participant":[{"status":"accepted","actor":{"display":"A"}}]}`, "/", "mandatory"},
		{"a start without end", `{"resourceType":"Appointment","status":"proposed","start":"2026-12-01T09:00:00Z","participant":[{"status":"accepted","actor":{"display":"A"}}]}`, "", "end beside"},
		{"a cancelled appointment and why", strings.Replace(appointment(`,"cancelationReason":{"text":"grippe"}`), "booked", "cancelled", 1), "", ""},
		{"a booked appointment with a reason of cancellation", appointment(`,"cancelationReason":{"text":"grippe"}`), "/status", "one of"},
		{"a participant who is nobody", strings.Replace(appointment(""), `,"actor":{"display":"Mme Zoé D’Aÿ"}`, "", 1), "/participant/0", "one of"},

		{"a document", document(""), "", ""},
		{"a document whose status has an extension", document(`,"_status":{"id":"a"}`), "", ""},
		{"two statuses", document(`,"docStatus":["final"]`), "/docStatus", "one of"},
		{"a day where an instant stands", document(`,"date":"2026-11-22"`), "/date", "form"},
		{"a content without attachment", `{"resourceType":"DocumentReference","status":"current","content":[{"format":{"code":"x"}}]}`, "/content/0/attachment", "mandatory"},
		{"a size below zero", document(`,"context":{"period":{"start":"2026"},"event":[{"text":"a"}]},"masterIdentifier":{"value":"a"},"relatesTo":[{"code":"updates","target":{"reference":"x"}}]`), "/relatesTo/0/code", "one of"},

		{"a value", observation(`,"valueQuantity":{"value":7.25e1}`), "", ""},
		{"two values", observation(`,"valueQuantity":{"value":1},"valueString":"1"`), "/valueString", "nothing"},
		{"two instants", observation(`,"effectiveDateTime":"2026","effectivePeriod":{"start":"2026"}`), "/effectivePeriod", "nothing"},
		{"an extension with a value", observation(`,"extension":[{"url":"u","valueString":"a"}]`), "", ""},
		{"an extension without value", observation(`,"extension":[{"url":"u"}]`), "/extension/0", "value"},
		{"an extension with two values", observation(`,"extension":[{"url":"u","valueString":"a","valueCode":"a"}]`), "/extension/0/value", "one"},
		{"an extension with a value and extensions", observation(`,"extension":[{"url":"u","valueString":"a","extension":[{"url":"v","valueString":"a"}]}]`), "/extension/0/", "one"},
		{"a reason for no value", observation(`,"dataAbsentReason":{"text":"a"}`), "", ""},
		{"a reason for no value beside a value", observation(`,"dataAbsentReason":{"text":"a"},"valueInteger":1`), "/valueInteger", "nothing"},
		{"a unit code without system", observation(`,"valueQuantity":{"value":1,"code":"kg"}`), "/valueQuantity", "system beside"},
		{"30 February", observation(`,"issued":"2026-02-30T08:00:00Z"`), "/issued", "form"},
		{"31 April", observation(`,"issued":"2026-04-31T08:00:00Z"`), "/issued", "form"},
		{"29 February", observation(`,"issued":"2024-02-29T08:00:00Z"`), "", ""},
		{"a null", observation(`,"method":null`), "/method", "object"},
		{"an empty text", observation(`,"note":[{"text":" "}]`), "/note/0/text", "form"},
		{"a code with two spaces", observation(`,"language":"fr  FR"`), "/language", "form"},

		{"a binary", `{"resourceType":"Binary","contentType":"application/pdf","data":"YQ=="}`, "", ""},
		{"a binary without type", `{"resourceType":"Binary","data":"YQ=="}`, "/contentType", "mandatory"},
		{"a binary that is not base64", `{"resourceType":"Binary","contentType":"text/plain","data":"data:text/plain,a"}`, "/data", "form"},
		{"a page", `{"resourceType":"Bundle","type":"searchset","total":0,"link":[{"relation":"self","url":"https://x/"}]}`, "", ""},
		{"a total as text", `{"resourceType":"Bundle","type":"searchset","total":"0"}`, "/total", "integer"},
		{"a total in a transaction", `{"resourceType":"Bundle","type":"transaction","total":0}`, "/total", "nothing"},
		{"a transaction without request", `{"resourceType":"Bundle","type":"transaction","entry":[{"fullUrl":"a"}]}`, "/entry/0/request", "mandatory"},
		{"a page with requests", `{"resourceType":"Bundle","type":"searchset","entry":[{"request":{"method":"GET","url":"a"}}]}`, "/entry/0/request", "nothing"},
		{"an empty entry", `{"resourceType":"Bundle","type":"searchset","entry":[{}]}`, "/entry/0", "empty"},
		{"an outcome without issue", `{"resourceType":"OperationOutcome"}`, "/issue", "mandatory"},
		{"a device name without type", `{"resourceType":"Device","deviceName":[{"name":"Balance"}]}`, "/deviceName/0/type", "mandatory"},
	}
}

func TestTheShapeOfEachResourceIsThatOfFHIR(t *testing.T) {
	r := testRules(t)
	for _, c := range shapes() {
		t.Run(c.says, func(t *testing.T) {
			v, err := Decode([]byte(c.in))
			if err != nil {
				t.Fatal(err)
			}
			issues := r.Structure(v)
			if c.at+c.expected == "" {
				if len(issues) != 0 {
					t.Errorf("%+v", issues)
				}
				return
			}
			if len(issues) == 0 {
				t.Fatal("nothing was found")
			}
			for _, i := range issues {
				if !strings.HasPrefix(i.Pointer, c.at) || !strings.Contains(i.Expected, c.expected) {
					t.Errorf("%+v", i)
				}
			}
		})
	}
}

func TestASchemaCanBeTakenWhole(t *testing.T) {
	for _, resource := range Shaped() {
		s, err := Schema(resource)
		if err != nil {
			t.Fatal(err)
		}
		if b, err := json.Marshal(s); err != nil || len(b) < 1000 {
			t.Errorf("%s: %d bytes, %v", resource, len(b), err)
		}
		if err := onlyLocal(s, object(s, "definitions")); err != nil {
			t.Errorf("%s: %v", resource, err)
		}
	}
	if _, err := Schema("Coding"); err == nil {
		t.Error("a datatype was taken for a resource")
	}
}

func TestASchemaThatReachesOutsideIsRefused(t *testing.T) {
	for _, ref := range []string{"https://example.test/s.json", "file:///etc/passwd", "#/definitions/Nothing", "other.json#/definitions/Coding"} {
		if err := onlyLocal(map[string]any{"items": []any{map[string]any{"$ref": ref}}}, map[string]any{"Coding": map[string]any{}}); err == nil {
			t.Errorf("%s was accepted", ref)
		}
	}
}

func BenchmarkDecodeAndShapeOfOneObservation(b *testing.B) {
	r := testRules(b)
	body := raw(b, goodObservation(r, "glucose"))
	b.ReportAllocs()
	for b.Loop() {
		v, err := Decode(body)
		if err != nil {
			b.Fatal(err)
		}
		if x := r.Observation(v.(map[string]any)); len(x) != 0 {
			b.Fatal(x)
		}
	}
}
