package fhir

import (
	"net/url"
	"time"

	"github.com/etalon-sante/etalon/sandbox/record"
	"github.com/etalon-sante/etalon/sandbox/settings"
)

// Context is what the tokens of a call say of who it is for. An empty field is
// not compared with.
type Context struct {
	IDPe       string // identifier of the patient for this service
	AssignAuth string // naming authority of the idPe, "urn:oid:…"
	OID        string // OID of the service's solution, "1.2.250.…"
}

// Rules validates messages as one settings file has it. It is safe for
// concurrent use.
type Rules struct {
	set *settings.Settings
}

// NewRules compiles the rules for some settings.
func NewRules(s *settings.Settings) (*Rules, error) { return &Rules{set: s}, nil }

// Feed is a measure feed, as far as it could be understood.
type Feed struct {
	Observation map[string]any // nil when there is none
	Device      map[string]any // nil when there is none
	FullURL     string         // of the Observation's entry
	IfNoneExist string         // of the Device's entry
	Kind        string         // weight, height, …; "" when the code is of no known measure
	RequestIDPe string         // idPe that subject.identifier names
	RequestAuth string         // naming authority that it names
}

// Search is a search of measures.
type Search struct {
	Mode    string // All or Last
	Code    string
	Kind    string // measure that the code is of
	IDPe    string
	Auth    string
	From    *Bound // nil: no lower bound
	To      *Bound // nil: no upper bound
	Offset  int    // page number, from 0
	Count   int    // page size
	Include bool   // devices are returned too
}

// The modes of a search of measures.
const (
	All  = "all"
	Last = "last"
)

// Bound is one date bound of a search.
type Bound struct {
	Prefix string    // ge, gt, le or lt
	Text   string    // as given, without the prefix
	Low    time.Time // first instant that the text may mean
	High   time.Time // first instant after it
}

// Document is a document feed, as far as it could be understood.
type Document struct {
	Resource    map[string]any
	Content     []byte // decoded
	ContentType string
	Title       string
	Category    string // code of the first category of ours
	Size        int    // bytes of Content
	Created     time.Time
	RequestIDPe string
	RequestAuth string
}

// DocumentSearch is a search of documents.
type DocumentSearch struct {
	IDPe     string
	Auth     string
	Category string
	From     *Bound // of period-start
	To       *Bound
	Offset   int
	Count    int
}

// Feed reads and judges a measure feed (a transaction Bundle).
func (r *Rules) Feed(raw []byte, c Context) (Feed, []record.Issue) { return Feed{}, nil }

// Search reads and judges the query of a search of measures.
func (r *Rules) Search(q url.Values, c Context) (Search, []record.Issue) { return Search{}, nil }

// Document reads and judges a document feed (a DocumentReference with data).
func (r *Rules) Document(raw []byte, c Context) (Document, []record.Issue) { return Document{}, nil }

// DocumentSearch reads and judges the query of a search of documents.
func (r *Rules) DocumentSearch(q url.Values, c Context) (DocumentSearch, []record.Issue) {
	return DocumentSearch{}, nil
}

// Observation judges an Observation on its own, as it would be stored.
func (r *Rules) Observation(m map[string]any) []record.Issue { return nil }

// Status is what a strict record answers to the issues: the smallest HTTP
// status among them, 0 when none refuses (authentication before permission
// before content).
func Status(issues []record.Issue) int {
	status := 0
	for _, i := range issues {
		if i.HTTP != 0 && (status == 0 || i.HTTP < status) {
			status = i.HTTP
		}
	}
	return status
}

// Matches says whether an instant interval [low, high) satisfies the bounds of
// the search, as FHIR R4 compares dates of different precision.
func (s Search) Matches(low, high time.Time) bool { return within(s.From, s.To, low, high) }

// Matches says the same of the period-start bounds of a search of documents.
func (s DocumentSearch) Matches(low, high time.Time) bool { return within(s.From, s.To, low, high) }

func within(from, to *Bound, low, high time.Time) bool {
	return (from == nil || from.admits(low, high)) && (to == nil || to.admits(low, high))
}

// admits compares the interval [low, high) of a value with the bound, as
// FHIR R4 search §3.1.1.4.7 says: gt and lt ask that a part of the value lies
// beyond the bound, ge and le also accept equality.
func (b Bound) admits(low, high time.Time) bool {
	switch b.Prefix {
	case "gt":
		return high.After(b.High)
	case "ge":
		return high.After(b.High) || (!low.Before(b.Low) && !high.After(b.High))
	case "lt":
		return low.Before(b.Low)
	case "le":
		return low.Before(b.Low) || (!low.Before(b.Low) && !high.After(b.High))
	}
	return false
}

// Period returns the interval [low, high) that a FHIR date, dateTime or instant
// means; one without offset is read in the time zone of the settings.
func (r *Rules) Period(text string) (low, high time.Time, err error) {
	return time.Time{}, time.Time{}, nil
}

// KindOfCode names the measure of a code, "" when it is of none.
func (r *Rules) KindOfCode(code string) string { return "" }
