package pilot

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/etalon-sante/etalon/suites/candidate"
)

// title names an action for a person.
func (m *Manual) title(a candidate.Action) string {
	switch a {
	case candidate.Configure:
		return m.in("régler le service sur le bac à sable", "point the service at the sandbox")
	case candidate.Pair:
		return m.in("apparier le patient", "pair the patient")
	case candidate.Unpair:
		return m.in("désapparier le patient depuis le service", "un-pair the patient from the service")
	case candidate.SendMeasure:
		return m.in("alimenter une mesure", "feed a measure")
	case candidate.ReadMeasures:
		return m.in("consulter des mesures", "read measures")
	case candidate.SendDocument:
		return m.in("alimenter un document", "feed a document")
	case candidate.SearchDocuments:
		return m.in("rechercher des documents", "search for documents")
	case candidate.ReadDocument:
		return m.in("récupérer un document", "retrieve a document")
	case candidate.SendAppointment:
		return m.in("ajouter à l'agenda", "add to the agenda")
	case candidate.UpdateAppointment:
		return m.in("modifier ou annuler dans l'agenda", "change or cancel in the agenda")
	case candidate.ReadAppointments:
		return m.in("consulter l'agenda", "read the agenda")
	case candidate.Callback:
		return m.in("ouvrir l'application au retour", "open the application on the way back")
	case candidate.Status:
		return m.in("dire ce que montre le service", "say what the service shows")
	}
	return string(a)
}

// steps says what to do. A payload that does not have the shape of the contract
// is shown as it is: it is ours, and a person can still read it.
func (m *Manual) steps(a candidate.Action, payload json.RawMessage) []string {
	switch a {
	case candidate.Configure:
		return m.configureSteps(payload)
	case candidate.Pair:
		return []string{
			m.in("Dans votre service, avec ce compte, lancez l'appariement à Mon espace santé.", "In your service, with this account, start the pairing with Mon espace santé."),
			m.in("Connectez-vous au bac à sable avec l'identifiant ci-dessus et acceptez toutes les finalités, sauf consigne contraire.", "Sign in to the sandbox with the login above and agree to every purpose, unless told otherwise."),
			m.in("Ou collez ici le lien que votre service ouvrirait : le banc fera le reste.", "Or paste here the link that your service would open: the harness does the rest."),
		}
	case candidate.Unpair:
		return []string{m.in("Dans votre service, mettez fin à l'appariement de ce compte.", "In your service, end the pairing of this account.")}
	case candidate.SendMeasure:
		return m.measureSteps(payload)
	case candidate.ReadMeasures:
		return []string{m.in("Dans votre service, consultez les mesures reçues de Mon espace santé :", "In your service, look at the measures received from Mon espace santé:"), m.selection(payload)}
	case candidate.SendDocument:
		return m.documentSteps(payload)
	case candidate.SearchDocuments:
		return []string{m.in("Dans votre service, affichez les documents de Mon espace santé :", "In your service, list the documents of Mon espace santé:"), m.selection(payload)}
	case candidate.ReadDocument:
		var p struct{ ID string }
		_ = json.Unmarshal(payload, &p)
		return []string{fmt.Sprintf(m.in("Dans votre service, téléchargez le document « %s ».", "In your service, download the document \"%s\"."), p.ID)}
	case candidate.Callback:
		var p struct{ URL string }
		_ = json.Unmarshal(payload, &p)
		return []string{m.in("Ouvrez cette adresse sur le téléphone, pour que votre application la reçoive :", "Open this address on the phone, so that your application receives it:"), "  " + p.URL}
	case candidate.SendAppointment:
		return m.appointmentSteps(payload)
	case candidate.UpdateAppointment:
		return m.changeSteps(payload)
	case candidate.ReadAppointments:
		return []string{m.in("Dans votre service, affichez l'agenda de Mon espace santé :", "In your service, show the agenda of Mon espace santé:"), m.selection(payload)}
	case candidate.Status:
		return []string{m.in("Regardez ce que votre service affiche à ce patient.", "Look at what your service shows this patient.")}
	}
	return []string{string(payload)}
}

