package run

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/etalon-sante/etalon/sandbox/record"
	"github.com/etalon-sante/etalon/suites/probe/apk"
	"github.com/etalon-sante/etalon/suites/probe/tls"
)

func probed(t *testing.T, kind string, data any, failed string) record.Record {
	t.Helper()
	b, err := json.Marshal(data)
	if err != nil {
		t.Fatal(err)
	}
	return record.Record{Probe: &record.Probe{Kind: kind, Data: b, Error: failed}}
}

func TestOnlyWhatTheRunSawTiesAReportToTheProduct(t *testing.T) {
	digest := strings.Repeat("ab", 32)
	day := time.Date(2026, time.November, 23, 8, 0, 0, 0, time.UTC)
	shown := func(change func(*tls.Result)) tls.Result {
		r := tls.Result{Address: "service.example:443", At: day, Chain: []tls.Certificate{{SHA256: digest}}, ChainTrusted: true, NameMatches: true, InDates: true}
		change(&r)
		return r
	}
	application := func(intact apk.Flag, debug bool) apk.Result {
		return apk.Result{File: "a.apk", SHA256: digest, Package: "a.b", VersionName: "2", At: day, Signing: apk.Signing{Intact: intact, Signers: []apk.Signer{{SHA256: digest, Debug: debug}, {SHA256: digest, Debug: debug}}}}
	}
	for name, c := range map[string]struct {
		records []record.Record
		image   *ImageInfo
		want    string // kind and whether it was verified
	}{
		"nothing was seen":                  {},
		"an image was started":              {image: &ImageInfo{Name: "a:1", Digest: "sha256:" + digest}, want: "image true"},
		"an image without a digest":         {image: &ImageInfo{Name: "a:1"}},
		"the production address":            {records: []record.Record{probed(t, "tls", shown(func(*tls.Result) {}), "")}, want: "certificate true"},
		"twice the same":                    {records: []record.Record{probed(t, "tls", shown(func(*tls.Result) {}), ""), probed(t, "tls", shown(func(*tls.Result) {}), "")}, want: "certificate true"},
		"a certificate that nobody vouches": {records: []record.Record{probed(t, "tls", shown(func(r *tls.Result) { r.ChainTrusted = false }), "")}, want: "certificate false"},
		"a certificate of another name":     {records: []record.Record{probed(t, "tls", shown(func(r *tls.Result) { r.NameMatches = false }), "")}, want: "certificate false"},
		"another address":                   {records: []record.Record{probed(t, "tls", shown(func(r *tls.Result) { r.Address = "site.example:443" }), "")}},
		"no certificate":                    {records: []record.Record{probed(t, "tls", shown(func(r *tls.Result) { r.Chain = nil }), "")}},
		"it could not be reached":           {records: []record.Record{probed(t, "tls", shown(func(*tls.Result) {}), "no route")}},
		"data of another shape":             {records: []record.Record{probed(t, "tls", []int{1}, ""), probed(t, "apk", "x", "")}},
		"an application":                    {records: []record.Record{probed(t, "apk", application(apk.Yes, false), "")}, want: "application true, signer true"},
		"an application signed for tests":   {records: []record.Record{probed(t, "apk", application(apk.Yes, true), "")}, want: "application true, signer false"},
		"an application changed after":      {records: []record.Record{probed(t, "apk", application(apk.No, false), "")}, want: "application true"},
		"a signature that was not verified": {records: []record.Record{probed(t, "apk", application(apk.Unknown, false), "")}, want: "application true"},
	} {
		t.Run(name, func(t *testing.T) {
			b := builder{rec: Recorded{Records: c.records}}
			b.rec.Info.Image = c.image
			b.rec.Candidate.Web.Production = "https://service.example/app"
			var got []string
			for _, tie := range b.ties() {
				verified := " false"
				if tie.Verified {
					verified = " true"
				}
				got = append(got, tie.Kind+verified)
				if tie.Value != "sha256:"+digest || tie.Of == "" {
					t.Errorf("%+v", tie)
				}
			}
			if strings.Join(got, ", ") != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
	for _, address := range []string{"", "not an address", "https://"} {
		if got := hostPort(address); got != "" {
			t.Errorf("%q is at %q", address, got)
		}
	}
}
