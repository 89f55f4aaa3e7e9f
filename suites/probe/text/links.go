package text

import (
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/etalon-sante/etalon/suites/wording"
)

// The roles of pages that are read. Those of the manifest have the same words.
const (
	Home          = "home"
	Legal         = "legal"
	Privacy       = "privacy"
	Terms         = "terms"
	Accessibility = "accessibility"
	Plan          = "plan" // the multi-year plan of accessibility
	Help          = "help"
	Report        = "report" // where a mistake is reported
	EcoDesign     = "ecodesign"
	AI            = "ai"
	Cookies       = "cookies"
	Content       = "content" // of health
)

// roles are the roles that are looked for, in the order in which they are read.
func roles() []string {
	return []string{Terms, Legal, Privacy, Accessibility, Plan, Help, EcoDesign, AI, Report, Cookies, Content}
}

// Roles says what a link leads to, from its words and its address; none when that
// is not plain. One page may be several things.
func Roles(label, address string) []string {
	said := wording.Fold(label)
	var out []string
	add := func(role string, is bool) {
		if is && !slices.Contains(out, role) {
			out = append(out, role)
		}
	}
	has := func(stems ...string) bool { return wording.HasAny(said, stems...) }
	plan := has("schema pluriannuel", "plan pluriannuel", "schema annuel") || has("plan d'action") && has("accessib")
	add(Plan, plan)
	add(Legal, has("mentions legales", "mention legale", "informations legales", "legal notice"))
	add(Terms, has("conditions d'utilisation", "conditions generales", "conditions d'usage", "cgu_", "cgvu_", "modalites d'utilisation", "terms of use", "terms of service") ||
		said == "conditions" || said == "cgv")
	add(Privacy, has("confidentialite", "donnees personnelles", "donnees a caractere personnel", "vie privee", "protection des donnees", "protection de vos donnees", "rgpd_", "privacy policy"))
	add(Accessibility, !plan && has("accessibilite", "accessibility statement"))
	add(Cookies, has("cookies", "traceurs"))
	add(EcoDesign, has("ecoconception", "eco-conception", "eco-conçu", "sobriete numerique", "numerique responsable", "impact environnemental", "empreinte environnementale"))
	add(AI, has("intelligence artificielle", "utilisation de l'ia_", "l'ia_ dans", "notre usage de l'ia_"))
	add(Report, has("signaler une erreur", "signaler un contenu", "signaler un probleme", "signaler une anomalie", "signaler une inexactitude"))
	add(Help, has("contact", "nous contacter", "contactez", "aide_", "assistance", "support_", "faq_", "questions frequentes", "nous joindre", "nous ecrire"))
	add(Content, has("fiches sante", "fiche sante", "conseils sante", "nos conseils", "articles sante"))
	if len(out) > 0 || strings.TrimSpace(said) != "" && len(strings.Fields(said)) > 6 {
		return out
	}
	// A link of a word that says little: its address may say more.
	u, err := url.Parse(address)
	if err != nil {
		return out
	}
	name := wording.Fold(strings.TrimSuffix(path.Base(u.Path), path.Ext(u.Path)))
	for _, n := range []struct {
		role  string
		names []string
	}{
		{Legal, []string{"mentions-legales", "mentions_legales", "legal-notice"}},
		{Terms, []string{"cgu", "conditions-generales", "conditions-generales-d-utilisation", "conditions-utilisation", "terms"}},
		{Privacy, []string{"politique-de-confidentialite", "confidentialite", "donnees-personnelles", "rgpd", "privacy", "privacy-policy"}},
		{Accessibility, []string{"accessibilite", "declaration-accessibilite", "declaration-d-accessibilite", "accessibility"}},
		{EcoDesign, []string{"ecoconception", "eco-conception"}},
		{Help, []string{"contact", "aide", "faq", "support", "help"}},
	} {
		add(n.role, slices.Contains(n.names, name))
	}
	return out
}
