// Package reports holds the one result model of a run. Every file that a run
// publishes (JSON, HTML, JUnit, Markdown) is written from a Report and from
// nothing else, so that two of them can never tell different stories.
package reports

import (
	"time"
)

// Text is a sentence in the two languages of the project.
type Text struct {
	FR string `json:"fr"`
	EN string `json:"en"`
}

// In returns the text in a language, "fr" or "en"; where one of the two is
// empty the other is better than nothing.
func (t Text) In(lang string) string {
	if (lang == "en" && t.EN != "") || t.FR == "" {
		return t.EN
	}
	return t.FR
}

// Empty says whether the text is empty in both languages.
func (t Text) Empty() bool { return t.FR == "" && t.EN == "" }

// Report is what a run found, whole. Conclude fills Verdict, ExitCode and
// Summary from Results; Write publishes it as report.json.
type Report struct {
	Schema      string              `json:"schema"` // SchemaID
	Run         Run                 `json:"run"`
	Candidate   Candidate           `json:"candidate"`
	Verdict     RunVerdict          `json:"verdict"`
	ExitCode    int                 `json:"exitCode"`
	Summary     map[Verdict]int     `json:"summary"` // requirements per verdict, every verdict present
	Results     []Result            `json:"results"`
	Exchanges   map[string]Exchange `json:"exchanges"` // by id: what findings and traces point to
	Assumptions []Assumption        `json:"assumptions"`
	Notes       []Note              `json:"notes"`
	Redacted    map[string]int      `json:"redacted"` // kind of secret -> how many were replaced
	Files       []File              `json:"files"`
	Known       Baseline            `json:"known"` // nonconformities that were known beforehand
}

// Run says which run this is, with what and how it can be repeated.
type Run struct {
	ID          string    `json:"id"`
	Started     time.Time `json:"started"`  // UTC
	Duration    float64   `json:"duration"` // seconds
	Partial     bool      `json:"partial"`  // only a selection was judged: no verdict of its own
	FreeUse     bool      `json:"freeUse"`  // a person used the service by hand and nobody drove it: judged by occasion, no verdict of its own
	Interrupted bool      `json:"interrupted"`
	Strict      bool      `json:"strict"`
	Seed        int64     `json:"seed"`
	Harness     Harness   `json:"harness"`
	Catalogue   Catalogue `json:"catalogue"`
	Profile     Profile   `json:"profile"`
	Settings    Settings  `json:"settings"`
	Sandbox     Sandbox   `json:"sandbox"`
	Witness     string    `json:"witness"` // who saw the exchanges: one of the Witness constants, or a name
	// Ties bind what was tested to the product: only what the run really saw. An
	// empty list means that nothing does.
	Ties []Tie `json:"ties"`
	// Witnessed is what a sandbox hosted by someone else signed of the exchanges; null:
	// nothing was signed.
	Witnessed *Witnessed `json:"witnessed"`
	Command   string     `json:"command"` // how to reproduce, one line
	Ledger    Ledger     `json:"ledger"`
}

// Tie is something that binds what was tested to the product that people use.
type Tie struct {
	Kind     string    `json:"kind"`     // one of the Tie constants
	Value    string    `json:"value"`    // digest, "sha256:" and hexadecimal digits
	Of       string    `json:"of"`       // what bears it: an address, the name of an image, a file, a package
	Verified bool      `json:"verified"` // a certificate leads to a root of the run and is good for this name and day; a signature holds
	Seen     time.Time `json:"seen"`     // UTC, when the run saw it
}

// What a Tie may be.
const (
	TieImage       = "image"       // the container image that the run started, as its daemon names it
	TieCertificate = "certificate" // the certificate that the production address showed
	TieApplication = "application" // the file of the Android application that was read
	TieSigner      = "signer"      // the certificate that signed that application
)

// Who saw the exchanges of a run, beside the candidate.
const (
	WitnessEditor = "editor" // harness and sandbox ran where the editor ran them: nobody else saw
	WitnessHost   = "host"   // a sandbox hosted by someone else served the run and kept its journal
)

// Witnessed is the journal beside what the sandbox signed. It proves what the sandbox
// received and answered, not that the product of the catalogue sent it.
type Witnessed struct {
	Key       string   `json:"key"`       // id of the sandbox's key
	Public    string   `json:"public"`    // address of the sandbox, by its own word
	Exchanges int      `json:"exchanges"` // that are as it signed them
	Changed   []string `json:"changed"`   // ids of exchanges that are not: redacted further since, or altered
	Missing   []string `json:"missing"`   // ids that the journal lacks
	Added     []string `json:"added"`     // ids that it does not know
}

