package run

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/etalon-sante/etalon/sandbox/control"
	"github.com/etalon-sante/etalon/sandbox/record"
	"github.com/etalon-sante/etalon/suites/candidate"
	"github.com/etalon-sante/etalon/suites/lab"
)

// patience bounds how long the doctor waits for an effect: who examines does
// not wait as long as who judges.
const patience = 3 * time.Second

// way brings one patient through one pairing and says how far he came.
func (d *doctor) way(ctx context.Context, o Options, s *Session) error {
	if !s.Candidate.Claims.Pairing {
		return nil
	}
	l := lab.New()
	scenario := l.Scenario("doctor", "one pairing, to see whether both sides reach each other", func(ctx context.Context, st *lab.Stage) error {
		p, err := st.Patient(ctx)
		if err != nil {
			return err
		}
		return st.Pair(ctx, p, lab.Choice{})
	})
	s.Candidate.Timing.Effect = min(s.Candidate.Timing.Effect, patience)
	before := s.bench.Health.Handshakes
	var seen []record.Record
	err := s.Observe(ctx, l, []*lab.Scenario{scenario}, o.Seed, nil, func(rs []record.Record) error {
		seen = append(seen, rs...)
		return nil
	})
	if err != nil {
		return err
	}
	if err := l.Load(seen, lab.Oracle{Candidate: s.Candidate}); err != nil {
		return err
	}
	j := journeyOf(seen)
	j.end, j.space, j.candidate = l.Ending("doctor"), s.Space, s.Candidate
	if h, err := s.bench.API.Health(ctx); err == nil {
		j.handshakes = since(before, h.Handshakes)
		j.ca = caPath(s.bench, o.Sandbox)
	}
	d.tellJourney(j)
	return nil
}

// trip is what was seen of the trial pairing.
type trip struct {
	pair       *record.Pilot
	visited    *record.Exchange // last address of the service that the browser opened
	authorize  *record.Exchange
	consent    bool
	token      *record.Exchange
	end        lab.Ending
	space      control.Space
	candidate  candidate.Candidate
	handshakes []string
	ca         string
}

func journeyOf(records []record.Record) trip {
	var t trip
	for _, r := range records {
		if r.Pilot != nil && r.Pilot.Action == string(candidate.Pair) {
			t.pair = r.Pilot
		}
		x := r.Exchange
		if x == nil {
			continue
		}
		switch {
		case x.From == record.Visitor && x.To == record.Candidate:
			t.visited = x
		case x.Route == record.RouteAuthorize:
			t.authorize = x
		case x.Route == record.RouteConsent && x.Facts != nil && x.Facts.Consent != nil:
			t.consent = true
		case x.Route == record.RouteToken && (t.token == nil || t.token.Response.Status != 200):
			t.token = x
		}
	}
	return t
}

// tellJourney names the first thing that went wrong, and what to do about it.
func (d *doctor) tellJourney(t trip) {
	fail := func(name, fr, en, cureFR, cureEN string) { d.note(name, StepFailed, fr, en, cureFR, cureEN) }
	broken := strings.Join(t.handshakes, ", ")
	switch {
	case t.token != nil && t.token.Response.Status == 200:
		d.note("pairing", StepOK, "un appariement d'essai est allé jusqu'au bout, dans les deux sens", "a trial pairing went all the way, in both directions", "", "")
	case t.end.Outcome == lab.HarnessFailed:
		fail("pairing", "le banc n'a pas pu mener l'appariement d'essai : "+t.end.Why().FR, "the harness could not carry out the trial pairing: "+t.end.Reason,
			"Ce n'est pas la faute du service : relancez, puis signalez-le.", "The service is not at fault: try again, then report it.")
	case t.pair != nil && t.pair.Error != "":
		fail("pilot", "le pilote n'a pas répondu comme convenu à pair : "+plain(t.pair.Error), "the pilot did not answer pair as agreed: "+plain(t.pair.Error),
			"Corrigez ce que dit le message ; le contrat du pilote est docs/pilot.openapi.yaml.", "Mend what the message says; the pilot contract is docs/pilot.openapi.yaml.")
	case t.token == nil && broken != "":
		d.tellTrust(t, broken)
	case t.pair != nil && t.pair.Status != "done":
		fail("pairing", fmt.Sprintf("le pilote a répondu « %s » à pair%s", t.pair.Status, said(" : ", t.pair.Message, ", sans dire pourquoi")),
			fmt.Sprintf("the pilot answered %q to pair%s", t.pair.Status, said(": ", t.pair.Message, ", without saying why")),
			"Le manifeste déclare l'appariement (« claims.pairing ») : le service doit savoir le commencer.", "The manifest claims pairing (\"claims.pairing\"): the service must be able to start it.")
	case t.pair != nil && t.pair.Open == "":
		fail("pairing", "le pilote a répondu « done » à pair, mais sans lien à ouvrir", "the pilot answered \"done\" to pair, but without a link to open",
			"Donnez dans « open » un lien à usage unique qui mène à l'autorisation de Mon espace santé.", "Give in \"open\" a one-time link that leads to the authorization of Mon espace santé.")
	case t.authorize == nil:
		d.tellLink(t)
	case t.token != nil:
		d.tellToken(t.token, t.space.Client.Auth)
	case d.tellAuthorize(t):
	default:
		fail("trust", "le patient est revenu au service, mais aucune demande de jeton n'est arrivée au bac à sable", "the patient came back to the service, but no token request reached the sandbox",
			"Vérifiez que le service, à son adresse de retour, échange le code, et qu'il atteint "+t.space.Endpoints.Token+".",
			"Check that the service, at its redirect address, exchanges the code, and that it reaches "+t.space.Endpoints.Token+".")
	}
}

