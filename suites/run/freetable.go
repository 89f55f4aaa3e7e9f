package run

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/etalon-sante/etalon/fixtures/data"
	"github.com/etalon-sante/etalon/reports"
	"github.com/etalon-sante/etalon/sandbox/control"
	"github.com/etalon-sante/etalon/sandbox/record"
	"github.com/etalon-sante/etalon/suites/lab"
)

// table is where a person sits during a session of free use: it tells what is
// seen, and does what is typed.
type table struct {
	o        FreeOptions
	info     Info
	session  *Session
	stage    *lab.Stage
	patients []*lab.Patient
	seen     map[string]reports.Verdict // check -> as last told
	told     map[string]bool            // ids of exchanges that were told
}

// rest is how long nothing must come before what was seen is judged: calls come
// in bursts, and a judging takes about a tenth of a second.
const rest = 700 * time.Millisecond

func (t *table) say(fr, en string, args ...any) {
	text := fr
	if t.o.Lang == "en" {
		text = en
	}
	fmt.Fprintf(t.o.Tell, text+"\n", args...)
}

// host keeps the session: stop ends it, work bounds what is asked of the sandbox.
func (t *table) host(stop, work context.Context, s *lab.Stage) error {
	t.stage, t.told = s, map[string]bool{}
	for range t.o.Patients {
		if err := t.admit(work); err != nil {
			return err
		}
	}
	t.welcome()
	if t.o.Ready != nil {
		t.o.Ready(FreeSession{Space: t.session.Space, Patients: t.patients})
	}
	if t.o.For > 0 {
		var cancel context.CancelFunc
		stop, cancel = context.WithTimeout(stop, t.o.For)
		defer cancel()
	}
	lines := readLines(stop, t.o.In)
	idle := time.NewTimer(time.Hour)
	defer idle.Stop()
	for {
		changed := t.tellNew()
		select {
		case <-stop.Done():
			return t.settle(work)
		case <-changed:
			idle.Reset(rest)
		case <-idle.C:
			if err := t.judge(); err != nil {
				return err
			}
		case line, ok := <-lines:
			switch {
			case !ok:
				lines = nil
			case strings.TrimSpace(line) == "end":
				return t.settle(work)
			default:
				if err := t.obey(work, strings.Fields(line)); err != nil {
					t.say("  ✗ %s", "  ✗ %s", err)
				}
			}
		}
	}
}

// admit puts one more patient into the sandbox.
func (t *table) admit(ctx context.Context, opts ...lab.PatientOption) error {
	if len(t.patients) >= maxFreePatients {
		return fmt.Errorf("%s", t.in("cinquante patients au plus", "fifty patients at most"))
	}
	p, err := t.stage.Patient(ctx, opts...)
	if err != nil {
		return err
	}
	t.patients = append(t.patients, p)
	return nil
}

// settle listens a little longer: what the service is still at must not be
// missing from what is judged.
func (t *table) settle(ctx context.Context) error {
	effect := t.session.Candidate.Timing.Effect
	end := time.NewTimer(effect)
	defer end.Stop()
	for {
		all, changed := t.stage.Everything()
		var last time.Time
		for _, r := range all {
			if r.Exchange != nil && r.At.After(last) {
				last = r.At
			}
		}
		left := effect - t.o.Now().Sub(last)
		if left <= 0 {
			return nil
		}
		wait := time.NewTimer(left)
		t.say("Fin de l’observation ; encore %s d’écoute, le temps que le service finisse…", "End of the observation; %s more of listening, for the service to finish…", left.Round(time.Second))
		select {
		case <-changed:
		case <-wait.C:
		case <-end.C:
			wait.Stop()
			return nil
		case <-ctx.Done():
			wait.Stop()
			return ctx.Err()
		}
		wait.Stop()
	}
}

// judge judges what was seen so far, and tells what is new in it.
func (t *table) judge() error {
	all, _ := t.stage.Everything()
	report, err := Judge(Recorded{Info: t.info, Candidate: blankSecrets(t.session.Candidate), Records: all}, t.o.Register)
	if err != nil {
		return err
	}
	for _, r := range report.Results {
		for _, c := range r.Checks {
			if !c.Verdict.Observed() {
				continue
			}
			if t.seen[c.ID] == c.Verdict {
				continue
			}
			t.seen[c.ID] = c.Verdict
			fmt.Fprintf(t.o.Tell, "    %s %s  %s\n", c.Verdict.Label().Shape, c.ID, c.Title.In(t.o.Lang))
			for _, f := range c.Findings {
				fmt.Fprintf(t.o.Tell, "        %s\n", f.Message.In(t.o.Lang))
				break
			}
		}
	}
	return nil
}

// readLines reads what is typed until the context or the input ends.
func readLines(ctx context.Context, in io.Reader) <-chan string {
	if in == nil {
		return nil
	}
	lines := make(chan string)
	go func() {
		defer close(lines)
		scanner := bufio.NewScanner(in)
		scanner.Buffer(nil, 64<<10)
		for scanner.Scan() {
			select {
			case lines <- strings.ToValidUTF8(scanner.Text(), "?"):
			case <-ctx.Done():
				return
			}
		}
	}()
	return lines
}