// Harness identifies the program that judged.
type Harness struct {
	Version string `json:"version"`
	Go      string `json:"go"`
	Digest  string `json:"digest"` // sha256 of the executable, hex
}

// Catalogue identifies the requirements that were judged.
type Catalogue struct {
	Version string `json:"version"`
	Digest  string `json:"digest"`
}

// Profile identifies what decides which requirements block.
type Profile struct {
	Name   string `json:"name"`
	Digest string `json:"digest"`
}

// Settings identifies the file of assumed and configurable values.
type Settings struct {
	ID string `json:"id"`
}

// Sandbox says with which sandbox the candidate talked.
type Sandbox struct {
	Form  string `json:"form"` // embedded, container, remote
	Build string `json:"build"`
}

// Ledger splits the time of a run, in milliseconds of all scenarios together;
// as scenarios run at the same time the sum may exceed the duration.
type Ledger struct {
	CandidateMs float64 `json:"candidateMs"` // waiting for the candidate to answer
	SandboxMs   float64 `json:"sandboxMs"`   // the sandbox at work
	WaitingMs   float64 `json:"waitingMs"`   // deliberate: quiet windows, delays of planned faults
	HarnessMs   float64 `json:"harnessMs"`   // all the rest
}

// Candidate is the service that was judged, as its manifest describes it.
type Candidate struct {
	Editor  Editor  `json:"editor"`
	Service Service `json:"service"`
	Claims  Claims  `json:"claims"`
	Web     Web     `json:"web"`
}

// Editor is the legal person that publishes the service.
type Editor struct {
	Name  string `json:"name"`
	SIREN string `json:"siren"`
	Kind  string `json:"kind"`
}

// Service names the service.
type Service struct {
	Name     string `json:"name"`
	Version  string `json:"version"`
	Category string `json:"category"`
}

// Claims is what the service says that it exchanges: "read", "write" or both.
type Claims struct {
	Pairing   bool     `json:"pairing"`
	Measures  []string `json:"measures"`
	Documents []string `json:"documents"`
	Agenda    []string `json:"agenda"`
}

// Web holds the public addresses that were looked at.
type Web struct {
	Production string `json:"production"`
	Site       string `json:"site"`
}

// Result is the outcome for one requirement of the catalogue.
type Result struct {
	Requirement  string       `json:"requirement"` // id
	Title        Text         `json:"title"`
	Statement    Text         `json:"statement"`
	Why          Text         `json:"why"`
	Level        string       `json:"level"` // mandatory, recommended, informative, unknown
	LevelBasis   Text         `json:"levelBasis"`
	Blocking     bool         `json:"blocking"`     // in the profile of the run
	Theme        string       `json:"theme"`        // interop, security, ethics, governance
	Family       string       `json:"family"`       // technical, urbanisation, ethics, security, content
	Chapter      string       `json:"chapter"`      // slug of the chapter of the catalogue
	Verification string       `json:"verification"` // automatic, assisted, declared, excluded
	Verdict      Verdict      `json:"verdict"`
	Reason       Text         `json:"reason"` // why this verdict, where the checks do not say it
	Basis        string       `json:"basis"`  // stated, derived, assumed: the best of its sources
	Sources      []Source     `json:"sources"`
	Remedy       Text         `json:"remedy"`
	Declaration  *Declaration `json:"declaration"` // null: nothing was declared
	Formerly     []string     `json:"formerly"`    // ids that this requirement had before
	Checks       []Check      `json:"checks"`
}

// Source is a place where a requirement, or what it rests on, is written.
type Source struct {
	Key      string `json:"key"`
	Document string `json:"document"`
	Section  string `json:"section"`
	Link     string `json:"link"`
	Basis    string `json:"basis"` // stated, derived, assumed
}

// Declaration is an attestation: something declared, not observed.
type Declaration struct {
	Statement string `json:"statement"`
	Author    string `json:"author"`
	Role      string `json:"role"`
	Date      string `json:"date"`    // 2006-01-02
	Expires   string `json:"expires"` // 2006-01-02; empty: no date was given
	SHA256    string `json:"sha256"`  // of the evidence; empty: no file was given
	Decided   bool   `json:"decided"` // by a person who was shown what the run saw, not attested beforehand
}

