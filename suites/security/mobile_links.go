package security

import (
	"context"
	"fmt"
	"mime"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/etalon-sante/etalon/sandbox/record"
	. "github.com/etalon-sante/etalon/suites/lab"
	"github.com/etalon-sante/etalon/suites/probe/apk"
	"github.com/etalon-sante/etalon/suites/probe/pace"
	"github.com/etalon-sante/etalon/suites/probe/web"
)

// What a site says of the applications that may open its links stands at one
// place, and Android follows no redirect from it.
const statementsPath = "/.well-known/assetlinks.json"

// confirmation is what the site says of the application's links.
type confirmation struct {
	Hosts      []string        `json:"hosts"` // of verified links, that the manifest names
	Others     []string        `json:"others"`
	URL        string          `json:"url"`
	Exchange   string          `json:"exchange"`
	Status     int             `json:"status"`
	Redirected bool            `json:"redirected"`
	Type       string          `json:"type"`
	Reason     string          `json:"reason"` // why it was not read
	Statements []apk.Statement `json:"statements"`
	Rate       pace.Rate       `json:"rate"`
	// The application, as it was read.
	Package      string   `json:"package"`
	Certificates []string `json:"certificates"`
}

// confirmLinks asks the service's site whether it lets the application open its
// links. Links to hosts that the manifest does not name are told, not followed.
func confirmLinks(ctx context.Context, s *Stage, r apk.Result) error {
	c, site := s.Candidate(), siteOf(s)
	res := confirmation{Hosts: []string{}, Others: []string{}, Statements: []apk.Statement{}, Package: r.Package, Certificates: r.Signing.Certificates()}
	ours := []string{strings.ToLower(c.Web.Domain)}
	for _, address := range []string{c.Web.Site, c.Web.Production} {
		if u, err := url.Parse(address); err == nil {
			ours = append(ours, strings.ToLower(u.Hostname()))
		}
	}
	for _, host := range verifiedHosts(r) {
		if slices.Contains(ours, host) {
			res.Hosts = append(res.Hosts, host)
		} else {
			res.Others = append(res.Others, host)
		}
	}
	if len(res.Hosts) == 0 || site == "" {
		return s.Probe("apk-links", site, res, nil)
	}
	reader, err := web.NewReader(web.Options{
		Site: site, Named: []string{c.Web.Production}, Roots: s.Roots(), Now: s.Now, Timeout: c.Timing.Action, Interval: -1, Pace: s.Pace(),
		Name: nameIn(s), Note: func(at time.Time, x record.Exchange) string { return s.Exchange(at, x) },
	})
	if err != nil {
		return s.Probe("apk-links", site, nil, err)
	}
	defer reader.Close()
	at := &url.URL{Scheme: reader.Site().Scheme, Host: reader.Site().Host, Path: statementsPath}
	d, err := reader.Read(ctx, at)
	if err != nil {
		return err
	}
	res.Rate = reader.Rate()
	res.URL, res.Exchange, res.Status, res.Type, res.Reason = reader.Shown(at), d.Exchange, d.Status, d.Type, d.Reason
	if d.URL == nil {
		return s.Probe("apk-links", site, nil, fmt.Errorf("%s: %s", res.URL, d.Reason))
	}
	res.Redirected = d.State == web.Elsewhere || d.URL.String() != at.String()
	if d.State == web.Read {
		if res.Statements, err = apk.Statements(d.Body); err != nil {
			res.Statements, res.Reason = []apk.Statement{}, err.Error()
		}
	}
	return s.Probe("apk-links", site, res, nil)
}

// verifiedHosts are the hosts of the links that Android verifies.
func verifiedHosts(r apk.Result) []string {
	var out []string
	for _, k := range r.Links {
		if k.Verify && (slices.Contains(k.Schemes, "https") || slices.Contains(k.Schemes, "http")) {
			for _, h := range k.Hosts {
				out = append(out, strings.ToLower(h))
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// confirmed judges what the site says of the application's links.
func confirmed(t Trace) {
	const probe = "apk-links"
	observed[apk.Result](t, "apk", nil)
	if all := could[confirmation](t, probe, nil); !all.Empty() && could(t, probe, func(c confirmation) bool { return len(c.Hosts) > 0 && len(c.Certificates) > 0 }).Empty() {
		others := shortened(record.Seen[confirmation](all.First()).Others)
		t.Untested(Text{
			FR: "l’application n’a pas de lien vérifié vers une adresse du manifeste, ou n’est pas signée (autres hôtes\u00a0: " + orNone(others) + ")",
			EN: "the application has no verified link to an address of the manifest, or is not signed (other hosts: " + orNone(others) + ")",
		})
	}
	kept := observed(t, probe, func(c confirmation) bool { return len(c.Hosts) > 0 && len(c.Certificates) > 0 })
	Expect(kept).To(see("links that the site confirms", linksConfirmed))
	if again := could(t, probe, signedAgain); !again.Empty() {
		kept.Review(Text{
			FR: "le site nomme l’application sous un autre certificat\u00a0: est-ce celui avec lequel le magasin la signe à nouveau\u00a0?",
			EN: "the site names the application under another certificate: is it the one with which the store signs it anew?",
		})
	}
}

// signedAgain: the site names the application, under other certificates alone. A
// store may sign what it is given with a key of its own.
func signedAgain(c confirmation) bool {
	named := false
	for _, s := range c.Statements {
		if s.Package != c.Package {
			continue
		}
		if slices.ContainsFunc(c.Certificates, func(d string) bool { return slices.Contains(s.Certificates, d) }) {
			return false
		}
		named = named || len(s.Certificates) > 0
	}
	return named
}

func linksConfirmed(rec record.Record, c confirmation) []Finding {
	find := func(key, fr, en, want, actual string) []Finding {
		f := ofApplication(rec, key, fr, en, want, actual, "")
		f.Exchange = c.Exchange
		return []Finding{f}
	}
	kind, _, _ := mime.ParseMediaType(c.Type)
	switch {
	case c.Redirected:
		return find("links-redirected", c.URL+" mène ailleurs : Android ne suit pas, et ne vérifie pas les liens", c.URL+" leads elsewhere: Android does not follow, and does not verify the links", "200", fmt.Sprint(c.Status))
	case c.Status != 200:
		return find("links-unconfirmed", "le site ne confirme pas les liens de l’application : "+c.URL+" ne répond pas 200", "the site does not confirm the application's links: "+c.URL+" does not answer 200", "200", fmt.Sprint(c.Status))
	case kind != "application/json":
		return find("links-type", c.URL+" n’est pas servi comme du JSON", c.URL+" is not served as JSON", "application/json", c.Type)
	case c.Reason != "":
		return find("links-unreadable", c.URL+" ne se lit pas", c.URL+" cannot be read", "JSON", c.Reason)
	case !slices.ContainsFunc(c.Statements, func(s apk.Statement) bool { return s.Package == c.Package && len(s.Certificates) > 0 }):
		return find("links-other-application", c.URL+" ne nomme pas cette application", c.URL+" does not name this application", c.Package, "—")
	}
	return nil
}
