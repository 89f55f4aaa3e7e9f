package security

import (
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/etalon-sante/etalon/sandbox/record"
	. "github.com/etalon-sante/etalon/suites/lab"
	"github.com/etalon-sante/etalon/suites/probe/web"
)

// What each check finds about the site as a whole: plain HTTP, cookies,
// security.txt.

// plainKnown says whether it is known what plain HTTP leads to. A closed port
// 80 beside an HTTPS on 443 leads nowhere, which is safe; a closed port
// anywhere else may be a wrong address in the manifest.
func plainKnown(r web.Result) bool {
	return len(r.Plain.Hops) > 0 || (r.Plain.State == web.Closed && r.Plain.Expected && siteRead(r))
}

// httpsFirst: the first answer leads to HTTPS on the same host, so that a
// browser learns to use HTTPS there before it goes anywhere else.
func httpsFirst(rec record.Record, r web.Result) []Finding {
	if len(r.Plain.Hops) == 0 {
		return nil
	}
	first := r.Plain.Hops[0]
	from, _ := url.Parse(first.URL)
	to, err := url.Parse(first.Location)
	actual := fmt.Sprintf("%d %s", first.Status, orNone(first.Location))
	f := At(rec, "", Text{}).In(header("Location"))
	f.Exchange = first.Exchange
	switch {
	case first.Location == "" || err != nil:
		f.Key, f.Message = "web.plain-not-redirected", Text{
			FR: fmt.Sprintf("%s répond sans mener à HTTPS", first.URL), EN: fmt.Sprintf("%s answers without leading to HTTPS", first.URL),
		}
	case to.Scheme != "https":
		f.Key, f.Message = "web.plain-to-plain", Text{
			FR: fmt.Sprintf("%s mène d'abord à une autre adresse en clair", first.URL), EN: fmt.Sprintf("%s leads to another plain address first", first.URL),
		}
	case from != nil && !strings.EqualFold(to.Hostname(), from.Hostname()):
		f.Key, f.Message = "web.plain-to-other-host", Text{
			FR: fmt.Sprintf("%s mène d'abord à un autre hôte", first.URL), EN: fmt.Sprintf("%s leads to another host first", first.URL),
		}
	default:
		return nil
	}
	host := first.URL
	if from != nil {
		host = from.Hostname()
	}
	return []Finding{f.Was("301 https://"+host+"/…", actual)}
}

func cookie(c web.Cookie, key, fr, en string) Finding {
	return Finding{Key: key, Message: Text{
		FR: fmt.Sprintf("le cookie « %s » %s", c.Name, fr),
		EN: fmt.Sprintf("cookie %q %s", c.Name, en),
	}}
}

// because says why a cookie is taken for one that stands for the patient.
func because(c web.Cookie) Text {
	if c.Session == "name" {
		return Text{FR: "(pris pour un cookie de session d'après son nom)", EN: "(taken for a session cookie by its name)"}
	}
	return Text{
		FR: fmt.Sprintf("(pris pour un cookie de session : valeur de %d bits au plus, effacée à la fermeture)", c.Bits),
		EN: fmt.Sprintf("(taken for a session cookie: a value of at most %d bits, gone when the browser is closed)", c.Bits),
	}
}

func secureCookie(c web.Cookie) []Finding {
	if c.Secure && c.OverHTTPS {
		return nil
	}
	if !c.OverHTTPS {
		return []Finding{cookie(c, "web.cookie-over-http", "est posé en clair", "is set over plain HTTP").Was("https", "http")}
	}
	return []Finding{cookie(c, "web.cookie-not-secure", "peut partir en clair : l'attribut Secure manque", "may leave in the clear: attribute Secure is absent").Was("Secure", "—")}
}

func hiddenCookie(c web.Cookie) []Finding {
	if c.HTTPOnly {
		return nil
	}
	why := because(c)
	return []Finding{cookie(c, "web.cookie-not-httponly", "est lisible par les scripts "+why.FR, "can be read by scripts "+why.EN).Was("HttpOnly", "—")}
}

func sameSite(c web.Cookie) []Finding {
	switch strings.ToLower(c.SameSite) {
	case "strict", "lax":
		return nil
	case "none":
		if c.Secure {
			return nil // said on purpose
		}
	}
	return []Finding{cookie(c, "web.cookie-samesite", "ne dit pas s'il suit une requête venue d'un autre site", "does not say whether it follows a request from another site").
		Was("SameSite=Lax / Strict", orNone(c.SameSite))}
}

