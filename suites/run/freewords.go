package run

import (
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/etalon-sante/etalon/reports"
	"github.com/etalon-sante/etalon/reports/words"
	"github.com/etalon-sante/etalon/sandbox/record"
)

// welcome says what to configure, as whom to sign in and what can be typed.
func (t *table) welcome() {
	t.say("\nUsage libre. Le bac à sable est ouvert : configurez le service, puis servez-vous-en à la main.\n", "\nFree use. The sandbox is open: configure the service, then use it by hand.\n")
	t.say("À configurer dans le service :%s", "To configure in the service:%s", t.session.byHand(t.session.Space.Client.Secret))
	for _, u := range t.session.Space.Client.RedirectURIs {
		fmt.Fprintf(t.o.Tell, "    %-13s %s\n", "redirect_uri", u)
	}
	if t.o.CAFile != "" {
		t.say("    Le service doit faire confiance à cette autorité : %s", "    The service must trust this authority: %s", t.o.CAFile)
	}
	t.people()
	t.help()
}

// people lists the test patients, with what signs them in to the sandbox.
func (t *table) people() {
	t.say("\nPatients d’essai (pour la page de connexion du bac à sable) :", "\nTest patients (for the sandbox's sign-in page):")
	w := tabwriter.NewWriter(t.o.Tell, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "    %s\t%s\t%s\t%s\n", t.in("nº", "no."), t.in("identifiant", "login"), t.in("mot de passe", "password"), t.in("personne", "person"))
	for i, p := range t.patients {
		fmt.Fprintf(w, "    %d\t%s\t%s\t%s %s\n", i+1, p.Login, p.Password, p.Person.GivenName, p.Person.FamilyName)
	}
	_ = w.Flush()
}

// help says what can be typed.
func (t *table) help() {
	t.say(`
À taper pour qu’il se passe quelque chose du côté de Mon espace santé (N : numéro du patient) :
    seed N               son dossier reçoit des mesures et des documents à lire
    expire N             son jeton d’accès expire
    expire-id N          son jeton d’identité est refusé (400)
    revoke N             ses jetons sont refusés désormais
    unpair N             il met fin à l’appariement
    withdraw N CODE      il retire une finalité ; grant N CODE la rend
    conflict N           l’OID ne correspond plus (409) ; resolve N y met fin
    fault N 429          le prochain envoi de mesure reçoit 429 ; fault N 422 documents 3 : trois recherches de documents
    patient              un patient de plus ; patient signature : son jeton d’identité est faux
                         (nonce, signature, audience, issuer, expired, alg-none)
    patients, checks     la liste des patients ; où en sont les vérifications
    end                  fin, comme Ctrl-C : tout est jugé et le rapport est écrit
`, `
Type to make something happen on the side of Mon espace santé (N: number of the patient):
    seed N               the record receives measures and documents to read
    expire N             the access token expires
    expire-id N          the identity token is refused (400)
    revoke N             the tokens are refused from now on
    unpair N             the patient ends the pairing
    withdraw N CODE      the patient withdraws a finalité; grant N CODE gives it back
    conflict N           the OID no longer matches (409); resolve N ends that
    fault N 429          the next measure is answered 429; fault N 422 documents 3: three searches of documents
    patient              one more patient; patient signature: with a wrong identity token
                         (nonce, signature, audience, issuer, expired, alg-none)
    patients, checks     the list of patients; where the checks stand
    end                  the end, as Ctrl-C: everything is judged and the report is written
`)
}

// tellNew says what came since the last time, a line each, and returns a channel
// that is closed when there is more.
func (t *table) tellNew() <-chan struct{} {
	all, changed := t.stage.Everything()
	for _, r := range all {
		if r.Exchange == nil || t.told[r.Exchange.ID] {
			continue
		}
		t.told[r.Exchange.ID] = true
		if line := t.sentence(r); line != "" {
			fmt.Fprintf(t.o.Tell, "%s  %s\n", r.At.Local().Format("15:04:05"), line)
		}
	}
	return changed
}