// Check is the outcome of one check of a requirement.
type Check struct {
	ID       string    `json:"id"`
	Title    Text      `json:"title"`
	Verdict  Verdict   `json:"verdict"`
	Witness  string    `json:"witness"` // sandbox, candidate, harness
	Assumes  string    `json:"assumes"` // key of the assumed setting on which it rests; empty: none
	Reason   Text      `json:"reason"`  // why untested, to-review…
	Findings []Finding `json:"findings"`
	Traces   []string  `json:"traces"` // scenarios that it read
	// Occasions is how often the event was seen without which nothing could be
	// judged; Evidence names exchanges that show it, by their key in Exchanges.
	Occasions int      `json:"occasions"`
	Evidence  []string `json:"evidence"`
	// Pictures are what a person who decides is to look at.
	Pictures []Picture `json:"pictures"`
}

// Picture is a picture in the run folder. A report is whole without it: what the
// picture shows stands in Alt.
type Picture struct {
	Of     string `json:"of"`   // page, banner, element, focus, narrow, zoom
	File   string `json:"file"` // relative to the report: "artifacts/….webp"
	SHA256 string `json:"sha256"`
	Width  int    `json:"width"` // pixels
	Height int    `json:"height"`
	Alt    Text   `json:"alt"`
}

// Finding is one thing that was seen and is not as required.
type Finding struct {
	Key     string `json:"key"` // stable name of the kind of finding
	Message Text   `json:"message"`
	// Exchange is a key of Report.Exchanges; empty: no exchange shows it.
	Exchange string `json:"exchange"`
	// Pointer says which line of the exchange tells, in the form of the
	// sandbox's journal: a JSON pointer into a body ("/entry/0/resource/code"),
	// "?name" for a parameter of the address or of a form, "header:Name",
	// "line:3" for a line of a text, "url", "method" or "status". The request is looked at first, then the
	// response; "request:" or "response:" before it decides. Empty: the
	// exchange as a whole.
	Pointer  string `json:"pointer"`
	Expected string `json:"expected"`
	Actual   string `json:"actual"`
	Setting  string `json:"setting"` // key of the setting that says what is expected; empty: none
	// Picture shows what was seen; null: none does.
	Picture *Picture `json:"picture"`
}

// Exchange is an excerpt of the journal, after redaction: an HTTP exchange, an
// action asked of the pilot with its answer, or a look from outside.
type Exchange struct {
	ID       string    `json:"id"`
	Kind     string    `json:"kind"` // exchange, pilot, probe
	Scenario string    `json:"scenario"`
	Route    string    `json:"route"` // route of the sandbox, action of the pilot, kind of the probe
	From     string    `json:"from"`
	To       string    `json:"to"`
	Time     time.Time `json:"time"`   // UTC, when it began
	Millis   float64   `json:"millis"` // how long it took
	Request  Request   `json:"request"`
	Response Response  `json:"response"`
	Fault    string    `json:"fault"` // the planned fault that was applied; empty: none
	Error    string    `json:"error"` // why there is no whole response; empty: there is
}

// Kinds of Exchange.
const (
	KindExchange = "exchange"
	KindPilot    = "pilot"
	KindProbe    = "probe"
)

// Request is what was asked.
type Request struct {
	Method  string   `json:"method"`
	URL     string   `json:"url"`
	Headers []Header `json:"headers"`
	Body    Body     `json:"body"`
}

// Response is what was answered; Status 0 means that no HTTP status came.
type Response struct {
	Status  int      `json:"status"`
	Headers []Header `json:"headers"`
	Body    Body     `json:"body"`
}

// Header is one header line, order and repetition kept.
type Header struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Body is a body, or its beginning.
type Body struct {
	MIME     string `json:"mime"`
	Size     int    `json:"size"` // bytes on the wire
	Text     string `json:"text"`
	Cut      bool   `json:"cut"`      // Text is only the beginning
	Artifact string `json:"artifact"` // file under artifacts/ that holds all of it; empty: none
}

// Assumption is a value of the settings that no official text states, and
// what was found that rests on it.
type Assumption struct {
	Setting    string   `json:"setting"`
	Value      string   `json:"value"`
	Basis      string   `json:"basis"` // derived, assumed
	Source     string   `json:"source"`
	Note       Text     `json:"note"`
	Deviations []string `json:"deviations"` // ids of the checks that deviate from it
}

// Note is a remark about the run: a doubt of the doctor, something that could
// not run, a behaviour of production that is not reproduced.
type Note struct {
	Kind string `json:"kind"` // doctor, missing, limit, …
	Text Text   `json:"text"`
}

// File is one file of the run folder.
type File struct {
	Name   string `json:"name"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
}
