package wording

import (
	"strconv"
	"strings"
)

// What texts must say besides the clause, as tables. A stem is the beginning of a
// folded word; see HasAny.

// Director is the director of the publication.
func Director() Subject {
	return Subject{
		Context: true,
		Says: []Pattern{
			{{"directeur de la publication", "directrice de la publication", "directeur de publication", "directrice de publication", "responsable de la publication", "responsable de publication", "directeurs de la publication", "codirect"}},
		},
		Denies: []Pattern{{{"directeur", "directrice", "responsable"}, {"publication"}, {"non designe", "n'est pas designe", "aucun", "a completer", "[", "xxx"}}},
	}
}

// Controller is who decides of the processing.
func Controller() Subject {
	return Subject{Context: true, Says: []Pattern{{{"responsable du traitement", "responsable de traitement", "responsable des traitements", "responsables de traitement", "responsables du traitement", "responsable conjoint", "responsables conjoints"}}}}
}

// Officer is the data protection officer, with a way to reach him.
func Officer() Subject {
	officer := []string{"delegue a la protection", "deleguee a la protection", "delegue(e) a la protection", "delegue·e a la protection", "delegues a la protection", "dpo_", "dpd_", "data protection officer"}
	return Subject{
		Span: 3, Context: true,
		Says: []Pattern{{officer, {"*@", "[at]", "adresse", "courrier", "courriel", "formulaire", "par ecrit", "telephone", "ecrire", "contacter"}}},
		Denies: []Pattern{
			{officer, {"n'a pas designe", "n'avons pas designe", "pas de delegue", "aucun delegue", "n'est pas tenu", "n'a pas ete designe", "pas encore", "aucun dpo_", "pas de dpo_"}},
		},
	}
}

// Purposes are what data serves.
func Purposes() Subject {
	return Subject{Context: true, Says: []Pattern{
		{{"finalite"}},
		{{"donnees", "informations", "elles_"}, {"servent a", "sert a", "utilisees pour", "utilisees afin", "utilisons", "traitees pour", "traitees afin", "collectees pour", "collectees afin", "collectons"}},
		{{"a quoi servent", "pourquoi nous", "pourquoi utilisons", "objet du traitement", "objectifs du traitement", "objectif du traitement"}},
	}}
}

// Recipients are those whom data is given to.
func Recipients() Subject {
	return Subject{Context: true, Says: []Pattern{
		{{"destinataire"}},
		{{"sous-traitant", "prestataire", "partenaire", "tiers_"}, {"donnees", "informations", "acces", "transmi", "communiqu"}},
		{{"donnees", "informations"}, {"transmises", "communiquees", "partagees", "accessibles", "partageons", "transmettons", "communiquons"}},
	}}
}

// Retention is how long data is kept; with a duration in figures or words.
func Retention() Subject {
	return Subject{
		Context: true,
		Says:    []Pattern{retention()},
		Also:    HasDuration,
	}
}

// RetentionVague is the same without a duration.
func RetentionVague() Subject {
	return Subject{Says: []Pattern{{{"conserv", "duree", "archiv", "gardons", "gardees"}, {"donnees", "conserv", "informations", "compte", "elles", "journaux", "traces", "cookies"}}}}
}

func retention() Pattern {
	return Pattern{{"conserv", "duree", "archiv", "supprim", "effac", "detrui", "gardons", "gardees"}, {"donnees", "conserv", "informations", "compte", "elles", "journaux", "traces", "cookies"}}
}

