package run

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/etalon-sante/etalon/reports"
	"github.com/etalon-sante/etalon/sandbox/control"
	"github.com/etalon-sante/etalon/sandbox/record"
	"github.com/etalon-sante/etalon/suites/candidate"
	"github.com/etalon-sante/etalon/suites/lab"
	"github.com/etalon-sante/etalon/suites/requirement"
)

// ReproOptions are what showing a failure again depends on, besides what a run
// does.
type ReproOptions struct {
	Options
	Check  string
	CAFile string // authorities that curl is to trust in the place of the system's; "": the system's
	// Show is told how the failure is shown again, while the sandbox stays as the
	// failure left it: until it returns. It is not called for a check that does not
	// fail.
	Show func(context.Context, Shown) error
}

// Shown is how a failure is shown again.
type Shown struct {
	Requirement reports.Result
	Check       reports.Check
	Sandbox     string      // address of its corner of the sandbox
	Control     control.API // with which more can be made to happen
	Space       string
	Patient     string // handle of the patient concerned; "": none
	Login       string // his account in the sandbox
	Password    string
	Steps       []ReproStep     // what the scenario did, in order; the last led to what was found
	Shown       int             // index of the step that Command repeats; -1: none
	Command     string          // "": no command shows it
	Exports     []record.Secret // values that Command names, by the names of its variables
	Needs       []reports.Text  // what Command needs besides
	Doubts      []reports.Text  // why it may not show it alone
	Armed       []control.Fault // planned anew for the patient's next calls
	Redactor    *record.Redactor
}

// ReproStep is one thing that happened in a scenario.
type ReproStep struct {
	At       time.Duration // since the scenario began
	Text     reports.Text
	Scenario string
}

// Repro plays the scenarios that one check reads, and no other. Where the check
// fails, the sandbox is left as it then is and Show is told how the failure is
// seen again. The folder is that of a partial run.
func Repro(ctx context.Context, o ReproOptions) (Outcome, reports.Check, error) {
	cat, err := requirement.Load()
	if err != nil {
		return Outcome{}, reports.Check{}, fmt.Errorf("load the catalogue: %w", err)
	}
	r, k, ok := cat.Check(o.Check)
	if !ok {
		if whole, is := cat.Requirement(o.Check); is && len(whole.Checks) == 1 {
			r, k, ok = whole, whole.Checks[0], true
		} else if is {
			var ids []string
			for _, c := range whole.Checks {
				ids = append(ids, c.ID)
			}
			if len(ids) == 0 {
				return Outcome{}, reports.Check{}, fmt.Errorf("%w: %s has no check: it is declared or judged by a person", ErrSelection, o.Check)
			}
			return Outcome{}, reports.Check{}, fmt.Errorf("%w: %s is a requirement; name one of its checks: %s", ErrSelection, o.Check, strings.Join(ids, ", "))
		}
	}
	if !ok {
		return Outcome{}, reports.Check{}, fmt.Errorf("%w: no check has the id %q; the report names those that failed", ErrSelection, o.Check)
	}
	o.Options.Selection = Selection{Only: []string{r.ID}}
	o.Options.repro = &repro{check: k.ID, show: o.Show, authority: o.CAFile}
	out, err := Run(ctx, o.Options)
	for _, res := range out.Report.Results {
		for _, c := range res.Checks {
			if c.ID == k.ID {
				return out, c, err
			}
		}
	}
	return out, reports.Check{ID: k.ID, Verdict: reports.Error}, err
}

// repro is what a run does otherwise when it is to show one failure.
type repro struct {
	check string
	show  func(context.Context, Shown) error
	all   bool // the check reads all traffic
	// authority is the file that curl is to trust; "": the system's.
	authority string

	mu    sync.Mutex
	calls []candidate.Call
}