func (m *Manual) configureSteps(payload json.RawMessage) []string {
	var p struct {
		MES struct {
			Endpoints  map[string]string
			Client     struct{ ID, Secret, Key, KeyID, Certificate string }
			ClientAuth string
			OID        string
			CA         string
		}
	}
	_ = json.Unmarshal(payload, &p)
	out := []string{m.in("Reportez ces valeurs dans la configuration de votre service, puis redémarrez-le si besoin :", "Put these values into the configuration of your service, then restart it if needed:")}
	for _, name := range []string{"issuer", "authorization", "token", "revocation", "jwks", "fhir", "idTokenHeader"} {
		if v := p.MES.Endpoints[name]; v != "" {
			out = append(out, "  "+name+" = "+v)
		}
	}
	for _, pair := range [][2]string{{"client_id", p.MES.Client.ID}, {"client_secret", p.MES.Client.Secret}, {"client_auth", p.MES.ClientAuth}, {"oid", p.MES.OID}} {
		if pair[1] != "" {
			out = append(out, "  "+pair[0]+" = "+pair[1])
		}
	}
	for _, pair := range [][2]string{{"client_key", p.MES.Client.Key}, {"client_key_id", p.MES.Client.KeyID}, {"client_certificate", p.MES.Client.Certificate}} {
		if pair[1] != "" {
			out = append(out, "  "+pair[0]+" =\n"+pair[1])
		}
	}
	if p.MES.CA != "" {
		out = append(out, m.in("Autorité de certification à laquelle se fier :", "Certification authority to trust:")+"\n"+p.MES.CA)
	}
	return out
}

func (m *Manual) measureSteps(payload json.RawMessage) []string {
	var p struct {
		Measure struct {
			Kind, Unit, At, Moment, Method string
			Value                          *float64
			Components                     struct{ Systolic, Diastolic *float64 }
			Days                           int
			Device                         *struct{ Kind, ID, Manufacturer, Model string }
		}
	}
	if json.Unmarshal(payload, &p) != nil || p.Measure.Kind == "" {
		return []string{string(payload)}
	}
	what := m.kind(p.Measure.Kind)
	switch {
	case p.Measure.Components.Systolic != nil && p.Measure.Components.Diastolic != nil:
		what += fmt.Sprintf(" %s/%s %s", number(*p.Measure.Components.Systolic), number(*p.Measure.Components.Diastolic), p.Measure.Unit)
	case p.Measure.Value != nil:
		what += " " + number(*p.Measure.Value) + " " + p.Measure.Unit
	}
	out := []string{fmt.Sprintf(m.in("Dans votre service, saisissez : %s, le %s.", "In your service, enter: %s, on %s."), strings.TrimSpace(what), m.instant(p.Measure.At))}
	if p.Measure.Moment != "" {
		out = append(out, m.in("moment : ", "moment: ")+p.Measure.Moment)
	}
	if p.Measure.Days > 0 {
		out = append(out, fmt.Sprintf(m.in("sur %d jours", "over %d days"), p.Measure.Days))
	}
	if p.Measure.Method != "" {
		out = append(out, m.in("méthode : ", "method: ")+p.Measure.Method)
	}
	if d := p.Measure.Device; d != nil {
		out = append(out, fmt.Sprintf(m.in("mesure faite par un appareil : %s %s %s, n° %s", "measured by a device: %s %s %s, no. %s"), d.Kind, d.Manufacturer, d.Model, d.ID))
	}
	return append(out, m.in("Faites-la envoyer à Mon espace santé.", "Have it sent to Mon espace santé."))
}

