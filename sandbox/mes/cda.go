package mes

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"mime"
	"net/http"
	"slices"

	"github.com/etalon-sante/etalon/sandbox/cda"
	"github.com/etalon-sante/etalon/sandbox/control"
	"github.com/etalon-sante/etalon/sandbox/exchange"
	"github.com/etalon-sante/etalon/sandbox/fhir"
	"github.com/etalon-sante/etalon/sandbox/record"
)

// Introduce says who a patient is: the clinical documents that are fed into his
// record must be about him.
func (s *Service) Introduce(handle string, p control.Person) {
	s.change(handle, func(known *patient) {
		known.person = cda.Patient{INS: p.INS, FamilyName: p.FamilyName, BirthDate: p.BirthDate, Sex: p.Sex}
	})
}

// maxFindings bounds what one document may add to the journal.
const maxFindings = 50

// clinical judges a document that is a CDA, and notes what it finds. Whether
// the real API looks into documents is not known: nothing is refused for it. One
// exception: a document that names a real person does not enter the sandbox, and
// the journal does not keep it. done is then true.
func (s *Service) clinical(x *exchange.Exchange, handle string, doc fhir.Document) (out exchange.Answer, done bool) {
	declared := s.isCDA(doc.ContentType)
	if !declared && !looksClinical(doc.Content) {
		return exchange.Answer{}, false
	}
	facts := &record.CDAFacts{}
	x.Facts.CDA = facts
	if !declared {
		x.Issue(record.Issue{
			Rule: "cda.media", Severity: "error", Code: "invalid", Pointer: "/content/0/attachment/contentType",
			Expected: "the type of a clinical document", Actual: doc.ContentType, Setting: s.cfg.Settings.Assumed("document.cda-formats"),
		})
	}
	d, err := cda.Read(doc.Content)
	if err != nil {
		var r *cda.ReadError
		if errors.As(err, &r) {
			x.Issue(issueOf(cda.Finding{Rule: r.Rule, Line: r.Line, Path: "/", Actual: r.Actual}))
		}
		return exchange.Answer{}, false
	}
	p, _ := s.view(handle)
	in := cda.Context{Patient: &p.person, Known: s.known(handle)}
	found := cda.Check(d, in)
	if i := slices.IndexFunc(found, func(f cda.Finding) bool { return f.Rule == cda.RuleINSProduction }); i >= 0 {
		facts.Readable, facts.Withheld = true, true
		x.Withhold = true
		issue := issueOf(found[i])
		issue.HTTP = http.StatusUnprocessableEntity
		x.Issue(issue)
		return s.refuse(issue.HTTP, []record.Issue{issue}), true
	}
	f := d.Facts()
	*facts = record.CDAFacts{
		Readable: true, Kind: string(f.Kind), SelfPresenting: f.SelfPresenting, ID: f.ID.String(), SetID: f.SetID.String(), Version: f.Version,
		Sections: f.Sections, FileBytes: f.Bytes, Unchecked: cda.Unchecked(in),
	}
	for _, id := range f.Patient {
		facts.Patient = append(facts.Patient, id.String())
	}
	if f.Replaces != nil {
		facts.Replaces = f.Replaces.String()
	}
	if f.Bytes > 0 {
		sum := sha256.Sum256(d.Content())
		facts.FileSHA256 = hex.EncodeToString(sum[:])
	}
	for _, one := range found[:min(len(found), maxFindings)] {
		x.Issue(issueOf(one))
	}
	return exchange.Answer{}, false
}

// issueOf puts a finding in the form of the journal.
func issueOf(f cda.Finding) record.Issue {
	i := record.Issue{Rule: f.Rule, Severity: "error", Code: "invalid", Pointer: f.Path, Actual: f.Actual}
	for _, r := range cda.Rules() {
		if r.ID == f.Rule {
			i.Severity, i.Expected = r.Severity, r.Expected.EN
		}
	}
	return i
}

func (s *Service) isCDA(contentType string) bool {
	media, _, err := mime.ParseMediaType(contentType)
	return err == nil && slices.Contains(s.cfg.Settings.List("document.cda-formats"), media)
}

// looksClinical says whether content is a CDA, whatever type it is sent under.
func looksClinical(content []byte) bool {
	head := bytes.TrimLeft(bytes.TrimPrefix(content[:min(len(content), 64<<10)], []byte("\xef\xbb\xbf")), " \t\r\n")
	return bytes.HasPrefix(head, []byte("<")) && bytes.Contains(head, []byte("ClinicalDocument")) && bytes.Contains(head, []byte("urn:hl7-org:v3"))
}

// known are the clinical documents that a record holds.
func (s *Service) known(handle string) []cda.Known {
	out := []cda.Known{}
	for _, r := range s.cfg.Store.List(handle, kindDocument) {
		if !s.isCDA(r.Media) && !looksClinical(r.Content) {
			continue
		}
		if d, err := cda.Read(r.Content); err == nil {
			f := d.Facts()
			out = append(out, cda.Known{ID: f.ID, SetID: f.SetID, Version: f.Version})
		}
	}
	return out
}