// narrow keeps the scenarios that the check reads.
func (r *repro) narrow(p *preparation, leaves map[string]lab.LeafLabels) ([]*lab.Scenario, error) {
	if len(p.planned) == 1 && p.planned[0].Decision != judged {
		return nil, fmt.Errorf("%w: %s is not judged: %s (%s)", ErrSelection, r.check, p.planned[0].Decision, p.planned[0].Reason.EN)
	}
	leaf := leaves[r.check]
	r.all = leaf.All
	reads := leaf.Reads
	if leaf.All {
		reads = append(slices.Clone(reads), nominal()...)
	}
	return slices.DeleteFunc(slices.Clone(p.scenarios), func(s *lab.Scenario) bool { return !slices.Contains(reads, s.Slug) }), nil
}

// overhear keeps what the pilot is asked, in memory: the journal holds it without
// its secrets, and long texts of it are folded.
func (r *repro) overhear(p candidate.Pilot) candidate.Pilot { return overheard{p, r} }

type overheard struct {
	candidate.Pilot
	r *repro
}

func (o overheard) Do(ctx context.Context, call candidate.Call) (candidate.Answer, error) {
	o.r.mu.Lock()
	o.r.calls = append(o.r.calls, call)
	o.r.mu.Unlock()
	return o.Pilot.Do(ctx, call)
}

// stand is all that a run leaves standing.
type stand struct {
	out       Outcome
	o         Options
	session   *Session
	bench     *Bench
	redactor  *record.Redactor
	attendant *lab.Attendant
}

// hold shows the failure and frees the sandbox's corner when that has ended.
func (r *repro) hold(ctx context.Context, s stand, failed error) error {
	var err error
	if failed == nil && ctx.Err() == nil {
		err = r.showing(ctx, s)
	}
	clean, cancel := context.WithTimeout(context.WithoutCancel(ctx), closing)
	defer cancel()
	return errors.Join(failed, err, s.session.Close(clean))
}

func (r *repro) showing(ctx context.Context, s stand) error {
	out := Shown{Sandbox: s.bench.Health.Public + s.session.Space.BasePath, Control: s.bench.API, Space: s.session.Space.ID, Shown: -1, Redactor: s.redactor}
	for _, res := range s.out.Report.Results {
		for _, c := range res.Checks {
			if c.ID == r.check {
				out.Requirement, out.Check = res, c
			}
		}
	}
	if v := out.Check.Verdict; v != reports.Nonconformant && v != reports.Deviation {
		return nil
	}
	rec, err := ReadFolder(s.out.Folder)
	if err != nil {
		return err
	}
	t := retrace(rec.Records, out.Check, s.out.Report)
	out.Steps, out.Shown, out.Patient = t.steps, t.trigger, t.patient
	if out.Patient != "" {
		out.Login, out.Password, _ = s.attendant.Account(out.Patient)
	}
	if t.trigger >= 0 {
		r.command(&out, t, s)
	}
	if out.Armed, err = rearm(ctx, s, t); err != nil {
		return err
	}
	out.Doubts = append(out.Doubts, t.doubts(out.Check, r.all, out.Command != "")...)
	return r.show(ctx, out)
}

// rearm plans anew the faults that the scenario had planned for the patient.
func rearm(ctx context.Context, s stand, t retraced) ([]control.Fault, error) {
	var out []control.Fault
	if len(t.faults) == 0 {
		return nil, nil
	}
	if err := s.bench.API.Lift(ctx, s.session.Space.ID, t.patient); err != nil {
		return nil, fmt.Errorf("plan the faults of the scenario anew: %w", err)
	}
	for _, f := range t.faults {
		f.ID, f.Applied, f.Patient = "", 0, t.patient
		planned, err := s.bench.API.PlanFault(ctx, s.session.Space.ID, f)
		if err != nil {
			return out, fmt.Errorf("plan the faults of the scenario anew: %w", err)
		}
		out = append(out, planned)
	}
	return out, nil
}

// retraced is a scenario, read back for what led to a finding.
type retraced struct {
	scenario string
	patient  string
	steps    []ReproStep
	trigger  int            // index of the step that led to it; -1: none
	act      record.Record  // that step
	opener   *record.Record // the action that gave the link which that step opens; nil: it opens none
	faults   []control.Fault
	happened bool // something was made to happen on the side of Mon espace santé
	quiet    bool // silence was listened to
	others   int  // acts before the trigger
}

