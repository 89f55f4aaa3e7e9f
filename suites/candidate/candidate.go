// Package candidate holds the service under test: its manifest and its pilots,
// the means by which it is made to act.
package candidate

import (
	"context"
	"encoding/json"
	"time"
)

// Candidate is a manifest, read, checked against its schema, secrets resolved.
type Candidate struct {
	Etalon      int           `json:"etalon"` // version of the manifest's schema: 1
	Editor      Editor        `json:"editor"`
	Service     Service       `json:"service"`
	Claims      Claims        `json:"claims"`
	Web         Web           `json:"web"`
	Journeys    Journeys      `json:"journeys"`
	Pilot       PilotConfig   `json:"pilot"`
	Start       *Start        `json:"start,omitempty"`
	Sandbox     SandboxConfig `json:"sandbox"`
	Timing      Timing        `json:"timing"`
	Concurrency int           `json:"concurrency"` // scenarios at a time, 1 to 16; default 4
	Visitor     string        `json:"visitor"`     // "http" (default)
	Evidence    []Evidence    `json:"evidence"`
	Application Application   `json:"application"`
}

// Editor is the legal person that publishes the service.
type Editor struct {
	Name  string `json:"name"`
	SIREN string `json:"siren"` // nine digits
	Kind  string `json:"kind"`  // company, association, public, establishment, group, sole-trader
}

// Service describes the service to the catalogue.
type Service struct {
	Name      string   `json:"name"`
	Version   string   `json:"version"`
	Category  string   `json:"category"`  // booking, telemedicine, portal, app, device, information
	Sector    string   `json:"sector"`    // health, medico-social, social, well-being
	Audience  []string `json:"audience"`  // patient, professional
	Finalites []string `json:"finalites"` // prevention, diagnosis, care, social-follow-up; others are judged, not refused
	// DataUse ties each kind of data claimed to the finalités it serves.
	DataUse map[string][]string `json:"dataUse,omitempty"` // measures, documents, agenda -> finalités
	AI      bool                `json:"ai"`                // an artificial intelligence takes part in what users read
}

// Claims say what the service exchanges: "read", "write" or both.
type Claims struct {
	Pairing   bool     `json:"pairing"`
	Measures  []string `json:"measures"`
	Documents []string `json:"documents"`
	Agenda    []string `json:"agenda"`
	// Kinds are the kinds of measure exchanged, as the pilot contract names them
	// (weight, heart-rate, …); empty means all of them.
	Kinds []string `json:"kinds"`
	// DocumentFormats are the clinical documents that the service writes: cda-n1
	// (a PDF inside of a CDA), cda-n3 (sections).
	DocumentFormats []string `json:"documentFormats"`
	// Devices says that measures may come from connected devices.
	Devices bool `json:"devices"`
}

// Web holds the public addresses of the service.
type Web struct {
	Production string `json:"production,omitempty"` // address at which patients use the service
	Site       string `json:"site,omitempty"`       // https address that the web and TLS probes look at; default Production
	Plain      string `json:"plain,omitempty"`      // http address that must lead to Site; default http://<host of Site>/
	Pages      []Page `json:"pages,omitempty"`      // further pages of Site
	Domain     string `json:"domain,omitempty"`     // name whose DNS is looked at; default the host of Production
	Own        bool   `json:"own,omitempty"`        // the service is the user's own: it may be asked for what an intruder would ask for
}

// Page is one page of the service.
type Page struct {
	Path string `json:"path"` // "/", "/mentions-legales"
	Role string `json:"role"` // home, login, account, legal, privacy, terms, accessibility, plan, help, report, ecodesign, ai, cookies, content, other
}

// Application is the service's application for phones.
type Application struct {
	APK     string `json:"apk,omitempty"`     // relative to the manifest; "": there is none, or it is not looked at
	Package string `json:"package,omitempty"` // under which it is published: fr.example.carnet
	// Permissions gives, for a permission that touches on privacy, what it is for.
	Permissions map[string]string `json:"permissions,omitempty"`
}

// PilotConfig says how the candidate is made to act.
type PilotConfig struct {
	Kind    string   `json:"kind"`              // http, exec, manual, browser
	URL     string   `json:"url,omitempty"`     // http
	Token   string   `json:"token,omitempty"`   // http; in the manifest only as env:NAME or file:PATH
	Command []string `json:"command,omitempty"` // exec
	// Recordings (browser) are a journey for each action: in the manifest a file, or
	// the JSON itself; here the JSON.
	Recordings map[string]string `json:"recordings,omitempty"`
}

// Start is what starts the candidate, when it is not running already: a command,
// or a container image.
type Start struct {
	Command []string          `json:"command,omitempty"` // with an image: in place of the image's own
	Image   string            `json:"image,omitempty"`   // name of a container image
	Ports   []string          `json:"ports,omitempty"`   // of an image: "8080", or "18080:8080" (of this machine, of the container)
	Network string            `json:"network,omitempty"` // of an image: bridge (default), host, or the name of a network
	Env     map[string]string `json:"env,omitempty"`
	Ready   string            `json:"ready"` // URL that answers anything below 500 once it is up
	Seconds int               `json:"seconds,omitempty"`
}

