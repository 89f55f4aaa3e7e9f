package run

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/etalon-sante/etalon/sandbox/control"
	"github.com/etalon-sante/etalon/sandbox/record"
	"github.com/etalon-sante/etalon/suites/candidate"
	"github.com/etalon-sante/etalon/suites/candidate/pilot"
	"github.com/etalon-sante/etalon/suites/lab"
)

// Step is one thing that the doctor looked at.
type Step struct {
	Name  string  `json:"step"`
	State string  `json:"state"` // ok, doubt, failed
	Text  RunText `json:"text"`
	Cure  RunText `json:"cure"` // what to do; empty when ok
}

// The states of a step.
const (
	StepOK     = "ok"
	StepDoubt  = "doubt"
	StepFailed = "failed"
)

// Examination is what the doctor found.
type Examination struct {
	Steps       []Step `json:"steps"`
	Unreachable bool   `json:"unreachable"` // no connection to the pilot
}

// Healthy says whether a run can be expected to say something about the service
// rather than about its configuration.
func (e Examination) Healthy() bool {
	for _, s := range e.Steps {
		if s.State == StepFailed {
			return false
		}
	}
	return !e.Unreachable
}

type doctor struct {
	out  Examination
	tell func(Step)
}

func (d *doctor) note(name, state, fr, en, cureFR, cureEN string) {
	s := Step{Name: name, State: state, Text: RunText{FR: fr, EN: en}, Cure: RunText{FR: cureFR, EN: cureEN}}
	d.out.Steps = append(d.out.Steps, s)
	if d.tell != nil {
		d.tell(s)
	}
}

// Examine looks at configuration and reachability, both ways: from the harness
// to the pilot, and from the candidate to the sandbox. Nothing is judged.
func Examine(ctx context.Context, o Options, tell func(Step)) (Examination, error) {
	d := &doctor{tell: tell, out: Examination{Steps: []Step{}}}
	c := o.Manifest.Candidate
	if o.Now == nil {
		o.Now = time.Now
	}
	d.note("manifest", StepOK, "le manifeste est lisible et complet", "the manifest can be read and is complete", "", "")
	if c.Start != nil {
		p, err := pilot.StartCommand(ctx, *c.Start, pilot.StartOptions{Folder: o.Manifest.Folder, Roots: o.Roots})
		if err != nil {
			d.note("start", StepFailed, "le service n'a pas démarré : "+err.Error(), "the service did not start: "+err.Error(),
				"Lancez la commande de « start.command » à la main et lisez ce qu'elle affiche.", "Run the command of \"start.command\" by hand and read what it prints.")
			d.out.Unreachable = true
			return d.out, nil
		}
		defer p.Stop()
		d.note("start", StepOK, "le service a démarré", "the service has started", "", "")
	}
	if err := Reach(ctx, c, o.Manifest.Folder); err != nil {
		d.note("pilot", StepFailed, "aucune connexion au pilote : "+err.Error(), "no connection to the pilot: "+err.Error(),
			"Démarrez le service, puis vérifiez « pilot.url » (ou « pilot.command ») dans le manifeste.", "Start the service, then check \"pilot.url\" (or \"pilot.command\") in the manifest.")
		d.out.Unreachable = true
		return d.out, nil
	}
	o.Sandbox.Listen, o.Sandbox.PublicURL = first(o.Sandbox.Listen, c.Sandbox.Listen), first(o.Sandbox.PublicURL, c.Sandbox.PublicURL)
	bench, err := OpenBench(ctx, o.Sandbox)
	if err != nil {
		return d.out, err
	}
	defer bench.Close()
	d.note("sandbox", StepOK, "le bac à sable répond : "+bench.Health.Public, "the sandbox answers: "+bench.Health.Public, "", "")
	p, release, err := pilot.New(o.Manifest, pilot.Options{Roots: o.Roots, Manual: o.Manual})
	if err != nil {
		return d.out, err
	}
	defer release()
	if c.Pilot.Kind == "manual" {
		d.note("pilot", StepOK, "les actions sont faites par une personne", "a person carries out the actions", "", "")
		return d.out, nil
	}
	session, err := OpenSession(ctx, SessionOptions{Bench: bench, Candidate: c, Secrets: o.Manifest.Secrets, Pilot: p, Roots: o.Roots, Run: "doctor-" + runID(o.Now().UTC()), Seed: o.Seed, Now: o.Now})
	var gone *UnreachableError
	switch {
	case errors.As(err, &gone):
		d.note("pilot", StepFailed, err.Error(), err.Error(), "Vérifiez « pilot.url » dans le manifeste.", "Check \"pilot.url\" in the manifest.")
		d.out.Unreachable = true
		return d.out, nil
	case err != nil:
		return d.out, err
	}
	defer session.Close(context.WithoutCancel(ctx))
	d.configuration(session)
	d.addresses(c)
	return d.out, d.way(ctx, o, session)
}

