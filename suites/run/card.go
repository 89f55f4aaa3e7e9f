package run

import (
	"net/url"

	"github.com/etalon-sante/etalon/sandbox/control"
	"github.com/etalon-sante/etalon/suites/candidate"
)

// maxCardName is how long a name the sandbox shows.
const maxCardName = 200

// card is what patients are shown of the service on the pages of the sandbox:
// its name and the address at which it is entered. What a page cannot show is
// left out; whether the manifest is right is not judged here.
func card(c candidate.Candidate) control.ServiceCard {
	out := control.ServiceCard{Name: c.Service.Name}
	if len(out.Name) > maxCardName {
		out.Name = ""
	}
	for _, address := range []string{c.Web.Production, c.Web.Site} {
		if u, err := url.Parse(address); err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" {
			out.Link = address
			break
		}
	}
	return out
}
