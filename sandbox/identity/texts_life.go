package identity

import (
	"github.com/etalon-sante/etalon/sandbox/control"
	"github.com/etalon-sante/etalon/sandbox/record"
)

// lifeTexts are the sentences of the pages about accounts, profiles, the states
// of a space and of the service, and the catalogue.
type lifeTexts struct {
	Partner, PartnerName, PartnerEmail, PartnerLogin, PartnerNone string
	Terms                                                         string
	Profiles, ProfilesHint, NoProfile                             string
	OwnProfile, ChildProfile, CaredForProfile                     string
	BarredTitle, Leave                                            string
	CatalogueTitle, State, Asks, Enter, NoLink, Back              string
	spaces, statuses                                              map[string]string
	barredService                                                 string
}

// barred says what stands in the way of a pairing.
func (t lifeTexts) barred(b Bar) string {
	if b.By == record.WithheldSpace {
		return t.spaces[b.State]
	}
	return t.barredService + " " + t.statuses[b.State]
}

// status says in which state the service is.
func (t lifeTexts) status(code string) string { return t.statuses[code] }

func lifeTextsIn(lang string) lifeTexts {
	if lang == "en" {
		return lifeTexts{
			Partner:      "The account of the service that will be linked:",
			PartnerName:  "Name",
			PartnerEmail: "E-mail address",
			PartnerLogin: "Login",
			PartnerNone:  "The service did not say which of its accounts will be linked.",
			Terms:        "Terms of use of the service",
			Profiles:     "Whose record will be linked?",
			ProfilesHint: "Each profile is linked on its own.",
			NoProfile:    "Choose the profile to link.",
			OwnProfile:   "myself", ChildProfile: "my child", CaredForProfile: "a person I care for",
			BarredTitle:    "Linking is not possible",
			Leave:          "Go back to the service",
			CatalogueTitle: "Catalogue of services",
			State:          "Status", Asks: "What the service may ask to exchange:", Enter: "Go to the service",
			NoLink: "The service has given no address.", Back: "Back to the catalogue",
			spaces: map[string]string{
				control.SpaceRefused:        "The opening of this space was refused by its holder. Nothing can be linked to it.",
				control.SpaceNeverActivated: "This space has not been activated. Activate it before linking a service.",
				control.SpaceClosed:         "This space was closed by its holder. Nothing can be linked to it.",
			},
			barredService: "This service cannot be linked now.",
			statuses: map[string]string{
				control.ServiceOnline:    "Online.",
				control.ServiceOffline:   "Offline for the moment.",
				control.ServiceDelisted:  "No longer listed in the catalogue.",
				control.ServicePilot:     "In a pilot phase.",
				control.ServiceSuspended: "Suspended: it can neither read nor add data. It can still be unlinked.",
			},
		}
	}
	return lifeTexts{
		Partner:      "Le compte du service qui va être relié :",
		PartnerName:  "Nom",
		PartnerEmail: "Adresse électronique",
		PartnerLogin: "Identifiant",
		PartnerNone:  "Le service n'a pas dit lequel de ses comptes va être relié.",
		Terms:        "Conditions d'utilisation du service",
		Profiles:     "Quel dossier va être relié ?",
		ProfilesHint: "Chaque profil se relie séparément.",
		NoProfile:    "Choisissez le profil à relier.",
		OwnProfile:   "moi-même", ChildProfile: "mon enfant", CaredForProfile: "une personne que j'aide",
		BarredTitle:    "Le service ne peut pas être relié",
		Leave:          "Revenir au service",
		CatalogueTitle: "Catalogue de services",
		State:          "État", Asks: "Ce que le service peut demander à échanger :", Enter: "Aller au service",
		NoLink: "Le service n'a pas indiqué d'adresse.", Back: "Retour au catalogue",
		spaces: map[string]string{
			control.SpaceRefused:        "L'ouverture de cet espace a été refusée par son titulaire. Rien ne peut y être relié.",
			control.SpaceNeverActivated: "Cet espace n'a pas été activé. Activez-le avant d'y relier un service.",
			control.SpaceClosed:         "Cet espace a été fermé par son titulaire. Rien ne peut y être relié.",
		},
		barredService: "Ce service ne peut pas être relié en ce moment.",
		statuses: map[string]string{
			control.ServiceOnline:    "En ligne.",
			control.ServiceOffline:   "Hors ligne pour le moment.",
			control.ServiceDelisted:  "Retiré du catalogue.",
			control.ServicePilot:     "En présérie.",
			control.ServiceSuspended: "Suspendu : il ne peut ni lire ni ajouter de données. Il peut toujours être délié.",
		},
	}
}