// configuration tells what configure came to.
func (d *doctor) configuration(s *Session) {
	if len(s.Notes) == 0 {
		d.note("configure", StepOK, "le pilote répond, et le service est configuré", "the pilot answers, and the service is configured", "", "")
	}
	for _, n := range s.Notes {
		d.note("configure", StepDoubt, n.Text.FR, n.Text.EN,
			"Configurez le service avec les valeurs ci-dessus, ou apprenez-lui l'action configure.", "Configure the service with the values above, or teach it action configure.")
	}
	for _, r := range s.Space.Client.RedirectURIs {
		if u, err := url.Parse(r); err != nil || u.Host == "" {
			d.note("redirect", StepFailed, "adresse de retour inutilisable : "+r, "unusable redirect address: "+r,
				"Donnez une adresse complète dans « sandbox.redirectUris ».", "Give a whole address in \"sandbox.redirectUris\".")
		}
	}
}

// addresses tells which public addresses will be looked at.
func (d *doctor) addresses(c candidate.Candidate) {
	if c.Web.Site == "" {
		d.note("web", StepDoubt, "aucune adresse publique n'est déclarée : les exigences du web resteront non testées", "no public address is declared: web requirements will stay untested",
			"Donnez « web.production » dans le manifeste.", "Give \"web.production\" in the manifest.")
	}
}

// way brings one patient through one pairing and says how far he came.
func (d *doctor) way(ctx context.Context, o Options, s *Session) error {
	if !s.Candidate.Claims.Pairing {
		return nil
	}
	l := lab.New()
	var reached string
	scenario := l.Scenario("doctor", "one pairing, to see whether both sides reach each other", func(ctx context.Context, st *lab.Stage) error {
		p, err := st.Patient(ctx)
		if err != nil {
			return err
		}
		return st.Pair(ctx, p, lab.Choice{})
	})
	s.Candidate.Timing.Effect = min(s.Candidate.Timing.Effect, 3*time.Second)
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
	end := l.Ending("doctor")
	var authorized, token, paired bool
	for _, r := range seen {
		if r.Exchange == nil {
			continue
		}
		switch r.Exchange.Route {
		case record.RouteAuthorize:
			authorized = true
			if f := r.Exchange.Facts; f != nil && f.Authorize != nil && (!f.Authorize.ClientKnown || !f.Authorize.RedirectRegistered) {
				d.note("client", StepFailed,
					fmt.Sprintf("la demande d'autorisation n'est pas celle du client enregistré (client connu : %t ; adresse de retour %s enregistrée : %t)", f.Authorize.ClientKnown, f.Authorize.RedirectURI, f.Authorize.RedirectRegistered),
					fmt.Sprintf("the authorization request is not the registered client's (client known: %t; redirect address %s registered: %t)", f.Authorize.ClientKnown, f.Authorize.RedirectURI, f.Authorize.RedirectRegistered),
					"Accordez sandbox.clientId et sandbox.redirectUris du manifeste avec la configuration du service.", "Make sandbox.clientId and sandbox.redirectUris of the manifest agree with the service's configuration.")
			}
		case record.RouteToken:
			token = true
			paired = paired || r.Exchange.Response.Status == 200
		}
	}
	reached = end.Reason
	switch {
	case paired:
		d.note("pairing", StepOK, "un appariement d'essai est allé jusqu'au bout, dans les deux sens", "a trial pairing went all the way, in both directions", "", "")
	case token:
		d.note("pairing", StepFailed, "le service a demandé un jeton, qui lui a été refusé", "the service asked for a token, which was refused",
			"Vérifiez l'identifiant, le secret et la méthode d'authentification du client.", "Check the client's id, secret and authentication method.")
	case authorized:
		fr, en := "le patient est revenu au service, mais aucune demande de jeton n'est arrivée au bac à sable", "the patient came back to the service, but no token request reached the sandbox"
		if why := refusals(ctx, s.bench.API); why != "" {
			fr += " : une poignée de main TLS a été rompue (" + why + ")"
			en += ": a TLS handshake was broken off (" + why + ")"
		}
		d.note("trust", StepFailed, fr, en,
			"Vérifiez que le service fait confiance à l'autorité du bac à sable (valeur « ca » de configure, ou le fichier ca.pem) et qu'il atteint "+s.Space.Endpoints.Token+".",
			"Check that the service trusts the sandbox's authority (value \"ca\" of configure, or file ca.pem) and that it reaches "+s.Space.Endpoints.Token+".")
	default:
		d.note("pairing", StepFailed, "l'appariement d'essai s'est arrêté : "+reached, "the trial pairing stopped: "+reached,
			"Le pilote doit répondre à pair par « open » : un lien à usage unique qui mène à l'autorisation de Mon espace santé.", "The pilot must answer pair with \"open\": a one-time link that leads to the authorization of Mon espace santé.")
	}
	return nil
}

// refusals is why candidates broke off TLS handshakes with the sandbox.
func refusals(ctx context.Context, api control.API) string {
	h, err := api.Health(ctx)
	if err != nil {
		return ""
	}
	return strings.Join(h.Handshakes, "; ")
}
