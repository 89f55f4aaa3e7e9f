package lab

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/etalon-sante/etalon/fixtures/people"
	"github.com/etalon-sante/etalon/sandbox/control"
	"github.com/etalon-sante/etalon/sandbox/record"
	"github.com/etalon-sante/etalon/suites/candidate"
	"github.com/etalon-sante/etalon/suites/candidate/pilot"
	"github.com/etalon-sante/etalon/suites/probe/browser"
	"github.com/etalon-sante/etalon/suites/probe/pace"
)

// Stage is what a scenario acts upon. It notes all that it does.
type Stage struct {
	bench    *bench
	scenario *Scenario
	slug     string

	mu      sync.Mutex
	records []record.Record
	secrets []record.Secret // Name holds the kind
	kept    []Kept
}

// Patient is one synthetic patient of a scenario.
type Patient struct {
	Handle   string // what the candidate is told
	Login    string
	Password string
	Person   people.Person
	Pairing  *control.Pairing // for a candidate that does not claim pairing
}

// PatientOption sets a trait of a patient.
type PatientOption func(*control.PatientRequest)

// Tolerant makes the patient's record note what is wrong and go on.
func Tolerant() PatientOption {
	return func(r *control.PatientRequest) { r.Record = "tolerant" }
}

// FaultyIDToken makes something wrong in the id_tokens issued for the patient:
// one of control.IDTokenFaults.
func FaultyIDToken(fault string) PatientOption {
	return func(r *control.PatientRequest) { r.IDToken = fault }
}

// FaultyTokenAnswer makes something wrong in the answers that the token endpoint
// gives for the patient: one of control.TokenAnswerFaults.
func FaultyTokenAnswer(fault string) PatientOption {
	return func(r *control.PatientRequest) { r.TokenAnswer = fault }
}

// Patient puts a new patient into the sandbox. His handle is opaque: the
// candidate cannot tell from it what is tried.
func (s *Stage) Patient(ctx context.Context, opts ...PatientOption) (*Patient, error) {
	n := int(s.bench.ids.Add(1))
	sum := sha256.Sum256(fmt.Appendf(nil, "%s/%d", s.bench.env.Run, n))
	p := people.Patient(s.bench.env.Seed, n)
	req := control.PatientRequest{Handle: "p-" + hex.EncodeToString(sum[:8]), Scenario: s.slug, Person: person(p)}
	for _, o := range opts {
		o(&req)
	}
	got, err := s.bench.env.Sandbox.AddPatient(ctx, s.bench.env.Space.ID, req)
	if err != nil {
		return nil, err
	}
	out := &Patient{Handle: req.Handle, Login: got.Login, Password: got.Password, Person: p}
	s.bench.env.Attendant.introduce(out, s.slug)
	return out, nil
}

// Do asks the candidate for an action and notes the answer. "unsupported" and
// the absence of an answer end the scenario; done, failed and refused are
// answers like any other.
func (s *Stage) Do(ctx context.Context, p *Patient, action candidate.Action, payload map[string]any) (candidate.Answer, error) {
	return s.ask(ctx, p, action, payload, false)
}

// ask asks for an action; an enduring one may stay without an answer.
func (s *Stage) ask(ctx context.Context, p *Patient, action candidate.Action, payload map[string]any, enduring bool) (candidate.Answer, error) {
	b := s.bench
	if b.hung.Load() >= hungLimit && s.scenario.Answers != action {
		return candidate.Answer{}, s.failed(action, "plusieurs actions de suite sont restées sans réponse ; celle-ci n'a pas été demandée", "earlier actions in a row were not answered; this one was not asked for")
	}
	if payload == nil {
		payload = map[string]any{}
	}
	handle := ""
	if p != nil {
		handle = p.Handle
		if p.Pairing != nil {
			payload["mes"] = lend(b.env.Space, p.Pairing)
			s.Secret("access-token", p.Pairing.AccessToken)
			s.Secret("refresh-token", p.Pairing.RefreshToken)
			s.Secret("id-token", p.Pairing.IDToken)
		}
	}
	raw, err := json.Marshal(payload)
	if err != nil {
		return candidate.Answer{}, fmt.Errorf("payload of %s: %w", action, err)
	}
	start := b.env.Now()
	ended := b.busy.begin(s.slug, b.env.Now)
	// The pilot keeps the time-out itself and says more about it; this one only
	// bounds a pilot that does not. A person takes the time that it takes.
	limit, cancel := context.WithCancel(ctx)
	if !s.byHand() {
		limit, cancel = context.WithTimeout(ctx, b.env.Candidate.Timing.Action+time.Second)
	}
	answer, err := b.env.Pilot.Do(limit, candidate.Call{Action: action, Run: b.env.Run, Patient: handle, Payload: json.RawMessage(raw)})
	cancel()
	took := b.env.Now().Sub(start)
	ended()
	rec := record.Record{At: start, Kind: record.KindPilot, Patient: handle, Pilot: &record.Pilot{
		Action: string(action), Payload: record.Fold(raw), Status: answer.Status, Open: answer.Open, Data: record.Fold(answer.Data),
		Message: answer.Message, Millis: float64(took) / float64(time.Millisecond),
	}}
	if err != nil {
		rec.Pilot.Error = err.Error()
	}
	s.add(rec)
	switch {
	case errors.Is(err, pilot.ErrStopped):
		b.stop(err)
		return answer, err
	case ctx.Err() != nil:
		return answer, ctx.Err()
	case err != nil && enduring:
		return answer, nil
	case err != nil:
		var pe *candidate.PilotError
		if (errors.As(err, &pe) && (pe.Kind == "timeout" || pe.Kind == "unreachable")) || errors.Is(err, context.DeadlineExceeded) {
			b.hung.Add(1)
		}
		return answer, s.failed(action, "", err.Error())
	case answer.Status == "unsupported" && action != candidate.Status:
		// status is never claimed: what needs it stays untested, the rest goes on.
		b.hung.Store(0)
		return answer, &Ending{Outcome: Unsupported, Action: action, Reason: answer.Message}
	}
	b.hung.Store(0)
	return answer, nil
}