// tellTrust is for a service that breaks off its connections to the sandbox.
func (d *doctor) tellTrust(t trip, broken string) {
	cureFR := "Faites-lui faire confiance à l'autorité du bac à sable : la valeur « ca » de configure"
	cureEN := "Let it trust the sandbox's authority: the value \"ca\" of configure"
	if t.ca != "" {
		cureFR += ", ou le fichier " + t.ca
		cureEN += ", or the file " + t.ca
	}
	fr, en := "la connexion TLS du service au bac à sable n'a pas abouti ("+broken+")", "the service's TLS connection to the sandbox did not come about ("+broken+")"
	if strings.Contains(broken, "certificate") {
		fr = "le service a rompu sa connexion au bac à sable : il ne se fie pas à son certificat (" + broken + ")"
		en = "the service broke off its connection to the sandbox: it does not trust its certificate (" + broken + ")"
	}
	d.note("trust", StepFailed, fr, en,
		cureFR+". Il doit aussi l'appeler par le nom qu'il a dans "+t.space.Endpoints.Issuer+".",
		cureEN+". It must also call it by the name that it has in "+t.space.Endpoints.Issuer+".")
}

// tellLink is for a link that does not lead to the authorization.
func (d *doctor) tellLink(t trip) {
	if t.visited == nil {
		host := t.pair.Open
		if u, err := url.Parse(t.pair.Open); err == nil && u.Host != "" {
			host = u.Host
		}
		d.note("pairing", StepFailed,
			"le lien d'appariement mène à "+host+", que le manifeste ne nomme pas : le navigateur du patient n'y va pas",
			"the pairing link leads to "+host+", which the manifest does not name: the patient's browser does not go there",
			"Donnez cette adresse dans « web.production », ou corrigez le lien.", "Give that address in \"web.production\", or mend the link.")
		return
	}
	fr := fmt.Sprintf("le lien d'appariement n'a pas mené à l'autorisation de Mon espace santé : le navigateur s'est arrêté à %s (statut %d)", t.visited.Request.URL, t.visited.Response.Status)
	en := fmt.Sprintf("the pairing link did not lead to the authorization of Mon espace santé: the browser stopped at %s (status %d)", t.visited.Request.URL, t.visited.Response.Status)
	if t.visited.Error != "" {
		fr = "le lien d'appariement ne s'ouvre pas : " + t.visited.Error
		en = "the pairing link does not open: " + t.visited.Error
	}
	d.note("pairing", StepFailed, fr, en,
		"Ouvrez le lien dans un navigateur neuf : il doit rediriger vers "+t.space.Endpoints.Authorization+".",
		"Open the link in a fresh browser: it must redirect to "+t.space.Endpoints.Authorization+".")
}

