package interop

import (
	"net"
	"net/url"
	"strings"

	"github.com/etalon-sante/etalon/sandbox/record"
	. "github.com/etalon-sante/etalon/suites/lab"
)

// Where an address of return leads (RFC 8252 §7).
const (
	toSite        = "https"            // a site, or a link claimed by an application
	toMachine     = "loopback"         // a program on the patient's machine
	toApplication = "private-use"      // an application on his phone
	toPlain       = "http"             // a site, in clear
	toAnyone      = "scheme without ." // a scheme that any application may take
)

// returnOf says where an address of return leads.
func returnOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	switch {
	case u.Scheme == "https":
		return toSite
	case u.Scheme == "http":
		if ip := net.ParseIP(u.Hostname()); ip != nil && ip.IsLoopback() || u.Hostname() == "localhost" {
			return toMachine
		}
		return toPlain
	case strings.Contains(u.Scheme, "."):
		return toApplication
	}
	return toAnyone
}

// ownReturn finds an address of return that others may read or take.
func ownReturn(r record.Record, a *record.AuthorizeFacts) *Finding {
	const expected = "https · http://127.0.0.1 · fr.example.app:/…"
	switch returnOf(a.RedirectURI) {
	case toPlain:
		return At(r, "return-in-clear", Text{FR: "le code revient par une adresse http, en clair sur le réseau", EN: "the code comes back by an http address, in clear on the network"}).Was(expected, a.RedirectURI).In("request:?redirect_uri").Ptr()
	case toAnyone:
		return At(r, "scheme-without-dot", Text{FR: "le schéma de retour n’est pas un nom de domaine inversé : une autre application peut le prendre", EN: "the scheme of return is no reversed domain name: another application may take it"}).Was(expected, a.RedirectURI).In("request:?redirect_uri").Ptr()
	}
	return nil
}
