package run

import (
	"context"
	"errors"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"github.com/etalon-sante/etalon/sandbox"
	"github.com/etalon-sante/etalon/suites/candidate"
	"github.com/etalon-sante/etalon/suites/candidate/pilot"
	"github.com/etalon-sante/etalon/suites/probe/browser"
	"github.com/etalon-sante/etalon/suites/probe/text"
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
		p, err := startCandidate(ctx, o.Manifest, o.Roots, &o.Sandbox)
		if err != nil {
			d.note("start", StepFailed, "le service n'a pas démarré : "+err.Error(), "the service did not start: "+err.Error(),
				"Lancez à la main la commande de « start.command » et lisez ce qu'elle affiche.", "Run the command of \"start.command\" by hand and read what it prints.")
			d.out.Unreachable = true
			return d.out, ctx.Err()
		}
		defer p.Stop()
		d.note("start", StepOK, "le service a démarré", "the service has started", "", "")
	}
	if err := Reach(ctx, c, o.Manifest.Folder); err != nil {
		return d.gone(err), ctx.Err()
	}
	o.Sandbox.Listen, o.Sandbox.PublicURL = first(o.Sandbox.Listen, c.Sandbox.Listen), first(o.Sandbox.PublicURL, c.Sandbox.PublicURL)
	bench, err := OpenBench(ctx, o.Sandbox)
	if err != nil {
		return d.out, err
	}
	defer bench.Close()
	d.note("sandbox", StepOK, "le bac à sable répond à "+bench.Health.Public, "the sandbox answers at "+bench.Health.Public, "", "")
	p, release, err := pilot.New(o.Manifest, pilot.Options{Roots: o.Roots, Manual: o.Manual})
	if err != nil {
		return d.out, err
	}
	defer release()
	session, err := OpenSession(ctx, SessionOptions{
		Bench: bench, Candidate: c, Secrets: o.Manifest.Secrets, Pilot: p, Roots: o.Roots, Run: "doctor-" + runID(o.Now().UTC()), Seed: o.Seed, Now: o.Now, Unasked: true,
	})
	var gone *UnreachableError
	switch {
	case errors.As(err, &gone):
		return d.gone(err), nil
	case err != nil:
		return d.out, err
	}
	defer session.Close(context.WithoutCancel(ctx))
	d.configuration(session, o.Sandbox)
	d.addresses(c, o)
	d.browser(o.Browser)
	d.poppler()
	if session.Configured == NotConfigured {
		return d.out, nil // the first thing to mend; what follows from it would only be noise
	}
	if c.Pilot.Kind == "browser" {
		d.note("pilot", StepOK,
			"les enregistrements se lisent : l'appariement d'essai n'est pas joué ici",
			"the recordings can be read: the trial pairing is not played here", "", "")
		return d.out, nil
	}
	if c.Pilot.Kind == "manual" {
		d.note("pilot", StepOK,
			"une personne fait les actions : l'appariement d'essai n'est pas joué ici",
			"a person carries out the actions: the trial pairing is not played here", "", "")
		return d.out, nil
	}
	return d.out, d.way(ctx, o, session)
}

// gone tells that there is no connection to the pilot.
func (d *doctor) gone(err error) Examination {
	var cause *UnreachableError
	if errors.As(err, &cause) {
		err = cause.Err
	}
	d.note("pilot", StepFailed, "aucune connexion au pilote : "+plain(err.Error()), "no connection to the pilot: "+plain(err.Error()),
		"Démarrez le service, puis vérifiez « pilot.url » (ou « pilot.command ») dans le manifeste.", "Start the service, then check \"pilot.url\" (or \"pilot.command\") in the manifest.")
	d.out.Unreachable = true
	return d.out
}