func prefixed(c web.Cookie) []Finding {
	why := because(c)
	switch {
	case c.Prefix() == "":
		return []Finding{cookie(c, "web.cookie-no-prefix", "n'a pas de préfixe qui le lie à l'hôte "+why.FR, "has no prefix that ties it to the host "+why.EN).Was("__Host-… / __Secure-…", c.Name)}
	case !c.PrefixKept():
		return []Finding{cookie(c, "web.cookie-prefix-broken", "ne remplit pas les conditions de son préfixe : un navigateur le rejette", "does not meet the conditions of its prefix: a browser drops it").
			Was("Secure; Path=/", fmt.Sprintf("Secure=%t Path=%s Domain=%s", c.Secure, orNone(c.Path), orNone(c.Domain)))}
	}
	return nil
}

func securityTxtValid(rec record.Record, r web.Result) []Finding {
	s := r.SecurityTxt
	if !s.Found {
		f := At(rec, "web.securitytxt-absent", Text{
			FR: fmt.Sprintf("aucun fichier security.txt à l'adresse %s", s.URL), EN: fmt.Sprintf("no security.txt at %s", s.URL),
		}).Was("200 text/plain", strings.TrimSpace(fmt.Sprintf("%d %s", s.Status, s.Reason))).In("status")
		f.Exchange = s.Exchange
		return []Finding{f}
	}
	var out []Finding
	for _, p := range s.Problems {
		at := "status"
		if p.Line > 0 {
			at = fmt.Sprintf("response:line:%d", p.Line)
		}
		f := At(rec, "web.securitytxt-"+p.Key, problem(p.Key)).Was(p.Expected, p.Actual).In(at)
		f.Exchange = s.Exchange
		out = append(out, f)
	}
	return out
}

// problem says what is wrong with a security.txt (RFC 9116 §2).
func problem(key string) Text {
	texts := map[string]Text{
		"missing-contact":    {FR: "security.txt n'indique aucun contact", EN: "security.txt names no contact"},
		"bad-contact":        {FR: "un contact de security.txt n'est pas une adresse https, mailto ou tel", EN: "a contact of security.txt is no https, mailto or tel address"},
		"missing-expires":    {FR: "security.txt n'a pas de date d'expiration", EN: "security.txt has no date of expiry"},
		"repeated-expires":   {FR: "security.txt a plusieurs dates d'expiration", EN: "security.txt has more than one date of expiry"},
		"bad-expires":        {FR: "la date d'expiration de security.txt ne se lit pas", EN: "the date of expiry of security.txt cannot be read"},
		"repeated-languages": {FR: "security.txt donne plusieurs fois ses langues", EN: "security.txt gives its languages more than once"},
		"content-type":       {FR: "security.txt n'est pas servi comme texte", EN: "security.txt is not served as text"},
		"scheme":             {FR: "security.txt n'est pas servi en HTTPS", EN: "security.txt is not served over HTTPS"},
		"legacy":             {FR: "security.txt n'est qu'à son ancienne adresse", EN: "security.txt is at its old address only"},
		"line":               {FR: "une ligne de security.txt n'est pas un champ", EN: "a line of security.txt is no field"},
		"encoding":           {FR: "security.txt n'est pas de l'UTF-8, ou est trop long", EN: "security.txt is not UTF-8, or is too long"},
		"canonical":          {FR: "security.txt dit avoir sa place ailleurs", EN: "security.txt says that it belongs elsewhere"},
	}
	if t, ok := texts[key]; ok {
		return t
	}
	return Text{FR: "security.txt ne suit pas la RFC 9116", EN: "security.txt does not follow RFC 9116"}
}

func securityTxtCurrent(rec record.Record, r web.Result) []Finding {
	s := r.SecurityTxt
	if !s.Expired {
		return nil
	}
	f := At(rec, "web.securitytxt-expired", Text{
		FR: fmt.Sprintf("security.txt a expiré le %s", s.Expires.Format(time.DateOnly)),
		EN: fmt.Sprintf("security.txt expired on %s", s.Expires.Format(time.DateOnly)),
	}).Was("> "+r.At.Format(time.RFC3339), s.Expires.Format(time.RFC3339)).In(expiresAt(s))
	f.Exchange = s.Exchange
	return []Finding{f}
}
