package run

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/etalon-sante/etalon/suites/candidate"
	"github.com/etalon-sante/etalon/suites/probe/browser"
	"github.com/etalon-sante/etalon/suites/probe/pace"
	"github.com/etalon-sante/etalon/suites/probe/tls"
)

// Contacts says which addresses a run of this candidate contacts by itself, how
// often at most, and whether it asks for what an intruder would ask for. What a
// page loads from elsewhere, and what the service itself calls, is not in it.
func Contacts(c candidate.Candidate, o Options) RunText {
	looked := distinct(c.Web.Site, c.Web.Production, c.Web.Plain)
	fr, en := []string{}, []string{}
	say := func(f, e string) { fr, en = append(fr, f), append(en, e) }
	if c.Pilot.Kind == "http" {
		say("pilote "+c.Pilot.URL, "pilot "+c.Pilot.URL)
	}
	if len(looked) > 0 {
		fast, slow := paceOf(looked)
		say("pages et TLS de "+strings.Join(looked, ", ")+fast, "pages and TLS of "+strings.Join(looked, ", ")+slow)
		if c.Web.Own {
			say("ce qu’un intrus demanderait aussi (« web.own »)", "what an intruder would ask for, too (\"web.own\")")
		} else {
			say("rien de ce qu’un intrus demanderait (« web.own » n’est pas déclaré)", "nothing of what an intruder would ask for (\"web.own\" is not declared)")
		}
	}
	if o.Resolver != "" && c.Web.Domain != "" {
		say("résolveur "+o.Resolver+", pour "+c.Web.Domain, "resolver "+o.Resolver+", for "+c.Web.Domain)
	}
	if len(looked) > 0 && browser.Missing(o.Browser) == (browser.Text{}) {
		if o.Browser.BlockOthers {
			say("ce que les pages chargent d’ailleurs est bloqué", "what pages load from elsewhere is blocked")
		} else {
			say("ce que les pages chargent d’ailleurs est admis et compté", "what pages load from elsewhere is let through and counted")
		}
	}
	if len(fr) == 0 {
		return RunText{FR: "Le banc ne contacte aucune adresse de lui-même.", EN: "The harness contacts no address by itself."}
	}
	return RunText{FR: "Le banc contacte : " + strings.Join(fr, " ; ") + ".", EN: "The harness contacts: " + strings.Join(en, "; ") + "."}
}

// paceOf says how often the hosts of these addresses are asked at most.
func paceOf(addresses []string) (fr, en string) {
	if !slices.ContainsFunc(addresses, func(a string) bool { u, err := url.Parse(a); return err != nil || !pace.Local(u.Hostname()) }) {
		return " (cette machine : sans limite de rythme)", " (this machine: no limit of rate)"
	}
	connections := int(time.Second / tls.Interval)
	return fmt.Sprintf(" (%d requêtes et %d poignées de main TLS par seconde et par hôte au plus)", pace.PerSecond, connections),
		fmt.Sprintf(" (%d requests and %d TLS handshakes a second to a host at most)", pace.PerSecond, connections)
}

// distinct are the texts that are not empty, each once, in their order.
func distinct(texts ...string) []string {
	var out []string
	for _, t := range texts {
		if t != "" && !slices.Contains(out, t) {
			out = append(out, t)
		}
	}
	return out
}