func (t *table) in(fr, en string) string {
	if t.o.Lang == "en" {
		return en
	}
	return fr
}

// acts are the typed words that make something happen to one patient.
func acts() map[string]string {
	return map[string]string{
		"expire": control.ActExpireAccess, "expire-id": control.ActExpireIDToken, "revoke": control.ActRevoke,
		"unpair": control.ActUnpair, "withdraw": control.ActWithdraw, "grant": control.ActGrant,
		"conflict": control.ActConflict, "resolve": control.ActResolve,
	}
}

// errNotUnderstood is followed by what could be typed.
func (t *table) notUnderstood(line string) error {
	return errors.New(t.in("« "+line+" » n’est pas compris ; « help » dit ce qui peut l’être", "\""+line+"\" is not understood; \"help\" says what is"))
}

// obey does what was typed.
func (t *table) obey(ctx context.Context, words []string) error {
	if len(words) == 0 {
		return nil
	}
	line := strings.Join(words, " ")
	switch words[0] {
	case "help":
		t.help()
		return nil
	case "patients":
		t.people()
		return nil
	case "checks":
		return t.judgeAll()
	case "patient":
		return t.another(ctx, words[1:])
	}
	if len(words) < 2 {
		return t.notUnderstood(line)
	}
	n, err := strconv.Atoi(words[1])
	if err != nil || n < 1 || n > len(t.patients) {
		return errors.New(t.in(fmt.Sprintf("aucun patient n’a le numéro « %s » : ils vont de 1 à %d", words[1], len(t.patients)), fmt.Sprintf("no patient has the number %q: they go from 1 to %d", words[1], len(t.patients))))
	}
	p := t.patients[n-1]
	switch kind, known := acts()[words[0]]; {
	case known && (words[0] == "withdraw" || words[0] == "grant"):
		if len(words) != 3 {
			return t.notUnderstood(line)
		}
		err = t.stage.Happen(ctx, p, control.Act{Kind: kind, Finalite: words[2]})
	case known && len(words) == 2:
		err = t.stage.Happen(ctx, p, control.Act{Kind: kind})
	case words[0] == "seed" && len(words) == 2:
		err = t.seed(ctx, p)
	case words[0] == "fault":
		err = t.fault(ctx, p, words[2:])
	default:
		return t.notUnderstood(line)
	}
	if err == nil {
		t.say("  ● fait : %s", "  ● done: %s", line)
	}
	return err
}

// another adds a patient, whose identity token may be wrong on purpose.
func (t *table) another(ctx context.Context, words []string) error {
	var opts []lab.PatientOption
	if len(words) == 1 {
		opts = append(opts, lab.FaultyIDToken(words[0]))
	} else if len(words) > 1 {
		return t.notUnderstood("patient " + strings.Join(words, " "))
	}
	if err := t.admit(ctx, opts...); err != nil {
		return err
	}
	t.people()
	return nil
}

// seed gives a patient measures and documents to be read.
func (t *table) seed(ctx context.Context, p *lab.Patient) error {
	at := t.o.Now().Add(-time.Hour).Truncate(time.Second).UTC()
	measures := data.Series(t.o.Seed, "weight", 7, at)
	documents := data.Documents(t.o.Seed, 3, at)
	_, err := t.stage.Seed(ctx, p, control.Seed{Measures: measures.Measures, Documents: documents.Documents})
	return err
}

// fault plans an answer for the next call of a patient: a status, on a route.
func (t *table) fault(ctx context.Context, p *lab.Patient, words []string) error {
	routes := map[string]record.Route{
		"measure": record.RouteFeedMeasure, "search": record.RouteSearchMeasures, "document": record.RouteFeedDocument,
		"documents": record.RouteSearchDocuments, "read": record.RouteReadDocument,
	}
	f := control.Fault{Route: record.RouteFeedMeasure, Kind: control.FaultStatus, Next: 1}
	if len(words) < 1 || len(words) > 3 {
		return t.notUnderstood("fault " + strings.Join(words, " "))
	}
	status, err := strconv.Atoi(words[0])
	if err != nil {
		return t.notUnderstood("fault " + strings.Join(words, " "))
	}
	f.Status = status
	switch status {
	case 429:
		f.RetryAfter, f.IssueCode = 2, "throttled"
	case 503:
		f.RetryAfter, f.IssueCode = 2, "transient"
	default:
		f.IssueCode = "invalid"
	}
	if len(words) > 1 {
		route, ok := routes[words[1]]
		if !ok {
			return t.notUnderstood("fault " + strings.Join(words, " "))
		}
		f.Route = route
	}
	if len(words) > 2 {
		if f.Next, err = strconv.Atoi(words[2]); err != nil {
			return t.notUnderstood("fault " + strings.Join(words, " "))
		}
	}
	return t.stage.Fault(ctx, p, f)
}
