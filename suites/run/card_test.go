package run

import (
	"strings"
	"testing"

	"github.com/etalon-sante/etalon/sandbox/control"
	"github.com/etalon-sante/etalon/suites/candidate"
)

func TestPatientsAreShownTheNameAndAddressOfTheManifest(t *testing.T) {
	for name, c := range map[string]struct {
		service string
		web     candidate.Web
		want    control.ServiceCard
	}{
		"both addresses":       {"Carnet", candidate.Web{Production: "https://a.example", Site: "https://b.example"}, control.ServiceCard{Name: "Carnet", Link: "https://a.example"}},
		"the site alone":       {"Carnet", candidate.Web{Site: "https://b.example"}, control.ServiceCard{Name: "Carnet", Link: "https://b.example"}},
		"no address":           {"Carnet", candidate.Web{}, control.ServiceCard{Name: "Carnet"}},
		"what is no address":   {"Carnet", candidate.Web{Production: "carnet", Site: "javascript:alert(1)"}, control.ServiceCard{Name: "Carnet"}},
		"a name without limit": {strings.Repeat("a", maxCardName+1), candidate.Web{}, control.ServiceCard{}},
	} {
		m := candidate.Candidate{Web: c.web}
		m.Service.Name = c.service
		if got := card(m); got != c.want {
			t.Errorf("%s: %+v, expected %+v", name, got, c.want)
		}
	}
}