// tellAuthorize is for an authorization request that the sandbox did not accept;
// it says whether it was that.
func (d *doctor) tellAuthorize(t trip) bool {
	f := t.authorize.Facts
	switch {
	case f != nil && f.Authorize != nil && !f.Authorize.ClientKnown:
		d.note("client", StepFailed,
			"le service s'est présenté à l'autorisation avec un identifiant de client (client_id) inconnu",
			"the service came to the authorization with an unknown client_id",
			"Le bac à sable attend « "+t.space.Client.ID+" » : faites concorder la configuration du service et « sandbox.clientId » du manifeste.",
			"The sandbox expects \""+t.space.Client.ID+"\": make the service's configuration and \"sandbox.clientId\" of the manifest agree.")
	case f != nil && f.Authorize != nil && !f.Authorize.RedirectRegistered:
		registered := strings.Join(t.space.Client.RedirectURIs, ", ")
		d.note("redirect", StepFailed,
			"le service demande que le patient revienne à « "+f.Authorize.RedirectURI+" », une adresse qui n'est pas enregistrée. Sont enregistrées : "+said("", registered, "aucune"),
			"the service asks that the patient come back to \""+f.Authorize.RedirectURI+"\", an address that is not registered. Those registered: "+said("", registered, "none"),
			"Mettez cette adresse, au caractère près, dans « sandbox.redirectUris » du manifeste ou dans la réponse à configure.",
			"Put that address, to the letter, into \"sandbox.redirectUris\" of the manifest or into the answer to configure.")
	case !t.consent:
		why := fmt.Sprintf("%d", t.authorize.Response.Status)
		if f != nil {
			for _, i := range f.Issues {
				why += " · " + i.Rule
			}
		}
		d.note("authorize", StepFailed,
			"la demande d'autorisation n'a pas été acceptée ("+why+")", "the authorization request was not accepted ("+why+")",
			"Vérifiez ses paramètres : response_type=code, scope avec openid, state, nonce, PKCE S256.", "Check its parameters: response_type=code, scope with openid, state, nonce, PKCE S256.")
	default:
		return false
	}
	return true
}

// tellToken is for a token request that was refused.
func (d *doctor) tellToken(x *record.Exchange, agreed string) {
	f := x.Facts
	switch {
	case x.Response.Status == 0:
		d.note("client", StepFailed, "la demande de jeton est restée sans réponse : "+x.Error, "the token request was not answered: "+x.Error,
			"Relancez ; si cela dure, vérifiez le réseau entre le service et le bac à sable.", "Try again; if it lasts, check the network between the service and the sandbox.")
	case f != nil && f.Token != nil && f.Token.ClientAuth != agreed:
		d.note("client", StepFailed,
			fmt.Sprintf("la demande de jeton a été refusée (%d) : le client s'authentifie par « %s », la méthode convenue est « %s »", x.Response.Status, f.Token.ClientAuth, agreed),
			fmt.Sprintf("the token request was refused (%d): the client authenticates by %q, the agreed method is %q", x.Response.Status, f.Token.ClientAuth, agreed),
			"Faites concorder la configuration du service et « sandbox.clientAuth » du manifeste.", "Make the service's configuration and \"sandbox.clientAuth\" of the manifest agree.")
	case f != nil && f.Token != nil && !f.Token.ClientOK:
		d.note("client", StepFailed,
			fmt.Sprintf("la demande de jeton a été refusée (%d) : l'identifiant ou le secret du client n'est pas le bon%s", x.Response.Status, said(" ; ", f.Token.ClientWhy, "")),
			fmt.Sprintf("the token request was refused (%d): the client's id or secret is wrong%s", x.Response.Status, said("; ", f.Token.ClientWhy, "")),
			"Faites concorder la configuration du service avec « sandbox.clientId » et « sandbox.clientSecret » du manifeste.", "Make the service's configuration agree with \"sandbox.clientId\" and \"sandbox.clientSecret\" of the manifest.")
	case f != nil && f.Token != nil && !f.Token.VerifierOK:
		d.note("pkce", StepFailed,
			fmt.Sprintf("la demande de jeton a été refusée (%d) : le vérificateur PKCE ne correspond pas au défi", x.Response.Status),
			fmt.Sprintf("the token request was refused (%d): the PKCE verifier does not match the challenge", x.Response.Status),
			"Envoyez à l'échange du code le code_verifier dont le SHA-256 a servi de code_challenge.", "Send with the code the code_verifier whose SHA-256 served as code_challenge.")
	default:
		d.note("client", StepFailed, fmt.Sprintf("la demande de jeton a été refusée (%d)", x.Response.Status), fmt.Sprintf("the token request was refused (%d)", x.Response.Status),
			"Vérifiez le code, l'adresse de retour et l'authentification du client.", "Check the code, the redirect address and the client's authentication.")
	}
}

// since is what a list of the last reasons holds that it did not before. A
// connection that is opened and left ("EOF") is no reason: probes do that.
func since(before, after []string) []string {
	fresh := after
	for n := min(len(before), len(after)); n > 0; n-- {
		if slices.Equal(before[len(before)-n:], after[:n]) {
			fresh = after[n:]
			break
		}
	}
	var out []string
	for _, r := range fresh {
		if r != "EOF" && !slices.Contains(out, r) {
			out = append(out, r)
		}
	}
	return out
}
