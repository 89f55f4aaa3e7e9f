package words

import (
	"strconv"
	"strings"

	"github.com/etalon-sante/etalon/reports"
)

// Itoa writes a number in digits.
func Itoa(n int) string { return strconv.Itoa(n) }

// Themes lists the themes in the order in which they are shown.
func Themes() []string { return []string{"interop", "security", "ethics", "governance"} }

// names holds what codes are called; a code without a name is shown as it is.
func names() map[string]reports.Text {
	return map[string]reports.Text{
		"theme:interop":    {FR: "Interopérabilité", EN: "Interoperability"},
		"theme:security":   {FR: "Sécurité", EN: "Security"},
		"theme:ethics":     {FR: "Éthique", EN: "Ethics"},
		"theme:governance": {FR: "Gouvernance", EN: "Governance"},

		"family:technical":    {FR: "technique", EN: "technical"},
		"family:urbanisation": {FR: "urbanisation", EN: "urbanisation"},
		"family:ethics":       {FR: "éthique", EN: "ethics"},
		"family:security":     {FR: "sécurité", EN: "security"},
		"family:content":      {FR: "qualité des contenus", EN: "quality of content"},

		"level:mandatory":   {FR: "obligatoire", EN: "mandatory"},
		"level:recommended": {FR: "recommandée", EN: "recommended"},
		"level:informative": {FR: "informative", EN: "informative"},
		"level:unknown":     {FR: "niveau non connu", EN: "level not known"},

		"basis:stated":  {FR: "écrit dans la source", EN: "stated by the source"},
		"basis:derived": {FR: "déduit de la source", EN: "derived from the source"},
		"basis:assumed": {FR: "supposé par Étalon", EN: "assumed by Étalon"},

		"rests:stated":  {FR: "écrit", EN: "stated"},
		"rests:derived": {FR: "déduit", EN: "derived"},
		"rests:assumed": {FR: "supposé", EN: "assumed"},

		"picture:page":    {FR: "La page", EN: "The page"},
		"picture:banner":  {FR: "La demande de choix", EN: "The question"},
		"picture:element": {FR: "L’élément en cause", EN: "The element concerned"},
		"picture:focus":   {FR: "Où est le clavier", EN: "Where the keyboard is"},
		"picture:narrow":  {FR: "La page, étroite", EN: "The page, narrow"},
		"picture:zoom":    {FR: "La page, agrandie", EN: "The page, enlarged"},
		"picture:spaced":  {FR: "La page, texte espacé", EN: "The page, text spaced out"},

		"verification:automatic": {FR: "automatique", EN: "automatic"},
		"verification:assisted":  {FR: "assistée par une personne", EN: "assisted by a person"},
		"verification:declared":  {FR: "sur déclaration", EN: "by declaration"},
		"verification:excluded":  {FR: "aucune ici", EN: "none here"},

		"witness:sandbox":   {FR: "vu par le bac à sable", EN: "seen by the sandbox"},
		"witness:candidate": {FR: "sur la parole du service", EN: "on the service's word"},
		"witness:harness":   {FR: "vu de l'extérieur par le banc", EN: "seen from outside by the harness"},

		"role:editor":    {FR: "éditeur", EN: "editor"},
		"role:host":      {FR: "hébergeur d'un bac à sable", EN: "host of a sandbox"},
		"role:authority": {FR: "autorité", EN: "authority"},

		"saw:sandbox":   {FR: "bac à sable", EN: "sandbox"},
		"saw:candidate": {FR: "parole du service", EN: "the service's word"},
		"saw:harness":   {FR: "vu de l'extérieur", EN: "from outside"},

		"kind:company":       {FR: "société", EN: "company"},
		"kind:association":   {FR: "association", EN: "association"},
		"kind:public":        {FR: "organisme public", EN: "public body"},
		"kind:establishment": {FR: "établissement", EN: "establishment"},
		"kind:group":         {FR: "groupement", EN: "group"},
		"kind:sole-trader":   {FR: "entreprise individuelle", EN: "sole trader"},

		"category:booking":      {FR: "prise de rendez-vous", EN: "booking"},
		"category:telemedicine": {FR: "télémédecine", EN: "telemedicine"},
		"category:portal":       {FR: "portail", EN: "portal"},
		"category:app":          {FR: "application", EN: "application"},
		"category:device":       {FR: "objet connecté", EN: "connected device"},
		"category:information":  {FR: "information", EN: "information"},

		"claim:measures":  {FR: "mesures de santé", EN: "measures"},
		"claim:documents": {FR: "documents", EN: "documents"},
		"claim:agenda":    {FR: "agenda", EN: "agenda"},
		"claim:read":      {FR: "lecture", EN: "read"},
		"claim:write":     {FR: "écriture", EN: "write"},

		"form:embedded":  {FR: "intégré au banc", EN: "embedded in the harness"},
		"form:container": {FR: "en conteneur", EN: "in a container"},
		"form:remote":    {FR: "distant", EN: "remote"},

		"party:candidate": {FR: "le service", EN: "the service"},
		"party:sandbox":   {FR: "le bac à sable", EN: "the sandbox"},
		"party:visitor":   {FR: "le navigateur du patient", EN: "the patient's browser"},
		"party:harness":   {FR: "le banc d'essai", EN: "the harness"},
		"party:third":     {FR: "un tiers", EN: "a third party"},

		"note:doctor":  {FR: "Doute du diagnostic", EN: "Doubt of the doctor"},
		"note:missing": {FR: "Non exécuté", EN: "Could not run"},
		"note:limit":   {FR: "Limite", EN: "Limit"},

		"chapter:pairing":         {FR: "Appariement", EN: "Pairing"},
		"chapter:measures-feed":   {FR: "Mesures : alimentation", EN: "Measures: feeding"},
		"chapter:measures-search": {FR: "Mesures : lecture", EN: "Measures: reading"},
		"chapter:documents":       {FR: "Documents", EN: "Documents"},
		"chapter:agenda":          {FR: "Agenda", EN: "Agenda"},
		"chapter:consent":         {FR: "Consentement", EN: "Consent"},
		"chapter:transport":       {FR: "Connexions chiffrées", EN: "Encrypted connections"},
		"chapter:web":             {FR: "Pages et en-têtes web", EN: "Web pages and headers"},
		"chapter:pilot":           {FR: "Pilote d'essai", EN: "Test pilot"},
		"chapter:doctrine":        {FR: "Doctrine des échanges", EN: "Doctrine of exchanges"},
		"chapter:cookies":         {FR: "Cookies", EN: "Cookies"},
		"chapter:accessibility":   {FR: "Accessibilité", EN: "Accessibility"},
		"chapter:transparency":    {FR: "Transparence", EN: "Transparency"},
		"chapter:declared":        {FR: "Sur déclaration", EN: "By declaration"},
	}
}