// maxSteps bounds how many steps are told; the first ones go.
const maxSteps = 60

// retrace reads back the scenario in which a check failed. What led to the finding
// is the last act upon the candidate before what shows it, or the last of all when
// nothing shows it (what was to come did not).
func retrace(records []record.Record, c reports.Check, report reports.Report) retraced {
	t := retraced{trigger: -1}
	var x reports.Exchange
	shown := false
	for _, f := range c.Findings {
		if x, shown = report.Exchanges[f.Exchange]; shown {
			break
		}
	}
	switch {
	case shown && x.Scenario != "":
		t.scenario = x.Scenario
	case len(c.Traces) > 0:
		t.scenario = c.Traces[0]
	}
	end := time.Time{}
	var begin time.Time
	for _, r := range records {
		if r.Scenario != t.scenario {
			continue
		}
		if begin.IsZero() {
			begin = r.At
		}
		if shown && idOf(r) == x.ID {
			end, t.patient = r.At, r.Patient
		}
	}
	for _, r := range records {
		if r.Scenario != t.scenario || !end.IsZero() && r.At.After(end) {
			continue
		}
		own := t.patient == "" || r.Patient == "" || r.Patient == t.patient
		if upon(r, end) && own {
			t.trigger, t.act = len(t.steps), r
		}
		if text := told(r); text.EN != "" {
			t.steps = append(t.steps, ReproStep{At: r.At.Sub(begin), Text: text, Scenario: r.Scenario})
		} else if t.trigger == len(t.steps) {
			t.trigger = -1 // it cannot be told, so it is not the one
		}
	}
	if x := t.act.Exchange; x != nil && x.From == record.Visitor {
		for _, r := range records {
			if r.Scenario == t.scenario && r.Pilot != nil && r.Pilot.Open == x.Request.URL && !r.At.After(t.act.At) {
				t.opener = &r
			}
		}
	}
	if t.trigger >= 0 && t.patient == "" {
		t.patient = t.act.Patient
	}
	for _, r := range records {
		if r.Scenario != t.scenario || r.Mark == nil || !end.IsZero() && r.At.After(end) {
			continue
		}
		var f control.Fault
		switch r.Mark.Kind {
		case "fault":
			if r.Patient == t.patient && t.patient != "" && json.Unmarshal(r.Mark.Data, &f) == nil && f.Kind != "" {
				t.faults = append(t.faults, f)
			}
		case "act":
			t.happened = true
		case "quiet":
			t.quiet = true
		}
	}
	if extra := len(t.steps) - maxSteps; extra > 0 && t.trigger >= extra {
		t.steps, t.trigger = t.steps[extra:], t.trigger-extra
	}
	t.others = max(0, t.trigger)
	return t
}

// idOf is the id under which a report shows a record.
func idOf(r record.Record) string {
	if r.Exchange != nil {
		return r.Exchange.ID
	}
	return fmt.Sprintf("r%d", r.Seq)
}

// upon says whether a record is an act upon the candidate. To ask for its state is
// one only where that is what was found wrong.
func upon(r record.Record, end time.Time) bool {
	switch {
	case r.Pilot != nil:
		return r.Pilot.Action != string(candidate.Status) && r.Pilot.Action != string(candidate.Configure) || r.At.Equal(end)
	case r.Probe != nil:
		return r.At.Equal(end)
	case r.Exchange != nil:
		return r.Exchange.To == record.Candidate && (r.Exchange.From == record.Visitor || r.Exchange.From == record.Harness)
	}
	return false
}

