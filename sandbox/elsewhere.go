package sandbox

import (
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/etalon-sante/etalon/sandbox/exchange"
)

// pathElsewhere is where a planned fault leads under another host name.
const pathElsewhere = "/elsewhere/"

// elsewhere is a base path under another name of this sandbox: its certificate
// holds both, so that a service which goes there is seen. Other addresses have
// one name only.
func elsewhere(public, base string) string {
	u, err := url.Parse(public)
	if err != nil {
		return ""
	}
	other := ""
	switch host := u.Hostname(); {
	case host == "localhost":
		other = "127.0.0.1"
	case host == "127.0.0.1":
		other = "localhost"
	default:
		return ""
	}
	u.Host = other
	if p := portOf(public); p != "" {
		u.Host = net.JoinHostPort(other, p)
	}
	return strings.TrimSuffix(u.String(), "/") + base + strings.TrimSuffix(pathElsewhere, "/")
}

// clearBase is where a planned fault leads without TLS: the candidates' port
// itself, which tells who speaks none. Behind an address of the user's own there
// may be another server in between.
func (s *Server) clearBase(base string) string {
	if s.opts.PublicURL != "" {
		return ""
	}
	return "http://" + strings.TrimPrefix(s.public, "https://") + base + strings.TrimSuffix(pathElsewhere, "/")
}

func portOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Port()
}

// strayed answers whoever followed a planned fault to another host: nothing is
// there. It belongs to the patient whom the fault was planned for.
func (sp *space) strayed(x *exchange.Exchange) exchange.Answer {
	path := x.HTTP.URL.Path
	x.Patient = sp.plan.Patient(path[strings.LastIndexByte(path, '/')+1:])
	return exchange.New(http.StatusNotFound, "application/json", []byte(`{"error":"not_found","error_description":"this is another host: nothing that is meant for Mon espace santé belongs here"}`))
}