func (m *Manual) documentSteps(payload json.RawMessage) []string {
	var p struct {
		Document struct{ Title, Category, ContentType, Content string }
	}
	if json.Unmarshal(payload, &p) != nil {
		return []string{string(payload)}
	}
	out := []string{fmt.Sprintf(m.in("Dans votre service, envoyez à Mon espace santé un document « %s », catégorie %s, type %s.", "In your service, send Mon espace santé a document \"%s\", category %s, type %s."), p.Document.Title, p.Document.Category, p.Document.ContentType)}
	if raw, err := base64.StdEncoding.DecodeString(p.Document.Content); err == nil && len(raw) > 0 {
		out = append(out, fmt.Sprintf(m.in("(le banc propose un contenu de %d octets ; tout contenu de ce type convient)", "(the harness suggests %d bytes; any content of this type will do)"), len(raw)))
	}
	return out
}

func (m *Manual) selection(payload json.RawMessage) string {
	var p struct {
		Kind, Category, From, To string
		Last                     bool
	}
	_ = json.Unmarshal(payload, &p)
	parts := []string{}
	if p.Kind != "" {
		parts = append(parts, m.kind(p.Kind))
	}
	if p.Category != "" {
		parts = append(parts, m.in("catégorie ", "category ")+p.Category)
	}
	if p.From != "" {
		parts = append(parts, m.in("à partir du ", "from ")+m.instant(p.From))
	}
	if p.To != "" {
		parts = append(parts, m.in("jusqu'au ", "until ")+m.instant(p.To))
	}
	if p.Last {
		parts = append(parts, m.in("la dernière seulement", "the last one only"))
	}
	if len(parts) == 0 {
		return m.in("tout", "everything")
	}
	return strings.Join(parts, ", ")
}

func (m *Manual) kind(kind string) string {
	if m.o.Lang != "fr" {
		return strings.ReplaceAll(kind, "-", " ")
	}
	names := map[string]string{
		"weight": "poids", "height": "taille", "blood-pressure": "pression artérielle", "temperature": "température",
		"glucose": "glycémie", "hba1c": "hémoglobine glyquée", "interstitial-glucose": "glucose interstitiel",
		"gmi": "indicateur de gestion de la glycémie", "pain": "douleur", "steps": "nombre de pas", "waist": "tour de taille",
		"head": "périmètre crânien", "heart-rate": "fréquence cardiaque", "bmi": "indice de masse corporelle",
	}
	if name, ok := names[kind]; ok {
		return name
	}
	return kind
}

// instant writes an instant as people read it, with its offset kept.
func (m *Manual) instant(s string) string {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return s
	}
	if m.o.Lang == "fr" {
		return t.Format("02/01/2006 à 15:04:05 (UTC-07:00)")
	}
	return t.Format("2 January 2006 at 15:04:05 (UTC-07:00)")
}