// Must asks for an action that has to succeed for the scenario to go on.
func (s *Stage) Must(ctx context.Context, p *Patient, action candidate.Action, payload map[string]any) (candidate.Answer, error) {
	a, err := s.Do(ctx, p, action, payload)
	if err != nil {
		return a, err
	}
	if a.Status != "done" {
		return a, s.failed(action, fmt.Sprintf("réponse « %s » : %s", a.Status, a.Message), fmt.Sprintf("answered %q: %s", a.Status, a.Message))
	}
	return a, nil
}

func (s *Stage) failed(action candidate.Action, fr, en string) *Ending {
	return &Ending{Outcome: CandidateFailed, Action: action, Reason: en, French: fr}
}

// Choice is what the patient does on the consent page.
type Choice struct {
	Refuse bool
	Except []string // codes of finalités not agreed to
}

// Pair brings a patient through the whole pairing: link, sign-in, consent,
// return. A candidate that does not claim pairing is paired by the harness.
func (s *Stage) Pair(ctx context.Context, p *Patient, choice Choice) error {
	b := s.bench
	if !b.env.Candidate.Claims.Pairing {
		got, err := b.env.Sandbox.Pair(ctx, b.env.Space.ID, p.Handle)
		if err != nil {
			return err
		}
		p.Pairing = &got
		for _, code := range choice.Except {
			if err := s.Happen(ctx, p, control.Act{Kind: control.ActWithdraw, Finalite: code}); err != nil {
				return err
			}
		}
		return nil
	}
	if b.lost.Load() >= hungLimit && s.scenario.Answers != candidate.Pair {
		return s.failed(candidate.Pair, "plusieurs appariements de suite n'ont rien donné ; celui-ci n'a pas été tenté", "earlier pairings in a row came to nothing; this one was not tried")
	}
	err := s.pair(ctx, p, choice)
	var early *Ending
	if errors.As(err, &early) {
		b.lost.Add(1)
	} else if err == nil && !choice.Refuse {
		b.lost.Store(0)
	}
	return err
}

func (s *Stage) pair(ctx context.Context, p *Patient, choice Choice) error {
	if led(s.Candidate()) {
		// The pilot is the patient's browser: the choice is told, not walked,
		// unless the link is handed over.
		a, err := s.Must(ctx, p, candidate.Pair, s.told(choice))
		if err != nil {
			return err
		}
		if a.Open != "" {
			s.secretPath(a.Open)
			if err := s.Browser(p).Walk(ctx, a.Open, choice); err != nil {
				return err
			}
		}
	} else {
		browser, link, err := s.Link(ctx, p)
		if err != nil {
			return err
		}
		if err := browser.Walk(ctx, link, choice); err != nil {
			return err
		}
	}
	if choice.Refuse {
		return nil
	}
	return s.paired(ctx, p)
}

// paired waits for the token request that a pairing ends with.
func (s *Stage) paired(ctx context.Context, p *Patient) error {
	if !s.Await(ctx, "token request", func(t Trace) bool {
		return !t.Of(p.Handle).Requests(record.RouteToken).Answered(200).Empty()
	}) {
		return s.failed(candidate.Pair,
			fmt.Sprintf("aucune demande de jeton n'a abouti dans les %s qui ont suivi le retour du patient", s.bench.env.Candidate.Timing.Effect),
			fmt.Sprintf("no successful token request was seen within %s of the patient's return", s.bench.env.Candidate.Timing.Effect))
	}
	return nil
}