// Name returns what a code is called: Name("theme", "interop").
func (l Lang) Name(kind, code string) string {
	if t, ok := names()[kind+":"+code]; ok {
		return l.Of(t)
	}
	if kind == "chapter" && code != "" {
		return Capital(strings.ReplaceAll(code, "-", " "))
	}
	return code
}

// Witness says who saw the exchanges of a run, and what that is worth.
func (l Lang) Witness(w string) string {
	switch w {
	case reports.WitnessEditor, "":
		return l.Pick("aucun témoin extérieur : la campagne s'est déroulée chez l'éditeur", "no outside witness: the run took place at the editor's")
	case reports.WitnessHost:
		return l.Pick("un bac à sable hébergé par un tiers a vu et gardé les échanges", "a sandbox hosted by a third party saw and kept the exchanges")
	}
	return w
}

// Independent is the honest line of every page.
func (l Lang) Independent() string {
	return l.Pick(
		"Étalon est un banc d'essai indépendant. Sa numérotation est la sienne. Ce rapport n'est ni un outil ni une décision de l'ANS, de la Cnam ou du ministère.",
		"Étalon is an independent harness. Its numbering is its own. This report is neither a tool nor a decision of ANS, Cnam or the ministry.")
}

// Term is one line of the glossary.
type Term struct{ Word, Meaning string }

// Glossary spells out the words of the field.
func (l Lang) Glossary() []Term {
	type row struct{ wordFR, wordEN, fr, en string }
	rows := []row{
		{"appariement", "pairing (appariement)", "lien, voulu par le patient, entre son compte dans un service et son dossier Mon espace santé.", "link, wanted by the patient, between an account in a service and the patient's Mon espace santé record."},
		{"bac à sable", "sandbox", "copie d'essai des interfaces de Mon espace santé, avec des patients fictifs.", "trial copy of the Mon espace santé interfaces, with made-up patients."},
		{"CGU", "CGU", "conditions générales d'utilisation.", "terms of use."},
		{"CI-SIS", "CI-SIS", "cadre d'interopérabilité des systèmes d'information de santé.", "French interoperability framework for health information systems."},
		{"constat", "finding", "une chose vue, et qui n'est pas comme exigé.", "one thing seen that is not as required."},
		{"DMP", "DMP", "dossier médical partagé.", "shared medical record."},
		{"finalité", "finalité (purpose)", "but légal d'un échange de données : prévention, diagnostic, soins, suivi social ou médico-social.", "legal purpose of an exchange of data: prevention, diagnosis, care, social or medico-social follow-up."},
		{"HDS", "HDS", "hébergement de données de santé.", "hosting of health data."},
		{"hypothèse", "assumption", "valeur que le banc a dû supposer, faute de texte public ; un réglage permet de la corriger.", "value that the harness had to assume for want of a public text; a setting corrects it."},
		{"idPe", "idPe", "identifiant de l'usager échangé avec le service apparié.", "identifier of the user exchanged with the paired service."},
		{"INS", "INS", "identité nationale de santé.", "national health identity."},
		{"MSSanté", "MSSanté", "messageries sécurisées de santé.", "secure health messaging."},
		{"occasion", "occasion", "évènement sans lequel rien ne peut être jugé.", "event without which nothing can be judged."},
		{"PGSSI-S", "PGSSI-S", "politique générale de sécurité des systèmes d'information de santé.", "general security policy of health information systems."},
		{"RGAA", "RGAA", "référentiel général d'amélioration de l'accessibilité.", "French accessibility guidelines."},
		{"scénario", "scenario", "suite d'actions que le banc fait faire au service.", "series of actions that the harness makes the service perform."},
	}
	terms := make([]Term, len(rows))
	for i, r := range rows {
		terms[i] = Term{l.Pick(r.wordFR, r.wordEN), l.Pick(r.fr, r.en)}
	}
	return terms
}
