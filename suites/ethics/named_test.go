package ethics

import (
	"slices"
	"testing"

	"github.com/etalon-sante/etalon/suites/probe/text"
	"github.com/etalon-sante/etalon/suites/wording"
)

func TestAThirdPartyIsNamedByItsHostItsDomainOrWhoseItIs(t *testing.T) {
	t.Parallel()
	for host, want := range map[string][]string{
		"cdn.mesure.example.com:8443": {"cdn.mesure.example.com", "example.com"},
		"example.com":                 {"example.com"},
		"127.0.0.1:8443":              {"127.0.0.1"},
		"[::1]:8443":                  {"::1"},
		"www.google-analytics.com":    {"www.google-analytics.com", "google-analytics.com", "Google Analytics"},
	} {
		if got := names(host); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", host, got, want)
		}
	}
	pages := []text.Page{{Sentences: []wording.Sentence{{Text: "Nous mesurons l’audience avec GOOGLE ANALYTICS."}, {Text: "Rien d’autre."}}}}
	if namedIn(pages, names("www.google-analytics.com")) == "" || namedIn(pages, names("cdn.example.com")) != "" || namedIn([]text.Page{{Sentences: []wording.Sentence{{Text: "Votre métabolisme."}}}}, []string{"Meta"}) != "" {
		t.Error("a third party is not found in the texts, or found where it is not")
	}
}
