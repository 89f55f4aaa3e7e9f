package run

import (
	"encoding/json"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/etalon-sante/etalon/reports"
	"github.com/etalon-sante/etalon/suites/probe/apk"
	"github.com/etalon-sante/etalon/suites/probe/tls"
)

// maxTies bounds what a report says of what binds it to the product.
const maxTies = 12

// ties are what binds what was tested to the product: only what the journal shows
// that the run saw, and the image that it started itself.
func (b *builder) ties() []reports.Tie {
	var out []reports.Tie
	add := func(kind, digest, of string, verified bool, seen time.Time) {
		digest = strings.TrimPrefix(digest, "sha256:")
		if digest == "" || len(out) == maxTies {
			return
		}
		for _, t := range out {
			if t.Kind == kind && t.Value == "sha256:"+digest && t.Of == of {
				return
			}
		}
		out = append(out, reports.Tie{Kind: kind, Value: "sha256:" + digest, Of: of, Verified: verified, Seen: seen})
	}
	if i := b.rec.Info.Image; i != nil {
		add(reports.TieImage, i.Digest, i.Name, true, b.rec.Info.Started)
	}
	production := hostPort(b.rec.Candidate.Web.Production)
	for _, r := range b.rec.Records {
		if r.Probe == nil || r.Probe.Error != "" {
			continue
		}
		switch r.Probe.Kind {
		case "tls":
			var seen tls.Result
			if json.Unmarshal(r.Probe.Data, &seen) == nil && seen.Address == production && len(seen.Chain) > 0 {
				add(reports.TieCertificate, seen.Chain[0].SHA256, seen.Address, seen.ChainTrusted && seen.NameMatches && seen.InDates, seen.At)
			}
		case "apk":
			var seen apk.Result
			if json.Unmarshal(r.Probe.Data, &seen) != nil {
				continue
			}
			of := strings.TrimSpace(seen.Package + " " + seen.VersionName)
			add(reports.TieApplication, seen.SHA256, strings.TrimSpace(seen.File+", "+of), true, seen.At)
			if seen.Signing.Intact != apk.Yes {
				continue // a signature that does not hold ties nothing
			}
			for _, s := range seen.Signing.Signers {
				add(reports.TieSigner, s.SHA256, of, !s.Debug, seen.At)
			}
		}
	}
	return out
}

// hostPort is where an https address is reached; "" for no address.
func hostPort(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Hostname() == "" {
		return ""
	}
	port := u.Port()
	if port == "" {
		port = "443"
	}
	return net.JoinHostPort(u.Hostname(), port)
}