// configuration tells what configure came to, and what a person has to enter
// where the service does not know it.
func (d *doctor) configuration(s *Session, o SandboxOptions) {
	switch s.Configured {
	case ConfiguredByPilot:
		d.note("configure", StepOK, "le pilote répond, et le service est configuré", "the pilot answers, and the service is configured", "", "")
		for _, n := range s.Notes {
			d.note("configure", StepDoubt, n.Text.FR, n.Text.EN, "Répondez à configure selon le contrat du pilote.", "Answer configure as the pilot contract says.")
		}
	case NotConfigured:
		for _, n := range s.Notes {
			if strings.Contains(n.Text.EN, " 401") || strings.Contains(n.Text.EN, " 403") {
				d.note("pilot", StepFailed, n.Text.FR, n.Text.EN, "Donnez au pilote et à « pilot.token » du manifeste le même jeton.", "Give the pilot and \"pilot.token\" of the manifest the same token.")
				continue
			}
			d.note("configure", StepFailed, n.Text.FR, n.Text.EN,
				"Corrigez le pilote ; s'il n'a pas à configurer le service, qu'il réponde « unsupported ».", "Mend the pilot; if it is not to configure the service, let it answer \"unsupported\".")
		}
	default:
		d.byHand(s, o)
	}
	for _, r := range s.Space.Client.RedirectURIs {
		if u, err := url.Parse(r); err != nil || u.Host == "" && (u.Scheme == "" || u.Scheme == "http" || u.Scheme == "https") {
			d.note("redirect", StepFailed, "adresse de retour inutilisable : "+r, "unusable redirect address: "+r,
				"Donnez une adresse complète dans « sandbox.redirectUris ».", "Give a whole address in \"sandbox.redirectUris\".")
		}
	}
}

func (d *doctor) byHand(s *Session, o SandboxOptions) {
	fr := "le service est configuré à la main. Il doit avoir ces valeurs :" + s.byHand("(sandbox.clientSecret du manifeste)")
	en := "the service is configured by hand. It must have these values:" + s.byHand("(sandbox.clientSecret of the manifest)")
	if path := caPath(s.bench, o); path != "" {
		fr += "\n    et se fier à l'autorité du bac à sable : " + path
		en += "\n    and trust the sandbox's authority: " + path
	}
	missing := notFixed(s.Candidate, s.bench.Form)
	if len(missing) == 0 {
		d.note("configure", StepOK, fr, en, "", "")
		return
	}
	d.note("configure", StepDoubt, fr, en,
		"Fixez "+list(missing, "et")+" dans le manifeste : sans cela, les valeurs changent à chaque campagne.",
		"Fix "+list(missing, "and")+" in the manifest: otherwise the values change at each run.")
}

// caPath is the file of the sandbox's certificate, "" when this machine keeps none.
func caPath(b *Bench, o SandboxOptions) string {
	if b.Form != "embedded" || o.StateDir == "" || o.TLSCert != "" {
		return ""
	}
	return filepath.Join(o.StateDir, sandbox.CAFile)
}

// poppler tells how texts published as PDF could be read, where they cannot.
func (d *doctor) poppler() {
	if why := text.MissingPDF(""); why != (text.Words{}) {
		d.note("pdf", StepDoubt, why.FR, why.EN,
			"Sans lui, ce que disent des conditions ou une déclaration publiées en PDF reste non testé.", "Without it, what terms or a statement published as PDF say stays untested.")
	}
}

// browser tells whether pages can be shown, and how they could be.
func (d *doctor) browser(o browser.Options) {
	if why := browser.Missing(o); why != (browser.Text{}) {
		d.note("browser", StepDoubt, why.FR, why.EN,
			"Sans navigateur, ce qui se voit des pages (vie privée, accessibilité, sobriété) reste non testé.", "Without a browser, what can be seen of pages (privacy, accessibility, what they cost) stays untested.")
		return
	}
	if why := browser.MissingAxe(); why != (browser.Text{}) {
		d.note("browser", StepDoubt, why.FR, why.EN, "Sans axe-core, les règles automatiques d'accessibilité restent non testées.", "Without axe-core, the automatic rules of accessibility stay untested.")
		return
	}
	d.note("browser", StepOK, "un navigateur est installé, et les règles d'axe-core sont présentes", "a browser is installed, and the rules of axe-core are present", "", "")
}

// addresses tells which addresses will be contacted, and how often.
func (d *doctor) addresses(c candidate.Candidate, o Options) {
	contacts := Contacts(c, o)
	d.note("contacts", StepOK, contacts.FR, contacts.EN, "", "")
	if c.Web.Site == "" {
		d.note("web", StepDoubt, "aucune adresse publique n'est déclarée : les exigences du web resteront non testées", "no public address is declared: web requirements will stay untested",
			"Donnez « web.production » dans le manifeste.", "Give \"web.production\" in the manifest.")
	}
}
