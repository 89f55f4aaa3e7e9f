package identity

// texts are the sentences of the pages in one language.
type texts struct {
	Banner, Switch                               string
	SignInTitle, SignInLead, Login, Password, Go string
	WrongPassword                                string
	ConsentTitle, ConsentLead, Purposes, Hint    string
	SignedIn                                     string
	Read, Write                                  string
	Accept, Refuse, NoDecision, NoFinalite       string
	RefusalTitle                                 string
	BadQuery, BadForm, Gone                      string
	UnknownClient, UnknownRedirect               string
	lifeTexts
}

func textsIn(lang string) texts {
	if lang == "en" {
		return texts{
			Banner:          "Étalon sandbox: synthetic people only. This is not Mon espace santé.",
			Switch:          "Français",
			SignInTitle:     "Sign in",
			SignInLead:      "Sign in to link your record with the service",
			Login:           "Login",
			Password:        "Password",
			Go:              "Sign in",
			WrongPassword:   "The login or the password is not right.",
			ConsentTitle:    "Your consent",
			SignedIn:        "Your account:",
			ConsentLead:     "This service asks to exchange data with your record:",
			Purposes:        "What do you agree to?",
			Hint:            "Nothing is agreed to beforehand. You may choose some and leave others.",
			Read:            "reading",
			Write:           "writing",
			Accept:          "Agree to what is ticked",
			Refuse:          "Refuse everything",
			NoDecision:      "Choose to agree or to refuse.",
			NoFinalite:      "Tick at least one line to agree, or refuse everything.",
			RefusalTitle:    "This request cannot go on",
			BadQuery:        "The address of the request cannot be read.",
			BadForm:         "The form cannot be read.",
			Gone:            "This request has ended, has expired, or was begun in another browser. Start again from the service.",
			UnknownClient:   "The service that sent you here (client_id) is not known to this space of the sandbox.",
			UnknownRedirect: "The return address (redirect_uri) is not registered for this service.",
			lifeTexts:       lifeTextsIn(lang),
		}
	}
	return texts{
		Banner:          "Bac à sable Étalon : personnes fictives seulement. Ceci n'est pas Mon espace santé.",
		Switch:          "English",
		SignInTitle:     "Connexion",
		SignInLead:      "Connectez-vous pour relier votre dossier au service",
		Login:           "Identifiant",
		Password:        "Mot de passe",
		Go:              "Se connecter",
		WrongPassword:   "L'identifiant ou le mot de passe n'est pas le bon.",
		ConsentTitle:    "Votre consentement",
		SignedIn:        "Votre compte :",
		ConsentLead:     "Ce service demande à échanger des données avec votre dossier :",
		Purposes:        "Que lui autorisez-vous ?",
		Hint:            "Rien n'est autorisé d'avance. Vous pouvez en choisir certaines et laisser les autres.",
		Read:            "lecture",
		Write:           "écriture",
		Accept:          "Autoriser ce qui est coché",
		Refuse:          "Tout refuser",
		NoDecision:      "Choisissez d'autoriser ou de refuser.",
		NoFinalite:      "Cochez au moins une ligne pour autoriser, ou refusez tout.",
		RefusalTitle:    "Cette demande ne peut pas aboutir",
		BadQuery:        "L'adresse de la demande est illisible.",
		BadForm:         "Le formulaire est illisible.",
		Gone:            "Cette demande est terminée, a expiré, ou a été commencée dans un autre navigateur. Recommencez depuis le service.",
		UnknownClient:   "Le service qui vous envoie (client_id) n'est pas connu de cet espace du bac à sable.",
		UnknownRedirect: "L'adresse de retour (redirect_uri) n'est pas déclarée pour ce service.",
		lifeTexts:       lifeTextsIn(lang),
	}
}

func textBadQuery(t texts) string        { return t.BadQuery }
func textBadForm(t texts) string         { return t.BadForm }
func textGone(t texts) string            { return t.Gone }
func textUnknownClient(t texts) string   { return t.UnknownClient }
func textUnknownRedirect(t texts) string { return t.UnknownRedirect }
