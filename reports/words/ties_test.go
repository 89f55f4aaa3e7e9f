package words_test

import (
	"strings"
	"testing"

	"github.com/etalon-sante/etalon/reports"
	"github.com/etalon-sante/etalon/reports/words"
)

// What cannot be verified, or was seen on the test machine alone, ties nothing.
func TestWhatTiesAReportToTheProductIsSaidWithItsLimits(t *testing.T) {
	tie := func(kind, of string, verified bool) reports.Tie {
		return reports.Tie{Kind: kind, Of: of, Value: "sha256:00", Verified: verified}
	}
	const nothing = "nothing: the version is the one that the manifest states"
	for _, c := range []struct {
		ties []reports.Tie
		want string
	}{
		{nil, nothing},
		{[]reports.Tie{tie(reports.TieCertificate, "service.example:443", true)}, "the certificate seen in production"},
		{[]reports.Tie{tie(reports.TieCertificate, "service.example:443", false)}, nothing},
		{[]reports.Tie{tie(reports.TieCertificate, "127.0.0.1:443", true), tie(reports.TieCertificate, "[::1]:443", true), tie(reports.TieCertificate, "localhost:443", true)}, nothing},
		{[]reports.Tie{tie(reports.TieSigner, "a.b 1", false)}, nothing},
		{[]reports.Tie{tie("a kind of another time", "x", true)}, nothing},
		{
			[]reports.Tie{tie(reports.TieImage, "a:1", true), tie(reports.TieApplication, "a.apk", true), tie(reports.TieSigner, "a.b 1", true), tie(reports.TieSigner, "a.b 1", true)},
			"the digest of the image that was started, the digest of the application that was read and its signature",
		},
	} {
		if got := words.EN.Bound(c.ties); got != c.want {
			t.Errorf("%+v: %q, want %q", c.ties, got, c.want)
		}
	}
	for _, kind := range []string{reports.TieImage, reports.TieCertificate, reports.TieApplication, reports.TieSigner} {
		for _, verified := range []bool{true, false} {
			fr, en := words.FR.Bond(tie(kind, "a", verified)), words.EN.Bond(tie(kind, "a", verified))
			if fr.Name == "" || fr.Shows == "" || fr.Limits == "" || fr == en {
				t.Errorf("%s: %+v and %+v", kind, fr, en)
			}
		}
	}
	if b := words.EN.Bond(tie(reports.TieCertificate, "service.example:443", false)); !strings.Contains(b.Shows, "could not be verified") {
		t.Errorf("a certificate that nobody vouches for is said so: %+v", b)
	}
}