// told is a record as a step; the empty text: it is none.
func told(r record.Record) reports.Text {
	both := func(s string) reports.Text { return reports.Text{FR: s, EN: s} }
	switch {
	case r.Pilot != nil:
		status := r.Pilot.Status
		if status == "" {
			status = "…"
		}
		return both(fmt.Sprintf("%s → %s", r.Pilot.Action, status))
	case r.Exchange != nil:
		x := r.Exchange
		address, _, _ := strings.Cut(x.Request.URL, "?")
		if x.To == record.Sandbox && x.From == record.Candidate {
			return both(fmt.Sprintf("%s: %s %s → %d", x.Route, x.Request.Method, address, x.Response.Status))
		}
		if x.To == record.Candidate {
			return both(fmt.Sprintf("%s → %s: %s %s → %d", x.From, x.To, x.Request.Method, address, x.Response.Status))
		}
	case r.Probe != nil:
		return reports.Text{FR: "regard de l'extérieur (" + r.Probe.Kind + ") : " + r.Probe.Target, EN: "look from outside (" + r.Probe.Kind + "): " + r.Probe.Target}
	case r.Mark != nil:
		switch r.Mark.Kind {
		case "fault":
			return reports.Text{FR: "panne armée : " + r.Mark.Text, EN: "fault armed: " + r.Mark.Text}
		case "act":
			return reports.Text{FR: "Mon espace santé : " + r.Mark.Text, EN: "Mon espace santé: " + r.Mark.Text}
		case "seed":
			return reports.Text{FR: "contenu déposé dans le dossier du patient", EN: "content put into the patient's record"}
		case "quiet":
			return reports.Text{FR: "silence écouté pendant " + r.Mark.Text, EN: "silence listened to for " + r.Mark.Text}
		case "await":
			return reports.Text{FR: "attendu en vain : " + strings.TrimPrefix(r.Mark.Text, "not seen: "), EN: "waited for in vain: " + strings.TrimPrefix(r.Mark.Text, "not seen: ")}
		}
	}
	return reports.Text{}
}

// doubts say why the command may not show the failure alone.
func (t retraced) doubts(c reports.Check, all, command bool) []reports.Text {
	var out []reports.Text
	add := func(fr, en string) { out = append(out, reports.Text{FR: fr, EN: en}) }
	if p := t.act.Probe; p != nil && p.Kind == "manifest" {
		add("Cette vérification ne lit que le manifeste : corrigez-le, aucun échange ne la montre.", "This check reads the manifest alone: correct it, no exchange shows it.")
		return out
	}
	if t.act.Probe != nil && command {
		add("Le regard d'Étalon ne se tape pas en une ligne : la commande montre la même chose avec un autre outil ; à vous d'y lire le constat.",
			"Étalon's own look is not typed in one line: the command looks at the same thing with another tool; the finding is yours to read in it.")
	}
	if !command {
		add("Aucune commande ne montre cet échec à elle seule : relancez « etalon repro "+c.ID+" », qui rejoue le scénario.",
			"No command shows this failure by itself: run \"etalon repro "+c.ID+"\" again, which plays the scenario.")
		return out
	}
	if all {
		add("Cette vérification lit tout le trafic d'une campagne ; seuls les scénarios nominaux ont été joués ici.",
			"This check reads all the traffic of a run; only the nominal scenarios were played here.")
	}
	if x := t.act.Exchange; x != nil && x.From == record.Visitor && t.opener == nil {
		add("Cette requête d'un navigateur porte des valeurs qui ne servent qu'une fois (lien, code, state) : si le service la refuse maintenant, relancez « etalon repro "+c.ID+" », qui recommence avec un nouveau patient.",
			"This request of a browser bears values that serve once (link, code, state): where the service refuses it now, run \"etalon repro "+c.ID+"\" again, which begins anew with another patient.")
	}
	if t.happened {
		add("Avant cela, Mon espace santé a agi (voyez les étapes) : son effet demeure, mais il n'est pas rejoué.",
			"Before that, Mon espace santé acted (see the steps): its effect remains, but it is not played again.")
	}
	if t.quiet || len(c.Findings) > 0 && c.Findings[0].Exchange == "" {
		add("L'échec tient à ce qui ne vient pas, ou vient au mauvais moment : regardez ci-dessous ce que le bac à sable voit après la commande.",
			"The failure lies in what does not come, or comes at the wrong moment: watch below what the sandbox sees after the command.")
	}
	return out
}