// byHand says whether a person carries out the actions.
func (s *Stage) byHand() bool { return byHand(s.Candidate()) }

func byHand(c candidate.Candidate) bool { return c.Pilot.Kind == "manual" }

// led says whether the pilot is the patient's browser too, be it a person or a window
// in which recordings are played: the harness then leads no browser of its own.
func led(c candidate.Candidate) bool { return byHand(c) || c.Pilot.Kind == "browser" }

// told is a choice as a pilot that is the patient's browser is told it.
func (s *Stage) told(choice Choice) map[string]any {
	out := map[string]any{"refuse": choice.Refuse, "except": choice.Except}
	if !s.byHand() {
		var codes []string
		for _, f := range s.Space().Finalites {
			codes = append(codes, f.Code)
		}
		out["finalites"] = codes
	}
	return out
}

// Link asks the candidate for a pairing link and returns it with a browser that
// was never used before.
func (s *Stage) Link(ctx context.Context, p *Patient) (*Browser, string, error) {
	var payload map[string]any
	if s.byHand() {
		payload = map[string]any{"link": true}
	} else if led(s.Candidate()) {
		return nil, "", &Ending{Outcome: Unsupported, Action: candidate.Pair, Reason: "the harness leads the browser here, and recordings lead their own", French: "le banc conduit ici le navigateur, et des enregistrements conduisent le leur"}
	}
	a, err := s.Must(ctx, p, candidate.Pair, payload)
	if err != nil {
		return nil, "", err
	}
	if a.Open == "" && s.byHand() {
		return nil, "", &Ending{Outcome: Unsupported, Action: candidate.Pair, Reason: "the harness leads the browser here, and was given no link", French: "le banc conduit ici le navigateur, et n'a pas reçu de lien"}
	}
	if a.Open == "" {
		return nil, "", s.failed(candidate.Pair, "réponse « done » sans lien que le patient puisse ouvrir", "answered done without a link for the patient to open")
	}
	s.secretPath(a.Open)
	return s.Browser(p), a.Open, nil
}

// Happen makes something happen on the side of Mon espace santé.
func (s *Stage) Happen(ctx context.Context, p *Patient, act control.Act) error {
	if err := s.bench.env.Sandbox.Act(ctx, s.bench.env.Space.ID, p.Handle, act); err != nil {
		return err
	}
	data, err := json.Marshal(act)
	if err != nil {
		return err
	}
	s.markOf(p, "act", act.Kind, data)
	return nil
}

// Fault plans a fault for a patient's next calls.
func (s *Stage) Fault(ctx context.Context, p *Patient, f control.Fault) error {
	f.Patient = p.Handle
	if f.Next == 0 {
		f.Next = 1
	}
	planned, err := s.bench.env.Sandbox.PlanFault(ctx, s.bench.env.Space.ID, f)
	if err != nil {
		return err
	}
	data, err := json.Marshal(planned)
	if err != nil {
		return err
	}
	s.markOf(p, "fault", string(f.Route), data)
	return nil
}

// Seed puts existing content into a patient's record.
func (s *Stage) Seed(ctx context.Context, p *Patient, seed control.Seed) (control.Seeded, error) {
	got, err := s.bench.env.Sandbox.Seed(ctx, s.bench.env.Space.ID, p.Handle, seed)
	if err != nil {
		return got, err
	}
	data, err := json.Marshal(got)
	if err != nil {
		return got, err
	}
	s.markOf(p, "seed", "", data)
	return got, nil
}

// MintCode makes an authorization code that belongs to no request of the
// candidate.
func (s *Stage) MintCode(ctx context.Context, p *Patient) (string, error) {
	c, err := s.bench.env.Sandbox.MintCode(ctx, s.bench.env.Space.ID, p.Handle)
	return c.Code, err
}

// Note leaves a mark in the trace under a name, with data for the specs.
func (s *Stage) Note(p *Patient, name string, data any) error {
	raw, err := json.Marshal(data)
	if err != nil {
		return err
	}
	s.markOf(p, "note", name, raw)
	return nil
}

// Await waits until the trace so far satisfies a condition, at most
// timing.effect; it says whether it did.
func (s *Stage) Await(ctx context.Context, what string, cond func(Trace) bool) bool {
	return s.AwaitFor(ctx, s.bench.env.Candidate.Timing.Effect, what, cond)
}

// AwaitFor waits for a condition at most d.
func (s *Stage) AwaitFor(ctx context.Context, d time.Duration, what string, cond func(Trace) bool) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	for {
		records, changed := s.bench.watch.of(s.slug)
		if cond(Trace{Slug: s.slug, Records: records}) {
			return true
		}
		select {
		case <-changed:
		case <-timer.C:
			s.mark("await", "not seen: "+what, nil)
			return false
		case <-ctx.Done():
			return false
		case <-s.bench.watch.stopped:
			return false
		}
	}
}

