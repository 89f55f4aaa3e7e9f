package candidate

import (
	"bufio"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

//go:embed init.yaml.tmpl
var initTemplate string

// ErrInputEnded says that the input ended before the last question.
var ErrInputEnded = errors.New("the input ended before the last question: nothing was written; run the command again at a terminal, or start from docs/examples/minimal/candidate.yaml")

// answers are what Init asks for.
type answers struct {
	FR                            bool
	Editor, SIREN, Kind           string
	Service, Version, Category    string
	Sector                        string
	Pairing                       bool
	Measures, Documents           string // "write", "read", "both", "none"
	Production                    string
	Pilot, URL, Command, ClientID string
	Callback                      string
	// Of a preset only.
	Notes   []string // what services of this kind do
	Agenda  string   // as Measures; "" where it is not asked
	Kinds   string   // of measures, joined with commas
	Devices bool
	Replace bool // names and addresses are to be replaced
}

// Access writes a claim as a YAML list.
func (answers) Access(claim string) string {
	switch claim {
	case "both":
		return "[write, read]"
	case "none":
		return "[]"
	}
	return "[" + claim + "]"
}

// Claimed lists the kinds of data that are exchanged.
func (a answers) Claimed() []string {
	var out []string
	if a.Measures != "none" {
		out = append(out, "measures")
	}
	if a.Documents != "none" {
		out = append(out, "documents")
	}
	if a.Agenda != "" && a.Agenda != "none" {
		out = append(out, "agenda")
	}
	return out
}

// question is one thing that Init asks for.
type question struct {
	text   Text
	preset string            // taken when the line is empty
	words  []string          // the possible answers, when there are few
	check  func(string) bool // nil: any text of one line
	expect Text              // said when check refuses
	field  *string
	skip   func() bool // nil: always asked
}

// Init asks a few questions, in "fr" or "en", and returns a commented
// candidate.yaml that Read accepts once its environment variables are set. It
// returns ErrInputEnded when in ends too early.
func Init(in io.Reader, out io.Writer, lang string) ([]byte, error) {
	a := answers{FR: lang == "fr"}
	var pairing string
	yesNo := []string{"yes", "no"}
	access := []string{"write", "read", "both", "none"}
	isAddress := func(s string) bool { _, err := parseAddress(s); return err == nil }
	addressText := Text{EN: "a whole address, http:// or https://", FR: "une adresse complète, http:// ou https://"}
	questions := []question{
		{text: Text{"Name of the editor", "Nom de l'éditeur"}, field: &a.Editor},
		{text: Text{"SIREN number (nine digits)", "Numéro SIREN (neuf chiffres)"}, field: &a.SIREN, check: nineDigits, expect: Text{"nine digits", "neuf chiffres"}},
		{text: Text{"Kind of legal person", "Nature de la personne morale"}, preset: "company", words: []string{"company", "association", "public", "establishment", "group", "sole-trader"}, field: &a.Kind},
		{text: Text{"Name of the service", "Nom du service"}, field: &a.Service},
		{text: Text{"Version assessed", "Version évaluée"}, preset: "1.0.0", field: &a.Version},
		{text: Text{"Category", "Catégorie"}, preset: "app", words: []string{"booking", "telemedicine", "portal", "app", "device", "information"}, field: &a.Category},
		{text: Text{"Sector", "Secteur"}, preset: "health", words: []string{"health", "medico-social", "social", "well-being"}, field: &a.Sector},
		{text: Text{"Does the service pair its patients itself?", "Le service réalise-t-il lui-même l'appariement ?"}, preset: "yes", words: yesNo, field: &pairing},
		{text: Text{"Health measures: written to or read from Mon espace santé?", "Mesures de santé : alimentation (write), consultation (read) ?"}, preset: "write", words: access, field: &a.Measures},
		{text: Text{"Documents: written or read?", "Documents : alimentation (write), consultation (read) ?"}, preset: "none", words: access, field: &a.Documents},
		{text: Text{"Agenda (appointments, hospital stays, reminders): written or read?", "Agenda (rendez-vous, séjours hospitaliers, rappels) : alimentation (write), consultation (read) ?"}, preset: "none", words: access, field: &a.Agenda},
		{text: Text{"Address at which patients use the service", "Adresse à laquelle les patients utilisent le service"}, check: isAddress, expect: addressText, field: &a.Production},
		{text: Text{"Pilot: an http endpoint, an exec command, or manual (a person)", "Pilote : http (point d'accès), exec (commande) ou manual (une personne)"}, preset: "http", words: []string{"http", "exec", "manual"}, field: &a.Pilot},
		{text: Text{"Address of the test endpoint", "Adresse du point d'accès de test"}, preset: "http://127.0.0.1:8080/etalon", check: isAddress, expect: addressText, field: &a.URL, skip: func() bool { return a.Pilot != "http" }},
		{text: Text{"Command of the pilot (a path from this folder)", "Commande du pilote (un chemin depuis ce dossier)"}, preset: "./pilot.sh", field: &a.Command, skip: func() bool { return a.Pilot != "exec" }},
		{text: Text{"OAuth2 client id", "Identifiant client OAuth2"}, preset: "etalon-candidate", check: visible, expect: Text{"ASCII characters without space", "des caractères ASCII sans espace"}, field: &a.ClientID},
		{text: Text{"Redirect address after consent", "Adresse de retour après le consentement"}, preset: "http://127.0.0.1:8080/mes/callback", check: isAddress, expect: addressText, field: &a.Callback, skip: func() bool { return pairing != "yes" }},
	}
	lines := bufio.NewReaderSize(io.LimitReader(in, MaxManifest), 64<<10)
	for _, q := range questions {
		if q.skip != nil && q.skip() {
			continue
		}
		answer, err := q.ask(lines, out, lang)
		if err != nil {
			return nil, err
		}
		*q.field = answer
	}
	a.Pairing = pairing == "yes"
	return fill(a)
}

func (q question) ask(lines *bufio.Reader, out io.Writer, lang string) (string, error) {
	for {
		prompt := q.text.In(lang)
		if len(q.words) > 0 {
			prompt += " (" + strings.Join(q.words, ", ") + ")"
		}
		if q.preset != "" {
			prompt += " [" + q.preset + "]"
		}
		colon := ": "
		if lang == "fr" {
			colon = " : "
		}
		if _, err := io.WriteString(out, prompt+colon); err != nil {
			return "", fmt.Errorf("ask a question: %w", err)
		}
		line, err := lines.ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return "", fmt.Errorf("read an answer: %w", err)
		}
		answer := strings.TrimSpace(line)
		if errors.Is(err, io.EOF) && line == "" {
			return "", ErrInputEnded
		}
		if answer == "" {
			answer = q.preset
		}
		expected := q.refuses(answer)
		if expected == (Text{}) {
			return answer, nil
		}
		if errors.Is(err, io.EOF) {
			return "", ErrInputEnded
		}
		if lang == "fr" {
			fmt.Fprintf(out, "  attendu : %s\n", expected.FR)
		} else {
			fmt.Fprintf(out, "  expected %s\n", expected.EN)
		}
	}
}

// refuses returns what was expected, or nothing when the answer will do.
func (q question) refuses(answer string) Text {
	switch {
	case len(q.words) > 0:
		if !slices.Contains(q.words, answer) {
			list := strings.Join(q.words, ", ")
			return Text{EN: "one of " + list, FR: "l'un de " + list}
		}
	case answer == "" || len([]rune(answer)) > 200 || strings.ContainsFunc(answer, func(r rune) bool { return r < ' ' || r == 0x7f || r == 0xfffd }):
		return Text{EN: "a text of 1 to 200 characters", FR: "un texte de 1 à 200 caractères"}
	case q.check != nil && !q.check(answer):
		return q.expect
	}
	return Text{}
}

func nineDigits(s string) bool {
	return len(s) == 9 && strings.Trim(s, "0123456789") == ""
}

func visible(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' })
}

// doubleQuoted writes a text as YAML in double quotes, whatever it holds.
func doubleQuoted(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\u0085", `\N`, "\u2028", `\L`, "\u2029", `\P`, "\ufeff", `\uFEFF`).Replace(s) + `"`
}
