package security

import (
	"fmt"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"

	"github.com/etalon-sante/etalon/sandbox/record"
	. "github.com/etalon-sante/etalon/suites/lab"
	"github.com/etalon-sante/etalon/suites/probe/web"
)

// LeftoverSpecs registers what is judged of what pages load in the clear, of how
// long answers with a session are kept, and of the finer points of session
// cookies and security.txt.
func LeftoverSpecs(_ *Lab, pages *Scenario) {
	each := eachPage(pages)
	looked := func(ok func(web.Result) bool) Trace { return observed(pages.Trace(), "web", ok) }
	loading := func(p web.Page) bool { return p.HTML && p.Secure && p.Loads > 0 }
	whole := func(p web.Page) bool { return !p.Truncated }
	cookies := func(ok func(web.Cookie) bool, find func(web.Cookie) []Finding) {
		t := looked(func(r web.Result) bool { return siteRead(r) && anyCookie(r, ok) })
		Expect(t).To(see("each cookie", func(r record.Record, res web.Result) []Finding { return onCookies(r, res, ok, find) }))
	}

	Describe("What a page loads", func() {
		It("is never fetched in the clear when it can change the page", Check("SEC-41.1"), Reads(pages), func() {
			each(loading, whole, func(p web.Page) []Finding { return mixed(p, true) })
		})
		It("is never fetched in the clear when it is only shown", Check("SEC-41.2"), Reads(pages), func() {
			each(loading, whole, func(p web.Page) []Finding { return mixed(p, false) })
		})
	})
	Describe("A session", func() {
		It("is not opened by an answer that others may be given again", Check("SEC-43.1"), Reads(pages), func() { cookies(session, unkept) })
		It("stays with its host", Check("SEC-45.1"), Reads(pages), func() { cookies(session, ofOneHost) })
		It("has a name that cannot be guessed", Check("SEC-45.2"), Reads(pages), func() {
			Expect(looked(func(r web.Result) bool { return siteRead(r) && anyCookie(r, session) })).To(see("long enough", guessable))
		})
	})
	Describe("The file of the address for vulnerabilities", func() {
		found := func(ok func(web.SecurityTxt) bool) Trace {
			return looked(func(r web.Result) bool { return r.SecurityTxt.Found && ok(r.SecurityTxt) })
		}
		It("leads to secure addresses", Check("SEC-55.1"), Reads(pages), func() {
			Expect(found(func(s web.SecurityTxt) bool { return len(s.Fields) > 0 })).To(see("secure addresses", secureFields))
		})
		It("is looked after every year", Check("SEC-55.2"), Reads(pages), func() {
			Expect(found(func(s web.SecurityTxt) bool { return !s.Expires.IsZero() })).To(see("within a year", withinAYear))
		})
	})
}

// mixed: upgrade-insecure-requests has browsers ask over https instead.
func mixed(p web.Page, active bool) []Finding {
	if says(p, "upgrade-insecure-requests") {
		return nil
	}
	var out []Finding
	for i, l := range p.Plain {
		if l.Active == active {
			out = append(out, on(p, "web.mixed-content", fmt.Sprintf("<%s> y est chargé ou envoyé en clair", l.Element), fmt.Sprintf("<%s> is loaded or sent in the clear there", l.Element)).
				Was("https://…", l.URL).In(fmt.Sprintf("plain[%d]", i)))
		}
	}
	return out
}

// unkept: what is stored by a cache that many people share must not open one's
// session to another (RFC 9111 §7.3).
func unkept(c web.Cookie) []Finding {
	for _, d := range strings.Split(strings.ToLower(c.CacheControl), ",") {
		name, _, _ := strings.Cut(strings.TrimSpace(d), "=")
		switch name {
		case "no-store", "private":
			return nil
		}
	}
	why := because(c)
	return []Finding{cookie(c, "web.session-cacheable",
		"est posé dans une réponse qu'un cache partagé peut garder "+why.FR, "is set in an answer that a shared cache may keep "+why.EN).
		Was("Cache-Control: no-store / private", orNone(c.CacheControl))}
}

func ofOneHost(c web.Cookie) []Finding {
	if c.Domain == "" {
		return nil
	}
	why := because(c)
	return []Finding{cookie(c, "web.cookie-domain",
		"est envoyé à tous les sous-domaines "+why.FR, "is sent to every sub-domain "+why.EN).Was("—", "Domain="+c.Domain)}
}

const sessionBits = 128

// guessable judges the strongest of the cookies taken for the session's: the
// others may bear such a name and stand for nothing.
func guessable(rec record.Record, r web.Result) []Finding {
	var best web.Cookie
	for _, c := range r.Cookies {
		if session(c) && c.Bits >= best.Bits {
			best = c
		}
	}
	if best.Bits >= sessionBits {
		return nil
	}
	why := because(best)
	f := cookie(best, "web.session-short", "a une valeur trop courte pour ne pas être devinée "+why.FR, "has a value too short not to be guessed "+why.EN).
		Was(fmt.Sprintf("≥ %d bits", sessionBits), fmt.Sprintf("≤ %d bits (%d characters)", best.Bits, best.Length)).In("response:header:Set-Cookie")
	f.Seq, f.Exchange = rec.Seq, best.Exchange
	return []Finding{f}
}

// secureFields: an address of the web in any field has to be an https one (RFC
// 9116 §2.5). Contacts are judged with the form of the file.
func secureFields(rec record.Record, r web.Result) []Finding {
	var out []Finding
	for _, field := range r.SecurityTxt.Fields {
		name := strings.ToLower(field.Name)
		switch name {
		case "acknowledgments", "canonical", "encryption", "hiring", "policy", "csaf":
		default:
			continue
		}
		if !strings.HasPrefix(strings.ToLower(field.Value), "http:") {
			continue
		}
		f := At(rec, "web.securitytxt-in-the-clear", Text{
			FR: "le champ " + field.Name + " de security.txt mène à une adresse en clair",
			EN: "field " + field.Name + " of security.txt leads to an address in the clear",
		}).Was("https://…", field.Value).In(fmt.Sprintf("response:line:%d", field.Line))
		f.Exchange = r.SecurityTxt.Exchange
		out = append(out, f)
	}
	return out
}

// withinAYear: RFC 9116 §2.5.5 advises less than a year, so that what stands in
// the file is looked at again.
func withinAYear(rec record.Record, r web.Result) []Finding {
	s := r.SecurityTxt
	latest := r.At.AddDate(1, 0, 1) // a day, for the time of day
	if s.Expires.Before(latest) {
		return nil
	}
	f := At(rec, "web.securitytxt-far", Text{
		FR: fmt.Sprintf("security.txt n'expire que le %s", s.Expires.Format(time.DateOnly)),
		EN: fmt.Sprintf("security.txt does not expire before %s", s.Expires.Format(time.DateOnly)),
	}).Was("< "+latest.Format(time.DateOnly), s.Expires.Format(time.DateOnly)).In(expiresAt(s))
	f.Exchange = s.Exchange
	return []Finding{f}
}

// expiresAt is the line of security.txt that says when it expires.
func expiresAt(s web.SecurityTxt) string {
	for _, f := range s.Fields {
		if strings.EqualFold(f.Name, "Expires") {
			return fmt.Sprintf("response:line:%d", f.Line)
		}
	}
	return "status"
}
