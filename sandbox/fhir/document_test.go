package fhir

import (
	"bytes"
	"encoding/base64"
	"strings"
	"testing"
	"time"
)

func goodDocument(r *Rules) m {
	return m{
		"resourceType": "DocumentReference", "status": "current",
		"category": []any{coded(r.set.String("document.category-system"), "CPT_REND")},
		"subject":  m{"identifier": m{"system": testAuth, "value": testIDPe}},
		"date":     "2026-11-22T10:00:00+01:00",
		"content": []any{m{"attachment": m{
			"contentType": "text/plain", "title": "Compte rendu", "creation": "2026-11-22T08:30:00+01:00",
			"data": base64.StdEncoding.EncodeToString([]byte("Bonjour")), "size": 7, "hash": "8w7L9bHLhcYx/ewLOWeFUJc8/Lw=",
		}}},
	}
}

func TestEachWayToBreakADocumentIsFoundAndNothingElse(t *testing.T) {
	r := testRules(t)
	one := func(s string) []string { return []string{s} }
	for says, c := range map[string]struct {
		break_ func(d, attachment m)
		want   []string
	}{
		"no status":                  {func(d, a m) { delete(d, "status") }, one("document.json/shape")},
		"an element unknown to FHIR": {func(d, a m) { d["titre"] = "x" }, one("document.json/shape")},
		"no category":                {func(d, a m) { delete(d, "category") }, one("document.category/")},
		"the category of PDSm": {func(d, a m) {
			d["category"] = []any{coded("https://mos.esante.gouv.fr/NOS/TRE_A03-ClasseDocument/FHIR/TRE-A03-ClasseDocument", "10")}
		}, one("document.category/")},
		"a category of no list": {func(d, a m) { d["category"] = []any{coded(r.set.String("document.category-system"), "10")} }, one("document.category/")},
		"no content":            {func(d, a m) { delete(d, "content") }, one("document.attachment/")},
		"two contents":          {func(d, a m) { d["content"] = append(d["content"].([]any), d["content"].([]any)[0]) }, one("document.attachment/")},
		"an address in place of data": {func(d, a m) {
			delete(a, "data")
			a["url"] = "Binary/1"
		}, one("document.attachment/")},
		"empty data":                        {func(d, a m) { a["data"] = "" }, one("document.attachment/")},
		"data that is not base64":           {func(d, a m) { a["data"] = "Bonjour!" }, one("document.attachment/")},
		"no content type":                   {func(d, a m) { delete(a, "contentType") }, one("document.attachment/")},
		"a format that is not taken":        {func(d, a m) { a["contentType"] = "application/zip" }, one("document.format/")},
		"a content type that is none":       {func(d, a m) { a["contentType"] = "pdf" }, one("document.format/")},
		"content that is not what it says":  {func(d, a m) { a["contentType"] = "application/pdf" }, one("document.format/mismatch")},
		"a size that is not that of data":   {func(d, a m) { a["size"] = 250000 }, one("document.size/mismatch")},
		"a hash that is not that of data":   {func(d, a m) { a["hash"] = "2jmj7l5rSw0yVb/vlWAYkK/YBwk=" }, one("document.hash/")},
		"no subject":                        {func(d, a m) { delete(d, "subject") }, one("document.subject/")},
		"a reference to a patient only":     {func(d, a m) { d["subject"] = m{"reference": "Patient/1"} }, one("document.subject/")},
		"another patient":                   {func(d, a m) { d["subject"] = m{"identifier": m{"system": testAuth, "value": "x"}} }, one("document.subject/other-patient")},
		"another authority":                 {func(d, a m) { d["subject"] = m{"identifier": m{"system": "urn:x", "value": testIDPe}} }, one("document.subject/other-authority")},
		"a charset beside the content type": {func(d, a m) { a["contentType"] = "text/plain; charset=utf-8" }, nil},
	} {
		t.Run(says, func(t *testing.T) {
			d := goodDocument(r)
			c.break_(d, d["content"].([]any)[0].(m)["attachment"].(m))
			_, issues := r.Document(raw(t, d), testContext())
			sameRules(t, issues, c.want)
		})
	}
}

func TestADocumentIsUnderstood(t *testing.T) {
	r := testRules(t)
	d, issues := r.Document(raw(t, goodDocument(r)), testContext())
	if len(issues) != 0 {
		t.Fatal(issues)
	}
	if string(d.Content) != "Bonjour" || d.Size != 7 || d.ContentType != "text/plain" || d.Category != "CPT_REND" || d.Title != "Compte rendu" ||
		d.RequestIDPe != testIDPe || d.RequestAuth != testAuth || !d.Created.Equal(time.Date(2026, 11, 22, 7, 30, 0, 0, time.UTC)) {
		t.Errorf("%+v", d)
	}
	if data := d.Resource["content"].([]any)[0].(m)["attachment"].(m)["data"]; data == "data" {
		t.Error("the check of the shape has eaten the content")
	}
}

func TestBodiesThatAreNoDocumentAreRefused(t *testing.T) {
	r := testRules(t)
	for _, in := range []string{"", "{", "[]", `{"resourceType":"Bundle"}`, `{"resourceType":"DocumentReference","resourceType":"DocumentReference"}`} {
		if d, issues := r.Document([]byte(in), testContext()); Status(issues) != 400 || d.Resource != nil {
			t.Errorf("%s: %+v", in, issues)
		}
	}
}

func TestADocumentOverTheLimitIsRefusedAndNamesTheSetting(t *testing.T) {
	r := testRules(t, map[string]string{"document.max-bytes": "100"})
	d := goodDocument(r)
	a := d["content"].([]any)[0].(m)["attachment"].(m)
	delete(a, "hash")
	for size, want := range map[int]int{100: 0, 101: 422} {
		a["data"], a["size"] = base64.StdEncoding.EncodeToString(bytes.Repeat([]byte("a"), size)), size
		_, issues := r.Document(raw(t, d), testContext())
		if Status(issues) != want {
			t.Errorf("%d bytes: %+v", size, issues)
		}
		if want != 0 && issues[0].Setting != "document.max-bytes" {
			t.Errorf("no setting: %+v", issues)
		}
	}
	if _, issues := r.Document([]byte(strings.Repeat(" ", envelope+200)), testContext()); Status(issues) != 422 || issues[0].Rule != "document.size" {
		t.Errorf("%+v", issues)
	}
}

func BenchmarkDocumentOfFiveMegabytes(b *testing.B) {
	r := testRules(b)
	d := goodDocument(r)
	a := d["content"].([]any)[0].(m)["attachment"].(m)
	delete(a, "hash")
	a["data"], a["size"] = base64.StdEncoding.EncodeToString(bytes.Repeat([]byte("a"), 5_000_000)), 5_000_000
	body := raw(b, d)
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		if _, issues := r.Document(body, testContext()); len(issues) != 0 {
			b.Fatal(issues)
		}
	}
}