// Quiet watches for timing.quiet that nothing more happens. The window is
// written down: a finding about silence says how long it was listened to.
func (s *Stage) Quiet(ctx context.Context) error {
	d := s.bench.env.Candidate.Timing.Quiet
	start := s.bench.env.Now()
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
		return ctx.Err()
	}
	s.add(record.Record{At: start, Kind: record.KindMark, Mark: &record.Mark{Kind: "quiet", Text: d.String(), Millis: float64(d) / float64(time.Millisecond)}})
	return nil
}

// SeedNumber is what everything that the run makes up derives from.
func (s *Stage) SeedNumber() int64 { return s.bench.env.Seed }

// Candidate is the manifest.
func (s *Stage) Candidate() candidate.Candidate { return s.bench.env.Candidate }

// Space is the sandbox's corner in which the run takes place.
func (s *Stage) Space() control.Space { return s.bench.env.Space }

// Roots are the trust roots of the run.
func (s *Stage) Roots() *x509.CertPool { return s.bench.env.Roots }

// Pace bounds how often a host of the candidate's is asked: every look from
// outside goes through the one of the run, so that looks at the same time do not
// add up.
func (s *Stage) Pace() *pace.Pace { return s.bench.pace }

// Resolver is the resolver that the user named; "" for none.
func (s *Stage) Resolver() string { return s.bench.env.Resolver }

// Application is the path of the application's file; "" where the manifest names
// none.
func (s *Stage) Application() string { return s.bench.env.Application }

// CDASchema is by what clinical documents are validated; "" for nothing.
func (s *Stage) CDASchema() string { return s.bench.env.CDASchema }

// Chromium is the browser with which pages are looked at; one that is missing
// says so itself.
func (s *Stage) Chromium() *browser.Host { return s.bench.env.Browser }

// Now is the run's clock.
func (s *Stage) Now() time.Time { return s.bench.env.Now() }

// Probe notes a look from outside; data is the probe's result, or nil with the
// reason for which it could not look.
func (s *Stage) Probe(kind, target string, data any, failure error) error {
	p := &record.Probe{Kind: kind, Target: target}
	if data != nil {
		raw, err := json.Marshal(data)
		if err != nil {
			return fmt.Errorf("probe %s of %s: %w", kind, target, err)
		}
		p.Data = raw
	}
	if failure != nil {
		p.Error = failure.Error()
	}
	s.add(record.Record{At: s.Now(), Kind: record.KindProbe, Probe: p})
	return nil
}

// Exchange notes an exchange that the harness had itself and returns its id.
func (s *Stage) Exchange(at time.Time, x record.Exchange) string {
	prefix := "h"
	if x.From == record.Visitor {
		prefix = "v"
	}
	x.ID = s.bench.id(prefix)
	s.add(record.Record{At: at, Kind: record.KindExchange, Exchange: &x})
	return x.ID
}

// Secret tells the redactor of a value that must not leave. It takes effect
// when the scenario's records are written, also on what stands before.
func (s *Stage) Secret(kind, value string) {
	if len(value) < record.MinSecret {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.secrets = append(s.secrets, record.Secret{Name: kind, Value: value})
}

func (s *Stage) mark(kind, text string, data json.RawMessage) { s.markOf(nil, kind, text, data) }

func (s *Stage) markOf(p *Patient, kind, text string, data json.RawMessage) {
	r := record.Record{At: s.bench.env.Now(), Kind: record.KindMark, Mark: &record.Mark{Kind: kind, Text: text, Data: data}}
	if p != nil {
		r.Patient = p.Handle
	}
	s.add(r)
}

func (s *Stage) add(r record.Record) {
	r.At, r.Scenario = r.At.UTC(), s.slug
	s.mu.Lock()
	defer s.mu.Unlock()
	s.records = append(s.records, r)
}

func (s *Stage) take() []record.Record {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.records
}

func (s *Stage) pending() []record.Secret {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.secrets
}

// lend is what a candidate that does not claim pairing is given with each action.
func lend(space control.Space, p *control.Pairing) map[string]any {
	return map[string]any{
		"endpoints": space.Endpoints,
		"tokens":    p,
		"ca":        space.CA,
	}
}

func person(p people.Person) control.Person {
	return control.Person{
		FamilyName: p.FamilyName, GivenName: p.GivenName, BirthDate: p.BirthDate, Sex: p.Sex,
		INS: p.INS, INSOID: p.INSOID, Email: p.Email, Phone: p.Phone,
	}
}
