package security

import (
	"testing"

	"github.com/etalon-sante/etalon/suites/lab"
	"github.com/etalon-sante/etalon/suites/probe/web"
)

func TestPolicySourceChecks(t *testing.T) {
	ours := []string{"SEC-40.1", "SEC-40.2", "SEC-40.3"}
	for name, c := range map[string]struct {
		csp  []web.Policy
		want map[string]lab.State
	}{
		"named hosts":                        {[]web.Policy{policy("default-src 'self'", "script-src 'self' https://cdn.example")}, nil},
		"data images beside":                 {[]web.Policy{policy("default-src 'self'", "img-src 'self' data:")}, nil},
		"a scheme for scripts":               {[]web.Policy{policy("default-src 'self'", "script-src 'self' https:")}, map[string]lab.State{"SEC-40.1": lab.NotMet}},
		"a scheme, disregarded":              {[]web.Policy{policy("default-src 'self'", "script-src 'strict-dynamic' 'nonce-AAAA' https:")}, nil},
		"a star by default, scripts bounded": {[]web.Policy{policy("default-src *", "script-src 'self'")}, map[string]lab.State{"SEC-40.2": lab.NotMet}},
		"a star by default":                  {[]web.Policy{policy("default-src *")}, map[string]lab.State{"SEC-40.1": lab.NotMet, "SEC-40.2": lab.NotMet}},
		"elements wider than scripts":        {[]web.Policy{policy("default-src 'none'", "script-src 'self'", "script-src-elem *")}, map[string]lab.State{"SEC-40.1": lab.NotMet}},
		"a wide policy beside a narrow one":  {[]web.Policy{policy("default-src *"), policy("default-src 'self'")}, nil},
		"a source in the clear":              {[]web.Policy{policy("default-src 'self'", "img-src http://a.example")}, map[string]lab.State{"SEC-40.3": lab.NotMet}},
		"in the clear, upgraded":             {[]web.Policy{policy("default-src 'self'", "img-src http://a.example", "upgrade-insecure-requests")}, nil},
		"a report address in the clear":      {[]web.Policy{policy("default-src 'self'", "report-uri http://a.example")}, nil},
		"nothing said of scripts":            {[]web.Policy{policy("img-src 'self'")}, map[string]lab.State{"SEC-40.1": lab.Untested, "SEC-40.2": lab.Untested}},
		"no policy":                          {nil, map[string]lab.State{"SEC-40.1": lab.Untested, "SEC-40.2": lab.Untested, "SEC-40.3": lab.Untested}},
	} {
		t.Run(name, func(t *testing.T) {
			r := goodWeb()
			for i := range r.Pages {
				r.Pages[i].CSP = c.csp
			}
			expect(t, judge(t, looked(t, "web-pages", "web", r)), ours, c.want)
		})
	}
}
