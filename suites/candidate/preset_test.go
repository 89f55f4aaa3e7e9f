package candidate_test

import (
	"strings"
	"testing"

	"github.com/etalon-sante/etalon/suites/candidate"
)

func TestEveryPresetIsAManifestInBothLanguages(t *testing.T) {
	env := values(map[string]string{"ETALON_PILOT_TOKEN": "un-jeton-assez-long", "MES_CLIENT_SECRET": "un-secret-assez-long"})
	for _, name := range candidate.Presets() {
		for lang, word := range map[string]string{"fr": "Remplacez", "en": "Replace"} {
			raw, err := candidate.Preset(name, lang)
			if err != nil {
				t.Fatal(err)
			}
			m, err := candidate.Parse(raw, "candidate.yaml", "", env)
			if err != nil {
				t.Errorf("%s in %s: %v\n%s", name, lang, err, raw)
				continue
			}
			c := m.Candidate
			if c.Service.Category != name || !c.Claims.Pairing || len(c.Claims.Measures)+len(c.Claims.Documents)+len(c.Claims.Agenda) == 0 || !strings.Contains(string(raw), word) {
				t.Errorf("%s in %s: %+v\n%s", name, lang, c.Claims, raw)
			}
			for _, kind := range []string{"measures", "documents", "agenda"} {
				if claimed := c.Claims.Writes(kind) || c.Claims.Reads(kind); claimed != (len(c.Service.DataUse[kind]) > 0) {
					t.Errorf("%s: %s claimed %t, data use %v", name, kind, claimed, c.Service.DataUse)
				}
			}
			if c.Claims.Reads("documents") && !c.Claims.Writes("documents") {
				t.Errorf("%s reads documents and gives none", name)
			}
		}
	}
	if _, err := candidate.Preset("hospital", "fr"); err == nil || !strings.Contains(err.Error(), "booking") {
		t.Error(err)
	}
}