func number(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

// observed asks what the service shows, in the form of the contract's data. It
// is nil for actions that have none.
func (m *Manual) observed(ctx context.Context, call candidate.Call, payload json.RawMessage) (json.RawMessage, error) {
	var data map[string]any
	switch call.Action {
	case candidate.Status:
		paired, err := m.yes(ctx, call, m.in("Le service dit-il ce compte apparié ?", "Does the service say that this account is paired?"))
		if err != nil {
			return nil, err
		}
		offers, err := m.yes(ctx, call, m.in("Propose-t-il l'appariement ?", "Does it offer the pairing?"))
		if err != nil {
			return nil, err
		}
		last, err := m.ask(ctx, call, m.in("Message d'erreur affiché au patient (vide s'il n'y en a pas) :", "Error message shown to the patient (empty when there is none):"))
		if err != nil {
			return nil, err
		}
		data = map[string]any{"paired": paired, "offersPairing": offers, "lastError": short(last, maxMessage)}
	case candidate.Configure:
		uris, err := m.list(ctx, call, m.in("Adresses de retour enregistrées pour votre service, une par ligne, ligne vide pour finir :", "Redirect addresses of your service, one a line, an empty line ends:"), func(line string) (any, error) {
			if checkOpen(line) != nil {
				return nil, m.again(m.in("une adresse complète, http:// ou https://", "a whole address, http:// or https://"))
			}
			return line, nil
		})
		if err != nil {
			return nil, err
		}
		data = map[string]any{"redirectUris": uris}
	case candidate.ReadMeasures:
		var p struct{ Kind string }
		_ = json.Unmarshal(payload, &p)
		measures, err := m.list(ctx, call, m.in("Mesures affichées, une par ligne : valeur unité date (72,5 kg 2026-11-22T08:30:00+01:00), ligne vide pour finir :", "Measures shown, one a line: value unit date (72.5 kg 2026-11-22T08:30:00+01:00), an empty line ends:"), func(line string) (any, error) { return m.measure(p.Kind, line) })
		if err != nil {
			return nil, err
		}
		data = map[string]any{"measures": measures}
	case candidate.SearchDocuments:
		documents, err := m.list(ctx, call, m.in("Titres affichés, un par ligne, ligne vide pour finir :", "Titles shown, one a line, an empty line ends:"), func(line string) (any, error) {
			// A person sees no technical id: the title serves as one.
			return map[string]any{"id": line, "title": line}, nil
		})
		if err != nil {
			return nil, err
		}
		data = map[string]any{"documents": documents}
	case candidate.ReadAppointments:
		shown, err := m.appointments(ctx, call)
		if err != nil {
			return nil, err
		}
		data = map[string]any{"appointments": shown}
	case candidate.ReadDocument:
		content, err := m.file(ctx, call)
		if err != nil {
			return nil, err
		}
		data = map[string]any{"content": base64.StdEncoding.EncodeToString(content)}
	default:
		return nil, nil
	}
	raw, err := json.Marshal(data)
	if err != nil {
		return nil, fmt.Errorf("action %s: write what was observed: %w", call.Action, err)
	}
	return raw, nil
}

func (m *Manual) again(expected string) error {
	return fmt.Errorf("%s%s: %w", m.in("attendu : ", "expected "), expected, errNotUnderstood)
}

// measure reads "72,5 kg 2026-11-22T08:30:00+01:00", or "120/80 mm[Hg] …".
func (m *Manual) measure(kind, line string) (any, error) {
	fields := strings.Fields(line)
	if len(fields) != 3 {
		return nil, m.again(m.in("valeur unité date", "value unit date"))
	}
	if _, err := time.Parse(time.RFC3339, fields[2]); err != nil {
		return nil, m.again(m.in("une date comme 2026-11-22T08:30:00+01:00", "a date such as 2026-11-22T08:30:00+01:00"))
	}
	out := map[string]any{"kind": kind, "unit": fields[1], "at": fields[2]}
	values := []float64{}
	for _, part := range strings.Split(strings.ReplaceAll(fields[0], ",", "."), "/") {
		v, err := strconv.ParseFloat(part, 64)
		if err != nil || v > 1e9 || v < -1e9 || v != v {
			return nil, m.again(m.in("un nombre en tête", "a number first"))
		}
		values = append(values, v)
	}
	switch len(values) {
	case 1:
		out["value"] = values[0]
	case 2:
		out["components"] = map[string]any{"systolic": values[0], "diastolic": values[1]}
	default:
		return nil, m.again(m.in("un ou deux nombres", "one or two numbers"))
	}
	return out, nil
}

// file asks for the downloaded document until it can be read. Beyond 8 MiB it
// cannot be one of the sandbox's, which are of 5,000,000 bytes at most.
func (m *Manual) file(ctx context.Context, call candidate.Call) ([]byte, error) {
	const most = 8 << 20
	for {
		path, err := m.ask(ctx, call, m.in("Chemin du fichier téléchargé (s pour arrêter) :", "Path of the downloaded file (s to stop):"))
		if err != nil {
			return nil, err
		}
		if strings.EqualFold(path, "s") {
			return nil, ErrStopped
		}
		raw, err := readRegular(path, most)
		if err == nil {
			return raw, nil
		}
		m.say("   ? %s", err)
	}
}

func readRegular(path string, most int64) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("not a regular file")
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	raw, err := io.ReadAll(io.LimitReader(file, most+1))
	if err == nil && int64(len(raw)) > most {
		return nil, fmt.Errorf("more than %d bytes", most)
	}
	return raw, err
}
