package security

import (
	"fmt"
	"strings"

	. "github.com/onsi/ginkgo/v2"

	. "github.com/etalon-sante/etalon/suites/lab"
	"github.com/etalon-sante/etalon/suites/probe/web"
)

// PolicySpecs registers what is judged of the sources that a content policy
// admits. That there is a policy, and that it is closed where it has to be, is
// judged in web.go.
func PolicySpecs(l *Lab, pages *Scenario) {
	each := eachPage(pages)
	withScripts := func(p web.Page) bool {
		return p.HTML && says(p, "script-src-elem", "script-src", "default-src")
	}
	withDefault := func(p web.Page) bool { return p.HTML && says(p, "default-src") }
	withCSP := func(p web.Page) bool { return p.HTML && len(p.CSP) > 0 }

	Describe("The sources that a policy admits", func() {
		It("are hosts with a name, for scripts", Check("SEC-40.1"), Reads(pages), func() { each(withScripts, anyWay, namedScripts) })
		It("are hosts with a name, where nothing else is said", Check("SEC-40.2"), Reads(pages), func() { each(withDefault, anyWay, namedDefault) })
		It("are never in the clear", Check("SEC-40.3"), Reads(pages), func() { each(withCSP, anyWay, nothingInTheClear) })
	})
}

// anyWay is for what can be judged however the page was read.
func anyWay(web.Page) bool { return true }

// says says whether one of the policies has one of the directives.
func says(p web.Page, names ...string) bool {
	return has(p, func(c web.Policy) bool { _, ok := c.First(names...); return ok })
}

// narrow finds what is wide in the directive in force in every policy that has
// one: what one policy keeps out is kept out.
func narrow(p web.Page, key, fr, en string, names ...string) []Finding {
	var all []string
	name := names[len(names)-1]
	for _, policy := range p.CSP {
		d, ok := policy.First(names...)
		if !ok {
			continue
		}
		wide := d.Wide()
		if len(wide) == 0 || (d.Dynamic() && len(names) > 1) { // of scripts only
			return nil
		}
		name = d.Name
		all = append(all, wide...)
	}
	if len(all) == 0 {
		return nil
	}
	return []Finding{on(p, key, fmt.Sprintf(fr, name), fmt.Sprintf(en, name)).
		Was(name+" 'self' https://…", name+" … "+strings.Join(all, " ")).In(header(csp))}
}

func namedScripts(p web.Page) []Finding {
	return narrow(p, "web.csp-wide-scripts",
		"un script de n'importe qui peut s'y exécuter (%s)", "anyone's script may run in it (%s)",
		"script-src-elem", "script-src", "default-src")
}

func namedDefault(p web.Page) []Finding {
	return narrow(p, "web.csp-wide-default",
		"ce que la politique ne borne pas ailleurs peut venir de n'importe où et y partir (%s)", "what the policy does not bound elsewhere may come from anywhere and go there (%s)",
		"default-src")
}

// nothingInTheClear: upgrade-insecure-requests turns http into https before
// anything is asked for (Upgrade Insecure Requests §3).
func nothingInTheClear(p web.Page) []Finding {
	if has(p, func(c web.Policy) bool {
		_, upgraded := c.Find("upgrade-insecure-requests")
		return upgraded
	}) {
		return nil
	}
	var out []Finding
	for _, policy := range p.CSP {
		for _, d := range policy.Directives {
			if plain := d.Clear(); d.Fetches() && len(plain) > 0 {
				out = append(out, on(p, "web.csp-in-the-clear", "la politique admet une source en clair ("+d.Name+")", "the policy admits a source in the clear ("+d.Name+")").
					Was(d.Name+" https://…", d.Name+" … "+strings.Join(plain, " ")).In(header(csp)))
			}
		}
	}
	return out
}