// sentence is one exchange in plain words; what the patient's browser does on
// the pages of the sandbox is left out, but for the choice he makes.
func (t *table) sentence(r record.Record) string {
	x := r.Exchange
	who := t.in("inconnu", "unknown")
	for i, p := range t.patients {
		if p.Handle == r.Patient {
			who = fmt.Sprintf("patient %d", i+1)
		}
	}
	what := ""
	switch x.Route {
	case record.RouteSignIn, record.RouteDiscovery, record.RouteJWKS:
		return ""
	case record.RouteConsent:
		if x.Facts == nil || x.Facts.Consent == nil {
			return ""
		}
		what = t.in("refuse de partager", "refuses to share")
		if x.Facts.Consent.Accepted {
			what = t.in("accepte : ", "agrees: ") + strings.Join(x.Facts.Consent.Finalites, ", ")
		}
		return who + "  " + what
	case record.RouteUnknown:
		what = x.Request.Method + " " + x.Request.URL + t.in(" : adresse inconnue du bac à sable", ": an address that the sandbox does not serve")
	default:
		what = t.deed(x)
	}
	out := fmt.Sprintf("%s  %s → %d", who, what, x.Response.Status)
	var rules []string
	if x.Facts != nil {
		for _, i := range x.Facts.Issues {
			if !strings.HasPrefix(i.Rule, "call.") { // that a token has expired is nothing to correct
				rules = append(rules, i.Rule)
			}
		}
	}
	if len(rules) > 0 {
		out += t.in("  à corriger : ", "  to correct: ") + strings.Join(rules, ", ")
	}
	if x.Fault != "" {
		out += t.in("  (panne demandée)", "  (fault asked for)")
	}
	return out
}

func (t *table) deed(x *record.Exchange) string {
	switch x.Route {
	case record.RouteAuthorize:
		return t.in("demande d’appariement", "asks to pair")
	case record.RouteToken:
		if x.Facts != nil && x.Facts.Token != nil && x.Facts.Token.GrantType == "refresh_token" {
			return t.in("renouvelle ses jetons", "refreshes its tokens")
		}
		return t.in("échange le code contre des jetons", "exchanges the code for tokens")
	case record.RouteRevoke:
		return t.in("rend un jeton", "gives a token back")
	case record.RouteFeedMeasure:
		return t.in("envoie une mesure", "sends a measure")
	case record.RouteSearchMeasures:
		return t.in("cherche des mesures", "searches measures")
	case record.RouteFeedDocument:
		return t.in("envoie un document", "sends a document")
	case record.RouteSearchDocuments:
		return t.in("cherche des documents", "searches documents")
	case record.RouteReadDocument:
		return t.in("lit un document", "reads a document")
	}
	return string(x.Route)
}

// judgeAll tells where every check stands.
func (t *table) judgeAll() error {
	all, _ := t.stage.Everything()
	report, err := Judge(Recorded{Info: t.info, Candidate: blankSecrets(t.session.Candidate), Records: all}, t.o.Register)
	if err != nil {
		return err
	}
	waiting := 0
	for _, r := range report.Results {
		for _, c := range r.Checks {
			switch {
			case c.Verdict.Observed():
				fmt.Fprintf(t.o.Tell, "    %s %s  %s%s\n", c.Verdict.Label().Shape, c.ID, c.Title.In(t.o.Lang), t.in(fmt.Sprintf(" (occasions : %d)", c.Occasions), fmt.Sprintf(" (occasions: %d)", c.Occasions)))
			case c.Verdict == reports.Untested:
				waiting++
			}
		}
	}
	t.say("    %s sans verdict ; le rapport dit quel acte les montrerait", "    %s without a verdict; the report says which act would show them", words.Itoa(waiting))
	return nil
}