// SandboxConfig fixes what the candidate has in its own configuration.
type SandboxConfig struct {
	Listen       string   `json:"listen,omitempty"`    // "127.0.0.1:4433": where an embedded sandbox listens
	PublicURL    string   `json:"publicUrl,omitempty"` // address under which the candidate reaches it
	BasePath     string   `json:"basePath,omitempty"`  // "/mes"
	ClientID     string   `json:"clientId,omitempty"`
	ClientSecret string   `json:"clientSecret,omitempty"` // only as env:NAME or file:PATH
	ClientAuth   string   `json:"clientAuth,omitempty"`   // client_secret_basic (default), client_secret_post, private_key_jwt, tls_client_auth, self_signed_tls_client_auth
	RedirectURIs []string `json:"redirectUris,omitempty"`
	// What the method needs. In the manifest a file or the text itself; here the
	// text. Where nothing is given, the harness makes it and hands it over with
	// configure.
	ClientJWKS        string `json:"clientJwks,omitempty"`        // public keys (private_key_jwt)
	ClientCertificate string `json:"clientCertificate,omitempty"` // PEM (both TLS methods)
	ClientAuthority   string `json:"clientAuthority,omitempty"`   // PEM (tls_client_auth)
	ClientSubject     string `json:"clientSubject,omitempty"`     // RFC 4514 (tls_client_auth)
	ClientKey         string `json:"clientKey,omitempty"`         // PEM; in the manifest only as env:NAME or file:PATH
}

// Timing bounds how long the candidate may take. In the manifest: "10s".
type Timing struct {
	Action time.Duration `json:"action"` // an action is answered within; default 10 s
	Effect time.Duration `json:"effect"` // what is said to be done is seen within; default 5 s
	Quiet  time.Duration `json:"quiet"`  // how long "nothing must happen" is watched; default 5 s
}

// Evidence is one attestation: something declared, not observed.
type Evidence struct {
	Requirement string `json:"requirement"`
	Statement   string `json:"statement"`
	Author      string `json:"author"`
	Role        string `json:"role"`
	Date        string `json:"date"`              // 2006-01-02
	Expires     string `json:"expires,omitempty"` // 2006-01-02
	File        string `json:"file,omitempty"`    // relative to the manifest
	SHA256      string `json:"sha256,omitempty"`  // hex digest of File; computed when absent
}

// Action is one thing a pilot can make the candidate do.
type Action string

// The actions of the pilot contract, version 1.
const (
	Configure         Action = "configure"
	Pair              Action = "pair"
	Unpair            Action = "unpair"
	SendMeasure       Action = "send-measure"
	ReadMeasures      Action = "read-measures"
	SendDocument      Action = "send-document"
	SearchDocuments   Action = "search-documents"
	ReadDocument      Action = "read-document"
	SendAppointment   Action = "send-appointment"
	UpdateAppointment Action = "update-appointment"
	ReadAppointments  Action = "read-appointments"
	Status            Action = "status"
	// Callback hands an application the address that the phone's browser was sent
	// to, for a service whose patients come back by a private-use scheme.
	Callback Action = "callback"
)

// Call is what a pilot is asked (the body of POST {pilot}/actions/{action}).
type Call struct {
	Action  Action `json:"action"`
	Run     string `json:"run"`
	Patient string `json:"patient"` // opaque handle; empty for configure
	Payload any    `json:"payload"`
}

// Answer is what a pilot answers.
type Answer struct {
	Status  string          `json:"status"` // done, refused, failed, unsupported
	Open    string          `json:"open,omitempty"`
	Data    json.RawMessage `json:"data,omitempty"`
	Message string          `json:"message,omitempty"`
}

// Pilot makes the candidate act. An error means that there was no usable
// answer (no connection, time-out, not JSON): *PilotError says which.
type Pilot interface {
	Do(ctx context.Context, call Call) (Answer, error)
}

// PilotError is the absence of a usable answer from a pilot.
type PilotError struct {
	Kind string // unreachable, timeout, status, body, start
	Err  error
}

func (e *PilotError) Error() string { return "pilot: " + e.Kind + ": " + e.Err.Error() }
func (e *PilotError) Unwrap() error { return e.Err }

// Writes says whether the candidate claims to write a kind of data.
func (c Claims) Writes(kind string) bool { return has(c.of(kind), "write") }

// Reads says whether the candidate claims to read a kind of data.
func (c Claims) Reads(kind string) bool { return has(c.of(kind), "read") }

// Exchanges says whether the candidate claims a kind of measure.
func (c Claims) Exchanges(measure string) bool { return len(c.Kinds) == 0 || has(c.Kinds, measure) }

func (c Claims) of(kind string) []string {
	switch kind {
	case "measures":
		return c.Measures
	case "documents":
		return c.Documents
	case "agenda":
		return c.Agenda
	}
	return nil
}

func has(list []string, want string) bool {
	for _, s := range list {
		if s == want {
			return true
		}
	}
	return false
}

// Claims reports whether an action belongs to what the candidate claims;
// configure, unpair and status never do.
func (c Candidate) ClaimsAction(a Action) bool {
	switch a {
	case Pair:
		return c.Claims.Pairing
	case SendMeasure:
		return c.Claims.Writes("measures")
	case ReadMeasures:
		return c.Claims.Reads("measures")
	case SendDocument:
		return c.Claims.Writes("documents")
	case SearchDocuments, ReadDocument:
		return c.Claims.Reads("documents")
	case SendAppointment, UpdateAppointment:
		return c.Claims.Writes("agenda")
	case ReadAppointments:
		return c.Claims.Reads("agenda")
	}
	return false
}
