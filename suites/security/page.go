package security

import (
	"fmt"
	"strings"

	. "github.com/etalon-sante/etalon/suites/lab"
	"github.com/etalon-sante/etalon/suites/probe/web"
)

// What each check finds on one page.

const aYear = 365 * 24 * 3600 // seconds

func on(p web.Page, key, fr, en string) Finding {
	return Finding{Key: key, Message: Text{
		FR: fmt.Sprintf("page %s : %s", p.URL, fr),
		EN: fmt.Sprintf("page %s: %s", p.URL, en),
	}}
}

func header(name string) string { return "response:header:" + name }

func orNone(s string) string {
	if s == "" {
		return "—"
	}
	return s
}

func hstsYear(p web.Page) []Finding {
	const name = "Strict-Transport-Security"
	want := fmt.Sprintf("max-age ≥ %d", aYear)
	switch {
	case !p.Secure:
		return []Finding{on(p, "web.hsts-over-http", "elle n'est pas servie en HTTPS", "it is not served over HTTPS").Was("https", "http").In("url")}
	case p.HSTS.Raw == "":
		return []Finding{on(p, "web.hsts-absent", "l'en-tête "+name+" manque", "header "+name+" is absent").Was(want, "—").In(header(name))}
	case !p.HSTS.Valid:
		return []Finding{on(p, "web.hsts-invalid", "l'en-tête "+name+" est mal formé : un navigateur l'ignore", "header "+name+" is malformed: a browser disregards it").Was(want, p.HSTS.Raw).In(header(name))}
	case p.HSTS.MaxAge < aYear:
		return []Finding{on(p, "web.hsts-short", "HTTPS n'est pas retenu un an", "HTTPS is not remembered for a year").Was(want, p.HSTS.Raw).In(header(name))}
	}
	return nil
}

const csp = "Content-Security-Policy"

func raws(p web.Page) string {
	var out []string
	for _, policy := range p.CSP {
		out = append(out, policy.Raw)
	}
	return orNone(strings.Join(out, ", "))
}

// has says whether one of the policies that apply together meets a condition:
// what one forbids is forbidden.
func has(p web.Page, ok func(web.Policy) bool) bool {
	for _, policy := range p.CSP {
		if ok(policy) {
			return true
		}
	}
	return false
}

func policyWithDefault(p web.Page) []Finding {
	if len(p.CSP) == 0 {
		return []Finding{on(p, "web.csp-absent", "aucune politique "+csp, "no "+csp).Was("default-src …", "—").In(header(csp))}
	}
	if has(p, func(c web.Policy) bool { _, ok := c.Find("default-src"); return ok }) {
		return nil
	}
	return []Finding{on(p, "web.csp-no-default", "la politique ne dit rien par défaut (default-src)", "the policy says nothing by default (default-src)").Was("default-src …", raws(p)).In(header(csp))}
}

// noUnsafeScripts: scripts written into the page, or made from text, run when
// each policy in force lets them.
func noUnsafeScripts(p web.Page) []Finding {
	var out []Finding
	for _, c := range []struct{ key, keyword string }{
		{"web.csp-unsafe-inline", "'unsafe-inline'"},
		{"web.csp-unsafe-eval", "'unsafe-eval'"},
	} {
		if has(p, func(policy web.Policy) bool { return forbids(policy, c.keyword) }) {
			continue
		}
		out = append(out, on(p, c.key, "la politique laisse passer les scripts "+c.keyword, "the policy lets "+c.keyword+" scripts pass").
			Was("script-src without "+c.keyword, raws(p)).In(header(csp)))
	}
	return out
}

func forbids(policy web.Policy, keyword string) bool {
	if keyword == "'unsafe-eval'" {
		d, ok := policy.First("script-src", "default-src")
		return ok && !d.Has(keyword)
	}
	// Elements and attributes have directives of their own; both must hold.
	for _, own := range []string{"script-src-elem", "script-src-attr"} {
		d, ok := policy.First(own, "script-src", "default-src")
		if !ok || (d.Has(keyword) && !d.Strict()) {
			return false
		}
	}
	return true
}

