package candidate

import (
	"bytes"
	"fmt"
	"strings"
	"text/template"
)

// preset is what services of a kind usually exchange, to begin from.
type preset struct {
	name      string
	category  string
	measures  string
	documents string
	agenda    string
	kinds     []string
	devices   bool
	note      Text
}

func presets() []preset {
	return []preset{
		{
			name: "booking", category: "booking", measures: "none", documents: "none", agenda: "write",
			note: Text{
				EN: "A service in which appointments are made: it writes them to the agenda, and exchanges nothing else.",
				FR: "Un service de prise de rendez-vous : il les écrit dans l'agenda et n'échange rien d'autre.",
			},
		},
		{
			name: "telemedicine", category: "telemedicine", measures: "read", documents: "both", agenda: "write",
			note: Text{
				EN: "A teleconsultation service: it writes reports and appointments, and reads what the patient agrees to show.\nWho reads documents writes some too (give-and-take).",
				FR: "Un service de téléconsultation : il écrit comptes rendus et rendez-vous, et lit ce que le patient accepte de montrer.\nQui lit des documents en écrit aussi (donnant-donnant).",
			},
		},
		{
			name: "portal", category: "portal", measures: "none", documents: "write", agenda: "write",
			note: Text{
				EN: "A patient portal of an establishment: it writes documents and appointments.",
				FR: "Un portail patient d'établissement : il écrit documents et rendez-vous.",
			},
		},
		{
			name: "app", category: "app", measures: "both", documents: "none", kinds: []string{"weight", "blood-pressure", "heart-rate"},
			note: Text{
				EN: "An app in which a patient follows a few measures: it writes and reads them. Name the kinds that it knows.",
				FR: "Une application de suivi : elle écrit et lit quelques mesures. Nommez celles qu'elle connaît.",
			},
		},
		{
			name: "device", category: "device", measures: "write", documents: "none", kinds: []string{"weight"}, devices: true,
			note: Text{
				EN: "A connected device and its app: measures are written with the device that took them.",
				FR: "Un objet connecté et son application : les mesures sont écrites avec le dispositif qui les a faites.",
			},
		},
	}
}

// Presets lists the kinds of service that Preset knows.
func Presets() []string {
	var out []string
	for _, p := range presets() {
		out = append(out, p.name)
	}
	return out
}

// Preset is a commented candidate.yaml, in "fr" or "en", for a kind of service:
// what it claims is what such services usually exchange; names and addresses
// are to be replaced. Read accepts it once its environment variables are set.
func Preset(name, lang string) ([]byte, error) {
	for _, p := range presets() {
		if p.name != name {
			continue
		}
		in := func(t Text) string { return t.In(lang) }
		return fill(answers{
			FR: lang == "fr", Notes: strings.Split(in(p.note), "\n"), Category: p.category, Kinds: strings.Join(p.kinds, ", "), Devices: p.devices,
			Editor: in(Text{EN: "Name of your company", FR: "Nom de votre société"}), SIREN: "000000000", Kind: "company",
			Service: in(Text{EN: "Name of your service", FR: "Nom de votre service"}), Version: "1.0.0", Sector: "health",
			Pairing: true, Measures: p.measures, Documents: p.documents, Agenda: p.agenda, Production: "https://service.example",
			Pilot: "http", URL: "http://127.0.0.1:8080/etalon", ClientID: "etalon-candidate", Callback: "http://127.0.0.1:8080/mes/callback",
			Replace: true,
		})
	}
	return nil, fmt.Errorf("there is no model %q: %s are known", name, strings.Join(Presets(), ", "))
}

// fill writes the model of a manifest with answers in it.
func fill(a answers) ([]byte, error) {
	var text bytes.Buffer
	t, err := template.New("init").Funcs(template.FuncMap{"quote": doubleQuoted}).Parse(initTemplate)
	if err != nil {
		return nil, fmt.Errorf("read the model of manifests: %w", err)
	}
	if err := t.Execute(&text, a); err != nil {
		return nil, fmt.Errorf("write the manifest: %w", err)
	}
	return text.Bytes(), nil
}