// HasDuration says whether a folded text holds a duration: "trois ans", "13 mois".
func HasDuration(folded string) bool {
	numbers := []string{"un", "une", "deux", "trois", "quatre", "cinq", "six", "sept", "huit", "neuf", "dix", "douze", "treize", "quinze", "dix-huit", "vingt", "vingt-quatre", "vingt-cinq", "trente", "soixante", "quatre-vingt-dix", "cent"}
	units := []string{"an", "ans", "annee", "annees", "mois", "jour", "jours", "semaine", "semaines", "heures"}
	w := strings.FieldsFunc(folded, func(c rune) bool { return !(c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-') })
	for i := 1; i < len(w); i++ {
		if !contains(units, w[i]) {
			continue
		}
		before := w[i-1]
		if i > 1 && (strings.Trim(before, "0123456789") != "") && !contains(numbers, before) {
			before = w[i-2] // "vingt-quatre (24) mois" is read, and "3 derniers mois" too
		}
		if n, err := strconv.Atoi(before); err == nil && n > 0 && n < 2000 || contains(numbers, before) {
			return true
		}
	}
	return false
}

func contains(all []string, s string) bool {
	for _, x := range all {
		if x == s {
			return true
		}
	}
	return false
}

// Right is one of the rights over one's data.
type Right struct {
	FR, EN  string
	Subject Subject
}

// Rights are those that people are to be told of; the first three hold for every
// processing that rests on consent, contract or law.
func Rights() []Right {
	of := func(stems ...string) Subject {
		return Subject{Context: true, Says: []Pattern{{stems, {"droit", "pouvez", "demande", "possib", "donnees", "informations"}}}}
	}
	return []Right{
		{"accès", "access", of("acceder", "acces_", "d'acces", "consulter", "obtenir une copie")},
		{"rectification", "rectification", of("rectifi", "corriger", "correction", "mettre a jour vos")},
		{"effacement", "erasure", of("effac", "suppress", "supprimer", "l'oubli")},
		{"limitation", "restriction", of("limitation", "limiter le traitement", "limiter l'")},
		{"opposition", "objection", of("opposition", "opposer", "d'opposition")},
		{"portabilité", "portability", of("portabilite", "emporter", "recuperer vos donnees", "format structure")},
	}
}

// Complaint is the complaint to the CNIL.
func Complaint() Subject {
	return Subject{
		Span: 2,
		Says: []Pattern{{{"cnil_", "commission nationale de l'informatique", "autorite de controle"}, {"reclamation", "plainte", "saisir", "adresser", "introduire", "deposer", "contacter", "recours", "cnil.fr"}}},
	}
}

// Changes is what is said of changes of the terms.
func Changes() Subject {
	change := []string{"modif", "evolu", "changement", "mise a jour", "mises a jour", "reviser", "nouvelle version"}
	terms := []string{"condition", "cgu_", "cgvu_", "presentes_", "present document", "texte", "elles_", "version"}
	told := []string{"informe_", "informes_", "informer", "informee", "informera", "informons", "prevenu", "preven", "notifi", "averti", "preavis", "prealable", "au moins", "jours avant", "mois avant", "annonc", "portees a la connaissance", "portee a la connaissance"}
	return Subject{
		Span: 2,
		Says: []Pattern{{change, terms, told}},
		Denies: []Pattern{
			{change, terms, {"sans preavis", "sans notification", "sans information", "sans prevenir", "sans en informer", "sans avis", "sans avoir a", "sans delai ni"}},
		},
	}
}

// HDS is the host of health data, said to be one.
func HDS() Subject {
	hds := []string{"hds_", "hebergeur de donnees de sante", "hebergement de donnees de sante", "hebergement des donnees de sante", "hebergeur certifie", "hebergeur agree"}
	return Subject{
		Says:   []Pattern{{hds}},
		Denies: []Pattern{{hds, {"n'est pas certifie", "ne sont pas certifie", "pas certifie", "n'est pas hds", "n'est pas un hebergeur", "aucun hebergeur", "ne dispose pas", "ne detient pas", "en cours de certification", "non certifie"}}},
	}
}

// HostCountry is where data is hosted.
func HostCountry() Subject {
	return Subject{
		Span: 2,
		Says: []Pattern{{{"heberg", "stock", "serveurs", "conservees en", "localise", "situe"}, {"france", "union europeenne", "espace economique europeen", "europe_", "allemagne", "irlande", "pays-bas", "belgique", "luxembourg", "suisse", "espagne", "italie", "finlande", "suede", "pologne", "roubaix", "gravelines", "strasbourg", "paris", "etats-unis", "royaume-uni", "canada", "singapour"}, {"donnees", "heberg", "serveurs", "site_"}}},
	}
}

// ContactForAccess is how to report what is not accessible.
func ContactForAccess() Subject {
	return Subject{
		Span: 2,
		Says: []Pattern{
			{{"contact", "signaler", "ecrire", "joindre", "courriel", "formulaire", "message"}, {"accessib", "alternative", "responsable", "orient", "defaut", "contenu"}},
		},
		Denies: []Pattern{{{"aucun contact", "pas de contact", "aucun moyen de contact"}}},
	}
}

// Remedies are what is left to who gets no answer.
func Remedies() Subject {
	return Subject{Context: true, Says: []Pattern{{{"defenseur des droits", "defenseure des droits"}}}}
}

// EcoFigures are what was measured of the footprint.
func EcoFigures() Subject {
	return Subject{
		Span: 2,
		Says: []Pattern{
			{{"mesur", "score", "ecoindex", "eco-score", "ecoscore", "empreinte", "poids", "pese", "evalu", "taux", "avancement", "consomm", "criteres"}, {"*0", "*1", "*2", "*3", "*4", "*5", "*6", "*7", "*8", "*9"}, {"ko_", "kio_", "mo_", "mio_", "*co2", "requete", "*%", "*/100", "*/ 100", "score", "kwh", "wh_", "criteres", "note_", "gramme", "*g de"}},
		},
		Denies: []Pattern{{{"aucune mesure", "n'a pas ete mesure", "n'avons pas mesure", "pas encore mesure", "pas encore ete mesure", "n'a pas encore"}}},
	}
}

// NoSubstitute is that a service does not take the place of care.
func NoSubstitute() Subject {
	care := []string{"medecin", "professionnel de sante", "professionnels de sante", "avis medical", "consultation", "diagnostic", "soignant", "prise en charge", "suivi medical", "soins", "dispositif medical"}
	return Subject{
		Says: []Pattern{
			{{"ne remplace", "ne se substitue", "ne saurait remplacer", "ne saurait se substituer", "ne peut remplacer", "ne peuvent remplacer", "ne sauraient remplacer", "ne sauraient se substituer", "ne saurait constituer", "ne constitue", "ne constituent", "ne dispense", "ne fournit pas", "ne donne pas", "ne donnent pas", "ne pose pas", "n'est pas un", "ne vaut pas", "ne valent pas", "en aucun cas", "ne doit pas remplacer", "ne doivent pas remplacer", "ne peut en aucun cas"}, care},
		},
		Denies: []Pattern{
			{{"remplace votre", "remplace la consultation", "remplace une consultation", "remplace le medecin", "remplace un medecin", "vous dispense de", "plus besoin de consulter", "plus besoin d'aller", "se substitue a votre", "plus besoin de medecin", "sans passer par un medecin"}},
		},
	}
}

// Emergency is the number to call.
func Emergency() Subject {
	return Subject{
		Context: true,
		Says: []Pattern{
			{{"15_", "112_"}, {"urgence", "samu", "appel", "compos", "secours", "vital"}},
		},
	}
}

// Emergency114 is the number for those who do not hear or speak.
func Emergency114() Subject {
	return Subject{Context: true, Says: []Pattern{{{"114_"}, {"urgence", "sourd", "malentendant", "appel", "message", "sms", "secours"}}}}
}

// ReportMistake is a way to report a mistake in a content.
func ReportMistake() Subject {
	return Subject{
		Span: 2,
		Says: []Pattern{
			{{"signal", "prevenez", "ecrivez", "dites-le"}, {"erreur", "inexact", "anomalie", "information perimee", "errone", "coquille", "contenu incorrect"}},
		},
		Denies: []Pattern{{{"signal"}, {"erreur"}, {"n'est pas possible", "impossible", "aucun moyen"}}},
	}
}

// Support is how a person of the service is reached.
func Support() Subject {
	return Subject{
		Span: 2,
		Says: []Pattern{
			{{"contact", "joindre", "joignable", "ecri", "appel", "telephone", "assistance", "support", "conseill", "service client", "aide", "repond"}, {"*@", "*01 ", "*02 ", "*03 ", "*04 ", "*05 ", "*06 ", "*07 ", "*08 ", "*09 ", "*+33", "formulaire", "*0 80", "39 "}},
		},
		Denies: []Pattern{{{"aucune assistance", "pas d'assistance", "aucun support", "ne propose pas d'assistance", "pas de service client", "ne repond pas aux"}}},
	}
}

// AINotice is that an artificial intelligence takes part.
func AINotice() Subject {
	ai := []string{"intelligence artificielle", "ia_", "modele de langage", "apprentissage automatique", "ia generative", "agent conversationnel automatise"}
	return Subject{
		Says: []Pattern{
			{ai, {"produi", "gener", "redig", "resum", "calcul", "aide", "utilis", "emplo", "propos", "recour", "repond", "suggere", "analys", "mention", "signal", "etabli", "intervien"}},
		},
		Denies: []Pattern{
			{ai, {"n'utilise", "n'utilisons", "aucune intelligence", "ne recourt", "ne recourons", "n'emploie", "n'a recours", "sans intelligence", "n'intervient", "aucune ia", "sans ia_"}},
		},
	}
}
