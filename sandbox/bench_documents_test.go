package sandbox_test

import (
	"bytes"
	"crypto/sha1" //nolint:gosec // as the rule does
	"crypto/sha256"
	"encoding/base64"
	"io"
	"net/http"
	"testing"

	. "github.com/onsi/gomega"

	"github.com/etalon-sante/etalon/sandbox"
	"github.com/etalon-sante/etalon/sandbox/control"
	"github.com/etalon-sante/etalon/sandbox/fhir"
	"github.com/etalon-sante/etalon/sandbox/settings"
)

// largeDocument is a feed of the largest document that Mon espace santé is
// assumed to take.
func largeDocument(t tokens) (body, content []byte) {
	content = bytes.Repeat([]byte("0123456789"), 500_000)
	return documentOf(t, document("Grand document", "AUTR_DOC", content)), content
}

// BenchmarkLargeDocument measures the feed of a document of 5,000,000 bytes over
// TLS, validated, stored and journaled (budget: 100 ms, the client included).
// BenchmarkLargeDocumentParts says where the time goes.
func BenchmarkLargeDocument(b *testing.B) {
	RegisterTestingT(b)
	server, err := sandbox.New(sandbox.Options{})
	Expect(err).NotTo(HaveOccurred())
	Expect(server.Start(b.Context())).To(Succeed())
	defer server.Close()
	s := newService(server.Control(), control.SpaceRequest{})
	defer s.close()
	t := s.pair(s.patient("patient"))
	body, content := largeDocument(t)
	b.SetBytes(int64(len(content)))
	for b.Loop() {
		resp, err := s.http.Do(s.business(t, http.MethodPost, "/DocumentReference", body))
		if err != nil || resp.StatusCode != http.StatusCreated {
			b.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
	}
}

// BenchmarkLargeDocumentParts measures the parts of BenchmarkLargeDocument that
// are ours; what remains is TLS and the copies of net/http.
func BenchmarkLargeDocumentParts(b *testing.B) {
	RegisterTestingT(b)
	set, err := settings.Load()
	Expect(err).NotTo(HaveOccurred())
	rules, err := fhir.NewRules(set)
	Expect(err).NotTo(HaveOccurred())
	content := bytes.Repeat([]byte("0123456789"), 500_000)
	d := document("Grand document", "AUTR_DOC", content)
	d["subject"] = object{"identifier": object{"system": "urn:oid:2.25.1", "value": "x"}}
	body := bytesOf(d)
	text := base64.StdEncoding.EncodeToString(content)
	for name, f := range map[string]func(){
		"rules":  func() { rules.Document(body, fhir.Context{}) },
		"json":   func() { _, _ = fhir.Decode(body) },
		"base64": func() { _, _ = base64.StdEncoding.Strict().DecodeString(text) },
		"sha1":   func() { sha1.Sum(content) }, //nolint:gosec // as above
		"sha256": func() { sha256.Sum256(content) },
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(content)))
			for b.Loop() {
				f()
			}
		})
	}
}