func closedPolicy(p web.Page) []Finding {
	var out []Finding
	add := func(name, want, fr, en string) {
		out = append(out, on(p, "web.csp-"+name, fr, en).Was(want, raws(p)).In(header(csp)))
	}
	if !has(p, func(c web.Policy) bool {
		d, ok := c.First("object-src", "default-src")
		return ok && d.Only("'none'", "'self'")
	}) {
		add("object-src", "object-src 'none'", "la politique n'écarte pas les modules d'autrui (object-src)", "the policy does not keep plug-ins of others out (object-src)")
	}
	if !has(p, func(c web.Policy) bool {
		d, ok := c.Find("base-uri")
		return ok && d.Only("'none'", "'self'")
	}) {
		add("base-uri", "base-uri 'none'", "la politique laisse changer l'adresse de base (base-uri)", "the policy lets the base address be changed (base-uri)")
	}
	if !has(p, func(c web.Policy) bool { _, ok := c.Find("frame-ancestors"); return ok }) {
		add("frame-ancestors", "frame-ancestors 'none'", "la politique ne dit pas qui peut encadrer la page (frame-ancestors)", "the policy does not say who may frame the page (frame-ancestors)")
	}
	return out
}

func nosniff(p web.Page) []Finding {
	const name = "X-Content-Type-Options"
	first, _, _ := strings.Cut(p.Nosniff, ",")
	if strings.EqualFold(strings.TrimSpace(first), "nosniff") {
		return nil
	}
	return []Finding{on(p, "web.no-nosniff", "le navigateur peut deviner un autre type que celui annoncé", "a browser may guess another type than the one declared").Was("nosniff", orNone(p.Nosniff)).In(header(name))}
}

// notFramed: frame-ancestors, where it stands, takes the place of
// X-Frame-Options (CSP Level 3 §6.4.2).
func notFramed(p web.Page) []Finding {
	said := false
	for _, policy := range p.CSP {
		if d, ok := policy.Find("frame-ancestors"); ok {
			said = true
			if !d.Everyone() {
				return nil
			}
		}
	}
	if !said {
		switch strings.ToUpper(strings.TrimSpace(p.FrameOptions)) {
		case "DENY", "SAMEORIGIN":
			return nil
		}
	}
	actual := "X-Frame-Options: " + orNone(p.FrameOptions) + "; " + csp + ": " + raws(p)
	return []Finding{on(p, "web.framing", "n'importe quel site peut encadrer la page", "any site may frame the page").Was("frame-ancestors 'none' / X-Frame-Options: DENY", actual).In(header("X-Frame-Options"))}
}

func discreet(p web.Page) []Finding {
	switch p.ReferrerPolicy {
	case "no-referrer", "same-origin", "strict-origin", "strict-origin-when-cross-origin":
		return nil
	}
	return []Finding{on(p, "web.referrer-policy", "l'adresse de la page peut être révélée à d'autres sites", "the address of the page may be told to other sites").
		Was("no-referrer, same-origin, strict-origin, strict-origin-when-cross-origin", orNone(p.ReferrerRaw)).In(header("Referrer-Policy"))}
}

// ownOrigin: without credentials, what is open to others is what anyone may
// fetch anyway. A star beside credentials is refused by browsers, and says that
// the opposite was meant.
func ownOrigin(p web.Page) []Finding {
	c := p.CORS
	allowed := c.AllowOrigin == c.Origin || c.AllowOrigin == "*" || c.AllowOrigin == "null"
	if !allowed || !strings.EqualFold(strings.TrimSpace(c.AllowCredentials), "true") {
		return nil
	}
	f := on(p, "web.cors-credentials",
		fmt.Sprintf("un script de %s peut la lire avec les droits du patient", c.Origin),
		fmt.Sprintf("a script of %s may read it with the patient's rights", c.Origin)).
		Was("—", c.AllowOrigin+" + credentials").In(header("Access-Control-Allow-Origin"))
	f.Exchange = c.Exchange
	return []Finding{f}
}

func pinnedScripts(p web.Page) []Finding {
	var out []Finding
	for i, s := range p.Scripts {
		switch {
		case !s.ThirdParty || (s.Pinned && s.CORS):
			continue
		case !s.Pinned:
			out = append(out, on(p, "web.script-not-pinned",
				fmt.Sprintf("le script tiers %s est chargé sans empreinte vérifiable", s.URL),
				fmt.Sprintf("the third-party script %s is loaded without a digest that can be checked", s.URL)).
				Was("integrity=\"sha384-…\"", orNone(s.Integrity)).In(fmt.Sprintf("script[%d].integrity", i)))
		default:
			out = append(out, on(p, "web.script-no-crossorigin",
				fmt.Sprintf("le script tiers %s est chargé sans crossorigin : son empreinte ne peut pas être vérifiée, et il est bloqué", s.URL),
				fmt.Sprintf("the third-party script %s is loaded without crossorigin: its digest cannot be checked, and it is blocked", s.URL)).
				Was("crossorigin", "—").In(fmt.Sprintf("script[%d].crossorigin", i)))
		}
	}
	return out
}
